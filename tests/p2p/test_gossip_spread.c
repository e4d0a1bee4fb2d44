/* Items reach everybody: by push at once, by anti-entropy in the end (N3, M12). */
#include <criterion/criterion.h>

#include <string.h>

#include "src/base/prng.h"
#include "tests/p2p/probe.h"

#define LOOSE ERA_KIND_ANNOUNCEMENT
#define SMALL 200 /* bytes of payload */

static struct wire *given_nodes(size_t count)
{
    struct wire *w = wire_new(1000, 7);
    for (size_t i = 0; i < count; i++)
        wire_node(w);
    return w;
}

/* A ring and as many chords again: connected, degree about 4. */
static void given_random_graph(struct wire *w)
{
    struct era_prng prng;
    era_prng_init(&prng, 99);
    for (size_t i = 0; i < w->node_count; i++) {
        wire_anchor(w, i, (i + 1) % w->node_count);
        size_t other = era_prng_below(&prng, w->node_count);
        if (other != i && other != (i + 1) % w->node_count)
            wire_anchor(w, i, other);
    }
    wire_run(w, 100);
}

static void given_items(struct wire *w, size_t node, size_t count)
{
    for (size_t i = 0; i < count; i++)
        wire_give(w, node, wire_item(w, LOOSE, SMALL), false);
}

static void then_all_hold(const struct wire *w, size_t count)
{
    for (size_t i = 0; i < w->node_count; i++)
        cr_assert_eq(wire_held(w, i), count, "node %zu holds %zu of %zu", i, wire_held(w, i), count);
}

Test(spread, two_nodes_with_different_items_converge)
{
    struct wire *w = given_nodes(2);
    given_items(w, 0, 50);
    given_items(w, 1, 70);
    wire_anchor(w, 0, 1);
    wire_run(w, 500);
    then_all_hold(w, 120);
    cr_assert_gt(wire_peer(w, 0, 1).equal_rounds, 0, "confirmed at once");
    cr_assert_eq(wire_peer(w, 0, 1).duplicates_in + wire_peer(w, 1, 0).duplicates_in, 0);
    wire_free(w);
}

Test(spread, a_new_item_is_pushed_within_the_flush_interval)
{
    struct wire *w = given_nodes(2);
    wire_anchor(w, 0, 1);
    wire_run(w, 100);
    wire_give(w, 0, wire_item(w, LOOSE, SMALL), true);
    wire_run(w, 2 + w->delay_ms);
    then_all_hold(w, 1);
    cr_assert_eq(wire_peer(w, 1, 0).statements_in, 1);
    wire_free(w);
}

Test(spread, items_of_one_moment_share_a_frame)
{
    struct wire *w = given_nodes(2);
    wire_anchor(w, 0, 1);
    wire_run(w, 100);
    uint64_t before = wire_peer(w, 0, 1).frames_out;
    for (int i = 0; i < 100; i++)
        wire_give(w, 0, wire_item(w, LOOSE, SMALL), true);
    wire_run(w, 10);
    then_all_hold(w, 100);
    cr_assert_eq(wire_peer(w, 0, 1).frames_out - before, 1);
    wire_free(w);
}

Test(spread, a_flood_over_twenty_nodes_reaches_everybody_and_counts_duplicates)
{
    struct wire *w = given_nodes(20);
    given_random_graph(w);
    for (size_t i = 0; i < 300; i++)
        wire_give(w, i % 20, wire_item(w, LOOSE, SMALL), true);
    wire_run(w, 200);
    then_all_hold(w, 300);
    uint64_t duplicates = 0, in = 0;
    struct era_peer_info infos[ERA_LINKS_MAX];
    for (size_t i = 0; i < 20; i++) {
        size_t n = era_gossip_peers(w->nodes[i].gossip, infos, ERA_LINKS_MAX);
        for (size_t k = 0; k < n; k++) {
            duplicates += infos[k].duplicates_in;
            in += infos[k].statements_in;
            cr_assert_eq(infos[k].score, 0, "duplicates only raise counters");
        }
    }
    cr_assert_eq(in, 300 * 19 + duplicates);
    cr_assert_lt(duplicates, 300 * 19 * 3);
    wire_free(w);
}

