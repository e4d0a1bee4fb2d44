/* Where the ledger's items lie: in chunks that never move, by number, so that
 * lists and tables of a million of them cost four bytes an item. And what each
 * key said in one place: a chain, whose first item is found by its place. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/ledger_internal.h"

#define NOBODY UINT32_MAX

#define CHUNKS_STEP                                                                                          \
    64 /* pointers: a small block that is made anew amid a burst keeps a page when it is over */

static_assert(sizeof(struct era_item) == 64, "an item is a cache line");

struct era_item *era_ledger_item(const struct era_ledger *l, uint32_t number)
{
    return number == 0 ? NULL : &l->chunks[number / ITEMS_PER_CHUNK][number % ITEMS_PER_CHUNK];
}

/* ---- found by id ---- */

static uint64_t hash_of_id(const struct era_ledger *l, const struct era_hash *item)
{
    return era_siphash(&l->table_key, item->b, sizeof item->b);
}

static uint64_t item_hash(const void *ctx, uint32_t number)
{
    const struct era_ledger *l = ctx;
    return hash_of_id(l, &era_ledger_item(l, number)->item);
}

static bool item_is(const void *ctx, uint32_t number, const void *key)
{
    return era_hash_eq(&era_ledger_item(ctx, number)->item, key);
}

uint32_t era_ledger_number(const struct era_ledger *l, const struct era_hash *item)
{
    return era_numbers_find(&l->by_id, hash_of_id(l, item), item, item_is, l);
}

const struct era_hash *era_ledger_named(const struct era_ledger *l, uint32_t number)
{
    return &era_ledger_item(l, number)->item;
}

const struct era_item *era_ledger_find(const struct era_ledger *l, const struct era_hash *item)
{
    return era_ledger_item(l, era_ledger_number(l, item));
}

void era_ledger_each_offered(const struct era_ledger *l,
                             void (*visit)(void *ctx, const struct era_item *item), void *ctx)
{
    for (uint32_t i = 1; i < l->item_end; i++) {
        const struct era_item *item = era_ledger_item(l, i);
        if (item->kind != 0 && item->offered)
            visit(ctx, item);
    }
}

/* ---- made and freed ---- */

static void more_items(struct era_ledger *l)
{
    size_t chunks = l->item_end / ITEMS_PER_CHUNK;
    if (chunks % CHUNKS_STEP == 0)
        l->chunks = realloc(l->chunks, (chunks + CHUNKS_STEP) * sizeof(*l->chunks));
    assert(l->chunks);
    l->chunks[chunks] = calloc(ITEMS_PER_CHUNK, sizeof *l->chunks[chunks]);
    assert(l->chunks[chunks]);
    if (l->item_end == 0)
        l->item_end = 1; /* 0 is none */
}

/* Of one that is gone, or the next: pages that were never written take no memory. */
static uint32_t take_number(struct era_ledger *l)
{
    uint32_t number = l->free_items;
    if (number != 0) {
        l->free_items = era_ledger_item(l, number)->list_next;
        return number;
    }
    if (l->item_end % ITEMS_PER_CHUNK == 0)
        more_items(l);
    return l->item_end++;
}

static uint32_t who_of(struct era_ledger *l, const struct era_verified *s);
static void count_item(struct era_ledger *l, const struct era_item *item, int by);

struct era_item *era_ledger_item_new(struct era_ledger *l, const struct era_verified *s, uint64_t seq)
{
    uint32_t number = take_number(l);
    struct era_item *item = era_ledger_item(l, number);
    *item = (struct era_item){.item = s->item,
                              .kind = s->kind & 63,
                              .seq = seq & ERA_SEQ_MAX,
                              .component = (int8_t)s->component,
                              .signer = (int8_t)s->signer,
                              .who = who_of(l, s),
                              .next = -1};
    assert(item->kind == s->kind && item->seq == seq);
    era_bodies_put(l->bodies, &s->item, s->envelope);
    era_numbers_add(&l->by_id, hash_of_id(l, &s->item), number, item_hash, l);
    l->item_count++;
    count_item(l, item, 1);
    return item;
}

