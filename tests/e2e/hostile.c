/* hostile: a client that breaks the rules of a link, one way a call, for
 * hostile.bats. It speaks plain sockets, so that it can also say what no honest
 * driver would. Prints what it did; status 0 when the daemon bore it as
 * expected, 1 when not.
 *
 *   hostile HOST PORT NETWORK_HEX ATTACK [COUNT] */
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

#include "proto/frame.h"
#include "src/base/textkey.h"

#define PATIENCE_MS 12000 /* a daemon answers, or gives a link up, well within */

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

/* False: the other end has closed. */
static bool put(int fd, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    while (len > 0) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        if (poll(&p, 1, PATIENCE_MS) != 1)
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

static bool put_length(int fd, uint32_t len)
{
    uint8_t bytes[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
    return put(fd, bytes, sizeof bytes);
}

static bool put_frame(int fd, struct era_bytes frame)
{
    return put_length(fd, (uint32_t)frame.len) && put(fd, frame.data, frame.len);
}

static bool put_hello(int fd, const struct era_hash *of)
{
    struct era_frame_builder b;
    struct era_frame_hello hello = {
        .protocol_min = ERA_PROTOCOL_MIN, .protocol_max = ERA_PROTOCOL_MAX, .network = *of};
    randombytes_buf(hello.node.b, sizeof hello.node.b);
    era_text_set(hello.agent, sizeof hello.agent, "hostile");
    era_frame_begin(&b, room);
    return era_frame_add_hello(&b, &hello) && put_frame(fd, era_frame_bytes(&b));
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

/* ---- attacks ---- */

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

/* A byte now and then: activity is no excuse, a hello is due in time. */
static int slow(int count)
{
    (void)count;
    int fd = connected();
    uint8_t start[4] = {0, 0, 1, 0}, sink[4096];
    bool closed = !put(fd, start, sizeof start);
    for (int i = 0; i < PATIENCE_MS / 200 && !closed; i++) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        closed = !put(fd, "x", 1);
        if (poll(&p, 1, 200) == 1)
            closed = recv(fd, sink, sizeof sink, 0) <= 0;
        else
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    close(fd);
    printf("slow: %s\n", closed ? "closed" : "still open");
    return closed ? 0 : 1;
}

static int garbage(int count)
{
    int bad = 0;
    for (int i = 0; i < count; i++) {
        int fd = connected();
        randombytes_buf(room, 4096);
        put(fd, room, 4096);
        bad += expect_closed(fd, "garbage");
    }
    return bad;
}

static int lengths(int count)
{
    static const uint32_t bad[] = {0, ERA_FRAME_BYTES_MAX + 1, (uint32_t)1 << 31, UINT32_MAX};
    int wrong = 0;
    for (int i = 0; i < count; i++) {
        int fd = connected();
        put_length(fd, bad[i % 4]);
        wrong += expect_closed(fd, "length");
        fd = connected(); /* and after a hello */
        put_hello(fd, &network);
        put_length(fd, bad[i % 4]);
        wrong += expect_closed(fd, "length after hello");
    }
    return wrong;
}

static int wrong_network(int count)
{
    struct era_hash other;
    int wrong = 0;
    randombytes_buf(other.b, sizeof other.b);
    for (int i = 0; i < count; i++) {
        int fd = connected();
        put_hello(fd, &other);
        wrong += expect_closed(fd, "wrong network");
    }
    return wrong;
}

/* Frames that do not decode, after a good hello. */
static int malformed(int count)
{
    int fd = connected();
    bool open = put_hello(fd, &network);
    for (int i = 0; i < count && open; i++) {
        randombytes_buf(room, 200);
        open = put_frame(fd, (struct era_bytes){room, 200});
    }
    return expect_closed(fd, "malformed");
}

/* Statements of nobody: bytes that are an envelope's shape at best. */
static int statements(int count)
{
    struct era_frame_builder b;
    uint8_t junk[300];
    int fd = connected();
    bool open = put_hello(fd, &network);
    for (int i = 0; i < count && open; i++) {
        era_frame_begin(&b, room);
        do
            randombytes_buf(junk, sizeof junk);
        while (era_frame_add_statement(&b, (struct era_bytes){junk, sizeof junk}));
        open = put_frame(fd, era_frame_bytes(&b));
    }
    return expect_closed(fd, "statements");
}

/* As many ids as a frame takes, of things that nobody has; nothing is read back. */
static int wants(int count)
{
    static uint8_t ids[ERA_SYNC_IDS_PER_FRAME_MAX * ERA_HASH_BYTES];
    struct era_frame_builder b;
    int fd = connected();
    bool open = put_hello(fd, &network);
    for (int i = 0; i < count && open; i++) {
        randombytes_buf(ids, sizeof ids);
        era_frame_begin(&b, room);
        era_frame_add_want(&b, 1, (struct era_bytes){ids, sizeof ids});
        open = put_frame(fd, era_frame_bytes(&b));
    }
    printf("wants: %s\n", open ? "all taken" : "closed early");
    close(fd);
    return 0;
}

/* Lists of things it claims to have, which the daemon will want, and an answer asked for each time. */
static int haves(int count)
{
    static uint8_t ids[1700 * ERA_HASH_BYTES];
    struct era_frame_builder b;
    int fd = connected();
    bool open = put_hello(fd, &network);
    for (int i = 0; i < count && open; i++) {
        for (size_t k = 0; k < 1700; k++) { /* ascending, of one bucket */
            uint8_t *id = ids + k * ERA_HASH_BYTES;
            randombytes_buf(id, ERA_HASH_BYTES);
            id[0] = (uint8_t)i;
            id[1] = (uint8_t)(k >> 8);
            id[2] = (uint8_t)k;
        }
        struct era_frame_bucket bucket = {(uint8_t)i, {ids, sizeof ids}};
        era_frame_begin(&b, room);
        era_frame_add_have(&b, 1, (uint64_t)i, true, &bucket, 1);
        open = put_frame(fd, era_frame_bytes(&b));
    }
    printf("haves: %s\n", open ? "all taken" : "closed early");
    close(fd);
    return 0;
}

/* Half of a large statement a time, never the rest. */
static int fragments(int count)
{
    static uint8_t part[ERA_FRAGMENT_BYTES_MAX];
    struct era_frame_builder b;
    int fd = connected();
    bool open = put_hello(fd, &network);
    for (int i = 0; i < count && open; i++) {
        uint32_t offset = (uint32_t)(i % 8) * sizeof part;
        struct era_frame_fragment f = {ERA_STATEMENT_BYTES_MAX, offset, {part, sizeof part}};
        era_frame_begin(&b, room);
        era_frame_add_fragment(&b, &f);
        open = put_frame(fd, era_frame_bytes(&b));
    }
    printf("fragments: %s\n", open ? "all taken" : "closed early");
    close(fd);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int count);
    } attacks[] = {{"half-open", half_open}, {"slow", slow},           {"garbage", garbage},
                   {"lengths", lengths},     {"wrong-network", wrong_network}, {"malformed", malformed},
                   {"statements", statements}, {"wants", wants},       {"haves", haves},
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
