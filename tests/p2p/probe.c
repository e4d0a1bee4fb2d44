#include "tests/p2p/probe.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct probe *probe_new(uint64_t now_ms)
{
    struct probe *p = calloc(1, sizeof *p);
    p->w = wire_new(now_ms, 42);
    p->n = wire_node(p->w);
    p->g = p->n->gossip;
    p->reads = true;
    return p;
}

void probe_free(struct probe *p)
{
    wire_free(p->w);
    free(p);
}

static void see_have(struct probe_seen *s, struct era_frame_have have)
{
    struct era_frame_bucket bucket;
    s->haves++;
    s->set = have.set;
    s->reply = have.reply;
    s->have_buckets = have.bucket_count;
    s->have_ids = 0;
    while (era_frame_next_bucket(&have, &bucket))
        s->have_ids += bucket.ids.len / ERA_HASH_BYTES;
}

static void see_part(struct probe_seen *s, const struct era_frame_part *part)
{
    switch (part->kind) {
    case ERA_FRAME_HELLO:
        s->hellos++;
        s->blocked = part->u.hello.blocked;
        break;
    case ERA_FRAME_REFUSAL:
        s->refusals++;
        s->refusal = (enum era_verdict)part->u.refusal.verdict;
        break;
    case ERA_FRAME_STATEMENT:
        s->statements++;
        break;
    case ERA_FRAME_FRAGMENT:
        s->fragments++;
        break;
    case ERA_FRAME_SUMMARY:
        s->summaries++;
        s->set = part->u.summary.set;
        if (s->set == ERA_SET_STATEMENTS)
            s->summary_round = part->u.summary.round;
        else
            s->event_round = part->u.summary.round;
        break;
    case ERA_FRAME_HAVE:
        see_have(s, part->u.have);
        break;
    case ERA_FRAME_WANT:
        s->wants++;
        s->set = part->u.want.set;
        s->wanted_ids += part->u.want.ids.len / ERA_HASH_BYTES;
        memcpy(s->wanted.b, part->u.want.ids.data, ERA_HASH_BYTES);
        break;
    case ERA_FRAME_STATUS:
        s->statuses++;
        s->blocked = part->u.status.blocked;
        break;
    case ERA_FRAME_NEIGHBOUR:
        s->words++;
        s->word = part->u.neighbour;
        break;
    case ERA_FRAME_WALK:
        s->walks++;
        break;
    case ERA_FRAME_SHUFFLE:
        s->shuffles++;
        s->shuffle = part->u.shuffle;
        break;
    case ERA_FRAME_SPREAD:
        s->spreads++;
        s->announced += part->u.spread.announced.len / ERA_SPREAD_ENTRY_BYTES;
        s->orders += part->u.spread.orders.len / ERA_SPREAD_ENTRY_BYTES;
        break;
    }
}

static void see_action(struct probe *p, const struct era_gossip_action *a)
{
    struct probe_seen *s = &p->seen;
    struct era_frame frame;
    struct era_frame_part part;
    switch (a->kind) {
    case ERA_GOSSIP_SEND:
        cr_assert_eq(era_frame_decode(a->bytes, &frame), ERA_ACCEPTED);
        s->frames++;
        s->bytes += a->bytes.len;
        s->sent_link = a->link;
        for (struct era_frame_cursor c = era_frame_first(&frame); era_frame_next(&c, &part);)
            see_part(s, &part);
        if (p->reads)
            era_gossip_sent(p->g, p->w->now_ms, a->link, a->bytes.len);
        break;
    case ERA_GOSSIP_CLOSE:
        s->closes++;
        s->close = a->verdict;
        s->closed_link = a->link;
        break;
    case ERA_GOSSIP_CONNECT:
        s->connects++;
        memcpy(s->connect, a->address, sizeof s->connect);
        break;
    case ERA_GOSSIP_DELIVER:
        s->delivered++;
        s->delivered_bytes = a->bytes.len;
        break;
    case ERA_GOSSIP_PEER_UP:
        s->ups++;
        break;
    case ERA_GOSSIP_PEER_DOWN:
        s->downs++;
        s->down = a->verdict;
        break;
    }
}

const struct probe_seen *probe_look(struct probe *p)
{
    const struct era_gossip_action *actions;
    size_t count;
    memset(&p->seen, 0, sizeof p->seen);
    while ((count = era_gossip_take_actions(p->g, &actions)) > 0)
        for (size_t i = 0; i < count; i++)
            see_action(p, &actions[i]);
    return &p->seen;
}

