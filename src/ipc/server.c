#include "src/ipc/server.h"
#include "src/ipc/wire.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID_SLOT_BITS   8
#define LISTEN_BACKLOG 64
#define LISTENER_TAG   0 /* in epoll; connections are tagged by their id, never 0 */

struct out_message {
    struct out_message *next;
    size_t len, written;
    uint8_t data[];
};

struct conn {
    uint64_t id; /* 0: free */
    int fd;
    uid_t uid;
    uint32_t watched; /* epoll events asked for */
    struct era_ipc_reader in;
    struct out_message *out_first, *out_last;
    size_t out_count, out_bytes;
};

struct era_ipc_server {
    struct era_ipc_server_config config;
    struct sockaddr_un address;
    int listener, epoll;
    int spare; /* given up for a moment to turn a connection away when descriptors run out */
    bool paused;
    uint64_t generation;
    uint8_t *lent;       /* the message the owner borrows */
    struct conn conns[]; /* config.conns_max of them */
};

/* ---- connections ---- */

static struct conn *conn_find(struct era_ipc_server *s, uint64_t id)
{
    size_t slot = id & ((1 << ID_SLOT_BITS) - 1);
    return id != 0 && slot < s->config.conns_max && s->conns[slot].id == id ? &s->conns[slot] : NULL;
}

static void out_pop(struct conn *c)
{
    struct out_message *m = c->out_first;
    c->out_first = m->next;
    if (c->out_first == NULL)
        c->out_last = NULL;
    c->out_count--;
    c->out_bytes -= m->len;
    free(m);
}

static void conn_close(struct conn *c)
{
    while (c->out_first != NULL)
        out_pop(c);
    era_ipc_reader_next(&c->in);
    close(c->fd); /* leaves the epoll set with it */
    *c = (struct conn){0};
}

static void conn_watch(struct era_ipc_server *s, struct conn *c)
{
    uint32_t events = (s->paused ? 0 : EPOLLIN) | (c->out_first != NULL ? EPOLLOUT : 0);
    struct epoll_event e = {.events = events, .data.u64 = c->id};
    if (events == c->watched)
        return;
    c->watched = events;
    epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &e);
}

/* Write what waits. False when the connection broke. */
static bool conn_write(struct era_ipc_server *s, struct conn *c)
{
    while (c->out_first != NULL) {
        struct out_message *m = c->out_first;
        ssize_t n = send(c->fd, m->data + m->written, m->len - m->written, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
            return false;
        if (n < 0)
            break;
        m->written += (size_t)n;
        if (m->written == m->len)
            out_pop(c);
    }
    conn_watch(s, c);
    return true;
}

static void out_push(struct conn *c, struct out_message *m)
{
    m->next = NULL;
    m->written = 0;
    if (c->out_last != NULL)
        c->out_last->next = m;
    else
        c->out_first = m;
    c->out_last = m;
    c->out_count++;
    c->out_bytes += m->len;
}

/* Takes fd. A connection without room for it, or without memory, is closed at once. */
static void conn_add(struct era_ipc_server *s, int fd)
{
    size_t i = 0;
    struct ucred peer;
    socklen_t len = sizeof(peer);
    while (i < s->config.conns_max && s->conns[i].id != 0)
        i++;
    struct out_message *greeting = malloc(sizeof(*greeting) + ERA_IPC_GREETING_BYTES);
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = (s->generation + 1) << ID_SLOT_BITS | i};
    if (greeting == NULL || i == s->config.conns_max ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 ||
        epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) != 0) {
        free(greeting);
        close(fd);
        return;
    }
    s->generation++;
    struct conn *c = &s->conns[i];
    *c = (struct conn){.id = e.data.u64, .fd = fd, .uid = peer.uid, .watched = EPOLLIN};
    c->in = (struct era_ipc_reader){.peer = s->config.peer, .bytes_max = s->config.in_bytes_max};
    greeting->len = ERA_IPC_GREETING_BYTES;
    era_ipc_greeting(s->config.protocol, greeting->data);
    out_push(c, greeting);
    if (!conn_write(s, c))
        conn_close(c);
}

/* True when a whole message is there. */
static bool conn_ready(struct era_ipc_server *s, struct conn *c, uint32_t events)
{
    if ((events & EPOLLOUT) && !conn_write(s, c)) {
        conn_close(c);
        return false;
    }
    if ((events & EPOLLIN) && !s->paused) {
        int rv = era_ipc_read(&c->in, c->fd);
        if (rv == 1 && s->config.in_bytes_max > 0)
            return true;
        if (rv != 0)
            conn_close(c);
    } else if (events & (EPOLLHUP | EPOLLERR)) {
        conn_close(c);
    }
    return false;
}

/* ---- the server ---- */

/* Make the path free to listen on (see era_control_config.owns_state). */
static int path_claim(const char *path, bool owns_state)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    if (!owns_state)
        return -EADDRINUSE;
    return unlink(path) == 0 ? 0 : -errno;
}

