#include <criterion/criterion.h>

#include "src/core/epoch.h"

static uint64_t epoch_at(uint64_t genesis, uint64_t length, uint64_t reading)
{
    struct era_clock_params clock = {ERA_CLOCK_WALL, genesis, length, 1};
    return era_epoch_at(&clock, reading);
}

static uint64_t start_of(uint64_t genesis, uint64_t length, uint64_t epoch)
{
    struct era_clock_params clock = {ERA_CLOCK_WALL, genesis, length, 1};
    return era_epoch_start(&clock, epoch);
}

Test(epoch, R14_wall_epochs_are_counted_from_genesis)
{
    cr_expect_eq(epoch_at(1000, 100, 999), 0, "before genesis");
    cr_expect_eq(epoch_at(1000, 100, 0), 0);
    cr_expect_eq(epoch_at(1000, 100, 1000), 0);
    cr_expect_eq(epoch_at(1000, 100, 1099), 0);
    cr_expect_eq(epoch_at(1000, 100, 1100), 1);
    cr_expect_eq(epoch_at(1000, 100, 1999), 9);
}

Test(epoch, R14_height_epochs_are_so_many_heights)
{
    struct era_clock_params clock = {ERA_CLOCK_HEIGHT, 0, 14400, 0};

    cr_expect_eq(era_epoch_at(&clock, 14399), 0);
    cr_expect_eq(era_epoch_at(&clock, 14400), 1);
    cr_expect_eq(era_epoch_start(&clock, 3), 43200);
}

Test(epoch, R14_an_epoch_starts_where_the_one_before_it_ends)
{
    for (uint64_t e = 0; e < 1000; e++) {
        uint64_t at = start_of(1767225600000, 86400000, e);
        cr_expect_eq(epoch_at(1767225600000, 86400000, at), e);
        cr_expect_eq(epoch_at(1767225600000, 86400000, at + 86399999), e);
    }
}

Test(epoch, I15_nothing_overflows_at_the_end_of_time)
{
    cr_expect_eq(epoch_at(0, 1, UINT64_MAX), ERA_EPOCH_MAX);
    cr_expect_eq(epoch_at(0, 1, ERA_EPOCH_MAX), ERA_EPOCH_MAX);
    cr_expect_eq(epoch_at(0, 1, ERA_EPOCH_MAX - 1), ERA_EPOCH_MAX - 1);
    cr_expect_eq(epoch_at(0, UINT64_MAX, UINT64_MAX), 1);
    cr_expect_eq(epoch_at(0, UINT64_MAX, UINT64_MAX - 1), 0);
    cr_expect_eq(epoch_at(UINT64_MAX, 1, UINT64_MAX), 0);
    cr_expect_eq(start_of(0, ERA_EPOCH_MAX, ERA_EPOCH_MAX), UINT64_MAX);
    cr_expect_eq(start_of(UINT64_MAX, 1, 1), UINT64_MAX);
    cr_expect_eq(start_of(1, UINT64_MAX, 1), UINT64_MAX);
    cr_expect_eq(start_of(ERA_EPOCH_MAX, 1, ERA_EPOCH_MAX), 2 * ERA_EPOCH_MAX);
    cr_expect_eq(start_of(5, UINT64_MAX, 0), 5);
}
