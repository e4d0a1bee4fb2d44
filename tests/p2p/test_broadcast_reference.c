/* The reference tree: it spans the links before anything goes down it, and after whatever happens to them. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "p2p/broadcast.h"
#include "src/base/prng.h"

#define NODES_MAX 60
#define LINKS_MAX 240
#define STEP_MS   10 /* a word takes so long */
#define PARENT    0x40
#define ASKS      0x20

/* Nodes in memory that tell each other nothing but their place. */
struct node {
    struct era_broadcast *b;
    struct era_siphash_key salt;
};

struct edge {
    size_t end[2];
    struct era_branch *branch[2]; /* NULL: the link is down */
};

struct net {
    uint64_t now_ms;
    size_t node_count, edge_count, words;
    struct node nodes[NODES_MAX];
    struct edge edges[LINKS_MAX];
};

static struct net *given_nodes(size_t count)
{
    struct net *net = calloc(1, sizeof *net);
    net->now_ms = 1000;
    net->node_count = count;
    for (size_t i = 0; i < count; i++) {
        struct era_root root = era_root_of_seed(100 + i);
        net->nodes[i].b = era_broadcast_new(&root);
        net->nodes[i].salt = era_broadcast_salt(net->nodes[i].b);
    }
    return net;
}

static void net_free(struct net *net)
{
    for (size_t i = 0; i < net->node_count; i++)
        era_broadcast_free(net->nodes[i].b);
    free(net);
}

static struct edge *join(struct net *net, size_t a, size_t b)
{
    struct edge *e = &net->edges[net->edge_count++];
    *e = (struct edge){.end = {a, b}};
    for (size_t i = 0; i < 2; i++)
        e->branch[i] = era_branch_new(net->nodes[e->end[i]].b, net->now_ms, 10 + net->edge_count,
                                      &net->nodes[e->end[1 - i]].salt);
    return e;
}

static void part(struct net *net, struct edge *e)
{
    for (size_t i = 0; i < 2; i++) {
        era_branch_free(net->nodes[e->end[i]].b, net->now_ms, e->branch[i]);
        e->branch[i] = NULL;
    }
}

static bool is_joined(const struct net *net, size_t a, size_t b)
{
    for (const struct edge *e = net->edges; e < net->edges + net->edge_count; e++)
        if (e->branch[0] != NULL &&
            ((e->end[0] == a && e->end[1] == b) || (e->end[0] == b && e->end[1] == a)))
            return true;
    return false;
}

/* A ring and as many links by chance. */
static struct net *given_a_web(size_t count, uint64_t seed)
{
    struct net *net = given_nodes(count);
    struct era_root root = era_root_of_seed(seed);
    struct era_prng prng;
    era_root_prng(&root, "web", &prng);
    for (size_t i = 0; i < count; i++)
        join(net, i, (i + 1) % count);
    while (net->edge_count < 3 * count) {
        size_t a = era_prng_below(&prng, count), b = era_prng_below(&prng, count);
        if (a != b && !is_joined(net, a, b))
            join(net, a, b);
    }
    return net;
}

/* What is told at this time arrives, one link after the other. lost: a link whose words do not arrive. */
static size_t step(struct net *net, const struct edge *lost)
{
    struct {
        struct edge *edge;
        size_t end;
        uint8_t entry[ERA_SPREAD_ENTRY_BYTES];
    } words[2 * LINKS_MAX];
    size_t count = 0;
    for (struct edge *e = net->edges; e < net->edges + net->edge_count; e++)
        for (size_t i = 0; i < 2; i++)
            if (e->branch[i] != NULL && era_branch_take_descent(net->nodes[e->end[i]].b, net->now_ms,
                                                                e->branch[i], false, words[count].entry)) {
                words[count].edge = e;
                words[count++].end = 1 - i;
            }
    net->now_ms += STEP_MS;
    for (size_t i = 0; i < count; i++) {
        const struct edge *e = words[i].edge;
        size_t end = words[i].end;
        if (e != lost)
            (void)era_branch_order(net->nodes[e->end[end]].b, net->now_ms, e->branch[end],
                                   era_get_be64(words[i].entry), words[i].entry[8]);
    }
    net->words += count;
    return count;
}

