/* From one charter to the next: R10, R12 for charters, R11. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/lease.h"
#include "src/core/succession.h"
#include "tests/core/chain.h"

TestSuite(succession, .init = chain_begin, .fini = peers_free);

static const struct era_successor *successor(const struct era_charter *of)
{
    return era_ledger_successor(p->ledger, &of->hash);
}

static void take_each(struct era_bytes (*make)(const struct era_charter *, const char *), const char *names)
{
    char text[128], *rest = NULL;
    snprintf(text, sizeof text, "%s", names);
    for (char *who = strtok_r(text, " ", &rest); who; who = strtok_r(NULL, " ", &rest))
        cr_assert_eq(take(p, make(next, who)), ERA_ACCEPTED, "%s", who);
}

/* ---- what signers may approve ---- */

static enum era_verdict may_approve(const char *who, const struct era_charter *of)
{
    const char *why;
    struct era_key key = given_key(who).key;
    return era_succession_may_approve(p->ledger, successor(of), &key, &why);
}

Test(succession, R10_a_signer_approves_only_with_accepts_of_a_quorum_in_hand)
{
    take(p, given_charter_statement(next, "s1"));
    take_each(given_accept, "erin frank");
    cr_expect_eq(may_approve("s1", next), ERA_NOT_APPROVED);
    take_each(given_accept, "grace");
    cr_expect_eq(may_approve("s1", next), ERA_ACCEPTED);
}

Test(succession, R10_a_signer_approves_one_charter_a_version)
{
    struct era_charter *rival = given_rival_charter(next);
    take(p, given_charter_statement(next, "s1"));
    take(p, given_charter_statement(rival, "s1"));
    take_each(given_accept, "erin frank grace");
    take(p, given_charter_approve(rival, "s1"));
    cr_expect_eq(may_approve("s1", next), ERA_ALREADY_SIGNED);
    cr_expect_eq(may_approve("s2", next), ERA_ACCEPTED);
    chain_adopted(NULL);
    cr_expect_eq(may_approve("s2", next), ERA_DOMINATED);
}

/* ---- what validators may close ---- */

static enum era_verdict may_close(const char *who, const struct era_charter *of, struct era_close *words)
{
    const char *why;
    struct era_close ignored;
    struct era_key key = given_key(who).key;
    return era_succession_may_close(p->ledger, successor(of), &key, true, 12, words ? words : &ignored, &why);
}

/* All that a close waits for. */
static void ready_to_close(void)
{
    take(p, given_charter_statement(next, "s1"));
    take_each(given_accept, "erin frank grace");
    take_each(given_charter_approve, "s1 s2 s3");
}

Test(succession, R10_a_close_waits_for_k_of_both_and_accepts_of_a_quorum)
{
    take(p, given_charter_statement(next, "s1"));
    take_each(given_charter_approve, "s1 s3");
    take_each(given_accept, "erin frank grace");
    cr_expect_eq(may_close("alice", next, NULL), ERA_NOT_APPROVED, "one old signer, one new");
    take_each(given_charter_approve, "s2");
    cr_expect_eq(may_close("alice", next, NULL), ERA_ACCEPTED, "s2 is both");
}

Test(succession, R10_a_close_waits_for_the_new_signers)
{
    next = given_next_charter(old, "erin:10", "network k=2 signers=s3,s4", E, CARRIED);
    take(p, given_charter_statement(next, "s1"));
    take_each(given_charter_approve, "s1 s2 s3");
    take_each(given_accept, "erin");
    cr_expect_eq(may_close("alice", next, NULL), ERA_NOT_APPROVED);
    take_each(given_charter_approve, "s4");
    cr_expect_eq(may_close("alice", next, NULL), ERA_ACCEPTED);
}

Test(succession, R10_a_close_waits_for_the_old_signers)
{
    take(p, given_charter_statement(next, "s1"));
    take_each(given_accept, "erin frank grace");
    take_each(given_charter_approve, "s2 s3");
    cr_expect_eq(may_close("alice", next, NULL), ERA_NOT_APPROVED);
    take_each(given_charter_approve, "s1");
    cr_expect_eq(may_close("alice", next, NULL), ERA_ACCEPTED);
}