Test(spread, an_item_never_goes_back_to_where_it_came_from)
{
    struct wire *w = given_nodes(2);
    wire_anchor(w, 0, 1);
    wire_run(w, 100);
    for (int i = 0; i < 50; i++)
        wire_give(w, 0, wire_item(w, LOOSE, SMALL), true);
    wire_run(w, 10000);
    cr_assert_eq(wire_peer(w, 0, 1).statements_in, 0);
    cr_assert_eq(wire_peer(w, 1, 0).statements_in, 50);
    wire_free(w);
}

Test(spread, a_late_joiner_gets_twenty_thousand_items_once_from_three_peers)
{
    struct wire *w = given_nodes(3);
    for (size_t i = 0; i < 20000; i++) {
        size_t item = wire_item(w, LOOSE, SMALL);
        for (size_t n = 0; n < 3; n++)
            wire_give(w, n, item, false);
    }
    wire_anchor(w, 0, 1);
    wire_anchor(w, 1, 2);
    wire_run(w, 1000);
    wire_node(w);
    for (size_t n = 0; n < 3; n++)
        wire_anchor(w, 3, n);
    wire_run(w, 3000);
    cr_assert_eq(wire_held(w, 3), 20000, "held %zu", wire_held(w, 3));
    uint64_t in = 0;
    for (size_t n = 0; n < 3; n++)
        in += wire_peer(w, 3, n).statements_in;
    cr_assert_eq(in, 20000);
    cr_assert_lt(wire_peer(w, 3, 0).frames_out, 150);
    wire_run(w, 6000);
    for (size_t n = 0; n < 3; n++)
        cr_assert_gt(wire_peer(w, 3, n).equal_rounds, 0);
    wire_free(w);
}

Test(spread, a_joiner_that_is_dialled_gets_everything_too)
{
    struct wire *w = given_nodes(2);
    given_items(w, 0, 20000);
    wire_anchor(w, 0, 1);
    wire_run(w, 3000);
    then_all_hold(w, 20000);
    cr_assert_eq(wire_peer(w, 1, 0).statements_in, 20000);
    wire_free(w);
}

Test(spread, a_node_that_was_down_gets_what_it_missed)
{
    struct wire *w = given_nodes(5);
    given_random_graph(w);
    given_items(w, 0, 100);
    wire_run(w, 5000);
    wire_stop(w, 3);
    for (size_t i = 0; i < 400; i++)
        wire_give(w, 0, wire_item(w, LOOSE, SMALL), true);
    wire_run(w, 60000);
    cr_assert_eq(wire_held(w, 3), 100);
    wire_start(w, 3);
    wire_run(w, 12000);
    then_all_hold(w, 500);
    wire_free(w);
}

Test(spread, N3_a_partition_heals)
{
    struct wire *w = given_nodes(10);
    given_random_graph(w);
    for (size_t a = 0; a < 5; a++)
        for (size_t b = 5; b < 10; b++)
            wire_cut(w, a, b, true);
    for (size_t i = 0; i < 200; i++)
        wire_give(w, i % 10, wire_item(w, LOOSE, SMALL), true);
    wire_run(w, 30000);
    cr_assert_eq(wire_held(w, 0), 100);
    cr_assert_eq(wire_held(w, 9), 100);
    for (size_t a = 0; a < 5; a++)
        for (size_t b = 5; b < 10; b++)
            wire_heal(w, a, b);
    wire_run(w, 13000);
    then_all_hold(w, 200);
    wire_free(w);
}

Test(spread, a_slow_link_is_skipped_and_then_healed)
{
    struct wire *w = given_nodes(2);
    wire_anchor(w, 0, 1);
    wire_run(w, 100);
    wire_stall(w, 0, 1, true);
    for (size_t i = 0; i < 600; i++) {
        wire_give(w, 0, wire_item(w, LOOSE, 20000), true);
        if (i % 10 == 0)
            wire_run(w, 5);
    }
    struct era_peer_info slow = wire_peer(w, 0, 1);
    cr_assert_gt(slow.skipped_out, 300);
    cr_assert_leq(slow.queued_bytes, ERA_LINK_OUT_BYTES_MAX + ERA_FRAME_BYTES_MAX);
    wire_stall(w, 0, 1, false);
    wire_run(w, 4000);
    then_all_hold(w, 600);
    wire_free(w);
}

