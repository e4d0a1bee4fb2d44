/* Of charters that follow one another (R10), at the end of a run whose last epochs had no fault, among the
 * nodes that are linked with one another:
 *   - What they offer of the next charters is the same everywhere (I12: also after a start).
 *   - Whoever accepts by itself has accepted every charter that it could: no other charter used up its word.
 *   - An adopted charter counts, once its epoch and some more are over and honest old validators of stake >=
 * Q that close by themselves are there: no close that names an epoch far away keeps it from that. */
#include <stdlib.h>
#include <string.h>

#include "src/core/succession.h"
#include "src/erasim/check_internal.h"

#define SETTLED_EPOCHS                                                                                       \
    5                   /* from the adoption of a charter on: who was away has closed, and leased no more    \
                         */
#define PASSED_EPOCHS 3 /* from its effective epoch on */

/* ---- equal sets ---- */

struct offered {
    const struct era_ledger *of;
    struct era_hash sum; /* of the items, whatever their order */
    size_t count;
};

static bool is_of_chain(const struct era_ledger *l, const struct era_item *item)
{
    struct era_bytes body;
    struct era_envelope e;
    struct era_evidence pair;
    if (item->kind != ERA_KIND_EVIDENCE)
        return (item->kind >= ERA_KIND_CHARTER && item->kind <= ERA_KIND_CHARTER_APPROVE) ||
               item->kind == ERA_KIND_CHARTER_CERTIFICATE;
    return era_ledger_body(l, item, &body) && era_envelope_decode(body, &e) == ERA_ACCEPTED &&
           era_evidence_decode(e.payload, &pair) == ERA_ACCEPTED &&
           (pair.kind == ERA_KIND_CLOSE || pair.kind == ERA_KIND_CHARTER_APPROVE);
}

static void add(void *ctx, const struct era_item *item)
{
    struct offered *o = ctx;
    if (!is_of_chain(o->of, item))
        return;
    for (size_t i = 0; i < sizeof o->sum.b; i++)
        o->sum.b[i] ^= item->item.b[i];
    o->count++;
}

static struct offered offered_by(const struct sim_node *n)
{
    struct offered o = {.count = 0};
    for (const struct era_ledger *l = era_node_ledger(n->node); l; l = era_ledger_older(l)) {
        o.of = l;
        era_ledger_each_offered(l, add, &o);
    }
    return o;
}

static void look_sets(struct check *c, struct sim_node *const *nodes, size_t count)
{
    struct offered first = offered_by(nodes[0]);
    for (size_t i = 1; i < count; i++) {
        struct offered its = offered_by(nodes[i]);
        check_look(c, RULE_LIVENESS);
        if (its.count != first.count || !era_hash_eq(&its.sum, &first.sum))
            CHECK_BREAK(c, RULE_LIVENESS,
                        "of the next charters %s offers %zu statements, %s %zu, and not the same",
                        nodes[0]->name, first.count, nodes[i]->name, its.count);
    }
}

/* ---- accepts ---- */

static int seat_in(const struct era_charter *charter, const struct sim_node *n)
{
    for (size_t i = 0; n->key && i < charter->validator_count; i++)
        if (era_key_eq(&charter->validators[i].key, &n->key->secret.key))
            return (int)i;
    return -1;
}

static bool is_forked(const struct era_ledger *l)
{
    bool forked = false;
    for (; l && !forked; l = era_ledger_older(l))
        era_ledger_next(l, &forked);
    return forked;
}

static void look_accepts(struct check *c, const struct sim_node *n)
{
    char id[CHECK_ID_TEXT];
    const struct era_ledger *l = era_node_ledger(n->node);
    if (!n->auto_charter || era_node_lock(n->node) != ERA_LOCK_NONE || era_ledger_followed(l) || is_forked(l))
        return;
    for (const struct era_successor *k = era_ledger_successors(l); k; k = k->next) {
        int at = k->charter ? seat_in(k->charter, n) : -1;
        if (at < 0)
            continue;
        check_look(c, RULE_LIVENESS);
        if (!(k->accepted_by[at / 8] >> at % 8 & 1))
            CHECK_BREAK(c, RULE_LIVENESS, "%s accepts what it can, and did not accept charter %s", n->name,
                        check_id(&k->hash, id));
    }
}

