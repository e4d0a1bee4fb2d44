/* gossip_actions: what the driver must do, in order, with the bytes it needs.
 * Two generations: what is being gathered, and what was taken; taking frees
 * the generation before. */
#ifndef ERA_P2P_GOSSIP_ACTIONS_H
#define ERA_P2P_GOSSIP_ACTIONS_H

#include "p2p/gossip.h"

struct era_arena_chunk;

struct era_action_list {
    struct era_gossip_action *actions;
    size_t count, cap;
    struct era_arena_chunk *chunks; /* newest first */
};

struct era_actions {
    struct era_action_list gathered, taken;
};

void era_actions_release(struct era_actions *actions);
/* A new action of the kind, zeroed but for kind and link; fill it before the next call. */
struct era_gossip_action *era_actions_add(struct era_actions *actions, enum era_gossip_action_kind kind,
                                          uint64_t link);
/* A copy that lives as long as the actions gathered now. */
struct era_bytes era_actions_keep(struct era_actions *actions, struct era_bytes bytes);
size_t era_actions_take(struct era_actions *actions, const struct era_gossip_action **out);

#endif
