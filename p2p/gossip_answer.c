/* The rounds that the peer begins: our word to its digest, the cells that it asks for. */
#include "p2p/gossip_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What the answer is made of. */
struct rest {
    struct era_sketch sketch; /* without cells */
    struct era_setsum sum;
};

/* ---- what is under way ---- */

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

/* Of the item that came last (1), the one before it, …: older ones came no later, or left (at_ms 0). */
static size_t moved_place(const struct era_moved *moved, size_t age)
{
    return (moved->next + ERA_MOVED_ITEMS_MAX - age) % ERA_MOVED_ITEMS_MAX;
}

bool era_sync_moves(const struct era_gossip *g, const struct era_link *link, enum era_set set,
                    const struct era_hash *id, uint64_t ms)
{
    const struct era_moved *moved = &g->moved[set - 1];
    for (size_t age = 1; age <= ERA_MOVED_ITEMS_MAX; age++) {
        size_t i = moved_place(moved, age);
        if (moved->at_ms[i] != 0 && g->now_ms - moved->at_ms[i] >= ms)
            return false;
        if (moves_at(g, link, set, i, ms) && era_hash_eq(&moved->ids[i], id))
            return true;
    }
    return false;
}

bool era_sync_floods(const struct era_gossip *g, const struct era_link *link, enum era_set set)
{
    return moves_at(g, link, set, g->moved[set - 1].next, ERA_MOVED_MS);
}

/* Items that came a moment ago are most likely under way to the peer, by this link or another: the
 * answer to its round is that of a set without them. */
static struct rest without_moving(struct era_gossip *g, struct era_link *link, enum era_set set,
                                  const struct era_sketch *whole)
{
    struct era_sync *sync = era_sync_of(link, set);
    const struct era_moved *moved = &g->moved[set - 1];
    struct rest rest = {.sketch = *whole, .sum = g->shared[set - 1].sum};
    rest.sketch.cells = NULL;
    rest.sketch.size = 0;
    for (size_t age = 1; age <= ERA_MOVED_ITEMS_MAX; age++) {
        size_t i = moved_place(moved, age);
        if (moved->at_ms[i] != 0 && g->now_ms - moved->at_ms[i] >= ERA_MOVED_MS)
            break;
        if (!moves_at(g, link, set, i, ERA_MOVED_MS) || !era_idset_contains(g->sets[set - 1], &moved->ids[i]))
            continue;
        struct era_tag tag = era_tag_of(&sync->salt, &moved->ids[i]);
        era_sketch_drop(&rest.sketch, &tag);
        era_setsum_drop(&rest.sum, &moved->ids[i]);
        sync->changed[sync->change_count++] = tag.short_id;
    }
    return rest;
}

/* ---- our word ---- */

/* The peer keeps the rounds going; but its own tell us little of what it holds. */
static void heard_difference(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    era_sync_stir(g, link, set);
    if (!link->info.outgoing && (set != ERA_SET_STATEMENTS || link->info.complete_rounds > 0))
        era_sync_of(link, set)->next_ms = era_sync_next_round_ms(g, link, set);
}

