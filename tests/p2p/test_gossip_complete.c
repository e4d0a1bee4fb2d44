/* Complete rounds, and what they tell of anchors: a node that starts may sign
 * only when it has learned all that its configured peers hold (protocol 9). */
#include <criterion/criterion.h>

#include <string.h>

#include "tests/p2p/probe.h"

#define LOOSE  ERA_KIND_ANNOUNCEMENT
#define SMALL  200
#define ANCHOR "tcp://10.0.0.9:7711"

/* A link that we dialled, up, and our first round on it. */
static uint64_t given_round(struct probe *p, uint64_t link, uint8_t node)
{
    probe_up(p, link, true, node);
    uint64_t round = probe_wait(p, 0)->digest_round;
    cr_assert_neq(round, 0);
    return round;
}

/* Ids that nobody has an item for. */
static void given_ids(struct era_hash *ids, size_t count)
{
    memset(ids, 0, count * sizeof *ids);
    for (size_t i = 0; i < count; i++) {
        ids[i].b[0] = 3;
        era_put_be64(ids[i].b + 8, i);
    }
}

/* The peer answers with cells of a set of just these. */
static void when_named(struct probe *p, uint64_t link, uint64_t round, const struct era_hash *ids,
                       size_t count)
{
    probe_cells(p, link, ERA_SET_STATEMENTS, round, ids, count, 2 * count + 20);
    probe_look(p);
}

static void when_published(struct probe *p, const struct era_hash *id)
{
    era_gossip_publish(p->g, p->w->now_ms, ERA_SET_STATEMENTS, id, 1, true);
}

static void when_judged(struct probe *p, const struct era_hash *id, enum era_verdict verdict)
{
    era_gossip_verdict(p->g, p->w->now_ms, 1, id, verdict);
}

static uint64_t complete(const struct probe *p)
{
    cr_assert_eq(era_gossip_complete_rounds(p->g), probe_info(p, 1).complete_rounds);
    return probe_info(p, 1).complete_rounds;
}

Test(complete, a_round_is_when_both_ends_are_equal)
{
    struct probe *p = probe_new(1000);
    uint64_t round = given_round(p, 1, 9);
    cr_assert_eq(complete(p), 0, "a round begun is no round");
    probe_equal(p, 1, ERA_SET_STATEMENTS, round);
    cr_assert_eq(complete(p), 1);
    probe_equal(p, 1, ERA_SET_STATEMENTS, round);
    cr_assert_eq(complete(p), 1, "counted once");
    probe_digest(p, 1, ERA_SET_STATEMENTS, 3, NULL, 0);
    cr_assert_eq(complete(p), 2, "the peer's rounds too");
    probe_free(p);
}

Test(complete, a_round_of_events_tells_nothing)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, true, 9);
    probe_equal(p, 1, ERA_SET_EVENTS, probe_wait(p, 0)->event_round);
    cr_assert_eq(complete(p), 0);
    probe_free(p);
}

Test(complete, a_peer_that_says_wait_has_not_told_all)
{
    struct probe *p = probe_new(1000);
    uint64_t round = given_round(p, 1, 9);
    probe_word(p, 1, ERA_SET_STATEMENTS, round, ERA_WORD_WAIT);
    cr_assert_eq(complete(p), 0);
    probe_free(p);
}

Test(complete, a_round_is_when_all_that_it_named_came_and_was_judged)
{
    struct probe *p = probe_new(1000);
    struct era_hash ids[4];
    given_ids(ids, 4);
    uint64_t round = given_round(p, 1, 9);
    when_published(p, &ids[3]); /* held before it is named */
    when_named(p, 1, round, ids, 4);
    cr_assert_eq(complete(p), 0);
    when_published(p, &ids[0]);
    cr_assert_eq(complete(p), 0);
    when_judged(p, &ids[1], ERA_DUPLICATE);
    cr_assert_eq(complete(p), 0, "one is outstanding");
    when_judged(p, &ids[2], ERA_NO_PREV);
    cr_assert_eq(complete(p), 1, "a refused one is learned too");
    probe_free(p);
}

