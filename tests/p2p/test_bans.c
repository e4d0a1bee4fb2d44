/* What a ban reaches, and how many links one key may have. */
#include <criterion/criterion.h>

#include <stdio.h>

#include "tests/p2p/probe.h"

static void up_from(struct probe *p, uint64_t link, const char *address, uint8_t node)
{
    struct era_frame_hello hello = probe_hello(p, node);
    probe_link(p, link, false, address);
    probe_greet(p, link, &hello);
}

static void misbehave(struct probe *p, uint64_t link)
{
    for (int i = 0; i < 10; i++)
        era_gossip_verdict(p->g, p->w->now_ms, link, NULL, ERA_BAD_SIGNATURE);
}

static size_t links(struct probe *p)
{
    return era_gossip_peers(p->g, NULL, 0);
}

static size_t bans_of_hosts(struct probe *p, struct era_ban *last)
{
    static struct era_ban list[ERA_BANS_MAX];
    size_t count = era_gossip_bans(p->g, list, ERA_BANS_MAX), hosts = 0;
    for (size_t i = 0; i < count; i++)
        if (list[i].host[0] != '\0') {
            hosts++;
            *last = list[i];
        }
    return hosts;
}

Test(ban, ends_all_links_of_the_key_and_of_the_host)
{
    struct probe *p = probe_new(1000);
    up_from(p, 1, "tcp://10.0.0.9:1", 9);
    up_from(p, 2, "tcp://10.0.0.9:2", 8);
    up_from(p, 3, "tcp://10.0.0.77:1", 9);
    probe_link(p, 4, false, "tcp://10.0.0.9:3"); /* has not said who it is */
    up_from(p, 5, "tcp://10.0.0.78:1", 7);
    cr_assert_eq(links(p), 5);
    misbehave(p, 1);
    cr_assert_eq(probe_look(p)->closes, 4);
    cr_assert_eq(links(p), 1);
    cr_assert_eq(probe_info(p, 5).state, ERA_PEER_UP);
    probe_free(p);
}

Test(ban, for_a_broken_frame_ends_all_links_of_the_key)
{
    struct probe *p = probe_new(1000);
    up_from(p, 1, "tcp://10.0.0.9:1", 9);
    up_from(p, 2, "tcp://10.0.0.9:2", 8);
    up_from(p, 3, "tcp://10.0.0.77:1", 9);
    probe_raw(p, 1, "\xff\xff\xff\xff", 4);
    cr_assert_eq(probe_look(p)->closes, 2);
    cr_assert_eq(links(p), 1);
    probe_free(p);
}

Test(ban, closes_no_anchor)
{
    struct probe *p = probe_new(1000);
    cr_assert_eq(era_gossip_add_anchor(p->g, "tcp://10.0.0.9:7711"), ERA_ACCEPTED);
    probe_wait(p, 0);
    probe_up(p, 1, true, 9);
    up_from(p, 2, "tcp://10.0.0.9:2", 8);
    misbehave(p, 2);
    cr_assert_eq(links(p), 1);
    cr_assert_eq(probe_info(p, 1).state, ERA_PEER_UP);
    probe_free(p);
}

Test(ban, of_a_host_comes_with_its_third_broken_frame_whatever_its_keys)
{
    struct probe *p = probe_new(1000);
    struct era_ban ban;
    for (uint64_t i = 1; i <= 3; i++) {
        cr_assert_eq(bans_of_hosts(p, &ban), 0);
        up_from(p, i, "tcp://10.0.0.9:1", (uint8_t)(10 + i));
        probe_raw(p, i, "\xff\xff\xff\xff", 4);
    }
    cr_assert_eq(bans_of_hosts(p, &ban), 1);
    cr_assert_str_eq(ban.host, "10.0.0.9");
    probe_free(p);
}

Test(ban, of_an_ipv6_host_is_of_its_64)
{
    struct probe *p = probe_new(1000);
    struct era_ban ban;
    up_from(p, 1, "tcp://[2001:db8:1:2::9]:1", 9);
    misbehave(p, 1);
    cr_assert_eq(bans_of_hosts(p, &ban), 1);
    cr_assert_str_eq(ban.host, "2001:db8:1:2::/64");
    probe_look(p);
    probe_link(p, 2, false, "tcp://[2001:db8:1:2:ffff::1]:1");
    cr_assert_eq(probe_look(p)->refusals, 1);
    probe_link(p, 3, false, "tcp://[2001:db8:1:3::1]:1");
    cr_assert_eq(probe_look(p)->refusals, 0);
    probe_free(p);
}

