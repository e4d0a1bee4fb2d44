/* link_nng on real sockets: loopback and a directory of its own. Waiting is on
 * the driver's fd, with a deadline; nothing sleeps. */
#include "tests/p2p/driver.h"

#include <arpa/inet.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The next event of each of two drivers, which wait for each other. */
static void next_two(struct era_link_driver *a, struct era_link_event *of_a, struct era_link_driver *b,
                     struct era_link_event *of_b)
{
    int64_t end = driver_now_ms() + DEADLINE_MS;
    bool has_a = false, has_b = false;
    for (;;) {
        has_a = has_a || era_link_driver_poll(a, of_a);
        has_b = has_b || era_link_driver_poll(b, of_b);
        if (has_a && has_b)
            return;
        struct pollfd p[2] = {{.fd = has_a ? -1 : era_link_driver_fd(a), .events = POLLIN},
                              {.fd = has_b ? -1 : era_link_driver_fd(b), .events = POLLIN}};
        int64_t rest = end - driver_now_ms();
        cr_assert(rest > 0 && poll(p, 2, (int)rest) >= 1, "no event in time");
    }
}

struct pair {
    struct era_link_driver *a, *b; /* a dialled b */
    uint64_t a_link, b_link;
    char address[ERA_ADDRESS_BYTES_MAX + 1];
};

static struct pair given_pair(const char *address)
{
    struct era_channel_config a = rawlink_config(&driver_network), b = rawlink_config(&driver_network);
    struct pair p = {.a = era_link_driver_new(8, &a), .b = era_link_driver_new(8, &b)};
    cr_assert(p.a != NULL && p.b != NULL);
    cr_assert_eq(era_link_driver_listen(p.b, address, p.address), 0);
    cr_assert_eq(era_link_driver_dial(p.a, p.address), 0);
    struct era_link_event up_a, up_b;
    next_two(p.a, &up_a, p.b, &up_b);
    cr_assert(up_a.kind == ERA_LINK_UP && up_a.outgoing);
    cr_assert_str_eq(up_a.address, p.address);
    cr_assert_eq(memcmp(up_a.peer, b.mine.key, sizeof(up_a.peer)), 0);
    cr_assert(up_b.kind == ERA_LINK_UP && !up_b.outgoing);
    cr_assert_eq(memcmp(up_b.peer, a.mine.key, sizeof(up_b.peer)), 0);
    p.a_link = up_a.link;
    p.b_link = up_b.link;
    return p;
}

static void release(struct pair *p)
{
    era_link_driver_free(p->a);
    era_link_driver_free(p->b);
}

/* A system that was just made may have no names at all. */
static bool localhost_is_known(void)
{
    static const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    bool known = getaddrinfo("localhost", NULL, &hints, &found) == 0;
    if (found != NULL)
        freeaddrinfo(found);
    return known;
}

Test(link, dialled_by_a_name_tells_the_address_that_it_led_to)
{
    if (!localhost_is_known())
        cr_skip_test("the name localhost leads nowhere here");
    struct era_channel_config a = rawlink_config(&driver_network), b = rawlink_config(&driver_network);
    struct pair p = {.a = era_link_driver_new(8, &a), .b = era_link_driver_new(8, &b)};
    struct era_link_event up_a, up_b;
    unsigned port;
    char named[ERA_ADDRESS_BYTES_MAX + 1];
    cr_assert_eq(era_link_driver_listen(p.b, "tcp://127.0.0.1:0", p.address), 0);
    cr_assert_eq(sscanf(p.address, "tcp://127.0.0.1:%u", &port), 1);
    snprintf(named, sizeof named, "tcp://localhost:%u", port);
    cr_assert_eq(era_link_driver_dial(p.a, named), 0);
    next_two(p.a, &up_a, p.b, &up_b);
    cr_assert_eq(up_a.kind, ERA_LINK_UP);
    cr_assert_str_eq(up_a.address, named);
    cr_assert_str_eq(up_a.found, p.address);
    cr_assert_str_eq(up_b.found, "", "it was not dialled from here");
    release(&p);
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
    struct era_link_driver *d = given_driver(1);
    char bound[ERA_ADDRESS_BYTES_MAX + 1], want[64];
    struct sockaddr_in mine;
    socklen_t len = sizeof(mine);
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);

    struct era_link_event up;
    struct rawlink r = given_raw_link(d, bound, &up);
    getsockname(r.fd, (struct sockaddr *)&mine, &len);
    snprintf(want, sizeof(want), "tcp://127.0.0.1:%u", (unsigned)ntohs(mine.sin_port));

    cr_assert_str_eq(up.address, want);
    rawlink_end(&r);
    era_link_driver_free(d);
}

