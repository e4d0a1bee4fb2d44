/* Schemes around a charter that follows another (R10): the bad signers hold
 * its last approvals back until what it should not follow is under way. */
#include <stdlib.h>

#include "src/core/charter.h"
#include "src/core/succession.h"
#include "src/erasim/hostile_switch.h"

#define PATIENCE_EPOCHS 4 /* of a scheme whose charter is proposed */
#define OPEN_LATER      4 /* epochs: a plan that is open stays to come when the next charter counts */

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
static void turn(struct sim *s, const struct stage *v, const struct era_successor *k)
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
            turn(s, v, k);
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
    c->certificate_bytes = hostile_certificate(s, v->charter, v->component, open, &c->certificate);
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
        turn(s, v, k);
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
        if (v->charter->version != 0 && switch_open(s, a, v, 1)) {
            c->effective = before;
            c->phase = SECOND;
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

/* ---- a charter that is closed when the next epoch was leased ---- */

static void last_before(struct sim *s, struct actor *a, const struct stage *v, const struct era_successor *k)
{
    struct scheme *c = s->cast->crew->scheme;
    if (!k) {
        end(s);
    } else if (c->phase == READY) {
        if (switch_pick(c, v) && c->effective >= k->charter->effective) {
            c->phase = VOTED;
        } else if (switch_propose(s, a, v, WISH_SOFT, 1, v->epoch + 1)) {
            switch_approve(s, v);
            wait_for(s, VOTED, 8000);
        }
    } else if (v->epoch + 1 > c->effective) {
        end(s);
    } else if (v->epoch + 1 < c->effective) {
        if (switch_candidate(v, &c->proposal))
            switch_ready(s, v->charter, v->component);
        c->due_ms = s->now_ms + 5000;
    } else if (v->offset_ms > SWITCH_LEASED_MS(s) && switch_part(s, a, v)) {
        turn(s, v, k);
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
    else if (kind == SCHEME_OPEN)
        open_before(s, a, v, k);
    else
        last_before(s, a, v, k);
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

void switch_charter(struct sim *s, struct actor *a, const struct stage *v)
{
    struct scheme *c = s->cast->crew->scheme;
    const struct era_successor *k = next_of(s, v);
    if (c->phase == WAITING) {
        if (k) {
            ask(s, a, v, k);
            c->asked_ms = s->now_ms;
            wait_for(s, ASKED, 5000);
        }
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
