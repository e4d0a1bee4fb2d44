/* author: statements in one's own hand: encode, name, sign. Ed25519 is
 * deterministic: no randomness. What is authored still passes verify before
 * the ledger takes it. Whether it may be said is vote's question, not ours. */
#ifndef ERA_CORE_AUTHOR_H
#define ERA_CORE_AUTHOR_H

#include "proto/peer_record.h"
#include "proto/statement.h"

/* A signing key in memory; the holder clears it (sodium_memzero). */
struct era_secret {
    struct era_key key;
    uint8_t secret[ERA_SECRET_BYTES];
};

/* Room that any loose statement's envelope fits. */
#define ERA_AUTHORED_BYTES_MAX (ERA_LOOSE_BYTES_MAX + 256)

/* Encode and sign; the envelope into out[cap]. id may be NULL.
 * Returns its length, 0 when the statement is too large for a loose one. */
size_t era_author_sign(const struct era_hash *network, const struct era_statement *s,
                       const struct era_secret *secret, uint8_t *out, size_t cap, struct era_hash *id);

/* A node's word on where it can be dialled, signed by its node key. made_ms: Unix time. */
struct era_peer_record era_author_peer_record(const struct era_hash *network, const struct era_place *place,
                                              uint64_t made_ms, const struct era_secret *node);

/* The id of an approve or readiness, the same for every key (R6). */
struct era_hash era_author_vote_id(const struct era_hash *network, enum era_kind kind,
                                   const struct era_vote *vote);

/* The id of an accept or charter-approve, the same for every key. */
struct era_hash era_author_charter_vote_id(const struct era_hash *network, enum era_kind kind,
                                           const struct era_charter_vote *vote);
/* A charter statement, which may exceed a loose one, malloc'd into *out; returns its length. */
size_t era_author_charter(const struct era_hash *network, struct era_bytes charter,
                          const struct era_secret *secret, uint8_t **out);

/* The certificate of a charter as an envelope, as below. */
size_t era_author_charter_certificate(const struct era_charter_certificate *c, uint8_t **out);
/* The evidence as an envelope, malloc'd into *out; returns its length. */
size_t era_author_evidence(const struct era_evidence *e, uint8_t **out);
/* A carrier as an envelope, malloc'd into *out (caller frees); returns its
 * length, 0 when it exceeds ERA_STATEMENT_BYTES_MAX. */
size_t era_author_carrier(uint32_t kind, const struct era_carrier *c, uint8_t **out);

#endif
