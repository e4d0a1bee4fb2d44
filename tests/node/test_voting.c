/* From proposal to adopted slot, in whole nodes: R3 to R6, R12, T4, T5. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/node/world.h"

static const char four[] = "alice:10 bob:10 carol:10 dave:10";
static const char *const names[] = {"alice", "bob", "carol", "dave"};
static const char one_component[] = "network k=2 signers=s1,s2,s3";

/* Four validators that vote by themselves, in a line. */
struct network {
    struct world *w;
    struct era_charter *c;
    struct world_node *n[4];
};

static struct network given_network(const char *components, bool votes)
{
    struct network t = {.c = given_charter(four, components)};
    t.w = world_new(t.c, 11);
    for (int i = 0; i < 4; i++) {
        t.n[i] = world_add(t.w, (struct world_setup){.key = names[i], .votes = votes});
        if (i > 0)
            world_anchor(t.n[i], t.n[i - 1]);
    }
    world_start_network(t.w);
    world_run(t.w, 300);
    return t;
}

static bool first_matched(void *ctx, const struct era_attested *a)
{
    *(bool *)ctx = a->matched;
    return false;
}

static struct era_bytes body_of(const struct world_node *n, const struct era_hash *item)
{
    const struct era_ledger *l = era_node_ledger(n->node);
    struct era_bytes body;
    cr_assert(era_ledger_body(l, era_ledger_find(l, item), &body));
    return body;
}

Test(voting, N2_approvals_and_readiness_become_one_certificate_on_all_nodes)
{
    struct network t = given_network(one_component, true);
    const struct era_proposal *p = given_soft(given_proposal(t.c, "network", 1), 30, "1.1.0");
    world_propose(t.n[0], p, "s1 s2");
    world_run(t.w, 5000);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(world_head(t.n[i], "network"), 1);
        cr_assert_eq(world_signal_count(t.n[i], ERA_SIG_PROPOSAL), 1);
        cr_assert_eq(world_signal_count(t.n[i], ERA_SIG_APPROVED), 1);
        cr_assert_eq(world_signal_count(t.n[i], ERA_SIG_ADOPTED), 1);
    }
    world_free(t.w);
}

static bool has_id(const struct world_node *n, const struct era_hash *item)
{
    const struct era_item *held = era_ledger_find(era_node_ledger(n->node), item);
    return held && held->durable;
}

Test(voting, R6_carriers_made_apart_are_one_item_by_id)
{
    struct network t = given_network(one_component, false);
    const struct era_proposal *p = given_soft(given_proposal(t.c, "network", 1), 30, "1.1.0");
    struct era_hash approved = given_item(t.c, given_approved(t.c, p, "s1", "s1 s2"));
    struct era_hash certificate =
        given_item(t.c, given_certificate(t.c, p, "s1", "s1 s2", "alice bob carol", ""));
    for (int i = 1; i < 4; i++)
        world_cut(t.n[i], t.n[i - 1]);
    world_run(t.w, 100);
    /* Two nodes learn different parts, in different order: other signatures, one carrier. */
    world_submit(t.n[0], given_ready(t.c, "alice", p));
    world_submit(t.n[0], given_ready(t.c, "bob", p));
    world_submit(t.n[0], given_ready(t.c, "carol", p));
    world_propose(t.n[0], p, "s1 s2");
    world_propose(t.n[3], p, "s3 s2");
    world_submit(t.n[3], given_ready(t.c, "dave", p));
    world_run(t.w, 100);
    cr_assert(has_id(t.n[3], &approved));
    world_submit(t.n[3], given_ready(t.c, "carol", p));
    world_submit(t.n[3], given_ready(t.c, "bob", p));
    world_run(t.w, 100);
    cr_assert(has_id(t.n[0], &certificate));
    cr_assert(has_id(t.n[3], &certificate));
    struct era_bytes a = body_of(t.n[0], &certificate), b = body_of(t.n[3], &certificate);
    cr_assert(a.len != b.len || memcmp(a.data, b.data, a.len) != 0, "the test shows nothing: equal bytes");

    for (int i = 1; i < 4; i++)
        world_heal(t.n[i], t.n[i - 1]);
    cr_assert(world_run_until(t.w, world_converged, NULL, 30000));
    world_run(t.w, 5000);
    size_t count;
    const struct world_said *said = world_said(t.w, &count);
    for (size_t i = 0; i < count; i++)
        if (said[i].kind == ERA_KIND_CERTIFICATE)
            cr_assert(era_hash_eq(&said[i].item, &certificate));
    for (int i = 0; i < 4; i++)
        cr_assert_eq(world_head(t.n[i], "network"), 1);
    world_free(t.w);
}

