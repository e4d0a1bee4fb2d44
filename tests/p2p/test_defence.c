/* What a peer may cost: budgets, mute, bans by key and host, silence. Charged to who sends, visible, bounded.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/p2p/probe.h"

static void misbehave(struct probe *p, uint64_t link, int times)
{
    for (int i = 0; i < times; i++)
        era_gossip_verdict(p->g, p->w->now_ms, link, NULL, ERA_BAD_SIGNATURE);
}

/* Up from an address of its own; `node` names the key. */
static void up_from(struct probe *p, uint64_t link, const char *address, uint8_t node)
{
    struct era_frame_hello hello = probe_hello(p, node);
    probe_link(p, link, false, address);
    probe_greet(p, link, &hello);
}

static size_t bans(struct probe *p)
{
    return era_gossip_bans(p->g, NULL, 0);
}

/* ---- mute ---- */

Test(defence, from_half_of_the_score_on_a_peer_is_not_listened_to_for_ten_seconds)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100);
    misbehave(p, 1, 4);
    probe_statement(p, 1, item);
    cr_assert_eq(probe_look(p)->delivered, 1);
    misbehave(p, 1, 1);
    cr_assert_eq(probe_info(p, 1).muted_until_ms, 11000);
    probe_statement(p, 1, item);
    probe_digest(p, 1, ERA_SET_STATEMENTS, 2, NULL, 0);
    const struct probe_seen *seen = probe_look(p);
    cr_assert_eq(seen->delivered, 0);
    cr_assert_eq(seen->answers, 0);
    cr_assert_eq(probe_info(p, 1).muted_in, 2);
    cr_assert_eq(probe_info(p, 1).score, 50, "what is not heard is not charged");
    p->w->now_ms += 10000;
    probe_statement(p, 1, item);
    cr_assert_eq(probe_look(p)->delivered, 1);
    probe_free(p);
}

Test(defence, what_a_peer_was_charged_for_is_counted_by_reason)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    misbehave(p, 1, 3);
    era_gossip_verdict(p->g, 1000, 1, NULL, ERA_UNKNOWN_KEY);
    era_gossip_verdict(p->g, 1000, 1, NULL, ERA_DUPLICATE);
    struct era_peer_info info = probe_info(p, 1);
    cr_assert_eq(info.charges[ERA_BAD_SIGNATURE], 3);
    cr_assert_eq(info.charges[ERA_UNKNOWN_KEY], 1);
    cr_assert_eq(info.charges[ERA_DUPLICATE], 0);
    cr_assert_eq(info.score, 32);
    probe_free(p);
}

/* ---- bans ---- */

Test(ban, a_key_is_banned_wherever_it_comes_from_until_the_ban_expires)
{
    struct probe *p = probe_new(1000);
    struct era_ban list[4];
    up_from(p, 1, "tcp://10.0.0.9:1", 9);
    misbehave(p, 1, 10);
    cr_assert_eq(probe_look(p)->closes, 1);
    cr_assert_eq(era_gossip_bans(p->g, list, 4), 2, "its host and its key");
    cr_assert_str_eq(list[0].host, "10.0.0.9");
    cr_assert_str_eq(list[1].host, "");
    cr_assert_eq(list[1].key.b[0], 9);
    cr_assert_eq(list[1].why, ERA_BAD_SIGNATURE);
    up_from(p, 2, "tcp://10.0.0.77:1", 9);
    cr_assert_eq(probe_look(p)->refusal, ERA_TOO_MANY_LINKS);
    cr_assert_eq(p->seen.ups, 0);
    up_from(p, 3, "tcp://10.0.0.78:1", 8);
    cr_assert_eq(probe_look(p)->ups, 1, "another one is welcome");
    p->w->now_ms += ERA_BAN_MIN_MS - 1;
    up_from(p, 4, "tcp://10.0.0.79:1", 9);
    cr_assert_eq(probe_look(p)->ups, 0);
    p->w->now_ms += 1;
    era_gossip_tick(p->g, p->w->now_ms);
    cr_assert_eq(bans(p), 0);
    up_from(p, 5, "tcp://10.0.0.9:1", 9);
    cr_assert_eq(probe_look(p)->ups, 1);
    probe_free(p);
}

