#include "src/core/clock.h"

#include <assert.h>
#include <stdlib.h>

#include "src/core/charter.h"

#define HEARD_EPOCHS 2

struct heard {
    bool some;  /* `epoch` is known */
    bool fresh; /* it was heard, not read */
    uint64_t epoch;
    uint64_t at_ms, at_epoch; /* when it was first heard */
};

struct era_clock {
    const struct era_charter *charter;
    struct heard *heard; /* one a validator */
};

struct era_clock *era_clock_new(const struct era_charter *charter)
{
    struct era_clock *c = calloc(1, sizeof *c);
    assert(c);
    c->charter = charter;
    c->heard = calloc(charter->validator_count + 1, sizeof *c->heard);
    assert(c->heard);
    return c;
}

void era_clock_free(struct era_clock *c)
{
    if (!c)
        return;
    free(c->heard);
    free(c);
}

void era_clock_hear(struct era_clock *c, int validator, uint64_t epoch, uint64_t own_epoch, uint64_t now_ms)
{
    struct heard *h = &c->heard[validator];
    if (h->some && epoch <= h->epoch)
        return;
    *h = (struct heard){true, true, epoch, now_ms, own_epoch};
}

void era_clock_know(struct era_clock *c, int validator, uint64_t epoch)
{
    struct heard *h = &c->heard[validator];
    if (h->some && epoch <= h->epoch)
        return;
    *h = (struct heard){.some = true, .epoch = epoch};
}

/* The first moment at which it counts no more, by now_ms; UINT64_MAX on a height clock. */
static uint64_t ends_ms(const struct era_clock *c, const struct heard *h)
{
    if (c->charter->clock.kind == ERA_CLOCK_HEIGHT)
        return UINT64_MAX;
    uint64_t span = era_mul_sat(HEARD_EPOCHS, c->charter->clock.epoch_ms);
    return era_add_sat(era_add_sat(h->at_ms, span), 1);
}

static bool counts(const struct era_clock *c, const struct heard *h, uint64_t own_epoch, uint64_t now_ms)
{
    if (!h->fresh)
        return false;
    if (c->charter->clock.kind == ERA_CLOCK_HEIGHT)
        return own_epoch <= era_add_sat(h->at_epoch, HEARD_EPOCHS);
    return now_ms < ends_ms(c, h);
}

struct weighed {
    uint64_t epoch, stake;
};

static int by_epoch(const void *a, const void *b)
{
    const struct weighed *x = a, *y = b;
    return (x->epoch > y->epoch) - (x->epoch < y->epoch);
}

static uint64_t median_of(const struct era_clock *c, uint64_t own_epoch, uint64_t now_ms, uint64_t sum)
{
    size_t n = 0, count = c->charter->validator_count;
    struct weighed *list = calloc(count + 1, sizeof *list);
    uint64_t below = 0, median = 0;
    assert(list);
    for (size_t v = 0; v < count; v++)
        if (counts(c, &c->heard[v], own_epoch, now_ms))
            list[n++] = (struct weighed){c->heard[v].epoch, c->charter->validators[v].stake};
    qsort(list, n, sizeof *list, by_epoch);
    for (size_t i = 0; i < n && 2 * below < sum; i++) {
        below += list[i].stake;
        median = list[i].epoch;
    }
    free(list);
    return median;
}

struct era_clock_word era_clock_judge(const struct era_clock *c, uint64_t own_epoch, uint64_t now_ms)
{
    const struct era_charter *charter = c->charter;
    struct era_clock_word word = {.recheck_ms = UINT64_MAX};
    uint64_t tolerance = charter->clock.tolerance_epochs;
    uint64_t low = own_epoch > tolerance ? own_epoch - tolerance : 0;
    uint64_t high = era_add_sat(own_epoch, tolerance);
    uint64_t before = 0, after = 0;
    if (charter->authority_only)
        return word;
    for (size_t v = 0; v < charter->validator_count; v++) {
        const struct heard *h = &c->heard[v];
        uint64_t stake = charter->validators[v].stake, end = ends_ms(c, h);
        if (!counts(c, h, own_epoch, now_ms))
            continue;
        word.heard_stake += stake;
        before += h->epoch < low ? stake : 0;
        after += h->epoch > high ? stake : 0;
        word.recheck_ms = end < word.recheck_ms ? end : word.recheck_ms;
    }
    /* More than half on one side: every median lies there. Stakes sum to at most 2^62. */
    word.doubtful = word.heard_stake >= era_charter_quorum(charter) &&
                    (2 * before > word.heard_stake || 2 * after > word.heard_stake);
    if (word.doubtful)
        word.median = median_of(c, own_epoch, now_ms, word.heard_stake);
    return word;
}
