/* The chain of charters in whole nodes: R10, R12, R16. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/succession.h"
#include "tests/node/world.h"

#define NODES 5
#define E     20

static const char *const names[NODES] = {"alice", "bob", "carol", "dave", "erin"};

struct net {
    struct world *w;
    struct era_charter *c, *next;
    struct world_node *n[NODES];
};

static struct era_charter *genesis(bool strict)
{
    struct era_charter *c = given_charter("alice:10 bob:10 carol:10 dave:10", "network k=2 signers=s1,s2");
    c->strict_emission = strict;
    era_charter_seal(c);
    return c;
}

/* Erin comes, alice goes; s3 comes, s1 goes. */
static struct era_charter *rotation(const struct era_charter *c, uint64_t effective)
{
    return given_next_charter(c, "bob:10 carol:10 dave:10 erin:10", "network k=2 signers=s2,s3", effective,
                              1000);
}

/* All linked with all. Who is among `voters` casts every vote; all go with a charter by themselves. */
static struct net given_net(struct era_charter *c, uint64_t seed, const char *voters)
{
    struct net t = {.c = c, .next = rotation(c, E), .w = world_new(c, seed)};
    for (int i = 0; i < NODES; i++) {
        t.n[i] = world_add(t.w, (struct world_setup){.key = names[i],
                                                     .charters = true,
                                                     .votes = strstr(voters, names[i]) != NULL,
                                                     .auto_dropped = true});
        for (int j = 0; j < i; j++)
            world_anchor(t.n[i], t.n[j]);
    }
    return t;
}

static struct net running(bool strict, uint64_t seed, const char *voters)
{
    struct net t = given_net(genesis(strict), seed, voters);
    world_start_network(t.w);
    return t;
}

static uint64_t version(const struct world_node *n)
{
    return era_node_charter(n->node)->version;
}

static uint64_t counting(const struct world_node *n)
{
    return era_node_counting_charter(n->node)->version;
}

struct wanted {
    const struct net *t;
    uint64_t version;
};

static bool all_at(struct world *w, void *ctx)
{
    const struct wanted *wanted = ctx;
    (void)w;
    for (int i = 0; i < NODES; i++)
        if (wanted->t->n[i]->node && version(wanted->t->n[i]) != wanted->version)
            return false;
    return true;
}

static bool everybody_at(const struct net *t, uint64_t of)
{
    struct wanted wanted = {t, of};
    return world_run_until(t->w, all_at, &wanted, 5000);
}

/* Propose it, and when its validators accepted, approve it. */
static void rotate(struct world_node *by, const struct era_charter *to, const char *first,
                   const char *signers)
{
    char text[64], *rest = NULL;
    strcpy(text, signers);
    cr_assert_eq(world_submit(by, given_charter_statement(to, first)), ERA_ACCEPTED);
    world_run(by->world, 300);
    for (char *who = strtok_r(text, " ", &rest); who; who = strtok_r(NULL, " ", &rest))
        cr_assert_eq(world_submit(by, given_charter_approve(to, who)), ERA_ACCEPTED);
}

/* Under a charter that follows, on no head. */
static struct era_proposal *under(const struct era_charter *c, const struct era_charter *first, uint64_t seq)
{
    struct era_proposal *p = given_proposal(first, "network", seq);
    p->slot.charter_version = c->version;
    return p;
}

/* ---- it goes on ---- */

Test(chain, R10_signers_and_validators_change)
{
    struct net t = running(false, 3, "");
    rotate(t.n[0], t.next, "s1", "s1 s2 s3");
    cr_assert(everybody_at(&t, 1));
    cr_expect_eq(counting(t.n[4]), 0, "not yet");
    world_run_to_epoch(t.w, E + 1);
    for (int i = 0; i < NODES; i++)
        cr_expect_eq(counting(t.n[i]), 1);
    world_propose(t.n[1], given_soft(under(t.next, t.c, 1), E + 4, "1.1.0"), "s3 s2");
    for (int i = 1; i < NODES; i++) {
        struct era_hash id = given_id(t.c, given_soft(under(t.next, t.c, 1), E + 4, "1.1.0"));
        world_run(t.w, 100);
        world_answer(t.n[i], (struct era_command){.kind = ERA_CMD_READY, .proposal = id});
    }
    world_run_to_epoch(t.w, E + 4);
    world_run(t.w, 200);
    for (int i = 0; i < NODES; i++)
        cr_expect_str_eq(world_version(t.n[i], "network"), "1.1.0");
    cr_expect(world_converged(t.w, NULL));
    world_free(t.w);
}

