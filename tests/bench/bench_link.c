/* bench_link: what a link costs to set up and to hold.
 *   handshake   both ends of the channel in memory, and how much of it is the listener's: what a stranger can
 *               make a node spend
 *   loopback    two drivers, one dials the other, one link after the other; ERA_HANDSHAKES_BURST of them,
 * since more wait for their turn memory      of a link that is up and at rest, both ends, as malloc counts it
 * Prints one line of NAME=VALUE words each. */
#include <malloc.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "p2p/link_nng.h"

#define HANDSHAKES 1000
#define LINKS      200 /* fewer than the burst */

static struct era_channel_config config_of(void)
{
    uint8_t secret[ERA_NOISE_KEY_BYTES];
    struct era_channel_config config = {
        .network = {{7}}, .protocol_min = ERA_PROTOCOL_MIN, .protocol_max = ERA_PROTOCOL_MAX};
    randombytes_buf(secret, sizeof secret);
    era_noise_keypair(&config.mine, secret);
    return config;
}

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What one end has to write, to the other. Returns its bytes. */
static size_t pass(struct era_channel *from, struct era_channel *to)
{
    uint8_t bytes[ERA_CHANNEL_EARLY_BYTES];
    size_t len = era_channel_take(from, bytes), room;
    for (size_t at = 0; at < len;) {
        uint8_t *into = era_channel_room(to, &room);
        size_t step = len - at < room ? len - at : room;
        for (size_t i = 0; i < step; i++)
            into[i] = bytes[at + i];
        era_channel_came(to, step);
        at += step;
    }
    return len;
}

static void handshakes(void)
{
    struct era_channel_config dialler = config_of(), listener = config_of();
    double listening = 0, began = seconds(CLOCK_PROCESS_CPUTIME_ID);
    size_t bytes = 0;
    for (int i = 0; i < HANDSHAKES; i++) {
        static struct era_channel a, b;
        uint8_t ephemeral[ERA_NOISE_KEY_BYTES];
        randombytes_buf(ephemeral, sizeof ephemeral);
        era_channel_init(&a, &dialler, true, ephemeral);
        randombytes_buf(ephemeral, sizeof ephemeral);
        era_channel_init(&b, &listener, false, ephemeral);
        while (a.state != ERA_CHANNEL_OPEN || b.state != ERA_CHANNEL_OPEN) {
            double at = seconds(CLOCK_PROCESS_CPUTIME_ID);
            bytes += pass(&a, &b);
            listening += seconds(CLOCK_PROCESS_CPUTIME_ID) - at;
            bytes += pass(&b, &a);
        }
        era_channel_clear(&a);
        era_channel_clear(&b);
    }
    double both = seconds(CLOCK_PROCESS_CPUTIME_ID) - began;
    printf("handshake: per_cpu_second=%.0f listener_us=%.0f share_of_listener=%.2f bytes=%zu\n",
           HANDSHAKES / both, listening / HANDSHAKES * 1e6, listening / both, bytes / HANDSHAKES);
}

/* Until both have so many links. */
static void await_links(struct era_link_driver *a, struct era_link_driver *b, uint64_t count)
{
    struct era_link_event e;
    while (era_link_driver_counts(a)->up < count || era_link_driver_counts(b)->up < count) {
        struct pollfd p[2] = {{.fd = era_link_driver_fd(a), .events = POLLIN},
                              {.fd = era_link_driver_fd(b), .events = POLLIN}};
        if (poll(p, 2, 10000) < 1)
            exit(70);
        while (era_link_driver_poll(a, &e) || era_link_driver_poll(b, &e))
            ;
    }
}

static void links(void)
{
    struct era_channel_config mine = config_of(), theirs = config_of();
    struct era_link_driver *a = era_link_driver_new(ERA_LINKS_MAX, &mine);
    struct era_link_driver *b = era_link_driver_new(ERA_LINKS_MAX, &theirs);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    if (a == NULL || b == NULL || era_link_driver_listen(b, "tcp://127.0.0.1:0", bound) != 0)
        exit(70);
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    double began = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (uint64_t i = 1; i <= LINKS; i++) {
        if (era_link_driver_dial(a, bound) != 0)
            exit(70);
        await_links(a, b, i);
    }
    double took = seconds(CLOCK_MONOTONIC) - began;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
    printf("loopback: per_second=%.0f cpu_us_both_ends=%.0f\n", LINKS / took, cpu / LINKS * 1e6);
    printf("memory: bytes_an_end=%zu\n", (after - before) / LINKS / 2);
    era_link_driver_free(a);
    era_link_driver_free(b);
}

int main(void)
{
    if (sodium_init() < 0)
        return 70;
    handshakes();
    links();
    return 0;
}
