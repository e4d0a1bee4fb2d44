/* Who may come in, and whose handshake is answered, on real sockets. */
#include "p2p/link_gate.h"
#include "tests/p2p/driver.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Strangers that say nothing; until so many, of these or others, had to give way. */
static void given_strangers(struct era_link_driver *d, const char *address, uint32_t host, int *fds,
                            size_t count, uint64_t given_way)
{
    int64_t end = driver_now_ms() + DEADLINE_MS;
    struct era_link_event e;
    for (size_t i = 0; i < count || era_link_driver_counts(d)->ended[ERA_TOO_MANY_LINKS] < given_way;) {
        struct pollfd p = {.fd = era_link_driver_fd(d), .events = POLLIN};
        cr_assert_lt(driver_now_ms(), end);
        if (i < count)
            fds[i++] = given_raw_client_of(host, address);
        (void)poll(&p, 1, 1); /* the system's queue of those who wait is short */
        while (era_link_driver_poll(d, &e))
            cr_assert_eq(e.kind, ERA_LINK_REFUSED);
    }
}

Test(link_gate, a_stranger_beyond_its_hosts_share_takes_the_place_of_the_oldest)
{
    enum { SHARE = ERA_HANDSHAKES_PER_ADDRESS_MAX, MORE = 8 };
    struct era_link_driver *d = given_driver(ERA_LINKS_MAX);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_link_event e;
    int fds[SHARE + MORE], closed = 0;
    int64_t end = driver_now_ms() + DEADLINE_MS;
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    for (int i = 0; i < SHARE + MORE; i++)
        fds[i] = given_raw_client(bound);
    for (int i = 0; i < MORE; i++)
        cr_assert_eq(driver_await(d, ERA_LINK_REFUSED).verdict, ERA_TOO_MANY_LINKS);
    cr_assert_eq(era_link_driver_counts(d)->ended[ERA_TOO_MANY_LINKS], MORE);
    while (closed < MORE) { /* the system takes its time to close them */
        cr_assert_lt(driver_now_ms(), end);
        closed = 0;
        for (int i = 0; i < SHARE + MORE; i++)
            closed += is_closed(fds[i]);
    }
    for (int i = 0; i < SHARE + MORE; i++)
        cr_assert_eq(is_closed(fds[i]), i < MORE);

    /* One goes: one may come, and prove who it is. */
    close(fds[MORE]);
    cr_assert_eq(driver_await(d, ERA_LINK_REFUSED).verdict, ERA_TRUNCATED);
    struct rawlink r = given_raw_link(d, bound, &e);
    rawlink_end(&r);
    for (int i = 0; i < SHARE + MORE; i++)
        if (i != MORE)
            close(fds[i]);
    era_link_driver_free(d);
}

Test(link_gate, who_has_said_something_outlasts_who_is_silent)
{
    struct era_link_driver *d = given_driver(ERA_LINKS_MAX);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    struct rawlink early;
    struct era_channel_config config = rawlink_config(&driver_network);
    int fds[2 * ERA_HANDSHAKES_PER_ADDRESS_MAX];
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    /* The oldest of them has said what network it wants. */
    rawlink_begin(&early, given_raw_client(bound), &config);
    cr_assert(rawlink_write(early.fd, early.first, early.first_len, DEADLINE_MS));
    struct pollfd p[2] = {{.fd = early.fd, .events = POLLIN},
                          {.fd = era_link_driver_fd(d), .events = POLLIN}};
    while (!(p[0].revents & POLLIN)) {
        struct era_link_event e;
        cr_assert_geq(poll(p, 2, DEADLINE_MS), 1);
        cr_assert_not(era_link_driver_poll(d, &e));
    }
    given_strangers(d, bound, INADDR_LOOPBACK, fds, (size_t)2 * ERA_HANDSHAKES_PER_ADDRESS_MAX,
                    ERA_HANDSHAKES_PER_ADDRESS_MAX + 1);
    /* It goes on. */
    while (early.channel.state != ERA_CHANNEL_OPEN)
        cr_assert(rawlink_step(&early, DEADLINE_MS));
    cr_assert_eq(driver_await(d, ERA_LINK_UP).outgoing, false);
    rawlink_end(&early);
    for (int i = 0; i < 2 * ERA_HANDSHAKES_PER_ADDRESS_MAX; i++)
        close(fds[i]);
    era_link_driver_free(d);
}