Test(ban, each_one_again_is_twice_as_long_up_to_an_hour)
{
    struct probe *p = probe_new(1000);
    uint64_t expected = ERA_BAN_MIN_MS;
    for (uint64_t i = 1; i <= 9; i++) {
        struct era_ban list[2];
        up_from(p, i, "tcp://10.0.0.9:1", 9);
        misbehave(p, i, 10);
        cr_assert_eq(era_gossip_bans(p->g, list, 2), 2);
        cr_assert_eq(list[1].until_ms - p->w->now_ms, expected);
        cr_assert_eq(list[1].times, i);
        p->w->now_ms = list[1].until_ms;
        expected = 2 * expected < ERA_BAN_MAX_MS ? 2 * expected : ERA_BAN_MAX_MS;
    }
    p->w->now_ms += ERA_BAN_MEMORY_MS;
    up_from(p, 100, "tcp://10.0.0.9:1", 9);
    misbehave(p, 100, 10);
    struct era_ban last[2];
    cr_assert_eq(era_gossip_bans(p->g, last, 2), 2);
    cr_assert_eq(last[1].until_ms - p->w->now_ms, ERA_BAN_MIN_MS, "a day later it is the first");
    probe_free(p);
}

Test(ban, on_loopback_only_the_key_is_banned)
{
    struct probe *p = probe_new(1000);
    struct era_ban list[4];
    up_from(p, 1, "tcp://127.0.0.1:1", 9);
    misbehave(p, 1, 10);
    cr_assert_eq(era_gossip_bans(p->g, list, 4), 1);
    cr_assert_str_eq(list[0].host, "");
    up_from(p, 2, "tcp://127.0.0.1:2", 8);
    cr_assert_eq(probe_info(p, 2).state, ERA_PEER_UP);
    probe_free(p);
}

Test(ban, the_table_is_bounded_and_the_oldest_gives_way)
{
    struct probe *p = probe_new(1000);
    char address[64];
    for (unsigned i = 0; i < 2 * ERA_BANS_MAX; i++) {
        snprintf(address, sizeof address, "tcp://10.1.%u.%u:1", i / 250, 1 + i % 250);
        struct era_frame_hello hello = probe_hello(p, 9);
        era_put_be32(hello.node.b + 1, i);
        probe_link(p, 1 + i, false, address);
        probe_greet(p, 1 + i, &hello);
        misbehave(p, 1 + i, 10);
        p->w->now_ms++;
        probe_look(p);
    }
    cr_assert_eq(bans(p), ERA_BANS_MAX);
    probe_link(p, 10000, false, "tcp://10.1.0.1:1");
    cr_assert_eq(probe_look(p)->refusals, 0, "the first is forgotten");
    probe_link(p, 10001, false, address);
    cr_assert_eq(probe_look(p)->refusals, 1, "the last is not");
    probe_free(p);
}

Test(ban, a_frame_that_does_not_decode_bans_the_key)
{
    struct probe *p = probe_new(1000);
    up_from(p, 1, "tcp://10.0.0.9:1", 9);
    probe_raw(p, 1, "\xff\xff\xff\xff", 4);
    cr_assert_eq(probe_look(p)->closes, 1);
    struct era_ban list[1];
    cr_assert_eq(era_gossip_bans(p->g, list, 1), 1);
    cr_assert_str_eq(list[0].host, "");
    cr_assert_str_eq(list[0].from, "tcp://10.0.0.9:1");
    up_from(p, 2, "tcp://10.0.0.9:2", 9);
    cr_assert_eq(probe_look(p)->ups, 0);
    probe_free(p);
}

Test(ban, an_anchor_that_breaks_is_dialled_again)
{
    struct probe *p = probe_new(1000);
    cr_assert_eq(era_gossip_add_anchor(p->g, "tcp://10.0.0.9:7711"), ERA_ACCEPTED);
    probe_wait(p, 0);
    probe_up(p, 1, true, 9);
    probe_raw(p, 1, "\xff\xff\xff\xff", 4);
    cr_assert_eq(probe_look(p)->closes, 1);
    cr_assert_eq(bans(p), 0);
    cr_assert_eq(probe_wait(p, ERA_RECONNECT_MAX_MS)->connects, 1);
    probe_free(p);
}

/* ---- what the driver found wrong ---- */

