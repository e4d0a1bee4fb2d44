/* What people and host programs ask of a node; and how it speaks in its own name. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/node/node_internal.h"

/* Sign a statement with the node's key and take it in like any other. Nothing
 * leaves before it is durable. */
enum era_verdict node_say(struct era_node *n, const struct era_statement *s, const struct era_reply *reply)
{
    uint8_t *envelope = malloc(ERA_AUTHORED_BYTES_MAX);
    assert(envelope);
    size_t len =
        era_author_sign(&n->config.network, s, n->config.secret, envelope, ERA_AUTHORED_BYTES_MAX, NULL);
    assert(len > 0); /* our own statements keep the limits */
    enum era_verdict v = node_intake_own(n, (struct era_bytes){envelope, len}, reply, false);
    free(envelope);
    return v;
}

bool node_may_speak(const struct era_node *n)
{
    return n->started && !n->store_failed && n->validator >= 0 && !n->counting->charter->authority_only &&
           !node_locked(n, NULL);
}

static void request_height(struct era_node *n, const struct era_command *r)
{
    const char *why = NULL;
    enum era_verdict v = ERA_ACCEPTED;
    if (n->config.charter->clock.kind != ERA_CLOCK_HEIGHT) {
        v = ERA_USAGE;
        why = "the charter's clock is wall time, not height";
    } else if (r->number < n->height) {
        v = ERA_BAD_VALUE;
        why = "a height never goes back within a run";
    } else {
        n->height = r->number;
    }
    node_reply(n, &(struct era_reply){.request = r->id, .verdict = v, .why = why});
}

void node_command(struct era_node *n, const struct era_command *r)
{
    struct era_reply reply = {.request = r->id, .verdict = ERA_ACCEPTED};
    switch (r->kind) {
    case ERA_CMD_SUBMIT:
        node_intake_own(n, r->bytes, &reply, false);
        break;
    case ERA_CMD_READY:
        node_request_ready(n, r);
        break;
    case ERA_CMD_ATTEST:
        node_request_attest(n, r);
        break;
    case ERA_CMD_EMIT:
        node_request_emit(n, r);
        break;
    case ERA_CMD_HEIGHT:
        request_height(n, r);
        break;
    case ERA_CMD_ACCEPT:
    case ERA_CMD_CLOSE:
        node_request_charter(n, r);
        break;
    case ERA_CMD_CHECKPOINT:
        node_request_checkpoint(n, r);
        break;
    case ERA_CMD_UNLOCK:
        node_request_unlock(n, r);
        break;
    }
}
