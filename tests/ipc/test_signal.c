#include "src/ipc/signal.h"
#include "tests/ipc/lib_ipc.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct era_signal_server *given_server(const char *path)
{
    struct era_signal_server *s;
    cr_assert_eq(era_signal_server_new(path, true, &s), 0);
    return s;
}

/* Lets the server work until it counts so many subscribers. */
static void serve_until(struct era_signal_server *s, size_t subscribers)
{
    int64_t end = now_ms() + DEADLINE_MS;
    for (;;) {
        era_signal_server_serve(s);
        if (era_signal_server_subscribers(s) == subscribers)
            return;
        struct pollfd p = {.fd = era_signal_server_fd(s), .events = POLLIN};
        int64_t rest = end - now_ms();
        cr_assert(rest > 0 && poll(&p, 1, (int)rest) == 1, "never counted");
    }
}

/* A subscriber the server already counts. */
static struct era_signal_follow *given_follower(struct era_signal_server *s, const char *path,
                                                const char *prefix)
{
    struct era_signal_follow *f;
    size_t before = era_signal_server_subscribers(s);
    cr_assert_eq(era_signal_follow_new(path, prefix, DEADLINE_MS, &f), 0);
    serve_until(s, before + 1);
    return f;
}

static void assert_next(struct era_signal_follow *f, const char *want)
{
    char *text;
    cr_assert_eq(era_signal_follow_next(f, DEADLINE_MS, &text), 0);
    cr_assert_str_eq(text, want);
    free(text);
}

Test(signal, a_subscriber_gets_what_is_published_after_it_came)
{
    struct place p = given_place();
    struct era_signal_server *s = given_server(p.path);
    cr_assert_eq(era_signal_server_publish(s, "era.announced", "{\"era\":2}"), 0);
    struct era_signal_follow *f = given_follower(s, p.path, "");

    cr_assert_eq(era_signal_server_publish(s, "era.activated", "{\"era\":3}"), 0);
    cr_assert_eq(era_signal_server_publish(s, "gate.changed", "{}"), 0);

    assert_next(f, "era.activated\n{\"era\":3}");
    assert_next(f, "gate.changed\n{}");
    era_signal_follow_free(f);
    era_signal_server_free(s);
    place_remove(&p);
}

Test(signal, a_prefix_selects)
{
    struct place p = given_place();
    struct era_signal_server *s = given_server(p.path);
    struct era_signal_follow *f = given_follower(s, p.path, "gate.");
    cr_assert_eq(era_signal_server_publish(s, "era.activated", "{}"), 0);
    cr_assert_eq(era_signal_server_publish(s, "gate.changed", "{\"gate\":\"blocked\"}"), 0);
    assert_next(f, "gate.changed\n{\"gate\":\"blocked\"}");
    era_signal_follow_free(f);
    era_signal_server_free(s);
    place_remove(&p);
}

Test(signal, nothing_published_ends_in_a_timeout)
{
    struct place p = given_place();
    struct era_signal_server *s = given_server(p.path);
    struct era_signal_follow *f = given_follower(s, p.path, "");
    char *text;
    cr_assert_eq(era_signal_follow_next(f, 50, &text), -ETIMEDOUT);
    era_signal_follow_free(f);
    era_signal_server_free(s);
    place_remove(&p);
}

Test(signal, a_subscriber_that_does_not_read_loses_what_exceeds_its_queue)
{
    struct place p = given_place();
    struct era_signal_server *s = given_server(p.path);
    struct era_signal_follow *lazy = given_follower(s, p.path, "");
    static char json[ERA_SIGNAL_BYTES_MAX - 8];
    char *text;
    int received = 0;
    memset(json, ' ', sizeof(json) - 1);

    for (int i = 0; i < 2000; i++)
        cr_assert_eq(era_signal_server_publish(s, "t", json), 0);

    /* What the system's buffer took and one queue, then nothing; and new ones again. */
    do {
        era_signal_server_serve(s);
        int rv = era_signal_follow_next(lazy, 0, &text);
        cr_assert(rv == 0 || rv == -ETIMEDOUT);
        if (rv == -ETIMEDOUT)
            break;
        free(text);
        received++;
    } while (received < 2000);
    cr_assert_geq(received, ERA_SIGNAL_QUEUE_MAX);
    cr_assert_lt(received, 1000);
    cr_assert_eq(era_signal_server_publish(s, "gate.changed", "{}"), 0);
    assert_next(lazy, "gate.changed\n{}");

    era_signal_follow_free(lazy);
    era_signal_server_free(s);
    place_remove(&p);
}

Test(signal, the_largest_message_passes_and_a_larger_one_is_refused)
{
    struct place p = given_place();
    struct era_signal_server *s = given_server(p.path);
    struct era_signal_follow *f = given_follower(s, p.path, "");
    static char json[ERA_SIGNAL_BYTES_MAX];
    char *text;
    memset(json, 'x', ERA_SIGNAL_BYTES_MAX - 2);
    cr_assert_eq(era_signal_server_publish(s, "t", json), 0);
    cr_assert_eq(era_signal_follow_next(f, DEADLINE_MS, &text), 0);
    cr_assert_eq(strlen(text), ERA_SIGNAL_BYTES_MAX);
    free(text);
    cr_assert_eq(era_signal_server_publish(s, "tt", json), -EMSGSIZE);
    era_signal_follow_free(f);
    era_signal_server_free(s);
    place_remove(&p);
}

Test(signal, a_subscriber_that_goes_away_is_forgotten)
{
    struct place p = given_place();
    struct era_signal_server *s = given_server(p.path);
    struct era_signal_follow *f = given_follower(s, p.path, "");
    era_signal_follow_free(f);
    serve_until(s, 0);
    cr_assert_eq(era_signal_server_publish(s, "gate.changed", "{}"), 0);
    era_signal_server_free(s);
    place_remove(&p);
}

Test(signal, a_follower_is_told_that_the_daemon_went_away)
{
    struct place p = given_place();
    struct era_signal_server *s = given_server(p.path);
    struct era_signal_follow *f = given_follower(s, p.path, "");
    char *text;
    era_signal_server_free(s);
    cr_assert_eq(era_signal_follow_next(f, DEADLINE_MS, &text), -ECONNRESET);
    era_signal_follow_free(f);
    place_remove(&p);
}

Test(signal, the_socket_is_for_its_owner_only)
{
    struct place p = given_place();
    struct era_signal_server *s = given_server(p.path);
    struct stat st;
    cr_assert_eq(stat(p.path, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0600);
    era_signal_server_free(s);
    place_remove(&p);
}

Test(signal, no_daemon_is_told_at_once)
{
    struct place p = given_place();
    struct era_signal_follow *f;
    cr_assert_eq(era_signal_follow_new(p.path, "", DEADLINE_MS, &f), -ENOENT);
    given_stale_socket(p.path);
    cr_assert_eq(era_signal_follow_new(p.path, "", DEADLINE_MS, &f), -ECONNREFUSED);

    struct era_signal_server *s;
    cr_assert_eq(era_signal_server_new(p.path, false, &s), -EADDRINUSE);
    s = given_server(p.path);
    era_signal_server_free(s);
    place_remove(&p);
}
