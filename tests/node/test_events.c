/* Events of host programs (C3), the blocked node and its recovery lane (N1, R15). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/node/world.h"

static const char five[] = "alice:10 bob:10 carol:10 dave:10 erin:10";
static const char *const names[] = {"alice", "bob", "carol", "dave", "erin"};

/* alice - bob - erin - carol - dave: erin is the only bridge between the halves. */
struct network {
    struct world *w;
    struct era_charter *c;
    struct world_node *n[5];
    struct world_node *alice, *bob, *carol, *dave, *erin;
};

static struct network given_network_with(struct era_charter *c, const char *software_of_the_bridge)
{
    struct network t = {.c = c};
    t.w = world_new(t.c, 31);
    for (int i = 0; i < 5; i++)
        t.n[i] = world_add(t.w, (struct world_setup){.key = names[i], .votes = true, .software = "2.0.0"});
    t.alice = t.n[0], t.bob = t.n[1], t.carol = t.n[2], t.dave = t.n[3], t.erin = t.n[4];
    t.erin->setup.software = software_of_the_bridge;
    world_anchor(t.alice, t.bob);
    world_anchor(t.bob, t.erin);
    world_anchor(t.carol, t.erin);
    world_anchor(t.dave, t.carol);
    world_start_network(t.w);
    world_run(t.w, 400);
    return t;
}

static struct network given_network(const char *component, const char *software_of_the_bridge)
{
    return given_network_with(given_charter(five, component), software_of_the_bridge);
}

static const char open_to_all[] = "network k=2 signers=s1,s2,s3";
static const char from_2_on[] = "network k=2 signers=s1,s2,s3 software=>=2.0.0";

static size_t deliveries(const struct world_node *n, const char *payload)
{
    size_t count, times = 0;
    const struct world_signal *s = world_signals(n->world, &count);
    for (size_t i = 0; i < count; i++)
        times += s[i].node == n->number && s[i].kind == ERA_SIG_EVENT && strcmp(s[i].payload, payload) == 0;
    return times;
}

static uint64_t ask_to_emit(struct world_node *n, const char *payload)
{
    return world_ask(n, (struct era_command){.kind = ERA_CMD_EMIT,
                                             .topic = "prices",
                                             .bytes = {(const uint8_t *)payload, strlen(payload)}});
}

Test(events, C3_an_event_reaches_every_node_once)
{
    struct network t = given_network(open_to_all, "2.0.0");
    world_run(t.w, 700);
    const struct world_reply *r = world_emit(t.alice, "EUR 1.08");
    cr_assert_eq(r->reply.verdict, ERA_ACCEPTED);
    cr_assert_eq(r->reply.seq, 1);
    cr_assert_eq(world_emit(t.alice, "EUR 1.09")->reply.seq, 2);
    world_run(t.w, 5000);
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(deliveries(t.n[i], "EUR 1.08"), 1);
        cr_assert_eq(deliveries(t.n[i], "EUR 1.09"), 1);
    }
    world_free(t.w);
}

Test(events, C3_who_was_away_hears_it_once_by_reconciliation)
{
    struct network t = given_network(open_to_all, "2.0.0");
    world_run(t.w, 700);
    world_cut(t.dave, t.carol);
    world_emit(t.alice, "EUR 1.08");
    world_run(t.w, 300);
    cr_assert_eq(deliveries(t.dave, "EUR 1.08"), 0);
    world_heal(t.dave, t.carol);
    world_run(t.w, 1000);
    cr_assert_eq(deliveries(t.dave, "EUR 1.08"), 1);
    world_run(t.w, 10000);
    cr_assert_eq(deliveries(t.dave, "EUR 1.08"), 1);
    world_free(t.w);
}

Test(events, C3_a_key_emits_no_more_than_the_charter_allows_an_epoch_also_over_a_restart)
{
    struct network t = given_network(open_to_all, "2.0.0");
    world_run_to_epoch(t.w, 13);
    for (uint64_t seq = 1; seq <= 6; seq++)
        cr_assert_eq(world_emit(t.alice, "price")->reply.seq, seq);
    world_run(t.w, 100); /* an event is not kept: what the crash finds unsent is lost */
    world_crash(t.alice);
    world_cut(t.alice, t.bob); /* nobody reminds her of what she said */
    world_start(t.alice);
    cr_assert_eq(world_gate(t.alice), ERA_GATE_CURRENT);
    cr_assert_eq(world_emit(t.alice, "price")->reply.verdict, ERA_LOCKED);
    world_unlock(t.alice);
    for (uint64_t seq = 7; seq <= 10; seq++)
        cr_assert_eq(world_emit(t.alice, "price")->reply.seq, seq, "no place is used twice");
    world_heal(t.alice, t.bob);
    cr_assert_eq(era_node_epoch(t.alice->node), 13);
    cr_assert_eq(world_emit(t.alice, "one more")->reply.verdict, ERA_RATE_LIMITED);
    world_run_to_epoch(t.w, 14);
    cr_assert_eq(world_emit(t.alice, "a new epoch")->reply.seq, 1);
    world_run(t.w, 500);
    cr_assert_eq(deliveries(t.dave, "price"), 10);
    cr_assert_eq(deliveries(t.dave, "one more"), 0);
    world_free(t.w);
}

