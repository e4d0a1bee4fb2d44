/* A peer that breaks rules is scored down, muted, closed; nothing grows without bound. */
#include <criterion/criterion.h>

#include <string.h>

#include "tests/p2p/probe.h"

static struct probe *given_link(void)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    return p;
}

/* Ascending ids of one bucket that nobody holds. */
static void made_up_ids(struct era_hash *ids, size_t count, uint8_t bucket)
{
    memset(ids, 0, count * sizeof *ids);
    for (size_t i = 0; i < count; i++) {
        ids[i].b[0] = bucket;
        era_put_be64(ids[i].b + 1, i);
    }
}

Test(abuse, a_malformed_frame_closes_at_once)
{
    struct probe *p = given_link();
    probe_raw(p, 1, "\xff\xff\xff\xff", 4);
    const struct probe_seen *seen = probe_look(p);
    cr_assert_eq(seen->refusals, 1);
    cr_assert_eq(seen->closes, 1);
    cr_assert_eq(seen->downs, 1);
    cr_assert_eq(era_gossip_peers(p->g, NULL, 0), 0);
    probe_free(p);
}

Test(abuse, bad_signatures_add_up_close_and_ban_until_the_ban_ends)
{
    struct probe *p = given_link();
    for (int i = 0; i < 9; i++)
        era_gossip_verdict(p->g, 1000, 1, NULL, ERA_BAD_SIGNATURE);
    cr_assert_eq(probe_look(p)->closes, 0);
    cr_assert_eq(probe_info(p, 1).score, 90);
    cr_assert_eq(probe_info(p, 1).refused_in, 9);
    era_gossip_verdict(p->g, 1000, 1, NULL, ERA_BAD_SIGNATURE);
    cr_assert_eq(probe_look(p)->close, ERA_BAD_SIGNATURE);
    probe_link(p, 2, false, "tcp://10.0.0.9:12345");
    cr_assert_eq(probe_look(p)->refusal, ERA_TOO_MANY_LINKS);
    p->w->now_ms += 60000;
    probe_link(p, 3, false, "tcp://10.0.0.9:12346");
    cr_assert_eq(probe_look(p)->hellos, 1);
    probe_free(p);
}

Test(abuse, an_anchor_is_muted_but_never_closed_nor_banned_by_its_score)
{
    struct probe *p = probe_new(1000);
    cr_assert_eq(era_gossip_add_anchor(p->g, "tcp://10.0.0.9:7711"), ERA_ACCEPTED);
    probe_wait(p, 0);
    probe_up(p, 1, true, 9);
    for (int i = 0; i < 10; i++)
        era_gossip_verdict(p->g, 1000, 1, NULL, ERA_BAD_SIGNATURE);
    cr_assert_eq(probe_look(p)->closes, 0, "it is not listened to for a while");
    cr_assert_gt(probe_info(p, 1).muted_until_ms, 1000);
    cr_assert_eq(probe_info(p, 1).score, ERA_SCORE_CLOSE - 1);
    probe_link(p, 2, false, "tcp://10.0.0.9:12345");
    cr_assert_eq(probe_look(p)->hellos, 1);
    probe_free(p);
}

Test(abuse, the_score_halves_with_time)
{
    struct probe *p = given_link();
    for (int i = 0; i < 4; i++)
        era_gossip_verdict(p->g, 1000, 1, NULL, ERA_BAD_SIGNATURE);
    for (int i = 0; i < 13; i++) {
        probe_frame(p);
        probe_send(p, 1);
        probe_wait(p, 10000);
    }
    int silence = (int)probe_info(p, 1).charges[ERA_TIMEOUT]; /* it answers nothing either */
    cr_assert_geq(probe_info(p, 1).score, 10);
    cr_assert_leq(probe_info(p, 1).score, 10 + silence);
    probe_free(p);
}

Test(abuse, an_unknown_kind_costs_nothing_and_is_delivered)
{
    struct probe *p = given_link();
    size_t item = wire_item(p->w, 12, 100);
    probe_statement(p, 1, item);
    cr_assert_eq(probe_look(p)->delivered, 1);
    era_gossip_verdict(p->g, 1000, 1, &p->w->items[item].id, ERA_UNKNOWN_KIND);
    cr_assert_eq(probe_info(p, 1).score, 0);
    probe_free(p);
}

