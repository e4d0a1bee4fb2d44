#include "src/eractl/words.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/fraction.h"
#include "src/base/semver.h"
#include "src/core/charter.h"
#include "src/core/plan.h"
#include "src/core/requirement.h"
#include "src/eractl/print.h"

char *era_words_ranges(const struct era_ranges *r)
{
    char *out = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&out, &len);
    const char *comma = "";
    assert(f);
    for (int k = 0; k < ERA_VERSION_KINDS; k++)
        if (r->v[k][0]) {
            fprintf(f, "%s%s %s", comma, era_version_kind_names[k], r->v[k]);
            comma = ", ";
        }
    if (!*comma)
        fputs("any version", f);
    fclose(f);
    return out;
}

static char *when(const struct era_words *w, const struct era_entry *e)
{
    if (!e->has_effective)
        return strdup("announced, no epoch yet");
    if (e->effective > w->epoch)
        return era_text_format("from epoch %" PRIu64 " (in %" PRIu64 ")", e->effective,
                               e->effective - w->epoch);
    return era_text_format("since epoch %" PRIu64, e->effective);
}

static void say_ranges(const struct era_words *w, const struct era_record *before, const struct era_record *r)
{
    char *now = era_words_ranges(&r->requires), *was = before ? era_words_ranges(&before->requires) : NULL;
    if (!was || strcmp(now, was) != 0)
        era_print_prose(w->out, 6, was ? "requires %s (before: %s)" : "requires %s", now, was);
    free(now);
    free(was);
}

static const struct era_flag *flag_of(const struct era_record *r, const char *name)
{
    for (size_t i = 0; r && i < r->flag_count; i++)
        if (strcmp(r->flags[i].name, name) == 0)
            return &r->flags[i];
    return NULL;
}

static bool same_dependency(const struct era_record *r, const struct era_dependency *d)
{
    for (size_t i = 0; r && i < r->dependency_count; i++)
        if (strcmp(r->dependencies[i].name, d->name) == 0)
            return strcmp(r->dependencies[i].range, d->range) == 0 &&
                   strcmp(r->dependencies[i].since, d->since) == 0;
    return false;
}

/* What r changes against the record before it (NULL: all of it). */
static void say_record(const struct era_words *w, const struct era_record *before, const struct era_record *r)
{
    say_ranges(w, before, r);
    for (size_t i = 0; i < r->flag_count; i++) {
        const struct era_flag *f = &r->flags[i], *old = flag_of(before, f->name);
        if (!old || old->on != f->on)
            era_print_prose(w->out, 6, "switches flag %s %s", f->name, f->on ? "on" : "off");
    }
    for (size_t i = 0; i < r->dependency_count; i++) {
        const struct era_dependency *d = &r->dependencies[i];
        if (!same_dependency(before, d))
            era_print_prose(w->out, 6, "depends on %s %s%s%s", d->name,
                            *d->range ? d->range : "(any version)", *d->since ? " since " : "", d->since);
    }
    for (size_t i = 0; i < r->artefact_count; i++)
        era_print_prose(w->out, 6, "artefact %s %s%s%s", r->artefacts[i].name, r->artefacts[i].digest,
                        *r->artefacts[i].link ? " " : "", r->artefacts[i].link);
    if (r->artefact_count == 0 && before && before->artefact_count > 0)
        era_print_prose(w->out, 6, "no artefacts: those of %s are not carried over", before->version);
    if (*r->source_digest)
        era_print_prose(w->out, 6, "source %s", r->source_digest);
    if (*r->link)
        era_print_prose(w->out, 6, "link %s", r->link);
}

static void say_effect(const struct era_words *w, const struct era_entry *before, const struct era_entry *e)
{
    if (!e->has_effective) {
        era_print_prose(w->out, 6, "an announcement: nothing changes until it is given an epoch");
        return;
    }
    switch (e->class) {
    case ERA_CLASS_SOFT:
        era_print_prose(w->out, 6, "soft: nodes may stay behind, nothing stops");
        return;
    case ERA_CLASS_OVERRIDE:
        era_print_prose(w->out, 6,
                        "OVERRIDE: changes the record against the rules of change, and is marked for ever");
        break;
    case ERA_CLASS_BREAKING:
        break;
    }
    char *ranges = era_words_ranges(&e->record.requires);
    if (strcmp(ranges, "any version") == 0)
        era_print_prose(w->out, 6, "no range is required, so no node stops%s",
                        e->record.era != before->record.era ? " although the era changes" : "");
    else
        era_print_prose(w->out, 6, "every node that does not run %s stops at epoch %" PRIu64, ranges,
                        e->effective);
    free(ranges);
}

static void say_entry(const struct era_words *w, const struct era_entry *before, const struct era_entry *e)
{
    char *time = when(w, e);
    char id[ERA_SHORT_ID_BYTES];
    era_print_prose(w->out, 2, "%s %s: %s, %s%sera %" PRIu64 " \"%s\"  [%s]",
                    e->is_new ? "+ new"
                    : before  ? "= kept"
                              : "  now",
                    time, e->record.version, before ? era_class_name(e->class) : "", before ? ", " : "",
                    e->record.era, e->record.era_name, era_short_hash(&e->hash, id));
    free(time);
    if (!e->is_new || !before)
        return;
    say_effect(w, before, e);
    say_record(w, &before->record, &e->record);
}

