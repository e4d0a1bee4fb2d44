/* Leases, strict emission, CLOCK and ARMED in whole nodes: N7, R14, R16. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/node/world.h"

static const char five[] = "alice:10 bob:10 carol:10 dave:10 erin:10"; /* Q is 34 of 50 */
static const char *const names[] = {"alice", "bob", "carol", "dave", "erin"};
static const char one_component[] = "network k=2 signers=s1,s2,s3";

#define NODES    5
#define KEPT_MAX 256

struct emitted {
    uint64_t epoch;
    char version[ERA_VERSION_BYTES_MAX + 1]; /* of the release in force for its author */
};

struct network {
    struct world *w;
    struct era_charter *c;
    struct world_node *n[NODES];
    size_t count;
    struct emitted emitted[KEPT_MAX];
};

static struct era_charter *given_strict(bool strict)
{
    struct era_charter *c = given_charter(five, one_component);
    c->strict_emission = strict;
    era_charter_seal(c);
    return c;
}

/* All linked with all; the first `voters` cast every vote by themselves, the others only drop. Not started.
 */
static struct network given_network(struct era_charter *c, int voters)
{
    struct network t = {.c = c, .w = world_new(c, 41)};
    for (int i = 0; i < NODES; i++) {
        t.n[i] = world_add(
            t.w, (struct world_setup){
                     .key = names[i], .software = "2.0.0", .votes = i < voters, .auto_dropped = true});
        for (int j = 0; j < i; j++)
            world_anchor(t.n[i], t.n[j]);
    }
    return t;
}

static struct network given_running_network(bool strict, int voters)
{
    struct network t = given_network(given_strict(strict), voters);
    world_start_all(t.w);
    world_run_to_epoch(t.w, 12);
    return t;
}

/* Everybody tries to emit; returns how many could. */
static size_t all_try(struct network *t)
{
    uint64_t asked[NODES];
    char version[NODES][ERA_VERSION_BYTES_MAX + 1];
    size_t done = 0;
    for (int i = 0; i < NODES; i++) {
        era_text_set(version[i], sizeof version[i], world_version(t->n[i], "network"));
        asked[i] = world_ask(t->n[i], (struct era_command){.kind = ERA_CMD_EMIT, .topic = "prices"});
    }
    world_run(t->w, 50);
    for (int i = 0; i < NODES; i++) {
        const struct world_reply *r = world_reply(t->w, asked[i]);
        cr_assert_not_null(r);
        if (r->reply.verdict != ERA_ACCEPTED)
            continue;
        struct emitted *e = &t->emitted[t->count++];
        cr_assert_lt(t->count, KEPT_MAX);
        e->epoch = r->reply.epoch;
        era_text_set(e->version, sizeof e->version, version[i]);
        done++;
    }
    return done;
}

/* I7 */
static void assert_one_era_an_epoch(const struct network *t)
{
    for (size_t i = 0; i < t->count; i++)
        for (size_t j = 0; j < i; j++)
            cr_assert(t->emitted[i].epoch != t->emitted[j].epoch ||
                          strcmp(t->emitted[i].version, t->emitted[j].version) == 0,
                      "epoch %llu has events of %s and of %s", (unsigned long long)t->emitted[i].epoch,
                      t->emitted[i].version, t->emitted[j].version);
}

static struct era_proposal *given_upgrade(const struct era_charter *c, uint64_t effective)
{
    return given_breaking(given_proposal(c, "network", 1), effective, "2.0.0");
}

/* What a node holds of a validator for an epoch: -1 nothing, 0 an announcement, 1 a lease. */
static int held(const struct world_node *n, int validator, uint64_t epoch)
{
    struct era_announcement a;
    const struct era_item *item = era_ledger_announcement(era_node_ledger(n->node), validator, epoch, &a);
    return !item || item->seq != epoch ? -1 : a.lease;
}

static int own(const struct network *t, int i, uint64_t epoch)
{
    return held(t->n[i], given_validator_index(t->c, names[i]), epoch);
}

/* ---- strict emission without a gap ---- */

Test(lease, N7_after_a_first_start_of_all_everybody_emits_from_the_next_epoch_on)
{
    struct network t = given_network(given_strict(true), NODES);
    world_start_all(t.w);
    world_run(t.w, 100);
    cr_expect_eq(all_try(&t), 0, "nobody has leased anything");
    world_run_to_epoch(t.w, 11);
    cr_expect_eq(all_try(&t), NODES);
    world_free(t.w);
}

