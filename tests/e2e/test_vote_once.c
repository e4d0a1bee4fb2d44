/* R4, R9 with a real daemon on a real disk: whatever moment kill -9 finds it
 * in, a validator's key lets no second readiness out for one slot. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/control.h"
#include "src/base/textkey.h"
#include "src/ipc/control.h"
#include "tests/e2e/tap.h"
#include "tests/erad/place.h"
#include "tests/lib/given.h"

#define DEADLINE_MS 60000
#define LEAST_KILLS 10 /* fewer would show little */

extern char **environ;

struct daemon {
    pid_t pid;
    int ended; /* descriptor, readable once the process ended */
};

/* Distinct readiness ids of alice in the slot, over everything that ever left her daemon. */
struct heard {
    size_t count;
    struct era_hash ids[8];
};

static struct era_charter *given_network(void)
{
    struct era_charter *c = given_charter("alice:10 bob:10 carol:10 dave:10", "network k=2 signers=s1,s2,s3");
    c->clock.epoch_ms = 3600 * 1000; /* no epoch begins while this runs, but by rare chance */
    c->overrides = true;             /* a k that is too small */
    era_text_set(c->components[0].initial.era_name, sizeof c->components[0].initial.era_name, "genesis");
    era_charter_seal(c);
    return c;
}

static void write_files(struct era_charter *c, const char *auto_ready)
{
    char text[ERA_KEY_TEXT_BYTES + 2], conf[1024];
    uint8_t *bytes;
    struct era_seed seed;
    struct given_key alice = given_key("alice");
    size_t len = era_charter_encode(c, &bytes);
    place_write("charter.bin", bytes, len, 0644);
    free(bytes);
    memcpy(seed.b, alice.secret, sizeof seed.b); /* libsodium keeps the seed first */
    era_seed_text(&seed, text);
    strcat(text, "\n");
    place_write("alice.key", text, strlen(text), 0600);
    int n =
        snprintf(conf, sizeof conf,
                 "state_dir = \"state\";\ncharter = \"charter.bin\";\nlisten = [\"ipc://%s\"];\npeers = [];\n"
                 "http = \"\";\nvalidator_key = \"alice.key\";\nauto_ready = [%s];\n"
                 "versions : { software = \"1.0.0\"; };\n",
                 place_path("link"), auto_ready);
    place_write("erad.conf", conf, (size_t)n, 0644);
}

/* nth 0: no crash. */
static struct daemon daemon_start(uint64_t nth)
{
    char program[512], number[24], conf[128], log[128];
    const char *bin = getenv("ERA_BIN");
    snprintf(program, sizeof program, "%s/erad", bin ? bin : ".");
    snprintf(number, sizeof number, "%llu", (unsigned long long)nth);
    snprintf(conf, sizeof conf, "%s", place_path("erad.conf"));
    snprintf(log, sizeof log, "%s", place_path("log"));
    char *argv[] = {program, "--config", conf, nth ? "--crash-at-effect" : NULL, number, NULL};
    posix_spawn_file_actions_t files;
    struct daemon d;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    int rc = posix_spawn(&d.pid, program, &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    cr_assert_eq(rc, 0, "%s: %s", program, strerror(rc));
    d.ended = (int)syscall(SYS_pidfd_open, d.pid, 0);
    cr_assert_geq(d.ended, 0);
    return d;
}

static bool has_ended(const struct daemon *d)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)d->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == d->pid;
}

static void daemon_kill(struct daemon *d)
{
    int status;
    kill(d->pid, SIGKILL);
    waitpid(d->pid, &status, 0);
    close(d->ended);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "it ended by itself:\n%s",
              place_read("log"));
}

static size_t listen_for_votes(const struct tap *t, struct heard *heard)
{
    struct era_key alice = given_key("alice").key;
    struct era_envelope e;
    size_t votes = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (!t->items[i].heard || era_envelope_decode(t->items[i].envelope, &e) != ERA_ACCEPTED ||
            e.kind != ERA_KIND_READINESS || !era_key_eq(&e.key, &alice))
            continue;
        struct era_hash id = era_statement_id(&t->charter->hash, e.kind, e.payload);
        size_t k = 0;
        while (k < heard->count && !era_hash_eq(&heard->ids[k], &id))
            k++;
        if (k == heard->count && k < 8)
            heard->ids[heard->count++] = id;
        votes++;
    }
    return votes;
}

/* One control request; ERA_EXIT_OK…, or -1: the daemon ended before it answered. */
static int ask(const struct daemon *d, struct era_request r)
{
    struct era_response answer;
    char path[128];
    uint8_t *bytes, *reply;
    r.version = ERA_CONTROL_VERSION;
    size_t len = era_request_encode(&r, &bytes), reply_len;
    snprintf(path, sizeof path, "%s", place_path("state/control.sock"));
    uint64_t end_ms = tap_now_ms() + DEADLINE_MS;
    int rc;
    do /* it may not listen yet */
        rc = era_control_call(path, (struct era_bytes){bytes, len}, DEADLINE_MS, &reply, &reply_len);
    while ((rc == -ENOENT || rc == -ECONNREFUSED) && tap_now_ms() < end_ms && !has_ended(d));
    free(bytes);
    struct pollfd end = {.fd = d->ended, .events = POLLIN};
    if (rc != 0 && poll(&end, 1, DEADLINE_MS) > 0) /* its sockets close a moment before */
        return -1;
    cr_assert_eq(rc, 0, "control: %s\n%s", strerror(-rc), place_read("log"));
    cr_assert_eq(era_response_decode((struct era_bytes){reply, reply_len}, &answer), ERA_ACCEPTED);
    int status = (int)answer.status;
    era_response_clear(&answer);
    free(reply);
    return status;
}