Test(succession, R10_a_close_waits_for_accepts)
{
    take(p, given_charter_statement(next, "s1"));
    take_each(given_charter_approve, "s1 s2 s3");
    take_each(given_accept, "erin frank");
    cr_expect_eq(may_close("alice", next, NULL), ERA_NOT_APPROVED);
}

Test(succession, R10_a_validator_closes_for_one_charter_a_version)
{
    struct era_charter *rival = given_rival_charter(next);
    struct era_item *pending;
    ready_to_close();
    take(p, given_charter_statement(rival, "s1"));
    cr_assert_eq(offer(p, given_close(rival, "alice", NULL), &pending), ERA_ACCEPTED);
    cr_expect_eq(may_close("alice", next, NULL), ERA_ALREADY_SIGNED, "a close in flight is a close");
    take(p, given_close(next, "bob", NULL));
    cr_expect_eq(may_close("bob", next, NULL), ERA_DUPLICATE);
    era_ledger_abandon(p->ledger, pending);
    cr_expect_eq(may_close("alice", next, NULL), ERA_ACCEPTED);
}

Test(succession, R10_nobody_closes_for_the_rival_of_an_adopted_charter)
{
    struct era_charter *rival = given_rival_charter(next);
    take(p, given_charter_statement(next, "s1"));
    take_each(given_accept, "erin frank grace");
    take_each(given_charter_approve, "s1 s2 s3");
    cr_assert_eq(take(p, given_charter_certificate(rival, "s1 s2", "s2 s3", "erin frank grace", CLOSERS)),
                 ERA_ACCEPTED);
    cr_expect_eq(may_close("dave", next, NULL), ERA_DOMINATED);
}

Test(succession, R10_a_close_names_last_the_head_and_every_slot_voted_above_it)
{
    struct era_close words;
    struct era_proposal *head = given_soft(chain_start(1), 15, "1.1.0"), *two = given_next(old, head, 2),
                        *four = given_next(old, head, 4);
    chain_adopt(head);
    take(p, given_approved(old, two, "s1", "s1 s2"));
    take(p, given_ready(old, "alice", two));
    take(p, given_ready(old, "bob", four));
    ready_to_close();
    cr_assert_eq(may_close("alice", next, &words), ERA_ACCEPTED);
    struct era_hash first = given_id(old, head), second = given_id(old, two);
    cr_expect_eq(words.version, 1);
    cr_expect(era_hash_eq(&words.charter, &next->hash));
    cr_expect(words.has_last && words.last == 12);
    cr_assert_eq(words.voted_count, 2);
    cr_expect(words.voted[0].seq == 1 && era_hash_eq(&words.voted[0].proposal, &first));
    cr_expect(words.voted[1].seq == 2 && era_hash_eq(&words.voted[1].proposal, &second));
}

/* Of a stolen key; what it says must be canonical, or it never closes. */
Test(succession, R10_a_close_names_two_votes_in_a_slot_in_order)
{
    struct era_close words;
    ready_to_close();
    for (int i = 0; i < 2; i++)
        take(p, given_ready(old, "alice", given_soft(chain_start(3), 15, i ? "1.1.0" : "1.2.0")));
    cr_assert_eq(may_close("alice", next, &words), ERA_ACCEPTED);
    cr_assert_eq(words.voted_count, 2);
    cr_expect_lt(era_hash_cmp(&words.voted[0].proposal, &words.voted[1].proposal), 0);
}

Test(succession, R10_nobody_closes_above_what_is_carried)
{
    next = given_next_charter(old, "erin:10", NULL, E, 3);
    take(p, given_charter_statement(next, "s1"));
    take_each(given_accept, "erin");
    take_each(given_charter_approve, "s1 s2");
    take(p, given_ready(old, "alice", chain_start(3)));
    take(p, given_ready(old, "bob", chain_start(4)));
    cr_expect_eq(may_close("alice", next, NULL), ERA_ACCEPTED);
    cr_expect_eq(may_close("bob", next, NULL), ERA_NOT_EXTENDING);
}

