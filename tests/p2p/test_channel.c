/* channel: two ends joined by hand, so that a test may stand between them. */
#include "p2p/channel.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define WIRE_BYTES (4 << 20)

/* Bytes on their way. */
struct way {
    uint8_t *b;
    size_t len;
};

struct ends {
    struct era_channel_config configs[2]; /* dialler's, listener's */
    struct era_channel c[2];
    struct way way[2]; /* written by */
};

static void given_configs(struct ends *e)
{
    memset(e, 0, sizeof *e);
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t secret[ERA_NOISE_KEY_BYTES] = {9, i};
        e->configs[i] =
            (struct era_channel_config){.network = {{1, 2, 3}}, .protocol_min = 1, .protocol_max = 1};
        era_noise_keypair(&e->configs[i].mine, secret);
        e->way[i].b = malloc(WIRE_BYTES);
    }
}

static void begin(struct ends *e)
{
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t ephemeral[ERA_NOISE_KEY_BYTES] = {7, i, 1};
        era_channel_init(&e->c[i], &e->configs[i], i == 0, ephemeral);
    }
}

static void release(struct ends *e)
{
    for (int i = 0; i < 2; i++) {
        era_channel_clear(&e->c[i]);
        free(e->way[i].b);
    }
}

/* What end i wants written goes on its way. Returns how much. */
static size_t flow_out(struct ends *e, int i)
{
    size_t n = era_channel_take(&e->c[i], e->way[i].b + e->way[i].len);
    e->way[i].len += n;
    return n;
}

static void put(struct era_channel *c, const uint8_t *bytes, size_t len, size_t step)
{
    struct era_bytes frame;
    while (len > 0) {
        size_t room;
        cr_assert_not(era_channel_next(c, &frame), "a frame that nobody asked for");
        uint8_t *to = era_channel_room(c, &room);
        size_t n = room < len ? room : len;
        n = n < step ? n : step;
        memcpy(to, bytes, n);
        era_channel_came(c, n);
        bytes += n;
        len -= n;
    }
}

/* What end i wrote reaches the other, `step` bytes at a time at most. */
static void flow_in(struct ends *e, int i, size_t step)
{
    put(&e->c[!i], e->way[i].b, e->way[i].len, step);
    e->way[i].len = 0;
}

static void handshake(struct ends *e, size_t step)
{
    for (int turn = 0; turn < 4; turn++) {
        flow_out(e, turn % 2);
        flow_in(e, turn % 2, step);
    }
}

static void given_open(struct ends *e)
{
    given_configs(e);
    begin(e);
    handshake(e, SIZE_MAX);
    cr_assert(e->c[0].state == ERA_CHANNEL_OPEN && e->c[1].state == ERA_CHANNEL_OPEN);
}

/* One record of bytes by end i, on its way. */
static void seal(struct ends *e, int i, const void *bytes, size_t len)
{
    uint8_t *record = e->way[i].b + e->way[i].len;
    memcpy(record + ERA_CHANNEL_RECORD_HEADER, bytes, len);
    size_t n = era_channel_seal(&e->c[i], record, len);
    cr_assert_eq(n, len + ERA_CHANNEL_RECORD_EXTRA);
    e->way[i].len += n;
}

/* The bytes of a frame. */
static size_t frame(uint8_t *out, size_t len, uint8_t fill)
{
    era_put_be32(out, (uint32_t)len);
    memset(out + 4, fill, len);
    return 4 + len;
}

static void assert_frame(struct era_channel *c, size_t len, uint8_t fill)
{
    struct era_bytes body;
    cr_assert(era_channel_next(c, &body), "no frame");
    cr_assert_eq(body.len, len);
    for (size_t i = 0; i < len; i++)
        cr_assert_eq(body.data[i], fill);
}

static void assert_failed(struct era_channel *c, enum era_verdict why)
{
    struct era_bytes body;
    cr_assert_not(era_channel_next(c, &body));
    cr_assert_eq(c->state, ERA_CHANNEL_FAILED);
    cr_assert_eq(c->verdict, why, "%s", era_verdict_code(c->verdict));
}

/* ---- beginning ---- */

Test(channel, opens_after_three_flights_and_each_end_knows_the_others_key)
{
    struct ends e;
    given_configs(&e);
    begin(&e);
    cr_assert_eq(flow_out(&e, 0), 44 + 2 + 32);
    flow_in(&e, 0, SIZE_MAX);
    cr_assert_eq(flow_out(&e, 1), 44 + 2 + 96);
    flow_in(&e, 1, SIZE_MAX);
    cr_assert_eq(e.c[0].state, ERA_CHANNEL_OPEN);
    cr_assert_eq(flow_out(&e, 0), 2 + 64);
    flow_in(&e, 0, SIZE_MAX);
    cr_assert_eq(e.c[1].state, ERA_CHANNEL_OPEN);
    cr_assert_eq(flow_out(&e, 1), 0);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(memcmp(e.c[i].peer, e.configs[!i].mine.key, ERA_NOISE_KEY_BYTES), 0);
    release(&e);
}

