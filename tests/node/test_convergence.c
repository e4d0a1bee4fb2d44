/* Many nodes, one view: C2, N3, P4, P6, P7, M12, I13, in whole nodes. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/node/world.h"

static const char five[] = "alice:10 bob:10 carol:10 dave:10 erin:10";
static const char *const names[] = {"alice", "bob", "carol", "dave", "erin"};
static const char two_components[] = "network k=2 signers=s1,s2,s3; oracle k=1 signers=s1,s2";

struct network {
    struct world *w;
    struct era_charter *c;
    struct world_node *n[5];
};

/* A ring with one chord. */
static struct network given_ring(uint64_t seed)
{
    struct network t = {.c = given_charter(five, two_components)};
    t.w = world_new(t.c, seed);
    for (int i = 0; i < 5; i++)
        t.n[i] = world_add(t.w, (struct world_setup){.key = names[i], .votes = true});
    for (int i = 0; i < 5; i++)
        world_anchor(t.n[i], t.n[(i + 1) % 5]);
    world_anchor(t.n[0], t.n[2]);
    world_start_all(t.w);
    return t;
}

static void cut_or_heal(struct network *t, struct era_prng *prng)
{
    size_t a = era_prng_below(prng, 5), b = era_prng_below(prng, 5);
    if (a == b)
        return;
    if (era_prng_below(prng, 3) == 0)
        world_heal(t->n[a], t->n[b]);
    else
        world_cut(t->n[a], t->n[b]);
}

static void crash_or_start(struct network *t, struct era_prng *prng)
{
    struct world_node *n = t->n[era_prng_below(prng, 5)];
    if (!n->node)
        world_start(n);
    else if (era_prng_below(prng, 2) == 0)
        world_lose_power(n);
    else
        world_crash(n);
}

static void submit_somewhere(struct network *t, struct era_prng *prng, struct era_bytes envelope)
{
    struct world_node *n = t->n[era_prng_below(prng, 5)];
    if (n->node)
        world_submit(n, envelope);
}

/* Proposals of two components, two rivals a slot, in random places; approvals and rejections. */
static void stir(struct network *t, struct era_prng *prng)
{
    static const char *const signers[] = {"s1", "s2", "s3"};
    const char *component = era_prng_below(prng, 2) ? "network" : "oracle";
    struct era_proposal *p = given_soft(given_proposal(t->c, component, 1 + era_prng_below(prng, 3)), 60,
                                        era_prng_below(prng, 2) ? "1.1.0" : "1.2.0");
    const char *who = signers[era_prng_below(prng, strcmp(component, "oracle") == 0 ? 2 : 3)];
    switch (era_prng_below(prng, 4)) {
    case 0:
        submit_somewhere(t, prng, given_proposed(t->c, who, p));
        break;
    case 1:
        submit_somewhere(t, prng, given_reject(t->c, who, p, "no"));
        break;
    default:
        submit_somewhere(t, prng, given_approve(t->c, who, p));
        break;
    }
}

static void heads_are_equal(const struct network *t)
{
    static const char *const components[] = {"network", "oracle"};
    for (int i = 1; i < 5; i++)
        for (int k = 0; k < 2; k++)
            cr_assert_eq(world_head(t->n[i], components[k]), world_head(t->n[0], components[k]));
}

Test(convergence, C2_N3_after_cuts_and_crashes_all_nodes_hold_one_view)
{
    size_t adopted = 0, seeds = 0;
    for (uint64_t seed = 1; seed <= 12; seed++, seeds++) {
        struct network t = given_ring(seed);
        struct era_prng prng;
        era_prng_init(&prng, seed);
        for (int round = 0; round < 60; round++) {
            stir(&t, &prng);
            if (era_prng_below(&prng, 3) == 0)
                cut_or_heal(&t, &prng);
            if (era_prng_below(&prng, 8) == 0)
                crash_or_start(&t, &prng);
            world_run(t.w, era_prng_below(&prng, 400));
        }
        for (int i = 0; i < 5; i++)
            for (int k = 0; k < i; k++)
                world_heal(t.n[i], t.n[k]);
        world_start_all(t.w);
        world_run(t.w, 10000); /* links are dialled again */
        cr_assert(world_run_until(t.w, world_converged, NULL, 30000), "seed %llu", (unsigned long long)seed);
        heads_are_equal(&t);
        for (int i = 0; i < 5; i++)
            for (uint64_t slot = 1; slot <= 3; slot++) {
                cr_assert_leq(world_ids(t.w, ERA_KIND_READINESS, names[i], "network", slot), 1);
                cr_assert_leq(world_ids(t.w, ERA_KIND_READINESS, names[i], "oracle", slot), 1);
            }
        adopted += world_head(t.n[0], "network") > 0 || world_head(t.n[0], "oracle") > 0;
        world_free(t.w);
    }
    cr_assert_gt(adopted, seeds / 2, "so few adoptions show little");
}

