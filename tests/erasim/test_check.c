/* The checker: what must break a rule does, by hand, and what is clean does not. Nodes are real; what they
 * would have to do wrong is told to the watch as if they had done it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/erasim/cast.h"
#include "src/erasim/check_internal.h"
#include "tests/lib/given.h"

#define EPOCH_MS 1000

/* ---- builders ---- */

struct run {
    struct sim *s;
    struct check *check;
    const struct era_charter *c;
};

static struct era_charter *owned(const struct era_charter *given)
{
    struct era_charter *copy = calloc(1, sizeof *copy);
    uint8_t *bytes;
    size_t len = era_charter_encode(given, &bytes);
    cr_assert_eq(era_charter_decode((struct era_bytes){bytes, len}, copy), ERA_ACCEPTED);
    free(bytes);
    return copy;
}

/* Four validators of one stake each (Q = 3), all linked, signers s1 to s3, k = 2; up for two epochs. */
static struct run given_run(bool strict, bool votes)
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

static void run_ms(struct run *r, uint64_t ms)
{
    uint64_t end = r->s->now_ms + ms;
    while (!r->s->broken && sim_advance(r->s, end))
        ;
}

static struct run given_settled(void)
{
    struct run r = given_run(false, true);
    run_ms(&r, 2 * EPOCH_MS);
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    return r;
}

static void done(struct run *r)
{
    sim_free(r->s);
    check_free(r->check);
}

/* The envelope leaves node i. */
static void leaves(struct run *r, size_t i, struct era_bytes bytes)
{
    struct era_envelope e;
    cr_assert_eq(era_envelope_decode(bytes, &e), ERA_ACCEPTED);
    r->s->watches[0].left(r->check, r->s, &r->s->nodes[i], &e, bytes);
}

/* It is durable on node i. */
static void lies_on(struct run *r, size_t i, struct era_bytes bytes)
{
    struct era_envelope e;
    struct era_hash item = given_item(r->c, bytes);
    cr_assert_eq(era_envelope_decode(bytes, &e), ERA_ACCEPTED);
    struct era_store_key key =
        era_record_item(era_kind_is_carrier(e.kind) ? ERA_RECORD_CARRIER : ERA_RECORD_STATEMENT, &item);
    struct era_store_put put = {era_store_key_bytes(&key), bytes};
    r->s->watches[0].stored(r->check, r->s, &r->s->nodes[i], &put, 1);
}

/* Node i took this step, with these effects. */
static void stepped(struct run *r, size_t i, enum era_event_kind kind, const struct era_effect *effects,
                    size_t count)
{
    struct era_event event = {.kind = kind, .now_ms = r->s->now_ms};
    r->s->watches[0].stepped(r->check, r->s, &r->s->nodes[i], &event, effects, count);
}

static void forget(struct run *r, size_t i, enum era_record_kind kind, struct era_bytes bytes)
{
    struct era_hash item = given_item(r->c, bytes);
    struct era_store_key key = era_record_item(kind, &item);
    struct era_store_put put = {.key = era_store_key_bytes(&key)};
    cr_assert(check_on_disk(&r->s->nodes[i], kind, &item));
    cr_assert_eq(era_store_commit(r->s->nodes[i].disk.store, &put, 1), 0);
}

static void broken(struct run *r, const char *rule)
{
    cr_assert(r->s->broken, "nothing broke, %s should", rule);
    cr_assert_str_eq(r->s->break_rule, rule, "%s: %s", r->s->break_rule, r->s->break_text);
    done(r);
}

static void clean(struct run *r)
{
    cr_assert(!r->s->broken, "%s: %s", r->s->break_rule, r->s->break_text);
    done(r);
}

static uint64_t looked(const struct run *r, const char *rule)
{
    const struct check_count *rows;
    size_t count = check_counts(r->check, &rows);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].rule, rule) == 0)
            return rows[i].looked;
    return 0;
}

static struct era_proposal *soft(const struct run *r, uint64_t seq, uint64_t effective, const char *version)
{
    return given_soft(given_proposal(r->c, "network", seq), effective, version);
}

