#include "tests/p2p/wire.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const uint8_t wire_proven[ERA_KEY_BYTES];

struct wire *wire_new(uint64_t now_ms, uint64_t seed)
{
    struct wire *w = calloc(1, sizeof *w);
    w->now_ms = now_ms;
    w->seed = seed;
    w->delay_ms = 5;
    w->next_link = 1;
    w->network.b[0] = 0x77;
    era_prng_init(&w->prng, seed);
    return w;
}

static void way_clear(struct wire_way *way)
{
    for (size_t i = 0; i < way->count; i++)
        free(way->frames[way->head + i].bytes);
    way->head = way->count = 0;
}

void wire_free(struct wire *w)
{
    for (size_t i = 0; i < WIRE_NODES_MAX; i++) {
        era_gossip_free(w->nodes[i].gossip);
        free(w->nodes[i].held);
        free(w->nodes[i].answer);
    }
    for (size_t i = 0; i < w->link_count; i++)
        for (size_t k = 0; k < 2; k++) {
            way_clear(&w->links[i].way[k]);
            free(w->links[i].way[k].frames);
        }
    for (size_t i = 0; i < w->item_count; i++)
        free((void *)(uintptr_t)w->items[i].bytes.data);
    free(w->links);
    free(w->items);
    free(w->index);
    free(w);
}

/* ---- items ---- */

static size_t slot_of(const struct wire *w, const struct era_hash *id)
{
    size_t at = (size_t)era_get_be64(id->b) & (w->index_cap - 1);
    while (w->index[at] != WIRE_NONE && !era_hash_eq(&w->items[w->index[at]].id, id))
        at = (at + 1) & (w->index_cap - 1);
    return at;
}

size_t wire_find(const struct wire *w, const struct era_hash *id)
{
    return w->index_cap == 0 ? WIRE_NONE : w->index[slot_of(w, id)];
}

static void items_grow(struct wire *w)
{
    size_t cap = w->item_cap == 0 ? 64 : 2 * w->item_cap;
    w->items = realloc(w->items, cap * sizeof *w->items);
    for (size_t i = 0; i < WIRE_NODES_MAX; i++) {
        struct wire_node *n = &w->nodes[i];
        n->held = realloc(n->held, cap * sizeof *n->held);
        n->answer = realloc(n->answer, cap * sizeof *n->answer);
        memset(n->held + w->item_cap, 0, (cap - w->item_cap) * sizeof *n->held);
        memset(n->answer + w->item_cap, 0, (cap - w->item_cap) * sizeof *n->answer);
    }
    w->item_cap = cap;
    w->index_cap = 4 * cap;
    w->index = realloc(w->index, w->index_cap * sizeof *w->index);
    for (size_t i = 0; i < w->index_cap; i++)
        w->index[i] = WIRE_NONE;
    for (size_t i = 0; i < w->item_count; i++)
        w->index[slot_of(w, &w->items[i].id)] = i;
}

static struct era_hash envelope_id(const struct wire *w, const struct era_envelope *e)
{
    struct era_hash id = era_statement_id(&w->network, e->kind, e->payload);
    return era_item_id_loose(&id, &e->key);
}

size_t wire_item(struct wire *w, uint32_t kind, size_t payload_bytes)
{
    if (w->item_count == w->item_cap)
        items_grow(w);
    uint8_t *payload = calloc(1, payload_bytes);
    era_put_be64(payload, w->item_count);
    struct era_envelope e = {.kind = kind, .payload = {payload, payload_bytes}};
    e.key.b[0] = 1;
    size_t len = era_envelope_bytes(&e);
    uint8_t *bytes = malloc(len);
    cr_assert_eq(era_envelope_encode(&e, bytes, len), len);
    struct wire_item *item = &w->items[w->item_count];
    item->set = kind == ERA_KIND_EVENT ? ERA_SET_EVENTS : ERA_SET_STATEMENTS;
    item->bytes = (struct era_bytes){bytes, len};
    item->id = envelope_id(w, &e);
    free(payload);
    w->index[slot_of(w, &item->id)] = w->item_count;
    return w->item_count++;
}

