/* What this node says itself: announcements, votes, attestations, events; and
 * what people ask of it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/plan.h"
#include "src/node/node_internal.h"

/* Sign a statement with the node's key and take it in like any other. Nothing
 * leaves before it is durable. */
static enum era_verdict say(struct era_node *n, const struct era_statement *s, const struct era_reply *reply)
{
    uint8_t *envelope = malloc(ERA_AUTHORED_BYTES_MAX);
    assert(envelope);
    size_t len =
        era_author_sign(&n->config.network, s, n->config.secret, envelope, ERA_AUTHORED_BYTES_MAX, NULL);
    assert(len > 0); /* our own statements keep the limits */
    enum era_verdict v = node_intake(n, (struct era_bytes){envelope, len}, 0, reply, false);
    free(envelope);
    return v;
}

static bool may_speak(const struct era_node *n)
{
    return n->started && !n->store_failed && n->validator >= 0 && !n->config.charter->authority_only;
}

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
    if (!may_speak(n))
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
    say(n, s, NULL);
    free(s);
}

/* ---- readiness (R4) ---- */

enum era_verdict era_node_may_vote(const struct era_node *n, const struct era_candidate *c, const char **why)
{
    if (n->validator < 0 || n->config.charter->authority_only) {
        if (why)
            *why = "this node is no validator of the network";
        return ERA_NO_KEY;
    }
    if (n->store_failed) {
        if (why)
            *why = "the store failed: no votes until restart";
        return ERA_STORE_FAILED;
    }
    struct era_voter voter = {.key = n->config.secret->key,
                              .initial = &n->initial[c->component],
                              .epoch = n->epoch,
                              .rebuilds = n->rebuilds,
                              .rebuild_count = n->rebuild_count,
                              .artefacts = n->config.artefacts,
                              .artefact_count = n->config.artefact_count};
    return era_vote_readiness(n->ledger, c, &voter, why);
}

static enum era_verdict vote(struct era_node *n, const struct era_candidate *c, const struct era_reply *reply,
                             const char **why)
{
    enum era_verdict v = era_node_may_vote(n, c, why);
    if (v != ERA_ACCEPTED)
        return v;
    struct era_statement *s = calloc(1, sizeof *s);
    assert(s);
    s->kind = ERA_KIND_READINESS;
    s->u.vote.slot.charter_version = c->charter_version;
    s->u.vote.slot.seq = c->seq;
    s->u.vote.proposal = c->proposal;
    era_text_set(s->u.vote.slot.component, sizeof s->u.vote.slot.component,
                 n->config.charter->components[c->component].id);
    v = say(n, s, reply);
    free(s);
    return v;
}

static bool casts_by_itself(const struct era_node *n, const struct era_plan *plan)
{
    switch (era_plan_news(plan)) {
    case ERA_NEWS_DROPS:
        return n->config.auto_dropped;
    case ERA_NEWS_ANNOUNCED:
        return n->config.auto_announced;
    case ERA_NEWS_SOFT:
        return n->config.auto_soft;
    case ERA_NEWS_BREAKING:
        return n->config.auto_breaking;
    }
    return false;
}

/* Votes that the configuration lets the daemon cast, lowest slot first. */
void node_cast_votes(struct era_node *n)
{
    if (!may_speak(n))
        return;
    for (size_t comp = 0; comp < n->config.charter->component_count; comp++) {
        const struct era_slot *const *slots;
        size_t count = era_ledger_slots(n->ledger, (int)comp, &slots);
        for (size_t i = 0; i < count; i++)
            for (const struct era_candidate *c = slots[i]->candidates; c; c = c->slot_next)
                if (c->known && c->plan && casts_by_itself(n, c->plan))
                    vote(n, c, NULL, NULL);
    }
}

static void request_ready(struct era_node *n, const struct era_command *r)
{
    const char *why = NULL;
    const struct era_candidate *c = era_ledger_candidate(n->ledger, &r->proposal);
    if (!c || !c->known) {
        const struct era_adopted *all;
        enum era_verdict v = ERA_NOT_FOUND;
        for (size_t comp = 0; comp < n->config.charter->component_count; comp++)
            for (size_t i = era_ledger_adopted(n->ledger, (int)comp, &all); i-- > 0;)
                if (era_hash_eq(&all[i].proposal, &r->proposal))
                    v = ERA_DOMINATED;
        node_refuse(n, r->id, v, v == ERA_DOMINATED ? "it is adopted already" : NULL);
        return;
    }
    struct era_reply reply = {.request = r->id, .verdict = ERA_ACCEPTED};
    enum era_verdict v = era_node_may_vote(n, c, &why);
    if (v != ERA_ACCEPTED)
        node_refuse(n, r->id, v, why);
    else
        vote(n, c, &reply, &why);
}

/* ---- rebuilds (T5) ---- */

