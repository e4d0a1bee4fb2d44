/* How fast a node takes statements in, against one thread that only checks
 * their signatures, in one run; and what one more statement costs when many
 * are held. Prints JSON lines for programs and a table for people. */
#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "proto/frame.h"
#include "src/core/plan.h"
#include "src/core/view.h"
#include "src/node/node.h"
#include "store/record.h"
#include "store/store_lmdb.h"
#include "store/store_writer.h"
#include "tests/bench/load.h"

#define VALIDATORS        5000
#define INTAKE_STATEMENTS 60000
#define VERIFY_STATEMENTS 20000
#define INTAKE_ROUNDS     5
#define RECORD_BYTES      190 /* about a readiness */
#define RATIO_GOAL        0.70
#define RATIO_AIM         0.90
#define GROWTH_GOAL       1.2
#define COST_BATCHES      9
#define COST_STATEMENTS   300 /* a batch; all of them below a quorum */

static double now_s(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static _Noreturn void fail(const char *what, int error)
{
    fprintf(stderr, "bench: %s: %s\n", what, strerror(error));
    exit(1);
}

static void *room(size_t bytes)
{
    void *p = malloc(bytes);
    if (!p)
        fail("memory", ENOMEM);
    return p;
}

static const char *word(bool reached)
{
    return reached ? "pass" : "fall short";
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, ascending);
    return values[n / 2];
}

/* ---- the machine ---- */

static void cpu_model(char *out, size_t size)
{
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "r");
    snprintf(out, size, "unknown");
    while (f && fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon)
            continue;
        colon[strcspn(colon, "\n")] = '\0';
        snprintf(out, size, "%s", colon + 2);
        break;
    }
    if (f)
        fclose(f);
}

static void state_the_machine(void)
{
    char cpu[128];
    struct utsname u;
    cpu_model(cpu, sizeof cpu);
    uname(&u);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    printf("{\"bench\":\"machine\",\"cpu\":\"%s\",\"cores\":%ld,\"kernel\":\"%s %s\",\"compiler\":\"%s\","
           "\"sodium\":\"%s\"}\n",
           cpu, cores, u.sysname, u.release, __VERSION__, sodium_version_string());
}

/* ---- the load: statements as frames ---- */

struct frames {
    size_t count, cap;
    struct era_bytes *at;
};

static void add_frame(struct frames *f, const struct era_frame_builder *b)
{
    if (f->count == f->cap) {
        f->cap = f->cap ? 2 * f->cap : 64;
        f->at = realloc(f->at, f->cap * sizeof *f->at);
        if (!f->at)
            fail("memory", ENOMEM);
    }
    struct era_bytes bytes = era_frame_bytes(b);
    uint8_t *copy = room(bytes.len);
    memcpy(copy, bytes.data, bytes.len);
    f->at[f->count++] = (struct era_bytes){copy, bytes.len};
}

static struct era_hash some_hash(uint64_t number)
{
    uint8_t n[8];
    era_put_be64(n, number);
    struct era_bytes part = {n, sizeof n};
    return era_hash_parts(&part, 1);
}

/* Signed votes, as full frames; in the order of their places. */
static void make_frames(const struct load *l, size_t count, struct frames *frames)
{
    uint8_t *buffer = room(ERA_FRAME_BYTES_MAX), envelope[512];
    struct era_frame_builder b;
    struct load_vote vote = {0};
    era_frame_begin(&b, buffer);
    for (size_t i = 0; i < count; i++) {
        struct load_place p = load_place(l, i);
        if (p.validator == 0) {
            struct era_hash proposal = some_hash(i);
            load_vote_release(&vote);
            load_vote_init(l, &vote, p.component, p.seq, &proposal);
        }
        struct era_bytes bytes = {envelope, load_vote_by(l, &vote, p.validator, true, envelope)};
        if (!era_frame_add_statement(&b, bytes)) {
            add_frame(frames, &b);
            era_frame_begin(&b, buffer);
            era_frame_add_statement(&b, bytes);
        }
    }
    add_frame(frames, &b);
    load_vote_release(&vote);
    free(buffer);
}

