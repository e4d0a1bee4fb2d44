#include "src/erasim/svg.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/erasim/svg_draw.h"

#define WIDTH         1200
#define LEFT          130 /* names */
#define RIGHT         20
#define TOP           78 /* title, epochs, faults of all */
#define PLOT          (WIDTH - LEFT - RIGHT)
#define FEW           40 /* lanes that have room */
#define TEXT_BYTES    120
#define ERAS          8 /* colours; then they come again */
#define ERAS_SHOWN    12
#define FAULTY_COLOUR "#e6e0d8"

/* A lane looks like this from here on. */
struct span {
    uint32_t column;
    bool up, has_era, faulty;
    uint64_t era;
    enum era_gate_state gate;
};

struct mark {
    uint32_t column;
    bool adopted;  /* else a fault */
    uint32_t more; /* that are merged into it */
    char text[TEXT_BYTES];
};

struct lane {
    size_t span_count, span_cap, mark_count;
    struct span *spans;
    struct mark *marks; /* SVG_MARKS_MAX, when there is one */
};

struct svg {
    struct sim *s;
    char title[TEXT_BYTES];
    uint64_t end_ms;
    uint32_t columns;
    size_t lane_count;
    struct lane *lanes; /* of each node shown; the last: of nobody */
};

/* Eras are cool colours; a gate is green while it lets events out, and warm when it does not. */
static const char *const era_colours[ERAS] = {"#1f5a93", "#7fb3e0", "#1d7a78", "#8fd1c4",
                                              "#4450a8", "#a9b0e3", "#4f6370", "#b4c3cc"};

/* By enum era_gate_state. */
static const char *const gate_colours[ERA_GATE_STATES] = {
    [ERA_GATE_FORKED] = "#000000",       [ERA_GATE_BLOCKED] = "#d62728", [ERA_GATE_MISMATCH] = "#ff5fa2",
    [ERA_GATE_CLOCK] = "#9c27b0",        [ERA_GATE_NO_ERA] = "#9e9e9e",  [ERA_GATE_STALE] = "#a9742c",
    [ERA_GATE_UPGRADE_SOON] = "#ffc533", [ERA_GATE_NOTICE] = "#b9e0a5",  [ERA_GATE_CURRENT] = "#58b368"};

/* ---- watching ---- */

static uint32_t column_of(const struct svg *v, uint64_t at_ms)
{
    uint64_t at = at_ms < v->end_ms ? at_ms : v->end_ms;
    return (uint32_t)(at * v->columns / v->end_ms);
}

static bool same(const struct span *a, const struct span *b)
{
    return a->up == b->up && a->faulty == b->faulty && a->has_era == b->has_era && a->era == b->era &&
           a->gate == b->gate;
}

static void add_span(struct svg *v, size_t lane, struct span span)
{
    struct lane *l = &v->lanes[lane];
    struct span *last = l->span_count ? &l->spans[l->span_count - 1] : NULL;
    span.column = column_of(v, v->s->now_ms);
    if (last && same(last, &span))
        return;
    if (last && last->column == span.column) { /* what is too short to be seen */
        *last = span;
        return;
    }
    if (l->span_count == l->span_cap) {
        l->span_cap = l->span_cap ? 2 * l->span_cap : 8;
        l->spans = realloc(l->spans, l->span_cap * sizeof *l->spans);
        assert(l->spans);
    }
    l->spans[l->span_count++] = span;
}

static void sample(struct svg *v, const struct sim_node *n)
{
    struct span span = {.up = true};
    struct era_view view;
    if (n->number >= v->lane_count || !n->node)
        return;
    if (n->trust == SIM_FAULTY) { /* nobody watches it any more */
        add_span(v, n->number, (struct span){.up = true, .faulty = true});
        return;
    }
    int network = era_node_network_component(n->node);
    era_node_view(n->node, network, &view);
    const struct era_entry *e = era_view_entry(&view);
    span.has_era = e != NULL;
    span.era = e ? e->record.era : 0;
    span.gate = era_node_gate(n->node, network)->state;
    add_span(v, n->number, span);
}

