#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "proto/pb_arena.h"
#include "proto/statement.h"
#include "tests/proto/samples.h"

/* An approve of slot (network, 0, 1) by hand: slot, then 32 bytes of proposal. */
#define COMPONENT   "0a07 6e6574776f726b"
#define SLOT        "0a0d" COMPONENT "1000 1801"
#define HASH        "1111111111111111111111111111111111111111111111111111111111111111"
#define PROPOSAL_ID "1220" HASH

static enum era_verdict approve(const char *hex)
{
    return verdict_on_bytes(ERA_KIND_APPROVE, given_hex(hex));
}

/* The verdict on a sample proposal after a change. */
#define PROPOSAL_WITH(...)                                                                                   \
    ({                                                                                                       \
        struct era_statement *s_ = given_statement(ERA_KIND_PROPOSAL);                                       \
        struct era_proposal *p = &s_->u.proposal;                                                            \
        struct era_record *record = &p->plan.entries[1].record;                                              \
        (void)record;                                                                                        \
        __VA_ARGS__;                                                                                         \
        enum era_verdict v_ = verdict_on(s_);                                                                \
        free(s_);                                                                                            \
        v_;                                                                                                  \
    })

static void fill(char *text, char c, size_t len)
{
    memset(text, c, len);
    text[len] = '\0';
}

/* Compared by their bytes: test_ids holds those of the sample to bytes made by hand. */
Test(statement, every_kind_decodes_to_what_was_encoded)
{
    static uint8_t before[65536], after[65536];
    for (size_t i = 0; i < LOOSE_KINDS; i++) {
        struct era_statement *s = given_statement(loose_kinds[i]);
        struct era_statement *out = malloc(sizeof *out);
        cr_assert_eq(decoded(s, out), ERA_ACCEPTED, "%s", era_kind_name(loose_kinds[i]));
        cr_assert_eq(out->kind, loose_kinds[i]);
        size_t len = era_statement_encode(s, before, sizeof before);
        cr_assert_eq(era_statement_encode(out, after, sizeof after), len);
        cr_assert_eq(memcmp(before, after, len), 0, "%s", era_kind_name(loose_kinds[i]));
        free(out);
        free(s);
    }
}

Test(statement, a_decoded_proposal_holds_its_plan)
{
    struct era_statement *s = given_statement(ERA_KIND_PROPOSAL), *out = malloc(sizeof *out);
    cr_assert_eq(decoded(s, out), ERA_ACCEPTED);
    struct era_proposal *p = &out->u.proposal;
    cr_assert_str_eq(p->slot.component, "network");
    cr_assert_eq(p->slot.seq, 7);
    cr_assert(p->prev.some);
    cr_assert_eq(p->plan.count, 3);
    cr_assert(p->plan.entries[1].is_new && p->plan.entries[1].has_effective);
    cr_assert_eq(p->plan.entries[1].effective, 900);
    cr_assert_not(p->plan.entries[2].has_effective);
    cr_assert_str_eq(p->plan.entries[1].record.artefacts[1].name, "linux-arm64");
    cr_assert_str_eq(p->plan.entries[1].record.artefacts[1].link, "");
    cr_assert_str_eq(p->plan.entries[1].record.requires.v[ERA_VERSION_PROTOCOL], "^3.0.0");
    cr_assert(p->plan.entries[1].record.flags[0].on);
    cr_assert_not(p->plan.entries[1].record.flags[1].on);
    cr_assert_str_eq(p->plan.entries[1].record.dependencies[0].since, "block 19426587");
    for (size_t i = 0; i < 3; i++)
        cr_assert(era_hash_eq(&p->plan.entries[i].hash, &s->u.proposal.plan.entries[i].hash));
    cr_assert_eq(p->drop_count, 2);
    cr_assert_eq(p->expiry, 5000);
    cr_assert(p->urgent);
    cr_assert_str_eq(p->text, "Two lines,\nwith an \xc3\xa9.");
    free(out);
    free(s);
}

