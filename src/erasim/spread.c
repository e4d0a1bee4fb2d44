#include "src/erasim/spread.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "store/record.h"

/* ---- which statement ---- */

static bool begun(const struct spread *v)
{
    return v->s->now_ms >= v->s->plan.epochs * v->s->plan.epoch_ms / 2;
}

static void choose(struct spread *v, const struct sim_node *n, const struct era_envelope *e,
                   const struct era_hash *item, struct era_bytes bytes)
{
    v->statement = malloc(bytes.len);
    assert(v->statement);
    memcpy(v->statement, bytes.data, bytes.len);
    v->statement_len = bytes.len;
    v->item = *item;
    v->kind = e->kind;
    v->made_ms = v->s->now_ms;
    v->origin = n->number;
    v->nodes[n->number].reached = true;
}

static void stored(void *ctx, struct sim *s, struct sim_node *n, const struct era_store_put *puts,
                   size_t count)
{
    struct spread *v = ctx;
    if (v->origin != SPREAD_NONE || !begun(v) || n->number >= v->node_count || !n->key ||
        era_node_lock(n->node) != ERA_LOCK_NONE) /* what a locked key stores of its own, others hold */
        return;
    (void)s;
    for (size_t i = 0; i < count && v->origin == SPREAD_NONE; i++) {
        enum era_record_kind kind;
        struct era_hash item;
        struct era_bytes bytes = puts[i].value;
        struct era_envelope e;
        if (bytes.len > 0 && era_record_item_read(puts[i].key, &kind, &item) &&
            kind == ERA_RECORD_STATEMENT && bytes.len <= ERA_FRAGMENT_BYTES_MAX &&
            era_envelope_decode(bytes, &e) == ERA_ACCEPTED && era_key_eq(&e.key, &n->key->secret.key))
            choose(v, n, &e, &item, bytes);
    }
}

/* ---- what nodes hear of it ---- */

static struct spread_edge *edge_of(struct spread *v, size_t from, size_t to)
{
    struct spread_node *n = &v->nodes[to];
    for (size_t i = 0; i < n->edge_count; i++)
        if (n->edges[i].from == from)
            return &n->edges[i];
    if (n->edge_count == n->edge_cap) {
        n->edge_cap = n->edge_cap ? 2 * n->edge_cap : 8;
        n->edges = realloc(n->edges, n->edge_cap * sizeof *n->edges);
        assert(n->edges);
    }
    n->edges[n->edge_count] = (struct spread_edge){.from = from, .at_ms = v->s->now_ms - v->made_ms};
    return &n->edges[n->edge_count++];
}

static void copy_came(struct spread *v, const struct sim_node *from, size_t to)
{
    struct spread_node *n = &v->nodes[to];
    uint64_t at_ms = v->s->now_ms - v->made_ms;
    v->foreign += from == NULL;
    if (from) {
        struct spread_edge *e = edge_of(v, from->number, to);
        e->at_ms = e->copies++ ? e->at_ms : at_ms;
        e->first = e->first || !n->reached;
    }
    if (n->reached)
        return;
    n->reached = true;
    n->at_ms = at_ms;
    n->from = from ? from->number : SPREAD_NONE;
    n->hops = from ? v->nodes[n->from].hops + 1 : 0;
}

/* The statement's short id as a node wants to be told it (p2p/broadcast.h). */
static uint64_t short_id(const struct spread *v, size_t of)
{
    uint64_t id = era_siphash(&v->nodes[of].salt, v->item.b, sizeof v->item.b);
    return id ? id : 1;
}

static bool names(struct era_bytes entry, uint64_t id)
{
    return era_get_be64(entry.data) == id;
}

static void spread_came(struct spread *v, size_t from, size_t to, const struct era_frame_spread *f)
{
    uint64_t told = short_id(v, to), asked = short_id(v, from);
    for (size_t i = 0; i + ERA_SPREAD_ENTRY_BYTES <= f->announced.len; i += ERA_SPREAD_ENTRY_BYTES)
        if (names((struct era_bytes){f->announced.data + i, ERA_SPREAD_ENTRY_BYTES}, told))
            edge_of(v, from, to)->announced++;
    for (size_t i = 0; i + ERA_SPREAD_ENTRY_BYTES <= f->orders.len; i += ERA_SPREAD_ENTRY_BYTES) {
        unsigned order = f->orders.data[i + ERA_FRAME_SHORT_BYTES];
        if (names((struct era_bytes){f->orders.data + i, ERA_SPREAD_ENTRY_BYTES}, asked) &&
            (order == ERA_ORDER_WANT || order == ERA_ORDER_GRAFT) && !v->nodes[from].reached)
            edge_of(v, to, from)->asked = true;
    }
}