/* ---- after the close ---- */

Test(succession, R10_after_its_close_a_key_votes_no_more)
{
    struct era_proposal *one = given_soft(chain_start(1), 15, "1.1.0");
    struct era_item *pending;
    take(p, given_approved(old, one, "s1", "s1 s2"));
    take(p, given_charter_statement(next, "s1"));
    cr_assert_eq(chain_may_vote(p, "alice", one, 10), ERA_ACCEPTED);
    offer(p, given_close(next, "alice", NULL), &pending);
    cr_expect_eq(chain_may_vote(p, "alice", one, 10), ERA_ALREADY_SIGNED, "a close in flight is a close");
    cr_expect_eq(chain_may_vote(p, "bob", one, 10), ERA_ACCEPTED);
    era_ledger_commit(p->ledger, pending);
    cr_expect_eq(chain_may_vote(p, "alice", one, 10), ERA_ALREADY_SIGNED);
}

static bool bars(const char *who, uint64_t epoch)
{
    struct era_key key = given_key(who).key;
    return era_succession_bars_lease(p->ledger, &key, epoch);
}

Test(succession, R10_after_its_close_a_key_leases_nothing_above_last)
{
    struct era_item *pending;
    take(p, given_charter_statement(next, "s1"));
    offer(p, given_close(next, "alice", given_last(given_closing(next), E + 1)), &pending);
    take(p, given_close(next, "bob", NULL));
    cr_expect(!bars("alice", E - 1), "before the new charter counts");
    cr_expect(!bars("alice", E + 1), "what it named");
    cr_expect(bars("alice", E + 2), "a close in flight is a close");
    cr_expect(!bars("bob", E - 1));
    cr_expect(bars("bob", E));
    cr_expect(!bars("carol", E + 2));
}

/* ---- tallies ---- */

Test(succession, R10_two_ids_of_one_version_by_one_key_are_seen_and_leave_reconciliation)
{
    struct era_charter *rival = given_rival_charter(next);
    take(p, given_charter_statement(next, "s1"));
    take(p, given_charter_statement(rival, "s1"));
    take(p, given_charter_approve(next, "s1"));
    take(p, given_close(next, "alice", NULL));
    take(p, given_accept(next, "erin"));
    changes(p);
    take(p, given_charter_approve(rival, "s1"));
    cr_expect_str_eq(changes(p), "withdraw charter-approve, equivocation charter-approve");
    take(p, given_close(rival, "alice", NULL));
    cr_expect_str_eq(changes(p), "withdraw close, equivocation close");
    take(p, given_accept(rival, "erin"));
    cr_expect_str_eq(changes(p), "offer accept", "an accept binds nobody");
}

Test(succession, R8_both_count_and_a_stake_counts_once)
{
    struct era_charter *rival = given_rival_charter(next);
    take(p, given_charter_statement(next, "s1"));
    take(p, given_charter_statement(rival, "s2"));
    take(p, given_close(next, "alice", NULL));
    take(p, given_close(rival, "alice", NULL));
    cr_expect_eq(successor(next)->close_stake, 10);
    cr_expect_eq(successor(rival)->close_stake, 10);
    take(p, given_close(next, "bob", NULL));
    take(p, given_close(next, "bob", given_last(given_closing(next), 5)));
    cr_expect_eq(successor(next)->close_count, 3);
    cr_expect_eq(successor(next)->close_stake, 20);
}

/* ---- certificates ---- */

Test(succession, R6_anyone_who_holds_the_parts_makes_the_certificate)
{
    ready_to_close();
    take_each(given_accept, "heidi");
    take(p, given_close(next, "alice", given_last(given_closing(next), 9)));
    take(p, given_close(next, "bob", given_last(given_closing(next), 8)));
    cr_expect_eq(assemble(p), 0, "closes of too little stake");
    take(p, given_close(next, "carol", given_last(given_closing(next), 9)));
    cr_expect_eq(assemble(p), 1);
    bool forked;
    cr_assert_not_null(era_ledger_next(p->ledger, &forked));
    cr_expect(!forked);
    struct peer *other = given_peer(old);
    const struct era_item *made = successor(next)->certificate;
    cr_expect_eq(take(other, body_of(p, made)), ERA_ACCEPTED, "whoever holds nothing else");
    cr_expect_eq(era_ledger_next(other->ledger, NULL)->close_count, 3);
    cr_expect_eq(assemble(p), 0, "it is made once");
}

