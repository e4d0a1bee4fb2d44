/* Evidence in the ledger (N4, R8): one item a place, the first, never replaced.
 * Both statements count, as if they had come loose; from then on the place
 * takes no loose ones, and reconciliation carries the evidence in their stead:
 * nodes that hold different pairs of one key's words then agree (R6). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/author.h"
#include "src/core/charter.h"
#include "src/core/ledger_internal.h"
#include "src/core/succession.h"

/* ---- places that could be proven ---- */

void era_ledger_evidence_queue(struct era_ledger *l, struct place *p)
{
    if (p->queued || p->evidence)
        return;
    p->queued = true;
    p->queue_next = l->provable;
    l->provable = p;
}

void era_ledger_evidence_unqueue(struct era_ledger *l, struct place *p)
{
    struct place **at = &l->provable;
    if (!p->queued)
        return;
    while (*at != p)
        at = &(*at)->queue_next;
    *at = p->queue_next;
    p->queued = false;
}

static bool ascending(struct era_bytes a, struct era_bytes b)
{
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
    return order ? order < 0 : a.len < b.len;
}

static struct era_hash evidence_item(const struct era_ledger *l, const struct place *p)
{
    const char *component = p->key.component < 0 ? "" : l->charter->components[p->key.component].id;
    struct era_hash place = era_evidence_place(era_ledger_key(l, p->key.who), p->key.kind, component,
                                               l->charter->version, p->key.seq);
    return era_item_id_carrier(ERA_KIND_EVIDENCE, &place);
}

/* What was said, copied: the body of the next takes its place. */
static bool copy_said(const struct era_ledger *l, const struct era_item *item, struct era_evidence *e,
                      size_t at)
{
    struct era_bytes body;
    struct era_envelope said;
    if (!era_ledger_body(l, item, &body) || era_envelope_decode(body, &said) != ERA_ACCEPTED)
        return false;
    uint8_t *copy = malloc(said.payload.len + 1);
    assert(copy);
    memcpy(copy, said.payload.data, said.payload.len);
    e->payloads[at] = (struct era_bytes){copy, said.payload.len};
    e->signatures[at] = said.signature;
    return true;
}

static void sort_said(struct era_evidence *e)
{
    if (ascending(e->payloads[0], e->payloads[1]))
        return;
    struct era_bytes payload = e->payloads[0];
    struct era_signature signature = e->signatures[0];
    e->payloads[0] = e->payloads[1];
    e->signatures[0] = e->signatures[1];
    e->payloads[1] = payload;
    e->signatures[1] = signature;
}

static size_t assemble(const struct era_ledger *l, const struct place *p, uint8_t **out)
{
    struct era_evidence e = {.kind = p->key.kind, .key = *era_ledger_key(l, p->key.who)};
    size_t n = 0, len = 0;
    for (const struct era_item *i = era_ledger_said(l, &p->key); i && n < 2;
         i = era_ledger_item(l, i->place_next))
        if (i->durable)
            n += copy_said(l, i, &e, n);
    if (n == 2) {
        sort_said(&e);
        len = era_author_evidence(&e, out);
    }
    while (n > 0)
        free((void *)e.payloads[--n].data);
    return len;
}

size_t era_ledger_assemble_evidence(struct era_ledger *l, uint8_t **out)
{
    *out = NULL;
    while (l->provable) {
        struct place *p = l->provable;
        era_ledger_evidence_unqueue(l, p);
        struct era_hash item = evidence_item(l, p);
        if (p->evidence || era_ledger_find(l, &item))
            continue;
        size_t len = assemble(l, p, out);
        if (len > 0)
            return len;
    }
    return 0;
}

/* ---- what is dominated ---- */

static void free_evidence(struct era_ledger *l, struct era_item *item)
{
    era_ledger_list_drop(l, &l->evidence, item);
    era_ledger_item_free(l, item);
}

static void forget_oldest(struct era_ledger *l)
{
    struct era_item *oldest = NULL;
    size_t n = 0;
    for (struct era_item *i = era_ledger_item(l, l->evidence); i; i = era_ledger_item(l, i->list_next))
        if (i->past && i->durable) {
            oldest = i;
            n++;
        }
    if (n <= ERA_EVIDENCE_KEPT_MAX)
        return;
    era_ledger_tell_deleted(l, oldest);
    free_evidence(l, oldest);
}