Test(channel, opens_also_byte_by_byte_and_when_records_follow_at_once)
{
    struct ends e;
    uint8_t bytes[64];
    given_configs(&e);
    begin(&e);
    handshake(&e, 1);
    cr_assert(e.c[0].state == ERA_CHANNEL_OPEN && e.c[1].state == ERA_CHANNEL_OPEN);
    release(&e);

    given_configs(&e);
    begin(&e);
    for (int turn = 0; turn < 2; turn++) {
        flow_out(&e, turn);
        flow_in(&e, turn, SIZE_MAX);
    }
    flow_out(&e, 0); /* its last message, and without a pause */
    seal(&e, 0, bytes, frame(bytes, 5, 'x'));
    flow_in(&e, 0, SIZE_MAX);
    assert_frame(&e.c[1], 5, 'x');
    release(&e);
}

Test(channel, another_network_is_told_at_both_ends_before_any_dh)
{
    struct ends e;
    given_configs(&e);
    e.configs[1].network.b[0] ^= 1;
    begin(&e);
    flow_out(&e, 0);
    flow_in(&e, 0, SIZE_MAX);
    assert_failed(&e.c[1], ERA_WRONG_NETWORK);
    cr_assert_eq(e.c[1].noise.done, 0);
    cr_assert_eq(flow_out(&e, 1), ERA_CHANNEL_PREAMBLE_BYTES);
    flow_in(&e, 1, SIZE_MAX);
    assert_failed(&e.c[0], ERA_WRONG_NETWORK);
    cr_assert_eq(flow_out(&e, 0), 0);
    release(&e);
}

static void given_protocols(struct ends *e, uint32_t min0, uint32_t max0, uint32_t min1, uint32_t max1)
{
    given_configs(e);
    e->configs[0].protocol_min = min0;
    e->configs[0].protocol_max = max0;
    e->configs[1].protocol_min = min1;
    e->configs[1].protocol_max = max1;
    begin(e);
}

Test(channel, older_and_newer_protocols_are_told_at_both_ends)
{
    static const uint32_t apart[][4] = {
        {1, 1, 2, 3}, {2, 3, 1, 1}, {0, 0, 1, 1}, {1, 1, UINT32_MAX, UINT32_MAX}};
    for (size_t i = 0; i < sizeof apart / sizeof apart[0]; i++) {
        struct ends e;
        given_protocols(&e, apart[i][0], apart[i][1], apart[i][2], apart[i][3]);
        handshake(&e, SIZE_MAX);
        assert_failed(&e.c[0], ERA_NO_COMMON_PROTOCOL);
        assert_failed(&e.c[1], ERA_NO_COMMON_PROTOCOL);
        release(&e);
    }
    struct ends e;
    given_protocols(&e, 1, 2, 2, 9);
    handshake(&e, SIZE_MAX);
    cr_assert(e.c[0].state == ERA_CHANNEL_OPEN && e.c[1].state == ERA_CHANNEL_OPEN);
    release(&e);
}

/* Both could speak 1 to 3. Who stands between would have them speak 1. */
Test(channel, a_protocol_range_altered_on_the_way_breaks_the_handshake)
{
    for (int altered = 0; altered < 2; altered++) {
        struct ends e;
        given_protocols(&e, 1, 3, 1, 3);
        for (int turn = 0; turn < 3; turn++) {
            size_t n = flow_out(&e, turn % 2);
            if (turn == altered)
                e.way[turn].b[11] = 1;
            cr_assert(n > 0 || turn == 2);
            flow_in(&e, turn % 2, SIZE_MAX);
        }
        assert_failed(&e.c[0], ERA_NOT_AUTHENTIC);
        cr_assert_neq(e.c[1].state, ERA_CHANNEL_OPEN);
        release(&e);
    }
}

Test(channel, what_is_no_preamble_is_refused_at_its_first_wrong_byte)
{
    struct ends e;
    given_configs(&e);
    begin(&e);
    put(&e.c[1], (const uint8_t *)"erA", 3, SIZE_MAX);
    assert_failed(&e.c[1], ERA_MALFORMED);
    cr_assert_eq(flow_out(&e, 1), 0);
    release(&e);
}

