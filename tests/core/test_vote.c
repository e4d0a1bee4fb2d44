#include <criterion/criterion.h>
#include <string.h>

#include "src/core/vote.h"
#include "tests/core/peer.h"

#define ALL "alice bob carol dave"

static struct era_charter *c;
static struct peer *p;

static void begin(void)
{
    c = given_charter("alice:10 bob:10 carol:10 dave:10",
                      "network k=2 urgent_k=3 signers=s1,s2,s3; rebuilt k=2 signers=s1,s2 rebuild=1/2");
    p = given_peer(c);
}

TestSuite(readiness, .init = begin, .fini = peers_free);
TestSuite(approval, .init = begin, .fini = peers_free);

static struct era_proposal *start(uint64_t seq)
{
    return given_proposal(c, "network", seq);
}

/* Proposed and approved. */
static const struct era_proposal *approved(const struct era_proposal *of)
{
    cr_assert_eq(take(p, given_approved(c, of, "s1", of->urgent ? "s1 s2 s3" : "s1 s2")), ERA_ACCEPTED);
    return of;
}

static void adopt(const struct era_proposal *of)
{
    cr_assert_eq(take(p, given_certificate(c, of, "s1", "s1 s2", ALL, "")), ERA_ACCEPTED);
}

static struct era_voter voter_at(const char *component, uint64_t epoch)
{
    return (struct era_voter){.key = given_key("alice").key,
                              .initial = &p->initial[given_component_index(c, component)],
                              .epoch = epoch};
}

/* May alice sign readiness for this one at an epoch? */
static enum era_verdict may(const struct era_proposal *of, uint64_t epoch)
{
    struct era_voter alice = voter_at(of->slot.component, epoch);
    struct era_candidate *it = candidate(p, of);
    cr_assert_not_null(it);
    return era_vote_readiness(p->ledger, it, &alice, NULL);
}

static void voted(const struct era_proposal *of)
{
    cr_assert_eq(take(p, given_ready(c, "alice", of)), ERA_ACCEPTED);
}

/* ---- readiness (R4) ---- */

Test(readiness, R4_a_vote_for_a_plan_that_is_not_held_binds_all_the_same)
{
    struct era_proposal *lost = given_soft(start(1), 10, "1.1.0");
    struct era_proposal *next = given_soft(start(2), 12, "1.2.0"), *drops = given_soft(start(3), 12, "1.2.0");

    voted(lost); /* whose proposal this store does not have */
    approved(next);
    approved(given_drop(drops, given_id(c, lost)));
    cr_expect_eq(may(next, 0), ERA_INCOMPLETE, "its entries may be lost");
    cr_expect_eq(may(drops, 0), ERA_ACCEPTED, "dropped by its name");
}

Test(readiness, R4_only_with_the_approvals_in_hand)
{
    struct era_proposal *one = given_soft(start(1), 10, "1.1.0");

    take(p, given_approve(c, "s1", one));
    take(p, given_approve(c, "s2", one));
    cr_expect_eq(may(one, 0), ERA_NOT_APPROVED, "and the proposal itself");
    take(p, given_proposed(c, "s1", one));
    cr_expect_eq(may(one, 0), ERA_ACCEPTED);
    take(p, given_proposed(c, "s1", given_soft(start(2), 10, "1.1.0")));
    take(p, given_approve(c, "s1", given_soft(start(2), 10, "1.1.0")));
    cr_expect_eq(may(given_soft(start(2), 10, "1.1.0"), 0), ERA_NOT_APPROVED);
}

Test(readiness, R4_the_approvals_of_an_approved_carrier_count)
{
    cr_expect_eq(may(approved(given_soft(start(1), 10, "1.1.0")), 0), ERA_ACCEPTED);
}

Test(readiness, D6_the_urgent_lane_needs_urgent_k_and_less_notice)
{
    struct era_proposal *urgent = given_soft(start(1), 10, "1.1.0");

    urgent->urgent = true;
    take(p, given_proposed(c, "s1", urgent));
    take(p, given_approve(c, "s1", urgent));
    take(p, given_approve(c, "s2", urgent));
    cr_expect_eq(may(urgent, 0), ERA_NOT_APPROVED);
    take(p, given_approve(c, "s3", urgent));
    cr_expect_eq(may(urgent, 8), ERA_ACCEPTED, "a notice of one epoch");
    cr_expect_eq(may(urgent, 9), ERA_SHORT_NOTICE);
}

