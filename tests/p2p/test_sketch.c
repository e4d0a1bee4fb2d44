/* A sketch: what two ends learn of each other's set, at a cost that follows the difference. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "p2p/setsum.h"
#include "p2p/sketch.h"

static const struct era_salt salt = {.key = {.b = "a salt of a link"}};

static struct era_hash id_of(uint64_t n)
{
    uint8_t bytes[8];
    era_put_be64(bytes, n);
    struct era_bytes part = {bytes, sizeof bytes};
    return era_hash_parts(&part, 1);
}

static struct era_tag tag_of(uint64_t n)
{
    struct era_hash id = id_of(n);
    return era_tag_of(&salt, &id);
}

/* Items from … to - 1. */
static void put(struct era_sketch *sketch, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n < to; n++) {
        struct era_tag tag = tag_of(n);
        era_sketch_put(sketch, &tag);
    }
}

static struct era_sketch given(size_t size, uint64_t from, uint64_t to)
{
    struct era_sketch sketch;
    era_sketch_init(&sketch, &salt, size);
    put(&sketch, from, to);
    return sketch;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* The difference of a and b is just the items of these numbers. */
static void then_differ_by(struct era_sketch *a, const struct era_sketch *b, const uint64_t *items,
                           size_t count)
{
    uint64_t *found = calloc(a->size + count, sizeof *found), *want = found + a->size;
    size_t n;
    era_cells_subtract(a->cells, b->cells, a->size);
    cr_assert(era_cells_peel(a->cells, a->size, found, &n));
    cr_assert_eq(n, count, "%zu", n);
    for (size_t i = 0; i < count; i++)
        want[i] = tag_of(items[i]).short_id;
    qsort(found, n, sizeof *found, by_value);
    qsort(want, n, sizeof *want, by_value);
    cr_assert_eq(memcmp(found, want, n * sizeof *found), 0);
    free(found);
}

Test(sketch, names_what_only_one_end_has_of_ten_thousand)
{
    static const uint64_t items[] = {1, 2, 10000, 10001, 10002};
    struct era_sketch a = given(40, 3, 10003), b = given(40, 1, 10000);
    then_differ_by(&a, &b, items, 5);
    era_sketch_release(&a);
    era_sketch_release(&b);
}

Test(sketch, equal_sets_differ_by_nothing_in_whatever_order_they_grew)
{
    struct era_sketch a = given(20, 0, 100), b = given(20, 50, 100);
    put(&b, 0, 50);
    cr_assert_eq(era_estimate_difference(a.estimate, b.estimate), 0);
    then_differ_by(&a, &b, NULL, 0);
    era_sketch_release(&a);
    era_sketch_release(&b);
}

Test(sketch, what_came_and_went_leaves_no_trace)
{
    struct era_sketch a = given(30, 0, 500), b = given(30, 0, 400), none = given(30, 0, 0);
    for (uint64_t n = 400; n < 500; n++) {
        struct era_tag tag = tag_of(n);
        era_sketch_drop(&a, &tag);
    }
    cr_assert_eq(a.count, 400);
    cr_assert_eq(memcmp(a.estimate, b.estimate, sizeof a.estimate), 0);
    cr_assert_eq(memcmp(a.cells, b.cells, a.size * sizeof *a.cells), 0);
    for (uint64_t n = 0; n < 400; n++) {
        struct era_tag tag = tag_of(n);
        era_sketch_drop(&a, &tag);
    }
    cr_assert_eq(memcmp(a.cells, none.cells, a.size * sizeof *a.cells), 0);
    era_sketch_release(&a);
    era_sketch_release(&b);
    era_sketch_release(&none);
}

Test(sketch, more_cells_go_on_where_the_first_ended)
{
    struct era_sketch shorter = given(20, 0, 300), longer = given(200, 0, 300);
    cr_assert_eq(memcmp(shorter.cells, longer.cells, 20 * sizeof *shorter.cells), 0);
    struct era_cell rest[180] = {0};
    for (uint64_t n = 0; n < 300; n++)
        era_cells_toggle(rest, 20, 180, tag_of(n).short_id);
    cr_assert_eq(memcmp(rest, longer.cells + 20, sizeof rest), 0);
    era_sketch_release(&shorter);
    era_sketch_release(&longer);
}

Test(sketch, too_few_cells_say_so_and_more_do)
{
    struct era_sketch a = given(200, 0, 1100), b = given(200, 0, 1000), more;
    uint64_t found[200];
    size_t n;
    era_cells_subtract(a.cells, b.cells, 90);
    cr_assert_not(era_cells_peel(a.cells, 90, found, &n));
    more = given(200, 0, 1100);
    era_cells_subtract(more.cells, b.cells, 200);
    cr_assert(era_cells_peel(more.cells, 200, found, &n));
    cr_assert_eq(n, 100);
    era_sketch_release(&a);
    era_sketch_release(&b);
    era_sketch_release(&more);
}

/* Of a hundred differences of each size: how many are taken apart by the cells said to be needed. */
Test(sketch, the_cells_needed_are_mostly_enough_and_few)
{
    static const uint64_t sizes[] = {1, 2, 5, 10, 50, 100, 1000};
    struct era_prng prng;
    era_prng_init(&prng, 1);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        size_t count = era_cells_needed(sizes[k]), n, good = 0;
        struct era_cell *cells = malloc(count * sizeof *cells);
        uint64_t *found = malloc(count * sizeof *found);
        for (int t = 0; t < 100; t++) {
            memset(cells, 0, count * sizeof *cells);
            for (uint64_t i = 0; i < sizes[k]; i++)
                era_cells_toggle(cells, 0, count, era_prng_next(&prng));
            good += era_cells_peel(cells, count, found, &n) && n == sizes[k];
        }
        cr_assert_geq(good, 88, "%zu of 100 for %llu", good, (unsigned long long)sizes[k]);
        free(cells);
        free(found);
    }
    cr_assert_leq(era_cells_needed(0), 1);
    cr_assert_leq(era_cells_needed(1), 5);
    cr_assert_leq(era_cells_needed(100), 165);
    cr_assert_leq(era_cells_needed(10000), 14000);
}

