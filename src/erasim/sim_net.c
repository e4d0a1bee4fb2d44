/* The net: streams between nodes, with latency, in order; what strikes them; and links of no node. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "src/erasim/cast.h"
#include "src/erasim/parts.h"

#define MILLION    1000000
#define SENT_MS    1   /* a frame is written */
#define REORDER_MS 500 /* most that a frame is held back */
#define AGAIN_MS   50  /* most until a doubled frame comes again */
#define BREAK_MS   1   /* both ends of a link hear that it broke */

/* ---- ways: one direction between two nodes ---- */

static size_t way_place(const struct part *p, size_t to)
{
    size_t low = 0, high = p->way_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->ways[middle].to < to)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct way *way_find(const struct sim *s, size_t from, size_t to)
{
    if (from == SIM_NOBODY || to == SIM_NOBODY)
        return NULL;
    const struct part *p = &s->parts->part[from];
    size_t i = way_place(p, to);
    return i < p->way_count && p->ways[i].to == to ? &p->ways[i] : NULL;
}

static struct way *way_make(struct sim *s, size_t from, size_t to)
{
    struct way *w = way_find(s, from, to);
    assert(from < s->node_count && to < s->node_count);
    if (w)
        return w;
    struct part *p = &s->parts->part[from];
    sim_grow((void **)&p->ways, &p->way_cap, p->way_count, sizeof *p->ways);
    size_t i = way_place(p, to);
    memmove(&p->ways[i + 1], &p->ways[i], (p->way_count++ - i) * sizeof *p->ways);
    p->ways[i] = (struct way){.to = to};
    return &p->ways[i];
}

/* A way without anything is no way. */
static void way_trim(struct sim *s, size_t from, size_t to)
{
    static const struct sim_net_faults none;
    struct way *w = way_find(s, from, to);
    struct part *p = &s->parts->part[from];
    const struct sim_net_faults *f = w ? &w->faults : &none;
    if (!w || w->cut || f->loss_ppm || f->duplicate_ppm || f->reorder_ppm || f->extra_latency_ms ||
        f->bytes_per_s || f->vanish)
        return;
    size_t i = (size_t)(w - p->ways);
    memmove(w, w + 1, (--p->way_count - i) * sizeof *w);
}

static bool vanishes(const struct sim *s, size_t from, size_t to)
{
    const struct way *w = way_find(s, from, to);
    return w && w->faults.vanish;
}

/* A link can be made: both ways are open. */
static bool reach(const struct sim *s, size_t a, size_t b)
{
    const struct way *there = way_find(s, a, b), *back = way_find(s, b, a);
    return s->nodes[a].side == s->nodes[b].side && !(there && there->cut) && !(back && back->cut);
}

static bool chance(struct sim *s, uint32_t ppm)
{
    return ppm > 0 && era_prng_below(&s->parts->net, MILLION) < ppm;
}

static uint64_t latency(struct sim *s)
{
    return SIM_LINK_DELAY_MS + era_prng_below(&s->parts->net, s->plan.link_ms + 1);
}

/* ---- a frame on its way ---- */

/* What strikes every frame of a way is told once. */
static void strike_way(struct sim *s, struct way *w, enum sim_fault fault, const struct end *from)
{
    struct sim_node *n = &s->nodes[from->node];
    if (w->told >> fault & 1) {
        s->counts.struck[fault]++;
        return;
    }
    w->told |= (uint32_t)1 << fault;
    sim_strike(s, fault, n, "frames to %s", s->nodes[w->to].name);
}

static void sent(struct sim *s, struct end *e, uint64_t at_ms, size_t bytes)
{
    if (e->sending && e->sending_ms == at_ms) {
        e->sending->number += bytes;
        return;
    }
    e->sending = sim_happening(s, HAPPEN_SENT, SIM_NOBODY, e->number, (struct era_bytes){0});
    e->sending->number = bytes;
    e->sending_ms = at_ms;
    sim_schedule(s, at_ms, e->sending);
}