static struct era_bytes certificate(const struct run *r, const struct era_proposal *p)
{
    return given_certificate(r->c, p, "s1", "s1 s2", "v0 v1 v2", "");
}

static struct era_bytes evidence(const struct run *r, const char *who, uint64_t seq)
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

static void faulty(struct run *r, const char *name)
{
    sim_key_named(r->s, name)->trust = SIM_FAULTY;
}

/* ---- clean ---- */

Test(check, a_network_that_adopts_a_plan_breaks_nothing)
{
    struct run r = given_settled();
    struct era_proposal *p = soft(&r, 1, 8, "1.1.0");
    sim_inject(r.s, &r.s->nodes[0], given_proposed(r.c, "s1", p));
    sim_inject(r.s, &r.s->nodes[1], given_approve(r.c, "s1", p));
    sim_inject(r.s, &r.s->nodes[2], given_approve(r.c, "s3", p));
    run_ms(&r, 9 * EPOCH_MS);
    cr_assert_not_null(era_ledger_head(era_node_ledger(r.s->nodes[3].node), 0));
    sim_crash(r.s, &r.s->nodes[2]);
    sim_inject(r.s, &r.s->nodes[0], given_approve(r.c, "s2", given_soft(given_next(r.c, p, 2), 30, "1.2.0")));
    run_ms(&r, EPOCH_MS / 2);
    sim_start(r.s, &r.s->nodes[2]);
    run_ms(&r, 4 * EPOCH_MS);
    check_end(r.check, r.s);
    static const char *const rules[] = {"I1",  "I2",  "I3",  "I4",  "I5",  "I6",  "I8",
                                        "I10", "I11", "I12", "I13", "I14", "I15", "liveness"};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        cr_expect_gt(looked(&r, rules[i]), 0, "%s was never looked at", rules[i]);
    clean(&r);
}

/* ---- each rule, broken ---- */

Test(check, I1_two_adopted_ids_in_one_slot)
{
    struct run r = given_settled();
    lies_on(&r, 0, certificate(&r, soft(&r, 1, 9, "1.1.0")));
    cr_assert(!r.s->broken);
    lies_on(&r, 1, certificate(&r, soft(&r, 1, 9, "1.2.0")));
    broken(&r, "I1");
}

Test(check, I1_holds_only_while_faulty_stake_is_bounded)
{
    struct run r = given_settled();
    faulty(&r, "v0");
    faulty(&r, "v1"); /* 2 of 4: above floor((W - 1) / 3) */
    lies_on(&r, 0, certificate(&r, soft(&r, 1, 9, "1.1.0")));
    lies_on(&r, 1, certificate(&r, soft(&r, 1, 9, "1.2.0")));
    clean(&r);
}

static void spoil(void *ctx, const struct era_hash *key, void *block)
{
    (void)ctx;
    (void)key;
    ((struct era_hash *)block)->b[0] ^= 1;
}

Test(check, I2_equal_adopted_ids_and_another_digest)
{
    struct run r = given_settled();
    facts_each(r.check->digests, spoil, NULL);
    stepped(&r, 1, ERA_EV_START, NULL, 0);
    broken(&r, "I2");
}

Test(check, I3_a_head_that_goes_down)
{
    struct run r = given_settled();
    struct check_node *w = check_node(r.check, &r.s->nodes[2]);
    w->heads[check_name(r.check, "network")] = (struct check_head){true, {0, 9}, {{1}}};
    stepped(&r, 2, ERA_EV_STORED, NULL, 0);
    broken(&r, "I3");
}

Test(check, I3_an_adopted_entry_that_is_lost)
{
    struct run r = given_settled();
    struct era_proposal *first = soft(&r, 1, 9, "1.1.0");
    lies_on(&r, 0, certificate(&r, first));
    lies_on(&r, 0, certificate(&r, soft(&r, 2, 10, "1.2.0")));
    broken(&r, "I3");
}