Test(link_gate, hosts_that_hold_all_places_keep_no_other_host_out)
{
    enum { HOSTS = 8, EACH = ERA_HANDSHAKES_PER_ADDRESS_MAX };
    struct era_link_driver *d = given_driver((size_t)4 * ERA_LINKS_MAX);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    static int fds[HOSTS][EACH];
    struct rawlink r;
    struct era_channel_config config = rawlink_config(&driver_network);
    struct era_link_event e;
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    for (uint32_t host = 0; host < HOSTS; host++) {
        int too_many = (int)(host + 1) * EACH - ERA_HANDSHAKES_MAX;
        given_strangers(d, bound, INADDR_LOOPBACK + 10 + host, fds[host], EACH,
                        too_many > 0 ? (uint64_t)too_many : 0);
    }

    rawlink_begin(&r, given_raw_client_of(INADDR_LOOPBACK + 1, bound), &config);
    cr_assert(rawlink_write(r.fd, r.first, r.first_len, DEADLINE_MS));
    do { /* it is let in, and its own host's are not asked to go */
        struct pollfd p[2] = {{.fd = r.fd, .events = POLLIN},
                              {.fd = era_link_driver_fd(d), .events = POLLIN}};
        cr_assert_geq(poll(p, 2, DEADLINE_MS), 1);
        if (p[0].revents != 0)
            cr_assert(rawlink_step(&r, 0));
    } while (!era_link_driver_poll(d, &e) || e.kind == ERA_LINK_REFUSED);
    cr_assert_eq(e.kind, ERA_LINK_UP);
    rawlink_end(&r);
    for (int host = 0; host < HOSTS; host++)
        for (int i = 0; i < EACH; i++)
            close(fds[host][i]);
    era_link_driver_free(d);
}

/* Whoever rents a row of addresses would else have a share for each. */
Test(link_gate, hosts_in_a_row_take_each_others_places_and_no_strangers)
{
    enum { HOSTS = ERA_HANDSHAKES_MAX + 40 };
    struct era_link_driver *d = given_driver((size_t)4 * ERA_LINKS_MAX);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    static int fds[HOSTS];
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    int honest = given_raw_client_of(0x7F090101, bound); /* older than all of them */
    for (int i = 0; i < HOSTS; i++)                      /* 127.0.7.1 and so on */
        given_strangers(d, bound, 0x7F000701 + (uint32_t)i, &fds[i], 1,
                        i < ERA_HANDSHAKES_MAX - 1 ? 0 : (uint64_t)(i - ERA_HANDSHAKES_MAX + 2));
    int64_t end = driver_now_ms() + DEADLINE_MS;
    for (int closed = 0; closed < HOSTS + 1 - ERA_HANDSHAKES_MAX;) { /* the system takes its time */
        cr_assert_lt(driver_now_ms(), end);
        closed = 0;
        for (int i = 0; i < HOSTS; i++)
            closed += is_closed(fds[i]);
    }
    cr_expect_not(is_closed(honest));
    close(honest);
    for (int i = 0; i < HOSTS; i++)
        close(fds[i]);
    era_link_driver_free(d);
}

/* A listener of both families, which names IPv4 hosts by IPv6 addresses that share one /64. */
static void given_both_families(struct era_link_driver *d, char v4[ERA_ADDRESS_BYTES_MAX + 1])
{
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    unsigned port;
    cr_assert_eq(era_link_driver_listen(d, "tcp://[::]:0", bound), 0);
    cr_assert_eq(sscanf(bound, "tcp://[::]:%u", &port), 1, "%s", bound);
    snprintf(v4, ERA_ADDRESS_BYTES_MAX + 1, "tcp://127.0.0.1:%u", port);
}

