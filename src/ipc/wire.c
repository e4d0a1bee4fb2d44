#include "src/ipc/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MESSAGE_MARK 1

int era_ipc_address(const char *path, struct sockaddr_un *out)
{
    size_t len = strlen(path);
    if (path[0] != '/')
        return -EINVAL;
    if (len > ERA_IPC_PATH_BYTES_MAX)
        return -ENAMETOOLONG;
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(out->sun_path, path, len + 1);
    return 0;
}

void era_ipc_greeting(uint16_t protocol, uint8_t out[ERA_IPC_GREETING_BYTES])
{
    const uint8_t greeting[ERA_IPC_GREETING_BYTES] = {0, 'S', 'P', 0, protocol >> 8, protocol & 0xFF, 0, 0};
    memcpy(out, greeting, sizeof(greeting));
}

void era_ipc_header(size_t payload_len, uint8_t out[ERA_IPC_HEADER_BYTES])
{
    out[0] = MESSAGE_MARK;
    era_put_be64(out + 1, payload_len);
}

/* Fill out up to want. 1 full, 0 not yet, a negative errno. */
static int fill(int fd, uint8_t *out, size_t *have, size_t want)
{
    while (*have < want) {
        ssize_t n = recv(fd, out + *have, want - *have, MSG_DONTWAIT);
        if (n == 0)
            return -ECONNRESET;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
        *have += (size_t)n;
    }
    return 1;
}

static int read_greeting(struct era_ipc_reader *r, int fd)
{
    uint8_t want[ERA_IPC_GREETING_BYTES];
    int rv = fill(fd, r->head, &r->have, ERA_IPC_GREETING_BYTES);
    if (rv != 1)
        return rv;
    era_ipc_greeting(r->peer, want);
    if (memcmp(r->head, want, sizeof(want)) != 0)
        return -EPROTO;
    r->greeted = true;
    r->have = 0;
    return 1;
}

static int read_header(struct era_ipc_reader *r, int fd)
{
    int rv = fill(fd, r->head, &r->have, ERA_IPC_HEADER_BYTES);
    if (rv != 1)
        return rv;
    if (r->head[0] != MESSAGE_MARK)
        return -EPROTO;
    uint64_t len = era_get_be64(r->head + 1);
    if (len > r->bytes_max)
        return -EMSGSIZE;
    r->len = (size_t)len;
    r->body = malloc(r->len + 1);
    r->have = 0;
    return r->body != NULL ? 1 : -ENOMEM;
}

int era_ipc_read(struct era_ipc_reader *r, int fd)
{
    int rv = r->greeted ? 1 : read_greeting(r, fd);
    if (rv == 1 && r->body == NULL)
        rv = read_header(r, fd);
    return rv == 1 ? fill(fd, r->body, &r->have, r->len) : rv;
}

void era_ipc_reader_next(struct era_ipc_reader *r)
{
    free(r->body);
    r->body = NULL;
    r->have = r->len = 0;
}
