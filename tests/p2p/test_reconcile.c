/* The ids of a set, in order; and by what way two sets are made equal. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "p2p/gossip_table.h"
#include "p2p/reconcile.h"

static struct era_hash id_of(uint64_t n)
{
    uint8_t bytes[8];
    era_put_be64(bytes, n);
    struct era_bytes part = {bytes, sizeof bytes};
    return era_hash_parts(&part, 1);
}

static struct era_idset *given_ids(uint64_t from, uint64_t to)
{
    struct era_idset *set = era_idset_new();
    for (uint64_t n = from; n < to; n++) {
        struct era_hash id = id_of(n);
        cr_assert(era_idset_add(set, &id));
    }
    return set;
}

Test(idset, holds_each_id_once)
{
    struct era_idset *set = era_idset_new();
    struct era_hash id = id_of(1), other = id_of(2);
    cr_assert(era_idset_add(set, &id));
    cr_assert_not(era_idset_add(set, &id));
    cr_assert_eq(era_idset_count(set), 1);
    cr_assert(era_idset_contains(set, &id));
    cr_assert_not(era_idset_contains(set, &other));
    cr_assert_not(era_idset_remove(set, &other));
    cr_assert(era_idset_remove(set, &id));
    cr_assert_not(era_idset_contains(set, &id));
    cr_assert_eq(era_idset_count(set), 0);
    era_idset_free(set);
    era_idset_free(NULL);
}

Test(idset, stays_in_order_as_it_grows)
{
    struct era_idset *set = given_ids(0, 100000);
    struct era_cursor at = {.some = false};
    struct era_hash last = {{0}};
    size_t count = 0;
    for (; era_idset_next(set, &at); count++) {
        cr_assert(count == 0 || era_hash_cmp(&last, &at.at) < 0);
        last = at.at;
    }
    cr_assert_eq(count, 100000);
    for (uint64_t n = 0; n < 100000; n++) {
        struct era_hash id = id_of(n);
        cr_assert(era_idset_contains(set, &id));
    }
    era_idset_free(set);
}

Test(idset, is_walked_in_order_from_any_place)
{
    struct era_idset *set = given_ids(0, 3000);
    struct era_cursor at = {.some = false};
    struct era_hash last = {{0}};
    size_t count = 0;
    for (; era_idset_next(set, &at); count++) {
        cr_assert(count == 0 || era_hash_cmp(&last, &at.at) < 0);
        cr_assert(era_idset_contains(set, &at.at));
        last = at.at;
    }
    cr_assert_eq(count, 3000);
    at = (struct era_cursor){.some = true, .at = id_of(100000)}; /* not in it */
    struct era_hash from = at.at;
    cr_assert(era_idset_next(set, &at));
    cr_assert_gt(era_hash_cmp(&at.at, &from), 0);
    memset(at.at.b, 0xFF, sizeof at.at.b);
    cr_assert_not(era_idset_next(set, &at));
    era_idset_free(set);
}

Test(idset, ids_with_one_beginning_are_all_held)
{
    struct era_idset *set = era_idset_new();
    struct era_hash id = {{7, 7, 7, 7}};
    for (uint32_t n = 0; n < 5000; n++) {
        era_put_be32(id.b + 20, n * 0x9E3779B9u);
        cr_assert(era_idset_add(set, &id));
    }
    cr_assert_eq(era_idset_count(set), 5000);
    for (uint32_t n = 0; n < 5000; n++) {
        era_put_be32(id.b + 20, n * 0x9E3779B9u);
        cr_assert(era_idset_remove(set, &id));
    }
    cr_assert_eq(era_idset_count(set), 0);
    era_idset_free(set);
}

