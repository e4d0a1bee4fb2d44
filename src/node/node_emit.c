/* Events that host programs emit through this node (C3). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/node/node_internal.h"

enum era_verdict node_gate_verdict(const struct era_gate *g, const char **why)
{
    switch (g->state) {
    case ERA_GATE_FORKED:
        return ERA_FORKED;
    case ERA_GATE_MISMATCH:
        *why = "its own rebuild of the release in force differs from the signed digest";
        return ERA_BLOCKED;
    case ERA_GATE_BLOCKED:
        return ERA_BLOCKED;
    case ERA_GATE_CLOCK:
        return ERA_CLOCK;
    case ERA_GATE_NO_ERA:
        return ERA_NO_ERA;
    case ERA_GATE_STALE:
        if (g->unleased)
            *why = "strict emission: too few validators have leased this epoch for the era in force";
        return ERA_STALE;
    case ERA_GATE_UPGRADE_SOON:
    case ERA_GATE_NOTICE:
    case ERA_GATE_CURRENT:
        break;
    }
    return ERA_ACCEPTED;
}

static enum era_verdict may_emit(const struct era_node *n, const char **why)
{
    *why = NULL;
    if (n->validator < 0)
        return ERA_NO_KEY;
    if (n->store_failed)
        return ERA_STORE_FAILED;
    if (node_locked(n, why))
        return ERA_LOCKED;
    return node_gate_verdict(&n->gates[n->network_component], why);
}

/* A restart takes all that is kept for taken: that may cost 6 in 100 of what an epoch allows. */
#define PLACES_SHARE 25
#define PLACES_MAX   64

static uint64_t next_seq(struct era_node *n)
{
    if (n->own_event_epoch != n->epoch) {
        n->own_event_epoch = n->epoch;
        n->own_event_seq = n->event_places_kept = n->event_places_put = 0;
    }
    uint64_t held = era_events_next_seq(n->events, n->validator, n->epoch);
    n->own_event_seq = held > n->own_event_seq + 1 ? held : n->own_event_seq + 1;
    return n->own_event_seq;
}

void node_places_kept(struct era_node *n, uint64_t epoch, uint64_t last)
{
    if (epoch == n->own_event_epoch && last > n->event_places_kept)
        n->event_places_kept = last;
}

/* A place is kept on disk before an event takes it: after a crash no second event does. Places are kept some
 * ahead, so that an event seldom waits for the disk. */
static void send_or_wait(struct era_node *n, const struct pending *event)
{
    uint64_t some = n->counting->charter->events_per_epoch / PLACES_SHARE;
    some = some < 1 ? 1 : some > PLACES_MAX ? PLACES_MAX : some;
    bool waits = n->own_event_seq > n->event_places_kept;
    bool wants = n->own_event_seq + some / 2 > n->event_places_put;
    if (wants)
        n->event_places_put = n->own_event_seq + some - 1;
    if (waits || wants) { /* pended before it is put: all in one batch */
        struct pending *p = node_pend(n, PENDING_PLACES);
        p->epoch = n->own_event_epoch;
        p->last_place = n->event_places_put;
        if (waits)
            *node_pend(n, PENDING_EVENT) = *event;
        uint8_t value[16];
        era_put_be64(value, n->own_event_epoch);
        era_put_be64(value + 8, n->event_places_put);
        node_put(n, era_record_meta(ERA_META_EVENT_SEQ), (struct era_bytes){value, sizeof value}, true);
    }
    if (!waits) {
        struct pending now = *event;
        node_committed(n, &now);
        free((void *)now.bytes.data);
    }
}

static void emit(struct era_node *n, const struct era_command *r)
{
    struct era_statement *s = calloc(1, sizeof *s);
    uint8_t *envelope = malloc(ERA_AUTHORED_BYTES_MAX);
    assert(s && envelope);
    s->kind = ERA_KIND_EVENT;
    struct era_event_statement *e = &s->u.event;
    e->epoch = n->epoch;
    e->charter_version = n->counting->charter->version;
    e->entry = n->gates[n->network_component].current->hash;
    e->seq = next_seq(n);
    era_text_set(e->topic, sizeof e->topic, r->topic);
    e->payload_bytes = r->bytes.len;
    if (r->bytes.len)
        memcpy(e->payload, r->bytes.data, r->bytes.len);
    struct pending p = {.kind = PENDING_EVENT,
                        .has_reply = true,
                        .reply = {.request = r->id, .epoch = e->epoch, .seq = e->seq}};
    size_t len = era_author_sign(&n->config.network, s, n->config.secret, envelope, ERA_AUTHORED_BYTES_MAX,
                                 &p.reply.id);
    assert(len > 0);
    p.bytes = (struct era_bytes){envelope, len};
    free(s);
    send_or_wait(n, &p);
}

void node_request_emit(struct era_node *n, const struct era_command *r)
{
    const char *why;
    enum era_verdict v = may_emit(n, &why);
    uint64_t used = n->own_event_epoch == n->epoch ? n->own_event_seq : 0;
    if (v == ERA_ACCEPTED && (!era_name_valid(r->topic) || strlen(r->topic) > ERA_TOPIC_BYTES_MAX)) {
        v = ERA_BAD_VALUE;
        why = "a topic is 1 to 64 of a-z 0-9 . _ -";
    }
    if (v == ERA_ACCEPTED && r->bytes.len > ERA_EVENT_PAYLOAD_BYTES_MAX)
        v = ERA_OVERSIZED;
    if (v == ERA_ACCEPTED && used >= n->counting->charter->events_per_epoch)
        v = ERA_RATE_LIMITED;
    if (v != ERA_ACCEPTED)
        node_refuse(n, r->id, v, why);
    else
        emit(n, r);
}
