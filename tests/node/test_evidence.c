/* Evidence in whole nodes: N4, R8, I9. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/node/world.h"

static const char four[] = "alice:10 bob:10 carol:10 dave:10";

struct place {
    struct world *w;
    struct era_charter *c;
    struct world_node *n[3];
    struct era_bytes said[3]; /* dave's readinesses in slot 1 */
};

/* Three nodes in a row; dave has none. */
static struct place given_place(void)
{
    static const char *const versions[] = {"1.1.0", "1.2.0", "1.3.0"};
    struct place t = {.c = given_charter(four, "network k=2 signers=s1,s2,s3")};
    t.w = world_new(t.c, 3);
    for (int i = 0; i < 3; i++)
        t.n[i] = world_add(t.w, (struct world_setup){.key = (const char *[]){"alice", "bob", "carol"}[i]});
    world_anchor(t.n[0], t.n[1]);
    world_anchor(t.n[1], t.n[2]);
    world_start_network(t.w);
    for (int i = 0; i < 3; i++)
        t.said[i] = given_ready(t.c, "dave", given_soft(given_proposal(t.c, "network", 1), 40, versions[i]));
    return t;
}

static size_t held(const struct world_node *n)
{
    return era_ledger_evidence(era_node_ledger(n->node), NULL, 0);
}

static uint64_t stake(const struct place *t, int node, const char *version)
{
    struct era_hash id = given_id(t->c, given_soft(given_proposal(t->c, "network", 1), 40, version));
    const struct era_candidate *k = era_ledger_candidate(era_node_ledger(t->n[node]->node), &id);
    return k ? k->ready_stake : 0;
}

Test(evidence, N4_R8_who_heard_one_of_two_learns_of_both)
{
    struct place t = given_place();
    world_cut(t.n[0], t.n[1]);
    world_submit(t.n[0], t.said[0]);
    world_submit(t.n[2], t.said[1]);
    world_run(t.w, 3000);
    cr_assert_eq(held(t.n[0]) + held(t.n[1]) + held(t.n[2]), 0);
    world_heal(t.n[0], t.n[1]);
    world_run(t.w, 15000);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(held(t.n[i]), 1, "node %d", i);
        cr_expect_eq(stake(&t, i, "1.1.0"), 10);
        cr_expect_eq(stake(&t, i, "1.2.0"), 10);
        cr_expect_eq(world_signal_count(t.n[i], ERA_SIG_EQUIVOCATION), 1, "told of once, node %d", i);
        const struct world_signal *told = world_last_signal(t.n[i], ERA_SIG_EQUIVOCATION);
        cr_expect_eq(told->item_kind, ERA_KIND_READINESS);
        cr_expect_eq(told->validator, given_validator_index(t.c, "dave"));
    }
    cr_expect(world_run_until(t.w, world_converged, NULL, 15000));
    world_free(t.w);
}

Test(evidence, R6_of_three_ids_nodes_end_with_equal_sets)
{
    struct place t = given_place();
    world_cut(t.n[0], t.n[1]);
    world_cut(t.n[1], t.n[2]);
    for (int i = 0; i < 3; i++) {
        world_submit(t.n[i], t.said[i]);
        world_submit(t.n[i], t.said[(i + 1) % 3]);
    }
    world_heal(t.n[0], t.n[1]);
    world_heal(t.n[1], t.n[2]);
    cr_expect(world_run_until(t.w, world_converged, NULL, 30000));
    for (int i = 0; i < 3; i++)
        cr_expect_eq(held(t.n[i]), 1);
    world_free(t.w);
}

Test(evidence, I12_it_outlives_a_start_and_so_does_what_it_counted)
{
    struct place t = given_place();
    world_submit(t.n[0], t.said[0]);
    world_submit(t.n[2], t.said[1]);
    world_run(t.w, 5000);
    cr_assert_eq(held(t.n[1]), 1);
    world_crash(t.n[1]);
    world_start(t.n[1]);
    cr_expect_eq(held(t.n[1]), 1);
    cr_expect_eq(stake(&t, 1, "1.1.0"), 10);
    cr_expect_eq(stake(&t, 1, "1.2.0"), 10);
    cr_expect_eq(era_node_stats(t.n[1]->node)->restore_refused, 0);
    world_run(t.w, 10000);
    cr_expect(world_run_until(t.w, world_converged, NULL, 15000));
    world_free(t.w);
}

