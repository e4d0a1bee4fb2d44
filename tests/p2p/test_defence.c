/* What a peer may cost: budgets, mute, bans by key and host, silence. Charged to who sends, visible, bounded.
 */
#include <criterion/criterion.h>

#include <stdio.h>
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
    cr_assert_eq(bans(p), 1);
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
        era_gossip_publish(p->g, 1000, ERA_SET_STATEMENTS, &p->w->items[item].id, 1, false);
        if (i % 1000 == 0)
            probe_look(p);
    }
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