Test(check, I3_an_entry_may_be_dropped_by_its_name_or_by_its_proposals)
{
    struct run r = given_settled();
    struct era_proposal *first = soft(&r, 1, 9, "1.1.0");
    struct era_proposal *second = given_drop(soft(&r, 2, 10, "1.2.0"), given_entry(first, 1));
    struct era_proposal *third = given_drop(soft(&r, 3, 11, "1.3.0"), given_id(r.c, second));
    lies_on(&r, 0, certificate(&r, third));
    lies_on(&r, 1, certificate(&r, first)); /* learned late */
    lies_on(&r, 0, certificate(&r, second));
    /* The first is dropped by the second alone: its loss was seen while the second was not known. */
    broken(&r, "I3");

    r = given_settled();
    lies_on(&r, 0, certificate(&r, first));
    lies_on(&r, 0, certificate(&r, second));
    lies_on(&r, 0, certificate(&r, third));
    clean(&r);
}

Test(check, I3_an_entry_whose_time_is_over_may_go)
{
    struct run r = given_settled();
    struct era_proposal *first = soft(&r, 1, 5, "1.1.0");
    given_soft(first, 7, "1.2.0");
    struct era_proposal *second = given_from(given_next(r.c, first, 2), 2);
    lies_on(&r, 0, certificate(&r, first));
    lies_on(&r, 0, certificate(&r, second));
    clean(&r);
}

Test(check, I4_a_head_whose_proof_is_not_on_disk)
{
    struct run r = given_settled();
    struct era_bytes bytes = certificate(&r, soft(&r, 1, 9, "1.1.0"));
    sim_inject(r.s, &r.s->nodes[0], bytes);
    run_ms(&r, EPOCH_MS / 2);
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    cr_assert_gt(looked(&r, "I4"), 0);
    forget(&r, 3, ERA_RECORD_CARRIER, bytes);
    stepped(&r, 3, ERA_EV_START, NULL, 0);
    broken(&r, "I4");
}

Test(check, I4_a_head_whose_proof_lacks_a_vote)
{
    struct run r = given_settled();
    struct era_proposal *p = soft(&r, 1, 9, "1.1.0");
    struct era_bytes bytes = certificate(&r, p);
    sim_inject(r.s, &r.s->nodes[0], bytes);
    run_ms(&r, EPOCH_MS / 2);
    struct era_hash item = given_item(r.c, bytes);
    struct era_store_key key = era_record_item(ERA_RECORD_CARRIER, &item);
    struct era_store_put put = {era_store_key_bytes(&key),
                                given_certificate(r.c, p, "s1", "s1 s2", "v0 v1", "")};
    cr_assert_eq(era_store_commit(r.s->nodes[3].disk.store, &put, 1), 0);
    stepped(&r, 3, ERA_EV_START, NULL, 0);
    broken(&r, "I4");
}

Test(check, I5_another_charter_of_one_version)
{
    struct run r = given_settled();
    facts_each(r.check->charters, spoil, NULL);
    memset(&check_node(r.check, &r.s->nodes[1])->charter, 0, sizeof(struct era_hash));
    stepped(&r, 1, ERA_EV_STORED, NULL, 0);
    broken(&r, "I5");
}

Test(check, I6_two_readiness_of_one_honest_key_in_one_slot)
{
    struct run r = given_settled();
    leaves(&r, 3, given_ready(r.c, "v0", soft(&r, 1, 9, "1.1.0")));
    leaves(&r, 3, given_ready(r.c, "v0", soft(&r, 2, 9, "1.2.0")));
    leaves(&r, 2, given_ready(r.c, "v0", soft(&r, 1, 9, "1.1.0")));
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    leaves(&r, 2, given_ready(r.c, "v0", soft(&r, 1, 9, "1.2.0")));
    broken(&r, "I6");
}

Test(check, I6_two_approvals_by_one_honest_signer)
{
    struct run r = given_settled();
    leaves(&r, 3, given_approve(r.c, "s1", soft(&r, 1, 9, "1.1.0")));
    leaves(&r, 1, given_approve(r.c, "s1", soft(&r, 1, 9, "1.2.0")));
    broken(&r, "I6");
}

