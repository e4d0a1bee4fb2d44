/* Push trees: one eager way to each node, and what repairs it. */
#include <criterion/criterion.h>

#include "p2p/broadcast.h"
#include "tests/p2p/field.h"

struct pair {
    struct era_broadcast *b;
    struct era_branch *left, *right; /* links 1 and 2 */
    struct era_key origin;
};

static struct pair given_two_links(void)
{
    static const struct era_siphash_key salt = {{7}};
    struct era_root root = era_root_of_seed(1);
    struct pair p = {.b = era_broadcast_new(&root), .origin = {{9}}};
    p.left = era_branch_new(p.b, 0, 1, &salt);
    p.right = era_branch_new(p.b, 0, 2, &salt);
    uint8_t room[ERA_SPREAD_ENTRY_BYTES];
    (void)era_branch_order(p.b, 0, p.left, 5, ERA_ORDER_DESCENT | 2); /* the left is in the reference tree */
    (void)era_branch_take_descent(p.b, 1000, p.left, false, room);
    (void)era_branch_take_descent(p.b, 1000, p.right, false, room);
    return p;
}

static struct era_hash id_of(uint8_t n)
{
    return (struct era_hash){{n}};
}

static const struct era_recent *comes(struct pair *p, uint64_t now_ms, uint8_t n, struct era_branch *from)
{
    struct era_hash id = id_of(n);
    era_broadcast_arrived(p->b, now_ms, from, &id);
    return era_broadcast_publish(p->b, now_ms, &id, 1, &p->origin, from, ERA_SOURCE_PUSH);
}

static uint64_t announced_as(const struct pair *p, uint8_t n)
{
    struct era_siphash_key salt = era_broadcast_salt(p->b);
    struct era_hash id = id_of(n);
    return era_siphash(&salt, id.b, sizeof id.b);
}

/* The byte of the only order, 0 when there is none. */
static unsigned order_to(struct era_branch *branch)
{
    uint8_t room[4 * ERA_SPREAD_ENTRY_BYTES];
    size_t count = era_branch_take_orders(branch, room, 4);
    cr_assert_leq(count, 1);
    return count == 0 ? 0 : room[8];
}

Test(broadcast, a_copy_prunes_who_sent_it_second)
{
    struct pair p = given_two_links();
    struct era_hash id = id_of(1);
    comes(&p, 1000, 1, p.left);
    era_broadcast_duplicate(p.b, 1010, p.right, &id);
    cr_assert_eq(order_to(p.left), 0);
    cr_assert_eq(order_to(p.right), ERA_ORDER_PRUNE);
    cr_assert(era_branch_is_eager(p.b, p.left, &p.origin));
    cr_assert_not(era_branch_is_eager(p.b, p.right, &p.origin));
    era_broadcast_free(p.b);
}

Test(broadcast, a_way_that_is_faster_by_more_than_the_margin_takes_the_parents_place)
{
    struct pair p = given_two_links();
    struct era_hash id = id_of(1);
    comes(&p, 1000, 1, p.left);
    era_broadcast_duplicate(p.b, 1010, p.right, &id);
    (void)order_to(p.right);
    era_branch_announced(p.b, 3000, p.right, announced_as(&p, 2), 0);
    comes(&p, 3002, 2, p.left); /* within the margin */
    cr_assert_eq(order_to(p.right), 0);
    era_branch_announced(p.b, 5000, p.right, announced_as(&p, 3), 0);
    comes(&p, 5050, 3, p.left);
    cr_assert_eq(order_to(p.right), ERA_ORDER_GRAFT);
    cr_assert_eq(order_to(p.left), ERA_ORDER_PRUNE);
    era_broadcast_free(p.b);
}

Test(broadcast, what_was_announced_and_does_not_come_is_asked_of_one_after_the_other_and_given_up)
{
    struct pair p = given_two_links();
    era_branch_announced(p.b, 1000, p.left, announced_as(&p, 1), 0);
    era_branch_announced(p.b, 1001, p.right, announced_as(&p, 1), 0);
    uint64_t due_ms = era_broadcast_deadline_ms(p.b);
    cr_assert_geq(due_ms, 1300, "a few hundred ms at least");
    cr_assert_eq(era_broadcast_tick(p.b, due_ms), 0);
    cr_assert_eq(order_to(p.left), ERA_ORDER_WANT);
    cr_assert_eq(order_to(p.right), 0);
    cr_assert_eq(era_broadcast_tick(p.b, era_broadcast_deadline_ms(p.b)), 0);
    cr_assert_eq(order_to(p.right), ERA_ORDER_WANT);
    cr_assert_eq(era_broadcast_tick(p.b, era_broadcast_deadline_ms(p.b)), 1);
    cr_assert_eq(era_branch_take_silence(p.left), 1);
    cr_assert_eq(era_broadcast_deadline_ms(p.b), UINT64_MAX);
    era_broadcast_free(p.b);
}

