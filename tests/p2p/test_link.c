/* link_nng on real sockets: loopback and a directory of its own. Waiting is on
 * the driver's fd, with a deadline; nothing sleeps. */
#include "p2p/link_nng.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE_MS 10000

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The next event; the test fails when none comes in time. */
static struct era_link_event next(struct era_link_driver *d)
{
    struct era_link_event e;
    int64_t end = now_ms() + DEADLINE_MS;
    while (!era_link_driver_poll(d, &e)) {
        struct pollfd p = {.fd = era_link_driver_fd(d), .events = POLLIN};
        int64_t rest = end - now_ms();
        cr_assert(rest > 0 && poll(&p, 1, (int)rest) == 1, "no event in time");
    }
    return e;
}

/* The next event of that kind; any other is passed over. */
static struct era_link_event await(struct era_link_driver *d, enum era_link_event_kind kind)
{
    struct era_link_event e = next(d);
    while (e.kind != kind)
        e = next(d);
    return e;
}

struct pair {
    struct era_link_driver *a, *b; /* a dialled b */
    uint64_t a_link, b_link;
    char address[ERA_ADDRESS_BYTES_MAX + 1];
};

static struct pair given_pair(const char *address)
{
    struct pair p = {.a = era_link_driver_new(8), .b = era_link_driver_new(8)};
    cr_assert(p.a != NULL && p.b != NULL);
    cr_assert_eq(era_link_driver_listen(p.b, address, p.address), 0);
    cr_assert_eq(era_link_driver_dial(p.a, p.address), 0);
    struct era_link_event up = next(p.a);
    cr_assert_eq(up.kind, ERA_LINK_UP);
    cr_assert(up.outgoing);
    cr_assert_str_eq(up.address, p.address);
    p.a_link = up.link;
    up = next(p.b);
    cr_assert_eq(up.kind, ERA_LINK_UP);
    cr_assert(!up.outgoing);
    p.b_link = up.link;
    return p;
}

static void release(struct pair *p)
{
    era_link_driver_free(p->a);
    era_link_driver_free(p->b);
}

/* A plain TCP client of address, for what no honest driver would send. */
static int given_raw_client(const char *address)
{
    unsigned port;
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    cr_assert_eq(sscanf(address, "tcp://127.0.0.1:%u", &port), 1);
    sin.sin_port = htons((uint16_t)port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
    return fd;
}

static size_t frame_len(uint32_t i)
{
    return i % 97 == 0 ? ERA_FRAME_BYTES_MAX - i % 5 : 1 + i * 7919 % 3000;
}

static struct era_bytes frame_of(uint32_t i, uint8_t *buffer)
{
    size_t len = frame_len(i);
    memset(buffer, (int)(i & 0xFF), len);
    if (len >= 4)
        era_put_be32(buffer, i);
    return (struct era_bytes){buffer, len};
}

static void assert_is_frame(struct era_bytes got, uint32_t i)
{
    static uint8_t buffer[ERA_FRAME_BYTES_MAX];
    struct era_bytes want = frame_of(i, buffer);
    cr_assert_eq(got.len, want.len, "frame %u", i);
    cr_assert_eq(memcmp(got.data, want.data, want.len), 0, "frame %u", i);
}

/* a sends count frames to b, never more than a window ahead of SENT. */
static void exchange(struct pair *p, uint32_t count)
{
    static uint8_t buffer[ERA_FRAME_BYTES_MAX];
    size_t queued = 0, sent_sum = 0, want_sum = 0;
    uint32_t sent = 0, received = 0;
    struct pollfd fds[2] = {{.fd = era_link_driver_fd(p->a), .events = POLLIN},
                            {.fd = era_link_driver_fd(p->b), .events = POLLIN}};
    struct era_link_event e;
    while (received < count || queued > 0) {
        for (; sent < count && queued < ERA_LINK_OUT_BYTES_MAX / 4; sent++) {
            era_link_driver_send(p->a, p->a_link, frame_of(sent, buffer));
            queued += frame_len(sent);
            want_sum += frame_len(sent);
        }
        cr_assert_gt(poll(fds, 2, DEADLINE_MS), 0, "stuck at frame %u", received);
        while (era_link_driver_poll(p->a, &e)) {
            cr_assert_eq(e.kind, ERA_LINK_SENT);
            cr_assert_eq(e.link, p->a_link);
            queued -= e.sent;
            sent_sum += e.sent;
        }
        while (era_link_driver_poll(p->b, &e)) {
            cr_assert_eq(e.kind, ERA_LINK_FRAME);
            cr_assert_eq(e.link, p->b_link);
            assert_is_frame(e.bytes, received++);
        }
    }
    cr_assert_eq(sent_sum, want_sum);
}

Test(link, ten_thousand_frames_arrive_whole_and_in_order_over_tcp)
{
    struct pair p = given_pair("tcp://127.0.0.1:0");
    exchange(&p, 10000);
    release(&p);
}

Test(link, frames_arrive_whole_and_in_order_over_ipc)
{
    char dir[] = "/tmp/erad-link.XXXXXX", path[40], address[64];
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/gossip.sock", dir);
    snprintf(address, sizeof(address), "ipc://%s", path);

    struct pair p = given_pair(address);
    exchange(&p, 2000);
    release(&p);

    cr_assert_eq(access(path, F_OK), -1);
    cr_assert_eq(rmdir(dir), 0);
}

Test(link, a_listener_on_port_0_tells_its_real_address)
{
    struct pair p = given_pair("tcp://127.0.0.1:0");
    cr_assert_eq(strncmp(p.address, "tcp://127.0.0.1:", 16), 0);
    cr_assert_neq(atoi(p.address + 16), 0);
    release(&p);
}

Test(link, an_accepted_link_tells_the_peers_address)
{
    struct era_link_driver *d = era_link_driver_new(1);
    char bound[ERA_ADDRESS_BYTES_MAX + 1], want[64];
    struct sockaddr_in mine;
    socklen_t len = sizeof(mine);
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);

    int fd = given_raw_client(bound);
    getsockname(fd, (struct sockaddr *)&mine, &len);
    snprintf(want, sizeof(want), "tcp://127.0.0.1:%u", (unsigned)ntohs(mine.sin_port));

    cr_assert_str_eq(await(d, ERA_LINK_UP).address, want);
    close(fd);
    era_link_driver_free(d);
}

