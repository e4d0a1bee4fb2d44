/* Ids never change silently: tests/vectors/ids.txt was made by another
 * implementation of BLAKE2b over bytes written by hand. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/charter.h"
#include "tests/proto/samples.h"

static char line[65536], name[32], payload_hex[65000], want[128];

static FILE *vectors(void)
{
    char path[4096];
    const char *root = getenv("ERA_SRC");
    snprintf(path, sizeof path, "%s/tests/vectors/ids.txt", root ? root : ".");
    FILE *f = fopen(path, "r");
    cr_assert_not_null(f, "%s", path);
    return f;
}

/* "charter" is the hash of a charter itself. */
static const char *name_of(uint32_t kind)
{
    return kind == ERA_KIND_CHARTER ? "charter-statement" : era_kind_name(kind);
}

static struct era_hash id_of(const char *what, struct era_bytes bytes)
{
    struct era_hash network = given_hash(0x4e);
    if (strcmp(what, "charter") == 0 || strcmp(what, "next-charter") == 0) {
        struct era_charter charter;
        cr_assert_eq(era_charter_decode(bytes, &charter), ERA_ACCEPTED);
        struct era_hash hash = charter.hash;
        era_charter_clear(&charter);
        return hash;
    }
    if (strcmp(what, "entry") == 0) { /* the second entry of the proposal in bytes */
        struct era_statement *s = malloc(sizeof *s);
        cr_assert_eq(era_statement_decode(ERA_KIND_PROPOSAL, bytes, s), ERA_ACCEPTED);
        struct era_hash hash = s->u.proposal.plan.entries[1].hash;
        free(s);
        return hash;
    }
    if (strcmp(what, "item-loose") == 0) {
        struct era_hash id = era_statement_id(&network, ERA_KIND_APPROVE, bytes);
        struct era_key key = given_key(0x6b, 0x6b);
        return era_item_id_loose(&id, &key);
    }
    if (strcmp(what, "item-carrier") == 0) {
        struct era_hash id = era_statement_id(&network, ERA_KIND_PROPOSAL, bytes);
        return era_item_id_carrier(ERA_KIND_CERTIFICATE, &id);
    }
    if (strncmp(what, "evidence-", 9) == 0) { /* bytes: the component */
        char component[ERA_NAME_BYTES_MAX + 1] = "";
        struct era_key key = given_key(0x6b, 0x6b);
        memcpy(component, bytes.data, bytes.len);
        struct era_hash place = era_evidence_place(&key, ERA_KIND_READINESS, component, 3, 7);
        return strcmp(what, "evidence-place") == 0 ? place : era_item_id_carrier(ERA_KIND_EVIDENCE, &place);
    }
    uint32_t kind = 0;
    for (size_t i = 0; i < LOOSE_KINDS; i++)
        if (strcmp(name_of(loose_kinds[i]), what) == 0)
            kind = loose_kinds[i];
    cr_assert_neq(kind, 0, "%s", what);
    cr_assert_eq(verdict_on_bytes((enum era_kind)kind, bytes), ERA_ACCEPTED, "%s", what);
    return era_statement_id(&network, kind, bytes);
}

Test(ids, R1_the_vectors_hold)
{
    FILE *f = vectors();
    size_t count = 0;
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#')
            continue;
        cr_assert_eq(sscanf(line, "%31s %64999s %127s", name, payload_hex, want), 3, "%s", line);
        char got[ERA_HASH_TEXT_BYTES];
        struct era_hash id = id_of(name, given_hex(payload_hex));
        cr_assert_str_eq(era_hash_text(&id, got), want, "%s", name);
        count++;
    }
    fclose(f);
    cr_assert_eq(count, 19);
}