/* A link of that node key was up and is ended for this; returns how long its key is banned. */
static uint64_t when_broken(struct probe *p, uint64_t link, enum era_verdict why)
{
    struct era_ban list[4];
    up_from(p, link, "tcp://10.0.0.9:1", 9);
    cr_assert_eq(probe_look(p)->ups, 1);
    era_gossip_link_down(p->g, p->w->now_ms, link, why);
    cr_assert_eq(probe_look(p)->downs, 1);
    size_t count = era_gossip_bans(p->g, list, 4);
    cr_assert_leq(count, 1, "never its host");
    return count == 0 ? 0 : list[0].until_ms - p->w->now_ms;
}

Test(broken, a_frame_that_lies_about_its_length_bans_the_key_longer_each_time)
{
    struct probe *p = probe_new(1000);
    cr_assert_eq(when_broken(p, 1, ERA_OVERSIZED), ERA_BAN_MIN_MS);
    cr_assert_eq(p->seen.down, ERA_OVERSIZED);
    up_from(p, 2, "tcp://10.0.0.9:2", 9);
    cr_assert_eq(probe_look(p)->ups, 0);
    p->w->now_ms += ERA_BAN_MIN_MS;
    cr_assert_eq(when_broken(p, 3, ERA_MALFORMED), 2 * ERA_BAN_MIN_MS);
    cr_assert_eq(era_gossip_totals(p->g)->charged[ERA_OVERSIZED], 1);
    cr_assert_eq(era_gossip_totals(p->g)->charged[ERA_MALFORMED], 1);
    probe_free(p);
}

/* Somebody on the way can do that to a good peer. */
Test(broken, what_is_not_authentic_is_counted_and_bans_nobody)
{
    struct probe *p = probe_new(1000);
    for (uint64_t link = 1; link < 6; link++)
        cr_assert_eq(when_broken(p, link, ERA_NOT_AUTHENTIC), 0);
    cr_assert_eq(era_gossip_totals(p->g)->charged[ERA_NOT_AUTHENTIC], 5);
    probe_free(p);
}

Test(broken, a_stream_that_is_cut_or_slow_is_nobodys_fault)
{
    static const enum era_verdict whys[] = {ERA_ACCEPTED, ERA_TRUNCATED, ERA_TIMEOUT, ERA_TOO_MANY_LINKS};
    struct probe *p = probe_new(1000);
    for (size_t i = 0; i < sizeof whys / sizeof *whys; i++) {
        cr_assert_eq(when_broken(p, 1 + i, whys[i]), 0);
        cr_assert_eq(p->seen.down, ERA_ACCEPTED);
        cr_assert_eq(era_gossip_totals(p->g)->charged[whys[i]], 0);
    }
    probe_free(p);
}

Test(broken, an_anchor_is_dialled_again_and_not_banned)
{
    struct probe *p = probe_new(1000);
    cr_assert_eq(era_gossip_add_anchor(p->g, "tcp://10.0.0.9:7711"), ERA_ACCEPTED);
    probe_wait(p, 0);
    probe_up(p, 1, true, 9);
    era_gossip_link_down(p->g, p->w->now_ms, 1, ERA_NOT_AUTHENTIC);
    cr_assert_eq(bans(p), 0);
    cr_assert_eq(era_gossip_totals(p->g)->charged[ERA_NOT_AUTHENTIC], 1);
    cr_assert_eq(probe_wait(p, ERA_RECONNECT_MAX_MS)->connects, 1);
    probe_free(p);
}

/* ---- who comes and goes ---- */

/* So many links from there are made one after another, say hello, and go; returns how many came up. */
static size_t when_coming_and_going(struct probe *p, uint64_t first, const char *address, size_t times)
{
    size_t ups = 0;
    for (uint64_t link = first; link < first + times; link++) {
        up_from(p, link, address, 9);
        ups += probe_look(p)->ups;
        era_gossip_link_down(p->g, p->w->now_ms, link, ERA_ACCEPTED);
        probe_look(p);
    }
    return ups;
}

Test(coming, again_and_again_is_slowed_by_address)
{
    struct probe *p = probe_new(1000);
    cr_assert_eq(when_coming_and_going(p, 1, "tcp://10.0.0.9:1", 100), ERA_LINKS_ACCEPTED_BURST);
    up_from(p, 500, "tcp://10.0.0.9:2", 9);
    cr_assert_eq(probe_look(p)->refusal, ERA_RATE_LIMITED, "whatever the port");
    cr_assert_eq(era_gossip_totals(p->g)->closed[ERA_RATE_LIMITED], 37);
    cr_assert_eq(when_coming_and_going(p, 600, "tcp://10.0.0.8:1", 1), 1, "others are not");
    p->w->now_ms += 1000;
    cr_assert_eq(when_coming_and_going(p, 700, "tcp://10.0.0.9:1", 100), ERA_LINKS_ACCEPTED_PER_S);
    p->w->now_ms += 3600000;
    cr_assert_eq(when_coming_and_going(p, 900, "tcp://10.0.0.9:1", 100), ERA_LINKS_ACCEPTED_BURST);
    cr_assert_eq(bans(p), 0);
    probe_free(p);
}