Test(link, wrong_addresses_are_refused)
{
    struct era_link_driver *d = era_link_driver_new(1);
    char bound[ERA_ADDRESS_BYTES_MAX + 1], path[ERA_ADDRESS_BYTES_MAX + 1] = "ipc:///";
    memset(path + 7, 'x', ERA_LINK_PATH_BYTES_MAX);

    cr_assert_eq(era_link_driver_listen(d, "udp://127.0.0.1:0", bound), -EINVAL);
    cr_assert_eq(era_link_driver_dial(d, "127.0.0.1:7711"), -EINVAL);
    cr_assert_eq(era_link_driver_dial(d, "ipc://relative"), -EINVAL);
    cr_assert_eq(era_link_driver_dial(d, path), -ENAMETOOLONG);
    cr_assert_eq(era_link_driver_listen(d, path, bound), -ENAMETOOLONG);
    era_link_driver_free(d);
}

Test(link, two_listeners_cannot_share_an_address)
{
    struct pair p = given_pair("tcp://127.0.0.1:0");
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    cr_assert_eq(era_link_driver_listen(p.a, p.address, bound), -EADDRINUSE);
    release(&p);
}

Test(link, dialling_a_closed_port_fails_with_its_reason)
{
    struct pair p = given_pair("tcp://127.0.0.1:0");
    era_link_driver_free(p.b);

    cr_assert_eq(era_link_driver_dial(p.a, p.address), 0);
    struct era_link_event e = await(p.a, ERA_LINK_DIAL_FAILED);
    cr_assert_str_eq(e.address, p.address);
    cr_assert_eq(e.reason, -ECONNREFUSED);
    era_link_driver_free(p.a);
}

/* Back-pressure: who does not read costs its peer a queue, and nobody else anything. */
Test(link, a_slow_reader_holds_back_sent)
{
    static uint8_t buffer[ERA_FRAME_BYTES_MAX];
    struct pair p = given_pair("tcp://127.0.0.1:0");
    struct era_link_event e;
    size_t queued = 0, sent = 0, received = 0;

    /* b takes nothing. Kernel buffers swallow some megabytes, then SENT stops. */
    struct pollfd fd = {.fd = era_link_driver_fd(p.a), .events = POLLIN};
    int64_t end = now_ms() + DEADLINE_MS;
    while (queued - sent < ERA_LINK_OUT_BYTES_MAX) {
        cr_assert(now_ms() < end, "the writer was never held back");
        era_link_driver_send(p.a, p.a_link, (struct era_bytes){buffer, sizeof(buffer)});
        queued += sizeof(buffer);
        while (era_link_driver_poll(p.a, &e))
            sent += e.sent;
    }
    cr_assert_eq(poll(&fd, 1, 0), 0);

    /* b reads: all of it arrives, and SENT catches up. */
    struct pollfd fds[2] = {fd, {.fd = era_link_driver_fd(p.b), .events = POLLIN}};
    while (received < queued || sent < queued) {
        cr_assert_gt(poll(fds, 2, DEADLINE_MS), 0);
        while (era_link_driver_poll(p.a, &e))
            sent += e.sent;
        while (era_link_driver_poll(p.b, &e))
            received += e.bytes.len;
    }
    cr_assert_eq(received, queued);
    cr_assert_eq(sent, queued);
    release(&p);
}

