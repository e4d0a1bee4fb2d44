/* Reconciliation of one set on one link. Whoever dialled begins the rounds; the
 * other end only when it has something to heal, or hears no round for long,
 * or, hearing only rounds that differ, has not yet learned all that the peer
 * holds. A round that finds the ends equal doubles the interval to the next.
 *
 *   beginner                          other end
 *   Digest(round)           ->
 *                           <-        Cells: equal, or wait; the round is over
 *                           <-        Cells: as many as the estimate says
 *   takes them apart; when that fails:
 *   Ask: so many more       ->
 *                           <-        Cells: more
 *   Ask: the short ids that we lack, those that we offer; done
 *   what the peer lacks     ->
 *                           <-        what was asked for
 *
 * or, when one end has almost nothing of the other's set, the whole set in
 * order: see gossip_pages.c. What was sent on this link before is offered
 * instead of sent: the peer may have refused it. Whoever lacks an item learns
 * from one peer at a time, and never asks for what it refused.
 *
 * Should short ids collide, or cells not come apart, the ends differ and cannot
 * say by what: the prints of the sets tell, and a new salt answers, known to
 * the two ends alone (gossip_sketch.c). */
#include "p2p/gossip_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BARREN_MAX 3 /* rounds in a row that found nothing to exchange, under the network's salt */

struct era_bytes era_sync_secret(const struct era_link *link)
{
    return (struct era_bytes){link->sync_salt[0], sizeof link->sync_salt};
}

/* ---- pace ---- */

/* The dialler's next round, or how long the other end waits for it: the
 * intervals of both follow the same rule, so three of them are long. */
uint64_t era_sync_next_round_ms(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    uint64_t interval = era_sync_of(link, set)->interval_ms;
    uint64_t wait = era_gossip_jitter(g, interval);
    if (!link->info.outgoing)
        wait += 3 * interval;
    else if (set == ERA_SET_STATEMENTS && wait > ERA_KEEP_ALIVE_MS)
        wait = ERA_KEEP_ALIVE_MS; /* events may not flow: these rounds alone keep the link alive */
    return era_add_sat(g->now_ms, wait);
}

void era_sync_start(struct era_gossip *g, struct era_link *link)
{
    for (size_t i = 0; i < ERA_SETS; i++) {
        struct era_sync *sync = &link->sync[i];
        era_sync_salt_begin(g, link, (enum era_set)(i + 1));
        sync->round = link->info.outgoing ? 0 : 1;
        sync->since_ms = g->now_ms;
        sync->interval_ms = ERA_SYNC_INTERVAL_MS;
        sync->next_ms =
            link->info.outgoing ? g->now_ms : era_sync_next_round_ms(g, link, (enum era_set)(i + 1));
    }
}

static void hasten(struct era_gossip *g, struct era_link *link, enum era_set set, uint64_t interval_ms)
{
    struct era_sync *sync = era_sync_of(link, set);
    if (link->info.state != ERA_PEER_UP || sync->interval_ms <= interval_ms)
        return;
    sync->interval_ms = interval_ms;
    uint64_t next_ms = era_sync_next_round_ms(g, link, set);
    if (next_ms < sync->next_ms)
        sync->next_ms = next_ms;
}

void era_sync_stir(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    hasten(g, link, set, ERA_SYNC_INTERVAL_MS);
}

/* Pushes bring what is new, and say so when they fail: all links together make sure at the pace of one. */
void era_sync_stir_all(struct era_gossip *g, enum era_set set)
{
    uint64_t interval_ms = (uint64_t)ERA_SYNC_INTERVAL_MS * g->link_count;
    for (size_t i = 0; i < g->link_count; i++)
        hasten(g, g->links[i], set, interval_ms < ERA_SYNC_QUIET_MS ? interval_ms : ERA_SYNC_QUIET_MS);
}

void era_sync_soon(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    era_sync_stir(g, link, set);
    era_sync_of(link, set)->next_ms = g->now_ms;
}

void era_sync_hurry(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = era_sync_of(link, set);
    uint64_t soon_ms = era_add_sat(g->now_ms, ERA_MOVED_MS + era_gossip_jitter(g, ERA_CONFIRM_MS));
    if (soon_ms < sync->next_ms)
        sync->next_ms = soon_ms;
}

void era_sync_flows_again(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    era_sync_of(link, set)->since_ms = g->now_ms;
    era_sync_soon(g, link, set);
}

static void slow_down(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = era_sync_of(link, set);
    sync->interval_ms *= 2;
    if (sync->interval_ms > ERA_SYNC_QUIET_MS)
        sync->interval_ms = ERA_SYNC_QUIET_MS;
    sync->next_ms = era_sync_next_round_ms(g, link, set);
}

/* ---- what rounds found ---- */

