/* The ledger's part of R10: statements about the charter that follows. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/author.h"
#include "src/core/charter.h"
#include "src/core/ledger_internal.h"
#include "src/core/succession.h"

/* ---- the list ---- */

const struct era_successor *era_ledger_successors(const struct era_ledger *l)
{
    return l->successors;
}

const struct era_successor *era_ledger_successor(const struct era_ledger *l, const struct era_hash *charter)
{
    for (const struct era_successor *s = l->successors; s; s = s->next)
        if (era_hash_eq(&s->hash, charter))
            return s;
    return NULL;
}

bool era_ledger_names_signer(const struct era_ledger *l, const struct era_key *key)
{
    for (const struct era_successor *s = l->successors; s; s = s->next)
        if (s->charter && era_succession_names_signer(s, key))
            return true;
    return false;
}

const struct era_successor *era_ledger_next(const struct era_ledger *l, bool *forked)
{
    const struct era_successor *adopted = NULL;
    size_t n = 0;
    for (const struct era_successor *s = l->successors; s; s = s->next)
        if (s->certificate) {
            adopted = s;
            n++;
        }
    if (forked)
        *forked = n > 1;
    return n == 1 ? adopted : NULL;
}

bool era_ledger_followed(const struct era_ledger *l)
{
    for (const struct era_successor *s = l->successors; s; s = s->next)
        if (s->certificate)
            return true;
    return false;
}

const struct era_ledger *era_ledger_older(const struct era_ledger *l)
{
    return l->older;
}

static struct era_successor *successor_at(struct era_ledger *l, const struct era_hash *charter)
{
    struct era_successor *s = (struct era_successor *)era_ledger_successor(l, charter);
    if (s)
        return s;
    s = calloc(1, sizeof *s);
    assert(s);
    s->hash = *charter;
    s->closed_by = calloc(l->charter->validator_count / 8 + 1, 1);
    assert(s->closed_by);
    s->next = l->successors;
    l->successors = s;
    return s;
}

static void closed_clear(struct era_closed *k)
{
    free((void *)k->payload.data);
    free(k->text);
}

static void successor_clear(struct era_successor *s)
{
    for (size_t i = 0; i < s->close_count; i++)
        closed_clear(&s->closes[i]);
    era_charter_clear(s->charter);
    free(s->charter);
    free((void *)s->bytes.data);
    free(s->accepted_by);
    free(s->closed_by);
    free(s->accepts);
    free(s->closes);
}

static void successor_free(struct era_successor *s)
{
    successor_clear(s);
    free(s);
}

void era_ledger_unlearn_charter(struct era_ledger *l, struct era_successor *s)
{
    assert(s->old_approved_by == 0 && !s->certificate && !s->assembling);
    struct era_successor *following = s->next;
    struct era_hash hash = s->hash;
    successor_clear(s);
    *s = (struct era_successor){.hash = hash, .next = following};
    s->closed_by = calloc(l->charter->validator_count / 8 + 1, 1);
    assert(s->closed_by);
}

void era_ledger_successors_free(struct era_ledger *l)
{
    for (struct era_successor *s = l->successors, *next; s; s = next) {
        next = s->next;
        successor_free(s);
    }
}

/* One that was only ever on its way to the disk: the store that fails may not fill the memory. */
static void forget_unknown(struct era_ledger *l, struct era_successor *s)
{
    if (s->charter)
        return;
    for (const struct era_item *i = era_ledger_item(l, l->charter_items); i;
         i = era_ledger_item(l, i->list_next))
        if (i->successor == s)
            return;
    struct era_successor **at = &l->successors;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    successor_free(s);
}

/* ---- tallies: only ever added to (R8) ---- */

static bool mark(uint8_t *bits, size_t at)
{
    uint8_t bit = (uint8_t)(1u << (at % 8));
    bool fresh = !(bits[at / 8] & bit);
    bits[at / 8] |= bit;
    return fresh;
}