Test(succession, R6_a_certificate_that_the_store_lost_is_made_again)
{
    uint8_t *bytes;
    bool too_large;
    struct era_item *pending;
    ready_to_close();
    for (const char *const *who = (const char *const[]){"alice", "bob", "carol", NULL}; *who; who++)
        take(p, given_close(next, *who, NULL));
    struct era_bytes made = {.len = era_ledger_assemble_charter(p->ledger, &bytes, &too_large)};
    made.data = bytes;
    cr_assert_gt(made.len, 0);
    cr_assert_eq(offer(p, made, &pending), ERA_ACCEPTED);
    free(bytes);
    take(p, given_close(next, "dave", NULL));
    cr_expect_eq(assemble(p), 0, "one is on its way");
    era_ledger_abandon(p->ledger, pending);
    cr_expect_null(era_ledger_next(p->ledger, NULL));
    take(p, given_close(next, "dave", given_last(given_closing(next), 1)));
    cr_expect_eq(assemble(p), 1);
}

Test(succession, R6_a_certificate_too_large_with_all_is_made_of_the_fewest)
{
    char many[16384] = "w1:1000 w2:1000 w3:1000";
    for (int i = 0; i < 420; i++)
        snprintf(many + strlen(many), 16, " v%d:1", i);
    old = given_charter(many, "network k=2 signers=s1,s2");
    next = given_next_charter(old, "erin:10", "network k=2 signers=s1,s2", E, CARRIED);
    p = given_peer(old);
    take(p, given_charter_statement(next, "s1"));
    take_each(given_accept, "erin");
    take_each(given_charter_approve, "s1 s2");
    for (int i = 0; i < 423; i++) { /* 64 slots, other words each: 1.2 MB in all */
        char who[8];
        struct era_close *words = given_last(given_closing(next), (uint64_t)i);
        for (uint64_t seq = 1; seq <= ERA_CLOSE_SLOTS_MAX; seq++)
            given_named(words, "network", seq, next->hash);
        snprintf(who, sizeof who, i < 420 ? "v%d" : "w%d", i < 420 ? i : i - 419);
        cr_assert_eq(take(p, given_close(next, who, words)), ERA_ACCEPTED);
    }
    cr_expect_eq(assemble(p), 1);
    cr_expect_eq(era_ledger_next(p->ledger, NULL)->close_count, 423);
}

Test(succession, R10_what_led_to_it_goes_and_closes_stay)
{
    struct era_item *late;
    ready_to_close();
    take(p, given_close(next, "dave", NULL));
    offer(p, given_accept(next, "heidi"), &late);
    chain_adopted(NULL);
    cr_expect(!holds(p, given_charter_statement(next, "s1")));
    cr_expect(!holds(p, given_charter_approve(next, "s1")));
    cr_expect(!holds(p, given_accept(next, "erin")));
    cr_expect(offers(p, given_close(next, "dave", NULL)));
    cr_expect_eq(take(p, given_accept(next, "erin")), ERA_DOMINATED);
    cr_expect_eq(take(p, given_charter_approve(next, "s1")), ERA_DOMINATED);
    cr_expect_eq(take(p, given_charter_statement(next, "s1")), ERA_DOMINATED);
    cr_expect_eq(take(p, given_close(next, "carol", NULL)), ERA_ACCEPTED);
    era_ledger_commit(p->ledger, late);
    cr_expect(!holds(p, given_accept(next, "heidi")), "the adoption overtook it on its way to the disk");
}