Test(lease, N7_nothing_stops_at_the_boundary_of_two_epochs)
{
    struct network t = given_running_network(true, NODES);
    size_t gates[NODES];
    for (int i = 0; i < NODES; i++)
        gates[i] = world_signal_count(t.n[i], ERA_SIG_GATE);
    for (uint64_t epoch = 13; epoch < 20; epoch++) {
        world_run_to_epoch(t.w, epoch);
        cr_expect_eq(all_try(&t), NODES);
        world_run(t.w, 900);
        cr_expect_eq(all_try(&t), NODES);
    }
    for (int i = 0; i < NODES; i++)
        cr_expect_eq(world_signal_count(t.n[i], ERA_SIG_GATE), gates[i], "a gate moved");
    world_free(t.w);
}

Test(lease, N7_nothing_stops_where_all_switch_to_an_era_that_they_run)
{
    struct network t = given_running_network(true, NODES);
    world_propose(t.n[0], given_upgrade(t.c, 16), "s1 s2");
    for (uint64_t epoch = 13; epoch < 19; epoch++) {
        world_run_to_epoch(t.w, epoch);
        cr_expect_eq(all_try(&t), NODES);
        cr_expect_str_eq(t.emitted[t.count - 1].version, epoch < 16 ? "1.0.0" : "2.0.0");
    }
    assert_one_era_an_epoch(&t);
    world_free(t.w);
}

Test(lease, N7_below_a_quorum_of_leases_nobody_emits_though_announcements_are_fresh)
{
    struct network t = given_running_network(true, NODES);
    world_run(t.w, 800);
    world_crash(t.n[3]);
    world_crash(t.n[4]);
    world_run_to_epoch(t.w, 13);
    const struct world_reply *r = world_emit(t.n[0], "price");
    cr_expect_eq(r->reply.verdict, ERA_ACCEPTED, "they leased 13 before they fell");
    world_run_to_epoch(t.w, 14);
    cr_expect_geq(era_node_fresh_stake(t.n[0]->node), 34);
    cr_expect_eq(world_gate(t.n[0]), ERA_GATE_STALE);
    r = world_emit(t.n[0], "price");
    cr_expect_eq(r->reply.verdict, ERA_STALE);
    cr_expect_str_eq(r->why,
                     "strict emission: too few validators have leased this epoch for the era in force");
    world_start(t.n[3]);
    world_run_to_epoch(t.w, 16);
    cr_expect_eq(world_emit(t.n[0], "price")->reply.verdict, ERA_ACCEPTED);
    world_free(t.w);
}

Test(lease, N7_an_epoch_that_has_just_begun_is_judged_before_an_event_of_it)
{
    struct network t = given_running_network(true, NODES);
    world_run(t.w, 100);
    t.n[0]->skew_ms = 1000; /* its next step, the command, is one of epoch 13, which nobody leased yet */
    cr_expect_eq(world_emit(t.n[0], "price")->reply.verdict, ERA_STALE);
    world_free(t.w);
}

/* ---- a vote that is withheld ---- */

/* Three voted, dave's readiness is withheld: 30 of 50 are below 34. */
static void vote_without_dave(struct network *t, const struct era_proposal *p)
{
    world_propose(t->n[0], p, "s1 s2");
    world_run(t->w, 200);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(world_ids(t->w, ERA_KIND_READINESS, names[i], "network", 1), 1);
}

/* The last vote reaches erin alone, in the middle of the epoch in which it brings another era. */
static void withhold(struct network *t)
{
    const struct era_proposal *p = given_upgrade(t->c, 16);
    vote_without_dave(t, p);
    world_run_to_epoch(t->w, 15);
    all_try(t);
    world_run_to_epoch(t->w, 16);
    all_try(t);
    for (int i = 0; i < 4; i++)
        world_cut(t->n[4], t->n[i]);
    cr_assert_eq(world_submit(t->n[4], given_ready(t->c, "dave", p)), ERA_ACCEPTED);
    world_run(t->w, 300);
    cr_assert_eq(world_head(t->n[4], "network"), 1);
    cr_assert_eq(world_head(t->n[0], "network"), 0);
    all_try(t);
    world_run_to_epoch(t->w, 17);
    all_try(t);
    for (int i = 0; i < 4; i++)
        world_heal(t->n[4], t->n[i]);
    for (uint64_t epoch = 18; epoch < 24; epoch++) {
        world_run_to_epoch(t->w, epoch);
        all_try(t);
    }
}