/* Nobody can connect before listen, so the mode is right from the first connection on. */
static int path_listen(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0) {
        int rv = -errno;
        close(fd);
        return rv;
    }
    if (chmod(address->sun_path, 0600) != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
        int rv = -errno;
        unlink(address->sun_path);
        close(fd);
        return rv;
    }
    return fd;
}

int era_ipc_server_new(const struct era_ipc_server_config *config, struct era_ipc_server **out)
{
    struct sockaddr_un address;
    assert(config->conns_max >= 1 && config->conns_max < 1 << ID_SLOT_BITS);
    int rv = era_ipc_address(config->path, &address);
    if (rv == 0)
        rv = path_claim(config->path, config->owns_state);
    if (rv != 0)
        return rv;
    struct era_ipc_server *s = calloc(1, sizeof(*s) + config->conns_max * sizeof(s->conns[0]));
    if (s == NULL)
        return -ENOMEM;
    s->config = *config;
    s->config.path = NULL; /* borrowed; address has it */
    s->address = address;
    s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->listener = s->epoll < 0 ? -errno : path_listen(&address);
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = LISTENER_TAG};
    rv = s->listener < 0 ? s->listener : 0;
    if (rv == 0 && epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &e) != 0)
        rv = -errno;
    if (rv != 0) {
        era_ipc_server_free(s);
        return rv;
    }
    *out = s;
    return 0;
}

void era_ipc_server_free(struct era_ipc_server *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->config.conns_max; i++)
        if (s->conns[i].id != 0)
            conn_close(&s->conns[i]);
    if (s->listener >= 0) {
        unlink(s->address.sun_path);
        close(s->listener);
    }
    if (s->epoll >= 0)
        close(s->epoll);
    if (s->spare >= 0)
        close(s->spare);
    free(s->lent);
    free(s);
}

int era_ipc_server_fd(const struct era_ipc_server *s)
{
    return s->epoll;
}

/* False when the system lacks something that only time brings. */
static bool accept_one(struct era_ipc_server *s)
{
    int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        conn_add(s, fd);
        return true;
    }
    if ((errno != EMFILE && errno != ENFILE) || s->spare < 0)
        return errno == ECONNABORTED || errno == EINTR;
    /* Left in the queue it would wake the owner for ever. */
    close(s->spare);
    fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return true;
}

bool era_ipc_server_poll(struct era_ipc_server *s, struct era_ipc_message *out)
{
    struct epoll_event e;
    free(s->lent);
    s->lent = NULL;
    /* One at a time: epoll itself takes turns among what is ready. */
    while (epoll_wait(s->epoll, &e, 1, 0) == 1) {
        if (e.data.u64 == LISTENER_TAG) {
            if (!accept_one(s))
                return false;
            continue;
        }
        struct conn *c = conn_find(s, e.data.u64);
        if (c != NULL && conn_ready(s, c, e.events)) {
            *out = (struct era_ipc_message){c->id, c->uid, {c->in.body, c->in.len}};
            s->lent = c->in.body; /* outlives its connection */
            c->in.body = NULL;
            era_ipc_reader_next(&c->in);
            return true;
        }
    }
    return false;
}

void era_ipc_server_pause(struct era_ipc_server *s, bool paused)
{
    s->paused = paused;
    for (size_t i = 0; i < s->config.conns_max; i++)
        if (s->conns[i].id != 0)
            conn_watch(s, &s->conns[i]);
}

int era_ipc_server_send(struct era_ipc_server *s, uint64_t conn, const struct era_bytes *parts, size_t n)
{
    struct conn *c = conn_find(s, conn);
    size_t payload = 0;
    if (c == NULL)
        return -ENOTCONN;
    for (size_t i = 0; i < n; i++)
        payload += parts[i].len;
    size_t len = ERA_IPC_HEADER_BYTES + payload;
    if (c->out_count >= s->config.out_messages_max || c->out_bytes + len > s->config.out_bytes_max)
        return -ENOBUFS;
    struct out_message *m = malloc(sizeof(*m) + len);
    if (m == NULL)
        return -ENOMEM;
    m->len = len;
    era_ipc_header(payload, m->data);
    uint8_t *at = m->data + ERA_IPC_HEADER_BYTES;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].len > 0)
            memcpy(at, parts[i].data, parts[i].len);
        at += parts[i].len;
    }
    out_push(c, m);
    if (!conn_write(s, c))
        conn_close(c);
    return 0;
}

void era_ipc_server_send_all(struct era_ipc_server *s, const struct era_bytes *parts, size_t n)
{
    for (size_t i = 0; i < s->config.conns_max; i++)
        if (s->conns[i].id != 0 && s->conns[i].in.greeted)
            era_ipc_server_send(s, s->conns[i].id, parts, n);
}

void era_ipc_server_drop(struct era_ipc_server *s, uint64_t conn)
{
    struct conn *c = conn_find(s, conn);
    if (c != NULL)
        conn_close(c);
}

size_t era_ipc_server_peers(const struct era_ipc_server *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->config.conns_max; i++)
        n += s->conns[i].id != 0 && s->conns[i].in.greeted;
    return n;
}
