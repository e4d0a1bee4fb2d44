#include "p2p/link_internal.h"

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <nng/supplemental/util/platform.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define ACCEPT_RETRY_MS 100 /* after the system refused an accept (no descriptors left) */
#define ACCEPT_REST_MS  25  /* after too many */
#define CLOCK_MS        100 /* between two looks at who is late */
#define SLOT_BITS       16  /* of a link id; the rest counts up */
#define FAVOURS         8   /* one turn of so many is not a favoured link's, if others wait */
#define MAILS           64  /* taken before a link's turn: else each would wait behind a frame of another */
#define USED_MANY       32  /* links, that they are worth a walk through the heap when they end */

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

/* ---- the ready lists: of favoured links, and of the others ----
 * era_link_driver_poll lowers the fd only when both are empty. A link that is not
 * on one has a busy operation, whose mail raises the fd again. */

void era_link_make_ready(struct era_link_driver *d, struct link *l)
{
    if (l->ready)
        return;
    struct ready_list *list = &d->lists[l->favoured];
    l->ready = true;
    l->next = NULL;
    if (list->last != NULL)
        list->last->next = l;
    else
        list->first = l;
    list->last = l;
}

static struct link *ready_take(struct era_link_driver *d)
{
    bool favoured = d->lists[true].first != NULL;
    if (favoured && d->lists[false].first != NULL && ++d->favours % FAVOURS == 0)
        favoured = false;
    struct ready_list *list = &d->lists[favoured];
    struct link *l = list->first;
    if (l == NULL)
        return NULL;
    list->first = l->next;
    if (list->first == NULL)
        list->last = NULL;
    l->ready = false;
    return l;
}

/* ---- a link's life ---- */

/* Its operations are made once, and used again by all links that have this place. */
static int link_make(struct era_link_driver *d, struct link *l)
{
    int rv = op_init(&l->dial, d, OP_DIAL, l);
    if (rv == 0)
        rv = op_init(&l->recv, d, OP_RECV, l);
    if (rv == 0)
        rv = op_init(&l->send, d, OP_SEND, l);
    if (rv == 0)
        rv = nng_aio_alloc(&l->attempt, NULL, NULL);
    if (rv == 0)
        nng_aio_set_timeout(l->dial.aio, ERA_LINK_DIAL_MS);
    return rv;
}

static bool has_slot(const struct era_link_driver *d)
{
    return d->free_first != NULL || d->made < d->slots;
}

static struct link *link_new(struct era_link_driver *d, bool outgoing, const char *address)
{
    if (!has_slot(d) || (!outgoing && d->used >= d->links_max))
        return NULL;
    struct link *l = d->free_first;
    if (l != NULL) {
        d->free_first = l->next;
    } else {
        l = &d->links[d->made++];
        int rv = link_make(d, l);
        assert(rv == 0);
    }
    d->used++;
    l->id = ++d->generation << SLOT_BITS | (uint64_t)(l - d->links);
    l->outgoing = outgoing;
    l->told_up = l->favoured = false;
    l->verdict = ERA_ACCEPTED;
    l->reason = 0;
    l->sent = 0;
    l->due_ms = LINK_NEVER;
    era_text_set(l->address, sizeof(l->address), address);
    return l;
}

static struct link *link_find(struct era_link_driver *d, uint64_t id)
{
    uint64_t slot = id & (((uint64_t)1 << SLOT_BITS) - 1);
    return id != 0 && slot < d->slots && d->links[slot].id == id ? &d->links[slot] : NULL;
}

static bool link_busy(const struct link *l)
{
    return l->dial.busy || l->recv.busy || l->send.busy;
}

