#include <criterion/criterion.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "src/erasim/sim_memo.h"
#include "tests/erasim/seven.h"

/* ---- builders ---- */

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

/* Its whole history, told line by line; freed by the caller. */
static char *history_of(uint64_t seed)
{
    struct sim *s = given_seven(seed);
    struct text t = {0};
    struct sim_net_faults bad = {
        .loss_ppm = 50000, .duplicate_ppm = 20000, .reorder_ppm = 20000, .extra_latency_ms = 200};
    sim_watch(s, (struct sim_watch){.ctx = &t, .told = keep_line});
    for (size_t i = 1; i < 7; i++)
        sim_net_set(s, 0, i, bad);
    start_all(s);
    pass_ms(s, 3000);
    propose(s, node(s, 0), "1.1.0");
    sim_crash(s, node(s, 3));
    pass_ms(s, 1000);
    sim_start(s, node(s, 3));
    pass_ms(s, 6000);
    sim_free(s);
    return t.at;
}

static size_t signals_of(const char *history, const char *word)
{
    size_t count = 0;
    for (const char *at = history; (at = strstr(at, word)); at++)
        count++;
    return count;
}

/* ---- time and chance ---- */

Test(sim, one_seed_gives_one_history)
{
    char *once = history_of(7), *again = history_of(7);
    cr_assert_str_eq(once, again);
    cr_assert_geq(signals_of(once, " adopted "), 7);
    cr_assert_gt(signals_of(once, " fault loss: "), 0);
    free(once);
    free(again);
}

Test(sim, another_seed_gives_another_history)
{
    char *once = history_of(7), *other = history_of(8);
    cr_assert_str_neq(once, other);
    free(once);
    free(other);
}

Test(sim, time_stops_at_the_end_that_was_asked_for)
{
    struct sim *s = given_seven(1);
    cr_assert_not(sim_advance(s, 1234));
    cr_assert_eq(s->now_ms, 1234);
    sim_run(s);
    cr_assert_eq(s->now_ms, 20 * EPOCH_MS);
    cr_assert_eq(sim_true_epoch(s), 20);
    cr_assert_eq(s->nodes[6].life, 1);
    sim_free(s);
}

Test(sim, purposes_have_numbers_of_their_own)
{
    struct sim *s = given_seven(1);
    struct era_prng a = sim_stream(s, "a"), b = sim_stream(s, "b"), again = sim_stream(s, "a");
    uint64_t first = era_prng_next(&a);
    cr_assert_eq(first, era_prng_next(&again));
    cr_assert_neq(first, era_prng_next(&b));
    sim_free(s);
}

/* ---- the net ---- */

Test(net, a_command_is_heard_by_all)
{
    struct sim *s = given_meshed();
    uint64_t request = propose(s, node(s, 0), "1.1.0");
    cr_assert_null(sim_reply(s, request));
    pass_ms(s, 2000);
    cr_assert_eq(sim_reply(s, request)->verdict, ERA_ACCEPTED);
    cr_assert_eq(adopted_count(s), 7);
    cr_assert(sim_digests_equal(s));
    cr_assert_eq(s->counts.adopted, 1);
    cr_assert_eq(s->counts.convergence_count, 1);
    cr_assert_gt(s->counts.convergence_ms_max, 0);
    sim_free(s);
}

Test(net, lost_frames_are_healed)
{
    struct sim *s = given_meshed();
    for (size_t i = 0; i < 7; i++)
        for (size_t j = 0; j < 7; j++)
            if (i != j)
                sim_net_set(s, i, j, (struct sim_net_faults){.loss_ppm = 300000});
    propose(s, node(s, 0), "1.1.0");
    pass_ms(s, 2000);
    sim_heal_all(s);
    pass_ms(s, 80000);
    cr_assert_gt(s->counts.struck[SIM_FAULT_LOSS], 10);
    cr_assert_eq(adopted_count(s), 7);
    sim_free(s);
}