Test(check, I6_two_announcements_of_one_epoch)
{
    struct run r = given_settled();
    struct era_announcement one = given_running(r.c, 900, "1.0.0"), two = given_running(r.c, 900, "1.0.1");
    leaves(&r, 3, given_announce(r.c, "v0", &one));
    leaves(&r, 3, given_announce(r.c, "v0", &two));
    broken(&r, "I6");
}

static struct era_bytes charter_word(const struct run *r, const char *who, enum era_kind kind, uint8_t hash)
{
    static struct era_statement s;
    memset(&s, 0, sizeof s);
    s.kind = kind;
    if (kind == ERA_KIND_CLOSE)
        s.u.close = (struct era_close){.version = 1, .charter = {{hash}}};
    else
        s.u.charter_vote = (struct era_charter_vote){1, {{hash}}};
    return given_signed(r->c, who, &s);
}

Test(check, I6_two_charters_of_one_version)
{
    struct run r = given_settled();
    leaves(&r, 3, charter_word(&r, "v0", ERA_KIND_ACCEPT, 1));
    leaves(&r, 3, charter_word(&r, "v0", ERA_KIND_ACCEPT, 2)); /* binds nobody */
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    leaves(&r, 3, charter_word(&r, "v0", ERA_KIND_CLOSE, 1));
    leaves(&r, 3, charter_word(&r, "v0", ERA_KIND_CLOSE, 2));
    broken(&r, "I6");

    r = given_settled();
    leaves(&r, 3, charter_word(&r, "s1", ERA_KIND_CHARTER_APPROVE, 1));
    leaves(&r, 3, charter_word(&r, "s1", ERA_KIND_CHARTER_APPROVE, 2));
    broken(&r, "I6");
}

Test(check, I6_a_faulty_key_may_do_as_it_likes)
{
    struct run r = given_settled();
    faulty(&r, "v0");
    leaves(&r, 3, given_ready(r.c, "v0", soft(&r, 1, 9, "1.1.0")));
    leaves(&r, 3, given_ready(r.c, "v0", soft(&r, 1, 9, "1.2.0")));
    clean(&r);
}

Test(check, I7_events_of_one_epoch_under_two_entries)
{
    struct run r = given_run(true, true);
    run_ms(&r, 2 * EPOCH_MS);
    struct era_hash one = {{1}}, two = {{2}};
    leaves(&r, 0, given_event(r.c, "v0", 500, one, 1, "a"));
    leaves(&r, 0, given_event(r.c, "v1", 501, two, 1, "b"));
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    leaves(&r, 0, given_event(r.c, "v2", 500, two, 1, "c"));
    broken(&r, "I7");
}

Test(check, I7_is_asked_in_strict_networks_alone)
{
    struct run r = given_settled();
    struct era_hash one = {{1}}, two = {{2}};
    leaves(&r, 0, given_event(r.c, "v0", 500, one, 1, "a"));
    leaves(&r, 0, given_event(r.c, "v2", 500, two, 1, "c"));
    clean(&r);
}

/* A strict network; the plan of slot 1 brings another entry in epoch 900, and nobody holds it yet. */
static struct run given_strict(struct era_proposal **p)
{
    struct run r = given_run(true, true);
    run_ms(&r, 2 * EPOCH_MS);
    *p = soft(&r, 1, 900, "1.1.0");
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    return r;
}

Test(check, I7_what_is_adopted_gives_what_was_emitted)
{
    struct era_proposal *p;
    struct run r = given_strict(&p);
    leaves(&r, 0, given_event(r.c, "v0", 899, given_entry(p, 0), 1, "a"));
    lies_on(&r, 0, certificate(&r, p));
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    leaves(&r, 0, given_event(r.c, "v1", 901, given_entry(p, 0), 1, "b"));
    broken(&r, "I7");

    r = given_strict(&p);
    leaves(&r, 0, given_event(r.c, "v0", 901, given_entry(p, 0), 1, "a"));
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    lies_on(&r, 0, certificate(&r, p));
    broken(&r, "I7");
}

