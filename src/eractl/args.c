/* The command line of one verb. We look at every option before argp does, so
 * that a mistyped one is answered with the nearest name and, with --json, in
 * JSON; argp then splits the line and writes the help. */
#include <argp.h>
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/fraction.h"
#include "src/base/nearest.h"
#include "src/eractl/cli.h"
#include "src/eractl/text.h"

#define OPTIONS_MAX 48

const struct era_option era_common_options[] = {
    {"json", ERA_OPT_JSON, NULL, false, "one JSON object on standard output, errors too"},
    {"control", ERA_OPT_CONTROL, "PATH", false, "the daemon's control socket"},
    {"state", ERA_OPT_STATE, "DIR", false,
     "the daemon's state directory (otherwise ERAD_STATE, /run/erad, /var/lib/erad)"},
    {"help", ERA_OPT_HELP, NULL, false, "this help"},
    {"version", ERA_OPT_VERSION, NULL, false, "version and licence"},
    {0},
};

static bool has_short(const struct era_option *o)
{
    return o->key < 0x100 && isalnum(o->key);
}

/* Options of the verb, then the common ones. */
static const struct era_option *option_at(const struct era_verb *verb, size_t i)
{
    const struct era_option *own = verb ? verb->options : NULL;
    for (; own && own->name; own++, i--)
        if (i == 0)
            return own;
    for (const struct era_option *o = era_common_options; o->name; o++, i--)
        if (i == 0)
            return o;
    return NULL;
}

static const struct era_option *option_of_key(const struct era_verb *verb, int key)
{
    const struct era_option *o;
    for (size_t i = 0; (o = option_at(verb, i)); i++)
        if (o->key == key)
            return o;
    return NULL;
}

static int unknown_option(const struct era_cli *cli, const char *word)
{
    const struct era_option *o;
    struct era_nearest near = {.word = word};
    char cure[160] = "", shown[96];
    for (size_t i = 0; (o = option_at(cli->verb, i)); i++)
        era_nearest_try(&near, o->name);
    if (era_nearest_found(&near))
        snprintf(cure, sizeof cure, "did you mean --%s?", era_nearest_found(&near));
    return era_fail_usage(cli, cure, "there is no option --%s", era_text_escape(word, shown, sizeof shown));
}

/* Look up --name or --name=value as getopt does: whole, or a beginning that fits one option only. */
static int find_long(const struct era_cli *cli, const char *word, const struct era_option **out)
{
    char name[64];
    size_t len = strcspn(word, "=");
    const struct era_option *o;
    *out = NULL;
    snprintf(name, sizeof name, "%.*s", (int)len, word);
    if (len >= sizeof name || len == 0)
        return unknown_option(cli, name);
    for (size_t i = 0; (o = option_at(cli->verb, i)); i++) {
        if (strcmp(o->name, name) == 0) {
            *out = o;
            break;
        }
        if (strncmp(o->name, name, len) != 0)
            continue;
        if (*out)
            return era_fail_usage(cli, "", "--%s may be --%s or --%s", name, (*out)->name, o->name);
        *out = o;
    }
    if (!*out)
        return unknown_option(cli, name);
    if (word[len] == '=' && !(*out)->value)
        return era_fail_usage(cli, "", "--%s takes no value", (*out)->name);
    return 0;
}

static int lacks_value(const struct era_cli *cli, const struct era_option *o)
{
    return era_fail_usage(cli, "", "--%s needs a value: %s", o->name, o->value);
}

/* One word of the line. *skip: its value is the next word. */
static int check_word(const struct era_cli *cli, const char *word, const char *next, bool *skip)
{
    const struct era_option *o;
    if (word[1] == '-') {
        int status = find_long(cli, word + 2, &o);
        if (status == 0 && o->value && !strchr(word, '=')) {
            *skip = true;
            if (!next)
                return lacks_value(cli, o);
        }
        return status;
    }
    for (const char *c = word + 1; *c; c++) {
        o = isalnum((unsigned char)*c) ? option_of_key(cli->verb, *c) : NULL;
        if (!o)
            return era_fail_usage(cli, "", "there is no option -%c", isprint((unsigned char)*c) ? *c : '?');
        if (!o->value)
            continue;
        *skip = c[1] == '\0';
        return *skip && !next ? lacks_value(cli, o) : 0;
    }
    return 0;
}

static int check_words(const struct era_cli *cli, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        bool skip = false;
        if (strcmp(argv[i], "--") == 0)
            return 0;
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            continue;
        int status = check_word(cli, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &skip);
        if (status != 0)
            return status;
        i += skip;
    }
    return 0;
}