static bool node_fetch(void *ctx, enum era_set set, const struct era_hash *id, struct era_bytes *out)
{
    struct wire_node *n = ctx;
    size_t item = wire_find(n->wire, id);
    if (item == WIRE_NONE || !n->held[item] || n->wire->items[item].set != set)
        return false;
    n->fetched++;
    *out = n->wire->items[item].bytes;
    return true;
}

static bool node_has(void *ctx, enum era_set set, const struct era_hash *id)
{
    struct wire_node *n = ctx;
    size_t item = wire_find(n->wire, id);
    return item != WIRE_NONE && n->held[item] && n->wire->items[item].set == set;
}

void wire_give(struct wire *w, size_t node, size_t item, bool push)
{
    struct wire_node *n = &w->nodes[node];
    n->held[item] = true;
    if (n->gossip != NULL)
        era_gossip_publish(n->gossip, w->now_ms, w->items[item].set, &w->items[item].id, 0, push);
}

void wire_take(struct wire *w, size_t node, size_t item)
{
    w->nodes[node].held[item] = false;
    era_gossip_withdraw(w->nodes[node].gossip, w->items[item].set, &w->items[item].id);
}

size_t wire_held(const struct wire *w, size_t node)
{
    size_t count = 0;
    for (size_t i = 0; i < w->item_count; i++)
        count += w->nodes[node].held[i];
    return count;
}

/* ---- nodes ---- */

/* What a test does not play by hand proves whatever it says. */
static bool any_key(const uint8_t proven[ERA_KEY_BYTES], const struct era_key *node)
{
    (void)proven, (void)node;
    return true;
}

/* The key and the digest, mixed: what a toy signs with. */
static struct era_signature toy_signature(const struct era_key *key, const struct era_hash *digest)
{
    struct era_signature s = {{0}};
    for (size_t i = 0; i < ERA_KEY_BYTES; i++)
        s.b[i] = key->b[i] ^ digest->b[i];
    return s;
}

static bool toy_fits(void *ctx, const struct era_key *key, const struct era_hash *digest,
                     const struct era_signature *signature)
{
    (void)ctx;
    struct era_signature s = toy_signature(key, digest);
    return memcmp(&s, signature, sizeof s) == 0;
}

static void sign_toy_record(struct wire_node *node, const struct era_key *key)
{
    node->record = (struct era_peer_record){.node = *key, .made_ms = 1};
    cr_assert(era_place_parse(wire_address(node->number, node->listen), &node->record.place));
    struct era_hash digest = era_peer_record_digest(&node->wire->network, &node->record);
    node->record.signature = toy_signature(key, &digest);
}

struct era_gossip_config wire_config(struct wire_node *node)
{
    struct era_gossip_config config = {
        .network = node->wire->network,
        .agent = "wire/1",
        .listen = "",
        .root = era_root_of_seed(node->wire->seed + node->number),
        .protocol_min = 1,
        .protocol_max = 1,
        .fetch = node_fetch,
        .has = node_has,
        .ctx = node,
        .proves = any_key,
    };
    config.node.b[0] = (uint8_t)(node->number + 1);
    if (node->wire->target > 0) {
        sign_toy_record(node, &config.node);
        config.links_target = node->wire->target;
        config.listen = node->listen;
        config.fits = toy_fits;
    }
    return config;
}

const char *wire_address(size_t number, char out[ERA_ADDRESS_BYTES_MAX + 1])
{
    snprintf(out, ERA_ADDRESS_BYTES_MAX + 1, "tcp://10.0.0.%zu:7711", number);
    return out;
}