static uint64_t due_ms(const struct net *net)
{
    uint64_t due = UINT64_MAX;
    for (const struct edge *e = net->edges; e < net->edges + net->edge_count; e++)
        for (size_t i = 0; i < 2; i++)
            if (e->branch[i] != NULL && era_branch_due_ms(e->branch[i]) < due)
                due = era_branch_due_ms(e->branch[i]);
    return due;
}

/* Until nothing is to be told. Returns how long it took. */
static uint64_t settle(struct net *net)
{
    uint64_t begun_ms = net->now_ms;
    for (uint64_t due; (due = due_ms(net)) != UINT64_MAX;) {
        net->now_ms = due > net->now_ms ? due : net->now_ms;
        (void)step(net, NULL);
        cr_assert_lt(net->now_ms - begun_ms, 60000, "it comes to rest");
    }
    return net->now_ms - begun_ms;
}

static bool has(const struct net *net, const struct edge *e, size_t i)
{
    static const struct era_key stranger = {{0xee}};
    return era_branch_is_eager(net->nodes[e->end[i]].b, e->branch[i], &stranger);
}

/* How many nodes the tree of the first node reaches; edges: how many it has in all. */
static size_t spanned(const struct net *net, size_t first, size_t *edges)
{
    bool reached[NODES_MAX] = {false};
    size_t count = 1, before = 0;
    reached[first] = true;
    while (count > before) {
        before = count;
        *edges = 0;
        for (const struct edge *e = net->edges; e < net->edges + net->edge_count; e++) {
            if (e->branch[0] == NULL || !has(net, e, 0))
                continue;
            ++*edges;
            size_t a = e->end[0], b = e->end[1];
            if (reached[a] == reached[b])
                continue;
            reached[a] = reached[b] = true;
            count++;
        }
    }
    return count;
}

static void then_a_tree_spans(const struct net *net, size_t first, size_t count)
{
    size_t edges = 0;
    for (const struct edge *e = net->edges; e < net->edges + net->edge_count; e++)
        if (e->branch[0] != NULL)
            cr_assert_eq(has(net, e, 0), has(net, e, 1), "both ends hold the same");
    cr_assert_eq(spanned(net, first, &edges), count);
    cr_assert_eq(edges, count - 1, "no edge too many");
}

Test(broadcast_reference, neighbours_agree_on_a_tree_that_spans_all)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct net *net = given_a_web(NODES_MAX, seed);
        settle(net);
        then_a_tree_spans(net, 0, NODES_MAX);
        net_free(net);
    }
}

Test(broadcast_reference, at_rest_nothing_is_told)
{
    struct net *net = given_a_web(20, 1);
    settle(net);
    net->now_ms += 3600000;
    cr_assert_eq(step(net, NULL), 0);
    net_free(net);
}

Test(broadcast_reference, it_spans_what_is_left_when_a_node_goes_the_root_too)
{
    for (size_t gone = 0; gone < 20; gone++) { /* each of them: one is the root */
        struct net *net = given_a_web(20, 7);
        settle(net);
        for (struct edge *e = net->edges; e < net->edges + net->edge_count; e++)
            if (e->end[0] == gone || e->end[1] == gone)
                part(net, e);
        cr_assert_leq(settle(net), 20000, "a root that is gone is forgotten");
        then_a_tree_spans(net, (gone + 1) % 20, 19);
        net_free(net);
    }
}

Test(broadcast_reference, parts_that_were_apart_become_one_tree)
{
    struct net *net = given_nodes(8);
    for (size_t i = 0; i < 4; i++) {
        join(net, i, (i + 1) % 4);
        join(net, 4 + i, 4 + (i + 1) % 4);
    }
    settle(net);
    join(net, 0, 4);
    join(net, 1, 6);
    settle(net);
    then_a_tree_spans(net, 0, 8);
    net_free(net);
}

