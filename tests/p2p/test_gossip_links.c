/* Links: hello, refusals in band, second links, anchors, deadlines. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "tests/p2p/probe.h"

#define ANCHOR "tcp://10.0.0.9:7711"

static void then_refused(const struct probe_seen *seen, enum era_verdict why)
{
    cr_assert_eq(seen->refusals, 1, "in band");
    cr_assert_eq(seen->refusal, why);
    cr_assert_eq(seen->closes, 1);
    cr_assert_eq(seen->close, why);
    cr_assert_eq(seen->ups, 0);
}

Test(link, both_sides_say_hello_first)
{
    struct probe *p = probe_new(1000);
    probe_link(p, 1, false, "tcp://10.0.0.1:40000");
    const struct probe_seen *seen = probe_look(p);
    cr_assert_eq(seen->hellos, 1);
    cr_assert_eq(seen->frames, 1);
    struct era_frame_hello hello = probe_hello(p, 9);
    hello.protocol_max = 3;
    memcpy(hello.listen, ANCHOR, sizeof ANCHOR);
    probe_greet(p, 1, &hello);
    cr_assert_eq(probe_look(p)->ups, 1);
    struct era_peer_info info = probe_info(p, 1);
    cr_assert_eq(info.state, ERA_PEER_UP);
    cr_assert_eq(info.protocol, 1);
    cr_assert_str_eq(info.agent, "probe");
    cr_assert_str_eq(info.listen, ANCHOR);
    probe_free(p);
}

Test(link, another_network_is_refused)
{
    struct probe *p = probe_new(1000);
    struct era_frame_hello hello = probe_hello(p, 9);
    hello.network.b[31] = 1;
    probe_link(p, 1, false, "tcp://10.0.0.1:40000");
    probe_greet(p, 1, &hello);
    then_refused(probe_look(p), ERA_WRONG_NETWORK);
    cr_assert_eq(era_gossip_peers(p->g, NULL, 0), 0);
    probe_free(p);
}

Test(link, no_common_protocol_is_refused)
{
    struct probe *p = probe_new(1000);
    struct era_frame_hello hello = probe_hello(p, 9);
    hello.protocol_min = hello.protocol_max = 2;
    probe_link(p, 1, false, "tcp://10.0.0.1:40000");
    probe_greet(p, 1, &hello);
    then_refused(probe_look(p), ERA_NO_COMMON_PROTOCOL);
    probe_free(p);
}

Test(link, a_link_to_oneself_is_refused)
{
    struct probe *p = probe_new(1000);
    cr_assert_eq(era_gossip_add_anchor(p->g, ANCHOR), ERA_ACCEPTED);
    cr_assert_eq(probe_wait(p, 0)->connects, 1);
    struct era_frame_hello hello = probe_hello(p, 1); /* the gossip's own key */
    probe_link(p, 1, true, ANCHOR);
    probe_greet(p, 1, &hello);
    then_refused(probe_look(p), ERA_SELF_LINK);
    probe_free(p);
}

Test(link, anything_before_hello_is_refused)
{
    struct probe *p = probe_new(1000);
    probe_link(p, 1, false, "tcp://10.0.0.1:40000");
    probe_digest(p, 1, ERA_SET_STATEMENTS, 2, NULL, 0);
    then_refused(probe_look(p), ERA_UNEXPECTED);
    probe_free(p);
}

Test(link, an_empty_frame_before_hello_is_refused)
{
    struct probe *p = probe_new(1000);
    probe_link(p, 1, false, "tcp://10.0.0.1:40000");
    probe_frame(p);
    probe_send(p, 1);
    then_refused(probe_look(p), ERA_UNEXPECTED);
    probe_free(p);
}

Test(link, what_stands_before_hello_in_one_frame_is_not_taken)
{
    struct probe *p = probe_new(1000);
    size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100);
    struct era_frame_hello hello = probe_hello(p, 9);
    struct era_frame_builder *b = probe_frame(p);
    probe_link(p, 1, false, "tcp://10.0.0.1:40000");
    era_frame_add_statement(b, p->w->items[item].bytes);
    era_frame_add_hello(b, &hello);
    probe_send(p, 1);
    const struct probe_seen *seen = probe_look(p);
    cr_assert_eq(seen->closes, 1);
    cr_assert_eq(seen->delivered, 0);
    probe_free(p);
}

