/* What an older charter left open below the head of a newer one, and what the newer does not carry, is no
 * part of reconciliation: nodes hold different pieces of it for good, and would tell them to one another in
 * every round. It is held all the same (R6, R8, R9, R10). */
#include <criterion/criterion.h>

#include "tests/core/chain.h"

static struct peer *heir; /* of p, once next follows */

static struct era_bytes of_charter(void)
{
    return chain_certificate(given_closing(next));
}

static void begin(void)
{
    chain_begin();
    heir = chain_adopted(given_closing(next));
}

TestSuite(overtaken, .init = begin, .fini = peers_free);

static struct era_proposal *release(uint64_t seq, const char *version)
{
    return given_soft(given_proposal(old, "network", seq), 100, version);
}

static struct era_bytes approved(uint64_t seq)
{
    return given_approved(old, release(seq, "1.1.0"), "s1", "s1 s2");
}

/* Alice is ready for two releases of a slot. */
static struct era_bytes doubled(uint64_t seq)
{
    return given_evidence(given_ready(old, "alice", release(seq, "1.1.0")),
                          given_ready(old, "alice", release(seq, "1.2.0")));
}

static struct era_bytes certificate(uint64_t seq)
{
    return given_certificate(old, release(seq, "1.1.0"), "s1", "s1 s2", OLD, "");
}

/* Of slot 1 of next; two of them make it void. */
static struct era_bytes overtakes(const char *version)
{
    return given_certificate(next, given_soft(given_proposal(next, "network", 1), 100, version), "s2",
                             "s2 s3", "erin frank grace", "");
}

static void overtake(void)
{
    cr_assert_eq(take(heir, overtakes("1.3.0")), ERA_ACCEPTED);
}

/* ---- what a newer head overtook ---- */

Test(overtaken, R9_carriers_and_evidence_leave_reconciliation_with_the_words)
{
    take(p, approved(2));
    take(p, doubled(2));
    take(p, given_ready(old, "bob", release(2, "1.1.0")));
    cr_assert(offers(p, approved(2)) && offers(p, doubled(2)));
    changes(p);
    overtake();
    cr_expect_str_eq(changes(p), "withdraw readiness, withdraw approved, withdraw evidence");
}

Test(overtaken, R8_they_are_held_and_count_and_are_shown)
{
    const struct era_item *shown;
    take(p, approved(2));
    take(p, doubled(2));
    overtake();
    cr_expect(holds(p, approved(2)) && holds(p, doubled(2)));
    cr_expect_eq(candidate(p, release(2, "1.1.0"))->ready_stake, 10);
    cr_expect_eq(__builtin_popcountll(candidate(p, release(2, "1.1.0"))->approved_by), 2);
    cr_assert_eq(era_ledger_evidence(p->ledger, &shown, 1), 1);
    cr_expect_not(shown->past);
}

Test(overtaken, R9_what_comes_later_is_taken_and_not_offered)
{
    overtake();
    changes(p);
    cr_expect_eq(take(p, approved(2)), ERA_ACCEPTED);
    cr_expect_eq(take(p, doubled(2)), ERA_ACCEPTED);
    cr_expect_str_eq(changes(p), "approved 2, equivocation readiness");
    cr_expect(holds(p, approved(2)) && holds(p, doubled(2)));
}

Test(overtaken, R9_what_evidence_proves_of_lines_is_offered_still)
{
    struct era_announcement a = given_running(old, 10, "1.0.0"), b = given_running(old, 10, "1.1.0");
    struct era_bytes both =
        given_evidence(given_announce(old, "alice", &a), given_announce(old, "alice", &b));
    take(p, both);
    overtake();
    cr_expect(offers(p, both));
}

/* ---- equal sets, whatever was held before ---- */

static struct peer *another(struct peer **its_heir)
{
    struct peer *q = given_peer(old);
    q->epoch = 10;
    cr_assert_eq(take(q, of_charter()), ERA_ACCEPTED);
    *its_heir = given_heir(q, next);
    return q;
}

/* One holds the certificate of slot 2 of old, which the other never asks for again; both then hear of slots
 * 1, 2 and 3, before and after next adopts. */
static void hear(struct peer *of, struct peer *on, bool adopted, unsigned order)
{
    struct era_bytes said[4] = {approved(1), doubled(2), approved(3), doubled(3)};
    if (adopted)
        take(of, certificate(2));
    for (unsigned i = 0; i <= 4; i++) {
        if (i == order % 5)
            cr_assert_eq(take(on, overtakes("1.3.0")), ERA_ACCEPTED);
        if (i < 4)
            take(of, said[(i + order) % 4]);
    }
}

