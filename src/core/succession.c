#include "src/core/succession.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/ledger_internal.h"
#include "src/core/view.h"

static const struct era_component *network_of(const struct era_charter *c)
{
    const struct era_component *network = era_charter_component(c, "network");
    assert(network); /* charter check */
    return network;
}

/* ---- the charter itself ---- */

static const char *misfit(const struct era_charter *old, const struct era_charter *next)
{
    if (strcmp(next->name, old->name) != 0)
        return "it names another network";
    if (next->clock.kind != old->clock.kind || next->clock.genesis_ms != old->clock.genesis_ms ||
        next->clock.epoch_ms != old->clock.epoch_ms)
        return "its clock differs: epochs would change their meaning";
    if (next->carried_count != old->component_count)
        return "it carries no bound for some component of the charter before it";
    for (size_t i = 0; i < old->component_count; i++)
        if (strcmp(next->carried[i].component, old->components[i].id) != 0)
            return "it carries no bound for some component of the charter before it";
    return era_charter_is_sound(next) ? NULL : "the charter by itself is not sound";
}

enum era_verdict era_succession_fits(const struct era_charter *old, const struct era_charter *next,
                                     const char **why)
{
    *why = NULL;
    if (next->version != old->version + 1 || !era_hash_eq(&next->parent, &old->hash))
        return ERA_UNKNOWN_CHARTER;
    *why = misfit(old, next);
    return *why ? ERA_BAD_VALUE : ERA_ACCEPTED;
}

enum era_verdict era_succession_close_fits(const struct era_close *close, const struct era_charter *next)
{
    for (size_t i = 0; i < close->voted_count; i++) {
        bool carried = false;
        for (size_t k = 0; k < next->carried_count; k++)
            carried |= strcmp(next->carried[k].component, close->voted[i].component) == 0 &&
                       close->voted[i].seq <= next->carried[k].seq;
        if (!carried)
            return ERA_BAD_VALUE;
    }
    return ERA_ACCEPTED;
}

bool era_succession_names_signer(const struct era_successor *s, const struct era_key *key)
{
    return era_charter_signer_index(network_of(s->charter), key) >= 0;
}

/* ---- thresholds (R10) ---- */

bool era_succession_approved(const struct era_charter *old, const struct era_successor *s)
{
    if (!s->charter)
        return false;
    return (unsigned)__builtin_popcountll(s->old_approved_by) >= network_of(old)->k &&
           (unsigned)__builtin_popcountll(s->new_approved_by) >= network_of(s->charter)->k &&
           (s->charter->authority_only || s->accept_stake >= era_charter_quorum(s->charter));
}

bool era_succession_complete(const struct era_charter *old, const struct era_successor *s)
{
    return era_succession_approved(old, s) &&
           (old->authority_only || s->close_stake >= era_charter_quorum(old));
}

/* ---- signing ---- */

static bool said_another(const struct era_ledger *l, uint32_t kind, const struct era_successor *s,
                         const struct era_key *key)
{
    const struct era_item *said[2];
    size_t n = era_ledger_spoken(l, kind, -1, era_ledger_charter(l)->version + 1, key, said);
    for (size_t i = 0; i < n; i++)
        if (said[i]->successor != s)
            return true;
    return false;
}

enum era_verdict era_succession_may_approve(const struct era_ledger *l, const struct era_successor *s,
                                            const struct era_key *key, const char **why)
{
    *why = NULL;
    if (era_ledger_followed(l))
        return ERA_DOMINATED;
    if (!s->charter || (!s->charter->authority_only && s->accept_stake < era_charter_quorum(s->charter))) {
        *why = "validators of too little stake have accepted the new charter";
        return ERA_NOT_APPROVED;
    }
    if (said_another(l, ERA_KIND_CHARTER_APPROVE, s, key)) {
        *why = "this key already approved another charter of that version";
        return ERA_ALREADY_SIGNED;
    }
    return ERA_ACCEPTED;
}

const struct era_item *era_succession_own_close(const struct era_ledger *l, const struct era_key *key)
{
    const struct era_item *said[2];
    uint64_t version = era_ledger_charter(l)->version + 1;
    return era_ledger_spoken(l, ERA_KIND_CLOSE, -1, version, key, said) > 0 ? said[0] : NULL;
}

/* A close of this key that counts: the certificate tells of it even when this store has lost it. */
static const struct era_closed *counted_close(const struct era_charter *old, const struct era_successor *s,
                                              const struct era_key *key)
{
    int validator = era_charter_validator_index(old, key);
    for (size_t i = 0; i < s->close_count; i++)
        if ((int)s->closes[i].validator == validator)
            return &s->closes[i];
    return NULL;
}

static int by_slot(const void *a, const void *b)
{
    const struct era_closed_slot *x = a, *y = b;
    int order = strcmp(x->component, y->component);
    if (order == 0 && x->seq != y->seq)
        order = x->seq < y->seq ? -1 : 1;
    return order ? order : era_hash_cmp(&x->proposal, &y->proposal);
}

