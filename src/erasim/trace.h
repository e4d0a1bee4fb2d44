/* trace: what happened in a run, a line each: when, who, what kind of thing, and
 * what. Equal runs give equal lines, byte for byte. */
#ifndef ERA_ERASIM_TRACE_H
#define ERA_ERASIM_TRACE_H

#include "src/erasim/sim.h"

#define TRACE_TEXT_BYTES 640
#define TRACE_NAMES_MAX  64

/* X(ID, word in files and on the screen, what it is) */
#define TRACE_KINDS(X)                                                                                       \
    X(UP, "up", "a node started")                                                                            \
    X(DOWN, "down", "a node went down")                                                                      \
    X(PROPOSAL, "proposal", "a node holds a new proposal")                                                   \
    X(APPROVED, "approved", "a proposal reached its approvals")                                              \
    X(FAILED, "failed", "a proposal can no longer reach them")                                               \
    X(VOTE, "vote", "a node's own readiness left it")                                                        \
    X(ADOPTED, "adopted", "a proposal was adopted")                                                          \
    X(ARMED, "armed", "a slot can neither be forgotten nor finished")                                        \
    X(ERA, "era", "another record is in force")                                                              \
    X(GATE, "gate", "the gate's state changed")                                                              \
    X(EMITTED, "emitted", "a node's own event left it")                                                      \
    X(EVENT, "event", "an event was handed over")                                                            \
    X(EVIDENCE, "evidence", "a key said two things in one place")                                            \
    X(STORE, "store", "a store failed")                                                                      \
    X(FAULT, "fault", "a fault struck")                                                                      \
    X(TOLD, "told", "what else was told")

enum trace_kind {
#define X(id, word, text) TRACE_##id,
    TRACE_KINDS(X)
#undef X
        TRACE_KINDS_COUNT
};
const char *trace_kind_word(enum trace_kind kind);
/* False: there is no such kind. */
bool trace_kind_named(const char *word, enum trace_kind *out);

struct trace_line {
    uint64_t at_ms;
    enum trace_kind kind;
    const struct sim_node *node; /* NULL: nobody's */
    const char *text;
};

struct trace;
typedef void trace_sink(void *ctx, struct sim *s, const struct trace_line *line);

/* Watches s from now on. Freed after s has run. */
struct trace *trace_new(struct sim *s, trace_sink *sink, void *ctx);
void trace_free(struct trace *t); /* NULL-safe */
/* How a proposal is called; else "network/3 2.0.0". The first TRACE_NAMES_MAX are kept. */
void trace_name(struct trace *t, const struct era_hash *proposal, const char *name);

/* "3+0250 v1 gate current -> blocked", whole; in out. Returns out. */
const char *trace_text(const struct sim *s, const struct trace_line *line, char out[TRACE_TEXT_BYTES]);

#endif
