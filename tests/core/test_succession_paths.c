/* From one charter to the next in rare orders and at the limits (R10, R12, R16). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/lease.h"
#include "src/core/succession.h"
#include "src/core/vote.h"
#include "tests/core/peer.h"

#define E       20
#define CARRIED 100

static struct era_charter *old, *next;
static struct peer *p;

/* Q is 27 of 40 in both. */
static void begin(void)
{
    old =
        given_charter("alice:10 bob:10 carol:10 dave:10", "network k=2 signers=s1,s2; oracle k=1 signers=s1");
    next = given_next_charter(old, "alice:10 erin:10 frank:10 grace:10",
                              "network k=2 signers=s2,s3; oracle k=1 signers=s3", E, CARRIED);
    p = given_peer(old);
    p->epoch = 10;
}

TestSuite(succession_paths, .init = begin, .fini = peers_free);

static const struct era_successor *successor(const struct era_charter *of)
{
    return era_ledger_successor(p->ledger, &of->hash);
}

static void adopt(const struct era_close *words)
{
    cr_assert_eq(take(p, given_succession_sealed(given_succession(next, "s1 s2", "s2 s3", "alice erin frank",
                                                                  "alice bob carol", words))),
                 ERA_ACCEPTED);
}

/* Approvals of both and accepts of a quorum. */
static void approve(void)
{
    take(p, given_charter_statement(next, "s1"));
    take(p, given_accept(next, "alice"));
    take(p, given_accept(next, "erin"));
    take(p, given_accept(next, "frank"));
    take(p, given_charter_approve(next, "s1"));
    take(p, given_charter_approve(next, "s2"));
    take(p, given_charter_approve(next, "s3"));
}

static enum era_verdict may_close(const char *who, bool has_last, struct era_close *out)
{
    const char *why;
    struct era_key key = given_key(who).key;
    return era_succession_may_close(p->ledger, successor(next), &key, has_last, 17, out, &why);
}

Test(succession_paths, R10_nobody_approves_or_closes_for_a_charter_on_its_way_to_the_disk)
{
    struct era_item *charter;
    struct era_close close;
    const char *why;
    struct era_key s1 = given_key("s1").key;
    cr_assert_eq(offer(p, given_charter_statement(next, "s1"), &charter), ERA_ACCEPTED);
    cr_expect_eq(era_succession_may_approve(p->ledger, successor(next), &s1, &why), ERA_NOT_APPROVED);
    cr_expect_not_null(why);
    cr_expect_eq(may_close("alice", false, &close), ERA_NOT_APPROVED);
    cr_expect_not(era_succession_complete(old, successor(next)));
}

Test(succession_paths, R10_a_close_says_last_or_says_that_there_is_none)
{
    struct era_close close;
    approve();
    cr_assert_eq(may_close("alice", true, &close), ERA_ACCEPTED);
    cr_expect(close.has_last && close.last == 17);
    cr_assert_eq(may_close("alice", false, &close), ERA_ACCEPTED);
    cr_expect(!close.has_last && close.last == 0);
}

Test(succession_paths, R10_a_late_validator_still_closes_for_the_adopted_charter)
{
    struct era_close close;
    adopt(NULL);
    cr_expect_eq(may_close("dave", false, &close), ERA_ACCEPTED);
    cr_expect_eq(may_close("alice", false, &close), ERA_DUPLICATE, "hers is known through the certificate");
    cr_assert_eq(take(p, given_close(next, "dave", NULL)), ERA_ACCEPTED);
    cr_expect_eq(may_close("dave", false, &close), ERA_DUPLICATE);
}

Test(succession_paths, R10_who_voted_in_more_slots_than_a_close_names_waits)
{
    struct era_close close;
    approve();
    cr_assert_eq(take(p, given_certificate(old, given_proposal(old, "network", 1), "s1", "s1 s2",
                                           "alice bob carol", "")),
                 ERA_ACCEPTED);
    for (uint64_t seq = 2; seq <= 64; seq++)
        cr_assert_eq(take(p, given_ready(old, "alice", given_proposal(old, "network", seq))), ERA_ACCEPTED);
    cr_assert_eq(may_close("alice", false, &close), ERA_ACCEPTED, "the head and 63");
    cr_expect_eq(close.voted_count, 64);
    for (size_t i = 1; i < 64; i++)
        cr_expect_lt(close.voted[i - 1].seq, close.voted[i].seq);
    cr_assert_eq(take(p, given_ready(old, "alice", given_proposal(old, "network", 65))), ERA_ACCEPTED);
    cr_expect_eq(may_close("alice", false, &close), ERA_FULL);
    cr_expect_eq(may_close("bob", false, &close), ERA_ACCEPTED);
    cr_assert_eq(take(p, given_ready(old, "alice", given_proposal(old, "oracle", 1))), ERA_ACCEPTED);
    cr_expect_eq(may_close("alice", false, &close), ERA_FULL);
}

