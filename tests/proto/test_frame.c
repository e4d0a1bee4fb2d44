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
                                    .agent = "erad/0.1.0",
                                    .sync_salt = {9, 8, 7}};
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
    cr_assert_eq(part.u.hello.sync_salt[2], 7);
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

static const uint8_t print[ERA_SYNC_PRINT_BYTES] = {1, 2, 3}, estimate[ERA_SYNC_ESTIMATE_BYTES] = {4, 5, 6};

static struct era_frame_digest given_digest(void)
{
    return (struct era_frame_digest){.set = 2,
                                     .round = 77,
                                     .salt = 1,
                                     .count = 1000000,
                                     .print = {print, sizeof print},
                                     .estimate = {estimate, sizeof estimate}};
}

Test(frame, a_fragment_decodes_to_what_was_added)
{
    static uint8_t data[38560];
    struct era_frame_builder b;
    era_frame_begin(&b, buffer);
    struct era_frame_fragment fragment = {100000, 61440, {data, sizeof data}};
    cr_assert(era_frame_add_fragment(&b, &fragment));
    struct era_frame_part part = only_part(&b);
    cr_assert_eq(part.kind, ERA_FRAME_FRAGMENT);
    cr_assert_eq(part.u.fragment.total_bytes, 100000);
    cr_assert_eq(part.u.fragment.offset, 61440);
    cr_assert_eq(part.u.fragment.data.len, 38560);
}

Test(frame, a_digest_decodes_to_what_was_added)
{
    struct era_frame_builder b;
    struct era_frame_digest digest = given_digest();
    struct era_hash upto = given_hash(5);
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_digest(&b, &digest));
    cr_assert_leq(b.len, 130);
    struct era_frame_part part = only_part(&b);
    cr_assert_eq(part.kind, ERA_FRAME_DIGEST);
    cr_assert_eq(part.u.digest.set, 2);
    cr_assert_eq(part.u.digest.round, 77);
    cr_assert_eq(part.u.digest.salt, 1);
    cr_assert_eq(part.u.digest.count, 1000000);
    cr_assert_eq(part.u.digest.print.data[2], 3);
    cr_assert_eq(part.u.digest.estimate.data[2], 6);
    cr_assert_eq(part.u.digest.upto.len, 0);
    cr_assert_not(part.u.digest.alone);
    digest.upto = (struct era_bytes){upto.b, sizeof upto.b};
    digest.alone = true;
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_digest(&b, &digest));
    part = only_part(&b);
    cr_assert_eq(memcmp(part.u.digest.upto.data, upto.b, sizeof upto.b), 0);
    cr_assert(part.u.digest.alone);
}

Test(frame, words_of_a_round_decode_to_what_was_added)
{
    static const uint8_t cells[3 * ERA_SYNC_CELL_BYTES] = {7};
    struct era_hash upto = given_hash(5);
    const struct era_frame_cells words[] = {
        {.set = 1, .round = 5, .word = ERA_WORD_EQUAL},
        {.set = 1, .round = 5, .word = ERA_WORD_CELLS, .cells = {cells, sizeof cells}, .more = true},
        {.set = 1, .round = 5, .word = ERA_WORD_PAGES, .upto = {upto.b, sizeof upto.b}},
    };
    for (size_t i = 0; i < 3; i++) {
        struct era_frame_builder b;
        era_frame_begin(&b, buffer);
        cr_assert(era_frame_add_cells(&b, &words[i]));
        struct era_frame_part part = only_part(&b);
        cr_assert_eq(part.kind, ERA_FRAME_CELLS);
        cr_assert_eq(part.u.cells.round, 5);
        cr_assert_eq(part.u.cells.word, words[i].word);
        cr_assert_eq(part.u.cells.cells.len, words[i].cells.len);
        cr_assert_eq(part.u.cells.more, words[i].more);
        cr_assert_eq(part.u.cells.upto.len, words[i].upto.len);
    }
}

Test(frame, an_ask_decodes_to_what_was_added)
{
    static const uint8_t ids[2 * ERA_FRAME_SHORT_BYTES] = {9}, offers[ERA_FRAME_SHORT_BYTES] = {8};
    struct era_frame_builder b;
    struct era_frame_ask ask = {.set = 1,
                                .round = 6,
                                .cells = 300,
                                .ids = {ids, sizeof ids},
                                .offers = {offers, sizeof offers},
                                .done = true};
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_ask(&b, &ask));
    struct era_frame_part part = only_part(&b);
    cr_assert_eq(part.kind, ERA_FRAME_ASK);
    cr_assert_eq(part.u.ask.round, 6);
    cr_assert_eq(part.u.ask.cells, 300);
    cr_assert_eq(part.u.ask.ids.len, 16);
    cr_assert_eq(part.u.ask.offers.data[0], 8);
    cr_assert(part.u.ask.done);
}

Test(frame, protobuf_c_reads_it_the_same)
{
    struct era_frame_builder b;
    struct era_frame_hello hello = given_hello();
    struct era_frame_digest digest = given_digest();
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_hello(&b, &hello));
    cr_assert(era_frame_add_statement(&b, (struct era_bytes){(const uint8_t *)"s", 1}));
    cr_assert(era_frame_add_digest(&b, &digest));
    cr_assert(era_frame_add_status(&b, false, NULL));
    Erad__Wire__Frame *pb = erad__wire__frame__unpack(NULL, b.len, buffer);
    cr_assert_not_null(pb);
    cr_assert_str_eq(pb->hello->agent, "erad/0.1.0");
    cr_assert_null(pb->hello->versions->api);
    cr_assert_eq(pb->digest->count, 1000000);
    cr_assert_eq(pb->hello->sync_salt.data[2], 7);
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
    cr_assert_eq(frame.unknown_count, 2);
    struct era_frame_cursor cursor = era_frame_first(&frame);
    cr_assert(era_frame_next(&cursor, &part));
    cr_assert_eq(part.kind, ERA_FRAME_STATUS);
    cr_assert_not(era_frame_next(&cursor, &part));
}