void wire_start(struct wire *w, size_t node)
{
    struct wire_node *n = &w->nodes[node];
    struct era_gossip_config config = wire_config(n);
    n->gossip = era_gossip_new(&config);
    if (n->record.place.len > 0)
        era_gossip_set_record(n->gossip, &n->record);
    for (size_t i = 0; i < w->item_count; i++)
        if (n->held[i])
            era_gossip_publish(n->gossip, w->now_ms, w->items[i].set, &w->items[i].id, 0, false);
}

struct wire_node *wire_node(struct wire *w)
{
    cr_assert_lt(w->node_count, WIRE_NODES_MAX);
    struct wire_node *n = &w->nodes[w->node_count];
    n->wire = w;
    n->number = w->node_count++;
    if (w->item_cap == 0)
        items_grow(w);
    wire_start(w, n->number);
    return n;
}

static void link_end(struct wire *w, struct wire_link *l)
{
    l->open = false;
    for (size_t k = 0; k < 2; k++) {
        struct wire_node *n = &w->nodes[l->way[k].from];
        if (n->gossip != NULL)
            era_gossip_link_down(n->gossip, w->now_ms, l->way[k].link_from, ERA_ACCEPTED);
        way_clear(&l->way[k]);
    }
}

void wire_stop(struct wire *w, size_t node)
{
    era_gossip_free(w->nodes[node].gossip);
    w->nodes[node].gossip = NULL;
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i].open && (w->links[i].way[0].from == node || w->links[i].way[0].to == node))
            link_end(w, &w->links[i]);
}

void wire_anchor(struct wire *w, size_t a, size_t b)
{
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    cr_assert_eq(era_gossip_add_anchor(w->nodes[a].gossip, wire_address(b, address)), ERA_ACCEPTED);
}

void wire_join(struct wire *w, size_t a, size_t b)
{
    if (w->link_count == w->link_cap) {
        w->link_cap = w->link_cap == 0 ? 16 : 2 * w->link_cap;
        w->links = realloc(w->links, w->link_cap * sizeof *w->links);
    }
    struct wire_link *l = &w->links[w->link_count++];
    memset(l, 0, sizeof *l);
    uint64_t at_a = w->next_link++, at_b = w->next_link++;
    l->open = true;
    l->way[0] = (struct wire_way){.from = a, .to = b, .link_from = at_a, .link_to = at_b};
    l->way[1] = (struct wire_way){.from = b, .to = a, .link_from = at_b, .link_to = at_a};
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    era_gossip_link_up(w->nodes[a].gossip, w->now_ms, at_a, true, wire_address(b, address), wire_proven);
    snprintf(address, sizeof address, "tcp://10.0.0.%zu:%llu", a, 30000 + (unsigned long long)at_a % 30000);
    era_gossip_link_up(w->nodes[b].gossip, w->now_ms, at_b, false, address, wire_proven);
}

static bool connects(const struct wire_link *l, size_t a, size_t b)
{
    return l->open &&
           ((l->way[0].from == a && l->way[0].to == b) || (l->way[0].from == b && l->way[0].to == a));
}

void wire_cut(struct wire *w, size_t a, size_t b, bool apart)
{
    for (size_t i = 0; i < w->link_count; i++)
        if (connects(&w->links[i], a, b))
            link_end(w, &w->links[i]);
    w->apart[a][b] = w->apart[b][a] = apart;
}

void wire_heal(struct wire *w, size_t a, size_t b)
{
    w->apart[a][b] = w->apart[b][a] = false;
}

void wire_stall(struct wire *w, size_t a, size_t b, bool stalled)
{
    for (size_t i = 0; i < w->link_count; i++)
        for (size_t k = 0; k < 2; k++)
            if (connects(&w->links[i], a, b) && w->links[i].way[k].from == a)
                w->links[i].way[k].stalled = stalled;
}

