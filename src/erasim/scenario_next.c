/* Charters that follow (R10): next charter …, and what people say about them. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/fraction.h"
#include "src/core/charter.h"
#include "src/erasim/scenario_parts.h"

#define CARRIED_HEADROOM ((uint64_t)1 << 20) /* above the highest approved seq (R10) */

/* ---- next charter C at=6 … ---- */

static bool number(struct scn_words *w, const char *name, const char *value, uint64_t max, uint64_t *out)
{
    return era_u64_parse(value, max, out) ||
           scn_fail(w, "write digits only", "%s is no number it may be", name);
}

/* "v1:10,v2:20", stakes only where they are asked for. */
static bool keys(struct scn_words *w, char *value, size_t max, struct scn_list *out, uint64_t *stakes)
{
    char *rest = NULL;
    for (char *name = strtok_r(value, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        char *colon = stakes ? strchr(name, ':') : NULL;
        uint64_t stake = 10;
        if (out->count == max)
            return scn_fail(w, "name fewer", "more than %zu keys", max);
        if (colon)
            *colon = '\0';
        if (colon && !era_u64_parse(colon + 1, ERA_STAKE_SUM_MAX, &stake))
            return scn_fail(w, "write NAME:STAKE", "the stake of %s is no number", name);
        if (!scn_key_of(w, name, &out->at[out->count]))
            return false;
        if (stakes)
            stakes[out->count] = stake;
        out->count++;
    }
    return true;
}

static bool after(struct scn_words *w, const struct scn_charter *c, const char *value, size_t *out)
{
    *out = scn_charter_named(w->sc, value);
    return (*out != SCN_NONE && &w->sc->charters[*out] != c) ||
           scn_fail(w, "write the line of that one before this", "no charter is called %s", value);
}

static bool option(struct scn_words *w, struct scn_charter *c, size_t which, char *name, char *value)
{
    static const char *const on_off[] = {"off", "on"};
    uint64_t v;
    size_t on;
    switch (which) {
    case 0:
        return number(w, name, value, ERA_EPOCH_MAX, &c->effective);
    case 1:
        return after(w, c, value, &c->after);
    case 2:
        c->has_validators = true;
        return keys(w, value, SCN_KEYS_MAX, &c->validators, c->stakes);
    case 3:
        c->has_signers = true;
        return keys(w, value, ERA_SIGNERS_MAX, &c->signers, NULL);
    case 4:
        c->has_k = true;
        if (!number(w, name, value, ERA_SIGNERS_MAX, &v))
            return false;
        c->k = (uint32_t)v;
        return true;
    case 5:
        c->has_strict = true;
        if (!scn_one_of(w, value, "choice", on_off, 2, &on))
            return false;
        c->strict = on == 1;
        return true;
    default:
        c->has_carried = true;
        return number(w, name, value, ERA_SEQ_MAX, &c->carried);
    }
}

bool scn_next_line(struct scn_words *w)
{
    static const char *const known[] = {"at", "after", "validators", "signers", "k", "strict", "carried"};
    struct scenario *sc = w->sc;
    char *name, *value;
    size_t which;
    if (!scn_skip(w, "charter"))
        return scn_fail(w, "write: next charter NAME at=EPOCH", "the next what?");
    if (sc->charter_count == SCN_CHARTERS_MAX)
        return scn_fail(w, "a scenario is small", "more than %d charters follow", SCN_CHARTERS_MAX);
    struct scn_charter *c = &sc->charters[sc->charter_count];
    *c = (struct scn_charter){.line = w->line, .after = SCN_NONE};
    char called[ERA_NAME_BYTES_MAX + 1];
    if (!scn_new_name(w, "the name of a charter", called))
        return false;
    if (strspn(called, "0123456789") == strlen(called))
        return scn_fail(w, "use a letter", "a number is a charter's version, no name: %s", called);
    while (w->at < w->count)
        if (!scn_pair(w, &name, &value) ||
            !scn_one_of(w, name, "option of a next charter", known, sizeof known / sizeof known[0], &which) ||
            !option(w, c, which, name, value))
            return false;
    if (c->effective == 0)
        return scn_fail(w, "write: at=EPOCH",
                        "a charter that follows needs the epoch from which it may count");
    memcpy(c->name, called, sizeof called);
    sc->charter_count++;
    return true;
}

/* ---- drafts ---- */

static struct era_charter *copy(const struct era_charter *c, size_t validators)
{
    struct era_charter *out = malloc(sizeof *out);
    assert(out);
    *out = *c;
    out->validators = calloc(validators, sizeof *out->validators);
    out->components = calloc(c->component_count, sizeof *out->components);
    assert(out->validators && out->components);
    size_t kept = validators < c->validator_count ? validators : c->validator_count;
    memcpy(out->validators, c->validators, kept * sizeof *out->validators);
    memcpy(out->components, c->components, c->component_count * sizeof *out->components);
    return out;
}

static void say_network(const struct scenario *sc, const struct scn_charter *d, struct era_charter *c)
{
    for (size_t i = 0; i < c->component_count; i++) {
        struct era_component *p = &c->components[i];
        if (strcmp(p->id, "network") != 0)
            continue;
        if (d->has_k)
            p->k = p->urgent_k = d->k;
        if (d->has_signers)
            p->signer_count = d->signers.count;
        for (size_t j = 0; j < d->signers.count; j++) {
            era_text_set(p->signers[j].name, sizeof p->signers[j].name, sc->keys[d->signers.at[j]].name);
            p->signers[j].key = *scn_public_of(sc, d->signers.at[j]);
        }
    }
}

static const struct era_charter *before(const struct scenario *sc, const struct scn_charter *d)
{
    return d->after == SCN_NONE ? sc->s->charters[0] : sc->charters[d->after].made;
}

/* The highest slot that any node has seen approved. */
static uint64_t highest_approved(const struct scenario *sc, const char *component, uint64_t version)
{
    uint64_t highest = 0;
    for (size_t i = 0; i < sc->proposal_count; i++) {
        const struct scn_proposal *p = &sc->proposals[i];
        if (!p->p || p->p->slot.charter_version != version || strcmp(p->p->slot.component, component) != 0)
            continue;
        for (size_t n = 0; n < sc->node_count; n++)
            if ((p->step_ms[SCN_APPROVED][n] != UINT64_MAX || p->step_ms[SCN_ADOPTED][n] != UINT64_MAX) &&
                p->p->slot.seq > highest)
                highest = p->p->slot.seq;
    }
    return highest;
}

/* What only the time of its proposal says: parent and bounds. */
static void settle(const struct scenario *sc, const struct scn_charter *d)
{
    const struct era_charter *old = before(sc, d);
    struct era_charter *c = d->made;
    c->parent = old->hash;
    c->carried_count = old->component_count;
    for (size_t i = 0; i < old->component_count; i++) {
        const char *id = old->components[i].id;
        era_text_set(c->carried[i].component, sizeof c->carried[i].component, id);
        c->carried[i].seq =
            d->has_carried ? d->carried : highest_approved(sc, id, old->version) + CARRIED_HEADROOM;
    }
    era_charter_seal(c);
}

bool scn_next_make(struct scenario *sc, struct era_error *err)
{
    char where[sizeof sc->path + 16];
    for (size_t i = 0; i < sc->charter_count; i++) {
        struct scn_charter *d = &sc->charters[i];
        const struct era_charter *old = before(sc, d);
        size_t count = d->has_validators ? d->validators.count : old->validator_count;
        struct era_charter *c = d->made = copy(old, count);
        c->version = old->version + 1;
        c->has_parent = true;
        c->effective = d->effective;
        c->validator_count = count;
        for (size_t j = 0; d->has_validators && j < count; j++) {
            struct era_validator *v = &c->validators[j];
            *v =
                (struct era_validator){.key = *scn_public_of(sc, d->validators.at[j]), .stake = d->stakes[j]};
            era_text_set(v->name, sizeof v->name, sc->keys[d->validators.at[j]].name);
        }
        if (d->has_strict)
            c->strict_emission = d->strict;
        say_network(sc, d, c);
        settle(sc, d);
        snprintf(where, sizeof where, "%s:%u", sc->path, d->line);
        if (!scn_charter_check(c, where, err))
            return false;
    }
    return true;
}

void scn_next_free(struct scenario *sc)
{
    for (size_t i = 0; i < sc->charter_count; i++) {
        era_charter_clear(sc->charters[i].made);
        free(sc->charters[i].made);
    }
}

/* ---- what people say ---- */

static void propose(struct scenario *sc, const struct scn_act *a, struct scn_charter *d)
{
    uint8_t *charter, *bytes;
    if (d->after != SCN_NONE && !sc->charters[d->after].proposed) {
        scn_wrong(sc, a->line, "%s follows %s, which nobody proposed", d->name, sc->charters[d->after].name);
        return;
    }
    if (!d->proposed)
        settle(sc, d);
    d->proposed = true;
    size_t len = era_charter_encode(d->made, &charter);
    len = era_author_charter(&sc->s->charters[0]->hash, (struct era_bytes){charter, len},
                             &sc->keys[a->who.at[0]].key->secret, &bytes);
    free(charter);
    scn_hand_over(sc, a, (struct era_bytes){bytes, len}, true);
    free(bytes);
}

/* Of one who has no node: what it likes. */
static bool close_by_hand(struct scenario *sc, const struct scn_act *a, const struct scn_charter *d)
{
    struct era_close *close = &scn_fresh(sc, ERA_KIND_CLOSE)->u.close;
    close->version = d->made->version;
    close->charter = d->made->hash;
    close->has_last = a->has_last;
    close->last = a->epoch;
    for (size_t i = 0; i < a->named.count; i++) {
        const struct scn_proposal *p = &sc->proposals[a->named.at[i]];
        if (!p->p || close->voted_count == ERA_CLOSE_SLOTS_MAX) {
            scn_wrong(sc, a->line, "%s was never made", p->name);
            return false;
        }
        struct era_closed_slot *v = &close->voted[close->voted_count++];
        era_text_set(v->component, sizeof v->component, p->p->slot.component);
        v->seq = p->p->slot.seq;
        v->proposal = p->id;
    }
    return true;
}

static void vote(struct scenario *sc, const struct scn_act *a, const struct scn_charter *d)
{
    enum era_kind kind = a->kind == SCN_NEXT_APPROVE  ? ERA_KIND_CHARTER_APPROVE
                         : a->kind == SCN_NEXT_ACCEPT ? ERA_KIND_ACCEPT
                                                      : ERA_KIND_CLOSE;
    enum era_command_kind command = a->kind == SCN_NEXT_ACCEPT ? ERA_CMD_ACCEPT : ERA_CMD_CLOSE;
    bool is_signer = a->kind == SCN_NEXT_APPROVE, by_hand = is_signer || a->has_last || a->named.count > 0;
    if (!d->proposed) {
        scn_wrong(sc, a->line, "nobody proposed %s", d->name);
        return;
    }
    for (size_t i = 0; i < a->who.count; i++) {
        struct sim_node *own = by_hand ? NULL : scn_own_node(sc, a, a->who.at[i]);
        if (own) {
            scn_ask(sc, a, own, (struct era_command){.kind = command, .proposal = d->made->hash});
            continue;
        }
        if (kind != ERA_KIND_CLOSE)
            scn_fresh(sc, kind)->u.charter_vote = (struct era_charter_vote){d->made->version, d->made->hash};
        else if (!close_by_hand(sc, a, d))
            return;
        scn_speak(sc, a, &sc->keys[a->who.at[i]], is_signer, NULL);
    }
}

void scn_next_perform(struct scenario *sc, const struct scn_act *a)
{
    struct scn_charter *d = &sc->charters[a->charter];
    if (a->kind == SCN_NEXT_PROPOSE)
        propose(sc, a, d);
    else
        vote(sc, a, d);
}

/* ---- what came of it ---- */

static void follow(struct scenario *sc, const struct era_ledger *l)
{
    const struct era_charter *c = era_ledger_charter(l);
    if (c->version < sc->s->charter_count)
        return;
    follow(sc, era_ledger_older(l));
    sim_add_charter(sc->s, copy(c, c->validator_count));
    sim_tell(sc->s, NULL, "charter %llu is adopted", (unsigned long long)c->version);
}

void scn_next_follow(struct scenario *sc, const struct sim_node *n)
{
    if (n->trust == SIM_HONEST && n->node && era_node_charter(n->node)->version >= sc->s->charter_count)
        follow(sc, era_node_ledger(n->node));
}
