#include <assert.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/ledger_internal.h"

/* Carriers: two ids a kind and slot, and those that words hold; announcements and checkpoints: two ids for
 * each of two epochs, and one in flight; evidence: one a place. */
static uint64_t items_max(const struct era_charter *c)
{
    uint64_t carriers =
        era_mul_sat(c->component_count, (uint64_t)ERA_LEDGER_WINDOW_SEQS * 4 + ERA_CERTIFICATES_KEPT_MAX);
    uint64_t lines = era_mul_sat(era_ledger_line_count(c), 9); /* their evidence included */
    /* About the next charter: every signer may propose two, and save by his approvals others from being
     * displaced, each proposed by any signer; whose signers and validators are any keys. */
    const struct era_component *network = era_charter_component(c, "network");
    uint64_t signers = network ? network->signer_count : 0;
    uint64_t charters = (ERA_IDS_PER_PLACE_MAX + PLACE_ITEMS_MAX) * signers;
    uint64_t succession = charters * (2 + signers + ERA_SIGNERS_MAX + ERA_VALIDATORS_MAX) +
                          ERA_IDS_PER_PLACE_MAX * (c->validator_count + 1);
    uint64_t evidence = era_charter_capacity(c, 0) / ERA_IDS_PER_PLACE_MAX +
                        succession / ERA_IDS_PER_PLACE_MAX + ERA_EVIDENCE_KEPT_MAX;
    uint64_t held = 0; /* proposals that a signer approves besides others, each by any signer, and carried */
    for (size_t i = 0; i < c->component_count; i++) {
        uint64_t m = c->components[i].signer_count;
        held += ERA_LEDGER_WINDOW_SEQS * (PLACE_ITEMS_MAX * m * (m + 1) + ERA_CARRIERS_HELD_MAX);
    }
    return era_add_sat(
        era_charter_capacity(c, ERA_ARTEFACTS_MAX),
        era_add_sat(carriers, era_add_sat(lines, era_add_sat(succession, era_add_sat(evidence, held)))));
}

struct era_ledger *era_ledger_new(const struct era_charter *charter, const struct era_hash *network,
                                  const struct era_siphash_key *key)
{
    struct era_ledger *l = calloc(1, sizeof *l);
    assert(l);
    l->charter = charter;
    l->network = *network;
    l->table_key = *key;
    l->bodies = era_bodies_new(key);
    l->components = calloc(charter->component_count + 1, sizeof *l->components);
    l->lines = calloc(era_ledger_line_count(charter) + 1, sizeof(*l->lines));
    assert(l->components && l->lines);
    l->items_max = items_max(charter);
    for (size_t i = 0; i < charter->component_count; i++)
        l->components[i].carried = UINT64_MAX;
    return l;
}

static void free_adopted(struct component *c)
{
    for (size_t i = 0; i < c->adopted_count; i++)
        era_ledger_adopted_clear(&c->adopted[i]);
    free(c->adopted);
}

void era_ledger_free(struct era_ledger *l)
{
    if (!l)
        return;
    era_ledger_evidence_free(l);
    for (size_t i = 0; i < l->charter->component_count; i++) {
        era_ledger_collect(l, (int)i, UINT64_MAX);
        free(l->components[i].slots);
        free_adopted(&l->components[i]);
    }
    era_ledger_items_free(l);
    era_ledger_successors_free(l);
    era_ledger_displacing_free(l);
    era_bodies_free(l->bodies);
    free(l->components);
    free(l->lines);
    free(l->changes);
    free(l);
}

void era_ledger_read_with(struct era_ledger *l, era_body_read *read, void *ctx)
{
    era_bodies_read_with(l->bodies, read, ctx);
}

void era_ledger_rest(struct era_ledger *l)
{
    era_bodies_rest(l->bodies);
}

void era_ledger_start(struct era_ledger *l, uint64_t epoch)
{
    l->epoch = epoch;
    l->epoch_known = true;
    for (size_t v = 0; v < l->charter->validator_count; v++)
        for (int i = -1; i < (int)l->charter->component_count; i++)
            era_ledger_prune_line(l, i, (int)v);
}

void era_ledger_complete(struct era_ledger *l)
{
    l->complete = true;
    era_ledger_judge_proposed(l);
    era_ledger_judge_all_claims(l);
}

void era_ledger_retire(struct era_ledger *l, uint64_t epoch)
{
    l->retired = true;
    for (size_t i = 0; i < l->charter->component_count; i++)
        era_ledger_collect(l, (int)i, UINT64_MAX);
    era_ledger_prune_lines(l, epoch);
}

/* ---- changes ---- */

