/* What faulty keys say while one charter follows another (R10): rival
 * charters, two approvals, two closes with different words, words kept until
 * the new one counts, and votes and leases under a charter that is over. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/succession.h"
#include "src/erasim/hostile.h"

#define RIVAL_PERCENT 35 /* of charters that such seeds see */
#define BOGUS_MOST    3  /* slots in one close that nobody voted in */

/* What one looks at: a charter that may follow, in some node's ledger. */
struct turn {
    struct sim_node *n;
    const struct era_ledger *ledger;
    const struct era_charter *old;
    const struct era_successor *k;
};

static void each_charter(struct sim *s, struct actor *a,
                         void (*play)(struct sim *s, struct actor *a, const struct turn *turn))
{
    struct turn turn = {.n = hostile_any_node(s, &a->prng)};
    if (!turn.n)
        return;
    turn.ledger = era_node_ledger(turn.n->node);
    turn.old = era_ledger_charter(turn.ledger);
    for (turn.k = era_ledger_successors(turn.ledger); turn.k; turn.k = turn.k->next)
        if (turn.k->charter)
            play(s, a, &turn);
}

static struct era_bytes charter_vote(struct sim *s, enum era_kind kind, const struct era_charter *c,
                                     const struct sim_key *key)
{
    hostile_begin(s, kind)->u.charter_vote = (struct era_charter_vote){c->version, c->hash};
    return cast_signed(s, s->cast->draft, key, NULL);
}

/* ---- bad signers ---- */

static bool signs(const struct signer *g, const struct era_charter *c)
{
    const struct era_component *network = era_charter_component(c, "network");
    return g->key->trust == SIM_FAULTY && strcmp(g->component, "network") == 0 &&
           era_charter_signer_index(network, &g->key->secret.key) >= 0;
}

/* Another charter of that version, approved by all that are bad: of other days, of other strictness, or one
 * that gives the bad more than is borne, which no honest signer approves. */
static void show_rival_charter(struct sim *s, struct actor *a, const struct turn *turn,
                               const struct sim_key *author, unsigned half)
{
    struct era_charter *c = cast_copy_charter(turn->k->charter);
    uint8_t *bytes;
    uint64_t draw = era_prng_below(&a->prng, 4);
    if (draw == 0)
        c->strict_emission = !c->strict_emission;
    else
        c->effective += draw;
    for (size_t i = 0; draw == 3 && i < c->validator_count; i++)
        if (sim_key_trust(s, &c->validators[i].key) == SIM_FAULTY)
            c->validators[i].stake *= 50;
    era_charter_seal(c);
    size_t len = cast_charter_statement(s, c, author, &bytes);
    hostile_show(s, &a->prng, half, (struct era_bytes){bytes, len});
    free(bytes);
    for (size_t i = 0; i < s->cast->signer_count; i++) {
        const struct signer *g = s->cast->signers[i];
        if (signs(g, turn->old) || signs(g, c))
            hostile_show(s, &a->prng, half, charter_vote(s, ERA_KIND_CHARTER_APPROVE, c, g->key));
    }
    era_charter_clear(c);
    free(c);
}

static void play_signer(struct sim *s, struct actor *a, const struct turn *turn, struct signer *g)
{
    const struct era_charter *c = turn->k->charter;
    if (cast_sighting(&g->seen, &c->hash))
        return;
    cast_sight(&g->seen, &c->hash, s->now_ms, NULL, 0);
    unsigned mood = (unsigned)era_prng_below(&a->prng, 100), half = mood % 2;
    bool rival = s->cast->rival_charters && cast_chance(&a->prng, RIVAL_PERCENT) && signs(g, turn->old) &&
                 !era_ledger_followed(turn->ledger) && !turn->k->next &&
                 turn->k == era_ledger_successors(turn->ledger);
    struct era_bytes word = charter_vote(s, ERA_KIND_CHARTER_APPROVE, c, g->key);
    if (mood < 84) {
        hostile_show(s, &a->prng, 2, word);
    } else if (mood < 96) {
        hostile_later(s, a, word);
        sim_strike(s, SIM_FAULT_BAD_SIGNER, turn->n, "%s approves charter %llu late", g->key->name,
                   (unsigned long long)c->version);
    }
    if (rival) {
        show_rival_charter(s, a, turn, g->key, half);
        sim_strike(s, SIM_FAULT_BAD_SIGNER, turn->n, "%s proposes another charter %llu", g->key->name,
                   (unsigned long long)c->version);
    }
}

