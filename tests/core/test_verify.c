#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/core/peer.h"

#define NETWORK "network k=2 signers=s1,s2,s3"
#define ALL     "alice bob carol dave"

TestSuite(verify, .fini = peers_free);

/* Stake 40, so Q = 27: alice, bob and carol are exactly enough. */
static struct era_charter *charter_of(const char *components)
{
    return given_charter("alice:13 bob:13 carol:1 dave:13", components);
}

/* ---- loose statements ---- */

Test(verify, R1_a_statement_by_a_named_key_is_accepted)
{
    struct era_charter *c = charter_of(NETWORK "; oracle k=1 signers=s9");
    struct peer *p = given_peer(c);
    struct era_proposal *soft = given_soft(given_proposal(c, "network", 1), 10, "1.1.0");
    struct era_announcement a = given_running(c, 3, "1.0.0");
    const struct era_verified *s;
    struct era_hash item;
    struct era_bytes approve = given_approve(c, "s2", soft);

    cr_expect_eq(verdict_on(p, given_proposed(c, "s1", soft)), ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, given_reject(c, "s3", soft, "no tests")), ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, given_ready(c, "alice", soft)), ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, given_attest(c, "bob", soft, "linux", given_digest("x"))), ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, given_announce(c, "carol", &a)), ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, given_event(c, "dave", 3, given_entry(soft, 0), 1, "x")), ERA_ACCEPTED);

    cr_assert_eq(era_verify(p->verifier, approve, &s, &item, NULL), ERA_ACCEPTED);
    cr_expect_eq(s->component, given_component_index(c, "network"));
    cr_expect_eq(s->signer, given_signer_index(c, "network", "s2"));
    cr_expect_eq(s->validator, -1);
    struct era_hash expected = given_item(c, approve);
    cr_expect(era_hash_eq(&item, &expected));
}

/* Who opened it said what it is called: the names are not computed again. */
Test(verify, R1_the_names_of_what_is_opened_are_taken_as_given)
{
    struct era_charter *c = charter_of(NETWORK);
    struct peer *p = given_peer(c);
    struct era_hash network = given_root(c), other = {{7}}, item;
    struct era_bytes approve = given_approve(c, "s2", given_proposal(c, "network", 1));
    struct era_hash expected = given_item(c, approve);
    const struct era_verified *s;
    struct era_opened opened;

    cr_assert_eq(era_envelope_open(&network, approve, &opened), ERA_ACCEPTED);
    cr_assert_eq(era_verify_opened(p->verifier, &opened, &s, &item, NULL), ERA_ACCEPTED);
    cr_expect_eq(s->envelope.data, approve.data);
    cr_expect_eq(s->envelope.len, approve.len);
    cr_expect(era_hash_eq(&s->id, &opened.id));
    cr_expect(era_hash_eq(&s->item, &expected));
    cr_expect(era_hash_eq(&item, &expected));

    opened.item = other;
    cr_assert_eq(era_verify_opened(p->verifier, &opened, &s, &item, NULL), ERA_ACCEPTED);
    cr_expect(era_hash_eq(&item, &other));
    cr_assert(era_verify_name(p->verifier, &opened, &item));
    cr_expect(era_hash_eq(&item, &other));
    opened.id = other; /* the signature is over the id */
    cr_expect_eq(era_verify_opened(p->verifier, &opened, &s, &item, NULL), ERA_BAD_SIGNATURE);
    cr_expect(era_hash_is_zero(&item));
}

Test(verify, R1_nothing_is_taken_from_a_key_without_that_role)
{
    struct era_charter *c = charter_of(NETWORK "; oracle k=1 signers=s9");
    struct peer *p = given_peer(c);
    struct era_proposal *soft = given_soft(given_proposal(c, "network", 1), 10, "1.1.0");
    struct era_announcement a = given_running(c, 3, "1.0.0");

    cr_expect_eq(verdict_on(p, given_approve(c, "mallory", soft)), ERA_UNKNOWN_KEY);
    cr_expect_eq(verdict_on(p, given_approve(c, "alice", soft)), ERA_UNKNOWN_KEY, "a validator is no signer");
    cr_expect_eq(verdict_on(p, given_approve(c, "s9", soft)), ERA_UNKNOWN_KEY,
                 "a signer of another component");
    cr_expect_eq(verdict_on(p, given_proposed(c, "s9", soft)), ERA_UNKNOWN_KEY);
    cr_expect_eq(verdict_on(p, given_reject(c, "bob", soft, "")), ERA_UNKNOWN_KEY);
    cr_expect_eq(verdict_on(p, given_ready(c, "s1", soft)), ERA_UNKNOWN_KEY, "a signer is no validator");
    cr_expect_eq(verdict_on(p, given_attest(c, "s1", soft, "linux", given_digest("x"))), ERA_UNKNOWN_KEY);
    cr_expect_eq(verdict_on(p, given_announce(c, "s1", &a)), ERA_UNKNOWN_KEY);
    cr_expect_eq(verdict_on(p, given_event(c, "s1", 3, given_entry(soft, 0), 1, "x")), ERA_UNKNOWN_KEY);
}

