/* R10 at the door: what is said of the charter that follows, alone and whole in a certificate. */
#include <criterion/criterion.h>

#include "src/core/succession.h"
#include "tests/core/peer.h"

static struct era_charter *old, *next;
static struct peer *p;

/* From alice, bob, carol, dave (Q = 27 of 40) and s1, s2 to bob, carol, dave, erin and s2, s3. */
static void begin(void)
{
    old = given_charter("alice:10 bob:10 carol:10 dave:10", "network k=2 signers=s1,s2");
    next = given_next_charter(old, "bob:10 carol:10 dave:10 erin:10", "network k=2 signers=s2,s3", 20, 100);
    p = given_peer(old);
}

static void end(void)
{
    peers_free();
}

TestSuite(verify_charter, .init = begin, .fini = end);

static struct era_bytes certificate(const char *old_signers, const char *new_signers, const char *accepts,
                                    const char *closes)
{
    return given_charter_certificate(next, old_signers, new_signers, accepts, closes);
}

Test(verify_charter, R10_a_complete_certificate_stands_by_itself)
{
    cr_assert_eq(verdict_on(p, certificate("s1 s2", "s2 s3", "bob carol erin", "alice bob carol")),
                 ERA_ACCEPTED);
}

Test(verify_charter, R10_adopted_needs_k_of_the_old_signers)
{
    cr_assert_eq(verdict_on(p, certificate("s2", "s2 s3", "bob carol erin", "alice bob carol")),
                 ERA_INCOMPLETE);
}

Test(verify_charter, R10_adopted_needs_k_of_the_new_signers)
{
    cr_assert_eq(verdict_on(p, certificate("s1 s2", "s2", "bob carol erin", "alice bob carol")),
                 ERA_INCOMPLETE);
}

Test(verify_charter, R10_adopted_needs_accepts_of_a_quorum_of_the_new)
{
    cr_assert_eq(verdict_on(p, certificate("s1 s2", "s2 s3", "bob erin", "alice bob carol")), ERA_INCOMPLETE);
}

Test(verify_charter, R10_adopted_needs_closes_of_a_quorum_of_the_old)
{
    cr_assert_eq(verdict_on(p, certificate("s1 s2", "s2 s3", "bob carol erin", "alice bob")), ERA_INCOMPLETE);
}

Test(verify_charter, R11_stakes_are_those_of_each_version)
{
    /* erin alone is a quorum of the new charter; of the old one alice alone is none. */
    next = given_next_charter(old, "bob:10 erin:1000", "network k=2 signers=s2,s3", 20, 100);
    cr_assert_eq(verdict_on(p, certificate("s1 s2", "s2 s3", "erin", "alice bob carol")), ERA_ACCEPTED);
    next = given_next_charter(old, "bob:1000 erin:10", "network k=2 signers=s2,s3", 20, 100);
    cr_assert_eq(verdict_on(p, certificate("s1 s2", "s2 s3", "bob", "bob")), ERA_INCOMPLETE);
}

static struct era_charter_certificate *parts(void)
{
    return given_succession(next, "s1 s2", "s2 s3", "bob carol erin", "alice bob carol", NULL);
}

Test(verify_charter, R10_every_signature_in_a_certificate_is_checked)
{
    struct era_signature *lists[4];
    struct era_charter_certificate *k = parts();
    lists[0] = &k->old_approvals[1].signature;
    lists[1] = &k->new_approvals[1].signature;
    lists[2] = &k->accepts[2].signature;
    lists[3] = &k->closes[0].signatures[2].signature;
    for (size_t i = 0; i < 4; i++) {
        lists[i]->b[40] ^= 1;
        cr_assert_eq(verdict_on(p, given_succession_sealed(k)), ERA_BAD_SIGNATURE);
        lists[i]->b[40] ^= 1;
    }
    cr_assert_eq(verdict_on(p, given_succession_sealed(k)), ERA_ACCEPTED);
}

Test(verify_charter, R10_an_accept_is_no_approval)
{
    struct era_charter_certificate *k = parts();
    struct era_charter *both = given_next_charter(old, "s2:10 s3:10", "network k=2 signers=s2,s3", 20, 100);
    next = both;
    k = given_succession(both, "s1 s2", "s2 s3", "s2 s3", "alice bob carol", NULL);
    k->new_approvals = k->accepts; /* valid signatures, over the other kind */
    k->new_approvals[0].key = 0;
    k->new_approvals[1].key = 1;
    k->new_approval_count = 2;
    cr_assert_eq(verdict_on(p, given_succession_sealed(k)), ERA_BAD_SIGNATURE);
}

