/* Honest signers: propose, review, approve, reject, as eractl lets them. Each
 * has a record of what it approved, kept apart from any node and never lost:
 * written before the signature exists (R3). */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/succession.h"
#include "src/core/vote.h"
#include "src/erasim/people.h"

#define LOOK_LEAST_MS   6000
#define LOOK_MOST_MS    14000
#define PATIENCE_EPOCHS 2 /* a slot that is split or hidden is left after so long (R13) */
#define REJECTS_PERCENT 6 /* of proposals, by one signer */

/* ---- the record ---- */

const struct approval *signer_find(const struct signer *g, uint64_t charter_version, uint64_t seq)
{
    for (size_t i = 0; i < g->approval_count; i++)
        if (g->approvals[i].charter_version == charter_version && g->approvals[i].seq == seq)
            return &g->approvals[i];
    return NULL;
}

uint64_t signer_floor(const struct signer *g, uint64_t charter_version)
{
    uint64_t floor = 0;
    for (size_t i = 0; i < g->approval_count; i++)
        if (g->approvals[i].charter_version == charter_version && g->approvals[i].seq > floor)
            floor = g->approvals[i].seq;
    return floor;
}

/* ---- what a signer sees through a node ---- */

struct look {
    struct sim_node *n;
    const struct era_charter *charter;
    const struct era_ledger *ledger;
    int component;
    struct era_view view;
    size_t slot_count;
    const struct era_slot *const *slots;
};

static bool look(struct sim *s, const struct signer *g, struct look *l)
{
    l->n = cast_ask_for(s, g);
    if (!l->n)
        return false;
    l->charter = era_node_charter(l->n->node);
    l->ledger = era_node_ledger(l->n->node);
    const struct era_component *c = era_charter_component(l->charter, g->component);
    if (!c || era_charter_signer_index(c, &g->key->secret.key) < 0)
        return false;
    l->component = (int)(c - l->charter->components);
    /* A person does not sign by a clock in doubt (R14). */
    if (era_node_gate(l->n->node, era_node_network_component(l->n->node))->state == ERA_GATE_CLOCK)
        return false;
    era_node_view(l->n->node, l->component, &l->view);
    l->slot_count = era_ledger_slots(l->ledger, l->component, &l->slots);
    return true;
}

static void submit(struct sim *s, const struct look *l, struct era_bytes envelope)
{
    sim_ask(s, l->n, (struct era_command){.kind = ERA_CMD_SUBMIT, .bytes = envelope});
}

/* ---- reviewing ---- */

static void sign_approval(struct sim *s, struct signer *g, const struct look *l,
                          const struct era_candidate *c)
{
    struct era_statement *st = s->cast->draft;
    memset(st, 0, sizeof *st);
    st->kind = ERA_KIND_APPROVE;
    era_text_set(st->u.vote.slot.component, sizeof st->u.vote.slot.component, g->component);
    st->u.vote.slot.charter_version = c->charter_version;
    st->u.vote.slot.seq = c->seq;
    st->u.vote.proposal = c->proposal;
    submit(s, l, cast_signed(s, st, g->key, NULL));
}

static void reject(struct sim *s, struct signer *g, const struct look *l, const struct era_candidate *c)
{
    struct era_statement *st = s->cast->draft;
    memset(st, 0, sizeof *st);
    st->kind = ERA_KIND_REJECT;
    era_text_set(st->u.reject.slot.component, sizeof st->u.reject.slot.component, g->component);
    st->u.reject.slot.charter_version = c->charter_version;
    st->u.reject.slot.seq = c->seq;
    st->u.reject.proposal = c->proposal;
    era_text_set(st->u.reject.reason, sizeof st->u.reject.reason, "too early for the field");
    submit(s, l, cast_signed(s, st, g->key, NULL));
}

static enum era_verdict judge(const struct signer *g, const struct look *l, const struct era_candidate *c)
{
    struct era_proposal *p = malloc(sizeof *p);
    assert(p);
    struct era_approver a = {.charter = l->charter,
                             .component = l->component,
                             .head_plan = l->view.plan,
                             .head = l->view.head_ref,
                             .epoch = l->view.epoch,
                             .signed_floor = signer_floor(g, l->charter->version)};
    enum era_verdict v = ERA_NOT_FOUND;
    if (era_ledger_proposal(l->ledger, &c->proposal, p))
        v = era_vote_approve(&a, p, NULL);
    free(p);
    return v;
}

