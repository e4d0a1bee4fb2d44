/* siege: thousands of hostile connections to one daemon, held open, and made anew as they are thrown out.
 *
 *   siege HOST PORT NETWORK_HEX COUNT PAUSE_MS FROM[+N[/BITS]] [KIND…]
 *
 * COUNT connections come from N addresses, FROM and those that follow it, or one of each prefix of BITS that
 * follows its; each is of one KIND for ever, in turn, and tries again PAUSE_MS (half of it to half as much
 * again) after it was thrown out. A kind repeats when it is named twice; without any, all in the mix of
 * `usual`. Every new connection has a new key. HOST and FROM are both of IPv4, or both of IPv6.
 *   silent      half-open: not a byte
 *   half        preamble, with or without the first message of the handshake
 *   slow        a good handshake, a byte a second
 *   garbage     4 KiB of nothing
 *   spoilt      a good handshake, then a record that is not authentic
 *   keyed       a good handshake, and no hello; only by name
 *   mute        a good handshake and hello, then silence
 *   flood       then rounds and requests by the thousand, nothing is read
 *   hungry      then a request for all there is, nothing is read
 *   sketches    then the part of an honest peer, with cells that do not decode
 *   fragments   then almost all of a large statement
 *   halfframe   then almost all of a large frame, in almost all of its record
 *   stale       then true words of a validator's that come too late, as many as a link may send; only by name, and
 *               of a charter with the first of `spread validators`
 *   records     then addresses of nodes that are not, well signed, as many as a link may tell; only by name
 *   clinging    then asks to be a neighbour, as one who has none, reads all and passes nothing on
 * Prints a line of NAME=VALUE words a second: connections open now, and of these by kind; tried; thrown out;
 * handshakes that were done. Until SIGTERM or SIGINT; then status 0. 64: usage. 77: not enough descriptors.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "p2p/channel.h"
#include "proto/frame.h"
#include "proto/statement.h"
#include "src/base/prng.h"

#define COUNT_MAX      20000
#define TURN_MS        20
#define SLOW_MS        1000
#define EVENTS         256
#define FLOOD_STEP     8 /* frames in one turn */
#define OLD_WORDS      8192
#define OLD_WORD_BYTES 512

enum kind {
    SILENT,
    HALF,
    SLOW,
    GARBAGE,
    SPOILT,
    KEYED,
    MUTE,
    FLOOD,
    HUNGRY,
    SKETCHES,
    FRAGMENTS,
    HALFFRAME,
    CLINGING,
    STALE,
    RECORDS,
    KINDS
};
static const char *const kind_names[KINDS] = {"silent",    "half",      "slow",     "garbage", "spoilt",
                                              "keyed",     "mute",      "flood",    "hungry",  "sketches",
                                              "fragments", "halfframe", "clinging", "stale",     "records"};
/* Of twenty connections so many are of a kind. */
static const unsigned usual[KINDS] = {4, 3, 2, 2, 1, 0, 1, 1, 1, 2, 1, 1, 1};

enum state { RESTING, CONNECTING, OPEN };

struct foe {
    int fd; /* -1 while RESTING */
    enum kind kind;
    enum state state;
    size_t number;
    uint64_t next_ms; /* RESTING: of the next try; SLOW: of the next byte */
    struct era_channel_config config;
    struct era_channel channel;
    struct era_key node;
    bool shaken, done_talking;
    uint64_t round;
    unsigned step;
    uint8_t *out; /* what the socket did not take yet */
    size_t out_len, out_at;
};

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static union address there, first_address;
static size_t address_count, address_bits; /* so many, that differ in their first so many bits */
static struct era_hash network;
static struct foe *foes;
static size_t foe_count;
static uint64_t pause_ms, now_ms;
static int poller;
static struct era_prng dice;
static uint8_t frame_room[ERA_FRAME_BYTES_MAX];
static struct {
    uint64_t tried, thrown_out, shaken;
    size_t open, open_by[KINDS];
} sums;
static volatile sig_atomic_t ended;

