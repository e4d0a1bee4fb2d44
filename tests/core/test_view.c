#include <criterion/criterion.h>
#include <string.h>

#include "src/core/view.h"
#include "tests/core/peer.h"

#define ALL "alice bob carol dave"

static struct era_charter *c;
static struct peer *p;

static void begin(void)
{
    c = given_charter("alice:10 bob:10 carol:10 dave:10",
                      "network k=2 signers=s1,s2,s3; oracle k=1 signers=s9");
    p = given_peer(c);
}

TestSuite(view, .init = begin, .fini = peers_free);

static struct era_proposal *breaking(uint64_t seq, const char *version)
{
    return given_breaking(given_proposal(c, "network", seq), 10, version);
}

static struct era_bytes certificate(const struct era_proposal *of)
{
    return given_certificate(c, of, "s1", "s1 s2", ALL, "");
}

/* Hex of the view digest of a fresh peer that takes these in turn. */
static struct era_hash digest_after(size_t n, const struct era_bytes *envelopes)
{
    struct peer *q = given_peer(c);
    for (size_t i = 0; i < n; i++)
        take(q, envelopes[i]);
    struct era_hash h = era_view_digest(q->ledger);
    peer_free(q);
    return h;
}

static bool same_digest(const struct era_bytes *a, size_t n, const struct era_bytes *b, size_t m)
{
    struct era_hash x = digest_after(n, a), y = digest_after(m, b);
    return era_hash_eq(&x, &y);
}

static struct era_view network_at(uint64_t epoch)
{
    struct era_view v;
    int i = given_component_index(c, "network");
    era_view_at(p->ledger, &p->initial[i], i, epoch, &v);
    return v;
}

/* ---- R7 ---- */

Test(view, R7_before_any_adoption_the_initial_record_is_in_force)
{
    cr_expect_str_eq(in_force(p, "network", 0), "1.0.0");
    cr_expect_str_eq(in_force(p, "network", ERA_EPOCH_MAX), "1.0.0");
    struct era_view v = network_at(5);
    cr_expect_null(v.head);
    cr_expect_not(v.head_ref.some);
}

Test(view, M4_all_switch_at_the_epoch_and_not_on_receipt)
{
    take(p, certificate(breaking(1, "2.0.0")));
    cr_expect_str_eq(in_force(p, "network", 9), "1.0.0");
    cr_expect_str_eq(in_force(p, "network", 10), "2.0.0");
    cr_expect_str_eq(in_force(p, "oracle", 10), "1.0.0", "another component");
}

Test(view, R7_the_newest_adopted_plan_is_the_whole_truth)
{
    struct era_proposal *first = breaking(1, "2.0.0");
    struct era_proposal *second = given_next(c, first, 2);

    given_drop(second, given_entry(first, 1));
    take(p, certificate(first));
    take(p, certificate(second));
    cr_expect_str_eq(in_force(p, "network", 10), "1.0.0", "the entry was dropped");
    cr_expect_eq(network_at(10).head->seq, 2);
}

Test(view, R7_slots_and_not_epochs_decide)
{
    take(p, certificate(given_breaking(given_proposal(c, "network", 1), 50, "2.0.0")));
    take(p, certificate(given_breaking(given_proposal(c, "network", 2), 20, "3.0.0")));
    cr_expect_str_eq(in_force(p, "network", 60), "3.0.0");
}

Test(view, R7_a_slot_may_be_skipped)
{
    take(p, certificate(breaking(9, "2.0.0")));
    cr_expect_eq(network_at(0).head_ref.seq, 9);
    cr_expect(network_at(0).head_ref.some);
}

Test(view, R7_below_the_first_entry_there_is_none)
{
    struct era_proposal *head = breaking(1, "2.0.0"), *later = given_from(given_next(c, head, 2), 1);

    take(p, certificate(head));
    take(p, certificate(later));
    cr_expect_str_eq(in_force(p, "network", 9), "none");
    cr_expect_str_eq(in_force(p, "network", 10), "2.0.0");
}

/* ---- R12 ---- */