void era_ledger_evidence_past(struct era_ledger *l, struct era_item *item)
{
    struct place *p = item->proves;
    item->past = true;
    item->proves = NULL;
    era_ledger_set_offered(l, item, false);
    if (p) {
        p->evidence = NULL;
        era_ledger_place_release(l, p);
    }
    era_ledger_list_drop(l, &l->evidence, item); /* the newest of what is past */
    era_ledger_list_put(l, &l->evidence, item);
    forget_oldest(l);
}

void era_ledger_evidence_past_kind(struct era_ledger *l, uint32_t kind)
{
    for (bool found = true; found;) { /* the list changes */
        found = false;
        for (struct era_item *i = era_ledger_item(l, l->evidence); i && !found;
             i = era_ledger_item(l, i->list_next))
            if (i->proves && i->proves->key.kind == kind) {
                era_ledger_evidence_past(l, i);
                found = true;
            }
    }
}

static bool is_of_slot(const struct place_key *k)
{
    return k->kind == ERA_KIND_APPROVE || k->kind == ERA_KIND_READINESS;
}

/* Of slots what else is said of them is offered with it. */
static bool is_offered(const struct era_ledger *l, const struct place_key *k)
{
    return !is_of_slot(k) || era_ledger_slot_offered(l, (int)k->component, k->seq);
}

void era_ledger_evidence_refresh(struct era_ledger *l, int component)
{
    for (struct era_item *i = era_ledger_item(l, l->evidence); i; i = era_ledger_item(l, i->list_next))
        if (i->proves && is_of_slot(&i->proves->key) && i->proves->key.component == component)
            era_ledger_set_offered(l, i, is_offered(l, &i->proves->key));
}

/* An approval by one who is a signer in no charter that is known: nothing is held of such keys (R1). */
static bool is_nobodys(const struct era_ledger *l, const struct era_item *item)
{
    return item->durable && item->proves && item->proves->key.kind == ERA_KIND_CHARTER_APPROVE &&
           item->signer < 0 && !era_ledger_names_signer(l, era_ledger_key(l, item->who));
}

void era_ledger_evidence_forget_nobodys(struct era_ledger *l)
{
    for (struct era_item *i = era_ledger_item(l, l->evidence), *next; i; i = next) {
        next = era_ledger_item(l, i->list_next);
        if (!is_nobodys(l, i))
            continue;
        struct place *p = i->proves;
        era_ledger_tell_deleted(l, i);
        free_evidence(l, i);
        p->evidence = NULL;
        era_ledger_place_release(l, p);
    }
}

void era_ledger_evidence_free(struct era_ledger *l)
{
    while (l->evidence != 0) {
        struct era_item *item = era_ledger_item(l, l->evidence);
        struct place *p = item->proves;
        item->offered = false; /* nobody is told any more */
        free_evidence(l, item);
        if (p) {
            p->evidence = NULL;
            era_ledger_place_release(l, p);
        }
    }
}

/* ---- offer ---- */

static enum era_verdict verdict_on(const struct era_ledger *l, const struct place_key *k, int validator,
                                   uint64_t epoch, bool from_disk)
{
    if (k->kind == ERA_KIND_CLOSE)
        return ERA_ACCEPTED; /* loose closes stay too */
    if (l->retired)
        return ERA_DOMINATED;
    if (k->kind == ERA_KIND_CHARTER_APPROVE)
        return era_ledger_followed(l) ? ERA_DOMINATED : ERA_ACCEPTED;
    if (era_kind_is_line(k->kind) && from_disk) {
        /* Loose ones have each a record: of old places it has none. What a clock that jumped left in the
         * future makes nothing of the present old. */
        uint64_t latest = l->epoch_known ? era_add_sat(l->epoch, 1) : UINT64_MAX;
        bool passed = era_ledger_line_passed(l, k->component, validator, k->seq, latest);
        return passed ? ERA_DOMINATED : ERA_ACCEPTED;
    }
    if (era_kind_is_line(k->kind))
        return era_ledger_line_verdict(l, k->component, validator, k->seq, epoch, false);
    return era_ledger_slot_verdict(l, k->kind, k->component, k->seq, from_disk);
}

