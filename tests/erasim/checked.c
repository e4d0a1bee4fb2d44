#include "tests/erasim/checked.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/erasim/cast.h"

static struct era_charter *owned(const struct era_charter *given)
{
    struct era_charter *copy = calloc(1, sizeof *copy);
    uint8_t *bytes;
    size_t len = era_charter_encode(given, &bytes);
    cr_assert_eq(era_charter_decode((struct era_bytes){bytes, len}, copy), ERA_ACCEPTED);
    free(bytes);
    return copy;
}

struct run given_run(bool strict, bool votes)
{
    struct era_charter *c =
        given_charter("v0:1 v1:1 v2:1 v3:1", "network k=2 signers=s1,s2,s3 software=^1.0.0");
    c->strict_emission = strict;
    era_charter_seal(c);
    struct sim_plan plan = {.seed = 7,
                            .nodes = 4,
                            .validators = 4,
                            .epoch_ms = EPOCH_MS,
                            .epochs = 20,
                            .quiet_epochs = 4,
                            .strict = strict,
                            .bounded = true};
    struct run r = {.s = sim_new_empty(&plan, owned(c)), .c = c};
    static const char *const signers[] = {"s1", "s2", "s3"};
    for (size_t i = 0; i < 4; i++) {
        char name[8];
        snprintf(name, sizeof name, "v%zu", i);
        struct sim_node *n = sim_add_node(r.s, name, sim_add_key(r.s, name));
        for (size_t v = 0; v < 4; v++)
            n->auto_votes[v] = votes;
    }
    for (size_t i = 0; i < 3; i++)
        sim_add_key(r.s, signers[i]);
    for (size_t i = 0; i < 4; i++)
        for (size_t to = i + 1; to < 4; to++)
            sim_anchor(r.s, i, to);
    r.check = check_new(r.s);
    for (size_t i = 0; i < 4; i++)
        sim_start(r.s, &r.s->nodes[i]);
    return r;
}

void run_ms(struct run *r, uint64_t ms)
{
    uint64_t end = r->s->now_ms + ms;
    while (!r->s->broken && sim_advance(r->s, end))
        ;
}

struct run given_settled(void)
{
    struct run r = given_run(false, true);
    run_ms(&r, 2 * EPOCH_MS);
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    return r;
}

void done(struct run *r)
{
    sim_free(r->s);
    check_free(r->check);
}

void leaves(struct run *r, size_t i, struct era_bytes bytes)
{
    struct era_envelope e;
    cr_assert_eq(era_envelope_decode(bytes, &e), ERA_ACCEPTED);
    r->s->watches[0].left(r->check, r->s, &r->s->nodes[i], &e, bytes);
}

void lies_on(struct run *r, size_t i, struct era_bytes bytes)
{
    struct era_envelope e;
    struct era_hash item = given_item(r->c, bytes);
    cr_assert_eq(era_envelope_decode(bytes, &e), ERA_ACCEPTED);
    struct era_store_key key =
        era_record_item(era_kind_is_carrier(e.kind) ? ERA_RECORD_CARRIER : ERA_RECORD_STATEMENT, &item);
    struct era_store_put put = {era_store_key_bytes(&key), bytes};
    r->s->watches[0].stored(r->check, r->s, &r->s->nodes[i], &put, 1);
}

void stepped(struct run *r, size_t i, enum era_event_kind kind, const struct era_effect *effects,
             size_t count)
{
    struct era_event event = {.kind = kind, .now_ms = r->s->now_ms};
    r->s->watches[0].stepped(r->check, r->s, &r->s->nodes[i], &event, effects, count);
}

void forget(struct run *r, size_t i, enum era_record_kind kind, struct era_bytes bytes)
{
    struct era_hash item = given_item(r->c, bytes);
    struct era_store_key key = era_record_item(kind, &item);
    struct era_store_put put = {.key = era_store_key_bytes(&key)};
    cr_assert(check_on_disk(&r->s->nodes[i], kind, &item));
    cr_assert_eq(era_store_commit(r->s->nodes[i].disk.store, &put, 1), 0);
}

void broken(struct run *r, const char *rule)
{
    cr_assert(r->s->broken, "nothing broke, %s should", rule);
    cr_assert_str_eq(r->s->break_rule, rule, "%s: %s", r->s->break_rule, r->s->break_text);
    done(r);
}

void clean(struct run *r)
{
    cr_assert(!r->s->broken, "%s: %s", r->s->break_rule, r->s->break_text);
    done(r);
}

uint64_t looked(const struct run *r, const char *rule)
{
    const struct check_count *rows;
    size_t count = check_counts(r->check, &rows);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].rule, rule) == 0)
            return rows[i].looked;
    return 0;
}

struct era_proposal *soft(const struct run *r, uint64_t seq, uint64_t effective, const char *version)
{
    return given_soft(given_proposal(r->c, "network", seq), effective, version);
}

struct era_bytes certificate(const struct run *r, const struct era_proposal *p)
{
    return given_certificate(r->c, p, "s1", "s1 s2", "v0 v1 v2", "");
}

struct era_bytes evidence(const struct run *r, const char *who, uint64_t seq)
{
    struct era_envelope a, b, e = {.kind = ERA_KIND_EVIDENCE};
    struct era_bytes one = given_ready(r->c, who, soft(r, seq, 9, "1.1.0"));
    struct era_bytes two = given_ready(r->c, who, soft(r, seq, 9, "1.2.0"));
    static uint8_t payload[4096], out[8192];
    cr_assert_eq(era_envelope_decode(one, &a), ERA_ACCEPTED);
    cr_assert_eq(era_envelope_decode(two, &b), ERA_ACCEPTED);
    bool swap = memcmp(a.payload.data, b.payload.data, a.payload.len) > 0;
    struct era_evidence x = {
        .kind = ERA_KIND_READINESS,
        .key = a.key,
        .payloads = {swap ? b.payload : a.payload, swap ? a.payload : b.payload},
        .signatures = {swap ? b.signature : a.signature, swap ? a.signature : b.signature}};
    e.payload = (struct era_bytes){payload, era_evidence_encode(&x, payload, sizeof payload)};
    return (struct era_bytes){out, era_envelope_encode(&e, out, sizeof out)};
}

void faulty(struct run *r, const char *name)
{
    sim_key_named(r->s, name)->trust = SIM_FAULTY;
}
