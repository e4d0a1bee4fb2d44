#include "src/erasim/strike.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/erasim/hostile.h"
#include "src/erasim/people.h"

#define STRIKES_MAX     128
#define TRIES_MAX       6             /* to find somebody who may be struck */
#define OCCURS_PERCENT  88            /* of runs in which an allowed kind is tried at all */
#define YEAR_2099_MS    4070908800000 /* Unix ms */
#define MS_BEFORE_QUIET 2000          /* by then it has ended */

struct strike {
    enum sim_fault kind;
    uint64_t end_ms;
    uint64_t lasts_ms;
    bool on;
    unsigned tries;
    size_t a, b;      /* nodes; b: the other end of a link */
    unsigned percent; /* of the pairs of nodes that frames suffer between */
    uint64_t seed;    /* says which */
    uint64_t amount;
};

struct strikes {
    size_t count;
    struct strike list[STRIKES_MAX];
    bool *busy;  /* nodes whose process or disk is in somebody's hands */
    bool *dizzy; /* nodes whose clock is */
};

/* ---- frames ---- */

static bool of_frames(enum sim_fault kind)
{
    return kind <= SIM_FAULT_BANDWIDTH || kind == SIM_FAULT_ONE_WAY;
}

/* Does it strike frames from one node to the other? Both directions of a pair alike, but for one way. */
static bool touches(const struct strike *k, size_t from, size_t to)
{
    uint8_t pair[24];
    if (k->kind == SIM_FAULT_ONE_WAY)
        return from == k->a && to == k->b;
    era_put_be64(pair, k->seed);
    era_put_be64(pair + 8, from < to ? from : to);
    era_put_be64(pair + 16, from < to ? to : from);
    struct era_hash h = era_hash_parts(&(struct era_bytes){pair, sizeof pair}, 1);
    return era_get_be32(h.b) % 100 < k->percent;
}

static void add_law(const struct strike *k, struct sim_net_faults *f)
{
    if (k->kind == SIM_FAULT_LATENCY)
        f->extra_latency_ms = k->amount;
    if (k->kind == SIM_FAULT_LOSS)
        f->loss_ppm = (uint32_t)k->amount;
    if (k->kind == SIM_FAULT_DUPLICATION)
        f->duplicate_ppm = (uint32_t)k->amount;
    if (k->kind == SIM_FAULT_REORDER)
        f->reorder_ppm = (uint32_t)k->amount;
    if (k->kind == SIM_FAULT_BANDWIDTH)
        f->bytes_per_s = k->amount;
    if (k->kind == SIM_FAULT_ONE_WAY)
        f->vanish = true;
}

/* What all that is on does to one direction. */
static void set_law(struct sim *s, size_t from, size_t to)
{
    const struct strikes *all = s->cast->strikes;
    struct sim_net_faults law = {0}, now = sim_net_get(s, from, to);
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].on && of_frames(all->list[i].kind) && touches(&all->list[i], from, to))
            add_law(&all->list[i], &law);
    if (law.loss_ppm != now.loss_ppm || law.duplicate_ppm != now.duplicate_ppm ||
        law.reorder_ppm != now.reorder_ppm || law.extra_latency_ms != now.extra_latency_ms ||
        law.bytes_per_s != now.bytes_per_s || law.vanish != now.vanish)
        sim_net_set(s, from, to, law);
}

static void set_laws(struct sim *s, const struct strike *k)
{
    for (size_t i = 0; i < s->node_count; i++)
        for (size_t j = 0; j < s->node_count; j++)
            if (i != j && touches(k, i, j))
                set_law(s, i, j);
}

/* ---- links ---- */

static bool find_link(const struct sim *s, struct strike *k, struct era_prng *p)
{
    size_t n = s->node_count, first = era_prng_below(p, n * n);
    for (size_t i = 0; i < n * n; i++) {
        size_t at = (first + i) % (n * n);
        k->a = at / n;
        k->b = at % n;
        if (k->a != k->b && sim_linked(s, k->a, k->b))
            return true;
    }
    return false;
}