Test(verify, R1_another_component_or_charter_version_is_not_taken)
{
    struct era_charter *c = charter_of(NETWORK);
    struct peer *p = given_peer(c);
    struct era_proposal *other = given_proposal(c, "network", 1), *later = given_proposal(c, "network", 1);

    strcpy(other->slot.component, "oracle");
    strcpy(other->plan.entries[0].record.component, "oracle");
    cr_expect_eq(verdict_on(p, given_approve(c, "s1", given_seal(other))), ERA_UNKNOWN_COMPONENT);
    later->slot.charter_version = 1;
    cr_expect_eq(verdict_on(p, given_approve(c, "s1", later)), ERA_UNKNOWN_CHARTER);
    struct era_announcement a = given_running(c, 3, "1.0.0");
    a.charter_version = 1;
    cr_expect_eq(verdict_on(p, given_announce(c, "alice", &a)), ERA_UNKNOWN_CHARTER);
}

Test(verify, R1_a_signature_holds_on_its_own_network_only)
{
    struct era_charter *ours = charter_of(NETWORK), *theirs = charter_of(NETWORK " notice=3");
    struct peer *p = given_peer(ours);
    struct era_proposal *soft = given_soft(given_proposal(ours, "network", 1), 10, "1.1.0");

    cr_expect_eq(verdict_on(p, given_proposed(ours, "s1", soft)), ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, given_proposed(theirs, "s1", soft)), ERA_BAD_SIGNATURE);
}

Test(verify, R1_the_signature_covers_every_bit)
{
    struct era_charter *c = charter_of(NETWORK);
    struct peer *p = given_peer(c);
    struct era_bytes approve = given_approve(c, "s1", given_proposal(c, "network", 1));

    for (size_t i = 1; i <= approve.len; i++)
        cr_expect_neq(verdict_on(p, given_flipped(approve, i)), ERA_ACCEPTED, "byte %zu from the end", i);
    cr_expect_eq(verdict_on(p, given_flipped(approve, 1)), ERA_BAD_SIGNATURE);
    cr_expect_eq(verdict_on(p, approve), ERA_ACCEPTED);
}

Test(verify, R1_every_cut_of_a_statement_is_refused)
{
    struct era_charter *c = charter_of(NETWORK);
    struct peer *p = given_peer(c);
    struct era_proposal *soft = given_soft(given_proposal(c, "network", 1), 10, "1.1.0");
    struct era_bytes whole = given_certificate(c, soft, "s1", "s1 s2", ALL, "");

    for (size_t len = 0; len < whole.len; len++)
        cr_expect_neq(verdict_on(p, (struct era_bytes){whole.data, len}), ERA_ACCEPTED, "%zu bytes", len);
    cr_expect_eq(verdict_on(p, whole), ERA_ACCEPTED);
}

/* The identity point with the signature (identity, 0) fits every message in a lenient verifier. */
Test(verify, R1_a_small_order_key_signs_nothing)
{
    struct era_charter *c = charter_of(NETWORK);
    struct era_validator *v = &c->validators[0];
    struct era_bytes ready = given_ready(c, v->name, given_proposal(c, "network", 1));
    struct era_envelope e;
    uint8_t out[1024];

    memset(v->key.b, 0, sizeof v->key.b);
    v->key.b[0] = 1;
    cr_assert_lt(memcmp(v[0].key.b, v[1].key.b, ERA_KEY_BYTES), 0);
    struct peer *p = given_peer(c);
    cr_assert_eq(era_envelope_decode(ready, &e), ERA_ACCEPTED);
    e.key = v->key;
    memset(e.signature.b, 0, sizeof e.signature.b);
    e.signature.b[0] = 1;
    size_t len = era_envelope_encode(&e, out, sizeof out);
    cr_assert_gt(len, 0);
    cr_expect_eq(verdict_on(p, (struct era_bytes){out, len}), ERA_BAD_SIGNATURE);
}