Test(verify_charter, R10_a_close_for_another_charter_closes_not_this_one)
{
    struct era_charter *rival = given_rival_charter(next);
    struct era_charter_certificate *k = parts(), *other;
    other = given_succession(rival, "s1 s2", "s2 s3", "bob carol erin", "alice bob carol", NULL);
    k->closes = other->closes;
    cr_assert_eq(verdict_on(p, given_succession_sealed(k)), ERA_BAD_VALUE);
}

Test(verify_charter, R10_no_close_names_a_slot_that_is_not_carried)
{
    struct era_hash id = given_id(old, given_proposal(old, "network", 100));
    struct era_charter_certificate *k =
        given_succession(next, "s1 s2", "s2 s3", "bob carol erin", "alice bob carol",
                         given_named(given_closing(next), "network", 101, id));
    cr_assert_eq(verdict_on(p, given_succession_sealed(k)), ERA_BAD_VALUE);
    take(p, given_charter_statement(next, "s1"));
    cr_assert_eq(
        verdict_on(p, given_close(next, "alice", given_named(given_closing(next), "network", 101, id))),
        ERA_BAD_VALUE);
    cr_assert_eq(
        verdict_on(p, given_close(next, "alice", given_named(given_closing(next), "network", 100, id))),
        ERA_ACCEPTED);
    cr_assert_eq(verdict_on(p, given_close(next, "alice", given_named(given_closing(next), "oracle", 1, id))),
                 ERA_BAD_VALUE);
}

Test(verify_charter, R10_a_charter_has_the_next_version_and_names_the_one_before)
{
    struct era_charter *after = given_next_charter(next, NULL, NULL, 30, 100);
    cr_assert_eq(verdict_on(p, given_charter_statement(next, "s1")), ERA_ACCEPTED);
    cr_assert_eq(verdict_on(p, given_charter_statement(after, "s2")), ERA_UNKNOWN_CHARTER);
    next->parent.b[0] ^= 1;
    era_charter_seal(next);
    cr_assert_eq(verdict_on(p, given_charter_statement(next, "s1")), ERA_UNKNOWN_CHARTER);
}

Test(verify_charter, R10_name_and_clock_stay)
{
    struct era_charter good = *next;
    next->clock.epoch_ms++;
    era_charter_seal(next);
    cr_assert_eq(verdict_on(p, given_charter_statement(next, "s1")), ERA_BAD_VALUE);
    *next = good;
    next->clock.genesis_ms++;
    era_charter_seal(next);
    cr_assert_eq(verdict_on(p, given_charter_statement(next, "s1")), ERA_BAD_VALUE);
    *next = good;
    next->name[0] = 'x';
    era_charter_seal(next);
    cr_assert_eq(verdict_on(p, given_charter_statement(next, "s1")), ERA_BAD_VALUE);
}

Test(verify_charter, R10_every_component_of_the_old_charter_is_carried)
{
    old = given_charter("alice:10", "network k=2 signers=s1,s2; oracle k=1 signers=s1");
    next = given_next_charter(old, NULL, "network k=2 signers=s1,s2", 20, 100);
    struct peer *q = given_peer(old);
    cr_assert_eq(verdict_on(q, given_charter_statement(next, "s1")), ERA_ACCEPTED);
    next->carried_count = 1;
    era_charter_seal(next);
    cr_assert_eq(verdict_on(q, given_charter_statement(next, "s1")), ERA_BAD_VALUE);
}

Test(verify_charter, R13_a_charter_that_can_stick_is_refused)
{
    next = given_next_charter(old, NULL, "network k=2 signers=s1,s2,s3", 20, 100);
    cr_assert_eq(verdict_on(p, given_charter_statement(next, "s1")), ERA_BAD_VALUE);
}

Test(verify_charter, R10_only_signers_of_network_propose_a_charter)
{
    cr_assert_eq(verdict_on(p, given_charter_statement(next, "s3")), ERA_UNKNOWN_KEY);
    cr_assert_eq(verdict_on(p, given_charter_statement(next, "alice")), ERA_UNKNOWN_KEY);
}

