/* Which of the charters that signers propose are kept: the same ones everywhere, whatever came first (R6,
 * R8). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/prng.h"
#include "src/core/succession.h"
#include "tests/core/chain.h"

#define RIVALS 24

static struct era_charter *rivals[RIVALS]; /* s1 proposes each; ascending by the ids of what it says */
static struct peer *q;

static struct era_bytes said(size_t at)
{
    return given_charter_statement(rivals[at], "s1");
}

static int by_id(const void *a, const void *b)
{
    struct era_hash x = name_of(p, given_charter_statement(*(struct era_charter *const *)a, "s1")),
                    y = name_of(p, given_charter_statement(*(struct era_charter *const *)b, "s1"));
    return era_hash_cmp(&x, &y);
}

static void begin(void)
{
    chain_begin();
    q = given_peer(old);
    q->epoch = 10;
    rivals[0] = given_rival_charter(next);
    for (size_t i = 1; i < RIVALS; i++)
        rivals[i] = given_rival_charter(rivals[i - 1]);
    qsort(rivals, RIVALS, sizeof rivals[0], by_id);
}

TestSuite(proposed, .init = begin, .fini = peers_free);

/* ---- the rule ---- */

static struct peer *fresh(void)
{
    struct peer *made = given_peer(old);
    made->epoch = 10;
    return made;
}

Test(proposed, R6_three_charters_of_one_signer_end_equal_in_every_order)
{
    expect_two_lowest_in_every_order(fresh, said);
}

static bool knows(struct peer *of, size_t at)
{
    return era_ledger_successor(of->ledger, &rivals[at]->hash) != NULL;
}

Test(proposed, R6_of_one_signer_the_two_lowest_ids_are_kept)
{
    cr_expect_eq(take(p, said(5)), ERA_ACCEPTED);
    cr_expect_eq(take(p, said(3)), ERA_ACCEPTED);
    cr_expect_eq(take(p, said(7)), ERA_CAPPED);
    changes(p);
    cr_expect_eq(take(p, said(4)), ERA_ACCEPTED);
    cr_expect_str_eq(changes(p), "withdraw charter, delete charter, offer charter");
    cr_expect(offers(p, said(3)) && offers(p, said(4)) && !holds(p, said(5)) && !knows(p, 5));
    cr_expect_eq(take(p, said(5)), ERA_CAPPED);
    cr_expect_eq(take(p, given_charter_statement(rivals[5], "s2")), ERA_ACCEPTED, "in a place of its own");
}

Test(proposed, R6_who_proposes_ever_lower_ids_is_heard_so_often_an_epoch)
{
    size_t taken = 0;
    for (size_t i = RIVALS; i-- > 0;)
        taken += take(p, said(i)) == ERA_ACCEPTED;
    cr_expect_eq(taken, 2 + 8);
    cr_expect_eq(era_ledger_count(p->ledger), 2);
    cr_expect_eq(take(p, given_charter_statement(rivals[0], "s2")), ERA_ACCEPTED, "that costs nobody else");
    p->epoch++;
    cr_expect_eq(take(p, said(0)), ERA_ACCEPTED);
    cr_expect_eq(take(p, said(1)), ERA_ACCEPTED);
    cr_expect(offers(p, said(0)) && offers(p, said(1)));
    cr_expect_eq(era_ledger_count(p->ledger), 3);
}

Test(proposed, R6_what_nobody_approves_goes_with_all_that_was_said_of_it)
{
    take(p, said(8));
    take(p, given_accept(rivals[8], "erin"));
    take(p, given_close(rivals[8], "alice", NULL));
    take(p, given_charter_approve(rivals[8], "s3"));
    take(p, said(2));
    changes(p);
    take(p, said(1));
    cr_expect_str_eq(changes(p), "withdraw charter-approve, delete charter-approve, withdraw close, "
                                 "delete close, withdraw accept, delete accept, withdraw charter, "
                                 "delete charter, offer charter");
    cr_expect_eq(era_ledger_count(p->ledger), 2);
    cr_expect_eq(take(p, given_close(rivals[1], "alice", NULL)), ERA_ACCEPTED);
    cr_expect(offers(p, given_close(rivals[1], "alice", NULL)), "it is no second one");
}

Test(proposed, R6_what_another_signer_proposes_too_stays)
{
    take(p, said(8));
    take(p, given_charter_statement(rivals[8], "s2"));
    take(p, given_accept(rivals[8], "erin"));
    take(p, said(2));
    take(p, said(1));
    cr_expect(!holds(p, said(8)) && offers(p, given_charter_statement(rivals[8], "s2")));
    cr_expect(offers(p, given_accept(rivals[8], "erin")));
    cr_expect_eq(era_ledger_successor(p->ledger, &rivals[8]->hash)->accept_stake, 10);
}

