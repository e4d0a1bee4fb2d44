/* How a statement spreads: thousands of real gossips on one random graph in
 * virtual time. A line a case: the figures, their bounds, and whether they hold:
 *   formed     what reaches all, in how many copies, and how fast against flooding on the same graph
 *   loss       the same when 1 % of the frames is lost
 *   partition  how soon the halves are equal after they were apart
 *   vanish     half of the nodes are gone at once, and nobody is told; the rest looks for new neighbours
 * Exits with 1 when one falls short. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/p2p/field.h"

#define STEP_MS       250 /* between two statements */
#define QUIET_MS      5000
#define SETTLE_MS     60000 /* in which an overlay finds its neighbours, and records of others */
#define PARTED_MS     10000
#define HEAL_MS_MAX   60000
#define VANISH_MS_MAX 240000
#define LOSS_PERMILLE 10
#define COPIES_BOUND  1.05
#define TIME_BOUND    1.15
#define LOSS_BOUND    1.25
#define ROUNDS_BOUND  10.0
#define ORIGINS_MAX   64

struct options {
    size_t nodes, degree, origins, warm, each, seed;
    const char *only; /* one case; NULL: all */
};

static bool short_of;

static const char *judged(bool good)
{
    short_of = short_of || !good;
    return good ? "holds" : "falls short";
}

static bool all_hold(const struct field *f, size_t first)
{
    for (size_t i = first; i < f->item_count; i++)
        for (size_t n = 0; n < f->node_count; n++)
            if (!f->nodes[n].dead && f->nodes[n].held_ms[i] == 0)
                return false;
    return true;
}

/* So many of each origin, the origins in turn; who vanished leaves it to the next. Returns the first. */
static size_t publish(struct field *f, const struct options *o, size_t each)
{
    size_t first = f->item_count;
    for (size_t i = 0; i < o->origins * each; i++) {
        size_t node = i % o->origins * (f->node_count / o->origins);
        while (f->nodes[node].dead)
            node = (node + 1) % f->node_count;
        field_publish(f, node);
        field_run(f, STEP_MS);
    }
    return first;
}

struct found {
    double copies, ratio, worst; /* a node; mean and worst time to all by flooding's */
    size_t whole, items;         /* reached everybody */
};