static void on_end(int number)
{
    (void)number;
    ended = 1;
}

static uint64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- one connection ---- */

static void foe_rest(struct foe *f)
{
    if (f->state == OPEN) {
        sums.open--;
        sums.open_by[f->kind]--;
    }
    if (f->fd >= 0)
        close(f->fd);
    era_channel_clear(&f->channel);
    free(f->out);
    f->out = NULL;
    f->out_len = f->out_at = 0;
    f->fd = -1;
    f->state = RESTING;
    f->next_ms = now_ms + pause_ms / 2 + era_prng_below(&dice, pause_ms + 1);
}

static void foe_thrown_out(struct foe *f)
{
    sums.thrown_out++;
    foe_rest(f);
}

static void watch(struct foe *f, uint32_t what)
{
    struct epoll_event e = {.events = what, .data.ptr = f};
    epoll_ctl(poller, EPOLL_CTL_MOD, f->fd, &e);
}

static bool reads(const struct foe *f)
{
    return !f->shaken || f->kind == SPOILT || f->kind == SKETCHES || f->kind == CLINGING;
}

/* Whatever the socket takes now. False: thrown out. */
static bool foe_flush(struct foe *f)
{
    while (f->out_at < f->out_len) {
        ssize_t n = send(f->fd, f->out + f->out_at, f->out_len - f->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (n <= 0) {
            foe_thrown_out(f);
            return false;
        }
        f->out_at += (size_t)n;
    }
    if (f->out_at == f->out_len) {
        free(f->out);
        f->out = NULL;
        f->out_len = f->out_at = 0;
    }
    /* The other end's hanging up is always told. */
    watch(f, (reads(f) ? EPOLLIN : 0) | (f->out != NULL ? EPOLLOUT : 0) | EPOLLRDHUP);
    return true;
}

static bool foe_put(struct foe *f, const void *bytes, size_t len)
{
    f->out = realloc(f->out, f->out_len + len);
    if (f->out == NULL)
        abort();
    memcpy(f->out + f->out_len, bytes, len);
    f->out_len += len;
    return foe_flush(f);
}

/* Bytes of frames, in records. */
static bool foe_seal(struct foe *f, const void *bytes, size_t len)
{
    static uint8_t record[ERA_CHANNEL_PLAIN_MAX + ERA_CHANNEL_RECORD_EXTRA];
    const uint8_t *at = bytes;
    for (size_t step; len > 0; at += step, len -= step) {
        step = len < ERA_CHANNEL_PLAIN_MAX ? len : ERA_CHANNEL_PLAIN_MAX;
        memcpy(record + ERA_CHANNEL_RECORD_HEADER, at, step);
        if (!foe_put(f, record, era_channel_seal(&f->channel, record, step)))
            return false;
    }
    return true;
}

static bool foe_frame(struct foe *f, const struct era_frame_builder *b)
{
    uint8_t whole[ERA_CHANNEL_FRAME_HEADER + ERA_FRAME_BYTES_MAX];
    struct era_bytes body = era_frame_bytes(b);
    era_put_be32(whole, (uint32_t)body.len);
    memcpy(whole + ERA_CHANNEL_FRAME_HEADER, body.data, body.len);
    return foe_seal(f, whole, ERA_CHANNEL_FRAME_HEADER + body.len);
}

/* ---- what they do once they proved a key ---- */

static bool say_hello(struct foe *f)
{
    struct era_frame_builder b;
    struct era_frame_hello hello = {.protocol_min = ERA_PROTOCOL_MIN,
                                    .protocol_max = ERA_PROTOCOL_MAX,
                                    .network = network,
                                    .node = f->node};
    era_text_set(hello.agent, sizeof hello.agent, "siege");
    era_frame_begin(&b, frame_room);
    return era_frame_add_hello(&b, &hello) && foe_frame(f, &b);
}

static bool say_digest(struct foe *f, uint64_t count, uint32_t cells)
{
    uint8_t print[ERA_SYNC_PRINT_BYTES], estimate[ERA_SYNC_ESTIMATE_BYTES];
    struct era_frame_builder b;
    randombytes_buf(print, sizeof print);
    randombytes_buf(estimate, sizeof estimate);
    f->round += 2; /* who dials has the even ones */
    struct era_frame_digest digest = {.set = 1,
                                      .round = f->round,
                                      .count = count,
                                      .print = {print, sizeof print},
                                      .estimate = {estimate, sizeof estimate},
                                      .alone = true};
    struct era_frame_ask ask = {.set = 1, .round = f->round, .cells = cells};
    era_frame_begin(&b, frame_room);
    return era_frame_add_digest(&b, &digest) && (cells == 0 || era_frame_add_ask(&b, &ask)) &&
           foe_frame(f, &b);
}

static bool flood(struct foe *f)
{
    static uint8_t ids[ERA_SYNC_IDS_PER_FRAME_MAX * ERA_FRAME_SHORT_BYTES];
    for (unsigned i = 0; i < FLOOD_STEP && f->out == NULL; i++) {
        struct era_frame_builder b;
        struct era_frame_ask ask = {.set = 1, .round = f->round, .ids = {ids, sizeof ids}};
        if (f->step++ % 8 == 0) {
            if (!say_digest(f, 100000, ERA_SYNC_CELLS_MAX / 2))
                return false;
            continue;
        }
        randombytes_buf(ids, sizeof ids);
        era_frame_begin(&b, frame_room);
        if (!era_frame_add_ask(&b, &ask) || !foe_frame(f, &b))
            return false;
    }
    return true;
}

static bool fragments(struct foe *f)
{
    static uint8_t part[ERA_FRAGMENT_BYTES_MAX];
    for (uint32_t at = 0; at + sizeof part < ERA_STATEMENT_BYTES_MAX; at += sizeof part) {
        struct era_frame_builder b;
        struct era_frame_fragment fragment = {ERA_STATEMENT_BYTES_MAX, at, {part, sizeof part}};
        era_frame_begin(&b, frame_room);
        if (!era_frame_add_fragment(&b, &fragment) || !foe_frame(f, &b))
            return false;
    }
    return true;
}

/* A frame that wants a few bytes more, and a record that wants one. */
static bool half_frame(struct foe *f)
{
    static uint8_t plain[ERA_CHANNEL_PLAIN_MAX], record[ERA_NOISE_MESSAGE_MAX + ERA_CHANNEL_RECORD_HEADER];
    era_put_be32(plain, ERA_FRAME_BYTES_MAX);
    if (!foe_seal(f, plain, ERA_CHANNEL_PLAIN_MAX))
        return false;
    record[0] = record[1] = 0xff;
    return foe_put(f, record, sizeof record - 1);
}

static bool cling(struct foe *f)
{
    struct era_frame_builder b;
    era_frame_begin(&b, frame_room);
    return era_frame_add_neighbour(&b, ERA_NEIGHBOUR_ASK_ALONE) && foe_frame(f, &b);
}

/* Announcements of epoch 1, signed as tests/bench/spread.c signs: each is another. */
static struct era_bytes old_word(size_t number)
{
    static struct era_statement s = {.kind = ERA_KIND_ANNOUNCEMENT};
    static struct {
        uint8_t bytes[OLD_WORD_BYTES];
        size_t len;
    } words[OLD_WORDS];
    static uint8_t payload[ERA_LOOSE_BYTES_MAX];
    uint8_t seed[crypto_sign_SEEDBYTES] = "spread", secret[ERA_SECRET_BYTES];
    struct era_envelope e = {.kind = s.kind};
    char *software = s.u.announcement.versions.v[ERA_VERSION_SOFTWARE];
    size_t at = number % OLD_WORDS, validator = 1;
    if (words[at].len == 0) {
        memcpy(seed + 8, &validator, sizeof validator);
        s.u.announcement.epoch = 1;
        snprintf(software, ERA_VERSION_BYTES_MAX, "1.0.0+%zu", at);
        crypto_sign_seed_keypair(e.key.b, secret, seed);
        e.payload = (struct era_bytes){payload, era_statement_encode(&s, payload, sizeof payload)};
        struct era_hash id = era_statement_id(&network, s.kind, e.payload);
        crypto_sign_detached(e.signature.b, NULL, id.b, sizeof id.b, secret);
        words[at].len = era_envelope_encode(&e, words[at].bytes, sizeof words[at].bytes);
    }
    return (struct era_bytes){words[at].bytes, words[at].len};
}

static bool stale(struct foe *f)
{
    struct era_frame_builder b;
    size_t count = 0;
    era_frame_begin(&b, frame_room);
    while (era_frame_add_statement(&b, old_word(f->number + f->step)))
        count++, f->step++;
    f->next_ms = now_ms + 1000 * count / ERA_BUDGET_STATEMENTS_PER_S + TURN_MS;
    return foe_frame(f, &b);
}

/* Of a node that was never there. */
static const struct era_peer_record *invented_record(size_t number)
{
    static struct era_peer_record records[OLD_WORDS];
    struct era_peer_record *r = &records[number % OLD_WORDS];
    uint8_t secret[ERA_SECRET_BYTES];
    if (r->made_ms > 0)
        return r;
    crypto_sign_keypair(r->node.b, secret);
    r->place = (struct era_place){.len = 4, .port = 7711};
    randombytes_buf(r->place.ip, 4);
    r->place.ip[0] = 93;
    r->made_ms = (uint64_t)time(NULL) * 1000;
    struct era_hash digest = era_peer_record_digest(&network, r);
    crypto_sign_detached(r->signature.b, NULL, digest.b, sizeof digest.b, secret);
    return r;
}

static bool tell_records(struct foe *f)
{
    struct era_frame_builder b;
    struct era_peer_shuffle shuffle = {.count = ERA_OVERLAY_SHUFFLE_MAX};
    for (size_t i = 0; i < shuffle.count; i++)
        shuffle.records[i] = *invented_record(f->number + f->step++);
    f->next_ms = now_ms + 1000 / ERA_BUDGET_PEERS_PER_S;
    era_frame_begin(&b, frame_room);
    return era_frame_add_shuffle(&b, &shuffle) && foe_frame(f, &b);
}

static bool spoil(struct foe *f)
{
    uint8_t record[102] = {0, 100};
    randombytes_buf(record + 2, 100);
    return foe_put(f, record, sizeof record);
}

/* The handshake is done: the hello, and what follows at once. */
static bool begin_to_talk(struct foe *f)
{
    sums.shaken++;
    f->shaken = true;
    if (f->kind == SPOILT)
        return spoil(f);
    if (f->kind == KEYED)
        return foe_flush(f);
    if (!say_hello(f))
        return false;
    switch (f->kind) {
    case FLOOD:
        return flood(f);
    case HUNGRY:
        return say_digest(f, 0, 0);
    case FRAGMENTS:
        return fragments(f);
    case HALFFRAME:
        return half_frame(f);
    case CLINGING:
        return cling(f);
    default:
        return true;
    }
}

/* A round of the daemon's: cells of nothing, as many as it asks for. */
static bool answer_with_nonsense(struct foe *f, uint32_t set, uint64_t round, uint32_t count)
{
    static uint8_t cells[ERA_SYNC_CELLS_PER_FRAME_MAX * ERA_SYNC_CELL_BYTES];
    while (count > 0) {
        uint32_t some = count < ERA_SYNC_CELLS_PER_FRAME_MAX ? count : ERA_SYNC_CELLS_PER_FRAME_MAX;
        struct era_frame_builder b;
        count -= some;
        struct era_frame_cells answer = {.set = set,
                                         .round = round,
                                         .word = ERA_WORD_CELLS,
                                         .cells = {cells, (size_t)some * ERA_SYNC_CELL_BYTES},
                                         .more = count > 0};
        randombytes_buf(cells, answer.cells.len);
        era_frame_begin(&b, frame_room);
        if (!era_frame_add_cells(&b, &answer) || !foe_frame(f, &b))
            return false;
    }
    return true;
}

static bool hear(struct foe *f, struct era_bytes body)
{
    struct era_frame frame;
    struct era_frame_part part;
    if (f->kind != SKETCHES || era_frame_decode(body, &frame) != ERA_ACCEPTED)
        return true;
    struct era_frame_cursor cursor = era_frame_first(&frame);
    while (era_frame_next(&cursor, &part)) {
        bool alive = true;
        if (part.kind == ERA_FRAME_DIGEST)
            alive = answer_with_nonsense(f, part.u.digest.set, part.u.digest.round, 2000);
        else if (part.kind == ERA_FRAME_ASK && part.u.ask.cells > 0)
            alive = answer_with_nonsense(f, part.u.ask.set, part.u.ask.round, part.u.ask.cells);
        if (!alive)
            return false;
    }
    return true;
}

/* ---- the stream ---- */

static bool shake(struct foe *f)
{
    uint8_t answer[ERA_CHANNEL_EARLY_BYTES];
    size_t len = era_channel_take(&f->channel, answer);
    if (len > 0 && !foe_put(f, answer, len))
        return false;
    if (f->channel.state == ERA_CHANNEL_OPEN && !f->shaken && f->kind > GARBAGE)
        return begin_to_talk(f);
    return true;
}

static bool foe_read(struct foe *f)
{
    for (;;) {
        uint8_t sink[4096];
        size_t room = sizeof sink;
        bool deaf = f->kind <= GARBAGE || !reads(f);
        uint8_t *to = deaf ? sink : era_channel_room(&f->channel, &room);
        ssize_t n = recv(f->fd, to, room, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (n <= 0) {
            foe_thrown_out(f);
            return false;
        }
        if (deaf)
            continue;
        era_channel_came(&f->channel, (size_t)n);
        struct era_bytes body;
        if (!shake(f))
            return false;
        while (era_channel_next(&f->channel, &body))
            if (!hear(f, body))
                return false;
        if (!reads(f))
            return true;
    }
}

static void foe_connected(struct foe *f)
{
    uint8_t first[ERA_CHANNEL_EARLY_BYTES];
    size_t len = era_channel_take(&f->channel, first);
    f->state = OPEN;
    sums.open++;
    sums.open_by[f->kind]++;
    watch(f, EPOLLIN | EPOLLRDHUP);
    if (f->kind == HALF) {
        foe_put(f, first, f->number % 2 ? len : ERA_CHANNEL_PREAMBLE_BYTES);
    } else if (f->kind == SLOW) {
        f->next_ms = now_ms;
    } else if (f->kind == GARBAGE) {
        randombytes_buf(frame_room, 4096);
        foe_put(f, frame_room, 4096);
    } else if (f->kind != SILENT) {
        foe_put(f, first, len);
    }
}

static socklen_t address_len(const union address *a)
{
    return a->any.sa_family == AF_INET ? sizeof a->v4 : sizeof a->v6;
}

/* The i-th after the first. */
static union address address_at(size_t i)
{
    union address at = first_address;
    bool is_v4 = at.any.sa_family == AF_INET;
    uint8_t *ip = is_v4 ? (uint8_t *)&at.v4.sin_addr : at.v6.sin6_addr.s6_addr;
    uint64_t carry = (uint64_t)i << (7 - (address_bits - 1) % 8);
    for (size_t byte = (address_bits - 1) / 8 + 1; byte-- > 0; carry >>= 8) {
        carry += ip[byte];
        ip[byte] = (uint8_t)carry;
    }
    return at;
}

static void foe_try(struct foe *f)
{
    uint8_t seed[crypto_sign_SEEDBYTES], secret[ERA_SECRET_BYTES], ephemeral[ERA_NOISE_KEY_BYTES];
    union address from = address_at(f->number % address_count);
    struct epoll_event e = {.events = EPOLLOUT, .data.ptr = f};
    int yes = 1;
    sums.tried++;
    f->shaken = false;
    f->round = f->step = 0;
    f->config = (struct era_channel_config){
        .network = network, .protocol_min = ERA_PROTOCOL_MIN, .protocol_max = ERA_PROTOCOL_MAX};
    if (f->kind == STALE || f->kind == RECORDS)
        f->step = (unsigned)f->number * 200;
    if (f->kind > GARBAGE) {
        randombytes_buf(seed, sizeof seed);
        crypto_sign_seed_keypair(f->node.b, secret, seed);
        era_noise_keypair_of_node(&f->config.mine, secret);
    }
    randombytes_buf(ephemeral, sizeof ephemeral);
    era_channel_init(&f->channel, &f->config, true, ephemeral);
    f->fd = socket(there.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (f->fd < 0) {
        foe_rest(f);
        return;
    }
    f->state = CONNECTING;
    setsockopt(f->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (from.any.sa_family == AF_INET6) /* a whole prefix is ours, without an address of it anywhere */
        setsockopt(f->fd, IPPROTO_IPV6, IPV6_FREEBIND, &yes, sizeof yes);
    setsockopt(f->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    epoll_ctl(poller, EPOLL_CTL_ADD, f->fd, &e);
    if (bind(f->fd, &from.any, address_len(&from)) != 0 ||
        (connect(f->fd, &there.any, address_len(&there)) != 0 && errno != EINPROGRESS))
        foe_rest(f);
}

static void foe_event(struct foe *f, uint32_t what)
{
    if (f->state == CONNECTING) {
        if (what & (EPOLLERR | EPOLLHUP))
            foe_thrown_out(f);
        else if (what & EPOLLOUT)
            foe_connected(f);
        return;
    }
    if ((what & EPOLLIN) && !foe_read(f))
        return;
    if (what & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) {
        foe_thrown_out(f);
        return;
    }
    if ((what & EPOLLOUT) && !foe_flush(f))
        return;
}

/* What is due by the clock. */
static void foe_turn(struct foe *f)
{
    if (f->state == RESTING && now_ms >= f->next_ms) {
        foe_try(f);
    } else if (f->state == OPEN && f->kind == SLOW && now_ms >= f->next_ms) {
        f->next_ms = now_ms + SLOW_MS;
        if (f->step < ERA_CHANNEL_PREAMBLE_BYTES) {
            uint8_t byte = f->channel.preambles[0][f->step++];
            foe_put(f, &byte, 1);
        }
    } else if (f->state == OPEN && f->kind == FLOOD && f->shaken && f->out == NULL) {
        flood(f);
    } else if (f->state == OPEN && f->kind == STALE && f->shaken && f->out == NULL && now_ms >= f->next_ms) {
        stale(f);
    } else if (f->state == OPEN && f->kind == RECORDS && f->shaken && f->out == NULL && now_ms >= f->next_ms) {
        tell_records(f);
    }
}

static void tell(void)
{
    printf("open=%zu tried=%" PRIu64 " thrown_out=%" PRIu64 " shaken=%" PRIu64, sums.open, sums.tried,
           sums.thrown_out, sums.shaken);
    for (size_t k = 0; k < KINDS; k++)
        printf(" %s=%zu", kind_names[k], sums.open_by[k]);
    putchar('\n');
}

static void besiege(void)
{
    struct epoll_event events[EVENTS];
    uint64_t turn_ms = 0, told_ms = clock_ms();
    while (!ended) {
        int n = epoll_wait(poller, events, EVENTS, TURN_MS);
        now_ms = clock_ms();
        for (int i = 0; i < n; i++)
            foe_event(events[i].data.ptr, events[i].events);
        if (now_ms - turn_ms >= TURN_MS) {
            turn_ms = now_ms;
            for (size_t i = 0; i < foe_count; i++)
                foe_turn(&foes[i]);
        }
        if (now_ms - told_ms >= 1000) {
            told_ms = now_ms;
            tell();
        }
    }
    tell();
}

/* ---- what is asked ---- */

static _Noreturn void usage(void)
{
    fputs("usage: siege HOST PORT NETWORK_HEX COUNT PAUSE_MS FROM[+N[/BITS]] [KIND...]\n", stderr);
    exit(64);
}

static bool read_address(const char *text, union address *out)
{
    *out = (union address){.v6 = {.sin6_family = AF_INET6}};
    if (inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1)
        return true;
    *out = (union address){.v4 = {.sin_family = AF_INET}};
    return inet_pton(AF_INET, text, &out->v4.sin_addr) == 1;
}

static void read_addresses(char *text)
{
    char *plus = strchr(text, '+'), *slash = strchr(text, '/');
    address_count = plus ? (size_t)atoi(plus + 1) : 1;
    if (plus)
        *plus = '\0';
    if (!read_address(text, &first_address) || address_count == 0 ||
        first_address.any.sa_family != there.any.sa_family)
        usage();
    size_t bits_max = first_address.any.sa_family == AF_INET ? 32 : 128;
    address_bits = slash ? (size_t)atoi(slash + 1) : bits_max;
    if (address_bits == 0 || address_bits > bits_max)
        usage();
}

static enum kind kind_named(const char *name)
{
    for (size_t k = 0; k < KINDS; k++)
        if (strcmp(name, kind_names[k]) == 0)
            return (enum kind)k;
    usage();
}

/* Of those named in turn; else of the usual mix. */
static enum kind kind_of(size_t number, int count, char **names)
{
    if (count > 0)
        return kind_named(names[number % (size_t)count]);
    unsigned at = (unsigned)(number % 20);
    size_t k = 0;
    while (at >= usual[k])
        at -= usual[k++];
    return (enum kind)k;
}

static void raise_limit(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < foe_count + 16) {
        fprintf(stderr, "siege: %zu connections need more descriptors than %ju\n", foe_count,
                (uintmax_t)limit.rlim_cur);
        exit(77);
    }
}

int main(int argc, char **argv)
{
    if (argc < 7 || sodium_init() < 0 || !read_address(argv[1], &there) ||
        sodium_hex2bin(network.b, sizeof network.b, argv[3], strlen(argv[3]), NULL, NULL, NULL) != 0)
        usage();
    *(there.any.sa_family == AF_INET ? &there.v4.sin_port : &there.v6.sin6_port) =
        htons((uint16_t)atoi(argv[2]));
    foe_count = (size_t)atoi(argv[4]);
    pause_ms = (uint64_t)atoi(argv[5]);
    if (foe_count == 0 || foe_count > COUNT_MAX)
        usage();
    read_addresses(argv[6]);
    raise_limit();
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGTERM, on_end);
    signal(SIGINT, on_end);
    era_prng_init(&dice, 1);
    poller = epoll_create1(EPOLL_CLOEXEC);
    foes = calloc(foe_count, sizeof *foes);
    if (poller < 0 || foes == NULL)
        return 71;
    now_ms = clock_ms();
    for (size_t i = 0; i < foe_count; i++)
        foes[i] = (struct foe){
            .fd = -1, .kind = kind_of(i, argc - 7, argv + 7), .number = i, .next_ms = now_ms + i / 4};
    besiege();
    for (size_t i = 0; i < foe_count; i++)
        foe_rest(&foes[i]);
    free(foes);
    return 0;
}
