#include "p2p/gossip_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct era_link *era_link_find(const struct era_gossip *g, uint64_t link)
{
    for (size_t i = 0; i < g->link_count; i++)
        if (g->links[i]->info.link == link)
            return g->links[i]->closing ? NULL : g->links[i];
    return NULL;
}

static void emit_frame(struct era_gossip *g, uint64_t link, struct era_bytes frame)
{
    struct era_bytes kept = era_actions_keep(&g->actions, frame);
    era_actions_add(&g->actions, ERA_GOSSIP_SEND, link)->bytes = kept;
}

static void emit_close(struct era_gossip *g, uint64_t link, enum era_verdict why, const char *address)
{
    struct era_gossip_action *a = era_actions_add(&g->actions, ERA_GOSSIP_CLOSE, link);
    a->verdict = why;
    g->totals.closed[why]++;
    era_text_set(a->address, sizeof a->address, address);
}

/* Of a link that was up, PEER_DOWN tells. */
static const char *never_up_address(const struct era_link *link)
{
    return link->info.state == ERA_PEER_UP ? "" : link->info.address;
}

void era_link_send(struct era_gossip *g, struct era_link *link, const struct era_frame_builder *frame)
{
    struct era_bytes bytes = era_frame_bytes(frame);
    if (link->closing)
        return;
    if (link->info.queued_bytes == 0)
        link->drained_ms = g->now_ms;
    link->info.queued_bytes += bytes.len;
    g->queued_bytes += bytes.len;
    link->info.frames_out++;
    link->info.bytes_out += bytes.len;
    emit_frame(g, link->info.link, bytes);
}

bool era_link_has_room(const struct era_gossip *g, const struct era_link *link, uint64_t limit)
{
    uint64_t queued = link->info.queued_bytes, kept = link->branch != NULL ? ERA_LINK_OUT_BYTES_KEPT : 1;
    return queued < limit && (queued < kept || g->queued_bytes < ERA_LINKS_OUT_BYTES_MAX);
}

static void refusal_build(struct era_gossip *g, struct era_frame_builder *frame, enum era_verdict why)
{
    era_frame_begin(frame, g->frame_room);
    bool fits = era_frame_add_refusal(frame, why, era_verdict_text(why));
    assert(fits);
}

/* Trouble that a quick second dial would only repeat. */
static bool waits_long(enum era_verdict why)
{
    return why != ERA_ACCEPTED && why != ERA_DUPLICATE && why != ERA_TOO_MANY_LINKS && why != ERA_TIMEOUT &&
           why != ERA_NOT_AUTHENTIC && why != ERA_SELF_LINK;
}

static struct era_gossip_action *tell_peer(struct era_gossip *g, enum era_gossip_action_kind kind,
                                           const struct era_link *link)
{
    struct era_gossip_action *a = era_actions_add(&g->actions, kind, link->info.link);
    era_text_set(a->address, sizeof a->address, link->info.address);
    return a;
}

void era_link_leave(struct era_gossip *g, struct era_link *link, enum era_verdict why)
{
    era_gossip_stir(g);
    link->closing = true;
    g->queued_bytes -= link->info.queued_bytes;
    link->info.queued_bytes = 0;
    if (link->info.state == ERA_PEER_UP)
        tell_peer(g, ERA_GOSSIP_PEER_DOWN, link)->verdict = why;
    era_idtable_remove_link(g->requests, link->info.link);
    era_stuck_left(g, link);
    era_ties_down(g, link, why);
    era_anchor_lost(g, link, waits_long(why));
}

void era_link_close(struct era_gossip *g, struct era_link *link, enum era_verdict why)
{
    if (link->closing)
        return;
    struct era_frame_builder frame;
    refusal_build(g, &frame, why);
    era_link_send(g, link, &frame);
    emit_close(g, link->info.link, why, never_up_address(link));
    era_link_leave(g, link, why);
}

void era_link_refused(struct era_gossip *g, struct era_link *link, uint32_t why)
{
    /* The number comes from outside, perhaps from a newer version. */
    enum era_verdict verdict =
        why > ERA_ACCEPTED && why < ERA_VERDICT_COUNT ? (enum era_verdict)why : ERA_UNEXPECTED;
    emit_close(g, link->info.link, verdict, never_up_address(link));
    era_link_leave(g, link, verdict);
}

static void link_free(struct era_gossip *g, struct era_link *link)
{
    era_sync_release(g, link);
    era_branch_free(g->broadcast, g->now_ms, link->branch);
    era_queue_clear(&link->push);
    era_queue_clear(&link->serve);
    era_reassembly_clear(&link->partial);
    free(link);
}