static error_t take(int key, char *arg, struct argp_state *state)
{
    struct era_cli *cli = state->input;
    if (key == ARGP_KEY_ARG) {
        cli->args[cli->arg_count++] = arg;
        return 0;
    }
    if (!option_of_key(cli->verb, key))
        return ARGP_ERR_UNKNOWN;
    cli->values[cli->value_count++] = (struct era_value){key, arg};
    return 0;
}

/* argp's form of the options of a verb. */
static void argp_options(const struct era_verb *verb, struct argp_option out[OPTIONS_MAX + 1])
{
    const struct era_option *o;
    size_t n = 0;
    for (; (o = option_at(verb, n)); n++) {
        assert(n < OPTIONS_MAX);
        out[n] =
            (struct argp_option){.name = o->name, .key = o->key, .arg = o->value, .doc = o->doc, .group = 1};
        if (o->key < ERA_OPT_OWN && !has_short(o))
            out[n].group = 2;
    }
    out[n] = (struct argp_option){0};
}

void era_cli_help(const struct era_cli *cli)
{
    const struct era_verb *v = cli->verb;
    struct argp_option options[OPTIONS_MAX + 1];
    char name[80], *doc = NULL;
    argp_options(v, options);
    snprintf(name, sizeof name, "eractl %s", v->name);
    if (asprintf(&doc, "%c%s.\v%s", v->summary[0] - 'a' + 'A', v->summary + 1, v->doc ? v->doc : "") < 0)
        abort();
    struct argp argp = {.options = options, .args_doc = v->usage, .doc = doc};
    argp_help(&argp, stdout, ARGP_HELP_USAGE | ARGP_HELP_DOC | ARGP_HELP_LONG, name);
    free(doc);
}

static int check_counts(const struct era_cli *cli)
{
    const struct era_verb *v = cli->verb;
    char cure[256], shown[96];
    snprintf(cure, sizeof cure, "usage: eractl %s %s", v->name, v->usage);
    if (cli->arg_count < v->args_min)
        return era_fail_usage(
            cli, cure, cli->arg_count == 0 ? "%s needs an argument" : "%s needs one more argument", v->name);
    if (cli->arg_count > v->args_max)
        return era_fail_usage(cli, cure, "one argument too many: %s",
                              era_text_escape(cli->args[v->args_max], shown, sizeof shown));
    for (size_t i = 0; i < cli->value_count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct era_option *o = option_of_key(v, cli->values[i].key);
            if (cli->values[j].key == o->key && !o->many)
                return era_fail_usage(cli, "", "--%s is given twice", o->name);
        }
    return 0;
}

int era_cli_parse(struct era_cli *cli, int argc, char **argv)
{
    struct argp_option options[OPTIONS_MAX + 1];
    argp_options(cli->verb, options);
    struct argp argp = {.options = options, .parser = take};
    if (argc > ERA_CLI_VALUES_MAX)
        return era_fail_usage(cli, "", "the command line has more than %d words", ERA_CLI_VALUES_MAX);
    int status = check_words(cli, argc, argv);
    if (status != 0)
        return status;
    if (argp_parse(&argp, argc, argv, ARGP_SILENT, NULL, cli) != 0)
        return era_fail_usage(cli, "", "the command line is not understood");
    if (era_cli_has(cli, ERA_OPT_HELP) || era_cli_has(cli, ERA_OPT_VERSION))
        return 0;
    return check_counts(cli);
}

bool era_cli_has(const struct era_cli *cli, int key)
{
    for (size_t i = 0; i < cli->value_count; i++)
        if (cli->values[i].key == key)
            return true;
    return false;
}

const char *era_cli_next(const struct era_cli *cli, int key, size_t *at)
{
    for (; *at < cli->value_count; (*at)++)
        if (cli->values[*at].key == key)
            return cli->values[(*at)++].text;
    return NULL;
}

const char *era_cli_text(const struct era_cli *cli, int key)
{
    size_t at = 0;
    return era_cli_next(cli, key, &at);
}

bool era_cli_u64(struct era_cli *cli, int key, uint64_t max, uint64_t *out)
{
    const char *text = era_cli_text(cli, key);
    if (!text || era_u64_parse(text, max, out))
        return true;
    char shown[96];
    era_fail_usage(cli, "write digits only", "--%s is no number from 0 to %llu: %s",
                   option_of_key(cli->verb, key)->name, (unsigned long long)max,
                   era_text_escape(text, shown, sizeof shown));
    return false;
}

bool era_cli_ms(struct era_cli *cli, int key, uint64_t *out)
{
    const char *text = era_cli_text(cli, key);
    if (!text || era_duration_parse(text, out))
        return true;
    char shown[96];
    era_fail_usage(cli, "write it like 500ms, 30s, 5m or 2h", "--%s is no duration: %s",
                   option_of_key(cli->verb, key)->name, era_text_escape(text, shown, sizeof shown));
    return false;
}