Test(broadcast_reference, a_neighbour_that_comes_back_is_told_anew)
{
    struct net *net = given_nodes(2);
    struct edge *e = join(net, 0, 1);
    settle(net);
    /* One end alone begins anew. */
    era_branch_free(net->nodes[0].b, net->now_ms, e->branch[0]);
    e->branch[0] = era_branch_new(net->nodes[0].b, net->now_ms, 99, &net->nodes[1].salt);
    settle(net);
    then_a_tree_spans(net, 0, 2);
    net_free(net);
}

Test(broadcast_reference, a_place_that_changes_on_end_is_told_ever_more_seldom)
{
    struct net *net = given_nodes(3);
    join(net, 0, 1);
    join(net, 1, 2);
    settle(net);
    struct edge *e = &net->edges[0];
    net->words = 0;
    for (unsigned i = 0; i < 1000; i++) { /* ten seconds: the root that 0 tells 1 of is another each time */
        (void)era_branch_order(net->nodes[1].b, net->now_ms, e->branch[1], 1 + i % 2, ERA_ORDER_DESCENT | 3);
        (void)step(net, e);
    }
    cr_assert_leq(net->words, 3 * (10000 / 500 + 10));
    net_free(net);
}

/* ---- of one node ---- */

struct one {
    struct era_broadcast *b;
    struct era_branch *left, *right; /* links 1 and 2 */
    uint64_t now_ms;
};

/* The left one leads to root 5 by 2 links, the right one by 4. */
static struct one given_two_ways(void)
{
    static const struct era_siphash_key salt = {{7}};
    struct era_root root = era_root_of_seed(1);
    struct one o = {.b = era_broadcast_new(&root), .now_ms = 1000};
    o.left = era_branch_new(o.b, 1000, 1, &salt);
    o.right = era_branch_new(o.b, 1000, 2, &salt);
    (void)era_branch_order(o.b, 1000, o.left, 5, ERA_ORDER_DESCENT | 2);
    (void)era_branch_order(o.b, 1000, o.right, 5, ERA_ORDER_DESCENT | 4);
    return o;
}

static struct era_key key_of(uint8_t n)
{
    return (struct era_key){{n}};
}

/* Would a key never heard of be pushed there? */
static bool goes_to(const struct one *o, const struct era_branch *branch)
{
    struct era_key stranger = {{0xee}};
    return era_branch_is_eager(o->b, branch, &stranger);
}

static unsigned told(const struct one *o, struct era_branch *branch)
{
    uint8_t room[ERA_SPREAD_ENTRY_BYTES];
    return era_branch_take_descent(o->b, o->now_ms + 1000, branch, false, room) ? room[8] : 0;
}

/* An item of a key of its own is announced by the right one and comes: pushed by the left, or, when that
 * fails, as we ask. */
static void comes(struct one *o, uint8_t n, bool pushed)
{
    struct era_hash id = {{n}};
    struct era_key key = key_of(n);
    struct era_siphash_key salt = era_broadcast_salt(o->b);
    struct era_branch *from = pushed ? o->left : o->right;
    uint8_t room[8 * ERA_SPREAD_ENTRY_BYTES];
    era_branch_announced(o->b, o->now_ms, o->right, era_siphash(&salt, id.b, sizeof id.b), 0);
    if (!pushed)
        (void)era_broadcast_tick(o->b, o->now_ms + 5000);
    o->now_ms += 5100;
    era_broadcast_arrived(o->b, o->now_ms, from, &id);
    (void)era_broadcast_publish(o->b, o->now_ms, &id, 1, &key, from, ERA_SOURCE_PUSH);
    (void)era_branch_take_orders(o->left, room, 8);
    (void)era_branch_take_orders(o->right, room, 8);
    o->now_ms += 10000;
}

