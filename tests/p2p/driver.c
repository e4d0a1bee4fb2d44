#include "tests/p2p/driver.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

const struct era_hash driver_network = {{0x77}};

int64_t driver_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct era_link_event driver_next(struct era_link_driver *d)
{
    struct era_link_event e;
    int64_t end = driver_now_ms() + DEADLINE_MS;
    while (!era_link_driver_poll(d, &e)) {
        struct pollfd p = {.fd = era_link_driver_fd(d), .events = POLLIN};
        int64_t rest = end - driver_now_ms();
        cr_assert(rest > 0 && poll(&p, 1, (int)rest) == 1, "no event in time");
    }
    return e;
}

struct era_link_event driver_await(struct era_link_driver *d, enum era_link_event_kind kind)
{
    struct era_link_event e = driver_next(d);
    while (e.kind != kind)
        e = driver_next(d);
    return e;
}

struct era_link_driver *given_driver(size_t links_max)
{
    struct era_channel_config config = rawlink_config(&driver_network);
    struct era_link_driver *d = era_link_driver_new(links_max, &config);
    cr_assert_not_null(d);
    return d;
}

int given_raw_client_of(uint32_t host, const char *address)
{
    unsigned port;
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
    cr_assert_eq(sscanf(address, "tcp://127.0.0.1:%u", &port), 1);
    sin.sin_port = htons((uint16_t)port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
    return fd;
}

int given_raw_client(const char *address)
{
    return given_raw_client_of(INADDR_LOOPBACK, address);
}

struct rawlink given_raw_link(struct era_link_driver *d, const char *address, struct era_link_event *up)
{
    struct rawlink r;
    struct era_channel_config config = rawlink_config(&driver_network);
    int64_t end = driver_now_ms() + DEADLINE_MS;
    rawlink_begin(&r, given_raw_client(address), &config);
    cr_assert(rawlink_write(r.fd, r.first, r.first_len, DEADLINE_MS));
    for (bool is_up = false; !is_up;) {
        struct pollfd p[2] = {{.fd = r.fd, .events = POLLIN},
                              {.fd = era_link_driver_fd(d), .events = POLLIN}};
        cr_assert(driver_now_ms() < end && poll(p, 2, DEADLINE_MS) >= 1, "no handshake in time");
        if (p[0].revents != 0)
            cr_assert(rawlink_step(&r, 0));
        is_up = era_link_driver_poll(d, up);
    }
    r.channel.config = NULL; /* of this frame; done with it */
    cr_assert_eq(up->kind, ERA_LINK_UP);
    cr_assert_eq(r.channel.state, ERA_CHANNEL_OPEN);
    return r;
}

bool is_closed(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}
