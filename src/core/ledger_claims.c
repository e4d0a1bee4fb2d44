/* Which of the words are kept that bind to nothing (R6): proposals, rejects,
 * attestations. A key may say several of them in a slot in good faith, so no
 * evidence is made of many, and whichever came first would differ from node to
 * node for ever. Of a key's proposals in a slot the two lowest ids are kept,
 * and what a signer approves who approves no other; of its rejects and
 * attestations so many as a place holds: first what may count, one for each
 * proposal that stands (and artefact that matches), then the lowest ids. What
 * is kept is a function of what was said, not of its order. A proposal that a
 * signer approved is never taken away (R8); one that goes unapproved is known
 * no more. Charters are judged by the same order, see ledger_proposed.c. */
#include <assert.h>
#include <stdlib.h>

#include "src/core/charter.h"
#include "src/core/ledger_internal.h"

bool era_kind_is_claim(uint32_t kind)
{
    return kind == ERA_KIND_PROPOSAL || kind == ERA_KIND_REJECT || kind == ERA_KIND_ATTESTATION;
}

/* Rejects: one of every other signer's proposal, and more. Attestations: as many as two for each artefact
 * that a record may name, whatever they name: the names are the key holder's choice, and would bound nothing.
 */
size_t era_ledger_place_max(const struct era_ledger *l, const struct place_key *k)
{
    if (k->kind == ERA_KIND_REJECT)
        return ERA_IDS_PER_PLACE_MAX + l->charter->components[k->component].signer_count;
    return k->kind == ERA_KIND_ATTESTATION ? ERA_IDS_PER_PLACE_MAX * ERA_ARTEFACTS_MAX
                                           : ERA_IDS_PER_PLACE_MAX;
}

/* ---- the order in a place ---- */

/* A word, held or offered. Of rejects and attestations: about which candidate; which match of its plan. */
struct word {
    const struct era_hash *id;
    const struct era_candidate *about;
    int match;
};

static struct word word_of(const struct era_item *item)
{
    bool about = item->kind == ERA_KIND_REJECT || item->kind == ERA_KIND_ATTESTATION;
    return (struct word){&item->item, about ? item->candidate : NULL, about ? item->next : -1};
}

/* It may count, and no lower id says the same. */
static bool comes_first(const struct era_ledger *l, const struct place_key *k, struct word w)
{
    if (!w.about || !w.about->stands || (k->kind == ERA_KIND_ATTESTATION && w.match < 0))
        return false;
    for (const struct era_item *i = era_ledger_said(l, k); i; i = era_ledger_item(l, i->place_next))
        if (i->durable && i->candidate == w.about && i->next == w.match && era_hash_cmp(&i->item, w.id) < 0)
            return false;
    return true;
}

/* Durable ones of its place that come before it. */
static size_t rank(const struct era_ledger *l, const struct place_key *k, struct word w)
{
    bool first = comes_first(l, k, w);
    size_t n = 0;
    for (const struct era_item *i = era_ledger_said(l, k); i; i = era_ledger_item(l, i->place_next)) {
        bool other = i->durable && comes_first(l, k, word_of(i));
        n += i->durable && (other != first ? other : era_hash_cmp(&i->item, w.id) < 0);
    }
    return n;
}

bool era_ledger_is_among_first(const struct era_ledger *l, const struct era_item *item)
{
    struct place_key k;
    era_ledger_place_key_of(item, &k);
    size_t max = era_ledger_place_max(l, &k);
    return era_ledger_said_count(l, &k) <= max || rank(l, &k, word_of(item)) < max;
}

/* ---- what is taken ---- */

/* Each that is taken beyond what a place holds goes to every node: so many of a key an epoch, the others are
 * asked for in the next. */
bool era_ledger_may_displace(struct era_ledger *l, uint32_t who)
{
    struct displacing *d;
    if (l->displacing && l->displacing->epoch != l->epoch)
        era_ledger_displacing_free(l);
    HASH_FIND(hh, l->displacing, &who, sizeof who, d);
    if (!d) {
        d = calloc(1, sizeof *d);
        assert(d);
        d->who = who;
        d->epoch = l->epoch;
        HASH_ADD(hh, l->displacing, who, sizeof d->who, d);
    }
    return d->count++ < ERA_DISPLACED_PER_EPOCH_MAX;
}

void era_ledger_displacing_free(struct era_ledger *l)
{
    struct displacing *d, *next;
    HASH_ITER(hh, l->displacing, d, next)
    {
        HASH_DEL(l->displacing, d);
        free(d);
    }
}