Test(link, more_than_twice_the_limit_waiting_closes_the_link)
{
    static uint8_t buffer[ERA_FRAME_BYTES_MAX];
    struct pair p = given_pair("tcp://127.0.0.1:0");

    for (size_t i = 0; i < 1024; i++)
        era_link_driver_send(p.a, p.a_link, (struct era_bytes){buffer, sizeof(buffer)});

    cr_assert_eq(await(p.a, ERA_LINK_DOWN).reason, -ENOBUFS);
    release(&p);
}

#define FLOOD_FRAME 9 /* bytes of one: length 5, body */

/* Whatever the stream takes of endlessly many frames with that body. */
static void flood(int fd, const char *body, size_t *sent)
{
    char bytes[5000 * FLOOD_FRAME];
    for (size_t i = 0; i < sizeof(bytes); i += FLOOD_FRAME) {
        memcpy(bytes + i, "\0\0\0\5", 4);
        memcpy(bytes + i + 4, body, 5);
    }
    size_t at = *sent % FLOOD_FRAME;
    ssize_t n = send(fd, bytes + at, sizeof(bytes) - at, MSG_DONTWAIT);
    *sent += n > 0 ? (size_t)n : 0;
}

Test(link, links_take_turns)
{
    struct era_link_driver *d = era_link_driver_new(4);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    size_t a_sent = 0, b_sent = 0;
    int of_b = 0;
    int64_t end = now_ms() + DEADLINE_MS;
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    int a = given_raw_client(bound), b = given_raw_client(bound);
    flood(a, "aaaaa", &a_sent);
    cr_assert_eq(await(d, ERA_LINK_FRAME).bytes.data[0], 'a');

    /* a never runs dry, and yet b comes in; then they share. */
    do {
        cr_assert_lt(now_ms(), end, "b starves");
        flood(a, "aaaaa", &a_sent);
        flood(b, "bbbbb", &b_sent);
    } while (await(d, ERA_LINK_FRAME).bytes.data[0] != 'b');
    for (int frames = 0; frames < 2000; frames++) {
        flood(a, "aaaaa", &a_sent);
        of_b += await(d, ERA_LINK_FRAME).bytes.data[0] == 'b';
    }
    cr_assert(of_b > 200 && of_b < 1800, "%d of 2000", of_b);

    close(a);
    close(b);
    era_link_driver_free(d);
}

/* What a raw client sends, before it ends its side or not; the reason the link then goes down with. */
static int reason_after(const char *bytes, size_t len, bool end)
{
    struct era_link_driver *d = era_link_driver_new(4);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    int fd = given_raw_client(bound);
    await(d, ERA_LINK_UP);
    if (len > 0)
        cr_assert_eq(send(fd, bytes, len, 0), (ssize_t)len);
    if (end)
        shutdown(fd, SHUT_WR);

    struct era_link_event e = next(d);
    cr_assert_eq(e.kind, ERA_LINK_DOWN);
    close(fd);
    era_link_driver_free(d);
    return e.reason;
}

Test(link, lengths_that_lie_close_the_link)
{
    cr_assert_eq(reason_after("\x7f\xff\xff\xff\xff\xff\xff\xff", 8, false), -EMSGSIZE);
    cr_assert_eq(reason_after("\x80\0\0\0", 4, false), -EMSGSIZE);
    cr_assert_eq(reason_after("\0\1\0\1x", 5, false), -EMSGSIZE);
    cr_assert_eq(reason_after("\0\0\0\0x", 5, false), -EBADMSG);
    cr_assert_eq(reason_after("\0\0\0\5hell", 8, true), -EBADMSG);
    cr_assert_eq(reason_after("\0\0", 2, true), -EBADMSG);
    cr_assert_eq(reason_after("", 0, true), -ECONNRESET);
}