Test(ban, of_a_key_never_pushes_out_that_of_a_host)
{
    struct probe *p = probe_new(1000);
    struct era_ban ban;
    up_from(p, 1, "tcp://10.0.0.9:1", 9);
    misbehave(p, 1);
    for (unsigned i = 0; i < 2 * ERA_BANS_MAX; i++) {
        struct era_frame_hello hello = probe_hello(p, 10);
        era_put_be32(hello.node.b + 1, i);
        probe_link(p, 2 + i, false, "tcp://127.0.0.1:1");
        probe_greet(p, 2 + i, &hello);
        misbehave(p, 2 + i);
        p->w->now_ms++;
        probe_look(p);
    }
    cr_assert_eq(era_gossip_bans(p->g, NULL, 0), ERA_BANS_MAX);
    cr_assert_eq(bans_of_hosts(p, &ban), 1);
    probe_free(p);
}

Test(screen, keeps_out_a_host_that_is_banned_as_long_as_it_is)
{
    struct probe *p = probe_new(1000);
    up_from(p, 1, "tcp://10.0.0.9:1", 9);
    cr_assert_eq(era_gossip_screen(p->g, p->w->now_ms, "tcp://10.0.0.9:2"), ERA_ACCEPTED);
    misbehave(p, 1);
    cr_assert_eq(era_gossip_screen(p->g, p->w->now_ms, "tcp://10.0.0.9:2"), ERA_TOO_MANY_LINKS);
    cr_assert_eq(era_gossip_screen(p->g, p->w->now_ms, "tcp://10.0.0.10:2"), ERA_ACCEPTED);
    /* Though nothing happens here that moves its time. */
    cr_assert_eq(era_gossip_screen(p->g, p->w->now_ms + ERA_BAN_MIN_MS, "tcp://10.0.0.9:2"), ERA_ACCEPTED);
    probe_free(p);
}

Test(screen, keeps_out_a_host_whose_streams_become_no_links_until_its_share_comes_back)
{
    struct probe *p = probe_new(1000);
    uint64_t now_ms = p->w->now_ms;
    for (int i = 0; i < ERA_LINKS_ACCEPTED_BURST; i++) {
        cr_assert_eq(era_gossip_screen(p->g, now_ms, "tcp://10.0.0.9:1"), ERA_ACCEPTED);
        era_gossip_stranger_gone(p->g, now_ms, "tcp://10.0.0.9:1");
    }
    cr_assert_eq(era_gossip_screen(p->g, now_ms, "tcp://10.0.0.9:1"), ERA_RATE_LIMITED);
    cr_assert_eq(era_gossip_screen(p->g, now_ms, "tcp://10.0.0.10:1"), ERA_ACCEPTED);
    cr_assert_eq(era_gossip_screen(p->g, now_ms + 249, "tcp://10.0.0.9:1"), ERA_RATE_LIMITED);
    cr_assert_eq(era_gossip_screen(p->g, now_ms + 250, "tcp://10.0.0.9:1"), ERA_ACCEPTED);
    probe_free(p);
}

Test(screen, keeps_out_neither_loopback_nor_an_anchor)
{
    struct probe *p = probe_new(1000);
    cr_assert_eq(era_gossip_add_anchor(p->g, "tcp://10.0.0.9:7711"), ERA_ACCEPTED);
    for (int i = 0; i < 2 * ERA_LINKS_ACCEPTED_BURST; i++) {
        era_gossip_stranger_gone(p->g, p->w->now_ms, "tcp://10.0.0.9:1");
        era_gossip_stranger_gone(p->g, p->w->now_ms, "tcp://127.0.0.1:1");
    }
    cr_assert_eq(era_gossip_screen(p->g, p->w->now_ms, "tcp://10.0.0.9:1"), ERA_ACCEPTED);
    cr_assert_eq(era_gossip_screen(p->g, p->w->now_ms, "tcp://127.0.0.1:1"), ERA_ACCEPTED);
    probe_free(p);
}

