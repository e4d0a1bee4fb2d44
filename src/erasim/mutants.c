/* Mutants: builds of this program with one rule broken. Each sweeps by itself
 * until a rule is said to be broken; one that is never caught has survived.
 * One that ended by a signal was not caught: no checker judged it. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/verdict.h"
#include "src/erasim/sweep.h"

#define PREFIX       "erasim-mutant-"
#define MUTANTS_MAX  256
#define PATH_BYTES   1024
#define ANSWER_BYTES 65536
#define WORDS        32
#define HINT_BYTES   256

extern char **environ;

static volatile sig_atomic_t interrupted;
static volatile pid_t running;

/* The mutant ends too; its own workers with it. */
static void on_signal(int number)
{
    interrupted = number;
    if (running > 0)
        kill(running, SIGTERM);
}

/* ---- finding them ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The folder of this program's own file. */
static bool own_folder(char out[PATH_BYTES])
{
    ssize_t n = readlink("/proc/self/exe", out, PATH_BYTES - 1);
    if (n <= 0)
        return false;
    out[n] = '\0';
    char *slash = strrchr(out, '/');
    if (slash)
        *slash = '\0';
    return slash != NULL;
}

static bool find(const char *folder, char *names[MUTANTS_MAX], size_t *count, struct era_error *err)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    char path[PATH_BYTES];
    if (!dir)
        return era_error_errno(err, -errno, folder, "look for mutants");
    *count = 0;
    while ((entry = readdir(dir)) && *count < MUTANTS_MAX) {
        int n = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0 && n < PATH_BYTES &&
            access(path, X_OK) == 0 && (names[*count] = strdup(path)))
            ++*count;
    }
    closedir(dir);
    if (*count == 0)
        return era_error_set(err, ERA_EXIT_NO_INPUT, folder, "build them, or name their folder with --dir",
                             "there is no executable " PREFIX "*");
    qsort(names, *count, sizeof *names, by_name);
    return true;
}

/* ---- running one ---- */

/* FILE.sweep beside a mutant: what its sweep needs to see it, as words of a command line. None: "". */
static void read_hint(const char *path, char hint[HINT_BYTES])
{
    char name[PATH_BYTES + 8];
    size_t n = 0;
    snprintf(name, sizeof name, "%s.sweep", path);
    FILE *f = fopen(name, "re");
    if (f) {
        n = fread(hint, 1, HINT_BYTES - 1, f);
        fclose(f);
    }
    hint[n] = '\0';
}