/* Borrowed until the next look. */
static const struct era_opened *delivered(struct probe *p)
{
    const struct era_gossip_action *actions;
    size_t count = era_gossip_take_actions(p->g, &actions);
    for (size_t i = 0; i < count; i++)
        if (actions[i].kind == ERA_GOSSIP_DELIVER)
            return &actions[i].opened;
    cr_assert_fail("nothing was delivered");
    return NULL;
}

/* What is delivered is opened: its owner takes the names as given. */
Test(abuse, R1_what_is_delivered_has_the_names_of_its_own_bytes)
{
    struct probe *p = given_link();
    size_t at = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100);
    const struct wire_item *item = &p->w->items[at];
    probe_statement(p, 1, at);
    memset(p->room, 0, sizeof p->room); /* the frame is gone */
    const struct era_opened *opened = delivered(p);
    struct era_hash id = era_statement_id(&p->w->network, ERA_KIND_ANNOUNCEMENT, opened->envelope.payload);
    cr_assert_eq(opened->bytes.len, item->bytes.len);
    cr_expect_arr_eq(opened->bytes.data, item->bytes.data, item->bytes.len);
    cr_expect_eq(opened->envelope.payload.len, 100);
    cr_expect(era_hash_eq(&opened->id, &id));
    cr_expect(era_hash_eq(&opened->item, &item->id));
    probe_free(p);
}

Test(abuse, R6_a_carrier_is_delivered_without_a_name)
{
    struct probe *p = given_link();
    uint8_t room[64];
    struct era_envelope carrier = {.kind = ERA_KIND_CERTIFICATE, .payload = {(const uint8_t *)"noise", 5}};
    struct era_bytes bytes = {room, era_envelope_encode(&carrier, room, sizeof room)};
    cr_assert(era_frame_add_statement(probe_frame(p), bytes));
    probe_send(p, 1);
    const struct era_opened *opened = delivered(p);
    cr_expect(era_hash_is_zero(&opened->id));
    cr_expect(era_hash_is_zero(&opened->item));
    probe_free(p);
}

Test(abuse, an_envelope_that_does_not_decode_is_charged_and_not_delivered)
{
    struct probe *p = given_link();
    struct era_bytes garbage = {(const uint8_t *)"garbage", 7};
    cr_assert(era_frame_add_statement(probe_frame(p), garbage));
    probe_send(p, 1);
    cr_assert_eq(probe_look(p)->delivered, 0);
    cr_assert_eq(probe_info(p, 1).score, 10);
    probe_free(p);
}

static void send_fragment(struct probe *p, uint32_t total, uint32_t offset, size_t len)
{
    static const uint8_t zeros[ERA_FRAGMENT_BYTES_MAX];
    struct era_frame_fragment f = {.total_bytes = total, .offset = offset, .data = {zeros, len}};
    cr_assert(era_frame_add_fragment(probe_frame(p), &f));
    probe_send(p, 1);
}

Test(abuse, fragments_out_of_order_are_charged_and_dropped)
{
    struct probe *p = given_link();
    send_fragment(p, 1000000, 50000, 50000); /* begins in the middle */
    cr_assert_eq(probe_info(p, 1).score, 10);
    send_fragment(p, 1000000, 0, 50000);
    send_fragment(p, 1000000, 60000, 50000); /* leaves a gap */
    cr_assert_eq(probe_info(p, 1).score, 20);
    send_fragment(p, 1000000, 0, 50000);
    send_fragment(p, 900000, 50000, 50000); /* changes its mind */
    cr_assert_eq(probe_info(p, 1).score, 30);
    send_fragment(p, 1000000, 0, 50000);
    probe_statement(p, 1, wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 10)); /* in between */
    cr_assert_eq(probe_info(p, 1).score, 40);
    send_fragment(p, 1000000, 50000, 50000);
    cr_assert_eq(probe_info(p, 1).score, 50);
    cr_assert_eq(probe_look(p)->delivered, 1, "the statement that came in between");
    probe_free(p);
}