static void play_signers(struct sim *s, struct actor *a, const struct turn *turn)
{
    if (!turn->k->charter->authority_only && turn->k->accept_stake < era_charter_quorum(turn->k->charter) &&
        !s->cast->rival_charters)
        return;
    for (size_t i = 0; i < s->cast->signer_count; i++) {
        struct signer *g = s->cast->signers[i];
        if (signs(g, turn->old) || signs(g, turn->k->charter))
            play_signer(s, a, turn, g);
    }
}

static uint64_t act_signers(struct sim *s, struct actor *a)
{
    if (hostile_over(s))
        return CAST_NEVER;
    if (!hostile_switch_keeps_charter(s))
        each_charter(s, a, play_signers);
    return hostile_next_act(s, a);
}

/* ---- bad validators ---- */

static int by_slot(const void *x, const void *y)
{
    const struct era_closed_slot *a = x, *b = y;
    int order = strcmp(a->component, b->component);
    if (order == 0 && a->seq != b->seq)
        order = a->seq < b->seq ? -1 : 1;
    return order ? order : era_hash_cmp(&a->proposal, &b->proposal);
}

/* Slots that nobody voted in, up to what is carried: they bind the new validators until they are dropped. */
static void name_bogus(struct sim *s, struct actor *a, const struct turn *turn, struct era_close *close)
{
    uint64_t count = cast_between(&a->prng, 1, BOGUS_MOST);
    (void)s;
    for (uint64_t i = 0; i < count; i++) {
        size_t component = era_prng_below(&a->prng, turn->old->component_count);
        struct era_closed_slot *v = &close->voted[close->voted_count++];
        const struct era_carried *carried = &turn->k->charter->carried[component];
        uint64_t floor = era_ledger_floor(turn->ledger, (int)component);
        uint64_t ahead = cast_chance(&a->prng, 50) ? 1 : carried->seq - floor;
        era_text_set(v->component, sizeof v->component, carried->component);
        v->seq = floor + ahead;
        v->proposal = hostile_invented(&a->prng);
    }
    qsort(close->voted, close->voted_count, sizeof close->voted[0], by_slot);
}

static struct era_bytes close_word(struct sim *s, struct actor *a, const struct turn *turn,
                                   const struct sim_key *key, bool bogus)
{
    struct era_close *close = &hostile_begin(s, ERA_KIND_CLOSE)->u.close;
    uint64_t draw = era_prng_below(&a->prng, 4), epoch = sim_true_epoch(s);
    close->version = turn->k->charter->version;
    close->charter = turn->k->hash;
    close->has_last = draw > 0;
    close->last = draw == 0 ? 0 : draw == 3 ? turn->k->charter->effective + 50 : epoch + draw - 1;
    if (bogus)
        name_bogus(s, a, turn, close);
    return cast_signed(s, s->cast->draft, key, NULL);
}

static void play_close(struct sim *s, struct actor *a, const struct turn *turn, const struct sim_key *key)
{
    unsigned mood = (unsigned)era_prng_below(&a->prng, 100), half = mood % 2;
    if (mood < 25) {
        hostile_show(s, &a->prng, 2, close_word(s, a, turn, key, false));
    } else if (mood < 60) {
        hostile_show(s, &a->prng, half, close_word(s, a, turn, key, mood % 3 == 0));
        hostile_show(s, &a->prng, 1 - half, close_word(s, a, turn, key, true));
        sim_strike(s, SIM_FAULT_BAD_VALIDATOR, turn->n, "%s closes twice for charter %llu", key->name,
                   (unsigned long long)turn->k->charter->version);
    } else if (mood < 90) {
        hostile_later(s, a, close_word(s, a, turn, key, mood % 3 == 0));
        sim_strike(s, SIM_FAULT_BAD_VALIDATOR, turn->n, "%s closes late for charter %llu", key->name,
                   (unsigned long long)turn->k->charter->version);
    }
}

