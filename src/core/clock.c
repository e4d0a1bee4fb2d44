#include "src/core/clock.h"

#include <assert.h>
#include <stdlib.h>

#include "src/core/charter.h"

#define HEARD_EPOCHS 2

struct heard {
    bool some;    /* `epoch` is known */
    bool fresh;   /* it was heard, not read */
    bool weighed; /* it is in the clock's sums */
    uint64_t epoch;
    uint64_t at_ms, at_epoch; /* when it was first heard */
};

/* What counts, weighed; kept up to date by what is heard, so that a flood of announcements is not a walk
 * through all validators each. */
struct sums {
    bool known;
    uint64_t own_epoch, low, high; /* for which they hold… */
    uint64_t until_ms;             /* …before this: then something may count no more */
    uint64_t heard, before, after;
};

struct era_clock {
    const struct era_charter *charter;
    struct heard *heard; /* one a validator */
    struct sums sums;
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

static uint64_t median_of(const struct era_clock *c)
{
    size_t n = 0, count = c->charter->validator_count;
    struct weighed *list = calloc(count + 1, sizeof *list);
    uint64_t below = 0, median = 0;
    assert(list);
    for (size_t v = 0; v < count; v++)
        if (c->heard[v].weighed)
            list[n++] = (struct weighed){c->heard[v].epoch, c->charter->validators[v].stake};
    qsort(list, n, sizeof *list, by_epoch);
    for (size_t i = 0; i < n && 2 * below < c->sums.heard; i++) {
        below += list[i].stake;
        median = list[i].epoch;
    }
    free(list);
    return median;
}

static void weigh(struct era_clock *c, struct heard *h)
{
    struct sums *s = &c->sums;
    uint64_t stake = c->charter->validators[h - c->heard].stake, end = ends_ms(c, h);
    h->weighed = true;
    s->heard += stake;
    s->before += h->epoch < s->low ? stake : 0;
    s->after += h->epoch > s->high ? stake : 0;
    s->until_ms = end < s->until_ms ? end : s->until_ms;
}

/* Before it is replaced. until_ms may be its own, and stay: then all are weighed again too early. */
static void unweigh(struct era_clock *c, struct heard *h)
{
    struct sums *s = &c->sums;
    uint64_t stake = c->charter->validators[h - c->heard].stake;
    if (!s->known || !h->weighed)
        return;
    s->heard -= stake;
    s->before -= h->epoch < s->low ? stake : 0;
    s->after -= h->epoch > s->high ? stake : 0;
}

static void weigh_all(struct era_clock *c, uint64_t own_epoch, uint64_t now_ms)
{
    uint64_t tolerance = c->charter->clock.tolerance_epochs;
    uint64_t low = own_epoch > tolerance ? own_epoch - tolerance : 0;
    uint64_t high = era_add_sat(own_epoch, tolerance);
    struct sums *s = &c->sums;
    if (s->known && s->own_epoch == own_epoch && s->low == low && s->high == high && now_ms < s->until_ms)
        return;
    *s = (struct sums){true, own_epoch, low, high, .until_ms = UINT64_MAX};
    for (size_t v = 0; v < c->charter->validator_count; v++) {
        c->heard[v].weighed = false;
        if (counts(c, &c->heard[v], own_epoch, now_ms))
            weigh(c, &c->heard[v]);
    }
}

void era_clock_hear(struct era_clock *c, int validator, uint64_t epoch, uint64_t own_epoch, uint64_t now_ms)
{
    struct heard *h = &c->heard[validator];
    if (h->some && epoch <= h->epoch)
        return;
    unweigh(c, h);
    *h = (struct heard){.some = true, .fresh = true, .epoch = epoch, .at_ms = now_ms, .at_epoch = own_epoch};
    if (c->sums.known && c->sums.own_epoch == own_epoch)
        weigh(c, h);
    else
        c->sums.known = false;
}

void era_clock_know(struct era_clock *c, int validator, uint64_t epoch)
{
    struct heard *h = &c->heard[validator];
    if (h->some && epoch <= h->epoch)
        return;
    unweigh(c, h);
    *h = (struct heard){.some = true, .epoch = epoch};
}

struct era_clock_word era_clock_judge(struct era_clock *c, uint64_t own_epoch, uint64_t now_ms)
{
    struct era_clock_word word = {.recheck_ms = UINT64_MAX};
    const struct sums *s = &c->sums;
    if (c->charter->authority_only)
        return word;
    weigh_all(c, own_epoch, now_ms);
    word.heard_stake = s->heard;
    word.recheck_ms = s->until_ms;
    /* More than half on one side: every median lies there. Stakes sum to at most 2^62. */
    word.doubtful =
        (2 * s->before > s->heard || 2 * s->after > s->heard) && s->heard >= era_charter_quorum(c->charter);
    if (word.doubtful)
        word.median = median_of(c);
    return word;
}
