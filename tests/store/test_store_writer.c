/* The thread that writes: order, merging, what a failure does to what builds on it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/limits.h"
#include "store/store_lmdb.h"
#include "store/store_mem.h"
#include "store/store_writer.h"
#include "tests/store/given.h"

#define DEADLINE_MS 60000

/* A store whose writes wait for the test, which so decides what is queued meanwhile. */
struct gated {
    struct era_store base;
    struct era_store *inner;
    sem_t entered;
    sem_t leave;
    size_t sizes[16];
    size_t n_writes;
    size_t synced_after[16]; /* so many writes, each time */
    size_t n_syncs;
    int sync_err;
};

static int gated_write(struct era_store *s, const struct era_store_put *puts, size_t n)
{
    struct gated *g = (struct gated *)s;
    sem_post(&g->entered);
    sem_wait(&g->leave);
    g->sizes[g->n_writes++] = n;
    return era_store_write(g->inner, puts, n);
}

static int gated_sync(struct era_store *s)
{
    struct gated *g = (struct gated *)s;
    g->synced_after[g->n_syncs++] = g->n_writes;
    return g->sync_err < 0 ? g->sync_err : era_store_sync(g->inner);
}

static const struct era_store_ops gated_ops = {.write = gated_write, .sync = gated_sync};

static void given_gated(struct gated *g)
{
    *g = (struct gated){.base.ops = &gated_ops, .inner = era_store_mem_new()};
    sem_init(&g->entered, 0, 0);
    sem_init(&g->leave, 0, 0);
}

static struct era_writer *started(struct era_store *s, size_t capacity)
{
    struct era_writer *w = NULL;
    cr_assert_eq(era_writer_start(s, capacity, &w), 0);
    return w;
}

static int submit(struct era_writer *w, uint64_t token, const char *key, const char *value)
{
    struct era_store_put one = put(key, value);
    return era_writer_submit(w, token, &one, 1);
}

static bool is_readable(const struct era_writer *w, int wait_ms)
{
    struct pollfd p = {.fd = era_writer_fd(w), .events = POLLIN};
    return poll(&p, 1, wait_ms) == 1;
}

/* The next result, waited for, as "token:result". */
static const char *next_result(struct era_writer *w, char out[64])
{
    cr_assert(is_readable(w, DEADLINE_MS));
    uint64_t token;
    int result;
    cr_assert(era_writer_poll(w, &token, &result));
    const char *name = result == 0 ? "0" : result == -EIO ? "EIO" : result == -ECANCELED ? "ECANCELED" : "?";
    snprintf(out, 64, "%llu:%s", (unsigned long long)token, name);
    return out;
}

#define expect_result(w, expected)                                                                           \
    do {                                                                                                     \
        char got_[64];                                                                                       \
        cr_assert_str_eq(next_result(w, got_), expected);                                                    \
    } while (0)

static void expect_stored(struct era_store *s, const char *expected)
{
    char out[256];
    cr_assert_str_eq(walk_text(s, "", out, sizeof out), expected);
}

Test(writer, a_result_means_the_batch_is_stored)
{
    struct era_store *s = era_store_mem_new();
    struct era_writer *w = started(s, 4);
    cr_assert_eq(submit(w, 7, "Sa", "1"), 0);
    expect_result(w, "7:0");
    era_writer_free(w);
    expect_stored(s, "Sa=1");
    era_store_close(s);
}

Test(writer, the_caller_may_change_its_batch_at_once)
{
    struct gated g;
    given_gated(&g);
    struct era_writer *w = started(&g.base, 4);
    char key[] = "Sa";
    char value[] = "1";
    cr_assert_eq(submit(w, 1, key, value), 0);
    key[1] = 'z';
    value[0] = '9';
    sem_post(&g.leave);
    expect_result(w, "1:0");
    era_writer_free(w);
    expect_stored(g.inner, "Sa=1");
    era_store_close(g.inner);
}

Test(writer, queued_batches_are_merged_in_their_order)
{
    struct gated g;
    given_gated(&g);
    struct era_writer *w = started(&g.base, 8);
    submit(w, 1, "Sa", "1");
    sem_wait(&g.entered);
    submit(w, 2, "Sb", "2");
    submit(w, 3, "Sb", "3");
    submit(w, 4, "Sa", NULL);
    sem_post(&g.leave);
    sem_post(&g.leave);
    expect_result(w, "1:0");
    expect_result(w, "2:0");
    expect_result(w, "3:0");
    expect_result(w, "4:0");
    era_writer_free(w);
    cr_assert_eq(g.n_writes, 2);
    cr_assert_eq(g.sizes[0], 1);
    cr_assert_eq(g.sizes[1], 3);
    expect_stored(g.inner, "Sb=3");
    era_store_close(g.inner);
}