Test(chain, R10_nobody_accepts_or_closes_by_itself_unless_it_is_told_to)
{
    struct net t = given_net(genesis(false), 3, "");
    for (int i = 0; i < NODES; i++)
        t.n[i]->setup.charters = false;
    world_start_network(t.w);
    cr_assert_eq(world_submit(t.n[0], given_charter_statement(t.next, "s1")), ERA_ACCEPTED);
    world_run(t.w, 500);
    cr_expect_eq(world_sent(t.n[1], ERA_KIND_ACCEPT), 0);
    struct era_command accept = {.kind = ERA_CMD_ACCEPT, .proposal = t.next->hash},
                       close = {.kind = ERA_CMD_CLOSE, .proposal = t.next->hash};
    cr_expect_eq(world_answer(t.n[0], accept)->reply.verdict, ERA_UNKNOWN_KEY, "alice goes");
    cr_expect_eq(world_answer(t.n[1], close)->reply.verdict, ERA_NOT_APPROVED);
    for (int i = 1; i < NODES; i++)
        cr_expect_eq(world_answer(t.n[i], accept)->reply.verdict, ERA_ACCEPTED);
    world_run(t.w, 200);
    for (const char *const *who = (const char *const[]){"s1", "s2", "s3", NULL}; *who; who++)
        world_submit(t.n[0], given_charter_approve(t.next, *who));
    world_run(t.w, 500);
    cr_expect_eq(version(t.n[0]), 0);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(world_answer(t.n[i], close)->reply.verdict, ERA_ACCEPTED);
    cr_expect_eq(world_answer(t.n[4], close)->reply.verdict, ERA_UNKNOWN_KEY, "erin is new");
    cr_expect(everybody_at(&t, 1));
    world_free(t.w);
}

/* Accepts bind nothing: one bad signer that proposes charters may not use them up. */
Test(chain, R10_R13_two_charters_of_a_bad_signer_keep_nobody_from_accepting_the_third)
{
    struct era_charter *c =
        given_charter("alice:10 bob:10 carol:10 dave:10", "network k=3 signers=s1,s2,s3,s4");
    struct net t = given_net(c, 61, "");
    world_start_network(t.w);
    for (uint64_t bad = 1; bad <= 2; bad++)
        world_submit(t.n[0], given_charter_statement(rotation(c, E + bad), "s1"));
    world_run(t.w, 1000);
    cr_assert_eq(world_submit(t.n[0], given_charter_statement(t.next, "s2")), ERA_ACCEPTED);
    world_run(t.w, 3000);
    for (int i = 0; i < NODES; i++)
        cr_expect_eq(era_ledger_successor(era_node_ledger(t.n[i]->node), &t.next->hash)->accept_stake, 40);
    world_free(t.w);
}

static struct era_hash said_by_s1(const struct era_charter *c)
{
    struct era_envelope e;
    struct era_hash root = given_root(c), id;
    era_envelope_decode(given_charter_statement(c, "s1"), &e);
    id = era_statement_id(&root, e.kind, e.payload);
    return era_item_id_loose(&id, &e.key);
}

static int by_id(const void *a, const void *b)
{
    struct era_hash x = said_by_s1(*(struct era_charter *const *)a),
                    y = said_by_s1(*(struct era_charter *const *)b);
    return era_hash_cmp(&x, &y);
}

static const struct era_successor *proposed_at(const struct world_node *n, const struct era_charter *c)
{
    return era_ledger_successor(era_node_ledger(n->node), &c->hash);
}

