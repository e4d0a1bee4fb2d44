#include "tests/p2p/field.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"

#define PAYLOAD_BYTES 200
#define PAIRING_TRIES 200

enum field_happening { FIELD_FRAME, FIELD_DOWN, FIELD_DIALLED, FIELD_NO_ANSWER };

struct field_event {
    struct field_event *next;
    enum field_happening what;
    size_t edge, end; /* where it happens */
    size_t len;
    uint8_t bytes[];
};

/* ---- items ---- */

static size_t *slot_of(struct field *f, const struct era_hash *id)
{
    size_t at = (size_t)era_get_be64(id->b) % (4 * FIELD_ITEMS_MAX);
    while (f->index[at] != 0 && !era_hash_eq(&f->items[f->index[at] - 1].id, id))
        at = (at + 1) % (4 * FIELD_ITEMS_MAX);
    return &f->index[at];
}

static bool node_has(void *ctx, enum era_set set, const struct era_hash *id)
{
    struct field_node *n = ctx;
    size_t item = *slot_of(n->field, id);
    return set == ERA_SET_STATEMENTS && item != 0 && n->held_ms[item - 1] != 0;
}

static bool node_fetch(void *ctx, enum era_set set, const struct era_hash *id, struct era_bytes *out)
{
    struct field_node *n = ctx;
    if (!node_has(ctx, set, id))
        return false;
    *out = n->field->items[*slot_of(n->field, id) - 1].bytes;
    return true;
}

static void hold(struct field *f, struct field_node *n, size_t item, uint64_t from)
{
    n->held_ms[item] = (uint32_t)f->now_ms;
    f->items[item].holders++;
    f->items[item].last_ms = f->now_ms;
    era_gossip_publish(n->gossip, f->now_ms, ERA_SET_STATEMENTS, &f->items[item].id, from, true);
}

/* ---- nodes by the time at which they want to be called ---- */

static bool sooner(const struct field *f, size_t a, size_t b)
{
    return f->nodes[f->heap[a]].due_ms < f->nodes[f->heap[b]].due_ms;
}

static void heap_swap(struct field *f, size_t a, size_t b)
{
    size_t node = f->heap[a];
    f->heap[a] = f->heap[b];
    f->heap[b] = node;
    f->nodes[f->heap[a]].heap_at = a;
    f->nodes[f->heap[b]].heap_at = b;
}

