#include "src/erad/report_parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "src/core/epoch.h"
#include "src/core/plan.h"
#include "src/host/error.h"

/* ---- JSON ---- */

static json_t *whole(json_t *v)
{
    assert(v); /* no memory */
    return v;
}

json_t *report_object(void)
{
    return whole(json_object());
}

json_t *report_array(void)
{
    return whole(json_array());
}

void report_put(json_t *object, const char *key, json_t *v)
{
    int rc = json_object_set_new(object, key, whole(v));
    assert(rc == 0);
}

void report_add(json_t *array, json_t *v)
{
    int rc = json_array_append_new(array, whole(v));
    assert(rc == 0);
}

json_t *report_answer(const char *name)
{
    char schema[ERA_NAME_BYTES_MAX + 16];
    json_t *o = report_object();
    snprintf(schema, sizeof schema, "erad.%s/1", name);
    report_put(o, "schema", report_text(schema));
    return o;
}

json_t *report_text(const char *text)
{
    char clean[4 * ERA_TEXT_BYTES_MAX + 1];
    json_t *v = json_string(text);
    return v ? v : whole(json_string(era_text_escape(text, clean, sizeof clean)));
}

json_t *report_text_or_null(const char *text)
{
    return text && text[0] ? report_text(text) : json_null();
}

json_t *report_bool(bool b)
{
    return json_boolean(b);
}

json_t *report_number(uint64_t n)
{
    return whole(json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n));
}

json_t *report_stake(uint64_t stake)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)stake);
    return report_text(text);
}

json_t *report_hash(const struct era_hash *h)
{
    char text[ERA_HASH_TEXT_BYTES];
    return report_text(era_hash_text(h, text));
}

json_t *report_versions(const struct era_versions *v)
{
    json_t *o = report_object();
    for (int i = 0; i < ERA_VERSION_KINDS; i++)
        if (v->v[i][0])
            report_put(o, era_version_kind_names[i], report_text(v->v[i]));
    return o;
}

/* ---- entries ---- */

static const char *entry_state(const struct era_node *n, const struct era_entry *e, bool current)
{
    if (!e->has_effective)
        return "announced";
    if (current)
        return "current";
    return e->effective > era_node_epoch(n) ? "next" : "past";
}

static json_t *requires(const struct era_ranges *r)
{
    json_t *o = report_object();
    for (int i = 0; i < ERA_VERSION_KINDS; i++)
        if (r->v[i][0])
            report_put(o, era_version_kind_names[i], report_text(r->v[i]));
    return o;
}

static json_t *artefacts(const struct era_record *r)
{
    json_t *all = report_array();
    for (size_t i = 0; i < r->artefact_count; i++) {
        json_t *o = report_object();
        report_put(o, "name", report_text(r->artefacts[i].name));
        report_put(o, "digest", report_text(r->artefacts[i].digest));
        report_put(o, "link", report_text_or_null(r->artefacts[i].link));
        report_add(all, o);
    }
    return all;
}

static json_t *flags(const struct era_record *r)
{
    json_t *o = report_object();
    for (size_t i = 0; i < r->flag_count; i++)
        report_put(o, r->flags[i].name, report_bool(r->flags[i].on));
    return o;
}

static json_t *dependencies(const struct era_record *r)
{
    json_t *all = report_array();
    for (size_t i = 0; i < r->dependency_count; i++) {
        json_t *o = report_object();
        report_put(o, "name", report_text(r->dependencies[i].name));
        report_put(o, "range", report_text(r->dependencies[i].range));
        report_put(o, "since", report_text_or_null(r->dependencies[i].since));
        report_add(all, o);
    }
    return all;
}

