#include <assert.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/ledger_internal.h"

#define FRESH_CHARTERS_MAX 8 /* charters before that are looked at; asked for every validator */

const struct era_charter *era_ledger_charter(const struct era_ledger *l)
{
    return l->charter;
}

size_t era_ledger_count(const struct era_ledger *l)
{
    return l->item_count;
}

/* ---- bodies ---- */

bool era_ledger_body(const struct era_ledger *l, const struct era_item *item, struct era_bytes *out)
{
    return era_bodies_get(l->bodies, &item->item, item->kind, out);
}

static bool opened(const struct era_ledger *l, const struct era_item *item, struct era_envelope *e)
{
    struct era_bytes body;
    return era_ledger_body(l, item, &body) && era_envelope_decode(body, e) == ERA_ACCEPTED;
}

void era_ledger_open(const struct era_ledger *l, const struct era_item *item, struct era_envelope *e)
{
    bool here = opened(l, item, e);
    assert(here); /* verified before */
    (void)here;
}

bool era_ledger_statement(const struct era_ledger *l, const struct era_item *item, struct era_statement *out)
{
    struct era_envelope e;
    return opened(l, item, &e) && era_statement_decode(e.kind, e.payload, out) == ERA_ACCEPTED;
}

static bool is_said_of(const struct era_item *item, uint32_t kind, const struct era_candidate *c)
{
    return item->kind == kind && item->candidate == c && item->durable;
}

bool era_ledger_ready_signature(const struct era_ledger *l, const struct era_candidate *c, uint32_t validator,
                                struct era_signature *out)
{
    const struct era_item *said[2];
    struct era_envelope e;
    size_t n = era_ledger_spoken(l, ERA_KIND_READINESS, c->component, c->seq,
                                 &l->charter->validators[validator].key, said);
    for (size_t i = 0; i < n; i++)
        if (is_said_of(said[i], ERA_KIND_READINESS, c) && opened(l, said[i], &e)) {
            *out = e.signature;
            return true;
        }
    return false;
}

/* A slot's list has the last one first. */
static size_t attestations_of(const struct era_ledger *l, const struct era_candidate *c,
                              const struct era_item **out)
{
    const struct era_slot *slot = era_ledger_slot((struct era_ledger *)l, c->component, c->seq, false);
    size_t n = 0;
    for (const struct era_item *i = era_ledger_item(l, slot->items); i; i = era_ledger_item(l, i->list_next))
        if (is_said_of(i, ERA_KIND_ATTESTATION, c))
            out[n++] = i;
    return n;
}

void era_ledger_each_attested(const struct era_ledger *l, const struct era_candidate *c,
                              bool (*visit)(void *ctx, const struct era_attested *a), void *ctx)
{
    const struct era_item **all = calloc(c->attested_count + 1, sizeof(*all));
    struct era_statement *s = malloc(sizeof *s);
    assert(all && s);
    bool more = true;
    for (size_t i = attestations_of(l, c, all); i-- > 0 && more;) {
        struct era_envelope e;
        if (!opened(l, all[i], &e) || era_statement_decode(e.kind, e.payload, s) != ERA_ACCEPTED)
            continue;
        struct era_attested a = {.validator = all[i]->who,
                                 .signature = e.signature,
                                 .payload = e.payload,
                                 .text = &s->u.attestation,
                                 .item = all[i]};
        a.match = c->plan ? era_match_first(&c->matches, c->plan, a.text) : -1;
        a.matched = a.match >= 0;
        more = visit(ctx, &a);
    }
    free(all);
    free(s);
}

size_t era_ledger_slots(const struct era_ledger *l, int component, const struct era_slot *const **out)
{
    *out = (const struct era_slot *const *)l->components[component].slots;
    return l->components[component].slot_count;
}

struct era_candidate *era_ledger_candidate(const struct era_ledger *l, const struct era_hash *proposal)
{
    struct era_candidate *some = NULL;
    for (struct candidate *c = l->candidates; c; c = c->hh.next) {
        if (!era_hash_eq(&c->pub.proposal, proposal))
            continue;
        some = &c->pub;
        if (c->pub.known) /* votes may name a wrong slot; the proposal knows its own */
            return some;
    }
    return some;
}

static const struct era_adopted *find_adopted(const struct era_ledger *l, const struct era_hash *proposal)
{
    for (size_t c = 0; c < l->charter->component_count; c++)
        for (size_t i = 0; i < l->components[c].adopted_count; i++)
            if (era_hash_eq(&l->components[c].adopted[i].proposal, proposal))
                return &l->components[c].adopted[i];
    return NULL;
}

