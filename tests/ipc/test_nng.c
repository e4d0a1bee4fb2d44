/* Both ends of both sockets against the real NNG: who has a binding to it is a
 * peer of erad. */
#include "src/ipc/control.h"
#include "src/ipc/signal.h"
#include "tests/ipc/lib_ipc.h"

#include <criterion/criterion.h>
#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BYTES(text) ((struct era_bytes){(const uint8_t *)(text), strlen(text)})

static const char *url_of(const struct place *p)
{
    static char url[80];
    snprintf(url, sizeof(url), "ipc://%s", p->path);
    return url;
}

/* An NNG socket waits at most so long for anything. */
static void set_limits(nng_socket socket)
{
    cr_assert_eq(nng_socket_set_ms(socket, NNG_OPT_RECVTIMEO, DEADLINE_MS), 0);
    cr_assert_eq(nng_socket_set_ms(socket, NNG_OPT_SENDTIMEO, DEADLINE_MS), 0);
}

struct asker {
    nng_socket socket;
    const char *url;
    char reply[64];
    size_t len;
    int result;
};

static void *ask(void *arg)
{
    struct asker *a = arg;
    a->len = sizeof(a->reply);
    a->result = nng_dial(a->socket, a->url, NULL, 0);
    if (a->result == 0)
        a->result = nng_send(a->socket, (void *)(uintptr_t) "status", 6, 0);
    if (a->result == 0)
        a->result = nng_recv(a->socket, a->reply, &a->len, 0);
    return NULL;
}

Test(nng, its_req_asks_our_control_server)
{
    struct place p = given_place();
    struct era_control_server *s;
    struct era_control_config config = {
        .path = p.path, .owns_state = true, .allowed_uids = {getuid(), getuid()}, .refusal = BYTES("no")};
    struct asker a = {.url = url_of(&p)};
    struct era_bytes bytes;
    pthread_t thread;
    uint64_t id;
    cr_assert_eq(era_control_server_new(&config, &s), 0);
    cr_assert_eq(nng_req0_open(&a.socket), 0);
    set_limits(a.socket);
    cr_assert_eq(pthread_create(&thread, NULL, ask, &a), 0);

    struct pollfd fd = {.fd = era_control_server_fd(s), .events = POLLIN};
    while (!era_control_server_poll(s, &id, &bytes))
        cr_assert_eq(poll(&fd, 1, DEADLINE_MS), 1);
    cr_assert(bytes.len == 6 && memcmp(bytes.data, "status", 6) == 0);
    cr_assert_eq(era_control_server_reply(s, id, BYTES("all is well")), 0);

    pthread_join(thread, NULL);
    cr_assert_eq(a.result, 0);
    cr_assert(a.len == 11 && memcmp(a.reply, "all is well", 11) == 0);
    nng_close(a.socket);
    era_control_server_free(s);
    place_remove(&p);
}

static void *answer_once(void *arg)
{
    nng_socket *rep = arg;
    char request[64];
    size_t len = sizeof(request);
    if (nng_recv(*rep, request, &len, 0) == 0)
        nng_send(*rep, request, len, 0);
    return NULL;
}

Test(nng, our_client_asks_its_rep)
{
    struct place p = given_place();
    nng_socket rep;
    pthread_t thread;
    uint8_t *reply = NULL;
    size_t len;
    cr_assert_eq(nng_rep0_open(&rep), 0);
    set_limits(rep);
    cr_assert_eq(nng_listen(rep, url_of(&p), NULL, 0), 0);
    cr_assert_eq(pthread_create(&thread, NULL, answer_once, &rep), 0);

    cr_assert_eq(era_control_call(p.path, BYTES("echo"), DEADLINE_MS, &reply, &len), 0);
    cr_assert(len == 4 && memcmp(reply, "echo", 4) == 0);

    free(reply);
    pthread_join(thread, NULL);
    nng_close(rep);
    place_remove(&p);
}

Test(nng, its_sub_follows_our_signals)
{
    struct place p = given_place();
    struct era_signal_server *s;
    nng_socket sub;
    char text[64];
    size_t len = sizeof(text);
    cr_assert_eq(era_signal_server_new(p.path, true, &s), 0);
    cr_assert_eq(nng_sub0_open(&sub), 0);
    set_limits(sub);
    cr_assert_eq(nng_socket_set(sub, NNG_OPT_SUB_SUBSCRIBE, "gate.", 5), 0);
    cr_assert_eq(nng_dial(sub, url_of(&p), NULL, NNG_FLAG_NONBLOCK), 0);
    struct pollfd fd = {.fd = era_signal_server_fd(s), .events = POLLIN};
    while (era_signal_server_subscribers(s) == 0) {
        cr_assert_eq(poll(&fd, 1, DEADLINE_MS), 1);
        era_signal_server_serve(s);
    }

    cr_assert_eq(era_signal_server_publish(s, "era.activated", "{}"), 0);
    cr_assert_eq(era_signal_server_publish(s, "gate.changed", "{}"), 0);

    cr_assert_eq(nng_recv(sub, text, &len, 0), 0);
    cr_assert(len == 15 && memcmp(text, "gate.changed\n{}", 15) == 0);
    nng_close(sub);
    era_signal_server_free(s);
    place_remove(&p);
}

static void tell_that_it_came(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    (void)pipe;
    (void)event;
    eventfd_write(*(int *)arg, 1);
}

Test(nng, our_follower_hears_its_pub)
{
    struct place p = given_place();
    struct era_signal_follow *f;
    nng_socket pub;
    char *text;
    int came = eventfd(0, EFD_CLOEXEC);
    cr_assert_eq(nng_pub0_open(&pub), 0);
    cr_assert_eq(nng_pipe_notify(pub, NNG_PIPE_EV_ADD_POST, tell_that_it_came, &came), 0);
    cr_assert_eq(nng_listen(pub, url_of(&p), NULL, 0), 0);
    cr_assert_eq(era_signal_follow_new(p.path, "gate.", DEADLINE_MS, &f), 0);
    struct pollfd fd = {.fd = came, .events = POLLIN};
    cr_assert_eq(poll(&fd, 1, DEADLINE_MS), 1);

    cr_assert_eq(nng_send(pub, (void *)(uintptr_t) "gate.changed\n{}", 15, 0), 0);

    cr_assert_eq(era_signal_follow_next(f, DEADLINE_MS, &text), 0);
    cr_assert_str_eq(text, "gate.changed\n{}");
    free(text);
    era_signal_follow_free(f);
    nng_close(pub);
    close(came);
    place_remove(&p);
}
