#include "p2p/gossip_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void era_reassembly_clear(struct era_reassembly *partial)
{
    free(partial->data);
    memset(partial, 0, sizeof *partial);
}

static void take_envelope(struct era_gossip *g, struct era_link *link, struct era_bytes bytes)
{
    struct era_opened opened;
    bytes = era_actions_keep(&g->actions, bytes);
    enum era_verdict verdict = era_envelope_open(&g->config.network, bytes, &opened);
    if (verdict != ERA_ACCEPTED) {
        era_link_charge(g, link, verdict);
        return;
    }
    if (opened.envelope.kind == ERA_KIND_EVENT) {
        link->info.events_in++;
        if (!era_set_flows(g, link, ERA_SET_EVENTS))
            return; /* R15: blocked, we process none; a blocked peer sends none */
    } else {
        link->info.statements_in++;
    }
    if (link->branch != NULL && !era_kind_is_carrier(opened.envelope.kind))
        era_broadcast_arrived(g->broadcast, g->now_ms, link->branch, &opened.item);
    era_actions_add(&g->actions, ERA_GOSSIP_DELIVER, link->info.link)->opened = opened;
}

/* Whoever began a statement and went on least recently gives way. */
static void make_room(struct era_gossip *g, const struct era_link *link, size_t bytes)
{
    for (;;) {
        struct era_link *out = NULL;
        size_t sum = bytes;
        for (size_t i = 0; i < g->link_count; i++) {
            struct era_link *l = g->links[i];
            sum += l->partial.cap;
            if (l != link && l->partial.cap > 0 &&
                (out == NULL || l->partial.heard_ms < out->partial.heard_ms))
                out = l;
        }
        if (sum <= ERA_PARTIALS_BYTES_MAX || out == NULL)
            return;
        era_reassembly_clear(&out->partial);
        out->partial.lost = true;
    }
}

/* Fragments of one statement come in order and on end. Memory grows with what
 * has arrived, not with what is claimed. */
static void take_fragment(struct era_gossip *g, struct era_link *link, const struct era_frame_fragment *f)
{
    struct era_reassembly *p = &link->partial;
    if (p->lost && f->offset > 0)
        return;
    p->lost = false;
    p->heard_ms = g->now_ms;
    if (f->offset != p->have || (p->have > 0 && f->total_bytes != p->total)) {
        era_reassembly_clear(p);
        era_link_charge(g, link, ERA_UNEXPECTED);
        return;
    }
    size_t need = p->have + f->data.len;
    if (need > p->cap) {
        size_t cap = 2 * need < f->total_bytes ? 2 * need : f->total_bytes;
        make_room(g, link, cap - p->cap);
        p->cap = cap;
        p->data = realloc(p->data, p->cap);
        assert(p->data != NULL);
    }
    memcpy(p->data + p->have, f->data.data, f->data.len);
    p->have = need;
    p->total = f->total_bytes;
    if (p->have < p->total)
        return;
    struct era_reassembly whole = *p;
    memset(p, 0, sizeof *p);
    take_envelope(g, link, (struct era_bytes){whole.data, whole.total});
    era_reassembly_clear(&whole);
}

static void take_statement(struct era_gossip *g, struct era_link *link, struct era_bytes envelope)
{
    if (link->partial.have > 0) {
        era_reassembly_clear(&link->partial);
        era_link_charge(g, link, ERA_UNEXPECTED);
    }
    take_envelope(g, link, envelope);
}

static void take_status(struct era_gossip *g, struct era_link *link, const struct era_frame_status *status)
{
    bool freed = link->info.blocked && !status->blocked;
    link->info.blocked = status->blocked;
    era_ties_blocked(g, link);
    if (status->has_versions)
        link->info.versions = status->versions;
    if (link->branch != NULL)
        era_branch_set_lazy(g->broadcast, g->now_ms, link->branch, status->blocked);
    if (freed)
        era_sync_flows_again(g, link, ERA_SET_EVENTS);
}

/* Of a newer version (M11), or made up: worth nothing, and shown. */
static void count_unknown(struct era_gossip *g, struct era_link *link, size_t count)
{
    link->info.unknown_parts_in += count;
    g->totals.unknown_parts_in += count;
}

static bool is_of_unknown_set(const struct era_frame_part *part)
{
    return (part->kind == ERA_FRAME_DIGEST && !era_set_is_known(part->u.digest.set)) ||
           (part->kind == ERA_FRAME_CELLS && !era_set_is_known(part->u.cells.set)) ||
           (part->kind == ERA_FRAME_ASK && !era_set_is_known(part->u.ask.set));
}