/* When the frame has left, for a line of so many bytes a second. */
static uint64_t written(struct sim *s, struct end *e, struct way *w, size_t bytes)
{
    if (!w || w->faults.bytes_per_s == 0) {
        e->wire_free_ms = s->now_ms > e->wire_free_ms ? s->now_ms : e->wire_free_ms;
        return e->wire_free_ms;
    }
    uint64_t begins = s->now_ms;
    if (e->wire_free_ms > begins) {
        begins = e->wire_free_ms;
        strike_way(s, w, SIM_FAULT_BANDWIDTH, e);
    }
    e->wire_free_ms = begins + 1 + (uint64_t)bytes * 1000 / w->faults.bytes_per_s;
    return e->wire_free_ms;
}

static void arrive(struct sim *s, struct end *to, uint64_t at_ms, struct era_bytes frame)
{
    sim_schedule(s, at_ms, sim_happening(s, HAPPEN_FRAME, SIM_NOBODY, to->number, frame));
}

static void carry(struct sim *s, struct end *e, struct end *to, struct way *w, uint64_t left_ms,
                  struct era_bytes frame)
{
    const struct sim_net_faults *f = &w->faults;
    struct sim_node *n = &s->nodes[e->node];
    const char *whom = s->nodes[w->to].name;
    uint64_t at = left_ms + sim_end_link(s, e)->delay_ms;
    if (f->vanish) {
        strike_way(s, w, SIM_FAULT_ONE_WAY, e);
        return;
    }
    if (chance(s, f->loss_ppm)) {
        sim_strike(s, SIM_FAULT_LOSS, n, "a frame of %zu bytes to %s", frame.len, whom);
        return;
    }
    if (f->extra_latency_ms > 0) {
        at += era_prng_below(&s->parts->net, f->extra_latency_ms + 1);
        strike_way(s, w, SIM_FAULT_LATENCY, e);
    }
    at = at > to->arrives_ms ? at : to->arrives_ms;
    if (chance(s, f->reorder_ppm)) {
        sim_strike(s, SIM_FAULT_REORDER, n, "a frame of %zu bytes to %s", frame.len, whom);
        arrive(s, to, at + 1 + era_prng_below(&s->parts->net, REORDER_MS), frame);
        return;
    }
    to->arrives_ms = at;
    arrive(s, to, at, frame);
    if (chance(s, f->duplicate_ppm)) {
        sim_strike(s, SIM_FAULT_DUPLICATION, n, "a frame of %zu bytes to %s", frame.len, whom);
        arrive(s, to, at + 1 + era_prng_below(&s->parts->net, AGAIN_MS), frame);
    }
}

static void send(struct sim *s, struct end *e, struct era_bytes frame)
{
    struct end *to = sim_end_other(s, e);
    struct way *w = way_find(s, e->node, to->node);
    uint64_t left_ms = written(s, e, w, frame.len);
    if (e->node != SIM_NOBODY)
        sent(s, e, left_ms + SENT_MS, frame.len);
    if (to->mute || sim_end_link(s, e)->broken)
        return;
    if (w) {
        carry(s, e, to, w, left_ms, frame);
        return;
    }
    uint64_t at = left_ms + sim_end_link(s, e)->delay_ms;
    to->arrives_ms = at > to->arrives_ms ? at : to->arrives_ms;
    arrive(s, to, to->arrives_ms, frame);
}

void sim_net_send(struct sim *s, struct sim_node *n, uint64_t number, struct era_bytes frame)
{
    struct end *e = sim_end(s, number);
    if (!e || !e->open)
        return;
    sim_wire_hear(s, n, e, frame);
    send(s, e, frame);
}

/* ---- links end ---- */

/* The end hears, after what was sent before, that the link is gone, and for what its driver ended it. */
static void tell_down(struct sim *s, struct end *e, uint64_t at_ms, enum era_verdict verdict)
{
    if (!e->open)
        return;
    if (e->mute) {
        sim_end_leave(s, e);
        return;
    }
    struct happening *h = sim_happening(s, HAPPEN_DOWN, SIM_NOBODY, e->number, (struct era_bytes){0});
    h->verdict = verdict;
    sim_schedule(s, at_ms, h);
}

