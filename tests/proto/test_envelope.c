#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "proto/erad.pb-c.h"
#include "proto/statement.h"
#include "tests/proto/samples.h"

#define KEY "3131313131313131313131313131313131313131313131313131313131313131"
#define SIG KEY KEY
/* kind 2, payload "abc", key, signature */
#define APPROVE "0802 1203616263 1a20" KEY "2240" SIG

static enum era_verdict on(const char *hex)
{
    struct era_envelope e;
    return era_envelope_decode(given_hex(hex), &e);
}

Test(envelope, it_borrows_the_payload_from_the_input)
{
    struct era_bytes in = given_hex(APPROVE);
    struct era_envelope e;
    cr_assert_eq(era_envelope_decode(in, &e), ERA_ACCEPTED);
    cr_assert_eq(e.kind, 2);
    cr_assert_eq(e.payload.data, in.data + 4);
    cr_assert_eq(e.payload.len, 3);
    cr_assert_eq(e.key.b[31], 0x31);
    cr_assert_eq(e.signature.b[63], 0x31);
}

Test(envelope, encode_writes_what_was_decoded)
{
    struct era_bytes in = given_hex(APPROVE);
    struct era_envelope e;
    uint8_t out[256];
    cr_assert_eq(era_envelope_decode(in, &e), ERA_ACCEPTED);
    cr_assert_eq(era_envelope_bytes(&e), in.len);
    cr_assert_eq(era_envelope_encode(&e, out, sizeof out), in.len);
    cr_assert_eq(memcmp(out, in.data, in.len), 0);
    cr_assert_eq(era_envelope_encode(&e, out, in.len - 1), 0);
}

/* The hand codec and protobuf-c agree. */
Test(envelope, protobuf_c_reads_it_the_same)
{
    struct era_bytes in = given_hex(APPROVE);
    Erad__Wire__Envelope *pb = erad__wire__envelope__unpack(NULL, in.len, in.data);
    cr_assert_not_null(pb);
    cr_assert_eq(pb->kind, 2);
    cr_assert_eq(pb->payload.len, 3);
    cr_assert_eq(pb->signature.len, 64);
    uint8_t out[256];
    cr_assert_eq(erad__wire__envelope__pack(pb, out), in.len);
    cr_assert_eq(memcmp(out, in.data, in.len), 0);
    erad__wire__envelope__free_unpacked(pb, NULL);
}

Test(envelope, R6_carriers_have_neither_key_nor_signature)
{
    cr_assert_eq(on("0820 1203616263"), ERA_ACCEPTED);
    cr_assert_eq(on("0821 1203616263"), ERA_ACCEPTED);
    cr_assert_eq(on("0821 1203616263 1a20" KEY "2240" SIG), ERA_NOT_CANONICAL);
    cr_assert_eq(on("0821 1203616263 2240" SIG), ERA_NOT_CANONICAL);
}

Test(envelope, signed_kinds_have_both)
{
    cr_assert_eq(on("0802 1203616263"), ERA_MALFORMED);
    cr_assert_eq(on("0802 1203616263 1a20" KEY), ERA_MALFORMED);
    cr_assert_eq(on("0802 1203616263 2240" SIG), ERA_MALFORMED);
    cr_assert_eq(on("0802 1203616263 1a01 31 2240" SIG), ERA_BAD_VALUE);
    cr_assert_eq(on("0802 1203616263 1a20" KEY "2201 31"), ERA_BAD_VALUE);
}

/* The caller says unknown-kind, so that it costs the sender nothing (M11). */
Test(envelope, M11_unknown_kinds_decode)
{
    cr_assert_eq(on("080b 1203616263 1a20" KEY "2240" SIG), ERA_ACCEPTED);
    cr_assert_eq(on("0822 1203616263"), ERA_ACCEPTED);
    cr_assert_eq(on("08ffffffff0f 1203616263"), ERA_ACCEPTED);
    cr_assert_eq(on("088080808010 1203616263"), ERA_BAD_VALUE);
}

Test(envelope, R1_one_envelope_has_one_encoding)
{
    cr_assert_eq(on("088200 1203616263 1a20" KEY "2240" SIG), ERA_NOT_CANONICAL);
    cr_assert_eq(on("0802 12830061 6263 1a20" KEY "2240" SIG), ERA_NOT_CANONICAL);
    cr_assert_eq(on("1203616263 0802 1a20" KEY "2240" SIG), ERA_NOT_CANONICAL);
    cr_assert_eq(on("0802 0802 1203616263 1a20" KEY "2240" SIG), ERA_NOT_CANONICAL);
    cr_assert_eq(on(APPROVE "2801"), ERA_NOT_CANONICAL);
    cr_assert_eq(on(APPROVE "2240" SIG), ERA_NOT_CANONICAL);
}

Test(envelope, what_is_no_protobuf_is_malformed)
{
    cr_assert_eq(on(""), ERA_MALFORMED);
    cr_assert_eq(on("0003"), ERA_MALFORMED);                     /* field 0 */
    cr_assert_eq(on("0b 0c"), ERA_MALFORMED);                    /* a group */
    cr_assert_eq(on("0a0102 1203616263"), ERA_MALFORMED);        /* kind as bytes */
    cr_assert_eq(on("0820 15 61626364"), ERA_MALFORMED);         /* payload as fixed 32 */
    cr_assert_eq(on("0820 11 6162636465666768"), ERA_MALFORMED); /* payload as fixed 64 */
    cr_assert_eq(on("08ffffffffffffffffff7f"), ERA_MALFORMED);   /* above 64 bits */
}

Test(envelope, every_prefix_is_refused)
{
    struct era_bytes in = given_hex(APPROVE);
    for (size_t cut = 0; cut < in.len; cut++) {
        uint8_t *copy = malloc(cut + 1);
        memcpy(copy, in.data, cut);
        struct era_envelope e;
        enum era_verdict v = era_envelope_decode((struct era_bytes){copy, cut}, &e);
        cr_assert(v == ERA_TRUNCATED || v == ERA_MALFORMED, "cut %zu", cut);
        free(copy);
    }
    cr_assert_eq(on("0802 1203 6162"), ERA_TRUNCATED);
    cr_assert_eq(on("0802 12ffffffff0f"), ERA_TRUNCATED);
}

Test(envelope, more_than_a_mebibyte_is_oversized)
{
    static uint8_t bytes[ERA_STATEMENT_BYTES_MAX + 1];
    struct era_envelope e;
    cr_assert_eq(era_envelope_decode((struct era_bytes){bytes, sizeof bytes}, &e), ERA_OVERSIZED);
}
