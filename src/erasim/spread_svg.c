/* The picture of a spread: the author in the middle, every node as far from it as the statement took to come
 * there, and in the direction of the subtree that it was reached in. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/erasim/spread.h"
#include "src/erasim/svg_draw.h"

#define FEW         60   /* nodes with room for a name and a time each */
#define TOP         3600 /* of a turn: left to the words at the rings */
#define INNER       300  /* the author's room, tenths */
#define PANEL_WIDTH 280  /* pixels: words beside the tree */
#define CURVE       340  /* pixels high */
#define RINGS_MAX   6
#define LATE_FACTOR 3 /* see axis_end */

/* How large all is: pixels, but for the radii of the last ring and of whoever came later, in tenths. */
struct sheet {
    int width, height, middle_x, middle_y;
    int64_t outer, late;
    const char *name_size, *line, *lazy_line;
    int64_t dot, gap; /* tenths: of a node, and from it to its name */
};

static const struct sheet few = {1360, 1060, 520, 550, 3600, 3850, "11px", "2", "1", 50, 85};
static const struct sheet many = {1600, 1290, 630, 670, 5300, 5650, "7px", "1.5", ".7", 32, 50};

static const struct sheet *sheet_of(const struct spread *v)
{
    return v->node_count <= FEW ? &few : &many;
}

/* Okabe and Ito's colours, told apart by all eyes; lines differ in kind too. */
#define EAGER "#0072b2"
#define AGAIN "#d55e00"
#define ASKED "#009e73"
#define LAZY  "#757575"

struct layout {
    const struct sheet *sheet;
    size_t count;
    size_t *order; /* reached nodes, by time: parents before children */
    int64_t *angle;
    uint64_t *weight; /* of each node's subtree */
    size_t *children;
    uint64_t axis_ms; /* at the last ring */
    uint64_t step_ms;
};

/* ---- where nodes stand ---- */

static const struct spread *sorted; /* of qsort alone */

static int by_arrival(const void *a, const void *b)
{
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    const struct spread_node *x = &sorted->nodes[i], *y = &sorted->nodes[j];
    bool first = i == sorted->origin, second = j == sorted->origin;
    if (first != second)
        return first ? -1 : 1;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    if (x->hops != y->hops)
        return x->hops < y->hops ? -1 : 1;
    return i < j ? -1 : i > j;
}

/* What no node brought hangs on the author, without a line. */
static size_t parent_of(const struct spread *v, size_t node)
{
    size_t from = v->nodes[node].from;
    return node == v->origin ? SPREAD_NONE : from == SPREAD_NONE ? v->origin : from;
}

/* Where the last ring must be: of the later half, whoever took many times as long as the one before is late,
 * and so are all after it. */
static uint64_t axis_end(const struct spread *v, const struct layout *l)
{
    size_t i = l->count / 2;
    for (; i + 1 < l->count; i++)
        if (v->nodes[l->order[i + 1]].at_ms > LATE_FACTOR * v->nodes[l->order[i]].at_ms)
            break;
    return v->nodes[l->order[i < l->count ? i : l->count - 1]].at_ms;
}

static void choose_axis(const struct spread *v, struct layout *l)
{
    static const uint64_t steps[] = {1, 2, 5};
    uint64_t end = axis_end(v, l), scale = 1;
    for (size_t i = 0;; i++) {
        if (i > 0 && i % 3 == 0)
            scale *= 10;
        l->step_ms = steps[i % 3] * scale;
        if (l->step_ms * RINGS_MAX >= end)
            break;
    }
    l->axis_ms = (end + l->step_ms - 1) / l->step_ms * l->step_ms;
    if (l->axis_ms == 0)
        l->axis_ms = l->step_ms;
}

static int64_t radius_of(const struct layout *l, uint64_t at_ms)
{
    if (at_ms > l->axis_ms)
        return l->sheet->late;
    return INNER + (int64_t)(at_ms * (uint64_t)(l->sheet->outer - INNER) / l->axis_ms);
}

/* Weights of subtrees: one for each node. */
static void weigh(const struct spread *v, struct layout *l)
{
    for (size_t i = l->count; i-- > 0;) {
        size_t at = l->order[i], up = parent_of(v, at);
        l->weight[at]++;
        if (up != SPREAD_NONE) {
            l->weight[up] += l->weight[at];
            l->children[up]++;
        }
    }
}

