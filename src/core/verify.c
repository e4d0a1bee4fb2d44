#include "src/core/verify_internal.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/author.h"
#include "src/core/charter.h"
#include "src/core/plan.h"
#include "src/core/requirement.h"

struct era_verifier *era_verifier_new(const struct era_charter *charter, const struct era_hash *network)
{
    struct era_verifier *v = calloc(1, sizeof *v);
    assert(v);
    v->charter = charter;
    v->network = *network;
    return v;
}

void era_verifier_free(struct era_verifier *v)
{
    if (!v)
        return;
    if (v->has_carrier)
        era_carrier_clear(&v->carrier);
    era_verifier_clear_next(v);
    free(v);
}

void era_verifier_ask(struct era_verifier *v, era_known_charter *known, era_named_signer *named, void *ctx)
{
    v->known = known;
    v->named = named;
    v->known_ctx = ctx;
}

uint64_t era_verifier_signatures(const struct era_verifier *v)
{
    return v->signatures;
}

bool era_signature_fits(const struct era_key *key, const struct era_hash *digest,
                        const struct era_signature *signature)
{
    return crypto_sign_verify_detached(signature->b, digest->b, sizeof digest->b, key->b) == 0;
}

bool era_verifier_fits(struct era_verifier *v, const struct era_hash *id, const struct era_key *key,
                       const struct era_signature *signature)
{
    v->signatures++;
    return era_signature_fits(key, id, signature);
}

/* The slot a loose statement speaks of; NULL for announcement and event. */
static const struct era_slot_id *slot_of(const struct era_statement *s)
{
    switch (s->kind) {
    case ERA_KIND_PROPOSAL:
        return &s->u.proposal.slot;
    case ERA_KIND_APPROVE:
    case ERA_KIND_READINESS:
        return &s->u.vote.slot;
    case ERA_KIND_REJECT:
        return &s->u.reject.slot;
    case ERA_KIND_ATTESTATION:
        return &s->u.attestation.slot;
    case ERA_KIND_ANNOUNCEMENT:
    case ERA_KIND_EVENT:
    case ERA_KIND_CHECKPOINT:
    case ERA_KIND_CHARTER:
    case ERA_KIND_ACCEPT:
    case ERA_KIND_CLOSE:
    case ERA_KIND_CHARTER_APPROVE:
    case ERA_KIND_APPROVED:
    case ERA_KIND_CERTIFICATE:
    case ERA_KIND_EVIDENCE:
    case ERA_KIND_CHARTER_CERTIFICATE:
        break;
    }
    return NULL;
}

/* Kinds that decode but have no rule here are refused before anything is read of them. */
static bool is_judged(uint32_t kind)
{
    switch ((enum era_kind)kind) {
    case ERA_KIND_PROPOSAL:
    case ERA_KIND_APPROVE:
    case ERA_KIND_REJECT:
    case ERA_KIND_ATTESTATION:
    case ERA_KIND_READINESS:
    case ERA_KIND_ANNOUNCEMENT:
    case ERA_KIND_EVENT:
    case ERA_KIND_CHECKPOINT:
    case ERA_KIND_APPROVED:
    case ERA_KIND_CERTIFICATE:
        return true;
    case ERA_KIND_CHARTER:
    case ERA_KIND_ACCEPT:
    case ERA_KIND_CLOSE:
    case ERA_KIND_CHARTER_APPROVE:
    case ERA_KIND_EVIDENCE:
    case ERA_KIND_CHARTER_CERTIFICATE:
        break;
    }
    return false;
}

/* By version; a checkpoint by hash too. */
static bool is_under(const struct era_statement *s, const struct era_charter *c)
{
    const struct era_slot_id *slot = slot_of(s);
    if (slot)
        return slot->charter_version == c->version;
    if (s->kind == ERA_KIND_CHECKPOINT)
        return s->u.checkpoint.charter_version == c->version &&
               era_hash_eq(&s->u.checkpoint.charter, &c->hash);
    return c->version ==
           (s->kind == ERA_KIND_EVENT ? s->u.event.charter_version : s->u.announcement.charter_version);
}

