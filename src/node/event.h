/* event: all that can happen to a node. A step borrows its event. Time enters
 * here and nowhere else. */
#ifndef ERA_NODE_EVENT_H
#define ERA_NODE_EVENT_H

#include "proto/statement.h"

enum era_event_kind {
    ERA_EV_START,       /* everything was restored: begin */
    ERA_EV_TICK,        /* the deadline came */
    ERA_EV_LINK_UP,     /* link, outgoing, address, found, proven */
    ERA_EV_LINK_DOWN,   /* link, verdict: what the driver ended it for; ACCEPTED: it just ended */
    ERA_EV_DIAL_FAILED, /* address */
    ERA_EV_REFUSED,     /* address: a stream from there ended before it was a link */
    ERA_EV_FRAME,       /* link, bytes */
    ERA_EV_SENT,        /* link, count: bytes written */
    ERA_EV_STORED,      /* token, error: 0, or the negative errno of the batch */
    ERA_EV_COMMAND,     /* command: from the control socket */
    ERA_EV_VERSIONS     /* versions, staged: the configuration was read again */
};

/* What a person or a host program asks for that changes something. Each is
 * answered by one REPLY effect, after what it did is durable. */
enum era_command_kind {
    ERA_CMD_SUBMIT, /* bytes: an envelope made elsewhere (proposal, approve, reject; carriers too) */
    ERA_CMD_READY,  /* id: a proposal */
    ERA_CMD_ATTEST, /* id, artefact, digest (computed by erad from the built output), source_digest, builder
                     */
    ERA_CMD_EMIT,   /* topic, bytes */
    ERA_CMD_HEIGHT, /* number: of the host chain, height clocks only */
    ERA_CMD_ACCEPT, /* proposal: hash of the next charter, as one of its validators (R10) */
    ERA_CMD_CLOSE,  /* proposal: hash of the next charter, as a validator of the one before (R10) */
    ERA_CMD_CHECKPOINT, /* topic: a component's id; digest: of the host program's state at this epoch (P6) */
    ERA_CMD_UNLOCK      /* the operator's word that this node's store is the newest there is (protocol §9) */
};

struct era_command {
    uint64_t id; /* the driver's; comes back in the reply */
    enum era_command_kind kind;
    struct era_hash proposal;
    struct era_bytes bytes;
    const char *topic;
    const char *artefact, *digest, *source_digest, *builder;
    uint64_t number;
};

struct era_event {
    enum era_event_kind kind;
    uint64_t now_ms;  /* monotonic: timers */
    uint64_t wall_ms; /* Unix time: epochs of a wall clock (R14), the age of addresses, nothing else; 0: not
                         known */
    uint64_t link;
    bool outgoing;
    const char *address;
    const char *found;     /* where a dial by a name led to, see era_gossip_found_at; NULL: not known */
    const uint8_t *proven; /* ERA_KEY_BYTES, see era_gossip_link_up */
    struct era_bytes bytes;
    size_t count;
    enum era_verdict verdict;
    uint64_t token;
    int error;
    const struct era_command *command;
    const struct era_versions *versions, *staged;
};

#endif