void era_links_reap(struct era_gossip *g)
{
    size_t kept = 0;
    for (size_t i = 0; i < g->link_count; i++) {
        if (g->links[i]->closing)
            link_free(g, g->links[i]);
        else
            g->links[kept++] = g->links[i];
    }
    g->link_count = kept;
}

/* ---- opening ---- */

/* A public address belongs to a prefix. */
static bool place_of(const char *address, struct era_place *place)
{
    return era_place_parse(address, place) && era_place_class(place) == ERA_PLACE_PUBLIC;
}

/* Links accepted from an address, and from its group. */
static size_t count_near(const struct era_gossip *g, const char *address, const uint64_t *group, size_t *near)
{
    char host[ERA_ADDRESS_BYTES_MAX + 1], other[ERA_ADDRESS_BYTES_MAX + 1];
    era_address_host(address, host);
    size_t same = *near = 0;
    for (size_t i = 0; i < g->link_count; i++) {
        const struct era_link *l = g->links[i];
        era_address_host(l->info.address, other);
        same += !l->info.outgoing && strcmp(host, other) == 0;
        *near += !l->info.outgoing && group != NULL && l->has_group && l->group == *group;
    }
    return same;
}

/* Strangers must not fill the places that the operator's own peers need. */
static bool has_place(const struct era_gossip *g, bool outgoing)
{
    size_t awaited = 0;
    for (size_t i = 0; i < g->anchor_count && !outgoing; i++)
        if (g->anchors[i].state != ERA_ANCHOR_LINKED && !era_anchor_is_self(&g->anchors[i]))
            awaited++;
    return g->link_count + awaited < ERA_LINKS_MAX;
}

/* A host that has its share gets no more; a prefix that has, only in the place of one of its own. */
static bool place_make(struct era_gossip *g, bool outgoing, const char *address)
{
    struct era_place place;
    bool has_group = place_of(address, &place);
    uint64_t group = has_group ? era_place_group(&g->key, &place) : 0;
    size_t near, same = count_near(g, address, has_group ? &group : NULL, &near);
    if (!outgoing && same >= ERA_LINKS_PER_ADDRESS_MAX)
        return false;
    if (!outgoing && near >= ERA_LINKS_PER_GROUP_MAX && !era_ties_make_room(g, &place))
        return false;
    return has_place(g, outgoing) || era_ties_make_room(g, NULL);
}

static void hello_send(struct era_gossip *g, struct era_link *link)
{
    struct era_frame_hello hello = {
        .protocol_min = g->config.protocol_min,
        .protocol_max = g->config.protocol_max,
        .network = g->config.network,
        .node = g->config.node,
        .versions = g->config.versions,
        .blocked = g->blocked,
    };
    struct era_siphash_key salt = era_broadcast_salt(g->broadcast);
    memcpy(hello.salt, salt.b, sizeof hello.salt);
    hello.alone = era_broadcast_is_alone(g->broadcast);
    era_text_set(hello.listen, sizeof hello.listen, g->config.listen);
    era_text_set(hello.agent, sizeof hello.agent, g->config.agent);
    era_sync_salt(g, link->info.link, hello.sync_salt);
    memcpy(link->sync_salt[!link->info.outgoing], hello.sync_salt, sizeof hello.sync_salt);
    struct era_frame_builder frame;
    era_frame_begin(&frame, g->frame_room);
    bool fits = era_frame_add_hello(&frame, &hello);
    assert(fits);
    era_link_send(g, link, &frame);
}

/* No state is made for a link that has no place. */
static void turn_away(struct era_gossip *g, uint64_t link, const char *address, enum era_verdict why)
{
    struct era_frame_builder frame;
    refusal_build(g, &frame, why);
    emit_frame(g, link, era_frame_bytes(&frame));
    emit_close(g, link, why, address);
}

/* May a stream become a link? */
static enum era_verdict admit(struct era_gossip *g, bool outgoing, const char *address)
{
    if (!outgoing && !era_host_may_link(g, address))
        return ERA_RATE_LIMITED;
    if (!outgoing && era_host_is_banned(g, address))
        return ERA_TOO_MANY_LINKS; /* why is not told */
    return place_make(g, outgoing, address) ? ERA_ACCEPTED : ERA_TOO_MANY_LINKS;
}

