/* sim: a network of nodes in one process, in virtual time, driven exactly as
 * the daemon drives its one node: events in, effects out (src/node). One seed,
 * one history, byte for byte, whatever the compiler.
 *
 * What is simulated is what the daemon's drivers do: links (sim_net), disks
 * (sim_disk over store_mem), clocks (sim_clock), and the people around (sim_cast:
 * signers, builders, hosts that emit, and the hostile). Faults (sim_faults) strike all of
 * them and are counted. What must hold is watched by observers (check.h), which
 * see every step, every envelope at the wire, and every disk; they share no
 * state with the nodes.
 *
 * No thread, no socket, no real clock, no environment: only main.c, report.c
 * and sweep.c touch the world. */
#ifndef ERA_ERASIM_SIM_H
#define ERA_ERASIM_SIM_H

#include "src/base/prng.h"
#include "src/erasim/faults.h"
#include "src/node/node.h"

#define SIM_NODES_MAX     10000
#define SIM_KEYS_MAX      20000
#define SIM_CHARTERS_MAX  16
#define SIM_ANCHORS_MAX   8
#define SIM_WATCHES_MAX   8
#define SIM_BREAK_BYTES   512
#define SIM_LINK_DELAY_MS 10   /* least latency of a link; the plan says how much more */
#define SIM_DISK_DELAY_MS 5    /* a commit of a disk in good health */
#define SIM_REPLIES_MAX   4096 /* kept; an older one is forgotten */

/* ---- who is there ---- */

/* What an honest observer may expect of a node or a key. */
enum sim_trust {
    SIM_HONEST,
    SIM_FAULTY /* hostile from the start, or fell: a restored old disk, a lost or stolen key (§9) */
};

/* A person's or node's key pair. Names are "alice", "validator-3", "signer-1@network", "node-7". */
struct sim_key {
    char name[ERA_NAME_BYTES_MAX + 1];
    struct era_secret secret;
    enum sim_trust trust;
};

struct sim;
struct sim_node;
struct cast;
struct sim_parts;

struct sim_disk {
    struct era_store *store; /* store_mem */
    bool held;               /* nothing reaches it until released */
    uint64_t delay_ms;
    struct era_store *backup; /* taken by sim_disk_backup; NULL: none */
};

struct sim_clock {
    int64_t skew_ms;   /* added to the true time */
    int64_t drift_ppm; /* grows with the time since the start */
    bool jumped;       /* set to some other year by a fault until it is mended; runs on from there */
    uint64_t jumped_to_ms, jumped_at_ms;
};

/* What strikes frames on their way from one node to another, one direction of the two. All zero: nothing.
 * Parts of a million are chances for each frame. */
struct sim_net_faults {
    uint32_t loss_ppm, duplicate_ppm;
    uint32_t reorder_ppm;      /* a frame is held back and overtaken */
    uint64_t extra_latency_ms; /* up to so much more for each frame; order is kept */
    uint64_t bytes_per_s;      /* 0: no bound. What does not fit waits, and SENT comes when it was written. */
    bool vanish;               /* nothing arrives, and no end is told (one way) */
};

/* The people around, as the engine calls them: cast.h, or nobody (all NULL). They are called while a node
 * steps (replied, signalled): start, stop and step no node there, but remember, and act when woken. */
struct sim_people {
    void (*release)(struct sim *s);
    uint64_t (*wake)(struct sim *s);
    void (*peer_up)(struct sim *s, uint64_t link);
    void (*peer_heard)(struct sim *s, uint64_t link, struct era_bytes frame);
    void (*peer_down)(struct sim *s, uint64_t link);
    void (*replied)(struct sim *s, struct sim_node *n, const struct era_reply *r);
    void (*signalled)(struct sim *s, struct sim_node *n, const struct era_signal *signal);
};

struct sim_node {
    size_t number;
    char name[ERA_NAME_BYTES_MAX + 1];
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_secret link_secret; /* node key, of its links and its address record */
    struct sim_key *key;           /* validator's or emitter's; NULL: a relay. Borrowed from the cast. */
    enum sim_trust trust;
    struct era_versions versions, staged;
    bool auto_votes[4]; /* announced, dropped, soft, breaking, see era_node_config */
    bool auto_charter;  /* accepts and closes by itself (R10) */
    size_t anchor_count;
    size_t anchors[SIM_ANCHORS_MAX]; /* numbers of nodes it dials */
    struct era_node *node;           /* NULL: down */
    unsigned life;                   /* counts starts */
    unsigned side;                   /* of a net that fell apart: sides do not reach one another */
    struct sim_disk disk;
    struct sim_clock clock;
    uint64_t bytes_out, frames_out, statements_out;
};

/* ---- a run ---- */