Test(frame, M11_words_that_are_not_known_are_skipped)
{
    static const char *const words[] = {"6a02 0800", "6a02 0806", "3206 0801 1002 1806"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct era_frame frame;
        struct era_frame_part part;
        cr_assert_eq(era_frame_decode(given_hex(words[i]), &frame), ERA_ACCEPTED);
        cr_assert_eq(frame.part_count, 0);
        cr_assert_eq(frame.unknown_count, 1);
        struct era_frame_cursor cursor = era_frame_first(&frame);
        cr_assert_not(era_frame_next(&cursor, &part));
    }
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
    cr_assert_eq(on("3a07 0801 1002 2201ff"), ERA_BAD_VALUE); /* short ids not of 8 bytes */
    cr_assert_eq(on("3a04 0801 1002"), ERA_ACCEPTED);
    cr_assert_eq(on("3a02 0801"), ERA_MALFORMED);                  /* an ask of no round */
    cr_assert_eq(on("3206 0801 1002 1802"), ERA_BAD_VALUE);        /* cells without a cell */
    cr_assert_eq(on("3209 0801 1002 1802 2201ff"), ERA_BAD_VALUE); /* a cell too short */
    cr_assert_eq(on("3213 0801 1002 1800 220b"
                    "0000000000000000000000"),
                 ERA_BAD_VALUE); /* equal, with cells */
    cr_assert_eq(on("3213 0801 1002 1802 220b"
                    "0000000000000000000000"),
                 ERA_ACCEPTED);
    cr_assert_eq(on("3208 0801 1002 1800 2801"), ERA_BAD_VALUE);           /* more of nothing */
    cr_assert_eq(on("3209 0801 1002 1803 3201ff"), ERA_BAD_VALUE);         /* no id */
    cr_assert_eq(on("2a0c 0801 1002 1800 2000 2a00 3200"), ERA_BAD_VALUE); /* a print too short */
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

#define ID(first) first "00000000000000000000000000000000000000000000000000000000000000"
#define SALT      "5a10 00000000000000000000000000000000"

Test(frame, a_hello_keeps_its_bounds)
{
    struct era_frame_builder b;
    struct era_frame_hello hello = given_hello();
    memset(hello.agent, 'a', ERA_NAME_BYTES_MAX);
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_hello(&b, &hello));
    struct era_frame frame;
    cr_assert_eq(era_frame_decode(era_frame_bytes(&b), &frame), ERA_ACCEPTED);
    /* one byte of agent more, and its message with it; the salt of 18 bytes stands behind */
    uint8_t *agent_len = &buffer[b.len - 18 - ERA_NAME_BYTES_MAX - 1];
    cr_assert_eq(*agent_len, ERA_NAME_BYTES_MAX);
    ++*agent_len;
    ++buffer[1];
    memmove(agent_len + 2, agent_len + 1, b.len - (size_t)(agent_len + 1 - buffer));
    agent_len[1] = 'a';
    cr_assert_eq(era_frame_decode((struct era_bytes){buffer, b.len + 1}, &frame), ERA_OVERSIZED);
    cr_assert_eq(on("0a64 0802 1001 1a20" ID("01") "2220" ID("02") "2a00 3800 4200" SALT), ERA_TRUNCATED);
    cr_assert_eq(on("0a60 0802 1001 1a20" ID("01") "2220" ID("02") "2a00 3800 4200" SALT), ERA_BAD_VALUE);
    cr_assert_eq(on("0a60 0801 1001 1a20" ID("01") "2220" ID("02") "2a00 3800 4200" SALT), ERA_ACCEPTED);
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

Test(frame, an_ask_holds_1800_short_ids_and_no_more)
{
    static uint8_t ids[1801 * ERA_FRAME_SHORT_BYTES];
    struct era_frame_builder b;
    struct era_frame_ask ask = {.set = 1, .round = 2, .ids = {ids, 1800 * 8}, .offers = {ids, 1800 * 8}};
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_ask(&b, &ask));
    cr_assert_eq(built(&b).part_count, 1);
    /* ids of 14,408 bytes in an ask of 14,415 */
    static uint8_t raw[sizeof ids + 11] = {0x3a, 0xcf, 0x70, 0x08, 0x01, 0x10, 0x02, 0x22, 0xc8, 0x70};
    struct era_frame frame;
    cr_assert_eq(era_frame_decode((struct era_bytes){raw, 10 + sizeof ids}, &frame), ERA_OVERSIZED);
}

Test(frame, a_word_holds_5400_cells_and_no_more)
{
    static uint8_t cells[5401 * ERA_SYNC_CELL_BYTES];
    struct era_frame_builder b;
    struct era_frame_cells word = {.set = 1, .round = 2, .word = ERA_WORD_CELLS, .cells = {cells, 5400 * 11}};
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_cells(&b, &word));
    cr_assert_eq(built(&b).part_count, 1);
    /* cells of 59,411 bytes in a message of 59,421 */
    static uint8_t raw[sizeof cells + 20] = {0x32, 0x9d, 0xd0, 0x03, 0x08, 0x01, 0x10,
                                             0x02, 0x18, 0x02, 0x22, 0x93, 0xd0, 0x03};
    struct era_frame frame;
    cr_assert_eq(era_frame_decode((struct era_bytes){raw, 14 + sizeof cells}, &frame), ERA_OVERSIZED);
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
