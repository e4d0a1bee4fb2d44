#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/record.h"
#include "store/store_mem.h"
#include "tests/node/world.h"

static const char four[] = "alice:10 bob:10 carol:10 dave:10";
static const char one_component[] = "network k=2 signers=s1,s2,s3";

/* alice votes; a relay without a key dials her, and a second relay dials the first. */
struct trio {
    struct world *w;
    struct era_charter *c;
    struct world_node *alice, *relay, *far;
};

static struct trio given_trio(uint64_t seed)
{
    struct trio t;
    t.c = given_charter(four, one_component);
    t.w = world_new(t.c, seed);
    t.alice = world_add(t.w, (struct world_setup){.key = "alice", .votes = true});
    t.relay = world_add(t.w, (struct world_setup){0});
    t.far = world_add(t.w, (struct world_setup){0});
    world_anchor(t.relay, t.alice);
    world_anchor(t.far, t.relay);
    world_start_network(t.w);
    world_run(t.w, 500);
    return t;
}

Test(durability, R1_nothing_is_relayed_or_acknowledged_before_it_is_stored)
{
    struct trio t = given_trio(1);
    struct era_bytes proposal = given_proposed(t.c, "s1", given_proposal(t.c, "network", 1));
    struct era_hash item = given_item(t.c, proposal);
    world_hold_store(t.relay, true);

    world_submit(t.alice, proposal);
    uint64_t asked = world_ask(
        t.relay, (struct era_command){.kind = ERA_CMD_SUBMIT,
                                      .bytes = given_proposed(t.c, "s2", given_proposal(t.c, "network", 2))});
    world_run(t.w, 8000);

    cr_assert_eq(world_sent_item(t.alice, &item), 1, "alice stored it and sends it");
    cr_assert_eq(world_sent_item(t.relay, &item), 0, "the relay holds it, not yet durable");
    cr_assert_eq(world_told_count(t.relay), world_told_count(t.alice) - 1, "nor does it say that it has it");
    cr_assert_null(world_reply(t.w, asked));

    world_hold_store(t.relay, false);
    world_run(t.w, 8000);
    cr_assert_eq(world_sent_item(t.relay, &item), 1);
    cr_assert_eq(world_reply(t.w, asked)->reply.verdict, ERA_ACCEPTED);
    cr_assert_not_null(era_ledger_find(era_node_ledger(t.far->node), &item));
    world_free(t.w);
}

static bool alice_has_voted_in_memory(struct world *w, void *ctx)
{
    (void)w;
    const struct trio *t = ctx;
    const struct era_item *said[2];
    struct era_key key = given_key("alice").key;
    return era_ledger_spoken(era_node_ledger(t->alice->node), ERA_KIND_READINESS, 0, 1, &key, said) > 0;
}

Test(durability, R4_a_vote_leaves_only_after_it_is_stored)
{
    struct trio t = given_trio(2);
    world_propose(t.relay, given_soft(given_proposal(t.c, "network", 1), 30, "1.1.0"), "s1 s2");
    cr_assert(world_run_until(t.w, alice_has_voted_in_memory, &t, 5000));
    world_hold_store(t.alice, true);
    world_run(t.w, 8000);
    cr_assert_eq(world_ids(t.w, ERA_KIND_READINESS, "alice", "network", 1), 0);

    world_hold_store(t.alice, false);
    world_run(t.w, 1000);
    cr_assert_eq(world_ids(t.w, ERA_KIND_READINESS, "alice", "network", 1), 1);
    world_free(t.w);
}

Test(durability, R16_an_announcement_leaves_only_after_it_is_stored)
{
    struct trio t = given_trio(3);
    size_t before = world_sent(t.alice, ERA_KIND_ANNOUNCEMENT);
    world_hold_store(t.alice, true);
    world_run_to_epoch(t.w, WORLD_EPOCH + 3);
    cr_assert_eq(world_sent(t.alice, ERA_KIND_ANNOUNCEMENT), before);
    world_hold_store(t.alice, false);
    world_run(t.w, 500);
    cr_assert_gt(world_sent(t.alice, ERA_KIND_ANNOUNCEMENT), before);
    world_free(t.w);
}

