/* spread: gives work to daemons that gossip, and times when each of them has
 * it. What contrib/bench-serf measures with; the same for erad and for serf.
 *
 *   spread floor SECONDS
 *       Signatures that this machine checks a second, on all cores at once, and a second of CPU time.
 *   spread validators COUNT
 *       As many entries of a charter's list of validators, stake 1 each.
 *   spread singles erad|serf COUNT GAP_MS BYTES PLACE...
 *       One event of BYTES after the other, each from the next node: the time
 *       until the last node has it.
 *   spread burst erad|serf COUNT BYTES SOURCES SECONDS PLACE...
 *       COUNT events at once from SOURCES nodes: what share arrives in SECONDS,
 *       and when all had arrived.
 *   spread statements COUNT BYTES SOURCES SECONDS EPOCH STAKE PLACE...
 *       The same with announcements by the validators above: durable, part of
 *       the set. STAKE: what the nodes' own announcements weigh together.
 *
 * PLACE: erad's state folder; serf's RPC address, IP:PORT. An event counts its
 * signed envelope (erad) or name and payload (serf). Prints one line of
 * NAME=VALUE words. How fine the times are: an event of erad and of serf is
 * heard by subscribers (well below a millisecond); bursts on erad are counted
 * by asking a node every `poll_ms` until it has all, then the next.
 * Exit status: 0; 64 usage; 69 a daemon does not answer as it should. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "proto/control.h"
#include "src/base/textkey.h"
#include "src/core/author.h"
#include "src/ipc/control.h"
#include "src/ipc/signal.h"

#define NODES_MAX       64
#define EVENTS_MAX      20000
#define EVENT_BYTES_MAX 400
#define WORKERS_A_NODE  8
#define TOPIC_BYTES     9 /* "b.000123" */
#define EXIT_USAGE      64
#define EXIT_DAEMON     69
#define CALL_MS         20000
#define SINGLE_MS       10000
#define POLL_PAUSE_MS   50

struct place {
    const char *name;
    char control[256], signal[256];
    struct sockaddr_in rpc;
};

static struct place places[NODES_MAX];
static size_t node_count;
static bool is_serf;
static size_t event_count, event_bytes;

static _Noreturn void fail(int status, const char *what, const char *why)
{
    fprintf(stderr, "spread: %s: %s\n", what, why);
    exit(status);
}

static int64_t clock_us(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t now_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

static void pause_ms(int64_t ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR) {
    }
}

static void topic_of(size_t event, char out[TOPIC_BYTES])
{
    snprintf(out, TOPIC_BYTES, "b.%06zu", event % 1000000);
}

/* Bytes that no compression shortens, and in which no topic begins. */
static void payload_of(size_t event, uint8_t *out, size_t len)
{
    uint8_t seed[randombytes_SEEDBYTES] = {0};
    memcpy(seed, &event, sizeof event);
    randombytes_buf_deterministic(out, len, seed);
    for (size_t i = 0; i < len; i++)
        if (out[i] == 'b')
            out[i] = 'c';
}

/* ---- who has what: written by one thread a node, waited for by the main one ---- */

static pthread_mutex_t heard_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t heard_more = PTHREAD_COND_INITIALIZER;
static int64_t (*heard_us)[NODES_MAX]; /* by event; 0: not yet */
static size_t *heard_by;               /* nodes, by event */
static size_t heard_sum;

static void heard(size_t node, size_t event)
{
    pthread_mutex_lock(&heard_lock);
    if (event < event_count && heard_us[event][node] == 0) {
        heard_us[event][node] = now_us();
        heard_by[event]++;
        heard_sum++;
        pthread_cond_signal(&heard_more);
    }
    pthread_mutex_unlock(&heard_lock);
}