/* Every node has a part of the circle of its own, amid those of its subtree: so no name covers another. */
static void turn(const struct spread *v, struct layout *l)
{
    uint64_t *next = calloc(v->node_count + 1, sizeof *next); /* part of the circle not yet given away */
    size_t *given = calloc(v->node_count + 1, sizeof *given);
    uint64_t *own = calloc(v->node_count + 1, sizeof *own);
    assert(next && given && own);
    for (size_t i = 0; i < l->count; i++) {
        size_t at = l->order[i], up = parent_of(v, at);
        if (up != SPREAD_NONE) {
            next[at] = next[up];
            next[up] += l->weight[at];
            if (++given[up] == (l->children[up] + 1) / 2)
                own[up] = next[up]++;
        }
        if (l->children[at] == 0)
            own[at] = next[at];
    }
    for (size_t i = 0; i < l->count; i++)
        l->angle[l->order[i]] =
            TOP / 2 + (int64_t)((2 * own[l->order[i]] + 1) * (SVG_TURN - TOP) / (2 * l->count));
    free(next);
    free(given);
    free(own);
}

static struct layout *layout_new(const struct spread *v)
{
    struct layout *l = calloc(1, sizeof *l);
    assert(l);
    l->sheet = sheet_of(v);
    l->order = calloc(v->node_count + 1, sizeof *l->order);
    l->angle = calloc(v->node_count + 1, sizeof *l->angle);
    l->weight = calloc(v->node_count + 1, sizeof *l->weight);
    l->children = calloc(v->node_count + 1, sizeof *l->children);
    assert(l->order && l->angle && l->weight && l->children);
    for (size_t i = 0; i < v->node_count; i++)
        if (v->nodes[i].reached)
            l->order[l->count++] = i;
    sorted = v;
    qsort(l->order, l->count, sizeof *l->order, by_arrival);
    weigh(v, l);
    turn(v, l);
    choose_axis(v, l);
    return l;
}

static void layout_free(struct layout *l)
{
    free(l->order);
    free(l->angle);
    free(l->weight);
    free(l->children);
    free(l);
}

static struct svg_point polar(const struct layout *l, int64_t angle, int64_t radius)
{
    struct svg_point middle = {10 * l->sheet->middle_x, 10 * l->sheet->middle_y};
    return svg_polar(middle, angle, radius);
}

static struct svg_point place_of(const struct spread *v, const struct layout *l, size_t node)
{
    return node == v->origin ? polar(l, 0, 0) : polar(l, l->angle[node], radius_of(l, v->nodes[node].at_ms));
}

static void tenths(FILE *out, const char *name, int64_t value)
{
    fprintf(out, " %s=\"", name);
    svg_tenths(out, value);
    fputc('"', out);
}

/* ---- rings ---- */

static void write_rings(const struct spread *v, const struct layout *l, FILE *out)
{
    for (uint64_t ms = l->step_ms; ms <= l->axis_ms; ms += l->step_ms) {
        fputs("<circle class=\"ring\"", out);
        tenths(out, "cx", 10 * l->sheet->middle_x);
        tenths(out, "cy", 10 * l->sheet->middle_y);
        tenths(out, "r", radius_of(l, ms));
        fputs("/>\n", out);
    }
    if (v->nodes[l->order[l->count - 1]].at_ms > l->axis_ms) {
        fputs("<circle class=\"ring late\"", out);
        tenths(out, "cx", 10 * l->sheet->middle_x);
        tenths(out, "cy", 10 * l->sheet->middle_y);
        tenths(out, "r", l->sheet->late);
        fputs("/>\n", out);
    }
}

/* Above what is drawn over the rings. */
static void write_ring_labels(const struct spread *v, const struct layout *l, FILE *out)
{
    for (uint64_t ms = l->step_ms; ms <= l->axis_ms; ms += l->step_ms) {
        fputs("<text class=\"ms halo\" text-anchor=\"middle\"", out);
        tenths(out, "x", 10 * l->sheet->middle_x);
        tenths(out, "y", 10 * l->sheet->middle_y - radius_of(l, ms) + 35);
        fprintf(out, ">%" PRIu64 " ms</text>\n", ms);
    }
    if (v->nodes[l->order[l->count - 1]].at_ms > l->axis_ms) {
        fputs("<text class=\"ms halo\" text-anchor=\"middle\"", out);
        tenths(out, "x", 10 * l->sheet->middle_x);
        tenths(out, "y", 10 * l->sheet->middle_y - l->sheet->late - 20);
        fputs(">later</text>\n", out);
    }
}