void era_ledger_change(struct era_ledger *l, struct era_change change)
{
    if (l->change_count == l->change_cap) {
        l->change_cap = l->change_cap ? 2 * l->change_cap : 64;
        l->changes = realloc(l->changes, l->change_cap * sizeof *l->changes);
        assert(l->changes);
    }
    l->changes[l->change_count++] = change;
}

bool era_ledger_take_change(struct era_ledger *l, struct era_change *out)
{
    if (l->change_next == l->change_count) {
        l->change_next = l->change_count = 0;
        era_ledger_items_recycle(l);
        return false;
    }
    *out = l->changes[l->change_next++];
    return true;
}

static struct era_change change_of(const struct era_ledger *l, enum era_change_kind kind,
                                   const struct era_item *item)
{
    return (struct era_change){.kind = kind,
                               .item_kind = item->kind,
                               .item = item->item,
                               .component = item->component,
                               .seq = item->seq,
                               .signer = item->signer,
                               .validator = era_ledger_validator(l, item)};
}

void era_ledger_set_offered(struct era_ledger *l, struct era_item *item, bool offered)
{
    if (item->offered == offered)
        return;
    item->offered = offered;
    era_ledger_change(l, change_of(l, offered ? ERA_CHANGE_OFFER : ERA_CHANGE_WITHDRAW, item));
}

void era_ledger_tell_deleted(struct era_ledger *l, struct era_item *item)
{
    era_ledger_set_offered(l, item, false);
    if (!item->derived) /* the evidence's own record stays */
        era_ledger_change(l, change_of(l, ERA_CHANGE_DELETE, item));
}

/* ---- offering ---- */

/* What evidence proves needs no further words (R8); but what the disk holds was counted before. */
bool era_ledger_place_full(const struct era_ledger *l, const struct place_key *k, bool from_disk)
{
    const struct place *p = era_ledger_place(l, k);
    size_t count = era_ledger_said_count(l, k);
    if (p && p->evidence)
        return !from_disk || count >= PLACE_ITEMS_MAX;
    return count >= era_ledger_place_max(l, k);
}

/* What the slot's position allows. Carriers are never judged by the window (R2). */
enum era_verdict era_ledger_slot_verdict(const struct era_ledger *l, uint32_t kind, int component,
                                         uint64_t seq, bool from_disk)
{
    const struct component *c = &l->components[component];
    const struct era_adopted *head = era_ledger_own_head(l, component);
    uint64_t floor = era_ledger_floor(l, component);
    if (seq > c->carried) /* void of effect (R10) */
        return ERA_DOMINATED;
    if (kind == ERA_KIND_CERTIFICATE)
        /* A rival of the head voids its slot, so it is wanted; what lies below changes nothing (R7). */
        return from_disk || !head || seq >= head->seq ? ERA_ACCEPTED : ERA_DOMINATED;
    if (seq <= floor)
        return ERA_DOMINATED;
    /* What was taken in once stays so, also when it is read before the carrier that opened its window. */
    if (kind == ERA_KIND_APPROVED || from_disk)
        return ERA_ACCEPTED;
    uint64_t base = floor > c->approved_high ? floor : c->approved_high;
    return seq > era_add_sat(base, ERA_LEDGER_WINDOW_SEQS) ? ERA_BEYOND_WINDOW : ERA_ACCEPTED;
}

void era_ledger_enter_slot(struct era_ledger *l, struct era_item *item, const struct era_hash *proposal)
{
    struct era_slot *slot = era_ledger_slot(l, item->component, item->seq, true);
    era_ledger_list_put(l, &slot->items, item);
    item->candidate = era_ledger_candidate_at(l, item->component, item->seq, proposal, true);
    item->candidate->items++;
    slot->approved_ids += item->kind == ERA_KIND_APPROVED;
    slot->certificate_ids += item->kind == ERA_KIND_CERTIFICATE;
}

/* The proposal a slot statement speaks of. */
static const struct era_hash *target_of(const struct era_verified *s)
{
    switch (s->statement->kind) {
    case ERA_KIND_APPROVE:
    case ERA_KIND_READINESS:
        return &s->statement->u.vote.proposal;
    case ERA_KIND_REJECT:
        return &s->statement->u.reject.proposal;
    case ERA_KIND_ATTESTATION:
        return &s->statement->u.attestation.proposal;
    case ERA_KIND_PROPOSAL:
    case ERA_KIND_ANNOUNCEMENT:
    case ERA_KIND_EVENT:
    case ERA_KIND_CHECKPOINT:
    case ERA_KIND_CHARTER:
    case ERA_KIND_ACCEPT:
    case ERA_KIND_CLOSE:
    case ERA_KIND_CHARTER_APPROVE:
    case ERA_KIND_APPROVED:
    case ERA_KIND_CERTIFICATE:
    case ERA_KIND_EVIDENCE:
    case ERA_KIND_CHARTER_CERTIFICATE:
        break;
    }
    return &s->id;
}

