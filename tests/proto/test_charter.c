#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "proto/charter.h"
#include "tests/proto/samples.h"

static enum era_verdict reread(const struct era_charter *c, struct era_charter *out)
{
    uint8_t *bytes;
    size_t len = era_charter_encode(c, &bytes);
    enum era_verdict v = era_charter_decode((struct era_bytes){bytes, len}, out);
    free(bytes);
    return v;
}

/* The verdict on a sample charter after a change. */
#define CHARTER_WITH(...)                                                                                    \
    ({                                                                                                       \
        struct era_charter c = given_charter(), out_;                                                        \
        __VA_ARGS__;                                                                                         \
        enum era_verdict v_ = reread(&c, &out_);                                                             \
        era_charter_clear(&out_);                                                                            \
        era_charter_clear(&c);                                                                               \
        v_;                                                                                                  \
    })

Test(charter, it_decodes_to_what_was_encoded)
{
    struct era_charter c = given_charter(), out;
    cr_assert_eq(reread(&c, &out), ERA_ACCEPTED);
    cr_assert_eq(out.validator_count, 3);
    cr_assert_str_eq(out.validators[2].name, "v3");
    cr_assert_eq(out.validators[2].stake, 30);
    cr_assert_eq(out.validators[2].key.b[0], 0x33);
    cr_assert_eq(out.component_count, 2);
    cr_assert_str_eq(out.components[1].id, "oracle");
    cr_assert_eq(out.components[1].k, 2);
    cr_assert_eq(out.components[1].enough.numerator, 2);
    cr_assert_str_eq(out.components[1].signers[1].name, "bob");
    cr_assert_str_eq(out.components[1].initial.version, "1.0.0");
    cr_assert_eq(out.clock.genesis_ms, 1700000000000);
    cr_assert_eq(out.emitter_count, 1);
    cr_assert_str_eq(out.name, "Test Net");
    cr_assert(out.strict_emission);
    cr_assert_not(out.authority_only);
    cr_assert_eq(out.events_per_epoch, 100);
    cr_assert(era_hash_eq(&out.hash, &c.hash), "decode and seal agree on the network id");
    era_charter_clear(&out);
    era_charter_clear(&c);
    era_charter_clear(NULL);
}

Test(charter, R10_a_later_version_names_its_parent)
{
    cr_assert_eq(CHARTER_WITH({
                     c.version = 1;
                     c.has_parent = true;
                     c.parent = given_hash(7);
                     c.effective = 1;
                 }),
                 ERA_ACCEPTED);
    cr_assert_eq(CHARTER_WITH({
                     c.version = 1;
                     c.effective = 1;
                 }),
                 ERA_BAD_VALUE);
    cr_assert_eq(CHARTER_WITH(c.has_parent = true), ERA_BAD_VALUE);
}

/* The verdict on a sample charter 1 after a change. */
#define NEXT_WITH(...)                                                                                       \
    CHARTER_WITH({                                                                                           \
        era_charter_clear(&c);                                                                               \
        c = given_next_charter();                                                                            \
        __VA_ARGS__;                                                                                         \
    })

Test(charter, R10_a_later_version_says_from_when_it_counts_and_how_far_the_old_one_does)
{
    struct era_charter c = given_next_charter(), out;
    cr_assert_eq(reread(&c, &out), ERA_ACCEPTED);
    cr_assert_eq(out.version, 1);
    cr_assert_eq(out.parent.b[31], 0x70);
    cr_assert_eq(out.effective, 500);
    cr_assert_eq(out.carried_count, 2);
    cr_assert_str_eq(out.carried[1].component, "oracle");
    cr_assert_eq(out.carried[1].seq, 1048576);
    cr_assert(era_hash_eq(&out.hash, &c.hash));
    era_charter_clear(&out);
    era_charter_clear(&c);
}

Test(charter, R10_what_a_later_version_says_keeps_its_range)
{
    cr_assert_eq(NEXT_WITH(c.effective = 0), ERA_BAD_VALUE);
    cr_assert_eq(NEXT_WITH(c.effective = ERA_EPOCH_MAX), ERA_ACCEPTED);
    cr_assert_eq(NEXT_WITH(c.effective = ERA_EPOCH_MAX + 1), ERA_BAD_VALUE);
    cr_assert_eq(NEXT_WITH(c.version = ERA_CHARTER_VERSION_MAX), ERA_ACCEPTED);
    cr_assert_eq(NEXT_WITH(c.version = ERA_CHARTER_VERSION_MAX + 1), ERA_BAD_VALUE);
    cr_assert_eq(NEXT_WITH(c.carried_count = 0), ERA_ACCEPTED);
    cr_assert_eq(NEXT_WITH(c.carried[1].seq = ERA_SEQ_MAX + 1), ERA_BAD_VALUE);
    cr_assert_eq(NEXT_WITH(strcpy(c.carried[1].component, "Zoo")), ERA_BAD_VALUE);
}

