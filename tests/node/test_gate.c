/* When a node may speak: P3, P5, M1, M4, M5, N6, R14 to R16, in whole nodes. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/node/world.h"

static const char four[] = "alice:10 bob:10 carol:10 dave:10";
static const char *const names[] = {"alice", "bob", "carol", "dave"};
static const char one_component[] = "network k=2 signers=s1,s2,s3";

struct network {
    struct world *w;
    struct era_charter *c;
    struct world_node *n[4];
};

/* A line of validators; dave's software is of his own. */
static struct network given_network(struct era_charter *c, const char *software_of_dave)
{
    struct network t = {.c = c};
    t.w = world_new(c, 21);
    for (int i = 0; i < 4; i++) {
        t.n[i] = world_add(t.w, (struct world_setup){.key = names[i], .votes = true, .software = "2.0.0"});
        if (i > 0)
            world_anchor(t.n[i], t.n[i - 1]);
    }
    t.n[3]->setup.software = software_of_dave;
    world_start_network(t.w);
    world_run(t.w, 400);
    return t;
}

static struct era_proposal *given_upgrade(const struct era_charter *c, uint64_t effective)
{
    return given_requires(given_breaking(given_proposal(c, "network", 1), effective, "2.0.0"), ">=2.0.0");
}

static bool all_adopted(struct world *w, void *ctx)
{
    (void)w;
    const struct network *t = ctx;
    for (int i = 0; i < 4; i++)
        if (world_head(t->n[i], "network") != 1)
            return false;
    return true;
}

/* The only moments at which an era came into force, by node. */
static uint64_t switched_at_ms(const struct network *t, int node, const char *version, uint64_t *epoch)
{
    size_t count, times = 0;
    uint64_t at = 0;
    const struct world_signal *s = world_signals(t->w, &count);
    for (size_t i = 0; i < count; i++)
        if (s[i].node == t->n[node]->number && s[i].kind == ERA_SIG_ERA &&
            strcmp(s[i].version, version) == 0) {
            at = s[i].at_ms;
            *epoch = s[i].epoch;
            times++;
        }
    cr_assert_eq(times, 1);
    return at;
}

Test(gate, P5_M4_all_nodes_switch_at_the_effective_epoch_and_none_on_receipt)
{
    struct network t = given_network(given_charter(four, one_component), "2.0.0");
    world_propose(t.n[0], given_upgrade(t.c, 25), "s1 s2");
    cr_assert(world_run_until(t.w, all_adopted, &t, 5000));
    world_run_to_epoch(t.w, 24);
    world_run(t.w, 999);
    for (int i = 0; i < 4; i++)
        cr_assert_str_eq(world_version(t.n[i], "network"), "1.0.0");
    world_run(t.w, 1);
    for (int i = 0; i < 4; i++) {
        uint64_t epoch = 0;
        cr_assert_str_eq(world_version(t.n[i], "network"), "2.0.0");
        cr_assert_eq(switched_at_ms(&t, i, "2.0.0", &epoch), 25000);
        cr_assert_eq(epoch, 25);
    }
    world_free(t.w);
}

Test(gate, P5_a_plan_learned_after_its_epoch_is_in_force_at_once)
{
    struct network t = given_network(given_charter(four, one_component), "2.0.0");
    world_cut(t.n[2], t.n[3]);
    world_propose(t.n[0], given_upgrade(t.c, 16), "s1 s2");
    world_run_to_epoch(t.w, 18);
    cr_assert_str_eq(world_version(t.n[3], "network"), "1.0.0");
    world_heal(t.n[2], t.n[3]);
    world_run(t.w, 12000);
    cr_assert_str_eq(world_version(t.n[3], "network"), "2.0.0");
    world_free(t.w);
}

Test(gate, M4_announced_without_an_epoch_and_later_given_one)
{
    struct network t = given_network(given_charter(four, one_component), "1.0.0");
    struct era_proposal *announced =
        given_requires(given_announced(given_proposal(t.c, "network", 1), "2.1.0"), ">=2.0.0");
    world_propose(t.n[0], announced, "s1 s2");
    cr_assert(world_run_until(t.w, all_adopted, &t, 5000));
    cr_assert_eq(world_gate(t.n[0]), ERA_GATE_NOTICE);
    cr_assert_str_eq(world_last_signal(t.n[0], ERA_SIG_GATE)->version, "2.1.0");

    struct era_proposal *dated = given_next(t.c, announced, 2);
    dated->plan.count = 1;
    given_requires(given_breaking(dated, 25, "2.1.0"), ">=2.0.0");
    world_propose(t.n[0], dated, "s1 s2");
    world_run_to_epoch(t.w, 20);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(world_head(t.n[i], "network"), 2);
        cr_assert_str_eq(world_version(t.n[i], "network"), "1.0.0");
    }
    world_run_to_epoch(t.w, 25);
    for (int i = 0; i < 4; i++) {
        uint64_t epoch = 0;
        cr_assert_eq(switched_at_ms(&t, i, "2.1.0", &epoch), 25000);
    }
    world_free(t.w);
}

