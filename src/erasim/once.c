#include "src/erasim/once.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "src/base/verdict.h"
#include "src/erasim/spread.h"
#include "src/erasim/svg.h"
#include "src/erasim/trace.h"

struct sim_plan once_plan(const struct sim_options *o, uint64_t seed)
{
    struct sim_plan plan = sim_plan_from_seed(seed, o->nodes, 0, o->faults);
    uint64_t epoch_ms = o->epoch_s > 0 ? o->epoch_s * 1000 : plan.epoch_ms;
    if (o->hours > 0)
        plan = sim_plan_from_seed(seed, o->nodes, (o->hours * REPORT_HOUR_MS + epoch_ms - 1) / epoch_ms,
                                  o->faults);
    plan.epoch_ms = epoch_ms;
    if (o->strict)
        plan.strict = strcmp(o->strict, "on") == 0;
    plan.bounded = !o->unbounded;
    if (o->neighbours_given)
        plan.neighbours = o->neighbours;
    return plan;
}

/* ---- memory ---- */

/* What the kernel would give without swapping; 0: not known. */
static uint64_t available_bytes(void)
{
    char line[128];
    unsigned long long kib = 0;
    FILE *f = fopen("/proc/meminfo", "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return (uint64_t)kib * 1024;
}

bool once_fits(uint64_t nodes, uint64_t runs, struct era_error *err)
{
    uint64_t there = available_bytes(), wanted = nodes * runs * ONCE_NODE_BYTES;
    char cure[ERA_ERROR_CURE_BYTES];
    if (there == 0 || wanted <= there)
        return true;
    uint64_t most = there / ONCE_NODE_BYTES;
    snprintf(cure, sizeof cure, "at most %" PRIu64 " nodes fit here: use fewer --nodes%s", most,
             runs > 1 ? ", or fewer --jobs" : "");
    return era_error_set(err, ERA_EXIT_USAGE, "", cure,
                         "too many nodes: %" PRIu64 " in each of %" PRIu64 " processes want about %" PRIu64
                         " MB, and %" PRIu64 " MB are free",
                         nodes, runs, wanted / 1000000, there / 1000000);
}

/* ---- files ---- */

FILE *once_open(const char *path, const char *what, struct era_error *err)
{
    char doing[64];
    FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    snprintf(doing, sizeof doing, "write the %s", what);
    if (!f)
        era_error_errno(err, -errno, path, doing);
    return f;
}

bool once_close(FILE *file, const char *path, const char *what, struct era_error *err)
{
    char doing[64];
    bool ok = fflush(file) == 0 && !ferror(file);
    int error = errno ? errno : EIO;
    if (file != stdout && fclose(file) != 0) {
        ok = false;
        error = errno;
    }
    snprintf(doing, sizeof doing, "write the %s", what);
    return ok || era_error_errno(err, -error, path, doing);
}

/* ---- a run ---- */

static void print_line(void *ctx, struct sim *s, const struct trace_line *line)
{
    char text[TRACE_TEXT_BYTES];
    fprintf(ctx, "%s\n", trace_text(s, line, text));
}

struct outputs {
    FILE *lines, *picture, *spread; /* NULL: not asked for */
};

static bool close_outputs(const struct sim_options *o, const struct outputs *to, struct era_error *err)
{
    bool ok = !to->lines || once_close(to->lines, o->trace, "trace", err);
    ok = (!to->picture || once_close(to->picture, o->svg, "picture", err)) && ok;
    return (!to->spread || once_close(to->spread, o->spread, "picture", err)) && ok;
}

static bool open_outputs(const struct sim_options *o, struct outputs *to, struct era_error *err)
{
    *to = (struct outputs){0};
    if ((!o->trace || (to->lines = once_open(o->trace, "trace", err))) &&
        (!o->svg || (to->picture = once_open(o->svg, "picture", err))) &&
        (!o->spread || (to->spread = once_open(o->spread, "picture", err))))
        return true;
    close_outputs(o, to, NULL);
    return false;
}

bool once_run(const struct sim_options *o, uint64_t seed, struct sim_result *out, struct era_error *err)
{
    struct sim_plan plan = once_plan(o, seed);
    struct outputs to;
    const char *why = NULL;
    char title[128];
    if (!open_outputs(o, &to, err))
        return false;
    struct sim *s = sim_new(&plan, &why);
    if (!s) {
        close_outputs(o, &to, NULL);
        return era_error_set(err, ERA_EXIT_USAGE, "", "change --nodes or --faults",
                             "this network cannot be made: %s", why);
    }
    snprintf(title, sizeof title, "erasim: seed %" PRIu64 ", %zu nodes", seed, s->node_count);
    struct check *check = check_new(s);
    struct trace *trace = to.lines ? trace_new(s, print_line, to.lines) : NULL;
    struct svg *svg = to.picture ? svg_new(s, title) : NULL;
    struct spread *spread = to.spread ? spread_new(s) : NULL;
    sim_run(s);
    if (!s->broken)
        check_end(check, s);
    report_take(out, s, check);
    if (svg)
        svg_write(svg, to.picture);
    if (spread)
        spread_write(spread, title, to.spread);
    spread_free(spread);
    svg_free(svg);
    sim_free(s);
    trace_free(trace);
    check_free(check);
    return close_outputs(o, &to, err);
}