Test(statement, optional_fields_may_be_absent)
{
    cr_assert_eq(PROPOSAL_WITH({
                     p->prev = (struct era_head_ref){0};
                     p->drop_count = 0;
                     p->text[0] = '\0';
                     record->artefact_count = record->flag_count = record->dependency_count = 0;
                     record->link[0] = record->source_digest[0] = '\0';
                     memset(&record->requires, 0, sizeof record->requires);
                 }),
                 ERA_ACCEPTED);
    cr_assert_eq(approve(SLOT PROPOSAL_ID), ERA_ACCEPTED);
}

Test(statement, a_buffer_too_small_gives_0)
{
    struct era_statement *s = given_statement(ERA_KIND_APPROVE);
    uint8_t bytes[64];
    cr_assert_eq(era_statement_encode(s, bytes, 10), 0);
    cr_assert_eq(era_statement_encode(s, bytes, sizeof bytes), 49);
    free(s);
}

Test(statement, unknown_kinds_and_carriers_are_told_apart)
{
    cr_assert_eq(verdict_on_bytes((enum era_kind)13, given_hex(SLOT PROPOSAL_ID)), ERA_UNKNOWN_KIND);
    cr_assert_eq(verdict_on_bytes(ERA_KIND_APPROVED, given_hex(SLOT PROPOSAL_ID)), ERA_UNKNOWN_KIND);
    cr_assert_eq(verdict_on_bytes(ERA_KIND_EVIDENCE, given_hex(SLOT PROPOSAL_ID)), ERA_UNKNOWN_KIND);
    cr_assert_str_eq(era_kind_name(13), "unknown");
    cr_assert_str_eq(era_kind_name(8), "checkpoint");
    cr_assert_str_eq(era_kind_name(9), "charter");
    cr_assert_str_eq(era_kind_name(10), "accept");
    cr_assert_str_eq(era_kind_name(11), "close");
    cr_assert_str_eq(era_kind_name(12), "charter-approve");
    cr_assert_str_eq(era_kind_name(33), "certificate");
    cr_assert_str_eq(era_kind_name(34), "evidence");
    cr_assert_str_eq(era_kind_name(35), "charter-certificate");
    for (uint32_t kind = 0; kind < 64; kind++)
        cr_assert_eq(era_kind_is_carrier(kind), kind >= 32 && kind <= 35, "%u", kind);
}

/* Every prefix of a valid statement gets a verdict; a few are themselves valid (a trailing optional field cut
 * whole). */
Test(statement, a_truncated_statement_never_crashes)
{
    static uint8_t bytes[65536];
    for (size_t i = 0; i < LOOSE_KINDS; i++) {
        struct era_statement *s = given_statement(loose_kinds[i]);
        size_t len = era_statement_encode(s, bytes, sizeof bytes);
        size_t accepted = 0;
        for (size_t cut = 0; cut < len; cut++)
            accepted += verdict_on_bytes(loose_kinds[i], (struct era_bytes){bytes, cut}) == ERA_ACCEPTED;
        cr_assert_leq(accepted, 4, "%s", era_kind_name(loose_kinds[i]));
        free(s);
    }
    cr_assert_eq(approve(SLOT "12201111"), ERA_MALFORMED);
    cr_assert_eq(approve(""), ERA_MALFORMED);
}

Test(statement, R1_a_missing_required_field_is_malformed)
{
    cr_assert_eq(approve(SLOT), ERA_MALFORMED);
    cr_assert_eq(approve(PROPOSAL_ID), ERA_MALFORMED);
    cr_assert_eq(approve("0a0b" COMPONENT "1801" PROPOSAL_ID), ERA_MALFORMED);
}

/* One statement has one encoding. */
Test(statement, R1_overlong_varints_are_not_canonical)
{
    cr_assert_eq(approve("0a0e" COMPONENT "1000 188100" PROPOSAL_ID), ERA_NOT_CANONICAL);
    cr_assert_eq(approve("0a8d00" COMPONENT "1000 1801" PROPOSAL_ID), ERA_NOT_CANONICAL);
    cr_assert_eq(approve("8a000d" COMPONENT "1000 1801" PROPOSAL_ID), ERA_NOT_CANONICAL);
}