static void count_complete(struct era_gossip *g, struct era_link *link)
{
    link->info.complete_rounds++;
    g->complete_rounds++;
    if (link->info.complete_rounds == 1)
        era_anchors_reconciled(g);
}

void era_sync_equal_round(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    slow_down(g, link, set);
    era_sync_of(link, set)->unequal = 0;
    if (set != ERA_SET_STATEMENTS)
        return;
    link->info.equal_rounds++;
    g->equal_rounds++;
    g->equal_ms = g->now_ms;
    count_complete(g, link);
}

void era_sync_complete(struct era_gossip *g, struct era_link *link)
{
    struct era_sync *sync = era_sync_of(link, ERA_SET_STATEMENTS);
    if (sync->active || !sync->whole || sync->owed > 0)
        return;
    sync->whole = false;
    count_complete(g, link);
}

/* ---- words ---- */

void era_sync_send_cells(struct era_gossip *g, struct era_link *link, const struct era_frame_cells *cells)
{
    struct era_frame_builder frame;
    era_frame_begin(&frame, g->frame_room);
    bool fits = era_frame_add_cells(&frame, cells);
    assert(fits);
    era_link_send(g, link, &frame);
}

void era_sync_send_ask(struct era_gossip *g, struct era_link *link, const struct era_frame_ask *ask)
{
    struct era_frame_builder frame;
    era_frame_begin(&frame, g->frame_room);
    bool fits = era_frame_add_ask(&frame, ask);
    assert(fits);
    era_link_send(g, link, &frame);
}

/* ---- the rounds we begin ---- */

/* Nothing of it is learned. */
static void give_up(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = era_sync_of(link, set);
    sync->active = sync->taking = sync->whole = false;
    era_sync_forget_got(g, sync);
    era_sketch_trim(g, sync);
    era_teacher_leave(g, link, set);
}

/* Rounds bring something time and again, and the sets do not become equal: under what differs for a moment
 * two short ids may be one, which cancel each other in all cells. */
static bool hides_something(const struct era_gossip *g, const struct era_sync *sync)
{
    return sync->salt_number == 0 && sync->unequal >= ERA_SYNC_UNEQUAL_MAX && sync->requests == 0 &&
           g->now_ms - sync->unequal_ms >= ERA_SYNC_UNEQUAL_MS;
}

/* A bound of time, and not of rounds: the peer's come seldom while it waits too. */
bool era_sync_waits_for_flood(const struct era_gossip *g, const struct era_link *link, enum era_set set,
                              uint64_t *since_ms)
{
    bool floods = era_sync_floods(g, link, set);
    if (floods && *since_ms == 0)
        *since_ms = g->now_ms;
    if (floods && g->now_ms - *since_ms < ERA_FLOOD_WAIT_MS)
        return true;
    *since_ms = 0;
    return false;
}

static void begin_round(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = era_sync_of(link, set);
    bool busy = sync->active || sync->taking || sync->paging || sync->found.short_ids != NULL;
    sync->next_ms = era_sync_next_round_ms(g, link, set);
    if ((busy && g->now_ms - sync->heard_ms < ERA_SYNC_STALL_MS) ||
        !era_link_has_room(g, link, ERA_LINK_BULK_BYTES_MAX))
        return;
    if (!era_teacher_is_free(g, link, set, true) && era_teacher_is_busy(g, set)) {
        sync->next_ms = era_add_sat(g->now_ms, era_gossip_jitter(g, ERA_MOVED_MS));
        return;
    }
    if (era_sync_waits_for_flood(g, link, set, &sync->flood_ms)) {
        sync->next_ms = era_add_sat(g->now_ms, ERA_MOVED_MS + era_gossip_jitter(g, ERA_CONFIRM_MS));
        return;
    }
    if (sync->active)
        era_link_silent(g, link); /* the round before was never answered */
    if (link->closing)
        return;
    give_up(g, link, set);
    era_findings_clear(g, sync);
    sync->paging = false;
    if (hides_something(g, sync))
        era_sync_salt_next(g, link, set);
    const struct era_sketch *sketch = era_sketch_ready(g, link, set, 0);
    if (sketch == NULL)
        return;
    sync->round += 2;
    sync->active = true;
    sync->heard_ms = g->now_ms;
    sync->whole = set == ERA_SET_STATEMENTS;
    sync->owed = 0;
    sync->begun_changes = g->changes[set - 1];
    uint8_t print[ERA_SYNC_PRINT_BYTES];
    era_setsum_print(&g->shared[set - 1].sum, era_sync_secret(link), print);
    const struct era_cursor *upto = &g->upto[set - 1];
    struct era_frame_digest digest = {.set = set,
                                      .round = sync->round,
                                      .salt = sync->salt_number,
                                      .count = sketch->count,
                                      .print = {print, sizeof print},
                                      .estimate = {sketch->estimate, ERA_SYNC_ESTIMATE_BYTES},
                                      .upto = {upto->at.b, upto->some ? ERA_HASH_BYTES : 0},
                                      .alone = era_teacher_take(g, link, set, true)};
    struct era_frame_builder frame;
    era_frame_begin(&frame, g->frame_room);
    bool fits = era_frame_add_digest(&frame, &digest);
    assert(fits);
    era_link_send(g, link, &frame);
}