struct era_peer_info wire_peer(const struct wire *w, size_t node, size_t peer)
{
    struct era_peer_info infos[ERA_LINKS_MAX], none = {0};
    size_t n = era_gossip_peers(w->nodes[node].gossip, infos, ERA_LINKS_MAX);
    for (size_t i = 0; i < n; i++)
        if (infos[i].node.b[0] == peer + 1)
            return infos[i];
    return none;
}

size_t wire_links_of(const struct wire *w, size_t node)
{
    return era_gossip_peers(w->nodes[node].gossip, NULL, 0);
}

/* ---- carrying ---- */

static struct wire_way *way_of(struct wire *w, uint64_t link_from)
{
    for (size_t i = w->link_count; i-- > 0;)
        for (size_t k = 0; k < 2; k++)
            if (w->links[i].open && w->links[i].way[k].link_from == link_from)
                return &w->links[i].way[k];
    return NULL;
}

/* When what is sent now is there; never before what was sent earlier. */
static uint64_t arrival_ms(struct wire *w, const struct wire_way *way)
{
    uint64_t at_ms = era_add_sat(w->now_ms, w->delay_ms), last_ms = 0;
    if (w->loss_percent == 0)
        return at_ms;
    for (uint64_t again_ms = 200; era_prng_below(&w->prng, 100) < w->loss_percent; again_ms *= 2)
        at_ms += again_ms;
    if (way->count > 0)
        last_ms = way->frames[way->head + way->count - 1].at_ms;
    return at_ms > last_ms ? at_ms : last_ms;
}

static void way_put(struct wire *w, struct wire_way *way, struct era_bytes bytes, bool end)
{
    if (way->head + way->count == way->cap) {
        if (way->head > 0)
            memmove(way->frames, way->frames + way->head, way->count * sizeof *way->frames);
        way->head = 0;
        if (way->count == way->cap) {
            way->cap = way->cap == 0 ? 8 : 2 * way->cap;
            way->frames = realloc(way->frames, way->cap * sizeof *way->frames);
        }
    }
    uint64_t at_ms = arrival_ms(w, way);
    struct wire_frame *f = &way->frames[way->head + way->count++];
    f->at_ms = at_ms;
    f->bytes = malloc(bytes.len + 1);
    if (bytes.len > 0)
        memcpy(f->bytes, bytes.data, bytes.len);
    f->len = bytes.len;
    f->end = end;
}

static void node_judge(struct wire *w, struct wire_node *n, uint64_t link, const struct era_opened *opened)
{
    n->delivered++;
    struct era_hash id = envelope_id(w, &opened->envelope);
    size_t item = wire_find(w, &id);
    if (item == WIRE_NONE) {
        era_gossip_verdict(n->gossip, w->now_ms, link, NULL, ERA_BAD_SIGNATURE);
    } else if (n->held[item]) {
        era_gossip_verdict(n->gossip, w->now_ms, link, &id, ERA_DUPLICATE);
    } else if (n->answer[item] != ERA_ACCEPTED) {
        era_gossip_verdict(n->gossip, w->now_ms, link, &id, n->answer[item]);
    } else {
        n->held[item] = true;
        era_gossip_publish(n->gossip, w->now_ms, w->items[item].set, &id, link, true);
    }
}

static void node_dial(struct wire *w, struct wire_node *n, const char *address)
{
    size_t other = WIRE_NONE;
    n->dials++;
    cr_assert_eq(sscanf(address, "tcp://10.0.0.%zu:", &other), 1);
    if (other >= w->node_count || w->nodes[other].gossip == NULL || w->apart[n->number][other])
        era_gossip_dial_failed(n->gossip, w->now_ms, address);
    else
        wire_join(w, n->number, other);
}

