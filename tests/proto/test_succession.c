/* What makes one charter follow another: checkpoint, charter, accept, close, charter-approve and the
 * certificate that carries them (R10). */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "proto/erad.pb-c.h"
#include "tests/proto/samples.h"

#define HASH "1111111111111111111111111111111111111111111111111111111111111111"

static uint8_t bytes[ERA_STATEMENT_BYTES_MAX];

/* The verdict on a sample of that kind after a change. */
#define SAMPLE_WITH(kind, ...)                                                                               \
    ({                                                                                                       \
        struct era_statement *s = given_statement(kind);                                                     \
        __VA_ARGS__;                                                                                         \
        enum era_verdict v_ = verdict_on(s);                                                                 \
        free(s);                                                                                             \
        v_;                                                                                                  \
    })
#define CLOSE_WITH(...)      SAMPLE_WITH(ERA_KIND_CLOSE, struct era_close *c = &s->u.close; __VA_ARGS__)
#define CHECKPOINT_WITH(...) SAMPLE_WITH(ERA_KIND_CHECKPOINT, __VA_ARGS__)

Test(checkpoint, P6_it_decodes_to_what_was_encoded)
{
    struct era_statement *s = given_statement(ERA_KIND_CHECKPOINT), *out = malloc(sizeof *out);
    cr_assert_eq(decoded(s, out), ERA_ACCEPTED);
    const struct era_checkpoint *c = &out->u.checkpoint;
    cr_assert_eq(c->charter_version, 3);
    cr_assert_eq(c->charter.b[0], 0xc0);
    cr_assert_str_eq(c->component, "network");
    cr_assert_eq(c->entry.b[31], 0xe0);
    cr_assert_eq(c->at, 40);
    cr_assert_str_eq(c->digest, "sha256:dddd");
    free(out);
    free(s);
}

Test(checkpoint, its_values_keep_their_range)
{
    cr_assert_eq(CHECKPOINT_WITH(s->u.checkpoint.charter_version = 0), ERA_ACCEPTED);
    cr_assert_eq(CHECKPOINT_WITH(s->u.checkpoint.charter_version = 2047), ERA_ACCEPTED);
    cr_assert_eq(CHECKPOINT_WITH(s->u.checkpoint.charter_version = 2048), ERA_BAD_VALUE);
    cr_assert_eq(CHECKPOINT_WITH(s->u.checkpoint.at = ERA_EPOCH_MAX + 1), ERA_BAD_VALUE);
    cr_assert_eq(CHECKPOINT_WITH(s->u.checkpoint.component[0] = 'N'), ERA_BAD_VALUE);
    cr_assert_eq(CHECKPOINT_WITH(s->u.checkpoint.digest[0] = '\0'), ERA_BAD_VALUE);
    cr_assert_eq(CHECKPOINT_WITH(s->u.checkpoint.digest[0] = '\xff'), ERA_BAD_UTF8);
}

Test(charter_vote, R10_accept_and_charter_approve_name_version_and_hash)
{
    static const enum era_kind kinds[] = {ERA_KIND_ACCEPT, ERA_KIND_CHARTER_APPROVE};
    for (int i = 0; i < 2; i++) {
        struct era_statement *sample = given_statement(kinds[i]), *out = malloc(sizeof *out);
        cr_assert_eq(decoded(sample, out), ERA_ACCEPTED);
        cr_assert_eq(out->u.charter_vote.version, 4);
        cr_assert_eq(out->u.charter_vote.charter.b[31], 0xc0);
        free(out);
        free(sample);
        cr_assert_eq(SAMPLE_WITH(kinds[i], s->u.charter_vote.version = 0), ERA_BAD_VALUE);
        cr_assert_eq(SAMPLE_WITH(kinds[i], s->u.charter_vote.version = 2047), ERA_ACCEPTED);
        cr_assert_eq(SAMPLE_WITH(kinds[i], s->u.charter_vote.version = 2048), ERA_BAD_VALUE);
        cr_assert_eq(verdict_on_bytes(kinds[i], given_hex("0804 1220" HASH)), ERA_ACCEPTED);
        cr_assert_eq(verdict_on_bytes(kinds[i], given_hex("0804 1220" HASH "1801")), ERA_NOT_CANONICAL);
        cr_assert_eq(verdict_on_bytes(kinds[i], given_hex("1220" HASH "0804")), ERA_NOT_CANONICAL);
        cr_assert_eq(verdict_on_bytes(kinds[i], given_hex("0804")), ERA_MALFORMED);
        cr_assert_eq(verdict_on_bytes(kinds[i], given_hex("0804 120111")), ERA_BAD_VALUE);
    }
}