Test(broadcast, a_parent_that_prunes_is_told_that_it_is_the_parent)
{
    struct pair p = given_two_links();
    comes(&p, 1000, 1, p.left);
    struct era_siphash_key salt = {{7}};
    struct era_hash id = id_of(1);
    (void)era_branch_order(p.b, 1100, p.left, era_siphash(&salt, id.b, sizeof id.b), ERA_ORDER_PRUNE);
    cr_assert_eq(order_to(p.left), ERA_ORDER_GRAFT);
    cr_assert(era_branch_is_eager(p.b, p.left, &p.origin));
    era_broadcast_free(p.b);
}

Test(broadcast, a_parent_that_only_announces_is_grafted_whoever_brought_the_item)
{
    struct pair p = given_two_links();
    struct era_hash id = id_of(2);
    comes(&p, 1000, 1, p.left);
    era_branch_announced(p.b, 3000, p.left, announced_as(&p, 2), 0);
    era_broadcast_publish(p.b, 3100, &id, 1, &p.origin, p.right,
                          ERA_SOURCE_ASKED); /* anti-entropy was quicker */
    cr_assert_eq(order_to(p.left), ERA_ORDER_GRAFT);
    era_branch_announced(p.b, 5100, p.left, announced_as(&p, 3), 0);
    comes(&p, 5102, 3, p.left); /* it was on its way */
    cr_assert_eq(order_to(p.left), 0);
    era_broadcast_free(p.b);
}

Test(broadcast, what_anti_entropy_brings_first_can_be_grafted_too)
{
    struct pair p = given_two_links();
    struct era_siphash_key salt = {{7}};
    struct era_hash id = id_of(1);
    const struct era_recent *item =
        era_broadcast_publish(p.b, 1000, &id, 1, &p.origin, p.left, ERA_SOURCE_ASKED);
    era_branch_route(p.b, 1000, p.right, item);
    (void)era_branch_order(p.b, 1100, p.right, era_siphash(&salt, id.b, sizeof id.b), ERA_ORDER_PRUNE);
    cr_assert_not(era_branch_is_eager(p.b, p.right, &p.origin));
    (void)era_branch_order(p.b, 1200, p.right, era_siphash(&salt, id.b, sizeof id.b), ERA_ORDER_GRAFT);
    cr_assert(era_branch_is_eager(p.b, p.right, &p.origin));
    era_broadcast_free(p.b);
}

Test(broadcast, one_item_that_was_late_makes_nobody_wait_long_for_the_next)
{
    struct pair p = given_two_links();
    for (uint8_t n = 1; n < 40; n++) {
        era_branch_announced(p.b, 1000 * n, p.right, announced_as(&p, n), 0);
        comes(&p, 1000 * n + (n == 20 ? 900 : 1), n, p.left);
        (void)order_to(p.left);
        (void)order_to(p.right);
    }
    era_branch_announced(p.b, 50000, p.right, announced_as(&p, 40), 0);
    cr_assert_leq(era_broadcast_deadline_ms(p.b), 50500);
    era_broadcast_free(p.b);
}

Test(broadcast, of_the_two_ends_of_a_link_one_announces_first_by_turns)
{
    struct pair p = given_two_links();
    struct era_hash id = id_of(1);
    comes(&p, 1000, 1, p.left);
    era_broadcast_duplicate(p.b, 1010, p.right, &id);
    cr_assert_not(era_branch_route(p.b, 5000, p.right, comes(&p, 5000, 2, p.left)));
    cr_assert_not(era_branch_route(p.b, 5000, p.right, comes(&p, 5000, 3, p.left)));
    (void)order_to(p.right);
    uint8_t room[2 * ERA_SPREAD_ENTRY_BYTES];
    cr_assert_eq(era_branch_due_ms(p.right), 5800);
    cr_assert_eq(era_branch_take_announcements(p.b, 5800, p.right, room, 2), 1);
    cr_assert_eq(room[8], 200, "four times as many ms that it waited");
    cr_assert_eq(era_branch_due_ms(p.right), 5950, "the peer's turn, if it has the item");
    cr_assert_eq(era_branch_take_announcements(p.b, 5950, p.right, room, 2), 1);
    era_broadcast_free(p.b);
}

