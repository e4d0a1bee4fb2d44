/* What reconciliation costs: bytes, round trips and time between two nodes, by the size of their sets,
 * the size of the difference and who has it; and what a joiner takes. Both ends are real gossips joined
 * in memory; statements are counted as payload and nothing else is. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "p2p/gossip.h"
#include "p2p/sketch.h"
#include "proto/frame.h"

#define PAYLOAD_BYTES 120 /* with key and signature about a readiness */
#define BYTES_A_ITEM  30
#define BYTES_ROUND   200
#define MS_AT_100     1.0
#define JOIN_BYTES    1.05
#define JOIN_TIME     1.25
#define JOIN_ITEMS    100000
#define TRIES         10
#define VERIFIES      2000

static bool all_hold = true;
static uint8_t envelope_bytes[PAYLOAD_BYTES + 200];

struct end {
    struct era_gossip *gossip;
    size_t held, delivered;
};

/* What one session took. */
struct cost {
    uint64_t bytes, payload;
    unsigned batches; /* of cells, one after another: each a round trip */
    double cpu_s;
};

struct pair {
    struct end end[2];
    uint64_t now_ms;
    struct cost cost;
};

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Item number n: its id is spread like a hash and tells n. */
static struct era_hash id_of(uint64_t n)
{
    struct era_hash id = {{0}};
    uint64_t x = n * 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    era_put_be64(id.b, x ^ x >> 31);
    era_put_be64(id.b + 8, n);
    return id;
}

static bool fetch(void *ctx, enum era_set set, const struct era_hash *item, struct era_bytes *out)
{
    uint8_t payload[PAYLOAD_BYTES] = {0};
    struct era_envelope e = {.kind = ERA_KIND_READINESS, .payload = {payload, sizeof payload}};
    (void)ctx, (void)set;
    memcpy(payload, item->b + 8, 8);
    size_t len = era_envelope_encode(&e, envelope_bytes, sizeof envelope_bytes);
    *out = (struct era_bytes){envelope_bytes, len};
    return len > 0;
}

static bool has(void *ctx, enum era_set set, const struct era_hash *item)
{
    (void)ctx, (void)set, (void)item;
    return false;
}

static void give(struct pair *p, int end, uint64_t n)
{
    struct era_hash id = id_of(n);
    era_gossip_publish(p->end[end].gossip, p->now_ms, ERA_SET_STATEMENTS, &id, 0, false);
    p->end[end].held++;
}

static void take_envelope(struct pair *p, int end, struct era_bytes bytes)
{
    struct era_envelope e;
    if (era_envelope_decode(bytes, &e) != ERA_ACCEPTED)
        abort();
    struct era_hash id = id_of(era_get_be64(e.payload.data));
    double begun = cpu_now();
    era_gossip_publish(p->end[end].gossip, p->now_ms, ERA_SET_STATEMENTS, &id, 1, false);
    p->cost.cpu_s += cpu_now() - begun;
    p->end[end].held++;
    p->end[end].delivered++;
}

/* The events' rounds are not of this comparison. */
static void count_frame(struct cost *cost, struct era_bytes bytes)
{
    struct era_frame frame;
    struct era_frame_part part;
    bool counts = false;
    if (era_frame_decode(bytes, &frame) != ERA_ACCEPTED)
        abort();
    for (struct era_frame_cursor c = era_frame_first(&frame); era_frame_next(&c, &part);) {
        if (part.kind == ERA_FRAME_STATEMENT)
            cost->payload += part.u.statement.len;
        counts |= (part.kind == ERA_FRAME_DIGEST && part.u.digest.set == ERA_SET_STATEMENTS) ||
                  (part.kind == ERA_FRAME_CELLS && part.u.cells.set == ERA_SET_STATEMENTS) ||
                  (part.kind == ERA_FRAME_ASK && part.u.ask.set == ERA_SET_STATEMENTS);
        cost->batches += part.kind == ERA_FRAME_CELLS && part.u.cells.word == ERA_WORD_CELLS &&
                         part.u.cells.set == ERA_SET_STATEMENTS && !part.u.cells.more;
    }
    if (counts)
        cost->bytes += bytes.len;
}

