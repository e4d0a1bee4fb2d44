/* What LMDB writes and flushes is recorded, and the power cut at every step: what the disk may hold then is what
 * was flushed, and any of what was written since. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "src/base/prng.h"
#include "store/store_lmdb.h"
#include "tests/store/given.h"

#define PAGE     4096
#define BATCHES  40
#define FILE_MAX ((size_t)1 << 20)

enum step_kind {
    STEP_WRITE,
    STEP_FLUSH,
    STEP_STARTED, /* number: of the batch that is written next */
    STEP_DURABLE  /* number: of the batches that are said to be durable */
};

struct step {
    enum step_kind kind;
    size_t number;
    size_t at, len;
    bool flushed; /* by itself: the file was opened with O_DSYNC */
    uint8_t *bytes;
};

static struct {
    bool runs;
    ino_t file;
    size_t n;
    struct step steps[8192];
} record;

static struct step *step(enum step_kind kind)
{
    cr_assert_lt(record.n, sizeof record.steps / sizeof record.steps[0]);
    struct step *s = &record.steps[record.n++];
    *s = (struct step){.kind = kind};
    return s;
}

static bool is_recorded(int fd)
{
    struct stat st;
    return record.runs && fstat(fd, &st) == 0 && st.st_ino == record.file;
}

static void record_write(int fd, const void *bytes, size_t len, off_t at)
{
    struct step *s = step(STEP_WRITE);
    s->at = (size_t)at;
    s->len = len;
    s->flushed = (fcntl(fd, F_GETFL) & O_DSYNC) != 0;
    s->bytes = malloc(len);
    memcpy(s->bytes, bytes, len);
}

/* In place of the C library's, for LMDB too. */
ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    ssize_t written = syscall(SYS_pwrite64, fd, bytes, len, at);
    if (written > 0 && is_recorded(fd))
        record_write(fd, bytes, (size_t)written, at);
    return written;
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
    off_t at = is_recorded(fd) ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t written = syscall(SYS_writev, fd, parts, n);
    if (written <= 0 || !is_recorded(fd))
        return written;
    size_t left = (size_t)written;
    for (int i = 0; i < n && left > 0; i++) {
        size_t len = parts[i].iov_len < left ? parts[i].iov_len : left;
        record_write(fd, parts[i].iov_base, len, at);
        at += (off_t)len;
        left -= len;
    }
    return written;
}

int fdatasync(int fd)
{
    int rc = (int)syscall(SYS_fdatasync, fd);
    if (rc == 0 && is_recorded(fd))
        step(STEP_FLUSH);
    return rc;
}

/* ---- the disk ---- */

struct disk {
    uint8_t bytes[FILE_MAX];
    size_t len;
};

static void disk_put(struct disk *d, const struct step *s, size_t from, size_t len)
{
    cr_assert_leq(s->at + s->len, FILE_MAX);
    memcpy(d->bytes + s->at + from, s->bytes + from, len);
    if (d->len < s->at + from + len)
        d->len = s->at + from + len;
}

/* Of each write since the last flush, page by page, what chance takes: never, always, or each second one. */
static void disk_reach(struct disk *d, size_t from, size_t to, struct era_prng *prng, unsigned in_four)
{
    for (size_t i = from; i < to; i++) {
        const struct step *s = &record.steps[i];
        if (s->kind != STEP_WRITE || s->flushed)
            continue;
        for (size_t at = 0; at < s->len; at += PAGE)
            if (era_prng_below(prng, 4) < in_four)
                disk_put(d, s, at, s->len - at < PAGE ? s->len - at : PAGE);
    }
}

static void disk_save(const char *path, const struct disk *d)
{
    FILE *f = fopen(path, "w");
    cr_assert(f);
    cr_assert_eq(fwrite(d->bytes, 1, d->len, f), d->len);
    cr_assert_eq(fclose(f), 0);
}

static int count_batch(void *ctx, struct era_bytes key, struct era_bytes value)
{
    (void)value;
    size_t *next = ctx;
    char expected[32];
    snprintf(expected, sizeof expected, "S%04zu%c", *next / 2, *next % 2 ? 'b' : 'a');
    cr_assert_eq(key.len, strlen(expected));
    cr_assert_eq(memcmp(key.data, expected, key.len), 0, "%.*s where %s should be", (int)key.len,
                 (const char *)key.data, expected);
    (*next)++;
    return 0;
}