Test(spread, the_dialled_end_too_heals_what_it_skipped)
{
    struct wire *w = given_nodes(2);
    wire_anchor(w, 1, 0);
    wire_run(w, 1100);
    wire_stall(w, 0, 1, true);
    for (size_t i = 0; i < 300; i++)
        wire_give(w, 0, wire_item(w, LOOSE, 20000), true);
    cr_assert_gt(wire_peer(w, 0, 1).skipped_out, 0);
    wire_run(w, 500);
    wire_stall(w, 0, 1, false);
    wire_run(w, 3000);
    then_all_hold(w, 300);
    wire_free(w);
}

Test(spread, a_statement_of_900_kB_travels_in_fragments)
{
    struct wire *w = given_nodes(3);
    wire_anchor(w, 0, 1);
    wire_run(w, 100);
    size_t large = wire_item(w, LOOSE, 900000);
    wire_give(w, 0, wire_item(w, LOOSE, SMALL), true);
    wire_give(w, 0, large, true);
    wire_give(w, 0, wire_item(w, LOOSE, SMALL), true);
    wire_run(w, 10);
    cr_assert_eq(wire_held(w, 1), 3);
    wire_anchor(w, 2, 1); /* and by anti-entropy */
    wire_run(w, 200);
    cr_assert_eq(wire_held(w, 2), 3);
    cr_assert_eq(wire_peer(w, 2, 1).score, 0);
    wire_free(w);
}

Test(spread, sets_that_differ_by_a_few_of_many_move_only_the_few)
{
    struct wire *w = given_nodes(2);
    for (size_t i = 0; i < 5000; i++) {
        size_t item = wire_item(w, LOOSE, SMALL);
        if (i % 1000 != 1)
            wire_give(w, 0, item, false);
        if (i % 1000 != 2)
            wire_give(w, 1, item, false);
    }
    wire_anchor(w, 0, 1);
    wire_run(w, 1000);
    then_all_hold(w, 5000);
    cr_assert_eq(wire_peer(w, 0, 1).statements_in, 5);
    cr_assert_eq(wire_peer(w, 1, 0).statements_in, 5);
    cr_assert_lt(w->bytes, 60000);
    wire_free(w);
}

Test(spread, both_ends_see_equal_rounds)
{
    struct wire *w = given_nodes(2);
    uint64_t last_ms;
    given_items(w, 0, 10);
    wire_anchor(w, 0, 1);
    wire_run(w, 40000);
    cr_assert_geq(era_gossip_equal_rounds(w->nodes[0].gossip, &last_ms), 4);
    cr_assert_gt(last_ms, 8000);
    cr_assert_geq(era_gossip_equal_rounds(w->nodes[1].gossip, &last_ms), 4);
    wire_free(w);
}

Test(spread, an_item_that_left_the_set_is_offered_no_more)
{
    struct wire *w = given_nodes(3);
    size_t item = wire_item(w, LOOSE, SMALL);
    wire_give(w, 0, item, false);
    wire_anchor(w, 0, 1);
    wire_run(w, 500);
    wire_take(w, 0, item);
    wire_take(w, 1, item);
    wire_anchor(w, 2, 0);
    wire_run(w, 5000);
    cr_assert_eq(wire_held(w, 2), 0);
    cr_assert_eq(era_gossip_set_size(w->nodes[0].gossip, ERA_SET_STATEMENTS), 0);
    wire_free(w);
}

Test(spread, a_refused_item_is_not_asked_for_again_until_it_is_forgotten)
{
    struct wire *w = given_nodes(2);
    size_t item = wire_item(w, LOOSE, SMALL);
    w->nodes[1].answer[item] = ERA_NO_PREV;
    wire_give(w, 0, item, false);
    wire_anchor(w, 1, 0);
    wire_run(w, 30000);
    cr_assert_eq(w->nodes[1].delivered, 1);
    w->nodes[1].answer[item] = ERA_ACCEPTED;
    era_gossip_forget_refused(w->nodes[1].gossip);
    wire_run(w, 2500);
    then_all_hold(w, 1);
    wire_free(w);
}

