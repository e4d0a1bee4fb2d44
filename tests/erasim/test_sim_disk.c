#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/erasim/seven.h"

/* ---- disks ---- */

/* Alone: nothing comes back from peers. */
static void alone(struct sim *s, struct sim_node *n)
{
    sim_side(s, n->number, 1);
}

Test(disk, a_commit_that_fails_is_told_and_stops_votes)
{
    struct sim *s = given_meshed();
    sim_disk_fail(s, node(s, 0), 1, -EIO);
    uint64_t request = propose(s, node(s, 0), "1.1.0");
    pass_ms(s, 200);
    cr_assert_eq(sim_reply(s, request)->verdict, ERA_STORE_FAILED);
    cr_assert(era_node_store_failed(node(s, 0)->node));
    cr_assert_gt(s->counts.struck[SIM_FAULT_DISK_ERROR], 0);
    sim_disk_fail(s, node(s, 0), 0, 0);
    sim_crash(s, node(s, 0));
    sim_start(s, node(s, 0));
    pass_ms(s, 2000);
    propose(s, node(s, 0), "1.1.0");
    pass_ms(s, 2000);
    cr_assert_eq(adopted_count(s), 7);
    sim_free(s);
}

struct results {
    size_t failed, cancelled;
};

static void count_results(void *ctx, struct sim *s, struct sim_node *n, const struct era_event *event,
                          const struct era_effect *effects, size_t count)
{
    struct results *r = ctx;
    (void)s, (void)n, (void)effects, (void)count;
    r->failed += event->kind == ERA_EV_STORED && event->error == -EIO;
    r->cancelled += event->kind == ERA_EV_STORED && event->error == -ECANCELED;
}

Test(disk, what_builds_on_a_lost_batch_is_cancelled)
{
    struct sim *s = given_meshed();
    struct results r = {0};
    sim_watch(s, (struct sim_watch){.ctx = &r, .stepped = count_results});
    alone(s, node(s, 0));
    pass_ms(s, 100);
    sim_disk_fail(s, node(s, 0), 1, -EIO);
    propose(s, node(s, 0), "1.1.0"); /* two batches */
    pass_ms(s, 200);
    cr_assert_eq(r.failed, 1);
    cr_assert_eq(r.cancelled, 1);
    sim_free(s);
}

Test(disk, what_is_held_is_not_said)
{
    struct sim *s = given_meshed();
    sim_disk_hold(s, node(s, 0), true);
    uint64_t request = propose(s, node(s, 0), "1.1.0");
    pass_ms(s, 500);
    cr_assert_null(sim_reply(s, request));
    sim_disk_hold(s, node(s, 0), false);
    pass_ms(s, 2000);
    cr_assert_eq(sim_reply(s, request)->verdict, ERA_ACCEPTED);
    cr_assert_eq(adopted_count(s), 7);
    sim_free(s);
}

Test(disk, I12_a_crash_keeps_what_was_committed)
{
    struct sim *s = given_meshed();
    propose(s, node(s, 0), "1.1.0");
    pass_ms(s, 2000);
    sim_crash(s, node(s, 0));
    alone(s, node(s, 0));
    sim_start(s, node(s, 0));
    cr_assert(adopted(node(s, 0)));
    cr_assert_eq(s->counts.restarts, 1);
    sim_free(s);
}

Test(disk, a_crash_loses_what_was_not_committed)
{
    struct sim *s = given_meshed();
    alone(s, node(s, 0));
    sim_disk_slow(s, node(s, 0), 1000);
    uint64_t request = propose(s, node(s, 0), "1.1.0");
    pass_ms(s, 500);
    sim_lose_power(s, node(s, 0));
    sim_start(s, node(s, 0));
    pass_ms(s, 3000);
    cr_assert_null(sim_reply(s, request));
    cr_assert_eq(node(s, 0)->trust, SIM_HONEST);
    cr_assert_gt(s->counts.struck[SIM_FAULT_SLOW_DISK], 0);
    sim_free(s);
}

