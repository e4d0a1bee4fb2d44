/* The pace of rounds: quick while something differs, slow while nothing does,
 * and never so slow that a link dies or a loss stays. */
#include <criterion/criterion.h>

#include <inttypes.h>

#include <stdlib.h>
#include <string.h>

#include "tests/p2p/probe.h"

#define LOOSE ERA_KIND_ANNOUNCEMENT
#define SMALL 200
#define HOUR  3600000

/* Two nodes that have agreed for an hour. The first dialled. */
static struct wire *given_quiet_nodes(void)
{
    struct wire *w = wire_new(1000, 7);
    wire_node(w);
    wire_node(w);
    for (int i = 0; i < 5; i++)
        wire_give(w, 0, wire_item(w, LOOSE, SMALL), false);
    wire_anchor(w, 0, 1);
    wire_run(w, HOUR);
    return w;
}

/* The peer answers every round as equal, for so long. */
static void given_equal_rounds(struct probe *p, uint64_t ms)
{
    uint64_t end = p->w->now_ms + ms;
    while (p->w->now_ms < end) {
        probe_wait(p, era_gossip_deadline_ms(p->g) - p->w->now_ms);
        if (p->seen.digest_round != 0)
            probe_equal(p, 1, ERA_SET_STATEMENTS, p->seen.digest_round);
        if (p->seen.event_round != 0)
            probe_equal(p, 1, ERA_SET_EVENTS, p->seen.event_round);
    }
    probe_look(p);
}

/* A link that we dialled. */
static struct probe *given_quiet_link(void)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, true, 9);
    given_equal_rounds(p, HOUR);
    return p;
}

static uint64_t until_next(const struct probe *p)
{
    return era_gossip_deadline_ms(p->g) - p->w->now_ms;
}

static void then_rounds_are_quick(const struct probe *p)
{
    cr_assert_leq(until_next(p), 2000, "%llu", (unsigned long long)until_next(p));
}

Test(rounds, each_equal_round_doubles_the_pause_up_to_the_quiet_limit)
{
    static const uint64_t events_ms[] = {4000, 8000, 16000, 32000, 60000, 60000, 60000};
    static const uint64_t statements_ms[] = {4000, 8000, 16000, 32000, 40000, 40000, 40000};
    struct probe *p = probe_new(1000);
    probe_up(p, 1, true, 9);
    uint64_t last[2] = {1000, 1000};
    size_t n[2] = {0, 0};
    while (n[0] < 8 || n[1] < 8) {
        probe_wait(p, until_next(p));
        uint64_t rounds[2] = {p->seen.digest_round, p->seen.event_round}, now_ms = p->w->now_ms;
        for (size_t s = 0; s < 2; s++) {
            if (rounds[s] == 0)
                continue;
            if (n[s] > 0 && n[s] < 8) {
                uint64_t most = s == 0 ? statements_ms[n[s] - 1] : events_ms[n[s] - 1];
                cr_assert_leq(now_ms - last[s], most);
                cr_assert_geq(now_ms - last[s], most > 32000 ? 30000 : most / 2);
            }
            last[s] = now_ms;
            n[s]++;
            probe_equal(p, 1, (enum era_set)(s + 1), rounds[s]);
        }
    }
    probe_free(p);
}

Test(rounds, two_idle_nodes_rest_for_an_hour)
{
    struct wire *w = wire_new(1000, 7);
    wire_node(w);
    wire_node(w);
    wire_anchor(w, 0, 1);
    wire_anchor(w, 1, 0); /* an anchor that is linked by the other's dial is asked every ten minutes */
    wire_run(w, HOUR);
    uint64_t ticks[2] = {w->nodes[0].ticks, w->nodes[1].ticks};
    struct era_peer_info before = wire_peer(w, 0, 1), after;
    wire_run(w, HOUR);
    after = wire_peer(w, 0, 1);
    ticks[0] = w->nodes[0].ticks - ticks[0];
    ticks[1] = w->nodes[1].ticks - ticks[1];
    uint64_t out = after.bytes_out - before.bytes_out, in = after.bytes_in - before.bytes_in;
    cr_assert_leq(ticks[0], 200);
    cr_assert_leq(ticks[1], 24, "the dialled end mostly answers: %" PRIu64, ticks[1]);
    cr_assert_leq(out, 1 << 20);
    cr_assert_leq(in, 16384);
    cr_assert_eq(w->nodes[0].downs + w->nodes[1].downs, 0);
    wire_free(w);
}