static void a_failed_store_stops_the_voice_not_the_ears(int error)
{
    struct trio t = given_trio(4);
    struct era_bytes kept = given_proposed(t.c, "s1", given_proposal(t.c, "network", 1));
    struct era_hash item = given_item(t.c, kept);
    cr_assert_eq(world_submit(t.alice, kept), ERA_ACCEPTED);
    world_cut(t.alice, t.relay);
    world_run(t.w, 100);
    era_store_mem_fail_from(t.alice->store, 1, error);

    struct era_bytes lost = given_proposed(t.c, "s2", given_proposal(t.c, "network", 2));
    cr_assert_eq(world_submit(t.alice, lost), ERA_STORE_FAILED, "what is not kept is not acknowledged");
    cr_assert(era_node_store_failed(t.alice->node));
    cr_assert_eq(world_last_signal(t.alice, ERA_SIG_STORE)->error, error);
    size_t announced = world_sent(t.alice, ERA_KIND_ANNOUNCEMENT);
    uint64_t heard = world_now_ms(t.w) / 1000;

    /* Space is there again: it takes in, relays and serves, but says nothing itself. */
    era_store_mem_fail_from(t.alice->store, 0, 0);
    world_heal(t.alice, t.relay);
    world_propose(t.relay, given_soft(given_proposal(t.c, "network", 1), 40, "1.1.0"), "s1 s2");
    struct world_node *late = world_add(t.w, (struct world_setup){0});
    world_anchor(late, t.alice);
    world_start(late);
    world_run(t.w, 20000);
    cr_assert_not_null(era_ledger_find(era_node_ledger(late->node), &item), "it serves what it has");
    cr_assert_gt(world_sent(t.alice, ERA_KIND_APPROVE), 0, "and relays what it can keep");
    cr_assert_eq(world_ids(t.w, ERA_KIND_READINESS, "alice", "network", 1), 0, "no vote");
    cr_assert_eq(world_ids(t.w, ERA_KIND_ANNOUNCEMENT, "alice", "", heard + 5), 0, "no announcement");
    cr_assert_geq(world_sent(t.alice, ERA_KIND_ANNOUNCEMENT), announced);
    cr_assert_eq(world_emit(t.alice, "price")->reply.verdict, ERA_STORE_FAILED);
    struct era_hash waiting = given_id(t.c, given_soft(given_proposal(t.c, "network", 1), 40, "1.1.0"));
    cr_assert_eq(world_answer(t.alice, (struct era_command){.kind = ERA_CMD_READY, .proposal = waiting})
                     ->reply.verdict,
                 ERA_STORE_FAILED, "nor by hand");

    world_crash(t.alice);
    world_start(t.alice);
    world_run(t.w, 3000);
    cr_assert_not(era_node_store_failed(t.alice->node), "a restart is the way back");
    cr_assert_eq(world_ids(t.w, ERA_KIND_READINESS, "alice", "network", 1), 1);
    world_free(t.w);
}

Test(durability, R9_with_EIO_no_votes_no_announcements_yet_it_serves)
{
    a_failed_store_stops_the_voice_not_the_ears(-EIO);
}

Test(durability, R9_with_ENOSPC_no_votes_no_announcements_yet_it_serves)
{
    a_failed_store_stops_the_voice_not_the_ears(-ENOSPC);
}

/* ---- R4 over crashes ---- */

struct rivals {
    struct world *w;
    struct era_charter *c;
    struct world_node *alice, *relay;
    const struct era_proposal *a, *b;
    bool by_hand; /* votes are asked for, not cast by the daemon */
    bool died;
};

static void ask_for_a_vote(struct rivals *r, const struct era_proposal *p)
{
    if (r->by_hand && r->alice->node)
        world_ask(r->alice, (struct era_command){.kind = ERA_CMD_READY, .proposal = given_id(r->c, p)});
}