/* ---- edges ---- */

static const char *name_of(const struct spread *v, size_t node)
{
    return v->s->nodes[node].name;
}

static void write_title(const struct spread *v, const struct spread_edge *e, size_t to, FILE *out)
{
    fputs("<title>", out);
    svg_escape(out, name_of(v, e->from));
    fputs(" to ", out);
    svg_escape(out, name_of(v, to));
    fprintf(out, ", %" PRIu64 " ms: ", e->at_ms);
    if (e->copies > 0)
        fprintf(out, "%s%s", e->first ? "the first copy" : "a copy of what it had",
                e->asked ? ", asked for" : "");
    else
        fputs("short id only", out);
    fputs("</title>", out);
}

/* Out of its ray at once, where the name stands, and into the other's. */
static void write_branch(const struct spread *v, const struct layout *l, const struct spread_edge *e,
                         size_t to, FILE *out)
{
    int64_t from_r = e->from == v->origin ? 0 : radius_of(l, v->nodes[e->from].at_ms);
    int64_t to_r = radius_of(l, v->nodes[to].at_ms), way = to_r - from_r;
    int64_t from_angle = e->from == v->origin ? l->angle[to] : l->angle[e->from];
    fprintf(out, "<path class=\"eager%s\" d=\"M", e->asked ? " asked" : "");
    svg_point(out, place_of(v, l, e->from));
    fputs(" C", out);
    svg_point(out, polar(l, from_angle, from_r + way / 8));
    svg_point(out, polar(l, l->angle[to], from_r + way * 3 / 8));
    svg_point(out, place_of(v, l, to));
    fputs("\">", out);
    write_title(v, e, to, out);
    fputs("</path>\n", out);
}

/* Bent towards the middle, away from the tree. */
static void write_bow(const struct spread *v, const struct layout *l, const struct spread_edge *e, size_t to,
                      const char *class, FILE *out)
{
    struct svg_point a = place_of(v, l, e->from), b = place_of(v, l, to);
    struct svg_point bend = {((a.x + b.x) / 2 * 3 + 10 * l->sheet->middle_x) / 4,
                             ((a.y + b.y) / 2 * 3 + 10 * l->sheet->middle_y) / 4};
    fprintf(out, "<path class=\"%s\" d=\"M", class);
    svg_point(out, a);
    fputs(" Q", out);
    svg_point(out, bend);
    svg_point(out, b);
    fputs("\">", out);
    write_title(v, e, to, out);
    fputs("</path>\n", out);
}

enum edge_kind { EDGE_LAZY, EDGE_AGAIN, EDGE_FIRST };

static enum edge_kind kind_of(const struct spread_edge *e)
{
    return e->copies == 0 ? EDGE_LAZY : e->first ? EDGE_FIRST : EDGE_AGAIN;
}

/* Of a pair of nodes short ids are drawn once, and not beside a copy. */
static bool is_shown(const struct spread *v, const struct spread_edge *e, size_t to)
{
    const struct spread_edge *back = spread_between(v, to, e->from);
    return e->copies > 0 || (e->announced > 0 && v->nodes[to].reached && v->nodes[e->from].reached &&
                             (!back || (back->copies == 0 && (back->announced == 0 || e->from < to))));
}

static void write_edges(const struct spread *v, const struct layout *l, enum edge_kind kind, FILE *out)
{
    for (size_t to = 0; to < v->node_count; to++)
        for (size_t i = 0; i < v->nodes[to].edge_count; i++) {
            const struct spread_edge *e = &v->nodes[to].edges[i];
            if (kind_of(e) != kind || !is_shown(v, e, to))
                continue;
            if (kind == EDGE_FIRST)
                write_branch(v, l, e, to, out);
            else
                write_bow(v, l, e, to, kind == EDGE_LAZY ? "lazy" : e->asked ? "again asked" : "again", out);
        }
}

