/* The control socket, both ends, in a directory of its own. A client call
 * blocks, so it runs on a thread; the server waits on its fd with a deadline. */
#include "src/ipc/control.h"
#include "tests/ipc/lib_ipc.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BYTES(text) ((struct era_bytes){(const uint8_t *)(text), strlen(text)})

static struct era_control_server *given_server_for(const char *path, uid_t uid)
{
    struct era_control_server *s;
    struct era_control_config config = {
        .path = path, .owns_state = true, .allowed_uids = {uid, uid}, .refusal = BYTES("77 not you")};
    cr_assert_eq(era_control_server_new(&config, &s), 0);
    return s;
}

static struct era_control_server *given_server(const char *path)
{
    return given_server_for(path, getuid());
}

struct client {
    pthread_t thread;
    const char *path;
    struct era_bytes request;
    int timeout_ms, result;
    uint8_t *reply;
    size_t reply_len;
    atomic_bool done;
};

static void *client_run(void *arg)
{
    struct client *c = arg;
    c->result = era_control_call(c->path, c->request, c->timeout_ms, &c->reply, &c->reply_len);
    atomic_store(&c->done, true);
    return NULL;
}

static void client_start(struct client *c, const char *path, struct era_bytes request, int timeout_ms)
{
    *c = (struct client){.path = path, .request = request, .timeout_ms = timeout_ms};
    cr_assert_eq(pthread_create(&c->thread, NULL, client_run, c), 0);
}

/* Serves until the client is done; no request may come out of that. */
static void client_finish(struct client *c, struct era_control_server *s)
{
    struct pollfd fd = {.fd = era_control_server_fd(s), .events = POLLIN};
    uint64_t id;
    struct era_bytes request;
    while (!atomic_load(&c->done)) {
        cr_assert_not(era_control_server_poll(s, &id, &request));
        poll(&fd, 1, 10);
    }
    pthread_join(c->thread, NULL);
}

static void assert_client_got(struct client *c, struct era_control_server *s, struct era_bytes want)
{
    client_finish(c, s);
    cr_assert_eq(c->result, 0);
    cr_assert_eq(c->reply_len, want.len);
    cr_assert(want.len == 0 || memcmp(c->reply, want.data, want.len) == 0);
    free(c->reply);
}

static void assert_client_failed(struct client *c, int result)
{
    pthread_join(c->thread, NULL);
    cr_assert_eq(c->result, result, "%d", c->result);
    cr_assert_null(c->reply);
}

static uint64_t next_request(struct era_control_server *s, struct era_bytes *bytes)
{
    uint64_t id;
    int64_t end = now_ms() + DEADLINE_MS;
    while (!era_control_server_poll(s, &id, bytes)) {
        struct pollfd p = {.fd = era_control_server_fd(s), .events = POLLIN};
        int64_t rest = end - now_ms();
        cr_assert(rest > 0 && poll(&p, 1, (int)rest) == 1, "no request in time");
    }
    return id;
}

static bool is(struct era_bytes bytes, const char *text)
{
    return bytes.len == strlen(text) && memcmp(bytes.data, text, bytes.len) == 0;
}

Test(control, a_request_gets_its_reply)
{
    struct place p = given_place();
    struct era_control_server *s = given_server(p.path);
    struct client c;
    struct era_bytes request;
    client_start(&c, p.path, BYTES("status"), DEADLINE_MS);

    uint64_t id = next_request(s, &request);
    cr_assert(is(request, "status"));
    cr_assert_eq(era_control_server_reply(s, id, BYTES("all is well")), 0);

    assert_client_got(&c, s, BYTES("all is well"));
    era_control_server_free(s);
    place_remove(&p);
}

