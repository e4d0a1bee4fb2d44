/* From what somebody wants to propose to a plan, as `eractl propose` writes it. */
#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/erasim/scenario_parts.h"

/* What the new plan builds on. */
struct base {
    const struct era_plan *plan;
    struct era_head_ref prev;
    uint64_t epoch;
    struct era_plan initial;
};

static const char *base_of(struct scenario *sc, const struct scn_draft *d, struct sim_node *n, struct base *b)
{
    const struct era_charter *c = era_node_charter(n->node);
    const struct era_component *component = era_charter_component(c, d->component);
    struct era_view view;
    if (!component)
        return "the charter has no such component";
    b->epoch = era_node_epoch(n->node);
    if (d->on_initial) {
        era_plan_initial(component, &b->initial);
        b->plan = &b->initial;
        return NULL;
    }
    if (d->on != SCN_NONE) {
        const struct scn_proposal *on = &sc->proposals[d->on];
        if (!on->p)
            return "it builds on a proposal that was never made";
        b->plan = &on->p->plan;
        b->prev = (struct era_head_ref){true, on->p->slot.charter_version, on->p->slot.seq, on->id};
        return NULL;
    }
    era_node_view(n->node, (int)(component - c->components), &view);
    b->initial = *view.plan;
    b->plan = &b->initial;
    b->prev = view.head_ref;
    return NULL;
}

/* Before the first entry that begins later; entries without epoch stand last. */
static size_t place_of(const struct era_plan *plan, const struct era_entry *e)
{
    size_t at = plan->count;
    while (at > 0 && e->has_effective &&
           (!plan->entries[at - 1].has_effective || plan->entries[at - 1].effective > e->effective))
        at--;
    return at;
}

static struct era_entry *insert(struct era_plan *plan, size_t at, const struct era_entry *e)
{
    memmove(&plan->entries[at + 1], &plan->entries[at], (plan->count - at) * sizeof plan->entries[0]);
    plan->entries[at] = *e;
    plan->count++;
    return &plan->entries[at];
}

static void drop_hash(struct era_proposal *p, const struct era_hash *h)
{
    size_t at = p->drop_count++;
    for (; at > 0 && era_hash_cmp(&p->drops[at - 1], h) > 0; at--)
        p->drops[at] = p->drops[at - 1];
    p->drops[at] = *h;
}

/* The entries that a proposal brought, or the whole of it when none of them is in the plan. */
static const char *drop(struct era_proposal *p, const struct scn_proposal *what)
{
    bool found = false;
    if (!what->p)
        return "it drops a proposal that was never made";
    for (size_t i = 0; i < what->p->plan.count; i++) {
        const struct era_entry *e = &what->p->plan.entries[i];
        int at = e->is_new ? era_plan_find(&p->plan, &e->hash) : -1;
        if (at < 0)
            continue;
        if (p->drop_count == ERA_DROPS_MAX)
            return "it drops too much";
        memmove(&p->plan.entries[at], &p->plan.entries[at + 1],
                (p->plan.count - (size_t)at - 1) * sizeof p->plan.entries[0]);
        p->plan.count--;
        drop_hash(p, &e->hash);
        found = true;
    }
    if (!found && p->drop_count < ERA_DROPS_MAX)
        drop_hash(p, &what->id);
    return NULL;
}

/* What is new in an unadopted proposal is new here too. */
static const char *keep(struct era_proposal *p, const struct scn_proposal *what)
{
    if (!what->p)
        return "it keeps a proposal that was never made";
    for (size_t i = 0; i < what->p->plan.count; i++) {
        const struct era_entry *e = &what->p->plan.entries[i];
        if (!e->is_new || era_plan_find(&p->plan, &e->hash) >= 0)
            continue;
        if (p->plan.count == ERA_PLAN_ENTRIES_MAX)
            return "the plan has no room";
        insert(&p->plan, place_of(&p->plan, e), e);
    }
    return NULL;
}