static void leave_for(struct sim *s, struct end *e, enum era_verdict verdict)
{
    struct end *to = sim_end_other(s, e);
    uint64_t at = s->now_ms + sim_end_link(s, e)->delay_ms;
    if (!vanishes(s, e->node, to->node))
        tell_down(s, to, at > to->arrives_ms ? at : to->arrives_ms, verdict);
    sim_end_leave(s, e);
}

static void leave(struct sim *s, struct end *e, bool told)
{
    if (told)
        leave_for(s, e, ERA_ACCEPTED);
    else
        sim_end_leave(s, e);
}

void sim_net_close(struct sim *s, struct sim_node *n, uint64_t number)
{
    struct end *e = sim_end(s, number);
    (void)n;
    if (e && e->open)
        leave(s, e, true);
}

void sim_net_leave_all(struct sim *s, struct sim_node *n, bool told)
{
    struct part *p = sim_part(s, n);
    while (p->ends)
        leave(s, p->ends, told);
    for (struct happening *h = p->parked, *next; h; h = next) {
        next = h->next;
        sim_happening_free(h);
    }
    p->parked = NULL;
    p->parked_end = &p->parked;
    p->unparking = false;
}

/* What is under way to it is lost: the stream ends in the middle of a frame. */
static enum era_verdict cut_off(const struct sim *s, const struct end *e)
{
    return e->arrives_ms > s->now_ms ? ERA_TRUNCATED : ERA_ACCEPTED;
}

/* why: what the other end's driver found; ERA_ACCEPTED: no more than that the stream ended. */
static void break_link(struct sim *s, struct end *e, enum era_verdict why)
{
    struct end *to = sim_end_other(s, e);
    sim_end_link(s, e)->broken = true;
    tell_down(s, e, s->now_ms + BREAK_MS, cut_off(s, e));
    tell_down(s, to, s->now_ms + BREAK_MS, why == ERA_ACCEPTED ? cut_off(s, to) : why);
}

/* Links of a that match: broken, and the fault counted for each. */
static void break_links(struct sim *s, size_t a, size_t b, bool any_side, enum sim_fault fault,
                        enum era_verdict why)
{
    struct sim_node *n = &s->nodes[a];
    for (struct end *e = s->parts->part[a].ends, *next; e; e = next) {
        next = e->next;
        size_t other = sim_end_other(s, e)->node;
        if (other == SIM_NOBODY || sim_end_link(s, e)->broken ||
            (any_side ? s->nodes[other].side == n->side : other != b))
            continue;
        break_link(s, e, why);
        sim_strike(s, fault, n, "the link with %s breaks", s->nodes[other].name);
    }
}

void sim_cut(struct sim *s, size_t from, size_t to)
{
    way_make(s, from, to)->cut = true;
    break_links(s, from, to, false, SIM_FAULT_CUT, ERA_ACCEPTED);
}

void sim_flap(struct sim *s, size_t a, size_t b, bool altered)
{
    break_links(s, a, b, false, SIM_FAULT_FLAP, altered ? ERA_NOT_AUTHENTIC : ERA_ACCEPTED);
}

void sim_side(struct sim *s, size_t node, unsigned side)
{
    s->nodes[node].side = side;
    break_links(s, node, 0, true, SIM_FAULT_PARTITION, ERA_ACCEPTED);
}

void sim_heal(struct sim *s, size_t from, size_t to)
{
    way_make(s, from, to)->cut = false;
    way_trim(s, from, to);
}

void sim_heal_all(struct sim *s)
{
    for (size_t i = 0; i < s->node_count; i++) {
        s->parts->part[i].way_count = 0;
        s->nodes[i].side = 0;
    }
}

void sim_net_set(struct sim *s, size_t from, size_t to, struct sim_net_faults faults)
{
    struct way *w = way_make(s, from, to);
    w->faults = faults;
    w->told = 0;
    way_trim(s, from, to);
}

struct sim_net_faults sim_net_get(const struct sim *s, size_t from, size_t to)
{
    const struct way *w = way_find(s, from, to);
    return w ? w->faults : (struct sim_net_faults){0};
}