static void leave_place(struct era_ledger *l, struct era_item *item, uint32_t number);

static bool is_of_slot(uint32_t kind)
{
    return !era_kind_is_line(kind) && !era_kind_is_succession(kind) && kind != ERA_KIND_EVIDENCE;
}

void era_ledger_item_free(struct era_ledger *l, struct era_item *item)
{
    uint32_t number = era_ledger_number(l, &item->item);
    assert(!item->offered); /* or gossip would ask what its number stands for */
    leave_place(l, item, number);
    if (era_kind_is_succession(item->kind))
        era_ledger_leave_succession(l, item);
    if (is_of_slot(item->kind) && item->candidate)
        era_ledger_candidate_release(l, item->candidate);
    era_numbers_replace(&l->by_id, hash_of_id(l, &item->item), number, 0, item_hash, l);
    era_bodies_drop(l->bodies, &item->item);
    l->item_count--;
    count_item(l, item, -1);
    *item = (struct era_item){.item = item->item, .list_next = l->gone_items};
    l->gone_items = number;
}

void era_ledger_items_recycle(struct era_ledger *l)
{
    while (l->gone_items != 0) {
        uint32_t number = l->gone_items;
        struct era_item *item = era_ledger_item(l, number);
        l->gone_items = item->list_next;
        item->list_next = l->free_items;
        l->free_items = number;
    }
}

void era_ledger_items_free(struct era_ledger *l)
{
    for (uint32_t i = 1; i < l->item_end; i++) {
        era_ledger_item(l, i)->offered = false; /* nobody is told any more */
        if (era_ledger_item(l, i)->kind != 0)
            era_ledger_item_free(l, era_ledger_item(l, i));
    }
    for (size_t i = 0; i * ITEMS_PER_CHUNK < l->item_end; i++)
        free(l->chunks[i]);
    free(l->chunks);
    era_numbers_release(&l->by_id);
    era_numbers_release(&l->by_place);
    struct other_key *o, *next;
    HASH_ITER(hh, l->others, o, next)
    {
        HASH_DEL(l->others, o);
        free(o);
    }
}

/* ---- lists ---- */

void era_ledger_list_put(struct era_ledger *l, uint32_t *first, struct era_item *item)
{
    item->list_next = *first;
    *first = era_ledger_number(l, &item->item);
}

void era_ledger_list_drop(struct era_ledger *l, uint32_t *first, struct era_item *item)
{
    uint32_t *at = first;
    while (era_ledger_item(l, *at) != item)
        at = &era_ledger_item(l, *at)->list_next;
    *at = item->list_next;
    item->list_next = 0;
}

/* ---- who said it ---- */

/* Of these kinds, who is a validator's index; of the others that have a place, an other_key; so is the author
 * of what a slot's carrier carries. */
static bool is_validators(uint32_t kind)
{
    return kind == ERA_KIND_READINESS || kind == ERA_KIND_ATTESTATION || kind == ERA_KIND_CLOSE ||
           era_kind_is_line(kind);
}

static bool has_author(uint32_t kind)
{
    return kind == ERA_KIND_APPROVED || kind == ERA_KIND_CERTIFICATE;
}

static bool has_place(uint32_t kind)
{
    return !era_kind_is_carrier(kind) && kind != ERA_KIND_ACCEPT;
}

static struct other_key *other_key(const struct era_ledger *l, const struct era_key *key)
{
    struct other_key *o;
    HASH_FIND(hh, l->others, key, sizeof *key, o);
    return o;
}

static uint32_t other_key_at(struct era_ledger *l, const struct era_key *key)
{
    struct other_key *o = other_key(l, key);
    if (o)
        return o->who;
    o = calloc(1, sizeof *o);
    assert(o);
    o->key = *key;
    o->who = (uint32_t)l->charter->validator_count + l->others_made++;
    HASH_ADD(hh, l->others, key, sizeof o->key, o);
    return o->who;
}

static struct other_key *other_of(const struct era_ledger *l, uint32_t who)
{
    struct other_key *o = l->others;
    while (o && o->who != who)
        o = o->hh.next;
    return o;
}