Test(coming, from_an_anchors_host_or_where_many_live_is_not_slowed)
{
    struct probe *p = probe_new(1000);
    cr_assert_eq(era_gossip_add_anchor(p->g, "tcp://10.0.0.9:7711"), ERA_ACCEPTED);
    cr_assert_eq(when_coming_and_going(p, 1, "tcp://10.0.0.9:1", 100), 100);
    cr_assert_eq(when_coming_and_going(p, 200, "tcp://127.0.0.1:1", 100), 100);
    cr_assert_eq(when_coming_and_going(p, 400, "ipc:///run/erad.sock", 100), 100);
    probe_free(p);
}

/* ---- totals ---- */

Test(totals, keep_what_links_were_charged_and_closed_for_when_the_links_are_gone)
{
    struct probe *p = probe_new(1000);
    const struct era_gossip_totals *t = era_gossip_totals(p->g);
    size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100);
    up_from(p, 1, "tcp://10.0.0.9:1", 9);
    misbehave(p, 1, 5);
    probe_statement(p, 1, item);
    misbehave(p, 1, 5);
    cr_assert_eq(t->charged[ERA_BAD_SIGNATURE], 10);
    cr_assert_eq(t->closed[ERA_BAD_SIGNATURE], 1);
    cr_assert_eq(t->muted_in, 1);
    probe_link(p, 2, false, "tcp://10.0.0.9:1");
    cr_assert_eq(t->closed[ERA_TOO_MANY_LINKS], 1, "a banned host that was turned away");
    struct era_frame_hello hello = probe_hello(p, 7);
    hello.network.b[0] ^= 1;
    probe_link(p, 3, false, "tcp://10.0.0.7:1");
    probe_greet(p, 3, &hello);
    cr_assert_eq(t->closed[ERA_WRONG_NETWORK], 1);
    cr_assert_eq(era_gossip_peers(p->g, NULL, 0), 0);
    probe_free(p);
}

Test(totals, kinds_that_are_not_known_are_counted_and_cost_nothing)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    for (int i = 0; i < 3; i++)
        era_gossip_verdict(p->g, 1000, 1, NULL, ERA_UNKNOWN_KIND);
    cr_assert_eq(probe_info(p, 1).unknown_kinds_in, 3);
    cr_assert_eq(probe_info(p, 1).score, 0);
    probe_free(p);
}

/* Fields, a word, a set, an order: of a newer version, or made up. */
Test(totals, parts_that_are_not_known_are_counted_and_cost_nothing)
{
    static const uint8_t fields[] = {0x48, 1, 0x4A, 0, 0x6A, 2, 8, 99};
    uint8_t print[ERA_SYNC_PRINT_BYTES] = {0}, estimate[ERA_SYNC_ESTIMATE_BYTES] = {0};
    uint8_t orders[2 * ERA_SPREAD_ENTRY_BYTES] = {[8] = 77, [17] = ERA_ORDER_PRUNE};
    struct era_frame_digest digest = {
        .set = 9, .round = 2, .print = {print, sizeof print}, .estimate = {estimate, sizeof estimate}};
    struct era_frame_spread spread = {.orders = {orders, sizeof orders}};
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    probe_raw(p, 1, fields, sizeof fields);
    cr_assert_eq(probe_info(p, 1).unknown_parts_in, 3);
    cr_assert(era_frame_add_digest(probe_frame(p), &digest));
    probe_send(p, 1);
    cr_assert_eq(probe_info(p, 1).unknown_parts_in, 4);
    cr_assert(era_frame_add_spread(probe_frame(p), &spread));
    probe_send(p, 1);
    cr_assert_eq(probe_info(p, 1).unknown_parts_in, 5);
    cr_assert_eq(probe_info(p, 1).score, 0);
    cr_assert_eq(era_gossip_totals(p->g)->unknown_parts_in, 5);
    probe_free(p);
}

/* ---- budgets ---- */

