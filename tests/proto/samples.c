#include "tests/proto/samples.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const enum era_kind loose_kinds[LOOSE_KINDS] = {
    ERA_KIND_PROPOSAL,  ERA_KIND_APPROVE,      ERA_KIND_REJECT, ERA_KIND_ATTESTATION,
    ERA_KIND_READINESS, ERA_KIND_ANNOUNCEMENT, ERA_KIND_EVENT,  ERA_KIND_CHECKPOINT,
    ERA_KIND_CHARTER,   ERA_KIND_ACCEPT,       ERA_KIND_CLOSE,  ERA_KIND_CHARTER_APPROVE};

static uint8_t nibble(char c)
{
    assert(isxdigit((unsigned char)c));
    return (uint8_t)(isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10);
}

struct era_bytes given_hex(const char *hex)
{
    static uint8_t bytes[65536];
    size_t len = 0;
    for (const char *at = hex; *at; at++) {
        if (isspace((unsigned char)*at))
            continue;
        assert(len < sizeof bytes);
        bytes[len++] = (uint8_t)(nibble(at[0]) << 4 | nibble(at[1]));
        at++;
    }
    return (struct era_bytes){bytes, len};
}

struct era_hash given_hash(uint8_t fill)
{
    struct era_hash hash;
    memset(hash.b, fill, sizeof hash.b);
    return hash;
}

struct era_key given_key(uint8_t first, uint8_t rest)
{
    struct era_key key;
    memset(key.b, rest, sizeof key.b);
    key.b[0] = first;
    return key;
}

struct era_record given_record(const char *component, const char *version, uint64_t era)
{
    struct era_record record = {
        .requires = {{"", ">=1.0.0", "", "", "^3.0.0"}},
        .artefact_count = 2,
        .artefacts = {{"linux-amd64", "h1:aaaa", "https://example.org/a"},
                      {"linux-arm64", "sha256:bbbb", ""}},
        .source_digest = "h1:cccc",
        .link = "https://example.org/tree/v2",
        .flag_count = 2,
        .flags = {{"fast-path", true}, {"old-path", false}},
        .dependency_count = 1,
        .dependencies = {{"geth", ">=1.13.0", "block 19426587"}},
        .era = era,
        .era_name = "Dawn",
    };
    era_text_set(record.component, sizeof record.component, component);
    era_text_set(record.version, sizeof record.version, version);
    return record;
}

static const struct era_slot_id slot = {"network", 0, 7};

static void fill_proposal(struct era_proposal *p)
{
    p->slot = slot;
    p->prev = (struct era_head_ref){true, 0, 6, given_hash(0x66)};
    p->plan.count = 3;
    p->plan.entries[0] = (struct era_entry){
        .has_effective = true, .class = ERA_CLASS_SOFT, .record = given_record("network", "1.0.0", 1)};
    p->plan.entries[1] = (struct era_entry){.is_new = true,
                                            .has_effective = true,
                                            .effective = 900,
                                            .class = ERA_CLASS_BREAKING,
                                            .record = given_record("network", "2.0.0", 2)};
    p->plan.entries[2] = (struct era_entry){
        .is_new = true, .class = ERA_CLASS_OVERRIDE, .record = given_record("network", "1.9.0", 2)};
    for (size_t i = 0; i < p->plan.count; i++)
        era_entry_seal(&p->plan.entries[i]);
    p->drop_count = 2;
    p->drops[0] = given_hash(0x01);
    p->drops[1] = given_hash(0x02);
    p->expiry = 5000;
    p->urgent = true;
    era_text_set(p->text, sizeof p->text, "Two lines,\nwith an \xc3\xa9.");
}

static struct era_bytes next_charter_bytes(void)
{
    static uint8_t bytes[4096];
    uint8_t *encoded;
    struct era_charter c = given_next_charter();
    size_t len = era_charter_encode(&c, &encoded);
    assert(len <= sizeof bytes);
    memcpy(bytes, encoded, len);
    free(encoded);
    era_charter_clear(&c);
    return (struct era_bytes){bytes, len};
}

static void fill_event(struct era_event_statement *e)
{
    *e = (struct era_event_statement){.epoch = 41,
                                      .charter_version = 3,
                                      .entry = given_hash(0xe0),
                                      .seq = 0,
                                      .topic = "block.final",
                                      .payload_bytes = 4,
                                      .payload = {0x00, 0xff, 0x0a, 0x80}};
}

static void fill_close(struct era_close *c)
{
    *c = (struct era_close){.version = 4,
                            .charter = given_hash(0xc0),
                            .has_last = true,
                            .last = 0,
                            .voted_count = 3,
                            .voted = {{"network", 7, given_hash(0xab)},
                                      {"network", 8, given_hash(0xaa)},
                                      {"oracle", 1, given_hash(0xaa)}}};
}