Test(broadcast, announcements_that_have_company_go_sooner_but_not_when_they_are_new)
{
    struct pair p = given_two_links();
    struct era_hash id = id_of(1);
    uint8_t room[40 * ERA_SPREAD_ENTRY_BYTES];
    comes(&p, 1000, 1, p.left);
    era_broadcast_duplicate(p.b, 1010, p.right, &id);
    (void)order_to(p.right);
    for (uint8_t n = 2; n < 42; n++)
        (void)era_branch_route(p.b, 5000, p.right, comes(&p, 5000, n, p.left));
    cr_assert_eq(era_branch_due_ms(p.right), 5400);
    cr_assert_eq(era_branch_take_announcements(p.b, 5099, p.right, room, 40), 0);
    cr_assert_gt(era_branch_take_announcements(p.b, 5100, p.right, room, 40), 15, "something else is said");
    cr_assert_eq(era_branch_due_ms(p.right), 5550, "the peer's turn");
    era_broadcast_free(p.b);
}

Test(broadcast, what_an_announcement_waited_is_taken_off_the_wait_for_the_payload)
{
    struct pair p = given_two_links();
    era_branch_announced(p.b, 1800, p.left, announced_as(&p, 1), 200);
    cr_assert_lt(era_broadcast_deadline_ms(p.b), 1700);
    era_broadcast_free(p.b);
}

Test(broadcast, an_orphan_without_a_next_best_grafts_whoever_knows_its_last_item)
{
    static const struct era_siphash_key salt = {{8}};
    struct pair p = given_two_links();
    struct era_branch *third = era_branch_new(p.b, 0, 3, &salt);
    cr_assert(era_branch_route(p.b, 1000, p.right, comes(&p, 1000, 1, p.left)));
    era_branch_free(p.b, 2000, p.left);
    cr_assert_eq(order_to(p.right), ERA_ORDER_GRAFT);
    cr_assert_eq(order_to(third), 0);
    era_broadcast_free(p.b);
}

Test(broadcast, in_a_stream_of_items_no_tree_is_moved_and_one_at_a_time_is_asked_for)
{
    struct pair p = given_two_links();
    struct era_hash id = id_of(1);
    comes(&p, 1000, 1, p.left);
    era_broadcast_duplicate(p.b, 1010, p.right, &id);
    (void)order_to(p.right);
    era_branch_announced(p.b, 2900, p.right, announced_as(&p, 50), 0);
    era_branch_announced(p.b, 2900, p.right, announced_as(&p, 51), 0);
    era_branch_announced(p.b, 2900, p.right, announced_as(&p, 52), 0);
    for (uint8_t n = 2; n < 48; n++)
        comes(&p, 3000 + 20 * (uint64_t)n, n, p.left);
    era_branch_announced(p.b, 3941, p.right, announced_as(&p, 48), 0);
    comes(&p, 3960, 48, p.left); /* 19 ms later than it could */
    cr_assert_eq(order_to(p.right), 0);
    cr_assert_eq(era_broadcast_tick(p.b, 3960), 0);
    cr_assert_eq(order_to(p.right), ERA_ORDER_WANT, "one: has the tree a gap?");
    cr_assert_eq(era_broadcast_tick(p.b, 4000), 0);
    cr_assert_eq(order_to(p.right), 0, "the others wait in a queue");
    uint8_t room[4 * ERA_SPREAD_ENTRY_BYTES];
    (void)era_broadcast_tick(p.b, 8000);
    cr_assert_eq(era_branch_take_orders(p.right, room, 4), 2, "the stream is over");
    era_broadcast_free(p.b);
}

/* Items 2 to 47 on end from the left, the last at 3,940 ms. */
static struct pair given_a_stream(void)
{
    struct pair p = given_two_links();
    comes(&p, 1000, 1, p.left);
    for (uint8_t n = 2; n < 48; n++)
        comes(&p, 3000 + 20 * (uint64_t)n, n, p.left);
    return p;
}