static void wait_awhile(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    give_up(g, link, set);
    era_sync_stir(g, link, set);
    era_sync_of(link, set)->next_ms = era_add_sat(g->now_ms, ERA_MOVED_MS);
}

/* Cells that do not come apart: by bad luck with one salt, never with several. */
static void cells_failed(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = era_sync_of(link, set);
    link->info.undecoded_rounds++;
    g->totals.undecoded_rounds++;
    sync->failures++;
    wait_awhile(g, link, set);
    era_sync_salt_next(g, link, set);
    if (sync->failures >= ERA_SYNC_FAILURES_MAX)
        era_link_charge(g, link, ERA_BAD_VALUE);
}

static void ask_more_cells(struct era_gossip *g, struct era_link *link, enum era_set set, uint64_t guess)
{
    struct era_sync *sync = era_sync_of(link, set);
    uint64_t total = era_cells_needed(guess + guess / 8), least = sync->got_count + sync->got_count / 4 + 8;
    if (total < least)
        total = least;
    if (total > ERA_SYNC_CELLS_MAX)
        total = ERA_SYNC_CELLS_MAX;
    if (sync->batches == ERA_SYNC_BATCHES_MAX || total <= sync->got_count) {
        cells_failed(g, link, set);
        return;
    }
    struct era_frame_ask ask = {
        .set = set, .round = sync->round, .cells = (uint32_t)(total - sync->got_count)};
    era_sync_send_ask(g, link, &ask);
}

/* Ours against the peer's, which stay as they came. */
static void take_apart(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = era_sync_of(link, set);
    size_t count = sync->got_count, found = 0;
    const struct era_sketch *sketch = era_sketch_ready(g, link, set, count);
    if (sketch == NULL) {
        wait_awhile(g, link, set);
        return;
    }
    struct era_cell *cells = malloc(count * sizeof *cells);
    uint64_t *short_ids = malloc(count * sizeof *short_ids);
    assert(cells != NULL && short_ids != NULL);
    memcpy(cells, sync->got, count * sizeof *cells);
    era_cells_subtract(cells, sketch->cells, count);
    uint64_t guess = era_cells_guess(cells, count);
    bool apart = era_cells_peel(cells, count, short_ids, &found);
    free(cells);
    if (!apart) {
        free(short_ids);
        ask_more_cells(g, link, set, guess);
        return;
    }
    if (found == 0 && sync->begun_changes == g->changes[set - 1]) {
        free(short_ids); /* unequal, but by nothing: short ids collide */
        cells_failed(g, link, set);
        return;
    }
    sync->active = false;
    sync->failures = 0;
    era_sync_forget_got(g, sync);
    era_sketch_trim(g, sync);
    if (sync->unequal++ == 0)
        sync->unequal_ms = g->now_ms;
    if (era_fetch_begin(g, link, set, short_ids, found)) {
        sync->barren = 0;
        era_sync_stir(g, link, set);
        return;
    }
    slow_down(g, link, set); /* what differs, one of us refused; or ours hides what is the peer's */
    if (sync->salt_number == 0 && ++sync->barren == BARREN_MAX)
        era_sync_salt_next(g, link, set);
}

/* Cells of a batch that is not whole are no good to anybody: where room is short the oldest batch gives way,
 * and holding back is charged. False: there is none. */
static bool oldest_batch_gives_way(struct era_gossip *g, const struct era_link *but)
{
    struct era_link *oldest = NULL;
    enum era_set of = ERA_SET_STATEMENTS;
    for (size_t i = 0; i < 2 * g->link_count; i++) {
        struct era_link *l = g->links[i / 2];
        enum era_set set = i % 2 == 0 ? ERA_SET_STATEMENTS : ERA_SET_EVENTS;
        const struct era_sync *s = era_sync_of(l, set);
        if (l == but || l->closing || s->held == 0 || s->got_count == 0 || s->batch_ms == 0 ||
            g->now_ms - s->batch_ms < ERA_SYNC_CROWDED_MS ||
            (oldest != NULL && s->batch_ms >= era_sync_of(oldest, of)->batch_ms))
            continue;
        oldest = l;
        of = set;
    }
    if (oldest == NULL)
        return false;
    wait_awhile(g, oldest, of);
    era_link_silent(g, oldest);
    return true;
}

