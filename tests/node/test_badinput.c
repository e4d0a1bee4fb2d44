/* Bad input that only a whole node can meet (tests/badinput/table.tsv). */
#include <criterion/criterion.h>

#include "proto/frame.h"
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

/* By the first of its links. */
static struct era_peer_info hear(const struct world_node *n, struct era_bytes envelope)
{
    static uint8_t room[ERA_FRAME_BYTES_MAX];
    struct era_peer_info info;
    struct era_frame_builder b;
    const struct era_effect *effects;
    era_frame_begin(&b, room);
    cr_assert(era_frame_add_statement(&b, envelope));
    cr_assert_eq(era_gossip_peers(era_node_gossip(n->node), &info, 1), 1);
    struct era_event frame = {.kind = ERA_EV_FRAME,
                              .now_ms = world_now_ms(n->world),
                              .link = info.link,
                              .bytes = era_frame_bytes(&b)};
    era_node_step(n->node, &frame, &effects);
    era_gossip_peers(era_node_gossip(n->node), &info, 1);
    return info;
}

Test(flood, of_what_is_past_costs_its_signature_once)
{
    struct era_charter *c = given_charter("alice:10 bob:10", "network k=1 signers=s1");
    struct world *w = world_new(c, 5);
    struct world_node *alice = world_add(w, (struct world_setup){.key = "alice"});
    struct world_node *bob = world_add(w, (struct world_setup){.key = "bob"});
    world_anchor(alice, bob);
    world_start_network(w);
    const struct era_proposal *head = given_soft(given_proposal(c, "network", 1), 30, "1.1.0");
    world_submit(alice, given_certificate(c, head, "s1", "s1", "alice bob", ""));
    world_run(w, 500);
    cr_assert_eq(world_head(alice, "network"), 1);

    struct era_bytes late = given_reject(c, "s1", head, "too late");
    for (int i = 0; i < 3; i++)
        cr_assert_eq(hear(alice, late).wasted_in, 1);
    cr_assert_eq(era_node_stats(alice->node)->verdicts[ERA_KIND_REJECT][ERA_DOMINATED], 3);
    cr_assert_eq(hear(alice, given_reject(c, "s1", head, "later still")).wasted_in, 2);
    world_free(w);
}