Test(check, I7_what_was_leased_with_a_higher_head_may_differ_from_a_lower_slot)
{
    struct era_proposal *p;
    struct run r = given_strict(&p);
    struct era_hash entry = given_entry(p, 0);
    struct check_head head = {true, {0, 2}, {{1}}};
    check_leased(r.check, &head, 901, &entry);
    leaves(&r, 0, given_event(r.c, "v0", 901, entry, 1, "a"));
    lies_on(&r, 0, certificate(&r, p));
    clean(&r);
}

Test(check, I7_what_the_plan_before_gives_already_is_no_change)
{
    struct era_proposal *p;
    struct run r = given_strict(&p);
    lies_on(&r, 0, certificate(&r, p));
    struct check_head head = {true, {0, 1}, {{1}}};
    struct era_hash entry = given_entry(p, 0); /* emitted with what slot 1 dropped; who knows slot 1 alone */
    check_leased(r.check, &head, 901, &entry);
    leaves(&r, 0, given_event(r.c, "v0", 901, entry, 1, "a"));
    lies_on(&r, 0, certificate(&r, given_soft(given_next(r.c, p, 2), 950, "1.2.0")));
    clean(&r);
}

/* Node 0 follows one id of slot 1, and the other one lies on its disk. */
static struct run given_rivals(void)
{
    struct run r = given_settled();
    r.s->plan.bounded = false;
    sim_inject(r.s, &r.s->nodes[0], certificate(&r, soft(&r, 1, 9, "1.1.0")));
    run_ms(&r, EPOCH_MS / 2);
    stepped(&r, 0, ERA_EV_START, NULL, 0);
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    cr_assert_gt(looked(&r, "R12"), 0);
    struct era_bytes other = certificate(&r, soft(&r, 1, 9, "1.2.0"));
    struct era_hash item = given_item(r.c, other);
    struct era_store_key key = era_record_item(ERA_RECORD_CARRIER, &item);
    struct era_store_put put = {era_store_key_bytes(&key), other};
    lies_on(&r, 1, other); /* elsewhere: no break of node 0 */
    stepped(&r, 0, ERA_EV_STORED, NULL, 0);
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    cr_assert_eq(era_store_commit(r.s->nodes[0].disk.store, &put, 1), 0);
    return r;
}

Test(check, R12_a_head_in_a_slot_of_two)
{
    struct run r = given_rivals();
    stepped(&r, 0, ERA_EV_STORED, NULL, 0);
    broken(&r, "R12");
}

static void emits(struct run *r, size_t i)
{
    struct era_command command = {.id = 77, .kind = ERA_CMD_EMIT};
    struct era_event event = {.kind = ERA_EV_COMMAND, .now_ms = r->s->now_ms, .command = &command};
    struct era_effect reply = {.kind = ERA_EFF_REPLY, .reply = {.request = 77, .verdict = ERA_ACCEPTED}};
    r->s->watches[0].stepped(r->check, r->s, &r->s->nodes[i], &event, &reply, 1);
}

Test(check, R12_who_is_forked_emits_nothing)
{
    struct run r = given_rivals();
    emits(&r, 1);
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    emits(&r, 0);
    broken(&r, "R12");
}

/* Node 0, which has configured peers, was started just now. */
static struct run given_restarted(void)
{
    struct run r = given_settled();
    sim_crash(r.s, &r.s->nodes[0]);
    sim_start(r.s, &r.s->nodes[0]);
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    return r;
}

Test(check, lock_a_new_word_before_the_peers_are_known)
{
    struct run r = given_restarted();
    leaves(&r, 0, given_ready(r.c, "v1", soft(&r, 1, 9, "1.1.0"))); /* another's */
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    leaves(&r, 0, given_ready(r.c, "v0", soft(&r, 1, 9, "1.1.0")));
    broken(&r, "lock");
}

Test(check, lock_what_lay_on_its_disk_may_leave)
{
    struct run r = given_settled();
    struct era_bytes vote = given_ready(r.c, "v0", soft(&r, 1, 9, "1.1.0"));
    struct era_hash item = given_item(r.c, vote);
    struct era_store_key key = era_record_item(ERA_RECORD_STATEMENT, &item);
    struct era_store_put put = {era_store_key_bytes(&key), vote};
    sim_crash(r.s, &r.s->nodes[0]);
    cr_assert_eq(era_store_commit(r.s->nodes[0].disk.store, &put, 1), 0);
    sim_start(r.s, &r.s->nodes[0]);
    leaves(&r, 0, vote);
    clean(&r);
}

