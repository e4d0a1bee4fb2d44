/* The checker of what is counted, held and reached at the end: tallies, queues, acknowledgements, liveness.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/erasim/checked.h"

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

/* Two lower ids of its slot are approved: the carrier goes, and what it alone said (R6). */
Test(check, I10_a_carrier_that_is_outdone_takes_what_it_said)
{
    static const char *const versions[] = {"1.1.0", "1.2.0", "1.3.0"};
    struct run r = given_run(false, false);
    struct era_proposal *all[3];
    size_t highest = 0;
    for (size_t i = 0; i < 3; i++) {
        all[i] = soft(&r, 1, 9, versions[i]);
        struct era_hash x = given_id(r.c, all[highest]), y = given_id(r.c, all[i]);
        highest = era_hash_cmp(&y, &x) > 0 ? i : highest;
    }
    run_ms(&r, 2 * EPOCH_MS);
    sim_inject(r.s, &r.s->nodes[0], given_proposed(r.c, "s3", all[highest]));
    sim_inject(r.s, &r.s->nodes[0], given_approved(r.c, all[highest], "s3", "s1 s2"));
    run_ms(&r, EPOCH_MS);
    for (size_t i = 0; i < 3; i++)
        if (i != highest)
            sim_inject(r.s, &r.s->nodes[0], given_approved(r.c, all[i], "s3", "s1 s2"));
    run_ms(&r, EPOCH_MS);
    struct era_hash id = given_id(r.c, all[highest]);
    cr_assert_eq(era_ledger_candidate(era_node_ledger(r.s->nodes[2].node), &id)->approved_by, 0);
    clean(&r);
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

Test(check, liveness_linked_nodes_offer_the_same_of_slots)
{
    struct run r = given_settled();
    struct era_bytes said = given_reject(r.c, "s1", soft(&r, 1, 9, "1.1.0"), "no");
    struct era_hash item = given_item(r.c, said);
    sim_inject(r.s, &r.s->nodes[0], said);
    const struct era_ledger *l = era_node_ledger(r.s->nodes[0].node);
    for (const struct era_item *held = NULL; !held || !held->offered; held = era_ledger_find(l, &item))
        cr_assert(sim_advance(r.s, r.s->now_ms + EPOCH_MS));
    check_end(r.check, r.s);
    broken(&r, "liveness");
}
