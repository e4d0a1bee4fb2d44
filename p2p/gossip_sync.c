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
 * The salt keeps outsiders from making short ids collide. Should two collide,
 * or cells not come apart, the ends differ and cannot say by what: the prints
 * of the sets tell, and a new salt answers. */
#include "p2p/gossip_internal.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SKETCH_CELLS_MIN 32 /* of a sketch when it is first made… */
#define SKETCH_SHARE     64 /* …and of a large set, one cell for so many items: made anew less often */

struct era_sync *era_sync_of(struct era_link *link, enum era_set set)
{
    return &link->sync[set - 1];
}

/* ---- pace ---- */

/* The dialler's next round, or how long the other end waits for it: the
 * intervals of both follow the same rule, so three of them are long. */
static uint64_t next_round_ms(struct era_gossip *g, struct era_link *link, enum era_set set)
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
        sync->round = link->info.outgoing ? 0 : 1;
        sync->since_ms = g->now_ms;
        sync->interval_ms = ERA_SYNC_INTERVAL_MS;
        sync->next_ms = link->info.outgoing ? g->now_ms : next_round_ms(g, link, (enum era_set)(i + 1));
    }
}

void era_sync_stir(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = era_sync_of(link, set);
    if (link->info.state != ERA_PEER_UP || sync->interval_ms == ERA_SYNC_INTERVAL_MS)
        return;
    sync->interval_ms = ERA_SYNC_INTERVAL_MS;
    uint64_t next_ms = next_round_ms(g, link, set);
    if (next_ms < sync->next_ms)
        sync->next_ms = next_ms;
}

void era_sync_stir_all(struct era_gossip *g, enum era_set set)
{
    for (size_t i = 0; i < g->link_count; i++)
        era_sync_stir(g, g->links[i], set);
}

void era_sync_soon(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    era_sync_stir(g, link, set);
    era_sync_of(link, set)->next_ms = g->now_ms;
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
    sync->next_ms = next_round_ms(g, link, set);
}

/* ---- what rounds found ---- */

static void count_complete(struct era_gossip *g, struct era_link *link)
{
    link->info.complete_rounds++;
    g->complete_rounds++;
    if (link->info.complete_rounds == 1)
        era_anchors_reconciled(g);
}