/* Proposal A spreads and alice votes; her process ends before its nth boundary (0: never). */
static struct rivals given_a_kill(uint64_t nth, bool lying_disk, bool by_hand)
{
    struct rivals r = {.c = given_charter(four, one_component), .by_hand = by_hand};
    r.w = world_new(r.c, 7);
    r.a = given_soft(given_proposal(r.c, "network", 1), 40, "1.1.0");
    /* It drops the first by name, so that nothing but the rule of one vote a slot forbids it. */
    r.b = given_drop(given_soft(given_proposal(r.c, "network", 1), 40, "1.2.0"), given_id(r.c, r.a));
    r.alice = world_add(r.w, (struct world_setup){.key = "alice", .votes = !by_hand});
    r.relay = world_add(r.w, (struct world_setup){0});
    world_anchor(r.relay, r.alice);
    era_store_mem_lose_synced(r.alice->store, lying_disk);
    r.alice->crash_at = nth;
    world_start_all(r.w);
    world_run(r.w, 100);
    world_propose(r.relay, r.a, "s1 s2");
    if (by_hand)
        world_run(r.w, 100); /* approved */
    ask_for_a_vote(&r, r.a);
    return r;
}

/* alice comes back, alone, and the first thing she hears is the rival; then everybody meets. Her operator
 * unlocks her key at once, so that only what the disk held can keep a second vote back. */
static void offer_the_rival(struct rivals *r)
{
    world_cut(r->alice, r->relay);
    world_start(r->alice);
    world_unlock(r->alice);
    world_propose(r->alice, r->b, "s3 s1");
    ask_for_a_vote(r, r->b);
    world_run(r->w, 500);
    world_heal(r->alice, r->relay);
    world_run(r->w, 15000);
}

static void kill_at_every_boundary(bool by_hand)
{
    size_t for_a = 0, for_b = 0, none = 0;
    uint64_t nth = 1;
    for (;; nth++) {
        struct rivals r = given_a_kill(nth, false, by_hand);
        world_run(r.w, 1500);
        r.died = r.alice->node == NULL;
        if (!r.died)
            world_crash(r.alice);
        size_t before = world_ids(r.w, ERA_KIND_READINESS, "alice", "network", 1);
        offer_the_rival(&r);
        size_t ids = world_ids(r.w, ERA_KIND_READINESS, "alice", "network", 1);
        cr_assert_leq(ids, 1, "killed at boundary %llu: %zu readiness ids", (unsigned long long)nth, ids);
        const struct era_item *said[2];
        struct era_key key = given_key("alice").key;
        if (era_ledger_spoken(era_node_ledger(r.alice->node), ERA_KIND_READINESS, 0, 1, &key, said) == 0)
            none++;
        else if (strcmp(said[0]->candidate->plan->entries[1].record.version, "1.1.0") == 0)
            for_a++;
        else
            for_b++;
        cr_assert(before == 0 || ids == 1);
        world_free(r.w);
        if (!r.died)
            break;
    }
    cr_assert_gt(nth, 20, "the enumeration saw few boundaries");
    cr_assert_gt(for_a, 0, "no run in which the first vote stood");
    cr_assert_gt(for_b, 0, "no run in which the rival was voted for");
    cr_assert_eq(none, 0);
}

Test(durability, R4_no_second_readiness_leaves_wherever_the_process_is_killed)
{
    kill_at_every_boundary(false);
}

/* A daemon that casts votes would repeat a lost one; here only what the disk held can keep the second back.
 */
Test(durability, R4_no_second_readiness_leaves_when_votes_are_asked_for_by_hand)
{
    kill_at_every_boundary(true);
}

static bool alice_voted_at_the_wire(struct world *w, void *unused)
{
    (void)unused;
    return world_ids(w, ERA_KIND_READINESS, "alice", "network", 1) == 1;
}

Test(durability, R4_lost_power_on_an_honest_disk_keeps_the_vote)
{
    struct rivals r = given_a_kill(0, false, false);
    cr_assert(world_run_until(r.w, alice_voted_at_the_wire, NULL, 5000));
    world_lose_power(r.alice);
    offer_the_rival(&r);
    cr_assert_eq(world_ids(r.w, ERA_KIND_READINESS, "alice", "network", 1), 1);
    world_free(r.w);
}

/* A lying disk that loses the vote's commit alone does no harm: the approvals were stored before it, so the
 * same vote is cast again. */
Test(durability, R4_a_lost_vote_is_cast_again_the_same)
{
    struct rivals r = given_a_kill(0, true, false);
    cr_assert(world_run_until(r.w, alice_voted_at_the_wire, NULL, 5000));
    world_lose_power(r.alice);
    cr_assert_gt(era_store_mem_counts(r.alice->store).lost, 0,
                 "the disk lost nothing: the test shows nothing");
    offer_the_rival(&r);
    cr_assert_eq(world_ids(r.w, ERA_KIND_READINESS, "alice", "network", 1), 1);
    world_free(r.w);
}