Test(statement, R1_reordered_fields_are_not_canonical)
{
    cr_assert_eq(approve(PROPOSAL_ID SLOT), ERA_NOT_CANONICAL);
    cr_assert_eq(approve("0a0d 1000" COMPONENT "1801" PROPOSAL_ID), ERA_NOT_CANONICAL);
}

Test(statement, R1_repeated_known_fields_are_not_canonical)
{
    cr_assert_eq(approve(SLOT PROPOSAL_ID PROPOSAL_ID), ERA_NOT_CANONICAL);
    cr_assert_eq(approve(SLOT SLOT PROPOSAL_ID), ERA_NOT_CANONICAL);
    cr_assert_eq(approve("0a0f" COMPONENT "1000 1801 1801" PROPOSAL_ID), ERA_NOT_CANONICAL);
}

/* protobuf-c keeps unknown fields and would pack them again: reversed and overlong ones too. */
Test(statement, R1_unknown_fields_are_not_canonical_at_any_level)
{
    cr_assert_eq(approve(SLOT PROPOSAL_ID "1801"), ERA_NOT_CANONICAL);
    cr_assert_eq(approve("1801" SLOT PROPOSAL_ID), ERA_NOT_CANONICAL);
    cr_assert_eq(approve(SLOT PROPOSAL_ID "2001 1801"), ERA_NOT_CANONICAL);
    cr_assert_eq(approve(SLOT PROPOSAL_ID "188100"), ERA_NOT_CANONICAL);
    cr_assert_eq(approve("0a0f" COMPONENT "1000 1801 2001" PROPOSAL_ID), ERA_NOT_CANONICAL);
}

Test(statement, R1_an_optional_text_that_is_there_but_empty_is_not_canonical)
{
    const char *attestation = SLOT PROPOSAL_ID "1a0161 220162";
    cr_assert_eq(verdict_on_bytes(ERA_KIND_ATTESTATION, given_hex(attestation)), ERA_ACCEPTED);
    cr_assert_eq(verdict_on_bytes(ERA_KIND_ATTESTATION, given_hex(SLOT PROPOSAL_ID "1a0161 220162 2a00")),
                 ERA_NOT_CANONICAL);
}

Test(statement, R1_a_bool_is_0_or_1)
{
    /* announcement: epoch, version, empty versions, view digest, staged = 2 */
    cr_assert_eq(
        verdict_on_bytes(ERA_KIND_ANNOUNCEMENT, given_hex("0801 1000 1a00 2a20" HASH "3001 3800 4000")),
        ERA_ACCEPTED);
    cr_assert_eq(
        verdict_on_bytes(ERA_KIND_ANNOUNCEMENT, given_hex("0801 1000 1a00 2a20" HASH "3002 3800 4000")),
        ERA_NOT_CANONICAL);
}

Test(statement, a_text_with_a_NUL_is_refused)
{
    cr_assert_eq(approve("0a0e 0a08 6e6574776f726b00 1000 1801" PROPOSAL_ID), ERA_NOT_CANONICAL);
}

Test(statement, lists_ascend_strictly)
{
    cr_assert_eq(PROPOSAL_WITH(strcpy(record->artefacts[0].name, "z")), ERA_NOT_CANONICAL);
    cr_assert_eq(PROPOSAL_WITH(record->artefacts[0] = record->artefacts[1]), ERA_NOT_CANONICAL);
    cr_assert_eq(PROPOSAL_WITH(strcpy(record->flags[1].name, "fast-path")), ERA_NOT_CANONICAL);
    cr_assert_eq(PROPOSAL_WITH(strcpy(record->flags[1].name, "a")), ERA_NOT_CANONICAL);
    cr_assert_eq(PROPOSAL_WITH({
                     record->dependency_count = 2;
                     record->dependencies[1] = record->dependencies[0];
                 }),
                 ERA_NOT_CANONICAL);
    cr_assert_eq(PROPOSAL_WITH(p->drops[1] = p->drops[0]), ERA_NOT_CANONICAL);
    cr_assert_eq(PROPOSAL_WITH(p->drops[1] = given_hash(0)), ERA_NOT_CANONICAL);
}