static bool name_slot(struct era_close *out, const char *component, uint64_t seq,
                      const struct era_hash *proposal)
{
    if (out->voted_count == ERA_CLOSE_SLOTS_MAX)
        return false;
    struct era_closed_slot *v = &out->voted[out->voted_count++];
    era_text_set(v->component, sizeof v->component, component);
    v->seq = seq;
    v->proposal = *proposal;
    return true;
}

/* What a close names, ascending: of each component the head, and every slot above it that this key voted in.
 * The head too: a validator of the new charter that holds all closes but not yet that certificate would
 * build beside it, and its entries would be lost (erad-protocol(7), doc/model/charter.pml). False: too many.
 */
static bool list_voted(const struct era_ledger *l, const struct era_key *key, struct era_close *out,
                       uint64_t *highest)
{
    const struct era_charter *c = era_ledger_charter(l);
    for (size_t i = 0; i < c->component_count; i++) {
        const struct era_slot *const *slots;
        size_t n = era_ledger_slots(l, (int)i, &slots);
        highest[i] = era_ledger_floor(l, (int)i);
        const struct era_adopted *head = era_ledger_own_head(l, (int)i);
        if (head && !name_slot(out, c->components[i].id, head->seq, &head->proposal))
            return false;
        for (size_t k = 0; k < n; k++) {
            const struct era_item *said[2];
            size_t ids = era_ledger_spoken(l, ERA_KIND_READINESS, (int)i, slots[k]->seq, key, said);
            for (size_t j = 0; j < ids; j++) {
                if (!said[j]->candidate) /* overtaken on its way to the disk */
                    continue;
                if (!name_slot(out, c->components[i].id, slots[k]->seq, &said[j]->candidate->proposal))
                    return false;
                highest[i] = slots[k]->seq;
            }
        }
    }
    qsort(out->voted, out->voted_count, sizeof out->voted[0], by_slot);
    return true;
}

enum era_verdict era_succession_may_close(const struct era_ledger *l, const struct era_successor *s,
                                          const struct era_key *key, bool has_last, uint64_t last,
                                          struct era_close *out, const char **why)
{
    const struct era_charter *c = era_ledger_charter(l);
    uint64_t highest[ERA_COMPONENTS_MAX];
    *why = NULL;
    if (!era_succession_approved(c, s)) {
        *why = "the new charter lacks approvals of old or new signers, or accepts of its validators";
        return ERA_NOT_APPROVED;
    }
    if (era_ledger_followed(l) && !s->certificate) {
        *why = "another charter of that version is adopted";
        return ERA_DOMINATED;
    }
    if (said_another(l, ERA_KIND_CLOSE, s, key)) {
        *why = "this validator already closed for another charter of that version";
        return ERA_ALREADY_SIGNED;
    }
    if (era_succession_own_close(l, key) || counted_close(c, s, key))
        return ERA_DUPLICATE;
    *out = (struct era_close){
        .version = c->version + 1, .charter = s->hash, .has_last = has_last, .last = has_last ? last : 0};
    if (!list_voted(l, key, out, highest)) {
        *why = "this validator voted in more open slots than a close can name: wait until some are adopted";
        return ERA_FULL;
    }
    for (size_t i = 0; i < c->component_count; i++)
        if (s->charter->carried[i].seq < highest[i]) {
            *why = "the new charter carries a component only to a slot below one this validator voted in";
            return ERA_NOT_EXTENDING;
        }
    return ERA_ACCEPTED;
}

static bool bars(const struct era_successor *s, const struct era_close *close, uint64_t epoch)
{
    return s->charter && epoch >= s->charter->effective && (!close->has_last || epoch > close->last);
}

bool era_succession_bars_lease(const struct era_ledger *l, const struct era_key *key, uint64_t epoch)
{
    struct era_statement *s = malloc(sizeof *s);
    assert(s);
    const struct era_item *own = era_succession_own_close(l, key); /* on its way to the disk, too */
    bool barred = own && (!era_ledger_statement(l, own, s) || bars(own->successor, &s->u.close, epoch));
    free(s);
    for (const struct era_successor *k = era_ledger_successors(l); k && !barred; k = k->next) {
        const struct era_closed *counted = counted_close(era_ledger_charter(l), k, key);
        barred = counted && bars(k, counted->text, epoch);
    }
    return barred;
}

/* ---- which charter counts when ---- */

struct bar {
    uint64_t from, stake;
};