Test(proposed, R8_an_approved_charter_is_displaced_by_none_and_reaches_all)
{
    take(p, said(9));
    take(p, given_accept(rivals[9], "erin"));
    take(p, given_charter_approve(rivals[9], "s2"));
    for (size_t i = 0; i < 3; i++) {
        take(p, said(i));
        take(q, said(i));
    }
    cr_expect(offers(p, said(9)) && offers(p, given_accept(rivals[9], "erin")));
    cr_expect_eq(take(q, said(9)), ERA_CAPPED);
    cr_expect_lt(rounds_to_agree(p, q), 10);
    const struct era_successor *at_q = era_ledger_successor(q->ledger, &rivals[9]->hash);
    cr_assert_not_null(at_q);
    cr_expect(offers(q, said(9)));
    cr_expect_eq(at_q->accept_stake, 10);
    cr_expect_eq(at_q->old_approved_by, 1u << given_signer_index(old, "network", "s2"));
    cr_expect_eq(at_q->new_approved_by, 1u << given_signer_index(next, "network", "s2"), "he is both");
}

Test(proposed, R8_who_approves_several_saves_none_from_leaving_and_all_of_it_counts)
{
    struct era_bytes approve = given_charter_approve(rivals[9], "s1");
    take(p, said(9));
    take(p, approve);
    take(p, said(0));
    take(p, said(1));
    take(q, said(8));
    take(q, given_charter_approve(rivals[8], "s1"));
    take(q, said(0));
    take(q, said(1));
    cr_expect(offers(p, said(9)) && offers(q, said(8)));
    cr_expect_lt(rounds_to_agree(p, q), 10);
    cr_expect(!offers(p, said(9)) && !offers(p, said(8)) && !offers(q, said(9)) && !offers(q, said(8)));
    cr_expect(holds(p, said(9)) && holds(p, approve));
    cr_expect_neq(era_ledger_successor(p->ledger, &rivals[9]->hash)->old_approved_by, 0);
}

/* Each names a signer of its own, who has approved others too. */
static struct era_charter *naming(const char *who)
{
    char components[64];
    snprintf(components, sizeof components, "network k=2 signers=s2,%s", who);
    return given_next_charter(old, "erin:10 frank:10 grace:10 heidi:10", components, E, CARRIED);
}

static int descending_by_id(const void *a, const void *b)
{
    return -by_id(a, b);
}

static struct era_bytes two_words_on(const struct era_charter *c, const char *who)
{
    return given_evidence(given_charter_approve(c, who), given_charter_approve(next, who));
}

Test(proposed, R1_evidence_against_whom_no_charter_names_any_more_takes_no_room)
{
    struct era_charter *named[RIVALS];
    for (int i = 0; i < RIVALS; i++) {
        char who[8];
        snprintf(who, sizeof who, "x%d", i);
        named[i] = naming(who);
    }
    qsort(named, RIVALS, sizeof named[0], descending_by_id);
    for (int i = 0; i < RIVALS; i++) {
        const struct era_component *network = &named[i]->components[0];
        const char *who = network->signers[network->signers[0].name[0] != 'x'].name;
        p->epoch++;
        cr_assert_eq(take(p, given_charter_statement(named[i], "s1")), ERA_ACCEPTED);
        cr_assert_eq(take(p, two_words_on(named[i], who)), ERA_ACCEPTED);
        cr_expect(offers(p, two_words_on(named[i], who)));
    }
    changes(p);
    cr_expect_eq(era_ledger_evidence(p->ledger, NULL, 0), 2);
    cr_expect_eq(era_ledger_count(p->ledger), 2 + 2 + 2, "charters, what is proven, and how it counts");
}

/* ---- in flight ---- */

Test(proposed, R6_one_on_its_way_to_the_disk_displaces_nothing_yet)
{
    struct era_item *lower;
    take(p, said(5));
    take(p, said(6));
    cr_assert_eq(offer(p, said(1), &lower), ERA_ACCEPTED);
    cr_expect(offers(p, said(5)) && offers(p, said(6)));
    era_ledger_abandon(p->ledger, lower);
    cr_expect(offers(p, said(5)) && offers(p, said(6)));
    cr_assert_eq(offer(p, said(1), &lower), ERA_ACCEPTED);
    take(p, said(0));
    cr_expect(!holds(p, said(6)) && offers(p, said(5)));
    era_ledger_commit(p->ledger, lower);
    cr_expect(offers(p, said(0)) && offers(p, said(1)) && !holds(p, said(5)));
}

Test(proposed, R6_one_overtaken_on_its_way_to_the_disk_goes)
{
    struct era_item *high;
    take(p, said(5));
    cr_assert_eq(offer(p, said(6), &high), ERA_ACCEPTED);
    take(p, said(1));
    changes(p);
    era_ledger_commit(p->ledger, high);
    cr_expect_str_eq(changes(p), "delete charter");
    cr_expect_eq(era_ledger_count(p->ledger), 2);
}

