/* Which era the network is in: void slots (R12), and what strict emission promises beyond one era an epoch
 * (I7): what was emitted agrees with what is adopted. */
#include <string.h>

#include "src/erasim/check_internal.h"

/* ---- R12 ---- */

/* Adopted ids of a slot that lie on the node's own disk; at is where the slot begins in the order. */
static size_t own_ids(const struct check *c, const struct sim_node *n, size_t at)
{
    const struct check_adopted *first = c->order[at];
    size_t count = 0;
    for (; at < c->order_count && c->order[at]->name == first->name &&
           check_slot_cmp(c->order[at]->slot, first->slot) == 0;
         at++) {
        struct era_hash item = proof_carrier_item(ERA_KIND_CERTIFICATE, &c->order[at]->proposal);
        count += check_on_disk(n, ERA_RECORD_CARRIER, &item);
    }
    return count;
}

static bool begins_slot(const struct check *c, size_t at)
{
    return at == 0 || c->order[at - 1]->name != c->order[at]->name ||
           check_slot_cmp(c->order[at - 1]->slot, c->order[at]->slot) != 0;
}

/* While a batch flies the disk is ahead of the ledger: not judged then. */
void check_head_void(struct check *c, const struct sim_node *n, int name, const struct check_head *head)
{
    if (check_node(c, n)->flying > 0)
        return;
    check_look(c, RULE_R12);
    for (size_t i = 0; head->some && i + 1 < c->order_count; i++)
        if (c->order[i]->name == name && check_slot_cmp(c->order[i]->slot, head->slot) == 0) {
            if (begins_slot(c, i) && !begins_slot(c, i + 1) && own_ids(c, n, i) > 1)
                CHECK_BREAK(c, RULE_R12, "%s: its head of %s lies in slot %llu/%llu, of which it holds two",
                            n->name, c->names[name], (unsigned long long)head->slot.version,
                            (unsigned long long)head->slot.seq);
            return;
        }
}

void check_emitted(struct check *c, struct sim_node *n)
{
    int name = check_name(c, "network");
    uint64_t version = era_node_charter(n->node)->version;
    check_look(c, RULE_R12);
    for (size_t i = c->order_count; i-- > 0;) {
        const struct check_adopted *a = c->order[i];
        if (a->name != name || a->slot.version != version || !begins_slot(c, i))
            continue;
        size_t ids = own_ids(c, n, i);
        if (ids == 1)
            return; /* the head, and nothing void above it */
        if (ids > 1) {
            CHECK_BREAK(c, RULE_R12, "%s emits in epoch %llu while slot %llu/%llu above its head is void",
                        n->name, (unsigned long long)era_node_epoch(n->node),
                        (unsigned long long)a->slot.version, (unsigned long long)a->slot.seq);
            return;
        }
    }
}

/* ---- I7: emitted and adopted agree ---- */

static struct era_hash place_of(uint64_t epoch, const struct era_hash *entry)
{
    uint8_t number[8];
    era_put_be64(number, epoch);
    const struct era_bytes parts[] = {{number, sizeof number}, {entry->b, sizeof entry->b}};
    return era_hash_parts(parts, 2);
}

/* The highest head with which an honest key leased this entry in this epoch. */
void check_leased(struct check *c, const struct check_head *head, uint64_t epoch,
                  const struct era_hash *entry)
{
    bool is_new;
    struct era_hash place = place_of(epoch, entry);
    struct check_slot *highest = facts_put(c->leased, &place, &is_new);
    if (highest && head->some && check_slot_cmp(head->slot, *highest) > 0)
        *highest = head->slot;
}

static const struct era_hash *gives(const struct check_adopted *a, uint64_t epoch)
{
    const struct era_hash *current = NULL;
    for (size_t i = 0; i < a->count; i++)
        if (a->entries[i].has_effective && a->entries[i].effective <= epoch)
            current = &a->entries[i].hash;
    return current;
}

/* The plan that a builds on gives this entry in this epoch. */
static bool prev_gives(const struct check *c, const struct check_adopted *a, uint64_t epoch,
                       const struct era_hash *entry)
{
    if (!a->prev.some)
        return era_hash_eq(&a->entries[0].hash, entry); /* the initial record */
    const struct check_adopted *prev = check_adopted_find(c, &a->prev.proposal);
    const struct era_hash *then = prev ? gives(prev, epoch) : NULL;
    return then && era_hash_eq(then, entry);
}

/* Of the stake that leased and the stake that voted some is honest. It leased first: then its vote gives what
 * it leased, or what its head gives (R4), and its head is prev. It voted first: then it leased only what this
 * plan gives too, if its head was below (R16). */
static void agree(struct check *c, const struct check_emission *e, const struct check_adopted *a)
{
    char id[CHECK_ID_TEXT], was[CHECK_ID_TEXT];
    struct era_hash place = place_of(e->epoch, &e->entry);
    const struct check_slot *heads = facts_find(c->leased, &place);
    if (strcmp(c->names[a->name], "network") != 0 || (heads && check_slot_cmp(a->slot, *heads) <= 0))
        return;
    const struct era_hash *now = gives(a, e->epoch);
    const struct era_charter *under = check_charter(c, NULL, e->version);
    const struct era_charter *charter = check_charter(c, NULL, a->slot.version);
    if (!now || !under || !charter || a->slot.version < e->version || !check_bounded(c, under, "network") ||
        !check_bounded(c, charter, "network"))
        return;
    check_look(c, RULE_I7);
    if (era_hash_eq(now, &e->entry) || !prev_gives(c, a, e->epoch, &e->entry))
        return;
    CHECK_BREAK(c, RULE_I7,
                "events of epoch %llu name entry %s, and the adopted plan of slot %llu/%llu (%s) gives "
                "another one there, not so the plan it builds on",
                (unsigned long long)e->epoch, check_id(&e->entry, was), (unsigned long long)a->slot.version,
                (unsigned long long)a->slot.seq, check_id(&a->proposal, id));
}

void check_emission_agrees(struct check *c, const struct check_emission *e)
{
    for (size_t i = 0; i < c->order_count; i++)
        agree(c, e, c->order[i]);
}

struct against {
    struct check *c;
    const struct check_adopted *adopted;
};

static void one_emission(void *ctx, const struct era_hash *key, void *block)
{
    const struct against *x = ctx;
    (void)key;
    agree(x->c, block, x->adopted);
}

void check_adoption_agrees(struct check *c, const struct check_adopted *a)
{
    facts_each(c->eras, one_emission, &(struct against){c, a});
}
