#include <assert.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/ledger_internal.h"
#include "src/core/plan.h"

/* ---- slots ---- */

static size_t slot_position(const struct component *c, uint64_t seq)
{
    size_t low = 0, high = c->slot_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->slots[middle]->seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct era_slot *era_ledger_slot(struct era_ledger *l, int component, uint64_t seq, bool create)
{
    struct component *c = &l->components[component];
    size_t at = slot_position(c, seq);
    if (at < c->slot_count && c->slots[at]->seq == seq)
        return c->slots[at];
    if (!create)
        return NULL;
    if (c->slot_count == c->slot_cap) {
        c->slot_cap = c->slot_cap ? 2 * c->slot_cap : 8;
        c->slots = realloc(c->slots, c->slot_cap * sizeof(*c->slots));
        assert(c->slots);
    }
    struct era_slot *slot = calloc(1, sizeof *slot);
    assert(slot);
    slot->seq = seq;
    memmove(&c->slots[at + 1], &c->slots[at], (c->slot_count - at) * sizeof(*c->slots));
    c->slots[at] = slot;
    c->slot_count++;
    return slot;
}

/* ---- candidates ---- */

struct era_candidate *era_ledger_candidate_at(struct era_ledger *l, int component, uint64_t seq,
                                              const struct era_hash *proposal, bool create)
{
    struct candidate_key k;
    memset(&k, 0, sizeof k);
    k.proposal = *proposal;
    k.seq = seq;
    k.component = component;
    struct candidate *c;
    HASH_FIND(hh, l->candidates, &k, sizeof k, c);
    if (c || !create)
        return c ? &c->pub : NULL;
    c = calloc(1, sizeof *c);
    assert(c);
    c->key = k;
    c->pub.proposal = *proposal;
    c->pub.component = component;
    c->pub.charter_version = l->charter->version;
    c->pub.seq = seq;
    HASH_ADD(hh, l->candidates, key, sizeof c->key, c);
    struct era_slot *slot = era_ledger_slot(l, component, seq, true);
    c->pub.slot_next = slot->candidates;
    slot->candidates = &c->pub;
    return &c->pub;
}

void era_ledger_untouch(struct era_candidate *c)
{
    if (!c->touched_at)
        return;
    *c->touched_at = c->touched_next;
    if (c->touched_next)
        c->touched_next->touched_at = c->touched_at;
    c->touched_at = NULL;
}

static void candidate_free(struct era_ledger *l, struct era_candidate *pub)
{
    struct candidate *c = (struct candidate *)pub;
    era_ledger_untouch(pub);
    HASH_DEL(l->candidates, c);
    free((void *)pub->payload.data);
    free(pub->plan);
    free(pub->approvals);
    free(pub->rejects);
    free(pub->ready_by);
    era_match_release(&pub->matches);
    free(c);
}

void era_ledger_candidate_release(struct era_ledger *l, struct era_candidate *c)
{
    assert(c->items > 0);
    if (--c->items > 0)
        return;
    struct era_candidate **at = &era_ledger_slot(l, c->component, c->seq, false)->candidates;
    while (*at != c)
        at = &(*at)->slot_next;
    *at = c->slot_next;
    candidate_free(l, c);
}

static void slot_free(struct era_ledger *l, struct era_slot *slot)
{
    for (struct era_item *i = era_ledger_item(l, slot->items), *next; i; i = next) {
        next = era_ledger_item(l, i->list_next);
        i->candidate = NULL;
        if (!i->durable) /* its commit is on its way and will find it dominated */
            continue;
        era_ledger_tell_deleted(l, i);
        era_ledger_item_free(l, i);
    }
    for (struct era_candidate *c = slot->candidates, *next; c; c = next) {
        next = c->slot_next;
        candidate_free(l, c);
    }
    free(slot);
}

void era_ledger_collect(struct era_ledger *l, int component, uint64_t seq)
{
    struct component *c = &l->components[component];
    size_t n = 0;
    while (n < c->slot_count && c->slots[n]->seq <= seq)
        slot_free(l, c->slots[n++]);
    if (n == 0)
        return; /* perhaps there is no array yet */
    memmove(c->slots, c->slots + n, (c->slot_count - n) * sizeof(*c->slots));
    c->slot_count -= n;
}

/* ---- tallies: only ever added to (R8) ---- */

static struct era_bytes copy_bytes(struct era_bytes b)
{
    uint8_t *copy = malloc(b.len ? b.len : 1);
    assert(copy);
    memcpy(copy, b.data, b.len);
    return (struct era_bytes){copy, b.len};
}

static bool count_match(void *ctx, const struct era_attested *a)
{
    struct era_candidate *c = ctx;
    era_match_add(&c->matches, c->plan, a->text, a->validator);
    ((struct era_item *)a->item)->next = (int16_t)a->match;
    return true;
}

static void learn_proposal(struct era_ledger *l, struct era_candidate *c, struct era_bytes payload,
                           const struct era_key *author, const struct era_signature *signature)
{
    if (c->known)
        return;
    struct era_statement *s = malloc(sizeof *s);
    c->plan = malloc(sizeof *c->plan);
    assert(s && c->plan);
    enum era_verdict v = era_statement_decode(ERA_KIND_PROPOSAL, payload, s);
    assert(v == ERA_ACCEPTED); /* verified before */
    const struct era_component *component = &l->charter->components[c->component];
    *c->plan = s->u.proposal.plan;
    c->payload = copy_bytes(payload);
    c->author = *author;
    c->author_signature = *signature;
    c->urgent = s->u.proposal.urgent;
    c->expiry = s->u.proposal.expiry;
    c->approvals_needed = era_approvals_needed(component, &s->u.proposal);
    c->readiness_needed = era_readiness_needed(l->charter, component, c->plan);
    c->known = true;
    era_match_init(&c->matches, l->charter, c->plan);
    era_ledger_each_attested(l, c, count_match, c);
    free(s);
}

void era_ledger_unlearn_proposal(struct era_ledger *l, struct era_candidate *c)
{
    const struct era_slot *slot = era_ledger_slot(l, c->component, c->seq, false);
    assert(c->approved_by == 0 && !c->approved && !c->assembling);
    era_ledger_untouch(c);
    free((void *)c->payload.data);
    c->payload = (struct era_bytes){0};
    free(c->plan);
    c->plan = NULL;
    era_match_release(&c->matches);
    c->known = false;
    for (struct era_item *i = era_ledger_item(l, slot->items); i; i = era_ledger_item(l, i->list_next))
        if (i->kind == ERA_KIND_ATTESTATION && i->candidate == c)
            i->next = -1;
}

static void add_approval(struct era_ledger *l, struct era_candidate *c, int signer,
                         const struct era_signature *sig)
{
    if (c->approved_by >> signer & 1)
        return; /* one key counts once (R3) */
    if (!c->approvals) {
        c->approvals = calloc(l->charter->components[c->component].signer_count, sizeof *c->approvals);
        assert(c->approvals);
    }
    c->approved_by |= (uint64_t)1 << signer;
    c->approvals[signer] = *sig;
}

static void add_reject(struct era_candidate *c, int signer, const char *reason)
{
    if (c->rejected_by >> signer & 1)
        return;
    c->rejected_by |= (uint64_t)1 << signer;
    c->rejects = realloc(c->rejects, (c->reject_count + 1) * sizeof *c->rejects);
    assert(c->rejects);
    struct era_rejected *r = &c->rejects[c->reject_count++];
    r->signer = signer;
    era_text_set(r->reason, sizeof r->reason, reason);
}

static void drop_reject(struct era_candidate *c, int signer)
{
    size_t at = 0;
    while (c->rejects[at].signer != signer)
        at++;
    memmove(&c->rejects[at], &c->rejects[at + 1], (--c->reject_count - at) * sizeof *c->rejects);
    c->rejected_by &= ~((uint64_t)1 << signer);
}

static void add_ready(struct era_ledger *l, struct era_candidate *c, uint32_t validator)
{
    if (!c->ready_by) {
        c->ready_by = calloc(l->charter->validator_count / 8 + 1, 1);
        assert(c->ready_by);
    }
    uint8_t bit = (uint8_t)(1u << (validator % 8));
    if (c->ready_by[validator / 8] & bit)
        return;
    c->ready_by[validator / 8] |= bit;
    c->ready_count++;
    c->ready_stake += l->charter->validators[validator].stake;
}

/* What came before its proposal is matched when that is known. */
static void add_attestation(struct era_candidate *c, uint32_t validator, struct era_bytes payload)
{
    if (!c->known)
        return;
    struct era_statement *s = malloc(sizeof *s);
    assert(s);
    enum era_verdict v = era_statement_decode(ERA_KIND_ATTESTATION, payload, s);
    assert(v == ERA_ACCEPTED);
    era_match_add(&c->matches, c->plan, &s->u.attestation, validator);
    free(s);
}

void era_ledger_note_match(struct era_ledger *l, struct era_item *item)
{
    const struct era_candidate *c = item->candidate;
    struct era_statement *s;
    if (item->kind != ERA_KIND_ATTESTATION || !c->known || c->matches.count == 0)
        return;
    s = malloc(sizeof *s);
    assert(s);
    if (era_ledger_statement(l, item, s))
        item->next = (int16_t)era_match_first(&c->matches, c->plan, &s->u.attestation);
    free(s);
}

/* What else the key says of that candidate in that place counts still. */
void era_ledger_uncount_claim(struct era_ledger *l, struct era_item *item)
{
    struct era_candidate *c = item->candidate;
    bool rejects = item->kind == ERA_KIND_REJECT;
    struct place_key k;
    struct era_statement *s = malloc(sizeof *s);
    assert(s);
    era_ledger_place_key_of(item, &k);
    if (rejects)
        drop_reject(c, item->signer);
    else
        era_match_drop(&c->matches, item->who);
    c->attested_count -= !rejects;
    item->durable = false;
    for (const struct era_item *i = era_ledger_said(l, &k); i; i = era_ledger_item(l, i->place_next)) {
        if (!i->durable || i->candidate != c || (!rejects && i->next < 0) || !era_ledger_statement(l, i, s))
            continue;
        if (rejects)
            add_reject(c, i->signer, s->u.reject.reason);
        else
            era_match_add(&c->matches, c->plan, &s->u.attestation, i->who);
    }
    free(s);
}

void era_ledger_count_loose(struct era_ledger *l, const struct era_item *item)
{
    struct era_candidate *c = item->candidate;
    struct era_envelope e;
    era_ledger_open(l, item, &e);
    switch ((enum era_kind)item->kind) {
    case ERA_KIND_PROPOSAL:
        learn_proposal(l, c, e.payload, &e.key, &e.signature);
        break;
    case ERA_KIND_APPROVE:
        add_approval(l, c, item->signer, &e.signature);
        break;
    case ERA_KIND_REJECT: {
        struct era_statement *s = malloc(sizeof *s);
        assert(s);
        enum era_verdict v = era_statement_decode(item->kind, e.payload, s);
        assert(v == ERA_ACCEPTED);
        add_reject(c, item->signer, s->u.reject.reason);
        free(s);
        break;
    }
    case ERA_KIND_ATTESTATION:
        c->attested_count++;
        add_attestation(c, item->who, e.payload);
        break;
    case ERA_KIND_READINESS:
        add_ready(l, c, item->who);
        break;
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
        assert(!"not a loose slot statement");
    }
    era_ledger_touch(l, c);
}

void era_ledger_count_carrier(struct era_ledger *l, const struct era_item *item)
{
    struct era_candidate *c = item->candidate;
    struct era_envelope e;
    struct era_carrier k;
    era_ledger_open(l, item, &e);
    enum era_verdict v = era_carrier_decode(e.payload, &k);
    assert(v == ERA_ACCEPTED);
    learn_proposal(l, c, k.proposal, &k.author, &k.signature);
    for (size_t i = 0; i < k.approval_count; i++)
        add_approval(l, c, (int)k.approvals[i].key, &k.approvals[i].signature);
    for (size_t i = 0; i < k.readiness_count; i++)
        add_ready(l, c, k.readiness[i].key);
    for (size_t i = 0; i < k.attestation_count; i++)
        add_attestation(c, k.attestations[i].key, k.attestations[i].payload);
    era_carrier_clear(&k);
    c->assembling = false; /* an approved one is held: the certificate may be next */
    if (item->kind == ERA_KIND_APPROVED) {
        struct component *component = &l->components[item->component];
        c->approved = item;
        if (item->seq > component->approved_high)
            component->approved_high = item->seq;
    } else {
        c->certificate = item;
    }
    era_ledger_touch(l, c);
}

static void tell_candidate(struct era_ledger *l, const struct era_candidate *c, enum era_change_kind kind)
{
    era_ledger_change(l, (struct era_change){.kind = kind,
                                             .item = c->proposal,
                                             .component = c->component,
                                             .seq = c->seq,
                                             .signer = -1,
                                             .validator = -1});
}

void era_ledger_touch(struct era_ledger *l, struct era_candidate *c)
{
    if (!c->known)
        return;
    size_t signers = l->charter->components[c->component].signer_count;
    unsigned approved = (unsigned)__builtin_popcountll(c->approved_by);
    unsigned rejected_only = (unsigned)__builtin_popcountll(c->rejected_by & ~c->approved_by);
    if (!c->told_approved && approved >= c->approvals_needed) {
        c->told_approved = true;
        tell_candidate(l, c, ERA_CHANGE_APPROVED);
    }
    if (!c->told_failed && !c->told_approved &&
        era_approval_failed(c->approvals_needed, signers, rejected_only)) {
        c->told_failed = true;
        tell_candidate(l, c, ERA_CHANGE_FAILED);
    }
    if (c->touched_at)
        return;
    c->touched_next = l->touched;
    c->touched_at = &l->touched;
    if (l->touched)
        l->touched->touched_at = &c->touched_next;
    l->touched = c;
}
