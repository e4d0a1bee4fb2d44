/* Schemes around a charter that follows another (R10): the bad signers hold
 * its last approvals back until what it should not follow is under way. */
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/succession.h"
#include "src/erasim/hostile_switch.h"

#define PATIENCE_EPOCHS 4 /* of a scheme whose charter is proposed */
#define OPEN_LATER      4 /* epochs: a plan that is open stays to come when the next charter counts */
#define PLAN_EPOCHS     4 /* the least between a plan's proposal and its new entry: notice and two more */
#define FAR_EPOCHS      6 /* from a charter's proposal to its epoch, if an entry of that epoch is to be leased */

enum { WAITING, ASKED, READY, VOTED, SHOWN, SECOND, LAST };

static const struct era_successor *next_of(const struct sim *s, const struct stage *v)
{
    const struct rotation *r = &s->cast->rotations[0];
    const struct era_successor *k =
        r->statement.len > 0 ? era_ledger_successor(v->ledger, &r->draft->hash) : NULL;
    return k && k->charter && !era_ledger_followed(v->ledger) ? k : NULL;
}

static const struct era_component *network_of(const struct era_charter *c)
{
    return era_charter_component(c, "network");
}

static void say_vote(struct sim *s, enum era_kind kind, const struct era_charter *c,
                     const struct sim_key *key)
{
    hostile_begin(s, kind)->u.charter_vote = (struct era_charter_vote){c->version, c->hash};
    switch_tell(s, cast_signed(s, s->cast->draft, key, NULL));
}

static bool signs(const struct signer *g, const struct era_charter *c)
{
    return era_charter_signer_index(network_of(c), &g->key->secret.key) >= 0;
}

/* Operators who accept or close by their own word do it now. */
static void hurry(struct sim *s, struct actor *a, const struct era_hash *charter)
{
    for (size_t i = 0; i < s->cast->caretaker_count; i++) {
        struct caretaker *k = &s->cast->caretakers[i];
        struct sightings *all[] = {&k->accepts, &k->closes};
        for (int j = 0; j < 2; j++) {
            struct sighting *seen = cast_sighting(all[j], charter);
            if (!seen)
                seen = cast_sight(all[j], charter, s->now_ms, NULL, 0);
            if (seen->tries == 0)
                seen->due_ms = s->now_ms;
        }
        switch_call(s, a, k);
    }
}

/* Those that will validate accept; honest signers do not wait. */
static void ask(struct sim *s, struct actor *a, const struct stage *v, const struct era_successor *k)
{
    const struct crew *crew = s->cast->crew;
    for (size_t i = 0; i < crew->validator_count; i++)
        if (era_charter_validator_index(k->charter, &crew->validators[i]->secret.key) >= 0)
            say_vote(s, ERA_KIND_ACCEPT, k->charter, crew->validators[i]);
    for (size_t i = 0; i < s->cast->signer_count; i++) {
        struct signer *g = s->cast->signers[i];
        if (g->key->trust != SIM_HONEST || !(signs(g, v->charter) || signs(g, k->charter)))
            continue;
        struct sighting *seen = cast_sighting(&g->seen, &k->hash);
        if (!seen)
            seen = cast_sight(&g->seen, &k->hash, s->now_ms, NULL, 0);
        seen->due_ms = s->now_ms;
        switch_call(s, a, g);
    }
    hurry(s, a, &k->hash);
}

static bool enough(const struct sim *s, const struct era_component *c, uint64_t approved_by)
{
    uint32_t count = 0;
    for (size_t i = 0; i < c->signer_count; i++)
        count += (approved_by >> i & 1) || sim_key_trust(s, &c->signers[i].key) == SIM_FAULTY;
    return count >= c->k;
}

/* Only the crew's own approvals are missing. */
static bool is_ready(const struct sim *s, const struct stage *v, const struct era_successor *k)
{
    return enough(s, network_of(v->charter), k->old_approved_by) &&
           enough(s, network_of(k->charter), k->new_approved_by) &&
           k->accept_stake >= era_charter_quorum(k->charter);
}

/* The approvals that are missing, and closes that say nothing. */
static void turn(struct sim *s, struct actor *a, const struct stage *v, const struct era_successor *k)
{
    const struct crew *crew = s->cast->crew;
    for (size_t i = 0; i < s->cast->signer_count; i++) {
        const struct signer *g = s->cast->signers[i];
        if (g->key->trust == SIM_FAULTY && (signs(g, v->charter) || signs(g, k->charter)))
            say_vote(s, ERA_KIND_CHARTER_APPROVE, k->charter, g->key);
    }
    for (size_t i = 0; i < crew->validator_count; i++) {
        const struct sim_key *key = crew->validators[i];
        struct era_close *close = &hostile_begin(s, ERA_KIND_CLOSE)->u.close;
        close->version = k->charter->version;
        close->charter = k->hash;
        if (era_charter_validator_index(v->charter, &key->secret.key) >= 0)
            switch_tell(s, cast_signed(s, s->cast->draft, key, NULL));
    }
    hurry(s, a, &k->hash);
    sim_strike(s, SIM_FAULT_BAD_SIGNER, v->n, "charter %llu is approved at an hour of a scheme",
               (unsigned long long)k->charter->version);
}

