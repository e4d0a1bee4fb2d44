#include "p2p/link_nng.h"

#include "p2p/link_mailbox.h"
#include "p2p/link_queue.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <nng/nng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN_BYTES        (ERA_LINK_HEADER_BYTES + (size_t)ERA_FRAME_BYTES_MAX)
#define WRITE_SPANS     4   /* nng_aio_set_iov never fails up to here */
#define ACCEPT_RETRY_MS 100 /* after the system refused an accept (no descriptors left) */
#define SLOT_BITS       16  /* of a link id; the rest counts up */

enum op_kind { OP_ACCEPT, OP_DIAL, OP_RECV, OP_SEND, OP_TIMER };

/* One asynchronous operation of NNG. busy from its start until its mail is
 * taken, so nothing it uses may go while it is busy. */
struct op {
    struct era_mail mail; /* first: a mail is its op */
    enum op_kind kind;
    bool busy;
    struct era_mailbox *box;
    void *of; /* struct listener of an accept, otherwise struct link */
    nng_aio *aio;
};

struct listener {
    nng_stream_listener *nng;
    struct op accept;
    bool resting; /* accept.aio is a sleep before the next try */
    char address[ERA_ADDRESS_BYTES_MAX + 1];
};

enum link_state {
    LINK_FREE,
    LINK_DIALLING,
    LINK_OPEN,
    LINK_FLUSHING, /* the owner closed it; writing, input is thrown away */
    LINK_CLOSING   /* stream closed; waiting until no op is busy */
};

struct link {
    uint64_t id; /* 0 while free */
    enum link_state state;
    bool outgoing, told_up, ready;
    struct link *next; /* in the ready list or the free list */
    int reason;        /* why it closes; while open, what a write met */
    struct op dial, recv, send, timer;
    nng_stream_dialer *dialer;
    nng_stream *stream;
    uint8_t *in; /* IN_BYTES; the bytes from in_start to in_end are unread */
    size_t in_start, in_end;
    struct era_link_queue out;
    size_t sent; /* not told yet */
    char address[ERA_ADDRESS_BYTES_MAX + 1];
};

struct era_link_driver {
    struct era_mailbox box;
    size_t links_max, slots, used;
    uint64_t generation, refused;
    struct link *links; /* slots of them */
    struct link *free_first;
    struct link *ready_first, *ready_last; /* links that may have an event */
    struct link *lent;                     /* whose frame the owner borrows */
    size_t lent_bytes;
    struct listener listeners[ERA_LINK_LISTENERS_MAX];
    size_t listeners_count;
};

static const struct {
    int nng, negative;
} errnos[] = {
    {0, 0},
    {NNG_EINTR, -EINTR},
    {NNG_ENOMEM, -ENOMEM},
    {NNG_EINVAL, -EINVAL},
    {NNG_EBUSY, -EBUSY},
    {NNG_ETIMEDOUT, -ETIMEDOUT},
    {NNG_ECONNREFUSED, -ECONNREFUSED},
    {NNG_ECLOSED, -ECONNRESET},
    {NNG_EAGAIN, -EAGAIN},
    {NNG_ENOTSUP, -ENOTSUP},
    {NNG_EADDRINUSE, -EADDRINUSE},
    {NNG_ENOENT, -ENOENT},
    {NNG_EUNREACHABLE, -EHOSTUNREACH},
    {NNG_EADDRINVAL, -EADDRNOTAVAIL},
    {NNG_EPERM, -EACCES},
    {NNG_ECONNABORTED, -ECONNRESET},
    {NNG_ECONNRESET, -ECONNRESET},
    {NNG_ECANCELED, -ECANCELED},
    {NNG_ENOFILES, -EMFILE},
    {NNG_ENOSPC, -ENOSPC},
    {NNG_EEXIST, -EEXIST},
    {NNG_ECONNSHUT, -ECONNRESET},
};

