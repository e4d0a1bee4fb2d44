/* chain: a charter, the one that follows it, and a peer of the first: what tests of the chain stand on (R10).
 * Q is 27 of 40 in both. Nobody is a validator of both. */
#ifndef ERA_TESTS_CORE_CHAIN_H
#define ERA_TESTS_CORE_CHAIN_H

#include "tests/core/peer.h"

#define OLD     "alice bob carol dave"
#define CLOSERS "alice bob carol"
#define E       20
#define CARRIED 100

extern struct era_charter *old, *next;
extern struct peer *p; /* of old, at epoch 10 */

/* The init of a suite, which ends with peers_free. */
void chain_begin(void);

/* The certificate of next: all close with the same words. */
struct era_bytes chain_certificate(const struct era_close *words);
/* next follows; the peer of it. */
struct peer *chain_adopted(const struct era_close *words);

/* A proposal for a slot of old, on no head; and old adopts it. */
struct era_proposal *chain_start(uint64_t seq);
void chain_adopt(const struct era_proposal *of);

/* May this validator vote for what `of` holds. */
enum era_verdict chain_may_vote(struct peer *of, const char *who, const struct era_proposal *on,
                                uint64_t epoch);

#endif