Test(overtaken, R6_all_end_with_equal_sets_in_every_order)
{
    for (unsigned i = 0; i < 5; i++)
        for (unsigned k = 0; k < 5; k++) {
            struct peer *on[2], *of[2];
            for (unsigned n = 0; n < 2; n++) {
                of[n] = another(&on[n]);
                hear(of[n], on[n], n == 0, n == 0 ? i : k);
            }
            cr_expect_lt(rounds_to_agree(of[0], of[1]), 10, "orders %u and %u", i, k);
            for (unsigned n = 0; n < 2; n++) {
                peer_free(on[n]);
                peer_free(of[n]);
            }
        }
}

/* ---- until that head is void ---- */

Test(overtaken, R12_a_void_head_gives_them_back_and_the_next_takes_them_again)
{
    take(p, approved(2));
    take(p, doubled(2));
    overtake();
    cr_assert_eq(take(heir, overtakes("1.4.0")), ERA_ACCEPTED);
    cr_expect(offers(p, approved(2)) && offers(p, doubled(2)));
    cr_assert_eq(
        take(heir, given_certificate(next, given_soft(given_proposal(next, "network", 2), 100, "1.5.0"), "s2",
                                     "s2 s3", "erin frank grace", "")),
        ERA_ACCEPTED);
    cr_expect(!offers(p, approved(2)) && !offers(p, doubled(2)));
}

/* The third is held by an approval, and is not among the two that are offered (R6). */
Test(overtaken, R6_what_was_not_offered_before_is_not_given_back)
{
    static const char *const versions[] = {"1.1.0", "1.2.0", "1.3.0"};
    struct era_bytes all[3];
    size_t before = 0, after = 0;
    for (size_t i = 0; i < 3; i++) {
        take(p, given_approve(old, "s1", release(2, versions[i])));
        all[i] = given_approved(old, release(2, versions[i]), "s1", "s1 s2");
        take(p, all[i]);
    }
    for (size_t i = 0; i < 3; i++)
        before += offers(p, all[i]);
    cr_assert_eq(before, 2);
    overtake();
    cr_assert_eq(take(heir, overtakes("1.4.0")), ERA_ACCEPTED);
    for (size_t i = 0; i < 3; i++)
        after += offers(p, all[i]);
    cr_expect_eq(after, 2);
}

/* ---- a start ---- */

Test(overtaken, R9_a_start_offers_none_of_it)
{
    struct peer *q = given_peer(old);
    q->epoch = 10;
    cr_assert_eq(restore(q, of_charter()), ERA_ACCEPTED);
    struct peer *on = given_heir(q, next);
    cr_assert_eq(restore(q, approved(2)), ERA_ACCEPTED);
    cr_assert_eq(restore(on, overtakes("1.3.0")), ERA_ACCEPTED);
    cr_assert_eq(restore(q, approved(3)), ERA_ACCEPTED);
    era_ledger_start(q->ledger, 10);
    cr_assert_eq(restore(q, doubled(2)), ERA_ACCEPTED);
    era_ledger_complete(q->ledger);
    cr_expect(holds(q, approved(2)) && holds(q, approved(3)) && holds(q, doubled(2)));
    cr_expect(!offers(q, approved(2)) && !offers(q, approved(3)) && !offers(q, doubled(2)));
}

/* ---- what is not carried ---- */

/* Who knew it before the charter holds it; who comes later refuses it. */
Test(overtaken, R10_what_lies_above_the_carried_slots_is_offered_no_more)
{
    struct peer *q = given_peer(old), *late;
    q->epoch = 10;
    struct era_bytes word = given_ready(old, "bob", release(CARRIED + 1, "1.1.0"));
    cr_assert_eq(take(q, approved(CARRIED + 1)), ERA_ACCEPTED);
    cr_assert_eq(take(q, doubled(CARRIED + 1)), ERA_ACCEPTED);
    cr_assert_eq(take(q, word), ERA_ACCEPTED);
    cr_assert_eq(take(q, approved(CARRIED)), ERA_ACCEPTED);
    take(q, of_charter());
    cr_assert(offers(q, approved(CARRIED + 1)) && offers(q, doubled(CARRIED + 1)) && offers(q, word));
    given_heir(q, next);
    cr_expect(!offers(q, approved(CARRIED + 1)) && !offers(q, doubled(CARRIED + 1)) && !offers(q, word));
    cr_expect(offers(q, approved(CARRIED)), "that is carried");
    cr_expect_eq(rounds_to_agree(q, another(&late)), 1);
}
