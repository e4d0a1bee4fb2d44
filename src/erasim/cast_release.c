/* What goes wrong with releases though nobody means harm: an operator who never upgrades, and a breaking
 * release that nothing runs. The first stays blocked; the second blocks everybody, until the signers take it
 * back by a breaking entry with the old ranges, through the recovery lane (R15). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/semver.h"
#include "src/core/charter.h"
#include "src/core/plan.h"
#include "src/erasim/people.h"

#define LOOK_MS         7000
#define LAGGARD_PERCENT 30 /* of runs */
#define BROKEN_PERCENT  15
#define BUSY_MS         ((uint64_t)1 << 60) /* never: who waits for it upgrades nothing */
#define FIX_TRIES       40

struct release {
    size_t laggard; /* its node; SIZE_MAX: none */
    bool may_break, broken;
    struct era_hash entry; /* that is broken */
    uint64_t try_ms;
    unsigned tries;
};

static bool runs(const struct era_record *r, const struct era_versions *v)
{
    for (int k = 0; k < ERA_VERSION_KINDS; k++)
        if (!era_range_match(r->requires.v[k], v->v[k]))
            return false;
    return true;
}

static bool anybody_runs(const struct sim *s, const struct era_record *r)
{
    for (size_t i = 0; i < s->node_count; i++)
        if (runs(r, &s->nodes[i].versions) || (s->nodes[i].staged.v[0][0] && runs(r, &s->nodes[i].staged)))
            return true;
    return false;
}

static void nobody_upgrades(struct sim *s, bool from_now_on)
{
    for (size_t i = 0; i < s->cast->caretaker_count; i++)
        s->cast->caretakers[i].upgrade_ms = from_now_on ? BUSY_MS : CAST_NEVER;
}

static struct guild *guild_of(struct sim *s, const char *component)
{
    for (size_t i = 0; i < s->cast->guild_count; i++)
        if (strcmp(s->cast->guilds[i].component, component) == 0)
            return &s->cast->guilds[i];
    return NULL;
}

/* A breaking entry that is adopted, still to come, and that nobody prepared for. */
static void look_for_one(struct sim *s, struct release *r, const struct era_view *view)
{
    for (size_t i = 0; i < view->plan->count; i++) {
        const struct era_entry *e = &view->plan->entries[i];
        if (!e->has_effective || e->effective <= view->epoch || anybody_runs(s, &e->record))
            continue;
        r->broken = true;
        r->entry = e->hash;
        nobody_upgrades(s, true);
        sim_tell(s, NULL, "release %s of network turns out to run nowhere", e->record.version);
        return;
    }
}

/* Above all that is there: what was under way is left (R13). */
static uint64_t free_seq(const struct era_ledger *l, int component)
{
    const struct era_slot *const *slots;
    size_t count = era_ledger_slots(l, component, &slots);
    return (count > 0 ? slots[count - 1]->seq : era_ledger_floor(l, component)) + 1;
}

static bool some_is_open(const struct era_ledger *l, int component, uint64_t epoch)
{
    const struct era_slot *const *slots;
    size_t count = era_ledger_slots(l, component, &slots);
    for (size_t i = 0; i < count; i++)
        for (const struct era_candidate *c = slots[i]->candidates; c; c = c->slot_next)
            if (c->known && c->expiry >= epoch)
                return true;
    return false;
}

static void propose_fix(struct sim *s, struct sim_node *n, const struct era_view *view, int component)
{
    const struct era_charter *charter = era_node_charter(n->node);
    const struct era_component *p = &charter->components[component];
    struct era_statement *st = s->cast->draft;
    struct draft_base b = {.charter = charter,
                           .component = component,
                           .view = view,
                           .seq = free_seq(era_node_ledger(n->node), component),
                           .text = "takes back what runs nowhere"};
    const struct sim_key *key = NULL;
    for (size_t i = 0; i < s->cast->signer_count && !key; i++) {
        const struct sim_key *k = s->cast->signers[i]->key;
        if (k->trust == SIM_HONEST && !s->cast->signers[i]->at_home &&
            era_charter_signer_index(p, &k->secret.key) >= 0)
            key = k;
    }
    memset(st, 0, sizeof *st);
    st->kind = ERA_KIND_PROPOSAL;
    if (!key || !cast_draft(&b, WISH_BREAKING, &st->u.proposal))
        return;
    struct era_entry *e = &st->u.proposal.plan.entries[st->u.proposal.plan.count - 1];
    for (int k = 0; k < ERA_VERSION_KINDS; k++)
        if (e->record.requires.v[k][0])
            era_text_set(e->record.requires.v[k], sizeof e->record.requires.v[k], ">=1.0.0");
    era_entry_seal(e);
    sim_ask(s, n, (struct era_command){.kind = ERA_CMD_SUBMIT, .bytes = cast_signed(s, st, key, NULL)});
    sim_tell(s, n, "%s proposes to take the release back, slot %llu", key->name, (unsigned long long)b.seq);
}

