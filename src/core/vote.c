#include "src/core/vote.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/succession.h"

const struct era_rebuild *era_rebuild_find(const struct era_rebuild *rebuilds, size_t n,
                                           const struct era_hash *entry, const char *artefact)
{
    for (size_t i = 0; i < n; i++)
        if (era_hash_eq(&rebuilds[i].entry, entry) && strcmp(rebuilds[i].artefact, artefact) == 0)
            return &rebuilds[i];
    return NULL;
}

static uint64_t notice_of(const struct era_component *c, bool urgent)
{
    return urgent ? c->urgent_notice_epochs : c->notice_epochs;
}

/* This key's votes above the head, a plan that is not held being NULL; ERA_ALREADY_SIGNED when one lies at or
 * above the candidate's slot. */
static enum era_verdict gather_voted(const struct era_ledger *l, const struct era_candidate *c,
                                     const struct era_voter *voter, struct era_voted *voted, size_t *count,
                                     const char **why)
{
    const struct era_slot *const *slots;
    size_t n = era_ledger_slots(l, c->component, &slots);
    *count = 0;
    for (size_t i = 0; i < n; i++) {
        const struct era_item *said[2];
        size_t ids = era_ledger_spoken(l, ERA_KIND_READINESS, c->component, slots[i]->seq, &voter->key, said);
        for (size_t j = 0; j < ids; j++) {
            const struct era_candidate *v = said[j]->candidate;
            if (slots[i]->seq == c->seq && v == c)
                return ERA_DUPLICATE;
            if (slots[i]->seq >= c->seq) {
                *why = slots[i]->seq == c->seq
                           ? "this validator already voted for another proposal in the slot"
                           : "this validator already voted in a higher slot";
                return ERA_ALREADY_SIGNED;
            }
            if (v)
                voted[(*count)++] = (struct era_voted){v->proposal, v->plan};
        }
    }
    return ERA_ACCEPTED;
}

static bool runs(const struct era_voter *voter, const char *artefact)
{
    for (size_t i = 0; i < voter->artefact_count; i++)
        if (strcmp(voter->artefacts[i], artefact) == 0)
            return true;
    return voter->artefact_count == 0;
}

/* Own rebuild of each artefact it runs, for every new entry with an epoch, if the policy asks. */
static enum era_verdict rebuilt(const struct era_component *component, const struct era_plan *plan,
                                const struct era_voter *voter)
{
    if (component->rebuild_quorum.numerator == 0)
        return ERA_ACCEPTED;
    for (size_t i = 0; i < plan->count; i++) {
        const struct era_entry *e = &plan->entries[i];
        if (!e->is_new || !e->has_effective)
            continue;
        for (size_t a = 0; a < e->record.artefact_count; a++) {
            const struct era_artefact *artefact = &e->record.artefacts[a];
            if (!runs(voter, artefact->name))
                continue;
            const struct era_rebuild *own =
                era_rebuild_find(voter->rebuilds, voter->rebuild_count, &e->hash, artefact->name);
            if (!own)
                return ERA_NO_REBUILD;
            if (strcmp(own->digest, artefact->digest) != 0)
                return ERA_MISMATCH;
        }
    }
    return ERA_ACCEPTED;
}

/* A charter's hash among the drops leaves out all that it left open; seen or not, so only when it counts no
 * more. */
static bool drops_charter(const struct era_ledger *l, const struct era_proposal *p)
{
    for (const struct era_ledger *older = era_ledger_older(l); older; older = era_ledger_older(older))
        if (era_proposal_drops(p, &era_ledger_charter(older)->hash))
            return true;
    return false;
}

/* Slots of older charters bind as if voted in (R10). One whose plan is not held here can only be dropped, by
 * its proposal's id or with its whole charter. */
static enum era_verdict gather_inherited(const struct era_ledger *l, const struct era_candidate *c,
                                         const struct era_voter *voter, const struct era_proposal *p,
                                         struct era_voted *voted, size_t *count, const char **why)
{
    if (!era_ledger_older(l))
        return ERA_ACCEPTED;
    struct era_voted *inherited = voted + *count;
    bool unseen = drops_charter(l, p);
    size_t n = era_succession_inherited(l, c->component, &voter->key, p, inherited, ERA_INHERITED_MAX);
    if (n == ERA_INHERITED_MAX) {
        *why = "more slots of the charter before are open than can be looked through";
        return ERA_FULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (inherited[i].plan) {
            voted[(*count)++] = inherited[i];
        } else if (!era_proposal_drops(p, &inherited[i].proposal)) {
            *why = "a validator that closed the charter before voted for a proposal that is not held here, "
                   "and it "
                   "is not among the drops";
            return ERA_INCOMPLETE;
        } else {
            unseen = true;
        }
    }
    if (!unseen || era_succession_counts_here(l, voter->epoch))
        return ERA_ACCEPTED;
    *why = "it drops what is not held here while the charter before still counts";
    return ERA_SHORT_NOTICE;
}