Test(link, whole_frames_before_a_lie_still_arrive)
{
    struct era_link_driver *d = era_link_driver_new(4);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    int fd = given_raw_client(bound);
    cr_assert_eq(send(fd, "\0\0\0\1a\0\0\0\2bc\xff\xff\xff\xff", 15, 0), 15);

    struct era_link_event e = await(d, ERA_LINK_FRAME);
    cr_assert(e.bytes.len == 1 && memcmp(e.bytes.data, "a", 1) == 0);
    e = await(d, ERA_LINK_FRAME);
    cr_assert(e.bytes.len == 2 && memcmp(e.bytes.data, "bc", 2) == 0);
    cr_assert_eq(next(d).reason, -EMSGSIZE);
    close(fd);
    era_link_driver_free(d);
}

Test(link, a_frame_sent_byte_by_byte_arrives)
{
    struct era_link_driver *d = era_link_driver_new(4);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_link_event e;
    const char *bytes = "\0\0\0\3abc";
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    int fd = given_raw_client(bound);
    await(d, ERA_LINK_UP);
    for (int i = 0; i < 6; i++) {
        cr_assert_eq(send(fd, bytes + i, 1, 0), 1);
        cr_assert_not(era_link_driver_poll(d, &e));
    }
    cr_assert_eq(send(fd, bytes + 6, 1, 0), 1);
    e = next(d);
    cr_assert(e.kind == ERA_LINK_FRAME && e.bytes.len == 3 && memcmp(e.bytes.data, "abc", 3) == 0);
    close(fd);
    era_link_driver_free(d);
}

Test(link, a_flushing_close_delivers_the_last_word)
{
    static uint8_t buffer[ERA_FRAME_BYTES_MAX];
    struct pair p = given_pair("tcp://127.0.0.1:0");
    /* Unread input at a plain close would make the system reset the stream. */
    era_link_driver_send(p.a, p.a_link, (struct era_bytes){(const uint8_t *)"unread", 6});
    for (uint32_t i = 0; i < 20; i++)
        era_link_driver_send(p.b, p.b_link, frame_of(i, buffer));
    era_link_driver_send(p.b, p.b_link, (struct era_bytes){(const uint8_t *)"go away", 7});
    era_link_driver_close(p.b, p.b_link, true);

    /* While b goes on flushing, a reads. */
    struct pollfd fds[2] = {{.fd = era_link_driver_fd(p.a), .events = POLLIN},
                            {.fd = era_link_driver_fd(p.b), .events = POLLIN}};
    struct era_link_event e;
    uint32_t received = 0;
    bool b_down = false, a_told = false;
    while (!a_told || !b_down) {
        cr_assert_gt(poll(fds, 2, DEADLINE_MS), 0);
        while (era_link_driver_poll(p.b, &e)) {
            cr_assert(e.kind == ERA_LINK_DOWN && e.reason == 0 && e.link == p.b_link);
            b_down = true;
        }
        while (era_link_driver_poll(p.a, &e)) {
            if (e.kind != ERA_LINK_FRAME)
                continue;
            if (received < 20) {
                assert_is_frame(e.bytes, received++);
            } else {
                cr_assert(e.bytes.len == 7 && memcmp(e.bytes.data, "go away", 7) == 0);
                a_told = true;
                era_link_driver_close(p.a, p.a_link, false);
            }
        }
    }
    release(&p);
}

Test(link, a_flushing_close_ends_even_if_the_peer_never_reads)
{
    static uint8_t buffer[ERA_FRAME_BYTES_MAX];
    struct pair p = given_pair("tcp://127.0.0.1:0");
    for (int i = 0; i < 100; i++)
        era_link_driver_send(p.a, p.a_link, (struct era_bytes){buffer, sizeof(buffer)});
    era_link_driver_close(p.a, p.a_link, true);

    int64_t begin = now_ms();
    struct era_link_event e = next(p.a);
    cr_assert(e.kind == ERA_LINK_DOWN && e.reason == 0);
    cr_assert_lt(now_ms() - begin, 5 * ERA_LINK_FLUSH_MS);
    release(&p);
}