Test(complete, a_peer_that_names_what_we_hold_or_refused_has_nothing_more_to_tell)
{
    struct probe *p = probe_new(1000);
    struct era_hash ids[2];
    given_ids(ids, 2);
    uint64_t round = given_round(p, 1, 9);
    when_published(p, &ids[0]);
    when_judged(p, &ids[1], ERA_DOMINATED);
    when_named(p, 1, round, ids, 2);
    cr_assert_eq(complete(p), 1, "though the sets differ for ever");
    cr_assert_eq(probe_info(p, 1).equal_rounds, 0);
    probe_free(p);
}

Test(complete, what_is_held_and_kept_out_of_the_set_is_not_asked_for)
{
    struct probe *p = probe_new(1000);
    struct era_hash ids[2];
    given_ids(ids, 2);
    uint64_t round = given_round(p, 1, 9);
    era_gossip_keep_out(p->g, &ids[0]);
    when_named(p, 1, round, ids, 2);
    cr_assert_eq(p->seen.asked_ids, 1);
    when_judged(p, &ids[1], ERA_NO_PREV);
    cr_assert_eq(complete(p), 1);
    probe_free(p);
}

Test(complete, a_round_whose_cells_do_not_come_apart_goes_on_with_more)
{
    struct probe *p = probe_new(1000);
    struct era_hash ids[100];
    given_ids(ids, 100);
    uint64_t round = given_round(p, 1, 9);
    probe_cells(p, 1, ERA_SET_STATEMENTS, round, ids, 100, 80);
    cr_assert_geq(probe_look(p)->more_cells, 20);
    cr_assert_eq(p->seen.asked_ids, 0);
    cr_assert_eq(complete(p), 0);
    probe_more_cells(p, 1, ERA_SET_STATEMENTS, round, ids, 100, 80, 250);
    cr_assert_eq(probe_look(p)->asked_ids, 100);
    for (size_t i = 0; i < 100; i++)
        when_published(p, &ids[i]);
    cr_assert_eq(complete(p), 1);
    probe_free(p);
}

Test(complete, what_is_asked_for_in_steps_is_owed_from_the_first_on)
{
    static struct era_hash ids[4000];
    struct probe *p = probe_new(1000);
    given_ids(ids, 4000);
    uint64_t round = given_round(p, 1, 9);
    probe_cells(p, 1, ERA_SET_STATEMENTS, round, ids, 4000, 8000);
    size_t asked = probe_look(p)->asked_ids;
    cr_assert_eq(asked, 1800);
    for (size_t i = 0; i < 4000; i++) {
        cr_assert_eq(complete(p), 0);
        when_published(p, &ids[i]);
    }
    asked += probe_look(p)->asked_ids;
    cr_assert_leq(asked, 4000);
    cr_assert_eq(complete(p), 1);
    probe_free(p);
}

Test(complete, a_whole_set_that_came_in_order_leaves_the_word_to_the_next_round)
{
    struct probe *p = probe_new(1000);
    struct era_hash id;
    given_ids(&id, 1);
    uint64_t round = given_round(p, 1, 9);
    probe_word(p, 1, ERA_SET_STATEMENTS, round, ERA_WORD_PAGES);
    when_published(p, &id);
    probe_word(p, 1, ERA_SET_STATEMENTS, round, ERA_WORD_END);
    cr_assert_eq(complete(p), 0);
    cr_assert_eq(probe_wait(p, 0)->digest_round, round + 2);
    probe_equal(p, 1, ERA_SET_STATEMENTS, round + 2);
    cr_assert_eq(complete(p), 1);
    probe_free(p);
}

Test(complete, an_item_that_could_not_be_stored_is_not_learned)
{
    struct probe *p = probe_new(1000);
    struct era_hash ids[2];
    given_ids(ids, 2);
    uint64_t round = given_round(p, 1, 9);
    when_named(p, 1, round, ids, 2);
    when_judged(p, &ids[0], ERA_STORE_FAILED);
    when_published(p, &ids[1]);
    cr_assert_eq(complete(p), 0);
    probe_free(p);
}