/* Another's node key is a name that anybody may write; its secret half proves it. */
Test(link, a_node_key_that_the_link_did_not_prove_is_refused)
{
    struct probe *p = probe_new(1000);
    struct era_gossip_config config = wire_config(p->n);
    struct era_frame_hello hello = probe_hello(p, 9);
    struct era_key other = {{8}};
    config.proves = NULL; /* the proof is the key itself */
    era_gossip_free(p->g);
    p->g = p->n->gossip = era_gossip_new(&config);

    era_gossip_link_up(p->g, 1000, 1, false, "tcp://10.0.0.1:40000", other.b);
    probe_look(p);
    probe_greet(p, 1, &hello);
    then_refused(probe_look(p), ERA_UNPROVEN_KEY);

    era_gossip_link_up(p->g, 1000, 2, false, "tcp://10.0.0.1:40000", hello.node.b);
    probe_greet(p, 2, &hello);
    cr_assert_eq(probe_look(p)->ups, 1);
    probe_free(p);
}

/* Or a stranger at an anchor's address would have it dialled no more. */
Test(link, our_own_key_without_its_proof_is_no_link_to_oneself)
{
    struct probe *p = probe_new(1000);
    struct era_gossip_config config = wire_config(p->n);
    struct era_frame_hello hello = probe_hello(p, 9);
    struct era_key other = {{8}};
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    size_t reachable, reconciled;
    config.proves = NULL;
    hello.node = config.node;
    era_gossip_free(p->g);
    p->g = p->n->gossip = era_gossip_new(&config);
    era_gossip_add_anchor(p->g, wire_address(9, address));
    era_gossip_tick(p->g, 1000);
    probe_look(p);

    era_gossip_link_up(p->g, 1000, 1, true, address, other.b);
    probe_greet(p, 1, &hello);
    then_refused(probe_look(p), ERA_UNPROVEN_KEY);
    cr_assert_eq(era_gossip_anchor_state(p->g, &reachable, &reconciled), 1);
    cr_assert_gt(probe_wait(p, 2 * ERA_RECONNECT_MAX_MS)->connects, 0);
    probe_free(p);
}

Test(link, a_second_hello_is_charged)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    struct era_frame_hello hello = probe_hello(p, 9);
    probe_greet(p, 1, &hello);
    cr_assert_eq(probe_info(p, 1).score, 10);
    probe_free(p);
}

Test(link, a_peer_that_never_says_hello_is_dropped)
{
    struct probe *p = probe_new(1000);
    probe_link(p, 1, false, "tcp://10.0.0.1:40000");
    probe_look(p);
    cr_assert_eq(probe_wait(p, ERA_HANDSHAKE_MS - 1)->closes, 0);
    then_refused(probe_wait(p, 1), ERA_TIMEOUT);
    probe_free(p);
}

Test(link, a_silent_peer_is_dropped)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    cr_assert_eq(probe_wait(p, ERA_LINK_IDLE_MS - 1)->closes, 0);
    const struct probe_seen *seen = probe_wait(p, 1);
    cr_assert_eq(seen->close, ERA_TIMEOUT);
    cr_assert_eq(seen->downs, 1);
    cr_assert_eq(seen->down, ERA_TIMEOUT);
    probe_free(p);
}

Test(link, a_peer_that_speaks_but_does_not_read_is_dropped)
{
    struct probe *p = probe_new(1000);
    p->reads = false;
    probe_up(p, 1, false, 9);
    size_t closes = 0;
    for (int i = 0; i < 13; i++) {
        probe_frame(p);
        probe_send(p, 1); /* an empty frame keeps alive */
        closes += probe_wait(p, 5000)->closes;
    }
    cr_assert_eq(closes, 1);
    probe_free(p);
}

Test(link, an_idle_link_is_kept_alive_by_rounds)
{
    struct wire *w = wire_new(1000, 1);
    wire_node(w);
    wire_node(w);
    wire_anchor(w, 0, 1);
    wire_run(w, 10 * ERA_LINK_IDLE_MS);
    cr_assert_eq(w->nodes[0].ups, 1);
    cr_assert_eq(w->nodes[0].downs, 0);
    cr_assert_eq(w->nodes[1].downs, 0);
    wire_free(w);
}

