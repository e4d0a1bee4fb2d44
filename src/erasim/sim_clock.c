/* Clocks: what a node's machine believes, as a function of the true time. */
#include "src/erasim/parts.h"

#define MILLION 1000000

/* ms that a clock of drift_ppm is ahead after `since` ms; |drift_ppm| at most a million. */
static int64_t drifted(uint64_t since, int64_t drift_ppm)
{
    int64_t ms = since > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)since;
    if (drift_ppm > MILLION)
        drift_ppm = MILLION;
    if (drift_ppm < -MILLION)
        drift_ppm = -MILLION;
    return ms / MILLION * drift_ppm + ms % MILLION * drift_ppm / MILLION;
}

/* base + off, within 0 … UINT64_MAX (I15). */
static uint64_t moved(uint64_t base, int64_t off)
{
    if (off >= 0)
        return era_add_sat(base, (uint64_t)off);
    uint64_t back = 0 - (uint64_t)off;
    return base > back ? base - back : 0;
}

uint64_t sim_wall_ms(const struct sim *s, const struct sim_node *n)
{
    const struct sim_clock *c = &n->clock;
    if (c->jumped)
        return era_add_sat(c->jumped_to_ms, s->now_ms - c->jumped_at_ms);
    uint64_t wall = era_add_sat(s->genesis_ms, s->now_ms);
    return moved(moved(wall, drifted(s->now_ms, c->drift_ppm)), c->skew_ms);
}

void sim_clock_skew(struct sim *s, struct sim_node *n, int64_t skew_ms)
{
    n->clock.skew_ms = skew_ms;
    sim_strike(s, SIM_FAULT_SKEW, n, "%lld ms", (long long)skew_ms);
}

void sim_clock_drift(struct sim *s, struct sim_node *n, int64_t drift_ppm)
{
    n->clock.drift_ppm = drift_ppm;
    sim_strike(s, SIM_FAULT_DRIFT, n, "%lld ppm", (long long)drift_ppm);
}

void sim_clock_jump(struct sim *s, struct sim_node *n, uint64_t to_unix_ms)
{
    n->clock.jumped = true;
    n->clock.jumped_to_ms = to_unix_ms;
    n->clock.jumped_at_ms = s->now_ms;
    sim_strike(s, SIM_FAULT_JUMP, n, "to %llu ms", (unsigned long long)to_unix_ms);
}

void sim_clock_mend(struct sim *s, struct sim_node *n)
{
    n->clock = (struct sim_clock){0};
    sim_tell(s, n, "clock mended");
}
