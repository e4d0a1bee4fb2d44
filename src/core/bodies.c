#include "src/core/bodies.h"

#include <assert.h>
#include <string.h>

#include "proto/limits.h"

#define ERA_TABLE_KEY (&b->key)
#include "src/base/table.h"

struct body {
    struct era_hash item;
    struct body *older, *newer; /* of those that are settled */
    bool settled;
    UT_hash_handle hh;
    size_t len;
    uint8_t bytes[];
};

struct era_bodies {
    struct era_siphash_key key;
    era_body_read *read;
    void *ctx;
    struct body *all;
    struct body *oldest, *newest; /* settled */
    size_t settled_count, settled_bytes;
};

struct era_bodies *era_bodies_new(const struct era_siphash_key *key)
{
    struct era_bodies *b = calloc(1, sizeof *b);
    assert(b);
    b->key = *key;
    return b;
}

void era_bodies_free(struct era_bodies *b)
{
    if (!b)
        return;
    struct body *body, *next;
    HASH_ITER(hh, b->all, body, next)
    {
        HASH_DEL(b->all, body);
        free(body);
    }
    free(b);
}

void era_bodies_read_with(struct era_bodies *b, era_body_read *read, void *ctx)
{
    b->read = read;
    b->ctx = ctx;
}

static struct body *find(const struct era_bodies *b, const struct era_hash *item)
{
    struct body *body;
    HASH_FIND(hh, b->all, item, sizeof *item, body);
    return body;
}

void era_bodies_put(struct era_bodies *b, const struct era_hash *item, struct era_bytes envelope)
{
    struct body *body = malloc(sizeof *body + envelope.len);
    assert(body && !find(b, item));
    *body = (struct body){.item = *item, .len = envelope.len};
    memcpy(body->bytes, envelope.data, envelope.len);
    HASH_ADD(hh, b->all, item, sizeof body->item, body);
}

static void forget(struct era_bodies *b, struct body *body)
{
    if (body->settled) {
        *(body->older ? &body->older->newer : &b->oldest) = body->newer;
        *(body->newer ? &body->newer->older : &b->newest) = body->older;
        b->settled_count--;
        b->settled_bytes -= body->len;
    }
    HASH_DEL(b->all, body);
    free(body);
}

void era_bodies_settle(struct era_bodies *b, const struct era_hash *item)
{
    struct body *body = b->read ? find(b, item) : NULL;
    if (!body || body->settled)
        return;
    body->settled = true;
    body->older = b->newest;
    *(b->newest ? &b->newest->newer : &b->oldest) = body;
    b->newest = body;
    b->settled_count++;
    b->settled_bytes += body->len;
    while (b->settled_count > ERA_BODIES_RECENT_MAX || b->settled_bytes > ERA_BODIES_RECENT_BYTES_MAX)
        forget(b, b->oldest);
}

void era_bodies_rest(struct era_bodies *b)
{
    while (b->oldest)
        forget(b, b->oldest);
}

void era_bodies_drop(struct era_bodies *b, const struct era_hash *item)
{
    struct body *body = find(b, item);
    if (body)
        forget(b, body);
}

bool era_bodies_get(const struct era_bodies *b, const struct era_hash *item, uint32_t kind,
                    struct era_bytes *out)
{
    const struct body *body = find(b, item);
    if (!body)
        return b->read && b->read(b->ctx, item, kind, out);
    *out = (struct era_bytes){body->bytes, body->len};
    return true;
}
