#include "src/erasim/trace.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VOTES_KEPT 32 /* own votes of a node, so that a copy is no second line */

/* What was already said of a node. */
struct said {
    struct era_hash votes[VOTES_KEPT];
    size_t vote_next;
    bool emitted;
    uint64_t epoch, seq; /* of the newest own event */
};

struct trace {
    struct sim *sim;
    trace_sink *sink;
    void *ctx;
    struct said *said; /* of each node */
    size_t name_count;
    struct {
        struct era_hash proposal;
        char name[ERA_NAME_BYTES_MAX + 1];
    } names[TRACE_NAMES_MAX];
    struct era_proposal proposal;   /* scratch */
    struct era_statement statement; /* scratch */
};

static const char *const words[] = {
#define X(id, word, text) word,
    TRACE_KINDS(X)
#undef X
};

const char *trace_kind_word(enum trace_kind kind)
{
    assert(kind < TRACE_KINDS_COUNT);
    return words[kind];
}

bool trace_kind_named(const char *word, enum trace_kind *out)
{
    for (size_t i = 0; i < TRACE_KINDS_COUNT; i++)
        if (strcmp(words[i], word) == 0) {
            *out = (enum trace_kind)i;
            return true;
        }
    return false;
}

/* ---- lines ---- */

static void line(struct trace *t, const struct sim_node *n, enum trace_kind kind, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void line(struct trace *t, const struct sim_node *n, enum trace_kind kind, const char *format, ...)
{
    char text[TRACE_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    t->sink(t->ctx, t->sim, &(struct trace_line){t->sim->now_ms, kind, n, text});
}

/* ms within an epoch, always as wide, so that lines sort. */
static int width_of(uint64_t epoch_ms)
{
    int width = 1;
    for (uint64_t n = epoch_ms - 1; n >= 10 && width < 20; n /= 10)
        width++;
    return width;
}

const char *trace_text(const struct sim *s, const struct trace_line *l, char out[TRACE_TEXT_BYTES])
{
    char ms[24];
    uint64_t epoch_ms = s->plan.epoch_ms;
    snprintf(ms, sizeof ms, "%020" PRIu64, l->at_ms % epoch_ms);
    snprintf(out, TRACE_TEXT_BYTES, "%" PRIu64 "+%s %s %s %.500s", l->at_ms / epoch_ms,
             ms + 20 - width_of(epoch_ms), l->node ? l->node->name : "-", trace_kind_word(l->kind), l->text);
    return out;
}

/* ---- names ---- */

void trace_name(struct trace *t, const struct era_hash *proposal, const char *name)
{
    if (t->name_count == TRACE_NAMES_MAX)
        return;
    t->names[t->name_count].proposal = *proposal;
    era_text_set(t->names[t->name_count].name, sizeof t->names[0].name, name);
    t->name_count++;
}

/* As the scenario calls it; else its slot and its newest version, as node n knows them. */
static const char *name_of(struct trace *t, const struct sim_node *n, const struct era_hash *proposal,
                           char out[TRACE_TEXT_BYTES])
{
    char hex[ERA_HASH_TEXT_BYTES];
    for (size_t i = 0; i < t->name_count; i++)
        if (era_hash_eq(&t->names[i].proposal, proposal))
            return t->names[i].name;
    if (n->node && era_ledger_proposal(era_node_ledger(n->node), proposal, &t->proposal)) {
        const struct era_plan *plan = &t->proposal.plan;
        snprintf(out, TRACE_TEXT_BYTES, "%s/%" PRIu64 " %s", t->proposal.slot.component, t->proposal.slot.seq,
                 plan->count ? plan->entries[plan->count - 1].record.version : "");
        return out;
    }
    snprintf(out, TRACE_TEXT_BYTES, "%.12s", era_hash_text(proposal, hex));
    return out;
}

/* ---- what nodes signal ---- */

static const char *component_of(const struct sim_node *n, int component)
{
    const struct era_charter *c = era_node_charter(n->node);
    return component >= 0 && (size_t)component < c->component_count ? c->components[component].id : "-";
}

static void gate_line(struct trace *t, const struct sim_node *n, const struct era_signal *g)
{
    const struct era_entry *cause = g->gate.cause;
    const char *before = era_gate_name(g->before), *now = era_gate_name(g->gate.state);
    bool changed = g->before != g->gate.state; /* not at the start */
    line(t, n, TRACE_GATE, "%s %s%s%s%s%s%s", component_of(n, g->component), changed ? before : "",
         changed ? " -> " : "", now, cause ? " (" : "", cause ? cause->record.version : "", cause ? ")" : "");
}

static void era_line(struct trace *t, const struct sim_node *n, const struct era_signal *g)
{
    const struct era_entry *e = g->gate.current;
    if (e)
        line(t, n, TRACE_ERA, "%s %s, era %" PRIu64, component_of(n, g->component), e->record.version,
             e->record.era);
    else
        line(t, n, TRACE_ERA, "%s none", component_of(n, g->component));
}

static void proposal_line(struct trace *t, const struct sim_node *n, enum trace_kind kind,
                          const struct era_signal *g)
{
    char name[TRACE_TEXT_BYTES];
    line(t, n, kind, "%s", name_of(t, n, &g->proposal, name));
}

static void signal_line(struct trace *t, const struct sim_node *n, const struct era_signal *g)
{
    switch (g->kind) {
    case ERA_SIG_GATE:
        gate_line(t, n, g);
        return;
    case ERA_SIG_ERA:
        era_line(t, n, g);
        return;
    case ERA_SIG_PROPOSAL:
        proposal_line(t, n, TRACE_PROPOSAL, g);
        return;
    case ERA_SIG_APPROVED:
        proposal_line(t, n, TRACE_APPROVED, g);
        return;
    case ERA_SIG_ADOPTED:
        proposal_line(t, n, TRACE_ADOPTED, g);
        return;
    case ERA_SIG_FAILED:
        proposal_line(t, n, TRACE_FAILED, g);
        return;
    case ERA_SIG_ARMED:
        proposal_line(t, n, TRACE_ARMED, g);
        return;
    case ERA_SIG_EVENT:
        line(t, n, TRACE_EVENT, "%s, epoch %" PRIu64, g->event->topic, g->event->epoch);
        return;
    case ERA_SIG_EQUIVOCATION:
        line(t, n, TRACE_EVIDENCE, "%s: two of %s", g->by ? g->by : "a key", era_kind_name(g->item_kind));
        return;
    case ERA_SIG_STORE:
        line(t, n, TRACE_STORE, "error %d", g->error);
        return;
    default: /* epochs, and what later versions signal */
        return;
    }
}

/* ---- watching ---- */

static void stepped(void *ctx, struct sim *s, struct sim_node *n, const struct era_event *event,
                    const struct era_effect *effects, size_t count)
{
    struct trace *t = ctx;
    (void)s;
    (void)event;
    for (size_t i = 0; i < count; i++)
        if (effects[i].kind == ERA_EFF_SIGNAL)
            signal_line(t, n, &effects[i].signal);
}

static void vote_left(struct trace *t, const struct sim_node *n, const struct era_envelope *e)
{
    struct said *said = &t->said[n->number];
    char name[TRACE_TEXT_BYTES];
    if (era_statement_decode(e->kind, e->payload, &t->statement) != ERA_ACCEPTED)
        return;
    const struct era_hash *proposal = &t->statement.u.vote.proposal;
    for (size_t i = 0; i < VOTES_KEPT; i++)
        if (era_hash_eq(&said->votes[i], proposal))
            return;
    said->votes[said->vote_next++ % VOTES_KEPT] = *proposal;
    line(t, n, TRACE_VOTE, "%s", name_of(t, n, proposal, name));
}

static void event_left(struct trace *t, const struct sim_node *n, const struct era_envelope *e)
{
    struct said *said = &t->said[n->number];
    if (era_statement_decode(e->kind, e->payload, &t->statement) != ERA_ACCEPTED)
        return;
    const struct era_event_statement *v = &t->statement.u.event;
    if (said->emitted && (v->epoch < said->epoch || (v->epoch == said->epoch && v->seq <= said->seq)))
        return;
    said->emitted = true;
    said->epoch = v->epoch;
    said->seq = v->seq;
    line(t, n, TRACE_EMITTED, "%s, epoch %" PRIu64, v->topic, v->epoch);
}

static void left(void *ctx, struct sim *s, struct sim_node *n, const struct era_envelope *e,
                 struct era_bytes bytes)
{
    (void)s;
    (void)bytes;
    if (!n->key || !era_key_eq(&n->key->secret.key, &e->key))
        return;
    if (e->kind == ERA_KIND_READINESS)
        vote_left(ctx, n, e);
    if (e->kind == ERA_KIND_EVENT)
        event_left(ctx, n, e);
}

static void started(void *ctx, struct sim *s, struct sim_node *n)
{
    (void)s;
    line(ctx, n, TRACE_UP, "%s", n->versions.v[ERA_VERSION_SOFTWARE]);
}

static void stopping(void *ctx, struct sim *s, struct sim_node *n)
{
    (void)s;
    line(ctx, n, TRACE_DOWN, "%s", n->versions.v[ERA_VERSION_SOFTWARE]);
}

/* What nodes signal has its line already. */
static bool signalled(const char *text)
{
    static const char *const first[] = {"gate ",     "era ",          "epoch ",       "proposal ",
                                        "approved ", "adopted ",      "failed ",      "armed ",
                                        "event ",    "equivocation ", "store failed", "starts"};
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        if (strncmp(text, first[i], strlen(first[i])) == 0)
            return true;
    return false;
}

static void told(void *ctx, struct sim *s, struct sim_node *n, const char *text)
{
    (void)s;
    if (n && signalled(text))
        return;
    if (strncmp(text, "fault ", 6) == 0)
        line(ctx, n, TRACE_FAULT, "%s", text + 6);
    else
        line(ctx, n, TRACE_TOLD, "%s", text);
}

struct trace *trace_new(struct sim *s, trace_sink *sink, void *ctx)
{
    struct trace *t = calloc(1, sizeof *t);
    assert(t);
    t->said = calloc(s->node_count + 1, sizeof *t->said);
    assert(t->said);
    t->sim = s;
    t->sink = sink;
    t->ctx = ctx;
    sim_watch(s, (struct sim_watch){.ctx = t,
                                    .stepped = stepped,
                                    .left = left,
                                    .started = started,
                                    .stopping = stopping,
                                    .told = told});
    return t;
}

void trace_free(struct trace *t)
{
    if (!t)
        return;
    free(t->said);
    free(t);
}
