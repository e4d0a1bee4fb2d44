/* Evidence: two statements by one key in one place (R8, N4). Judged by the
 * charter and its own words alone, like every carrier (R6). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/verify_internal.h"

/* The one place that a statement binds its key in; false: this kind binds nowhere (R8). */
struct spot {
    const char *component;
    uint64_t charter_version, seq;
};

static bool spot_of(const struct era_statement *s, struct spot *out)
{
    switch ((uint32_t)s->kind) {
    case ERA_KIND_APPROVE:
    case ERA_KIND_READINESS:
        *out = (struct spot){s->u.vote.slot.component, s->u.vote.slot.charter_version, s->u.vote.slot.seq};
        return true;
    case ERA_KIND_ANNOUNCEMENT:
        *out = (struct spot){"", s->u.announcement.charter_version, s->u.announcement.epoch};
        return true;
    case ERA_KIND_CHECKPOINT:
        *out = (struct spot){s->u.checkpoint.component, s->u.checkpoint.charter_version, s->u.checkpoint.at};
        return true;
    case ERA_KIND_CHARTER_APPROVE: /* under the charter before */
        *out = (struct spot){"", s->u.charter_vote.version - 1, s->u.charter_vote.version};
        return true;
    case ERA_KIND_CLOSE:
        *out = (struct spot){"", s->u.close.version - 1, s->u.close.version};
        return true;
    default:
        return false;
    }
}

static struct era_hash place_of(const struct era_evidence *e, const struct spot *at)
{
    return era_evidence_place(&e->key, e->kind, at->component, at->charter_version, at->seq);
}

/* Both decode, and speak of one place. */
static enum era_verdict read_pair(const struct era_evidence *e, struct era_statement *first,
                                  struct era_statement *second, struct spot *at)
{
    struct spot other;
    enum era_verdict verdict = era_statement_decode(e->kind, e->payloads[0], first);
    if (verdict == ERA_ACCEPTED)
        verdict = era_statement_decode(e->kind, e->payloads[1], second);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    if (!spot_of(first, at) || !spot_of(second, &other))
        return ERA_BAD_VALUE;
    bool one = strcmp(at->component, other.component) == 0 && at->seq == other.seq &&
               at->charter_version == other.charter_version;
    return one ? ERA_ACCEPTED : ERA_BAD_VALUE;
}

bool era_verify_evidence_name(const struct era_envelope *envelope, struct era_hash *item)
{
    struct era_evidence e;
    struct spot at;
    if (era_evidence_decode(envelope->payload, &e) != ERA_ACCEPTED)
        return false;
    struct era_statement *pair = malloc(2 * sizeof *pair); /* too large for the stack */
    assert(pair);
    bool named = read_pair(&e, &pair[0], &pair[1], &at) == ERA_ACCEPTED;
    if (named) {
        struct era_hash place = place_of(&e, &at);
        *item = era_item_id_carrier(ERA_KIND_EVIDENCE, &place);
    }
    free(pair);
    return named;
}

/* Who may close is said by the charter before; who may approve a charter, by any that may follow too: of
 * three that a key approved, nodes hold different pairs. The charters themselves need not be known: their
 * signatures stand. */
static enum era_verdict charter_role(struct era_verifier *v, uint64_t version)
{
    struct era_verified *out = &v->verified;
    out->component = out->signer = out->validator = -1;
    if (version != v->charter->version + 1)
        return ERA_UNKNOWN_CHARTER;
    if (out->statement->kind == ERA_KIND_CLOSE) {
        out->validator = era_charter_validator_index(v->charter, &out->key);
        return out->validator < 0 ? ERA_UNKNOWN_KEY : ERA_ACCEPTED;
    }
    out->signer = era_charter_signer_index(era_charter_component(v->charter, "network"), &out->key);
    const struct era_hash *named[] = {&v->statement.u.charter_vote.charter,
                                      &v->second.u.charter_vote.charter};
    size_t known = 0;
    for (size_t i = 0; i < 2 && v->known; i++)
        known += v->known(v->known_ctx, named[i]) != NULL;
    if (out->signer >= 0 || (v->named && v->named(v->known_ctx, &out->key)))
        return ERA_ACCEPTED;
    return known == 2 ? ERA_UNKNOWN_KEY : ERA_UNKNOWN_CHARTER;
}

static enum era_verdict find_role(struct era_verifier *v, const struct spot *at)
{
    if (v->evidence.kind == ERA_KIND_CLOSE || v->evidence.kind == ERA_KIND_CHARTER_APPROVE)
        return charter_role(v, at->seq);
    enum era_verdict verdict = era_verify_role(v->charter, &v->second, &v->verified);
    return verdict == ERA_ACCEPTED ? era_verify_role(v->charter, &v->statement, &v->verified) : verdict;
}

enum era_verdict era_verify_evidence(struct era_verifier *v, const struct era_envelope *e)
{
    struct era_verified *out = &v->verified;
    struct spot at;
    enum era_verdict verdict = era_evidence_decode(e->payload, &v->evidence);
    if (verdict == ERA_ACCEPTED)
        verdict = read_pair(&v->evidence, &v->statement, &v->second, &at);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    out->evidence = &v->evidence;
    out->statement = &v->statement;
    out->key = v->evidence.key;
    out->id = place_of(&v->evidence, &at);
    out->item = era_item_id_carrier(ERA_KIND_EVIDENCE, &out->id);
    verdict = find_role(v, &at);
    if (verdict != ERA_ACCEPTED && at.charter_version == v->charter->version)
        out->item =
            (struct era_hash){{0}}; /* of a charter's hash, or of who may speak, the name says nothing */
    for (size_t i = 0; i < 2 && verdict == ERA_ACCEPTED; i++) {
        struct era_hash id = era_statement_id(&v->network, v->evidence.kind, v->evidence.payloads[i]);
        if (!era_verifier_fits(v, &id, &out->key, &v->evidence.signatures[i]))
            verdict = ERA_BAD_SIGNATURE;
    }
    return verdict;
}
