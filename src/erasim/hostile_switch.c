#include "src/erasim/hostile_switch.h"

#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/succession.h"

#define SCHEME_SIDE  9  /* of a net that fell apart: no strike uses it */
#define READY_MOOD   99 /* of a signer who was talked into it: never rejects */
#define LATE_PERCENT 12 /* of seeds */
#define DROP_PERCENT 24 /* of seeds, those before included */
#define TURN_PERCENT 60 /* of the other seeds whose next charter keeps validators */
#define LOOK_MS      1000

enum { IDLE, PROPOSED, ADOPTED, HELD, APART, BEGUN };

/* ---- what schemes do ---- */

bool switch_look(struct sim *s, struct stage *v)
{
    v->n = NULL;
    for (size_t i = 0; i < s->node_count && !v->n; i++) {
        struct sim_node *n = cast_ask_whom(s, i);
        if (n && n->side == 0)
            v->n = n;
    }
    if (!v->n)
        return false;
    v->charter = era_node_charter(v->n->node);
    v->ledger = era_node_ledger(v->n->node);
    v->component = era_node_network_component(v->n->node);
    era_node_view(v->n->node, v->component, &v->view);
    v->epoch = sim_true_epoch(s);
    v->offset_ms = s->now_ms % s->plan.epoch_ms;
    return true;
}

void switch_tell(struct sim *s, struct era_bytes envelope)
{
    for (size_t i = 0; i < s->node_count; i++)
        if (s->nodes[i].side != SCHEME_SIDE)
            hostile_say(s, i, envelope);
}

void switch_call(struct sim *s, struct actor *a, const void *who)
{
    for (size_t i = 0; i < s->cast->actor_count; i++) {
        struct actor *other = s->cast->actors[i];
        uint64_t soon = s->now_ms + cast_between(&a->prng, 200, 2000);
        if (other->who == who && other != a && other->next_ms != CAST_NEVER && other->next_ms > soon)
            other->next_ms = soon;
    }
}

static const struct era_component *network_of(const struct stage *v)
{
    return &v->charter->components[v->component];
}

static bool signs(const struct stage *v, const struct signer *g)
{
    return era_charter_signer_index(network_of(v), &g->key->secret.key) >= 0 &&
           strcmp(g->component, network_of(v)->id) == 0;
}

static const struct sim_key *author(const struct sim *s, const struct stage *v)
{
    for (size_t i = 0; i < s->cast->signer_count; i++)
        if (s->cast->signers[i]->key->trust == SIM_FAULTY && signs(v, s->cast->signers[i]))
            return s->cast->signers[i]->key;
    return NULL;
}

/* Above all that is there. */
static uint64_t new_seq(const struct stage *v)
{
    const struct era_slot *const *slots;
    size_t count = era_ledger_slots(v->ledger, v->component, &slots);
    uint64_t floor = era_ledger_floor(v->ledger, v->component), seq = floor + 1;
    for (size_t i = 0; i < count; i++)
        for (const struct era_candidate *c = slots[i]->candidates; c; c = c->slot_next)
            if (c->known && c->seq >= seq)
                seq = c->seq + 1;
    return seq <= floor + ERA_SIGN_WINDOW_SEQS ? seq : 0;
}

static void drop_voted(const struct stage *v, struct era_proposal *p)
{
    const struct era_slot *const *slots;
    size_t count = era_ledger_slots(v->ledger, v->component, &slots);
    for (size_t i = 0; i < count; i++)
        for (const struct era_candidate *c = slots[i]->candidates; c; c = c->slot_next)
            if (c->known && c->seq < p->slot.seq && c->ready_count > 0)
                cast_draft_drop(p, &c->proposal);
}

bool switch_propose(struct sim *s, struct actor *a, const struct stage *v, enum wish wish, uint64_t later,
                    uint64_t expiry)
{
    struct scheme *c = s->cast->crew->scheme;
    struct draft_base b = {.charter = v->charter,
                           .component = v->component,
                           .view = &v->view,
                           .seq = new_seq(v),
                           .later = later,
                           .text = "by a scheme"};
    const struct sim_key *key = author(s, v);
    struct era_proposal *p = &hostile_begin(s, ERA_KIND_PROPOSAL)->u.proposal;
    if (b.seq == 0 || !key || !cast_draft(&b, wish, p))
        return false;
    drop_voted(v, p);
    p->expiry = p->expiry < expiry ? p->expiry : expiry;
    c->seq = b.seq;
    if (wish != WISH_DROP)
        c->effective = p->plan.entries[p->plan.count - 1].effective;
    switch_tell(s, cast_signed(s, s->cast->draft, key, &c->proposal));
    for (size_t i = 0; i < s->cast->signer_count; i++) {
        struct signer *g = s->cast->signers[i];
        if (g->key->trust != SIM_HONEST || !signs(v, g))
            continue;
        cast_sight(&g->seen, &c->proposal, s->now_ms, NULL, 0)->mood = READY_MOOD;
        switch_call(s, a, g);
    }
    return true;
}