/* ---- nodes ---- */

static void write_name(const struct spread *v, const struct layout *l, size_t node, FILE *out)
{
    int64_t angle = l->angle[node] % SVG_TURN, turn = angle * 3600 / SVG_TURN - 900;
    bool left = angle > SVG_TURN / 2;
    struct svg_point at = polar(l, angle, radius_of(l, v->nodes[node].at_ms) + l->sheet->gap);
    fprintf(out, "<text class=\"name halo\" text-anchor=\"%s\" transform=\"translate(",
            left ? "end" : "start");
    svg_tenths(out, at.x);
    fputc(' ', out);
    svg_tenths(out, at.y);
    fputs(") rotate(", out);
    svg_tenths(out, left ? turn + 1800 : turn);
    fputs(")\" dy=\".33em\">", out);
    svg_escape(out, name_of(v, node));
    if (v->node_count <= FEW)
        fprintf(out, " %" PRIu64 "&#160;ms", v->nodes[node].at_ms);
    fputs("</text>\n", out);
}

static void write_node(const struct spread *v, const struct layout *l, size_t node, FILE *out)
{
    const struct spread_node *n = &v->nodes[node];
    struct svg_point at = place_of(v, l, node);
    uint64_t copies = 0;
    for (size_t i = 0; i < n->edge_count; i++)
        copies += n->edges[i].copies;
    fprintf(out, "<circle class=\"%s\"",
            node == v->origin       ? "author"
            : v->s->nodes[node].key ? "validator"
                                    : "relay");
    tenths(out, "cx", at.x);
    tenths(out, "cy", at.y);
    tenths(out, "r", node == v->origin ? 90 : l->sheet->dot);
    fputs("><title>", out);
    svg_escape(out, name_of(v, node));
    if (node == v->origin)
        fputs(" made the statement", out);
    else
        fprintf(out, ": after %" PRIu64 " ms, %u hops; %" PRIu64 " %s", n->at_ms, n->hops, copies,
                copies == 1 ? "copy" : "copies");
    fputs("</title></circle>\n", out);
}

static void write_nodes(const struct spread *v, const struct layout *l, FILE *out)
{
    for (size_t i = 0; i < l->count; i++)
        write_node(v, l, l->order[i], out);
    for (size_t i = 0; i < l->count; i++)
        if (l->order[i] != v->origin)
            write_name(v, l, l->order[i], out);
    fputs("<text class=\"halo\" text-anchor=\"middle\"", out);
    tenths(out, "x", 10 * l->sheet->middle_x);
    tenths(out, "y", 10 * l->sheet->middle_y + 220);
    fputs(">", out);
    svg_escape(out, name_of(v, v->origin));
    fputs("</text>\n", out);
}

/* ---- words ---- */

struct words {
    FILE *out;
    int x, right, y;
};

static void line(struct words *w, const char *label, uint64_t number, const char *unit)
{
    fprintf(w->out,
            "<text x=\"%d\" y=\"%d\">%s</text><text class=\"number\" text-anchor=\"end\" x=\"%d\" "
            "y=\"%d\">%" PRIu64 "%s</text>\n",
            w->x, w->y, label, w->right, w->y, number, unit);
    w->y += 22;
}

/* Copies a node, in hundredths. */
static uint64_t copies_a_node(const struct spread_counts *c)
{
    return c->reached > 1 ? (c->copies * 100 + (c->reached - 1) / 2) / (c->reached - 1) : 0;
}

