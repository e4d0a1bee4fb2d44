/* The engine: who is there, what happens next, one step at a time. */
#include "src/erasim/sim.h"

#include <assert.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/view.h"
#include "src/erasim/parts.h"
#include "store/store_mem.h"

#define START_SPREAD_MS 1000

/* ---- memory ---- */

void *sim_alloc(size_t bytes)
{
    void *p = calloc(1, bytes);
    if (!p)
        abort();
    return p;
}

void sim_grow(void **at, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return;
    *cap = *cap ? 2 * *cap : 16;
    *at = realloc(*at, *cap * size);
    if (!*at)
        abort();
}

struct part *sim_part(const struct sim *s, const struct sim_node *n)
{
    return &s->parts->part[n->number];
}

/* ---- the heap of happenings ---- */

static bool due_before(const struct due *a, const struct due *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

struct happening *sim_happening(struct sim *s, enum happening_kind kind, size_t node, uint64_t link,
                                struct era_bytes bytes)
{
    struct happening *h = malloc(sizeof *h + bytes.len);
    if (!h)
        abort();
    *h = (struct happening){.kind = kind,
                            .node = node,
                            .life = node < s->node_count ? s->nodes[node].life : 0,
                            .link = link,
                            .len = bytes.len};
    if (bytes.len > 0)
        memcpy(h->bytes, bytes.data, bytes.len);
    return h;
}

void sim_happening_free(struct happening *h)
{
    free(h->command);
    free(h);
}

void sim_schedule(struct sim *s, uint64_t at_ms, struct happening *h)
{
    struct sim_parts *p = s->parts;
    struct due new = {at_ms, p->next_order++, h};
    sim_grow((void **)&p->due, &p->due_cap, p->due_count, sizeof *p->due);
    size_t i = p->due_count++;
    for (; i > 0 && due_before(&new, &p->due[(i - 1) / 2]); i = (i - 1) / 2)
        p->due[i] = p->due[(i - 1) / 2];
    p->due[i] = new;
}

static struct happening *take_due(struct sim_parts *p)
{
    struct happening *first = p->due[0].h;
    struct due last = p->due[--p->due_count];
    size_t i = 0;
    for (size_t least; (least = 2 * i + 1) < p->due_count; i = least) {
        if (least + 1 < p->due_count && due_before(&p->due[least + 1], &p->due[least]))
            least++;
        if (!due_before(&p->due[least], &last))
            break;
        p->due[i] = p->due[least];
    }
    p->due[i] = last;
    return first;
}

/* ---- the heap of deadlines ---- */

static bool timer_before(const struct sim_parts *p, uint32_t a, uint32_t b)
{
    uint64_t at = p->part[a].deadline_ms, bt = p->part[b].deadline_ms;
    return at != bt ? at < bt : a < b;
}

static void timer_put(struct sim_parts *p, size_t place, uint32_t node)
{
    p->timers[place] = node;
    p->part[node].timer = place + 1;
}

/* Node settles at place or nearer the root or the leaves. */
static void timer_settle(struct sim_parts *p, size_t i, uint32_t node)
{
    for (; i > 0 && timer_before(p, node, p->timers[(i - 1) / 2]); i = (i - 1) / 2)
        timer_put(p, i, p->timers[(i - 1) / 2]);
    for (size_t least; (least = 2 * i + 1) < p->timer_count; i = least) {
        if (least + 1 < p->timer_count && timer_before(p, p->timers[least + 1], p->timers[least]))
            least++;
        if (!timer_before(p, p->timers[least], node))
            break;
        timer_put(p, i, p->timers[least]);
    }
    timer_put(p, i, node);
}

static void timer_remove(struct sim_parts *p, uint32_t node)
{
    size_t place = p->part[node].timer;
    if (place == 0)
        return;
    p->part[node].timer = 0;
    uint32_t last = p->timers[--p->timer_count];
    if (last != node)
        timer_settle(p, place - 1, last);
}

void sim_timer_set(struct sim *s, struct sim_node *n)
{
    struct sim_parts *p = s->parts;
    struct part *part = sim_part(s, n);
    uint32_t number = (uint32_t)n->number;
    if (!n->node) {
        timer_remove(p, number);
        return;
    }
    part->deadline_ms = era_node_deadline_ms(n->node);
    timer_settle(p, part->timer ? part->timer - 1 : p->timer_count++, number);
}

/* ---- one step ---- */

void sim_step(struct sim *s, struct sim_node *n, struct era_event event)
{
    const struct era_effect *effects;
    struct part *part = sim_part(s, n);
    assert(n->node && !part->stepping);
    part->stepping = true;
    event.now_ms = s->now_ms;
    event.wall_ms = sim_wall_ms(s, n);
    size_t count = era_node_step(n->node, &event, &effects);
    s->counts.steps++;
    for (size_t i = 0; i < count; i++)
        sim_apply(s, n, &effects[i]);
    if (n->trust == SIM_HONEST)
        SIM_WATCHED(s, stepped, s, n, &event, effects, count);
    part->stepping = false;
    sim_timer_set(s, n);
    sim_net_look(s, n);
}

static void happen(struct sim *s, struct happening *h)
{
    if (h->link != 0) {
        sim_net_happen(s, h);
        return;
    }
    struct sim_node *n = &s->nodes[h->node];
    bool start = h->kind == HAPPEN_START && n->life == 0;
    if (start)
        sim_start(s, n);
    else if (n->node && n->life == h->life)
        switch (h->kind) {
        case HAPPEN_DIAL:
        case HAPPEN_DIAL_FAILED:
            sim_net_happen(s, h);
            return;
        case HAPPEN_UNPARK:
            sim_net_unpark(s, n);
            break;
        case HAPPEN_COMMIT:
            sim_disk_commit(s, n);
            break;
        case HAPPEN_STORED:
            sim_disk_told(s, n, h->error);
            sim_step(s, n, (struct era_event){.kind = ERA_EV_STORED, .token = h->number, .error = h->error});
            break;
        case HAPPEN_COMMAND:
            sim_step(s, n, (struct era_event){.kind = ERA_EV_COMMAND, .command = h->command});
            break;
        case HAPPEN_START:
        case HAPPEN_UP:
        case HAPPEN_FRAME:
        case HAPPEN_SENT:
        case HAPPEN_DOWN:
            break; /* of links; or started meanwhile */
        }
    sim_happening_free(h);
}

/* ---- time ---- */

void sim_wake_at(struct sim *s, uint64_t at_ms)
{
    if (at_ms < s->parts->wake_ms)
        s->parts->wake_ms = at_ms;
}

static void wake(struct sim *s)
{
    struct sim_parts *p = s->parts;
    p->wake_ms = SIM_NEVER;
    uint64_t next = s->people.wake(s);
    sim_wake_at(s, next > s->now_ms ? next : s->now_ms + 1);
}

/* Our own bug, or a node's deadline that never moves. */
static void look_for_standstill(struct sim *s, uint64_t at_ms)
{
    struct sim_parts *p = s->parts;
    p->still = at_ms == s->now_ms ? p->still + 1 : 0;
    if (p->still > SIM_STAND_STILL)
        sim_break(s, "time", "nothing but this millisecond: a deadline that never moves");
}

bool sim_advance(struct sim *s, uint64_t end_ms)
{
    struct sim_parts *p = s->parts;
    uint64_t due = p->due_count > 0 ? p->due[0].at_ms : SIM_NEVER;
    uint64_t timer = p->timer_count > 0 ? p->part[p->timers[0]].deadline_ms : SIM_NEVER;
    uint64_t woken = s->people.wake ? p->wake_ms : SIM_NEVER;
    uint64_t at = due < timer ? due : timer;
    at = woken < at ? woken : at;
    at = at < s->now_ms ? s->now_ms : at;
    if (at > end_ms || at == SIM_NEVER) {
        if (end_ms > s->now_ms)
            s->now_ms = end_ms;
        return false;
    }
    look_for_standstill(s, at);
    s->now_ms = at;
    if (woken <= at)
        wake(s);
    else if (due <= at)
        happen(s, take_due(p));
    else
        sim_step(s, &s->nodes[p->timers[0]], (struct era_event){.kind = ERA_EV_TICK});
    return true;
}

void sim_run(struct sim *s)
{
    uint64_t end = era_mul_sat(s->plan.epoch_ms, s->plan.epochs);
    if (!s->parts->started) {
        struct era_prng prng = sim_stream(s, "start");
        s->parts->started = true;
        for (size_t i = 0; i < s->node_count; i++) {
            uint64_t at = s->now_ms + era_prng_below(&prng, START_SPREAD_MS);
            if (s->nodes[i].life == 0)
                sim_schedule(s, at, sim_happening(s, HAPPEN_START, i, 0, (struct era_bytes){0}));
        }
    }
    while (!s->broken && sim_advance(s, end))
        ;
}

uint64_t sim_true_epoch(const struct sim *s)
{
    return s->plan.epoch_ms ? s->now_ms / s->plan.epoch_ms : 0;
}

/* ---- telling ---- */

void sim_watch(struct sim *s, struct sim_watch watch)
{
    assert(s->watch_count < SIM_WATCHES_MAX);
    s->watches[s->watch_count++] = watch;
}

void sim_break(struct sim *s, const char *rule, const char *format, ...)
{
    if (s->broken)
        return;
    va_list args;
    va_start(args, format);
    s->broken = true;
    s->break_ms = s->now_ms;
    snprintf(s->break_rule, sizeof s->break_rule, "%s", rule);
    vsnprintf(s->break_text, sizeof s->break_text, format, args);
    va_end(args);
    sim_tell(s, NULL, "break %s: %s", s->break_rule, s->break_text);
}

static bool listened(const struct sim *s)
{
    for (size_t i = 0; i < s->watch_count; i++)
        if (s->watches[i].told)
            return true;
    return false;
}

static void tell(struct sim *s, struct sim_node *n, const char *before, const char *format, va_list args)
{
    char text[SIM_TEXT_BYTES];
    int used = snprintf(text, sizeof text, "%s", before);
    vsnprintf(text + used, sizeof text - (size_t)used, format, args);
    SIM_WATCHED(s, told, s, n, text);
}

void sim_tell(struct sim *s, struct sim_node *n, const char *format, ...)
{
    if (!listened(s))
        return;
    va_list args;
    va_start(args, format);
    tell(s, n, "", format, args);
    va_end(args);
}

void sim_strike(struct sim *s, enum sim_fault fault, struct sim_node *n, const char *format, ...)
{
    char before[64];
    s->counts.struck[fault]++;
    if (!listened(s))
        return;
    va_list args;
    va_start(args, format);
    snprintf(before, sizeof before, "fault %s: ", sim_fault_name(fault));
    tell(s, n, before, format, args);
    va_end(args);
}

/* ---- who is there ---- */

struct era_prng sim_stream(const struct sim *s, const char *purpose)
{
    uint8_t seed[8];
    struct era_prng prng;
    era_put_be64(seed, s->plan.seed);
    struct era_bytes parts[2] = {{seed, sizeof seed}, {(const uint8_t *)purpose, strlen(purpose)}};
    struct era_hash h = era_hash_parts(parts, 2);
    era_prng_init(&prng, era_get_be64(h.b));
    return prng;
}

void sim_add_charter(struct sim *s, struct era_charter *charter)
{
    assert(s->charter_count < SIM_CHARTERS_MAX && charter->version == s->charter_count);
    if (s->charter_count == 0)
        s->genesis_ms = charter->clock.genesis_ms;
    s->charters[s->charter_count++] = charter;
}

struct sim_key *sim_key_named(struct sim *s, const char *name)
{
    for (size_t i = 0; i < s->key_count; i++)
        if (strcmp(s->keys[i].name, name) == 0)
            return &s->keys[i];
    return NULL;
}

struct sim_key *sim_add_key(struct sim *s, const char *name)
{
    struct sim_key *k = sim_key_named(s, name);
    if (k)
        return k;
    assert(s->key_count < SIM_KEYS_MAX);
    k = &s->keys[s->key_count++];
    bool fits = era_text_set(k->name, sizeof k->name, name);
    assert(fits);
    (void)fits;
    struct era_bytes part = {(const uint8_t *)name, strlen(name)};
    struct era_hash seed = era_hash_parts(&part, 1);
    crypto_sign_seed_keypair(k->secret.key.b, k->secret.secret, seed.b);
    return k;
}

enum sim_trust sim_key_trust(const struct sim *s, const struct era_key *key)
{
    for (size_t i = 0; i < s->key_count; i++)
        if (era_key_eq(&s->keys[i].secret.key, key))
            return s->keys[i].trust;
    return SIM_HONEST;
}

struct sim_node *sim_node_named(struct sim *s, const char *name)
{
    for (size_t i = 0; i < s->node_count; i++)
        if (strcmp(s->nodes[i].name, name) == 0)
            return &s->nodes[i];
    return NULL;
}

static void make_link_key(struct sim_node *n)
{
    static const char purpose[] = "link of ";
    struct era_bytes of[2] = {{(const uint8_t *)purpose, sizeof purpose - 1},
                              {(const uint8_t *)n->name, strlen(n->name)}};
    struct era_hash seed = era_hash_parts(of, 2);
    crypto_sign_seed_keypair(n->link_secret.key.b, n->link_secret.secret, seed.b);
}

struct sim_node *sim_add_node(struct sim *s, const char *name, struct sim_key *key)
{
    assert(s->node_count < SIM_NODES_MAX);
    struct sim_node *n = &s->nodes[s->node_count];
    struct part *part = &s->parts->part[s->node_count];
    n->number = s->node_count++;
    bool fits = era_text_set(n->name, sizeof n->name, name);
    assert(fits);
    (void)fits;
    snprintf(n->address, sizeof n->address, "tcp://10.0.%zu.%zu:7711", n->number / 256, n->number % 256);
    n->key = key;
    make_link_key(n);
    era_text_set(n->versions.v[ERA_VERSION_SOFTWARE], sizeof n->versions.v[0], "1.0.0");
    part->parked_end = &part->parked;
    part->commits_end = &part->commits;
    n->disk.store = era_store_mem_new();
    if (!n->disk.store)
        abort();
    return n;
}

void sim_anchor(struct sim *s, size_t a, size_t b)
{
    struct sim_node *n = &s->nodes[a];
    assert(b < s->node_count && n->anchor_count < SIM_ANCHORS_MAX);
    n->anchors[n->anchor_count++] = b;
}

/* ---- life of a run ---- */

struct sim *sim_new_empty(const struct sim_plan *plan, struct era_charter *charter)
{
    struct sim *s = sim_alloc(sizeof *s);
    struct sim_parts *p = sim_alloc(sizeof *p);
    s->plan = *plan;
    s->parts = p;
    s->nodes = sim_alloc(SIM_NODES_MAX * sizeof *s->nodes);
    s->keys = sim_alloc(SIM_KEYS_MAX * sizeof *s->keys);
    s->charters = sim_alloc(SIM_CHARTERS_MAX * sizeof(struct era_charter *));
    p->part = sim_alloc(SIM_NODES_MAX * sizeof *p->part);
    p->timers = sim_alloc(SIM_NODES_MAX * sizeof *p->timers);
    p->replies = sim_alloc(SIM_REPLIES_MAX * sizeof *p->replies);
    p->adopted = sim_alloc(SIM_PROPOSALS_KEPT * sizeof *p->adopted);
    p->next_request = 1;
    p->net = sim_stream(s, "net");
    p->disk = sim_stream(s, "disk");
    s->prng = sim_stream(s, "");
    if (charter)
        sim_add_charter(s, charter);
    return s;
}

void sim_free(struct sim *s)
{
    if (!s)
        return;
    struct sim_parts *p = s->parts;
    if (s->people.release)
        s->people.release(s);
    for (size_t i = 0; i < s->node_count; i++) {
        struct sim_node *n = &s->nodes[i];
        era_node_free(n->node);
        sim_disk_drop(s, n);
        era_store_close(n->disk.store);
        era_store_close(n->disk.backup);
    }
    sim_net_free(s);
    while (p->due_count > 0)
        sim_happening_free(p->due[--p->due_count].h);
    for (size_t i = 0; i < s->charter_count; i++) {
        era_charter_clear(s->charters[i]);
        free(s->charters[i]);
    }
    sodium_memzero(s->keys, s->key_count * sizeof *s->keys);
    sodium_memzero(s->nodes, s->node_count * sizeof *s->nodes);
    free(p->due);
    free(p->part);
    free(p->timers);
    free(p->replies);
    free(p->adopted);
    free(p);
    free(s->nodes);
    free(s->keys);
    free(s->charters);
    free(s);
}

bool sim_digests_equal(const struct sim *s)
{
    struct era_hash first = {{0}};
    bool any = false;
    for (size_t i = 0; i < s->node_count; i++) {
        const struct sim_node *n = &s->nodes[i];
        if (!n->node || n->trust != SIM_HONEST)
            continue;
        struct era_hash digest = era_view_digest(era_node_ledger(n->node));
        if (any && !era_hash_eq(&digest, &first))
            return false;
        first = digest;
        any = true;
    }
    return true;
}
