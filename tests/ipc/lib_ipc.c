#include "tests/ipc/lib_ipc.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct place given_place(void)
{
    struct place p = {.dir = "/tmp/erad-ipc.XXXXXX"};
    cr_assert_not_null(mkdtemp(p.dir));
    snprintf(p.path, sizeof(p.path), "%s/erad.sock", p.dir);
    return p;
}

void place_remove(const struct place *p)
{
    cr_assert_eq(rmdir(p->dir), 0);
}

void given_stale_socket(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0);
    memcpy(sun.sun_path, path, strlen(path) + 1);
    cr_assert_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
    close(fd);
}
