/* The sketches that links compare. Under salt number 0, which is the network's, one sketch of a set serves
 * all links: it follows the set at a cost that no number of links and no link's beginning adds to, and grows
 * when a difference needs more cells. Whoever knows that salt, and may sign, can make short ids collide or
 * cells that do not come apart, and so hide items from it, though never the fact that two sets differ
 * (p2p/setsum.h): then the link takes salts of its own, known to its two ends alone, and a sketch of its own,
 * which is made anew from all items. */
#include "p2p/gossip_internal.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SKETCH_CELLS_MIN 32 /* of a sketch when it is first made… */
#define SHARED_SHARE     4 /* …of the set's, one cell for so many items, so that no difference costs more… */
#define OWN_SHARE        64    /* …and of a link's own: made anew less often */
#define WIDE_MS          60000 /* cells beyond the kept ones stay so long after they were last needed */
#define SALT_REST_TIMES  6     /* the rest between new salts doubles so often */

/* ---- salts ---- */

void era_sync_salt(const struct era_gossip *g, uint64_t link, uint8_t out[ERA_FRAME_SALT_BYTES])
{
    uint8_t number[8];
    era_put_be64(number, link);
    crypto_generichash(out, ERA_FRAME_SALT_BYTES, number, sizeof number, g->key.b, sizeof g->key.b);
}

static struct era_salt common_salt(const struct era_gossip *g, enum era_set set)
{
    struct era_salt salt;
    uint8_t in[ERA_HASH_BYTES + 1];
    memcpy(in, g->config.network.b, ERA_HASH_BYTES);
    in[ERA_HASH_BYTES] = (uint8_t)set;
    crypto_generichash(salt.key.b, sizeof salt.key.b, in, sizeof in, NULL, 0);
    return salt;
}

static struct era_salt own_salt(const struct era_link *link, enum era_set set, uint32_t number)
{
    struct era_salt salt;
    uint8_t in[sizeof link->sync_salt + 1 + 4];
    memcpy(in, link->sync_salt, sizeof link->sync_salt);
    in[sizeof link->sync_salt] = (uint8_t)set;
    era_put_be32(in + sizeof link->sync_salt + 1, number);
    crypto_generichash(salt.key.b, sizeof salt.key.b, in, sizeof in, NULL, 0);
    return salt;
}

void era_sync_salt_begin(const struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = era_sync_of(link, set);
    sync->salt_number = 0;
    sync->salt = g->shared[set - 1].sketch.salt;
}

static void drop_own(struct era_gossip *g, struct era_sync *sync)
{
    era_sketch_release(&sync->own);
    sync->ready = false;
    era_sync_hold(g, sync);
}

void era_sync_salt_next(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = era_sync_of(link, set);
    sync->salt_number++;
    sync->salt_ms = g->now_ms;
    sync->salt = own_salt(link, set, sync->salt_number);
    sync->barren = sync->unequal = 0;
    sync->answering = false; /* further cells would be of another stream */
    drop_own(g, sync);
}

bool era_sync_salt_follow(struct era_gossip *g, struct era_link *link, enum era_set set, uint32_t number)
{
    struct era_sync *sync = era_sync_of(link, set);
    uint32_t before = sync->salt_number, times = before <= SALT_REST_TIMES ? before : SALT_REST_TIMES + 1;
    bool rests = before != 0 && g->now_ms - sync->salt_ms < (uint64_t)ERA_SYNC_SALT_REST_MS << (times - 1);
    if (number > sync->salt_number && number - sync->salt_number > 1)
        era_link_charge(g, link, ERA_BAD_VALUE);
    else if (number > sync->salt_number && !rests)
        era_sync_salt_next(g, link, set);
    return number == sync->salt_number;
}

/* ---- what is held ---- */

static size_t above_kept(size_t count)
{
    return count > ERA_SYNC_CELLS_KEPT_MAX ? count - ERA_SYNC_CELLS_KEPT_MAX : 0;
}

bool era_sync_may_hold(struct era_gossip *g, struct era_sync *sync, size_t own, size_t got)
{
    size_t held = above_kept(own) + above_kept(got) + above_kept(sync->found.count);
    if (held > sync->held && g->cells_held - sync->held + held > ERA_SYNC_CELLS_TOTAL_MAX)
        return false;
    g->cells_held = g->cells_held - sync->held + held;
    sync->held = held;
    return true;
}

void era_sync_hold(struct era_gossip *g, struct era_sync *sync)
{
    bool fits = era_sync_may_hold(g, sync, sync->own.size, sync->got_count);
    assert(fits); /* it became less */
}

/* ---- the sketch of a set ---- */

void era_shared_init(struct era_gossip *g)
{
    for (size_t i = 0; i < ERA_SETS; i++) {
        struct era_salt salt = common_salt(g, (enum era_set)(i + 1));
        era_sketch_init(&g->shared[i].sketch, &salt, SKETCH_CELLS_MIN);
    }
}

void era_shared_release(struct era_gossip *g)
{
    for (size_t i = 0; i < ERA_SETS; i++)
        era_sketch_release(&g->shared[i].sketch);
}

static const struct era_sketch *shared_ready(struct era_gossip *g, enum era_set set, size_t size)
{
    struct era_shared *shared = &g->shared[set - 1];
    size_t want = shared->sketch.size;
    if (size > ERA_SYNC_CELLS_MAX)
        return NULL;
    while (want < size)
        want *= 2;
    if (size > ERA_SYNC_CELLS_SHARED_MAX)
        shared->wide_ms = g->now_ms;
    if (want > shared->sketch.size)
        era_idset_widen(g->sets[set - 1], &shared->sketch, want);
    return &shared->sketch;
}

