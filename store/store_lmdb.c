#include "store/store_lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/limits.h"
#include "store/record.h"

/* Readers at once: the loop, a walk for an observer, a tool beside the daemon. */
#define READERS_MAX 8
/* LMDB reports a full disk as EIO when a write was cut short. With less than this
 * (and the batch) to spare, it was that. */
#define SPARE_BYTES ((uint64_t)1 << 20)
#define DATA_FILE   "data.mdb"
/* LMDB's table of free pages: page numbers by the transaction that freed them. */
#define FREE_TABLE ((MDB_dbi)0)
#define HEAD_PAGES 2

struct lmdb {
    struct era_store base;
    pthread_rwlock_t in_use; /* by those who are in env; by one alone while it is closed and opened */
    MDB_env *env;            /* NULL: it could not be opened again */
    bool written;            /* since it was opened */
    size_t map_bytes;
    MDB_dbi dbi;
    char *dir;
    MDB_txn *reader; /* of lmdb_read, reset between two: one left open would keep old pages from being used */
    uint8_t *read;   /* what it gave */
    size_t read_cap;
};

static int errno_of(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return 0;
    case MDB_NOTFOUND:
        return -ENOENT;
    case MDB_MAP_FULL:
        return -ENOSPC;
    case MDB_VERSION_MISMATCH:
        return -EPROTONOSUPPORT;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
    case MDB_INCOMPATIBLE:
        return -EBADMSG;
    case MDB_TXN_FULL:
        return -E2BIG;
    case MDB_READERS_FULL:
        return -EAGAIN;
    default:
        return rc > 0 ? -rc : -EIO; /* MDB_PANIC: an earlier write of the head page failed */
    }
}

static struct era_bytes bytes_of(const MDB_val *v)
{
    return (struct era_bytes){v->mv_data, v->mv_size};
}

static MDB_val val_of(struct era_bytes b)
{
    return (MDB_val){.mv_size = b.len, .mv_data = (void *)(uintptr_t)b.data};
}

/* ---- open while it is used ---- */

/* MDB_NOMETASYNC: a transaction waits for its pages to be on the disk and not for the head page that makes them
 * count; the flush of the next one, or lmdb_sync, takes that along. */
static int env_open(const char *dir, size_t map_bytes, unsigned flags, MDB_env **out)
{
    MDB_env *env;
    int rc = mdb_env_create(&env);
    if (rc != 0)
        return rc;
    rc = mdb_env_set_maxreaders(env, READERS_MAX);
    if (rc == 0 && map_bytes > 0)
        rc = mdb_env_set_mapsize(env, map_bytes);
    if (rc == 0)
        rc = mdb_env_open(env, dir, flags | MDB_NOTLS, 0600);
    if (rc == 0) {
        *out = env;
        return 0;
    }
    mdb_env_close(env);
    return rc;
}

static void env_close(struct lmdb *l)
{
    if (l->reader)
        mdb_txn_abort(l->reader);
    if (l->env)
        mdb_env_close(l->env);
    l->reader = NULL;
    l->env = NULL;
}

static int get_txn(MDB_txn *txn, MDB_dbi dbi, struct era_bytes key, uint8_t **value, size_t *len)
{
    MDB_val k = val_of(key);
    MDB_val v;
    int rc = mdb_get(txn, dbi, &k, &v);
    if (rc != 0)
        return errno_of(rc);
    return era_record_unwrap_copy(key, bytes_of(&v), value, len);
}

/* 0; -ENOENT when the store is fresh; else why it is not ours to open. */
static int schema_check(MDB_txn *txn, MDB_dbi dbi)
{
    MDB_stat stat;
    int rc = mdb_stat(txn, dbi, &stat);
    if (rc != 0)
        return errno_of(rc);
    if (stat.ms_entries == 0)
        return -ENOENT;
    struct era_store_key key = era_record_meta(ERA_META_SCHEMA);
    uint8_t *schema;
    size_t len;
    rc = get_txn(txn, dbi, era_store_key_bytes(&key), &schema, &len);
    if (rc != 0)
        return rc == -ENOENT ? -EBADMSG : rc;
    rc = era_record_schema_check((struct era_bytes){schema, len});
    free(schema);
    return rc;
}

