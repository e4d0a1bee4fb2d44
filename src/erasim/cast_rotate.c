/* How a charter follows another (R10): a signer of `network` proposes what was
 * agreed, validators accept and close by themselves or by their operator's
 * word, signers approve one charter a version, each by a record of its own. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/succession.h"
#include "src/erasim/hostile_switch.h"

#define CARRIED_HEADROOM ((uint64_t)1 << 20) /* above the highest approved seq (R10) */
#define LOOK_LEAST_MS    6000
#define LOOK_MOST_MS     14000
#define ASKS_MAX         8 /* an operator asks so often at most */

static const struct era_component *network_of(const struct era_charter *c)
{
    return era_charter_component(c, "network");
}

/* ---- what the simulation knows of the chain ---- */

static void keep_chain(struct sim *s, const struct era_ledger *l)
{
    const struct era_charter *c = era_ledger_charter(l);
    if (c->version < s->charter_count)
        return;
    keep_chain(s, era_ledger_older(l));
    sim_add_charter(s, cast_copy_charter(c));
    s->counts.rotations++;
    sim_tell(s, NULL, "charter version %llu is adopted, effective in epoch %llu",
             (unsigned long long)c->version, (unsigned long long)c->effective);
}

static void stepped(void *ctx, struct sim *s, struct sim_node *n, const struct era_event *event,
                    const struct era_effect *effects, size_t count)
{
    (void)ctx, (void)event, (void)effects, (void)count;
    if (n->trust == SIM_HONEST && era_node_charter(n->node)->version >= s->charter_count)
        keep_chain(s, era_node_ledger(n->node));
}

/* ---- proposing ---- */

static uint64_t highest_approved(const struct era_ledger *l, int component)
{
    const struct era_slot *const *slots;
    size_t count = era_ledger_slots(l, component, &slots);
    uint64_t seq = era_ledger_floor(l, component);
    for (size_t i = 0; i < count; i++)
        for (const struct era_candidate *c = slots[i]->candidates; c; c = c->slot_next)
            if (c->known && (unsigned)__builtin_popcountll(c->approved_by) >= c->approvals_needed &&
                c->seq > seq)
                seq = c->seq;
    return seq;
}

static void seal(struct era_charter *c, const struct era_ledger *l, uint64_t effective, uint64_t headroom)
{
    const struct era_charter *old = era_ledger_charter(l);
    c->has_parent = true;
    c->parent = old->hash;
    c->effective = effective;
    c->carried_count = old->component_count;
    for (size_t i = 0; i < old->component_count; i++) {
        era_text_set(c->carried[i].component, sizeof c->carried[i].component, old->components[i].id);
        c->carried[i].seq = highest_approved(l, (int)i) + headroom;
    }
    era_charter_seal(c);
    assert(era_charter_is_sound(c));
}

void cast_seal_charter(struct era_charter *c, const struct era_ledger *l, uint64_t effective)
{
    seal(c, l, effective, CARRIED_HEADROOM);
}

size_t cast_charter_statement(struct sim *s, const struct era_charter *sealed, const struct sim_key *author,
                              uint8_t **bytes)
{
    uint8_t *charter;
    size_t len = era_charter_encode(sealed, &charter);
    size_t total =
        era_author_charter(cast_network(s), (struct era_bytes){charter, len}, &author->secret, bytes);
    free(charter);
    return total;
}

static struct sim_key *honest_author(struct sim *s, const struct era_charter *old)
{
    for (size_t i = 0; i < s->cast->signer_count; i++) {
        struct signer *g = s->cast->signers[i];
        if (g->key->trust == SIM_HONEST && !g->at_home &&
            era_charter_signer_index(network_of(old), &g->key->secret.key) >= 0)
            return g->key;
    }
    return NULL;
}