/* What the key said of a charter that was displaced is gone; it is no sign of an old store when it comes
 * back. */
Test(chain, R6_a_charter_that_goes_and_comes_back_with_ones_own_accept_locks_no_key)
{
    struct net t = given_net(genesis(false), 67, "");
    struct era_charter *three[3];
    for (int i = 0; i < NODES; i++)
        t.n[i]->setup.charters = false;
    world_start_network(t.w);
    for (uint64_t i = 0; i < 3; i++)
        three[i] = rotation(t.c, E + i);
    qsort(three, 3, sizeof three[0], by_id);
    world_submit(t.n[0], given_charter_statement(three[2], "s1"));
    world_run(t.w, 500);
    struct era_command accept = {.kind = ERA_CMD_ACCEPT, .proposal = three[2]->hash};
    cr_assert_eq(world_answer(t.n[1], accept)->reply.verdict, ERA_ACCEPTED);
    world_run(t.w, 500);
    cr_expect_eq(proposed_at(t.n[4], three[2])->accept_stake, 10);
    for (int i = 0; i < 2; i++)
        world_submit(t.n[0], given_charter_statement(three[i], "s1"));
    world_run(t.w, 1000);
    for (int i = 0; i < NODES; i++)
        cr_expect_null(proposed_at(t.n[i], three[2]));
    world_submit(t.n[0], given_charter_approve(three[2], "s2"));
    world_submit(t.n[0], given_charter_statement(three[2], "s1"));
    cr_assert_eq(world_submit(t.n[0], given_accept(three[2], "bob")), ERA_ACCEPTED);
    world_run(t.w, 10000);
    for (int i = 0; i < NODES; i++)
        cr_expect_eq(proposed_at(t.n[i], three[2])->accept_stake, 10);
    cr_expect_eq(era_node_lock(t.n[1]->node), ERA_LOCK_NONE);
    world_free(t.w);
}

/* ---- no entry is lost ---- */

Test(chain, R10_an_entry_of_an_open_slot_survives_the_rotation)
{
    struct net t = running(false, 5, "alice bob");
    struct era_proposal *open = given_soft(given_proposal(t.c, "network", 1), 40, "1.1.0");
    world_propose(t.n[0], open, "s1 s2");
    world_run(t.w, 500);
    cr_assert_eq(world_ids(t.w, ERA_KIND_READINESS, "alice", "network", 1), 1);
    rotate(t.n[0], t.next, "s1", "s1 s2 s3");
    cr_assert(everybody_at(&t, 1));
    struct era_hash id = given_id(t.c, open);
    struct era_command ready = {.kind = ERA_CMD_READY, .proposal = id};
    cr_expect_eq(world_answer(t.n[2], ready)->reply.verdict, ERA_NOT_FOUND, "it is of the charter before");
    world_run_to_epoch(t.w, E + 1);

    struct era_proposal *without = given_soft(under(t.next, t.c, 1), 50, "1.2.0");
    world_propose(t.n[1], without, "s2 s3");
    world_run(t.w, 200);
    for (int i = 1; i < NODES; i++)
        cr_expect_eq(world_answer(t.n[i], (struct era_command){.kind = ERA_CMD_READY,
                                                               .proposal = given_id(t.c, without)})
                         ->reply.verdict,
                     ERA_NOT_EXTENDING);
    struct era_proposal *with = given_soft(given_soft(under(t.next, t.c, 2), 40, "1.1.0"), 50, "1.2.0");
    world_propose(t.n[1], with, "s2 s3");
    world_run(t.w, 200);
    for (int i = 1; i < NODES; i++)
        world_answer(t.n[i], (struct era_command){.kind = ERA_CMD_READY, .proposal = given_id(t.c, with)});
    world_run_to_epoch(t.w, 40);
    world_run(t.w, 200);
    for (int i = 0; i < NODES; i++)
        cr_expect_str_eq(world_version(t.n[i], "network"), "1.1.0");
    world_free(t.w);
}

