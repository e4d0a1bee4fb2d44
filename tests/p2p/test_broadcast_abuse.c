/* Push trees among peers that lie. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/p2p/probe.h"

/* The hello that the gossip sends on a new link. */
static struct era_frame_hello hello_on(struct probe *p, uint64_t link)
{
    const struct era_gossip_action *actions;
    struct era_frame_hello hello = {0};
    struct era_frame frame;
    struct era_frame_part part;
    probe_look(p);
    probe_link(p, link, false, "tcp://10.0.0.9:4000");
    size_t count = era_gossip_take_actions(p->g, &actions);
    for (size_t i = 0; i < count; i++) {
        if (actions[i].kind != ERA_GOSSIP_SEND)
            continue;
        cr_assert_eq(era_frame_decode(actions[i].bytes, &frame), ERA_ACCEPTED);
        for (struct era_frame_cursor c = era_frame_first(&frame); era_frame_next(&c, &part);)
            if (part.kind == ERA_FRAME_HELLO)
                hello = part.u.hello;
    }
    return hello;
}

/* ---- the generator, backwards ---- */

static uint64_t inverse(uint64_t odd)
{
    uint64_t x = odd;
    for (int i = 0; i < 6; i++)
        x *= 2 - odd * x;
    return x;
}

static uint64_t unshift(uint64_t z, int by)
{
    uint64_t x = z;
    for (int i = 0; i < 64 / by + 1; i++)
        x = z ^ (x >> by);
    return x;
}

/* Of a number that xoshiro256** gives first, when splitmix64 seeded it. */
static uint64_t seed_of_first(uint64_t number)
{
    uint64_t z = number * inverse(9);
    z = (z >> 7 | z << 57) * inverse(5);
    z = unshift(z, 31) * inverse(0x94D049BB133111EB);
    z = unshift(z, 27) * inverse(0xBF58476D1CE4E5B9);
    return unshift(z, 30) - 2 * 0x9E3779B97F4A7C15u;
}

Test(broadcast_abuse, what_a_hello_says_leads_back_to_no_seed)
{
    struct probe *p = probe_new(1000);
    struct era_frame_hello hello = hello_on(p, 1);
    uint64_t seed = seed_of_first(era_get_be64(hello.salt));
    struct era_prng prng;
    era_prng_init(&prng, seed);
    cr_assert_eq(era_prng_next(&prng), era_get_be64(hello.salt)); /* it would be the one */
    cr_expect_neq(era_prng_next(&prng), era_get_be64(hello.salt + 8), "the seed is %llu",
                  (unsigned long long)seed);
    probe_free(p);
}

/* ---- what is said of items ---- */

/* The same order, `times` over. */
static void order(struct probe *p, uint64_t link, uint64_t short_id, unsigned what, size_t times)
{
    static uint8_t entries[ERA_SPREAD_ENTRIES_MAX * ERA_SPREAD_ENTRY_BYTES];
    for (size_t i = 0; i < times; i++) {
        era_put_be64(entries + ERA_SPREAD_ENTRY_BYTES * i, short_id);
        entries[ERA_SPREAD_ENTRY_BYTES * i + 8] = (uint8_t)what;
    }
    struct era_frame_spread spread = {.orders = {entries, ERA_SPREAD_ENTRY_BYTES * times}};
    cr_assert(era_frame_add_spread(probe_frame(p), &spread));
    probe_send(p, link);
}

static void announce(struct probe *p, uint64_t link, uint64_t short_id)
{
    uint8_t entry[ERA_SPREAD_ENTRY_BYTES] = {0};
    era_put_be64(entry, short_id);
    struct era_frame_spread spread = {.announced = {entry, sizeof entry}};
    cr_assert(era_frame_add_spread(probe_frame(p), &spread));
    probe_send(p, link);
}

/* As the peers of a probe know it: their salt is zeros. */
static uint64_t peer_short(const struct probe *p, size_t item)
{
    struct era_siphash_key zeros = {{0}};
    return era_siphash(&zeros, p->w->items[item].id.b, ERA_HASH_BYTES);
}

static uint64_t our_short(const struct era_frame_hello *hello, const struct probe *p, size_t item)
{
    struct era_siphash_key salt;
    memcpy(salt.b, hello->salt, sizeof salt.b);
    return era_siphash(&salt, p->w->items[item].id.b, ERA_HASH_BYTES);
}

Test(broadcast_abuse, who_wants_an_item_over_and_over_gets_it_once)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    struct era_frame_hello hello = hello_on(p, 2);
    size_t item = wire_item(p->w, ERA_KIND_APPROVED, 900000), bytes = 0;
    wire_give(p->w, 0, item, true);
    probe_wait(p, 100);
    for (int i = 0; i < 20; i++) {
        order(p, 1, peer_short(p, item), ERA_ORDER_WANT, ERA_SPREAD_ENTRIES_MAX);
        bytes += probe_wait(p, 50)->bytes;
    }
    cr_assert_lt(bytes, 1000000, "%zu bytes", bytes);
    for (int i = 0; i < 20; i++) { /* nor by saying that it has it, in between */
        announce(p, 1, our_short(&hello, p, item));
        order(p, 1, peer_short(p, item), ERA_ORDER_WANT, 1);
        bytes += probe_wait(p, 50)->bytes;
    }
    cr_assert_lt(bytes, 1000000, "%zu bytes", bytes);
    probe_free(p);
}