/* Carry what one end wants to send; its statements are taken in at the other. */
static bool carry(struct pair *p, int from)
{
    const struct era_gossip_action *actions;
    size_t count = era_gossip_take_actions(p->end[from].gossip, &actions);
    for (size_t i = 0; i < count; i++) {
        if (actions[i].kind == ERA_GOSSIP_DELIVER)
            take_envelope(p, from, actions[i].opened.bytes);
        if (actions[i].kind != ERA_GOSSIP_SEND)
            continue;
        count_frame(&p->cost, actions[i].bytes);
        double begun = cpu_now();
        era_gossip_sent(p->end[from].gossip, p->now_ms, 1, actions[i].bytes.len);
        era_gossip_frame(p->end[!from].gossip, p->now_ms, 1, actions[i].bytes);
        p->cost.cpu_s += cpu_now() - begun;
    }
    return count > 0;
}

static void step(struct pair *p, uint64_t ms)
{
    p->now_ms += ms;
    for (int i = 0; i < 2; i++) {
        double begun = cpu_now();
        era_gossip_tick(p->end[i].gossip, p->now_ms);
        p->cost.cpu_s += cpu_now() - begun;
    }
    bool any = true;
    while (any) {
        any = carry(p, 0);
        any |= carry(p, 1);
    }
}

static void pair_begin(struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        struct era_gossip_config config = {.agent = "bench",
                                           .listen = "",
                                           .root = era_root_of_seed((uint64_t)i + 7),
                                           .protocol_min = 1,
                                           .protocol_max = 1,
                                           .fetch = fetch,
                                           .has = has};
        config.node.b[0] = (uint8_t)(i + 1);
        p->end[i] = (struct end){.gossip = era_gossip_new(&config)};
    }
    p->now_ms = 1000;
}

static void pair_join(struct pair *p)
{
    uint8_t keys[2][ERA_KEY_BYTES] = {{1}, {2}};
    era_gossip_link_up(p->end[0].gossip, p->now_ms, 1, true, "tcp://10.0.0.2:1", keys[1]);
    era_gossip_link_up(p->end[1].gossip, p->now_ms, 1, false, "tcp://10.0.0.1:1", keys[0]);
}

static void pair_end(struct pair *p)
{
    for (int i = 0; i < 2; i++)
        era_gossip_free(p->end[i].gossip);
}

/* Until both hold `all`; what the last, equal, round takes is not counted but for no difference. */
static struct cost settle(struct pair *p, size_t all, uint64_t equal_rounds)
{
    uint64_t last_ms;
    memset(&p->cost, 0, sizeof p->cost);
    for (int i = 0; i < 1000; i++) {
        step(p, 100);
        if (p->end[0].held >= all && p->end[1].held >= all &&
            era_gossip_equal_rounds(p->end[0].gossip, &last_ms) >= equal_rounds)
            break;
    }
    return p->cost;
}

enum { THEIRS, OURS, BOTH, SIDES };
static const char *const sides[SIDES] = {"theirs", "ours", "both"};

static const char *word(bool reached)
{
    all_hold &= reached;
    return reached ? "holds" : "falls short";
}

/* d more items: only the answering end has them, only the beginning one, or half each. */
static struct cost differ(struct pair *p, uint64_t *next, uint64_t d, int side)
{
    uint64_t last_ms, equal = era_gossip_equal_rounds(p->end[0].gossip, &last_ms);
    for (int i = 0; i < 60; i++)
        step(p, 1000); /* the pace of rounds, and what rests, comes back */
    equal = era_gossip_equal_rounds(p->end[0].gossip, &last_ms);
    for (uint64_t i = 0; i < d; i++)
        give(p, side == THEIRS ? 1 : side == OURS ? 0 : (int)(i % 2), (*next)++);
    return settle(p, (size_t)*next, d == 0 ? equal + 1 : 0);
}