Test(close, R10_it_decodes_to_what_was_encoded)
{
    struct era_statement *s = given_statement(ERA_KIND_CLOSE), *out = malloc(sizeof *out);
    cr_assert_eq(decoded(s, out), ERA_ACCEPTED);
    const struct era_close *c = &out->u.close;
    cr_assert_eq(c->version, 4);
    cr_assert_eq(c->charter.b[0], 0xc0);
    cr_assert(c->has_last, "an epoch 0 that was leased is not none");
    cr_assert_eq(c->last, 0);
    cr_assert_eq(c->voted_count, 3);
    cr_assert_str_eq(c->voted[2].component, "oracle");
    cr_assert_eq(c->voted[1].seq, 8);
    cr_assert_eq(c->voted[0].proposal.b[0], 0xab);
    free(out);
    free(s);
}

Test(close, R10_a_key_that_never_leased_nor_voted_closes_too)
{
    cr_assert_eq(CLOSE_WITH({
                     c->has_last = false;
                     c->voted_count = 0;
                 }),
                 ERA_ACCEPTED);
}

Test(close, its_values_keep_their_range)
{
    cr_assert_eq(CLOSE_WITH(c->version = 0), ERA_BAD_VALUE);
    cr_assert_eq(CLOSE_WITH(c->version = 2048), ERA_BAD_VALUE);
    cr_assert_eq(CLOSE_WITH(c->last = ERA_EPOCH_MAX), ERA_ACCEPTED);
    cr_assert_eq(CLOSE_WITH(c->last = ERA_EPOCH_MAX + 1), ERA_BAD_VALUE);
    cr_assert_eq(CLOSE_WITH(c->voted[0].seq = 0), ERA_BAD_VALUE);
    cr_assert_eq(CLOSE_WITH(c->voted[2].seq = ERA_SEQ_MAX), ERA_ACCEPTED);
    cr_assert_eq(CLOSE_WITH(c->voted[2].seq = ERA_SEQ_MAX + 1), ERA_BAD_VALUE);
    cr_assert_eq(CLOSE_WITH(c->voted[0].component[0] = '\0'), ERA_BAD_VALUE);
}

Test(close, R1_slots_ascend_by_component_seq_and_proposal)
{
    cr_assert_eq(CLOSE_WITH(c->voted[1] = c->voted[0]), ERA_NOT_CANONICAL);
    cr_assert_eq(CLOSE_WITH(c->voted[0].component[0] = 'z'), ERA_NOT_CANONICAL);
    cr_assert_eq(CLOSE_WITH(c->voted[0].seq = 9), ERA_NOT_CANONICAL);
    cr_assert_eq(CLOSE_WITH(c->voted[0].seq = 8), ERA_NOT_CANONICAL, "0xab comes after 0xaa");
    cr_assert_eq(CLOSE_WITH(c->voted[1].seq = 7; c->voted[1].proposal = given_hash(0xac)), ERA_ACCEPTED);
}

Test(close, more_slots_than_the_limit_are_oversized)
{
    struct era_statement *s = given_statement(ERA_KIND_CLOSE);
    s->u.close.voted_count = ERA_CLOSE_SLOTS_MAX;
    for (size_t i = 0; i < ERA_CLOSE_SLOTS_MAX; i++)
        s->u.close.voted[i] = (struct era_closed_slot){"network", i + 1, given_hash(1)};
    cr_assert_eq(verdict_on(s), ERA_ACCEPTED);
    size_t len = era_statement_encode(s, bytes, sizeof bytes);
    struct era_bytes more = given_hex("2227 0a017a 1001 1a20" HASH);
    memcpy(bytes + len, more.data, more.len);
    cr_assert_eq(verdict_on_bytes(ERA_KIND_CLOSE, (struct era_bytes){bytes, len + more.len}), ERA_OVERSIZED);
    free(s);
}

