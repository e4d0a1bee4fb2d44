/* The lock of the signing key (protocol §9), in whole nodes: R4, R16, I6. */
#include <criterion/criterion.h>
#include <string.h>

#include "store/store_mem.h"
#include "tests/node/world.h"

static const char four[] = "alice:10 bob:10 carol:10 dave:10";
static const char *const names[] = {"alice", "bob", "carol", "dave"};
static const char one_component[] = "network k=1 signers=s1,s2";

struct network {
    struct world *w;
    struct era_charter *c;
    struct world_node *n[4];
};

/* Four validators in a line that vote when asked; not started. */
static struct network given_line(bool votes)
{
    struct network t = {.c = given_charter(four, one_component)};
    t.w = world_new(t.c, 61);
    for (int i = 0; i < 4; i++) {
        t.n[i] = world_add(t.w, (struct world_setup){.key = names[i], .votes = votes});
        if (i > 0)
            world_anchor(t.n[i], t.n[i - 1]);
    }
    return t;
}

static struct network given_network(bool votes)
{
    struct network t = given_line(votes);
    world_start_network(t.w);
    return t;
}

static enum era_lock lock_of(const struct world_node *n)
{
    return era_node_lock(n->node);
}

static const struct world_reply *ready(struct world_node *n, struct era_hash proposal)
{
    return world_answer(n, (struct era_command){.kind = ERA_CMD_READY, .proposal = proposal});
}

static enum era_verdict may_vote(const struct world_node *n, struct era_hash proposal)
{
    const char *why;
    return era_node_may_vote(n->node, era_ledger_candidate(era_node_ledger(n->node), &proposal), &why);
}

/* ---- at a start ---- */

Test(lock, R4_without_peers_configured_or_met_a_key_is_unlocked_at_once)
{
    struct world *w = world_new(given_charter(four, one_component), 62);
    struct world_node *alone = world_add(w, (struct world_setup){.key = "alice"});
    world_start(alone);
    cr_assert_eq(lock_of(alone), ERA_LOCK_NONE);
    world_run(w, 1000);
    cr_assert_gt(era_ledger_count(era_node_ledger(alone->node)), 0, "it announces");
    world_crash(alone);
    world_start(alone);
    cr_assert_eq(lock_of(alone), ERA_LOCK_NONE, "and again");
    world_free(w);
}

Test(lock, R4_R16_with_no_peer_in_reach_the_key_stays_locked_and_all_it_would_say_waits)
{
    struct network t = given_line(true);
    struct era_proposal *p = given_soft(given_proposal(t.c, "network", 1), 40, "1.1.0");
    world_start(t.n[1]); /* bob's peer alice is down */
    world_propose(t.n[1], p, "s1");
    world_run(t.w, 20000);
    cr_assert_eq(lock_of(t.n[1]), ERA_LOCK_STARTING);
    const struct world_reply *r = ready(t.n[1], given_id(t.c, p));
    cr_assert_eq(r->reply.verdict, ERA_LOCKED);
    cr_assert_str_eq(r->why, "this node has not yet compared what it holds with its peers since it started");
    cr_assert_eq(world_emit(t.n[1], "price")->reply.verdict, ERA_LOCKED);
    struct era_key bob = given_key("bob").key;
    const struct era_item *said[2];
    cr_assert_eq(era_ledger_spoken(era_node_ledger(t.n[1]->node), ERA_KIND_READINESS, 0, 1, &bob, said), 0);
    cr_assert_null(era_ledger_announcement(era_node_ledger(t.n[1]->node), given_validator_index(t.c, "bob"),
                                           UINT64_MAX, NULL));
    world_free(t.w);
}

Test(lock, R4_who_met_peers_once_waits_for_one_though_none_is_configured)
{
    struct network t = given_network(true);
    cr_assert_eq(t.n[0]->anchor_count, 0);
    world_crash(t.n[0]);
    world_cut(t.n[0], t.n[1]);
    world_start(t.n[0]);
    world_run(t.w, 10000);
    cr_assert_eq(lock_of(t.n[0]), ERA_LOCK_STARTING);
    world_heal(t.n[0], t.n[1]);
    world_settle(t.w);
    cr_assert_eq(lock_of(t.n[0]), ERA_LOCK_NONE);
    world_free(t.w);
}

static bool bob_learned(struct world *w, void *ctx)
{
    (void)w;
    const struct network *t = ctx;
    return lock_of(t->n[1]) == ERA_LOCK_NONE;
}