static void heap_fix(struct field *f, size_t at)
{
    while (at > 0 && sooner(f, at, (at - 1) / 2)) {
        heap_swap(f, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
    for (size_t child = 2 * at + 1; child < f->node_count; child = 2 * at + 1) {
        if (child + 1 < f->node_count && sooner(f, child + 1, child))
            child++;
        if (!sooner(f, child, at))
            break;
        heap_swap(f, child, at);
        at = child;
    }
}

/* ---- carrying ---- */

/* What is about items is lost; what opens and heals links is not: a stream of NNG loses nothing. */
static bool is_lost(struct field *f, struct era_bytes frame)
{
    bool of_items = frame.len > 0 &&
                    (frame.data[0] >> 3 == ERA_FRAME_STATEMENT || frame.data[0] >> 3 == ERA_FRAME_SPREAD);
    return of_items && f->loss_permille > 0 && era_prng_below(&f->prng, 1000) < f->loss_permille;
}

static void happen(struct field *f, uint64_t at_ms, struct field_event *event)
{
    assert(at_ms >= f->now_ms && at_ms - f->now_ms < FIELD_RING_MS);
    size_t at = (size_t)at_ms % FIELD_RING_MS;
    event->next = NULL;
    *f->ring_end[at] = event;
    f->ring_end[at] = &event->next;
}

static struct field_event *event_of(enum field_happening what, size_t edge, size_t end,
                                    struct era_bytes bytes)
{
    struct field_event *event = malloc(sizeof *event + bytes.len);
    assert(event != NULL);
    *event = (struct field_event){.what = what, .edge = edge, .end = end, .len = bytes.len};
    if (bytes.len > 0)
        memcpy(event->bytes, bytes.data, bytes.len);
    return event;
}

static bool is_cut(const struct field *f, const struct field_edge *e)
{
    return f->parted && f->nodes[e->node[0]].side != f->nodes[e->node[1]].side;
}

static void carry(struct field *f, struct field_node *from, uint64_t link, struct era_bytes bytes)
{
    size_t edge = (size_t)(link - 1) / 2, end = (size_t)link % 2; /* of the two numbers, the other end's */
    f->frames++;
    f->bytes += bytes.len;
    era_gossip_sent(from->gossip, f->now_ms, link, bytes.len);
    if (f->nodes[f->edges[edge].node[end]].dead)
        return;
    if (is_lost(f, bytes))
        f->lost++;
    else
        happen(f, f->now_ms + f->edges[edge].latency_ms, event_of(FIELD_FRAME, edge, end, bytes));
}

static void close_link(struct field *f, uint64_t link)
{
    size_t edge = (size_t)(link - 1) / 2, end = (size_t)link % 2;
    struct field_edge *e = &f->edges[edge];
    e->open[1 - end] = false;
    if (e->open[end] && !f->nodes[e->node[end]].dead)
        happen(f, f->now_ms + e->latency_ms, event_of(FIELD_DOWN, edge, end, (struct era_bytes){0}));
}

static void deliver(struct field *f, struct field_node *n, uint64_t link, struct era_bytes bytes)
{
    struct era_envelope e;
    enum era_verdict verdict = era_envelope_decode(bytes, &e);
    assert(verdict == ERA_ACCEPTED);
    size_t item = (size_t)era_get_be64(e.payload.data);
    f->items[item].copies++;
    if (n->held_ms[item] != 0)
        era_gossip_verdict(n->gossip, f->now_ms, link, &f->items[item].id, ERA_DUPLICATE);
    else
        hold(f, n, item, link);
}

/* ---- links ---- */

static const char *address_of(size_t node, char address[ERA_ADDRESS_BYTES_MAX + 1])
{
    snprintf(address, ERA_ADDRESS_BYTES_MAX + 1, "tcp://10.%zu.%zu.%zu:7711", node >> 16 & 255,
             node >> 8 & 255, node & 255);
    return address;
}

static void edge_join(struct field_node *n, size_t edge)
{
    if (n->edge_count == n->edge_cap) {
        n->edge_cap = 2 * n->edge_cap + 8;
        n->edges = realloc(n->edges, n->edge_cap * sizeof *n->edges);
        assert(n->edges != NULL);
    }
    n->edges[n->edge_count++] = edge;
}

/* From a to b; not yet up. */
static size_t edge_make(struct field *f, size_t a, size_t b)
{
    if (f->edge_count == f->edge_cap) {
        f->edge_cap = 2 * f->edge_cap + 1024;
        f->edges = realloc(f->edges, f->edge_cap * sizeof *f->edges);
        assert(f->edges != NULL);
    }
    uint64_t spread = FIELD_LATENCY_MAX_MS - FIELD_LATENCY_MIN_MS + 1;
    f->edges[f->edge_count] = (struct field_edge){
        .node = {a, b},
        .latency_ms = FIELD_LATENCY_MIN_MS + era_prng_below(&f->prng, spread),
    };
    edge_join(&f->nodes[a], f->edge_count);
    edge_join(&f->nodes[b], f->edge_count);
    return f->edge_count++;
}

static void dial(struct field *f, const struct field_node *from, const char *address)
{
    unsigned a, b, c;
    int parts = sscanf(address, "tcp://10.%u.%u.%u:7711", &a, &b, &c);
    size_t to = (size_t)a << 16 | b << 8 | c;
    assert(parts == 3 && to < f->node_count);
    size_t edge = edge_make(f, from->number, to);
    bool answers = !f->nodes[to].dead && !is_cut(f, &f->edges[edge]);
    happen(f, f->now_ms + (answers ? f->edges[edge].latency_ms : FIELD_DIAL_MS),
           event_of(answers ? FIELD_DIALLED : FIELD_NO_ANSWER, edge, 0, (struct era_bytes){0}));
}

/* Do what the node wants done, and note when it wants to be called. */
static void act(struct field *f, struct field_node *n)
{
    const struct era_gossip_action *actions;
    size_t count;
    while ((count = era_gossip_take_actions(n->gossip, &actions)) > 0)
        for (size_t i = 0; i < count; i++) {
            if (actions[i].kind == ERA_GOSSIP_SEND)
                carry(f, n, actions[i].link, actions[i].bytes);
            else if (actions[i].kind == ERA_GOSSIP_DELIVER)
                deliver(f, n, actions[i].link, actions[i].opened.bytes);
            else if (actions[i].kind == ERA_GOSSIP_CLOSE)
                close_link(f, actions[i].link);
            else if (actions[i].kind == ERA_GOSSIP_CONNECT)
                dial(f, n, actions[i].address);
        }
    n->due_ms = era_gossip_deadline_ms(n->gossip);
    heap_fix(f, n->heap_at);
}

/* Both ends learn of it: who was dialled first. */
static void link_up(struct field *f, size_t edge)
{
    struct field_edge *e = &f->edges[edge];
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    for (size_t end = 2; end-- > 0;) {
        struct era_key key = {{0}};
        size_t to = e->node[1 - end];
        e->open[end] = true;
        era_put_be64(key.b, to + 1);
        era_gossip_link_up(f->nodes[e->node[end]].gossip, f->now_ms, 2 * edge + 1 + end, end == 0,
                           address_of(to, address), key.b);
        act(f, &f->nodes[e->node[end]]);
    }
}

static void arrive(struct field *f, struct field_event *event)
{
    const struct field_edge *e = &f->edges[event->edge];
    struct field_node *n = &f->nodes[e->node[event->end]];
    uint64_t link = 2 * event->edge + 1 + event->end;
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    if (n->dead || (event->what <= FIELD_DOWN && !e->open[event->end]))
        return;
    switch (event->what) {
    case FIELD_FRAME:
        era_gossip_frame(n->gossip, f->now_ms, link, (struct era_bytes){event->bytes, event->len});
        break;
    case FIELD_DOWN:
        f->edges[event->edge].open[event->end] = false;
        era_gossip_link_down(n->gossip, f->now_ms, link, ERA_ACCEPTED);
        break;
    case FIELD_DIALLED:
        link_up(f, event->edge);
        break;
    case FIELD_NO_ANSWER:
        era_gossip_dial_failed(n->gossip, f->now_ms, address_of(e->node[1], address));
        break;
    }
    act(f, n);
}

static void step(struct field *f)
{
    size_t at = (size_t)f->now_ms % FIELD_RING_MS;
    struct field_event *first = f->ring[at], *next;
    f->ring[at] = NULL;
    f->ring_end[at] = &f->ring[at];
    for (; first != NULL; first = next) {
        next = first->next;
        arrive(f, first);
        free(first);
    }
    while (f->nodes[f->heap[0]].due_ms <= f->now_ms) {
        struct field_node *n = &f->nodes[f->heap[0]];
        era_gossip_tick(n->gossip, f->now_ms);
        act(f, n);
        assert(n->due_ms > f->now_ms);
    }
}

void field_run(struct field *f, uint64_t ms)
{
    for (uint64_t end = f->now_ms + ms; f->now_ms < end; f->now_ms++)
        step(f);
}

/* ---- the graph ---- */

static bool are_linked(const struct field *f, size_t a, size_t b)
{
    for (size_t i = 0; i < f->nodes[a].edge_count; i++) {
        const struct field_edge *e = &f->edges[f->nodes[a].edges[i]];
        if (e->node[0] == b || e->node[1] == b)
            return true;
    }
    return false;
}

/* Loose ends are paired at random. */
static void graph_make(struct field *f, size_t degree)
{
    size_t ends = f->node_count * degree, *end = malloc(ends * sizeof *end);
    assert(end != NULL);
    for (size_t i = 0; i < ends; i++)
        end[i] = i / degree;
    for (size_t tries = 0; ends > 1 && tries < PAIRING_TRIES;) {
        size_t i = era_prng_below(&f->prng, ends), k = era_prng_below(&f->prng, ends);
        size_t a = end[i], b = end[k];
        if (i == k || a == b || are_linked(f, a, b)) {
            tries++;
            continue;
        }
        (void)edge_make(f, a, b);
        end[i] = end[--ends];
        end[k == ends ? i : k] = end[ends - 1];
        ends--;
        tries = 0;
    }
    free(end);
}

/* What a record says of signatures is not what is looked at here. */
static bool any_signature(void *ctx, const struct era_key *key, const struct era_hash *digest,
                          const struct era_signature *signature)
{
    (void)ctx, (void)key, (void)digest, (void)signature;
    return true;
}

static void node_start(struct field *f, size_t number, size_t links_target)
{
    struct field_node *n = &f->nodes[number];
    *n = (struct field_node){.field = f, .number = number, .heap_at = number, .due_ms = UINT64_MAX};
    n->held_ms = calloc(FIELD_ITEMS_MAX, sizeof *n->held_ms);
    assert(n->held_ms != NULL);
    f->heap[number] = number;
    struct era_peer_record record = {.made_ms = 1};
    const char *address = address_of(number, n->address);
    struct era_gossip_config config = {
        .network = f->network,
        .agent = "field",
        .listen = address,
        .root = era_root_of_seed(f->seed + number),
        .protocol_min = ERA_PROTOCOL_MIN,
        .protocol_max = ERA_PROTOCOL_MAX,
        .fetch = node_fetch,
        .has = node_has,
        .ctx = n,
        .links_target = links_target,
        .fits = any_signature,
    };
    bool dialable = era_place_parse(address, &record.place);
    assert(dialable);
    era_put_be64(config.node.b, number + 1);
    record.node = config.node;
    n->gossip = era_gossip_new(&config);
    era_gossip_set_record(n->gossip, &record);
}

struct field *field_new(size_t nodes, size_t degree, uint64_t seed, bool overlay)
{
    struct field *f = calloc(1, sizeof *f);
    assert(f != NULL && nodes > degree);
    f->seed = seed;
    f->now_ms = 1000;
    era_prng_init(&f->prng, seed);
    f->node_count = nodes;
    f->nodes = calloc(nodes, sizeof *f->nodes);
    f->heap = calloc(nodes, sizeof *f->heap);
    assert(f->nodes != NULL && f->heap != NULL);
    for (size_t i = 0; i < FIELD_RING_MS; i++)
        f->ring_end[i] = &f->ring[i];
    for (size_t i = 0; i < nodes; i++)
        node_start(f, i, overlay ? degree : 0);
    graph_make(f, degree);
    for (size_t i = 0; i < f->edge_count; i++)
        link_up(f, i);
    field_run(f, (uint64_t)2 * FIELD_LATENCY_MAX_MS);
    return f;
}

static void events_free(struct field_event *event)
{
    while (event != NULL) {
        struct field_event *next = event->next;
        free(event);
        event = next;
    }
}

void field_free(struct field *f)
{
    for (size_t i = 0; i < FIELD_RING_MS; i++)
        events_free(f->ring[i]);
    for (size_t i = 0; i < f->node_count; i++) {
        era_gossip_free(f->nodes[i].gossip);
        free(f->nodes[i].held_ms);
        free(f->nodes[i].edges);
    }
    for (size_t i = 0; i < f->item_count; i++)
        free((void *)(uintptr_t)f->items[i].bytes.data);
    free(f->nodes);
    free(f->edges);
    free(f->heap);
    free(f);
}

/* ---- what happens ---- */

size_t field_publish(struct field *f, size_t node)
{
    assert(f->item_count < FIELD_ITEMS_MAX && !f->nodes[node].dead);
    size_t number = f->item_count++;
    struct field_item *item = &f->items[number];
    uint8_t payload[PAYLOAD_BYTES] = {0};
    era_put_be64(payload, number);
    struct era_envelope e = {.kind = ERA_KIND_ANNOUNCEMENT, .payload = {payload, sizeof payload}};
    era_put_be64(e.key.b, node + 1);
    size_t len = era_envelope_bytes(&e);
    uint8_t *bytes = malloc(len);
    assert(bytes != NULL);
    era_envelope_encode(&e, bytes, len);
    item->bytes = (struct era_bytes){bytes, len};
    item->id = era_statement_id(&f->network, e.kind, e.payload);
    item->id = era_item_id_loose(&item->id, &e.key);
    item->source = node;
    item->born_ms = f->now_ms;
    *slot_of(f, &item->id) = number + 1;
    hold(f, &f->nodes[node], number, 0);
    act(f, &f->nodes[node]);
    return number;
}

void field_vanish(struct field *f, size_t node)
{
    f->nodes[node].dead = true;
    f->nodes[node].due_ms = UINT64_MAX;
    heap_fix(f, f->nodes[node].heap_at);
}

static void link_break(struct field *f, size_t edge)
{
    struct field_edge *e = &f->edges[edge];
    e->open[0] = e->open[1] = false;
    e->cut = true;
    for (size_t end = 0; end < 2; end++) {
        struct field_node *n = &f->nodes[e->node[end]];
        if (n->dead)
            continue;
        era_gossip_link_down(n->gossip, f->now_ms, 2 * edge + 1 + end, ERA_ACCEPTED);
        act(f, n);
    }
}

/* A link to take its place: numbers of links are used once. */
static size_t edge_again(struct field *f, size_t edge)
{
    size_t again = edge_make(f, f->edges[edge].node[0], f->edges[edge].node[1]);
    f->edges[again].latency_ms = f->edges[edge].latency_ms;
    f->edges[edge].cut = false;
    return again;
}

void field_part(struct field *f, bool parted)
{
    f->parted = parted;
    for (size_t i = 0, count = f->edge_count; i < count; i++) {
        struct field_edge e = f->edges[i];
        bool crosses = f->nodes[e.node[0]].side != f->nodes[e.node[1]].side;
        if (parted && crosses && e.open[0] && e.open[1])
            link_break(f, i);
        else if (!parted && e.cut)
            happen(f, f->now_ms + era_prng_below(&f->prng, ERA_RECONNECT_MAX_MS),
                   event_of(FIELD_DIALLED, edge_again(f, i), 0, (struct era_bytes){0}));
    }
}

uint64_t field_flood_ms(const struct field *f, size_t from, size_t *reached, bool *in)
{
    uint64_t *at = malloc(f->node_count * sizeof *at), last = 0;
    assert(at != NULL);
    memset(at, 0xff, f->node_count * sizeof *at);
    at[from] = 0;
    *reached = 0;
    /* Latencies are small numbers: walk through time. */
    for (uint64_t ms = 0, open = 0; ms <= open; ms++)
        for (size_t i = 0; i < f->node_count; i++) {
            if (at[i] != ms)
                continue;
            (*reached)++;
            last = ms;
            if (in != NULL)
                in[i] = true;
            for (size_t k = 0; k < f->nodes[i].edge_count; k++) {
                const struct field_edge *e = &f->edges[f->nodes[i].edges[k]];
                size_t to = e->node[0] == i ? e->node[1] : e->node[0];
                uint64_t then = ms + e->latency_ms;
                if (!e->open[0] || !e->open[1] || f->nodes[to].dead || then >= at[to])
                    continue;
                at[to] = then;
                open = then > open ? then : open;
            }
        }
    free(at);
    return last;
}

struct era_branch_counts field_counts(const struct field *f)
{
    struct era_branch_counts sum = {0};
    struct era_peer_info infos[64];
    for (size_t i = 0; i < f->node_count; i++) {
        size_t count = era_gossip_peers(f->nodes[i].gossip, infos, 64);
        for (size_t k = 0; k < count && k < 64; k++) {
            sum.announced_out += infos[k].spread.announced_out;
            sum.announced_in += infos[k].spread.announced_in;
            sum.wants_out += infos[k].spread.wants_out;
            sum.grafts_out += infos[k].spread.grafts_out;
            sum.prunes_out += infos[k].spread.prunes_out;
            sum.forgotten += infos[k].spread.forgotten;
        }
    }
    return sum;
}
