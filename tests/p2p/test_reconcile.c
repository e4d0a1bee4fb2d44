#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "p2p/gossip_table.h"
#include "p2p/reconcile.h"

#define PAGE ((size_t)ERA_SYNC_IDS_PER_FRAME_MAX)

static struct era_hash id_of(uint8_t bucket, uint64_t n)
{
    struct era_hash id = {{bucket}};
    era_put_be64(id.b + 1, n * 0x9E3779B97F4A7C15u); /* in no order */
    return id;
}

static void given_ids(struct era_idset *set, uint8_t bucket, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n < to; n++) {
        struct era_hash id = id_of(bucket, n);
        cr_assert(era_idset_add(set, &id, 0));
    }
}

static const struct era_bucket_mask every_bucket = {.bits = {[0 ... 31] = 0xFF}};
static const struct era_cursor start;

Test(idset, holds_each_id_once)
{
    struct era_idset *set = era_idset_new();
    struct era_hash id = id_of(7, 1), other = id_of(7, 2);
    cr_assert(era_idset_add(set, &id, 0));
    cr_assert_not(era_idset_add(set, &id, 0));
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

Test(idset, equal_sets_have_equal_fingerprints_in_whatever_order_they_grew)
{
    struct era_idset *a = era_idset_new(), *b = era_idset_new();
    uint8_t of_a[ERA_SUMMARY_BYTES], of_b[ERA_SUMMARY_BYTES], zeros[ERA_SUMMARY_BYTES] = {0};
    struct era_bucket_mask differing;
    era_idset_summary(a, of_a);
    cr_assert_eq(memcmp(of_a, zeros, sizeof zeros), 0, "zeros for the empty");
    given_ids(a, 3, 0, 100);
    given_ids(b, 3, 50, 100);
    era_idset_summary(b, of_b);
    era_idset_differing(a, of_b, &differing);
    cr_assert(era_bucket_mask_has(&differing, 3));
    cr_assert_not(era_bucket_mask_has(&differing, 4));
    given_ids(b, 3, 0, 50);
    era_idset_summary(a, of_a);
    era_idset_summary(b, of_b);
    cr_assert_eq(memcmp(of_a, of_b, sizeof of_a), 0);
    era_idset_differing(a, of_b, &differing);
    cr_assert(era_bucket_mask_is_empty(&differing));
    struct era_hash id = id_of(3, 5);
    era_idset_remove(b, &id);
    era_idset_summary(b, of_b);
    cr_assert_neq(memcmp(of_a, of_b, sizeof of_a), 0);
    era_idset_free(a);
    era_idset_free(b);
}

Test(idset, pages_name_every_id_once_and_in_order)
{
    struct era_idset *set = era_idset_new();
    given_ids(set, 0, 1, 101);  /* not the id of zeros, which is `last` at first */
    given_ids(set, 9, 0, 5000); /* more than two pages of one bucket */
    given_ids(set, 255, 0, 10);
    struct era_cursor at = start;
    struct era_hash last = {{0}};
    struct era_page page;
    size_t seen = 0, pages = 0;
    do {
        era_idset_page(set, &every_bucket, &at, &page);
        cr_assert_eq(era_page_check(&page), ERA_ACCEPTED);
        for (size_t i = 0; i < page.bucket_count; i++)
            for (size_t k = 0; k < page.buckets[i].count; k++, seen++) {
                const uint8_t *id = page.buckets[i].ids + 32 * k;
                cr_assert_gt(memcmp(id, last.b, 32), 0);
                memcpy(last.b, id, 32);
            }
        at = era_page_end(&page);
        pages++;
    } while (era_page_is_full(&page));
    cr_assert_eq(seen, 5110);
    cr_assert_eq(pages, 3);
    era_idset_free(set);
}

Test(idset, a_page_names_only_the_buckets_asked_for_and_empty_ones_too)
{
    struct era_idset *set = era_idset_new();
    struct era_bucket_mask mask = {{0}};
    struct era_page page;
    given_ids(set, 1, 0, 5);
    given_ids(set, 2, 0, 5);
    era_bucket_mask_put(&mask, 2);
    era_bucket_mask_put(&mask, 200);
    era_idset_page(set, &mask, &start, &page);
    cr_assert_eq(page.bucket_count, 2);
    cr_assert_eq(page.buckets[0].bucket, 2);
    cr_assert_eq(page.buckets[0].count, 5);
    cr_assert_eq(page.buckets[1].bucket, 200);
    cr_assert_eq(page.buckets[1].count, 0);
    era_idset_free(set);
}

Test(idset, lacks_names_what_is_ours_alone_within_what_the_page_covers)
{
    static struct era_page_room room;
    struct era_idset *ours = era_idset_new(), *theirs = era_idset_new();
    struct era_bucket_mask mask = {{0}};
    struct era_page page, list;
    given_ids(ours, 1, 0, 10);
    given_ids(theirs, 1, 5, 20);
    given_ids(ours, 2, 0, 10); /* not listed: not compared */
    era_bucket_mask_put(&mask, 1);
    era_idset_page(theirs, &mask, &start, &page);
    era_idset_lacks(ours, &page, &start, &room, &list);
    cr_assert_eq(list.id_count, 5);
    cr_assert_eq(list.bucket_count, 1);
    cr_assert_eq(era_page_check(&list), ERA_ACCEPTED);
    for (uint64_t n = 0; n < 5; n++) {
        struct era_hash id = id_of(1, n);
        bool there = false;
        for (size_t k = 0; k < 5; k++)
            there = there || memcmp(list.buckets[0].ids + 32 * k, id.b, 32) == 0;
        cr_assert(there);
    }
    era_idset_free(ours);
    era_idset_free(theirs);
}

static size_t add_all(struct era_idset *set, const struct era_page *page)
{
    size_t added = 0;
    for (size_t i = 0; i < page->bucket_count; i++)
        for (size_t k = 0; k < page->buckets[i].count; k++) {
            struct era_hash id;
            memcpy(id.b, page->buckets[i].ids + 32 * k, 32);
            added += era_idset_add(set, &id, 0);
        }
    return added;
}

/* One round between two sets, as gossip plays it; each gains what it lacked. */
static size_t play_round(struct era_idset *beginner, struct era_idset *other, size_t *moved)
{
    static struct era_page_room room;
    uint8_t summary[ERA_SUMMARY_BYTES];
    struct era_bucket_mask differing;
    struct era_cursor at = start;
    struct era_page page, list;
    size_t pages = 0;
    bool more = true;
    era_idset_summary(beginner, summary);
    era_idset_differing(other, summary, &differing);
    while (more) {
        era_idset_page(other, &differing, &at, &page);
        era_idset_lacks(beginner, &page, &at, &room, &list);
        more = era_page_is_full(&page) || era_page_is_full(&list);
        at = era_page_is_full(&list) ? era_page_end(&list) : era_page_end(&page);
        *moved += add_all(beginner, &page);
        *moved += add_all(other, &list);
        cr_assert_lt(++pages, 100000);
    }
    return pages;
}

Test(idset, one_round_of_pages_makes_any_two_sets_equal)
{
    static const uint64_t spans[][4] = {
        /* beginner from, to, other from, to */
        {0, 0, 0, 9000},    {0, 9000, 0, 0}, {0, 6000, 3000, 9000}, {0, 3000, 6000, 9000},
        {0, 8999, 0, 9000}, {0, PAGE, 0, 0}, {0, 0, 0, PAGE},       {0, 2 * PAGE, PAGE, 3 * PAGE},
    };
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
        for (unsigned buckets = 1; buckets <= 256; buckets *= 16) {
            struct era_idset *a = era_idset_new(), *b = era_idset_new();
            uint8_t of_a[ERA_SUMMARY_BYTES], of_b[ERA_SUMMARY_BYTES];
            size_t moved = 0;
            for (uint64_t n = spans[i][0]; n < spans[i][1]; n++)
                given_ids(a, (uint8_t)(n % buckets), n, n + 1);
            for (uint64_t n = spans[i][2]; n < spans[i][3]; n++)
                given_ids(b, (uint8_t)(n % buckets), n, n + 1);
            play_round(a, b, &moved);
            era_idset_summary(a, of_a);
            era_idset_summary(b, of_b);
            cr_assert_eq(memcmp(of_a, of_b, sizeof of_a), 0, "spans %zu, buckets %u", i, buckets);
            era_idset_free(a);
            era_idset_free(b);
        }
}

Test(idset, one_item_missing_costs_the_pages_of_its_bucket)
{
    struct era_idset *a = era_idset_new(), *b = era_idset_new();
    size_t moved = 0;
    for (uint64_t n = 0; n < 16000; n++) {
        struct era_hash id = id_of((uint8_t)(n % 4), n);
        era_idset_add(a, &id, 0);
        if (n != 7777)
            era_idset_add(b, &id, 0);
    }
    cr_assert_eq(play_round(a, b, &moved), 3); /* 4,000 ids: as in a set of a million */
    cr_assert_eq(moved, 1);
    era_idset_free(a);
    era_idset_free(b);
}

Test(page, from_outside_is_checked)
{
    struct era_hash ids[2] = {id_of(5, 0), id_of(5, 1)};
    struct era_page page = {
        .bucket_count = 1, .id_count = 2, .buckets = {{.bucket = 5, .ids = ids[0].b, .count = 2}}};
    cr_assert_eq(era_page_check(&page), ERA_ACCEPTED);
    page.buckets[0].bucket = 6;
    cr_assert_eq(era_page_check(&page), ERA_BAD_VALUE, "id of another bucket");
    page.buckets[0].bucket = 256;
    cr_assert_eq(era_page_check(&page), ERA_BAD_VALUE, "no such bucket");
    page.buckets[0].bucket = 5;
    ids[1] = ids[0];
    cr_assert_eq(era_page_check(&page), ERA_BAD_VALUE, "not ascending");
    page = (struct era_page){.bucket_count = 2, .buckets = {{.bucket = 5}, {.bucket = 5}}};
    cr_assert_eq(era_page_check(&page), ERA_BAD_VALUE, "a bucket twice");
    page = (struct era_page){.bucket_count = 1, .id_count = 9};
    cr_assert_eq(era_page_check(&page), ERA_BAD_VALUE, "counts differ");
}

/* ---- the small memories of gossip ---- */

Test(idtable, drops_the_oldest_when_it_is_full)
{
    struct era_siphash_key key = {{1}};
    struct era_idtable *table = era_idtable_new(3, &key);
    for (uint64_t n = 0; n < 4; n++) {
        struct era_idnote note = {.id = id_of(1, n), .link = n};
        era_idtable_put(table, &note);
    }
    struct era_hash first = id_of(1, 0), second = id_of(1, 1), fourth = id_of(1, 3);
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
        struct era_hash id = id_of(1, n);
        cr_assert(era_known_put(known, &key, &id));
        cr_assert_not(era_known_put(known, &key, &id));
    }
    for (uint64_t n = 99000; n < 100000; n++) {
        struct era_hash id = id_of(1, n);
        kept += era_known_has(known, &key, &id);
    }
    cr_assert_geq(kept, 990);
    free(known);
}
