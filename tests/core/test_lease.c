/* Leases: R16, N7, and what R4 asks of a vote. */
#include <criterion/criterion.h>
#include <string.h>

#include "src/core/lease.h"
#include "src/core/vote.h"
#include "tests/core/peer.h"

#define ALL "alice bob carol dave"

static struct era_charter *c;
static struct peer *p;
static struct era_leases own;

/* Q is 27 of 40. */
static void begin(void)
{
    c = given_charter("alice:10 bob:10 carol:10 dave:10", "network k=2 signers=s1,s2,s3");
    p = given_peer(c);
    memset(&own, 0, sizeof own);
}

TestSuite(lease, .init = begin, .fini = peers_free);

static struct era_proposal *start(uint64_t seq)
{
    return given_proposal(c, "network", seq);
}

static void adopt(const struct era_proposal *of)
{
    cr_assert_eq(take(p, given_certificate(c, of, "s1", "s1 s2", ALL, "")), ERA_ACCEPTED);
}

static void announces(const char *who, uint64_t epoch)
{
    struct era_announcement a = given_running(c, epoch, "1.0.0");
    p->epoch = epoch;
    cr_assert_eq(take(p, given_announce(c, who, &a)), ERA_ACCEPTED);
}

static void all_but_alice_announce(uint64_t epoch)
{
    announces("bob", epoch);
    announces("carol", epoch);
    announces("dave", epoch);
}

static struct era_leaser alice(void)
{
    return (struct era_leaser){.validator = given_validator_index(c, "alice"),
                               .component = given_component_index(c, "network"),
                               .initial = &p->initial[given_component_index(c, "network")],
                               .leases = &own};
}

static enum era_lease_answer may(uint64_t epoch)
{
    struct era_leaser who = alice();
    struct era_hash entry;
    return era_lease_judge(p->ledger, &who, epoch, &entry);
}

static void votes(const char *who, const struct era_proposal *of)
{
    take(p, given_approved(c, of, "s1", "s1 s2"));
    cr_assert_eq(take(p, given_ready(c, who, of)), ERA_ACCEPTED);
}

/* ---- when (R16) ---- */

Test(lease, R16_only_when_a_quorum_announced_the_epoch_before_or_later)
{
    announces("bob", 9);
    cr_expect_eq(may(10), ERA_LEASE_NO_QUORUM, "10 and one's own 10 are below 27");
    announces("carol", 9);
    cr_expect_eq(may(10), ERA_LEASE_MAY, "the announcement being made counts");
    cr_expect_eq(may(11), ERA_LEASE_NO_QUORUM, "a clock that jumps binds nobody");
    announces("bob", 11);
    announces("carol", 11);
    cr_expect_eq(may(11), ERA_LEASE_MAY);
}

Test(lease, R16_ones_own_announcement_counts_once)
{
    announces("alice", 9);
    announces("bob", 9);
    cr_expect_eq(may(10), ERA_LEASE_NO_QUORUM);
}

Test(lease, R16_a_pending_announcement_of_others_does_not_count)
{
    struct era_announcement a = given_running(c, 9, "1.0.0");
    struct era_item *item;

    announces("bob", 9);
    cr_assert_eq(offer(p, given_announce(c, "carol", &a), &item), ERA_ACCEPTED);
    cr_expect_eq(may(10), ERA_LEASE_NO_QUORUM);
    era_ledger_commit(p->ledger, item);
    cr_expect_eq(may(10), ERA_LEASE_MAY);
}

Test(lease, R16_it_names_the_entry_in_force_at_its_epoch)
{
    struct era_proposal *one = given_breaking(start(1), 11, "2.0.0");
    struct era_leaser who = alice();
    struct era_hash entry, first = given_entry(one, 0), second = given_entry(one, 1);

    adopt(one);
    all_but_alice_announce(10);
    cr_expect_eq(era_lease_judge(p->ledger, &who, 10, &entry), ERA_LEASE_MAY);
    cr_expect(era_hash_eq(&entry, &first));
    cr_expect_eq(era_lease_judge(p->ledger, &who, 11, &entry), ERA_LEASE_MAY);
    cr_expect(era_hash_eq(&entry, &second));
}

