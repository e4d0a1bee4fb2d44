/* I14: the tallies of every candidate, counted again from the records of the node's disk: loose statements,
 * carriers and evidence alike. Sampled (starts, every eighth epoch of a node, the end), for it reads all. */
#include <stdlib.h>
#include <string.h>

#include "src/erasim/check_internal.h"
#include "src/erasim/proof.h"

#define MATCHES_MAX ((size_t)ERA_PLAN_ENTRIES_MAX * ERA_ARTEFACTS_MAX)

struct recount {
    const struct era_candidate *candidate;
    const struct era_component *component;
    uint64_t approved_by;
    uint8_t *ready;   /* by validator */
    uint8_t *matched; /* by match, then validator; NULL: none asked */
    struct recount *next;
};

struct recounting {
    const struct era_charter *charter;
    struct era_hash network;
    struct recount *all;
    struct era_statement *scratch;
};

static struct recount *of(const struct recounting *r, const struct era_hash *proposal,
                          const struct era_slot_id *slot)
{
    for (struct recount *x = r->all; x; x = x->next)
        if (era_hash_eq(&x->candidate->proposal, proposal) && x->candidate->seq == slot->seq &&
            x->candidate->charter_version == slot->charter_version &&
            strcmp(x->component->id, slot->component) == 0)
            return x;
    return NULL;
}

static int validator_of(const struct era_charter *charter, const struct era_key *key)
{
    for (size_t i = 0; i < charter->validator_count; i++)
        if (era_key_eq(&charter->validators[i].key, key))
            return (int)i;
    return -1;
}

static int signer_of(const struct era_component *p, const struct era_key *key)
{
    for (size_t i = 0; i < p->signer_count; i++)
        if (era_key_eq(&p->signers[i].key, key))
            return (int)i;
    return -1;
}

static void attested(const struct recounting *r, struct recount *x, int validator,
                     const struct era_attestation *a)
{
    const struct era_candidate *k = x->candidate;
    for (size_t m = 0; k->known && x->matched && m < k->matches.count; m++) {
        const struct era_match *match = &k->matches.matches[m];
        const struct era_artefact *artefact =
            &k->plan->entries[match->entry].record.artefacts[match->artefact];
        if (strcmp(a->artefact, artefact->name) == 0 && strcmp(a->digest, artefact->digest) == 0)
            x->matched[m * r->charter->validator_count + (size_t)validator] = 1;
    }
}

static void statement(const struct recounting *r, uint32_t kind, struct era_bytes payload,
                      const struct era_key *key)
{
    struct era_statement *s = r->scratch;
    if ((kind != ERA_KIND_APPROVE && kind != ERA_KIND_READINESS && kind != ERA_KIND_ATTESTATION) ||
        era_statement_decode(kind, payload, s) != ERA_ACCEPTED)
        return;
    bool attests = kind == ERA_KIND_ATTESTATION;
    struct recount *x = attests ? of(r, &s->u.attestation.proposal, &s->u.attestation.slot)
                                : of(r, &s->u.vote.proposal, &s->u.vote.slot);
    if (!x)
        return;
    int at = kind == ERA_KIND_APPROVE ? signer_of(x->component, key) : validator_of(r->charter, key);
    if (at < 0)
        return;
    if (kind == ERA_KIND_APPROVE)
        x->approved_by |= (uint64_t)1 << at;
    else if (attests)
        attested(r, x, at, &s->u.attestation);
    else
        x->ready[at] = 1;
}

static void carrier(const struct recounting *r, struct era_bytes payload)
{
    struct era_carrier k;
    if (era_carrier_decode(payload, &k) != ERA_ACCEPTED)
        return;
    struct era_hash id = proof_statement_id(&r->network, ERA_KIND_PROPOSAL, k.proposal);
    struct recount *x = NULL;
    if (era_statement_decode(ERA_KIND_PROPOSAL, k.proposal, r->scratch) == ERA_ACCEPTED)
        x = of(r, &id, &r->scratch->u.proposal.slot);
    for (size_t i = 0; x && i < k.approval_count; i++)
        if (k.approvals[i].key < x->component->signer_count)
            x->approved_by |= (uint64_t)1 << k.approvals[i].key;
    for (size_t i = 0; x && i < k.readiness_count; i++)
        if (k.readiness[i].key < r->charter->validator_count)
            x->ready[k.readiness[i].key] = 1;
    for (size_t i = 0; x && i < k.attestation_count; i++)
        if (k.attestations[i].key < r->charter->validator_count)
            statement(r, ERA_KIND_ATTESTATION, k.attestations[i].payload,
                      &r->charter->validators[k.attestations[i].key].key);
    era_carrier_clear(&k);
}