bool sim_linked(const struct sim *s, size_t a, size_t b)
{
    for (const struct end *e = s->parts->part[a].ends; e; e = e->next) {
        const struct end *to = sim_end_other(s, e);
        if (to->node == b && to->open && !sim_end_link(s, e)->broken)
            return true;
    }
    return false;
}

/* ---- dialling ---- */

static struct era_bytes text_bytes(const char *text)
{
    return (struct era_bytes){(const uint8_t *)text, strlen(text) + 1};
}

void sim_net_dial(struct sim *s, struct sim_node *n, const char *address)
{
    sim_schedule(s, s->now_ms + latency(s), sim_happening(s, HAPPEN_DIAL, n->number, 0, text_bytes(address)));
}

/* Whose address it is; SIM_NOBODY: nobody's. Addresses hold the number (sim_add_node). */
static size_t node_at(const struct sim *s, const char *address)
{
    unsigned high, low;
    if (sscanf(address, "tcp://10.0.%u.%u:", &high, &low) != 2 || high > SIM_NODES_MAX / 256 || low > 255)
        return SIM_NOBODY;
    size_t number = (size_t)high * 256 + low;
    return number < s->node_count && strcmp(s->nodes[number].address, address) == 0 ? number : SIM_NOBODY;
}

static void up(struct sim *s, struct end *e, uint64_t at_ms, const char *address)
{
    e->arrives_ms = at_ms;
    sim_schedule(s, at_ms, sim_happening(s, HAPPEN_UP, SIM_NOBODY, e->number, text_bytes(address)));
}

/* The driver closes streams of hosts that it is to keep out as it accepts them. */
static bool lets_in(const struct sim *s, const struct sim_node *n, const char *from)
{
    return n->node && era_gossip_screen(era_node_gossip(n->node), s->now_ms, from) == ERA_ACCEPTED;
}

static void happen_dial(struct sim *s, struct sim_node *a, const char *address)
{
    char from[ERA_ADDRESS_BYTES_MAX + 1];
    size_t b = node_at(s, address);
    bool unheard = b != SIM_NOBODY &&
                   (!reach(s, a->number, b) || vanishes(s, a->number, b) || vanishes(s, b, a->number));
    snprintf(from, sizeof from, "tcp://10.0.%zu.%zu:%u", a->number / 256, a->number % 256,
             40000 + (unsigned)((s->parts->next_link + 1) % 20000));
    if (b == SIM_NOBODY || unheard || !lets_in(s, &s->nodes[b], from)) {
        uint64_t at = s->now_ms + (unheard ? SIM_DIAL_FAILS_MS : SIM_LINK_DELAY_MS);
        sim_schedule(s, at, sim_happening(s, HAPPEN_DIAL_FAILED, a->number, 0, text_bytes(address)));
        return;
    }
    struct link *l = sim_link_new(s, a->number, b);
    l->delay_ms = latency(s);
    up(s, &l->end[1], s->now_ms, from);
    up(s, &l->end[0], s->now_ms + l->delay_ms, address);
}

/* ---- what links bring ---- */

static void people_hear(struct sim *s, struct end *e, const struct happening *h)
{
    uint64_t number = e->number;
    switch (h->kind) {
    case HAPPEN_UP:
        if (s->people.peer_up)
            s->people.peer_up(s, number);
        break;
    case HAPPEN_FRAME:
        if (s->people.peer_heard)
            s->people.peer_heard(s, number, (struct era_bytes){h->bytes, h->len});
        break;
    case HAPPEN_DOWN:
        sim_end_leave(s, e);
        if (s->people.peer_down)
            s->people.peer_down(s, number);
        break;
    default:
        break; /* of nodes */
    }
}

/* An end that left answers whoever still speaks to it, when its machine lives. */
static void refuse(struct sim *s, struct end *e)
{
    struct end *to = sim_end_other(s, e);
    if (e->node == SIM_NOBODY || !s->nodes[e->node].node || !to->open || vanishes(s, e->node, to->node))
        return;
    tell_down(s, to, s->now_ms + sim_end_link(s, e)->delay_ms, ERA_ACCEPTED);
}

/* Until the other end reads again, what was written stays with us. */
static bool stall(struct sim *s, struct end *e, struct happening *h)
{
    struct end *to = sim_end_other(s, e);
    if (to->node == SIM_NOBODY || !to->open || !s->parts->part[to->node].parked)
        return false;
    e->stalled += h->number;
    return true;
}

