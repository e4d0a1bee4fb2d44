#include "src/erasim/scenario.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/nearest.h"
#include "src/base/verdict.h"
#include "src/erasim/scenario_parts.h"
#include "src/host/files.h"

/* ---- reading ---- */

/* Words up to a comment. */
static bool split(struct scn_words *w, char *line)
{
    char *rest = NULL;
    line[strcspn(line, "#")] = '\0';
    for (char *word = strtok_r(line, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
        if (w->count == SCN_WORDS_MAX)
            return scn_fail(w, "break it into several lines", "the line has more than %d words",
                            SCN_WORDS_MAX);
        w->word[w->count++] = word;
    }
    return true;
}

/* trace [exact] KIND…: what follows until `end` are the lines expected. */
static bool trace_line(struct scn_words *w)
{
    struct scenario *sc = w->sc;
    const char *known[TRACE_KINDS_COUNT];
    size_t which;
    for (size_t i = 0; i < TRACE_KINDS_COUNT; i++)
        known[i] = trace_kind_word((enum trace_kind)i);
    if (sc->has_trace)
        return scn_fail(w, "put all into one block", "there are two blocks of trace");
    sc->has_trace = true;
    sc->trace_line = w->line;
    sc->exact = scn_skip(w, "exact");
    if (w->at == w->count)
        return scn_fail(w, "write: trace adopted gate", "a trace of what?");
    while (w->at < w->count) {
        if (!scn_one_of(w, w->word[w->at++], "kind of line", known, TRACE_KINDS_COUNT, &which))
            return false;
        sc->kinds[which] = true;
    }
    return true;
}

static bool other_line(struct scn_words *w)
{
    char shown[96], cure[ERA_NEAREST_CURE_BYTES];
    bool known;
    if (!scn_head_line(w, &known))
        return false;
    if (known)
        return true;
    if (scn_skip(w, "at"))
        return scn_act_line(w);
    if (scn_skip(w, "expect"))
        return scn_expect_line(w);
    struct era_nearest near = {.word = w->word[0]};
    for (size_t i = 0; i < scn_head_word_count(); i++)
        era_nearest_try(&near, scn_head_words[i]);
    era_nearest_try(&near, "expect");
    era_nearest_try(&near, "trace");
    era_nearest_try(&near, "at");
    return scn_fail(w, era_nearest_cure(&near, "see SCENARIOS in erasim(1)", cure), "no line begins with %s",
                    era_text_escape(w->word[0], shown, sizeof shown));
}

/* A line of the block, without the blanks around it. */
static bool expected_line(struct scn_words *w, char *line, bool *inside)
{
    struct scenario *sc = w->sc;
    size_t len;
    line += strspn(line, " \t");
    for (len = strlen(line); len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'); len--)
        line[len - 1] = '\0';
    *inside = strcmp(line, "end") != 0;
    if (!*inside || *line == '\0' || *line == '#')
        return true;
    if (sc->line_count == SCN_LINES_MAX)
        return scn_fail(w, "choose fewer kinds", "the trace has more than %d lines", SCN_LINES_MAX);
    sc->lines[sc->line_count++] = line;
    return true;
}

static bool read_lines(struct scenario *sc, struct era_error *err)
{
    struct scn_words w = {.sc = sc, .err = err};
    bool inside = false;
    char *next;
    for (char *line = sc->text; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        w.line++;
        w.count = w.at = 0;
        if (inside ? !expected_line(&w, line, &inside) : !split(&w, line))
            return false;
        if (inside || w.count == 0)
            continue;
        if (scn_skip(&w, "trace")) {
            inside = true;
            if (!trace_line(&w))
                return false;
        } else if (!other_line(&w))
            return false;
    }
    if (inside)
        return scn_fail(&w, "write `end` after its last line", "the trace has no end");
    if (sc->node_count == 0)
        return scn_fail(&w, "write: node NAME", "there is no node");
    for (size_t i = 0; i < sc->node_count; i++) /* a validator's node is called as its key */
        if (sc->nodes[i].key == SCN_NONE)
            sc->nodes[i].key = scn_key_named(sc, sc->nodes[i].name);
    return true;
}

static bool load(struct scenario *sc, struct era_error *err)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    int error = era_file_read(sc->path, SCENARIO_FILE_BYTES_MAX, &bytes, &len);
    if (error != 0)
        return era_error_errno(err, error, sc->path, "read the scenario");
    if (memchr(bytes, '\0', len) || !era_utf8_valid((const char *)bytes, len, true)) {
        free(bytes);
        return era_error_set(err, ERA_EXIT_DATA, sc->path, "name a scenario file", "this is no text");
    }
    sc->text = malloc(len + 1);
    assert(sc->text);
    memcpy(sc->text, bytes, len);
    sc->text[len] = '\0';
    free(bytes);
    return true;
}

struct scenario *scenario_read(const char *path, struct era_error *err)
{
    struct scenario *sc = calloc(1, sizeof *sc);
    assert(sc);
    sc->charter = calloc(1, sizeof *sc->charter);
    sc->scratch = calloc(1, sizeof *sc->scratch);
    assert(sc->charter && sc->scratch);
    sc->charter->validators = calloc(SCN_KEYS_MAX, sizeof *sc->charter->validators);
    sc->charter->components = calloc(ERA_COMPONENTS_MAX, sizeof *sc->charter->components);
    assert(sc->charter->validators && sc->charter->components);
    sc->charter->events_per_epoch = 10;
    sc->charter->clock.tolerance_epochs = 1;
    sc->charter->strict_emission = true;
    sc->plan = (struct sim_plan){.seed = 1,
                                 .epoch_ms = 10000,
                                 .neighbours = ERA_OVERLAY_TARGET_DEFAULT,
                                 .strict = true,
                                 .bounded = true};
    if (!era_text_set(sc->path, sizeof sc->path, path))
        era_error_set(err, ERA_EXIT_NO_INPUT, "", "use a shorter path", "the path is too long");
    else if (load(sc, err) && read_lines(sc, err))
        return sc;
    scenario_free(sc);
    return NULL;
}

static void charter_free(struct era_charter *c)
{
    era_charter_clear(c);
    free(c);
}

void scenario_free(struct scenario *sc)
{
    if (!sc)
        return;
    sim_free(sc->s);
    check_free(sc->check);
    trace_free(sc->trace);
    for (size_t i = 0; i < sc->act_count; i++)
        free(sc->acts[i].draft);
    for (size_t i = 0; i < sc->proposal_count; i++)
        free(sc->proposals[i].p);
    for (size_t i = 0; i < sc->label_count; i++)
        free(sc->labels[i].bytes);
    for (size_t i = 0; i < sc->wrong_count && i < SCENARIO_WRONG_MAX; i++)
        free(sc->wrong[i]);
    for (size_t i = 0; i < sc->seen_count; i++)
        free(sc->seen[i]);
    scn_next_free(sc);
    charter_free(sc->charter);
    free(sc->scratch);
    free(sc->text);
    free(sc);
}

/* ---- the network ---- */

static void add_nodes(struct scenario *sc)
{
    for (size_t i = 0; i < sc->node_count; i++) {
        const struct scn_node *d = &sc->nodes[i];
        struct sim_node *n = sim_add_node(sc->s, d->name, d->key == SCN_NONE ? NULL : sc->keys[d->key].key);
        era_text_set(n->versions.v[ERA_VERSION_SOFTWARE], sizeof n->versions.v[0], d->runs);
        era_text_set(n->staged.v[ERA_VERSION_SOFTWARE], sizeof n->staged.v[0], d->staged);
        memcpy(n->auto_votes, d->votes, sizeof n->auto_votes);
        n->auto_charter = d->auto_charter;
    }
    for (size_t i = 0; i < sc->node_count; i++) {
        const struct scn_node *d = &sc->nodes[i];
        if (d->has_anchors)
            for (size_t j = 0; j < d->anchors.count && j < SIM_ANCHORS_MAX; j++)
                sim_anchor(sc->s, i, d->anchors.at[j]);
        for (size_t j = 0; !d->has_anchors && j < i && j < SIM_ANCHORS_MAX; j++)
            sim_anchor(sc->s, i, j); /* those before it */
    }
}

struct sim *scenario_make(struct scenario *sc, struct era_error *err)
{
    uint64_t last = 0;
    for (size_t i = 0; i < sc->act_count; i++)
        if (sc->acts[i].at_ms != UINT64_MAX)
            last = sc->acts[i].at_ms;
    if (sc->end_ms == 0)
        sc->end_ms = (last / sc->plan.epoch_ms + 2) * sc->plan.epoch_ms;
    sc->plan.nodes = sc->node_count;
    sc->plan.validators = sc->charter->validator_count;
    sc->plan.epochs = (sc->end_ms + sc->plan.epoch_ms - 1) / sc->plan.epoch_ms;
    sc->s = sim_new_empty(&sc->plan, NULL);
    for (size_t i = 0; i < sc->key_count; i++) {
        sc->keys[i].key = sim_add_key(sc->s, sc->keys[i].name);
        if (sc->keys[i].faulty)
            sc->keys[i].key->trust = SIM_FAULTY;
    }
    if (last > sc->end_ms) {
        era_error_set(err, ERA_EXIT_DATA, sc->path, "end later", "something happens after the end (until)");
        return NULL;
    }
    if (!scn_head_end(sc, err))
        return NULL;
    sim_add_charter(sc->s, sc->charter);
    sc->charter = NULL;
    if (!scn_next_make(sc, err))
        return NULL;
    add_nodes(sc);
    sc->check = check_new(sc->s);
    scn_watch(sc);
    return sc->s;
}

/* ---- the run ---- */

static void wrong_text(struct scenario *sc, char *text)
{
    sc->wrong_count++;
    if (sc->wrong_count <= SCENARIO_WRONG_MAX)
        sc->wrong[sc->wrong_count - 1] = text;
    else
        free(text);
}

void scn_wrong(struct scenario *sc, unsigned line, const char *format, ...)
{
    char text[SCENARIO_WRONG_BYTES];
    va_list args;
    va_start(args, format);
    int n = snprintf(text, sizeof text, "%s:%u: ", sc->path, line);
    vsnprintf(text + n, sizeof text - (size_t)n, format, args);
    va_end(args);
    char *copy = strdup(text);
    assert(copy);
    wrong_text(sc, copy);
}

/* Lines of the kinds asked for; all when there is no block. */
static void sink(void *ctx, struct sim *s, const struct trace_line *line)
{
    struct scenario *sc = ctx;
    char text[TRACE_TEXT_BYTES];
    if (sc->has_trace && !sc->kinds[line->kind])
        return;
    if (sc->has_trace && !sc->exact)
        snprintf(text, sizeof text, "%" PRIu64 " %s %s %s", line->at_ms / sc->plan.epoch_ms,
                 line->node ? line->node->name : "-", trace_kind_word(line->kind), line->text);
    else
        trace_text(s, line, text);
    if (!sc->has_trace) {
        if (sc->lines_to)
            sc->lines_to(sc->lines_ctx, text);
        return;
    }
    if (sc->seen_count == SCN_LINES_MAX) {
        sc->seen_all = false;
        return;
    }
    sc->seen[sc->seen_count] = strdup(text);
    assert(sc->seen[sc->seen_count]);
    sc->seen_count++;
}

static void advance(struct scenario *sc, uint64_t to_ms)
{
    while (!sc->s->broken && sim_advance(sc->s, to_ms))
        continue;
}

static void acts(struct scenario *sc)
{
    for (size_t i = 0; i < sc->act_count && !sc->s->broken; i++) {
        const struct scn_act *a = &sc->acts[i];
        if (a->at_ms == UINT64_MAX)
            continue;
        advance(sc, a->at_ms);
        if (!sc->s->broken)
            scn_perform(sc, a);
    }
    advance(sc, sc->end_ms);
    if (sc->quiet && !sc->s->broken)
        check_end(sc->check, sc->s);
    if (!sc->s->broken)
        scn_pending_end(sc);
    else if (!sc->break_expected)
        scn_wrong(sc, 0, "at epoch %" PRIu64 " %s was broken: %s", sc->s->break_ms / sc->plan.epoch_ms,
                  sc->s->break_rule, sc->s->break_text);
    for (size_t i = 0; i < sc->act_count; i++)
        if (sc->acts[i].at_ms == UINT64_MAX)
            scn_see(sc, &sc->acts[i]);
}

/* Within an epoch, who is quicker says nothing of the rules: lines stand in the order of epoch and node,
 * those of one node as they came. */
static uint64_t rank(const struct scenario *sc, const char *line)
{
    char *rest;
    uint64_t epoch = strtoull(line, &rest, 10);
    size_t len = strcspn(rest + 1, " ");
    for (size_t i = 0; i < sc->node_count; i++)
        if (strlen(sc->nodes[i].name) == len && memcmp(sc->nodes[i].name, rest + 1, len) == 0)
            return epoch * (SCN_NODES_MAX + 1) + i + 1;
    return epoch * (SCN_NODES_MAX + 1);
}

static void sort_seen(struct scenario *sc)
{
    for (size_t i = 1; i < sc->seen_count; i++) {
        char *line = sc->seen[i];
        size_t j = i;
        for (; j > 0 && rank(sc, sc->seen[j - 1]) > rank(sc, line); j--)
            sc->seen[j] = sc->seen[j - 1];
        sc->seen[j] = line;
    }
}

static void compare(struct scenario *sc)
{
    size_t i = 0;
    sc->looked++;
    while (i < sc->line_count && i < sc->seen_count && strcmp(sc->lines[i], sc->seen[i]) == 0)
        i++;
    if (i == sc->line_count && i == sc->seen_count)
        return;
    scn_wrong(sc, sc->trace_line, "line %zu of the trace\n  expected: %s\n  seen:     %s", i + 1,
              i < sc->line_count ? sc->lines[i] : "(the end)",
              i < sc->seen_count ? sc->seen[i] : "(the end)");
}

void scenario_run(struct scenario *sc, void (*lines)(void *ctx, const char *line), void *ctx)
{
    sc->seen_all = true;
    sc->lines_to = lines;
    sc->lines_ctx = ctx;
    sc->trace = trace_new(sc->s, sink, sc);
    for (size_t i = 0; i < sc->node_count; i++)
        if (!sc->nodes[i].down)
            sim_start(sc->s, &sc->s->nodes[i]);
    acts(sc);
    if (sc->has_trace && !sc->exact)
        sort_seen(sc);
    if (sc->has_trace)
        compare(sc);
    for (size_t i = 0; lines && i < sc->seen_count; i++)
        lines(ctx, sc->seen[i]);
    if (lines && !sc->seen_all)
        lines(ctx, "# and more: choose fewer kinds");
}

size_t scenario_wrong(const struct scenario *sc, const char *const **texts)
{
    *texts = (const char *const *)sc->wrong;
    return sc->wrong_count;
}

size_t scenario_looked(const struct scenario *sc)
{
    return sc->looked;
}
