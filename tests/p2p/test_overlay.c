/* The overlay: one net from any one address, degrees within bounds, repair, and no view for one prefix. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/p2p/one.h"

#define DEGREE_MAX (7 + ERA_OVERLAY_ROOM)

/* All join through the first, one after another. */
static struct town *given_town(size_t count, uint64_t seed)
{
    struct town *t = town_new(seed);
    town_add(t, NULL);
    for (size_t i = 1; i < count; i++) {
        town_join(t, town_add(t, NULL), 0);
        town_run(t, 50);
    }
    return t;
}

static size_t least_degree(const struct town *t)
{
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < t->count; i++)
        if (t->houses[i].overlay != NULL && town_degree(t, i) < least)
            least = town_degree(t, i);
    return least;
}

static size_t most_degree(const struct town *t)
{
    size_t most = 0;
    for (size_t i = 0; i < t->count; i++)
        if (t->houses[i].overlay != NULL && town_degree(t, i) > most)
            most = town_degree(t, i);
    return most;
}

Test(overlay, three_hundred_nodes_joined_through_one_address_are_one_net_with_bounded_degrees)
{
    struct town *t = given_town(300, 1);
    town_run(t, 120000);
    cr_expect_eq(town_reach(t), 300);
    cr_expect_geq(least_degree(t), 5);
    cr_expect_leq(most_degree(t), DEGREE_MAX);
    size_t sum = 0;
    for (size_t i = 0; i < t->count; i++)
        sum += town_degree(t, i);
    cr_expect(sum >= 7 * 300 - 30 && sum <= 8 * 300, "%zu in all", sum);
    for (size_t i = 0; i < t->count; i++) {
        struct era_overlay_counts c = era_overlay_counts(t->houses[i].overlay);
        cr_assert_leq(c.known, 128);
        cr_assert_geq(c.known, 30, "node %zu knows %zu", i, c.known);
        cr_assert_eq(t->houses[i].refused, 0, "nobody breaks a rule");
    }
    town_free(t);
}

Test(overlay, when_half_of_the_nodes_vanish_at_once_the_rest_stays_one_net)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct town *t = given_town(300, seed);
        struct era_prng prng;
        town_run(t, 120000);
        era_prng_init(&prng, seed);
        for (size_t gone = 0; gone < 150;) {
            size_t i = (size_t)era_prng_below(&prng, 300);
            if (t->houses[i].overlay == NULL)
                continue;
            town_vanish(t, i);
            gone++;
        }
        town_run(t, 30000);
        cr_expect_eq(town_there(t), 150);
        cr_expect_eq(town_reach(t), 150, "seed %llu", (unsigned long long)seed);
        cr_expect_geq(least_degree(t), 4);
        cr_expect_leq(most_degree(t), DEGREE_MAX);
        town_free(t);
    }
}

Test(overlay, the_node_that_all_joined_through_may_vanish)
{
    struct town *t = given_town(60, 5);
    town_run(t, 60000);
    town_vanish(t, 0);
    town_run(t, 30000);
    cr_assert_eq(town_reach(t), 59);
    size_t newcomer = town_add(t, NULL);
    town_join(t, newcomer, 33);
    town_run(t, 30000);
    cr_assert_eq(town_reach(t), 60);
    cr_assert_geq(town_degree(t, newcomer), 5);
    town_free(t);
}

Test(overlay, at_rest_it_costs_little)
{
    struct town *t = given_town(100, 2);
    town_run(t, 300000);
    size_t before = t->letters_sent;
    town_run(t, 600000);
    /* a shuffle and its answer every 22 s or so, and few words */
    cr_assert_leq(t->letters_sent - before, 100 * 600 / 5, "%zu letters", t->letters_sent - before);
    town_free(t);
}

/* ---- peers played by hand ---- */

