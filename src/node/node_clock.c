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

/* Where this node can be dialled: said anew every so often, so that peers forget it a day after it is gone.
 * By whatever this machine's clock says: there is no other. */
static void renew_place(struct era_node *n)
{
    uint64_t made_ms = n->place_made_ms, wall_ms = n->wall_ms;
    uint64_t apart_ms = wall_ms > made_ms ? wall_ms - made_ms : made_ms - wall_ms;
    if (n->config.place.len == 0 || (n->place_told && apart_ms < ERA_RECORD_RENEW_MS))
        return;
    n->place_told = true;
    n->place_made_ms = wall_ms;
    struct era_peer_record record =
        era_author_peer_record(&n->config.network, &n->config.place, wall_ms, n->config.node_secret);
    era_gossip_set_record(n->gossip, &record);
}

void node_tell_wall(struct era_node *n)
{
    /* Of a height the validators' doubt says nothing about this machine's clock. */
    bool doubtful = n->config.charter->clock.kind == ERA_CLOCK_WALL && n->clock_word.doubtful;
    era_gossip_set_wall(n->gossip, doubtful ? 0 : n->wall_ms);
    renew_place(n);
}
