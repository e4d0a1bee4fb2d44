#include "src/erasim/hostile.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "src/core/charter.h"

#define DIAL_LEAST_MS 5000
#define DIAL_MOST_MS  30000
#define GARBAGE_HOSTS 4 /* so few that nodes come to ban them */
#define FEW           3 /* nodes that something is shown to directly: they pass it on */

/* ---- links ---- */

static struct hostile_link *link_of(struct sim *s, uint64_t number)
{
    struct crew *c = s->cast->crew;
    for (size_t i = 0; number != 0 && i < HOSTILE_LINKS_MAX; i++)
        if (c->links[i].number == number)
            return &c->links[i];
    return NULL;
}

static struct hostile_link *dial(struct sim *s, size_t node, enum hostile_style style, struct era_prng *p)
{
    struct crew *c = s->cast->crew;
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    for (size_t i = 0; i < HOSTILE_LINKS_MAX; i++) {
        struct hostile_link *l = &c->links[i];
        if (l->number != 0)
            continue;
        snprintf(address, sizeof address, "tcp://10.66.%u.%u:7711",
                 style == STYLE_GARBAGE ? 255 : (unsigned)i,
                 (unsigned)era_prng_below(p, style == STYLE_GARBAGE ? GARBAGE_HOSTS : 250) + 1);
        *l = (struct hostile_link){
            .node = node, .style = style, .draw = (unsigned)era_prng_below(p, 1u << 20)};
        l->number = sim_peer_dial(s, &s->nodes[node], address);
        return l->number ? l : NULL;
    }
    return NULL;
}

void hostile_dial(struct sim *s, size_t node, struct era_prng *p)
{
    dial(s, node, STYLE_PEER, p);
}

static void say_hello(struct sim *s, struct hostile_link *l)
{
    struct era_frame_builder b;
    struct era_frame_hello *hello = cast_alloc(sizeof *hello);
    hello->protocol_min = ERA_PROTOCOL_MIN;
    hello->protocol_max = ERA_PROTOCOL_MAX;
    hello->network = *cast_network(s);
    hello->node = sim_peer_key(l->number);
    era_text_set(hello->agent, sizeof hello->agent, "hostile");
    era_frame_begin(&b, s->cast->crew->frame);
    era_frame_add_hello(&b, hello);
    free(hello);
    sim_peer_send(s, l->number, era_frame_bytes(&b));
}

void hostile_peer_up(struct sim *s, uint64_t number)
{
    struct hostile_link *l = link_of(s, number);
    if (!l)
        return;
    l->up = true;
    if (l->style == STYLE_PEER)
        say_hello(s, l);
    else
        hostile_garbage(s, l);
}

void hostile_peer_down(struct sim *s, uint64_t number)
{
    struct hostile_link *l = link_of(s, number);
    if (l)
        *l = (struct hostile_link){0};
}

static void remember(struct crew *c, struct era_bytes envelope)
{
    struct heard *h = &c->heard[c->heard_next];
    if (envelope.len == 0 || envelope.len > HOSTILE_HEARD_BYTES)
        return;
    c->heard_next = (c->heard_next + 1) % HOSTILE_HEARD_MAX;
    if (c->heard_count < HOSTILE_HEARD_MAX)
        c->heard_count++;
    h->bytes = realloc(h->bytes, envelope.len);
    assert(h->bytes);
    memcpy(h->bytes, envelope.data, envelope.len);
    h->len = envelope.len;
}

void hostile_peer_heard(struct sim *s, uint64_t number, struct era_bytes bytes)
{
    struct era_frame frame;
    struct era_frame_part *part;
    if (!link_of(s, number) || era_frame_decode(bytes, &frame) != ERA_ACCEPTED)
        return;
    part = malloc(sizeof *part);
    assert(part);
    struct era_frame_cursor at = era_frame_first(&frame);
    while (era_frame_next(&at, part))
        if (part->kind == ERA_FRAME_STATEMENT)
            remember(s->cast->crew, part->u.statement);
    free(part);
}

static uint64_t act_links(struct sim *s, struct actor *a)
{
    struct crew *c = s->cast->crew;
    if (s->now_ms >= s->cast->quiet_ms) {
        for (size_t i = 0; i < HOSTILE_LINKS_MAX; i++)
            if (c->links[i].number != 0)
                sim_peer_close(s, c->links[i].number);
        memset(c->links, 0, sizeof c->links);
        return CAST_NEVER;
    }
    size_t peers = 0;
    for (size_t i = 0; i < HOSTILE_LINKS_MAX; i++)
        peers += c->links[i].number != 0 && c->links[i].style == STYLE_PEER;
    if (peers < HOSTILE_LINKS_MAX / 2)
        dial(s, era_prng_below(&a->prng, s->node_count), STYLE_PEER, &a->prng);
    if (cast_may(s, SIM_FAULT_GARBAGE) && cast_chance(&a->prng, 25))
        dial(s, era_prng_below(&a->prng, s->node_count), STYLE_GARBAGE, &a->prng);
    uint64_t next = s->now_ms + cast_between(&a->prng, DIAL_LEAST_MS, DIAL_MOST_MS);
    return next < s->cast->quiet_ms ? next : s->cast->quiet_ms;
}

/* ---- saying ---- */