Test(complete, a_peer_that_never_sends_what_it_names_has_none)
{
    struct probe *p = probe_new(1000);
    struct era_hash id;
    size_t rounds = 0;
    given_ids(&id, 1);
    when_named(p, 1, given_round(p, 1, 9), &id, 1);
    for (int i = 0; i < 120; i++) {
        uint64_t round = probe_wait(p, 1000)->digest_round;
        if (round != 0)
            when_named(p, 1, round, &id, 1);
        rounds += round != 0;
    }
    cr_assert_gt(rounds, 50);
    cr_assert_eq(complete(p), 0);
    probe_free(p);
}

/* The rounds of the dialled end are far apart: what it asked for runs out within one. */
Test(complete, a_round_of_which_something_was_lost_is_not)
{
    struct probe *p = probe_new(1000);
    struct era_hash id;
    given_ids(&id, 1);
    probe_up(p, 1, false, 9);
    uint64_t round = probe_wait(p, 8000)->digest_round;
    when_named(p, 1, round, &id, 1);
    probe_wait(p, 4001);
    cr_assert_eq(p->seen.digest_round, 0, "no other round began");
    cr_assert_eq(complete(p), 0);
    cr_assert_eq(probe_info(p, 1).score, 1);
    probe_free(p);
}

Test(complete, what_another_peer_owes_is_not_learned_from_this_one)
{
    struct probe *p = probe_new(1000);
    struct era_hash id;
    given_ids(&id, 1);
    uint64_t first = given_round(p, 1, 9), second = given_round(p, 2, 8);
    when_named(p, 1, first, &id, 1);
    when_named(p, 2, second, &id, 1);
    when_published(p, &id);
    cr_assert_eq(probe_info(p, 1).complete_rounds, 1);
    cr_assert_eq(probe_info(p, 2).complete_rounds, 0);
    probe_wait(p, 2000);
    probe_equal(p, 2, ERA_SET_STATEMENTS, second + 2);
    cr_assert_eq(probe_info(p, 2).complete_rounds, 1, "by its next round");
    probe_free(p);
}

Test(complete, what_was_asked_in_a_round_before_does_not_count_for_the_next)
{
    struct probe *p = probe_new(1000);
    struct era_hash ids[2];
    given_ids(ids, 2);
    when_named(p, 1, given_round(p, 1, 9), ids, 1);
    uint64_t round = probe_wait(p, 2000)->digest_round;
    when_named(p, 1, round, ids, 2);
    when_published(p, &ids[1]);
    cr_assert_eq(complete(p), 0, "the first is outstanding");
    when_published(p, &ids[0]);
    cr_assert_eq(complete(p), 0);
    probe_equal(p, 1, ERA_SET_STATEMENTS, probe_wait(p, 0)->digest_round);
    cr_assert_eq(complete(p), 1);
    probe_free(p);
}

Test(complete, ends_that_refuse_each_others_items_for_ever_both_learn_all)
{
    struct wire *w = wire_new(1000, 7);
    for (size_t i = 0; i < 2; i++)
        wire_node(w);
    for (size_t i = 0; i < 2; i++) {
        size_t item = wire_item(w, LOOSE, SMALL);
        w->nodes[1 - i].answer[item] = ERA_NO_PREV;
        wire_give(w, i, item, false);
    }
    wire_anchor(w, 0, 1);
    wire_run(w, 10000);
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(wire_peer(w, i, 1 - i).equal_rounds, 0);
        cr_assert_gt(wire_peer(w, i, 1 - i).complete_rounds, 0, "node %zu", i);
    }
    wire_free(w);
}

/* Node 0 has so many that node 1 refuses, node 1 so many that node 0 does, and one that it takes. */
static void look_at_strangers(size_t first, size_t second)
{
    struct wire *w = wire_new(1000, 7);
    for (size_t i = 0; i < 2; i++)
        wire_node(w);
    for (size_t i = 0; i < first + second; i++) {
        size_t item = wire_item(w, LOOSE, SMALL), owner = i >= first;
        w->nodes[1 - owner].answer[item] = ERA_NO_PREV;
        wire_give(w, owner, item, false);
    }
    wire_anchor(w, 0, 1);
    wire_run(w, 10000);
    size_t item = wire_item(w, LOOSE, SMALL);
    wire_give(w, 1, item, false);
    wire_run(w, 60000);
    cr_assert(w->nodes[0].held[item]);
    for (size_t i = 0; i < 2; i++)
        cr_assert_gt(wire_peer(w, i, 1 - i).complete_rounds, 0, "node %zu", i);
    wire_free(w);
}

