/* Plans as honest signers write them (the extending rule), shorter than
 * eractl's: one change at a time, always after what is to come already. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/plan.h"
#include "src/erasim/people.h"

#define EXPIRY_EPOCHS 5 /* of a proposal whose own epochs set no end */

void cast_digest(const char *artefact, const char *version, char out[ERA_DIGEST_BYTES_MAX + 1])
{
    struct era_bytes parts[2] = {{(const uint8_t *)artefact, strlen(artefact)},
                                 {(const uint8_t *)version, strlen(version)}};
    struct era_hash h = era_hash_parts(parts, 2);
    char hex[ERA_HASH_TEXT_BYTES];
    snprintf(out, ERA_DIGEST_BYTES_MAX + 1, "sha256:%s", era_hash_text(&h, hex));
}

bool cast_draft_drop(struct era_proposal *p, const struct era_hash *h)
{
    size_t at = 0;
    if (era_proposal_drops(p, h))
        return true;
    if (p->drop_count == ERA_DROPS_MAX)
        return false;
    while (at < p->drop_count && era_hash_cmp(&p->drops[at], h) < 0)
        at++;
    memmove(&p->drops[at + 1], &p->drops[at], (p->drop_count - at) * sizeof p->drops[0]);
    p->drops[at] = *h;
    p->drop_count++;
    return true;
}

static uint64_t notice_of(const struct draft_base *b)
{
    const struct era_component *c = &b->charter->components[b->component];
    return b->urgent ? c->urgent_notice_epochs : c->notice_epochs;
}

static void set_version(struct era_record *r, unsigned major, unsigned minor)
{
    snprintf(r->version, sizeof r->version, "%u.%u.0", major, minor);
    for (size_t i = 0; i < r->artefact_count; i++)
        cast_digest(r->artefacts[i].name, r->version, r->artefacts[i].digest);
}

/* Breaking ones ask for their own major version, of the kind that the record before them asks for. */
static void set_requires(struct era_record *r, unsigned major)
{
    for (int k = 0; k < ERA_VERSION_KINDS; k++)
        if (r->requires.v[k][0])
            snprintf(r->requires.v[k], sizeof r->requires.v[k], ">=%u.0.0", major);
}

static void next_record(const struct era_record *before, enum wish wish, struct era_record *r)
{
    unsigned major = 1, minor = 0;
    *r = *before;
    sscanf(before->version, "%u.%u", &major, &minor);
    switch (wish) {
    case WISH_BREAKING:
    case WISH_ANNOUNCE:
        set_version(r, major + 1, 0);
        set_requires(r, major + 1);
        r->era = before->era + 1;
        snprintf(r->era_name, sizeof r->era_name, "era-%llu", (unsigned long long)r->era);
        break;
    case WISH_OVERRIDE: /* a step back in the version, inside the era */
        set_version(r, major, minor > 0 ? minor - 1 : 0);
        break;
    case WISH_SOFT:
    case WISH_ACTIVATE:
    case WISH_DROP:
    case WISHES:
        set_version(r, major, minor + 1);
        break;
    }
}

/* The plan from the entry in force on, nothing new; what is announced apart. */
static bool keep(const struct draft_base *b, struct era_plan *plan, struct era_entry *announced, bool *has)
{
    /* Forked: the last undisputed one (R12); a higher slot ends it. */
    int first = b->view->current >= 0 ? b->view->current : b->view->last;
    if (first < 0)
        return false;
    *has = false;
    plan->count = 0;
    for (size_t i = (size_t)first; i < b->view->plan->count; i++) {
        const struct era_entry *e = &b->view->plan->entries[i];
        if (!e->has_effective) {
            *announced = *e;
            *has = true;
            continue;
        }
        plan->entries[plan->count] = *e;
        plan->entries[plan->count++].is_new = false;
    }
    return true;
}

static struct era_entry *append(struct era_plan *plan)
{
    struct era_entry *e = &plan->entries[plan->count++];
    memset(e, 0, sizeof *e);
    e->is_new = true;
    return e;
}

