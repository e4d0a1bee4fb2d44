#include "p2p/gossip_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- a ring of items ---- */

static bool queue_put(struct era_queue *q, const struct era_outgoing *item)
{
    if (q->count == ERA_LINK_QUEUE_MAX)
        return false;
    if (q->count == q->cap) {
        size_t cap = q->cap == 0 ? 16 : 2 * q->cap;
        struct era_outgoing *ring = malloc(cap * sizeof *ring);
        assert(ring != NULL);
        for (size_t i = 0; i < q->count; i++)
            ring[i] = q->ring[(q->head + i) % q->cap];
        free(q->ring);
        q->ring = ring;
        q->cap = cap;
        q->head = 0;
    }
    q->ring[(q->head + q->count) % q->cap] = *item;
    q->count++;
    return true;
}

static struct era_outgoing queue_pop(struct era_queue *q)
{
    struct era_outgoing item = q->ring[q->head];
    q->head = (q->head + 1) % q->cap;
    if (--q->count == 0)
        era_queue_clear(q);
    return item;
}

void era_queue_clear(struct era_queue *q)
{
    free(q->ring);
    memset(q, 0, sizeof *q);
}

/* ---- items into frames ---- */

static void send_gathered(struct era_gossip *g, struct era_link *link, struct era_frame_builder *frame)
{
    if (frame->len > 0)
        era_link_send(g, link, frame);
    era_frame_begin(frame, g->frame_room);
}

static void send_fragments(struct era_gossip *g, struct era_link *link, struct era_bytes envelope)
{
    assert(envelope.len <= ERA_STATEMENT_BYTES_MAX);
    for (size_t at = 0; at < envelope.len; at += ERA_FRAGMENT_BYTES_MAX) {
        size_t rest = envelope.len - at;
        struct era_frame_fragment fragment = {
            .total_bytes = (uint32_t)envelope.len,
            .offset = (uint32_t)at,
            .data = {envelope.data + at, rest < ERA_FRAGMENT_BYTES_MAX ? rest : ERA_FRAGMENT_BYTES_MAX},
        };
        struct era_frame_builder frame;
        era_frame_begin(&frame, g->frame_room);
        bool fits = era_frame_add_fragment(&frame, &fragment);
        assert(fits);
        era_link_send(g, link, &frame);
    }
}

static void add_envelope(struct era_gossip *g, struct era_link *link, struct era_frame_builder *frame,
                         struct era_bytes envelope)
{
    if (envelope.len > ERA_FRAGMENT_BYTES_MAX) {
        send_gathered(g, link, frame);
        send_fragments(g, link, envelope);
        era_frame_begin(frame, g->frame_room);
    } else if (!era_frame_add_statement(frame, envelope)) {
        send_gathered(g, link, frame);
        bool fits = era_frame_add_statement(frame, envelope);
        assert(fits);
    }
}

/* Send what is queued while the link has less than limit bytes to write; frame: begun, and sent with it. */
static void queue_flush(struct era_gossip *g, struct era_link *link, struct era_queue *q, uint64_t limit,
                        struct era_frame_builder *frame)
{
    while (q->count > 0 && era_link_has_room(g, link, limit - frame->len)) {
        struct era_outgoing item = queue_pop(q);
        struct era_bytes envelope;
        if (!era_set_flows(g, link, item.set) ||
            !g->config.fetch(g->config.ctx, item.set, &item.id, &envelope))
            continue; /* blocked, or withdrawn, since it was queued */
        if (link->branch != NULL)
            era_branch_learn(g->broadcast, link->branch, &item.id);
        if (item.set == ERA_SET_EVENTS)
            link->info.events_out++;
        else
            link->info.statements_out++;
        add_envelope(g, link, frame, envelope);
    }
    send_gathered(g, link, frame);
}

static void skip(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    link->info.skipped_out++;
    link->skipped = true;
    era_sync_stir(g, link, set);
}

void era_push_item(struct era_gossip *g, struct era_link *link, const struct era_outgoing *item, size_t bytes)
{
    if (link->closing || link->info.state != ERA_PEER_UP || !era_set_flows(g, link, item->set))
        return;
    /* No queue grows without bound: what a slow peer misses, anti-entropy brings. */
    if (!era_link_has_room(g, link, ERA_LINK_OUT_BYTES_MAX - link->push_bytes) ||
        !queue_put(&link->push, item)) {
        skip(g, link, item->set);
        return;
    }
    if (link->push.count == 1) { /* alone: at once; in a burst: together with what comes soon */
        uint64_t paced_ms = era_add_sat(link->flushed_ms, link->pace_ms);
        link->flush_ms = paced_ms > g->now_ms ? paced_ms : g->now_ms;
    }
    link->push_bytes += bytes;
    if (link->push_bytes >= ERA_FRAGMENT_BYTES_MAX)
        era_push_flush(g, link);
}

void era_push_tend(struct era_gossip *g)
{
    for (size_t i = 0; i < g->link_count; i++) {
        struct era_link *link = g->links[i];
        bool takes_part = !link->closing && link->info.state == ERA_PEER_UP && era_link_is_active(g, link);
        if (takes_part && link->branch == NULL) {
            link->branch = era_branch_new(g->broadcast, g->now_ms, link->info.link, &link->salt);
            era_branch_set_lazy(g->broadcast, g->now_ms, link->branch, link->info.blocked);
            if (link->peer_alone)
                (void)era_branch_order(g->broadcast, g->now_ms, link->branch, 0, ERA_ORDER_ALL);
            link->peer_alone = false;
        } else if (!takes_part && link->branch != NULL) {
            era_branch_free(g->broadcast, g->now_ms, link->branch);
            link->branch = NULL;
        }
    }
}