Test(complete, a_whole_set_that_is_refused_keeps_nobody_from_learning)
{
    look_at_strangers(200, 80);
    look_at_strangers(80, 200);
}

/* The end that was dialled gets nothing and refuses nothing: only its own round tells it so. */
Test(complete, the_dialled_end_learns_though_the_dialler_has_nothing_new)
{
    struct wire *w = wire_new(1000, 7);
    for (size_t i = 0; i < 2; i++)
        wire_node(w);
    size_t item = wire_item(w, LOOSE, SMALL);
    w->nodes[0].answer[item] = ERA_NO_PREV;
    wire_give(w, 1, item, false);
    wire_anchor(w, 0, 1);
    wire_run(w, 10000);
    cr_assert_gt(wire_peer(w, 1, 0).complete_rounds, 0);
    wire_free(w);
}

Test(complete, a_joiner_of_thousands_of_items_learns_all_of_every_peer)
{
    struct wire *w = wire_new(1000, 7);
    for (size_t i = 0; i < 4; i++)
        wire_node(w);
    for (size_t i = 0; i < 5000; i++) {
        size_t item = wire_item(w, LOOSE, SMALL);
        for (size_t n = 0; n < 3; n++)
            wire_give(w, n, item, false);
    }
    for (size_t n = 0; n < 3; n++)
        wire_anchor(w, 3, n);
    size_t reachable, reconciled;
    do {
        wire_run(w, 10);
        cr_assert_eq(era_gossip_anchor_state(w->nodes[3].gossip, &reachable, &reconciled), 3);
        cr_assert_eq(reachable, 3);
        cr_assert(reconciled == 0 || wire_held(w, 3) == 5000);
        cr_assert_lt(w->now_ms, 10000);
    } while (reconciled < 3);
    wire_free(w);
}

/* ---- anchors ---- */

static void then_anchors(const struct probe *p, size_t count, size_t reachable, size_t reconciled)
{
    size_t r, c;
    cr_assert_eq(era_gossip_anchor_state(p->g, &r, &c), count);
    cr_assert_eq(r, reachable, "%zu reachable", r);
    cr_assert_eq(c, reconciled, "%zu reconciled", c);
}

static struct probe *given_anchor(void)
{
    struct probe *p = probe_new(1000);
    then_anchors(p, 0, 0, 0);
    cr_assert_eq(era_gossip_add_anchor(p->g, ANCHOR), ERA_ACCEPTED);
    return p;
}

static void when_greeted(struct probe *p, uint64_t link, bool outgoing, const char *address, uint8_t node,
                         const char *listen)
{
    struct era_frame_hello hello = probe_hello(p, node);
    era_text_set(hello.listen, sizeof hello.listen, listen);
    probe_link(p, link, outgoing, address);
    probe_greet(p, link, &hello);
}

Test(anchor, is_reachable_until_its_first_dial_has_failed_and_while_it_is_linked)
{
    struct probe *p = given_anchor();
    then_anchors(p, 1, 1, 0);
    probe_wait(p, 0);
    then_anchors(p, 1, 1, 0);
    era_gossip_dial_failed(p->g, p->w->now_ms, ANCHOR);
    then_anchors(p, 1, 0, 0);
    cr_assert_eq(probe_wait(p, ERA_RECONNECT_MIN_MS)->connects, 1);
    then_anchors(p, 1, 0, 0);
    probe_link(p, 1, true, ANCHOR);
    then_anchors(p, 1, 1, 0);
    cr_assert_eq(probe_wait(p, ERA_HANDSHAKE_MS)->closes, 1);
    then_anchors(p, 1, 0, 0);
    probe_free(p);
}

Test(anchor, is_reconciled_by_a_complete_round_and_stays_so)
{
    struct probe *p = given_anchor();
    probe_wait(p, 0);
    when_greeted(p, 1, true, ANCHOR, 9, "");
    uint64_t round = probe_wait(p, 0)->digest_round;
    then_anchors(p, 1, 1, 0);
    cr_assert(probe_info(p, 1).anchor);
    probe_equal(p, 1, ERA_SET_STATEMENTS, round);
    then_anchors(p, 1, 1, 1);
    era_gossip_link_down(p->g, p->w->now_ms, 1, ERA_ACCEPTED);
    then_anchors(p, 1, 0, 1);
    probe_free(p);
}

