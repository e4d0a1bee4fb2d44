/* A reply a connection, then it closes: no keep-alive, no bodies, no chunks. libevent's buffers and
 * listener do the work, http_head reads; CONTRIBUTING.md says why not evhttp. */
#include "src/erad/http.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "proto/limits.h"
#include "src/erad/http_head.h"
#include "src/erad/log.h"
#include "src/erad/metrics.h"

#define HOST_BYTES  ERA_HTTP_NAME_BYTES
#define RELISTEN_MS 1000 /* out of descriptors: accept again after so long */
#define TEXT_PLAIN  "text/plain; charset=utf-8"

struct connection {
    struct era_http *http;
    struct bufferevent *bev; /* NULL: free place */
    struct event *deadline;
    bool replied, half_closed;
};

struct era_http {
    struct event_base *base;
    struct evconnlistener *listener;
    struct event *relisten;
    const struct era_node *node;
    void (*fill)(void *ctx, struct era_report_info *info);
    void *ctx;
    char bound[HOST_BYTES + 16], host[HOST_BYTES];
    bool loopback;
    uint64_t deadline_ms;
    struct connection connections[ERA_HTTP_CONNECTIONS_MAX];
};

/* ---- connections ---- */

static void drop(struct connection *c)
{
    event_free(c->deadline);
    bufferevent_free(c->bev); /* closes */
    c->deadline = NULL;
    c->bev = NULL;
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd, (void)what;
    drop(ctx);
}

/* An error, or the client has said all: it may still read what is on its way. */
static void on_event(struct bufferevent *bev, short what, void *ctx)
{
    struct connection *c = ctx;
    if ((what & BEV_EVENT_EOF) && evbuffer_get_length(bufferevent_get_output(bev)) > 0)
        c->half_closed = true;
    else
        drop(c);
}

/* All is written: say so, and read away what the client still sends until it closes or its time is up.
 * Closing with unread bytes would reset the connection, and the reply be lost. */
static void on_written(struct bufferevent *bev, void *ctx)
{
    struct connection *c = ctx;
    if (!c->replied)
        return; /* libevent says so of an empty buffer too */
    if (c->half_closed)
        drop(c);
    else
        shutdown(bufferevent_getfd(bev), SHUT_WR);
}

/* ---- replies ---- */

static const char *reason(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 413:
        return "Content Too Large";
    case 431:
        return "Request Header Fields Too Large";
    default:
        return "Service Unavailable";
    }
}

static void reply(struct connection *c, int status, const char *type, const char *body, size_t len,
                  bool head_only)
{
    struct evbuffer *out = bufferevent_get_output(c->bev), *in = bufferevent_get_input(c->bev);
    c->replied = true;
    evbuffer_add_printf(
        out,
        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        status, reason(status), type, len, status == 405 ? "Allow: GET, HEAD\r\n" : "");
    if (!head_only)
        evbuffer_add(out, body, len);
    evbuffer_drain(in, evbuffer_get_length(in));
}

static void reply_text(struct connection *c, const struct era_http_head *h, int status, const char *text)
{
    reply(c, status, TEXT_PLAIN, text, strlen(text), strcmp(h->method, "HEAD") == 0);
}

/* Takes o. */
static void reply_json(struct connection *c, const struct era_http_head *h, int status, json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    assert(text);
    reply(c, status, "application/json", text, strlen(text), strcmp(h->method, "HEAD") == 0);
    free(text);
}

/* Errors look as those of `eractl --json`. */
static void reply_error(struct connection *c, const struct era_http_head *h, int status, const char *code,
                        const char *text, const char *cure)
{
    json_t *o = json_pack("{s:{s:s,s:s,s:s*,s:s}}", "error", "code", code, "text", text, "where",
                          h->path[0] ? h->path : NULL, "cure", cure);
    assert(o);
    reply_json(c, h, status, o);
}

static void serve_ready(struct connection *c, const struct era_http_head *h)
{
    const struct era_node *n = c->http->node;
    enum era_gate_state state = era_node_gate(n, era_node_network_component(n))->state;
    char text[32];
    snprintf(text, sizeof text, "%s\n", era_gate_name(state));
    reply_text(c, h, era_gate_may_emit(state) ? 200 : 503, text);
}

