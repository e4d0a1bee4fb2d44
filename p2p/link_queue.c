#include "p2p/link_queue.h"

#include "proto/limits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)16384)

struct era_link_chunk {
    struct era_link_chunk *next;
    size_t size, used; /* bytes of data */
    size_t written;    /* bytes of data that left */
    size_t frame;      /* where the first frame begins that has not wholly left */
    uint8_t data[];
};

static struct era_link_chunk *chunk_add(struct era_link_queue *q, size_t least)
{
    size_t size = least > CHUNK_BYTES ? least : CHUNK_BYTES;
    struct era_link_chunk *c = malloc(sizeof(*c) + size);
    assert(c != NULL);
    c->next = NULL;
    c->size = size;
    c->used = c->written = c->frame = 0;
    if (q->last != NULL)
        q->last->next = c;
    else
        q->first = c;
    q->last = c;
    return c;
}

void era_link_queue_push(struct era_link_queue *q, struct era_bytes body)
{
    assert(body.len >= 1 && body.len <= ERA_FRAME_BYTES_MAX);
    size_t need = ERA_LINK_HEADER_BYTES + body.len;
    struct era_link_chunk *c = q->last;
    if (c == NULL || c->size - c->used < need)
        c = chunk_add(q, need);
    era_put_be32(c->data + c->used, (uint32_t)body.len);
    memcpy(c->data + c->used + ERA_LINK_HEADER_BYTES, body.data, body.len);
    c->used += need;
    q->bytes += need;
}

size_t era_link_queue_peek(const struct era_link_queue *q, struct era_bytes *out, size_t cap)
{
    size_t n = 0;
    for (const struct era_link_chunk *c = q->first; c != NULL && n < cap; c = c->next)
        out[n++] = (struct era_bytes){c->data + c->written, c->used - c->written};
    return n;
}

/* Body bytes of the frames of c that have wholly left since it was asked last. */
static size_t chunk_complete(struct era_link_chunk *c)
{
    size_t sum = 0;
    while (c->frame < c->written) {
        size_t len = era_get_be32(c->data + c->frame);
        if (c->written - c->frame < ERA_LINK_HEADER_BYTES + len)
            break;
        c->frame += ERA_LINK_HEADER_BYTES + len;
        sum += len;
    }
    return sum;
}

size_t era_link_queue_written(struct era_link_queue *q, size_t n)
{
    size_t sum = 0;
    assert(n <= q->bytes);
    q->bytes -= n;
    while (n > 0) {
        struct era_link_chunk *c = q->first;
        size_t rest = c->used - c->written;
        size_t step = n < rest ? n : rest;
        c->written += step;
        n -= step;
        sum += chunk_complete(c);
        if (c->written == c->used) {
            q->first = c->next;
            if (q->first == NULL)
                q->last = NULL;
            free(c);
        }
    }
    return sum;
}

void era_link_queue_clear(struct era_link_queue *q)
{
    while (q->first != NULL) {
        struct era_link_chunk *c = q->first;
        q->first = c->next;
        free(c);
    }
    *q = (struct era_link_queue){0};
}