Test(gate, M5_a_node_that_cannot_run_the_next_era_counts_down_then_stops_then_opens_by_a_reload)
{
    struct network t = given_network(given_charter(four, one_component), "1.4.0");
    world_propose(t.n[0], given_upgrade(t.c, 20), "s1 s2");
    cr_assert(world_run_until(t.w, all_adopted, &t, 5000));
    world_run_to_epoch(t.w, 17);
    cr_assert_eq(world_gate(t.n[3]), ERA_GATE_UPGRADE_SOON);
    cr_assert_eq(world_last_signal(t.n[3], ERA_SIG_GATE)->epochs_left, 3);
    cr_assert_str_eq(world_last_signal(t.n[3], ERA_SIG_GATE)->version, "2.0.0");
    world_run_to_epoch(t.w, 19);
    cr_assert_eq(world_last_signal(t.n[3], ERA_SIG_GATE)->epochs_left, 1);
    cr_assert_eq(world_emit(t.n[3], "still may")->reply.verdict, ERA_ACCEPTED);

    world_run_to_epoch(t.w, 20);
    cr_assert_eq(world_gate(t.n[3]), ERA_GATE_BLOCKED);
    cr_assert_eq(world_gate(t.n[0]), ERA_GATE_CURRENT);
    cr_assert_eq(world_emit(t.n[3], "no more")->reply.verdict, ERA_BLOCKED);

    /* M1: the configuration is read again; no restart is needed. */
    world_versions(t.n[3], "2.0.1", NULL);
    cr_assert_eq(world_gate(t.n[3]), ERA_GATE_CURRENT);
    cr_assert_eq(world_emit(t.n[3], "again")->reply.verdict, ERA_ACCEPTED);
    world_free(t.w);
}

Test(gate, M1_a_blocked_node_stays_blocked_over_a_restart_of_the_same_version)
{
    struct network t = given_network(given_charter(four, one_component), "1.4.0");
    world_propose(t.n[0], given_upgrade(t.c, 16), "s1 s2");
    world_run_to_epoch(t.w, 17);
    world_crash(t.n[3]);
    for (int i = 0; i < 3; i++)
        world_cut(t.n[3], t.n[i]);
    world_start(t.n[3]);
    cr_assert_eq(world_gate(t.n[3]), ERA_GATE_BLOCKED, "known from its own disk, before any peer");
    world_free(t.w);
}

Test(gate, P1_a_soft_release_gives_notice_and_stops_nobody)
{
    struct network t = given_network(given_charter(four, one_component), "1.0.0");
    world_propose(t.n[0], given_soft(given_proposal(t.c, "network", 1), 16, "2.0.0"), "s1 s2");
    world_run_to_epoch(t.w, 17);
    cr_assert_eq(world_gate(t.n[3]), ERA_GATE_NOTICE);
    cr_assert_eq(world_gate(t.n[0]), ERA_GATE_CURRENT);
    cr_assert_eq(world_emit(t.n[3], "price")->reply.verdict, ERA_ACCEPTED);
    world_free(t.w);
}

/* ---- N6 ---- */

Test(gate, N6_below_a_quorum_of_fresh_announcements_the_gate_is_stale_and_opens_again)
{
    struct network t = given_network(given_charter(four, one_component), "2.0.0");
    world_run(t.w, 1000);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(world_gate(t.n[i]), ERA_GATE_CURRENT);
    world_cut(t.n[1], t.n[2]);
    world_run(t.w, 4000);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(world_gate(t.n[i]), ERA_GATE_STALE, "20 of 40 is below 27");
        cr_assert_eq(era_node_fresh_stake(t.n[i]->node), 20);
        cr_assert_eq(world_emit(t.n[i], "price")->reply.verdict, ERA_STALE);
    }
    world_heal(t.n[1], t.n[2]);
    world_run(t.w, 15000);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(world_gate(t.n[i]), ERA_GATE_CURRENT);
    world_free(t.w);
}

/* ---- R16 ---- */

Test(gate, R16_one_announcement_an_epoch_also_over_restarts_and_a_clock_that_goes_back)
{
    struct network t = given_network(given_charter(four, one_component), "2.0.0");
    for (int round = 0; round < 6; round++) {
        world_crash(t.n[0]);
        t.n[0]->setup.software = round % 2 ? "2.0.1" : "2.0.2";
        t.n[0]->skew_ms = round == 3 ? -3000 : 0;
        world_start(t.n[0]);
        world_run(t.w, 700);
    }
    world_run(t.w, 3000);
    size_t count, announced = 0;
    const struct world_said *said = world_said(t.w, &count);
    struct era_key alice = given_key("alice").key;
    for (size_t i = 0; i < count; i++) {
        if (said[i].kind != ERA_KIND_ANNOUNCEMENT || !era_key_eq(&said[i].key, &alice))
            continue;
        cr_assert_eq(world_ids(t.w, ERA_KIND_ANNOUNCEMENT, "alice", "", said[i].seq), 1);
        announced++;
    }
    cr_assert_gt(announced, 5);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(world_signal_count(t.n[i], ERA_SIG_EQUIVOCATION), 0);
    world_free(t.w);
}