Test(succession_paths, R10_the_head_of_the_last_component_counts_to_the_limit_too)
{
    struct era_close close;
    approve();
    for (uint64_t seq = 1; seq <= 64; seq++)
        cr_assert_eq(take(p, given_ready(old, "alice", given_proposal(old, "network", seq))), ERA_ACCEPTED);
    cr_expect_eq(may_close("alice", false, &close), ERA_ACCEPTED);
    cr_assert_eq(
        take(p, given_certificate(old, given_proposal(old, "oracle", 1), "s1", "s1", "alice bob carol", "")),
        ERA_ACCEPTED);
    cr_expect_eq(may_close("alice", false, &close), ERA_FULL);
}

Test(succession_paths, R8_of_two_closes_of_a_key_the_earlier_last_counts)
{
    approve();
    take(p, given_close(next, "alice", given_last(given_closing(next), 60)));
    take(p, given_close(next, "bob", NULL));
    take(p, given_close(next, "carol", NULL));
    cr_assert_gt(assemble(p), 0);
    cr_expect_eq(successor(next)->counts_from, 61);
    take(p, given_close(next, "alice", given_last(given_closing(next), 40)));
    cr_expect_eq(successor(next)->counts_from, 41);
    cr_expect(era_succession_counts_next(p->ledger, 41) && !era_succession_counts_next(p->ledger, 40));
}

/* ---- what older charters bind ---- */

static size_t inherited(struct peer *heir, const char *component, struct era_voted *out, size_t cap)
{
    struct era_key erin = given_key("erin").key;
    return era_succession_inherited(heir->ledger, given_component_index(next, component), &erin, NULL, out,
                                    cap);
}

Test(succession_paths, R10_a_component_inherits_its_own_slots_and_plans_that_are_held)
{
    struct era_voted voted[8];
    struct era_proposal *seen = given_proposal(old, "network", 3),
                        *unseen = given_proposal(old, "network", 4);
    struct era_close *words = given_closing(next);
    given_named(words, "network", 3, given_id(old, seen));
    given_named(words, "network", 4, given_id(old, unseen));
    given_named(words, "oracle", 2, given_id(old, given_proposal(old, "oracle", 2)));
    take(p, given_proposed(old, "s1", seen));
    take(p, given_ready(old, "bob", unseen)); /* a vote brings no plan */
    adopt(words);
    struct peer *heir = given_heir(p, next);
    cr_assert_eq(inherited(heir, "network", voted, 8), 2);
    cr_expect_not_null(voted[0].plan);
    cr_expect_null(voted[1].plan);
    cr_expect_eq(inherited(heir, "oracle", voted, 8), 1);
    cr_expect_eq(inherited(heir, "network", voted, 1), 1, "no more than there is room for");
}

Test(succession_paths, R10_nothing_is_inherited_of_charters_that_fork)
{
    struct era_voted voted[8];
    struct era_charter *rival = given_rival_charter(next);
    struct era_close *words =
        given_named(given_closing(next), "network", 3, given_id(old, given_proposal(old, "network", 3)));
    adopt(words);
    struct peer *heir = given_heir(p, next);
    cr_assert_eq(inherited(heir, "network", voted, 8), 1);
    cr_assert_eq(
        take(p, given_charter_certificate(rival, "s1 s2", "s2 s3", "alice erin frank", "alice bob carol")),
        ERA_ACCEPTED);
    cr_expect_eq(inherited(heir, "network", voted, 8), 0, "R12: only a new genesis helps");
}

Test(succession_paths, R10_own_votes_at_or_below_the_old_head_bind_nobody)
{
    struct era_voted voted[8];
    struct era_key alice = given_key("alice").key;
    struct era_item *late;
    cr_assert_eq(take(p, given_ready(old, "alice", given_proposal(old, "network", 5))), ERA_ACCEPTED);
    adopt(NULL);
    struct peer *heir = given_heir(p, next);
    int network = given_component_index(next, "network");
    cr_expect_eq(era_succession_inherited(heir->ledger, network, &alice, NULL, voted, 8), 1);
    cr_assert_eq(offer(p, given_ready(old, "alice", given_proposal(old, "network", 2)), &late), ERA_ACCEPTED);
    cr_assert_eq(take(p, given_certificate(old, given_proposal(old, "network", 5), "s1", "s1 s2",
                                           "alice bob carol", "")),
                 ERA_ACCEPTED);
    cr_expect_eq(era_succession_inherited(heir->ledger, network, &alice, NULL, voted, 8), 0);
    era_ledger_commit(p->ledger, late);
    cr_expect_eq(era_succession_inherited(heir->ledger, network, &alice, NULL, voted, 8), 0);
}

