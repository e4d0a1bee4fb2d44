/* The observers' port, as clients with good and bad manners meet it. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "proto/limits.h"
#include "src/erad/http.h"
#include "src/erad/log.h"
#include "tests/erad/lone.h"

#define DEADLINE_MS 60000

struct served {
    struct event_base *base;
    struct lone *l;
    struct era_http *http;
};

static void fill(void *ctx, struct era_report_info *info)
{
    *info = ((struct lone *)ctx)->info;
}

static struct served given_server_on(const char *address)
{
    struct served s = {.base = event_base_new()};
    struct era_error err;
    era_log_start(0);
    s.l = lone_new(given_charter("alice:10", "network k=1 signers=s1 software=>=1.0.0"), "alice", "1.0.0", 7);
    s.http = era_http_new(s.base, address, s.l->node, fill, s.l, &err);
    cr_assert(s.http, "%s", err.text);
    return s;
}

static struct served given_server(void)
{
    return given_server_on("127.0.0.1:0");
}

static void end(struct served *s)
{
    era_http_free(s->http);
    event_base_free(s->base);
    lone_free(s->l);
}

/* ---- a client, whose server runs in between ---- */

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int dial(const struct served *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    const char *bound = era_http_bound(s->http);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons((uint16_t)atoi(strrchr(bound, ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert_geq(fd, 0);
    connect(fd, (struct sockaddr *)&a, sizeof a);
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    cr_assert_eq(poll(&p, 1, DEADLINE_MS), 1);
    return fd;
}

static void say(int fd, const char *text)
{
    ssize_t sent = send(fd, text, strlen(text), MSG_NOSIGNAL);
    cr_assert_eq(sent, (ssize_t)strlen(text));
}

/* Everything until the server closes, NULL when it resets the connection; serves meanwhile. */
static const char *hear_or_not(const struct served *s, int fd)
{
    static char text[4 << 20];
    size_t len = 0;
    uint64_t until = now_ms() + DEADLINE_MS;
    while (now_ms() < until) {
        event_base_loop(s->base, EVLOOP_NONBLOCK);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 5) == 0)
            continue;
        ssize_t n = recv(fd, text + len, sizeof text - 1 - len, 0);
        if (n < 0)
            return NULL;
        if (n == 0) {
            text[len] = '\0';
            return text;
        }
        len += (size_t)n;
    }
    cr_assert(false, "the server did not close in time");
    return NULL;
}

static const char *hear(const struct served *s, int fd)
{
    const char *text = hear_or_not(s, fd);
    cr_assert(text, "the connection was reset: a client may lose the reply");
    return text;
}

static const char *ask(const struct served *s, const char *request)
{
    int fd = dial(s);
    say(fd, request);
    const char *text = hear(s, fd);
    close(fd);
    return text;
}

static const char *get(const struct served *s, const char *path)
{
    char request[256];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    return ask(s, request);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static json_t *body_of(const char *text)
{
    const char *body = strstr(text, "\r\n\r\n");
    cr_assert(body, "%s", text);
    json_t *o = json_loads(body + 4, 0, NULL);
    cr_assert(o, "%s", body);
    return o;
}

/* ---- pages ---- */

Test(http, C4_serves_the_pages_of_the_contract)
{
    struct served s = given_server();
    static const char *const schemas[][2] = {{"/api/v1/status", "erad.status/1"},
                                             {"/api/v1/eras", "erad.eras/1"},
                                             {"/api/v1/proposals?x=1", "erad.proposals/1"}};
    for (size_t i = 0; i < 3; i++) {
        const char *text = get(&s, schemas[i][0]);
        cr_assert(begins(text, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"), "%s", text);
        json_t *o = body_of(text);
        cr_assert_str_eq(text_at(o, "schema"), schemas[i][1]);
        json_decref(o);
    }
    const char *text = get(&s, "/metrics");
    cr_assert(begins(text, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    cr_assert(strstr(text, "\nerad_epoch 7\n"));
    text = get(&s, "/healthz");
    cr_assert_str_eq(strstr(text, "\r\n\r\n") + 4, "ok\n");
    end(&s);
}

Test(http, every_reply_says_no_store_nosniff_and_close)
{
    struct served s = given_server();
    static const char *const paths[] = {"/healthz", "/nothing"};
    for (size_t i = 0; i < 2; i++) {
        const char *text = get(&s, paths[i]);
        cr_assert(strstr(text, "\r\nCache-Control: no-store\r\n"));
        cr_assert(strstr(text, "\r\nX-Content-Type-Options: nosniff\r\n"));
        cr_assert(strstr(text, "\r\nConnection: close\r\n"));
    }
    end(&s);
}

Test(http, P3_ready_is_503_with_the_state_while_the_gate_is_closed)
{
    struct served s = given_server();
    const char *text = get(&s, "/readyz");
    cr_assert(begins(text, "HTTP/1.1 200 "));
    cr_assert_str_eq(strstr(text, "\r\n\r\n") + 4, "current\n");
    lone_runs(s.l, "0.9.0");
    text = get(&s, "/readyz");
    cr_assert(begins(text, "HTTP/1.1 503 "), "%s", text);
    cr_assert_str_eq(strstr(text, "\r\n\r\n") + 4, "blocked\n");
    cr_assert(begins(get(&s, "/healthz"), "HTTP/1.1 200 "));
    end(&s);
}

Test(http, head_has_the_headers_of_get_and_no_body)
{
    struct served s = given_server();
    char length[64];
    const char *text = get(&s, "/api/v1/eras"), *at_length = strstr(text, "Content-Length: ");
    snprintf(length, sizeof length, "%.*s", (int)strcspn(at_length, "\r"), at_length);
    text = ask(&s, "HEAD /api/v1/eras HTTP/1.1\r\nHost: localhost\r\n\r\n");
    cr_assert(begins(text, "HTTP/1.1 200 OK\r\n"));
    cr_assert(strstr(text, length), "%s in %s", length, text);
    cr_assert_str_eq(strstr(text, "\r\n\r\n"), "\r\n\r\n");
    end(&s);
}

Test(http, an_unknown_page_is_a_404_that_names_the_known_ones)
{
    struct served s = given_server();
    const char *text = get(&s, "/api/v1/secrets");
    cr_assert(begins(text, "HTTP/1.1 404 Not Found\r\n"));
    json_t *o = body_of(text);
    cr_assert_str_eq(text_at(o, "error.code"), "not-found");
    cr_assert_str_eq(text_at(o, "error.where"), "/api/v1/secrets");
    json_decref(o);
    cr_assert(begins(get(&s, "/"), "HTTP/1.1 404 "));
    cr_assert(begins(get(&s, "/metrics/"), "HTTP/1.1 404 "));
    end(&s);
}

/* ---- manners ---- */

Test(http, nothing_can_be_changed_here)
{
    struct served s = given_server();
    static const char *const methods[] = {"POST",  "PUT",     "DELETE", "OPTIONS",
                                          "TRACE", "CONNECT", "BREW",   "get"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        char request[256];
        snprintf(request, sizeof request,
                 "%s /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", methods[i]);
        const char *text = ask(&s, request);
        cr_assert(begins(text, "HTTP/1.1 405 Method Not Allowed\r\n"), "%s: %s", methods[i], text);
        cr_assert(strstr(text, "\r\nAllow: GET, HEAD\r\n"));
    }
    end(&s);
}

Test(http, a_body_is_refused)
{
    struct served s = given_server();
    cr_assert(begins(ask(&s, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"),
                     "HTTP/1.1 413 "));
    cr_assert(
        begins(ask(&s, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"),
               "HTTP/1.1 413 "));
    cr_assert(begins(ask(&s, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"),
                     "HTTP/1.1 200 "));
    end(&s);
}

Test(http, what_is_no_request_is_a_400)
{
    struct served s = given_server();
    static const char *const bad[] = {"hello\r\n\r\n",
                                      "\r\n\r\n",
                                      "GET /healthz\r\n\r\n",
                                      "GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
                                      "GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n",
                                      "GET /healthz HTTP/1.1\r\n\r\n",
                                      "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
                                      "GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n",
                                      "GET /healthz HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n",
                                      "GET /healthz HTTP/1.1\r\nno colon\r\n\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *text = ask(&s, bad[i]);
        cr_assert(begins(text, "HTTP/1.1 400 Bad Request\r\n"), "%zu: %s", i, text);
    }
    end(&s);
}

Test(http, http_1_0_needs_no_host_and_plain_newlines_do)
{
    struct served s = given_server();
    cr_assert(begins(ask(&s, "GET /healthz HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 "));
    cr_assert(begins(ask(&s, "GET /healthz HTTP/1.0\n\n"), "HTTP/1.1 200 "));
    cr_assert(begins(ask(&s, "GET /healthz HTTP/1.0\r\n\n"), "HTTP/1.1 200 "));
    cr_assert(begins(ask(&s, "GET /healthz HTTP/1.0\n\r\n"), "HTTP/1.1 200 "));
    end(&s);
}

Test(http, on_loopback_only_its_own_names_are_answered)
{
    struct served s = given_server();
    static const struct {
        const char *host, *status;
    } rows[] = {{"localhost", "200"},
                {"LocalHost:7712", "200"},
                {"127.0.0.1", "200"},
                {"127.0.0.1:1", "200"},
                {"[::1]", "200"},
                {"[::1]:7712", "200"},
                {"evil.example", "403"},
                {"evil.example:7712", "403"},
                {"localhost.evil.example", "403"},
                {"127.0.0.1.evil.example", "403"},
                {"", "403"},
                {"[::1", "403"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char request[256];
        snprintf(request, sizeof request, "GET /api/v1/status HTTP/1.1\r\nHost: %s\r\n\r\n", rows[i].host);
        const char *text = ask(&s, request);
        cr_assert_eq(strncmp(text + 9, rows[i].status, 3), 0, "%s: %s", rows[i].host, text);
        cr_assert(rows[i].status[0] == '2' || !strstr(text, "storage-grid"));
    }
    end(&s);
}

Test(http, off_loopback_any_name_is_answered)
{
    struct served s = given_server_on("0.0.0.0:0");
    cr_assert(begins(ask(&s, "GET /healthz HTTP/1.1\r\nHost: node1.example\r\n\r\n"), "HTTP/1.1 200 "));
    end(&s);
}

/* ---- limits ---- */

Test(http, a_head_above_the_limit_is_a_431_that_arrives)
{
    struct served s = given_server();
    static char request[16 * ERA_HTTP_HEADER_BYTES_MAX]; /* the client says all before it listens */
    size_t len = (size_t)snprintf(request, sizeof request, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ");
    memset(request + len, 'a', sizeof request - 1 - len);
    cr_assert(begins(ask(&s, request), "HTTP/1.1 431 "));
    memcpy(request + ERA_HTTP_HEADER_BYTES_MAX - 4, "\r\n\r\n", 5); /* the largest there may be */
    cr_assert(begins(ask(&s, request), "HTTP/1.1 200 "));
    end(&s);
}

Test(http, a_slow_client_is_cut_off_however_it_trickles)
{
    struct served s = given_server();
    era_http_set_deadline_ms(s.http, 300);
    int fd = dial(&s);
    uint64_t begun = now_ms(), until = begun + DEADLINE_MS;
    bool cut = false;
    while (!cut && now_ms() < until) {
        char byte = 'G';
        event_base_loop(s.base, EVLOOP_NONBLOCK);
        send(fd, &byte, 1, MSG_NOSIGNAL);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        cut = poll(&p, 1, 10) == 1 && recv(fd, &byte, 1, 0) <= 0;
    }
    close(fd);
    cr_assert(cut);
    cr_assert_geq(now_ms() - begun, 250);
    end(&s);
}

Test(http, a_client_that_never_closes_after_its_reply_is_cut_off_too)
{
    struct served s = given_server();
    int fd = -1;
    const char *text = NULL;
    /* On a busy machine it may be cut off before its reply: again, with more time. */
    for (uint64_t ms = 300; (!text || !*text) && ms <= DEADLINE_MS; ms *= 2) {
        close(fd);
        era_http_set_deadline_ms(s.http, ms);
        fd = dial(&s);
        say(fd, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        text = hear_or_not(&s, fd);
    }
    cr_assert(text && begins(text, "HTTP/1.1 200 "), "%s", text ? text : "reset");
    uint64_t begun = now_ms();
    bool reset = false;
    while (!reset && now_ms() - begun < DEADLINE_MS) {
        event_base_loop(s.base, EVLOOP_NONBLOCK);
        struct pollfd p = {.fd = fd};
        send(fd, "x", 1, MSG_NOSIGNAL);
        reset = poll(&p, 1, 10) == 1 && (p.revents & (POLLHUP | POLLERR));
    }
    cr_assert(reset);
    close(fd);
    end(&s);
}

/* More than a socket takes at once. */
static void given_large_pages(const struct served *s)
{
    for (uint64_t seq = 1; seq <= 60; seq++) {
        struct era_proposal *p =
            given_artefacts(given_soft(given_proposal(s->l->charter, "network", seq), 20, "1.1.0"),
                            "a b c d e f g h i j k l m n o p");
        for (size_t i = 0; i < 16; i++)
            memset(p->plan.entries[1].record.artefacts[i].link, '"', ERA_LINK_BYTES_MAX);
        lone_submit(s->l, given_proposed(s->l->charter, "s1", given_seal(p)));
    }
}

Test(http, a_half_closed_client_gets_its_whole_reply)
{
    struct served s = given_server();
    given_large_pages(&s);
    int fd = dial(&s);
    say(fd, "GET /api/v1/proposals HTTP/1.0\r\n\r\n");
    shutdown(fd, SHUT_WR);
    const char *text = hear(&s, fd);
    json_t *o = body_of(text);
    cr_assert_gt(strlen(text), 400000);
    cr_assert_eq(json_array_size(at(o, "proposals")), 60);
    json_decref(o);
    close(fd);
    end(&s);
}

Test(http, one_connection_more_than_the_cap_is_closed_and_room_comes_back)
{
    struct served s = given_server();
    int held[ERA_HTTP_CONNECTIONS_MAX];
    for (size_t i = 0; i < ERA_HTTP_CONNECTIONS_MAX; i++) {
        held[i] = dial(&s);
        event_base_loop(s.base, EVLOOP_NONBLOCK);
    }
    int fd = dial(&s);
    cr_assert_str_eq(hear(&s, fd), "");
    close(fd);
    say(held[0], "GET /healthz HTTP/1.0\r\n\r\n");
    cr_assert(begins(hear(&s, held[0]), "HTTP/1.1 200 "));
    close(held[0]);
    cr_assert(begins(get(&s, "/healthz"), "HTTP/1.1 200 "));
    for (size_t i = 1; i < ERA_HTTP_CONNECTIONS_MAX; i++)
        close(held[i]);
    end(&s);
}

Test(http, a_second_request_on_a_connection_is_not_served)
{
    struct served s = given_server();
    const char *text = ask(&s, "GET /healthz HTTP/1.0\r\n\r\nGET /metrics HTTP/1.0\r\n\r\n");
    cr_assert_str_eq(strstr(text, "\r\n\r\n") + 4, "ok\n");
    end(&s);
}

Test(http, an_address_that_cannot_be_bound_is_an_error_with_a_cure)
{
    struct served s = given_server();
    struct era_error err;
    static const char *const bad[] = {"", "7712", ":7712", "127.0.0.1", "127.0.0.1:port", "192.0.2.1:0"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_null(era_http_new(s.base, bad[i], s.l->node, fill, s.l, &err), "%s", bad[i]);
        cr_assert_eq(err.status, ERA_EXIT_CONFIG);
        cr_assert_str_eq(err.cure, "write http = \"127.0.0.1:7712\", or \"\" for none");
    }
    cr_assert_null(era_http_new(s.base, era_http_bound(s.http), s.l->node, fill, s.l, &err));
    cr_assert(strstr(err.text, "Address already in use"));
    end(&s);
}

Test(http, ipv6_loopback_works_where_there_is_one)
{
    struct event_base *base = event_base_new();
    struct lone *l = lone_new(given_charter("alice:10", "network k=1 signers=s1"), NULL, "1.0.0", 7);
    struct era_error err;
    era_log_start(0);
    struct era_http *http = era_http_new(base, "[::1]:0", l->node, fill, l, &err);
    if (http)
        cr_assert(begins(era_http_bound(http), "[::1]:"));
    else
        cr_assert(strstr(err.text, "Cannot assign requested address") || strstr(err.text, "not supported"),
                  "%s", err.text);
    era_http_free(http);
    event_base_free(base);
    lone_free(l);
}
