/* Announcements: what this node says of itself once an epoch (R16). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/node/node_internal.h"

static bool any_version(const struct era_versions *v)
{
    for (int i = 0; i < ERA_VERSION_KINDS; i++)
        if (v->v[i][0])
            return true;
    return false;
}

/* R16: one a validator and epoch, durably committed before it leaves. A lease
 * is not claimed: strict emission is not part of this version. */
void node_announce(struct era_node *n)
{
    const struct era_item *said[2];
    if (!node_may_speak(n))
        return;
    if (era_ledger_spoken(n->ledger, ERA_KIND_ANNOUNCEMENT, -1, n->epoch, &n->config.secret->key, said) > 0)
        return;
    const struct era_gate *gate = &n->gates[n->network_component];
    struct era_statement *s = calloc(1, sizeof *s);
    assert(s);
    s->kind = ERA_KIND_ANNOUNCEMENT;
    struct era_announcement *a = &s->u.announcement;
    a->epoch = n->epoch;
    a->charter_version = n->config.charter->version;
    a->versions = n->config.versions;
    a->has_entry = gate->current != NULL;
    if (gate->current)
        a->entry = gate->current->hash;
    a->view_digest = era_view_digest(n->ledger);
    a->staged = any_version(&n->config.staged);
    a->blocked = gate->state == ERA_GATE_BLOCKED || gate->state == ERA_GATE_MISMATCH;
    node_say(n, s, NULL);
    free(s);
}