Test(lease, R7_no_entry_no_lease)
{
    struct era_proposal *head = given_soft(start(1), 11, "1.1.0");

    adopt(head);
    adopt(given_from(given_next(c, head, 2), 1));
    all_but_alice_announce(10);
    cr_expect_eq(may(10), ERA_LEASE_NO_ENTRY);
    cr_expect_eq(may(11), ERA_LEASE_MAY);
}

Test(lease, R12_no_lease_while_forked)
{
    all_but_alice_announce(10);
    adopt(given_soft(start(1), 20, "1.1.0"));
    cr_expect_eq(may(10), ERA_LEASE_MAY);
    adopt(given_soft(start(1), 20, "1.2.0"));
    cr_expect_eq(may(10), ERA_LEASE_NO_ENTRY);
}

Test(lease, R15_a_node_that_is_stopped_leases_nothing)
{
    struct era_leaser who = alice();
    struct era_hash entry;

    all_but_alice_announce(10);
    who.stopped = true;
    cr_expect_eq(era_lease_judge(p->ledger, &who, 10, &entry), ERA_LEASE_STOPPED);
}

Test(lease, R16_epochs_are_leased_in_ascending_order)
{
    struct era_hash entry = given_entry(start(1), 0);

    all_but_alice_announce(10);
    era_leases_add(&own, &entry, 10);
    cr_expect_eq(may(10), ERA_LEASE_OVER);
    cr_expect_eq(may(9), ERA_LEASE_OVER);
    cr_expect_eq(may(11), ERA_LEASE_MAY);
}

/* ---- a lease never contradicts a vote (R16) ---- */

Test(lease, R16_not_where_a_vote_above_the_head_gives_another_entry)
{
    struct era_proposal *one = given_breaking(start(1), 12, "2.0.0");

    all_but_alice_announce(11);
    votes("alice", one);
    cr_expect_eq(may(11), ERA_LEASE_MAY, "there the plan gives what the head gives");
    cr_expect_eq(may(12), ERA_LEASE_VOTED);
    adopt(one);
    cr_expect_eq(may(12), ERA_LEASE_MAY);
}

Test(lease, R16_the_votes_of_others_forbid_nothing)
{
    all_but_alice_announce(11);
    votes("bob", given_breaking(start(1), 12, "2.0.0"));
    cr_expect_eq(may(12), ERA_LEASE_MAY);
}

Test(lease, R16_a_vote_in_flight_is_a_vote)
{
    struct era_proposal *one = given_breaking(start(1), 12, "2.0.0");
    struct era_item *item;

    all_but_alice_announce(11);
    take(p, given_approved(c, one, "s1", "s1 s2"));
    cr_assert_eq(offer(p, given_ready(c, "alice", one), &item), ERA_ACCEPTED);
    cr_expect_eq(may(12), ERA_LEASE_VOTED);
    era_ledger_abandon(p->ledger, item);
    cr_expect_eq(may(12), ERA_LEASE_MAY);
}

Test(lease, R16_a_vote_for_a_plan_that_is_not_held_forbids_every_lease)
{
    all_but_alice_announce(11);
    cr_assert_eq(take(p, given_ready(c, "alice", given_breaking(start(1), 99, "2.0.0"))), ERA_ACCEPTED);
    cr_expect_eq(may(11), ERA_LEASE_VOTED);
}

Test(lease, R16_every_slot_above_the_head_is_asked)
{
    struct era_proposal *far = given_breaking(start(2), 30, "2.0.0");

    all_but_alice_announce(11);
    votes("alice", given_breaking(start(1), 12, "2.0.0"));
    votes("alice", far);
    cr_expect_eq(may(12), ERA_LEASE_VOTED, "the lower slot may be adopted yet");
    adopt(far);
    cr_expect_eq(may(12), ERA_LEASE_MAY, "what lies below the head changes nothing");
}