/* ---- it counts ---- */

struct late_vote {
    const struct era_charter *next;
    const struct check *c;
    bool some;
};

/* An honest vote above what is carried: who gave it may not close. */
static void look_for_vote(void *ctx, const struct era_hash *key, void *block)
{
    struct late_vote *v = ctx;
    const struct check_ready *vote = block;
    (void)key;
    for (size_t i = 0; i < v->next->carried_count; i++)
        v->some |= vote->slot.version + 1 == v->next->version && vote->slot.seq > v->next->carried[i].seq &&
                   strcmp(v->c->names[vote->name], v->next->carried[i].component) == 0;
}

/* One id a version: whom bad signers led to close for another charter has nothing more to say. */
static bool closed_for_a_rival(const struct sim_node *n, const struct era_charter *old,
                               const struct era_charter *next, int at)
{
    const struct era_ledger *l = era_node_ledger(n->node);
    while (l && era_ledger_charter(l)->version != old->version)
        l = era_ledger_older(l);
    for (const struct era_successor *k = l ? era_ledger_successors(l) : NULL; k; k = k->next)
        for (size_t i = 0; i < k->close_count; i++)
            if (!era_hash_eq(&k->hash, &next->hash) && k->closes[i].validator == (uint32_t)at)
                return true;
    return false;
}

static uint64_t closing_stake(const struct era_charter *old, const struct era_charter *next,
                              struct sim_node *const *nodes, size_t count)
{
    uint64_t stake = 0;
    for (size_t i = 0; i < count; i++) {
        int at = seat_in(old, nodes[i]);
        if (at >= 0 && nodes[i]->auto_charter && era_node_lock(nodes[i]->node) == ERA_LOCK_NONE &&
            !closed_for_a_rival(nodes[i], old, next, at))
            stake += old->validators[at].stake;
    }
    return stake;
}

static bool must_count(const struct check *c, const struct era_charter *old, const struct era_charter *next,
                       struct sim_node *const *nodes, size_t count)
{
    struct late_vote late = {next, c, false};
    uint64_t since = next->version < SIM_CHARTERS_MAX ? c->charter_ms[next->version] : UINT64_MAX;
    if (old->authority_only || sim_true_epoch(c->s) < era_add_sat(next->effective, PASSED_EPOCHS) ||
        c->s->now_ms < era_add_sat(since, SETTLED_EPOCHS * c->s->plan.epoch_ms))
        return false;
    facts_each(c->ready, look_for_vote, &late);
    return !late.some && closing_stake(old, next, nodes, count) >= proof_quorum(old);
}

static void look_counting(struct check *c, struct sim_node *const *nodes, size_t count)
{
    uint64_t least = 0;
    const struct era_charter *newest = era_node_charter(nodes[0]->node);
    if (is_forked(era_node_ledger(nodes[0]->node)))
        return;
    for (uint64_t version = 1; version <= newest->version; version++) {
        const struct era_charter *old = check_charter(c, nodes[0], version - 1);
        const struct era_charter *next = check_charter(c, nodes[0], version);
        if (!old || !next || !must_count(c, old, next, nodes, count))
            break;
        least = version;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t its = era_node_counting_charter(nodes[i]->node)->version;
        check_look(c, RULE_LIVENESS);
        if (its < least)
            CHECK_BREAK(
                c, RULE_LIVENESS,
                "%s: charter %llu still counts, though charter %llu is adopted, its epoch is over, and "
                "stake >= Q could close",
                nodes[i]->name, (unsigned long long)its, (unsigned long long)least);
    }
}

void check_chain(struct check *c, struct sim_node *const *nodes, size_t count)
{
    look_sets(c, nodes, count);
    for (size_t i = 0; i < count; i++)
        look_accepts(c, nodes[i]);
    if (c->s->plan.bounded)
        look_counting(c, nodes, count);
}
