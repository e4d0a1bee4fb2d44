#include <criterion/criterion.h>

#include "src/base/prng.h"
#include "src/core/fresh.h"
#include "tests/core/peer.h"

/* What the ledger keeps of who runs what (R16). */
static struct era_charter *c;
static struct peer *p;

static void begin(void)
{
    c = given_charter("alice:10 bob:10 carol:10 dave:10", "network k=2 signers=s1,s2,s3");
    p = given_peer(c);
}

TestSuite(announcements, .init = begin, .fini = peers_free);

static struct era_bytes announced(const char *who, uint64_t epoch)
{
    struct era_announcement a = given_running(c, epoch, "1.0.0");
    return given_announce(c, who, &a);
}

Test(announcements, R16_the_two_highest_epochs_of_a_key_are_kept)
{
    p->epoch = 9;
    cr_expect_eq(take(p, announced("alice", 5)), ERA_ACCEPTED);
    cr_expect_eq(take(p, announced("alice", 7)), ERA_ACCEPTED);
    changes(p);
    cr_expect_eq(take(p, announced("alice", 6)), ERA_ACCEPTED);
    cr_expect_str_eq(changes(p), "offer announcement, withdraw announcement, delete announcement");
    cr_expect_not(holds(p, announced("alice", 5)));
    cr_expect_eq(take(p, announced("alice", 5)), ERA_DOMINATED);
    cr_expect(holds(p, announced("alice", 6)) && holds(p, announced("alice", 7)));
    cr_expect_eq(take(p, announced("bob", 5)), ERA_ACCEPTED, "another key");
}

Test(announcements, R16_announcements_reach_one_epoch_ahead)
{
    p->epoch = 9;
    cr_expect_eq(take(p, announced("alice", 10)), ERA_ACCEPTED);
    cr_expect_eq(take(p, announced("alice", 11)), ERA_WRONG_EPOCH);
    p->epoch = 10;
    cr_expect_eq(take(p, announced("alice", 11)), ERA_ACCEPTED);
    p->epoch = UINT64_MAX;
    cr_expect_eq(take(p, announced("alice", ERA_EPOCH_MAX)), ERA_ACCEPTED);
}

Test(announcements, N4_two_announcements_of_one_epoch_are_evidence)
{
    struct era_announcement other = given_running(c, 5, "2.0.0");
    struct era_bytes first = announced("alice", 5), second = given_announce(c, "alice", &other);

    p->epoch = 5;
    take(p, first);
    take(p, second);
    cr_expect_str_eq(changes(p), "offer announcement, withdraw announcement, equivocation announcement");
    cr_expect_eq(take(p, announced("alice", 6)), ERA_ACCEPTED);
    cr_expect(holds(p, first) && holds(p, second));
}

Test(announcements, R6_what_a_key_says_of_an_epoch_stands_in_the_order_it_came)
{
    struct era_announcement two = given_running(c, 5, "2.0.0"), three = given_running(c, 5, "3.0.0");
    struct era_key alice = given_key("alice").key;
    struct era_item *first, *second, *third;
    const struct era_item *said[2];

    p->epoch = 5;
    cr_assert_eq(offer(p, announced("alice", 5), &first), ERA_ACCEPTED);
    cr_assert_eq(offer(p, given_announce(c, "alice", &two), &second), ERA_ACCEPTED);
    cr_assert_eq(take(p, announced("alice", 4)), ERA_ACCEPTED);
    cr_assert_eq(era_ledger_spoken(p->ledger, ERA_KIND_ANNOUNCEMENT, -1, 5, &alice, said), 2);
    cr_expect(said[0] == first && said[1] == second);
    era_ledger_abandon(p->ledger, first);
    cr_assert_eq(era_ledger_spoken(p->ledger, ERA_KIND_ANNOUNCEMENT, -1, 5, &alice, said), 1);
    cr_expect(said[0] == second);
    cr_assert_eq(offer(p, given_announce(c, "alice", &three), &third), ERA_ACCEPTED);
    cr_assert_eq(era_ledger_spoken(p->ledger, ERA_KIND_ANNOUNCEMENT, -1, 5, &alice, said), 2);
    cr_expect(said[0] == second && said[1] == third);
    era_ledger_abandon(p->ledger, third);
    cr_assert_eq(era_ledger_spoken(p->ledger, ERA_KIND_ANNOUNCEMENT, -1, 5, &alice, said), 1);
    cr_expect(said[0] == second);
    era_ledger_abandon(p->ledger, second);
    cr_expect_eq(era_ledger_spoken(p->ledger, ERA_KIND_ANNOUNCEMENT, -1, 5, &alice, said), 0);
}