Test(view, R12_a_slot_with_two_adopted_ids_is_void)
{
    take(p, certificate(breaking(1, "2.0.0")));
    take(p, certificate(breaking(3, "3.0.0")));
    cr_expect_not(network_at(10).forked);
    take(p, certificate(breaking(3, "4.0.0")));
    struct era_view v = network_at(10);
    cr_expect(v.forked);
    cr_expect_eq(v.void_seq, 3);
    cr_expect_eq(v.current, -1);
    cr_expect_null(era_view_entry(&v));
    cr_assert_eq(v.last, 1);
    cr_expect_str_eq(v.plan->entries[v.last].record.version, "2.0.0", "the last undisputed record is shown");
}

Test(view, R12_both_proofs_are_gossiped_and_the_head_below)
{
    struct era_bytes below = certificate(breaking(1, "2.0.0"));
    struct era_bytes a = certificate(breaking(3, "3.0.0")), b = certificate(breaking(3, "4.0.0"));

    take(p, below);
    take(p, a);
    cr_expect_not(offers(p, below));
    take(p, b);
    cr_expect(offers(p, a) && offers(p, b) && offers(p, below));
}

Test(view, R12_without_a_head_below_the_initial_record_is_shown)
{
    take(p, certificate(breaking(3, "3.0.0")));
    take(p, certificate(breaking(3, "4.0.0")));
    struct era_view v = network_at(10);
    cr_expect(v.forked);
    cr_expect_null(v.head);
    cr_expect_str_eq(v.plan->entries[v.last].record.version, "1.0.0");
}

Test(view, R12_a_higher_adopted_slot_ends_it)
{
    take(p, certificate(breaking(3, "3.0.0")));
    take(p, certificate(breaking(3, "4.0.0")));
    take(p, certificate(breaking(4, "5.0.0")));
    cr_expect_not(network_at(10).forked);
    cr_expect_str_eq(in_force(p, "network", 10), "5.0.0");
}

Test(view, R12_a_void_slot_below_the_head_stays_without_effect)
{
    take(p, certificate(breaking(4, "5.0.0")));
    cr_expect_eq(take(p, certificate(breaking(3, "3.0.0"))), ERA_DOMINATED);
    cr_expect_not(network_at(10).forked);
}

/* Both came in one batch: the first that lands must not throw the other away. */
Test(view, R12_rivals_in_flight_together_void_their_slot)
{
    struct era_item *a, *b;

    cr_assert_eq(offer(p, certificate(breaking(3, "3.0.0")), &a), ERA_ACCEPTED);
    cr_assert_eq(offer(p, certificate(breaking(3, "4.0.0")), &b), ERA_ACCEPTED);
    era_ledger_commit(p->ledger, a);
    era_ledger_commit(p->ledger, b);
    cr_expect(network_at(10).forked);
    cr_expect_eq(era_ledger_count(p->ledger), 2);
}

Test(view, R12_what_lies_below_a_void_slot_in_flight_becomes_the_head)
{
    struct era_item *low, *a, *b;

    cr_assert_eq(offer(p, certificate(breaking(2, "2.0.0")), &low), ERA_ACCEPTED);
    cr_assert_eq(offer(p, certificate(breaking(3, "3.0.0")), &a), ERA_ACCEPTED);
    cr_assert_eq(offer(p, certificate(breaking(3, "4.0.0")), &b), ERA_ACCEPTED);
    era_ledger_commit(p->ledger, a);
    era_ledger_commit(p->ledger, b);
    era_ledger_commit(p->ledger, low);
    cr_expect(network_at(10).forked);
    cr_expect_eq(head_seq(p, "network"), 2);
}

Test(view, R7_what_was_overtaken_in_flight_stays_below)
{
    struct era_item *low;

    cr_assert_eq(offer(p, certificate(breaking(2, "2.0.0")), &low), ERA_ACCEPTED);
    take(p, certificate(breaking(3, "3.0.0")));
    changes(p);
    era_ledger_commit(p->ledger, low);
    cr_expect_str_eq(changes(p), "delete certificate");
    cr_expect_eq(head_seq(p, "network"), 3);
}

/* ---- N3: the digest ---- */