/* S + L verifies where S is not reduced: endless copies that nobody signed. */
Test(verify, R1_nobody_but_the_key_holder_can_vary_a_signature)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                      0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
    struct era_charter *c = charter_of(NETWORK);
    struct peer *p = given_peer(c);
    struct era_bytes approve =
        given_flipped(given_flipped(given_approve(c, "s1", given_proposal(c, "network", 1)), 1), 1);
    uint8_t *s = (uint8_t *)approve.data + approve.len - 32;
    unsigned carry = 0;

    cr_assert_eq(verdict_on(p, approve), ERA_ACCEPTED);
    for (size_t i = 0; i < 32; i++) {
        carry += s[i] + order[i];
        s[i] = (uint8_t)carry;
        carry >>= 8;
    }
    cr_expect_eq(verdict_on(p, approve), ERA_BAD_SIGNATURE);
}

Test(verify, an_unknown_kind_is_named_as_such)
{
    struct era_charter *c = charter_of(NETWORK);
    struct peer *p = given_peer(c);
    struct era_bytes approve = given_approve(c, "s1", given_proposal(c, "network", 1));
    struct era_envelope e;
    uint8_t out[1024];

    cr_assert_eq(era_envelope_decode(approve, &e), ERA_ACCEPTED);
    for (uint32_t kind = 13; kind <= 40; kind++) {
        if (era_kind_is_carrier(kind))
            continue;
        e.kind = kind;
        size_t len = era_envelope_encode(&e, out, sizeof out);
        cr_expect_eq(verdict_on(p, (struct era_bytes){out, len}), ERA_UNKNOWN_KIND, "%u", kind);
    }
}

/* Refused items are not asked for again: whoever sends a forged copy first would keep out the true one. */
Test(verify, R6_a_forged_copy_does_not_name_the_true_item)
{
    struct era_charter *c = charter_of(NETWORK);
    struct peer *p = given_peer(c);
    struct era_proposal *soft = given_soft(given_proposal(c, "network", 1), 10, "1.1.0");
    struct era_bytes forged[] = {
        given_flipped(given_approve(c, "s1", soft), 1),
        given_approved(c, soft, "s1", "s1"),
        given_certificate(c, soft, "s1", "s1 s2", "alice", ""),
        given_certificate(c, soft, "mallory", "s1 s2", ALL, ""),
        given_flipped(given_certificate(c, soft, "s1", "s1 s2", ALL, ""), 1),
    };
    const struct era_verified *s;
    struct era_hash item;

    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        cr_expect_neq(era_verify(p->verifier, forged[i], &s, &item, NULL), ERA_ACCEPTED, "%zu", i);
        cr_expect(era_hash_is_zero(&item), "%zu", i);
    }
    /* By contrast: no copy of this one can ever be accepted. */
    struct era_bytes stranger = given_approve(c, "mallory", soft);
    struct era_hash named = given_item(c, stranger);
    cr_expect_eq(era_verify(p->verifier, stranger, &s, &item, NULL), ERA_UNKNOWN_KEY);
    cr_expect(era_hash_eq(&item, &named));
}

Test(verify, R1_a_copy_is_named_without_checking_a_signature)
{
    struct era_charter *c = charter_of(NETWORK);
    struct peer *p = given_peer(c);
    struct era_proposal *soft = given_soft(given_proposal(c, "network", 1), 10, "1.1.0");
    struct era_bytes whole[] = {given_approve(c, "s1", soft), given_approved(c, soft, "s1", "s1 s2"),
                                given_certificate(c, soft, "s1", "s1 s2", ALL, "")};
    const struct era_verified *s;
    struct era_hash name, item;

    for (size_t i = 0; i < 3; i++) {
        cr_assert(reads_name(p, whole[i], &name));
        cr_expect_not(reads_name(p, (struct era_bytes){whole[i].data, whole[i].len - 1}, &item));
    }
    cr_expect_eq(era_verifier_signatures(p->verifier), 0);
    cr_assert_eq(era_verify(p->verifier, whole[2], &s, &item, NULL), ERA_ACCEPTED);
    cr_expect(era_hash_eq(&name, &item));
}

