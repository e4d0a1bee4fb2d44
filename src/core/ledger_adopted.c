#include <assert.h>
#include <string.h>

#include "src/core/author.h"
#include "src/core/charter.h"
#include "src/core/ledger_internal.h"

/* ---- adoption ---- */

bool era_ledger_slot_offered(const struct era_ledger *l, int component, uint64_t seq)
{
    const struct component *c = &l->components[component];
    return !c->overtaken && seq <= c->carried;
}

/* What is said of slots above the floor. */
static void refresh_said(struct era_ledger *l, int component)
{
    const struct component *c = &l->components[component];
    for (size_t i = 0; i < c->slot_count; i++) {
        bool offered = era_ledger_slot_offered(l, component, c->slots[i]->seq);
        for (struct era_item *item = era_ledger_item(l, c->slots[i]->items); item;
             item = era_ledger_item(l, item->list_next))
            if (item->durable && item->kind != ERA_KIND_CERTIFICATE && !item->equivocal && !item->derived)
                era_ledger_set_offered(l, item, offered && era_ledger_is_kept(l, item));
    }
    era_ledger_evidence_refresh(l, component);
}

/* Offered: the head's certificate and what lies above it, both rivals of a void slot among them (R12). */
static void refresh_offers(struct era_ledger *l, int component)
{
    struct component *c = &l->components[component];
    const struct era_adopted *head = era_ledger_own_head(l, component);
    uint64_t least = c->overtaken ? UINT64_MAX : head ? head->seq : 0;
    for (size_t i = 0; i < c->adopted_count; i++)
        era_ledger_set_offered(l, (struct era_item *)c->adopted[i].certificate,
                               c->adopted[i].seq >= least && c->adopted[i].seq <= c->carried);
    refresh_said(l, component);
}

static int same_component(const struct era_ledger *l, const char *id)
{
    const struct era_component *there = era_charter_component(l->charter, id);
    return there ? (int)(there - l->charter->components) : -1;
}

/* An adopted slot of a newer charter is the head: what older ones adopted is history (R7). */
static void overtake_older(struct era_ledger *l, int component)
{
    const char *id = l->charter->components[component].id;
    bool overtaken = l->components[component].overtaken || era_ledger_own_head(l, component) != NULL;
    for (struct era_ledger *older = l->older; older; older = older->older) {
        int there = same_component(older, id);
        if (there < 0)
            return;
        older->components[there].overtaken = overtaken;
        refresh_offers(older, there);
        overtaken |= era_ledger_own_head(older, there) != NULL;
    }
}

static uint64_t carried(const struct era_charter *c, const char *id)
{
    for (size_t i = 0; i < c->carried_count; i++)
        if (strcmp(c->carried[i].component, id) == 0)
            return c->carried[i].seq;
    return 0;
}

void era_ledger_follow(struct era_ledger *l, struct era_ledger *older)
{
    l->older = older;
    for (size_t i = 0; i < older->charter->component_count; i++) {
        older->components[i].carried = carried(l->charter, older->charter->components[i].id);
        refresh_offers(older, (int)i);
        overtake_older(older, (int)i);
    }
}

static void insert_adopted(struct component *c, struct era_adopted a)
{
    if (c->adopted_count == c->adopted_cap) {
        c->adopted_cap = c->adopted_cap ? 2 * c->adopted_cap : 4;
        c->adopted = realloc(c->adopted, c->adopted_cap * sizeof *c->adopted);
        assert(c->adopted);
    }
    size_t at = c->adopted_count;
    while (at > 0 && c->adopted[at - 1].seq > a.seq)
        at--;
    memmove(&c->adopted[at + 1], &c->adopted[at], (c->adopted_count - at) * sizeof *c->adopted);
    c->adopted[at] = a;
    c->adopted_count++;
}

static bool is_void(const struct component *c, size_t i)
{
    return (i > 0 && c->adopted[i - 1].seq == c->adopted[i].seq) ||
           (i + 1 < c->adopted_count && c->adopted[i + 1].seq == c->adopted[i].seq);
}

const struct era_adopted *era_ledger_own_head(const struct era_ledger *l, int component)
{
    const struct component *c = &l->components[component];
    for (size_t i = c->adopted_count; i-- > 0;)
        if (c->adopted[i].seq <= c->carried && !is_void(c, i))
            return &c->adopted[i];
    return NULL;
}

/* Index of the lowest that the view may come to rest on: the head, the void slots above it, and what is the
 * head once a rival voids that one. rival: a slot to be taken for void, 0: none. 0 as well when there is no
 * second one that stands. */
