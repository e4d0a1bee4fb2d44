#include <criterion/criterion.h>

#include <stdlib.h>
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

static struct era_frame_hello given_hello(void)
{
    return (struct era_frame_hello){.protocol_min = 1,
                                    .protocol_max = 2,
                                    .network = given_hash(0x4e),
                                    .node = given_key(1, 2),
                                    .versions = {{"1.0.0", "", "", "", "3.1.0"}},
                                    .listen = "tcp://127.0.0.1:7711",
                                    .blocked = true,
                                    .agent = "erad/0.1.0"};
}

static struct era_frame built(const struct era_frame_builder *b)
{
    struct era_frame frame;
    cr_assert_eq(era_frame_decode(era_frame_bytes(b), &frame), ERA_ACCEPTED);
    return frame;
}

static struct era_frame_part only_part(const struct era_frame_builder *b)
{
    struct era_frame frame = built(b);
    struct era_frame_part part, none;
    struct era_frame_cursor cursor = era_frame_first(&frame);
    cr_assert_eq(frame.part_count, 1);
    cr_assert(era_frame_next(&cursor, &part));
    cr_assert_not(era_frame_next(&cursor, &none));
    return part;
}

Test(frame, an_empty_frame_is_accepted_and_has_no_part)
{
    struct era_frame frame;
    struct era_frame_part part;
    cr_assert_eq(era_frame_decode((struct era_bytes){0}, &frame), ERA_ACCEPTED);
    struct era_frame_cursor cursor = era_frame_first(&frame);
    cr_assert_not(era_frame_next(&cursor, &part));
}

Test(frame, a_hello_decodes_to_what_was_added)
{
    struct era_frame_builder b;
    struct era_frame_hello hello = given_hello();
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_hello(&b, &hello));
    struct era_frame_part part = only_part(&b);
    cr_assert_eq(part.kind, ERA_FRAME_HELLO);
    cr_assert_eq(part.u.hello.protocol_max, 2);
    cr_assert(era_hash_eq(&part.u.hello.network, &hello.network));
    cr_assert(era_key_eq(&part.u.hello.node, &hello.node));
    cr_assert_str_eq(part.u.hello.versions.v[ERA_VERSION_PROTOCOL], "3.1.0");
    cr_assert_str_eq(part.u.hello.versions.v[ERA_VERSION_API], "");
    cr_assert_str_eq(part.u.hello.listen, "tcp://127.0.0.1:7711");
    cr_assert_str_eq(part.u.hello.agent, "erad/0.1.0");
    cr_assert(part.u.hello.blocked);
    cr_assert(built(&b).has_hello);
}

Test(frame, parts_come_in_the_order_they_were_added)
{
    struct era_frame_builder b;
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_status(&b, true, NULL));
    cr_assert(era_frame_add_statement(&b, (struct era_bytes){(const uint8_t *)"one", 3}));
    cr_assert(era_frame_add_refusal(&b, ERA_WRONG_NETWORK, "other network"));
    cr_assert(era_frame_add_statement(&b, (struct era_bytes){(const uint8_t *)"three", 5}));
    struct era_frame frame = built(&b);
    struct era_frame_cursor cursor = era_frame_first(&frame);
    struct era_frame_part part;
    cr_assert(era_frame_next(&cursor, &part));
    cr_assert_eq(part.kind, ERA_FRAME_STATUS);
    cr_assert(part.u.status.blocked);
    cr_assert(era_frame_next(&cursor, &part));
    cr_assert_eq(memcmp(part.u.statement.data, "one", 3), 0);
    cr_assert(era_frame_next(&cursor, &part));
    cr_assert_eq(part.u.refusal.verdict, ERA_WRONG_NETWORK);
    cr_assert_str_eq(part.u.refusal.text, "other network");
    cr_assert(era_frame_next(&cursor, &part));
    cr_assert_eq(part.u.statement.len, 5);
    cr_assert_not(era_frame_next(&cursor, &part));
    cr_assert(frame.has_refusal);
    cr_assert_not(frame.has_hello);
}

