#include "src/erasim/proof.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* ---- ids (R1) ---- */

static void eat(crypto_generichash_state *h, const void *data, size_t len)
{
    crypto_generichash_update(h, data, len);
}

static void eat_kind(crypto_generichash_state *h, uint32_t kind)
{
    const uint8_t be[4] = {(uint8_t)(kind >> 24), (uint8_t)(kind >> 16), (uint8_t)(kind >> 8), (uint8_t)kind};
    eat(h, be, sizeof be);
}

static crypto_generichash_state begin(const char *domain)
{
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, 32);
    eat(&h, domain, strlen(domain));
    return h;
}

static struct era_hash end(crypto_generichash_state *h)
{
    struct era_hash out;
    crypto_generichash_final(h, out.b, sizeof out.b);
    return out;
}

struct era_hash proof_statement_id(const struct era_hash *network, uint32_t kind, struct era_bytes payload)
{
    crypto_generichash_state h = begin("erad-statement-v1");
    eat(&h, network->b, sizeof network->b);
    eat_kind(&h, kind);
    eat(&h, payload.data, payload.len);
    return end(&h);
}

struct era_hash proof_loose_item(const struct era_hash *id, const struct era_key *key)
{
    crypto_generichash_state h = begin("erad-item-v1");
    eat(&h, id->b, sizeof id->b);
    eat(&h, key->b, sizeof key->b);
    return end(&h);
}

struct era_hash proof_carrier_item(uint32_t kind, const struct era_hash *what)
{
    crypto_generichash_state h = begin("erad-item-v1");
    eat_kind(&h, kind);
    eat(&h, what->b, sizeof what->b);
    return end(&h);
}

static bool same(const void *a, const void *b)
{
    return memcmp(a, b, 32) == 0;
}

static bool signed_by(const struct era_key *key, const struct era_hash *id, const struct era_signature *s)
{
    return crypto_sign_verify_detached(s->b, id->b, sizeof id->b, key->b) == 0;
}

/* ---- stakes ---- */

uint64_t proof_stake_sum(const struct era_charter *c)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < c->validator_count; i++)
        sum += c->validators[i].stake; /* at most 2^62: the charter is sound */
    return sum;
}

uint64_t proof_quorum(const struct era_charter *c)
{
    return (uint64_t)((unsigned __int128)proof_stake_sum(c) * 2 / 3) + 1;
}

bool proof_reaches(const struct era_charter *c, struct era_fraction part, uint64_t stake)
{
    return (unsigned __int128)stake * part.denominator >=
           (unsigned __int128)proof_stake_sum(c) * part.numerator;
}

/* ---- the plan, by itself ---- */

static bool can_block(const struct era_entry *e)
{
    return e->is_new && e->has_effective && e->class != ERA_CLASS_SOFT;
}

static const char *eras_follow(const struct era_entry *before, const struct era_entry *e)
{
    uint64_t had = before->record.era, has = e->record.era;
    if (e->class == ERA_CLASS_BREAKING && has != had + 1)
        return "a breaking entry does not take the next era";
    if (e->class == ERA_CLASS_SOFT &&
        (has != had || strcmp(before->record.era_name, e->record.era_name) != 0))
        return "a soft entry does not keep its era";
    if (e->class == ERA_CLASS_OVERRIDE && has != had && has != had + 1)
        return "an override leaps over an era";
    return NULL;
}

static const char *plan_flaw(const struct era_proposal *p)
{
    const char *flaw = NULL;
    if (p->plan.count == 0 || p->plan.entries[0].is_new || !p->plan.entries[0].has_effective)
        return "the plan begins with nothing that is in force";
    for (size_t i = 0; i < p->plan.count && !flaw; i++) {
        const struct era_entry *e = &p->plan.entries[i];
        if (strcmp(e->record.component, p->slot.component) != 0)
            flaw = "a record of another component";
        for (size_t d = 0; d < p->drop_count; d++)
            if (same(p->drops[d].b, e->hash.b))
                flaw = "an entry is contained and dropped";
        if (i == 0 || flaw)
            continue;
        if (!e->has_effective && i + 1 < p->plan.count)
            flaw = "an entry without an epoch does not stand last";
        else if (e->has_effective && e->effective <= p->plan.entries[i - 1].effective)
            flaw = "epochs do not ascend";
        else
            flaw = eras_follow(&p->plan.entries[i - 1], e);
    }
    if (p->prev.some && (p->prev.charter_version > p->slot.charter_version ||
                         (p->prev.charter_version == p->slot.charter_version && p->prev.seq >= p->slot.seq)))
        flaw = "it builds on a slot that is not below its own";
    return flaw;
}