static void deliver(struct sim *s, struct sim_node *n, const struct happening *h)
{
    struct era_event ev = {.link = h->link};
    struct end *e = h->link ? sim_end(s, h->link) : NULL;
    struct era_key other;
    if (h->link && (!e || !e->open))
        return;
    switch (h->kind) {
    case HAPPEN_UP:
        e->up = true;
        other = sim_end_key(s, sim_end_other(s, e));
        ev.proven = other.b;
        ev.kind = ERA_EV_LINK_UP;
        ev.outgoing = e->outgoing;
        ev.address = (const char *)h->bytes;
        break;
    case HAPPEN_FRAME:
        ev.kind = ERA_EV_FRAME;
        ev.bytes = (struct era_bytes){h->bytes, h->len};
        break;
    case HAPPEN_SENT:
        ev.kind = ERA_EV_SENT;
        ev.count = (size_t)h->number;
        break;
    case HAPPEN_DOWN:
        ev.kind = ERA_EV_LINK_DOWN;
        ev.verdict = h->verdict;
        if (e->outgoing && !e->up) { /* it broke before the answer came: to the dialler it never was a link */
            ev.kind = ERA_EV_DIAL_FAILED;
            ev.link = 0;
            ev.verdict = ERA_ACCEPTED;
            ev.address = s->nodes[sim_end_other(s, e)->node].address;
        }
        sim_end_leave(s, e);
        break;
    default:
        ev.kind = ERA_EV_DIAL_FAILED;
        ev.address = (const char *)h->bytes;
        break;
    }
    if (h->kind == HAPPEN_FRAME && s->watch_count > 0) {
        size_t from = sim_end_other(s, e)->node;
        SIM_WATCHED(s, heard, s, from == SIM_NOBODY ? NULL : &s->nodes[from], n, ev.bytes);
    }
    sim_step(s, n, ev);
}

static void park(struct part *p, struct happening *h)
{
    h->next = NULL;
    *p->parked_end = h;
    p->parked_end = &h->next;
}

void sim_net_happen(struct sim *s, struct happening *h)
{
    struct end *e = h->link ? sim_end(s, h->link) : NULL;
    bool keep = false;
    if (e && e->sending == h)
        e->sending = NULL;
    if (h->link && !e) {
        /* forgotten */
    } else if (h->kind == HAPPEN_DIAL) {
        happen_dial(s, &s->nodes[h->node], (const char *)h->bytes);
    } else if (e && !e->open) {
        if (h->kind == HAPPEN_FRAME)
            refuse(s, e);
    } else if (e && h->kind == HAPPEN_FRAME && sim_end_link(s, e)->broken) {
        /* lost with the link */
    } else if (e && e->node == SIM_NOBODY) {
        people_hear(s, e, h);
    } else if (!(h->kind == HAPPEN_SENT && stall(s, e, h))) {
        struct sim_node *n = &s->nodes[e ? e->node : h->node];
        struct part *p = sim_part(s, n);
        keep = p->parked || era_node_congested(n->node);
        if (keep)
            park(p, h);
        else
            deliver(s, n, h);
    }
    if (!keep)
        sim_happening_free(h);
}

/* ---- congestion ---- */

void sim_net_look(struct sim *s, struct sim_node *n)
{
    struct part *p = sim_part(s, n);
    if (!p->parked || p->unparking || !n->node || era_node_congested(n->node))
        return;
    p->unparking = true;
    sim_schedule(s, s->now_ms, sim_happening(s, HAPPEN_UNPARK, n->number, 0, (struct era_bytes){0}));
}

/* One at a time: a step may congest the node again. */
void sim_net_unpark(struct sim *s, struct sim_node *n)
{
    struct part *p = sim_part(s, n);
    p->unparking = false;
    if (!p->parked || era_node_congested(n->node))
        return;
    struct happening *h = p->parked;
    p->parked = h->next;
    if (!p->parked) {
        p->parked_end = &p->parked;
        for (struct end *e = p->ends; e; e = e->next) {
            struct end *from = sim_end_other(s, e);
            if (from->open && from->node != SIM_NOBODY && from->stalled > 0) {
                sent(s, from, s->now_ms + SENT_MS, (size_t)from->stalled);
                from->stalled = 0;
            }
        }
    }
    deliver(s, n, h);
    sim_happening_free(h);
    sim_net_look(s, n);
}

