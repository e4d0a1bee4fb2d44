#include "src/ipc/client.h"
#include "src/ipc/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* NNG's request id: the top bit ends the way back. One request a connection, so any will do. */
static const uint8_t request_id[4] = {0x80, 0, 0, 1};

static int call(struct era_ipc_client *c, struct era_bytes request, int64_t deadline, uint8_t **reply,
                size_t *reply_len)
{
    struct era_bytes parts[2] = {{request_id, sizeof(request_id)}, request}, message;
    int rv = era_ipc_client_send(c, parts, 2, deadline);
    if (rv == 0)
        rv = era_ipc_client_receive(c, &message, deadline);
    if (rv != 0)
        return rv;
    if (message.len < sizeof(request_id) || memcmp(message.data, request_id, sizeof(request_id)) != 0)
        return -EPROTO;
    size_t len = message.len - sizeof(request_id);
    uint8_t *copy = malloc(len + 1);
    if (copy == NULL)
        return -ENOMEM;
    memcpy(copy, message.data + sizeof(request_id), len);
    *reply = copy;
    *reply_len = len;
    return 0;
}

int era_control_call(const char *path, struct era_bytes request, int timeout_ms, uint8_t **reply,
                     size_t *reply_len)
{
    struct era_ipc_client c;
    int64_t deadline = era_ipc_deadline(timeout_ms);
    if (request.len > ERA_CONTROL_BYTES_MAX)
        return -EMSGSIZE;
    size_t in_bytes_max = ERA_CONTROL_BYTES_MAX + sizeof(request_id);
    int rv = era_ipc_client_init(&c, path, ERA_IPC_REQ, ERA_IPC_REP, in_bytes_max, deadline);
    if (rv != 0)
        return rv;
    rv = call(&c, request, deadline, reply, reply_len);
    era_ipc_client_release(&c);
    return rv;
}