/* Its last vote arrives when the new charter is long adopted. */
Test(chain, R10_a_slot_adopted_late_under_the_old_charter_is_the_head)
{
    struct net t = running(false, 6, "alice bob");
    struct era_proposal *open = given_soft(given_proposal(t.c, "network", 1), 40, "1.1.0");
    world_propose(t.n[0], open, "s1 s2");
    world_run(t.w, 500);
    rotate(t.n[0], t.next, "s1", "s1 s2 s3");
    cr_assert(everybody_at(&t, 1));
    cr_assert_eq(world_submit(t.n[0], given_ready(t.c, "carol", open)),
                 ERA_ACCEPTED); /* carol closed: faulty */
    world_run(t.w, 500);
    for (int i = 0; i < NODES; i++)
        cr_expect_eq(world_head(t.n[i], "network"), 1);
    cr_expect(world_converged(t.w, NULL));
    world_free(t.w);
}

/* ---- who slept ---- */

Test(chain, R10_who_slept_over_three_charters_catches_up_from_peers)
{
    struct net t = given_net(genesis(false), 7, "");
    world_start_network(t.w);
    world_crash(t.n[3]);
    const struct era_charter *one = t.next, *two = given_next_charter(one, NULL, NULL, E + 1, 1000),
                             *three = given_next_charter(two, NULL, NULL, E + 2, 1000);
    rotate(t.n[0], one, "s1", "s1 s2 s3");
    cr_assert(everybody_at(&t, 1));
    rotate(t.n[0], two, "s2", "s2 s3");
    cr_assert(everybody_at(&t, 2));
    rotate(t.n[0], three, "s2", "s2 s3");
    cr_assert(everybody_at(&t, 3));
    world_run_to_epoch(t.w, E + 3);
    world_start(t.n[3]);
    cr_expect(everybody_at(&t, 3));
    cr_expect_eq(counting(t.n[3]), 3, "at once, not with the next epoch");
    world_run(t.w, 2000);
    cr_expect_eq(era_node_gate(t.n[3]->node, 0)->state, ERA_GATE_CURRENT);
    cr_expect(world_run_until(t.w, world_converged, NULL, 5000));
    const struct era_ledger *first = era_node_ledger(t.n[0]->node);
    while (era_ledger_older(first))
        first = era_ledger_older(first);
    for (int v = 0; v < 4; v++)
        cr_expect_null(era_ledger_announcement(first, v, ERA_EPOCH_MAX, NULL), "it is left behind");
    world_free(t.w);
}

Test(chain, R10_a_network_that_loses_power_at_any_time_goes_on)
{
    for (int cut = 0; cut < 5; cut++) {
        struct net t = running(false, 11 + (uint64_t)cut, "");
        world_submit(t.n[0], given_charter_statement(t.next, "s1"));
        for (int step = 0; step < 5; step++) {
            world_run(t.w, step == cut ? 25 : 300);
            if (step == cut) {
                for (int i = 0; i < NODES; i++)
                    world_lose_power(t.n[i]);
                world_start_all(t.w);
                world_settle(t.w);
                world_run(t.w, 300);
            }
            if (step < 3) /* what was lost is said again by its author */
                world_submit(t.n[step], given_charter_statement(t.next, "s1"));
            world_run(t.w, 300);
            for (int s = 1; s <= step && s <= 3; s++)
                world_submit(t.n[step], given_charter_approve(t.next, s == 1 ? "s1" : s == 2 ? "s2" : "s3"));
        }
        cr_expect(everybody_at(&t, 1), "cut at step %d", cut);
        world_run_to_epoch(t.w, E + 8);
        for (int i = 0; i < NODES; i++)
            cr_expect_eq(counting(t.n[i]), 1, "cut at step %d", cut);
        for (int i = 1; i < NODES; i++)
            cr_expect_leq(world_ids(t.w, ERA_KIND_CLOSE, names[i], "", 1), 1);
        world_free(t.w);
    }
}

