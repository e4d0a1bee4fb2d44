/* Equal sets, at the end of a run whose last epochs had no fault: of slots, what linked nodes offer is the
 * same everywhere, whatever came first, and however much a key said (R6). */
#include <string.h>

#include "src/erasim/check_internal.h"

struct look {
    const struct era_ledger *of, *other;
    const struct era_item *only; /* offered by one alone */
};

static bool is_of_slots(const struct era_ledger *l, const struct era_item *item)
{
    struct era_bytes body;
    struct era_envelope e;
    struct era_evidence pair;
    uint32_t kind = item->kind;
    if (kind == ERA_KIND_EVIDENCE && era_ledger_body(l, item, &body) &&
        era_envelope_decode(body, &e) == ERA_ACCEPTED &&
        era_evidence_decode(e.payload, &pair) == ERA_ACCEPTED)
        kind = pair.kind;
    return (kind >= ERA_KIND_PROPOSAL && kind <= ERA_KIND_READINESS) || kind == ERA_KIND_APPROVED ||
           kind == ERA_KIND_CERTIFICATE;
}

static void look(void *ctx, const struct era_item *item)
{
    struct look *k = ctx;
    const struct era_item *there = era_ledger_find(k->other, &item->item);
    if (is_of_slots(k->of, item) && !(there && there->offered))
        k->only = item;
}

/* Of one charter, which both know. */
static void compare_book(struct check *c, const struct sim_node *n, const struct era_ledger *of,
                         const struct sim_node *other, const struct era_ledger *there)
{
    char id[CHECK_ID_TEXT];
    struct look k = {.of = of, .other = there};
    check_look(c, RULE_LIVENESS);
    era_ledger_each_offered(of, look, &k);
    if (k.only)
        CHECK_BREAK(c, RULE_LIVENESS, "%s offers %s %s of slot %llu of charter %llu, and %s does not",
                    n->name, era_kind_name(k.only->kind), check_id(&k.only->item, id),
                    (unsigned long long)k.only->seq, (unsigned long long)era_ledger_charter(of)->version,
                    other->name);
}

/* Of every charter: what an older one left open is left so everywhere, until a newer one decides it. */
static void compare(struct check *c, const struct sim_node *n, const struct sim_node *other)
{
    const struct era_ledger *of = era_node_ledger(n->node), *there = era_node_ledger(other->node);
    if (era_ledger_charter(of)->version != era_ledger_charter(there)->version)
        return;
    for (; of && there; of = era_ledger_older(of), there = era_ledger_older(there))
        compare_book(c, n, of, other, there);
}

void check_sets(struct check *c, struct sim_node *const *nodes, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        compare(c, nodes[0], nodes[i]);
        compare(c, nodes[i], nodes[0]);
    }
}