Test(lock, R4_one_complete_reconciliation_comes_first_then_the_vote)
{
    struct network t = given_network(false);
    const struct era_proposal *p = given_soft(given_proposal(t.c, "network", 1), 40, "1.1.0");
    world_crash(t.n[1]);
    world_propose(t.n[0], p, "s1");
    for (int i = 2; i < 4; i++)
        world_cut(t.n[1], t.n[i]);
    t.n[1]->setup.auto_soft = true;
    world_start(t.n[1]);
    cr_assert_eq(lock_of(t.n[1]), ERA_LOCK_STARTING);
    cr_assert(world_run_until(t.w, bob_learned, &t, 10000));
    cr_assert_gt(era_gossip_complete_rounds(era_node_gossip(t.n[1]->node)), 0);
    const struct era_hash id = given_id(t.c, p);
    cr_assert_not_null(era_ledger_candidate(era_node_ledger(t.n[1]->node), &id), "what alice holds is known");
    cr_assert_eq(world_ids(t.w, ERA_KIND_READINESS, "bob", "network", 1), 0, "no vote has left before");
    world_run(t.w, 1000);
    cr_assert_eq(world_ids(t.w, ERA_KIND_READINESS, "bob", "network", 1), 1, "and now it votes by itself");
    world_free(t.w);
}

static bool dave_learned_of_one(struct world *w, void *ctx)
{
    (void)w;
    const struct network *t = ctx;
    size_t reachable, reconciled;
    era_gossip_anchor_state(era_node_gossip(t->n[3]->node), &reachable, &reconciled);
    return reachable == 2 && reconciled == 1;
}

Test(lock, R4_every_configured_peer_that_can_be_reached_is_waited_for)
{
    struct network t = given_line(true);
    world_anchor(t.n[3], t.n[0]); /* dave: carol and alice */
    world_start(t.n[0]);
    world_start(t.n[2]);
    world_start(t.n[3]);
    cr_assert(world_run_until(t.w, dave_learned_of_one, &t, 10000));
    cr_assert_eq(lock_of(t.n[3]), ERA_LOCK_STARTING, "one of two is not all");
    world_run(t.w, 10000);
    cr_assert_eq(lock_of(t.n[3]), ERA_LOCK_NONE);
    world_crash(t.n[0]);
    world_crash(t.n[3]);
    world_start(t.n[3]);
    world_run(t.w, 10000);
    cr_assert_eq(lock_of(t.n[3]), ERA_LOCK_NONE, "who is away is not waited for, while one is there");
    world_free(t.w);
}

Test(lock, R4_a_network_that_restarts_at_once_unlocks)
{
    struct network t = given_network(true);
    world_run(t.w, 2000);
    for (int i = 0; i < 4; i++)
        world_lose_power(t.n[i]);
    world_start_all(t.w);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(lock_of(t.n[i]), ERA_LOCK_STARTING);
    world_settle(t.w);
    world_propose(t.n[0], given_soft(given_proposal(t.c, "network", 1), 40, "1.1.0"), "s1");
    world_run(t.w, 5000);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(lock_of(t.n[i]), ERA_LOCK_NONE);
        cr_assert_eq(world_head(t.n[i], "network"), 1);
    }
    world_free(t.w);
}

Test(lock, R4_the_operator_may_unlock_a_key_whose_peers_are_away)
{
    struct network t = given_line(false);
    world_start(t.n[1]);
    cr_assert_eq(lock_of(t.n[1]), ERA_LOCK_STARTING);
    world_unlock(t.n[1]);
    cr_assert_eq(lock_of(t.n[1]), ERA_LOCK_NONE);
    world_run(t.w, 5000);
    cr_assert_eq(lock_of(t.n[1]), ERA_LOCK_NONE);
    world_crash(t.n[1]);
    world_start(t.n[1]);
    cr_assert_eq(lock_of(t.n[1]), ERA_LOCK_STARTING, "for this run alone");
    world_free(t.w);
}

Test(lock, R4_a_node_without_a_key_has_nothing_to_lock_or_unlock)
{
    struct network t = given_network(false);
    struct world_node *relay = world_add(t.w, (struct world_setup){0});
    world_anchor(relay, t.n[0]);
    world_start(relay);
    cr_assert_eq(lock_of(relay), ERA_LOCK_NONE);
    cr_assert_eq(world_answer(relay, (struct era_command){.kind = ERA_CMD_UNLOCK})->reply.verdict,
                 ERA_NO_KEY);
    world_free(t.w);
}

/* ---- a store that was set back ---- */

/* bob voted for A in slot 1; then a backup was put back that knows B alone. */
struct restored {
    struct network t;
    struct era_proposal *a, *b;
};