Test(verify, an_ill_formed_plan_is_refused_loose_and_carried)
{
    struct era_charter *c = charter_of(NETWORK);
    struct peer *p = given_peer(c);
    struct era_proposal *soft = given_soft(given_proposal(c, "network", 1), 10, "1.1.0");
    const struct era_verified *s;
    struct era_hash item;
    const char *why = NULL;

    soft->plan.entries[1].record.era = 7;
    given_seal(soft);
    cr_expect_eq(era_verify(p->verifier, given_proposed(c, "s1", soft), &s, &item, &why),
                 ERA_ILL_FORMED_PLAN);
    cr_expect_str_eq(why, "a soft entry keeps the era before it");
    cr_expect_eq(verdict_on(p, given_approved(c, soft, "s1", "s1 s2")), ERA_ILL_FORMED_PLAN);
    cr_expect_eq(verdict_on(p, given_certificate(c, soft, "s1", "s1 s2", ALL, "")), ERA_ILL_FORMED_PLAN);
}

/* ---- carriers (R3, R5, R6) ---- */

Test(verify, R3_approved_is_k_distinct_keys)
{
    struct era_charter *c = charter_of("network k=2 urgent_k=3 signers=s1,s2,s3");
    struct peer *p = given_peer(c);
    struct era_proposal *soft = given_soft(given_proposal(c, "network", 1), 10, "1.1.0");

    cr_expect_eq(verdict_on(p, given_approved(c, soft, "s1", "")), ERA_INCOMPLETE);
    cr_expect_eq(verdict_on(p, given_approved(c, soft, "s1", "s2")), ERA_INCOMPLETE,
                 "proposing is not approving");
    cr_expect_eq(verdict_on(p, given_approved(c, soft, "s1", "s2 s3")), ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, given_approved(c, soft, "s1", "s1 s2 s3")), ERA_ACCEPTED);
}

Test(verify, D6_the_urgent_lane_asks_for_urgent_k)
{
    struct era_charter *c = charter_of("network k=2 urgent_k=3 signers=s1,s2,s3");
    struct peer *p = given_peer(c);
    struct era_proposal *urgent = given_soft(given_proposal(c, "network", 1), 10, "1.1.0");

    urgent->urgent = true;
    cr_expect_eq(verdict_on(p, given_approved(c, urgent, "s1", "s1 s2")), ERA_INCOMPLETE);
    cr_expect_eq(verdict_on(p, given_approved(c, urgent, "s1", "s1 s2 s3")), ERA_ACCEPTED);
}

Test(verify, R3_one_key_counts_once)
{
    struct era_charter *c = charter_of(NETWORK);
    struct peer *p = given_peer(c);
    struct era_proposal *soft = given_soft(given_proposal(c, "network", 1), 10, "1.1.0");
    struct era_carrier *k = given_carrier(c, soft, "s1", "s1 s1", ALL, "");
    struct era_carrier *r = given_carrier(c, soft, "s1", "s1 s2", "alice alice alice", "");

    cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_APPROVED, k)), ERA_DUPLICATE_KEY);
    cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_CERTIFICATE, k)), ERA_DUPLICATE_KEY);
    cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_CERTIFICATE, r)), ERA_DUPLICATE_KEY);
}

Test(verify, R6_a_carrier_lists_its_keys_in_order)
{
    struct era_charter *c = charter_of(NETWORK);
    struct peer *p = given_peer(c);
    struct era_proposal *soft = given_soft(given_proposal(c, "network", 1), 10, "1.1.0");
    struct era_carrier *k = given_carrier(c, soft, "s1", "s1 s2", "", "");
    struct era_indexed_signature first = k->approvals[0];

    cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_APPROVED, k)), ERA_ACCEPTED);
    k->approvals[0] = k->approvals[1];
    k->approvals[1] = first;
    cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_APPROVED, k)), ERA_NOT_CANONICAL);
}

Test(verify, R6_an_approved_carries_no_readiness)
{
    struct era_charter *c = charter_of(NETWORK);
    struct peer *p = given_peer(c);
    struct era_proposal *soft = given_soft(given_proposal(c, "network", 1), 10, "1.1.0");
    struct era_carrier *k = given_carrier(c, soft, "s1", "s1 s2", "alice", "");

    cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_APPROVED, k)), ERA_NOT_CANONICAL);
}