Test(broadcast, in_a_stream_who_is_first_for_once_takes_nobodys_place)
{
    struct pair p = given_a_stream();
    struct era_hash id = id_of(48);
    comes(&p, 3960, 48, p.right); /* both push: the queues differ */
    era_broadcast_duplicate(p.b, 3970, p.left, &id);
    cr_assert_eq(order_to(p.left), 0);
    id = id_of(49);
    comes(&p, 3980, 49, p.left);
    era_broadcast_duplicate(p.b, 3990, p.right, &id);
    cr_assert_eq(order_to(p.right), ERA_ORDER_PRUNE);
    era_broadcast_free(p.b);
}

Test(broadcast, what_is_announced_in_a_stream_of_an_item_before_it_moves_no_tree)
{
    struct pair p = given_a_stream();
    era_branch_announced(p.b, 3945, p.right, announced_as(&p, 30), 255); /* came before there were many */
    cr_assert_eq(order_to(p.right), 0);
    era_broadcast_free(p.b);
}

/* Of what the right announced. */
static size_t asked_at(struct pair *p, uint64_t now_ms)
{
    uint8_t room[64 * ERA_SPREAD_ENTRY_BYTES];
    (void)era_broadcast_tick(p->b, now_ms);
    return era_branch_take_orders(p->right, room, 64);
}

Test(broadcast, in_a_stream_more_and_more_is_asked_for_while_it_shows_that_a_tree_broke)
{
    struct pair p = given_two_links();
    comes(&p, 1000, 1, p.left);
    for (uint8_t n = 100; n < 120; n++)
        era_branch_announced(p.b, 2900, p.right, announced_as(&p, n), 0);
    for (uint8_t n = 2; n < 48; n++)
        comes(&p, 3000 + 20 * (uint64_t)n, n, p.left);
    cr_assert_eq(asked_at(&p, 3945), 1);
    comes(&p, 3946, 100, p.right);
    cr_assert_eq(asked_at(&p, 4045), 2);
    comes(&p, 4046, 101, p.right);
    comes(&p, 4046, 102, p.right);
    cr_assert_eq(asked_at(&p, 4145), 4);
    for (uint8_t n = 103; n < 107; n++) {
        struct era_hash id = id_of(n);
        comes(&p, 4146, n, p.right);
        era_broadcast_duplicate(p.b, 4147, p.left, &id); /* only late */
    }
    cr_assert_eq(asked_at(&p, 4245), 1, "fewer again");
    era_broadcast_free(p.b);
}

Test(broadcast, a_parent_that_is_late_in_a_stream_stays)
{
    struct pair p = given_two_links();
    comes(&p, 1000, 1, p.left);
    for (uint8_t n = 100; n < 110; n++)
        era_branch_announced(p.b, 2900, p.right, announced_as(&p, n), 0);
    for (uint8_t n = 2; n < 48; n++)
        comes(&p, 3000 + 20 * (uint64_t)n, n, p.left);
    for (uint8_t n = 100; n < 110; n++) {
        (void)asked_at(&p, 3945 + 100 * (uint64_t)(n - 100));
        comes(&p, 3946 + 100 * (uint64_t)(n - 100), n, p.right);
        uint8_t room[8 * ERA_SPREAD_ENTRY_BYTES];
        cr_assert_eq(era_branch_take_orders(p.right, room, 8), 0, "no graft");
    }
    era_broadcast_free(p.b);
}

Test(broadcast, who_pushes_what_was_fetched_is_the_parent_where_there_is_none)
{
    struct pair p = given_two_links();
    struct era_hash id = id_of(1);
    (void)era_broadcast_publish(p.b, 1000, &id, 1, &p.origin, p.right, ERA_SOURCE_ASKED);
    era_broadcast_duplicate(p.b, 1100, p.left, &id);
    cr_assert_eq(order_to(p.left), 0);
    cr_assert(era_branch_is_eager(p.b, p.left, &p.origin));
    era_broadcast_free(p.b);
}