/* How a network is made and what happens to it. From a seed (sim_plan_from_seed) or from a script. */
struct sim_plan {
    uint64_t seed;
    size_t nodes;              /* honest daemons, validators first, then relays */
    size_t validators;         /* of the charter; the faulty ones have no daemon of their own */
    uint64_t epoch_ms, epochs; /* length, and how many the run lasts */
    sim_faults_t faults;       /* kinds that may strike */
    bool strict;               /* strict emission */
    size_t neighbours;         /* sought by a node when there are more nodes (p2p/overlay.h) */
    uint64_t link_ms;          /* a link's latency is up to so much above SIM_LINK_DELAY_MS */
    uint64_t quiet_epochs;     /* without faults at the end, for liveness */
    bool bounded;              /* faulty stake at most floor((W - 1) / 3), bad signers at most k - 1 */
};

struct sim_counts {
    uint64_t steps, envelopes, frames, bytes, restarts;
    uint64_t proposals, adopted, rotations, events_emitted, events_delivered;
    uint64_t struck[SIM_FAULT_KINDS]; /* how often each fault struck */
    uint64_t convergence_ms_max, convergence_ms_sum, convergence_count;
};

/* One who watches. Any function may be NULL. Borrowed spans live for the call. */
struct sim_watch {
    void *ctx;
    /* After every step of an honest node. */
    void (*stepped)(void *ctx, struct sim *s, struct sim_node *n, const struct era_event *event,
                    const struct era_effect *effects, size_t count);
    /* An envelope leaves an honest node for the wire, before any fault. */
    void (*left)(void *ctx, struct sim *s, struct sim_node *n, const struct era_envelope *e,
                 struct era_bytes bytes);
    /* A batch became durable on an honest node's disk. */
    void (*stored)(void *ctx, struct sim *s, struct sim_node *n, const struct era_store_put *puts,
                   size_t count);
    /* A node was started again (era_node is there, ERA_EV_START taken). */
    void (*started)(void *ctx, struct sim *s, struct sim_node *n);
    /* A node is about to go down (crash, power loss). */
    void (*stopping)(void *ctx, struct sim *s, struct sim_node *n);
    /* A frame body is read by a node. from: NULL, a peer that is no node. */
    void (*heard)(void *ctx, struct sim *s, struct sim_node *from, struct sim_node *to,
                  struct era_bytes frame);
    /* Whatever is told once: faults as they strike, what the cast does. Text: one line, no newline. */
    void (*told)(void *ctx, struct sim *s, struct sim_node *n /* or NULL */, const char *text);
};

struct sim {
    struct sim_plan plan;
    struct era_prng prng;     /* of whoever draws in order of events; better: sim_stream */
    struct cast *cast;        /* NULL: no people */
    struct sim_people people; /* set with it */
    uint64_t now_ms;          /* true time since the start of the run; nodes' monotonic clock */
    uint64_t genesis_ms;      /* true Unix ms of epoch 0; the run starts at its beginning */
    size_t node_count;
    struct sim_node *nodes; /* never moves */
    size_t key_count;
    struct sim_key *keys; /* never moves */
    size_t charter_count; /* known to the cast: version i at [i]; [0] is what nodes start with */
    struct era_charter **charters;
    struct sim_counts counts;
    size_t watch_count;
    struct sim_watch watches[SIM_WATCHES_MAX];
    bool broken;
    char break_rule[16];              /* "I1"… or "liveness" */
    char break_text[SIM_BREAK_BYTES]; /* what, where, between whom */
    uint64_t break_ms;
    struct sim_parts *parts; /* of the engine's own files */
};

/* ---- life of a run ---- */

/* Keys, charter, nodes, disks, actors as the plan says; nothing has started. NULL and *why (static): the
 * plan asks for what does not fit. */
struct sim *sim_new(const struct sim_plan *plan, const char **why);
void sim_free(struct sim *s); /* NULL-safe */

/* The same by hand: no people, no node. charter: version 0, malloc'd, owned by s from now on; its genesis is
 * where the run starts. NULL: cast_make brings it with sim_add_charter, before any node starts. */
struct sim *sim_new_empty(const struct sim_plan *plan, struct era_charter *charter);
/* Version charter_count, owned from now on. */
void sim_add_charter(struct sim *s, struct era_charter *charter);
/* A key pair that follows from its name alone; the one there is when the name is known. */
struct sim_key *sim_add_key(struct sim *s, const char *name);
/* A node that is down: software 1.0.0, votes for nothing by itself. key: borrowed from s; NULL: a relay. */
struct sim_node *sim_add_node(struct sim *s, const char *name, struct sim_key *key);
/* Node a dials node b from its next start on. */
void sim_anchor(struct sim *s, size_t a, size_t b);
/* A stream of numbers of its own: seed and purpose ("strike", "work node-3") say all, so that a draw more in
 * one place moves nothing in another. */
struct era_prng sim_stream(const struct sim *s, const char *purpose);

/* Everything of a random run follows from its seed. nodes 0, epochs 0: the seed chooses (7 to 50 nodes). */
struct sim_plan sim_plan_from_seed(uint64_t seed, size_t nodes, uint64_t epochs, sim_faults_t faults);
void sim_watch(struct sim *s, struct sim_watch watch);

