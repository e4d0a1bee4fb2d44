/* CLOCK: whether one's own clock may be believed (R14). */
#include <criterion/criterion.h>

#include "src/base/prng.h"
#include "src/core/clock.h"
#include "tests/lib/given.h"

static struct era_charter *c;
static struct era_clock *k;

/* Epochs of 1000 ms, tolerance 1, Q = 27 of 40. */
static void begin(void)
{
    c = given_charter("alice:10 bob:10 carol:10 dave:10", "network k=1 signers=s1");
    k = era_clock_new(c);
}

static void end(void)
{
    era_clock_free(k);
}

TestSuite(clock, .init = begin, .fini = end);

static void hear(const char *who, uint64_t epoch, uint64_t now_ms)
{
    era_clock_hear(k, given_validator_index(c, who), epoch, 10, now_ms);
}

static bool doubtful(uint64_t own_epoch, uint64_t now_ms)
{
    return era_clock_judge(k, own_epoch, now_ms).doubtful;
}

Test(clock, R14_clock_a_quorum_further_off_than_the_tolerance)
{
    hear("alice", 12, 0);
    hear("bob", 12, 0);
    cr_expect_not(doubtful(10, 0), "20 of 40 are no quorum");
    hear("carol", 12, 0);
    cr_expect(doubtful(10, 0));
    cr_expect_eq(era_clock_judge(k, 10, 0).median, 12);
    cr_expect_eq(era_clock_judge(k, 10, 0).heard_stake, 30);
    cr_expect_not(doubtful(11, 0), "one epoch is tolerated");
    cr_expect_not(doubtful(13, 0));
    cr_expect(doubtful(14, 0), "ahead as well as behind");
}

/* Why a charter's tolerance is 1 or more: all are in time, and say the next epoch before it begins (R16). */
Test(clock, R14_without_a_tolerance_a_network_in_time_would_be_in_doubt)
{
    hear("alice", 11, 0);
    hear("bob", 11, 0);
    hear("carol", 11, 0);
    cr_expect_not(doubtful(10, 0));
    c->clock.tolerance_epochs = 0;
    cr_expect(doubtful(10, 0));
}

Test(clock, R14_clock_the_median_decides_not_the_few)
{
    hear("alice", 10, 0);
    hear("bob", 500, 0);
    hear("carol", 500, 0);
    hear("dave", 10, 0);
    cr_expect_not(doubtful(10, 0), "half of the stake is not more than half");
    cr_expect_not(doubtful(500, 0));
}

Test(clock, R14_clock_stake_counts_not_heads)
{
    c = given_charter("alice:25 bob:5 carol:5 dave:5", "network k=1 signers=s1");
    struct era_clock *weighted = era_clock_new(c);
    era_clock_hear(weighted, given_validator_index(c, "alice"), 10, 10, 0);
    era_clock_hear(weighted, given_validator_index(c, "bob"), 99, 10, 0);
    era_clock_hear(weighted, given_validator_index(c, "carol"), 99, 10, 0);
    era_clock_hear(weighted, given_validator_index(c, "dave"), 99, 10, 0);
    cr_expect_not(era_clock_judge(weighted, 10, 0).doubtful);
    cr_expect(era_clock_judge(weighted, 99, 0).doubtful);
    cr_expect_eq(era_clock_judge(weighted, 99, 0).median, 10);
    era_clock_free(weighted);
}

Test(clock, R14_clock_less_than_a_quorum_raises_nothing_whatever_it_says)
{
    hear("alice", ERA_EPOCH_MAX, 0);
    hear("bob", ERA_EPOCH_MAX, 0);
    cr_expect_not(doubtful(10, 0));
    hear("carol", 10, 0);
    hear("dave", 10, 0);
    cr_expect_not(doubtful(10, 0));
}

Test(clock, R14_clock_of_each_validator_the_newest_epoch_counts)
{
    hear("alice", 10, 0);
    hear("bob", 10, 0);
    hear("carol", 10, 0);
    hear("alice", 3, 100);
    hear("bob", 3, 100);
    hear("carol", 3, 100);
    cr_expect_not(doubtful(10, 100), "what is older is a replay");
    hear("alice", 20, 200);
    hear("bob", 20, 200);
    hear("carol", 20, 200);
    cr_expect(doubtful(10, 200));
}

Test(clock, R14_clock_counts_from_when_it_was_first_heard)
{
    hear("alice", 20, 0);
    hear("bob", 20, 0);
    hear("carol", 20, 500);
    cr_expect_eq(era_clock_judge(k, 10, 600).recheck_ms, 2001);
    hear("alice", 20, 1500);
    cr_expect(doubtful(10, 2000));
    cr_expect_not(doubtful(10, 2001), "hearing it again is no news");
    cr_expect_eq(era_clock_judge(k, 10, 2001).heard_stake, 10);
    cr_expect_eq(era_clock_judge(k, 10, 2001).recheck_ms, 2501);
    cr_expect_eq(era_clock_judge(k, 10, 2501).recheck_ms, UINT64_MAX);
}