Test(lease, N7_a_vote_learned_late_never_yields_two_eras_in_one_epoch)
{
    struct network t = given_running_network(true, 3);
    withhold(&t);
    assert_one_era_an_epoch(&t);
    cr_expect_eq(t.emitted[0].epoch, 15);
    cr_expect_str_eq(t.emitted[0].version, "1.0.0");
    for (size_t i = 0; i < t.count; i++)
        cr_expect(t.emitted[i].epoch != 16, "nobody could know whose era 16 is");
    cr_expect_eq(t.emitted[t.count - 1].epoch, 23);
    cr_expect_str_eq(t.emitted[t.count - 1].version, "2.0.0");
    world_free(t.w);
}

Test(lease, N7_without_strict_emission_it_may)
{
    struct network t = given_running_network(false, 3);
    bool both[2] = {false, false};
    withhold(&t);
    for (size_t i = 0; i < t.count; i++)
        if (t.emitted[i].epoch == 16)
            both[strcmp(t.emitted[i].version, "2.0.0") == 0] = true;
    cr_expect(both[0] && both[1], "the scenario shows nothing");
    world_free(t.w);
}

/* ---- ARMED ---- */

Test(lease, ARMED_is_told_once_and_stops_strict_emission_until_a_plan_drops_it)
{
    struct network t = given_running_network(true, 3);
    struct era_proposal *p = given_upgrade(t.c, 16), *drop = given_proposal(t.c, "network", 2);
    p->expiry = 14;
    vote_without_dave(&t, p);
    world_run_to_epoch(t.w, 14);
    world_run(t.w, 999);
    for (int i = 0; i < NODES; i++)
        cr_expect_eq(world_signal_count(t.n[i], ERA_SIG_ARMED), 0);
    cr_expect_eq(all_try(&t), NODES);
    world_run_to_epoch(t.w, 17);
    for (int i = 0; i < NODES; i++) {
        const struct world_signal *s = world_last_signal(t.n[i], ERA_SIG_ARMED);
        struct era_hash id = given_id(t.c, p);
        cr_assert_eq(world_signal_count(t.n[i], ERA_SIG_ARMED), 1);
        cr_expect_eq(s->epoch, 15);
        cr_expect_eq(s->seq, 1);
        cr_expect(era_hash_eq(&s->proposal, &id));
    }
    cr_expect_eq(all_try(&t), 0, "three of five cannot lease");
    given_drop(drop, given_id(t.c, p));
    world_propose(t.n[0], drop, "s1 s2");
    world_run_to_epoch(t.w, 19);
    cr_expect_eq(all_try(&t), NODES);
    cr_expect_str_eq(t.emitted[t.count - 1].version, "1.0.0");
    world_free(t.w);
}

Test(lease, ARMED_is_told_when_the_vote_that_makes_it_so_comes_late)
{
    struct network t = given_running_network(false, 1);
    struct era_proposal *p = given_upgrade(t.c, 16);
    p->expiry = 13;
    world_propose(t.n[0], p, "s1 s2");
    world_run_to_epoch(t.w, 14);
    world_run(t.w, 100);
    cr_expect_eq(world_signal_count(t.n[0], ERA_SIG_ARMED), 0, "10 of 50 may be forgotten");
    world_submit(t.n[0], given_ready(t.c, "dave", p));
    cr_expect_eq(world_signal_count(t.n[0], ERA_SIG_ARMED), 1);
    world_free(t.w);
}

/* ---- R16 ---- */

Test(lease, R16_the_next_epoch_is_leased_in_the_last_third)
{
    struct network t = given_running_network(true, NODES);
    world_run(t.w, 660);
    for (int i = 0; i < NODES; i++)
        cr_expect_eq(own(&t, i, 13), -1);
    world_run(t.w, 100);
    for (int i = 0; i < NODES; i++)
        cr_expect_eq(own(&t, i, 13), 1);
    world_free(t.w);
}