/* ---- R14 ---- */

Test(gate, R14_an_epoch_never_goes_back_within_a_run)
{
    struct network t = given_network(given_charter(four, one_component), "2.0.0");
    world_run_to_epoch(t.w, 15);
    t.n[0]->skew_ms = -4000;
    world_run(t.w, 1500);
    cr_assert_eq(era_node_epoch(t.n[0]->node), 15);
    t.n[0]->skew_ms = 3000;
    world_run(t.w, 1500);
    cr_assert_eq(era_node_epoch(t.n[0]->node), 21);
    cr_assert_eq(era_node_epoch(t.n[1]->node), 18, "peers never set a node's time");
    world_free(t.w);
}

static struct era_charter *given_height_charter(void)
{
    struct era_charter *c = given_charter(four, one_component);
    c->clock = (struct era_clock_params){ERA_CLOCK_HEIGHT, 0, 100, 1};
    era_charter_seal(c);
    return c;
}

static enum era_verdict height(struct world_node *n, uint64_t number)
{
    return world_answer(n, (struct era_command){.kind = ERA_CMD_HEIGHT, .number = number})->reply.verdict;
}

Test(gate, R14_P4_a_height_clock_moves_by_the_host_chain_alone)
{
    struct network t = given_network(given_height_charter(), "1.0.0");
    world_run(t.w, 5000);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(era_node_epoch(t.n[i]->node), 0);
    world_propose(t.n[0], given_upgrade(t.c, 3), "s1 s2");
    world_run(t.w, 5000);
    cr_assert(all_adopted(t.w, &t));
    for (int i = 0; i < 4; i++)
        cr_assert_eq(height(t.n[i], 299), ERA_ACCEPTED);
    world_run(t.w, 3000);
    cr_assert_str_eq(world_version(t.n[3], "network"), "1.0.0");
    cr_assert_eq(height(t.n[3], 300), ERA_ACCEPTED);
    cr_assert_str_eq(world_version(t.n[3], "network"), "2.0.0");
    cr_assert_eq(world_gate(t.n[3]), ERA_GATE_BLOCKED);
    cr_assert_eq(height(t.n[3], 250), ERA_BAD_VALUE, "a height never goes back");
    cr_assert_eq(era_node_epoch(t.n[3]->node), 3);
    cr_assert_str_eq(world_version(t.n[0], "network"), "1.0.0", "its own chain is not there yet");
    world_free(t.w);
}

Test(gate, R14_a_restart_never_goes_below_an_epoch_that_a_quorum_announced)
{
    struct network t = given_network(given_height_charter(), "1.0.0");
    world_propose(t.n[0], given_upgrade(t.c, 3), "s1 s2");
    world_run(t.w, 5000);
    for (int i = 0; i < 4; i++)
        height(t.n[i], 420);
    world_run(t.w, 3000);
    cr_assert_eq(world_gate(t.n[3]), ERA_GATE_BLOCKED);
    for (int i = 0; i < 3; i++)
        world_cut(t.n[3], t.n[i]);
    world_lose_power(t.n[3]);
    world_start(t.n[3]);
    world_run(t.w, 100);
    cr_assert_eq(era_node_epoch(t.n[3]->node), 4, "before the host says any height");
    cr_assert_eq(world_gate(t.n[3]), ERA_GATE_BLOCKED, "the era that began is not forgotten");
    world_free(t.w);
}

Test(gate, R14_a_clock_that_jumped_ahead_alone_is_forgotten_by_a_restart)
{
    struct network t = given_network(given_height_charter(), "1.0.0");
    world_run(t.w, 1000);
    height(t.n[3], 99900);
    world_run(t.w, 1000);
    cr_assert_eq(era_node_epoch(t.n[3]->node), 999);
    world_crash(t.n[3]);
    world_start(t.n[3]);
    cr_assert_eq(era_node_epoch(t.n[3]->node), 0);
    world_free(t.w);
}

Test(gate, R14_a_wall_clock_takes_no_height)
{
    struct network t = given_network(given_charter(four, one_component), "2.0.0");
    cr_assert_eq(height(t.n[0], 300), ERA_USAGE);
    world_free(t.w);
}

/* ---- components ---- */

Test(gate, another_component_gates_itself_not_the_node)
{
    struct era_charter *c = given_charter(four, "network k=2 signers=s1,s2,s3; oracle k=1 signers=s1");
    struct network t = given_network(c, "2.0.0");
    struct era_proposal *p =
        given_requires(given_breaking(given_proposal(c, "oracle", 1), 16, "9.0.0"), ">=9.0.0");
    world_propose(t.n[0], p, "s1");
    world_run_to_epoch(t.w, 17);
    cr_assert_eq(era_node_gate(t.n[0]->node, given_component_index(c, "oracle"))->state, ERA_GATE_BLOCKED);
    cr_assert_eq(world_gate(t.n[0]), ERA_GATE_CURRENT);
    cr_assert_eq(world_emit(t.n[0], "price")->reply.verdict, ERA_ACCEPTED);
    world_free(t.w);
}