Test(net, doubled_late_and_overtaken_frames_do_no_harm)
{
    struct sim *s = given_meshed();
    struct sim_net_faults bad = {.duplicate_ppm = 300000, .reorder_ppm = 300000, .extra_latency_ms = 300};
    for (size_t i = 0; i < 7; i++)
        for (size_t j = 0; j < 7; j++)
            if (i != j)
                sim_net_set(s, i, j, bad);
    propose(s, node(s, 0), "1.1.0");
    pass_ms(s, 5000);
    cr_assert_eq(adopted_count(s), 7);
    cr_assert_gt(s->counts.struck[SIM_FAULT_DUPLICATION], 10);
    cr_assert_gt(s->counts.struck[SIM_FAULT_REORDER], 10);
    cr_assert_gt(s->counts.struck[SIM_FAULT_LATENCY], 10);
    sim_free(s);
}

Test(net, one_way_nothing_arrives_and_the_link_stands)
{
    struct sim *s = given_meshed();
    bool linked = sim_linked(s, 0, 1);
    for (size_t i = 1; i < 7; i++)
        sim_net_set(s, 0, i, (struct sim_net_faults){.vanish = true});
    propose(s, node(s, 0), "1.1.0");
    pass_ms(s, 2000);
    cr_assert(linked && sim_linked(s, 0, 1));
    cr_assert_eq(adopted_count(s), 0);
    cr_assert_gt(s->counts.struck[SIM_FAULT_ONE_WAY], 0);
    sim_heal_all(s);
    pass_ms(s, 80000);
    cr_assert_eq(adopted_count(s), 7);
    sim_free(s);
}

static void look_at_cut(size_t from, size_t to)
{
    struct sim *s = given_meshed();
    cr_assert(sim_linked(s, 0, 1));
    sim_cut(s, from, to);
    cr_assert_not(sim_linked(s, 0, 1));
    cr_assert_eq(s->counts.struck[SIM_FAULT_CUT], 1);
    pass_ms(s, 20000);
    cr_assert_not(sim_linked(s, 0, 1));
    sim_heal(s, from, to);
    pass_ms(s, 20000);
    cr_assert(sim_linked(s, 0, 1));
    sim_free(s);
}

Test(net, a_cut_of_either_way_breaks_the_link_until_it_is_healed)
{
    look_at_cut(0, 1);
    look_at_cut(1, 0);
}

Test(net, a_link_that_flaps_comes_back_by_itself)
{
    struct sim *s = given_meshed();
    sim_flap(s, 0, 1, false);
    cr_assert_not(sim_linked(s, 0, 1));
    cr_assert_eq(s->counts.struck[SIM_FAULT_FLAP], 1);
    pass_ms(s, 3000);
    cr_assert(sim_linked(s, 0, 1));
    sim_free(s);
}

Test(net, a_link_that_was_altered_is_charged_to_its_peer_and_comes_back)
{
    struct sim *s = given_meshed();
    const struct era_gossip_totals *heard = era_gossip_totals(era_node_gossip(node(s, 1)->node));
    const struct era_gossip_totals *other = era_gossip_totals(era_node_gossip(node(s, 0)->node));
    sim_flap(s, 0, 1, true);
    pass_ms(s, 3000);
    cr_assert_eq(heard->charged[ERA_NOT_AUTHENTIC], 1);
    cr_assert_eq(other->charged[ERA_NOT_AUTHENTIC], 0);
    cr_assert(sim_linked(s, 0, 1));
    sim_free(s);
}

Test(net, one_that_breaks_before_the_dialler_knows_it_is_dialled_again)
{
    struct sim *s = given_meshed();
    sim_cut(s, 0, 1);
    pass_ms(s, 3000);
    sim_heal(s, 0, 1);
    while (!sim_linked(s, 0, 1)) /* the accepting end has it, the dialler hears of it a latency later */
        pass_ms(s, 1);
    sim_flap(s, 0, 1, false);
    pass_ms(s, 2);
    cr_assert_not(sim_linked(s, 0, 1));
    pass_ms(s, 20000);
    cr_assert(sim_linked(s, 0, 1));
    sim_free(s);
}

Test(net, sides_do_not_hear_one_another)
{
    struct sim *s = given_meshed();
    sim_side(s, 5, 1);
    sim_side(s, 6, 1);
    cr_assert_gt(s->counts.struck[SIM_FAULT_PARTITION], 0);
    propose(s, node(s, 0), "1.1.0");
    pass_ms(s, 4000);
    cr_assert_eq(adopted_count(s), 5);
    cr_assert_not(sim_digests_equal(s));
    sim_heal_all(s);
    pass_ms(s, 80000);
    cr_assert_eq(adopted_count(s), 7);
    sim_free(s);
}

