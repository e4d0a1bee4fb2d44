/* The plan of a random run: all of it from the seed. */
#include "src/erasim/people.h"

#define EPOCH_MS     60000
#define QUIET_EPOCHS 6

/* Most networks are small: ten thousand seeds must be affordable. */
static size_t how_many_nodes(struct era_prng *p)
{
    uint64_t draw = era_prng_below(p, 100);
    if (draw < 85)
        return cast_between(p, CAST_NODES_MIN, 9);
    if (draw < 97)
        return cast_between(p, 10, 15);
    if (draw < 99)
        return cast_between(p, 16, 28);
    return cast_between(p, 29, CAST_NODES_MAX);
}

struct sim_plan sim_plan_from_seed(uint64_t seed, size_t nodes, uint64_t epochs, sim_faults_t faults)
{
    struct era_prng p;
    era_prng_init(&p, seed);
    struct sim_plan plan = {.seed = seed,
                            .epoch_ms = EPOCH_MS,
                            .neighbours = ERA_OVERLAY_TARGET_DEFAULT,
                            .quiet_epochs = QUIET_EPOCHS,
                            .bounded = true};
    size_t drawn = how_many_nodes(&p);
    uint64_t length = cast_between(&p, 16, 22) + QUIET_EPOCHS;
    plan.nodes = nodes ? nodes : drawn;
    plan.epochs = epochs ? epochs : length;
    size_t most = plan.nodes < CAST_VALIDATORS_MAX ? plan.nodes : CAST_VALIDATORS_MAX;
    size_t least = most < CAST_VALIDATORS_MIN ? most : CAST_VALIDATORS_MIN;
    uint64_t a = cast_between(&p, least, most), b = cast_between(&p, least, most);
    plan.validators = a < b ? a : b;
    plan.strict = cast_chance(&p, 50);
    plan.link_ms = cast_between(&p, 20, 200);
    plan.faults = faults;
    return plan;
}
