#include "src/core/gate.h"

#include "src/base/semver.h"
#include "src/base/verdict.h"

static const struct {
    const char *name;
    int status;
} rows[ERA_GATE_STATES] = {
    [ERA_GATE_FORKED] = {"forked", ERA_EXIT_INCOMPATIBLE},
    [ERA_GATE_BLOCKED] = {"blocked", ERA_EXIT_INCOMPATIBLE},
    [ERA_GATE_MISMATCH] = {"mismatch", ERA_EXIT_INCOMPATIBLE},
    [ERA_GATE_CLOCK] = {"clock", ERA_EXIT_TRY_LATER},
    [ERA_GATE_NO_ERA] = {"no-era", ERA_EXIT_TRY_LATER},
    [ERA_GATE_STALE] = {"stale", ERA_EXIT_TRY_LATER},
    [ERA_GATE_UPGRADE_SOON] = {"upgrade-soon", ERA_EXIT_OK},
    [ERA_GATE_NOTICE] = {"notice", ERA_EXIT_OK},
    [ERA_GATE_CURRENT] = {"current", ERA_EXIT_OK},
};

const char *era_gate_name(enum era_gate_state s)
{
    return rows[s].name;
}

int era_gate_exit(enum era_gate_state s)
{
    return rows[s].status;
}

bool era_gate_may_emit(enum era_gate_state s)
{
    return rows[s].status == ERA_EXIT_OK;
}

/* The nearest entry to come, with an epoch, that neither what runs nor what is staged supports. */
static const struct era_entry *unsupported_next(const struct era_gate_input *in, int *kind)
{
    const struct era_plan *plan = in->view->plan;
    for (size_t i = 0; i < plan->count; i++) {
        const struct era_entry *e = &plan->entries[i];
        if (e->has_effective && e->effective > in->view->epoch &&
            !era_record_supported(&e->record, in->versions, kind) &&
            !(in->staged && era_record_supported(&e->record, in->staged, NULL)))
            return e;
    }
    *kind = -1;
    return NULL;
}

/* A release newer than the software that runs: in force (P1), to come, or announced without an epoch (M4).
 * The last such: that is what to install. */
static const struct era_entry *newer_release(const struct era_gate_input *in)
{
    const struct era_plan *plan = in->view->plan;
    const char *own = in->versions->v[ERA_VERSION_SOFTWARE];
    const struct era_entry *newest = NULL;
    for (size_t i = 0; i < plan->count; i++) {
        const struct era_entry *e = &plan->entries[i];
        bool past = e->has_effective && e->effective <= in->view->epoch && (int)i != in->view->current;
        if (!past && era_semver_valid(own) && era_semver_compare(e->record.version, own) > 0)
            newest = e;
    }
    return newest;
}

void era_gate_judge(const struct era_gate_input *in, struct era_gate *out)
{
    *out = (struct era_gate){
        .current = era_view_entry(in->view), .version_kind = -1, .lease_stake = in->lease_stake};
    if (in->view->forked) {
        out->state = ERA_GATE_FORKED;
        return;
    }
    if (out->current && !era_record_supported(&out->current->record, in->versions, &out->version_kind)) {
        out->state = ERA_GATE_BLOCKED;
        out->cause = out->current;
        return;
    }
    if (out->current && in->mismatch) {
        out->state = ERA_GATE_MISMATCH;
        out->cause = out->current;
        return;
    }
    if (in->clock) {
        out->state = ERA_GATE_CLOCK;
        return;
    }
    if (!out->current || !in->fresh || in->unleased) {
        out->state = out->current ? ERA_GATE_STALE : ERA_GATE_NO_ERA;
        out->unleased = out->current && in->fresh;
        return;
    }
    if ((out->cause = unsupported_next(in, &out->version_kind))) {
        out->state = ERA_GATE_UPGRADE_SOON;
        out->epochs_left = out->cause->effective - in->view->epoch;
    } else if ((out->cause = newer_release(in))) {
        out->state = ERA_GATE_NOTICE;
    } else {
        out->state = ERA_GATE_CURRENT;
    }
}