Test(idset, an_id_is_found_by_its_short_id_under_the_salt)
{
    static const struct era_salt salt = {.key = {.b = "a salt of a link"}}, other = {.key = {.b = "another"}};
    struct era_idset *set = given_ids(0, 2000);
    struct era_hash found;
    for (uint64_t n = 0; n < 2000; n++) {
        struct era_hash id = id_of(n);
        uint64_t short_id = era_tag_of(&salt, &id).short_id;
        cr_assert(era_idset_find(set, &salt, short_id, &found));
        cr_assert(era_hash_eq(&found, &id));
        cr_assert_not(era_idset_find(set, &other, short_id, &found));
    }
    struct era_hash absent = id_of(2000), zeros = {{0}};
    cr_assert_not(era_idset_find(set, &salt, era_tag_of(&salt, &absent).short_id, &found));
    cr_assert_not(era_idset_find(set, &salt, 0, &found));
    era_idset_add(set, &zeros);
    cr_assert(era_idset_find(set, &salt, era_tag_of(&salt, &zeros).short_id, &found));
    era_idset_free(set);
}

static const struct era_hash *kept_by_owner(void *ctx, uint32_t number)
{
    return &((const struct era_hash *)ctx)[number];
}

Test(idset, ids_that_the_owner_keeps_are_as_good_as_its_own)
{
    static struct era_hash kept[3000];
    struct era_idset *set = era_idset_new(), *whole = given_ids(0, 3000);
    era_idset_name_with(set, kept_by_owner, kept);
    for (uint32_t n = 0; n < 3000; n++) {
        kept[n] = id_of(n);
        cr_assert(n % 3 == 0 ? era_idset_add(set, &kept[n]) : era_idset_add_named(set, &kept[n], n));
        cr_assert_not(era_idset_add_named(set, &kept[n], n));
    }
    struct era_cursor a = {0}, b = {0};
    while (era_idset_next(whole, &a)) {
        cr_assert(era_idset_next(set, &b));
        cr_assert(era_hash_eq(&a.at, &b.at));
    }
    cr_assert_not(era_idset_next(set, &b));
    for (uint32_t n = 0; n < 3000; n += 2)
        cr_assert(era_idset_remove(set, &kept[n]));
    for (uint32_t n = 0; n < 3000; n++)
        cr_assert_eq(era_idset_contains(set, &kept[n]), n % 2 == 1);
    for (uint32_t n = 0; n < 3000; n += 2)
        cr_assert(era_idset_add(set, &kept[n]), "room that was given back");
    cr_assert_eq(era_idset_count(set), 3000);
    era_idset_free(set);
    era_idset_free(whole);
}

Test(idset, its_sketch_is_that_of_its_ids_one_by_one)
{
    static const struct era_salt salt = {.key = {.b = "a salt of a link"}};
    struct era_idset *set = given_ids(0, 500);
    struct era_sketch whole, single;
    era_sketch_init(&whole, &salt, 20);
    era_sketch_init(&single, &salt, 20);
    era_idset_sketch(set, &whole);
    for (uint64_t n = 0; n < 500; n++) {
        struct era_hash id = id_of(n);
        struct era_tag tag = era_tag_of(&salt, &id);
        era_sketch_put(&single, &tag);
    }
    cr_assert_eq(whole.count, 500);
    cr_assert_eq(memcmp(whole.cells, single.cells, 20 * sizeof *whole.cells), 0);
    era_idset_widen(set, &whole, 90);
    struct era_sketch wide;
    era_sketch_init(&wide, &salt, 90);
    era_idset_sketch(set, &wide);
    cr_assert_eq(memcmp(whole.cells, wide.cells, 90 * sizeof *wide.cells), 0, "and so when it is made wider");
    era_sketch_release(&wide);
    era_sketch_release(&whole);
    era_sketch_release(&single);
    era_idset_free(set);
}

/* ---- by what way ---- */

static enum era_way way(uint64_t ours, uint64_t theirs, uint64_t difference)
{
    struct era_sizes sizes = {.ours = ours, .theirs = theirs, .difference = difference};
    return era_sizes_way(&sizes);
}

Test(way, a_difference_that_is_small_against_the_sets_goes_by_cells)
{
    cr_assert_eq(way(1000000, 1000000, 10000), ERA_WAY_CELLS);
    cr_assert_eq(way(1000000, 900000, 100000), ERA_WAY_CELLS);
    cr_assert_eq(way(20000, 10000, 10000), ERA_WAY_CELLS);
}