Test(broadcast_reference, the_parent_is_who_leads_to_the_root_by_the_fewest_links)
{
    struct one o = given_two_ways();
    cr_assert(goes_to(&o, o.left));
    cr_assert_not(goes_to(&o, o.right));
    cr_assert_eq(told(&o, o.left), ERA_ORDER_DESCENT | PARENT | 3);
    cr_assert_eq(told(&o, o.right), ERA_ORDER_DESCENT | 3);
    (void)era_branch_order(o.b, 2000, o.right, 5, ERA_ORDER_DESCENT | 1);
    cr_assert(goes_to(&o, o.right));
    era_broadcast_free(o.b);
}

Test(broadcast_reference, a_lower_root_is_followed_though_it_is_deeper)
{
    struct one o = given_two_ways();
    (void)era_branch_order(o.b, 2000, o.right, 4, ERA_ORDER_DESCENT | 20);
    cr_assert(goes_to(&o, o.right));
    cr_assert_not(goes_to(&o, o.left));
    era_broadcast_free(o.b);
}

Test(broadcast_reference, what_has_no_origin_goes_down_it)
{
    struct one o = given_two_ways();
    struct era_hash id = {{1}};
    const struct era_recent *item = era_broadcast_publish(o.b, 5000, &id, 1, NULL, NULL, ERA_SOURCE_OWN);
    cr_assert(era_branch_route(o.b, 5000, o.left, item));
    cr_assert_not(era_branch_route(o.b, 5000, o.right, item));
    era_broadcast_free(o.b);
}

Test(broadcast_reference, a_child_is_in_it_and_no_parent)
{
    struct one o = given_two_ways();
    (void)era_branch_order(o.b, 2000, o.right, 5, ERA_ORDER_DESCENT | PARENT | 4);
    cr_assert(goes_to(&o, o.left));
    cr_assert(goes_to(&o, o.right));
    era_branch_free(o.b, 3000, o.left);
    cr_assert_eq(told(&o, o.right), ERA_ORDER_DESCENT, "it is a root itself before its child is its parent");
    era_broadcast_free(o.b);
}

Test(broadcast_reference, who_asks_is_told_at_once)
{
    struct one o = given_two_ways();
    cr_assert_neq(told(&o, o.right), 0);
    cr_assert_eq(told(&o, o.right), 0, "it was told");
    (void)era_branch_order(o.b, 2000, o.right, 5, ERA_ORDER_DESCENT | ASKS | 4);
    cr_assert_neq(told(&o, o.right), 0);
    era_broadcast_free(o.b);
}

Test(broadcast_reference, what_makes_no_sense_says_nothing)
{
    struct one o = given_two_ways();
    (void)era_branch_order(o.b, 2000, o.right, 0, ERA_ORDER_DESCENT | 1);
    cr_assert(goes_to(&o, o.left), "no root");
    (void)era_branch_order(o.b, 2000, o.right, 3, ERA_ORDER_DESCENT);
    cr_assert(goes_to(&o, o.left), "another's tag without a way there");
    (void)era_branch_order(o.b, 2000, o.left, UINT64_MAX, ERA_ORDER_DESCENT | 1);
    cr_assert(goes_to(&o, o.left), "it would rather be a root itself");
    (void)era_branch_order(o.b, 2000, o.right, 4, ERA_ORDER_DESCENT | ERA_REFERENCE_DEPTH_MAX);
    cr_assert(goes_to(&o, o.left), "too deep");
    era_broadcast_free(o.b);
}

Test(broadcast_reference, R15_a_blocked_peer_is_no_parent)
{
    struct one o = given_two_ways();
    era_branch_set_lazy(o.b, 2000, o.left, true);
    cr_assert(goes_to(&o, o.right));
    era_branch_set_lazy(o.b, 3000, o.left, false);
    cr_assert(goes_to(&o, o.left));
    era_broadcast_free(o.b);
}

