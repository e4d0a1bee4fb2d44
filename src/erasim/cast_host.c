/* Who looks after a node: the operator, who installs versions and lets it vote;
 * the builder, who rebuilds artefacts; the host program, which emits events. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/semver.h"
#include "src/core/charter.h"
#include "src/core/plan.h"
#include "src/erasim/people.h"

#define LOOK_LEAST_MS    8000
#define LOOK_MOST_MS     16000
#define TRIES_MAX        6  /* of a vote or a rebuild that is refused */
#define MISBUILD_PERCENT 15 /* of rebuilds that differ first, and are repaired */
#define NEVER_PERCENT    5  /* of proposals that this operator does not care to vote for */
#define LATE_PERCENT     20 /* of upgrades that come after the entry began */

/* ---- votes and rebuilds ---- */

static bool approved(const struct era_candidate *c)
{
    return c->known && (unsigned)__builtin_popcountll(c->approved_by) >= c->approvals_needed;
}

/* The last new entry with an artefact: what a rebuild is about. */
static bool asks_rebuild(const struct era_plan *plan)
{
    for (size_t i = plan->count; i-- > 0;)
        if (plan->entries[i].is_new && plan->entries[i].record.artefact_count > 0)
            return true;
    return false;
}

static void notice_build(struct sim *s, struct actor *a, const struct era_candidate *c)
{
    struct caretaker *k = a->who;
    if (asks_rebuild(c->plan) && !cast_sighting(&k->builds, &c->proposal))
        cast_sight(&k->builds, &c->proposal, s->now_ms, &a->prng, s->plan.epoch_ms);
}

/* What differed is repaired, also when the plan was adopted meanwhile. */
static void build(struct sim *s, struct actor *a, struct sim_node *n, struct sighting *seen)
{
    char digest[ERA_DIGEST_BYTES_MAX + 1];
    struct era_entry *e = malloc(sizeof *e);
    size_t index;
    assert(e);
    if (era_node_attest_target(n->node, &seen->proposal, "", e, &index) == ERA_ACCEPTED) {
        const struct era_artefact *artefact = &e->record.artefacts[index];
        bool wrong = seen->tries == 0 && seen->mood < MISBUILD_PERCENT;
        cast_digest(artefact->name, wrong ? "misbuilt" : e->record.version, digest);
        sim_ask(s, n,
                (struct era_command){.kind = ERA_CMD_ATTEST,
                                     .proposal = seen->proposal,
                                     .artefact = artefact->name,
                                     .digest = digest,
                                     .source_digest = "",
                                     .builder = "simulated"});
        seen->tries++;
        seen->done = !wrong;
    }
    seen->due_ms = s->now_ms + cast_between(&a->prng, 10000, 30000);
    free(e);
}

static void build_all(struct sim *s, struct actor *a, struct sim_node *n)
{
    struct caretaker *k = a->who;
    for (size_t i = 0; i < k->builds.count; i++)
        if (!k->builds.list[i].done && s->now_ms >= k->builds.list[i].due_ms)
            build(s, a, n, &k->builds.list[i]);
}

static void vote(struct sim *s, struct actor *a, struct sim_node *n, const struct era_candidate *c)
{
    struct caretaker *k = a->who;
    bool impatient = s->now_ms < k->impatient_until_ms;
    struct sighting *seen = cast_sighting(&k->votes, &c->proposal);
    if (!seen)
        seen = cast_sight(&k->votes, &c->proposal, s->now_ms, &a->prng, 3 * s->plan.epoch_ms / 2);
    if (impatient) {
        sim_strike(s, SIM_FAULT_IMPATIENT, n, "asks for a vote in slot %llu", (unsigned long long)c->seq);
    } else if (s->now_ms < seen->due_ms || seen->tries >= TRIES_MAX || seen->mood < NEVER_PERCENT ||
               !approved(c) || era_node_may_vote(n->node, c, NULL) == ERA_DUPLICATE) {
        return;
    }
    sim_ask(s, n, (struct era_command){.kind = ERA_CMD_READY, .proposal = c->proposal});
    seen->tries += !impatient;
    seen->due_ms = s->now_ms + cast_between(&a->prng, 10000, 30000);
}

static void look_at_proposals(struct sim *s, struct actor *a, struct sim_node *n)
{
    const struct era_ledger *l = era_node_ledger(n->node);
    const struct era_charter *charter = era_node_charter(n->node);
    for (size_t i = 0; i < charter->component_count; i++) {
        const struct era_slot *const *slots;
        size_t count = era_ledger_slots(l, (int)i, &slots);
        for (size_t j = 0; j < count; j++)
            for (const struct era_candidate *c = slots[j]->candidates; c; c = c->slot_next)
                if (c->known && era_node_epoch(n->node) <= c->expiry) {
                    notice_build(s, a, c);
                    vote(s, a, n, c);
                }
    }
}

