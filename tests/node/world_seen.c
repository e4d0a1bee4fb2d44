/* What is asked of a world's nodes, and what was seen of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "tests/node/world_internal.h"

/* ---- the wire ---- */

static uint64_t version_of(struct era_bytes bytes)
{
    struct era_charter c;
    if (era_charter_decode(bytes, &c) != ERA_ACCEPTED)
        world_wrong("a node sent a charter that does not decode");
    uint64_t version = c.version;
    era_charter_clear(&c);
    return version;
}

static uint64_t version_of_certificate(struct era_bytes payload)
{
    struct era_charter_certificate k;
    if (era_charter_certificate_decode(payload, &k) != ERA_ACCEPTED)
        world_wrong("a node sent a charter's certificate that does not decode");
    uint64_t version = version_of(k.charter);
    era_charter_certificate_clear(&k);
    return version;
}

static void read_place(const struct era_envelope *e, struct world_said *said)
{
    struct era_statement *s = malloc(sizeof *s);
    struct era_carrier k;
    struct era_bytes payload = e->payload;
    uint32_t kind = e->kind;
    if (!s)
        abort();
    if (kind == ERA_KIND_CHARTER_CERTIFICATE) {
        free(s);
        said->seq = version_of_certificate(e->payload);
        return;
    }
    if (kind == ERA_KIND_EVIDENCE) {
        struct era_evidence evidence;
        if (era_evidence_decode(payload, &evidence) != ERA_ACCEPTED)
            world_wrong("a node sent an evidence that does not decode");
        payload = evidence.payloads[0];
        kind = evidence.kind;
        said->key = evidence.key;
    } else if (era_kind_is_carrier(kind)) {
        if (era_carrier_decode(e->payload, &k) != ERA_ACCEPTED)
            world_wrong("a node sent a carrier that does not decode");
        payload = k.proposal;
        said->key = k.author;
        kind = ERA_KIND_PROPOSAL;
        era_carrier_clear(&k); /* the span lies in the envelope */
    }
    if (era_statement_decode(kind, payload, s) != ERA_ACCEPTED)
        world_wrong("a node sent a statement that does not decode");
    const struct era_slot_id *slot = kind == ERA_KIND_PROPOSAL      ? &s->u.proposal.slot
                                     : kind == ERA_KIND_ATTESTATION ? &s->u.attestation.slot
                                     : kind == ERA_KIND_REJECT      ? &s->u.reject.slot
                                                                    : &s->u.vote.slot;
    if (kind == ERA_KIND_ANNOUNCEMENT) {
        said->seq = s->u.announcement.epoch;
        said->blocked = s->u.announcement.blocked;
        said->lease = s->u.announcement.lease;
        said->charter_version = s->u.announcement.charter_version;
    } else if (kind == ERA_KIND_CHARTER) {
        said->seq = version_of(s->u.charter.bytes);
    } else if (kind == ERA_KIND_CLOSE) {
        said->seq = s->u.close.version;
    } else if (kind == ERA_KIND_ACCEPT || kind == ERA_KIND_CHARTER_APPROVE) {
        said->seq = s->u.charter_vote.version;
    } else if (kind == ERA_KIND_EVENT) {
        said->seq = s->u.event.epoch;
    } else if (kind == ERA_KIND_CHECKPOINT) {
        said->seq = s->u.checkpoint.at;
        era_text_set(said->component, sizeof said->component, s->u.checkpoint.component);
    } else {
        said->seq = slot->seq;
        said->charter_version = slot->charter_version;
        era_text_set(said->component, sizeof said->component, slot->component);
    }
    free(s);
}

static void hear_envelope(struct world *w, size_t node, struct era_bytes bytes)
{
    struct era_hash item = given_item(w->charter, bytes);
    for (size_t i = 0; i < w->said.count; i++)
        if (w->said.at[i].node == node && era_hash_eq(&w->said.at[i].item, &item)) {
            w->said.at[i].copies++;
            return;
        }
    struct era_envelope e;
    if (era_envelope_decode(bytes, &e) != ERA_ACCEPTED)
        world_wrong("a node sent an envelope that does not decode");
    struct world_said said = {.node = node, .kind = e.kind, .key = e.key, .item = item, .copies = 1};
    said.id = era_kind_is_carrier(e.kind) ? item : era_statement_id(&w->charter->hash, e.kind, e.payload);
    read_place(&e, &said);
    ADD(&w->said) = said;
}