static bool cuts(const struct strike *k, size_t a, size_t b)
{
    if (k->kind == SIM_FAULT_CUT)
        return (k->a == a && k->b == b) || (k->a == b && k->b == a);
    return k->kind == SIM_FAULT_ECLIPSE && (k->a == a || k->a == b);
}

static void cut_pair(struct sim *s, size_t a, size_t b)
{
    if (a == b)
        return;
    sim_cut(s, a, b);
    sim_cut(s, b, a);
}

static void heal_pair(struct sim *s, size_t a, size_t b)
{
    const struct strikes *all = s->cast->strikes;
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].on && cuts(&all->list[i], a, b))
            return;
    sim_heal(s, a, b);
    sim_heal(s, b, a);
}

static bool partitioned(const struct strikes *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].on && all->list[i].kind == SIM_FAULT_PARTITION)
            return true;
    return false;
}

static void fall_apart(struct sim *s, struct era_prng *p)
{
    unsigned sides = (unsigned)cast_between(p, 2, 3), percent = (unsigned)cast_between(p, 20, 50);
    for (size_t i = 0; i < s->node_count; i++)
        if (cast_chance(p, percent))
            sim_side(s, i, 1 + (unsigned)era_prng_below(p, sides - 1));
}

/* ---- whom ---- */

enum whom { ANY_NODE, A_VALIDATOR, WHO_MAY_FALL };

/* Relays sign nothing; one is enough to lose, others stay to be watched. */
static bool may_fall(const struct sim *s, size_t i)
{
    bool last_relay = i + 1 == s->node_count && !s->nodes[i].key;
    return last_relay || i == s->cast->spare_validator || !s->plan.bounded;
}

static bool find_node(struct sim *s, struct strike *k, struct era_prng *p, enum whom whom, const bool *taken)
{
    size_t first = era_prng_below(p, s->node_count);
    for (size_t i = 0; i < s->node_count; i++) {
        k->a = (first + i) % s->node_count;
        const struct sim_node *n = &s->nodes[k->a];
        bool fits = whom == ANY_NODE || (whom == A_VALIDATOR ? n->key != NULL : may_fall(s, k->a));
        if (fits && n->node && !(taken && taken[k->a]))
            return true;
    }
    return false;
}

/* ---- processes and disks ---- */

static void fall(struct sim_node *n)
{
    n->trust = SIM_FAULTY;
    if (n->key)
        n->key->trust = SIM_FAULTY;
}

static void go_down(struct sim *s, const struct strike *k)
{
    struct sim_node *n = &s->nodes[k->a];
    if (k->kind == SIM_FAULT_POWER) {
        sim_lose_power(s, n);
    } else if (k->kind == SIM_FAULT_TORN) {
        sim_lose_power_torn(s, n);
    } else {
        sim_crash(s, n);
        if (k->kind == SIM_FAULT_BIT_FLIP && sim_disk_flip(s, n))
            fall(n); /* an emptied store is a rollback */
        if (k->kind == SIM_FAULT_ABSENT)
            sim_strike(s, SIM_FAULT_ABSENT, n, "for %llu ms", (unsigned long long)(k->end_ms - s->now_ms));
    }
}

static void restart(struct sim *s, struct sim_node *n)
{
    if (n->node)
        sim_crash(s, n);
    sim_start(s, n);
}

static void strike_disk(struct sim *s, const struct strike *k, struct era_prng *p)
{
    struct sim_node *n = &s->nodes[k->a];
    switch (k->kind) {
    case SIM_FAULT_DISK_ERROR:
        sim_disk_fail(s, n, cast_between(p, 1, 3), -EIO);
        break;
    case SIM_FAULT_DISK_FULL:
        sim_disk_fail(s, n, cast_between(p, 1, 3), -ENOSPC);
        break;
    case SIM_FAULT_BACKUP:
        sim_disk_backup(s, n);
        break;
    default:
        sim_disk_slow(s, n, cast_between(p, 300, 4000));
        break;
    }
}