static bool is_known_order(unsigned order)
{
    return (order >= ERA_ORDER_WANT && order <= ERA_ORDER_ALL) || (order & ERA_ORDER_DESCENT) != 0;
}

static uint64_t entry_id(struct era_bytes entries, size_t at)
{
    return era_get_be64(entries.data + at);
}

static void take_spread(struct era_gossip *g, struct era_link *link, const struct era_frame_spread *spread)
{
    struct era_bytes said = spread->announced, orders = spread->orders;
    for (size_t at = 0; at < orders.len; at += ERA_SPREAD_ENTRY_BYTES)
        count_unknown(g, link, !is_known_order(orders.data[at + 8]));
    if (link->branch == NULL)
        return; /* no neighbour of ours, or no more */
    for (size_t at = 0; at < said.len; at += ERA_SPREAD_ENTRY_BYTES)
        era_branch_announced(g->broadcast, g->now_ms, link->branch, entry_id(said, at), said.data[at + 8]);
    for (size_t at = 0; at < orders.len; at += ERA_SPREAD_ENTRY_BYTES) {
        const struct era_recent *item = era_branch_order(g->broadcast, g->now_ms, link->branch,
                                                         entry_id(orders, at), orders.data[at + 8]);
        struct era_bytes bytes;
        if (item == NULL || !g->config.fetch(g->config.ctx, (enum era_set)item->set, &item->id, &bytes))
            continue;
        struct era_outgoing wanted = {.id = item->id, .set = (enum era_set)item->set};
        era_push_item(g, link, &wanted, bytes.len);
    }
}

static void take_part(struct era_gossip *g, struct era_link *link, const struct era_frame_part *part)
{
    /* What a statement brings about, the owner says. */
    if (part->kind != ERA_FRAME_STATEMENT && part->kind != ERA_FRAME_FRAGMENT)
        era_gossip_stir(g);
    switch (part->kind) {
    case ERA_FRAME_HELLO:
        era_link_hello(g, link, &part->u.hello);
        break;
    case ERA_FRAME_REFUSAL:
        era_link_refused(g, link, part->u.refusal.verdict);
        break;
    case ERA_FRAME_STATEMENT:
        take_statement(g, link, part->u.statement);
        break;
    case ERA_FRAME_FRAGMENT:
        take_fragment(g, link, &part->u.fragment);
        break;
    case ERA_FRAME_DIGEST:
        era_sync_digest(g, link, &part->u.digest);
        break;
    case ERA_FRAME_CELLS:
        era_sync_cells(g, link, &part->u.cells);
        break;
    case ERA_FRAME_ASK:
        era_sync_ask(g, link, &part->u.ask);
        break;
    case ERA_FRAME_STATUS:
        take_status(g, link, &part->u.status);
        break;
    case ERA_FRAME_NEIGHBOUR:
        era_ties_word(g, link, part->u.neighbour);
        era_push_tend(g);
        break;
    case ERA_FRAME_WALK:
        era_ties_walk(g, link, &part->u.walk);
        break;
    case ERA_FRAME_SHUFFLE:
        era_ties_shuffle(g, link, &part->u.shuffle);
        break;
    case ERA_FRAME_SPREAD:
        take_spread(g, link, &part->u.spread);
        break;
    }
}

void era_take_frame(struct era_gossip *g, struct era_link *link, struct era_bytes bytes)
{
    struct era_frame frame;
    link->info.frames_in++;
    link->info.bytes_in += bytes.len;
    link->info.last_heard_ms = g->now_ms;
    if (!era_defence_frame(g, link, bytes.len))
        return;
    enum era_verdict verdict = era_frame_decode(bytes, &frame);
    if (verdict == ERA_ACCEPTED && link->info.state == ERA_PEER_HANDSHAKE && !frame.has_hello &&
        !frame.has_refusal)
        verdict = ERA_UNEXPECTED;
    if (verdict != ERA_ACCEPTED) {
        era_link_break(g, link, verdict);
        return;
    }
    count_unknown(g, link, frame.unknown_count);
    struct era_frame_cursor cursor = era_frame_first(&frame);
    struct era_frame_part part;
    while (!link->closing && era_frame_next(&cursor, &part)) {
        bool greets = part.kind == ERA_FRAME_HELLO || part.kind == ERA_FRAME_REFUSAL;
        if (link->info.state == ERA_PEER_HANDSHAKE && !greets)
            era_link_close(g, link, ERA_UNEXPECTED);
        else if (!era_defence_part(g, link, &part))
            continue;
        else if (is_of_unknown_set(&part))
            count_unknown(g, link, 1);
        else
            take_part(g, link, &part);
    }
    if (!link->closing)
        era_sync_pump(g, link);
}