Test(overlay, a_place_where_another_node_answers_is_forgotten)
{
    struct one t = given_one("tcp://10.0.0.1:1");
    struct era_peer_record r = town_record(7, "tcp://10.0.0.7:1", 1);
    one_up(&t, 1, 5, "tcp://10.0.0.5:5", false, false);
    one_tell(&t, 1, &r);
    one_wait(&t, 1000);
    cr_assert(era_place_eq(&t.dialled, &r.place));
    one_up(&t, 2, 8, "tcp://10.0.0.7:1", true, false);
    cr_assert_eq(one_known(&t), 0);
    cr_assert_eq(era_overlay_counts(t.o).dials_misled, 1);
    era_overlay_free(t.o);
}

Test(overlay, a_dial_that_fails_again_and_again_drops_the_record)
{
    struct one t = given_one("tcp://10.0.0.1:1");
    struct era_peer_record r = town_record(7, "tcp://10.0.0.7:1", 1);
    one_up(&t, 1, 5, "tcp://10.0.0.5:5", false, false);
    one_tell(&t, 1, &r);
    size_t dials = 0;
    for (int i = 0; i < 2000; i++) {
        one_wait(&t, 1000);
        dials += t.dials;
        if (t.dials > 0)
            era_overlay_dial_failed(t.o, t.now_ms, "tcp://10.0.0.7:1");
    }
    cr_assert_eq(dials, ERA_OVERLAY_TRIES_MAX);
    cr_assert_eq(one_known(&t), 0);
    era_overlay_free(t.o);
}

/* ---- an attacker ---- */

static const char *attacker(char out[64], unsigned i)
{
    snprintf(out, 64, "tcp://198.51.%u.%u:%u", i / 250 % 250, 1 + i % 250, 1000 + i % 60000);
    return out;
}

/* A node of the public net, with neighbours of many prefixes: four that it dialled, three that dialled it. */
static struct one given_public_node(void)
{
    char address[64];
    struct one t = given_one("tcp://192.0.2.1:1");
    for (uint16_t i = 0; i < 20; i++) {
        snprintf(address, sizeof address, "tcp://%u.7.0.1:1", 20 + i);
        if (i < 7)
            one_up(&t, 1 + i, i, address, i < 4, false);
        if (i < 4)
            one_asks(&t, 1 + i, ERA_NEIGHBOUR_YES);
        else if (i < 7)
            one_asks(&t, 1 + i, ERA_NEIGHBOUR_ASK);
        struct era_peer_record r = town_record(i, address, 1);
        one_tell(&t, 1, &r);
    }
    cr_assert_eq(era_overlay_counts(t.o).active, 7);
    return t;
}

Test(eclipse, one_prefix_fills_neither_view)
{
    char address[64];
    struct one t = given_public_node();
    size_t honest = one_known(&t);
    for (uint16_t i = 0; i < 2000; i++) {
        struct era_peer_record r = town_record((uint16_t)(1000 + i), attacker(address, i), 1);
        cr_assert_eq(one_tell(&t, 1, &r), ERA_ACCEPTED);
    }
    cr_assert_leq(one_known(&t), honest + ERA_OVERLAY_WAYS);
    for (uint16_t i = 0; i < 200; i++) {
        one_up(&t, 100 + i, (uint16_t)(1000 + i), attacker(address, i), false, false);
        one_asks(&t, 100 + i, i % 2 ? ERA_NEIGHBOUR_ASK : ERA_NEIGHBOUR_ASK_ALONE);
        one_wait(&t, 300);
    }
    size_t theirs = 0;
    for (uint16_t i = 0; i < 200; i++)
        theirs += era_overlay_is_active(t.o, 100 + i);
    cr_assert_leq(theirs, ERA_OVERLAY_GROUP_ACTIVE_MAX);
    era_overlay_free(t.o);
}

