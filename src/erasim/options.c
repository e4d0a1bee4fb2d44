#include "src/erasim/options.h"

#include <argp.h>
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/fraction.h"
#include "src/base/nearest.h"
#include "src/base/verdict.h"
#include "src/erasim/sim.h"

#define ON(verb)    (1u << SIM_VERB_##verb)
#define SHOWN_BYTES 96

struct verb {
    const char *name, *summary, *usage, *doc;
};

static const struct verb verbs[SIM_VERBS] = {
    [SIM_VERB_RUN] =
        {"run", "One run, from its seed, and a report", "",
         "Status 0: every rule held. 1: one was broken; the report says which, when and where, and "
         "the command that does the same run again."},
    [SIM_VERB_SWEEP] =
        {"sweep", "Many seeds, in several processes, until one breaks a rule", "",
         "Status 0: every rule held with every seed. 1: one was broken. 130: interrupted; what was "
         "covered is said, and the command that goes on."},
    [SIM_VERB_SCRIPT] = {"script", "One scenario file, and whether what it expects came true", "FILE",
                         "Scenario files are described in erasim(1)."},
    [SIM_VERB_MUTANTS] =
        {"mutants", "Builds with one rule broken: each must be caught by a sweep", "",
         "A mutant is an executable erasim-mutant-NAME beside this program, or in --dir. Status 1: "
         "one survived."},
    [SIM_VERB_FAULTS] = {"faults", "The kinds of faults, for --faults", "", ""},
};

enum key {
    KEY_SEED,
    KEY_SEEDS,
    KEY_NODES,
    KEY_HOURS,
    KEY_EPOCH,
    KEY_FAULTS,
    KEY_STRICT,
    KEY_NEIGHBOURS,
    KEY_UNBOUNDED,
    KEY_JOBS,
    KEY_DIR,
    KEY_TRACE,
    KEY_SVG,
    KEY_SPREAD,
    KEY_JSON,
    KEY_HELP,
    KEY_VERSION
};

struct sim_option {
    const char *name, *dashed;
    enum key key;
    unsigned verbs;
    const char *value; /* NULL: takes none */
    const char *doc;
};

#define EVERY ((1u << SIM_VERBS) - 1)
static const struct sim_option options[] = {
    {"seed", "--seed", KEY_SEED, ON(RUN), "S", "where everything of the run follows from (default 1)"},
    {"seeds", "--seeds", KEY_SEEDS, ON(SWEEP) | ON(MUTANTS), "A..B",
     "from the first to the last (default 1..100)"},
    {"nodes", "--nodes", KEY_NODES, ON(RUN) | ON(SWEEP) | ON(MUTANTS), "N",
     "honest nodes (default: the seed chooses)"},
    {"hours", "--hours", KEY_HOURS, ON(RUN) | ON(SWEEP) | ON(MUTANTS), "H",
     "virtual hours of each node (default: the seed chooses)"},
    {"epoch", "--epoch", KEY_EPOCH, ON(RUN) | ON(SWEEP), "SECONDS",
     "virtual length of an epoch; long runs want long ones (default 60)"},
    {"faults", "--faults", KEY_FAULTS, ON(RUN) | ON(SWEEP) | ON(MUTANTS), "LIST",
     "kinds that may strike: loss,cut or all,-jump or none (default all)"},
    {"strict", "--strict", KEY_STRICT, ON(RUN) | ON(SWEEP) | ON(MUTANTS), "on|off",
     "strict emission (default: the seed chooses)"},
    {"neighbours", "--neighbours", KEY_NEIGHBOURS, ON(RUN) | ON(SWEEP), "N",
     "that a node seeks; with no more nodes than that, or 0, only peers of its configuration (default 7)"},
    {"unbounded", "--unbounded", KEY_UNBOUNDED, ON(RUN) | ON(SWEEP), NULL,
     "the hostile hold more than the rules bear: only what holds even then is checked"},
    {"jobs", "--jobs", KEY_JOBS, ON(SWEEP) | ON(MUTANTS), "J",
     "processes at a time (default: the processors)"},
    {"dir", "--dir", KEY_DIR, ON(MUTANTS), "DIR", "where the mutants are (default: beside this program)"},
    {"trace", "--trace", KEY_TRACE, ON(RUN) | ON(SCRIPT), "FILE",
     "what happened, a line each; - is standard output"},
    {"svg", "--svg", KEY_SVG, ON(RUN) | ON(SCRIPT), "FILE", "a picture: a lane a node"},
    {"spread", "--spread", KEY_SPREAD, ON(RUN), "FILE", "a picture: how one statement came to every node"},
    {"json", "--json", KEY_JSON, EVERY, NULL, "one JSON object on standard output, errors too"},
    {"help", "--help", KEY_HELP, EVERY, NULL, "this help"},
    {"version", "--version", KEY_VERSION, EVERY, NULL, "version and licence"},
};
#define OPTIONS (sizeof options / sizeof options[0])

