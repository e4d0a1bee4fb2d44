/* Votes, leases, plans and the clock where something is not held, not begun or not known (R4, R14, R16). */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/clock.h"
#include "src/core/lease.h"
#include "src/core/plan.h"
#include "src/core/vote.h"
#include "tests/core/peer.h"

static struct era_charter *c;
static struct peer *p;

/* Q is 27 of 40. */
static void begin(void)
{
    c = given_charter("alice:10 bob:10 carol:10 dave:10", "network k=2 signers=s1,s2,s3 artefacts=linux");
    p = given_peer(c);
    p->epoch = 12;
}

TestSuite(vote_paths, .init = begin, .fini = peers_free);

static struct era_proposal *start(uint64_t seq)
{
    return given_proposal(c, "network", seq);
}

static void announces(const char *who, uint64_t epoch)
{
    struct era_announcement a = given_running(c, epoch, "1.0.0");
    cr_assert_eq(take(p, given_announce(c, who, &a)), ERA_ACCEPTED);
}

static enum era_lease_answer alice_may(uint64_t epoch)
{
    static struct era_leases own;
    struct era_hash entry;
    struct era_leaser alice = {
        .validator = given_validator_index(c, "alice"), .initial = &p->initial[0], .leases = &own};
    return era_lease_judge(p->ledger, &alice, epoch, &entry);
}

/* ---- leases ---- */

Test(vote_paths, R16_nothing_is_leased_beside_a_vote_for_a_plan_that_is_not_held)
{
    announces("bob", 12);
    announces("carol", 12);
    cr_expect_eq(alice_may(12), ERA_LEASE_MAY);
    take(p, given_ready(c, "alice", given_soft(start(1), 20, "1.1.0")));
    cr_expect_eq(alice_may(12), ERA_LEASE_VOTED, "it may give anything");
    take(p, given_proposed(c, "s1", given_soft(start(1), 20, "1.1.0")));
    cr_expect_eq(alice_may(12), ERA_LEASE_MAY);
    cr_expect_eq(alice_may(13), ERA_LEASE_MAY);
}

Test(vote_paths, R16_nothing_is_leased_before_the_first_entry_of_a_plan_voted_for)
{
    struct era_proposal *head = given_soft(start(1), 10, "1.1.0");
    struct era_proposal *later = given_from(given_next(c, head, 2), 1); /* begins at 10 */
    announces("bob", 12);
    announces("carol", 12);
    cr_assert_eq(take(p, given_certificate(c, head, "s1", "s1 s2", "alice bob carol", "")), ERA_ACCEPTED);
    take(p, given_proposed(c, "s1", later));
    take(p, given_ready(c, "alice", later));
    cr_expect_eq(alice_may(12), ERA_LEASE_MAY);
    cr_expect_eq(alice_may(9), ERA_LEASE_VOTED, "it gives none at 9");
}

Test(vote_paths, R4_a_lease_stands_where_neither_plan_has_begun_another)
{
    struct era_leases leases = {0};
    struct era_proposal *plan = given_soft(given_soft(start(1), 10, "1.1.0"), 20, "1.2.0");
    struct era_plan late = given_from(given_copy(plan), 2)->plan; /* begins at 20 */
    struct era_plan whole = plan->plan, middle = given_from(given_copy(plan), 1)->plan;
    era_leases_add(&leases, &whole.entries[0].hash, 12);
    cr_expect_not(era_leases_allow(&leases, &middle, &late), "the head gives none at 12");
    cr_expect(era_leases_allow(&leases, &middle, &whole), "the head gives the same");
    cr_expect(era_leases_allow(&leases, &late, &whole), "it begins after all that was leased");
    cr_expect_not(era_leases_allow(&leases, &middle, &p->initial[0]));
}

Test(vote_paths, R4_inside_a_lease_every_beginning_of_both_plans_is_looked_at)
{
    struct era_leases leases = {0};
    struct era_proposal *head = given_soft(start(1), 10, "1.1.0");
    struct era_plan one = head->plan, other = given_soft(start(1), 15, "1.3.0")->plan;
    era_leases_add(&leases, &one.entries[0].hash, 5);
    era_leases_add(&leases, &one.entries[0].hash, 17); /* what was missed in between counts as leased */
    cr_expect(era_leases_allow(&leases, &one, &one));
    cr_expect_not(era_leases_allow(&leases, &other, &p->initial[0]));
    cr_expect(era_leases_allow(&leases, &p->initial[0], &other));
    struct era_plan beyond = given_soft(start(1), 18, "1.4.0")->plan;
    cr_expect(era_leases_allow(&leases, &beyond, &p->initial[0]));
    struct era_plan open = given_announced(start(1), "2.0.0")->plan;
    cr_expect(era_leases_allow(&leases, &open, &p->initial[0]), "an announced entry begins nowhere");
}

Test(vote_paths, N7_a_lease_of_no_entry_is_none)
{
    struct era_announcement a = given_running(c, 12, "1.0.0");
    struct era_hash entry = given_entry(start(1), 0);
    a.lease = true;
    a.has_entry = false;
    a.entry = (struct era_hash){{0}};
    cr_assert_eq(take(p, given_announce(c, "bob", &a)), ERA_ACCEPTED);
    a.has_entry = true;
    a.entry = entry;
    cr_assert_eq(take(p, given_announce(c, "carol", &a)), ERA_ACCEPTED);
    cr_expect_eq(era_lease_stake(p->ledger, 12, &entry), 10);
    a.lease = false;
    cr_assert_eq(take(p, given_announce(c, "dave", &a)), ERA_ACCEPTED);
    cr_expect_eq(era_lease_stake(p->ledger, 12, &entry), 10);
}

