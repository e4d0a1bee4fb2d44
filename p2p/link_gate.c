#include "p2p/link_gate.h"

#include "p2p/link_internal.h"

#include <assert.h>
#include <errno.h>
#include <nng/supplemental/util/platform.h>
#include <sodium.h>
#include <string.h>

#define PACE_MS 20 /* between two looks at who waits */

/* Bytes of a host, its family before them, that its net, its site and itself share. */
static const size_t share_v4[ERA_LINK_GATE_LEVELS] = {3, 4, 5}, share_v6[ERA_LINK_GATE_LEVELS] = {5, 7, 9};

static void rows_of(const struct era_link_gate *gate, const struct era_link_host *host,
                    uint8_t rows[ERA_LINK_GATE_LEVELS])
{
    static_assert(ERA_LINK_GATE_ROWS <= UINT8_MAX + 1, "a row fits its type");
    const size_t *share = host->b[0] == NNG_AF_INET6 ? share_v6 : share_v4;
    for (size_t level = 0; level < ERA_LINK_GATE_LEVELS; level++)
        rows[level] = (uint8_t)(era_siphash(&gate->key, host->b, share[level]) % ERA_LINK_GATE_ROWS);
}

void era_link_gate_init(struct era_link_gate *gate)
{
    *gate = (struct era_link_gate){0};
    randombytes_buf(&gate->key, sizeof gate->key);
}

/* ---- pace ---- */

static bool has_room(struct era_link_pace *pace, uint64_t burst, uint64_t per_s)
{
    uint64_t now_ms = nng_clock(), back = era_mul_sat(now_ms - pace->at_ms, per_s);
    pace->spent -= back < pace->spent ? back : pace->spent;
    pace->at_ms = now_ms;
    return pace->spent + 1000 <= 1000 * burst;
}

bool era_link_gate_opens(struct era_link_gate *gate)
{
    return has_room(&gate->accepts, ERA_ACCEPTS_BURST, ERA_ACCEPTS_PER_S) &&
           has_room(&gate->turned_away, ERA_TURNED_AWAY_BURST, ERA_TURNED_AWAY_PER_S);
}

void era_link_gate_took(struct era_link_gate *gate, bool welcome)
{
    (welcome ? &gate->accepts : &gate->turned_away)->spent += 1000;
}

/* ---- places ---- */

/* What it would cost to lose it: least first. */
static unsigned worth(const struct link *l)
{
    return l->state == LINK_FLUSHING ? 0 : l->channel.state == ERA_CHANNEL_PREAMBLE ? 1 : 2;
}

/* Keeps those in whose rows of that level there are the most. Returns how many they are. */
static size_t keep_crowd(struct link **of, size_t count, size_t level)
{
    size_t held[ERA_LINK_GATE_ROWS] = {0}, most = 0, kept = 0;
    for (size_t i = 0; i < count; i++)
        if (++held[of[i]->rows[level]] > most)
            most = held[of[i]->rows[level]];
    for (size_t i = 0; i < count; i++)
        if (held[of[i]->rows[level]] == most)
            of[kept++] = of[i];
    return kept;
}

static struct link *least(struct link **of, size_t count)
{
    struct link *chosen = of[0];
    for (size_t i = 1; i < count; i++)
        if (worth(of[i]) < worth(chosen) ||
            (worth(of[i]) == worth(chosen) && of[i]->entered < chosen->entered))
            chosen = of[i];
    return chosen;
}

bool era_link_gate_admit(struct era_link_driver *d, const struct era_link_host *host)
{
    struct era_link_gate *gate = &d->gate;
    struct link *of[ERA_HANDSHAKES_MAX], *out = NULL;
    uint8_t rows[ERA_LINK_GATE_LEVELS];
    size_t own = 0, crowd = gate->count;
    rows_of(gate, host, rows);
    for (size_t i = 0; i < gate->count; i++)
        if (gate->strangers[i]->rows[ERA_LINK_GATE_LEVELS - 1] == rows[ERA_LINK_GATE_LEVELS - 1])
            of[own++] = gate->strangers[i];
    if (own >= ERA_HANDSHAKES_PER_ADDRESS_MAX) {
        out = least(of, own);
    } else if (gate->count == ERA_HANDSHAKES_MAX) {
        memcpy(of, gate->strangers, sizeof of);
        for (size_t level = 0; level < ERA_LINK_GATE_LEVELS; level++)
            crowd = keep_crowd(of, crowd, level);
        out = least(of, crowd);
    }
    if (out != NULL)
        era_link_shut(d, out, ERA_TOO_MANY_LINKS, -EBADMSG);
    return gate->count < ERA_HANDSHAKES_MAX;
}

void era_link_gate_enter(struct era_link_driver *d, struct link *l)
{
    struct era_link_gate *gate = &d->gate;
    assert(gate->count < ERA_HANDSHAKES_MAX && !l->stranger);
    rows_of(gate, &l->host, l->rows);
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

/* Is it a's turn before b's? */
static bool goes_before(const struct era_link_gate *gate, const struct link *a, const struct link *b)
{
    for (size_t level = 0; level < ERA_LINK_GATE_LEVELS; level++) {
        uint64_t of_a = gate->served[level][a->rows[level]], of_b = gate->served[level][b->rows[level]];
        if (of_a != of_b)
            return of_a < of_b;
    }
    return a->entered < b->entered;
}

static struct link *next_served(const struct era_link_gate *gate)
{
    struct link *chosen = NULL;
    for (size_t i = 0; i < gate->count; i++) {
        struct link *l = gate->strangers[i];
        if (l->waits && (chosen == NULL || goes_before(gate, l, chosen)))
            chosen = l;
    }
    return chosen;
}

void era_link_gate_serve(struct era_link_driver *d)
{
    struct era_link_gate *gate = &d->gate;
    while (gate->waiting > 0 && has_room(&gate->handshakes, ERA_HANDSHAKES_BURST, ERA_HANDSHAKES_PER_S)) {
        struct link *l = next_served(gate);
        gate->handshakes.spent += 1000;
        gate->turn++;
        for (size_t level = 0; level < ERA_LINK_GATE_LEVELS; level++)
            gate->served[level][l->rows[level]] = gate->turn;
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