Test(chain, R10_a_start_finds_the_chain_again_whatever_the_order_on_disk)
{
    struct net t = running(false, 19, "");
    const struct era_charter *two = given_next_charter(t.next, NULL, NULL, E, 1000);
    rotate(t.n[0], t.next, "s1", "s1 s2 s3");
    cr_assert(everybody_at(&t, 1));
    world_run_to_epoch(t.w, E + 1);
    rotate(t.n[0], two, "s2", "s2 s3");
    cr_assert(everybody_at(&t, 2));
    world_run(t.w, 2500);
    struct era_hash before = world_digest(t.n[1]);
    uint64_t refused = era_node_stats(t.n[1]->node)->restore_refused;
    for (int i = 0; i < NODES; i++)
        world_crash(t.n[i]);
    world_start(t.n[1]); /* alone: from its disk */
    struct era_hash after = world_digest(t.n[1]);
    cr_expect(era_hash_eq(&before, &after));
    cr_expect_eq(version(t.n[1]), 2);
    cr_expect_eq(counting(t.n[1]), 2, "in its first step");
    cr_expect_eq(era_node_stats(t.n[1]->node)->restore_refused, refused);
    world_free(t.w);
}

/* Only charters that were rejected name s9. What it said of them twice is for people, and is found again. */
Test(chain, I12_what_is_known_of_rejected_charters_is_read_at_every_start)
{
    struct net t = running(false, 71, "");
    world_run(t.w, 300);
    for (uint64_t i = 1; i <= 2; i++) {
        struct era_charter *rejected =
            given_next_charter(t.c, NULL, "network k=2 signers=s2,s9", E + i, 1000);
        cr_assert_eq(world_submit(t.n[0], given_charter_statement(rejected, "s1")), ERA_ACCEPTED);
        cr_assert_eq(world_submit(t.n[0], given_charter_approve(rejected, "s9")), ERA_ACCEPTED);
    }
    world_run(t.w, 1000);
    rotate(t.n[0], t.next, "s2", "s1 s2 s3");
    cr_assert(everybody_at(&t, 1));
    world_run(t.w, 1000);
    for (int start = 0; start < 2; start++) {
        const struct era_ledger *old = era_ledger_older(era_node_ledger(t.n[1]->node));
        cr_expect_eq(era_ledger_evidence(old, NULL, 0), 1);
        world_crash(t.n[1]);
        world_start(t.n[1]);
        cr_expect_eq(era_node_stats(t.n[1]->node)->restore_refused, 0);
        world_run(t.w, 1000);
    }
    world_free(t.w);
}

static struct era_hash certificate_of(const struct era_charter *c)
{
    return era_item_id_carrier(ERA_KIND_CHARTER_CERTIFICATE, &c->hash);
}

/* A start finds an adoption again; the lock that came after it is not lifted by it (protocol §9). */
Test(chain, R4_a_start_that_reads_the_chain_backwards_leaves_the_key_locked)
{
    struct net t = running(false, 53, "");
    struct era_charter *two = given_next_charter(t.next, NULL, NULL, E, 1000);
    struct era_hash first = certificate_of(t.next), second = certificate_of(two);
    for (; era_hash_cmp(&second, &first) > 0; second = certificate_of(two)) { /* records lie by it */
        two->effective++;
        era_charter_seal(two);
    }
    rotate(t.n[0], t.next, "s1", "s1 s2 s3");
    cr_assert(everybody_at(&t, 1));
    rotate(t.n[0], two, "s2", "s2 s3");
    cr_assert(everybody_at(&t, 2));
    world_run_to_epoch(t.w, two->effective + 2);
    world_run(t.w, 300);
    struct era_announcement elsewhere = given_running(two, era_node_epoch(t.n[1]->node), "9.9.9");
    cr_assert_eq(world_submit(t.n[3], given_announce(two, "bob", &elsewhere)), ERA_ACCEPTED);
    world_run(t.w, 500);
    cr_assert_eq(era_node_lock(t.n[1]->node), ERA_LOCK_MISSING);
    world_crash(t.n[1]);
    world_start(t.n[1]);
    world_run(t.w, 12000);
    cr_expect_eq(era_node_lock(t.n[1]->node), ERA_LOCK_MISSING);
    world_free(t.w);
}

