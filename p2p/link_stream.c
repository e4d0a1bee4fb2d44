#include "p2p/link_internal.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_SPANS 8 /* chunks that one record may gather */

void era_link_stream_open(struct era_link_driver *d, struct link *l, nng_stream *stream)
{
    uint8_t ephemeral[ERA_NOISE_KEY_BYTES];
    randombytes_buf(ephemeral, sizeof ephemeral);
    l->stream = stream;
    era_channel_init(&l->channel, &d->config, l->outgoing, ephemeral);
    sodium_memzero(ephemeral, sizeof ephemeral);
    if (l->stranger)
        era_channel_hold(&l->channel);
    l->state = LINK_HANDSHAKE;
    era_link_time(d, l, ERA_HANDSHAKE_MS);
    era_link_make_ready(d, l);
}

void era_link_stream_clear(struct link *l)
{
    if (l->stream != NULL)
        nng_stream_free(l->stream);
    l->stream = NULL;
    era_channel_clear(&l->channel);
    era_link_queue_clear(&l->out);
    free(l->wire);
    l->wire = NULL;
}

/* ---- writing ---- */

static bool wire_handshake(struct link *l)
{
    uint8_t bytes[ERA_CHANNEL_EARLY_BYTES];
    size_t len = era_channel_take(&l->channel, bytes);
    if (len == 0)
        return false;
    l->wire = malloc(len);
    assert(l->wire != NULL);
    memcpy(l->wire, bytes, len);
    l->wire_len = len;
    l->wire_sent = 0;
    return true;
}

/* One record of all that is queued, or as much as it takes: many small frames share it. */
static bool wire_record(struct link *l)
{
    struct era_bytes spans[WRITE_SPANS];
    size_t n = era_link_queue_peek(&l->out, spans, WRITE_SPANS), len = 0;
    if (n == 0 || l->channel.state != ERA_CHANNEL_OPEN)
        return false;
    for (size_t i = 0; i < n; i++)
        len += spans[i].len;
    if (len > ERA_CHANNEL_PLAIN_MAX)
        len = ERA_CHANNEL_PLAIN_MAX;
    l->wire = malloc(len + ERA_CHANNEL_RECORD_EXTRA);
    assert(l->wire != NULL);
    uint8_t *at = l->wire + ERA_CHANNEL_RECORD_HEADER;
    for (size_t i = 0, left = len; left > 0; i++) {
        size_t step = spans[i].len < left ? spans[i].len : left;
        memcpy(at, spans[i].data, step);
        at += step;
        left -= step;
    }
    l->wire_sent = era_link_queue_written(&l->out, len);
    l->wire_len = era_channel_seal(&l->channel, l->wire, len);
    if (l->wire_len > 0)
        return true;
    free(l->wire);
    l->wire = NULL;
    return false;
}

static bool has_to_write(struct link *l)
{
    if (l->wire != NULL)
        return true;
    l->wire_done = 0;
    return wire_handshake(l) || wire_record(l);
}

static void wrote(struct link *l, size_t n)
{
    l->wire_done += n;
    if (l->wire_done < l->wire_len)
        return;
    l->sent += l->wire_sent;
    free(l->wire);
    l->wire = NULL;
}

static void write_by(struct link *l, nng_aio *aio)
{
    nng_iov iov = {l->wire + l->wire_done, l->wire_len - l->wire_done};
    nng_aio_set_iov(aio, 1, &iov);
    nng_stream_send(l->stream, aio);
}

/* What the socket has room for needs no thread of NNG's, which would wake this one. What is taken back before
 * it was done did not begin: whatever was met is met again by the operation that follows. */
static bool write_at_once(struct link *l)
{
    write_by(l, l->attempt);
    nng_aio_cancel(l->attempt);
    nng_aio_wait(l->attempt);
    if (nng_aio_result(l->attempt) != 0)
        return false;
    wrote(l, nng_aio_count(l->attempt));
    return true;
}

bool era_link_stream_write(struct era_link_driver *d, struct link *l)
{
    bool some = false;
    while (!l->send.busy && l->reason == 0 && has_to_write(l)) {
        if (write_at_once(l)) {
            era_link_make_ready(d, l); /* SENT is to be told */
            era_mailbox_raise(&d->box);
            some = true;
        } else {
            l->send.busy = true;
            write_by(l, l->send.aio);
        }
    }
    return some || l->send.busy;
}

/* A failed write does not end the link at once: the peer's last word, which
 * says why, may still wait to be read. The read then meets the end. */
void era_link_stream_sent(struct era_link_driver *d, struct link *l, int rv)
{
    if (rv == 0) {
        wrote(l, nng_aio_count(l->send.aio));
        if (l->state != LINK_CLOSING)
            era_link_stream_write(d, l);
    } else if (l->state == LINK_FLUSHING || (l->state != LINK_CLOSING && l->recv.busy)) {
        era_link_shut(d, l, ERA_ACCEPTED, era_link_errno(rv));
    } else if (l->state != LINK_CLOSING) {
        l->reason = era_link_errno(rv);
    }
    era_link_make_ready(d, l);
}

