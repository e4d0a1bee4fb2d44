/* Who runs what, by stake: M6, M8, N3, as a node's readers see it. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/node/world.h"

struct network {
    struct world *w;
    struct era_charter *c;
    struct world_node *n[4];
};

static struct network given_network(void)
{
    static const char *const names[] = {"alice", "bob", "carol", "dave"};
    static const char *const software[] = {"2.0.0", "2.0.0", "1.9.0", "1.0.0"};
    struct network t = {.c = given_charter("alice:40 bob:30 carol:20 dave:10",
                                           "network k=2 signers=s1,s2,s3 software=>=1.5.0")};
    t.w = world_new(t.c, 51);
    for (int i = 0; i < 4; i++) {
        t.n[i] = world_add(t.w, (struct world_setup){.key = names[i], .software = software[i]});
        if (i > 0)
            world_anchor(t.n[i], t.n[i - 1]);
    }
    t.n[2]->setup.staged = "2.0.0";
    world_start_network(t.w);
    world_run(t.w, 1500);
    return t;
}

static struct era_adoption measure(const struct world_node *n)
{
    struct era_adoption a;
    era_node_adoption(n->node, &a);
    return a;
}

Test(adoption, M6_versions_are_summed_by_stake_on_every_node)
{
    struct network t = given_network();
    for (int i = 0; i < 4; i++) {
        struct era_adoption a = measure(t.n[i]);
        cr_assert_eq(a.stake_sum, 100);
        cr_assert_eq(a.quorum, 67);
        cr_assert_eq(a.fresh_stake, 100);
        cr_assert_eq(a.blocked_stake, 10, "dave cannot run the era in force");
        cr_assert_eq(a.staged_stake, 20);
        cr_assert_eq(a.same_view_stake, 100);
        cr_assert_eq(a.count, 3);
        cr_assert_str_eq(a.software[0].version, "2.0.0");
        cr_assert_eq(a.software[0].stake, 70);
        cr_assert_str_eq(a.software[1].version, "1.9.0");
        cr_assert_eq(a.software[1].stake, 20);
        cr_assert_str_eq(a.software[2].version, "1.0.0");
        cr_assert_eq(a.software[2].stake, 10);
    }
    world_free(t.w);
}

Test(adoption, M6_who_falls_silent_leaves_the_fresh_stake)
{
    struct network t = given_network();
    world_crash(t.n[3]);
    world_run(t.w, 3000);
    struct era_adoption a = measure(t.n[0]);
    cr_assert_eq(a.fresh_stake, 90);
    cr_assert_eq(a.blocked_stake, 0);
    cr_assert_eq(a.stake_sum, 100, "thresholds never change with it (R11)");
    cr_assert_eq(a.quorum, 67);
    world_free(t.w);
}

Test(adoption, M8_it_is_known_beforehand_whose_stake_supports_the_next_era)
{
    struct network t = given_network();
    const struct era_proposal *p =
        given_requires(given_breaking(given_proposal(t.c, "network", 1), 30, "2.0.0"), ">=2.0.0");
    const struct era_ledger *l = era_node_ledger(t.n[1]->node);
    uint64_t epoch = era_node_epoch(t.n[1]->node);
    cr_assert_eq(era_adoption_supporting(l, epoch, &p->plan.entries[0].record), 90);
    cr_assert_eq(era_adoption_supporting(l, epoch, &p->plan.entries[1].record), 70);
    world_free(t.w);
}

Test(adoption, M1_a_version_changed_in_an_epoch_is_announced_in_the_next)
{
    struct network t = given_network();
    world_versions(t.n[2], "2.0.0", NULL);
    world_run(t.w, 200);
    struct era_adoption before = measure(t.n[0]);
    cr_assert_eq(before.software[0].stake, 70, "one announcement an epoch (R16)");
    world_run(t.w, 1000);
    struct era_adoption after = measure(t.n[0]);
    cr_assert_eq(after.software[0].stake, 90);
    cr_assert_eq(after.staged_stake, 0);
    world_free(t.w);
}

Test(adoption, N3_a_split_view_shows_in_the_announcements)
{
    struct network t = given_network();
    world_cut(t.n[0], t.n[1]);
    const struct era_proposal *p = given_soft(given_proposal(t.c, "network", 1), 40, "1.1.0");
    world_submit(t.n[1], given_certificate(t.c, p, "s1", "s1 s2", "alice bob", ""));
    world_run(t.w, 2500);
    world_heal(t.n[0], t.n[1]);
    world_run(t.w, 100);
    struct era_adoption one = measure(t.n[1]);
    cr_assert_eq(one.same_view_stake, 60);
    world_run(t.w, 1000);
    world_unlock(t.n[0]); /* that certificate lists votes that were not cast here */
    world_run(t.w, 15000);
    for (int i = 0; i < 4; i++) {
        struct era_adoption a = measure(t.n[i]);
        cr_assert_eq(a.other_view_stake, 0);
        cr_assert_eq(a.same_view_stake, 100);
    }
    world_free(t.w);
}
