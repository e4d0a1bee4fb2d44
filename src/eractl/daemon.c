#include "src/eractl/daemon.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/eractl/print.h"
#include "src/ipc/control.h"

#define SOCKET_PATH_BYTES_MAX 107

#define USUAL "/run/erad/control.sock, /var/lib/erad/control.sock"

static const char *const usual[] = {"/run/erad/control.sock", "/var/lib/erad/control.sock"};

/* malloc'd, absolute: NNG's ipc addresses are. */
static char *absolute(const char *path)
{
    if (*path == '/')
        return strdup(path);
    char *here = getcwd(NULL, 0);
    char *out = here ? era_text_format("%s/%s", here, path) : strdup(path);
    free(here);
    return out;
}

/* --control, --state, ERAD_STATE, then the usual places: the first that is there. NULL: none. */
static char *find_socket(const struct era_cli *cli)
{
    const char *control = era_cli_text(cli, ERA_OPT_CONTROL), *state = era_cli_text(cli, ERA_OPT_STATE);
    const char *env = getenv("ERAD_STATE");
    struct stat st;
    if (control)
        return absolute(control);
    if (!state && env && *env)
        state = env;
    if (!state) {
        for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
            if (stat(usual[i], &st) == 0)
                return strdup(usual[i]);
        return NULL;
    }
    char *joined = era_text_format("%s/control.sock", state);
    char *path = absolute(joined);
    free(joined);
    return path;
}

int era_fail_socket(const struct era_cli *cli, int negative_errno, const char *path)
{
    const char *cure = "start erad, or name its state directory with --state or its socket with --control";
    switch (-negative_errno) {
    case ECONNREFUSED:
    case ENOENT:
        return era_fail(cli, ERA_EXIT_UNAVAILABLE, NULL, path, cure, "no daemon answers");
    case EACCES:
    case EPERM:
        return era_fail(cli, ERA_EXIT_PERMISSION, NULL, path, "run it as root or as erad's user",
                        "the daemon's socket is not open to you");
    case ETIMEDOUT:
        return era_fail(cli, ERA_EXIT_TRY_LATER, "timeout", path, "try later; look at the daemon's log",
                        "the daemon did not answer in time");
    case ECONNRESET:
        return era_fail(
            cli, ERA_EXIT_UNAVAILABLE, NULL, path, "look at the state before doing it again",
            "the daemon went away before it answered; whether it did what was asked is not known");
    case EMSGSIZE:
        return era_fail(cli, ERA_EXIT_DATA, "oversized", path, "make it smaller", "the request is too large");
    case ENAMETOOLONG:
        return era_fail(cli, ERA_EXIT_USAGE, NULL, path, "use a shorter state directory",
                        "the socket's path is longer than %d bytes", SOCKET_PATH_BYTES_MAX);
    case EBADMSG:
        return era_fail(cli, ERA_EXIT_INCOMPATIBLE, NULL, path, "use erad and eractl of one version",
                        "the daemon's answer is not understood");
    default:
        return era_fail(cli, ERA_EXIT_UNAVAILABLE, NULL, path, cure, "cannot ask the daemon: %s",
                        strerror(-negative_errno));
    }
}

static bool read_reply(const uint8_t *reply, size_t len, struct era_answer *answer)
{
    if (era_response_decode((struct era_bytes){reply, len}, &answer->response) != ERA_ACCEPTED)
        return false;
    if (*answer->response.json) {
        answer->json = json_loads(answer->response.json, 0, NULL);
        return json_is_object(answer->json);
    }
    /* A refusal needs no JSON. */
    return answer->response.status != 0;
}

int era_ask_quietly_for(const struct era_cli *cli, const struct era_request *request, int timeout_ms,
                        struct era_answer *answer)
{
    struct era_request versioned = *request;
    uint8_t *bytes, *reply;
    size_t reply_len;
    *answer = (struct era_answer){.response = {.code = "", .text = "", .where = "", .cure = ""}};
    versioned.version = ERA_CONTROL_VERSION;
    size_t len = era_request_encode(&versioned, &bytes);
    char *path = find_socket(cli);
    answer->error =
        len == 0 ? -EMSGSIZE
        : !path  ? -ECONNREFUSED
                 : era_control_call(path, (struct era_bytes){bytes, len}, timeout_ms, &reply, &reply_len);
    free(path);
    free(bytes);
    if (answer->error != 0)
        return ERA_EXIT_UNAVAILABLE;
    if (!read_reply(reply, reply_len, answer))
        answer->error = -EBADMSG;
    free(reply);
    if (answer->error != 0)
        return ERA_EXIT_INCOMPATIBLE;
    uint32_t status = answer->response.status;
    return status < 126 ? (int)status : ERA_EXIT_BUG;
}

int era_ask_quietly(const struct era_cli *cli, const struct era_request *request, struct era_answer *answer)
{
    return era_ask_quietly_for(cli, request, ERA_ASK_MS, answer);
}

int era_ask(const struct era_cli *cli, const struct era_request *request, struct era_answer *answer)
{
    int status = era_ask_quietly(cli, request, answer);
    if (status != 0) {
        status = era_ask_failed(cli, answer);
        era_answer_clear(answer);
    }
    return status;
}

int era_ask_failed(const struct era_cli *cli, const struct era_answer *answer)
{
    const struct era_response *r = &answer->response;
    if (answer->error == 0)
        return era_fail(cli, r->status > 0 && r->status < 126 ? (int)r->status : ERA_EXIT_BUG,
                        *r->code ? r->code : NULL, r->where, r->cure, "%s", r->text);
    char *path = find_socket(cli);
    int status = era_fail_socket(cli, answer->error, path ? path : USUAL);
    free(path);
    return status;
}

void era_answer_clear(struct era_answer *answer)
{
    if (!answer)
        return;
    json_decref(answer->json);
    answer->json = NULL;
    era_response_clear(&answer->response);
}

int era_pass_json(const struct era_cli *cli, const struct era_answer *answer)
{
    return era_print_json(cli, json_incref(answer->json));
}

char *era_socket_beside(const struct era_cli *cli, const char *name, int *status)
{
    char *path = find_socket(cli);
    if (!path) {
        *status = era_fail_socket(cli, -ECONNREFUSED, USUAL);
        return NULL;
    }
    char *slash = strrchr(path, '/');
    assert(slash);
    *slash = '\0';
    char *beside = era_text_format("%s/%s", path, name);
    free(path);
    return beside;
}