static bool has_room(struct era_ledger *l, const struct place_key *k, struct word w)
{
    size_t max = era_ledger_place_max(l, k);
    return era_ledger_said_count(l, k) < max || (rank(l, k, w) < max && era_ledger_may_displace(l, k->who));
}

bool era_ledger_has_room(struct era_ledger *l, const struct place_key *k, const struct era_hash *id)
{
    return has_room(l, k, (struct word){id, NULL, -1});
}

enum era_verdict era_ledger_claim_verdict(struct era_ledger *l, const struct era_verified *s,
                                          const struct place_key *k, const struct era_hash *proposal,
                                          bool from_disk)
{
    const struct era_candidate *c = era_ledger_candidate_at(l, s->component, k->seq, proposal, false);
    struct word w = {&s->item, NULL, -1};
    if (from_disk || (s->kind == ERA_KIND_PROPOSAL && c && c->backed_by != 0))
        return ERA_ACCEPTED;
    if (s->kind != ERA_KIND_PROPOSAL)
        w.about = c;
    if (s->kind == ERA_KIND_ATTESTATION && c && c->known)
        w.match = era_match_first(&c->matches, c->plan, &s->statement->u.attestation);
    if (has_room(l, k, w))
        return ERA_ACCEPTED;
    era_ledger_slot(l, s->component, k->seq, false)->capped = true; /* it holds what fills the place */
    return ERA_CAPPED;
}

bool era_ledger_crowded(const struct era_ledger *l, const struct era_verified *s)
{
    struct place_key k;
    size_t n = 0;
    if (!era_kind_is_claim(s->kind) ||
        !era_ledger_place_key_at(l, s->kind, s->component, era_ledger_seq_of(s->statement), &s->key, &k))
        return false;
    for (const struct era_item *i = era_ledger_said(l, &k); i; i = era_ledger_item(l, i->place_next))
        n += !era_hash_eq(&i->item, &s->item);
    return n >= era_ledger_place_max(l, &k);
}

/* ---- what is kept ---- */

bool era_ledger_is_kept(const struct era_ledger *l, const struct era_item *item)
{
    if (item->kind == ERA_KIND_APPROVED && l->complete)
        return era_ledger_is_among_carried(l, item->kind, item->component, item->seq,
                                           &item->candidate->proposal);
    if (!era_kind_is_claim(item->kind) || !l->complete)
        return true;
    return (item->kind == ERA_KIND_PROPOSAL && item->candidate->backed_by != 0) ||
           era_ledger_is_among_first(l, item);
}

static struct era_item *first_in(const struct era_ledger *l, const struct era_slot *slot)
{
    return era_ledger_item(l, slot->items);
}

/* A signer's approval holds it, also one on its way to the disk, or one of several. */
static bool is_held(const struct era_ledger *l, const struct era_slot *slot, const struct era_item *item)
{
    const struct era_candidate *c = item->candidate;
    if (item->kind != ERA_KIND_PROPOSAL)
        return false;
    for (const struct era_item *i = first_in(l, slot); i; i = era_ledger_item(l, i->list_next))
        if (i->kind == ERA_KIND_APPROVE && i->candidate == c)
            return true;
    return c->approved_by != 0;
}

bool era_ledger_is_said(const struct era_ledger *l, const struct era_slot *slot,
                        const struct era_candidate *c, const struct era_item *besides)
{
    for (const struct era_item *i = first_in(l, slot); i; i = era_ledger_item(l, i->list_next))
        if (i != besides && i->durable && i->kind == ERA_KIND_PROPOSAL && i->candidate == c)
            return true;
    return false;
}

static void drop(struct era_ledger *l, struct era_slot *slot, struct era_item *item)
{
    era_ledger_tell_deleted(l, item);
    era_ledger_list_drop(l, &slot->items, item);
    era_ledger_item_free(l, item);
}

/* Its candidate may go with it. */
static void displace(struct era_ledger *l, struct era_slot *slot, struct era_item *item)
{
    if (item->kind != ERA_KIND_PROPOSAL)
        era_ledger_uncount_claim(l, item);
    else if (!era_ledger_is_said(l, slot, item->candidate, item))
        era_ledger_unlearn_proposal(l, item->candidate);
    drop(l, slot, item);
}

/* True: one went, and the list is another. */
static bool settle(struct era_ledger *l, struct era_slot *slot, struct era_item *item)
{
    bool kept = era_ledger_is_kept(l, item);
    if (!kept && !is_held(l, slot, item)) {
        displace(l, slot, item);
        return true;
    }
    era_ledger_set_offered(l, item, kept && era_ledger_slot_offered(l, item->component, item->seq));
    return false;
}

