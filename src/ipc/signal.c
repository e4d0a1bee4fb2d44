#include "src/ipc/signal.h"
#include "src/ipc/client.h"
#include "src/ipc/server.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct era_signal_server {
    struct era_ipc_server *server;
};

struct era_signal_follow {
    struct era_ipc_client client;
    char prefix[ERA_TOPIC_BYTES_MAX + 1];
};

int era_signal_server_new(const char *path, bool owns_state, struct era_signal_server **out)
{
    struct era_ipc_server_config config = {
        .path = path,
        .owns_state = owns_state,
        .protocol = ERA_IPC_PUB,
        .peer = ERA_IPC_SUB,
        .conns_max = ERA_SIGNAL_CONNS_MAX,
        .in_bytes_max = 0, /* subscribers have nothing to say */
        .out_bytes_max = ERA_SIGNAL_QUEUE_MAX * (ERA_SIGNAL_BYTES_MAX + ERA_IPC_HEADER_BYTES),
        .out_messages_max = ERA_SIGNAL_QUEUE_MAX,
    };
    struct era_signal_server *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return -ENOMEM;
    int rv = era_ipc_server_new(&config, &s->server);
    if (rv != 0) {
        free(s);
        return rv;
    }
    *out = s;
    return 0;
}

void era_signal_server_free(struct era_signal_server *s)
{
    if (s == NULL)
        return;
    era_ipc_server_free(s->server);
    free(s);
}

int era_signal_server_fd(const struct era_signal_server *s)
{
    return era_ipc_server_fd(s->server);
}

void era_signal_server_serve(struct era_signal_server *s)
{
    struct era_ipc_message none;
    bool spoke = era_ipc_server_poll(s->server, &none);
    assert(!spoke); /* in_bytes_max is 0 */
}

int era_signal_server_publish(struct era_signal_server *s, const char *topic, const char *json)
{
    size_t topic_len = strlen(topic), json_len = strlen(json);
    assert(topic_len >= 1 && topic_len <= ERA_TOPIC_BYTES_MAX && strchr(topic, '\n') == NULL);
    if (topic_len + 1 + json_len > ERA_SIGNAL_BYTES_MAX)
        return -EMSGSIZE;
    struct era_bytes parts[3] = {
        {(const uint8_t *)topic, topic_len}, {(const uint8_t *)"\n", 1}, {(const uint8_t *)json, json_len}};
    era_ipc_server_send_all(s->server, parts, 3);
    return 0;
}

size_t era_signal_server_subscribers(const struct era_signal_server *s)
{
    return era_ipc_server_peers(s->server);
}

int era_signal_follow_new(const char *path, const char *prefix, int timeout_ms,
                          struct era_signal_follow **out)
{
    struct era_signal_follow *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return -ENOMEM;
    int rv = era_text_set(f->prefix, sizeof(f->prefix), prefix) ? 0 : -EINVAL;
    if (rv == 0)
        rv = era_ipc_client_init(&f->client, path, ERA_IPC_SUB, ERA_IPC_PUB, ERA_SIGNAL_BYTES_MAX,
                                 era_ipc_deadline(timeout_ms));
    if (rv != 0) {
        free(f);
        return rv;
    }
    *out = f;
    return 0;
}

void era_signal_follow_free(struct era_signal_follow *f)
{
    if (f == NULL)
        return;
    era_ipc_client_release(&f->client);
    free(f);
}

int era_signal_follow_next(struct era_signal_follow *f, int timeout_ms, char **text)
{
    int64_t deadline = era_ipc_deadline(timeout_ms);
    size_t prefix_len = strlen(f->prefix);
    struct era_bytes message;
    do {
        int rv = era_ipc_client_receive(&f->client, &message, deadline);
        if (rv != 0)
            return rv;
    } while (message.len < prefix_len || memcmp(message.data, f->prefix, prefix_len) != 0);
    *text = strndup((const char *)message.data, message.len);
    return *text != NULL ? 0 : -ENOMEM;
}