Test(writer, a_transaction_holds_at_most_ERA_STORE_BATCH_MAX_records)
{
    struct gated g;
    given_gated(&g);
    struct era_writer *w = started(&g.base, 8);
    struct era_store_put many[ERA_STORE_BATCH_MAX - 1];
    for (size_t i = 0; i < ERA_STORE_BATCH_MAX - 1; i++)
        many[i] = put("Sa", "1");
    submit(w, 1, "Sa", "1");
    sem_wait(&g.entered);
    cr_assert_eq(era_writer_submit(w, 2, many, ERA_STORE_BATCH_MAX - 1), 0);
    submit(w, 3, "Sa", "1");
    submit(w, 4, "Sa", "1");
    for (int i = 0; i < 3; i++)
        sem_post(&g.leave);
    era_writer_free(w);
    cr_assert_eq(g.n_writes, 3);
    cr_assert_eq(g.sizes[1], ERA_STORE_BATCH_MAX);
    cr_assert_eq(g.sizes[2], 1);
    era_store_close(g.inner);
}

Test(writer, I12_one_that_is_alone_is_flushed_at_once)
{
    struct gated g;
    given_gated(&g);
    struct era_writer *w = started(&g.base, 4);
    submit(w, 1, "Sa", "1");
    sem_post(&g.leave);
    expect_result(w, "1:0");
    cr_assert_eq(g.n_writes, 1);
    cr_assert_eq(g.n_syncs, 1);
    cr_assert_eq(g.synced_after[0], 1);
    era_writer_free(w);
    era_store_close(g.inner);
}

Test(writer, I12_while_more_is_queued_the_next_write_is_the_flush)
{
    struct gated g;
    given_gated(&g);
    struct era_writer *w = started(&g.base, 4);
    submit(w, 1, "Sa", "1");
    sem_wait(&g.entered);
    submit(w, 2, "Sb", "2");
    sem_post(&g.leave);
    sem_wait(&g.entered); /* the first is written, and lost if the power goes now */
    cr_assert_not(is_readable(w, 0));
    sem_post(&g.leave);
    expect_result(w, "1:0");
    expect_result(w, "2:0");
    cr_assert_eq(g.n_writes, 2);
    cr_assert_eq(g.n_syncs, 1);
    cr_assert_eq(g.synced_after[0], 2);
    era_writer_free(w);
    era_store_close(g.inner);
}

Test(writer, I12_a_write_that_fails_leaves_unknown_what_it_should_have_flushed)
{
    struct gated g;
    given_gated(&g);
    era_store_mem_fail_from(g.inner, 2, -EIO);
    struct era_writer *w = started(&g.base, 4);
    submit(w, 1, "Sa", "1");
    sem_wait(&g.entered);
    submit(w, 2, "Sb", "2");
    submit(w, 3, "Sc", "3");
    sem_post(&g.leave);
    sem_wait(&g.entered); /* 2 and 3 are in the transaction that will fail */
    submit(w, 4, "Sd", "4");
    sem_post(&g.leave);
    expect_result(w, "1:EIO");
    expect_result(w, "2:EIO");
    expect_result(w, "3:EIO");
    expect_result(w, "4:ECANCELED");
    era_writer_free(w);
    cr_assert_eq(g.n_syncs, 0);
    era_store_close(g.inner);
}

Test(writer, I12_a_flush_that_fails_is_the_result_of_all_that_waited_for_it)
{
    struct gated g;
    given_gated(&g);
    g.sync_err = -EIO;
    struct era_writer *w = started(&g.base, 4);
    submit(w, 1, "Sa", "1");
    sem_post(&g.leave);
    expect_result(w, "1:EIO");
    submit(w, 2, "Sb", "2");
    expect_result(w, "2:ECANCELED");
    g.sync_err = 0;
    era_writer_resume(w);
    submit(w, 3, "Sc", "3");
    sem_post(&g.leave);
    expect_result(w, "3:0");
    era_writer_free(w);
    era_store_close(g.inner);
}

