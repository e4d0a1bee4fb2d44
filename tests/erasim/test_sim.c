#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/erasim/sim.h"
#include "src/erasim/sim_memo.h"
#include "tests/lib/given.h"

#define EPOCH_MS 1000

/* ---- builders ---- */

/* A copy of given_charter that the run may own. */
static struct era_charter *charter_of(const char *validators)
{
    struct era_charter *given = given_charter(validators, "network k=1 signers=s1"), *copy;
    uint8_t *bytes;
    size_t len = era_charter_encode(given, &bytes);
    copy = calloc(1, sizeof *copy);
    cr_assert_eq(era_charter_decode((struct era_bytes){bytes, len}, copy), ERA_ACCEPTED);
    free(bytes);
    return copy;
}

static struct sim_node *node(struct sim *s, size_t i)
{
    return &s->nodes[i];
}

/* Seven validators in a ring of anchors, all votes cast by themselves; down. */
static struct sim *given_seven(uint64_t seed)
{
    struct sim_plan plan = {
        .seed = seed, .nodes = 7, .validators = 7, .epoch_ms = EPOCH_MS, .epochs = 20, .link_ms = 30};
    struct sim *s = sim_new_empty(&plan, charter_of("v0:1 v1:1 v2:1 v3:1 v4:1 v5:1 v6:1"));
    for (size_t i = 0; i < 7; i++) {
        char name[16];
        snprintf(name, sizeof name, "v%zu", i);
        struct sim_node *n = sim_add_node(s, name, sim_add_key(s, name));
        for (size_t v = 0; v < 4; v++)
            n->auto_votes[v] = true;
    }
    for (size_t i = 0; i < 7; i++) {
        sim_anchor(s, i, (i + 1) % 7);
        sim_anchor(s, i, (i + 3) % 7);
    }
    return s;
}

static void run_ms(struct sim *s, uint64_t ms)
{
    uint64_t end = s->now_ms + ms;
    while (!s->broken && sim_advance(s, end))
        ;
    cr_assert(!s->broken, "%s: %s", s->break_rule, s->break_text);
}

static void start_all(struct sim *s)
{
    for (size_t i = 0; i < s->node_count; i++)
        sim_start(s, node(s, i));
}

struct text {
    size_t len, cap;
    char *at;
};

static void keep_line(void *ctx, struct sim *s, struct sim_node *n, const char *text)
{
    struct text *t = ctx;
    char line[700];
    int len =
        snprintf(line, sizeof line, "%llu %s %s\n", (unsigned long long)s->now_ms, n ? n->name : "-", text);
    if (t->len + (size_t)len + 1 > t->cap) {
        t->cap = 2 * (t->cap + (size_t)len + 1);
        t->at = realloc(t->at, t->cap);
    }
    memcpy(t->at + t->len, line, (size_t)len + 1);
    t->len += (size_t)len;
}

static uint64_t propose(struct sim *s, struct sim_node *n, const char *version)
{
    struct era_proposal *p = given_soft(given_proposal(s->charters[0], "network", 1), 40, version);
    sim_ask(s, n,
            (struct era_command){.kind = ERA_CMD_SUBMIT, .bytes = given_proposed(s->charters[0], "s1", p)});
    return sim_ask(
        s, n, (struct era_command){.kind = ERA_CMD_SUBMIT, .bytes = given_approve(s->charters[0], "s1", p)});
}

Test(sim, seven_nodes_adopt)
{
    struct sim *s = given_seven(1);
    struct text t = {0};
    sim_watch(s, (struct sim_watch){.ctx = &t, .told = keep_line});
    start_all(s);
    run_ms(s, 3000);
    uint64_t request = propose(s, node(s, 0), "1.1.0");
    run_ms(s, 6000);
    puts(t.at);
    cr_assert_not_null(sim_reply(s, request));
    cr_assert_eq(s->counts.adopted, 1);
    cr_assert(sim_digests_equal(s));
    printf("steps %llu frames %llu memo %llu/%llu\n", (unsigned long long)s->counts.steps,
           (unsigned long long)s->counts.frames, (unsigned long long)sim_memo_counts().remembered,
           (unsigned long long)sim_memo_counts().asked);
    sim_free(s);
    free(t.at);
}