Test(lease, ARMED_a_new_plan_that_drops_its_entries_frees_the_leases)
{
    struct era_proposal *armed = given_breaking(start(1), 12, "2.0.0"), *drop = start(2);

    all_but_alice_announce(11);
    votes("alice", armed);
    given_drop(drop, given_id(c, armed));
    adopt(drop);
    cr_expect_eq(may(12), ERA_LEASE_MAY);
}

/* ---- whose leases an epoch has (N7) ---- */

static void leases(const char *who, uint64_t epoch, struct era_hash entry, uint64_t charter_version)
{
    struct era_announcement a = given_running(c, epoch, "1.0.0");
    a.lease = a.has_entry = true;
    a.entry = entry;
    a.charter_version = charter_version;
    p->epoch = epoch;
    take(p, given_announce(c, who, &a));
}

Test(lease, N7_leases_of_the_epoch_and_entry_count_by_stake)
{
    struct era_proposal *one = given_breaking(start(1), 12, "2.0.0");
    struct era_hash old = given_entry(one, 0), new = given_entry(one, 1);
    struct era_announcement plain = given_running(c, 11, "1.0.0");

    leases("alice", 11, old, 0);
    leases("bob", 11, old, 0);
    leases("carol", 11, new, 0);
    plain.has_entry = true;
    plain.entry = old;
    take(p, given_announce(c, "dave", &plain));
    cr_expect_eq(era_lease_stake(p->ledger, 11, &old), 20);
    cr_expect_eq(era_lease_stake(p->ledger, 11, &new), 10);
    cr_expect_eq(era_lease_stake(p->ledger, 10, &old), 0);
    cr_expect_eq(era_lease_stake(p->ledger, 12, &old), 0);
    leases("alice", 12, new, 0);
    cr_expect_eq(era_lease_stake(p->ledger, 11, &old), 20, "that of the next epoch takes nothing away");
    cr_expect_eq(era_lease_stake(p->ledger, 12, &new), 10);
}

Test(lease, N7_a_lease_that_is_not_durable_does_not_count)
{
    struct era_announcement a = given_running(c, 11, "1.0.0");
    struct era_hash entry = given_entry(start(1), 0);
    struct era_item *item;

    a.lease = a.has_entry = true;
    a.entry = entry;
    p->epoch = 11;
    cr_assert_eq(offer(p, given_announce(c, "alice", &a), &item), ERA_ACCEPTED);
    cr_expect_eq(era_lease_stake(p->ledger, 11, &entry), 0);
    era_ledger_commit(p->ledger, item);
    cr_expect_eq(era_lease_stake(p->ledger, 11, &entry), 10);
}

Test(lease, R8_a_second_announcement_of_an_epoch_takes_nothing_away_and_adds_no_stake)
{
    struct era_hash entry = given_entry(start(1), 0);
    struct era_announcement other = given_running(c, 11, "1.0.0");

    leases("alice", 11, entry, 0);
    take(p, given_announce(c, "alice", &other));
    cr_expect_eq(era_lease_stake(p->ledger, 11, &entry), 10);
    other = given_running(c, 11, "1.0.1");
    other.lease = other.has_entry = true;
    other.entry = entry;
    leases("bob", 11, entry, 0);
    take(p, given_announce(c, "bob", &other));
    cr_expect_eq(era_lease_stake(p->ledger, 11, &entry), 20);
    announces("carol", 11);
    leases("carol", 11, entry, 0);
    cr_expect_eq(era_lease_stake(p->ledger, 11, &entry), 30, "the lease counts, first or second");
}

static struct era_bytes running(const char *software, bool lease, struct era_hash entry)
{
    struct era_announcement a = given_running(c, 11, software);
    a.lease = lease;
    a.has_entry = true;
    a.entry = entry;
    return given_announce(c, "alice", &a);
}

Test(lease, R8_a_lease_in_evidence_counts_whatever_came_loose)
{
    struct era_hash entry = given_entry(start(1), 0), another = {{1}};
    struct era_bytes e = given_evidence(running("1.0.1", false, another), running("1.0.2", true, entry));
    p->epoch = 11;
    cr_assert_eq(take(p, running("1.0.3", false, another)), ERA_ACCEPTED);
    cr_assert_eq(take(p, running("1.0.4", false, another)), ERA_ACCEPTED);
    cr_assert_eq(take(p, e), ERA_ACCEPTED);
    cr_expect_eq(era_lease_stake(p->ledger, 11, &entry), 10);
}

