#include "src/host/dirhash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/bytes.h"
#include "src/base/verdict.h"

#define READ_BYTES       65536
#define SHA256_HEX_BYTES (2 * crypto_hash_sha256_BYTES + 1)

struct leaf {
    char *path;
    char hex[SHA256_HEX_BYTES];
    bool executable;
};

/* One walk over a tree. Every file is opened below the descriptor of its own
 * directory, so that no link put in its way is followed. */
struct walk {
    const char *dir;
    struct era_error *err;
    struct leaf *leaves;
    size_t leaf_count, leaf_room;
    size_t entry_count; /* files and directories seen, for the bound */
    size_t path_bytes;
    char path[ERA_TREE_PATH_BYTES_MAX + 1]; /* of the entry in hand, relative to dir */
};

static bool refuse(const struct walk *w, int status, const char *cure, const char *why)
{
    char where[ERA_ERROR_WHERE_BYTES + ERA_TREE_PATH_BYTES_MAX];
    snprintf(where, sizeof where, "%s/%s", w->dir, w->path);
    return era_error_set(w->err, status, where, cure, "%s", why);
}

static bool changed(const struct walk *w)
{
    return refuse(w, ERA_EXIT_TRY_LATER, "hash the tree when nothing writes to it",
                  "it vanished or changed while the tree was read");
}

/* An entry was there a moment ago: what says otherwise now means a moving tree. */
static bool refuse_errno(const struct walk *w, int number, const char *doing)
{
    char where[ERA_ERROR_WHERE_BYTES + ERA_TREE_PATH_BYTES_MAX];
    if (number == ENOENT || number == ENOTDIR || number == ELOOP)
        return changed(w);
    snprintf(where, sizeof where, "%s/%s", w->dir, w->path);
    return era_error_errno(w->err, -number, where, doing);
}

/* SHA-256 of an open regular file. 0, a negative errno, or -ESTALE when it changed meanwhile. */
static int hash_open_file(int fd, const struct stat *before, char hex[SHA256_HEX_BYTES])
{
    crypto_hash_sha256_state state;
    uint8_t hash[crypto_hash_sha256_BYTES], buffer[READ_BYTES];
    struct stat after;
    off_t total = 0;
    ssize_t n;
    crypto_hash_sha256_init(&state);
    while ((n = read(fd, buffer, sizeof buffer)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        crypto_hash_sha256_update(&state, buffer, (size_t)n);
        total += n;
        if (total > before->st_size)
            return -ESTALE; /* or a file that grows as fast as it is read would never end */
    }
    if (fstat(fd, &after) < 0)
        return -errno;
    if (after.st_size != before->st_size || after.st_mtim.tv_sec != before->st_mtim.tv_sec ||
        after.st_mtim.tv_nsec != before->st_mtim.tv_nsec)
        return -ESTALE;
    crypto_hash_sha256_final(&state, hash);
    era_hex(hash, sizeof hash, hex);
    return 0;
}

static struct leaf *leaf_add(struct walk *w)
{
    if (w->leaf_count == w->leaf_room) {
        size_t room = w->leaf_room == 0 ? 64 : 2 * w->leaf_room;
        struct leaf *more = realloc(w->leaves, room * sizeof *more);
        if (more == NULL)
            return NULL;
        w->leaves = more;
        w->leaf_room = room;
    }
    struct leaf *leaf = &w->leaves[w->leaf_count];
    leaf->path = strdup(w->path);
    if (leaf->path == NULL)
        return NULL;
    w->leaf_count++;
    return leaf;
}

static bool walk_file(struct walk *w, int parent, const char *name)
{
    struct stat st;
    int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return refuse_errno(w, errno, "open the file");
    int rc = fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -ESTALE;
    if (rc == 0) {
        struct leaf *leaf = leaf_add(w);
        rc = leaf == NULL ? -ENOMEM : hash_open_file(fd, &st, leaf->hex);
        if (leaf != NULL)
            leaf->executable = (st.st_mode & 0111) != 0;
    }
    close(fd);
    if (rc == -ESTALE)
        return changed(w);
    return rc == 0 || refuse_errno(w, -rc, "read the file");
}

static bool walk_dir(struct walk *w, int fd, unsigned depth);

static bool walk_entry(struct walk *w, int parent, const char *name, unsigned depth)
{
    struct stat st;
    if (strchr(name, '\n') != NULL)
        return refuse(w, ERA_EXIT_DATA, "rename it", "its name holds a newline");
    if (++w->entry_count > ERA_TREE_FILES_MAX)
        return refuse(w, ERA_EXIT_DATA, "hash an archive of the tree instead", "the tree has too many files");
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return refuse_errno(w, errno, "look at the file");
    if (S_ISREG(st.st_mode))
        return walk_file(w, parent, name);
    if (!S_ISDIR(st.st_mode))
        return refuse(w, ERA_EXIT_DATA, "leave it out of the tree, or hash an archive of the tree instead",
                      S_ISLNK(st.st_mode)    ? "it is a symbolic link, and a tree's digest covers files only"
                      : S_ISFIFO(st.st_mode) ? "it is a fifo, and a tree's digest covers files only"
                      : S_ISSOCK(st.st_mode) ? "it is a socket, and a tree's digest covers files only"
                                             : "it is a device, and a tree's digest covers files only");
    if (depth >= ERA_TREE_DEPTH_MAX)
        return refuse(w, ERA_EXIT_DATA, "hash an archive of the tree instead", "the tree is too deep");
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? refuse_errno(w, errno, "open the directory") : walk_dir(w, fd, depth + 1);
}

/* Put name behind the path in hand; the caller takes it off again. */
static bool path_push(struct walk *w, const char *name)
{
    size_t n = strlen(name), slash = w->path_bytes > 0;
    if (w->path_bytes + slash + n > ERA_TREE_PATH_BYTES_MAX)
        return refuse(w, ERA_EXIT_DATA, "shorten the names", "a path below it is too long");
    if (slash)
        w->path[w->path_bytes++] = '/';
    memcpy(w->path + w->path_bytes, name, n + 1);
    w->path_bytes += n;
    return true;
}

/* Takes fd over. */
static bool walk_dir(struct walk *w, int fd, unsigned depth)
{
    DIR *stream = fdopendir(fd);
    if (stream == NULL) {
        bool none = refuse_errno(w, errno, "read the directory");
        close(fd);
        return none;
    }
    size_t above = w->path_bytes;
    bool ok = true;
    while (ok) {
        errno = 0;
        const struct dirent *e = readdir(stream);
        if (e == NULL) {
            ok = errno == 0 || refuse_errno(w, errno, "read the directory");
            break;
        }
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        ok = path_push(w, e->d_name) && walk_entry(w, fd, e->d_name, depth);
        w->path_bytes = above;
        w->path[above] = '\0';
    }
    closedir(stream);
    return ok;
}

/* strcmp compares bytes as unsigned: the order of LC_ALL=C sort. */
static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct leaf *)a)->path, ((const struct leaf *)b)->path);
}