/* The right had it all along, and announces what it had before it was grafted. */
Test(broadcast, word_of_what_was_under_way_speaks_not_against_a_new_parent)
{
    struct pair p = given_two_links();
    comes(&p, 1000, 1, p.left);
    for (uint8_t n = 2; n < 5; n++)
        era_branch_announced(p.b, 10000, p.right, announced_as(&p, n), 0);
    era_branch_announced(p.b, 10000, p.left, announced_as(&p, 2), 0); /* it holds us for lazy */
    uint8_t room[8 * ERA_SPREAD_ENTRY_BYTES];
    (void)era_broadcast_tick(p.b, 16000);
    (void)era_branch_take_orders(p.right, room, 8);
    comes(&p, 16010, 2, p.right);
    cr_assert_eq(era_branch_take_orders(p.right, room, 8), 1, "it is the parent now");
    comes(&p, 16020, 3, p.right);
    comes(&p, 16030, 4, p.right);
    cr_assert_eq(era_branch_take_orders(p.right, room, 8), 0, "and need not be told again");
    era_broadcast_free(p.b);
}

Test(broadcast, nothing_is_pushed_to_ones_own_parent)
{
    struct pair p = given_two_links();
    struct era_hash late = id_of(3);
    comes(&p, 1000, 1, p.left);
    comes(&p, 2000, 2, p.left);
    const struct era_recent *item =
        era_broadcast_publish(p.b, 3000, &late, 1, &p.origin, NULL, ERA_SOURCE_ASKED);
    cr_assert(era_branch_route(p.b, 3000, p.right, item));
    item = era_broadcast_publish(p.b, 3000, &late, 1, &p.origin, p.right, ERA_SOURCE_ASKED);
    cr_assert_not(era_branch_route(p.b, 3000, p.left, item));
    era_broadcast_free(p.b);
}

Test(broadcast, who_grafts_us_is_our_parent_no_more)
{
    static const struct era_siphash_key salt = {{7}};
    struct pair p = given_two_links();
    struct era_hash id = id_of(1), next = id_of(2);
    comes(&p, 1000, 1, p.left);
    (void)era_branch_order(p.b, 1100, p.left, era_siphash(&salt, id.b, sizeof id.b), ERA_ORDER_GRAFT);
    const struct era_recent *item =
        era_broadcast_publish(p.b, 1200, &next, 1, &p.origin, p.right, ERA_SOURCE_ASKED);
    cr_assert(era_branch_route(p.b, 1200, p.left, item), "or both would wait for each other");
    era_broadcast_free(p.b);
}

/* The item is announced on the right, asked for there, and comes from the left, our parent, after that. The
 * order that its arrival makes. */
static unsigned comes_late(struct pair *p, uint64_t at_ms, uint8_t n)
{
    struct era_hash id = id_of(n);
    era_branch_announced(p->b, at_ms, p->right, announced_as(p, n), 0);
    (void)era_broadcast_tick(p->b, at_ms + 6000);
    cr_assert_eq(order_to(p->right), ERA_ORDER_WANT);
    comes(p, at_ms + 6010, n, p->right);
    unsigned order = order_to(p->right);
    era_broadcast_duplicate(p->b, at_ms + 6020, p->left, &id);
    return order;
}

/* Three nodes, each the next one's parent: what one of them fetches goes round, and comes to it from its
 * parent too. */
Test(broadcast, a_parent_that_has_it_from_us_is_left_for_who_announces_it)
{
    struct pair p = given_two_links();
    comes(&p, 1000, 1, p.left);
    for (uint8_t n = 2; n < 6; n++)
        cr_assert_eq(comes_late(&p, 10000 * (uint64_t)n, n), 0, "late for once, perhaps");
    cr_assert_eq(comes_late(&p, 60000, 6), ERA_ORDER_GRAFT);
    cr_assert_eq(order_to(p.left), ERA_ORDER_PRUNE, "the ring is open");
    era_broadcast_free(p.b);
}

Test(broadcast, a_parent_that_is_late_now_and_then_stays)
{
    struct pair p = given_two_links();
    for (uint8_t n = 1; n < 24; n++) {
        uint64_t at_ms = 10000 * (uint64_t)n;
        if (n % 4 == 1)
            comes(&p, at_ms, n, p.left);
        else
            cr_assert_eq(comes_late(&p, at_ms, n), 0);
    }
    era_broadcast_free(p.b);
}

