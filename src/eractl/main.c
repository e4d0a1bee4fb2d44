/* eractl: talks to erad, writes keys and charters, and signs for upgrade
 * signers, whose keys never meet a daemon. */
#include <assert.h>
#include <errno.h>
#include <locale.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/nearest.h"
#include "src/eractl/cli.h"
#include "src/eractl/print.h"
#include "src/eractl/text.h"
#include "src/eractl/verbs.h"

static void print_version(void)
{
    puts("eractl (" PACKAGE_NAME ") " PACKAGE_VERSION "\n"
         "License Apache-2.0: <https://www.apache.org/licenses/LICENSE-2.0>\n"
         "This is free software: you are free to change and redistribute it.\n"
         "There is NO WARRANTY, to the extent permitted by law.");
}

static void print_help(const char *group)
{
    printf("Usage: eractl %s%s [OPTION...] [ARGUMENT...]\n", group ? group : "VERB", group ? " VERB" : "");
    if (!group)
        puts("Look at, steer and sign upgrade signals.");
    puts("");
    for (const struct era_verb *v = era_verbs; v->name; v++)
        if (!group || (strncmp(v->name, group, strlen(group)) == 0 && v->name[strlen(group)] == ' '))
            printf("  %-16s %s\n", v->name, v->summary);
    puts("\nOptions of every verb:");
    for (const struct era_option *o = era_common_options; o->name; o++) {
        char *name = era_text_format("--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
        printf("  %-16s %s\n", name, o->doc);
        free(name);
    }
    puts("\nEach verb has its own help: eractl VERB --help. See eractl(1).");
}

/* A group is the first of two words: charter, semver. */
static bool is_group(const char *word)
{
    for (const struct era_verb *v = era_verbs; v->name; v++)
        if (strncmp(v->name, word, strlen(word)) == 0 && v->name[strlen(word)] == ' ')
            return true;
    return false;
}

static const struct era_verb *find_verb(const char *first, const char *second, int *words)
{
    char *both = era_text_format("%s %s", first, second ? second : "");
    const struct era_verb *found = NULL;
    *words = 1;
    for (const struct era_verb *v = era_verbs; v->name && !found; v++) {
        if (strcmp(v->name, both) == 0)
            *words = 2;
        if (strcmp(v->name, first) == 0 || strcmp(v->name, both) == 0)
            found = v;
    }
    free(both);
    return found;
}

/* "chartr check" is near to two words, "chartr" to a group. */
static void nearest_verb(const char *first, const char *second, char *out, size_t size)
{
    char group[32];
    struct era_nearest word = {.word = first}, near = {0};
    for (const struct era_verb *v = era_verbs; v->name; v++) {
        snprintf(group, sizeof group, "%.*s", (int)strcspn(v->name, " "), v->name);
        if (is_group(group) && era_word_distance(first, group) <= 2)
            word.best = v->name;
    }
    char *both = era_text_format("%.*s %s", word.best ? (int)strcspn(word.best, " ") : (int)strlen(first),
                                 word.best ? word.best : first, second ? second : "");
    near.word = word.best && second ? both : first;
    for (const struct era_verb *v = era_verbs; v->name; v++)
        era_nearest_try(&near, v->name);
    if (word.best && (!second || !era_nearest_found(&near)))
        snprintf(out, size, "did you mean `eractl %.*s`?", (int)strcspn(word.best, " "), word.best);
    else if (era_nearest_found(&near))
        snprintf(out, size, "did you mean `eractl %s`?", era_nearest_found(&near));
    free(both);
}

static int unknown_verb(const struct era_cli *cli, const char *first, const char *second)
{
    char cure[96] = "", shown[96];
    char *word = is_group(first) && second ? era_text_format("%s %s", first, second) : strdup(first);
    assert(word);
    nearest_verb(first, second, cure, sizeof cure);
    int status = era_fail_usage(cli, cure, "there is no verb %s", era_text_escape(word, shown, sizeof shown));
    free(word);
    return status;
}

/* Options may stand before the verb too: `eractl --json status`. Puts them
 * behind it. The verb's first word is at *at then, argc when there is none. */
static void verb_first(int argc, char **argv, int *at)
{
    int i = 1;
    while (i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0) {
        bool takes = strcmp(argv[i], "--control") == 0 || strcmp(argv[i], "--state") == 0;
        i += takes && i + 1 < argc ? 2 : 1;
    }
    *at = i < argc ? i : argc;
}

static bool asks_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

static int without_verb(const struct era_cli *cli, int argc, char **argv, const char *group)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help(group);
            return ERA_EXIT_OK;
        }
        if (strcmp(argv[i], "--version") == 0) {
            print_version();
            return ERA_EXIT_OK;
        }
    }
    if (group)
        return era_fail_usage(cli, "", "%s needs a second word; `eractl %s --help` lists them", group, group);
    return era_fail_usage(cli, "", "say what to do");
}

static int run(struct era_cli *cli, int argc, char **argv)
{
    int at, words;
    verb_first(argc, argv, &at);
    if (at == argc)
        return without_verb(cli, argc, argv, NULL);
    const char *second = at + 1 < argc && argv[at + 1][0] != '-' ? argv[at + 1] : NULL;
    const struct era_verb *verb = find_verb(argv[at], second, &words);
    if (!verb && is_group(argv[at]) && !second)
        return without_verb(cli, argc, argv, argv[at]);
    if (!verb)
        return unknown_verb(cli, argv[at], second);
    cli->verb = verb;
    /* What stood before the verb goes behind it. */
    char **rest = calloc((size_t)argc + 1, sizeof *rest);
    assert(rest);
    int n = 0;
    rest[n++] = argv[0];
    for (int i = 1; i < argc; i++)
        if (i < at || i >= at + words)
            rest[n++] = argv[i];
    int status = era_cli_parse(cli, n, rest);
    if (status == 0)
        cli->json = era_cli_has(cli, ERA_OPT_JSON); /* also when it was shortened */
    if (status == 0 && era_cli_has(cli, ERA_OPT_HELP))
        era_cli_help(cli);
    else if (status == 0 && era_cli_has(cli, ERA_OPT_VERSION))
        print_version();
    else if (status == 0)
        status = verb->run(cli);
    free(rest);
    return status;
}

int main(int argc, char **argv)
{
    static struct era_cli cli;
    setlocale(LC_CTYPE, "");
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* whoever follows sees each line at once */
    cli.json = asks_json(argc, argv);
    if (sodium_init() < 0)
        return era_fail(&cli, ERA_EXIT_UNAVAILABLE, NULL, "", "", "cannot start libsodium");
    int status = run(&cli, argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "eractl: cannot write to standard output: %s\n", strerror(errno));
        return ERA_EXIT_CANNOT_WRITE;
    }
    return status;
}