static void review(struct sim *s, struct actor *a, const struct look *l, const struct era_candidate *c)
{
    struct signer *g = a->who;
    struct sighting *seen = cast_sighting(&g->seen, &c->proposal);
    if (!seen)
        seen = cast_sight(&g->seen, &c->proposal, s->now_ms, &a->prng, s->plan.epoch_ms);
    if (s->now_ms < seen->due_ms)
        return;
    const struct approval *mine = signer_find(g, c->charter_version, c->seq);
    int index = era_charter_signer_index(&l->charter->components[l->component], &g->key->secret.key);
    if (mine) {
        /* Signed before, and not held here: it was lost on the way, or this is another node. */
        if (era_hash_eq(&mine->proposal, &c->proposal) && !(c->approved_by >> index & 1))
            sign_approval(s, g, l, c);
        return;
    }
    if (seen->mood < REJECTS_PERCENT) {
        uint64_t floor = era_ledger_floor(l->ledger, l->component), own = signer_floor(g, c->charter_version);
        bool timely = c->seq <= (floor > own ? floor : own) + ERA_SIGN_WINDOW_SEQS; /* R2 */
        if (timely && l->view.epoch <= c->expiry && !seen->done && !(c->rejected_by >> index & 1))
            reject(s, g, l, c);
        seen->done = true;
        return;
    }
    if (judge(g, l, c) != ERA_ACCEPTED || g->approval_count == CAST_RECORD_MAX)
        return;
    g->approvals[g->approval_count++] = (struct approval){c->charter_version, c->seq, c->proposal};
    sign_approval(s, g, l, c);
}

/* ---- proposing ---- */

static struct guild *guild_of(struct sim *s, const struct signer *g)
{
    for (size_t i = 0; i < s->cast->guild_count; i++)
        if (strcmp(s->cast->guilds[i].component, g->component) == 0)
            return &s->cast->guilds[i];
    return NULL;
}

static bool approved(const struct era_candidate *c)
{
    return c->known && (unsigned)__builtin_popcountll(c->approved_by) >= c->approvals_needed;
}

/* Something is on its way that may still be adopted, and people still wait for it. */
static bool waits(struct sim *s, struct guild *guild, const struct look *l)
{
    uint64_t patience = PATIENCE_EPOCHS * s->plan.epoch_ms;
    bool waiting = false;
    for (size_t i = 0; i < l->slot_count; i++)
        for (const struct era_candidate *c = l->slots[i]->candidates; c; c = c->slot_next) {
            if (!c->known)
                continue;
            struct sighting *seen = cast_sighting(&guild->seen, &c->proposal);
            if (!seen)
                seen = cast_sight(&guild->seen, &c->proposal, s->now_ms, NULL, 0);
            if (c->expiry >= l->view.epoch && s->now_ms < seen->first_ms + patience)
                waiting = true;
        }
    return waiting;
}

/* Above all that was approved, and where nobody proposed yet, inside the window (R2). 0: no room. */
static uint64_t free_seq(const struct signer *g, const struct look *l)
{
    uint64_t floor = era_ledger_floor(l->ledger, l->component), own = signer_floor(g, l->charter->version);
    floor = floor > own ? floor : own;
    uint64_t seq = floor + 1;
    for (size_t i = 0; i < l->slot_count; i++) {
        bool taken = false;
        for (const struct era_candidate *c = l->slots[i]->candidates; c; c = c->slot_next) {
            if (approved(c) && c->seq >= seq)
                seq = c->seq;
            taken = taken || (c->known && c->seq == seq);
        }
        if (taken)
            seq++;
    }
    return seq <= floor + ERA_SIGN_WINDOW_SEQS ? seq : 0;
}

static enum wish wish_of(struct era_prng *p)
{
    static const unsigned char weights[WISHES] = {34, 28, 10, 12, 10, 6};
    uint64_t draw = era_prng_below(p, 100);
    for (unsigned w = 0; w < WISHES; w++) {
        if (draw < weights[w])
            return (enum wish)w;
        draw -= weights[w];
    }
    return WISH_SOFT;
}