Test(way, an_empty_end_takes_the_whole_set_in_order)
{
    cr_assert_eq(way(100000, 0, 100000), ERA_WAY_SEND);
    cr_assert_eq(way(0, 100000, 100000), ERA_WAY_TAKE);
    cr_assert_eq(way(1000000, 0, 1000000), ERA_WAY_SEND);
    cr_assert_eq(way(100000, 3000, 97000), ERA_WAY_SEND);
}

Test(way, a_handful_is_never_worth_pages)
{
    cr_assert_eq(way(60, 0, 60), ERA_WAY_CELLS);
    cr_assert_eq(way(0, 60, 60), ERA_WAY_CELLS);
    cr_assert_eq(way(30, 33, 63), ERA_WAY_CELLS);
}

Test(way, of_sets_with_nothing_in_common_the_larger_is_sent_first)
{
    cr_assert_eq(way(5000, 4000, 9000), ERA_WAY_SEND);
    cr_assert_eq(way(4000, 5000, 9000), ERA_WAY_TAKE);
}

Test(way, what_was_taken_in_order_before_a_cut_is_not_sent_again)
{
    struct era_sizes sizes = {.ours = 100000, .theirs = 50000, .difference = 50000};
    cr_assert_eq(era_sizes_way(&sizes), ERA_WAY_CELLS);
    sizes.theirs_upto = UINT32_C(1) << 31; /* half of the order of ids */
    cr_assert_eq(era_sizes_way(&sizes), ERA_WAY_SEND);
    struct era_sizes other = {
        .ours = 50000, .theirs = 100000, .difference = 50000, .ours_upto = UINT32_C(1) << 31};
    cr_assert_eq(era_sizes_way(&other), ERA_WAY_TAKE);
}

Test(way, more_than_the_most_cells_of_a_round_goes_in_order)
{
    cr_assert_eq(way(1000000, 1000000, 300000), ERA_WAY_SEND);
    cr_assert_eq(way(1000000, 1000000, 150000), ERA_WAY_CELLS);
    struct era_sizes sizes = {.difference = 150000};
    cr_assert_leq(era_sizes_cells(&sizes), ERA_SYNC_CELLS_MAX);
}

/* ---- the small memories ---- */

Test(idtable, drops_the_oldest_when_it_is_full)
{
    struct era_siphash_key key = {{1}};
    struct era_idtable *table = era_idtable_new(3, &key);
    for (uint64_t n = 0; n < 4; n++) {
        struct era_idnote note = {.id = id_of(n), .link = n};
        era_idtable_put(table, &note);
    }
    struct era_hash first = id_of(0), second = id_of(1), fourth = id_of(3);
    cr_assert_eq(era_idtable_count(table), 3);
    cr_assert_null(era_idtable_find(table, &first));
    cr_assert_eq(era_idtable_find(table, &fourth)->link, 3);
    cr_assert(era_hash_eq(&era_idtable_oldest(table)->id, &second));
    struct era_idnote again = {.id = second, .link = 9};
    era_idtable_put(table, &again);
    cr_assert_eq(era_idtable_count(table), 3);
    cr_assert_eq(era_idtable_oldest(table)->link, 2, "put again, it is the newest");
    era_idtable_remove_link(table, 9);
    cr_assert_null(era_idtable_find(table, &second));
    era_idtable_clear(table);
    cr_assert_null(era_idtable_oldest(table));
    era_idtable_free(table);
    era_idtable_free(NULL);
}

Test(known, remembers_the_latest)
{
    struct era_siphash_key key = {{1}};
    struct era_known *known = calloc(1, sizeof *known);
    size_t kept = 0;
    for (uint64_t n = 0; n < 100000; n++) {
        struct era_hash id = id_of(n);
        cr_assert(era_known_put(known, &key, &id));
        cr_assert_not(era_known_put(known, &key, &id));
    }
    for (uint64_t n = 99000; n < 100000; n++) {
        struct era_hash id = id_of(n);
        kept += era_known_has(known, &key, &id);
    }
    cr_assert_geq(kept, 990);
    era_known_free(known);
}
