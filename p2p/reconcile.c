#include "p2p/reconcile.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUCKET_IDS                                                                                           \
    2048 /* on average, at most: few blocks, that keep few pages of the heap beside their own */
#define BUCKETS_MIN     16 /* room from the start: nor does their table */
#define BUCKET_STEP     16 /* grown by so many */
#define BUCKET_BITS_MAX 20

/* Costs in bytes, to choose a way by. */
#define COST_ITEM 256                           /* a statement in its envelope, about */
#define COST_CELL (ERA_SYNC_CELL_BYTES * 3 / 2) /* a difference */
#define COST_ASK  8
/* The cells needed for so few have room for an estimate that is too small. */
#define FEW 16
/* Below it no other way is worth its rounds. */
#define PAGES_MIN 64

/* Entries are mostly told apart by how their ids begin. */
struct entry {
    uint32_t begin;
    uint32_t name; /* the owner's number; or of ours, and OWN */
};

#define OWN ERA_ID_NUMBERS

struct bucket {
    struct entry *entries; /* ascending by id */
    uint32_t count, cap;
};

/* An id that nobody else keeps. */
union own_id {
    struct era_hash id;
    uint32_t next_free; /* and one */
};

struct era_idset {
    size_t count;
    unsigned bits; /* 2^bits buckets */
    struct bucket *buckets;
    era_id_named *named;
    void *ctx;
    union own_id *own;
    uint32_t own_count, own_cap, own_free; /* of the free ones the first, and one */
};

struct era_idset *era_idset_new(void)
{
    struct era_idset *set = calloc(1, sizeof *set);
    assert(set != NULL);
    set->buckets = calloc(BUCKETS_MIN, sizeof *set->buckets);
    assert(set->buckets != NULL);
    return set;
}

void era_idset_free(struct era_idset *set)
{
    if (set == NULL)
        return;
    for (size_t b = 0; b < (size_t)1 << set->bits; b++)
        free(set->buckets[b].entries);
    free(set->buckets);
    free(set->own);
    free(set);
}

void era_idset_name_with(struct era_idset *set, era_id_named *named, void *ctx)
{
    set->named = named;
    set->ctx = ctx;
}

/* ---- ids ---- */

static const struct era_hash *id_at(const struct era_idset *set, const struct entry *e)
{
    return e->name & OWN ? &set->own[e->name - OWN].id : set->named(set->ctx, e->name);
}

static uint32_t own_put(struct era_idset *set, const struct era_hash *id)
{
    uint32_t at = set->own_free > 0 ? set->own_free - 1 : set->own_count;
    if (set->own_free > 0) {
        set->own_free = set->own[at].next_free;
    } else if (set->own_count++ == set->own_cap) {
        set->own_cap = set->own_cap ? set->own_cap + set->own_cap / 2 : 8;
        set->own = realloc(set->own, set->own_cap * sizeof *set->own);
        assert(set->own != NULL);
    }
    set->own[at].id = *id;
    return at | OWN;
}

static void own_drop(struct era_idset *set, uint32_t name)
{
    set->own[name - OWN].next_free = set->own_free;
    set->own_free = name - OWN + 1;
}

/* ---- buckets ---- */

static size_t place_of(uint32_t begin, unsigned bits)
{
    return bits == 0 ? 0 : begin >> (32 - bits);
}

static struct bucket *bucket_of(const struct era_idset *set, const struct era_hash *id)
{
    return &set->buckets[place_of(era_get_be32(id->b), set->bits)];
}

