/* What was seen, and whether it is what the file expects. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "src/erasim/scenario_parts.h"

/* ---- watching ---- */

static void step_reached(struct scenario *sc, const struct sim_node *n, enum scn_step step,
                         const struct era_hash *proposal)
{
    for (size_t i = 0; i < sc->proposal_count; i++) {
        struct scn_proposal *p = &sc->proposals[i];
        if (p->p && era_hash_eq(&p->id, proposal) && p->step_ms[step][n->number] == UINT64_MAX)
            p->step_ms[step][n->number] = sc->s->now_ms;
    }
}

static void equivocated(struct scenario *sc, const struct sim_node *n, const struct era_signal *g)
{
    const struct era_charter *c = era_node_charter(n->node);
    const char *name = NULL;
    if (g->validator >= 0 && (size_t)g->validator < c->validator_count)
        name = c->validators[g->validator].name;
    else if (g->component >= 0 && g->signer >= 0)
        name = c->components[g->component].signers[g->signer].name;
    size_t key = name ? scn_key_named(sc, name) : SCN_NONE;
    if (key != SCN_NONE)
        sc->evidence[n->number] |= (uint64_t)1 << key;
}

static void signalled(struct scenario *sc, const struct sim_node *n, const struct era_signal *g)
{
    switch (g->kind) {
    case ERA_SIG_PROPOSAL:
        step_reached(sc, n, SCN_HELD, &g->proposal);
        return;
    case ERA_SIG_APPROVED:
        step_reached(sc, n, SCN_APPROVED, &g->proposal);
        return;
    case ERA_SIG_ADOPTED:
        step_reached(sc, n, SCN_ADOPTED, &g->proposal);
        return;
    case ERA_SIG_FAILED:
        step_reached(sc, n, SCN_FAILED, &g->proposal);
        return;
    case ERA_SIG_ARMED:
        step_reached(sc, n, SCN_ARMED, &g->proposal);
        return;
    case ERA_SIG_EQUIVOCATION:
        equivocated(sc, n, g);
        return;
    default: /* what nodes are asked about when it matters, see scn_see */
        return;
    }
}

/* An act whose command was refused is wrong, unless it says so; and the other way round. */
static void replied(struct scenario *sc, const struct sim_node *n, const struct era_reply *r)
{
    const struct scn_act *a = NULL;
    for (size_t i = 0; i < sc->pending_count && !a; i++)
        if (sc->pending[i].request == r->request) {
            a = sc->pending[i].act;
            sc->pending[i] = sc->pending[--sc->pending_count];
        }
    if (!a)
        return;
    bool ok = r->verdict == ERA_ACCEPTED || r->verdict == ERA_DUPLICATE;
    const char *code = era_verdict_code(r->verdict);
    sc->looked += a->refused;
    if (ok == a->refused)
        scn_wrong(sc, a->line, "%s %s this: %s%s%s", n->name, ok ? "accepted" : "refused", code,
                  r->why ? ": " : "", r->why ? r->why : "");
    else if (a->refused && a->text[0] && strcmp(a->text, code) != 0)
        scn_wrong(sc, a->line, "%s refused this as %s, not as %s", n->name, code, a->text);
}

static void stepped(void *ctx, struct sim *s, struct sim_node *n, const struct era_event *event,
                    const struct era_effect *effects, size_t count)
{
    (void)s;
    (void)event;
    for (size_t i = 0; i < count; i++) {
        if (effects[i].kind == ERA_EFF_SIGNAL)
            signalled(ctx, n, &effects[i].signal);
        if (effects[i].kind == ERA_EFF_REPLY)
            replied(ctx, n, &effects[i].reply);
    }
}