static void frames_free(struct frames *f)
{
    for (size_t i = 0; i < f->count; i++)
        free((void *)f->at[i].data);
    free(f->at);
}

/* ---- (a) bare signature checks ---- */

struct rate {
    double wall, cpu; /* statements a second: by the clock, and by this thread's CPU time */
};

static void better(struct rate *best, struct rate r)
{
    best->wall = r.wall > best->wall ? r.wall : best->wall;
    best->cpu = r.cpu > best->cpu ? r.cpu : best->cpu;
}

struct watch {
    double wall, cpu;
};

static struct watch watch_start(void)
{
    return (struct watch){now_s(CLOCK_MONOTONIC), now_s(CLOCK_THREAD_CPUTIME_ID)};
}

static struct rate watch_rate(struct watch w, size_t count)
{
    return (struct rate){(double)count / (now_s(CLOCK_MONOTONIC) - w.wall),
                         (double)count / (now_s(CLOCK_THREAD_CPUTIME_ID) - w.cpu)};
}

static struct rate verify_rate(const struct load *l)
{
    struct era_signature *signatures = room(VERIFY_STATEMENTS * sizeof *signatures);
    struct era_hash *ids = room(VERIFY_STATEMENTS * sizeof *ids);
    for (size_t i = 0; i < VERIFY_STATEMENTS; i++) {
        ids[i] = some_hash(i);
        crypto_sign_detached(signatures[i].b, NULL, ids[i].b, sizeof ids[i].b, l->secrets[i % VALIDATORS]);
    }
    struct watch w = watch_start();
    for (size_t i = 0; i < VERIFY_STATEMENTS; i++)
        if (crypto_sign_verify_detached(signatures[i].b, ids[i].b, sizeof ids[i].b,
                                        l->charter.validators[i % VALIDATORS].key.b) != 0)
            fail("a signature does not verify", EINVAL);
    struct rate r = watch_rate(w, VERIFY_STATEMENTS);
    free(signatures);
    free(ids);
    return r;
}

/* ---- (b) intake: decode, verify, store durably, apply ---- */

struct intake {
    struct era_node *node;
    struct era_writer *writer;
    uint64_t commits;
    bool failed;
};

static uint64_t now_ms(void)
{
    return (uint64_t)(now_s(CLOCK_MONOTONIC) * 1000);
}

static void step(struct intake *in, struct era_event ev)
{
    const struct era_effect *effects;
    ev.now_ms = ev.wall_ms = now_ms();
    size_t n = era_node_step(in->node, &ev, &effects), sent = 0;
    for (size_t i = 0; i < n; i++) {
        if (effects[i].kind == ERA_EFF_STORE) {
            int rc = era_writer_submit(in->writer, effects[i].token, effects[i].puts, effects[i].count);
            if (rc != 0)
                fail("the writer refused a batch", -rc);
        } else if (effects[i].kind == ERA_EFF_SEND) {
            sent += effects[i].bytes.len;
        } else if (effects[i].kind == ERA_EFF_CLOSE) {
            fail("the node closed the link", EPROTO);
        }
    }
    if (sent > 0)
        step(in, (struct era_event){.kind = ERA_EV_SENT, .link = 1, .count = sent});
}

static void take_results(struct intake *in)
{
    uint64_t token;
    int result;
    while (era_writer_poll(in->writer, &token, &result)) {
        if (result != 0)
            fail("a commit failed", -result);
        in->commits++;
        step(in, (struct era_event){.kind = ERA_EV_STORED, .token = token});
    }
}

