/* Links that nothing comes through, as after a cut: dialled again beside, and replaced. */
#include <criterion/criterion.h>

#include <stdio.h>

#include "tests/p2p/one.h"
#include "tests/p2p/probe.h"

static const char *const there = "tcp://10.0.0.9:7711"; /* node 9 by wire_address */

/* A configured peer, linked; our round waits for its answer. */
static struct probe *given_anchor_up(void)
{
    struct probe *p = probe_new(1000);
    cr_assert_eq(era_gossip_add_anchor(p->g, there), ERA_ACCEPTED);
    cr_assert_eq(probe_wait(p, 0)->connects, 1);
    probe_up(p, 1, true, 9);
    cr_assert_gt(probe_wait(p, 0)->digests, 0);
    return p;
}

static void greets(struct probe *p, uint64_t link, uint8_t node)
{
    struct era_frame_hello hello = probe_hello(p, node);
    probe_link(p, link, true, there);
    probe_greet(p, link, &hello);
}

static void when_stuck(struct probe *p)
{
    cr_assert_eq(probe_wait(p, 4900)->connects, 0);
    cr_assert_eq(probe_wait(p, 100)->connects, 1);
    cr_assert_str_eq(p->seen.connect, there);
}

Test(stuck, a_link_that_owes_an_answer_for_5_s_is_dialled_beside_and_replaced)
{
    struct probe *p = given_anchor_up();
    when_stuck(p);
    greets(p, 2, 9);
    const struct probe_seen *s = probe_look(p);
    cr_assert(s->ups == 1 && s->closes == 1 && s->closed_link == 1 && s->close == ERA_DUPLICATE);
    size_t reachable, reconciled;
    cr_assert(probe_info(p, 2).anchor, "the configured peer is where it was");
    cr_assert_eq(era_gossip_anchor_state(p->g, &reachable, &reconciled), 1);
    cr_assert_eq(reachable, 1);
    cr_assert_eq(probe_wait(p, 4000)->connects, 0);
    era_gossip_link_down(p->g, p->w->now_ms, 2, ERA_ACCEPTED);
    cr_assert_eq(probe_wait(p, ERA_RECONNECT_MAX_MS)->connects, 1, "and is dialled when that link ends");
    probe_free(p);
}

Test(stuck, as_long_as_no_dial_succeeds_it_stays_and_is_dialled_again_within_a_second)
{
    struct probe *p = given_anchor_up();
    when_stuck(p);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(probe_wait(p, 5000)->connects, 0, "one dial at a time");
        era_gossip_dial_failed(p->g, p->w->now_ms, there);
        const struct probe_seen *s = probe_wait(p, 1000);
        cr_assert(s->connects == 1 && s->closes == 0);
    }
    cr_assert_eq(probe_info(p, 1).state, ERA_PEER_UP);
    probe_free(p);
}

Test(stuck, a_link_that_is_heard_before_another_is_up_stays)
{
    struct probe *p = given_anchor_up();
    when_stuck(p);
    probe_link(p, 2, true, there);
    probe_equal(p, 1, ERA_SET_STATEMENTS, 2);
    struct era_frame_hello hello = probe_hello(p, 9);
    probe_greet(p, 2, &hello);
    const struct probe_seen *s = probe_look(p);
    cr_assert(s->ups == 0 && s->closes == 1 && s->closed_link == 2 && s->close == ERA_DUPLICATE);
    probe_free(p);
}

Test(stuck, nobody_with_another_key_takes_its_place)
{
    struct probe *p = given_anchor_up();
    when_stuck(p);
    greets(p, 2, 8);
    const struct probe_seen *s = probe_look(p);
    cr_assert(s->ups == 0 && s->closes == 1 && s->closed_link == 2 && s->refusal == ERA_OTHER_KEY);
    cr_assert_eq(probe_info(p, 1).state, ERA_PEER_UP);
    cr_assert_eq(probe_wait(p, 1000)->connects, 1, "the right one may answer next time");
    probe_free(p);
}

