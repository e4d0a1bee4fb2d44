#include "src/core/events.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ERA_TABLE_KEY (&e->table_key)
#include "src/base/table.h"

struct event_place {
    int64_t validator;
    uint64_t epoch, seq;
};

/* One remembered event; bytes only while it is in the ring. */
struct seen {
    struct era_hash item;
    struct event_place place;
    struct era_bytes envelope; /* owned; data NULL once dropped */
    struct seen *newer;        /* in order of arrival */
    UT_hash_handle hh;         /* by item */
    UT_hash_handle by_place;
};

struct era_events {
    const struct era_charter *charter;
    struct era_siphash_key table_key;
    struct seen *items, *places;
    struct seen *oldest, *newest;
    size_t seen_count, ring_count;
    struct event_place last; /* the highest seq of whom era_events_next_seq was asked about last */
    bool last_known;
};

struct era_events *era_events_new(const struct era_charter *charter, const struct era_siphash_key *key)
{
    struct era_events *e = calloc(1, sizeof *e);
    assert(e);
    e->charter = charter;
    e->table_key = *key;
    return e;
}

static void forget(struct era_events *e, struct seen *s)
{
    HASH_DELETE(hh, e->items, s);
    HASH_DELETE(by_place, e->places, s);
    e->seen_count--;
    e->last_known = false;
    e->ring_count -= s->envelope.data != NULL;
    free((void *)s->envelope.data);
    free(s);
}

void era_events_free(struct era_events *e)
{
    if (!e)
        return;
    while (e->oldest) {
        struct seen *next = e->oldest->newer;
        forget(e, e->oldest);
        e->oldest = next;
    }
    free(e);
}

static struct seen *find_place(const struct era_events *e, const struct event_place *p)
{
    struct seen *s;
    HASH_FIND(by_place, e->places, p, sizeof *p, s);
    return s;
}

static bool is_of(const struct event_place *p, int64_t validator, uint64_t epoch)
{
    return p->validator == validator && p->epoch == epoch;
}

static enum era_verdict judge(const struct era_events *e, const struct era_verified *s, uint64_t epoch,
                              const struct era_hash *in_force, const struct event_place *place)
{
    const struct era_event_statement *v = &s->statement->u.event;
    if (era_events_seen(e, &s->item))
        return ERA_DUPLICATE;
    if (v->epoch > era_add_sat(epoch, 1) || era_add_sat(v->epoch, 1) < epoch)
        return ERA_WRONG_EPOCH;
    if (!in_force || !era_hash_eq(in_force, &v->entry))
        return ERA_WRONG_ERA;
    if (v->seq == 0 || v->seq > e->charter->events_per_epoch)
        return ERA_RATE_LIMITED; /* seq counts from 1: this bounds a key's events an epoch */
    if (find_place(e, place))
        return ERA_CAPPED;
    return e->seen_count >= ERA_EVENTS_SEEN_MAX ? ERA_FULL : ERA_ACCEPTED;
}

enum era_verdict era_events_offer(struct era_events *e, const struct era_verified *s, uint64_t epoch,
                                  const struct era_hash *in_force)
{
    const struct era_event_statement *v = &s->statement->u.event;
    struct event_place place = {s->validator, v->epoch, v->seq};
    enum era_verdict verdict = judge(e, s, epoch, in_force, &place);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    struct seen *n = calloc(1, sizeof *n);
    uint8_t *copy = malloc(s->envelope.len);
    assert(n && copy);
    memcpy(copy, s->envelope.data, s->envelope.len);
    n->item = s->item;
    n->place = place;
    n->envelope = (struct era_bytes){copy, s->envelope.len};
    HASH_ADD(hh, e->items, item, sizeof n->item, n);
    HASH_ADD(by_place, e->places, place, sizeof n->place, n);
    if (e->newest)
        e->newest->newer = n;
    else
        e->oldest = n;
    e->newest = n;
    e->seen_count++;
    e->ring_count++;
    if (e->last_known && is_of(&place, e->last.validator, e->last.epoch) && place.seq > e->last.seq)
        e->last.seq = place.seq;
    return ERA_ACCEPTED;
}

static struct seen *find_item(const struct era_events *e, const struct era_hash *item)
{
    struct seen *s;
    HASH_FIND(hh, e->items, item, sizeof *item, s);
    return s;
}

bool era_events_fetch(const struct era_events *e, const struct era_hash *item, struct era_bytes *envelope)
{
    const struct seen *s = find_item(e, item);
    if (!s || !s->envelope.data)
        return false;
    *envelope = s->envelope;
    return true;
}

bool era_events_seen(const struct era_events *e, const struct era_hash *item)
{
    return find_item(e, item) != NULL;
}

void era_events_expire(struct era_events *e, uint64_t epoch,
                       void (*gone)(void *ctx, const struct era_hash *item), void *ctx)
{
    struct seen *previous = NULL;
    for (struct seen *s = e->oldest, *next; s; s = next) {
        next = s->newer;
        bool old = era_add_sat(s->place.epoch, ERA_EVENT_EPOCHS_KEPT) <= epoch;
        if (s->envelope.data && (old || e->ring_count > ERA_EVENT_RING_MAX)) {
            gone(ctx, &s->item);
            free((void *)s->envelope.data);
            s->envelope.data = NULL;
            e->ring_count--;
        }
        if (!old) {
            previous = s;
            continue;
        }
        if (previous)
            previous->newer = next;
        else
            e->oldest = next;
        if (e->newest == s)
            e->newest = previous;
        forget(e, s);
    }
}

/* In a burst it is asked for each own event: what is remembered is walked through once. */
uint64_t era_events_next_seq(struct era_events *e, int validator, uint64_t epoch)
{
    if (!e->last_known || !is_of(&e->last, validator, epoch)) {
        e->last = (struct event_place){validator, epoch, 0};
        e->last_known = true;
        for (const struct seen *s = e->oldest; s; s = s->newer)
            if (is_of(&s->place, validator, epoch) && s->place.seq > e->last.seq)
                e->last.seq = s->place.seq;
    }
    return e->last.seq + 1;
}

size_t era_events_count(const struct era_events *e)
{
    return e->ring_count;
}
