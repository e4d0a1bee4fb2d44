/* options: the command line of erasim, one table of verbs and one of options.
 * Says nothing itself: what is wrong comes back in an era_error. */
#ifndef ERA_ERASIM_OPTIONS_H
#define ERA_ERASIM_OPTIONS_H

#include "src/erasim/faults.h"
#include "src/host/error.h"

#define SIM_HOURS_MAX     87600  /* ten years */
#define SIM_EPOCH_S_MAX   604800 /* a week */
#define SIM_JOBS_MAX      256
#define SIM_COMMAND_BYTES 512

enum sim_verb { SIM_VERB_RUN, SIM_VERB_SWEEP, SIM_VERB_SCRIPT, SIM_VERB_MUTANTS, SIM_VERB_FAULTS, SIM_VERBS };

struct sim_options {
    const char *program; /* as it was called, for commands that replay */
    enum sim_verb verb;
    bool help, help_verb, version, json;
    bool unbounded; /* more faulty stake and signers than the rules bear */
    uint64_t seed, seed_first, seed_last;
    bool seeds_given;
    uint64_t nodes, hours; /* 0: the seed chooses */
    uint64_t epoch_s;      /* 0: the plan's */
    uint64_t jobs;         /* 0: as many as there are processors */
    sim_faults_t faults;
    const char *fault_list; /* NULL: not said */
    const char *strict;     /* "on", "off"; NULL: the seed chooses */
    bool neighbours_given;
    uint64_t neighbours;
    const char *trace, *svg, *spread, *dir, *file;
};

/* False: err says what is wrong; o->json is right in any case. */
bool sim_options_parse(struct sim_options *o, int argc, char **argv, struct era_error *err);
/* To stdout. */
void sim_options_help(const struct sim_options *o);

/* "erasim run --seed 7 --faults loss": the command that does the same run again; in out. Returns out. */
const char *sim_options_replay(const struct sim_options *o, uint64_t seed, char out[SIM_COMMAND_BYTES]);
/* What of a sweep is left from seed first on. */
const char *sim_options_rest(const struct sim_options *o, uint64_t first, char out[SIM_COMMAND_BYTES]);

#endif