Test(net, what_a_narrow_link_cannot_carry_waits_with_its_sender)
{
    struct sim *s = given_meshed();
    pass_ms(s, 10);
    for (size_t i = 1; i < 7; i++)
        sim_net_set(s, 0, i, (struct sim_net_faults){.bytes_per_s = 50});
    propose(s, node(s, 0), "1.1.0");
    pass_ms(s, 1000);
    cr_assert_gt(queued(node(s, 0)), 100);
    pass_ms(s, 4000);
    cr_assert_gt(s->counts.struck[SIM_FAULT_BANDWIDTH], 0);
    sim_free(s);
}

Test(net, nodes_that_dial_themselves_or_one_that_is_down_go_on)
{
    struct sim *s = given_seven(1);
    sim_anchor(s, 0, 0);
    for (size_t i = 0; i < 6; i++)
        sim_start(s, node(s, i));
    pass_ms(s, 3000);
    propose(s, node(s, 0), "1.1.0");
    pass_ms(s, 3000);
    cr_assert_eq(adopted_count(s), 6);
    sim_start(s, node(s, 6));
    pass_ms(s, 20000);
    cr_assert_eq(adopted_count(s), 7);
    sim_free(s);
}

Test(net, an_injected_word_spreads)
{
    struct sim *s = given_meshed();
    struct era_proposal *p = given_soft(given_proposal(s->charters[0], "network", 1), 40, "1.1.0");
    sim_inject(s, node(s, 2), given_proposed(s->charters[0], "s1", p));
    sim_inject(s, node(s, 4), given_approve(s->charters[0], "s1", p));
    pass_ms(s, 4000);
    cr_assert_eq(adopted_count(s), 7);
    sim_free(s);
}

/* ---- hostile peers ---- */

static size_t peer_ups, peer_frames, peer_downs;

static void count_up(struct sim *s, uint64_t link)
{
    (void)s, (void)link;
    peer_ups++;
}

static void count_frame(struct sim *s, uint64_t link, struct era_bytes frame)
{
    (void)s, (void)link, (void)frame;
    peer_frames++;
}

static void count_down(struct sim *s, uint64_t link)
{
    (void)s, (void)link;
    peer_downs++;
}

Test(peer, is_greeted_and_left_when_it_sends_garbage)
{
    struct sim *s = given_meshed();
    s->people = (struct sim_people){.peer_up = count_up, .peer_heard = count_frame, .peer_down = count_down};
    uint64_t link = sim_peer_dial(s, node(s, 0), "tcp://203.0.113.1:1");
    pass_ms(s, 500);
    cr_assert_eq(peer_ups, 1);
    cr_assert_eq(peer_frames, 1);
    cr_assert_eq(peer_downs, 0);
    sim_peer_send(s, link, (struct era_bytes){(const uint8_t *)"\xff\xff\xff", 3});
    pass_ms(s, 500);
    cr_assert_eq(peer_downs, 1);
    sim_peer_send(s, link, (struct era_bytes){(const uint8_t *)"x", 1}); /* of a link that is forgotten */
    sim_peer_close(s, link);
    sim_crash(s, node(s, 1));
    cr_assert_eq(sim_peer_dial(s, node(s, 1), "tcp://203.0.113.1:1"), 0);
    sim_free(s);
}

/* A link from that host that is up and has said hello. */
static uint64_t given_peer(struct sim *s, const char *address)
{
    uint8_t buffer[ERA_FRAME_BYTES_MAX];
    struct era_frame_builder b;
    struct era_frame_hello hello = {.protocol_min = ERA_PROTOCOL_MIN,
                                    .protocol_max = ERA_PROTOCOL_MAX,
                                    .network = s->charters[0]->hash,
                                    .agent = "peer"};
    uint64_t link = sim_peer_dial(s, node(s, 0), address);
    cr_assert_neq(link, 0);
    pass_ms(s, 200);
    hello.node = sim_peer_key(link);
    era_frame_begin(&b, buffer);
    cr_assert(era_frame_add_hello(&b, &hello));
    sim_peer_send(s, link, era_frame_bytes(&b));
    pass_ms(s, 200);
    return link;
}

