/* Which carriers are kept when a slot has more than two of a kind: the same ones everywhere, whatever came
 * first; and what a word is bound to is never undone (R6, R8, R12). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/prng.h"
#include "src/core/view.h"
#include "tests/core/peer.h"

#define RIVALS 24
#define ALL    "alice bob carol dave"

/* Stake 40, Q = 27: three of four. k = 2 of 4. */
static struct era_charter *c;
static struct peer *p, *q;
static struct era_proposal *rivals[RIVALS]; /* of slot 1; ascending by their ids */

static int by_id(const void *a, const void *b)
{
    struct era_hash x = given_id(c, *(struct era_proposal *const *)a),
                    y = given_id(c, *(struct era_proposal *const *)b);
    return era_hash_cmp(&x, &y);
}

static void given_rivals(uint64_t seq)
{
    for (size_t i = 0; i < RIVALS; i++) {
        char version[16];
        snprintf(version, sizeof version, "1.%zu.0", i + 1);
        rivals[i] = given_soft(given_proposal(c, "network", seq), 100, version);
    }
    qsort(rivals, RIVALS, sizeof rivals[0], by_id);
}

static void begin(void)
{
    c = given_charter("alice:10 bob:10 carol:10 dave:10", "network k=2 signers=s1,s2,s3,s4");
    p = given_peer(c);
    q = given_peer(c);
    given_rivals(1);
}

TestSuite(carriers, .init = begin, .fini = peers_free);

static struct era_bytes approved(size_t at)
{
    return given_approved(c, rivals[at], "s1", "s1 s2");
}

static struct era_bytes certificate(size_t at)
{
    return given_certificate(c, rivals[at], "s1", "s1 s2", ALL, "");
}

typedef struct era_bytes carrier_fn(size_t at);
static carrier_fn *const kinds[] = {approved, certificate};

/* ---- the rule ---- */

Test(carriers, R6_a_slot_holds_two_proposals_of_each_carrier)
{
    for (size_t k = 0; k < 2; k++) {
        cr_expect_eq(take(p, kinds[k](3)), ERA_ACCEPTED);
        cr_expect_eq(take(p, kinds[k](5)), ERA_ACCEPTED);
        cr_expect_eq(take(p, kinds[k](7)), ERA_CAPPED);
    }
    given_rivals(2);
    cr_expect_eq(offer(p, certificate(3), NULL), ERA_ACCEPTED);
    cr_expect_eq(offer(p, certificate(5), NULL), ERA_ACCEPTED);
    cr_expect_eq(take(p, certificate(7)), ERA_ACCEPTED, "those in flight may be lost");
    cr_expect_eq(take(p, certificate(9)), ERA_ACCEPTED);
    cr_expect_eq(take(p, certificate(8)), ERA_ACCEPTED);
    cr_expect_eq(take(p, certificate(10)), ERA_CAPPED);
}

static struct peer *fresh(void)
{
    return given_peer(c);
}

Test(carriers, R6_three_approved_of_a_slot_end_equal_in_every_order)
{
    expect_two_lowest_in_every_order(fresh, approved);
}

Test(carriers, R6_three_certificates_of_a_slot_end_equal_in_every_order)
{
    expect_two_lowest_in_every_order(fresh, certificate);
}

Test(carriers, R6_an_approved_one_that_goes_leaves_nothing)
{
    take(p, approved(5));
    take(p, approved(3));
    changes(p);
    cr_expect_eq(take(p, approved(4)), ERA_ACCEPTED);
    cr_expect_str_eq(changes(p), "approved 1, offer approved, withdraw approved, delete approved");
    cr_expect_null(candidate(p, rivals[5]));
    cr_expect_eq(era_ledger_count(p->ledger), 2);
    cr_expect_eq(take(p, approved(5)), ERA_CAPPED);
}

Test(carriers, R8_what_is_proposed_besides_stays_and_loses_only_what_the_carrier_said)
{
    take(p, given_proposed(c, "s1", rivals[5]));
    take(p, given_reject(c, "s3", rivals[5], "no"));
    take(p, approved(5));
    take(p, approved(3));
    take(p, approved(4));
    struct era_candidate *of = candidate(p, rivals[5]);
    cr_expect(!holds(p, approved(5)) && offers(p, given_proposed(c, "s1", rivals[5])));
    cr_expect(of->known && of->stands);
    cr_expect_eq(of->approved_by, 0);
    cr_expect_eq(of->reject_count, 1);
    take(p, given_approve(c, "s3", rivals[5]));
    take(p, given_approve(c, "s4", rivals[5]));
    cr_expect_eq(assemble(p), 0, "two lower ones are carried");
    for (int i = 0; i < 3; i++)
        take(p, given_ready(c, (const char *[]){"alice", "bob", "carol"}[i], rivals[5]));
    cr_expect_eq(assemble(p), 1, "and it is adopted all the same");
    cr_expect_eq(head_seq(p, "network"), 1);
}