static void greet(struct intake *in, const struct load *l)
{
    uint8_t *buffer = room(ERA_FRAME_BYTES_MAX);
    struct era_frame_builder b;
    struct era_frame_hello hello = {.protocol_min = ERA_PROTOCOL_MIN,
                                    .protocol_max = ERA_PROTOCOL_MAX,
                                    .network = l->charter.hash,
                                    .agent = "bench"};
    hello.node.b[0] = 2;
    era_frame_begin(&b, buffer);
    era_frame_add_hello(&b, &hello);
    step(in, (struct era_event){.kind = ERA_EV_START});
    step(in, (struct era_event){
                 .kind = ERA_EV_LINK_UP, .link = 1, .address = "tcp://127.0.0.1:9", .proven = hello.node.b});
    step(in, (struct era_event){.kind = ERA_EV_FRAME, .link = 1, .bytes = era_frame_bytes(&b)});
    free(buffer);
}

/* From the first frame to the last STORED. */
static struct rate feed(struct intake *in, const struct frames *frames, size_t count)
{
    struct watch w = watch_start();
    size_t fed = 0;
    while (era_node_stats(in->node)->stored_records < count) {
        struct pollfd p = {.fd = era_writer_fd(in->writer), .events = POLLIN};
        bool may_feed = fed < frames->count && !era_node_congested(in->node);
        if (poll(&p, 1, may_feed ? 0 : 10000) < 0)
            fail("poll", errno);
        if (!may_feed && p.revents == 0)
            fail("nothing is stored any more", ETIMEDOUT);
        take_results(in);
        if (may_feed)
            step(in, (struct era_event){.kind = ERA_EV_FRAME, .link = 1, .bytes = frames->at[fed++]});
    }
    return watch_rate(w, count);
}

static void remove_store(const char *dir, const char *top)
{
    static const char *const files[] = {"data.mdb", "lock.mdb"};
    char path[512];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    rmdir(dir);
    rmdir(top);
}

struct place_on_disk {
    char top[256], dir[300];
};

static struct place_on_disk make_place(void)
{
    struct place_on_disk p;
    const char *tmp = getenv("TMPDIR"), *build = getenv("ERA_BUILD");
    snprintf(p.top, sizeof p.top, "%s/erad-bench.XXXXXX", tmp ? tmp : build ? build : ".");
    if (!mkdtemp(p.top))
        fail(p.top, errno);
    snprintf(p.dir, sizeof p.dir, "%s/store", p.top);
    return p;
}

static struct era_store *open_store(const struct place_on_disk *p)
{
    char why[ERA_STORE_WHY_BYTES] = "";
    struct era_store *store;
    int rc = era_store_lmdb_open(p->dir, ERA_STORE_MAP_BYTES, &store, why);
    if (rc != 0)
        fail(why, -rc);
    return store;
}

/* What the disk allows: the same number of records, full transactions, nothing else. */
static struct rate store_rate(void)
{
    struct place_on_disk place = make_place();
    struct era_store *store = open_store(&place);
    struct era_store_put *puts = room(ERA_STORE_BATCH_MAX * sizeof *puts);
    struct era_store_key *keys = room(ERA_STORE_BATCH_MAX * sizeof *keys);
    static const uint8_t value[RECORD_BYTES];
    struct watch w = watch_start();
    for (size_t at = 0; at < INTAKE_STATEMENTS; at += ERA_STORE_BATCH_MAX) {
        for (size_t i = 0; i < ERA_STORE_BATCH_MAX; i++) {
            struct era_hash id = some_hash(at + i);
            keys[i] = era_record_item(ERA_RECORD_STATEMENT, &id);
            puts[i] = (struct era_store_put){era_store_key_bytes(&keys[i]), {value, sizeof value}};
        }
        int rc = era_store_commit(store, puts, ERA_STORE_BATCH_MAX);
        if (rc != 0)
            fail("a commit failed", -rc);
    }
    struct rate r = watch_rate(w, INTAKE_STATEMENTS);
    free(puts);
    free(keys);
    era_store_close(store);
    remove_store(place.dir, place.top);
    return r;
}