static void end(struct sim *s)
{
    switch_join(s);
    s->cast->crew->scheme->is_over = true;
}

static void wait_for(struct sim *s, unsigned phase, uint64_t ms)
{
    s->cast->crew->scheme->phase = phase;
    s->cast->crew->scheme->due_ms = s->now_ms + ms;
}

/* ---- a charter without room above what was approved ---- */

static void bound(struct sim *s, struct actor *a, const struct stage *v, const struct era_successor *k)
{
    struct scheme *c = s->cast->crew->scheme;
    if (!k) {
        end(s);
    } else if (c->phase == READY) {
        if (switch_propose(s, a, v, WISH_SOFT, 0, v->epoch + 1)) {
            switch_approve(s, v);
            wait_for(s, VOTED, 8000);
        }
    } else {
        const struct era_candidate *open = switch_candidate(v, &c->proposal);
        switch_ready(s, v->charter, v->component);
        if (switch_is_head(s, v)) {
            turn(s, a, v, k);
            end(s);
        } else if (!open) {
            end(s);
        }
    }
}

/* ---- a vote that is open when the next charter comes ---- */

static void keep_certificate(struct sim *s, const struct stage *v, const struct era_candidate *open)
{
    struct scheme *c = s->cast->crew->scheme;
    c->certificate_bytes = hostile_certificate(s, v->ledger, v->component, open, &c->certificate);
}

static void open_before(struct sim *s, struct actor *a, const struct stage *v, const struct era_successor *k)
{
    struct scheme *c = s->cast->crew->scheme;
    const struct era_candidate *open = switch_candidate(v, &c->proposal);
    if (c->phase == READY) {
        if (switch_open(s, a, v, OPEN_LATER))
            c->phase = VOTED;
    } else if (!open || !k || v->epoch + 2 > c->effective) {
        end(s);
    } else if (v->epoch > open->expiry) {
        if (!switch_is_ripe(s, v, open)) {
            end(s);
            return;
        }
        switch_join(s);
        keep_certificate(s, v, open);
        turn(s, a, v, k);
        c->phase = SHOWN;
    }
}

/* Under the next charter: a plan that knows nothing of it. When it can be adopted, the first is shown. */
static void open_after(struct sim *s, struct actor *a, const struct stage *v)
{
    struct scheme *c = s->cast->crew->scheme;
    uint64_t before = c->effective;
    if (v->epoch + 1 > before) {
        end(s);
    } else if (c->phase == SHOWN) {
        if (v->charter->version != 0 && switch_propose(s, a, v, WISH_SOFT, 0, before)) {
            switch_approve(s, v);
            c->effective = before;
            wait_for(s, SECOND, 4000);
        }
    } else {
        const struct era_candidate *second = switch_candidate(v, &c->proposal);
        bool adopted = switch_is_head(s, v);
        if (!second && !adopted) {
            end(s);
        } else if (adopted || switch_is_ripe(s, v, second)) {
            switch_tell(s, (struct era_bytes){c->certificate, c->certificate_bytes});
            wait_for(s, LAST, 1000);
        }
    }
}

/* ---- a charter that is closed when the epoch from which it would count was leased ---- */

uint64_t hostile_switch_effective(const struct sim *s, const struct sim_node *n)
{
    const struct scheme *c = s->cast->crew ? s->cast->crew->scheme : NULL;
    struct era_view view;
    if (!c || c->kind != SCHEME_LAST || c->phase != WAITING || c->is_over)
        return 0;
    era_node_view(n->node, era_node_network_component(n->node), &view);
    uint64_t last = view.plan->entries[view.plan->count - 1].effective, far = view.epoch + FAR_EPOCHS;
    return last < far ? far : last + 1;
}

/* What the head's plan gives last, it gives from that epoch on. */
static bool is_planned(const struct stage *v, uint64_t epoch)
{
    const struct era_plan *plan = v->view.plan;
    const struct era_entry *e = &plan->entries[plan->count - 1];
    return e->has_effective && e->effective == epoch;
}

