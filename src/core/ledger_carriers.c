/* Which carriers of a slot are kept (R6): of approved ones, and of
 * certificates, those of the two lowest proposal ids. Three come about when as
 * many signers are faulty as approve, or more stake than the rules bear, and
 * whichever came first would differ from node to node for ever. An approved one
 * that goes counts no more; but what a word is bound to is held, and not
 * offered (R8): a loose approval, or readiness, of those with readiness alone
 * the ones of most stake. With two certificates the slot is void whatever the
 * third is (R12): nothing rests on the one that goes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/ledger_internal.h"

/* ---- the order in a slot ---- */

static size_t adopted_below(const struct component *c, uint64_t seq, const struct era_hash *proposal)
{
    size_t n = 0;
    for (size_t i = 0; i < c->adopted_count; i++)
        n += c->adopted[i].seq == seq && (!proposal || era_hash_cmp(&c->adopted[i].proposal, proposal) < 0);
    return n;
}

static size_t approved_below(const struct era_slot *slot, const struct era_hash *proposal)
{
    size_t n = 0;
    for (const struct era_candidate *c = slot ? slot->candidates : NULL; c; c = c->slot_next)
        n += c->approved && era_hash_cmp(&c->proposal, proposal) < 0;
    return n;
}

bool era_ledger_is_among_carried(const struct era_ledger *l, uint32_t kind, int component, uint64_t seq,
                                 const struct era_hash *proposal)
{
    if (kind == ERA_KIND_CERTIFICATE)
        return adopted_below(&l->components[component], seq, proposal) < ERA_IDS_PER_PLACE_MAX;
    const struct era_slot *slot = era_ledger_slot((struct era_ledger *)l, component, seq, false);
    return approved_below(slot, proposal) < ERA_IDS_PER_PLACE_MAX;
}

/* ---- what is taken ---- */

enum era_verdict era_ledger_carrier_verdict(struct era_ledger *l, const struct era_verified *s, uint64_t seq,
                                            bool from_disk)
{
    const struct era_slot *slot = era_ledger_slot(l, s->component, seq, false);
    bool certificate = s->kind == ERA_KIND_CERTIFICATE;
    size_t ids = certificate ? adopted_below(&l->components[s->component], seq, NULL) : 0;
    struct place_key k;
    if (slot)
        ids += certificate ? slot->certificate_ids : slot->approved_ids;
    if (from_disk || ids == 0)
        return ERA_ACCEPTED;
    if (ids < ERA_IDS_PER_PLACE_MAX)
        return !certificate || era_ledger_room_for_rival(l, s->component, seq) ? ERA_ACCEPTED : ERA_FULL;
    era_ledger_place_key(l, s, &k);
    return era_ledger_is_among_carried(l, s->kind, s->component, seq, &s->id) &&
                   era_ledger_may_displace(l, k.who)
               ? ERA_ACCEPTED
               : ERA_CAPPED;
}

/* ---- approved ones ---- */

enum hold { HOLD_NONE, HOLD_READY, HOLD_ALWAYS };

/* By words on their way to the disk, too. */
static enum hold hold_of(const struct era_ledger *l, const struct era_slot *slot,
                         const struct era_candidate *c)
{
    enum hold hold = HOLD_NONE;
    for (const struct era_item *i = era_ledger_item(l, slot->items); i;
         i = era_ledger_item(l, i->list_next)) {
        if (i->candidate != c)
            continue;
        if (i->kind == ERA_KIND_APPROVE)
            return HOLD_ALWAYS;
        if (i->kind == ERA_KIND_READINESS)
            hold = HOLD_READY;
    }
    return hold;
}

static void drop(struct era_ledger *l, struct era_slot *slot, struct era_item *item)
{
    era_ledger_tell_deleted(l, item);
    era_ledger_list_drop(l, &slot->items, item);
    slot->approved_ids--;
    era_ledger_item_free(l, item);
}