Test(charter, R10_carried_components_ascend)
{
    cr_assert_eq(NEXT_WITH(strcpy(c.carried[1].component, "network")), ERA_NOT_CANONICAL);
    cr_assert_eq(NEXT_WITH(strcpy(c.carried[0].component, "p")), ERA_NOT_CANONICAL);
}

Test(charter, R10_no_more_is_carried_than_a_charter_has_components)
{
    struct era_charter c = given_next_charter(), out;
    c.carried_count = ERA_COMPONENTS_MAX;
    for (int i = 0; i < ERA_COMPONENTS_MAX; i++)
        c.carried[i] = (struct era_carried){{(char)('a' + i / 10), (char)('0' + i % 10)}, 1};
    cr_assert_eq(reread(&c, &out), ERA_ACCEPTED);
    era_charter_clear(&out);
    uint8_t *bytes, *more;
    size_t len = era_charter_encode(&c, &bytes);
    struct era_bytes extra = given_hex("6a05 0a017a 1001"); /* carried "z", the last field there is */
    more = malloc(len + extra.len);
    memcpy(more, bytes, len);
    memcpy(more + len, extra.data, extra.len);
    cr_assert_eq(era_charter_decode((struct era_bytes){more, len + extra.len}, &out), ERA_OVERSIZED);
    free(more);
    free(bytes);
    era_charter_clear(&c);
}

Test(charter, R10_charter_0_follows_nothing)
{
    cr_assert_eq(CHARTER_WITH(c.effective = 1), ERA_BAD_VALUE);
    cr_assert_eq(CHARTER_WITH({
                     c.carried_count = 1;
                     c.carried[0] = (struct era_carried){"network", 1};
                 }),
                 ERA_BAD_VALUE);
}

/* What charters gained for their successors left the network id of every charter 0 as it was. */
Test(charter, the_network_id_of_the_sample_is_what_it_always_was)
{
    struct era_charter c = given_charter();
    char hex[ERA_HASH_TEXT_BYTES];
    cr_assert_str_eq(era_hash_text(&c.hash, hex),
                     "82cb16ab1068fd49536ac3d19e98d8b3b01536a1a8c43fefa1e65fa81f70c436");
    era_charter_clear(&c);
}

/* A key named twice could be counted twice toward k (go-tuf#369). */
Test(charter, every_key_is_named_once)
{
    cr_assert_eq(CHARTER_WITH(c.validators[1].key = c.validators[0].key), ERA_DUPLICATE_KEY);
    cr_assert_eq(CHARTER_WITH(c.components[1].signers[1].key = c.components[1].signers[0].key),
                 ERA_DUPLICATE_KEY);
    cr_assert_eq(CHARTER_WITH({
                     c.emitter_count = 2;
                     c.emitters[1] = c.emitters[0];
                 }),
                 ERA_DUPLICATE_KEY);
}

Test(charter, lists_ascend)
{
    cr_assert_eq(CHARTER_WITH(c.validators[0].key = given_key(0xff, 0)), ERA_NOT_CANONICAL);
    cr_assert_eq(CHARTER_WITH(c.components[0].signers[0].key = given_key(0xff, 0)), ERA_NOT_CANONICAL);
    cr_assert_eq(CHARTER_WITH({
                     struct era_component first = c.components[0];
                     c.components[0] = c.components[1];
                     c.components[1] = first;
                 }),
                 ERA_NOT_CANONICAL);
    cr_assert_eq(CHARTER_WITH(c.components[1] = c.components[0]), ERA_NOT_CANONICAL);
}

Test(charter, values_keep_their_range)
{
    cr_assert_eq(CHARTER_WITH(c.clock.kind = 0), ERA_BAD_VALUE);
    cr_assert_eq(CHARTER_WITH(c.clock.kind = 3), ERA_BAD_VALUE);
    cr_assert_eq(CHARTER_WITH(c.clock.kind = ERA_CLOCK_HEIGHT), ERA_ACCEPTED);
    cr_assert_eq(CHARTER_WITH(c.clock.epoch_ms = 0), ERA_BAD_VALUE);
    cr_assert_eq(CHARTER_WITH(c.validators[0].stake = 0), ERA_BAD_VALUE);
    cr_assert_eq(CHARTER_WITH(c.components[0].enough.denominator = 0), ERA_BAD_VALUE);
    cr_assert_eq(CHARTER_WITH(c.components[0].enough = (struct era_fraction){4, 3}), ERA_BAD_VALUE);
    cr_assert_eq(CHARTER_WITH(c.components[0].enough = (struct era_fraction){1, 1000001}), ERA_BAD_VALUE);
    cr_assert_eq(CHARTER_WITH(c.components[0].enough = (struct era_fraction){1, 1000000}), ERA_ACCEPTED);
    cr_assert_eq(CHARTER_WITH(c.components[0].rebuild_quorum.denominator = 0), ERA_BAD_VALUE);
    cr_assert_eq(CHARTER_WITH(c.components[0].initial.era = 2), ERA_BAD_VALUE);
    cr_assert_eq(CHARTER_WITH(strcpy(c.components[0].initial.component, "other")), ERA_BAD_VALUE);
    cr_assert_eq(CHARTER_WITH(c.components[0].notice_epochs = ERA_EPOCH_MAX + 1), ERA_BAD_VALUE);
    cr_assert_eq(CHARTER_WITH(c.events_per_epoch = ERA_EVENTS_PER_EPOCH_MAX + 1), ERA_BAD_VALUE);
}