/* ---- reading ---- */

void era_link_stream_uncount(struct era_link_driver *d, struct link *l)
{
    d->in_bytes -= l->in_counted;
    l->in_counted = 0;
}

void era_link_stream_rest(struct era_link_driver *d, struct link *l)
{
    era_channel_rest(&l->channel);
    if (l->channel.in_size == ERA_CHANNEL_IN_LEAST)
        era_link_stream_uncount(d, l);
}

/* Frames that were begun and not ended are many and large: whoever waits longest for the rest of one ends.
 * What we dialled ourselves is no stranger's to displace. */
static void bound_frames(struct era_link_driver *d, const struct link *newest)
{
    while (d->in_bytes > ERA_LINKS_IN_BYTES_MAX) {
        struct link *out = NULL;
        for (size_t i = 0; i < d->made; i++) {
            struct link *l = &d->links[i];
            if (l != newest && !l->outgoing && l->in_counted > 0 && (out == NULL || l->fed < out->fed))
                out = l;
        }
        if (out == NULL)
            return;
        era_link_shut(d, out, ERA_TIMEOUT, -EBADMSG);
    }
}

/* What a link says that is on its way out goes where nobody looks, and by the largest spoon. */
static void read_away(struct era_link_driver *d, struct link *l)
{
    nng_iov iov = {d->sink, LINK_SINK_BYTES};
    nng_aio_set_iov(l->recv.aio, 1, &iov);
    l->recv.busy = true;
    nng_stream_recv(l->stream, l->recv.aio);
}

void era_link_stream_read(struct era_link_driver *d, struct link *l)
{
    nng_iov iov;
    assert(!l->recv.busy);
    if (l->state == LINK_FLUSHING) {
        read_away(d, l);
        return;
    }
    iov.iov_buf = era_channel_room(&l->channel, &iov.iov_len);
    era_link_stream_uncount(d, l);
    if (l->channel.in_size > ERA_CHANNEL_IN_LEAST) {
        l->in_counted = l->channel.in_size;
        d->in_bytes += l->in_counted;
        bound_frames(d, l);
    }
    nng_aio_set_iov(l->recv.aio, 1, &iov);
    l->recv.busy = true;
    nng_stream_recv(l->stream, l->recv.aio);
}

static void took(struct era_link_driver *d, struct link *l, size_t n)
{
    era_channel_came(&l->channel, n);
    if (l->state == LINK_HANDSHAKE && era_channel_waits(&l->channel))
        era_link_gate_wait(d, l);
}

void era_link_stream_received(struct era_link_driver *d, struct link *l, int rv)
{
    /* Otherwise it may have come to the sink. */
    bool listens = l->state == LINK_HANDSHAKE || l->state == LINK_OPEN;
    if (rv == 0 && listens)
        took(d, l, nng_aio_count(l->recv.aio));
    else if (rv != 0 && era_channel_is_amid(&l->channel))
        era_link_shut(d, l, ERA_TRUNCATED, -EBADMSG);
    else if (rv != 0)
        era_link_shut(d, l, ERA_ACCEPTED, era_link_errno(rv));
    era_link_make_ready(d, l);
}

/* ---- the handshake ---- */

bool era_link_stream_shake(struct era_link_driver *d, struct link *l)
{
    const struct era_channel *c = &l->channel;
    bool said = era_link_stream_write(d, l);
    if (c->state == ERA_CHANNEL_OPEN) {
        l->state = LINK_OPEN;
        return true;
    }
    if (c->state != ERA_CHANNEL_FAILED) {
        if (l->reason != 0)
            era_link_shut(d, l, ERA_ACCEPTED, l->reason);
        else if (!l->recv.busy && !era_channel_waits(c))
            era_link_stream_read(d, l);
        return false;
    }
    /* Our own preamble says why, if it is the preambles that do not fit. */
    if (said && !l->outgoing) {
        l->verdict = c->verdict;
        l->reason = 0;
        era_link_stream_flush(d, l);
    } else {
        era_link_shut(d, l, c->verdict, -EBADMSG);
    }
    return false;
}

/* ---- time ---- */

void era_link_stream_flush(struct era_link_driver *d, struct link *l)
{
    l->state = LINK_FLUSHING;
    era_link_time(d, l, ERA_LINK_FLUSH_MS);
    era_link_make_ready(d, l);
}

void era_link_stream_due(struct era_link_driver *d, struct link *l)
{
    if (l->state == LINK_FLUSHING)
        era_link_shut(d, l, ERA_ACCEPTED, 0);
    else if (l->state == LINK_HANDSHAKE)
        era_link_shut(d, l, ERA_TIMEOUT, -ETIMEDOUT);
    else
        era_link_make_ready(d, l); /* it has rested */
}
