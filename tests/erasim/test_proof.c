/* The checker's own verifier of certificates: it accepts what is proven, and nothing that lacks one thing. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "src/erasim/proof.h"
#include "tests/lib/given.h"

/* W = 40, Q = 27; enough of a breaking entry: 30. */
static struct era_charter *grid(void)
{
    return given_charter("alice:10 bob:10 carol:10 dave:10",
                         "network k=2 signers=s1,s2,s3 enough=3/4 rebuild=1/2 artefacts=linux");
}

static struct era_proposal *soft(const struct era_charter *c)
{
    return given_soft(given_proposal(c, "network", 1), 10, "1.1.0");
}

static struct era_proposal *breaking(const struct era_charter *c)
{
    return given_breaking(given_proposal(c, "network", 1), 10, "2.0.0");
}

static const char *flaw_of(const struct era_charter *c, const struct era_proposal *p,
                           const struct era_carrier *k)
{
    struct era_hash id = given_id(c, p);
    return proof_certificate(c, &c->hash, &id, given_sealed(ERA_KIND_CERTIFICATE, k));
}

static void refused(const char *flaw, const char *expected)
{
    cr_assert(flaw, "accepted, though %s", expected);
    cr_assert_str_eq(flaw, expected);
}

Test(proof, R5_a_soft_plan_is_proven_by_k_approvals_and_q)
{
    struct era_charter *c = grid();
    struct era_proposal *p = soft(c);
    cr_assert_null(flaw_of(c, p, given_carrier(c, p, "s1", "s1 s2", "alice bob carol", "")));
}

Test(proof, R5_a_breaking_plan_is_proven_by_enough_and_matching_rebuilds)
{
    struct era_charter *c = grid();
    struct era_proposal *p = breaking(c);
    cr_assert_null(
        flaw_of(c, p, given_carrier(c, p, "s3", "s1 s2 s3", "alice bob carol dave", "alice dave")));
}

Test(proof, R1_an_id_is_made_as_the_statement_floor_makes_it)
{
    struct era_charter *c = grid();
    struct era_bytes payload = {(const uint8_t *)"payload", 7};
    struct era_hash mine = proof_statement_id(&c->hash, ERA_KIND_REJECT, payload);
    struct era_hash theirs = era_statement_id(&c->hash, ERA_KIND_REJECT, payload);
    struct era_key key = given_key("alice").key;
    cr_assert(era_hash_eq(&mine, &theirs));
    struct era_hash loose = proof_loose_item(&mine, &key), loose_too = era_item_id_loose(&mine, &key);
    cr_assert(era_hash_eq(&loose, &loose_too));
    struct era_hash carrier = proof_carrier_item(ERA_KIND_CERTIFICATE, &mine);
    struct era_hash carrier_too = era_item_id_carrier(ERA_KIND_CERTIFICATE, &mine);
    cr_assert(era_hash_eq(&carrier, &carrier_too));
}

Test(proof, Q_is_two_thirds_and_one)
{
    cr_assert_eq(proof_quorum(grid()), 27);
    cr_assert_eq(proof_quorum(given_charter("alice:3", "network k=1 signers=s1")), 3);
    cr_assert_eq(proof_quorum(given_charter("alice:4611686018427387904", "network k=1 signers=s1")),
                 3074457345618258603u);
}

Test(proof, R3_k_minus_one_approvals_are_refused)
{
    struct era_charter *c = grid();
    struct era_proposal *p = soft(c);
    refused(flaw_of(c, p, given_carrier(c, p, "s1", "s1", "alice bob carol", "")), "too few approvals");
}

Test(proof, R3_an_urgent_plan_asks_urgent_k)
{
    struct era_charter *c =
        given_charter("alice:10", "network k=2 urgent_k=3 signers=s1,s2,s3 artefacts=linux");
    struct era_proposal *p = soft(c);
    cr_assert_null(flaw_of(c, p, given_carrier(c, p, "s1", "s1 s2", "alice", "")));
    p->urgent = true;
    refused(flaw_of(c, p, given_carrier(c, p, "s1", "s1 s2", "alice", "")), "too few approvals");
}

Test(proof, R3_a_signer_counts_once)
{
    struct era_charter *c = grid();
    struct era_proposal *p = soft(c);
    struct era_carrier *k = given_carrier(c, p, "s1", "s1 s2", "alice bob carol", "");
    k->approvals[1] = k->approvals[0];
    /* The decoder refuses it already: a list ascends. */
    refused(flaw_of(c, p, k), "it is no certificate");
}

