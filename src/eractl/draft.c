#include "src/eractl/draft.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/semver.h"
#include "src/core/plan.h"
#include "src/eractl/merge.h"

/* A plan in the making has room for one entry too many, so that "too many" can be said. */
struct making {
    const struct era_draft_base *base;
    const struct era_change *change;
    struct era_draft *out;
    size_t count;
    struct era_entry *entries[ERA_PLAN_ENTRIES_MAX + 2]; /* borrowed from the pool */
    struct era_entry pool[ERA_PLAN_ENTRIES_MAX + 2];
    int current; /* index in base->plan of the entry in force */
    int fresh;   /* index in entries of the proposed one, -1: none */
};

static bool refuse(struct making *m, enum era_verdict v, const char *cure, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static bool refuse(struct making *m, enum era_verdict v, const char *cure, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(m->out->why, sizeof m->out->why, format, args);
    va_end(args);
    snprintf(m->out->cure, sizeof m->out->cure, "%s", cure);
    m->out->verdict = v;
    return false;
}

static bool list_full(struct making *m, const struct era_record *r)
{
    char cure[160];
    snprintf(cure, sizeof cure, "a record has at most %d artefacts, %d flags and %d dependencies",
             ERA_ARTEFACTS_MAX, ERA_FLAGS_MAX, ERA_DEPENDENCIES_MAX);
    return refuse(m, ERA_OVERSIZED, cure, "the record of %s has no room for all of that", r->version);
}

static uint64_t notice_of(const struct making *m)
{
    const struct era_component *c = m->base->component;
    return m->base->urgent ? c->urgent_notice_epochs : c->notice_epochs;
}

static uint64_t earliest(const struct making *m)
{
    return era_add_sat(era_add_sat(m->base->epoch, notice_of(m)), 1);
}

static bool add_drop(struct making *m, const struct era_hash *h)
{
    struct era_proposal *p = &m->out->proposal;
    size_t at = 0;
    if (era_proposal_drops(p, h))
        return true;
    if (p->drop_count == ERA_DROPS_MAX)
        return refuse(m, ERA_OVERSIZED, "drop less at once", "a proposal drops at most %d entries",
                      ERA_DROPS_MAX);
    while (at < p->drop_count && era_hash_cmp(&p->drops[at], h) < 0)
        at++;
    memmove(&p->drops[at + 1], &p->drops[at], (p->drop_count - at) * sizeof p->drops[0]);
    p->drops[at] = *h;
    p->drop_count++;
    return true;
}

/* ---- what is kept ---- */

static bool take_drops(struct making *m)
{
    for (size_t i = 0; i < m->change->drop_count; i++) {
        const struct era_hash *h = &m->change->drops[i];
        int at = era_plan_find(m->base->plan, h);
        if (at >= 0 && at <= m->current)
            return refuse(m, ERA_NOT_EXTENDING, "propose a new breaking entry that takes it back",
                          "%s has begun and cannot be dropped", m->base->plan->entries[at].record.version);
        if (!add_drop(m, h))
            return false;
    }
    return true;
}

/* An announced version that is proposed with an epoch: what was announced becomes the entry. */
static const struct era_entry *activated(const struct making *m)
{
    const struct era_plan *plan = m->base->plan;
    const struct era_entry *last = &plan->entries[plan->count - 1];
    bool same = m->change->version && strcmp(m->change->version, last->record.version) == 0;
    return m->change->has_entry && !m->change->announce && !last->has_effective && same &&
                   !era_proposal_drops(&m->out->proposal, &last->hash)
               ? last
               : NULL;
}

static void append(struct making *m, const struct era_entry *e)
{
    struct era_entry *slot = &m->pool[m->count];
    *slot = *e;
    slot->is_new = false;
    m->entries[m->count++] = slot;
}

static void keep_entries(struct making *m)
{
    const struct era_plan *plan = m->base->plan;
    for (size_t i = (size_t)m->current; i < plan->count; i++)
        if (!era_proposal_drops(&m->out->proposal, &plan->entries[i].hash) &&
            &plan->entries[i] != activated(m))
            append(m, &plan->entries[i]);
}

/* ---- the new entry ---- */

static bool check_said(struct making *m)
{
    const struct era_change *c = m->change;
    char cure[96];
    if (!c->announce && !c->has_effective) {
        snprintf(cure, sizeof cure, "give --effective EPOCH (%" PRIu64 " at the earliest), or --announce",
                 earliest(m));
        return refuse(m, ERA_USAGE, cure, "when does it take effect?");
    }
    if (!c->class && !activated(m))
        return refuse(
            m, ERA_USAGE,
            "--class soft if nodes may stay behind, breaking if nodes that are behind must stop, override "
            "if the rules of change forbid it",
            "what class of change is it?");
    if (c->has_effective && c->effective < earliest(m)) {
        snprintf(cure, sizeof cure, "choose epoch %" PRIu64 " or later%s", earliest(m),
                 m->base->urgent ? "" : ", or the urgent lane with --urgent");
        return refuse(m, ERA_SHORT_NOTICE, cure,
                      "epoch %" PRIu64 " is too near: it is epoch %" PRIu64
                      ", and a change needs a notice of %" PRIu64 " epochs",
                      c->effective, m->base->epoch, notice_of(m));
    }
    return true;
}

/* Index where the new entry goes; m->count when last. */
static bool find_place(struct making *m, size_t *at)
{
    for (*at = 1; *at < m->count; (*at)++) {
        const struct era_entry *e = m->entries[*at];
        if (!e->has_effective && m->change->announce)
            return refuse(m, ERA_ILL_FORMED_PLAN, "give that one an epoch first, or name it with --drop",
                          "%s is announced already, and a plan announces one thing", e->record.version);
        if (!e->has_effective || (!m->change->announce && e->effective > m->change->effective))
            return true;
        if (!m->change->announce && e->effective == m->change->effective)
            return refuse(m, ERA_ILL_FORMED_PLAN, "choose another epoch, or name it with --drop",
                          "%s begins at epoch %" PRIu64 " already", e->record.version, e->effective);
    }
    return true;
}

static bool put_new(struct making *m)
{
    size_t at;
    if (!m->change->has_entry)
        return true;
    if (!check_said(m) || !find_place(m, &at))
        return false;
    const struct era_entry *source = activated(m);
    struct era_entry *e = &m->pool[m->count];
    memset(e, 0, sizeof *e);
    e->is_new = true;
    e->has_effective = !m->change->announce;
    e->effective = m->change->announce ? 0 : m->change->effective;
    e->class = m->change->class ? m->change->class : source->class;
    if (!era_merge_change(&m->entries[at - 1]->record, source ? &source->record : NULL, e->class, m->change,
                          &e->record))
        return list_full(m, &e->record);
    memmove(&m->entries[at + 1], &m->entries[at], (m->count - at) * sizeof m->entries[0]);
    m->entries[at] = e;
    m->count++;
    m->fresh = (int)at;
    struct era_entry same = *m->entries[at - 1];
    same.has_effective = e->has_effective;
    same.effective = e->effective;
    same.class = e->class;
    era_entry_seal(&same);
    era_entry_seal(e);
    if (era_hash_eq(&same.hash, &e->hash))
        return refuse(m, ERA_USAGE, "say what changes, with --set-version, --flag, --require...",
                      "this changes nothing: it is the entry before it again");
    return true;
}

/* ---- what must be added again ---- */

/* The entry that stood before e in the head's plan. */
static const struct era_entry *old_before(const struct making *m, const struct era_entry *e)
{
    int at = era_plan_find(m->base->plan, &e->hash);
    assert(at > 0);
    return &m->base->plan->entries[at - 1];
}

static bool add_again(struct making *m, size_t i)
{
    struct era_entry *e = m->entries[i];
    const struct era_entry *was = old_before(m, e);
    char cure[160];
    if (e->has_effective && e->effective < earliest(m)) {
        snprintf(cure, sizeof cure, "put yours after it, or drop it with --drop and propose it later again");
        return refuse(m, ERA_SHORT_NOTICE, cure,
                      "%s at epoch %" PRIu64
                      " would have to be added again, because the eras before it change, and "
                      "its notice no longer fits: epoch %" PRIu64 " is the earliest",
                      e->record.version, e->effective, earliest(m));
    }
    if (!add_drop(m, &e->hash))
        return false;
    if (!era_merge_follow(&was->record, &m->entries[i - 1]->record, e->class, &e->record))
        return list_full(m, &e->record);
    e->is_new = true;
    era_entry_seal(e);
    return true;
}

static bool settle(struct making *m)
{
    for (size_t i = 1; i < m->count; i++) {
        struct era_entry *e = m->entries[i];
        const struct era_record *before = &m->entries[i - 1]->record;
        if (!e->is_new && !era_merge_fits(before, e->class, &e->record) && !add_again(m, i))
            return false;
        if (e->class == ERA_CLASS_OVERRIDE || !era_semver_valid(e->record.version) ||
            !era_semver_valid(before->version) || era_semver_compare(e->record.version, before->version) >= 0)
            continue;
        return refuse(m, ERA_ILL_FORMED_PLAN,
                      "choose another version or epoch, drop one, or use --class override for a step back",
                      "%s would be followed by the lower version %s", before->version, e->record.version);
    }
    if (m->count > ERA_PLAN_ENTRIES_MAX)
        return refuse(m, ERA_ILL_FORMED_PLAN, "wait until one has begun, or drop one with --drop",
                      "a plan has at most %d entries", ERA_PLAN_ENTRIES_MAX);
    return true;
}

/* ---- undoing ---- */

static bool check_undo(struct making *m)
{
    char what[ERA_NAME_BYTES_MAX + 32];
    if (m->fresh < 0 || m->change->undo)
        return true;
    size_t at = (size_t)m->fresh;
    const struct era_record *mine = &m->entries[at]->record, *before = &m->entries[at - 1]->record;
    /* Changes on the way from now to it that it takes back. */
    if (era_merge_undoes(&m->entries[0]->record, before, mine, what, sizeof what))
        return refuse(m, ERA_NOT_EXTENDING, "leave it out, or confirm with --yes-undo",
                      "it undoes a change that comes before it, up to %s: %s", before->version, what);
    /* Its own changes, that entries after it take back because they were made without it. */
    for (size_t i = at + 1; i < m->count; i++)
        if (era_merge_undoes(before, mine, &m->entries[i]->record, what, sizeof what))
            return refuse(
                m, ERA_NOT_EXTENDING,
                "drop that one with --drop and propose it again after yours, or confirm with --yes-undo",
                "%s, which comes later and is kept, undoes a change of yours: %s",
                m->entries[i]->record.version, what);
    return true;
}

/* ---- the whole ---- */

/* The last epoch at which signing it makes sense: its notice must still fit. */
static uint64_t default_expiry(const struct making *m)
{
    uint64_t expiry = UINT64_MAX;
    for (size_t i = 0; i < m->count; i++)
        if (m->entries[i]->is_new && m->entries[i]->has_effective && m->entries[i]->effective < expiry)
            expiry = m->entries[i]->effective - notice_of(m) - 1;
    /* What it drops can be dropped until one epoch before it begins. */
    for (size_t i = 0; i < m->base->plan->count; i++) {
        const struct era_entry *e = &m->base->plan->entries[i];
        if (e->has_effective && e->effective - 1 < expiry && era_proposal_drops(&m->out->proposal, &e->hash))
            expiry = e->effective - 1;
    }
    return expiry != UINT64_MAX ? expiry : era_add_sat(m->base->epoch, ERA_DRAFT_EXPIRY_EPOCHS);
}

static bool make(struct making *m)
{
    struct era_proposal *p = &m->out->proposal;
    m->current = era_plan_current(m->base->plan, m->base->epoch);
    if (m->current < 0)
        return refuse(m, ERA_NO_ERA, era_verdict_cure(ERA_NO_ERA), "%s", era_verdict_text(ERA_NO_ERA));
    if (!take_drops(m))
        return false;
    keep_entries(m);
    if (!put_new(m) || !settle(m) || !check_undo(m))
        return false;
    snprintf(p->slot.component, sizeof p->slot.component, "%s", m->base->component->id);
    p->slot.charter_version = m->base->charter_version;
    p->slot.seq = m->base->seq;
    p->prev = m->base->head;
    p->urgent = m->base->urgent;
    p->plan.count = m->count;
    for (size_t i = 0; i < m->count; i++)
        p->plan.entries[i] = *m->entries[i];
    p->expiry = m->base->has_expiry ? m->base->expiry : default_expiry(m);
    if (p->expiry < m->base->epoch)
        return refuse(m, ERA_EXPIRED, "choose a later --expires or --effective",
                      "nobody could sign it any more");
    if (m->base->text && !era_text_set(p->text, sizeof p->text, m->base->text))
        return refuse(m, ERA_OVERSIZED, "make it shorter", "the text is longer than %d bytes",
                      ERA_TEXT_BYTES_MAX);
    return true;
}

bool era_draft_make(const struct era_draft_base *base, const struct era_change *change, struct era_draft *out)
{
    struct making *m = calloc(1, sizeof *m);
    assert(m);
    memset(out, 0, sizeof *out);
    m->base = base;
    m->change = change;
    m->out = out;
    m->fresh = -1;
    bool ok = make(m);
    free(m);
    return ok;
}
