/* Bad input that only a whole node can meet (tests/badinput/table.tsv). */
#include <criterion/criterion.h>

#include "tests/node/world.h"

/* A certificate is judged by its own words, so its plan may begin later than the node's epoch. */
Test(emission, R7_nothing_is_emitted_while_no_era_is_in_force)
{
    struct era_charter *c = given_charter("alice:10", "network k=1 signers=s1");
    struct world *w = world_new(c, 5);
    struct world_node *alice = world_add(w, (struct world_setup){.key = "alice", .software = "1.0.0"});
    world_start(alice);
    world_run(w, 1500);
    cr_assert_eq(world_emit(alice, "price")->reply.verdict, ERA_ACCEPTED);

    const struct era_proposal *head = given_breaking(given_proposal(c, "network", 1), 50, "2.0.0");
    const struct era_proposal *later = given_from(given_next(c, head, 2), 1);
    world_submit(alice, given_certificate(c, later, "s1", "s1", "alice", ""));
    world_run(w, 500);

    cr_assert_eq(world_gate(alice), ERA_GATE_NO_ERA);
    cr_assert_eq(world_emit(alice, "price")->reply.verdict, ERA_NO_ERA);
    world_run_to_epoch(w, 50);
    cr_assert_neq(world_gate(alice), ERA_GATE_NO_ERA);
    world_free(w);
}
