#include "tests/e2e/tap.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/lib/given.h"

uint64_t tap_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static size_t find(const struct tap *t, const struct era_hash *item)
{
    size_t i = 0;
    while (i < t->count && !era_hash_eq(&t->items[i].item, item))
        i++;
    return i;
}

static bool fetch(void *ctx, enum era_set set, const struct era_hash *item, struct era_bytes *out)
{
    const struct tap *t = ctx;
    size_t i = find(t, item);
    if (set != ERA_SET_STATEMENTS || i == t->count)
        return false;
    *out = t->items[i].envelope;
    return true;
}

static bool has(void *ctx, enum era_set set, const struct era_hash *item)
{
    const struct tap *t = ctx;
    return set == ERA_SET_STATEMENTS && find(t, item) < t->count;
}

static void keep(struct tap *t, struct era_bytes envelope, uint64_t from)
{
    struct era_hash item = given_item(t->charter, envelope);
    if (find(t, &item) < t->count)
        return;
    uint8_t *copy = malloc(envelope.len);
    if (!copy || t->count == TAP_ITEMS_MAX)
        abort();
    memcpy(copy, envelope.data, envelope.len);
    t->items[t->count].item = item;
    t->items[t->count].envelope = (struct era_bytes){copy, envelope.len};
    t->items[t->count++].heard = from != 0;
    era_gossip_publish(t->gossip, tap_now_ms(), ERA_SET_STATEMENTS, &item, from, true);
}

void tap_open(struct tap *t, const struct era_charter *c, const char *address)
{
    memset(t, 0, sizeof *t);
    t->charter = c;
    struct given_key key = given_key("tap");
    struct era_channel_config channel = {
        .network = c->hash, .protocol_min = ERA_PROTOCOL_MIN, .protocol_max = ERA_PROTOCOL_MAX};
    era_noise_keypair_of_node(&channel.mine, key.secret);
    t->links = era_link_driver_new(4, &channel);
    struct era_gossip_config config = {.network = c->hash,
                                       .node = key.key,
                                       .agent = "tap",
                                       .listen = "",
                                       .root = era_root_of_seed(1),
                                       .protocol_min = ERA_PROTOCOL_MIN,
                                       .protocol_max = ERA_PROTOCOL_MAX,
                                       .fetch = fetch,
                                       .has = has,
                                       .proves = era_noise_proves_node,
                                       .ctx = t};
    t->gossip = era_gossip_new(&config);
    if (!t->links || era_gossip_add_anchor(t->gossip, address) != ERA_ACCEPTED)
        abort();
}

void tap_close(struct tap *t)
{
    era_gossip_free(t->gossip);
    era_link_driver_free(t->links);
    for (size_t i = 0; i < t->count; i++)
        free((void *)t->items[i].envelope.data);
}

void tap_offer(struct tap *t, struct era_bytes envelope)
{
    keep(t, envelope, 0);
}

static void act(struct tap *t)
{
    const struct era_gossip_action *a;
    size_t n;
    while ((n = era_gossip_take_actions(t->gossip, &a)) > 0)
        for (size_t i = 0; i < n; i++)
            switch (a[i].kind) {
            case ERA_GOSSIP_SEND:
                era_link_driver_send(t->links, a[i].link, a[i].bytes);
                break;
            case ERA_GOSSIP_CLOSE:
                era_link_driver_close(t->links, a[i].link, true);
                break;
            case ERA_GOSSIP_CONNECT:
                if (era_link_driver_dial(t->links, a[i].address) != 0)
                    era_gossip_dial_failed(t->gossip, tap_now_ms(), a[i].address);
                break;
            case ERA_GOSSIP_DELIVER:
                keep(t, a[i].opened.bytes, a[i].link);
                break;
            case ERA_GOSSIP_PEER_UP:
                t->link = a[i].link;
                break;
            case ERA_GOSSIP_PEER_DOWN:
                t->link = 0;
                break;
            }
}

static void hear(struct tap *t, const struct era_link_event *e)
{
    uint64_t now_ms = tap_now_ms();
    switch (e->kind) {
    case ERA_LINK_UP:
        era_gossip_link_up(t->gossip, now_ms, e->link, e->outgoing, e->address, e->peer);
        break;
    case ERA_LINK_DIAL_FAILED:
        era_gossip_dial_failed(t->gossip, now_ms, e->address);
        break;
    case ERA_LINK_REFUSED:
        break;
    case ERA_LINK_FRAME:
        era_gossip_frame(t->gossip, now_ms, e->link, e->bytes);
        break;
    case ERA_LINK_SENT:
        era_gossip_sent(t->gossip, now_ms, e->link, e->sent);
        break;
    case ERA_LINK_DOWN:
        era_gossip_link_down(t->gossip, now_ms, e->link, e->verdict);
        break;
    }
    act(t);
}

void tap_turn(struct tap *t, int also, int ms)
{
    struct pollfd fds[2] = {{.fd = era_link_driver_fd(t->links), .events = POLLIN},
                            {.fd = also, .events = POLLIN}};
    uint64_t now_ms = tap_now_ms(), due_ms = era_gossip_deadline_ms(t->gossip);
    int wait = due_ms <= now_ms ? 0 : due_ms - now_ms < (uint64_t)ms ? (int)(due_ms - now_ms) : ms;
    poll(fds, 2, wait);
    struct era_link_event e;
    while (era_link_driver_poll(t->links, &e))
        hear(t, &e);
    era_gossip_tick(t->gossip, tap_now_ms());
    act(t);
}

uint64_t tap_equal_rounds(const struct tap *t)
{
    uint64_t last_ms;
    return era_gossip_equal_rounds(t->gossip, &last_ms);
}