Test(charter_statement, R10_its_payload_is_a_charter_that_follows_another)
{
    struct era_statement *s = given_statement(ERA_KIND_CHARTER), *out = malloc(sizeof *out);
    struct era_bytes in = s->u.charter.bytes;
    cr_assert_eq(era_statement_decode(ERA_KIND_CHARTER, in, out), ERA_ACCEPTED);
    cr_assert(out->u.charter.bytes.data == in.data && out->u.charter.bytes.len == in.len, "borrowed");
    cr_assert_eq(era_statement_encode(out, bytes, in.len - 1), 0);
    cr_assert_eq(era_statement_encode(out, bytes, in.len), in.len);
    cr_assert_eq(memcmp(bytes, in.data, in.len), 0);
    in.len--;
    cr_assert_eq(verdict_on_bytes(ERA_KIND_CHARTER, in), ERA_MALFORMED);
    free(out);
    free(s);
}

/* It comes from the operator's own hand only. */
Test(charter_statement, R10_charter_0_is_never_said)
{
    struct era_charter c = given_charter();
    uint8_t *encoded;
    size_t len = era_charter_encode(&c, &encoded);
    cr_assert_eq(verdict_on_bytes(ERA_KIND_CHARTER, (struct era_bytes){encoded, len}), ERA_BAD_VALUE);
    free(encoded);
    era_charter_clear(&c);
}

/* Bytes of a charter of that many validators, and one name filled up. */
static size_t large_charter(size_t validators, size_t name, uint8_t **out)
{
    struct era_charter c = given_next_charter();
    free(c.validators);
    c.validators = calloc(validators, sizeof *c.validators);
    c.validator_count = validators;
    for (size_t i = 0; i < validators; i++) {
        c.validators[i] = (struct era_validator){.name = "v", .stake = 1};
        era_put_be32(c.validators[i].key.b, (uint32_t)i);
    }
    memset(c.validators[0].name, 'v', name);
    size_t len = era_charter_encode(&c, out);
    era_charter_clear(&c);
    return len;
}

Test(charter_statement, it_may_be_larger_than_other_loose_ones_and_still_fits_an_envelope)
{
    uint8_t *charter;
    size_t len = large_charter(ERA_VALIDATORS_MAX, 1, &charter);
    cr_assert_gt(len, ERA_LOOSE_BYTES_MAX);
    cr_assert_eq(verdict_on_bytes(ERA_KIND_CHARTER, (struct era_bytes){charter, len}), ERA_ACCEPTED);
    free(charter);
    static uint8_t none[ERA_CHARTER_STATEMENT_BYTES_MAX + 1];
    cr_assert_eq(verdict_on_bytes(ERA_KIND_CHARTER, (struct era_bytes){none, sizeof none}), ERA_OVERSIZED);
    cr_assert_eq(verdict_on_bytes(ERA_KIND_CHARTER, (struct era_bytes){none, sizeof none - 1}),
                 ERA_MALFORMED);
    struct era_envelope e = {.kind = ERA_KIND_CHARTER, .payload = {none, sizeof none - 1}};
    cr_assert_leq(era_envelope_bytes(&e), ERA_STATEMENT_BYTES_MAX);
}

/* ---- the certificate ---- */

static struct era_indexed_signature *given_signatures(size_t count, uint32_t first)
{
    struct era_indexed_signature *list = calloc(count + 1, sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i].key = first + (uint32_t)i;
        memset(list[i].signature.b, (int)(first + i), ERA_SIGNATURE_BYTES);
    }
    return list;
}

