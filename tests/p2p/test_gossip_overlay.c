/* Gossip with an overlay: links follow the active view, and the news follow the links. */
#include <criterion/criterion.h>

#include <string.h>

#include "tests/p2p/probe.h"

#define NODES 30

static struct wire *given_net(size_t count)
{
    struct wire *w = wire_new(1000, 7);
    w->target = 5;
    for (size_t i = 0; i < count; i++) {
        wire_node(w);
        if (i > 0)
            wire_anchor(w, i, 0);
    }
    return w;
}

static size_t degree(const struct wire *w, size_t node, bool *leaves)
{
    struct era_peer_info infos[ERA_LINKS_MAX];
    size_t n = era_gossip_peers(w->nodes[node].gossip, infos, ERA_LINKS_MAX), active = 0;
    for (size_t i = 0; i < n; i++)
        active += infos[i].active;
    *leaves = active < n;
    return active;
}

static void assert_all_hold(struct wire *w, size_t item)
{
    for (size_t i = 0; i < w->node_count; i++)
        cr_assert(w->nodes[i].gossip == NULL || w->nodes[i].held[item], "node %zu", i);
}

Test(net, joined_through_one_address_everybody_hears_the_news_by_few_links)
{
    bool leaves;
    struct wire *w = given_net(NODES);
    wire_run(w, 30000);
    for (size_t i = 0; i < NODES; i++) {
        size_t d = degree(w, i, &leaves);
        cr_expect(d >= 3 && d <= 5 + ERA_OVERLAY_ROOM, "node %zu has %zu neighbours", i, d);
    }
    degree(w, 0, &leaves);
    cr_assert(leaves, "the anchor of all keeps most links as leaves");
    size_t item = wire_item(w, ERA_KIND_ANNOUNCEMENT, 200);
    wire_give(w, 9, item, true);
    wire_run(w, 100); /* no round comes so soon: they were pushed */
    assert_all_hold(w, item);
    wire_free(w);
}

Test(net, when_half_of_the_nodes_go_the_rest_still_hears_everything)
{
    struct wire *w = given_net(NODES);
    wire_run(w, 30000);
    for (size_t i = 0; i < NODES / 2; i++)
        wire_stop(w, i);
    wire_run(w, 20000);
    size_t item = wire_item(w, ERA_KIND_ANNOUNCEMENT, 200);
    wire_give(w, NODES - 1, item, true);
    wire_run(w, 200);
    assert_all_hold(w, item);
    wire_free(w);
}

Test(net, a_leaf_is_compared_with_and_not_pushed_to)
{
    struct wire *w = wire_new(1000, 7);
    w->target = 1;
    struct wire_node *n = wire_node(w);
    struct probe *p = probe_new(1000);
    era_gossip_free(p->n->gossip);
    struct era_gossip_config config = wire_config(n);
    config.ctx = p->n;
    p->g = p->n->gossip = era_gossip_new(&config);
    probe_link(p, 1, false, "tcp://10.0.0.9:40000");
    struct era_frame_hello hello = probe_hello(p, 9);
    probe_greet(p, 1, &hello);
    probe_look(p);
    cr_assert_not(probe_info(p, 1).active);
    size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100);
    wire_give(p->w, 0, item, true);
    era_gossip_tick(p->g, 1010);
    cr_assert_eq(probe_look(p)->statements, 0);
    cr_assert(era_frame_add_neighbour(probe_frame(p), ERA_NEIGHBOUR_ASK));
    probe_send(p, 1);
    cr_assert_eq(probe_look(p)->words, 1);
    cr_assert_eq(p->seen.word, ERA_NEIGHBOUR_YES);
    cr_assert(probe_info(p, 1).active);
    item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100);
    wire_give(p->w, 0, item, true);
    era_gossip_tick(p->g, 1020);
    cr_assert_eq(probe_look(p)->statements, 1);
    probe_free(p);
    wire_free(w);
}

Test(net, without_a_target_whoever_asks_is_a_neighbour)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    cr_assert(probe_info(p, 1).active);
    cr_assert(era_frame_add_neighbour(probe_frame(p), ERA_NEIGHBOUR_ASK));
    probe_send(p, 1);
    cr_assert_eq(probe_look(p)->word, ERA_NEIGHBOUR_YES);
    struct era_peer_shuffle s = {.reply = true};
    cr_assert(era_frame_add_shuffle(probe_frame(p), &s));
    probe_send(p, 1);
    cr_assert_eq(probe_info(p, 1).score, 0);
    probe_free(p);
}