Test(eclipse, whoever_only_dials_us_cannot_have_all_places)
{
    char address[64];
    struct one t = given_public_node();
    for (uint16_t i = 0; i < 1000; i++) {
        snprintf(address, sizeof address, "tcp://%u.%u.0.1:9", 100 + i % 80, i / 80); /* a prefix each */
        one_up(&t, 100 + i, (uint16_t)(1000 + i), address, false, false);
        one_asks(&t, 100 + i, ERA_NEIGHBOUR_ASK_ALONE);
        one_wait(&t, 300);
    }
    for (uint64_t link = 1; link <= 4; link++)
        cr_assert(era_overlay_is_active(t.o, link), "what we dialled stays");
    cr_assert_leq(era_overlay_counts(t.o).active, DEGREE_MAX);
    cr_assert_geq(era_overlay_counts(t.o).active_dialled, ERA_OVERLAY_DIALLED_MIN);
    era_overlay_free(t.o);
}

Test(eclipse, who_ever_brought_something_new_is_not_displaced_by_those_who_only_ask)
{
    char address[64];
    struct one t = given_public_node();
    for (uint16_t i = 0; i < 3; i++) {
        snprintf(address, sizeof address, "tcp://%u.9.0.1:9", 60 + i);
        one_up(&t, 50 + i, (uint16_t)(500 + i), address, false, false);
        one_asks(&t, 50 + i, ERA_NEIGHBOUR_ASK);
        cr_assert(era_overlay_is_active(t.o, 50 + i));
        era_overlay_useful(t.o, t.now_ms, 50 + i);
    }
    for (uint16_t i = 0; i < 1000; i++) {
        snprintf(address, sizeof address, "tcp://%u.%u.0.1:9", 100 + i % 80, i / 80); /* a prefix each */
        one_up(&t, 100 + i, (uint16_t)(1000 + i), address, false, false);
        one_asks(&t, 100 + i, ERA_NEIGHBOUR_ASK_ALONE);
        one_wait(&t, 300);
    }
    for (uint64_t link = 50; link < 53; link++)
        cr_assert(era_overlay_is_active(t.o, link));
    era_overlay_free(t.o);
}

Test(eclipse, two_thousand_joins_from_one_prefix_leave_the_tables_bounded)
{
    char address[64];
    struct one t = given_public_node();
    size_t honest = one_known(&t), walks = 0, dials = 0;
    for (uint16_t i = 0; i < 2000; i++) {
        struct era_peer_walk walk = {.hops = ERA_OVERLAY_WALK_HOPS};
        walk.joiner = town_record((uint16_t)(1000 + i), attacker(address, i), 1);
        one_up(&t, 100 + i, (uint16_t)(1000 + i), address, false, false);
        cr_assert_eq(era_overlay_walk(t.o, t.now_ms, 100 + i, &walk), ERA_ACCEPTED);
        one_look(&t);
        walks += t.walks;
        dials += t.dials;
        era_overlay_down(t.o, t.now_ms, 100 + i, true);
    }
    cr_assert_leq(one_known(&t), honest + ERA_OVERLAY_WAYS);
    cr_assert_eq(walks, ERA_OVERLAY_WALKS * 7, "in no time, to each of seven neighbours");
    cr_assert_leq(dials, ERA_OVERLAY_DIALS_MAX);
    cr_assert_eq(era_overlay_counts(t.o).active, 7);
    era_overlay_free(t.o);
}

Test(eclipse, who_was_let_in_as_blocked_needs_a_place_like_any_newcomer_when_it_is_blocked_no_more)
{
    struct one t = given_one("tcp://192.0.2.1:1");
    struct era_key key = {{1}};
    for (uint64_t i = 0; i < 12; i++) {
        key.b[1] = (uint8_t)i;
        era_overlay_up(t.o, t.now_ms, 1 + i, &key, "tcp://198.51.100.7:5000", false, false, true);
        one_asks(&t, 1 + i, ERA_NEIGHBOUR_ASK);
    }
    for (uint64_t i = 0; i < 12; i++)
        era_overlay_blocked(t.o, t.now_ms, 1 + i, false);
    one_look(&t);
    cr_assert_eq(era_overlay_counts(t.o).active, DEGREE_MAX - ERA_OVERLAY_DIALLED_MIN);
    cr_assert_eq(t.no, 12 - (DEGREE_MAX - ERA_OVERLAY_DIALLED_MIN), "the others are told no");
    era_overlay_free(t.o);
}