static size_t rests_from(const struct component *c, uint64_t rival)
{
    size_t standing = 0;
    for (size_t i = c->adopted_count; i-- > 0;) {
        uint64_t seq = c->adopted[i].seq;
        if (seq <= c->carried && seq != rival && !is_void(c, i) && ++standing == 2)
            return i;
    }
    return 0;
}

void era_ledger_adopted_clear(struct era_adopted *a)
{
    free(a->plan);
    free((void *)a->payload.data);
}

static void forget_first(struct era_ledger *l, struct component *c)
{
    era_ledger_adopted_clear(&c->adopted[0]);
    era_ledger_item_free(l, (struct era_item *)c->adopted[0].certificate);
    memmove(&c->adopted[0], &c->adopted[1], (c->adopted_count - 1) * sizeof *c->adopted);
    c->adopted_count--;
}

/* Memory holds the newest; the disk holds all (R9: history is for people). Both rivals of a void slot go at
 * once: one alone would stand (R12). Whatever order the disk gives them in, the same ones stay. */
static void forget_oldest(struct era_ledger *l, struct component *c)
{
    while (c->adopted_count > ERA_CERTIFICATES_KEPT_MAX && rests_from(c, 0) > 0) {
        if (is_void(c, 0))
            forget_first(l, c);
        forget_first(l, c);
    }
}

bool era_ledger_room_for_rival(const struct era_ledger *l, int component, uint64_t seq)
{
    const struct component *c = &l->components[component];
    size_t kept = c->adopted_count - rests_from(c, seq) + 1;
    for (size_t i = 0; i < c->slot_count; i++)
        kept += c->slots[i]->certificate_ids; /* in flight */
    return kept < ERA_CERTIFICATES_KEPT_MAX;
}

/* Take the item out of its slot's list: the adopted list owns it from now on. */
static void leave_slot(struct era_ledger *l, struct era_slot *slot, struct era_item *item)
{
    era_ledger_list_drop(l, &slot->items, item);
    slot->certificate_ids--;
}

void era_ledger_adopt(struct era_ledger *l, struct era_item *certificate)
{
    struct component *c = &l->components[certificate->component];
    struct era_candidate *candidate = certificate->candidate;
    struct era_hash proposal = candidate->proposal;
    uint64_t seq = certificate->seq;
    era_ledger_count_carrier(l, certificate);
    insert_adopted(c, (struct era_adopted){.charter_version = candidate->charter_version,
                                           .seq = candidate->seq,
                                           .proposal = candidate->proposal,
                                           .certificate = certificate,
                                           .plan = candidate->plan,
                                           .payload = candidate->payload,
                                           .author = candidate->author,
                                           .author_signature = candidate->author_signature,
                                           .urgent = candidate->urgent});
    candidate->plan = NULL;
    candidate->payload = (struct era_bytes){0};
    candidate->known = false; /* it is collected below */
    leave_slot(l, era_ledger_slot(l, certificate->component, certificate->seq, false), certificate);
    certificate->candidate = NULL;
    int component = certificate->component;
    era_ledger_change(l, (struct era_change){.kind = ERA_CHANGE_ADOPTED,
                                             .item = proposal,
                                             .component = component,
                                             .seq = seq,
                                             .signer = -1,
                                             .validator = -1});
    era_ledger_settle_rivals(l, component, seq);
    refresh_offers(l, component);
    overtake_older(l, component);
    era_ledger_collect(l, component, era_ledger_floor(l, component));
    forget_oldest(l, c);
}

/* ---- head (R7, R12) ---- */

size_t era_ledger_adopted(const struct era_ledger *l, int component, const struct era_adopted **out)
{
    *out = l->components[component].adopted;
    return l->components[component].adopted_count;
}

uint64_t era_ledger_floor(const struct era_ledger *l, int component)
{
    const struct component *c = &l->components[component];
    return c->adopted_count ? c->adopted[c->adopted_count - 1].seq : 0;
}

/* Walk from the newest charter to the oldest, and in each from the highest slot that is carried down, until
 * something adopted stands. The void slots met on the way (R12) into out[cap], *n is their number. */
static const struct era_adopted *walk_down(const struct era_ledger *l, int component, struct era_void *out,
                                           size_t cap, size_t *n)
{
    const char *id = l->charter->components[component].id;
    *n = 0;
    for (; l && component >= 0; component = l ? same_component(l, id) : -1) {
        const struct component *c = &l->components[component];
        for (size_t i = c->adopted_count; i-- > 0;) {
            if (c->adopted[i].seq > c->carried)
                continue;
            if (!is_void(c, i))
                return &c->adopted[i];
            if (i > 0 && c->adopted[i - 1].seq == c->adopted[i].seq)
                continue; /* named with its rival */
            if (*n < cap)
                out[*n] = (struct era_void){c->adopted[i].charter_version, c->adopted[i].seq};
            ++*n;
        }
        l = l->older;
    }
    return NULL;
}