/* ---- versions ---- */

/* What versions must become so that the record runs: the lower bound of each range that they miss. */
static bool missing(const struct era_record *r, struct era_versions *v)
{
    bool any = false;
    for (int k = 0; k < ERA_VERSION_KINDS; k++) {
        if (era_range_match(r->requires.v[k], v->v[k]))
            continue;
        any = any || era_text_set(v->v[k], sizeof v->v[k], r->requires.v[k] + strspn(r->requires.v[k], ">="));
    }
    return any;
}

/* When the operator installs what an entry asks for: mostly while its notice lasts. */
static uint64_t upgrade_hour(struct sim *s, struct actor *a, const struct era_entry *e)
{
    uint64_t begins = era_mul_sat(e->effective, s->plan.epoch_ms), epoch = s->plan.epoch_ms;
    if (begins <= s->now_ms)
        return s->now_ms + cast_between(&a->prng, 5000, epoch);
    if (cast_chance(&a->prng, LATE_PERCENT))
        return begins + cast_between(&a->prng, 5000, 2 * epoch);
    return cast_between(&a->prng, s->now_ms, begins);
}

static void plan_upgrade(struct sim *s, struct actor *a, struct sim_node *n)
{
    struct caretaker *k = a->who;
    const struct era_charter *charter = era_node_charter(n->node);
    for (size_t i = 0; i < charter->component_count && k->upgrade_ms == CAST_NEVER; i++) {
        struct era_view view;
        era_node_view(n->node, (int)i, &view);
        for (size_t j = view.last < 0 ? 0 : (size_t)view.last; j < view.plan->count; j++) {
            const struct era_entry *e = &view.plan->entries[j];
            k->wanted = n->versions;
            if (!e->has_effective || !missing(&e->record, &k->wanted))
                continue;
            k->upgrade_ms = upgrade_hour(s, a, e);
            if (cast_chance(&a->prng, 30) && k->upgrade_ms > s->now_ms) {
                n->staged = k->wanted;
                sim_versions(s, n);
            }
            break;
        }
    }
}

static void upgrade(struct sim *s, struct caretaker *k, struct sim_node *n)
{
    if (s->now_ms < k->upgrade_ms)
        return;
    k->upgrade_ms = CAST_NEVER;
    n->versions = k->wanted;
    memset(&n->staged, 0, sizeof n->staged);
    sim_versions(s, n);
}

/* ---- events ---- */

static void emit(struct sim *s, struct actor *a, struct sim_node *n)
{
    struct caretaker *k = a->who;
    uint8_t payload[16];
    if (s->now_ms < k->emit_ms)
        return;
    era_put_be64(payload, s->now_ms);
    era_put_be64(payload + 8, n->number);
    sim_ask(s, n,
            (struct era_command){.kind = ERA_CMD_EMIT, .topic = "tick", .bytes = {payload, sizeof payload}});
    k->emit_ms = s->now_ms + cast_between(&a->prng, s->plan.epoch_ms / 2, 3 * s->plan.epoch_ms);
}

static uint64_t act_caretaker(struct sim *s, struct actor *a)
{
    struct caretaker *k = a->who;
    struct sim_node *n = &s->nodes[k->node];
    if (cast_is_late(s))
        return CAST_NEVER;
    upgrade(s, k, n);
    if (n->node) {
        plan_upgrade(s, a, n);
        /* The newest charter takes votes, the one that counts takes events (R10). */
        if (n->key && era_charter_validator_index(era_node_charter(n->node), &n->key->secret.key) >= 0) {
            look_at_proposals(s, a, n);
            build_all(s, a, n);
        }
        if (era_node_validator(n->node) >= 0)
            emit(s, a, n);
    }
    uint64_t next = s->now_ms + cast_between(&a->prng, LOOK_LEAST_MS, LOOK_MOST_MS);
    return k->upgrade_ms > s->now_ms && k->upgrade_ms < next ? k->upgrade_ms : next;
}

void cast_hire_caretakers(struct sim *s)
{
    struct cast *c = s->cast;
    struct era_prng p = sim_stream(s, "caretakers");
    char purpose[2 * ERA_NAME_BYTES_MAX];
    c->caretaker_count = s->node_count;
    c->caretakers = cast_alloc(c->caretaker_count * sizeof *c->caretakers);
    for (size_t i = 0; i < c->caretaker_count; i++) {
        struct caretaker *k = &c->caretakers[i];
        k->node = i;
        k->upgrade_ms = CAST_NEVER;
        k->emit_ms = cast_between(&p, s->plan.epoch_ms / 2, 2 * s->plan.epoch_ms);
        snprintf(purpose, sizeof purpose, "caretaker of %.64s", s->nodes[i].name);
        cast_hire(s, act_caretaker, k, cast_between(&p, 3000, LOOK_MOST_MS), purpose);
    }
}
