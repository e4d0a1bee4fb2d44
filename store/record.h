/* record: what the keys and values of a store are. Pure.
 * A key is one byte of kind and the fields of that kind, so that all records
 * of a kind lie together in a walk.
 * A value on disk is the payload and a tag: the first 16 bytes of BLAKE2b-256
 * over "erad-record-v1", key and payload. LMDB notices neither flipped bits nor
 * a value that ends up under another key; the tag does. It is no signature:
 * who can write the file can make tags.
 * Refused statements are not kept; there is no kind for them. */
#ifndef ERA_STORE_RECORD_H
#define ERA_STORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/bytes.h"
#include "store/store.h"

/* Format of all records. A store of a higher number is refused, untouched. The
 * record that holds it (META "schema", four bytes, tagged like all) keeps its
 * form in every version to come, or no version could refuse. */
#define ERA_STORE_SCHEMA 1

#define ERA_RECORD_TAG_BYTES      16
#define ERA_RECORD_KEY_BYTES_MAX  (1 + ERA_HASH_BYTES)
#define ERA_RECORD_NAME_BYTES_MAX ERA_HASH_BYTES /* of a META record */

enum era_record_kind {
    ERA_RECORD_META = 'M',      /* name → as named below */
    ERA_RECORD_STATEMENT = 'S', /* item id → encoded envelope of a loose statement */
    ERA_RECORD_CARRIER = 'C',   /* item id → encoded envelope of a carrier */
    ERA_RECORD_REBUILD = 'R'    /* item id → result of an own rebuild */
};

/* Names of META records. */
#define ERA_META_SCHEMA     "schema"     /* be32, written by whoever makes the store */
#define ERA_META_NETWORK    "network"    /* 32 bytes: hash of charter 0 */
#define ERA_META_EPOCH_HIGH "epoch_high" /* be64: the clock never counts below it again */
#define ERA_META_EVENT_SEQ  "event_seq"  /* be64 epoch, be64 last place kept for own events: never reused */
#define ERA_META_LEASES     "leases"     /* own leases, in the batch of the announcement (R16) */
#define ERA_META_ANNOUNCED  "announced"  /* epochs of own announcements, in the batch of each (R16) */
#define ERA_META_MET        "met"        /* one byte: there were peers once (protocol §9) */
#define ERA_META_KEY_LOCKED "key_locked" /* one byte: a word of the own key was missing here (protocol §9)  \
                                          */

struct era_store_key {
    uint8_t b[ERA_RECORD_KEY_BYTES_MAX];
    size_t len;
};

/* name: 1 to ERA_RECORD_NAME_BYTES_MAX bytes, asserted (names are ours). */
struct era_store_key era_record_meta(const char *name);
/* kind: any but META, asserted. */
struct era_store_key era_record_item(enum era_record_kind kind, const struct era_hash *id);
/* What the keys of one kind begin with, for era_store_walk. */
struct era_store_key era_record_prefix(enum era_record_kind kind);
/* Borrows from key. */
struct era_bytes era_store_key_bytes(const struct era_store_key *key);

/* Read the key of a statement, carrier or rebuild. False for any other key, outputs untouched. */
bool era_record_item_read(struct era_bytes key, enum era_record_kind *kind, struct era_hash *id);

/* Write payload and tag to out, which holds payload.len + ERA_RECORD_TAG_BYTES. */
void era_record_wrap(struct era_bytes key, struct era_bytes payload, uint8_t *out);
/* The payload within stored (borrowed). False when the tag does not fit. */
bool era_record_unwrap(struct era_bytes key, struct era_bytes stored, struct era_bytes *payload);

/* The same as a copy in *value (caller frees), for era_store_get: 0, -EBADMSG, -ENOMEM. */
int era_record_unwrap_copy(struct era_bytes key, struct era_bytes stored, uint8_t **value, size_t *len);

/* The payload of META "schema" as this version writes it. */
void era_record_schema_write(uint8_t out[4]);
/* 0; -EPROTONOSUPPORT when the store is newer than this version; -EBADMSG when it is no schema. */
int era_record_schema_check(struct era_bytes payload);

/* Whether a key keeps the bounds of store.h. */
bool era_record_key_fits(struct era_bytes key);
/* Any key begins with the empty prefix. */
bool era_record_key_begins(struct era_bytes key, struct era_bytes prefix);
/* 0 when a batch keeps the bounds of store.h, else -EINVAL. */
int era_record_batch_check(const struct era_store_put *puts, size_t n);

#endif
