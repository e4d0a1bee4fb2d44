/* The gate in words: why it is as it is, and what unblocks it (M5, P5). */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/base/semver.h"
#include "src/core/charter.h"
#include "src/erad/report_parts.h"

#define ARTEFACTS_NAMED_MAX 3
#define SILENT_NAMED_MAX    5

struct words {
    char *text;
    size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void say(struct words *w, const char *format, ...)
{
    va_list args;
    if (w->len + 1 >= w->size)
        return;
    va_start(args, format);
    int n = vsnprintf(w->text + w->len, w->size - w->len, format, args);
    va_end(args);
    if (n > 0)
        w->len += (size_t)n;
    if (w->len >= w->size)
        w->len = w->size - 1;
}

struct about {
    const struct era_node *n;
    const struct era_gate *gate;
    const char *component;
    int index;
    struct era_view view;
    struct words text, cure;
};

/* ---- pieces ---- */

/* "requires software >=2.0.0, this node runs 1.4.0" */
static void say_requirement(struct about *a, const struct era_record *r)
{
    int kind = a->gate->version_kind;
    if (kind < 0)
        return;
    const char *name = era_version_kind_names[kind], *own = era_node_versions(a->n)->v[kind];
    say(&a->text, " requires %s %s, this node ", name, r->requires.v[kind]);
    if (own[0])
        say(&a->text, "runs %s", own);
    else
        say(&a->text, "does not say its %s version", name);
}

/* "network 2.0.0 (linux-amd64 h1:… from https://…)" */
static void say_release(struct about *a, const struct era_record *r)
{
    say(&a->cure, "%s %s", a->component, r->version);
    if (r->artefact_count == 0) {
        if (r->link[0])
            say(&a->cure, " (from %s)", r->link);
        return;
    }
    say(&a->cure, " (");
    for (size_t i = 0; i < r->artefact_count && i < ARTEFACTS_NAMED_MAX; i++) {
        const struct era_artefact *x = &r->artefacts[i];
        const char *link = x->link[0] ? x->link : r->link;
        say(&a->cure, "%s%s %s%s%s", i > 0 ? "; " : "", x->name, x->digest, link[0] ? " from " : "", link);
    }
    if (r->artefact_count > ARTEFACTS_NAMED_MAX)
        say(&a->cure, "; %zu more", r->artefact_count - ARTEFACTS_NAMED_MAX);
    say(&a->cure, ")");
}

static void say_install(struct about *a, const struct era_record *r, const char *when)
{
    say(&a->cure, "install ");
    say_release(a, r);
    say(&a->cure, "%s, set versions in erad.conf, reload", when);
}

/* P2: what else must be new, and since when. False: nothing. */
static bool say_dependencies(struct about *a, const struct era_record *r)
{
    for (size_t i = 0; i < r->dependency_count; i++) {
        const struct era_dependency *d = &r->dependencies[i];
        say(&a->text, "%s %s %s", i == 0 ? "; it follows" : ",", d->name, d->range);
        if (d->since[0])
            say(&a->text, " since %s", d->since);
    }
    return r->dependency_count > 0;
}

/* ---- states ---- */

static void forked(struct about *a)
{
    unsigned long long slot = a->view.void_seq;
    say(&a->text, "two proposals were adopted in slot %llu of %s, so no era is in force", slot, a->component);
    if (a->view.last >= 0) {
        const struct era_record *r = &a->view.plan->entries[a->view.last].record;
        say(&a->text, "; undisputed last: era %llu \"%s\", version %s", (unsigned long long)r->era,
            r->era_name, r->version);
    }
    say(&a->cure, "the signers must have a proposal adopted in a slot above %llu; `eractl log` shows both",
        slot);
}

static void blocked(struct about *a)
{
    const struct era_entry *e = a->gate->cause;
    say(&a->text, "era %llu \"%s\"", (unsigned long long)e->record.era, e->record.era_name);
    say_requirement(a, &e->record);
    say(&a->text, "; in force since epoch %llu", (unsigned long long)e->effective);
    say_install(a, &e->record, "");
}

static void mismatch(struct about *a)
{
    const struct era_record *r = &a->gate->cause->record;
    size_t count, differ = 0;
    const struct era_rebuild *own = era_node_rebuilds(a->n, &count);
    for (size_t i = 0; i < r->artefact_count; i++) {
        const struct era_artefact *x = &r->artefacts[i];
        const struct era_rebuild *mine = era_rebuild_find(own, count, &a->gate->cause->hash, x->name);
        if (mine && strcmp(mine->digest, x->digest) != 0 && differ++ == 0)
            say(&a->text, "own rebuild of %s of %s %s is %s, signed is %s", x->name, a->component, r->version,
                mine->digest, x->digest);
    }
    if (differ > 1)
        say(&a->text, "; %zu more differ", differ - 1);
    say(&a->cure,
        "find out why the build differs and tell the signers; a matching `eractl attest` opens the gate");
}

static void clock_doubt(struct about *a)
{
    const struct era_clock_word *word = era_node_clock(a->n);
    const struct era_clock_params *clock = &era_node_charter(a->n)->clock;
    say(&a->text,
        "validators of stake %llu announce epoch %llu (median), this node is at epoch %llu, tolerance %llu",
        (unsigned long long)word->heard_stake, (unsigned long long)word->median,
        (unsigned long long)era_node_epoch(a->n), (unsigned long long)clock->tolerance_epochs);
    say(&a->cure, "%s",
        clock->kind == ERA_CLOCK_WALL
            ? "set this machine's clock and see that it is kept in step; if it is right, theirs are wrong"
            : "see that the host program gives the height of the chain that the others follow");
}

static void no_era(struct about *a)
{
    char left[48];
    const struct era_entry *first = &a->view.plan->entries[0];
    if (first->has_effective) {
        say(&a->text, "the plan of %s begins at epoch %llu, now is epoch %llu", a->component,
            (unsigned long long)first->effective, (unsigned long long)era_node_epoch(a->n));
        say(&a->cure, "wait for epoch %llu%s", (unsigned long long)first->effective,
            report_time_left(a->n, first->effective, left));
    } else {
        say(&a->text, "the plan of %s holds nothing with an epoch", a->component);
        say(&a->cure, "the signers must give an entry an epoch");
    }
}

/* N7 */
static void unleased(struct about *a)
{
    say(&a->text, "strict emission: leases of epoch %llu for era %llu \"%s\" by stake %llu, needed %llu",
        (unsigned long long)era_node_epoch(a->n), (unsigned long long)a->gate->current->record.era,
        a->gate->current->record.era_name, (unsigned long long)a->gate->lease_stake,
        (unsigned long long)era_charter_quorum(era_node_counting_charter(a->n)));
    say(&a->cure,
        "it opens when enough validators lease; if not with the next epoch, look for what they voted in "
        "with `eractl log`: a plan that was not adopted must be dropped by a new one");
}

static void stale(struct about *a)
{
    char names[6 * (ERA_NAME_BYTES_MAX + 2)];
    if (a->gate->unleased) {
        unleased(a);
        return;
    }
    say(&a->text, "fresh announcements of stake %llu, needed %llu",
        (unsigned long long)era_node_fresh_stake(a->n),
        (unsigned long long)era_charter_quorum(era_node_counting_charter(a->n)));
    if (report_silent(a->n, SILENT_NAMED_MAX, names, sizeof names))
        say(&a->text, "; silent: %s", names);
    say(&a->cure, "check links with `eractl peers`; ask the silent validators to run");
}

static void upgrade_soon(struct about *a)
{
    char left[48], when[80];
    const struct era_entry *e = a->gate->cause;
    unsigned long long epochs = a->gate->epochs_left;
    report_time_left(a->n, e->effective, left);
    say(&a->text, "in %llu epoch%s%s era %llu \"%s\"", epochs, epochs == 1 ? "" : "s", left,
        (unsigned long long)e->record.era, e->record.era_name);
    say_requirement(a, &e->record);
    snprintf(when, sizeof when, " before epoch %llu", (unsigned long long)e->effective);
    say_install(a, &e->record, when);
}

static void notice(struct about *a)
{
    char left[48];
    const struct era_entry *e = a->gate->cause;
    const char *own = era_node_versions(a->n)->v[ERA_VERSION_SOFTWARE];
    say(&a->text, "%s %s ", a->component, e->record.version);
    if (!e->has_effective)
        say(&a->text, "is announced, era %llu \"%s\", without an epoch", (unsigned long long)e->record.era,
            e->record.era_name);
    else if (e->effective > era_node_epoch(a->n))
        say(&a->text, "comes at epoch %llu%s", (unsigned long long)e->effective,
            report_time_left(a->n, e->effective, left));
    else
        say(&a->text, "is in force since epoch %llu", (unsigned long long)e->effective);
    say(&a->text, ", this node runs %s", own);
    if (say_dependencies(a, &e->record))
        say(&a->text, ": a node that stays behind does not follow them");
    else if (era_record_supported(&e->record, era_node_versions(a->n), NULL))
        say(&a->text, "; the change is internal: the node may stay behind");
    say_install(a, &e->record, " when it suits");
}

static void current(struct about *a)
{
    const struct era_entry *e = a->gate->current;
    say(&a->text, "era %llu \"%s\", version %s, is in force and fits", (unsigned long long)e->record.era,
        e->record.era_name, e->record.version);
}

void era_report_gate_words(const struct era_node *n, const struct era_gate *gate, int component, char *text,
                           size_t text_size, char *cure, size_t cure_size)
{
    struct about a = {.n = n,
                      .gate = gate,
                      .component = era_node_charter(n)->components[component].id,
                      .index = component,
                      .text = {text, text_size, 0},
                      .cure = {cure, cure_size, 0}};
    text[0] = cure[0] = '\0';
    era_node_view(n, component, &a.view);
    switch (gate->state) {
    case ERA_GATE_FORKED:
        forked(&a);
        break;
    case ERA_GATE_BLOCKED:
        blocked(&a);
        break;
    case ERA_GATE_MISMATCH:
        mismatch(&a);
        break;
    case ERA_GATE_CLOCK:
        clock_doubt(&a);
        break;
    case ERA_GATE_NO_ERA:
        no_era(&a);
        break;
    case ERA_GATE_STALE:
        stale(&a);
        break;
    case ERA_GATE_UPGRADE_SOON:
        upgrade_soon(&a);
        break;
    case ERA_GATE_NOTICE:
        notice(&a);
        break;
    case ERA_GATE_CURRENT:
        current(&a);
        break;
    }
}

/* ---- the object ---- */

void report_gate_put(const struct era_node *n, json_t *o, int component, const struct era_gate *gate)
{
    char text[1024], cure[2048];
    era_report_gate_words(n, gate, component, text, sizeof text, cure, sizeof cure);
    report_put(o, "component", report_text(era_node_charter(n)->components[component].id));
    report_put(o, "state", report_text(era_gate_name(gate->state)));
    report_put(o, "exit", report_number((uint64_t)era_gate_exit(gate->state)));
    report_put(o, "may_emit", report_bool(era_gate_may_emit(gate->state)));
    report_put(o, "text", report_text(text));
    report_put(o, "cure", report_text(cure));
    report_put(o, "cause", report_entry_of(n, component, gate->cause));
    report_put(o, "epochs_left",
               gate->state == ERA_GATE_UPGRADE_SOON ? report_number(gate->epochs_left) : json_null());
    if (gate->version_kind < 0 || !gate->cause) {
        report_put(o, "requires", json_null());
        return;
    }
    json_t *need = report_object();
    report_put(need, "kind", report_text(era_version_kind_names[gate->version_kind]));
    report_put(need, "range", report_text(gate->cause->record.requires.v[gate->version_kind]));
    report_put(need, "own", report_text_or_null(era_node_versions(n)->v[gate->version_kind]));
    report_put(o, "requires", need);
}

json_t *era_report_gate(const struct era_node *n, int component)
{
    if (component < 0)
        component = era_node_network_component(n);
    json_t *o = report_answer("gate");
    report_gate_put(n, o, component, era_node_gate(n, component));
    return o;
}