Test(channel, a_handshake_message_of_another_length_is_refused_by_its_length_alone)
{
    for (int i = 0; i < 4; i++) {
        struct ends e;
        static const uint8_t lengths[4][2] = {{0, 31}, {0, 33}, {0, 0}, {255, 255}};
        given_configs(&e);
        begin(&e);
        flow_out(&e, 0);
        memcpy(e.way[0].b + ERA_CHANNEL_PREAMBLE_BYTES, lengths[i], 2);
        e.way[0].len = ERA_CHANNEL_PREAMBLE_BYTES + 2;
        flow_in(&e, 0, SIZE_MAX);
        assert_failed(&e.c[1], ERA_MALFORMED);
        release(&e);
    }
}

Test(channel, a_flipped_bit_anywhere_before_it_is_open_opens_at_most_one_end)
{
    static const size_t flights[3] = {44 + 2 + 32, 44 + 2 + 96, 2 + 64};
    for (int flight = 0; flight < 3; flight++)
        for (size_t at = 0; at < flights[flight]; at++) {
            struct ends e;
            given_configs(&e);
            begin(&e);
            for (int turn = 0; turn < 3; turn++) {
                cr_assert(flow_out(&e, turn % 2) > 0 || turn > flight);
                if (turn == flight)
                    e.way[turn % 2].b[at] ^= 1;
                flow_in(&e, turn % 2, SIZE_MAX);
            }
            cr_assert_neq(e.c[1].state, ERA_CHANNEL_OPEN, "flight %d, byte %zu", flight, at);
            release(&e);
        }
}

Test(channel, nothing_is_allocated_before_the_handshake_is_done)
{
    struct ends e;
    given_configs(&e);
    begin(&e);
    flow_out(&e, 0);
    flow_in(&e, 0, SIZE_MAX);
    flow_out(&e, 1);
    cr_assert(e.c[0].in == NULL && e.c[1].in == NULL);
    release(&e);
}

/* ---- frames ---- */

Test(channel, frames_arrive_whole_and_in_order_however_they_are_cut)
{
    static const size_t lengths[] = {1, 5, 70, 1000, 65519, 65536, 3, 30000};
    static const size_t cuts[] = {1, 2, 7, 1000, 65519};
    static uint8_t stream[8 * 65540];
    for (size_t cut = 0; cut < sizeof cuts / sizeof cuts[0]; cut++) {
        struct ends e;
        size_t len = 0, next = 0;
        given_open(&e);
        for (size_t i = 0; i < 8; i++)
            len += frame(stream + len, lengths[i], (uint8_t)i);
        if (cuts[cut] < 1000) /* a record a cut: the large frames would be all too many */
            len = 4 * 4 + 1 + 5 + 70 + 1000;
        for (size_t at = 0, n; at < len; at += n) {
            n = len - at < cuts[cut] ? len - at : cuts[cut];
            seal(&e, 0, stream + at, n);
            for (size_t sent = 0; sent < e.way[0].len;) {
                size_t room, rest = e.way[0].len - sent, step = 1 + (at * 7919 + sent) % 40000;
                struct era_bytes body;
                uint8_t *to = era_channel_room(&e.c[1], &room);
                step = step < room ? step : room;
                step = step < rest ? step : rest;
                memcpy(to, e.way[0].b + sent, step);
                era_channel_came(&e.c[1], step);
                sent += step;
                while (era_channel_next(&e.c[1], &body)) {
                    cr_assert_eq(body.len, lengths[next]);
                    cr_assert(body.data[0] == next && body.data[body.len - 1] == next);
                    next++;
                }
            }
            e.way[0].len = 0;
        }
        cr_assert_eq(next, cuts[cut] < 1000 ? 4 : 8);
        cr_assert_not(era_channel_is_amid(&e.c[1]));
        release(&e);
    }
}

Test(channel, room_for_a_large_record_goes_with_it_and_the_least_room_never_moved)
{
    struct ends e;
    static uint8_t stream[4 + 60000];
    struct era_bytes body;
    size_t room, large = frame(stream, 60000, 'f');
    given_open(&e);
    const uint8_t *least = era_channel_room(&e.c[1], &room);
    cr_assert_eq(room, 4096);
    for (int i = 0; i < 2; i++) {
        seal(&e, 0, stream, large);
        flow_in(&e, 0, 1000);
        cr_assert_geq(e.c[1].in_size, 60000);
        cr_assert(era_channel_next(&e.c[1], &body));
        cr_assert_eq(body.len, 60000);
        cr_assert_not(era_channel_next(&e.c[1], &body));
        cr_assert_eq(era_channel_room(&e.c[1], &room), least);
        cr_assert_eq(room, 4096);
    }
    release(&e);
}

