/* What a burst took is given back when it is over. */
#include <criterion/criterion.h>

#include "p2p/broadcast.h"

#define ORIGINS 3000

struct pair {
    struct era_broadcast *b;
    struct era_branch *left, *right; /* links 1 and 2 */
};

static struct pair given_two_links(void)
{
    static const struct era_siphash_key salt = {{7}};
    struct era_root root = era_root_of_seed(1);
    struct pair h = {.b = era_broadcast_new(&root)};
    h.left = era_branch_new(h.b, 0, 1, &salt);
    h.right = era_branch_new(h.b, 0, 2, &salt);
    return h;
}

static struct era_key key_of(uint32_t n)
{
    struct era_key key = {{0}};
    era_put_be64(key.b, n * UINT64_C(0x9e3779b97f4a7c15)); /* in no order */
    return key;
}

static struct era_hash id_of(uint32_t n)
{
    struct era_hash id = {{0}};
    era_put_be64(id.b, n + 1);
    return id;
}

/* Item n of origin n comes by the left link, and again by the right one, which prunes its tree there. Origin
 * 0, whose key is the lowest, comes by the right one alone. */
static void comes(struct pair *h, uint64_t now_ms, uint32_t n)
{
    struct era_hash id = id_of(n);
    struct era_key origin = key_of(n);
    struct era_branch *from = n == 0 ? h->right : h->left;
    era_broadcast_arrived(h->b, now_ms, from, &id);
    const struct era_recent *item =
        era_broadcast_publish(h->b, now_ms, &id, 1, &origin, from, ERA_SOURCE_PUSH);
    (void)era_branch_route(h->b, now_ms, h->left, item);
    (void)era_branch_route(h->b, now_ms, h->right, item);
    if (n != 0)
        era_broadcast_duplicate(h->b, now_ms, h->right, &id);
}

static void say_all(struct pair *h, uint64_t now_ms)
{
    uint8_t room[ERA_SPREAD_ENTRIES_MAX * ERA_SPREAD_ENTRY_BYTES];
    while (era_branch_take_orders(h->right, room, ERA_SPREAD_ENTRIES_MAX) > 0)
        ;
    while (era_branch_take_announcements(h->b, now_ms, h->right, room, ERA_SPREAD_ENTRIES_MAX) > 0)
        ;
}

/* Until nothing more is to be done. Returns when. */
static uint64_t rest(struct pair *h, uint64_t now_ms)
{
    for (uint64_t due_ms; (due_ms = era_broadcast_deadline_ms(h->b)) != UINT64_MAX; now_ms = due_ms)
        (void)era_broadcast_tick(h->b, due_ms);
    return now_ms;
}

static bool has_tree(const struct pair *h, uint32_t n)
{
    struct era_key origin = key_of(n);
    return !era_branch_is_eager(h->b, h->right, &origin); /* pruned in its own; in the reference tree not */
}

Test(broadcast_rest, a_burst_leaves_tables_as_small_as_before_it)
{
    struct pair h = given_two_links();
    comes(&h, 1000, 0);
    size_t before = era_broadcast_bytes(h.b);
    for (uint32_t n = 1; n < ORIGINS; n++)
        comes(&h, 2000 + n, n);
    say_all(&h, 10000);
    cr_assert_gt(era_broadcast_bytes(h.b), 800000);
    uint64_t over_ms = rest(&h, 10000);
    cr_assert_leq(over_ms, 5000 + 40000);
    cr_assert_leq(era_broadcast_bytes(h.b), before + 21000);
    era_broadcast_free(h.b);
}

Test(broadcast_rest, an_item_of_a_burst_is_known_as_long_as_somebody_may_speak_of_it)
{
    struct pair h = given_two_links();
    struct era_siphash_key salt = era_broadcast_salt(h.b);
    for (uint32_t n = 0; n < ORIGINS; n++)
        comes(&h, 1000 + n, n);
    say_all(&h, 10000);
    (void)era_broadcast_tick(h.b, 20999);
    for (uint32_t n = 0; n < ORIGINS; n++) {
        struct era_hash id = id_of(n);
        era_branch_announced(h.b, 20999, h.right, era_siphash(&salt, id.b, sizeof id.b), 0);
    }
    cr_assert_eq(era_branch_counts(h.right)->wants_out, 0);
    (void)rest(&h, 20999);
    cr_assert_eq(era_branch_counts(h.right)->wants_out, 0, "nothing of it was asked for");
    era_broadcast_free(h.b);
}

Test(broadcast_rest, items_that_come_seldom_do_not_make_the_tables_grow)
{
    struct pair h = given_two_links();
    for (uint32_t n = 0; n < 64; n++)
        comes(&h, 1000 + 1000 * n, n);
    say_all(&h, 100000);
    size_t before = era_broadcast_bytes(h.b);
    for (uint32_t n = 64; n < 2000; n++) {
        uint64_t now_ms = 1000 + 1000 * n;
        if (era_broadcast_deadline_ms(h.b) <= now_ms)
            (void)era_broadcast_tick(h.b, now_ms);
        comes(&h, now_ms, n);
        say_all(&h, now_ms);
    }
    cr_assert_leq(era_broadcast_bytes(h.b), before + 60000);
    era_broadcast_free(h.b);
}

Test(broadcast_rest, all_nodes_keep_the_trees_of_the_same_origins)
{
    struct pair one = given_two_links(), other = given_two_links();
    size_t kept = 0;
    comes(&one, 1000, 0);
    comes(&other, 1000, 0);
    for (uint32_t n = 1; n < ORIGINS; n++) {
        comes(&one, 1000 + n, n);
        comes(&other, 1000 + n, ORIGINS - n);
    }
    (void)rest(&one, 5000);
    (void)rest(&other, 5000);
    for (uint32_t n = 0; n < ORIGINS; n++) {
        cr_assert_eq(has_tree(&one, n), has_tree(&other, n));
        kept += has_tree(&one, n);
    }
    cr_assert_geq(kept, 100);
    cr_assert_leq(kept, 255);
    era_broadcast_free(one.b);
    era_broadcast_free(other.b);
}
