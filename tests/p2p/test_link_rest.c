/* link_nng: a link that rests is not read, and loses nothing. */
#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>

#include "proto/limits.h"
#include "tests/p2p/driver.h"

#define LONG_MS ((uint64_t)4 * DEADLINE_MS) /* longer than any test */

static struct era_link_driver *given_listener(char bound[ERA_ADDRESS_BYTES_MAX + 1])
{
    struct era_link_driver *d = given_driver(ERA_LINKS_MAX);
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    return d;
}

static void put(struct rawlink *r, const char *frames, size_t len)
{
    cr_assert(rawlink_put(r, frames, len, DEADLINE_MS));
}

static void assert_is_next(struct era_link_driver *d, uint64_t link, char what)
{
    struct era_link_event e = driver_next(d);
    cr_assert_eq(e.kind, ERA_LINK_FRAME);
    cr_assert_eq(e.link, link);
    cr_assert(e.bytes.len == 1 && e.bytes.data[0] == (uint8_t)what, "%c, not %c", e.bytes.data[0], what);
}

Test(rest, keeps_what_came_and_what_comes_until_it_is_over_and_no_other_link_waits)
{
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_link_event a, b;
    struct era_link_driver *d = given_listener(bound);
    struct rawlink of_a = given_raw_link(d, bound, &a), of_b = given_raw_link(d, bound, &b);
    put(&of_a, "\0\0\0\1x\0\0\0\1y", 10);
    assert_is_next(d, a.link, 'x');
    era_link_driver_rest(d, a.link, LONG_MS);
    put(&of_a, "\0\0\0\1z", 5);
    for (int i = 0; i < 100; i++) {
        put(&of_b, "\0\0\0\1b", 5);
        assert_is_next(d, b.link, 'b');
    }

    era_link_driver_rest(d, a.link, 1);
    assert_is_next(d, a.link, 'y');
    assert_is_next(d, a.link, 'z');
    rawlink_end(&of_a);
    rawlink_end(&of_b);
    era_link_driver_free(d);
}

Test(rest, hinders_no_writing)
{
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_link_event e;
    struct era_link_driver *d = given_listener(bound);
    struct rawlink r = given_raw_link(d, bound, &e);
    era_link_driver_rest(d, e.link, LONG_MS);
    era_link_driver_send(d, e.link, (struct era_bytes){(const uint8_t *)"news", 4});
    cr_assert_eq(driver_await(d, ERA_LINK_SENT).sent, 4);
    struct era_bytes body;
    while (!era_channel_next(&r.channel, &body))
        cr_assert(rawlink_step(&r, DEADLINE_MS));
    cr_assert(body.len == 4 && memcmp(body.data, "news", 4) == 0);
    rawlink_end(&r);
    era_link_driver_free(d);
}

Test(rest, hinders_no_close)
{
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_link_driver *d = given_listener(bound);
    for (int flush = 0; flush < 2; flush++) {
        struct era_link_event e;
        struct rawlink r = given_raw_link(d, bound, &e);
        int64_t begin = driver_now_ms();
        era_link_driver_rest(d, e.link, LONG_MS);
        era_link_driver_close(d, e.link, flush == 1);
        era_link_driver_rest(d, e.link, LONG_MS); /* too late */
        cr_assert_eq(driver_next(d).kind, ERA_LINK_DOWN);
        cr_assert_lt(driver_now_ms() - begin, 5 * ERA_LINK_FLUSH_MS);
        rawlink_end(&r);
    }
    era_link_driver_free(d);
}

Test(rest, learns_of_the_other_ends_end_when_it_is_over)
{
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_link_event e;
    struct era_link_driver *d = given_listener(bound);
    struct rawlink r = given_raw_link(d, bound, &e);
    put(&r, "\0\0\0\1x\0\0\0\1y", 10);
    assert_is_next(d, e.link, 'x');
    uint64_t link = e.link;
    era_link_driver_rest(d, link, 1);
    rawlink_end(&r);
    assert_is_next(d, link, 'y');
    e = driver_next(d);
    cr_assert(e.kind == ERA_LINK_DOWN && e.link == link && e.verdict == ERA_ACCEPTED);
    era_link_driver_free(d);
}

/* As many links as there are, each of which sends on and on, and rests after its first frame: all they began
 * to send would be more than may be held of frames that are not whole. */
Test(rest, holds_no_room_so_that_nobody_ends_for_it)
{
    enum { BODY = 65000, ALL = 240 };
    static struct rawlink links[ALL];
    static uint8_t frame[4 + BODY] = {0, 0, BODY >> 8, BODY & 0xff};
    static uint8_t record[sizeof frame + ERA_CHANNEL_RECORD_EXTRA];
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_link_event up, e;
    struct era_link_driver *d = given_listener(bound);
    for (size_t i = 0; i < ALL; i++) {
        links[i] = given_raw_link(d, bound, &up);
        for (int k = 0; k < 2; k++) {
            size_t len = rawlink_seal(&links[i], frame, sizeof frame, record);
            cr_assert(rawlink_write(links[i].fd, record, len, DEADLINE_MS));
        }
        e = driver_next(d);
        cr_assert(e.kind == ERA_LINK_FRAME && e.link == up.link, "link %zu: %d", i, e.kind);
        cr_assert_eq(e.bytes.len, BODY);
        era_link_driver_rest(d, e.link, LONG_MS);
    }
    for (size_t i = 0; i < ALL; i++)
        rawlink_end(&links[i]);
    era_link_driver_free(d);
}
