#include "src/erasim/sweep.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "src/base/verdict.h"
#include "src/erasim/once.h"

#define BAR         24
#define SHOW_MS     250   /* between two looks of the bar */
#define PLAIN_MS    10000 /* between two plain lines */
#define STATUS_FAIL 2     /* of a worker that could not run at all: err follows in the pipe */

struct worker {
    pid_t pid; /* 0: free */
    int fd;
    uint64_t seed;
    size_t got;
    union {
        struct sim_result result;
        struct era_error error;
    } u;
};

struct sweep {
    const struct sim_options *o;
    struct era_error *err;
    uint64_t jobs, next, done, begin_ms, shown_ms;
    bool terminal, stop;
    int status;
    struct worker *workers;
    bool *finished; /* of each seed of the range, for where to go on */
    struct sim_totals totals;
    struct sim_result broken; /* the break with the lowest seed */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- a worker ---- */

static void write_all(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            _exit(ERA_EXIT_CANNOT_WRITE);
        at += n;
        len -= (size_t)n;
    }
}

/* Ends with the parent: nobody would read what it finds. */
static _Noreturn void work(const struct sim_options *o, uint64_t seed, int fd)
{
    static struct sim_result result;
    static struct era_error err;
    signal(SIGINT, SIG_IGN); /* the parent hears it, and ends us */
    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (once_run(o, seed, &result, &err)) {
        write_all(fd, &result, sizeof result);
        _exit(0);
    }
    write_all(fd, &err, sizeof err);
    _exit(STATUS_FAIL);
}

static bool start(struct sweep *w, struct worker *k)
{
    int ends[2];
    if (pipe(ends) != 0)
        return era_error_errno(w->err, -errno, "", "make a pipe");
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        int error = errno;
        close(ends[0]);
        close(ends[1]);
        return era_error_errno(w->err, -error, "", "start a process");
    }
    if (pid == 0) {
        close(ends[0]);
        work(w->o, w->next, ends[1]);
    }
    close(ends[1]);
    *k = (struct worker){.pid = pid, .fd = ends[0], .seed = w->next++};
    return true;
}

static void end_all(struct sweep *w)
{
    for (uint64_t i = 0; i < w->jobs; i++) {
        struct worker *k = &w->workers[i];
        if (!k->pid)
            continue;
        kill(k->pid, SIGKILL);
        while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        close(k->fd);
        k->pid = 0;
    }
}

/* ---- what they bring ---- */

static void take_break(struct sweep *w, const struct sim_result *r)
{
    if (!w->broken.broken || r->seed < w->broken.seed)
        w->broken = *r;
    w->status = ERA_EXIT_NEGATIVE;
    w->stop = true;
}

/* A worker that did not end by itself: an assertion, a sanitizer, no memory. */
static void take_crash(struct sweep *w, const struct worker *k, int status)
{
    struct sim_result r = {.seed = k->seed, .broken = true};
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        era_error_set(w->err, ERA_EXIT_TRY_LATER, "", "use fewer --jobs or --nodes",
                      "the process of seed %" PRIu64 " was killed", k->seed);
        w->status = ERA_EXIT_TRY_LATER;
        w->stop = true;
        return;
    }
    snprintf(r.rule, sizeof r.rule, "assertion");
    if (WIFSIGNALED(status))
        snprintf(r.text, sizeof r.text, "the process ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(r.text, sizeof r.text, "the process ended with status %d", WEXITSTATUS(status));
    take_break(w, &r);
}

