/* Rebuilds: what this node computed from a built output, and what it attests (T5, N5). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/plan.h"
#include "src/node/node_internal.h"

static void node_rebuild_record(const struct era_rebuild *r, struct era_store_key *key, uint8_t out[512],
                                size_t *len)
{
    size_t name = strlen(r->artefact), digest = strlen(r->digest);
    struct era_bytes parts[2] = {{r->entry.b, sizeof r->entry.b}, {(const uint8_t *)r->artefact, name}};
    struct era_hash id = era_hash_parts(parts, 2);
    *key = era_record_item(ERA_RECORD_REBUILD, &id);
    uint8_t *at = out;
    memcpy(at, r->entry.b, sizeof r->entry.b);
    at += sizeof r->entry.b;
    *at++ = (uint8_t)name;
    memcpy(at, r->artefact, name);
    at += name;
    *at++ = (uint8_t)digest;
    memcpy(at, r->digest, digest);
    *len = (size_t)(at + digest - out);
}

bool node_rebuild_read(struct era_bytes value, struct era_rebuild *out)
{
    memset(out, 0, sizeof *out);
    if (value.len < ERA_HASH_BYTES + 2)
        return false;
    memcpy(out->entry.b, value.data, ERA_HASH_BYTES);
    size_t at = ERA_HASH_BYTES, name = value.data[at++];
    if (name > ERA_NAME_BYTES_MAX || value.len < at + name + 1)
        return false;
    memcpy(out->artefact, value.data + at, name);
    at += name;
    size_t digest = value.data[at++];
    if (digest > ERA_DIGEST_BYTES_MAX || value.len != at + digest)
        return false;
    memcpy(out->digest, value.data + at, digest);
    return true;
}

void node_remember_rebuild(struct era_node *n, const struct era_rebuild *r)
{
    n->gate_dirty = n->votes_dirty = true;
    for (size_t i = 0; i < n->rebuild_count; i++)
        if (era_hash_eq(&n->rebuilds[i].entry, &r->entry) &&
            strcmp(n->rebuilds[i].artefact, r->artefact) == 0) {
            n->rebuilds[i] = *r; /* a repaired build brands nobody: the newest result stands */
            return;
        }
    if (n->rebuild_count == ERA_REBUILDS_MAX) {
        memmove(n->rebuilds, n->rebuilds + 1, (ERA_REBUILDS_MAX - 1) * sizeof *n->rebuilds);
        n->rebuild_count--;
    }
    n->rebuilds[n->rebuild_count++] = *r;
}

/* New entries first: they are what is to be attested; then what is in force. */
static bool find_artefact(const struct era_plan *plan, const char *name, bool only_new, size_t *entry,
                          size_t *index, bool *ambiguous)
{
    for (size_t e = plan->count; e-- > 0;) {
        const struct era_record *r = &plan->entries[e].record;
        if (only_new != plan->entries[e].is_new || r->artefact_count == 0)
            continue;
        if (!name[0]) {
            *ambiguous = r->artefact_count > 1;
            *entry = e;
            *index = 0;
            return !*ambiguous;
        }
        for (size_t a = 0; a < r->artefact_count; a++)
            if (strcmp(r->artefacts[a].name, name) == 0) {
                *entry = e;
                *index = a;
                return true;
            }
    }
    return false;
}

enum era_verdict era_node_attest_target(const struct era_node *n, const struct era_hash *proposal,
                                        const char *artefact, struct era_entry *entry, size_t *index)
{
    struct era_proposal *p = malloc(sizeof *p);
    assert(p);
    size_t at;
    bool ambiguous = false;
    enum era_verdict v = ERA_NOT_FOUND;
    const struct era_ledger *l = n->ledger;
    while (l && !era_ledger_proposal(l, proposal, p)) /* what an older charter adopted may be in force */
        l = era_ledger_older(l);
    if (l) {
        if (find_artefact(&p->plan, artefact, true, &at, index, &ambiguous) ||
            (!ambiguous && find_artefact(&p->plan, artefact, false, &at, index, &ambiguous))) {
            *entry = p->plan.entries[at];
            v = ERA_ACCEPTED;
        } else if (ambiguous) {
            v = ERA_AMBIGUOUS;
        }
    }
    free(p);
    return v;
}

/* Publish what was found, match or not (N5). At or below the floor there is nobody left to tell. */
static enum era_verdict say_attestation(struct era_node *n, const struct era_command *r,
                                        const struct era_candidate *c, const char *artefact)
{
    struct era_statement *s = calloc(1, sizeof *s);
    assert(s);
    s->kind = ERA_KIND_ATTESTATION;
    struct era_attestation *a = &s->u.attestation;
    a->slot.charter_version = c->charter_version;
    a->slot.seq = c->seq;
    a->proposal = c->proposal;
    bool fits =
        era_text_set(a->slot.component, sizeof a->slot.component, n->charter->components[c->component].id) &&
        era_text_set(a->artefact, sizeof a->artefact, artefact) &&
        era_text_set(a->digest, sizeof a->digest, r->digest) &&
        era_text_set(a->source_digest, sizeof a->source_digest, r->source_digest ? r->source_digest : "") &&
        era_text_set(a->builder, sizeof a->builder, r->builder ? r->builder : "");
    enum era_verdict v = fits ? node_say(n, s, NULL) : ERA_OVERSIZED;
    free(s);
    return v;
}

void node_request_attest(struct era_node *n, const struct era_command *r)
{
    struct era_entry *entry = malloc(sizeof *entry);
    size_t index;
    assert(entry);
    enum era_verdict v = era_node_attest_target(n, &r->proposal, r->artefact, entry, &index);
    if (v == ERA_ACCEPTED && node_validator_of(n, n->charter) < 0)
        v = ERA_NO_KEY;
    if (v == ERA_ACCEPTED && !era_digest_valid(r->digest))
        v = ERA_BAD_VALUE;
    const struct era_candidate *c = era_ledger_candidate(n->ledger, &r->proposal);
    if (v == ERA_ACCEPTED && c && c->known && !n->charter->authority_only) {
        v = say_attestation(n, r, c, entry->record.artefacts[index].name);
        if (v == ERA_DUPLICATE) /* the same result again: only its record is renewed */
            v = ERA_ACCEPTED;
    }
    if (v != ERA_ACCEPTED) {
        node_refuse(n, r->id, v, NULL);
        free(entry);
        return;
    }
    struct pending *p = node_pend(n, PENDING_REBUILD);
    p->rebuild.entry = entry->hash;
    era_text_set(p->rebuild.artefact, sizeof p->rebuild.artefact, entry->record.artefacts[index].name);
    era_text_set(p->rebuild.digest, sizeof p->rebuild.digest, r->digest);
    p->has_reply = true;
    p->reply = (struct era_reply){.request = r->id};
    p->reply.matched = strcmp(entry->record.artefacts[index].digest, r->digest) == 0;
    p->reply.verdict = p->reply.matched ? ERA_ACCEPTED : ERA_MISMATCH;
    struct era_store_key key;
    uint8_t value[512];
    size_t len;
    node_rebuild_record(&p->rebuild, &key, value, &len);
    node_put(n, key, (struct era_bytes){value, len}, true);
    free(entry);
}