/* Closes: "a" by keys 0 to first - 1, "b" by second more. Owns its lists. */
static struct era_charter_certificate given_succession(size_t approvals, size_t accepts, size_t first,
                                                       size_t second)
{
    struct era_charter_certificate c = {.charter = {(const uint8_t *)"charter", 7},
                                        .old_approval_count = approvals,
                                        .new_approval_count = approvals,
                                        .accept_count = accepts,
                                        .close_count = 2};
    c.old_approvals = given_signatures(approvals, 0);
    c.new_approvals = given_signatures(approvals, 0);
    c.accepts = given_signatures(accepts, 0);
    c.closes = calloc(2, sizeof *c.closes);
    c.closes[0] = (struct era_close_group){{(const uint8_t *)"a", 1}, first, given_signatures(first, 0)};
    c.closes[1] = (struct era_close_group){
        {(const uint8_t *)"b", 1}, second, given_signatures(second, (uint32_t)first)};
    return c;
}

static enum era_verdict succession_verdict(struct era_charter_certificate *c)
{
    size_t len = era_charter_certificate_encode(c, bytes, sizeof bytes);
    struct era_charter_certificate out;
    enum era_verdict v = era_charter_certificate_decode((struct era_bytes){bytes, len}, &out);
    era_charter_certificate_clear(&out);
    era_charter_certificate_clear(c);
    return v;
}

#define SUCCESSION_WITH(...)                                                                                 \
    ({                                                                                                       \
        struct era_charter_certificate c = given_succession(2, 3, 2, 2);                                     \
        __VA_ARGS__;                                                                                         \
        succession_verdict(&c);                                                                              \
    })

Test(succession, R10_it_decodes_to_what_was_encoded)
{
    struct era_charter_certificate c = given_succession(2, 3, 4, 1), out;
    size_t len = era_charter_certificate_encode(&c, bytes, sizeof bytes);
    cr_assert_eq(len, era_charter_certificate_bytes(&c));
    cr_assert_eq(era_charter_certificate_decode((struct era_bytes){bytes, len}, &out), ERA_ACCEPTED);
    cr_assert_eq(memcmp(out.charter.data, "charter", 7), 0);
    cr_assert(out.charter.data > bytes && out.charter.data < bytes + len, "borrowed");
    cr_assert_eq(out.old_approval_count, 2);
    cr_assert_eq(out.new_approval_count, 2);
    cr_assert_eq(out.accept_count, 3);
    cr_assert_eq(out.accepts[2].signature.b[63], 2);
    cr_assert_eq(out.close_count, 2);
    cr_assert_eq(out.closes[0].count, 4);
    cr_assert_eq(out.closes[0].signatures[3].key, 3);
    cr_assert_eq(out.closes[1].payload.data[0], 'b');
    cr_assert_eq(out.closes[1].signatures[0].key, 4);
    cr_assert_eq(out.closes[1].signatures[0].signature.b[0], 4);
    cr_assert_eq(era_charter_certificate_encode(&c, bytes, len - 1), 0);
    era_charter_certificate_clear(&c);
    era_charter_certificate_clear(&out);
    era_charter_certificate_clear(NULL);
}

Test(succession, protobuf_c_reads_it_the_same)
{
    struct era_charter_certificate c = given_succession(2, 200, 150, 50);
    size_t len = era_charter_certificate_encode(&c, bytes, sizeof bytes);
    Erad__Wire__CharterCertificate *pb = erad__wire__charter_certificate__unpack(NULL, len, bytes);
    cr_assert_not_null(pb);
    cr_assert_eq(pb->n_old_approvals, 2);
    cr_assert_eq(pb->n_new_approvals, 2);
    cr_assert_eq(pb->accepts[199]->key, 199);
    cr_assert_eq(pb->closes[1]->signatures[49]->key, 199);
    uint8_t *again = malloc(len);
    cr_assert_eq(erad__wire__charter_certificate__pack(pb, again), len);
    cr_assert_eq(memcmp(again, bytes, len), 0);
    free(again);
    erad__wire__charter_certificate__free_unpacked(pb, NULL);
    era_charter_certificate_clear(&c);
}

/* All of 5,000 validators in both roles, and their charter: within the limit of a statement. */
Test(succession, R10_the_largest_network_fits)
{
    uint8_t *charter;
    struct era_charter_certificate c = given_succession(64, 3334, 5000, 0), out;
    c.close_count = 1;
    c.charter.len = large_charter(ERA_VALIDATORS_MAX, 1, &charter);
    c.charter.data = charter;
    size_t len = era_charter_certificate_encode(&c, bytes, sizeof bytes);
    cr_assert_gt(len, 0);
    cr_assert_eq(era_charter_certificate_decode((struct era_bytes){bytes, len}, &out), ERA_ACCEPTED);
    cr_assert_eq(out.closes[0].count, 5000);
    era_charter_certificate_clear(&out);
    free(c.closes[1].signatures);
    era_charter_certificate_clear(&c);
    free(charter);
}