Test(broadcast_abuse, what_a_spread_says_is_counted_by_its_entries)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    for (int i = 0; i < 400; i++)
        order(p, 1, 7, ERA_ORDER_ALL, 1);
    cr_assert_eq(probe_info(p, 1).limited_in, 0);
    for (int i = 0; i < 600; i++)
        order(p, 1, 7, ERA_ORDER_ALL, ERA_SPREAD_ENTRIES_MAX);
    cr_assert_eq(probe_look(p)->closes, 1);
    cr_assert_eq(p->seen.close, ERA_RATE_LIMITED);
    probe_free(p);
}

Test(broadcast_abuse, ids_ground_to_one_bucket_of_the_salt_that_all_know_are_spread_by_our_own)
{
    struct era_root root = era_root_of_seed(1);
    struct era_broadcast *b = era_broadcast_new(&root);
    struct era_siphash_key salt = era_broadcast_salt(b);
    struct era_key key = {{4}};
    struct era_hash id = {{0}};
    for (uint64_t at = 0, found = 0; found < 256; at++) {
        era_put_be64(id.b, at);
        if ((era_siphash(&salt, id.b, sizeof id.b) & 255) != 7)
            continue;
        era_broadcast_publish(b, 1000, &id, 1, &key, NULL, ERA_SOURCE_PUSH);
        found++;
    }
    cr_assert_leq(era_broadcast_longest_chain(b), 16);
    era_broadcast_free(b);
}

Test(broadcast_abuse, what_is_refused_pushes_nothing_out_that_neighbours_may_want)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    probe_up(p, 2, false, 8);
    size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100);
    wire_give(p->w, 0, item, true);
    probe_wait(p, 100);
    for (size_t i = 0; i < ERA_RECENT_ITEMS_MAX + 4; i++) {
        size_t junk = wire_item(p->w, 14, 10);
        probe_statement(p, 2, junk);
        probe_look(p);
        era_gossip_verdict(p->g, p->w->now_ms, 2, &p->w->items[junk].id, ERA_UNKNOWN_KIND);
    }
    order(p, 1, peer_short(p, item), ERA_ORDER_WANT, 1);
    cr_assert_eq(probe_wait(p, 50)->statements, 1);
    probe_free(p);
}

Test(broadcast_abuse, a_link_that_is_a_neighbour_again_may_announce)
{
    static const struct era_siphash_key salt = {{1}};
    struct era_root root = era_root_of_seed(1);
    struct era_broadcast *b = era_broadcast_new(&root);
    struct era_branch *branch = era_branch_new(b, 0, 5, &salt);
    era_branch_announced(b, 1000, branch, 77, 0);
    era_branch_free(b, 1000, branch);
    branch = era_branch_new(b, 0, 5, &salt);
    for (uint64_t now_ms = 1000; now_ms < 5000; now_ms += 10)
        era_broadcast_tick(b, now_ms);
    era_branch_announced(b, 5000, branch, 78, 0);
    cr_assert_eq(era_branch_counts(branch)->forgotten, 0);
    era_broadcast_free(b);
}

/* How long until link 2, which announces it, is asked for an item of which link 1 brought a forged copy.
 * first: before it is announced; else after. */
static size_t wait_for_order(bool forged, bool first)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    probe_up(p, 2, false, 8);
    struct era_frame_hello hello = hello_on(p, 3);
    size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100), ms = 0;
    if (!first)
        announce(p, 2, our_short(&hello, p, item));
    if (forged) {
        probe_statement(p, 1, item);
        era_gossip_verdict(p->g, p->w->now_ms, 1, NULL, ERA_BAD_SIGNATURE);
    }
    if (first)
        announce(p, 2, our_short(&hello, p, item));
    while (ms < 20000 && probe_wait(p, 10)->orders == 0)
        ms += 10;
    probe_free(p);
    return ms;
}

Test(broadcast_abuse, a_forged_copy_does_not_delay_the_true_one)
{
    cr_expect_leq(wait_for_order(true, true), wait_for_order(false, true) + 100);
    cr_expect_leq(wait_for_order(true, false), wait_for_order(false, false) + 100);
}

/* Digests to an honest link in ten minutes. */
static size_t digests_beside(bool liar)
{
    struct probe *p = probe_new(1000);
    size_t digests = 0;
    probe_up(p, 1, false, 9);
    probe_up(p, 2, true, 8);
    for (uint64_t i = 0; i < 6000; i++) {
        const struct probe_seen *seen = probe_wait(p, 100);
        if (seen->digests > 0 && seen->sent_link == 2) {
            digests += seen->digests;
            if (seen->digest_round != 0)
                probe_equal(p, 2, ERA_SET_STATEMENTS, seen->digest_round);
            if (seen->event_round != 0)
                probe_equal(p, 2, ERA_SET_EVENTS, seen->event_round);
        }
        for (uint64_t link = 1; i % 100 == 0 && link <= 2; link++) { /* it lives */
            probe_frame(p);
            probe_send(p, link);
        }
        if (liar && i % 20 == 0)
            announce(p, 1, (i + 1) * 0x9E3779B97F4A7C15u);
        probe_look(p);
    }
    probe_free(p);
    return digests;
}

Test(broadcast_abuse, made_up_announcements_keep_no_other_link_busy)
{
    size_t quiet = digests_beside(false), busy = digests_beside(true);
    cr_assert_leq(busy, 2 * quiet, "%zu instead of %zu", busy, quiet);
}