static void digest(const struct walk *w, enum era_digest_kind kind, char out[ERA_DIGEST_BYTES_MAX + 1])
{
    crypto_hash_sha256_state state;
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < w->leaf_count; i++) {
        const struct leaf *leaf = &w->leaves[i];
        const char *mode = kind == ERA_DIGEST_H1 ? "" : leaf->executable ? "0755 " : "0644 ";
        const char *parts[] = {mode, leaf->hex, "  ", leaf->path, "\n"};
        for (size_t j = 0; j < sizeof parts / sizeof parts[0]; j++)
            crypto_hash_sha256_update(&state, (const uint8_t *)parts[j], strlen(parts[j]));
    }
    crypto_hash_sha256_final(&state, hash);
    memcpy(out, kind == ERA_DIGEST_H1 ? "h1:" : "m1:", 3);
    sodium_bin2base64(out + 3, ERA_DIGEST_BYTES_MAX - 2, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL);
}

bool era_dirhash_tree(const char *dir, enum era_digest_kind kind, char out[ERA_DIGEST_BYTES_MAX + 1],
                      struct era_error *err)
{
    struct walk w = {.dir = dir, .err = err};
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return era_error_errno(err, -errno, dir, "open the directory");
    bool ok = walk_dir(&w, fd, 0);
    if (ok) {
        if (w.leaf_count > 0)
            qsort(w.leaves, w.leaf_count, sizeof *w.leaves, by_path);
        digest(&w, kind, out);
    }
    for (size_t i = 0; i < w.leaf_count; i++)
        free(w.leaves[i].path);
    free(w.leaves);
    return ok;
}

bool era_dirhash_file(const char *path, char out[ERA_DIGEST_BYTES_MAX + 1], struct era_error *err)
{
    struct stat st;
    char hex[SHA256_HEX_BYTES];
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return era_error_errno(err, -errno, path, "open the file");
    int rc = fstat(fd, &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? -EISDIR : !S_ISREG(st.st_mode) ? -EINVAL : 0;
    if (rc == 0)
        rc = hash_open_file(fd, &st, hex);
    close(fd);
    if (rc == -ESTALE)
        return era_error_set(err, ERA_EXIT_TRY_LATER, path, "hash the file when nothing writes to it",
                             "it changed while it was read");
    if (rc < 0)
        return era_error_errno(err, rc, path, "read the file");
    snprintf(out, ERA_DIGEST_BYTES_MAX + 1, "sha256:%s", hex);
    return true;
}
