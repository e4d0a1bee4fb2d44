/* events, wait: following the daemon's signals. A signal is a hint; what
 * counts is read again over the control socket. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/base/fraction.h"
#include "src/base/nearest.h"
#include "src/eractl/daemon.h"
#include "src/eractl/print.h"
#include "src/eractl/text.h"
#include "src/eractl/verbs.h"
#include "src/ipc/signal.h"

#define REREAD_MS 1000 /* a lost signal delays an answer by no more */
#define NEVER     UINT64_MAX

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Milliseconds until deadline, at most cap; -1: for ever. */
static int left_ms(uint64_t deadline, uint64_t cap)
{
    if (deadline == NEVER)
        return cap == NEVER ? -1 : (int)cap;
    uint64_t now = now_ms(), left = deadline > now ? deadline - now : 0;
    if (left > cap)
        left = cap;
    return left > 3600000 ? 3600000 : (int)left;
}

static int open_follow(const struct era_cli *cli, const char *prefix, struct era_signal_follow **out)
{
    int status = ERA_EXIT_OK;
    char *path = era_socket_beside(cli, "signal.sock", &status);
    if (!path)
        return status;
    int rc = era_signal_follow_new(path, prefix, ERA_ASK_MS, out);
    if (rc != 0)
        status = era_fail_socket(cli, rc, path);
    free(path);
    return status;
}

static int read_deadline(struct era_cli *cli, uint64_t *deadline)
{
    uint64_t timeout = NEVER;
    if (!era_cli_ms(cli, ERA_OPT_TIMEOUT, &timeout))
        return ERA_EXIT_USAGE;
    *deadline = timeout == NEVER ? NEVER : now_ms() + timeout;
    return 0;
}

/* ---- events ---- */

static void print_event(const json_t *o)
{
    const json_t *payload = json_object_get(o, "payload");
    era_print_prose(stdout, 0, "epoch %" JSON_INTEGER_FORMAT "  %s  from %s  %s", era_json_int(o, "epoch", 0),
                    era_json_text(o, "topic"), era_json_text(o, "from"),
                    json_is_string(payload) ? json_string_value(payload)
                                            : era_json_text(o, "payload_base64"));
}

static void print_signal(const struct era_cli *cli, const char *text)
{
    const char *newline = strchr(text, '\n');
    json_t *o = newline ? json_loads(newline + 1, 0, NULL) : NULL;
    if (!o)
        return;
    /* One line each, whatever a payload holds. */
    if (!cli->json && strcmp(era_json_text(o, "signal"), "event") == 0) {
        json_t *payload = json_object_get(o, "payload");
        if (json_is_string(payload) && strpbrk(json_string_value(payload), "\n\t")) {
            char *line = strdup(json_string_value(payload));
            assert(line);
            for (char *c = line; *c; c++)
                if (*c == '\n' || *c == '\t')
                    *c = ' ';
            json_string_set(payload, line);
            free(line);
        }
        print_event(o);
    } else {
        json_dumpf(o, stdout, JSON_COMPACT);
        putchar('\n');
    }
    json_decref(o);
}

int era_run_events(struct era_cli *cli)
{
    const char *topic = era_cli_text(cli, ERA_OPT_TOPIC);
    struct era_signal_follow *follow;
    uint64_t deadline, count = NEVER;
    int status = read_deadline(cli, &deadline);
    if (status != 0 || !era_cli_u64(cli, ERA_OPT_COUNT, ERA_EPOCH_MAX, &count))
        return ERA_EXIT_USAGE;
    char *prefix =
        era_text_format("%s%s", era_cli_has(cli, ERA_OPT_SIGNALS) ? "" : "event.", topic ? topic : "");
    status = open_follow(cli, prefix, &follow);
    free(prefix);
    if (status != 0)
        return status;
    uint64_t got = 0;
    while (got < count) {
        char *text;
        int rc = era_signal_follow_next(follow, left_ms(deadline, NEVER), &text);
        if (rc == 0) {
            print_signal(cli, text);
            free(text);
            got++;
        } else if (rc != -ETIMEDOUT) {
            status = era_fail(cli, ERA_EXIT_UNAVAILABLE, NULL, "", "start it, and follow again",
                              "the daemon went away");
            break;
        } else if (left_ms(deadline, NEVER) == 0) {
            if (count != NEVER)
                status = ERA_EXIT_TRY_LATER;
            break;
        }
    }
    era_signal_follow_free(follow);
    return status;
}

/* ---- wait ---- */

enum outcome { WAITING, REACHED, FAILED };