/* Charters come and go, and with them keys that nobody else names. */
static void count_item(struct era_ledger *l, const struct era_item *item, int by)
{
    if (item->who < l->charter->validator_count || item->who == NOBODY)
        return;
    struct other_key *o = other_of(l, item->who);
    o->items += (uint32_t)by;
    if (o->items > 0)
        return;
    HASH_DEL(l->others, o);
    free(o);
}

static uint32_t who_of(struct era_ledger *l, const struct era_verified *s)
{
    uint32_t kind = s->kind == ERA_KIND_EVIDENCE ? (uint32_t)s->statement->kind : s->kind;
    if (is_validators(kind)) {
        assert(s->validator >= 0);
        return (uint32_t)s->validator;
    }
    return has_place(kind) || has_author(kind) ? other_key_at(l, &s->key) : NOBODY;
}

int era_ledger_validator(const struct era_ledger *l, const struct era_item *item)
{
    return item->who < l->charter->validator_count ? (int)item->who : -1;
}

const struct era_key *era_ledger_key(const struct era_ledger *l, uint32_t who)
{
    if (who < l->charter->validator_count)
        return &l->charter->validators[who].key;
    const struct other_key *o = other_of(l, who);
    assert(o); /* it said something */
    return &o->key;
}

/* ---- places ---- */

uint64_t era_ledger_seq_of(const struct era_statement *s)
{
    switch (s->kind) {
    case ERA_KIND_PROPOSAL:
        return s->u.proposal.slot.seq;
    case ERA_KIND_APPROVE:
    case ERA_KIND_READINESS:
        return s->u.vote.slot.seq;
    case ERA_KIND_REJECT:
        return s->u.reject.slot.seq;
    case ERA_KIND_ATTESTATION:
        return s->u.attestation.slot.seq;
    case ERA_KIND_ANNOUNCEMENT:
        return s->u.announcement.epoch;
    case ERA_KIND_CHECKPOINT:
        return s->u.checkpoint.at;
    case ERA_KIND_CLOSE:
        return s->u.close.version;
    case ERA_KIND_CHARTER_APPROVE:
        return s->u.charter_vote.version;
    case ERA_KIND_EVENT:
    case ERA_KIND_CHARTER:
    case ERA_KIND_ACCEPT:
    case ERA_KIND_APPROVED:
    case ERA_KIND_CERTIFICATE:
    case ERA_KIND_EVIDENCE:
    case ERA_KIND_CHARTER_CERTIFICATE:
        break;
    }
    assert(!"no place in the ledger");
    return 0;
}

static void set_key(struct place_key *k, uint32_t who, uint32_t kind, int component, uint64_t seq)
{
    memset(k, 0, sizeof *k);
    k->who = who;
    k->kind = kind;
    k->component = component;
    k->seq = seq;
}

void era_ledger_place_key(struct era_ledger *l, const struct era_verified *s, struct place_key *k)
{
    set_key(k, who_of(l, s), s->statement->kind, s->component, era_ledger_seq_of(s->statement));
}

void era_ledger_place_key_of(const struct era_item *item, struct place_key *k)
{
    set_key(k, item->who, item->kind, item->component, item->seq);
}

void era_ledger_charter_place_key(struct era_ledger *l, const struct era_verified *s, struct place_key *k)
{
    set_key(k, who_of(l, s), s->kind, -1, l->charter->version + 1);
}

bool era_ledger_place_key_at(const struct era_ledger *l, uint32_t kind, int component, uint64_t seq,
                             const struct era_key *key, struct place_key *k)
{
    const struct other_key *o = is_validators(kind) ? NULL : other_key(l, key);
    int validator = is_validators(kind) ? era_charter_validator_index(l->charter, key) : -1;
    if (!o && validator < 0)
        return false;
    set_key(k, o ? o->who : (uint32_t)validator, kind, component, seq);
    return true;
}

static uint64_t hash_of_place(const struct era_ledger *l, const struct place_key *k)
{
    return era_siphash(&l->table_key, k, sizeof *k);
}