static void add_approval(struct era_successor *s, int old, int next, const struct era_signature *signature);

/* Approvals by old signers may come before it: some of them are new signers too. */
static void count_early_approvals(const struct era_ledger *l, struct era_successor *s)
{
    const struct era_component *before = era_charter_component(l->charter, "network"),
                               *after = era_charter_component(s->charter, "network");
    for (size_t i = 0; i < before->signer_count; i++)
        if (s->old_approved_by >> i & 1)
            add_approval(s, -1, era_charter_signer_index(after, &before->signers[i].key),
                         &s->old_approvals[i]);
}

static void learn_charter(const struct era_ledger *l, struct era_successor *s, struct era_bytes bytes)
{
    if (s->charter)
        return;
    uint8_t *copy = malloc(bytes.len);
    s->charter = calloc(1, sizeof *s->charter);
    assert(copy && s->charter);
    memcpy(copy, bytes.data, bytes.len);
    s->bytes = (struct era_bytes){copy, bytes.len};
    enum era_verdict v = era_charter_decode(s->bytes, s->charter);
    assert(v == ERA_ACCEPTED); /* verified before */
    s->accepted_by = calloc(s->charter->validator_count / 8 + 1, 1);
    assert(s->accepted_by);
    count_early_approvals(l, s);
}

static void add_approval(struct era_successor *s, int old, int next, const struct era_signature *signature)
{
    if (old >= 0 && !(s->old_approved_by >> old & 1)) {
        s->old_approved_by |= (uint64_t)1 << old;
        s->old_approvals[old] = *signature;
    }
    if (next >= 0 && !(s->new_approved_by >> next & 1)) {
        s->new_approved_by |= (uint64_t)1 << next;
        s->new_approvals[next] = *signature;
    }
}

static void add_accept(struct era_successor *s, uint32_t validator, const struct era_signature *signature)
{
    if (!mark(s->accepted_by, validator))
        return;
    if (s->accept_count == s->accept_cap) {
        s->accept_cap = s->accept_cap ? 2 * s->accept_cap : 8;
        s->accepts = realloc(s->accepts, s->accept_cap * sizeof *s->accepts);
        assert(s->accepts);
    }
    s->accepts[s->accept_count++] = (struct era_ready){validator, *signature};
    s->accept_stake += s->charter->validators[validator].stake;
}

static void add_close(struct era_ledger *l, struct era_successor *s, uint32_t validator,
                      const struct era_signature *signature, struct era_bytes payload)
{
    for (size_t i = 0; i < s->close_count; i++)
        if (s->closes[i].validator == validator && s->closes[i].payload.len == payload.len &&
            memcmp(s->closes[i].payload.data, payload.data, payload.len) == 0)
            return;
    if (s->close_count == s->close_cap) {
        s->close_cap = s->close_cap ? 2 * s->close_cap : 8;
        s->closes = realloc(s->closes, s->close_cap * sizeof *s->closes);
        assert(s->closes);
    }
    struct era_statement *text = malloc(sizeof *text);
    uint8_t *copy = malloc(payload.len);
    struct era_closed *k = &s->closes[s->close_count++];
    *k = (struct era_closed){.validator = validator, .signature = *signature};
    k->text = malloc(sizeof *k->text);
    assert(text && copy && k->text);
    memcpy(copy, payload.data, payload.len);
    k->payload = (struct era_bytes){copy, payload.len};
    enum era_verdict v = era_statement_decode(ERA_KIND_CLOSE, payload, text);
    assert(v == ERA_ACCEPTED);
    *k->text = text->u.close;
    free(text);
    if (mark(s->closed_by, validator)) /* two closes of one key count its stake once */
        s->close_stake += l->charter->validators[validator].stake;
}

