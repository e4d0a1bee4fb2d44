/* Readiness: the binding vote of a validator (R4); and what came of votes too late (ARMED). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/plan.h"
#include "src/node/node_internal.h"

enum era_verdict era_node_may_vote(const struct era_node *n, const struct era_candidate *c, const char **why)
{
    if (node_validator_of(n, n->charter) < 0 || n->charter->authority_only) {
        if (why)
            *why = "this node is no validator of the network";
        return ERA_NO_KEY;
    }
    if (n->store_failed) {
        if (why)
            *why = "the store failed: no votes until restart";
        return ERA_STORE_FAILED;
    }
    const char *locked = NULL;
    if (node_locked(n, &locked)) {
        if (why)
            *why = locked;
        return ERA_LOCKED;
    }
    if (n->charter_forked) { /* only a new genesis helps (R12) */
        if (why)
            *why = "two charters of one version are adopted";
        return ERA_FORKED;
    }
    if (n->clock_word.doubtful) /* time decides what may be voted for (R14) */
        return ERA_CLOCK;
    struct era_voter voter = {.key = n->config.secret->key,
                              .initial = &n->initial[c->component],
                              .epoch = n->epoch,
                              .rebuilds = n->rebuilds,
                              .rebuild_count = n->rebuild_count,
                              .artefacts = n->config.artefacts,
                              .artefact_count = n->config.artefact_count,
                              .leases = c->component == n->network_component ? &n->leases : NULL};
    return era_vote_readiness(n->ledger, c, &voter, why);
}

static enum era_verdict vote(struct era_node *n, const struct era_candidate *c, const struct era_reply *reply,
                             const char **why)
{
    enum era_verdict v = era_node_may_vote(n, c, why);
    if (v != ERA_ACCEPTED)
        return v;
    struct era_statement *s = calloc(1, sizeof *s);
    assert(s);
    s->kind = ERA_KIND_READINESS;
    s->u.vote.slot.charter_version = c->charter_version;
    s->u.vote.slot.seq = c->seq;
    s->u.vote.proposal = c->proposal;
    era_text_set(s->u.vote.slot.component, sizeof s->u.vote.slot.component,
                 n->charter->components[c->component].id);
    v = node_say(n, s, reply);
    free(s);
    return v;
}

static bool casts_by_itself(const struct era_node *n, const struct era_plan *plan)
{
    switch (era_plan_news(plan)) {
    case ERA_NEWS_DROPS:
        return n->config.auto_dropped;
    case ERA_NEWS_ANNOUNCED:
        return n->config.auto_announced;
    case ERA_NEWS_SOFT:
        return n->config.auto_soft;
    case ERA_NEWS_BREAKING:
        return n->config.auto_breaking;
    }
    return false;
}

/* Votes that the configuration lets the daemon cast, lowest slot first. */
void node_cast_votes(struct era_node *n)
{
    if (!n->started || n->store_failed || node_locked(n, NULL) || node_validator_of(n, n->charter) < 0)
        return;
    for (size_t comp = 0; comp < n->charter->component_count; comp++) {
        const struct era_slot *const *slots;
        size_t count = era_ledger_slots(n->ledger, (int)comp, &slots);
        for (size_t i = 0; i < count; i++)
            for (const struct era_candidate *c = slots[i]->candidates; c; c = c->slot_next)
                if (c->known && c->plan && casts_by_itself(n, c->plan))
                    vote(n, c, NULL, NULL);
    }
}

void node_request_ready(struct era_node *n, const struct era_command *r)
{
    const char *why = NULL;
    const struct era_candidate *c = era_ledger_candidate(n->ledger, &r->proposal);
    if (!c || !c->known) {
        const struct era_adopted *all;
        enum era_verdict v = ERA_NOT_FOUND;
        for (size_t comp = 0; comp < n->charter->component_count; comp++)
            for (size_t i = era_ledger_adopted(n->ledger, (int)comp, &all); i-- > 0;)
                if (era_hash_eq(&all[i].proposal, &r->proposal))
                    v = ERA_DOMINATED;
        node_refuse(n, r->id, v, v == ERA_DOMINATED ? "it is adopted already" : NULL);
        return;
    }
    struct era_reply reply = {.request = r->id, .verdict = ERA_ACCEPTED};
    enum era_verdict v = era_node_may_vote(n, c, &why);
    if (v != ERA_ACCEPTED)
        node_refuse(n, r->id, v, why);
    else
        vote(n, c, &reply, &why);
}

/* ---- ARMED ---- */

static bool told_armed(const struct era_node *n, const struct era_hash *proposal)
{
    for (size_t i = 0; i < n->armed_count; i++)
        if (era_hash_eq(&n->armed[i], proposal))
            return true;
    return false;
}

static void tell_armed(struct era_node *n, const struct era_candidate *c)
{
    char id[ERA_HASH_TEXT_BYTES];
    struct era_signal *s = node_signal(n, ERA_SIG_ARMED, c->component);
    s->proposal = c->proposal;
    s->seq = c->seq;
    node_log(n, ERA_LOG_WARNING,
             "%s: proposal %.16s in slot %llu is armed: it expired after epoch %llu with readiness of stake "
             "%llu, too much to be forgotten; the signers must propose, in a higher slot, a plan that drops "
             "its entries, or contains them while their notice lasts",
             n->charter->components[c->component].id, era_hash_text(&c->proposal, id),
             (unsigned long long)c->seq, (unsigned long long)c->expiry, (unsigned long long)c->ready_stake);
}

/* Once a candidate and run. Nobody waits for it, so that more than can be remembered are told later. */
void node_tell_armed(struct era_node *n)
{
    struct era_hash now[ERA_ARMED_TOLD_MAX];
    size_t armed = 0;
    if (!n->armed_dirty)
        return;
    n->armed_dirty = false;
    for (size_t comp = 0; comp < n->charter->component_count; comp++) {
        const struct era_slot *const *slots;
        size_t count = era_ledger_slots(n->ledger, (int)comp, &slots);
        for (size_t i = 0; i < count; i++)
            for (const struct era_candidate *c = slots[i]->candidates; c; c = c->slot_next) {
                if (armed == ERA_ARMED_TOLD_MAX || !era_vote_armed(n->ledger, c, n->epoch))
                    continue;
                if (!told_armed(n, &c->proposal))
                    tell_armed(n, c);
                now[armed++] = c->proposal;
            }
    }
    memcpy(n->armed, now, armed * sizeof *now);
    n->armed_count = armed;
}