Test(abuse, a_statement_in_fragments_is_delivered_whole)
{
    struct probe *p = given_link();
    size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 300000);
    struct era_bytes all = p->w->items[item].bytes;
    for (size_t at = 0; at < all.len; at += 30000) {
        size_t len = all.len - at < 30000 ? all.len - at : 30000;
        struct era_frame_fragment f = {.total_bytes = (uint32_t)all.len, .offset = (uint32_t)at};
        f.data = (struct era_bytes){all.data + at, len};
        cr_assert(era_frame_add_fragment(probe_frame(p), &f));
        probe_send(p, 1);
    }
    const struct probe_seen *seen = probe_look(p);
    cr_assert_eq(seen->delivered, 1);
    cr_assert_eq(seen->delivered_bytes, all.len);
    probe_free(p);
}

/* ---- anti-entropy played falsely ---- */

Test(abuse, promised_items_that_never_come_are_charged_once_and_asked_of_another)
{
    struct probe *p = probe_new(1000);
    struct era_hash ids[100];
    probe_up(p, 1, true, 9);
    probe_up(p, 2, true, 8);
    made_up_ids(ids, 100, 3);
    uint64_t round = probe_wait(p, 0)->digest_round;
    probe_cells(p, 1, ERA_SET_STATEMENTS, round, ids, 100, 200);
    cr_assert_eq(probe_look(p)->asked_ids, 100);
    probe_cells(p, 2, ERA_SET_STATEMENTS, round, ids, 100, 200);
    cr_assert_eq(probe_look(p)->asked_ids, 0, "one peer at a time");
    probe_wait(p, 4001);
    cr_assert_eq(probe_info(p, 1).score, 1, "once for all of them");
    probe_offer(p, 1, ERA_SET_STATEMENTS, 0, ids, 100);
    probe_digest(p, 1, ERA_SET_STATEMENTS, 1001, ids, 100);
    probe_offer(p, 1, ERA_SET_STATEMENTS, 1001, ids, 100);
    cr_assert_eq(probe_look(p)->asked_ids, 0, "it had its turn");
    probe_digest(p, 2, ERA_SET_STATEMENTS, 1001, ids, 100);
    probe_offer(p, 2, ERA_SET_STATEMENTS, 1001, ids, 100);
    cr_assert_eq(probe_look(p)->asked_ids, 100);
    probe_free(p);
}

Test(abuse, a_link_that_ends_takes_its_requests_with_it)
{
    struct probe *p = probe_new(1000);
    struct era_hash ids[100];
    probe_up(p, 1, true, 9);
    probe_up(p, 2, true, 8);
    made_up_ids(ids, 100, 3);
    uint64_t round = probe_wait(p, 0)->digest_round;
    probe_cells(p, 1, ERA_SET_STATEMENTS, round, ids, 100, 200);
    era_gossip_link_down(p->g, p->w->now_ms, 1, ERA_ACCEPTED);
    probe_look(p);
    probe_cells(p, 2, ERA_SET_STATEMENTS, round, ids, 100, 200);
    cr_assert_eq(probe_look(p)->asked_ids, 100);
    era_gossip_link_down(p->g, p->w->now_ms, 2, ERA_ACCEPTED);
    probe_look(p);
    probe_wait(p, 10000);
    probe_free(p);
}

Test(abuse, requests_to_one_link_are_bounded)
{
    struct probe *p = probe_new(1000);
    static struct era_hash ids[ERA_SYNC_IDS_PER_FRAME_MAX];
    probe_up(p, 1, true, 9);
    size_t asked = 0;
    probe_digest(p, 1, ERA_SET_STATEMENTS, 1, ids, 1);
    probe_look(p);
    for (uint8_t b = 0; b < 100; b++) {
        made_up_ids(ids, ERA_SYNC_IDS_PER_FRAME_MAX, b);
        probe_offer(p, 1, ERA_SET_STATEMENTS, 1, ids, ERA_SYNC_IDS_PER_FRAME_MAX);
        asked += probe_look(p)->asked_ids;
    }
    cr_assert_eq(asked, 2 * ERA_SYNC_IDS_PER_FRAME_MAX);
    probe_free(p);
}

