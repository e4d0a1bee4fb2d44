#include "src/host/files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "src/base/verdict.h"

/* O_NONBLOCK: opening a fifo that nobody writes must not hang; regular files ignore it. */
static int open_regular(const char *path, struct stat *st)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    int rc = fstat(fd, st) < 0 ? -errno : S_ISREG(st->st_mode) ? 0 : S_ISDIR(st->st_mode) ? -EISDIR : -EINVAL;
    if (rc < 0) {
        close(fd);
        return rc;
    }
    return fd;
}

/* size_hint + 1 is enough unless the file grows, or (as in /proc) tells no size. */
static int read_all(int fd, size_t size_hint, size_t cap, uint8_t **out, size_t *len)
{
    size_t room = (size_hint < cap ? size_hint : cap) + 1, used = 0;
    uint8_t *data = malloc(room + 1);
    while (data != NULL) {
        ssize_t n = read(fd, data + used, room - used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || used + (size_t)n > cap) {
            int rc = n < 0 ? -errno : -EFBIG;
            free(data);
            return rc;
        }
        used += (size_t)n;
        if (n == 0) {
            data[used] = '\0';
            *out = data;
            *len = used;
            return 0;
        }
        if (used == room) {
            room = room < cap / 2 ? 2 * room : cap + 1;
            uint8_t *more = realloc(data, room + 1);
            if (more == NULL)
                free(data);
            data = more;
        }
    }
    return -ENOMEM;
}

int era_file_read(const char *path, size_t cap, uint8_t **out, size_t *len)
{
    struct stat st;
    int fd = open_regular(path, &st);
    if (fd < 0)
        return fd;
    int rc = read_all(fd, (size_t)st.st_size, cap, out, len);
    close(fd);
    return rc;
}

bool era_file_read_private(const char *path, size_t cap, uint8_t **out, size_t *len, struct era_error *err)
{
    struct stat st;
    char cure[ERA_ERROR_CURE_BYTES], shown[ERA_ERROR_WHERE_BYTES - 16];
    int fd = open_regular(path, &st);
    if (fd < 0)
        return era_error_errno(err, fd, path, "read it");
    era_text_escape(path, shown, sizeof shown);
    bool ok = false;
    if (st.st_uid != geteuid()) {
        snprintf(cure, sizeof cure, "chown %u %s", (unsigned)geteuid(), shown);
        era_error_set(err, ERA_EXIT_PERMISSION, path, cure, "it belongs to another user (uid %u)",
                      (unsigned)st.st_uid);
    } else if ((st.st_mode & 077) != 0) {
        snprintf(cure, sizeof cure, "chmod 600 %s", shown);
        era_error_set(err, ERA_EXIT_PERMISSION, path, cure, "group or others may use it (mode %04o)",
                      (unsigned)st.st_mode & 07777);
    } else {
        int rc = read_all(fd, (size_t)st.st_size, cap, out, len);
        ok = rc == 0 || era_error_errno(err, rc, path, "read it");
    }
    close(fd);
    return ok;
}

static int write_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* A new or renamed name is on the disk only when its directory is. */
static int sync_parent(const char *path)
{
    char *copy = strdup(path);
    if (copy == NULL)
        return -ENOMEM;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -errno : 0;
    free(copy);
    if (fd < 0)
        return rc;
    if (fsync(fd) < 0)
        rc = -errno;
    close(fd);
    return rc;
}

static int fill(int fd, const void *data, size_t len, mode_t mode)
{
    int rc = fchmod(fd, mode) < 0 ? -errno : write_all(fd, data, len);
    if (rc == 0 && fsync(fd) < 0)
        rc = -errno;
    if (close(fd) < 0 && rc == 0)
        rc = -errno;
    return rc;
}

static int put(const char *path, const void *data, size_t len, mode_t mode, bool replace)
{
    char *temporary;
    if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
        return -ENOMEM;
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        int rc = -errno;
        free(temporary);
        return rc;
    }
    int rc = fill(fd, data, len, mode);
    /* link, unlike rename, fails when the name is taken. */
    if (rc == 0 && (replace ? rename(temporary, path) : link(temporary, path)) < 0)
        rc = -errno;
    if (rc != 0 || !replace)
        unlink(temporary);
    free(temporary);
    return rc == 0 ? sync_parent(path) : rc;
}

int era_file_write(const char *path, const void *data, size_t len, mode_t mode)
{
    return put(path, data, len, mode, true);
}

int era_file_create(const char *path, const void *data, size_t len, mode_t mode)
{
    return put(path, data, len, mode, false);
}

/* A crash may have left half a line at the end; the new one must not be glued to it. */
static int append_line(int fd, const char *line)
{
    struct stat st;
    char last = '\n';
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1)
        return -EIO;
    char newline[] = "\n";
    struct iovec parts[3] = {{newline, last != '\n'}, {(void *)line, strlen(line)}, {newline, 1}};
    ssize_t want = (ssize_t)(parts[0].iov_len + parts[1].iov_len + 1);
    ssize_t n = writev(fd, parts, 3);
    if (n != want)
        return n < 0 ? -errno : -ENOSPC;
    return fsync(fd) < 0 ? -errno : 0;
}

int era_file_append_line(const char *path, const char *line)
{
    if (strchr(line, '\n') != NULL)
        return -EINVAL;
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    if (fd < 0)
        return -errno;
    int rc = append_line(fd, line);
    close(fd);
    return rc == 0 ? sync_parent(path) : rc;
}

bool era_dir_make(const char *path, struct era_error *err)
{
    struct stat st;
    char cure[ERA_ERROR_CURE_BYTES], shown[ERA_ERROR_WHERE_BYTES - 16];
    if (mkdir(path, 0700) == 0) {
        int rc = sync_parent(path);
        return rc == 0 || era_error_errno(err, rc, path, "make the directory");
    }
    if (errno != EEXIST || stat(path, &st) < 0)
        return era_error_errno(err, -errno, path, "make the directory");
    if (!S_ISDIR(st.st_mode))
        return era_error_set(err, ERA_EXIT_CANNOT_WRITE, path, "choose another name, or move it away",
                             "it is there, and not a directory");
    if (st.st_uid != geteuid())
        return era_error_set(err, ERA_EXIT_PERMISSION, path, "run it as the directory's owner",
                             "the directory belongs to another user (uid %u)", (unsigned)st.st_uid);
    if ((st.st_mode & 077) == 0)
        return true;
    snprintf(cure, sizeof cure, "chmod 700 %s", era_text_escape(path, shown, sizeof shown));
    return era_error_set(err, ERA_EXIT_PERMISSION, path, cure,
                         "group or others may use the directory (mode %04o)", (unsigned)st.st_mode & 07777);
}

int era_lock_take(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int rc = -errno;
        close(fd);
        return rc;
    }
    return fd;
}