/* How many batches, from the first, the disk holds; nothing else. */
static size_t batches_on(const struct dir *dir, const struct disk *d)
{
    disk_save(dir->data, d);
    cr_assert_eq(era_store_lmdb_check(dir->store), 0);
    struct era_store *s;
    char why[ERA_STORE_WHY_BYTES];
    cr_assert_eq(era_store_lmdb_open(dir->store, FILE_MAX, &s, why), 0, "%s", why);
    size_t records = 0;
    cr_assert_eq(era_store_walk(s, text("S"), count_batch, &records), 0);
    era_store_close(s);
    cr_assert_eq(records % 2, 0, "half a batch");
    return records / 2;
}

/* ---- the run ---- */

/* Two records of some size, whose place in the tree lies apart, and one that comes and goes. */
static int batch_write(struct era_store *s, size_t i)
{
    static uint8_t value[900];
    memset(value, (int)i, sizeof value);
    char keys[3][32];
    snprintf(keys[0], sizeof keys[0], "S%04zua", i);
    snprintf(keys[1], sizeof keys[1], "S%04zub", i);
    snprintf(keys[2], sizeof keys[2], "R%zu", i % 3);
    struct era_store_put puts[] = {{text(keys[0]), {value, sizeof value}},
                                   {text(keys[1]), {value, 30}},
                                   {text(keys[2]), {i % 2 ? value : NULL, i % 2 ? sizeof value : 0}}};
    step(STEP_STARTED)->number = i;
    return era_store_write(s, puts, 3);
}

static void disk_load(const char *path, struct disk *d)
{
    FILE *f = fopen(path, "r");
    cr_assert(f);
    d->len = fread(d->bytes, 1, sizeof d->bytes, f);
    fclose(f);
}

/* As the writer does under load, with a flush of its own now and then, and a write that changes nothing. before: what the disk holds at first. */
static void recorded_run(const struct dir *d, struct disk *before)
{
    struct era_store *s;
    char why[ERA_STORE_WHY_BYTES];
    cr_assert_eq(era_store_lmdb_open(d->store, FILE_MAX, &s, why), 0, "%s", why);
    struct stat st;
    cr_assert_eq(stat(d->data, &st), 0);
    disk_load(d->data, before);
    record.file = st.st_ino;
    record.runs = true;
    for (size_t i = 0; i < BATCHES; i++) {
        cr_assert_eq(batch_write(s, i), 0);
        step(STEP_DURABLE)->number = i;
        struct era_store_put nothing = put("Rabsent", NULL);
        if (i % 7 == 3)
            cr_assert_eq(era_store_sync(s), 0);
        if (i % 7 == 5)
            cr_assert_eq(era_store_write(s, &nothing, 1), 0);
        if (i % 7 == 3 || i % 7 == 5)
            step(STEP_DURABLE)->number = i + 1;
    }
    record.runs = false;
    era_store_close(s);
}

Test(store_power, I12_a_power_cut_at_any_step_leaves_all_that_was_said_to_be_durable)
{
    struct dir d = given_dir(), cut = given_dir();
    static struct disk disk, found;
    struct era_prng prng;
    era_prng_init(&prng, 7);
    recorded_run(&d, &disk);
    cr_assert_eq(mkdir(cut.store, 0700), 0);
    size_t flushed = 0, durable = 0, started = 0;
    for (size_t i = 0; i < record.n; i++) {
        const struct step *s = &record.steps[i];
        if (s->kind == STEP_FLUSH) {
            disk_reach(&disk, flushed, i, &prng, 4);
            flushed = i;
        } else if (s->kind == STEP_WRITE && s->flushed) {
            disk_put(&disk, s, 0, s->len);
        } else if (s->kind == STEP_STARTED) {
            started = s->number + 1;
        } else if (s->kind == STEP_DURABLE) {
            durable = s->number;
        }
        if (s->kind == STEP_FLUSH || s->kind == STEP_STARTED)
            continue; /* what may be on the disk is as before */
        for (unsigned in_four = s->kind == STEP_DURABLE ? 0 : 2; in_four <= 2; in_four += 2) {
            found = disk;
            disk_reach(&found, flushed, i + 1, &prng, in_four);
            size_t batches = batches_on(&cut, &found);
            cr_assert_geq(batches, durable, "step %zu", i);
            cr_assert_leq(batches, started, "step %zu", i);
        }
    }
    cr_assert_eq(durable, BATCHES - 1);
    dir_remove(&d);
    dir_remove(&cut);
}