Test(control, the_socket_is_for_its_owner_only)
{
    struct place p = given_place();
    struct era_control_server *s = given_server(p.path);
    struct stat st;
    cr_assert_eq(stat(p.path, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0600);
    era_control_server_free(s);
    place_remove(&p);
}

Test(control, replies_may_come_in_another_order)
{
    struct place p = given_place();
    struct era_control_server *s = given_server(p.path);
    struct client slow, fast;
    struct era_bytes request;

    client_start(&slow, p.path, BYTES("slow"), DEADLINE_MS);
    uint64_t slow_id = next_request(s, &request);
    client_start(&fast, p.path, BYTES("fast"), DEADLINE_MS);
    uint64_t fast_id = next_request(s, &request);
    cr_assert(is(request, "fast"));
    cr_assert_eq(era_control_server_reply(s, fast_id, BYTES("at once")), 0);
    assert_client_got(&fast, s, BYTES("at once"));
    cr_assert_eq(era_control_server_reply(s, slow_id, BYTES("after a commit")), 0);
    assert_client_got(&slow, s, BYTES("after a commit"));

    era_control_server_free(s);
    place_remove(&p);
}

Test(control, an_empty_and_the_largest_message_pass)
{
    struct place p = given_place();
    struct era_control_server *s = given_server(p.path);
    static uint8_t big[ERA_CONTROL_BYTES_MAX];
    struct client c;
    struct era_bytes request;
    memset(big, 'x', sizeof(big));

    client_start(&c, p.path, (struct era_bytes){big, sizeof(big)}, DEADLINE_MS);
    uint64_t id = next_request(s, &request);
    cr_assert(request.len == sizeof(big) && memcmp(request.data, big, sizeof(big)) == 0);
    cr_assert_eq(era_control_server_reply(s, id, (struct era_bytes){0}), 0);
    assert_client_got(&c, s, (struct era_bytes){0});

    client_start(&c, p.path, (struct era_bytes){0}, DEADLINE_MS);
    id = next_request(s, &request);
    cr_assert_eq(request.len, 0);
    cr_assert_eq(era_control_server_reply(s, id, (struct era_bytes){big, sizeof(big)}), 0);
    assert_client_got(&c, s, (struct era_bytes){big, sizeof(big)});

    era_control_server_free(s);
    place_remove(&p);
}

Test(control, what_is_too_large_is_refused_on_both_sides)
{
    struct place p = given_place();
    struct era_control_server *s = given_server(p.path);
    uint8_t *big = calloc(1, ERA_CONTROL_BYTES_MAX + 1), *reply = NULL;
    size_t reply_len;
    struct client c;
    struct era_bytes request, too_large = {big, ERA_CONTROL_BYTES_MAX + 1};

    cr_assert_eq(era_control_call(p.path, too_large, DEADLINE_MS, &reply, &reply_len), -EMSGSIZE);
    client_start(&c, p.path, BYTES("log"), DEADLINE_MS);
    uint64_t id = next_request(s, &request);
    cr_assert_eq(era_control_server_reply(s, id, too_large), -EMSGSIZE);
    cr_assert_eq(era_control_server_reply(s, id, BYTES("too much")), 0);
    assert_client_got(&c, s, BYTES("too much"));

    free(big);
    era_control_server_free(s);
    place_remove(&p);
}

/* A client made of bytes: what it sends after connecting. */
static int given_raw_client(const char *path, const char *bytes, size_t len)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    memcpy(sun.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
    cr_assert_eq(send(fd, bytes, len, 0), (ssize_t)len);
    return fd;
}

/* Serves until the raw client has been hung up on; no request may come out. */
static void assert_cut_off(struct era_control_server *s, int client)
{
    struct pollfd p[2] = {{.fd = era_control_server_fd(s), .events = POLLIN},
                          {.fd = client, .events = POLLRDHUP}};
    uint64_t id;
    struct era_bytes request;
    while (!(p[1].revents & (POLLRDHUP | POLLHUP))) {
        cr_assert_gt(poll(p, 2, DEADLINE_MS), 0, "not cut off in time");
        cr_assert_not(era_control_server_poll(s, &id, &request));
    }
    close(client);
}

#define GREETING "\0SP\0\0\x30\0\0"

Test(control, lies_are_cut_off)
{
    struct place p = given_place();
    struct era_control_server *s = given_server(p.path);
    /* a length of 8 GiB, of 2^63, another marker, another protocol, not this protocol at all */
    assert_cut_off(s, given_raw_client(p.path, GREETING "\x01\0\0\0\2\0\0\0\0", 17));
    assert_cut_off(s, given_raw_client(p.path, GREETING "\x01\x80\0\0\0\0\0\0\0", 17));
    assert_cut_off(s, given_raw_client(p.path, GREETING "\x02\0\0\0\0\0\0\0\4", 17));
    assert_cut_off(s, given_raw_client(p.path, "\0SP\0\0\x21\0\0", 8));
    assert_cut_off(s, given_raw_client(p.path, "GET / HTTP/1.1\r\n", 16));
    /* a request without an end of its way back: too short, or too many hops */
    assert_cut_off(s, given_raw_client(p.path, GREETING "\x01\0\0\0\0\0\0\0\3\x80zz", 20));
    assert_cut_off(s, given_raw_client(p.path, GREETING "\x01\0\0\0\0\0\0\0\4\0zzz", 21));
    era_control_server_free(s);
    place_remove(&p);
}

Test(control, connections_beyond_the_limit_are_closed_at_once)
{
    struct place p = given_place();
    struct era_control_server *s = given_server(p.path);
    int clients[ERA_CONTROL_CONNS_MAX];
    uint64_t id;
    struct era_bytes request;
    for (int i = 0; i < ERA_CONTROL_CONNS_MAX; i++) {
        clients[i] = given_raw_client(p.path, GREETING, 8);
        cr_assert_not(era_control_server_poll(s, &id, &request));
    }
    assert_cut_off(s, given_raw_client(p.path, GREETING, 8));

    close(clients[0]);
    cr_assert_not(era_control_server_poll(s, &id, &request));
    clients[0] = given_raw_client(p.path, GREETING "\x01\0\0\0\0\0\0\0\6\x80zzzhi", 23);
    next_request(s, &request);
    cr_assert(is(request, "hi"));

    for (int i = 0; i < ERA_CONTROL_CONNS_MAX; i++)
        close(clients[i]);
    era_control_server_free(s);
    place_remove(&p);
}

/* What made NNG's own sockets unfit: peers that go away in the middle of a message. */
Test(control, clients_that_vanish_in_the_middle_of_a_message_leave_nothing)
{
    struct place p = given_place();
    struct era_control_server *s = given_server(p.path);
    static uint8_t big[ERA_CONTROL_BYTES_MAX];
    struct era_bytes request;
    char some[1000];
    int first = given_raw_client(p.path, GREETING, 8), last = first;
    close(first);
    for (int i = 0; i < 300; i++) {
        int fd = given_raw_client(p.path, GREETING "\x01\0\0\0\0\0\0\0\4\x80zzz\x01\0\0\0", 25);
        uint64_t id = next_request(s, &request);
        cr_assert_eq(era_control_server_reply(s, id, (struct era_bytes){big, sizeof(big)}), 0);
        cr_assert_gt(recv(fd, some, sizeof(some), 0), 0);
        close(fd);
        era_control_server_poll(s, &id, &request);
        last = fd;
    }
    cr_assert_lt(last, first + 4, "descriptors leak");
    era_control_server_free(s);
    place_remove(&p);
}

Test(control, another_uid_is_refused_in_band)
{
    struct place p = given_place();
    struct era_control_server *s = given_server_for(p.path, getuid() + 4242);
    struct client c;
    client_start(&c, p.path, BYTES("propose"), DEADLINE_MS);

    /* The refusal leaves from poll; no request comes out of it. */
    assert_client_got(&c, s, BYTES("77 not you"));
    era_control_server_free(s);
    place_remove(&p);
}

Test(control, a_full_server_is_silent_until_it_has_answered)
{
    struct place p = given_place();
    struct era_control_server *s = given_server(p.path);
    static struct client clients[ERA_CONTROL_PENDING_MAX];
    uint64_t ids[ERA_CONTROL_PENDING_MAX], id;
    struct era_bytes request;
    struct client late;
    for (int i = 0; i < ERA_CONTROL_PENDING_MAX; i++) {
        client_start(&clients[i], p.path, BYTES("wait"), 60000);
        ids[i] = next_request(s, &request);
    }

    client_start(&late, p.path, BYTES("late"), 60000);
    struct pollfd fd = {.fd = era_control_server_fd(s), .events = POLLIN};
    while (poll(&fd, 1, 200) == 1) /* the connection itself is accepted */
        cr_assert_not(era_control_server_poll(s, &id, &request));

    cr_assert_eq(era_control_server_reply(s, ids[7], BYTES("done")), 0);
    id = next_request(s, &request);
    cr_assert(is(request, "late"));
    cr_assert_eq(era_control_server_reply(s, id, BYTES("done")), 0);
    assert_client_got(&late, s, BYTES("done"));
    for (int i = 0; i < ERA_CONTROL_PENDING_MAX; i++) {
        if (i != 7)
            cr_assert_eq(era_control_server_reply(s, ids[i], BYTES("done")), 0);
        assert_client_got(&clients[i], s, BYTES("done"));
    }
    era_control_server_free(s);
    place_remove(&p);
}

Test(control, no_daemon_is_told_at_once)
{
    struct place p = given_place();
    uint8_t *reply;
    size_t reply_len;
    int64_t begin = now_ms();

    cr_assert_eq(era_control_call(p.path, BYTES("x"), DEADLINE_MS, &reply, &reply_len), -ENOENT);
    given_stale_socket(p.path);
    cr_assert_eq(era_control_call(p.path, BYTES("x"), DEADLINE_MS, &reply, &reply_len), -ECONNREFUSED);
    cr_assert_lt(now_ms() - begin, DEADLINE_MS / 2);

    unlink(p.path);
    place_remove(&p);
}

Test(control, a_stranger_is_told_that_he_may_not)
{
    if (getuid() != 0)
        cr_skip_test("only root can become a stranger");
    struct place p = given_place();
    uint8_t *reply;
    size_t reply_len;
    given_stale_socket(p.path);

    cr_assert_eq(seteuid(65534), 0);
    cr_assert_eq(era_control_call(p.path, BYTES("x"), DEADLINE_MS, &reply, &reply_len), -EACCES);
    cr_assert_eq(seteuid(0), 0);

    unlink(p.path);
    place_remove(&p);
}

Test(control, a_silent_daemon_ends_in_a_timeout)
{
    struct place p = given_place();
    struct era_control_server *s = given_server(p.path);
    struct client c;
    struct era_bytes request;
    uint64_t id;
    bool asked = false;
    /* On a busy machine its time may be over before it has asked: again, with more. */
    for (int ms = 300; !asked && ms <= DEADLINE_MS; ms *= 2) {
        struct pollfd fd = {.fd = era_control_server_fd(s), .events = POLLIN};
        client_start(&c, p.path, BYTES("x"), ms);
        while (!(asked = era_control_server_poll(s, &id, &request)) && !atomic_load(&c.done))
            poll(&fd, 1, 10);
        assert_client_failed(&c, -ETIMEDOUT);
    }
    cr_assert(asked);

    /* Its answer goes nowhere, and harms nobody. */
    cr_assert_eq(era_control_server_reply(s, id, BYTES("too late")), 0);
    era_control_server_free(s);
    place_remove(&p);
}

Test(control, a_stopped_daemon_that_does_not_even_greet_ends_in_a_timeout)
{
    struct place p = given_place();
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    uint8_t *reply;
    size_t reply_len;
    memcpy(sun.sun_path, p.path, strlen(p.path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
    cr_assert_eq(listen(fd, 8), 0);

    int64_t begin = now_ms();
    cr_assert_eq(era_control_call(p.path, BYTES("x"), 300, &reply, &reply_len), -ETIMEDOUT);
    cr_assert_lt(now_ms() - begin, DEADLINE_MS / 2);

    close(fd);
    unlink(p.path);
    place_remove(&p);
}

Test(control, a_stopped_daemon_with_a_full_backlog_ends_in_a_timeout)
{
    struct place p = given_place();
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    uint8_t *reply;
    size_t reply_len;
    memcpy(sun.sun_path, p.path, strlen(p.path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int waiting = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
    cr_assert_eq(listen(fd, 0), 0);
    cr_assert_eq(connect(waiting, (struct sockaddr *)&sun, sizeof(sun)), 0);

    int64_t begin = now_ms();
    cr_assert_eq(era_control_call(p.path, BYTES("x"), 300, &reply, &reply_len), -ETIMEDOUT);
    cr_assert_lt(now_ms() - begin, DEADLINE_MS / 2);

    close(waiting);
    close(fd);
    unlink(p.path);
    place_remove(&p);
}

/* At most once: an NNG client would send it again to the next daemon. */
Test(control, a_request_is_never_sent_twice)
{
    struct place p = given_place();
    struct era_control_server *s = given_server(p.path);
    struct client c;
    struct era_bytes request;
    uint64_t id;
    client_start(&c, p.path, BYTES("propose"), DEADLINE_MS);
    next_request(s, &request);

    era_control_server_free(s);
    s = given_server(p.path);
    assert_client_failed(&c, -ECONNRESET);
    cr_assert_not(era_control_server_poll(s, &id, &request));

    era_control_server_free(s);
    place_remove(&p);
}

Test(control, a_stale_socket_goes_only_with_the_state_lock)
{
    struct place p = given_place();
    struct era_control_server *s;
    struct era_control_config config = {.path = p.path, .allowed_uids = {getuid(), getuid()}};
    given_stale_socket(p.path);

    cr_assert_eq(era_control_server_new(&config, &s), -EADDRINUSE);
    config.owns_state = true;
    cr_assert_eq(era_control_server_new(&config, &s), 0);
    era_control_server_free(s);
    place_remove(&p);
}

Test(control, what_is_no_socket_is_never_removed)
{
    struct place p = given_place();
    struct era_control_server *s;
    struct era_control_config config = {.path = p.path, .owns_state = true};
    close(open(p.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));

    cr_assert_eq(era_control_server_new(&config, &s), -EEXIST);
    cr_assert_eq(unlink(p.path), 0);
    place_remove(&p);
}

Test(control, a_path_that_fits_no_socket_is_named_so)
{
    char path[200] = "/";
    struct era_control_server *s;
    struct era_control_config config = {.path = path, .owns_state = true};
    uint8_t *reply;
    size_t reply_len;
    memset(path + 1, 'x', 107);

    cr_assert_eq(era_control_server_new(&config, &s), -ENAMETOOLONG);
    cr_assert_eq(era_control_call(path, BYTES("x"), 100, &reply, &reply_len), -ENAMETOOLONG);
    cr_assert_eq(era_control_call("relative", BYTES("x"), 100, &reply, &reply_len), -EINVAL);
}
