/* The gate in words: what a person reads when a node warns or stops (M4, M5, P1 to P3, P5). */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/erad/lone.h"

static const char validators[] = "alice:10 bob:10 carol:10 dave:10 erin:10 frank:10 grace:10 heidi:10";
static const char one[] = "network k=1 signers=s1";

static json_t *gate(struct lone *l, const char *state)
{
    json_t *o = era_report_gate(l->node, -1);
    cr_assert_str_eq(text_at(o, "state"), state);
    return o;
}

static void adopt(struct lone *l, struct era_proposal *p, const char *ready)
{
    lone_submit(l, given_certificate(l->charter, p, "s1", "s1", ready, ""));
}

static struct lone *given_alone(const char *software, uint64_t epoch)
{
    return lone_new(given_charter("alice:10", one), "alice", software, epoch);
}

Test(gate_words, current_says_which_era)
{
    struct lone *l = given_alone("1.0.0", 7);
    json_t *o = gate(l, "current");
    cr_assert_str_eq(text_at(o, "schema"), "erad.gate/1");
    cr_assert_str_eq(text_at(o, "text"), "era 1 \"era 1\", version 1.0.0, is in force and fits");
    cr_assert_str_eq(text_at(o, "cure"), "");
    cr_assert_eq(number_at(o, "exit"), 0);
    cr_assert(json_is_true(at(o, "may_emit")));
    json_decref(o);
    lone_free(l);
}

Test(gate_words, P3_P5_blocked_names_the_requirement_and_the_release)
{
    struct lone *l = given_alone("1.4.0", 7);
    struct era_proposal *p = given_artefacts(
        given_requires(given_breaking(given_proposal(l->charter, "network", 1), 12, "2.0.0"), ">=2.0.0"),
        "linux");
    strcpy(p->plan.entries[1].record.era_name, "granite");
    strcpy(p->plan.entries[1].record.artefacts[0].link, "https://example.org/2.0.0");
    adopt(l, given_seal(p), "alice");
    lone_to_epoch(l, 12);
    json_t *o = gate(l, "blocked");
    char cure[512];
    snprintf(
        cure, sizeof cure,
        "install network 2.0.0 (linux %s from https://example.org/2.0.0), set versions in erad.conf, reload",
        given_digest("linux 2.0.0"));
    cr_assert_str_eq(text_at(o, "text"),
                     "era 2 \"granite\" requires software >=2.0.0, this node runs 1.4.0; in force "
                     "since epoch 12");
    cr_assert_str_eq(text_at(o, "cure"), cure);
    cr_assert_eq(number_at(o, "exit"), 76);
    cr_assert(json_is_false(at(o, "may_emit")));
    cr_assert_str_eq(text_at(o, "requires.kind"), "software");
    cr_assert_str_eq(text_at(o, "requires.range"), ">=2.0.0");
    cr_assert_str_eq(text_at(o, "requires.own"), "1.4.0");
    cr_assert_str_eq(text_at(o, "cause.era_name"), "granite");
    json_decref(o);
    lone_runs(l, "2.0.0");
    o = gate(l, "current");
    json_decref(o);
    lone_free(l);
}

Test(gate_words, P5_blocked_says_when_the_node_does_not_know_its_version)
{
    struct lone *l =
        lone_new(given_charter("alice:10", "network k=1 signers=s1 software=>=1.0.0"), "alice", "", 7);
    json_t *o = gate(l, "blocked");
    cr_assert_str_eq(
        text_at(o, "text"),
        "era 1 \"era 1\" requires software >=1.0.0, this node does not say its software version; in force "
        "since epoch 0");
    cr_assert(json_is_null(at(o, "requires.own")));
    json_decref(o);
    lone_free(l);
}

Test(gate_words, M5_upgrade_soon_counts_down_in_epochs_and_time)
{
    struct lone *l = given_alone("1.4.0", 7);
    adopt(l,
          given_requires(given_breaking(given_proposal(l->charter, "network", 1), 107, "2.0.0"), ">=2.0.0"),
          "alice");
    json_t *o = gate(l, "upgrade-soon");
    cr_assert_str_eq(
        text_at(o, "text"),
        "in 100 epochs (1 min 39 s) era 2 \"era 2\" requires software >=2.0.0, this node runs 1.4.0");
    cr_assert_str_eq(text_at(o, "cure"),
                     "install network 2.0.0 before epoch 107, set versions in erad.conf, reload");
    cr_assert_eq(number_at(o, "epochs_left"), 100);
    json_decref(o);
    lone_to_epoch(l, 106);
    o = gate(l, "upgrade-soon");
    cr_assert(strstr(text_at(o, "text"), "in 1 epoch (0 s) era 2"));
    json_decref(o);
    lone_free(l);
}

