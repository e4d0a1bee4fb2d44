/* Under a charter that follows another: what the older ones still bind (R10). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/lease.h"
#include "src/core/succession.h"
#include "tests/core/chain.h"

TestSuite(inherited, .init = chain_begin, .fini = peers_free);

/* ---- what older charters bind ---- */

/* Approved under the new charter, and whether erin may vote for it. */
static enum era_verdict erin_may(struct peer *heir, const struct era_proposal *on, uint64_t epoch)
{
    enum era_verdict v = take(heir, given_approved(next, on, "s2", "s2 s3"));
    cr_assert(v == ERA_ACCEPTED || v == ERA_DUPLICATE);
    return chain_may_vote(heir, "erin", on, epoch);
}

/* On no head. */
static struct era_proposal *fresh(uint64_t seq)
{
    struct era_proposal *p1 = given_proposal(old, "network", seq);
    p1->slot.charter_version = 1;
    return p1;
}

Test(inherited, R10_a_slot_that_a_close_names_is_not_lost)
{
    struct era_proposal *named = given_soft(chain_start(4), 60, "1.1.0");
    take(p, given_approved(old, named, "s1", "s1 s2"));
    struct peer *heir = chain_adopted(given_named(given_closing(next), "network", 4, given_id(old, named)));
    cr_expect_eq(erin_may(heir, given_soft(fresh(1), 70, "1.2.0"), 30), ERA_NOT_EXTENDING);
    cr_expect_eq(erin_may(heir, given_soft(given_soft(fresh(2), 60, "1.1.0"), 70, "1.2.0"), 30), ERA_ACCEPTED,
                 "it keeps the entry");
    cr_expect_eq(erin_may(heir, given_drop(given_soft(fresh(3), 70, "1.2.0"), given_id(old, named)), 30),
                 ERA_ACCEPTED, "it drops it by name");
}

Test(inherited, R10_also_in_a_loose_close_of_one_validator)
{
    struct era_proposal *named = given_soft(chain_start(4), 60, "1.1.0");
    take(p, given_approved(old, named, "s1", "s1 s2"));
    struct peer *heir = chain_adopted(NULL);
    cr_expect_eq(erin_may(heir, given_soft(fresh(1), 70, "1.2.0"), 30), ERA_ACCEPTED);
    take(p, given_close(next, "dave", given_named(given_closing(next), "network", 4, given_id(old, named))));
    cr_expect_eq(erin_may(heir, given_soft(fresh(1), 70, "1.2.0"), 30), ERA_NOT_EXTENDING);
}

/* The head is named too: whoever holds the closes and not its certificate would build beside it. */
Test(inherited, R10_a_head_that_a_close_names_binds_who_does_not_hold_it)
{
    struct era_proposal *head = given_soft(chain_start(4), 60, "1.1.0");
    take(p, given_approved(old, head, "s1", "s1 s2"));
    struct peer *heir = chain_adopted(given_named(given_closing(next), "network", 4, given_id(old, head)));
    cr_expect_eq(erin_may(heir, given_soft(fresh(1), 70, "1.2.0"), 30), ERA_NOT_EXTENDING);
    chain_adopt(head);
    cr_expect_eq(erin_may(heir, given_soft(fresh(1), 70, "1.2.0"), 30), ERA_NO_PREV);
    cr_expect_eq(erin_may(heir, given_soft(given_after(next, old, head, 2), 70, "1.2.0"), 30), ERA_ACCEPTED);
}

Test(inherited, R10_what_is_named_and_not_held_can_only_be_dropped_by_name)
{
    struct era_proposal *named = given_soft(chain_start(4), 60, "1.1.0");
    struct peer *heir = chain_adopted(given_named(given_closing(next), "network", 4, given_id(old, named)));
    cr_expect_eq(erin_may(heir, given_soft(fresh(1), 70, "1.2.0"), 30), ERA_INCOMPLETE);
    cr_expect_eq(erin_may(heir, given_drop(given_soft(fresh(2), 70, "1.2.0"), given_id(old, named)), 30),
                 ERA_ACCEPTED);
    cr_expect_eq(erin_may(heir, given_drop(given_soft(fresh(3), 70, "1.2.0"), given_id(old, named)), E - 1),
                 ERA_SHORT_NOTICE, "it may be in force while the old charter counts");
}