Test(frame, a_fragment_a_summary_and_a_want_decode_to_what_was_added)
{
    static uint8_t fingerprints[ERA_FRAME_SUMMARY_BYTES] = {1, 2, 3};
    struct era_hash ids[2] = {given_hash(9), given_hash(8)};
    struct era_frame_builder b;
    era_frame_begin(&b, buffer);
    struct era_frame_fragment fragment = {100000, 61440, {buffer, 38560}};
    struct era_frame_summary summary = {2, 77, {fingerprints, sizeof fingerprints}};
    cr_assert(era_frame_add_summary(&b, &summary));
    cr_assert(era_frame_add_want(&b, 1, (struct era_bytes){ids[0].b, 64}));
    static uint8_t data[38560];
    fragment.data.data = data;
    cr_assert(era_frame_add_fragment(&b, &fragment));
    struct era_frame frame = built(&b);
    struct era_frame_cursor cursor = era_frame_first(&frame);
    struct era_frame_part part;
    cr_assert(era_frame_next(&cursor, &part));
    cr_assert_eq(part.u.summary.set, 2);
    cr_assert_eq(part.u.summary.round, 77);
    cr_assert_eq(part.u.summary.buckets.data[2], 3);
    cr_assert(era_frame_next(&cursor, &part));
    cr_assert_eq(part.u.want.set, 1);
    cr_assert_eq(part.u.want.ids.len, 64);
    cr_assert(era_frame_next(&cursor, &part));
    cr_assert_eq(part.u.fragment.total_bytes, 100000);
    cr_assert_eq(part.u.fragment.offset, 61440);
    cr_assert_eq(part.u.fragment.data.len, 38560);
}

Test(frame, a_have_yields_its_buckets)
{
    struct era_hash low[2] = {given_hash(0), given_hash(0)}, high = given_hash(0xff);
    low[1].b[31] = 1;
    struct era_frame_bucket buckets[3] = {{0, {low[0].b, 64}}, {7, {NULL, 0}}, {255, {high.b, 32}}};
    struct era_frame_builder b;
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_have(&b, 1, 5, true, buckets, 3));
    struct era_frame_part part = only_part(&b);
    cr_assert_eq(part.kind, ERA_FRAME_HAVE);
    cr_assert(part.u.have.reply);
    cr_assert_eq(part.u.have.round, 5);
    cr_assert_eq(part.u.have.bucket_count, 3);
    struct era_frame_bucket bucket;
    cr_assert(era_frame_next_bucket(&part.u.have, &bucket));
    cr_assert_eq(bucket.bucket, 0);
    cr_assert_eq(bucket.ids.len, 64);
    cr_assert(era_frame_next_bucket(&part.u.have, &bucket));
    cr_assert_eq(bucket.ids.len, 0);
    cr_assert(era_frame_next_bucket(&part.u.have, &bucket));
    cr_assert_eq(bucket.bucket, 255);
    cr_assert_not(era_frame_next_bucket(&part.u.have, &bucket));
    cr_assert_not(era_frame_next_bucket(&part.u.have, &bucket));
}

Test(frame, protobuf_c_reads_it_the_same)
{
    struct era_frame_builder b;
    struct era_frame_hello hello = given_hello();
    struct era_hash id = given_hash(7);
    struct era_frame_bucket bucket = {7, {id.b, 32}};
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_hello(&b, &hello));
    cr_assert(era_frame_add_statement(&b, (struct era_bytes){(const uint8_t *)"s", 1}));
    cr_assert(era_frame_add_have(&b, 1, 5, false, &bucket, 1));
    cr_assert(era_frame_add_status(&b, false, NULL));
    Erad__Wire__Frame *pb = erad__wire__frame__unpack(NULL, b.len, buffer);
    cr_assert_not_null(pb);
    cr_assert_str_eq(pb->hello->agent, "erad/0.1.0");
    cr_assert_null(pb->hello->versions->api);
    cr_assert_eq(pb->have->buckets[0]->ids.len, 32);
    uint8_t *again = malloc(b.len);
    cr_assert_eq(erad__wire__frame__get_packed_size(pb), b.len);
    erad__wire__frame__pack(pb, again);
    cr_assert_eq(memcmp(again, buffer, b.len), 0);
    free(again);
    erad__wire__frame__free_unpacked(pb, NULL);
}