Test(proposed, R1_words_on_their_way_to_the_disk_go_with_their_charter)
{
    struct era_item *accept, *close, *approve;
    take(p, said(9));
    cr_assert_eq(offer(p, given_accept(rivals[9], "erin"), &accept), ERA_ACCEPTED);
    cr_assert_eq(offer(p, given_close(rivals[9], "bob", NULL), &close), ERA_ACCEPTED);
    cr_assert_eq(offer(p, given_charter_approve(rivals[9], "s3"), &approve), ERA_ACCEPTED);
    take(p, said(0));
    take(p, said(1));
    changes(p);
    era_ledger_commit(p->ledger, accept);
    era_ledger_commit(p->ledger, close);
    era_ledger_abandon(p->ledger, approve);
    cr_expect_str_eq(changes(p), "delete accept, delete close");
    cr_expect(!knows(p, 9));
    cr_expect_eq(era_ledger_count(p->ledger), 2);
}

Test(proposed, R8_an_approval_on_its_way_to_the_disk_holds_its_charter)
{
    struct era_item *approve;
    take(p, said(9));
    cr_assert_eq(offer(p, given_charter_approve(rivals[9], "s2"), &approve), ERA_ACCEPTED);
    take(p, said(0));
    take(p, said(1));
    cr_expect(holds(p, said(9)) && !offers(p, said(9)));
    era_ledger_commit(p->ledger, approve);
    cr_expect(offers(p, said(9)));
}

Test(proposed, R10_an_approval_overtaken_by_its_charter_counts_for_both)
{
    struct era_item *approve;
    cr_assert_eq(offer(p, given_charter_approve(next, "s2"), &approve), ERA_ACCEPTED);
    take(p, given_charter_statement(next, "s1"));
    era_ledger_commit(p->ledger, approve);
    const struct era_successor *s = era_ledger_successor(p->ledger, &next->hash);
    cr_expect_eq(s->old_approved_by, 1u << given_signer_index(old, "network", "s2"));
    cr_expect_eq(s->new_approved_by, 1u << given_signer_index(next, "network", "s2"));
}

/* ---- from the disk ---- */

Test(proposed, R8_a_start_judges_when_all_is_read)
{
    for (size_t i = 0; i < 4; i++)
        cr_expect_eq(restore(p, said(i + 4)), ERA_ACCEPTED);
    cr_expect_eq(restore(p, given_accept(rivals[6], "erin")), ERA_ACCEPTED);
    cr_expect_eq(restore(p, given_charter_approve(rivals[7], "s2")), ERA_ACCEPTED);
    cr_expect_eq(era_ledger_count(p->ledger), 6);
    era_ledger_start(p->ledger, 10);
    cr_expect_eq(era_ledger_count(p->ledger), 6, "evidence is not read yet");
    era_ledger_complete(p->ledger);
    cr_expect(offers(p, said(4)) && offers(p, said(5)) && offers(p, said(7)));
    cr_expect(!holds(p, said(6)) && !holds(p, given_accept(rivals[6], "erin")));
}

/* ---- whatever is said, whoever hears what ---- */

#define WORDS  96
#define HEARDS 4

static struct era_bytes word(struct era_prng *draw)
{
    static const char *const signers[] = {"s1", "s2", "s3"}, *const closers[] = {"alice", "bob", "carol"},
                             *const accepters[] = {"erin", "frank", "grace"};
    const struct era_charter *c = rivals[era_prng_below(draw, 8)];
    uint64_t kind = era_prng_below(draw, 8), who = era_prng_below(draw, 3);
    if (kind < 4)
        return given_charter_statement(c, signers[who % 2]);
    if (kind < 5)
        return given_charter_approve(c, signers[who]);
    return kind < 7 ? given_accept(c, accepters[who]) : given_close(c, closers[who], NULL);
}

/* All with all, until nobody lacks anything that another offers. */
static bool all_agree(struct peer *const heard[HEARDS])
{
    for (size_t round = 0; round < 20; round++) {
        size_t differ = 0;
        for (size_t i = 0; i < HEARDS; i++) {
            heard[i]->epoch++;
            differ += rounds_to_agree(heard[i], heard[(i + 1) % HEARDS]);
        }
        if (differ == 0)
            return true;
    }
    return false;
}

Test(proposed, R6_R8_sets_end_equal_whatever_was_said_to_whom)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct era_prng draw;
        struct peer *heard[HEARDS];
        era_prng_init(&draw, seed);
        for (size_t i = 0; i < HEARDS; i++)
            heard[i] = given_peer(old);
        for (size_t n = 0; n < WORDS; n++)
            take(heard[era_prng_below(&draw, HEARDS)], word(&draw));
        cr_assert(all_agree(heard), "seed %llu", (unsigned long long)seed);
        for (size_t i = 0; i < HEARDS; i++)
            peer_free(heard[i]);
    }
}