void world_hear(struct world *w, size_t node, struct era_bytes bytes)
{
    struct era_frame f;
    struct era_frame_part part;
    if (era_frame_decode(bytes, &f) != ERA_ACCEPTED)
        world_wrong("a node sent a frame that does not decode");
    struct era_frame_cursor at = era_frame_first(&f);
    while (era_frame_next(&at, &part)) {
        if (part.kind == ERA_FRAME_STATEMENT)
            hear_envelope(w, node, part.u.statement);
        else if (part.kind == ERA_FRAME_DIGEST && part.u.digest.set == ERA_SET_STATEMENTS)
            w->told[node] = part.u.digest.count;
        else if (part.kind == ERA_FRAME_FRAGMENT)
            world_wrong("a statement larger than these tests follow");
    }
}

/* ---- asking ---- */

uint64_t world_ask(struct world_node *n, struct era_command command)
{
    command.id = n->world->next_request++;
    world_step(n, (struct era_event){.kind = ERA_EV_COMMAND, .command = &command});
    return command.id;
}

const struct world_reply *world_reply(const struct world *w, uint64_t request)
{
    for (size_t i = 0; i < w->replies.count; i++)
        if (w->replies.at[i]->reply.request == request)
            return w->replies.at[i];
    return NULL;
}

static bool answered(struct world *w, void *request)
{
    return world_reply(w, *(uint64_t *)request) != NULL;
}

const struct world_reply *world_answer(struct world_node *n, struct era_command command)
{
    uint64_t request = world_ask(n, command);
    if (!world_run_until(n->world, answered, &request, 10000))
        world_wrong("a command was never answered");
    return world_reply(n->world, request);
}

enum era_verdict world_submit(struct world_node *n, struct era_bytes envelope)
{
    return world_answer(n, (struct era_command){.kind = ERA_CMD_SUBMIT, .bytes = envelope})->reply.verdict;
}

void world_propose(struct world_node *n, const struct era_proposal *p, const char *signers)
{
    char names[256], *rest = NULL;
    snprintf(names, sizeof names, "%s", signers);
    bool first = true;
    for (char *who = strtok_r(names, " ", &rest); who; who = strtok_r(NULL, " ", &rest)) {
        if (first)
            world_submit(n, given_proposed(n->world->charter, who, p));
        first = false;
        world_submit(n, given_approve(n->world->charter, who, p));
    }
}

const struct world_reply *world_emit(struct world_node *n, const char *payload)
{
    return world_answer(n, (struct era_command){.kind = ERA_CMD_EMIT,
                                                .topic = "prices",
                                                .bytes = {(const uint8_t *)payload, strlen(payload)}});
}

const struct world_reply *world_attest(struct world_node *n, struct era_hash proposal, const char *artefact,
                                       const char *digest)
{
    return world_answer(n, (struct era_command){.kind = ERA_CMD_ATTEST,
                                                .proposal = proposal,
                                                .artefact = artefact,
                                                .digest = digest,
                                                .source_digest = "",
                                                .builder = "test"});
}

void world_unlock(struct world_node *n)
{
    if (world_answer(n, (struct era_command){.kind = ERA_CMD_UNLOCK})->reply.verdict != ERA_ACCEPTED)
        world_wrong("a node without a key is unlocked");
}

void world_versions(struct world_node *n, const char *now, const char *staged)
{
    struct era_versions versions = world_software(now), later = world_software(staged);
    n->setup.software = now;
    n->setup.staged = staged;
    world_step(n, (struct era_event){.kind = ERA_EV_VERSIONS, .versions = &versions, .staged = &later});
}

/* ---- what was seen ---- */