/* Whoever is bound to what is in flight could else not sign this: it is dropped by name. */
static void drop_others(const struct look *l, struct era_proposal *p)
{
    for (size_t i = 0; i < l->slot_count; i++)
        for (const struct era_candidate *c = l->slots[i]->candidates; c; c = c->slot_next)
            if (c->known && c->seq < p->slot.seq && c->ready_count > 0)
                cast_draft_drop(p, &c->proposal);
}

/* What closes name of the charter before binds the new validators too; too much of it goes with its charter.
 */
static void drop_inherited(const struct look *l, struct era_proposal *p)
{
    struct era_voted bound[ERA_DROPS_MAX];
    const struct era_key nobody = {{0}};
    const struct era_ledger *older = era_ledger_older(l->ledger);
    size_t count = era_succession_inherited(l->ledger, l->component, &nobody, p, bound, ERA_DROPS_MAX);
    if (count + p->drop_count >= ERA_DROPS_MAX) {
        for (; older; older = era_ledger_older(older))
            cast_draft_drop(p, &era_ledger_charter(older)->hash);
        return;
    }
    for (size_t i = 0; i < count; i++)
        cast_draft_drop(p, &bound[i].proposal);
}

static bool propose(struct sim *s, struct actor *a, const struct look *l)
{
    struct signer *g = a->who;
    struct era_statement *st = s->cast->draft;
    char text[64];
    snprintf(text, sizeof text, "by %.32s at %llu", g->key->name, (unsigned long long)s->now_ms);
    struct draft_base b = {.charter = l->charter,
                           .component = l->component,
                           .view = &l->view,
                           .seq = free_seq(g, l),
                           .text = text};
    b.urgent = cast_chance(&a->prng, 15);
    b.later = era_prng_below(&a->prng, 3);
    enum wish wish = wish_of(&a->prng);
    memset(st, 0, sizeof *st);
    st->kind = ERA_KIND_PROPOSAL;
    if (b.seq == 0 ||
        (!cast_draft(&b, wish, &st->u.proposal) && !cast_draft(&b, WISH_SOFT, &st->u.proposal) &&
         !cast_draft(&b, WISH_DROP, &st->u.proposal)))
        return false;
    drop_others(l, &st->u.proposal);
    drop_inherited(l, &st->u.proposal);
    submit(s, l, cast_signed(s, st, g->key, NULL));
    sim_tell(s, l->n, "%s proposes for slot %llu of %s", g->key->name, (unsigned long long)b.seq,
             g->component);
    return true;
}

static uint64_t act_signer(struct sim *s, struct actor *a)
{
    struct signer *g = a->who;
    struct guild *guild = guild_of(s, g);
    struct look l;
    if (cast_is_late(s))
        return CAST_NEVER;
    if (look(s, g, &l)) {
        for (size_t i = 0; i < l.slot_count; i++)
            for (const struct era_candidate *c = l.slots[i]->candidates; c; c = c->slot_next)
                if (c->known)
                    review(s, a, &l, c);
        if (s->now_ms >= guild->propose_ms && !waits(s, guild, &l) && propose(s, a, &l))
            guild->propose_ms = s->now_ms + cast_between(&a->prng, s->plan.epoch_ms, 3 * s->plan.epoch_ms);
    }
    return s->now_ms + cast_between(&a->prng, LOOK_LEAST_MS, LOOK_MOST_MS);
}

void cast_hire_signers(struct sim *s)
{
    struct cast *c = s->cast;
    struct era_prng p = sim_stream(s, "signers");
    const struct era_charter *charter = cast_charter(s);
    c->guild_count = charter->component_count;
    c->guilds = cast_alloc(c->guild_count * sizeof *c->guilds);
    for (size_t i = 0; i < c->guild_count; i++) {
        era_text_set(c->guilds[i].component, sizeof c->guilds[i].component, charter->components[i].id);
        c->guilds[i].propose_ms = cast_between(&p, s->plan.epoch_ms / 6, s->plan.epoch_ms);
    }
    for (size_t i = 0; i < c->signer_count; i++) {
        struct signer *g = c->signers[i];
        size_t home = era_prng_below(&p, s->node_count);
        g->home = g->at_home ? g->home : home;
        if (g->key->trust == SIM_HONEST)
            cast_hire(s, act_signer, g, cast_between(&p, 2000, LOOK_MOST_MS), g->key->name);
    }
}