static void mend_disk(struct sim *s, const struct strike *k)
{
    struct sim_node *n = &s->nodes[k->a];
    if (k->kind == SIM_FAULT_SLOW_DISK) {
        sim_disk_slow(s, n, 0);
        return;
    }
    if (k->kind == SIM_FAULT_BACKUP) {
        if (n->node)
            sim_crash(s, n);
        sim_disk_restore_backup(s, n);
        sim_start(s, n);
        return;
    }
    sim_disk_fail(s, n, 0, 0);
    if (n->node && era_node_store_failed(n->node))
        restart(s, n);
}

/* ---- clocks ---- */

static void strike_clock(struct sim *s, const struct strike *k, struct era_prng *p)
{
    struct sim_node *n = &s->nodes[k->a];
    int64_t epoch = (int64_t)s->plan.epoch_ms, sign = cast_chance(p, 50) ? 1 : -1;
    if (k->kind == SIM_FAULT_SKEW) {
        sim_clock_skew(s, n, sign * (int64_t)cast_between(p, 1000, (uint64_t)epoch));
    } else if (k->kind == SIM_FAULT_DRIFT) {
        sim_clock_drift(s, n, sign * (int64_t)cast_between(p, 1000, 50000));
    } else {
        uint64_t true_ms = s->genesis_ms + s->now_ms;
        switch (era_prng_below(p, 4)) {
        case 0:
            sim_clock_jump(s, n, true_ms - cast_between(p, 1, 400) * s->plan.epoch_ms);
            break;
        case 1:
            sim_clock_jump(s, n, true_ms + cast_between(p, 2, 5) * s->plan.epoch_ms);
            break;
        default:
            sim_clock_jump(s, n, YEAR_2099_MS);
            break;
        }
    }
}

/* An epoch never goes back within a run of the process (R14). */
static void mend_clock(struct sim *s, struct sim_node *n)
{
    sim_clock_mend(s, n);
    if (n->node && era_node_epoch(n->node) > sim_true_epoch(s))
        restart(s, n);
}

/* ---- one strike ---- */

static enum whom whom_of(enum sim_fault kind)
{
    switch (kind) {
    case SIM_FAULT_TORN:
    case SIM_FAULT_BIT_FLIP:
    case SIM_FAULT_BACKUP:
        return WHO_MAY_FALL;
    case SIM_FAULT_IMPATIENT:
    case SIM_FAULT_ABSENT:
        return A_VALIDATOR;
    default:
        return ANY_NODE;
    }
}

/* False: not now. */
static bool begin_link(struct sim *s, struct strike *k, struct era_prng *p)
{
    if (k->kind == SIM_FAULT_PARTITION) {
        if (partitioned(s->cast->strikes))
            return false;
        fall_apart(s, p);
    } else if (k->kind == SIM_FAULT_ECLIPSE) {
        if (!find_node(s, k, p, ANY_NODE, NULL))
            return false;
        for (size_t i = 0; i < s->node_count; i++)
            cut_pair(s, k->a, i);
        sim_strike(s, SIM_FAULT_ECLIPSE, &s->nodes[k->a], "for %llu ms", (unsigned long long)k->lasts_ms);
        hostile_dial(s, k->a, p);
        hostile_dial(s, k->a, p);
    } else if (!find_link(s, k, p)) {
        return false;
    } else if (k->kind == SIM_FAULT_CUT) {
        cut_pair(s, k->a, k->b);
    } else if (k->kind == SIM_FAULT_FLAP) {
        sim_flap(s, k->a, k->b, cast_chance(p, 30));
    }
    k->on = true;
    if (k->kind == SIM_FAULT_ONE_WAY)
        set_law(s, k->a, k->b);
    return true;
}

static bool begin_node(struct sim *s, struct strike *k, struct era_prng *p)
{
    struct strikes *all = s->cast->strikes;
    bool clock = k->kind == SIM_FAULT_SKEW || k->kind == SIM_FAULT_DRIFT || k->kind == SIM_FAULT_JUMP;
    bool *taken = k->kind == SIM_FAULT_IMPATIENT ? NULL : clock ? all->dizzy : all->busy;
    if (!find_node(s, k, p, whom_of(k->kind), taken))
        return false;
    if (taken)
        taken[k->a] = true;
    k->on = true;
    if (clock)
        strike_clock(s, k, p);
    else if (k->kind == SIM_FAULT_IMPATIENT)
        s->cast->caretakers[k->a].impatient_until_ms = k->end_ms;
    else if (k->kind == SIM_FAULT_CRASH || k->kind == SIM_FAULT_POWER || k->kind == SIM_FAULT_TORN ||
             k->kind == SIM_FAULT_BIT_FLIP || k->kind == SIM_FAULT_ABSENT)
        go_down(s, k);
    else
        strike_disk(s, k, p);
    return true;
}

