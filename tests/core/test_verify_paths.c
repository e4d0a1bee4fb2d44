/* What the verifier refuses, and by what name: orders and forgeries that are rare (R1, R6, R10). */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/author.h"
#include "src/core/succession.h"
#include "tests/core/peer.h"

static struct era_charter *old, *next;
static struct peer *p;

/* From alice, bob, carol, dave (Q = 27 of 40) and s1, s2 to bob, carol, dave, erin and s2, s3. */
static void begin(void)
{
    old = given_charter("alice:10 bob:10 carol:10 dave:10",
                        "network k=2 signers=s1,s2 rebuild=1/2; oracle k=1 signers=s1 rebuild=1/2");
    next = given_next_charter(old, "bob:10 carol:10 dave:10 erin:10", "network k=2 signers=s2,s3", 20, 100);
    p = given_peer(old);
}

TestSuite(verify_paths, .init = begin, .fini = peers_free);

static struct era_envelope opened(struct era_bytes envelope)
{
    struct era_envelope e;
    cr_assert_eq(era_envelope_decode(envelope, &e), ERA_ACCEPTED);
    return e;
}

/* A carrier of these bytes. */
static struct era_bytes carrying(uint32_t kind, struct era_bytes payload)
{
    struct era_envelope e = {.kind = kind, .payload = payload};
    static uint8_t out[8][4096];
    static size_t at;
    uint8_t *room = out[at++ % 8];
    size_t len = era_envelope_encode(&e, room, sizeof out[0]);
    cr_assert_gt(len, 0);
    return (struct era_bytes){room, len};
}

static bool is_named(struct era_bytes envelope)
{
    struct era_hash item;
    return reads_name(p, envelope, &item);
}

Test(verify_paths, nothing_is_freed_twice_or_of_nobody)
{
    era_verifier_free(NULL);
    era_ledger_free(NULL);
    cr_assert_eq(verdict_on(p, given_ready(old, "alice", given_proposal(old, "network", 1))), ERA_ACCEPTED);
}

/* ---- carriers of noise ---- */

Test(verify_paths, R6_a_carrier_of_noise_has_no_name)
{
    static const uint8_t noise[] = {0xff, 0xff, 0xff};
    static const uint32_t kinds[] = {ERA_KIND_APPROVED, ERA_KIND_CERTIFICATE, ERA_KIND_EVIDENCE,
                                     ERA_KIND_CHARTER_CERTIFICATE};
    for (size_t i = 0; i < 4; i++) {
        struct era_bytes envelope = carrying(kinds[i], (struct era_bytes){noise, sizeof noise});
        cr_expect_eq(verdict_on(p, envelope), ERA_TRUNCATED, "kind %u", kinds[i]);
        cr_expect_not(is_named(envelope), "kind %u", kinds[i]);
    }
    cr_expect_not(is_named((struct era_bytes){noise, sizeof noise}));
}

Test(verify_paths, R10_a_certificate_of_no_charter_has_no_name)
{
    struct era_charter_certificate *k =
        given_succession(next, "s1 s2", "s2 s3", "bob carol erin", "alice bob carol", NULL);
    k->charter.len--;
    struct era_bytes cut = given_succession_sealed(k);
    cr_expect_neq(verdict_on(p, cut), ERA_ACCEPTED);
    cr_expect_not(is_named(cut));
}

Test(verify_paths, R6_an_approved_carries_no_attestation)
{
    struct era_proposal *b =
        given_artefacts(given_breaking(given_proposal(old, "network", 1), 10, "2.0.0"), "linux");
    struct era_carrier *k = given_carrier(old, b, "s1", "s1 s2", "", "alice");
    cr_assert_eq(k->attestation_count, 1);
    cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_APPROVED, k)), ERA_NOT_CANONICAL);
    k->attestation_count = 0;
    cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_APPROVED, k)), ERA_ACCEPTED);
}

/* ---- attestations in a certificate ---- */

static struct era_proposal *built(const char *component)
{
    return given_artefacts(given_breaking(given_proposal(old, component, 1), 10, "2.0.0"), "linux");
}

