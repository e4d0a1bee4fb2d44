/* bodies: the envelopes behind the items of a ledger, by item id. Memory holds
 * those on their way to the disk, those that have no record of their own, and
 * the last few that got there; the others are read from the store, through a
 * function of the owner. What lies behind an id never changes, only whether it
 * can be read: so the ledger stays a function of what it was told.
 *
 * Without that function (tests, tools) memory holds them all. */
#ifndef ERA_CORE_BODIES_H
#define ERA_CORE_BODIES_H

#include "src/base/bytes.h"
#include "src/base/prng.h"

/* The envelope of a durable item, borrowed until the next call; false: it cannot be read. */
typedef bool era_body_read(void *ctx, const struct era_hash *item, uint32_t kind, struct era_bytes *out);

struct era_bodies;

struct era_bodies *era_bodies_new(const struct era_siphash_key *key); /* asserts on no memory */
void era_bodies_free(struct era_bodies *b);                           /* NULL-safe */
void era_bodies_read_with(struct era_bodies *b, era_body_read *read, void *ctx);
/* Keep a copy, until it is settled or dropped. An item has one body. */
void era_bodies_put(struct era_bodies *b, const struct era_hash *item, struct era_bytes envelope);
/* Its record is durable: from now on it may be read from there. */
void era_bodies_settle(struct era_bodies *b, const struct era_hash *item);
/* Forget those last few: they are read from there. */
void era_bodies_rest(struct era_bodies *b);
/* The item is gone. */
void era_bodies_drop(struct era_bodies *b, const struct era_hash *item);
/* Borrowed until the next call of any of these. False: it cannot be read. */
bool era_bodies_get(const struct era_bodies *b, const struct era_hash *item, uint32_t kind,
                    struct era_bytes *out);

#endif