Test(lease, R16_without_strict_emission_an_epoch_is_leased_when_it_begins)
{
    struct network t = given_running_network(false, NODES);
    world_run(t.w, 999);
    for (int i = 0; i < NODES; i++) {
        cr_expect_eq(own(&t, i, 12), 1);
        cr_expect_eq(own(&t, i, 13), -1);
    }
    world_run(t.w, 100);
    for (int i = 0; i < NODES; i++)
        cr_expect_eq(own(&t, i, 13), 1);
    world_free(t.w);
}

Test(lease, R16_what_cannot_be_a_lease_yet_waits_a_third_of_its_epoch)
{
    struct network t = given_network(given_strict(true), NODES);
    world_start(t.n[0]);
    world_run(t.w, 330);
    cr_expect_eq(own(&t, 0, 10), -1);
    world_run(t.w, 60);
    cr_expect_eq(own(&t, 0, 10), 0, "then it is given away, for others wait for it too");
    world_free(t.w);
}

Test(lease, R16_a_lease_that_becomes_possible_is_not_given_away)
{
    struct network t = given_running_network(true, NODES);
    /* Nothing of what the others say of 13 is durable until after 14 has begun. */
    world_run(t.w, 600);
    world_hold_store(t.n[0], true);
    world_run_to_epoch(t.w, 14);
    world_run(t.w, 100);
    cr_expect_eq(own(&t, 0, 14), -1);
    world_hold_store(t.n[0], false);
    world_run(t.w, 200);
    cr_expect_eq(own(&t, 0, 14), 1);
    world_free(t.w);
}

Test(lease, R15_a_blocked_node_announces_and_leases_nothing)
{
    struct network t = given_running_network(false, NODES);
    world_propose(t.n[0], given_requires(given_upgrade(t.c, 15), ">=2.0.0"), "s1 s2");
    world_versions(t.n[4], "1.0.0", NULL);
    world_run_to_epoch(t.w, 16);
    world_run(t.w, 200);
    cr_expect_eq(world_gate(t.n[4]), ERA_GATE_BLOCKED);
    cr_expect_eq(own(&t, 4, 16), 0);
    cr_expect_eq(own(&t, 3, 16), 1);
    world_free(t.w);
}

Test(lease, R15_in_strict_emission_an_era_that_is_not_run_yet_is_not_leased_before_it_begins)
{
    struct network t = given_running_network(true, NODES);
    world_propose(t.n[0], given_requires(given_upgrade(t.c, 15), ">=2.0.0"), "s1 s2");
    world_versions(t.n[4], "1.0.0", "2.0.0");
    world_run_to_epoch(t.w, 14);
    world_run(t.w, 999);
    cr_expect_eq(own(&t, 3, 15), 1);
    cr_expect_eq(own(&t, 4, 15), -1, "the supervisor may switch at the boundary");
    world_versions(t.n[4], "2.0.0", NULL);
    world_run(t.w, 200);
    cr_expect_eq(own(&t, 4, 15), 1);
    world_free(t.w);
}

static enum era_verdict may_vote(struct world_node *n, const struct era_charter *c,
                                 const struct era_proposal *p)
{
    struct era_hash id = given_id(c, p);
    const struct era_candidate *it = era_ledger_candidate(era_node_ledger(n->node), &id);
    cr_assert_not_null(it);
    return era_node_may_vote(n->node, it, NULL);
}

Test(lease, I12_R4_leases_outlive_the_power_and_a_vote_never_contradicts_them)
{
    struct network t = given_running_network(true, NODES);
    struct era_proposal *head = given_upgrade(t.c, 15), *drop;
    uint64_t last = 0;
    world_propose(t.n[0], head, "s1 s2");
    world_run_to_epoch(t.w, 14);
    world_run(t.w, 800);
    cr_assert_eq(own(&t, 0, 15), 1);
    for (int i = 1; i < NODES; i++)
        world_cut(t.n[0], t.n[i]);
    drop = given_next(t.c, head, 2);
    given_drop(drop, given_entry(head, 1));
    world_propose(t.n[0], drop, "s1 s2");
    cr_expect_eq(may_vote(t.n[0], t.c, drop), ERA_LEASED);
    world_lose_power(t.n[0]);
    world_start(t.n[0]);
    cr_expect_eq(world_answer(t.n[0], (struct era_command){.kind = ERA_CMD_UNLOCK})->reply.verdict,
                 ERA_ACCEPTED, "no peer can be reached");
    cr_expect(era_leases_last(era_node_leases(t.n[0]->node), &last));
    cr_expect_eq(last, 15);
    cr_expect_eq(era_node_leases(t.n[0]->node)->count, 2, "one run an era");
    cr_expect_eq(may_vote(t.n[0], t.c, drop), ERA_LEASED);
    world_run(t.w, 3000);
    for (uint64_t epoch = 10; epoch < 18; epoch++)
        cr_expect_leq(world_ids(t.w, ERA_KIND_ANNOUNCEMENT, "alice", "", epoch), 1);
    world_free(t.w);
}

