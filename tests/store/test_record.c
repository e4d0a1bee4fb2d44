/* The keys and values of a store (protocol, Durability: every value carries its own hash). */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "proto/limits.h"
#include "store/record.h"
#include "tests/store/given.h"

static const char *hex_of(const uint8_t *data, size_t len, char *out)
{
    era_hex(data, len, out);
    return out;
}

Test(record, a_meta_key_is_M_and_the_name)
{
    struct era_store_key key = era_record_meta(ERA_META_EPOCH_HIGH);
    cr_assert_eq(key.len, 11);
    cr_assert_eq(memcmp(key.b, "Mepoch_high", 11), 0);
}

Test(record, an_item_key_is_its_kind_and_id)
{
    struct era_hash id = {{0xAB, [31] = 0xCD}};
    struct era_store_key key = era_record_item(ERA_RECORD_CARRIER, &id);
    char out[2 * ERA_RECORD_KEY_BYTES_MAX + 1];
    cr_assert_str_eq(hex_of(key.b, key.len, out),
                     "43ab000000000000000000000000000000000000000000000000000000000000cd");
}

Test(record, an_item_key_reads_back)
{
    struct era_hash id = {{7}};
    struct era_store_key key = era_record_item(ERA_RECORD_REBUILD, &id);
    enum era_record_kind kind = ERA_RECORD_META;
    struct era_hash read = {{0}};
    cr_assert(era_record_item_read(era_store_key_bytes(&key), &kind, &read));
    cr_assert_eq(kind, ERA_RECORD_REBUILD);
    cr_assert(era_hash_eq(&read, &id));
}

Test(record, a_key_of_another_form_is_no_item)
{
    enum era_record_kind kind;
    struct era_hash id;
    cr_assert_not(era_record_item_read(text("Mnetwork"), &kind, &id));
    cr_assert_not(era_record_item_read(text("S-too-short"), &kind, &id));
    cr_assert_not(era_record_item_read(text("X23456789012345678901234567890123"), &kind, &id));
    cr_assert_not(era_record_item_read(text("M23456789012345678901234567890123"), &kind, &id));
    cr_assert_not(era_record_item_read(text("S234567890123456789012345678901234"), &kind, &id));
}

/* Independent of the code: printf 'erad-record-v1Skeypayload' | b2sum -l 256 */
Test(record, a_value_is_the_payload_and_16_bytes_of_its_hash)
{
    uint8_t stored[7 + ERA_RECORD_TAG_BYTES];
    era_record_wrap(text("Skey"), text("payload"), stored);
    char out[2 * sizeof stored + 1];
    cr_assert_str_eq(hex_of(stored, sizeof stored, out), "7061796c6f6164"
                                                         "92125bddf1d0208a2faf35ab90ed90d5");
}

Test(record, an_intact_value_unwraps_to_its_payload)
{
    uint8_t stored[7 + ERA_RECORD_TAG_BYTES];
    era_record_wrap(text("Skey"), text("payload"), stored);
    struct era_bytes payload;
    cr_assert(era_record_unwrap(text("Skey"), (struct era_bytes){stored, sizeof stored}, &payload));
    cr_assert_eq(payload.len, 7);
    cr_assert_eq(payload.data, stored);
}

Test(record, any_flipped_bit_is_noticed)
{
    uint8_t stored[7 + ERA_RECORD_TAG_BYTES];
    struct era_bytes payload;
    for (size_t bit = 0; bit < 8 * sizeof stored; bit++) {
        era_record_wrap(text("Skey"), text("payload"), stored);
        stored[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        struct era_bytes flipped = {stored, sizeof stored};
        cr_assert_not(era_record_unwrap(text("Skey"), flipped, &payload));
    }
}

Test(record, a_value_under_another_key_is_noticed)
{
    uint8_t stored[7 + ERA_RECORD_TAG_BYTES];
    era_record_wrap(text("Skey"), text("payload"), stored);
    struct era_bytes payload;
    cr_assert_not(era_record_unwrap(text("Skez"), (struct era_bytes){stored, sizeof stored}, &payload));
}

Test(record, a_value_shorter_than_a_tag_is_noticed)
{
    const uint8_t stored[ERA_RECORD_TAG_BYTES - 1] = {0};
    struct era_bytes payload;
    cr_assert_not(era_record_unwrap(text("Skey"), (struct era_bytes){stored, sizeof stored}, &payload));
}

Test(record, only_this_schema_passes)
{
    const struct {
        uint8_t bytes[4];
        size_t len;
        int expected;
    } cases[] = {
        {{0, 0, 0, 1}, 4, 0},
        {{0, 0, 0, 2}, 4, -EPROTONOSUPPORT},
        {{0, 0, 0, 0}, 4, -EBADMSG},
        {{0, 0, 1}, 3, -EBADMSG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct era_bytes schema = {cases[i].bytes, cases[i].len};
        cr_assert_eq(era_record_schema_check(schema), cases[i].expected, "case %zu", i);
    }
}