Test(convergence, P7_equal_statements_give_equal_views_whatever_their_order)
{
    struct era_charter *c = given_charter(five, two_components);
    const struct era_proposal *p = given_soft(given_proposal(c, "network", 2), 60, "1.1.0");
    struct era_bytes all[] = {
        given_proposed(c, "s1", p), given_approve(c, "s1", p),      given_approve(c, "s3", p),
        given_ready(c, "alice", p), given_ready(c, "bob", p),       given_ready(c, "carol", p),
        given_ready(c, "erin", p),  given_reject(c, "s2", p, "no"), given_approve(c, "s2", p)};
    enum { N = sizeof all / sizeof all[0] };
    struct era_hash first = {0};
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct era_prng prng;
        era_prng_init(&prng, seed);
        for (size_t i = N; i-- > 1;) {
            size_t k = era_prng_below(&prng, i + 1);
            struct era_bytes t = all[i];
            all[i] = all[k];
            all[k] = t;
        }
        struct world *w = world_new(c, seed);
        struct world_node *n = world_add(w, (struct world_setup){0});
        world_start(n);
        for (size_t i = 0; i < N; i++)
            world_submit(n, all[i]);
        world_run(w, 200);
        cr_assert_eq(world_head(n, "network"), 2);
        struct era_hash digest = world_digest(n);
        if (seed == 0)
            first = digest;
        cr_assert(era_hash_eq(&digest, &first));
        world_free(w);
    }
}

Test(convergence, P6_M12_a_newcomer_needs_the_charter_and_one_address_alone)
{
    struct network t = given_ring(41);
    world_run(t.w, 500);
    const struct era_proposal *p = given_soft(given_proposal(t.c, "network", 1), 20, "1.1.0");
    const struct era_proposal *q = given_soft(given_next(t.c, p, 2), 22, "1.2.0");
    world_propose(t.n[0], p, "s1 s2");
    world_run(t.w, 2000);
    world_propose(t.n[1], q, "s2 s3");
    world_run_to_epoch(t.w, 23);
    cr_assert_eq(world_head(t.n[4], "network"), 2);

    struct world_node *late = world_add(t.w, (struct world_setup){0});
    world_anchor(late, t.n[3]);
    world_start(late);
    world_run(t.w, 1500);
    cr_assert_eq(world_head(late, "network"), 2);
    cr_assert_str_eq(world_version(late, "network"), "1.2.0");
    struct era_hash theirs = world_digest(t.n[0]), its = world_digest(late);
    cr_assert(era_hash_eq(&theirs, &its));
    struct era_hash old =
        given_item(t.c, given_certificate(t.c, p, "s1", "s1 s2", "alice bob carol dave", ""));
    cr_assert_null(era_ledger_find(era_node_ledger(late->node), &old), "the head's certificate is enough");
    cr_assert_eq(world_gate(late), ERA_GATE_NOTICE);

    /* Nobody is the centre: the network goes on without any one of them. */
    world_crash(t.n[3]);
    world_crash(late);
    world_propose(t.n[0], given_soft(given_next(t.c, q, 3), 40, "1.3.0"), "s1 s2");
    world_run(t.w, 5000);
    cr_assert_eq(world_head(t.n[2], "network"), 3);
    world_free(t.w);
}

/* ---- I13 ---- */

