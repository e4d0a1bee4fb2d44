#include "p2p/link_gate.h"

#include "p2p/link_internal.h"

#include <assert.h>
#include <errno.h>
#include <nng/supplemental/util/platform.h>
#include <sodium.h>
#include <string.h>

#define PACE_MS 20 /* between two looks at who waits */

static size_t row_of(const struct era_link_gate *gate, const struct era_link_host *host)
{
    return era_siphash(&gate->key, host->b, sizeof host->b) % ERA_LINK_GATE_ROWS;
}

void era_link_gate_init(struct era_link_gate *gate)
{
    *gate = (struct era_link_gate){0};
    randombytes_buf(&gate->key, sizeof gate->key);
}

/* ---- pace ---- */

static bool pay(struct era_link_pace *pace, uint64_t burst, uint64_t per_s)
{
    uint64_t now_ms = nng_clock(), back = era_mul_sat(now_ms - pace->at_ms, per_s);
    pace->spent -= back < pace->spent ? back : pace->spent;
    pace->at_ms = now_ms;
    if (pace->spent + 1000 > 1000 * burst)
        return false;
    pace->spent += 1000;
    return true;
}

bool era_link_gate_opens(struct era_link_gate *gate)
{
    return pay(&gate->accepts, ERA_ACCEPTS_BURST, ERA_ACCEPTS_PER_S);
}

/* ---- places ---- */

/* What it would cost to lose it: least first. */
static unsigned worth(const struct link *l)
{
    return l->state == LINK_FLUSHING ? 0 : l->channel.state == ERA_CHANNEL_PREAMBLE ? 1 : 2;
}

/* The first to go among those of rows that hold at least so many. */
static struct link *least(const struct era_link_gate *gate, const size_t *held, size_t at_least)
{
    struct link *chosen = NULL;
    for (size_t i = 0; i < gate->count; i++) {
        struct link *l = gate->strangers[i];
        if (held[l->row] < at_least)
            continue;
        if (chosen == NULL || worth(l) < worth(chosen) ||
            (worth(l) == worth(chosen) && l->entered < chosen->entered))
            chosen = l;
    }
    return chosen;
}

bool era_link_gate_admit(struct era_link_driver *d, const struct era_link_host *host)
{
    struct era_link_gate *gate = &d->gate;
    size_t held[ERA_LINK_GATE_ROWS] = {0}, of_row[ERA_LINK_GATE_ROWS] = {0};
    size_t row = row_of(gate, host), most = 0;
    for (size_t i = 0; i < gate->count; i++)
        if (++held[gate->strangers[i]->row] > most)
            most = held[gate->strangers[i]->row];
    of_row[row] = held[row];
    struct link *out = NULL;
    if (held[row] >= ERA_HANDSHAKES_PER_ADDRESS_MAX)
        out = least(gate, of_row, held[row]);
    else if (gate->count == ERA_HANDSHAKES_MAX) /* of all who have the most, the least is lost */
        out = least(gate, held, most);
    if (out != NULL)
        era_link_shut(d, out, ERA_TOO_MANY_LINKS, -EBADMSG);
    return gate->count < ERA_HANDSHAKES_MAX;
}

void era_link_gate_enter(struct era_link_driver *d, struct link *l)
{
    struct era_link_gate *gate = &d->gate;
    assert(gate->count < ERA_HANDSHAKES_MAX && !l->stranger);
    l->row = row_of(gate, &l->host);
    l->entered = d->generation;
    l->stranger = true;
    l->waits = false;
    l->stranger_at = gate->count;
    gate->strangers[gate->count++] = l;
}

void era_link_gate_leave(struct era_link_driver *d, struct link *l)
{
    struct era_link_gate *gate = &d->gate;
    if (!l->stranger)
        return;
    gate->waiting -= l->waits;
    l->stranger = l->waits = false;
    struct link *last = gate->strangers[--gate->count];
    gate->strangers[l->stranger_at] = last;
    last->stranger_at = l->stranger_at;
}

/* ---- work ---- */

static struct link *next_served(const struct era_link_gate *gate)
{
    struct link *chosen = NULL;
    for (size_t i = 0; i < gate->count; i++) {
        struct link *l = gate->strangers[i];
        if (l->waits && (chosen == NULL || gate->served[l->row] < gate->served[chosen->row] ||
                         (l->row == chosen->row && l->entered < chosen->entered)))
            chosen = l;
    }
    return chosen;
}

void era_link_gate_serve(struct era_link_driver *d)
{
    struct era_link_gate *gate = &d->gate;
    while (gate->waiting > 0 && pay(&gate->handshakes, ERA_HANDSHAKES_BURST, ERA_HANDSHAKES_PER_S)) {
        struct link *l = next_served(gate);
        gate->served[l->row] = ++gate->turn;
        gate->waiting--;
        l->waits = false;
        era_channel_go(&l->channel);
        era_link_make_ready(d, l);
    }
    if (gate->waiting == 0 || d->pace.busy)
        return;
    d->pace.busy = true;
    nng_sleep_aio(PACE_MS, d->pace.aio);
}

void era_link_gate_wait(struct era_link_driver *d, struct link *l)
{
    assert(l->stranger && !l->waits);
    l->waits = true;
    d->gate.waiting++;
    era_link_gate_serve(d);
}