/* Alice's disk keeps nothing more: she goes on offering what the evidence stands for everywhere else. */
Test(evidence, N4_R15_what_it_stands_for_is_not_fetched_in_every_round_of_who_cannot_keep_it)
{
    struct place t = given_place();
    struct era_hash loose = given_item(t.c, t.said[0]);
    world_submit(t.n[0], t.said[0]);
    world_run(t.w, 1000);
    world_hold_store(t.n[0], true);
    world_submit(t.n[1], t.said[1]);
    world_run(t.w, 60000);
    cr_expect_eq(held(t.n[0]), 0);
    cr_expect_eq(held(t.n[1]), 1);
    cr_expect_leq(world_sent_item(t.n[0], &loose), 62, "pushed, and asked for once an epoch at most");
    world_free(t.w);
}

/* The place is adopted away: people still find it, also after a start. */
Test(evidence, R9_past_evidence_is_kept_for_people)
{
    struct place t = given_place();
    world_submit(t.n[0], t.said[0]);
    world_submit(t.n[0], t.said[1]);
    world_run(t.w, 5000);
    struct era_proposal *p = given_soft(given_proposal(t.c, "network", 2), 60, "1.1.0");
    world_submit(t.n[0], given_certificate(t.c, p, "s1", "s1 s2", "alice bob carol", ""));
    world_run(t.w, 5000);
    cr_assert_eq(world_head(t.n[1], "network"), 2);
    cr_expect_eq(held(t.n[1]), 1);
    world_crash(t.n[1]);
    world_start(t.n[1]);
    cr_expect_eq(held(t.n[1]), 1);
    cr_expect(world_run_until(t.w, world_converged, NULL, 15000));
    world_free(t.w);
}

/* Her key is used elsewhere too: what this store lacks locks it. */
Test(evidence, R4_evidence_about_ones_own_key_locks_it)
{
    struct place t = given_place();
    struct era_bytes one =
        given_ready(t.c, "alice", given_soft(given_proposal(t.c, "network", 1), 40, "1.1.0"));
    struct era_bytes two =
        given_ready(t.c, "alice", given_soft(given_proposal(t.c, "network", 1), 40, "1.2.0"));
    world_crash(t.n[0]);
    world_submit(t.n[1], one);
    world_submit(t.n[1], two);
    world_run(t.w, 3000);
    cr_assert_eq(held(t.n[1]), 1);
    world_start(t.n[0]);
    world_run(t.w, 15000);
    cr_expect_eq(held(t.n[0]), 1);
    cr_expect_eq(era_node_lock(t.n[0]->node), ERA_LOCK_MISSING);
    world_free(t.w);
}

/* Its clock had jumped, and bob's announcement of that epoch is on its disk. */
Test(evidence, R16_a_start_after_a_clock_that_jumped_makes_no_history_of_the_present)
{
    struct era_charter *c = given_charter(four, "network k=2 signers=s1,s2,s3");
    struct world *w = world_new(c, 5);
    struct world_node *relay = world_add(w, (struct world_setup){0});
    static const char *const said[][2] = {
        {"1010", "1.0.0"}, {"10", "1.0.0"}, {"10", "2.0.0"}, {"11", "1.0.0"}};
    for (int i = 0; i < 4; i++) {
        struct era_announcement a = given_running(c, strtoull(said[i][0], NULL, 10), said[i][1]);
        relay->skew_ms = i == 0 ? 1000 * 1000 : 0;
        world_start(relay);
        cr_assert_eq(world_submit(relay, given_announce(c, "bob", &a)), ERA_ACCEPTED);
        world_run(w, 100);
        world_crash(relay);
    }
    world_start(relay);
    const struct era_item *list[1];
    cr_assert_eq(era_ledger_evidence(era_node_ledger(relay->node), list, 1), 1);
    cr_expect(list[0]->offered);
    world_free(w);
}