Test(lease, I6_one_announcement_an_epoch_wherever_the_process_ends)
{
    for (uint64_t at = 1; at <= 40; at++) {
        struct network t = given_running_network(true, NODES);
        world_run(t.w, 600);
        t.n[0]->crash_at = t.n[0]->boundaries + at;
        world_run(t.w, 150);
        world_crash(t.n[0]);
        world_start(t.n[0]);
        world_run(t.w, 1500);
        for (uint64_t epoch = 11; epoch < 15; epoch++)
            cr_assert_leq(world_ids(t.w, ERA_KIND_ANNOUNCEMENT, "alice", "", epoch), 1);
        world_free(t.w);
    }
}

/* ---- height clocks ---- */

static struct network given_heights(uint64_t heights)
{
    struct era_charter *c = given_strict(true);
    c->clock = (struct era_clock_params){ERA_CLOCK_HEIGHT, 0, heights, 1};
    era_charter_seal(c);
    struct network t = given_network(c, NODES);
    world_start_all(t.w);
    world_run(t.w, 3000); /* until no key is locked any more */
    return t;
}

static void all_at_height(struct network *t, uint64_t number)
{
    for (int i = 0; i < NODES; i++)
        world_ask(t->n[i], (struct era_command){.kind = ERA_CMD_HEIGHT, .number = number});
    world_run(t->w, 500);
}

Test(lease, R16_a_height_clock_has_its_thirds_in_heights)
{
    struct network t = given_heights(9);
    all_at_height(&t, 2);
    cr_expect_eq(own(&t, 0, 0), -1, "nobody announced yet: it waits");
    all_at_height(&t, 3);
    cr_expect_eq(own(&t, 0, 0), 0);
    all_at_height(&t, 5);
    cr_expect_eq(own(&t, 0, 1), -1);
    all_at_height(&t, 6);
    cr_expect_eq(own(&t, 0, 1), 1);
    all_at_height(&t, 9);
    cr_expect_eq(all_try(&t), NODES);
    world_free(t.w);
}

Test(lease, R16_an_epoch_without_thirds_is_leased_when_it_begins)
{
    struct network t = given_heights(2);
    cr_expect_eq(own(&t, 0, 0), 0);
    all_at_height(&t, 1);
    cr_expect_eq(own(&t, 0, 1), -1);
    all_at_height(&t, 2);
    cr_expect_eq(own(&t, 0, 1), 1);
    cr_expect_eq(all_try(&t), NODES);
    world_free(t.w);
}

/* ---- CLOCK (R14) ---- */

static size_t announced_from(const struct network *t, int i)
{
    size_t count, times = 0;
    const struct world_said *said = world_said(t->w, &count);
    for (size_t s = 0; s < count; s++)
        times += said[s].node == t->n[i]->number && said[s].kind == ERA_KIND_ANNOUNCEMENT &&
                 era_key_eq(&said[s].key, &t->n[i]->secret.key);
    return times;
}

Test(clock, R14_clock_stops_votes_leases_and_events_but_no_announcements)
{
    struct network t = given_network(given_strict(false), 3);
    struct era_proposal *p = given_upgrade(t.c, 30);
    t.n[4]->skew_ms = 5000;
    world_start_all(t.w);
    world_run_to_epoch(t.w, 12);
    cr_expect_eq(world_gate(t.n[4]), ERA_GATE_CLOCK);
    cr_expect_geq(era_node_clock(t.n[4]->node)->heard_stake, 40);
    cr_expect_eq(world_emit(t.n[4], "price")->reply.verdict, ERA_CLOCK);
    world_propose(t.n[0], p, "s1 s2");
    world_run(t.w, 300);
    cr_expect_eq(may_vote(t.n[4], t.c, p), ERA_CLOCK);
    cr_expect_eq(may_vote(t.n[3], t.c, p), ERA_ACCEPTED);
    size_t before = announced_from(&t, 4);
    world_run_to_epoch(t.w, 15);
    cr_expect_geq(announced_from(&t, 4), before + 2);
    world_run(t.w, 200);
    cr_expect_eq(own(&t, 4, 20), 0, "no lease");
    for (int i = 0; i < 4; i++)
        cr_expect_eq(world_gate(t.n[i]), ERA_GATE_CURRENT, "one clock of five moves nobody");
    world_free(t.w);
}