Test(link, too_many_links_of_one_address_are_refused_in_band)
{
    struct probe *p = probe_new(1000);
    char address[64];
    for (unsigned i = 0; i < ERA_LINKS_PER_ADDRESS_MAX; i++) {
        snprintf(address, sizeof address, "tcp://10.0.0.1:%u", 40000 + i);
        probe_link(p, 1 + i, false, address);
    }
    cr_assert_eq(probe_look(p)->closes, 0);
    probe_link(p, 1000, false, "tcp://10.0.0.1:50000");
    then_refused(probe_look(p), ERA_TOO_MANY_LINKS);
    cr_assert_eq(p->seen.closed_link, 1000);
    probe_link(p, 1001, false, "tcp://10.0.0.2:50000");
    cr_assert_eq(probe_look(p)->closes, 0);
    cr_assert_eq(era_gossip_peers(p->g, NULL, 0), ERA_LINKS_PER_ADDRESS_MAX + 1);
    probe_free(p);
}

Test(link, of_a_prefix_that_has_its_share_another_host_comes_in_the_place_of_one_of_its_own)
{
    struct probe *p = probe_new_of(1000, 3);
    char address[64];
    struct era_frame_hello hello;
    hello = probe_hello(p, 200);
    probe_link(p, 1, false, "tcp://21.1.0.1:1");
    probe_greet(p, 1, &hello);
    for (unsigned i = 0; i < ERA_LINKS_PER_GROUP_MAX; i++) {
        snprintf(address, sizeof address, "tcp://20.1.7.%u:1", 1 + i / 2);
        hello = probe_hello(p, (uint8_t)(10 + i));
        probe_link(p, 100 + i, false, address);
        probe_greet(p, 100 + i, &hello);
    }
    cr_assert_eq(probe_look(p)->closes, 0);
    probe_link(p, 1000, false, "tcp://20.1.9.9:1");
    cr_assert_eq(probe_look(p)->closes, 1);
    cr_assert_eq(p->seen.closed_link, 100 + ERA_LINKS_PER_GROUP_MAX - 1,
                 "of the host that has most, its newest");
    cr_assert_eq(p->seen.close, ERA_TOO_MANY_LINKS);
    cr_assert_eq(era_gossip_peers(p->g, NULL, 0), ERA_LINKS_PER_GROUP_MAX + 1);
    probe_free(p);
}

Test(link, who_proves_a_key_and_does_not_greet_gives_way_to_a_newcomer)
{
    struct probe *p = probe_new_of(1000, 3);
    char address[64];
    for (unsigned i = 0; i < ERA_LINKS_MAX; i++) {
        snprintf(address, sizeof address, "tcp://10.1.%u.%u:1", i / 16, 1 + i % 16);
        probe_link(p, 1 + i, false, address);
    }
    cr_assert_eq(probe_look(p)->closes, 0);
    probe_link(p, 1000, false, "tcp://10.2.0.1:1");
    cr_assert_eq(probe_look(p)->closed_link, 1000, "they have only just come");
    probe_wait(p, ERA_LINK_GRACE_MS);
    probe_link(p, 1001, false, "tcp://10.2.0.1:1");
    cr_assert_eq(probe_look(p)->closes, 1);
    cr_assert_eq(p->seen.closed_link, 1, "the oldest");
    probe_free(p);
}

Test(link, ipc_and_ipv6_addresses_have_hosts_too)
{
    struct probe *p = probe_new(1000);
    char address[64];
    for (unsigned i = 0; i < ERA_LINKS_PER_ADDRESS_MAX; i++) {
        snprintf(address, sizeof address, "ipc:///run/%u.sock", i);
        probe_link(p, 1 + i, false, address);
        snprintf(address, sizeof address, "tcp://[fe80::1]:%u", 40000 + i);
        probe_link(p, 1000 + i, false, address);
    }
    cr_assert_eq(probe_look(p)->closes, 0);
    probe_link(p, 5000, false, "ipc:///run/x.sock");
    probe_link(p, 5001, false, "tcp://[fe80::1]:9");
    cr_assert_eq(probe_look(p)->closes, 2);
    probe_free(p);
}

Test(link, links_are_capped_in_all_and_places_kept_for_anchors)
{
    struct probe *p = probe_new(1000);
    char address[64];
    cr_assert_eq(era_gossip_add_anchor(p->g, ANCHOR), ERA_ACCEPTED);
    probe_wait(p, 0);
    for (unsigned i = 0; i < ERA_LINKS_MAX - 1; i++) {
        snprintf(address, sizeof address, "tcp://10.0.%u.1:1", i);
        probe_link(p, 1 + i, false, address);
    }
    cr_assert_eq(probe_look(p)->closes, 0);
    probe_link(p, 1000, false, "tcp://10.1.0.1:1");
    then_refused(probe_look(p), ERA_TOO_MANY_LINKS);
    probe_link(p, 1001, true, ANCHOR);
    cr_assert_eq(probe_look(p)->closes, 0);
    cr_assert_eq(era_gossip_peers(p->g, NULL, 0), ERA_LINKS_MAX);
    probe_free(p);
}