/* ---- R4: what a daemon casts by itself, and what people ask for ---- */

static size_t votes_of_one(struct world_setup setup, struct era_proposal *p, struct era_charter *c)
{
    struct world *w = world_new(c, 12);
    setup.key = "alice";
    struct world_node *alice = world_add(w, setup), *relay = world_add(w, (struct world_setup){0});
    world_anchor(alice, relay);
    world_start_all(w);
    world_run(w, 100);
    world_propose(alice, p, "s1 s2");
    world_run(w, 2000);
    size_t ids = world_ids(w, ERA_KIND_READINESS, "alice", "network", 1);
    world_free(w);
    return ids;
}

Test(voting, R4_the_configuration_decides_which_votes_are_cast_by_itself)
{
    struct era_charter *c = given_charter(four, one_component);
    struct era_proposal *soft = given_soft(given_proposal(c, "network", 1), 30, "1.1.0");
    struct era_proposal *breaking = given_breaking(given_proposal(c, "network", 1), 30, "2.0.0");
    struct era_proposal *announced = given_announced(given_proposal(c, "network", 1), "2.0.0");
    struct era_proposal *nothing = given_proposal(c, "network", 1);
    struct world_setup none = {0}, only_soft = {.auto_soft = true}, only_breaking = {.auto_breaking = true},
                       only_announced = {.auto_announced = true}, only_dropped = {.auto_dropped = true};
    cr_assert_eq(votes_of_one(none, soft, c), 0);
    cr_assert_eq(votes_of_one(only_soft, soft, c), 1);
    cr_assert_eq(votes_of_one(only_soft, breaking, c), 0);
    cr_assert_eq(votes_of_one(only_soft, announced, c), 0);
    cr_assert_eq(votes_of_one(only_breaking, breaking, c), 1);
    cr_assert_eq(votes_of_one(only_breaking, soft, c), 0);
    cr_assert_eq(votes_of_one(only_announced, announced, c), 1);
    cr_assert_eq(votes_of_one(only_announced, breaking, c), 0);
    cr_assert_eq(votes_of_one(only_dropped, nothing, c), 1);
    cr_assert_eq(votes_of_one(only_dropped, announced, c), 0);
}

static enum era_verdict ready(struct world_node *n, struct era_hash proposal)
{
    return world_answer(n, (struct era_command){.kind = ERA_CMD_READY, .proposal = proposal})->reply.verdict;
}

Test(voting, R4_a_vote_that_is_asked_for_says_why_not)
{
    struct network t = given_network(one_component, false);
    const struct era_proposal *p = given_soft(given_proposal(t.c, "network", 1), 30, "1.1.0");
    const struct era_proposal *rival = given_soft(given_proposal(t.c, "network", 1), 30, "1.2.0");
    const struct era_proposal *late = given_soft(given_proposal(t.c, "network", 2), WORLD_EPOCH + 2, "1.1.0");
    cr_assert_eq(ready(t.n[0], given_id(t.c, p)), ERA_NOT_FOUND);
    world_submit(t.n[0], given_proposed(t.c, "s1", p));
    cr_assert_eq(ready(t.n[0], given_id(t.c, p)), ERA_NOT_APPROVED);
    world_submit(t.n[0], given_approve(t.c, "s1", p));
    world_submit(t.n[0], given_approve(t.c, "s2", p));
    cr_assert_eq(ready(t.n[0], given_id(t.c, p)), ERA_ACCEPTED);
    cr_assert_eq(ready(t.n[0], given_id(t.c, p)), ERA_DUPLICATE);
    world_propose(t.n[0], rival, "s3 s2");
    cr_assert_eq(ready(t.n[0], given_id(t.c, rival)), ERA_ALREADY_SIGNED);
    world_propose(t.n[0], late, "s1 s2");
    cr_assert_neq(ready(t.n[0], given_id(t.c, late)), ERA_ACCEPTED);
    struct world_node *keyless = world_add(t.w, (struct world_setup){0});
    world_anchor(keyless, t.n[0]);
    world_start(keyless);
    world_run(t.w, 3000);
    cr_assert_eq(ready(keyless, given_id(t.c, p)), ERA_NO_KEY);
    world_free(t.w);
}

