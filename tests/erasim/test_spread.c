#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/erasim/spread.h"

struct picture {
    struct sim *s;
    struct spread *spread;
    struct spread_counts count;
    char *text;
};

/* A run from its seed, without faults unless they are named; released by the caller. */
static struct picture given_run(uint64_t seed, size_t nodes, uint64_t epochs, sim_faults_t faults)
{
    struct sim_plan plan = sim_plan_from_seed(seed, nodes, epochs, faults);
    struct picture p = {0};
    const char *why;
    size_t size;
    p.s = sim_new(&plan, &why);
    cr_assert_not_null(p.s);
    p.spread = spread_new(p.s);
    sim_run(p.s);
    cr_assert(!p.s->broken);
    p.count = spread_count(p.spread);
    FILE *out = open_memstream(&p.text, &size);
    spread_write(p.spread, "a <title> & more", out);
    fclose(out);
    return p;
}

static void release(struct picture *p)
{
    spread_free(p->spread);
    sim_free(p->s);
    free(p->text);
}

static size_t times(const char *text, const char *word)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
        count++;
    return count;
}

/* Edges that brought a first copy; and none of them comes before its sender had it. */
static size_t tree_edges(const struct spread *v)
{
    size_t count = 0;
    for (size_t to = 0; to < v->node_count; to++)
        for (size_t i = 0; i < v->nodes[to].edge_count; i++) {
            const struct spread_edge *e = &v->nodes[to].edges[i];
            count += e->first;
            if (e->copies > 0)
                cr_assert_gt(e->at_ms, v->nodes[e->from].at_ms);
            if (e->first) {
                cr_assert_eq(v->nodes[to].from, e->from);
                cr_assert_eq(v->nodes[to].at_ms, e->at_ms);
                cr_assert_eq(v->nodes[to].hops, v->nodes[e->from].hops + 1);
            }
        }
    return count;
}

Test(spread, every_copy_is_the_first_or_a_duplicate)
{
    struct picture p = given_run(3, 24, 6, 0);
    cr_assert_eq(p.count.nodes, 24);
    cr_assert_eq(p.count.reached, 24);
    cr_assert_eq(p.count.copies, 23 + p.count.duplicates);
    cr_assert_eq(p.count.foreign, 0);
    cr_assert_eq(tree_edges(p.spread), 23);
    cr_assert_gt(p.count.announced, 0);
    cr_assert_gt(p.count.lazy, 0);
    cr_assert_geq(p.count.eager, 23);
    cr_assert_leq(p.count.eager, 23 + p.count.duplicates);
    release(&p);
}

Test(spread, the_picture_has_a_line_for_every_edge)
{
    struct picture p = given_run(3, 24, 6, 0);
    cr_assert_eq(times(p.text, "<path class=\"eager\" d=\"M ") +
                     times(p.text, "<path class=\"eager asked\" d=\"M "),
                 23);
    cr_assert_eq(times(p.text, "<path class=\"lazy\" d=\"M "), p.count.lazy);
    cr_assert_eq(times(p.text, "<circle class=\"validator\" cx=") +
                     times(p.text, "<circle class=\"relay\" cx="),
                 23 + 2); /* and two in the legend */
    cr_assert_not_null(strstr(p.text, "a &lt;title&gt; &amp; more"));
    cr_assert_not_null(strstr(p.text, "<desc id=\"desc\">A tree around its author: 24 of 24 nodes"));
    cr_assert_eq(times(p.text, "<text"), times(p.text, "</text>"));
    release(&p);
}

Test(spread, one_seed_gives_one_picture)
{
    struct picture once = given_run(5, 12, 6, 0), again = given_run(5, 12, 6, 0);
    cr_assert_str_eq(once.text, again.text);
    release(&once);
    release(&again);
}

Test(spread, who_was_not_reached_is_named)
{
    struct sim_plan plan = sim_plan_from_seed(3, 12, 6, 0);
    const char *why;
    char *text;
    size_t size;
    struct sim *s = sim_new(&plan, &why);
    struct spread *v = spread_new(s);
    for (size_t i = 0; i < s->node_count; i++)
        sim_start(s, &s->nodes[i]);
    while (sim_advance(s, 3 * plan.epoch_ms - 10000))
        ;
    struct sim_node *last = &s->nodes[11];
    sim_lose_power(s, last);
    while (sim_advance(s, 6 * plan.epoch_ms))
        ;
    struct spread_counts c = spread_count(v);
    FILE *out = open_memstream(&text, &size);
    spread_write(v, "", out);
    fclose(out);
    cr_assert_eq(c.reached, 11);
    cr_assert_eq(c.copies, 10 + c.duplicates);
    cr_assert_not_null(strstr(text, "not reached: 1 ("));
    cr_assert_not_null(strstr(text, last->name));
    free(text);
    spread_free(v);
    sim_free(s);
}

Test(spread, who_comes_long_after_the_others_stands_outside)
{
    struct sim_plan plan = sim_plan_from_seed(3, 12, 6, 0);
    const char *why;
    char *text;
    size_t size;
    struct sim *s = sim_new(&plan, &why);
    struct spread *v = spread_new(s);
    for (size_t i = 0; i < s->node_count; i++)
        sim_start(s, &s->nodes[i]);
    while (sim_advance(s, 3 * plan.epoch_ms - 10000))
        ;
    sim_side(s, 11, 1);
    while (sim_advance(s, 3 * plan.epoch_ms + 10000)) /* before its author's next one takes its place */
        ;
    sim_heal_all(s);
    while (sim_advance(s, 6 * plan.epoch_ms))
        ;
    FILE *out = open_memstream(&text, &size);
    spread_write(v, "", out);
    fclose(out);
    cr_assert_eq(spread_count(v).reached, 12);
    cr_assert_not_null(strstr(text, ">1 later</text>"));
    free(text);
    spread_free(v);
    sim_free(s);
}

Test(spread, a_run_without_a_statement_says_so)
{
    struct sim_plan plan = sim_plan_from_seed(3, 8, 6, 0);
    const char *why;
    char *text;
    size_t size;
    struct sim *s = sim_new(&plan, &why);
    struct spread *v = spread_new(s);
    FILE *out = open_memstream(&text, &size);
    spread_write(v, "", out);
    fclose(out);
    cr_assert_not_null(strstr(text, "No node made a statement"));
    free(text);
    spread_free(v);
    sim_free(s);
}