/* Until *count is at least most, or the deadline. */
static void await(const size_t *count, size_t most, int64_t deadline_us)
{
    pthread_mutex_lock(&heard_lock);
    while (*count < most && now_us() < deadline_us) {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_nsec += 100000000;
        t.tv_sec += t.tv_nsec / 1000000000;
        t.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&heard_more, &heard_lock, &t);
    }
    pthread_mutex_unlock(&heard_lock);
}

static void heard_init(void)
{
    heard_us = calloc(event_count, sizeof *heard_us);
    heard_by = calloc(event_count, sizeof *heard_by);
    if (!heard_us || !heard_by)
        fail(EXIT_DAEMON, "memory", strerror(errno));
}

/* ---- erad ---- */

/* Asks; true when the status is 0. json: NULL, or the answer's, malloc'd. */
static bool erad_ask(const struct place *p, const struct era_request *request, char **json)
{
    uint8_t *bytes, *reply;
    size_t len = era_request_encode(request, &bytes), reply_len;
    int rc = era_control_call(p->control, (struct era_bytes){bytes, len}, CALL_MS, &reply, &reply_len);
    free(bytes);
    if (rc != 0)
        fail(EXIT_DAEMON, p->control, strerror(-rc));
    struct era_response response;
    if (era_response_decode((struct era_bytes){reply, reply_len}, &response) != ERA_ACCEPTED)
        fail(EXIT_DAEMON, p->control, "its answer makes no sense");
    if (json) {
        *json = strdup(response.json);
        if (!*json)
            fail(EXIT_DAEMON, "memory", strerror(errno));
    }
    bool done = response.status == 0;
    if (!done)
        fprintf(stderr, "spread: %s: %s\n", p->control, response.text);
    era_response_clear(&response);
    free(reply);
    return done;
}

/* The number behind "key": in its status; quoted or not. */
static uint64_t erad_number(const struct place *p, const char *key)
{
    char *json, wanted[64];
    erad_ask(p, &(struct era_request){.version = ERA_CONTROL_VERSION, .verb = "status"}, &json);
    snprintf(wanted, sizeof wanted, "\"%s\":", key);
    const char *at = strstr(json, wanted);
    if (!at)
        fail(EXIT_DAEMON, p->control, "its status lacks a number");
    at += strlen(wanted);
    uint64_t n = strtoull(at + (*at == '"'), NULL, 10);
    free(json);
    return n;
}

/* What an event weighs beside its payload: the rest of its signed envelope. */
static size_t erad_overhead(size_t payload_bytes)
{
    static struct era_statement s = {.kind = ERA_KIND_EVENT};
    static uint8_t payload[ERA_LOOSE_BYTES_MAX];
    s.u.event = (struct era_event_statement){.epoch = 1, .seq = 1000, .payload_bytes = payload_bytes};
    topic_of(0, s.u.event.topic);
    struct era_envelope e = {.kind = ERA_KIND_EVENT};
    e.payload = (struct era_bytes){payload, era_statement_encode(&s, payload, sizeof payload)};
    return era_envelope_bytes(&e) - payload_bytes;
}

static bool erad_emit(const struct place *p, size_t event)
{
    char topic[TOPIC_BYTES];
    uint8_t payload[EVENT_BYTES_MAX];
    size_t len = event_bytes - erad_overhead(event_bytes / 2);
    topic_of(event, topic);
    payload_of(event, payload, len);
    return erad_ask(
        p,
        &(struct era_request){
            .version = ERA_CONTROL_VERSION, .verb = "emit", .topic = topic, .data = {payload, len}},
        NULL);
}

static void *erad_listen(void *arg)
{
    size_t node = (size_t)(uintptr_t)arg;
    struct era_signal_follow *f;
    int rc = era_signal_follow_new(places[node].signal, "event.b.", CALL_MS, &f);
    if (rc != 0)
        fail(EXIT_DAEMON, places[node].signal, strerror(-rc));
    heard(node, 0); /* ready: event 0 is never sent */
    for (char *text; era_signal_follow_next(f, -1, &text) == 0; free(text))
        heard(node, strtoul(text + strlen("event.b."), NULL, 10));
    return NULL;
}

