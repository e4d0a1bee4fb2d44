/* clock: may this node believe its own clock? CLOCK (R14): announcements heard
 * since the start, within the last two epoch lengths, by stake >= Q, whose
 * stake-weighted median lies further from one's own epoch than the tolerance.
 *
 * Invariants: of each validator only the newest epoch ever heard counts, from
 * when it was first heard, so replays change nothing; what the disk held is
 * never heard. Peers never set our time: this only raises an alarm.
 * Never in an authority-only network. Never reads a clock. */
#ifndef ERA_CORE_CLOCK_H
#define ERA_CORE_CLOCK_H

#include "proto/charter.h"

struct era_clock;

/* charter: borrowed for the clock's life. */
struct era_clock *era_clock_new(const struct era_charter *charter);
void era_clock_free(struct era_clock *c); /* NULL-safe */

/* A verified announcement came, whether or not the ledger wants it. own_epoch: at that moment;
 * now_ms: monotonic. */
void era_clock_hear(struct era_clock *c, int validator, uint64_t epoch, uint64_t own_epoch, uint64_t now_ms);
/* One was read from the disk: whatever is not newer says nothing about the present. */
void era_clock_know(struct era_clock *c, int validator, uint64_t epoch);

/* What is heard now. Epochs of a wall clock run out by now_ms, of a height clock by one's own epoch. */
struct era_clock_word {
    uint64_t heard_stake; /* in the last two epoch lengths */
    uint64_t median;      /* of their epochs, by stake, the lower of two; 0 when nothing is heard */
    bool doubtful;        /* the alarm */
    uint64_t recheck_ms;  /* none of them runs out before; UINT64_MAX: none does */
};

/* now_ms: never before an earlier call's. Time O(1) while own_epoch stays and now_ms is before the last
 * recheck_ms, else O(validators); the median costs a sort, and is found only while in doubt (else 0). */
struct era_clock_word era_clock_judge(struct era_clock *c, uint64_t own_epoch, uint64_t now_ms);

#endif