/* The new entry that takes the place of a dropped one. */
static const struct era_entry *added_again(const struct era_proposal *p, const struct era_entry *dropped)
{
    for (size_t i = 1; i < p->plan.count; i++) {
        const struct era_entry *e = &p->plan.entries[i];
        if (e->is_new && e->has_effective == dropped->has_effective && e->effective == dropped->effective &&
            strcmp(e->record.version, dropped->record.version) == 0)
            return e;
    }
    return NULL;
}

static void say_drop(const struct era_words *w, const struct era_proposal *p, const struct era_hash *h)
{
    char id[ERA_SHORT_ID_BYTES];
    int at = w->plan ? era_plan_find(w->plan, h) : -1;
    era_short_hash(h, id);
    if (at < 0) {
        era_print_prose(w->out, 2, "- dropped: the entry or proposal %s", id);
        return;
    }
    const struct era_entry *e = &w->plan->entries[at], *again = added_again(p, e);
    char *time = when(w, e);
    if (again)
        era_print_prose(w->out, 2,
                        "- dropped and added again above: %s %s, era %" PRIu64 " becomes %" PRIu64 "  [%s]",
                        e->record.version, time, e->record.era, again->record.era, id);
    else
        era_print_prose(w->out, 2, "- dropped: %s %s, era %" PRIu64 " \"%s\"  [%s]", e->record.version, time,
                        e->record.era, e->record.era_name, id);
    free(time);
}

/* Announced before, and neither kept nor named in drops. */
static void say_announced(const struct era_words *w, const struct era_proposal *p)
{
    if (!w->plan || w->plan->count == 0)
        return;
    const struct era_entry *last = &w->plan->entries[w->plan->count - 1];
    if (last->has_effective || era_plan_find(&p->plan, &last->hash) >= 0 ||
        era_proposal_drops(p, &last->hash))
        return;
    for (size_t i = 1; i < p->plan.count; i++)
        if (strcmp(p->plan.entries[i].record.version, last->record.version) == 0) {
            era_print_prose(w->out, 2, "  what was announced as %s is given an epoch", last->record.version);
            return;
        }
    era_print_prose(w->out, 2, "- no longer announced: %s", last->record.version);
}

static void say_needs(const struct era_words *w, const struct era_proposal *p)
{
    const struct era_charter *c = w->charter;
    uint64_t total = era_charter_stake_sum(c), ready = era_readiness_needed(c, w->component, &p->plan);
    uint64_t rebuilt = era_rebuild_needed(c, w->component, &p->plan);
    era_print_prose(w->out, 2, "Needs %" PRIu32 " of %zu approvals%s.", era_approvals_needed(w->component, p),
                    w->component->signer_count, p->urgent ? " (urgent)" : "");
    if (ready > 0)
        era_print_prose(w->out, 2, "Needs readiness of stake %" PRIu64 " of %" PRIu64 ".", ready, total);
    if (rebuilt > 0)
        era_print_prose(w->out, 2, "Needs matching rebuilds of stake %" PRIu64 " for each artefact.",
                        rebuilt);
    era_print_prose(w->out, 2, "Can be signed until epoch %" PRIu64 "; now it is %" PRIu64 ".", p->expiry,
                    w->epoch);
}

void era_words_proposal(const struct era_words *w, const struct era_proposal *p)
{
    char id[ERA_SHORT_ID_BYTES];
    char *on = p->prev.some ? era_text_format("the head %s (slot %" PRIu64 ")",
                                              era_short_hash(&p->prev.proposal, id), p->prev.seq)
                            : strdup("the charter's initial record");
    era_print_prose(w->out, 0, "%s, slot %" PRIu64 " of charter %" PRIu64 ", on %s%s", p->slot.component,
                    p->slot.seq, p->slot.charter_version, on, p->urgent ? ", URGENT" : "");
    free(on);
    if (*p->text)
        era_print_prose(w->out, 2, "\"%s\"", p->text);
    for (size_t i = 0; i < p->plan.count; i++)
        say_entry(w, i > 0 ? &p->plan.entries[i - 1] : NULL, &p->plan.entries[i]);
    for (size_t i = 0; i < p->drop_count; i++)
        say_drop(w, p, &p->drops[i]);
    say_announced(w, p);
    say_needs(w, p);
}

/* ---- who is there already ---- */

static bool meets(const json_t *versions, const struct era_ranges *r)
{
    for (int k = 0; k < ERA_VERSION_KINDS; k++)
        if (r->v[k][0] && !era_range_match(r->v[k], era_json_text(versions, era_version_kind_names[k])))
            return false;
    return true;
}

void era_words_adoption(const struct era_words *w, const struct era_proposal *p, const json_t *announcements)
{
    const json_t *list = json_object_get(announcements, "validators");
    for (size_t i = 1; i < p->plan.count; i++) {
        const struct era_entry *e = &p->plan.entries[i];
        uint64_t ready = 0, total = 0, stake;
        json_t *missing = json_array();
        for (size_t v = 0; era_entry_asks_enough(e) && v < json_array_size(list); v++) {
            const json_t *one = json_array_get(list, v);
            if (!era_u64_parse(era_json_text(one, "stake"), ERA_STAKE_SUM_MAX, &stake))
                continue;
            total += stake;
            if (meets(json_object_get(one, "versions"), &e->record.requires))
                ready += stake;
            else
                json_array_append_new(missing, json_string(era_json_text(one, "name")));
        }
        char *names = era_json_names(missing, "nobody");
        if (total > 0)
            era_print_prose(w->out, 2,
                            "Stake %" PRIu64 " of %" PRIu64
                            " runs what %s requires by its last announcements; behind: %s.",
                            ready, total, e->record.version, names);
        free(names);
        json_decref(missing);
    }
}
