/* The hook: what it is told, one at a time, never for ever. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "src/erad/hook.h"
#include "src/erad/log.h"
#include "tests/erad/place.h"

#define DEADLINE_MS 60000

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct hooked {
    struct event_base *base;
    struct era_hook *hook;
    const char *dir;
};

/* body: a shell script; D is the test's directory. */
static struct hooked given_hook(const char *body)
{
    static char program[128];
    struct hooked h = {.dir = place_make()};
    char script[1024];
    int len = snprintf(script, sizeof script, "#!/bin/sh\nD='%s'\n%s\n", h.dir, body);
    place_write("hook", script, (size_t)len, 0755);
    snprintf(program, sizeof program, "%s", place_path("hook"));
    h.base = event_base_new();
    h.hook = era_hook_new(h.base, program, h.dir);
    era_log_start(0);
    return h;
}

/* Until nothing runs and nothing waits: the hook has no event then. */
static void run_all(const struct hooked *h)
{
    cr_assert_eq(event_base_dispatch(h->base), 1);
}

static void end(struct hooked *h)
{
    era_hook_free(h->hook);
    event_base_free(h->base);
    place_remove();
}

/* False also for a dead orphan that nobody reaped yet. */
static bool lives(pid_t pid)
{
    char stat[64], state = 'Z';
    snprintf(stat, sizeof stat, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(stat, "r");
    if (!f)
        return false;
    bool read = fscanf(f, "%*d (%*[^)]) %c", &state) == 1;
    fclose(f);
    return read && state != 'Z' && state != 'X';
}

Test(hook, is_told_what_changed_by_arguments_and_environment)
{
    struct hooked h =
        given_hook("{ echo \"$# $1 $2 $3\"; env | grep ^ERAD_ | sort; } >\"$D/out\"; cat >\"$D/in\"");
    char expected[512];
    setenv("SECRET_OF_THE_DAEMON", "x", 1);
    era_hook_run(h.hook, "gate", "network", "blocked", 12, "{\"signal\":\"gate\"}");
    run_all(&h);
    snprintf(expected, sizeof expected,
             "3 gate network blocked\nERAD_EPOCH=12\nERAD_SIGNAL={\"signal\":\"gate\"}\nERAD_STATE=%s\n",
             h.dir);
    cr_assert_str_eq(place_read("out"), expected);
    cr_assert_str_eq(place_read("in"), "");
    end(&h);
}

Test(hook, inherits_neither_environment_nor_descriptors_nor_signal_settings)
{
    struct hooked h = given_hook("env >\"$D/env\"; ls /proc/$$/fd | tr '\\n' ' ' >\"$D/fd\"; "
                                 "grep ^Sig[BI] /proc/$$/status | cut -f2 >\"$D/signals\"");
    setenv("SECRET_OF_THE_DAEMON", "x", 1);
    signal(SIGPIPE, SIG_IGN);
    int leak = open(place_path("hook"), O_RDONLY);
    cr_assert_geq(leak, 3);
    era_hook_run(h.hook, "era", "network", "granite", 12, "{}");
    run_all(&h);
    close(leak);
    cr_assert_not(strstr(place_read("env"), "SECRET"));
    char fds[64];
    snprintf(fds, sizeof fds, "%s", place_read("fd"));
    for (int fd = 11; fd < 64; fd++) { /* 10: the shell's own script */
        char name[8];
        snprintf(name, sizeof name, " %d ", fd);
        cr_assert_not(strstr(fds, name), "%s", fds);
    }
    snprintf(fds, sizeof fds, " %d ", leak);
    cr_assert(leak == 10 || !strstr(place_read("fd"), fds));
    unsigned long long blocked = 1, ignored = 1;
    cr_assert_eq(sscanf(place_read("signals"), "%llx %llx", &blocked, &ignored), 2);
    cr_assert_eq(blocked, 0);
    cr_assert_eq(ignored & 0x7fffffff, 0); /* above lie signals of the C library's own */
    end(&h);
}

Test(hook, runs_one_at_a_time_and_keeps_the_latest_of_each_kind_and_component)
{
    struct hooked h = given_hook("[ -e \"$D/busy\" ] && echo overlap >>\"$D/out\"; : >\"$D/busy\"; "
                                 "echo \"$1 $2 $3\" >>\"$D/out\"; rm \"$D/busy\"");
    era_hook_run(h.hook, "gate", "network", "stale", 1, "{}"); /* runs at once */
    era_hook_run(h.hook, "gate", "network", "current", 1, "{}");
    era_hook_run(h.hook, "era", "network", "granite", 2, "{}");
    era_hook_run(h.hook, "gate", "oracle", "blocked", 2, "{}");
    era_hook_run(h.hook, "gate", "network", "notice", 3, "{}"); /* takes the place of current */
    run_all(&h);
    cr_assert_str_eq(place_read("out"), "gate network stale\ngate network notice\nera network granite\n"
                                        "gate oracle blocked\n");
    end(&h);
}

Test(hook, one_that_runs_too_long_is_killed_with_what_it_started)
{
    struct hooked h =
        given_hook("if [ \"$3\" = slow ]; then sleep 600 & echo $! >\"$D/pid\"; echo slow >>\"$D/out\"; "
                   "wait; echo survived >>\"$D/out\"; fi; echo \"$3\" >>\"$D/out\"");
    /* On a busy machine it may be killed before it came so far: again, with more time. */
    for (uint64_t run_ms = 500; !*place_read("out") && run_ms <= DEADLINE_MS; run_ms *= 2) {
        era_hook_set_run_ms(h.hook, run_ms);
        era_hook_run(h.hook, "gate", "network", "slow", 1, "{}");
        run_all(&h);
    }
    cr_assert_str_eq(place_read("out"), "slow\n");
    pid_t child = (pid_t)atoi(place_read("pid"));
    cr_assert_gt(child, 1);
    uint64_t end_ms = now_ms() + DEADLINE_MS;
    while (lives(child) && now_ms() < end_ms)
        sched_yield(); /* it was killed before; it ends when the kernel comes to it */
    cr_assert_not(lives(child));
    end(&h);
}

Test(hook, one_that_is_killed_lets_the_next_run)
{
    struct hooked h = given_hook("[ \"$3\" = slow ] && sleep 600; echo \"$3\" >>\"$D/out\"");
    era_hook_set_run_ms(h.hook, 100);
    era_hook_run(h.hook, "gate", "network", "slow", 1, "{}"); /* runs at once, with that limit */
    era_hook_set_run_ms(h.hook, DEADLINE_MS);
    era_hook_run(h.hook, "gate", "network", "next", 1, "{}");
    run_all(&h);
    cr_assert_str_eq(place_read("out"), "next\n");
    end(&h);
}

Test(hook, one_that_cannot_run_stops_nothing)
{
    struct hooked h = given_hook("echo ran >\"$D/out\"");
    era_hook_free(h.hook);
    h.hook = era_hook_new(h.base, "/nonexistent/hook", h.dir);
    era_hook_run(h.hook, "gate", "network", "blocked", 1, "{}");
    era_hook_run(h.hook, "gate", "oracle", "blocked", 1, "{}");
    run_all(&h);
    end(&h);
}

Test(hook, a_failing_one_lets_the_next_run)
{
    struct hooked h = given_hook("echo \"$3\" >>\"$D/out\"; exit 3");
    era_hook_run(h.hook, "gate", "network", "first", 1, "{}");
    era_hook_run(h.hook, "gate", "network", "second", 1, "{}");
    run_all(&h);
    cr_assert_str_eq(place_read("out"), "first\nsecond\n");
    end(&h);
}

Test(hook, its_end_kills_what_runs_and_leaves_no_zombie)
{
    struct hooked h = given_hook("sleep 600");
    era_hook_run(h.hook, "gate", "network", "a", 1, "{}");
    era_hook_run(h.hook, "gate", "network", "b", 1, "{}");
    end(&h);
    cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    era_hook_free(NULL);
}