/* ---- votes ---- */

/* The id that all approvals, or all readiness, of a proposal sign. */
static struct era_hash vote_id(const struct era_hash *network, enum era_kind kind,
                               const struct era_slot_id *slot, const struct era_hash *proposal)
{
    uint8_t payload[256];
    struct era_statement *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->kind = kind;
    s->u.vote.slot = *slot;
    s->u.vote.proposal = *proposal;
    size_t len = era_statement_encode(s, payload, sizeof payload);
    free(s);
    return proof_statement_id(network, kind, (struct era_bytes){payload, len});
}

static struct era_hash charter_vote_id(const struct era_hash *network, enum era_kind kind, uint64_t version,
                                       const struct era_hash *charter)
{
    uint8_t payload[64];
    struct era_statement *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->kind = kind;
    s->u.charter_vote.version = version;
    s->u.charter_vote.charter = *charter;
    size_t len = era_statement_encode(s, payload, sizeof payload);
    free(s);
    return proof_statement_id(network, kind, (struct era_bytes){payload, len});
}

/* A set of keys, by index: nobody counts twice. */
struct counted {
    uint8_t bits[ERA_VALIDATORS_MAX];
};

static bool first_time(struct counted *seen, uint32_t key)
{
    if (seen->bits[key])
        return false;
    seen->bits[key] = 1;
    return true;
}

static const char *signers_flaw(const struct era_component *p, const struct era_hash *id,
                                const struct era_indexed_signature *list, size_t count, uint32_t needed)
{
    struct counted *seen = calloc(1, sizeof *seen);
    const char *flaw = NULL;
    uint32_t distinct = 0;
    if (!seen)
        abort();
    for (size_t i = 0; i < count && !flaw; i++) {
        if (list[i].key >= p->signer_count)
            flaw = "an approval by nobody";
        else if (!first_time(seen, list[i].key))
            flaw = "a signer counts twice";
        else if (!signed_by(&p->signers[list[i].key].key, id, &list[i].signature))
            flaw = "an approval is not signed";
        distinct++;
    }
    free(seen);
    return flaw ? flaw : distinct < needed ? "too few approvals" : NULL;
}

/* *stake grows by the validators who signed. */
static const char *validators_flaw(const struct era_charter *c, const struct era_hash *id,
                                   const struct era_indexed_signature *list, size_t count,
                                   struct counted *seen, uint64_t *stake)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].key >= c->validator_count)
            return "a signature by nobody";
        if (!first_time(seen, list[i].key))
            return "a validator counts twice";
        if (!signed_by(&c->validators[list[i].key].key, id, &list[i].signature))
            return "a validator did not sign";
        *stake += c->validators[list[i].key].stake;
    }
    return NULL;
}

/* ---- what the certificate of a proposal must hold ---- */

struct proven {
    const struct era_charter *c;
    const struct era_component *component;
    const struct era_hash *network, *id; /* the proposal's */
    const struct era_carrier *carrier;
    struct era_statement *proposal, *scratch;
};

static bool asks_enough(const struct era_proposal *p)
{
    for (size_t i = 0; i < p->plan.count; i++)
        if (can_block(&p->plan.entries[i]))
            return true;
    return false;
}

static const char *readiness_flaw(const struct proven *x)
{
    const struct era_proposal *p = &x->proposal->u.proposal;
    struct era_hash id = vote_id(x->network, ERA_KIND_READINESS, &p->slot, x->id);
    struct counted *seen = calloc(1, sizeof *seen);
    uint64_t stake = 0;
    if (!seen)
        abort();
    const char *flaw =
        validators_flaw(x->c, &id, x->carrier->readiness, x->carrier->readiness_count, seen, &stake);
    free(seen);
    if (flaw || x->c->authority_only)
        return flaw;
    if (stake < proof_quorum(x->c))
        return "readiness below Q";
    if (asks_enough(p) && !proof_reaches(x->c, x->component->enough, stake))
        return "readiness below the policy's enough";
    return NULL;
}

static bool same_slot(const struct era_slot_id *a, const struct era_slot_id *b)
{
    return strcmp(a->component, b->component) == 0 && a->charter_version == b->charter_version &&
           a->seq == b->seq;
}