/* ---- serf: msgpack over TCP, as far as it is needed here ---- */

#define FIXMAP(n) (char)(0x80 | (n))
#define FIXSTR(n) (char)(0xa0 | (n))

struct message {
    size_t len;
    char bytes[EVENT_BYTES_MAX + 256];
};

static void put(struct message *m, const void *bytes, size_t len)
{
    memcpy(m->bytes + m->len, bytes, len);
    m->len += len;
}

static void put_byte(struct message *m, char c)
{
    put(m, &c, 1);
}

static void put_text(struct message *m, const char *text)
{
    put_byte(m, FIXSTR(strlen(text)));
    put(m, text, strlen(text));
}

static void put_bytes(struct message *m, const uint8_t *bytes, size_t len)
{
    const uint8_t head[3] = {0xda, (uint8_t)(len >> 8),
                             (uint8_t)len}; /* raw 16: serf's codec is the old one */
    put(m, head, sizeof head);
    put(m, bytes, len);
}

static void put_command(struct message *m, const char *command, char seq)
{
    m->len = 0;
    put_byte(m, FIXMAP(2));
    put_text(m, "Command");
    put_text(m, command);
    put_text(m, "Seq");
    put_byte(m, seq);
}

static void send_all(int fd, const struct message *m, const char *to)
{
    for (size_t at = 0; at < m->len;) {
        ssize_t n = send(fd, m->bytes + at, m->len - at, MSG_NOSIGNAL);
        if (n <= 0)
            fail(EXIT_DAEMON, to, strerror(errno));
        at += (size_t)n;
    }
}

/* The head of an answer: true when its Error is empty. */
static bool serf_answer(int fd, const char *from)
{
    char bytes[4096];
    size_t have = 0;
    for (;;) {
        ssize_t n = recv(fd, bytes + have, sizeof bytes - have, 0);
        if (n <= 0)
            fail(EXIT_DAEMON, from, n == 0 ? "closed" : strerror(errno));
        have += (size_t)n;
        const char *at = memmem(bytes, have, "Error", 5);
        if (at && at + 5 < bytes + have)
            return at[5] == FIXSTR(0);
        if (have == sizeof bytes)
            fail(EXIT_DAEMON, from, "its answer makes no sense");
    }
}

static int serf_connect(const struct place *p)
{
    struct message m;
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&p->rpc, sizeof p->rpc) != 0)
        fail(EXIT_DAEMON, p->name, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    put_command(&m, "handshake", 0);
    put_byte(&m, FIXMAP(1));
    put_text(&m, "Version");
    put_byte(&m, 1);
    send_all(fd, &m, p->name);
    if (!serf_answer(fd, p->name))
        fail(EXIT_DAEMON, p->name, "it refuses the handshake");
    return fd;
}

static bool serf_emit(int fd, const struct place *p, size_t event)
{
    struct message m;
    char topic[TOPIC_BYTES];
    uint8_t payload[EVENT_BYTES_MAX];
    size_t len = event_bytes - (TOPIC_BYTES - 1);
    topic_of(event, topic);
    payload_of(event, payload, len);
    put_command(&m, "event", 1);
    put_byte(&m, FIXMAP(3));
    put_text(&m, "Name");
    put_text(&m, topic);
    put_text(&m, "Payload");
    put_bytes(&m, payload, len);
    put_text(&m, "Coalesce");
    put_byte(&m, (char)0xc2);
    send_all(fd, &m, p->name);
    return serf_answer(fd, p->name);
}

/* Whole topics in what came; what may be the beginning of one is kept. */
static size_t serf_scan(size_t node, char *bytes, size_t have)
{
    size_t at = 0;
    for (; at + TOPIC_BYTES - 1 <= have; at++) {
        if (bytes[at] != 'b' || bytes[at + 1] != '.')
            continue;
        char digits[TOPIC_BYTES - 2] = {0}, *end;
        memcpy(digits, bytes + at + 2, TOPIC_BYTES - 3);
        size_t event = strtoul(digits, &end, 10);
        if (end == digits + TOPIC_BYTES - 3)
            heard(node, event);
    }
    memmove(bytes, bytes + at, have - at);
    return have - at;
}