/* An NNG result as 0 or a negative errno. */
static int nng_errno(int nng_result)
{
    if (nng_result & NNG_ESYSERR)
        return -(nng_result & ~NNG_ESYSERR);
    for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
        if (errnos[i].nng == nng_result)
            return errnos[i].negative;
    return -EIO;
}

/* ---- addresses ---- */

static int address_check(const char *address)
{
    size_t len = strlen(address);
    if (len > ERA_ADDRESS_BYTES_MAX)
        return -ENAMETOOLONG;
    if (strncmp(address, "tcp://", 6) == 0)
        return len > 6 ? 0 : -EINVAL;
    if (strncmp(address, "ipc:///", 7) == 0)
        return len - 6 <= ERA_LINK_PATH_BYTES_MAX ? 0 : -ENAMETOOLONG;
    return -EINVAL;
}

/* The text of an internet address; fallback for any other. */
static void address_text(const nng_sockaddr *sa, const char *fallback, char out[ERA_ADDRESS_BYTES_MAX + 1])
{
    char ip[INET6_ADDRSTRLEN];
    if (sa->s_family == NNG_AF_INET) {
        inet_ntop(AF_INET, &sa->s_in.sa_addr, ip, sizeof(ip));
        snprintf(out, ERA_ADDRESS_BYTES_MAX + 1, "tcp://%s:%u", ip, (unsigned)ntohs(sa->s_in.sa_port));
    } else if (sa->s_family == NNG_AF_INET6) {
        inet_ntop(AF_INET6, sa->s_in6.sa_addr, ip, sizeof(ip));
        snprintf(out, ERA_ADDRESS_BYTES_MAX + 1, "tcp://[%s]:%u", ip, (unsigned)ntohs(sa->s_in6.sa_port));
    } else {
        era_text_set(out, ERA_ADDRESS_BYTES_MAX + 1, fallback);
    }
}

/* ---- operations ---- */

/* On a thread of NNG's. */
static void op_callback(void *arg)
{
    struct op *op = arg;
    era_mailbox_post(op->box, &op->mail);
}

static int op_init(struct op *op, struct era_link_driver *d, enum op_kind kind, void *of)
{
    *op = (struct op){.kind = kind, .box = &d->box, .of = of};
    return nng_aio_alloc(&op->aio, op_callback, op);
}

/* Waits for the callback; then nothing posts this op's mail any more. */
static void op_release(struct op *op)
{
    if (op->aio == NULL)
        return;
    nng_aio_stop(op->aio);
    nng_aio_free(op->aio);
    op->aio = NULL;
}

/* ---- the ready list ----
 * era_link_driver_poll lowers the fd only when the list is empty. A link that is not
 * on it has a busy operation, whose mail raises the fd again. */

static void link_make_ready(struct era_link_driver *d, struct link *l)
{
    if (l->ready)
        return;
    l->ready = true;
    l->next = NULL;
    if (d->ready_last != NULL)
        d->ready_last->next = l;
    else
        d->ready_first = l;
    d->ready_last = l;
}

static struct link *ready_take(struct era_link_driver *d)
{
    struct link *l = d->ready_first;
    if (l == NULL)
        return NULL;
    d->ready_first = l->next;
    if (d->ready_first == NULL)
        d->ready_last = NULL;
    l->ready = false;
    return l;
}

/* ---- a link's life ---- */

static struct link *link_new(struct era_link_driver *d, bool outgoing, const char *address)
{
    struct link *l = d->free_first;
    if (l == NULL || (!outgoing && d->used >= d->links_max))
        return NULL;
    d->free_first = l->next;
    d->used++;
    l->id = ++d->generation << SLOT_BITS | (uint64_t)(l - d->links);
    l->outgoing = outgoing;
    l->told_up = false;
    l->reason = 0;
    l->sent = l->in_start = l->in_end = 0;
    era_text_set(l->address, sizeof(l->address), address);
    return l;
}