Test(spread, a_store_that_failed_gets_the_item_again)
{
    struct wire *w = given_nodes(2);
    size_t item = wire_item(w, LOOSE, SMALL);
    w->nodes[1].answer[item] = ERA_STORE_FAILED;
    wire_give(w, 0, item, false);
    wire_anchor(w, 1, 0);
    wire_run(w, 10000);
    w->nodes[1].answer[item] = ERA_ACCEPTED;
    wire_run(w, 2500);
    then_all_hold(w, 1);
    wire_free(w);
}

Test(spread, a_store_that_fails_is_not_asked_again_at_once)
{
    struct wire *w = given_nodes(2);
    size_t item = wire_item(w, LOOSE, SMALL);
    w->nodes[1].answer[item] = ERA_STORE_FAILED;
    wire_give(w, 0, item, false);
    wire_anchor(w, 1, 0);
    wire_run(w, 60000);
    cr_assert_gt(w->nodes[1].delivered, 1);
    cr_assert_leq(w->nodes[1].delivered, 9, "%zu deliveries in a minute", w->nodes[1].delivered);
    wire_free(w);
}

static void set_blocked(struct wire *w, size_t node, bool blocked)
{
    era_gossip_set_blocked(w->nodes[node].gossip, w->now_ms, blocked);
    wire_act(w);
}

Test(spread, N1_R15_a_blocked_node_gets_and_sends_no_events_while_statements_pass)
{
    struct wire *w = given_nodes(3); /* 0 - 1 - 2, node 1 blocked */
    wire_anchor(w, 0, 1);
    wire_anchor(w, 1, 2);
    wire_run(w, 100);
    size_t early = wire_item(w, ERA_KIND_EVENT, SMALL);
    wire_give(w, 1, early, false); /* in its ring, not yet offered */
    set_blocked(w, 1, true);
    wire_run(w, 50);
    wire_give(w, 0, wire_item(w, ERA_KIND_EVENT, SMALL), true);
    wire_give(w, 0, wire_item(w, LOOSE, SMALL), true);
    wire_run(w, 20000);
    cr_assert_eq(wire_held(w, 2), 1, "the statement alone");
    cr_assert_eq(wire_peer(w, 1, 0).events_in, 0);
    cr_assert_eq(wire_peer(w, 1, 0).events_out, 0);
    cr_assert_eq(wire_peer(w, 1, 2).events_out, 0);
    cr_assert(wire_peer(w, 0, 1).blocked);
    set_blocked(w, 1, false);
    wire_run(w, 6000);
    then_all_hold(w, 3);
    wire_free(w);
}

Test(spread, N1_a_node_that_joins_blocked_says_so_in_its_hello)
{
    struct wire *w = given_nodes(2);
    set_blocked(w, 1, true);
    wire_give(w, 0, wire_item(w, ERA_KIND_EVENT, SMALL), false);
    wire_give(w, 0, wire_item(w, LOOSE, SMALL), false);
    wire_anchor(w, 0, 1);
    wire_run(w, 10000);
    cr_assert(wire_peer(w, 0, 1).blocked);
    cr_assert_eq(wire_held(w, 1), 1);
    cr_assert_eq(wire_peer(w, 0, 1).events_out, 0);
    wire_free(w);
}

Test(spread, I15_time_near_its_end_does_not_overflow)
{
    struct wire *w = wire_new(UINT64_MAX - 20000, 7);
    wire_node(w);
    wire_node(w);
    given_items(w, 0, 2000);
    wire_anchor(w, 0, 1);
    wire_run(w, 10000);
    then_all_hold(w, 2000);
    wire_give(w, 0, wire_item(w, LOOSE, SMALL), true);
    wire_run(w, 30000);
    cr_assert_eq(w->now_ms, UINT64_MAX);
    then_all_hold(w, 2001);
    wire_free(w);
}

Test(spread, I15_at_the_very_end_of_time_nothing_is_due)
{
    struct probe *p = probe_new(UINT64_MAX - 1000);
    probe_up(p, 1, false, 9);
    wire_give(p->w, 0, wire_item(p->w, LOOSE, SMALL), true);
    era_gossip_tick(p->g, UINT64_MAX);
    era_gossip_tick(p->g, UINT64_MAX);
    cr_assert_eq(probe_look(p)->closes, 0);
    cr_assert_eq(p->seen.statements, 1);
    probe_free(p);
}