static bool wrong(struct era_error *err, const char *cure, const char *text, const char *word)
{
    char shown[SHOWN_BYTES];
    return era_error_set(err, ERA_EXIT_USAGE, "", cure, "%s: %s", text,
                         era_text_escape(word, shown, sizeof shown));
}

/* ---- values ---- */

static bool number(const char *text, uint64_t min, uint64_t max, const char *name, uint64_t *out,
                   struct era_error *err)
{
    uint64_t v;
    char what[SHOWN_BYTES];
    if (era_u64_parse(text, max, &v) && v >= min) {
        *out = v;
        return true;
    }
    snprintf(what, sizeof what, "--%s is no number from %" PRIu64 " to %" PRIu64, name, min, max);
    return wrong(err, "write digits only", what, text);
}

static bool seeds(const char *text, struct sim_options *o, struct era_error *err)
{
    char first[24];
    size_t len = strcspn(text, ".");
    if (len == 0 || len >= sizeof first || strncmp(text + len, "..", 2) != 0)
        return wrong(err, "write it like 1..500", "--seeds is no range", text);
    snprintf(first, sizeof first, "%.*s", (int)len, text);
    if (!era_u64_parse(first, UINT64_MAX - 1, &o->seed_first) ||
        !era_u64_parse(text + len + 2, UINT64_MAX - 1, &o->seed_last))
        return wrong(err, "write it like 1..500", "--seeds wants two numbers", text);
    o->seeds_given = true;
    if (o->seed_first > o->seed_last)
        return wrong(err, "put the smaller number first", "--seeds goes backwards", text);
    return true;
}

static bool faults(const char *text, struct sim_options *o, struct era_error *err)
{
    const char *word;
    size_t len;
    char known[SHOWN_BYTES], shown[SHOWN_BYTES], cure[ERA_NEAREST_CURE_BYTES];
    o->fault_list = text;
    if (sim_faults_parse(text, &o->faults, &word, &len))
        return true;
    if (len > 0 && *word == '-') {
        word++;
        len--;
    }
    snprintf(known, sizeof known, "%.*s", (int)(len < sizeof known ? len : sizeof known - 1), word);
    struct era_nearest near = {.word = known};
    for (size_t i = 0; i < SIM_FAULT_KINDS; i++)
        era_nearest_try(&near, sim_fault_name((enum sim_fault)i));
    era_nearest_try(&near, "all");
    era_nearest_try(&near, "none");
    era_nearest_cure(&near, "`erasim faults` lists them", cure);
    return era_error_set(err, ERA_EXIT_USAGE, "", cure, "--faults names no kind of fault: %s",
                         *known ? era_text_escape(known, shown, sizeof shown) : "(an empty word)");
}

static bool take(struct sim_options *o, const struct sim_option *option, const char *value,
                 struct era_error *err)
{
    switch (option->key) {
    case KEY_SEED:
        return number(value, 0, UINT64_MAX - 1, "seed", &o->seed, err);
    case KEY_SEEDS:
        return seeds(value, o, err);
    case KEY_NODES:
        return number(value, 1, SIM_NODES_MAX, "nodes", &o->nodes, err);
    case KEY_HOURS:
        return number(value, 1, SIM_HOURS_MAX, "hours", &o->hours, err);
    case KEY_EPOCH:
        return number(value, 1, SIM_EPOCH_S_MAX, "epoch", &o->epoch_s, err);
    case KEY_FAULTS:
        return faults(value, o, err);
    case KEY_STRICT:
        o->strict = value;
        return strcmp(value, "on") == 0 || strcmp(value, "off") == 0 ||
               wrong(err, "write on or off", "--strict is neither", value);
    case KEY_NEIGHBOURS:
        o->neighbours_given = true;
        return number(value, 0, ERA_OVERLAY_TARGET_MAX, "neighbours", &o->neighbours, err);
    case KEY_UNBOUNDED:
        o->unbounded = true;
        return true;
    case KEY_JOBS:
        return number(value, 1, SIM_JOBS_MAX, "jobs", &o->jobs, err);
    case KEY_DIR:
        o->dir = value;
        return true;
    case KEY_TRACE:
        o->trace = value;
        return true;
    case KEY_SVG:
        o->svg = value;
        return true;
    case KEY_SPREAD:
        o->spread = value;
        return true;
    case KEY_JSON:
        o->json = true;
        return true;
    case KEY_HELP:
        o->help = true;
        return true;
    case KEY_VERSION:
        o->version = true;
        return true;
    }
    return false;
}

