/* What was seen, and whether it is what the file expects. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "src/core/charter.h"
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
    default: /* what nodes are asked about when it matters, see scn_see */
        return;
    }
}

/* An act whose command was refused is wrong, unless it says so; and the other way round. */
static void judge(struct scenario *sc, const struct scn_act *a, const char *node, const struct era_reply *r)
{
    bool ok = r->verdict == ERA_ACCEPTED || r->verdict == ERA_DUPLICATE;
    const char *code = era_verdict_code(r->verdict);
    sc->looked += a->refused;
    if (ok == a->refused)
        scn_wrong(sc, a->line, "%s %s this: %s%s%s", node, ok ? "accepted" : "refused", code,
                  r->why ? ": " : "", r->why ? r->why : "");
    else if (a->refused && a->text[0] && strcmp(a->text, code) != 0)
        scn_wrong(sc, a->line, "%s refused this as %s, not as %s", node, code, a->text);
}

static void replied(struct scenario *sc, const struct sim_node *n, const struct era_reply *r)
{
    for (size_t i = 0; i < sc->pending_count; i++)
        if (sc->pending[i].request == r->request) {
            judge(sc, sc->pending[i].act, n->name, r);
            sc->pending[i] = sc->pending[--sc->pending_count];
            return;
        }
}

static void stepped(void *ctx, struct sim *s, struct sim_node *n, const struct era_event *event,
                    const struct era_effect *effects, size_t count)
{
    (void)s;
    (void)event;
    scn_next_follow(ctx, n);
    for (size_t i = 0; i < count; i++) {
        if (effects[i].kind == ERA_EFF_SIGNAL)
            signalled(ctx, n, &effects[i].signal);
        if (effects[i].kind == ERA_EFF_REPLY)
            replied(ctx, n, &effects[i].reply);
    }
}

/* Once each: it is relayed by its author too. */
static void announced(struct scenario *sc, const struct sim_node *n, const struct era_announcement *v)
{
    for (size_t i = 0; i < sc->said_count; i++)
        if (sc->said[i].node == n->number && sc->said[i].epoch == v->epoch &&
            sc->said[i].version == v->charter_version)
            return;
    if (sc->said_count < SCN_SAID_MAX)
        sc->said[sc->said_count++] = (struct scn_said){n->number, v->epoch, v->charter_version};
}

