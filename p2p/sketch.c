#include "p2p/sketch.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN 0x9E3779B97F4A7C15u /* 2^64 / golden ratio */

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

struct era_tag era_tag_of(const struct era_salt *salt, const struct era_hash *id)
{
    _Static_assert(crypto_shorthash_siphashx24_KEYBYTES == ERA_SIPHASH_KEY_BYTES, "one kind of key");
    uint8_t h[crypto_shorthash_siphashx24_BYTES];
    crypto_shorthash_siphashx24(h, id->b, sizeof id->b, salt->key.b);
    uint64_t first = era_get_be64(h), prefix = era_get_be64(id->b) >> (64 - ERA_SHORT_PREFIX_BITS);
    return (struct era_tag){.short_id =
                                prefix << (64 - ERA_SHORT_PREFIX_BITS) | first >> ERA_SHORT_PREFIX_BITS,
                            .counter = era_get_be64(h + 8)};
}

/* ---- cells ---- */

static struct era_cell cell_of(uint64_t short_id)
{
    return (struct era_cell){
        {(uint32_t)(short_id >> 32), (uint32_t)short_id, (uint32_t)mix(short_id ^ GOLDEN) & 0xFFFFFF}};
}

static uint64_t short_of(const struct era_cell *cell)
{
    return (uint64_t)cell->word[0] << 32 | cell->word[1];
}

static bool cell_is_empty(const struct era_cell *cell)
{
    return (cell->word[0] | cell->word[1] | cell->word[2]) == 0;
}

static void cell_xor(struct era_cell *a, const struct era_cell *b)
{
    for (size_t i = 0; i < 3; i++)
        a->word[i] ^= b->word[i];
}

/* Which cells an item is in: the same at every end, so integers only. */
struct walk {
    uint64_t state, at;
};

static struct walk walk_begin(uint64_t short_id)
{
    return (struct walk){.state = mix(short_id), .at = 0};
}

/* Beyond `at` no cell up to j is visited with probability ((at + 1.5) / (j + 1.5))^2. The greater of two
 * even numbers is distributed as the square root of one: no root is taken. */
static void walk_on(struct walk *w)
{
    w->state += GOLDEN;
    uint64_t r = mix(w->state), a = r >> 32, b = r & UINT32_MAX;
    w->at = (((2 * w->at + 3) << 32) / ((a > b ? a : b) + 1) - 1) / 2;
}

void era_cells_toggle(struct era_cell *cells, size_t from, size_t count, uint64_t short_id)
{
    struct era_cell item = cell_of(short_id);
    for (struct walk w = walk_begin(short_id); w.at < from + count; walk_on(&w))
        if (w.at >= from)
            cell_xor(&cells[w.at - from], &item);
}

void era_cells_subtract(struct era_cell *a, const struct era_cell *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cell_xor(&a[i], &b[i]);
}

void era_cells_write(const struct era_cell *cells, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++, out += ERA_SYNC_CELL_BYTES) {
        uint8_t check[4];
        era_put_be64(out, short_of(&cells[i]));
        era_put_be32(check, cells[i].word[2]);
        memcpy(out + 8, check + 1, 3);
    }
}

void era_cells_read(const uint8_t *in, size_t count, struct era_cell *cells)
{
    for (size_t i = 0; i < count; i++, in += ERA_SYNC_CELL_BYTES) {
        uint8_t check[4] = {0, in[8], in[9], in[10]};
        cells[i] = (struct era_cell){{era_get_be32(in), era_get_be32(in + 4), era_get_be32(check)}};
    }
}

/* ---- peeling ---- */

struct peeling {
    struct era_cell *cells;
    size_t count;
    uint32_t *stack; /* cells that may hold one item… */
    size_t depth;
    uint8_t *stacked; /* …each at most once */
};

static bool may_be_one(const struct era_cell *cell)
{
    struct era_cell one = cell_of(short_of(cell));
    return cell->word[2] == one.word[2] && !cell_is_empty(cell);
}

static void look_at(struct peeling *p, size_t i)
{
    if (!p->stacked[i] && may_be_one(&p->cells[i])) {
        p->stacked[i] = 1;
        p->stack[p->depth++] = (uint32_t)i;
    }
}

/* The check has 24 bits; that the item belongs into this very cell says more. */
static bool visits(uint64_t short_id, size_t cell)
{
    struct walk w = walk_begin(short_id);
    while (w.at < cell)
        walk_on(&w);
    return w.at == cell;
}