/* After a siege the heap is large and mostly holes: three quarters of the links went, so may its pages. */
static void give_back(struct era_link_driver *d)
{
    if (d->used > d->used_most)
        d->used_most = d->used;
    if (d->used_most < USED_MANY || d->used > d->used_most / 4)
        return;
    d->used_most = d->used;
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

static void link_recycle(struct era_link_driver *d, struct link *l)
{
    assert(!link_busy(l) && !l->ready);
    era_link_stream_clear(l);
    l->id = 0;
    l->state = LINK_FREE;
    l->next = d->free_first;
    d->free_first = l;
    give_back(d);
    d->used--;
}

void era_link_shut(struct era_link_driver *d, struct link *l, enum era_verdict verdict, int reason)
{
    if (l->state == LINK_CLOSING)
        return;
    if (l->state != LINK_FLUSHING) { /* then it was said before */
        l->verdict = verdict;
        l->reason = reason;
    }
    era_link_gate_leave(d, l);
    era_link_stream_uncount(d, l);
    era_link_untime(d, l);
    l->state = LINK_CLOSING;
    if (l->stream != NULL)
        nng_stream_close(l->stream);
    era_link_make_ready(d, l);
}

/* ---- time: one sleep for all links; NNG walks through all that sleep whenever one wakes ---- */

static void clock_run(struct era_link_driver *d)
{
    if (d->timed == 0 || d->clock.busy)
        return;
    d->clock.busy = true;
    nng_sleep_aio(CLOCK_MS, d->clock.aio);
}

void era_link_time(struct era_link_driver *d, struct link *l, uint64_t ms)
{
    d->timed += l->due_ms == LINK_NEVER;
    l->due_ms = nng_clock() + ms;
    clock_run(d);
}

void era_link_untime(struct era_link_driver *d, struct link *l)
{
    d->timed -= l->due_ms != LINK_NEVER;
    l->due_ms = LINK_NEVER;
}

static void clock_done(struct era_link_driver *d)
{
    uint64_t now_ms = nng_clock();
    for (size_t i = 0; i < d->made; i++) {
        struct link *l = &d->links[i];
        if (l->due_ms > now_ms)
            continue;
        era_link_untime(d, l);
        era_link_stream_due(d, l);
    }
    clock_run(d);
}

/* ---- what came back from NNG, on the owner's thread ---- */

static void accept_later(struct listener *s, nng_duration ms)
{
    s->resting = true;
    s->accept.busy = true;
    nng_sleep_aio(ms, s->accept.aio);
}

static void accept_start(struct era_link_driver *d, struct listener *s)
{
    if (!era_link_gate_opens(&d->gate)) {
        accept_later(s, ACCEPT_REST_MS);
        return;
    }
    s->resting = false;
    s->accept.busy = true;
    nng_stream_listener_accept(s->nng, s->accept.aio);
}

/* One that is on its way out goes at once: its last word is worth less than a place. */
static void hurry_one_out(struct era_link_driver *d)
{
    struct link *oldest = NULL;
    for (size_t i = 0; i < d->made; i++) {
        struct link *l = &d->links[i];
        if (l->state == LINK_FLUSHING && !l->outgoing &&
            (oldest == NULL || l->id >> SLOT_BITS < oldest->id >> SLOT_BITS))
            oldest = l;
    }
    if (oldest != NULL)
        era_link_shut(d, oldest, ERA_ACCEPTED, 0);
}

static enum era_verdict let_in(struct era_link_driver *d, nng_stream *stream, const nng_sockaddr *sa,
                               const char *address)
{
    struct era_link_host host = era_link_host(sa);
    struct link *l = era_link_gate_admit(d, &host) ? link_new(d, false, address) : NULL;
    if (l == NULL) {
        hurry_one_out(d);
        return ERA_TOO_MANY_LINKS;
    }
    l->host = host;
    era_link_gate_enter(d, l);
    era_link_stream_open(d, l, stream);
    return ERA_ACCEPTED;
}

static void accept_done(struct era_link_driver *d, struct listener *s, int rv)
{
    if (s->resting) {
        accept_start(d, s);
        return;
    }
    if (rv != 0) {
        accept_later(s, ACCEPT_RETRY_MS);
        return;
    }
    nng_stream *stream = nng_aio_get_output(s->accept.aio, 0);
    nng_sockaddr sa = {0};
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    if (nng_stream_get_addr(stream, NNG_OPT_REMADDR, &sa) != 0)
        sa.s_family = NNG_AF_UNSPEC;
    era_link_address_text(&sa, s->address, address);
    enum era_verdict verdict = d->screen != NULL ? d->screen(d->screen_ctx, address) : ERA_ACCEPTED;
    era_link_gate_took(&d->gate, verdict == ERA_ACCEPTED);
    if (verdict == ERA_ACCEPTED)
        verdict = let_in(d, stream, &sa, address);
    if (verdict != ERA_ACCEPTED) {
        d->counts.ended[verdict]++;
        nng_stream_free(stream);
    }
    accept_start(d, s);
}

static void dial_done(struct era_link_driver *d, struct link *l, int rv)
{
    if (rv == 0) {
        era_link_stream_open(d, l, nng_aio_get_output(l->dial.aio, 0));
    } else {
        era_link_shut(d, l, ERA_ACCEPTED, era_link_errno(rv));
    }
    nng_stream_dialer_free(l->dialer);
    l->dialer = NULL;
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
        era_link_stream_received(d, op->of, rv);
        return;
    case OP_SEND:
        era_link_stream_sent(d, op->of, rv);
        return;
    case OP_CLOCK:
        clock_done(d);
        return;
    case OP_PACE:
        era_link_gate_serve(d);
        return;
    }
}

/* ---- what the owner asks ---- */

