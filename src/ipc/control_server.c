#include "src/ipc/control.h"
#include "src/ipc/server.h"
#include "src/ipc/wire.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ID_SLOT_BITS            8
#define TRACE_BYTES_MAX         64 /* NNG's way back: 4 bytes a hop, the last has its top bit set */
#define REPLIES_WAITING_MAX     64 /* for one client that does not read */
#define REPLY_BYTES_WAITING_MAX (4 * (size_t)ERA_CONTROL_BYTES_MAX)
_Static_assert(ERA_CONTROL_PENDING_MAX <= 1 << ID_SLOT_BITS, "a slot fits its part of an id");

/* A request without its answer, and the way back to who asked. */
struct pending {
    uint64_t id; /* 0: free */
    uint64_t conn;
    size_t trace_len;
    uint8_t trace[TRACE_BYTES_MAX];
};

struct era_control_server {
    struct era_ipc_server *server;
    uid_t allowed_uids[2];
    uint8_t *refusal;
    size_t refusal_len;
    uint64_t generation;
    size_t pending_count;
    struct pending pending[ERA_CONTROL_PENDING_MAX];
};

int era_control_server_new(const struct era_control_config *config, struct era_control_server **out)
{
    struct era_ipc_server_config server = {
        .path = config->path,
        .owns_state = config->owns_state,
        .protocol = ERA_IPC_REP,
        .peer = ERA_IPC_REQ,
        .conns_max = ERA_CONTROL_CONNS_MAX,
        .in_bytes_max = ERA_CONTROL_BYTES_MAX + TRACE_BYTES_MAX,
        .out_bytes_max = REPLY_BYTES_WAITING_MAX,
        .out_messages_max = REPLIES_WAITING_MAX,
    };
    struct era_control_server *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return -ENOMEM;
    memcpy(s->allowed_uids, config->allowed_uids, sizeof(s->allowed_uids));
    s->refusal_len = config->refusal.len;
    s->refusal = malloc(s->refusal_len + 1);
    if (s->refusal != NULL && s->refusal_len > 0)
        memcpy(s->refusal, config->refusal.data, s->refusal_len);
    int rv = s->refusal == NULL ? -ENOMEM : era_ipc_server_new(&server, &s->server);
    if (rv != 0) {
        era_control_server_free(s);
        return rv;
    }
    *out = s;
    return 0;
}

void era_control_server_free(struct era_control_server *s)
{
    if (s == NULL)
        return;
    era_ipc_server_free(s->server);
    free(s->refusal);
    free(s);
}

int era_control_server_fd(const struct era_control_server *s)
{
    return era_ipc_server_fd(s->server);
}

static bool allowed(const struct era_control_server *s, uid_t uid)
{
    return uid == s->allowed_uids[0] || uid == s->allowed_uids[1];
}

/* Length of the way back at the beginning of a request; 0 when it has none. */
static size_t trace_len(struct era_bytes request)
{
    for (size_t i = 0; i + 4 <= request.len && i < TRACE_BYTES_MAX; i += 4)
        if (request.data[i] & 0x80)
            return i + 4;
    return 0;
}

static uint64_t pending_add(struct era_control_server *s, const struct era_ipc_message *m, size_t trace)
{
    size_t i = 0;
    while (s->pending[i].id != 0)
        i++;
    struct pending *p = &s->pending[i];
    *p = (struct pending){.id = ++s->generation << ID_SLOT_BITS | i, .conn = m->conn, .trace_len = trace};
    memcpy(p->trace, m->bytes.data, trace);
    if (++s->pending_count == ERA_CONTROL_PENDING_MAX)
        era_ipc_server_pause(s->server, true);
    return p->id;
}

bool era_control_server_poll(struct era_control_server *s, uint64_t *request_id, struct era_bytes *bytes)
{
    struct era_ipc_message m;
    while (era_ipc_server_poll(s->server, &m)) {
        size_t trace = trace_len(m.bytes);
        if (trace == 0) {
            era_ipc_server_drop(s->server, m.conn);
        } else if (!allowed(s, m.uid)) {
            struct era_bytes parts[2] = {{m.bytes.data, trace}, {s->refusal, s->refusal_len}};
            era_ipc_server_send(s->server, m.conn, parts, 2);
        } else {
            *request_id = pending_add(s, &m, trace);
            *bytes = (struct era_bytes){m.bytes.data + trace, m.bytes.len - trace};
            return true;
        }
    }
    return false;
}

int era_control_server_reply(struct era_control_server *s, uint64_t request_id, struct era_bytes bytes)
{
    size_t slot = request_id & ((1 << ID_SLOT_BITS) - 1);
    assert(request_id != 0 && slot < ERA_CONTROL_PENDING_MAX);
    struct pending *p = &s->pending[slot];
    assert(p->id == request_id);
    if (bytes.len > ERA_CONTROL_BYTES_MAX)
        return -EMSGSIZE;
    struct era_bytes parts[2] = {{p->trace, p->trace_len}, bytes};
    era_ipc_server_send(s->server, p->conn, parts, 2);
    p->id = 0;
    if (s->pending_count-- == ERA_CONTROL_PENDING_MAX)
        era_ipc_server_pause(s->server, false);
    return 0;
}