Test(succession, R12_two_adopted_charters_of_a_version_are_none)
{
    bool forked;
    struct era_charter *rival = given_rival_charter(next), *third = given_rival_charter(rival);
    struct peer *heir = chain_adopted(NULL);
    cr_expect_eq(take(p, given_charter_certificate(rival, "s1 s2", "s2 s3", "erin frank grace", CLOSERS)),
                 ERA_ACCEPTED);
    cr_expect_null(era_ledger_next(p->ledger, &forked));
    cr_expect(forked);
    cr_expect(era_ledger_followed(p->ledger));
    cr_expect_eq(take(p, given_charter_certificate(third, "s1 s2", "s2 s3", "erin frank grace", CLOSERS)),
                 ERA_CAPPED);
    cr_expect_eq(take(p, given_accept(next, "erin")), ERA_DOMINATED);
    cr_expect_null(era_ledger_head(heir->ledger, 0));
}

Test(succession, R1_a_charter_that_never_reached_the_disk_leaves_nothing)
{
    struct era_item *pending;
    offer(p, given_charter_statement(next, "s1"), &pending);
    cr_assert_not_null(successor(next));
    era_ledger_abandon(p->ledger, pending);
    cr_expect_null(era_ledger_successors(p->ledger));
    cr_expect_eq(era_ledger_count(p->ledger), 0);
}

Test(succession, R1_a_certificate_that_never_reached_the_disk_leaves_what_was_said)
{
    struct era_item *pending;
    take(p, given_charter_statement(next, "s1"));
    offer(p, chain_certificate(NULL), &pending);
    era_ledger_abandon(p->ledger, pending);
    cr_assert_not_null(successor(next));
    cr_expect_not_null(successor(next)->charter);
    cr_expect_eq(successor(next)->close_stake, 0);
}

/* ---- which charter counts when ---- */

static uint64_t counts_from(void)
{
    for (uint64_t epoch = 0; epoch < 100; epoch++)
        if (era_succession_counts_next(p->ledger, epoch))
            return epoch;
    return UINT64_MAX;
}

Test(succession, R10_nothing_counts_under_a_charter_that_is_not_adopted)
{
    ready_to_close();
    for (const char *const *who = (const char *const[]){"alice", "bob", "carol", NULL}; *who; who++)
        take(p, given_close(next, *who, NULL));
    cr_expect_eq(counts_from(), UINT64_MAX);
}

Test(succession, R10_epochs_before_the_effective_one_count_under_the_old_charter)
{
    chain_adopted(given_last(given_closing(next), 12));
    cr_expect_eq(counts_from(), E);
}

Test(succession, R10_an_epoch_counts_under_the_new_once_a_quorum_leased_none_as_late)
{
    chain_adopted(given_last(given_closing(next), E + 3));
    cr_expect_eq(counts_from(), E + 4);
}

Test(succession, R10_late_closes_bring_it_forward)
{
    take(p, given_charter_statement(next, "s1"));
    take(p, given_close(next, "alice", NULL));
    take(p, given_close(next, "bob", NULL));
    chain_adopted(given_last(given_closing(next), E + 3));
    cr_expect_eq(counts_from(), E + 4, "alice and bob are too few");
    take(p, given_close(next, "dave", NULL));
    cr_expect_eq(counts_from(), E, "alice, bob and dave lease nothing any more");
}

Test(succession, R8_a_second_close_of_a_key_takes_nothing_back)
{
    chain_adopted(NULL);
    cr_assert_eq(counts_from(), E);
    take(p, given_close(next, "alice", given_last(given_closing(next), E + 9)));
    take(p, given_close(next, "bob", given_last(given_closing(next), E + 9)));
    cr_expect_eq(counts_from(), E);
}

Test(succession, R11_quorums_of_closes_are_of_stakes_in_the_old_charter)
{
    old = given_charter("alice:1 bob:1 carol:1 dave:37", "network k=2 signers=s1,s2");
    next = given_next_charter(old, "alice:37 bob:1 carol:1 dave:1", "network k=2 signers=s1,s2", E, CARRIED);
    p = given_peer(old);
    take(p, given_charter_statement(next, "s1"));
    take(p, given_close(next, "alice", NULL));
    cr_assert_eq(take(p, given_succession_sealed(given_succession(next, "s1 s2", "s1 s2", "alice", "dave",
                                                                  given_last(given_closing(next), E + 5)))),
                 ERA_ACCEPTED);
    cr_expect_eq(counts_from(), E + 6);
}