Test(readiness, R4_notice_is_at_least_two_epochs)
{
    const struct era_proposal *one = approved(given_soft(start(1), 10, "1.1.0"));

    cr_expect_eq(may(one, 7), ERA_ACCEPTED);
    cr_expect_eq(may(one, 8), ERA_SHORT_NOTICE);
}

Test(readiness, R4_prevs_certificate_is_in_hand)
{
    struct era_proposal *first = given_soft(start(1), 10, "1.1.0");
    const struct era_proposal *second = approved(given_soft(given_next(c, first, 2), 20, "1.2.0"));

    cr_expect_eq(may(second, 0), ERA_NO_PREV);
    adopt(first);
    cr_expect_eq(may(second, 0), ERA_ACCEPTED);
}

Test(readiness, R4_nothing_at_or_below_an_adopted_slot)
{
    struct era_candidate below = {.known = true, .component = given_component_index(c, "network"), .seq = 3};
    struct era_voter alice = voter_at("network", 0);

    /* The ledger has collected whatever lay there: this one was held back. */
    adopt(given_soft(start(3), 10, "1.1.0"));
    cr_expect_eq(era_vote_readiness(p->ledger, &below, &alice, NULL), ERA_DOMINATED);
    cr_expect_eq(take(p, given_ready(c, "alice", given_soft(start(3), 10, "1.1.0"))), ERA_DOMINATED);
}

Test(readiness, R4_never_twice_in_a_slot)
{
    const struct era_proposal *a = approved(given_soft(start(1), 10, "1.1.0"));
    const struct era_proposal *b = approved(given_soft(start(1), 10, "1.2.0"));

    cr_expect_eq(may(a, 0), ERA_ACCEPTED);
    cr_expect_eq(may(b, 0), ERA_ACCEPTED);
    voted(a);
    cr_expect_eq(may(a, 0), ERA_DUPLICATE);
    cr_expect_eq(may(b, 0), ERA_ALREADY_SIGNED);
}

Test(readiness, R4_a_vote_in_flight_is_a_vote)
{
    const struct era_proposal *a = approved(given_soft(start(1), 10, "1.1.0"));
    const struct era_proposal *b = approved(given_soft(start(1), 10, "1.2.0"));
    struct era_item *item;

    cr_assert_eq(offer(p, given_ready(c, "alice", a), &item), ERA_ACCEPTED);
    cr_expect_eq(may(b, 0), ERA_ALREADY_SIGNED);
    era_ledger_abandon(p->ledger, item);
    cr_expect_eq(may(b, 0), ERA_ACCEPTED, "it never left");
}

Test(readiness, R4_only_above_every_slot_it_voted_in)
{
    const struct era_proposal *low = approved(given_soft(start(4), 10, "1.1.0"));
    const struct era_proposal *high = approved(given_soft(start(5), 10, "1.1.0"));
    const struct era_proposal *higher = approved(given_soft(start(6), 10, "1.1.0"));

    voted(high);
    cr_expect_eq(may(low, 0), ERA_ALREADY_SIGNED);
    cr_expect_eq(may(higher, 0), ERA_ACCEPTED, "it keeps what was voted for");
}

Test(readiness, R4_another_component_is_another_order_of_slots)
{
    voted(approved(given_soft(start(5), 10, "1.1.0")));
    cr_expect_eq(may(approved(given_soft(given_proposal(c, "rebuilt", 1), 10, "1.1.0")), 0), ERA_ACCEPTED);
}

Test(readiness, R4_another_keys_votes_bind_only_that_key)
{
    const struct era_proposal *a = approved(given_soft(start(1), 10, "1.1.0"));
    const struct era_proposal *b = approved(given_soft(start(1), 10, "1.2.0"));

    take(p, given_ready(c, "bob", a));
    cr_expect_eq(may(b, 0), ERA_ACCEPTED);
}