/* A disk said "durable" and forgot a vote, and then another vote is asked for. */
struct liar {
    struct world *w;
    struct era_charter *c;
    struct world_node *alice, *holds, *lacks; /* who heard the vote, and who was away */
    const struct era_proposal *b;
};

static struct liar given_a_forgotten_vote(void)
{
    struct liar l = {.c = given_charter(four, one_component)};
    l.w = world_new(l.c, 8);
    const struct era_proposal *a = given_soft(given_proposal(l.c, "network", 1), 40, "1.1.0");
    l.b = given_drop(given_soft(given_proposal(l.c, "network", 1), 40, "1.2.0"), given_id(l.c, a));
    l.alice = world_add(l.w, (struct world_setup){.key = "alice"});
    l.holds = world_add(l.w, (struct world_setup){0});
    l.lacks = world_add(l.w, (struct world_setup){0});
    world_anchor(l.holds, l.alice);
    world_anchor(l.lacks, l.alice);
    world_start_network(l.w);
    world_propose(l.alice, a, "s1 s2");
    world_propose(l.alice, l.b, "s3 s1");
    world_run(l.w, 200);
    world_cut(l.alice, l.lacks);
    era_store_mem_lose_synced(l.alice->store, true);
    world_ask(l.alice, (struct era_command){.kind = ERA_CMD_READY, .proposal = given_id(l.c, a)});
    cr_assert(world_run_until(l.w, alice_voted_at_the_wire, NULL, 500));
    world_run(l.w, 50); /* it arrives */
    world_lose_power(l.alice);
    cr_assert_eq(era_store_mem_counts(l.alice->store).lost, 1, "the vote, and nothing else");
    world_cut(l.alice, l.holds);
    world_start(l.alice);
    return l;
}

static enum era_verdict vote_for_the_other(const struct liar *l)
{
    return world_answer(l->alice,
                        (struct era_command){.kind = ERA_CMD_READY, .proposal = given_id(l->c, l->b)})
        ->reply.verdict;
}

/* Told by the node that heard the first. (The signer who approved both is told of too.) */
static size_t second_votes_told(const struct liar *l)
{
    size_t count, n = 0;
    const struct world_signal *signals = world_signals(l->w, &count);
    for (size_t i = 0; i < count; i++)
        n += signals[i].node == l->holds->number && signals[i].kind == ERA_SIG_EQUIVOCATION &&
             signals[i].item_kind == ERA_KIND_READINESS;
    return n;
}

Test(durability, R4_a_vote_that_a_lying_disk_forgot_is_missed_and_locks_the_key)
{
    struct liar l = given_a_forgotten_vote();
    cr_assert_eq(vote_for_the_other(&l), ERA_LOCKED, "alone, she does not know what she said");
    world_heal(l.alice, l.holds);
    world_run(l.w, 15000);
    cr_assert_eq(era_node_lock(l.alice->node), ERA_LOCK_MISSING);
    cr_assert_eq(vote_for_the_other(&l), ERA_LOCKED);
    world_run(l.w, 5000);
    cr_assert_eq(world_ids(l.w, ERA_KIND_READINESS, "alice", "network", 1), 1);
    cr_assert_eq(second_votes_told(&l), 0);
    world_free(l.w);
}

/* Out of promise: nobody whom she can reach holds the forgotten vote. This node alone cannot prevent the
 * second one; every peer sees it for what it is (N4). */
Test(durability, R4_a_disk_that_lies_makes_a_second_vote_that_peers_detect)
{
    struct liar l = given_a_forgotten_vote();
    world_heal(l.alice, l.lacks);
    world_settle(l.w);
    cr_assert_eq(vote_for_the_other(&l), ERA_ACCEPTED);
    world_heal(l.alice, l.holds);
    world_run(l.w, 15000);
    cr_assert_eq(world_ids(l.w, ERA_KIND_READINESS, "alice", "network", 1), 2);
    const struct world_signal *told = world_last_signal(l.holds, ERA_SIG_EQUIVOCATION);
    cr_assert_not_null(told);
    cr_assert_eq(told->item_kind, ERA_KIND_READINESS);
    cr_assert_eq(told->validator, given_validator_index(l.c, "alice"));
    cr_assert_eq(era_node_lock(l.alice->node), ERA_LOCK_MISSING, "she says no more");
    world_free(l.w);
}