static struct link *link_find(struct era_link_driver *d, uint64_t id)
{
    uint64_t slot = id & (((uint64_t)1 << SLOT_BITS) - 1);
    return id != 0 && slot < d->slots && d->links[slot].id == id ? &d->links[slot] : NULL;
}

static void link_open(struct era_link_driver *d, struct link *l, nng_stream *stream)
{
    l->stream = stream;
    l->in = malloc(IN_BYTES);
    assert(l->in != NULL);
    l->state = LINK_OPEN;
    link_make_ready(d, l);
}

static bool link_busy(const struct link *l)
{
    return l->dial.busy || l->recv.busy || l->send.busy || l->timer.busy;
}

static void link_recycle(struct era_link_driver *d, struct link *l)
{
    assert(!link_busy(l) && !l->ready);
    if (l->stream != NULL)
        nng_stream_free(l->stream);
    l->stream = NULL;
    free(l->in);
    l->in = NULL;
    era_link_queue_clear(&l->out);
    l->id = 0;
    l->state = LINK_FREE;
    l->next = d->free_first;
    d->free_first = l;
    d->used--;
}

/* Close the stream; its busy operations come back at once, then link_next says DOWN. */
static void link_shut(struct era_link_driver *d, struct link *l, int reason)
{
    if (l->state == LINK_CLOSING)
        return;
    if (l->state == LINK_OPEN)
        l->reason = reason;
    l->state = LINK_CLOSING;
    if (l->stream != NULL)
        nng_stream_close(l->stream);
    if (l->timer.busy)
        nng_aio_cancel(l->timer.aio);
    link_make_ready(d, l);
}

static void link_write(struct link *l)
{
    struct era_bytes spans[WRITE_SPANS];
    nng_iov iov[WRITE_SPANS];
    if (l->send.busy || l->reason != 0)
        return;
    size_t n = era_link_queue_peek(&l->out, spans, WRITE_SPANS);
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        /* nng_iov has no const; a send only reads. */
        iov[i].iov_buf = (void *)(uintptr_t)spans[i].data;
        iov[i].iov_len = spans[i].len;
    }
    nng_aio_set_iov(l->send.aio, (unsigned)n, iov);
    l->send.busy = true;
    nng_stream_send(l->stream, l->send.aio);
}

static void link_read(struct link *l)
{
    assert(!l->recv.busy);
    if (l->state == LINK_FLUSHING) {
        l->in_start = l->in_end = 0;
    } else if (l->in_start > 0) {
        l->in_end -= l->in_start;
        memmove(l->in, l->in + l->in_start, l->in_end);
        l->in_start = 0;
    }
    nng_iov iov = {l->in + l->in_end, IN_BYTES - l->in_end};
    nng_aio_set_iov(l->recv.aio, 1, &iov);
    l->recv.busy = true;
    nng_stream_recv(l->stream, l->recv.aio);
}

/* Length of the frame whose whole body is in the buffer; 0 when none is; a negative errno for a lie. */
static ssize_t link_whole_frame(const struct link *l)
{
    size_t have = l->in_end - l->in_start;
    if (have < ERA_LINK_HEADER_BYTES)
        return 0;
    uint32_t len = era_get_be32(l->in + l->in_start);
    if (len == 0)
        return -EBADMSG;
    if (len > ERA_FRAME_BYTES_MAX)
        return -EMSGSIZE;
    return have - ERA_LINK_HEADER_BYTES >= len ? (ssize_t)len : 0;
}

/* ---- what came back from NNG, on the owner's thread ---- */

static void accept_start(struct listener *s)
{
    s->resting = false;
    s->accept.busy = true;
    nng_stream_listener_accept(s->nng, s->accept.aio);
}

