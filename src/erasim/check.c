#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/erasim/check_internal.h"
#include "src/erasim/proof.h"

const char *const check_rule_names[CHECK_RULES] = {"I1",  "I2",  "I3",  "I4",  "I5",   "I6",
                                                   "I7",  "I8",  "I9",  "I10", "I11",  "I12",
                                                   "I13", "I14", "I15", "R12", "lock", "liveness"};

/* ---- names and nodes ---- */

int check_name(struct check *c, const char *component)
{
    for (size_t i = 0; i < c->name_count; i++)
        if (strcmp(c->names[i], component) == 0)
            return (int)i;
    if (c->name_count == CHECK_NAMES_MAX)
        abort(); /* a run of so many components is not made */
    era_text_set(c->names[c->name_count], sizeof c->names[0], component);
    return (int)c->name_count++;
}

/* What a process knows ends with it; what it said and had on disk does not. */
static void begin_life(struct check_node *w, unsigned life)
{
    w->life = life;
    w->epoch = 0;
    w->unlocked = false;
    w->ticks = w->flying = w->tally_count = 0;
    w->look_tick = false;
    memset(w->asked, 0, sizeof w->asked);
}

struct check_node *check_node(struct check *c, const struct sim_node *n)
{
    if (n->number >= c->node_count) {
        size_t count = n->number + 64;
        c->nodes = realloc(c->nodes, count * sizeof(struct check_node *));
        if (!c->nodes)
            abort();
        memset(c->nodes + c->node_count, 0, (count - c->node_count) * sizeof(struct check_node *));
        c->node_count = count;
    }
    struct check_node *w = c->nodes[n->number];
    if (!w) {
        w = c->nodes[n->number] = calloc(1, sizeof *w);
        struct check_tally *tallies = calloc(CHECK_TALLIES_MAX, sizeof *tallies);
        if (!w || !tallies)
            abort();
        w->tallies = tallies;
        w->versions = n->versions;
    }
    if (w->life != n->life)
        begin_life(w, n->life);
    return w;
}

const char *check_id(const struct era_hash *id, char out[CHECK_ID_TEXT])
{
    era_hex(id->b, (CHECK_ID_TEXT - 1) / 2, out);
    return out;
}

struct era_hash check_network(const struct check *c)
{
    return c->s->charters[0]->hash;
}

/* ---- what may be asked of a charter ---- */

static bool signers_bounded(const struct check *c, const struct era_component *p)
{
    uint64_t faulty = 0;
    for (size_t i = 0; i < p->signer_count; i++)
        faulty += sim_key_trust(c->s, &p->signers[i].key) == SIM_FAULTY;
    uint32_t k = p->k < p->urgent_k ? p->k : p->urgent_k;
    return faulty + p->signer_count < 2 * (uint64_t)k;
}

bool check_bounded(const struct check *c, const struct era_charter *charter, const char *component)
{
    if (!c->s->plan.bounded)
        return false;
    if (charter->authority_only) {
        for (size_t i = 0; i < charter->component_count; i++)
            if (strcmp(charter->components[i].id, component) == 0)
                return signers_bounded(c, &charter->components[i]);
        return false;
    }
    uint64_t faulty = 0;
    for (size_t i = 0; i < charter->validator_count; i++)
        if (sim_key_trust(c->s, &charter->validators[i].key) == SIM_FAULTY)
            faulty += charter->validators[i].stake;
    return faulty <= (proof_stake_sum(charter) - 1) / 3;
}

const struct era_charter *check_charter(const struct check *c, const struct sim_node *n, uint64_t version)
{
    if (n && n->node) {
        const struct era_ledger *l = era_node_ledger(n->node);
        for (; l; l = era_ledger_older(l))
            if (era_ledger_charter(l)->version == version)
                return era_ledger_charter(l);
    }
    return version < c->s->charter_count ? c->s->charters[version] : NULL;
}

/* ---- the watch ---- */

static void on_stepped(void *ctx, struct sim *s, struct sim_node *n, const struct era_event *event,
                       const struct era_effect *effects, size_t count)
{
    (void)s;
    if (n->trust == SIM_HONEST)
        check_stepped(ctx, n, event, effects, count);
}