Test(events, C3_nothing_leaves_before_its_place_is_reserved_on_disk)
{
    struct network t = given_network(open_to_all, "2.0.0");
    world_run(t.w, 700);
    world_hold_store(t.alice, true);
    uint64_t request = ask_to_emit(t.alice, "early");
    world_run(t.w, 500);
    cr_assert_null(world_reply(t.w, request));
    cr_assert_eq(world_sent(t.alice, ERA_KIND_EVENT), 0);
    cr_assert_eq(deliveries(t.alice, "early"), 0);
    world_hold_store(t.alice, false);
    world_run(t.w, 100);
    cr_assert_eq(world_reply(t.w, request)->reply.verdict, ERA_ACCEPTED);
    cr_assert_eq(deliveries(t.dave, "early"), 1);
    world_free(t.w);
}

/* Of 100 an epoch: places are kept in fours. */
static struct network given_places_in_fours(void)
{
    struct era_charter *c = given_charter(five, open_to_all);
    c->events_per_epoch = 100;
    return given_network_with(c, "2.0.0");
}

Test(events, C3_a_place_kept_ahead_spares_the_wait_for_the_disk)
{
    struct network t = given_places_in_fours();
    world_run(t.w, 700);
    cr_assert_eq(world_emit(t.alice, "first")->reply.seq, 1);
    world_hold_store(t.alice, true); /* 1 to 4 are on disk */
    uint64_t kept[3] = {ask_to_emit(t.alice, "2"), ask_to_emit(t.alice, "3"), ask_to_emit(t.alice, "4")};
    uint64_t waits[2] = {ask_to_emit(t.alice, "5"), ask_to_emit(t.alice, "6")};
    for (int i = 0; i < 3; i++) {
        cr_assert_not_null(world_reply(t.w, kept[i]));
        cr_assert_eq(world_reply(t.w, kept[i])->reply.seq, (uint64_t)i + 2);
    }
    cr_assert_null(world_reply(t.w, waits[0]));
    cr_assert_null(world_reply(t.w, waits[1]));
    world_hold_store(t.alice, false);
    world_run(t.w, 500);
    for (uint64_t i = 0; i < 2; i++)
        cr_assert_eq(world_reply(t.w, waits[i])->reply.seq, i + 5);
    cr_assert_eq(deliveries(t.dave, "6"), 1);
    world_free(t.w);
}

Test(events, C3_no_place_kept_ahead_is_taken_again_after_a_crash)
{
    struct network t = given_places_in_fours();
    world_run(t.w, 700);
    for (uint64_t seq = 1; seq <= 3; seq++)
        cr_assert_eq(world_emit(t.alice, "price")->reply.seq, seq);
    world_run(t.w, 50); /* 1 to 6 are kept */
    world_crash(t.alice);
    world_cut(t.alice, t.bob); /* nobody reminds her of what she said */
    world_start(t.alice);
    world_unlock(t.alice);
    cr_assert_eq(world_emit(t.alice, "price")->reply.seq, 7);
    world_free(t.w);
}

Test(events, C3_an_emission_is_checked_before_it_is_made)
{
    struct network t = given_network(open_to_all, "2.0.0");
    world_run(t.w, 700);
    static const uint8_t large[ERA_EVENT_PAYLOAD_BYTES_MAX + 1];
    struct era_command c = {.kind = ERA_CMD_EMIT, .topic = "prices", .bytes = {large, sizeof large}};
    cr_assert_eq(world_answer(t.alice, c)->reply.verdict, ERA_OVERSIZED);
    c.bytes.len--;
    cr_assert_eq(world_answer(t.alice, c)->reply.verdict, ERA_ACCEPTED);
    c.topic = "No Topic";
    cr_assert_eq(world_answer(t.alice, c)->reply.verdict, ERA_BAD_VALUE);
    struct world_node *keyless = world_add(t.w, (struct world_setup){.software = "2.0.0"});
    world_anchor(keyless, t.bob);
    world_start(keyless);
    world_run(t.w, 2000);
    cr_assert_eq(world_emit(keyless, "price")->reply.verdict, ERA_NO_KEY);
    cr_assert_gt(deliveries(keyless, ""), 0, "yet it hears them");
    world_free(t.w);
}

/* ---- eras ---- */