/* The samples and the vectors say the same: a change of the encoder shows, too. */
Test(ids, R1_the_encoder_writes_the_bytes_of_the_vectors)
{
    FILE *f = vectors();
    static uint8_t bytes[65536];
    size_t count = 0;
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#' || sscanf(line, "%31s %64999s %127s", name, payload_hex, want) != 3)
            continue;
        for (size_t i = 0; i < LOOSE_KINDS; i++) {
            if (strcmp(name_of(loose_kinds[i]), name) != 0)
                continue;
            struct era_statement *s = given_statement(loose_kinds[i]);
            size_t len = era_statement_encode(s, bytes, sizeof bytes);
            static char hex[131072];
            era_hex(bytes, len, hex);
            cr_assert_str_eq(hex, payload_hex, "%s", name);
            free(s);
            count++;
        }
    }
    fclose(f);
    cr_assert_eq(count, LOOSE_KINDS);
}

Test(ids, R1_an_envelope_is_opened_with_both_its_names)
{
    uint8_t room[256];
    struct era_hash network = given_hash(0x4e);
    struct era_envelope e = {.kind = ERA_KIND_APPROVE, .payload = {(const uint8_t *)"x", 1}};
    e.key = given_key(1, 2);
    struct era_bytes bytes = {room, era_envelope_encode(&e, room, sizeof room)};
    struct era_hash id = era_statement_id(&network, ERA_KIND_APPROVE, e.payload);
    struct era_hash item = era_item_id_loose(&id, &e.key);
    struct era_opened opened;

    cr_assert_eq(era_envelope_open(&network, bytes, &opened), ERA_ACCEPTED);
    cr_expect_eq(opened.bytes.data, bytes.data);
    cr_expect_eq(opened.bytes.len, bytes.len);
    cr_expect_eq(opened.envelope.kind, ERA_KIND_APPROVE);
    cr_expect_eq(opened.envelope.payload.len, 1);
    cr_expect(era_hash_eq(&opened.id, &id));
    cr_expect(era_hash_eq(&opened.item, &item));
    bytes.len--;
    cr_expect_eq(era_envelope_open(&network, bytes, &opened), ERA_TRUNCATED);
}

Test(ids, R6_a_carrier_is_named_by_what_it_carries_not_when_opened)
{
    uint8_t room[64];
    struct era_hash network = given_hash(0x4e);
    struct era_envelope e = {.kind = ERA_KIND_EVIDENCE, .payload = {(const uint8_t *)"x", 1}};
    struct era_bytes bytes = {room, era_envelope_encode(&e, room, sizeof room)};
    struct era_opened opened;

    cr_assert_eq(era_envelope_open(&network, bytes, &opened), ERA_ACCEPTED);
    cr_expect(era_hash_is_zero(&opened.id));
    cr_expect(era_hash_is_zero(&opened.item));
}

Test(ids, R1_the_same_payload_has_another_id_on_another_network_and_as_another_kind)
{
    struct era_hash a = given_hash(1), b = given_hash(2);
    struct era_bytes payload = {(const uint8_t *)"x", 1};
    struct era_hash here = era_statement_id(&a, ERA_KIND_APPROVE, payload);
    struct era_hash there = era_statement_id(&b, ERA_KIND_APPROVE, payload);
    struct era_hash other = era_statement_id(&a, ERA_KIND_READINESS, payload);
    cr_assert_not(era_hash_eq(&here, &there));
    cr_assert_not(era_hash_eq(&here, &other));
}

/* Nothing of a place may be moved from one part to the next. */
Test(ids, R8_every_part_of_a_place_counts)
{
    struct era_key k = given_key(1, 1), other = given_key(2, 1);
    const struct era_hash places[] = {
        era_evidence_place(&k, ERA_KIND_READINESS, "network", 0, 1),
        era_evidence_place(&other, ERA_KIND_READINESS, "network", 0, 1),
        era_evidence_place(&k, ERA_KIND_APPROVE, "network", 0, 1),
        era_evidence_place(&k, ERA_KIND_READINESS, "networ", 0, 1),
        era_evidence_place(&k, ERA_KIND_READINESS, "", 0, 1),
        era_evidence_place(&k, ERA_KIND_READINESS, "network", 1, 1),
        era_evidence_place(&k, ERA_KIND_READINESS, "network", 1, 0),
        era_evidence_place(&k, ERA_KIND_READINESS, "network", 0, 2),
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        for (size_t j = 0; j < i; j++)
            cr_assert_not(era_hash_eq(&places[i], &places[j]), "%zu %zu", i, j);
}