json_t *report_entry(const struct era_node *n, const struct era_plan *plan, size_t index, int current)
{
    const struct era_entry *e = &plan->entries[index];
    const struct era_record *r = &e->record;
    json_t *o = report_object();
    report_put(o, "hash", report_hash(&e->hash));
    report_put(o, "effective", e->has_effective ? report_number(e->effective) : json_null());
    report_put(o, "class", report_text(era_class_name(e->class)));
    report_put(o, "new", report_bool(e->is_new));
    report_put(o, "state", report_text(entry_state(n, e, (int)index == current)));
    report_put(o, "supported", report_bool(era_record_supported(r, era_node_versions(n), NULL)));
    report_put(o, "version", report_text(r->version));
    report_put(o, "era", report_number(r->era));
    report_put(o, "era_name", report_text(r->era_name));
    report_put(o, "requires", requires(&r->requires));
    report_put(o, "artefacts", artefacts(r));
    report_put(o, "source_digest", report_text_or_null(r->source_digest));
    report_put(o, "link", report_text_or_null(r->link));
    report_put(o, "flags", flags(r));
    report_put(o, "dependencies", dependencies(r));
    return o;
}

json_t *report_plan(const struct era_node *n, const struct era_plan *plan, int current)
{
    json_t *all = report_array();
    for (size_t i = 0; i < plan->count; i++)
        report_add(all, report_entry(n, plan, i, current));
    return all;
}

const struct era_entry *report_main_entry(const struct era_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->entries[i].is_new)
            return &plan->entries[i];
    return &plan->entries[plan->count - 1];
}

json_t *report_entry_of(const struct era_node *n, int component, const struct era_entry *entry)
{
    struct era_view v;
    if (!entry)
        return json_null();
    era_node_view(n, component, &v);
    int at = era_plan_find(v.plan, &entry->hash);
    return at < 0 ? json_null() : report_entry(n, v.plan, (size_t)at, v.current);
}

json_t *report_head(const struct era_adopted *head)
{
    if (!head)
        return json_null();
    json_t *o = report_object();
    report_put(o, "id", report_hash(&head->proposal));
    report_put(o, "seq", report_number(head->seq));
    report_put(o, "charter_version", report_number(head->charter_version));
    return o;
}

/* ---- times and names ---- */

const char *report_duration(uint64_t ms, char out[40])
{
    unsigned long long s = ms / 1000, min = s / 60, h = min / 60, days = h / 24;
    if (days > 0)
        snprintf(out, 40, "%llu d %llu h", days, h % 24);
    else if (h > 0)
        snprintf(out, 40, "%llu h %llu min", h, min % 60);
    else if (min > 0)
        snprintf(out, 40, "%llu min %llu s", min, s % 60);
    else
        snprintf(out, 40, "%llu s", s);
    return out;
}

const char *report_time_left(const struct era_node *n, uint64_t epoch, char out[48])
{
    const struct era_clock_params *clock = &era_node_charter(n)->clock;
    uint64_t start = era_epoch_start(clock, epoch), reading = era_node_reading(n);
    char words[40];
    out[0] = '\0';
    if (clock->kind == ERA_CLOCK_WALL && start != UINT64_MAX && start > reading)
        snprintf(out, 48, " (%s)", report_duration(start - reading, words));
    return out;
}

/* N6: announced for the present epoch or the one before it, or already for a later one. */
bool report_is_fresh(const struct era_node *n, uint64_t announced)
{
    uint64_t epoch = era_node_epoch(n);
    return announced >= (epoch > 0 ? epoch - 1 : 0);
}

bool report_silent(const struct era_node *n, size_t most, char *out, size_t size)
{
    const struct era_charter *c = era_node_counting_charter(n);
    size_t silent = 0, len = 0;
    out[0] = '\0';
    for (size_t v = 0; v < c->validator_count; v++) {
        const struct era_item *said =
            era_ledger_announcement(era_node_counting_ledger(n), (int)v, UINT64_MAX, NULL);
        if (said && report_is_fresh(n, said->seq))
            continue;
        if (silent++ < most && len < size)
            len += (size_t)snprintf(out + len, size - len, "%s%s", silent > 1 ? ", " : "",
                                    c->validators[v].name);
    }
    if (silent > most && len < size)
        snprintf(out + len, size - len, " and %zu more", silent - most);
    return silent > 0;
}
