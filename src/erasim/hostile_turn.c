/* What goes wrong around the adoption of a charter (R10). Bad signers propose two of its version before the
 * one that was agreed upon, or more than are kept, some to these nodes and some to those (R6); and what bad
 * keys said about both may be shown as evidence before the charters are. Validators are down while it is
 * adopted with the closes of bad ones, who say that they leased epochs far away: it counts when those that
 * were down close late. And nodes start again before and after. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/author.h"
#include "src/core/charter.h"
#include "src/core/succession.h"
#include "src/erasim/hostile.h"
#include "src/erasim/strike.h"

#define ALONE_PERCENT   40 /* of seeds with rotations: no scheme has the charter in hand */
#define AWAY_PERCENT    65
#define RIVALS_PERCENT  65
#define STARTS_PERCENT  60
#define FIRST_PERCENT   60 /* of rivals: evidence is shown before the charters */
#define UNBORNE_PERCENT 60 /* of them give the bad more than is borne: no honest signer approves */
#define CROWD_PERCENT   50 /* of them propose more */
#define CROWD_MOST      5
#define AWAY_MAX        3
#define AWAY_EPOCHS     5 /* they come back at the latest */
#define RIVALS          2
#define LOOK_MS         1000

struct plot {
    bool alone;
    size_t away_count, away[AWAY_MAX]; /* nodes */
    uint64_t away_version, gone_ms, back_ms;
    bool closed;                        /* the bad did, this time */
    struct era_bytes rivals[RIVALS];    /* statements that are not shown yet, owned */
    uint64_t rivals_version, rivals_ms; /* the last that had rivals; when theirs are shown */
    size_t charter_count, starts;
};

void hostile_turn_free(struct plot *p)
{
    for (size_t i = 0; p && i < RIVALS; i++)
        free((void *)p->rivals[i].data);
    free(p);
}

static const struct era_component *network_of(const struct era_charter *c)
{
    return era_charter_component(c, "network");
}

static void tell_all(struct sim *s, struct era_bytes envelope)
{
    for (size_t i = 0; i < s->node_count; i++)
        hostile_say(s, i, envelope);
}

static bool validates(const struct era_charter *c, const struct sim_key *key)
{
    return era_charter_validator_index(c, &key->secret.key) >= 0;
}

static bool signs(const struct signer *g, const struct era_charter *c)
{
    return g->key->trust == SIM_FAULTY && era_charter_signer_index(network_of(c), &g->key->secret.key) >= 0;
}

/* ---- validators that are away ---- */

/* One that honest signers will approve. */
static const struct era_successor *open_charter(const struct sim *s, const struct era_ledger *l)
{
    for (const struct era_successor *k = era_ledger_successors(l); k; k = k->next)
        if (k->charter && !era_ledger_followed(l) && k->accept_stake >= era_charter_quorum(k->charter) &&
            cast_is_bearable(s, k->charter))
            return k;
    return NULL;
}

static bool closes_soon(const struct sim_node *n)
{
    return n->node && n->trust == SIM_HONEST && era_node_lock(n->node) == ERA_LOCK_NONE;
}

/* Stake that may be away while the rest, the bad among them, is a quorum still. */
static uint64_t room_in(const struct sim *s, const struct era_charter *old)
{
    uint64_t room = era_charter_stake_sum(old) - era_charter_quorum(old);
    for (size_t i = 0; i < s->node_count; i++) {
        const struct sim_node *n = &s->nodes[i];
        int at = n->key ? era_charter_validator_index(old, &n->key->secret.key) : -1;
        uint64_t stake = at >= 0 && !closes_soon(n) ? old->validators[at].stake : 0;
        room -= stake < room ? stake : room;
    }
    return room;
}

static void leave(struct sim *s, struct actor *a, const struct era_charter *old, uint64_t version)
{
    struct plot *p = a->who;
    uint64_t room = room_in(s, old);
    size_t first = era_prng_below(&a->prng, s->node_count);
    for (size_t i = 0; i < s->node_count && p->away_count < AWAY_MAX; i++) {
        struct sim_node *n = &s->nodes[(first + i) % s->node_count];
        int at = n->key && closes_soon(n) ? era_charter_validator_index(old, &n->key->secret.key) : -1;
        if (at < 0 || old->validators[at].stake > room || !strike_take(s, n->number))
            continue;
        room -= old->validators[at].stake;
        p->away[p->away_count++] = n->number;
    }
    for (size_t i = 0; i < p->away_count;
         i++) { /* now: the old charter is known by the ledger of one of them */
        struct sim_node *n = &s->nodes[p->away[i]];
        sim_crash(s, n);
        sim_strike(s, SIM_FAULT_ABSENT, n, "while charter %llu is adopted", (unsigned long long)version);
    }
    if (p->away_count == 0) /* later, perhaps */
        return;
    p->away_version = version;
    p->gone_ms = s->now_ms;
    p->back_ms = CAST_NEVER;
    p->closed = false;
}

