/* Charters that follow one another in runs made from a seed, and two plans approved in one slot. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/erasim/sim.h"
#include "store/record.h"

static struct sim *given_run(uint64_t seed, sim_faults_t faults)
{
    const char *why = NULL;
    struct sim_plan plan = sim_plan_from_seed(seed, 8, 24, faults);
    struct sim *s = sim_new(&plan, &why);
    cr_assert_not_null(s, "seed %llu: %s", (unsigned long long)seed, why);
    return s;
}

static uint64_t faulty_stake(const struct sim *s, const struct era_charter *c)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < c->validator_count; i++)
        if (sim_key_trust(s, &c->validators[i].key) == SIM_FAULTY)
            sum += c->validators[i].stake;
    return sum;
}

static uint32_t bad_signers(const struct sim *s, const struct era_component *c)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < c->signer_count; i++)
        bad += sim_key_trust(s, &c->signers[i].key) == SIM_FAULTY;
    return bad;
}

static bool has_node(const struct sim *s, const struct era_key *key)
{
    for (size_t i = 0; i < s->node_count; i++)
        if (s->nodes[i].key && era_key_eq(&s->nodes[i].key->secret.key, key))
            return true;
    return false;
}

static void look_at_charter(const struct sim *s, const struct era_charter *c,
                            const struct era_charter *before)
{
    cr_assert(era_charter_is_sound(c));
    cr_assert_eq(c->version, before->version + 1);
    cr_assert(era_hash_eq(&c->parent, &before->hash));
    cr_assert_leq(faulty_stake(s, c), (era_charter_stake_sum(c) - 1) / 3);
    for (size_t i = 0; i < c->component_count; i++) {
        cr_assert_lt(bad_signers(s, &c->components[i]), c->components[i].k);
        cr_assert_geq(c->carried[i].seq, 1 << 20);
    }
    for (size_t i = 0; i < c->validator_count; i++)
        cr_assert(sim_key_trust(s, &c->validators[i].key) == SIM_FAULTY || has_node(s, &c->validators[i].key),
                  "%s has no node", c->validators[i].name);
}

static size_t stayed(const struct era_charter *c, const struct era_charter *before)
{
    size_t count = 0;
    for (size_t i = 0; i < c->validator_count; i++)
        count += era_charter_validator_index(before, &c->validators[i].key) >= 0;
    return count;
}

Test(rotate, R10_charters_follow_with_the_faulty_within_the_bound)
{
    unsigned followed = 0, twice = 0, disjoint = 0;
    for (uint64_t seed = 41; seed <= 80; seed++) {
        struct sim *s = given_run(seed, SIM_FAULTS_ALL);
        sim_run(s);
        cr_assert_eq(s->counts.rotations + 1, s->charter_count);
        for (size_t i = 1; i < s->charter_count; i++) {
            look_at_charter(s, s->charters[i], s->charters[i - 1]);
            disjoint += stayed(s->charters[i], s->charters[i - 1]) == 0;
        }
        followed += s->counts.rotations > 0;
        twice += s->counts.rotations > 1;
        sim_free(s);
    }
    cr_assert_geq(followed, 10, "in %u of 40 seeds", followed);
    cr_assert_geq(twice, 1);
    cr_assert_geq(disjoint, 1);
}

/* Every node went along, and the newest charter took votes. */
Test(rotate, R10_plans_go_on_under_the_new_charter)
{
    unsigned followed = 0, adopted = 0;
    for (uint64_t seed = 1; seed <= 16; seed++) {
        struct sim *s = given_run(seed, 0);
        sim_run(s);
        followed += s->counts.rotations > 0;
        bool some = false;
        for (size_t i = 0; i < s->node_count && s->counts.rotations > 0; i++) {
            const struct era_node *n = s->nodes[i].node;
            cr_assert_eq(era_node_charter(n)->version, s->charter_count - 1);
            cr_assert_eq(era_node_counting_charter(n), era_node_charter(n));
            for (size_t c = 0; c < era_node_charter(n)->component_count; c++) {
                const struct era_adopted *head = era_ledger_head(era_node_ledger(n), (int)c);
                some |= head && head->charter_version == s->charter_count - 1;
            }
        }
        adopted += some;
        sim_free(s);
    }
    cr_assert_geq(followed, 4);
    cr_assert_geq(2 * adopted, followed, "%u of %u", adopted, followed);
}