Test(link, the_peers_refusal_ends_it)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    cr_assert(era_frame_add_refusal(probe_frame(p), ERA_BAD_SIGNATURE, "no"));
    probe_send(p, 1);
    const struct probe_seen *seen = probe_look(p);
    cr_assert_eq(seen->refusals, 0);
    cr_assert_eq(seen->close, ERA_BAD_SIGNATURE);
    cr_assert_eq(seen->down, ERA_BAD_SIGNATURE);
    probe_free(p);
}

Test(link, calls_for_a_forgotten_link_are_ignored)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    era_gossip_link_down(p->g, 1000, 1, ERA_ACCEPTED);
    const struct probe_seen *seen = probe_look(p);
    cr_assert_eq(seen->downs, 1);
    cr_assert_eq(seen->down, ERA_ACCEPTED);
    era_gossip_link_down(p->g, 1000, 1, ERA_ACCEPTED);
    era_gossip_sent(p->g, 1000, 1, 10);
    probe_digest(p, 1, ERA_SET_STATEMENTS, 2, NULL, 0);
    era_gossip_verdict(p->g, 1000, 1, NULL, ERA_BAD_SIGNATURE);
    seen = probe_look(p);
    cr_assert_eq(seen->frames + seen->closes + seen->downs, 0);
    probe_free(p);
}

/* ---- two links to one node ---- */

Test(link, of_two_links_both_ends_keep_the_one_dialled_by_the_smaller_key)
{
    for (size_t first = 0; first < 2; first++) {
        struct wire *w = wire_new(1000, 1);
        wire_node(w);
        wire_node(w);
        wire_anchor(w, first, 1 - first);
        wire_run(w, 100);
        wire_anchor(w, 1 - first, first);
        wire_run(w, 60000);
        cr_assert_eq(wire_links_of(w, 0), 1);
        cr_assert_eq(wire_links_of(w, 1), 1);
        cr_assert(wire_peer(w, 0, 1).outgoing, "node 0 has the smaller key");
        cr_assert_leq(w->nodes[0].dials + w->nodes[1].dials, 3, "no reconnect storm");
        wire_free(w);
    }
}

Test(link, links_that_cross_end_as_one)
{
    struct wire *w = wire_new(1000, 1);
    wire_node(w);
    wire_node(w);
    wire_anchor(w, 0, 1);
    wire_anchor(w, 1, 0);
    wire_run(w, 60000);
    cr_assert_eq(wire_links_of(w, 0), 1);
    cr_assert_eq(wire_links_of(w, 1), 1);
    cr_assert_leq(w->nodes[0].dials + w->nodes[1].dials, 3);
    wire_free(w);
}

Test(link, two_addresses_of_one_node_end_as_one_link)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, true, 9);
    probe_link(p, 2, true, "tcp://10.0.0.77:7711");
    struct era_frame_hello hello = probe_hello(p, 9);
    probe_greet(p, 2, &hello);
    const struct probe_seen *seen = probe_look(p);
    cr_assert_eq(seen->closed_link, 2);
    cr_assert_eq(seen->refusal, ERA_DUPLICATE);
    cr_assert_eq(seen->ups + seen->downs, 0);
    probe_free(p);
}

Test(link, the_dialled_end_leaves_it_to_the_dialler)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    probe_up(p, 2, false, 9);
    cr_assert_eq(era_gossip_peers(p->g, NULL, 0), 2);
    probe_free(p);
}

/* ---- anchors ---- */

Test(anchor, is_dialled_at_start_and_again_with_growing_jittered_pauses)
{
    struct probe *p = probe_new(1000);
    cr_assert_eq(era_gossip_add_anchor(p->g, ANCHOR), ERA_ACCEPTED);
    cr_assert_str_eq(probe_wait(p, 0)->connect, ANCHOR);
    uint64_t base = ERA_RECONNECT_MIN_MS;
    for (int i = 0; i < 10; i++) {
        era_gossip_dial_failed(p->g, p->w->now_ms, ANCHOR);
        uint64_t pause = era_gossip_deadline_ms(p->g) - p->w->now_ms;
        cr_assert_geq(pause, base / 2);
        cr_assert_leq(pause, base);
        cr_assert_eq(probe_wait(p, pause)->connects, 1);
        base = 2 * base > ERA_RECONNECT_MAX_MS ? ERA_RECONNECT_MAX_MS : 2 * base;
    }
    probe_free(p);
}

