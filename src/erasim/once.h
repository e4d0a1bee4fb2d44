/* once: one run as the command line asks for it. */
#ifndef ERA_ERASIM_ONCE_H
#define ERA_ERASIM_ONCE_H

#include "src/erasim/report.h"

#define ONCE_NODE_BYTES ((uint64_t)3 << 20) /* measured: what a node takes with its watchers, and some room  \
                                             */

/* The plan of a seed under these options. */
struct sim_plan once_plan(const struct sim_options *o, uint64_t seed);
/* runs at a time that fit into the memory there is. False: not even one. nodes: of each. */
bool once_fits(uint64_t nodes, uint64_t runs, struct era_error *err);
/* Trace and picture are written if the options ask for them. False: err. */
bool once_run(const struct sim_options *o, uint64_t seed, struct sim_result *out, struct era_error *err);
/* A file for data, "-" is stdout. NULL: err. */
FILE *once_open(const char *path, const char *what, struct era_error *err);
/* False: not all of it was written. */
bool once_close(FILE *file, const char *path, const char *what, struct era_error *err);

#endif