/* Of some tries: the mean, and the worst of the round trips. */
static void row(struct pair *p, uint64_t *next, size_t n, uint64_t d, int side)
{
    unsigned tries = d > 1000 ? 2 : TRIES, round_trips = 0, most = 0;
    double bytes = 0, ms = 0, limit = (double)(BYTES_A_ITEM * d + BYTES_ROUND);
    for (unsigned i = 0; i < tries; i++) {
        struct cost c = differ(p, next, d, side);
        bytes += (double)c.bytes / tries;
        ms += c.cpu_s * 1e3 / tries;
        round_trips += c.batches;
        most = c.batches > most ? c.batches : most;
    }
    double ms_limit = MS_AT_100 * (d < 100 ? 1 : (double)d / 100);
    const char *said = word(bytes <= limit && most <= 2 && ms <= ms_limit);
    printf("%8zu %6llu  %-6s %9.0f <= %-7.0f %6.2f, %u <= 2 %10.3f <= %-5.0f ms  %s\n", n,
           (unsigned long long)d, sides[side], bytes, limit, (double)round_trips / tries, most, ms, ms_limit,
           said);
    fprintf(stderr,
            "{\"bench\":\"reconcile\",\"n\":%zu,\"d\":%llu,\"side\":\"%s\",\"bytes\":%.0f,\"limit\":%.0f,"
            "\"round_trips_max\":%u,\"cpu_ms\":%.3f,\"word\":\"%s\"}\n",
            n, (unsigned long long)d, sides[side], bytes, limit, most, ms, said);
}

static void differences(size_t n)
{
    static const uint64_t sizes[] = {0, 1, 10, 100, 1000, 10000};
    struct pair p = {0};
    uint64_t next = 0, last_ms;
    pair_begin(&p);
    for (; next < n; next++)
        for (int e = 0; e < 2; e++)
            give(&p, e, next);
    pair_join(&p);
    double begun = cpu_now();
    settle(&p, n, era_gossip_equal_rounds(p.end[0].gossip, &last_ms) + 1);
    printf("%8zu items: a link begins, and its first round: %.3f ms\n", n, (cpu_now() - begun) * 1e3);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (int side = 0; side < (sizes[k] == 0 ? 1 : SIDES); side++)
            row(&p, &next, n, sizes[k], side);
    pair_end(&p);
}

static double verify_s(void)
{
    uint8_t public[ERA_KEY_BYTES], secret[ERA_SECRET_BYTES], signature[ERA_SIGNATURE_BYTES];
    uint8_t message[PAYLOAD_BYTES] = {1};
    crypto_sign_keypair(public, secret);
    crypto_sign_detached(signature, NULL, message, sizeof message, secret);
    double begun = cpu_now();
    for (int i = 0; i < VERIFIES; i++)
        if (crypto_sign_verify_detached(signature, message, sizeof message, public) != 0)
            abort();
    return (cpu_now() - begun) / VERIFIES;
}

/* All that moves counts: frames of statements too. */
static void joiner(void)
{
    struct pair p = {0};
    pair_begin(&p);
    for (uint64_t n = 0; n < JOIN_ITEMS; n++)
        give(&p, 1, n);
    pair_join(&p);
    double begun = cpu_now();
    settle(&p, JOIN_ITEMS, 1);
    double both_s = cpu_now() - begun, verify = verify_s() * JOIN_ITEMS;
    struct era_peer_info info;
    era_gossip_peers(p.end[0].gossip, &info, 1);
    double bytes = (double)(info.bytes_in + info.bytes_out) / (double)p.cost.payload;
    double ratio = (both_s + verify) / verify;
    printf("a joiner of %d: %.3f of the bytes of the statements, aim %.2f: %s\n", JOIN_ITEMS, bytes,
           JOIN_BYTES, word(p.end[0].delivered == JOIN_ITEMS && bytes <= JOIN_BYTES));
    printf("a joiner of %d: %.3f of the time of their signatures, aim %.2f: %s\n", JOIN_ITEMS, ratio,
           JOIN_TIME, word(ratio <= JOIN_TIME));
    pair_end(&p);
}

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf(
        "   items differ  who has bytes and bound   round trips: mean, most   both ends' time and bound\n");
    for (size_t n = 10000; n <= 1000000; n *= 10)
        differences(n);
    joiner();
    return all_hold ? 0 : 1;
}
