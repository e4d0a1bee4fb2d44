/* wire: NNG's protocol over a local stream socket, spoken without NNG. Any
 * NNG program is a peer (req to our rep, sub to our pub, and the other way
 * round); the tests hold both ends against the real library.
 *
 * Why not NNG's own sockets: in 1.5.2 (Debian 12) a peer that goes away in the
 * middle of a message can leave the one thread that frees connections waiting
 * for ever, in the whole process; from then on every connection leaks a file
 * descriptor, gossip's too, and nng_close never returns (its issue #1543).
 *
 * A stream begins with a greeting of each side: 0 'S' 'P' 0, protocol (16
 * bits), 0 0. A message is the byte 1, its length (64 bits), its payload;
 * numbers are big-endian. Inside src/ipc only. */
#ifndef ERA_IPC_WIRE_H
#define ERA_IPC_WIRE_H

#include "src/base/bytes.h"

#include <sys/un.h>

#define ERA_IPC_PUB 0x20
#define ERA_IPC_SUB 0x21
#define ERA_IPC_REQ 0x30
#define ERA_IPC_REP 0x31

#define ERA_IPC_GREETING_BYTES 8
#define ERA_IPC_HEADER_BYTES   9
#define ERA_IPC_PATH_BYTES_MAX 107 /* sun_path without its NUL */

/* -ENAMETOOLONG when the path does not fit; -EINVAL when it is not absolute. */
int era_ipc_address(const char *path, struct sockaddr_un *out);

void era_ipc_greeting(uint16_t protocol, uint8_t out[ERA_IPC_GREETING_BYTES]);
void era_ipc_header(size_t payload_len, uint8_t out[ERA_IPC_HEADER_BYTES]);

/* Reads one message after another off a socket that never blocks it. */
struct era_ipc_reader {
    uint16_t peer;    /* the protocol its greeting must name */
    size_t bytes_max; /* of a payload; checked before memory is taken */
    bool greeted;
    uint8_t head[ERA_IPC_HEADER_BYTES];
    size_t have;   /* bytes of head, then of body */
    uint8_t *body; /* NULL while the head is incomplete */
    size_t len;
};

/* 1: a whole message is in body and len, until era_ipc_reader_next. 0: more
 * must come first. A negative errno ends the stream: -ECONNRESET it was
 * closed, -EPROTO no or another protocol, -EMSGSIZE, -ENOMEM. */
int era_ipc_read(struct era_ipc_reader *r, int fd);
void era_ipc_reader_next(struct era_ipc_reader *r);

#endif