struct goal {
    const char *component, *gate, *id;
    bool adopted; /* id: adopted, not just approved */
    uint64_t era;
    char why[512]; /* it failed: by whom */
    uint64_t deadline;
    bool answered; /* the daemon, at least once */
    int error;     /* of the last question, when it could not be asked */
};

/* Who brought a failed proposal down, as a sentence. */
static void tell_failure(const json_t *p, struct goal *g)
{
    const json_t *by = json_object_get(p, "failed_by"), *first = json_array_get(by, 0);
    char id[ERA_SHORT_ID_BYTES];
    era_short_id(era_json_text(p, "id"), id);
    if (first)
        snprintf(g->why, sizeof g->why, "proposal %s failed; %s rejected it: %s", id,
                 era_json_text(first, "by"), era_json_text(first, "reason"));
    else
        snprintf(g->why, sizeof g->why, "proposal %s failed", id);
}

/* R9: an expired one is not over; votes that were cast in time may still be on their way. */
static bool over(const char *state)
{
    return strcmp(state, "failed") == 0;
}

static enum outcome judge_proposal(const json_t *json, struct goal *g)
{
    const json_t *p = json_object_get(json, "proposal");
    const json_t *approvals = json_object_get(p, "approvals");
    const char *state = era_json_text(p, "state");
    /* By the count: an approved one may have expired since, which its state then says. */
    bool approved = json_is_integer(json_object_get(approvals, "needed")) &&
                    era_json_int(approvals, "count", 0) >= era_json_int(approvals, "needed", 0);
    if (strcmp(state, "adopted") == 0 || (!g->adopted && approved))
        return REACHED;
    if (!over(state))
        return WAITING;
    tell_failure(p, g);
    return FAILED;
}

static bool brings(const json_t *plan, uint64_t era, bool new_only)
{
    for (size_t i = 0; i < json_array_size(plan); i++) {
        const json_t *e = json_array_get(plan, i);
        if (era_json_int(e, "era", 0) >= (json_int_t)era && (!new_only || era_json_true(e, "new")))
            return true;
    }
    return false;
}

static const json_t *component_of(const json_t *json, const char *id)
{
    const json_t *list = json_object_get(json, "components");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(era_json_text(json_array_get(list, i), "id"), id) == 0)
            return json_array_get(list, i);
    return NULL;
}

/* Failed: the head's plan does not bring the era, and of the proposals that would, none is alive. */
static enum outcome judge_proposals(const json_t *json, struct goal *g)
{
    const json_t *list = json_object_get(json, "proposals"), *dead = NULL;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *p = json_array_get(list, i);
        if (strcmp(era_json_text(p, "component"), g->component) != 0 ||
            !brings(json_object_get(p, "plan"), g->era, true))
            continue;
        if (!over(era_json_text(p, "state")))
            return WAITING;
        dead = p;
    }
    if (!dead)
        return WAITING;
    tell_failure(dead, g);
    return FAILED;
}

static enum outcome judge_era(const struct era_cli *cli, const json_t *json, struct goal *g)
{
    const json_t *c = component_of(json, g->component);
    const json_t *plan = json_object_get(c, "plan"), *current = json_object_get(c, "current");
    const json_t *entry =
        json_is_integer(current) ? json_array_get(plan, (size_t)json_integer_value(current)) : NULL;
    struct era_answer a;
    enum outcome outcome = WAITING;
    if (entry && era_json_int(entry, "era", 0) >= (json_int_t)g->era)
        return REACHED;
    if (brings(plan, g->era, false))
        return WAITING;
    if (era_ask_quietly(cli, &(struct era_request){.verb = "proposals"}, &a) == 0)
        outcome = judge_proposals(a.json, g);
    era_answer_clear(&a);
    return outcome;
}

/* A daemon that restarts is waited for, with a deadline also one that is not there yet. */
static bool comes_back(const struct goal *g, int error)
{
    bool away = error == -ECONNREFUSED || error == -ENOENT || error == -ECONNRESET || error == -ETIMEDOUT;
    return away && (g->answered || g->deadline != NEVER);
}

/* One look. An id that has not arrived yet is waited for too. */
static int look(const struct era_cli *cli, struct goal *g, enum outcome *outcome)
{
    struct era_request request = {.verb = g->id     ? "show"
                                          : g->gate ? "gate"
                                                    : "eras",
                                  .id = g->id,
                                  .component = g->id ? NULL : g->component};
    struct era_answer a;
    int left = left_ms(g->deadline, ERA_ASK_MS);
    *outcome = WAITING;
    int status = era_ask_quietly_for(cli, &request, left < REREAD_MS ? REREAD_MS : left, &a);
    g->error = a.error;
    g->answered = g->answered || a.error == 0;
    if (status == 0 && g->id)
        *outcome = judge_proposal(a.json, g);
    else if (status == 0 && g->gate)
        *outcome = strcmp(era_json_text(a.json, "state"), g->gate) == 0 ? REACHED : WAITING;
    else if (status == 0)
        *outcome = judge_era(cli, a.json, g);
    else if ((g->id && strcmp(a.response.code, "not-found") == 0) || comes_back(g, a.error))
        status = 0;
    else
        status = era_ask_failed(cli, &a);
    era_answer_clear(&a);
    return status;
}