bool era_push_spread(struct era_gossip *g, const struct era_outgoing *item, uint64_t from, bool asked)
{
    struct era_bytes bytes;
    struct era_envelope envelope;
    struct era_link *link = era_link_find(g, from);
    struct era_branch *branch = link == NULL ? NULL : link->branch;
    /* What is learned by the hundred is old: the others have it, or learn it the same way. */
    if (asked && link != NULL && (link->requests >= ERA_CATCH_UP || era_sync_of(link, item->set)->taking))
        return false;
    if (!g->config.fetch(g->config.ctx, item->set, &item->id, &bytes) ||
        era_envelope_decode(bytes, &envelope) != ERA_ACCEPTED)
        return false;
    const struct era_key *origin = era_kind_is_carrier(envelope.kind) ? NULL : &envelope.key;
    enum era_source source = from == 0 ? ERA_SOURCE_OWN : asked ? ERA_SOURCE_ASKED : ERA_SOURCE_PUSH;
    const struct era_recent *recent =
        era_broadcast_publish(g->broadcast, g->now_ms, &item->id, item->set, origin, branch, source);
    for (size_t i = 0; i < g->link_count; i++) {
        struct era_link *to = g->links[i];
        if (!to->closing && to->branch != NULL && era_set_flows(g, to, item->set) &&
            era_branch_route(g->broadcast, g->now_ms, to->branch, recent))
            era_push_item(g, to, item, bytes.len);
    }
    return true;
}

/* Frames grow with the load: two items in one, or two frames within the longest pace, slow it; a pause ends
 * it. */
static void adapt_pace(const struct era_gossip *g, struct era_link *link, size_t items)
{
    uint64_t since_ms = g->now_ms - link->flushed_ms;
    if (items > 1 || since_ms <= ERA_FLUSH_MAX_MS)
        link->pace_ms = 2 * link->pace_ms + 1;
    else
        link->pace_ms = since_ms > (uint64_t)2 * ERA_FLUSH_MAX_MS ? 0 : link->pace_ms / 2;
    if (link->pace_ms > ERA_FLUSH_MAX_MS)
        link->pace_ms = ERA_FLUSH_MAX_MS;
    link->flushed_ms = g->now_ms;
}

/* Announcements and orders that are due, or will be soon. */
static void gather_spread(struct era_gossip *g, struct era_link *link, struct era_frame_builder *frame)
{
    struct era_frame_spread spread = {{g->spread_room[0], 0}, {g->spread_room[1], 0}};
    spread.announced.len =
        ERA_SPREAD_ENTRY_BYTES * era_branch_take_announcements(g->broadcast, g->now_ms, link->branch,
                                                               g->spread_room[0], ERA_SPREAD_ENTRIES_MAX);
    spread.orders.len = ERA_SPREAD_ENTRY_BYTES *
                        era_branch_take_orders(link->branch, g->spread_room[1], ERA_SPREAD_ENTRIES_MAX - 1);
    if (era_branch_take_descent(g->broadcast, g->now_ms, link->branch,
                                spread.announced.len + spread.orders.len > 0,
                                g->spread_room[1] + spread.orders.len))
        spread.orders.len += ERA_SPREAD_ENTRY_BYTES;
    if (spread.announced.len + spread.orders.len == 0)
        return;
    if (!era_link_has_room(g, link, ERA_LINK_OUT_BYTES_MAX)) {
        skip(g, link, ERA_SET_STATEMENTS);
        era_sync_stir(g, link, ERA_SET_EVENTS);
        return;
    }
    bool fits = era_frame_add_spread(frame, &spread);
    assert(fits);
}

static void flush_items(struct era_gossip *g, struct era_link *link, struct era_frame_builder *frame)
{
    adapt_pace(g, link, link->push.count);
    queue_flush(g, link, &link->push, ERA_LINK_OUT_BYTES_MAX, frame);
    while (link->push.count > 0) {
        struct era_outgoing item = queue_pop(&link->push);
        skip(g, link, item.set);
    }
    link->push_bytes = 0;
    link->flush_ms = ERA_NEVER;
}

/* What is said of items rides with items: a packet of its own costs more than its bytes. */
void era_push_flush(struct era_gossip *g, struct era_link *link)
{
    struct era_frame_builder frame;
    era_frame_begin(&frame, g->frame_room);
    if (link->branch != NULL && era_branch_due_ms(link->branch) != ERA_NEVER)
        gather_spread(g, link, &frame);
    if (link->push.count > 0)
        flush_items(g, link, &frame);
    else
        send_gathered(g, link, &frame);
}

uint64_t era_push_due_ms(const struct era_link *link)
{
    uint64_t of_branch = link->branch == NULL ? ERA_NEVER : era_branch_due_ms(link->branch);
    return of_branch < link->flush_ms ? of_branch : link->flush_ms;
}

static size_t serving(const struct era_gossip *g)
{
    size_t sum = 0;
    for (size_t i = 0; i < g->link_count; i++)
        sum += g->links[i]->serve.count;
    return sum;
}

void era_serve_item(const struct era_gossip *g, struct era_link *link, const struct era_outgoing *item)
{
    /* Beyond the bounds it is forgotten: the peer's request runs out and is made again. */
    size_t count = link->serve.count;
    if (count > 0 && count % ERA_LINK_SERVING_KEPT == 0 && serving(g) >= ERA_SERVING_ITEMS_MAX)
        return;
    (void)queue_put(&link->serve, item);
}

void era_serve_flush(struct era_gossip *g, struct era_link *link)
{
    struct era_frame_builder frame;
    era_frame_begin(&frame, g->frame_room);
    queue_flush(g, link, &link->serve, ERA_LINK_BULK_BYTES_MAX, &frame);
}