struct era_link_driver *era_link_driver_new(size_t links_max, const struct era_channel_config *config)
{
    assert(links_max >= 1 && links_max <= (size_t)4 * ERA_LINKS_MAX);
    struct era_link_driver *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return NULL;
    d->config = *config;
    d->links_max = links_max;
    d->slots = links_max + ERA_LINK_DIALS_MAX;
    d->links = calloc(d->slots, sizeof(*d->links));
    d->sink = malloc(LINK_SINK_BYTES);
    int rv = d->links == NULL || d->sink == NULL ? -ENOMEM : era_mailbox_init(&d->box);
    if (rv != 0) {
        free(d->sink);
        free(d->links);
        free(d);
        errno = -rv;
        return NULL;
    }
    era_link_gate_init(&d->gate);
    rv = op_init(&d->pace, d, OP_PACE, NULL);
    if (rv == 0)
        rv = op_init(&d->clock, d, OP_CLOCK, NULL);
    if (rv != 0) {
        era_link_driver_free(d);
        errno = -era_link_errno(rv);
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
    nng_aio_free(l->attempt);
    if (l->dial.aio != NULL)
        nng_aio_stop(l->dial.aio);
    /* A dial that succeeded, but whose mail was never taken. */
    if (l->dial.busy && nng_aio_result(l->dial.aio) == 0)
        l->stream = nng_aio_get_output(l->dial.aio, 0);
    op_release(&l->dial);
    if (l->dialer != NULL)
        nng_stream_dialer_free(l->dialer);
    era_link_stream_clear(l);
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
    op_release(&d->pace);
    op_release(&d->clock);
    for (size_t i = 0; i < d->made; i++)
        link_release(&d->links[i]);
    era_mailbox_release(&d->box);
    free(d->sink);
    free(d->links);
    sodium_memzero(&d->config, sizeof(d->config));
    free(d);
}

int era_link_driver_fd(const struct era_link_driver *d)
{
    return d->box.fd;
}

const struct era_link_counts *era_link_driver_counts(const struct era_link_driver *d)
{
    return &d->counts;
}

int era_link_driver_listen(struct era_link_driver *d, const char *address,
                           char bound[ERA_ADDRESS_BYTES_MAX + 1])
{
    int rv = era_link_address_check(address);
    if (rv != 0)
        return rv;
    if (d->listeners_count == ERA_LINK_LISTENERS_MAX)
        return -ENOSPC;
    struct listener *s = &d->listeners[d->listeners_count];
    *s = (struct listener){0};
    rv = nng_stream_listener_alloc(&s->nng, address);
    if (rv != 0)
        return era_link_errno(rv);
    (void)nng_stream_listener_set_bool(s->nng, NNG_OPT_TCP_NODELAY, true); /* see era_link_driver_dial */
    rv = nng_stream_listener_listen(s->nng);
    if (rv == 0)
        rv = op_init(&s->accept, d, OP_ACCEPT, s);
    if (rv != 0) {
        nng_stream_listener_free(s->nng);
        return era_link_errno(rv);
    }
    nng_sockaddr sa = {0};
    if (nng_stream_listener_get_addr(s->nng, NNG_OPT_LOCADDR, &sa) != 0)
        sa.s_family = NNG_AF_UNSPEC;
    era_link_address_text(&sa, address, s->address);
    memcpy(bound, s->address, sizeof(s->address));
    d->listeners_count++;
    accept_start(d, s);
    return 0;
}

void era_link_driver_screen(struct era_link_driver *d, era_link_screen *screen, void *ctx)
{
    d->screen = screen;
    d->screen_ctx = ctx;
}

int era_link_driver_dial(struct era_link_driver *d, const char *address)
{
    nng_stream_dialer *dialer;
    int rv = era_link_address_check(address);
    if (rv != 0)
        return rv;
    if (!has_slot(d))
        return -EBUSY;
    rv = nng_stream_dialer_alloc(&dialer, address);
    if (rv != 0)
        return era_link_errno(rv);
    /* NNG's streams begin with Nagle's algorithm: what follows a frame would wait 40 ms for the peer's ack.
     */
    (void)nng_stream_dialer_set_bool(dialer, NNG_OPT_TCP_NODELAY, true); /* ipc has no such option */
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
        era_link_shut(d, l, ERA_ACCEPTED, -ENOBUFS);
        return;
    }
    era_link_queue_push(&l->out, body);
    era_link_stream_write(d, l);
}

void era_link_driver_favour(struct era_link_driver *d, uint64_t link, bool favoured)
{
    struct link *l = link_find(d, link);
    if (l != NULL)
        l->favoured = favoured;
}

void era_link_driver_rest(struct era_link_driver *d, uint64_t link, uint64_t ms)
{
    struct link *l = link_find(d, link);
    if (l != NULL && l->state == LINK_OPEN && l->told_up)
        era_link_time(d, l, ms);
}