/* ---- the plan goes on (R7) ---- */

Test(succession, R10_the_plan_of_each_component_goes_on)
{
    struct era_proposal *one = given_soft(chain_start(1), 15, "1.1.0");
    chain_adopt(one);
    struct peer *heir = chain_adopted(NULL);
    struct era_proposal *two = given_soft(given_after(next, old, one, 1), 40, "1.2.0");
    cr_expect_eq(head_seq(heir, "network"), 1);
    cr_expect_str_eq(in_force(heir, "network", 30), "1.1.0");
    cr_assert_eq(take(heir, given_certificate(next, two, "s2", "s2 s3", "erin frank grace", "")),
                 ERA_ACCEPTED);
    cr_expect_str_eq(in_force(heir, "network", 40), "1.2.0");
    cr_expect(!offers(p, given_certificate(old, one, "s1", "s1 s2", OLD, "")), "it is history now");
}

Test(succession, R7_a_slot_of_the_old_charter_that_is_learned_late_changes_nothing)
{
    struct era_proposal *one = given_soft(chain_start(1), 15, "1.1.0"),
                        *late = given_soft(chain_start(7), 15, "1.7.0");
    chain_adopt(one);
    struct peer *heir = chain_adopted(NULL);
    struct era_proposal *two = given_soft(given_after(next, old, one, 1), 40, "1.2.0");
    take(heir, given_certificate(next, two, "s2", "s2 s3", "erin frank grace", ""));
    chain_adopt(late);
    cr_expect_str_eq(in_force(heir, "network", 40), "1.2.0");
    cr_expect(!offers(p, given_certificate(old, late, "s1", "s1 s2", OLD, "")));
}

Test(succession, R10_a_late_slot_of_the_old_charter_is_the_head_while_the_new_has_none)
{
    struct peer *heir = chain_adopted(NULL);
    chain_adopt(given_soft(chain_start(CARRIED), 15, "1.1.0"));
    cr_expect_eq(head_seq(heir, "network"), CARRIED);
}

/* Leaked keys of retired validators. */
Test(succession, R10_slots_above_carried_are_void_of_effect)
{
    struct era_proposal *one = given_soft(chain_start(1), 15, "1.1.0");
    struct era_bytes minted =
        given_certificate(old, given_soft(chain_start(CARRIED + 1), 15, "6.6.6"), "s1", "s1 s2", OLD, "");
    chain_adopt(one);
    struct peer *heir = chain_adopted(NULL);
    cr_expect_eq(take(p, minted), ERA_DOMINATED);
    cr_expect_eq(restore(p, minted), ERA_DOMINATED);
    cr_expect_eq(take(p, given_ready(old, "alice", chain_start(CARRIED + 1))), ERA_DOMINATED);
    cr_expect_eq(head_seq(heir, "network"), 1);
}

Test(succession, R10_a_slot_above_carried_that_came_first_loses_its_effect)
{
    struct era_proposal *one = given_soft(chain_start(1), 15, "1.1.0");
    struct era_bytes minted =
        given_certificate(old, given_soft(chain_start(CARRIED + 1), 15, "6.6.6"), "s1", "s1 s2", OLD, "");
    chain_adopt(one);
    cr_assert_eq(take(p, minted), ERA_ACCEPTED);
    cr_assert_eq(head_seq(p, "network"), CARRIED + 1);
    struct peer *heir = chain_adopted(NULL);
    cr_expect_eq(head_seq(heir, "network"), 1);
    cr_expect(offers(p, given_certificate(old, one, "s1", "s1 s2", OLD, "")), "it is the head again");
    cr_expect(!offers(p, minted));
}