Test(announcements, R16_announcements_in_flight_are_pruned_when_they_land)
{
    struct era_item *item[4];

    p->epoch = 9;
    for (uint64_t e = 0; e < 4; e++)
        cr_assert_eq(offer(p, announced("alice", 5 + e), &item[e]), ERA_ACCEPTED);
    for (uint64_t e = 4; e-- > 0;)
        era_ledger_commit(p->ledger, item[e]);
    cr_expect_eq(era_ledger_count(p->ledger), 2);
    cr_expect(holds(p, announced("alice", 7)) && holds(p, announced("alice", 8)));
}

Test(announcements, N6_fresh_stake_counts_each_key_once)
{
    p->epoch = 9;
    take(p, announced("alice", 8));
    take(p, announced("alice", 9));
    take(p, announced("bob", 7));
    cr_expect_eq(era_ledger_fresh_stake(p->ledger, 8), 10);
    cr_expect_eq(era_ledger_fresh_stake(p->ledger, 7), 20);
    cr_expect_eq(era_ledger_fresh_stake(p->ledger, 10), 0);
}

Test(announcements, R16_the_newest_announcement_up_to_an_epoch)
{
    struct era_announcement a;
    int alice = given_validator_index(c, "alice");

    p->epoch = 9;
    take(p, announced("alice", 8));
    take(p, announced("alice", 10));
    cr_assert_not_null(era_ledger_announcement(p->ledger, alice, 10, &a));
    cr_expect_eq(a.epoch, 10);
    cr_assert_not_null(era_ledger_announcement(p->ledger, alice, 9, &a));
    cr_expect_eq(a.epoch, 8);
    cr_expect_null(era_ledger_announcement(p->ledger, alice, 7, NULL));
}

Test(announcements, R16_an_own_announcement_is_known_again_after_the_clock_went_back)
{
    p->epoch = 3;
    cr_expect_eq(take(p, announced("alice", 9)), ERA_WRONG_EPOCH);
    cr_expect_eq(restore(p, announced("alice", 9)), ERA_ACCEPTED);
}

/* What is kept up to date as announcements come is what a walk through all validators finds. */
Test(announcements, N6_the_fresh_stake_kept_up_to_date_is_what_a_walk_finds)
{
    static const char *const names[] = {"alice", "bob", "carol", "dave"};
    struct era_fresh kept = {0};
    struct era_prng prng;
    uint64_t sum = 0;

    era_prng_init(&prng, 7);
    p->epoch = 4;
    for (int n = 0; n < 200; n++) {
        const char *who = names[era_prng_below(&prng, 4)];
        uint64_t least = p->epoch - 1;
        (void)era_fresh_stake(&kept, p->ledger, least);
        if (take(p, announced(who, p->epoch - 2 + era_prng_below(&prng, 4))) == ERA_ACCEPTED)
            era_fresh_announced(&kept, p->ledger, given_validator_index(c, who));
        uint64_t stake = era_ledger_fresh_stake(p->ledger, least);
        cr_assert_eq(era_fresh_stake(&kept, p->ledger, least), stake);
        sum += stake;
        p->epoch += era_prng_below(&prng, 6) == 0;
    }
    cr_expect_gt(sum, 1000);
    cr_expect_lt(sum, 200 * 40);
    cr_expect_eq(era_fresh_stake(&kept, p->ledger, p->epoch + 9), 0, "of another epoch");
    era_fresh_clear(&kept);
}