/* Options of the command line go before those of the hint; none is given twice. */
static bool is_given(const char *const *words, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

/* The words of a hint are options with values, and --unbounded. */
static size_t add_hint(char *hint, const char *words[WORDS], size_t n)
{
    char *rest = NULL;
    for (char *word = strtok_r(hint, " \n", &rest); word && n + 3 < WORDS;
         word = strtok_r(NULL, " \n", &rest)) {
        char *value = strcmp(word, "--unbounded") == 0 ? NULL : strtok_r(NULL, " \n", &rest);
        if (is_given(words, n, word))
            continue;
        words[n++] = word;
        if (value)
            words[n++] = value;
    }
    return n;
}

static void words_of(const struct sim_options *o, const char *path, char hint[HINT_BYTES],
                     char numbers[4][48], const char *words[WORDS])
{
    size_t n = 0;
    read_hint(path, hint);
    snprintf(numbers[0], sizeof numbers[0], "%" PRIu64 "..%" PRIu64, o->seed_first, o->seed_last);
    snprintf(numbers[1], sizeof numbers[1], "%" PRIu64, o->jobs);
    snprintf(numbers[2], sizeof numbers[2], "%" PRIu64, o->nodes);
    snprintf(numbers[3], sizeof numbers[3], "%" PRIu64, o->hours);
    const char *const pairs[][2] = {{"--seeds", o->seeds_given ? numbers[0] : NULL},
                                    {"--jobs", o->jobs ? numbers[1] : NULL},
                                    {"--nodes", o->nodes ? numbers[2] : NULL},
                                    {"--hours", o->hours ? numbers[3] : NULL},
                                    {"--faults", o->fault_list},
                                    {"--strict", o->strict}};
    words[n++] = path;
    words[n++] = "sweep";
    words[n++] = "--json";
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (pairs[i][1]) {
            words[n++] = pairs[i][0];
            words[n++] = pairs[i][1];
        }
    words[add_hint(hint, words, n)] = NULL;
}

/* What it printed on stdout, at most ANSWER_BYTES - 1; its status, or -errno. */
static int answer_of(const char *const *words, char answer[ANSWER_BYTES])
{
    posix_spawn_file_actions_t actions;
    int ends[2], status = 0;
    size_t got = 0;
    ssize_t n;
    pid_t pid;
    if (pipe(ends) != 0)
        return -errno;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    int error = posix_spawn(&pid, words[0], &actions, NULL, (char *const *)words, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (error == 0) {
        running = pid;
        while (got < ANSWER_BYTES - 1 &&
               ((n = read(ends[0], answer + got, ANSWER_BYTES - 1 - got)) > 0 || (n < 0 && errno == EINTR)))
            got += n > 0 ? (size_t)n : 0;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            continue;
        running = 0;
    }
    close(ends[0]);
    answer[got] = '\0';
    return error ? -error : WIFEXITED(status) ? WEXITSTATUS(status) : ERA_EXIT_BUG;
}

enum fate { CAUGHT, SURVIVED, CRASHED, FAILED, FATES };

static enum fate fate_of(int status, const json_t *said, const json_t *broken)
{
    const char *rule = json_string_value(json_object_get(broken, "rule"));
    if (!said || (status != 0 && status != ERA_EXIT_NEGATIVE))
        return FAILED;
    if (!rule)
        return SURVIVED;
    return strcmp(rule, "assertion") == 0 ? CRASHED : CAUGHT;
}

static void print_fate(const char *name, enum fate fate, const json_t *broken)
{
    static const char *const others[FATES] = {[SURVIVED] = "SURVIVED: no rule was seen broken",
                                              [CRASHED] = "CRASHED: no rule was said to be broken",
                                              [FAILED] = "could not be run"};
    if (fate == CAUGHT)
        printf("%-32s caught by %s, seed %" JSON_INTEGER_FORMAT "\n", name,
               json_string_value(json_object_get(broken, "rule")),
               json_integer_value(json_object_get(broken, "seed")));
    else
        printf("%-32s %s\n", name, others[fate]);
    if (fate == CAUGHT || fate == CRASHED)
        printf("  again: %s\n", json_string_value(json_object_get(broken, "replay")));
}

static enum fate try_mutant(const struct sim_options *o, const char *path, json_t *out)
{
    static char answer[ANSWER_BYTES];
    char numbers[4][48], hint[HINT_BYTES];
    const char *words[WORDS], *name = strrchr(path, '/') + 1 + strlen(PREFIX);
    words_of(o, path, hint, numbers, words);
    int status = answer_of(words, answer);
    json_t *said = json_loads(answer, 0, NULL), *b = json_object_get(said, "broken"), *one = json_object();
    enum fate fate = fate_of(status, said, b);
    json_object_set_new(one, "name", json_string(name));
    json_object_set_new(one, "caught", json_boolean(fate == CAUGHT));
    json_object_set_new(one, "crashed", json_boolean(fate == CRASHED));
    if (fate == CAUGHT || fate == CRASHED)
        json_object_update(one, b);
    if (!o->json)
        print_fate(name, fate, b);
    fflush(stdout);
    json_array_append_new(out, one);
    json_decref(said);
    return fate;
}

int sweep_mutants(const struct sim_options *o, struct era_error *err)
{
    char folder[PATH_BYTES] = "", *names[MUTANTS_MAX];
    size_t count = 0, fates[FATES] = {0};
    struct sigaction action = {.sa_handler = on_signal};
    if (!o->dir && !own_folder(folder)) {
        era_error_errno(err, -ENOENT, "/proc/self/exe", "find this program's folder");
        return err->status;
    }
    if (!find(o->dir ? o->dir : folder, names, &count, err))
        return err->status;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    json_t *list = json_array();
    for (size_t i = 0; i < count && !interrupted; i++)
        fates[try_mutant(o, names[i], list)]++;
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    if (o->json)
        report_json_print("erad.sim-mutants/1",
                          json_pack("{s:o,s:b}", "mutants", list, "interrupted", interrupted != 0));
    else {
        printf("mutants: %zu caught, %zu survived", fates[CAUGHT], fates[SURVIVED]);
        if (fates[CRASHED])
            printf(", %zu crashed", fates[CRASHED]);
        if (fates[FAILED])
            printf(", %zu could not be run", fates[FAILED]);
        putchar('\n');
        json_decref(list);
    }
    if (interrupted)
        return SWEEP_INTERRUPTED;
    return fates[CAUGHT] < count ? ERA_EXIT_NEGATIVE : 0;
}