Test(sketch, the_estimate_is_near_the_difference)
{
    static const uint64_t sizes[] = {1, 10, 100, 1000, 20000};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct era_sketch a = given(1, 0, 20000 + sizes[k]), b = given(1, 0, 20000);
        uint64_t guess = era_estimate_difference(a.estimate, b.estimate);
        cr_assert_geq(guess, sizes[k] - sizes[k] * 2 / 5);
        cr_assert_leq(guess, sizes[k] + sizes[k] * 2 / 5);
        era_sketch_release(&a);
        era_sketch_release(&b);
    }
}

Test(sketch, cells_that_were_too_few_tell_how_many_differ)
{
    for (uint64_t d = 100; d <= 10000; d *= 10) {
        struct era_sketch a = given(d, 0, d);
        uint64_t guess = era_cells_guess(a.cells, a.size);
        cr_assert_geq(guess, d * 3 / 4, "%llu of %llu", (unsigned long long)guess, (unsigned long long)d);
        cr_assert_leq(guess, d * 4 / 3, "%llu of %llu", (unsigned long long)guess, (unsigned long long)d);
        era_sketch_release(&a);
    }
}

Test(sketch, a_cell_on_the_wire_is_eleven_bytes)
{
    struct era_sketch a = given(50, 0, 70);
    uint8_t wire[50 * 11];
    struct era_cell back[50];
    era_cells_write(a.cells, 50, wire);
    era_cells_read(wire, 50, back);
    cr_assert_eq(memcmp(a.cells, back, sizeof back), 0);
    struct era_cell one = {{0x01020304, 0x05060708, 0x090a0b}};
    era_cells_write(&one, 1, wire);
    cr_assert_eq(memcmp(wire, "\1\2\3\4\5\6\7\x8\x9\xa\xb", 11), 0);
    era_sketch_release(&a);
}

/* Every node must walk the same cells: a change of the walk is a change of the protocol. */
Test(sketch, the_walk_of_an_item_is_fixed)
{
    static const size_t visited[] = {0, 1, 2, 9, 14, 57, 594, 949};
    static struct era_cell cells[1000];
    size_t n = 0;
    era_cells_toggle(cells, 0, 1000, 0x0123456789abcdef);
    for (size_t i = 0; i < 1000; i++)
        if (cells[i].word[0] != 0)
            cr_assert_eq(i, visited[n++]);
    cr_assert_eq(n, 8);
    cr_assert_eq(cells[0].word[0], 0x01234567);
    cr_assert_eq(cells[0].word[1], 0x89abcdef);
}

Test(sketch, another_salt_gives_other_short_ids_that_keep_the_prefix)
{
    struct era_salt other = salt;
    struct era_hash id = id_of(7);
    other.key.b[3] ^= 1;
    struct era_tag a = era_tag_of(&salt, &id), b = era_tag_of(&other, &id);
    cr_assert_neq(a.short_id, b.short_id);
    cr_assert_neq(a.counter, b.counter);
    cr_assert_eq(a.short_id >> 40, era_get_be32(id.b) >> 8);
    cr_assert_eq(b.short_id >> 40, era_get_be32(id.b) >> 8);
}

