/* The hasher: digests beside the loop, the same as everybody's (T2, T5). */
#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "src/base/verdict.h"
#include "src/erad/hasher.h"
#include "tests/erad/place.h"

#define DEADLINE_MS 60000

struct result {
    uint64_t job;
    bool ok;
    char digest[ERA_DIGEST_BYTES_MAX + 1];
    struct era_error err;
};

static struct result next(struct era_hasher *h)
{
    struct result r;
    struct pollfd p = {.fd = era_hasher_fd(h), .events = POLLIN};
    cr_assert_eq(poll(&p, 1, DEADLINE_MS), 1);
    cr_assert(era_hasher_poll(h, &r.job, &r.ok, r.digest, &r.err));
    return r;
}

static void given_tree(void)
{
    place_make();
    mkdir(place_path("tree"), 0755);
    place_write("tree/a", "alpha\n", 6, 0644);
    place_write("tree/b", "beta\n", 5, 0755);
}

Test(hasher, T2_the_digest_is_of_the_kind_of_the_plan_and_the_one_of_the_library)
{
    given_tree();
    char h1[ERA_DIGEST_BYTES_MAX + 1], m1[ERA_DIGEST_BYTES_MAX + 1], file[ERA_DIGEST_BYTES_MAX + 1];
    cr_assert(era_dirhash_tree(place_path("tree"), ERA_DIGEST_H1, h1, NULL));
    cr_assert(era_dirhash_tree(place_path("tree"), ERA_DIGEST_M1, m1, NULL));
    cr_assert(era_dirhash_file(place_path("tree/a"), file, NULL));
    struct era_hasher *h = era_hasher_new();
    cr_assert(era_hasher_submit(h, 1, place_path("tree"), "h1:anything"));
    cr_assert(era_hasher_submit(h, 2, place_path("tree"), "m1:anything"));
    cr_assert(era_hasher_submit(h, 3, place_path("tree/a"), "sha256:anything"));
    const char *expected[] = {h1, m1, file};
    for (uint64_t job = 1; job <= 3; job++) {
        struct result r = next(h);
        cr_assert_eq(r.job, job);
        cr_assert(r.ok, "%s", r.err.text);
        cr_assert_str_eq(r.digest, expected[job - 1]);
    }
    cr_assert_str_eq(file, "sha256:b6a98d9ce9a2d9149288fa3df42d377c3e42737afdcdaf714e33c0a100b51060");
    era_hasher_free(h);
    place_remove();
}

Test(hasher, what_cannot_be_read_says_why)
{
    given_tree();
    struct era_hasher *h = era_hasher_new();
    cr_assert(era_hasher_submit(h, 1, place_path("nothing"), "h1:x"));
    cr_assert(era_hasher_submit(h, 2, place_path("tree"), "md5:x"));
    struct result r = next(h);
    cr_assert_not(r.ok);
    cr_assert_eq(r.err.status, ERA_EXIT_NO_INPUT);
    r = next(h);
    cr_assert_not(r.ok);
    cr_assert_eq(r.err.status, ERA_EXIT_DATA);
    era_hasher_free(h);
    place_remove();
}

Test(hasher, at_most_so_many_wait_and_room_comes_back)
{
    given_tree();
    struct era_hasher *h = era_hasher_new();
    size_t taken = 0;
    while (taken <= ERA_HASHER_JOBS_MAX && era_hasher_submit(h, taken, place_path("tree"), "h1:x"))
        taken++;
    cr_assert_eq(taken, ERA_HASHER_JOBS_MAX);
    for (size_t i = 0; i < taken; i++)
        cr_assert_eq(next(h).job, i);
    cr_assert(era_hasher_submit(h, 99, place_path("tree"), "h1:x"));
    cr_assert_eq(next(h).job, 99);
    era_hasher_free(h);
    place_remove();
}

Test(hasher, its_descriptor_is_silent_without_results)
{
    given_tree();
    struct era_hasher *h = era_hasher_new();
    struct result r;
    struct pollfd p = {.fd = era_hasher_fd(h), .events = POLLIN};
    cr_assert(era_hasher_submit(h, 1, place_path("tree"), "h1:x"));
    next(h);
    cr_assert_not(era_hasher_poll(h, &r.job, &r.ok, r.digest, &r.err));
    cr_assert_eq(poll(&p, 1, 0), 0);
    era_hasher_free(h);
    place_remove();
}

Test(hasher, ends_with_jobs_left)
{
    given_tree();
    struct era_hasher *h = era_hasher_new();
    for (uint64_t job = 0; job < ERA_HASHER_JOBS_MAX; job++)
        cr_assert(era_hasher_submit(h, job, place_path("tree"), "h1:x"));
    era_hasher_free(h);
    era_hasher_free(NULL);
    place_remove();
}
