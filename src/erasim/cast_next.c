/* Who comes and goes with the charters that follow: drawn before the run, for
 * a node holds the key of its validator from its start. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/erasim/people.h"

#define ROTATES_PERCENT  50 /* of seeds */
#define TWICE_PERCENT    40 /* of those */
#define DISJOINT_PERCENT 40 /* of charters share no validator with the one before */
#define ACTIVE_EPOCHS    6  /* a run with fewer before its quiet ones is too short */
#define LAST_EPOCHS      4  /* before the quiet ones: proposed not later */
#define NEW_BAD_MOST     2

/* ---- copies ---- */

/* Also of one that is not canonical yet. */
static struct era_charter *copy_draft(const struct era_charter *c)
{
    struct era_charter *copy = cast_alloc(sizeof *copy);
    *copy = *c;
    copy->validators = cast_alloc(c->validator_count * sizeof *c->validators);
    copy->components = cast_alloc(c->component_count * sizeof *c->components);
    memcpy(copy->validators, c->validators, c->validator_count * sizeof *c->validators);
    memcpy(copy->components, c->components, c->component_count * sizeof *c->components);
    return copy;
}

struct era_charter *cast_copy_charter(const struct era_charter *c)
{
    return copy_draft(c);
}

void cast_free_rotations(struct cast *c)
{
    for (size_t i = 0; i < c->rotation_count; i++) {
        era_charter_clear(c->rotations[i].draft);
        free(c->rotations[i].draft);
        free((void *)c->rotations[i].statement.data);
    }
}

/* ---- what is borne ---- */

static bool is_bad(const struct sim *s, const struct era_key *key)
{
    size_t spare = s->cast->spare_validator;
    return sim_key_trust(s, key) == SIM_FAULTY ||
           (spare != SIZE_MAX && era_key_eq(&s->nodes[spare].key->secret.key, key));
}

bool cast_is_bearable(const struct sim *s, const struct era_charter *c)
{
    uint64_t bad = 0;
    for (size_t i = 0; i < c->validator_count; i++)
        if (is_bad(s, &c->validators[i].key))
            bad += c->validators[i].stake;
    for (size_t i = 0; i < c->component_count; i++) {
        const struct era_component *p = &c->components[i];
        uint32_t bad_signers = 0;
        for (size_t j = 0; j < p->signer_count; j++)
            bad_signers += sim_key_trust(s, &p->signers[j].key) == SIM_FAULTY;
        if (bad_signers >= p->k)
            return false;
    }
    return bad <= (era_charter_stake_sum(c) - 1) / 3;
}

bool cast_may_validate(const struct sim *s, const struct era_key *key)
{
    bool may = era_charter_validator_index(s->charters[0], key) >= 0;
    for (size_t i = 0; i < s->cast->rotation_count; i++)
        may = may || era_charter_validator_index(s->cast->rotations[i].draft, key) >= 0;
    return may;
}

/* ---- validators ---- */

struct seats {
    size_t count, serial;
    struct era_validator list[ERA_VALIDATORS_MAX];
};

static void seat(struct seats *st, const struct sim_key *key, uint64_t stake)
{
    assert(st->count < ERA_VALIDATORS_MAX);
    struct era_validator *v = &st->list[st->count++];
    era_text_set(v->name, sizeof v->name, key->name);
    v->key = key->secret.key;
    v->stake = stake;
}

static bool seated(const struct seats *st, const struct era_key *key)
{
    for (size_t i = 0; i < st->count; i++)
        if (era_key_eq(&st->list[i].key, key))
            return true;
    return false;
}

static struct sim_key *new_key(struct sim *s, struct seats *st)
{
    char name[ERA_NAME_BYTES_MAX + 1];
    do
        snprintf(name, sizeof name, "validator-%zu", ++st->serial);
    while (sim_key_named(s, name));
    return sim_add_key(s, name);
}

static void seat_those_who_stay(struct seats *st, const struct era_charter *before, struct era_prng *p,
                                unsigned percent)
{
    for (size_t i = 0; i < before->validator_count; i++) {
        const struct era_validator *v = &before->validators[i];
        bool stays = cast_chance(p, percent), restaked = cast_chance(p, 50);
        uint64_t stake = cast_between(p, CAST_STAKE_LEAST, CAST_STAKE_MOST);
        if (!stays)
            continue;
        st->list[st->count] = *v;
        st->list[st->count++].stake = restaked ? stake : v->stake;
    }
}

/* Relays become validators, but for the last, which may fall; a validator that left may come back. */
static void seat_those_who_join(struct sim *s, struct seats *st, const struct era_charter *before,
                                struct era_prng *p, unsigned percent)
{
    for (size_t i = 0; i + 1 < s->node_count; i++) {
        struct sim_node *n = &s->nodes[i];
        bool joins = cast_chance(p, percent);
        uint64_t stake = cast_between(p, CAST_STAKE_LEAST, CAST_STAKE_MOST);
        if (!joins || (n->key && (seated(st, &n->key->secret.key) ||
                                  era_charter_validator_index(before, &n->key->secret.key) >= 0)))
            continue;
        if (!n->key)
            n->key = new_key(s, st);
        seat(st, n->key, stake);
    }
}

static void seat_new_bad(struct sim *s, struct seats *st, struct era_prng *p)
{
    uint64_t count = era_prng_below(p, NEW_BAD_MOST + 1);
    for (uint64_t i = 0; i < count; i++) {
        struct sim_key *key = new_key(s, st);
        uint64_t stake = cast_between(p, CAST_STAKE_LEAST, CAST_STAKE_MOST);
        key->trust = SIM_FAULTY;
        seat(st, key, stake);
    }
}