Test(eclipse, joins_again_and_again_do_not_use_up_our_credit_with_our_neighbours)
{
    struct one t = given_public_node();
    size_t walks = 0;
    for (uint16_t i = 0; i < 4; i++)
        one_up(&t, 100 + i, (uint16_t)(1000 + i), "tcp://198.51.100.7:5000", false, false);
    for (int ms = 0; ms < 60000; ms += 50) {
        for (uint16_t i = 0; i < 4; i++) {
            struct era_peer_walk walk = {.hops = ERA_OVERLAY_WALK_HOPS};
            walk.joiner = town_record((uint16_t)(1000 + i), "tcp://198.51.100.7:5000", 1);
            cr_assert_eq(era_overlay_walk(t.o, t.now_ms, 100 + i, &walk), ERA_ACCEPTED);
        }
        one_wait(&t, 50);
        walks += t.walks;
    }
    /* each twice, to each of seven neighbours and the first alone */
    cr_assert_leq(walks, 4 * 2 * 8, "%zu walks", walks);
    walks = 0;
    for (uint16_t i = 0; i < 30000; i++) { /* strangers' walks, 500 a second */
        struct era_peer_walk walk = {.hops = ERA_OVERLAY_WALK_HOPS - 1};
        walk.joiner = town_record((uint16_t)(2000 + i), "tcp://198.51.100.8:5000", 1);
        era_overlay_walk(t.o, t.now_ms, 100, &walk);
        walks += (one_wait(&t, 2), t.walks);
    }
    cr_assert_leq(walks, 7 * (ERA_OVERLAY_WALKS + 60000 / ERA_OVERLAY_WALK_MS), "%zu walks", walks);
    era_overlay_free(t.o);
}

Test(eclipse, a_walk_whose_record_was_not_checked_is_not_passed_on)
{
    struct one t = given_public_node();
    one_up(&t, 100, 900, "tcp://198.51.100.7:5000", false, false);
    struct era_peer_walk walk = {.hops = 3};
    walk.joiner = town_record(901, "tcp://10.0.0.1:1", 1); /* no place for us: not looked at */
    walk.joiner.signature.b[0] ^= 1;
    cr_assert_eq(era_overlay_walk(t.o, t.now_ms, 100, &walk), ERA_ACCEPTED);
    one_look(&t);
    cr_assert_eq(t.walks, 0);
    walk.joiner = town_record(10, "tcp://30.7.0.1:1", 1); /* known, but for its signature */
    walk.joiner.signature.b[0] ^= 1;
    cr_assert_eq(era_overlay_walk(t.o, t.now_ms, 100, &walk), ERA_ACCEPTED);
    one_look(&t);
    cr_assert_eq(t.walks, 0);
    walk.joiner.signature.b[0] ^= 1;
    cr_assert_eq(era_overlay_walk(t.o, t.now_ms, 100, &walk), ERA_ACCEPTED);
    one_look(&t);
    cr_assert_eq(t.walks, 1);
    era_overlay_free(t.o);
}

Test(eclipse, whoever_tells_places_does_not_make_us_knock_where_it_likes)
{
    char address[64];
    struct one t = given_one("tcp://10.0.0.1:1");
    one_up(&t, 1, 5, "tcp://10.0.0.5:5", false, false);
    size_t dials = 0;
    for (uint16_t i = 0; i < 600; i++) { /* a minute: another port of one host every time */
        snprintf(address, sizeof address, "tcp://10.77.0.1:%u", 1000 + i);
        struct era_peer_record r = town_record((uint16_t)(100 + i), address, 1);
        one_tell(&t, 1, &r);
        for (int k = 0; k < 10; k++) {
            one_wait(&t, 10);
            dials += t.dials;
            if (t.dials > 0) {
                char place[ERA_ADDRESS_BYTES_MAX + 1];
                era_place_text(&t.dialled, place);
                era_overlay_dial_failed(t.o, t.now_ms, place);
            }
        }
    }
    cr_assert_leq(dials, ERA_OVERLAY_TOLD_DIALS + 60000 / ERA_OVERLAY_TOLD_MS, "%zu dials", dials);
    era_overlay_free(t.o);
}