static bool is_to_come(const struct release *r, const struct era_view *view)
{
    for (size_t i = 0; i < view->plan->count; i++) {
        const struct era_entry *e = &view->plan->entries[i];
        if (era_hash_eq(&e->hash, &r->entry) && e->effective > view->epoch)
            return true;
    }
    return false;
}

/* What is in force runs everywhere again. */
static bool is_mended(const struct sim *s, const struct era_view *view)
{
    const struct era_entry *now = era_view_entry(view);
    for (size_t i = 0; now && i < s->node_count; i++)
        if (!runs(&now->record, &s->nodes[i].versions))
            return false;
    return now != NULL;
}

static bool fix_is_coming(const struct sim *s, const struct era_view *view)
{
    for (size_t i = 0; i < view->plan->count; i++) {
        const struct era_entry *e = &view->plan->entries[i];
        if (e->has_effective && e->effective > view->epoch && anybody_runs(s, &e->record))
            return true;
    }
    return false;
}

static void mend(struct sim *s, struct release *r, struct sim_node *n, const struct era_view *view,
                 int component)
{
    struct guild *guild = guild_of(s, "network");
    const struct era_entry *now = era_view_entry(view);
    if (is_to_come(r, view))
        return;
    if (guild)
        guild->propose_ms = s->now_ms + s->plan.epoch_ms; /* nobody thinks of anything else */
    if (!now || anybody_runs(s, &now->record)) {
        if (is_mended(s, view)) {
            r->broken = r->may_break = false;
            nobody_upgrades(s, false);
            sim_tell(s, NULL, "the release that ran nowhere is taken back");
        }
        return;
    }
    if (s->now_ms < r->try_ms || r->tries >= FIX_TRIES || fix_is_coming(s, view) ||
        some_is_open(era_node_ledger(n->node), component, view->epoch))
        return;
    r->tries++;
    r->try_ms = s->now_ms + s->plan.epoch_ms;
    propose_fix(s, n, view, component);
}

static uint64_t act_release(struct sim *s, struct actor *a)
{
    struct release *r = a->who;
    struct era_view view;
    struct sim_node *n = cast_ask_whom(s, 0);
    if (r->laggard != SIZE_MAX)
        s->cast->caretakers[r->laggard].upgrade_ms = BUSY_MS;
    int component = n ? era_node_network_component(n->node) : -1;
    if (component >= 0 && r->may_break) {
        era_node_view(n->node, component, &view);
        if (r->broken)
            mend(s, r, n, &view, component);
        else if (view.current >= 0 && s->now_ms + 12 * s->plan.epoch_ms < s->plan.epochs * s->plan.epoch_ms)
            look_for_one(s, r, &view);
    }
    return s->now_ms + LOOK_MS;
}

void cast_hire_releases(struct sim *s)
{
    struct era_prng p = sim_stream(s, "releases");
    struct release *r = s->cast->release = cast_alloc(sizeof *r);
    if (!cast_may(s, SIM_FAULT_ABSENT))
        return;
    bool lags = cast_chance(&p, LAGGARD_PERCENT);
    size_t who = era_prng_below(&p, s->node_count);
    r->laggard = lags ? who : SIZE_MAX;
    r->may_break = cast_chance(&p, BROKEN_PERCENT);
    for (size_t i = 0; r->may_break && i < s->node_count; i++)
        s->nodes[i].auto_votes[3] = true; /* such a fix is voted for without a second thought */
    cast_hire(s, act_release, r, LOOK_MS, "releases");
}
