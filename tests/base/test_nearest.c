#include <criterion/criterion.h>

#include "src/base/nearest.h"

static const char *meant(const char *word)
{
    struct era_nearest n = {.word = word};
    era_nearest_try(&n, "approve");
    era_nearest_try(&n, "propose");
    era_nearest_try(&n, "gate");
    return era_nearest_found(&n);
}

Test(nearest, letters_inserted_dropped_replaced_and_swapped_count_one_each)
{
    cr_expect_eq(era_word_distance("gate", "gate"), 0);
    cr_expect_eq(era_word_distance("gate", "gates"), 1);
    cr_expect_eq(era_word_distance("gate", "gte"), 1);
    cr_expect_eq(era_word_distance("gate", "gape"), 1);
    cr_expect_eq(era_word_distance("gate", "agte"), 1);
    cr_expect_eq(era_word_distance("", "gate"), 4);
}

Test(nearest, a_typing_error_finds_its_word)
{
    cr_assert_str_eq(meant("aprove"), "approve");
    cr_assert_str_eq(meant("gaet"), "gate");
}

Test(nearest, what_is_far_from_all_finds_none)
{
    cr_assert_null(meant("reconcile"));
}

Test(nearest, the_cure_names_it_or_says_where_to_look)
{
    char out[ERA_NEAREST_CURE_BYTES];
    struct era_nearest near = {.word = "gaet"}, far = {.word = "xyz"};
    era_nearest_try(&near, "gate");
    era_nearest_try(&far, "gate");
    cr_expect_str_eq(era_nearest_cure(&near, "see --help", out), "did you mean gate?");
    cr_expect_str_eq(era_nearest_cure(&far, "see --help", out), "see --help");
}