const struct era_adopted *era_ledger_head(const struct era_ledger *l, int component)
{
    size_t n;
    return walk_down(l, component, NULL, 0, &n);
}

bool era_ledger_forked(const struct era_ledger *l, int component, uint64_t *seq)
{
    struct era_void highest;
    size_t n;
    walk_down(l, component, &highest, 1, &n);
    if (n > 0)
        *seq = highest.seq;
    return n > 0;
}

size_t era_ledger_voids(const struct era_ledger *l, int component, struct era_void *out, size_t cap)
{
    size_t n;
    walk_down(l, component, out, cap, &n);
    return n;
}

/* ---- assembling carriers: anyone who holds the parts may (R6) ---- */

static bool can_assemble(struct era_ledger *l, const struct era_candidate *c, uint32_t *kind)
{
    const struct era_component *component = &l->charter->components[c->component];
    const struct era_slot *slot = era_ledger_slot(l, c->component, c->seq, false);
    if (!c->known || c->assembling || c->certificate)
        return false;
    if ((unsigned)__builtin_popcountll(c->approved_by) < c->approvals_needed)
        return false;
    if (c->ready_stake >= c->readiness_needed && era_match_enough(&c->matches, component)) {
        *kind = ERA_KIND_CERTIFICATE;
        return slot->certificate_ids < ERA_IDS_PER_PLACE_MAX;
    }
    *kind = ERA_KIND_APPROVED;
    return !c->approved && era_ledger_is_among_carried(l, *kind, c->component, c->seq, &c->proposal);
}

struct era_candidate *era_ledger_assemblable(struct era_ledger *l, uint32_t *kind)
{
    while (l->touched) {
        struct era_candidate *c = l->touched;
        era_ledger_untouch(c);
        if (can_assemble(l, c, kind))
            return c;
    }
    return NULL;
}