Test(channel, that_rests_gives_the_large_room_back_and_keeps_what_fits_the_least)
{
    struct ends e;
    static uint8_t stream[4 + 60000 + 4 + 100];
    size_t large = frame(stream, 60000, 'f'), all = large + frame(stream + large, 100, 'g');
    given_open(&e);
    seal(&e, 0, stream, all);
    flow_in(&e, 0, SIZE_MAX);
    era_channel_rest(&e.c[1]);
    cr_assert_geq(e.c[1].in_size, 60000, "a frame is in it");
    assert_frame(&e.c[1], 60000, 'f');
    era_channel_rest(&e.c[1]);
    cr_assert_eq(e.c[1].in_size, 4096);
    assert_frame(&e.c[1], 100, 'g');
    seal(&e, 0, stream, large);
    flow_in(&e, 0, SIZE_MAX);
    assert_frame(&e.c[1], 60000, 'f');
    release(&e);
}

Test(channel, many_small_frames_share_one_record)
{
    struct ends e;
    static uint8_t stream[ERA_CHANNEL_PLAIN_MAX];
    size_t len = 0, count = 0;
    struct era_bytes body;
    given_open(&e);
    while (len + 14 <= sizeof stream)
        len += frame(stream + len, 10, 'f');
    seal(&e, 1, stream, len);
    flow_in(&e, 1, SIZE_MAX);
    while (era_channel_next(&e.c[0], &body))
        count++;
    cr_assert_eq(count, 4679);
    cr_assert_eq(e.c[0].records_received, 1);
    release(&e);
}

Test(channel, lengths_that_lie_end_it_before_a_byte_of_the_body)
{
    static const struct {
        const char *bytes;
        enum era_verdict why;
    } lies[] = {{"\x7f\xff\xff\xff\xff\xff\xff\xff", ERA_OVERSIZED},
                {"\x80\0\0\0\0\0\0\0", ERA_OVERSIZED},
                {"\0\1\0\1xxxx", ERA_OVERSIZED},
                {"\0\0\0\0xxxx", ERA_MALFORMED}};
    for (size_t i = 0; i < 4; i++) {
        struct ends e;
        uint8_t bytes[32];
        given_open(&e);
        size_t len = frame(bytes, 3, 'g');
        memcpy(bytes + len, lies[i].bytes, 8);
        seal(&e, 0, bytes, len + 8);
        flow_in(&e, 0, SIZE_MAX);
        assert_frame(&e.c[1], 3, 'g'); /* what came before it counts */
        assert_failed(&e.c[1], lies[i].why);
        release(&e);
    }
}

Test(channel, records_that_could_hold_nothing_are_refused)
{
    for (uint8_t len = 0; len <= ERA_NOISE_TAG_BYTES; len++) {
        struct ends e;
        uint8_t header[2] = {0, len};
        given_open(&e);
        put(&e.c[1], header, 2, SIZE_MAX);
        assert_failed(&e.c[1], ERA_NOT_AUTHENTIC);
        release(&e);
    }
}

Test(channel, garbage_after_a_good_handshake_is_refused)
{
    struct ends e;
    uint8_t garbage[400];
    given_open(&e);
    for (size_t i = 0; i < sizeof garbage; i++)
        garbage[i] = (uint8_t)(i * 167 + 1);
    garbage[0] = 1; /* a record of 256 bytes */
    garbage[1] = 0;
    put(&e.c[1], garbage, sizeof garbage, SIZE_MAX);
    assert_failed(&e.c[1], ERA_NOT_AUTHENTIC);
    release(&e);
}

Test(channel, a_flipped_bit_in_any_byte_of_a_record_is_refused)
{
    uint8_t bytes[32];
    size_t len = frame(bytes, 9, 'h');
    for (size_t at = 2; at < len + ERA_CHANNEL_RECORD_EXTRA; at++) {
        struct ends e;
        given_open(&e);
        seal(&e, 0, bytes, len);
        e.way[0].b[at] ^= 1;
        flow_in(&e, 0, SIZE_MAX);
        assert_failed(&e.c[1], ERA_NOT_AUTHENTIC);
        release(&e);
    }
}

