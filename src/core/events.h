/* events: what host programs emit (C3), in a bounded ring for a few epochs.
 * Outside digest and view. An event is accepted once: (key, epoch, seq) is
 * remembered as long as its epoch could still be accepted, so that it is
 * handed to subscribers once even when the ring has dropped its bytes. */
#ifndef ERA_CORE_EVENTS_H
#define ERA_CORE_EVENTS_H

#include "src/base/prng.h"
#include "src/core/verify.h"

#define ERA_EVENTS_SEEN_MAX 262144 /* remembered events; above: refused as full, never delivered twice */

struct era_events;

struct era_events *era_events_new(const struct era_charter *charter, const struct era_siphash_key *key);
void era_events_free(struct era_events *e); /* NULL-safe */

/* Take in a verified event.
 * epoch    one's own; the event's may differ by one.
 * in_force hash of the network entry in force at the event's epoch; NULL: none.
 * Returns ERA_ACCEPTED, ERA_DUPLICATE, ERA_CAPPED (another event in that place),
 * ERA_WRONG_EPOCH, ERA_WRONG_ERA, ERA_RATE_LIMITED, ERA_FULL. */
enum era_verdict era_events_offer(struct era_events *e, const struct era_verified *s, uint64_t epoch,
                                  const struct era_hash *in_force);

/* The ring's items: false when the bytes are gone (or were never there). */
bool era_events_fetch(const struct era_events *e, const struct era_hash *item, struct era_bytes *envelope);
/* True when the item is remembered, bytes or not. */
bool era_events_seen(const struct era_events *e, const struct era_hash *item);

/* Forget what is too old for `epoch`, and the oldest above the ring's size;
 * gone is called for each item that leaves the ring. */
void era_events_expire(struct era_events *e, uint64_t epoch,
                       void (*gone)(void *ctx, const struct era_hash *item), void *ctx);

/* Own next seq at an epoch: one above the highest taken in from this key. */
uint64_t era_events_next_seq(struct era_events *e, int validator, uint64_t epoch);
size_t era_events_count(const struct era_events *e);

#endif
