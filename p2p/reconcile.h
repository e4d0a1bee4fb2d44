/* reconcile: the ids of one set in 256 sorted buckets by their first byte, a
 * fingerprint for each, and the pages in which two nodes compare them.
 * Pure; knows ids only. A page or list holds at most
 * ERA_SYNC_IDS_PER_FRAME_MAX ids, whatever the size of the set.
 *
 * A page is *full* when it holds exactly that many ids: it then covers its
 * buckets up to its last id. Any other page covers them to their end. Both
 * sides derive this from the page alone, so a position never travels. */
#ifndef ERA_P2P_RECONCILE_H
#define ERA_P2P_RECONCILE_H

#include "proto/limits.h"
#include "src/base/bytes.h"
#include "src/base/verdict.h"

#define ERA_BUCKETS           256
#define ERA_FINGERPRINT_BYTES 16
#define ERA_SUMMARY_BYTES     (ERA_BUCKETS * ERA_FINGERPRINT_BYTES)

/* Which buckets: one bit each. */
struct era_bucket_mask {
    uint8_t bits[ERA_BUCKETS / 8];
};

bool era_bucket_mask_has(const struct era_bucket_mask *mask, unsigned bucket);
void era_bucket_mask_put(struct era_bucket_mask *mask, unsigned bucket);
bool era_bucket_mask_is_empty(const struct era_bucket_mask *mask);

/* How far a comparison got: everything up to and with `at` is done. */
struct era_cursor {
    bool some; /* false: at the start */
    struct era_hash at;
};

/* Ids of one bucket, strictly ascending; borrowed. */
struct era_page_bucket {
    unsigned bucket;
    const uint8_t *ids; /* count times 32 bytes, no alignment assumed */
    size_t count;
};

struct era_page {
    size_t bucket_count;
    size_t id_count;                             /* of all buckets */
    struct era_page_bucket buckets[ERA_BUCKETS]; /* strictly ascending by bucket */
};

bool era_page_is_full(const struct era_page *page);
/* Where a page that began at `from` ends: its last id when it is full, else the end of all buckets. */
struct era_cursor era_page_end(const struct era_page *page);
/* ERA_ACCEPTED, or what is wrong with a page from outside (order, bucket, count). */
enum era_verdict era_page_check(const struct era_page *page);

/* Room for the ids of a list; borrowed by the page made in it. */
struct era_page_room {
    struct era_hash ids[ERA_SYNC_IDS_PER_FRAME_MAX];
};

struct era_idset;

struct era_idset *era_idset_new(void);      /* asserts on no memory */
void era_idset_free(struct era_idset *set); /* NULL-safe */
/* moved_ms: when the bucket moved, 0 for an id that does not travel now. False when already there. */
bool era_idset_add(struct era_idset *set, const struct era_hash *id, uint64_t moved_ms);
bool era_idset_remove(struct era_idset *set, const struct era_hash *id);
bool era_idset_contains(const struct era_idset *set, const struct era_hash *id);
size_t era_idset_count(const struct era_idset *set);
uint64_t era_idset_moved_ms(const struct era_idset *set, unsigned bucket);

/* BLAKE2b-128 over the ascending ids of each bucket; zeros for an empty one.
 * Kept until the bucket changes. */
void era_idset_summary(struct era_idset *set, uint8_t out[ERA_SUMMARY_BYTES]);
void era_idset_differing(struct era_idset *set, const uint8_t theirs[ERA_SUMMARY_BYTES],
                         struct era_bucket_mask *out);

/* Our ids in the buckets of the mask, beyond `from`; borrowed from the set until it changes. */
void era_idset_page(const struct era_idset *set, const struct era_bucket_mask *mask,
                    const struct era_cursor *from, struct era_page *out);
/* Our ids that a checked page of a peer, begun at `from`, covers and lacks. The list lives in `room`. */
void era_idset_lacks(const struct era_idset *set, const struct era_page *page, const struct era_cursor *from,
                     struct era_page_room *room, struct era_page *out);

#endif