Test(proof, R5_stake_below_q_is_refused)
{
    struct era_charter *c = grid();
    struct era_proposal *p = soft(c);
    refused(flaw_of(c, p, given_carrier(c, p, "s1", "s1 s2", "alice bob", "")), "readiness below Q");
}

Test(proof, R5_a_breaking_plan_below_enough_is_refused)
{
    struct era_charter *c =
        given_charter("alice:14 bob:14 carol:12", "network k=1 signers=s1 enough=3/4 artefacts=linux");
    struct era_proposal *p = breaking(c), *q = soft(c);
    cr_assert_null(flaw_of(c, q, given_carrier(c, q, "s1", "s1", "alice bob", "")));
    refused(flaw_of(c, p, given_carrier(c, p, "s1", "s1", "alice bob", "")),
            "readiness below the policy's enough");
}

Test(proof, R5_rebuilds_below_the_quorum_are_refused)
{
    struct era_charter *c = grid();
    struct era_proposal *p = breaking(c);
    refused(flaw_of(c, p, given_carrier(c, p, "s1", "s1 s2", "alice bob carol", "alice")),
            "an artefact without its quorum of matching rebuilds");
}

Test(proof, R5_a_wrong_digest_matches_nothing)
{
    struct era_charter *c = grid();
    struct era_proposal *p = breaking(c), *other = given_copy(p);
    strcpy(other->plan.entries[1].record.artefacts[0].digest, given_digest("another build"));
    struct era_carrier *k = given_carrier(c, p, "s1", "s1 s2", "alice bob carol", "");
    const char *names[] = {"alice", "bob"};
    for (int i = 0; i < 2; i++) {
        struct era_envelope e;
        struct era_bytes said = given_attest(c, names[i], p, "linux", given_digest("another build"));
        cr_assert_eq(era_envelope_decode(said, &e), ERA_ACCEPTED);
        struct era_indexed_attestation a = {(uint32_t)given_validator_index(c, names[i]), e.signature,
                                            e.payload};
        size_t at = k->attestation_count++;
        k->attestations = at ? k->attestations : calloc(2, sizeof a);
        k->attestations[at] = a;
    }
    if (k->attestations[0].key > k->attestations[1].key) {
        struct era_indexed_attestation first = k->attestations[0];
        k->attestations[0] = k->attestations[1];
        k->attestations[1] = first;
    }
    refused(flaw_of(c, p, k), "an artefact without its quorum of matching rebuilds");
    free(k->attestations);
}

Test(proof, R1_a_flipped_signature_is_refused)
{
    struct era_charter *c = grid();
    struct era_proposal *p = breaking(c);
    const char *all[] = {"its author is no signer, or did not sign", "an approval is not signed",
                         "a validator did not sign", "an attestation is not signed"};
    for (int i = 0; i < 4; i++) {
        struct era_carrier *k = given_carrier(c, p, "s1", "s1 s2", "alice bob carol", "alice bob");
        struct era_signature *s[] = {&k->signature, &k->approvals[1].signature, &k->readiness[2].signature,
                                     &k->attestations[0].signature};
        s[i]->b[7] ^= 1;
        refused(flaw_of(c, p, k), all[i]);
    }
}

Test(proof, R1_another_network_is_refused)
{
    struct era_charter *c = grid();
    struct era_charter *other = given_charter("alice:10", "network k=1 signers=s1");
    struct era_proposal *p = soft(c);
    struct era_bytes bytes = given_certificate(c, p, "s1", "s1 s2", "alice bob carol", "");
    struct era_hash id = given_id(c, p);
    refused(proof_certificate(c, &other->hash, &id, bytes), "it is about another proposal");
}

Test(proof, R6_a_certificate_proves_its_own_proposal_only)
{
    struct era_charter *c = grid();
    struct era_proposal *p = soft(c), *q = given_soft(given_proposal(c, "network", 2), 10, "1.1.0");
    struct era_hash id = given_id(c, q);
    struct era_bytes bytes = given_certificate(c, p, "s1", "s1 s2", "alice bob carol", "");
    refused(proof_certificate(c, &c->hash, &id, bytes), "it is about another proposal");
    struct era_hash own = given_id(c, p);
    refused(proof_certificate(c, &c->hash, &own, given_approved(c, p, "s1", "s1 s2")),
            "it is no certificate");
}

Test(proof, R5_an_author_who_is_no_signer_is_refused)
{
    struct era_charter *c = grid();
    struct era_proposal *p = soft(c);
    refused(flaw_of(c, p, given_carrier(c, p, "alice", "s1 s2", "alice bob carol", "")),
            "its author is no signer, or did not sign");
}

