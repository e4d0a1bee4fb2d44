/* link_queue: frames that wait to be written to one stream.
 * Frames are packed, each behind its 4-byte big-endian length, into chunks, so
 * that many small frames leave in one write. A frame never spans chunks.
 * Bytes already handed to a write are never moved or changed: another thread
 * may read them while frames are pushed. */
#ifndef ERA_P2P_LINK_QUEUE_H
#define ERA_P2P_LINK_QUEUE_H

#include "src/base/bytes.h"

#define ERA_LINK_HEADER_BYTES 4

struct era_link_chunk;

struct era_link_queue {
    struct era_link_chunk *first, *last;
    size_t bytes; /* not yet written, headers included */
};

/* Copies one frame body (1 … ERA_FRAME_BYTES_MAX bytes); asserts on no memory. */
void era_link_queue_push(struct era_link_queue *q, struct era_bytes body);
/* The next bytes to write, in up to cap spans, borrowed until
 * era_link_queue_written. Returns how many spans. */
size_t era_link_queue_peek(const struct era_link_queue *q, struct era_bytes *out, size_t cap);
/* n bytes of what peek gave were written. Returns the sum of the body bytes of
 * the frames that are thereby complete. */
size_t era_link_queue_written(struct era_link_queue *q, size_t n);
/* Frees what waits; the queue is empty afterwards. */
void era_link_queue_clear(struct era_link_queue *q);

#endif
