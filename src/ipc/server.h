/* server: one listening local socket and its connections, for control and
 * signal. Moves messages, knows nothing of what they say. One thread, never
 * blocks. Inside src/ipc only.
 *
 * Invariants: at most conns_max connections (one more is closed at once); a
 * message is limited before it gets memory; what waits for a slow reader is
 * limited in messages and bytes, what exceeds it is dropped. */
#ifndef ERA_IPC_SERVER_H
#define ERA_IPC_SERVER_H

#include "src/base/bytes.h"

#include <sys/types.h>

struct era_ipc_server;

struct era_ipc_server_config {
    const char *path;
    bool owns_state;         /* see era_control_config */
    uint16_t protocol, peer; /* ERA_IPC_… */
    size_t conns_max;        /* 1 to 255 */
    size_t in_bytes_max;     /* of one message; 0: a peer that says anything is cut off */
    size_t out_bytes_max;    /* waiting for one connection */
    size_t out_messages_max;
};

/* Errors as of era_control_server_new. */
int era_ipc_server_new(const struct era_ipc_server_config *config, struct era_ipc_server **out);
void era_ipc_server_free(struct era_ipc_server *s); /* NULL-safe */
int era_ipc_server_fd(const struct era_ipc_server *s);

struct era_ipc_message {
    uint64_t conn;
    uid_t uid;              /* of the process that connected */
    struct era_bytes bytes; /* borrowed until the next poll */
};

/* Does what waits: accepts, reads, writes. True: one message. False: nothing is left. */
bool era_ipc_server_poll(struct era_ipc_server *s, struct era_ipc_message *out);
/* While paused no message is read, and the fd is silent about them. */
void era_ipc_server_pause(struct era_ipc_server *s, bool paused);

/* Queue one message, made of n parts. 0; -ENOTCONN it is gone; -ENOBUFS or
 * -ENOMEM no room: dropped. */
int era_ipc_server_send(struct era_ipc_server *s, uint64_t conn, const struct era_bytes *parts, size_t n);
/* To all connections that have greeted. */
void era_ipc_server_send_all(struct era_ipc_server *s, const struct era_bytes *parts, size_t n);
void era_ipc_server_drop(struct era_ipc_server *s, uint64_t conn);
/* Connections that have greeted. */
size_t era_ipc_server_peers(const struct era_ipc_server *s);

#endif
