#include "tests/p2p/probe.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct probe *probe_new(uint64_t now_ms)
{
    return probe_new_of(now_ms, 0);
}

struct probe *probe_new_of(uint64_t now_ms, size_t target)
{
    struct probe *p = calloc(1, sizeof *p);
    p->w = wire_new(now_ms, 42);
    p->w->target = target;
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

static void see_digest(struct probe_seen *s, const struct era_frame_digest *digest)
{
    s->digests++;
    s->set = digest->set;
    s->salt = digest->salt;
    s->upto = digest->upto.len > 0;
    if (s->set == ERA_SET_STATEMENTS)
        s->digest_round = digest->round;
    else
        s->event_round = digest->round;
}

static void see_ask(struct probe_seen *s, const struct era_frame_ask *ask)
{
    s->asks++;
    s->set = ask->set;
    s->more_cells = ask->cells;
    s->asked_ids += ask->ids.len / ERA_FRAME_SHORT_BYTES;
    s->offered_ids += ask->offers.len / ERA_FRAME_SHORT_BYTES;
    s->dones += ask->done;
    if (ask->ids.len > 0)
        s->asked = era_get_be64(ask->ids.data);
}

static void see_cells(struct probe *p, struct era_bytes cells)
{
    size_t count = cells.len / ERA_SYNC_CELL_BYTES;
    if (p->got_count + count > sizeof p->got / sizeof *p->got)
        return;
    era_cells_read(cells.data, count, p->got + p->got_count);
    p->got_count += count;
}

static void see_part(struct probe *p, uint64_t link, const struct era_frame_part *part)
{
    struct probe_seen *s = &p->seen;
    switch (part->kind) {
    case ERA_FRAME_HELLO:
        s->hellos++;
        s->blocked = part->u.hello.blocked;
        memcpy(p->salts[link % 64].ours, part->u.hello.sync_salt, ERA_FRAME_SALT_BYTES);
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
    case ERA_FRAME_DIGEST:
        see_digest(s, &part->u.digest);
        break;
    case ERA_FRAME_CELLS:
        see_cells(p, part->u.cells.cells);
        s->answers++;
        s->set = part->u.cells.set;
        s->answer = part->u.cells.word;
        s->cells += part->u.cells.cells.len / ERA_SYNC_CELL_BYTES;
        break;
    case ERA_FRAME_ASK:
        see_ask(s, &part->u.ask);
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
            see_part(p, a->link, &part);
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
        s->delivered_bytes = a->opened.bytes.len;
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
    p->salts[link % 64].dialled = outgoing;
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

/* What the two ends of a link know: the dialler's part, the other's. */
static void secret_of(const struct probe *p, uint64_t link, uint8_t out[2 * ERA_FRAME_SALT_BYTES])
{
    const struct probe_secret *part = &p->salts[link % 64];
    memset(out, 0, 2 * ERA_FRAME_SALT_BYTES);
    memcpy(out + (part->dialled ? 0 : ERA_FRAME_SALT_BYTES), part->ours, ERA_FRAME_SALT_BYTES);
}

struct era_salt probe_salt(const struct probe *p, uint64_t link, enum era_set set)
{
    uint8_t in[2 * ERA_FRAME_SALT_BYTES + 5] = {0};
    struct era_salt salt;
    if (p->salt == 0) {
        memcpy(in, p->w->network.b, ERA_HASH_BYTES);
        in[ERA_HASH_BYTES] = (uint8_t)set;
        crypto_generichash(salt.key.b, sizeof salt.key.b, in, ERA_HASH_BYTES + 1, NULL, 0);
        return salt;
    }
    secret_of(p, link, in);
    in[2 * ERA_FRAME_SALT_BYTES] = (uint8_t)set;
    era_put_be32(in + 2 * ERA_FRAME_SALT_BYTES + 1, p->salt);
    crypto_generichash(salt.key.b, sizeof salt.key.b, in, sizeof in, NULL, 0);
    return salt;
}

static struct era_sketch sketch_of(const struct probe *p, uint64_t link, enum era_set set,
                                   const struct era_hash *ids, size_t count, size_t cells)
{
    struct era_salt salt = probe_salt(p, link, set);
    struct era_sketch sketch;
    era_sketch_init(&sketch, &salt, cells);
    for (size_t i = 0; i < count; i++) {
        struct era_tag tag = era_tag_of(&salt, &ids[i]);
        era_sketch_put(&sketch, &tag);
    }
    return sketch;
}

static void send_digest(struct probe *p, uint64_t link, enum era_set set, uint64_t round,
                        const struct era_hash *ids, size_t count, bool alone)
{
    struct era_sketch sketch = sketch_of(p, link, set, ids, count, 0);
    uint8_t print[ERA_SYNC_PRINT_BYTES];
    uint8_t secret[2 * ERA_FRAME_SALT_BYTES];
    struct era_setsum sum = {{0}};
    secret_of(p, link, secret);
    for (size_t i = 0; i < count; i++)
        era_setsum_put(&sum, &ids[i]);
    era_setsum_print(&sum, (struct era_bytes){secret, sizeof secret}, print);
    struct era_frame_digest digest = {.set = set,
                                      .round = round,
                                      .salt = p->salt,
                                      .count = count,
                                      .print = {print, sizeof print},
                                      .estimate = {sketch.estimate, sizeof sketch.estimate},
                                      .alone = alone};
    cr_assert(era_frame_add_digest(probe_frame(p), &digest));
    probe_send(p, link);
    era_sketch_release(&sketch);
}

void probe_digest(struct probe *p, uint64_t link, enum era_set set, uint64_t round,
                  const struct era_hash *ids, size_t count)
{
    send_digest(p, link, set, round, ids, count, false);
}

void probe_empty(struct probe *p, uint64_t link, enum era_set set, uint64_t round)
{
    send_digest(p, link, set, round, NULL, 0, true);
}

void probe_more_cells(struct probe *p, uint64_t link, enum era_set set, uint64_t round,
                      const struct era_hash *ids, size_t count, size_t from, size_t to)
{
    static uint8_t bytes[ERA_SYNC_CELLS_PER_FRAME_MAX * ERA_SYNC_CELL_BYTES];
    struct era_sketch sketch = sketch_of(p, link, set, ids, count, to);
    while (from < to) {
        bool more = to - from > ERA_SYNC_CELLS_PER_FRAME_MAX;
        size_t n = more ? ERA_SYNC_CELLS_PER_FRAME_MAX : to - from;
        era_cells_write(sketch.cells + from, n, bytes);
        struct era_frame_cells answer = {.set = set,
                                         .round = round,
                                         .word = ERA_WORD_CELLS,
                                         .cells = {bytes, n * ERA_SYNC_CELL_BYTES},
                                         .more = more};
        cr_assert(era_frame_add_cells(probe_frame(p), &answer));
        probe_send(p, link);
        from += n;
    }
    era_sketch_release(&sketch);
}

void probe_cells(struct probe *p, uint64_t link, enum era_set set, uint64_t round, const struct era_hash *ids,
                 size_t count, size_t cells)
{
    probe_more_cells(p, link, set, round, ids, count, 0, cells);
}

size_t probe_apart(const struct probe *p, uint64_t link, enum era_set set, const struct era_hash *ids,
                   size_t count)
{
    static uint64_t found[1000];
    struct era_cell cells[1000];
    struct era_sketch sketch = sketch_of(p, link, set, ids, count, p->got_count);
    size_t n;
    memcpy(cells, p->got, p->got_count * sizeof *cells);
    era_cells_subtract(cells, sketch.cells, p->got_count);
    bool apart = era_cells_peel(cells, p->got_count, found, &n);
    era_sketch_release(&sketch);
    return apart ? n : SIZE_MAX;
}

void probe_word(struct probe *p, uint64_t link, enum era_set set, uint64_t round, enum era_frame_word word)
{
    struct era_frame_cells answer = {.set = set, .round = round, .word = word};
    cr_assert(era_frame_add_cells(probe_frame(p), &answer));
    probe_send(p, link);
}

void probe_equal(struct probe *p, uint64_t link, enum era_set set, uint64_t round)
{
    probe_word(p, link, set, round, ERA_WORD_EQUAL);
}

uint64_t probe_short(const struct probe *p, uint64_t link, enum era_set set, const struct era_hash *id)
{
    struct era_salt salt = probe_salt(p, link, set);
    return era_tag_of(&salt, id).short_id;
}

static struct era_bytes shorts_of(const struct probe *p, uint64_t link, enum era_set set,
                                  const struct era_hash *ids, size_t count)
{
    static uint8_t shorts[ERA_SYNC_IDS_PER_FRAME_MAX * ERA_FRAME_SHORT_BYTES];
    for (size_t i = 0; i < count; i++)
        era_put_be64(shorts + i * ERA_FRAME_SHORT_BYTES, probe_short(p, link, set, &ids[i]));
    return (struct era_bytes){shorts, count * ERA_FRAME_SHORT_BYTES};
}

void probe_ask(struct probe *p, uint64_t link, enum era_set set, uint64_t round, const struct era_hash *ids,
               size_t count)
{
    struct era_frame_ask ask = {.set = set, .round = round, .ids = shorts_of(p, link, set, ids, count)};
    cr_assert(era_frame_add_ask(probe_frame(p), &ask));
    probe_send(p, link);
}

void probe_offer(struct probe *p, uint64_t link, enum era_set set, uint64_t round, const struct era_hash *ids,
                 size_t count)
{
    struct era_frame_ask ask = {.set = set, .round = round, .offers = shorts_of(p, link, set, ids, count)};
    cr_assert(era_frame_add_ask(probe_frame(p), &ask));
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