static void digests(struct era_record *r)
{
    for (size_t i = 0; i < r->artefact_count; i++) {
        uint8_t hash[crypto_hash_sha256_BYTES];
        char of[2 * ERA_VERSION_BYTES_MAX];
        int n = snprintf(of, sizeof of, "%s %s", r->artefacts[i].name, r->version);
        crypto_hash_sha256(hash, (const uint8_t *)of, (size_t)n);
        memcpy(r->artefacts[i].digest, "sha256:", 8);
        era_hex(hash, sizeof hash, r->artefacts[i].digest + 7);
    }
}

/* A breaking release wants its own version of whoever runs it, unless something else is said. */
static const char *add(struct era_proposal *p, const struct scn_draft *d)
{
    if (d->change == SCN_CHANGE_NONE)
        return NULL;
    if (p->plan.count == ERA_PLAN_ENTRIES_MAX)
        return "the plan has no room";
    struct era_entry e = {.is_new = true,
                          .has_effective = d->change == SCN_CHANGE_DATED,
                          .effective = d->effective,
                          .class = d->class};
    size_t at = place_of(&p->plan, &e);
    if (at == 0)
        return "it begins before the plan does";
    e.record = p->plan.entries[at - 1].record;
    era_text_set(e.record.version, sizeof e.record.version, d->version);
    char *range = e.record.requires.v[ERA_VERSION_SOFTWARE];
    if (d->has_needs)
        era_text_set(range, ERA_RANGE_BYTES_MAX + 1, d->needs);
    else if (d->class == ERA_CLASS_BREAKING)
        snprintf(range, ERA_RANGE_BYTES_MAX + 1, ">=%.100s", d->version);
    if (d->class == ERA_CLASS_BREAKING) {
        e.record.era++;
        snprintf(e.record.era_name, sizeof e.record.era_name, "era-%" PRIu64, e.record.era);
    }
    digests(&e.record);
    era_entry_seal(insert(&p->plan, at, &e));
    return NULL;
}

/* The highest slot of a charter that any proposal of the scenario took, and one. */
static uint64_t next_seq(const struct scenario *sc, const char *component, uint64_t charter_version)
{
    uint64_t highest = 0;
    for (size_t i = 0; i < sc->proposal_count; i++) {
        const struct era_proposal *p = sc->proposals[i].p;
        if (p && strcmp(p->slot.component, component) == 0 && p->slot.charter_version == charter_version &&
            p->slot.seq > highest)
            highest = p->slot.seq;
    }
    return highest + 1;
}

static const char *fill(struct scenario *sc, const struct scn_draft *d, const struct base *b,
                        struct era_proposal *p)
{
    const char *why = NULL;
    int current = era_plan_current(b->plan, b->epoch);
    p->prev = b->prev;
    p->expiry = d->expires;
    p->urgent = d->urgent;
    for (size_t i = current > 0 ? (size_t)current : 0; i < b->plan->count; i++)
        if (b->plan->entries[i].has_effective) {
            p->plan.entries[p->plan.count] = b->plan->entries[i];
            p->plan.entries[p->plan.count++].is_new = false;
        }
    for (size_t i = 0; i < d->drops.count && !why; i++)
        why = drop(p, &sc->proposals[d->drops.at[i]]);
    for (size_t i = 0; i < d->keeps.count && !why; i++)
        why = keep(p, &sc->proposals[d->keeps.at[i]]);
    return why ? why : add(p, d);
}

const char *scn_plan_make(struct scenario *sc, const struct scn_act *act, struct sim_node *n)
{
    const struct scn_draft *d = act->draft;
    struct scn_proposal *made = &sc->proposals[act->proposal];
    struct era_proposal *p = calloc(1, sizeof *p);
    struct base *b = calloc(1, sizeof *b);
    assert(p && b);
    const char *why = base_of(sc, d, n, b);
    era_text_set(p->slot.component, sizeof p->slot.component, d->component);
    p->slot.charter_version = d->has_under ? d->under : era_node_charter(n->node)->version;
    p->slot.seq = d->seq ? d->seq : next_seq(sc, d->component, p->slot.charter_version);
    if (!why)
        why = fill(sc, d, b, p);
    free(b);
    if (why) {
        free(p);
        return why;
    }
    made->p = p;
    return NULL;
}