Test(channel, a_replayed_or_reordered_record_is_refused)
{
    struct ends e;
    uint8_t bytes[32];
    given_open(&e);
    seal(&e, 0, bytes, frame(bytes, 4, 'i'));
    put(&e.c[1], e.way[0].b, e.way[0].len, SIZE_MAX);
    assert_frame(&e.c[1], 4, 'i');
    flow_in(&e, 0, SIZE_MAX);
    assert_failed(&e.c[1], ERA_NOT_AUTHENTIC);
    release(&e);

    given_open(&e);
    seal(&e, 0, bytes, frame(bytes, 4, 'j'));
    size_t first = e.way[0].len;
    seal(&e, 0, bytes, frame(bytes, 4, 'k'));
    put(&e.c[1], e.way[0].b + first, e.way[0].len - first, SIZE_MAX);
    assert_failed(&e.c[1], ERA_NOT_AUTHENTIC);
    release(&e);
}

Test(channel, a_record_of_one_direction_means_nothing_in_the_other)
{
    struct ends e;
    uint8_t bytes[32];
    given_open(&e);
    seal(&e, 0, bytes, frame(bytes, 4, 'l'));
    put(&e.c[0], e.way[0].b, e.way[0].len, SIZE_MAX);
    assert_failed(&e.c[0], ERA_NOT_AUTHENTIC);
    release(&e);
}

Test(channel, each_direction_rekeys_after_1024_records)
{
    struct ends e;
    uint8_t bytes[32], key[ERA_NOISE_KEY_BYTES], other[ERA_NOISE_KEY_BYTES];
    size_t len = frame(bytes, 1, 'm');
    given_open(&e);
    memcpy(key, e.c[0].send.key, sizeof key);
    memcpy(other, e.c[1].send.key, sizeof other);
    for (int i = 1; i <= 5000; i++) {
        seal(&e, 0, bytes, len);
        flow_in(&e, 0, SIZE_MAX);
        assert_frame(&e.c[1], 1, 'm');
        bool changed = memcmp(key, e.c[0].send.key, sizeof key) != 0;
        cr_assert_eq(changed, i % 1024 == 0, "after %d records", i);
        cr_assert_eq(memcmp(e.c[0].send.key, e.c[1].receive.key, sizeof key), 0);
        memcpy(key, e.c[0].send.key, sizeof key);
    }
    cr_assert_eq(memcmp(other, e.c[1].send.key, sizeof other), 0);
    release(&e);
}

Test(channel, used_up_nonces_end_it)
{
    struct ends e;
    uint8_t record[64];
    given_open(&e);
    e.c[0].send.nonce = UINT64_MAX;
    cr_assert_eq(era_channel_seal(&e.c[0], record, 5), 0);
    assert_failed(&e.c[0], ERA_NOT_AUTHENTIC);
    e.c[1].receive.nonce = UINT64_MAX;
    put(&e.c[1], (const uint8_t *)"\0\21xxxxxxxxxxxxxxxxx", 19, SIZE_MAX);
    assert_failed(&e.c[1], ERA_NOT_AUTHENTIC);
    release(&e);
}

Test(channel, what_failed_gives_and_takes_nothing_more_and_keeps_no_secret)
{
    static const struct era_noise_cipher zeros;
    struct ends e;
    uint8_t bytes[32], record[64];
    given_open(&e);
    seal(&e, 0, bytes, frame(bytes, 4, 'n'));
    put(&e.c[1], (const uint8_t *)"\0\0", 2, SIZE_MAX);
    assert_failed(&e.c[1], ERA_NOT_AUTHENTIC);
    for (int i = 0; i < 5000; i++)
        put(&e.c[1], e.way[0].b, e.way[0].len, SIZE_MAX);
    assert_failed(&e.c[1], ERA_NOT_AUTHENTIC);
    cr_assert_eq(era_channel_seal(&e.c[1], record, 5), 0);
    cr_assert_eq(memcmp(&e.c[1].send, &zeros, sizeof zeros), 0);
    cr_assert_eq(memcmp(&e.c[1].receive, &zeros, sizeof zeros), 0);
    release(&e);
}

Test(channel, the_stream_may_end_between_frames_only)
{
    struct ends e;
    uint8_t bytes[32];
    given_open(&e);
    cr_assert_not(era_channel_is_amid(&e.c[1]));
    size_t len = frame(bytes, 4, 'o');
    seal(&e, 0, bytes, len - 1);
    size_t whole = e.way[0].len;
    put(&e.c[1], e.way[0].b, whole - 1, SIZE_MAX);
    cr_assert(era_channel_is_amid(&e.c[1])); /* a record */
    put(&e.c[1], e.way[0].b + whole - 1, 1, SIZE_MAX);
    struct era_bytes body;
    cr_assert_not(era_channel_next(&e.c[1], &body));
    cr_assert(era_channel_is_amid(&e.c[1])); /* a frame */
    release(&e);
}