Test(clock, R14_clock_what_the_disk_held_is_not_heard)
{
    static const char *const names[] = {"alice", "bob", "carol", "dave"};

    for (int i = 0; i < 4; i++)
        era_clock_know(k, given_validator_index(c, names[i]), 20);
    cr_expect_not(doubtful(10, 0));
    for (int i = 0; i < 4; i++)
        hear(names[i], 20, 0);
    cr_expect_not(doubtful(10, 0), "nor when it comes again over the wire");
    for (int i = 0; i < 4; i++)
        hear(names[i], 21, 0);
    cr_expect(doubtful(10, 0));
    era_clock_know(k, given_validator_index(c, "alice"), 5);
    cr_expect_eq(era_clock_judge(k, 10, 0).heard_stake, 40);
}

Test(clock, R14_clock_a_height_clock_counts_its_own_epochs)
{
    c->clock = (struct era_clock_params){ERA_CLOCK_HEIGHT, 0, 100, 1};
    hear("alice", 20, 0); /* at its own epoch 10 */
    hear("bob", 20, 0);
    hear("carol", 20, 0);
    cr_expect(doubtful(10, 1000000000), "however long that takes");
    cr_expect_eq(era_clock_judge(k, 10, 0).recheck_ms, UINT64_MAX);
    cr_expect(doubtful(12, 0));
    cr_expect_not(doubtful(13, 0));
}

Test(clock, I15_no_number_overflows)
{
    static const char *const names[] = {"alice", "bob", "carol", "dave"};

    for (int i = 0; i < 4; i++) {
        c->validators[i].stake = ERA_STAKE_SUM_MAX / 4;
        era_clock_hear(k, given_validator_index(c, names[i]), ERA_EPOCH_MAX, 0, UINT64_MAX - 1);
    }
    c->clock.tolerance_epochs = ERA_EPOCH_MAX;
    cr_expect_not(doubtful(0, UINT64_MAX - 1));
    c->clock.tolerance_epochs = ERA_EPOCH_MAX - 1;
    cr_expect(doubtful(0, UINT64_MAX - 1));
    cr_expect_not(doubtful(ERA_EPOCH_MAX, UINT64_MAX - 1));
    c->clock.epoch_ms = ERA_EPOCH_MAX;
    cr_expect_eq(era_clock_judge(k, 0, UINT64_MAX - 1).heard_stake, ERA_STAKE_SUM_MAX);
}

Test(clock, R14_clock_never_in_an_authority_only_network)
{
    hear("alice", 20, 0);
    hear("bob", 20, 0);
    hear("carol", 20, 0);
    c->authority_only = true;
    cr_expect_not(doubtful(10, 0));
}

/* What is kept up to date as words come is what a walk through all that was heard finds: here one clock is
 * asked at each step, the other is made anew, told all again, and asked once. */
Test(clock, R14_what_is_kept_up_to_date_is_what_a_walk_finds)
{
    struct word {
        int validator;
        uint64_t epoch, own_epoch, now_ms;
    } words[300];
    struct era_prng prng;
    size_t doubts = 0;

    for (uint64_t seed = 0; seed < 60; seed++) {
        uint64_t own = 10, now_ms = 1000;
        struct era_clock *kept = era_clock_new(c);
        era_prng_init(&prng, seed);
        c->clock = seed % 2 ? (struct era_clock_params){ERA_CLOCK_HEIGHT, 0, 100, 1}
                            : (struct era_clock_params){ERA_CLOCK_WALL, 0, 1000, 1};
        for (size_t n = 0; n < 300; n++) {
            own += era_prng_below(&prng, 8) == 0;
            now_ms += era_prng_below(&prng, 300);
            words[n] =
                (struct word){(int)era_prng_below(&prng, 4), own - 3 + era_prng_below(&prng, 6), own, now_ms};
            era_clock_hear(kept, words[n].validator, words[n].epoch, own, now_ms);
            struct era_clock *anew = era_clock_new(c);
            for (size_t i = 0; i <= n; i++)
                era_clock_hear(anew, words[i].validator, words[i].epoch, words[i].own_epoch, words[i].now_ms);
            struct era_clock_word is = era_clock_judge(kept, own, now_ms),
                                  should = era_clock_judge(anew, own, now_ms);
            era_clock_free(anew);
            cr_assert_eq(is.heard_stake, should.heard_stake);
            cr_assert_eq(is.doubtful, should.doubtful);
            cr_assert_eq(is.median, should.median);
            cr_assert_gt(is.recheck_ms, now_ms);
            cr_assert_leq(is.recheck_ms, should.recheck_ms);
            doubts += is.doubtful;
        }
        era_clock_free(kept);
    }
    cr_expect_gt(doubts, 100);
    cr_expect_lt(doubts, 60 * 300 - 100);
}