Test(proof, R1_a_slot_of_another_charter_is_refused)
{
    struct era_charter *c = grid();
    struct era_proposal *p = soft(c);
    p->slot.charter_version = 3;
    refused(flaw_of(c, p, given_carrier(c, p, "s1", "s1 s2", "alice bob carol", "")),
            "a slot of another charter");
}

/* Each plan is signed by everybody; only its form is wrong. */
static const char *form(void (*spoil)(struct era_proposal *p))
{
    struct era_charter *c = given_charter("alice:10", "network k=1 signers=s1");
    struct era_proposal *p = given_soft(breaking(c), 12, "2.1.0");
    spoil(p);
    given_seal(p);
    return flaw_of(c, p, given_carrier(c, p, "s1", "s1", "alice", ""));
}

static void nothing(struct era_proposal *p)
{
    (void)p;
}

static void epochs_equal(struct era_proposal *p)
{
    p->plan.entries[2].effective = 10;
}

static void soft_takes_an_era(struct era_proposal *p)
{
    p->plan.entries[2].record.era = 3;
}

static void breaking_keeps_the_era(struct era_proposal *p)
{
    p->plan.entries[1].record.era = 1;
}

static void first_is_new(struct era_proposal *p)
{
    p->plan.entries[0].is_new = true;
}

static void announced_amid(struct era_proposal *p)
{
    p->plan.entries[1].has_effective = false;
    p->plan.entries[1].effective = 0;
}

static void builds_on_itself(struct era_proposal *p)
{
    p->prev = (struct era_head_ref){.some = true, .charter_version = 0, .seq = 1};
}

static void drops_what_it_has(struct era_proposal *p)
{
    p->drops[p->drop_count++] = p->plan.entries[2].hash;
}

Test(proof, R5_an_ill_formed_plan_is_refused)
{
    cr_assert_null(form(nothing));
    refused(form(epochs_equal), "epochs do not ascend");
    refused(form(soft_takes_an_era), "a soft entry does not keep its era");
    refused(form(breaking_keeps_the_era), "a breaking entry does not take the next era");
    refused(form(first_is_new), "the plan begins with nothing that is in force");
    refused(form(announced_amid), "an entry without an epoch does not stand last");
    refused(form(builds_on_itself), "it builds on a slot that is not below its own");
    refused(form(drops_what_it_has), "an entry is contained and dropped");
}

Test(proof, R5_without_validators_approved_is_adopted)
{
    struct era_charter *c = given_authority("e1", "network k=2 signers=s1,s2 rebuild=1/2 artefacts=linux");
    struct era_proposal *p = breaking(c);
    cr_assert_null(flaw_of(c, p, given_carrier(c, p, "s1", "s1 s2", "", "")));
    refused(flaw_of(c, p, given_carrier(c, p, "s1", "s1", "", "")), "too few approvals");
}

/* ---- charters that follow (R10) ---- */

struct handover {
    struct era_charter *old, *next;
    struct era_charter_certificate k;
    struct era_indexed_signature lists[4][4];
    struct era_close_group group;
    struct era_bytes close;
};

static struct era_signature signed_word(const struct handover *h, const char *who, enum era_kind kind,
                                        struct era_bytes *payload)
{
    static struct era_statement s;
    struct era_envelope e;
    memset(&s, 0, sizeof s);
    s.kind = kind;
    if (kind == ERA_KIND_CLOSE)
        s.u.close = (struct era_close){.version = 1, .charter = h->next->hash};
    else
        s.u.charter_vote = (struct era_charter_vote){1, h->next->hash};
    cr_assert_eq(era_envelope_decode(given_signed(h->old, who, &s), &e), ERA_ACCEPTED);
    *payload = e.payload;
    return e.signature;
}

static void add_word(struct handover *h, size_t list, size_t *count, int index, const char *who,
                     enum era_kind kind)
{
    struct era_indexed_signature one = {(uint32_t)index, signed_word(h, who, kind, &h->close)};
    size_t at = (*count)++;
    for (; at > 0 && h->lists[list][at - 1].key > one.key; at--)
        h->lists[list][at] = h->lists[list][at - 1];
    h->lists[list][at] = one;
}

/* Old: signers s1 s2 s3 (k = 2), W = 30. New: t1 t2 (k = 2), erin and frank of 10 each (Q = 14). Each list is
 * one that suffices, but for those left out by a bit of `without`: old approval, new approval, accept, close.
 */
