/* What is said of the charter that follows, in whatever order it comes, from peers and from the disk (R6, R8,
 * R10). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/succession.h"
#include "tests/core/chain.h"

static struct era_charter *rival;

static void begin(void)
{
    chain_begin();
    rival = given_rival_charter(next);
}

TestSuite(succession_order, .init = begin, .fini = peers_free);

static struct peer *another(void)
{
    struct peer *q = given_peer(old);
    q->epoch = 10;
    return q;
}

static const struct era_successor *about(struct peer *q, const struct era_charter *of)
{
    return era_ledger_successor(q->ledger, &of->hash);
}

static bool closed(struct peer *q, const char *who)
{
    struct era_key key = given_key(who).key;
    return era_succession_own_close(q->ledger, &key) != NULL;
}

/* ---- evidence before the charter that it is about ---- */

static struct era_bytes closes_of(const char *who)
{
    return given_evidence(given_close(next, who, given_last(given_closing(next), 30)),
                          given_close(next, who, given_last(given_closing(next), 5)));
}

static struct era_bytes certificate_with_late_closes(void)
{
    return chain_certificate(given_last(given_closing(next), 30));
}

Test(succession_order, R8_evidence_of_closes_counts_before_and_after_the_certificate)
{
    struct peer *q = another();
    cr_assert_eq(take(p, certificate_with_late_closes()), ERA_ACCEPTED);
    cr_expect_eq(about(p, next)->counts_from, 31);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(take(p, closes_of((const char *[]){"alice", "bob", "carol"}[i])), ERA_ACCEPTED);
    cr_expect_eq(about(p, next)->counts_from, E);

    for (int i = 0; i < 3; i++)
        cr_expect_eq(take(q, closes_of((const char *[]){"alice", "bob", "carol"}[i])), ERA_ACCEPTED);
    cr_assert_eq(take(q, certificate_with_late_closes()), ERA_ACCEPTED);
    cr_expect_eq(about(q, next)->counts_from, E);
}

Test(succession_order, R8_evidence_of_approvals_counts_before_and_after_the_charter)
{
    struct era_bytes e =
        given_evidence(given_charter_approve(next, "s1"), given_charter_approve(rival, "s1"));
    struct peer *q = another();
    take(p, given_charter_statement(next, "s1"));
    cr_expect_eq(take(p, e), ERA_ACCEPTED);
    cr_expect_eq(about(p, next)->old_approved_by, 1u << given_signer_index(old, "network", "s1"));

    cr_expect_eq(take(q, e), ERA_ACCEPTED);
    take(q, given_charter_statement(next, "s1"));
    cr_expect_eq(about(q, next)->old_approved_by, 1u << given_signer_index(old, "network", "s1"));
}

Test(succession_order, I14_a_start_counts_of_evidence_what_counted_before)
{
    struct era_bytes e = given_evidence(given_close(next, "alice", NULL), given_close(rival, "alice", NULL));
    struct peer *q = another();
    cr_expect_eq(take(p, e), ERA_ACCEPTED);
    cr_expect(!closed(p, "alice"));
    take(p, given_charter_statement(next, "s1"));
    cr_expect(closed(p, "alice"), "it binds its key");
    cr_expect_eq(about(p, next)->close_stake, 10);
    restore(q, given_charter_statement(next, "s1"));
    restore(q, e);
    cr_expect_eq(about(q, next)->close_stake, 10);
}

Test(succession_order, R8_evidence_of_closes_outlives_a_loose_one_that_the_store_lost)
{
    struct era_charter *third = given_rival_charter(rival);
    struct era_item *lost;
    take(p, given_charter_statement(third, "s1"));
    cr_assert_eq(offer(p, given_close(third, "alice", NULL), &lost), ERA_ACCEPTED);
    struct era_bytes e = given_evidence(given_close(next, "alice", NULL), given_close(rival, "alice", NULL));
    cr_expect_eq(take(p, e), ERA_ACCEPTED);
    era_ledger_abandon(p->ledger, lost);
    take(p, given_charter_statement(next, "s2"));
    cr_expect(offers(p, e));
    cr_expect_eq(about(p, next)->close_stake, 10);
}

/* ---- rivals ---- */

