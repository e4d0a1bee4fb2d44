#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "proto/erad.pb-c.h"
#include "tests/proto/samples.h"

static uint8_t bytes[2 * ERA_LOOSE_BYTES_MAX + 1024];

static struct era_evidence given_evidence(void)
{
    struct era_evidence e = {.kind = ERA_KIND_READINESS,
                             .key = given_key(1, 2),
                             .payloads = {{(const uint8_t *)"one", 3}, {(const uint8_t *)"two", 3}}};
    memset(e.signatures[0].b, 0x51, ERA_SIGNATURE_BYTES);
    memset(e.signatures[1].b, 0x52, ERA_SIGNATURE_BYTES);
    return e;
}

static enum era_verdict verdict(const struct era_evidence *e)
{
    size_t len = era_evidence_encode(e, bytes, sizeof bytes);
    struct era_evidence out;
    return era_evidence_decode((struct era_bytes){bytes, len}, &out);
}

#define EVIDENCE_WITH(...)                                                                                   \
    ({                                                                                                       \
        struct era_evidence e = given_evidence();                                                            \
        __VA_ARGS__;                                                                                         \
        verdict(&e);                                                                                         \
    })

Test(evidence, R8_it_decodes_to_what_was_encoded)
{
    struct era_evidence e = given_evidence(), out;
    size_t len = era_evidence_encode(&e, bytes, sizeof bytes);
    cr_assert_eq(len, era_evidence_bytes(&e));
    cr_assert_eq(era_evidence_decode((struct era_bytes){bytes, len}, &out), ERA_ACCEPTED);
    cr_assert_eq(out.kind, ERA_KIND_READINESS);
    cr_assert_eq(out.key.b[0], 1);
    cr_assert_eq(memcmp(out.payloads[0].data, "one", 3), 0);
    cr_assert_eq(memcmp(out.payloads[1].data, "two", 3), 0);
    cr_assert(out.payloads[1].data > bytes && out.payloads[1].data < bytes + len, "borrowed");
    cr_assert_eq(out.signatures[0].b[63], 0x51);
    cr_assert_eq(out.signatures[1].b[0], 0x52);
    cr_assert_eq(era_evidence_encode(&e, bytes, len - 1), 0);
}

Test(evidence, protobuf_c_reads_it_the_same)
{
    struct era_evidence e = given_evidence();
    size_t len = era_evidence_encode(&e, bytes, sizeof bytes);
    Erad__Wire__Evidence *pb = erad__wire__evidence__unpack(NULL, len, bytes);
    cr_assert_not_null(pb);
    cr_assert_eq(pb->kind, 5);
    cr_assert_eq(pb->second.data[0], 't');
    uint8_t *again = malloc(len);
    cr_assert_eq(erad__wire__evidence__pack(pb, again), len);
    cr_assert_eq(memcmp(again, bytes, len), 0);
    free(again);
    erad__wire__evidence__free_unpacked(pb, NULL);
}

/* Whoever makes it, it has one order; and what was said once is no evidence. */
Test(evidence, R8_its_two_payloads_ascend_strictly)
{
    cr_assert_eq(EVIDENCE_WITH(e.payloads[0] = e.payloads[1]), ERA_NOT_CANONICAL);
    cr_assert_eq(EVIDENCE_WITH(e.payloads[0].data = (const uint8_t *)"zzz"), ERA_NOT_CANONICAL);
    cr_assert_eq(EVIDENCE_WITH(e.payloads[0] = (struct era_bytes){(const uint8_t *)"twoo", 4}),
                 ERA_NOT_CANONICAL);
    cr_assert_eq(EVIDENCE_WITH(e.payloads[0] = (struct era_bytes){(const uint8_t *)"tw", 2}), ERA_ACCEPTED);
    cr_assert_eq(EVIDENCE_WITH(e.payloads[0].len = 0), ERA_ACCEPTED);
}

Test(evidence, R8_its_kind_is_a_signed_one)
{
    for (uint32_t kind = 0; kind < 40; kind++)
        cr_assert_eq(EVIDENCE_WITH(e.kind = kind), kind >= 1 && kind <= 12 ? ERA_ACCEPTED : ERA_BAD_VALUE,
                     "%u", kind);
}

Test(evidence, payloads_above_the_loose_limit_are_oversized)
{
    static uint8_t large[ERA_LOOSE_BYTES_MAX + 1], other[ERA_LOOSE_BYTES_MAX + 1];
    other[0] = 1;
    cr_assert_eq(EVIDENCE_WITH(e.payloads[0] = (struct era_bytes){large, ERA_LOOSE_BYTES_MAX};
                               e.payloads[1] = (struct era_bytes){other, ERA_LOOSE_BYTES_MAX}),
                 ERA_ACCEPTED);
    cr_assert_eq(EVIDENCE_WITH(e.payloads[0] = (struct era_bytes){large, sizeof large}), ERA_OVERSIZED);
    cr_assert_eq(
        EVIDENCE_WITH(e.payloads[1] = (struct era_bytes){other, sizeof other}; e.payloads[0].len = 0),
        ERA_OVERSIZED);
}

static enum era_verdict on(const char *hex)
{
    struct era_evidence out;
    return era_evidence_decode(given_hex(hex), &out);
}

#define KEY "3131313131313131313131313131313131313131313131313131313131313131"
#define ONE "1a0161 2240" KEY KEY
#define TWO "2a0162 3240" KEY KEY

Test(evidence, R1_one_evidence_has_one_encoding)
{
    cr_assert_eq(on("0802 1220" KEY ONE TWO), ERA_ACCEPTED);
    cr_assert_eq(on("088200 1220" KEY ONE TWO), ERA_NOT_CANONICAL);
    cr_assert_eq(on("1220" KEY "0802" ONE TWO), ERA_NOT_CANONICAL);
    cr_assert_eq(on("0802 1220" KEY TWO ONE), ERA_NOT_CANONICAL);
    cr_assert_eq(on("0802 0802 1220" KEY ONE TWO), ERA_NOT_CANONICAL);
    cr_assert_eq(on("0802 1220" KEY ONE TWO "3801"), ERA_NOT_CANONICAL);
}

Test(evidence, what_is_missing_or_of_a_wrong_size_is_refused)
{
    cr_assert_eq(on(""), ERA_MALFORMED);
    cr_assert_eq(on("0802 1220" KEY ONE), ERA_MALFORMED);
    cr_assert_eq(on("1220" KEY ONE TWO), ERA_MALFORMED);
    cr_assert_eq(on("0802 120131" ONE TWO), ERA_BAD_VALUE);
    cr_assert_eq(on("0802 1220" KEY "1a0161 220131" TWO), ERA_BAD_VALUE);
    cr_assert_eq(on("0802 1220" KEY ONE "2a0162 320131"), ERA_BAD_VALUE);
}

Test(evidence, every_prefix_is_refused)
{
    struct era_evidence e = given_evidence();
    size_t len = era_evidence_encode(&e, bytes, sizeof bytes);
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *copy = malloc(cut + 1);
        struct era_evidence out;
        memcpy(copy, bytes, cut);
        cr_assert_neq(era_evidence_decode((struct era_bytes){copy, cut}, &out), ERA_ACCEPTED, "%zu", cut);
        free(copy);
    }
}
