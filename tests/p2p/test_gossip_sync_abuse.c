/* Reconciliation against peers who lie in its words: they cost themselves, not the set. */
#include <criterion/criterion.h>

#include <string.h>

#include "p2p/reconcile.h"
#include "tests/p2p/probe.h"

#define MANY 5000 /* items: a difference beyond the cells that are kept */

static void given_items(struct probe *p, struct era_hash *ids, size_t count, bool held)
{
    for (size_t i = 0; i < count; i++) {
        size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 20);
        if (held)
            wire_give(p->w, 0, item, false);
        ids[i] = p->w->items[item].id;
    }
}

static void add_digest(struct probe *p, uint64_t round, uint32_t salt, uint64_t count)
{
    static const uint8_t print[ERA_SYNC_PRINT_BYTES] = {7}, estimate[ERA_SYNC_ESTIMATE_BYTES];
    struct era_frame_digest digest = {.set = ERA_SET_STATEMENTS,
                                      .round = round,
                                      .salt = salt,
                                      .count = count,
                                      .print = {print, sizeof print},
                                      .estimate = {estimate, sizeof estimate}};
    cr_assert(era_frame_add_digest(&p->frame, &digest));
}

static void add_empty_cells(struct probe *p, uint64_t round, size_t count, bool more)
{
    static const uint8_t zeros[ERA_SYNC_CELLS_PER_FRAME_MAX * ERA_SYNC_CELL_BYTES];
    struct era_frame_cells cells = {.set = ERA_SET_STATEMENTS,
                                    .round = round,
                                    .word = ERA_WORD_CELLS,
                                    .more = more,
                                    .cells = {zeros, count * ERA_SYNC_CELL_BYTES}};
    cr_assert(era_frame_add_cells(&p->frame, &cells));
}

static void hold_back(struct probe *p, uint64_t link, size_t count)
{
    while (count > 0) {
        size_t n = count < ERA_SYNC_CELLS_PER_FRAME_MAX ? count : ERA_SYNC_CELLS_PER_FRAME_MAX;
        probe_frame(p);
        add_empty_cells(p, 2, n, true);
        probe_send(p, link);
        count -= n;
    }
}

Test(sync_abuse, a_digest_of_a_huge_count_is_answered)
{
    static const uint64_t counts[] = {15811494920322472812u, UINT64_MAX, (uint64_t)1 << 40};
    for (size_t i = 0; i < 3; i++) {
        struct probe *p = probe_new(1000);
        probe_up(p, 1, false, 9);
        probe_frame(p);
        add_digest(p, 2, 0, counts[i]);
        probe_send(p, 1);
        cr_assert_eq(probe_look(p)->answers, 1);
        probe_free(p);
    }
}

Test(sync_abuse, cells_that_fail_beside_a_digest_kill_nobody)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, true, 9);
    uint64_t round = probe_wait(p, 3000)->digest_round;
    probe_frame(p);
    add_digest(p, 3, 0, 5);
    add_empty_cells(p, round == 0 ? 2 : round, 32, false);
    probe_send(p, 1);
    cr_assert_eq(probe_look(p)->answers, 1);
    probe_free(p);
}

Test(sync_abuse, cells_that_fail_beside_a_digest_kill_nobody_under_a_salt_of_the_link)
{
    static struct era_hash ids[MANY];
    static uint8_t bytes[64 * ERA_SYNC_CELL_BYTES];
    struct probe *p = probe_new(1000);
    struct era_sketch sketch;
    given_items(p, ids, MANY, true);
    probe_up(p, 1, true, 9);
    probe_wait(p, 10);
    probe_cells(p, 1, ERA_SET_STATEMENTS, 2, ids, MANY, 64); /* just as ours: the next salt */
    uint64_t round = probe_wait(p, 1500)->digest_round;
    cr_assert_eq(p->seen.salt, 1);
    p->salt = 1;
    struct era_salt salt = probe_salt(p, 1, ERA_SET_STATEMENTS);
    era_sketch_init(&sketch, &salt, 64);
    for (size_t i = 0; i < MANY; i++) {
        struct era_tag tag = era_tag_of(&salt, &ids[i]);
        era_sketch_put(&sketch, &tag);
    }
    era_cells_write(sketch.cells, 64, bytes);
    era_sketch_release(&sketch);
    struct era_frame_cells cells = {
        .set = ERA_SET_STATEMENTS, .round = round, .word = ERA_WORD_CELLS, .cells = {bytes, sizeof bytes}};
    probe_frame(p);
    add_digest(p, 3, 1, MANY);
    cr_assert(era_frame_add_cells(&p->frame, &cells));
    probe_send(p, 1);
    cr_assert_eq(probe_look(p)->answer, ERA_WORD_WAIT);
    probe_free(p);
}

