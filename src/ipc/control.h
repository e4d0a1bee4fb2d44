/* control: requests and replies over STATE/control.sock, both ends. On the
 * wire it is NNG's req/rep over ipc, so a program with an NNG binding can ask
 * too. Bytes are opaque here; proto/control knows what they say.
 *
 * Invariants of the server:
 * - one thread, the owner's, calls everything; nothing blocks;
 * - a request is answered in any order and at any later time, so one that
 *   waits for a durable commit holds up no other. At most
 *   ERA_CONTROL_PENDING_MAX are unanswered; more wait in their sockets, and
 *   the fd is silent about them meanwhile;
 * - only the allowed uids are heard. Whoever else gets the refusal in band: an
 *   NNG client whose connection is just closed connects again for ever;
 * - a message above ERA_CONTROL_BYTES_MAX never gets memory: its connection is
 *   closed. So is one beyond ERA_CONTROL_CONNS_MAX. */
#ifndef ERA_IPC_CONTROL_H
#define ERA_IPC_CONTROL_H

#include "proto/limits.h"
#include "src/base/bytes.h"

#include <sys/types.h>

#define ERA_CONTROL_CONNS_MAX 128

struct era_control_server;

struct era_control_config {
    const char *path;         /* absolute, at most 107 bytes; made with mode 0600 */
    bool owns_state;          /* the caller holds the state lock: a stale socket may be removed */
    uid_t allowed_uids[2];    /* root and the daemon's own */
    struct era_bytes refusal; /* the reply for any other uid (status 77); copied */
};

/* 0 and *out, or a negative errno: -ENAMETOOLONG, -EADDRINUSE (a socket is
 * there and owns_state is false), -EEXIST (something that is no socket is
 * there), or what the system said. */
int era_control_server_new(const struct era_control_config *config, struct era_control_server **out);
/* Removes the socket; unanswered requests stay without a reply. NULL-safe. */
void era_control_server_free(struct era_control_server *s);
/* Readable while era_control_server_poll has something to do: also what waits
 * for a slow client is written there. Borrowed. */
int era_control_server_fd(const struct era_control_server *s);

/* Take one request. Its bytes live until the next poll; its id until it is answered. */
bool era_control_server_poll(struct era_control_server *s, uint64_t *request_id, struct era_bytes *bytes);
/* Answer a request, once. -EMSGSIZE above ERA_CONTROL_BYTES_MAX (not answered
 * then: answer again, with an error). 0 even if the client is gone, or does
 * not read its replies. */
int era_control_server_reply(struct era_control_server *s, uint64_t request_id, struct era_bytes bytes);

/* One request from a client, sent at most once. *reply is malloc'd, the caller
 * frees it. 0 or a negative errno: -ENOENT or -ECONNREFUSED no daemon,
 * -EACCES, -EMSGSIZE, -ENAMETOOLONG, -EPROTO what listens is no erad;
 * -ETIMEDOUT or -ECONNRESET (the daemon went away): whether the request was
 * carried out is then unknown. timeout_ms < 0: waits for ever. */
int era_control_call(const char *path, struct era_bytes request, int timeout_ms, uint8_t **reply,
                     size_t *reply_len);

#endif
