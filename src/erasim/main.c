/* erasim: a network of nodes in one process and in virtual time. */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/base/verdict.h"
#include "src/erasim/once.h"
#include "src/erasim/scenario.h"
#include "src/erasim/svg.h"
#include "src/erasim/sweep.h"

static int fail(const struct sim_options *o, const struct era_error *err)
{
    fflush(stdout);
    if (o->json) {
        json_t *error = json_object(), *out = json_object();
        json_object_set_new(error, "code", json_string(err->status == ERA_EXIT_USAGE ? "usage" : "failed"));
        json_object_set_new(error, "text", json_string(err->text));
        json_object_set_new(error, "where", json_string(err->where));
        json_object_set_new(error, "cure", json_string(err->cure));
        json_object_set_new(out, "error", error);
        json_dumpf(out, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(out);
        return err->status;
    }
    fprintf(stderr, "erasim: %s\n", err->text);
    if (err->where[0])
        fprintf(stderr, "  where: %s\n", err->where);
    if (err->cure[0])
        fprintf(stderr, "  cure: %s\n", err->cure);
    return err->status;
}

/* ---- run ---- */

static uint64_t wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* On stderr: all else is the same in every run of a seed. */
static void say_speed(const struct sim_result *r, uint64_t took_ms)
{
    uint64_t ratio = took_ms ? r->nodes * r->ran_ms / took_ms : 0;
    fprintf(stderr,
            "erasim: %" PRIu64 " node-hours in %" PRIu64 ".%03" PRIu64 " s: %" PRIu64 " times real time\n",
            report_node_hours(r), took_ms / 1000, took_ms % 1000, ratio);
}

static int run(const struct sim_options *o, struct era_error *err)
{
    static struct sim_result r;
    uint64_t begin_ms = wall_ms();
    if (!once_fits(once_plan(o, o->seed).nodes, 1, err) || !once_run(o, o->seed, &r, err))
        return fail(o, err);
    if (o->json)
        report_json_print("erad.sim-run/1", report_json(&r, o));
    else
        report_print(&r, o);
    say_speed(&r, wall_ms() - begin_ms);
    return r.broken ? ERA_EXIT_NEGATIVE : ERA_EXIT_OK;
}

/* ---- script ---- */

static void print_line(void *ctx, const char *line)
{
    fprintf(ctx, "%s\n", line);
}

static void say_wrong(const struct sim_options *o, const struct scenario *sc)
{
    const char *const *texts;
    size_t count = scenario_wrong(sc, &texts),
           shown = count < SCENARIO_WRONG_MAX ? count : SCENARIO_WRONG_MAX;
    if (o->json) {
        json_t *list = json_array();
        for (size_t i = 0; i < shown; i++)
            json_array_append_new(list, json_string(texts[i]));
        report_json_print("erad.sim-script/1",
                          json_pack("{s:s,s:b,s:I,s:I,s:o}", "file", o->file, "held", count == 0, "looked",
                                    (json_int_t)scenario_looked(sc), "wrong_count", (json_int_t)count,
                                    "wrong", list));
        return;
    }
    for (size_t i = 0; i < shown; i++)
        fprintf(stderr, "%s\n", texts[i]);
    if (count > shown)
        fprintf(stderr, "and %zu more\n", count - shown);
    if (count > 0)
        fprintf(stderr, "erasim: %zu of what %s expects did not come true\n", count, o->file);
    else if (!o->trace || strcmp(o->trace, "-") != 0)
        printf("%s: %zu expectations came true\n", o->file, scenario_looked(sc));
}

static bool script_files(const struct sim_options *o, FILE **lines, FILE **picture, struct era_error *err)
{
    *lines = *picture = NULL;
    if (o->trace && !(*lines = once_open(o->trace, "trace", err)))
        return false;
    return !o->svg || (*picture = once_open(o->svg, "picture", err));
}

static int script(const struct sim_options *o, struct era_error *err)
{
    FILE *lines, *picture;
    struct scenario *sc = scenario_read(o->file, err);
    struct sim *s = sc ? scenario_make(sc, err) : NULL;
    if (!s || !script_files(o, &lines, &picture, err)) {
        scenario_free(sc);
        return fail(o, err);
    }
    struct svg *svg = picture ? svg_new(s, o->file) : NULL;
    const char *const *texts;
    bool ok = true;
    scenario_run(sc, lines ? print_line : NULL, lines);
    if (picture) {
        svg_write(svg, picture);
        ok = once_close(picture, o->svg, "picture", err);
    }
    if (lines)
        ok = once_close(lines, o->trace, "trace", err) && ok;
    int status = scenario_wrong(sc, &texts) == 0 ? ERA_EXIT_OK : ERA_EXIT_NEGATIVE;
    if (ok)
        say_wrong(o, sc);
    else
        status = fail(o, err);
    svg_free(svg);
    scenario_free(sc);
    return status;
}

/* ---- faults ---- */

static int list_faults(const struct sim_options *o)
{
    json_t *list = json_array();
    for (size_t i = 0; i < SIM_FAULT_KINDS; i++) {
        const char *name = sim_fault_name((enum sim_fault)i), *text = sim_fault_text((enum sim_fault)i);
        if (o->json)
            json_array_append_new(list, json_pack("{s:s,s:s}", "name", name, "text", text));
        else
            printf("%-14s %s\n", name, text);
    }
    if (o->json)
        report_json_print("erad.sim-faults/1", json_pack("{s:O}", "faults", list));
    json_decref(list);
    return ERA_EXIT_OK;
}

static void print_version(void)
{
    puts("erasim (" PACKAGE_NAME ") " PACKAGE_VERSION "\n"
         "License Apache-2.0: <https://www.apache.org/licenses/LICENSE-2.0>\n"
         "This is free software: you are free to change and redistribute it.\n"
         "There is NO WARRANTY, to the extent permitted by law.");
}

static int verb(const struct sim_options *o, struct era_error *err)
{
    int status;
    switch (o->verb) {
    case SIM_VERB_RUN:
        return run(o, err);
    case SIM_VERB_SCRIPT:
        return script(o, err);
    case SIM_VERB_FAULTS:
        return list_faults(o);
    case SIM_VERB_SWEEP:
        status = sweep_run(o, err);
        break;
    default:
        status = sweep_mutants(o, err);
        break;
    }
    return status == ERA_EXIT_OK || status == ERA_EXIT_NEGATIVE || status == SWEEP_INTERRUPTED ? status
                                                                                               : fail(o, err);
}

int main(int argc, char **argv)
{
    struct sim_options o;
    struct era_error err = {0};
    int status = ERA_EXIT_OK;
    setlocale(LC_CTYPE, "");
    if (!sim_options_parse(&o, argc, argv, &err))
        return fail(&o, &err);
    if (sodium_init() < 0) {
        era_error_set(&err, ERA_EXIT_UNAVAILABLE, "", "", "cannot start libsodium");
        return fail(&o, &err);
    }
    if (o.help)
        sim_options_help(&o);
    else if (o.version)
        print_version();
    else
        status = verb(&o, &err);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "erasim: cannot write to standard output: %s\n", strerror(errno));
        return ERA_EXIT_CANNOT_WRITE;
    }
    return status;
}
