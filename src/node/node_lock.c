/* The lock of the signing key (protocol §9). A store may have been restored
 * from a backup or cloned: what this key said meanwhile is then known to
 * others only. So at every start the key stays locked until the node has
 * learned what every anchor it can reach holds; and when a word of its own
 * comes from outside that the store lacks, it locks until the operator's word
 * or the next charter. This lowers a risk and removes none. */
#include "src/node/node_internal.h"

bool node_locked(const struct era_node *n, const char **why)
{
    const char *ignored;
    if (!why)
        why = &ignored;
    switch (n->lock) {
    case ERA_LOCK_NONE:
        return false;
    case ERA_LOCK_STARTING:
        *why = "this node has not yet compared what it holds with its peers since it started";
        return true;
    case ERA_LOCK_MISSING:
        *why =
            "others hold a statement of this key that this node's store lacks: the store is an old one, or "
            "the key is used elsewhere";
        return true;
    }
    return true;
}

static void unlock(struct era_node *n)
{
    n->lock = ERA_LOCK_NONE;
    n->votes_dirty = n->gate_dirty = true;
}

/* One complete reconciliation with every anchor that can be reached, at least one. Without anchors: with any
 * peer, when there ever was one; else at once. */
void node_judge_lock(struct era_node *n)
{
    size_t reachable, reconciled;
    if (n->lock != ERA_LOCK_STARTING)
        return;
    if (!n->config.secret) {
        n->lock = ERA_LOCK_NONE;
        return;
    }
    size_t anchors = era_gossip_anchor_state(n->gossip, &reachable, &reconciled);
    bool known;
    if (anchors > 0)
        known = reconciled >= 1 && reconciled >= reachable;
    else
        known = !n->met || era_gossip_complete_rounds(n->gossip) > 0;
    if (!known)
        return;
    unlock(n);
    if (anchors > 0 || n->met)
        node_log(n, ERA_LOG_NOTICE, "keys: unlocked, what %zu of %zu configured peers hold is known",
                 reconciled, anchors);
}

/* From now on a start waits for peers: there are some. */
void node_met_peer(struct era_node *n)
{
    static const uint8_t yes[1] = {1};
    if (n->met)
        return;
    n->met = true;
    node_put_alone(n, era_record_meta(ERA_META_MET), (struct era_bytes){yes, sizeof yes});
}

void node_own_word_missing(struct era_node *n, uint32_t kind)
{
    static const uint8_t yes[1] = {1};
    if (n->lock == ERA_LOCK_MISSING)
        return;
    n->lock = ERA_LOCK_MISSING;
    node_put_alone(n, era_record_meta(ERA_META_KEY_LOCKED), (struct era_bytes){yes, sizeof yes});
    node_log(
        n, ERA_LOG_ERROR,
        "keys: locked: a %s signed by this node's key came from a peer, and this store lacks it: the store "
        "was set back, or the key is used elsewhere; when the store is known to be the newest, run "
        "`eractl unlock`",
        era_kind_name(kind));
}

void node_relock(struct era_node *n)
{
    node_put_alone(n, era_record_meta(ERA_META_KEY_LOCKED), (struct era_bytes){0});
    n->lock = ERA_LOCK_STARTING;
    node_judge_lock(n);
}

void node_request_unlock(struct era_node *n, const struct era_command *r)
{
    if (n->lock == ERA_LOCK_MISSING)
        node_put_alone(n, era_record_meta(ERA_META_KEY_LOCKED), (struct era_bytes){0});
    if (n->config.secret)
        unlock(n);
    node_reply(
        n, &(struct era_reply){.request = r->id, .verdict = n->config.secret ? ERA_ACCEPTED : ERA_NO_KEY});
}