/* ---- honest signers ---- */

#define WORDS_MAX 64

struct words {
    size_t count, twice;
    struct {
        struct era_key key;
        struct era_charter_vote vote;
    } list[WORDS_MAX];
};

static void keep_word(struct words *w, const struct era_envelope *e)
{
    static struct era_statement st;
    cr_assert_eq(era_statement_decode(e->kind, e->payload, &st), ERA_ACCEPTED);
    for (size_t i = 0; i < w->count; i++) {
        if (!era_key_eq(&w->list[i].key, &e->key) || w->list[i].vote.version != st.u.charter_vote.version)
            continue;
        w->twice += !era_hash_eq(&w->list[i].vote.charter, &st.u.charter_vote.charter);
        return;
    }
    cr_assert_lt(w->count, WORDS_MAX);
    w->list[w->count].key = e->key;
    w->list[w->count++].vote = st.u.charter_vote;
}

static void keep_words(void *ctx, struct sim *s, struct sim_node *n, const struct era_store_put *puts,
                       size_t count)
{
    (void)n;
    for (size_t i = 0; i < count; i++) {
        enum era_record_kind kind;
        struct era_hash id;
        struct era_envelope e;
        if (puts[i].value.data && era_record_item_read(puts[i].key, &kind, &id) &&
            kind == ERA_RECORD_STATEMENT && era_envelope_decode(puts[i].value, &e) == ERA_ACCEPTED &&
            e.kind == ERA_KIND_CHARTER_APPROVE && sim_key_trust(s, &e.key) == SIM_HONEST)
            keep_word(ctx, &e);
    }
}

Test(rotate, R10_an_honest_signer_approves_one_charter_a_version)
{
    static struct words words;
    size_t seen = 0;
    for (uint64_t seed = 1; seed <= 14; seed++) {
        struct sim *s = given_run(seed, SIM_FAULTS_ALL);
        memset(&words, 0, sizeof words);
        sim_watch(s, (struct sim_watch){.ctx = &words, .stored = keep_words});
        sim_run(s);
        cr_assert_eq(words.twice, 0, "seed %llu", (unsigned long long)seed);
        seen += words.count;
        sim_free(s);
    }
    cr_assert_gt(seen, 5);
}

/* ---- pairs ---- */

static void look_for_pair(void *ctx, struct sim *s, struct sim_node *n, const struct era_event *event,
                          const struct era_effect *effects, size_t count)
{
    bool *some = ctx;
    (void)s, (void)effects, (void)count;
    if (event->kind != ERA_EV_STORED || *some)
        return;
    for (size_t c = 0; c < era_node_charter(n->node)->component_count; c++) {
        const struct era_slot *const *slots;
        size_t slot_count = era_ledger_slots(era_node_ledger(n->node), (int)c, &slots);
        for (size_t i = 0; i < slot_count; i++) {
            unsigned approved = 0;
            for (const struct era_candidate *k = slots[i]->candidates; k; k = k->slot_next)
                approved += k->known && (unsigned)__builtin_popcountll(k->approved_by) >= k->approvals_needed;
            *some |= approved > 1;
        }
    }
}

Test(rotate, R4_two_plans_of_a_slot_are_approved_and_no_honest_signer_is_at_fault)
{
    unsigned pairs = 0;
    for (uint64_t seed = 1; seed <= 14; seed++) {
        bool some = false;
        struct sim *s = given_run(seed, SIM_FAULTS_ALL);
        sim_watch(s, (struct sim_watch){.ctx = &some, .stepped = look_for_pair});
        sim_run(s);
        pairs += some;
        sim_free(s);
    }
    cr_assert_geq(pairs, 4, "in %u of 14 seeds", pairs);
}