Test(eclipse, whoever_floods_gives_way_before_those_who_came_alone)
{
    char address[64];
    struct one t = given_one("tcp://192.0.2.1:1");
    one_up(&t, 1, 1, "tcp://20.1.0.1:1", false, false);
    for (uint16_t i = 0; i < 50; i++) {
        snprintf(address, sizeof address, "tcp://198.51.100.7:%u", 5000 + i);
        one_up(&t, 100 + i, (uint16_t)(1000 + i), address, false, false);
    }
    one_up(&t, 2, 2, "tcp://21.1.0.1:1", false, false);
    cr_assert_eq(era_overlay_spare(t.o, NULL), 149, "its newest");
    era_overlay_free(t.o);
}

Test(eclipse, on_one_lan_too_the_host_that_has_most_links_gives_way)
{
    char address[64];
    struct one t = given_one("tcp://10.77.0.1:1");
    for (uint16_t i = 0; i < 40; i++) {
        snprintf(address, sizeof address, "tcp://10.77.0.%u:5000", 20 + i / 2);
        one_up(&t, 100 + i, (uint16_t)(1000 + i), address, false, false);
    }
    one_wait(&t, ERA_LINK_GRACE_MS);
    one_up(&t, 2, 2, "tcp://10.77.0.5:1", false, false);
    cr_assert_eq(era_overlay_spare(t.o, NULL), 139, "not the newest of all");
    one_wait(&t, ERA_LINK_GRACE_MS);
    cr_assert_eq(era_overlay_spare(t.o, NULL), 139);
    era_overlay_free(t.o);
}

Test(eclipse, who_has_an_ipv6_48_gives_way_before_its_neighbours)
{
    char address[64];
    struct one t = given_one("tcp://192.0.2.1:1");
    for (uint16_t i = 0; i < 40; i++) { /* a host each */
        snprintf(address, sizeof address, "tcp://[2001:db8:66:%x::1]:5000", i);
        one_up(&t, 100 + i, (uint16_t)(1000 + i), address, false, false);
    }
    one_up(&t, 1, 1, "tcp://[2001:db8:1::1]:1", false, false);
    one_up(&t, 2, 2, "tcp://20.1.0.1:1", false, false);
    one_wait(&t, ERA_LINK_GRACE_MS);
    cr_assert_eq(era_overlay_spare(t.o, NULL), 139);
    era_overlay_free(t.o);
}

Test(eclipse, who_has_just_come_has_a_moment_to_become_a_neighbour)
{
    char address[64];
    struct one t = given_one("tcp://192.0.2.1:1");
    for (uint16_t i = 0; i < ERA_OVERLAY_DIALS_MAX; i++) { /* these it asks to be neighbours */
        snprintf(address, sizeof address, "tcp://%u.1.0.1:1", 30 + i);
        one_up(&t, 100 + i, (uint16_t)(100 + i), address, false, false);
    }
    one_up(&t, 1, 1, "tcp://20.1.0.1:1", false, false);
    one_up(&t, 2, 2, "tcp://21.1.0.1:1", false, false);
    one_wait(&t, ERA_LINK_GRACE_MS);
    one_up(&t, 3, 3, "tcp://22.1.0.1:1", false, false);
    cr_assert_eq(era_overlay_spare(t.o, NULL), 2);
    one_wait(&t, ERA_LINK_GRACE_MS - 1);
    cr_assert_eq(era_overlay_spare(t.o, NULL), 2);
    one_wait(&t, 1);
    cr_assert_eq(era_overlay_spare(t.o, NULL), 3, "whoever was here before stays");
    era_overlay_free(t.o);
}