void era_gossip_link_up(struct era_gossip *g, uint64_t now_ms, uint64_t link, bool outgoing,
                        const char *address, const uint8_t proven[ERA_KEY_BYTES])
{
    era_gossip_advance(g, now_ms);
    era_gossip_stir(g);
    assert(link != 0 && era_link_find(g, link) == NULL);
    enum era_verdict verdict = admit(g, outgoing, address);
    if (verdict != ERA_ACCEPTED) {
        turn_away(g, link, address, verdict);
        if (outgoing)
            era_gossip_dial_failed(g, now_ms, address);
        return;
    }
    struct era_link *l = calloc(1, sizeof *l);
    assert(l != NULL);
    l->info.link = link;
    l->info.outgoing = outgoing;
    l->info.state = ERA_PEER_HANDSHAKE;
    era_text_set(l->info.address, sizeof l->info.address, address);
    memcpy(l->proven, proven, sizeof l->proven);
    l->info.last_heard_ms = l->opened_ms = l->drained_ms = l->score_ms = g->now_ms;
    era_defence_begin(g, l);
    l->flush_ms = ERA_NEVER;
    struct era_place place;
    l->has_group = place_of(address, &place);
    l->group = l->has_group ? era_place_group(&g->key, &place) : 0;
    g->links[g->link_count++] = l;
    if (outgoing)
        era_stuck_dialled(g, l);
    if (outgoing && l->beside == 0)
        era_anchor_linked(g, address, link);
    hello_send(g, l);
}

void era_gossip_link_down(struct era_gossip *g, uint64_t now_ms, uint64_t link, enum era_verdict why)
{
    era_gossip_advance(g, now_ms);
    struct era_link *l = era_link_find(g, link);
    if (l == NULL)
        return;
    era_link_broke(g, l, why);
    era_ties_pump(g);
    era_links_reap(g);
}

/* ---- hello ---- */

/* A node key is a name; whoever bears it must hold its secret half. */
static bool is_proven(const struct era_gossip *g, const struct era_link *link, const struct era_key *node)
{
    return g->config.proves != NULL ? g->config.proves(link->proven, node)
                                    : memcmp(link->proven, node->b, ERA_KEY_BYTES) == 0;
}

static enum era_verdict hello_check(const struct era_gossip *g, const struct era_link *link,
                                    const struct era_frame_hello *hello)
{
    if (!era_hash_eq(&hello->network, &g->config.network))
        return ERA_WRONG_NETWORK;
    if (hello->protocol_min > g->config.protocol_max || hello->protocol_max < g->config.protocol_min ||
        hello->protocol_min > hello->protocol_max)
        return ERA_NO_COMMON_PROTOCOL;
    if (!is_proven(g, link, &hello->node))
        return ERA_UNPROVEN_KEY;
    if (era_key_eq(&hello->node, &g->config.node))
        return ERA_SELF_LINK;
    if (era_key_is_banned(g, &hello->node) &&
        era_anchor_of_link((struct era_gossip *)(uintptr_t)g, link->info.link) == NULL)
        return ERA_TOO_MANY_LINKS; /* what a host that is banned hears */
    return ERA_ACCEPTED;
}

static bool is_another(const struct era_link *link, const struct era_link *other)
{
    return !other->closing && other->info.state == ERA_PEER_UP &&
           era_key_eq(&other->info.node, &link->info.node);
}

/* Of two links to one node both ends keep the one dialled by the smaller key.
 * When one end dialled both, it alone decides, for the older: ages may look
 * different from the other end, and each could close the one the other keeps.
 * If it does not, it knows nothing of the older, or wants more than its due: after
 * ERA_SPARE_MS, or at once when there is a third, the newest alone is kept.
 * Returns the link to close, NULL for none. */
static struct era_link *second_link(struct era_gossip *g, struct era_link *newer)
{
    bool ours_is_smaller = memcmp(g->config.node.b, newer->info.node.b, ERA_KEY_BYTES) < 0;
    struct era_link *before = NULL;
    for (size_t i = 0; i < g->link_count; i++) {
        struct era_link *older = g->links[i];
        if (older == newer || !is_another(newer, older))
            continue;
        if (older->info.outgoing != newer->info.outgoing)
            return older->info.outgoing == ours_is_smaller ? newer : older;
        if (newer->info.outgoing)
            return newer;
        if (before != NULL)
            return before;
        before = older;
        newer->spare_ms = era_add_sat(g->now_ms, ERA_SPARE_MS);
    }
    return NULL;
}

static void peer_up(struct era_gossip *g, struct era_link *link, const struct era_frame_hello *hello)
{
    link->info.state = ERA_PEER_UP;
    link->info.up_since_ms = g->now_ms;
    memcpy(link->salt.b, hello->salt, sizeof link->salt.b);
    link->peer_alone = hello->alone;
    tell_peer(g, ERA_GOSSIP_PEER_UP, link);
    era_ties_up(g, link);
    era_push_tend(g);
    era_sync_start(g, link);
}