static void set_epoch(const struct draft_base *b, const struct era_plan *plan, struct era_entry *e)
{
    uint64_t at = b->view->epoch + notice_of(b) + 2 + b->later;
    uint64_t last = plan->entries[plan->count - 2].effective;
    if (at < b->charter->effective) /* before it counts it changes nothing (R10) */
        at = b->charter->effective;
    e->has_effective = true;
    e->effective = at > last ? at : last + 1;
}

static bool drop_last(const struct draft_base *b, struct era_proposal *p)
{
    const struct era_entry *last = &p->plan.entries[p->plan.count - 1];
    if (p->plan.count < 2 || last->effective <= b->view->epoch + 1)
        return false;
    if (!cast_draft_drop(p, &last->hash))
        return false;
    p->plan.count--;
    return true;
}

static bool change(const struct draft_base *b, enum wish wish, struct era_proposal *p,
                   const struct era_entry *announced, bool has)
{
    struct era_plan *plan = &p->plan;
    if (wish == WISH_DROP)
        return drop_last(b, p);
    if (plan->count == ERA_PLAN_ENTRIES_MAX || (wish == WISH_ACTIVATE && !has) ||
        (wish == WISH_ANNOUNCE && has))
        return false;
    const struct era_record *before = &plan->entries[plan->count - 1].record;
    struct era_entry *e = append(plan);
    if (wish == WISH_ACTIVATE && announced->record.era == before->era + 1)
        e->record = announced->record;
    else
        next_record(before, wish == WISH_ACTIVATE ? WISH_BREAKING : wish, &e->record);
    e->class = wish == WISH_SOFT       ? ERA_CLASS_SOFT
               : wish == WISH_OVERRIDE ? ERA_CLASS_OVERRIDE
                                       : ERA_CLASS_BREAKING;
    if (wish != WISH_ANNOUNCE)
        set_epoch(b, plan, e);
    era_entry_seal(e);
    /* A soft entry changes no era: what is announced still fits behind it. */
    if (has && wish == WISH_SOFT && plan->count < ERA_PLAN_ENTRIES_MAX) {
        struct era_entry *kept = append(plan);
        *kept = *announced;
        kept->is_new = false;
    }
    return true;
}

/* The last epoch at which signing it makes sense: its notice must still fit, and what it drops not begin. */
static uint64_t expiry_of(const struct draft_base *b, const struct era_proposal *p)
{
    uint64_t expiry = b->view->epoch + EXPIRY_EPOCHS;
    for (size_t i = 0; i < p->plan.count; i++) {
        const struct era_entry *e = &p->plan.entries[i];
        if (e->is_new && e->has_effective && e->effective - notice_of(b) - 1 < expiry)
            expiry = e->effective - notice_of(b) - 1;
    }
    for (size_t i = 0; i < b->view->plan->count; i++) {
        const struct era_entry *e = &b->view->plan->entries[i];
        if (e->has_effective && era_proposal_drops(p, &e->hash) && e->effective - 1 < expiry)
            expiry = e->effective - 1;
    }
    return expiry;
}

bool cast_draft(const struct draft_base *b, enum wish wish, struct era_proposal *out)
{
    bool has;
    struct era_entry *announced = malloc(sizeof *announced);
    if (!announced)
        return false;
    memset(out, 0, sizeof *out);
    bool ok = keep(b, &out->plan, announced, &has) && change(b, wish, out, announced, has);
    free(announced);
    if (!ok)
        return false;
    era_text_set(out->slot.component, sizeof out->slot.component, b->charter->components[b->component].id);
    out->slot.charter_version = b->charter->version;
    out->slot.seq = b->seq;
    out->prev = b->view->head_ref;
    out->urgent = b->urgent;
    era_text_set(out->text, sizeof out->text, b->text);
    out->expiry = expiry_of(b, out);
    return era_plan_well_formed(out, NULL) == ERA_ACCEPTED;
}