Test(link, wrong_addresses_are_refused)
{
    struct era_link_driver *d = given_driver(1);
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
    struct era_link_event e = driver_await(p.a, ERA_LINK_DIAL_FAILED);
    cr_assert_str_eq(e.address, p.address);
    cr_assert_eq(e.reason, -ECONNREFUSED);
    era_link_driver_free(p.a);
}

Test(link, what_the_system_takes_at_once_is_told_as_sent_without_waiting)
{
    struct pair p = given_pair("tcp://127.0.0.1:0");
    struct era_link_event e;
    for (int i = 0; i < 100; i++) {
        struct pollfd fd = {.fd = era_link_driver_fd(p.a), .events = POLLIN};
        while (poll(&fd, 1, 0) == 1) /* an operation of the handshake came back; there is nothing to tell */
            cr_assert_not(era_link_driver_poll(p.a, &e));
        era_link_driver_send(p.a, p.a_link, (struct era_bytes){(const uint8_t *)"word", 4});
        cr_assert_eq(poll(&fd, 1, 0), 1, "the fd says so at once");
        cr_assert(era_link_driver_poll(p.a, &e), "frame %d", i);
        cr_assert_eq(e.kind, ERA_LINK_SENT);
        cr_assert_eq(e.sent, 4);
        cr_assert_not(era_link_driver_poll(p.a, &e));
    }
    release(&p);
}

/* Back-pressure: who does not read costs its peer a queue, and nobody else anything. */
Test(link, a_slow_reader_holds_back_sent)
{
    static uint8_t buffer[ERA_FRAME_BYTES_MAX];
    struct pair p = given_pair("tcp://127.0.0.1:0");
    struct era_link_event e;
    size_t queued = 0, sent = 0, received = 0;

    /* b takes nothing. Kernel buffers swallow some megabytes, some of it late, then SENT stops. */
    struct pollfd fd = {.fd = era_link_driver_fd(p.a), .events = POLLIN};
    int64_t end = driver_now_ms() + DEADLINE_MS;
    while (queued - sent < ERA_LINK_OUT_BYTES_MAX || poll(&fd, 1, 200) == 1) {
        cr_assert(driver_now_ms() < end, "the writer was never held back");
        if (queued - sent < ERA_LINK_OUT_BYTES_MAX) {
            era_link_driver_send(p.a, p.a_link, (struct era_bytes){buffer, sizeof(buffer)});
            queued += sizeof(buffer);
        }
        while (era_link_driver_poll(p.a, &e))
            sent += e.sent;
    }

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

    cr_assert_eq(driver_await(p.a, ERA_LINK_DOWN).reason, -ENOBUFS);
    release(&p);
}

#define FLOOD_FRAME  9 /* bytes of one: length 5, body */
#define FLOOD_FRAMES 5000

/* One who sends whatever the stream takes of endlessly many frames with one body. */
struct flooder {
    struct rawlink r;
    const char *body;
    uint8_t record[FLOOD_FRAMES * FLOOD_FRAME + ERA_CHANNEL_RECORD_EXTRA];
    size_t len, sent;
};