static void serve_metrics(struct connection *c, const struct era_http_head *h)
{
    struct era_report_info info = {0};
    size_t len;
    c->http->fill(c->http->ctx, &info);
    char *text = era_metrics_text(c->http->node, &info, &len);
    reply(c, 200, "text/plain; version=0.0.4; charset=utf-8", text, len, strcmp(h->method, "HEAD") == 0);
    free(text);
}

static void serve_status(struct connection *c, const struct era_http_head *h)
{
    struct era_report_info info = {0};
    c->http->fill(c->http->ctx, &info);
    reply_json(c, h, 200, era_report_status(c->http->node, &info));
}

static void serve_eras(struct connection *c, const struct era_http_head *h)
{
    reply_json(c, h, 200, era_report_eras(c->http->node, -1));
}

static void serve_proposals(struct connection *c, const struct era_http_head *h)
{
    reply_json(c, h, 200, era_report_proposals(c->http->node));
}

static void serve_health(struct connection *c, const struct era_http_head *h)
{
    reply_text(c, h, 200, "ok\n");
}

static const struct {
    const char *path;
    void (*serve)(struct connection *c, const struct era_http_head *h);
} routes[] = {
    {"/metrics", serve_metrics},  {"/api/v1/status", serve_status},
    {"/api/v1/eras", serve_eras}, {"/api/v1/proposals", serve_proposals},
    {"/healthz", serve_health},   {"/readyz", serve_ready},
};

/* ---- requests ---- */

/* A page of another site can make a browser ask us under its own name (DNS rebinding): on loopback only our
 * names are answered. */
static bool host_is_ours(const struct era_http *http, const char *host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    char name[HOST_BYTES];
    snprintf(name, sizeof name, "%s", host);
    char *port = strrchr(name, ':');
    if (port && !strchr(port, ']'))
        *port = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return strcasecmp(name, http->host) == 0;
}