Test(verify, R6_every_signature_in_a_carrier_counts_or_all_is_refused)
{
    struct era_charter *c = charter_of("network k=2 signers=s1,s2,s3 rebuild=1/2");
    struct peer *p = given_peer(c);
    struct era_proposal *b =
        given_artefacts(given_breaking(given_proposal(c, "network", 1), 10, "2.0.0"), "linux");
    struct era_carrier *k[6];

    for (size_t i = 0; i < 6; i++)
        k[i] = given_carrier(c, b, "s1", "s1 s2 s3", ALL, ALL);
    cr_assert_eq(verdict_on(p, given_sealed(ERA_KIND_CERTIFICATE, k[5])), ERA_ACCEPTED);
    k[0]->signature.b[0] ^= 1;
    k[1]->approvals[2].signature.b[0] ^= 1;
    k[2]->readiness[3].signature.b[0] ^= 1;
    k[3]->attestations[3].signature.b[0] ^= 1;
    for (size_t i = 0; i < 4; i++)
        cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_CERTIFICATE, k[i])), ERA_BAD_SIGNATURE, "%zu", i);
    k[4]->readiness[3].signature = k[4]->readiness[2].signature;
    cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_CERTIFICATE, k[4])), ERA_BAD_SIGNATURE,
                 "another key's signature");
}

Test(verify, R6_an_index_beyond_the_charter_names_nobody)
{
    struct era_charter *c = charter_of("network k=2 signers=s1,s2,s3 rebuild=1/2");
    struct peer *p = given_peer(c);
    struct era_proposal *b =
        given_artefacts(given_breaking(given_proposal(c, "network", 1), 10, "2.0.0"), "linux");
    struct era_carrier *k[3];

    for (size_t i = 0; i < 3; i++)
        k[i] = given_carrier(c, b, "s1", "s1 s2 s3", ALL, ALL);
    k[0]->approvals[2].key = 3;
    k[1]->readiness[3].key = 4;
    k[2]->attestations[3].key = 4;
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_CERTIFICATE, k[i])), ERA_UNKNOWN_KEY, "%zu", i);
}

Test(verify, R5_adopted_is_readiness_of_more_than_two_thirds)
{
    struct era_charter *c = charter_of(NETWORK);
    struct peer *p = given_peer(c);
    struct era_proposal *soft = given_soft(given_proposal(c, "network", 1), 10, "1.1.0");

    cr_expect_eq(verdict_on(p, given_certificate(c, soft, "s1", "s1 s2", "alice bob", "")), ERA_INCOMPLETE,
                 "26");
    cr_expect_eq(verdict_on(p, given_certificate(c, soft, "s1", "s1 s2", "alice bob carol", "")),
                 ERA_ACCEPTED, "27");
    cr_expect_eq(verdict_on(p, given_certificate(c, soft, "s1", "s1", ALL, "")), ERA_INCOMPLETE, "k as well");
}

Test(verify, R5_a_new_breaking_entry_asks_for_enough)
{
    struct era_charter *c = charter_of("network k=2 signers=s1,s2,s3 enough=3/4");
    struct peer *p = given_peer(c);
    struct era_proposal *start = given_proposal(c, "network", 1);
    struct era_proposal *soft = given_soft(given_copy(start), 10, "1.1.0");
    struct era_proposal *breaking = given_breaking(given_copy(start), 10, "2.0.0");
    struct era_proposal *override = given_override(given_copy(start), 10, "0.9.0");
    struct era_proposal *announced = given_announced(given_copy(start), "2.0.0");
    struct era_proposal *kept = given_next(c, breaking, 2);

    /* 27 of 40 is Q, 30 is enough. */
    cr_expect_eq(verdict_on(p, given_certificate(c, soft, "s1", "s1 s2", "alice bob carol", "")),
                 ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, given_certificate(c, announced, "s1", "s1 s2", "alice bob carol", "")),
                 ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, given_certificate(c, kept, "s1", "s1 s2", "alice bob carol", "")),
                 ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, given_certificate(c, breaking, "s1", "s1 s2", "alice bob carol", "")),
                 ERA_INCOMPLETE);
    cr_expect_eq(verdict_on(p, given_certificate(c, override, "s1", "s1 s2", "alice bob carol", "")),
                 ERA_INCOMPLETE);
    cr_expect_eq(verdict_on(p, given_certificate(c, breaking, "s1", "s1 s2", ALL, "")), ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, given_certificate(c, override, "s1", "s1 s2", ALL, "")), ERA_ACCEPTED);
}

