/* What happens: people speak, the world breaks and heals. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/erasim/scenario_parts.h"

static struct sim_node *node_at(const struct scenario *sc, size_t i)
{
    return &sc->s->nodes[i];
}

struct sim_node *scn_first_up(const struct scenario *sc)
{
    for (size_t i = 0; i < sc->s->node_count; i++)
        if (sc->s->nodes[i].node)
            return &sc->s->nodes[i];
    return NULL;
}

/* The node that holds a key, NULL: none that is up. */
static struct sim_node *node_of_key(const struct scenario *sc, size_t key)
{
    for (size_t i = 0; i < sc->node_count; i++)
        if (sc->nodes[i].key == key && node_at(sc, i)->node)
            return node_at(sc, i);
    return NULL;
}

struct sim_node *scn_own_node(const struct scenario *sc, const struct scn_act *a, size_t key)
{
    return a->label == SCN_NONE && a->to.count == 0 ? node_of_key(sc, key) : NULL;
}

/* Where words of people go: the nodes named, or the first that is up. */
static size_t goes_to(const struct scenario *sc, const struct scn_act *a, struct sim_node *out[SCN_NODES_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < a->to.count; i++)
        if (node_at(sc, a->to.at[i])->node)
            out[n++] = node_at(sc, a->to.at[i]);
    if (a->to.count == 0 && (out[0] = scn_first_up(sc)))
        n = 1;
    return n;
}

/* ---- asking nodes ---- */

void scn_ask(struct scenario *sc, const struct scn_act *a, struct sim_node *n, struct era_command command)
{
    if (sc->pending_count == SCN_PENDING_MAX) {
        scn_wrong(sc, a->line, "more than %d commands at once", SCN_PENDING_MAX);
        return;
    }
    uint64_t request = sim_ask(sc->s, n, command);
    sc->pending[sc->pending_count++] = (struct scn_pending){request, a};
}

/* ---- statements in people's hands ---- */

/* Sign, then keep it back, submit it, or (validators' words) let it come as if from a peer. */
void scn_hand_over(struct scenario *sc, const struct scn_act *a, struct era_bytes bytes, bool submitted)
{
    struct sim_node *to[SCN_NODES_MAX];
    if (a->label != SCN_NONE) {
        struct scn_label *l = &sc->labels[a->label];
        l->bytes = malloc(bytes.len);
        assert(l->bytes);
        memcpy(l->bytes, bytes.data, bytes.len);
        l->len = bytes.len;
        return;
    }
    size_t n = goes_to(sc, a, to);
    if (n == 0)
        scn_wrong(sc, a->line, "no node is up to hear it");
    for (size_t i = 0; i < n; i++)
        if (submitted)
            scn_ask(sc, a, to[i], (struct era_command){.kind = ERA_CMD_SUBMIT, .bytes = bytes});
        else
            sim_inject(sc->s, to[i], bytes);
}

void scn_speak(struct scenario *sc, const struct scn_act *a, const struct scn_key *who, bool submitted,
               struct era_hash *id)
{
    static uint8_t out[ERA_AUTHORED_BYTES_MAX];
    size_t len =
        era_author_sign(&sc->s->charters[0]->hash, sc->scratch, &who->key->secret, out, sizeof out, id);
    assert(len > 0);
    scn_hand_over(sc, a, (struct era_bytes){out, len}, submitted);
}

struct era_statement *scn_fresh(struct scenario *sc, enum era_kind kind)
{
    memset(sc->scratch, 0, sizeof *sc->scratch);
    sc->scratch->kind = kind;
    return sc->scratch;
}

/* NULL, and it is said: it was never made. */
static const struct scn_proposal *made(struct scenario *sc, const struct scn_act *a)
{
    const struct scn_proposal *p = &sc->proposals[a->proposal];
    if (p->p)
        return p;
    scn_wrong(sc, a->line, "%s was never made", p->name);
    return NULL;
}