enum era_verdict era_ledger_offer_evidence(struct era_ledger *l, const struct era_verified *s, uint64_t epoch,
                                           bool from_disk, struct era_item **out)
{
    struct place_key k;
    era_ledger_place_key(l, s, &k);
    enum era_verdict v = verdict_on(l, &k, s->validator, epoch, from_disk);
    bool past = v == ERA_DOMINATED && from_disk;
    if (v != ERA_ACCEPTED && !past)
        return v;
    struct era_item *item = *out = era_ledger_item_new(l, s, k.seq);
    item->past = past;
    era_ledger_list_put(l, &l->evidence, item);
    return ERA_ACCEPTED;
}

/* ---- commit: both statements count ---- */

/* The charter that a close or an approval is about, when its word may count here. */
static bool succession_counts(const struct era_ledger *l, struct era_verified *s)
{
    bool close = s->kind == ERA_KIND_CLOSE;
    const struct era_successor *next = era_ledger_successor(l, close ? &s->statement->u.close.charter
                                                                     : &s->statement->u.charter_vote.charter);
    if (!next || !next->charter)
        return false;
    if (close)
        return era_succession_close_fits(&s->statement->u.close, next->charter) == ERA_ACCEPTED;
    s->next = era_charter_signer_index(era_charter_component(next->charter, "network"), &s->key);
    return s->signer >= 0 || s->next >= 0;
}

static void derive(struct era_ledger *l, struct era_verified *s, struct place *p)
{
    if (era_kind_is_succession(s->kind)) {
        if (succession_counts(l, s))
            era_ledger_derive_succession(l, s, p);
        return;
    }
    struct era_item *item = era_ledger_item_new(l, s, p->key.seq);
    era_ledger_enter_place(l, item);
    item->durable = item->derived = true;
    if (era_kind_is_line(s->kind)) {
        era_ledger_enter_line(l, item);
        return;
    }
    era_ledger_enter_slot(l, item, &s->statement->u.vote.proposal);
    era_ledger_count_loose(l, item);
}

/* One of the two, as it would be had it come loose. One that is held counts already, or will when it is
 * durable.
 */
static void settle(struct era_ledger *l, const struct era_item *item, const struct era_evidence *e,
                   size_t which, struct place *p)
{
    struct era_statement *s = malloc(sizeof *s);
    struct era_envelope envelope = {
        .kind = e->kind, .payload = e->payloads[which], .key = e->key, .signature = e->signatures[which]};
    size_t cap = era_envelope_bytes(&envelope);
    uint8_t *bytes = malloc(cap);
    assert(s && bytes);
    enum era_verdict v = era_statement_decode(e->kind, e->payloads[which], s);
    assert(v == ERA_ACCEPTED); /* verified before */
    struct era_verified one = {.kind = e->kind,
                               .envelope = {bytes, era_envelope_encode(&envelope, bytes, cap)},
                               .payload = envelope.payload,
                               .key = e->key,
                               .signature = envelope.signature,
                               .id = era_statement_id(&l->network, e->kind, envelope.payload),
                               .component = item->component,
                               .signer = item->signer,
                               .validator = era_ledger_validator(l, item),
                               .next = -1,
                               .statement = s};
    one.item = era_item_id_loose(&one.id, &one.key);
    if (!era_ledger_find(l, &one.item) && era_ledger_said_count(l, &p->key) < PLACE_ITEMS_MAX)
        derive(l, &one, p);
    free(bytes);
    free(s);
}

/* What the evidence of this place proves; from then on it is offered in their stead. */
static void count_both(struct era_ledger *l, const struct era_item *item, const struct era_evidence *e,
                       struct place *p)
{
    for (size_t i = 0; i < 2; i++)
        settle(l, item, e, i, p);
    for (struct era_item *i = era_ledger_said(l, &p->key); i; i = era_ledger_item(l, i->place_next)) {
        i->equivocal = true;
        era_ledger_set_offered(l, i, false);
    }
    if (p->key.kind == ERA_KIND_APPROVE)
        era_ledger_note_backing(l, &p->key);
}