/* What an older node does not know, it skips: in the frame and inside its messages. */
Test(frame, M11_unknown_fields_are_skipped)
{
    cr_assert_eq(on("4801"), ERA_ACCEPTED);
    cr_assert_eq(on("4a03616263 42020801"), ERA_ACCEPTED);
    cr_assert_eq(on("49 0102030405060708 4d 01020304"), ERA_ACCEPTED);
    cr_assert_eq(on("4204 0801 5001"), ERA_ACCEPTED);
    struct era_frame frame;
    struct era_frame_part part;
    cr_assert_eq(era_frame_decode(given_hex("4801 4202 0801 4801"), &frame), ERA_ACCEPTED);
    struct era_frame_cursor cursor = era_frame_first(&frame);
    cr_assert(era_frame_next(&cursor, &part));
    cr_assert_eq(part.kind, ERA_FRAME_STATUS);
    cr_assert_not(era_frame_next(&cursor, &part));
}

Test(frame, malformed_unknown_fields_are_refused)
{
    cr_assert_eq(on("4a05616263"), ERA_TRUNCATED);
    cr_assert_eq(on("488100"), ERA_NOT_CANONICAL);
    cr_assert_eq(on("4b 4c"), ERA_MALFORMED);
    cr_assert_eq(on("49 01020304"), ERA_TRUNCATED);
    cr_assert_eq(on("00"), ERA_MALFORMED);
}

Test(frame, known_fields_are_strict)
{
    cr_assert_eq(on("42020801 42020801"), ERA_NOT_CANONICAL); /* two statuses */
    cr_assert_eq(on("42020802"), ERA_NOT_CANONICAL);          /* a bool of 2 */
    cr_assert_eq(on("4200"), ERA_MALFORMED);                  /* a required field missing */
    cr_assert_eq(on("4001"), ERA_MALFORMED);                  /* a message as a number */
    cr_assert_eq(on("1d 61626364"), ERA_MALFORMED);           /* a statement as fixed 32 */
    cr_assert_eq(on("4204 0801 0801"), ERA_NOT_CANONICAL);    /* a field twice */
    cr_assert_eq(on("1205 0801 1201ff"), ERA_BAD_UTF8);       /* a refusal's text */
    cr_assert_eq(on("1205 0801 12020a61"), ERA_TRUNCATED);
    cr_assert_eq(on("3a05 0801 1201ff"), ERA_BAD_VALUE);                 /* ids not of 32 bytes */
    cr_assert_eq(on("2a07 0801 1002 1a01ff"), ERA_BAD_VALUE);            /* a summary too short */
    cr_assert_eq(on("320b 0801 1002 1a03 0880 02 2001"), ERA_MALFORMED); /* a bucket without ids */
    cr_assert_eq(on("320c 0801 1002 1a05 088002 1200 2001"), ERA_TRUNCATED);
    cr_assert_eq(on("320d 0801 1002 1a05 088002 1200 2001"), ERA_BAD_VALUE); /* bucket 256 */
}

Test(frame, fragments_stay_inside_their_statement)
{
    cr_assert_eq(on("2207 0802 1000 1a0161"), ERA_ACCEPTED);
    cr_assert_eq(on("2207 0802 1001 1a0161"), ERA_ACCEPTED);
    cr_assert_eq(on("2207 0802 1002 1a0161"), ERA_BAD_VALUE);
    cr_assert_eq(on("2206 0802 1000 1a00"), ERA_BAD_VALUE);
    cr_assert_eq(on("220b 0802 10ffffffff0f 1a0161"), ERA_BAD_VALUE);
    cr_assert_eq(on("2209 08818040 1000 1a0161"), ERA_OVERSIZED);
}

#define ID(first) first "00000000000000000000000000000000000000000000000000000000000000"