static void accept_done(struct era_link_driver *d, struct listener *s, int rv)
{
    if (s->resting) {
        accept_start(s);
        return;
    }
    if (rv != 0) {
        s->resting = true;
        s->accept.busy = true;
        nng_sleep_aio(ACCEPT_RETRY_MS, s->accept.aio);
        return;
    }
    nng_stream *stream = nng_aio_get_output(s->accept.aio, 0);
    nng_sockaddr sa = {0};
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    if (nng_stream_get_addr(stream, NNG_OPT_REMADDR, &sa) != 0)
        sa.s_family = NNG_AF_UNSPEC;
    address_text(&sa, s->address, address);
    struct link *l = link_new(d, false, address);
    if (l != NULL) {
        link_open(d, l, stream);
    } else {
        d->refused++;
        nng_stream_free(stream);
    }
    accept_start(s);
}

static void dial_done(struct era_link_driver *d, struct link *l, int rv)
{
    if (rv == 0) {
        link_open(d, l, nng_aio_get_output(l->dial.aio, 0));
    } else {
        l->reason = nng_errno(rv);
        l->state = LINK_CLOSING;
        link_make_ready(d, l);
    }
    nng_stream_dialer_free(l->dialer);
    l->dialer = NULL;
}

static void recv_done(struct era_link_driver *d, struct link *l, int rv)
{
    if (rv == 0)
        l->in_end += nng_aio_count(l->recv.aio);
    else if (l->in_end > l->in_start)
        link_shut(d, l, -EBADMSG);
    else
        link_shut(d, l, nng_errno(rv));
    link_make_ready(d, l);
}

/* A failed write does not end the link at once: the peer's last word, which
 * says why, may still wait to be read. The read then meets the end. */
static void send_done(struct era_link_driver *d, struct link *l, int rv)
{
    if (rv == 0) {
        l->sent += era_link_queue_written(&l->out, nng_aio_count(l->send.aio));
        if (l->state != LINK_CLOSING)
            link_write(l);
    } else if (l->state == LINK_FLUSHING || (l->state == LINK_OPEN && l->recv.busy)) {
        link_shut(d, l, nng_errno(rv));
    } else if (l->state == LINK_OPEN) {
        l->reason = nng_errno(rv);
    }
    link_make_ready(d, l);
}

static void op_done(struct era_link_driver *d, struct op *op)
{
    int rv = nng_aio_result(op->aio);
    op->busy = false;
    switch (op->kind) {
    case OP_ACCEPT:
        accept_done(d, op->of, rv);
        return;
    case OP_DIAL:
        dial_done(d, op->of, rv);
        return;
    case OP_RECV:
        recv_done(d, op->of, rv);
        return;
    case OP_SEND:
        send_done(d, op->of, rv);
        return;
    case OP_TIMER:
        link_shut(d, op->of, 0);
        link_make_ready(d, op->of);
        return;
    }
}

/* ---- what the owner asks ---- */

static int links_init(struct era_link_driver *d)
{
    for (size_t i = d->slots; i-- > 0;) {
        struct link *l = &d->links[i];
        int rv = op_init(&l->dial, d, OP_DIAL, l);
        if (rv == 0)
            rv = op_init(&l->recv, d, OP_RECV, l);
        if (rv == 0)
            rv = op_init(&l->send, d, OP_SEND, l);
        if (rv == 0)
            rv = op_init(&l->timer, d, OP_TIMER, l);
        if (rv != 0)
            return rv;
        nng_aio_set_timeout(l->dial.aio, ERA_LINK_DIAL_MS);
        l->next = d->free_first;
        d->free_first = l;
    }
    return 0;
}

struct era_link_driver *era_link_driver_new(size_t links_max)
{
    assert(links_max >= 1 && links_max <= 4 * ERA_LINKS_MAX);
    struct era_link_driver *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return NULL;
    d->links_max = links_max;
    d->slots = links_max + ERA_LINK_DIALS_MAX;
    d->links = calloc(d->slots, sizeof(*d->links));
    int rv = d->links == NULL ? -ENOMEM : era_mailbox_init(&d->box);
    if (rv != 0) {
        free(d->links);
        free(d);
        errno = -rv;
        return NULL;
    }
    rv = links_init(d);
    if (rv != 0) {
        era_link_driver_free(d);
        errno = -nng_errno(rv);
        return NULL;
    }
    return d;
}