static int schema_read(struct lmdb *l)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(l->env, NULL, MDB_RDONLY, &txn);
    if (rc != 0)
        return errno_of(rc);
    rc = mdb_dbi_open(txn, NULL, 0, &l->dbi);
    rc = rc != 0 ? errno_of(rc) : schema_check(txn, l->dbi);
    mdb_txn_abort(txn);
    return rc;
}

/* It was open before, so that it is not fresh. */
static int env_open_again(struct lmdb *l)
{
    int rc = errno_of(env_open(l->dir, l->map_bytes, MDB_NOMETASYNC, &l->env));
    if (rc < 0)
        return rc;
    l->written = false;
    rc = schema_read(l);
    if (rc < 0)
        env_close(l);
    return rc == -ENOENT ? -EBADMSG : rc;
}

/* 0: l->env is there until leave(). */
static int enter(struct lmdb *l)
{
    pthread_rwlock_rdlock(&l->in_use);
    while (!l->env) {
        pthread_rwlock_unlock(&l->in_use);
        pthread_rwlock_wrlock(&l->in_use);
        int rc = l->env ? 0 : env_open_again(l);
        pthread_rwlock_unlock(&l->in_use);
        if (rc < 0)
            return rc;
        pthread_rwlock_rdlock(&l->in_use);
    }
    return 0;
}

static int leave(struct lmdb *l, int result)
{
    pthread_rwlock_unlock(&l->in_use);
    return result;
}