static void add_mark(struct svg *v, const struct sim_node *n, bool adopted, const char *text)
{
    if (n && n->number >= v->lane_count)
        return;
    struct lane *l = &v->lanes[n ? n->number : v->lane_count];
    struct mark *last = l->mark_count ? &l->marks[l->mark_count - 1] : NULL;
    uint32_t column = column_of(v, v->s->now_ms);
    if (last && last->adopted == adopted && (last->column == column || l->mark_count == SVG_MARKS_MAX)) {
        last->more++;
        return;
    }
    if (l->mark_count == SVG_MARKS_MAX)
        return;
    if (!l->marks)
        l->marks = calloc(SVG_MARKS_MAX, sizeof *l->marks);
    assert(l->marks);
    l->marks[l->mark_count] = (struct mark){.column = column, .adopted = adopted};
    snprintf(l->marks[l->mark_count].text, TEXT_BYTES, "%s", text);
    l->mark_count++;
}

static void adopted(struct svg *v, const struct sim_node *n, const struct era_hash *id)
{
    struct era_proposal *p = malloc(sizeof *p);
    char text[TEXT_BYTES] = "adopted";
    assert(p);
    if (era_ledger_proposal(era_node_ledger(n->node), id, p) && p->plan.count > 0)
        snprintf(text, sizeof text, "adopted %.30s/%" PRIu64 ": %.40s", p->slot.component, p->slot.seq,
                 p->plan.entries[p->plan.count - 1].record.version);
    add_mark(v, n, true, text);
    free(p);
}

static void stepped(void *ctx, struct sim *s, struct sim_node *n, const struct era_event *event,
                    const struct era_effect *effects, size_t count)
{
    bool looked = false;
    (void)s;
    (void)event;
    for (size_t i = 0; i < count; i++) {
        const struct era_signal *g = &effects[i].signal;
        if (effects[i].kind != ERA_EFF_SIGNAL)
            continue;
        looked = looked || g->kind == ERA_SIG_GATE || g->kind == ERA_SIG_ERA;
        if (g->kind == ERA_SIG_ADOPTED)
            adopted(ctx, n, &g->proposal);
    }
    if (looked)
        sample(ctx, n);
}

static void started(void *ctx, struct sim *s, struct sim_node *n)
{
    (void)s;
    sample(ctx, n);
}

static void stopping(void *ctx, struct sim *s, struct sim_node *n)
{
    struct svg *v = ctx;
    (void)s;
    if (n->number < v->lane_count)
        add_span(v, n->number, (struct span){.up = false});
}

static void told(void *ctx, struct sim *s, struct sim_node *n, const char *text)
{
    (void)s;
    if (strncmp(text, "fault ", 6) == 0)
        add_mark(ctx, n, false, text + 6);
}

struct svg *svg_new(struct sim *s, const char *title)
{
    struct svg *v = calloc(1, sizeof *v);
    assert(v);
    v->s = s;
    snprintf(v->title, sizeof v->title, "%s", title);
    v->end_ms = s->plan.epochs * s->plan.epoch_ms;
    if (v->end_ms == 0)
        v->end_ms = 1;
    v->lane_count = s->node_count < SVG_LANES_MAX ? s->node_count : SVG_LANES_MAX;
    v->columns = v->lane_count <= FEW ? PLOT : PLOT / 4;
    v->lanes = calloc(v->lane_count + 1, sizeof *v->lanes);
    assert(v->lanes);
    sim_watch(s, (struct sim_watch){
                     .ctx = v, .stepped = stepped, .started = started, .stopping = stopping, .told = told});
    return v;
}

void svg_free(struct svg *v)
{
    for (size_t i = 0; v && i <= v->lane_count; i++) {
        free(v->lanes[i].spans);
        free(v->lanes[i].marks);
    }
    if (v)
        free(v->lanes);
    free(v);
}

/* ---- writing ---- */

/* In tenths of a pixel, so that no floating point is printed. */
static uint64_t x10(const struct svg *v, uint32_t column)
{
    return LEFT * 10 + (uint64_t)column * PLOT * 10 / v->columns;
}

static void number(FILE *out, const char *before, uint64_t tenths, const char *after)
{
    fputs(before, out);
    svg_tenths(out, (int64_t)tenths);
    fputs(after, out);
}

static int lane_height(const struct svg *v)
{
    return v->lane_count <= FEW ? 28 : v->lane_count <= 100 ? 14 : 8;
}

/* Of a lane, from its top: faults, the era, the gate, and a gap. */
static int fault_height(const struct svg *v)
{
    return lane_height(v) / 4;
}

static int era_height(const struct svg *v)
{
    return lane_height(v) / 2 - 2;
}

static int gate_height(const struct svg *v)
{
    return lane_height(v) / 4;
}

static int lane_y(const struct svg *v, size_t lane)
{
    return TOP + (int)lane * lane_height(v);
}