Test(budget, a_burst_of_3000_statements_passes_whole_and_costs_nothing)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    size_t delivered = 0;
    for (int i = 0; i < 3000; i++) {
        probe_statement(p, 1, wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 256));
        delivered += probe_look(p)->delivered;
    }
    cr_assert_eq(delivered, 3000);
    cr_assert_eq(probe_info(p, 1).score, 0);
    cr_assert_eq(probe_info(p, 1).limited_in, 0);
    probe_free(p);
}

Test(budget, statements_that_are_accepted_are_never_too_many)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100);
    for (int i = 0; i < 3 * ERA_BUDGET_STATEMENTS_BURST; i++) {
        probe_statement(p, 1, item);
        era_gossip_publish(p->g, p->w->now_ms, ERA_SET_STATEMENTS, &p->w->items[item].id, 1, false);
        p->w->now_ms += i % 8 == 0;
        if (i % 1000 == 0)
            probe_look(p);
    }
    cr_assert_eq(probe_info(p, 1).link, 1);
    cr_assert_eq(probe_info(p, 1).limited_in, 0);
    probe_free(p);
}

Test(budget, a_flood_that_brings_nothing_is_dropped_charged_and_closed)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100), delivered = 0;
    for (int i = 0; i < ERA_BUDGET_STATEMENTS_BURST; i++) {
        probe_statement(p, 1, item);
        if (i % 1000 == 0)
            delivered += probe_look(p)->delivered;
    }
    cr_assert_eq(probe_info(p, 1).score, 0);
    probe_statement(p, 1, item);
    cr_assert_eq(probe_info(p, 1).limited_in, 1);
    cr_assert_eq(probe_info(p, 1).charges[ERA_RATE_LIMITED], 1);
    delivered += probe_look(p)->delivered;
    cr_assert_eq(delivered, ERA_BUDGET_STATEMENTS_BURST);
    p->w->now_ms += 1000; /* a second gives so many back, and no more */
    for (int i = 0; i < ERA_BUDGET_STATEMENTS_PER_S; i++)
        probe_statement(p, 1, item);
    cr_assert_eq(probe_info(p, 1).limited_in, 1);
    for (int i = 0; i < 99; i++)
        probe_statement(p, 1, item);
    cr_assert_eq(probe_look(p)->close, ERA_RATE_LIMITED);
    cr_assert_eq(bans(p), 2);
    probe_free(p);
}

Test(budget, who_asks_for_everything_again_and_again_is_not_served_for_ever)
{
    struct probe *p = probe_new(1000);
    static struct era_hash ids[ERA_SYNC_IDS_PER_FRAME_MAX];
    probe_up(p, 1, false, 9);
    size_t wants = 0;
    for (; wants < 1000 && era_gossip_peers(p->g, NULL, 0) == 1; wants++)
        probe_ask(p, 1, ERA_SET_STATEMENTS, 2, ids, ERA_SYNC_IDS_PER_FRAME_MAX);
    cr_assert_eq(wants, ERA_BUDGET_IDS_BURST / ERA_SYNC_IDS_PER_FRAME_MAX + 100);
    cr_assert_eq(probe_look(p)->close, ERA_RATE_LIMITED);
    probe_free(p);
}

Test(budget, words_about_peers_have_a_small_one)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    for (int i = 0; i < ERA_BUDGET_PEERS_BURST + 10; i++) {
        cr_assert(era_frame_add_neighbour(probe_frame(p), ERA_NEIGHBOUR_ASK));
        probe_send(p, 1);
    }
    cr_assert_eq(probe_info(p, 1).limited_in, 10);
    probe_free(p);
}

Test(budget, bytes_have_one_whatever_they_say)
{
    struct probe *p = probe_new(1000);
    static uint8_t bytes[ERA_SYNC_CELLS_PER_FRAME_MAX * ERA_SYNC_CELL_BYTES];
    struct era_frame_cells late = {
        .set = ERA_SET_STATEMENTS, .round = 3, .word = ERA_WORD_CELLS, .cells = {bytes, sizeof bytes}};
    probe_up(p, 1, false, 9);
    cr_assert(era_frame_add_cells(probe_frame(p), &late)); /* of a round of ours that is over: ignored */
    uint64_t fit = ERA_BUDGET_BYTES_BURST / era_frame_bytes(&p->frame).len;
    for (uint64_t i = 0; i < fit; i++)
        probe_send(p, 1);
    cr_assert_leq(probe_info(p, 1).limited_in, 1, "the hello counts too");
    for (int i = 0; i < 9; i++)
        probe_send(p, 1);
    cr_assert_geq(probe_info(p, 1).limited_in, 9);
    cr_assert_geq(probe_info(p, 1).charges[ERA_RATE_LIMITED], 9);
    probe_free(p);
}