Test(readiness, R4_what_it_voted_for_above_the_head_is_kept_or_dropped)
{
    const struct era_proposal *first = approved(given_breaking(start(1), 20, "2.0.0"));
    const struct era_proposal *without = approved(given_soft(start(2), 10, "1.1.0"));
    const struct era_proposal *with = approved(given_breaking(start(3), 20, "2.0.0"));
    struct era_proposal *dropping = given_soft(start(4), 10, "1.1.0");

    cr_expect_eq(may(without, 0), ERA_ACCEPTED);
    voted(first);
    cr_expect_eq(may(without, 0), ERA_NOT_EXTENDING);
    cr_expect_eq(may(with, 0), ERA_ACCEPTED);
    given_drop(dropping, given_id(c, first));
    cr_expect_eq(may(approved(dropping), 0), ERA_ACCEPTED);
}

Test(readiness, R4_votes_at_or_below_the_head_no_longer_bind)
{
    struct era_proposal *other = given_breaking(start(1), 20, "2.0.0");
    struct era_proposal *head = given_soft(start(2), 10, "1.1.0");

    voted(approved(other));
    adopt(head);
    cr_expect_eq(may(approved(given_soft(given_next(c, head, 3), 20, "1.2.0")), 0), ERA_ACCEPTED);
}

Test(readiness, R9_expiry_binds_validators)
{
    struct era_proposal *one = given_soft(start(1), 100, "1.1.0");

    one->expiry = 5;
    approved(one);
    cr_expect_eq(may(one, 5), ERA_ACCEPTED);
    cr_expect_eq(may(one, 6), ERA_EXPIRED);
}

Test(readiness, R9_expiry_does_not_bind_carriers)
{
    struct era_proposal *one = given_soft(start(1), 100, "1.1.0");

    one->expiry = 5;
    p->epoch = 50;
    adopt(one);
}

/* ---- own rebuilds (R4, T5) ---- */

static struct era_proposal *release(void)
{
    return given_artefacts(given_breaking(given_proposal(c, "rebuilt", 1), 10, "2.0.0"), "linux mac");
}

/* A result of alice's own builds. */
static struct era_rebuild rebuilt(const struct era_proposal *of, const char *artefact, const char *digest)
{
    struct era_rebuild r = {.entry = given_entry(of, 1)};
    cr_assert(era_text_set(r.artefact, sizeof r.artefact, artefact));
    cr_assert(era_text_set(r.digest, sizeof r.digest, digest));
    return r;
}

static enum era_verdict may_having(const struct era_proposal *of, const struct era_rebuild *r, size_t n,
                                   const char *const *runs, size_t run_count)
{
    struct era_voter alice = voter_at("rebuilt", 0);
    alice.rebuilds = r;
    alice.rebuild_count = n;
    alice.artefacts = runs;
    alice.artefact_count = run_count;
    return era_vote_readiness(p->ledger, candidate(p, of), &alice, NULL);
}

Test(readiness, T5_only_when_its_own_rebuild_of_each_artefact_matched)
{
    const struct era_proposal *of = approved(release());
    const struct era_artefact *a = of->plan.entries[1].record.artefacts;
    struct era_rebuild right[] = {rebuilt(of, "linux", a[0].digest), rebuilt(of, "mac", a[1].digest)};
    struct era_rebuild wrong[] = {rebuilt(of, "linux", a[0].digest),
                                  rebuilt(of, "mac", given_digest("other"))};

    cr_expect_eq(may_having(of, NULL, 0, NULL, 0), ERA_NO_REBUILD);
    cr_expect_eq(may_having(of, right, 1, NULL, 0), ERA_NO_REBUILD);
    cr_expect_eq(may_having(of, right, 2, NULL, 0), ERA_ACCEPTED);
    cr_expect_eq(may_having(of, wrong, 2, NULL, 0), ERA_MISMATCH);
}