void node_rebuild_record(const struct era_rebuild *r, struct era_store_key *key, uint8_t out[512],
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
    if (era_ledger_proposal(n->ledger, proposal, p)) {
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
        era_text_set(a->slot.component, sizeof a->slot.component,
                     n->config.charter->components[c->component].id) &&
        era_text_set(a->artefact, sizeof a->artefact, artefact) &&
        era_text_set(a->digest, sizeof a->digest, r->digest) &&
        era_text_set(a->source_digest, sizeof a->source_digest, r->source_digest ? r->source_digest : "") &&
        era_text_set(a->builder, sizeof a->builder, r->builder ? r->builder : "");
    enum era_verdict v = fits ? say(n, s, NULL) : ERA_OVERSIZED;
    free(s);
    return v;
}

static void request_attest(struct era_node *n, const struct era_command *r)
{
    struct era_entry *entry = malloc(sizeof *entry);
    size_t index;
    assert(entry);
    enum era_verdict v = era_node_attest_target(n, &r->proposal, r->artefact, entry, &index);
    if (v == ERA_ACCEPTED && n->validator < 0)
        v = ERA_NO_KEY;
    if (v == ERA_ACCEPTED && !era_digest_valid(r->digest))
        v = ERA_BAD_VALUE;
    const struct era_candidate *c = era_ledger_candidate(n->ledger, &r->proposal);
    if (v == ERA_ACCEPTED && c && c->known && !n->config.charter->authority_only) {
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

/* ---- events (C3) ---- */

static enum era_verdict may_emit(const struct era_node *n, const char **why)
{
    const struct era_gate *g = &n->gates[n->network_component];
    *why = NULL;
    if (n->validator < 0)
        return ERA_NO_KEY;
    if (n->store_failed)
        return ERA_STORE_FAILED;
    switch (g->state) {
    case ERA_GATE_FORKED:
        return ERA_FORKED;
    case ERA_GATE_MISMATCH:
        *why = "its own rebuild of the release in force differs from the signed digest";
        return ERA_BLOCKED;
    case ERA_GATE_BLOCKED:
        return ERA_BLOCKED;
    case ERA_GATE_NO_ERA:
        return ERA_NO_ERA;
    case ERA_GATE_STALE:
        return ERA_STALE;
    case ERA_GATE_UPGRADE_SOON:
    case ERA_GATE_NOTICE:
    case ERA_GATE_CURRENT:
        break;
    }
    return ERA_ACCEPTED;
}

/* The place is reserved on disk before the event leaves: after a crash no second event takes it. */
static uint64_t reserve_seq(struct era_node *n)
{
    if (n->own_event_epoch != n->epoch) {
        n->own_event_epoch = n->epoch;
        n->own_event_seq = 0;
    }
    uint64_t held = era_events_next_seq(n->events, n->validator, n->epoch);
    n->own_event_seq = held > n->own_event_seq + 1 ? held : n->own_event_seq + 1;
    uint8_t value[16];
    era_put_be64(value, n->own_event_epoch);
    era_put_be64(value + 8, n->own_event_seq);
    node_put(n, era_record_meta(ERA_META_EVENT_SEQ), (struct era_bytes){value, sizeof value}, true);
    return n->own_event_seq;
}

static void emit(struct era_node *n, const struct era_command *r)
{
    struct era_statement *s = calloc(1, sizeof *s);
    uint8_t *envelope = malloc(ERA_AUTHORED_BYTES_MAX);
    assert(s && envelope);
    s->kind = ERA_KIND_EVENT;
    struct pending *p = node_pend(n, PENDING_EVENT); /* before its place is put: both in one batch */
    struct era_event_statement *e = &s->u.event;
    e->epoch = n->epoch;
    e->charter_version = n->config.charter->version;
    e->entry = n->gates[n->network_component].current->hash;
    e->seq = reserve_seq(n);
    era_text_set(e->topic, sizeof e->topic, r->topic);
    e->payload_bytes = r->bytes.len;
    if (r->bytes.len)
        memcpy(e->payload, r->bytes.data, r->bytes.len);
    p->has_reply = true;
    p->reply = (struct era_reply){.request = r->id, .epoch = e->epoch, .seq = e->seq};
    size_t len = era_author_sign(&n->config.network, s, n->config.secret, envelope, ERA_AUTHORED_BYTES_MAX,
                                 &p->reply.id);
    assert(len > 0);
    p->bytes = (struct era_bytes){envelope, len};
    free(s);
}

static void request_emit(struct era_node *n, const struct era_command *r)
{
    const char *why;
    enum era_verdict v = may_emit(n, &why);
    uint64_t used = n->own_event_epoch == n->epoch ? n->own_event_seq : 0;
    if (v == ERA_ACCEPTED && (!era_name_valid(r->topic) || strlen(r->topic) > ERA_TOPIC_BYTES_MAX)) {
        v = ERA_BAD_VALUE;
        why = "a topic is 1 to 64 of a-z 0-9 . _ -";
    }
    if (v == ERA_ACCEPTED && r->bytes.len > ERA_EVENT_PAYLOAD_BYTES_MAX)
        v = ERA_OVERSIZED;
    if (v == ERA_ACCEPTED && used >= n->config.charter->events_per_epoch)
        v = ERA_RATE_LIMITED;
    if (v != ERA_ACCEPTED)
        node_refuse(n, r->id, v, why);
    else
        emit(n, r);
}

/* ---- requests ---- */

static void request_height(struct era_node *n, const struct era_command *r)
{
    const char *why = NULL;
    enum era_verdict v = ERA_ACCEPTED;
    if (n->config.charter->clock.kind != ERA_CLOCK_HEIGHT) {
        v = ERA_USAGE;
        why = "the charter's clock is wall time, not height";
    } else if (r->number < n->height) {
        v = ERA_BAD_VALUE;
        why = "a height never goes back within a run";
    } else {
        n->height = r->number;
    }
    node_reply(n, &(struct era_reply){.request = r->id, .verdict = v, .why = why});
}

void node_command(struct era_node *n, const struct era_command *r)
{
    struct era_reply reply = {.request = r->id, .verdict = ERA_ACCEPTED};
    switch (r->kind) {
    case ERA_CMD_SUBMIT:
        node_intake(n, r->bytes, 0, &reply, false);
        break;
    case ERA_CMD_READY:
        request_ready(n, r);
        break;
    case ERA_CMD_ATTEST:
        request_attest(n, r);
        break;
    case ERA_CMD_EMIT:
        request_emit(n, r);
        break;
    case ERA_CMD_HEIGHT:
        request_height(n, r);
        break;
    }
}