Test(frame, ids_of_a_bucket_ascend_and_belong_to_it)
{
    cr_assert_eq(on("324d 0801 1002 1a45 0807 1240" ID("07") ID("07") "2001"), ERA_TRUNCATED);
    cr_assert_eq(on("324c 0801 1002 1a44 0807 1240" ID("07") ID("07") "2001"), ERA_NOT_CANONICAL);
    cr_assert_eq(on("322c 0801 1002 1a24 0807 1220" ID("07") "2001"), ERA_ACCEPTED);
    cr_assert_eq(on("322c 0801 1002 1a24 0807 1220" ID("08") "2001"), ERA_BAD_VALUE);
}

Test(frame, a_hello_keeps_its_bounds)
{
    struct era_frame_builder b;
    struct era_frame_hello hello = given_hello();
    memset(hello.agent, 'a', ERA_NAME_BYTES_MAX);
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_hello(&b, &hello));
    struct era_frame frame;
    cr_assert_eq(era_frame_decode(era_frame_bytes(&b), &frame), ERA_ACCEPTED);
    /* agent is last: one byte longer, and its message with it */
    uint8_t *agent_len = &buffer[b.len - ERA_NAME_BYTES_MAX - 1];
    cr_assert_eq(*agent_len, ERA_NAME_BYTES_MAX);
    ++*agent_len;
    ++buffer[1];
    buffer[b.len] = 'a';
    cr_assert_eq(era_frame_decode((struct era_bytes){buffer, b.len + 1}, &frame), ERA_OVERSIZED);
    cr_assert_eq(on("0a52 0802 1001 1a20" ID("01") "2220" ID("02") "2a00 3800 4200"), ERA_TRUNCATED);
    cr_assert_eq(on("0a4e 0802 1001 1a20" ID("01") "2220" ID("02") "2a00 3800 4200"), ERA_BAD_VALUE);
    cr_assert_eq(on("0a4e 0801 1001 1a20" ID("01") "2220" ID("02") "2a00 3800 4200"), ERA_ACCEPTED);
}

Test(frame, a_part_that_does_not_fit_leaves_the_frame_as_it_was)
{
    static uint8_t large[ERA_FRAME_BYTES_MAX];
    struct era_frame_builder b;
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_status(&b, true, NULL));
    cr_assert_not(era_frame_add_statement(&b, (struct era_bytes){large, sizeof large - 4}));
    cr_assert_not(era_frame_add_status(&b, false, NULL), "once a frame");
    cr_assert_eq(b.len, 4);
    cr_assert(era_frame_add_statement(&b, (struct era_bytes){large, sizeof large - 4 - 4}));
    cr_assert_eq(b.len, ERA_FRAME_BYTES_MAX);
    cr_assert_eq(built(&b).part_count, 2);
}

Test(frame, it_holds_1024_statements_and_no_more)
{
    struct era_frame_builder b;
    era_frame_begin(&b, buffer);
    for (int i = 0; i < ERA_FRAME_STATEMENTS_MAX; i++)
        cr_assert(era_frame_add_statement(&b, (struct era_bytes){(const uint8_t *)"x", 1}));
    cr_assert_not(era_frame_add_statement(&b, (struct era_bytes){(const uint8_t *)"x", 1}));
    cr_assert_eq(built(&b).part_count, 1024);
    memcpy(buffer + b.len, "\x1a\x01x", 3);
    struct era_frame frame;
    cr_assert_eq(era_frame_decode((struct era_bytes){buffer, b.len + 3}, &frame), ERA_OVERSIZED);
}

Test(frame, a_want_holds_1800_ids_and_no_more)
{
    static uint8_t ids[(ERA_SYNC_IDS_PER_FRAME_MAX + 1) * ERA_HASH_BYTES];
    struct era_frame_builder b;
    era_frame_begin(&b, buffer);
    cr_assert(
        era_frame_add_want(&b, 1, (struct era_bytes){ids, ERA_SYNC_IDS_PER_FRAME_MAX * ERA_HASH_BYTES}));
    cr_assert_eq(built(&b).part_count, 1);
    static uint8_t raw[sizeof ids + 10] = {0x3a, 0xa6, 0xc2, 0x03, 0x08, 0x01, 0x12, 0xa0, 0xc2, 0x03};
    struct era_frame frame;
    cr_assert_eq(era_frame_decode((struct era_bytes){raw, sizeof raw}, &frame), ERA_OVERSIZED);
}