Test(link, a_frame_stays_readable_until_the_next_poll_even_if_the_link_is_closed)
{
    struct pair p = given_pair("tcp://127.0.0.1:0");
    era_link_driver_send(p.a, p.a_link, (struct era_bytes){(const uint8_t *)"hello", 5});
    struct era_link_event e = next(p.b);
    era_link_driver_close(p.b, p.b_link, false);
    cr_assert(e.bytes.len == 5 && memcmp(e.bytes.data, "hello", 5) == 0);
    e = next(p.b);
    cr_assert(e.kind == ERA_LINK_DOWN && e.reason == 0);
    cr_assert_eq(await(p.a, ERA_LINK_DOWN).reason, -ECONNRESET);
    release(&p);
}

Test(link, sending_to_a_link_that_is_gone_is_harmless)
{
    struct pair p = given_pair("tcp://127.0.0.1:0");
    era_link_driver_close(p.a, p.a_link, false);
    await(p.a, ERA_LINK_DOWN);
    era_link_driver_send(p.a, p.a_link, (struct era_bytes){(const uint8_t *)"x", 1});
    era_link_driver_send(p.a, UINT64_MAX, (struct era_bytes){(const uint8_t *)"x", 1});
    era_link_driver_close(p.a, p.a_link, true);
    cr_assert_eq(era_link_driver_dial(p.a, p.address), 0);
    cr_assert_neq(await(p.a, ERA_LINK_UP).link, p.a_link);
    release(&p);
}

Test(link, connections_beyond_the_limit_are_closed_at_once)
{
    struct era_link_driver *d = era_link_driver_new(2);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_link_event e;
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    int fds[3];
    for (int i = 0; i < 2; i++) {
        fds[i] = given_raw_client(bound);
        await(d, ERA_LINK_UP);
    }
    fds[2] = given_raw_client(bound);
    struct pollfd p[2] = {{.fd = fds[2], .events = POLLIN}, {.fd = era_link_driver_fd(d), .events = POLLIN}};
    while (!(p[0].revents & POLLIN)) {
        cr_assert_gt(poll(p, 2, DEADLINE_MS), 0);
        cr_assert_not(era_link_driver_poll(d, &e));
    }
    char byte;
    cr_assert_eq(recv(fds[2], &byte, 1, 0), 0);
    cr_assert_eq(era_link_driver_refused(d), 1);

    /* Room again. */
    close(fds[0]);
    await(d, ERA_LINK_DOWN);
    close(fds[2]);
    fds[2] = given_raw_client(bound);
    await(d, ERA_LINK_UP);
    close(fds[1]);
    close(fds[2]);
    era_link_driver_free(d);
}

Test(link, two_hundred_connections_come_and_go)
{
    struct era_link_driver *d = era_link_driver_new(ERA_LINKS_MAX);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    int fds[200];
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 200; i++) {
            fds[i] = given_raw_client(bound);
            cr_assert_eq(await(d, ERA_LINK_UP).kind, ERA_LINK_UP);
        }
        for (int i = 0; i < 200; i++)
            close(fds[i]);
        for (int i = 0; i < 200; i++)
            cr_assert_eq(await(d, ERA_LINK_DOWN).reason, -ECONNRESET);
    }
    era_link_driver_free(d);
}

Test(link, stopping_while_busy_leaves_nothing)
{
    static uint8_t buffer[ERA_FRAME_BYTES_MAX];
    struct pair p = given_pair("tcp://127.0.0.1:0");
    for (int i = 0; i < 100; i++) {
        era_link_driver_send(p.a, p.a_link, (struct era_bytes){buffer, sizeof(buffer)});
        era_link_driver_send(p.b, p.b_link, (struct era_bytes){buffer, 100});
    }
    /* Dials whose mail nobody takes, accepts likewise, and one closing link. */
    for (int i = 0; i < 20; i++)
        cr_assert_eq(era_link_driver_dial(p.a, p.address), 0);
    next(p.b);
    era_link_driver_close(p.b, p.b_link, true);
    release(&p);
}

Test(link, an_idle_link_stays_up_and_wakes_nobody)
{
    struct pair p = given_pair("tcp://127.0.0.1:0");
    struct era_link_event e;
    cr_assert_not(era_link_driver_poll(p.a, &e));
    cr_assert_not(era_link_driver_poll(p.b, &e));
    struct pollfd fds[2] = {{.fd = era_link_driver_fd(p.a), .events = POLLIN},
                            {.fd = era_link_driver_fd(p.b), .events = POLLIN}};
    cr_assert_eq(poll(fds, 2, 200), 0);
    release(&p);
}

Test(link, freeing_null_is_allowed)
{
    era_link_driver_free(NULL);
}
