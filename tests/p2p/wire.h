/* wire: a world of gossips in memory, with virtual time. It carries their
 * frames, dials for them, cuts and slows links; its nodes own toy items and
 * say what they think of each.
 * After every tick it checks that the next deadline lies ahead. */
#ifndef ERA_TESTS_P2P_WIRE_H
#define ERA_TESTS_P2P_WIRE_H

#include "p2p/gossip.h"
#include "src/base/prng.h"

#define WIRE_NODES_MAX 40
#define WIRE_NONE      SIZE_MAX

struct wire_item {
    struct era_hash id;
    enum era_set set;
    struct era_bytes bytes; /* its envelope; owned by the world */
};

struct wire_node {
    struct wire *wire;
    size_t number;
    struct era_gossip *gossip; /* NULL: down */
    bool *held;                /* by item */
    enum era_verdict *answer;  /* by item: ACCEPTED, or what this node says to it */
    bool blocked;
    struct era_peer_record record; /* with a target */
    char listen[ERA_ADDRESS_BYTES_MAX + 1];
    size_t delivered, closed, ups, downs, fetched;
    enum era_verdict last_close, last_down;
    uint64_t dials, ticks;
};

struct wire_frame {
    uint64_t at_ms;
    uint8_t *bytes;
    size_t len;
    bool end; /* of the stream */
};

/* One direction of a link. */
struct wire_way {
    size_t from, to; /* nodes */
    uint64_t link_from, link_to;
    struct wire_frame *frames; /* first in, first out */
    size_t head, count, cap;
    bool stalled; /* the receiver does not read */
};

struct wire_link {
    bool open;
    struct wire_way way[2];
};

struct wire {
    uint64_t now_ms, delay_ms;
    unsigned loss_percent; /* of packets: what was lost is sent again after 200, 400, 800 ms… as TCP does */
    struct era_prng prng;
    uint64_t next_link, seed;
    size_t
        target; /* of the links of nodes made from now on; 0: no overlay. Their records are signed by toys. */
    struct era_hash network;
    size_t node_count;
    struct wire_node nodes[WIRE_NODES_MAX];
    bool apart[WIRE_NODES_MAX][WIRE_NODES_MAX];
    size_t link_count, link_cap;
    struct wire_link *links;
    size_t item_count, item_cap;
    struct wire_item *items;
    size_t *index, index_cap; /* by id */
    uint64_t frames, bytes;
};

struct wire *wire_new(uint64_t now_ms, uint64_t seed);
void wire_free(struct wire *w);
extern const uint8_t wire_proven[ERA_KEY_BYTES]; /* what links prove: nothing */
struct era_gossip_config wire_config(struct wire_node *node);
/* A node that listens at wire_address(number), up at once. */
struct wire_node *wire_node(struct wire *w);
const char *wire_address(size_t number, char out[ERA_ADDRESS_BYTES_MAX + 1]);
void wire_stop(struct wire *w, size_t node);
/* Up again, with what it held and no anchors. */
void wire_start(struct wire *w, size_t node);
/* a dials b, once and for all. */
void wire_anchor(struct wire *w, size_t a, size_t b);
/* A link that nobody configured, dialled by a. */
void wire_join(struct wire *w, size_t a, size_t b);
/* Cut every link between a and b; apart: and let none be made. */
void wire_cut(struct wire *w, size_t a, size_t b, bool apart);
void wire_heal(struct wire *w, size_t a, size_t b);
/* From now on b reads nothing that a sends, or reads again. */
void wire_stall(struct wire *w, size_t a, size_t b, bool stalled);

/* A new item, known to nobody. kind: of the envelope; it decides the set. */
size_t wire_item(struct wire *w, uint32_t kind, size_t payload_bytes);
size_t wire_find(const struct wire *w, const struct era_hash *id);
/* The node has it now. */
void wire_give(struct wire *w, size_t node, size_t item, bool push);
void wire_take(struct wire *w, size_t node, size_t item);

void wire_run(struct wire *w, uint64_t ms);
/* Do what every gossip wants done now. */
void wire_act(struct wire *w);
size_t wire_held(const struct wire *w, size_t node);
struct era_peer_info wire_peer(const struct wire *w, size_t node, size_t peer);
size_t wire_links_of(const struct wire *w, size_t node);

#endif