/* Until the plan's end, or the first break. Nodes that never ran are started in the first second. */
void sim_run(struct sim *s);
/* The people are woken not later than at_ms. */
void sim_wake_at(struct sim *s, uint64_t at_ms);
/* One thing that happens, not after end_ms. False: there is none before it; it is end_ms then. */
bool sim_advance(struct sim *s, uint64_t end_ms);
/* First broken rule only; the run stops after this step. */
void sim_break(struct sim *s, const char *rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sim_tell(struct sim *s, struct sim_node *n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A fault struck: counted, and told as "fault NAME: …". What the engine counts by itself: the kinds of frames
 * (latency to bandwidth, one-way), cut, flap and partition (when a link breaks), crash, power, torn, disks,
 * backup, clocks. The cast counts the rest. */
void sim_strike(struct sim *s, enum sim_fault fault, struct sim_node *n /* or NULL */, const char *format,
                ...) __attribute__((format(printf, 4, 5)));

uint64_t sim_true_epoch(const struct sim *s);
struct sim_node *sim_node_named(struct sim *s, const char *name); /* NULL: none */
struct sim_key *sim_key_named(struct sim *s, const char *name);   /* NULL: none */
/* Honesty of a key, known to the simulation alone: faulty ones included. SIM_HONEST for an unknown key. */
enum sim_trust sim_key_trust(const struct sim *s, const struct era_key *key);

/* ---- one node (world) ---- */

void sim_start(struct sim *s, struct sim_node *n);
/* The process ends: what was not committed is gone, the disk stays. */
void sim_crash(struct sim *s, struct sim_node *n);
/* The machine loses power: the disk is what store_mem finds then. */
void sim_lose_power(struct sim *s, struct sim_node *n);
/* The same with a disk that lied: the last commit it called durable is gone. The node and its key count as
 * faulty from now on. */
void sim_lose_power_torn(struct sim *s, struct sim_node *n);
/* One event; its effects are applied and watched. */
void sim_step(struct sim *s, struct sim_node *n, struct era_event event);
/* A command, copied; returns its number. The node takes it as the next thing that happens; the reply is kept
 * (SIM_REPLIES_MAX). The node is up. */
uint64_t sim_ask(struct sim *s, struct sim_node *n, struct era_command command);
/* NULL: not answered yet (or the node went down). */
const struct era_reply *sim_reply(const struct sim *s, uint64_t request);
/* Its configuration is read again: what n->versions and n->staged say. Takes them at the next start when the
 * node is down. */
void sim_versions(struct sim *s, struct sim_node *n);

uint64_t sim_wall_ms(const struct sim *s, const struct sim_node *n);
void sim_clock_skew(struct sim *s, struct sim_node *n, int64_t skew_ms);
void sim_clock_drift(struct sim *s, struct sim_node *n, int64_t drift_ppm);
void sim_clock_jump(struct sim *s, struct sim_node *n, uint64_t to_unix_ms);
void sim_clock_mend(struct sim *s, struct sim_node *n); /* no skew, no drift, no jump */

/* Nothing reaches the disk until released. */
void sim_disk_hold(struct sim *s, struct sim_node *n, bool held);
/* Each commit takes so much longer. */
void sim_disk_slow(struct sim *s, struct sim_node *n, uint64_t delay_ms);
/* From the nth commit from now on (1: the next) all fail with error (-EIO, -ENOSPC); 0: mended. */
void sim_disk_fail(struct sim *s, struct sim_node *n, uint64_t nth, int error);
/* One bit of one stored record of a node that is down; found at its next start, which begins with an empty
 * store then, as the daemon does. False: there is no record. */
bool sim_disk_flip(struct sim *s, struct sim_node *n);
void sim_disk_backup(struct sim *s, struct sim_node *n);
/* The backup replaces the disk of a node that is down: from now on it counts as faulty (I6). */
void sim_disk_restore_backup(struct sim *s, struct sim_node *n);

/* ---- the net ---- */

/* One way: nothing from a reaches b. Both ways: call it twice. Links that exist break, and none is made while
 * either way is cut. (One way only, with the link standing: sim_net_faults.vanish.) */
void sim_cut(struct sim *s, size_t from, size_t to);
void sim_heal(struct sim *s, size_t from, size_t to);
/* No cut, no side but 0, no fault of frames anywhere. */
void sim_heal_all(struct sim *s);
/* Links between the two break, and may be made again at once. altered: by what somebody on the way did to the
 * bytes towards b, whose driver ends it for that; b would ban nobody for it. */
void sim_flap(struct sim *s, size_t a, size_t b, bool altered);
/* The node moves to a side; its links to other sides break. All begin on side 0. */
void sim_side(struct sim *s, size_t node, unsigned side);
void sim_net_set(struct sim *s, size_t from, size_t to, struct sim_net_faults faults);
struct sim_net_faults sim_net_get(const struct sim *s, size_t from, size_t to);
bool sim_linked(const struct sim *s, size_t a, size_t b);
/* An envelope is given to a node as if by a peer of no node (hostile or withheld words). */
void sim_inject(struct sim *s, struct sim_node *to, struct era_bytes envelope);

/* ---- what is asked about all nodes ---- */

/* Every honest node that is up has the same digest. */
bool sim_digests_equal(const struct sim *s);

#endif