static int submit(const struct daemon *d, struct era_bytes envelope)
{
    return ask(d, (struct era_request){.verb = "submit", .data = envelope});
}

static int vote(const struct daemon *d, const struct era_charter *c, const struct era_proposal *p)
{
    char id[ERA_HASH_TEXT_BYTES];
    struct era_hash h = given_id(c, p);
    return ask(d, (struct era_request){.verb = "ready", .id = era_hash_text(&h, id)});
}

/* Proposal A arrives while a peer listens. True: alice voted and lives; false: her process ended. */
static bool offer_the_first(const struct era_charter *c, const struct era_proposal *a, uint64_t nth,
                            bool by_hand, struct heard *heard)
{
    struct tap t;
    char address[128];
    struct daemon d = daemon_start(nth);
    uint64_t end_ms = tap_now_ms() + DEADLINE_MS;
    snprintf(address, sizeof address, "ipc://%s", place_path("link"));
    tap_open(&t, c, address);
    while (t.link == 0 && !has_ended(&d) && tap_now_ms() < end_ms)
        tap_turn(&t, d.ended, 1000);
    if (by_hand) {
        if (submit(&d, given_proposed(c, "s1", a)) == 0 && submit(&d, given_approve(c, "s1", a)) == 0 &&
            submit(&d, given_approve(c, "s2", a)) == 0)
            vote(&d, c, a);
    } else {
        tap_offer(&t, given_proposed(c, "s1", a));
        tap_offer(&t, given_approve(c, "s1", a));
        tap_offer(&t, given_approve(c, "s2", a));
    }
    bool ended = false, voted = false;
    while (!ended && !voted) {
        cr_assert_lt(tap_now_ms(), end_ms, "neither a vote nor an end:\n%s", place_read("log"));
        tap_turn(&t, d.ended, 1000);
        ended = has_ended(&d);
        voted = listen_for_votes(&t, heard) > 0;
    }
    while (ended && t.link != 0) /* what it wrote before it ended */
        tap_turn(&t, -1, 1000);
    listen_for_votes(&t, heard);
    tap_close(&t);
    daemon_kill(&d);
    return !ended;
}

/* Her operator unlocks her key at once, and the first thing alice hears after the restart is a rival that is
 * approved as well; then a peer takes in all she has, until both hold the same. */
static void offer_the_rival(const struct era_charter *c, const struct era_proposal *b, bool by_hand,
                            struct heard *heard)
{
    struct tap t;
    char address[128];
    struct daemon d = daemon_start(0);
    cr_expect_eq(ask(&d, (struct era_request){.verb = "unlock"}), 0);
    cr_expect_eq(submit(&d, given_proposed(c, "s3", b)), 0);
    cr_expect_eq(submit(&d, given_approve(c, "s3", b)), 0);
    cr_expect_eq(submit(&d, given_approve(c, "s1", b)), 0);
    if (by_hand)
        vote(&d, c, b);
    snprintf(address, sizeof address, "ipc://%s", place_path("link"));
    tap_open(&t, c, address);
    uint64_t end_ms = tap_now_ms() + DEADLINE_MS;
    while (listen_for_votes(&t, heard) == 0 || tap_equal_rounds(&t) == 0) {
        cr_assert_lt(tap_now_ms(), end_ms, "no vote, or no round of equals:\n%s", place_read("log"));
        cr_assert_not(has_ended(&d), "%s", place_read("log"));
        tap_turn(&t, d.ended, 1000);
    }
    listen_for_votes(&t, heard);
    tap_close(&t);
    daemon_kill(&d);
}

static void kill_at_every_effect(bool by_hand)
{
    struct era_charter *c = given_network();
    uint64_t epoch = (uint64_t)time(NULL) * 1000 / c->clock.epoch_ms;
    const struct era_proposal *a = given_soft(given_proposal(c, "network", 1), epoch + 100, "1.1.0");
    /* It drops the first by name, so that nothing but the rule of one vote a slot forbids it. */
    const struct era_proposal *b =
        given_drop(given_soft(given_proposal(c, "network", 1), epoch + 100, "1.2.0"), given_id(c, a));
    uint64_t nth = 1;
    for (bool lives = false; !lives; nth++) {
        struct heard heard = {0};
        place_make();
        write_files(c, by_hand ? "" : "\"soft\"");
        lives = offer_the_first(c, a, nth, by_hand, &heard);
        offer_the_rival(c, b, by_hand, &heard);
        cr_assert_eq(heard.count, 1, "killed at effect %llu: %zu readiness ids", (unsigned long long)nth,
                     heard.count);
        place_remove();
    }
    cr_assert_geq(nth - 1, LEAST_KILLS);
}

Test(vote_once, R4_kill_9_at_every_effect_lets_no_second_readiness_out)
{
    kill_at_every_effect(false);
}

/* A daemon that casts votes would repeat a lost one; here only what the disk held can keep the second back.
 */
Test(vote_once, R4_nor_when_votes_are_asked_for_by_hand)
{
    kill_at_every_effect(true);
}