/* The component a statement speaks of; NULL: of none. */
static const char *component_of(const struct era_statement *s)
{
    const struct era_slot_id *slot = slot_of(s);
    if (slot)
        return slot->component;
    return s->kind == ERA_KIND_CHECKPOINT ? s->u.checkpoint.component : NULL;
}

/* Whose word this kind is, by the charter. */
enum era_verdict era_verify_role(const struct era_charter *c, const struct era_statement *s,
                                 struct era_verified *out)
{
    out->component = out->signer = out->validator = -1;
    const char *id = component_of(s);
    if (!is_under(s, c))
        return ERA_UNKNOWN_CHARTER;
    if (id) {
        const struct era_component *component = era_charter_component(c, id);
        if (!component)
            return ERA_UNKNOWN_COMPONENT;
        out->component = (int)(component - c->components);
    }
    switch (s->kind) {
    case ERA_KIND_PROPOSAL:
    case ERA_KIND_APPROVE:
    case ERA_KIND_REJECT:
        out->signer = era_charter_signer_index(&c->components[out->component], &out->key);
        break;
    case ERA_KIND_EVENT:
        out->validator = c->authority_only ? era_charter_emitter_index(c, &out->key)
                                           : era_charter_validator_index(c, &out->key);
        break;
    case ERA_KIND_ATTESTATION:
    case ERA_KIND_READINESS:
    case ERA_KIND_ANNOUNCEMENT:
    case ERA_KIND_CHECKPOINT:
        out->validator = era_charter_validator_index(c, &out->key);
        break;
    case ERA_KIND_CHARTER:
    case ERA_KIND_ACCEPT:
    case ERA_KIND_CLOSE:
    case ERA_KIND_CHARTER_APPROVE:
    case ERA_KIND_APPROVED:
    case ERA_KIND_CERTIFICATE:
    case ERA_KIND_EVIDENCE:
    case ERA_KIND_CHARTER_CERTIFICATE:
        assert(!"no role of its own, or not judged");
    }
    return out->signer < 0 && out->validator < 0 ? ERA_UNKNOWN_KEY : ERA_ACCEPTED;
}

static enum era_verdict verify_loose(struct era_verifier *v, const struct era_envelope *e, const char **why)
{
    struct era_verified *out = &v->verified;
    if (!is_judged(e->kind))
        return ERA_UNKNOWN_KIND;
    out->key = e->key;
    out->signature = e->signature;
    enum era_verdict verdict = era_statement_decode(e->kind, e->payload, &v->statement);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    out->statement = &v->statement;
    verdict = era_verify_role(v->charter, out->statement, out);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    if (e->kind == ERA_KIND_PROPOSAL) {
        verdict = era_plan_well_formed(&v->statement.u.proposal, why);
        if (verdict != ERA_ACCEPTED)
            return verdict;
    }
    return era_verifier_fits(v, &out->id, &out->key, &out->signature) ? ERA_ACCEPTED : ERA_BAD_SIGNATURE;
}

/* ---- carriers: judged whole, by charter and own words only (R6) ---- */

/* id of the vote on this proposal that every signer signs alike. */
static struct era_hash vote_id(struct era_verifier *v, enum era_kind kind, const struct era_proposal *p,
                               const struct era_hash *proposal)
{
    struct era_vote vote = {.slot = p->slot, .proposal = *proposal};
    return era_author_vote_id(&v->network, kind, &vote);
}