Test(events, C3_who_is_in_another_era_neither_processes_nor_relays)
{
    struct network t = given_network(open_to_all, "2.0.0");
    struct era_proposal *p = given_breaking(given_proposal(t.c, "network", 1), 14, "2.0.0");
    world_propose(t.alice, p, "s1 s2");
    world_run_to_epoch(t.w, 14);
    world_run(t.w, 500);
    for (int i = 0; i < 5; i++)
        cr_assert_str_eq(world_version(t.n[i], "network"), "2.0.0");
    /* A node that kept the old entry signs for it at the present epoch. */
    struct era_bytes old = given_event(t.c, "dave", 14, given_entry(p, 0), 9, "old era");
    cr_assert_eq(world_submit(t.bob, old), ERA_WRONG_ERA);
    struct era_bytes past = given_event(t.c, "dave", 13, given_entry(p, 0), 9, "the last of the old era");
    cr_assert_eq(world_submit(t.bob, past), ERA_ACCEPTED, "in force at its own epoch, one away");
    struct era_bytes early = given_event(t.c, "dave", 17, given_entry(p, 1), 9, "from the future");
    cr_assert_eq(world_submit(t.bob, early), ERA_WRONG_EPOCH);
    world_run(t.w, 400);
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(deliveries(t.n[i], "old era"), 0);
        cr_assert_eq(deliveries(t.n[i], "the last of the old era"), 1);
        cr_assert_eq(deliveries(t.n[i], "from the future"), 0);
    }
    world_free(t.w);
}

/* ---- N1: the blocked bridge ---- */

Test(recovery, R15_no_event_leaves_or_passes_a_blocked_node)
{
    struct network t = given_network(from_2_on, "1.0.0");
    world_run(t.w, 1000);
    cr_assert_eq(world_gate(t.erin), ERA_GATE_BLOCKED);
    cr_assert_eq(world_gate(t.alice), ERA_GATE_CURRENT);
    cr_assert_eq(world_emit(t.alice, "EUR 1.08")->reply.verdict, ERA_ACCEPTED);
    cr_assert_eq(world_emit(t.erin, "EUR 1.10")->reply.verdict, ERA_BLOCKED);
    struct era_bytes handed =
        given_event(t.c, "dave", 11, given_entry(given_proposal(t.c, "network", 1), 0), 1, "x");
    cr_assert_eq(world_submit(t.erin, handed), ERA_BLOCKED);
    world_run(t.w, 900);
    cr_assert_eq(deliveries(t.bob, "EUR 1.08"), 1);
    cr_assert_eq(deliveries(t.erin, "EUR 1.08"), 0);
    cr_assert_eq(deliveries(t.carol, "EUR 1.08"), 0);
    cr_assert_eq(world_sent(t.erin, ERA_KIND_EVENT), 0);
    world_free(t.w);
}

Test(recovery, N1_all_that_unblocks_passes_a_blocked_node_that_is_the_only_bridge)
{
    struct network t = given_network(from_2_on, "1.0.0");
    world_run(t.w, 1000);
    cr_assert_eq(world_gate(t.erin), ERA_GATE_BLOCKED);

    /* Announcements: a quorum is fresh on both sides only through the bridge; its own is marked. */
    cr_assert_eq(world_gate(t.dave), ERA_GATE_CURRENT);
    size_t count;
    const struct world_said *said = world_said(t.w, &count);
    struct era_key erin = given_key("erin").key;
    size_t marked = 0;
    for (size_t i = 0; i < count; i++)
        if (said[i].kind == ERA_KIND_ANNOUNCEMENT && era_key_eq(&said[i].key, &erin)) {
            cr_assert(said[i].blocked);
            marked++;
        }
    cr_assert_gt(marked, 0);

    /* A fix that the blocked node can run: proposed on one side, signed on the other, voted by all. */
    struct era_proposal *fix =
        given_requires(given_breaking(given_proposal(t.c, "network", 1), 16, "2.1.0"), "");
    world_submit(t.alice, given_proposed(t.c, "s1", fix));
    world_run(t.w, 500);
    world_submit(t.dave, given_approve(t.c, "s2", fix));
    world_submit(t.alice, given_approve(t.c, "s1", fix));
    world_run(t.w, 3000);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(world_head(t.n[i], "network"), 1, "the certificate passes too");
    cr_assert_eq(world_ids(t.w, ERA_KIND_READINESS, "erin", "network", 1), 1, "a blocked validator votes");
    cr_assert_eq(world_gate(t.erin), ERA_GATE_BLOCKED);
    world_run_to_epoch(t.w, 16);
    cr_assert_neq(world_gate(t.erin), ERA_GATE_BLOCKED);
    world_emit(t.alice, "across");
    world_run(t.w, 500);
    cr_assert_eq(deliveries(t.dave, "across"), 1, "and events flow again");
    world_free(t.w);
}

Test(recovery, N1_a_certificate_that_arrived_elsewhere_passes_the_blocked_bridge)
{
    struct network t = given_network(from_2_on, "1.0.0");
    world_run(t.w, 1000);
    struct era_proposal *p = given_soft(given_proposal(t.c, "network", 1), 30, "2.1.0");
    world_submit(t.alice, given_certificate(t.c, p, "s1", "s1 s2", "alice bob carol dave", ""));
    world_run(t.w, 500);
    cr_assert_eq(world_head(t.dave, "network"), 1);
    world_free(t.w);
}

Test(recovery, M1_a_reload_unblocks_the_bridge_and_the_missed_events_come)
{
    struct network t = given_network(from_2_on, "1.0.0");
    world_run(t.w, 1000);
    world_emit(t.alice, "EUR 1.08");
    world_run(t.w, 300);
    world_versions(t.erin, "2.0.0", NULL);
    world_run(t.w, 1000);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(deliveries(t.n[i], "EUR 1.08"), 1);
    world_free(t.w);
}