Test(carriers, R6_ever_lower_ids_of_one_author_are_taken_so_often_an_epoch)
{
    for (size_t k = 0; k < 2; k++) {
        size_t taken = 0;
        p->epoch++;
        for (size_t i = RIVALS; i-- > 0;)
            taken += take(p, kinds[k](i)) == ERA_ACCEPTED;
        cr_expect_eq(taken, 2 + 8);
        cr_expect_eq(era_ledger_count(p->ledger), 2);
        p->epoch++;
        for (size_t i = 0; i < 2; i++)
            cr_expect_eq(take(p, kinds[k](i)), ERA_ACCEPTED);
        cr_expect(offers(p, kinds[k](0)) && offers(p, kinds[k](1)));
        cr_expect_eq(era_ledger_count(p->ledger), 2);
    }
}

Test(carriers, R6_a_carrier_made_here_that_was_refused_keeps_no_certificate_from_being_made)
{
    for (size_t i = RIVALS; i-- > 2;)
        take(p, approved(i));
    take(p, given_proposed(c, "s1", rivals[0]));
    take(p, given_approve(c, "s3", rivals[0]));
    take(p, given_approve(c, "s4", rivals[0]));
    cr_expect_eq(assemble(p), 0, "its author was heard too often");
    for (int i = 0; i < 3; i++)
        take(p, given_ready(c, (const char *[]){"alice", "bob", "carol"}[i], rivals[0]));
    cr_expect_eq(assemble(p), 1);
    cr_expect_eq(head_seq(p, "network"), 1);
}

/* ---- what binds holds ---- */

Test(carriers, R8_what_a_validator_is_ready_for_is_held_and_not_offered)
{
    take(p, approved(9));
    take(p, given_ready(c, "alice", rivals[9]));
    take(p, approved(0));
    take(p, approved(1));
    cr_expect(holds(p, approved(9)) && !offers(p, approved(9)));
    cr_expect(candidate(p, rivals[9])->known);
    cr_expect(!candidate(p, rivals[9])->stands, "or here other rejects would come first than elsewhere");
    cr_expect_eq(__builtin_popcountll(candidate(p, rivals[9])->approved_by), 2);
    for (size_t i = 0; i < 2; i++)
        take(q, approved(i));
    take(q, given_ready(c, "alice", rivals[9]));
    cr_expect_eq(rounds_to_agree(p, q), 0);
    take(p, given_ready(c, "bob", rivals[9]));
    take(p, given_ready(c, "carol", rivals[9]));
    cr_expect_eq(assemble(p), 1);
    cr_expect_lt(rounds_to_agree(p, q), 10);
    cr_expect_eq(head_seq(q, "network"), 1);
}

Test(carriers, R8_a_vote_on_its_way_to_the_disk_holds_what_it_is_about)
{
    struct era_item *vote;
    take(p, approved(9));
    cr_assert_eq(offer(p, given_ready(c, "alice", rivals[9]), &vote), ERA_ACCEPTED);
    take(p, approved(0));
    take(p, approved(1));
    cr_expect(holds(p, approved(9)));
    era_ledger_commit(p->ledger, vote);
    take(p, given_approve(c, "s3", rivals[8]));
    cr_expect(holds(p, approved(9)) && !offers(p, approved(9)));
}

Test(carriers, R8_a_loose_approval_holds_what_it_is_about)
{
    take(p, approved(9));
    take(p, given_approve(c, "s3", rivals[9]));
    take(p, approved(0));
    take(p, approved(1));
    cr_expect(holds(p, approved(9)) && !offers(p, approved(9)));
    cr_expect_eq(__builtin_popcountll(candidate(p, rivals[9])->approved_by), 3);
}

/* Two words of each of ten, and the plans they are about: so many are kept. */
Test(carriers, R8_of_what_readiness_alone_holds_the_ones_of_most_stake_stay)
{
    c = given_charter("v0:9 v1:11 v2:12 v3:13 v4:14 v5:15 v6:16 v7:17 v8:18 v9:19",
                      "network k=2 signers=s1,s2,s3,s4");
    given_rivals(1);
    struct peer *a = given_peer(c);
    for (size_t i = 0; i < 20; i++) {
        char who[] = {'v', (char)('0' + i / 2), '\0'};
        cr_assert_eq(take(a, given_ready(c, who, rivals[RIVALS - 1 - i])), ERA_ACCEPTED);
    }
    for (size_t i = RIVALS; i-- > 0;) {
        a->epoch++;
        cr_assert_eq(take(a, approved(i)), ERA_ACCEPTED);
    }
    size_t held = 0;
    for (size_t i = 2; i < RIVALS; i++) {
        cr_expect(!offers(a, approved(i)));
        held += holds(a, approved(i));
    }
    cr_expect_eq(held, 16);
    for (size_t i = 0; i < 4; i++)
        cr_expect(!holds(a, approved(RIVALS - 1 - i)), "%zu is of those of least stake", i);
    cr_expect_eq(candidate(a, rivals[RIVALS - 1])->ready_stake, 9, "the votes count");
}