static void come_back(struct sim *s, struct plot *p)
{
    for (size_t i = 0; i < p->away_count; i++) {
        strike_release(s, p->away[i]);
        if (!s->nodes[p->away[i]].node)
            sim_start(s, &s->nodes[p->away[i]]);
    }
    p->away_count = 0;
}

/* Their closes are needed, and say that they leased what nobody leases. */
static void close_far(struct sim *s, struct actor *a, const struct era_ledger *l)
{
    struct plot *p = a->who;
    struct crew *crew = s->cast->crew;
    const struct era_charter *old = era_ledger_charter(l);
    const struct era_successor *k = open_charter(s, l);
    if (!k || p->closed || !era_succession_approved(old, k))
        return;
    struct era_hash closing = k->hash;
    closing.b[0] ^= 1; /* as the bad closers mark it */
    p->closed = true;
    if (cast_sighting(&crew->charters, &closing))
        return;
    cast_sight(&crew->charters, &closing, s->now_ms, NULL, 0);
    for (size_t i = 0; i < crew->validator_count; i++) {
        if (!validates(old, crew->validators[i]))
            continue;
        uint64_t far = cast_between(&a->prng, 20, 200);
        struct era_close *close = &hostile_begin(s, ERA_KIND_CLOSE)->u.close;
        *close = (struct era_close){.version = k->charter->version,
                                    .charter = k->hash,
                                    .has_last = true,
                                    .last = k->charter->effective + far};
        tell_all(s, cast_signed(s, s->cast->draft, crew->validators[i], NULL));
        sim_strike(s, SIM_FAULT_BAD_VALIDATOR, NULL, "%s closes as if it had leased epoch %llu",
                   crew->validators[i]->name, (unsigned long long)(k->charter->effective + far));
    }
}

static uint64_t act_away(struct sim *s, struct actor *a)
{
    struct plot *p = a->who;
    if (hostile_over(s)) {
        come_back(s, p);
        return CAST_NEVER;
    }
    struct sim_node *n = hostile_any_node(s, &a->prng);
    const struct era_ledger *l = n ? era_node_ledger(n->node) : NULL;
    const struct era_successor *k = l && !hostile_switch_keeps_charter(s) ? open_charter(s, l) : NULL;
    if (p->away_count > 0) {
        if (l)
            close_far(s, a, l);
        if (p->back_ms == CAST_NEVER && s->charter_count > p->away_version)
            p->back_ms = s->now_ms + cast_between(&a->prng, 1000, 3 * s->plan.epoch_ms);
        if (s->now_ms >= p->back_ms || s->now_ms > p->gone_ms + AWAY_EPOCHS * s->plan.epoch_ms)
            come_back(s, p);
    } else if (k && p->away_version < k->charter->version) {
        leave(s, a, era_ledger_charter(l), k->charter->version);
    }
    return s->now_ms + LOOK_MS;
}

/* ---- rivals ---- */

static const struct sim_key *bad_author(const struct sim *s, const struct era_charter *old)
{
    for (size_t i = 0; i < s->cast->signer_count; i++)
        if (strcmp(s->cast->signers[i]->component, "network") == 0 && signs(s->cast->signers[i], old))
            return s->cast->signers[i]->key;
    return NULL;
}