static bool begin(struct sim *s, struct strike *k, struct era_prng *p)
{
    uint64_t last = s->cast->quiet_ms - MS_BEFORE_QUIET;
    k->end_ms = s->now_ms + k->lasts_ms < last ? s->now_ms + k->lasts_ms : last;
    if (k->kind <= SIM_FAULT_BANDWIDTH) {
        k->on = true;
        set_laws(s, k);
        return true;
    }
    return k->kind <= SIM_FAULT_ECLIPSE ? begin_link(s, k, p) : begin_node(s, k, p);
}

static void end_node(struct sim *s, struct strike *k)
{
    struct strikes *all = s->cast->strikes;
    struct sim_node *n = &s->nodes[k->a];
    switch (k->kind) {
    case SIM_FAULT_SKEW:
    case SIM_FAULT_DRIFT:
    case SIM_FAULT_JUMP:
        all->dizzy[k->a] = false;
        mend_clock(s, n);
        return;
    case SIM_FAULT_IMPATIENT:
        return;
    case SIM_FAULT_DISK_ERROR:
    case SIM_FAULT_DISK_FULL:
    case SIM_FAULT_SLOW_DISK:
    case SIM_FAULT_BACKUP:
        mend_disk(s, k);
        break;
    default:
        if (!n->node)
            sim_start(s, n);
        break;
    }
    all->busy[k->a] = false;
}

static void end(struct sim *s, struct strike *k)
{
    k->on = false;
    if (k->kind <= SIM_FAULT_BANDWIDTH) {
        set_laws(s, k);
    } else if (k->kind == SIM_FAULT_ONE_WAY) {
        set_law(s, k->a, k->b);
    } else if (k->kind == SIM_FAULT_CUT) {
        heal_pair(s, k->a, k->b);
    } else if (k->kind == SIM_FAULT_PARTITION) {
        for (size_t i = 0; i < s->node_count; i++)
            if (s->nodes[i].side != 0)
                sim_side(s, i, 0);
    } else if (k->kind == SIM_FAULT_ECLIPSE) {
        for (size_t i = 0; i < s->node_count; i++)
            if (i != k->a)
                heal_pair(s, k->a, i);
    } else if (k->kind != SIM_FAULT_FLAP) {
        end_node(s, k);
    }
}

static uint64_t act_strike(struct sim *s, struct actor *a)
{
    struct strike *k = a->who;
    uint64_t last = s->cast->quiet_ms - MS_BEFORE_QUIET;
    if (!k->on) {
        if (s->now_ms >= last || k->tries++ == TRIES_MAX)
            return CAST_NEVER;
        if (!begin(s, k, &a->prng))
            return s->now_ms + cast_between(&a->prng, 5000, s->plan.epoch_ms);
        if (k->end_ms <= s->now_ms)
            k->end_ms = s->now_ms + 1;
    } else if (s->now_ms >= k->end_ms) {
        end(s, k);
        return CAST_NEVER;
    } else if (k->kind == SIM_FAULT_FLAP) {
        sim_flap(s, k->a, k->b, cast_chance(&a->prng, 30));
    }
    if (k->kind != SIM_FAULT_FLAP)
        return k->end_ms;
    uint64_t again = s->now_ms + cast_between(&a->prng, 500, 8000);
    return again < k->end_ms ? again : k->end_ms;
}