/* ---- which charter an epoch counts under ---- */

Test(chain, R16_one_announcement_an_epoch_under_the_charter_that_counts)
{
    struct net t = running(true, 23, "");
    rotate(t.n[0], t.next, "s1", "s1 s2 s3");
    cr_assert(everybody_at(&t, 1));
    world_run_to_epoch(t.w, E + 4);
    size_t count, old = 0, new = 0;
    const struct world_said *said = world_said(t.w, &count);
    for (size_t i = 0; i < count; i++) {
        if (said[i].kind != ERA_KIND_ANNOUNCEMENT)
            continue;
        cr_expect_eq(said[i].charter_version, said[i].seq < E ? 0u : 1u, "epoch %llu",
                     (unsigned long long)said[i].seq);
        (said[i].seq < E ? &old : &new)[0]++;
    }
    cr_expect_gt(old, 0);
    cr_expect_gt(new, 0);
    for (uint64_t epoch = WORLD_EPOCH; epoch < E + 4; epoch++) {
        cr_expect_eq(world_ids(t.w, ERA_KIND_ANNOUNCEMENT, "bob", "", epoch), 1);
        cr_expect_eq(world_ids(t.w, ERA_KIND_ANNOUNCEMENT, "erin", "", epoch), epoch < E ? 0 : 1);
        cr_expect_eq(world_ids(t.w, ERA_KIND_ANNOUNCEMENT, "alice", "", epoch), epoch < E ? 1 : 0);
    }
    world_free(t.w);
}

/* Who announced under a charter that counts no more, two or more behind, is as fresh as before. */
Test(chain, N6_of_two_charters_adopted_before_they_count_neither_silences_those_who_stay)
{
    for (uint64_t apart = 0; apart <= 5; apart += 5) {
        struct net t = running(false, 59, "");
        rotate(t.n[0], t.next, "s1", "s1 s2 s3");
        cr_assert(everybody_at(&t, 1));
        rotate(t.n[0], given_next_charter(t.next, NULL, NULL, E + apart, 1000), "s2", "s2 s3");
        cr_assert(everybody_at(&t, 2));
        world_run_to_epoch(t.w, E);
        world_run(t.w, 2);
        for (int i = 1; i < NODES; i++) {
            cr_expect_eq(counting(t.n[i]), apart ? 1 : 2);
            cr_expect_geq(era_node_fresh_stake(t.n[i]->node), 30, "node %d, %d apart", i, (int)apart);
            cr_expect_eq(world_gate(t.n[i]), ERA_GATE_CURRENT, "node %d, %d apart", i, (int)apart);
        }
        world_free(t.w);
    }
}

/* Validators that stay keep the network emitting; nobody emits in one epoch under two charters. */
Test(chain, N7_strict_emission_goes_on_over_a_rotation_one_era_an_epoch)
{
    struct net t = running(true, 29, "alice bob carol dave erin");
    world_propose(t.n[0], given_breaking(given_proposal(t.c, "network", 1), E, "2.0.0"), "s1 s2");
    world_run(t.w, 500);
    rotate(t.n[0], t.next, "s1", "s1 s2 s3");
    cr_assert(everybody_at(&t, 1));
    for (uint64_t epoch = 15; epoch < E + 5; epoch++) {
        world_run_to_epoch(t.w, epoch);
        world_run(t.w, 500);
        size_t emitted = 0;
        for (int i = 0; i < NODES; i++) {
            const struct world_reply *r = world_emit(t.n[i], "x");
            bool may = r->reply.verdict == ERA_ACCEPTED;
            emitted += may;
            if (may)
                cr_expect_str_eq(world_version(t.n[i], "network"), epoch < E ? "1.0.0" : "2.0.0");
        }
        cr_expect_eq(emitted, 4, "epoch %llu: %zu", (unsigned long long)epoch, emitted);
    }
    world_free(t.w);
}