/* One faulty validator names more than drops have room for, and none of it is a proposal. */
Test(inherited, R10_all_that_a_charter_left_open_can_be_dropped_at_once)
{
    struct era_close *words = given_closing(next);
    for (uint64_t seq = 1; seq <= ERA_DROPS_MAX + 1; seq++)
        given_named(words, "network", seq, given_id(old, chain_start(seq)));
    struct peer *heir = chain_adopted(NULL);
    take(p, given_close(next, "dave", words));
    struct era_proposal *all = given_drop(given_soft(fresh(2), 70, "1.2.0"), old->hash);
    cr_expect_eq(erin_may(heir, given_soft(fresh(1), 70, "1.2.0"), 30), ERA_INCOMPLETE);
    cr_expect_eq(erin_may(heir, all, 30), ERA_ACCEPTED);
    cr_expect_eq(erin_may(heir, all, E - 1), ERA_SHORT_NOTICE, "not while that charter counts");
}

Test(inherited, R10_own_votes_under_the_old_charter_bind)
{
    next = given_next_charter(old, "alice:10 erin:1", "network k=2 signers=s2,s3", E, CARRIED);
    struct era_proposal *voted = given_soft(chain_start(4), 60, "1.1.0"),
                        *other = given_soft(fresh(1), 70, "1.2.0");
    take(p, given_approved(old, voted, "s1", "s1 s2"));
    take(p, given_ready(old, "alice", voted));
    cr_assert_eq(take(p, given_charter_certificate(next, "s1 s2", "s2 s3", "alice erin", "bob carol dave")),
                 ERA_ACCEPTED);
    struct peer *heir = given_heir(p, next);
    take(heir, given_approved(next, other, "s2", "s2 s3"));
    cr_expect_eq(chain_may_vote(heir, "alice", other, 30), ERA_NOT_EXTENDING);
    cr_expect_eq(chain_may_vote(heir, "erin", other, 30), ERA_ACCEPTED);
}

Test(inherited, R10_older_charters_bind_until_one_of_them_has_a_head)
{
    struct era_proposal *named = given_soft(chain_start(4), 60, "1.1.0");
    take(p, given_approved(old, named, "s1", "s1 s2"));
    struct peer *heir = chain_adopted(given_named(given_closing(next), "network", 4, given_id(old, named)));
    struct era_charter *third = given_next_charter(next, "erin:10", "network k=2 signers=s3,s4", 25, CARRIED);
    cr_assert_eq(take(heir, given_charter_certificate(third, "s2 s3", "s3 s4", "erin", "erin frank grace")),
                 ERA_ACCEPTED);
    struct peer *last = given_heir(heir, third);
    struct era_proposal *on = given_soft(fresh(1), 70, "1.2.0");
    on->slot.charter_version = 2;
    take(last, given_approved(third, on, "s3", "s3 s4"));
    cr_expect_eq(chain_may_vote(last, "erin", on, 30), ERA_NOT_EXTENDING);
    cr_assert_eq(take(heir, given_certificate(next, given_soft(fresh(9), 65, "1.1.5"), "s2", "s2 s3",
                                              "erin frank grace", "")),
                 ERA_ACCEPTED);
    cr_expect_eq(chain_may_vote(last, "erin", on, 30), ERA_NO_PREV);
}