void era_link_hello(struct era_gossip *g, struct era_link *link, const struct era_frame_hello *hello)
{
    if (link->info.state != ERA_PEER_HANDSHAKE) {
        era_link_charge(g, link, ERA_UNEXPECTED);
        return;
    }
    enum era_verdict verdict = hello_check(g, link, hello);
    if (era_stuck_is_other(g, link, &hello->node) && verdict == ERA_ACCEPTED)
        verdict = ERA_OTHER_KEY;
    struct era_anchor *anchor = era_anchor_of_link(g, link->info.link);
    if (anchor != NULL) {
        anchor->selves = verdict == ERA_SELF_LINK ? anchor->selves + 1 : 0;
        anchor->has_node = anchor->pinned;
        if (verdict == ERA_ACCEPTED && !era_anchor_answered(anchor, &hello->node))
            verdict = ERA_OTHER_KEY;
        if (verdict == ERA_ACCEPTED)
            anchor->found = link->found;
    }
    if (verdict != ERA_ACCEPTED) {
        era_link_close(g, link, verdict);
        return;
    }
    struct era_peer_info *info = &link->info;
    info->node = hello->node;
    info->versions = hello->versions;
    info->blocked = hello->blocked;
    memcpy(link->sync_salt[info->outgoing], hello->sync_salt, sizeof hello->sync_salt);
    info->protocol =
        hello->protocol_max < g->config.protocol_max ? hello->protocol_max : g->config.protocol_max;
    era_text_set(info->listen, sizeof info->listen, hello->listen);
    era_text_set(info->agent, sizeof info->agent, hello->agent);
    era_stuck_replace(g, link);
    struct era_link *spare = second_link(g, link);
    if (spare != link)
        peer_up(g, link, hello);
    era_ties_anchors(g);
    era_anchors_reconciled(g); /* the anchor may lead to a node that was linked before */
    if (spare != NULL)
        era_link_close(g, spare, ERA_DUPLICATE);
}

/* ---- time ---- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When a silent, or stuck, link is given up. */
static uint64_t patience_ms(const struct era_link *link)
{
    if (link->info.state == ERA_PEER_HANDSHAKE)
        return era_add_sat(link->opened_ms, ERA_HANDSHAKE_MS);
    uint64_t end = era_add_sat(link->info.last_heard_ms, ERA_LINK_IDLE_MS);
    return link->info.queued_bytes == 0 ? end : earlier(end, era_add_sat(link->drained_ms, ERA_LINK_IDLE_MS));
}

static void close_older(struct era_gossip *g, struct era_link *link)
{
    link->spare_ms = 0;
    for (size_t i = 0; g->links[i] != link; i++)
        if (is_another(link, g->links[i]) && !g->links[i]->info.outgoing)
            era_link_close(g, g->links[i], ERA_DUPLICATE);
}

void era_link_tick(struct era_gossip *g, struct era_link *link)
{
    if (link->closing)
        return;
    if (link->spare_ms != 0 && era_gossip_is_due(g, link->spare_ms))
        close_older(g, link);
    if (era_gossip_is_due(g, patience_ms(link))) {
        era_link_close(g, link, ERA_TIMEOUT);
        return;
    }
    if (link->info.state != ERA_PEER_UP)
        return;
    era_stuck_tick(g, link);
    if (link->branch != NULL && era_branch_take_silence(link->branch) > 0)
        era_link_silent(g, link); /* once for all that it announced and kept */
    if (link->branch != NULL && era_branch_take_stir(link->branch)) {
        era_sync_stir(g, link, ERA_SET_STATEMENTS);
        era_sync_stir(g, link, ERA_SET_EVENTS);
    }
    if (!link->closing)
        era_sync_tick(g, link);
}

uint64_t era_link_deadline_ms(const struct era_gossip *g, const struct era_link *link)
{
    uint64_t deadline = patience_ms(link);
    if (link->info.state != ERA_PEER_UP)
        return deadline;
    deadline = earlier(deadline, earlier(era_push_due_ms(link), era_stuck_due_ms(link)));
    if (link->spare_ms != 0)
        deadline = earlier(deadline, link->spare_ms);
    for (size_t i = 0; i < ERA_SETS; i++) {
        const struct era_sync *sync = &link->sync[i];
        if (era_set_flows(g, link, (enum era_set)(i + 1)))
            deadline = earlier(deadline, sync->next_ms);
        if (sync->answering)
            deadline = earlier(deadline, era_add_sat(sync->peer_heard_ms, ERA_SYNC_STALL_MS));
    }
    return deadline;
}