Test(succession, every_key_is_counted_once)
{
    cr_assert_eq(SUCCESSION_WITH(c.old_approvals[1].key = 0), ERA_DUPLICATE_KEY);
    cr_assert_eq(SUCCESSION_WITH(c.new_approvals[1].key = 0), ERA_DUPLICATE_KEY);
    cr_assert_eq(SUCCESSION_WITH(c.accepts[2].key = 1), ERA_DUPLICATE_KEY);
    cr_assert_eq(SUCCESSION_WITH(c.closes[0].signatures[1].key = 0), ERA_DUPLICATE_KEY);
    cr_assert_eq(SUCCESSION_WITH(c.closes[1].signatures[0].key = 1), ERA_DUPLICATE_KEY, "in another group");
}

Test(succession, R1_lists_and_groups_ascend)
{
    cr_assert_eq(SUCCESSION_WITH(c.old_approvals[0].key = 9), ERA_NOT_CANONICAL);
    cr_assert_eq(SUCCESSION_WITH(c.new_approvals[0].key = 9), ERA_NOT_CANONICAL);
    cr_assert_eq(SUCCESSION_WITH(c.accepts[0].key = 9), ERA_NOT_CANONICAL);
    cr_assert_eq(SUCCESSION_WITH(c.closes[1].signatures[0].key = 9), ERA_NOT_CANONICAL);
    cr_assert_eq(SUCCESSION_WITH(c.closes[0].payload = c.closes[1].payload), ERA_NOT_CANONICAL);
    cr_assert_eq(SUCCESSION_WITH(c.closes[0].payload.data = (const uint8_t *)"c"), ERA_NOT_CANONICAL);
    cr_assert_eq(SUCCESSION_WITH(c.closes[0].payload = (struct era_bytes){(const uint8_t *)"bb", 2}),
                 ERA_NOT_CANONICAL);
    cr_assert_eq(SUCCESSION_WITH(c.closes[1].payload = (struct era_bytes){(const uint8_t *)"aa", 2}),
                 ERA_ACCEPTED);
}

Test(succession, R1_a_group_that_nobody_signed_is_not_canonical)
{
    cr_assert_eq(SUCCESSION_WITH(c.closes[1].count = 0), ERA_NOT_CANONICAL);
}

Test(succession, key_indexes_lie_inside_the_largest_charter)
{
    cr_assert_eq(SUCCESSION_WITH(c.old_approvals[1].key = ERA_SIGNERS_MAX), ERA_BAD_VALUE);
    cr_assert_eq(SUCCESSION_WITH(c.new_approvals[1].key = ERA_SIGNERS_MAX), ERA_BAD_VALUE);
    cr_assert_eq(SUCCESSION_WITH(c.accepts[2].key = ERA_VALIDATORS_MAX), ERA_BAD_VALUE);
    cr_assert_eq(SUCCESSION_WITH(c.closes[1].signatures[1].key = ERA_VALIDATORS_MAX), ERA_BAD_VALUE);
}

/* A limit of its own each: one more, of whatever it is made, is refused before anything is allocated. */
Test(succession, more_signatures_than_keys_are_oversized)
{
    struct era_charter_certificate c = given_succession(ERA_SIGNERS_MAX + 1, 0, 1, 1);
    c.new_approval_count = 0;
    cr_assert_eq(succession_verdict(&c), ERA_OVERSIZED);
    c = given_succession(ERA_SIGNERS_MAX + 1, 0, 1, 1);
    c.old_approval_count = 0;
    cr_assert_eq(succession_verdict(&c), ERA_OVERSIZED);
    c = given_succession(0, ERA_VALIDATORS_MAX + 1, 1, 1);
    cr_assert_eq(succession_verdict(&c), ERA_OVERSIZED);
    c = given_succession(0, 0, ERA_VALIDATORS_MAX + 1, 1);
    cr_assert_eq(succession_verdict(&c), ERA_OVERSIZED);
    c = given_succession(0, 0, ERA_VALIDATORS_MAX, 1);
    c.closes[1].signatures[0].key = 0;
    cr_assert_eq(succession_verdict(&c), ERA_OVERSIZED, "of all groups together");
}