static void node_action(struct wire *w, struct wire_node *n, const struct era_gossip_action *a)
{
    struct wire_way *way = a->link == 0 ? NULL : way_of(w, a->link);
    switch (a->kind) {
    case ERA_GOSSIP_SEND:
        cr_assert_leq(a->bytes.len, ERA_FRAME_BYTES_MAX);
        w->frames++;
        w->bytes += a->bytes.len;
        if (way != NULL)
            way_put(w, way, a->bytes, false);
        break;
    case ERA_GOSSIP_CLOSE:
        n->closed++;
        n->last_close = a->verdict;
        if (way != NULL)
            way_put(w, way, (struct era_bytes){NULL, 0}, true);
        break;
    case ERA_GOSSIP_CONNECT:
        node_dial(w, n, a->address);
        break;
    case ERA_GOSSIP_DELIVER:
        node_judge(w, n, a->link, &a->opened);
        break;
    case ERA_GOSSIP_PEER_UP:
        n->ups++;
        break;
    case ERA_GOSSIP_PEER_DOWN:
        n->downs++;
        n->last_down = a->verdict;
        break;
    }
}

void wire_act(struct wire *w)
{
    bool any = true;
    while (any) {
        any = false;
        for (size_t i = 0; i < w->node_count; i++) {
            struct wire_node *n = &w->nodes[i];
            const struct era_gossip_action *actions;
            size_t count = n->gossip == NULL ? 0 : era_gossip_take_actions(n->gossip, &actions);
            for (size_t k = 0; k < count; k++)
                node_action(w, n, &actions[k]);
            any = any || count > 0;
        }
    }
}

/* Carry the first frame of the way when its time has come. */
static bool way_carry(struct wire *w, size_t link, size_t k)
{
    struct wire_way *way = &w->links[link].way[k];
    if (way->count == 0 || way->stalled || way->frames[way->head].at_ms > w->now_ms)
        return false;
    struct wire_frame f = way->frames[way->head++];
    struct era_gossip *from = w->nodes[way->from].gossip, *to = w->nodes[way->to].gossip;
    uint64_t link_from = way->link_from, link_to = way->link_to;
    way->count--;
    if (f.end) {
        link_end(w, &w->links[link]);
    } else {
        era_gossip_sent(from, w->now_ms, link_from, f.len);
        era_gossip_frame(to, w->now_ms, link_to, (struct era_bytes){f.bytes, f.len});
    }
    free(f.bytes);
    return true;
}

static uint64_t next_ms(const struct wire *w)
{
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < w->node_count; i++) {
        uint64_t d = w->nodes[i].gossip == NULL ? UINT64_MAX : era_gossip_deadline_ms(w->nodes[i].gossip);
        next = d < next ? d : next;
    }
    for (size_t i = 0; i < w->link_count; i++)
        for (size_t k = 0; k < 2; k++) {
            const struct wire_way *way = &w->links[i].way[k];
            if (w->links[i].open && way->count > 0 && !way->stalled && way->frames[way->head].at_ms < next)
                next = way->frames[way->head].at_ms;
        }
    return next;
}

static void step(struct wire *w)
{
    for (size_t i = 0; i < w->link_count; i++)
        for (size_t k = 0; k < 2; k++)
            while (w->links[i].open && way_carry(w, i, k))
                wire_act(w);
    for (size_t i = 0; i < w->node_count; i++) {
        struct era_gossip *g = w->nodes[i].gossip;
        if (g == NULL || era_gossip_deadline_ms(g) > w->now_ms)
            continue;
        w->nodes[i].ticks++;
        era_gossip_tick(g, w->now_ms);
        cr_assert(era_gossip_deadline_ms(g) > w->now_ms || w->now_ms == UINT64_MAX, "no busy loop");
        wire_act(w);
    }
}

void wire_run(struct wire *w, uint64_t ms)
{
    uint64_t end = era_add_sat(w->now_ms, ms);
    wire_act(w);
    for (;;) {
        uint64_t next = next_ms(w);
        if (next > end || next == UINT64_MAX)
            break;
        if (next > w->now_ms)
            w->now_ms = next;
        step(w);
    }
    w->now_ms = end;
}