Test(view, N3_the_digest_knows_heads_and_void_marks)
{
    struct era_bytes a = certificate(breaking(3, "3.0.0")), b = certificate(breaking(3, "4.0.0"));
    struct era_bytes low = certificate(breaking(2, "2.0.0"));
    struct era_bytes oracle =
        given_certificate(c, given_soft(given_proposal(c, "oracle", 1), 10, "1.1.0"), "s9", "s9", ALL, "");

    cr_expect_not(same_digest(NULL, 0, &a, 1));
    cr_expect_not(same_digest(&a, 1, &b, 1));
    cr_expect_not(same_digest(&a, 1, &oracle, 1));
    cr_expect_not(same_digest(&a, 1, (struct era_bytes[]){a, b}, 2), "void");
    cr_expect_not(same_digest(NULL, 0, (struct era_bytes[]){a, b}, 2), "void, and no head below");
    cr_expect_not(same_digest((struct era_bytes[]){a, b}, 2, (struct era_bytes[]){low, a, b}, 3));
    cr_expect(same_digest((struct era_bytes[]){a, b}, 2, (struct era_bytes[]){b, a}, 2));
}

Test(view, N3_history_is_outside_the_digest)
{
    struct era_bytes one = certificate(breaking(1, "2.0.0")), two = certificate(breaking(2, "3.0.0"));
    struct era_bytes rival = certificate(breaking(1, "9.0.0"));

    cr_expect(same_digest((struct era_bytes[]){one, two}, 2, &two, 1));
    cr_expect(same_digest((struct era_bytes[]){one, rival, two}, 3, &two, 1), "a void slot below the head");
}

Test(view, N3_certificate_bytes_are_outside_the_digest)
{
    struct era_proposal *b = breaking(1, "2.0.0");
    struct era_bytes all = given_certificate(c, b, "s1", "s1 s2 s3", ALL, "");
    struct era_bytes few = given_certificate(c, b, "s2", "s2 s3", "bob carol dave", "");

    cr_expect(same_digest(&all, 1, &few, 1));
}

Test(view, N3_votes_in_progress_and_epochs_are_outside_the_digest)
{
    struct era_proposal *b = breaking(1, "2.0.0");
    struct era_hash empty = era_view_digest(p->ledger), later;

    take(p, given_proposed(c, "s1", b));
    take(p, given_ready(c, "alice", b));
    take(p, given_approved(c, b, "s1", "s1 s2"));
    p->epoch = 1000;
    later = era_view_digest(p->ledger);
    cr_expect(era_hash_eq(&empty, &later));
}

/* Only two of the three fit: nodes that hold different pairs must still agree that the slot is void. */
Test(view, N3_of_three_rivals_any_two_give_one_digest)
{
    struct era_bytes a = certificate(breaking(3, "3.0.0")), b = certificate(breaking(3, "4.0.0"));
    struct era_bytes d = certificate(breaking(3, "5.0.0"));

    cr_expect(same_digest((struct era_bytes[]){a, b, d}, 3, (struct era_bytes[]){d, b, a}, 3));
}

Test(view, N3_the_digest_is_of_one_charter)
{
    struct era_charter *other = given_charter("alice:10 bob:10 carol:10 dave:10",
                                              "network k=2 signers=s1,s2,s3 notice=3; oracle k=1 signers=s9");
    struct era_hash a = era_view_digest(p->ledger), b = era_view_digest(given_peer(other)->ledger);

    cr_expect_not(era_hash_eq(&a, &b));
}

/* ---- M1: support ---- */

Test(view, M1_every_range_that_is_required_must_hold)
{
    struct era_record r;
    struct era_versions v;
    int kind = -1;

    memset(&r, 0, sizeof r);
    memset(&v, 0, sizeof v);
    cr_expect(era_record_supported(&r, &v, &kind), "nothing is asked");
    strcpy(r.requires.v[ERA_VERSION_SOFTWARE], ">=2.0.0");
    strcpy(r.requires.v[ERA_VERSION_DATABASE], "^7.0.0");
    cr_expect_not(era_record_supported(&r, &v, &kind), "an unknown version satisfies none");
    cr_expect_eq(kind, ERA_VERSION_SOFTWARE);
    strcpy(v.v[ERA_VERSION_SOFTWARE], "2.0.0");
    strcpy(v.v[ERA_VERSION_DATABASE], "8.0.0");
    cr_expect_not(era_record_supported(&r, &v, &kind));
    cr_expect_eq(kind, ERA_VERSION_DATABASE);
    strcpy(v.v[ERA_VERSION_DATABASE], "7.3.1");
    cr_expect(era_record_supported(&r, &v, NULL));
    strcpy(v.v[ERA_VERSION_SOFTWARE], "two");
    cr_expect_not(era_record_supported(&r, &v, NULL), "no version at all");
}
