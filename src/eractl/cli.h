/* cli: what every verb of eractl stands on: its row in the table of verbs, its
 * arguments, and its one way to fail.
 * Invariants: data goes to stdout, messages to stderr; with --json stdout holds
 * one object, errors too; a handler returns the exit status (enum era_exit),
 * and whoever finds an error prints it, once. */
#ifndef ERA_ERACTL_CLI_H
#define ERA_ERACTL_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/verdict.h"
#include "src/host/error.h"

#define ERA_CLI_VALUES_MAX 256 /* options and arguments of one command line */

/* One option. A key that is a printable character is its short form too. */
struct era_option {
    const char *name; /* NULL ends a list */
    int key;
    const char *value; /* what stands for its value in the help; NULL: it takes none */
    bool many;         /* may be given more than once */
    const char *doc;
};

struct era_cli;

/* A row of the table of verbs. */
struct era_verb {
    const char *name; /* one or two words: "charter check" */
    int (*run)(struct era_cli *cli);
    const char *summary; /* one line */
    const char *usage;   /* what follows the name: "ID --key FILE" */
    size_t args_min, args_max;
    const struct era_option *options; /* NULL: only the common ones */
    const char *doc;                  /* more to say in its help; NULL: nothing */
};

struct era_value {
    int key;
    const char *text; /* NULL for an option without a value */
};

/* One run of eractl. */
struct era_cli {
    const struct era_verb *verb; /* NULL until it is known */
    bool json;
    size_t value_count;
    struct era_value values[ERA_CLI_VALUES_MAX];
    size_t arg_count;
    const char *args[ERA_CLI_VALUES_MAX];
};

/* Keys of the options that every verb has; those of single verbs are in verbs.h. */
enum { ERA_OPT_HELP = 0x100, ERA_OPT_VERSION, ERA_OPT_JSON, ERA_OPT_CONTROL, ERA_OPT_STATE, ERA_OPT_OWN };
extern const struct era_option era_common_options[];

/* Fill cli from what follows the verb. 0, or the status of an error already printed. */
int era_cli_parse(struct era_cli *cli, int argc, char **argv);
/* The help of cli's verb, on stdout. */
void era_cli_help(const struct era_cli *cli);

bool era_cli_has(const struct era_cli *cli, int key);
/* Its value; NULL when it was not given. */
const char *era_cli_text(const struct era_cli *cli, int key);
/* The next value of an option at or after *at, which moves past it; NULL: no more. Start with *at = 0. */
const char *era_cli_next(const struct era_cli *cli, int key, size_t *at);
/* A decimal value. False and an error printed when it is no number up to max; *out stays when it was not
 * given. */
bool era_cli_u64(struct era_cli *cli, int key, uint64_t max, uint64_t *out);
/* A duration ("500ms", "30s", "5m", "2h"), as above. */
bool era_cli_ms(struct era_cli *cli, int key, uint64_t *out);

/* ---- failing: all print the error and return its status ---- */

/* code   NULL: the status' own name. where, cure: "" for none. */
int era_fail(const struct era_cli *cli, int status, const char *code, const char *where, const char *cure,
             const char *format, ...) __attribute__((format(printf, 6, 7)));
int era_fail_error(const struct era_cli *cli, const struct era_error *err);
/* why: what exactly, NULL when the verdict says it all. */
int era_fail_verdict(const struct era_cli *cli, enum era_verdict v, const char *where, const char *why);
/* A wrong command line (64). cure "": see the verb's help. */
int era_fail_usage(const struct era_cli *cli, const char *cure, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* {"code","text","where","cure"} */
json_t *era_error_json(const char *code, const char *text, const char *where, const char *cure);

/* What the user should know, on stderr; the verb goes on. */
void era_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Print object with "schema": "erad.VERB/1" in front, and let go of it. Returns 0. */
int era_print_json(const struct era_cli *cli, json_t *object);

/* Show the question on the terminal and wait for yes. True at once with --yes and where no terminal is. */
bool era_confirm(const struct era_cli *cli, const char *question);

#endif
