/* world: several nodes in one process, driven as a daemon would drive them,
 * with virtual time. Deterministic: one seed, one history.
 *
 * Commits are asynchronous: a STORE effect waits in its node's queue, reaches
 * the store after store_ms, and STORED comes a moment later, in order. A commit
 * that failed cancels those queued behind it, as the writer thread does.
 * Links delay, keep order, and are cut and healed. A crash takes the process,
 * not the store; lost power leaves what the store finds then.
 *
 * Everything that leaves a node in SEND effects is decoded and remembered by
 * node, kind, key and id: "at the wire". */
#ifndef ERA_TESTS_NODE_WORLD_H
#define ERA_TESTS_NODE_WORLD_H

#include "src/node/node.h"
#include "tests/lib/given.h"

#define WORLD_NODES_MAX 8
#define WORLD_EPOCH     10 /* of charters with epochs of 1000 ms, when a world begins */

struct world;

/* How a node is configured. */
struct world_setup {
    const char *key;      /* whose validator (emitter) key it holds; NULL: none */
    const char *software; /* version; NULL: 1.0.0 */
    const char *staged;   /* version; NULL: none */
    bool votes;           /* casts every kind of vote by itself */
    bool auto_announced, auto_dropped, auto_soft, auto_breaking;
    bool charters; /* accepts and closes by itself (R10) */
};

struct world_commit {
    uint64_t token;
    struct era_store_put *puts;
    size_t count;
};

struct world_node {
    struct world *world;
    size_t number;
    struct world_setup setup;
    struct era_secret secret;
    struct era_node *node; /* NULL: down */
    unsigned life;         /* counts starts */
    struct era_store *store;
    size_t anchor_count;
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    char anchors[WORLD_NODES_MAX][ERA_ADDRESS_BYTES_MAX + 1];
    int64_t skew_ms; /* of its wall clock */

    bool store_held; /* nothing reaches the store until released */
    size_t commit_count, commit_cap;
    struct world_commit *commits; /* oldest first */

    uint64_t boundaries;        /* effects begun, commits and STORED about to happen, since the start */
    uint64_t crash_at;          /* end the process just before that boundary; 0: never */
    uint64_t oversized_batches; /* STORE effects beyond ERA_STORE_BATCH_MAX */
};

struct world_said {
    size_t node;
    uint32_t kind;
    struct era_key key;
    struct era_hash id, item;
    char component[ERA_NAME_BYTES_MAX + 1];
    uint64_t seq;             /* announcement, event: epoch; about the next charter: its version */
    uint64_t charter_version; /* announcement, readiness */
    bool lease;               /* of an announcement */
    bool blocked;             /* of an announcement */
    size_t copies;
};

struct world_signal {
    size_t node;
    uint64_t at_ms;
    enum era_signal_kind kind;
    int component;
    uint64_t epoch, seq, epochs_left;
    struct era_hash proposal;
    enum era_gate_state gate;
    char version[ERA_VERSION_BYTES_MAX + 1]; /* ERA: of what is in force; GATE: of the cause; "" none */
    char payload[64];                        /* EVENT */
    uint32_t item_kind;
    int signer, validator, error;
};

struct world_reply {
    size_t node;
    struct era_reply reply; /* its why is `why` */
    char why[256];
};

/* ---- life ---- */

/* c: borrowed. Its hash is the network's. */
struct world *world_new(const struct era_charter *c, uint64_t seed);
void world_free(struct world *w);
/* A node that is down. */
struct world_node *world_add(struct world *w, struct world_setup setup);
/* a dials b whenever it is up. Before a starts. */
void world_anchor(struct world_node *a, struct world_node *b);
/* Start with what its store holds. */
void world_start(struct world_node *n);
void world_start_all(struct world *w);
/* A network that runs: all were started some epochs before WORLD_EPOCH, which begins now, and no key waits
 * any more for what peers hold. The first thing that happens in a world. */
void world_start_network(struct world *w);
/* The process ends: what was not committed is gone, the store stays. */
void world_crash(struct world_node *n);
/* The machine loses power: the store is what era_store_mem_crash finds. */
void world_lose_power(struct world_node *n);

/* ---- time and links ---- */

typedef bool world_condition(struct world *w, void *ctx);

/* False: it did not come true within ms. */
bool world_run_until(struct world *w, world_condition *condition, void *ctx, uint64_t ms);
void world_run(struct world *w, uint64_t ms);
/* Run until no node that is up waits for what its peers hold (protocol §9): a network that runs. Aborts
 * after 30 s: whoever is cut off waits for ever. */
void world_settle(struct world *w);
/* Run to the first millisecond of an epoch (wall clocks of 1000 ms, no skew). */
void world_run_to_epoch(struct world *w, uint64_t epoch);
uint64_t world_now_ms(const struct world *w);
/* Cut every link between the two and let none be made; heal allows them again. */
void world_cut(struct world_node *a, struct world_node *b);
void world_heal(struct world_node *a, struct world_node *b);
bool world_linked(const struct world_node *a, const struct world_node *b);
/* Nothing reaches the store until it is released. */
void world_hold_store(struct world_node *n, bool held);

/* ---- asking ---- */

/* A command; returns its request number. */
uint64_t world_ask(struct world_node *n, struct era_command command);
/* NULL: not answered yet. */
const struct world_reply *world_reply(const struct world *w, uint64_t request);
/* Ask and run until it is answered; aborts after 10 s. */
const struct world_reply *world_answer(struct world_node *n, struct era_command command);
enum era_verdict world_submit(struct world_node *n, struct era_bytes envelope);
/* Proposal and approvals ("s1 s2") by its first signer, as one submits them. */
void world_propose(struct world_node *n, const struct era_proposal *p, const char *signers);
const struct world_reply *world_emit(struct world_node *n, const char *payload);
const struct world_reply *world_attest(struct world_node *n, struct era_hash proposal, const char *artefact,
                                       const char *digest);
/* The operator's word: this store is the newest. */
void world_unlock(struct world_node *n);
void world_versions(struct world_node *n, const char *software, const char *staged);

/* ---- what was seen ---- */

/* Envelopes that left a node; kind 0: any kind. */
size_t world_sent(const struct world_node *n, uint32_t kind);
/* Distinct ids of a kind by a key (a name) for one place that left any node. */
size_t world_ids(const struct world *w, uint32_t kind, const char *key, const char *component, uint64_t seq);
/* How often an item left a node, and how many statements it last said to hold, in reconciliation. */
size_t world_sent_item(const struct world_node *n, const struct era_hash *item);
uint64_t world_told_count(const struct world_node *n);
const struct world_said *world_said(const struct world *w, size_t *count);
const struct world_signal *world_signals(const struct world *w, size_t *count);
size_t world_signal_count(const struct world_node *n, enum era_signal_kind kind);
/* The last signal of a kind, NULL when none. */
const struct world_signal *world_last_signal(const struct world_node *n, enum era_signal_kind kind);

/* Of the component "network". */
enum era_gate_state world_gate(const struct world_node *n);
/* Of a component: seq of the head, 0 when none. */
uint64_t world_head(const struct world_node *n, const char *component);
/* Version in force, "" when none. */
const char *world_version(const struct world_node *n, const char *component);
struct era_hash world_digest(const struct world_node *n);
/* All nodes that are up have equal digests and equal sets of statements; but for those of a key that said two
 * things in one place, which leave reconciliation where both are held. */
bool world_converged(struct world *w, void *unused);

#endif
