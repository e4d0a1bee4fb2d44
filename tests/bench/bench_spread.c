/* How a statement spreads: thousands of real gossips on one random graph in
 * virtual time. Prints, a line a case: payload copies a node, the time to all
 * against flooding's on the same graph, and whether everybody got everything;
 * in peace, at a loss of 1 %, after a partition, and after half the nodes have
 * vanished at once. Exits with 1 when a goal is missed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/p2p/field.h"

#define STEP_MS     250 /* between two statements */
#define QUIET_MS    5000
#define PARTED_MS   10000
#define HEAL_MS_MAX 60000
#define COPIES_GOAL 1.05
#define TIME_GOAL   1.15
#define LOSS_GOAL   1.25
#define ROUNDS_GOAL 10

struct options {
    size_t nodes, degree, origins, each, warm;
    uint64_t seed;
};

static bool missed;

static const char *judged(bool good)
{
    missed = missed || !good;
    return good ? "met" : "MISSED";
}

/* `count` statements, the origins in turn; then quiet. Returns the first. */
static size_t publish(struct field *f, const struct options *o, size_t count)
{
    size_t first = f->item_count;
    for (size_t i = 0; i < count; i++) {
        size_t node = i % o->origins * (f->node_count / o->origins);
        while (f->nodes[node].dead)
            node = (node + 1) % f->node_count;
        field_publish(f, node);
        field_run(f, STEP_MS);
    }
    field_run(f, QUIET_MS);
    return first;
}

struct found {
    double copies, ratio, worst; /* mean and worst time to all by flooding's */
    size_t whole, items;         /* reached everybody */
};

static struct found look(const struct field *f, size_t first, size_t end)
{
    struct found found = {.items = end - first};
    uint64_t copies = 0, floods[64] = {0};
    size_t sources[64], source_count = 0, reached;
    for (size_t i = first; i < end; i++) {
        const struct field_item *item = &f->items[i];
        size_t s = 0;
        while (s < source_count && sources[s] != item->source)
            s++;
        if (s == source_count && s < 64) {
            sources[source_count++] = item->source;
            floods[s] = field_flood_ms(f, item->source, &reached, NULL);
        }
        double ratio = (double)(item->last_ms - item->born_ms) / (double)floods[s];
        copies += item->copies;
        found.whole += item->holders == f->node_count;
        found.ratio += ratio / (double)found.items;
        found.worst = ratio > found.worst ? ratio : found.worst;
    }
    found.copies = (double)copies / (double)found.items / (double)(f->node_count - 1);
    return found;
}

static void print_counts(const struct field *f, const char *when)
{
    struct era_branch_counts c = field_counts(f);
    printf("{\"bench\":\"spread-messages\",\"after\":\"%s\",\"frames\":%" PRIu64 ",\"bytes\":%" PRIu64
           ",\"announced\":%" PRIu64 ",\"wants\":%" PRIu64 ",\"grafts\":%" PRIu64 ",\"prunes\":%" PRIu64
           ",\"forgotten\":%" PRIu64 "}\n",
           when, f->frames, f->bytes, c.announced_out, c.wants_out, c.grafts_out, c.prunes_out, c.forgotten);
}

static void print_found(const char *name, const struct found *found, const char *copies, const char *time,
                        const char *whole)
{
    printf("{\"bench\":\"%s\",\"statements\":%zu,\"copies\":%.3f,\"copies_goal\":\"%s\",\"time_ratio\":%.3f,"
           "\"time_worst\":%.3f,\"time_goal\":\"%s\",\"reached_all\":%zu,\"reach_goal\":\"%s\"}\n",
           name, found->items, found->copies, copies, found->ratio, found->worst, time, found->whole, whole);
}

/* One graph, one seed: the first statements of all form the trees. */
static void peace(struct field *f, const struct options *o)
{
    size_t begun = publish(f, o, 1), first = publish(f, o, o->origins * o->each);
    struct found start = look(f, begun, first), all = look(f, first, f->item_count),
                 warm = look(f, first + o->origins * o->warm, f->item_count);
    print_found("spread-first-statement", &start, "none", "none", judged(start.whole == start.items));
    print_found("spread-all", &all, judged(all.copies <= COPIES_GOAL), "none",
                judged(all.whole == all.items));
    print_found("spread-formed", &warm, judged(warm.copies <= COPIES_GOAL), judged(warm.ratio <= TIME_GOAL),
                judged(warm.whole == warm.items));
    print_counts(f, "peace");
}

static void loss(struct field *f, const struct options *o)
{
    f->loss_permille = 10;
    size_t first = publish(f, o, o->origins * o->warm);
    f->loss_permille = 0;
    field_run(f, 4 * QUIET_MS);
    struct found lossy = look(f, first, f->item_count);
    print_found("spread-loss-1-percent", &lossy, judged(lossy.copies <= LOSS_GOAL), "none",
                judged(lossy.whole == lossy.items));
    print_counts(f, "loss");
}