Test(abuse, a_word_of_no_round_is_ignored)
{
    struct probe *p = given_link();
    struct era_hash ids[10];
    made_up_ids(ids, 10, 3);
    probe_cells(p, 1, ERA_SET_STATEMENTS, 5, ids, 10, 30);
    probe_cells(p, 1, (enum era_set)77, 5, ids, 10, 30);
    probe_word(p, 1, ERA_SET_STATEMENTS, 4, ERA_WORD_PAGES);
    probe_word(p, 1, ERA_SET_STATEMENTS, 4, ERA_WORD_END);
    probe_offer(p, 1, ERA_SET_STATEMENTS, 4, ids, 10);
    cr_assert_eq(probe_look(p)->frames, 0);
    cr_assert_eq(probe_info(p, 1).score, 0);
    probe_free(p);
}

Test(abuse, a_round_with_our_parity_is_charged)
{
    struct probe *p = given_link();
    probe_digest(p, 1, ERA_SET_STATEMENTS, 3, NULL, 0); /* a dialler's rounds are even */
    cr_assert_eq(probe_info(p, 1).score, 10);
    probe_cells(p, 1, ERA_SET_STATEMENTS, 4, NULL, 0, 5); /* nor does it answer them itself */
    cr_assert_eq(probe_info(p, 1).score, 20);
    probe_free(p);
}

/* ---- sketches that do not come apart, on purpose ---- */

/* Cells that nobody can take apart, as many as are asked for, round after round. */
static void when_cells_deceive(struct probe *p, uint64_t ms)
{
    struct era_hash ids[60];
    made_up_ids(ids, 60, 3);
    for (uint64_t end = p->w->now_ms + ms; p->w->now_ms < end && probe_info(p, 1).link == 1;) {
        uint64_t round = probe_wait(p, 500)->digest_round;
        p->salt = round != 0 ? p->seen.salt : p->salt;
        for (size_t batch = 0; round != 0; batch++) {
            probe_more_cells(p, 1, ERA_SET_STATEMENTS, round, ids, 60, 0, 10);
            if (probe_look(p)->more_cells == 0)
                break;
            cr_assert_lt(batch, 4);
        }
    }
}

Test(abuse, cells_that_never_come_apart_are_tried_with_new_salts_and_then_charged)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, true, 9);
    when_cells_deceive(p, 2000);
    cr_assert_gt(probe_info(p, 1).undecoded_rounds, 0);
    cr_assert_eq(probe_info(p, 1).score, 0, "it may be bad luck");
    when_cells_deceive(p, 20000);
    cr_assert_geq(probe_info(p, 1).score, 10, "not again and again");
    probe_free(p);
}

Test(abuse, cells_asked_for_without_end_are_charged)
{
    struct probe *p = given_link();
    struct era_hash id = {{7}};
    wire_give(p->w, 0, wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 10), false);
    probe_digest(p, 1, ERA_SET_STATEMENTS, 2, &id, 1);
    cr_assert_eq(probe_look(p)->answer, ERA_WORD_CELLS);
    for (int i = 0; i < 4; i++) {
        struct era_frame_ask ask = {.set = ERA_SET_STATEMENTS, .round = 2, .cells = 100};
        cr_assert(era_frame_add_ask(probe_frame(p), &ask));
        probe_send(p, 1);
        cr_assert_eq(probe_look(p)->cells, 100);
    }
    struct era_frame_ask ask = {.set = ERA_SET_STATEMENTS, .round = 2, .cells = 100};
    cr_assert(era_frame_add_ask(probe_frame(p), &ask));
    probe_send(p, 1);
    cr_assert_eq(probe_look(p)->answer, ERA_WORD_WAIT);
    cr_assert_eq(p->seen.cells, 0);
    cr_assert_eq(probe_info(p, 1).score, 10);
    probe_free(p);
}