/* ---- words ---- */

static bool find_verb(struct sim_options *o, const char *word, struct era_error *err)
{
    char cure[ERA_NEAREST_CURE_BYTES];
    struct era_nearest near = {.word = word};
    for (size_t i = 0; i < SIM_VERBS; i++) {
        era_nearest_try(&near, verbs[i].name);
        if (strcmp(verbs[i].name, word) == 0) {
            o->verb = (enum sim_verb)i;
            o->help_verb = true;
            return true;
        }
    }
    return wrong(err, era_nearest_cure(&near, "see `erasim --help`", cure), "there is no verb", word);
}

/* name[len], whole. NULL: err says what is wrong. */
static const struct sim_option *find_option(const struct sim_options *o, const char *name, size_t len,
                                            struct era_error *err)
{
    char word[SHOWN_BYTES], cure[ERA_NEAREST_CURE_BYTES], see[SHOWN_BYTES];
    snprintf(word, sizeof word, "--%.*s", (int)(len < sizeof word - 2 ? len : sizeof word - 3), name);
    struct era_nearest near = {.word = word};
    const struct sim_option *elsewhere = NULL;
    for (size_t i = 0; i < OPTIONS; i++) {
        bool same = strcmp(options[i].name, word + 2) == 0;
        if (!(options[i].verbs & 1u << o->verb)) {
            elsewhere = same ? &options[i] : elsewhere;
            continue;
        }
        if (same)
            return &options[i];
        era_nearest_try(&near, options[i].dashed);
    }
    snprintf(see, sizeof see, "see `erasim %s --help`", verbs[o->verb].name);
    if (elsewhere) {
        era_error_set(err, ERA_EXIT_USAGE, "", see, "%s takes no option %s", verbs[o->verb].name, word);
        return NULL;
    }
    wrong(err, era_nearest_cure(&near, see, cure), "there is no option", word);
    return NULL;
}

/* --name VALUE or --name=VALUE at argv[*i]. */
static bool option_word(struct sim_options *o, int argc, char **argv, int *i, unsigned *given,
                        struct era_error *err)
{
    const char *word = argv[*i] + 2, *value = strchr(word, '=');
    const struct sim_option *option = find_option(o, word, strcspn(word, "="), err);
    if (!option)
        return false;
    if (*given & 1u << option->key)
        return wrong(err, "give it once", "this option is given twice", option->name);
    *given |= 1u << option->key;
    if (!option->value)
        return value ? wrong(err, "leave the value out", "this option takes no value", option->name)
                     : take(o, option, NULL, err);
    if (!value && ++*i == argc)
        return wrong(err, "give it one", "this option needs a value", option->name);
    return take(o, option, value ? value + 1 : argv[*i], err);
}

static bool complete(const struct sim_options *o, struct era_error *err)
{
    if (o->help || o->version)
        return true;
    if (!o->help_verb)
        return era_error_set(err, ERA_EXIT_USAGE, "", "see `erasim --help`", "erasim needs a verb");
    if (o->verb == SIM_VERB_SCRIPT && !o->file)
        return era_error_set(err, ERA_EXIT_USAGE, "", "usage: erasim script FILE", "script needs a file");
    if (o->json && o->trace && strcmp(o->trace, "-") == 0)
        return era_error_set(err, ERA_EXIT_USAGE, "", "give --trace a file",
                             "--json and --trace - both want standard output");
    return true;
}