static enum era_verdict check_approvals(struct era_verifier *v, const struct era_component *c,
                                        const struct era_proposal *p)
{
    const struct era_carrier *k = &v->carrier;
    struct era_hash id = vote_id(v, ERA_KIND_APPROVE, p, &v->verified.id);
    if (k->approval_count < era_approvals_needed(c, p))
        return ERA_INCOMPLETE;
    for (size_t i = 0; i < k->approval_count; i++) {
        if (k->approvals[i].key >= c->signer_count)
            return ERA_UNKNOWN_KEY;
        if (!era_verifier_fits(v, &id, &c->signers[k->approvals[i].key].key, &k->approvals[i].signature))
            return ERA_BAD_SIGNATURE;
    }
    return ERA_ACCEPTED;
}

static enum era_verdict check_readiness(struct era_verifier *v, const struct era_component *c,
                                        const struct era_proposal *p)
{
    const struct era_carrier *k = &v->carrier;
    struct era_hash id = vote_id(v, ERA_KIND_READINESS, p, &v->verified.id);
    uint64_t stake = 0;
    for (size_t i = 0; i < k->readiness_count; i++) {
        if (k->readiness[i].key >= v->charter->validator_count)
            return ERA_UNKNOWN_KEY;
        stake += v->charter->validators[k->readiness[i].key].stake;
    }
    if (stake < era_readiness_needed(v->charter, c, &p->plan))
        return ERA_INCOMPLETE;
    for (size_t i = 0; i < k->readiness_count; i++)
        if (!era_verifier_fits(v, &id, &v->charter->validators[k->readiness[i].key].key,
                               &k->readiness[i].signature))
            return ERA_BAD_SIGNATURE;
    return ERA_ACCEPTED;
}

static enum era_verdict check_attestation(struct era_verifier *v, const struct era_proposal *p,
                                          const struct era_indexed_attestation *a,
                                          struct era_match_tally *tally)
{
    struct era_statement *s = malloc(sizeof *s);
    assert(s);
    enum era_verdict verdict = ERA_UNKNOWN_KEY;
    if (a->key < v->charter->validator_count)
        verdict = era_statement_decode(ERA_KIND_ATTESTATION, a->payload, s);
    if (verdict == ERA_ACCEPTED) {
        const struct era_attestation *t = &s->u.attestation;
        struct era_hash id = era_statement_id(&v->network, ERA_KIND_ATTESTATION, a->payload);
        if (!era_hash_eq(&t->proposal, &v->verified.id) ||
            strcmp(t->slot.component, p->slot.component) != 0 || t->slot.seq != p->slot.seq ||
            t->slot.charter_version != p->slot.charter_version || !era_match_add(tally, &p->plan, t, a->key))
            verdict = ERA_BAD_VALUE;
        else if (!era_verifier_fits(v, &id, &v->charter->validators[a->key].key, &a->signature))
            verdict = ERA_BAD_SIGNATURE;
    }
    free(s);
    return verdict;
}

static enum era_verdict check_attestations(struct era_verifier *v, const struct era_component *c,
                                           const struct era_proposal *p)
{
    struct era_match_tally tally;
    era_match_init(&tally, v->charter, &p->plan);
    enum era_verdict verdict = ERA_ACCEPTED;
    for (size_t i = 0; i < v->carrier.attestation_count && verdict == ERA_ACCEPTED; i++)
        verdict = check_attestation(v, p, &v->carrier.attestations[i], &tally);
    if (verdict == ERA_ACCEPTED && !era_match_enough(&tally, c))
        verdict = ERA_INCOMPLETE;
    era_match_release(&tally);
    return verdict;
}