static void approve_or_reject(struct scenario *sc, const struct scn_act *a)
{
    const struct scn_proposal *p = made(sc, a);
    for (size_t i = 0; p && i < a->who.count; i++) {
        if (a->kind != SCN_REJECT) {
            scn_fresh(sc, ERA_KIND_APPROVE)->u.vote = (struct era_vote){p->p->slot, p->id};
        } else {
            struct era_reject *r = &scn_fresh(sc, ERA_KIND_REJECT)->u.reject;
            r->slot = p->p->slot;
            r->proposal = p->id;
            era_text_set(r->reason, sizeof r->reason, "no");
        }
        scn_speak(sc, a, &sc->keys[a->who.at[i]], true, NULL);
    }
}

/* Of several the first proposes, and all approve. */
static void propose(struct scenario *sc, const struct scn_act *a)
{
    struct sim_node *to[SCN_NODES_MAX];
    struct scn_proposal *p = &sc->proposals[a->proposal];
    if (goes_to(sc, a, to) == 0) {
        scn_wrong(sc, a->line, "no node is up to propose to");
        return;
    }
    const char *why = scn_plan_make(sc, a, to[0]);
    if (why) {
        scn_wrong(sc, a->line, "%s cannot be proposed: %s", p->name, why);
        return;
    }
    scn_fresh(sc, ERA_KIND_PROPOSAL)->u.proposal = *p->p;
    scn_speak(sc, a, &sc->keys[a->who.at[0]], true, &p->id);
    if (sc->trace)
        trace_name(sc->trace, &p->id, p->name);
    if (a->who.count > 1)
        approve_or_reject(sc, a);
}

/* A validator with a node of its own asks it, so that R4 is kept; one without says what it likes. */
static void vote(struct scenario *sc, const struct scn_act *a)
{
    const struct scn_proposal *p = made(sc, a);
    for (size_t i = 0; p && i < a->who.count; i++) {
        struct sim_node *own = scn_own_node(sc, a, a->who.at[i]);
        if (own) {
            scn_ask(sc, a, own, (struct era_command){.kind = ERA_CMD_READY, .proposal = p->id});
            continue;
        }
        scn_fresh(sc, ERA_KIND_READINESS)->u.vote = (struct era_vote){p->p->slot, p->id};
        scn_speak(sc, a, &sc->keys[a->who.at[i]], false, NULL);
    }
}

/* The digest that the plan gives its first artefact, or another. */
static void attest(struct scenario *sc, const struct scn_act *a)
{
    const struct scn_proposal *p = made(sc, a);
    if (!p)
        return;
    const struct era_record *r = &p->p->plan.entries[p->p->plan.count - 1].record;
    if (r->artefact_count == 0) {
        scn_wrong(sc, a->line, "%s has no artefact to attest", p->name);
        return;
    }
    for (size_t i = 0; i < a->who.count; i++) {
        struct sim_node *n = node_at(sc, a->who.at[i]);
        if (n->node)
            scn_ask(sc, a, n,
                    (struct era_command){.kind = ERA_CMD_ATTEST,
                                         .proposal = p->id,
                                         .artefact = r->artefacts[0].name,
                                         .digest = a->never ? SCN_STATE_DIGEST : r->artefacts[0].digest,
                                         .source_digest = SCN_STATE_DIGEST,
                                         .builder = "scenario"});
        else
            scn_wrong(sc, a->line, "%s is down", n->name);
    }
}

static void checkpoint(struct scenario *sc, const struct scn_act *a)
{
    for (size_t i = 0; i < a->who.count; i++) {
        struct sim_node *n = node_at(sc, a->who.at[i]);
        if (n->node)
            scn_ask(sc, a, n,
                    (struct era_command){.kind = ERA_CMD_CHECKPOINT,
                                         .topic = a->component,
                                         .digest = a->never ? SCN_OTHER_DIGEST : SCN_STATE_DIGEST});
        else
            scn_wrong(sc, a->line, "%s is down", n->name);
    }
}