void era_shared_tick(struct era_gossip *g)
{
    for (size_t i = 0; i < ERA_SETS; i++) {
        struct era_sketch *sketch = &g->shared[i].sketch;
        if (sketch->size <= ERA_SYNC_CELLS_SHARED_MAX || g->now_ms - g->shared[i].wide_ms < WIDE_MS)
            continue;
        sketch->size = ERA_SYNC_CELLS_SHARED_MAX;
        sketch->cells = realloc(sketch->cells, sketch->size * sizeof *sketch->cells);
        assert(sketch->cells != NULL);
    }
}

/* ---- a link's own ---- */

static const struct era_sketch *own_ready(struct era_gossip *g, struct era_link *link, enum era_set set,
                                          size_t size)
{
    struct era_sync *sync = era_sync_of(link, set);
    if (sync->ready && sync->own.size >= size)
        return &sync->own;
    size_t want = SKETCH_CELLS_MIN, least = era_idset_count(g->sets[set - 1]) / OWN_SHARE;
    if (least > ERA_SYNC_CELLS_KEPT_MAX)
        least = ERA_SYNC_CELLS_KEPT_MAX;
    while (want < size || want < least)
        want *= 2;
    if (want > ERA_SYNC_CELLS_MAX || !era_sync_may_hold(g, sync, want, sync->got_count))
        return NULL;
    if (want > ERA_SYNC_CELLS_KEPT_MAX) {
        bool rests = sync->grown_ms != 0 && g->now_ms - sync->grown_ms < ERA_SYNC_GROW_REST_MS;
        if (rests && !sync->grown) {
            era_sync_hold(g, sync);
            return NULL;
        }
        sync->grown = true;
        sync->grown_ms = g->now_ms;
    }
    era_sketch_release(&sync->own);
    era_sketch_init(&sync->own, &sync->salt, want);
    era_idset_sketch(g->sets[set - 1], &sync->own);
    sync->ready = true;
    return &sync->own;
}

const struct era_sketch *era_sketch_ready(struct era_gossip *g, struct era_link *link, enum era_set set,
                                          uint64_t size)
{
    if (size > ERA_SYNC_CELLS_MAX)
        return NULL;
    return era_sync_of(link, set)->salt_number == 0 ? shared_ready(g, set, (size_t)size)
                                                    : own_ready(g, link, set, (size_t)size);
}

void era_sketch_trim(struct era_gossip *g, struct era_sync *sync)
{
    struct era_sketch *own = &sync->own;
    sync->grown = false;
    if (own->size <= ERA_SYNC_CELLS_KEPT_MAX || sync->active || sync->answering)
        return;
    own->size = ERA_SYNC_CELLS_KEPT_MAX;
    own->cells = realloc(own->cells, own->size * sizeof *own->cells);
    assert(own->cells != NULL);
    era_sync_hold(g, sync);
}

void era_sync_forget_got(struct era_gossip *g, struct era_sync *sync)
{
    free(sync->got);
    sync->got = NULL;
    sync->got_count = sync->batches = 0;
    sync->batch_ms = 0;
    era_sync_hold(g, sync);
}

void era_sync_release(struct era_gossip *g, struct era_link *link)
{
    for (size_t i = 0; i < ERA_SETS; i++) {
        struct era_sync *sync = &link->sync[i];
        era_findings_clear(g, sync);
        era_sync_forget_got(g, sync);
        drop_own(g, sync);
    }
    era_known_free(link->served);
}

/* ---- the set moves ---- */

static void sketch_toggle(struct era_sketch *sketch, const struct era_tag *tag, bool came)
{
    if (came)
        era_sketch_put(sketch, tag);
    else
        era_sketch_drop(sketch, tag);
}

static void shared_toggle(struct era_gossip *g, enum era_set set, const struct era_hash *id,
                          const struct era_tag *tag, bool came)
{
    struct era_shared *shared = &g->shared[set - 1];
    struct era_sketch *sketch = &shared->sketch;
    sketch_toggle(sketch, tag, came);
    if (came)
        era_setsum_put(&shared->sum, id);
    else
        era_setsum_drop(&shared->sum, id);
    if (sketch->count > SHARED_SHARE * sketch->size && sketch->size < ERA_SYNC_CELLS_SHARED_MAX)
        era_idset_widen(g->sets[set - 1], sketch, 2 * sketch->size);
}

static void follow(struct era_gossip *g, enum era_set set, const struct era_hash *id, bool came)
{
    struct era_tag common = era_tag_of(&g->shared[set - 1].sketch.salt, id);
    g->changes[set - 1]++;
    shared_toggle(g, set, id, &common, came);
    for (size_t i = 0; i < g->link_count; i++) {
        struct era_sync *sync = era_sync_of(g->links[i], set);
        struct era_tag tag = common;
        if (sync->salt_number != 0) {
            if (!sync->ready)
                continue;
            tag = era_tag_of(&sync->salt, id);
            sketch_toggle(&sync->own, &tag, came);
        }
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
    if (!era_idset_remove(g->sets[set - 1], id))
        return;
    struct era_moved *moved = &g->moved[set - 1];
    for (size_t i = 0; i < ERA_MOVED_ITEMS_MAX; i++)
        if (moved->at_ms[i] != 0 && era_hash_eq(&moved->ids[i], id))
            moved->at_ms[i] = 0; /* should it come again, it stands here once */
    follow(g, set, id, false);
}