Test(anchor, is_dialled_again_when_its_link_ends)
{
    struct wire *w = wire_new(1000, 1);
    wire_node(w);
    wire_node(w);
    wire_anchor(w, 0, 1);
    wire_run(w, 20000);
    wire_cut(w, 0, 1, false);
    wire_run(w, ERA_RECONNECT_MIN_MS + 50);
    cr_assert_eq(w->nodes[0].ups, 2);
    wire_free(w);
}

Test(anchor, waits_long_after_a_refusal)
{
    struct probe *p = probe_new(1000);
    cr_assert_eq(era_gossip_add_anchor(p->g, ANCHOR), ERA_ACCEPTED);
    probe_wait(p, 0);
    probe_link(p, 1, true, ANCHOR);
    struct era_frame_hello hello = probe_hello(p, 9);
    hello.network.b[0] = 1;
    probe_greet(p, 1, &hello);
    cr_assert_geq(era_gossip_deadline_ms(p->g) - p->w->now_ms, ERA_RECONNECT_MAX_MS / 2);
    probe_free(p);
}

static struct era_key node_key(uint8_t node)
{
    return (struct era_key){{node}};
}

/* One that is dialled, and pinned to node 9. */
static struct probe *given_pinned(void)
{
    struct probe *p = probe_new(1000);
    struct era_key nine = node_key(9);
    cr_assert_eq(era_gossip_pin_anchor(p->g, ANCHOR, &nine), ERA_NOT_FOUND);
    cr_assert_eq(era_gossip_add_anchor(p->g, ANCHOR), ERA_ACCEPTED);
    cr_assert_eq(era_gossip_pin_anchor(p->g, ANCHOR, &nine), ERA_ACCEPTED);
    cr_assert_eq(probe_wait(p, 0)->connects, 1);
    return p;
}

static void answers(struct probe *p, uint64_t link, uint8_t node)
{
    struct era_frame_hello hello = probe_hello(p, node);
    probe_link(p, link, true, ANCHOR);
    probe_greet(p, link, &hello);
}

Test(anchor, where_another_key_answers_than_the_pinned_one_nobody_is_linked_or_counted)
{
    struct probe *p = given_pinned();
    struct era_other_key other;
    size_t reachable, reconciled;
    for (uint64_t link = 1; link <= 3; link++) {
        answers(p, link, 8);
        then_refused(probe_look(p), ERA_OTHER_KEY);
        cr_assert_eq(era_gossip_other_keys(p->g, &other, 1), 1);
        cr_assert_eq(other.times, link);
        cr_assert_eq(probe_wait(p, ERA_RECONNECT_MAX_MS)->connects, 1, "it is dialled again");
    }
    cr_assert_str_eq(other.address, ANCHOR);
    struct era_key eight = node_key(8), nine = node_key(9);
    cr_assert(era_key_eq(&other.answered, &eight));
    cr_assert(era_key_eq(&other.wanted, &nine));
    cr_assert_eq(era_gossip_anchor_state(p->g, &reachable, &reconciled), 1);
    cr_assert_eq(reachable + reconciled, 0);
    answers(p, 4, 9);
    cr_assert_eq(probe_look(p)->ups, 1);
    cr_assert(probe_info(p, 4).anchor && probe_info(p, 4).pinned);
    cr_assert_eq(era_gossip_anchor_state(p->g, &reachable, &reconciled), 1);
    cr_assert_eq(reachable, 1);
    cr_assert_eq(era_gossip_other_keys(p->g, &other, 1), 0, "the right one is back");
    probe_free(p);
}

Test(anchor, who_proves_the_pinned_key_is_the_peer_wherever_it_comes_from_and_nobody_else_is)
{
    struct probe *p = given_pinned();
    answers(p, 1, 8);
    then_refused(probe_look(p), ERA_OTHER_KEY);
    probe_up(p, 2, false, 8);
    probe_up(p, 3, false, 9);
    cr_assert_not(probe_info(p, 2).anchor, "it answered there, but is not the one");
    cr_assert(probe_info(p, 3).anchor && probe_info(p, 3).pinned);
    probe_free(p);
}

