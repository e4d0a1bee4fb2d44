/* The one way to fail, and the few other things that every verb says. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/eractl/cli.h"
#include "src/eractl/print.h"
#include "src/eractl/verbs.h"

static const char *status_code(int status)
{
    switch ((enum era_exit)status) {
    case ERA_EXIT_USAGE:
        return "usage";
    case ERA_EXIT_DATA:
        return "bad-value";
    case ERA_EXIT_NO_INPUT:
        return "no-input";
    case ERA_EXIT_UNAVAILABLE:
        return "unavailable";
    case ERA_EXIT_BUG:
        return "bug";
    case ERA_EXIT_CANNOT_WRITE:
        return "cannot-write";
    case ERA_EXIT_TRY_LATER:
        return "try-later";
    case ERA_EXIT_INCOMPATIBLE:
        return "incompatible";
    case ERA_EXIT_PERMISSION:
        return "permission";
    case ERA_EXIT_CONFIG:
        return "config";
    case ERA_EXIT_OK:
    case ERA_EXIT_NEGATIVE:
        break;
    }
    return "negative";
}

json_t *era_error_json(const char *code, const char *text, const char *where, const char *cure)
{
    /* A text that is not UTF-8 would make json_pack fail: the safe copies never do. */
    char *t = era_text_safe(text), *w = era_text_safe(where), *c = era_text_safe(cure);
    json_t *o = json_pack("{s:s,s:s,s:s,s:s}", "code", code, "text", t, "where", w, "cure", c);
    free(t);
    free(w);
    free(c);
    return o;
}

static int fail(const struct era_cli *cli, int status, const char *code, const char *text, const char *where,
                const char *cure)
{
    if (!code)
        code = status_code(status);
    if (cli->json) {
        json_t *o = json_pack("{s:o}", "error", era_error_json(code, text, where, cure));
        json_dumpf(o, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(o);
        return status;
    }
    fflush(stdout);
    era_print_prose(stderr, 0, "eractl: %s", text);
    if (*where)
        era_print_prose(stderr, 2, "where: %s", where);
    if (*cure)
        era_print_prose(stderr, 2, "cure: %s", cure);
    return status;
}

int era_fail(const struct era_cli *cli, int status, const char *code, const char *where, const char *cure,
             const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = era_text_vformat(format, args);
    va_end(args);
    fail(cli, status, code, text, where, cure);
    free(text);
    return status;
}

int era_fail_error(const struct era_cli *cli, const struct era_error *err)
{
    return fail(cli, err->status, NULL, err->text, err->where, err->cure);
}

int era_fail_verdict(const struct era_cli *cli, enum era_verdict v, const char *where, const char *why)
{
    return era_fail(cli, era_verdict_exit(v), era_verdict_code(v), where, era_verdict_cure(v), "%s%s%s",
                    era_verdict_text(v), why ? ": " : "", why ? why : "");
}

int era_fail_usage(const struct era_cli *cli, const char *cure, const char *format, ...)
{
    char *see =
        era_text_format("see `eractl %s%s--help`", cli->verb ? cli->verb->name : "", cli->verb ? " " : "");
    va_list args;
    va_start(args, format);
    char *text = era_text_vformat(format, args);
    va_end(args);
    fail(cli, ERA_EXIT_USAGE, NULL, text, "", *cure ? cure : see);
    free(see);
    free(text);
    return ERA_EXIT_USAGE;
}

void era_notice(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = era_text_vformat(format, args);
    va_end(args);
    era_print_prose(stderr, 0, "eractl: notice: %s", text);
    free(text);
}

int era_print_json(const struct era_cli *cli, json_t *object)
{
    char schema[64] = "erad.";
    size_t n = strlen(schema);
    for (const char *c = cli->verb->name; *c && n + 3 < sizeof schema; c++)
        schema[n++] = *c == ' ' ? '-' : *c;
    memcpy(schema + n, "/1", 3);
    json_t *out = json_pack("{s:s}", "schema", schema);
    json_object_update_missing(out, object);
    json_dumpf(out, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(out);
    json_decref(object);
    return ERA_EXIT_OK;
}

bool era_confirm(const struct era_cli *cli, const char *question)
{
    char line[16] = "";
    if (era_cli_has(cli, ERA_OPT_YES) || !isatty(STDIN_FILENO))
        return true;
    fprintf(stderr, "%s [y/N] ", question);
    return fgets(line, sizeof line, stdin) && (strcmp(line, "y\n") == 0 || strcmp(line, "yes\n") == 0);
}