struct era_statement *given_statement(enum era_kind kind)
{
    struct era_statement *s = calloc(1, sizeof *s);
    assert(s);
    s->kind = kind;
    switch (kind) {
    case ERA_KIND_PROPOSAL:
        fill_proposal(&s->u.proposal);
        break;
    case ERA_KIND_APPROVE:
    case ERA_KIND_READINESS:
        s->u.vote = (struct era_vote){slot, given_hash(0xaa)};
        break;
    case ERA_KIND_REJECT:
        s->u.reject = (struct era_reject){slot, given_hash(0xaa), "does not build"};
        break;
    case ERA_KIND_ATTESTATION:
        s->u.attestation = (struct era_attestation){slot,      given_hash(0xaa), "linux-amd64",
                                                    "h1:aaaa", "h1:cccc",        "debian 12, gcc 12"};
        break;
    case ERA_KIND_ANNOUNCEMENT:
        s->u.announcement =
            (struct era_announcement){.epoch = 41,
                                      .charter_version = 3,
                                      .versions = {{"12.1.0", "2.0.0", "4.0.0", "7.0.0", "3.1.0"}},
                                      .has_entry = true,
                                      .entry = given_hash(0xe0),
                                      .view_digest = given_hash(0xd0),
                                      .blocked = true};
        break;
    case ERA_KIND_EVENT:
        fill_event(&s->u.event);
        break;
    case ERA_KIND_CHECKPOINT:
        s->u.checkpoint =
            (struct era_checkpoint){3, given_hash(0xc0), "network", given_hash(0xe0), 40, "sha256:dddd"};
        break;
    case ERA_KIND_CHARTER:
        s->u.charter.bytes = next_charter_bytes();
        break;
    case ERA_KIND_ACCEPT:
    case ERA_KIND_CHARTER_APPROVE:
        s->u.charter_vote = (struct era_charter_vote){4, given_hash(0xc0)};
        break;
    case ERA_KIND_CLOSE:
        fill_close(&s->u.close);
        break;
    case ERA_KIND_APPROVED:
    case ERA_KIND_CERTIFICATE:
    case ERA_KIND_EVIDENCE:
    case ERA_KIND_CHARTER_CERTIFICATE:
        assert(!"carriers are not statements");
    }
    return s;
}

enum era_verdict verdict_on_bytes(enum era_kind kind, struct era_bytes bytes)
{
    struct era_statement *out = malloc(sizeof *out);
    uint8_t *copy = malloc(bytes.len > 0 ? bytes.len : 1);
    assert(out && copy);
    if (bytes.len > 0)
        memcpy(copy, bytes.data, bytes.len);
    enum era_verdict verdict = era_statement_decode(kind, (struct era_bytes){copy, bytes.len}, out);
    free(copy);
    free(out);
    return verdict;
}

enum era_verdict decoded(const struct era_statement *s, struct era_statement *out)
{
    static uint8_t bytes[131072];
    size_t len = era_statement_encode(s, bytes, sizeof bytes);
    assert(len > 0);
    return era_statement_decode(s->kind, (struct era_bytes){bytes, len}, out);
}

enum era_verdict verdict_on(const struct era_statement *s)
{
    struct era_statement *out = malloc(sizeof *out);
    assert(out);
    enum era_verdict verdict = decoded(s, out);
    free(out);
    return verdict;
}

static struct era_component given_component(const char *id)
{
    struct era_component c = {
        .k = 2,
        .urgent_k = 2,
        .notice_epochs = 10,
        .urgent_notice_epochs = 1,
        .enough = {2, 3},
        .rebuild_quorum = {0, 1},
        .signer_count = 2,
        .signers = {{"alice", given_key(0x01, 0)}, {"bob", given_key(0x02, 0)}},
        .initial = given_record(id, "1.0.0", 1),
    };
    era_text_set(c.id, sizeof c.id, id);
    return c;
}

struct era_charter given_charter(void)
{
    struct era_charter c = {
        .name = "Test Net",
        .clock = {ERA_CLOCK_WALL, 1700000000000, 60000, 2},
        .validator_count = 3,
        .component_count = 2,
        .strict_emission = true,
        .events_per_epoch = 100,
        .emitter_count = 1,
        .emitters = {{"emitter", given_key(0x09, 0)}},
    };
    c.validators = calloc(3, sizeof *c.validators);
    c.components = calloc(2, sizeof *c.components);
    assert(c.validators && c.components);
    c.validators[0] = (struct era_validator){"v1", given_key(0x11, 0), 10};
    c.validators[1] = (struct era_validator){"v2", given_key(0x22, 0), 20};
    c.validators[2] = (struct era_validator){"v3", given_key(0x33, 0), 30};
    c.components[0] = given_component("network");
    c.components[1] = given_component("oracle");
    era_charter_seal(&c);
    return c;
}

struct era_charter given_next_charter(void)
{
    struct era_charter c = given_charter();
    c.version = 1;
    c.has_parent = true;
    c.parent = given_hash(0x70);
    c.effective = 500;
    c.carried_count = 2;
    c.carried[0] = (struct era_carried){"network", 1048583};
    c.carried[1] = (struct era_carried){"oracle", 1048576};
    era_charter_seal(&c);
    return c;
}