/* With what is under way the old tree would lose the new one's beginning. */
Test(broadcast, in_a_stream_the_old_parent_is_left_only_when_the_new_one_has_pushed)
{
    struct pair p = given_two_links();
    struct era_hash id = id_of(1), next = id_of(3);
    comes(&p, 1000, 1, p.left);
    era_broadcast_duplicate(p.b, 1010, p.right, &id);
    (void)order_to(p.right);
    era_branch_announced(p.b, 1100, p.right, announced_as(&p, 2), 0);
    comes(&p, 1150, 2, p.left);
    cr_assert_eq(order_to(p.right), ERA_ORDER_GRAFT);
    cr_assert_eq(order_to(p.left), 0);
    comes(&p, 1700, 3, p.right);
    era_broadcast_duplicate(p.b, 1710, p.left, &next);
    cr_assert_eq(order_to(p.left), ERA_ORDER_PRUNE);
    era_broadcast_free(p.b);
}

Test(broadcast, R15_a_blocked_peer_hears_announcements_alone)
{
    struct pair p = given_two_links();
    era_branch_set_lazy(p.b, 1000, p.right, true);
    struct era_hash id = id_of(1);
    const struct era_recent *item = era_broadcast_publish(p.b, 1000, &id, 1, &p.origin, NULL, ERA_SOURCE_OWN);
    cr_assert(era_branch_route(p.b, 1000, p.left, item));
    cr_assert_not(era_branch_route(p.b, 1000, p.right, item));
    uint8_t room[ERA_SPREAD_ENTRY_BYTES];
    cr_assert_eq(era_branch_take_announcements(p.b, 1040, p.right, room, 1), 1);
    cr_assert_eq(room[8], 40 / ERA_ANNOUNCE_UNIT_MS, "how long it waited");
    era_broadcast_free(p.b);
}

Test(broadcast, three_hundred_nodes_get_one_copy_each_nearly_as_fast_as_by_flooding)
{
    struct field *f = field_new(300, 7, 3, false);
    size_t reached;
    uint64_t copies = 0, flood_ms = field_flood_ms(f, 0, &reached, NULL);
    for (size_t i = 0; i < 16; i++) {
        field_publish(f, 0);
        field_run(f, 2000);
    }
    for (size_t i = 8; i < 16; i++) {
        copies += f->items[i].copies;
        cr_assert_eq(f->items[i].holders, 300);
    }
    cr_assert_leq(copies, 8 * 299 * 105 / 100);
    cr_assert_leq(f->items[15].last_ms - f->items[15].born_ms, flood_ms * 115 / 100);
    field_free(f);
}

static size_t missing(const struct field *f)
{
    size_t count = 0;
    for (size_t i = 0; i < f->item_count; i++)
        for (size_t n = 0; n < f->node_count; n++)
            count += !f->nodes[n].dead && f->nodes[n].held_ms[i] == 0;
    return count;
}

Test(broadcast, three_hundred_nodes_get_all_of_it_when_one_frame_in_a_hundred_is_lost)
{
    struct field *f = field_new(300, 7, 4, false);
    uint64_t copies = 0;
    for (size_t i = 0; i < 24; i++) {
        f->loss_permille = i < 8 ? 0 : 10;
        field_publish(f, 0);
        field_run(f, 1000);
    }
    f->loss_permille = 0;
    field_run(f, 10000);
    for (size_t i = 8; i < 24; i++)
        copies += f->items[i].copies;
    cr_assert_gt(f->lost, 100);
    cr_assert_eq(missing(f), 0);
    cr_assert_leq(copies, 16 * 299 * 125 / 100);
    field_free(f);
}

Test(broadcast, halves_that_were_apart_hold_the_same_within_ten_rounds)
{
    struct field *f = field_new(300, 7, 5, false);
    for (size_t n = 0; n < 300; n++)
        f->nodes[n].side = n % 2;
    field_part(f, true);
    field_publish(f, 0);
    field_publish(f, 1);
    field_run(f, 5000);
    cr_assert_geq(missing(f), 300, "each half lacks what the other published");
    field_part(f, false);
    field_run(f, 10 * ERA_SYNC_INTERVAL_MS);
    cr_assert_eq(missing(f), 0);
    field_free(f);
}

Test(broadcast, half_of_the_nodes_vanish_and_the_rest_gets_everything)
{
    struct field *f = field_new(300, 4, 6, true);
    size_t reached;
    field_run(f, 60000);
    field_publish(f, 299);
    field_run(f, 2000);
    for (size_t n = 0; n < 150; n++)
        field_vanish(f, n);
    (void)field_flood_ms(f, 299, &reached, NULL);
    cr_assert_lt(reached, 150, "who had only neighbours that vanished must find others");
    field_publish(f, 299);
    field_run(f, 120000);
    cr_assert_eq(missing(f), 0);
    field_free(f);
}
