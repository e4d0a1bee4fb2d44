/* client: the other end of a local socket, for the CLI: blocking, each call
 * with a deadline. Inside src/ipc only. */
#ifndef ERA_IPC_CLIENT_H
#define ERA_IPC_CLIENT_H

#include "src/ipc/wire.h"

struct era_ipc_client {
    int fd;
    struct era_ipc_reader in;
};

/* A point on the monotonic clock; timeout_ms < 0: never. */
int64_t era_ipc_deadline(int timeout_ms);

/* Connect and greet. 0, or a negative errno: -ENOENT or -ECONNREFUSED no
 * daemon, -EACCES, -ETIMEDOUT, -ENAMETOOLONG, -EINVAL. Release after 0 only. */
int era_ipc_client_init(struct era_ipc_client *c, const char *path, uint16_t protocol, uint16_t peer,
                        size_t in_bytes_max, int64_t deadline);
void era_ipc_client_release(struct era_ipc_client *c);

/* One message of n parts. */
int era_ipc_client_send(struct era_ipc_client *c, const struct era_bytes *parts, size_t n, int64_t deadline);
/* The next message, borrowed until the next call. After -ETIMEDOUT it may be
 * called again; any other error ends the connection. */
int era_ipc_client_receive(struct era_ipc_client *c, struct era_bytes *out, int64_t deadline);

#endif