/* ---- batches ---- */

/* "v0:1 v1:1" as "v0 v1". */
static const char *names_without_stakes(char *names)
{
    size_t to = 0;
    for (size_t from = 0; names[from]; from++)
        if (names[from] == ':')
            from++;
        else
            names[to++] = names[from];
    names[to] = '\0';
    return names;
}

Test(durability, a_batch_never_exceeds_what_a_store_takes)
{
    enum { VALIDATORS = 500, SLOTS = 4 };
    static char names[VALIDATORS * 12];
    size_t at = 0;
    for (int i = 0; i < VALIDATORS; i++)
        at += (size_t)snprintf(names + at, sizeof names - at, "v%d:1 ", i);
    struct era_charter *c = given_charter(names, one_component);
    struct world *w = world_new(c, 5);
    struct world_node *n = world_add(w, (struct world_setup){0});
    world_start(n);
    world_hold_store(n, true);
    for (uint64_t seq = 2; seq < 2 + SLOTS; seq++)
        for (int i = 0; i < VALIDATORS; i++) {
            char who[12];
            snprintf(who, sizeof who, "v%d", i);
            world_ask(n,
                      (struct era_command){.kind = ERA_CMD_SUBMIT,
                                           .bytes = given_ready(c, who, given_proposal(c, "network", seq))});
        }
    world_hold_store(n, false);
    world_run(w, 5000);
    cr_assert_eq(era_ledger_count(era_node_ledger(n->node)), VALIDATORS * SLOTS);

    /* An adoption above all of it collects 2,000 records at once (R9). */
    const struct era_proposal *p = given_proposal(c, "network", 9);
    cr_assert_eq(world_submit(n, given_certificate(c, p, "s1", "s1 s2", names_without_stakes(names), "")),
                 ERA_ACCEPTED);
    world_run(w, 5000);
    cr_assert_eq(n->oversized_batches, 0);
    cr_assert_not(era_node_store_failed(n->node));
    cr_assert_eq(era_ledger_count(era_node_ledger(n->node)), 1);

    world_crash(n);
    world_start(n);
    cr_assert_eq(era_ledger_count(era_node_ledger(n->node)), 1,
                 "what was collected is gone from the disk too");
    cr_assert_eq(world_head(n, "network"), 9);
    world_free(w);
}

/* What lies on the disk is read when it is asked for. */
Test(durability, a_body_that_cannot_be_read_is_told_and_harms_no_other)
{
    struct trio t = given_trio(4);
    struct era_hash items[100];
    size_t count = 0;
    for (uint64_t seq = 1; seq <= 50; seq++)
        for (int i = 0; i < 2; i++) {
            struct era_bytes e =
                given_proposed(t.c, i == 0 ? "s1" : "s2", given_proposal(t.c, "network", seq));
            items[count++] = given_item(t.c, e);
            cr_assert_eq(world_submit(t.alice, e), ERA_ACCEPTED);
        }
    world_run(t.w, 1000);
    struct era_store_key key = era_record_item(ERA_RECORD_STATEMENT, &items[0]);
    cr_assert(era_store_mem_flip_bit(t.alice->store, era_store_key_bytes(&key), 99));
    cr_assert_not(era_node_store_failed(t.alice->node));
    struct world_node *late = world_add(t.w, (struct world_setup){0});
    world_anchor(late, t.alice);
    world_cut(t.alice, t.relay);
    world_start(late);
    world_run(t.w, 10000);
    cr_assert(era_node_store_failed(t.alice->node));
    cr_assert_eq(world_last_signal(t.alice, ERA_SIG_STORE)->error, -EBADMSG);
    const struct era_ledger *l = era_node_ledger(late->node);
    cr_expect_null(era_ledger_find(l, &items[0]));
    for (size_t i = 1; i < count; i++)
        cr_assert_not_null(era_ledger_find(l, &items[i]), "%zu is served", i);
    world_free(t.w);
}