static void count_certificate(struct era_ledger *l, struct era_successor *s, struct era_bytes payload)
{
    struct era_charter_certificate k;
    enum era_verdict v = era_charter_certificate_decode(payload, &k);
    assert(v == ERA_ACCEPTED);
    learn_charter(l, s, k.charter);
    for (size_t i = 0; i < k.old_approval_count; i++)
        add_approval(s, (int)k.old_approvals[i].key, -1, &k.old_approvals[i].signature);
    for (size_t i = 0; i < k.new_approval_count; i++)
        add_approval(s, -1, (int)k.new_approvals[i].key, &k.new_approvals[i].signature);
    for (size_t i = 0; i < k.accept_count; i++)
        add_accept(s, k.accepts[i].key, &k.accepts[i].signature);
    for (size_t i = 0; i < k.close_count; i++)
        for (size_t j = 0; j < k.closes[i].count; j++)
            add_close(l, s, k.closes[i].signatures[j].key, &k.closes[i].signatures[j].signature,
                      k.closes[i].payload);
    era_charter_certificate_clear(&k);
}

static void count_one(struct era_ledger *l, const struct era_item *item)
{
    struct era_successor *s = item->successor;
    struct era_envelope e;
    era_ledger_open(l, item, &e);
    s->touched = true;
    switch (item->kind) {
    case ERA_KIND_CHARTER:
        learn_charter(l, s, e.payload);
        break;
    case ERA_KIND_CHARTER_APPROVE:
        add_approval(s, item->signer, item->next, &e.signature);
        if (s->charter)
            count_early_approvals(l, s);
        break;
    case ERA_KIND_ACCEPT:
        add_accept(s, (uint32_t)item->next, &e.signature);
        break;
    case ERA_KIND_CLOSE:
        add_close(l, s, item->who, &e.signature, e.payload);
        break;
    case ERA_KIND_CHARTER_CERTIFICATE:
        count_certificate(l, s, e.payload);
        s->certificate = item;
        s->assembling = false;
        break;
    default:
        assert(!"no statement about a charter");
    }
    if (s->certificate)
        s->counts_from = era_succession_counts_from(l->charter, s);
}

/* ---- offer and commit ---- */

bool era_kind_is_succession(uint32_t kind)
{
    return (kind >= ERA_KIND_CHARTER && kind <= ERA_KIND_CHARTER_APPROVE) ||
           kind == ERA_KIND_CHARTER_CERTIFICATE;
}

static const struct era_hash *charter_of(const struct era_verified *s)
{
    switch (s->kind) {
    case ERA_KIND_CLOSE:
        return &s->statement->u.close.charter;
    case ERA_KIND_ACCEPT:
    case ERA_KIND_CHARTER_APPROVE:
        return &s->statement->u.charter_vote.charter;
    default: /* the charter itself, alone or with its proof */
        return &s->charter->hash;
    }
}

/* The chain goes on: what led there is in the certificate. Closes say more than it and stay; so do the
 * charters that were rivals: at a start nothing that is held about them could be read without. s: NULL: not
 * known. */
static bool stays(uint32_t kind, const struct era_successor *s)
{
    if (kind == ERA_KIND_CHARTER)
        return !s || !s->certificate;
    return kind == ERA_KIND_CLOSE || kind == ERA_KIND_CHARTER_CERTIFICATE;
}

static size_t adopted_count(const struct era_ledger *l)
{
    size_t n = 0;
    for (const struct era_item *i = era_ledger_item(l, l->charter_items); i;
         i = era_ledger_item(l, i->list_next))
        n += i->kind == ERA_KIND_CHARTER_CERTIFICATE;
    return n;
}

static void keep(struct era_ledger *l, struct era_item *item, const struct era_verified *s)
{
    item->next = (int16_t)s->next;
    item->successor = successor_at(l, charter_of(s));
    era_ledger_list_put(l, &l->charter_items, item);
}

