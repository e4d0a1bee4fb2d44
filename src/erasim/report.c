#include "src/erasim/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_BYTES 32

/* ---- taking ---- */

static uint64_t highest_era(const struct sim *s)
{
    uint64_t highest = 0;
    for (size_t i = 0; i < s->node_count; i++) {
        const struct era_node *n = s->nodes[i].node;
        struct era_view view;
        if (!n)
            continue;
        era_node_view(n, era_node_network_component(n), &view);
        const struct era_entry *e = era_view_entry(&view);
        if (e && e->record.era > highest)
            highest = e->record.era;
    }
    return highest;
}

static void take_checks(struct check_count *out, size_t *count, const struct check_count *from,
                        size_t from_count)
{
    for (size_t i = 0; i < from_count; i++) {
        size_t at = 0;
        while (at < *count && strcmp(out[at].rule, from[i].rule) != 0)
            at++;
        if (at == REPORT_CHECKS_MAX)
            return;
        if (at == *count)
            out[(*count)++] = (struct check_count){0};
        memcpy(out[at].rule, from[i].rule, sizeof out[at].rule);
        out[at].looked += from[i].looked;
    }
}

void report_take(struct sim_result *r, const struct sim *s, const struct check *check)
{
    const struct check_count *counts;
    size_t count = check_counts(check, &counts);
    memset(r, 0, sizeof *r); /* it passes through a pipe, padding and all */
    r->seed = s->plan.seed;
    r->nodes = s->node_count;
    r->validators = s->plan.validators;
    r->ran_ms = s->now_ms;
    r->epoch_ms = s->plan.epoch_ms;
    r->faults = s->plan.faults;
    r->strict = s->plan.strict;
    r->broken = s->broken;
    r->eras = highest_era(s);
    r->counts = s->counts;
    memcpy(r->rule, s->break_rule, sizeof r->rule);
    memcpy(r->text, s->break_text, sizeof r->text);
    r->break_ms = s->break_ms;
    take_checks(r->checks, &r->check_count, counts, count);
}

uint64_t report_node_hours(const struct sim_result *r)
{
    return r->nodes * r->ran_ms / REPORT_HOUR_MS;
}

void report_add(struct sim_totals *t, const struct sim_result *r)
{
    struct sim_counts *sum = &t->counts;
    const struct sim_counts *c = &r->counts;
    t->runs++;
    t->nodes += r->nodes;
    t->ran_ms += r->ran_ms;
    t->node_ms += r->nodes * r->ran_ms;
    sum->steps += c->steps;
    sum->envelopes += c->envelopes;
    sum->frames += c->frames;
    sum->bytes += c->bytes;
    sum->restarts += c->restarts;
    sum->proposals += c->proposals;
    sum->adopted += c->adopted;
    sum->rotations += c->rotations;
    sum->events_emitted += c->events_emitted;
    sum->events_delivered += c->events_delivered;
    sum->convergence_ms_sum += c->convergence_ms_sum;
    sum->convergence_count += c->convergence_count;
    if (c->convergence_ms_max > sum->convergence_ms_max)
        sum->convergence_ms_max = c->convergence_ms_max;
    for (size_t i = 0; i < SIM_FAULT_KINDS; i++) {
        sum->struck[i] += c->struck[i];
        t->struck_in[i] += c->struck[i] > 0;
    }
    take_checks(t->checks, &t->check_count, r->checks, r->check_count);
}

/* ---- for people ---- */

/* 1234567 as 1,234,567. */
static const char *grouped(uint64_t n, char out[NUMBER_BYTES])
{
    char digits[NUMBER_BYTES];
    size_t len = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, n), used = 0;
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

static void pair(const char *label, uint64_t n, const char *more)
{
    char text[NUMBER_BYTES];
    printf("  %-22s %15s%s%s\n", label, grouped(n, text), *more ? "  " : "", more);
}

/* Tenths of an hour. */
static uint64_t tenths_of_hours(uint64_t ms)
{
    return ms / (REPORT_HOUR_MS / 10);
}