static void finish(struct sweep *w, struct worker *k)
{
    int status;
    while (waitpid(k->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close(k->fd);
    k->pid = 0;
    bool whole = WIFEXITED(status) && WEXITSTATUS(status) == 0 && k->got == sizeof k->u.result;
    if (!whole && WIFEXITED(status) && WEXITSTATUS(status) == STATUS_FAIL && k->got == sizeof k->u.error) {
        *w->err = k->u.error;
        w->status = w->err->status;
        w->stop = true;
        return;
    }
    w->done++;
    w->finished[k->seed - w->o->seed_first] = true;
    if (!whole) {
        take_crash(w, k, status);
        return;
    }
    report_add(&w->totals, &k->u.result);
    if (k->u.result.broken)
        take_break(w, &k->u.result);
}

static void read_some(struct sweep *w, struct worker *k)
{
    size_t room = sizeof k->u - k->got;
    ssize_t n = read(k->fd, (unsigned char *)&k->u + k->got, room);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n > 0) {
        k->got += (size_t)n;
        return;
    }
    finish(w, k);
}

/* ---- how far it is ---- */

static void show(struct sweep *w, bool last)
{
    uint64_t now = now_ms(), all = w->o->seed_last - w->o->seed_first + 1, ran = now - w->begin_ms;
    if (!last && now - w->shown_ms < (w->terminal ? SHOW_MS : PLAIN_MS))
        return;
    w->shown_ms = now;
    uint64_t per_minute = ran ? w->done * 60000 / ran : 0;
    uint64_t left_s = w->done ? (all - w->done) * ran / w->done / 1000 : 0;
    char bar[BAR + 1];
    int filled = (int)(w->done * BAR / all);
    for (int i = 0; i < BAR; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[BAR] = '\0';
    if (w->terminal)
        fprintf(stderr,
                "\r[%s] %" PRIu64 " of %" PRIu64 " seeds, %" PRIu64 ".%02" PRIu64 " a second, %" PRIu64
                ":%02" PRIu64 " left \033[K%s",
                bar, w->done, all, per_minute / 60, per_minute % 60 * 100 / 60, left_s / 60, left_s % 60,
                last ? "\n" : "");
    else
        fprintf(stderr, "erasim: %" PRIu64 " of %" PRIu64 " seeds, %" PRIu64 " a minute\n", w->done, all,
                per_minute);
}

/* ---- the sweep ---- */

static bool fill(struct sweep *w)
{
    bool any = false;
    for (uint64_t i = 0; i < w->jobs; i++) {
        struct worker *k = &w->workers[i];
        if (!k->pid && !w->stop && !interrupted && w->next <= w->o->seed_last && !start(w, k)) {
            w->status = w->err->status;
            w->stop = true;
        }
        any = any || k->pid;
    }
    return any;
}

/* A break ends the sweep, but seeds below it that still run are waited for: the lowest one is told. */
static bool worth_waiting(const struct sweep *w)
{
    if (!w->stop)
        return true;
    for (uint64_t i = 0; i < w->jobs; i++)
        if (w->workers[i].pid && w->broken.broken && w->workers[i].seed < w->broken.seed)
            return true;
    return false;
}

static void loop(struct sweep *w)
{
    struct pollfd *fds = calloc(w->jobs, sizeof *fds);
    if (!fds) {
        era_error_errno(w->err, -ENOMEM, "", "begin");
        w->status = w->err->status;
        return;
    }
    while (fill(w) && !interrupted && worth_waiting(w)) {
        for (uint64_t i = 0; i < w->jobs; i++)
            fds[i] = (struct pollfd){.fd = w->workers[i].pid ? w->workers[i].fd : -1, .events = POLLIN};
        if (poll(fds, w->jobs, SHOW_MS) > 0)
            for (uint64_t i = 0; i < w->jobs; i++)
                if (w->workers[i].pid && fds[i].revents)
                    read_some(w, &w->workers[i]);
        show(w, false);
    }
    free(fds);
}

/* The first seed that was not finished; those after it that were run again cost time alone. */
static uint64_t rest(const struct sweep *w)
{
    uint64_t seed = w->o->seed_first;
    while (seed <= w->o->seed_last && w->finished[seed - w->o->seed_first])
        seed++;
    return seed;
}

static void conclude(struct sweep *w)
{
    char command[SIM_COMMAND_BYTES];
    const struct sim_options *o = w->o;
    if (o->json) {
        json_t *out = report_totals_json(&w->totals, o);
        json_object_set_new(out, "broken", json_null());
        if (w->broken.broken) {
            json_t *one = report_json(&w->broken, o);
            json_object_set(out, "broken", json_object_get(one, "broken"));
            json_decref(one);
        }
        json_object_set_new(out, "rest",
                            w->status == SWEEP_INTERRUPTED
                                ? json_string(sim_options_rest(o, rest(w), command))
                                : json_null());
        report_json_print("erad.sim-sweep/1", out);
        return;
    }
    report_totals(&w->totals, o);
    if (w->status == SWEEP_INTERRUPTED)
        printf("Interrupted after %" PRIu64 " seeds; to go on: %s\n", w->done,
               sim_options_rest(o, rest(w), command));
    else if (w->broken.broken)
        report_break(&w->broken, o);
    else
        printf("Every rule held with every seed from %" PRIu64 " to %" PRIu64 ".\n", o->seed_first,
               o->seed_last);
}

static bool prepare(struct sweep *w)
{
    uint64_t seeds = w->o->seed_last - w->o->seed_first + 1, nodes = w->o->nodes;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    w->jobs = w->o->jobs ? w->o->jobs : processors > 0 ? (uint64_t)processors : 1;
    if (w->jobs > seeds)
        w->jobs = seeds;
    if (seeds > SWEEP_SEEDS_MAX)
        return era_error_set(w->err, ERA_EXIT_USAGE, "", "sweep them in parts", "more than %d seeds",
                             SWEEP_SEEDS_MAX);
    if (!once_fits(nodes ? nodes : 50, w->jobs, w->err))
        return false;
    w->workers = calloc(w->jobs, sizeof *w->workers);
    w->finished = calloc(seeds, sizeof *w->finished);
    return (w->workers && w->finished) || era_error_errno(w->err, -ENOMEM, "", "begin");
}

int sweep_run(const struct sim_options *o, struct era_error *err)
{
    static struct sweep w;
    w = (struct sweep){.o = o, .err = err, .next = o->seed_first, .terminal = isatty(STDERR_FILENO)};
    struct sigaction action = {.sa_handler = on_signal};
    if (!prepare(&w)) {
        free(w.workers);
        free(w.finished);
        return err->status;
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    w.begin_ms = w.shown_ms = now_ms();
    loop(&w);
    end_all(&w);
    if (interrupted && !w.broken.broken)
        w.status = SWEEP_INTERRUPTED;
    show(&w, true);
    if (w.status == 0 || w.status == ERA_EXIT_NEGATIVE || w.status == SWEEP_INTERRUPTED)
        conclude(&w);
    free(w.workers);
    free(w.finished);
    return w.status;
}