/* Minted by leaked keys it would hide what the closes name. */
Test(inherited, R10_a_slot_above_carried_frees_nobody)
{
    struct era_proposal *named = given_soft(chain_start(4), 60, "1.1.0");
    cr_assert_eq(take(p, given_certificate(old, given_soft(chain_start(CARRIED + 1), 15, "6.6.6"), "s1",
                                           "s1 s2", OLD, "")),
                 ERA_ACCEPTED);
    struct peer *heir = chain_adopted(given_named(given_closing(next), "network", 4, given_id(old, named)));
    cr_expect_eq(erin_may(heir, given_soft(fresh(1), 70, "1.2.0"), 30), ERA_INCOMPLETE);
}

/* ---- what the new charter may change ---- */

Test(inherited, R10_new_entries_lie_at_epochs_that_count_under_the_new_charter)
{
    struct peer *heir = chain_adopted(given_last(given_closing(next), E + 3));
    cr_expect_eq(erin_may(heir, given_soft(fresh(1), E + 3, "1.1.0"), 10), ERA_SHORT_NOTICE);
    cr_expect_eq(erin_may(heir, given_soft(fresh(2), E + 4, "1.1.0"), 10), ERA_ACCEPTED);
    cr_expect_eq(erin_may(heir, given_announced(fresh(3), "2.0.0"), 10), ERA_ACCEPTED, "no epoch at all");
}

Test(inherited, R10_entries_are_dropped_at_epochs_that_count_under_the_new_charter)
{
    struct era_proposal *head = given_soft(given_soft(chain_start(1), E + 3, "1.1.0"), E + 4, "1.2.0");
    chain_adopt(head);
    struct peer *heir = chain_adopted(given_last(given_closing(next), E + 3));
    struct era_proposal *first = given_after(next, old, head, 1), *second = given_after(next, old, head, 2);
    cr_expect_eq(erin_may(heir, given_drop(first, given_entry(head, 1)), 10), ERA_SHORT_NOTICE);
    cr_expect_eq(erin_may(heir, given_drop(second, given_entry(head, 2)), 10), ERA_ACCEPTED);
}

Test(inherited, R10_also_entries_of_open_slots_that_are_dropped_whole)
{
    struct era_proposal *early = given_soft(chain_start(4), E + 3, "1.1.0");
    take(p, given_approved(old, early, "s1", "s1 s2"));
    struct peer *heir = chain_adopted(
        given_named(given_last(given_closing(next), E + 3), "network", 4, given_id(old, early)));
    struct era_proposal *without = given_drop(fresh(1), given_id(old, early));
    cr_expect_eq(erin_may(heir, without, 10), ERA_SHORT_NOTICE);
    cr_expect_eq(erin_may(heir, without, E + 3), ERA_ACCEPTED, "its time has come: nothing is to come of it");
}

/* ---- leases and announcements ---- */

static struct era_leases none;

static enum era_lease_answer may_lease(struct peer *heir, const char *who, uint64_t epoch)
{
    struct era_hash entry;
    struct era_leaser leaser = {.validator = given_validator_index(heir->charter, who),
                                .initial = &heir->initial[0],
                                .leases = &none};
    return era_lease_judge(heir->ledger, &leaser, epoch, &entry);
}

static void announces(struct peer *of, const char *names, uint64_t epoch)
{
    char text[128], *rest = NULL;
    struct era_announcement a = given_running(of->charter, epoch, "1.0.0");
    of->epoch = epoch;
    snprintf(text, sizeof text, "%s", names);
    for (char *who = strtok_r(text, " ", &rest); who; who = strtok_r(NULL, " ", &rest))
        cr_assert_eq(take(of, given_announce(of->charter, who, &a)), ERA_ACCEPTED);
}