static void box(const struct svg *v, FILE *out, uint32_t from, uint32_t to, int y, int height,
                const char *colour)
{
    uint64_t x = x10(v, from);
    number(out, "<rect x=\"", x, "\"");
    number(out, " width=\"", x10(v, to) - x, "\"");
    fprintf(out, " y=\"%d\" height=\"%d\" fill=\"%s\"/>\n", y, height, colour);
}

/* Era above, gate below. Down: a thin line. */
static void write_spans(const struct svg *v, FILE *out, size_t lane)
{
    const struct lane *l = &v->lanes[lane];
    int y = lane_y(v, lane) + fault_height(v), h = era_height(v), gate_h = gate_height(v);
    uint32_t now = column_of(v, v->s->now_ms);
    for (size_t i = 0; i < l->span_count; i++) {
        const struct span *s = &l->spans[i];
        uint32_t to = i + 1 < l->span_count ? l->spans[i + 1].column : now;
        if (!s->up) {
            box(v, out, s->column, to, y + h / 2, 1, "#999999");
            continue;
        }
        if (s->faulty) {
            box(v, out, s->column, to, y, h + gate_h, FAULTY_COLOUR);
            continue;
        }
        box(v, out, s->column, to, y, h, s->has_era ? era_colours[(s->era + ERAS - 1) % ERAS] : "#eeeeee");
        box(v, out, s->column, to, y + h, gate_h, gate_colours[s->gate]);
    }
}

static void write_marks(const struct svg *v, FILE *out, size_t lane, int y)
{
    const struct lane *l = &v->lanes[lane];
    bool crowded = l->mark_count > 40 || v->lane_count > FEW;
    for (size_t i = 0; i < l->mark_count; i++) {
        const struct mark *m = &l->marks[i];
        uint64_t x = x10(v, m->column);
        if (m->adopted) {
            number(out, "<circle class=\"a\" cx=\"", x, "\"");
            fprintf(out, " cy=\"%d\" r=\"%d\"><title>", y + fault_height(v) + era_height(v) / 2,
                    crowded ? 2 : 4);
        } else {
            number(out, "<path class=\"f\" d=\"M", x, "");
            fprintf(out, " %dv%d\"><title>", y, fault_height(v) - 1);
        }
        svg_escape(out, m->text);
        if (m->more)
            fprintf(out, " (and %" PRIu32 " more)", m->more);
        fputs("</title></", out);
        fputs(m->adopted ? "circle>\n" : "path>\n", out);
    }
}

/* Every so many epochs that the numbers have room. */
static void write_grid(const struct svg *v, FILE *out)
{
    static const uint64_t steps[] = {1, 2, 5};
    uint64_t epochs = v->s->plan.epochs, step = 1, scale = 1;
    for (size_t i = 0; step * PLOT < 36 * epochs; i++) {
        if (i % 3 == 0 && i > 0)
            scale *= 10;
        step = steps[i % 3] * scale;
    }
    int bottom = lane_y(v, v->lane_count);
    for (uint64_t e = 0; e <= epochs; e += step) {
        uint64_t x = LEFT * 10 + e * v->s->plan.epoch_ms * PLOT * 10 / v->end_ms;
        number(out, "<path class=\"g\" d=\"M", x, "");
        fprintf(out, " %dV%d\"/>\n", TOP - 26, bottom);
        number(out, "<text class=\"s\" text-anchor=\"middle\" x=\"", x, "\"");
        fprintf(out, " y=\"%d\">%" PRIu64 "</text>\n", TOP - 30, e);
    }
}

static void swatch(FILE *out, int *x, int y, const char *colour, const char *text)
{
    fprintf(out, "<rect x=\"%d\" y=\"%d\" width=\"14\" height=\"10\" fill=\"%s\"/>", *x, y - 9, colour);
    fprintf(out, "<text class=\"s\" x=\"%d\" y=\"%d\">%s</text>\n", *x + 18, y, text);
    *x += 34 + 7 * (int)strlen(text);
}

static uint64_t eras_seen(const struct svg *v)
{
    uint64_t highest = 1;
    for (size_t i = 0; i < v->lane_count; i++)
        for (size_t j = 0; j < v->lanes[i].span_count; j++)
            if (v->lanes[i].spans[j].era > highest)
                highest = v->lanes[i].spans[j].era;
    return highest;
}