Test(eclipse, a_network_under_one_prefix_is_no_attack)
{
    char address[64];
    struct one t = given_one("tcp://198.51.100.1:1");
    for (uint16_t i = 0; i < 10; i++) {
        one_up(&t, 1 + i, i, attacker(address, i), false, false);
        one_asks(&t, 1 + i, ERA_NEIGHBOUR_ASK);
    }
    cr_assert_eq(era_overlay_counts(t.o).active, DEGREE_MAX - ERA_OVERLAY_DIALLED_MIN);
    era_overlay_free(t.o);
}

/* ---- anchors, blocked peers, politeness ---- */

Test(overlay, an_anchor_is_never_parted_from)
{
    char address[64];
    struct one t = given_one("tcp://10.0.0.1:1");
    for (uint16_t i = 0; i < 20; i++) {
        snprintf(address, sizeof address, "tcp://10.0.1.%u:1", i + 1);
        era_overlay_add_anchor(t.o, address);
        one_up(&t, 1 + i, i, address, true, true);
        one_asks(&t, 1 + i, ERA_NEIGHBOUR_ASK);
    }
    cr_assert_eq(era_overlay_counts(t.o).active, 20);
    for (uint16_t i = 0; i < 200; i++) {
        snprintf(address, sizeof address, "tcp://10.0.2.%u:1", i + 1);
        one_up(&t, 100 + i, (uint16_t)(100 + i), address, false, false);
        one_asks(&t, 100 + i, ERA_NEIGHBOUR_ASK_ALONE);
        cr_assert_eq(t.parts, 0);
        one_wait(&t, 300);
    }
    for (uint64_t link = 1; link <= 20; link++) {
        era_overlay_demote(t.o, t.now_ms, link);
        cr_assert(era_overlay_is_active(t.o, link));
    }
    one_asks(&t, 1, ERA_NEIGHBOUR_NO); /* it has no place for us: the link stays, as a leaf */
    cr_assert_eq(t.parts, 0);
    cr_assert_not(era_overlay_is_active(t.o, 1));
    era_overlay_free(t.o);
}

Test(overlay, R15_a_blocked_peer_is_told_the_news_and_takes_no_place)
{
    struct one t = given_one("tcp://10.0.0.1:1");
    struct era_key key = {{1}};
    for (uint64_t i = 0; i < 100; i++) {
        key.b[1] = (uint8_t)i;
        era_overlay_up(t.o, t.now_ms, 1 + i, &key, "tcp://10.0.0.9:9", false, false, true);
        one_asks(&t, 1 + i, ERA_NEIGHBOUR_ASK);
    }
    cr_assert_eq(era_overlay_counts(t.o).active, 0);
    cr_assert_eq(era_overlay_counts(t.o).blocked, ERA_OVERLAY_BLOCKED_MAX);
    cr_assert(era_overlay_is_active(t.o, 1));
    era_overlay_blocked(t.o, t.now_ms, 1, false);
    cr_assert_eq(era_overlay_counts(t.o).active, 1);
    era_overlay_self_blocked(t.o, true);
    cr_assert_eq(era_overlay_counts(t.o).blocked, 0, "among the blocked all count");
    era_overlay_free(t.o);
}

Test(overlay, who_has_no_neighbour_is_let_in_and_another_is_parted_from_politely)
{
    char address[64];
    struct one t = given_one("tcp://10.0.0.1:1");
    for (uint16_t i = 0; i < 7; i++) {
        snprintf(address, sizeof address, "tcp://10.0.1.%u:1", i + 1);
        one_up(&t, 1 + i, i, address, false, false);
        one_asks(&t, 1 + i, ERA_NEIGHBOUR_ASK);
        cr_assert_eq(t.yes, 1);
    }
    one_up(&t, 50, 50, "tcp://10.0.1.50:1", false, false);
    one_asks(&t, 50, ERA_NEIGHBOUR_ASK);
    cr_assert_eq(t.no, 1);
    cr_assert_eq(t.told_no, 50);
    one_wait(&t, 300);
    one_asks(&t, 50, ERA_NEIGHBOUR_ASK_ALONE);
    cr_assert_eq(t.yes, 1);
    cr_assert_eq(t.no, 1);
    cr_assert_neq(t.told_no, 50);
    cr_assert_eq(era_overlay_counts(t.o).active, 7);
    era_overlay_free(t.o);
}