static void link_release(struct link *l)
{
    if (l->stream != NULL)
        nng_stream_close(l->stream);
    op_release(&l->recv);
    op_release(&l->send);
    op_release(&l->timer);
    if (l->dial.aio != NULL)
        nng_aio_stop(l->dial.aio);
    /* A dial that succeeded, but whose mail was never taken. */
    if (l->dial.busy && nng_aio_result(l->dial.aio) == 0)
        l->stream = nng_aio_get_output(l->dial.aio, 0);
    op_release(&l->dial);
    if (l->dialer != NULL)
        nng_stream_dialer_free(l->dialer);
    if (l->stream != NULL)
        nng_stream_free(l->stream);
    free(l->in);
    era_link_queue_clear(&l->out);
}

static void listener_release(struct listener *s)
{
    nng_stream_listener_close(s->nng);
    nng_aio_stop(s->accept.aio);
    if (s->accept.busy && !s->resting && nng_aio_result(s->accept.aio) == 0)
        nng_stream_free(nng_aio_get_output(s->accept.aio, 0));
    op_release(&s->accept);
    nng_stream_listener_free(s->nng);
}

void era_link_driver_free(struct era_link_driver *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->listeners_count; i++)
        listener_release(&d->listeners[i]);
    for (size_t i = 0; i < d->slots; i++)
        link_release(&d->links[i]);
    era_mailbox_release(&d->box);
    free(d->links);
    free(d);
}

int era_link_driver_fd(const struct era_link_driver *d)
{
    return d->box.fd;
}

uint64_t era_link_driver_refused(const struct era_link_driver *d)
{
    return d->refused;
}

int era_link_driver_listen(struct era_link_driver *d, const char *address,
                           char bound[ERA_ADDRESS_BYTES_MAX + 1])
{
    int rv = address_check(address);
    if (rv != 0)
        return rv;
    if (d->listeners_count == ERA_LINK_LISTENERS_MAX)
        return -ENOSPC;
    struct listener *s = &d->listeners[d->listeners_count];
    *s = (struct listener){0};
    rv = nng_stream_listener_alloc(&s->nng, address);
    if (rv != 0)
        return nng_errno(rv);
    rv = nng_stream_listener_listen(s->nng);
    if (rv == 0)
        rv = op_init(&s->accept, d, OP_ACCEPT, s);
    if (rv != 0) {
        nng_stream_listener_free(s->nng);
        return nng_errno(rv);
    }
    nng_sockaddr sa = {0};
    if (nng_stream_listener_get_addr(s->nng, NNG_OPT_LOCADDR, &sa) != 0)
        sa.s_family = NNG_AF_UNSPEC;
    address_text(&sa, address, s->address);
    memcpy(bound, s->address, sizeof(s->address));
    d->listeners_count++;
    accept_start(s);
    return 0;
}

int era_link_driver_dial(struct era_link_driver *d, const char *address)
{
    nng_stream_dialer *dialer;
    int rv = address_check(address);
    if (rv != 0)
        return rv;
    if (d->free_first == NULL)
        return -EBUSY;
    rv = nng_stream_dialer_alloc(&dialer, address);
    if (rv != 0)
        return nng_errno(rv);
    struct link *l = link_new(d, true, address);
    l->state = LINK_DIALLING;
    l->dialer = dialer;
    l->dial.busy = true;
    nng_stream_dialer_dial(dialer, l->dial.aio);
    return 0;
}

