#include "src/base/numbers.h"

#include <assert.h>
#include <stdlib.h>

#define BITS_MIN 4

static size_t mask_of(const struct era_numbers *t)
{
    return ((size_t)1 << t->bits) - 1;
}

static uint32_t cell_of(uint64_t hash, uint32_t number)
{
    return (uint32_t)(hash >> 56) << 24 | number;
}

static uint32_t number_in(uint32_t cell)
{
    return cell & ERA_NUMBER_MAX;
}

void era_numbers_release(struct era_numbers *t)
{
    free(t->cells);
    *t = (struct era_numbers){0};
}

uint32_t era_numbers_find(const struct era_numbers *t, uint64_t hash, const void *key, era_number_is *is,
                          const void *ctx)
{
    size_t mask = mask_of(t);
    if (t->count == 0)
        return 0;
    for (size_t i = (size_t)hash & mask; t->cells[i] != 0; i = (i + 1) & mask)
        if (t->cells[i] >> 24 == hash >> 56 && is(ctx, number_in(t->cells[i]), key))
            return number_in(t->cells[i]);
    return 0;
}

static void place(struct era_numbers *t, uint64_t hash, uint32_t number)
{
    size_t mask = mask_of(t), i = (size_t)hash & mask;
    while (t->cells[i] != 0)
        i = (i + 1) & mask;
    t->cells[i] = cell_of(hash, number);
}

static void grow(struct era_numbers *t, era_number_hash *hash_of, const void *ctx)
{
    struct era_numbers more = {.bits = t->cells ? t->bits + 1 : BITS_MIN, .count = t->count};
    more.cells = calloc((size_t)1 << more.bits, sizeof *more.cells);
    assert(more.cells);
    for (size_t i = 0; t->cells && i <= mask_of(t); i++)
        if (t->cells[i] != 0)
            place(&more, hash_of(ctx, number_in(t->cells[i])), number_in(t->cells[i]));
    free(t->cells);
    *t = more;
}

void era_numbers_add(struct era_numbers *t, uint64_t hash, uint32_t number, era_number_hash *hash_of,
                     const void *ctx)
{
    assert(number > 0 && number <= ERA_NUMBER_MAX);
    if (!t->cells || (size_t)t->count + 1 > (mask_of(t) + 1) / 8 * 7)
        grow(t, hash_of, ctx);
    place(t, hash, number);
    t->count++;
}

/* What follows moves up, until one is where its search begins: none is cut off from there. */
static void close_gap(struct era_numbers *t, size_t gap, era_number_hash *hash_of, const void *ctx)
{
    size_t mask = mask_of(t);
    for (size_t i = (gap + 1) & mask; t->cells[i] != 0; i = (i + 1) & mask) {
        size_t home = (size_t)hash_of(ctx, number_in(t->cells[i])) & mask;
        if (((i - home) & mask) < ((i - gap) & mask))
            continue; /* it belongs behind the gap */
        t->cells[gap] = t->cells[i];
        gap = i;
    }
    t->cells[gap] = 0;
}

void era_numbers_replace(struct era_numbers *t, uint64_t hash, uint32_t number, uint32_t by,
                         era_number_hash *hash_of, const void *ctx)
{
    size_t mask = mask_of(t), i = (size_t)hash & mask;
    while (t->cells[i] != cell_of(hash, number)) {
        assert(t->cells[i] != 0); /* it is in the table */
        i = (i + 1) & mask;
    }
    if (by != 0) {
        t->cells[i] = cell_of(hash, by);
        return;
    }
    t->count--;
    close_gap(t, i, hash_of, ctx);
}