Test(writer, a_failed_write_takes_what_builds_on_it_along)
{
    struct gated g;
    given_gated(&g);
    era_store_mem_fail_from(g.inner, 2, -EIO);
    struct era_writer *w = started(&g.base, 8);
    submit(w, 1, "Sa", "1");
    sem_post(&g.leave);
    expect_result(w, "1:0");
    sem_wait(&g.entered);
    submit(w, 2, "Sb", "2");
    sem_wait(&g.entered); /* 2 is in the transaction that will fail */
    submit(w, 3, "Sc", "3");
    submit(w, 4, "Sd", "4");
    sem_post(&g.leave);
    expect_result(w, "2:EIO");
    expect_result(w, "3:ECANCELED");
    expect_result(w, "4:ECANCELED");
    cr_assert_eq(submit(w, 5, "Se", "5"), 0);
    expect_result(w, "5:ECANCELED");
    era_writer_free(w);
    expect_stored(g.inner, "Sa=1");
    era_store_close(g.inner);
}

Test(writer, resume_stores_what_is_submitted_after_it_alone)
{
    struct era_store *s = era_store_mem_new();
    era_store_mem_fail_from(s, 1, -EIO);
    struct era_writer *w = started(s, 8);
    submit(w, 1, "Sa", "1");
    expect_result(w, "1:EIO");
    submit(w, 2, "Sb", "2");
    era_store_mem_fail_from(s, 0, 0);
    era_writer_resume(w);
    submit(w, 3, "Sc", "3");
    expect_result(w, "2:ECANCELED");
    expect_result(w, "3:0");
    era_writer_free(w);
    expect_stored(s, "Sc=3");
    era_store_close(s);
}

Test(writer, I11_a_full_queue_says_so_until_results_are_taken)
{
    struct gated g;
    given_gated(&g);
    struct era_writer *w = started(&g.base, 2);
    cr_assert_eq(submit(w, 1, "Sa", "1"), 0);
    cr_assert_eq(submit(w, 2, "Sb", "2"), 0);
    cr_assert_eq(submit(w, 3, "Sc", "3"), -EAGAIN);
    for (int i = 0; i < 3; i++)
        sem_post(&g.leave);
    expect_result(w, "1:0");
    cr_assert_eq(submit(w, 3, "Sc", "3"), 0);
    expect_result(w, "2:0");
    expect_result(w, "3:0");
    era_writer_free(w);
    era_store_close(g.inner);
}

Test(writer, I11_queued_bytes_are_bounded)
{
    struct gated g;
    given_gated(&g);
    struct era_writer *w = started(&g.base, 4);
    uint8_t *large = calloc(1, ERA_STORE_VALUE_BYTES_MAX);
    struct era_store_put puts[64];
    for (size_t i = 0; i < 64; i++)
        puts[i] = (struct era_store_put){text("Sa"), {large, ERA_STORE_VALUE_BYTES_MAX}};

    cr_assert_eq(era_writer_submit(w, 1, puts, 64), 0); /* above the bound, but alone */
    cr_assert_eq(submit(w, 2, "Sb", "2"), -EAGAIN);
    sem_post(&g.leave);
    expect_result(w, "1:0");
    cr_assert_eq(submit(w, 2, "Sb", "2"), 0);
    sem_post(&g.leave);
    era_writer_free(w);
    free(large);
    era_store_close(g.inner);
}

Test(writer, merged_bytes_are_bounded)
{
    struct gated g;
    given_gated(&g);
    struct era_writer *w = started(&g.base, 4);
    uint8_t *large = calloc(1, ERA_STORE_VALUE_BYTES_MAX);
    struct era_store_put puts[5];
    for (size_t i = 0; i < 5; i++)
        puts[i] = (struct era_store_put){text("Sa"), {large, ERA_STORE_VALUE_BYTES_MAX}};

    submit(w, 1, "Sb", "2");
    sem_wait(&g.entered);
    cr_assert_eq(era_writer_submit(w, 2, puts, 5), 0);
    cr_assert_eq(era_writer_submit(w, 3, puts, 5), 0);
    for (int i = 0; i < 3; i++)
        sem_post(&g.leave);
    era_writer_free(w);
    cr_assert_eq(g.n_writes, 3);
    free(large);
    era_store_close(g.inner);
}