Test(screen, keeps_out_an_ipv6_48_whose_hosts_come_one_after_another)
{
    struct probe *p = probe_new(1000);
    uint64_t now_ms = p->w->now_ms;
    char address[64];
    for (unsigned i = 0; i < ERA_SITE_LINKS_BURST; i++) {
        snprintf(address, sizeof address, "tcp://[2001:db8:7:%x::1]:1", i);
        cr_assert_eq(era_gossip_screen(p->g, now_ms, address), ERA_ACCEPTED);
        era_gossip_stranger_gone(p->g, now_ms, address);
    }
    cr_assert_eq(era_gossip_screen(p->g, now_ms, "tcp://[2001:db8:7:ffff::1]:1"), ERA_RATE_LIMITED);
    probe_link(p, 1, false, "tcp://[2001:db8:7:ffff::1]:1");
    cr_assert_eq(probe_look(p)->refusals, 1);
    cr_assert_eq(era_gossip_screen(p->g, now_ms, "tcp://[2001:db8:8::1]:1"), ERA_ACCEPTED);
    cr_assert_eq(era_gossip_screen(p->g, now_ms + 63, "tcp://[2001:db8:7:ffff::1]:1"), ERA_ACCEPTED);
    probe_free(p);
}

Test(screen, keeps_out_no_anchor_that_is_named_where_it_answered_last)
{
    struct probe *p = probe_new(1000);
    struct era_frame_hello hello = probe_hello(p, 9);
    cr_assert_eq(era_gossip_add_anchor(p->g, "tcp://seed.example.org:7711"), ERA_ACCEPTED);
    cr_assert_eq(probe_wait(p, 0)->connects, 1);
    probe_link(p, 1, true, "tcp://seed.example.org:7711");
    era_gossip_found_at(p->g, 1, "tcp://192.0.2.9:7711");
    for (int i = 0; i < 2 * ERA_LINKS_ACCEPTED_BURST; i++)
        era_gossip_stranger_gone(p->g, p->w->now_ms, "tcp://192.0.2.9:1");
    cr_assert_eq(era_gossip_screen(p->g, p->w->now_ms, "tcp://192.0.2.9:1"), ERA_RATE_LIMITED,
                 "not greeted yet");
    probe_greet(p, 1, &hello);
    cr_assert_eq(era_gossip_screen(p->g, p->w->now_ms, "tcp://192.0.2.9:1"), ERA_ACCEPTED);
    cr_assert_eq(era_gossip_screen(p->g, p->w->now_ms, "tcp://192.0.2.10:1"), ERA_ACCEPTED);
    up_from(p, 2, "tcp://192.0.2.9:2", 8);
    misbehave(p, 2);
    struct era_ban ban;
    cr_assert_eq(bans_of_hosts(p, &ban), 0);
    probe_free(p);
}

Test(screen, spares_no_place_where_another_than_the_pinned_anchor_answered)
{
    struct probe *p = probe_new(1000);
    struct era_frame_hello hello = probe_hello(p, 9), other = probe_hello(p, 8);
    cr_assert_eq(era_gossip_add_anchor(p->g, "tcp://seed.example.org:7711"), ERA_ACCEPTED);
    cr_assert_eq(era_gossip_pin_anchor(p->g, "tcp://seed.example.org:7711", &hello.node), ERA_ACCEPTED);
    cr_assert_eq(probe_wait(p, 0)->connects, 1);
    probe_link(p, 1, true, "tcp://seed.example.org:7711");
    era_gossip_found_at(p->g, 1, "tcp://192.0.2.9:7711");
    probe_greet(p, 1, &other);
    for (int i = 0; i < ERA_LINKS_ACCEPTED_BURST; i++)
        era_gossip_stranger_gone(p->g, p->w->now_ms, "tcp://192.0.2.9:1");
    cr_assert_eq(era_gossip_screen(p->g, p->w->now_ms, "tcp://192.0.2.9:1"), ERA_RATE_LIMITED);
    probe_free(p);
}

Test(second_link, of_one_key_that_dialled_both_is_the_one_kept_after_five_seconds)
{
    struct probe *p = probe_new(1000);
    up_from(p, 1, "tcp://10.0.0.9:1", 9);
    up_from(p, 2, "tcp://10.0.0.9:2", 9);
    cr_assert_eq(probe_wait(p, 4999)->closes, 0, "the dialler may choose");
    cr_assert_eq(probe_wait(p, 1)->closes, 1);
    cr_assert_eq(p->seen.closed_link, 1);
    cr_assert_eq(p->seen.close, ERA_DUPLICATE);
    cr_assert_eq(probe_wait(p, 10000)->closes, 0);
    cr_assert_eq(links(p), 1);
    probe_free(p);
}

Test(second_link, a_third_takes_the_place_of_the_oldest_at_once)
{
    struct probe *p = probe_new(1000);
    for (uint64_t link = 1; link <= 20; link++) {
        up_from(p, link, "tcp://10.0.0.9:1", 9);
        cr_assert_leq(links(p), 2);
    }
    cr_assert_eq(probe_info(p, 20).state, ERA_PEER_UP);
    probe_free(p);
}
