/* Signed address records: whose are taken, how long they live, what is never dialled. */
#include <criterion/criterion.h>

#include <stdio.h>

#include "tests/p2p/one.h"

Test(record, one_that_its_node_did_not_sign_is_charged_to_who_sent_it)
{
    struct one t = given_one("tcp://10.0.0.1:1");
    struct era_peer_record r = town_record(7, "tcp://10.0.0.7:1", 1);
    one_up(&t, 1, 5, "tcp://10.0.0.5:5", false, false);
    r.place.port = 2; /* invented */
    cr_assert_eq(one_tell(&t, 1, &r), ERA_BAD_SIGNATURE);
    cr_assert_eq(one_known(&t), 0);
    cr_assert_eq(era_overlay_counts(t.o).records_refused, 1);
    era_overlay_free(t.o);
}

Test(record, a_stale_one_changes_nothing_and_a_newer_one_replaces)
{
    struct one t = given_one("tcp://10.0.0.1:1");
    struct era_peer_record old = town_record(7, "tcp://10.0.0.7:1", 5),
                           older = town_record(7, "tcp://10.0.0.8:1", 4),
                           newer = town_record(7, "tcp://10.0.0.9:1", 6);
    struct era_peer_record held;
    one_up(&t, 1, 5, "tcp://10.0.0.5:5", false, false);
    cr_assert_eq(one_tell(&t, 1, &old), ERA_ACCEPTED);
    cr_assert_eq(one_tell(&t, 1, &older), ERA_ACCEPTED);
    cr_assert_eq(era_overlay_records(t.o, &held, 1), 1);
    cr_assert(era_place_eq(&held.place, &old.place));
    cr_assert_eq(one_tell(&t, 1, &newer), ERA_ACCEPTED);
    cr_assert_eq(era_overlay_records(t.o, &held, 1), 1);
    cr_assert(era_place_eq(&held.place, &newer.place));
    era_overlay_free(t.o);
}

#define DAY_MS  86400000
#define HOUR_MS 3600000
#define WALL_MS 1800000000000

/* The clock of the machine goes with ours. */
static void wall_goes(struct one *t)
{
    era_overlay_set_wall(t->o, WALL_MS + t->now_ms);
}

static void hour(struct one *t)
{
    t->now_ms += HOUR_MS;
    wall_goes(t);
    one_wait(t, 0);
}

/* It looks for nobody. */
static void given_neighbours(struct one *t)
{
    for (uint16_t i = 0; i < 7; i++) {
        char address[ERA_ADDRESS_BYTES_MAX + 1];
        snprintf(address, sizeof address, "tcp://10.0.1.%u:1", i + 1u);
        one_up(t, 100 + i, (uint16_t)(100 + i), address, true, true);
        one_asks(t, 100 + i, ERA_NEIGHBOUR_ASK);
    }
    one_wait(t, 1000);
}

