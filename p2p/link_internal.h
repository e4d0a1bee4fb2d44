/* link_internal: what the files of the link driver share. Nobody else includes it.
 *   link_nng.c      listeners, dials, the life of links, events
 *   link_gate.c     strangers: places for them, and whose turn it is
 *   link_stream.c   one stream: its handshake, what is read and written through its channel
 * All of it runs on the owner's thread; NNG's threads only post mail. */
#ifndef ERA_P2P_LINK_INTERNAL_H
#define ERA_P2P_LINK_INTERNAL_H

#include "p2p/channel.h"
#include "p2p/link_address.h"
#include "p2p/link_gate.h"
#include "p2p/link_mailbox.h"
#include "p2p/link_nng.h"
#include "p2p/link_queue.h"

#define LINK_SINK_BYTES ((size_t)65536)
#define LINK_NEVER      UINT64_MAX

enum op_kind { OP_ACCEPT, OP_DIAL, OP_RECV, OP_SEND, OP_CLOCK, OP_PACE };

/* One asynchronous operation of NNG. busy from its start until its mail is
 * taken, so nothing it uses may go while it is busy. */
struct op {
    struct era_mail mail; /* first: a mail is its op */
    enum op_kind kind;
    bool busy;
    struct era_mailbox *box;
    void *of; /* struct listener of an accept, NULL of the clock and the pace, otherwise struct link */
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
    LINK_HANDSHAKE,
    LINK_OPEN,
    LINK_FLUSHING, /* closed by the owner or for its peer's fault; writing, input is thrown away */
    LINK_CLOSING   /* stream closed; waiting until no op is busy */
};

struct link {
    uint64_t id; /* 0 while free */
    enum link_state state;
    bool outgoing, told_up, ready;
    struct link *next;        /* in the ready list or the free list */
    enum era_verdict verdict; /* why it closes, when its peer is at fault */
    int reason;               /* why it closes; while open, what a write met */
    struct op dial, recv, send;
    nng_aio *attempt; /* of a write that is done at once or does not begin: it calls nobody back */
    uint64_t due_ms;  /* when its handshake, or its flush, is given up; once told UP: until then it rests;
                       * LINK_NEVER: it has time */
    nng_stream_dialer *dialer;
    nng_stream *stream;
    struct era_channel channel;
    struct era_link_queue out;
    uint8_t *wire; /* bytes being written, owned; NULL: none */
    size_t wire_len, wire_done;
    size_t wire_sent; /* body bytes of frames that are complete with it */
    size_t sent;      /* not told yet */
    struct era_link_host host;
    size_t in_counted; /* of in_bytes */
    uint64_t fed;      /* frames, when its last one was whole */
    bool favoured;
    bool stranger, waits; /* see link_gate.h, with these: */
    uint8_t rows[ERA_LINK_GATE_LEVELS];
    size_t stranger_at;
    uint64_t entered;
    char address[ERA_ADDRESS_BYTES_MAX + 1];
};

struct ready_list {
    struct link *first, *last;
};

struct era_link_driver {
    struct era_channel_config config;
    struct era_mailbox box;
    size_t links_max, slots, made, used; /* made: slots that were ever used, the first ones */
    size_t used_most;                    /* since memory was given back last */
    size_t in_bytes;                     /* of frames that are not whole */
    uint64_t frames;                     /* taken so far */
    uint64_t generation;
    struct era_link_counts counts;
    struct era_link_gate gate;
    era_link_screen *screen; /* NULL: everybody may try */
    void *screen_ctx;
    struct op pace, clock;
    size_t timed;       /* links that are due some time; while there are any, the clock runs */
    struct link *links; /* slots of them */
    uint8_t *sink;      /* LINK_SINK_BYTES: where links that flush read to, all of them */
    struct link *free_first;
    struct ready_list lists[2]; /* links that may have an event: the others, the favoured */
    unsigned favours;
    struct listener listeners[ERA_LINK_LISTENERS_MAX];
    size_t listeners_count;
};

/* ---- link_nng.c ---- */
/* Put it on the list of links that may have an event. */
void era_link_make_ready(struct era_link_driver *d, struct link *l);
/* Close the stream; its busy operations come back at once, then DOWN, DIAL_FAILED or REFUSED is told. */
void era_link_shut(struct era_link_driver *d, struct link *l, enum era_verdict verdict, int reason);

/* It has so long from now, about. */
void era_link_time(struct era_link_driver *d, struct link *l, uint64_t ms);
/* It has done in time what it had to. */
void era_link_untime(struct era_link_driver *d, struct link *l);

/* ---- link_stream.c ---- */
/* The stream is there: the handshake begins, and its time. */
void era_link_stream_open(struct era_link_driver *d, struct link *l, nng_stream *stream);
/* Write what waits, unless a write is under way: all that the system takes at once, the rest by an operation.
 * True: some of it was handed over now, or is under way. */
bool era_link_stream_write(struct era_link_driver *d, struct link *l);
void era_link_stream_read(struct era_link_driver *d, struct link *l);
/* What it holds of a frame that is not whole counts no more. */
void era_link_stream_uncount(struct era_link_driver *d, struct link *l);
/* Nothing is read of it for a while: what room it does not need is given back. */
void era_link_stream_rest(struct era_link_driver *d, struct link *l);
/* Let what is queued be written, for ERA_LINK_FLUSH_MS. */
void era_link_stream_flush(struct era_link_driver *d, struct link *l);
/* Moves the handshake on; true when it is done, the link OPEN. */
bool era_link_stream_shake(struct era_link_driver *d, struct link *l);
/* An operation came back with that result of NNG's. */
void era_link_stream_received(struct era_link_driver *d, struct link *l, int rv);
void era_link_stream_sent(struct era_link_driver *d, struct link *l, int rv);
/* Its time is over. */
void era_link_stream_due(struct era_link_driver *d, struct link *l);
/* Frees what belongs to the stream, itself included. No operation may be busy. */
void era_link_stream_clear(struct link *l);

#endif
