/* effect: all that the world must do for a node, in order. Everything an
 * effect points to lives in the node until its next step. */
#ifndef ERA_NODE_EFFECT_H
#define ERA_NODE_EFFECT_H

#include "src/core/gate.h"
#include "store/store.h"

enum era_effect_kind {
    ERA_EFF_STORE,   /* token, puts, count: commit durably, answer with ERA_EV_STORED */
    ERA_EFF_SEND,    /* link, bytes */
    ERA_EFF_CLOSE,   /* link, verdict: write what was sent, then close */
    ERA_EFF_CONNECT, /* text: address to dial */
    ERA_EFF_REPLY,   /* reply */
    ERA_EFF_SIGNAL,  /* signal: for subscribers and hooks */
    ERA_EFF_LOG      /* level, text */
};

enum era_log_level {
    ERA_LOG_ERROR = 3,
    ERA_LOG_WARNING = 4,
    ERA_LOG_NOTICE = 5,
    ERA_LOG_INFO = 6,
    ERA_LOG_DEBUG = 7
};

struct era_reply {
    uint64_t request;
    enum era_verdict verdict;
    const char *why;     /* detail, or NULL */
    struct era_hash id;  /* of the statement made or taken in; zero when none */
    bool matched;        /* attest: the digest is the plan's */
    uint64_t seq, epoch; /* emit: of the event */
};

enum era_signal_kind {
    ERA_SIG_GATE,         /* component, gate: the gate's state changed */
    ERA_SIG_ERA,          /* component, gate.current: another entry is in force */
    ERA_SIG_EPOCH,        /* epoch */
    ERA_SIG_PROPOSAL,     /* proposal: a new one is held: signers are notified (T3) */
    ERA_SIG_APPROVED,     /* proposal */
    ERA_SIG_ADOPTED,      /* proposal: announced; in force from its epochs on */
    ERA_SIG_FAILED,       /* proposal: k can no longer be reached (T4) */
    ERA_SIG_ARMED,        /* proposal: past its deadline it can neither be forgotten nor finished */
    ERA_SIG_EVENT,        /* event, validator (C3) */
    ERA_SIG_EQUIVOCATION, /* a key said two things in one place: item_kind, by, seq; signer or validator: its
                             index in the charter it was said under, which need not be the newest */
    ERA_SIG_STORE         /* the store failed: error */
};

struct era_signal {
    enum era_signal_kind kind;
    int component; /* -1: none */
    uint64_t epoch, seq;
    struct era_hash proposal;
    struct era_gate gate;
    enum era_gate_state before;
    const struct era_event_statement *event;
    uint32_t item_kind;
    const char *by; /* name of the key; NULL: only a charter that was proposed names it */
    struct era_key by_key; /* zero then */
    int signer, validator;
    int error;
};

struct era_effect {
    enum era_effect_kind kind;
    uint64_t link, token;
    struct era_bytes bytes;
    const struct era_store_put *puts;
    size_t count;
    enum era_verdict verdict;
    const char *text;
    enum era_log_level level;
    struct era_reply reply;
    struct era_signal signal;
};

#endif