static void print_counts(const struct sim_counts *c, uint64_t node_ms)
{
    char text[96], number[NUMBER_BYTES];
    pair("steps", c->steps, "");
    pair("statements sent", c->envelopes, "");
    pair("proposals", c->proposals, "");
    pair("adoptions", c->adopted, "");
    pair("charters followed", c->rotations, "");
    snprintf(text, sizeof text, "(handed over %s times)", grouped(c->events_delivered, number));
    pair("events emitted", c->events_emitted, text);
    pair("restarts", c->restarts, "");
    snprintf(text, sizeof text, "ms at most, %s on average, over %" PRIu64,
             grouped(c->convergence_count ? c->convergence_ms_sum / c->convergence_count : 0, number),
             c->convergence_count);
    pair("convergence", c->convergence_ms_max, c->convergence_count ? text : "never measured");
    pair("bytes a node-hour", node_ms >= 1000 ? c->bytes * 3600 / (node_ms / 1000) : 0, "");
}

static void print_checks(const struct check_count *checks, size_t count)
{
    fputs("\nChecked\n", stdout);
    for (size_t i = 0; i < count; i++)
        pair(checks[i].rule, checks[i].looked, checks[i].looked ? "" : "never looked at");
    if (count == 0)
        puts("  nothing");
}

static void print_faults(const struct sim_result *r)
{
    fputs("\nFaults\n", stdout);
    for (size_t i = 0; i < SIM_FAULT_KINDS; i++) {
        bool allowed = r->faults >> i & 1;
        const char *name = sim_fault_name((enum sim_fault)i);
        if (allowed)
            pair(name, r->counts.struck[i], r->counts.struck[i] ? "" : "allowed, and never struck");
        else if (r->counts.struck[i])
            pair(name, r->counts.struck[i], "of another's making");
    }
    if (r->faults == 0)
        puts("  none allowed");
}

void report_print(const struct sim_result *r, const struct sim_options *o)
{
    uint64_t hours = tenths_of_hours(r->ran_ms), node_hours = tenths_of_hours(r->ran_ms * r->nodes);
    printf("Seed %" PRIu64 ": %" PRIu64 " nodes for %" PRIu64 ".%" PRIu64 " h, %" PRIu64 ".%" PRIu64
           " node-hours; %" PRIu64 " epochs of %" PRIu64 " s; strict emission %s\n\n",
           r->seed, r->nodes, hours / 10, hours % 10, node_hours / 10, node_hours % 10,
           r->ran_ms / r->epoch_ms, r->epoch_ms / 1000, r->strict ? "on" : "off");
    pair("eras", r->eras, "");
    print_counts(&r->counts, r->nodes * r->ran_ms);
    print_faults(r);
    print_checks(r->checks, r->check_count);
    fputs("\n", stdout);
    if (r->broken)
        report_break(r, o);
    else
        puts("Every rule held.");
}

void report_break(const struct sim_result *r, const struct sim_options *o)
{
    char command[SIM_COMMAND_BYTES];
    printf("BROKEN: %s in epoch %" PRIu64 " (%" PRIu64 " ms), seed %" PRIu64 "\n  %s\n  again: %s\n", r->rule,
           r->epoch_ms ? r->break_ms / r->epoch_ms : 0, r->break_ms, r->seed, r->text,
           sim_options_replay(o, r->seed, command));
}

void report_totals(const struct sim_totals *t, const struct sim_options *o)
{
    uint64_t hours = tenths_of_hours(t->node_ms);
    printf("%" PRIu64 " runs, %" PRIu64 ".%" PRIu64 " node-hours\n\n", t->runs, hours / 10, hours % 10);
    print_counts(&t->counts, t->node_ms);
    fputs("\nFaults, and in how many of a hundred runs each struck\n", stdout);
    for (size_t i = 0; i < SIM_FAULT_KINDS; i++) {
        char text[64];
        uint64_t percent = t->runs ? t->struck_in[i] * 100 / t->runs : 0;
        snprintf(text, sizeof text, "%3" PRIu64 " %%%s", percent,
                 t->struck_in[i] ? "" : "  allowed, and never struck");
        if (o->faults >> i & 1 || t->struck_in[i])
            pair(sim_fault_name((enum sim_fault)i), t->counts.struck[i], text);
    }
    print_checks(t->checks, t->check_count);
    fputs("\n", stdout);
}

/* ---- for programs ---- */