static void place_key_of(const struct era_item *item, const struct era_evidence *e, struct place_key *k)
{
    era_ledger_place_key_of(item, k);
    k->kind = e->kind;
}

static bool read_evidence(const struct era_ledger *l, const struct era_item *item, struct era_evidence *e)
{
    struct era_bytes body;
    struct era_envelope envelope;
    return era_ledger_body(l, item, &body) && era_envelope_decode(body, &envelope) == ERA_ACCEPTED &&
           era_evidence_decode(envelope.payload, e) == ERA_ACCEPTED;
}

/* Of one that is pending, or being committed: it is in memory. */
static void open_evidence(const struct era_ledger *l, const struct era_item *item, struct era_evidence *e)
{
    bool here = read_evidence(l, item, e);
    assert(here);
    (void)here;
}

void era_ledger_commit_evidence(struct era_ledger *l, struct era_item *item)
{
    struct era_evidence e;
    struct place_key k;
    open_evidence(l, item, &e);
    place_key_of(item, &e, &k);
    /* Dominated before, or while it was on its way to the disk. */
    if (item->past || verdict_on(l, &k, era_ledger_validator(l, item), ERA_EPOCH_MAX, true) != ERA_ACCEPTED) {
        era_ledger_evidence_past(l, item);
        return;
    }
    struct place *p = era_ledger_place_at(l, &k);
    era_ledger_evidence_unqueue(l, p);
    p->evidence = item;
    item->proves = p;
    count_both(l, item, &e, p);
    era_ledger_tell_equivocation(l, p, item);
    if (k.kind != ERA_KIND_CHARTER_APPROVE)
        era_ledger_set_offered(l, item, is_offered(l, &k));
    if (era_kind_is_line(k.kind))
        era_ledger_prune_line(l, k.component, era_ledger_validator(l, item));
    if (era_kind_is_succession(k.kind))
        era_ledger_judge_proposed(l);
}

bool era_ledger_evidence_proves(const struct era_ledger *l, const struct era_item *item)
{
    struct era_evidence e;
    struct place_key k;
    era_ledger_place_key_of(item, &k);
    const struct place *p = era_ledger_place(l, &k);
    if (!p || !p->evidence || !read_evidence(l, p->evidence, &e))
        return false;
    for (size_t i = 0; i < 2; i++) {
        struct era_hash id = era_statement_id(&l->network, e.kind, e.payloads[i]);
        id = era_item_id_loose(&id, &e.key);
        if (era_hash_eq(&id, &item->item))
            return true;
    }
    return false;
}

/* Evidence of closes and approvals may come before the charters that they are about. */
void era_ledger_evidence_recount(struct era_ledger *l)
{
    for (struct era_item *i = era_ledger_item(l, l->evidence); i; i = era_ledger_item(l, i->list_next)) {
        struct era_evidence e;
        if (!i->proves || !era_kind_is_succession(i->proves->key.kind))
            continue;
        if (read_evidence(l, i, &e)) /* else it counts after the next start */
            count_both(l, i, &e, i->proves);
    }
}

void era_ledger_abandon_evidence(struct era_ledger *l, struct era_item *item)
{
    struct era_evidence e;
    struct place_key k;
    open_evidence(l, item, &e);
    place_key_of(item, &e, &k);
    free_evidence(l, item);
    struct place *p = era_ledger_place(l, &k);
    if (p && p->told) /* the parts are here still */
        era_ledger_evidence_queue(l, p);
}

/* ---- reading ---- */

size_t era_ledger_evidence(const struct era_ledger *l, const struct era_item **out, size_t cap)
{
    size_t n = 0;
    for (const struct era_item *i = era_ledger_item(l, l->evidence); i;
         i = era_ledger_item(l, i->list_next)) {
        if (!i->durable)
            continue;
        if (n < cap)
            out[n] = i;
        n++;
    }
    return n;
}