/* Events and announcements as they leave the node whose key signed them. */
static void left(void *ctx, struct sim *s, struct sim_node *n, const struct era_envelope *e,
                 struct era_bytes bytes)
{
    struct scenario *sc = ctx;
    (void)s;
    (void)bytes;
    if ((e->kind != ERA_KIND_EVENT && e->kind != ERA_KIND_ANNOUNCEMENT) || !n->key ||
        !era_key_eq(&n->key->secret.key, &e->key) ||
        era_statement_decode(e->kind, e->payload, sc->scratch) != ERA_ACCEPTED)
        return;
    if (e->kind == ERA_KIND_ANNOUNCEMENT) {
        announced(sc, n, &sc->scratch->u.announcement);
        return;
    }
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

/* A node that counts as faulty is not watched: its replies are looked up. */
void scn_pending_end(struct scenario *sc)
{
    for (size_t i = 0; i < sc->pending_count; i++) {
        const struct scn_pending *p = &sc->pending[i];
        const struct era_reply *r = sim_reply(sc->s, p->request);
        if (r)
            judge(sc, p->act, "the node", r);
        else
            scn_wrong(sc, p->act->line, "this was never answered");
    }
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

/* The charter that its announcement of an epoch named, at the wire. */
static void see_counts(struct scenario *sc, const struct scn_act *a, const struct sim_node *n)
{
    uint64_t wanted = a->charter == SCN_NONE ? a->number : sc->charters[a->charter].made->version;
    const struct scn_said *said = NULL;
    for (size_t i = 0; i < sc->said_count; i++) {
        if (sc->said[i].node != n->number || sc->said[i].epoch != a->epoch)
            continue;
        said = &sc->said[i];
        if (said->version != wanted)
            scn_wrong(sc, a->line, "%s announced epoch %" PRIu64 " under charter %" PRIu64, n->name, a->epoch,
                      said->version);
    }
    if (!said)
        scn_wrong(sc, a->line, "%s announced nothing for epoch %" PRIu64, n->name, a->epoch);
}

/* The newest charter that it holds as adopted. */
static void see_charter(struct scenario *sc, const struct scn_act *a, const struct sim_node *n)
{
    if (!n->node) {
        scn_wrong(sc, a->line, "%s is down", n->name);
        return;
    }
    const struct era_charter *c = era_node_charter(n->node);
    const struct scn_charter *named = a->charter == SCN_NONE ? NULL : &sc->charters[a->charter];
    bool is = named ? named->proposed && era_hash_eq(&named->made->hash, &c->hash) : c->version == a->number;
    if (is == a->never)
        scn_wrong(sc, a->line, "the newest charter of %s is version %" PRIu64, n->name, c->version);
}

static void see_locked(struct scenario *sc, const struct scn_act *a, const struct sim_node *n)
{
    bool locked = era_node_lock(n->node) != ERA_LOCK_NONE;
    if (locked == a->never)
        scn_wrong(sc, a->line, "the key of %s is %s", n->name, locked ? "locked" : "not locked");
}

static void see_node(struct scenario *sc, const struct scn_act *a, const struct sim_node *n)
{
    if (a->see == SCN_SEE_UP) {
        if ((n->node != NULL) == a->never)
            scn_wrong(sc, a->line, "%s is %s", n->name, n->node ? "up" : "down");
    } else if (a->see == SCN_SEE_COUNTS)
        see_counts(sc, a, n);
    else if (!n->node)
        scn_wrong(sc, a->line, "%s is down", n->name);
    else if (a->see == SCN_SEE_GATE)
        see_gate(sc, a, n);
    else if (a->see == SCN_SEE_HEAD)
        see_head(sc, a, n);
    else if (a->see == SCN_SEE_LOCKED)
        see_locked(sc, a, n);
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

/* Keys that durable evidence on this node is about, of every charter it knows; bit a key. */
static uint64_t accused(const struct scenario *sc, const struct sim_node *n)
{
    const struct era_item *items[SCN_KEYS_MAX * 4];
    struct era_bytes body;
    struct era_envelope e;
    struct era_evidence v;
    uint64_t keys = 0;
    for (const struct era_ledger *l = era_node_ledger(n->node); l; l = era_ledger_older(l)) {
        size_t cap = sizeof items / sizeof items[0], count = era_ledger_evidence(l, items, cap);
        for (size_t i = 0; i < count && i < cap; i++)
            for (size_t k = 0; k < sc->key_count; k++)
                if (era_ledger_body(l, items[i], &body) && era_envelope_decode(body, &e) == ERA_ACCEPTED &&
                    era_evidence_decode(e.payload, &v) == ERA_ACCEPTED &&
                    era_key_eq(&v.key, scn_public_of(sc, k)))
                    keys |= (uint64_t)1 << k;
    }
    return keys;
}

static void see_evidence(struct scenario *sc, const struct scn_act *a, const struct sim_node *n)
{
    if (!n->node) {
        scn_wrong(sc, a->line, "%s is down", n->name);
        return;
    }
    uint64_t held = accused(sc, n);
    for (size_t i = 0; a->never && i < sc->key_count; i++)
        if (held & (uint64_t)1 << i)
            scn_wrong(sc, a->line, "%s holds evidence against %s", n->name, sc->keys[i].name);
    if (!a->never && !(held & (uint64_t)1 << a->other))
        scn_wrong(sc, a->line, "%s holds no evidence against %s", n->name, sc->keys[a->other].name);
}

/* Stake that said one thing of the state, of the entry that the node has for that epoch. */
static void see_checkpoint(struct scenario *sc, const struct scn_act *a, const struct sim_node *n)
{
    if (!n->node) {
        scn_wrong(sc, a->line, "%s is down", n->name);
        return;
    }
    const struct era_charter *c = era_node_charter(n->node), *counting = era_node_counting_charter(n->node);
    const struct era_component *here = era_charter_component(c, a->component);
    const struct era_component *there = era_charter_component(counting, a->component);
    struct era_view view;
    uint64_t stake = 0;
    if (here && there) {
        era_node_view(n->node, (int)(here - c->components), &view);
        int at = era_plan_current(view.plan, a->epoch);
        if (at >= 0)
            stake = era_ledger_checkpoint_stake(
                era_node_counting_ledger(n->node), (int)(there - counting->components), a->epoch,
                &view.plan->entries[at].hash, a->never ? SCN_OTHER_DIGEST : SCN_STATE_DIGEST);
    }
    if (stake != a->number)
        scn_wrong(sc, a->line, "%s holds that checkpoint of %s by stake %" PRIu64, n->name, a->component,
                  stake);
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
            else if (a->see == SCN_SEE_CHECKPOINT)
                see_checkpoint(sc, a, n);
            else if (a->see == SCN_SEE_CHARTER)
                see_charter(sc, a, n);
            else
                see_node(sc, a, n);
        }
}
