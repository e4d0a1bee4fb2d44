/* node: where the rules, gossip and persistence meet. One pure state machine:
 * an event in, effects out; the daemon and the simulator drive the same code.
 *
 * What a statement passes: bytes -> verify -> ledger (pending) -> STORE effect
 * -> STORED event -> ledger (counts) -> view -> publish, acknowledgement, vote.
 * Nothing is relayed, acknowledged or signed away before STORED (protocol §9).
 *
 * Never reads a clock, socket, file or randomness. */
#ifndef ERA_NODE_NODE_H
#define ERA_NODE_NODE_H

#include "p2p/gossip.h"
#include "src/core/adoption.h"
#include "src/core/author.h"
#include "src/core/clock.h"
#include "src/core/events.h"
#include "src/core/vote.h"
#include "src/node/effect.h"
#include "src/node/event.h"

#define ERA_NODE_BATCHES_MAX 4     /* STORE effects without their STORED */
#define ERA_NODE_PENDING_MAX 16384 /* statements on their way to the disk; above: see era_node_congested */
#define ERA_REBUILDS_MAX     1024  /* own rebuild results remembered */
#define ERA_STATS_KINDS      40    /* statement kinds counted; higher ones under 0 */

/* Why the signing key says nothing (protocol §9). */
enum era_lock {
    ERA_LOCK_STARTING, /* until what the peers hold is known */
    ERA_LOCK_NONE,
    ERA_LOCK_MISSING /* others hold a word of this key that the store lacks */
};

struct era_node_config {
    const struct era_charter *charter; /* borrowed for the node's life */
    struct era_hash network;           /* hash of charter 0 */
    struct era_key node_key;
    bool (*proves)(const uint8_t proven[ERA_KEY_BYTES], const struct era_key *node); /* see gossip.h */
    const struct era_secret *secret; /* validator's (authority only: emitter's) key; NULL: none. Borrowed. */
    struct era_versions versions, staged;
    const char *agent, *listen;           /* borrowed, see gossip.h; listen "" = none */
    size_t links_target;                  /* neighbours sought, see gossip.h; 0: only the anchors */
    struct era_place place;               /* where it can be dialled; len 0: nowhere */
    const struct era_secret *node_secret; /* says so to others. Borrowed; may be NULL without a place. */
    const char *const *anchors;
    size_t anchor_count;
    const struct era_key *const *anchor_keys; /* of each the one that may answer there, NULL: any; NULL: any
                                                 everywhere */
    const char *const *artefacts;             /* names this node runs; count 0: all. Borrowed. */
    size_t artefact_count;
    bool auto_announced, auto_dropped, auto_soft, auto_breaking; /* votes it casts by itself (R4) */
    bool auto_charter; /* accepts and closes by itself, as far as the rules allow (R10) */
    /* The value of a durable record, borrowed until the next call; 0, or why not, a negative errno. Its keys
     * name their contents: pure but for failures. Borrowed; NULL: memory holds what the disk does. */
    int (*read)(void *ctx, struct era_bytes key, struct era_bytes *value);
    void *read_ctx;
    struct era_root root; /* of all that no peer may guess: random bytes that are nobody else's */
};

/* Counters, for metrics and tests. */
struct era_node_stats {
    uint64_t verdicts[ERA_STATS_KINDS][ERA_VERDICT_COUNT]; /* statements taken in, by kind and verdict */
    uint64_t stored_batches, stored_records, store_failures;
    uint64_t events_emitted, events_delivered;
    uint64_t restored, restore_refused;
};

struct era_node;

struct era_node *era_node_new(const struct era_node_config *config);
void era_node_free(struct era_node *n); /* NULL-safe */

/* Before ERA_EV_START: one record of the store (keys as in store/record.h).
 * Returns the verdict; what is refused stays on disk unless dominated. */
enum era_verdict era_node_restore(struct era_node *n, struct era_bytes key, struct era_bytes value);

/* One event in; effects out: *effects is valid until the next step. Returns their number. */
size_t era_node_step(struct era_node *n, const struct era_event *event, const struct era_effect **effects);

/* When, on the clock of now_ms, TICK must come at the latest; UINT64_MAX: never. */
uint64_t era_node_deadline_ms(const struct era_node *n);

/* True while so much waits for the disk that frames should wait: do not read links until the next STORED. */
bool era_node_congested(const struct era_node *n);

/* A load is over, the effects of the last step are done: give back the memory that was only for speed. Changes
 * nothing that shows, now or later. */
void era_node_rest(struct era_node *n);

/* ---- reading: all borrowed, valid until the next step ---- */
/* The newest adopted charter. Indices of components are its. */
const struct era_charter *era_node_charter(const struct era_node *n);
/* The charter whose validators announce, lease and emit at the present epoch, and its ledger (R10). */
const struct era_charter *era_node_counting_charter(const struct era_node *n);
const struct era_ledger *era_node_counting_ledger(const struct era_node *n);
enum era_lock era_node_lock(const struct era_node *n);
const struct era_hash *era_node_network(const struct era_node *n);
/* Of the newest charter; era_ledger_older leads to the others. */
const struct era_ledger *era_node_ledger(const struct era_node *n);
const struct era_gossip *era_node_gossip(const struct era_node *n);
const struct era_node_stats *era_node_stats(const struct era_node *n);
const struct era_versions *era_node_versions(const struct era_node *n);
const struct era_versions *era_node_staged(const struct era_node *n);
uint64_t era_node_epoch(const struct era_node *n);
/* Readings of the clock: Unix ms or height, as the charter says. */
uint64_t era_node_reading(const struct era_node *n);
int era_node_validator(const struct era_node *n); /* index, -1: none */
bool era_node_store_failed(const struct era_node *n);
/* Index of the component that gates the node. */
int era_node_network_component(const struct era_node *n);
void era_node_view(const struct era_node *n, int component, struct era_view *out);
const struct era_gate *era_node_gate(const struct era_node *n, int component);
uint64_t era_node_fresh_stake(const struct era_node *n);
/* By the counting charter, at the present epoch. */
void era_node_adoption(const struct era_node *n, struct era_adoption *out);
/* What the validators' announcements say of this node's clock (R14). */
const struct era_clock_word *era_node_clock(const struct era_node *n);
/* What this key leased of the network component (R16). */
const struct era_leases *era_node_leases(const struct era_node *n);
/* The epoch in which this node's view last changed, in this run (its start counts as a change). */
uint64_t era_node_view_since(const struct era_node *n);
/* The entry and artefact an attestation of this proposal is about; artefact "": the only one.
 * ERA_NOT_FOUND, ERA_AMBIGUOUS. The entry is copied into *entry. */
enum era_verdict era_node_attest_target(const struct era_node *n, const struct era_hash *proposal,
                                        const char *artefact, struct era_entry *entry, size_t *index);
const struct era_rebuild *era_node_rebuilds(const struct era_node *n, size_t *count);
/* What this validator would be told if it asked to vote now. */
enum era_verdict era_node_may_vote(const struct era_node *n, const struct era_candidate *c, const char **why);

#endif