/* Three links of one host that end so; how many are banned then: keys, and the host. */
static size_t bans_after(struct sim *s, const char *address, enum era_verdict verdict)
{
    struct era_ban bans[ERA_BANS_MAX];
    for (size_t i = 0; i < 3; i++) {
        sim_peer_break(s, given_peer(s, address), verdict);
        pass_ms(s, 200);
    }
    return era_gossip_bans(era_node_gossip(node(s, 0)->node), bans, ERA_BANS_MAX);
}

Test(peer, is_banned_with_its_host_for_what_the_driver_found)
{
    struct sim *s = given_meshed();
    const uint64_t *charged = era_gossip_totals(era_node_gossip(node(s, 0)->node))->charged;
    cr_assert_eq(bans_after(s, "tcp://203.0.113.1:1", ERA_OVERSIZED), 4);
    cr_assert_eq(charged[ERA_OVERSIZED], 3);
    cr_assert_eq(sim_peer_dial(s, node(s, 0), "tcp://203.0.113.1:2"), 0);
    sim_free(s);
}

Test(peer, is_banned_for_nothing_that_the_way_may_have_done)
{
    struct sim *s = given_meshed();
    const uint64_t *charged = era_gossip_totals(era_node_gossip(node(s, 0)->node))->charged;
    cr_assert_eq(bans_after(s, "tcp://203.0.113.1:1", ERA_TRUNCATED), 0);
    cr_assert_eq(bans_after(s, "tcp://203.0.113.2:1", ERA_NOT_AUTHENTIC), 0);
    cr_assert_eq(charged[ERA_TRUNCATED], 0);
    cr_assert_eq(charged[ERA_NOT_AUTHENTIC], 3);
    sim_free(s);
}

/* ---- watches ---- */

struct seen {
    size_t left, stored, started, stopping;
    uint32_t last_kind;
};

static void see_left(void *ctx, struct sim *s, struct sim_node *n, const struct era_envelope *e,
                     struct era_bytes bytes)
{
    struct seen *seen = ctx;
    (void)s, (void)n, (void)bytes;
    seen->left++;
    seen->last_kind = e->kind;
}

static void see_stored(void *ctx, struct sim *s, struct sim_node *n, const struct era_store_put *puts,
                       size_t count)
{
    (void)s, (void)n, (void)puts;
    ((struct seen *)ctx)->stored += count;
}

static void see_started(void *ctx, struct sim *s, struct sim_node *n)
{
    (void)s;
    cr_assert_not_null(n->node);
    ((struct seen *)ctx)->started++;
}

static void see_stopping(void *ctx, struct sim *s, struct sim_node *n)
{
    (void)s;
    cr_assert_not_null(n->node);
    ((struct seen *)ctx)->stopping++;
}

Test(watch, sees_the_wire_before_any_fault_and_disks_and_lives)
{
    struct sim *s = given_seven(1);
    struct seen seen = {0};
    sim_watch(s, (struct sim_watch){.ctx = &seen,
                                    .left = see_left,
                                    .stored = see_stored,
                                    .started = see_started,
                                    .stopping = see_stopping});
    sim_start(s, node(s, 0));
    sim_start(s, node(s, 1));
    pass_ms(s, 100);
    for (size_t i = 0; i < 2; i++)
        sim_net_set(s, i, !i, (struct sim_net_faults){.vanish = true});
    seen = (struct seen){0};
    propose(s, node(s, 0), "1.1.0");
    pass_ms(s, 100);
    cr_assert_geq(seen.left, 2);
    cr_assert_geq(seen.stored, 2);
    node(s, 0)->trust = SIM_FAULTY;
    seen = (struct seen){0};
    pass_ms(s, 2 * EPOCH_MS);
    sim_crash(s, node(s, 1));
    cr_assert_eq(seen.stopping, 1);
    size_t left = seen.left;
    pass_ms(s, 5 * EPOCH_MS); /* only the faulty one is up */
    cr_assert_eq(seen.left, left);
    sim_start(s, node(s, 1));
    cr_assert_eq(seen.started, 1);
    sim_free(s);
}

/* ---- clocks ---- */