static void write_legend(const struct svg *v, FILE *out, int y)
{
    uint64_t eras = eras_seen(v);
    int x = LEFT;
    char text[32];
    fprintf(out, "<text class=\"s\" x=\"8\" y=\"%d\">above: the era</text>\n", y);
    for (uint64_t e = 1; e <= eras && e <= ERAS_SHOWN; e++) {
        snprintf(text, sizeof text, "era %" PRIu64 "%s", e, e == ERAS_SHOWN && eras > e ? " …" : "");
        swatch(out, &x, y, era_colours[(e - 1) % ERAS], text);
    }
    x = LEFT;
    y += 20;
    fprintf(out, "<text class=\"s\" x=\"8\" y=\"%d\">below: the gate</text>\n", y);
    for (size_t i = ERA_GATE_STATES; i > 0; i--)
        swatch(out, &x, y, gate_colours[i - 1], era_gate_name((enum era_gate_state)(i - 1)));
    y += 20;
    fprintf(out, "<circle class=\"a\" cx=\"%d\" cy=\"%d\" r=\"4\"/>", LEFT + 6, y - 4);
    fprintf(out, "<text class=\"s\" x=\"%d\" y=\"%d\">a proposal adopted</text>\n", LEFT + 16, y);
    fprintf(out, "<path class=\"f\" d=\"M%d %dv9\"/>", LEFT + 150, y - 9);
    fprintf(out, "<text class=\"s\" x=\"%d\" y=\"%d\">a fault</text>\n", LEFT + 158, y);
    fprintf(out, "<path stroke=\"#999999\" d=\"M%d %dh20\"/>", LEFT + 220, y - 4);
    fprintf(out, "<text class=\"s\" x=\"%d\" y=\"%d\">down</text>\n", LEFT + 246, y);
    x = LEFT + 300;
    swatch(out, &x, y, FAULTY_COLOUR, "faulty, no longer watched");
    if (v->s->node_count > v->lane_count)
        fprintf(out, "<text class=\"s\" x=\"%d\" y=\"%d\">and %zu more nodes, not shown</text>\n", x, y,
                v->s->node_count - v->lane_count);
}

static void write_break(const struct svg *v, FILE *out)
{
    uint64_t x = x10(v, column_of(v, v->s->break_ms));
    if (!v->s->broken)
        return;
    number(out, "<path class=\"b\" d=\"M", x, "");
    fprintf(out, " %dV%d\"><title>", TOP - 26, lane_y(v, v->lane_count));
    svg_escape(out, v->s->break_text);
    fputs("</title></path>\n", out);
    number(out, "<text class=\"b\" text-anchor=\"end\" x=\"", x - 40, "\"");
    fprintf(out, " y=\"%d\">%s is broken here</text>\n", TOP - 12, v->s->break_rule);
}

void svg_write(const struct svg *v, FILE *out)
{
    int bottom = lane_y(v, v->lane_count), height = bottom + 76, h = lane_height(v);
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n"
            "<style>text{font:13px sans-serif;fill:#222}.s{font-size:11px}.t{font-weight:bold;font-size:15px}"
            ".g{stroke:#d8d8d8;fill:none}.f{stroke:#444;stroke-width:1.2;fill:none}"
            ".a{fill:#fff;stroke:#111;stroke-width:1.2}.b{stroke:#d00000;stroke-width:2;fill:none}"
            "text.b{stroke:none;fill:#d00000}</style>\n"
            "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n<text class=\"t\" x=\"8\" y=\"22\">",
            WIDTH, height, WIDTH, height, WIDTH, height);
    svg_escape(out, v->title);
    fprintf(out, "</text>\n<text class=\"s\" x=\"8\" y=\"%d\">epoch</text>\n", TOP - 30);
    fprintf(out, "<text class=\"s\" x=\"8\" y=\"%d\">faults of all</text>\n", TOP - 12);
    write_grid(v, out);
    write_marks(v, out, v->lane_count, TOP - 18);
    for (size_t i = 0; i < v->lane_count; i++) {
        int size = h > 12 ? 12 : h - 1;
        fprintf(out, "<text x=\"8\" y=\"%d\" style=\"font-size:%dpx\">", lane_y(v, i) + h * 2 / 3, size);
        svg_escape(out, v->s->nodes[i].name);
        fputs("</text>\n", out);
        write_spans(v, out, i);
        write_marks(v, out, i, lane_y(v, i));
    }
    write_break(v, out);
    write_legend(v, out, bottom + 24);
    fputs("</svg>\n", out);
}