Test(statement, texts_are_clean_utf8)
{
    cr_assert_eq(PROPOSAL_WITH(strcpy(p->text, "bad \xc0\xaf")), ERA_BAD_UTF8);
    cr_assert_eq(PROPOSAL_WITH(strcpy(p->text, "bell \a")), ERA_BAD_UTF8);
    cr_assert_eq(PROPOSAL_WITH(strcpy(record->era_name, "Daw\xff")), ERA_BAD_UTF8);
    cr_assert_eq(PROPOSAL_WITH(strcpy(record->link, "https://example.org/\n")), ERA_BAD_UTF8);
    cr_assert_eq(PROPOSAL_WITH(strcpy(record->requires.v[0], "\xed\xa0\x80")), ERA_BAD_UTF8);
    cr_assert_eq(PROPOSAL_WITH(strcpy(record->dependencies[0].since, "\xe2\x80\xae")), ERA_BAD_UTF8);
}

Test(statement, values_keep_their_range)
{
    cr_assert_eq(PROPOSAL_WITH(p->plan.count = 0), ERA_BAD_VALUE);
    cr_assert_eq(PROPOSAL_WITH(p->slot.seq = 0), ERA_BAD_VALUE);
    cr_assert_eq(PROPOSAL_WITH(p->slot.seq = ERA_SEQ_MAX + 1), ERA_BAD_VALUE);
    cr_assert_eq(PROPOSAL_WITH(p->slot.seq = ERA_SEQ_MAX), ERA_ACCEPTED);
    cr_assert_eq(PROPOSAL_WITH(p->slot.charter_version = UINT64_MAX), ERA_BAD_VALUE);
    cr_assert_eq(PROPOSAL_WITH(p->prev.seq = 0), ERA_BAD_VALUE);
    cr_assert_eq(PROPOSAL_WITH(p->expiry = ERA_EPOCH_MAX), ERA_ACCEPTED);
    cr_assert_eq(PROPOSAL_WITH(p->expiry = ERA_EPOCH_MAX + 1), ERA_BAD_VALUE);
    cr_assert_eq(PROPOSAL_WITH(p->plan.entries[1].effective = UINT64_MAX), ERA_BAD_VALUE);
    cr_assert_eq(PROPOSAL_WITH(p->plan.entries[1].class = 0), ERA_BAD_VALUE);
    cr_assert_eq(PROPOSAL_WITH(p->plan.entries[1].class = 4), ERA_BAD_VALUE);
    cr_assert_eq(PROPOSAL_WITH(record->era = 0), ERA_BAD_VALUE);
    cr_assert_eq(PROPOSAL_WITH(record->era = ERA_EPOCH_MAX + 1), ERA_BAD_VALUE);
}

Test(statement, names_keep_their_form)
{
    cr_assert_eq(PROPOSAL_WITH(strcpy(p->slot.component, "")), ERA_BAD_VALUE);
    cr_assert_eq(PROPOSAL_WITH(strcpy(p->slot.component, "Network")), ERA_BAD_VALUE);
    cr_assert_eq(PROPOSAL_WITH(strcpy(p->slot.component, "a/b")), ERA_BAD_VALUE);
    cr_assert_eq(PROPOSAL_WITH(strcpy(p->slot.component, "a-b_c.9")), ERA_ACCEPTED);
    cr_assert_eq(PROPOSAL_WITH(strcpy(record->artefacts[0].name, "linux amd64")), ERA_BAD_VALUE);
    cr_assert_eq(PROPOSAL_WITH(strcpy(record->flags[0].name, "")), ERA_BAD_VALUE);
    cr_assert_eq(PROPOSAL_WITH(strcpy(record->dependencies[0].name, "G")), ERA_BAD_VALUE);
    cr_assert_eq(PROPOSAL_WITH(record->version[0] = '\0'), ERA_BAD_VALUE);
    cr_assert_eq(PROPOSAL_WITH(record->era_name[0] = '\0'), ERA_BAD_VALUE);
    cr_assert_eq(PROPOSAL_WITH(record->artefacts[0].digest[0] = '\0'), ERA_BAD_VALUE);
}

