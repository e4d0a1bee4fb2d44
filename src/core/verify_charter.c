/* Statements about the charter that follows (R10): alone, and whole in a certificate. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/author.h"
#include "src/core/charter.h"
#include "src/core/succession.h"
#include "src/core/verify_internal.h"

static const struct era_component *network_of(const struct era_charter *c)
{
    const struct era_component *network = era_charter_component(c, "network");
    assert(network); /* charter check */
    return network;
}

void era_verifier_clear_next(struct era_verifier *v)
{
    if (v->has_next)
        era_charter_clear(&v->next);
    if (v->has_succession)
        era_charter_certificate_clear(&v->succession);
    v->has_next = v->has_succession = false;
}

bool era_verify_charter_name(const struct era_envelope *e, struct era_hash *item)
{
    struct era_charter_certificate k;
    struct era_charter next;
    if (era_charter_certificate_decode(e->payload, &k) != ERA_ACCEPTED)
        return false;
    bool known = era_charter_decode(k.charter, &next) == ERA_ACCEPTED;
    if (known) {
        *item = era_item_id_carrier(e->kind, &next.hash);
        era_charter_clear(&next);
    }
    era_charter_certificate_clear(&k);
    return known;
}

/* The charter in these bytes, and that it may follow ours. */
static enum era_verdict read_next(struct era_verifier *v, struct era_bytes bytes, const char **why)
{
    enum era_verdict verdict = era_charter_decode(bytes, &v->next);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    v->has_next = true;
    v->verified.charter = &v->next;
    return era_succession_fits(v->charter, &v->next, why);
}

/* The charter that an accept, approval or close names. */
static const struct era_charter *named_charter(const struct era_verifier *v, uint64_t version,
                                               const struct era_hash *hash)
{
    if (version != v->charter->version + 1 || !v->known)
        return NULL;
    return v->known(v->known_ctx, hash);
}

static enum era_verdict find_role(struct era_verifier *v, const char **why)
{
    struct era_verified *out = &v->verified;
    const struct era_component *network = network_of(v->charter);
    const struct era_statement *s = &v->statement;
    const struct era_charter *next;
    enum era_verdict verdict = ERA_ACCEPTED;
    out->component = out->signer = out->validator = out->next = -1;
    switch (out->kind) {
    case ERA_KIND_CHARTER:
        verdict = read_next(v, s->u.charter.bytes, why);
        out->signer = era_charter_signer_index(network, &out->key);
        break;
    case ERA_KIND_CLOSE:
        next = named_charter(v, s->u.close.version, &s->u.close.charter);
        verdict = next ? era_succession_close_fits(&s->u.close, next) : ERA_UNKNOWN_CHARTER;
        out->validator = era_charter_validator_index(v->charter, &out->key);
        break;
    case ERA_KIND_ACCEPT:
        next = named_charter(v, s->u.charter_vote.version, &s->u.charter_vote.charter);
        if (!next)
            return ERA_UNKNOWN_CHARTER;
        out->next = era_charter_validator_index(next, &out->key);
        break;
    default: /* an approval by an old signer says which charter is wanted, so it comes before that (R6) */
        next = named_charter(v, s->u.charter_vote.version, &s->u.charter_vote.charter);
        if (s->u.charter_vote.version == v->charter->version + 1)
            out->signer = era_charter_signer_index(network, &out->key);
        if (!next && out->signer < 0)
            return ERA_UNKNOWN_CHARTER;
        if (next)
            out->next = era_charter_signer_index(network_of(next), &out->key);
    }
    if (verdict != ERA_ACCEPTED)
        return verdict;
    return out->signer < 0 && out->validator < 0 && out->next < 0 ? ERA_UNKNOWN_KEY : ERA_ACCEPTED;
}

enum era_verdict era_verify_succession(struct era_verifier *v, const struct era_envelope *e, const char **why)
{
    struct era_verified *out = &v->verified;
    out->key = e->key;
    out->signature = e->signature;
    enum era_verdict verdict = era_statement_decode(e->kind, e->payload, &v->statement);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    out->statement = &v->statement;
    verdict = find_role(v, why);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    return era_verifier_fits(v, &out->id, &out->key, &out->signature) ? ERA_ACCEPTED : ERA_BAD_SIGNATURE;
}

/* ---- the certificate: judged whole, by the old charter and its own words (R6) ---- */

