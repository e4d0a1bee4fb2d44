/* The faults that store_mem models. The contract itself: test_store.c. */
#include <criterion/criterion.h>
#include <errno.h>

#include "store/record.h"
#include "store/store_mem.h"
#include "tests/store/given.h"

Test(store_mem, commits_fail_from_the_nth_on)
{
    struct era_store *s = era_store_mem_new();
    era_store_mem_fail_from(s, 2, -EIO);
    cr_assert_eq(commit_text(s, "Sa", "1"), 0);
    cr_assert_eq(commit_text(s, "Sb", "2"), -EIO);
    cr_assert_eq(commit_text(s, "Sc", "3"), -EIO);

    era_store_mem_fail_from(s, 0, 0);
    cr_assert_eq(commit_text(s, "Sd", "4"), 0);

    char out[256];
    cr_assert_str_eq(walk_text(s, "", out, sizeof out), "Sa=1 Sd=4");
    cr_assert_eq(era_store_mem_counts(s).writes, 2);
    cr_assert_eq(era_store_mem_counts(s).refused, 2);
    era_store_close(s);
}

Test(store_mem, I12_a_crash_keeps_what_was_acknowledged)
{
    struct era_store *s = era_store_mem_new();
    commit_text(s, "Sa", "1");
    commit_text(s, "Sb", "2");
    commit_text(s, "Sa", NULL);
    struct era_store *found = era_store_mem_crash(s);
    commit_text(s, "Sc", "after");
    era_store_close(s);

    char out[256];
    cr_assert_str_eq(walk_text(found, "", out, sizeof out), "Sb=2");
    cr_assert_eq(era_store_mem_counts(found).lost, 0);
    era_store_close(found);
}

Test(store_mem, I12_a_crash_of_the_machine_takes_the_last_write_unless_it_was_synced)
{
    struct era_store *s = era_store_mem_new();
    struct era_store_put one = put("Sa", "1"), two = put("Sb", "2");
    cr_assert_eq(era_store_write(s, &one, 1), 0);
    cr_assert_eq(era_store_write(s, &two, 1), 0);
    struct era_store *early = era_store_mem_crash(s);
    cr_assert_eq(era_store_sync(s), 0);
    struct era_store *late = era_store_mem_crash(s);

    char out[256];
    cr_assert_str_eq(walk_text(early, "", out, sizeof out), "Sa=1");
    cr_assert_str_eq(walk_text(late, "", out, sizeof out), "Sa=1 Sb=2");
    era_store_close(early);
    era_store_close(late);
    era_store_close(s);
}

Test(store_mem, a_lying_disk_loses_the_last_commit_with_the_power)
{
    struct era_store *s = era_store_mem_new();
    era_store_mem_lose_synced(s, true);
    commit_text(s, "Sa", "1");
    commit_text(s, "Sb", "2");
    struct era_store_put last[] = {put("Sa", "changed"), put("Sb", NULL), put("Sc", "new"),
                                   put("Sc", "newer")};
    cr_assert_eq(era_store_commit(s, last, 4), 0);

    struct era_store *found = era_store_mem_crash(s);
    char out[256];
    cr_assert_str_eq(walk_text(s, "", out, sizeof out), "Sa=changed Sc=newer");
    cr_assert_str_eq(walk_text(found, "", out, sizeof out), "Sa=1 Sb=2");
    cr_assert_eq(era_store_mem_counts(found).lost, 4);
    era_store_close(found);
    era_store_close(s);
}

Test(store_mem, a_flipped_bit_ends_a_walk_and_a_get)
{
    struct era_store *s = era_store_mem_new();
    commit_text(s, "Sa", "1");
    commit_text(s, "Sb", "2");
    cr_assert(era_store_mem_flip_bit(s, text("Sb"), 3));
    cr_assert_not(era_store_mem_flip_bit(s, text("Sc"), 3));

    char out[256];
    cr_assert_str_eq(walk_text(s, "", out, sizeof out), "Sa=1 -EBADMSG");
    cr_assert_str_eq(get_text(s, "Sb", out), "-EBADMSG");
    cr_assert_str_eq(get_text(s, "Sa", out), "1");
    cr_assert_eq(era_store_mem_counts(s).flipped, 1);

    commit_text(s, "Sb", "healed");
    cr_assert_str_eq(walk_text(s, "", out, sizeof out), "Sa=1 Sb=healed");
    era_store_close(s);
}

Test(store_mem, a_flipped_bit_outlives_a_crash)
{
    struct era_store *s = era_store_mem_new();
    commit_text(s, "Sa", "1");
    era_store_mem_flip_bit(s, text("Sa"), 100);
    struct era_store *found = era_store_mem_crash(s);
    char out[256];
    cr_assert_str_eq(get_text(found, "Sa", out), "-EBADMSG");
    era_store_close(found);
    era_store_close(s);
}