static int by_from(const void *a, const void *b)
{
    const struct bar *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

uint64_t era_succession_counts_from(const struct era_charter *old, const struct era_successor *s)
{
    if (old->authority_only)
        return s->charter->effective;
    struct bar *bars = calloc(old->validator_count + 1, sizeof *bars);
    assert(bars);
    for (size_t i = 0; i < s->close_count; i++) {
        const struct era_closed *k = &s->closes[i];
        struct bar *bar = &bars[k->validator];
        uint64_t from = k->text->has_last ? k->text->last + 1 : 0;
        if (bar->stake == 0 || from < bar->from)
            *bar = (struct bar){from, old->validators[k->validator].stake};
    }
    qsort(bars, old->validator_count, sizeof *bars, by_from);
    uint64_t stake = 0, from = UINT64_MAX;
    for (size_t v = 0; v < old->validator_count && from == UINT64_MAX; v++) {
        stake += bars[v].stake;
        if (stake >= era_charter_quorum(old))
            from = bars[v].from > s->charter->effective ? bars[v].from : s->charter->effective;
    }
    free(bars);
    return from;
}

bool era_succession_counts_next(const struct era_ledger *l, uint64_t epoch)
{
    const struct era_successor *s = era_ledger_next(l, NULL);
    return s && epoch >= s->counts_from;
}

/* ---- what older charters bind (extending rule, leases) ---- */

struct inherited {
    struct era_voted *out;
    size_t count, cap;
};

static void inherit(const struct era_ledger *older, struct inherited *in, const struct era_hash *proposal)
{
    for (size_t i = 0; i < in->count; i++)
        if (era_hash_eq(&in->out[i].proposal, proposal))
            return;
    if (in->count == in->cap)
        return;
    const struct era_candidate *c = era_ledger_candidate(older, proposal);
    in->out[in->count++] = (struct era_voted){.proposal = *proposal, .plan = c && c->known ? c->plan : NULL};
}

static void inherit_own(const struct era_ledger *older, int component, const struct era_key *key,
                        uint64_t above, struct inherited *in)
{
    const struct era_slot *const *slots;
    size_t n = era_ledger_slots(older, component, &slots);
    for (size_t i = 0; i < n; i++) {
        const struct era_item *said[2];
        size_t ids = era_ledger_spoken(older, ERA_KIND_READINESS, component, slots[i]->seq, key, said);
        for (size_t j = 0; j < ids && slots[i]->seq > above; j++)
            if (said[j]->candidate)
                inherit(older, in, &said[j]->candidate->proposal);
    }
}

static void inherit_closed(const struct era_ledger *older, int component, const struct era_successor *s,
                           uint64_t above, struct inherited *in)
{
    const char *id = era_ledger_charter(older)->components[component].id;
    for (size_t i = 0; i < s->close_count; i++)
        for (size_t k = 0; k < s->closes[i].text->voted_count; k++) {
            const struct era_closed_slot *v = &s->closes[i].text->voted[k];
            if (v->seq > above && strcmp(v->component, id) == 0)
                inherit(older, in, &v->proposal);
        }
}

size_t era_succession_inherited(const struct era_ledger *l, int component, const struct era_key *key,
                                const struct era_proposal *p, struct era_voted *out, size_t cap)
{
    struct inherited in = {.out = out, .cap = cap};
    const char *id = era_ledger_charter(l)->components[component].id;
    for (; l->older && !era_ledger_own_head(l, component); l = l->older) {
        const struct era_charter *c = era_ledger_charter(l->older);
        const struct era_component *there = era_charter_component(c, id);
        const struct era_successor *s = era_ledger_next(l->older, NULL);
        if (!there || !s)
            break; /* it begins with this charter */
        component = (int)(there - c->components);
        if (p && era_proposal_drops(p, &c->hash))
            continue;
        const struct era_adopted *head = era_ledger_own_head(l->older, component);
        uint64_t above = head ? head->seq : 0;
        inherit_own(l->older, component, key, above, &in);
        inherit_closed(l->older, component, s, above, &in);
    }
    return in.count;
}

/* ---- what a slot of the new charter may change, and when ---- */

bool era_succession_counts_here(const struct era_ledger *l, uint64_t epoch)
{
    return !l->older || era_succession_counts_next(l->older, epoch);
}

static bool changes_what_counts(const struct era_ledger *l, const struct era_extending *x,
                                const struct era_proposal *p)
{
    for (size_t i = 0; i < p->plan.count; i++)
        if (p->plan.entries[i].is_new && p->plan.entries[i].has_effective &&
            !era_succession_counts_here(l, p->plan.entries[i].effective))
            return false;
    for (size_t i = 0; i < x->prev_plan->count; i++)
        if (x->prev_plan->entries[i].has_effective && era_proposal_drops(p, &x->prev_plan->entries[i].hash) &&
            !era_succession_counts_here(l, x->prev_plan->entries[i].effective))
            return false;
    return true;
}

static bool leaves_out_what_counts(const struct era_ledger *l, const struct era_extending *x,
                                   const struct era_proposal *p)
{
    for (size_t v = 0; v < x->voted_count; v++)
        for (size_t i = 1; i < x->voted[v].plan->count; i++) {
            const struct era_entry *e = &x->voted[v].plan->entries[i];
            if (e->has_effective && e->effective > x->epoch && era_plan_find(&p->plan, &e->hash) < 0 &&
                era_plan_find(x->prev_plan, &e->hash) < 0 && !era_succession_counts_here(l, e->effective))
                return false;
        }
    return true;
}

enum era_verdict era_succession_may_change(const struct era_ledger *l, const struct era_extending *x,
                                           const struct era_proposal *p, const char **why)
{
    if (changes_what_counts(l, x, p) && leaves_out_what_counts(l, x, p))
        return ERA_ACCEPTED;
    *why = "it adds or drops an entry at an epoch that still counts under the charter before";
    return ERA_SHORT_NOTICE;
}