static uint64_t place_hash(const void *ctx, uint32_t number)
{
    const struct era_ledger *l = ctx;
    struct place_key k;
    era_ledger_place_key_of(era_ledger_item(l, number), &k);
    return hash_of_place(l, &k);
}

static bool place_is(const void *ctx, uint32_t number, const void *key)
{
    const struct era_item *item = era_ledger_item(ctx, number);
    const struct place_key *k = key;
    return item->who == k->who && item->kind == k->kind && item->component == k->component &&
           item->seq == k->seq;
}

/* Lines are short: what is in one needs no table. */
static uint32_t first_said(const struct era_ledger *l, const struct place_key *k)
{
    if (era_kind_is_line(k->kind))
        return era_ledger_first_in_line(l, k);
    return era_numbers_find(&l->by_place, hash_of_place(l, k), k, place_is, l);
}

struct era_item *era_ledger_said(const struct era_ledger *l, const struct place_key *k)
{
    return era_ledger_item(l, first_said(l, k));
}

size_t era_ledger_said_count(const struct era_ledger *l, const struct place_key *k)
{
    size_t n = 0;
    for (const struct era_item *i = era_ledger_said(l, k); i; i = era_ledger_item(l, i->place_next))
        n++;
    return n;
}

void era_ledger_enter_place(struct era_ledger *l, struct era_item *item)
{
    struct place_key k;
    uint32_t number = era_ledger_number(l, &item->item);
    era_ledger_place_key_of(item, &k);
    struct era_item *last = era_ledger_said(l, &k);
    if (!last && era_kind_is_line(k.kind))
        return;
    if (!last) {
        era_numbers_add(&l->by_place, hash_of_place(l, &k), number, place_hash, l);
        return;
    }
    while (last->place_next != 0)
        last = era_ledger_item(l, last->place_next);
    last->place_next = number;
}

static void leave_place(struct era_ledger *l, struct era_item *item, uint32_t number)
{
    struct place_key k;
    if (!has_place(item->kind))
        return;
    era_ledger_place_key_of(item, &k);
    uint32_t at = first_said(l, &k);
    if (era_kind_is_line(k.kind))
        era_ledger_leave_line(l, item);
    else if (at == number)
        era_numbers_replace(&l->by_place, hash_of_place(l, &k), number, item->place_next, place_hash, l);
    if (at != number) {
        while (era_ledger_item(l, at)->place_next != number)
            at = era_ledger_item(l, at)->place_next;
        era_ledger_item(l, at)->place_next = item->place_next;
    }
    struct place *p = era_ledger_place(l, &k);
    if (!p)
        return;
    /* Closes and approvals it may prove of charters that are not known: it stands by itself. */
    if (p->evidence && !era_ledger_said(l, &k) && !era_kind_is_succession(k.kind))
        era_ledger_evidence_past(l, p->evidence);
    else
        era_ledger_place_release(l, p);
}

struct place *era_ledger_place(const struct era_ledger *l, const struct place_key *k)
{
    struct place *p;
    HASH_FIND(hh, l->places, k, sizeof *k, p);
    return p;
}

struct place *era_ledger_place_at(struct era_ledger *l, const struct place_key *k)
{
    struct place *p = era_ledger_place(l, k);
    if (p)
        return p;
    p = calloc(1, sizeof *p);
    assert(p);
    p->key = *k;
    HASH_ADD(hh, l->places, key, sizeof p->key, p);
    return p;
}

void era_ledger_place_release(struct era_ledger *l, struct place *p)
{
    if (p->evidence || era_ledger_said(l, &p->key))
        return;
    era_ledger_evidence_unqueue(l, p);
    HASH_DEL(l->places, p);
    free(p);
}

size_t era_ledger_spoken(const struct era_ledger *l, uint32_t kind, int component, uint64_t seq,
                         const struct era_key *key, const struct era_item *out[2])
{
    struct place_key k;
    size_t n = 0;
    if (!era_ledger_place_key_at(l, kind, component, seq, key, &k))
        return 0;
    for (const struct era_item *i = era_ledger_said(l, &k); i && n < 2; i = era_ledger_item(l, i->place_next))
        out[n++] = i;
    return n;
}