static int read_store(void *ctx, struct era_bytes key, struct era_bytes *value)
{
    return era_store_read(ctx, key, value);
}

static struct rate intake_rate(const struct load *l, const struct frames *frames, struct intake *in)
{
    struct place_on_disk place = make_place();
    struct era_store *store = open_store(&place);
    struct era_node_config c = {
        .charter = &l->charter, .network = l->charter.hash, .agent = "bench", .listen = "", .root = era_root_of_seed(1)};
    int rc = era_writer_start(store, ERA_NODE_BATCHES_MAX, &in->writer);
    if (rc != 0)
        fail("no writer", -rc);
    c.node_key.b[0] = 1;
    c.read = read_store;
    c.read_ctx = store;
    in->node = era_node_new(&c);
    greet(in, l);
    struct rate r = feed(in, frames, INTAKE_STATEMENTS);
    era_writer_free(in->writer);
    era_node_free(in->node);
    era_store_close(store);
    remove_store(place.dir, place.top);
    return r;
}

static int by_wall(const void *a, const void *b)
{
    double x = ((const struct rate *)a)->wall, y = ((const struct rate *)b)->wall;
    return x < y ? -1 : x > y;
}

/* Sorts the rates. */
static void print_intake(const struct rate *disk, struct rate *bare, struct rate *whole, double ratio,
                         double cpu_ratio, uint64_t batches)
{
    qsort(bare, INTAKE_ROUNDS + 1, sizeof *bare, by_wall);
    qsort(whole, INTAKE_ROUNDS, sizeof *whole, by_wall);
    const struct rate *b = &bare[INTAKE_ROUNDS / 2], *w = &whole[INTAKE_ROUNDS / 2];
    printf("{\"bench\":\"verify\",\"per_second\":%.0f,\"per_cpu_second\":%.0f}\n", b->wall, b->cpu);
    printf("{\"bench\":\"store\",\"records\":%d,\"per_second\":%.0f}\n", INTAKE_STATEMENTS, disk->wall);
    printf("{\"bench\":\"intake\",\"statements\":%d,\"batches\":%llu,\"per_second\":%.0f,\"ratio\":%.3f,"
           "\"per_cpu_second\":%.0f,\"cpu_ratio\":%.3f,\"goal\":%.2f,\"aim\":%.2f}\n",
           INTAKE_STATEMENTS, (unsigned long long)batches, w->wall, ratio, w->cpu, cpu_ratio, RATIO_GOAL,
           RATIO_AIM);
    printf("\n  medians of %d rounds                     by the clock    by the thread's CPU time\n",
           INTAKE_ROUNDS);
    printf("  signatures checked, one thread        %9.0f /s    %9.0f /s\n", b->wall, b->cpu);
    printf("  records stored durably, nothing else  %9.0f /s\n", disk->wall);
    printf("  statements verified, stored, applied  %9.0f /s    %9.0f /s\n", w->wall, w->cpu);
    printf("  of the rate of signatures             %9.2f       %9.2f\n", ratio, cpu_ratio);
    printf("  goal %.2f: %s; aim %.2f: %s\n\n", RATIO_GOAL, word(ratio >= RATIO_GOAL), RATIO_AIM,
           word(ratio >= RATIO_AIM));
}