/* A certificate whose first attestation is changed and signed anew by its own validator. */
static struct era_bytes attested(void (*change)(struct era_attestation *a))
{
    struct era_carrier *k =
        given_carrier(old, built("network"), "s1", "s1 s2", "alice bob carol dave", "alice bob carol");
    struct era_statement *s = calloc(1, sizeof *s);
    const char *who = old->validators[k->attestations[0].key].name;
    cr_assert_eq(era_statement_decode(ERA_KIND_ATTESTATION, k->attestations[0].payload, s), ERA_ACCEPTED);
    change(&s->u.attestation);
    struct era_envelope e = opened(given_signed(old, who, s));
    k->attestations[0].payload = e.payload;
    k->attestations[0].signature = e.signature;
    free(s);
    return given_sealed(ERA_KIND_CERTIFICATE, k);
}

static void nothing(struct era_attestation *a)
{
    (void)a;
}

static void other_component(struct era_attestation *a)
{
    strcpy(a->slot.component, "oracle");
}

static void other_charter(struct era_attestation *a)
{
    a->slot.charter_version = 1;
}

static void other_seq(struct era_attestation *a)
{
    a->slot.seq = 2;
}

Test(verify_paths, N5_a_carried_attestation_is_of_the_same_slot_in_every_part)
{
    cr_expect_eq(verdict_on(p, attested(nothing)), ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, attested(other_component)), ERA_BAD_VALUE);
    cr_expect_eq(verdict_on(p, attested(other_charter)), ERA_BAD_VALUE);
    cr_expect_eq(verdict_on(p, attested(other_seq)), ERA_BAD_VALUE);
}

Test(verify_paths, N5_a_carried_attestation_decodes)
{
    static const uint8_t noise[] = {0xff, 0xff, 0xff};
    struct era_carrier *k =
        given_carrier(old, built("network"), "s1", "s1 s2", "alice bob carol dave", "alice bob carol");
    k->attestations[0].payload = (struct era_bytes){noise, sizeof noise};
    cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_CERTIFICATE, k)), ERA_MALFORMED);
}

/* A validator that rebuilt twice says it twice; its stake stands behind the artefact once. */
static void other_builder(struct era_attestation *a)
{
    strcpy(a->builder, "another machine");
}

Test(verify_paths, N2_a_validator_counts_once_an_artefact)
{
    struct era_proposal *b = built("network");
    struct era_carrier *k = given_carrier(old, b, "s1", "s1 s2", "alice bob carol dave", "alice");
    struct era_statement *s = calloc(1, sizeof *s);
    cr_assert_eq(era_statement_decode(ERA_KIND_ATTESTATION, k->attestations[0].payload, s), ERA_ACCEPTED);
    other_builder(&s->u.attestation);
    struct era_envelope e = opened(given_signed(old, "alice", s));
    struct era_indexed_attestation two[2] = {k->attestations[0],
                                             {k->attestations[0].key, e.signature, e.payload}};
    if (two[0].payload.len > two[1].payload.len ||
        memcmp(two[0].payload.data, two[1].payload.data, two[0].payload.len) > 0) {
        struct era_indexed_attestation swap = two[0];
        two[0] = two[1];
        two[1] = swap;
    }
    k->attestations = two;
    k->attestation_count = 2;
    cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_CERTIFICATE, k)), ERA_INCOMPLETE, "10 of the 20 asked");
    free(s);
}

/* ---- checkpoints ---- */

static struct era_bytes checkpoint(const char *who, uint64_t version, struct era_hash charter)
{
    struct era_statement *s = calloc(1, sizeof *s);
    s->kind = ERA_KIND_CHECKPOINT;
    s->u.checkpoint = (struct era_checkpoint){.charter_version = version, .charter = charter, .at = 5};
    strcpy(s->u.checkpoint.component, "network");
    strcpy(s->u.checkpoint.digest, given_digest("state"));
    struct era_bytes out = given_signed(old, who, s);
    free(s);
    return out;
}

Test(verify_paths, P6_a_checkpoint_is_of_this_very_charter)
{
    struct era_hash other = old->hash;
    other.b[0] ^= 1;
    cr_expect_eq(verdict_on(p, checkpoint("alice", 0, old->hash)), ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, checkpoint("alice", 1, old->hash)), ERA_UNKNOWN_CHARTER);
    cr_expect_eq(verdict_on(p, checkpoint("alice", 0, other)), ERA_UNKNOWN_CHARTER);
}