Test(anchor, is_reconciled_by_no_other_peer)
{
    struct probe *p = given_anchor();
    probe_wait(p, 0);
    era_gossip_dial_failed(p->g, p->w->now_ms, ANCHOR);
    when_greeted(p, 1, false, "tcp://10.0.0.8:40000", 8, "tcp://10.0.0.8:7711");
    probe_look(p);
    probe_digest(p, 1, ERA_SET_STATEMENTS, 2, NULL, 0);
    cr_assert_eq(probe_info(p, 1).complete_rounds, 1);
    cr_assert_not(probe_info(p, 1).anchor);
    then_anchors(p, 1, 0, 0);
    probe_free(p);
}

/* Whoever says so could otherwise unlock a key by holding nothing. */
Test(anchor, is_not_whoever_says_to_listen_at_its_address)
{
    struct probe *p = given_anchor();
    probe_wait(p, 0);
    era_gossip_dial_failed(p->g, p->w->now_ms, ANCHOR);
    when_greeted(p, 1, false, "tcp://10.0.0.9:40000", 9, ANCHOR);
    cr_assert_not(probe_info(p, 1).anchor);
    probe_look(p);
    probe_digest(p, 1, ERA_SET_STATEMENTS, 2, NULL, 0);
    cr_assert_eq(probe_info(p, 1).complete_rounds, 1);
    then_anchors(p, 1, 0, 0);
    probe_free(p);
}

Test(anchor, that_answers_with_another_key_than_before_is_seen_and_served)
{
    struct probe *p = given_anchor();
    probe_wait(p, 0);
    for (uint64_t link = 1; link <= 4; link++) {
        uint8_t node = link < 3 ? 9 : 8;
        when_greeted(p, link, true, ANCHOR, node, "");
        cr_assert_eq(probe_look(p)->ups, 1);
        cr_assert(probe_info(p, link).anchor);
        cr_assert_eq(probe_info(p, link).anchor_keys, link < 3 ? 0 : 1);
        era_gossip_link_down(p->g, p->w->now_ms, link, ERA_ACCEPTED);
        cr_assert_eq(probe_wait(p, ERA_RECONNECT_MAX_MS)->connects, 1);
    }
    probe_free(p);
}

/* It listens at 0.0.0.0: only our own dial, closed at once as a second link, tells who it is. */
Test(anchor, that_dialled_us_is_known_by_the_node_that_our_dial_found)
{
    struct probe *p = given_anchor();
    probe_wait(p, 0);
    when_greeted(p, 1, true, "tcp://10.0.0.77:7711", 9, "tcp://0.0.0.0:7711");
    probe_equal(p, 1, ERA_SET_STATEMENTS, probe_wait(p, 0)->digest_round);
    cr_assert_not(probe_info(p, 1).anchor);
    then_anchors(p, 1, 1, 0);
    when_greeted(p, 2, true, ANCHOR, 9, "tcp://0.0.0.0:7711");
    cr_assert_eq(probe_look(p)->refusal, ERA_DUPLICATE);
    cr_assert(probe_info(p, 1).anchor);
    then_anchors(p, 1, 1, 1);
    probe_free(p);
}

Test(anchor, that_is_linked_by_another_dial_is_seldom_asked_but_dialled_when_that_ends)
{
    struct wire *w = wire_new(1000, 1);
    for (size_t i = 0; i < 2; i++)
        wire_node(w);
    wire_anchor(w, 0, 1);
    wire_anchor(w, 1, 0);
    wire_run(w, 60000);
    uint64_t dials = w->nodes[1].dials;
    cr_assert_not(wire_peer(w, 1, 0).outgoing);
    wire_run(w, 500000);
    cr_assert_eq(w->nodes[1].dials, dials);
    wire_run(w, 100000);
    cr_assert_eq(w->nodes[1].dials, dials + 1);
    cr_assert_not(wire_peer(w, 1, 0).outgoing);
    wire_cut(w, 0, 1, true);
    wire_run(w, 20000);
    cr_assert_gt(w->nodes[1].dials, dials);
    wire_free(w);
}
