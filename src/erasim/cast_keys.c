/* Keys, stakes, charter 0, nodes and the net of anchors: all from the seed. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/erasim/people.h"

#define GENESIS_MS       1800000000000 /* 2027: any year does */
#define SUBSETS_MAX      16            /* validators of which every subset is tried */
#define EVENTS_PER_EPOCH 4
#define SHARED_PERCENT   20

/* Faults of which some need a hostile key. */
#define VALIDATOR_FAULTS                                                                                     \
    ((sim_faults_t)1 << SIM_FAULT_BAD_VALIDATOR | (sim_faults_t)1 << SIM_FAULT_WITHHELD |                    \
     (sim_faults_t)1 << SIM_FAULT_SPAM | (sim_faults_t)1 << SIM_FAULT_FAST_FORWARD)
#define SIGNER_FAULTS                                                                                        \
    ((sim_faults_t)1 << SIM_FAULT_BAD_SIGNER | (sim_faults_t)1 << SIM_FAULT_WITHHELD |                       \
     (sim_faults_t)1 << SIM_FAULT_SPAM)
#define FALL_FAULTS                                                                                          \
    ((sim_faults_t)1 << SIM_FAULT_BACKUP | (sim_faults_t)1 << SIM_FAULT_TORN |                               \
     (sim_faults_t)1 << SIM_FAULT_BIT_FLIP)

bool cast_has_bad_validators(const struct sim *s)
{
    return s->plan.faults & VALIDATOR_FAULTS;
}

bool cast_has_bad_signers(const struct sim *s)
{
    return s->plan.faults & SIGNER_FAULTS;
}

/* Who holds stake, while the charter is made. */
struct stakes {
    size_t count, spare;
    uint64_t stake[ERA_VALIDATORS_MAX];
    bool bad[ERA_VALIDATORS_MAX];
};

/* ---- who is bad ---- */

/* The heaviest subset within the bound, every subset tried; without the spare one. */
static void choose_exactly(struct stakes *st, uint64_t bound)
{
    size_t all = (size_t)1 << st->count, best = 0;
    uint64_t *sum = cast_alloc(all * sizeof *sum);
    for (size_t set = 1; set < all; set++) {
        sum[set] = sum[set & (set - 1)] + st->stake[__builtin_ctzll(set)];
        bool spared = st->spare == SIZE_MAX || !(set >> st->spare & 1);
        if (spared && sum[set] <= bound && sum[set] > sum[best])
            best = set;
    }
    free(sum);
    for (size_t i = 0; i < st->count; i++)
        st->bad[i] = best >> i & 1;
}

static void choose_in_turn(struct stakes *st, uint64_t bound)
{
    for (size_t i = 0; i < st->count; i++)
        if (i != st->spare && st->stake[i] <= bound) {
            st->bad[i] = true;
            bound -= st->stake[i];
        }
}

/* Room for one who falls later, on some seeds; beside it some hostile validator must still fit. */
static uint64_t choose_spare(struct stakes *st, struct era_prng *p, uint64_t bound, bool hostile)
{
    size_t at = era_prng_below(p, st->count);
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < st->count; i++)
        if (i != at && st->stake[i] < least)
            least = st->stake[i];
    if (!cast_chance(p, hostile ? 40 : 100) || era_add_sat(st->stake[at], hostile ? least : 0) > bound)
        return bound;
    st->spare = at;
    return bound - st->stake[at];
}

static void choose_bad(struct sim *s, struct stakes *st, struct era_prng *p)
{
    uint64_t sum = 0;
    bool hostile = cast_has_bad_validators(s);
    for (size_t i = 0; i < st->count; i++)
        sum += st->stake[i];
    uint64_t bound = s->plan.bounded ? (sum - 1) / 3 : sum / 2;
    st->spare = SIZE_MAX;
    if (s->plan.faults & FALL_FAULTS)
        bound = choose_spare(st, p, bound, hostile);
    if (!hostile)
        return;
    if (st->count <= SUBSETS_MAX)
        choose_exactly(st, bound);
    else
        choose_in_turn(st, bound);
}

/* ---- components ---- */

static const struct {
    const char *id, *artefact;
    int gate; /* the version kind that its breaking entries ask for */
} kinds[] = {{"network", "engine", ERA_VERSION_SOFTWARE},
             {"oracle", "feeder", ERA_VERSION_API},
             {"storage", "archive", ERA_VERSION_DATABASE}};

uint32_t cast_choose_k(struct era_prng *p, uint32_t m, uint32_t margin)
{
    uint32_t k = (m + margin + 1) / 2;
    if (k < m && cast_chance(p, 25))
        k++;
    return k < m ? k : m;
}

