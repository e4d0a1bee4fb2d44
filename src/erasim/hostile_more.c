/* More that is said with faulty keys: carriers in which one key counts twice, and, where more is faulty than
 * the rules bear, two proposals of one slot that are both adopted (R12). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/author.h"
#include "src/core/charter.h"
#include "src/erasim/hostile.h"

#define ACT_LEAST_MS  20000
#define ACT_MOST_MS   90000
#define FORKS_PERCENT 60

static struct era_bytes vote_for(struct sim *s, enum era_kind kind, const struct era_charter *charter,
                                 int component, uint64_t seq, const struct era_hash *proposal,
                                 const struct sim_key *key)
{
    struct era_statement *st = s->cast->draft;
    memset(st, 0, sizeof *st);
    st->kind = kind;
    era_text_set(st->u.vote.slot.component, sizeof st->u.vote.slot.component,
                 charter->components[component].id);
    st->u.vote.slot.charter_version = charter->version;
    st->u.vote.slot.seq = seq;
    st->u.vote.proposal = *proposal;
    return cast_signed(s, st, key, NULL);
}

static struct era_signature signature_of(struct era_bytes envelope)
{
    struct era_envelope e;
    if (era_envelope_decode(envelope, &e) != ERA_ACCEPTED)
        return (struct era_signature){{0}};
    return e.signature;
}

static bool over(const struct sim *s)
{
    return s->now_ms + ACT_MOST_MS >= s->cast->quiet_ms;
}

static uint64_t next_act(struct sim *s, struct actor *a)
{
    return s->now_ms + cast_between(&a->prng, ACT_LEAST_MS, ACT_MOST_MS);
}

/* ---- one key, counted twice (R3, R4) ---- */

static struct sim_key *bad_signer(const struct sim *s, const struct era_component *p)
{
    for (size_t i = 0; i < s->cast->signer_count; i++) {
        struct sim_key *key = s->cast->signers[i]->key;
        if (key->trust == SIM_FAULTY && era_charter_signer_index(p, &key->secret.key) >= 0)
            return key;
    }
    return NULL;
}

static void repeat(struct era_indexed_signature *list, size_t *count, size_t cap, int key,
                   struct era_signature signature, size_t times)
{
    for (; times > 0 && *count < cap; times--)
        list[(*count)++] = (struct era_indexed_signature){(uint32_t)key, signature};
}

/* Every key but the crew's own is missing, and the crew's stand as often as it takes. */
static size_t forge(struct sim *s, struct sim_node *n, const struct era_candidate *c, uint8_t **out)
{
    const struct era_charter *charter = era_node_charter(n->node);
    const struct era_component *p = &charter->components[c->component];
    const struct sim_key *signer = bad_signer(s, p);
    struct era_carrier k = {.proposal = c->payload, .author = c->author, .signature = c->author_signature};
    size_t cap = 4 * charter->validator_count;
    if (!signer)
        return 0;
    k.approvals = cast_alloc(ERA_SIGNERS_MAX * sizeof *k.approvals);
    k.readiness = cast_alloc(cap * sizeof *k.readiness);
    struct era_bytes said =
        vote_for(s, ERA_KIND_APPROVE, charter, c->component, c->seq, &c->proposal, signer);
    repeat(k.approvals, &k.approval_count, ERA_SIGNERS_MAX, era_charter_signer_index(p, &signer->secret.key),
           signature_of(said), c->approvals_needed);
    for (size_t v = 0; v < charter->validator_count; v++)
        for (size_t i = 0; i < s->cast->crew->validator_count; i++) {
            const struct sim_key *key = s->cast->crew->validators[i];
            if (!era_key_eq(&key->secret.key, &charter->validators[v].key))
                continue;
            said = vote_for(s, ERA_KIND_READINESS, charter, c->component, c->seq, &c->proposal, key);
            repeat(k.readiness, &k.readiness_count, cap, (int)v, signature_of(said), 4);
        }
    size_t len = era_author_carrier(ERA_KIND_CERTIFICATE, &k, out);
    era_carrier_clear(&k);
    return len;
}

