/* I14 for the charters that follow (R10): approvals, accepts and closes of each that is known, counted again
 * from the records of the node's disk, loose ones, evidence and certificates alike; and the epoch from which
 * an adopted one counts. After an adoption closes alone are still said. */
#include <stdlib.h>
#include <string.h>

#include "src/core/succession.h"
#include "src/erasim/check_internal.h"

#define NEVER UINT64_MAX

struct turning {
    const struct era_charter *old, *next;
    const struct era_successor *successor;
    struct era_statement *scratch;
    uint64_t old_approved_by, new_approved_by;
    uint8_t *accepted; /* by new validator */
    uint8_t *closed;   /* by old validator */
    uint64_t
        *last; /* by old validator: the first epoch above all that it leased, by the better of its closes */
};

static const struct era_component *network_of(const struct era_charter *c)
{
    for (size_t i = 0; i < c->component_count; i++)
        if (strcmp(c->components[i].id, "network") == 0)
            return &c->components[i];
    return NULL;
}

static int validator_in(const struct era_charter *c, const struct era_key *key)
{
    for (size_t i = 0; i < c->validator_count; i++)
        if (era_key_eq(&c->validators[i].key, key))
            return (int)i;
    return -1;
}

static uint64_t signer_bit(const struct era_charter *c, const struct era_key *key)
{
    const struct era_component *network = network_of(c);
    for (size_t i = 0; network && i < network->signer_count; i++)
        if (era_key_eq(&network->signers[i].key, key))
            return (uint64_t)1 << i;
    return 0;
}

static bool is_carried(const struct era_charter *next, const struct era_close *close)
{
    for (size_t i = 0; i < close->voted_count; i++) {
        bool within = false;
        for (size_t k = 0; k < next->carried_count; k++)
            within |= strcmp(next->carried[k].component, close->voted[i].component) == 0 &&
                      close->voted[i].seq <= next->carried[k].seq;
        if (!within)
            return false;
    }
    return true;
}

static void count_close(struct turning *t, const struct era_key *key, const struct era_close *close)
{
    int at = validator_in(t->old, key);
    if (at < 0 || close->version != t->next->version || !era_hash_eq(&close->charter, &t->next->hash) ||
        !is_carried(t->next, close))
        return;
    uint64_t least = close->has_last ? close->last + 1 : 0;
    if (!t->closed[at] || least < t->last[at])
        t->last[at] = least;
    t->closed[at] = 1;
}

static void count_word(struct turning *t, uint32_t kind, struct era_bytes payload, const struct era_key *key)
{
    struct era_statement *s = t->scratch;
    if ((kind != ERA_KIND_CLOSE && kind != ERA_KIND_ACCEPT && kind != ERA_KIND_CHARTER_APPROVE) ||
        era_statement_decode(kind, payload, s) != ERA_ACCEPTED)
        return;
    if (kind == ERA_KIND_CLOSE) {
        count_close(t, key, &s->u.close);
        return;
    }
    if (s->u.charter_vote.version != t->next->version ||
        !era_hash_eq(&s->u.charter_vote.charter, &t->next->hash))
        return;
    int at = validator_in(t->next, key);
    if (kind == ERA_KIND_ACCEPT && at >= 0)
        t->accepted[at] = 1;
    if (kind == ERA_KIND_CHARTER_APPROVE) {
        t->old_approved_by |= signer_bit(t->old, key);
        t->new_approved_by |= signer_bit(t->next, key);
    }
}

static void count_certificate(struct turning *t, struct era_bytes payload)
{
    struct era_charter_certificate k;
    if (era_charter_certificate_decode(payload, &k) != ERA_ACCEPTED)
        return;
    for (size_t i = 0; i < k.close_count; i++)
        for (size_t j = 0; j < k.closes[i].count; j++)
            if (k.closes[i].signatures[j].key < t->old->validator_count)
                count_word(t, ERA_KIND_CLOSE, k.closes[i].payload,
                           &t->old->validators[k.closes[i].signatures[j].key].key);
    era_charter_certificate_clear(&k);
}

static int record(void *ctx, struct era_bytes key, struct era_bytes value)
{
    struct turning *t = ctx;
    struct era_envelope e;
    struct era_evidence pair;
    (void)key;
    if (era_envelope_decode(value, &e) != ERA_ACCEPTED)
        return 0;
    if (e.kind == ERA_KIND_CHARTER_CERTIFICATE)
        count_certificate(t, e.payload);
    else if (e.kind == ERA_KIND_EVIDENCE && era_evidence_decode(e.payload, &pair) == ERA_ACCEPTED)
        for (int i = 0; i < 2; i++)
            count_word(t, pair.kind, pair.payloads[i], &pair.key);
    else
        count_word(t, e.kind, e.payload, &e.key);
    return 0;
}