/* The id of a statement that all its signers sign alike. */
static struct era_hash vote_id(const struct era_verifier *v, enum era_kind kind)
{
    struct era_charter_vote vote = {.version = v->next.version, .charter = v->next.hash};
    return era_author_charter_vote_id(&v->network, kind, &vote);
}

static enum era_verdict check_signers(struct era_verifier *v, const struct era_component *network,
                                      const struct era_indexed_signature *list, size_t n)
{
    struct era_hash id = vote_id(v, ERA_KIND_CHARTER_APPROVE);
    if (n < network->k)
        return ERA_INCOMPLETE;
    for (size_t i = 0; i < n; i++) {
        if (list[i].key >= network->signer_count)
            return ERA_UNKNOWN_KEY;
        if (!era_verifier_fits(v, &id, &network->signers[list[i].key].key, &list[i].signature))
            return ERA_BAD_SIGNATURE;
    }
    return ERA_ACCEPTED;
}

static enum era_verdict check_accepts(struct era_verifier *v)
{
    const struct era_charter_certificate *k = &v->succession;
    struct era_hash id = vote_id(v, ERA_KIND_ACCEPT);
    uint64_t stake = 0;
    for (size_t i = 0; i < k->accept_count; i++) {
        if (k->accepts[i].key >= v->next.validator_count)
            return ERA_UNKNOWN_KEY;
        stake += v->next.validators[k->accepts[i].key].stake;
        if (!era_verifier_fits(v, &id, &v->next.validators[k->accepts[i].key].key, &k->accepts[i].signature))
            return ERA_BAD_SIGNATURE;
    }
    return v->next.authority_only || stake >= era_charter_quorum(&v->next) ? ERA_ACCEPTED : ERA_INCOMPLETE;
}

static enum era_verdict check_group(struct era_verifier *v, const struct era_close_group *g, uint64_t *stake)
{
    struct era_statement *s = malloc(sizeof *s);
    assert(s);
    struct era_hash id = era_statement_id(&v->network, ERA_KIND_CLOSE, g->payload);
    enum era_verdict verdict = era_statement_decode(ERA_KIND_CLOSE, g->payload, s);
    if (verdict == ERA_ACCEPTED &&
        (s->u.close.version != v->next.version || !era_hash_eq(&s->u.close.charter, &v->next.hash)))
        verdict = ERA_BAD_VALUE;
    if (verdict == ERA_ACCEPTED)
        verdict = era_succession_close_fits(&s->u.close, &v->next);
    for (size_t i = 0; i < g->count && verdict == ERA_ACCEPTED; i++) {
        uint32_t at = g->signatures[i].key;
        if (at >= v->charter->validator_count) {
            verdict = ERA_UNKNOWN_KEY;
        } else if (!era_verifier_fits(v, &id, &v->charter->validators[at].key, &g->signatures[i].signature)) {
            verdict = ERA_BAD_SIGNATURE;
        } else {
            *stake += v->charter->validators[at].stake; /* a key is in one group only: decode */
        }
    }
    free(s);
    return verdict;
}

static enum era_verdict check_closes(struct era_verifier *v)
{
    uint64_t stake = 0;
    for (size_t i = 0; i < v->succession.close_count; i++) {
        enum era_verdict verdict = check_group(v, &v->succession.closes[i], &stake);
        if (verdict != ERA_ACCEPTED)
            return verdict;
    }
    return v->charter->authority_only || stake >= era_charter_quorum(v->charter) ? ERA_ACCEPTED
                                                                                 : ERA_INCOMPLETE;
}

enum era_verdict era_verify_charter_certificate(struct era_verifier *v, const struct era_envelope *e,
                                                const char **why)
{
    struct era_verified *out = &v->verified;
    out->component = out->signer = out->validator = out->next = -1;
    enum era_verdict verdict = era_charter_certificate_decode(e->payload, &v->succession);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    v->has_succession = true;
    out->succession = &v->succession;
    verdict = read_next(v, v->succession.charter, why);
    if (v->has_next) {
        out->id = v->next.hash;
        out->item = era_item_id_carrier(e->kind, &v->next.hash);
    }
    const struct era_charter_certificate *k = &v->succession;
    if (verdict == ERA_ACCEPTED)
        verdict = check_signers(v, network_of(v->charter), k->old_approvals, k->old_approval_count);
    if (verdict == ERA_ACCEPTED)
        verdict = check_signers(v, network_of(&v->next), k->new_approvals, k->new_approval_count);
    if (verdict == ERA_ACCEPTED)
        verdict = check_accepts(v);
    return verdict == ERA_ACCEPTED ? check_closes(v) : verdict;
}