/* ---- statements about the charter that follows ---- */

Test(verify_paths, R10_what_is_said_of_the_next_charter_decodes_and_is_signed)
{
    struct era_bytes said[4];
    cr_assert_eq(take(p, given_charter_statement(next, "s1")), ERA_ACCEPTED);
    said[0] = given_accept(next, "erin");
    said[1] = given_charter_approve(next, "s1");
    said[2] = given_close(next, "alice", NULL);
    said[3] = given_charter_statement(next, "s2");
    for (size_t i = 0; i < 4; i++) {
        struct era_envelope e = opened(said[i]);
        struct era_bytes whole = e.payload;
        uint8_t out[4096];
        cr_expect_eq(verdict_on(p, said[i]), ERA_ACCEPTED, "%zu", i);
        e.signature.b[3] ^= 1;
        size_t len = era_envelope_encode(&e, out, sizeof out);
        cr_expect_eq(verdict_on(p, (struct era_bytes){out, len}), ERA_BAD_SIGNATURE, "%zu", i);
        e.payload = (struct era_bytes){whole.data, whole.len - 1};
        len = era_envelope_encode(&e, out, sizeof out);
        cr_expect_eq(verdict_on(p, (struct era_bytes){out, len}), ERA_MALFORMED, "%zu", i);
    }
}

Test(verify_paths, R10_who_knows_no_charters_takes_nothing_about_them)
{
    era_verifier_ask(p->verifier, NULL, NULL, NULL);
    cr_expect_eq(verdict_on(p, given_charter_statement(next, "s1")), ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, given_accept(next, "erin")), ERA_UNKNOWN_CHARTER);
}

Test(verify_paths, R10_an_index_beyond_either_charter_names_nobody)
{
    struct era_indexed_signature *last[4];
    struct era_charter_certificate *k =
        given_succession(next, "s1 s2", "s2 s3", "bob carol erin", "alice bob carol", NULL);
    last[0] = &k->old_approvals[1];
    last[1] = &k->new_approvals[1];
    last[2] = &k->accepts[2];
    last[3] = &k->closes[0].signatures[2];
    for (size_t i = 0; i < 4; i++) {
        uint32_t was = last[i]->key;
        last[i]->key = 4; /* two signers, four validators */
        cr_expect_eq(verdict_on(p, given_succession_sealed(k)), ERA_UNKNOWN_KEY, "list %zu", i);
        last[i]->key = was;
    }
    cr_expect_eq(verdict_on(p, given_succession_sealed(k)), ERA_ACCEPTED);
}

Test(verify_paths, R10_a_close_in_a_certificate_decodes_and_is_of_its_version)
{
    static const uint8_t noise[] = {0xff, 0xff, 0xff};
    struct era_close *words = given_closing(next);
    words->version = 2;
    cr_expect_eq(verdict_on(p, given_succession_sealed(given_succession(
                                   next, "s1 s2", "s2 s3", "bob carol erin", "alice bob carol", words))),
                 ERA_BAD_VALUE);
    struct era_charter_certificate *k =
        given_succession(next, "s1 s2", "s2 s3", "bob carol erin", "alice bob carol", NULL);
    k->closes->payload = (struct era_bytes){noise, sizeof noise};
    cr_expect_eq(verdict_on(p, given_succession_sealed(k)), ERA_MALFORMED);
}

Test(verify_paths, R10_the_clock_stays_of_its_kind_and_every_component_is_carried_by_name)
{
    next->clock.kind = ERA_CLOCK_HEIGHT;
    next->clock.genesis_ms = 0;
    era_charter_seal(next);
    cr_expect_eq(verdict_on(p, given_charter_statement(next, "s1")), ERA_BAD_VALUE);
    next->clock = old->clock;
    era_charter_seal(next);
    cr_expect_eq(verdict_on(p, given_charter_statement(next, "s1")), ERA_ACCEPTED);
    strcpy(next->carried[1].component, "pruner"); /* not `oracle` */
    era_charter_seal(next);
    cr_expect_eq(verdict_on(p, given_charter_statement(next, "s1")), ERA_BAD_VALUE);
}