Test(verify_charter, R1_nobody_speaks_of_a_charter_that_is_not_held)
{
    cr_assert_eq(verdict_on(p, given_accept(next, "erin")), ERA_UNKNOWN_CHARTER);
    cr_assert_eq(verdict_on(p, given_charter_approve(next, "s3")), ERA_UNKNOWN_CHARTER);
    cr_assert_eq(verdict_on(p, given_close(next, "alice", NULL)), ERA_UNKNOWN_CHARTER);
}

Test(verify_charter, R6_but_an_old_signer_says_which_one_is_wanted)
{
    cr_assert_eq(verdict_on(p, given_charter_approve(next, "s1")), ERA_ACCEPTED);
    struct era_charter *later = given_next_charter(next, NULL, NULL, 30, 100);
    cr_assert_eq(verdict_on(p, given_charter_approve(later, "s1")), ERA_UNKNOWN_CHARTER);
}

Test(verify_charter, R1_a_charter_on_its_way_to_the_disk_is_not_held)
{
    struct era_item *charter;
    cr_assert_eq(offer(p, given_charter_statement(next, "s1"), &charter), ERA_ACCEPTED);
    cr_assert_eq(verdict_on(p, given_accept(next, "erin")), ERA_UNKNOWN_CHARTER);
    era_ledger_commit(p->ledger, charter);
    cr_assert_eq(verdict_on(p, given_accept(next, "erin")), ERA_ACCEPTED);
}

Test(verify_charter, R10_each_kind_is_said_by_its_own)
{
    take(p, given_charter_statement(next, "s1"));
    cr_assert_eq(verdict_on(p, given_accept(next, "erin")), ERA_ACCEPTED);
    cr_assert_eq(verdict_on(p, given_accept(next, "alice")), ERA_UNKNOWN_KEY);
    cr_assert_eq(verdict_on(p, given_close(next, "alice", NULL)), ERA_ACCEPTED);
    cr_assert_eq(verdict_on(p, given_close(next, "erin", NULL)), ERA_UNKNOWN_KEY);
    cr_assert_eq(verdict_on(p, given_charter_approve(next, "s1")), ERA_ACCEPTED);
    cr_assert_eq(verdict_on(p, given_charter_approve(next, "s3")), ERA_ACCEPTED);
    cr_assert_eq(verdict_on(p, given_charter_approve(next, "alice")), ERA_UNKNOWN_KEY);
}

Test(verify_charter, R6_a_refused_certificate_is_never_named)
{
    const struct era_verified *s;
    struct era_hash item;
    struct era_charter_certificate *k = parts();
    k->accepts[0].signature.b[0] ^= 1;
    era_verify(p->verifier, given_succession_sealed(k), &s, &item, NULL);
    cr_assert(era_hash_is_zero(&item), "a true one would not be asked for");
}

/* Else whoever catches up would wait for it instead of asking again once it fits. */
Test(verify_charter, R6_a_carrier_of_an_unknown_charter_is_named)
{
    const struct era_verified *s;
    struct era_hash item;
    struct era_charter *after = given_next_charter(next, NULL, NULL, 30, 100);
    struct era_proposal *slot = given_proposal(old, "network", 1);
    struct era_bytes charter = given_charter_certificate(after, "s2 s3", "s2 s3", "bob", "bob"), adopted;
    slot->slot.charter_version = 1;
    adopted = given_certificate(next, slot, "s2", "s2 s3", "bob carol dave", "");
    cr_assert_eq(era_verify(p->verifier, charter, &s, &item, NULL), ERA_UNKNOWN_CHARTER);
    struct era_hash name = given_item(old, charter);
    cr_expect(era_hash_eq(&item, &name));
    cr_assert_eq(era_verify(p->verifier, adopted, &s, &item, NULL), ERA_UNKNOWN_CHARTER);
    name = given_item(old, adopted);
    cr_expect(era_hash_eq(&item, &name));
}

Test(verify_charter, R6_its_identity_is_the_charter)
{
    struct era_hash a, b;
    struct era_bytes few = certificate("s1 s2", "s2 s3", "bob carol erin", "alice bob carol"),
                     all = certificate("s1 s2", "s2 s3", "bob carol dave erin", "alice bob carol dave");
    cr_assert(reads_name(p, few, &a));
    cr_assert(reads_name(p, all, &b));
    cr_assert(era_hash_eq(&a, &b));
}