static int by_key(const void *a, const void *b)
{
    const struct era_indexed_signature *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

static int by_key_payload(const void *a, const void *b)
{
    const struct era_indexed_attestation *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    size_t n = x->payload.len < y->payload.len ? x->payload.len : y->payload.len;
    int order = memcmp(x->payload.data, y->payload.data, n);
    if (order != 0)
        return order;
    return x->payload.len < y->payload.len ? -1 : x->payload.len > y->payload.len;
}

static void fill_votes(const struct era_candidate *c, size_t signers, struct era_carrier *k)
{
    for (size_t i = 0; i < signers; i++)
        if (c->approved_by >> i & 1)
            k->approvals[k->approval_count++] = (struct era_indexed_signature){(uint32_t)i, c->approvals[i]};
}

/* A vote or attestation, by weight: all approvals are shown (D5), but of what
 * validators say the fewest that are enough: everything would outgrow
 * ERA_STATEMENT_BYTES_MAX. */
struct weighed {
    uint64_t stake;
    size_t len, at;
};

static int by_weight(const void *a, const void *b)
{
    const struct weighed *x = a, *y = b;
    if (x->stake != y->stake)
        return x->stake > y->stake ? -1 : 1;
    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* False: too many of the signatures cannot be read. */
static bool fill_readiness(const struct era_ledger *l, const struct era_candidate *c, struct era_carrier *k)
{
    struct weighed *w = calloc(c->ready_count + 1, sizeof *w);
    size_t n = 0;
    uint64_t stake = 0;
    assert(w);
    for (size_t v = 0; v < l->charter->validator_count && c->ready_by; v++)
        if (c->ready_by[v / 8] >> (v % 8) & 1)
            w[n++] = (struct weighed){.stake = l->charter->validators[v].stake, .at = v};
    qsort(w, n, sizeof *w, by_weight);
    for (size_t i = 0; i < n && stake < c->readiness_needed; i++) {
        struct era_indexed_signature *to = &k->readiness[k->readiness_count];
        to->key = (uint32_t)w[i].at;
        if (!era_ledger_ready_signature(l, c, to->key, &to->signature))
            continue;
        k->readiness_count++;
        stake += w[i].stake;
    }
    qsort(k->readiness, k->readiness_count, sizeof *k->readiness, by_key);
    free(w);
    return stake >= c->readiness_needed;
}

/* Count it; true when it brings an artefact nearer to its quorum. */
static bool brings(struct era_match_tally *t, const struct era_plan *plan, const struct era_attestation *a,
                   uint32_t validator, uint64_t needed)
{
    uint64_t before[ERA_PLAN_ENTRIES_MAX * ERA_ARTEFACTS_MAX];
    bool nearer = false;
    for (size_t i = 0; i < t->count; i++)
        before[i] = t->matches[i].stake;
    era_match_add(t, plan, a, validator);
    for (size_t i = 0; i < t->count; i++)
        nearer |= before[i] < needed && t->matches[i].stake > before[i];
    return nearer;
}

/* Attestations while a certificate is made: their payloads are copies. */
struct attestations {
    const struct era_charter *charter;
    size_t count;
    struct era_indexed_attestation *all;
    struct weighed *weights;
};

static bool gather(void *ctx, const struct era_attested *a)
{
    struct attestations *g = ctx;
    uint8_t *copy = malloc(a->payload.len + 1);
    assert(copy);
    memcpy(copy, a->payload.data, a->payload.len);
    g->weights[g->count] = (struct weighed){
        .stake = g->charter->validators[a->validator].stake, .len = a->payload.len, .at = g->count};
    g->all[g->count++] = (struct era_indexed_attestation){a->validator, a->signature, {copy, a->payload.len}};
    return true;
}

static void gather_attestations(const struct era_ledger *l, const struct era_candidate *c,
                                struct attestations *g)
{
    *g = (struct attestations){.charter = l->charter};
    g->all = calloc(c->attested_count + 1, sizeof *g->all);
    g->weights = calloc(c->attested_count + 1, sizeof *g->weights);
    assert(g->all && g->weights);
    era_ledger_each_attested(l, c, gather, g);
    qsort(g->weights, g->count, sizeof *g->weights, by_weight);
}

static void release_attestations(struct attestations *g)
{
    for (size_t i = 0; i < g->count; i++)
        free((void *)g->all[i].payload.data);
    free(g->all);
    free(g->weights);
}

/* False: too many of them cannot be read. */
static bool fill_attestations(const struct era_ledger *l, const struct era_candidate *c,
                              const struct attestations *g, struct era_carrier *k)
{
    uint64_t needed = era_rebuild_needed(l->charter, &l->charter->components[c->component], c->plan);
    struct era_statement *s = malloc(sizeof *s);
    struct era_match_tally tally;
    assert(s);
    era_match_init(&tally, l->charter, c->plan);
    for (size_t i = 0; i < g->count && era_match_least(&tally) < needed; i++) {
        const struct era_indexed_attestation *a = &g->all[g->weights[i].at];
        enum era_verdict v = era_statement_decode(ERA_KIND_ATTESTATION, a->payload, s);
        assert(v == ERA_ACCEPTED); /* verified before */
        if (brings(&tally, c->plan, &s->u.attestation, a->key, needed))
            k->attestations[k->attestation_count++] = *a;
    }
    qsort(k->attestations, k->attestation_count, sizeof *k->attestations, by_key_payload);
    bool enough = era_match_least(&tally) >= needed;
    era_match_release(&tally);
    free(s);
    return enough;
}

/* What validators said, for a certificate. False: too much of it cannot be read. */
static bool fill_words(const struct era_ledger *l, const struct era_candidate *c,
                       const struct attestations *g, struct era_carrier *k)
{
    return fill_readiness(l, c, k) && fill_attestations(l, c, g, k);
}

size_t era_ledger_assemble(struct era_ledger *l, struct era_candidate *c, uint32_t kind, uint8_t **out)
{
    size_t signers = l->charter->components[c->component].signer_count;
    struct era_carrier k = {.proposal = c->payload, .author = c->author, .signature = c->author_signature};
    struct attestations g;
    gather_attestations(l, c, &g);
    k.approvals = calloc(signers + 1, sizeof *k.approvals);
    k.readiness = calloc(c->ready_count + 1, sizeof *k.readiness);
    k.attestations = calloc(g.count + 1, sizeof *k.attestations);
    assert(k.approvals && k.readiness && k.attestations);
    fill_votes(c, signers, &k);
    *out = NULL;
    c->assembling = kind != ERA_KIND_CERTIFICATE || fill_words(l, c, &g, &k);
    size_t len = c->assembling ? era_author_carrier(kind, &k, out) : 0;
    release_attestations(&g);
    free(k.approvals);
    free(k.readiness);
    free(k.attestations);
    return len;
}