static void write_charter(struct sim *s, struct actor *a, struct rotation *r, const struct sim_node *n)
{
    const struct era_ledger *l = era_node_ledger(n->node);
    struct sim_key *author = honest_author(s, era_ledger_charter(l));
    uint64_t effective = sim_true_epoch(s) + cast_between(&a->prng, 3, 5);
    uint64_t other = hostile_switch_effective(s, n);
    uint8_t *bytes;
    if (!author)
        return;
    effective = other ? other : effective;
    seal(r->draft, l, effective, hostile_switch_is_tight(s) ? 0 : CARRIED_HEADROOM);
    size_t len = cast_charter_statement(s, r->draft, author, &bytes);
    r->statement = (struct era_bytes){bytes, len};
    sim_tell(s, NULL, "%s proposes charter version %llu, effective in epoch %llu", author->name,
             (unsigned long long)r->draft->version, (unsigned long long)effective);
}

/* Until it is adopted, or another one of its version is: whoever asks a node that does not know it says it
 * again. */
static uint64_t act_author(struct sim *s, struct actor *a)
{
    struct rotation *r = a->who;
    if (s->charter_count > r->draft->version || cast_is_late(s))
        return CAST_NEVER;
    uint64_t home = era_prng_below(&a->prng, s->node_count);
    struct sim_node *n = s->charter_count == r->draft->version ? cast_ask_whom(s, home) : NULL;
    if (n && era_node_charter(n->node)->version + 1 == r->draft->version) {
        if (r->statement.len == 0)
            write_charter(s, a, r, n);
        const struct era_successor *known = era_ledger_successor(era_node_ledger(n->node), &r->draft->hash);
        if (r->statement.len > 0 && !(known && known->charter))
            sim_ask(s, n, (struct era_command){.kind = ERA_CMD_SUBMIT, .bytes = r->statement});
    }
    return s->now_ms + cast_between(&a->prng, s->plan.epoch_ms / 4, s->plan.epoch_ms / 2);
}

/* ---- approving ---- */

static void approve(struct sim *s, const struct signer *g, struct sim_node *n, const struct era_successor *k)
{
    struct era_statement *st = s->cast->draft;
    memset(st, 0, sizeof *st);
    st->kind = ERA_KIND_CHARTER_APPROVE;
    st->u.charter_vote = (struct era_charter_vote){k->charter->version, k->hash};
    sim_ask(s, n, (struct era_command){.kind = ERA_CMD_SUBMIT, .bytes = cast_signed(s, st, g->key, NULL)});
}

static const struct charter_word *word_of(const struct signer *g, uint64_t version)
{
    for (size_t i = 0; i < g->charter_count; i++)
        if (g->charters[i].version == version)
            return &g->charters[i];
    return NULL;
}

static void review(struct sim *s, struct actor *a, struct sim_node *n, const struct era_successor *k)
{
    struct signer *g = a->who;
    const char *why;
    const struct era_ledger *l = era_node_ledger(n->node);
    int old = era_charter_signer_index(network_of(era_ledger_charter(l)), &g->key->secret.key);
    int new = era_charter_signer_index(network_of(k->charter), &g->key->secret.key);
    if (old < 0 && new < 0)
        return;
    struct sighting *seen = cast_sighting(&g->seen, &k->hash);
    if (!seen)
        seen = cast_sight(&g->seen, &k->hash, s->now_ms, &a->prng, s->plan.epoch_ms / 2);
    if (s->now_ms < seen->due_ms)
        return;
    const struct charter_word *mine = word_of(g, k->charter->version);
    if (mine) { /* signed before, and not held here */
        bool held = old >= 0 ? k->old_approved_by >> old & 1 : k->new_approved_by >> new & 1;
        if (era_hash_eq(&mine->charter, &k->hash) && !held)
            approve(s, g, n, k);
        return;
    }
    if (!cast_is_bearable(s, k->charter) || g->charter_count == CAST_ROTATIONS_MAX ||
        era_succession_may_approve(l, k, &g->key->secret.key, &why) != ERA_ACCEPTED)
        return;
    g->charters[g->charter_count++] = (struct charter_word){k->charter->version, k->hash};
    approve(s, g, n, k);
}

static uint64_t act_charter_signer(struct sim *s, struct actor *a)
{
    struct signer *g = a->who;
    struct sim_node *n = cast_ask_for(s, g);
    if (cast_is_late(s))
        return CAST_NEVER;
    if (n)
        for (const struct era_successor *k = era_ledger_successors(era_node_ledger(n->node)); k; k = k->next)
            if (k->charter)
                review(s, a, n, k);
    return s->now_ms + cast_between(&a->prng, LOOK_LEAST_MS, LOOK_MOST_MS);
}