static void write_figures(const struct spread *v, const struct spread_counts *c, struct words *w)
{
    uint64_t each = copies_a_node(c);
    fprintf(w->out, "<text class=\"head\" x=\"%d\" y=\"%d\">", w->x, w->y);
    svg_escape(w->out, era_kind_name(v->kind));
    fprintf(w->out, " of %s</text>\n", name_of(v, v->origin));
    w->y += 20;
    fprintf(w->out,
            "<text class=\"small\" x=\"%d\" y=\"%d\">%zu bytes, made %" PRIu64 " ms into epoch %" PRIu64
            "</text>\n",
            w->x, w->y, v->statement_len, v->made_ms % v->s->plan.epoch_ms, v->made_ms / v->s->plan.epoch_ms);
    w->y += 32;
    line(w, "nodes", c->nodes, "");
    line(w, "reached", c->reached, "");
    line(w, "half of them after", c->half_ms, " ms");
    line(w, "all of them after", c->last_ms, " ms");
    line(w, "copies that came", c->copies, "");
    fprintf(w->out,
            "<text class=\"small\" x=\"%d\" y=\"%d\">%" PRIu64 ".%02" PRIu64 " for each node</text>\n",
            w->x + 12, w->y - 4, each / 100, each % 100);
    w->y += 18;
    line(w, "of them duplicates", c->duplicates, "");
    line(w, "of them asked for", c->asked, "");
    line(w, "short ids that came", c->announced, "");
    if (c->foreign > 0)
        line(w, "copies from no node", c->foreign, "");
}

static void key(struct words *w, const char *class, const char *text)
{
    fprintf(w->out, "<path class=\"%s\" d=\"M%d %dh44\"/><text x=\"%d\" y=\"%d\">%s</text>\n", class, w->x,
            w->y - 4, w->x + 58, w->y, text);
    w->y += 22;
}

static void dot(struct words *w, const char *class, const char *text)
{
    fprintf(w->out, "<circle class=\"%s\" cx=\"%d\" cy=\"%d\" r=\"5\"/><text x=\"%d\" y=\"%d\">%s</text>\n",
            class, w->x + 22, w->y - 4, w->x + 58, w->y, text);
    w->y += 22;
}

static void write_legend(const struct spread_counts *c, struct words *w)
{
    w->y += 18;
    fprintf(w->out, "<text class=\"head\" x=\"%d\" y=\"%d\">Links</text>\n", w->x, w->y);
    w->y += 24;
    key(w, "eager", "eager: the first copy came");
    if (c->asked > 0)
        key(w, "eager asked", "the same, asked for");
    key(w, "again", "eager: a duplicate came");
    key(w, "lazy", "lazy: only the short id came");
    dot(w, "author", "its author");
    dot(w, "validator", "a validator");
    dot(w, "relay", "a relay");
}

/* ---- how many had it when ---- */

static void write_curve(const struct spread *v, const struct layout *l, const struct spread_counts *c,
                        struct words *w)
{
    int left = w->x + 30, right = w->right, top = w->y + 40, bottom = top + CURVE, had = 0;
    uint64_t end = l->axis_ms;
    fprintf(w->out, "<text class=\"head\" x=\"%d\" y=\"%d\">Nodes that had it, by milliseconds</text>\n",
            w->x, w->y + 18);
    fprintf(w->out, "<path class=\"ring\" d=\"M%d %dV%dH%d\"/>\n", left, top, bottom, right);
    for (uint64_t ms = 0; ms <= end; ms += l->step_ms) {
        int x = left + (int)(ms * (uint64_t)(right - left) / end);
        fprintf(w->out, "<text class=\"ms\" text-anchor=\"middle\" x=\"%d\" y=\"%d\">%" PRIu64 "</text>\n", x,
                bottom + 16, ms);
    }
    fprintf(w->out, "<text class=\"ms\" text-anchor=\"end\" x=\"%d\" y=\"%d\">%zu</text>\n", left - 4,
            top + 4, c->nodes);
    fprintf(w->out, "<path class=\"curve\" d=\"M%d %d", left, bottom);
    for (size_t i = 0; i < l->count; i++) {
        uint64_t at = v->nodes[l->order[i]].at_ms;
        if (at > end)
            break;
        had++;
        fprintf(w->out, "H%dV%d", left + (int)(at * (uint64_t)(right - left) / end),
                bottom - had * (bottom - top) / (int)c->nodes);
    }
    fprintf(w->out, "H%d\"/>\n", right);
    if ((size_t)had < c->reached)
        fprintf(w->out, "<text class=\"ms halo\" text-anchor=\"end\" x=\"%d\" y=\"%d\">%zu later</text>\n",
                right, bottom - had * (bottom - top) / (int)c->nodes - 5, c->reached - (size_t)had);
}