static void measure_intake(const struct load *l)
{
    struct frames frames = {0};
    struct rate bare[INTAKE_ROUNDS + 1], whole[INTAKE_ROUNDS], disk = {0};
    double walls[INTAKE_ROUNDS], cpus[INTAKE_ROUNDS];
    struct intake in = {0};
    make_frames(l, INTAKE_STATEMENTS, &frames);
    better(&disk, store_rate());
    bare[0] = verify_rate(l);
    for (int r = 0; r < INTAKE_ROUNDS; r++) {
        in.commits = 0;
        whole[r] = intake_rate(l, &frames, &in);
        bare[r + 1] = verify_rate(l);
        /* Against what the machine did right before and after: it may have other work. */
        walls[r] = 2 * whole[r].wall / (bare[r].wall + bare[r + 1].wall);
        cpus[r] = 2 * whole[r].cpu / (bare[r].cpu + bare[r + 1].cpu);
    }
    print_intake(&disk, bare, whole, median(walls, INTAKE_ROUNDS), median(cpus, INTAKE_ROUNDS), in.commits);
    frames_free(&frames);
}

/* ---- (c) one more statement, when many are held ---- */

struct held {
    const struct load *load;
    struct era_ledger *ledger;
    struct era_plan initial;
    size_t filled; /* places used */
};

/* As verify would say it; its signature is made up, since here only what comes after it is measured. */
static struct era_item *offer(struct held *h, const struct load_vote *v, struct load_place p)
{
    uint8_t envelope[512];
    struct era_item *out;
    struct era_verified s = {.kind = ERA_KIND_READINESS,
                             .envelope = {envelope, load_vote_by(h->load, v, p.validator, false, envelope)},
                             .payload = {v->payload, v->payload_len},
                             .key = h->load->charter.validators[p.validator].key,
                             .id = v->id,
                             .component = p.component,
                             .signer = -1,
                             .validator = (int)p.validator,
                             .statement = v->statement};
    s.item = era_item_id_loose(&s.id, &s.key);
    enum era_verdict verdict = era_ledger_offer(h->ledger, &s, 0, false, &out);
    if (verdict != ERA_ACCEPTED)
        fail(era_verdict_code(verdict), EINVAL);
    return out;
}

/* All that a durable statement does: its tallies, what follows from them, the view. */
static void apply(struct held *h, struct era_item *item)
{
    struct era_change change;
    struct era_view view;
    uint32_t kind;
    int component = item->component;
    era_ledger_commit(h->ledger, item);
    while (era_ledger_take_change(h->ledger, &change))
        continue;
    if (era_ledger_assemblable(h->ledger, &kind))
        fail("below a quorum, and yet a carrier", EINVAL);
    era_view_at(h->ledger, &h->initial, component, 0, &view);
}

static void fill(struct held *h, size_t count)
{
    struct load_vote vote = {0};
    size_t open = SIZE_MAX;
    for (; era_ledger_count(h->ledger) < count; h->filled++) {
        struct load_place p = load_place(h->load, h->filled);
        size_t slot = h->filled / h->load->charter.validator_count;
        if (slot != open) {
            struct era_hash proposal = some_hash(slot);
            load_vote_release(&vote);
            load_vote_init(h->load, &vote, p.component, p.seq, &proposal);
            open = slot;
        }
        struct era_item *item = offer(h, &vote, p);
        apply(h, item);
    }
    load_vote_release(&vote);
}

static void commit_envelope(struct held *h, struct era_verifier *verifier, const uint8_t *bytes, size_t len)
{
    const struct era_verified *s;
    struct era_hash id;
    struct era_item *item;
    struct era_change change;
    uint32_t kind;
    enum era_verdict v = era_verify(verifier, (struct era_bytes){bytes, len}, &s, &id, NULL);
    if (v == ERA_ACCEPTED)
        v = era_ledger_offer(h->ledger, s, 0, false, &item);
    if (v != ERA_ACCEPTED)
        fail(era_verdict_code(v), EINVAL);
    era_ledger_commit(h->ledger, item);
    while (era_ledger_take_change(h->ledger, &change))
        continue;
    struct era_candidate *c = era_ledger_assemblable(h->ledger, &kind);
    uint8_t *carrier = NULL;
    if (c && era_ledger_assemble(h->ledger, c, kind, &carrier) == 0)
        fail("the approved carrier cannot be made", EINVAL);
    free(carrier); /* made, and left on its way */
}