Test(check, lock_holds_back_nothing_that_a_person_signs_elsewhere)
{
    struct run r = given_restarted();
    struct era_bytes word = given_approve(r.c, "v0", soft(&r, 1, 9, "1.1.0"));
    struct era_hash item = given_item(r.c, word);
    struct era_store_key key = era_record_item(ERA_RECORD_STATEMENT, &item);
    struct era_store_put put = {era_store_key_bytes(&key), word};
    cr_assert_eq(era_store_commit(r.s->nodes[0].disk.store, &put, 1), 0);
    leaves(&r, 0, word);
    clean(&r);
}

Test(check, lock_the_operators_word_opens_it)
{
    struct run r = given_restarted();
    struct era_command command = {.id = 77, .kind = ERA_CMD_UNLOCK};
    struct era_event event = {.kind = ERA_EV_COMMAND, .now_ms = r.s->now_ms, .command = &command};
    r.s->watches[0].stepped(r.check, r.s, &r.s->nodes[0], &event, NULL, 0);
    struct era_hash entry = {{1}};
    leaves(&r, 0, given_event(r.c, "v0", 2, entry, 1, "after it"));
    clean(&r);
}

/* Node 1 runs what its era does not support, and knows it. */
static struct run given_blocked(void)
{
    struct run r = given_settled();
    struct sim_node *n = &r.s->nodes[1];
    strcpy(n->versions.v[ERA_VERSION_SOFTWARE], "3.0.0");
    sim_versions(r.s, n);
    cr_assert_eq(era_node_gate(n->node, 0)->state, ERA_GATE_BLOCKED);
    return r;
}

Test(check, I8_an_event_leaves_a_blocked_node)
{
    struct run r = given_blocked();
    struct era_hash entry = {{1}};
    leaves(&r, 0, given_event(r.c, "v2", 2, entry, 1, "from an open one"));
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    leaves(&r, 1, given_event(r.c, "v2", 2, entry, 1, "from an open one"));
    broken(&r, "I8");
}

Test(check, I8_a_blocked_node_speaks_of_a_slot_below_its_head)
{
    struct run r = given_blocked();
    check_node(r.check, &r.s->nodes[1])->heads[check_name(r.check, "network")].slot.seq = 4;
    leaves(&r, 1, given_ready(r.c, "v2", soft(&r, 5, 9, "1.1.0")));
    check_node(r.check, &r.s->nodes[1])->heads[check_name(r.check, "oracle")] =
        (struct check_head){true, {0, 4}, {{1}}};
    struct era_charter *c = given_charter("v0:1", "oracle k=1 signers=s1; network k=1 signers=s1");
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    leaves(&r, 1, given_approve(c, "s1", given_soft(given_proposal(c, "oracle", 4), 9, "1.1.0")));
    broken(&r, "I8");
}

Test(check, I8_a_blocked_node_signs_a_lease)
{
    struct run r = given_blocked();
    struct era_announcement a = given_running(r.c, 900, "3.0.0");
    for (int lease = 0; lease < 2; lease++) {
        a.lease = lease;
        struct era_bytes bytes = given_announce(r.c, "v1", &a);
        struct era_hash item = given_item(r.c, bytes);
        struct era_store_key key = era_record_item(ERA_RECORD_STATEMENT, &item);
        struct era_store_put put = {era_store_key_bytes(&key), bytes};
        struct era_effect store = {.kind = ERA_EFF_STORE, .puts = &put, .count = 1};
        cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
        stepped(&r, 1, ERA_EV_TICK, &store, 1);
    }
    broken(&r, "I8");
}

Test(check, I9_evidence_against_an_honest_key)
{
    struct run r = given_settled();
    faulty(&r, "v3");
    leaves(&r, 0, evidence(&r, "v3", 1));
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    leaves(&r, 0, evidence(&r, "v2", 1));
    broken(&r, "I9");
}