Test(defence, a_muted_peer_may_still_say_how_it_is)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    misbehave(p, 1, 5);
    cr_assert(era_frame_add_status(probe_frame(p), true, NULL));
    probe_send(p, 1);
    cr_assert(probe_info(p, 1).blocked);
    cr_assert_eq(probe_info(p, 1).muted_in, 0);
    probe_free(p);
}

Test(budget, asks_digests_and_announcements_share_one)
{
    for (int kind = 0; kind < 2; kind++) {
        struct probe *p = probe_new(1000);
        struct era_hash id = {{7}};
        uint8_t entry[ERA_SPREAD_ENTRY_BYTES] = {1};
        struct era_frame_spread spread = {.announced = {entry, sizeof entry}};
        probe_up(p, 1, false, 9);
        for (int i = 0; i < ERA_BUDGET_REQUESTS_BURST + 10; i++) {
            if (kind == 0) {
                probe_ask(p, 1, ERA_SET_STATEMENTS, 2, &id, 1);
            } else {
                cr_assert(era_frame_add_spread(probe_frame(p), &spread));
                probe_send(p, 1);
            }
            if (i % 1000 == 0)
                probe_look(p);
        }
        cr_assert_eq(probe_info(p, 1).limited_in, 10);
        probe_free(p);
    }
}

Test(budget, offers_count_as_ids)
{
    struct probe *p = probe_new(1000);
    static struct era_hash ids[ERA_SYNC_IDS_PER_FRAME_MAX];
    probe_up(p, 1, false, 9);
    for (int i = 0; i < ERA_BUDGET_IDS_BURST / ERA_SYNC_IDS_PER_FRAME_MAX; i++)
        probe_offer(p, 1, ERA_SET_STATEMENTS, 2, ids, ERA_SYNC_IDS_PER_FRAME_MAX);
    cr_assert_eq(probe_info(p, 1).limited_in, 0);
    probe_offer(p, 1, ERA_SET_STATEMENTS, 2, ids, ERA_SYNC_IDS_PER_FRAME_MAX);
    cr_assert_eq(probe_info(p, 1).limited_in, 1);
    probe_free(p);
}

/* ---- places ---- */

Test(budget, one_prefix_has_its_share_of_the_links)
{
    struct probe *p = probe_new(1000);
    char address[64];
    for (unsigned i = 0; i < ERA_LINKS_PER_GROUP_MAX; i++) {
        snprintf(address, sizeof address, "tcp://198.51.%u.7:1", i);
        probe_link(p, 1 + i, false, address);
    }
    cr_assert_eq(probe_look(p)->refusals, 0);
    probe_link(p, 1000, false, "tcp://198.51.200.7:1");
    cr_assert_eq(probe_look(p)->refusal, ERA_TOO_MANY_LINKS);
    probe_link(p, 1001, false, "tcp://198.52.200.7:1");
    cr_assert_eq(probe_look(p)->refusals, 0);
    probe_free(p);
}

/* ---- silence ---- */

Test(silence, a_round_that_is_never_answered_is_charged_and_counted)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, true, 9);
    for (int i = 0; i < 20; i++) {
        probe_frame(p);
        probe_send(p, 1); /* it lives, but answers nothing */
        probe_wait(p, 5000);
    }
    struct era_peer_info info = probe_info(p, 1);
    cr_assert_geq(info.charges[ERA_TIMEOUT], 2);
    cr_assert_leq(info.charges[ERA_TIMEOUT], 8);
    probe_free(p);
}

/* An hour in which it answers no round: no fault of a lossy network may add up to more. */
Test(silence, alone_never_mutes)
{
    struct probe *p = probe_new(1000);
    int most = 0;
    probe_up(p, 1, true, 9);
    for (int i = 0; i < 720; i++) {
        for (int k = 0; k < 5; k++)
            era_gossip_verdict(p->g, p->w->now_ms, 1, NULL, ERA_DUPLICATE); /* it lives */
        probe_frame(p);
        probe_send(p, 1);
        probe_wait(p, 5000);
        most = probe_info(p, 1).score > most ? probe_info(p, 1).score : most;
    }
    cr_assert_gt(most, 1);
    cr_assert_lt(most, ERA_SCORE_MUTE / 2);
    cr_assert_eq(bans(p), 0);
    probe_free(p);
}