static void equal_round(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    slow_down(g, link, set);
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

/* ---- salt and sketch ---- */

void era_sync_salt(const struct era_gossip *g, uint64_t link, uint8_t out[ERA_FRAME_SALT_BYTES])
{
    uint8_t number[8];
    era_put_be64(number, link);
    crypto_generichash(out, ERA_FRAME_SALT_BYTES, number, sizeof number, g->key.b, sizeof g->key.b);
}

static struct era_salt salt_of(const struct era_link *link, enum era_set set, uint32_t number)
{
    struct era_salt salt;
    uint8_t in[sizeof link->sync_salt + 1 + 4];
    memcpy(in, link->sync_salt, sizeof link->sync_salt);
    in[sizeof link->sync_salt] = (uint8_t)set;
    era_put_be32(in + sizeof link->sync_salt + 1, number);
    crypto_generichash(salt.key.b, sizeof salt.key.b, in, sizeof in, NULL, 0);
    return salt;
}

static size_t above_kept(size_t count)
{
    return count > ERA_SYNC_CELLS_KEPT_MAX ? count - ERA_SYNC_CELLS_KEPT_MAX : 0;
}

static bool hold(struct era_gossip *g, struct era_sync *sync, size_t sketch, size_t got, size_t found)
{
    size_t held = above_kept(sketch) + above_kept(got) + above_kept(found);
    if (held > sync->held && g->cells_held - sync->held + held > ERA_SYNC_CELLS_TOTAL_MAX)
        return false;
    g->cells_held = g->cells_held - sync->held + held;
    sync->held = held;
    return true;
}

void era_sync_hold(struct era_gossip *g, struct era_sync *sync)
{
    bool fits = hold(g, sync, sync->sketch.size, sync->got_count, sync->found.count);
    assert(fits); /* it became less */
}

static void drop_sketch(struct era_gossip *g, struct era_sync *sync)
{
    era_sketch_release(&sync->sketch);
    sync->ready = false;
    era_sync_hold(g, sync);
}

static void new_salt(struct era_gossip *g, struct era_sync *sync)
{
    sync->salt++;
    sync->salt_ms = g->now_ms;
    drop_sketch(g, sync);
}

/* A sketch of at least size cells. False when that is beyond the bounds. O(n) when it must be made. */
static bool sketch_ready(struct era_gossip *g, struct era_link *link, enum era_set set, size_t size)
{
    struct era_sync *sync = era_sync_of(link, set);
    if (sync->ready && sync->sketch.size >= size)
        return true;
    size_t want = SKETCH_CELLS_MIN, least = era_idset_count(g->sets[set - 1]) / SKETCH_SHARE;
    if (least > ERA_SYNC_CELLS_KEPT_MAX)
        least = ERA_SYNC_CELLS_KEPT_MAX;
    while (want < size || want < least)
        want *= 2;
    if (want > ERA_SYNC_CELLS_MAX || !hold(g, sync, want, sync->got_count, sync->found.count))
        return false;
    if (want > ERA_SYNC_CELLS_KEPT_MAX) {
        bool rests = sync->grown_ms != 0 && g->now_ms - sync->grown_ms < ERA_SYNC_GROW_REST_MS;
        if (rests && !sync->grown) {
            era_sync_hold(g, sync);
            return false;
        }
        sync->grown = true;
        sync->grown_ms = g->now_ms;
    }
    struct era_salt salt = salt_of(link, set, sync->salt);
    era_sketch_release(&sync->sketch);
    era_sketch_init(&sync->sketch, &salt, want);
    era_idset_sketch(g->sets[set - 1], &sync->sketch);
    sync->ready = true;
    return true;
}

/* The round that needed so many cells is over. */
static void trim(struct era_gossip *g, struct era_sync *sync)
{
    struct era_sketch *sketch = &sync->sketch;
    sync->grown = false;
    if (sketch->size <= ERA_SYNC_CELLS_KEPT_MAX || sync->active || sync->answering)
        return;
    sketch->size = ERA_SYNC_CELLS_KEPT_MAX;
    sketch->cells = realloc(sketch->cells, sketch->size * sizeof *sketch->cells);
    assert(sketch->cells != NULL);
    era_sync_hold(g, sync);
}

static void forget_got(struct era_gossip *g, struct era_sync *sync)
{
    free(sync->got);
    sync->got = NULL;
    sync->got_count = sync->batches = 0;
    era_sync_hold(g, sync);
}

void era_sync_release(struct era_gossip *g, struct era_link *link)
{
    for (size_t i = 0; i < ERA_SETS; i++) {
        struct era_sync *sync = &link->sync[i];
        era_findings_clear(g, sync);
        forget_got(g, sync);
        drop_sketch(g, sync);
    }
    free(link->served);
}

/* ---- the set moves ---- */

static void follow(struct era_gossip *g, enum era_set set, const struct era_hash *id, bool came)
{
    g->changes[set - 1]++;
    for (size_t i = 0; i < g->link_count; i++) {
        struct era_sync *sync = era_sync_of(g->links[i], set);
        if (!sync->ready)
            continue;
        struct era_tag tag = era_tag_of(&sync->sketch.salt, id);
        if (came)
            era_sketch_put(&sync->sketch, &tag);
        else
            era_sketch_drop(&sync->sketch, &tag);
        if (!sync->answering)
            continue;
        if (sync->change_count == ERA_SYNC_CHANGES_MAX)
            sync->answering = false; /* more cells would be of another set than the first were */
        else
            sync->changed[sync->change_count++] = tag.short_id;
    }
    era_sync_stir_all(g, set);
}

static bool add_id(struct era_gossip *g, enum era_set set, const struct era_hash *id)
{
    uint32_t number;
    if (g->config.number != NULL && g->config.number(g->config.ctx, set, id, &number))
        return era_idset_add_named(g->sets[set - 1], id, number);
    return era_idset_add(g->sets[set - 1], id);
}

void era_sync_add(struct era_gossip *g, enum era_set set, const struct era_hash *id, uint64_t moved_ms)
{
    if (!add_id(g, set, id))
        return;
    struct era_moved *moved = &g->moved[set - 1];
    if (moved_ms != 0) {
        moved->ids[moved->next] = *id;
        moved->at_ms[moved->next] = moved_ms;
        moved->next = (moved->next + 1) % ERA_MOVED_ITEMS_MAX;
    }
    follow(g, set, id, true);
}

void era_sync_remove(struct era_gossip *g, enum era_set set, const struct era_hash *id)
{
    if (era_idset_remove(g->sets[set - 1], id))
        follow(g, set, id, false);
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
    forget_got(g, sync);
    trim(g, sync);
    era_teacher_leave(g, link, set);
}

static void begin_round(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = era_sync_of(link, set);
    bool busy = sync->active || sync->taking || sync->paging || sync->found.short_ids != NULL;
    sync->next_ms = next_round_ms(g, link, set);
    if ((busy && g->now_ms - sync->heard_ms < ERA_SYNC_STALL_MS) ||
        !era_link_has_room(link, ERA_LINK_BULK_BYTES_MAX))
        return;
    if (!era_teacher_is_free(g, link, set, true) && era_teacher_is_busy(g, set)) {
        sync->next_ms = era_add_sat(g->now_ms, era_gossip_jitter(g, ERA_MOVED_MS));
        return;
    }
    if (sync->active)
        era_link_silent(g, link); /* the round before was never answered */
    if (link->closing)
        return;
    give_up(g, link, set);
    era_findings_clear(g, sync);
    sync->paging = false;
    if (!sketch_ready(g, link, set, SKETCH_CELLS_MIN))
        return;
    sync->round += 2;
    sync->active = true;
    sync->heard_ms = g->now_ms;
    sync->whole = set == ERA_SET_STATEMENTS;
    sync->owed = 0;
    sync->begun_changes = g->changes[set - 1];
    uint8_t print[ERA_SYNC_PRINT_BYTES];
    era_sketch_print(&sync->sketch, print);
    const struct era_cursor *upto = &g->upto[set - 1];
    struct era_frame_digest digest = {.set = set,
                                      .round = sync->round,
                                      .salt = sync->salt,
                                      .count = sync->sketch.count,
                                      .print = {print, sizeof print},
                                      .estimate = {sync->sketch.estimate, ERA_SYNC_ESTIMATE_BYTES},
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
    sync->failures++;
    wait_awhile(g, link, set);
    new_salt(g, sync);
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
    if (!sketch_ready(g, link, set, count)) {
        wait_awhile(g, link, set);
        return;
    }
    struct era_cell *cells = malloc(count * sizeof *cells);
    uint64_t *short_ids = malloc(count * sizeof *short_ids);
    assert(cells != NULL && short_ids != NULL);
    memcpy(cells, sync->got, count * sizeof *cells);
    era_cells_subtract(cells, sync->sketch.cells, count);
    uint64_t guess = era_cells_guess(cells, count);
    bool apart = era_cells_peel(cells, count, short_ids, &found);
    free(cells);
    if (!apart) {
        free(short_ids);
        ask_more_cells(g, link, set, guess);
        return;
    }
    sync->active = false;
    sync->failures = 0;
    forget_got(g, sync);
    trim(g, sync);
    if (found == 0 && sync->begun_changes == g->changes[set - 1]) {
        free(short_ids); /* unequal, but by nothing: short ids collide */
        link->info.undecoded_rounds++;
        wait_awhile(g, link, set);
        new_salt(g, sync);
        return;
    }
    if (era_fetch_begin(g, link, set, short_ids, found))
        era_sync_stir(g, link, set);
    else
        slow_down(g, link, set); /* what differs, one of us refused */
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
    if (!hold(g, sync, sync->sketch.size, total, sync->found.count)) {
        wait_awhile(g, link, set);
        return;
    }
    sync->got = realloc(sync->got, total * sizeof *sync->got);
    assert(sync->got != NULL);
    era_cells_read(cells->cells.data, count, sync->got + sync->got_count);
    sync->got_count = total;
    if (cells->more)
        return;
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
        sync->failures = 0;
        g->upto[set - 1].some = false;
        equal_round(g, link, set);
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

/* ---- the rounds the peer begins ---- */

/* Item i of those that came last: it came since the set flows here, within so long. On a new link only
 * what was pushed on it is under way. */
static bool moves_at(const struct era_gossip *g, const struct era_link *link, enum era_set set, size_t i,
                     uint64_t ms)
{
    const struct era_moved *moved = &g->moved[set - 1];
    uint64_t since_ms = link->sync[set - 1].since_ms;
    return moved->at_ms[i] > since_ms && g->now_ms - moved->at_ms[i] < ms &&
           (g->now_ms - since_ms >= 2 * ERA_MOVED_MS || era_sent_before(g, link, &moved->ids[i]));
}

bool era_sync_moves(const struct era_gossip *g, const struct era_link *link, enum era_set set,
                    const struct era_hash *id, uint64_t ms)
{
    const struct era_moved *moved = &g->moved[set - 1];
    for (size_t i = 0; i < ERA_MOVED_ITEMS_MAX; i++)
        if (moves_at(g, link, set, i, ms) && era_hash_eq(&moved->ids[i], id))
            return true;
    return false;
}

/* Items that came a moment ago are most likely under way to the peer, by this link or another: the
 * answer to its round is that of a set without them. */
static struct era_sketch without_moving(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = era_sync_of(link, set);
    const struct era_moved *moved = &g->moved[set - 1];
    struct era_sketch rest = sync->sketch;
    rest.cells = NULL;
    rest.size = 0;
    for (size_t i = 0; i < ERA_MOVED_ITEMS_MAX; i++) {
        if (!moves_at(g, link, set, i, ERA_MOVED_MS) || !era_idset_contains(g->sets[set - 1], &moved->ids[i]))
            continue;
        struct era_tag tag = era_tag_of(&rest.salt, &moved->ids[i]);
        era_sketch_drop(&rest, &tag);
        sync->changed[sync->change_count++] = tag.short_id;
    }
    return rest;
}

/* The peer keeps the rounds going; but its own tell us little of what it holds. */
static void heard_difference(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    era_sync_stir(g, link, set);
    if (!link->info.outgoing && (set != ERA_SET_STATEMENTS || link->info.complete_rounds > 0))
        era_sync_of(link, set)->next_ms = next_round_ms(g, link, set);
}

static struct era_sizes sizes_of(const struct era_sketch *sketch, const struct era_frame_digest *digest)
{
    struct era_sizes sizes = {.ours = sketch->count, .theirs = digest->count};
    uint64_t all = era_add_sat(sizes.ours, sizes.theirs);
    uint64_t least = sizes.ours > sizes.theirs ? sizes.ours - sizes.theirs : sizes.theirs - sizes.ours;
    sizes.difference = era_estimate_difference(sketch->estimate, digest->estimate.data);
    if (sizes.difference < least)
        sizes.difference = least;
    if (sizes.difference > all)
        sizes.difference = all;
    if (digest->upto.len > 0)
        sizes.theirs_upto = era_get_be32(digest->upto.data);
    return sizes;
}

static enum era_frame_word answer_unequal(struct era_gossip *g, struct era_link *link, enum era_set set,
                                          const struct era_sketch *ours,
                                          const struct era_frame_digest *digest)
{
    struct era_sync *sync = era_sync_of(link, set);
    struct era_sizes sizes = sizes_of(ours, digest);
    if (g->upto[set - 1].some)
        sizes.ours_upto = era_get_be32(g->upto[set - 1].at.b);
    enum era_way way = era_sizes_way(&sizes);
    if (way == ERA_WAY_SEND)
        return digest->alone && era_pages_begin(g, link, set, digest->round, digest->upto) ? ERA_WORD_PAGES
                                                                                           : ERA_WORD_WAIT;
    bool learn = era_teacher_take(g, link, set, false);
    if (way == ERA_WAY_TAKE ? !learn : !learn && digest->count > 0 && era_teacher_is_busy(g, set))
        return ERA_WORD_WAIT;
    if (way == ERA_WAY_TAKE) {
        sync->taking = true;
        sync->heard_ms = g->now_ms;
        return ERA_WORD_SEND;
    }
    uint64_t cells = era_sizes_cells(&sizes);
    if (!sketch_ready(g, link, set, cells)) {
        era_teacher_leave(g, link, set);
        return ERA_WORD_WAIT;
    }
    sync->answering = true;
    sync->to_tell = cells;
    return ERA_WORD_CELLS;
}

/* The peer took a new salt, we did, or both did. */
static bool salt_fits(struct era_gossip *g, struct era_link *link, struct era_sync *sync, uint32_t salt)
{
    bool rests = sync->salt_ms != 0 && g->now_ms - sync->salt_ms < ERA_SYNC_SALT_REST_MS;
    if (salt > sync->salt && salt - sync->salt > 1)
        era_link_charge(g, link, ERA_BAD_VALUE);
    else if (salt > sync->salt && !rests)
        new_salt(g, sync);
    return salt == sync->salt;
}

static bool is_equal(const struct era_sketch *sketch, const struct era_frame_digest *digest)
{
    uint8_t print[ERA_SYNC_PRINT_BYTES];
    era_sketch_print(sketch, print);
    return digest->count == sketch->count && memcmp(print, digest->print.data, sizeof print) == 0;
}

static enum era_frame_word answer(struct era_gossip *g, struct era_link *link, enum era_set set,
                                  const struct era_frame_digest *digest)
{
    struct era_sync *sync = era_sync_of(link, set);
    if (!salt_fits(g, link, sync, digest->salt) || !sketch_ready(g, link, set, SKETCH_CELLS_MIN))
        return ERA_WORD_WAIT;
    struct era_sketch rest = without_moving(g, link, set);
    if (is_equal(&sync->sketch, digest)) {
        equal_round(g, link, set);
        return ERA_WORD_EQUAL;
    }
    heard_difference(g, link, set);
    if (is_equal(&rest, digest))
        return ERA_WORD_WAIT;
    return answer_unequal(g, link, set, &rest, digest);
}

void era_sync_digest(struct era_gossip *g, struct era_link *link, const struct era_frame_digest *digest)
{
    if (!era_set_is_known(digest->set) || !era_set_flows(g, link, (enum era_set)digest->set))
        return;
    enum era_set set = (enum era_set)digest->set;
    struct era_sync *sync = era_sync_of(link, set);
    if (digest->round % 2 == sync->round % 2) {
        era_link_charge(g, link, ERA_BAD_VALUE);
        return;
    }
    if (sync->paging && sync->page_round == sync->peer_round)
        sync->paging = false; /* it gave that up */
    sync->peer_round = digest->round;
    sync->answering = false;
    sync->peer_heard_ms = g->now_ms;
    sync->told = sync->to_tell = sync->peer_batches = sync->change_count = 0;
    trim(g, sync);
    sync->word = answer(g, link, set, digest);
    sync->due = true; /* see era_sync_pump */
}

static void more_cells(struct era_gossip *g, struct era_link *link, enum era_set set, uint32_t cells)
{
    struct era_sync *sync = era_sync_of(link, set);
    uint64_t total = (uint64_t)sync->to_tell + cells;
    if (sync->due)
        return; /* the last ones are not yet out */
    if (++sync->peer_batches > ERA_SYNC_BATCHES_MAX || total > ERA_SYNC_CELLS_MAX) {
        sync->answering = false;
        era_link_charge(g, link, ERA_BAD_VALUE);
    }
    sync->due = true;
    sync->word = ERA_WORD_CELLS;
    if (!sync->answering || !sketch_ready(g, link, set, total)) {
        sync->answering = false;
        sync->word = ERA_WORD_WAIT;
        return;
    }
    sync->to_tell = total;
}

void era_sync_ask(struct era_gossip *g, struct era_link *link, const struct era_frame_ask *ask)
{
    if (!era_set_is_known(ask->set) || !era_set_flows(g, link, (enum era_set)ask->set))
        return;
    enum era_set set = (enum era_set)ask->set;
    struct era_sync *sync = era_sync_of(link, set);
    if (ask->ids.len > 0)
        era_fetch_serve(g, link, set, ask->ids);
    if (ask->round != sync->peer_round || ask->round % 2 == sync->round % 2)
        return;
    sync->peer_heard_ms = g->now_ms;
    if (ask->offers.len > 0)
        era_fetch_offered(g, link, set, ask->round, ask->offers);
    if (ask->cells > 0)
        more_cells(g, link, set, ask->cells);
    if (ask->done && !link->closing) {
        sync->answering = false;
        trim(g, sync);
        era_teacher_leave(g, link, set);
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

/* The cells from `told` on, as they were when the first of this round were sent. */
static void cells_out(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = era_sync_of(link, set);
    size_t count = sync->to_tell - sync->told;
    if (count > ERA_SYNC_CELLS_PER_FRAME_MAX)
        count = ERA_SYNC_CELLS_PER_FRAME_MAX;
    struct era_cell *cells = malloc(count * sizeof *cells);
    uint8_t *bytes = malloc(count * ERA_SYNC_CELL_BYTES);
    assert(cells != NULL && bytes != NULL && sync->to_tell <= sync->sketch.size);
    memcpy(cells, sync->sketch.cells + sync->told, count * sizeof *cells);
    for (size_t i = 0; i < sync->change_count; i++)
        era_cells_toggle(cells, sync->told, count, sync->changed[i]);
    era_cells_write(cells, count, bytes);
    sync->told += count;
    struct era_frame_cells out = {.set = set,
                                  .round = sync->peer_round,
                                  .word = ERA_WORD_CELLS,
                                  .cells = {bytes, count * ERA_SYNC_CELL_BYTES},
                                  .more = sync->told < sync->to_tell};
    era_sync_send_cells(g, link, &out);
    free(bytes);
    free(cells);
}

static void word_out(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = era_sync_of(link, set);
    if (sync->word == ERA_WORD_CELLS && !sync->answering)
        sync->word = ERA_WORD_WAIT; /* the set moved too much meanwhile */
    if (sync->word == ERA_WORD_CELLS) {
        while (sync->told < sync->to_tell && era_link_has_room(link, ERA_LINK_BULK_BYTES_MAX))
            cells_out(g, link, set);
        sync->due = sync->told < sync->to_tell;
        return;
    }
    sync->due = false;
    struct era_frame_cells out = {.set = set, .round = sync->peer_round, .word = sync->word};
    const struct era_cursor *upto = &g->upto[set - 1];
    if (sync->word == ERA_WORD_SEND && upto->some)
        out.upto = (struct era_bytes){upto->at.b, ERA_HASH_BYTES};
    era_sync_send_cells(g, link, &out);
}

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
        if (link->sync[i].due && era_link_has_room(link, ERA_LINK_BULK_BYTES_MAX))
            word_out(g, link, set);
        era_fetch_pump(g, link, set);
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
            trim(g, sync);
        }
        if (era_set_flows(g, link, set) && era_gossip_is_due(g, sync->next_ms))
            begin_round(g, link, set);
    }
    era_sync_pump(g, link);
}