Test(succession, more_groups_than_validators_are_oversized)
{
    struct era_bytes charter = given_hex("0a0161");
    memcpy(bytes, charter.data, charter.len);
    size_t len = charter.len;
    for (size_t i = 0; i < ERA_VALIDATORS_MAX + 1; i++, len += 2)
        memcpy(bytes + len, "\x2a\x00", 2);
    struct era_charter_certificate out;
    cr_assert_eq(era_charter_certificate_decode((struct era_bytes){bytes, len}, &out), ERA_OVERSIZED);
    cr_assert_eq(era_charter_certificate_decode((struct era_bytes){bytes, len - 2}, &out), ERA_MALFORMED);
}

Test(succession, what_it_holds_keeps_its_own_limits)
{
    static uint8_t large[ERA_CHARTER_STATEMENT_BYTES_MAX + 1];
    const struct era_bytes close = {large, ERA_LOOSE_BYTES_MAX + 1};
    cr_assert_eq(SUCCESSION_WITH(c.closes[1].payload = close; c.closes[0].payload.len = 0), ERA_OVERSIZED);
    struct era_charter_certificate c = {.charter = {large, sizeof large}};
    cr_assert_eq(succession_verdict(&c), ERA_OVERSIZED);
    c = (struct era_charter_certificate){.charter = {large, sizeof large - 1}};
    cr_assert_eq(succession_verdict(&c), ERA_ACCEPTED);
}

static enum era_verdict on(const char *hex)
{
    struct era_charter_certificate out;
    enum era_verdict v = era_charter_certificate_decode(given_hex(hex), &out);
    era_charter_certificate_clear(&out);
    return v;
}

#define SIGNATURE "1240" HASH HASH
#define GROUP     "2a49 0a0161 1244 0800" SIGNATURE

Test(succession, R1_one_certificate_has_one_encoding)
{
    cr_assert_eq(on("0a0161"), ERA_ACCEPTED);
    cr_assert_eq(on("0a0161 1244 0800" SIGNATURE GROUP), ERA_ACCEPTED);
    cr_assert_eq(on("0a0161 1245 088000" SIGNATURE), ERA_NOT_CANONICAL);
    cr_assert_eq(on("0a0161 1a44 0800" SIGNATURE "1244 0800" SIGNATURE), ERA_NOT_CANONICAL);
    cr_assert_eq(on("0a0161 0a0161"), ERA_NOT_CANONICAL);
    cr_assert_eq(on("0a0161 3001"), ERA_NOT_CANONICAL);
    cr_assert_eq(on("0a0161 2a4b 0a0161 1244 0800" SIGNATURE "1801"), ERA_NOT_CANONICAL);
    cr_assert_eq(on("0a0161 2a49 1244 0800" SIGNATURE "0a0161"), ERA_NOT_CANONICAL);
    cr_assert_eq(on(""), ERA_MALFORMED);
    cr_assert_eq(on("0a0161 2a46 1244 0800" SIGNATURE), ERA_MALFORMED);
    cr_assert_eq(on("0a0161 2800"), ERA_MALFORMED);
    cr_assert_eq(on("0a0161 1205 0800 120111"), ERA_BAD_VALUE);
}

Test(succession, every_prefix_gets_a_verdict)
{
    struct era_charter_certificate c = given_succession(2, 2, 2, 1);
    size_t len = era_charter_certificate_encode(&c, bytes, sizeof bytes);
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *copy = malloc(cut + 1);
        memcpy(copy, bytes, cut);
        struct era_charter_certificate out;
        era_charter_certificate_decode((struct era_bytes){copy, cut}, &out); /* between items: valid */
        era_charter_certificate_clear(&out);
        free(copy);
    }
    era_charter_certificate_clear(&c);
}
