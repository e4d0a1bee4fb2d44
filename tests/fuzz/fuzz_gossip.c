/* gossip: any frames into a link that is up, time passing between them. What
 * comes out fits a frame, stays within the link's bounds, and never asks for
 * a timer that has passed. */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "p2p/gossip.h"
#include "proto/frame.h"

#define LINK 1

static bool fetch(void *ctx, enum era_set set, const struct era_hash *item, struct era_bytes *out)
{
    static const uint8_t envelope[300];
    (void)ctx, (void)set;
    *out = (struct era_bytes){envelope, item->b[1] == 7 ? 0 : sizeof envelope};
    return out->len > 0;
}

static bool has(void *ctx, enum era_set set, const struct era_hash *item)
{
    (void)ctx, (void)set;
    return item->b[2] == 9;
}

static struct era_gossip *given_gossip(bool outgoing)
{
    struct era_gossip_config config = {.agent = "fuzz",
                                       .listen = "",
                                       .root = era_root_of_seed(1),
                                       .protocol_min = 1,
                                       .protocol_max = 1,
                                       .fetch = fetch,
                                       .has = has};
    struct era_gossip *g = era_gossip_new(&config);
    for (unsigned i = 0; i < 40; i++) {
        struct era_hash id = {{(uint8_t)(i % 3), (uint8_t)i}};
        era_gossip_publish(g, 1, i % 5 == 0 ? ERA_SET_EVENTS : ERA_SET_STATEMENTS, &id, 0, i % 2 == 0);
    }
    static uint8_t room[ERA_FRAME_BYTES_MAX];
    struct era_frame_hello hello = {.protocol_min = 1, .protocol_max = 1, .agent = "peer"};
    struct era_frame_builder frame;
    hello.node.b[0] = 1;
    era_gossip_link_up(g, 1, LINK, outgoing, "tcp://10.0.0.1:1", hello.node.b);
    era_frame_begin(&frame, room);
    bool fits = era_frame_add_hello(&frame, &hello);
    assert(fits);
    era_gossip_frame(g, 1, LINK, era_frame_bytes(&frame));
    return g;
}

static void look(struct era_gossip *g, uint64_t now_ms, bool reads)
{
    const struct era_gossip_action *actions;
    size_t count = era_gossip_take_actions(g, &actions), sent = 0;
    for (size_t i = 0; i < count; i++) {
        const struct era_gossip_action *a = &actions[i];
        struct era_frame frame;
        if (a->kind == ERA_GOSSIP_SEND) {
            enum era_verdict verdict = era_frame_decode(a->bytes, &frame);
            assert(verdict == ERA_ACCEPTED);
            sent += a->bytes.len;
        }
        if (a->kind == ERA_GOSSIP_DELIVER)
            assert(a->opened.bytes.len <= ERA_STATEMENT_BYTES_MAX);
    }
    struct era_peer_info info;
    if (era_gossip_peers(g, &info, 1) == 1)
        assert(info.queued_bytes <= ERA_LINK_OUT_BYTES_MAX + 4 * ERA_FRAME_BYTES_MAX &&
               info.score < ERA_SCORE_CLOSE);
    if (reads)
        era_gossip_sent(g, now_ms, LINK, sent);
}

/* Input: a byte of options, then [2 bytes length][1 byte of time][frame]… */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct era_gossip *g = given_gossip(data[0] & 1);
    bool reads = data[0] & 2;
    uint64_t now_ms = 1;
    look(g, now_ms, reads);
    for (size_t at = 1; at + 3 <= size;) {
        size_t len = (size_t)data[at] << 8 | data[at + 1];
        now_ms += (uint64_t)data[at + 2] * 16;
        at += 3;
        if (len > size - at)
            len = size - at;
        era_gossip_frame(g, now_ms, LINK, (struct era_bytes){data + at, len});
        at += len;
        if (era_gossip_deadline_ms(g) <= now_ms)
            era_gossip_tick(g, now_ms);
        assert(era_gossip_deadline_ms(g) > now_ms);
        look(g, now_ms, reads);
    }
    era_gossip_free(g);
    return 0;
}