static void write_unreached(const struct spread *v, const struct spread_counts *c, FILE *out)
{
    int x = 24;
    if (c->reached == c->nodes)
        return;
    fprintf(out, "<text class=\"small\" x=\"%d\" y=\"%d\">not reached: %zu", x, sheet_of(v)->height - 16,
            c->nodes - c->reached);
    size_t told = 0;
    for (size_t i = 0; i < v->node_count && told < 8; i++)
        if (!v->nodes[i].reached) {
            fputs(told++ ? ", " : " (", out);
            svg_escape(out, name_of(v, i));
            if (!v->s->nodes[i].node)
                fputs(", down", out);
        }
    fputs(told < c->nodes - c->reached ? " …)</text>\n" : ")</text>\n", out);
}

/* ---- the whole ---- */

static void write_head(const struct spread *v, const struct spread_counts *c, const char *title, FILE *out)
{
    const struct sheet *sheet = sheet_of(v);
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
            "role=\"img\" aria-labelledby=\"title desc\">\n<title id=\"title\">The spread of one statement; ",
            sheet->width, sheet->height, sheet->width, sheet->height);
    svg_escape(out, title);
    fputs("</title>\n<desc id=\"desc\">", out);
    if (v->origin == SPREAD_NONE)
        fputs("No node made a statement in the second half of the run.", out);
    else
        fprintf(out,
                "A tree around its author: %zu of %zu nodes were reached, half of them after %" PRIu64
                " ms, all after %" PRIu64 " ms. %" PRIu64 " copies came, %" PRIu64
                " of them duplicates, and %" PRIu64 " short ids; %zu links were eager and %zu lazy.",
                c->reached, c->nodes, c->half_ms, c->last_ms, c->copies, c->duplicates, c->announced,
                c->eager, c->lazy);
    fprintf(out,
            "</desc>\n<style>text{font:13px sans-serif;fill:#222}.small{font-size:11px;fill:#555}"
            ".name{font-size:%s;fill:#333}.ms{font-size:10.5px;fill:#666}"
            ".halo{paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}"
            ".head{font-weight:bold;font-size:14px}.number{font-weight:bold}"
            "path{fill:none}.ring{fill:none;stroke:#dcdcdc}.late{stroke-dasharray:2 4}"
            ".eager{stroke:" EAGER ";stroke-width:%s}.again{stroke:" AGAIN
            ";stroke-width:1.6;stroke-dasharray:7 3}"
            ".asked{stroke:" ASKED ";stroke-dasharray:2 3}"
            ".lazy{stroke:" LAZY ";stroke-width:%s;stroke-dasharray:1 3}"
            ".author{fill:#e69f00;stroke:#222;stroke-width:1.5}.validator{fill:#222}"
            ".relay{fill:#fff;stroke:#222;stroke-width:1.2}.curve{stroke:" EAGER ";stroke-width:2}</style>\n"
            "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n",
            sheet->name_size, sheet->line, sheet->lazy_line, sheet->width, sheet->height);
    fputs("<text class=\"head\" x=\"24\" y=\"32\">The spread of one statement</text>\n"
          "<text class=\"small\" x=\"24\" y=\"50\">",
          out);
    svg_escape(out, title);
    fputs("</text>\n<text class=\"small\" x=\"24\" y=\"66\">A node stands as far from the middle</text>\n"
          "<text class=\"small\" x=\"24\" y=\"80\">as the statement took to come there.</text>\n",
          out);
}

void spread_write(const struct spread *v, const char *title, FILE *out)
{
    struct spread_counts c = spread_count(v);
    int right = sheet_of(v)->width - 30;
    struct words words = {out, right - PANEL_WIDTH, right, 40};
    write_head(v, &c, title, out);
    if (v->origin == SPREAD_NONE) {
        fputs("<text x=\"24\" y=\"110\">No node made a statement in the second half of the run.</text>\n"
              "</svg>\n",
              out);
        return;
    }
    struct layout *l = layout_new(v);
    write_rings(v, l, out);
    write_edges(v, l, EDGE_LAZY, out);
    write_edges(v, l, EDGE_AGAIN, out);
    write_edges(v, l, EDGE_FIRST, out);
    write_nodes(v, l, out);
    write_ring_labels(v, l, out);
    write_figures(v, &c, &words);
    write_legend(&c, &words);
    write_curve(v, l, &c, &words);
    write_unreached(v, &c, out);
    layout_free(l);
    fputs("</svg>\n", out);
}