/* No loose approval is held, or it would not go: all were the carrier's. */
static void displace(struct era_ledger *l, struct era_slot *slot, struct era_item *item)
{
    struct era_candidate *c = item->candidate;
    c->approved = NULL;
    c->approved_by = 0;
    if (!era_ledger_is_said(l, slot, c, NULL))
        era_ledger_unlearn_proposal(l, c);
    drop(l, slot, item); /* its candidate may go with it */
}

static bool is_among_first(const struct era_ledger *l, const struct era_item *item)
{
    return era_ledger_is_among_carried(l, item->kind, item->component, item->seq, &item->candidate->proposal);
}

static bool is_weaker(const struct era_candidate *a, const struct era_candidate *b)
{
    if (a->ready_stake != b->ready_stake)
        return a->ready_stake < b->ready_stake;
    return era_hash_cmp(&a->proposal, &b->proposal) > 0;
}

/* Of those that readiness alone holds the weakest, where there are more than may be; else NULL. */
static struct era_item *too_many(const struct era_ledger *l, const struct era_slot *slot)
{
    struct era_item *weakest = NULL;
    size_t n = 0;
    for (struct era_item *i = era_ledger_item(l, slot->items); i; i = era_ledger_item(l, i->list_next)) {
        if (i->kind != ERA_KIND_APPROVED || !i->durable || is_among_first(l, i) ||
            hold_of(l, slot, i->candidate) != HOLD_READY)
            continue;
        n++;
        if (!weakest || is_weaker(i->candidate, weakest->candidate))
            weakest = i;
    }
    return n > ERA_CARRIERS_HELD_MAX ? weakest : NULL;
}

void era_ledger_settle_approved(struct era_ledger *l, struct era_slot *slot)
{
    for (struct era_item *i = era_ledger_item(l, slot->items), *next; i; i = next) {
        next = era_ledger_item(l, i->list_next);
        if (i->kind != ERA_KIND_APPROVED || !i->durable)
            continue;
        bool kept = is_among_first(l, i);
        if (kept || hold_of(l, slot, i->candidate) != HOLD_NONE)
            era_ledger_set_offered(l, i, kept && era_ledger_slot_offered(l, i->component, i->seq));
        else
            displace(l, slot, i);
    }
    for (struct era_item *i = too_many(l, slot); i; i = too_many(l, slot))
        displace(l, slot, i);
}

void era_ledger_commit_approved(struct era_ledger *l, struct era_item *item)
{
    struct era_slot *slot = era_ledger_slot(l, item->component, item->seq, false);
    if (l->complete && !is_among_first(l, item) && hold_of(l, slot, item->candidate) == HOLD_NONE) {
        item->candidate->assembling = false;
        drop(l, slot, item); /* lower ids overtook it on its way to the disk */
        return;
    }
    era_ledger_count_carrier(l, item);
    era_ledger_set_offered(l, item, era_ledger_slot_offered(l, item->component, item->seq));
    era_ledger_judge_claims(l, item->component, item->seq);
}

/* ---- certificates ---- */

void era_ledger_settle_rivals(struct era_ledger *l, int component, uint64_t seq)
{
    struct component *c = &l->components[component];
    size_t highest = SIZE_MAX;
    if (adopted_below(c, seq, NULL) <= ERA_IDS_PER_PLACE_MAX)
        return;
    for (size_t i = 0; i < c->adopted_count; i++)
        if (c->adopted[i].seq == seq &&
            (highest == SIZE_MAX || era_hash_cmp(&c->adopted[i].proposal, &c->adopted[highest].proposal) > 0))
            highest = i;
    struct era_item *goes = (struct era_item *)c->adopted[highest].certificate;
    era_ledger_adopted_clear(&c->adopted[highest]);
    memmove(&c->adopted[highest], &c->adopted[highest + 1],
            (--c->adopted_count - highest) * sizeof *c->adopted);
    era_ledger_tell_deleted(l, goes);
    era_ledger_item_free(l, goes);
}
