/* report: what came of a run, as plain numbers that pass through a pipe, and for
 * people and programs to read. All of it follows from the seed: no wall time. */
#ifndef ERA_ERASIM_REPORT_H
#define ERA_ERASIM_REPORT_H

#include <jansson.h>

#include "src/erasim/check.h"
#include "src/erasim/options.h"

#define REPORT_CHECKS_MAX 32
#define REPORT_HOUR_MS    UINT64_C(3600000)

struct sim_result {
    uint64_t seed, nodes, validators, ran_ms, epoch_ms;
    sim_faults_t faults;
    bool strict, broken;
    uint64_t eras; /* the highest number of an era in force anywhere */
    struct sim_counts counts;
    char rule[16], text[SIM_BREAK_BYTES];
    uint64_t break_ms;
    size_t check_count;
    struct check_count checks[REPORT_CHECKS_MAX];
};

void report_take(struct sim_result *r, const struct sim *s, const struct check *check);
uint64_t report_node_hours(const struct sim_result *r); /* whole ones */

/* A run. */
void report_print(const struct sim_result *r, const struct sim_options *o);
json_t *report_json(const struct sim_result *r, const struct sim_options *o);
/* Which rule, when and where, and the command that does it again. */
void report_break(const struct sim_result *r, const struct sim_options *o);

/* Sums over the runs of a sweep. */
struct sim_totals {
    uint64_t runs, ran_ms, node_ms, nodes;
    struct sim_counts counts;            /* convergence_ms_max: of all */
    uint64_t struck_in[SIM_FAULT_KINDS]; /* runs in which it struck */
    size_t check_count;
    struct check_count checks[REPORT_CHECKS_MAX];
};
void report_add(struct sim_totals *t, const struct sim_result *r);
void report_totals(const struct sim_totals *t, const struct sim_options *o);
json_t *report_totals_json(const struct sim_totals *t, const struct sim_options *o);

/* {"schema":"erad.<verb>/1", …} on a line of stdout; takes object over. */
void report_json_print(const char *schema, json_t *object);

#endif