Test(statement, C3_an_event_topic_is_a_name)
{
    struct era_statement *s = given_statement(ERA_KIND_EVENT);
    strcpy(s->u.event.topic, "a b");
    cr_assert_eq(verdict_on(s), ERA_BAD_VALUE);
    free(s);
}

Test(statement, hashes_are_32_bytes)
{
    cr_assert_eq(approve(SLOT "121f"
                              "11111111111111111111111111111111111111111111111111111111111111"),
                 ERA_BAD_VALUE);
    cr_assert_eq(approve(SLOT "1221" HASH "11"), ERA_BAD_VALUE);
}

/* Above the bounds of limits.h, which plain structs cannot hold: by hand. */
Test(statement, long_texts_and_lists_are_oversized)
{
    struct era_statement *s = given_statement(ERA_KIND_PROPOSAL);
    fill(s->u.proposal.text, 'x', ERA_TEXT_BYTES_MAX);
    cr_assert_eq(verdict_on(s), ERA_ACCEPTED);
    static uint8_t bytes[65536];
    size_t len = era_statement_encode(s, bytes, sizeof bytes);
    /* text is the last field: length 1024 = 80 08, one more = 81 08 */
    size_t at = len - ERA_TEXT_BYTES_MAX - 2;
    cr_assert_eq(bytes[at], 0x80);
    bytes[at] = 0x81;
    bytes[len] = 'x';
    cr_assert_eq(verdict_on_bytes(ERA_KIND_PROPOSAL, (struct era_bytes){bytes, len + 1}), ERA_OVERSIZED);
    free(s);
    cr_assert_eq(
        approve("0a47 0a41 6161616161616161616161616161616161616161616161616161616161616161"
                "6161616161616161616161616161616161616161616161616161616161616161 61 1000 1801" PROPOSAL_ID),
        ERA_OVERSIZED);
}

Test(statement, more_drops_than_the_limit_are_oversized)
{
    struct era_statement *s = given_statement(ERA_KIND_PROPOSAL);
    struct era_proposal *p = &s->u.proposal;
    p->drop_count = ERA_DROPS_MAX;
    for (size_t i = 0; i < ERA_DROPS_MAX; i++)
        p->drops[i] = given_hash((uint8_t)(i + 1));
    cr_assert_eq(verdict_on(s), ERA_ACCEPTED);
    static uint8_t bytes[65536];
    size_t len = era_statement_encode(s, bytes, sizeof bytes);
    /* protobuf-c takes fields in any order: one more drop at the end. */
    struct era_bytes more = given_hex("2220" HASH);
    memcpy(bytes + len, more.data, more.len);
    cr_assert_eq(verdict_on_bytes(ERA_KIND_PROPOSAL, (struct era_bytes){bytes, len + more.len}),
                 ERA_OVERSIZED);
    free(s);
}

Test(statement, a_loose_payload_above_the_limit_is_oversized)
{
    static uint8_t bytes[ERA_LOOSE_BYTES_MAX + 1];
    cr_assert_eq(verdict_on_bytes(ERA_KIND_APPROVE, (struct era_bytes){bytes, sizeof bytes}), ERA_OVERSIZED);
}

/* Nothing but the budget ends what protobuf-c would take for two bytes of input. */
Test(statement, a_flood_of_unknown_fields_runs_out_of_its_budget)
{
    static uint8_t bytes[ERA_LOOSE_BYTES_MAX - 1]; /* odd, as is what an approve takes */
    struct era_bytes approve_bytes = given_hex(SLOT PROPOSAL_ID);
    memcpy(bytes, approve_bytes.data, approve_bytes.len);
    for (size_t i = approve_bytes.len; i + 1 < sizeof bytes; i += 2) {
        bytes[i] = 0x78; /* field 15, a number */
        bytes[i + 1] = 0x00;
    }
    cr_assert_eq(verdict_on_bytes(ERA_KIND_APPROVE, (struct era_bytes){bytes, sizeof bytes}), ERA_OVERSIZED);
}