Test(convergence, I13_hearing_everything_again_changes_nothing)
{
    struct network t = given_ring(42);
    world_run(t.w, 500);
    const struct era_proposal *p = given_soft(given_proposal(t.c, "network", 1), 20, "1.1.0");
    struct era_bytes all[] = {given_proposed(t.c, "s1", p),
                              given_approve(t.c, "s1", p),
                              given_approve(t.c, "s2", p),
                              given_ready(t.c, "alice", p),
                              given_approved(t.c, p, "s1", "s1 s2"),
                              given_certificate(t.c, p, "s1", "s1 s2", "alice bob carol dave", "")};
    world_propose(t.n[0], p, "s1 s2");
    world_run(t.w, 3000);
    cr_assert_eq(world_head(t.n[0], "network"), 1);
    struct era_hash before = world_digest(t.n[0]);
    size_t held = era_ledger_count(era_node_ledger(t.n[0]->node));
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        enum era_verdict v = world_submit(t.n[0], all[i]);
        cr_assert(v == ERA_DUPLICATE || v == ERA_DOMINATED);
    }
    struct era_hash after = world_digest(t.n[0]);
    cr_assert(era_hash_eq(&before, &after));
    cr_assert_eq(era_ledger_count(era_node_ledger(t.n[0]->node)), held);
    world_free(t.w);
}

Test(convergence, I12_a_restart_brings_back_the_same_state_from_the_disk_alone)
{
    struct network t = given_ring(43);
    world_run(t.w, 500);
    const struct era_proposal *p = given_soft(given_proposal(t.c, "network", 1), 20, "1.1.0");
    world_propose(t.n[0], p, "s1 s2");
    world_run(t.w, 2000);
    world_propose(t.n[0], given_soft(given_next(t.c, p, 2), 30, "1.2.0"), "s1");
    world_submit(t.n[0], given_reject(t.c, "s3", given_soft(given_next(t.c, p, 2), 30, "1.2.0"), "no"));
    world_run(t.w, 100);
    struct era_hash before = world_digest(t.n[0]);
    size_t held = era_ledger_count(era_node_ledger(t.n[0]->node));
    size_t offered = era_gossip_set_size(era_node_gossip(t.n[0]->node), ERA_SET_STATEMENTS);
    for (int i = 1; i < 5; i++)
        world_cut(t.n[0], t.n[i]);
    world_run(t.w, 50);
    world_lose_power(t.n[0]);
    world_start(t.n[0]);
    struct era_hash after = world_digest(t.n[0]);
    cr_assert(era_hash_eq(&before, &after));
    cr_assert_eq(era_ledger_count(era_node_ledger(t.n[0]->node)), held);
    cr_assert_eq(era_gossip_set_size(era_node_gossip(t.n[0]->node), ERA_SET_STATEMENTS), offered);
    cr_assert_eq(era_node_stats(t.n[0]->node)->restore_refused, 0);
    world_free(t.w);
}

/* ---- P4 ---- */

Test(convergence, P4_one_trusted_key_alone_updates_a_network)
{
    struct era_charter *c = given_authority("oracle-1", "network k=1 signers=s1");
    struct world *w = world_new(c, 44);
    struct world_node *a = world_add(w, (struct world_setup){.key = "oracle-1", .software = "1.0.0"});
    struct world_node *b = world_add(w, (struct world_setup){.software = "2.0.0"});
    world_anchor(b, a);
    world_start_all(w);
    world_run(w, 500);
    cr_assert_eq(world_gate(a), ERA_GATE_CURRENT, "no quorum, nothing goes stale");
    cr_assert_eq(world_emit(a, "price")->reply.verdict, ERA_ACCEPTED);
    struct era_proposal *p =
        given_requires(given_breaking(given_proposal(c, "network", 1), 14, "2.0.0"), ">=2.0.0");
    world_propose(b, p, "s1");
    world_run(w, 1500);
    cr_assert_eq(world_head(a, "network"), 1, "approved is adopted");
    cr_assert_eq(world_head(b, "network"), 1);
    cr_assert_eq(world_sent(a, ERA_KIND_ANNOUNCEMENT) + world_sent(a, ERA_KIND_READINESS), 0);
    world_run_to_epoch(w, 14);
    cr_assert_eq(world_gate(a), ERA_GATE_BLOCKED);
    cr_assert_eq(world_gate(b), ERA_GATE_CURRENT);
    cr_assert_eq(world_emit(a, "price")->reply.verdict, ERA_BLOCKED);
    world_run(w, 100);
    world_crash(a);
    a->skew_ms = -9000;
    world_start(a);
    cr_assert_eq(world_gate(a), ERA_GATE_BLOCKED, "a clock set back brings no era back (R14)");
    world_free(w);
}