static void answer(struct connection *c, const struct era_http_head *h)
{
    if (strcmp(h->method, "GET") != 0 && strcmp(h->method, "HEAD") != 0) {
        reply_error(c, h, 405, "usage", "only GET and HEAD are served here", "use eractl to change anything");
        return;
    }
    if (!h->has_host && !h->http10) {
        reply_error(c, h, 400, "malformed", "a request of HTTP/1.1 names one host", "send one Host header");
        return;
    }
    if (c->http->loopback && h->has_host && !host_is_ours(c->http, h->host)) {
        reply_error(c, h, 403, "permission", "this address is asked for under a foreign name",
                    "use localhost or the address itself");
        return;
    }
    if (h->has_body) {
        reply_error(c, h, 413, "oversized", "a request has no body here", "send none");
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (strcmp(h->path, routes[i].path) == 0) {
            routes[i].serve(c, h);
            return;
        }
    reply_error(c, h, 404, "not-found", "there is no such page",
                "try /metrics, /healthz, /readyz, /api/v1/status, /api/v1/eras, /api/v1/proposals");
}

static void on_read(struct bufferevent *bev, void *ctx)
{
    struct connection *c = ctx;
    struct evbuffer *in = bufferevent_get_input(bev);
    if (c->replied) {
        evbuffer_drain(in, evbuffer_get_length(in));
        return;
    }
    struct era_http_head h;
    switch (era_http_head_read((const char *)evbuffer_pullup(in, -1), evbuffer_get_length(in), &h)) {
    case ERA_HTTP_HEAD_PART:
        break;
    case ERA_HTTP_HEAD_LARGE:
        reply_error(c, &h, 431, "oversized", "the request's head is larger than the limit",
                    "send fewer headers");
        break;
    case ERA_HTTP_HEAD_BAD:
        reply_error(c, &h, 400, "malformed", "this is no request of HTTP/1.1", "ask with curl or a browser");
        break;
    case ERA_HTTP_HEAD_WHOLE:
        answer(c, &h);
        break;
    }
}

/* ---- accepting ---- */

static struct connection *place(struct era_http *http)
{
    for (size_t i = 0; i < ERA_HTTP_CONNECTIONS_MAX; i++)
        if (!http->connections[i].bev)
            return &http->connections[i];
    return NULL;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int len,
                      void *ctx)
{
    (void)listener, (void)address, (void)len;
    struct era_http *http = ctx;
    struct timeval limit = {.tv_sec = (time_t)(http->deadline_ms / 1000),
                            .tv_usec = (suseconds_t)(http->deadline_ms % 1000 * 1000)};
    struct connection *c = place(http);
    struct bufferevent *bev = c ? bufferevent_socket_new(http->base, fd, BEV_OPT_CLOSE_ON_FREE) : NULL;
    if (!bev) {
        close(fd);
        return;
    }
    *c = (struct connection){.http = http, .bev = bev, .deadline = evtimer_new(http->base, on_deadline, c)};
    assert(c->deadline);
    event_add(c->deadline, &limit); /* for the whole of it, however it trickles */
    bufferevent_setcb(bev, on_read, on_written, on_event, c);
    bufferevent_setwatermark(bev, EV_READ, 0, ERA_HTTP_HEADER_BYTES_MAX);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
}

/* Out of descriptors: accepting again at once would only spin. */
static void on_accept_error(struct evconnlistener *listener, void *ctx)
{
    static const struct timeval pause = {.tv_sec = RELISTEN_MS / 1000};
    struct era_http *http = ctx;
    era_log(ERA_LOG_WARNING, "http: cannot accept: %s", strerror(errno));
    evconnlistener_disable(listener);
    event_add(http->relisten, &pause);
}

static void on_relisten(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd, (void)what;
    struct era_http *http = ctx;
    evconnlistener_enable(http->listener);
}

/* ---- life ---- */

static bool bad_address(struct era_error *err, const char *address, const char *why)
{
    return era_error_set(err, ERA_EXIT_CONFIG, address, "write http = \"127.0.0.1:7712\", or \"\" for none",
                         "cannot listen for observers: %s", why);
}

static bool is_loopback(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24 == 127;
    return a->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

static void name_bound(struct era_http *http)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
    if (getsockname(evconnlistener_get_fd(http->listener), (struct sockaddr *)&a, &len) != 0)
        return;
    getnameinfo((struct sockaddr *)&a, len, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(http->host, sizeof http->host, a.ss_family == AF_INET6 ? "[%.200s]" : "%.200s", host);
    snprintf(http->bound, sizeof http->bound, "%s:%.8s", http->host, port);
    http->loopback = is_loopback((struct sockaddr *)&a);
    if (!http->loopback)
        era_log(ERA_LOG_NOTICE, "http: %s can be reached from other machines, without a password",
                http->bound);
}

static bool bind_to(struct era_http *http, const char *address, struct era_error *err)
{
    char host[HOST_BYTES];
    const char *colon = strrchr(address, ':');
    if (!colon || colon == address || (size_t)(colon - address) >= sizeof host)
        return bad_address(err, address, "it is not HOST:PORT");
    bool bracketed = address[0] == '[' && colon[-1] == ']';
    size_t len = (size_t)(colon - address) - (bracketed ? 2 : 0);
    memcpy(host, address + (bracketed ? 1 : 0), len);
    host[len] = '\0';
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
    int rc = getaddrinfo(host, colon + 1, &hints, &found);
    if (rc != 0)
        return bad_address(err, address, gai_strerror(rc));
    http->listener = evconnlistener_new_bind(
        http->base, on_accept, http, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
        ERA_HTTP_CONNECTIONS_MAX, found->ai_addr, (int)found->ai_addrlen);
    int error = errno;
    freeaddrinfo(found);
    if (!http->listener)
        return bad_address(err, address, strerror(error));
    evconnlistener_set_error_cb(http->listener, on_accept_error);
    name_bound(http);
    return true;
}

struct era_http *era_http_new(struct event_base *base, const char *address, const struct era_node *node,
                              void (*fill)(void *ctx, struct era_report_info *info), void *ctx,
                              struct era_error *err)
{
    struct era_http *http = calloc(1, sizeof *http);
    assert(http);
    *http = (struct era_http){
        .base = base, .node = node, .fill = fill, .ctx = ctx, .deadline_ms = ERA_HTTP_DEADLINE_MS};
    http->relisten = evtimer_new(base, on_relisten, http);
    assert(http->relisten);
    if (bind_to(http, address, err))
        return http;
    era_http_free(http);
    return NULL;
}

void era_http_set_deadline_ms(struct era_http *h, uint64_t deadline_ms)
{
    h->deadline_ms = deadline_ms;
}

const char *era_http_bound(const struct era_http *h)
{
    return h->bound;
}

void era_http_free(struct era_http *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < ERA_HTTP_CONNECTIONS_MAX; i++)
        if (h->connections[i].bev)
            drop(&h->connections[i]);
    if (h->listener)
        evconnlistener_free(h->listener);
    event_free(h->relisten);
    free(h);
}