/* Events as they leave the node whose key signed them. */
static void left(void *ctx, struct sim *s, struct sim_node *n, const struct era_envelope *e,
                 struct era_bytes bytes)
{
    struct scenario *sc = ctx;
    (void)s;
    (void)bytes;
    if (e->kind != ERA_KIND_EVENT || !n->key || !era_key_eq(&n->key->secret.key, &e->key) ||
        era_statement_decode(e->kind, e->payload, sc->scratch) != ERA_ACCEPTED)
        return;
    const struct era_event_statement *v = &sc->scratch->u.event;
    for (size_t i = 0; i < sc->emitted_count; i++)
        if (sc->emitted[i].epoch == v->epoch && sc->emitted[i].seq == v->seq &&
            era_key_eq(&sc->emitted[i].key, &e->key))
            return;
    if (sc->emitted_count < SCN_EMITTED_MAX)
        sc->emitted[sc->emitted_count++] = (struct scn_emitted){e->key, v->epoch, v->seq, v->entry};
}

void scn_watch(struct scenario *sc)
{
    sim_watch(sc->s, (struct sim_watch){.ctx = sc, .stepped = stepped, .left = left});
}

void scn_pending_end(struct scenario *sc)
{
    for (size_t i = 0; i < sc->pending_count; i++)
        scn_wrong(sc, sc->pending[i].act->line, "this was never answered");
}

/* ---- nodes ---- */

static void see_gate(struct scenario *sc, const struct scn_act *a, const struct sim_node *n)
{
    const struct era_gate *g = era_node_gate(n->node, era_node_network_component(n->node));
    if (g->state != (enum era_gate_state)a->number)
        scn_wrong(sc, a->line, "the gate of %s is %s%s%s", n->name, era_gate_name(g->state),
                  g->cause ? " because of " : "", g->cause ? g->cause->record.version : "");
}

static void see_current(struct scenario *sc, const struct scn_act *a, const struct sim_node *n)
{
    struct era_view view;
    era_node_view(n->node, era_node_network_component(n->node), &view);
    const struct era_entry *e = era_view_entry(&view);
    if (!e)
        scn_wrong(sc, a->line, "%s has no record in force", n->name);
    else if (a->see == SCN_SEE_ERA ? e->record.era != a->number : strcmp(e->record.version, a->text) != 0)
        scn_wrong(sc, a->line, "%s is in era %" PRIu64 ", %s", n->name, e->record.era, e->record.version);
}

static const char *proposal_name(const struct scenario *sc, const struct era_hash *id)
{
    for (size_t i = 0; i < sc->proposal_count; i++)
        if (sc->proposals[i].p && era_hash_eq(&sc->proposals[i].id, id))
            return sc->proposals[i].name;
    return "a proposal of somebody else";
}

/* The head of the component that the proposal is about; of `network` when none is expected. */
static void see_head(struct scenario *sc, const struct scn_act *a, const struct sim_node *n)
{
    const struct scn_proposal *p = a->proposal == SCN_NONE ? NULL : &sc->proposals[a->proposal];
    const struct era_charter *c = era_node_charter(n->node);
    const char *component = p && p->p ? p->p->slot.component : "network";
    for (size_t i = 0; i < c->component_count; i++) {
        if (strcmp(c->components[i].id, component) != 0)
            continue;
        const struct era_adopted *head = era_ledger_head(era_node_ledger(n->node), (int)i);
        bool fits = p ? head && p->p && era_hash_eq(&head->proposal, &p->id) : head == NULL;
        if (!fits)
            scn_wrong(sc, a->line, "the head of %s is %s", n->name,
                      head ? proposal_name(sc, &head->proposal) : "the initial record");
    }
}

static void see_node(struct scenario *sc, const struct scn_act *a, const struct sim_node *n)
{
    if (a->see == SCN_SEE_UP) {
        if ((n->node != NULL) == a->never)
            scn_wrong(sc, a->line, "%s is %s", n->name, n->node ? "up" : "down");
    } else if (!n->node)
        scn_wrong(sc, a->line, "%s is down", n->name);
    else if (a->see == SCN_SEE_GATE)
        see_gate(sc, a, n);
    else if (a->see == SCN_SEE_HEAD)
        see_head(sc, a, n);
    else
        see_current(sc, a, n);
}

/* ---- what nodes saw ---- */

