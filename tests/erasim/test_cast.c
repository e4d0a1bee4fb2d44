/* The people around the nodes and the faults that strike them: what a run made from a seed must be. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/erasim/sim.h"
#include "store/record.h"

static struct sim *given_run(uint64_t seed, size_t nodes, uint64_t epochs, sim_faults_t faults)
{
    const char *why = NULL;
    struct sim_plan plan = sim_plan_from_seed(seed, nodes, epochs, faults);
    struct sim *s = sim_new(&plan, &why);
    cr_assert_not_null(s, "seed %llu: %s", (unsigned long long)seed, why);
    return s;
}

/* ---- the plan ---- */

static uint64_t faulty_stake(const struct sim *s)
{
    const struct era_charter *c = s->charters[0];
    uint64_t sum = 0;
    for (size_t i = 0; i < c->validator_count; i++)
        if (sim_key_trust(s, &c->validators[i].key) == SIM_FAULTY)
            sum += c->validators[i].stake;
    return sum;
}

Test(plan, follows_from_its_seed_alone)
{
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct sim_plan a = sim_plan_from_seed(seed, 0, 0, SIM_FAULTS_ALL);
        struct sim_plan b = sim_plan_from_seed(seed, 0, 0, SIM_FAULTS_ALL);
        cr_assert(a.nodes == b.nodes && a.validators == b.validators && a.epochs == b.epochs &&
                  a.strict == b.strict && a.link_ms == b.link_ms && a.faults == b.faults);
        cr_assert(a.nodes >= 7 && a.nodes <= 50, "%zu nodes", a.nodes);
        cr_assert(a.validators >= 4 && a.validators <= 16 && a.validators <= a.nodes);
        cr_assert(a.epochs >= 16 + 6 && a.quiet_epochs == 6 && a.epoch_ms == 60000);
    }
}

Test(cast, makes_sound_charters_with_faulty_stake_within_the_bound)
{
    uint64_t bound = 0, used = 0;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct sim *s = given_run(seed, 0, 0, SIM_FAULTS_ALL);
        const struct era_charter *c = s->charters[0];
        cr_assert(era_charter_is_sound(c), "seed %llu", (unsigned long long)seed);
        cr_assert_leq(faulty_stake(s), (era_charter_stake_sum(c) - 1) / 3);
        cr_assert_gt(faulty_stake(s), 0);
        bound += (era_charter_stake_sum(c) - 1) / 3;
        used += faulty_stake(s);
        sim_free(s);
    }
    /* Near the bound, though some seeds leave room for one who falls later. */
    cr_assert_geq(100 * used, 70 * bound, "%llu of %llu", (unsigned long long)used,
                  (unsigned long long)bound);
}

Test(cast, makes_one_signer_less_than_k_bad)
{
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct sim *s = given_run(seed, 7, 0, SIM_FAULTS_ALL);
        const struct era_charter *c = s->charters[0];
        for (size_t i = 0; i < c->component_count; i++) {
            const struct era_component *p = &c->components[i];
            uint32_t bad = 0;
            for (size_t j = 0; j < p->signer_count; j++)
                bad += sim_key_trust(s, &p->signers[j].key) == SIM_FAULTY;
            cr_assert_eq(bad, p->k - 1);
            cr_assert_geq(2 * p->k, p->signer_count + 1);
        }
        sim_free(s);
    }
}

/* ---- calm runs ---- */

/* Highest era in force of any component, the least over all nodes. */
static uint64_t least_era(const struct sim *s)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < s->node_count; i++) {
        uint64_t most = 0;
        cr_assert_not_null(s->nodes[i].node);
        for (size_t c = 0; c < s->charters[0]->component_count; c++) {
            struct era_view view;
            era_node_view(s->nodes[i].node, (int)c, &view);
            const struct era_entry *e = era_view_entry(&view);
            cr_assert_not_null(e);
            most = e->record.era > most ? e->record.era : most;
        }
        least = most < least ? most : least;
    }
    return least;
}

Test(cast, brings_slots_and_eras_to_all_nodes_without_faults)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct sim *s = given_run(seed, 7, 26, 0);
        sim_run(s);
        cr_assert_not(s->broken);
        cr_assert_geq(s->counts.adopted, 4, "seed %llu: %llu adopted", (unsigned long long)seed,
                      (unsigned long long)s->counts.adopted);
        cr_assert_geq(least_era(s), 2);
        cr_assert_gt(s->counts.events_emitted, 0);
        cr_assert(sim_digests_equal(s));
        for (unsigned f = 0; f < SIM_FAULT_KINDS; f++)
            cr_assert_eq(s->counts.struck[f], 0, "%s", sim_fault_name(f));
        sim_free(s);
    }
}

/* ---- faults ---- */

#define SEEDS 40

Test(strike, every_kind_strikes_in_half_of_the_seeds)
{
    unsigned struck[SIM_FAULT_KINDS] = {0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim *s = given_run(seed, 7, 18, SIM_FAULTS_ALL);
        sim_run(s);
        for (unsigned f = 0; f < SIM_FAULT_KINDS; f++)
            struck[f] += s->counts.struck[f] > 0;
        sim_free(s);
    }
    for (unsigned f = 0; f < SIM_FAULT_KINDS; f++)
        cr_log_info("%-14s in %2u of %d seeds", sim_fault_name(f), struck[f], SEEDS);
    for (unsigned f = 0; f < SIM_FAULT_KINDS; f++)
        cr_assert_geq(2 * struck[f], SEEDS, "%s struck in %u of %d seeds", sim_fault_name(f), struck[f],
                      SEEDS);
}