/* ---- votes ---- */

Test(vote_paths, R4_armed_is_a_slot_that_is_known_late_and_beyond_a_minority)
{
    struct era_proposal *of = given_soft(start(1), 20, "1.1.0");
    of->expiry = 15;
    take(p, given_ready(c, "alice", of));
    take(p, given_ready(c, "bob", of));
    cr_expect_not(era_vote_armed(p->ledger, candidate(p, of), 16), "nobody knows its deadline");
    take(p, given_proposed(c, "s1", of));
    cr_expect_not(era_vote_armed(p->ledger, candidate(p, of), 15));
    cr_expect(era_vote_armed(p->ledger, candidate(p, of), 16), "20 is above 40 - 27");
    struct era_proposal *few = given_soft(start(2), 20, "1.1.0");
    few->expiry = 15;
    take(p, given_proposed(c, "s1", few));
    take(p, given_ready(c, "alice", few));
    cr_expect_not(era_vote_armed(p->ledger, candidate(p, few), 16));
}

Test(vote_paths, R9_in_an_authority_only_network_nothing_is_armed)
{
    struct era_charter *one = given_authority("e1", "network k=1 signers=s1");
    struct peer *q = given_peer(one);
    struct era_proposal *of = given_proposal(one, "network", 1);
    of->expiry = 1;
    take(q, given_proposed(one, "s1", of));
    cr_expect_not(era_vote_armed(q->ledger, candidate(q, of), 99));
}

/* ---- plans ---- */

static enum era_verdict extends(const struct era_proposal *head, const struct era_head_ref *held,
                                const struct era_proposal *on)
{
    struct era_extending x = {.prev_plan = &head->plan, .prev = *held, .epoch = 5, .notice_epochs = 2};
    return era_plan_extends(&x, on, NULL);
}

Test(vote_paths, R4_prev_is_the_head_held_in_every_part)
{
    struct era_proposal *head = start(3), *on = given_next(c, head, 4);
    struct era_head_ref held = given_head(c, head);
    cr_expect_eq(extends(head, &held, on), ERA_ACCEPTED);
    held.charter_version = 1;
    cr_expect_eq(extends(head, &held, on), ERA_NO_PREV);
    held.charter_version = 0;
    held.seq = 2;
    cr_expect_eq(extends(head, &held, on), ERA_NO_PREV);
    held.seq = 3;
    held.proposal.b[0] ^= 1;
    cr_expect_eq(extends(head, &held, on), ERA_NO_PREV);
    held.some = false;
    cr_expect_eq(extends(head, &held, on), ERA_NO_PREV);
}

Test(vote_paths, R4_prev_is_below_the_slot_and_of_no_later_charter)
{
    struct era_proposal *on = given_next(c, start(3), 4);
    cr_expect_eq(era_plan_well_formed(on, NULL), ERA_ACCEPTED);
    on->slot.seq = 3;
    cr_expect_eq(era_plan_well_formed(on, NULL), ERA_ILL_FORMED_PLAN);
    on->prev.charter_version = 1;
    on->slot.seq = 9;
    cr_expect_eq(era_plan_well_formed(on, NULL), ERA_ILL_FORMED_PLAN);
    on->slot.charter_version = 2;
    on->slot.seq = 1;
    cr_expect_eq(era_plan_well_formed(on, NULL), ERA_ACCEPTED);
}

Test(vote_paths, T2_a_source_digest_has_a_known_form)
{
    struct era_proposal *of = start(1);
    strcpy(of->plan.entries[0].record.source_digest, given_digest("source"));
    cr_expect_eq(era_plan_well_formed(given_seal(of), NULL), ERA_ACCEPTED);
    strcpy(of->plan.entries[0].record.source_digest, "md5:00");
    cr_expect_eq(era_plan_well_formed(given_seal(of), NULL), ERA_ILL_FORMED_PLAN);
}

/* ---- the clock ---- */

Test(vote_paths, R14_what_was_known_before_says_nothing_new)
{
    struct era_clock *clock = era_clock_new(c);
    era_clock_know(clock, 0, 20);
    era_clock_know(clock, 0, 15);
    era_clock_hear(clock, 0, 18, 5, 1000);
    cr_expect_eq(era_clock_judge(clock, 5, 1000).heard_stake, 0, "20 was known");
    era_clock_hear(clock, 0, 21, 5, 1000);
    cr_expect_eq(era_clock_judge(clock, 5, 1000).heard_stake, 10);
    era_clock_free(clock);
}

Test(vote_paths, R14_the_median_is_of_those_that_are_heard)
{
    struct era_clock *clock = era_clock_new(c);
    for (int v = 0; v < 3; v++)
        era_clock_hear(clock, v, 30 + (uint64_t)v, 5, 1000);
    struct era_clock_word word = era_clock_judge(clock, 5, 1000);
    cr_expect(word.doubtful);
    cr_expect_eq(word.heard_stake, 30);
    cr_expect_eq(word.median, 31);
    era_clock_free(clock);
}

Test(vote_paths, nothing_is_freed_of_nobody)
{
    struct era_match_tally none;
    era_clock_free(NULL);
    era_match_release(NULL);
    era_match_init(&none, c, &p->initial[0]);
    era_match_release(&none);
    cr_expect_eq(era_match_least(&none), UINT64_MAX, "nothing is asked");
}