Test(verify, M6_enough_below_the_quorum_changes_nothing)
{
    struct era_charter *c = charter_of("network k=2 signers=s1,s2,s3 enough=1/10");
    struct peer *p = given_peer(c);
    struct era_proposal *breaking = given_breaking(given_proposal(c, "network", 1), 10, "2.0.0");

    cr_expect_eq(verdict_on(p, given_certificate(c, breaking, "s1", "s1 s2", "alice bob", "")),
                 ERA_INCOMPLETE);
    cr_expect_eq(verdict_on(p, given_certificate(c, breaking, "s1", "s1 s2", "alice bob carol", "")),
                 ERA_ACCEPTED);
}

Test(verify, N2_every_artefact_has_its_own_rebuild_quorum)
{
    struct era_charter *c = charter_of("network k=2 signers=s1,s2,s3 rebuild=1/2");
    struct peer *p = given_peer(c);
    struct era_proposal *b =
        given_artefacts(given_breaking(given_proposal(c, "network", 1), 10, "2.0.0"), "linux mac");
    struct era_carrier *half = given_carrier(c, b, "s1", "s1 s2", ALL, "alice bob");
    struct era_carrier *one = given_carrier(c, b, "s1", "s1 s2", ALL, "alice bob");

    /* 20 of 40 asked: alice and bob hold 26, carol with either of them 14. */
    cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_CERTIFICATE, half)), ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, given_certificate(c, b, "s1", "s1 s2", ALL, "")), ERA_INCOMPLETE);
    cr_expect_eq(verdict_on(p, given_certificate(c, b, "s1", "s1 s2", ALL, "alice carol")), ERA_INCOMPLETE);
    one->attestation_count--; /* the last key's second artefact */
    cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_CERTIFICATE, one)), ERA_INCOMPLETE);
}

Test(verify, N2_soft_and_announced_plans_need_no_rebuild)
{
    struct era_charter *c = charter_of("network k=2 signers=s1,s2,s3 rebuild=1/2 artefacts=linux");
    struct peer *p = given_peer(c);

    cr_expect_eq(verdict_on(p, given_certificate(c, given_soft(given_proposal(c, "network", 1), 10, "1.1.0"),
                                                 "s1", "s1 s2", ALL, "")),
                 ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, given_certificate(c, given_announced(given_proposal(c, "network", 1), "2.0.0"),
                                                 "s1", "s1 s2", ALL, "")),
                 ERA_ACCEPTED);
    cr_expect_eq(
        verdict_on(p, given_certificate(c, given_breaking(given_proposal(c, "network", 1), 10, "2.0.0"), "s1",
                                        "s1 s2", ALL, "")),
        ERA_INCOMPLETE);
}

/* One attestation of a carrier, changed: payload and signature are made anew. */
static struct era_carrier *attested_otherwise(const struct era_charter *c, const struct era_proposal *p,
                                              const struct era_proposal *about, const char *digest)
{
    struct era_carrier *k = given_carrier(c, p, "s1", "s1 s2", ALL, "alice bob dave");
    int alice = given_validator_index(c, "alice");
    struct era_envelope e;

    cr_assert_eq(era_envelope_decode(given_attest(c, "alice", about, "linux", digest), &e), ERA_ACCEPTED);
    for (size_t i = 0; i < k->attestation_count; i++)
        if ((int)k->attestations[i].key == alice)
            k->attestations[i] = (struct era_indexed_attestation){(uint32_t)alice, e.signature, e.payload};
    return k;
}

Test(verify, N5_only_matching_attestations_of_this_proposal_are_carried)
{
    struct era_charter *c = charter_of("network k=2 signers=s1,s2,s3 rebuild=1/2");
    struct peer *p = given_peer(c);
    struct era_proposal *b =
        given_artefacts(given_breaking(given_proposal(c, "network", 1), 10, "2.0.0"), "linux");
    struct era_proposal *later = given_copy(b);
    const char *digest = b->plan.entries[1].record.artefacts[0].digest;

    later->slot.seq = 2;
    cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_CERTIFICATE, attested_otherwise(c, b, b, digest))),
                 ERA_ACCEPTED);
    cr_expect_eq(
        verdict_on(p, given_sealed(ERA_KIND_CERTIFICATE, attested_otherwise(c, b, b, given_digest("other")))),
        ERA_BAD_VALUE);
    cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_CERTIFICATE, attested_otherwise(c, b, later, digest))),
                 ERA_BAD_VALUE);
}