static double least(const double *values, size_t n)
{
    double min = values[0];
    for (size_t i = 1; i < n; i++)
        min = values[i] < min ? values[i] : min;
    return min;
}

struct cost {
    double offer_us, apply_us; /* taken in as pending; and once durable */
};

/* Votes on an approved proposal in a slot of its own. */
static struct cost cost_of_one(struct held *h, uint64_t seq)
{
    static struct era_item *items[COST_STATEMENTS];
    uint8_t *bytes = room(ERA_LOOSE_BYTES_MAX);
    struct era_verifier *verifier = era_verifier_new(&h->load->charter, &h->load->charter.hash);
    struct era_hash proposal;
    struct load_vote vote;
    double offers[COST_BATCHES], applies[COST_BATCHES];
    commit_envelope(h, verifier, bytes, load_proposal(h->load, 0, seq, bytes, &proposal));
    commit_envelope(h, verifier, bytes, load_approval(h->load, 0, seq, &proposal, bytes));
    load_vote_init(h->load, &vote, 0, seq, &proposal);
    for (size_t b = 0; b < COST_BATCHES; b++) {
        double start = now_s(CLOCK_THREAD_CPUTIME_ID);
        for (size_t i = 0; i < COST_STATEMENTS; i++)
            items[i] = offer(h, &vote, (struct load_place){.validator = b * COST_STATEMENTS + i, .seq = seq});
        double between = now_s(CLOCK_THREAD_CPUTIME_ID);
        for (size_t i = 0; i < COST_STATEMENTS; i++)
            apply(h, items[i]);
        offers[b] = (between - start) * 1e6 / COST_STATEMENTS;
        applies[b] = (now_s(CLOCK_THREAD_CPUTIME_ID) - between) * 1e6 / COST_STATEMENTS;
    }
    load_vote_release(&vote);
    era_verifier_free(verifier);
    free(bytes);
    /* The least: other work on the machine only adds. */
    return (struct cost){least(offers, COST_BATCHES), least(applies, COST_BATCHES)};
}

static void measure_growth(const struct load *l)
{
    static const size_t sizes[] = {1000, 10000, 100000, 1000000};
    struct era_siphash_key key = {{1}};
    struct held h = {.load = l, .ledger = era_ledger_new(&l->charter, &l->charter.hash, &key)};
    struct cost first = {0}, c = {0};
    era_plan_initial(&l->charter.components[0], &h.initial);
    printf("  statements held   view update, one more        into the table\n");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        fill(&h, sizes[i]);
        c = cost_of_one(&h, 60 + i); /* slots that the filling does not use */
        first = i == 0 ? c : first;
        printf("  %15zu   %8.2f us  %5.2f         %8.2f us  %5.2f\n", sizes[i], c.apply_us,
               c.apply_us / first.apply_us, c.offer_us, c.offer_us / first.offer_us);
        printf("{\"bench\":\"view\",\"held\":%zu,\"apply_us\":%.3f,\"apply_ratio\":%.2f,\"offer_us\":%.3f,"
               "\"offer_ratio\":%.2f}\n",
               sizes[i], c.apply_us, c.apply_us / first.apply_us, c.offer_us, c.offer_us / first.offer_us);
    }
    double growth = c.apply_us / first.apply_us;
    printf("{\"bench\":\"view-growth\",\"ratio\":%.2f,\"goal\":%.1f}\n", growth, GROWTH_GOAL);
    printf("  view update, growth %.2f: goal %.1f: %s\n", growth, GROWTH_GOAL, word(growth <= GROWTH_GOAL));
    era_ledger_free(h.ledger);
}

int main(void)
{
    struct load *l = room(sizeof *l);
    load_init(l, VALIDATORS);
    state_the_machine();
    measure_intake(l);
    measure_growth(l);
    load_release(l);
    free(l);
    return 0;
}
