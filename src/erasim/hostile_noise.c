/* Noise that needs no key: old words again, and bytes that break the rules of a link. */
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "src/erasim/hostile.h"

#define REPLAY_MOST  24
#define NOISE_BYTES  600
#define UNKNOWN_KIND 99
#define JUNK_WORDS   8
#define ASKED_IDS    64
#define GARBAGE_SORT 12 /* sorts of it */
#define ENDS_FROM    8  /* sorts that end their link */

static void fill(struct era_prng *p, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)era_prng_next(p);
}

static uint64_t act_replay(struct sim *s, struct actor *a)
{
    struct crew *c = s->cast->crew;
    struct sim_node *n = hostile_any_node(s, &a->prng);
    if (s->now_ms + s->plan.epoch_ms >= s->cast->quiet_ms)
        return CAST_NEVER;
    if (n && c->heard_count > 0) {
        uint64_t words = cast_between(&a->prng, 4, REPLAY_MOST);
        for (uint64_t i = 0; i < words; i++) {
            struct heard *h = &c->heard[era_prng_below(&a->prng, c->heard_count)];
            hostile_say(s, n->number, (struct era_bytes){h->bytes, h->len});
        }
        sim_strike(s, SIM_FAULT_REPLAY, n, "%llu old words", (unsigned long long)words);
    }
    return s->now_ms + cast_between(&a->prng, s->plan.epoch_ms / 3, 2 * s->plan.epoch_ms);
}

void hostile_hire_noise(struct sim *s)
{
    if (cast_may(s, SIM_FAULT_REPLAY))
        cast_hire(s, act_replay, NULL, s->plan.epoch_ms, "replay");
}

/* ---- garbage ---- */

static void add_hello(struct sim *s, const struct hostile_link *l, struct era_frame_builder *b,
                      bool other_network)
{
    struct era_frame_hello *hello = cast_alloc(sizeof *hello);
    hello->protocol_min = ERA_PROTOCOL_MIN;
    hello->protocol_max = ERA_PROTOCOL_MAX;
    hello->network = *cast_network(s);
    hello->network.b[0] ^= other_network;
    hello->node = sim_peer_key(l->number);
    era_frame_add_hello(b, hello);
    free(hello);
}

/* An envelope in form, of a kind that nobody knows, or of one that this payload does not fit. */
static void add_junk(struct era_frame_builder *b, struct era_prng *p, uint32_t kind)
{
    uint8_t payload[100], bytes[400];
    struct era_envelope e = {.kind = kind, .payload = {payload, sizeof payload}};
    fill(p, payload, sizeof payload);
    fill(p, e.key.b, sizeof e.key.b);
    fill(p, e.signature.b, sizeof e.signature.b);
    size_t len = era_envelope_encode(&e, bytes, sizeof bytes);
    if (len > 0)
        era_frame_add_statement(b, (struct era_bytes){bytes, len});
}

static void add_ask(struct era_frame_builder *b, struct era_prng *p)
{
    uint8_t ids[ASKED_IDS * ERA_FRAME_SHORT_BYTES];
    fill(p, ids, sizeof ids);
    era_frame_add_ask(b, &(struct era_frame_ask){.set = 1, .ids = {ids, sizeof ids}});
}

/* What the node's driver finds on the stream. */
static void end_badly(struct sim *s, struct hostile_link *l, unsigned sort)
{
    static const enum era_verdict found[GARBAGE_SORT - ENDS_FROM] = {ERA_OVERSIZED, ERA_MALFORMED,
                                                                     ERA_NOT_AUTHENTIC, ERA_TRUNCATED};
    sim_peer_break(s, l->number, found[sort]);
    *l = (struct hostile_link){0};
}

void hostile_garbage(struct sim *s, struct hostile_link *l)
{
    struct era_frame_builder b;
    struct era_prng p;
    uint8_t noise[NOISE_BYTES];
    era_prng_init(&p, s->plan.seed ^ l->draw);
    fill(&p, noise, sizeof noise);
    era_frame_begin(&b, s->cast->crew->frame);
    unsigned style = l->draw % GARBAGE_SORT;
    if (style != 0 && style != 1)
        add_hello(s, l, &b, style == 2);
    if (style == 3)
        add_hello(s, l, &b, false);
    if (style == 1 || style == 4)
        for (unsigned i = 0; i < JUNK_WORDS; i++)
            add_junk(&b, &p, i % 2 ? UNKNOWN_KIND : ERA_KIND_READINESS);
    if (style == 5)
        era_frame_add_fragment(&b, &(struct era_frame_fragment){.total_bytes = ERA_STATEMENT_BYTES_MAX,
                                                                .data = {noise, sizeof noise}});
    if (style == 6)
        add_ask(&b, &p);
    struct era_bytes whole = era_frame_bytes(&b);
    sim_strike(s, SIM_FAULT_GARBAGE, &s->nodes[l->node], "of sort %u", style);
    if (style == 7) /* a frame that ends in the middle */
        whole.len -= whole.len / 3;
    if (whole.len > 0)
        sim_peer_send(s, l->number, whole);
    if (style == 0 || style == 4)
        sim_peer_send(s, l->number, (struct era_bytes){noise, sizeof noise});
    if (style >= ENDS_FROM)
        end_badly(s, l, style - ENDS_FROM);
}