Test(clock, is_true_when_nothing_is_wrong)
{
    struct sim *s = given_seven(1);
    sim_advance(s, 5000);
    cr_assert_eq(sim_wall_ms(s, node(s, 0)), s->genesis_ms + 5000);
    sim_free(s);
}

Test(clock, skews_drifts_jumps_and_is_mended)
{
    struct sim *s = given_seven(1);
    struct sim_node *n = node(s, 0);
    s->genesis_ms = 100000;
    sim_advance(s, 10000);
    sim_clock_skew(s, n, -700);
    cr_assert_eq(sim_wall_ms(s, n), 109300);
    sim_clock_drift(s, n, 1000);
    cr_assert_eq(sim_wall_ms(s, n), 109310);
    sim_clock_jump(s, n, 4070908800000);
    sim_advance(s, 10005);
    cr_assert_eq(sim_wall_ms(s, n), 4070908800005);
    sim_clock_mend(s, n);
    cr_assert_eq(sim_wall_ms(s, n), 110005);
    cr_assert_eq(s->counts.struck[SIM_FAULT_JUMP], 1);
    sim_free(s);
}

Test(clock, I15_stops_at_the_ends_of_time)
{
    struct sim *s = given_seven(1);
    struct sim_node *n = node(s, 0);
    sim_advance(s, 1000);
    sim_clock_skew(s, n, INT64_MIN);
    cr_assert_eq(sim_wall_ms(s, n), 0);
    s->genesis_ms = UINT64_MAX - 10;
    sim_clock_skew(s, n, INT64_MAX);
    cr_assert_eq(sim_wall_ms(s, n), UINT64_MAX);
    sim_clock_drift(s, n, INT64_MIN);
    sim_clock_jump(s, n, UINT64_MAX);
    sim_advance(s, 2000);
    cr_assert_eq(sim_wall_ms(s, n), UINT64_MAX);
    sim_free(s);
}

/* ---- signature checks ---- */

Test(memo, remembers_verdicts_and_changes_none)
{
    struct given_key k = given_key("alice");
    uint8_t id[32] = {1}, signature[64];
    crypto_sign_detached(signature, NULL, id, sizeof id, k.secret);
    uint64_t before = sim_memo_counts().remembered;
    cr_assert_eq(crypto_sign_verify_detached(signature, id, sizeof id, k.key.b), 0);
    cr_assert_eq(crypto_sign_verify_detached(signature, id, sizeof id, k.key.b), 0);
    cr_assert_eq(sim_memo_counts().remembered, before + 1);
    signature[63] ^= 1; /* the same place of the table */
    cr_assert_eq(crypto_sign_verify_detached(signature, id, sizeof id, k.key.b), -1);
    cr_assert_eq(crypto_sign_verify_detached(signature, id, sizeof id, k.key.b), -1);
    signature[63] ^= 1;
    cr_assert_eq(crypto_sign_verify_detached(signature, id, sizeof id, given_key("bob").key.b), -1);
    cr_assert_eq(crypto_sign_verify_detached(signature, id, sizeof id, k.key.b), 0);
    cr_assert_eq(crypto_sign_verify_detached(signature, id, 31, k.key.b), -1);
}

/* ---- lists of faults ---- */

Test(faults, a_list_adds_and_takes_away)
{
    sim_faults_t f;
    const char *word;
    size_t len;
    cr_assert(sim_faults_parse("loss,cut", &f, &word, &len));
    cr_assert_eq(f, (sim_faults_t)1 << SIM_FAULT_LOSS | (sim_faults_t)1 << SIM_FAULT_CUT);
    cr_assert(sim_faults_parse("all,-jump", &f, &word, &len));
    cr_assert_eq(f, SIM_FAULTS_ALL & ~((sim_faults_t)1 << SIM_FAULT_JUMP));
    cr_assert(sim_faults_parse("none", &f, &word, &len));
    cr_assert_eq(f, 0);
    cr_assert_not(sim_faults_parse("loss,rain,cut", &f, &word, &len));
    cr_assert_eq(len, 4);
    cr_assert_eq(memcmp(word, "rain", 4), 0);
    cr_assert_not(sim_faults_parse("", &f, &word, &len));
    cr_assert_str_eq(sim_fault_name(SIM_FAULT_ABSENT), "absent");
}
