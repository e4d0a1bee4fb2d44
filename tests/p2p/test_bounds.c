/* What all links together may hold, whoever they are, and that the honest get on meanwhile. */
#include <criterion/criterion.h>

#include <string.h>

#include "tests/p2p/probe.h"

#define HOSTILE 40

static struct probe *given_links(uint64_t count)
{
    struct probe *p = probe_new(1000);
    for (uint64_t link = 1; link <= count; link++)
        probe_up(p, link, false, (uint8_t)(8 + link));
    return p;
}

static uint64_t queued(const struct probe *p)
{
    static struct era_peer_info peers[ERA_LINKS_MAX];
    uint64_t sum = 0;
    for (size_t n = era_gossip_peers(p->g, peers, ERA_LINKS_MAX); n > 0; n--)
        sum += peers[n - 1].queued_bytes;
    return sum;
}

static void send_part(struct probe *p, uint64_t link, struct era_bytes all, size_t at)
{
    size_t len = all.len - at < ERA_FRAGMENT_BYTES_MAX ? all.len - at : ERA_FRAGMENT_BYTES_MAX;
    struct era_frame_fragment f = {.total_bytes = (uint32_t)all.len, .offset = (uint32_t)at};
    f.data = (struct era_bytes){all.data + at, len};
    cr_assert(era_frame_add_fragment(probe_frame(p), &f));
    probe_send(p, link);
}

Test(bounds, who_ask_for_all_and_read_nothing_hold_no_more_than_their_bound_together)
{
    struct probe *p = given_links(HOSTILE);
    for (size_t i = 0; i < 100; i++)
        wire_give(p->w, 0, wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 20000), false);
    p->reads = false;
    for (uint64_t link = 1; link <= HOSTILE; link++)
        probe_empty(p, link, ERA_SET_STATEMENTS, 2);
    probe_look(p);
    /* The last frame of each may go beyond. */
    uint64_t kept = (uint64_t)HOSTILE * (ERA_LINK_OUT_BYTES_KEPT + ERA_FRAME_BYTES_MAX);
    cr_assert_gt(queued(p), ERA_LINKS_OUT_BYTES_MAX);
    cr_assert_leq(queued(p), ERA_LINKS_OUT_BYTES_MAX + kept);
    cr_assert_lt(queued(p), (uint64_t)HOSTILE << 20, "each by itself may have a megabyte");

    /* Whoever reads is served to the end all the same. */
    p->reads = true;
    probe_up(p, 60, false, 99);
    size_t statements = 0;
    probe_empty(p, 60, ERA_SET_STATEMENTS, 2);
    for (int i = 0; i < 100 && statements < 100; i++) {
        statements += probe_look(p)->statements;
        (void)probe_wait(p, 10);
    }
    cr_assert_geq(statements, 100);
    probe_free(p);
}

Test(bounds, what_a_closed_link_had_queued_is_no_more_counted)
{
    struct probe *p = given_links(1);
    for (size_t i = 0; i < 100; i++)
        wire_give(p->w, 0, wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 20000), false);
    /* Far more, one after the other, than all may have at once. */
    for (uint64_t link = 2; link < 40; link++) {
        probe_up(p, link, false, (uint8_t)(8 + link));
        p->reads = false;
        probe_empty(p, link, ERA_SET_STATEMENTS, 2);
        cr_assert_geq(probe_look(p)->bytes, 1 << 20);
        era_gossip_link_down(p->g, 1000, link, ERA_ACCEPTED);
        p->reads = true;
    }
    probe_free(p);
}

Test(bounds, of_statements_that_are_never_whole_the_one_that_rests_longest_gives_way_uncharged)
{
    struct probe *p = given_links(HOSTILE);
    size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 900000), last = 0;
    struct era_bytes all = p->w->items[item].bytes;
    for (uint64_t link = 1; link <= HOSTILE; link++)
        for (size_t at = 0; at + ERA_FRAGMENT_BYTES_MAX < all.len; at += ERA_FRAGMENT_BYTES_MAX) {
            send_part(p, link, all, at);
            last = at + ERA_FRAGMENT_BYTES_MAX;
            p->w->now_ms++;
        }
    cr_assert_eq(probe_look(p)->delivered, 0);
    for (uint64_t link = 1; link <= HOSTILE; link++)
        send_part(p, link, all, last);
    size_t whole = probe_look(p)->delivered;
    cr_assert_eq(whole, ERA_PARTIALS_BYTES_MAX / all.len);
    for (uint64_t link = 1; link <= HOSTILE; link++)
        cr_assert_eq(probe_info(p, link).score, 0);
    /* And one that was dropped may begin again. */
    for (size_t at = 0; at < all.len; at += ERA_FRAGMENT_BYTES_MAX)
        send_part(p, 1, all, at);
    cr_assert_eq(probe_look(p)->delivered, 1);
    probe_free(p);
}