/* ---- one's own, kept ---- */

static struct era_hash entry_of(uint8_t n)
{
    struct era_hash h = {{n}};
    return h;
}

Test(lease, R16_one_entry_is_one_run)
{
    struct era_hash a = entry_of(1), b = entry_of(2);
    uint64_t last;

    cr_expect_not(era_leases_last(&own, &last));
    era_leases_add(&own, &a, 5);
    era_leases_add(&own, &a, 6);
    era_leases_add(&own, &b, 7);
    cr_expect_eq(own.count, 2);
    cr_expect_eq(own.runs[0].first, 5);
    cr_expect_eq(own.runs[0].last, 6);
    cr_expect_eq(own.runs[1].first, 7);
    cr_expect(era_leases_last(&own, &last));
    cr_expect_eq(last, 7);
}

Test(lease, runs_are_bounded_and_the_oldest_is_forgotten)
{
    for (uint8_t i = 0; i < 70; i++) {
        struct era_hash h = entry_of(i);
        era_leases_add(&own, &h, 100 + i);
    }
    cr_expect_eq(own.count, 64);
    cr_expect_eq(own.runs[0].first, 106);
    cr_expect_eq(own.runs[63].last, 169);
}

Test(lease, I12_the_record_gives_back_what_was_kept)
{
    struct era_leases back;
    uint8_t bytes[ERA_LEASES_BYTES_MAX];
    struct era_hash a = entry_of(1), b = entry_of(2);

    era_leases_add(&own, &a, 5);
    era_leases_add(&own, &a, 9);
    era_leases_add(&own, &b, ERA_EPOCH_MAX);
    size_t len = era_leases_encode(&own, bytes);
    cr_expect_eq(len, 96);
    cr_assert(era_leases_decode((struct era_bytes){bytes, len}, &back));
    cr_expect_eq(back.count, 2);
    cr_expect(era_hash_eq(&back.runs[0].entry, &a) && back.runs[0].first == 5 && back.runs[0].last == 9);
    cr_expect(era_hash_eq(&back.runs[1].entry, &b) && back.runs[1].last == ERA_EPOCH_MAX);
    cr_expect(era_leases_decode((struct era_bytes){NULL, 0}, &back));
    cr_expect_eq(back.count, 0);
}

Test(lease, a_record_that_is_none_is_refused)
{
    struct era_leases back;
    uint8_t good[ERA_LEASES_BYTES_MAX], bytes[ERA_LEASES_BYTES_MAX + 48];
    struct era_hash a = entry_of(1), b = entry_of(2);

    era_leases_add(&own, &a, 5);
    era_leases_add(&own, &b, 6);
    cr_assert_eq(era_leases_encode(&own, good), 96);
    cr_expect_not(era_leases_decode((struct era_bytes){good, 95}, &back), "cut");
    memset(bytes, 0, sizeof bytes);
    cr_expect_not(era_leases_decode((struct era_bytes){bytes, sizeof bytes}, &back), "too many");
    memcpy(bytes, good, 96);
    bytes[39] = 6;
    cr_expect_not(era_leases_decode((struct era_bytes){bytes, 96}, &back), "first above last");
    memcpy(bytes, good, 96);
    bytes[47] = 6;
    cr_expect_not(era_leases_decode((struct era_bytes){bytes, 96}, &back), "runs overlap");
    memcpy(bytes, good, 96);
    bytes[88] = 0x7f;
    cr_expect_not(era_leases_decode((struct era_bytes){bytes, 96}, &back), "no epoch");
    cr_expect_eq(back.count, 0);
}

/* ---- a vote never contradicts a lease (R4) ---- */

