/* Two valid plans for one slot, both approved: the bad signers, k - 1 of them
 * together, show the one to one honest signer and the other to another before
 * either signed anything in that slot. Nobody honest is at fault; validators
 * see both, and vote for one (R4). */
#include <stdio.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/erasim/hostile.h"

#define TRY_LEAST_MS 10000
#define TRY_MOST_MS  40000
#define READY_MOOD   99 /* of one who was talked into it: never rejects */

struct pair {
    struct sim_node *n;
    const struct era_charter *charter;
    int component;
    struct era_view view;
    uint64_t seq;
    struct signer *honest[2], *bad;
};

/* Signers of both sorts; the two honest ones signed nothing at or above the slot. */
static bool find_people(struct sim *s, struct pair *pair)
{
    const struct era_component *c = &pair->charter->components[pair->component];
    size_t honest = 0, bad = 0;
    for (size_t i = 0; i < s->cast->signer_count; i++) {
        struct signer *g = s->cast->signers[i];
        if (era_charter_signer_index(c, &g->key->secret.key) < 0)
            continue;
        if (g->key->trust == SIM_FAULTY) {
            pair->bad = g;
            bad++;
        } else if (honest < 2 && signer_floor(g, pair->charter->version) < pair->seq) {
            pair->honest[honest++] = g;
        }
    }
    return honest == 2 && bad + 1 >= c->k;
}

/* Above all that is there; nothing in flight binds a validator. */
static bool find_slot(struct pair *pair)
{
    const struct era_ledger *l = era_node_ledger(pair->n->node);
    const struct era_slot *const *slots;
    size_t count = era_ledger_slots(l, pair->component, &slots);
    pair->seq = era_ledger_floor(l, pair->component) + 1;
    for (size_t i = 0; i < count; i++)
        for (const struct era_candidate *c = slots[i]->candidates; c; c = c->slot_next) {
            if (c->known && c->ready_count > 0)
                return false;
            if (c->known && c->seq >= pair->seq)
                pair->seq = c->seq + 1;
        }
    return pair->seq <= era_ledger_floor(l, pair->component) + ERA_SIGN_WINDOW_SEQS;
}

static bool show_one(struct sim *s, struct actor *a, const struct pair *pair, unsigned which)
{
    struct draft_base b = {.charter = pair->charter,
                           .component = pair->component,
                           .view = &pair->view,
                           .seq = pair->seq,
                           .later = which,
                           .text = which ? "one of a pair" : "the other of a pair"};
    struct era_statement *st = hostile_begin(s, ERA_KIND_PROPOSAL);
    struct era_hash id;
    if (!cast_draft(&b, which ? WISH_BREAKING : WISH_SOFT, &st->u.proposal) &&
        !cast_draft(&b, WISH_SOFT, &st->u.proposal))
        return false;
    hostile_show(s, &a->prng, 2, cast_signed(s, st, pair->bad->key, &id));
    const struct era_component *c = &pair->charter->components[pair->component];
    for (size_t i = 0; i < s->cast->signer_count; i++) {
        struct signer *g = s->cast->signers[i];
        if (g->key->trust != SIM_FAULTY || era_charter_signer_index(c, &g->key->secret.key) < 0)
            continue;
        cast_sight(&g->seen, &id, s->now_ms, NULL, 0); /* played with */
        hostile_show(
            s, &a->prng, 2,
            hostile_vote(s, ERA_KIND_APPROVE, pair->charter, pair->component, pair->seq, &id, g->key));
    }
    cast_sight(&pair->honest[which]->seen, &id, s->now_ms, NULL, 0)->mood = READY_MOOD;
    return true;
}

static uint64_t act_pair(struct sim *s, struct actor *a)
{
    struct pair pair = {.n = hostile_any_node(s, &a->prng)};
    uint64_t least = TRY_LEAST_MS, most = TRY_MOST_MS;
    if (hostile_over(s))
        return CAST_NEVER;
    if (pair.n) {
        pair.charter = era_node_charter(pair.n->node);
        pair.component = (int)era_prng_below(&a->prng, pair.charter->component_count);
        era_node_view(pair.n->node, pair.component, &pair.view);
        bool kept = pair.component == era_node_network_component(pair.n->node) && hostile_switch_keeps(s);
        if (!kept && find_slot(&pair) && find_people(s, &pair) && show_one(s, a, &pair, 0) &&
            show_one(s, a, &pair, 1)) {
            sim_strike(s, SIM_FAULT_BAD_SIGNER, pair.n, "%s shows two plans for slot %llu, each to one",
                       pair.bad->key->name, (unsigned long long)pair.seq);
            least = 2 * s->plan.epoch_ms;
            most = 6 * s->plan.epoch_ms;
        }
    }
    return s->now_ms + cast_between(&a->prng, least, most);
}

void hostile_hire_pair(struct sim *s)
{
    struct era_prng p = sim_stream(s, "hostile pair");
    if (cast_may(s, SIM_FAULT_BAD_SIGNER))
        cast_hire(s, act_pair, NULL, cast_between(&p, TRY_LEAST_MS, 4 * s->plan.epoch_ms), "pairs");
}