Test(clock, R14_clock_counts_what_the_ledger_refuses)
{
    struct network t = given_network(given_strict(false), NODES);
    t.n[4]->skew_ms = -5000;
    world_start_all(t.w);
    for (int i = 0; i < 30 && world_gate(t.n[4]) != ERA_GATE_CLOCK; i++)
        world_run(t.w, 50); /* until enough of them have announced */
    cr_expect_eq(era_node_epoch(t.n[4]->node) + 5, era_node_epoch(t.n[0]->node));
    cr_expect_eq(world_gate(t.n[4]), ERA_GATE_CLOCK);
    world_free(t.w);
}

static size_t told_of(const struct network *t, int i, const char *version)
{
    size_t count, times = 0;
    const struct world_signal *s = world_signals(t->w, &count);
    for (size_t k = 0; k < count; k++)
        times +=
            s[k].node == t->n[i]->number && s[k].kind == ERA_SIG_ERA && strcmp(s[k].version, version) == 0;
    return times;
}

Test(clock, R14_clock_no_activation_is_told_until_the_doubt_is_over)
{
    struct network t = given_network(given_strict(false), 4);
    t.n[4]->skew_ms = -4000;
    world_start_all(t.w);
    world_run_to_epoch(t.w, 12);
    world_propose(t.n[0], given_upgrade(t.c, 16), "s1 s2");
    world_run_to_epoch(t.w, 21);
    cr_expect_eq(era_node_epoch(t.n[4]->node), 17);
    cr_expect_str_eq(world_version(t.n[4], "network"), "2.0.0", "by its own clock it is in force");
    cr_expect_eq(told_of(&t, 4, "2.0.0"), 0);
    cr_expect_eq(told_of(&t, 0, "2.0.0"), 1);
    t.n[4]->skew_ms = 0;
    world_run(t.w, 1100);
    cr_expect_eq(world_gate(t.n[4]), ERA_GATE_CURRENT);
    cr_expect_eq(told_of(&t, 4, "2.0.0"), 1);
    world_free(t.w);
}

Test(clock, R14_clock_the_doubt_ends_when_what_was_heard_runs_out)
{
    struct network t = given_network(given_strict(false), NODES);
    t.n[4]->skew_ms = 5000;
    world_start_all(t.w);
    world_run_to_epoch(t.w, 12);
    world_run(t.w, 100);
    cr_assert_eq(world_gate(t.n[4]), ERA_GATE_CLOCK);
    for (int i = 0; i < 4; i++)
        world_cut(t.n[4], t.n[i]);
    world_run(t.w, 1500);
    cr_expect_eq(world_gate(t.n[4]), ERA_GATE_CLOCK);
    world_run(t.w, 1000);
    cr_expect_eq(world_gate(t.n[4]), ERA_GATE_STALE);
    world_free(t.w);
}

Test(clock, R14_clock_a_replay_after_a_restart_raises_nothing)
{
    struct network t = given_running_network(false, NODES);
    world_run_to_epoch(t.w, 18);
    world_run(t.w, 300);
    for (int i = 0; i < NODES; i++)
        world_crash(t.n[i]);
    world_run_to_epoch(t.w, 25);
    world_start(t.n[0]);
    for (int i = 1; i < NODES; i++) { /* what nobody holds any more */
        struct era_announcement old = given_running(t.c, 14, "1.0.0");
        world_ask(t.n[0],
                  (struct era_command){.kind = ERA_CMD_SUBMIT, .bytes = given_announce(t.c, names[i], &old)});
    }
    world_run(t.w, 100);
    cr_expect_leq(era_node_clock(t.n[0]->node)->heard_stake, 10, "its own alone");
    cr_expect_eq(world_gate(t.n[0]), ERA_GATE_STALE);
    world_free(t.w);
}
