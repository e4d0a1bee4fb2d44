#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/adoption.h"
#include "src/core/view.h"
#include "tests/core/peer.h"

static struct era_charter *c;
static struct peer *p;
static struct era_adoption_memo memo; /* of all that a test measures */

static void begin(void)
{
    c = given_charter("alice:10 bob:20 carol:30 dave:40", "network k=2 signers=s1,s2,s3");
    p = given_peer(c);
    p->epoch = 9;
}

static void end(void)
{
    era_adoption_forget(&memo);
    peers_free();
}

TestSuite(adoption, .init = begin, .fini = end);

static void runs(const char *who, uint64_t epoch, const char *software)
{
    struct era_announcement a = given_running(c, epoch, software);
    a.view_digest = era_view_digest(p->ledger);
    cr_assert_eq(take(p, given_announce(c, who, &a)), ERA_ACCEPTED);
}

static struct era_adoption measured_since(uint64_t view_since)
{
    struct era_adoption a;
    struct era_hash digest = era_view_digest(p->ledger);
    for (int i = 0; i < 2; i++) /* read, then known */
        era_adoption_measure(p->ledger, p->epoch, &digest, view_since, &memo, &a);

    struct era_adoption_memo nothing = {0};
    struct era_adoption anew;
    era_adoption_measure(p->ledger, p->epoch, &digest, view_since, &nothing, &anew);
    cr_assert_eq(memcmp(&a, &anew, sizeof a), 0, "whatever was known before");
    era_adoption_forget(&nothing);
    return a;
}

static struct era_adoption measured(void)
{
    return measured_since(0);
}

Test(adoption, M6_versions_are_counted_by_stake)
{
    runs("alice", 9, "1.0.0");
    runs("bob", 9, "1.1.0");
    runs("carol", 9, "1.0.0");
    struct era_adoption a = measured();
    cr_expect_eq(a.stake_sum, 100);
    cr_expect_eq(a.quorum, 67);
    cr_expect_eq(a.fresh_stake, 60);
    cr_assert_eq(a.count, 2);
    cr_expect_str_eq(a.software[0].version, "1.0.0");
    cr_expect_eq(a.software[0].stake, 40);
    cr_expect_str_eq(a.software[1].version, "1.1.0");
    cr_expect_eq(a.software[1].stake, 20);
    cr_expect_eq(a.other_stake, 0);
}

Test(adoption, M7_the_silent_are_left_out)
{
    runs("alice", 7, "1.0.0");
    runs("bob", 8, "1.0.0");
    runs("carol", 9, "1.0.0");
    runs("dave", 10, "1.0.0");
    cr_expect_eq(measured().fresh_stake, 90, "all but alice, who is two epochs old");
    p->epoch = 10;
    cr_expect_eq(measured().fresh_stake, 70);
}

Test(adoption, M6_the_newest_announcement_counts)
{
    runs("alice", 8, "1.0.0");
    runs("alice", 9, "1.1.0");
    struct era_adoption a = measured();
    cr_assert_eq(a.count, 1);
    cr_expect_str_eq(a.software[0].version, "1.1.0");
    cr_expect_eq(a.fresh_stake, 10);
}

static struct era_bytes on_disk;
static int reads;

static bool read_back(void *ctx, const struct era_hash *item, uint32_t kind, struct era_bytes *out)
{
    (void)ctx, (void)item, (void)kind;
    reads++;
    *out = on_disk;
    return true;
}

static void runs_on_disk(const char *who, uint64_t epoch, const char *software)
{
    struct era_announcement a = given_running(c, epoch, software);
    on_disk = given_announce(c, who, &a);
    cr_assert_eq(take(p, on_disk), ERA_ACCEPTED);
    era_ledger_rest(p->ledger);
}

Test(adoption, M6_an_announcement_is_read_once)
{
    struct era_hash digest = era_view_digest(p->ledger);
    struct era_adoption a;
    era_ledger_read_with(p->ledger, read_back, NULL);
    runs_on_disk("alice", 9, "1.0.0");
    for (int i = 0; i < 3; i++) {
        era_adoption_measure(p->ledger, 9, &digest, 0, &memo, &a);
        cr_expect_eq(reads, 1);
        cr_assert_eq(a.count, 1);
        cr_expect_str_eq(a.software[0].version, "1.0.0");
    }
    p->epoch = 10;
    runs_on_disk("alice", 10, "1.1.0");
    for (int i = 0; i < 3; i++) {
        era_adoption_measure(p->ledger, 10, &digest, 0, &memo, &a);
        cr_expect_eq(reads, 2, "the newer one");
        cr_assert_eq(a.count, 1);
        cr_expect_str_eq(a.software[0].version, "1.1.0");
    }
}

Test(adoption, M6_at_epoch_0_and_1_everything_so_far_is_fresh)
{
    p->epoch = 0;
    runs("alice", 0, "1.0.0");
    cr_expect_eq(measured().fresh_stake, 10);
    p->epoch = 1;
    cr_expect_eq(measured().fresh_stake, 10);
}

Test(adoption, R15_blocked_and_staged_are_seen)
{
    struct era_announcement a = given_running(c, 9, "1.0.0");

    a.blocked = true;
    take(p, given_announce(c, "alice", &a));
    a.blocked = false;
    a.staged = true;
    take(p, given_announce(c, "bob", &a));
    struct era_adoption seen = measured();
    cr_expect_eq(seen.blocked_stake, 10);
    cr_expect_eq(seen.staged_stake, 20);
}

Test(adoption, N3_other_views_are_counted)
{
    struct era_announcement a = given_running(c, 9, "1.0.0");

    runs("alice", 9, "1.0.0");
    a.view_digest.b[0] = 1;
    take(p, given_announce(c, "dave", &a));
    cr_expect_eq(measured().same_view_stake, 10);
    cr_expect_eq(measured().other_view_stake, 40);
}

Test(adoption, N3_what_was_said_before_ones_own_view_changed_is_no_warning)
{
    struct era_announcement a = given_running(c, 9, "1.0.0");

    a.view_digest.b[0] = 1;
    take(p, given_announce(c, "dave", &a));
    cr_expect_eq(measured_since(8).other_view_stake, 40);
    cr_expect_eq(measured_since(9).other_view_stake, 0);
    cr_expect_eq(measured_since(9).same_view_stake, 0);
}

Test(adoption, M8_who_would_survive_the_switch)
{
    struct era_record r;

    memset(&r, 0, sizeof r);
    strcpy(r.requires.v[ERA_VERSION_SOFTWARE], ">=2.0.0");
    runs("alice", 9, "2.0.0");
    runs("bob", 9, "1.9.9");
    runs("carol", 9, "2.1.0");
    runs("dave", 7, "2.0.0");
    cr_expect_eq(era_adoption_supporting(p->ledger, 9, &r), 40);
}

Test(adoption, M9_only_so_many_versions_are_shown)
{
    char names[1000] = "";
    struct era_adoption *a = malloc(sizeof *a);

    for (int i = 0; i < 40; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "v%d:1 ", i);
    c = given_charter(names, "network k=2 signers=s1,s2,s3");
    p = given_peer(c);
    for (int i = 0; i < 40; i++) {
        char who[8], version[16];
        snprintf(who, sizeof who, "v%d", i);
        snprintf(version, sizeof version, "1.%d.0", i);
        runs(who, 0, version);
    }
    *a = measured();
    cr_expect_eq(a->count, 32);
    cr_expect_eq(a->other_stake, 8);
    free(a);
}
