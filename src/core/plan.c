#include "src/core/plan.h"

#include <string.h>

#include "src/base/semver.h"
#include "src/core/charter.h"

void era_plan_initial(const struct era_component *component, struct era_plan *out)
{
    memset(out, 0, sizeof *out);
    out->count = 1;
    struct era_entry *e = &out->entries[0];
    e->has_effective = true;
    e->class = ERA_CLASS_BREAKING;
    e->record = component->initial;
    era_entry_seal(e);
}

int era_plan_current(const struct era_plan *plan, uint64_t epoch)
{
    int current = -1;
    for (size_t i = 0; i < plan->count; i++)
        if (plan->entries[i].has_effective && plan->entries[i].effective <= epoch)
            current = (int)i;
    return current;
}

int era_plan_find(const struct era_plan *plan, const struct era_hash *entry)
{
    for (size_t i = 0; i < plan->count; i++)
        if (era_hash_eq(&plan->entries[i].hash, entry))
            return (int)i;
    return -1;
}

bool era_entry_asks_enough(const struct era_entry *entry)
{
    return entry->is_new && entry->has_effective && entry->class != ERA_CLASS_SOFT;
}

bool era_plan_asks_enough(const struct era_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (era_entry_asks_enough(&plan->entries[i]))
            return true;
    return false;
}

enum era_plan_news era_plan_news(const struct era_plan *plan)
{
    enum era_plan_news news = ERA_NEWS_DROPS;
    for (size_t i = 0; i < plan->count; i++) {
        const struct era_entry *e = &plan->entries[i];
        if (!e->is_new)
            continue;
        enum era_plan_news n = !e->has_effective            ? ERA_NEWS_ANNOUNCED
                               : e->class == ERA_CLASS_SOFT ? ERA_NEWS_SOFT
                                                            : ERA_NEWS_BREAKING;
        if (n > news)
            news = n;
    }
    return news;
}

/* ---- well formed by itself ---- */

static const char *record_flaw(const struct era_record *r, const char *component)
{
    if (strcmp(r->component, component) != 0)
        return "a record names another component than the slot";
    if (!era_semver_valid(r->version))
        return "a record's version is not a semantic version (major.minor.patch)";
    for (int i = 0; i < ERA_VERSION_KINDS; i++)
        if (r->requires.v[i][0] && !era_range_valid(r->requires.v[i]))
            return "a required range is not a range of semantic versions";
    for (size_t i = 0; i < r->artefact_count; i++)
        if (!era_digest_valid(r->artefacts[i].digest))
            return "an artefact's digest is not h1:, m1: or sha256:";
    if (r->source_digest[0] && !era_digest_valid(r->source_digest))
        return "the source digest is not h1:, m1: or sha256:";
    for (size_t i = 0; i < r->dependency_count; i++)
        if (!era_range_valid(r->dependencies[i].range))
            return "a dependency's range is not a range of semantic versions";
    return NULL;
}

static bool ranges_equal(const struct era_ranges *a, const struct era_ranges *b)
{
    for (int i = 0; i < ERA_VERSION_KINDS; i++)
        if (strcmp(a->v[i], b->v[i]) != 0)
            return false;
    return true;
}

/* The rules of change between neighbours; an override is free of them but for the era's number. */
static const char *change_flaw(const struct era_entry *before, const struct era_entry *e)
{
    const struct era_record *a = &before->record, *b = &e->record;
    switch (e->class) {
    case ERA_CLASS_OVERRIDE:
        return b->era == a->era || b->era == a->era + 1
                   ? NULL
                   : "an override keeps the era's number or takes the next";
    case ERA_CLASS_SOFT:
        if (b->era != a->era || strcmp(a->era_name, b->era_name) != 0)
            return "a soft entry keeps the era before it";
        /* Inside one era everything is compatible (M2): a soft release may stop nobody (P1, P2). */
        if (!ranges_equal(&a->requires, &b->requires))
            return "a soft entry keeps the required ranges of its era";
        break;
    case ERA_CLASS_BREAKING:
        if (b->era != a->era + 1)
            return "a breaking entry takes the era's number before it plus one";
        break;
    }
    if (era_semver_compare(b->version, a->version) < 0)
        return "a version lower than the one before it needs an override";
    return NULL;
}

static const char *order_flaw(const struct era_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct era_entry *e = &plan->entries[i];
        if (!e->has_effective && (i == 0 || i + 1 < plan->count))
            return "only the last entry may be without an epoch, and it is not the first";
        if (i > 0 && e->has_effective && e->effective <= plan->entries[i - 1].effective)
            return "effective epochs must ascend";
    }
    if (plan->entries[0].is_new)
        return "the first entry is the record in force and cannot be new";
    return NULL;
}