static enum era_verdict offer_carrier(struct era_ledger *l, const struct era_verified *s, bool from_disk,
                                      struct era_item **out)
{
    uint64_t seq = s->statement->u.proposal.slot.seq;
    if (l->retired && s->kind != ERA_KIND_CERTIFICATE)
        return ERA_DOMINATED;
    enum era_verdict v = era_ledger_slot_verdict(l, s->kind, s->component, seq, from_disk);
    if (v == ERA_ACCEPTED)
        v = era_ledger_carrier_verdict(l, s, seq, from_disk);
    if (v != ERA_ACCEPTED) {
        struct era_candidate *c = era_ledger_candidate_at(l, s->component, seq, &s->id, false);
        if (c)
            c->assembling = false; /* perhaps it was made here */
        return v;
    }
    *out = era_ledger_item_new(l, s, seq);
    era_ledger_enter_slot(l, *out, &s->id);
    return ERA_ACCEPTED;
}

static enum era_verdict offer_loose(struct era_ledger *l, const struct era_verified *s, uint64_t epoch,
                                    bool from_disk, struct era_item **out)
{
    struct place_key k;
    if (l->retired)
        return ERA_DOMINATED;
    era_ledger_place_key(l, s, &k);
    enum era_verdict v = era_kind_is_line(s->kind)
                             ? era_ledger_line_verdict(l, s->component, s->validator, k.seq, epoch, from_disk)
                             : era_ledger_slot_verdict(l, s->kind, s->component, k.seq, from_disk);
    if (v == ERA_ACCEPTED && era_kind_is_claim(s->kind))
        v = era_ledger_claim_verdict(l, s, &k, target_of(s), from_disk);
    else if (v == ERA_ACCEPTED && era_ledger_place_full(l, &k, from_disk))
        v = ERA_CAPPED;
    if (v != ERA_ACCEPTED)
        return v;
    struct era_item *item = *out = era_ledger_item_new(l, s, k.seq);
    era_ledger_enter_place(l, item);
    if (era_kind_is_line(s->kind))
        era_ledger_enter_line(l, item);
    else
        era_ledger_enter_slot(l, item, target_of(s));
    return ERA_ACCEPTED;
}

enum era_verdict era_ledger_offer(struct era_ledger *l, const struct era_verified *s, uint64_t epoch,
                                  bool from_disk, struct era_item **out)
{
    assert(s->kind != ERA_KIND_EVENT);
    if (!from_disk) {
        l->epoch = epoch;
        l->epoch_known = l->complete = true;
    }
    struct era_item *held = (struct era_item *)era_ledger_find(l, &s->item);
    if (held) {
        held->derived = held->derived && !from_disk; /* it has a record of its own */
        return ERA_DUPLICATE;
    }
    /* An adoption makes room; and what the disk holds was counted before. */
    bool adopts = s->kind == ERA_KIND_CERTIFICATE || s->kind == ERA_KIND_CHARTER_CERTIFICATE;
    if (l->item_count >= l->items_max && !adopts && !from_disk)
        return ERA_FULL;
    struct era_item *item = NULL;
    enum era_verdict v;
    if (era_kind_is_succession(s->kind))
        v = era_ledger_offer_succession(l, s, from_disk, &item);
    else if (s->kind == ERA_KIND_EVIDENCE)
        v = era_ledger_offer_evidence(l, s, epoch, from_disk, &item);
    else
        v = era_kind_is_carrier(s->kind) ? offer_carrier(l, s, from_disk, &item)
                                         : offer_loose(l, s, epoch, from_disk, &item);
    if (v == ERA_ACCEPTED)
        *out = item;
    return v;
}

/* ---- commit and abandon ---- */

/* Only these make evidence (protocol §7); the others may be said twice in good faith. */
static bool binds(uint32_t kind)
{
    return kind == ERA_KIND_APPROVE || kind == ERA_KIND_READINESS || era_kind_is_line(kind) ||
           kind == ERA_KIND_CHARTER_APPROVE || kind == ERA_KIND_CLOSE;
}

/* Two ids of one key leave reconciliation: nodes that hold different pairs would never agree (R6). */
bool era_ledger_mark_equivocal(struct era_ledger *l, struct era_item *item)
{
    struct place_key k;
    if (!binds(item->kind))
        return false;
    era_ledger_place_key_of(item, &k);
    struct place *p = era_ledger_place(l, &k);
    bool rivals = p && p->evidence;
    for (struct era_item *i = era_ledger_said(l, &k); i; i = era_ledger_item(l, i->place_next)) {
        if (i == item || !i->durable)
            continue;
        i->equivocal = rivals = true;
        era_ledger_set_offered(l, i, false);
    }
    item->equivocal = rivals;
    if (!rivals)
        return false;
    p = era_ledger_place_at(l, &k);
    era_ledger_tell_equivocation(l, p, item);
    era_ledger_evidence_queue(l, p);
    return true;
}