Test(sync_abuse, who_says_pages_and_sends_nothing_stops_nobody)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, true, 9);
    probe_wait(p, 10);
    probe_word(p, 1, ERA_SET_STATEMENTS, 2, ERA_WORD_PAGES);
    probe_up(p, 2, true, 8);
    size_t asked = 0, digests = 0;
    struct era_hash ids[10];
    given_items(p, ids, 10, false);
    for (int ms = 0; ms < 60000 && asked == 0; ms += 1000) {
        const struct probe_seen *seen = probe_wait(p, 1000);
        digests += seen->digests;
        uint64_t round = seen->sent_link == 2 ? seen->digest_round : 0;
        if (ms % 3000 == 0)
            probe_word(p, 1, ERA_SET_STATEMENTS, 2, ERA_WORD_PAGES);
        if (round != 0)
            probe_cells(p, 2, ERA_SET_STATEMENTS, round, ids, 10, 40);
        asked += probe_look(p)->asked_ids;
    }
    cr_assert_gt(digests, 0);
    cr_assert_eq(asked, 10);
    probe_free(p);
}

Test(sync_abuse, how_far_pages_came_is_what_came)
{
    struct probe *p = probe_new(1000);
    uint8_t end[ERA_HASH_BYTES];
    memset(end, 255, sizeof end);
    probe_up(p, 1, true, 9);
    probe_wait(p, 10);
    struct era_frame_cells word = {
        .set = ERA_SET_STATEMENTS, .round = 2, .word = ERA_WORD_PAGES, .upto = {end, sizeof end}};
    for (int i = 0; i < 3; i++) {
        cr_assert(era_frame_add_cells(probe_frame(p), &word));
        probe_send(p, 1);
    }
    era_gossip_link_down(p->g, p->w->now_ms, 1, ERA_ACCEPTED);
    probe_look(p);
    probe_up(p, 2, true, 8);
    cr_assert_eq(probe_wait(p, 3000)->digest_round, 2);
    cr_assert_not(p->seen.upto);
    probe_free(p);
}

Test(sync_abuse, cells_that_differ_by_nothing_are_charged)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, true, 9);
    size_t rounds = 0;
    for (int ms = 0; ms < 300000; ms += 100) {
        const struct probe_seen *seen = probe_wait(p, 100);
        if (seen->digest_round == 0)
            continue;
        uint64_t round = seen->digest_round;
        probe_frame(p);
        add_empty_cells(p, round, 32, false);
        probe_send(p, 1);
        probe_look(p);
        rounds++;
    }
    cr_assert_geq(probe_info(p, 1).charges[ERA_BAD_VALUE], 3);
    cr_assert_leq(rounds, 60, "a new salt each, that is a sketch of the whole set");
    probe_free(p);
}

Test(sync_abuse, who_holds_back_cells_does_not_stop_the_large_rounds_of_others)
{
    static struct era_hash ids[MANY];
    struct probe *p = probe_new(1000);
    given_items(p, ids, MANY, false);
    for (uint64_t link = 1; link <= 2; link++) {
        probe_up(p, link, true, (uint8_t)(20 + link));
        probe_wait(p, 10);
        hold_back(p, link, 262000);
    }
    probe_up(p, 3, true, 9);
    size_t asked = 0;
    for (int i = 0; i < 120 && asked == 0; i++) {
        const struct probe_seen *seen = probe_wait(p, 500);
        if (seen->sent_link == 3 && seen->digest_round != 0) {
            probe_cells(p, 3, ERA_SET_STATEMENTS, seen->digest_round, ids, MANY, 8000);
            asked += probe_look(p)->asked_ids;
        }
        for (uint64_t link = 1; i % 20 == 19 && link <= 2; link++)
            hold_back(p, link, 1);
    }
    cr_assert_gt(asked, 0);
    probe_free(p);
}