Test(succession, R10_nor_does_it_make_history_of_what_lies_below)
{
    struct era_proposal *one = given_soft(chain_start(1), 15, "1.1.0");
    chain_adopt(one);
    struct peer *heir = chain_adopted(NULL);
    take(heir, given_certificate(next, given_soft(given_after(next, old, one, 50), 40, "6.6.6"), "s2",
                                 "s2 s3", "erin frank grace", ""));
    cr_assert(!offers(p, given_certificate(old, one, "s1", "s1 s2", OLD, "")));
    struct peer *last = given_heir(heir, given_next_charter(next, "erin:10", NULL, 25, 49));
    cr_expect_eq(head_seq(last, "network"), 1);
    cr_expect(offers(p, given_certificate(old, one, "s1", "s1 s2", OLD, "")));
}

Test(succession, R10_a_component_that_comes_new_begins_with_its_record)
{
    next = given_next_charter(
        old, "erin:10", "network k=2 signers=s1,s2; oracle k=2 signers=s1,s2 version=7.0.0", E, CARRIED);
    struct peer *heir = given_heir(p, next);
    cr_expect_str_eq(in_force(heir, "oracle", 30), "7.0.0");
    cr_expect_eq(head_seq(heir, "oracle"), 0);
}

/* ---- digest ---- */

Test(succession, N3_the_digest_names_the_newest_charter)
{
    struct era_hash before = era_view_digest(p->ledger);
    struct peer *heir = chain_adopted(NULL);
    struct era_hash after = era_view_digest(heir->ledger);
    cr_expect(!era_hash_eq(&before, &after));
}

Test(succession, R12_a_void_slot_of_the_old_charter_forks_until_the_new_adopts)
{
    uint64_t seq;
    struct era_proposal *one = given_soft(chain_start(1), 15, "1.1.0"),
                        *two = given_soft(chain_start(2), 15, "1.2.0");
    chain_adopt(one);
    struct peer *heir = chain_adopted(NULL);
    struct era_hash clean = era_view_digest(heir->ledger);
    chain_adopt(two);
    chain_adopt(given_soft(chain_start(2), 15, "1.3.0"));
    struct era_hash marked = era_view_digest(heir->ledger);
    cr_expect(era_ledger_forked(heir->ledger, 0, &seq));
    cr_expect_eq(seq, 2);
    cr_expect(!era_hash_eq(&clean, &marked), "whoever does not hold both is in another view");
    struct era_proposal *three = given_soft(given_after(next, old, one, 1), 40, "1.4.0");
    take(heir, given_certificate(next, three, "s2", "s2 s3", "erin frank grace", ""));
    cr_expect(!era_ledger_forked(heir->ledger, 0, &seq));
}

Test(succession, R12_a_void_slot_of_the_new_charter_is_marked_whatever_its_number)
{
    struct era_proposal *five = given_soft(chain_start(5), 15, "1.1.0");
    chain_adopt(five);
    struct peer *heir = chain_adopted(NULL);
    struct era_hash clean = era_view_digest(heir->ledger);
    for (int i = 0; i < 2; i++)
        take(heir,
             given_certificate(next, given_soft(given_after(next, old, five, 1), 40, i ? "1.2.0" : "1.3.0"),
                               "s2", "s2 s3", "erin frank grace", ""));
    struct era_hash marked = era_view_digest(heir->ledger);
    uint64_t seq;
    cr_assert(era_ledger_forked(heir->ledger, 0, &seq));
    cr_expect_eq(seq, 1);
    cr_expect(!era_hash_eq(&clean, &marked));
}

/* ---- authority only ---- */

Test(succession, R10_in_an_authority_only_network_approved_is_adopted)
{
    old = given_authority("gate", "network k=2 signers=s1,s2");
    next = given_next_charter(old, NULL, NULL, E, CARRIED);
    next->validator_count = 0;
    era_charter_seal(next);
    p = given_peer(old);
    take(p, given_charter_statement(next, "s1"));
    take_each(given_charter_approve, "s1");
    cr_expect_eq(assemble(p), 0);
    take_each(given_charter_approve, "s2");
    cr_expect_eq(assemble(p), 1);
    cr_expect_eq(counts_from(), E);
}