/* ---- operators of nodes that do nothing by themselves ---- */

static void ask(struct sim *s, struct actor *a, struct sim_node *n, struct sightings *all,
                const struct era_successor *k, enum era_command_kind kind)
{
    struct sighting *seen = cast_sighting(all, &k->hash);
    if (!seen)
        seen = cast_sight(all, &k->hash, s->now_ms, &a->prng, 3 * s->plan.epoch_ms / 2);
    if (s->now_ms < seen->due_ms || seen->tries == ASKS_MAX)
        return;
    seen->tries++;
    seen->due_ms = s->now_ms + cast_between(&a->prng, 20000, 60000);
    sim_ask(s, n, (struct era_command){.kind = kind, .proposal = k->hash});
}

/* Who was away when a charter was adopted closes late. */
static void ask_late(struct sim *s, struct actor *a, struct sim_node *n, struct sightings *all)
{
    const struct era_key *key = &n->key->secret.key;
    const struct era_ledger *l = era_ledger_older(era_node_ledger(n->node));
    for (; l; l = era_ledger_older(l)) {
        const struct era_successor *k = era_ledger_next(l, NULL);
        if (k && era_charter_validator_index(era_ledger_charter(l), key) >= 0 &&
            !era_succession_own_close(l, key))
            ask(s, a, n, all, k, ERA_CMD_CLOSE);
    }
}

static uint64_t act_operator(struct sim *s, struct actor *a)
{
    struct caretaker *c = a->who;
    struct sim_node *n = &s->nodes[c->node];
    if (cast_is_late(s))
        return CAST_NEVER;
    if (n->node) {
        const struct era_charter *old = era_node_charter(n->node);
        const struct era_key *key = &n->key->secret.key;
        for (const struct era_successor *k = era_ledger_successors(era_node_ledger(n->node)); k;
             k = k->next) {
            if (!k->charter)
                continue;
            if (era_charter_validator_index(k->charter, key) >= 0)
                ask(s, a, n, &c->accepts, k, ERA_CMD_ACCEPT);
            if (era_charter_validator_index(old, key) >= 0 && era_succession_approved(old, k))
                ask(s, a, n, &c->closes, k, ERA_CMD_CLOSE);
        }
        ask_late(s, a, n, &c->closes);
    }
    return s->now_ms + cast_between(&a->prng, LOOK_LEAST_MS, LOOK_MOST_MS);
}

/* ---- who acts ---- */

void cast_hire_rotation(struct sim *s)
{
    struct cast *c = s->cast;
    struct era_prng p = sim_stream(s, "rotation");
    if (c->rotation_count == 0)
        return;
    sim_watch(s, (struct sim_watch){.stepped = stepped});
    for (size_t i = 0; i < c->rotation_count; i++)
        cast_hire(s, act_author, &c->rotations[i], c->rotations[i].hour_ms, i ? "charter 2" : "charter 1");
    for (size_t i = 0; i < c->signer_count; i++) {
        struct signer *g = c->signers[i];
        uint64_t first = cast_between(&p, 2000, LOOK_MOST_MS);
        if (g->key->trust == SIM_HONEST && strcmp(g->component, "network") == 0) {
            char purpose[2 * ERA_NAME_BYTES_MAX];
            snprintf(purpose, sizeof purpose, "charters of %.64s", g->key->name);
            cast_hire(s, act_charter_signer, g, first, purpose);
        }
    }
    for (size_t i = 0; i < c->caretaker_count; i++) {
        uint64_t first = cast_between(&p, 2000, LOOK_MOST_MS);
        char purpose[2 * ERA_NAME_BYTES_MAX];
        snprintf(purpose, sizeof purpose, "operator of %.64s", s->nodes[i].name);
        if (s->nodes[i].key && !s->nodes[i].auto_charter)
            cast_hire(s, act_operator, &c->caretakers[i], first, purpose);
    }
}
