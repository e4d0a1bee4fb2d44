#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "proto/erad.pb-c.h"
#include "proto/statement.h"
#include "tests/proto/samples.h"

static uint8_t bytes[ERA_STATEMENT_BYTES_MAX];

/* Owns its lists; era_carrier_clear. */
static struct era_carrier given_certificate(size_t approvals, size_t readiness)
{
    struct era_carrier c = {.proposal = {(const uint8_t *)"proposal", 8},
                            .author = given_key(1, 2),
                            .approval_count = approvals,
                            .readiness_count = readiness,
                            .attestation_count = 3};
    c.approvals = calloc(approvals + 1, sizeof *c.approvals);
    c.readiness = calloc(readiness + 1, sizeof *c.readiness);
    c.attestations = calloc(3, sizeof *c.attestations);
    for (size_t i = 0; i < approvals; i++)
        c.approvals[i].key = (uint32_t)i;
    for (size_t i = 0; i < readiness; i++) {
        c.readiness[i].key = (uint32_t)i;
        memset(c.readiness[i].signature.b, (int)i, ERA_SIGNATURE_BYTES);
    }
    c.attestations[0] = (struct era_indexed_attestation){.key = 0, .payload = {(const uint8_t *)"a", 1}};
    c.attestations[1] = (struct era_indexed_attestation){.key = 0, .payload = {(const uint8_t *)"aa", 2}};
    c.attestations[2] = (struct era_indexed_attestation){.key = 1, .payload = {(const uint8_t *)"a", 1}};
    return c;
}

/* Encode, decode, clear both: the verdict. */
static enum era_verdict verdict(struct era_carrier *c)
{
    size_t len = era_carrier_encode(c, bytes, sizeof bytes);
    struct era_carrier out;
    enum era_verdict v = era_carrier_decode((struct era_bytes){bytes, len}, &out);
    era_carrier_clear(&out);
    era_carrier_clear(c);
    return v;
}

Test(carrier, it_decodes_to_what_was_encoded)
{
    struct era_carrier c = given_certificate(2, 4), out;
    size_t len = era_carrier_encode(&c, bytes, sizeof bytes);
    cr_assert_eq(len, era_carrier_bytes(&c));
    cr_assert_eq(era_carrier_decode((struct era_bytes){bytes, len}, &out), ERA_ACCEPTED);
    cr_assert_eq(out.approval_count, 2);
    cr_assert_eq(out.readiness_count, 4);
    cr_assert_eq(out.readiness[3].key, 3);
    cr_assert_eq(out.readiness[3].signature.b[63], 3);
    cr_assert_eq(out.attestation_count, 3);
    cr_assert_eq(out.attestations[1].payload.len, 2);
    cr_assert_eq(memcmp(out.proposal.data, "proposal", 8), 0);
    cr_assert(out.proposal.data > bytes && out.proposal.data < bytes + len, "borrowed");
    cr_assert_eq(era_carrier_encode(&c, bytes, len - 1), 0);
    era_carrier_clear(&c);
    era_carrier_clear(&out);
    era_carrier_clear(NULL);
}

Test(carrier, protobuf_c_reads_it_the_same)
{
    struct era_carrier c = given_certificate(2, 200);
    size_t len = era_carrier_encode(&c, bytes, sizeof bytes);
    Erad__Wire__Carrier *pb = erad__wire__carrier__unpack(NULL, len, bytes);
    cr_assert_not_null(pb);
    cr_assert_eq(pb->n_approvals, 2);
    cr_assert_eq(pb->n_readiness, 200);
    cr_assert_eq(pb->readiness[199]->key, 199);
    cr_assert_eq(pb->n_attestations, 3);
    uint8_t *again = malloc(len);
    cr_assert_eq(erad__wire__carrier__get_packed_size(pb), len);
    erad__wire__carrier__pack(pb, again);
    cr_assert_eq(memcmp(again, bytes, len), 0);
    free(again);
    erad__wire__carrier__free_unpacked(pb, NULL);
    era_carrier_clear(&c);
}

/* 3,334 of 5,000 signatures in about 227 kB (R6). */
Test(carrier, R6_a_quorum_of_5000_validators_fits)
{
    struct era_carrier c = given_certificate(64, 3334), out;
    size_t len = era_carrier_encode(&c, bytes, sizeof bytes);
    cr_assert_gt(len, 225000);
    cr_assert_lt(len, 250000);
    cr_assert_eq(era_carrier_decode((struct era_bytes){bytes, len}, &out), ERA_ACCEPTED);
    cr_assert_eq(out.readiness_count, 3334);
    era_carrier_clear(&out);
    era_carrier_clear(&c);
}