Test(anchor, addresses_are_checked_and_counted)
{
    struct probe *p = probe_new(1000);
    char address[ERA_ADDRESS_BYTES_MAX + 2];
    memset(address, 'a', sizeof address);
    address[sizeof address - 1] = '\0';
    cr_assert_eq(era_gossip_add_anchor(p->g, address), ERA_BAD_VALUE);
    cr_assert_eq(era_gossip_add_anchor(p->g, ""), ERA_BAD_VALUE);
    for (size_t i = 0; i < ERA_PEERS_MAX; i++)
        cr_assert_eq(era_gossip_add_anchor(p->g, wire_address(i, address)), ERA_ACCEPTED);
    cr_assert_eq(era_gossip_add_anchor(p->g, wire_address(0, address)), ERA_DUPLICATE);
    cr_assert_eq(era_gossip_add_anchor(p->g, ANCHOR "0"), ERA_FULL);
    probe_free(p);
}

Test(anchor, without_peers_nothing_is_ever_due)
{
    struct probe *p = probe_new(1000);
    cr_assert_eq(era_gossip_deadline_ms(p->g), UINT64_MAX);
    probe_free(p);
}

/* ---- what ticks cost ---- */

static const uint8_t nothing[] = {0x48, 0x00}; /* a part that nobody knows */

static uint64_t ticks(const struct probe *p)
{
    return era_gossip_totals(p->g)->ticks;
}

static struct probe *given_links(uint64_t count)
{
    struct probe *p = probe_new(1000);
    p->reads = true;
    for (uint64_t link = 1; link <= count; link++)
        probe_up(p, link, true, (uint8_t)(10 + link));
    probe_wait(p, 5000);
    era_gossip_tick(p->g, p->w->now_ms);
    return p;
}

Test(tick, frames_that_say_nothing_make_it_look_at_no_other_link)
{
    struct probe *p = given_links(50);
    uint64_t before = ticks(p);
    for (size_t i = 0; i < 1000; i++) {
        probe_raw(p, 1 + i % 50, nothing, sizeof nothing);
        era_gossip_tick(p->g, p->w->now_ms);
        cr_assert_gt(era_gossip_deadline_ms(p->g), p->w->now_ms);
    }
    cr_assert_eq(ticks(p), before);
    era_gossip_tick(p->g, era_gossip_deadline_ms(p->g) - 1);
    cr_assert_eq(ticks(p), before, "nor later, before anything is due");
    for (size_t i = 0; i < 10; i++)
        era_gossip_tick(p->g, era_gossip_deadline_ms(p->g));
    cr_assert_gt(ticks(p), before);
    probe_free(p);
}

Test(tick, what_becomes_due_goes_out_in_the_same_millisecond)
{
    struct probe *p = given_links(20);
    size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100);
    wire_give(p->w, 0, item, true);
    cr_assert_eq(era_gossip_deadline_ms(p->g), p->w->now_ms);
    era_gossip_tick(p->g, p->w->now_ms);
    cr_assert_eq(probe_look(p)->statements, 20);
    probe_free(p);
}

Test(tick, what_a_frame_says_of_another_link_goes_out_in_the_same_millisecond)
{
    struct probe *p = given_links(3);
    uint8_t word[] = {0x42, 0x02, 0x08, 0x01}; /* a status: blocked */
    uint64_t before = ticks(p);
    probe_raw(p, 1, word, sizeof word);
    era_gossip_tick(p->g, p->w->now_ms);
    cr_assert_eq(ticks(p), before + 1);
    probe_free(p);
}

Test(tick, what_the_owner_says_of_a_statement_is_due_when_its_link_is)
{
    struct probe *p = given_links(3);
    size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100);
    probe_statement(p, 1, item);
    probe_look(p);
    p->n->held[item] = true;
    era_gossip_publish(p->g, p->w->now_ms, ERA_SET_STATEMENTS, &p->w->items[item].id, 1, true);
    probe_wait(p, 1000);
    era_gossip_tick(p->g, p->w->now_ms);
    probe_statement(p, 2, item); /* anti-entropy brought it before: who pushes it is the parent… */
    era_gossip_verdict(p->g, p->w->now_ms, 2, &p->w->items[item].id, ERA_DUPLICATE);
    era_gossip_tick(p->g, p->w->now_ms);
    probe_statement(p, 3, item); /* …and one is enough */
    probe_look(p);
    uint64_t before = ticks(p);
    era_gossip_verdict(p->g, p->w->now_ms, 3, &p->w->items[item].id, ERA_DUPLICATE);
    era_gossip_tick(p->g, p->w->now_ms);
    cr_assert_eq(probe_look(p)->orders, 1, "pruned at once");
    cr_assert_eq(ticks(p), before + 1);
    probe_free(p);
}
