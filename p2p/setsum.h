/* setsum: tells that two sets of ids are equal. The sum, in 32 lanes modulo 2^64, of what each id stretches
 * to (a ChaCha20 stream of 2048 bits): items come and go at one addition each, in any order, and nobody
 * finds two sets with one sum, not even among ids of their own making: so it needs no secret, and one
 * serves all links. Pure. */
#ifndef ERA_P2P_SETSUM_H
#define ERA_P2P_SETSUM_H

#include "proto/limits.h"
#include "src/base/bytes.h"

#define ERA_SETSUM_LANES 32

struct era_setsum {
    uint64_t lane[ERA_SETSUM_LANES]; /* zeros: of no id */
};

void era_setsum_put(struct era_setsum *sum, const struct era_hash *id);
void era_setsum_drop(struct era_setsum *sum, const struct era_hash *id);
/* What travels: a hash of the sum and of what the two ends of a link alone know. */
void era_setsum_print(const struct era_setsum *sum, struct era_bytes salt, uint8_t out[ERA_SYNC_PRINT_BYTES]);

#endif
