#include "p2p/gossip_actions.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES_MIN ((size_t)4096)
#define CHUNK_BYTES_MAX ((size_t)1 << 20)
#define ACTIONS_KEPT    16 /* room that is not given back: more is for frames that are full */

struct era_arena_chunk {
    struct era_arena_chunk *next;
    size_t used, size;
    uint8_t bytes[];
};

static void list_clear(struct era_action_list *list)
{
    while (list->chunks != NULL) {
        struct era_arena_chunk *next = list->chunks->next;
        free(list->chunks);
        list->chunks = next;
    }
    list->count = 0;
}

void era_actions_release(struct era_actions *actions)
{
    list_clear(&actions->gathered);
    list_clear(&actions->taken);
    free(actions->gathered.actions);
    free(actions->taken.actions);
    memset(actions, 0, sizeof *actions);
}

struct era_gossip_action *era_actions_add(struct era_actions *actions, enum era_gossip_action_kind kind,
                                          uint64_t link)
{
    struct era_action_list *list = &actions->gathered;
    if (list->count == list->cap) {
        list->cap = list->cap == 0 ? 16 : 2 * list->cap;
        list->actions = realloc(list->actions, list->cap * sizeof *list->actions);
        assert(list->actions != NULL);
    }
    struct era_gossip_action *a = &list->actions[list->count++];
    memset(a, 0, sizeof *a);
    a->kind = kind;
    a->link = link;
    return a;
}

struct era_bytes era_actions_keep(struct era_actions *actions, struct era_bytes bytes)
{
    struct era_arena_chunk *c = actions->gathered.chunks;
    if (c == NULL || c->size - c->used < bytes.len) {
        size_t size = c == NULL ? CHUNK_BYTES_MIN : 2 * c->size;
        if (size > CHUNK_BYTES_MAX)
            size = CHUNK_BYTES_MAX;
        if (size < bytes.len)
            size = bytes.len;
        c = malloc(sizeof *c + size);
        assert(c != NULL);
        c->next = actions->gathered.chunks;
        c->used = 0;
        c->size = size;
        actions->gathered.chunks = c;
    }
    uint8_t *room = c->bytes + c->used;
    memcpy(room, bytes.data, bytes.len);
    c->used += bytes.len;
    return (struct era_bytes){room, bytes.len};
}

size_t era_actions_take(struct era_actions *actions, const struct era_gossip_action **out)
{
    list_clear(&actions->taken);
    if (actions->taken.cap > ACTIONS_KEPT) {
        free(actions->taken.actions);
        actions->taken = (struct era_action_list){0};
    }
    struct era_action_list taken = actions->gathered;
    actions->gathered = actions->taken;
    actions->taken = taken;
    *out = taken.actions;
    return taken.count;
}