static int by_key(const void *a, const void *b)
{
    return memcmp(((const struct era_named_key *)a)->key.b, ((const struct era_named_key *)b)->key.b,
                  ERA_KEY_BYTES);
}

static int validator_by_key(const void *a, const void *b)
{
    return memcmp(((const struct era_validator *)a)->key.b, ((const struct era_validator *)b)->key.b,
                  ERA_KEY_BYTES);
}

void cast_sort_keys(struct era_named_key *keys, size_t count)
{
    qsort(keys, count, sizeof *keys, by_key);
}

void cast_sort_validators(struct era_validator *validators, size_t count)
{
    qsort(validators, count, sizeof *validators, validator_by_key);
}

void cast_charter_name(char out[ERA_NAME_BYTES_MAX + 1], const char *key_name)
{
    era_text_set(out, ERA_NAME_BYTES_MAX + 1, key_name);
    size_t at = strcspn(out, "@");
    if (out[at])
        out[at] = '.';
}

void cast_add_signer(struct sim *s, struct sim_key *key, const char *component)
{
    struct cast *c = s->cast;
    struct signer *g = cast_alloc(sizeof *g);
    g->key = key;
    era_text_set(g->component, sizeof g->component, component);
    c->signers = realloc(c->signers, (c->signer_count + 1) * sizeof(struct signer *));
    assert(c->signers);
    c->signers[c->signer_count++] = g;
}

static void make_signers(struct sim *s, struct era_component *p, struct era_prng *prng)
{
    uint32_t m = (uint32_t)cast_between(prng, 2, 5);
    bool network = strcmp(p->id, "network") == 0;
    p->k = cast_choose_k(prng, m, network ? 2 : 1);
    p->urgent_k = p->k < m && cast_chance(prng, 50) ? p->k + 1 : p->k;
    uint32_t bad = !cast_has_bad_signers(s) ? 0 : s->plan.bounded ? p->k - 1 : p->k;
    p->signer_count = m;
    for (uint32_t i = 0; i < m; i++) {
        char name[ERA_NAME_BYTES_MAX + 1];
        snprintf(name, sizeof name, "signer-%u@%.32s", i + 1, p->id);
        struct sim_key *key = sim_add_key(s, name);
        if (i >= m - bad)
            key->trust = SIM_FAULTY;
        cast_charter_name(p->signers[i].name, name);
        p->signers[i].key = key->secret.key;
        cast_add_signer(s, key, p->id);
    }
    cast_sort_keys(p->signers, m);
}

static void make_record(struct era_record *r, size_t kind, bool artefact)
{
    era_text_set(r->component, sizeof r->component, kinds[kind].id);
    era_text_set(r->version, sizeof r->version, "1.0.0");
    era_text_set(r->requires.v[kinds[kind].gate], sizeof r->requires.v[0], ">=1.0.0");
    if (artefact) {
        r->artefact_count = 1;
        era_text_set(r->artefacts[0].name, sizeof r->artefacts[0].name, kinds[kind].artefact);
        cast_digest(kinds[kind].artefact, r->version, r->artefacts[0].digest);
    }
    r->era = 1;
    era_text_set(r->era_name, sizeof r->era_name, "era-1");
}

static void make_component(struct sim *s, struct era_component *p, size_t kind, struct era_prng *prng)
{
    bool rebuild = cast_chance(prng, 50), artefact = cast_chance(prng, 50);
    era_text_set(p->id, sizeof p->id, kinds[kind].id);
    p->notice_epochs = 2;
    p->urgent_notice_epochs = 1;
    p->enough = (struct era_fraction){2, 3};
    p->rebuild_quorum = (struct era_fraction){rebuild ? 1 : 0, cast_chance(prng, 50) ? 2 : 3};
    make_record(&p->initial, kind, rebuild || artefact);
    make_signers(s, p, prng);
}

/* ---- the charter ---- */

static void make_validators(struct sim *s, struct era_charter *c, const struct stakes *st)
{
    c->validator_count = st->count;
    c->validators = cast_alloc(st->count * sizeof *c->validators);
    for (size_t i = 0; i < st->count; i++) {
        struct era_validator *v = &c->validators[i];
        snprintf(v->name, sizeof v->name, "validator-%zu", i + 1);
        struct sim_key *key = sim_add_key(s, v->name);
        if (st->bad[i])
            key->trust = SIM_FAULTY;
        v->key = key->secret.key;
        v->stake = st->stake[i];
    }
    cast_sort_validators(c->validators, st->count);
}