static int time_is_over(const struct era_cli *cli, const struct goal *g)
{
    if (g->answered)
        return era_fail(cli, ERA_EXIT_TRY_LATER, "timeout", "", "", "not yet; the time is over");
    return era_ask_failed(cli, &(struct era_answer){.error = g->error});
}

/* Until a signal comes, at most REREAD_MS. A daemon that went away is followed again when it is back. */
static void await(const char *path, struct era_signal_follow **follow, uint64_t deadline)
{
    char *text = NULL;
    int left = left_ms(deadline, REREAD_MS), rc = -ECONNRESET;
    if (!*follow && era_signal_follow_new(path, "", left, follow) != 0)
        *follow = NULL;
    if (*follow)
        rc = era_signal_follow_next(*follow, left, &text);
    if (rc == 0)
        free(text);
    if (rc == 0 || rc == -ETIMEDOUT)
        return;
    era_signal_follow_free(*follow);
    *follow = NULL;
    nanosleep(&(struct timespec){.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000L}, NULL);
}

static int wait_for(const struct era_cli *cli, struct goal *g)
{
    struct era_signal_follow *follow = NULL;
    enum outcome outcome = WAITING;
    int status = ERA_EXIT_OK;
    char *path = era_socket_beside(cli, "signal.sock", &status);
    if (!path)
        return status;
    /* Before the first look, so that nothing falls between; without a daemon the look says so. */
    if (era_signal_follow_new(path, "", REREAD_MS, &follow) != 0)
        follow = NULL;
    while ((status = look(cli, g, &outcome)) == 0 && outcome == WAITING) {
        if (left_ms(g->deadline, REREAD_MS) == 0) {
            status = time_is_over(cli, g);
            break;
        }
        await(path, &follow, g->deadline);
    }
    era_signal_follow_free(follow);
    free(path);
    if (status != 0)
        return status;
    if (outcome == FAILED)
        return era_fail(cli, ERA_EXIT_NEGATIVE, "failed", "", "propose it again", "%s", g->why);
    return cli->json ? era_print_json(cli, json_pack("{s:b}", "reached", true)) : ERA_EXIT_OK;
}

static int read_gate(const struct era_cli *cli, const char *state)
{
    static const char *const states[] = {"forked", "blocked",      "mismatch", "clock",
                                         "stale",  "upgrade-soon", "notice",   "current"};
    struct era_nearest near = {.word = state};
    char cure[160] = "forked, blocked, mismatch, clock, stale, upgrade-soon, notice or current";
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (strcmp(states[i], state) == 0)
            return 0;
        era_nearest_try(&near, states[i]);
    }
    if (era_nearest_found(&near))
        snprintf(cure, sizeof cure, "did you mean %s?", era_nearest_found(&near));
    return era_fail(cli, ERA_EXIT_USAGE, NULL, state, cure, "the gate has no such state");
}

int era_run_wait(struct era_cli *cli)
{
    const char *component = era_cli_text(cli, ERA_OPT_COMPONENT),
               *approved = era_cli_text(cli, ERA_OPT_APPROVED);
    struct goal g = {.component = component ? component : "network",
                     .gate = era_cli_text(cli, ERA_OPT_GATE),
                     .adopted = era_cli_has(cli, ERA_OPT_ADOPTED)};
    g.id = g.adopted ? era_cli_text(cli, ERA_OPT_ADOPTED) : approved;
    if (era_cli_has(cli, ERA_OPT_ERA) + (g.gate != NULL) + (approved != NULL) + g.adopted != 1)
        return era_fail_usage(cli, "give one of --era N, --gate STATE, --approved ID, --adopted ID",
                              "wait for what?");
    if (!era_cli_u64(cli, ERA_OPT_ERA, ERA_EPOCH_MAX, &g.era) || read_deadline(cli, &g.deadline) != 0)
        return ERA_EXIT_USAGE;
    if (g.id && !era_id_prefix_valid(g.id))
        return era_fail(cli, ERA_EXIT_USAGE, NULL, g.id, "give 8 to 64 digits; `eractl inbox` shows them",
                        "this is no id of a proposal");
    if (g.gate && read_gate(cli, g.gate) != 0)
        return ERA_EXIT_USAGE;
    return wait_for(cli, &g);
}