static void swap_stores(struct world_node *n, struct era_store **kept)
{
    struct era_store *was = n->store;
    n->store = *kept;
    *kept = was;
}

static struct restored given_an_old_backup(void)
{
    struct restored r = {.t = given_network(false)};
    struct network *t = &r.t;
    r.a = given_soft(given_proposal(t->c, "network", 1), 40, "1.1.0");
    r.b = given_drop(given_soft(given_proposal(t->c, "network", 1), 40, "1.2.0"), given_id(t->c, r.a));
    world_propose(t->n[0], r.b, "s2");
    world_run(t->w, 500);
    struct era_store *backup = era_store_mem_crash(t->n[1]->store);
    world_propose(t->n[0], r.a, "s1");
    world_run(t->w, 500);
    cr_assert_eq(ready(t->n[1], given_id(t->c, r.a))->reply.verdict, ERA_ACCEPTED);
    world_run(t->w, 500);
    world_crash(t->n[1]);
    swap_stores(t->n[1], &backup);
    era_store_close(backup);
    world_start(t->n[1]);
    return r;
}

Test(lock, R4_I6_an_old_backup_whose_newer_vote_peers_hold_locks_the_key_for_good)
{
    struct restored r = given_an_old_backup();
    struct world_node *bob = r.t.n[1];
    world_run(r.t.w, 5000);
    cr_assert_eq(lock_of(bob), ERA_LOCK_MISSING);
    const struct world_reply *no = ready(bob, given_id(r.t.c, r.b));
    cr_assert_eq(no->reply.verdict, ERA_LOCKED);
    cr_assert_str_eq(no->why,
                     "others hold a statement of this key that this node's store lacks: the store is "
                     "an old one, or the key is used elsewhere");
    cr_assert_eq(world_emit(bob, "price")->reply.verdict, ERA_LOCKED);
    uint64_t epoch = era_node_epoch(bob->node);
    world_run(r.t.w, 10000);
    cr_assert_eq(world_ids(r.t.w, ERA_KIND_ANNOUNCEMENT, "bob", "", epoch + 3), 0);
    cr_assert_eq(world_ids(r.t.w, ERA_KIND_READINESS, "bob", "network", 1), 1);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(world_signal_count(r.t.n[i], ERA_SIG_EQUIVOCATION), 0);
    world_free(r.t.w);
}

/* Its author's key is a validator's too: others assembled it, and no word of the key is missing. */
Test(lock, R4_a_carrier_of_ones_own_proposal_locks_nobody)
{
    struct network t = {.c = given_charter(four, "network k=2 signers=alice,s2,s3")};
    t.w = world_new(t.c, 67);
    for (int i = 0; i < 4; i++) {
        t.n[i] = world_add(t.w, (struct world_setup){.key = names[i], .votes = true});
        if (i > 0)
            world_anchor(t.n[i], t.n[i - 1]);
    }
    world_start_network(t.w);
    struct era_proposal *p = given_soft(given_proposal(t.c, "network", 1), 40, "1.1.0");
    cr_assert_eq(world_submit(t.n[0], given_proposed(t.c, "alice", p)), ERA_ACCEPTED);
    world_run(t.w, 500);
    world_cut(t.n[0], t.n[1]);
    world_submit(t.n[1], given_approve(t.c, "s2", p));
    world_submit(t.n[1], given_approve(t.c, "s3", p));
    world_run(t.w, 1000);
    cr_assert_eq(world_head(t.n[1], "network"), 1);
    world_heal(t.n[0], t.n[1]);
    world_run(t.w, 6000);
    cr_assert_eq(world_head(t.n[0], "network"), 1);
    cr_expect_eq(lock_of(t.n[0]), ERA_LOCK_NONE);
    world_free(t.w);
}

/* Once it is adopted the loose vote is gone everywhere: only the certificate tells of it. */
Test(lock, R4_a_lost_vote_that_only_a_certificate_holds_locks_the_key)
{
    struct network t = given_network(false);
    struct era_proposal *p = given_soft(given_proposal(t.c, "network", 1), 40, "1.1.0");
    world_crash(t.n[1]);
    cr_assert_eq(world_submit(t.n[0], given_certificate(t.c, p, "s1", "s1", "alice bob carol", "")),
                 ERA_ACCEPTED);
    world_start(t.n[1]);
    world_run(t.w, 5000);
    cr_assert_eq(world_head(t.n[1], "network"), 1);
    cr_expect_eq(lock_of(t.n[1]), ERA_LOCK_MISSING);
    cr_expect_eq(lock_of(t.n[3]), ERA_LOCK_NONE, "dave is not among them");
    world_free(t.w);
}