Test(record, one_made_more_than_a_day_from_our_own_time_is_not_taken)
{
    static const struct {
        uint64_t made_ms;
        size_t known;
    } rows[] = {{WALL_MS + 1000 - DAY_MS - 1, 0},
                {WALL_MS + 1000 - DAY_MS, 1},
                {WALL_MS + 1000 + DAY_MS, 1},
                {WALL_MS + 1000 + DAY_MS + 1, 0},
                {UINT64_MAX, 0},
                {0, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct one t = given_one("tcp://10.0.0.1:1");
        struct era_peer_record r = town_record(7, "tcp://10.0.0.7:1", rows[i].made_ms);
        one_up(&t, 1, 5, "tcp://10.0.0.5:5", false, false);
        wall_goes(&t);
        cr_assert_eq(one_tell(&t, 1, &r), ERA_ACCEPTED, "no fault of who tells it: clocks differ");
        cr_expect_eq(one_known(&t), rows[i].known, "row %zu", i);
        cr_expect_eq(era_overlay_counts(t.o).records_untimely, 1 - rows[i].known, "row %zu", i);
        era_overlay_free(t.o);
    }
}

Test(record, one_of_a_node_that_is_gone_is_dialled_for_a_day_and_never_again_whoever_tells_it)
{
    struct one t = given_one("tcp://10.0.0.1:1");
    size_t dials[2] = {0, 0};
    one_up(&t, 1, 5, "tcp://10.0.0.5:5", false, false);
    wall_goes(&t);
    struct era_peer_record r = town_record(7, "tcp://10.0.0.7:1", WALL_MS + t.now_ms);
    for (size_t i = 0; i < 48; i++) {
        cr_assert_eq(one_tell(&t, 1, &r), ERA_ACCEPTED);
        for (size_t tries = 0; tries < 6; tries++) { /* until it is dropped */
            one_wait(&t, 100000);
            dials[i >= 25] += t.dials;
            era_overlay_dial_failed(t.o, t.now_ms, "tcp://10.0.0.7:1");
        }
        hour(&t);
    }
    cr_assert_gt(dials[0], 20, "what was dropped is told again");
    cr_assert_eq(dials[1], 0);
    cr_assert_eq(era_overlay_counts(t.o).dials_failed, dials[0]);
    cr_assert_eq(one_known(&t), 0);
    era_overlay_free(t.o);
}

Test(record, one_that_its_node_makes_anew_lives_and_one_that_others_repeat_does_not)
{
    struct one t = given_one("tcp://10.0.0.1:1");
    struct era_peer_record held;
    one_up(&t, 1, 5, "tcp://10.0.0.5:5", false, false);
    given_neighbours(&t);
    wall_goes(&t);
    struct era_peer_record gone = town_record(8, "tcp://10.0.0.8:1", WALL_MS + t.now_ms);
    for (size_t i = 0; i < 48; i++) {
        struct era_peer_record anew = town_record(7, "tcp://10.0.0.7:1", WALL_MS + t.now_ms);
        cr_assert_eq(one_tell(&t, 1, &anew), ERA_ACCEPTED);
        cr_assert_eq(one_tell(&t, 1, &gone), ERA_ACCEPTED);
        cr_assert_eq(one_known(&t), i <= 24 ? 2 : 1, "hour %zu", i);
        cr_assert_eq(t.dials, 0);
        hour(&t);
    }
    cr_assert_eq(era_overlay_records(t.o, &held, 1), 1);
    cr_assert_eq(held.made_ms, WALL_MS + t.now_ms - HOUR_MS);
    era_overlay_free(t.o);
}

Test(record, made_anew_for_the_same_place_it_loses_nothing_that_is_known_of_the_place)
{
    struct one t = given_one("tcp://10.0.0.1:1");
    struct era_peer_record r = town_record(7, "tcp://10.0.0.7:1", 1),
                           anew = town_record(7, "tcp://10.0.0.7:1", 2);
    one_up(&t, 1, 5, "tcp://10.0.0.5:5", true, true);
    one_tell(&t, 1, &r);
    one_wait(&t, 1000);
    cr_assert_eq(t.dials, 1);
    one_up(&t, 2, 7, "tcp://10.0.0.7:1", true, false);
    one_asks(&t, 2, ERA_NEIGHBOUR_NO);
    era_overlay_down(t.o, t.now_ms, 2, false);
    one_tell(&t, 1, &anew);
    cr_assert_eq(one_known(&t), 1);
    for (size_t i = 0; i < 20; i++) { /* it said no: it is left alone for a while */
        one_wait(&t, 1000);
        cr_assert_eq(t.dials, 0);
    }
    era_overlay_free(t.o);
}

Test(record, while_our_clock_is_in_doubt_any_is_taken_and_held_for_a_day)
{
    struct one t = given_one("tcp://10.0.0.1:1");
    struct era_peer_record r = town_record(7, "tcp://10.0.0.7:1", 1);
    one_up(&t, 1, 5, "tcp://10.0.0.5:5", false, false);
    given_neighbours(&t);
    wall_goes(&t);
    cr_assert_eq(one_tell(&t, 1, &r), ERA_ACCEPTED);
    cr_assert_eq(one_known(&t), 0);
    era_overlay_set_wall(t.o, 0);
    for (size_t i = 0; i < 24; i++) {
        cr_assert_eq(one_tell(&t, 1, &r), ERA_ACCEPTED);
        cr_assert_eq(one_known(&t), 1);
        t.now_ms += HOUR_MS;
        one_wait(&t, 0);
    }
    one_wait(&t, HOUR_MS);
    cr_assert_eq(one_known(&t), 0, "what others repeat does not prolong it");
    era_overlay_free(t.o);
}

Test(record, one_of_a_clock_that_ran_ahead_yields_to_one_of_this_day)
{
    struct one t = given_one("tcp://10.0.0.1:1");
    struct era_peer_record ahead = town_record(7, "tcp://10.0.0.7:1", WALL_MS + 9 * (uint64_t)DAY_MS);
    struct era_peer_record right = town_record(7, "tcp://10.0.0.8:1", WALL_MS);
    struct era_peer_record told[4];
    one_up(&t, 1, 5, "tcp://10.0.0.5:5", false, false);
    given_neighbours(&t);
    one_tell(&t, 1, &ahead); /* our own clock is in doubt, so we cannot tell */
    cr_assert_eq(one_known(&t), 1);
    wall_goes(&t);
    cr_assert_eq(one_tell(&t, 1, &right), ERA_ACCEPTED);
    cr_assert_eq(era_overlay_records(t.o, told, 4), 1);
    cr_expect_eq(told[0].made_ms, WALL_MS);
    era_overlay_free(t.o);
}

Test(record, one_that_is_no_longer_of_this_day_is_not_passed_on)
{
    struct one t = given_one("tcp://10.0.0.1:1");
    struct era_peer_record r = town_record(7, "tcp://10.0.0.7:1", 1);
    struct era_peer_shuffle ask = {.count = 0};
    one_up(&t, 1, 5, "tcp://10.0.0.5:5", false, false);
    given_neighbours(&t);
    one_tell(&t, 1, &r);
    cr_assert_eq(era_overlay_shuffle(t.o, t.now_ms, 1, &ask), ERA_ACCEPTED);
    one_look(&t);
    cr_assert_eq(t.shuffle.count, 2, "ours, and the one we know");
    wall_goes(&t); /* it was in doubt */
    cr_assert_eq(era_overlay_shuffle(t.o, t.now_ms, 1, &ask), ERA_ACCEPTED);
    one_look(&t);
    cr_assert_eq(t.shuffle.count, 1);
    era_overlay_free(t.o);
}

Test(record, places_where_nobody_can_be_are_charged)
{
    static const char *const places[] = {"tcp://10.0.0.7:0",        "tcp://224.0.0.1:7", "tcp://0.0.0.0:7",
                                         "tcp://255.255.255.255:7", "tcp://[ff02::1]:7", "tcp://[::]:7",
                                         "tcp://[::ffff:7f00:1]:7"};
    struct one t = given_one("tcp://10.0.0.1:1");
    one_up(&t, 1, 5, "tcp://10.0.0.5:5", false, false);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct era_peer_record r = town_record(7, places[i], 1);
        cr_expect_eq(one_tell(&t, 1, &r), ERA_BAD_VALUE, "%s", places[i]);
    }
    cr_assert_eq(one_known(&t), 0);
    era_overlay_free(t.o);
}