Test(abuse, more_cells_than_any_round_may_have_are_charged)
{
    struct probe *p = given_link();
    struct era_hash id = {{7}};
    probe_digest(p, 1, ERA_SET_STATEMENTS, 2, &id, 1);
    struct era_frame_ask ask = {.set = ERA_SET_STATEMENTS, .round = 2, .cells = ERA_SYNC_CELLS_MAX};
    cr_assert(era_frame_add_ask(probe_frame(p), &ask));
    probe_send(p, 1);
    cr_assert_eq(probe_look(p)->answer, ERA_WORD_WAIT);
    cr_assert_eq(probe_info(p, 1).score, 10);
    probe_free(p);
}

Test(abuse, a_flood_of_cells_ends_the_round_and_is_charged)
{
    struct probe *p = probe_new(1000);
    static uint8_t bytes[ERA_SYNC_CELLS_PER_FRAME_MAX * ERA_SYNC_CELL_BYTES];
    probe_up(p, 1, true, 9);
    struct era_frame_cells answer = {.set = ERA_SET_STATEMENTS,
                                     .round = probe_wait(p, 0)->digest_round,
                                     .word = ERA_WORD_CELLS,
                                     .cells = {bytes, sizeof bytes},
                                     .more = true};
    for (size_t sent = 0; sent <= 2 * ERA_SYNC_CELLS_MAX; sent += ERA_SYNC_CELLS_PER_FRAME_MAX) {
        cr_assert(era_frame_add_cells(probe_frame(p), &answer));
        probe_send(p, 1);
    }
    cr_assert_eq(probe_info(p, 1).score, 10, "once: then the round is over");
    probe_free(p);
}

/* A set of 3,000 and a peer that says it differs by 100,000 items, again and again. */
Test(abuse, a_peer_that_wants_the_whole_set_again_and_again_waits)
{
    struct probe *p = given_link();
    for (size_t i = 0; i < 3000; i++)
        wire_give(p->w, 0, wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 10), false);
    size_t statements = 0;
    for (uint64_t round = 2; round < 60; round += 2) {
        probe_empty(p, 1, ERA_SET_STATEMENTS, round);
        statements += probe_look(p)->statements;
        probe_wait(p, 500);
    }
    cr_assert_eq(statements, 3000);
    cr_assert_eq(probe_info(p, 1).whole_sets_out, 1);
    probe_free(p);
}

Test(abuse, what_a_peer_has_again_is_bounded)
{
    struct probe *p = given_link();
    static struct era_hash ids[1000];
    for (size_t i = 0; i < 1000; i++) {
        wire_give(p->w, 0, wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 10), false);
        ids[i] = p->w->items[i].id;
    }
    probe_digest(p, 1, ERA_SET_STATEMENTS, 2, ids, 999);
    size_t statements = 0;
    for (int i = 0; i < 80; i++) {
        probe_ask(p, 1, ERA_SET_STATEMENTS, 2, ids, 1000);
        statements += probe_look(p)->statements;
    }
    cr_assert_leq(statements, 65536 + 2000);
    cr_assert_geq(statements, 65536);
    cr_assert_gt(probe_info(p, 1).again_out, 60000);
    cr_assert_eq(probe_info(p, 1).score, 10);
    probe_free(p);
}

Test(abuse, what_is_asked_for_is_served_within_the_bulk_limit_and_the_queue_within_its_bound)
{
    struct probe *p = given_link();
    static struct era_hash ids[ERA_SYNC_IDS_PER_FRAME_MAX];
    for (size_t i = 0; i < 200; i++)
        wire_give(p->w, 0, wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 40000), false);
    for (size_t i = 0; i < ERA_SYNC_IDS_PER_FRAME_MAX; i++)
        ids[i] = p->w->items[i % 200].id;
    probe_digest(p, 1, ERA_SET_STATEMENTS, 2, ids, 199);
    probe_look(p);
    p->reads = false;
    for (int i = 0; i < 100; i++)
        probe_ask(p, 1, ERA_SET_STATEMENTS, 2, ids, ERA_SYNC_IDS_PER_FRAME_MAX);
    size_t sent = probe_look(p)->bytes;
    cr_assert_geq(sent, 1 << 20);
    cr_assert_leq(sent, (1 << 20) + ERA_FRAME_BYTES_MAX);
    p->reads = true;
    era_gossip_sent(p->g, 1000, 1, sent);
    cr_assert_leq(probe_look(p)->statements, 4096);
    cr_assert_gt(p->seen.statements, 4000);
    probe_free(p);
}