/* ---- links of no node ---- */

static struct link *peer_link(struct sim *s, struct sim_node *to, const char *address)
{
    struct link *l = sim_link_new(s, SIM_NOBODY, to->number);
    l->delay_ms = latency(s);
    up(s, &l->end[1], s->now_ms + l->delay_ms, address);
    return l;
}

uint64_t sim_peer_dial(struct sim *s, struct sim_node *to, const char *address)
{
    if (!lets_in(s, to, address))
        return 0;
    struct link *l = peer_link(s, to, address);
    up(s, &l->end[0], s->now_ms + 2 * l->delay_ms, to->address);
    return l->end[0].number;
}

void sim_peer_send(struct sim *s, uint64_t link, struct era_bytes frame)
{
    struct end *e = sim_end(s, link);
    if (e && e->open)
        send(s, e, frame);
}

void sim_peer_close(struct sim *s, uint64_t link)
{
    struct end *e = sim_end(s, link);
    if (e && e->open)
        leave(s, e, true);
}

void sim_peer_break(struct sim *s, uint64_t link, enum era_verdict verdict)
{
    struct end *e = sim_end(s, link);
    if (e && e->open)
        leave_for(s, e, verdict);
}

static void inject_parts(struct sim *s, struct end *e, struct era_bytes envelope)
{
    uint8_t buffer[ERA_FRAME_BYTES_MAX];
    struct era_frame_builder b;
    era_frame_begin(&b, buffer);
    if (era_frame_add_statement(&b, envelope)) {
        send(s, e, era_frame_bytes(&b));
        return;
    }
    for (size_t at = 0; at < envelope.len; at += ERA_FRAGMENT_BYTES_MAX) {
        size_t left = envelope.len - at;
        struct era_frame_fragment f = {
            .total_bytes = (uint32_t)envelope.len,
            .offset = (uint32_t)at,
            .data = {envelope.data + at, left < ERA_FRAGMENT_BYTES_MAX ? left : ERA_FRAGMENT_BYTES_MAX}};
        era_frame_begin(&b, buffer);
        bool fits = era_frame_add_fragment(&b, &f);
        assert(fits);
        (void)fits;
        send(s, e, era_frame_bytes(&b));
    }
}

void sim_inject(struct sim *s, struct sim_node *to, struct era_bytes envelope)
{
    uint8_t buffer[ERA_FRAME_BYTES_MAX];
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_frame_builder b;
    if (!to->node || envelope.len > ERA_STATEMENT_BYTES_MAX)
        return;
    uint64_t serial = ++s->parts->next_ghost;
    snprintf(address, sizeof address, "tcp://198.51.100.%u:%u", (unsigned)(serial % 250 + 1),
             (unsigned)(1024 + serial % 60000));
    struct link *l = peer_link(s, to, address);
    l->end[0].mute = true;
    struct era_frame_hello hello = {.protocol_min = ERA_PROTOCOL_MIN,
                                    .protocol_max = ERA_PROTOCOL_MAX,
                                    .network = s->charters[0]->hash,
                                    .agent = "nobody"};
    hello.node = sim_end_key(s, &l->end[0]);
    era_frame_begin(&b, buffer);
    bool fits = era_frame_add_hello(&b, &hello);
    assert(fits);
    (void)fits;
    send(s, &l->end[0], era_frame_bytes(&b));
    inject_parts(s, &l->end[0], envelope);
    leave(s, &l->end[0], true);
}

void sim_net_free(struct sim *s)
{
    for (size_t i = 0; i < s->node_count; i++) {
        struct part *p = &s->parts->part[i];
        for (struct happening *h = p->parked, *next; h; h = next) {
            next = h->next;
            sim_happening_free(h);
        }
        free(p->ways);
    }
    sim_links_free(s);
}
