#include <criterion/criterion.h>
#include <stdbool.h>

#include "src/base/prng.h"

Test(prng, is_xoshiro256starstar)
{
    struct era_prng prng = {{1, 2, 3, 4}};
    cr_assert_eq(era_prng_next(&prng), 11520u);
    cr_assert_eq(era_prng_next(&prng), 0u);
    cr_assert_eq(era_prng_next(&prng), 1509978240u);
    cr_assert_eq(era_prng_next(&prng), 1215971899390074240u);
}

Test(prng, is_seeded_by_splitmix64)
{
    struct era_prng prng;
    era_prng_init(&prng, 0);
    cr_assert_eq(prng.s[0], 0xe220a8397b1dcdafu);
    cr_assert_eq(prng.s[1], 0x6e789e6aa1b965f4u);
    cr_assert_eq(prng.s[2], 0x06c45d188009454fu);
    cr_assert_eq(prng.s[3], 0xf88bb8a8724c81ecu);
}

Test(prng, below_stays_below_and_reaches_everything)
{
    struct era_prng prng;
    unsigned seen[6] = {0};
    era_prng_init(&prng, 42);
    for (int i = 0; i < 6000; i++) {
        uint64_t x = era_prng_below(&prng, 6);
        cr_assert_lt(x, 6);
        seen[x]++;
    }
    for (int i = 0; i < 6; i++)
        cr_expect(seen[i] > 850 && seen[i] < 1150, "%d came %u times", i, seen[i]);
    cr_assert_eq(era_prng_below(&prng, 1), 0);
}

/* With n = 3 * 2^62 a plain remainder would give the lowest third twice as often as the rest. */
Test(prng, below_favours_nothing)
{
    struct era_prng prng;
    unsigned low = 0;
    era_prng_init(&prng, 42);
    for (int i = 0; i < 3000; i++)
        low += era_prng_below(&prng, (uint64_t)3 << 62) < (uint64_t)1 << 62;
    cr_assert(low > 850 && low < 1150, "the lowest third came %u times in 3000", low);
}

Test(siphash, is_SipHash_2_4)
{
    struct era_siphash_key key;
    uint8_t data[15];
    for (uint8_t i = 0; i < 16; i++)
        key.b[i] = i;
    for (uint8_t i = 0; i < 15; i++)
        data[i] = i;
    cr_assert_eq(era_siphash(&key, data, 0), 0x310e0edd47db6f72u);
    cr_assert_eq(era_siphash(&key, data, 15), 0xe545be4961ca29a1u);
}

Test(root, each_purpose_has_a_part_of_its_own)
{
    struct era_root root = era_root_of_seed(1), other = era_root_of_seed(2);
    struct era_siphash_key key, again, unlike, of_other;
    era_root_siphash_key(&root, "salt", &key);
    era_root_siphash_key(&root, "salt", &again);
    era_root_siphash_key(&root, "table", &unlike);
    era_root_siphash_key(&other, "salt", &of_other);
    cr_assert_arr_eq(key.b, again.b, sizeof key.b);
    cr_assert_arr_neq(key.b, unlike.b, sizeof key.b);
    cr_assert_arr_neq(key.b, of_other.b, sizeof key.b);
}

Test(root, is_of_its_seed_on_every_machine)
{
    const uint8_t expected[4] = {0x12, 0xdd, 0x0a, 0x6a};
    struct era_root root = era_root_of_seed(1);
    cr_assert_arr_eq(root.b, expected, sizeof expected);
}