static bool settle_one(struct era_ledger *l, struct era_slot *slot, bool proposals)
{
    for (struct era_item *i = first_in(l, slot); i; i = era_ledger_item(l, i->list_next))
        if (i->durable && era_kind_is_claim(i->kind) && (i->kind == ERA_KIND_PROPOSAL) == proposals &&
            settle(l, slot, i))
            return true;
    return false;
}

static void settle_all(struct era_ledger *l, struct era_slot *slot, bool proposals)
{
    while (settle_one(l, slot, proposals))
        ;
}

static void settle_place(struct era_ledger *l, struct era_slot *slot, const struct place_key *k)
{
    for (struct era_item *i = era_ledger_said(l, k), *next; i; i = next) {
        next = era_ledger_item(l, i->place_next);
        if (i->durable)
            settle(l, slot, i);
    }
}

/* ---- what stands ---- */

/* True when one began or ceased to. */
static bool note_standing(const struct era_ledger *l, struct era_slot *slot)
{
    bool changed = false;
    for (struct era_candidate *c = slot->candidates; c; c = c->slot_next) {
        c->stood = c->stands;
        c->stands = c->approved &&
                    era_ledger_is_among_carried(l, ERA_KIND_APPROVED, c->component, c->seq, &c->proposal);
    }
    for (struct era_item *i = first_in(l, slot); i; i = era_ledger_item(l, i->list_next))
        if (i->durable && i->kind == ERA_KIND_PROPOSAL && era_ledger_is_kept(l, i))
            i->candidate->stands = true;
    for (struct era_candidate *c = slot->candidates; c; c = c->slot_next)
        changed |= c->stands != c->stood;
    return changed;
}

/* turned: a candidate began to be backed, or ceased to. */
static void judge(struct era_ledger *l, struct era_slot *slot, bool turned)
{
    if (!l->complete)
        return;
    era_ledger_settle_approved(l, slot);
    settle_all(l, slot, true);
    bool changed = note_standing(l, slot);
    if (changed)
        settle_all(l, slot, false);
    if ((changed || turned) && slot->capped) {
        slot->capped = false;
        era_ledger_change(l, (struct era_change){.kind = ERA_CHANGE_ROOM, .signer = -1, .validator = -1});
    }
}

void era_ledger_judge_claims(struct era_ledger *l, int component, uint64_t seq)
{
    judge(l, era_ledger_slot(l, component, seq, false), false);
}

void era_ledger_judge_all_claims(struct era_ledger *l)
{
    for (size_t i = 0; i < l->charter->component_count; i++)
        for (size_t k = 0; k < l->components[i].slot_count; k++) {
            struct era_slot *slot = l->components[i].slots[k];
            era_ledger_settle_approved(l, slot);
            settle_all(l, slot, true);
            note_standing(l, slot);
            settle_all(l, slot, false);
        }
}

void era_ledger_note_backing(struct era_ledger *l, const struct place_key *k)
{
    bool turned = false;
    for (struct era_item *i = era_ledger_said(l, k); i; i = era_ledger_item(l, i->place_next)) {
        struct era_candidate *c = i->candidate;
        if (!i->durable)
            continue;
        uint64_t bit = (uint64_t)1 << i->signer;
        bool was = c->backed_by != 0;
        c->backed_by = i->equivocal ? c->backed_by & ~bit : c->backed_by | bit;
        turned |= was != (c->backed_by != 0);
    }
    if (turned)
        judge(l, era_ledger_slot(l, (int)k->component, k->seq, false), true);
}

void era_ledger_commit_claim(struct era_ledger *l, struct era_item *item)
{
    struct era_slot *slot = era_ledger_slot(l, item->component, item->seq, false);
    struct place_key k;
    era_ledger_place_key_of(item, &k);
    era_ledger_note_match(l, item);
    bool kept = era_ledger_is_kept(l, item);
    if (!kept && !is_held(l, slot, item)) { /* lower ids overtook it on its way to the disk */
        drop(l, slot, item);
        return;
    }
    era_ledger_set_offered(l, item, kept && era_ledger_slot_offered(l, item->component, item->seq));
    era_ledger_count_loose(l, item);
    if (item->kind == ERA_KIND_PROPOSAL)
        judge(l, slot, false);
    else if (l->complete)
        settle_place(l, slot, &k);
}