static void keep_hours(void *ctx, struct sim *s, struct sim_node *n, const char *text)
{
    uint64_t *late = ctx;
    (void)n;
    if (strncmp(text, "fault ", 6) == 0 &&
        s->now_ms > (s->plan.epochs - s->plan.quiet_epochs) * s->plan.epoch_ms)
        ++*late;
}

Test(strike, leaves_the_last_epochs_quiet)
{
    for (uint64_t seed = 100; seed < 110; seed++) {
        uint64_t late = 0;
        struct sim *s = given_run(seed, 7, 14, SIM_FAULTS_ALL);
        sim_watch(s, (struct sim_watch){.ctx = &late, .told = keep_hours});
        sim_run(s);
        cr_assert_eq(late, 0, "seed %llu: %llu faults", (unsigned long long)seed, (unsigned long long)late);
        for (size_t i = 0; i < s->node_count; i++) {
            const struct sim_node *n = &s->nodes[i];
            cr_assert_not_null(n->node);
            cr_assert_not(era_node_store_failed(n->node));
            cr_assert_eq(sim_wall_ms(s, n), s->genesis_ms + s->now_ms);
            cr_assert_leq(era_node_epoch(n->node), sim_true_epoch(s));
        }
        sim_free(s);
    }
}

Test(strike, lets_no_more_stake_fall_than_the_bound)
{
    for (uint64_t seed = 200; seed < 215; seed++) {
        struct sim *s = given_run(seed, 7, 14, SIM_FAULTS_ALL);
        sim_run(s);
        cr_assert_leq(faulty_stake(s), (era_charter_stake_sum(s->charters[0]) - 1) / 3);
        sim_free(s);
    }
}

/* ---- honesty ---- */

#define WORDS_MAX 4096

struct word {
    struct era_key key;
    uint64_t component, charter_version, seq;
    struct era_hash proposal;
};

struct words {
    size_t count, twice;
    struct word list[WORDS_MAX];
};

static void keep_approval(struct words *w, const struct era_envelope *e)
{
    static struct era_statement st;
    cr_assert_eq(era_statement_decode(e->kind, e->payload, &st), ERA_ACCEPTED);
    const struct era_slot_id *slot = &st.u.vote.slot;
    struct word said = {e->key, (uint8_t)slot->component[0], slot->charter_version, slot->seq,
                        st.u.vote.proposal};
    for (size_t i = 0; i < w->count; i++) {
        const struct word *o = &w->list[i];
        if (!era_key_eq(&o->key, &said.key) || o->component != said.component ||
            o->charter_version != said.charter_version || o->seq != said.seq)
            continue;
        w->twice += !era_hash_eq(&o->proposal, &said.proposal);
        return;
    }
    if (w->count < WORDS_MAX)
        w->list[w->count++] = said;
}

/* On disks, for the second of two is not passed on. */
static void keep_approvals(void *ctx, struct sim *s, struct sim_node *n, const struct era_store_put *puts,
                           size_t count)
{
    (void)n;
    for (size_t i = 0; i < count; i++) {
        enum era_record_kind kind;
        struct era_hash id;
        struct era_envelope e;
        if (puts[i].value.data && era_record_item_read(puts[i].key, &kind, &id) &&
            kind == ERA_RECORD_STATEMENT && era_envelope_decode(puts[i].value, &e) == ERA_ACCEPTED &&
            e.kind == ERA_KIND_APPROVE && sim_key_trust(s, &e.key) == SIM_HONEST)
            keep_approval(ctx, &e);
    }
}

Test(cast, R3_an_honest_signer_approves_one_proposal_a_slot)
{
    static struct words words;
    size_t seen = 0;
    for (uint64_t seed = 300; seed < 312; seed++) {
        struct sim *s = given_run(seed, 7, 14, SIM_FAULTS_ALL);
        memset(&words, 0, sizeof words);
        sim_watch(s, (struct sim_watch){.ctx = &words, .stored = keep_approvals});
        sim_run(s);
        cr_assert_eq(words.twice, 0, "seed %llu", (unsigned long long)seed);
        seen += words.count;
        sim_free(s);
    }
    cr_assert_gt(seen, 50);
}

/* ---- repeatable ---- */

static void fold(void *ctx, struct sim *s, struct sim_node *n, const char *text)
{
    struct era_hash *h = ctx;
    uint8_t when[16];
    era_put_be64(when, s->now_ms);
    era_put_be64(when + 8, n ? n->number : UINT64_MAX);
    struct era_bytes parts[3] = {
        {h->b, sizeof h->b}, {when, sizeof when}, {(const uint8_t *)text, strlen(text)}};
    *h = era_hash_parts(parts, 3);
}

static struct era_hash history(uint64_t seed, struct sim_counts *counts)
{
    struct era_hash h = {{0}};
    struct sim *s = given_run(seed, 0, 0, SIM_FAULTS_ALL);
    sim_watch(s, (struct sim_watch){.ctx = &h, .told = fold});
    sim_run(s);
    *counts = s->counts;
    sim_free(s);
    return h;
}

Test(cast, two_runs_of_one_seed_are_equal)
{
    for (uint64_t seed = 400; seed < 403; seed++) {
        static struct sim_counts a, b;
        struct era_hash first = history(seed, &a), second = history(seed, &b);
        cr_assert(era_hash_eq(&first, &second), "seed %llu", (unsigned long long)seed);
        cr_assert_eq(memcmp(&a, &b, sizeof a), 0);
        cr_assert_gt(a.steps, 1000);
    }
}