static struct handover given_handover(unsigned without)
{
    struct handover h = {.old = given_charter("alice:10 bob:10 carol:10", "network k=2 signers=s1,s2,s3"),
                         .next = given_charter("erin:10 frank:10", "network k=2 signers=t1,t2")};
    h.next->version = 1;
    h.next->has_parent = true;
    h.next->parent = h.old->hash;
    h.next->effective = 5;
    h.next->carried_count = 1;
    strcpy(h.next->carried[0].component, "network");
    h.next->carried[0].seq = 1 << 20;
    era_charter_seal(h.next);
    const char *old_signers[] = {"s1", "s3"}, *new_signers[] = {"t1", "t2"},
               *validators[] = {"erin", "frank"}, *closers[] = {"alice", "bob", "carol"};
    size_t closes = 0;
    for (size_t i = without & 1; i < 2; i++)
        add_word(&h, 0, &h.k.old_approval_count, given_signer_index(h.old, "network", old_signers[i]),
                 old_signers[i], ERA_KIND_CHARTER_APPROVE);
    for (size_t i = without >> 1 & 1; i < 2; i++)
        add_word(&h, 1, &h.k.new_approval_count, given_signer_index(h.next, "network", new_signers[i]),
                 new_signers[i], ERA_KIND_CHARTER_APPROVE);
    for (size_t i = without >> 2 & 1; i < 2; i++)
        add_word(&h, 2, &h.k.accept_count, given_validator_index(h.next, validators[i]), validators[i],
                 ERA_KIND_ACCEPT);
    for (size_t i = without >> 3 & 1; i < 3; i++)
        add_word(&h, 3, &closes, given_validator_index(h.old, closers[i]), closers[i], ERA_KIND_CLOSE);
    h.group = (struct era_close_group){.payload = h.close, .count = closes};
    return h;
}

static const char *handover_flaw(struct handover *h)
{
    static uint8_t payload[65536], out[65536];
    uint8_t *charter;
    size_t len = era_charter_encode(h->next, &charter);
    h->k.charter = (struct era_bytes){charter, len};
    h->k.old_approvals = h->lists[0];
    h->k.new_approvals = h->lists[1];
    h->k.accepts = h->lists[2];
    h->group.signatures = h->lists[3];
    h->k.closes = &h->group;
    h->k.close_count = 1;
    struct era_envelope e = {
        .kind = ERA_KIND_CHARTER_CERTIFICATE,
        .payload = {payload, era_charter_certificate_encode(&h->k, payload, sizeof payload)}};
    len = era_envelope_encode(&e, out, sizeof out);
    const char *flaw = proof_charter(h->old, &h->old->hash, &h->next->hash, (struct era_bytes){out, len});
    free(charter);
    return flaw;
}

Test(proof, R10_a_charter_follows_by_all_four_quorums)
{
    struct handover h = given_handover(0);
    cr_assert_null(handover_flaw(&h));
}

Test(proof, R10_each_quorum_is_asked)
{
    const char *flaws[] = {"too few approvals", "too few approvals", "accepts below Q of the new charter",
                           "closes below Q of the parent"};
    for (unsigned i = 0; i < 4; i++) {
        struct handover h = given_handover(1u << i);
        refused(handover_flaw(&h), flaws[i]);
    }
}

Test(proof, R10_each_word_is_signed)
{
    const char *flaws[] = {"an approval is not signed", "an approval is not signed",
                           "a validator did not sign", "a validator did not sign"};
    for (unsigned i = 0; i < 4; i++) {
        struct handover h = given_handover(0);
        h.lists[i][1].signature.b[3] ^= 1;
        refused(handover_flaw(&h), flaws[i]);
    }
}

Test(proof, R10_a_charter_names_its_parent_and_its_bounds)
{
    struct handover h = given_handover(0);
    h.next->parent.b[0] ^= 1;
    era_charter_seal(h.next);
    refused(handover_flaw(&h), "it follows another charter");
    h = given_handover(0);
    h.next->version = 2;
    era_charter_seal(h.next);
    refused(handover_flaw(&h), "it follows another charter");
    h = given_handover(0);
    strcpy(h.next->carried[0].component, "oracle");
    era_charter_seal(h.next);
    refused(handover_flaw(&h), "a component of the parent without its bound");
}

Test(proof, R10_a_close_is_for_this_charter)
{
    struct handover h = given_handover(0), other = given_handover(0);
    other.next->effective = 6;
    era_charter_seal(other.next);
    for (int i = 0; i < 3; i++) {
        const char *who[] = {"alice", "bob", "carol"};
        signed_word(&other, who[i], ERA_KIND_CLOSE, &h.group.payload);
    }
    refused(handover_flaw(&h), "a close for something else");
}
