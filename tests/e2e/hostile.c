/* hostile: a client that breaks the rules of a link, one way a call, for
 * hostile.bats. It speaks the channel over plain sockets, so that it can depart
 * from it anywhere. Prints what it did; status 0 when the daemon bore it as
 * expected, 1 when not.
 *
 *   hostile HOST PORT NETWORK_HEX ATTACK [COUNT]
 *
 * HOSTILE_WAITS in the environment: once it has greeted it waits for the end of standard input. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "p2p/noise.h"
#include "proto/frame.h"
#include "src/base/textkey.h"
#include "tests/p2p/rawlink.h"

#define PATIENCE_MS 40000 /* a daemon answers, or gives a link up, well within */

static struct sockaddr_in there;
static struct era_hash network;
static uint8_t room[ERA_FRAME_BYTES_MAX];

static int give_up(const char *what)
{
    fprintf(stderr, "hostile: %s: %s\n", what, strerror(errno));
    return 1;
}

static int connected(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&there, sizeof there) != 0)
        exit(give_up("connect"));
    return fd;
}

/* ---- an honest beginning ---- */

struct peer {
    struct rawlink r;
    struct era_key node; /* the key that the handshake proves */
};

static void begin(struct peer *p, const struct era_channel_config *as)
{
    uint8_t seed[crypto_sign_SEEDBYTES], secret[ERA_SECRET_BYTES];
    struct era_channel_config config = *as;
    randombytes_buf(seed, sizeof seed);
    crypto_sign_seed_keypair(p->node.b, secret, seed);
    era_noise_keypair_of_node(&config.mine, secret);
    rawlink_begin(&p->r, connected(), &config);
}

/* A handshake well done. */
static void shake(struct peer *p)
{
    struct era_channel_config config = rawlink_config(&network);
    begin(p, &config);
    if (!rawlink_shake(&p->r, PATIENCE_MS))
        exit(give_up("handshake"));
}