bool era_ledger_proposal_bytes(const struct era_ledger *l, const struct era_hash *proposal,
                               struct era_envelope *out)
{
    const struct era_candidate *c = era_ledger_candidate(l, proposal);
    if (c && c->known) {
        *out = (struct era_envelope){.kind = ERA_KIND_PROPOSAL,
                                     .payload = c->payload,
                                     .key = c->author,
                                     .signature = c->author_signature};
        return true;
    }
    const struct era_adopted *a = find_adopted(l, proposal);
    if (!a)
        return false;
    *out = (struct era_envelope){
        .kind = ERA_KIND_PROPOSAL, .payload = a->payload, .key = a->author, .signature = a->author_signature};
    return true;
}

bool era_ledger_proposal(const struct era_ledger *l, const struct era_hash *proposal,
                         struct era_proposal *out)
{
    struct era_envelope e;
    if (!era_ledger_proposal_bytes(l, proposal, &e))
        return false;
    struct era_statement *s = malloc(sizeof *s);
    assert(s);
    enum era_verdict v = era_statement_decode(ERA_KIND_PROPOSAL, e.payload, s);
    assert(v == ERA_ACCEPTED);
    *out = s->u.proposal;
    free(s);
    return true;
}

static bool decode_announcement(const struct era_ledger *l, const struct era_item *item,
                                struct era_announcement *out)
{
    struct era_statement *s = malloc(sizeof *s);
    assert(s);
    bool read = era_ledger_statement(l, item, s);
    if (read)
        *out = s->u.announcement;
    free(s);
    return read;
}

const struct era_item *era_ledger_announcement(const struct era_ledger *l, int validator, uint64_t epoch,
                                               struct era_announcement *decoded)
{
    const struct era_item *newest = NULL;
    for (const struct era_item *i = era_ledger_line(l, -1, validator); i;
         i = era_ledger_item(l, i->list_next))
        if (i->durable && i->seq <= epoch && (!newest || i->seq > newest->seq))
            newest = i;
    if (newest && decoded && !decode_announcement(l, newest, decoded))
        return NULL;
    return newest;
}

static bool announced_since(const struct era_ledger *l, int validator, uint64_t least_epoch)
{
    for (const struct era_item *i = era_ledger_line(l, -1, validator); i;
         i = era_ledger_item(l, i->list_next))
        if (i->durable && i->seq >= least_epoch)
            return true;
    return false;
}

/* Several charters may begin to count at once: whoever stays announced under one that now is many behind. */
bool era_ledger_fresh(const struct era_ledger *l, int validator, uint64_t least_epoch)
{
    if (announced_since(l, validator, least_epoch))
        return true;
    const struct era_key *key = &l->charter->validators[validator].key;
    size_t behind = 0;
    for (const struct era_ledger *o = l->older; o && behind < FRESH_CHARTERS_MAX; o = o->older, behind++) {
        int before = era_charter_validator_index(o->charter, key);
        if (before >= 0 && announced_since(o, before, least_epoch))
            return true;
    }
    return false;
}

uint64_t era_ledger_fresh_stake(const struct era_ledger *l, uint64_t least_epoch)
{
    uint64_t stake = 0;
    for (size_t v = 0; v < l->charter->validator_count; v++)
        if (era_ledger_fresh(l, (int)v, least_epoch))
            stake += l->charter->validators[v].stake;
    return stake;
}

static bool has_prefix(const struct era_hash *h, const char *hex, size_t len)
{
    char text[ERA_HASH_TEXT_BYTES];
    return strncmp(era_hash_text(h, text), hex, len) == 0;
}

size_t era_ledger_prefix(const struct era_ledger *l, const char *hex, struct era_hash *out, size_t cap)
{
    size_t n = 0, len = strlen(hex);
    for (const struct candidate *c = l->candidates; c; c = c->hh.next)
        if (has_prefix(&c->pub.proposal, hex, len)) {
            bool seen = false;
            for (size_t i = 0; i < n && i < cap; i++)
                seen |= era_hash_eq(&out[i], &c->pub.proposal);
            if (!seen && n < cap)
                out[n] = c->pub.proposal;
            n += !seen;
        }
    for (size_t c = 0; c < l->charter->component_count; c++)
        for (size_t i = 0; i < l->components[c].adopted_count; i++)
            if (has_prefix(&l->components[c].adopted[i].proposal, hex, len)) {
                if (n < cap)
                    out[n] = l->components[c].adopted[i].proposal;
                n++;
            }
    return n;
}