Test(chain, R10_who_closes_late_counts_when_it_comes)
{
    struct net t = running(false, 31, "");
    for (int i = 0; i < 4; i++)
        world_cut(t.n[3], t.n[i]);
    world_cut(t.n[3], t.n[4]);
    rotate(t.n[0], t.next, "s1", "s1 s2 s3");
    world_run(t.w, 3000);
    cr_assert_eq(version(t.n[0]), 1);
    cr_assert_eq(version(t.n[3]), 0);
    cr_assert_eq(world_submit(t.n[0], given_close(t.next, "dave", NULL)), ERA_ACCEPTED);
    world_run(t.w, 500);
    cr_expect_eq(era_ledger_next(era_ledger_older(era_node_ledger(t.n[4]->node)), NULL)->close_stake, 40);
    world_free(t.w);
}

static const struct era_successor *adopted_at(const struct world_node *n)
{
    return era_ledger_next(era_ledger_older(era_node_ledger(n->node)), NULL);
}

/* Alice is faulty: she says that she leased the last of all epochs, and without her it is not adopted. */
static struct net adopted_by_a_faulty_close(bool by_itself)
{
    struct net t = given_net(genesis(false), 43, "");
    t.n[0]->setup.key = NULL;
    t.n[3]->setup.charters = by_itself;
    world_start_network(t.w);
    world_crash(t.n[3]);
    cr_assert_eq(world_submit(t.n[0], given_charter_statement(t.next, "s1")), ERA_ACCEPTED);
    world_run(t.w, 300);
    world_submit(t.n[0], given_close(t.next, "alice", given_last(given_closing(t.next), ERA_EPOCH_MAX)));
    for (const char *const *who = (const char *const[]){"s1", "s2", "s3", NULL}; *who; who++)
        world_submit(t.n[0], given_charter_approve(t.next, *who));
    cr_assert(everybody_at(&t, 1));
    cr_assert_eq(adopted_at(t.n[1])->counts_from, ERA_EPOCH_MAX + 1);
    world_start(t.n[3]);
    world_settle(t.w);
    cr_assert(everybody_at(&t, 1));
    world_run(t.w, 500);
    return t;
}

Test(chain, R10_who_was_away_closes_late_and_a_faulty_last_freezes_nothing)
{
    struct net t = adopted_by_a_faulty_close(true);
    world_run_to_epoch(t.w, E + 1);
    for (int i = 0; i < NODES; i++) {
        cr_expect_eq(adopted_at(t.n[i])->close_stake, 40, "node %d", i);
        cr_expect_eq(counting(t.n[i]), 1, "node %d", i);
    }
    cr_expect_eq(world_ids(t.w, ERA_KIND_CLOSE, "dave", "", 1), 1);
    world_free(t.w);
}

Test(chain, R10_a_late_close_is_said_when_asked_and_once)
{
    struct net t = adopted_by_a_faulty_close(false);
    struct era_command close = {.kind = ERA_CMD_CLOSE, .proposal = t.next->hash};
    cr_expect_eq(world_ids(t.w, ERA_KIND_CLOSE, "dave", "", 1), 0);
    cr_expect_eq(world_answer(t.n[3], close)->reply.verdict, ERA_ACCEPTED);
    cr_expect_eq(world_answer(t.n[3], close)->reply.verdict, ERA_DUPLICATE);
    cr_expect_eq(world_answer(t.n[0], close)->reply.verdict, ERA_NO_KEY);
    world_free(t.w);
}