/* Items that it announces and then keeps, one every two seconds. */
Test(silence, of_what_was_announced_is_counted_at_most_every_ten_seconds)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    for (uint8_t i = 0; i < 30; i++) {
        uint8_t entry[ERA_SPREAD_ENTRY_BYTES] = {i, 1, 2, 3, 4, 5, 6, 7, 0};
        struct era_frame_spread spread = {.announced = {entry, sizeof entry}};
        cr_assert(era_frame_add_spread(probe_frame(p), &spread));
        probe_send(p, 1);
        probe_wait(p, 2000);
    }
    struct era_peer_info info = probe_info(p, 1);
    cr_assert_geq(info.charges[ERA_TIMEOUT], 3);
    cr_assert_leq(info.charges[ERA_TIMEOUT], 6);
    probe_free(p);
}

/* 30 of 100 packets are lost either way, each takes 200 ms: TCP sends again and again, later and later. */
Test(silence, of_a_lossy_network_closes_mutes_and_bans_nobody)
{
    struct wire *w = wire_new(1000, 11);
    size_t items = 0;
    w->target = 4;
    w->delay_ms = 200;
    w->loss_percent = 30;
    for (size_t i = 0; i < 8; i++)
        wire_node(w);
    for (size_t i = 1; i < 8; i++)
        wire_anchor(w, i, 0);
    wire_run(w, 20000);
    for (; items < 600; items++) {
        wire_give(w, items % 8, wire_item(w, ERA_KIND_ANNOUNCEMENT, 200), true);
        wire_run(w, 1000);
        for (size_t i = 0; i < 8; i++) {
            struct era_peer_info peers[ERA_LINKS_MAX];
            size_t count = era_gossip_peers(w->nodes[i].gossip, peers, ERA_LINKS_MAX);
            for (size_t k = 0; k < count; k++)
                cr_assert_lt(peers[k].score, ERA_SCORE_MUTE / 2);
        }
    }
    wire_run(w, 60000);
    for (size_t i = 0; i < 8; i++) {
        const struct era_gossip_totals *t = era_gossip_totals(w->nodes[i].gossip);
        cr_assert_eq(wire_held(w, i), items);
        cr_assert_eq(era_gossip_bans(w->nodes[i].gossip, NULL, 0), 0);
        for (size_t v = 1; v < ERA_VERDICT_COUNT; v++)
            if (v != ERA_TIMEOUT)
                cr_assert_eq(t->charged[v], 0, "%s: %llu", era_verdict_code((enum era_verdict)v),
                             (unsigned long long)t->charged[v]);
        cr_assert_eq(t->closed[ERA_TIMEOUT], 0);
    }
    wire_free(w);
}

/* ---- what it costs among the neighbours ---- */

/* A gossip with an overlay, and a neighbour of it. */
static struct probe *given_neighbour(void)
{
    struct probe *p = calloc(1, sizeof *p);
    p->w = wire_new(1000, 42);
    p->w->target = 4;
    p->n = wire_node(p->w);
    p->g = p->n->gossip;
    p->reads = true;
    probe_up(p, 1, false, 9);
    cr_assert(era_frame_add_neighbour(probe_frame(p), ERA_NEIGHBOUR_ASK));
    probe_send(p, 1);
    cr_assert(probe_info(p, 1).active);
    return p;
}

/* It announces an item that never comes. */
static void when_kept_back(struct probe *p, uint8_t n)
{
    uint8_t entry[ERA_SPREAD_ENTRY_BYTES] = {n, 1, 2, 3, 4, 5, 6, 7, 0};
    struct era_frame_spread spread = {.announced = {entry, sizeof entry}};
    cr_assert(era_frame_add_spread(probe_frame(p), &spread));
    probe_send(p, 1);
    probe_wait(p, 11000);
}

Test(defence, who_is_muted_is_no_neighbour)
{
    struct probe *p = given_neighbour();
    misbehave(p, 1, 4);
    cr_assert(probe_info(p, 1).active);
    misbehave(p, 1, 1);
    cr_assert_not(probe_info(p, 1).active);
    probe_free(p);
}