Test(spread, an_item_is_not_pushed_to_a_link_that_sent_it_while_it_was_stored)
{
    struct probe *p = probe_new(1000);
    size_t item = wire_item(p->w, LOOSE, SMALL);
    for (uint8_t link = 1; link <= 3; link++)
        probe_up(p, link, false, (uint8_t)(10 + link));
    p->n->held[item] = true;
    era_gossip_verdict(p->g, 1000, 2, &p->w->items[item].id, ERA_DUPLICATE);
    era_gossip_publish(p->g, 1000, ERA_SET_STATEMENTS, &p->w->items[item].id, 1, true);
    cr_assert_eq(probe_wait(p, 2)->statements, 1);
    cr_assert_eq(p->seen.sent_link, 3);
    probe_free(p);
}

Test(spread, an_item_that_was_only_offered_is_not_pushed_to_who_brought_it)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    size_t item = wire_item(p->w, LOOSE, SMALL);
    const struct era_hash *id = &p->w->items[item].id;
    probe_statement(p, 1, item);
    p->n->held[item] = true;
    era_gossip_publish(p->g, 1000, ERA_SET_STATEMENTS, id, 1, false);
    era_gossip_publish(p->g, 1000, ERA_SET_STATEMENTS, id, 0, true);
    const struct probe_seen *seen = probe_wait(p, 2 * ERA_ANNOUNCE_LATE_MS);
    cr_assert_eq(seen->statements, 0);
    cr_assert_eq(seen->announced, 0);
    probe_free(p);
}

Test(spread, what_was_skipped_is_healed_as_soon_as_the_link_has_drained)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, true, 9);
    uint64_t round = probe_wait(p, 0)->digest_round;
    probe_equal(p, 1, ERA_SET_STATEMENTS, round);
    p->reads = false;
    for (int i = 0; i < 300; i++)
        wire_give(p->w, 0, wire_item(p->w, LOOSE, 20000), true);
    size_t sent = probe_wait(p, 2)->bytes;
    cr_assert_gt(probe_info(p, 1).skipped_out, 0);
    cr_assert_gt(era_gossip_deadline_ms(p->g), p->w->now_ms);
    era_gossip_sent(p->g, p->w->now_ms, 1, sent);
    cr_assert_eq(era_gossip_deadline_ms(p->g), p->w->now_ms);
    cr_assert_eq(probe_wait(p, 0)->digest_round, round + 2);
    probe_free(p);
}

Test(spread, items_that_came_a_moment_ago_are_left_to_the_pushes_but_not_for_ever)
{
    struct probe *p = probe_new(1000);
    size_t item = wire_item(p->w, LOOSE, SMALL);
    struct era_hash other = {.b = {7}};
    probe_up(p, 1, false, 9);
    probe_wait(p, 500);
    wire_give(p->w, 0, item, true);
    probe_wait(p, 10);
    probe_digest(p, 1, ERA_SET_STATEMENTS, 2, NULL, 0);
    cr_assert_eq(probe_look(p)->answer, ERA_WORD_WAIT, "it is under way");
    probe_digest(p, 1, ERA_SET_STATEMENTS, 4, &p->w->items[item].id, 1);
    cr_assert_eq(probe_look(p)->answer, ERA_WORD_EQUAL, "it came");
    probe_digest(p, 1, ERA_SET_STATEMENTS, 6, &other, 1);
    cr_assert_eq(probe_look(p)->answer, ERA_WORD_CELLS);
    probe_wait(p, 1000);
    probe_digest(p, 1, ERA_SET_STATEMENTS, 8, NULL, 0);
    cr_assert_eq(probe_look(p)->answer, ERA_WORD_CELLS, "it should be there by now");
    probe_free(p);
}

Test(spread, rounds_of_events_do_not_count_as_equal)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    probe_digest(p, 1, ERA_SET_EVENTS, 2, NULL, 0);
    cr_assert_eq(probe_look(p)->answers, 1);
    cr_assert_eq(probe_info(p, 1).equal_rounds, 0);
    probe_digest(p, 1, ERA_SET_STATEMENTS, 2, NULL, 0);
    cr_assert_eq(probe_info(p, 1).equal_rounds, 1);
    probe_free(p);
}
