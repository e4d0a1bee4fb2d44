#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/erasim/cast.h"
#include "tests/lib/given.h"

#define NODES 24

/* Relays in a line, each of which dials the one before it and no other; every node seeks so many neighbours.
 */
static struct sim *given_line(uint64_t seed, size_t neighbours)
{
    struct sim_plan plan = {.seed = seed,
                            .nodes = NODES,
                            .validators = 1,
                            .epoch_ms = 60000,
                            .epochs = 20,
                            .neighbours = neighbours,
                            .link_ms = 30};
    struct era_charter *given = given_charter("v0:1", "network k=1 signers=s1"),
                       *copy = calloc(1, sizeof *copy);
    uint8_t *bytes;
    size_t len = era_charter_encode(given, &bytes);
    cr_assert_eq(era_charter_decode((struct era_bytes){bytes, len}, copy), ERA_ACCEPTED);
    free(bytes);
    struct sim *s = sim_new_empty(&plan, copy);
    for (size_t i = 0; i < NODES; i++) {
        char name[16];
        snprintf(name, sizeof name, "r%zu", i);
        sim_add_node(s, name, NULL);
        if (i > 0)
            sim_anchor(s, i, i - 1);
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

static struct sim *given_grown(uint64_t seed, size_t neighbours)
{
    struct sim *s = given_line(seed, neighbours);
    for (size_t i = 0; i < NODES; i++)
        sim_start(s, &s->nodes[i]);
    run_ms(s, 120000);
    return s;
}

static const struct era_overlay *overlay_of(const struct sim *s, size_t node)
{
    return era_gossip_overlay(era_node_gossip(s->nodes[node].node));
}

static size_t links_of(const struct sim *s, size_t node)
{
    size_t count = 0;
    for (size_t i = 0; i < s->node_count; i++)
        count += i != node && sim_linked(s, node, i);
    return count;
}

Test(neighbours, a_line_of_anchors_becomes_a_net)
{
    struct sim *s = given_grown(1, 5);
    for (size_t i = 0; i < NODES; i++) {
        struct era_overlay_counts c = era_overlay_counts(overlay_of(s, i));
        cr_assert_geq(c.active, 4, "node %zu has %zu neighbours", i, c.active);
        cr_assert_leq(c.active, 5 + ERA_OVERLAY_ROOM);
        cr_assert_gt(c.known, 8);
        cr_assert_eq(c.records_refused, 0);
    }
    cr_assert_gt(links_of(s, NODES - 1), 2); /* one anchor, and what the overlay found */
    sim_free(s);
}

Test(neighbours, records_are_signed_by_the_key_that_links_prove)
{
    struct era_peer_record records[NODES];
    struct sim *s = given_grown(1, 5);
    size_t count = era_overlay_records(overlay_of(s, 0), records, NODES);
    cr_assert_gt(count, 8);
    for (size_t i = 0; i < count && i < NODES; i++) {
        const struct era_peer_record *r = &records[i];
        struct era_hash digest = era_peer_record_digest(&s->charters[0]->hash, r);
        cr_assert_eq(crypto_sign_verify_detached(r->signature.b, digest.b, sizeof digest.b, r->node.b), 0);
        size_t of = 0;
        while (of < NODES && !era_key_eq(&s->nodes[of].link_secret.key, &r->node))
            of++;
        cr_assert_lt(of, NODES);
        char text[ERA_ADDRESS_BYTES_MAX + 1];
        cr_assert_str_eq(era_place_text(&r->place, text), s->nodes[of].address);
    }
    sim_free(s);
}

Test(neighbours, a_node_says_anew_every_hour_where_it_is)
{
    struct era_peer_record records[NODES];
    struct sim *s = given_grown(1, 5);
    run_ms(s, 3 * 3600000);
    size_t count = era_overlay_records(overlay_of(s, 0), records, NODES);
    cr_assert_gt(count, 8);
    for (size_t i = 0; i < count && i < NODES; i++)
        cr_assert_geq(records[i].made_ms + 2 * 3600000, s->genesis_ms + s->now_ms);
    cr_assert_eq(era_overlay_counts(overlay_of(s, 0)).records_untimely, 0);
    sim_free(s);
}

Test(neighbours, a_node_whose_clock_the_validators_doubt_judges_no_record_by_it)
{
    enum { WRONG = 20 };
    struct sim *s = given_line(1, 5);
    s->nodes[0].key = sim_add_key(s, "v0");
    for (size_t i = 0; i < NODES; i++)
        sim_start(s, &s->nodes[i]);
    sim_clock_jump(s, &s->nodes[WRONG], 4070908800000); /* 2099 */
    run_ms(s, 300000);
    cr_assert(era_node_clock(s->nodes[WRONG].node)->doubtful);
    struct era_overlay_counts c = era_overlay_counts(overlay_of(s, WRONG));
    cr_assert_gt(c.known, 8);
    cr_assert_geq(c.active, 4);
    sim_free(s);
}

Test(neighbours, without_a_target_or_with_no_more_nodes_only_anchors_are_dialled)
{
    struct sim *none = given_grown(1, 0), *few = given_grown(1, NODES);
    cr_assert_eq(links_of(none, 5), 2);
    cr_assert_eq(links_of(few, 5), 2);
    cr_assert_null(overlay_of(none, 5));
    sim_free(none);
    sim_free(few);
}

Test(neighbours, the_net_holds_when_a_third_of_the_line_is_gone)
{
    struct sim *s = given_grown(1, 5);
    for (size_t i = 2; i < NODES; i += 3)
        sim_lose_power(s, &s->nodes[i]); /* every anchor path is cut */
    run_ms(s, 120000);
    for (size_t i = 0; i < NODES; i++)
        if (s->nodes[i].node)
            cr_assert_geq(era_overlay_counts(overlay_of(s, i)).active, 3, "node %zu", i);
    sim_free(s);
}

static struct era_hash links_hash(uint64_t seed)
{
    uint8_t linked[NODES * NODES];
    struct sim *s = given_grown(seed, 5);
    for (size_t i = 0; i < NODES; i++)
        for (size_t j = 0; j < NODES; j++)
            linked[i * NODES + j] = i != j && sim_linked(s, i, j);
    sim_free(s);
    return era_hash_parts(&(struct era_bytes){linked, sizeof linked}, 1);
}

Test(neighbours, one_seed_gives_one_net)
{
    struct era_hash once = links_hash(7), again = links_hash(7), other = links_hash(8);
    cr_assert(era_hash_eq(&once, &again));
    cr_assert_not(era_hash_eq(&once, &other));
}