/* By a validator without a node: for what the first node has in force then, or for a proposal's newest. */
static void announce(struct scenario *sc, const struct scn_act *a)
{
    struct sim_node *n = scn_first_up(sc);
    struct era_view view;
    for (size_t i = 0; n && i < a->who.count; i++) {
        struct era_announcement *v = &scn_fresh(sc, ERA_KIND_ANNOUNCEMENT)->u.announcement;
        v->epoch = a->epoch;
        v->charter_version = era_node_charter(n->node)->version;
        v->versions = n->versions;
        v->view_digest = era_view_digest(era_node_ledger(n->node));
        v->lease = a->lease;
        v->blocked = a->blocked;
        era_node_view(n->node, era_node_network_component(n->node), &view);
        int at = era_plan_current(view.plan, a->epoch);
        if (at >= 0)
            v->entry = view.plan->entries[at].hash;
        if (a->proposal != SCN_NONE) {
            const struct scn_proposal *p = made(sc, a);
            if (!p)
                return;
            v->entry = p->p->plan.entries[p->p->plan.count - 1].hash;
        }
        v->has_entry = at >= 0 || a->proposal != SCN_NONE;
        scn_speak(sc, a, &sc->keys[a->who.at[i]], false, NULL);
    }
}

static void install(struct scenario *sc, const struct scn_act *a)
{
    for (size_t i = 0; i < a->who.count; i++) {
        struct sim_node *n = node_at(sc, a->who.at[i]);
        struct era_versions *v = a->kind == SCN_INSTALL ? &n->versions : &n->staged;
        era_text_set(v->v[ERA_VERSION_SOFTWARE], sizeof v->v[0], a->text);
        if (a->kind == SCN_INSTALL)
            n->staged = (struct era_versions){0};
        sim_versions(sc->s, n);
    }
}

static void emit(struct scenario *sc, const struct scn_act *a)
{
    for (size_t i = 0; i < a->who.count; i++) {
        struct sim_node *n = node_at(sc, a->who.at[i]);
        if (n->node)
            scn_ask(sc, a, n,
                    (struct era_command){
                        .kind = ERA_CMD_EMIT, .topic = "work", .bytes = {(const uint8_t *)"x", 1}});
        else
            scn_wrong(sc, a->line, "%s is down", n->name);
    }
}

static void unlock(struct scenario *sc, const struct scn_act *a)
{
    for (size_t i = 0; i < a->who.count; i++) {
        struct sim_node *n = node_at(sc, a->who.at[i]);
        if (n->node)
            scn_ask(sc, a, n, (struct era_command){.kind = ERA_CMD_UNLOCK});
        else
            scn_wrong(sc, a->line, "%s is down", n->name);
    }
}

static void deliver(struct scenario *sc, const struct scn_act *a)
{
    const struct scn_label *l = &sc->labels[a->label];
    if (!l->bytes)
        scn_wrong(sc, a->line, "%s was never said", l->name);
    for (size_t i = 0; l->bytes && i < a->to.count; i++)
        if (node_at(sc, a->to.at[i])->node)
            sim_inject(sc->s, node_at(sc, a->to.at[i]), (struct era_bytes){l->bytes, l->len});
}

/* ---- the net ---- */

static bool listed(const struct scn_list *l, size_t i)
{
    for (size_t j = 0; j < l->count; j++)
        if (l->at[j] == i)
            return true;
    return false;
}

static void both_ways(struct scenario *sc, const struct scn_act *a, size_t from, size_t to)
{
    void (*change)(struct sim * s, size_t x, size_t y) = a->kind == SCN_CUT ? sim_cut : sim_heal;
    struct sim_net_faults faults = sim_net_get(sc->s, from, to);
    if (from == to)
        return;
    if (a->one_way) {
        faults.vanish = true;
        sim_net_set(sc->s, from, to, faults);
        return;
    }
    change(sc->s, from, to);
    change(sc->s, to, from);
}

/* Without a second list: from all the others. `heal` alone: all. */
static void cut_or_heal(struct scenario *sc, const struct scn_act *a)
{
    if (a->who.count == 0)
        sim_heal_all(sc->s);
    for (size_t i = 0; i < a->who.count; i++)
        for (size_t j = 0; j < sc->node_count; j++)
            if (a->to.count ? listed(&a->to, j) : !listed(&a->who, j))
                both_ways(sc, a, a->who.at[i], j);
}

static void partition(struct scenario *sc, const struct scn_act *a)
{
    for (size_t i = 0; i < sc->node_count; i++)
        sim_side(sc->s, i, listed(&a->who, i));
}

