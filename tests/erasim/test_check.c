/* The checker: what must break a rule does, by hand, and what is clean does not. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/erasim/checked.h"

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
