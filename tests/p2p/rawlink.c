#include "tests/p2p/rawlink.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct era_channel_config rawlink_config(const struct era_hash *network)
{
    uint8_t secret[ERA_NOISE_KEY_BYTES];
    struct era_channel_config config = {
        .network = *network, .protocol_min = ERA_PROTOCOL_MIN, .protocol_max = ERA_PROTOCOL_MAX};
    randombytes_buf(secret, sizeof secret);
    era_noise_keypair(&config.mine, secret);
    return config;
}

void rawlink_begin(struct rawlink *r, int fd, const struct era_channel_config *config)
{
    uint8_t ephemeral[ERA_NOISE_KEY_BYTES];
    r->fd = fd;
    r->config = *config;
    randombytes_buf(ephemeral, sizeof ephemeral);
    era_channel_init(&r->channel, &r->config, true, ephemeral);
    r->first_len = era_channel_take(&r->channel, r->first);
}

void rawlink_end(struct rawlink *r)
{
    era_channel_clear(&r->channel);
    close(r->fd);
}

bool rawlink_write(int fd, const void *bytes, size_t len, int ms)
{
    const uint8_t *at = bytes;
    while (len > 0) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        if (poll(&p, 1, ms) != 1)
            return false;
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool rawlink_step(struct rawlink *r, int ms)
{
    struct pollfd p = {.fd = r->fd, .events = POLLIN};
    uint8_t answer[ERA_CHANNEL_EARLY_BYTES];
    size_t room;
    if (poll(&p, 1, ms) != 1)
        return true;
    uint8_t *to = era_channel_room(&r->channel, &room);
    ssize_t n = recv(r->fd, to, room, 0);
    if (n <= 0)
        return false;
    era_channel_came(&r->channel, (size_t)n);
    size_t len = era_channel_take(&r->channel, answer);
    return rawlink_write(r->fd, answer, len, ms);
}

bool rawlink_shake(struct rawlink *r, int ms)
{
    bool alive = rawlink_write(r->fd, r->first, r->first_len, ms);
    while (alive && r->channel.state < ERA_CHANNEL_OPEN)
        alive = rawlink_step(r, ms);
    return r->channel.state == ERA_CHANNEL_OPEN;
}

size_t rawlink_seal(struct rawlink *r, const void *bytes, size_t len, uint8_t *record)
{
    memcpy(record + ERA_CHANNEL_RECORD_HEADER, bytes, len);
    return era_channel_seal(&r->channel, record, len);
}

bool rawlink_put(struct rawlink *r, const void *bytes, size_t len, int ms)
{
    const uint8_t *at = bytes;
    uint8_t *record = malloc(ERA_CHANNEL_PLAIN_MAX + ERA_CHANNEL_RECORD_EXTRA);
    bool open = record != NULL;
    for (size_t step; open && len > 0; at += step, len -= step) {
        step = len < ERA_CHANNEL_PLAIN_MAX ? len : ERA_CHANNEL_PLAIN_MAX;
        open = rawlink_write(r->fd, record, rawlink_seal(r, at, step, record), ms);
    }
    free(record);
    return open;
}