static struct era_sizes sizes_of(const struct era_sketch *sketch, const struct era_frame_digest *digest)
{
    struct era_sizes sizes = {.ours = sketch->count,
                              .theirs = digest->count < ERA_LEDGER_ITEMS_MAX ? digest->count
                                                                             : ERA_LEDGER_ITEMS_MAX};
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

/* So many cells in all, of which `more` are told now, may be had. */
static bool cells_ready(struct era_gossip *g, struct era_link *link, enum era_set set, uint64_t total,
                        uint64_t more)
{
    return era_defence_cells(g, link, more) && era_sketch_ready(g, link, set, total) != NULL;
}

/* A whole set that is refused over and over would hide for ever what the end with less has alone. */
static enum era_way way_of(const struct era_sync *sync, const struct era_sizes *sizes)
{
    if (sync->idle && era_sizes_cells(sizes) <= ERA_SYNC_CELLS_MAX)
        return ERA_WAY_CELLS;
    return era_sizes_way(sizes);
}

static enum era_frame_word answer_unequal(struct era_gossip *g, struct era_link *link, enum era_set set,
                                          const struct era_sketch *ours,
                                          const struct era_frame_digest *digest)
{
    struct era_sync *sync = era_sync_of(link, set);
    struct era_sizes sizes = sizes_of(ours, digest);
    if (g->upto[set - 1].some)
        sizes.ours_upto = era_get_be32(g->upto[set - 1].at.b);
    enum era_way way = way_of(sync, &sizes);
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
    if (!cells_ready(g, link, set, cells, cells)) {
        era_teacher_leave(g, link, set);
        return ERA_WORD_WAIT;
    }
    sync->answering = true;
    sync->to_tell = cells;
    return ERA_WORD_CELLS;
}

static bool is_equal(const struct era_link *link, const struct era_sketch *sketch,
                     const struct era_setsum *sum, const struct era_frame_digest *digest)
{
    uint8_t print[ERA_SYNC_PRINT_BYTES];
    if (digest->count != sketch->count)
        return false;
    era_setsum_print(sum, era_sync_secret(link), print);
    return memcmp(print, digest->print.data, sizeof print) == 0;
}

static enum era_frame_word answer(struct era_gossip *g, struct era_link *link, enum era_set set,
                                  const struct era_frame_digest *digest)
{
    const struct era_sketch *whole = NULL;
    if (era_sync_salt_follow(g, link, set, digest->salt))
        whole = era_sketch_ready(g, link, set, 0);
    if (whole == NULL)
        return ERA_WORD_WAIT;
    struct rest rest = without_moving(g, link, set, whole);
    if (is_equal(link, whole, &g->shared[set - 1].sum, digest)) {
        era_sync_equal_round(g, link, set);
        return ERA_WORD_EQUAL;
    }
    heard_difference(g, link, set);
    if (is_equal(link, &rest.sketch, &rest.sum, digest) ||
        era_sync_waits_for_flood(g, link, set, &era_sync_of(link, set)->peer_flood_ms))
        return ERA_WORD_WAIT;
    return answer_unequal(g, link, set, &rest.sketch, digest);
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
    era_sketch_trim(g, sync);
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
    if (!sync->answering || !cells_ready(g, link, set, total, cells)) {
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
    if (link->closing)
        return;
    if (ask->round != sync->peer_round || ask->round % 2 == sync->round % 2)
        return;
    sync->peer_heard_ms = g->now_ms;
    if (ask->offers.len > 0)
        era_fetch_offered(g, link, set, ask->round, ask->offers);
    if (ask->cells > 0)
        more_cells(g, link, set, ask->cells);
    if (link->closing)
        return;
    if (ask->done) {
        sync->answering = false;
        era_sketch_trim(g, sync);
        era_teacher_leave(g, link, set);
    }
}

/* ---- out ---- */

/* The cells from `told` on, as they were when the first of this round were sent. False: they cannot be had.
 */
static bool cells_out(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = era_sync_of(link, set);
    const struct era_sketch *sketch = era_sketch_ready(g, link, set, sync->to_tell);
    if (sketch == NULL)
        return false;
    size_t count = sync->to_tell - sync->told;
    if (count > ERA_SYNC_CELLS_PER_FRAME_MAX)
        count = ERA_SYNC_CELLS_PER_FRAME_MAX;
    struct era_cell *cells = malloc(count * sizeof *cells);
    uint8_t *bytes = malloc(count * ERA_SYNC_CELL_BYTES);
    assert(cells != NULL && bytes != NULL && sync->to_tell <= sketch->size);
    memcpy(cells, sketch->cells + sync->told, count * sizeof *cells);
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
    return true;
}

void era_answer_pump(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = era_sync_of(link, set);
    if (!sync->due || !era_link_has_room(g, link, ERA_LINK_BULK_BYTES_MAX))
        return;
    while (sync->word == ERA_WORD_CELLS && sync->answering && sync->told < sync->to_tell) {
        if (!era_link_has_room(g, link, ERA_LINK_BULK_BYTES_MAX))
            return;
        sync->answering = cells_out(g, link, set);
    }
    sync->due = false;
    if (sync->word == ERA_WORD_CELLS && sync->answering)
        return;
    if (sync->word == ERA_WORD_CELLS)
        sync->word = ERA_WORD_WAIT; /* the set moved too much meanwhile, or there is another salt */
    struct era_frame_cells out = {.set = set, .round = sync->peer_round, .word = sync->word};
    const struct era_cursor *upto = &g->upto[set - 1];
    if (sync->word == ERA_WORD_SEND && upto->some)
        out.upto = (struct era_bytes){upto->at.b, ERA_HASH_BYTES};
    era_sync_send_cells(g, link, &out);
}