/* The file that is open still has its name: it would be found again. */
static bool is_in_place(const struct lmdb *l)
{
    char path[ERA_STORE_PATH_BYTES + sizeof DATA_FILE + 1];
    struct stat open_file, named;
    int fd;
    snprintf(path, sizeof path, "%s/" DATA_FILE, l->dir);
    return mdb_env_get_fd(l->env, &fd) == 0 && fstat(fd, &open_file) == 0 && stat(path, &named) == 0 &&
           open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

/* LMDB keeps a page of memory for each that its largest transaction changed, until it is closed. */
static void lmdb_rest(struct era_store *s)
{
    struct lmdb *l = (struct lmdb *)s;
    if (pthread_rwlock_trywrlock(&l->in_use) != 0)
        return;
    if (l->env && l->written && is_in_place(l)) {
        env_close(l);
#ifdef __GLIBC__
        malloc_trim(0); /* or the megabytes of room that it takes, mostly never used, lie in used pages */
#endif
        (void)env_open_again(l); /* or whoever needs it does */
    }
    pthread_rwlock_unlock(&l->in_use);
    free(l->read);
    l->read = NULL;
    l->read_cap = 0;
}

/* ---- writing ---- */

static int put_one(MDB_txn *txn, MDB_dbi dbi, const struct era_store_put *put)
{
    MDB_val key = val_of(put->key);
    if (!put->value.data) {
        int rc = mdb_del(txn, dbi, &key, NULL);
        return rc == MDB_NOTFOUND ? 0 : rc;
    }
    MDB_val room = {.mv_size = put->value.len + ERA_RECORD_TAG_BYTES};
    int rc = mdb_put(txn, dbi, &key, &room, MDB_RESERVE);
    if (rc == 0)
        era_record_wrap(put->key, put->value, room.mv_data);
    return rc;
}

static bool disk_is_full(const struct lmdb *l, uint64_t wanted_bytes)
{
    struct statvfs fs;
    if (statvfs(l->dir, &fs) < 0)
        return false;
    return (uint64_t)fs.f_bavail * fs.f_frsize < wanted_bytes + SPARE_BYTES;
}

static uint64_t batch_bytes(const struct era_store_put *puts, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += puts[i].key.len + (puts[i].value.data ? puts[i].value.len : 0);
    return sum;
}

/* What an env wrote that was closed since, this one syncs too: it is the same file. */
static int lmdb_sync(struct era_store *s)
{
    struct lmdb *l = (struct lmdb *)s;
    int rc = enter(l);
    if (rc < 0)
        return rc;
    int err = leave(l, errno_of(mdb_env_sync(l->env, 1)));
    return err == -EIO && disk_is_full(l, 0) ? -ENOSPC : err;
}

/* A transaction that changes nothing flushes nothing. */
static int flush_unless(struct lmdb *l, size_t committed)
{
    MDB_envinfo info;
    int rc = mdb_env_info(l->env, &info);
    return rc == 0 && info.me_last_txnid < committed ? mdb_env_sync(l->env, 1) : rc;
}

static int lmdb_write(struct era_store *s, const struct era_store_put *puts, size_t n)
{
    struct lmdb *l = (struct lmdb *)s;
    int rc = era_record_batch_check(puts, n);
    if (rc < 0 || n == 0)
        return rc < 0 ? rc : lmdb_sync(s);
    rc = enter(l);
    if (rc < 0)
        return rc;
    l->written = true;
    MDB_txn *txn;
    rc = mdb_txn_begin(l->env, NULL, 0, &txn);
    if (rc != 0)
        return leave(l, errno_of(rc));
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = put_one(txn, l->dbi, &puts[i]);
    size_t id = mdb_txn_id(txn);
    if (rc != 0)
        mdb_txn_abort(txn);
    else
        rc = mdb_txn_commit(txn);
    if (rc == 0)
        rc = flush_unless(l, id);
    int err = leave(l, errno_of(rc));
    return err == -EIO && disk_is_full(l, batch_bytes(puts, n)) ? -ENOSPC : err;
}

/* ---- reading ---- */

static int walk_from(MDB_cursor *cursor, struct era_bytes prefix, era_store_visit *visit, void *ctx)
{
    MDB_val key = val_of(prefix);
    MDB_val value;
    int rc = mdb_cursor_get(cursor, &key, &value, prefix.len > 0 ? MDB_SET_RANGE : MDB_FIRST);
    while (rc == 0 && era_record_key_begins(bytes_of(&key), prefix)) {
        struct era_bytes payload;
        if (!era_record_unwrap(bytes_of(&key), bytes_of(&value), &payload))
            return -EBADMSG;
        int stop = visit(ctx, bytes_of(&key), payload);
        if (stop != 0)
            return stop;
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    return rc == MDB_NOTFOUND ? 0 : errno_of(rc);
}

static int walk_txn(MDB_txn *txn, MDB_dbi dbi, struct era_bytes prefix, era_store_visit *visit, void *ctx)
{
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(txn, dbi, &cursor);
    if (rc != 0)
        return errno_of(rc);
    rc = walk_from(cursor, prefix, visit, ctx);
    mdb_cursor_close(cursor);
    return rc;
}

static int lmdb_walk(struct era_store *s, struct era_bytes prefix, era_store_visit *visit, void *ctx)
{
    struct lmdb *l = (struct lmdb *)s;
    if (prefix.len > 0 && !era_record_key_fits(prefix))
        return 0;
    int rc = enter(l);
    if (rc < 0)
        return rc;
    MDB_txn *txn;
    rc = mdb_txn_begin(l->env, NULL, MDB_RDONLY, &txn);
    if (rc != 0)
        return leave(l, errno_of(rc));
    rc = walk_txn(txn, l->dbi, prefix, visit, ctx);
    mdb_txn_abort(txn);
    return leave(l, rc);
}

static int lmdb_get(struct era_store *s, struct era_bytes key, uint8_t **value, size_t *len)
{
    struct lmdb *l = (struct lmdb *)s;
    if (!era_record_key_fits(key))
        return -EINVAL;
    int rc = enter(l);
    if (rc < 0)
        return rc;
    MDB_txn *txn;
    rc = mdb_txn_begin(l->env, NULL, MDB_RDONLY, &txn);
    if (rc != 0)
        return leave(l, errno_of(rc));
    rc = get_txn(txn, l->dbi, key, value, len);
    mdb_txn_abort(txn);
    return leave(l, rc);
}

static int reader_open(struct lmdb *l)
{
    int rc = l->reader ? mdb_txn_renew(l->reader) : mdb_txn_begin(l->env, NULL, MDB_RDONLY, &l->reader);
    return errno_of(rc);
}

/* LMDB's pages are another's once the transaction is reset: what is given is a copy of ours. */
static int keep_read(struct lmdb *l, struct era_bytes key, struct era_bytes stored, struct era_bytes *value)
{
    if (stored.len > l->read_cap) {
        uint8_t *more = realloc(l->read, stored.len);
        if (!more)
            return -ENOMEM;
        l->read = more;
        l->read_cap = stored.len;
    }
    memcpy(l->read, stored.data, stored.len);
    return era_record_unwrap(key, (struct era_bytes){l->read, stored.len}, value) ? 0 : -EBADMSG;
}

static int lmdb_read(struct era_store *s, struct era_bytes key, struct era_bytes *value)
{
    struct lmdb *l = (struct lmdb *)s;
    if (!era_record_key_fits(key))
        return -EINVAL;
    int rc = enter(l);
    if (rc < 0)
        return rc;
    rc = reader_open(l);
    if (rc != 0)
        return leave(l, rc);
    MDB_val k = val_of(key);
    MDB_val v;
    rc = errno_of(mdb_get(l->reader, l->dbi, &k, &v));
    if (rc == 0)
        rc = keep_read(l, key, bytes_of(&v), value);
    mdb_txn_reset(l->reader);
    return leave(l, rc);
}

static void lmdb_close(struct era_store *s)
{
    struct lmdb *l = (struct lmdb *)s;
    env_close(l);
    pthread_rwlock_destroy(&l->in_use);
    free(l->read);
    free(l->dir);
    free(l);
}

static const struct era_store_ops lmdb_ops = {
    .write = lmdb_write,
    .sync = lmdb_sync,
    .walk = lmdb_walk,
    .get = lmdb_get,
    .read = lmdb_read,
    .rest = lmdb_rest,
    .close = lmdb_close,
};

/* ---- opening ---- */

static int schema_put(struct lmdb *l)
{
    uint8_t schema[4];
    era_record_schema_write(schema);
    struct era_store_key key = era_record_meta(ERA_META_SCHEMA);
    struct era_store_put put = {era_store_key_bytes(&key), {schema, sizeof schema}};
    return era_store_commit(&l->base, &put, 1);
}

/* Nothing is written before the schema is known: a newer store stays as it is. */
static int schema_settle(struct lmdb *l)
{
    int rc = schema_read(l);
    return rc == -ENOENT ? schema_put(l) : rc;
}

static int dir_sync(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int rc = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return rc;
}

static int parent_sync(const char *dir)
{
    char parent[ERA_STORE_PATH_BYTES + 4];
    snprintf(parent, sizeof parent, "%s/..", dir);
    return dir_sync(parent);
}

/* LMDB syncs its file and not the directories that name it. */
static int names_sync(const char *dir)
{
    int rc = dir_sync(dir);
    return rc < 0 ? rc : parent_sync(dir);
}

static int open_steps(struct lmdb *l, size_t map_bytes, const char **step)
{
    *step = "make the directory of";
    if (strlen(l->dir) >= ERA_STORE_PATH_BYTES)
        return -ENAMETOOLONG;
    if (mkdir(l->dir, 0700) < 0 && errno != EEXIST)
        return -errno;
    *step = "open";
    int rc = errno_of(env_open(l->dir, map_bytes, MDB_NOMETASYNC, &l->env));
    if (rc < 0)
        return rc;
    *step = "read or write the schema of";
    rc = schema_settle(l);
    if (rc < 0)
        return rc;
    *step = "sync the directory of";
    return names_sync(l->dir);
}

static const char *reason(int err)
{
    if (err == -EPROTONOSUPPORT)
        return "a newer version of erad made it; it was left as it is";
    if (err == -EBADMSG)
        return "it is damaged, or no store of erad";
    return strerror(-err);
}

int era_store_lmdb_open(const char *dir, size_t map_bytes, struct era_store **out,
                        char why[ERA_STORE_WHY_BYTES])
{
    const char *step = "find memory for";
    int rc = -ENOMEM;
    struct lmdb *l = calloc(1, sizeof *l);
    if (l) {
        l->base.ops = &lmdb_ops;
        l->map_bytes = map_bytes;
        pthread_rwlock_init(&l->in_use, NULL);
        l->dir = strdup(dir);
        if (l->dir)
            rc = open_steps(l, map_bytes, &step);
        if (rc < 0)
            lmdb_close(&l->base);
    }
    if (rc < 0) {
        snprintf(why, ERA_STORE_WHY_BYTES, "cannot %s the store in %s: %s", step, dir, reason(rc));
        return rc;
    }
    *out = &l->base;
    return 0;
}

/* ---- checking, in a child ---- */

static void damaged(MDB_env *env, const char *text)
{
    (void)env;
    (void)text;
    _exit(EBADMSG);
}

/* A head page as LMDB's format 1 has it, behind the page header. LMDB trusts the one of the
 * higher transaction, and nothing guards either: one flipped bit brings back the state before
 * the last commit, or gives away pages in use. */
struct head_table {
    uint32_t page_bytes; /* in the table of free pages; 0 in the other */
    uint16_t flags;
    uint16_t depth;
    size_t pages[3]; /* branch, leaf, overflow */
    size_t entries;
    size_t root;
};

struct head {
    uint32_t magic;
    uint32_t version;
    void *address;
    size_t map_bytes;
    struct head_table tables[2]; /* free pages, records */
    size_t last_page;
    size_t transaction;
};

#define PAGE_HEADER_BYTES 16
#define FORMAT            1

static bool head_read(int fd, off_t page_at, struct head *head)
{
    return pread(fd, head, sizeof *head, page_at + PAGE_HEADER_BYTES) == sizeof *head;
}

static bool head_is_sound(const struct head *head, uint32_t page_bytes, size_t file_pages)
{
    /* Pages taken and given back within one batch are counted, and may never be written. */
    size_t unwritten_max = (size_t)ERA_STORE_BATCH_MAX * (ERA_STORE_VALUE_BYTES_MAX / page_bytes + 2);
    return head->version == FORMAT && head->tables[0].page_bytes == page_bytes &&
           head->tables[0].flags == MDB_INTEGERKEY && head->tables[1].flags == 0 &&
           head->last_page >= HEAD_PAGES - 1 && head->last_page <= file_pages + unwritten_max;
}

/* The two heads are of neighbouring transactions, or of none. */
static bool heads_are_neighbours(const struct head *a, const struct head *b)
{
    if (a->transaction == 0 && b->transaction == 0)
        return true;
    return a->transaction % 2 == 0 && b->transaction % 2 == 1 &&
           (a->transaction + 1 == b->transaction || b->transaction + 1 == a->transaction);
}

/* A file without heads is damaged: LMDB would take an empty one for fresh, and forget in silence. */
static int heads_check(const char *path, off_t file_bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct head a;
    struct head b;
    int rc = -EBADMSG;
    uint32_t page_bytes = head_read(fd, 0, &a) ? a.tables[0].page_bytes : 0;
    if (page_bytes >= 512 && page_bytes <= 65536 && head_read(fd, page_bytes, &b)) {
        size_t file_pages = (size_t)file_bytes / page_bytes;
        if (a.version == b.version && a.version > FORMAT)
            rc = -EPROTONOSUPPORT;
        else if (head_is_sound(&a, page_bytes, file_pages) && head_is_sound(&b, page_bytes, file_pages) &&
                 heads_are_neighbours(&a, &b))
            rc = 0;
    }
    close(fd);
    return rc;
}

static int count_visit(void *ctx, struct era_bytes key, struct era_bytes value)
{
    (void)key;
    (void)value;
    size_t *left = ctx;
    if (*left == 0)
        return -EBADMSG;
    (*left)--;
    return 0;
}

static size_t pages_of(const MDB_stat *stat)
{
    return stat->ms_branch_pages + stat->ms_leaf_pages + stat->ms_overflow_pages;
}

/* Every record fits its tag, and there are as many as LMDB counted: none fell out of the tree. */
static int records_check(MDB_txn *txn, MDB_dbi dbi, size_t *pages)
{
    MDB_stat stat;
    int rc = mdb_stat(txn, dbi, &stat);
    if (rc != 0)
        return errno_of(rc);
    *pages += pages_of(&stat);
    size_t left = stat.ms_entries;
    rc = walk_txn(txn, dbi, (struct era_bytes){NULL, 0}, count_visit, &left);
    if (rc == 0 && left > 0)
        return -EBADMSG;
    return rc;
}

static size_t page_number_at(const MDB_val *list, size_t i)
{
    size_t page;
    memcpy(&page, (const char *)list->mv_data + i * sizeof page, sizeof page);
    return page;
}

/* One list of free pages: its length (LMDB may leave room behind it), then page numbers,
 * strictly falling. */
static bool free_list_is_sound(const MDB_val *list, size_t last_page)
{
    size_t words = list->mv_size / sizeof(size_t);
    if (words == 0 || page_number_at(list, 0) >= words)
        return false;
    size_t above = last_page + 1;
    for (size_t i = 1; i <= page_number_at(list, 0); i++) {
        size_t page = page_number_at(list, i);
        if (page >= above || page < HEAD_PAGES)
            return false;
        above = page;
    }
    return true;
}

static int free_check(MDB_txn *txn, size_t last_page, size_t *pages)
{
    MDB_stat stat;
    MDB_cursor *cursor;
    int rc = mdb_stat(txn, FREE_TABLE, &stat);
    if (rc == 0)
        rc = mdb_cursor_open(txn, FREE_TABLE, &cursor);
    if (rc != 0)
        return errno_of(rc);
    *pages += pages_of(&stat);
    MDB_val key;
    MDB_val list;
    while ((rc = mdb_cursor_get(cursor, &key, &list, MDB_NEXT)) == 0) {
        if (!free_list_is_sound(&list, last_page))
            return -EBADMSG;
        *pages += page_number_at(&list, 0);
    }
    return rc == MDB_NOTFOUND ? 0 : errno_of(rc);
}

/* All in use and all free pages make up the file. Fewer of them are merely lost room,
 * unless most are missing; more mean that some are given away twice. */
static int pages_check(MDB_txn *txn, MDB_dbi dbi, size_t last_page)
{
    size_t pages = HEAD_PAGES;
    int rc = records_check(txn, dbi, &pages);
    if (rc == 0)
        rc = free_check(txn, last_page, &pages);
    if (rc == 0 && (pages > last_page + 1 || pages < (last_page + 1) / 2))
        return -EBADMSG;
    return rc;
}

/* In the child, which ends right after: nothing is freed. */
static int tables_check(const char *dir)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_envinfo info;
    int rc = env_open(dir, 1, MDB_RDONLY, &env); /* LMDB maps what is there, not more */
    if (rc == 0)
        rc = mdb_env_set_assert(env, damaged);
    if (rc == 0)
        rc = mdb_env_info(env, &info);
    if (rc == 0)
        rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
    if (rc == 0)
        rc = mdb_dbi_open(txn, NULL, 0, &dbi);
    if (rc != 0)
        return errno_of(rc);
    rc = schema_check(txn, dbi);
    if (rc == -ENOENT)
        return 0; /* made, and ended before the first commit */
    return rc == 0 ? pages_check(txn, dbi, info.me_last_pgno) : rc;
}

static int check_here(const char *dir, const char *path, off_t file_bytes)
{
    int rc = heads_check(path, file_bytes);
    return rc < 0 ? rc : tables_check(dir);
}

static const int faults[] = {SIGBUS, SIGSEGV, SIGABRT, SIGILL, SIGFPE};

/* An errno leaves the child above this: whatever else ends it (a runtime that checks memory) found damage. */
#define CHILD_STATUS 64

static void child_run(const char *dir, const char *path, off_t file_bytes)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none); /* a damaged store is no bug to be dumped */
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        signal(faults[i], SIG_DFL);
    int rc = check_here(dir, path, file_bytes);
    _exit(rc < 0 ? CHILD_STATUS - rc : 0);
}

