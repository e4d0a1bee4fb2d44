#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/node/node_internal.h"

#define ARENA_BLOCK_BYTES ((size_t)262144)

void *node_alloc(struct era_node *n, size_t bytes)
{
    bytes = (bytes + 15) & ~(size_t)15;
    if (!n->arena || n->arena->cap - n->arena->used < bytes) {
        size_t cap = bytes > ARENA_BLOCK_BYTES ? bytes : ARENA_BLOCK_BYTES;
        struct arena_block *b = malloc(sizeof *b + cap);
        assert(b);
        *b = (struct arena_block){.next = n->arena, .cap = cap};
        n->arena = b;
    }
    void *out = n->arena->data + n->arena->used;
    n->arena->used += bytes;
    return out;
}

struct era_bytes node_copy(struct era_node *n, struct era_bytes b)
{
    uint8_t *copy = node_alloc(n, b.len ? b.len : 1);
    if (b.len)
        memcpy(copy, b.data, b.len);
    return (struct era_bytes){copy, b.len};
}

struct era_effect *node_effect(struct era_node *n, enum era_effect_kind kind)
{
    if (n->effect_count == n->effect_cap) {
        n->effect_cap = n->effect_cap ? 2 * n->effect_cap : 64;
        n->effects = realloc(n->effects, n->effect_cap * sizeof *n->effects);
        assert(n->effects);
    }
    struct era_effect *e = &n->effects[n->effect_count++];
    memset(e, 0, sizeof *e);
    e->kind = kind;
    return e;
}

void node_log(struct era_node *n, enum era_log_level level, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct era_bytes copy = node_copy(n, (struct era_bytes){(const uint8_t *)text, strlen(text) + 1});
    struct era_effect *e = node_effect(n, ERA_EFF_LOG);
    e->level = level;
    e->text = (const char *)copy.data;
}

struct era_signal *node_signal(struct era_node *n, enum era_signal_kind kind, int component)
{
    struct era_effect *e = node_effect(n, ERA_EFF_SIGNAL);
    e->signal = (struct era_signal){
        .kind = kind, .component = component, .epoch = n->epoch, .signer = -1, .validator = -1};
    return &e->signal;
}

static const char *copy_text(struct era_node *n, const char *text)
{
    if (!text)
        return NULL;
    return (const char *)node_copy(n, (struct era_bytes){(const uint8_t *)text, strlen(text) + 1}).data;
}

void node_reply(struct era_node *n, const struct era_reply *reply)
{
    struct era_effect *e = node_effect(n, ERA_EFF_REPLY);
    e->reply = *reply;
    e->reply.why = copy_text(n, reply->why);
}

void node_refuse(struct era_node *n, uint64_t request, enum era_verdict v, const char *why)
{
    node_reply(n, &(struct era_reply){.request = request, .verdict = v, .why = why});
}

void node_effects_reset(struct era_node *n)
{
    n->effect_count = 0;
    while (n->arena && n->arena->next) { /* keep one block */
        struct arena_block *next = n->arena->next;
        free(n->arena);
        n->arena = next;
    }
    if (n->arena)
        n->arena->used = 0;
}

void node_effects_free(struct era_node *n)
{
    while (n->arena) {
        struct arena_block *next = n->arena->next;
        free(n->arena);
        n->arena = next;
    }
    free(n->effects);
    n->effects = NULL;
    n->effect_count = n->effect_cap = 0;
}
