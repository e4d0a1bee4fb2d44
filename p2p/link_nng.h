/* link_nng: the driver of links. Moves frames over NNG streams (tcp and ipc),
 * each through a channel (p2p/channel.h): encrypted, the other end's key proven.
 * Knows nothing of what frames say, nor whether it should trust that key.
 *
 * Strangers: streams that have not proven a key yet are capped in all and by
 * address, have ERA_HANDSHAKE_MS, hold a kilobyte each, and are worth no DH
 * before their preamble is right and it is their turn (p2p/link_gate.h). Whatever
 * ends by the other end's fault is counted by its verdict.
 *
 * Threads: NNG's callbacks only post to one mailbox. Every function here is
 * called by one thread, the owner's, and never blocks on a peer. Poll
 * era_link_driver_fd for readability, then take events with era_link_driver_poll.
 *
 * Invariants:
 * - an UP is followed by exactly one DOWN, whoever closed; nothing of a link
 *   comes after its DOWN, and only DOWN after era_link_driver_close;
 * - reading: a link holds one buffer, of what the frame and record under way need, at most one largest
 *   frame and one largest record. More is read only when the owner has taken every whole frame in it, so a
 * slow owner slows its peer down (back-pressure) and costs no memory;
 * - writing: above 2 * ERA_LINK_OUT_BYTES_MAX of waiting bytes the link is
 *   closed. The owner's own accounting, by SENT, stops it long before;
 * - a program must not fork without exec once a driver exists. */
#ifndef ERA_P2P_LINK_NNG_H
#define ERA_P2P_LINK_NNG_H

#include "p2p/channel.h"

#define ERA_LINK_DIAL_MS        5000          /* name resolution and connection */
#define ERA_LINK_FLUSH_MS       1000          /* what a flushing close may take */
#define ERA_LINK_LISTENERS_MAX  8             /* addresses of erad.conf's listen[] */
#define ERA_LINK_DIALS_MAX      ERA_PEERS_MAX /* links kept free for dialling when strangers fill the rest */
#define ERA_LINK_PATH_BYTES_MAX 107           /* sun_path without its NUL */

enum era_link_event_kind {
    ERA_LINK_UP,          /* link, outgoing, address, peer */
    ERA_LINK_DIAL_FAILED, /* address as dialled, verdict, reason: no connection, or no handshake */
    ERA_LINK_REFUSED,     /* address, verdict, reason: an accepted stream that never was a link */
    ERA_LINK_FRAME,       /* link, bytes: one frame body */
    ERA_LINK_SENT,        /* link, sent: body bytes of frames that wholly reached the socket */
    ERA_LINK_DOWN         /* link, verdict, reason */
};

struct era_link_event {
    enum era_link_event_kind kind;
    uint64_t link; /* never used twice; 0 of DIAL_FAILED and REFUSED */
    bool outgoing;
    /* As dialled; of an accepted link tcp://ip:port of the peer, or the ipc:// address it came by. */
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    /* Of UP, dialled over tcp: the address that it led to, tcp://ip:port, also when a host name was dialled;
     * else
     * "". */
    char found[ERA_ADDRESS_BYTES_MAX + 1];
    uint8_t peer[ERA_KEY_BYTES]; /* of UP: what the other end proved */
    struct era_bytes bytes;      /* borrowed until the next era_link_driver_poll */
    size_t sent;
    /* What the other end did wrong: WRONG_NETWORK, NO_COMMON_PROTOCOL, NOT_AUTHENTIC, MALFORMED, OVERSIZED,
     * TRUNCATED (the stream ended inside something), TIMEOUT (no handshake in time,
     * or the rest of a frame while ERA_LINKS_IN_BYTES_MAX wait for theirs). TOO_MANY_LINKS: another
     * stranger took its place. ACCEPTED: nothing. */
    enum era_verdict verdict;
    /* 0: the owner closed it. Otherwise a negative errno: -ECONNRESET the peer
     * closed, -EBADMSG see verdict, -ENOBUFS too much waits to be written, or
     * what the system said. */
    int reason;
};

