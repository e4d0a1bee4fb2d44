#include "src/ipc/client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t era_ipc_deadline(int timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : clock_ms() + timeout_ms;
}

/* 0 when fd is ready (or broken, which the next call on it tells). */
static int wait_for(int fd, short events, int64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = events};
    for (;;) {
        int64_t rest = deadline == INT64_MAX ? -1 : deadline - clock_ms();
        if (deadline != INT64_MAX && rest < 0)
            rest = 0;
        int rv = poll(&p, 1, rest > INT_MAX ? INT_MAX : (int)rest);
        if (rv > 0)
            return 0;
        if (rv == 0)
            return -ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
    }
}

static int send_all(int fd, const uint8_t *data, size_t len, int64_t deadline)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
            return errno == EPIPE ? -ECONNRESET : -errno;
        if (n < 0) {
            int rv = wait_for(fd, POLLOUT, deadline);
            if (rv != 0)
                return rv;
            continue;
        }
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* A daemon that accepts nothing and has a full backlog would hold connect up: hence its send timeout. */
static int connect_until(int fd, const struct sockaddr_un *address, int64_t deadline)
{
    if (deadline != INT64_MAX) {
        int64_t rest = deadline - clock_ms();
        if (rest <= 0)
            return -ETIMEDOUT;
        struct timeval limit = {.tv_sec = rest / 1000, .tv_usec = rest % 1000 * 1000};
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    }
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
        return errno == EAGAIN ? -ETIMEDOUT : -errno;
    return 0;
}

int era_ipc_client_init(struct era_ipc_client *c, const char *path, uint16_t protocol, uint16_t peer,
                        size_t in_bytes_max, int64_t deadline)
{
    struct sockaddr_un address;
    uint8_t greeting[ERA_IPC_GREETING_BYTES];
    int rv = era_ipc_address(path, &address);
    if (rv != 0)
        return rv;
    *c = (struct era_ipc_client){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                                 .in = {.peer = peer, .bytes_max = in_bytes_max}};
    if (c->fd < 0)
        return -errno;
    era_ipc_greeting(protocol, greeting);
    rv = connect_until(c->fd, &address, deadline);
    if (rv == 0)
        rv = send_all(c->fd, greeting, sizeof(greeting), deadline);
    if (rv != 0)
        era_ipc_client_release(c);
    return rv;
}

void era_ipc_client_release(struct era_ipc_client *c)
{
    era_ipc_reader_next(&c->in);
    close(c->fd);
}

int era_ipc_client_send(struct era_ipc_client *c, const struct era_bytes *parts, size_t n, int64_t deadline)
{
    uint8_t header[ERA_IPC_HEADER_BYTES];
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += parts[i].len;
    era_ipc_header(len, header);
    int rv = send_all(c->fd, header, sizeof(header), deadline);
    for (size_t i = 0; i < n && rv == 0; i++)
        rv = send_all(c->fd, parts[i].data, parts[i].len, deadline);
    return rv;
}

int era_ipc_client_receive(struct era_ipc_client *c, struct era_bytes *out, int64_t deadline)
{
    if (c->in.body != NULL && c->in.have == c->in.len)
        era_ipc_reader_next(&c->in);
    for (;;) {
        int rv = era_ipc_read(&c->in, c->fd);
        if (rv == 1) {
            *out = (struct era_bytes){c->in.body, c->in.len};
            return 0;
        }
        if (rv == 0)
            rv = wait_for(c->fd, POLLIN, deadline);
        if (rv != 0)
            return rv;
    }
}