Test(gate_words, N6_stale_names_the_missing_stake_and_at_most_five_silent)
{
    struct lone *l = lone_new(given_charter(validators, one), "alice", "1.0.0", 7);
    json_t *o = gate(l, "stale");
    const char *text = text_at(o, "text");
    cr_assert(strstr(text, "fresh announcements of stake 10, needed 54; silent: "), "%s", text);
    cr_assert(strstr(text, " and 2 more"), "%s", text);
    cr_assert_eq(number_at(o, "exit"), 75);
    json_decref(o);
    lone_free(l);
}

Test(gate_words, N7_stale_for_want_of_leases_says_whose_era_and_how_many)
{
    struct era_charter *c = given_charter(validators, one);
    c->strict_emission = true;
    era_charter_seal(c);
    struct lone *l = lone_new(c, "alice", "1.0.0", 7);
    static const char *const fresh[] = {"bob", "carol", "dave", "erin", "frank", "grace"};
    for (size_t i = 0; i < sizeof fresh / sizeof *fresh; i++) {
        struct era_announcement a = given_running(c, 7, "1.0.0");
        lone_submit(l, given_announce(c, fresh[i], &a));
    }
    json_t *o = gate(l, "stale");
    cr_assert_str_eq(text_at(o, "text"),
                     "strict emission: leases of epoch 7 for era 1 \"era 1\" by stake 0, needed 54");
    cr_assert(strstr(text_at(o, "cure"), "a plan that was not adopted must be dropped by a new one"));
    cr_assert_eq(number_at(o, "exit"), 75);
    json_decref(o);
    lone_free(l);
}

Test(gate_words, R14_clock_says_where_the_others_are)
{
    struct lone *l = lone_new(given_charter(validators, one), "alice", "1.0.0", 7);
    static const char *const ahead[] = {"bob", "carol", "dave", "erin", "frank", "grace"};
    for (size_t i = 0; i < sizeof ahead / sizeof *ahead; i++) {
        struct era_announcement a = given_running(l->charter, 100 + i, "1.0.0");
        lone_command(l, (struct era_command){.id = 3,
                                             .kind = ERA_CMD_SUBMIT,
                                             .bytes = given_announce(l->charter, ahead[i], &a)});
        cr_assert_eq(l->reply.verdict, ERA_WRONG_EPOCH);
    }
    json_t *o = gate(l, "clock");
    cr_assert_str_eq(
        text_at(o, "text"),
        "validators of stake 70 announce epoch 102 (median), this node is at epoch 7, tolerance 1");
    cr_assert(strstr(text_at(o, "cure"), "set this machine's clock"));
    cr_assert_eq(number_at(o, "exit"), 75);
    cr_assert(json_is_false(at(o, "may_emit")));
    json_decref(o);
    lone_free(l);
}

Test(gate_words, ARMED_is_a_signal_of_its_own)
{
    struct lone *l = lone_new(given_charter("alice:10 bob:10 carol:10", one), "alice", "1.0.0", 7);
    struct era_proposal *p = given_breaking(given_proposal(l->charter, "network", 1), 30, "2.0.0");
    p->expiry = 8;
    lone_submit(l, given_proposed(l->charter, "s1", p));
    lone_submit(l, given_ready(l->charter, "alice", p));
    lone_to_epoch(l, 9);
    json_t *o = lone_signal(l, "armed");
    cr_assert_str_eq(keys_at(o, ""), "schema,signal,epoch,component,id,seq,version,text,at_topic");
    cr_assert_str_eq(text_at(o, "component"), "network");
    cr_assert_str_eq(text_at(o, "version"), "2.0.0");
    cr_assert_eq(number_at(o, "epoch"), 9);
    lone_free(l);
}

Test(gate_words, T5_mismatch_shows_both_digests)
{
    struct lone *l =
        lone_new(given_charter("alice:10", "network k=1 signers=s1 artefacts=linux"), "alice", "1.0.0", 7);
    struct era_proposal *p = given_soft(given_proposal(l->charter, "network", 1), 10, "1.1.0");
    lone_submit(l, given_proposed(l->charter, "s1", p));
    lone_command(l, (struct era_command){.id = 2,
                                         .kind = ERA_CMD_ATTEST,
                                         .proposal = given_id(l->charter, p),
                                         .artefact = "linux",
                                         .digest = given_digest("mine"),
                                         .source_digest = "",
                                         .builder = ""});
    cr_assert_eq(l->reply.verdict, ERA_MISMATCH);
    adopt(l, p, "alice");
    lone_to_epoch(l, 10);
    json_t *o = gate(l, "mismatch");
    char text[512];
    snprintf(text, sizeof text, "own rebuild of linux of network 1.1.0 is %s, signed is %s",
             given_digest("mine"), p->plan.entries[1].record.artefacts[0].digest);
    cr_assert_str_eq(text_at(o, "text"), text);
    cr_assert_eq(number_at(o, "exit"), 76);
    json_decref(o);
    lone_free(l);
}