Test(voting, R4_a_vote_in_flight_is_a_vote)
{
    struct network t = given_network(one_component, false);
    const struct era_proposal *p = given_soft(given_proposal(t.c, "network", 1), 30, "1.1.0");
    const struct era_proposal *rival = given_soft(given_proposal(t.c, "network", 1), 30, "1.2.0");
    world_propose(t.n[0], p, "s1 s2");
    world_propose(t.n[0], rival, "s3 s2");
    world_hold_store(t.n[0], true);
    uint64_t first =
        world_ask(t.n[0], (struct era_command){.kind = ERA_CMD_READY, .proposal = given_id(t.c, p)});
    cr_assert_eq(ready(t.n[0], given_id(t.c, rival)), ERA_ALREADY_SIGNED);
    cr_assert_null(world_reply(t.w, first));
    world_hold_store(t.n[0], false);
    world_run(t.w, 100);
    cr_assert_eq(world_reply(t.w, first)->reply.verdict, ERA_ACCEPTED);
    world_free(t.w);
}

/* ---- T4: rejection ---- */

Test(voting, T4_a_proposal_that_cannot_reach_k_fails_early_and_all_are_told_by_whom_and_why)
{
    struct network t = given_network(one_component, true);
    const struct era_proposal *p = given_soft(given_proposal(t.c, "network", 1), 30, "1.1.0");
    world_submit(t.n[0], given_proposed(t.c, "s1", p));
    world_submit(t.n[0], given_approve(t.c, "s1", p));
    world_submit(t.n[1], given_reject(t.c, "s2", p, "breaks the archive"));
    world_run(t.w, 3000);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(world_signal_count(t.n[i], ERA_SIG_FAILED), 0, "one of three may still be outvoted");
    world_submit(t.n[2], given_reject(t.c, "s3", p, "not tested"));
    world_run(t.w, 3000);
    struct era_hash id = given_id(t.c, p);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(world_signal_count(t.n[i], ERA_SIG_FAILED), 1);
        cr_assert(era_hash_eq(&world_last_signal(t.n[i], ERA_SIG_FAILED)->proposal, &id));
        const struct era_candidate *c = era_ledger_candidate(era_node_ledger(t.n[i]->node), &id);
        cr_assert_eq(c->reject_count, 2);
        for (size_t r = 0; r < 2; r++) {
            bool s2 = c->rejects[r].signer == given_signer_index(t.c, "network", "s2");
            cr_assert_str_eq(c->rejects[r].reason, s2 ? "breaks the archive" : "not tested");
        }
    }
    cr_assert_eq(world_sent(t.n[0], ERA_KIND_READINESS), 0);
    world_free(t.w);
}

Test(voting, T4_approved_wins_over_a_late_rejection)
{
    struct network t = given_network(one_component, true);
    const struct era_proposal *p = given_soft(given_proposal(t.c, "network", 1), 30, "1.1.0");
    world_propose(t.n[0], p, "s1 s2");
    world_run(t.w, 300);
    world_submit(t.n[3], given_reject(t.c, "s3", p, "no"));
    world_submit(t.n[3], given_reject(t.c, "s2", p, "changed my mind"));
    world_run(t.w, 5000);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(world_signal_count(t.n[i], ERA_SIG_FAILED), 0);
        cr_assert_eq(world_head(t.n[i], "network"), 1);
    }
    world_free(t.w);
}

/* ---- T5: rebuilds ---- */

static const char rebuilt[] = "network k=2 signers=s1,s2,s3 rebuild=2/3 artefacts=linux";

static void adopt_rebuilt(struct network *t, const struct era_proposal *p)
{
    world_propose(t->n[0], p, "s1 s2");
    world_run(t->w, 1000);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(
            world_attest(t->n[i], given_id(t->c, p), "linux", given_digest("linux 2.0.0"))->reply.verdict,
            ERA_ACCEPTED);
    world_run(t->w, 3000);
}

Test(voting, N2_no_breaking_entry_is_adopted_without_the_quorum_of_rebuilds)
{
    struct network t = given_network(rebuilt, true);
    const struct era_proposal *p = given_breaking(given_proposal(t.c, "network", 1), 30, "2.0.0");
    world_propose(t.n[0], p, "s1 s2");
    world_run(t.w, 3000);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(world_ids(t.w, ERA_KIND_READINESS, names[i], "network", 1), 0,
                     "no own rebuild, no vote");
    adopt_rebuilt(&t, p);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(world_head(t.n[i], "network"), 1);
    cr_assert_eq(world_ids(t.w, ERA_KIND_READINESS, "dave", "network", 1), 0);
    world_free(t.w);
}