static uint64_t act_forge(struct sim *s, struct actor *a)
{
    if (over(s))
        return CAST_NEVER;
    struct sim_node *n = hostile_any_node(s, &a->prng);
    size_t components = n ? era_node_charter(n->node)->component_count : 0;
    for (size_t i = 0; i < components; i++) {
        const struct era_slot *const *slots;
        size_t count = era_ledger_slots(era_node_ledger(n->node), (int)i, &slots);
        const struct era_candidate *c = count > 0 ? slots[count - 1]->candidates : NULL;
        uint8_t *bytes;
        size_t len = c && c->known ? forge(s, n, c, &bytes) : 0;
        if (len == 0)
            continue;
        hostile_show(s, &a->prng, 2, (struct era_bytes){bytes, len});
        sim_strike(s, SIM_FAULT_BAD_SIGNER, n, "one key often in a certificate of slot %llu",
                   (unsigned long long)c->seq);
        free(bytes);
    }
    return next_act(s, a);
}

/* ---- above the bound: two plans of one slot, each to one half ---- */

static void push_rival(struct sim *s, struct actor *a, const struct draft_base *b, const struct sim_key *key,
                       unsigned half)
{
    struct era_hash id;
    struct era_statement *st = s->cast->draft;
    memset(st, 0, sizeof *st);
    st->kind = ERA_KIND_PROPOSAL;
    if (!cast_draft(b, WISH_SOFT, &st->u.proposal) && !cast_draft(b, WISH_DROP, &st->u.proposal))
        return;
    hostile_show(s, &a->prng, half, cast_signed(s, st, key, &id));
    for (size_t i = 0; i < s->cast->signer_count; i++) {
        const struct sim_key *signer = s->cast->signers[i]->key;
        const struct era_component *p = &b->charter->components[b->component];
        if (signer->trust == SIM_FAULTY && era_charter_signer_index(p, &signer->secret.key) >= 0)
            hostile_show(s, &a->prng, half,
                         vote_for(s, ERA_KIND_APPROVE, b->charter, b->component, b->seq, &id, signer));
    }
    struct crew *crew = s->cast->crew;
    for (size_t i = 0; i < crew->validator_count; i++)
        hostile_show(
            s, &a->prng, half,
            vote_for(s, ERA_KIND_READINESS, b->charter, b->component, b->seq, &id, crew->validators[i]));
}

static uint64_t act_fork(struct sim *s, struct actor *a)
{
    if (over(s))
        return CAST_NEVER;
    struct sim_node *n = hostile_any_node(s, &a->prng);
    if (!n || !cast_chance(&a->prng, FORKS_PERCENT))
        return next_act(s, a);
    const struct era_charter *charter = era_node_charter(n->node);
    int component = (int)era_prng_below(&a->prng, charter->component_count);
    const struct sim_key *key = bad_signer(s, &charter->components[component]);
    const struct era_slot *const *slots;
    size_t count = era_ledger_slots(era_node_ledger(n->node), component, &slots);
    uint64_t floor = era_ledger_floor(era_node_ledger(n->node), component);
    struct era_view view;
    era_node_view(n->node, component, &view);
    for (unsigned half = 0; key && half < 2; half++) {
        struct draft_base b = {.charter = charter,
                               .component = component,
                               .view = &view,
                               .seq = (count > 0 ? slots[count - 1]->seq : floor) + 1,
                               .later = half,
                               .text = half ? "one of two" : "the other one"};
        push_rival(s, a, &b, key, half);
    }
    sim_strike(s, SIM_FAULT_BAD_VALIDATOR, n, "two plans for the slot after %llu", (unsigned long long)floor);
    return next_act(s, a);
}

void hostile_hire_more(struct sim *s)
{
    struct era_prng p = sim_stream(s, "hostile more");
    if (cast_may(s, SIM_FAULT_BAD_SIGNER))
        cast_hire(s, act_forge, NULL, cast_between(&p, ACT_LEAST_MS, ACT_MOST_MS), "forged carriers");
    if (!s->plan.bounded && cast_may(s, SIM_FAULT_BAD_VALIDATOR))
        cast_hire(s, act_fork, NULL, cast_between(&p, ACT_LEAST_MS, ACT_MOST_MS), "forks");
}