Test(inherited, R10_nothing_is_leased_that_a_named_slot_contradicts)
{
    struct era_proposal *named = given_soft(chain_start(4), E + 5, "1.1.0");
    take(p, given_approved(old, named, "s1", "s1 s2"));
    struct peer *heir = chain_adopted(NULL);
    announces(heir, "frank grace", E + 5);
    cr_expect_eq(may_lease(heir, "erin", E + 5), ERA_LEASE_MAY);
    take(p, given_close(next, "dave", given_named(given_closing(next), "network", 4, given_id(old, named))));
    cr_expect_eq(may_lease(heir, "erin", E + 4), ERA_LEASE_MAY, "before, both give the same entry");
    cr_expect_eq(may_lease(heir, "erin", E + 5), ERA_LEASE_VOTED);
    take(p, given_close(next, "bob", given_named(given_closing(next), "network", 5, old->hash)));
    cr_expect_eq(may_lease(heir, "erin", E + 4), ERA_LEASE_VOTED, "what is not held may give anything");
}

Test(inherited, R16_announcements_under_the_charter_before_keep_their_key_fresh)
{
    next = given_next_charter(old, "alice:10 bob:10 carol:10 erin:10", NULL, E, CARRIED);
    cr_assert_eq(take(p, given_charter_certificate(next, "s1 s2", "s1 s2", "alice bob carol", CLOSERS)),
                 ERA_ACCEPTED);
    struct peer *heir = given_heir(p, next);
    announces(p, "alice bob dave", E - 1);
    cr_expect_eq(era_ledger_fresh_stake(heir->ledger, E - 1), 20, "dave is no validator any more");
    cr_expect_eq(era_ledger_fresh_stake(heir->ledger, E), 0);
    cr_expect_eq(may_lease(heir, "erin", E), ERA_LEASE_MAY, "alice, bob and her own");
    cr_expect_eq(may_lease(heir, "alice", E), ERA_LEASE_NO_QUORUM, "one's own counts once");
    announces(heir, "bob", E);
    cr_expect_eq(era_ledger_fresh_stake(heir->ledger, E - 1), 20, "of both charters once");
}

/* ---- what is left behind ---- */

Test(inherited, R10_of_a_retired_charter_certificates_and_closes_stay)
{
    struct era_proposal *one = given_soft(chain_start(1), 15, "1.1.0"), *open = given_next(old, one, 2);
    struct era_item *pending;
    chain_adopt(one);
    take(p, given_approved(old, open, "s1", "s1 s2"));
    take(p, given_ready(old, "alice", open));
    offer(p, given_ready(old, "bob", open), &pending);
    announces(p, "alice", 30);
    announces(p, "bob", 31);
    take(p, given_charter_statement(next, "s1"));
    take(p, given_close(next, "dave", NULL));
    struct peer *heir = chain_adopted(NULL);
    era_ledger_retire(p->ledger, 31);
    era_ledger_commit(p->ledger, pending);
    struct era_announcement early = given_running(old, 30, "1.0.0"), now = given_running(old, 31, "1.0.0");
    cr_expect(!holds(p, given_ready(old, "alice", open)));
    cr_expect(!holds(p, given_ready(old, "bob", open)));
    cr_expect(!holds(p, given_approved(old, open, "s1", "s1 s2")));
    cr_expect(!holds(p, given_announce(old, "alice", &early)));
    cr_expect(holds(p, given_announce(old, "bob", &now)), "one an epoch: its key must know what it said");
    cr_expect(offers(p, given_close(next, "dave", NULL)));
    cr_expect(offers(p, chain_certificate(NULL)));
    cr_expect_eq(head_seq(heir, "network"), 1);
    cr_expect_eq(take(p, given_ready(old, "alice", open)), ERA_DOMINATED);
    cr_expect_eq(take(p, given_approved(old, open, "s1", "s1 s2")), ERA_DOMINATED);
    cr_expect_eq(take(p, given_close(next, "carol", NULL)), ERA_ACCEPTED);
    cr_expect_eq(take(p, given_certificate(old, open, "s1", "s1 s2", OLD, "")), ERA_ACCEPTED);
    cr_expect_eq(head_seq(heir, "network"), 2);
}
