/* What only a store on disk can suffer (protocol, Durability). */
#include <criterion/criterion.h>
#include <errno.h>
#include <lmdb.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/record.h"
#include "store/store_lmdb.h"
#include "tests/store/given.h"

#define SMALL_MAP ((size_t)4 << 20)

static struct era_store *opened(const struct dir *d, size_t map_bytes)
{
    struct era_store *s = NULL;
    char why[ERA_STORE_WHY_BYTES] = "";
    cr_assert_eq(era_store_lmdb_open(d->store, map_bytes, &s, why), 0, "%s", why);
    return s;
}

/* A closed store of n records of 1000 bytes. */
static struct dir given_stored(uint32_t n)
{
    struct dir d = given_dir();
    struct era_store *s = opened(&d, SMALL_MAP);
    for (uint32_t i = 0; i < n; i++)
        cr_assert_eq(commit_filled(s, i, 1000), 0);
    era_store_close(s);
    return d;
}

static int count(void *ctx, struct era_bytes key, struct era_bytes value)
{
    (void)key;
    (void)value;
    ++*(size_t *)ctx;
    return 0;
}

static size_t records_in(struct era_store *s)
{
    size_t n = 0;
    cr_assert_eq(era_store_walk(s, text("S"), count, &n), 0);
    return n;
}

Test(store_lmdb, what_was_committed_is_there_after_a_rest)
{
    struct dir d = given_dir();
    struct era_store *s = opened(&d, SMALL_MAP);
    char out[256];
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(commit_filled(s, i, 1000), 0);
        cr_assert_eq(records_in(s), i + 1);
        struct era_store_key key = era_record_meta(ERA_META_SCHEMA);
        struct era_bytes value;
        cr_assert_eq(era_store_read(s, era_store_key_bytes(&key), &value), 0);
        era_store_rest(s);
        era_store_rest(s);
        cr_assert_eq(era_store_read(s, era_store_key_bytes(&key), &value), 0);
    }
    cr_assert_eq(records_in(s), 3);
    cr_assert_eq(commit_text(s, "key", "value"), 0);
    cr_assert_str_eq(get_text(s, "key", out), "value");
    era_store_close(s);
    dir_remove(&d);
}

static size_t in_use(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

Test(store_lmdb, a_rest_gives_back_the_pages_of_the_largest_transaction)
{
    struct dir d = given_dir();
    struct era_store *s = opened(&d, (size_t)64 << 20);
    static uint8_t value[1000];
    static struct era_store_put puts[1000];
    static struct era_store_key keys[1000];
    size_t before = in_use();
    if (before == 0)
        cr_skip("no figures of this malloc");
    for (uint32_t i = 0; i < 1000; i++) {
        struct era_hash id = {{0}};
        era_put_be32(id.b, i * 2654435761u);
        keys[i] = era_record_item(ERA_RECORD_STATEMENT, &id);
        puts[i] = (struct era_store_put){era_store_key_bytes(&keys[i]), {value, sizeof value}};
    }
    cr_assert_eq(era_store_commit(s, puts, 1000), 0);
    cr_assert_gt(in_use(), before + 1000000, "LMDB keeps them");
    era_store_rest(s);
    cr_assert_leq(in_use(), before + 10000);
    cr_assert_eq(records_in(s), 1000);
    era_store_close(s);
    dir_remove(&d);
}

Test(store_lmdb, a_store_that_was_moved_away_is_not_closed_by_a_rest)
{
    struct dir d = given_dir();
    struct era_store *s = opened(&d, SMALL_MAP);
    char away[sizeof d.store + 8], out[256];
    snprintf(away, sizeof away, "%s.away", d.store);
    cr_assert_eq(commit_text(s, "key", "value"), 0);
    cr_assert_eq(rename(d.store, away), 0);
    era_store_rest(s);
    cr_assert_str_eq(get_text(s, "key", out), "value");
    cr_assert_eq(commit_text(s, "key", "other"), 0);
    cr_assert_eq(rename(away, d.store), 0);
    cr_assert_str_eq(get_text(s, "key", out), "other");
    era_store_close(s);
    dir_remove(&d);
}

Test(store_lmdb, a_rest_that_fails_is_told_and_made_good)
{
    struct dir d = given_dir();
    struct era_store *s = opened(&d, SMALL_MAP);
    struct rlimit least = {0}, before;
    char out[256];
    cr_assert_eq(commit_text(s, "key", "value"), 0);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    least.rlim_max = before.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &least), 0);
    era_store_rest(s);
    int refused = commit_text(s, "key", "other");
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    cr_assert_eq(refused, -EMFILE);
    cr_assert_str_eq(get_text(s, "key", out), "value");
    cr_assert_eq(commit_text(s, "key", "other"), 0);
    cr_assert_str_eq(get_text(s, "key", out), "other");
    era_store_close(s);
    dir_remove(&d);
}

