#include "tests/erad/running.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/base/textkey.h"
#include "src/erad/log.h"
#include "tests/erad/place.h"

static void write_files(struct era_charter *c, const char *who, const char *software, const char *more)
{
    char conf[2048], key[ERA_KEY_TEXT_BYTES + 1];
    uint8_t *charter;
    size_t len = era_charter_encode(c, &charter);
    place_write("charter.bin", charter, len, 0644);
    free(charter);
    if (who) {
        struct given_key k = given_key(who);
        struct era_seed seed;
        memcpy(seed.b, k.secret, sizeof seed.b); /* libsodium keeps the seed first */
        era_seed_text(&seed, key);
        strcat(key, "\n");
        place_write("validator.key", key, strlen(key), 0600);
    }
    int n = snprintf(conf, sizeof conf,
                     "state_dir = \"state\";\ncharter = \"charter.bin\";\nlisten = [];\nhttp = \"\";\n"
                     "%s%sversions : { software = \"%s\"; };\n%s\n",
                     strstr(more, "peers") ? "" : "peers = [];\n",
                     who ? "validator_key = \"validator.key\";\n" : "", software, more);
    place_write("erad.conf", conf, (size_t)n, 0644);
}

static void *loop(void *ctx)
{
    struct running *r = ctx;
    r->status = era_daemon_run(r->d);
    return NULL;
}

static void start(struct running *r)
{
    static char path[128];
    struct era_error err;
    snprintf(path, sizeof path, "%s", place_path("erad.conf"));
    struct era_daemon_options options = {.config_path = path};
    r->d = calloc(1, sizeof *r->d);
    cr_assert(era_daemon_open(r->d, &options, &err), "%s (%s)", err.text, err.where);
    cr_assert_eq(pthread_create(&r->loop, NULL, loop, r), 0);
}

static void stop(struct running *r)
{
    ask(r, (struct era_request){.verb = "gate"}); /* once it answers, it hears signals */
    pthread_kill(r->loop, SIGTERM);
    pthread_join(r->loop, NULL);
    era_daemon_close(r->d);
    free(r->d);
    cr_assert_eq(r->status, ERA_EXIT_OK);
}

struct running *running_start(struct era_charter *c, const char *who, const char *software, const char *more)
{
    struct running *r = calloc(1, sizeof *r);
    r->charter = c;
    place_make();
    write_files(c, who, software, more);
    era_log_start(0);
    start(r);
    return r;
}

void running_restart(struct running *r)
{
    stop(r);
    start(r);
}

void running_end(struct running *r)
{
    stop(r);
    ask_bytes(NULL, (struct era_bytes){0}); /* forgets the last answer */
    free(r);
    place_remove();
}

uint64_t running_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

const struct era_response *ask_bytes(struct running *r, struct era_bytes bytes)
{
    static struct era_response response;
    uint8_t *reply = NULL;
    size_t len = 0;
    era_response_clear(&response);
    if (!r)
        return NULL;
    int rc = era_control_call(r->d->config.control, bytes, RUNNING_DEADLINE_MS, &reply, &len);
    cr_assert_eq(rc, 0, "%s", strerror(-rc));
    enum era_verdict v = era_response_decode((struct era_bytes){reply, len}, &response);
    cr_assert_eq(v, ERA_ACCEPTED, "%s", era_verdict_code(v));
    free(reply);
    return &response;
}

const struct era_response *ask(struct running *r, struct era_request request)
{
    uint8_t *bytes;
    if (request.version == 0)
        request.version = ERA_CONTROL_VERSION;
    size_t len = era_request_encode(&request, &bytes);
    cr_assert_gt(len, 0);
    const struct era_response *response = ask_bytes(r, (struct era_bytes){bytes, len});
    free(bytes);
    return response;
}

json_t *answer(struct running *r, struct era_request request)
{
    const struct era_response *response = ask(r, request);
    cr_assert_eq(response->status, 0, "%s: %s", response->code, response->text);
    json_t *o = json_loads(response->json, 0, NULL);
    cr_assert(o, "%s", response->json);
    return o;
}