/* Closes of stake >= Q say that they leased nothing from there on. */
static uint64_t counts_from(const struct turning *t)
{
    uint64_t best = t->old->authority_only ? t->next->effective : NEVER;
    for (size_t i = 0; !t->old->authority_only && i < t->old->validator_count; i++) {
        uint64_t from = t->last[i] > t->next->effective ? t->last[i] : t->next->effective, stake = 0;
        for (size_t k = 0; k < t->old->validator_count; k++)
            stake += t->closed[k] && t->last[k] <= from ? t->old->validators[k].stake : 0;
        if (t->closed[i] && from < best && stake >= proof_quorum(t->old))
            best = from;
    }
    return best;
}

static uint64_t stake_of(const struct era_charter *c, const uint8_t *said)
{
    uint64_t stake = 0;
    for (size_t i = 0; i < c->validator_count; i++)
        stake += said[i] ? c->validators[i].stake : 0;
    return stake;
}

static void judge(struct check *c, const struct sim_node *n, const struct turning *t, bool followed)
{
    char id[CHECK_ID_TEXT];
    const struct era_successor *k = t->successor;
    uint64_t closes = stake_of(t->old, t->closed), accepts = stake_of(t->next, t->accepted);
    check_look(c, RULE_I14);
    if (closes != k->close_stake)
        CHECK_BREAK(c, RULE_I14, "%s: charter %s: closes of stake %llu, on disk %llu", n->name,
                    check_id(&k->hash, id), (unsigned long long)k->close_stake, (unsigned long long)closes);
    if (k->certificate && k->counts_from != counts_from(t))
        CHECK_BREAK(c, RULE_I14, "%s: charter %s counts from %llu, by its disk from %llu", n->name,
                    check_id(&k->hash, id), (unsigned long long)k->counts_from,
                    (unsigned long long)counts_from(t));
    if (!followed && (k->old_approved_by != t->old_approved_by || k->new_approved_by != t->new_approved_by ||
                      k->accept_stake != accepts))
        CHECK_BREAK(
            c, RULE_I14,
            "%s: charter %s: approved by %llx and %llx, on disk %llx and %llx; accepts %llu, on disk %llu",
            n->name, check_id(&k->hash, id), (unsigned long long)k->old_approved_by,
            (unsigned long long)k->new_approved_by, (unsigned long long)t->old_approved_by,
            (unsigned long long)t->new_approved_by, (unsigned long long)k->accept_stake,
            (unsigned long long)accepts);
}

static void *zeroed(size_t count, size_t size)
{
    void *p = calloc(count + 1, size);
    if (!p)
        abort();
    return p;
}

static void recount(struct check *c, const struct sim_node *n, const struct era_ledger *l,
                    const struct era_successor *k)
{
    static const enum era_record_kind kinds[] = {ERA_RECORD_STATEMENT, ERA_RECORD_CARRIER};
    struct turning t = {.old = era_ledger_charter(l), .next = k->charter, .successor = k};
    bool whole = true; /* a flipped bit ends the walk: the next start finds it */
    t.scratch = zeroed(1, sizeof *t.scratch);
    t.accepted = zeroed(t.next->validator_count, 1);
    t.closed = zeroed(t.old->validator_count, 1);
    t.last = zeroed(t.old->validator_count, sizeof *t.last);
    for (size_t i = 0; i < 2; i++) {
        struct era_store_key prefix = era_record_prefix(kinds[i]);
        whole &= era_store_walk(n->disk.store, era_store_key_bytes(&prefix), record, &t) == 0;
    }
    if (whole)
        judge(c, n, &t, era_ledger_followed(l));
    free(t.scratch);
    free(t.accepted);
    free(t.closed);
    free(t.last);
}

void check_recount_charters(struct check *c, const struct sim_node *n)
{
    if (check_node(c, n)->flying > 0)
        return;
    for (const struct era_ledger *l = era_node_ledger(n->node); l; l = era_ledger_older(l))
        for (const struct era_successor *k = era_ledger_successors(l); k; k = k->next)
            if (k->charter)
                recount(c, n, l, k);
}