bool sim_options_parse(struct sim_options *o, int argc, char **argv, struct era_error *err)
{
    unsigned given = 0;
    *o = (struct sim_options){
        .program = argv[0], .seed = 1, .seed_first = 1, .seed_last = 100, .faults = SIM_FAULTS_ALL};
    for (int i = 1; i < argc; i++)
        o->json = o->json || strcmp(argv[i], "--json") == 0;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (word[0] == '-' && word[1] == '-' && word[2]) {
            if (!option_word(o, argc, argv, &i, &given, err))
                return false;
        } else if (word[0] == '-' && word[1]) {
            return wrong(err, "options are long: see `erasim --help`", "there is no option", word);
        } else if (!o->help_verb) {
            if (!find_verb(o, word, err))
                return false;
        } else if (o->verb == SIM_VERB_SCRIPT && !o->file) {
            o->file = word;
        } else
            return wrong(err, "leave it out", "one argument too many", word);
    }
    return complete(o, err);
}

/* ---- help ---- */

static void help_all(void)
{
    puts("Usage: erasim VERB [OPTION...]\n"
         "A network of nodes in one process and in virtual time: the code that erad runs,\n"
         "under faults, with every rule of the protocol watched.\n");
    for (size_t i = 0; i < SIM_VERBS; i++)
        printf("  %-9s %s\n", verbs[i].name, verbs[i].summary);
    puts("\nOptions of every verb:\n"
         "  --json     one JSON object on standard output, errors too\n"
         "  --help     this help\n"
         "  --version  version and licence\n"
         "\nEach verb has its own help: erasim VERB --help. See erasim(1).");
}

void sim_options_help(const struct sim_options *o)
{
    struct argp_option list[OPTIONS + 1] = {{0}};
    const struct verb *v = &verbs[o->verb];
    char name[32], doc[512];
    size_t n = 0;
    if (!o->help_verb) {
        help_all();
        return;
    }
    for (size_t i = 0; i < OPTIONS; i++)
        if (options[i].verbs & 1u << o->verb)
            list[n++] = (struct argp_option){.name = options[i].name,
                                             .key = 0x100 + (int)options[i].key,
                                             .arg = options[i].value,
                                             .doc = options[i].doc,
                                             .group = 1};
    snprintf(name, sizeof name, "erasim %s", v->name);
    snprintf(doc, sizeof doc, "%s.\v%s", v->summary, v->doc);
    struct argp argp = {.options = list, .args_doc = v->usage, .doc = doc};
    argp_help(&argp, stdout, ARGP_HELP_USAGE | ARGP_HELP_DOC | ARGP_HELP_LONG, name);
}

/* ---- commands for people to copy ---- */

static void add(char out[SIM_COMMAND_BYTES], const char *name, const char *value)
{
    size_t used = strlen(out);
    if (value)
        snprintf(out + used, SIM_COMMAND_BYTES - used, " --%s %s", name, value);
}

static void add_number(char out[SIM_COMMAND_BYTES], const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    add(out, name, value ? text : NULL);
}

static void add_plan(const struct sim_options *o, char out[SIM_COMMAND_BYTES])
{
    add_number(out, "nodes", o->nodes);
    add_number(out, "hours", o->hours);
    add_number(out, "epoch", o->epoch_s);
    add(out, "faults", o->fault_list);
    add(out, "strict", o->strict);
    if (o->neighbours_given)
        snprintf(out + strlen(out), SIM_COMMAND_BYTES - strlen(out), " --neighbours %" PRIu64, o->neighbours);
    if (o->unbounded)
        snprintf(out + strlen(out), SIM_COMMAND_BYTES - strlen(out), " --unbounded");
}

const char *sim_options_replay(const struct sim_options *o, uint64_t seed, char out[SIM_COMMAND_BYTES])
{
    snprintf(out, SIM_COMMAND_BYTES, "%s run --seed %" PRIu64, o->program, seed);
    add_plan(o, out);
    return out;
}

const char *sim_options_rest(const struct sim_options *o, uint64_t first, char out[SIM_COMMAND_BYTES])
{
    snprintf(out, SIM_COMMAND_BYTES, "%s sweep --seeds %" PRIu64 "..%" PRIu64, o->program, first,
             o->seed_last);
    add_number(out, "jobs", o->jobs);
    add_plan(o, out);
    return out;
}
