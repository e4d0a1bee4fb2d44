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
    q->count--;
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

/* Send what is queued while the link has less than limit bytes to write. */
static void queue_flush(struct era_gossip *g, struct era_link *link, struct era_queue *q, uint64_t limit)
{
    struct era_frame_builder frame;
    era_frame_begin(&frame, g->frame_room);
    while (q->count > 0 && link->info.queued_bytes + frame.len < limit) {
        struct era_outgoing item = queue_pop(q);
        struct era_bytes envelope;
        if (!era_set_flows(g, link, item.set) ||
            !g->config.fetch(g->config.ctx, item.set, &item.id, &envelope))
            continue; /* blocked, or withdrawn, since it was queued */
        era_known_put(link->known, &g->key, &item.id);
        if (item.set == ERA_SET_EVENTS)
            link->info.events_out++;
        else
            link->info.statements_out++;
        add_envelope(g, link, &frame, envelope);
    }
    send_gathered(g, link, &frame);
}

static void skip(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    link->info.skipped_out++;
    link->skipped = true;
    era_sync_stir(g, link, set);
}

void era_push_item(struct era_gossip *g, struct era_link *link, const struct era_outgoing *item, size_t bytes)
{
    if (link->closing || link->info.state != ERA_PEER_UP || !era_link_is_active(g, link) ||
        !era_set_flows(g, link, item->set) ||
        era_known_has(link->known, &g->key, &item->id))
        return;
    /* No queue grows without bound: what a slow peer misses, anti-entropy brings. */
    if (!era_link_has_room(link, ERA_LINK_OUT_BYTES_MAX - link->push_bytes) ||
        !queue_put(&link->push, item)) {
        skip(g, link, item->set);
        return;
    }
    era_known_put(link->known, &g->key, &item->id);
    if (link->push.count == 1)
        link->flush_ms = era_add_sat(g->now_ms, ERA_FLUSH_MS);
    link->push_bytes += bytes;
    if (link->push_bytes >= ERA_FRAGMENT_BYTES_MAX)
        era_push_flush(g, link);
}

void era_push_flush(struct era_gossip *g, struct era_link *link)
{
    queue_flush(g, link, &link->push, ERA_LINK_OUT_BYTES_MAX);
    while (link->push.count > 0) {
        struct era_outgoing item = queue_pop(&link->push);
        skip(g, link, item.set);
    }
    link->push_bytes = 0;
    link->flush_ms = ERA_NEVER;
}

void era_serve_item(struct era_link *link, const struct era_outgoing *item)
{
    /* Beyond the bound it is forgotten: the peer's request runs out and is made again. */
    (void)queue_put(&link->serve, item);
}

void era_serve_flush(struct era_gossip *g, struct era_link *link)
{
    queue_flush(g, link, &link->serve, ERA_LINK_BULK_BYTES_MAX);
}
