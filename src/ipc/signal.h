/* signal: what happens, told to whoever listens: STATE/signal.sock, both ends.
 * On the wire it is NNG's pub/sub over ipc, so any language with an NNG
 * binding can follow. A message is its topic, a newline and one JSON object;
 * the topic comes first, so that a subscriber's prefix selects.
 *
 * Signals are hints, not a log: who does not read loses what exceeds
 * ERA_SIGNAL_QUEUE_MAX, who is not connected loses all. What counts is asked
 * for over the control socket. */
#ifndef ERA_IPC_SIGNAL_H
#define ERA_IPC_SIGNAL_H

#include "proto/limits.h"

#include <stdbool.h>
#include <stddef.h>

#define ERA_SIGNAL_QUEUE_MAX 64 /* messages kept for one slow subscriber */
#define ERA_SIGNAL_CONNS_MAX 64

struct era_signal_server;

/* path, owns_state and errors as in era_control_config; mode 0600. */
int era_signal_server_new(const char *path, bool owns_state, struct era_signal_server **out);
/* Removes the socket. NULL-safe. */
void era_signal_server_free(struct era_signal_server *s);
/* Readable while era_signal_server_serve has something to do. Borrowed. */
int era_signal_server_fd(const struct era_signal_server *s);
/* Accept subscribers, write what waits for slow ones. Never blocks. */
void era_signal_server_serve(struct era_signal_server *s);
/* Tell all subscribers; never blocks. topic: 1 to ERA_TOPIC_BYTES_MAX bytes
 * without a newline. -EMSGSIZE when both exceed ERA_SIGNAL_BYTES_MAX. */
int era_signal_server_publish(struct era_signal_server *s, const char *topic, const char *json);
/* Subscribers now: whoever is counted gets the next signal. */
size_t era_signal_server_subscribers(const struct era_signal_server *s);

struct era_signal_follow;

/* Connect and select the topics that begin with prefix ("" = all). 0 or a
 * negative errno: -ENOENT or -ECONNREFUSED no daemon, -EACCES, -ENAMETOOLONG,
 * -ETIMEDOUT. */
int era_signal_follow_new(const char *path, const char *prefix, int timeout_ms,
                          struct era_signal_follow **out);
void era_signal_follow_free(struct era_signal_follow *f); /* NULL-safe */
/* The next signal, topic + "\n" + JSON, malloc'd: the caller frees it.
 * timeout_ms < 0: waits for ever. 0; -ETIMEDOUT, -ENOMEM; after any other
 * error (-ECONNRESET: the daemon went away) only era_signal_follow_free. */
int era_signal_follow_next(struct era_signal_follow *f, int timeout_ms, char **text);

#endif