static struct found look(const struct field *f, size_t first)
{
    struct found found = {.items = f->item_count - first};
    uint64_t copies = 0, floods[ORIGINS_MAX] = {0};
    size_t sources[ORIGINS_MAX], source_count = 0, reached;
    for (size_t i = first; i < f->item_count; i++) {
        const struct field_item *item = &f->items[i];
        size_t s = 0;
        while (s < source_count && sources[s] != item->source)
            s++;
        if (s == source_count) {
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

static void print_counts(const struct field *f, const char *name)
{
    struct era_branch_counts c = field_counts(f);
    printf("{\"bench\":\"spread-messages\",\"case\":\"%s\",\"frames\":%" PRIu64 ",\"bytes\":%" PRIu64
           ",\"announced\":%" PRIu64 ",\"wants\":%" PRIu64 ",\"grafts\":%" PRIu64 ",\"prunes\":%" PRIu64
           ",\"forgotten\":%" PRIu64 "}\n",
           name, f->frames, f->bytes, c.announced_out, c.wants_out, c.grafts_out, c.prunes_out, c.forgotten);
}

static void print_head(const struct field *f, const struct options *o, const char *name)
{
    printf("{\"bench\":\"spread-%s\",\"nodes\":%zu,\"seed\":%zu,", name, f->node_count, o->seed);
}

static void print_found(const struct found *found, double copies_bound)
{
    printf("\"statements\":%zu,\"reached_all\":%zu,\"copies\":%.3f,\"copies_bound\":%.2f,\"time_ratio\":%.3f,"
           "\"time_worst\":%.3f,",
           found->items, found->whole, found->copies, copies_bound, found->ratio, found->worst);
}

static void formed(const struct options *o, struct field *f)
{
    field_run(f, QUIET_MS);
    size_t first = publish(f, o, o->each);
    field_run(f, QUIET_MS);
    struct found found = look(f, first);
    print_head(f, o, "formed");
    print_found(&found, COPIES_BOUND);
    printf("\"time_bound\":%.2f,\"result\":\"%s\"}\n", TIME_BOUND,
           judged(found.whole == found.items && found.copies <= COPIES_BOUND && found.ratio <= TIME_BOUND));
}

static void loss(const struct options *o, struct field *f)
{
    f->loss_permille = LOSS_PERMILLE;
    size_t first = publish(f, o, o->each);
    field_run(f, QUIET_MS);
    f->loss_permille = 0;
    field_run(f, 4 * QUIET_MS);
    struct found found = look(f, first);
    print_head(f, o, "loss");
    print_found(&found, LOSS_BOUND);
    printf("\"lost\":%" PRIu64 ",\"result\":\"%s\"}\n", f->lost,
           judged(found.whole == found.items && found.copies <= LOSS_BOUND));
}

static void partition(const struct options *o, struct field *f)
{
    for (size_t i = 0; i < f->node_count; i++)
        f->nodes[i].side = i / (f->node_count / o->origins / 2) % 2;
    field_part(f, true);
    size_t first = f->item_count;
    for (size_t i = 0; i < 2 * o->origins;
         i++) { /* one of each origin, and one of a node of the other side */
        field_publish(f, i * (f->node_count / o->origins / 2));
        field_run(f, STEP_MS);
    }
    field_run(f, PARTED_MS - 2 * o->origins * STEP_MS);
    bool apart = !all_hold(f, first);
    field_part(f, false);
    uint64_t began = f->now_ms;
    while (!all_hold(f, first) && f->now_ms - began < HEAL_MS_MAX)
        field_run(f, 100);
    double rounds = (double)(f->now_ms - began) / ERA_SYNC_INTERVAL_MS;
    print_head(f, o, "partition");
    printf("\"statements\":%zu,\"ms\":%" PRIu64 ",\"rounds\":%.1f,\"rounds_bound\":%.0f,\"equal\":%s,"
           "\"result\":\"%s\"}\n",
           f->item_count - first, f->now_ms - began, rounds, ROUNDS_BOUND,
           all_hold(f, first) ? "true" : "false",
           judged(apart && all_hold(f, first) && rounds <= ROUNDS_BOUND));
}

/* With an overlay: in the graph as it was, who had only neighbours that vanished could not be reached. */
static void vanish(const struct options *o)
{
    struct field *f = field_new(o->nodes, o->degree, o->seed, true);
    field_run(f, SETTLE_MS);
    (void)publish(f, o, 2);
    size_t gone = 0, source = 0, reached, first = f->item_count;
    while (gone < f->node_count / 2) {
        size_t i = era_prng_below(&f->prng, f->node_count);
        gone += !f->nodes[i].dead;
        field_vanish(f, i);
    }
    while (f->nodes[source].dead)
        source++;
    (void)field_flood_ms(f, source, &reached, NULL);
    (void)publish(f, o, 2);
    uint64_t began = f->now_ms, copies = 0;
    while (!all_hold(f, first) && f->now_ms - began < VANISH_MS_MAX)
        field_run(f, 1000);
    size_t missing = 0;
    for (size_t i = first; i < f->item_count; i++) {
        copies += f->items[i].copies;
        for (size_t n = 0; n < f->node_count; n++)
            missing += !f->nodes[n].dead && f->nodes[n].held_ms[i] == 0;
    }
    print_head(f, o, "vanish");
    printf("\"left\":%zu,\"of_one_piece\":%zu,\"statements\":%zu,\"missing\":%zu,\"missing_bound\":0,"
           "\"copies\":%.3f,\"ms\":%" PRIu64 ",\"result\":\"%s\"}\n",
           f->node_count - gone, reached, f->item_count - first, missing,
           (double)copies / (double)(f->item_count - first) / (double)(f->node_count - gone - 1),
           f->now_ms - began, judged(missing == 0));
    print_counts(f, "vanish");
    field_free(f);
}

static bool wanted(const struct options *o, const char *name)
{
    return o->only == NULL || strcmp(o->only, name) == 0;
}

/* One graph, one seed: the first statements form the trees. */
static void still_graph(const struct options *o)
{
    static const struct {
        const char *name;
        void (*run)(const struct options *o, struct field *f);
    } cases[] = {{"formed", formed}, {"loss", loss}, {"partition", partition}};
    struct field *f = field_new(o->nodes, o->degree, o->seed, false);
    (void)publish(f, o, o->warm);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (wanted(o, cases[i].name)) {
            cases[i].run(o, f);
            print_counts(f, cases[i].name);
        }
    field_free(f);
}

static bool is_case(const char *name)
{
    static const char *const names[] = {"formed", "loss", "partition", "vanish"};
    for (size_t i = 0; name != NULL && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return name == NULL;
}

static bool parse(int argc, char **argv, struct options *o)
{
    const struct {
        const char *name;
        size_t *value;
    } numbers[] = {{"--nodes", &o->nodes}, {"--degree", &o->degree}, {"--origins", &o->origins},
                   {"--warm", &o->warm},   {"--each", &o->each},     {"--seed", &o->seed}};
    for (int i = 1; i < argc; i += 2) {
        char *end = argv[i];
        size_t n = 0, count = sizeof numbers / sizeof numbers[0];
        while (n < count && strcmp(argv[i], numbers[n].name) != 0)
            n++;
        if (i + 1 == argc)
            return false;
        if (n < count)
            *numbers[n].value = strtoul(argv[i + 1], &end, 10);
        else if (strcmp(argv[i], "--case") == 0)
            o->only = argv[i + 1];
        else
            return false;
        if (n < count && (*end != '\0' || *numbers[n].value == 0))
            return false;
    }
    size_t items = o->origins * (o->warm + 2 * o->each + 2);
    return o->nodes > 4 * o->degree && o->origins <= ORIGINS_MAX && 4 * o->origins <= o->nodes &&
           items <= FIELD_ITEMS_MAX && 2 * o->origins * STEP_MS < PARTED_MS && is_case(o->only);
}

int main(int argc, char **argv)
{
    struct options o = {.nodes = 10000, .degree = 7, .origins = 8, .warm = 5, .each = 3, .seed = 1};
    if (!parse(argc, argv, &o)) {
        fprintf(stderr, "bench_spread: --nodes N --degree N --origins N (fewer than 20) --warm N --each N "
                        "(statements an origin, before and in a case) --seed N --case formed|loss|partition|"
                        "vanish\n");
        return 64;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (o.only == NULL || strcmp(o.only, "vanish") != 0)
        still_graph(&o);
    if (wanted(&o, "vanish"))
        vanish(&o);
    return short_of ? 1 : 0;
}
