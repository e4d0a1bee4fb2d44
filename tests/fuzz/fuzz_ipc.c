/* The stream of a local socket: a byte that says how it is cut, then greeting
 * and messages. However it is cut, the same messages come out and the same end. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/ipc/wire.h"
#include "tests/fuzz/fuzz.h"

#define PAYLOAD_MAX 512

/* All that was read of a stream. */
struct heard {
    size_t messages, bytes;
    struct era_hash sum;
    int end; /* 0, or the errno that ended it */
};

static void hear(struct heard *h, struct era_ipc_reader *r, int fd)
{
    while (h->end == 0) {
        int rv = era_ipc_read(r, fd);
        if (rv == 0)
            return;
        if (rv < 0) {
            h->end = rv;
            return;
        }
        assert(r->len <= PAYLOAD_MAX);
        struct era_bytes parts[2] = {{h->sum.b, sizeof h->sum.b}, {r->body, r->len}};
        h->sum = era_hash_parts(parts, 2);
        h->messages++;
        h->bytes += ERA_IPC_HEADER_BYTES + r->len;
        era_ipc_reader_next(r);
    }
}

static struct heard read_in_pieces(struct era_bytes stream, size_t piece)
{
    struct heard h = {0};
    struct era_ipc_reader r = {.peer = ERA_IPC_REQ, .bytes_max = PAYLOAD_MAX};
    int ends[2];
    int rv = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends);
    assert(rv == 0);
    for (size_t at = 0; at < stream.len && h.end == 0; at += piece) {
        size_t len = stream.len - at < piece ? stream.len - at : piece;
        ssize_t n = send(ends[0], stream.data + at, len, 0);
        assert(n == (ssize_t)len);
        hear(&h, &r, ends[1]);
    }
    close(ends[0]);
    hear(&h, &r, ends[1]);
    close(ends[1]);
    era_ipc_reader_next(&r);
    return h;
}

/* How many messages the stream holds, read off by the format's own words. */
static size_t messages_in(struct era_bytes stream)
{
    static const uint8_t greeting[ERA_IPC_GREETING_BYTES] = {0, 'S', 'P', 0, 0, ERA_IPC_REQ, 0, 0};
    size_t at = sizeof greeting, count = 0;
    if (stream.len < at || memcmp(stream.data, greeting, at) != 0)
        return 0;
    while (stream.len - at >= ERA_IPC_HEADER_BYTES && stream.data[at] == 1) {
        uint64_t len = era_get_be64(stream.data + at + 1);
        at += ERA_IPC_HEADER_BYTES;
        if (len > PAYLOAD_MAX || len > stream.len - at)
            break;
        at += (size_t)len;
        count++;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 4096)
        return 0;
    struct era_bytes stream = {data + 1, size - 1};
    struct heard whole = read_in_pieces(stream, size), cut = read_in_pieces(stream, data[0] % 16 + 1u);
    assert(whole.messages == cut.messages && whole.bytes == cut.bytes && whole.end == cut.end);
    assert(era_hash_eq(&whole.sum, &cut.sum));
    assert(whole.messages == messages_in(stream));
    assert(whole.end < 0); /* a stream that ends is an end */
    assert(whole.bytes == 0 || whole.bytes + ERA_IPC_GREETING_BYTES <= stream.len);
    return 0;
}
