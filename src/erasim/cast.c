#include "src/erasim/cast.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/erasim/hostile.h"
#include "src/erasim/people.h"
#include "src/erasim/strike.h"

#define SIGHT_LEAST_MS 2000  /* nobody acts on what came just now */
#define LATE_MS        20000 /* before the end people rest */

void *cast_alloc(size_t bytes)
{
    void *p = calloc(1, bytes ? bytes : 1);
    assert(p);
    return p;
}

struct actor *cast_hire(struct sim *s, cast_act *act, void *who, uint64_t at_ms, const char *purpose)
{
    struct cast *c = s->cast;
    struct actor *a = cast_alloc(sizeof *a);
    if (c->actor_count == c->actor_cap) {
        c->actor_cap = c->actor_cap ? 2 * c->actor_cap : 64;
        c->actors = realloc(c->actors, c->actor_cap * sizeof(struct actor *));
        assert(c->actors);
    }
    *a = (struct actor){at_ms, act, who, sim_stream(s, purpose)};
    c->actors[c->actor_count++] = a;
    return a;
}

bool cast_may(const struct sim *s, enum sim_fault f)
{
    return s->plan.faults >> f & 1;
}

bool cast_is_late(const struct sim *s)
{
    return era_add_sat(s->now_ms, LATE_MS) >= era_mul_sat(s->plan.epochs, s->plan.epoch_ms);
}

uint64_t cast_between(struct era_prng *p, uint64_t least, uint64_t most)
{
    return most > least ? least + era_prng_below(p, most - least + 1) : least;
}

bool cast_chance(struct era_prng *p, unsigned percent)
{
    return era_prng_below(p, 100) < percent;
}

const struct era_charter *cast_charter(const struct sim *s)
{
    return s->charters[s->charter_count - 1];
}

const struct era_hash *cast_network(const struct sim *s)
{
    return &s->charters[0]->hash;
}

/* A person looks at a calendar: a node whose clock is wrong is not asked. */
static bool trustworthy(const struct sim *s, const struct sim_node *n)
{
    uint64_t now = sim_true_epoch(s);
    if (!n->node || n->trust != SIM_HONEST)
        return false;
    uint64_t its = era_node_epoch(n->node);
    return its + 1 >= now && its <= now + 1;
}

struct sim_node *cast_ask_whom(struct sim *s, size_t home)
{
    for (size_t i = 0; i < s->node_count; i++) {
        struct sim_node *n = &s->nodes[(home + i) % s->node_count];
        if (trustworthy(s, n))
            return n;
    }
    return NULL;
}

struct sim_node *cast_ask_for(struct sim *s, const struct signer *g)
{
    if (!g->at_home)
        return cast_ask_whom(s, g->home);
    return trustworthy(s, &s->nodes[g->home]) ? &s->nodes[g->home] : NULL;
}

struct era_bytes cast_signed(struct sim *s, const struct era_statement *st, const struct sim_key *key,
                             struct era_hash *id)
{
    uint8_t *out = s->cast->envelope;
    size_t len = era_author_sign(cast_network(s), st, &key->secret, out, ERA_AUTHORED_BYTES_MAX, id);
    assert(len > 0);
    return (struct era_bytes){out, len};
}

struct sighting *cast_sighting(struct sightings *all, const struct era_hash *proposal)
{
    for (size_t i = 0; i < all->count; i++)
        if (era_hash_eq(&all->list[i].proposal, proposal))
            return &all->list[i];
    return NULL;
}

struct sighting *cast_sight(struct sightings *all, const struct era_hash *proposal, uint64_t now_ms,
                            struct era_prng *prng, uint64_t slow_ms)
{
    struct sighting *at = &all->list[all->next];
    all->next = (all->next + 1) % CAST_SIGHTINGS_MAX;
    if (all->count < CAST_SIGHTINGS_MAX)
        all->count++;
    *at = (struct sighting){.proposal = *proposal, .first_ms = now_ms, .due_ms = now_ms};
    if (prng) {
        at->due_ms += cast_between(prng, SIGHT_LEAST_MS, slow_ms);
        at->mood = (unsigned)era_prng_below(prng, 100);
    }
    return at;
}

/* ---- life ---- */

bool cast_make(struct sim *s, const char **why)
{
    struct cast *c = cast_alloc(sizeof *c);
    uint64_t quiet = s->plan.quiet_epochs < s->plan.epochs ? s->plan.epochs - s->plan.quiet_epochs : 0;
    s->cast = c;
    c->quiet_ms = era_mul_sat(quiet, s->plan.epoch_ms);
    c->spare_validator = SIZE_MAX;
    c->draft = cast_alloc(sizeof *c->draft);
    c->envelope = cast_alloc(ERA_AUTHORED_BYTES_MAX);
    if (!cast_make_network(s, why))
        return false;
    cast_plan_rotations(s);
    cast_hire_caretakers(s);
    cast_hire_signers(s);
    cast_hire_releases(s);
    cast_hire_rotation(s);
    hostile_hire(s);
    strike_hire(s);
    return true;
}

void cast_free(struct sim *s)
{
    struct cast *c = s->cast;
    if (!c)
        return;
    hostile_free(c->crew);
    strike_free(c->strikes);
    free(c->release);
    cast_free_rotations(c);
    for (size_t i = 0; i < c->actor_count; i++)
        free(c->actors[i]);
    for (size_t i = 0; i < c->signer_count; i++)
        free(c->signers[i]);
    free(c->actors);
    free(c->signers);
    free(c->guilds);
    free(c->caretakers);
    free(c->draft);
    free(c->envelope);
    free(c);
    s->cast = NULL;
}

uint64_t cast_wake(struct sim *s)
{
    struct cast *c = s->cast;
    uint64_t next = CAST_NEVER;
    for (size_t i = 0; i < c->actor_count; i++) {
        struct actor *a = c->actors[i];
        if (a->next_ms <= s->now_ms) {
            a->next_ms = a->act(s, a);
            assert(a->next_ms > s->now_ms);
        }
        if (a->next_ms < next)
            next = a->next_ms;
    }
    return next;
}

void cast_peer_up(struct sim *s, uint64_t link)
{
    hostile_peer_up(s, link);
}

void cast_peer_heard(struct sim *s, uint64_t link, struct era_bytes frame)
{
    hostile_peer_heard(s, link, frame);
}

void cast_peer_down(struct sim *s, uint64_t link)
{
    hostile_peer_down(s, link);
}

void cast_replied(struct sim *s, struct sim_node *n, const struct era_reply *r)
{
    (void)s, (void)n, (void)r;
}

void cast_signalled(struct sim *s, struct sim_node *n, const struct era_signal *signal)
{
    (void)s, (void)n, (void)signal;
}