/* From here on nothing is wrong with the world; what people did wrong stays said. */
static uint64_t act_quiet(struct sim *s, struct actor *a)
{
    (void)a;
    sim_heal_all(s);
    for (size_t i = 0; i < s->node_count; i++) {
        struct sim_node *n = &s->nodes[i];
        if (!n->node)
            sim_start(s, n);
        else if (era_node_store_failed(n->node) || era_node_epoch(n->node) > sim_true_epoch(s) + 1)
            restart(s, n);
    }
    sim_tell(s, NULL, "all faults are over");
    return CAST_NEVER;
}

/* ---- the schedule ---- */

static uint64_t amount_of(enum sim_fault kind, struct era_prng *p)
{
    switch (kind) {
    case SIM_FAULT_LATENCY:
        return cast_between(p, 200, 5000);
    case SIM_FAULT_LOSS:
        return cast_between(p, 10000, 300000);
    case SIM_FAULT_DUPLICATION:
    case SIM_FAULT_REORDER:
        return cast_between(p, 20000, 400000);
    case SIM_FAULT_BANDWIDTH:
        return cast_between(p, 2000, 60000);
    default:
        return 0;
    }
}

static uint64_t length_of(enum sim_fault kind, uint64_t epoch_ms, struct era_prng *p)
{
    switch (kind) {
    case SIM_FAULT_CRASH:
    case SIM_FAULT_POWER:
    case SIM_FAULT_TORN:
    case SIM_FAULT_BIT_FLIP:
        return cast_between(p, 200, epoch_ms);
    case SIM_FAULT_ABSENT:
        return cast_between(p, 2 * epoch_ms, 6 * epoch_ms);
    case SIM_FAULT_DRIFT:
    case SIM_FAULT_SKEW:
        return cast_between(p, epoch_ms, 8 * epoch_ms);
    default:
        return cast_between(p, epoch_ms / 4, 3 * epoch_ms);
    }
}

static bool is_mine(enum sim_fault kind)
{
    return kind < SIM_FAULT_BAD_SIGNER || kind == SIM_FAULT_IMPATIENT || kind == SIM_FAULT_ABSENT;
}

static void plan_kind(struct sim *s, enum sim_fault kind, struct era_prng *p)
{
    struct strikes *all = s->cast->strikes;
    uint64_t first = s->plan.epoch_ms / 3, last = s->cast->quiet_ms - s->plan.epoch_ms;
    size_t times = cast_chance(p, OCCURS_PERCENT) ? cast_between(p, 1, 3) : 0;
    for (size_t i = 0; i < times && all->count < STRIKES_MAX; i++) {
        struct strike *k = &all->list[all->count++];
        k->kind = kind;
        k->lasts_ms = length_of(kind, s->plan.epoch_ms, p);
        k->percent = cast_chance(p, 40) ? 100 : (unsigned)cast_between(p, 10, 60);
        k->seed = era_prng_next(p);
        k->amount = amount_of(kind, p);
        struct actor *a = cast_hire(s, act_strike, k, cast_between(p, first, last), sim_fault_name(kind));
        era_prng_init(&a->prng, k->seed);
    }
}

void strike_hire(struct sim *s)
{
    struct strikes *all = s->cast->strikes = cast_alloc(sizeof *all);
    struct era_prng p = sim_stream(s, "strike");
    all->busy = cast_alloc(s->node_count * sizeof *all->busy);
    all->dizzy = cast_alloc(s->node_count * sizeof *all->dizzy);
    if (s->cast->quiet_ms <= 2 * s->plan.epoch_ms)
        return; /* no time for faults */
    for (unsigned kind = 0; kind < SIM_FAULT_KINDS; kind++)
        if (cast_may(s, kind) && is_mine(kind))
            plan_kind(s, kind, &p);
    if (s->plan.faults != 0)
        cast_hire(s, act_quiet, NULL, s->cast->quiet_ms, "quiet");
}

bool strike_take(struct sim *s, size_t node)
{
    struct strikes *all = s->cast->strikes;
    if (all->busy[node])
        return false;
    all->busy[node] = true;
    return true;
}

void strike_release(struct sim *s, size_t node)
{
    s->cast->strikes->busy[node] = false;
}

void strike_free(struct strikes *k)
{
    if (!k)
        return;
    free(k->busy);
    free(k->dizzy);
    free(k);
}
