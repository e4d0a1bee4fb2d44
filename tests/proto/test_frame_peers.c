/* The parts of a frame that speak of peers: what is added comes back, and bounds hold. */
#include <criterion/criterion.h>

#include <string.h>

#include "proto/erad.pb-c.h"
#include "proto/frame.h"
#include "tests/proto/samples.h"

static uint8_t buffer[ERA_FRAME_BYTES_MAX];

static enum era_verdict on(const char *hex)
{
    struct era_frame frame;
    return era_frame_decode(given_hex(hex), &frame);
}

static struct era_peer_record given_record_at(uint8_t n, const char *address)
{
    struct era_peer_record r = {.node = {{n, 2}}, .made_ms = 1000 + n};
    cr_assert(era_place_parse(address, &r.place));
    memset(r.signature.b, n, sizeof r.signature.b);
    return r;
}

static void assert_same(const struct era_peer_record *a, const struct era_peer_record *b)
{
    cr_assert(era_key_eq(&a->node, &b->node));
    cr_assert(era_place_eq(&a->place, &b->place));
    cr_assert_eq(a->made_ms, b->made_ms);
    cr_assert_eq(memcmp(&a->signature, &b->signature, sizeof a->signature), 0);
}

static struct era_frame_part only_part(const struct era_frame_builder *b)
{
    struct era_frame frame;
    struct era_frame_part part;
    cr_assert_eq(era_frame_decode(era_frame_bytes(b), &frame), ERA_ACCEPTED);
    struct era_frame_cursor cursor = era_frame_first(&frame);
    cr_assert_eq(frame.part_count, 1);
    cr_assert(era_frame_next(&cursor, &part));
    return part;
}

Test(frame_peers, words_walks_and_shuffles_decode_to_what_was_added)
{
    struct era_frame_builder b;
    struct era_peer_walk walk = {.hops = 6, .joiner = given_record_at(9, "tcp://192.0.2.9:7711")};
    struct era_peer_shuffle shuffle = {.reply = true, .count = ERA_OVERLAY_SHUFFLE_MAX};
    for (size_t i = 0; i < shuffle.count; i++)
        shuffle.records[i] =
            given_record_at((uint8_t)i, i % 2 ? "tcp://10.0.0.1:1" : "tcp://[2001:db8::1]:65535");
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_neighbour(&b, ERA_NEIGHBOUR_NO));
    cr_assert_not(era_frame_add_neighbour(&b, ERA_NEIGHBOUR_NO), "once a frame");
    struct era_frame_part part = only_part(&b);
    cr_assert_eq(part.kind, ERA_FRAME_NEIGHBOUR);
    cr_assert_eq(part.u.neighbour, ERA_NEIGHBOUR_NO);
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_walk(&b, &walk));
    part = only_part(&b);
    cr_assert_eq(part.kind, ERA_FRAME_WALK);
    cr_assert_eq(part.u.walk.hops, 6);
    assert_same(&part.u.walk.joiner, &walk.joiner);
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_shuffle(&b, &shuffle));
    part = only_part(&b);
    cr_assert_eq(part.kind, ERA_FRAME_SHUFFLE);
    cr_assert(part.u.shuffle.reply);
    cr_assert_eq(part.u.shuffle.count, 8);
    for (size_t i = 0; i < 8; i++)
        assert_same(&part.u.shuffle.records[i], &shuffle.records[i]);
    cr_assert_leq(b.len, 1300);
}

Test(frame_peers, protobuf_c_reads_them_the_same)
{
    struct era_frame_builder b;
    struct era_peer_walk walk = {.hops = 3, .joiner = given_record_at(9, "tcp://192.0.2.9:7711")};
    struct era_peer_shuffle shuffle = {.count = 1, .records = {given_record_at(1, "tcp://[2001:db8::1]:1")}};
    era_frame_begin(&b, buffer);
    era_frame_add_neighbour(&b, ERA_NEIGHBOUR_ASK);
    era_frame_add_walk(&b, &walk);
    era_frame_add_shuffle(&b, &shuffle);
    Erad__Wire__Frame *pb = erad__wire__frame__unpack(NULL, b.len, buffer);
    cr_assert_not_null(pb);
    cr_assert_eq(pb->neighbour->word, 1);
    cr_assert_eq(pb->walk->hops, 3);
    cr_assert_eq(pb->walk->joiner->port, 7711);
    cr_assert_eq(pb->shuffle->records[0]->ip.len, 16);
    uint8_t *again = malloc(b.len);
    cr_assert_eq(erad__wire__frame__get_packed_size(pb), b.len);
    erad__wire__frame__pack(pb, again);
    cr_assert_eq(memcmp(again, buffer, b.len), 0);
    free(again);
    erad__wire__frame__free_unpacked(pb, NULL);
}

Test(frame_peers, a_word_is_a_number_and_there_is_one)
{
    cr_assert_eq(on("6a02 0801"), ERA_ACCEPTED);
    cr_assert_eq(on("6a02 0805"), ERA_ACCEPTED);
    cr_assert_eq(on("6a00"), ERA_MALFORMED);
    cr_assert_eq(on("6801"), ERA_MALFORMED);
    cr_assert_eq(on("6a02 0801 6a02 0801"), ERA_NOT_CANONICAL);
}

#define Z32     "0000000000000000000000000000000000000000000000000000000000000000"
#define RECORD  "0a20" Z32 "1204c0000201 18b95e 2001 2a40" Z32 Z32
#define LONG_ID "0a21" Z32 "00 1204c0000201 18b95e 2001 2a40" Z32 Z32

Test(frame_peers, records_keep_their_forms)
{
    cr_assert_eq(on("7273 0806 126f" RECORD), ERA_ACCEPTED);
    cr_assert_eq(on("7273 0807 126f" RECORD), ERA_BAD_VALUE); /* too many hops */
    cr_assert_eq(on("7274 0806 1270" LONG_ID), ERA_BAD_VALUE);
    cr_assert_eq(on("7272 0806 126e 0a20" Z32 "1203c00002 18b95e 2001 2a40" Z32 Z32),
                 ERA_BAD_VALUE); /* 3 bytes of IP */
    cr_assert_eq(on("7273 0806 126f 0a20" Z32 "1204c0000201 18808004 2001 2a3f" Z32
                    "00000000000000000000000000000000000000000000000000000000000000"),
                 ERA_BAD_VALUE); /* port 65536, and the signature too short */
    cr_assert_eq(on("7271 0806 126d 0a20" Z32 "1204c0000201 18b95e 2a40" Z32 Z32), ERA_MALFORMED);
}

Test(frame_peers, a_shuffle_holds_8_records_and_no_more)
{
    struct era_frame_builder b;
    struct era_frame frame;
    struct era_peer_shuffle shuffle = {.count = 8};
    for (size_t i = 0; i < 8; i++)
        shuffle.records[i] = given_record_at(1, "tcp://192.0.2.9:7711");
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_shuffle(&b, &shuffle));
    /* 7a len(2) 08 00 then 8 times 12 len … : one more of the last, and the length with it */
    size_t one = (b.len - 5) / 8, len = b.len - 3 + one;
    memcpy(buffer + b.len, buffer + b.len - one, one);
    buffer[1] = (uint8_t)(len | 0x80);
    buffer[2] = (uint8_t)(len >> 7);
    cr_assert_eq(era_frame_decode((struct era_bytes){buffer, b.len + one}, &frame), ERA_OVERSIZED);
}