Test(carriers, R8_a_certificate_on_its_way_to_the_disk_is_adopted_whatever_goes)
{
    struct era_item *adopts;
    take(p, approved(9));
    cr_assert_eq(offer(p, certificate(9), &adopts), ERA_ACCEPTED);
    take(p, approved(0));
    take(p, approved(1));
    era_ledger_commit(p->ledger, adopts);
    cr_expect_eq(head_seq(p, "network"), 1);
}

/* ---- in flight ---- */

Test(carriers, R6_one_on_its_way_to_the_disk_displaces_nothing_yet)
{
    struct era_item *lower;
    take(p, approved(5));
    take(p, approved(6));
    cr_assert_eq(offer(p, approved(1), &lower), ERA_ACCEPTED);
    cr_expect(offers(p, approved(5)) && offers(p, approved(6)));
    era_ledger_abandon(p->ledger, lower);
    cr_expect(offers(p, approved(5)) && offers(p, approved(6)));
    cr_expect_null(candidate(p, rivals[1]));
}

Test(carriers, R6_one_overtaken_on_its_way_to_the_disk_goes)
{
    struct era_item *high;
    for (size_t k = 0; k < 2; k++) {
        cr_assert_eq(offer(p, kinds[k](6), &high), ERA_ACCEPTED);
        take(p, kinds[k](5));
        take(p, kinds[k](1));
        changes(p);
        era_ledger_commit(p->ledger, high);
        cr_expect_str_eq(changes(p), k ? "delete certificate" : "delete approved");
        cr_expect_eq(era_ledger_count(p->ledger), 2);
    }
}

/* ---- certificates ---- */

Test(carriers, R12_a_third_certificate_changes_nothing_but_what_proves_the_fork)
{
    uint64_t seq = 0;
    const struct era_adopted *adopted;
    for (size_t i = 5; i < 7; i++)
        take(p, certificate(i));
    struct era_hash was = era_view_digest(p->ledger);
    changes(p);
    take(p, certificate(1));
    cr_expect_str_eq(changes(p),
                     "approved 1, adopted 1, withdraw certificate, delete certificate, offer certificate");
    struct era_hash now = era_view_digest(p->ledger);
    cr_expect(era_hash_eq(&was, &now));
    cr_expect(era_ledger_forked(p->ledger, 0, &seq));
    cr_expect_eq(seq, 1);
    cr_expect_eq(era_ledger_adopted(p->ledger, 0, &adopted), 2);
    cr_expect_null(era_ledger_head(p->ledger, 0));
}

/* ---- from the disk ---- */

/* A crash came before the disk was told what went. */
Test(carriers, R8_a_start_judges_when_all_is_read)
{
    for (size_t i = 0; i < 2; i++)
        cr_expect_eq(restore(p, given_ready(c, "alice", rivals[8])), i ? ERA_DUPLICATE : ERA_ACCEPTED);
    for (size_t i = 9; i-- > 4;)
        cr_expect_eq(restore(p, approved(i)), ERA_ACCEPTED);
    cr_expect_eq(era_ledger_count(p->ledger), 6);
    era_ledger_start(p->ledger, 10);
    era_ledger_complete(p->ledger);
    cr_expect(offers(p, approved(4)) && offers(p, approved(5)) && !offers(p, approved(8)));
    cr_expect(!holds(p, approved(6)) && !holds(p, approved(7)) && holds(p, approved(8)));
    cr_expect_eq(era_ledger_count(p->ledger), 4);
}

Test(carriers, R12_of_three_certificates_on_the_disk_two_stay)
{
    static const size_t orders[][3] = {{4, 5, 6}, {4, 6, 5}, {5, 4, 6}, {5, 6, 4}, {6, 4, 5}, {6, 5, 4}};
    for (size_t i = 0; i < 6; i++) {
        struct peer *a = given_peer(c);
        for (size_t n = 0; n < 3; n++)
            cr_expect_eq(restore(a, certificate(orders[i][n])), ERA_ACCEPTED);
        cr_expect_not_null(strstr(changes(a), "delete certificate"));
        cr_expect(offers(a, certificate(4)) && offers(a, certificate(5)) && !holds(a, certificate(6)));
        peer_free(a);
    }
}