enum era_verdict era_ledger_offer_succession(struct era_ledger *l, const struct era_verified *s,
                                             bool from_disk, struct era_item **out)
{
    uint64_t version = l->charter->version + 1;
    if (s->kind == ERA_KIND_CHARTER_CERTIFICATE) {
        if (adopted_count(l) >= ERA_IDS_PER_PLACE_MAX)
            return ERA_CAPPED;
        *out = era_ledger_item_new(l, s, version);
        keep(l, *out, s);
        return ERA_ACCEPTED;
    }
    /* Closes come late too: they say from when the new charter counts. What stays was taken in before. */
    bool stayed = from_disk && stays(s->kind, era_ledger_successor(l, charter_of(s)));
    if (s->kind != ERA_KIND_CLOSE && !stayed && era_ledger_followed(l))
        return ERA_DOMINATED;
    if (s->kind == ERA_KIND_ACCEPT) {
        /* Binds nobody, and one key has one of each charter: whoever proposes several uses up no words. */
        *out = era_ledger_item_new(l, s, version);
        keep(l, *out, s);
        return ERA_ACCEPTED;
    }
    struct place_key k;
    era_ledger_charter_place_key(l, s, &k);
    if (s->kind == ERA_KIND_CHARTER) {
        enum era_verdict v = era_ledger_proposed_verdict(l, s, from_disk);
        if (v != ERA_ACCEPTED)
            return v;
    } else if (era_ledger_place_full(l, &k, from_disk)) {
        return ERA_CAPPED;
    }
    *out = era_ledger_item_new(l, s, version);
    era_ledger_enter_place(l, *out);
    keep(l, *out, s);
    return ERA_ACCEPTED;
}

void era_ledger_leave_succession(struct era_ledger *l, struct era_item *item)
{
    era_ledger_list_drop(l, &l->charter_items, item);
    if (item->kind == ERA_KIND_CHARTER_CERTIFICATE && !item->durable)
        item->successor->assembling = false;
    forget_unknown(l, item->successor);
}

static void collect_loose(struct era_ledger *l)
{
    for (struct era_item *i = era_ledger_item(l, l->charter_items), *next; i; i = next) {
        next = era_ledger_item(l, i->list_next);
        if (!i->durable)
            continue;
        if (stays(i->kind, i->successor)) {
            era_ledger_set_offered(l, i, era_ledger_is_proposed(l, i));
            continue;
        }
        era_ledger_tell_deleted(l, i);
        era_ledger_item_free(l, i);
    }
}

/* The charter that it is about went while it was on its way to the disk. */
static bool is_stray(const struct era_item *item)
{
    bool needs = item->kind == ERA_KIND_ACCEPT || item->kind == ERA_KIND_CLOSE ||
                 (item->kind == ERA_KIND_CHARTER_APPROVE && item->signer < 0);
    return needs && !item->successor->charter;
}

void era_ledger_commit_succession(struct era_ledger *l, struct era_item *item)
{
    /* An adoption may have overtaken it. */
    if (is_stray(item) || (era_ledger_followed(l) && !stays(item->kind, item->successor))) {
        era_ledger_tell_deleted(l, item);
        era_ledger_item_free(l, item);
        return;
    }
    bool known = item->successor->charter != NULL;
    era_ledger_mark_equivocal(l, item);
    count_one(l, item);
    if (!known)
        era_ledger_evidence_recount(l);
    if (item->kind == ERA_KIND_CHARTER || item->kind == ERA_KIND_CHARTER_APPROVE) {
        era_ledger_judge_proposed(l); /* may free it */
        return;
    }
    if (item->kind != ERA_KIND_CHARTER_CERTIFICATE) {
        era_ledger_set_offered(l, item, era_ledger_is_proposed(l, item));
        return;
    }
    era_ledger_judge_proposed(l);
    era_ledger_change(l, (struct era_change){.kind = ERA_CHANGE_CHARTER,
                                             .item = item->successor->hash,
                                             .component = -1,
                                             .seq = item->seq,
                                             .signer = -1,
                                             .validator = -1});
    collect_loose(l);
    era_ledger_evidence_past_kind(l, ERA_KIND_CHARTER_APPROVE);
}