Test(silence, three_times_on_end_costs_the_place_among_the_neighbours)
{
    struct probe *p = given_neighbour();
    when_kept_back(p, 1);
    when_kept_back(p, 2);
    cr_assert_eq(probe_info(p, 1).charges[ERA_TIMEOUT], 2);
    cr_assert(probe_info(p, 1).active);
    when_kept_back(p, 3);
    cr_assert_not(probe_info(p, 1).active);
    probe_free(p);
}

Test(silence, ends_with_any_statement_that_is_accepted)
{
    struct probe *p = given_neighbour();
    size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100);
    for (uint8_t i = 0; i < 6; i++) {
        when_kept_back(p, i);
        probe_statement(p, 1, item);
        cr_assert_eq(probe_look(p)->delivered, 1);
        era_gossip_publish(p->g, p->w->now_ms, ERA_SET_STATEMENTS, &p->w->items[item].id, 1, false);
    }
    cr_assert_eq(probe_info(p, 1).charges[ERA_TIMEOUT], 6);
    cr_assert(probe_info(p, 1).active);
    probe_free(p);
}

Test(ban, forgets_where_the_banned_one_lives)
{
    struct wire *w = wire_new(1000, 7);
    w->target = 4;
    wire_node(w);
    wire_node(w);
    wire_anchor(w, 1, 0);
    wire_run(w, 10000);
    struct era_gossip *g = w->nodes[0].gossip;
    cr_assert_eq(era_overlay_counts(era_gossip_overlay(g)).known, 1);
    uint64_t link = wire_peer(w, 0, 1).link;
    for (int i = 0; i < 10; i++)
        era_gossip_verdict(g, w->now_ms, link, NULL, ERA_BAD_SIGNATURE);
    cr_assert_eq(era_overlay_counts(era_gossip_overlay(g)).known, 0);
    wire_free(w);
}

Test(ban, of_one_who_never_said_who_it_is_strikes_no_key)
{
    struct probe *p = probe_new(1000);
    probe_link(p, 1, false, "tcp://10.0.0.9:1");
    probe_raw(p, 1, "\xff\xff\xff\xff", 4);
    cr_assert_eq(probe_look(p)->closes, 1);
    cr_assert_eq(bans(p), 0);
    probe_free(p);
}

Test(ban, does_not_strike_an_anchors_host)
{
    struct probe *p = probe_new(1000);
    struct era_ban list[4];
    up_from(p, 1, "tcp://10.0.0.9:1", 9);
    misbehave(p, 1, 10);
    cr_assert_eq(era_gossip_bans(p->g, list, 4), 2);
    probe_look(p);
    cr_assert_eq(era_gossip_add_anchor(p->g, "tcp://10.0.0.9:7711"), ERA_ACCEPTED);
    up_from(p, 2, "tcp://10.0.0.9:2", 8);
    cr_assert_eq(probe_look(p)->ups, 1, "it was banned before it was an anchor's");
    cr_assert_eq(era_gossip_add_anchor(p->g, "tcp://10.0.0.7:7711"), ERA_ACCEPTED);
    up_from(p, 3, "tcp://10.0.0.7:1", 7);
    misbehave(p, 3, 10);
    cr_assert_eq(era_gossip_bans(p->g, list, 4), 3, "another key of that host");
    cr_assert_str_eq(list[2].host, "");
    probe_free(p);
}

Test(ban, of_a_key_ends_where_it_answers_at_an_anchors_address)
{
    struct probe *p = probe_new(1000);
    up_from(p, 1, "tcp://10.0.0.77:1", 9);
    misbehave(p, 1, 10);
    cr_assert_eq(era_gossip_add_anchor(p->g, "tcp://10.0.0.9:7711"), ERA_ACCEPTED);
    cr_assert_eq(probe_wait(p, 0)->connects, 1);
    probe_up(p, 2, true, 9);
    probe_free(p);
}

Test(budget, one_accepted_gives_back_one)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100);
    for (int i = 0; i < ERA_BUDGET_STATEMENTS_BURST; i++) {
        probe_statement(p, 1, item);
        if (i % 1000 == 0)
            probe_look(p);
    }
    era_gossip_publish(p->g, 1000, ERA_SET_STATEMENTS, &p->w->items[item].id, 1, false);
    probe_statement(p, 1, item);
    cr_assert_eq(probe_info(p, 1).limited_in, 0);
    probe_statement(p, 1, item);
    cr_assert_eq(probe_info(p, 1).limited_in, 1);
    probe_free(p);
}
