#include "tests/host/given_directory.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[4096];

void given_directory(void)
{
    const char *tmp = getenv("TMPDIR");
    umask(022);
    snprintf(directory, sizeof directory, "%s/erad-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
    cr_assert_not_null(mkdtemp(directory));
    cr_assert_eq(chdir(directory), 0);
}

void remove_directory(void)
{
    cr_assert_eq(chdir("/"), 0);
    cr_assert_eq(setenv("DIRECTORY", directory, 1), 0);
    cr_assert_eq(system("rm -rf -- \"$DIRECTORY\""), 0); /* paths in it may be longer than PATH_MAX */
}

void given_bytes(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    cr_assert_geq(fd, 0, "%s", path);
    cr_assert_eq(write(fd, data, len), (ssize_t)len);
    close(fd);
}

void given_file(const char *path, const char *text)
{
    given_bytes(path, text, strlen(text));
}