void era_ledger_tell_equivocation(struct era_ledger *l, struct place *p, const struct era_item *item)
{
    struct era_change change = change_of(l, ERA_CHANGE_EQUIVOCATION, item);
    if (p->told)
        return;
    p->told = true;
    change.item_kind = p->key.kind;
    era_ledger_change(l, change);
}

/* What a certificate adopts. It is in memory still. */
static struct era_hash proposal_of(const struct era_ledger *l, const struct era_item *certificate)
{
    struct era_envelope e;
    struct era_carrier k;
    era_ledger_open(l, certificate, &e);
    enum era_verdict v = era_carrier_decode(e.payload, &k);
    assert(v == ERA_ACCEPTED); /* verified before */
    struct era_hash id = era_statement_id(&l->network, ERA_KIND_PROPOSAL, k.proposal);
    era_carrier_clear(&k);
    return id;
}

/* Its slot was collected while it was on its way to the disk; but a rival of the head voids the slot,
 * and what lies above the head is the head (R7, R12). */
static bool still_adopts(const struct era_ledger *l, const struct era_item *certificate,
                         const struct era_hash *proposal)
{
    const struct era_adopted *head = era_ledger_own_head(l, certificate->component);
    return (!head || certificate->seq >= head->seq) &&
           era_ledger_is_among_carried(l, ERA_KIND_CERTIFICATE, certificate->component, certificate->seq,
                                       proposal);
}

static void commit(struct era_ledger *l, struct era_item *item)
{
    assert(!item->durable);
    item->durable = true;
    if (item->kind == ERA_KIND_EVIDENCE) {
        era_ledger_commit_evidence(l, item);
        return;
    }
    if (era_kind_is_line(item->kind)) {
        era_ledger_set_offered(l, item, !era_ledger_mark_equivocal(l, item));
        era_ledger_prune_line(l, item->component, era_ledger_validator(l, item));
        return;
    }
    if (era_kind_is_succession(item->kind)) {
        era_ledger_commit_succession(l, item);
        return;
    }
    if (!item->candidate && item->kind == ERA_KIND_CERTIFICATE) {
        struct era_hash proposal = proposal_of(l, item);
        if (still_adopts(l, item, &proposal))
            era_ledger_enter_slot(l, item, &proposal);
    }
    if (!item->candidate) { /* an adoption overtook it on its way to the disk */
        era_ledger_tell_deleted(l, item);
        era_ledger_item_free(l, item);
        return;
    }
    if (item->kind == ERA_KIND_CERTIFICATE) {
        era_ledger_adopt(l, item);
        return;
    }
    if (item->kind == ERA_KIND_APPROVED) {
        era_ledger_commit_approved(l, item);
        return;
    }
    if (era_kind_is_claim(item->kind)) {
        era_ledger_commit_claim(l, item);
        return;
    }
    bool equivocal = era_ledger_mark_equivocal(l, item);
    era_ledger_set_offered(l, item, !equivocal && era_ledger_slot_offered(l, item->component, item->seq));
    era_ledger_count_loose(l, item);
    if (item->kind == ERA_KIND_APPROVE) {
        struct place_key k;
        era_ledger_place_key_of(item, &k);
        era_ledger_note_backing(l, &k);
    }
}

void era_ledger_commit(struct era_ledger *l, struct era_item *item)
{
    struct era_hash id = item->item;
    bool has_record = !item->derived;
    commit(l, item); /* may free it */
    if (has_record)
        era_bodies_settle(l->bodies, &id);
}

void era_ledger_abandon(struct era_ledger *l, struct era_item *item)
{
    assert(!item->durable);
    if (item->kind == ERA_KIND_EVIDENCE) {
        era_ledger_abandon_evidence(l, item);
        return;
    }
    if (era_ledger_evidence_proves(l, item)) { /* it is known without a record of its own */
        item->derived = true;
        era_ledger_commit(l, item);
        return;
    }
    if (!era_kind_is_line(item->kind) && !era_kind_is_succession(item->kind) && item->candidate) {
        struct era_slot *slot = era_ledger_slot(l, item->component, item->seq, false);
        era_ledger_list_drop(l, &slot->items, item);
        slot->approved_ids -= item->kind == ERA_KIND_APPROVED;
        slot->certificate_ids -= item->kind == ERA_KIND_CERTIFICATE;
        if (era_kind_is_carrier(item->kind))
            item->candidate->assembling = false;
    }
    era_ledger_item_free(l, item);
}
