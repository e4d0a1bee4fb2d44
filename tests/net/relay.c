/* relay: a slow, careless network. Joins network namespaces by one TUN device
 * each and carries IPv4 packets between them, every packet with a delay of its
 * own, some twice, some ahead of their turn.
 *
 *   relay [--delay MS] [--jitter MS] [--duplicate PERCENT] [--hurry PERCENT]
 *         [--seed N] NAMESPACE=ADDRESS...
 *
 * In each namespace it makes the device `era0`; who calls gives it ADDRESS and
 * sets it up, once the line "relay: ready" is out. A packet takes MS +- jitter,
 * evenly spread; --hurry is the share that takes no time at all. What happens
 * to the nth packet from one address to another follows from the seed alone.
 * On SIGTERM or SIGINT, and when its parent dies, it prints its counters and
 * ends; its devices end with it. Needs root. No packet leaves the namespaces.
 * Exit status: 0; 64 usage; 71 the system refused, with the reason. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define PORTS_MAX       64
#define QUEUE_MAX       65536 /* packets under way; one more is dropped, and counted */
#define PACKET_BYTES    2048  /* above the devices' MTU of 1500 */
#define READS_A_TURN    64    /* of one device, so that none starves the others */
#define DRAIN_TURNS     16
#define IPV4_BYTES_MIN  20
#define IPV4_SOURCE     12
#define IPV4_TARGET     16
#define EXIT_USAGE      64
#define EXIT_REFUSED    71
#define DEVICE_NAME     "era0"
#define NANOS_A_MS      1000000
#define PERCENT         100
#define NAMESPACE_BYTES 256

struct packet {
    int64_t due_ns;
    uint64_t order; /* of arrival: packets due at once keep it */
    uint64_t nth;   /* of this pair */
    size_t from, to, len;
    uint8_t bytes[];
};

struct relay {
    size_t count;
    struct pollfd fds[PORTS_MAX + 1]; /* the last: signals */
    uint32_t addresses[PORTS_MAX];    /* network order */
    uint64_t sent[PORTS_MAX][PORTS_MAX];
    uint64_t newest[PORTS_MAX][PORTS_MAX];
    struct packet **heap;
    size_t held;
    uint64_t arrivals;
    int64_t delay_ms, jitter_ms;
    unsigned duplicate, hurry;
    uint64_t seed;
    uint64_t packets, bytes, delivered, duplicated, hurried, overtaken, unknown, full, refused;
};

static _Noreturn void refuse(const char *what)
{
    fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
    exit(EXIT_REFUSED);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 * NANOS_A_MS + t.tv_nsec;
}

/* splitmix64: the one number that belongs to a packet and a question about it. */
static uint64_t drawn(const struct relay *r, size_t from, size_t to, uint64_t nth, uint64_t question)
{
    uint64_t x =
        r->seed * 0x9E3779B97F4A7C15u + ((uint64_t)from << 8 | to) * 0xD1B54A32D192ED03u + nth * 8 + question;
    for (int i = 0; i < 2; i++) {
        x += 0x9E3779B97F4A7C15u;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
        x ^= x >> 31;
    }
    return x;
}

/* ---- what is under way: a heap, the next one first ---- */