/* Adopted while it slept, with its own vote among others: that one it holds. */
Test(lock, R4_a_certificate_of_a_vote_that_is_held_locks_nobody)
{
    struct network t = given_network(false);
    struct era_proposal *p = given_soft(given_proposal(t.c, "network", 1), 40, "1.1.0");
    struct era_hash id = given_id(t.c, p);
    world_propose(t.n[0], p, "s1");
    world_run(t.w, 500);
    cr_assert_eq(ready(t.n[3], id)->reply.verdict, ERA_ACCEPTED);
    world_run(t.w, 500);
    world_crash(t.n[3]);
    cr_assert_eq(ready(t.n[0], id)->reply.verdict, ERA_ACCEPTED);
    cr_assert_eq(ready(t.n[1], id)->reply.verdict, ERA_ACCEPTED);
    world_run(t.w, 500);
    cr_assert_eq(world_head(t.n[0], "network"), 1);
    for (int again = 0; again < 2; again++) { /* the second time its vote is collected */
        world_start(t.n[3]);
        world_run(t.w, 5000);
        cr_assert_eq(world_head(t.n[3], "network"), 1);
        cr_expect_eq(lock_of(t.n[3]), ERA_LOCK_NONE);
        world_crash(t.n[3]);
    }
    world_free(t.w);
}

/* Its announcements of the epochs before and after the jump left its store for those of a far epoch. */
Test(lock, R16_who_comes_back_from_a_clock_that_jumped_misses_nothing)
{
    struct network t = given_network(false);
    struct world_node *bob = t.n[1];
    world_run(t.w, 1500);
    for (int jump = 0; jump < 2; jump++) {
        world_crash(bob);
        bob->skew_ms = jump == 0 ? 1000 * 1000 : 0;
        world_start(bob);
        world_run(t.w, jump == 0 ? 800 : 5000);
    }
    cr_assert_eq(world_ids(t.w, ERA_KIND_ANNOUNCEMENT, "bob", "", WORLD_EPOCH + 1001), 1);
    cr_expect_eq(lock_of(bob), ERA_LOCK_NONE);
    world_free(t.w);
}

Test(lock, R4_the_lock_for_a_missing_word_survives_a_restart)
{
    struct restored r = given_an_old_backup();
    struct world_node *bob = r.t.n[1];
    world_run(r.t.w, 5000);
    cr_assert_eq(lock_of(bob), ERA_LOCK_MISSING);
    world_lose_power(bob);
    world_start(bob);
    cr_assert_eq(lock_of(bob), ERA_LOCK_MISSING);
    world_run(r.t.w, 10000);
    cr_assert_eq(lock_of(bob), ERA_LOCK_MISSING, "that all is known now does not say why it was missing");
    world_free(r.t.w);
}

Test(lock, R4_the_operators_word_lifts_it_and_what_was_said_still_binds)
{
    struct restored r = given_an_old_backup();
    struct world_node *bob = r.t.n[1];
    world_run(r.t.w, 5000);
    world_unlock(bob);
    cr_assert_eq(lock_of(bob), ERA_LOCK_NONE);
    cr_assert_eq(may_vote(bob, given_id(r.t.c, r.b)), ERA_ALREADY_SIGNED,
                 "it learned its vote from its peers");
    uint64_t epoch = era_node_epoch(bob->node);
    world_run(r.t.w, 3000);
    cr_assert_eq(world_ids(r.t.w, ERA_KIND_ANNOUNCEMENT, "bob", "", epoch + 2), 1);
    world_crash(bob);
    world_start(bob);
    cr_assert_eq(lock_of(bob), ERA_LOCK_STARTING, "an ordinary start again");
    world_settle(r.t.w);
    cr_assert_eq(lock_of(bob), ERA_LOCK_NONE);
    cr_assert_eq(world_ids(r.t.w, ERA_KIND_READINESS, "bob", "network", 1), 1);
    world_free(r.t.w);
}

/* The key runs on a second machine: what that one says is missing here, though nothing was set back. */
Test(lock, I6_a_key_that_is_used_elsewhere_locks_when_its_word_comes)
{
    struct network t = given_network(false);
    const struct era_proposal *p = given_soft(given_proposal(t.c, "network", 1), 40, "1.1.0");
    world_propose(t.n[0], p, "s1");
    world_run(t.w, 500);
    world_submit(t.n[3], given_ready(t.c, "bob", p));
    world_run(t.w, 500);
    cr_assert_eq(lock_of(t.n[1]), ERA_LOCK_MISSING);
    cr_assert_eq(lock_of(t.n[0]), ERA_LOCK_NONE, "nobody else's");
    world_free(t.w);
}
