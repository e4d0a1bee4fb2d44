/* world_internal: what the world's files share. */
#ifndef ERA_TESTS_NODE_WORLD_INTERNAL_H
#define ERA_TESTS_NODE_WORLD_INTERNAL_H

#include "tests/node/world.h"

enum happening_kind { DIAL, FRAME, SENT, END, DOWN, COMMIT, STORED };

struct happening {
    uint64_t at_ms, order;
    enum happening_kind kind;
    size_t node, peer; /* who it happens to; DIAL: who is dialled */
    unsigned life;
    uint64_t link;
    uint64_t token;
    int error;
    size_t len;
    uint8_t *bytes;
};

struct link {
    size_t end[2]; /* 0: who dialled */
    bool open;
    bool left[2];        /* that end closed it */
    uint64_t last_ms[2]; /* when the last frame to that end arrives */
};

#define LIST(type)                                                                                           \
    struct {                                                                                                 \
        size_t count, cap;                                                                                   \
        type *at;                                                                                            \
    }

struct world {
    const struct era_charter *charter;
    struct era_prng prng;
    uint64_t seed, now_ms, next_order, next_request;
    size_t node_count;
    struct world_node nodes[WORLD_NODES_MAX];
    bool apart[WORLD_NODES_MAX][WORLD_NODES_MAX];
    LIST(struct happening) happenings; /* a heap */
    LIST(struct link) links;           /* number: index + 1 */
    LIST(struct world_said) said;
    uint64_t told[WORLD_NODES_MAX]; /* statements, in its last digest */
    LIST(struct world_signal) signals;
    LIST(struct world_reply *) replies;
};

#define ADD(list)                                                                                            \
    (*(world_grow((void **)&(list)->at, &(list)->cap, (list)->count, sizeof *(list)->at),                    \
       memset(&(list)->at[(list)->count], 0, sizeof *(list)->at), &(list)->at[(list)->count++]))

void world_grow(void **at, size_t *cap, size_t count, size_t size);
_Noreturn void world_wrong(const char *what);
/* One event of a node that is up; its effects are applied. */
void world_step(struct world_node *n, struct era_event ev);
/* A frame leaves a node. */
void world_hear(struct world *w, size_t node, struct era_bytes bytes);
struct era_versions world_software(const char *version);

#endif
