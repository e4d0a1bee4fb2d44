/* One's own clock, held against what the validators announce (R14: CLOCK). */
#include "src/core/charter.h"
#include "src/node/node_internal.h"

static void tell_clock(struct era_node *n)
{
    const struct era_clock_params *clock = &n->config.charter->clock;
    if (n->clock_word.doubtful)
        node_log(n, ERA_LOG_WARNING,
                 "clock: validators of stake %llu announce epoch %llu (median), this node is at epoch %llu, "
                 "tolerance %llu: no votes, leases, events or activations until they agree; %s",
                 (unsigned long long)n->clock_word.heard_stake, (unsigned long long)n->clock_word.median,
                 (unsigned long long)n->epoch, (unsigned long long)clock->tolerance_epochs,
                 clock->kind == ERA_CLOCK_WALL ? "set this machine's clock"
                                               : "look why the host chain's height differs");
    else
        node_log(n, ERA_LOG_NOTICE, "clock: in step with the validators again, epoch %llu",
                 (unsigned long long)n->epoch);
}

void node_judge_clock(struct era_node *n)
{
    bool before = n->clock_word.doubtful;
    if (!n->clock_dirty && n->now_ms < n->clock_word.recheck_ms)
        return;
    n->clock_dirty = false;
    n->clock_word = era_clock_judge(n->clock, n->epoch, n->now_ms);
    if (n->clock_word.doubtful == before)
        return;
    n->gate_dirty = n->votes_dirty = true;
    tell_clock(n);
}
