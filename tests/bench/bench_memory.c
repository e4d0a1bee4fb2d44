/* What a statement that is held costs in memory: a node on LMDB takes in many,
 * as its daemon does; the anonymous memory of the process, before and after.
 * LMDB's map is no anonymous memory; the pages that a transaction changes are: the
 * same records, stored by a process that does nothing else, show how much. Prints
 * JSON lines and a table. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/frame.h"
#include "src/node/node.h"
#include "store/record.h"
#include "store/store_lmdb.h"
#include "store/store_writer.h"
#include "tests/bench/load.h"

#define VALIDATORS 5000
#define BOUND      100 /* bytes a statement */
#define SIZES      2   /* statements held: */
static const size_t sizes[SIZES] = {20000, 100000};

static _Noreturn void fail(const char *what, int error)
{
    fprintf(stderr, "bench: %s: %s\n", what, strerror(error));
    exit(1);
}

static size_t rss_anon_bytes(void)
{
    char line[256];
    unsigned long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "RssAnon: %lu", &kib) == 1)
            break;
    if (!f || kib == 0)
        fail("RssAnon", ENOENT);
    fclose(f);
    return (size_t)kib * 1024;
}

/* ---- a node on LMDB, fed by one link ---- */

struct fed {
    const struct load *load;
    struct era_store *store;
    struct era_node *node;
    struct era_writer *writer;
    size_t made; /* statements */
    struct load_vote vote;
    uint8_t frame[ERA_FRAME_BYTES_MAX];
    char top[256], dir[300];
};

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void step(struct fed *f, struct era_event ev)
{
    const struct era_effect *effects;
    ev.now_ms = ev.wall_ms = now_ms();
    size_t n = era_node_step(f->node, &ev, &effects), sent = 0;
    for (size_t i = 0; i < n; i++) {
        if (effects[i].kind == ERA_EFF_STORE) {
            int rc = era_writer_submit(f->writer, effects[i].token, effects[i].puts, effects[i].count);
            if (rc != 0)
                fail("the writer refused a batch", -rc);
        } else if (effects[i].kind == ERA_EFF_SEND) {
            sent += effects[i].bytes.len;
        } else if (effects[i].kind == ERA_EFF_CLOSE) {
            fail("the node closed the link", EPROTO);
        }
    }
    if (sent > 0)
        step(f, (struct era_event){.kind = ERA_EV_SENT, .link = 1, .count = sent});
}

static void take_results(struct fed *f)
{
    struct pollfd p = {.fd = era_writer_fd(f->writer), .events = POLLIN};
    uint64_t token;
    int result;
    if (poll(&p, 1, 10000) <= 0)
        fail("nothing is stored any more", ETIMEDOUT);
    while (era_writer_poll(f->writer, &token, &result)) {
        if (result != 0)
            fail("a commit failed", -result);
        step(f, (struct era_event){.kind = ERA_EV_STORED, .token = token});
    }
}

static void make_store(struct fed *f)
{
    const char *tmp = getenv("TMPDIR"), *build = getenv("ERA_BUILD");
    char why[ERA_STORE_WHY_BYTES] = "";
    snprintf(f->top, sizeof f->top, "%s/erad-bench.XXXXXX", tmp ? tmp : build ? build : ".");
    if (!mkdtemp(f->top))
        fail(f->top, errno);
    snprintf(f->dir, sizeof f->dir, "%s/store", f->top);
    int rc = era_store_lmdb_open(f->dir, ERA_STORE_MAP_BYTES, &f->store, why);
    if (rc != 0)
        fail(why, -rc);
}

static void remove_store(const struct fed *f)
{
    static const char *const files[] = {"data.mdb", "lock.mdb"};
    char path[512];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", f->dir, files[i]);
        unlink(path);
    }
    rmdir(f->dir);
    rmdir(f->top);
}