/* What the bad said of both, each key once as evidence, or the one to these nodes and the other to those. */
static void show_words(struct sim *s, struct actor *a, enum era_kind kind, const struct sim_key *key,
                       struct era_charter *const rivals[RIVALS], bool proven)
{
    struct era_envelope said[RIVALS];
    uint8_t *kept[RIVALS], *bytes;
    for (size_t i = 0; i < RIVALS; i++) {
        struct era_statement *st = hostile_begin(s, kind);
        if (kind == ERA_KIND_CLOSE)
            st->u.close = (struct era_close){.version = rivals[i]->version, .charter = rivals[i]->hash};
        else
            st->u.charter_vote = (struct era_charter_vote){rivals[i]->version, rivals[i]->hash};
        struct era_bytes word = cast_signed(s, st, key, NULL);
        kept[i] = cast_alloc(word.len);
        memcpy(kept[i], word.data, word.len);
        enum era_verdict v = era_envelope_decode((struct era_bytes){kept[i], word.len}, &said[i]);
        assert(v == ERA_ACCEPTED);
        (void)v;
        if (!proven)
            hostile_show(s, &a->prng, (unsigned)i, word);
    }
    size_t first = memcmp(said[0].payload.data, said[1].payload.data, said[0].payload.len) < 0 ? 0 : 1;
    struct era_evidence e = {.kind = kind,
                             .key = key->secret.key,
                             .payloads = {said[first].payload, said[1 - first].payload},
                             .signatures = {said[first].signature, said[1 - first].signature}};
    size_t len = proven ? era_author_evidence(&e, &bytes) : 0;
    if (len > 0) {
        tell_all(s, (struct era_bytes){bytes, len});
        free(bytes);
    }
    for (size_t i = 0; i < RIVALS; i++)
        free(kept[i]);
}

static void show_all_words(struct sim *s, struct actor *a, const struct era_charter *old,
                           struct era_charter *const rivals[RIVALS], bool proven)
{
    const struct crew *crew = s->cast->crew;
    for (size_t i = 0; i < crew->validator_count; i++)
        if (cast_may(s, SIM_FAULT_BAD_VALIDATOR) && validates(old, crew->validators[i]))
            show_words(s, a, ERA_KIND_CLOSE, crew->validators[i], rivals, proven);
    for (size_t i = 0; i < s->cast->signer_count; i++) {
        const struct signer *g = s->cast->signers[i];
        if (strcmp(g->component, "network") == 0 && (signs(g, old) || signs(g, rivals[0])))
            show_words(s, a, ERA_KIND_CHARTER_APPROVE, g->key, rivals, proven);
    }
}

static struct era_charter *rival_of(struct sim *s, struct actor *a, const struct era_charter *draft,
                                    const struct era_ledger *l, uint64_t later)
{
    struct era_charter *c = cast_copy_charter(draft);
    bool unborne = cast_chance(&a->prng, UNBORNE_PERCENT);
    for (size_t i = 0; unborne && i < c->validator_count; i++)
        if (sim_key_trust(s, &c->validators[i].key) == SIM_FAULTY)
            c->validators[i].stake *= 50;
    cast_seal_charter(c, l, sim_true_epoch(s) + later);
    return c;
}

/* More of them than are kept, approved by some of the bad: which come first differs from node to node. */
static void crowd(struct sim *s, struct actor *a, const struct rotation *r, const struct era_ledger *l,
                  const struct sim_key *author)
{
    uint64_t count = cast_between(&a->prng, 1, CROWD_MOST);
    for (uint64_t i = 0; i < count; i++) {
        uint8_t *bytes;
        struct era_charter *c = rival_of(s, a, r->draft, l, 5 + RIVALS + i);
        size_t len = cast_charter_statement(s, c, author, &bytes);
        hostile_show(s, &a->prng, (unsigned)(i % 2), (struct era_bytes){bytes, len});
        free(bytes);
        if (cast_chance(&a->prng, 30)) {
            hostile_begin(s, ERA_KIND_CHARTER_APPROVE)->u.charter_vote =
                (struct era_charter_vote){c->version, c->hash};
            hostile_show(s, &a->prng, (unsigned)(i % 2), cast_signed(s, s->cast->draft, author, NULL));
        }
        era_charter_clear(c);
        free(c);
    }
    sim_strike(s, SIM_FAULT_BAD_SIGNER, NULL, "%s proposes %llu charters %llu besides", author->name,
               (unsigned long long)count, (unsigned long long)r->draft->version);
}

