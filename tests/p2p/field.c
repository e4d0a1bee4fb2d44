#include "tests/p2p/field.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"

#define PAYLOAD_BYTES 200
#define RING          256
#define PAIRING_TRIES 200

struct field_frame {
    struct field_frame *next;
    size_t edge, end; /* where it arrives */
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
    return set == ERA_SET_STATEMENTS && item != 0 && n->held[item - 1];
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
    n->held[item] = true;
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

static void carry(struct field *f, struct field_node *from, uint64_t link, struct era_bytes bytes)
{
    size_t edge = (size_t)(link - 1) / 2, end = (size_t)link % 2; /* of the two numbers, the other end's */
    const struct field_edge *e = &f->edges[edge];
    const struct field_node *to = &f->nodes[e->node[end]];
    f->frames++;
    f->bytes += bytes.len;
    era_gossip_sent(from->gossip, f->now_ms, link, bytes.len);
    if (to->dead || (f->parted && to->side != from->side))
        return;
    if (is_lost(f, bytes)) {
        f->lost++;
        return;
    }
    struct field_frame *frame = malloc(sizeof *frame + bytes.len);
    assert(frame != NULL);
    *frame = (struct field_frame){.edge = edge, .end = end, .len = bytes.len};
    if (bytes.len > 0)
        memcpy(frame->bytes, bytes.data, bytes.len);
    size_t at = (size_t)(f->now_ms + e->latency_ms) % RING;
    *f->ring_end[at] = frame;
    f->ring_end[at] = &frame->next;
    f->flying++;
}

static void deliver(struct field *f, struct field_node *n, uint64_t link, struct era_bytes bytes)
{
    struct era_envelope e;
    enum era_verdict verdict = era_envelope_decode(bytes, &e);
    assert(verdict == ERA_ACCEPTED);
    size_t item = (size_t)era_get_be64(e.payload.data);
    f->items[item].copies++;
    if (n->held[item])
        era_gossip_verdict(n->gossip, f->now_ms, link, &f->items[item].id, ERA_DUPLICATE);
    else
        hold(f, n, item, link);
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
                deliver(f, n, actions[i].link, actions[i].bytes);
        }
    n->due_ms = era_gossip_deadline_ms(n->gossip);
    heap_fix(f, n->heap_at);
}

static void arrive(struct field *f, struct field_frame *frame)
{
    const struct field_edge *e = &f->edges[frame->edge];
    struct field_node *n = &f->nodes[e->node[frame->end]];
    f->flying--;
    if (!n->dead) {
        era_gossip_frame(n->gossip, f->now_ms, e->link[frame->end],
                         (struct era_bytes){frame->bytes, frame->len});
        act(f, n);
    }
    free(frame);
}

static void step(struct field *f)
{
    struct field_frame *first = f->ring[f->now_ms % RING], *next;
    f->ring[f->now_ms % RING] = NULL;
    f->ring_end[f->now_ms % RING] = &f->ring[f->now_ms % RING];
    for (; first != NULL; first = next) {
        next = first->next;
        arrive(f, first);
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

static void edge_make(struct field *f, size_t a, size_t b)
{
    size_t number = f->edge_count++;
    uint64_t spread = FIELD_LATENCY_MAX_MS - FIELD_LATENCY_MIN_MS + 1;
    f->edges[number] = (struct field_edge){
        .node = {a, b},
        .link = {2 * number + 1, 2 * number + 2}, /* the end that a number is not of: number % 2 */
        .latency_ms = FIELD_LATENCY_MIN_MS + era_prng_below(&f->prng, spread),
    };
    f->nodes[a].edges[f->nodes[a].edge_count++] = number;
    f->nodes[b].edges[f->nodes[b].edge_count++] = number;
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
        edge_make(f, a, b);
        end[i] = end[--ends];
        end[k == ends ? i : k] = end[ends - 1];
        ends--;
        tries = 0;
    }
    free(end);
}

static void node_start(struct field *f, size_t number, size_t degree)
{
    struct field_node *n = &f->nodes[number];
    *n = (struct field_node){.field = f, .number = number, .heap_at = number, .due_ms = UINT64_MAX};
    n->held = calloc(FIELD_ITEMS_MAX, sizeof *n->held);
    n->edges = calloc(degree, sizeof *n->edges);
    assert(n->held != NULL && n->edges != NULL);
    f->heap[number] = number;
    struct era_gossip_config config = {
        .network = f->network,
        .agent = "field",
        .listen = "",
        .seed = f->seed + number,
        .protocol_min = ERA_PROTOCOL_MIN,
        .protocol_max = ERA_PROTOCOL_MAX,
        .fetch = node_fetch,
        .has = node_has,
        .ctx = n,
    };
    era_put_be64(config.node.b, number + 1);
    n->gossip = era_gossip_new(&config);
}

static void links_up(struct field *f)
{
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    for (size_t i = 0; i < f->edge_count; i++)
        for (size_t k = 0; k < 2; k++) {
            struct field_edge *e = &f->edges[i];
            struct field_node *n = &f->nodes[e->node[k]], *to = &f->nodes[e->node[1 - k]];
            struct era_key key = {{0}};
            era_put_be64(key.b, to->number + 1);
            snprintf(address, sizeof address, "tcp://10.%zu.%zu.%zu:7711", to->number >> 16 & 255,
                     to->number >> 8 & 255, to->number & 255);
            era_gossip_link_up(n->gossip, f->now_ms, e->link[k], k == 0, address, key.b);
            act(f, n);
        }
}

struct field *field_new(size_t nodes, size_t degree, uint64_t seed)
{
    struct field *f = calloc(1, sizeof *f);
    assert(f != NULL && nodes > degree);
    f->seed = seed;
    f->now_ms = 1000;
    era_prng_init(&f->prng, seed);
    f->node_count = nodes;
    f->nodes = calloc(nodes, sizeof *f->nodes);
    f->edges = calloc(nodes * degree / 2 + 1, sizeof *f->edges);
    f->heap = calloc(nodes, sizeof *f->heap);
    assert(f->nodes != NULL && f->edges != NULL && f->heap != NULL);
    for (size_t i = 0; i < RING; i++)
        f->ring_end[i] = &f->ring[i];
    for (size_t i = 0; i < nodes; i++)
        node_start(f, i, degree);
    graph_make(f, degree);
    links_up(f);
    field_run(f, (uint64_t)2 * FIELD_LATENCY_MAX_MS);
    return f;
}

void field_free(struct field *f)
{
    for (size_t i = 0; i < RING; i++)
        for (struct field_frame *frame = f->ring[i], *next; frame != NULL; frame = next) {
            next = frame->next;
            free(frame);
        }
    for (size_t i = 0; i < f->node_count; i++) {
        era_gossip_free(f->nodes[i].gossip);
        free(f->nodes[i].held);
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

void field_part(struct field *f, bool parted)
{
    f->parted = parted;
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
                if (!f->nodes[to].dead && then < at[to])
                    at[to] = then;
                open = !f->nodes[to].dead && at[to] > open ? at[to] : open;
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