Test(abuse, short_ids_of_what_is_not_held_are_not_answered)
{
    struct probe *p = given_link();
    struct era_hash ids[10];
    made_up_ids(ids, 10, 3);
    probe_ask(p, 1, ERA_SET_STATEMENTS, 2, ids, 10); /* before any round, too */
    cr_assert_eq(probe_look(p)->frames, 0);
    probe_digest(p, 1, ERA_SET_STATEMENTS, 2, NULL, 0);
    probe_look(p);
    probe_ask(p, 1, ERA_SET_STATEMENTS, 2, ids, 10);
    probe_ask(p, 1, (enum era_set)9, 2, ids, 10);
    cr_assert_eq(probe_look(p)->frames, 0);
    probe_free(p);
}

Test(abuse, digests_of_a_peer_that_does_not_read_are_not_answered_without_end)
{
    struct probe *p = given_link();
    struct era_hash id = {{7}};
    for (size_t i = 0; i < 60; i++)
        wire_give(p->w, 0, wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 10), false);
    p->reads = false;
    for (uint64_t round = 2; round < 20000; round += 2)
        probe_digest(p, 1, ERA_SET_STATEMENTS, round, &id, 1);
    cr_assert_leq(probe_look(p)->bytes, ERA_LINK_OUT_BYTES_MAX + ERA_FRAME_BYTES_MAX);
    probe_free(p);
}

Test(abuse, a_salt_is_new_at_most_so_often)
{
    struct probe *p = given_link();
    struct era_hash id = {{7}};
    p->salt = 1;
    probe_digest(p, 1, ERA_SET_STATEMENTS, 2, &id, 1);
    cr_assert_eq(probe_look(p)->answer, ERA_WORD_CELLS, "it follows");
    p->salt = 2;
    probe_digest(p, 1, ERA_SET_STATEMENTS, 4, &id, 1);
    cr_assert_eq(probe_look(p)->answer, ERA_WORD_WAIT);
    cr_assert_eq(probe_info(p, 1).score, 0);
    p->w->now_ms += 5000;
    probe_digest(p, 1, ERA_SET_STATEMENTS, 4, &id, 1);
    cr_assert_eq(probe_look(p)->answer, ERA_WORD_CELLS);
    p->w->now_ms += 5000;
    p->salt = 3;
    probe_digest(p, 1, ERA_SET_STATEMENTS, 4, &id, 1);
    cr_assert_eq(probe_look(p)->answer, ERA_WORD_WAIT, "each rests twice as long as the one before");
    p->salt = 9;
    probe_digest(p, 1, ERA_SET_STATEMENTS, 6, &id, 1);
    cr_assert_eq(probe_look(p)->answer, ERA_WORD_WAIT);
    cr_assert_eq(probe_info(p, 1).score, 10, "one at a time");
    probe_free(p);
}

Test(abuse, refused_ids_are_remembered_within_their_bound)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, true, 9);
    struct era_hash first[2], id = {{0}};
    made_up_ids(first, 2, 200);
    era_gossip_verdict(p->g, 1000, 0, &first[0], ERA_DOMINATED);
    for (uint32_t i = 0; i < ERA_REFUSED_IDS_MAX - 1; i++) {
        era_put_be32(id.b, (i + 1) * 2654435761u); /* spread: no more than 64 that begin alike are remembered */
        era_gossip_verdict(p->g, 1000, 0, &id, ERA_DOMINATED);
    }
    uint64_t round = probe_wait(p, 0)->digest_round;
    probe_cells(p, 1, ERA_SET_STATEMENTS, round, first, 1, 20);
    cr_assert_eq(probe_look(p)->asked_ids, 0);
    era_gossip_verdict(p->g, 1000, 0, &first[1], ERA_DOMINATED); /* the oldest gives way */
    for (round = 0; round == 0;)
        round = probe_wait(p, 1000)->digest_round;
    probe_cells(p, 1, ERA_SET_STATEMENTS, round, first, 2, 20);
    cr_assert_eq(probe_look(p)->asked_ids, 1);
    cr_assert_eq(p->seen.asked, probe_short(p, 1, ERA_SET_STATEMENTS, &first[0]));
    probe_free(p);
}