static void take_cells(struct era_gossip *g, struct era_link *link, enum era_set set,
                       const struct era_frame_cells *cells)
{
    struct era_sync *sync = era_sync_of(link, set);
    size_t count = cells->cells.len / ERA_SYNC_CELL_BYTES, total = sync->got_count + count;
    if (total > ERA_SYNC_CELLS_MAX) {
        wait_awhile(g, link, set);
        era_link_charge(g, link, ERA_OVERSIZED);
        return;
    }
    if (sync->batch_ms == 0)
        sync->batch_ms = g->now_ms;
    bool stalls = g->now_ms - sync->batch_ms >= ERA_SYNC_STALL_MS;
    while (!stalls && !era_sync_may_hold(g, sync, sync->own.size, total))
        if (!oldest_batch_gives_way(g, link)) {
            wait_awhile(g, link, set);
            return;
        }
    if (stalls) {
        wait_awhile(g, link, set);
        era_link_silent(g, link);
        return;
    }
    sync->got = realloc(sync->got, total * sizeof *sync->got);
    assert(sync->got != NULL);
    era_cells_read(cells->cells.data, count, sync->got + sync->got_count);
    sync->got_count = total;
    if (cells->more)
        return;
    sync->batch_ms = 0;
    sync->batches++;
    take_apart(g, link, set);
}

static void take_answer(struct era_gossip *g, struct era_link *link, enum era_set set,
                        const struct era_frame_cells *answer)
{
    struct era_sync *sync = era_sync_of(link, set);
    sync->heard_ms = g->now_ms;
    era_link_answered(link);
    switch (answer->word) {
    case ERA_WORD_EQUAL:
        give_up(g, link, set);
        sync->failures = sync->barren = 0;
        g->upto[set - 1].some = false;
        era_sync_equal_round(g, link, set);
        break;
    case ERA_WORD_WAIT:
        wait_awhile(g, link, set);
        break;
    case ERA_WORD_CELLS:
        take_cells(g, link, set, answer);
        break;
    case ERA_WORD_PAGES:
    case ERA_WORD_END:
        era_sync_stir(g, link, set);
        era_pages_heard(g, link, set, answer);
        break;
    case ERA_WORD_SEND:
        give_up(g, link, set);
        era_sync_stir(g, link, set);
        era_pages_begin(g, link, set, sync->round, answer->upto);
        break;
    case ERA_WORD_COUNT:
        break;
    }
}

/* A word of a round given up is late, not wrong. */
void era_sync_cells(struct era_gossip *g, struct era_link *link, const struct era_frame_cells *cells)
{
    if (!era_set_is_known(cells->set) || !era_set_flows(g, link, (enum era_set)cells->set))
        return;
    enum era_set set = (enum era_set)cells->set;
    struct era_sync *sync = era_sync_of(link, set);
    bool pages = cells->word == ERA_WORD_PAGES || cells->word == ERA_WORD_END;
    if (cells->round % 2 == sync->round % 2) {
        if (sync->active && cells->round == sync->round)
            take_answer(g, link, set, cells);
    } else if (!pages) {
        era_link_charge(g, link, ERA_BAD_VALUE);
    } else if (sync->taking && cells->round == sync->peer_round) {
        era_pages_heard(g, link, set, cells);
    }
}

/* ---- what waits for room ---- */

void era_sync_pump(struct era_gossip *g, struct era_link *link)
{
    if (link->closing || link->info.state != ERA_PEER_UP)
        return;
    if (link->serve.count > 0)
        era_serve_flush(g, link);
    for (size_t i = 0; i < ERA_SETS; i++) {
        enum era_set set = (enum era_set)(i + 1);
        if (!era_set_flows(g, link, set))
            continue;
        const struct era_sync *sync = &link->sync[i];
        if (sync->due) /* mostly nothing waits, and this is asked for each link in every step */
            era_answer_pump(g, link, set);
        if (sync->found.short_ids != NULL)
            era_fetch_pump(g, link, set);
        if (sync->paging)
            era_pages_pump(g, link, set);
    }
}

void era_sync_tick(struct era_gossip *g, struct era_link *link)
{
    for (size_t i = 0; i < ERA_SETS; i++) {
        enum era_set set = (enum era_set)(i + 1);
        struct era_sync *sync = &link->sync[i];
        if (sync->answering && g->now_ms - sync->peer_heard_ms >= ERA_SYNC_STALL_MS) {
            sync->answering = false;
            era_sketch_trim(g, sync);
        }
        if (era_set_flows(g, link, set) && era_gossip_is_due(g, sync->next_ms))
            begin_round(g, link, set);
    }
    era_sync_pump(g, link);
}