static bool put_length(struct peer *p, uint32_t len)
{
    uint8_t bytes[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
    return rawlink_put(&p->r, bytes, sizeof bytes, PATIENCE_MS);
}

static bool put_frame(struct peer *p, struct era_bytes frame)
{
    return put_length(p, (uint32_t)frame.len) && rawlink_put(&p->r, frame.data, frame.len, PATIENCE_MS);
}

static struct era_frame_hello hello_of(const struct peer *p, const struct era_hash *of)
{
    struct era_frame_hello hello = {
        .protocol_min = ERA_PROTOCOL_MIN, .protocol_max = ERA_PROTOCOL_MAX, .network = *of, .node = p->node};
    era_text_set(hello.agent, sizeof hello.agent, "hostile");
    return hello;
}

static bool put_hello(struct peer *p, const struct era_hash *of)
{
    struct era_frame_builder b;
    struct era_frame_hello hello = hello_of(p, of);
    era_frame_begin(&b, room);
    return era_frame_add_hello(&b, &hello) && put_frame(p, era_frame_bytes(&b));
}

/* Handshake and hello. False: the other end has closed. With HOSTILE_WAITS set it goes on when standard input
 * ends: whoever sends all and closes at once takes his hello back with what was not read. */
static bool join(struct peer *p)
{
    char none;
    shake(p);
    bool open = put_hello(p, &network);
    while (getenv("HOSTILE_WAITS") && read(STDIN_FILENO, &none, 1) > 0)
        ;
    return open;
}

/* Reads until the other end closes. False: it did not. */
static bool closes(int fd)
{
    uint8_t sink[65536];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (poll(&p, 1, PATIENCE_MS) == 1)
        if (recv(fd, sink, sizeof sink, 0) <= 0)
            return true;
    return false;
}

static int expect_closed(int fd, const char *what)
{
    bool closed = closes(fd);
    close(fd);
    printf("%s: %s\n", what, closed ? "closed" : "still open");
    return closed ? 0 : 1;
}

static int expect_peer_closed(struct peer *p, const char *what)
{
    int wrong = expect_closed(p->r.fd, what);
    era_channel_clear(&p->r.channel);
    return wrong;
}

/* ---- attacks on the handshake ---- */

/* Links that say nothing: turned away at once, or given up at the handshake's deadline. */
static int half_open(int count)
{
    int *fds = calloc((size_t)count, sizeof *fds), open = 0;
    for (int i = 0; i < count; i++)
        fds[i] = connected();
    for (int i = 0; i < count; i++) {
        open += closes(fds[i]) ? 0 : 1;
        close(fds[i]);
    }
    free(fds);
    printf("half-open: %d of %d left open\n", open, count);
    return open == 0 ? 0 : 1;
}

/* A byte of a good handshake now and then: activity is no excuse, it is due in time. */
static int slow(int count)
{
    (void)count;
    int fd = connected();
    struct rawlink r;
    struct era_channel_config config = rawlink_config(&network);
    uint8_t sink[4096];
    rawlink_begin(&r, fd, &config);
    bool closed = false;
    for (int i = 0; i < PATIENCE_MS / 200 && !closed; i++) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        closed = (size_t)i < r.first_len && !rawlink_write(fd, r.first + i, 1, PATIENCE_MS);
        if (poll(&p, 1, 200) == 1)
            closed = recv(fd, sink, sizeof sink, 0) <= 0;
        else
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    close(fd);
    printf("slow: %s\n", closed ? "closed" : "still open");
    return closed ? 0 : 1;
}

/* Preamble and first message, and then nothing: as many keys are made for it as places allow. */
static int half_way(int count)
{
    int *fds = calloc((size_t)count, sizeof *fds), open = 0;
    struct era_channel_config config = rawlink_config(&network);
    for (int i = 0; i < count; i++) {
        struct peer p;
        begin(&p, &config);
        rawlink_write(p.r.fd, p.r.first, i % 2 ? ERA_CHANNEL_PREAMBLE_BYTES : p.r.first_len, PATIENCE_MS);
        fds[i] = p.r.fd;
    }
    for (int i = 0; i < count; i++) {
        open += closes(fds[i]) ? 0 : 1;
        close(fds[i]);
    }
    free(fds);
    printf("half-way: %d of %d left open\n", open, count);
    return open;
}

static int garbage(int count)
{
    int bad = 0;
    for (int i = 0; i < count; i++) {
        int fd = connected();
        randombytes_buf(room, 4096);
        rawlink_write(fd, room, 4096, PATIENCE_MS);
        bad += expect_closed(fd, "garbage");
    }
    return bad;
}

/* Our last message of a handshake before, of this one twice, and the first in its place. */
static int replayed(int count)
{
    int wrong = 0;
    uint8_t last[ERA_CHANNEL_EARLY_BYTES] = {0};
    size_t last_len = 2 + era_noise_message_overhead(2);
    struct era_channel_config config = rawlink_config(&network);
    for (int i = 0; i < count; i++)
        for (int way = 0; way < 3; way++) {
            struct peer p;
            size_t len = 0, have = 0, want = ERA_CHANNEL_PREAMBLE_BYTES + 2 + era_noise_message_overhead(1);
            begin(&p, &config);
            rawlink_write(p.r.fd, p.r.first, p.r.first_len, PATIENCE_MS);
            for (; have < want; have += len) { /* take its answer, as the channel would */
                uint8_t *to = era_channel_room(&p.r.channel, &len);
                ssize_t n = recv(p.r.fd, to, len, 0);
                if (n <= 0)
                    return give_up("handshake");
                era_channel_came(&p.r.channel, len = (size_t)n);
            }
            uint8_t ours[ERA_CHANNEL_EARLY_BYTES];
            era_channel_take(&p.r.channel, ours);
            if (way == 0 && i == 0)
                memcpy(last, ours, last_len), last[5] ^= 1; /* none before: one that is spoilt */
            rawlink_write(p.r.fd,
                          way == 2   ? p.r.first + ERA_CHANNEL_PREAMBLE_BYTES
                          : way == 1 ? ours
                                     : last,
                          way == 2 ? p.r.first_len - ERA_CHANNEL_PREAMBLE_BYTES : last_len, PATIENCE_MS);
            if (way == 1)
                rawlink_write(p.r.fd, ours, last_len, PATIENCE_MS);
            memcpy(last, ours, last_len);
            wrong += expect_peer_closed(&p, "replayed");
        }
    return wrong;
}

static int other_preamble(const struct era_channel_config *config, const char *what, int count)
{
    int wrong = 0;
    for (int i = 0; i < count; i++) {
        struct peer p;
        begin(&p, config);
        if (rawlink_shake(&p.r, PATIENCE_MS))
            wrong++;
        printf("%s: told %s\n", what, era_verdict_code(p.r.channel.verdict));
        wrong += p.r.channel.verdict == ERA_ACCEPTED; /* its preamble says why */
        wrong += expect_peer_closed(&p, what);
    }
    return wrong;
}

static int wrong_network(int count)
{
    struct era_channel_config config = rawlink_config(&network);
    randombytes_buf(config.network.b, sizeof config.network.b);
    return other_preamble(&config, "wrong network", count);
}

static int older_protocol(int count)
{
    struct era_channel_config config = rawlink_config(&network);
    config.protocol_min = config.protocol_max = ERA_PROTOCOL_MIN - 1;
    return other_preamble(&config, "older protocol", count);
}

static int newer_protocol(int count)
{
    struct era_channel_config config = rawlink_config(&network);
    config.protocol_min = config.protocol_max = ERA_PROTOCOL_MAX + 1;
    return other_preamble(&config, "newer protocol", count);
}

/* ---- attacks by who proved a key ---- */

/* Records of nobody's, after a good handshake and a good hello. */
static int late_garbage(int count)
{
    int wrong = 0;
    for (int i = 0; i < count; i++) {
        struct peer p;
        uint8_t record[102] = {0, 100};
        join(&p);
        randombytes_buf(record + 2, 100);
        rawlink_write(p.r.fd, record, sizeof record, PATIENCE_MS);
        wrong += expect_peer_closed(&p, "garbage after a good handshake");
    }
    return wrong;
}

/* The record with its hello, twice. */
static int late_replay(int count)
{
    int wrong = 0;
    for (int i = 0; i < count; i++) {
        struct peer p;
        struct era_frame_builder b;
        uint8_t record[1024];
        shake(&p);
        struct era_frame_hello hello = hello_of(&p, &network);
        era_frame_begin(&b, room);
        era_frame_add_hello(&b, &hello);
        struct era_bytes frame = era_frame_bytes(&b);
        memcpy(record + 512, (uint8_t[]){0, 0, (uint8_t)(frame.len >> 8), (uint8_t)frame.len}, 4);
        memcpy(record + 516, frame.data, frame.len);
        size_t len = rawlink_seal(&p.r, record + 512, 4 + frame.len, record);
        rawlink_write(p.r.fd, record, len, PATIENCE_MS);
        rawlink_write(p.r.fd, record, len, PATIENCE_MS);
        wrong += expect_peer_closed(&p, "replayed record");
    }
    return wrong;
}

static int lengths(int count)
{
    static const uint32_t bad[] = {0, ERA_FRAME_BYTES_MAX + 1, (uint32_t)1 << 31, UINT32_MAX};
    int wrong = 0;
    for (int i = 0; i < count; i++) {
        struct peer p;
        shake(&p);
        put_length(&p, bad[i % 4]);
        wrong += expect_peer_closed(&p, "length");
        join(&p); /* and after a hello */
        put_length(&p, bad[i % 4]);
        wrong += expect_peer_closed(&p, "length after hello");
    }
    return wrong;
}

/* A hello of a network that the preamble did not name; a hello with a key that was not proven. */
static int liars(int count)
{
    struct era_hash other;
    int wrong = 0;
    randombytes_buf(other.b, sizeof other.b);
    for (int i = 0; i < count; i++) {
        struct peer p;
        shake(&p);
        put_hello(&p, &other);
        wrong += expect_peer_closed(&p, "another network's hello");
        shake(&p);
        p.node.b[0] ^= 1;
        put_hello(&p, &network);
        wrong += expect_peer_closed(&p, "another node's key");
    }
    return wrong;
}

/* Frames that do not decode, after a good hello. */
static int malformed(int count)
{
    struct peer p;
    bool open = join(&p);
    for (int i = 0; i < count && open; i++) {
        randombytes_buf(room, 200);
        open = put_frame(&p, (struct era_bytes){room, 200});
    }
    return expect_peer_closed(&p, "malformed");
}

/* Statements of nobody: bytes that are an envelope's shape at best. */
static int statements(int count)
{
    struct era_frame_builder b;
    uint8_t junk[300];
    struct peer p;
    bool open = join(&p);
    for (int i = 0; i < count && open; i++) {
        era_frame_begin(&b, room);
        do
            randombytes_buf(junk, sizeof junk);
        while (era_frame_add_statement(&b, (struct era_bytes){junk, sizeof junk}));
        open = put_frame(&p, era_frame_bytes(&b));
    }
    return expect_peer_closed(&p, "statements");
}

/* As many short ids as a frame takes, of things that nobody has; nothing is read back. */
static int asks(int count)
{
    static uint8_t ids[ERA_SYNC_IDS_PER_FRAME_MAX * ERA_FRAME_SHORT_BYTES];
    struct era_frame_builder b;
    struct peer p;
    bool open = join(&p);
    for (int i = 0; i < count && open; i++) {
        struct era_frame_ask ask = {.set = 1, .round = 2, .ids = {ids, sizeof ids}};
        randombytes_buf(ids, sizeof ids);
        era_frame_begin(&b, room);
        era_frame_add_ask(&b, &ask);
        open = put_frame(&p, era_frame_bytes(&b));
    }
    printf("asks: %s\n", open ? "all taken" : "closed early");
    rawlink_end(&p.r);
    return 0;
}

/* Rounds of a set that it claims to have, and for each as many more cells as a round may have. */
static int digests(int count)
{
    uint8_t print[ERA_SYNC_PRINT_BYTES], estimate[ERA_SYNC_ESTIMATE_BYTES];
    struct era_frame_builder b;
    struct peer p;
    bool open = join(&p);
    for (int i = 1; i <= count && open; i++) {
        uint64_t round = 2 * (uint64_t)i;
        struct era_frame_digest digest = {.set = 1,
                                          .round = round,
                                          .count = 100000,
                                          .print = {print, sizeof print},
                                          .estimate = {estimate, sizeof estimate},
                                          .alone = true};
        struct era_frame_ask ask = {.set = 1, .round = round, .cells = ERA_SYNC_CELLS_MAX / 2};
        randombytes_buf(print, sizeof print);
        randombytes_buf(estimate, sizeof estimate);
        era_frame_begin(&b, room);
        era_frame_add_digest(&b, &digest);
        era_frame_add_ask(&b, &ask);
        open = put_frame(&p, era_frame_bytes(&b));
    }
    printf("digests: %s\n", open ? "all taken" : "closed early");
    rawlink_end(&p.r);
    return 0;
}

/* Half of a large statement a time, never the rest. */
static int fragments(int count)
{
    static uint8_t part[ERA_FRAGMENT_BYTES_MAX];
    struct era_frame_builder b;
    struct peer p;
    bool open = join(&p);
    for (int i = 0; i < count && open; i++) {
        uint32_t offset = (uint32_t)(i % 8) * sizeof part;
        struct era_frame_fragment f = {ERA_STATEMENT_BYTES_MAX, offset, {part, sizeof part}};
        era_frame_begin(&b, room);
        era_frame_add_fragment(&b, &f);
        open = put_frame(&p, era_frame_bytes(&b));
    }
    printf("fragments: %s\n", open ? "all taken" : "closed early");
    rawlink_end(&p.r);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int count);
    } attacks[] = {{"half-open", half_open},
                   {"half-way", half_way},
                   {"slow", slow},
                   {"garbage", garbage},
                   {"replayed", replayed},
                   {"wrong-network", wrong_network},
                   {"older-protocol", older_protocol},
                   {"newer-protocol", newer_protocol},
                   {"late-garbage", late_garbage},
                   {"late-replay", late_replay},
                   {"lengths", lengths},
                   {"liars", liars},
                   {"malformed", malformed},
                   {"statements", statements},
                   {"asks", asks},
                   {"digests", digests},
                   {"fragments", fragments}};
    if (argc < 5 || sodium_init() < 0 || inet_pton(AF_INET, argv[1], &there.sin_addr) != 1 ||
        sodium_hex2bin(network.b, sizeof network.b, argv[3], strlen(argv[3]), NULL, NULL, NULL) != 0) {
        fprintf(stderr, "usage: hostile HOST PORT NETWORK_HEX ATTACK [COUNT]\n");
        return 64;
    }
    there.sin_family = AF_INET;
    there.sin_port = htons((uint16_t)atoi(argv[2]));
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++)
        if (strcmp(attacks[i].name, argv[4]) == 0)
            return attacks[i].run(argc > 5 ? atoi(argv[5]) : 1) == 0 ? 0 : 1;
    fprintf(stderr, "hostile: no attack is called %s\n", argv[4]);
    return 64;
}