Test(rounds, a_quiet_link_lives_though_events_do_not_flow_and_frames_are_slow)
{
    struct wire *w = wire_new(1000, 7);
    wire_node(w);
    wire_node(w);
    w->delay_ms = 2000;
    era_gossip_set_blocked(w->nodes[1].gossip, 1000, true);
    wire_anchor(w, 0, 1);
    wire_run(w, 10 * HOUR);
    cr_assert_eq(w->nodes[0].ups, 1);
    cr_assert_eq(w->nodes[0].downs + w->nodes[1].downs, 0);
    wire_free(w);
}

/* ---- what ends the quiet ---- */

Test(rounds, what_we_publish_or_withdraw_makes_them_quick_again_for_a_while)
{
    struct probe *p = given_quiet_link();
    size_t item = wire_item(p->w, LOOSE, SMALL);
    cr_assert_gt(until_next(p), 2000);
    wire_give(p->w, 0, item, false);
    then_rounds_are_quick(p);
    given_equal_rounds(p, HOUR);
    cr_assert_gt(until_next(p), 2000);
    wire_take(p->w, 0, item);
    then_rounds_are_quick(p);
    probe_free(p);
}

Test(rounds, what_changes_nothing_leaves_the_quiet)
{
    struct probe *p = given_quiet_link();
    size_t item = wire_item(p->w, LOOSE, SMALL);
    uint64_t due_ms = era_gossip_deadline_ms(p->g);
    era_gossip_withdraw(p->g, ERA_SET_STATEMENTS, &p->w->items[item].id);
    era_gossip_forget_refused(p->g);
    cr_assert_eq(era_gossip_deadline_ms(p->g), due_ms);
    probe_free(p);
}

Test(rounds, a_digest_that_differs_makes_them_quick_again)
{
    struct probe *p = given_quiet_link();
    struct era_hash id = {.b = {7}};
    probe_digest(p, 1, ERA_SET_EVENTS, 1, &id, 1);
    then_rounds_are_quick(p);
    probe_free(p);
}

/* Our next round, after quiet. */
static uint64_t given_quiet_round(struct probe *p)
{
    uint64_t round;
    while ((round = probe_wait(p, until_next(p))->digest_round) == 0)
        probe_equal(p, 1, ERA_SET_EVENTS, p->seen.event_round);
    cr_assert_gt(until_next(p), 2000);
    return round;
}

Test(rounds, cells_that_name_something_make_them_quick_again)
{
    struct probe *p = given_quiet_link();
    struct era_hash id = {.b = {7}};
    probe_cells(p, 1, ERA_SET_STATEMENTS, given_quiet_round(p), &id, 1, 20);
    then_rounds_are_quick(p);
    probe_free(p);
}

Test(rounds, cells_that_name_only_what_was_refused_leave_the_quiet)
{
    struct probe *p = given_quiet_link();
    struct era_hash id = {.b = {7}};
    era_gossip_verdict(p->g, p->w->now_ms, 1, &id, ERA_DOMINATED);
    probe_cells(p, 1, ERA_SET_STATEMENTS, given_quiet_round(p), &id, 1, 20);
    cr_assert_eq(probe_look(p)->asked_ids, 0);
    cr_assert_gt(until_next(p), 2000);
    probe_free(p);
}

Test(rounds, a_peer_that_says_wait_makes_them_quick_again)
{
    struct probe *p = given_quiet_link();
    uint64_t round = given_quiet_round(p);
    probe_word(p, 1, ERA_SET_STATEMENTS, round, ERA_WORD_WAIT);
    cr_assert_eq(probe_wait(p, 1000)->digest_round, round + 2);
    then_rounds_are_quick(p);
    probe_free(p);
}

/* A round that the blocked peer left unanswered is under way still. */
Test(rounds, a_peer_that_is_free_again_makes_those_of_events_quick)
{
    struct probe *p = given_quiet_link();
    while (probe_wait(p, until_next(p))->event_round == 0)
        probe_equal(p, 1, ERA_SET_STATEMENTS, p->seen.digest_round);
    cr_assert(era_frame_add_status(probe_frame(p), true, NULL));
    probe_send(p, 1);
    cr_assert(era_frame_add_status(probe_frame(p), false, NULL));
    probe_send(p, 1);
    cr_assert_eq(probe_wait(p, 0)->event_round, 0);
    then_rounds_are_quick(p);
    probe_free(p);
}