Test(check, I9_a_node_that_accuses_an_honest_key)
{
    struct run r = given_settled();
    faulty(&r, "v3");
    struct era_effect e = {
        .kind = ERA_EFF_SIGNAL,
        .signal = {
            .kind = ERA_SIG_EQUIVOCATION, .item_kind = ERA_KIND_READINESS, .component = 0, .signer = -1}};
    e.signal.by = "v3";
    e.signal.by_key = given_key("v3").key;
    stepped(&r, 0, ERA_EV_TICK, &e, 1);
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    e.signal.by = "v2";
    e.signal.by_key = given_key("v2").key;
    stepped(&r, 0, ERA_EV_TICK, &e, 1);
    broken(&r, "I9");
}

/* A candidate with one approval and one vote, on every node. */
static struct run given_candidate(struct era_proposal **p)
{
    struct run r = given_settled();
    *p = soft(&r, 1, 9, "1.1.0");
    sim_inject(r.s, &r.s->nodes[0], given_proposed(r.c, "s1", *p));
    sim_inject(r.s, &r.s->nodes[0], given_approve(r.c, "s1", *p));
    run_ms(&r, EPOCH_MS / 2);
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    return r;
}

Test(check, I10_a_tally_that_shrinks)
{
    struct era_proposal *p;
    struct run r = given_candidate(&p);
    struct check_node *w = check_node(r.check, &r.s->nodes[2]);
    cr_assert_eq(w->tally_count, 1);
    w->tallies[0].ready_stake++;
    stepped(&r, 2, ERA_EV_STORED, NULL, 0);
    broken(&r, "I10");
}

Test(check, I11_a_batch_above_its_limit)
{
    struct run r = given_settled();
    static struct era_store_put puts[ERA_STORE_BATCH_MAX + 1];
    struct era_effect store = {.kind = ERA_EFF_STORE, .puts = puts, .count = ERA_STORE_BATCH_MAX + 1};
    stepped(&r, 0, ERA_EV_TICK, &store, 1);
    broken(&r, "I11");
}

Test(check, I11_more_batches_fly_than_may)
{
    struct run r = given_settled();
    struct era_effect stores[ERA_NODE_BATCHES_MAX + 1];
    for (size_t i = 0; i <= ERA_NODE_BATCHES_MAX; i++)
        stores[i] = (struct era_effect){.kind = ERA_EFF_STORE};
    stepped(&r, 0, ERA_EV_TICK, stores, ERA_NODE_BATCHES_MAX + 1);
    broken(&r, "I11");
}

Test(check, I12_a_vote_that_leaves_before_it_is_durable)
{
    struct run r = given_settled();
    leaves(&r, 1, given_ready(r.c, "v0", soft(&r, 1, 9, "1.1.0"))); /* another's */
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    leaves(&r, 1, given_ready(r.c, "v1", soft(&r, 1, 9, "1.1.0")));
    broken(&r, "I12");
}

Test(check, I12_an_announcement_that_a_later_one_overtook_may_go)
{
    struct run r = given_settled();
    struct era_announcement early = given_running(r.c, 900, "1.0.0"), late = given_running(r.c, 901, "1.0.0");
    lies_on(&r, 1, given_announce(r.c, "v1", &late)); /* durable, and did not leave */
    leaves(&r, 1, given_announce(r.c, "v1", &early));
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    leaves(&r, 1, given_announce(r.c, "v1", &late)); /* told so, and yet it is not on disk */
    broken(&r, "I12");
}

Test(check, I12_an_acknowledgement_of_what_is_not_on_disk)
{
    struct run r = given_settled();
    struct era_command command = {
        .id = 77, .kind = ERA_CMD_SUBMIT, .bytes = given_approve(r.c, "s1", soft(&r, 1, 9, "1.1.0"))};
    struct era_event event = {.kind = ERA_EV_COMMAND, .now_ms = r.s->now_ms, .command = &command};
    struct era_effect reply = {.kind = ERA_EFF_REPLY, .reply = {.request = 77, .verdict = ERA_ACCEPTED}};
    r.s->watches[0].stepped(r.check, r.s, &r.s->nodes[0], &event, NULL, 0);
    stepped(&r, 0, ERA_EV_STORED, &reply, 1);
    broken(&r, "I12");
}