void switch_approve(struct sim *s, const struct stage *v)
{
    const struct scheme *c = s->cast->crew->scheme;
    for (size_t i = 0; i < s->cast->signer_count; i++) {
        const struct signer *g = s->cast->signers[i];
        if (g->key->trust == SIM_FAULTY && signs(v, g))
            switch_tell(
                s, hostile_vote(s, ERA_KIND_APPROVE, v->charter, v->component, c->seq, &c->proposal, g->key));
    }
}

void switch_ready(struct sim *s, const struct era_charter *charter, int component)
{
    const struct crew *crew = s->cast->crew;
    for (size_t i = 0; i < crew->validator_count; i++)
        if (era_charter_validator_index(charter, &crew->validators[i]->secret.key) >= 0)
            switch_tell(s, hostile_vote(s, ERA_KIND_READINESS, charter, component, crew->scheme->seq,
                                        &crew->scheme->proposal, crew->validators[i]));
}

const struct era_candidate *switch_candidate(const struct stage *v, const struct era_hash *proposal)
{
    const struct era_slot *const *slots;
    size_t count = era_ledger_slots(v->ledger, v->component, &slots);
    for (size_t i = 0; i < count; i++)
        for (const struct era_candidate *c = slots[i]->candidates; c; c = c->slot_next)
            if (c->known && era_hash_eq(&c->proposal, proposal))
                return c;
    return NULL;
}

bool switch_is_ripe(const struct sim *s, const struct stage *v, const struct era_candidate *c)
{
    const struct crew *crew = s->cast->crew;
    uint64_t stake = c->ready_stake;
    for (size_t i = 0; i < crew->validator_count; i++) {
        int at = era_charter_validator_index(v->charter, &crew->validators[i]->secret.key);
        if (at >= 0 && !(c->ready_by && c->ready_by[at / 8] >> (at % 8) & 1))
            stake += v->charter->validators[at].stake;
    }
    return stake >= c->readiness_needed;
}

bool switch_is_head(const struct sim *s, const struct stage *v)
{
    return v->view.head_ref.some && era_hash_eq(&v->view.head_ref.proposal, &s->cast->crew->scheme->proposal);
}

static uint64_t stake_of(const struct stage *v, const struct sim_node *n)
{
    int at = n->key ? era_charter_validator_index(v->charter, &n->key->secret.key) : -1;
    return at < 0 ? 0 : v->charter->validators[at].stake;
}

static bool may_part(const struct sim *s, const struct stage *v, size_t i)
{
    const struct sim_node *n = &s->nodes[i];
    return n != v->n && n->node && n->trust == SIM_HONEST && n->side == 0;
}

/* Links of the nodes that are up lead from the crew's witness to all others but these two. */
static bool holds_together(const struct sim *s, const struct stage *v, size_t one, size_t two)
{
    bool *reached = cast_alloc(s->node_count * sizeof *reached);
    size_t *queue = cast_alloc(s->node_count * sizeof *queue), count = 1, up = 0;
    queue[0] = v->n->number;
    reached[queue[0]] = true;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < s->node_count; j++)
            if (!reached[j] && j != one && j != two && s->nodes[j].side == 0 && sim_linked(s, queue[i], j))
                reached[queue[count++] = j] = true;
    for (size_t j = 0; j < s->node_count; j++)
        up += j != one && j != two && s->nodes[j].node && s->nodes[j].side == 0;
    free(reached);
    free(queue);
    return count >= up;
}

static bool part(struct sim *s, const struct stage *v, size_t first, bool together)
{
    struct scheme *c = s->cast->crew->scheme;
    uint64_t most = era_charter_stake_sum(v->charter) - era_charter_quorum(v->charter);
    for (size_t i = 0; i < s->node_count; i++)
        for (size_t j = 0; j < s->node_count; j++) {
            size_t one = (first + i) % s->node_count, two = (first + j) % s->node_count;
            uint64_t stake = stake_of(v, &s->nodes[one]), both = stake + stake_of(v, &s->nodes[two]);
            if (one == two || stake == 0 || both > most || !may_part(s, v, one) || !may_part(s, v, two) ||
                !sim_linked(s, one, two) || (together && !holds_together(s, v, one, two)))
                continue;
            c->apart[0] = one;
            c->apart[1] = two;
            c->is_apart = true;
            sim_side(s, one, SCHEME_SIDE);
            sim_side(s, two, SCHEME_SIDE);
            return true;
        }
    return false;
}