static int status_to_errno(int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        return WEXITSTATUS(status) > CHILD_STATUS ? CHILD_STATUS - WEXITSTATUS(status) : -EBADMSG;
    if (WIFEXITED(status))
        return 0;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        if (WTERMSIG(status) == faults[i])
            return -EBADMSG;
    return -EINTR; /* somebody ended it: that says nothing of the store */
}

int era_store_lmdb_check(const char *dir)
{
    char path[ERA_STORE_PATH_BYTES];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, DATA_FILE) >= sizeof path)
        return -ENAMETOOLONG;
    struct stat st;
    if (stat(path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    pid_t child = fork();
    if (child < 0)
        return -errno;
    if (child == 0)
        child_run(dir, path, st.st_size);
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return status_to_errno(status);
}

int era_store_lmdb_move_aside(const char *dir, char moved[ERA_STORE_PATH_BYTES])
{
    size_t len = strlen(dir);
    while (len > 1 && dir[len - 1] == '/')
        len--;
    for (int n = 1; n <= ERA_STORE_ASIDE_MAX; n++) {
        int room = snprintf(moved, ERA_STORE_PATH_BYTES, "%.*s.damaged-%d", (int)len, dir, n);
        if (len > INT_MAX || room >= ERA_STORE_PATH_BYTES)
            return -ENAMETOOLONG;
        struct stat st;
        if (lstat(moved, &st) == 0)
            continue;
        if (errno != ENOENT || rename(dir, moved) < 0)
            return -errno;
        return parent_sync(moved);
    }
    return -EEXIST;
}