Test(overlay, one_who_parts_stays_known_and_is_dialled_later)
{
    struct one t = given_one("tcp://10.0.0.1:1");
    struct era_peer_record r = town_record(7, "tcp://10.0.0.7:1", 1);
    one_up(&t, 1, 5, "tcp://10.0.0.5:5", true, true);
    one_tell(&t, 1, &r);
    one_wait(&t, 1000);
    cr_assert_eq(t.dials, 1);
    one_up(&t, 2, 7, "tcp://10.0.0.7:1", true, false);
    one_look(&t);
    cr_assert_eq(t.asked, 2);
    one_asks(&t, 2, ERA_NEIGHBOUR_NO);
    cr_assert_eq(t.parts, 1, "what was dialled for that alone is closed");
    era_overlay_down(t.o, t.now_ms, 2, false);
    cr_assert_eq(one_known(&t), 1);
    one_wait(&t, 20000);
    cr_assert_eq(t.dials, 0);
    size_t dials = 0;
    for (int i = 0; i < 90; i++) {
        one_wait(&t, 1000);
        dials += t.dials;
    }
    cr_assert_eq(dials, 1);
    era_overlay_free(t.o);
}

Test(overlay, a_shuffle_that_nobody_asked_for_is_charged)
{
    struct one t = given_one("tcp://10.0.0.1:1");
    struct era_peer_shuffle s = {.reply = true};
    one_up(&t, 1, 5, "tcp://10.0.0.5:5", false, false);
    cr_assert_eq(era_overlay_shuffle(t.o, t.now_ms, 1, &s), ERA_UNEXPECTED);
    one_up(&t, 2, 6, "tcp://10.0.0.6:5", true, true);
    cr_assert_eq(era_overlay_shuffle(t.o, t.now_ms, 2, &s), ERA_ACCEPTED, "we asked the one we dialled");
    cr_assert_eq(era_overlay_shuffle(t.o, t.now_ms, 2, &s), ERA_UNEXPECTED, "once");
    one_up(&t, 3, 7, "tcp://10.0.0.7:5", true, true);
    one_look(&t);
    do
        one_wait(&t, 1000);
    while (t.shuffles == 0);
    for (uint64_t link = 2; link <= 3; link++) /* one of them was asked a second time before it answered */
        era_overlay_shuffle(t.o, t.now_ms, link, &s);
    cr_assert_eq(era_overlay_shuffle(t.o, t.now_ms, 3, &s),
                 t.shuffle_to == 3 ? ERA_ACCEPTED : ERA_UNEXPECTED);
    era_overlay_free(t.o);
}

Test(overlay, a_walk_with_too_many_hops_is_charged_and_a_word_of_no_meaning_too)
{
    struct one t = given_one("tcp://10.0.0.1:1");
    struct era_peer_walk walk = {.hops = ERA_OVERLAY_WALK_HOPS + 1};
    walk.joiner = town_record(5, "tcp://10.0.0.5:5", 1);
    one_up(&t, 1, 5, "tcp://10.0.0.5:5", false, false);
    cr_assert_eq(era_overlay_walk(t.o, t.now_ms, 1, &walk), ERA_BAD_VALUE);
    cr_assert_eq(era_overlay_word(t.o, t.now_ms, 1, (enum era_neighbour_word)9), ERA_BAD_VALUE);
    era_overlay_free(t.o);
}