Test(chain, R10_a_close_known_by_the_certificate_alone_binds_its_key)
{
    struct era_charter *c = genesis(false), *next = rotation(c, E);
    struct world *w = world_new(c, 47);
    struct world_node *dave = world_add(w, (struct world_setup){.key = "dave"}); /* its store was lost */
    world_start(dave);
    struct era_bytes adoption =
        given_charter_certificate(next, "s1 s2", "s2 s3", "bob carol erin", "alice bob dave");
    cr_assert_eq(world_submit(dave, adoption), ERA_ACCEPTED);
    struct era_command close = {.kind = ERA_CMD_CLOSE, .proposal = next->hash};
    cr_expect_eq(world_answer(dave, close)->reply.verdict, ERA_DUPLICATE);
    const struct era_ledger *old = era_ledger_older(era_node_ledger(dave->node));
    struct era_key key = given_key("dave").key;
    cr_expect_not(era_succession_bars_lease(old, &key, E - 1));
    cr_expect(era_succession_bars_lease(old, &key, E));
    world_free(w);
}

/* ---- leaked keys of retired validators ---- */

Test(chain, R10_a_leaked_key_of_the_old_charter_has_no_effect_above_carried_and_none_alone_below)
{
    struct net t = running(false, 37, "");
    t.next = given_next_charter(t.c, "bob:10 carol:10 dave:10 erin:10", "network k=2 signers=s2,s3", E, 5);
    rotate(t.n[0], t.next, "s1", "s1 s2 s3");
    cr_assert(everybody_at(&t, 1));
    struct era_hash before = world_digest(t.n[1]);
    struct era_proposal *above = given_soft(given_proposal(t.c, "network", 6), 40, "6.6.6"),
                        *below = given_soft(given_proposal(t.c, "network", 5), 40, "5.5.5");
    cr_expect_eq(world_submit(t.n[0], given_ready(t.c, "alice", above)), ERA_DOMINATED);
    cr_expect_eq(world_submit(t.n[0], given_certificate(t.c, above, "s1", "s1 s2", "alice bob carol", "")),
                 ERA_DOMINATED);
    cr_expect_eq(world_submit(t.n[0], given_ready(t.c, "alice", below)), ERA_ACCEPTED);
    cr_expect_eq(world_submit(t.n[0], given_certificate(t.c, below, "s1", "s1 s2", "alice bob", "")),
                 ERA_INCOMPLETE);
    world_run(t.w, 500);
    struct era_hash after = world_digest(t.n[1]);
    cr_expect(era_hash_eq(&before, &after));
    world_free(t.w);
}

/* ---- two adopted charters of one version ---- */

Test(chain, R12_two_adopted_charters_stop_the_network_for_good)
{
    struct net t = running(false, 41, "");
    rotate(t.n[0], t.next, "s1", "s1 s2 s3");
    cr_assert(everybody_at(&t, 1));
    cr_expect_neq(world_gate(t.n[2]), ERA_GATE_FORKED);
    struct era_bytes rival = given_charter_certificate(given_rival_charter(t.next), "s1 s2", "s2 s3",
                                                       "bob carol erin", "alice bob carol");
    cr_assert_eq(world_submit(t.n[0], rival), ERA_ACCEPTED);
    world_run(t.w, 500);
    for (int i = 0; i < NODES; i++) {
        cr_expect_eq(world_gate(t.n[i]), ERA_GATE_FORKED);
        cr_expect_eq(world_emit(t.n[i], "x")->reply.verdict, i == 4 ? ERA_NO_KEY : ERA_FORKED);
    }
    struct era_proposal *slot = given_soft(under(t.next, t.c, 1), 40, "1.1.0");
    world_propose(t.n[1], slot, "s2 s3");
    struct era_command ready = {.kind = ERA_CMD_READY, .proposal = given_id(t.c, slot)};
    cr_expect_eq(world_answer(t.n[1], ready)->reply.verdict, ERA_FORKED);
    world_run_to_epoch(t.w, E + 3);
    for (int i = 0; i < NODES; i++)
        world_crash(t.n[i]);
    world_start(t.n[1]);
    cr_expect_eq(world_gate(t.n[1]), ERA_GATE_FORKED, "after a start, too");
    size_t count;
    const struct world_said *said = world_said(t.w, &count);
    for (size_t i = 0; i < count; i++)
        cr_expect(!said[i].lease || said[i].seq <= WORLD_EPOCH + 2);
    world_free(t.w);
}