static void on_left(void *ctx, struct sim *s, struct sim_node *n, const struct era_envelope *e,
                    struct era_bytes bytes)
{
    (void)s;
    if (n->trust == SIM_HONEST)
        check_left(ctx, n, e, bytes);
}

static void on_stored(void *ctx, struct sim *s, struct sim_node *n, const struct era_store_put *puts,
                      size_t count)
{
    (void)s;
    if (n->trust == SIM_HONEST)
        check_stored(ctx, n, puts, count);
}

static void on_started(void *ctx, struct sim *s, struct sim_node *n)
{
    (void)s;
    if (n->trust != SIM_HONEST)
        return;
    check_acked_again(ctx, n);
    check_lock_began(ctx, n);
}

/* The engine says so when it sets a damaged store aside: the node's past begins anew (§9). */
static void on_told(void *ctx, struct sim *s, struct sim_node *n, const char *text)
{
    (void)s;
    if (!n || strncmp(text, "store damaged", strlen("store damaged")) != 0)
        return;
    struct check_node *w = check_node(ctx, n);
    w->damaged = true;
    w->acked_count = 0;
    w->durable_epoch = 0;
    memset(w->heads, 0, sizeof w->heads);
}

struct check *check_new(struct sim *s)
{
    struct check *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->s = s;
    c->certificates = facts_new(sizeof(struct check_adopted *), CHECK_FACTS_MAX);
    c->proposals = facts_new(sizeof(struct check_adopted *), CHECK_FACTS_MAX);
    c->digests = facts_new(sizeof(struct era_hash), CHECK_FACTS_MAX);
    c->charters = facts_new(sizeof(struct era_hash), CHECK_FACTS_MAX);
    c->places = facts_new(sizeof(struct era_hash), CHECK_FACTS_MAX);
    c->sights = facts_new(sizeof(struct check_acked), CHECK_FACTS_MAX);
    c->eras = facts_new(sizeof(struct check_emission), CHECK_FACTS_MAX);
    c->leased = facts_new(sizeof(struct check_slot), CHECK_FACTS_MAX);
    c->spoken = facts_new(1, CHECK_FACTS_MAX);
    c->held = facts_new(sizeof(struct check_held), CHECK_FACTS_MAX);
    c->approved = facts_new(sizeof(uint64_t), CHECK_FACTS_MAX);
    c->ready = facts_new(sizeof(struct check_ready), CHECK_FACTS_MAX);
    sim_watch(s, (struct sim_watch){.ctx = c,
                                    .stepped = on_stepped,
                                    .left = on_left,
                                    .stored = on_stored,
                                    .started = on_started,
                                    .told = on_told});
    return c;
}

static void held_free(void *ctx, const struct era_hash *key, void *block)
{
    (void)ctx;
    (void)key;
    free(((struct check_held *)block)->bytes);
}

void check_free(struct check *c)
{
    if (!c)
        return;
    facts_each(c->held, held_free, NULL);
    struct facts *all[] = {c->certificates, c->proposals, c->digests, c->charters, c->places, c->sights,
                           c->eras,         c->held,      c->ready,   c->approved, c->leased, c->spoken};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        facts_free(all[i]);
    for (size_t i = 0; i < c->order_count; i++)
        free(c->order[i]);
    free(c->order);
    for (size_t i = 0; i < c->node_count; i++)
        if (c->nodes[i]) {
            free(c->nodes[i]->acked);
            free(c->nodes[i]->tallies);
            free(c->nodes[i]);
        }
    free(c->nodes);
    free(c);
}

size_t check_counts(const struct check *c, const struct check_count **out)
{
    struct check *rows = (struct check *)c; /* a cache of what is const to the caller */
    for (size_t i = 0; i < CHECK_RULES; i++) {
        snprintf(rows->rows[i].rule, sizeof rows->rows[i].rule, "%s", check_rule_names[i]);
        rows->rows[i].looked = c->looked[i];
    }
    *out = c->rows;
    return CHECK_RULES;
}