bool switch_part(struct sim *s, struct actor *a, const struct stage *v)
{
    size_t first = era_prng_below(&a->prng, s->node_count);
    return part(s, v, first, true) || part(s, v, first, false);
}

void switch_join(struct sim *s)
{
    struct scheme *c = s->cast->crew->scheme;
    for (size_t i = 0; i < 2 && c->is_apart; i++)
        if (s->nodes[c->apart[i]].side == SCHEME_SIDE)
            sim_side(s, c->apart[i], 0);
    c->is_apart = false;
}

void switch_emit(struct sim *s, struct actor *a, size_t node)
{
    struct caretaker *k = &s->cast->caretakers[node];
    k->emit_ms = s->now_ms;
    switch_call(s, a, k);
}

void switch_rest(struct sim *s, struct actor *a)
{
    struct scheme *c = s->cast->crew->scheme;
    switch_join(s);
    c->phase = IDLE;
    c->due_ms = s->now_ms + cast_between(&a->prng, s->plan.epoch_ms / 2, 2 * s->plan.epoch_ms);
}

/* ---- votes that are shown late (R16) ---- */

bool switch_open(struct sim *s, struct actor *a, const struct stage *v, uint64_t later)
{
    struct scheme *c = s->cast->crew->scheme;
    if (!c->is_apart && (v->offset_ms > s->plan.epoch_ms / 2 || !switch_part(s, a, v)))
        return false;
    if (!switch_propose(s, a, v, WISH_SOFT, later, v->epoch)) {
        switch_join(s);
        return false;
    }
    switch_approve(s, v);
    c->due_ms = s->now_ms + 8000;
    c->expiry = v->epoch;
    return true;
}

static void late(struct sim *s, struct actor *a, const struct stage *v)
{
    struct scheme *c = s->cast->crew->scheme;
    const struct era_candidate *k = switch_candidate(v, &c->proposal);
    if (v->epoch > c->expiry)
        switch_join(s);
    switch (c->phase) {
    case IDLE:
        if (switch_open(s, a, v, 0))
            c->phase = PROPOSED;
        return;
    case PROPOSED:
        if (!k || switch_is_head(s, v) || v->epoch > c->effective) {
            switch_rest(s, a);
        } else if (v->epoch == c->effective) {
            for (size_t i = 0; i < s->node_count; i++)
                if (cast_chance(&a->prng, 50))
                    switch_emit(s, a, i);
            c->due_ms = s->now_ms + cast_between(&a->prng, 5000, s->plan.epoch_ms / 2);
            c->phase = BEGUN;
        }
        return;
    default:
        if (k && switch_is_ripe(s, v, k)) {
            switch_ready(s, v->charter, v->component);
            sim_strike(s, SIM_FAULT_WITHHELD, v->n, "votes that adopt slot %llu are shown in its epoch %llu",
                       (unsigned long long)c->seq, (unsigned long long)c->effective);
        }
        switch_rest(s, a);
    }
}

/* ---- an entry that was leased is dropped (R4) ---- */

bool switch_pick(struct scheme *c, const struct stage *v)
{
    const struct era_plan *plan = v->view.plan;
    const struct era_entry *e = &plan->entries[plan->count - 1];
    if (v->view.current < 0 || (size_t)v->view.current + 1 != plan->count - 1 || !e->has_effective ||
        e->effective < v->epoch + 2)
        return false;
    c->effective = e->effective;
    return true;
}

void switch_emit_apart(struct sim *s, struct actor *a, const struct stage *v)
{
    struct scheme *c = s->cast->crew->scheme;
    if (v->epoch > c->effective || (v->epoch == c->effective && v->offset_ms > s->plan.epoch_ms / 2)) {
        switch_rest(s, a);
        c->is_over = c->kind == SCHEME_LAST;
    } else if (v->epoch == c->effective) {
        switch_emit(s, a, c->apart[0]);
        switch_emit(s, a, c->apart[1]);
        c->due_ms = s->now_ms + 8000;
    }
}

