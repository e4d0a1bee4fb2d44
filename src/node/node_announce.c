/* Announcements: what this node says of itself once an epoch, and which of them are leases (R16). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/epoch.h"
#include "src/node/node_internal.h"

static bool any_version(const struct era_versions *v)
{
    for (int i = 0; i < ERA_VERSION_KINDS; i++)
        if (v->v[i][0])
            return true;
    return false;
}

/* ---- when ---- */

/* The readings at which the first third of the present epoch ends and its last one begins. Only strict
 * emission gains by them. False: the epoch is too short, or the clock is behind the high-water mark. */
static bool thirds(const struct era_node *n, uint64_t *first_ends, uint64_t *last_begins)
{
    const struct era_charter *c = n->counting->charter;
    uint64_t length = c->clock.epoch_ms, start = era_epoch_start(&c->clock, n->epoch);
    if (!c->strict_emission || length < 3 || era_node_reading(n) < start)
        return false;
    *first_ends = era_add_sat(start, length / 3);
    *last_begins = era_add_sat(start, length - length / 3);
    return true;
}

/* Whatever became of it: said, on its way, or said and collected since. */
static bool announced(const struct era_node *n, uint64_t epoch)
{
    const struct era_item *said[2];
    for (size_t i = 0; i < n->book_count; i++) /* one an epoch, whatever the charter */
        if (era_ledger_spoken(n->books[i]->ledger, ERA_KIND_ANNOUNCEMENT, -1, epoch, &n->config.secret->key,
                              said) > 0)
            return true;
    return era_epoch_runs_has(&n->announced, epoch);
}

uint64_t node_announce_reading(const struct era_node *n)
{
    uint64_t first_ends, last_begins, reading = era_node_reading(n);
    if (!node_may_speak(n) || !thirds(n, &first_ends, &last_begins))
        return UINT64_MAX;
    if (reading < first_ends && !announced(n, n->epoch))
        return first_ends;
    return reading < last_begins ? last_begins : UINT64_MAX;
}

/* ---- what ---- */

/* What this node is at an epoch, by what it runs now; and whether it may lease that epoch. */
static enum era_lease_answer may_lease(const struct era_node *n, const struct book *book, uint64_t epoch,
                                       struct era_gate *gate)
{
    struct era_hash entry;
    node_gate_at(n, n->network_component, epoch, gate);
    struct era_leaser who = {.validator = node_validator_of(n, book->charter),
                             .announced = book->ledger,
                             .component = n->network_component,
                             .initial = &n->initial[n->network_component],
                             .leases = &n->leases,
                             .stopped = gate->state <= ERA_GATE_CLOCK ||
                                        n->gates[n->network_component].state <= ERA_GATE_CLOCK};
    return era_lease_judge(n->ledger, &who, epoch, &entry);
}

/* Durable with the announcement, so that a restart knows what it promised. */
static void keep_lease(struct era_node *n, const struct era_announcement *a)
{
    uint8_t value[ERA_LEASES_BYTES_MAX];
    era_leases_add(&n->leases, &a->entry, a->epoch);
    size_t len = era_leases_encode(&n->leases, value);
    node_put(n, era_record_meta(ERA_META_LEASES), (struct era_bytes){value, len}, true);
}

/* A clock that jumped ahead and back collects what was said before: it must not be said again. */
static void keep_announced(struct era_node *n, uint64_t epoch)
{
    uint8_t value[ERA_EPOCH_RUNS_BYTES_MAX];
    era_epoch_runs_add(&n->announced, epoch);
    size_t len = era_epoch_runs_encode(&n->announced, value);
    node_put(n, era_record_meta(ERA_META_ANNOUNCED), (struct era_bytes){value, len}, true);
}

static void announce(struct era_node *n, const struct book *book, uint64_t epoch, const struct era_gate *gate,
                     bool lease)
{
    struct era_statement *s = calloc(1, sizeof *s);
    assert(s);
    s->kind = ERA_KIND_ANNOUNCEMENT;
    struct era_announcement *a = &s->u.announcement;
    a->epoch = epoch;
    a->charter_version = book->charter->version;
    a->versions = n->config.versions;
    a->has_entry = gate->current != NULL;
    if (gate->current)
        a->entry = gate->current->hash;
    a->view_digest = era_view_digest(n->ledger);
    a->staged = any_version(&n->config.staged);
    a->blocked = gate->state == ERA_GATE_BLOCKED || gate->state == ERA_GATE_MISMATCH;
    a->lease = lease;
    if (node_say(n, s, NULL) == ERA_ACCEPTED) {
        keep_announced(n, epoch); /* in the batch that was filled last */
        if (lease)
            keep_lease(n, a);
    }
    free(s);
}

/* R16: one a validator and epoch, durably committed before it leaves.
 * In strict emission an epoch without leases is one without events. So what could not be a lease waits for
 * the quorum or the adoption that it lacks, but not for long: others wait for this announcement too. And the
 * next epoch is leased in the last third of this one, unless it could not be leased yet: an announcement that
 * is given away comes never again. */
void node_announce(struct era_node *n)
{
    uint64_t first_ends = 0, last_begins = 0, reading = era_node_reading(n);
    struct era_gate gate;
    if (!node_may_speak(n))
        return;
    bool divided = thirds(n, &first_ends, &last_begins);
    if (!announced(n, n->epoch)) {
        enum era_lease_answer answer = may_lease(n, n->counting, n->epoch, &gate);
        bool hopeful = answer == ERA_LEASE_NO_QUORUM || answer == ERA_LEASE_VOTED;
        if (divided && hopeful && reading < first_ends)
            return;
        announce(n, n->counting, n->epoch, &gate, answer == ERA_LEASE_MAY);
    }
    const struct book *next = node_counting(n, era_add_sat(n->epoch, 1));
    if (divided && reading >= last_begins && n->epoch < ERA_EPOCH_MAX && !announced(n, n->epoch + 1) &&
        node_validator_of(n, next->charter) >= 0 && may_lease(n, next, n->epoch + 1, &gate) == ERA_LEASE_MAY)
        announce(n, next, n->epoch + 1, &gate, true);
}