static const char *attestations_flaw(const struct proven *x)
{
    for (size_t i = 0; i < x->carrier->attestation_count; i++) {
        const struct era_indexed_attestation *a = &x->carrier->attestations[i];
        if (a->key >= x->c->validator_count)
            return "an attestation by nobody";
        struct era_hash id = proof_statement_id(x->network, ERA_KIND_ATTESTATION, a->payload);
        if (!signed_by(&x->c->validators[a->key].key, &id, &a->signature))
            return "an attestation is not signed";
        if (era_statement_decode(ERA_KIND_ATTESTATION, a->payload, x->scratch) != ERA_ACCEPTED)
            return "an attestation does not decode";
        const struct era_attestation *t = &x->scratch->u.attestation;
        if (!same_slot(&t->slot, &x->proposal->u.proposal.slot) || !same(t->proposal.b, x->id->b))
            return "an attestation of something else";
    }
    return NULL;
}

/* Stake of the validators who attest this artefact with the plan's digest. */
static uint64_t matching(const struct proven *x, const struct era_artefact *artefact)
{
    uint64_t stake = 0;
    uint32_t last = UINT32_MAX; /* attestations ascend by key */
    for (size_t i = 0; i < x->carrier->attestation_count; i++) {
        const struct era_indexed_attestation *a = &x->carrier->attestations[i];
        era_statement_decode(ERA_KIND_ATTESTATION, a->payload, x->scratch);
        const struct era_attestation *t = &x->scratch->u.attestation;
        if (a->key == last || strcmp(t->artefact, artefact->name) != 0 ||
            strcmp(t->digest, artefact->digest) != 0)
            continue;
        stake += x->c->validators[a->key].stake;
        last = a->key;
    }
    return stake;
}

static const char *rebuild_flaw(const struct proven *x)
{
    const char *flaw = attestations_flaw(x);
    if (flaw || x->c->authority_only || x->component->rebuild_quorum.numerator == 0)
        return flaw;
    const struct era_plan *plan = &x->proposal->u.proposal.plan;
    for (size_t e = 0; e < plan->count; e++)
        for (size_t a = 0; can_block(&plan->entries[e]) && a < plan->entries[e].record.artefact_count; a++)
            if (!proof_reaches(x->c, x->component->rebuild_quorum,
                               matching(x, &plan->entries[e].record.artefacts[a])))
                return "an artefact without its quorum of matching rebuilds";
    return NULL;
}

static const char *proposal_flaw(struct proven *x)
{
    const struct era_carrier *k = x->carrier;
    struct era_hash id = proof_statement_id(x->network, ERA_KIND_PROPOSAL, k->proposal);
    if (!same(id.b, x->id->b))
        return "it is about another proposal";
    if (era_statement_decode(ERA_KIND_PROPOSAL, k->proposal, x->proposal) != ERA_ACCEPTED)
        return "the proposal does not decode";
    const struct era_proposal *p = &x->proposal->u.proposal;
    if (p->slot.charter_version != x->c->version || p->slot.seq == 0)
        return "a slot of another charter";
    for (size_t i = 0; i < x->c->component_count; i++)
        if (strcmp(x->c->components[i].id, p->slot.component) == 0)
            x->component = &x->c->components[i];
    if (!x->component)
        return "no such component";
    bool signer = false;
    for (size_t i = 0; i < x->component->signer_count; i++)
        signer |= same(x->component->signers[i].key.b, k->author.b);
    if (!signer || !signed_by(&k->author, &id, &k->signature))
        return "its author is no signer, or did not sign";
    return plan_flaw(p);
}

static const char *carrier_flaw(struct proven *x)
{
    const char *flaw = proposal_flaw(x);
    if (flaw)
        return flaw;
    const struct era_proposal *p = &x->proposal->u.proposal;
    struct era_hash id = vote_id(x->network, ERA_KIND_APPROVE, &p->slot, x->id);
    flaw = signers_flaw(x->component, &id, x->carrier->approvals, x->carrier->approval_count,
                        p->urgent ? x->component->urgent_k : x->component->k);
    if (!flaw)
        flaw = readiness_flaw(x);
    return flaw ? flaw : rebuild_flaw(x);
}

const char *proof_certificate(const struct era_charter *c, const struct era_hash *network,
                              const struct era_hash *proposal, struct era_bytes envelope)
{
    struct era_envelope e;
    struct era_carrier carrier;
    if (era_envelope_decode(envelope, &e) != ERA_ACCEPTED || e.kind != ERA_KIND_CERTIFICATE ||
        era_carrier_decode(e.payload, &carrier) != ERA_ACCEPTED)
        return "it is no certificate";
    struct proven x = {.c = c,
                       .network = network,
                       .id = proposal,
                       .carrier = &carrier,
                       .proposal = calloc(1, sizeof(struct era_statement)),
                       .scratch = calloc(1, sizeof(struct era_statement))};
    if (!x.proposal || !x.scratch)
        abort();
    const char *flaw = carrier_flaw(&x);
    free(x.proposal);
    free(x.scratch);
    era_carrier_clear(&carrier);
    return flaw;
}