static const char *proposal_flaw(const struct era_proposal *p)
{
    const struct era_plan *plan = &p->plan;
    if (plan->count < 1 || plan->count > ERA_PLAN_ENTRIES_MAX)
        return "a plan has 1 to 5 entries";
    const char *flaw = order_flaw(plan);
    for (size_t i = 0; i < plan->count && !flaw; i++) {
        flaw = record_flaw(&plan->entries[i].record, p->slot.component);
        if (!flaw && i > 0)
            flaw = change_flaw(&plan->entries[i - 1], &plan->entries[i]);
        if (!flaw && era_proposal_drops(p, &plan->entries[i].hash))
            flaw = "an entry is both contained and dropped";
    }
    if (flaw)
        return flaw;
    if (p->prev.some && (p->prev.charter_version > p->slot.charter_version ||
                         (p->prev.charter_version == p->slot.charter_version && p->prev.seq >= p->slot.seq)))
        return "prev is not below the slot";
    return NULL;
}

enum era_verdict era_plan_well_formed(const struct era_proposal *p, const char **why)
{
    const char *flaw = proposal_flaw(p);
    if (why)
        *why = flaw;
    return flaw ? ERA_ILL_FORMED_PLAN : ERA_ACCEPTED;
}

/* ---- the extending rule ---- */

bool era_proposal_drops(const struct era_proposal *p, const struct era_hash *h)
{
    for (size_t i = 0; i < p->drop_count; i++)
        if (era_hash_eq(&p->drops[i], h))
            return true;
    return false;
}

/* Every later entry of prev's plan with an epoch is kept, or dropped in time. */
static const char *prev_kept_flaw(const struct era_extending *x, const struct era_proposal *p, int first)
{
    for (size_t i = (size_t)first + 1; i < x->prev_plan->count; i++) {
        const struct era_entry *e = &x->prev_plan->entries[i];
        if (!e->has_effective || era_plan_find(&p->plan, &e->hash) >= 0)
            continue;
        if (!era_proposal_drops(p, &e->hash))
            return "an entry of the head's plan is neither kept nor named in drops";
        /* At least one epoch ahead, so that a clock one epoch off loses no era in force. */
        if (e->effective <= x->epoch)
            return "an entry that has begun cannot be dropped; a new breaking entry takes it back";
    }
    return NULL;
}

/* What this key voted for above prev is kept or dropped: by quorum
 * intersection no adopted entry is lost unnoticed. */
static const char *voted_kept_flaw(const struct era_extending *x, const struct era_proposal *p)
{
    for (size_t v = 0; v < x->voted_count; v++) {
        if (era_proposal_drops(p, &x->voted[v].proposal))
            continue;
        for (size_t i = 1; i < x->voted[v].plan->count; i++) {
            const struct era_entry *e = &x->voted[v].plan->entries[i];
            if (!e->has_effective || era_plan_find(&p->plan, &e->hash) >= 0 ||
                era_proposal_drops(p, &e->hash))
                continue;
            if (era_plan_find(x->prev_plan, &e->hash) >= 0)
                continue; /* judged with the head's plan, where it may have been overtaken */
            return "an entry of a plan this key signed for above the head is neither kept nor named in drops";
        }
    }
    return NULL;
}

static enum era_verdict new_entries(const struct era_extending *x, const struct era_proposal *p,
                                    const char **flaw)
{
    for (size_t i = 0; i < p->plan.count; i++) {
        const struct era_entry *e = &p->plan.entries[i];
        if (e->is_new != (era_plan_find(x->prev_plan, &e->hash) < 0)) {
            *flaw = e->is_new ? "an entry of the head's plan is marked as new"
                              : "an entry is not in the head's plan, yet not marked as new";
            return ERA_NOT_EXTENDING;
        }
        if (e->is_new && e->has_effective && e->effective <= era_add_sat(x->epoch, x->notice_epochs)) {
            *flaw = "a new entry must lie later than the present epoch plus the notice";
            return ERA_SHORT_NOTICE;
        }
    }
    return ERA_ACCEPTED;
}

static bool same_head(const struct era_head_ref *a, const struct era_head_ref *b)
{
    if (a->some != b->some)
        return false;
    return !a->some || (a->charter_version == b->charter_version && a->seq == b->seq &&
                        era_hash_eq(&a->proposal, &b->proposal));
}

enum era_verdict era_plan_extends(const struct era_extending *x, const struct era_proposal *p,
                                  const char **why)
{
    const char *flaw = NULL;
    enum era_verdict v = ERA_NOT_EXTENDING;
    int first = era_plan_find(x->prev_plan, &p->plan.entries[0].hash);
    if (!same_head(&x->prev, &p->prev)) {
        v = ERA_NO_PREV;
        flaw = "it builds on another head than the one held here";
    } else if (first < 0 || x->prev_plan->entries[first].effective > x->epoch) {
        /* Not necessarily the latest: a plan in flight survives an activation. */
        flaw = "its first entry is not one of the head's plan that has begun";
    } else if (!(flaw = prev_kept_flaw(x, p, first)) && !(flaw = voted_kept_flaw(x, p))) {
        v = new_entries(x, p, &flaw);
    }
    if (why)
        *why = flaw;
    return v;
}