/* The bad share what the honest stake bears: B <= (H - 1) / 2 is B <= (W - 1) / 3. Without honest stake:
 * false. */
static bool share(const struct sim *s, struct seats *st)
{
    uint64_t honest = 0;
    size_t kept = 0;
    for (size_t i = 0; i < st->count; i++)
        if (!is_bad(s, &st->list[i].key))
            honest += st->list[i].stake;
    if (honest == 0)
        return false;
    uint64_t left = s->plan.bounded ? (honest - 1) / 2 : honest;
    for (size_t i = 0; i < st->count; i++) {
        struct era_validator *v = &st->list[i];
        if (is_bad(s, &v->key)) {
            if (left == 0)
                continue;
            v->stake = v->stake < left ? v->stake : left;
            left -= v->stake;
        }
        st->list[kept++] = *v;
    }
    st->count = kept;
    return true;
}

static void draft_validators(struct sim *s, const struct era_charter *before, struct era_charter *c,
                             struct era_prng *p)
{
    struct seats *st = cast_alloc(sizeof *st);
    bool disjoint = cast_chance(p, DISJOINT_PERCENT);
    if (!disjoint)
        seat_those_who_stay(st, before, p, 70);
    seat_those_who_join(s, st, before, p, disjoint ? 85 : 45);
    if (cast_has_bad_validators(s))
        seat_new_bad(s, st, p);
    if (!share(s, st)) {
        st->count = 0;
        seat_those_who_stay(st, before, p, 100);
        bool some = share(s, st);
        assert(some);
        (void)some;
    }
    free(c->validators);
    c->validator_count = st->count;
    c->validators = cast_alloc(st->count * sizeof *c->validators);
    memcpy(c->validators, st->list, st->count * sizeof *c->validators);
    cast_sort_validators(c->validators, c->validator_count);
    free(st);
}

/* ---- signers ---- */

static struct sim_key *new_signer(struct sim *s, const char *component)
{
    char name[ERA_NAME_BYTES_MAX + 1];
    unsigned serial = 0;
    do
        snprintf(name, sizeof name, "signer-%u@%.32s", ++serial, component);
    while (sim_key_named(s, name));
    struct sim_key *key = sim_add_key(s, name);
    cast_add_signer(s, key, component);
    return key;
}

static void draft_signers(struct sim *s, struct era_component *c, struct era_prng *p)
{
    const struct era_component before = *c;
    uint32_t m = (uint32_t)cast_between(p, 2, 5), bad = 0;
    c->k = cast_choose_k(p, m, strcmp(c->id, "network") == 0 ? 2 : 1);
    c->urgent_k = c->k < m && cast_chance(p, 50) ? c->k + 1 : c->k;
    c->signer_count = 0;
    uint32_t most_bad = cast_has_bad_signers(s) ? c->k - 1 : 0, most_honest = m - most_bad, honest = 0;
    for (size_t i = 0; i < before.signer_count; i++) {
        bool is_faulty = sim_key_trust(s, &before.signers[i].key) == SIM_FAULTY, stays = cast_chance(p, 60);
        if (!stays || (is_faulty ? bad == most_bad : honest == most_honest))
            continue;
        c->signers[c->signer_count++] = before.signers[i];
        *(is_faulty ? &bad : &honest) += 1;
    }
    while (c->signer_count < m) {
        struct sim_key *key = new_signer(s, c->id);
        if (bad < most_bad) {
            key->trust = SIM_FAULTY;
            bad++;
        }
        cast_charter_name(c->signers[c->signer_count].name, key->name);
        c->signers[c->signer_count++].key = key->secret.key;
    }
    cast_sort_keys(c->signers, c->signer_count);
}

/* ---- the plan ---- */

static struct era_charter *draft(struct sim *s, const struct era_charter *before, struct era_prng *p)
{
    struct era_charter *c = copy_draft(before);
    c->version = before->version + 1;
    draft_validators(s, before, c, p);
    for (size_t i = 0; i < c->component_count; i++) {
        unsigned percent = strcmp(c->components[i].id, "network") == 0 ? 70 : 40;
        if (cast_chance(p, percent))
            draft_signers(s, &c->components[i], p);
    }
    if (cast_chance(p, 20))
        c->strict_emission = !c->strict_emission;
    return c;
}

void cast_plan_rotations(struct sim *s)
{
    struct cast *c = s->cast;
    struct era_prng p = sim_stream(s, "rotations");
    uint64_t epoch = s->plan.epoch_ms, last = c->quiet_ms - LAST_EPOCHS * epoch;
    bool rotates = cast_chance(&p, ROTATES_PERCENT), twice = cast_chance(&p, TWICE_PERCENT);
    c->rival_charters = cast_chance(&p, 50);
    if (!rotates || c->quiet_ms < ACTIVE_EPOCHS * epoch)
        return;
    const struct era_charter *before = s->charters[0];
    for (unsigned i = 0; i < (twice ? 2u : 1u); i++) {
        struct rotation *r = &c->rotations[i];
        r->draft = draft(s, before, &p);
        r->hour_ms =
            i == 0 ? cast_between(&p, epoch, twice ? last / 2 : last) : cast_between(&p, last / 2, last);
        before = r->draft;
        c->rotation_count++;
    }
    for (size_t i = 0; i < s->node_count; i++)
        s->nodes[i].auto_charter = cast_chance(&p, 80);
}