Test(succession_order, R13_who_proposes_many_charters_uses_up_no_accepts)
{
    struct era_charter *third = given_rival_charter(rival);
    take(p, given_charter_statement(rival, "s1"));
    take(p, given_charter_statement(third, "s1"));
    take(p, given_charter_statement(next, "s2"));
    cr_expect_eq(take(p, given_accept(rival, "erin")), ERA_ACCEPTED);
    cr_expect_eq(take(p, given_accept(third, "erin")), ERA_ACCEPTED);
    cr_expect_eq(take(p, given_accept(next, "erin")), ERA_ACCEPTED);
    cr_expect_eq(take(p, given_accept(next, "erin")), ERA_DUPLICATE);
    cr_expect_eq(about(p, next)->accept_stake, 10);
}

Test(succession_order, R6_of_the_rival_of_an_adopted_charter_nothing_is_offered)
{
    struct era_bytes close = given_close(rival, "dave", NULL);
    take(p, given_charter_statement(rival, "s1"));
    cr_assert_eq(take(p, close), ERA_ACCEPTED);
    cr_expect(offers(p, close));
    chain_adopted(NULL);
    cr_expect(!offers(p, close) && !offers(p, given_charter_statement(rival, "s1")));
    cr_expect_eq(take(p, given_close(rival, "carol", NULL)), ERA_ACCEPTED);
    cr_expect(!offers(p, given_close(rival, "carol", NULL)));
    cr_expect_eq(take(p, given_close(next, "dave", NULL)), ERA_ACCEPTED, "the key said two things");
    cr_assert_eq(take(p, given_charter_certificate(rival, "s1 s2", "s2 s3", "erin frank grace", CLOSERS)),
                 ERA_ACCEPTED);
    cr_expect(offers(p, given_close(rival, "carol", NULL)), "it is adopted too (R12)");
    cr_expect(!offers(p, close));
}

Test(succession_order, R10_a_close_for_a_rival_binds_after_a_start_too)
{
    struct era_key dave = given_key("dave").key;
    take(p, given_charter_statement(rival, "s1"));
    take(p, given_charter_statement(next, "s1"));
    take(p, given_close(rival, "dave", NULL));
    changes(p);
    chain_adopted(NULL);
    cr_expect(holds(p, given_charter_statement(rival, "s1")));
    cr_expect(!holds(p, given_charter_statement(next, "s1")));

    struct peer *q = another();
    restore(q, chain_certificate(NULL));
    cr_expect_eq(restore(q, given_charter_statement(rival, "s1")), ERA_ACCEPTED);
    cr_expect_eq(restore(q, given_charter_statement(next, "s1")), ERA_DOMINATED);
    cr_expect_eq(restore(q, given_close(rival, "dave", NULL)), ERA_ACCEPTED);
    cr_expect(closed(q, "dave") && era_succession_bars_lease(q->ledger, &dave, E));
    cr_expect(!offers(q, given_close(rival, "dave", NULL)));
    cr_expect_eq(take(another(), given_charter_statement(rival, "s1")), ERA_ACCEPTED);
    cr_expect_eq(take(p, given_charter_statement(rival, "s2")), ERA_DOMINATED);
}

/* ---- the size of a certificate ---- */

/* The first `bad` name as many slots as they may, each others, and weigh this much; the others one. */
static size_t certified(int bad, int stake, int others)
{
    static char many[65536];
    many[0] = '\0';
    for (int i = 0; i < bad + others; i++)
        snprintf(many + strlen(many), 24, "%sv%d:%d", i ? " " : "", i, i < bad ? stake : 1);
    old = given_charter(many, "network k=2 signers=s1,s2");
    next = given_next_charter(old, "erin:10", "network k=2 signers=s1,s2", E, UINT64_C(1) << 40);
    p = given_peer(old);
    take(p, given_charter_statement(next, "s1"));
    take(p, given_accept(next, "erin"));
    take(p, given_charter_approve(next, "s1"));
    take(p, given_charter_approve(next, "s2"));
    for (int i = 0; i < bad + others; i++) {
        char who[8];
        struct era_close *words = given_closing(next);
        for (uint64_t seq = 1; i < bad && seq <= ERA_CLOSE_SLOTS_MAX; seq++)
            given_named(words, "network", (UINT64_C(1) << 39) + seq + (uint64_t)i * 100, next->hash);
        snprintf(who, sizeof who, "v%d", i);
        cr_assert_eq(take(p, given_close(next, who, words)), ERA_ACCEPTED);
    }
    return assemble(p);
}

Test(succession_order, R10_large_closes_of_less_than_a_third_do_not_outgrow_the_certificate)
{
    cr_expect_eq(certified(383, 1, 767), 1);
}

Test(succession_order, R10_nor_those_of_the_heaviest_keys)
{
    cr_expect_eq(certified(300, 2, 1300), 1);
}