Test(verify, N5_a_carried_attestation_names_the_slot_of_the_proposal)
{
    struct era_charter *c = charter_of("network k=2 signers=s1,s2,s3 rebuild=1/2");
    struct peer *p = given_peer(c);
    struct era_proposal *b =
        given_artefacts(given_breaking(given_proposal(c, "network", 1), 10, "2.0.0"), "linux");
    struct era_carrier *k = given_carrier(c, b, "s1", "s1 s2", ALL, "alice bob dave");
    struct era_statement *s = calloc(1, sizeof *s);
    struct era_envelope e;

    for (size_t i = 0; i < k->attestation_count; i++) {
        const char *who = c->validators[k->attestations[i].key].name;
        cr_assert_eq(era_statement_decode(ERA_KIND_ATTESTATION, k->attestations[i].payload, s), ERA_ACCEPTED);
        s->u.attestation.slot.seq = 2;
        cr_assert_eq(era_envelope_decode(given_signed(c, who, s), &e), ERA_ACCEPTED);
        k->attestations[i].payload = e.payload;
        k->attestations[i].signature = e.signature;
    }
    cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_CERTIFICATE, k)), ERA_BAD_VALUE);
    free(s);
}

Test(verify, R3_votes_in_a_carrier_are_votes_for_its_own_slot)
{
    struct era_charter *c = charter_of(NETWORK);
    struct peer *p = given_peer(c);
    struct era_proposal *soft = given_soft(given_proposal(c, "network", 1), 10, "1.1.0");
    struct era_proposal *moved = given_copy(soft);
    struct era_carrier *k = given_carrier(c, soft, "s1", "s1 s2", "", "");

    moved->slot.seq = 2;
    k->approvals = given_carrier(c, moved, "s1", "s1 s2", "", "")->approvals;
    cr_expect_eq(verdict_on(p, given_sealed(ERA_KIND_APPROVED, k)), ERA_BAD_SIGNATURE);
}

/* ---- authority only ---- */

Test(verify, P4_in_an_authority_only_network_approved_is_adopted)
{
    struct era_charter *c = given_authority("e1", "network k=1 signers=s1 rebuild=1/2");
    struct peer *p = given_peer(c);
    struct era_proposal *b =
        given_artefacts(given_breaking(given_proposal(c, "network", 1), 10, "2.0.0"), "linux");

    cr_expect_eq(verdict_on(p, given_certificate(c, b, "s1", "", "", "")), ERA_INCOMPLETE);
    cr_expect_eq(verdict_on(p, given_certificate(c, b, "s1", "s1", "", "")), ERA_ACCEPTED);
}

Test(verify, C3_in_an_authority_only_network_emitters_sign_events)
{
    struct era_charter *c = given_authority("e1 e2", "network k=1 signers=s1");
    struct peer *p = given_peer(c);
    struct era_hash entry = given_entry(given_proposal(c, "network", 1), 0);
    struct era_announcement a = given_running(c, 3, "1.0.0");

    cr_expect_eq(verdict_on(p, given_event(c, "e2", 3, entry, 1, "x")), ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, given_event(c, "s1", 3, entry, 1, "x")), ERA_UNKNOWN_KEY);
    cr_expect_eq(verdict_on(p, given_announce(c, "e1", &a)), ERA_UNKNOWN_KEY);
}

Test(verify, a_refusal_leaves_nothing_behind)
{
    struct era_charter *c = charter_of(NETWORK);
    struct peer *p = given_peer(c);
    struct era_proposal *soft = given_soft(given_proposal(c, "network", 1), 10, "1.1.0");
    struct era_bytes approve = given_approve(c, "s1", soft);
    const struct era_verified *s;
    struct era_hash item;

    cr_expect_eq(verdict_on(p, given_certificate(c, soft, "s1", "s1 s2", "alice", "")), ERA_INCOMPLETE);
    cr_assert_eq(era_verify(p->verifier, approve, &s, &item, NULL), ERA_ACCEPTED);
    cr_expect_null(s->carrier);
    cr_expect_eq(s->kind, ERA_KIND_APPROVE);
    cr_expect_eq(era_verifier_signatures(p->verifier), 4, "proposal, two approvals, one approve");
}