static void *serf_listen(void *arg)
{
    size_t node = (size_t)(uintptr_t)arg, have = 0;
    const struct place *p = &places[node];
    char bytes[65536];
    struct message m;
    int fd = serf_connect(p);
    put_command(&m, "stream", 1);
    put_byte(&m, FIXMAP(1));
    put_text(&m, "Type");
    put_text(&m, "user");
    send_all(fd, &m, p->name);
    if (!serf_answer(fd, p->name))
        fail(EXIT_DAEMON, p->name, "it refuses to stream events");
    heard(node, 0);
    for (ssize_t n; (n = recv(fd, bytes + have, sizeof bytes - have, 0)) > 0;)
        have = serf_scan(node, bytes, have + (size_t)n);
    return NULL;
}

/* ---- the work ---- */

static void listen_to_all(void)
{
    for (size_t i = 0; i < node_count; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, is_serf ? serf_listen : erad_listen, (void *)(uintptr_t)i) != 0)
            fail(EXIT_DAEMON, "thread", "cannot be made");
        pthread_detach(thread);
    }
    await(&heard_by[0], node_count, now_us() + (int64_t)CALL_MS * 1000);
    if (heard_by[0] < node_count)
        fail(EXIT_DAEMON, "listening", "not every daemon lets us");
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static double quantile_ms(int64_t *us, size_t n, double q)
{
    if (n == 0)
        return 0;
    qsort(us, n, sizeof *us, ascending);
    size_t at = (size_t)(q * (double)n);
    return (double)us[at < n ? at : n - 1] / 1000;
}

static void singles(size_t count, int64_t gap_ms)
{
    int rpc[NODES_MAX];
    size_t whole = 0, arrived = 0;
    event_count = count + 1;
    heard_init();
    int64_t *to_all = calloc(count, sizeof *to_all), *each = calloc(count * node_count, sizeof *each);
    if (!to_all || !each)
        fail(EXIT_DAEMON, "memory", strerror(errno));
    listen_to_all();
    for (size_t i = 0; is_serf && i < node_count; i++)
        rpc[i] = serf_connect(&places[i]);
    for (size_t event = 1; event <= count; event++) {
        size_t from = event % node_count;
        int64_t began = now_us(), last = 0;
        if (!(is_serf ? serf_emit(rpc[from], &places[from], event) : erad_emit(&places[from], event)))
            fail(EXIT_DAEMON, places[from].name, "an event was refused");
        await(&heard_by[event], node_count, began + (int64_t)SINGLE_MS * 1000);
        pthread_mutex_lock(&heard_lock);
        for (size_t i = 0; i < node_count; i++) {
            int64_t at = heard_us[event][i];
            if (at == 0)
                continue;
            each[arrived++] = at - began;
            last = at > last ? at : last;
        }
        if (heard_by[event] == node_count)
            to_all[whole++] = last - began;
        pthread_mutex_unlock(&heard_lock);
        pause_ms(gap_ms);
    }
    printf("events=%zu whole=%zu missing=%zu p50_ms=%.3f p99_ms=%.3f each_p50_ms=%.3f\n", count, whole,
           count * node_count - arrived, quantile_ms(to_all, whole, 0.5), quantile_ms(to_all, whole, 0.99),
           quantile_ms(each, arrived, 0.5));
}

/* ---- bursts ---- */

/* Its events are first, first + step, …: the same number from each, since a key may emit only so many. */
struct source {
    const struct place *place;
    atomic_size_t next;
    size_t step;
};

static struct source sources_of[NODES_MAX];
static atomic_size_t refused;
static struct era_bytes *signed_statements; /* by event; NULL: events */