/* Should the stuck link end before the other is up, that is a dial like any other: the pin holds. */
Test(stuck, a_pin_holds_when_the_old_link_ends_first)
{
    struct era_key nine = {{9}};
    for (uint8_t node = 8; node <= 9; node++) {
        struct probe *p = given_anchor_up();
        cr_assert_eq(era_gossip_pin_anchor(p->g, there, &nine), ERA_ACCEPTED);
        when_stuck(p);
        probe_link(p, 2, true, there);
        era_gossip_link_down(p->g, p->w->now_ms, 1, ERA_ACCEPTED);
        probe_look(p);
        struct era_frame_hello hello = probe_hello(p, node);
        probe_greet(p, 2, &hello);
        const struct probe_seen *s = probe_look(p);
        cr_assert_eq(s->ups, node == 9);
        cr_assert_eq(s->refusals, node == 8);
        cr_assert(node == 8 || (probe_info(p, 2).anchor && probe_info(p, 2).pinned));
        probe_free(p);
    }
}

Test(stuck, a_peer_that_greets_and_never_answers_is_dialled_ever_more_seldom)
{
    struct probe *p = given_anchor_up();
    uint64_t pause_ms[8], link = 1;
    for (size_t i = 0; i < 8; i++) {
        uint64_t from_ms = p->w->now_ms;
        while (probe_wait(p, 100)->connects == 0)
            cr_assert_lt(p->w->now_ms - from_ms, 200000u);
        pause_ms[i] = p->w->now_ms - from_ms;
        greets(p, ++link, 9);
        cr_assert_eq(probe_look(p)->ups, 1);
    }
    cr_assert(pause_ms[0] <= 5100 && pause_ms[1] >= 10000 && pause_ms[2] >= 20000);
    cr_assert_geq(pause_ms[7], 40000);
    probe_free(p);
}

Test(stuck, whoever_was_dialled_waits_for_the_other_end)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    cr_assert_eq(probe_wait(p, 59000)->connects, 0);
    probe_free(p);
}

/* TCP holds on to both ways of the old link far beyond the cut. */
Test(stuck, after_a_cut_what_came_meanwhile_is_there_within_5_s)
{
    struct wire *w = wire_new(1000, 3);
    wire_node(w);
    wire_node(w);
    wire_anchor(w, 0, 1);
    wire_run(w, 5000);
    wire_stall(w, 0, 1, true);
    wire_stall(w, 1, 0, true);
    w->apart[0][1] = w->apart[1][0] = true;
    for (size_t i = 0; i < 2; i++)
        wire_give(w, i, wire_item(w, ERA_KIND_ANNOUNCEMENT, 200), true);
    wire_run(w, 20000);
    cr_assert_eq(wire_held(w, 0) + wire_held(w, 1), 2);
    wire_heal(w, 0, 1);
    wire_run(w, 5000);
    cr_assert_eq(wire_held(w, 0) + wire_held(w, 1), 4);
    wire_run(w, 5000);
    cr_assert_eq(wire_links_of(w, 0), 1);
    cr_assert_eq(wire_links_of(w, 1), 1, "whoever was dialled lets the old link go too");
    wire_free(w);
}

/* Though the active view is full. */
Test(stuck, who_dials_again_keeps_its_place_among_the_neighbours)
{
    char address[64];
    struct one t = given_one("tcp://127.0.0.1:1");
    for (uint16_t i = 0; i < 40; i++) {
        snprintf(address, sizeof address, "tcp://127.0.0.1:%u", 40000 + i);
        one_up(&t, 1 + i, i, address, false, false);
        one_asks(&t, 1 + i, ERA_NEIGHBOUR_ASK);
    }
    size_t active = era_overlay_counts(t.o).active;
    cr_assert(era_overlay_is_active(t.o, 1) && active < 40);
    one_up(&t, 100, 50, "tcp://127.0.0.1:50000", false, false);
    one_asks(&t, 100, ERA_NEIGHBOUR_ASK);
    cr_assert_not(era_overlay_is_active(t.o, 100), "there is no place for another");
    one_up(&t, 101, 0, "tcp://127.0.0.1:50001", false, false);
    one_asks(&t, 101, ERA_NEIGHBOUR_ASK);
    cr_assert(era_overlay_is_active(t.o, 101) && !era_overlay_is_active(t.o, 1));
    cr_assert_eq(era_overlay_counts(t.o).active, active);
    era_overlay_free(t.o);
}