/* ---- the certificate of a charter (R10) ---- */

static const struct era_component *network_of(const struct era_charter *c)
{
    for (size_t i = 0; i < c->component_count; i++)
        if (strcmp(c->components[i].id, "network") == 0)
            return &c->components[i];
    return NULL;
}

static const char *bounds_flaw(const struct era_charter *old, const struct era_charter *next)
{
    for (size_t i = 0; i < old->component_count; i++) {
        bool some = false;
        for (size_t b = 0; b < next->carried_count; b++)
            some |= strcmp(next->carried[b].component, old->components[i].id) == 0;
        if (!some)
            return "a component of the parent without its bound";
    }
    return NULL;
}

static const char *closes_flaw(const struct era_charter *old, const struct era_charter *next,
                               const struct era_hash *network, const struct era_charter_certificate *k)
{
    struct counted *seen = calloc(1, sizeof *seen);
    struct era_statement *s = calloc(1, sizeof *s);
    const char *flaw = NULL;
    uint64_t stake = 0;
    if (!seen || !s)
        abort();
    for (size_t i = 0; i < k->close_count && !flaw; i++) {
        const struct era_close_group *g = &k->closes[i];
        struct era_hash id = proof_statement_id(network, ERA_KIND_CLOSE, g->payload);
        if (era_statement_decode(ERA_KIND_CLOSE, g->payload, s) != ERA_ACCEPTED ||
            s->u.close.version != next->version || !same(s->u.close.charter.b, next->hash.b))
            flaw = "a close for something else";
        else
            flaw = validators_flaw(old, &id, g->signatures, g->count, seen, &stake);
    }
    free(seen);
    free(s);
    if (!flaw && !old->authority_only && stake < proof_quorum(old))
        flaw = "closes below Q of the parent";
    return flaw;
}

static const char *succession_flaw(const struct era_charter *old, const struct era_charter *next,
                                   const struct era_hash *network, const struct era_charter_certificate *k)
{
    const struct era_component *before = network_of(old), *after = network_of(next);
    struct counted *seen = calloc(1, sizeof *seen);
    uint64_t stake = 0;
    if (!seen)
        abort();
    struct era_hash approve = charter_vote_id(network, ERA_KIND_CHARTER_APPROVE, next->version, &next->hash);
    struct era_hash accept = charter_vote_id(network, ERA_KIND_ACCEPT, next->version, &next->hash);
    const char *flaw = !before || !after ? "a charter without `network`" : bounds_flaw(old, next);
    if (!flaw)
        flaw = signers_flaw(before, &approve, k->old_approvals, k->old_approval_count, before->k);
    if (!flaw)
        flaw = signers_flaw(after, &approve, k->new_approvals, k->new_approval_count, after->k);
    if (!flaw)
        flaw = validators_flaw(next, &accept, k->accepts, k->accept_count, seen, &stake);
    if (!flaw && !next->authority_only && stake < proof_quorum(next))
        flaw = "accepts below Q of the new charter";
    free(seen);
    return flaw ? flaw : closes_flaw(old, next, network, k);
}

const char *proof_charter(const struct era_charter *old, const struct era_hash *network,
                          const struct era_hash *next_hash, struct era_bytes envelope)
{
    struct era_envelope e;
    struct era_charter_certificate k;
    struct era_charter next;
    const char *flaw;
    if (era_envelope_decode(envelope, &e) != ERA_ACCEPTED || e.kind != ERA_KIND_CHARTER_CERTIFICATE ||
        era_charter_certificate_decode(e.payload, &k) != ERA_ACCEPTED)
        return "it is no certificate of a charter";
    if (era_charter_decode(k.charter, &next) != ERA_ACCEPTED) {
        era_charter_certificate_clear(&k);
        return "the charter does not decode";
    }
    crypto_generichash_state h = begin("erad-charter-v1");
    eat(&h, k.charter.data, k.charter.len);
    struct era_hash hash = end(&h);
    if (!same(hash.b, next_hash->b))
        flaw = "it is about another charter";
    else if (!next.has_parent || next.version != old->version + 1 || !same(next.parent.b, old->hash.b))
        flaw = "it follows another charter";
    else
        flaw = succession_flaw(old, &next, network, &k);
    era_charter_clear(&next);
    era_charter_certificate_clear(&k);
    return flaw;
}