Test(readiness, T5_of_the_artefacts_it_runs)
{
    const struct era_proposal *of = approved(release());
    struct era_rebuild linux_only = rebuilt(of, "linux", of->plan.entries[1].record.artefacts[0].digest);
    const char *const runs[] = {"linux"}, *const other[] = {"mac"};

    cr_expect_eq(may_having(of, &linux_only, 1, runs, 1), ERA_ACCEPTED);
    cr_expect_eq(may_having(of, &linux_only, 1, other, 1), ERA_NO_REBUILD);
}

Test(readiness, T5_a_rebuild_of_another_entry_is_none)
{
    const struct era_proposal *of = approved(release());
    struct era_rebuild r[] = {rebuilt(of, "linux", of->plan.entries[1].record.artefacts[0].digest),
                              rebuilt(of, "mac", of->plan.entries[1].record.artefacts[1].digest)};

    r[1].entry = given_entry(of, 0);
    cr_expect_eq(may_having(of, r, 2, NULL, 0), ERA_NO_REBUILD);
}

Test(readiness, R4_plans_that_only_announce_or_drop_ask_for_no_rebuild)
{
    struct era_proposal *announced = given_announced(given_proposal(c, "rebuilt", 1), "2.0.0");

    given_artefacts(announced, "linux");
    cr_expect_eq(may(approved(announced), 0), ERA_ACCEPTED);
    cr_expect_eq(may(approved(given_proposal(c, "rebuilt", 2)), 0), ERA_ACCEPTED);
}

Test(readiness, R4_a_soft_entry_with_an_epoch_asks_for_the_rebuild_too)
{
    struct era_proposal *soft =
        given_artefacts(given_soft(given_proposal(c, "rebuilt", 1), 10, "1.1.0"), "linux");

    cr_expect_eq(may(approved(soft), 0), ERA_NO_REBUILD);
}

Test(readiness, R4_no_rebuild_is_asked_where_the_policy_asks_none)
{
    struct era_proposal *b = given_artefacts(given_breaking(start(1), 10, "2.0.0"), "linux");

    cr_expect_eq(may(approved(b), 0), ERA_ACCEPTED);
}

Test(readiness, it_says_why_not)
{
    const struct era_proposal *a = approved(given_soft(start(1), 10, "1.1.0"));
    const struct era_proposal *b = approved(given_soft(start(1), 10, "1.2.0"));
    struct era_voter alice = voter_at("network", 0);
    const char *why = NULL;

    voted(a);
    cr_expect_eq(era_vote_readiness(p->ledger, candidate(p, b), &alice, &why), ERA_ALREADY_SIGNED);
    cr_expect_str_eq(why, "this validator already voted for another proposal in the slot");
}

/* ---- R12: over a void slot ---- */

Test(readiness, R12_a_slot_above_a_void_one_builds_on_the_head_below)
{
    struct era_proposal *head = given_soft(start(1), 10, "1.1.0");

    adopt(head);
    adopt(given_soft(given_next(c, head, 3), 20, "1.2.0"));
    adopt(given_soft(given_next(c, head, 3), 20, "1.3.0"));
    cr_expect_eq(may(approved(given_soft(given_next(c, head, 4), 30, "1.4.0")), 0), ERA_ACCEPTED);
}

/* ---- approval (R2, R3) ---- */

/* s1 at epoch 0 with this head (NULL: none) and the highest slot it signed. */
static struct era_approver approver(const struct era_proposal *head, uint64_t signed_floor)
{
    struct era_approver a = {.charter = c,
                             .component = given_component_index(c, "network"),
                             .head_plan =
                                 head ? &head->plan : &p->initial[given_component_index(c, "network")],
                             .signed_floor = signed_floor};
    if (head)
        a.head = given_head(c, head);
    return a;
}

static enum era_verdict approves(struct era_approver a, const struct era_proposal *of)
{
    return era_vote_approve(&a, of, NULL);
}

Test(approval, R2_a_signer_signs_sixteen_slots_ahead)
{
    cr_expect_eq(approves(approver(NULL, 0), given_soft(start(16), 10, "1.1.0")), ERA_ACCEPTED);
    cr_expect_eq(approves(approver(NULL, 0), given_soft(start(17), 10, "1.1.0")), ERA_BEYOND_WINDOW);
    cr_expect_eq(approves(approver(NULL, 9), given_soft(start(25), 10, "1.1.0")), ERA_ACCEPTED);
    cr_expect_eq(approves(approver(NULL, 9), given_soft(start(26), 10, "1.1.0")), ERA_BEYOND_WINDOW);
}

