/* What a statement that is held costs in memory: a node on LMDB takes in many,
 * as its daemon does; the anonymous memory of the process, before and after.
 * LMDB's map is no anonymous memory. Prints JSON lines and a table. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
        .charter = &f->load->charter, .network = f->load->charter.hash, .agent = "bench", .seed = 1};
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

static size_t next_vote(struct fed *f, uint8_t out[512])
{
    struct load_place p = load_place(f->load, f->made);
    if (p.validator == 0) {
        uint8_t n[8];
        era_put_be64(n, f->made);
        struct era_bytes part = {n, sizeof n};
        struct era_hash proposal = era_hash_parts(&part, 1);
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

/* ---- the figures ---- */

struct reading {
    size_t held, rss, in_use;
};

static struct reading read_now(const struct fed *f)
{
    malloc_trim(0);
    struct mallinfo2 m = mallinfo2();
    return (struct reading){f->made, rss_anon_bytes(), m.uordblks + m.hblkhd};
}

static double each(size_t more, size_t less, size_t count)
{
    return ((double)more - (double)less) / (double)count;
}

static void print_row(const struct reading *zero, const struct reading *before, const struct reading *now)
{
    size_t count = now->held - zero->held, last = now->held - before->held;
    printf("  %9zu   %8.1f MiB   %8.1f   %8.1f   %8.1f\n", now->held, (double)now->rss / 1048576,
           each(now->rss, zero->rss, count), each(now->rss, before->rss, last),
           each(now->in_use, before->in_use, last));
    printf("{\"bench\":\"memory\",\"held\":%zu,\"rss_anon\":%zu,\"each\":%.1f,\"each_more\":%.1f,"
           "\"each_more_in_use\":%.1f}\n",
           now->held, now->rss, each(now->rss, zero->rss, count), each(now->rss, before->rss, last),
           each(now->in_use, before->in_use, last));
}

int main(void)
{
    static const size_t sizes[] = {20000, 100000};
    static struct load load;
    static struct fed f = {.load = &load};
    load_init(&load, VALIDATORS);
    start(&f);
    struct reading zero = read_now(&f), before = zero, now = zero;
    printf("  anonymous memory, bytes a statement (readiness of %d validators)\n", VALIDATORS);
    printf("       held          RssAnon    in all   the last   of them in use\n");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        feed(&f, sizes[i]);
        before = now;
        now = read_now(&f);
        print_row(&zero, &before, &now);
    }
    double last = each(now.rss, before.rss, now.held - before.held);
    printf("{\"bench\":\"memory-each\",\"bytes\":%.1f,\"bound\":%d}\n", last, BOUND);
    printf("  one more statement: %.0f bytes; bound %d: %s\n", last, BOUND,
           last <= BOUND ? "holds" : "falls short");
    stop(&f);
    load_release(&load);
    return 0;
}
