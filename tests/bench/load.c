#include "tests/bench/load.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/author.h"
#include "src/core/plan.h"

static void *room(size_t bytes)
{
    void *p = calloc(1, bytes);
    if (!p)
        abort();
    return p;
}

static void key_pair(uint64_t number, struct era_key *key, uint8_t secret[ERA_SECRET_BYTES])
{
    uint8_t n[8];
    era_put_be64(n, number);
    struct era_bytes part = {n, sizeof n};
    struct era_hash seed = era_hash_parts(&part, 1);
    crypto_sign_seed_keypair(key->b, secret, seed.b);
}

struct pair {
    struct era_key key;
    uint8_t secret[ERA_SECRET_BYTES];
};

static int by_key(const void *a, const void *b)
{
    return memcmp(((const struct pair *)a)->key.b, ((const struct pair *)b)->key.b, ERA_KEY_BYTES);
}

static void make_validators(struct load *l, size_t count)
{
    struct pair *pairs = room(count * sizeof *pairs);
    for (size_t i = 0; i < count; i++)
        key_pair(i + 1, &pairs[i].key, pairs[i].secret);
    qsort(pairs, count, sizeof *pairs, by_key);
    l->charter.validator_count = count;
    l->charter.validators = room(count * sizeof *l->charter.validators);
    l->secrets = room(count * sizeof *l->secrets);
    for (size_t i = 0; i < count; i++) {
        struct era_validator *v = &l->charter.validators[i];
        snprintf(v->name, sizeof v->name, "v%zu", i);
        v->key = pairs[i].key;
        v->stake = 1;
        memcpy(l->secrets[i], pairs[i].secret, sizeof pairs[i].secret);
    }
    free(pairs);
}

static void make_component(const struct load *l, struct era_component *c, const char *id)
{
    era_text_set(c->id, sizeof c->id, id);
    c->k = c->urgent_k = 1;
    c->notice_epochs = 2;
    c->urgent_notice_epochs = 1;
    c->enough = (struct era_fraction){2, 3};
    c->rebuild_quorum = (struct era_fraction){0, 1};
    c->signer_count = 1;
    era_text_set(c->signers[0].name, sizeof c->signers[0].name, "signer");
    c->signers[0].key = l->signer;
    era_text_set(c->initial.component, sizeof c->initial.component, id);
    era_text_set(c->initial.version, sizeof c->initial.version, "1.0.0");
    era_text_set(c->initial.era_name, sizeof c->initial.era_name, "one");
    c->initial.era = 1;
}

void load_init(struct load *l, size_t validators)
{
    static const char *const ids[LOAD_COMPONENTS] = {"archive", "bridge", "network",
                                                     "oracle"}; /* ascending */
    memset(l, 0, sizeof *l);
    if (sodium_init() < 0)
        abort();
    key_pair(0, &l->signer, l->signer_secret);
    era_text_set(l->charter.name, sizeof l->charter.name, "bench");
    l->charter.clock = (struct era_clock_params){ERA_CLOCK_HEIGHT, 0, 1, 1};
    l->charter.events_per_epoch = 10;
    make_validators(l, validators);
    l->charter.component_count = LOAD_COMPONENTS;
    l->charter.components = room(LOAD_COMPONENTS * sizeof *l->charter.components);
    for (size_t i = 0; i < LOAD_COMPONENTS; i++)
        make_component(l, &l->charter.components[i], ids[i]);
    era_charter_seal(&l->charter);
}

void load_release(struct load *l)
{
    era_charter_clear(&l->charter);
    free(l->secrets);
}

static void set_slot(const struct load *l, struct era_slot_id *slot, int component, uint64_t seq)
{
    era_text_set(slot->component, sizeof slot->component, l->charter.components[component].id);
    slot->charter_version = l->charter.version;
    slot->seq = seq;
}

void load_vote_init(const struct load *l, struct load_vote *v, int component, uint64_t seq,
                    const struct era_hash *proposal)
{
    v->statement = room(sizeof *v->statement);
    v->statement->kind = ERA_KIND_READINESS;
    set_slot(l, &v->statement->u.vote.slot, component, seq);
    v->statement->u.vote.proposal = *proposal;
    v->payload_len = era_statement_encode(v->statement, v->payload, sizeof v->payload);
    v->id = era_statement_id(&l->charter.hash, ERA_KIND_READINESS,
                             (struct era_bytes){v->payload, v->payload_len});
}

void load_vote_release(struct load_vote *v)
{
    free(v->statement);
}

size_t load_vote_by(const struct load *l, const struct load_vote *v, size_t validator, bool sign,
                    uint8_t out[512])
{
    struct era_envelope e = {.kind = ERA_KIND_READINESS,
                             .payload = {v->payload, v->payload_len},
                             .key = l->charter.validators[validator].key};
    if (sign)
        crypto_sign_detached(e.signature.b, NULL, v->id.b, sizeof v->id.b, l->secrets[validator]);
    else
        memset(e.signature.b, 1, sizeof e.signature.b);
    return era_envelope_encode(&e, out, 512);
}

static size_t signed_by_the_signer(const struct load *l, const struct era_statement *s, uint8_t *out,
                                   struct era_hash *id)
{
    struct era_secret secret = {.key = l->signer};
    memcpy(secret.secret, l->signer_secret, sizeof secret.secret);
    return era_author_sign(&l->charter.hash, s, &secret, out, ERA_LOOSE_BYTES_MAX, id);
}

size_t load_proposal(const struct load *l, int component, uint64_t seq, uint8_t *out, struct era_hash *id)
{
    struct era_statement *s = room(sizeof *s);
    s->kind = ERA_KIND_PROPOSAL;
    set_slot(l, &s->u.proposal.slot, component, seq);
    s->u.proposal.expiry = ERA_EPOCH_MAX;
    era_plan_initial(&l->charter.components[component], &s->u.proposal.plan);
    size_t len = signed_by_the_signer(l, s, out, id);
    free(s);
    return len;
}

size_t load_approval(const struct load *l, int component, uint64_t seq, const struct era_hash *proposal,
                     uint8_t *out)
{
    struct era_statement *s = room(sizeof *s);
    s->kind = ERA_KIND_APPROVE;
    set_slot(l, &s->u.vote.slot, component, seq);
    s->u.vote.proposal = *proposal;
    size_t len = signed_by_the_signer(l, s, out, NULL);
    free(s);
    return len;
}

struct load_place load_place(const struct load *l, size_t nth)
{
    size_t validators = l->charter.validator_count, votes = nth / validators;
    return (struct load_place){.validator = nth % validators,
                               .component = (int)(votes % LOAD_COMPONENTS),
                               .seq = 2 + votes / LOAD_COMPONENTS};
}