/* A plan whose entry begins when the charter may count. */
static void plan_entry(struct sim *s, struct actor *a, const struct stage *v, uint64_t epoch)
{
    struct scheme *c = s->cast->crew->scheme;
    if (is_planned(v, epoch))
        return;
    if (c->seq > 0 && switch_candidate(v, &c->proposal)) {
        switch_approve(s, v);
        switch_ready(s, v->charter, v->component);
    } else if (v->epoch + PLAN_EPOCHS <= epoch &&
               switch_propose(s, a, v, WISH_SOFT, epoch - v->epoch - PLAN_EPOCHS, epoch)) {
        switch_approve(s, v);
    }
}

static void last_before(struct sim *s, struct actor *a, const struct stage *v, const struct era_successor *k)
{
    struct scheme *c = s->cast->crew->scheme;
    if (v->epoch >= s->cast->rotations[0].draft->effective)
        end(s);
    if (!k || c->is_over) /* a witness that began anew may not hold it yet */
        return;
    plan_entry(s, a, v, k->charter->effective);
    c->effective = k->charter->effective;
    if (v->epoch + 1 < c->effective || v->offset_ms < SWITCH_LEASED_MS(s) - 5000) {
        ask(s, a, v, k);
        c->due_ms = s->now_ms + 5000;
    } else if (v->offset_ms > SWITCH_LEASED_MS(s) && is_ready(s, v, k) && is_planned(v, c->effective) &&
               switch_part(s, a, v)) {
        turn(s, a, v, k);
        c->phase = SHOWN;
    }
}

/* The draft of an honest person would come an epoch earlier. */
static bool propose_drop(struct sim *s, struct actor *a, const struct stage *v)
{
    struct stage earlier = *v;
    earlier.view.epoch--;
    return switch_propose(s, a, &earlier, WISH_DROP, 0, v->epoch);
}

static void last_after(struct sim *s, struct actor *a, const struct stage *v)
{
    struct scheme *c = s->cast->crew->scheme;
    if (v->epoch >= c->effective) {
        switch_emit_apart(s, a, v);
    } else if (c->phase == SHOWN) {
        if (v->charter->version != 0 && propose_drop(s, a, v)) {
            switch_approve(s, v);
            c->phase = SECOND;
        }
    } else if (switch_candidate(v, &c->proposal)) {
        switch_ready(s, v->charter, v->component);
    }
}

/* ---- all of them ---- */

static void act_ready(struct sim *s, struct actor *a, const struct stage *v, const struct era_successor *k)
{
    enum scheme_kind kind = s->cast->crew->scheme->kind;
    if (kind == SCHEME_BOUND)
        bound(s, a, v, k);
    else
        open_before(s, a, v, k);
}

static void act_shown(struct sim *s, struct actor *a, const struct stage *v)
{
    struct scheme *c = s->cast->crew->scheme;
    if (c->kind == SCHEME_LAST) {
        last_after(s, a, v);
    } else if (c->phase == LAST) {
        switch_ready(s, v->charter, v->component);
        end(s);
    } else {
        open_after(s, a, v);
    }
}

/* The charter is proposed early, and nobody else has anything to release meanwhile. */
static void hold_back(struct sim *s, struct actor *a)
{
    struct rotation *r = &s->cast->rotations[0];
    for (size_t i = 0; i < s->cast->guild_count; i++) {
        struct guild *g = &s->cast->guilds[i];
        if (strcmp(g->component, "network") == 0 && g->propose_ms < s->now_ms + s->plan.epoch_ms)
            g->propose_ms = s->now_ms + s->plan.epoch_ms;
    }
    if (r->statement.len == 0)
        switch_call(s, a, r);
}

void switch_charter(struct sim *s, struct actor *a, const struct stage *v)
{
    struct scheme *c = s->cast->crew->scheme;
    const struct era_successor *k = next_of(s, v);
    if (c->kind != SCHEME_BOUND)
        hold_back(s, a);
    if (c->phase == WAITING) {
        if (k) {
            ask(s, a, v, k);
            c->asked_ms = s->now_ms;
            wait_for(s, ASKED, 5000);
        }
    } else if (c->phase == ASKED && c->kind == SCHEME_LAST) {
        last_before(s, a, v, k);
    } else if (c->phase == ASKED) {
        if (!k || s->now_ms > c->asked_ms + PATIENCE_EPOCHS * s->plan.epoch_ms) {
            end(s);
        } else if (is_ready(s, v, k)) {
            c->phase = READY;
        } else {
            ask(s, a, v, k);
            c->due_ms = s->now_ms + 5000;
        }
    } else if (c->phase <= VOTED) {
        act_ready(s, a, v, k);
    } else {
        act_shown(s, a, v);
    }
}