Test(carrier, every_key_is_counted_once)
{
    struct era_carrier c = given_certificate(3, 3);
    c.approvals[1].key = 0;
    cr_assert_eq(verdict(&c), ERA_DUPLICATE_KEY);
    c = given_certificate(3, 3);
    c.readiness[2].key = 1;
    cr_assert_eq(verdict(&c), ERA_DUPLICATE_KEY);
    c = given_certificate(3, 3);
    c.attestations[1] = c.attestations[0];
    cr_assert_eq(verdict(&c), ERA_DUPLICATE_KEY);
}

Test(carrier, lists_ascend)
{
    struct era_carrier c = given_certificate(3, 3);
    c.approvals[0].key = 9;
    cr_assert_eq(verdict(&c), ERA_NOT_CANONICAL);
    c = given_certificate(3, 3);
    c.readiness[1].key = 5;
    cr_assert_eq(verdict(&c), ERA_NOT_CANONICAL);
    c = given_certificate(3, 3);
    c.attestations[0].payload = (struct era_bytes){(const uint8_t *)"b", 1};
    cr_assert_eq(verdict(&c), ERA_NOT_CANONICAL);
}

Test(carrier, key_indexes_lie_inside_the_largest_charter)
{
    struct era_carrier c = given_certificate(2, 2);
    c.approvals[1].key = ERA_SIGNERS_MAX;
    cr_assert_eq(verdict(&c), ERA_BAD_VALUE);
    c = given_certificate(2, 2);
    c.readiness[1].key = ERA_VALIDATORS_MAX;
    cr_assert_eq(verdict(&c), ERA_BAD_VALUE);
    c = given_certificate(2, 2);
    c.attestations[2].key = ERA_VALIDATORS_MAX;
    cr_assert_eq(verdict(&c), ERA_BAD_VALUE);
}

Test(carrier, more_signatures_than_keys_are_oversized)
{
    struct era_carrier c = given_certificate(ERA_SIGNERS_MAX + 1, 0);
    cr_assert_eq(verdict(&c), ERA_OVERSIZED);
    c = given_certificate(0, ERA_VALIDATORS_MAX + 1);
    cr_assert_eq(verdict(&c), ERA_OVERSIZED);
}

static enum era_verdict on(const char *hex)
{
    struct era_carrier out;
    enum era_verdict v = era_carrier_decode(given_hex(hex), &out);
    era_carrier_clear(&out);
    return v;
}

#define KEY  "3131313131313131313131313131313131313131313131313131313131313131"
#define HEAD "0a0161 1220" KEY "1a40" KEY KEY

Test(carrier, R1_one_carrier_has_one_encoding)
{
    cr_assert_eq(on(HEAD), ERA_ACCEPTED);
    cr_assert_eq(on(HEAD "2244 0800 1240" KEY KEY), ERA_ACCEPTED);
    cr_assert_eq(on(HEAD "2245 088000 1240" KEY KEY), ERA_NOT_CANONICAL);
    cr_assert_eq(on(HEAD "2244 1240" KEY KEY "0800"), ERA_NOT_CANONICAL);
    cr_assert_eq(on(HEAD "2246 0800 1240" KEY KEY "1800"), ERA_NOT_CANONICAL);
    cr_assert_eq(on(HEAD "3801"), ERA_NOT_CANONICAL);
    cr_assert_eq(on("0a0161" HEAD), ERA_NOT_CANONICAL);
    cr_assert_eq(on("2244 0800 1240" KEY KEY HEAD), ERA_NOT_CANONICAL);
}

Test(carrier, what_is_missing_or_of_a_wrong_size_is_refused)
{
    cr_assert_eq(on(""), ERA_MALFORMED);
    cr_assert_eq(on("0a0161 1220" KEY), ERA_MALFORMED);
    cr_assert_eq(on(HEAD "2202 0800"), ERA_MALFORMED);
    cr_assert_eq(on(HEAD "2001"), ERA_MALFORMED);
    cr_assert_eq(on("0a0161 1201 31 1a40" KEY KEY), ERA_BAD_VALUE);
    cr_assert_eq(on(HEAD "2205 0800 120131"), ERA_BAD_VALUE);
}

Test(carrier, a_proposal_above_the_loose_limit_is_oversized)
{
    struct era_carrier c = given_certificate(1, 1);
    uint8_t *large = calloc(1, ERA_LOOSE_BYTES_MAX + 1);
    c.proposal = (struct era_bytes){large, ERA_LOOSE_BYTES_MAX + 1};
    cr_assert_eq(verdict(&c), ERA_OVERSIZED);
    free(large);
}

Test(carrier, every_prefix_gets_a_verdict)
{
    struct era_carrier c = given_certificate(2, 2);
    size_t len = era_carrier_encode(&c, bytes, sizeof bytes);
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *copy = malloc(cut + 1);
        memcpy(copy, bytes, cut);
        struct era_carrier out;
        era_carrier_decode((struct era_bytes){copy, cut}, &out); /* cut between list items: valid */
        era_carrier_clear(&out);
        free(copy);
    }
    era_carrier_clear(&c);
}