void era_link_driver_close(struct era_link_driver *d, uint64_t link, bool flush)
{
    struct link *l = link_find(d, link);
    if (l == NULL || (l->state != LINK_OPEN && l->state != LINK_FLUSHING))
        return;
    /* Reading goes on, by link_next, so that the peer's end is noticed. */
    if (flush && l->state == LINK_OPEN && l->reason == 0 && l->channel.state == ERA_CHANNEL_OPEN)
        era_link_stream_flush(d, l);
    else if (!flush || l->state == LINK_OPEN)
        era_link_shut(d, l, ERA_ACCEPTED, 0);
}

/* ---- events ---- */

static bool event_of(const struct link *l, enum era_link_event_kind kind, struct era_link_event *out)
{
    *out = (struct era_link_event){.kind = kind, .link = l->id, .outgoing = l->outgoing};
    memcpy(out->address, l->address, sizeof(out->address));
    return true;
}

/* Where a dial led to. */
static void found_at(const struct link *l, char out[ERA_ADDRESS_BYTES_MAX + 1])
{
    nng_sockaddr sa = {0};
    if (l->outgoing && nng_stream_get_addr(l->stream, NNG_OPT_REMADDR, &sa) == 0)
        era_link_address_text(&sa, "", out);
}

/* An open link: UP, then SENT before FRAME, then read on. */
static bool link_next_open(struct era_link_driver *d, struct link *l, struct era_link_event *out)
{
    if (!l->told_up) {
        era_link_gate_leave(d, l);
        era_link_untime(d, l);
        l->told_up = true;
        l->fed = ++d->frames;
        d->counts.up++;
        event_of(l, ERA_LINK_UP, out);
        found_at(l, out->found);
        memcpy(out->peer, l->channel.peer, sizeof(out->peer));
        return true;
    }
    if (l->sent > 0) {
        event_of(l, ERA_LINK_SENT, out);
        out->sent = l->sent;
        l->sent = 0;
        return true;
    }
    if (l->recv.busy)
        return false;
    if (l->due_ms != LINK_NEVER && l->reason == 0) {
        era_link_stream_rest(d, l);
        return false;
    }
    struct era_bytes body;
    if (era_channel_next(&l->channel, &body)) {
        event_of(l, ERA_LINK_FRAME, out);
        l->fed = ++d->frames;
        out->bytes = body;
        return true;
    }
    if (l->channel.state == ERA_CHANNEL_FAILED)
        era_link_shut(d, l, l->channel.verdict, -EBADMSG);
    else if (l->reason != 0)
        era_link_shut(d, l, ERA_ACCEPTED, l->reason);
    else
        era_link_stream_read(d, l);
    return false;
}

/* The last word on a link, or on a stream that never became one. */
static bool link_end(struct era_link_driver *d, struct link *l, struct era_link_event *out)
{
    event_of(l, l->told_up ? ERA_LINK_DOWN : l->outgoing ? ERA_LINK_DIAL_FAILED : ERA_LINK_REFUSED, out);
    out->verdict = l->verdict;
    out->reason = l->reason;
    if (!l->told_up) {
        out->link = 0;
        if (!l->outgoing && l->verdict == ERA_ACCEPTED)
            out->verdict = ERA_TRUNCATED; /* it left in the middle of the handshake */
    }
    if (out->verdict != ERA_ACCEPTED) {
        d->counts.ended[out->verdict]++;
        out->reason = l->reason == 0 ? -EBADMSG : l->reason;
    }
    link_recycle(d, l);
    return true;
}

static bool link_next(struct era_link_driver *d, struct link *l, struct era_link_event *out)
{
    switch (l->state) {
    case LINK_FREE:
    case LINK_DIALLING:
        return false;
    case LINK_HANDSHAKE:
        return era_link_stream_shake(d, l) && link_next_open(d, l, out);
    case LINK_OPEN:
        return link_next_open(d, l, out);
    case LINK_FLUSHING:
        if (!l->recv.busy)
            era_link_stream_read(d, l);
        return false;
    case LINK_CLOSING:
        break;
    }
    if (link_busy(l))
        return false;
    return link_end(d, l, out);
}

bool era_link_driver_poll(struct era_link_driver *d, struct era_link_event *out)
{
    for (;;) {
        /* Some mail, then one event of one link, in turn: no link starves another. */
        struct era_mail *mail = NULL;
        for (int i = 0; i < MAILS && (mail = era_mailbox_take(&d->box)) != NULL; i++)
            op_done(d, (struct op *)mail);
        struct link *l = ready_take(d);
        if (l != NULL && link_next(d, l, out)) {
            if (l->state != LINK_FREE)
                era_link_make_ready(d, l);
            return true;
        }
        if (mail == NULL && l == NULL && era_mailbox_lower(&d->box))
            return false;
    }
}