/* A Have by hand around `buckets`, of which the builder would refuse too many. */
static enum era_verdict have_of(struct era_bytes buckets)
{
    static uint8_t message[ERA_FRAME_BYTES_MAX], frame_bytes[ERA_FRAME_BYTES_MAX];
    memcpy(message, "\x08\x01\x10\x05", 4);
    memcpy(message + 4, buckets.data, buckets.len);
    memcpy(message + 4 + buckets.len, "\x20\x00", 2);
    size_t len = buckets.len + 6;
    const uint8_t head[4] = {0x32, (uint8_t)(len | 0x80), (uint8_t)(len >> 7 | 0x80), (uint8_t)(len >> 14)};
    size_t head_bytes = len < 1 << 14 ? 3 : 4;
    memcpy(frame_bytes, head, 4);
    if (head_bytes == 3)
        frame_bytes[2] &= 0x7f;
    memcpy(frame_bytes + head_bytes, message, len);
    struct era_frame frame;
    return era_frame_decode((struct era_bytes){frame_bytes, head_bytes + len}, &frame);
}

Test(frame, a_have_holds_256_buckets_and_no_more)
{
    static uint8_t buckets[257 * 6];
    for (size_t i = 0; i < 257; i++)
        memcpy(buckets + 6 * i, "\x1a\x04\x08\x00\x12\x00", 6);
    cr_assert_eq(have_of((struct era_bytes){buckets, 256 * 6}), ERA_ACCEPTED);
    cr_assert_eq(have_of((struct era_bytes){buckets, 257 * 6}), ERA_OVERSIZED);
}

Test(frame, a_have_holds_1800_ids_and_no_more)
{
    static uint8_t ids[1801 * ERA_HASH_BYTES];
    for (uint32_t i = 0; i < 1801; i++)
        era_put_be32(ids + i * ERA_HASH_BYTES, i);
    struct era_frame_bucket bucket = {0, {ids, 1800 * ERA_HASH_BYTES}};
    struct era_frame_builder b;
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_have(&b, 1, 5, false, &bucket, 1));
    cr_assert_eq(built(&b).part_count, 1);
    bucket.ids.len = sizeof ids;
    era_frame_begin(&b, buffer);
    cr_assert_not(era_frame_add_have(&b, 1, 5, false, &bucket, 1));
    /* bucket of 57,638 bytes, ids of 57,632 */
    static uint8_t raw[sizeof ids + 10] = {0x1a, 0xa6, 0xc2, 0x03, 0x08, 0x00, 0x12, 0xa0, 0xc2, 0x03};
    memcpy(raw + 10, ids, sizeof ids);
    cr_assert_eq(have_of((struct era_bytes){raw, sizeof raw}), ERA_OVERSIZED);
}

Test(frame, every_prefix_gets_a_verdict)
{
    struct era_frame_builder b;
    struct era_frame_hello hello = given_hello();
    era_frame_begin(&b, buffer);
    era_frame_add_hello(&b, &hello);
    era_frame_add_refusal(&b, ERA_SELF_LINK, "self");
    for (size_t cut = 1; cut < b.len; cut++) {
        uint8_t *copy = malloc(cut);
        memcpy(copy, buffer, cut);
        struct era_frame frame;
        enum era_verdict v = era_frame_decode((struct era_bytes){copy, cut}, &frame);
        cr_assert(v == ERA_TRUNCATED || frame.part_count == 1, "cut %zu", cut);
        free(copy);
    }
}

Test(frame, above_64_KiB_is_oversized)
{
    static uint8_t raw[ERA_FRAME_BYTES_MAX + 1];
    struct era_frame frame;
    cr_assert_eq(era_frame_decode((struct era_bytes){raw, sizeof raw}, &frame), ERA_OVERSIZED);
}
