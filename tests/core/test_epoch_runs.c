#include <criterion/criterion.h>

#include "src/core/epoch_runs.h"

static struct era_epoch_runs given_epochs(const uint64_t *epochs, size_t n)
{
    struct era_epoch_runs r = {0};
    for (size_t i = 0; i < n; i++)
        era_epoch_runs_add(&r, epochs[i]);
    return r;
}

Test(epoch_runs, R16_what_was_said_is_known_and_nothing_else)
{
    const uint64_t said[] = {7, 5, 6, 2000, 9, 2001};
    struct era_epoch_runs r = given_epochs(said, 6);
    cr_assert_eq(r.count, 3);
    for (size_t i = 0; i < 6; i++)
        cr_expect(era_epoch_runs_has(&r, said[i]));
    const uint64_t not_said[] = {0, 4, 8, 10, 1999, 2002};
    for (size_t i = 0; i < 6; i++)
        cr_expect_not(era_epoch_runs_has(&r, not_said[i]), "%zu", i);
}

Test(epoch_runs, an_epoch_said_again_changes_nothing)
{
    const uint64_t said[] = {5, 6, 5, 6};
    struct era_epoch_runs r = given_epochs(said, 4);
    cr_assert_eq(r.count, 1);
    cr_assert_eq(r.runs[0].first, 5);
    cr_assert_eq(r.runs[0].last, 6);
}

Test(epoch_runs, of_more_runs_than_fit_the_lowest_promise_too_much)
{
    struct era_epoch_runs r = {0};
    for (uint64_t i = 0; i <= ERA_EPOCH_RUNS_MAX; i++)
        era_epoch_runs_add(&r, 10 * i);
    cr_assert_eq(r.count, ERA_EPOCH_RUNS_MAX);
    cr_assert(era_epoch_runs_has(&r, 0));
    cr_assert(era_epoch_runs_has(&r, 5)); /* never said, and counts as said */
    cr_assert_not(era_epoch_runs_has(&r, 15));
    cr_assert(era_epoch_runs_has(&r, 10 * ERA_EPOCH_RUNS_MAX));
}

Test(epoch_runs, the_record_gives_the_same_set_back)
{
    const uint64_t said[] = {3, 4, 4000000};
    struct era_epoch_runs r = given_epochs(said, 3), back;
    uint8_t bytes[ERA_EPOCH_RUNS_BYTES_MAX];
    size_t len = era_epoch_runs_encode(&r, bytes);
    cr_assert_eq(len, 32);
    cr_assert(era_epoch_runs_decode((struct era_bytes){bytes, len}, &back));
    cr_assert_eq(back.count, 2);
    cr_assert(era_epoch_runs_has(&back, 4000000));
}

Test(epoch_runs, a_record_that_no_such_set_makes_is_refused)
{
    uint8_t bytes[ERA_EPOCH_RUNS_BYTES_MAX + 16] = {0};
    struct era_epoch_runs out;
    bytes[7] = 5, bytes[15] = 4; /* ends before it begins */
    cr_expect_not(era_epoch_runs_decode((struct era_bytes){bytes, 16}, &out));
    cr_expect_not(era_epoch_runs_decode((struct era_bytes){bytes, 15}, &out));
    bytes[15] = 9, bytes[23] = 10, bytes[31] = 11; /* touches the one before */
    cr_expect_not(era_epoch_runs_decode((struct era_bytes){bytes, 32}, &out));
    bytes[23] = 11, bytes[24] = 0xff; /* beyond any epoch */
    cr_expect_not(era_epoch_runs_decode((struct era_bytes){bytes, 32}, &out));
    cr_expect_not(era_epoch_runs_decode((struct era_bytes){bytes, sizeof bytes}, &out));
    cr_assert_eq(out.count, 0);
}