size_t world_sent(const struct world_node *n, uint32_t kind)
{
    size_t sum = 0;
    for (size_t i = 0; i < n->world->said.count; i++)
        if (n->world->said.at[i].node == n->number && (kind == 0 || n->world->said.at[i].kind == kind))
            sum += n->world->said.at[i].copies;
    return sum;
}

size_t world_ids(const struct world *w, uint32_t kind, const char *key, const char *component, uint64_t seq)
{
    struct era_key who = given_key(key).key;
    struct era_hash seen[64];
    size_t count = 0;
    for (size_t i = 0; i < w->said.count; i++) {
        const struct world_said *s = &w->said.at[i];
        if (s->kind != kind || s->seq != seq || !era_key_eq(&s->key, &who) ||
            strcmp(s->component, component) != 0)
            continue;
        size_t at = 0;
        while (at < count && !era_hash_eq(&seen[at], &s->id))
            at++;
        if (at == count && count < 64)
            seen[count++] = s->id;
    }
    return count;
}

size_t world_sent_item(const struct world_node *n, const struct era_hash *item)
{
    for (size_t i = 0; i < n->world->said.count; i++)
        if (n->world->said.at[i].node == n->number && era_hash_eq(&n->world->said.at[i].item, item))
            return n->world->said.at[i].copies;
    return 0;
}

uint64_t world_told_count(const struct world_node *n)
{
    return n->world->told[n->number];
}

const struct world_said *world_said(const struct world *w, size_t *count)
{
    *count = w->said.count;
    return w->said.at;
}

const struct world_signal *world_signals(const struct world *w, size_t *count)
{
    *count = w->signals.count;
    return w->signals.at;
}

size_t world_signal_count(const struct world_node *n, enum era_signal_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < n->world->signals.count; i++)
        count += n->world->signals.at[i].node == n->number && n->world->signals.at[i].kind == kind;
    return count;
}

const struct world_signal *world_last_signal(const struct world_node *n, enum era_signal_kind kind)
{
    for (size_t i = n->world->signals.count; i-- > 0;)
        if (n->world->signals.at[i].node == n->number && n->world->signals.at[i].kind == kind)
            return &n->world->signals.at[i];
    return NULL;
}

enum era_gate_state world_gate(const struct world_node *n)
{
    return era_node_gate(n->node, era_node_network_component(n->node))->state;
}

uint64_t world_head(const struct world_node *n, const char *component)
{
    const struct era_adopted *head =
        era_ledger_head(era_node_ledger(n->node), given_component_index(n->world->charter, component));
    return head ? head->seq : 0;
}

const char *world_version(const struct world_node *n, const char *component)
{
    const struct era_gate *g = era_node_gate(n->node, given_component_index(n->world->charter, component));
    return g->current ? g->current->record.version : "";
}

struct era_hash world_digest(const struct world_node *n)
{
    return era_view_digest(era_node_ledger(n->node));
}

struct comparison {
    const struct era_ledger *other;
    bool missing;
};

static void find_missing(void *ctx, const struct era_item *item)
{
    struct comparison *c = ctx;
    const struct era_item *held = era_ledger_find(c->other, &item->item);
    if (!held || !(held->offered || held->equivocal))
        c->missing = true;
}

bool world_converged(struct world *w, void *unused)
{
    (void)unused;
    const struct world_node *first = NULL;
    for (size_t i = 0; i < w->node_count; i++) {
        const struct world_node *n = &w->nodes[i];
        if (!n->node)
            continue;
        if (!first) {
            first = n;
            continue;
        }
        struct era_hash a = world_digest(first), b = world_digest(n);
        if (!era_hash_eq(&a, &b))
            return false;
        const struct era_ledger *x = era_node_ledger(first->node), *y = era_node_ledger(n->node);
        for (; x && y; x = era_ledger_older(x), y = era_ledger_older(y)) {
            struct comparison ab = {y, false}, ba = {x, false};
            era_ledger_each_offered(x, find_missing, &ab);
            era_ledger_each_offered(y, find_missing, &ba);
            if (ab.missing || ba.missing)
                return false;
        }
    }
    return true;
}