Test(rounds, refused_items_that_are_forgotten_make_them_quick_again)
{
    struct probe *p = given_quiet_link();
    size_t item = wire_item(p->w, LOOSE, SMALL);
    era_gossip_verdict(p->g, p->w->now_ms, 1, &p->w->items[item].id, ERA_NO_PREV);
    cr_assert_gt(until_next(p), 2000);
    era_gossip_forget_refused(p->g);
    then_rounds_are_quick(p);
    probe_free(p);
}

Test(rounds, a_skipped_push_makes_them_quick_again)
{
    struct probe *p = given_quiet_link();
    for (int i = 0; i < 300; i++)
        wire_give(p->w, 0, wire_item(p->w, LOOSE, 20000), false);
    given_equal_rounds(p, HOUR);
    p->reads = false;
    for (size_t i = 0; i < 300; i++)
        wire_give(p->w, 0, i, true); /* in the set already: that alone changes nothing */
    probe_wait(p, 2);
    cr_assert_gt(probe_info(p, 1).skipped_out, 0);
    then_rounds_are_quick(p);
    probe_free(p);
}

/* ---- losses heal ---- */

/* Offered and not pushed: what a lost push looks like. */
Test(rounds, N3_a_push_lost_on_a_quiet_link_is_healed_within_one_interval_by_the_dialler)
{
    struct wire *w = given_quiet_nodes();
    wire_give(w, 0, wire_item(w, LOOSE, SMALL), false);
    wire_run(w, 2000 + 100);
    cr_assert_eq(wire_held(w, 1), 6);
    wire_free(w);
}

Test(rounds, N3_a_push_lost_on_a_quiet_link_is_healed_within_four_intervals_by_the_dialled_end)
{
    struct wire *w = given_quiet_nodes();
    wire_give(w, 1, wire_item(w, LOOSE, SMALL), false);
    wire_run(w, 4 * 2000 + 100);
    cr_assert_eq(wire_held(w, 0), 6);
    wire_free(w);
}

Test(rounds, N3_an_event_lost_on_a_quiet_link_is_healed_too)
{
    for (size_t from = 0; from < 2; from++) {
        struct wire *w = given_quiet_nodes();
        size_t event = wire_item(w, ERA_KIND_EVENT, SMALL);
        wire_give(w, from, event, false);
        wire_run(w, 4 * 2000 + 100);
        cr_assert(w->nodes[1 - from].held[event]);
        wire_free(w);
    }
}

Test(rounds, a_refused_item_is_asked_for_on_a_quiet_link_once_it_is_forgotten)
{
    struct wire *w = given_quiet_nodes();
    size_t item = wire_item(w, LOOSE, SMALL);
    w->nodes[1].answer[item] = ERA_NO_PREV;
    wire_give(w, 0, item, true);
    wire_run(w, HOUR);
    cr_assert_eq(w->nodes[1].delivered, 6);
    w->nodes[1].answer[item] = ERA_ACCEPTED;
    era_gossip_forget_refused(w->nodes[1].gossip);
    wire_run(w, 4 * 2000 + 100);
    cr_assert_eq(wire_held(w, 1), 6);
    wire_free(w);
}

Test(rounds, changes_of_a_few_moments_are_followed_by_quiet)
{
    struct wire *w = given_quiet_nodes();
    wire_give(w, 1, wire_item(w, LOOSE, SMALL), true);
    uint64_t ticks = w->nodes[0].ticks + w->nodes[1].ticks;
    wire_run(w, HOUR);
    cr_assert_leq(w->nodes[0].ticks + w->nodes[1].ticks - ticks, 210);
    wire_free(w);
}

/* ---- cells ---- */

/* A peer that has `held` of the gossip's 100 items begins a round; returns what is got of its answer. */
static struct probe *given_answer(struct era_hash ids[100], size_t held)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    for (size_t i = 0; i < 100; i++) {
        wire_give(p->w, 0, wire_item(p->w, LOOSE, SMALL), false);
        ids[i] = p->w->items[i].id;
    }
    probe_digest(p, 1, ERA_SET_STATEMENTS, 2, ids, held);
    cr_assert_eq(probe_look(p)->answer, ERA_WORD_CELLS);
    return p;
}

Test(cells, of_one_round_are_of_one_set_though_it_moves)
{
    struct era_hash ids[100];
    struct probe *p = given_answer(ids, 97);
    struct era_frame_ask ask = {.set = ERA_SET_STATEMENTS, .round = 2, .cells = 60};
    wire_give(p->w, 0, wire_item(p->w, LOOSE, SMALL), false);
    wire_take(p->w, 0, 50);
    cr_assert(era_frame_add_ask(probe_frame(p), &ask));
    probe_send(p, 1);
    cr_assert_eq(probe_look(p)->cells, 60);
    cr_assert_eq(probe_apart(p, 1, ERA_SET_STATEMENTS, ids, 97), 3, "as when the round began");
    probe_free(p);
}