Test(broadcast_reference, a_parent_that_does_not_bring_what_it_should_is_left_for_a_minute)
{
    struct one o = given_two_ways();
    comes(&o, 9, true);
    for (uint8_t n = 10; n < 17; n++)
        comes(&o, n, false);
    cr_assert(goes_to(&o, o.left), "only once it is sure");
    comes(&o, 17, false);
    cr_assert(goes_to(&o, o.right));
    cr_assert_not(goes_to(&o, o.left));
    o.now_ms += 60000;
    (void)era_branch_order(o.b, o.now_ms, o.right, 5, ERA_ORDER_DESCENT | 4);
    cr_assert(goes_to(&o, o.left));
    era_broadcast_free(o.b);
}

Test(broadcast_reference, a_parent_that_brings_most_of_it_stays)
{
    struct one o = given_two_ways();
    for (uint8_t n = 10; n < 100; n++)
        comes(&o, n, n % 6 != 0);
    cr_assert(goes_to(&o, o.left));
    era_broadcast_free(o.b);
}

Test(broadcast_reference, a_parent_that_is_but_late_stays)
{
    struct one o = given_two_ways();
    for (uint8_t n = 10; n < 40; n++) {
        comes(&o, n, false);
        era_broadcast_duplicate(o.b, o.now_ms, o.left, &(struct era_hash){{n}});
    }
    cr_assert(goes_to(&o, o.left));
    era_broadcast_free(o.b);
}

Test(broadcast_reference, in_a_stream_nobody_is_doubted)
{
    struct one o = given_two_ways();
    struct era_siphash_key salt = era_broadcast_salt(o.b);
    uint8_t room[8 * ERA_SPREAD_ENTRY_BYTES];
    for (unsigned n = 10; n < 250; n++) { /* one in two the left does not bring in time */
        uint64_t at_ms = 3000 + 20 * (uint64_t)n;
        struct era_hash id = {{(uint8_t)n}};
        struct era_key key = key_of((uint8_t)n);
        bool late = n > 60 && n % 2 == 0;
        if (late)
            era_branch_announced(o.b, at_ms, o.right, era_siphash(&salt, id.b, sizeof id.b), 255);
        (void)era_broadcast_publish(o.b, at_ms, &id, 1, &key, late ? o.right : o.left,
                                    late ? ERA_SOURCE_ASKED : ERA_SOURCE_PUSH);
        (void)era_branch_take_orders(o.right, room, 8);
        cr_assert(goes_to(&o, o.left));
    }
    era_broadcast_free(o.b);
}

Test(broadcast_reference, the_parent_stays_where_another_is_as_near)
{
    struct one o = given_two_ways();
    (void)era_branch_order(o.b, 2000, o.right, 5, ERA_ORDER_DESCENT | 2);
    cr_assert(goes_to(&o, o.left));
    cr_assert_not(goes_to(&o, o.right));
    (void)era_branch_order(o.b, 3000, o.left, 5, ERA_ORDER_DESCENT | 3);
    (void)era_branch_order(o.b, 4000, o.left, 5, ERA_ORDER_DESCENT | 2);
    cr_assert(goes_to(&o, o.right), "the new one too");
    era_broadcast_free(o.b);
}

Test(broadcast_reference, the_only_way_to_the_root_stays_though_it_is_doubted)
{
    struct one o = given_two_ways();
    (void)era_branch_order(o.b, 2000, o.right, 6, ERA_ORDER_DESCENT | 1); /* of another root */
    for (uint8_t n = 10; n < 30; n++)
        comes(&o, n, false);
    cr_assert(goes_to(&o, o.left));
    era_broadcast_free(o.b);
}

Test(broadcast_reference, a_word_that_was_lost_is_told_again_with_what_is_said_later)
{
    struct one o = given_two_ways();
    uint8_t room[ERA_SPREAD_ENTRY_BYTES];
    cr_assert_neq(told(&o, o.right), 0);
    cr_assert_not(era_branch_take_descent(o.b, 11999, o.right, true, room));
    cr_assert_not(era_branch_take_descent(o.b, 12000, o.right, false, room), "it is worth no packet");
    cr_assert(era_branch_take_descent(o.b, 12000, o.right, true, room));
    cr_assert_eq(room[8], ERA_ORDER_DESCENT | 3);
    era_broadcast_free(o.b);
}