static bool all_hold(const struct field *f, size_t first)
{
    for (size_t i = first; i < f->item_count; i++)
        if (f->items[i].holders < f->node_count)
            return false;
    return true;
}

static void partition(struct field *f, const struct options *o)
{
    for (size_t i = 0; i < f->node_count; i++)
        f->nodes[i].side = i % 2;
    field_part(f, true);
    size_t first = f->item_count;
    for (size_t i = 0; i < 2 * o->origins; i++) {
        field_publish(f, i % o->origins * (f->node_count / o->origins) + i / o->origins);
        field_run(f, STEP_MS);
    }
    field_run(f, PARTED_MS);
    field_part(f, false);
    uint64_t began = f->now_ms;
    while (!all_hold(f, first) && f->now_ms - began < HEAL_MS_MAX)
        field_run(f, 100);
    uint64_t ms = f->now_ms - began;
    double rounds = (double)ms / ERA_SYNC_INTERVAL_MS;
    printf("{\"bench\":\"spread-partition-heals\",\"statements\":%zu,\"ms\":%" PRIu64
           ",\"rounds\":%.1f,\"equal\":%s,\"goal\":\"%s\"}\n",
           f->item_count - first, ms, rounds, all_hold(f, first) ? "true" : "false",
           judged(all_hold(f, first) && rounds <= ROUNDS_GOAL));
    field_run(f, QUIET_MS);
}

/* Half of all vanish without a word; what is published then reaches the rest that is still connected. */
static void vanish(struct field *f, const struct options *o)
{
    size_t gone = 0, living, first, missing = 0, node = 0;
    while (gone < f->node_count / 2) {
        size_t i = era_prng_below(&f->prng, f->node_count);
        gone += !f->nodes[i].dead;
        field_vanish(f, i);
    }
    bool *in = calloc(f->node_count, sizeof *in);
    while (f->nodes[node].dead ||
           (field_flood_ms(f, node, &living, in), living < (f->node_count - gone) / 2)) {
        memset(in, 0, f->node_count * sizeof *in);
        node++;
    }
    first = f->item_count;
    uint64_t copies = 0;
    for (size_t i = 0; i < o->origins * o->warm; i++) {
        size_t source = i % o->origins * (f->node_count / o->origins);
        while (!in[source])
            source = (source + 1) % f->node_count;
        field_publish(f, source);
        field_run(f, STEP_MS);
    }
    field_run(f, 4 * QUIET_MS);
    for (size_t i = first; i < f->item_count; i++) {
        copies += f->items[i].copies;
        for (size_t n = 0; n < f->node_count; n++)
            missing += in[n] && !f->nodes[n].held[i];
    }
    printf(
        "{\"bench\":\"spread-half-vanish\",\"left\":%zu,\"connected\":%zu,\"statements\":%zu,\"copies\":%.3f,"
        "\"missing\":%zu,\"last_ms\":%" PRIu64 ",\"goal\":\"%s\"}\n",
        f->node_count - gone, living, f->item_count - first,
        (double)copies / (double)(f->item_count - first) / (double)(living - 1), missing,
        f->items[f->item_count - 1].last_ms - f->items[f->item_count - 1].born_ms, judged(missing == 0));
    print_counts(f, "vanish");
    free(in);
}

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i += 2) {
        char *end;
        unsigned long value = i + 1 < argc ? strtoul(argv[i + 1], &end, 10) : 0;
        if (i + 1 == argc || *end != '\0' || value == 0)
            return false;
        if (strcmp(argv[i], "--nodes") == 0)
            o->nodes = value;
        else if (strcmp(argv[i], "--degree") == 0)
            o->degree = value;
        else if (strcmp(argv[i], "--origins") == 0)
            o->origins = value;
        else if (strcmp(argv[i], "--each") == 0)
            o->each = value;
        else if (strcmp(argv[i], "--seed") == 0)
            o->seed = value;
        else
            return false;
    }
    return o->nodes > 2 * o->degree && o->origins <= 64 && o->origins <= o->nodes / 2 && o->each > o->warm &&
           o->origins * (o->each + 2 * o->warm + 2) < FIELD_ITEMS_MAX;
}

int main(int argc, char **argv)
{
    struct options o = {.nodes = 10000, .degree = 7, .origins = 8, .each = 24, .warm = 8, .seed = 1};
    if (!parse(argc, argv, &o)) {
        fprintf(stderr, "bench_spread: --nodes N --degree N --origins N (at most 64) --each N (statements an "
                        "origin, more than 8) --seed N\n");
        return 64;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct field *f = field_new(o.nodes, o.degree, o.seed);
    peace(f, &o);
    loss(f, &o);
    partition(f, &o);
    vanish(f, &o);
    field_free(f);
    return missed ? 1 : 0;
}