static void play_validators(struct sim *s, struct actor *a, const struct turn *turn)
{
    struct crew *crew = s->cast->crew;
    struct era_hash closing = turn->k->hash;
    bool first = !cast_sighting(&crew->charters, &turn->k->hash);
    closing.b[0] ^= 1; /* the same charter, a second time */
    bool closes = era_succession_approved(turn->old, turn->k) && !cast_sighting(&crew->charters, &closing);
    if (first)
        cast_sight(&crew->charters, &turn->k->hash, s->now_ms, NULL, 0);
    if (closes)
        cast_sight(&crew->charters, &closing, s->now_ms, NULL, 0);
    for (size_t i = 0; i < crew->validator_count; i++) {
        const struct sim_key *key = crew->validators[i];
        if (first && era_charter_validator_index(turn->k->charter, &key->secret.key) >= 0)
            hostile_show(s, &a->prng, 2, charter_vote(s, ERA_KIND_ACCEPT, turn->k->charter, key));
        if (closes && era_charter_validator_index(turn->old, &key->secret.key) >= 0)
            play_close(s, a, turn, key);
    }
}

/* ---- under a charter that is over ---- */

static void lease_late(struct sim *s, struct actor *a, struct sim_node *n, const struct era_charter *old,
                       const struct sim_key *key)
{
    struct era_view view;
    struct era_announcement *said = &hostile_begin(s, ERA_KIND_ANNOUNCEMENT)->u.announcement;
    era_node_view(n->node, era_node_network_component(n->node), &view);
    said->epoch = sim_true_epoch(s);
    said->charter_version = old->version;
    said->versions = n->versions;
    said->lease = said->has_entry = true;
    said->entry = view.plan->entries[0].hash;
    hostile_show(s, &a->prng, 2, cast_signed(s, s->cast->draft, key, NULL));
}

/* A slot of it: one that was open, the next, the last that is carried, or above. */
static void vote_late(struct sim *s, struct actor *a, const struct era_ledger *older,
                      const struct era_charter *newest, const struct sim_key *key)
{
    const struct era_charter *old = era_ledger_charter(older);
    int component = (int)era_prng_below(&a->prng, old->component_count);
    uint64_t floor = era_ledger_floor(older, component), carried = newest->carried[component].seq;
    uint64_t draw = era_prng_below(&a->prng, 4);
    uint64_t seq = draw < 2 ? floor + 1 + draw : carried + draw - 2;
    struct era_hash id = hostile_invented(&a->prng);
    const struct era_slot *const *slots;
    size_t count = era_ledger_slots(older, component, &slots);
    if (draw == 0 && count > 0 && slots[count - 1]->candidates) {
        seq = slots[count - 1]->seq;
        id = slots[count - 1]->candidates->proposal;
    }
    hostile_show(s, &a->prng, 2, hostile_vote(s, ERA_KIND_READINESS, old, component, seq, &id, key));
    sim_strike(s, SIM_FAULT_BAD_VALIDATOR, NULL, "%s votes in slot %llu of charter %llu, which is over",
               key->name, (unsigned long long)seq, (unsigned long long)old->version);
}

static void play_over(struct sim *s, struct actor *a)
{
    struct crew *crew = s->cast->crew;
    struct sim_node *n = hostile_any_node(s, &a->prng);
    const struct era_ledger *older = n ? era_ledger_older(era_node_ledger(n->node)) : NULL;
    if (!older)
        return;
    for (size_t i = 0; i < crew->validator_count; i++) {
        const struct sim_key *key = crew->validators[i];
        bool votes = cast_chance(&a->prng, 25), leases = cast_chance(&a->prng, 25);
        if (era_charter_validator_index(era_ledger_charter(older), &key->secret.key) < 0)
            continue;
        if (votes)
            vote_late(s, a, older, era_node_charter(n->node), key);
        if (leases)
            lease_late(s, a, n, era_ledger_charter(older), key);
    }
}

static uint64_t act_validators(struct sim *s, struct actor *a)
{
    if (hostile_over(s))
        return CAST_NEVER;
    if (!hostile_switch_keeps_charter(s))
        each_charter(s, a, play_validators);
    play_over(s, a);
    return hostile_next_act(s, a);
}

void hostile_hire_rotate(struct sim *s)
{
    struct era_prng p = sim_stream(s, "hostile rotate");
    uint64_t first = cast_between(&p, 4000, 20000), second = cast_between(&p, 4000, 20000);
    if (s->cast->rotation_count == 0)
        return;
    /* Whatever may strike: without them, k is not reached. */
    cast_hire(s, act_signers, NULL, first, "bad signers of charters");
    if (cast_may(s, SIM_FAULT_BAD_VALIDATOR))
        cast_hire(s, act_validators, NULL, second, "bad closers");
}