struct era_item *era_ledger_derive_succession(struct era_ledger *l, const struct era_verified *s,
                                              struct place *p)
{
    struct era_item *item = era_ledger_item_new(l, s, p->key.seq);
    era_ledger_enter_place(l, item);
    keep(l, item, s);
    item->durable = item->derived = true;
    count_one(l, item);
    return item;
}

/* ---- assembling: anyone who holds the parts may (R6) ---- */

static int by_key(const void *a, const void *b)
{
    const struct era_indexed_signature *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

static size_t fill_bits(uint64_t bits, const struct era_signature *from, struct era_indexed_signature *to)
{
    size_t n = 0;
    for (uint32_t i = 0; i < ERA_SIGNERS_MAX; i++)
        if (bits >> i & 1)
            to[n++] = (struct era_indexed_signature){i, from[i]};
    return n;
}

static int by_payload(const void *a, const void *b)
{
    const struct era_closed *x = *(const struct era_closed *const *)a,
                            *y = *(const struct era_closed *const *)b;
    size_t n = x->payload.len < y->payload.len ? x->payload.len : y->payload.len;
    int order = memcmp(x->payload.data, y->payload.data, n);
    if (order == 0 && x->payload.len != y->payload.len)
        order = x->payload.len < y->payload.len ? -1 : 1;
    return order ? order : x->validator < y->validator ? -1 : x->validator > y->validator;
}

/* A close or accept: the stake behind it, and the bytes that it costs beside its signature. */
struct weighed {
    uint64_t stake;
    size_t bytes, at;
};

static int by_stake(const void *a, const void *b)
{
    const struct weighed *x = a, *y = b;
    if (x->stake != y->stake)
        return x->stake > y->stake ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static int by_bytes(const void *a, const void *b)
{
    const struct weighed *x = a, *y = b;
    return x->bytes != y->bytes ? (x->bytes < y->bytes ? -1 : 1) : by_stake(a, b);
}

static void fill_accepts(const struct era_successor *s, uint64_t needed, struct era_charter_certificate *k)
{
    struct weighed *w = calloc(s->accept_count + 1, sizeof *w);
    assert(w);
    for (size_t i = 0; i < s->accept_count; i++)
        w[i] = (struct weighed){s->charter->validators[s->accepts[i].validator].stake, 0, i};
    qsort(w, s->accept_count, sizeof *w, by_stake);
    uint64_t stake = 0;
    while (k->accept_count < s->accept_count && stake < needed)
        stake += w[k->accept_count++].stake;
    for (size_t i = 0; i < k->accept_count; i++)
        k->accepts[i] =
            (struct era_indexed_signature){s->accepts[w[i].at].validator, s->accepts[w[i].at].signature};
    qsort(k->accepts, k->accept_count, sizeof *k->accepts, by_key);
    free(w);
}

static bool same_words(const struct era_closed *x, const struct era_closed *y)
{
    return x->payload.len == y->payload.len && memcmp(x->payload.data, y->payload.data, x->payload.len) == 0;
}

/* All closes, by their words; those of equal words share the cost of them. */
static void weigh_closes(const struct era_charter *old, const struct era_successor *s,
                         const struct era_closed **order, struct weighed *w)
{
    for (size_t i = 0; i < s->close_count; i++)
        order[i] = &s->closes[i];
    qsort(order, s->close_count, sizeof(*order), by_payload);
    for (size_t i = 0, end; i < s->close_count; i = end) {
        for (end = i + 1; end < s->close_count && same_words(order[i], order[end]);)
            end++;
        for (size_t k = i; k < end; k++)
            w[k] = (struct weighed){old->validators[order[k]->validator].stake,
                                    order[k]->payload.len / (end - i), k};
    }
}

/* One close a validator, the first in this order: by what it is worth, not by when it came. */
static size_t pick_closes(const struct era_charter *old, const struct era_successor *s, uint64_t needed,
                          int (*first)(const void *, const void *), const struct era_closed **out)
{
    const struct era_closed **order = calloc(s->close_count + 1, sizeof(*order));
    struct weighed *w = calloc(s->close_count + 1, sizeof *w);
    uint8_t *seen = calloc(old->validator_count / 8 + 1, 1);
    uint64_t stake = 0;
    size_t n = 0;
    assert(order && w && seen);
    weigh_closes(old, s, order, w);
    qsort(w, s->close_count, sizeof *w, first);
    for (size_t i = 0; i < s->close_count && stake < needed; i++)
        if (mark(seen, order[w[i].at]->validator)) {
            out[n++] = order[w[i].at];
            stake += w[i].stake;
        }
    free(order);
    free(w);
    free(seen);
    return n;
}

/* Those of equal words together. room: for as many signatures as there are closes. */
static void fill_closes(const struct era_charter *old, const struct era_successor *s, uint64_t needed,
                        int (*first)(const void *, const void *), struct era_charter_certificate *k,
                        struct era_indexed_signature *room)
{
    const struct era_closed **order = calloc(s->close_count + 1, sizeof(*order));
    assert(order);
    size_t n = pick_closes(old, s, needed, first, order);
    qsort(order, n, sizeof(*order), by_payload);
    for (size_t i = 0; i < n; i++) {
        struct era_close_group *g = k->close_count ? &k->closes[k->close_count - 1] : NULL;
        if (!g || !same_words(order[i - 1], order[i])) {
            g = &k->closes[k->close_count++];
            *g = (struct era_close_group){.payload = order[i]->payload, .signatures = &room[i]};
        }
        g->signatures[g->count++] = (struct era_indexed_signature){order[i]->validator, order[i]->signature};
    }
    free(order);
}

/* fewest: no more accepts and closes than the thresholds ask; first: which of the closes. */
static size_t assemble(const struct era_charter *old, const struct era_successor *s, bool fewest,
                       int (*first)(const void *, const void *), uint8_t **out)
{
    struct era_charter_certificate k = {.charter = s->bytes};
    k.old_approvals = calloc(ERA_SIGNERS_MAX, sizeof *k.old_approvals);
    k.new_approvals = calloc(ERA_SIGNERS_MAX, sizeof *k.new_approvals);
    k.accepts = calloc(s->accept_count + 1, sizeof *k.accepts);
    k.closes = calloc(s->close_count + 1, sizeof *k.closes);
    struct era_indexed_signature *room = calloc(s->close_count + 1, sizeof *room);
    assert(k.old_approvals && k.new_approvals && k.accepts && k.closes && room);
    k.old_approval_count = fill_bits(s->old_approved_by, s->old_approvals, k.old_approvals);
    k.new_approval_count = fill_bits(s->new_approved_by, s->new_approvals, k.new_approvals);
    fill_accepts(s, fewest ? era_charter_quorum(s->charter) : UINT64_MAX, &k);
    fill_closes(old, s, fewest ? era_charter_quorum(old) : UINT64_MAX, first, &k, room);
    size_t len = era_author_charter_certificate(&k, out);
    free(k.old_approvals);
    free(k.new_approvals);
    free(k.accepts);
    free(k.closes);
    free(room);
    return len;
}

size_t era_ledger_assemble_charter(struct era_ledger *l, uint8_t **out, bool *too_large)
{
    *out = NULL;
    *too_large = false;
    for (struct era_successor *s = l->successors; s; s = s->next) {
        if (!s->touched || s->certificate || s->assembling)
            continue;
        s->touched = false;
        if (!era_succession_complete(l->charter, s) || adopted_count(l) >= ERA_IDS_PER_PLACE_MAX)
            continue;
        size_t len = assemble(l->charter, s, false, by_bytes, out);
        if (len == 0)
            len = assemble(l->charter, s, true, by_stake, out);
        if (len == 0) /* the heaviest name many slots: of the others a quorum fits too (R10) */
            len = assemble(l->charter, s, true, by_bytes, out);
        *too_large = len == 0;
        s->assembling = len > 0;
        return len;
    }
    return 0;
}