static int rests(void *ctx, struct era_bytes key, struct era_bytes value)
{
    (void)key;
    (void)value;
    era_store_rest(ctx);
    return 0;
}

Test(store_lmdb, nobody_who_reads_is_disturbed_by_a_rest)
{
    struct dir d = given_dir();
    struct era_store *s = opened(&d, SMALL_MAP);
    for (uint32_t i = 0; i < 100; i++)
        cr_assert_eq(commit_filled(s, i, 1000), 0);
    cr_assert_eq(era_store_walk(s, text("S"), rests, s), 0);
    cr_assert_eq(records_in(s), 100);
    era_store_close(s);
    dir_remove(&d);
}

Test(store_lmdb, the_directory_is_made_for_its_owner_alone)
{
    struct dir d = given_stored(0);
    struct stat st;
    cr_assert_eq(stat(d.store, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0700);
    cr_assert_eq(stat(d.data, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0600);
    dir_remove(&d);
}

Test(store_lmdb, I12_what_was_committed_is_there_when_opened_again)
{
    struct dir d = given_stored(20);
    cr_assert_eq(era_store_lmdb_check(d.store), 0);
    struct era_store *s = opened(&d, SMALL_MAP);
    cr_assert_eq(records_in(s), 20);
    era_store_close(s);
    dir_remove(&d);
}

Test(store_lmdb, an_open_that_fails_says_why)
{
    struct dir d = given_dir();
    struct era_store *s = NULL;
    char why[ERA_STORE_WHY_BYTES];
    cr_assert_eq(era_store_lmdb_open("/nowhere/store", SMALL_MAP, &s, why), -ENOENT);
    cr_assert_str_eq(why,
                     "cannot make the directory of the store in /nowhere/store: No such file or directory");
    cr_assert_null(s);
    dir_remove(&d);
}

Test(store_lmdb, a_newer_schema_is_refused_and_its_file_untouched)
{
    struct dir d = given_stored(3);
    struct era_store *s = opened(&d, SMALL_MAP);
    struct era_store_put newer = {text("Mschema"), {(const uint8_t *)"\0\0\0\2", 4}};
    cr_assert_eq(era_store_commit(s, &newer, 1), 0);
    era_store_close(s);
    size_t len_before;
    uint8_t *before = file_read(d.data, &len_before);

    char why[ERA_STORE_WHY_BYTES];
    cr_assert_eq(era_store_lmdb_check(d.store), -EPROTONOSUPPORT);
    cr_assert_eq(era_store_lmdb_open(d.store, 2 * SMALL_MAP, &s, why), -EPROTONOSUPPORT);

    cr_assert_not_null(strstr(why, "a newer version of erad made it"), "%s", why);
    size_t len_after;
    uint8_t *after = file_read(d.data, &len_after);
    cr_assert_eq(len_after, len_before);
    cr_assert_eq(memcmp(after, before, len_before), 0);
    free(before);
    free(after);
    dir_remove(&d);
}

Test(store_lmdb, a_store_without_a_schema_is_not_ours)
{
    struct dir d = given_stored(3);
    struct era_store *s = opened(&d, SMALL_MAP);
    cr_assert_eq(commit_text(s, "Mschema", NULL), 0);
    era_store_close(s);
    char why[ERA_STORE_WHY_BYTES];
    cr_assert_eq(era_store_lmdb_check(d.store), -EBADMSG);
    cr_assert_eq(era_store_lmdb_open(d.store, SMALL_MAP, &s, why), -EBADMSG);
    dir_remove(&d);
}

Test(store_lmdb, a_full_map_is_ENOSPC_and_loses_nothing)
{
    struct dir d = given_dir();
    struct era_store *s = opened(&d, 256 << 10);
    uint32_t n = 0;
    int rc;
    while ((rc = commit_filled(s, n, 10000)) == 0 && n < 100)
        n++;
    cr_assert_eq(rc, -ENOSPC);
    cr_assert_gt(n, 5);
    cr_assert_eq(records_in(s), n);
    era_store_close(s);

    cr_assert_eq(era_store_lmdb_check(d.store), 0);
    s = opened(&d, SMALL_MAP);
    cr_assert_eq(records_in(s), n);
    cr_assert_eq(commit_filled(s, n, 10000), 0);
    era_store_close(s);
    dir_remove(&d);
}

/* ---- a full disk: a tmpfs of 1 MiB in a mount namespace of a child ---- */

#define NOT_PERMITTED 77

static bool map_write(const char *path, const char *line)
{
    FILE *f = fopen(path, "w");
    if (!f)
        return false;
    bool written = fputs(line, f) >= 0;
    return fclose(f) == 0 && written;
}

static bool small_disk_mount(const char *at)
{
    char uid[64];
    char gid[64];
    snprintf(uid, sizeof uid, "0 %u 1\n", (unsigned)getuid());
    snprintf(gid, sizeof gid, "0 %u 1\n", (unsigned)getgid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && map_write("/proc/self/setgroups", "deny") &&
           map_write("/proc/self/uid_map", uid) && map_write("/proc/self/gid_map", gid) &&
           mount("tmpfs", at, "tmpfs", 0, "size=1m") == 0;
}

/* Leave room for so many bytes. */
static bool filler_write(const char *path, off_t left)
{
    static const uint8_t block[4096];
    FILE *f = fopen(path, "w");
    if (!f)
        return false;
    setvbuf(f, NULL, _IONBF, 0);
    off_t size = 0;
    while (fwrite(block, sizeof block, 1, f) == 1)
        size += (off_t)sizeof block;
    fclose(f);
    return size >= left && truncate(path, size - left) == 0;
}

/* Ends with 0, or the number of the step that went wrong. left decides whether LMDB's write
 * fails (ENOSPC) or is cut short (which it calls EIO). */
static void fill_disk(const struct dir *d, off_t left)
{
    if (!small_disk_mount(d->top))
        _exit(NOT_PERMITTED);
    struct era_store *s;
    char why[ERA_STORE_WHY_BYTES];
    if (era_store_lmdb_open(d->store, ERA_STORE_MAP_BYTES, &s, why) != 0)
        _exit(1);
    for (uint32_t i = 0; i < 5; i++)
        if (commit_filled(s, i, 50000) != 0)
            _exit(2);
    char filler[sizeof d->top + 8];
    snprintf(filler, sizeof filler, "%s/filler", d->top);
    if (!filler_write(filler, left))
        _exit(3);
    if (commit_filled(s, 5, 50000) != -ENOSPC || commit_filled(s, 5, 50000) != -ENOSPC)
        _exit(4);
    era_store_close(s);
    if (era_store_lmdb_check(d->store) != 0)
        _exit(5);
    if (unlink(filler) != 0 || era_store_lmdb_open(d->store, ERA_STORE_MAP_BYTES, &s, why) != 0)
        _exit(6);
    size_t found = 0;
    if (era_store_walk(s, text("S"), count, &found) != 0 || found != 5)
        _exit(7);
    if (commit_filled(s, 5, 50000) != 0)
        _exit(8);
    era_store_close(s);
    _exit(0);
}

Test(store_lmdb, a_full_disk_is_ENOSPC_and_loses_nothing)
{
    int skipped = 0;
    for (int pages = 0; pages < 10; pages++) {
        struct dir d = given_dir();
        pid_t child = fork();
        if (child == 0)
            fill_disk(&d, pages * 4096);
        int status;
        cr_assert_eq(waitpid(child, &status, 0), child);
        dir_remove(&d);
        cr_assert(WIFEXITED(status));
        if (WEXITSTATUS(status) == NOT_PERMITTED)
            skipped++;
        else
            cr_assert_eq(WEXITSTATUS(status), 0, "%d pages left, step %d", pages, WEXITSTATUS(status));
    }
    if (skipped > 0)
        cr_skip_test("%d of 10 full disks skipped: no user namespace with a tmpfs here", skipped);
}

/* ---- damage ---- */

Test(store_lmdb, no_store_and_a_fresh_one_are_sound)
{
    struct dir d = given_dir();
    cr_assert_eq(era_store_lmdb_check(d.store), 0);
    era_store_close(opened(&d, SMALL_MAP));
    cr_assert_eq(era_store_lmdb_check(d.store), 0);
    dir_remove(&d);
}

/* Read in this process, it would end it by SIGBUS. */
Test(store_lmdb, a_truncated_file_is_told_not_a_SIGBUS)
{
    const off_t lengths[] = {100 * 4096, 3 * 4096, 4096, 100, 0};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct dir d = given_stored(500);
        cr_assert_eq(truncate(d.data, lengths[i]), 0);
        cr_assert_eq(era_store_lmdb_check(d.store), -EBADMSG, "%ld bytes left", (long)lengths[i]);
        dir_remove(&d);
    }
}

static uint8_t *run_of(uint8_t *data, size_t len, uint8_t byte, size_t n)
{
    for (size_t i = 0; i + n <= len; i++) {
        size_t same = 0;
        while (same < n && data[i + same] == byte)
            same++;
        if (same == n)
            return data + i;
    }
    return NULL;
}

Test(store_lmdb, a_flipped_bit_is_told_by_check_walk_and_get)
{
    struct dir d = given_stored(20);
    size_t len;
    uint8_t *data = file_read(d.data, &len);
    uint8_t *value_of_7 = run_of(data, len, 7, 1000);
    cr_assert_not_null(value_of_7);
    value_of_7[500] ^= 0x10;
    /* LMDB may keep older copies of a page: each of them is hit. */
    for (uint8_t *at = value_of_7 + 501; (at = run_of(at, len - (size_t)(at - data), 7, 1000)); at++)
        at[500] ^= 0x10;
    file_write(d.data, data, len);
    free(data);

    cr_assert_eq(era_store_lmdb_check(d.store), -EBADMSG);
    struct era_store *s = opened(&d, SMALL_MAP);
    size_t walked = 0;
    cr_assert_eq(era_store_walk(s, text("S"), count, &walked), -EBADMSG);
    cr_assert_eq(walked, 7);
    struct era_hash id = {{0, 0, 0, 7}};
    struct era_store_key key = era_record_item(ERA_RECORD_STATEMENT, &id);
    uint8_t *value;
    cr_assert_eq(era_store_get(s, era_store_key_bytes(&key), &value, &len), -EBADMSG);
    era_store_close(s);
    dir_remove(&d);
}

/* LMDB itself trusts the head page of the higher transaction number: unnoticed, most of these
 * would bring back the state before the last commit, or have it write over pages in use. */
Test(store_lmdb, a_flipped_bit_in_a_head_page_is_told)
{
    enum {
        FREE_FLAGS = 44,
        RECORD_FLAGS = 92,
        RECORD_LEAVES = 104,
        RECORDS = 120,
        LAST_PAGE = 136,
        TRANSACTION = 144
    };
    const struct {
        size_t at;
        unsigned bit;
    } flips[] = {{TRANSACTION, 0}, {TRANSACTION, 2},   {TRANSACTION, 5},   {TRANSACTION + 4, 7},
                 {LAST_PAGE, 6},   {LAST_PAGE + 3, 0}, {LAST_PAGE + 7, 7}, {FREE_FLAGS, 2},
                 {FREE_FLAGS, 3},  {RECORD_FLAGS, 2},  {RECORD_LEAVES, 7}, {RECORDS, 0},
                 {RECORDS, 7}};
    struct dir d = given_stored(30);
    size_t len;
    uint8_t *data = file_read(d.data, &len);
    uint64_t transactions[2];
    memcpy(&transactions[0], data + TRANSACTION, sizeof transactions[0]);
    memcpy(&transactions[1], data + getpagesize() + TRANSACTION, sizeof transactions[1]);
    size_t newest = transactions[1] > transactions[0] ? (size_t)getpagesize() : 0;
    for (size_t i = 0; i < sizeof flips / sizeof flips[0]; i++) {
        data[newest + flips[i].at] ^= (uint8_t)(1U << flips[i].bit);
        file_write(d.data, data, len);
        cr_assert_eq(era_store_lmdb_check(d.store), -EBADMSG, "bit %u of byte %zu", flips[i].bit,
                     flips[i].at);
        data[newest + flips[i].at] ^= (uint8_t)(1U << flips[i].bit);
    }
    file_write(d.data, data, len);
    cr_assert_eq(era_store_lmdb_check(d.store), 0);
    free(data);
    dir_remove(&d);
}

/* The newest list of free pages: its length, then its pages, falling. Returns how many words. */
static size_t free_list_read(const struct dir *d, size_t list[8])
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    cr_assert_eq(mdb_env_create(&env), 0);
    cr_assert_eq(mdb_env_open(env, d->store, MDB_RDONLY, 0600), 0);
    cr_assert_eq(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
    cr_assert_eq(mdb_cursor_open(txn, 0, &cursor), 0);
    cr_assert_eq(mdb_cursor_get(cursor, &key, &value, MDB_LAST), 0);
    cr_assert_leq(value.mv_size, 8 * sizeof list[0]);
    memcpy(list, value.mv_data, value.mv_size);
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return value.mv_size / sizeof list[0];
}

/* LMDB would write over pages in use. */
Test(store_lmdb, a_wrong_list_of_free_pages_is_told)
{
    struct dir d = given_stored(30);
    size_t list[8];
    size_t words = free_list_read(&d, list);
    cr_assert_geq(list[0], 2);
    size_t len;
    uint8_t *data = file_read(d.data, &len);
    const struct {
        size_t word;
        size_t value;
    } wrong[] = {{0, words}, {1, 100000}, {1, list[2]}, {list[0], 1}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        size_t changed[8];
        memcpy(changed, list, sizeof changed);
        changed[wrong[i].word] = wrong[i].value;
        for (uint8_t *at = data; (at = memmem(at, len - (size_t)(at - data), list, words * sizeof list[0]));)
            memcpy(at, changed, words * sizeof list[0]);
        file_write(d.data, data, len);
        cr_assert_eq(era_store_lmdb_check(d.store), -EBADMSG, "wrong %zu", i);
        for (uint8_t *at = data;
             (at = memmem(at, len - (size_t)(at - data), changed, words * sizeof list[0]));)
            memcpy(at, list, words * sizeof list[0]);
    }
    file_write(d.data, data, len);
    cr_assert_eq(era_store_lmdb_check(d.store), 0);
    free(data);
    dir_remove(&d);
}

Test(store_lmdb, a_damaged_store_is_moved_aside_under_the_next_number)
{
    struct dir d = given_stored(1);
    char moved[ERA_STORE_PATH_BYTES];
    char expected[ERA_STORE_PATH_BYTES];
    for (int n = 1; n <= 3; n++) {
        cr_assert_eq(era_store_lmdb_move_aside(d.store, moved), 0);
        snprintf(expected, sizeof expected, "%s.damaged-%d", d.store, n);
        cr_assert_str_eq(moved, expected);
        cr_assert_eq(access(moved, F_OK), 0);
        cr_assert_neq(access(d.store, F_OK), 0);
        era_store_close(opened(&d, SMALL_MAP));
    }
    dir_remove(&d);
}

Test(store_lmdb, a_store_moved_aside_leaves_room_for_a_fresh_one)
{
    struct dir d = given_stored(5);
    cr_assert_eq(truncate(d.data, 4096), 0);
    char moved[ERA_STORE_PATH_BYTES];
    char with_slash[sizeof d.store + 1];
    snprintf(with_slash, sizeof with_slash, "%s/", d.store);
    cr_assert_eq(era_store_lmdb_move_aside(with_slash, moved), 0);
    struct era_store *s = opened(&d, SMALL_MAP);
    cr_assert_eq(records_in(s), 0);
    era_store_close(s);
    dir_remove(&d);
}

Test(store_lmdb, a_store_that_is_not_there_cannot_be_moved)
{
    struct dir d = given_dir();
    char moved[ERA_STORE_PATH_BYTES];
    cr_assert_eq(era_store_lmdb_move_aside(d.store, moved), -ENOENT);
    dir_remove(&d);
}

/* ---- kill -9 ---- */

#define KILL_LATE_PAIRS 50 /* at most, between an acknowledgement and the kill */

/* Commit pairs of records (2i, 2i + 1), and acknowledge each pair once durable; below `end`, so that whoever
 * comes late to kill it finds room in the map. Old records go, so that free pages are used again. */
static void write_until_killed(const struct dir *d, uint32_t i, uint32_t end, int acks)
{
    struct era_store *s;
    char why[ERA_STORE_WHY_BYTES];
    if (era_store_lmdb_open(d->store, SMALL_MAP, &s, why) != 0)
        _exit(1);
    for (; i < end; i++) {
        uint8_t value[700];
        memset(value, (int)i, sizeof value);
        char keys[3][16];
        snprintf(keys[0], sizeof keys[0], "S%08u", 2 * i);
        snprintf(keys[1], sizeof keys[1], "S%08u", 2 * i + 1);
        snprintf(keys[2], sizeof keys[2], "R%08u", i % 4);
        struct era_store_put puts[] = {{text(keys[0]), {value, sizeof value}},
                                       {text(keys[1]), {value, sizeof value}},
                                       {text(keys[2]), {i % 3 ? value : NULL, i % 3 ? sizeof value : 0}}};
        if (era_store_commit(s, puts, 3) != 0 || write(acks, &i, sizeof i) != sizeof i)
            _exit(1);
    }
    for (;;)
        pause();
}

/* Kill the writer, which goes on meanwhile, after n acknowledgements. Returns the last pair it acknowledged.
 */
static uint32_t killed_after(const struct dir *d, uint32_t from, int n)
{
    int acks[2];
    cr_assert_eq(pipe(acks), 0);
    pid_t child = fork();
    if (child == 0)
        write_until_killed(d, from, from + (uint32_t)n + KILL_LATE_PAIRS, acks[1]);
    close(acks[1]);
    uint32_t last = 0;
    int got = 0;
    while (read(acks[0], &last, sizeof last) == sizeof last)
        if (++got == n)
            kill(child, SIGKILL);
    close(acks[0]);
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status));
    cr_assert_geq(got, n);
    return last;
}

Test(store_lmdb, I12_kill_9_loses_no_acknowledged_commit)
{
    struct dir d = given_dir();
    uint32_t next = 0;
    for (int round = 1; round <= 20; round++) {
        uint32_t last = killed_after(&d, next, round);

        cr_assert_eq(era_store_lmdb_check(d.store), 0, "round %d", round);
        struct era_store *s = opened(&d, SMALL_MAP);
        size_t found = records_in(s);
        era_store_close(s);
        cr_assert_eq(found % 2, 0, "half a batch, round %d", round);
        cr_assert_geq(found / 2, (size_t)last + 1, "round %d", round);
        next = (uint32_t)(found / 2);
    }
    dir_remove(&d);
}