static void greet(struct fed *f)
{
    struct era_frame_builder b;
    struct era_frame_hello hello = {.protocol_min = ERA_PROTOCOL_MIN,
                                    .protocol_max = ERA_PROTOCOL_MAX,
                                    .network = f->load->charter.hash,
                                    .agent = "bench"};
    hello.node.b[0] = 2;
    era_frame_begin(&b, f->frame);
    era_frame_add_hello(&b, &hello);
    step(f, (struct era_event){.kind = ERA_EV_START});
    step(f, (struct era_event){
                .kind = ERA_EV_LINK_UP, .link = 1, .address = "tcp://127.0.0.1:9", .proven = hello.node.b});
    step(f, (struct era_event){.kind = ERA_EV_FRAME, .link = 1, .bytes = era_frame_bytes(&b)});
}

static int read_store(void *ctx, struct era_bytes key, struct era_bytes *value)
{
    return era_store_read(ctx, key, value);
}

static void start(struct fed *f)
{
    make_store(f);
    int rc = era_writer_start(f->store, ERA_NODE_BATCHES_MAX, &f->writer);
    if (rc != 0)
        fail("no writer", -rc);
    struct era_node_config c = {
        .charter = &f->load->charter, .network = f->load->charter.hash, .agent = "bench", .root = era_root_of_seed(1)};
    c.listen = "";
    c.read = read_store;
    c.read_ctx = f->store;
    c.node_key.b[0] = 1;
    f->node = era_node_new(&c);
    greet(f);
}

static void stop(struct fed *f)
{
    load_vote_release(&f->vote);
    era_writer_free(f->writer);
    era_node_free(f->node);
    era_store_close(f->store);
    remove_store(f);
}

static struct era_hash number_hash(uint64_t number)
{
    uint8_t n[8];
    era_put_be64(n, number);
    struct era_bytes part = {n, sizeof n};
    return era_hash_parts(&part, 1);
}

static size_t next_vote(struct fed *f, uint8_t out[512])
{
    struct load_place p = load_place(f->load, f->made);
    if (p.validator == 0) {
        struct era_hash proposal = number_hash(f->made);
        load_vote_release(&f->vote);
        load_vote_init(f->load, &f->vote, p.component, p.seq, &proposal);
    }
    f->made++;
    return load_vote_by(f->load, &f->vote, p.validator, true, out);
}

/* Frames of 100, until so many statements are durable. */
static void feed(struct fed *f, size_t count)
{
    uint8_t envelope[512];
    struct era_frame_builder b;
    while (f->made < count) {
        era_frame_begin(&b, f->frame);
        for (size_t i = 0; i < 100 && f->made < count; i++) {
            struct era_bytes bytes = {envelope, next_vote(f, envelope)};
            if (!era_frame_add_statement(&b, bytes))
                fail("a frame has no room", E2BIG);
        }
        step(f, (struct era_event){.kind = ERA_EV_FRAME, .link = 1, .bytes = era_frame_bytes(&b)});
        while (era_node_congested(f->node))
            take_results(f);
    }
    while (era_node_stats(f->node)->stored_records < count)
        take_results(f);
    if (era_ledger_count(era_node_ledger(f->node)) != count)
        fail("not everything is held", EINVAL);
}

/* ---- LMDB alone ---- */

/* Records as long as those votes, under ids as evenly spread; in full transactions. */
static void store_alone(struct era_store *store, size_t from, size_t to, size_t record_bytes)
{
    static uint8_t value[512];
    static struct era_store_put puts[ERA_STORE_BATCH_MAX];
    static struct era_store_key keys[ERA_STORE_BATCH_MAX];
    for (size_t at = from, n = 0; at < to; at += n) {
        for (n = 0; n < ERA_STORE_BATCH_MAX && at + n < to; n++) {
            struct era_hash id = number_hash(at + n);
            keys[n] = era_record_item(ERA_RECORD_STATEMENT, &id);
            puts[n] = (struct era_store_put){era_store_key_bytes(&keys[n]), {value, record_bytes}};
        }
        int rc = era_store_commit(store, puts, n);
        if (rc != 0)
            fail("a commit failed", -rc);
    }
}