/* May alice, at epoch 10 with her leases, vote for this plan? */
static enum era_verdict vote_at(uint64_t epoch, const struct era_proposal *of)
{
    struct era_voter voter = {.key = given_key("alice").key,
                              .initial = &p->initial[given_component_index(c, "network")],
                              .epoch = epoch,
                              .leases = &own};
    take(p, given_approved(c, of, "s1", "s1 s2"));
    return era_vote_readiness(p->ledger, candidate(p, of), &voter, NULL);
}

Test(lease, R4_a_vote_never_contradicts_a_lease)
{
    struct era_proposal *one = given_breaking(start(1), 13, "2.0.0");
    struct era_hash old = given_entry(one, 0);

    cr_expect_eq(vote_at(10, one), ERA_ACCEPTED);
    era_leases_add(&own, &old, 12);
    cr_expect_eq(vote_at(10, one), ERA_ACCEPTED, "12 is still the old one's");
    era_leases_add(&own, &old, 13);
    cr_expect_eq(vote_at(10, one), ERA_LEASED);
    cr_expect_eq(vote_at(10, given_breaking(start(2), 14, "2.0.0")), ERA_ACCEPTED);
}

Test(lease, R4_inside_a_run_every_epoch_is_held_against_the_plan)
{
    struct era_hash old = given_entry(start(1), 0);

    era_leases_add(&own, &old, 8);
    era_leases_add(&own, &old, 20);
    cr_expect_eq(vote_at(10, given_breaking(start(1), 15, "2.0.0")), ERA_LEASED);
}

Test(lease, R4_what_the_head_gives_may_be_voted_whatever_was_leased)
{
    struct era_proposal *head = given_breaking(start(1), 9, "2.0.0");
    struct era_hash other = entry_of(7);

    adopt(head);
    era_leases_add(&own, &other, 10);
    cr_expect_eq(vote_at(10, given_soft(given_next(c, head, 2), 20, "2.1.0")), ERA_ACCEPTED,
                 "the plan was learned late, and gives at 10 what the head gives");
}

Test(lease, R4_an_entry_that_was_leased_cannot_be_dropped)
{
    struct era_proposal *head = given_breaking(start(1), 11, "2.0.0"), *drop;
    struct era_hash new = given_entry(head, 1);

    adopt(head);
    drop = given_drop(given_next(c, head, 2), new);
    cr_expect_eq(vote_at(10, drop), ERA_ACCEPTED);
    era_leases_add(&own, &new, 11);
    cr_expect_eq(vote_at(10, drop), ERA_LEASED);
}

Test(lease, R4_before_the_plans_first_entry_nothing_is_asked)
{
    struct era_proposal *head = given_breaking(start(1), 9, "2.0.0");
    struct era_hash other = entry_of(7);

    adopt(head);
    era_leases_add(&own, &other, 8);
    cr_expect_eq(vote_at(10, given_from(given_next(c, head, 2), 1)), ERA_ACCEPTED);
}

/* ---- ARMED ---- */

static bool armed_at(uint64_t epoch, const struct era_proposal *of)
{
    return era_vote_armed(p->ledger, candidate(p, of), epoch);
}

Test(lease, ARMED_past_its_deadline_with_readiness_above_W_minus_Q)
{
    struct era_proposal *one = given_breaking(start(1), 30, "2.0.0");

    one->expiry = 20;
    votes("alice", one);
    cr_expect_not(armed_at(21, one), "10 of 40 may be forgotten: 30 are a quorum");
    votes("bob", one);
    cr_expect_not(armed_at(20, one));
    cr_expect(armed_at(21, one), "20 are more than 40 - 27");
    adopt(given_soft(start(2), 25, "1.1.0"));
    cr_expect_null(candidate(p, one), "below the head nothing is armed");
}

Test(lease, ARMED_needs_the_plan)
{
    struct era_proposal *one = given_breaking(start(1), 30, "2.0.0");

    one->expiry = 20;
    take(p, given_ready(c, "alice", one));
    take(p, given_ready(c, "bob", one));
    cr_expect_not(armed_at(21, one));
    take(p, given_proposed(c, "s1", one));
    cr_expect(armed_at(21, one));
}