static bool before(const struct packet *a, const struct packet *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void swap(struct packet **a, struct packet **b)
{
    struct packet *t = *a;
    *a = *b;
    *b = t;
}

static void push(struct relay *r, struct packet *p)
{
    size_t at = r->held++;
    r->heap[at] = p;
    for (; at > 0 && before(r->heap[at], r->heap[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&r->heap[at], &r->heap[(at - 1) / 2]);
}

static struct packet *pop(struct relay *r)
{
    struct packet *first = r->heap[0];
    r->heap[0] = r->heap[--r->held];
    for (size_t at = 0, next; (next = 2 * at + 1) < r->held; at = next) {
        if (next + 1 < r->held && before(r->heap[next + 1], r->heap[next]))
            next++;
        if (!before(r->heap[next], r->heap[at]))
            break;
        swap(&r->heap[next], &r->heap[at]);
    }
    return first;
}

/* ---- packets ---- */

static void plan(struct relay *r, size_t from, size_t to, uint64_t nth, bool again, const uint8_t *bytes,
                 size_t len)
{
    uint64_t question = again ? 4 : 0;
    int64_t delay_ns = 0;
    if (r->held == QUEUE_MAX) {
        r->full++;
        return;
    }
    if (drawn(r, from, to, nth, question) % PERCENT < r->hurry) {
        r->hurried++;
    } else {
        uint64_t spread_ns = (uint64_t)(2 * r->jitter_ms * NANOS_A_MS) + 1;
        delay_ns = (r->delay_ms - r->jitter_ms) * NANOS_A_MS +
                   (int64_t)(drawn(r, from, to, nth, question + 1) % spread_ns);
    }
    struct packet *p = malloc(sizeof *p + len);
    if (!p)
        refuse("memory");
    *p = (struct packet){now_ns() + delay_ns, r->arrivals++, nth, from, to, len};
    memcpy(p->bytes, bytes, len);
    push(r, p);
}

static void take(struct relay *r, size_t from, const uint8_t *bytes, size_t len)
{
    uint32_t target;
    size_t to = 0;
    if (len < IPV4_BYTES_MIN || bytes[0] >> 4 != 4) {
        r->unknown++;
        return;
    }
    memcpy(&target, bytes + IPV4_TARGET, sizeof target);
    while (to < r->count && r->addresses[to] != target)
        to++;
    if (to == r->count) {
        r->unknown++;
        return;
    }
    uint64_t nth = ++r->sent[from][to];
    r->packets++;
    r->bytes += len;
    plan(r, from, to, nth, false, bytes, len);
    if (drawn(r, from, to, nth, 2) % PERCENT < r->duplicate) {
        r->duplicated++;
        plan(r, from, to, nth, true, bytes, len);
    }
}

/* False when nothing more waits. */
static bool read_device(struct relay *r, size_t from)
{
    uint8_t bytes[PACKET_BYTES];
    for (int i = 0; i < READS_A_TURN; i++) {
        ssize_t len = read(r->fds[from].fd, bytes, sizeof bytes);
        if (len < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        if (len <= 0) { /* its namespace is gone: poll passes over it from now on */
            r->refused++;
            close(r->fds[from].fd);
            r->fds[from].fd = -1;
            return false;
        }
        take(r, from, bytes, (size_t)len);
    }
    return true;
}

static void deliver_due(struct relay *r)
{
    int64_t now = now_ns();
    while (r->held > 0 && r->heap[0]->due_ns <= now) {
        struct packet *p = pop(r);
        uint64_t *newest = &r->newest[p->from][p->to];
        if (p->nth < *newest)
            r->overtaken++;
        else
            *newest = p->nth;
        if (write(r->fds[p->to].fd, p->bytes, p->len) == (ssize_t)p->len)
            r->delivered++;
        else
            r->refused++;
        free(p);
    }
}

static int until_next_ms(const struct relay *r)
{
    if (r->held == 0)
        return -1;
    int64_t left = r->heap[0]->due_ns - now_ns();
    return left <= 0 ? 0 : (int)((left + NANOS_A_MS - 1) / NANOS_A_MS);
}

/* ---- start and end ---- */

static int open_device(const char *namespace)
{
    char path[NAMESPACE_BYTES + 16];
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    snprintf(path, sizeof path, "/run/netns/%s", namespace);
    int there = open(path, O_RDONLY | O_CLOEXEC);
    if (there < 0 || setns(there, CLONE_NEWNET) != 0)
        refuse(path);
    close(there);
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        refuse("/dev/net/tun");
    memcpy(request.ifr_name, DEVICE_NAME, sizeof DEVICE_NAME);
    if (ioctl(fd, TUNSETIFF, &request) != 0)
        refuse(namespace);
    return fd;
}

static _Noreturn void usage(void)
{
    fputs("usage: relay [--delay MS] [--jitter MS] [--duplicate PERCENT] [--hurry PERCENT] [--seed N]\n"
          "             NAMESPACE=ADDRESS...\n",
          stderr);
    exit(EXIT_USAGE);
}

static uint64_t number(const char *text, uint64_t most)
{
    char *end;
    errno = 0;
    uint64_t n = strtoull(text, &end, 10);
    if (errno || end == text || *end || text[0] == '-' || n > most) {
        fprintf(stderr, "relay: %s is no number of 0 to %" PRIu64 "\n", text, most);
        usage();
    }
    return n;
}

static void add_port(struct relay *r, char *word)
{
    char *address = strchr(word, '=');
    if (!address || r->count == PORTS_MAX || address - word >= NAMESPACE_BYTES)
        usage();
    *address++ = '\0';
    if (inet_pton(AF_INET, address, &r->addresses[r->count]) != 1)
        usage();
    r->fds[r->count] = (struct pollfd){.fd = open_device(word), .events = POLLIN};
    r->count++;
}

static void options(struct relay *r, int argc, char **argv)
{
    static const struct option known[] = {
        {"delay", required_argument, NULL, 'd'},     {"jitter", required_argument, NULL, 'j'},
        {"duplicate", required_argument, NULL, 'u'}, {"hurry", required_argument, NULL, 'h'},
        {"seed", required_argument, NULL, 's'},      {0}};
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (c == 'd')
            r->delay_ms = (int64_t)number(optarg, 10000);
        else if (c == 'j')
            r->jitter_ms = (int64_t)number(optarg, 10000);
        else if (c == 'u')
            r->duplicate = (unsigned)number(optarg, PERCENT);
        else if (c == 'h')
            r->hurry = (unsigned)number(optarg, PERCENT);
        else if (c == 's')
            r->seed = number(optarg, UINT64_MAX);
        else
            usage();
    }
    if (optind == argc || r->jitter_ms > r->delay_ms)
        usage();
    while (optind < argc)
        add_port(r, argv[optind++]);
}

static int signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    if (fd < 0)
        refuse("signalfd");
    return fd;
}

/* What was sent before the end is counted, as far as a few turns reach. */
static void drain(struct relay *r)
{
    for (size_t i = 0; i < r->count; i++)
        for (int turn = 0; turn < DRAIN_TURNS && r->fds[i].fd >= 0 && read_device(r, i); turn++) {
        }
}

static void run(struct relay *r)
{
    for (;;) {
        if (poll(r->fds, r->count + 1, until_next_ms(r)) < 0 && errno != EINTR)
            refuse("poll");
        if (r->fds[r->count].revents) {
            drain(r);
            return;
        }
        for (size_t i = 0; i < r->count; i++)
            if (r->fds[i].revents)
                read_device(r, i);
        deliver_due(r);
    }
}

int main(int argc, char **argv)
{
    struct relay r = {.seed = 1};
    int stop = signals();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    r.heap = malloc(QUEUE_MAX * sizeof *r.heap);
    if (!r.heap)
        refuse("memory");
    options(&r, argc, argv);
    r.fds[r.count] = (struct pollfd){.fd = stop, .events = POLLIN};
    puts("relay: ready");
    fflush(stdout);
    run(&r);
    printf("relay: packets=%" PRIu64 " bytes=%" PRIu64 " delivered=%" PRIu64 " duplicated=%" PRIu64
           " overtaken=%" PRIu64 " hurried=%" PRIu64 " unknown=%" PRIu64 " full=%" PRIu64 " refused=%" PRIu64
           " under-way=%zu\n",
           r.packets, r.bytes, r.delivered, r.duplicated, r.overtaken, r.hurried, r.unknown, r.full,
           r.refused, r.held);
    for (size_t i = 0; i < r.count; i++)
        if (r.fds[i].fd >= 0)
            close(r.fds[i].fd);
    while (r.held > 0)
        free(pop(&r));
    free(r.heap);
    return 0;
}