Test(writer, the_fd_is_readable_while_results_wait)
{
    struct era_store *s = era_store_mem_new();
    struct era_writer *w = started(s, 4);
    cr_assert_not(is_readable(w, 0));
    submit(w, 1, "Sa", "1");
    submit(w, 2, "Sb", "2");
    era_writer_stop(w);
    expect_result(w, "1:0");
    cr_assert(is_readable(w, 0));
    expect_result(w, "2:0");
    cr_assert_not(is_readable(w, 0));
    uint64_t token;
    int result;
    cr_assert_not(era_writer_poll(w, &token, &result));
    era_writer_free(w);
    era_store_close(s);
}

Test(writer, stop_stores_what_is_queued_and_takes_no_more)
{
    struct gated g;
    given_gated(&g);
    struct era_writer *w = started(&g.base, 4);
    submit(w, 1, "Sa", "1");
    sem_wait(&g.entered);
    submit(w, 2, "Sb", "2");
    sem_post(&g.leave);
    sem_post(&g.leave);
    era_writer_stop(w);
    cr_assert_eq(submit(w, 3, "Sc", "3"), -ESHUTDOWN);
    expect_result(w, "1:0");
    expect_result(w, "2:0");
    era_writer_free(w);
    expect_stored(g.inner, "Sa=1 Sb=2");
    era_store_close(g.inner);
}

Test(writer, stores_again_after_a_rest)
{
    struct era_store *s = era_store_mem_new();
    struct era_writer *w = started(s, 4);
    submit(w, 1, "Sa", "1");
    expect_result(w, "1:0");
    era_writer_rest(w);
    era_writer_rest(w);
    submit(w, 2, "Sb", "2");
    expect_result(w, "2:0");
    era_writer_rest(w);
    era_writer_stop(w);
    cr_assert_eq(submit(w, 3, "Sc", "3"), -ESHUTDOWN);
    era_writer_free(w);
    expect_stored(s, "Sa=1 Sb=2");
    era_store_close(s);
}

Test(writer, a_rest_amid_a_commit_waits_for_nothing)
{
    struct gated g;
    given_gated(&g);
    struct era_writer *w = started(&g.base, 4);
    submit(w, 1, "Sa", "1");
    sem_wait(&g.entered);
    submit(w, 2, "Sb", "2");
    era_writer_rest(w);
    sem_post(&g.leave);
    sem_post(&g.leave);
    expect_result(w, "1:0");
    expect_result(w, "2:0");
    era_writer_free(w);
    era_store_close(g.inner);
}

Test(writer, a_batch_beyond_a_bound_is_refused_alone)
{
    struct era_store *s = era_store_mem_new();
    struct era_writer *w = started(s, 4);
    cr_assert_eq(submit(w, 1, "", "1"), -EINVAL);
    cr_assert_eq(submit(w, 2, "Sb", "2"), 0);
    expect_result(w, "2:0");
    era_writer_free(w);
    era_store_close(s);
}

Test(writer, a_capacity_out_of_range_is_refused)
{
    struct era_store *s = era_store_mem_new();
    struct era_writer *w = NULL;
    cr_assert_eq(era_writer_start(s, 0, &w), -EINVAL);
    cr_assert_eq(era_writer_start(s, ERA_WRITER_BATCHES_MAX + 1, &w), -EINVAL);
    era_writer_free(NULL);
    era_store_close(s);
}

/* The loop reads (for a peer) while the writer commits. */
Test(writer, lmdb_may_be_read_while_the_writer_commits)
{
    struct dir d = given_dir();
    struct era_store *s;
    char why[ERA_STORE_WHY_BYTES];
    cr_assert_eq(era_store_lmdb_open(d.store, 1 << 22, &s, why), 0, "%s", why);
    struct era_writer *w = started(s, 8);
    uint64_t submitted = 0;
    uint64_t polled = 0;
    while (polled < 100) {
        char key[24];
        snprintf(key, sizeof key, "S%llu", (unsigned long long)submitted);
        if (submitted < 100 && submit(w, submitted, key, "value") == 0) {
            submitted++;
            continue;
        }
        uint64_t token;
        int result;
        cr_assert(is_readable(w, DEADLINE_MS));
        cr_assert(era_writer_poll(w, &token, &result));
        cr_assert_eq(token, polled);
        cr_assert_eq(result, 0);
        polled++;
        char out[256];
        snprintf(key, sizeof key, "S%llu", (unsigned long long)token);
        cr_assert_str_eq(get_text(s, key, out), "value");
    }
    era_writer_free(w);
    era_store_close(s);
    dir_remove(&d);
}