Test(statement, the_gravest_verdict_wins_whatever_the_order_of_fields)
{
    cr_assert_eq(PROPOSAL_WITH({
                     p->drops[1] = p->drops[0]; /* not canonical */
                     p->slot.seq = 0;           /* bad value */
                     strcpy(p->text, "\xff");   /* bad UTF-8, last on the wire */
                 }),
                 ERA_BAD_UTF8);
    cr_assert_eq(PROPOSAL_WITH({
                     p->drops[1] = p->drops[0];
                     p->expiry = UINT64_MAX;
                 }),
                 ERA_BAD_VALUE);
}

Test(statement, the_largest_plan_the_frame_takes_decodes)
{
    struct era_statement *s = given_statement(ERA_KIND_PROPOSAL);
    struct era_record *record = &s->u.proposal.plan.entries[1].record;
    record->artefact_count = ERA_ARTEFACTS_MAX;
    for (int i = 0; i < ERA_ARTEFACTS_MAX; i++) {
        fill(record->artefacts[i].name, (char)('a' + i), ERA_NAME_BYTES_MAX);
        fill(record->artefacts[i].digest, 'd', ERA_DIGEST_BYTES_MAX);
        fill(record->artefacts[i].link, 'l', ERA_LINK_BYTES_MAX);
    }
    record->flag_count = ERA_FLAGS_MAX;
    for (int i = 0; i < ERA_FLAGS_MAX; i++)
        fill(record->flags[i].name, i < 6 ? (char)('0' + i) : (char)('a' + i - 6), ERA_NAME_BYTES_MAX);
    record->dependency_count = ERA_DEPENDENCIES_MAX;
    for (int i = 0; i < ERA_DEPENDENCIES_MAX; i++) {
        fill(record->dependencies[i].name, (char)('a' + i), ERA_NAME_BYTES_MAX);
        fill(record->dependencies[i].range, 'r', ERA_RANGE_BYTES_MAX);
    }
    cr_assert_eq(verdict_on(s), ERA_ACCEPTED);
    free(s);
}

Test(entry, its_hash_does_not_tell_new_from_kept)
{
    struct era_entry entry = {
        .is_new = true, .class = ERA_CLASS_SOFT, .record = given_record("network", "1.0.0", 1)};
    era_entry_seal(&entry);
    struct era_hash as_new = entry.hash;
    entry.is_new = false;
    era_entry_seal(&entry);
    cr_assert(era_hash_eq(&as_new, &entry.hash));
    entry.has_effective = true;
    era_entry_seal(&entry);
    cr_assert_not(era_hash_eq(&as_new, &entry.hash));
}

/* ---- the memory of a decode ---- */

Test(arena, I15_a_decode_takes_what_its_size_allows_and_no_more)
{
    struct era_pb_arena arena;
    size_t pieces = 0;

    era_pb_arena_init(&arena, 0);
    while (arena.allocator.alloc(&arena, 10) != NULL) {
        pieces++;
        cr_assert_eq(arena.block == NULL, pieces <= ERA_PB_ARENA_FIRST_BYTES / 16,
                     "small ones need no block");
    }
    cr_expect_eq(pieces, 65536 / 16);
    cr_expect(arena.exhausted);
    era_pb_arena_release(&arena);

    era_pb_arena_init(&arena, 1);
    cr_expect_not_null(arena.allocator.alloc(&arena, 65536 + 32), "in one piece");
    cr_expect_null(arena.allocator.alloc(&arena, 1));
    era_pb_arena_release(&arena);
    era_pb_arena_init(&arena, 1);
    cr_expect_null(arena.allocator.alloc(&arena, SIZE_MAX));
    cr_expect_null(arena.allocator.alloc(&arena, 65536 + 33));
    era_pb_arena_release(&arena);
}