/* A vote of its own for a plan that this store lost binds all the same: that plan can only be dropped. */
static enum era_verdict keep_held(const struct era_proposal *p, struct era_voted *voted, size_t *count,
                                  const char **why)
{
    size_t held = 0;
    for (size_t i = 0; i < *count; i++) {
        if (voted[i].plan) {
            voted[held++] = voted[i];
        } else if (!era_proposal_drops(p, &voted[i].proposal)) {
            *why = "this validator voted for a proposal that is not held here, and it is not among the drops";
            return ERA_INCOMPLETE;
        }
    }
    *count = held;
    return ERA_ACCEPTED;
}

static enum era_verdict extends(const struct era_ledger *l, const struct era_candidate *c,
                                const struct era_voter *voter, struct era_voted *voted, size_t voted_count,
                                const char **why)
{
    const struct era_component *component = &era_ledger_charter(l)->components[c->component];
    struct era_view view;
    era_view_at(l, voter->initial, c->component, voter->epoch, &view);
    struct era_proposal *p = malloc(sizeof *p);
    assert(p);
    bool known = era_ledger_proposal(l, &c->proposal, p);
    assert(known);
    enum era_verdict v = keep_held(p, voted, &voted_count, why);
    if (v == ERA_ACCEPTED)
        v = gather_inherited(l, c, voter, p, voted, &voted_count, why);
    struct era_extending x = {.prev_plan = view.plan,
                              .prev = view.head_ref,
                              .epoch = voter->epoch,
                              .notice_epochs = notice_of(component, c->urgent),
                              .voted = voted,
                              .voted_count = voted_count};
    if (v == ERA_ACCEPTED)
        v = era_plan_extends(&x, p, why);
    if (v == ERA_ACCEPTED)
        v = era_succession_may_change(l, &x, p, why);
    free(p);
    return v;
}

/* What was leased stays true, whatever this vote brings (R4, R16). */
static enum era_verdict keeps_leases(const struct era_ledger *l, const struct era_candidate *c,
                                     const struct era_voter *voter)
{
    struct era_view view;
    if (!voter->leases)
        return ERA_ACCEPTED;
    era_view_at(l, voter->initial, c->component, voter->epoch, &view);
    return era_leases_allow(voter->leases, c->plan, view.plan) ? ERA_ACCEPTED : ERA_LEASED;
}

enum era_verdict era_vote_readiness(const struct era_ledger *l, const struct era_candidate *c,
                                    const struct era_voter *voter, const char **why)
{
    const char *ignored;
    if (!why)
        why = &ignored;
    *why = NULL;
    if (!c->known || (unsigned)__builtin_popcountll(c->approved_by) < c->approvals_needed)
        return ERA_NOT_APPROVED;
    if (c->seq <= era_ledger_floor(l, c->component))
        return ERA_DOMINATED;
    if (era_succession_own_close(l, &voter->key)) {
        *why = "this validator closed the charter: it votes no more under it (R10)";
        return ERA_ALREADY_SIGNED;
    }
    const struct era_slot *const *slots;
    size_t n = era_ledger_slots(l, c->component, &slots), voted_count;
    size_t inherited = era_ledger_older(l) ? ERA_INHERITED_MAX : 0;
    struct era_voted *voted = malloc((2 * n + inherited + 1) * sizeof *voted);
    assert(voted);
    enum era_verdict v = gather_voted(l, c, voter, voted, &voted_count, why);
    if (v == ERA_ACCEPTED && voter->epoch > c->expiry)
        v = ERA_EXPIRED;
    if (v == ERA_ACCEPTED)
        v = extends(l, c, voter, voted, voted_count, why);
    if (v == ERA_ACCEPTED)
        v = keeps_leases(l, c, voter);
    if (v == ERA_ACCEPTED)
        v = rebuilt(&era_ledger_charter(l)->components[c->component], c->plan, voter);
    free(voted);
    return v;
}

bool era_vote_armed(const struct era_ledger *l, const struct era_candidate *c, uint64_t epoch)
{
    const struct era_charter *charter = era_ledger_charter(l);
    return !charter->authority_only && c->known && epoch > c->expiry &&
           c->seq > era_ledger_floor(l, c->component) &&
           c->ready_stake > era_charter_stake_sum(charter) - era_charter_quorum(charter);
}

enum era_verdict era_vote_approve(const struct era_approver *a, const struct era_proposal *p,
                                  const char **why)
{
    const char *ignored;
    if (!why)
        why = &ignored;
    *why = NULL;
    bool here = a->head.some && a->head.charter_version == a->charter->version;
    uint64_t adopted = here ? a->head.seq : 0;
    uint64_t floor = adopted > a->signed_floor ? adopted : a->signed_floor;
    if (p->slot.seq <= adopted)
        return ERA_DOMINATED;
    if (p->slot.seq > floor + ERA_SIGN_WINDOW_SEQS)
        return ERA_BEYOND_WINDOW;
    if (a->epoch > p->expiry)
        return ERA_EXPIRED;
    struct era_extending x = {.prev_plan = a->head_plan,
                              .prev = a->head,
                              .epoch = a->epoch,
                              .notice_epochs = notice_of(&a->charter->components[a->component], p->urgent),
                              .voted = a->voted,
                              .voted_count = a->voted_count};
    enum era_verdict v = era_plan_well_formed(p, why);
    return v == ERA_ACCEPTED ? era_plan_extends(&x, p, why) : v;
}