Test(link_gate, hosts_of_ipv4_are_told_apart_by_a_listener_of_both_families)
{
    enum { SHARE = ERA_HANDSHAKES_PER_ADDRESS_MAX };
    struct era_link_driver *d = given_driver(ERA_LINKS_MAX);
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    int fds[2 * SHARE];
    given_both_families(d, address);
    int honest = given_raw_client_of(INADDR_LOOPBACK + 1, address);
    given_strangers(d, address, INADDR_LOOPBACK + 10, fds, (size_t)2 * SHARE, SHARE);
    cr_expect_not(is_closed(honest), "another host, however many it makes, takes no place of its");
    close(honest);
    for (int i = 0; i < 2 * SHARE; i++)
        close(fds[i]);
    era_link_driver_free(d);
}

Test(link_gate, a_host_of_ipv4_is_named_as_such_by_a_listener_of_both_families)
{
    struct era_link_driver *d = given_driver(ERA_LINKS_MAX);
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_link_event up;
    given_both_families(d, address);
    struct rawlink r = given_raw_link(d, address, &up);
    cr_expect_eq(strncmp(up.address, "tcp://127.0.0.1:", 16), 0, "%s", up.address);
    rawlink_end(&r);
    era_link_driver_free(d);
}

/* Keeps 127.0.0.2 out. */
static enum era_verdict screen(void *ctx, const char *address)
{
    size_t *asked = ctx;
    ++*asked;
    return strncmp(address, "tcp://127.0.0.2:", 16) == 0 ? ERA_RATE_LIMITED : ERA_ACCEPTED;
}

Test(link_gate, who_is_screened_out_is_closed_counted_and_nothing_else)
{
    struct era_link_driver *d = given_driver(ERA_LINKS_MAX);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_link_event e;
    size_t asked = 0;
    int64_t end = driver_now_ms() + DEADLINE_MS;
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    era_link_driver_screen(d, screen, &asked);
    int fd = given_raw_client_of(INADDR_LOOPBACK + 1, bound);
    while (!is_closed(fd)) {
        struct pollfd p = {.fd = era_link_driver_fd(d), .events = POLLIN};
        cr_assert_lt(driver_now_ms(), end);
        (void)poll(&p, 1, 1);
        cr_assert_not(era_link_driver_poll(d, &e));
    }
    cr_assert_eq(asked, 1);
    cr_assert_eq(era_link_driver_counts(d)->ended[ERA_RATE_LIMITED], 1);
    close(fd);
    struct rawlink r = given_raw_link(d, bound, &e); /* from elsewhere: it is let in */
    cr_assert_eq(asked, 2);
    rawlink_end(&r);
    era_link_driver_free(d);
}

Test(link_gate, who_is_screened_out_takes_nobodys_turn)
{
    struct era_link_gate gate;
    era_link_gate_init(&gate);
    for (int i = 0; i < ERA_TURNED_AWAY_BURST - 1; i++) {
        cr_assert(era_link_gate_opens(&gate));
        era_link_gate_took(&gate, false);
    }
    for (int i = 0; i < ERA_ACCEPTS_BURST; i++) {
        cr_assert(era_link_gate_opens(&gate), "%d were taken", i);
        era_link_gate_took(&gate, true);
    }
}

Test(link_gate, above_their_own_pace_those_who_are_screened_out_wait_too)
{
    struct era_link_gate gate;
    int64_t begin = driver_now_ms(), taken = 0;
    era_link_gate_init(&gate);
    for (; taken < 2 * ERA_TURNED_AWAY_BURST && era_link_gate_opens(&gate); taken++)
        era_link_gate_took(&gate, false);
    cr_assert_leq(taken,
                  ERA_TURNED_AWAY_BURST + (driver_now_ms() - begin + 1) * ERA_TURNED_AWAY_PER_S / 1000);
}