static void drop_leased(struct sim *s, struct actor *a, const struct stage *v)
{
    struct scheme *c = s->cast->crew->scheme;
    switch (c->phase) {
    case IDLE:
        if (switch_pick(c, v))
            c->phase = ADOPTED;
        else if (switch_propose(s, a, v, WISH_SOFT, 0, v->epoch + 1)) {
            switch_approve(s, v);
            c->due_ms = s->now_ms + 8000;
            c->phase = PROPOSED;
        }
        return;
    case PROPOSED:
        switch_ready(s, v->charter, v->component);
        c->due_ms = s->now_ms + 10000;
        if (switch_pick(c, v))
            c->phase = ADOPTED;
        else if (!switch_candidate(v, &c->proposal) || v->epoch + 2 > c->effective)
            switch_rest(s, a);
        return;
    case ADOPTED:
        if (v->epoch + 2 > c->effective)
            switch_rest(s, a);
        else if (v->epoch + 2 == c->effective && switch_propose(s, a, v, WISH_DROP, 0, c->effective))
            c->phase = HELD;
        return;
    case HELD:
        if (v->epoch + 1 > c->effective)
            switch_rest(s, a);
        else if (v->epoch + 1 == c->effective && v->offset_ms > SWITCH_LEASED_MS(s) && switch_part(s, a, v)) {
            sim_strike(s, SIM_FAULT_BAD_SIGNER, v->n, "an entry of epoch %llu is dropped when it is leased",
                       (unsigned long long)c->effective);
            c->phase = APART;
        }
        return;
    case APART:
        switch_approve(s, v);
        switch_ready(s, v->charter, v->component);
        c->phase = BEGUN;
        return;
    default:
        switch_emit_apart(s, a, v);
    }
}

/* ---- life ---- */

static const char *const names[SCHEMES] = {"late", "drop", "bound", "open", "last"};

static uint64_t act_switch(struct sim *s, struct actor *a)
{
    struct scheme *c = s->cast->crew->scheme;
    struct stage v;
    if (hostile_over(s) || c->is_over) {
        switch_join(s);
        c->is_over = true;
        return CAST_NEVER;
    }
    if (s->now_ms >= c->due_ms && switch_look(s, &v)) {
        unsigned before = c->phase;
        if (c->kind == SCHEME_LATE)
            late(s, a, &v);
        else if (c->kind == SCHEME_DROP)
            drop_leased(s, a, &v);
        else
            switch_charter(s, a, &v);
        if (c->phase != before || c->is_over)
            sim_tell(s, NULL, "the scheme %s goes from step %u to %u%s", names[c->kind], before, c->phase,
                     c->is_over ? ", and ends" : "");
    }
    return s->now_ms + LOOK_MS;
}

bool hostile_switch_keeps(const struct sim *s)
{
    const struct scheme *c = s->cast->crew->scheme;
    return c && !c->is_over && c->phase != IDLE;
}

bool hostile_switch_keeps_charter(const struct sim *s)
{
    const struct scheme *c = s->cast->crew->scheme;
    return c && !c->is_over && c->kind >= SCHEME_BOUND;
}

bool hostile_switch_is_tight(const struct sim *s)
{
    const struct scheme *c = s->cast->crew ? s->cast->crew->scheme : NULL;
    return c && c->kind == SCHEME_BOUND;
}

/* Nobody of the next charter was a validator before. */
static bool is_disjoint(const struct sim *s)
{
    const struct era_charter *next = s->cast->rotations[0].draft;
    size_t both = 0;
    for (size_t i = 0; i < next->validator_count; i++)
        both += era_charter_validator_index(s->charters[0], &next->validators[i].key) >= 0;
    return both == 0;
}

static bool choose(const struct sim *s, struct era_prng *p, enum scheme_kind *out)
{
    uint64_t draw = era_prng_below(p, 100);
    bool turn = cast_chance(p, TURN_PERCENT), half = cast_chance(p, 50);
    if (draw < DROP_PERCENT && s->plan.strict)
        *out = draw < LATE_PERCENT ? SCHEME_LATE : SCHEME_DROP;
    else if (hostile_turn_is_alone(s))
        return false;
    else if (s->cast->rotation_count > 0 && is_disjoint(s))
        *out = s->plan.strict && half ? SCHEME_LAST : SCHEME_OPEN;
    else if (s->cast->rotation_count > 0 && turn)
        *out = SCHEME_BOUND;
    else
        return false;
    return true;
}

void hostile_hire_switch(struct sim *s)
{
    struct era_prng p = sim_stream(s, "scheme");
    enum scheme_kind kind;
    if (!s->plan.bounded || !cast_may(s, SIM_FAULT_BAD_SIGNER) || !cast_may(s, SIM_FAULT_BAD_VALIDATOR) ||
        !cast_may(s, SIM_FAULT_WITHHELD) || !cast_may(s, SIM_FAULT_PARTITION) || !choose(s, &p, &kind))
        return;
    struct scheme *c = s->cast->crew->scheme = cast_alloc(sizeof *c);
    c->kind = kind;
    c->due_ms = cast_between(&p, s->plan.epoch_ms / 2, 2 * s->plan.epoch_ms);
    cast_hire(s, act_switch, NULL, cast_between(&p, 4000, 6000), "scheme");
}

void hostile_switch_free(struct scheme *c)
{
    if (c)
        free(c->certificate);
    free(c);
}