Test(voting, T5_a_rebuild_that_differs_closes_this_gate_only_and_a_repaired_one_opens_it)
{
    struct network t = given_network(rebuilt, true);
    const struct era_proposal *p = given_breaking(given_proposal(t.c, "network", 1), 20, "2.0.0");
    const struct world_reply *reply;
    adopt_rebuilt(&t, p);
    reply = world_attest(t.n[3], given_id(t.c, p), "linux", given_digest("something else"));
    cr_assert_eq(reply->reply.verdict, ERA_MISMATCH);
    cr_assert_not(reply->reply.matched);
    world_run_to_epoch(t.w, 20);
    world_run(t.w, 300);
    for (int i = 0; i < 3; i++)
        cr_assert_neq(world_gate(t.n[i]), ERA_GATE_MISMATCH);
    cr_assert_eq(world_gate(t.n[3]), ERA_GATE_MISMATCH);
    cr_assert_eq(world_emit(t.n[3], "price")->reply.verdict, ERA_BLOCKED);

    world_crash(t.n[3]);
    world_start(t.n[3]);
    cr_assert_eq(world_gate(t.n[3]), ERA_GATE_MISMATCH, "not forgotten in a restart");
    reply = world_attest(t.n[3], given_id(t.c, p), "linux", given_digest("linux 2.0.0"));
    cr_assert_eq(reply->reply.verdict, ERA_ACCEPTED);
    cr_assert_neq(world_gate(t.n[3]), ERA_GATE_MISMATCH);
    world_free(t.w);
}

Test(voting, N5_a_failed_rebuild_is_a_statement_all_nodes_hold)
{
    struct network t = given_network(rebuilt, false);
    const struct era_proposal *p = given_breaking(given_proposal(t.c, "network", 1), 30, "2.0.0");
    struct era_hash id = given_id(t.c, p);
    world_propose(t.n[0], p, "s1 s2");
    world_run(t.w, 1000);
    cr_assert_eq(world_attest(t.n[3], id, "linux", given_digest("something else"))->reply.verdict,
                 ERA_MISMATCH);
    world_run(t.w, 1000);
    for (int i = 0; i < 4; i++) {
        const struct era_candidate *c = era_ledger_candidate(era_node_ledger(t.n[i]->node), &id);
        cr_assert_eq(c->attested_count, 1);
        bool matched = true;
        era_ledger_each_attested(era_node_ledger(t.n[i]->node), c, first_matched, &matched);
        cr_assert_not(matched);
    }
    world_free(t.w);
}

/* ---- R12: a fork, and its end ---- */

Test(voting, R12_two_certificates_in_one_slot_fork_until_a_higher_slot_is_adopted)
{
    struct network t = given_network(one_component, false);
    const struct era_proposal *a = given_soft(given_proposal(t.c, "network", 1), 30, "1.1.0");
    const struct era_proposal *b = given_soft(given_proposal(t.c, "network", 1), 30, "1.2.0");
    cr_assert_eq(world_submit(t.n[0], given_certificate(t.c, a, "s1", "s1 s2", "alice bob carol", "")),
                 ERA_ACCEPTED);
    cr_assert_eq(world_submit(t.n[3], given_certificate(t.c, b, "s3", "s3 s2", "bob carol dave", "")),
                 ERA_ACCEPTED);
    world_run(t.w, 5000);
    for (int i = 0; i < 4; i++) {
        world_unlock(t.n[i]); /* those certificates list votes that were not cast here */
        cr_assert_eq(world_gate(t.n[i]), ERA_GATE_FORKED);
        cr_assert_str_eq(world_version(t.n[i], "network"), "", "nothing is in force");
        cr_assert_eq(world_emit(t.n[i], "price")->reply.verdict, ERA_FORKED);
        cr_assert_eq(world_head(t.n[i], "network"), 0);
    }
    cr_assert(world_converged(t.w, NULL));
    world_run(t.w, 100);

    world_crash(t.n[2]);
    world_start(t.n[2]);
    cr_assert_eq(world_gate(t.n[2]), ERA_GATE_FORKED, "not forgotten in a restart");

    /* Slot 2 on the last undisputed head ends it; the validators can still vote. */
    const struct era_proposal *end = given_soft(given_proposal(t.c, "network", 2), 40, "1.3.0");
    world_propose(t.n[1], end, "s1 s2");
    world_run(t.w, 2000);
    struct era_hash id = given_id(t.c, end);
    for (int i = 0; i < 3; i++)
        ready(t.n[i], id);
    world_run(t.w, 4000);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(world_head(t.n[i], "network"), 2);
        cr_assert_neq(world_gate(t.n[i]), ERA_GATE_FORKED);
        cr_assert_str_eq(world_version(t.n[i], "network"), "1.0.0");
    }
    cr_assert(world_converged(t.w, NULL));
    world_free(t.w);
}