/* Sums and three times a sum stay inside 64 and 128 bits (I15). */
Test(charter, I15_the_stake_sum_keeps_its_bound)
{
    cr_assert_eq(CHARTER_WITH(c.validators[0].stake = ERA_STAKE_SUM_MAX - 50), ERA_ACCEPTED);
    cr_assert_eq(CHARTER_WITH(c.validators[0].stake = ERA_STAKE_SUM_MAX - 49), ERA_BAD_VALUE);
    cr_assert_eq(CHARTER_WITH({
                     c.validators[0].stake = UINT64_MAX;
                     c.validators[1].stake = UINT64_MAX;
                 }),
                 ERA_BAD_VALUE);
}

Test(charter, names_keep_their_form)
{
    cr_assert_eq(CHARTER_WITH(c.name[0] = '\0'), ERA_BAD_VALUE);
    cr_assert_eq(CHARTER_WITH(strcpy(c.name, "two\nlines")), ERA_BAD_UTF8);
    cr_assert_eq(CHARTER_WITH(c.validators[2].name[0] = '\0'), ERA_BAD_VALUE);
    cr_assert_eq(CHARTER_WITH(strcpy(c.validators[2].name, "\xff")), ERA_BAD_UTF8);
    cr_assert_eq(CHARTER_WITH({
                     strcpy(c.components[1].id, "Zoo");
                     strcpy(c.components[1].initial.component, "Zoo");
                 }),
                 ERA_BAD_VALUE);
}

Test(charter, R1_unknown_fields_are_not_canonical)
{
    struct era_charter c = given_charter(), out;
    uint8_t *bytes;
    size_t len = era_charter_encode(&c, &bytes);
    uint8_t *more = malloc(len + 2);
    memcpy(more, bytes, len);
    memcpy(more + len, "\x70\x01", 2); /* field 14 */
    cr_assert_eq(era_charter_decode((struct era_bytes){more, len + 2}, &out), ERA_NOT_CANONICAL);
    cr_assert_null(out.validators);
    free(more);
    free(bytes);
    era_charter_clear(&c);
}

Test(charter, every_prefix_is_refused)
{
    struct era_charter c = given_charter();
    uint8_t *bytes;
    size_t len = era_charter_encode(&c, &bytes);
    for (size_t cut = 0; cut < len; cut++) {
        struct era_charter out;
        uint8_t *copy = malloc(cut + 1);
        memcpy(copy, bytes, cut);
        cr_assert_eq(era_charter_decode((struct era_bytes){copy, cut}, &out), ERA_MALFORMED);
        free(copy);
    }
    free(bytes);
    era_charter_clear(&c);
}

static struct era_charter given_validators(size_t count)
{
    struct era_charter c = given_charter();
    free(c.validators);
    c.validators = calloc(count, sizeof *c.validators);
    c.validator_count = count;
    for (size_t i = 0; i < count; i++) {
        c.validators[i] = (struct era_validator){.name = "v", .stake = 1};
        era_put_be32(c.validators[i].key.b, (uint32_t)i);
    }
    return c;
}

/* Four stakes of 2^62 would wrap to 0. */
Test(charter, I15_the_stake_sum_does_not_wrap)
{
    struct era_charter c = given_validators(4), out;
    for (size_t i = 0; i < 4; i++)
        c.validators[i].stake = ERA_STAKE_SUM_MAX;
    cr_assert_eq(reread(&c, &out), ERA_BAD_VALUE);
    era_charter_clear(&c);
}

Test(charter, it_holds_5000_validators_and_no_more)
{
    struct era_charter c = given_validators(ERA_VALIDATORS_MAX), out;
    cr_assert_eq(reread(&c, &out), ERA_ACCEPTED);
    cr_assert_eq(out.validator_count, 5000);
    uint8_t *bytes, *more;
    size_t len = era_charter_encode(&c, &bytes);
    /* one more validator, in any place: protobuf-c sorts it to the others */
    struct era_bytes extra =
        given_hex("2a27 0a0176 1220"
                  "ff31313131313131313131313131313131313131313131313131313131313131 1801");
    more = malloc(len + extra.len);
    memcpy(more, bytes, len);
    memcpy(more + len, extra.data, extra.len);
    era_charter_clear(&out);
    cr_assert_eq(era_charter_decode((struct era_bytes){more, len + extra.len}, &out), ERA_OVERSIZED);
    free(more);
    free(bytes);
    era_charter_clear(&c);
}

Test(charter, more_than_a_mebibyte_is_oversized)
{
    static uint8_t bytes[ERA_CHARTER_BYTES_MAX + 1];
    struct era_charter out;
    cr_assert_eq(era_charter_decode((struct era_bytes){bytes, sizeof bytes}, &out), ERA_OVERSIZED);
}