/* 64 validators that each name 64 proposals of their own. */
static void begin_with_many_open_slots(struct peer **heir)
{
    static char names[1024];
    size_t n = 0;
    for (int i = 0; i < 64; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "v%d:1 ", i);
    old = given_charter(names, "network k=2 signers=s1,s2");
    next = given_next_charter(old, "alice:10", "network k=2 signers=s2,s3", E, CARRIED);
    p = given_peer(old);
    take(p, given_charter_statement(next, "s1"));
    take(p, given_accept(next, "alice"));
    take(p, given_charter_approve(next, "s1"));
    take(p, given_charter_approve(next, "s2"));
    take(p, given_charter_approve(next, "s3"));
    for (int i = 0; i < 64; i++) {
        struct era_close *words = given_closing(next);
        char who[8];
        snprintf(who, sizeof who, "v%d", i);
        for (uint64_t seq = 1; seq <= 64; seq++)
            given_named(words, "network", seq, (struct era_hash){{(uint8_t)seq, (uint8_t)i, 1}});
        cr_assert_eq(take(p, given_close(next, who, words)), ERA_ACCEPTED);
    }
    cr_assert_eq(assemble(p), 1);
    *heir = given_heir(p, next);
}

Test(succession_paths, R10_more_open_slots_than_can_be_looked_through_stop_votes_and_leases)
{
    struct peer *heir;
    const char *why;
    begin_with_many_open_slots(&heir);
    struct era_proposal *of = given_proposal(old, "network", 1);
    of->slot.charter_version = 1; /* the plan goes on */
    struct era_leases own = {0};
    struct era_hash entry;
    struct era_leaser alice = {.component = 0, .initial = &heir->initial[0], .leases = &own};
    struct era_voter voter = {.key = given_key("alice").key, .initial = &heir->initial[0], .epoch = 30};
    take(heir, given_approved(next, of, "s2", "s2 s3"));
    cr_expect_eq(era_vote_readiness(heir->ledger, candidate(heir, of), &voter, &why), ERA_FULL);
    cr_expect_str_eq(why, "more slots of the charter before are open than can be looked through");
    cr_expect_eq(era_lease_judge(heir->ledger, &alice, 0, &entry), ERA_LEASE_VOTED);
    given_drop(of, old->hash);
    take(heir, given_approved(next, of, "s2", "s2 s3"));
    cr_expect_eq(era_vote_readiness(heir->ledger, candidate(heir, of), &voter, &why), ERA_ACCEPTED,
                 "all can be dropped at once: %s", why);
}

/* ---- three charters ---- */

Test(succession_paths, R10_a_component_that_the_first_charter_lacks_goes_on_from_the_second)
{
    old = given_charter("alice:10", "network k=2 signers=s1,s2");
    struct era_charter *second =
        given_next_charter(old, NULL, "network k=2 signers=s1,s2; oracle k=1 signers=s1", E, CARRIED);
    struct era_charter *third = given_next_charter(second, NULL, NULL, 2 * E, CARRIED);
    struct peer *a = given_peer(old);
    struct peer *b = given_heir(a, second);
    struct era_proposal *of = given_proposal(second, "oracle", 1);
    cr_assert_eq(take(b, given_certificate(second, of, "s1", "s1", "alice", "")), ERA_ACCEPTED);
    struct peer *d = given_heir(b, third);
    cr_expect_eq(head_seq(d, "oracle"), 1);
    cr_assert_eq(
        take(d, given_certificate(third, given_after(third, second, of, 1), "s1", "s1", "alice", "")),
        ERA_ACCEPTED);
    cr_expect_not(offers(b, given_certificate(second, of, "s1", "s1", "alice", "")), "overtaken");
}

Test(succession_paths, R10_slots_of_a_component_that_is_not_carried_lose_their_effect)
{
    struct era_proposal *of = given_proposal(old, "oracle", 1);
    cr_assert_eq(take(p, given_certificate(old, of, "s1", "s1", "alice bob carol", "")), ERA_ACCEPTED);
    next->carried_count = 1; /* network: no check lets this pass */
    era_charter_seal(next);
    given_heir(p, next);
    cr_expect_eq(head_seq(p, "oracle"), 0);
}