/* ---- evidence ---- */

static bool ascends(struct era_bytes a, struct era_bytes b)
{
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
    return order ? order < 0 : a.len < b.len;
}

static struct era_bytes evidence(struct era_bytes a, struct era_bytes b)
{
    struct era_envelope said[2] = {opened(a), opened(b)};
    size_t first = ascends(said[0].payload, said[1].payload) ? 0 : 1;
    struct era_evidence e = {.kind = said[0].kind,
                             .key = said[0].key,
                             .payloads = {said[first].payload, said[1 - first].payload},
                             .signatures = {said[first].signature, said[1 - first].signature}};
    uint8_t payload[4096];
    size_t len = era_evidence_encode(&e, payload, sizeof payload);
    cr_assert_gt(len, 0);
    return carrying(ERA_KIND_EVIDENCE, (struct era_bytes){payload, len});
}

static struct era_bytes approved_twice(const char *who)
{
    return evidence(given_charter_approve(next, who), given_charter_approve(given_rival_charter(next), who));
}

Test(verify_paths, I9_evidence_of_noise_names_nobody)
{
    static const uint8_t a[] = {0xfe, 0xff}, b[] = {0xff, 0xff};
    struct era_evidence e = {
        .kind = ERA_KIND_APPROVE, .key = given_key("s1").key, .payloads = {{a, 2}, {b, 2}}};
    uint8_t payload[512];
    size_t len = era_evidence_encode(&e, payload, sizeof payload);
    struct era_bytes noise = carrying(ERA_KIND_EVIDENCE, (struct era_bytes){payload, len});
    cr_expect_eq(verdict_on(p, noise), ERA_MALFORMED);
    cr_expect_not(is_named(noise));

    struct era_envelope good = opened(given_approve(old, "s1", given_proposal(old, "network", 1)));
    bool low = ascends(good.payload, e.payloads[0]);
    e.payloads[low ? 1 : 0] = e.payloads[low ? 0 : 1];
    e.payloads[low ? 0 : 1] = good.payload;
    len = era_evidence_encode(&e, payload, sizeof payload);
    cr_expect_eq(verdict_on(p, carrying(ERA_KIND_EVIDENCE, (struct era_bytes){payload, len})), ERA_MALFORMED);
}

Test(verify_paths, I9_two_places_have_no_name)
{
    struct era_bytes two = evidence(given_ready(old, "alice", given_proposal(old, "network", 1)),
                                    given_ready(old, "alice", given_proposal(old, "network", 2)));
    cr_expect_eq(verdict_on(p, two), ERA_BAD_VALUE);
    cr_expect_not(is_named(two));
}

Test(verify_paths, I9_votes_under_two_charters_are_no_evidence)
{
    struct era_proposal *later = given_proposal(old, "network", 1);
    later->slot.charter_version = 1;
    cr_expect_eq(verdict_on(p, evidence(given_ready(old, "bob", given_proposal(old, "network", 1)),
                                        given_ready(old, "bob", later))),
                 ERA_BAD_VALUE);
}

Test(verify_paths, R8_a_new_signer_is_named_once_a_charter_that_names_it_is_held)
{
    cr_expect_eq(verdict_on(p, approved_twice("s3")), ERA_UNKNOWN_CHARTER);
    cr_assert_eq(take(p, given_charter_statement(next, "s1")), ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, approved_twice("s3")), ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, approved_twice("mallory")), ERA_UNKNOWN_CHARTER, "the rival may name it");
    cr_assert_eq(take(p, given_charter_statement(given_rival_charter(next), "s1")), ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, approved_twice("mallory")), ERA_UNKNOWN_KEY, "neither does");
    cr_expect_eq(verdict_on(p, approved_twice("s3")), ERA_ACCEPTED);
}

Test(verify_paths, R8_who_knows_no_charters_takes_evidence_of_old_signers_only)
{
    era_verifier_ask(p->verifier, NULL, NULL, NULL);
    cr_expect_eq(verdict_on(p, approved_twice("s1")), ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, approved_twice("s3")), ERA_UNKNOWN_CHARTER);
}