Test(record, an_address_that_points_back_at_us_is_not_taken)
{
    struct one t = given_one("tcp://10.0.0.1:1");
    struct era_peer_record r = town_record(7, "tcp://10.0.0.1:1", 1);
    one_up(&t, 1, 5, "tcp://10.0.0.5:5", false, false);
    cr_assert_eq(one_tell(&t, 1, &r), ERA_ACCEPTED);
    cr_assert_eq(one_tell(&t, 1, &t.record), ERA_ACCEPTED);
    cr_assert_eq(one_known(&t), 0);
    cr_assert_eq(era_overlay_counts(t.o).records_of_us, 1, "our own record is no lie");
    era_overlay_free(t.o);
}

Test(record, private_and_loopback_places_count_only_where_we_are_at_home)
{
    struct era_peer_record loopback = town_record(7, "tcp://127.0.0.1:7", 1),
                           private = town_record(8, "tcp://192.168.0.1:7", 1),
                           public = town_record(9, "tcp://192.0.2.1:7", 1);
    struct one t = given_one("tcp://198.51.100.1:1");
    one_up(&t, 1, 5, "tcp://203.0.113.5:5", false, false);
    one_tell(&t, 1, &loopback);
    one_tell(&t, 1, &private);
    cr_assert_eq(one_known(&t), 0);
    one_tell(&t, 1, &public);
    cr_assert_eq(one_known(&t), 1);
    era_overlay_add_anchor(t.o, "tcp://127.0.0.1:99");
    one_tell(&t, 1, &loopback);
    cr_assert_eq(one_known(&t), 2);
    era_overlay_free(t.o);
}