/* ---- cells made to deceive ---- */

Test(sketch, random_cells_name_nothing_and_do_not_hold_us)
{
    struct era_prng prng;
    static struct era_cell cells[5000];
    static uint64_t found[5000];
    size_t n;
    era_prng_init(&prng, 3);
    for (size_t i = 0; i < 5000; i++)
        cells[i] = (struct era_cell){{(uint32_t)era_prng_next(&prng), (uint32_t)era_prng_next(&prng),
                                      (uint32_t)era_prng_next(&prng) & 0xFFFFFF}};
    cr_assert_not(era_cells_peel(cells, 5000, found, &n));
    cr_assert_leq(n, 1);
}

/* The item stands in cells of its walk, but not in the first: taking it out puts it there, and so on. */
Test(sketch, an_item_that_comes_again_and_again_is_taken_out_no_more_often_than_there_are_cells)
{
    struct era_cell cells[64] = {0};
    uint64_t found[64];
    size_t n;
    era_cells_toggle(cells, 0, 64, 42);
    memset(&cells[0], 0, sizeof cells[0]);
    cr_assert_not(era_cells_peel(cells, 64, found, &n));
    cr_assert_leq(n, 64);
}

Test(sketch, an_item_in_a_cell_of_no_walk_of_its_own_is_not_believed)
{
    struct era_cell walk[64] = {0}, cells[64] = {0};
    uint64_t found[64];
    size_t n, foreign = 1;
    era_cells_toggle(walk, 0, 64, 42);
    while (walk[foreign].word[1] != 0)
        foreign++;
    cells[foreign] = walk[0];
    cr_assert_not(era_cells_peel(cells, 64, found, &n));
    cr_assert_eq(n, 0);
}

Test(sketch, no_cells_hold_nothing)
{
    struct era_sketch none = given(0, 0, 10);
    size_t n;
    cr_assert_eq(none.count, 10);
    cr_assert(era_cells_peel(none.cells, 0, NULL, &n));
    cr_assert_eq(n, 0);
    era_sketch_release(&none);
}

/* ---- the sum that tells equal sets ---- */

static void print_of(uint64_t from, uint64_t to, const char *secret, uint8_t out[ERA_SYNC_PRINT_BYTES])
{
    struct era_setsum sum = {{0}};
    for (uint64_t n = from; n < to; n++) {
        struct era_hash id = id_of(n);
        era_setsum_put(&sum, &id);
    }
    era_setsum_print(&sum, (struct era_bytes){(const uint8_t *)secret, strlen(secret)}, out);
}

Test(setsum, is_one_in_whatever_order_items_came_and_went)
{
    struct era_setsum a = {{0}}, b = {{0}}, none = {{0}};
    for (uint64_t n = 0; n < 100; n++) {
        struct era_hash up = id_of(n), down = id_of(99 - n);
        era_setsum_put(&a, &up);
        era_setsum_put(&b, &down);
    }
    cr_assert_eq(memcmp(&a, &b, sizeof a), 0);
    for (uint64_t n = 0; n < 100; n++) {
        struct era_hash id = id_of(n);
        era_setsum_drop(&a, &id);
        cr_assert_neq(memcmp(&a, &b, sizeof a), 0);
    }
    cr_assert_eq(memcmp(&a, &none, sizeof a), 0);
}

Test(setsum, one_item_more_changes_every_lane)
{
    struct era_setsum a = {{0}}, b = {{0}};
    struct era_hash id = id_of(7);
    era_setsum_put(&b, &id);
    for (size_t i = 0; i < ERA_SETSUM_LANES; i++)
        cr_assert_neq(a.lane[i], b.lane[i]);
}

Test(setsum, its_print_is_of_the_set_and_of_the_link)
{
    uint8_t print[ERA_SYNC_PRINT_BYTES], other[ERA_SYNC_PRINT_BYTES];
    print_of(0, 10, "a link", print);
    print_of(0, 10, "a link", other);
    cr_assert_eq(memcmp(print, other, sizeof print), 0);
    print_of(0, 11, "a link", other);
    cr_assert_neq(memcmp(print, other, sizeof print), 0);
    print_of(0, 10, "another", other);
    cr_assert_neq(memcmp(print, other, sizeof print), 0);
}