Test(sync_abuse, offers_of_what_nobody_has_do_not_fill_the_table_of_requests)
{
    static uint8_t made_up[ERA_SYNC_IDS_PER_FRAME_MAX * ERA_FRAME_SHORT_BYTES];
    struct probe *p = probe_new(1000);
    struct era_hash ids[10];
    size_t junk = wire_item(p->w, 14, 10); /* of no known kind */
    given_items(p, ids, 10, false);
    for (uint64_t link = 1; link <= 19; link++) {
        probe_up(p, link, false, (uint8_t)(20 + link));
        probe_digest(p, link, ERA_SET_STATEMENTS, 2, NULL, 0);
        for (uint64_t k = 0; k < 2; k++) {
            for (size_t i = 0; i < ERA_SYNC_IDS_PER_FRAME_MAX; i++)
                era_put_be64(made_up + ERA_FRAME_SHORT_BYTES * i,
                             (link * 10000 + k * 2000 + i) * 0x9E3779B97F4A7C15u);
            struct era_frame_ask ask = {
                .set = ERA_SET_STATEMENTS, .round = 2, .offers = {made_up, sizeof made_up}};
            cr_assert(era_frame_add_ask(probe_frame(p), &ask));
            probe_send(p, link);
        }
        probe_look(p);
    }
    probe_up(p, 30, true, 9);
    size_t asked = 0;
    for (int i = 0; i < 550 && asked == 0; i++) {
        const struct probe_seen *seen = probe_wait(p, 100);
        uint64_t round = seen->sent_link == 30 ? seen->digest_round : 0;
        if (round != 0) {
            probe_cells(p, 30, ERA_SET_STATEMENTS, round, ids, 10, 40);
            asked += probe_look(p)->asked_ids;
        }
        for (uint64_t link = 1; i % 30 == 0 && link <= 19; link++) {
            probe_statement(p, link, junk);
            probe_look(p);
            era_gossip_verdict(p->g, p->w->now_ms, link, &p->w->items[junk].id, ERA_UNKNOWN_KIND);
        }
    }
    cr_assert_eq(asked, 10);
    probe_free(p);
}

Test(sync_abuse, an_item_that_left_and_came_again_in_a_moment_stands_once)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    probe_wait(p, 3000);
    size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 50);
    wire_give(p->w, 0, item, true);
    wire_take(p->w, 0, item);
    wire_give(p->w, 0, item, true);
    probe_wait(p, 100);
    probe_digest(p, 1, ERA_SET_STATEMENTS, 2, NULL, 0);
    cr_assert_eq(probe_look(p)->answers, 1);
    probe_free(p);
}

/* Under a salt that all know two short ids may be one; every round brings something else as well. */
Test(sync_abuse, sets_that_stay_unequal_get_a_salt_of_their_own_though_every_round_brings_something)
{
    static struct era_hash ids[2000];
    struct probe *p = probe_new(1000);
    size_t count = 0;
    probe_up(p, 1, true, 9);
    for (int i = 0; i < 3000 && p->seen.salt == 0; i++) {
        const struct probe_seen *seen = probe_wait(p, 100);
        if (seen->digest_round == 0 || seen->salt != 0)
            continue;
        uint64_t round = seen->digest_round;
        size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 50);
        ids[count++] = p->w->items[item].id;
        probe_cells(p, 1, ERA_SET_STATEMENTS, round, ids, count, 32);
        probe_statement(p, 1, item);
        probe_look(p);
        p->n->held[item] = true;
        era_gossip_publish(p->g, p->w->now_ms, ERA_SET_STATEMENTS, &ids[count - 1], 1, false);
    }
    cr_assert_gt(p->seen.salt, 0);
    probe_free(p);
}

Test(sync_abuse, refused_ids_that_begin_alike_are_remembered_up_to_a_few)
{
    struct era_idset *set = era_idset_new();
    struct era_hash id = {{7}};
    for (uint32_t i = 0; i < 100; i++) {
        era_put_be32(id.b + 20, i);
        era_idset_add(set, &id);
    }
    cr_assert_eq(era_idset_crowd(set, &id), 100);
    id.b[2] = 1;
    cr_assert_eq(era_idset_crowd(set, &id), 0);
    era_idset_free(set);
}
