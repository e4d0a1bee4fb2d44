#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/fraction.h"
#include "src/erad/daemon.h"
#include "src/erad/log.h"

const char *argp_program_version = PACKAGE_STRING;
const char *argp_program_bug_address = PACKAGE_BUGREPORT;

enum { OPT_CRASH = 256, OPT_RESET_EPOCH };

static const struct argp_option options[] = {
    {"config", 'c', "FILE", 0, "Configuration, see erad.conf(5) (default " SYSCONFDIR "/erad.conf)", 0},
    {"check", 't', NULL, 0, "Read configuration and charter, say what is wrong, and end", 0},
    {"debug", 'd', NULL, 0, "Log debugging lines too", 0},
    {"reset-epoch", OPT_RESET_EPOCH, NULL, 0,
     "Forget the highest epoch this node had reached: after a clock that was wrong, or a wrong height", 0},
    {"crash-at-effect", OPT_CRASH, "N", 0,
     "For tests of durability: end by SIGKILL just before the Nth thing this node does to the world", 0},
    {0}};

struct arguments {
    struct era_daemon_options daemon;
    bool debug;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case 'c':
        a->daemon.config_path = arg;
        return 0;
    case 't':
        a->daemon.check_only = true;
        return 0;
    case 'd':
        a->debug = true;
        return 0;
    case OPT_RESET_EPOCH:
        a->daemon.reset_epoch = true;
        return 0;
    case OPT_CRASH:
        if (!era_u64_parse(arg, UINT64_MAX, &a->daemon.crash_at_effect))
            argp_error(state, "--crash-at-effect wants a number, not '%s'", arg);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    NULL,
    "Gossip node for upgrade signals: relays signed announcements, approvals and attestations, keeps one "
    "view of "
    "the eras in force, and closes its gate when its own version does not fit.\v"
    "SIGTERM stops it, SIGHUP reads the versions of the configuration again. Talk to it with eractl(1).",
    NULL,
    NULL,
    NULL};

/* Sockets want absolute paths, and those of a configuration start at its folder. Owned by the caller; NULL:
 * no memory, or no working directory. */
static char *absolute(const char *path)
{
    char *full = NULL, *here = path[0] == '/' ? strdup("") : getcwd(NULL, 0);
    if (here && asprintf(&full, "%s%s%s", here, here[0] ? "/" : "", path) < 0)
        full = NULL;
    free(here);
    return full;
}

static int fail(const struct era_error *err)
{
    fprintf(stderr, "erad: %s\n", err->text);
    if (err->where[0])
        fprintf(stderr, "  where: %s\n", err->where);
    if (err->cure[0])
        fprintf(stderr, "  cure: %s\n", err->cure);
    return err->status;
}

int main(int argc, char **argv)
{
    struct arguments a = {.daemon.config_path = SYSCONFDIR "/erad.conf"};
    struct era_error err = {0};
    argp_err_exit_status = ERA_EXIT_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    era_log_start(a.debug ? ERA_LOG_DEBUG : ERA_LOG_INFO);
    struct era_daemon *d = calloc(1, sizeof *d);
    char *config_path = absolute(a.daemon.config_path);
    a.daemon.config_path = config_path;
    if (!d || !config_path) {
        fprintf(stderr, "erad: no memory, or no working directory\n");
        free(config_path);
        free(d);
        return ERA_EXIT_TRY_LATER;
    }
    int status;
    if (!era_daemon_open(d, &a.daemon, &err))
        status = fail(&err);
    else if (a.daemon.check_only) {
        printf("%s: configuration and charter are sound\n", a.daemon.config_path);
        status = ERA_EXIT_OK;
    } else
        status = era_daemon_run(d);
    era_daemon_close(d);
    free(d);
    free(config_path);
    return status;
}