/* ---- machines ---- */

static void machine(struct scenario *sc, const struct scn_act *a, struct sim_node *n)
{
    bool wants_down = a->kind == SCN_START || a->kind == SCN_RESTORE;
    if (a->kind != SCN_BACKUP && (n->node == NULL) != wants_down) {
        scn_wrong(sc, a->line, "%s is %s already", n->name, wants_down ? "up" : "down");
        return;
    }
    switch ((int)a->kind) {
    case SCN_START:
        sim_start(sc->s, n);
        return;
    case SCN_CRASH:
        sim_crash(sc->s, n);
        return;
    case SCN_POWER:
        sim_lose_power(sc->s, n);
        return;
    case SCN_TORN:
        sim_lose_power_torn(sc->s, n);
        return;
    case SCN_BACKUP:
        sim_disk_backup(sc->s, n);
        return;
    default:
        if (n->disk.backup)
            sim_disk_restore_backup(sc->s, n);
        else
            scn_wrong(sc, a->line, "%s has no backup", n->name);
        return;
    }
}

static void clock_act(struct scenario *sc, const struct scn_act *a, struct sim_node *n)
{
    if (a->number == 0)
        sim_clock_skew(sc->s, n, a->amount);
    else if (a->number == 1)
        sim_clock_drift(sc->s, n, a->amount);
    else if (a->number == 2)
        sim_clock_jump(sc->s, n, sc->s->genesis_ms + a->epoch * sc->plan.epoch_ms);
    else
        sim_clock_mend(sc->s, n);
}

static void disk_act(struct scenario *sc, const struct scn_act *a, struct sim_node *n)
{
    if (a->number <= 1)
        sim_disk_hold(sc->s, n, a->number == 0);
    else if (a->number == 2)
        sim_disk_slow(sc->s, n, a->amount > 0 ? (uint64_t)a->amount : 0);
    else
        sim_disk_fail(sc->s, n, 1, a->number == 3 ? -EIO : a->number == 4 ? -ENOSPC : 0);
}

static void each_node(struct scenario *sc, const struct scn_act *a,
                      void (*act)(struct scenario *sc, const struct scn_act *a, struct sim_node *n))
{
    for (size_t i = 0; i < a->who.count; i++)
        act(sc, a, node_at(sc, a->who.at[i]));
}

void scn_perform(struct scenario *sc, const struct scn_act *a)
{
    switch (a->kind) {
    case SCN_PROPOSE:
        propose(sc, a);
        return;
    case SCN_APPROVE:
    case SCN_REJECT:
        approve_or_reject(sc, a);
        return;
    case SCN_VOTE:
        vote(sc, a);
        return;
    case SCN_ATTEST:
        attest(sc, a);
        return;
    case SCN_ANNOUNCE:
        announce(sc, a);
        return;
    case SCN_NEXT_PROPOSE:
    case SCN_NEXT_APPROVE:
    case SCN_NEXT_ACCEPT:
    case SCN_NEXT_CLOSE:
        scn_next_perform(sc, a);
        return;
    case SCN_UNLOCK:
        unlock(sc, a);
        return;
    case SCN_CHECKPOINT:
        checkpoint(sc, a);
        return;
    case SCN_INSTALL:
    case SCN_STAGE:
        install(sc, a);
        return;
    case SCN_EMIT:
        emit(sc, a);
        return;
    case SCN_DELIVER:
        deliver(sc, a);
        return;
    case SCN_HEAL:
    case SCN_CUT:
        cut_or_heal(sc, a);
        return;
    case SCN_PARTITION:
        partition(sc, a);
        return;
    case SCN_START:
    case SCN_CRASH:
    case SCN_POWER:
    case SCN_TORN:
    case SCN_BACKUP:
    case SCN_RESTORE:
        each_node(sc, a, machine);
        return;
    case SCN_CLOCK:
        each_node(sc, a, clock_act);
        return;
    case SCN_DISK:
        each_node(sc, a, disk_act);
        return;
    case SCN_EXPECT:
        scn_see(sc, a);
        return;
    }
}