static enum era_verdict verify_carrier(struct era_verifier *v, const struct era_envelope *e, const char **why)
{
    struct era_verified *out = &v->verified;
    enum era_verdict verdict = era_carrier_decode(e->payload, &v->carrier);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    v->has_carrier = true;
    const struct era_carrier *k = &v->carrier;
    out->carrier = k;
    out->id = era_statement_id(&v->network, ERA_KIND_PROPOSAL, k->proposal);
    out->item = era_item_id_carrier(e->kind, &out->id);
    struct era_envelope inner = {
        .kind = ERA_KIND_PROPOSAL, .payload = k->proposal, .key = k->author, .signature = k->signature};
    verdict = verify_loose(v, &inner, why);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    const struct era_component *c = &v->charter->components[out->component];
    const struct era_proposal *p = &v->statement.u.proposal;
    verdict = check_approvals(v, c, p);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    if (e->kind == ERA_KIND_APPROVED)
        return k->readiness_count || k->attestation_count ? ERA_NOT_CANONICAL : ERA_ACCEPTED;
    verdict = check_readiness(v, c, p);
    return verdict == ERA_ACCEPTED ? check_attestations(v, c, p) : verdict;
}

bool era_verify_name(const struct era_verifier *v, const struct era_opened *opened, struct era_hash *item)
{
    const struct era_envelope *e = &opened->envelope;
    struct era_carrier k;
    if (!era_kind_is_carrier(e->kind)) {
        *item = opened->item;
        return true;
    }
    if (e->kind == ERA_KIND_CHARTER_CERTIFICATE)
        return era_verify_charter_name(e, item);
    if (e->kind == ERA_KIND_EVIDENCE)
        return era_verify_evidence_name(e, item);
    if (era_carrier_decode(e->payload, &k) != ERA_ACCEPTED)
        return false;
    struct era_hash id = era_statement_id(&v->network, ERA_KIND_PROPOSAL, k.proposal);
    *item = era_item_id_carrier(e->kind, &id);
    era_carrier_clear(&k);
    return true;
}

enum era_verdict era_verify(struct era_verifier *v, struct era_bytes envelope,
                            const struct era_verified **out, struct era_hash *item, const char **why)
{
    static const struct era_hash none;
    struct era_opened opened;
    enum era_verdict verdict = era_envelope_open(&v->network, envelope, &opened);
    if (verdict == ERA_ACCEPTED)
        return era_verify_opened(v, &opened, out, item, why);
    *item = none;
    if (why)
        *why = NULL;
    return verdict;
}

enum era_verdict era_verify_opened(struct era_verifier *v, const struct era_opened *opened,
                                   const struct era_verified **out, struct era_hash *item, const char **why)
{
    static const struct era_hash none;
    const struct era_envelope *e = &opened->envelope;
    enum era_verdict verdict;
    const char *ignored;
    *item = none;
    if (!why)
        why = &ignored;
    *why = NULL;
    if (v->has_carrier)
        era_carrier_clear(&v->carrier);
    v->has_carrier = false;
    era_verifier_clear_next(v);
    v->verified = (struct era_verified){.kind = e->kind,
                                        .envelope = opened->bytes,
                                        .payload = e->payload,
                                        .id = opened->id,
                                        .item = opened->item,
                                        .next = -1};
    if (e->kind == ERA_KIND_CHARTER_CERTIFICATE)
        verdict = era_verify_charter_certificate(v, e, why);
    else if (e->kind == ERA_KIND_EVIDENCE)
        verdict = era_verify_evidence(v, e);
    else if (e->kind >= ERA_KIND_CHARTER && e->kind <= ERA_KIND_CHARTER_APPROVE)
        verdict = era_verify_succession(v, e, why);
    else if (era_kind_is_carrier(e->kind))
        verdict = verify_carrier(v, e, why);
    else
        verdict = verify_loose(v, e, why);
    /* A refused item is not asked for again, so it is named only when every copy of it would be refused:
     * neither a signature nor what a carrier holds beside the proposal is part of the name; its charter is
     * (of an evidence the version alone). */
    bool alike = era_kind_is_carrier(e->kind) ? verdict == ERA_UNKNOWN_CHARTER : verdict != ERA_BAD_SIGNATURE;
    if (verdict == ERA_ACCEPTED || alike)
        *item = v->verified.item;
    if (verdict == ERA_ACCEPTED)
        *out = &v->verified;
    return verdict;
}