Test(cells, leave_out_what_is_under_way)
{
    struct era_hash ids[100];
    struct probe *p = given_answer(ids, 97);
    probe_wait(p, 2000);
    wire_give(p->w, 0, wire_item(p->w, LOOSE, SMALL), true);
    p->got_count = 0;
    probe_digest(p, 1, ERA_SET_STATEMENTS, 4, ids, 97);
    probe_look(p);
    cr_assert_eq(probe_apart(p, 1, ERA_SET_STATEMENTS, ids, 97), 3);
    probe_free(p);
}

Test(cells, that_name_nothing_though_the_sets_differ_are_answered_by_a_new_salt)
{
    struct probe *p = probe_new(1000);
    size_t item = wire_item(p->w, LOOSE, SMALL);
    wire_give(p->w, 0, item, false);
    probe_up(p, 1, true, 9);
    uint64_t round = probe_wait(p, 0)->digest_round;
    cr_assert_eq(p->seen.salt, 0);
    probe_cells(p, 1, ERA_SET_STATEMENTS, round, &p->w->items[item].id, 1, 20);
    cr_assert_eq(probe_info(p, 1).undecoded_rounds, 1);
    cr_assert_eq(probe_wait(p, 1000)->digest_round, round + 2);
    cr_assert_eq(p->seen.salt, 1);
    probe_free(p);
}

/* ---- salts: the network's first, then the link's own ---- */