static int record(void *ctx, struct era_bytes key, struct era_bytes value)
{
    const struct recounting *r = ctx;
    struct era_envelope e;
    struct era_evidence evidence;
    (void)key;
    if (era_envelope_decode(value, &e) != ERA_ACCEPTED)
        return 0;
    if (e.kind == ERA_KIND_APPROVED || e.kind == ERA_KIND_CERTIFICATE)
        carrier(r, e.payload);
    else if (e.kind == ERA_KIND_EVIDENCE && era_evidence_decode(e.payload, &evidence) == ERA_ACCEPTED)
        for (int i = 0; i < 2; i++)
            statement(r, evidence.kind, evidence.payloads[i], &evidence.key);
    else
        statement(r, e.kind, e.payload, &e.key);
    return 0;
}

static void judge(struct check *c, const struct sim_node *n, const struct recounting *r,
                  const struct recount *x)
{
    char id[CHECK_ID_TEXT];
    const struct era_candidate *k = x->candidate;
    uint64_t ready = 0;
    check_look(c, RULE_I14);
    for (size_t v = 0; v < r->charter->validator_count; v++)
        ready += x->ready[v] ? r->charter->validators[v].stake : 0;
    if (ready != k->ready_stake || x->approved_by != k->approved_by)
        CHECK_BREAK(c, RULE_I14,
                    "%s: %s slot %llu (%s): approved by %llx, on disk %llx; readiness %llu, on disk %llu",
                    n->name, x->component->id, (unsigned long long)k->seq, check_id(&k->proposal, id),
                    (unsigned long long)k->approved_by, (unsigned long long)x->approved_by,
                    (unsigned long long)k->ready_stake, (unsigned long long)ready);
    for (size_t m = 0; k->known && x->matched && m < k->matches.count; m++) {
        uint64_t stake = 0;
        for (size_t v = 0; v < r->charter->validator_count; v++)
            if (x->matched[m * r->charter->validator_count + v])
                stake += r->charter->validators[v].stake;
        if (stake != k->matches.matches[m].stake)
            CHECK_BREAK(c, RULE_I14, "%s: %s slot %llu (%s): rebuilds of stake %llu match, on disk %llu",
                        n->name, x->component->id, (unsigned long long)k->seq, check_id(&k->proposal, id),
                        (unsigned long long)k->matches.matches[m].stake, (unsigned long long)stake);
    }
}

static void add(struct recounting *r, const struct era_candidate *k, const struct era_component *p)
{
    struct recount *x = calloc(1, sizeof *x);
    size_t validators = r->charter->validator_count;
    if (!x || !(x->ready = calloc(validators + 1, 1)))
        abort();
    if (k->known && k->matches.count > 0 && k->matches.count <= MATCHES_MAX &&
        !(x->matched = calloc(k->matches.count * (validators + 1), 1)))
        abort();
    x->candidate = k;
    x->component = p;
    x->next = r->all;
    r->all = x;
}

/* While a batch flies the disk is ahead of the ledger: not judged then. */
void check_recount(struct check *c, struct sim_node *n)
{
    const struct era_ledger *l = era_node_ledger(n->node);
    struct recounting r = {.charter = era_ledger_charter(l), .network = check_network(c)};
    if (check_node(c, n)->flying > 0)
        return;
    for (size_t i = 0; i < r.charter->component_count; i++) {
        const struct era_slot *const *slots;
        size_t count = era_ledger_slots(l, (int)i, &slots);
        for (size_t s = 0; s < count; s++)
            for (const struct era_candidate *k = slots[s]->candidates; k; k = k->slot_next)
                add(&r, k, &r.charter->components[i]);
    }
    static const enum era_record_kind kinds[] = {ERA_RECORD_STATEMENT, ERA_RECORD_CARRIER};
    r.scratch = calloc(1, sizeof *r.scratch);
    if (!r.scratch)
        abort();
    bool whole = true; /* a flipped bit ends the walk: the next start finds it */
    for (size_t i = 0; r.all && i < 2; i++) {
        struct era_store_key prefix = era_record_prefix(kinds[i]);
        whole &= era_store_walk(n->disk.store, era_store_key_bytes(&prefix), record, &r) == 0;
    }
    for (struct recount *x = r.all, *next; x; x = next) {
        next = x->next;
        if (whole)
            judge(c, n, &r, x);
        free(x->ready);
        free(x->matched);
        free(x);
    }
    free(r.scratch);
}