/* In a process of its own: its anonymous memory with none and with each of the sizes. */
static void measure_store(struct fed *f, size_t record_bytes, size_t rss[SIZES + 1])
{
    int ends[2];
    if (pipe(ends) != 0)
        fail("pipe", errno);
    pid_t child = fork();
    if (child < 0)
        fail("fork", errno);
    if (child == 0) {
        make_store(f);
        rss[0] = rss_anon_bytes();
        for (size_t i = 0; i < SIZES; i++) {
            store_alone(f->store, i > 0 ? sizes[i - 1] : 0, sizes[i], record_bytes);
            rss[i + 1] = rss_anon_bytes();
        }
        era_store_close(f->store);
        remove_store(f);
        ssize_t sent = write(ends[1], rss, (SIZES + 1) * sizeof *rss);
        _exit(sent == (SIZES + 1) * (ssize_t)sizeof *rss ? 0 : 1);
    }
    if (read(ends[0], rss, (SIZES + 1) * sizeof *rss) != (SIZES + 1) * (ssize_t)sizeof *rss ||
        waitpid(child, NULL, 0) != child)
        fail("the store alone", EIO);
    close(ends[0]);
    close(ends[1]);
}

/* ---- the figures ---- */

struct reading {
    size_t held, rss, in_use, store;
};

static struct reading read_now(const struct fed *f, size_t store)
{
    malloc_trim(0); /* what is free already is nobody's */
    struct mallinfo2 m = mallinfo2();
    return (struct reading){f->made, rss_anon_bytes(), m.uordblks + m.hblkhd, store};
}

struct row {
    double rss, store, in_use; /* bytes a statement; of the first: LMDB's, and not free */
};

static struct row between(const struct reading *less, const struct reading *more)
{
    double n = (double)(more->held - less->held);
    return (struct row){((double)more->rss - (double)less->rss) / n,
                        ((double)more->store - (double)less->store) / n,
                        ((double)more->in_use - (double)less->in_use) / n};
}

static void print_row(const char *what, const struct reading *now, const struct row *r)
{
    printf("  %9zu  %-9s  %8.1f   %8.1f   %8.1f   %8.1f\n", now->held, what, r->rss - r->store, r->rss,
           r->store, r->in_use);
    printf(
        "{\"bench\":\"memory\",\"held\":%zu,\"of\":\"%s\",\"rss_anon\":%zu,\"each\":%.1f,\"each_rss\":%.1f,"
        "\"each_lmdb\":%.1f,\"each_in_use\":%.1f}\n",
        now->held, what, now->rss, r->rss - r->store, r->rss, r->store, r->in_use);
}

int main(void)
{
    static struct load load;
    static struct fed f = {.load = &load};
    uint8_t envelope[512];
    size_t store[SIZES + 1];
    load_init(&load, VALIDATORS);
    measure_store(&f, next_vote(&f, envelope), store);
    f.made = 0;
    start(&f);
    struct reading zero = read_now(&f, store[0]), before = zero, now = zero;
    printf("  anonymous memory, bytes a statement (readiness of %d validators)\n", VALIDATORS);
    printf("       held                   all    RssAnon     LMDB's     in use\n");
    printf("                       but LMDB's                           by malloc\n");
    struct row all = {0}, last = {0};
    for (size_t i = 0; i < SIZES; i++) {
        feed(&f, sizes[i]);
        before = now;
        now = read_now(&f, store[i + 1]);
        all = between(&zero, &now);
        last = between(&before, &now);
        print_row("of all", &now, &all);
        print_row("the last", &now, &last);
    }
    printf("{\"bench\":\"memory-each\",\"bytes\":%.1f,\"of_all\":%.1f,\"bound\":%d}\n", last.rss - last.store,
           all.rss - all.store, BOUND);
    printf("  one more statement: %.0f bytes outside LMDB's pages (of all: %.0f); bound %d: %s\n",
           last.rss - last.store, all.rss - all.store, BOUND,
           last.rss - last.store <= BOUND ? "holds" : "falls short");
    stop(&f);
    load_release(&load);
    return 0;
}
