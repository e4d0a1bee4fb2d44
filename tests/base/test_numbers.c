/* Numbers found by hash: whatever the order of adding and removing, each is found, and nothing else. */
#include <criterion/criterion.h>

#include "src/base/numbers.h"
#include "src/base/prng.h"

#define COUNT 5000

/* What the numbers stand for; hashes collide on purpose. */
struct words {
    uint64_t key[COUNT + 1];
    uint64_t hash_mask;
};

static uint64_t hash_of_key(const struct words *w, uint64_t key)
{
    static const struct era_siphash_key secret = {{7}};
    return era_siphash(&secret, &key, sizeof key) & w->hash_mask;
}

static uint64_t hash_of(const void *ctx, uint32_t number)
{
    const struct words *w = ctx;
    return hash_of_key(w, w->key[number]);
}

static bool is(const void *ctx, uint32_t number, const void *key)
{
    const struct words *w = ctx;
    return w->key[number] == *(const uint64_t *)key;
}

static uint32_t find(const struct era_numbers *t, const struct words *w, uint64_t key)
{
    return era_numbers_find(t, hash_of_key(w, key), &key, is, w);
}

static void add(struct era_numbers *t, struct words *w, uint32_t number, uint64_t key)
{
    w->key[number] = key;
    era_numbers_add(t, hash_of_key(w, key), number, hash_of, w);
}

static void drop(struct era_numbers *t, const struct words *w, uint32_t number)
{
    era_numbers_replace(t, hash_of(w, number), number, 0, hash_of, w);
}

Test(numbers, each_is_found_and_nothing_else)
{
    static struct words w = {.hash_mask = UINT64_MAX};
    struct era_numbers t = {0};
    cr_expect_eq(find(&t, &w, 1), 0, "an empty one");
    for (uint32_t i = 1; i <= COUNT; i++)
        add(&t, &w, i, 3 * i);
    for (uint32_t i = 1; i <= COUNT; i++) {
        cr_assert_eq(find(&t, &w, 3 * i), i);
        cr_assert_eq(find(&t, &w, 3 * i + 1), 0);
    }
    cr_expect_eq(t.count, COUNT);
    cr_expect_leq(sizeof *t.cells << t.bits, 10 * COUNT, "bytes");
    era_numbers_release(&t);
}

static void stays_right(uint64_t hash_mask, uint32_t count)
{
    static struct words w;
    static bool in[COUNT + 1];
    struct era_numbers t = {0};
    struct era_prng prng;
    era_prng_init(&prng, 5);
    w.hash_mask = hash_mask;
    for (int step = 0; step < 20000; step++) {
        uint32_t i = (uint32_t)(1 + era_prng_below(&prng, count));
        if (in[i])
            drop(&t, &w, i);
        else
            add(&t, &w, i, i);
        in[i] = !in[i];
        cr_assert_eq(find(&t, &w, i), in[i] ? i : 0);
    }
    for (uint32_t i = 1; i <= count; i++)
        cr_assert_eq(find(&t, &w, i), in[i] ? i : 0, "%u", i);
    era_numbers_release(&t);
}

Test(numbers, those_that_go_cut_no_other_off)
{
    stays_right(UINT64_MAX, COUNT);
}

Test(numbers, equal_hashes_and_runs_round_the_end_do_no_harm)
{
    stays_right(0xff0000000000001e, 100);
}

Test(numbers, one_takes_the_place_of_another)
{
    static struct words w = {.hash_mask = UINT64_MAX};
    struct era_numbers t = {0};
    for (uint32_t i = 1; i <= 100; i++)
        add(&t, &w, i, i);
    w.key[200] = 50;
    era_numbers_replace(&t, hash_of(&w, 50), 50, 200, hash_of, &w);
    cr_expect_eq(find(&t, &w, 50), 200);
    cr_expect_eq(t.count, 100);
    drop(&t, &w, 200);
    cr_expect_eq(find(&t, &w, 50), 0);
    cr_expect_eq(t.count, 99);
    era_numbers_release(&t);
}
