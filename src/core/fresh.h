/* fresh: the stake of those who are announced since an epoch (N6, R16), kept up to date by each announcement
 * that becomes durable, so that a flood of them is not a walk through all validators each.
 * Invariant: it is era_ledger_fresh_stake, provided that the owner tells of every announcement, and says
 * forget when anything else of a ledger changed. */
#ifndef ERA_CORE_FRESH_H
#define ERA_CORE_FRESH_H

#include "src/core/ledger.h"

struct era_fresh {
    const struct era_ledger *ledger; /* borrowed; NULL: nothing is known */
    uint64_t least_epoch, stake;
    bool *is; /* one a validator; owned */
};

void era_fresh_clear(struct era_fresh *f);
/* era_ledger_fresh_stake(l, least_epoch). O(1) when that was asked last, and nothing was forgotten since. */
uint64_t era_fresh_stake(struct era_fresh *f, const struct era_ledger *l, uint64_t least_epoch);
/* An announcement of this validator of l's became durable. */
void era_fresh_announced(struct era_fresh *f, const struct era_ledger *l, int validator);
void era_fresh_forget(struct era_fresh *f);

#endif
