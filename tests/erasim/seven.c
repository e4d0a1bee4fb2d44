#include "tests/erasim/seven.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

struct era_charter *charter_with(const char *validators, const char *components)
{
    struct era_charter *given = given_charter(validators, components), *copy;
    uint8_t *bytes;
    size_t len = era_charter_encode(given, &bytes);
    copy = calloc(1, sizeof *copy);
    cr_assert_eq(era_charter_decode((struct era_bytes){bytes, len}, copy), ERA_ACCEPTED);
    free(bytes);
    return copy;
}

struct sim_node *node(struct sim *s, size_t i)
{
    return &s->nodes[i];
}

struct sim *given_seven(uint64_t seed)
{
    struct sim_plan plan = {
        .seed = seed, .nodes = 7, .validators = 7, .epoch_ms = EPOCH_MS, .epochs = 20, .link_ms = 30};
    struct sim *s =
        sim_new_empty(&plan, charter_with("v0:1 v1:1 v2:1 v3:1 v4:1 v5:1 v6:1", "network k=1 signers=s1"));
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

void pass_ms(struct sim *s, uint64_t ms)
{
    uint64_t end = s->now_ms + ms;
    while (!s->broken && sim_advance(s, end))
        ;
    cr_assert(!s->broken, "%s: %s", s->break_rule, s->break_text);
}

void start_all(struct sim *s)
{
    for (size_t i = 0; i < s->node_count; i++)
        sim_start(s, node(s, i));
}

uint64_t propose(struct sim *s, struct sim_node *n, const char *version)
{
    struct era_proposal *p = given_soft(given_proposal(s->charters[0], "network", 1), 40, version);
    sim_ask(s, n,
            (struct era_command){.kind = ERA_CMD_SUBMIT, .bytes = given_proposed(s->charters[0], "s1", p)});
    return sim_ask(
        s, n, (struct era_command){.kind = ERA_CMD_SUBMIT, .bytes = given_approve(s->charters[0], "s1", p)});
}

struct sim *given_meshed(void)
{
    struct sim *s = given_seven(1);
    start_all(s);
    pass_ms(s, 3000);
    return s;
}

bool adopted(const struct sim_node *n)
{
    return era_ledger_head(era_node_ledger(n->node), 0) != NULL;
}

size_t adopted_count(const struct sim *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->node_count; i++)
        count += s->nodes[i].node && adopted(&s->nodes[i]);
    return count;
}

uint64_t queued(const struct sim_node *n)
{
    struct era_peer_info peers[16];
    size_t count = era_gossip_peers(era_node_gossip(n->node), peers, 16);
    uint64_t bytes = 0;
    for (size_t i = 0; i < count && i < 16; i++)
        bytes += peers[i].queued_bytes;
    return bytes;
}