Test(approval, R2_an_adopted_slot_moves_the_floor)
{
    struct era_proposal *head = given_soft(start(20), 10, "1.1.0");

    cr_expect_eq(approves(approver(head, 0), given_next(c, head, 36)), ERA_ACCEPTED);
    cr_expect_eq(approves(approver(head, 0), given_next(c, head, 37)), ERA_BEYOND_WINDOW);
    cr_expect_eq(approves(approver(head, 30), given_next(c, head, 46)), ERA_ACCEPTED);
}

Test(approval, R3_nothing_at_or_below_an_adopted_slot)
{
    struct era_proposal *head = given_soft(start(20), 10, "1.1.0");

    cr_expect_eq(approves(approver(head, 0), given_next(c, head, 20)), ERA_DOMINATED);
    cr_expect_eq(approves(approver(head, 0), given_next(c, head, 19)), ERA_DOMINATED);
    cr_expect_eq(approves(approver(head, 0), given_next(c, head, 21)), ERA_ACCEPTED);
}

Test(approval, R9_expiry_binds_signers)
{
    struct era_proposal *one = given_soft(start(1), 100, "1.1.0");
    struct era_approver a = approver(NULL, 0);

    one->expiry = 5;
    a.epoch = 5;
    cr_expect_eq(approves(a, one), ERA_ACCEPTED);
    a.epoch = 6;
    cr_expect_eq(approves(a, one), ERA_EXPIRED);
}

Test(approval, signers_keep_the_extending_rule)
{
    struct era_proposal *head = given_soft(start(1), 10, "1.1.0"), *lost = given_next(c, head, 2);
    struct era_approver a = approver(head, 0);

    lost->plan.count = 1;
    cr_expect_eq(approves(a, lost), ERA_NOT_EXTENDING);
    cr_expect_eq(approves(a, given_soft(start(2), 10, "1.1.0")), ERA_NO_PREV);
    cr_expect_eq(approves(a, given_soft(given_next(c, head, 2), 20, "1.2.0")), ERA_ACCEPTED);
    a.epoch = 18;
    cr_expect_eq(approves(a, given_soft(given_next(c, head, 2), 20, "1.2.0")), ERA_SHORT_NOTICE);
}

Test(approval, an_ill_formed_plan_is_not_signed)
{
    struct era_proposal *bad = given_soft(start(1), 10, "0.9.0");
    struct era_approver a = approver(NULL, 0);
    const char *why = NULL;

    cr_expect_eq(era_vote_approve(&a, bad, &why), ERA_ILL_FORMED_PLAN);
    cr_expect_str_eq(why, "a version lower than the one before it needs an override");
}

Test(approval, D6_the_urgent_lane_has_its_own_notice)
{
    struct era_proposal *urgent = given_soft(start(1), 10, "1.1.0");
    struct era_approver a = approver(NULL, 0);

    a.epoch = 8;
    cr_expect_eq(approves(a, urgent), ERA_SHORT_NOTICE);
    urgent->urgent = true;
    cr_expect_eq(approves(a, urgent), ERA_ACCEPTED);
    a.epoch = 9;
    cr_expect_eq(approves(a, urgent), ERA_SHORT_NOTICE);
}

Test(approval, P4_in_an_authority_only_network_signers_keep_what_they_approved)
{
    struct era_proposal *first = given_breaking(start(1), 20, "2.0.0");
    struct era_voted mine = {given_id(c, first), &first->plan};
    struct era_approver a = approver(NULL, 1);

    a.voted = &mine;
    a.voted_count = 1;
    cr_expect_eq(approves(a, given_soft(start(2), 10, "1.1.0")), ERA_NOT_EXTENDING);
    cr_expect_eq(approves(a, given_breaking(start(2), 20, "2.0.0")), ERA_ACCEPTED);
}
