/* Checkpoints: what a host program's own state was at an epoch, signed by
 * validators, so that others can begin from it (P6). One a component and epoch. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/node/node_internal.h"

static enum era_verdict may_sign(const struct era_node *n, int component, const char **why)
{
    *why = NULL;
    if (n->validator < 0 || n->counting->charter->authority_only)
        return ERA_NO_KEY;
    if (n->store_failed)
        return ERA_STORE_FAILED;
    if (node_locked(n, why))
        return ERA_LOCKED;
    return node_gate_verdict(&n->gates[component], why);
}

/* One an epoch, whatever the charter. */
static bool said(const struct era_node *n, const char *id, uint64_t epoch)
{
    const struct era_item *found[2];
    for (size_t i = 0; i < n->book_count; i++) {
        const struct era_component *c = era_charter_component(n->books[i]->charter, id);
        if (c && era_ledger_spoken(n->books[i]->ledger, ERA_KIND_CHECKPOINT,
                                   (int)(c - n->books[i]->charter->components), epoch, &n->config.secret->key,
                                   found) > 0)
            return true;
    }
    return false;
}

static enum era_verdict say(struct era_node *n, const struct era_command *r, int component)
{
    const struct era_charter *charter = n->counting->charter;
    struct era_reply reply = {.request = r->id, .verdict = ERA_ACCEPTED};
    struct era_statement *s = calloc(1, sizeof *s);
    assert(s);
    s->kind = ERA_KIND_CHECKPOINT;
    struct era_checkpoint *c = &s->u.checkpoint;
    c->charter_version = charter->version;
    c->charter = charter->hash;
    era_text_set(c->component, sizeof c->component, r->topic);
    c->entry = n->gates[component].current->hash;
    c->at = n->epoch;
    era_text_set(c->digest, sizeof c->digest, r->digest);
    enum era_verdict v = node_say(n, s, &reply);
    free(s);
    return v;
}

void node_request_checkpoint(struct era_node *n, const struct era_command *r)
{
    const char *why = NULL;
    const struct era_component *c = r->topic ? era_charter_component(n->charter, r->topic) : NULL;
    int component = c ? (int)(c - n->charter->components) : -1;
    enum era_verdict v = ERA_UNKNOWN_COMPONENT;
    if (c && era_charter_component(n->counting->charter, r->topic))
        v = may_sign(n, component, &why);
    if (v == ERA_ACCEPTED && (!r->digest || !era_digest_valid(r->digest))) {
        v = ERA_BAD_VALUE;
        why = "a digest is h1:, m1: or sha256: and the whole hash";
    }
    if (v == ERA_ACCEPTED && said(n, r->topic, n->epoch)) {
        v = ERA_ALREADY_SIGNED;
        why = "this validator already signed a checkpoint of this component at this epoch";
    }
    if (v == ERA_ACCEPTED)
        say(n, r, component); /* it answers by itself, once durable */
    else
        node_refuse(n, r->id, v, why);
}