void era_link_driver_send(struct era_link_driver *d, uint64_t link, struct era_bytes body)
{
    assert(body.len >= 1 && body.len <= ERA_FRAME_BYTES_MAX);
    struct link *l = link_find(d, link);
    if (l == NULL || l->state != LINK_OPEN || l->reason != 0)
        return;
    if (l->out.bytes + ERA_LINK_HEADER_BYTES + body.len > 2 * (size_t)ERA_LINK_OUT_BYTES_MAX) {
        link_shut(d, l, -ENOBUFS);
        return;
    }
    era_link_queue_push(&l->out, body);
    link_write(l);
}

void era_link_driver_close(struct era_link_driver *d, uint64_t link, bool flush)
{
    struct link *l = link_find(d, link);
    if (l == NULL || (l->state != LINK_OPEN && l->state != LINK_FLUSHING))
        return;
    /* Reading goes on, by link_next, so that the peer's end is noticed. */
    if (flush && l->state == LINK_OPEN && l->reason == 0) {
        l->state = LINK_FLUSHING;
        l->timer.busy = true;
        nng_sleep_aio(ERA_LINK_FLUSH_MS, l->timer.aio);
        link_make_ready(d, l);
    } else if (!flush || l->state == LINK_OPEN) {
        l->reason = 0;
        link_shut(d, l, 0);
    }
}

/* ---- events ---- */

static bool event_of(const struct link *l, enum era_link_event_kind kind, struct era_link_event *out)
{
    *out = (struct era_link_event){.kind = kind, .link = l->id, .outgoing = l->outgoing};
    memcpy(out->address, l->address, sizeof(out->address));
    return true;
}

/* An open link: UP, then SENT before FRAME, then read on. */
static bool link_next_open(struct era_link_driver *d, struct link *l, struct era_link_event *out)
{
    if (!l->told_up) {
        l->told_up = true;
        return event_of(l, ERA_LINK_UP, out);
    }
    if (l->sent > 0) {
        event_of(l, ERA_LINK_SENT, out);
        out->sent = l->sent;
        l->sent = 0;
        return true;
    }
    if (l->recv.busy)
        return false;
    ssize_t len = link_whole_frame(l);
    if (len > 0) {
        event_of(l, ERA_LINK_FRAME, out);
        out->bytes = (struct era_bytes){l->in + l->in_start + ERA_LINK_HEADER_BYTES, (size_t)len};
        d->lent = l;
        d->lent_bytes = ERA_LINK_HEADER_BYTES + (size_t)len;
        return true;
    }
    if (len < 0)
        link_shut(d, l, (int)len);
    else if (l->reason != 0)
        link_shut(d, l, l->reason);
    else
        link_read(l);
    return false;
}

static bool link_next(struct era_link_driver *d, struct link *l, struct era_link_event *out)
{
    switch (l->state) {
    case LINK_FREE:
    case LINK_DIALLING:
        return false;
    case LINK_OPEN:
        return link_next_open(d, l, out);
    case LINK_FLUSHING:
        if (!l->recv.busy)
            link_read(l);
        return false;
    case LINK_CLOSING:
        break;
    }
    if (link_busy(l))
        return false;
    event_of(l, l->told_up ? ERA_LINK_DOWN : ERA_LINK_DIAL_FAILED, out);
    out->reason = l->reason;
    if (!l->told_up)
        out->link = 0;
    link_recycle(d, l);
    return true;
}

bool era_link_driver_poll(struct era_link_driver *d, struct era_link_event *out)
{
    if (d->lent != NULL)
        d->lent->in_start += d->lent_bytes;
    d->lent = NULL;
    for (;;) {
        /* One mail, then one event of one link, in turn: no link starves another. */
        struct era_mail *mail = era_mailbox_take(&d->box);
        if (mail != NULL)
            op_done(d, (struct op *)mail);
        struct link *l = ready_take(d);
        if (l != NULL && link_next(d, l, out)) {
            if (l->state != LINK_FREE)
                link_make_ready(d, l);
            return true;
        }
        if (mail == NULL && l == NULL && era_mailbox_lower(&d->box))
            return false;
    }
}
