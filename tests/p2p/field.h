/* field: thousands of gossips on a random graph in virtual time, to see how an
 * item spreads: every link has a latency of its own, frames may be lost, nodes
 * vanish without a word, sides are parted and joined again. Nodes accept every
 * item at once. One seed, one run. Asserts instead of Criterion: benches use it too.
 *
 * Links are streams: nothing but what `loss_permille` says is lost on them. A
 * cut breaks those that cross it; after it they are dialled again, each at a
 * moment of its own within ERA_RECONNECT_MAX_MS.
 *
 * With an overlay nodes look for neighbours themselves, and dial each other;
 * who dials a node that vanished hears nothing for FIELD_DIAL_MS. */
#ifndef ERA_TESTS_P2P_FIELD_H
#define ERA_TESTS_P2P_FIELD_H

#include "p2p/gossip.h"
#include "src/base/prng.h"

#define FIELD_LATENCY_MIN_MS 10
#define FIELD_LATENCY_MAX_MS 150
#define FIELD_DIAL_MS        5000
#define FIELD_ITEMS_MAX      512
#define FIELD_RING_MS        16384 /* more than anything takes to arrive, or to be dialled again */

struct field_item {
    struct era_hash id;
    struct era_bytes bytes; /* its envelope; owned by the field */
    size_t source;
    uint64_t born_ms;
    size_t holders;   /* living nodes and dead ones */
    uint64_t last_ms; /* when the last of them came to hold it */
    uint64_t copies;  /* payloads that arrived */
};

/* A link: of its two numbers, 2 * edge + 1 is of end 0, who dialled, and 2 * edge + 2 of end 1. */
struct field_edge {
    size_t node[2];
    bool open[2];
    uint64_t latency_ms;
    bool cut; /* broken, to be made again */
};

struct field_node {
    struct field *field;
    size_t number;
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_gossip *gossip;
    bool dead;
    unsigned side;
    uint32_t *held_ms; /* by item: when it came; 0 = it did not */
    size_t *edges, edge_count, edge_cap;
    uint64_t due_ms;
    size_t heap_at;
};

struct field {
    uint64_t now_ms, seed;
    struct era_prng prng;
    struct era_hash network;
    size_t node_count, edge_count, edge_cap, item_count;
    struct field_node *nodes;
    struct field_edge *edges;
    struct field_item items[FIELD_ITEMS_MAX];
    size_t index[4 * FIELD_ITEMS_MAX];                                  /* by id; 0 = none, else number + 1 */
    size_t *heap;                                                       /* nodes by due_ms */
    struct field_event *ring[FIELD_RING_MS], **ring_end[FIELD_RING_MS]; /* by the ms in which they happen */
    unsigned loss_permille; /* of frames with statements, announcements, orders */
    bool parted;
    uint64_t frames, bytes, lost;
};

/* Every node has `degree` links, but for a few where the dice did not fit. All links are up on return.
 * overlay: they then look for `degree` neighbours, and for others when these are gone. */
struct field *field_new(size_t nodes, size_t degree, uint64_t seed, bool overlay);
void field_free(struct field *f);
/* A statement of that node's key, published now. Returns its number. */
size_t field_publish(struct field *f, size_t node);
void field_run(struct field *f, uint64_t ms);
/* The node is gone; nobody is told. */
void field_vanish(struct field *f, size_t node);
/* No link between the sides (field_node.side) until it is set false again. */
void field_part(struct field *f, bool parted);
/* Time in which flooding would reach all that live and can be reached from the node: the longest of the
 * shortest paths. reached: how many, itself included. in: set for each of them, when not NULL. */
uint64_t field_flood_ms(const struct field *f, size_t from, size_t *reached, bool *in);
/* What all links together counted. */
struct era_branch_counts field_counts(const struct field *f);

#endif