static void flood(struct flooder *f)
{
    if (f->sent == f->len) {
        static char bytes[FLOOD_FRAMES * FLOOD_FRAME];
        for (size_t i = 0; i < sizeof(bytes); i += FLOOD_FRAME) {
            memcpy(bytes + i, "\0\0\0\5", 4);
            memcpy(bytes + i + 4, f->body, 5);
        }
        f->len = rawlink_seal(&f->r, bytes, sizeof(bytes), f->record);
        f->sent = 0;
    }
    ssize_t n = send(f->r.fd, f->record + f->sent, f->len - f->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    f->sent += n > 0 ? (size_t)n : 0;
}

/* Two links that send all the time: how many are b's of 20,000 turns that both wanted. Both do while each has
 * frames left of a record that began to come out, for a record is there as a whole: when the next is read is
 * a matter of other threads. */
static int share_of_b(bool favoured)
{
    static struct flooder a = {.body = "aaaaa"}, b = {.body = "bbbbb"};
    struct era_link_driver *d = given_driver(4);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_link_event up;
    int turns = 0, of_b = 0, left[2] = {0, 0};
    int64_t end = driver_now_ms() + DEADLINE_MS;
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    a.r = given_raw_link(d, bound, &up);
    b.r = given_raw_link(d, bound, &up);
    era_link_driver_favour(d, up.link, favoured);
    while (turns < 20000) {
        cr_assert_lt(driver_now_ms(), end, "one of them starves");
        flood(&a);
        flood(&b);
        bool both = left[0] > 0 && left[1] > 0, is_b = driver_await(d, ERA_LINK_FRAME).bytes.data[0] == 'b';
        left[is_b] = left[is_b] > 0 ? left[is_b] - 1 : FLOOD_FRAMES - 1;
        turns += both;
        of_b += both && is_b;
    }
    rawlink_end(&a.r);
    rawlink_end(&b.r);
    era_link_driver_free(d);
    return of_b;
}

Test(link, links_take_turns)
{
    int of_b = share_of_b(false);
    cr_assert(of_b > 2000 && of_b < 18000, "%d of 20000", of_b);
}

Test(link, one_that_is_favoured_has_most_turns_and_not_all)
{
    int of_b = share_of_b(true);
    cr_assert(of_b > 12000 && of_b < 19900, "%d of 20000", of_b);
}

/* What a client does after a good handshake, before it ends its side or not; the verdict by which the link
 * then goes down. sealed: as the bytes of frames; else as they are. */
static enum era_verdict verdict_after(const char *bytes, size_t len, bool sealed, bool end)
{
    struct era_link_driver *d = given_driver(4);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_link_event e;
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    struct rawlink r = given_raw_link(d, bound, &e);
    if (len > 0)
        cr_assert(sealed ? rawlink_put(&r, bytes, len, DEADLINE_MS)
                         : rawlink_write(r.fd, bytes, len, DEADLINE_MS));
    if (end)
        shutdown(r.fd, SHUT_WR);

    e = driver_next(d);
    cr_assert_eq(e.kind, ERA_LINK_DOWN);
    cr_assert_eq(e.reason, e.verdict == ERA_ACCEPTED ? -ECONNRESET : -EBADMSG);
    cr_assert_eq(era_link_driver_counts(d)->ended[e.verdict], e.verdict != ERA_ACCEPTED);
    rawlink_end(&r);
    era_link_driver_free(d);
    return e.verdict;
}

Test(link, lengths_that_lie_close_the_link)
{
    cr_assert_eq(verdict_after("\x7f\xff\xff\xff\xff\xff\xff\xff", 8, true, false), ERA_OVERSIZED);
    cr_assert_eq(verdict_after("\x80\0\0\0\0\0\0\0", 8, true, false), ERA_OVERSIZED);
    cr_assert_eq(verdict_after("\0\1\0\1x", 5, true, false), ERA_OVERSIZED);
    cr_assert_eq(verdict_after("\0\0\0\0x", 5, true, false), ERA_MALFORMED);
    cr_assert_eq(verdict_after("\0\0\0\5hell", 8, true, true), ERA_TRUNCATED);
    cr_assert_eq(verdict_after("\0\0", 2, true, true), ERA_TRUNCATED);
    cr_assert_eq(verdict_after("", 0, true, true), ERA_ACCEPTED);
}

Test(link, garbage_after_a_good_handshake_closes_the_link)
{
    cr_assert_eq(verdict_after("\0\x14twenty bytes of junk", 22, false, false), ERA_NOT_AUTHENTIC);
    cr_assert_eq(verdict_after("\0\0", 2, false, false), ERA_NOT_AUTHENTIC);
    cr_assert_eq(verdict_after("\xff\xff", 2, false, true), ERA_TRUNCATED);
}

Test(link, whole_frames_before_a_lie_still_arrive)
{
    struct era_link_driver *d = given_driver(4);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_link_event e;
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    struct rawlink r = given_raw_link(d, bound, &e);
    cr_assert(rawlink_put(&r, "\0\0\0\1a\0\0\0\2bc\xff\xff\xff\xff", 15, DEADLINE_MS));

    e = driver_await(d, ERA_LINK_FRAME);
    cr_assert(e.bytes.len == 1 && memcmp(e.bytes.data, "a", 1) == 0);
    e = driver_await(d, ERA_LINK_FRAME);
    cr_assert(e.bytes.len == 2 && memcmp(e.bytes.data, "bc", 2) == 0);
    cr_assert_eq(driver_next(d).verdict, ERA_OVERSIZED);
    rawlink_end(&r);
    era_link_driver_free(d);
}

Test(link, a_record_sent_byte_by_byte_arrives)
{
    struct era_link_driver *d = given_driver(4);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    uint8_t record[64];
    struct era_link_event e;
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    struct rawlink r = given_raw_link(d, bound, &e);
    size_t len = rawlink_seal(&r, "\0\0\0\3abc", 7, record);
    for (size_t i = 0; i + 1 < len; i++) {
        cr_assert_eq(send(r.fd, record + i, 1, 0), 1);
        cr_assert_not(era_link_driver_poll(d, &e));
    }
    cr_assert_eq(send(r.fd, record + len - 1, 1, 0), 1);
    e = driver_next(d);
    cr_assert(e.kind == ERA_LINK_FRAME && e.bytes.len == 3 && memcmp(e.bytes.data, "abc", 3) == 0);
    rawlink_end(&r);
    era_link_driver_free(d);
}

/* ---- handshakes ---- */

Test(link, another_network_or_protocol_is_told_at_both_ends)
{
    static const enum era_verdict whys[2] = {ERA_WRONG_NETWORK, ERA_NO_COMMON_PROTOCOL};
    for (int i = 0; i < 2; i++) {
        struct era_channel_config other = rawlink_config(&driver_network);
        char bound[ERA_ADDRESS_BYTES_MAX + 1];
        struct era_link_event dialled, accepted;
        other.network.b[5] ^= i == 0;
        other.protocol_min = other.protocol_max = i == 0 ? ERA_PROTOCOL_MAX : ERA_PROTOCOL_MAX + 1;
        struct era_link_driver *a = given_driver(4), *b = era_link_driver_new(4, &other);
        cr_assert_eq(era_link_driver_listen(b, "tcp://127.0.0.1:0", bound), 0);
        cr_assert_eq(era_link_driver_dial(a, bound), 0);
        next_two(a, &dialled, b, &accepted);
        cr_assert(dialled.kind == ERA_LINK_DIAL_FAILED && dialled.verdict == whys[i]);
        cr_assert_str_eq(dialled.address, bound);
        cr_assert(accepted.kind == ERA_LINK_REFUSED && accepted.verdict == whys[i]);
        cr_assert_eq(era_link_driver_counts(a)->ended[whys[i]], 1);
        cr_assert_eq(era_link_driver_counts(b)->ended[whys[i]], 1);
        era_link_driver_free(a);
        era_link_driver_free(b);
    }
}

/* What a client writes instead of a handshake; what becomes of it. */
static struct era_link_event refused_after(const void *bytes, size_t len, bool end)
{
    struct era_link_driver *d = given_driver(4);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    int fd = given_raw_client(bound);
    cr_assert(rawlink_write(fd, bytes, len, DEADLINE_MS));
    if (end)
        shutdown(fd, SHUT_WR);
    struct era_link_event e = driver_next(d);
    cr_assert_eq(e.kind, ERA_LINK_REFUSED);
    cr_assert_eq(e.link, 0);
    close(fd);
    era_link_driver_free(d);
    return e;
}

Test(link, what_is_no_handshake_never_becomes_a_link)
{
    struct rawlink r;
    struct era_channel_config config = rawlink_config(&driver_network);
    rawlink_begin(&r, -1, &config);
    cr_assert_eq(refused_after("GET / HTTP/1.1\r\n\r\n", 18, false).verdict, ERA_MALFORMED);
    cr_assert_eq(refused_after(r.first, 20, true).verdict, ERA_TRUNCATED);
    cr_assert_eq(refused_after(r.first, r.first_len, true).verdict, ERA_TRUNCATED);
    r.first[ERA_CHANNEL_PREAMBLE_BYTES] = 0x80; /* its length */
    cr_assert_eq(refused_after(r.first, r.first_len, false).verdict, ERA_MALFORMED);
}

Test(link, a_handshake_that_is_not_done_in_time_is_given_up)
{
    struct rawlink r;
    struct era_channel_config config = rawlink_config(&driver_network);
    int64_t begin = driver_now_ms();
    rawlink_begin(&r, -1, &config);
    cr_assert_eq(refused_after(r.first, r.first_len, false).verdict, ERA_TIMEOUT);
    cr_assert_geq(driver_now_ms() - begin, ERA_HANDSHAKE_MS - 10);
}

/* Sends while the driver reads; false when the driver closed it. */
static bool push(struct era_link_driver *d, int fd, const uint8_t *bytes, size_t len, size_t *downs)
{
    int64_t end = driver_now_ms() + DEADLINE_MS;
    while (len > 0) {
        struct era_link_event e;
        ssize_t n = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        cr_assert_lt(driver_now_ms(), end);
        if (n < 0 && errno != EAGAIN)
            return false;
        bytes += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
        while (era_link_driver_poll(d, &e))
            *downs += e.kind == ERA_LINK_DOWN && e.verdict == ERA_TIMEOUT;
    }
    return true;
}

Test(link, frames_that_were_begun_hold_no_more_than_their_bound_and_the_oldest_goes)
{
    enum { FIT = ERA_LINKS_IN_BYTES_MAX / (ERA_CHANNEL_IN_BYTES - 64), ALL = FIT + 8 };
    static struct rawlink links[ALL];
    static uint8_t plain[ERA_CHANNEL_PLAIN_MAX], record[ERA_NOISE_MESSAGE_MAX + ERA_CHANNEL_RECORD_HEADER];
    struct era_link_driver *d = given_driver(ERA_LINKS_MAX);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_link_event e;
    size_t downs = 0;
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    for (size_t i = 0; i < ALL; i++)
        links[i] = given_raw_link(d, bound, &e);
    /* All but the end of a frame, the last part of it in a record that lacks a byte. */
    for (size_t i = 0; i < ALL; i++) {
        plain[1] = 1; /* 65536 */
        size_t len = rawlink_seal(&links[i], plain, ERA_CHANNEL_PLAIN_MAX, record);
        cr_assert(push(d, links[i].fd, record, len, &downs));
        record[0] = record[1] = 0xff;
        cr_assert(push(d, links[i].fd, record, sizeof record - 1, &downs));
    }
    int64_t end = driver_now_ms() + DEADLINE_MS;
    while (downs < ALL - FIT) {
        struct pollfd p = {.fd = era_link_driver_fd(d), .events = POLLIN};
        cr_assert_lt(driver_now_ms(), end);
        (void)poll(&p, 1, 10);
        while (era_link_driver_poll(d, &e))
            downs += e.kind == ERA_LINK_DOWN && e.verdict == ERA_TIMEOUT;
    }
    cr_assert_eq(downs, ALL - FIT);
    for (size_t i = ALL - FIT; i < ALL; i++)
        cr_assert_not(is_closed(links[i].fd));
    for (size_t i = 0; i < ALL; i++)
        rawlink_end(&links[i]);
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

    int64_t begin = driver_now_ms();
    struct era_link_event e = driver_next(p.a);
    cr_assert(e.kind == ERA_LINK_DOWN && e.reason == 0);
    cr_assert_lt(driver_now_ms() - begin, 20 * ERA_LINK_FLUSH_MS);
    release(&p);
}

Test(link, what_comes_to_a_link_that_flushes_and_is_then_shut_is_not_taken)
{
    enum { MUCH = 60000 };
    static uint8_t bytes[MUCH];
    struct era_link_driver *d = given_driver(4);
    struct era_link_event e;
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    struct rawlink r = given_raw_link(d, bound, &e);
    uint64_t link = e.link;
    era_link_driver_close(d, link, true);
    while (era_link_driver_poll(d, &e)) /* it reads, and throws away */
        cr_assert_neq(e.kind, ERA_LINK_FRAME);
    cr_assert(rawlink_write(r.fd, bytes, MUCH, DEADLINE_MS));
    struct pollfd p = {.fd = era_link_driver_fd(d), .events = POLLIN};
    cr_assert_eq(poll(&p, 1, DEADLINE_MS), 1);
    era_link_driver_close(d, link, false);
    e = driver_next(d);
    cr_assert(e.kind == ERA_LINK_DOWN && e.link == link && e.verdict == ERA_ACCEPTED);
    rawlink_end(&r);
    era_link_driver_free(d);
}

Test(link, a_frame_stays_readable_until_the_next_poll_even_if_the_link_is_closed)
{
    struct pair p = given_pair("tcp://127.0.0.1:0");
    era_link_driver_send(p.a, p.a_link, (struct era_bytes){(const uint8_t *)"hello", 5});
    struct era_link_event sent, e;
    next_two(p.a, &sent, p.b, &e);
    cr_assert(sent.kind == ERA_LINK_SENT && e.kind == ERA_LINK_FRAME);
    era_link_driver_close(p.b, p.b_link, false);
    cr_assert(e.bytes.len == 5 && memcmp(e.bytes.data, "hello", 5) == 0);
    e = driver_next(p.b);
    cr_assert(e.kind == ERA_LINK_DOWN && e.reason == 0);
    cr_assert_eq(driver_await(p.a, ERA_LINK_DOWN).reason, -ECONNRESET);
    release(&p);
}

Test(link, sending_to_a_link_that_is_gone_is_harmless)
{
    struct pair p = given_pair("tcp://127.0.0.1:0");
    era_link_driver_close(p.a, p.a_link, false);
    driver_await(p.a, ERA_LINK_DOWN);
    era_link_driver_send(p.a, p.a_link, (struct era_bytes){(const uint8_t *)"x", 1});
    era_link_driver_send(p.a, UINT64_MAX, (struct era_bytes){(const uint8_t *)"x", 1});
    era_link_driver_close(p.a, p.a_link, true);
    cr_assert_eq(driver_next(p.b).kind, ERA_LINK_DOWN); /* before another link comes up */
    cr_assert_eq(era_link_driver_dial(p.a, p.address), 0);
    struct era_link_event again, accepted;
    next_two(p.a, &again, p.b, &accepted);
    cr_assert(again.kind == ERA_LINK_UP && again.link != p.a_link);
    release(&p);
}

Test(link, connections_beyond_the_limit_are_closed_at_once)
{
    struct era_link_driver *d = given_driver(2);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_link_event e;
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    int fds[3];
    struct rawlink up[2];
    for (int i = 0; i < 2; i++) {
        up[i] = given_raw_link(d, bound, &e);
        fds[i] = up[i].fd;
    }
    fds[2] = given_raw_client(bound);
    struct pollfd p[2] = {{.fd = fds[2], .events = POLLIN}, {.fd = era_link_driver_fd(d), .events = POLLIN}};
    while (!(p[0].revents & POLLIN)) {
        cr_assert_gt(poll(p, 2, DEADLINE_MS), 0);
        cr_assert_not(era_link_driver_poll(d, &e));
    }
    char byte;
    cr_assert_eq(recv(fds[2], &byte, 1, 0), 0);
    cr_assert_eq(era_link_driver_counts(d)->ended[ERA_TOO_MANY_LINKS], 1);

    /* Room again. */
    rawlink_end(&up[0]);
    driver_await(d, ERA_LINK_DOWN);
    close(fds[2]);
    up[0] = given_raw_link(d, bound, &e);
    rawlink_end(&up[0]);
    rawlink_end(&up[1]);
    era_link_driver_free(d);
}

Test(link, two_hundred_connections_come_and_go)
{
    struct era_link_driver *d = given_driver(ERA_LINKS_MAX);
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    static struct rawlink links[200];
    struct era_link_event up;
    cr_assert_eq(era_link_driver_listen(d, "tcp://127.0.0.1:0", bound), 0);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 200; i++) {
            links[i] = given_raw_link(d, bound, &up);
        }
        for (int i = 0; i < 200; i++)
            rawlink_end(&links[i]);
        for (int i = 0; i < 200; i++)
            cr_assert_eq(driver_await(d, ERA_LINK_DOWN).reason, -ECONNRESET);
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
    driver_next(p.b);
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
    while (poll(fds, 2, 200) > 0) { /* the last operations of the handshake come back; then nothing does */
        cr_assert_not(era_link_driver_poll(p.a, &e));
        cr_assert_not(era_link_driver_poll(p.b, &e));
    }
    release(&p);
}

Test(link, freeing_null_is_allowed)
{
    era_link_driver_free(NULL);
}