/* Since the driver began. */
struct era_link_counts {
    uint64_t up;
    /* Ended by the other end's fault, links and streams that never were one; those that were screened out;
     * TOO_MANY_LINKS: also closed at accept for want of room, or to make room. */
    uint64_t ended[ERA_VERDICT_COUNT];
};

/* Is a connection from there worth a handshake? ACCEPTED, or why it is closed at once. */
typedef enum era_verdict era_link_screen(void *ctx, const char *address);

struct era_link_driver;

/* links_max: how many links and strangers accepting may fill (1 to 4 * ERA_LINKS_MAX); above it a
 * connection is accepted and closed at once, without any state. Above ERA_HANDSHAKES_MAX and
 * ERA_HANDSHAKES_PER_ADDRESS_MAX one stranger gives way to another. Dialling may
 * use ERA_LINK_DIALS_MAX more. config is copied. NULL, errno set, when the
 * system has no file descriptor or memory left. */
struct era_link_driver *era_link_driver_new(size_t links_max, const struct era_channel_config *config);
/* Closes everything at once and waits for NNG's callbacks to end. NULL-safe. */
void era_link_driver_free(struct era_link_driver *d);
/* Readable while era_link_driver_poll may have an event. Borrowed. */
int era_link_driver_fd(const struct era_link_driver *d);

/* Accept on tcp://host:port (port 0: any free one) or ipc:///path. bound is
 * the address with its real port. 0 or a negative errno; -EINVAL for another
 * scheme, -ENAMETOOLONG for a path of more than ERA_LINK_PATH_BYTES_MAX. */
int era_link_driver_listen(struct era_link_driver *d, const char *address,
                           char bound[ERA_ADDRESS_BYTES_MAX + 1]);

/* Ask that of every connection from now on, at accept, before anything is made for it. Who is screened out
 * is counted, hears nothing, and makes no event. */
void era_link_driver_screen(struct era_link_driver *d, era_link_screen *screen, void *ctx);

/* Dial. 0: exactly one UP or DIAL_FAILED of this address follows, within
 * ERA_LINK_DIAL_MS and ERA_HANDSHAKE_MS. A negative errno (-EINVAL, -ENAMETOOLONG as above, -EBUSY
 * no room): nothing follows. */
int era_link_driver_dial(struct era_link_driver *d, const char *address);

/* Queue a copy of one frame body of 1 to ERA_FRAME_BYTES_MAX bytes. Ignored
 * when the link is down or closing: its DOWN comes, or has come. */
void era_link_driver_send(struct era_link_driver *d, uint64_t link, struct era_bytes body);

/* From its next event on, whether what came on it is told before what came on others, seven times of eight.
 * At first it is not. Ignored when the link is down. */
void era_link_driver_favour(struct era_link_driver *d, uint64_t link, bool favoured);

/* Read no more of it for so long, about, nor tell what was read: what it sends waits in its own system. That
 * its end has come is then noticed late, too. Again: from now on. Ignored when the link is down. */
void era_link_driver_rest(struct era_link_driver *d, uint64_t link, uint64_t ms);

/* Close; DOWN with reason 0 follows. With flush, what is queued is written
 * first, and the peer gets the rest of ERA_LINK_FLUSH_MS to read it and close
 * from its side: NNG drops what a reader has not yet read when its peer hangs
 * up, so a last word would often be lost. */
void era_link_driver_close(struct era_link_driver *d, uint64_t link, bool flush);

/* Take one event. False, and the fd silent, when there is none. */
bool era_link_driver_poll(struct era_link_driver *d, struct era_link_event *out);

/* Borrowed. */
const struct era_link_counts *era_link_driver_counts(const struct era_link_driver *d);

#endif