static void see_proposal(struct scenario *sc, const struct scn_act *a, const struct sim_node *n)
{
    const struct scn_proposal *p = &sc->proposals[a->proposal];
    const char *step = scn_step_words[a->number];
    uint64_t at = p->step_ms[a->number][n->number], epoch_ms = sc->plan.epoch_ms;
    bool came = at != UINT64_MAX && at <= a->by_ms;
    if (came != a->never)
        return;
    if (at == UINT64_MAX)
        scn_wrong(sc, a->line, "%s was never seen %s on %s", p->name, step, n->name);
    else
        scn_wrong(sc, a->line, "%s was seen %s on %s at %" PRIu64 "+%" PRIu64, p->name, step, n->name,
                  at / epoch_ms, at % epoch_ms);
}

static void see_evidence(struct scenario *sc, const struct scn_act *a, const struct sim_node *n)
{
    uint64_t held = sc->evidence[n->number];
    for (size_t i = 0; a->never && i < sc->key_count; i++)
        if (held & (uint64_t)1 << i)
            scn_wrong(sc, a->line, "%s holds evidence against %s", n->name, sc->keys[i].name);
    if (!a->never && !(held & (uint64_t)1 << a->other))
        scn_wrong(sc, a->line, "%s holds no evidence against %s", n->name, sc->keys[a->other].name);
}

/* An era's identity is the entry that began it: of soft entries the one before, and so on. */
static struct era_hash era_began(const struct scenario *sc, struct era_hash entry)
{
    for (size_t i = 0; i < sc->proposal_count; i++) {
        const struct era_plan *plan = sc->proposals[i].p ? &sc->proposals[i].p->plan : NULL;
        int at = plan ? era_plan_find(plan, &entry) : -1;
        if (at <= 0 || !plan->entries[at].is_new)
            continue;
        if (plan->entries[at].class == ERA_CLASS_BREAKING)
            return entry;
        entry = plan->entries[at - 1].hash;
        i = SIZE_MAX; /* from the first again */
    }
    return entry;
}

static void see_emitted(struct scenario *sc, const struct scn_act *a)
{
    struct era_hash eras[16];
    size_t era_count = 0, events = 0;
    for (size_t i = 0; i < sc->emitted_count; i++) {
        if (sc->emitted[i].epoch != a->epoch)
            continue;
        struct era_hash began = era_began(sc, sc->emitted[i].entry);
        bool known = false;
        events++;
        for (size_t j = 0; j < era_count; j++)
            known = known || era_hash_eq(&eras[j], &began);
        if (!known && era_count < 16)
            eras[era_count++] = began;
    }
    size_t seen = a->see == SCN_SEE_ERAS ? era_count : events;
    if (seen != a->number)
        scn_wrong(sc, a->line, "in epoch %" PRIu64 " %zu events of %zu eras were emitted", a->epoch, events,
                  era_count);
}

static void see_break(struct scenario *sc, const struct scn_act *a)
{
    if (!sc->s->broken)
        scn_wrong(sc, a->line, "no rule was broken");
    else if (strcmp(sc->s->break_rule, a->text) != 0)
        scn_wrong(sc, a->line, "what was broken is %s: %s", sc->s->break_rule, sc->s->break_text);
}

void scn_see(struct scenario *sc, const struct scn_act *a)
{
    sc->looked++;
    if (a->see == SCN_SEE_ERAS || a->see == SCN_SEE_EVENTS)
        see_emitted(sc, a);
    else if (a->see == SCN_SEE_BREAK)
        see_break(sc, a);
    else if (a->see == SCN_SEE_DIGESTS) {
        if (sim_digests_equal(sc->s) == a->never)
            scn_wrong(sc, a->line, "the digests are %s", a->never ? "equal" : "different");
    } else
        for (size_t i = 0; i < a->who.count; i++) {
            const struct sim_node *n = &sc->s->nodes[a->who.at[i]];
            if (a->see == SCN_SEE_PROPOSAL)
                see_proposal(sc, a, n);
            else if (a->see == SCN_SEE_EVIDENCE)
                see_evidence(sc, a, n);
            else
                see_node(sc, a, n);
        }
}
