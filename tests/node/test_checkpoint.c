/* Checkpoints: how a host program's state is vouched for (P6). */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/node/world.h"

static const char four[] = "alice:10 bob:10 carol:10 dave:10";

struct place {
    struct world *w;
    struct era_charter *c;
    struct world_node *n[3];
};

static struct place given_place(void)
{
    struct place t = {.c = given_charter(four, "network k=2 signers=s1,s2,s3; oracle k=1 signers=s1")};
    t.w = world_new(t.c, 3);
    for (int i = 0; i < 3; i++)
        t.n[i] = world_add(t.w, (struct world_setup){.key = (const char *[]){"alice", "bob", "carol"}[i]});
    world_anchor(t.n[0], t.n[1]);
    world_anchor(t.n[1], t.n[2]);
    world_start_network(t.w);
    world_run(t.w, 3000); /* announced: fresh */
    return t;
}

static enum era_verdict checkpoint(struct world_node *n, const char *component, const char *digest)
{
    return world_answer(
               n, (struct era_command){.kind = ERA_CMD_CHECKPOINT, .topic = component, .digest = digest})
        ->reply.verdict;
}

static uint64_t stake(const struct place *t, int node, uint64_t at, const char *state)
{
    struct era_node *n = t->n[node]->node;
    int component = given_component_index(t->c, "oracle");
    return era_ledger_checkpoint_stake(era_node_ledger(n), component, at,
                                       &era_node_gate(n, component)->current->hash, given_digest(state));
}

Test(checkpoint, P6_what_validators_sign_adds_up_everywhere)
{
    struct place t = given_place();
    uint64_t epoch = era_node_epoch(t.n[0]->node) + 1;
    world_run_to_epoch(t.w, epoch);
    cr_assert_eq(checkpoint(t.n[0], "oracle", given_digest("the state")), ERA_ACCEPTED);
    cr_assert_eq(checkpoint(t.n[1], "oracle", given_digest("the state")), ERA_ACCEPTED);
    cr_assert_eq(checkpoint(t.n[2], "oracle", given_digest("another")), ERA_ACCEPTED);
    world_run(t.w, 3000);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(stake(&t, i, epoch, "the state"), 20);
        cr_expect_eq(stake(&t, i, epoch, "another"), 10);
        cr_expect_eq(stake(&t, i, epoch - 1, "the state"), 0);
    }
    world_crash(t.n[2]);
    world_start(t.n[2]);
    cr_expect_eq(stake(&t, 2, epoch, "the state"), 20, "durable");
    world_free(t.w);
}

Test(checkpoint, P6_a_validator_says_one_a_component_and_epoch)
{
    struct place t = given_place();
    world_run_to_epoch(t.w, era_node_epoch(t.n[0]->node) + 1);
    cr_assert_eq(checkpoint(t.n[0], "oracle", given_digest("x")), ERA_ACCEPTED);
    cr_expect_eq(checkpoint(t.n[0], "oracle", given_digest("y")), ERA_ALREADY_SIGNED);
    cr_expect_eq(checkpoint(t.n[0], "network", given_digest("y")), ERA_ACCEPTED, "another component");
    world_run_to_epoch(t.w, era_node_epoch(t.n[0]->node) + 1);
    cr_expect_eq(checkpoint(t.n[0], "oracle", given_digest("y")), ERA_ACCEPTED, "another epoch");
    world_free(t.w);
}

/* One on its way to the disk is one. */
Test(checkpoint, I6_no_second_one_leaves_before_the_first_is_durable)
{
    struct place t = given_place();
    world_run_to_epoch(t.w, era_node_epoch(t.n[0]->node) + 1);
    world_hold_store(t.n[0], true);
    struct era_command command = {.kind = ERA_CMD_CHECKPOINT, .topic = "oracle", .digest = given_digest("x")};
    world_ask(t.n[0], command);
    command.digest = given_digest("y");
    cr_expect_eq(world_answer(t.n[0], command)->reply.verdict, ERA_ALREADY_SIGNED);
    cr_expect_eq(world_sent(t.n[0], ERA_KIND_CHECKPOINT), 0, "nothing leaves before it is durable");
    world_hold_store(t.n[0], false);
    world_run(t.w, 200);
    cr_expect_eq(world_sent(t.n[0], ERA_KIND_CHECKPOINT), 1);
    world_free(t.w);
}

Test(checkpoint, P6_what_cannot_be_one_is_refused)
{
    struct place t = given_place();
    struct world_node *stranger = world_add(t.w, (struct world_setup){.key = "mallory"});
    world_start(stranger);
    cr_expect_eq(checkpoint(t.n[0], "nothing", given_digest("x")), ERA_UNKNOWN_COMPONENT);
    cr_expect_eq(checkpoint(t.n[0], "oracle", "abc"), ERA_BAD_VALUE);
    cr_expect_eq(checkpoint(stranger, "oracle", given_digest("x")), ERA_NO_KEY);
    world_free(t.w);
}

Test(checkpoint, R15_a_blocked_node_signs_none)
{
    struct place t = given_place();
    struct era_proposal *p = given_requires(
        given_breaking(given_proposal(t.c, "network", 1), era_node_epoch(t.n[0]->node) + 3, "2.0.0"),
        ">=2.0.0");
    world_submit(t.n[0], given_certificate(t.c, p, "s1", "s1 s2", "alice bob carol dave", ""));
    world_run_to_epoch(t.w, era_node_epoch(t.n[0]->node) + 3);
    cr_assert_eq(world_gate(t.n[0]), ERA_GATE_BLOCKED);
    cr_expect_eq(checkpoint(t.n[0], "network", given_digest("x")), ERA_BLOCKED);
    world_free(t.w);
}
