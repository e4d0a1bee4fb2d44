#include <criterion/criterion.h>

#include "src/base/fraction.h"

Test(number, is_digits_only_without_leading_zeros_and_within_its_bound)
{
    uint64_t v = 7;
    cr_assert(era_u64_parse("0", 0, &v));
    cr_assert_eq(v, 0);
    cr_assert(era_u64_parse("18446744073709551615", UINT64_MAX, &v));
    cr_assert_eq(v, UINT64_MAX);
    cr_assert(era_u64_parse("9007199254740991", 9007199254740991, &v));
    cr_assert_eq(v, 9007199254740991);
}

Test(number, refuses_every_other_form)
{
    static const char *const refused[] = {"",   " ",  "-1",    "+1",   "01",  "00",  "0_1",
                                          " 1", "1 ", "1\n",   "1_000", "0x1", "1e3", "1.0",
                                          "18446744073709551616", "99999999999999999999999"};
    uint64_t v = 7;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        cr_expect(!era_u64_parse(refused[i], UINT64_MAX, &v), "\"%s\"", refused[i]);
    cr_expect(!era_u64_parse("101", 100, &v));
    cr_assert_eq(v, 7);
}

Test(fraction, is_written_as_parts_or_as_zero_or_one)
{
    static const struct {
        const char *text;
        uint64_t n, d;
    } good[] = {{"2/3", 2, 3}, {"0", 0, 1},   {"1", 1, 1},
                {"0/5", 0, 5}, {"4/6", 4, 6}, {"1000000/1000000", 1000000, 1000000}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint64_t n, d;
        cr_assert(era_fraction_parse(good[i].text, &n, &d), "%s", good[i].text);
        cr_expect_eq(n, good[i].n);
        cr_expect_eq(d, good[i].d);
    }
}

Test(fraction, is_at_most_one_and_has_bounded_parts)
{
    static const char *const refused[] = {"",     "/",    "2/",   "/3",  "3/2",  "2",    "0/0",  "1/0",
                                          "1/2/3", "1 /2", "-1/2", "1/-2", "0.5", "02/3", "2/03", "1/2 ",
                                          "1/1000001", "1000001/1000001"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        uint64_t n = 7, d = 7;
        cr_expect(!era_fraction_parse(refused[i], &n, &d), "\"%s\"", refused[i]);
        cr_expect(n == 7 && d == 7);
    }
}

Test(fraction, R5_of_a_whole_is_rounded_up_and_exact)
{
    cr_assert_eq(era_fraction_ceil(2, 3, 0), 0);
    cr_assert_eq(era_fraction_ceil(2, 3, 1), 1);
    cr_assert_eq(era_fraction_ceil(2, 3, 3), 2);
    cr_assert_eq(era_fraction_ceil(2, 3, 4), 3);
    cr_assert_eq(era_fraction_ceil(0, 1, 1000), 0);
    cr_assert_eq(era_fraction_ceil(1, 1, UINT64_MAX), UINT64_MAX);
    cr_assert_eq(era_fraction_ceil(999999, 1000000, UINT64_MAX), 18446725626965477906u);
    /* 2^62 + 1: a double has no room for the last bit */
    cr_assert_eq(era_fraction_ceil(2, 3, 4611686018427387905), 3074457345618258604u);
}