static json_t *u64(uint64_t n)
{
    return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

static json_t *counts_json(const struct sim_counts *c, uint64_t node_ms)
{
    json_t *o = json_object();
    json_object_set_new(o, "steps", u64(c->steps));
    json_object_set_new(o, "statements", u64(c->envelopes));
    json_object_set_new(o, "frames", u64(c->frames));
    json_object_set_new(o, "bytes", u64(c->bytes));
    json_object_set_new(o, "restarts", u64(c->restarts));
    json_object_set_new(o, "proposals", u64(c->proposals));
    json_object_set_new(o, "adopted", u64(c->adopted));
    json_object_set_new(o, "rotations", u64(c->rotations));
    json_object_set_new(o, "events_emitted", u64(c->events_emitted));
    json_object_set_new(o, "events_delivered", u64(c->events_delivered));
    json_object_set_new(o, "convergence_ms_max", u64(c->convergence_ms_max));
    json_object_set_new(o, "convergence_ms_mean",
                        u64(c->convergence_count ? c->convergence_ms_sum / c->convergence_count : 0));
    json_object_set_new(o, "convergence_count", u64(c->convergence_count));
    json_object_set_new(o, "node_ms", u64(node_ms));
    return o;
}

static json_t *checks_json(const struct check_count *checks, size_t count)
{
    json_t *o = json_object();
    for (size_t i = 0; i < count; i++)
        json_object_set_new(o, checks[i].rule, u64(checks[i].looked));
    return o;
}

static json_t *break_json(const struct sim_result *r, const struct sim_options *o)
{
    char command[SIM_COMMAND_BYTES];
    json_t *b = json_object();
    json_object_set_new(b, "rule", json_string(r->rule));
    json_object_set_new(b, "text", json_string(r->text));
    json_object_set_new(b, "seed", u64(r->seed));
    json_object_set_new(b, "at_ms", u64(r->break_ms));
    json_object_set_new(b, "epoch", u64(r->epoch_ms ? r->break_ms / r->epoch_ms : 0));
    json_object_set_new(b, "replay", json_string(sim_options_replay(o, r->seed, command)));
    return b;
}

json_t *report_json(const struct sim_result *r, const struct sim_options *o)
{
    json_t *out = json_object(), *struck = json_object();
    for (size_t i = 0; i < SIM_FAULT_KINDS; i++)
        if (r->faults >> i & 1 || r->counts.struck[i])
            json_object_set_new(struck, sim_fault_name((enum sim_fault)i), u64(r->counts.struck[i]));
    json_object_set_new(out, "seed", u64(r->seed));
    json_object_set_new(out, "nodes", u64(r->nodes));
    json_object_set_new(out, "validators", u64(r->validators));
    json_object_set_new(out, "virtual_ms", u64(r->ran_ms));
    json_object_set_new(out, "epoch_ms", u64(r->epoch_ms));
    json_object_set_new(out, "strict", json_boolean(r->strict));
    json_object_set_new(out, "eras", u64(r->eras));
    json_object_set_new(out, "counts", counts_json(&r->counts, r->nodes * r->ran_ms));
    json_object_set_new(out, "struck", struck);
    json_object_set_new(out, "checked", checks_json(r->checks, r->check_count));
    json_object_set_new(out, "broken", r->broken ? break_json(r, o) : json_null());
    return out;
}

json_t *report_totals_json(const struct sim_totals *t, const struct sim_options *o)
{
    json_t *out = json_object(), *faults = json_object();
    for (size_t i = 0; i < SIM_FAULT_KINDS; i++)
        if (o->faults >> i & 1 || t->struck_in[i])
            json_object_set_new(
                faults, sim_fault_name((enum sim_fault)i),
                json_pack("{s:o,s:o}", "struck", u64(t->counts.struck[i]), "runs", u64(t->struck_in[i])));
    json_object_set_new(out, "runs", u64(t->runs));
    json_object_set_new(out, "counts", counts_json(&t->counts, t->node_ms));
    json_object_set_new(out, "faults", faults);
    json_object_set_new(out, "checked", checks_json(t->checks, t->check_count));
    return out;
}

void report_json_print(const char *schema, json_t *object)
{
    json_t *out = json_object();
    json_object_set_new(out, "schema", json_string(schema));
    json_object_update_missing(out, object);
    json_dumpf(out, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(out);
    json_decref(object);
}
