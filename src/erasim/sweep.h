/* sweep: many seeds, a process each, some at a time; and mutants, whole sweeps of
 * other builds of this program. Whatever it started is gone when it returns. */
#ifndef ERA_ERASIM_SWEEP_H
#define ERA_ERASIM_SWEEP_H

#include "src/erasim/report.h"

#define SWEEP_INTERRUPTED 130 /* exit status */
#define SWEEP_SEEDS_MAX   10000000

/* Exit status; err is filled when it is neither 0, 1 nor SWEEP_INTERRUPTED. */
int sweep_run(const struct sim_options *o, struct era_error *err);
int sweep_mutants(const struct sim_options *o, struct era_error *err);

#endif