static int by_short(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static struct era_hash made_id(uint64_t n)
{
    struct era_hash id = {.b = {7, 7, 7}};
    era_put_be64(id.b + 8, n);
    return id;
}

/* Two ids that one who knows the salt finds: they have one short id. */
static void given_collision(const struct era_salt *salt, struct era_hash *x, struct era_hash *y)
{
    enum { IDS = 1 << 22 };
    uint64_t(*made)[2] = malloc(IDS * sizeof *made);
    bool found = false;
    for (uint64_t n = 0; n < IDS; n++) {
        struct era_hash id = made_id(n);
        made[n][0] = era_tag_of(salt, &id).short_id;
        made[n][1] = n;
    }
    qsort(made, IDS, sizeof *made, by_short);
    for (size_t i = 0; i + 1 < IDS && !found; i++) {
        found = made[i][0] == made[i + 1][0];
        *x = made_id(made[i][1]);
        *y = made_id(made[i + 1][1]);
    }
    free(made);
    cr_assert(found);
}

static void given_held(struct probe *p, const struct era_hash *id)
{
    era_gossip_publish(p->g, p->w->now_ms, ERA_SET_STATEMENTS, id, 0, false);
}

Test(salt, a_made_collision_hides_an_item_for_one_round_only)
{
    struct probe *p = probe_new(1000);
    struct era_salt common = probe_salt(p, 1, ERA_SET_STATEMENTS);
    struct era_hash x, y;
    given_collision(&common, &x, &y);
    given_held(p, &y);
    probe_up(p, 1, true, 9);
    uint64_t round = probe_wait(p, 0)->digest_round;
    probe_cells(p, 1, ERA_SET_STATEMENTS, round, &x, 1, 20);
    cr_assert_eq(probe_look(p)->asked_ids, 0, "the two cancel out");
    cr_assert_eq(probe_wait(p, 1000)->digest_round, round + 2);
    cr_assert_eq(p->seen.salt, 1);
    p->salt = 1;
    probe_cells(p, 1, ERA_SET_STATEMENTS, round + 2, &x, 1, 20);
    cr_assert_eq(probe_look(p)->asked_ids, 1);
    cr_assert_eq(p->seen.asked, probe_short(p, 1, ERA_SET_STATEMENTS, &x));
    probe_free(p);
}

/* The peer holds both: what differs has the short id of what we hold too. */
Test(salt, a_made_collision_with_what_both_hold_hides_an_item_for_a_few_rounds)
{
    struct probe *p = probe_new(1000);
    struct era_salt common = probe_salt(p, 1, ERA_SET_STATEMENTS);
    struct era_hash ids[2];
    given_collision(&common, &ids[0], &ids[1]);
    given_held(p, &ids[0]);
    probe_up(p, 1, true, 9);
    size_t rounds = 0, asked = 0;
    for (; asked == 0 && rounds < 6; rounds++) {
        uint64_t round = probe_wait(p, until_next(p))->digest_round;
        while (round == 0)
            round = probe_wait(p, until_next(p))->digest_round;
        p->salt = p->seen.salt;
        probe_cells(p, 1, ERA_SET_STATEMENTS, round, ids, 2, 20);
        asked = probe_look(p)->asked_ids;
    }
    cr_assert_eq(p->salt, 1);
    cr_assert_eq(p->seen.asked, probe_short(p, 1, ERA_SET_STATEMENTS, &ids[1]));
    cr_assert_leq(rounds, 5);
    probe_free(p);
}

Test(salt, a_peer_that_refuses_our_item_under_every_salt_does_not_make_salts_without_end)
{
    struct probe *p = probe_new(1000);
    struct era_hash id = made_id(1);
    given_held(p, &id);
    probe_up(p, 1, true, 9);
    for (uint64_t end = p->w->now_ms + HOUR / 6; p->w->now_ms < end;) {
        uint64_t round = probe_wait(p, until_next(p))->digest_round;
        p->salt = round != 0 ? p->seen.salt : p->salt;
        if (round != 0)
            probe_cells(p, 1, ERA_SET_STATEMENTS, round, NULL, 0, 20);
        if (p->seen.event_round != 0)
            probe_equal(p, 1, ERA_SET_EVENTS, p->seen.event_round);
    }
    cr_assert_eq(p->salt, 1);
    cr_assert_eq(probe_info(p, 1).score, 0);
    probe_free(p);
}

/* What the peer is told in a round when it asks for so many cells; its digest differs by one item. */
static size_t cells_told(struct probe *p, uint64_t round, uint32_t cells)
{
    struct era_frame_ask ask = {.set = ERA_SET_STATEMENTS, .round = round, .cells = cells};
    struct era_hash other = made_id(round);
    probe_digest(p, 1, ERA_SET_STATEMENTS, round, &other, 1);
    size_t told = probe_look(p)->cells;
    cr_assert(era_frame_add_ask(probe_frame(p), &ask));
    probe_send(p, 1);
    for (size_t more = 1; more > 0; told += more)
        more = probe_look(p)->cells;
    return told;
}

Test(cells, beyond_those_kept_come_whenever_they_are_asked_for)
{
    struct probe *p = probe_new(1000);
    struct era_hash id = made_id(1);
    given_held(p, &id);
    probe_up(p, 1, false, 9);
    for (uint64_t round = 2; round < 8; round += 2) {
        cr_assert_geq(cells_told(p, round, 100000), 100000);
        given_held(p, &(struct era_hash){.b = {(uint8_t)round}});
        probe_digest(p, 1, ERA_SET_EVENTS, round, NULL, 0); /* the link lives */
        probe_wait(p, 30000);
        probe_digest(p, 1, ERA_SET_EVENTS, round + 2, NULL, 0);
        probe_wait(p, 40000);
    }
    struct era_hash ids[4] = {id, {.b = {2}}, {.b = {4}}, {.b = {6}}};
    probe_digest(p, 1, ERA_SET_STATEMENTS, 8, ids, 4);
    cr_assert_eq(probe_look(p)->answer, ERA_WORD_EQUAL, "when they are forgotten, nothing else is");
    probe_free(p);
}

Test(cells, are_told_within_a_budget)
{
    struct probe *p = probe_new(1000);
    struct era_hash id = made_id(1);
    size_t told = 0;
    given_held(p, &id);
    probe_up(p, 1, false, 9);
    for (uint64_t round = 2; round < 30; round += 2)
        told += cells_told(p, round, ERA_SYNC_CELLS_MAX - 100);
    cr_assert_geq(told, 3 * ERA_SYNC_CELLS_MAX);
    cr_assert_leq(told, ERA_BUDGET_CELLS_BURST);
    cr_assert_gt(probe_info(p, 1).limited_in, 0);
    cr_assert_eq(probe_info(p, 1).score, 0, "it may be in need");
    probe_wait(p, 4000);
    cr_assert_geq(cells_told(p, 40, 200000), 200000, "they come back with time");
    probe_free(p);
}

/* ---- what is told follows the set ---- */

/* The peer's set is just ours, under either kind of salt, and stays so when items come and go. */
Test(salt, under_each_the_sketch_follows_the_set)
{
    for (uint32_t salt = 0; salt < 2; salt++) {
        struct probe *p = probe_new(1000);
        struct era_hash ids[4];
        probe_up(p, 1, false, 9);
        for (size_t i = 0; i < 4; i++) {
            wire_give(p->w, 0, wire_item(p->w, LOOSE, SMALL), false);
            ids[i] = p->w->items[i].id;
        }
        p->salt = salt;
        probe_digest(p, 1, ERA_SET_STATEMENTS, 2, ids, 3);
        cr_assert_eq(probe_look(p)->answer, ERA_WORD_CELLS);
        probe_digest(p, 1, ERA_SET_STATEMENTS, 4, ids, 4);
        cr_assert_eq(probe_look(p)->answer, ERA_WORD_EQUAL);
        wire_take(p->w, 0, 3);
        probe_digest(p, 1, ERA_SET_STATEMENTS, 6, ids, 3);
        cr_assert_eq(probe_look(p)->answer, ERA_WORD_EQUAL);
        wire_give(p->w, 0, 3, false);
        probe_digest(p, 1, ERA_SET_STATEMENTS, 8, ids, 4);
        cr_assert_eq(probe_look(p)->answer, ERA_WORD_EQUAL);
        p->got_count = 0;
        probe_digest(p, 1, ERA_SET_STATEMENTS, 10, ids, 2);
        probe_look(p);
        cr_assert_eq(probe_apart(p, 1, ERA_SET_STATEMENTS, ids, 2), 2);
        probe_free(p);
    }
}

Test(cells, of_a_set_that_moves_too_much_meanwhile_are_not_told)
{
    struct era_hash ids[100];
    struct probe *p = given_answer(ids, 97);
    struct era_frame_ask ask = {.set = ERA_SET_STATEMENTS, .round = 2, .cells = 60};
    for (size_t i = 0; i < 257; i++)
        wire_give(p->w, 0, wire_item(p->w, LOOSE, SMALL), false);
    cr_assert(era_frame_add_ask(probe_frame(p), &ask));
    probe_send(p, 1);
    cr_assert_eq(probe_look(p)->answer, ERA_WORD_WAIT);
    cr_assert_eq(p->seen.cells, 0);
    cr_assert_eq(probe_info(p, 1).score, 0);
    probe_free(p);
}

Test(rounds, who_lacks_only_what_is_under_way_waits)
{
    struct era_hash ids[100];
    struct probe *p = given_answer(ids, 97);
    probe_wait(p, 2000);
    wire_give(p->w, 0, wire_item(p->w, LOOSE, SMALL), true);
    probe_digest(p, 1, ERA_SET_STATEMENTS, 4, ids, 100);
    cr_assert_eq(probe_look(p)->answer, ERA_WORD_WAIT);
    probe_free(p);
}

/* Two hundred items come; the peer, which has all but these, begins a round. */
static enum era_frame_word answer_in_a_flood(struct probe *p, uint64_t round)
{
    static struct era_hash ids[4096];
    size_t before = p->w->item_count;
    for (size_t i = 0; i < before; i++)
        ids[i] = p->w->items[i].id;
    for (int i = 0; i < 200; i++)
        wire_give(p->w, 0, wire_item(p->w, LOOSE, SMALL), true);
    probe_digest(p, 1, ERA_SET_STATEMENTS, round, ids, before);
    return probe_look(p)->answer;
}

/* So much comes at once that it cannot be left out of the answer: a round would bring it twice. */
Test(rounds, wait_while_more_is_under_way_than_is_remembered_but_not_for_ever)
{
    struct era_hash ids[100];
    struct probe *p = given_answer(ids, 97);
    probe_wait(p, 2000);
    for (uint64_t round = 4; round < 24; round += 2) {
        cr_assert_eq(answer_in_a_flood(p, round), ERA_WORD_WAIT, "round %" PRIu64, round);
        probe_wait(p, 1000);
    }
    cr_assert_eq(answer_in_a_flood(p, 24), ERA_WORD_CELLS);
    probe_free(p);
}

/* A peer that waits for the flood too begins a round in ten seconds: ten of these would be minutes. */
Test(rounds, of_a_peer_that_waited_for_a_flood_itself_are_answered_the_next_time)
{
    struct era_hash ids[100];
    struct probe *p = given_answer(ids, 97);
    probe_wait(p, 2000);
    cr_assert_eq(answer_in_a_flood(p, 4), ERA_WORD_WAIT);
    probe_wait(p, 11000);
    cr_assert_eq(answer_in_a_flood(p, 6), ERA_WORD_CELLS);
    probe_free(p);
}