void hostile_say(struct sim *s, size_t node, struct era_bytes envelope)
{
    struct crew *c = s->cast->crew;
    struct era_frame_builder b;
    if (!s->nodes[node].node)
        return;
    for (size_t i = 0; i < HOSTILE_LINKS_MAX; i++) {
        struct hostile_link *l = &c->links[i];
        if (!l->up || l->node != node || l->style != STYLE_PEER)
            continue;
        era_frame_begin(&b, c->frame);
        if (!era_frame_add_statement(&b, envelope))
            break;
        sim_peer_send(s, l->number, era_frame_bytes(&b));
        return;
    }
    sim_inject(s, &s->nodes[node], envelope);
}

void hostile_show(struct sim *s, struct era_prng *p, unsigned half, struct era_bytes envelope)
{
    size_t first = era_prng_below(p, s->node_count), shown = 0;
    for (size_t i = 0; i < s->node_count && shown < FEW; i++) {
        size_t at = (first + i) % s->node_count;
        if (half < 2 && at % 2 != half)
            continue;
        hostile_say(s, at, envelope);
        shown++;
    }
}

bool hostile_hold(struct sim *s, uint64_t due_ms, size_t node, struct era_bytes envelope)
{
    struct crew *c = s->cast->crew;
    uint64_t last = s->cast->quiet_ms - DIAL_LEAST_MS;
    for (size_t i = 0; i < CAST_HELD_MAX; i++) {
        struct held *h = &c->held[i];
        if (h->bytes)
            continue;
        *h = (struct held){.due_ms = due_ms < last ? due_ms : last, .node = node, .len = envelope.len};
        h->bytes = cast_alloc(envelope.len);
        memcpy(h->bytes, envelope.data, envelope.len);
        return true;
    }
    return false;
}

static uint64_t act_held(struct sim *s, struct actor *a)
{
    struct crew *c = s->cast->crew;
    if (s->now_ms >= s->cast->quiet_ms)
        return CAST_NEVER;
    for (size_t i = 0; i < CAST_HELD_MAX; i++) {
        struct held *h = &c->held[i];
        if (!h->bytes || h->due_ms > s->now_ms)
            continue;
        if (s->nodes[h->node].node)
            sim_strike(s, SIM_FAULT_WITHHELD, &s->nodes[h->node], "shown late: %zu bytes", h->len);
        hostile_say(s, h->node, (struct era_bytes){h->bytes, h->len});
        free(h->bytes);
        *h = (struct held){0};
    }
    return s->now_ms + cast_between(&a->prng, 1000, 4000);
}

struct sim_node *hostile_any_node(struct sim *s, struct era_prng *p)
{
    size_t first = era_prng_below(p, s->node_count);
    for (size_t i = 0; i < s->node_count; i++) {
        struct sim_node *n = &s->nodes[(first + i) % s->node_count];
        if (n->node)
            return n;
    }
    return NULL;
}

/* ---- life ---- */

#define HOSTILE_FAULTS                                                                                       \
    ((sim_faults_t)1 << SIM_FAULT_BAD_SIGNER | (sim_faults_t)1 << SIM_FAULT_BAD_VALIDATOR |                  \
     (sim_faults_t)1 << SIM_FAULT_WITHHELD | (sim_faults_t)1 << SIM_FAULT_REPLAY |                           \
     (sim_faults_t)1 << SIM_FAULT_SPAM | (sim_faults_t)1 << SIM_FAULT_GARBAGE |                              \
     (sim_faults_t)1 << SIM_FAULT_FAST_FORWARD | (sim_faults_t)1 << SIM_FAULT_ECLIPSE)

void hostile_hire(struct sim *s)
{
    struct crew *c = s->cast->crew = cast_alloc(sizeof *c);
    struct era_prng p = sim_stream(s, "hostile");
    c->frame = cast_alloc(ERA_FRAME_BYTES_MAX);
    for (size_t i = 0; i < s->key_count; i++) {
        struct sim_key *k = &s->keys[i];
        if (k->trust == SIM_FAULTY && cast_may_validate(s, &k->secret.key) &&
            c->validator_count < HOSTILE_VALIDATORS_MAX)
            c->validators[c->validator_count++] = k;
    }
    if (!(s->plan.faults & HOSTILE_FAULTS) || s->cast->quiet_ms <= 2 * s->plan.epoch_ms)
        return;
    cast_hire(s, act_links, NULL, cast_between(&p, 3000, DIAL_MOST_MS), "hostile links");
    cast_hire(s, act_held, NULL, cast_between(&p, 3000, DIAL_MOST_MS), "hostile held");
    hostile_hire_acts(s);
    hostile_hire_noise(s);
    hostile_hire_more(s);
    hostile_hire_rotate(s);
    hostile_hire_turn(s);
    hostile_hire_pair(s);
    hostile_hire_switch(s);
    hostile_hire_crowd(s);
}

void hostile_free(struct crew *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < CAST_HELD_MAX; i++)
        free(c->held[i].bytes);
    for (size_t i = 0; i < HOSTILE_HEARD_MAX; i++)
        free(c->heard[i].bytes);
    free(c->frame);
    hostile_switch_free(c->scheme);
    hostile_turn_free(c->plot);
    hostile_crowd_free(c->crowd);
    free(c);
}