static void heard(void *ctx, struct sim *s, struct sim_node *from, struct sim_node *to,
                  struct era_bytes frame)
{
    struct spread *v = ctx;
    struct era_frame f;
    struct era_frame_part part;
    if (to->number >= v->node_count || s->now_ms >= s->plan.epochs * s->plan.epoch_ms ||
        era_frame_decode(frame, &f) != ERA_ACCEPTED)
        return;
    struct era_frame_cursor at = era_frame_first(&f);
    while (era_frame_next(&at, &part)) {
        if (part.kind == ERA_FRAME_HELLO && from)
            memcpy(v->nodes[from->number].salt.b, part.u.hello.salt, sizeof part.u.hello.salt);
        else if (v->origin == SPREAD_NONE)
            continue;
        else if (part.kind == ERA_FRAME_SPREAD && from)
            spread_came(v, from->number, to->number, &part.u.spread);
        else if (part.kind == ERA_FRAME_STATEMENT && part.u.statement.len == v->statement_len &&
                 memcmp(part.u.statement.data, v->statement, v->statement_len) == 0)
            copy_came(v, from, to->number);
    }
}

/* ---- life ---- */

struct spread *spread_new(struct sim *s)
{
    struct spread *v = calloc(1, sizeof *v);
    assert(v);
    v->s = s;
    v->origin = SPREAD_NONE;
    v->node_count = s->node_count;
    v->nodes = calloc(v->node_count + 1, sizeof *v->nodes);
    assert(v->nodes);
    for (size_t i = 0; i < v->node_count; i++)
        v->nodes[i].from = SPREAD_NONE;
    sim_watch(s, (struct sim_watch){.ctx = v, .stored = stored, .heard = heard});
    return v;
}

void spread_free(struct spread *v)
{
    if (!v)
        return;
    for (size_t i = 0; i < v->node_count; i++)
        free(v->nodes[i].edges);
    free(v->nodes);
    free(v->statement);
    free(v);
}

/* ---- what is asked ---- */

const struct spread_edge *spread_between(const struct spread *v, size_t from, size_t to)
{
    const struct spread_node *n = &v->nodes[to];
    for (size_t i = 0; i < n->edge_count; i++)
        if (n->edges[i].from == from)
            return &n->edges[i];
    return NULL;
}

static int by_time(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void count_times(const struct spread *v, struct spread_counts *c)
{
    uint64_t *times = malloc((v->node_count + 1) * sizeof *times);
    assert(times);
    for (size_t i = 0; i < v->node_count; i++)
        if (v->nodes[i].reached)
            times[c->reached++] = v->nodes[i].at_ms;
    qsort(times, c->reached, sizeof *times, by_time);
    if (c->reached > 0) {
        c->half_ms = times[(c->reached - 1) / 2];
        c->last_ms = times[c->reached - 1];
    }
    free(times);
}

static void count_edge(const struct spread *v, const struct spread_edge *e, size_t to,
                       struct spread_counts *c)
{
    const struct spread_edge *back = spread_between(v, to, e->from);
    c->copies += e->copies;
    c->duplicates += e->copies - e->first;
    c->asked += e->asked && e->copies > 0;
    c->announced += e->announced;
    bool counted = back && (back->copies > 0 || e->copies == 0) && (back->copies == 0 || e->copies > 0);
    /* The pair once: by the direction that says more, and of two alike by that of the lower number. */
    if (back && (back->copies > 0) != (e->copies > 0) ? e->copies == 0 : counted && e->from > to)
        return;
    c->eager += e->copies > 0;
    c->lazy += e->copies == 0 && e->announced > 0;
}

struct spread_counts spread_count(const struct spread *v)
{
    struct spread_counts c = {.nodes = v->node_count, .foreign = v->foreign};
    count_times(v, &c);
    for (size_t i = 0; i < v->node_count; i++) {
        c.up += v->s->nodes[i].node || v->nodes[i].reached;
        for (size_t j = 0; j < v->nodes[i].edge_count; j++)
            count_edge(v, &v->nodes[i].edges[j], i, &c);
    }
    return c;
}