/* Before the agreed one is proposed. */
static void draw_up(struct sim *s, struct actor *a, const struct rotation *r, const struct era_ledger *l)
{
    struct plot *p = a->who;
    const struct era_charter *old = era_ledger_charter(l);
    const struct sim_key *author = bad_author(s, old);
    struct era_charter *rivals[RIVALS];
    bool proven = cast_chance(&a->prng, FIRST_PERCENT);
    p->rivals_version = r->draft->version;
    if (!author)
        return;
    for (size_t i = 0; i < RIVALS; i++) {
        uint8_t *bytes;
        rivals[i] = rival_of(s, a, r->draft, l, 5 + i);
        size_t len = cast_charter_statement(s, rivals[i], author, &bytes);
        p->rivals[i] = (struct era_bytes){bytes, len};
    }
    p->rivals_ms = s->now_ms + cast_between(&a->prng, 2000, 20000);
    if (proven)
        show_all_words(s, a, old, rivals, true);
    sim_strike(s, SIM_FAULT_BAD_SIGNER, NULL, "%s has two charters %llu in hand", author->name,
               (unsigned long long)r->draft->version);
    for (size_t i = 0; i < RIVALS; i++) {
        if (!proven) /* what is said of one that is not known is not taken */
            tell_all(s, p->rivals[i]);
    }
    if (!proven)
        show_all_words(s, a, old, rivals, false);
    if (cast_chance(&a->prng, CROWD_PERCENT))
        crowd(s, a, r, l, author);
    for (size_t i = 0; i < RIVALS; i++) {
        era_charter_clear(rivals[i]);
        free(rivals[i]);
    }
}

static void show_rivals(struct sim *s, struct plot *p)
{
    for (size_t i = 0; i < RIVALS; i++) {
        if (p->rivals[i].len > 0)
            tell_all(s, p->rivals[i]);
        free((void *)p->rivals[i].data);
        p->rivals[i] = (struct era_bytes){0};
    }
}

static uint64_t act_rivals(struct sim *s, struct actor *a)
{
    struct plot *p = a->who;
    if (hostile_over(s))
        return CAST_NEVER;
    if (p->rivals[0].len > 0 && s->now_ms >= p->rivals_ms)
        show_rivals(s, p);
    for (size_t i = 0; i < s->cast->rotation_count; i++) {
        const struct rotation *r = &s->cast->rotations[i];
        struct sim_node *n = hostile_any_node(s, &a->prng);
        if (n && r->draft->version > p->rivals_version && r->statement.len == 0 && p->rivals[0].len == 0 &&
            s->now_ms + s->plan.epoch_ms / 2 >= r->hour_ms && !hostile_switch_keeps_charter(s) &&
            era_node_charter(n->node)->version + 1 == r->draft->version &&
            s->charter_count == r->draft->version)
            draw_up(s, a, r, era_node_ledger(n->node));
    }
    return s->now_ms + LOOK_MS;
}

/* ---- starts ---- */

static uint64_t act_starts(struct sim *s, struct actor *a)
{
    struct plot *p = a->who;
    if (hostile_over(s))
        return CAST_NEVER;
    struct sim_node *n = hostile_any_node(s, &a->prng);
    bool turning = n && open_charter(s, era_node_ledger(n->node)) && cast_chance(&a->prng, 10);
    if (s->charter_count > p->charter_count)
        p->starts += cast_between(&a->prng, 2, 5);
    p->charter_count = s->charter_count;
    if (n && (p->starts > 0 || turning) && strike_take(s, n->number)) {
        p->starts -= p->starts > 0;
        sim_crash(s, n);
        sim_start(s, n);
        strike_release(s, n->number);
    }
    return s->now_ms + cast_between(&a->prng, LOOK_MS, s->plan.epoch_ms / 4);
}

bool hostile_turn_is_alone(const struct sim *s)
{
    return s->cast->crew->plot && s->cast->crew->plot->alone;
}

void hostile_hire_turn(struct sim *s)
{
    struct era_prng p = sim_stream(s, "turn");
    bool alone = cast_chance(&p, ALONE_PERCENT), away = cast_chance(&p, AWAY_PERCENT);
    bool rivals = cast_chance(&p, RIVALS_PERCENT), starts = cast_chance(&p, STARTS_PERCENT);
    if (s->cast->rotation_count == 0)
        return;
    struct plot *plot = s->cast->crew->plot = cast_alloc(sizeof *plot);
    plot->charter_count = s->charter_count;
    plot->alone = alone;
    if ((away || (alone && !rivals)) && cast_may(s, SIM_FAULT_ABSENT)) {
        for (size_t i = 0; i < s->node_count; i++)
            s->nodes[i].auto_charter = true; /* whoever comes back closes by itself */
        cast_hire(s, act_away, plot, LOOK_MS, "away");
    }
    if (rivals && cast_may(s, SIM_FAULT_BAD_SIGNER))
        cast_hire(s, act_rivals, plot, LOOK_MS, "rival charters");
    if (starts && cast_may(s, SIM_FAULT_CRASH))
        cast_hire(s, act_starts, plot, LOOK_MS, "starts");
}
