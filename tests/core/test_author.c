#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/author.h"
#include "tests/core/peer.h"

static struct era_charter *c;

static void begin(void)
{
    c = given_charter("alice:10 bob:10 carol:10 dave:10", "network k=1 signers=s1");
}

TestSuite(author, .init = begin, .fini = peers_free);

static struct era_secret secret_of(const char *name)
{
    struct given_key k = given_key(name);
    struct era_secret s = {.key = k.key};
    memcpy(s.secret, k.secret, sizeof s.secret);
    return s;
}

static struct era_statement *vote_on(const struct era_proposal *p)
{
    struct era_statement *s = calloc(1, sizeof *s);
    s->kind = ERA_KIND_READINESS;
    s->u.vote = (struct era_vote){.slot = p->slot, .proposal = given_id(c, p)};
    return s;
}

/* The builders of the tests sign by their own code: two ways, one envelope. */
Test(author, R1_what_it_signs_is_what_verify_accepts)
{
    struct era_proposal *p = given_proposal(c, "network", 1);
    struct era_secret alice = secret_of("alice");
    struct era_statement *s = vote_on(p);
    struct era_bytes expected = given_ready(c, "alice", p);
    uint8_t out[1024];
    struct era_hash id;

    size_t len = era_author_sign(&c->hash, s, &alice, out, sizeof out, &id);
    cr_assert_eq(len, expected.len);
    cr_expect_arr_eq(out, expected.data, len);
    cr_expect_eq(verdict_on(given_peer(c), (struct era_bytes){out, len}), ERA_ACCEPTED);
    struct era_hash same = era_author_vote_id(&c->hash, ERA_KIND_READINESS, &s->u.vote);
    cr_expect(era_hash_eq(&id, &same), "the id is the same for every key");
    free(s);
}

Test(author, what_does_not_fit_is_not_written)
{
    struct era_secret alice = secret_of("alice");
    struct era_statement *s = vote_on(given_proposal(c, "network", 1));
    uint8_t out[1024];

    size_t len = era_author_sign(&c->hash, s, &alice, out, sizeof out, NULL);
    cr_expect_eq(era_author_sign(&c->hash, s, &alice, out, len, NULL), len);
    cr_expect_eq(era_author_sign(&c->hash, s, &alice, out, len - 1, NULL), 0);
    free(s);
}

Test(author, a_plan_too_large_for_a_loose_statement_is_not_signed)
{
    struct era_secret s1 = secret_of("s1");
    struct era_statement *s = calloc(1, sizeof *s);
    uint8_t *out = malloc(ERA_AUTHORED_BYTES_MAX);
    struct era_proposal *p = given_proposal(c, "network", 1);

    for (uint64_t e = 1; e < 5; e++)
        given_breaking(p, e, "2.0.0");
    for (size_t e = 0; e < 5; e++) {
        struct era_record *r = &p->plan.entries[e].record;
        r->flag_count = ERA_FLAGS_MAX;
        for (size_t i = 0; i < ERA_FLAGS_MAX; i++)
            snprintf(r->flags[i].name, sizeof r->flags[i].name, "flag-%02zu-%055d", i, 0);
        r->artefact_count = ERA_ARTEFACTS_MAX;
        for (size_t i = 0; i < ERA_ARTEFACTS_MAX; i++) {
            snprintf(r->artefacts[i].name, sizeof r->artefacts[i].name, "artefact-%02zu-%051d", i, 0);
            strcpy(r->artefacts[i].digest, given_digest("x"));
            snprintf(r->artefacts[i].link, sizeof r->artefacts[i].link, "https://%0240d", 0);
        }
    }
    s->kind = ERA_KIND_PROPOSAL;
    s->u.proposal = *p;
    s->u.proposal.plan.count = 4;
    cr_expect_gt(era_author_sign(&c->hash, s, &s1, out, ERA_AUTHORED_BYTES_MAX, NULL), 0);
    for (size_t e = 0; e < 5; e++)
        s->u.proposal.plan.entries[e].record.dependency_count = ERA_DEPENDENCIES_MAX;
    for (size_t e = 0; e < 5; e++)
        for (size_t i = 0; i < ERA_DEPENDENCIES_MAX; i++) {
            struct era_dependency *d = &s->u.proposal.plan.entries[e].record.dependencies[i];
            snprintf(d->name, sizeof d->name, "d%zu-%060d", i, 0);
            snprintf(d->range, sizeof d->range, ">=1.0.0-%0120d", 0);
            snprintf(d->since, sizeof d->since, "%060d", 0);
        }
    s->u.proposal.plan.count = 5;
    cr_expect_eq(era_author_sign(&c->hash, s, &s1, out, ERA_AUTHORED_BYTES_MAX, NULL), 0);
    free(s);
    free(out);
}

Test(author, R6_a_carrier_is_at_most_one_statement)
{
    struct era_proposal *p = given_proposal(c, "network", 1);
    struct era_carrier *k = given_carrier(c, p, "s1", "s1", "alice", "");
    uint8_t *payload = calloc(1, ERA_LOOSE_BYTES_MAX), *out;
    struct era_bytes expected = given_sealed(ERA_KIND_CERTIFICATE, k);

    size_t len = era_author_carrier(ERA_KIND_CERTIFICATE, k, &out);
    cr_assert_eq(len, expected.len);
    cr_expect_arr_eq(out, expected.data, len);
    free(out);
    k->attestation_count = 30;
    k->attestations = calloc(30, sizeof *k->attestations);
    for (size_t i = 0; i < 30; i++)
        k->attestations[i].payload = (struct era_bytes){payload, ERA_LOOSE_BYTES_MAX};
    cr_expect_eq(era_author_carrier(ERA_KIND_CERTIFICATE, k, &out), 0);
    cr_expect_null(out);
    free(k->attestations);
    free(payload);
}

/* The payload fits, and the envelope around it not. */
Test(author, R6_a_carrier_and_its_envelope_are_at_most_one_statement)
{
    struct era_carrier *k = given_carrier(c, given_proposal(c, "network", 1), "s1", "s1", "alice", "");
    uint8_t *payload = calloc(1, ERA_STATEMENT_BYTES_MAX), *out;
    struct era_indexed_attestation one = {.payload = {payload, 1000000}};

    k->attestations = &one;
    k->attestation_count = 1;
    one.payload.len += ERA_STATEMENT_BYTES_MAX - 20 - era_carrier_bytes(k);
    cr_assert_eq(era_carrier_bytes(k), ERA_STATEMENT_BYTES_MAX - 20);
    size_t len = era_author_carrier(ERA_KIND_CERTIFICATE, k, &out);
    cr_expect(len > 0 && len <= ERA_STATEMENT_BYTES_MAX);
    free(out);
    one.payload.len += 20;
    cr_assert_eq(era_carrier_bytes(k), ERA_STATEMENT_BYTES_MAX);
    cr_expect_eq(era_author_carrier(ERA_KIND_CERTIFICATE, k, &out), 0);
    cr_expect_null(out);
    free(payload);
}