/* ---- events and blocked nodes (R15) ---- */

Test(blocked, R15_a_blocked_node_sends_serves_and_asks_for_no_event_and_drops_what_comes)
{
    struct probe *p = given_link();
    size_t ours = wire_item(p->w, ERA_KIND_EVENT, 100), theirs = wire_item(p->w, ERA_KIND_EVENT, 100);
    wire_give(p->w, 0, ours, false);
    era_gossip_tick(p->g, 1000); /* what is told to a new neighbour */
    (void)probe_look(p);
    era_gossip_set_blocked(p->g, 1000, true);
    const struct probe_seen *seen = probe_look(p);
    cr_assert_eq(seen->statuses, 1);
    cr_assert(seen->blocked);
    probe_ask(p, 1, ERA_SET_EVENTS, 2, &p->w->items[ours].id, 1);
    probe_digest(p, 1, ERA_SET_EVENTS, 2, NULL, 0);
    wire_give(p->w, 0, ours, true);
    probe_statement(p, 1, theirs);
    era_gossip_tick(p->g, 1010);
    seen = probe_look(p);
    cr_assert_eq(seen->frames, 0);
    cr_assert_eq(seen->delivered, 0);
    cr_assert_eq(probe_info(p, 1).events_in, 1);
    cr_assert_eq(probe_info(p, 1).score, 0);
    probe_free(p);
}

Test(blocked, R15_a_blocked_peer_gets_no_event_already_queued)
{
    struct probe *p = given_link();
    wire_give(p->w, 0, wire_item(p->w, ERA_KIND_EVENT, 100), true);
    wire_give(p->w, 0, wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100), true);
    cr_assert(era_frame_add_status(probe_frame(p), true, NULL));
    probe_send(p, 1);
    cr_assert_eq(probe_wait(p, 10)->statements, 1);
    cr_assert_eq(probe_info(p, 1).events_out, 0);
    cr_assert(probe_info(p, 1).blocked);
    probe_free(p);
}

Test(blocked, M1_versions_that_change_are_told_and_heard)
{
    struct probe *p = given_link();
    struct era_versions versions = {.v = {[ERA_VERSION_SOFTWARE] = "2.0.0"}};
    cr_assert(era_frame_add_status(probe_frame(p), false, &versions));
    probe_send(p, 1);
    probe_wait(p, 10);
    cr_assert_str_eq(probe_info(p, 1).versions.v[ERA_VERSION_SOFTWARE], "2.0.0");
    cr_assert(era_frame_add_status(probe_frame(p), true, NULL));
    probe_send(p, 1);
    uint64_t told = probe_wait(p, 10)->statuses;
    cr_assert_str_eq(probe_info(p, 1).versions.v[ERA_VERSION_SOFTWARE], "2.0.0");
    era_gossip_set_versions(p->g, &versions);
    cr_assert_eq(probe_look(p)->statuses, told + 1);
    probe_free(p);
}

Test(blocked, events_are_compared_at_once_when_the_peer_is_free_again)
{
    struct probe *p = probe_new(1000);
    struct era_frame_hello hello = probe_hello(p, 9);
    hello.blocked = true;
    probe_link(p, 1, true, "tcp://10.0.0.9:7711");
    probe_greet(p, 1, &hello);
    cr_assert_eq(probe_wait(p, 10)->digests, 1);
    cr_assert_eq(p->seen.set, ERA_SET_STATEMENTS);
    probe_wait(p, 3000);
    cr_assert(era_frame_add_status(probe_frame(p), false, NULL));
    probe_send(p, 1);
    cr_assert_eq(era_gossip_deadline_ms(p->g), p->w->now_ms);
    probe_free(p);
}

Test(blocked, a_gate_that_changes_during_the_handshake_is_told)
{
    struct probe *p = probe_new(1000);
    probe_link(p, 1, false, "tcp://10.0.0.9:1");
    cr_assert_not(probe_look(p)->blocked);
    era_gossip_set_blocked(p->g, 1000, true);
    cr_assert(probe_look(p)->blocked);
    probe_free(p);
}