Test(gate_words, R12_forked_names_the_slot)
{
    struct lone *l = given_alone("1.0.0", 7);
    struct era_proposal *p = given_soft(given_proposal(l->charter, "network", 3), 12, "1.1.0");
    adopt(l, p, "alice");
    p = given_copy(p);
    strcpy(p->text, "another");
    adopt(l, p, "alice");
    json_t *o = gate(l, "forked");
    cr_assert_str_eq(text_at(o, "text"),
                     "two proposals were adopted in slot 3 of network, so no era is in force; "
                     "undisputed last: era 1 \"era 1\", version 1.0.0");
    cr_assert(strstr(text_at(o, "cure"), "a slot above 3"));
    json_decref(o);
    lone_free(l);
}

Test(gate_words, no_era_says_when_the_plan_begins)
{
    struct lone *l = given_alone("1.0.0", 7);
    struct era_proposal *p = given_proposal(l->charter, "network", 1);
    p->plan.entries[0].effective = 9;
    adopt(l, given_seal(p), "alice");
    json_t *o = gate(l, "no-era");
    cr_assert_str_eq(text_at(o, "text"), "the plan of network begins at epoch 9, now is epoch 7");
    cr_assert_str_eq(text_at(o, "cure"), "wait for epoch 9 (1 s)");
    json_decref(o);
    lone_free(l);
}

Test(gate_words, P1_a_notice_of_an_internal_change_lets_the_node_stay_behind)
{
    struct lone *l = given_alone("1.0.0", 7);
    adopt(l, given_soft(given_proposal(l->charter, "network", 1), 10, "1.1.0"), "alice");
    json_t *o = gate(l, "notice");
    cr_assert_str_eq(text_at(o, "text"),
                     "network 1.1.0 comes at epoch 10 (2 s), this node runs 1.0.0; the change is "
                     "internal: the node may stay behind");
    json_decref(o);
    lone_to_epoch(l, 10);
    o = gate(l, "notice");
    cr_assert(strstr(text_at(o, "text"), "network 1.1.0 is in force since epoch 10, this node runs 1.0.0"));
    cr_assert_eq(number_at(o, "exit"), 0);
    json_decref(o);
    lone_free(l);
}

Test(gate_words, P2_a_notice_names_the_dependency_and_since_when)
{
    struct lone *l = given_alone("1.0.0", 7);
    struct era_proposal *p = given_soft(given_proposal(l->charter, "network", 1), 10, "1.1.0");
    struct era_record *r = &p->plan.entries[1].record;
    r->dependency_count = 1;
    r->dependencies[0] =
        (struct era_dependency){.name = "hostchain", .range = ">=4.2.0", .since = "block 1200000"};
    adopt(l, given_seal(p), "alice");
    json_t *o = gate(l, "notice");
    cr_assert(strstr(text_at(o, "text"),
                     "; it follows hostchain >=4.2.0 since block 1200000: a node that stays behind "
                     "does not follow them"));
    json_decref(o);
    lone_free(l);
}

Test(gate_words, M4_a_notice_of_an_announced_era_says_it_has_no_epoch)
{
    struct lone *l = given_alone("1.0.0", 7);
    adopt(l, given_requires(given_announced(given_proposal(l->charter, "network", 1), "2.0.0"), ">=2.0.0"),
          "alice");
    json_t *o = gate(l, "notice");
    cr_assert_str_eq(text_at(o, "text"),
                     "network 2.0.0 is announced, era 2 \"era 2\", without an epoch, this node runs 1.0.0");
    json_decref(o);
    lone_free(l);
}

Test(gate_words, T1_another_component_has_words_of_its_own)
{
    struct lone *l =
        lone_new(given_charter("alice:10", "network k=1 signers=s1; oracle k=1 signers=s1 software=>=9.0.0"),
                 "alice", "1.0.0", 7);
    json_t *o = era_report_gate(l->node, given_component_index(l->charter, "oracle"));
    cr_assert_str_eq(text_at(o, "component"), "oracle");
    cr_assert_str_eq(text_at(o, "state"), "blocked");
    json_decref(o);
    json_decref(gate(l, "current"));
    lone_free(l);
}