Test(disk, one_that_lied_makes_its_node_faulty)
{
    struct sim *s = given_meshed();
    sim_lose_power_torn(s, node(s, 0));
    cr_assert_eq(node(s, 0)->trust, SIM_FAULTY);
    cr_assert_eq(sim_key_trust(s, &node(s, 0)->key->secret.key), SIM_FAULTY);
    cr_assert_eq(sim_key_trust(s, &node(s, 1)->key->secret.key), SIM_HONEST);
    sim_free(s);
}

Test(disk, a_flipped_bit_costs_the_store_and_peers_give_it_back)
{
    struct sim *s = given_meshed();
    propose(s, node(s, 0), "1.1.0");
    pass_ms(s, 2000);
    sim_crash(s, node(s, 0));
    cr_assert(sim_disk_flip(s, node(s, 0)));
    sim_start(s, node(s, 0));
    cr_assert_not(adopted(node(s, 0)));
    pass_ms(s, 20000);
    cr_assert(adopted(node(s, 0)));
    cr_assert_eq(node(s, 0)->trust, SIM_HONEST);
    sim_free(s);
}

Test(disk, an_old_backup_makes_its_node_faulty)
{
    struct sim *s = given_meshed();
    sim_disk_backup(s, node(s, 0));
    propose(s, node(s, 0), "1.1.0");
    pass_ms(s, 2000);
    cr_assert(adopted(node(s, 0)));
    sim_crash(s, node(s, 0));
    sim_disk_restore_backup(s, node(s, 0));
    alone(s, node(s, 0));
    sim_start(s, node(s, 0));
    cr_assert_not(adopted(node(s, 0)));
    cr_assert_eq(node(s, 0)->trust, SIM_FAULTY);
    sim_free(s);
}

/* ---- congestion ---- */

#define CROWD_SIGNERS 32
#define CROWD_SEQS    64

static struct sim *given_crowd(char *signers)
{
    char components[16 * 512] = "";
    for (size_t i = 0; i < CROWD_SIGNERS; i++)
        sprintf(signers + strlen(signers), "%ss%zu", i ? "," : "", i);
    for (size_t i = 0; i < 9; i++)
        sprintf(components + strlen(components), "%s k=1 signers=%s%s",
                i ? (char[]){'c', (char)('0' + i), 0} : "network", signers, i < 8 ? "; " : "");
    struct sim_plan plan = {.seed = 1, .epoch_ms = EPOCH_MS, .epochs = 20};
    struct sim *s = sim_new_empty(&plan, charter_with("v0:1", components));
    sim_add_node(s, "a", NULL);
    sim_add_node(s, "b", NULL);
    sim_anchor(s, 0, 1);
    return s;
}

/* a takes in rejections of every signer, for every slot of every component. */
static void crowd(struct sim *s)
{
    for (size_t i = 0; i < 9; i++)
        for (uint64_t seq = 1; seq <= CROWD_SEQS; seq++) {
            const char *component = s->charters[0]->components[i].id;
            struct era_proposal *p = given_proposal(s->charters[0], component, seq);
            for (size_t k = 0; k < CROWD_SIGNERS; k++) {
                char who[8];
                sprintf(who, "s%zu", k);
                sim_ask(s, node(s, 0),
                        (struct era_command){.kind = ERA_CMD_SUBMIT,
                                             .bytes = given_reject(s->charters[0], who, p, "no")});
            }
        }
}

Test(congestion, frames_wait_while_much_waits_for_the_disk)
{
    char signers[512] = "";
    struct sim *s = given_crowd(signers);
    start_all(s);
    pass_ms(s, 2000);
    sim_disk_hold(s, node(s, 1), true);
    crowd(s);
    pass_ms(s, 30000);
    cr_assert(era_node_congested(node(s, 1)->node));
    cr_assert_gt(queued(node(s, 0)), 0);
    sim_disk_hold(s, node(s, 1), false);
    pass_ms(s, 80000);
    cr_assert_not(era_node_congested(node(s, 1)->node));
    cr_assert_eq(queued(node(s, 0)), 0);
    cr_assert_eq(era_gossip_set_size(era_node_gossip(node(s, 1)->node), ERA_SET_STATEMENTS),
                 9 * CROWD_SEQS * CROWD_SIGNERS);
    sim_free(s);
}