Test(check, I12_an_acknowledgement_that_a_restart_forgets)
{
    struct era_proposal *p;
    struct run r = given_candidate(&p);
    struct era_bytes bytes = given_approve(r.c, "s1", p);
    struct era_envelope e;
    struct check_acked a;
    era_envelope_decode(bytes, &e);
    cr_assert(check_record_of(r.check, &e, &a));
    check_acknowledge(r.check, &r.s->nodes[0], &a);
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    sim_crash(r.s, &r.s->nodes[0]);
    forget(&r, 0, ERA_RECORD_STATEMENT, bytes);
    sim_start(r.s, &r.s->nodes[0]);
    broken(&r, "I12");
}

Test(check, I13_hearing_again_changes_nothing)
{
    struct run r = given_settled();
    check_end(r.check, r.s);
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    /* Said to have been held, and yet it changes the view. */
    lies_on(&r, 0, certificate(&r, soft(&r, 1, 9, "1.1.0")));
    check_end(r.check, r.s);
    broken(&r, "I13");
}

Test(check, I14_a_tally_that_the_disk_does_not_bear_out)
{
    struct era_proposal *p;
    struct run r = given_candidate(&p);
    check_recount(r.check, &r.s->nodes[3]);
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    forget(&r, 3, ERA_RECORD_STATEMENT, given_approve(r.c, "s1", p));
    check_recount(r.check, &r.s->nodes[3]);
    broken(&r, "I14");
}

Test(check, I15_an_epoch_that_goes_back_in_one_run)
{
    struct run r = given_settled();
    check_node(r.check, &r.s->nodes[0])->epoch = 1000;
    stepped(&r, 0, ERA_EV_TICK, NULL, 0);
    broken(&r, "I15");
}

Test(check, I15_a_deadline_that_never_moves)
{
    struct run r = given_settled();
    for (int i = 0; i < CHECK_TICKS_MAX + 2; i++)
        stepped(&r, 0, ERA_EV_TICK, NULL, 0);
    broken(&r, "I15");
}

Test(check, liveness_equal_views_after_the_quiet_epochs)
{
    struct run r = given_settled();
    sim_inject(r.s, &r.s->nodes[0], certificate(&r, soft(&r, 1, 9, "1.1.0")));
    while (sim_digests_equal(r.s))
        cr_assert(sim_advance(r.s, r.s->now_ms + EPOCH_MS));
    check_end(r.check, r.s);
    broken(&r, "liveness");
}

Test(check, liveness_what_is_approved_and_timely_is_adopted)
{
    struct run r = given_run(false, false); /* they vote for nothing */
    run_ms(&r, 2 * EPOCH_MS);
    struct era_proposal *p = soft(&r, 1, 19, "1.1.0");
    sim_inject(r.s, &r.s->nodes[0], given_approved(r.c, p, "s1", "s1 s2"));
    run_ms(&r, 4 * EPOCH_MS);
    check_end(r.check, r.s);
    cr_assert(!r.s->broken, "%s: %s", r.s->break_rule, r.s->break_text);
    for (size_t i = 0; i < 4; i++)
        r.s->nodes[i].auto_votes[2] = true; /* and should */
    check_end(r.check, r.s);
    broken(&r, "liveness");
}

Test(check, liveness_a_late_plan_may_wait)
{
    struct run r = given_run(false, false);
    run_ms(&r, 2 * EPOCH_MS);
    struct era_proposal *p = soft(&r, 1, 9, "1.1.0"); /* epoch 6 + notice 2: too near */
    sim_inject(r.s, &r.s->nodes[0], given_approved(r.c, p, "s1", "s1 s2"));
    run_ms(&r, 4 * EPOCH_MS);
    for (size_t i = 0; i < 4; i++)
        r.s->nodes[i].auto_votes[2] = true;
    check_end(r.check, r.s);
    clean(&r);
}
