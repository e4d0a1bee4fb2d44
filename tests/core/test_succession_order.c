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
    return era_succession_own_close(q->ledger, &key, NULL) != NULL;
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