/* Index of the first id that is not below `id`. */
static uint32_t lower_bound(const struct era_idset *set, const struct bucket *b, const struct era_hash *id)
{
    uint32_t low = 0, high = b->count, begin = era_get_be32(id->b);
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const struct entry *e = &b->entries[mid];
        bool below = e->begin != begin ? e->begin < begin : era_hash_cmp(id_at(set, e), id) < 0;
        if (below)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool holds_at(const struct era_idset *set, const struct bucket *b, uint32_t i,
                     const struct era_hash *id)
{
    return i < b->count && b->entries[i].begin == era_get_be32(id->b) &&
           era_hash_eq(id_at(set, &b->entries[i]), id);
}

static void bucket_resize(struct bucket *b, uint32_t cap)
{
    b->cap = cap;
    b->entries = realloc(b->entries, cap * sizeof *b->entries);
    assert(b->entries != NULL);
}

/* Each bucket becomes two. */
static void split(struct era_idset *set)
{
    size_t old = (size_t)1 << set->bits;
    set->bits++;
    if (2 * old > BUCKETS_MIN)
        set->buckets = realloc(set->buckets, 2 * old * sizeof *set->buckets);
    assert(set->buckets != NULL);
    for (size_t b = old; b-- > 0;) { /* the last first: it moves where nothing is yet */
        struct bucket low = set->buckets[b], high = {0};
        uint32_t at = 0;
        while (at < low.count && place_of(low.entries[at].begin, set->bits) == 2 * b)
            at++;
        uint32_t moved = low.count - at;
        if (moved > 0) {
            bucket_resize(&high, moved + BUCKET_STEP);
            memcpy(high.entries, low.entries + at, moved * sizeof *high.entries);
            bucket_resize(&low, at + BUCKET_STEP);
        }
        high.count = moved;
        low.count = at;
        set->buckets[2 * b] = low;
        set->buckets[2 * b + 1] = high;
    }
}

static bool add(struct era_idset *set, const struct era_hash *id, bool named, uint32_t number)
{
    struct bucket *b = bucket_of(set, id);
    uint32_t i = lower_bound(set, b, id);
    if (holds_at(set, b, i, id))
        return false;
    if (b->count == b->cap)
        bucket_resize(b, b->cap + BUCKET_STEP);
    memmove(&b->entries[i + 1], &b->entries[i], (b->count - i) * sizeof *b->entries);
    b->entries[i] = (struct entry){era_get_be32(id->b), named ? number : own_put(set, id)};
    b->count++;
    set->count++;
    if (set->count > (size_t)BUCKET_IDS << set->bits && set->bits < BUCKET_BITS_MAX)
        split(set);
    return true;
}

bool era_idset_add(struct era_idset *set, const struct era_hash *id)
{
    return add(set, id, false, 0);
}

bool era_idset_add_named(struct era_idset *set, const struct era_hash *id, uint32_t number)
{
    assert(set->named != NULL && number < ERA_ID_NUMBERS);
    return add(set, id, true, number);
}

bool era_idset_remove(struct era_idset *set, const struct era_hash *id)
{
    struct bucket *b = bucket_of(set, id);
    uint32_t i = lower_bound(set, b, id);
    if (!holds_at(set, b, i, id))
        return false;
    if (b->entries[i].name & OWN)
        own_drop(set, b->entries[i].name);
    memmove(&b->entries[i], &b->entries[i + 1], (b->count - i - 1) * sizeof *b->entries);
    b->count--;
    set->count--;
    return true;
}

bool era_idset_contains(const struct era_idset *set, const struct era_hash *id)
{
    const struct bucket *b = bucket_of(set, id);
    return holds_at(set, b, lower_bound(set, b, id), id);
}

size_t era_idset_count(const struct era_idset *set)
{
    return set->count;
}

bool era_idset_next(const struct era_idset *set, struct era_cursor *cursor)
{
    size_t place = cursor->some ? place_of(era_get_be32(cursor->at.b), set->bits) : 0;
    uint32_t i = 0;
    if (cursor->some) {
        i = lower_bound(set, &set->buckets[place], &cursor->at);
        i += holds_at(set, &set->buckets[place], i, &cursor->at);
    }
    for (; place < (size_t)1 << set->bits; place++, i = 0) {
        const struct bucket *b = &set->buckets[place];
        if (i == b->count)
            continue;
        *cursor = (struct era_cursor){.some = true, .at = *id_at(set, &b->entries[i])};
        return true;
    }
    return false;
}

static bool begins_like(const struct entry *e, uint64_t prefix)
{
    return e->begin >> (32 - ERA_SHORT_PREFIX_BITS) == prefix;
}

size_t era_idset_crowd(const struct era_idset *set, const struct era_hash *id)
{
    uint64_t prefix = era_get_be64(id->b) >> (64 - ERA_SHORT_PREFIX_BITS);
    struct era_hash least = {{0}};
    era_put_be64(least.b, prefix << (64 - ERA_SHORT_PREFIX_BITS));
    const struct bucket *b = bucket_of(set, &least);
    uint32_t first = lower_bound(set, b, &least), end = first;
    while (end < b->count && begins_like(&b->entries[end], prefix))
        end++;
    return end - first;
}

bool era_idset_find(const struct era_idset *set, const struct era_salt *salt, uint64_t short_id,
                    struct era_hash *out)
{
    struct era_hash least = {{0}};
    era_put_be64(least.b, short_id >> (64 - ERA_SHORT_PREFIX_BITS) << (64 - ERA_SHORT_PREFIX_BITS));
    const struct bucket *b = bucket_of(set, &least);
    for (uint32_t i = lower_bound(set, b, &least); i < b->count; i++) {
        if (!begins_like(&b->entries[i], short_id >> (64 - ERA_SHORT_PREFIX_BITS)))
            return false;
        const struct era_hash *id = id_at(set, &b->entries[i]);
        if (era_tag_of(salt, id).short_id == short_id) {
            *out = *id;
            return true;
        }
    }
    return false;
}

void era_idset_sketch(const struct era_idset *set, struct era_sketch *sketch)
{
    for (size_t place = 0; place < (size_t)1 << set->bits; place++) {
        const struct bucket *b = &set->buckets[place];
        for (uint32_t i = 0; i < b->count; i++) {
            struct era_tag tag = era_tag_of(&sketch->salt, id_at(set, &b->entries[i]));
            era_sketch_put(sketch, &tag);
        }
    }
}

void era_idset_widen(const struct era_idset *set, struct era_sketch *sketch, size_t size)
{
    size_t from = sketch->size;
    assert(size > from);
    sketch->cells = realloc(sketch->cells, size * sizeof *sketch->cells);
    assert(sketch->cells != NULL);
    memset(sketch->cells + from, 0, (size - from) * sizeof *sketch->cells);
    sketch->size = size;
    for (size_t place = 0; place < (size_t)1 << set->bits; place++) {
        const struct bucket *b = &set->buckets[place];
        for (uint32_t i = 0; i < b->count; i++)
            era_cells_toggle(sketch->cells + from, from, size - from,
                             era_tag_of(&sketch->salt, id_at(set, &b->entries[i])).short_id);
    }
}

/* ---- by what way ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Of `all` items, those beyond a place in the order: ids are evenly spread. */
static uint64_t beyond(uint64_t all, uint32_t upto)
{
    return all - (uint64_t)((double)all * ((double)upto / 4294967296.0));
}

/* What only one end has, when both together have so much that only one has. */
static uint64_t only(uint64_t ours, uint64_t theirs, uint64_t difference)
{
    uint64_t sum = era_add_sat(difference, ours);
    return least(ours, sum > theirs ? (sum - theirs) / 2 : 0);
}

uint64_t era_sizes_cells(const struct era_sizes *sizes)
{
    uint64_t margin = sizes->difference < FEW ? 0 : sizes->difference / 6;
    return era_cells_needed(era_add_sat(sizes->difference, margin));
}

enum era_way era_sizes_way(const struct era_sizes *s)
{
    uint64_t ours = only(s->ours, s->theirs, s->difference);
    uint64_t theirs = only(s->theirs, s->ours, s->difference);
    uint64_t pages_ours = beyond(s->ours, s->theirs_upto), pages_theirs = beyond(s->theirs, s->ours_upto);
    uint64_t cells = COST_CELL * (ours + theirs) + COST_ASK * ours;
    uint64_t send = COST_ITEM * (pages_ours - least(ours, pages_ours)) + COST_CELL * theirs;
    uint64_t take = COST_ITEM * (pages_theirs - least(theirs, pages_theirs)) + (COST_CELL + COST_ASK) * ours;
    bool too_many = era_sizes_cells(s) > ERA_SYNC_CELLS_MAX;
    if (ours >= PAGES_MIN && ours >= theirs && (too_many || send < cells))
        return ERA_WAY_SEND;
    if (theirs >= PAGES_MIN && (too_many || take < cells))
        return ERA_WAY_TAKE;
    return ERA_WAY_CELLS;
}