const struct probe_seen *probe_wait(struct probe *p, uint64_t ms)
{
    uint64_t end = era_add_sat(p->w->now_ms, ms), next;
    while ((next = era_gossip_deadline_ms(p->g)) <= end && next != UINT64_MAX) {
        if (next > p->w->now_ms)
            p->w->now_ms = next;
        era_gossip_tick(p->g, p->w->now_ms);
        cr_assert_gt(era_gossip_deadline_ms(p->g), p->w->now_ms);
    }
    p->w->now_ms = end;
    return probe_look(p);
}

void probe_link(struct probe *p, uint64_t link, bool outgoing, const char *address)
{
    era_gossip_link_up(p->g, p->w->now_ms, link, outgoing, address, wire_proven);
}

struct era_frame_hello probe_hello(const struct probe *p, uint8_t node)
{
    struct era_frame_hello hello = {.protocol_min = 1, .protocol_max = 1, .network = p->w->network};
    hello.node.b[0] = node;
    memcpy(hello.agent, "probe", 6);
    return hello;
}

struct era_frame_builder *probe_frame(struct probe *p)
{
    era_frame_begin(&p->frame, p->room);
    return &p->frame;
}

void probe_send(struct probe *p, uint64_t link)
{
    era_gossip_frame(p->g, p->w->now_ms, link, era_frame_bytes(&p->frame));
}

void probe_raw(struct probe *p, uint64_t link, const void *bytes, size_t len)
{
    era_gossip_frame(p->g, p->w->now_ms, link, (struct era_bytes){bytes, len});
}

void probe_greet(struct probe *p, uint64_t link, const struct era_frame_hello *hello)
{
    cr_assert(era_frame_add_hello(probe_frame(p), hello));
    probe_send(p, link);
}

void probe_up(struct probe *p, uint64_t link, bool outgoing, uint8_t node)
{
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_frame_hello hello = probe_hello(p, node);
    probe_link(p, link, outgoing, wire_address(node, address));
    probe_greet(p, link, &hello);
    cr_assert_eq(probe_look(p)->ups, 1);
}

void probe_statement(struct probe *p, uint64_t link, size_t item)
{
    cr_assert(era_frame_add_statement(probe_frame(p), p->w->items[item].bytes));
    probe_send(p, link);
}

void probe_summary(struct probe *p, uint64_t link, enum era_set set, uint64_t round, const uint8_t *buckets)
{
    static const uint8_t zeros[ERA_FRAME_SUMMARY_BYTES];
    struct era_frame_summary summary = {.set = set, .round = round};
    summary.buckets = (struct era_bytes){buckets == NULL ? zeros : buckets, ERA_FRAME_SUMMARY_BYTES};
    cr_assert(era_frame_add_summary(probe_frame(p), &summary));
    probe_send(p, link);
}

void probe_have(struct probe *p, uint64_t link, enum era_set set, uint64_t round, bool reply,
                const struct era_hash *ids, size_t count)
{
    struct era_frame_bucket bucket = {.bucket = count > 0 ? ids[0].b[0] : 0};
    bucket.ids = (struct era_bytes){count > 0 ? ids[0].b : NULL, count * ERA_HASH_BYTES};
    cr_assert(era_frame_add_have(probe_frame(p), set, round, reply, &bucket, 1));
    probe_send(p, link);
}

void probe_equal(struct probe *p, uint64_t link, enum era_set set, uint64_t round)
{
    cr_assert(era_frame_add_have(probe_frame(p), set, round, false, NULL, 0));
    probe_send(p, link);
}

void probe_want(struct probe *p, uint64_t link, enum era_set set, const struct era_hash *ids, size_t count)
{
    struct era_bytes span = {ids[0].b, count * ERA_HASH_BYTES};
    cr_assert(era_frame_add_want(probe_frame(p), set, span));
    probe_send(p, link);
}

struct era_peer_info probe_info(const struct probe *p, uint64_t link)
{
    struct era_peer_info infos[ERA_LINKS_MAX], none = {0};
    size_t n = era_gossip_peers(p->g, infos, ERA_LINKS_MAX);
    for (size_t i = 0; i < n; i++)
        if (infos[i].link == link)
            return infos[i];
    return none;
}
