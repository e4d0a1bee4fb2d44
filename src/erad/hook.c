#include "src/erad/hook.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/limits.h"
#include "src/base/bytes.h"
#include "src/erad/log.h"
#include "src/node/effect.h"

#define KIND_BYTES 8
/* Two kinds, gate and era, a component. */
#define PENDING_MAX (2 * ERA_COMPONENTS_MAX)

struct run {
    bool used;
    uint64_t order; /* kept when a newer signal replaces what waits */
    char kind[KIND_BYTES];
    char component[ERA_NAME_BYTES_MAX + 1], value[ERA_NAME_BYTES_MAX + 1];
    uint64_t epoch;
    char *json; /* owned */
};

struct era_hook {
    struct event_base *base;
    const char *program, *state_dir;
    uint64_t run_ms;
    pid_t child; /* 0: none runs */
    int pidfd;
    struct event *ended, *overdue;
    uint64_t next_order;
    struct run pending[PENDING_MAX];
};

static void run_next(struct era_hook *h);

struct era_hook *era_hook_new(struct event_base *base, const char *program, const char *state_dir)
{
    struct era_hook *h = calloc(1, sizeof *h);
    assert(h);
    *h = (struct era_hook){
        .base = base, .program = program, .state_dir = state_dir, .run_ms = ERA_HOOK_RUN_MS, .pidfd = -1};
    return h;
}

void era_hook_set_run_ms(struct era_hook *h, uint64_t run_ms)
{
    h->run_ms = run_ms;
}

/* ---- the child ---- */

/* No descriptor, signal setting or variable of the daemon reaches the program. */
static int spawn(const struct era_hook *h, const struct run *r, pid_t *child)
{
    char *env[5], epoch[40];
    char *argv[] = {(char *)h->program, (char *)r->kind, (char *)r->component, (char *)r->value, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    snprintf(epoch, sizeof epoch, "ERAD_EPOCH=%llu", (unsigned long long)r->epoch);
    if (asprintf(&env[0], "ERAD_SIGNAL=%s", r->json) < 0)
        return -ENOMEM;
    if (asprintf(&env[1], "ERAD_STATE=%s", h->state_dir) < 0) {
        free(env[0]);
        return -ENOMEM;
    }
    env[2] = epoch;
    env[3] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    env[4] = NULL;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setpgroup(&attr, 0); /* what it starts ends with it */
    int rc = posix_spawn(child, h->program, &files, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    free(env[0]);
    free(env[1]);
    return -rc;
}

static void forget_child(struct era_hook *h)
{
    if (h->ended)
        event_free(h->ended);
    if (h->overdue)
        event_free(h->overdue);
    if (h->pidfd >= 0)
        close(h->pidfd);
    h->ended = h->overdue = NULL;
    h->pidfd = -1;
    h->child = 0;
}

/* Only a child that was not reaped yet: its number is then surely its own, and its group's. */
static void kill_child(struct era_hook *h)
{
    kill(-h->child, SIGKILL);
}

static void reap(struct era_hook *h)
{
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)h->pidfd, &info, WEXITED) != 0)
        era_log(ERA_LOG_ERROR, "hook: cannot learn how it ended: %s", strerror(errno));
    else if (info.si_code == CLD_EXITED)
        era_log(info.si_status == 0 ? ERA_LOG_DEBUG : ERA_LOG_WARNING, "hook: ended with status %d",
                info.si_status);
    else
        era_log(ERA_LOG_WARNING, "hook: ended by signal %d (%s)", info.si_status, strsignal(info.si_status));
    forget_child(h);
}

static void on_ended(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd, (void)what;
    reap(ctx);
    run_next(ctx);
}

static void on_overdue(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd, (void)what;
    struct era_hook *h = ctx;
    era_log(ERA_LOG_WARNING, "hook: ran longer than %llu ms, killed", (unsigned long long)h->run_ms);
    kill_child(h);
}

/* The child runs: hear of its end. False: it cannot be watched. */
static bool watch_child(struct era_hook *h)
{
    struct timeval limit = {.tv_sec = (time_t)(h->run_ms / 1000),
                            .tv_usec = (suseconds_t)(h->run_ms % 1000 * 1000)};
    h->pidfd = pidfd_open(h->child, 0);
    if (h->pidfd < 0)
        return false;
    h->ended = event_new(h->base, h->pidfd, EV_READ, on_ended, h);
    h->overdue = evtimer_new(h->base, on_overdue, h);
    return h->ended && h->overdue && event_add(h->ended, NULL) == 0 && event_add(h->overdue, &limit) == 0;
}

static struct run *oldest(struct era_hook *h)
{
    struct run *found = NULL;
    for (size_t i = 0; i < PENDING_MAX; i++)
        if (h->pending[i].used && (!found || h->pending[i].order < found->order))
            found = &h->pending[i];
    return found;
}

static void run_next(struct era_hook *h)
{
    struct run *r;
    while (h->child == 0 && (r = oldest(h))) {
        int rc = spawn(h, r, &h->child);
        if (rc != 0) {
            era_log(ERA_LOG_ERROR, "hook: cannot run %s: %s", h->program, strerror(-rc));
            h->child = 0;
        } else if (!watch_child(h)) {
            era_log(ERA_LOG_ERROR, "hook: cannot watch it: %s", strerror(errno));
            kill_child(h);
            waitpid(h->child, NULL, 0);
            forget_child(h);
        }
        free(r->json);
        *r = (struct run){0};
    }
}

/* ---- what waits ---- */

static struct run *place_for(struct era_hook *h, const char *kind, const char *component)
{
    struct run *empty = NULL;
    for (size_t i = 0; i < PENDING_MAX; i++) {
        struct run *r = &h->pending[i];
        if (!r->used && !empty)
            empty = r;
        if (r->used && strcmp(r->kind, kind) == 0 && strcmp(r->component, component) == 0)
            return r;
    }
    assert(empty); /* kinds and components are no more than places */
    return empty;
}

void era_hook_run(struct era_hook *h, const char *kind, const char *component, const char *value,
                  uint64_t epoch, const char *json)
{
    char *copy = strdup(json);
    if (!copy) {
        era_log(ERA_LOG_ERROR, "hook: out of memory");
        return;
    }
    struct run *r = place_for(h, kind, component);
    if (!r->used)
        r->order = h->next_order++;
    free(r->json);
    r->used = true;
    era_text_set(r->kind, sizeof r->kind, kind);
    era_text_set(r->component, sizeof r->component, component);
    era_text_set(r->value, sizeof r->value, value);
    r->epoch = epoch;
    r->json = copy;
    run_next(h);
}

void era_hook_free(struct era_hook *h)
{
    if (!h)
        return;
    if (h->child != 0) {
        kill_child(h);
        waitpid(h->child, NULL, 0);
        forget_child(h);
    }
    for (size_t i = 0; i < PENDING_MAX; i++)
        free(h->pending[i].json);
    free(h);
}