Test(link_gate, above_its_pace_no_connection_is_taken)
{
    enum { MORE = 100 };
    struct era_link_driver *d = given_driver(ERA_LINKS_MAX);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_link_event e;
    size_t asked = 0;
    int64_t begin = driver_now_ms();
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    era_link_driver_screen(d, screen, &asked);
    for (size_t tried = 0; asked < ERA_ACCEPTS_BURST + MORE;) {
        struct pollfd p = {.fd = era_link_driver_fd(d), .events = POLLIN};
        cr_assert_lt(driver_now_ms() - begin, DEADLINE_MS);
        if (tried < asked + 16 && tried < ERA_ACCEPTS_BURST + MORE) { /* the system's queue is short */
            close(given_raw_client_of(INADDR_LOOPBACK + 2, bound));
            tried++;
        } else {
            (void)poll(&p, 1, 10);
        }
        while (era_link_driver_poll(d, &e))
            cr_assert_eq(e.kind, ERA_LINK_REFUSED);
    }
    cr_assert_geq(driver_now_ms() - begin, (int64_t)1000 * MORE / ERA_ACCEPTS_PER_S - 20);
    era_link_driver_free(d);
}

/* Connects and sends its first message. */
static struct rawlink given_first_message(uint32_t host, const char *address)
{
    struct rawlink r;
    struct era_channel_config config = rawlink_config(&driver_network);
    rawlink_begin(&r, given_raw_client_of(host, address), &config);
    cr_assert(rawlink_write(r.fd, r.first, r.first_len, DEADLINE_MS));
    return r;
}

/* More than its preamble came back. */
static size_t answered(const struct rawlink *links, size_t count)
{
    uint8_t bytes[ERA_CHANNEL_PREAMBLE_BYTES + 1];
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += recv(links[i].fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_PEEK) == sizeof bytes;
    return n;
}

/* Both at once: the driver's turns, until that many were answered. */
static void serve_until(struct era_link_driver *d, const struct rawlink *links, size_t count, size_t wanted)
{
    int64_t end = driver_now_ms() + DEADLINE_MS;
    struct era_link_event e;
    while (answered(links, count) < wanted) {
        struct pollfd p = {.fd = era_link_driver_fd(d), .events = POLLIN};
        cr_assert_lt(driver_now_ms(), end);
        (void)poll(&p, 1, 1);
        while (era_link_driver_poll(d, &e))
            ;
    }
}

/* Of answers that came in one go nobody can tell which was first: so it is tried until they did not. many:
 * from the hosts that follow each other by step. */
static bool one_is_served_before_many(uint32_t step)
{
    enum { MANY = ERA_HANDSHAKES_PER_ADDRESS_MAX };
    struct era_link_driver *d = given_driver(ERA_LINKS_MAX);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    static struct rawlink many[MANY];
    bool waited = false;
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    for (uint32_t i = 0; i < 40 && !waited; i++) {
        for (uint32_t k = 0; k < MANY; k++)
            many[k] = given_first_message(0x7F000901 + step * (i * MANY + k), bound);
        if (i > ERA_HANDSHAKES_BURST / MANY) { /* no more are answered at once */
            serve_until(d, many, MANY, MANY / 4);
            for (int k = 0; k < 2; k++) { /* a second time too, though it was served last */
                struct rawlink one = given_first_message(INADDR_LOOPBACK + 1, bound);
                serve_until(d, &one, 1, 1);
                waited = answered(many, MANY) <= MANY / 2;
                rawlink_end(&one);
                (void)driver_await(d, ERA_LINK_REFUSED);
            }
        }
        serve_until(d, many, MANY, MANY);
        for (size_t k = 0; k < MANY; k++)
            rawlink_end(&many[k]);
        for (size_t k = 0; k < MANY; k++)
            (void)driver_await(d, ERA_LINK_REFUSED);
    }
    era_link_driver_free(d);
    return waited;
}

Test(link_gate, a_host_that_makes_handshakes_by_the_hundred_waits_for_itself)
{
    cr_assert(one_is_served_before_many(0));
}

Test(link_gate, hosts_in_a_row_that_make_handshakes_wait_for_each_other)
{
    cr_assert(one_is_served_before_many(1));
}