/* On some seeds one person holds one key for both: it signs for `network`, and its node validates. */
static void share_a_key(struct sim *s, struct era_charter *c, const struct stakes *st)
{
    struct era_prng p = sim_stream(s, "shared key");
    struct signer *g = NULL;
    char name[ERA_NAME_BYTES_MAX + 1];
    size_t validator = 0, node = 0;
    if (!cast_chance(&p, SHARED_PERCENT))
        return;
    for (size_t i = 0; i < s->cast->signer_count && !g; i++)
        if (s->cast->signers[i]->key->trust == SIM_HONEST &&
            strcmp(s->cast->signers[i]->component, "network") == 0)
            g = s->cast->signers[i];
    for (; validator < st->count && (st->bad[validator] || validator == st->spare); validator++)
        node += !st->bad[validator];
    if (!g || validator == st->count)
        return;
    struct era_component *network = &c->components[0];
    int at = era_charter_signer_index(network, &g->key->secret.key);
    snprintf(name, sizeof name, "validator-%zu", validator + 1);
    g->key = sim_key_named(s, name);
    g->home = node;
    g->at_home = true;
    era_text_set(network->signers[at].name, sizeof network->signers[at].name, name);
    network->signers[at].key = g->key->secret.key;
    cast_sort_keys(network->signers, network->signer_count);
}

static struct era_charter *make_charter(struct sim *s, const struct stakes *st, struct era_prng *p)
{
    struct era_charter *c = cast_alloc(sizeof *c);
    era_text_set(c->name, sizeof c->name, "simulated");
    c->clock = (struct era_clock_params){ERA_CLOCK_WALL, GENESIS_MS, s->plan.epoch_ms, 1};
    c->events_per_epoch = EVENTS_PER_EPOCH;
    c->strict_emission = s->plan.strict;
    c->component_count = cast_between(p, 1, sizeof kinds / sizeof kinds[0]);
    c->components = cast_alloc(c->component_count * sizeof *c->components);
    for (size_t i = 0; i < c->component_count; i++) /* "network" < "oracle" < "storage" */
        make_component(s, &c->components[i], i, p);
    make_validators(s, c, st);
    share_a_key(s, c, st);
    era_charter_seal(c);
    return c;
}

/* ---- nodes ---- */

static void add_node(struct sim *s, const char *name, struct sim_key *key, struct era_prng *p)
{
    struct sim_node *n = sim_add_node(s, name, key);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        era_text_set(n->versions.v[kinds[i].gate], sizeof n->versions.v[0], "1.0.0");
    n->auto_votes[0] = n->auto_votes[1] = n->auto_votes[2] = true;
    n->auto_votes[3] = cast_chance(p, 40);
}

static bool make_nodes(struct sim *s, const struct stakes *st, struct era_prng *p)
{
    char name[ERA_NAME_BYTES_MAX + 1];
    for (size_t i = 0; i < st->count; i++) {
        if (st->bad[i])
            continue; /* the hostile hold that key and have no daemon */
        if (s->node_count == s->plan.nodes)
            return false;
        if (i == st->spare)
            s->cast->spare_validator = s->node_count;
        snprintf(name, sizeof name, "validator-%zu", i + 1);
        add_node(s, name, sim_key_named(s, name), p);
    }
    while (s->node_count < s->plan.nodes) {
        snprintf(name, sizeof name, "node-%zu", s->node_count + 1);
        add_node(s, name, NULL, p);
    }
    return true;
}

/* Connected, about three links a node: a tree, and half as many links again. */
static void make_anchors(struct sim *s, struct era_prng *p)
{
    for (size_t i = 1; i < s->node_count; i++) {
        size_t first = era_prng_below(p, i), second = era_prng_below(p, s->node_count);
        sim_anchor(s, i, first);
        if (cast_chance(p, 60) && second != i && second != first)
            sim_anchor(s, i, second);
    }
}

bool cast_make_network(struct sim *s, const char **why)
{
    struct era_prng p = sim_stream(s, "network");
    if (s->plan.validators == 0 || s->plan.validators > ERA_VALIDATORS_MAX || s->plan.nodes > SIM_NODES_MAX) {
        *why = "there must be 1 to 5000 validators, and at most 10000 nodes";
        return false;
    }
    struct stakes *st = cast_alloc(sizeof *st);
    st->count = s->plan.validators;
    for (size_t i = 0; i < st->count; i++)
        st->stake[i] = cast_between(&p, CAST_STAKE_LEAST, CAST_STAKE_MOST);
    choose_bad(s, st, &p);
    struct era_charter *c = make_charter(s, st, &p);
    bool sound = era_charter_is_sound(c);
    sim_add_charter(s, c);
    bool fits = sound && make_nodes(s, st, &p);
    free(st);
    if (!fits) {
        *why = sound ? "more honest validators than nodes" : "such a charter is not sound";
        return false;
    }
    make_anchors(s, &p);
    return true;
}