static void *work(void *arg)
{
    struct source *from = arg;
    const struct place *p = from->place;
    int fd = is_serf ? serf_connect(p) : -1;
    for (size_t event; (event = atomic_fetch_add(&from->next, from->step)) < event_count;) {
        bool done;
        if (signed_statements)
            done = erad_ask(p,
                            &(struct era_request){.version = ERA_CONTROL_VERSION,
                                                  .verb = "submit",
                                                  .data = signed_statements[event]},
                            NULL);
        else
            done = is_serf ? serf_emit(fd, p, event) : erad_emit(p, event);
        if (!done)
            atomic_fetch_add(&refused, 1);
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

/* How many of count it has, at most all. */
static size_t has_of(size_t node, const char *key, uint64_t base, size_t count)
{
    uint64_t has = erad_number(&places[node], key) - base;
    return has < count ? (size_t)has : count;
}

/* Asks one node until it counts base + count, then the next: to be asked is work too, and who has all needs
 * not be asked again. Returns what they count together, at most. */
static size_t poll_until(const char *key, const uint64_t *base, size_t count, int64_t deadline_us)
{
    size_t whole = 0, sum = 0;
    for (;;) {
        while (whole < node_count && has_of(whole, key, base[whole], count) == count)
            whole++;
        if (whole == node_count)
            return count * node_count;
        if (now_us() > deadline_us)
            break;
        pause_ms(POLL_PAUSE_MS);
    }
    for (size_t i = 0; i < node_count; i++)
        sum += has_of(i, key, base[i], count);
    return sum;
}

/* key: what erad counts them by. base: from where; NULL: from now. */
static void burst(size_t count, size_t sources, int64_t seconds, const char *key, const uint64_t *base)
{
    pthread_t workers[NODES_MAX * WORKERS_A_NODE];
    uint64_t before[NODES_MAX];
    size_t worker_count = 0, arrived;
    event_count = count + 1;
    heard_init();
    if (is_serf)
        listen_to_all();
    for (size_t i = 0; !is_serf && i < node_count; i++)
        before[i] = base ? base[i] : erad_number(&places[i], key);
    int64_t began = now_us(), deadline = began + seconds * 1000000;
    for (size_t i = 0; i < sources; i++) {
        sources_of[i] =
            (struct source){.place = &places[i * node_count / sources], .next = 1 + i, .step = sources};
        for (size_t k = 0; k < WORKERS_A_NODE; k++)
            if (pthread_create(&workers[worker_count++], NULL, work, &sources_of[i]) != 0)
                fail(EXIT_DAEMON, "thread", "cannot be made");
    }
    for (size_t i = 0; i < worker_count; i++)
        pthread_join(workers[i], NULL);
    int64_t handed_in = now_us();
    if (is_serf) {
        await(&heard_sum, (count + 1) * node_count, deadline);
        arrived = heard_sum - node_count;
    } else {
        arrived = poll_until(key, before, count, deadline);
    }
    int64_t ended = now_us();
    printf("count=%zu refused=%zu handed_in_s=%.3f arrived=%zu share=%.5f seconds=%.3f poll_ms=%d\n", count,
           atomic_load(&refused), (double)(handed_in - began) / 1e6, arrived,
           (double)arrived / (double)(count * node_count), (double)(ended - began) / 1e6, POLL_PAUSE_MS);
}

/* ---- validators that are only keys ---- */

static void key_of(size_t validator, struct era_secret *out)
{
    uint8_t seed[crypto_sign_SEEDBYTES] = "spread";
    memcpy(seed + 8, &validator, sizeof validator);
    crypto_sign_seed_keypair(out->key.b, out->secret, seed);
}

static void validators(size_t count)
{
    for (size_t i = 1; i <= count; i++) {
        struct era_secret secret;
        char text[ERA_KEY_TEXT_BYTES];
        key_of(i, &secret);
        printf("%s{ name = \"v%zu\"; key = \"%s\"; stake = \"1\"; }\n", i > 1 ? ", " : "  ", i,
               era_key_text(&secret.key, text));
    }
}

static struct era_hash network_of(const struct place *p)
{
    struct era_hash network;
    char *json;
    erad_ask(p, &(struct era_request){.version = ERA_CONTROL_VERSION, .verb = "status"}, &json);
    const char *at = strstr(json, "\"network\":\"");
    if (!at || sodium_hex2bin(network.b, sizeof network.b, at + strlen("\"network\":\""), 2 * ERA_HASH_BYTES,
                              NULL, NULL, NULL) != 0)
        fail(EXIT_DAEMON, p->control, "its status names no network");
    free(json);
    return network;
}

static void sign_all(size_t count, uint64_t epoch)
{
    struct era_hash network = network_of(&places[0]);
    struct era_statement *s = calloc(1, sizeof *s);
    uint8_t *room = malloc(ERA_AUTHORED_BYTES_MAX);
    signed_statements = calloc(count + 1, sizeof *signed_statements);
    if (!s || !room || !signed_statements)
        fail(EXIT_DAEMON, "memory", strerror(errno));
    s->kind = ERA_KIND_ANNOUNCEMENT;
    s->u.announcement.epoch = epoch;
    char *software = s->u.announcement.versions.v[ERA_VERSION_SOFTWARE];
    snprintf(software, ERA_VERSION_BYTES_MAX, "1.0.0+");
    for (size_t i = 1; i <= count; i++) {
        struct era_secret secret;
        key_of(i, &secret);
        size_t len;
        while ((len = era_author_sign(&network, s, &secret, room, ERA_AUTHORED_BYTES_MAX, NULL)) <
                   event_bytes &&
               strlen(software) < ERA_VERSION_BYTES_MAX)
            strcat(software, "x");
        uint8_t *copy = malloc(len);
        if (len == 0 || !copy)
            fail(EXIT_DAEMON, "memory", strerror(errno));
        memcpy(copy, room, len);
        signed_statements[i] = (struct era_bytes){copy, len};
    }
    free(s);
    free(room);
}

static void statements(size_t count, size_t sources, int64_t seconds, uint64_t epoch, uint64_t stake)
{
    uint64_t base[NODES_MAX];
    sign_all(count, epoch);
    for (size_t i = 0; i < node_count; i++)
        base[i] = stake;
    burst(count, sources, seconds, "fresh", base);
}

/* ---- the floor: nobody is faster than checking every signature once ---- */

static atomic_bool enough;
static atomic_size_t checked, checking_us;

static void *check_signatures(void *arg)
{
    struct era_secret secret;
    uint8_t id[ERA_HASH_BYTES] = {1}, signature[crypto_sign_BYTES];
    (void)arg;
    key_of(1, &secret);
    crypto_sign_detached(signature, NULL, id, sizeof id, secret.secret);
    int64_t began = clock_us(CLOCK_THREAD_CPUTIME_ID);
    while (!atomic_load(&enough))
        if (crypto_sign_verify_detached(signature, id, sizeof id, secret.key.b) == 0)
            atomic_fetch_add(&checked, 1);
    atomic_fetch_add(&checking_us, (size_t)(clock_us(CLOCK_THREAD_CPUTIME_ID) - began));
    return NULL;
}

static void floor_rate(int64_t seconds)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t threads[256];
    cores = cores > 256 ? 256 : cores;
    int64_t began = now_us();
    for (long i = 0; i < cores; i++)
        if (pthread_create(&threads[i], NULL, check_signatures, NULL) != 0)
            fail(EXIT_DAEMON, "thread", "cannot be made");
    pause_ms(seconds * 1000);
    atomic_store(&enough, true);
    for (long i = 0; i < cores; i++)
        pthread_join(threads[i], NULL);
    int64_t took_us = now_us() - began;
    printf("cores=%ld per_second=%.0f per_cpu_second=%.0f\n", cores,
           (double)atomic_load(&checked) * 1e6 / (double)took_us,
           (double)atomic_load(&checked) * 1e6 / (double)atomic_load(&checking_us));
}

/* ---- what is asked ---- */

static _Noreturn void usage(void)
{
    fputs("usage: spread floor SECONDS\n"
          "       spread validators COUNT\n"
          "       spread singles erad|serf COUNT GAP_MS BYTES PLACE...\n"
          "       spread burst erad|serf COUNT BYTES SOURCES SECONDS PLACE...\n"
          "       spread statements COUNT BYTES SOURCES SECONDS EPOCH STAKE PLACE...\n",
          stderr);
    exit(EXIT_USAGE);
}

static uint64_t number(const char *text, uint64_t least, uint64_t most)
{
    char *end;
    errno = 0;
    uint64_t n = text ? strtoull(text, &end, 10) : 0;
    if (!text || errno || end == text || *end || text[0] == '-' || n < least || n > most) {
        fprintf(stderr, "spread: %s: wanted is a number of %" PRIu64 " to %" PRIu64 "\n",
                text ? text : "nothing", least, most);
        usage();
    }
    return n;
}

static void add_place(const char *text)
{
    if (node_count == NODES_MAX)
        usage();
    struct place *p = &places[node_count++];
    p->name = text;
    if (!is_serf) {
        snprintf(p->control, sizeof p->control, "%s/control.sock", text);
        snprintf(p->signal, sizeof p->signal, "%s/signal.sock", text);
        return;
    }
    char host[64];
    const char *colon = strchr(text, ':');
    snprintf(host, sizeof host, "%.*s", colon ? (int)(colon - text) : 0, text);
    p->rpc.sin_family = AF_INET;
    if (!colon || inet_pton(AF_INET, host, &p->rpc.sin_addr) != 1)
        usage();
    p->rpc.sin_port = htons((uint16_t)number(colon + 1, 1, UINT16_MAX));
}

/* The places, from argv[first] on. */
static void add_places(int argc, char **argv, int first)
{
    for (int i = first; i < argc; i++)
        add_place(argv[i]);
    if (node_count == 0)
        usage();
}

static void choose_system(const char *name)
{
    is_serf = name && strcmp(name, "serf") == 0;
    if (!name || (!is_serf && strcmp(name, "erad") != 0))
        usage();
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (sodium_init() < 0)
        fail(EXIT_DAEMON, "libsodium", "does not start");
    if (strcmp(what, "floor") == 0) {
        floor_rate((int64_t)number(argv[2], 1, 60));
    } else if (strcmp(what, "validators") == 0) {
        validators(number(argv[2], 1, ERA_VALIDATORS_MAX));
    } else if (strcmp(what, "singles") == 0 && argc > 6) {
        choose_system(argv[2]);
        event_bytes = number(argv[5], 200, EVENT_BYTES_MAX);
        add_places(argc, argv, 6);
        singles(number(argv[3], 1, EVENTS_MAX), (int64_t)number(argv[4], 0, 60000));
    } else if (strcmp(what, "burst") == 0 && argc > 7) {
        choose_system(argv[2]);
        event_bytes = number(argv[4], 200, EVENT_BYTES_MAX);
        add_places(argc, argv, 7);
        burst(number(argv[3], 1, EVENTS_MAX), number(argv[5], 1, node_count),
              (int64_t)number(argv[6], 1, 600), "delivered", NULL);
    } else if (strcmp(what, "statements") == 0 && argc > 8) {
        event_bytes = number(argv[3], 200, EVENT_BYTES_MAX);
        add_places(argc, argv, 8);
        statements(number(argv[2], 1, ERA_VALIDATORS_MAX), number(argv[4], 1, node_count),
                   (int64_t)number(argv[5], 1, 600), number(argv[6], 0, ERA_EPOCH_MAX),
                   number(argv[7], 0, ERA_STAKE_SUM_MAX));
    } else {
        usage();
    }
    return 0;
}