static void take_out(struct peeling *p, uint64_t short_id)
{
    struct era_cell item = cell_of(short_id);
    for (struct walk w = walk_begin(short_id); w.at < p->count; walk_on(&w)) {
        cell_xor(&p->cells[w.at], &item);
        look_at(p, w.at);
    }
}

static bool all_empty(const struct era_cell *cells, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!cell_is_empty(&cells[i]))
            return false;
    return true;
}

bool era_cells_peel(struct era_cell *cells, size_t count, uint64_t *short_ids, size_t *found)
{
    struct peeling p = {.cells = cells, .count = count};
    p.stack = malloc((count + 1) * sizeof *p.stack);
    p.stacked = calloc(count + 1, sizeof *p.stacked);
    assert(p.stack != NULL && p.stacked != NULL && count <= UINT32_MAX);
    *found = 0;
    for (size_t i = 0; i < count; i++)
        look_at(&p, i);
    /* Cells made to deceive may yield the same item again and again: no more than there are cells. */
    while (p.depth > 0 && *found < count) {
        size_t i = p.stack[--p.depth];
        uint64_t short_id = short_of(&cells[i]);
        p.stacked[i] = 0;
        if (!may_be_one(&cells[i]) || !visits(short_id, i))
            continue;
        short_ids[(*found)++] = short_id;
        take_out(&p, short_id);
    }
    free(p.stack);
    free(p.stacked);
    return all_empty(cells, count);
}

/* ---- how much ---- */

uint64_t era_estimate_difference(const uint8_t a[ERA_SYNC_ESTIMATE_BYTES],
                                 const uint8_t b[ERA_SYNC_ESTIMATE_BYTES])
{
    uint64_t sum = 0;
    for (size_t i = 0; i < ERA_SYNC_ESTIMATE_BYTES; i++) {
        int d = (uint8_t)(a[i] - b[i]);
        d = d < 128 ? d : d - 256;
        sum += (uint64_t)(d * d);
    }
    return sum;
}

/* Measured: 19 of 20 differences of that size need no more (tests/bench/bench_reconcile.c). */
uint64_t era_cells_needed(uint64_t difference)
{
    uint64_t root = 0;
    if (difference > ERA_SYNC_CELLS_MAX)
        return difference; /* more than a round may have, whatever the factor */
    while (root * root < difference)
        root++;
    return 1 + difference + difference * 9 / 25 + root * 13 / 5;
}

/* ln(1 / x) for 0 < x <= 1, by the series of the area tangent. */
static double minus_log(double x)
{
    double y = (1 - x) / (1 + x), power = y, sum = 0;
    for (int k = 1; k < 60; k += 2, power *= y * y)
        sum += power / k;
    return 2 * sum;
}

uint64_t era_cells_guess(const struct era_cell *cells, size_t count)
{
    size_t from = count / 2, empty = 0;
    for (size_t i = from; i < count; i++)
        empty += cell_is_empty(&cells[i]);
    /* Cell i is empty with probability exp(-2 d / i); the mean of 1 / i over the latter half is that of
     * i = 0.72 count. */
    double share = ((double)empty + 0.5) / ((double)(count - from) + 0.5);
    return (uint64_t)(minus_log(share) * 0.36 * (double)count);
}

/* ---- a set's sketch ---- */

void era_sketch_init(struct era_sketch *sketch, const struct era_salt *salt, size_t size)
{
    memset(sketch, 0, sizeof *sketch);
    sketch->salt = *salt;
    sketch->size = size;
    sketch->cells = size == 0 ? NULL : calloc(size, sizeof *sketch->cells);
    assert(size == 0 || sketch->cells != NULL);
}

void era_sketch_release(struct era_sketch *sketch)
{
    free(sketch->cells);
    memset(sketch, 0, sizeof *sketch);
}

/* step 1 or 255, of counters modulo 256 */
static void toggle(struct era_sketch *sketch, const struct era_tag *tag, unsigned step)
{
    uint64_t h = tag->counter;
    uint8_t *counter = &sketch->estimate[(h >> 32) * ERA_SYNC_ESTIMATE_BYTES >> 32];
    *counter = (uint8_t)(*counter + (h & 1 ? step : 256 - step));
    era_cells_toggle(sketch->cells, 0, sketch->size, tag->short_id);
}

void era_sketch_put(struct era_sketch *sketch, const struct era_tag *tag)
{
    toggle(sketch, tag, 1);
    sketch->count++;
}

void era_sketch_drop(struct era_sketch *sketch, const struct era_tag *tag)
{
    assert(sketch->count > 0);
    toggle(sketch, tag, 255);
    sketch->count--;
}
