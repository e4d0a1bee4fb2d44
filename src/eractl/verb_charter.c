/* charter new, check, compile, show, hash. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/base/fraction.h"
#include "src/base/textkey.h"
#include "src/core/charter.h"
#include "src/eractl/daemon.h"
#include "src/eractl/print.h"
#include "src/eractl/text.h"
#include "src/eractl/verbs.h"
#include "src/host/charter_text.h"
#include "src/host/files.h"
#include "src/host/keyfile.h"

#define FINDINGS_MAX 64
#define DAY_MS       ((uint64_t)24 * 3600 * 1000)

/* ---- new ---- */

struct template
{
    const char *name, *version, *genesis;
    uint64_t epoch_ms, heights, notice;
    size_t validators, signers, emitters;
};

/* NAME=KEY[:STAKE] as the members of a list's element. */
static int write_member(const struct era_cli *cli, FILE *out, const char *given, int option, bool last)
{
    const bool stake = option == ERA_OPT_VALIDATOR;
    char name[ERA_NAME_BYTES_MAX + 1], text[ERA_KEY_TEXT_BYTES], *key;
    const char *value, *colon = NULL;
    struct era_error err;
    struct era_key public;
    uint64_t n = 0;
    const char *form = stake                       ? "write --validator NAME=KEY:STAKE"
                       : option == ERA_OPT_EMITTER ? "write --emitter NAME=KEY"
                                                   : "write --signer NAME=KEY";
    if (!era_text_pair(given, name, sizeof name, &value) || !era_name_valid(name))
        return era_fail(cli, ERA_EXIT_USAGE, NULL, given, form, "there is no name of a-z, 0-9, dot, _ and -");
    if (stake) {
        colon = strrchr(value, ':');
        if (!colon || !era_u64_parse(colon + 1, ERA_STAKE_SUM_MAX, &n) || n == 0)
            return era_fail(cli, ERA_EXIT_USAGE, NULL, given, form, "there is no stake of at least 1");
    }
    key = strndup(value, colon ? (size_t)(colon - value) : strlen(value));
    assert(key);
    bool ok = era_keyfile_public(key, &public, &err);
    free(key);
    if (!ok)
        return era_fail_error(cli, &err);
    fprintf(out, "%*s{ name = \"%s\"; key = \"%s\"; ", option == ERA_OPT_SIGNER ? 6 : 2, "", name,
            era_key_text(&public, text));
    if (stake)
        fprintf(out, "stake = \"%llu\"; ", (unsigned long long)n);
    fprintf(out, "}%s\n", last ? "" : ",");
    return 0;
}

static int write_members(const struct era_cli *cli, FILE *out, int option, size_t count)
{
    const char *given;
    size_t at = 0, n = 0;
    int status = 0;
    while (status == 0 && (given = era_cli_next(cli, option, &at)))
        status = write_member(cli, out, given, option, ++n == count);
    return status;
}

static void write_network(FILE *out, const struct template *t)
{
    fprintf(out,
            "# The charter of a network; every setting is explained in erad-charter(5).\n"
            "# Everybody in the network must hold the same: its hash is the network's identity.\n\n"
            "network : {\n  name = \"%s\";\n  clock : {\n",
            t->name);
    if (t->heights)
        fprintf(out,
                "    kind = \"height\";               # the host program reports it: eractl height N\n"
                "    epoch_heights = \"%llu\";\n",
                (unsigned long long)t->heights);
    else
        fprintf(out,
                "    kind = \"wall\";\n"
                "    genesis = \"%s\";   # when epoch 0 begins\n"
                "    epoch_ms = \"%llu\";\n",
                t->genesis, (unsigned long long)t->epoch_ms);
    fputs("    tolerance_epochs = \"1\";         # how far validators' clocks may differ\n  };\n", out);
    if (t->validators == 0)
        fputs("  authority_only = true;            # no validators: what the signers approve is adopted\n",
              out);
    else
        fputs("  strict_emission = false;          # true: an event leaves only in an epoch leased by a "
              "quorum\n",
              out);
    if (t->validators > 0 && t->signers == 1)
        fputs("  overrides = true;                 # a single signer decides alone; add signers, and remove "
              "this\n",
              out);
    fputs("};\n\n", out);
}

static int write_charter(const struct era_cli *cli, FILE *out, const struct template *t)
{
    /* R13: 2k - m >= 2, so that one bad signer cannot split a charter version; authority only: all. */
    size_t k = t->validators == 0 ? t->signers : (t->signers + 3) / 2;
    if (k > t->signers)
        k = t->signers;
    write_network(out, t);
    if (t->validators > 0)
        fputs("# They announce what they run, rebuild releases, and declare themselves ready.\nvalidators = "
              "(\n",
              out);
    int status = write_members(cli, out, ERA_OPT_VALIDATOR, t->validators);
    if (status != 0)
        return status;
    if (t->validators > 0)
        fputs(");\n\n", out);
    if (t->validators == 0 || t->emitters > 0) {
        fputs("# Whose daemons may emit events.\nemitters = (\n", out);
        status = t->emitters > 0 ? write_members(cli, out, ERA_OPT_EMITTER, t->emitters)
                                 : write_members(cli, out, ERA_OPT_SIGNER, t->signers);
        if (status != 0)
            return status;
        fputs(");\n\n", out);
    }
    fprintf(out,
            "components = (\n  {\n"
            "    id = \"network\";                 # its eras gate every node\n"
            "    k = %zu;                          # signers that must approve, of %zu\n"
            "    urgent_k = %zu;                   # for shorter notice\n"
            "    notice_epochs = \"%llu\";\n    urgent_notice_epochs = \"1\";\n",
            k, t->signers, t->signers, (unsigned long long)t->notice);
    if (t->validators > 0)
        fputs("    enough = \"3/4\";                 # of the stake is ready before a breaking change\n"
              "    rebuild_quorum = \"0\";           # of the stake built the same bytes; 0: not asked\n",
              out);
    fputs("    signers = (\n", out);
    status = write_members(cli, out, ERA_OPT_SIGNER, t->signers);
    fprintf(out,
            "    );\n    initial : {\n      version = \"%s\";\n      era_name = \"genesis\";\n"
            "      requires : {\n        # software = \">=1.0.0\";        # nodes outside these ranges stop\n"
            "      };\n    };\n  }\n);\n",
            t->version);
    return status;
}

static size_t count_of(const struct era_cli *cli, int option)
{
    size_t at = 0, n = 0;
    while (era_cli_next(cli, option, &at))
        n++;
    return n;
}

static int read_template(struct era_cli *cli, struct template *t, char now[32])
{
    time_t seconds = time(NULL) / 60 * 60;
    struct tm tm;
    strftime(now, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
    *t = (struct template){.name = era_cli_text(cli, ERA_OPT_NAME),
                           .version = era_cli_text(cli, ERA_OPT_SET_VERSION),
                           .genesis = era_cli_text(cli, ERA_OPT_GENESIS),
                           .epoch_ms = DAY_MS,
                           .notice = 14,
                           .validators = count_of(cli, ERA_OPT_VALIDATOR),
                           .signers = count_of(cli, ERA_OPT_SIGNER),
                           .emitters = count_of(cli, ERA_OPT_EMITTER)};
    if (!t->version)
        t->version = "1.0.0";
    if (!t->genesis)
        t->genesis = now;
    if (!t->name || !era_name_valid(t->name))
        return era_fail_usage(cli, "give --name NAME, of a-z, 0-9, dot, _ and -", "the network needs a name");
    if (t->signers == 0)
        return era_fail_usage(cli, "give --signer NAME=KEY; `eractl keygen FILE` makes a key",
                              "a network needs at least one upgrade signer");
    if (strpbrk(t->version, "\"\\\n") || strpbrk(t->genesis, "\"\\\n"))
        return era_fail_usage(cli, "", "a version or time holds no quotes");
    if (!era_cli_ms(cli, ERA_OPT_EPOCH, &t->epoch_ms) ||
        !era_cli_u64(cli, ERA_OPT_HEIGHTS, ERA_EPOCH_MAX, &t->heights) ||
        !era_cli_u64(cli, ERA_OPT_NOTICE, ERA_EPOCH_MAX, &t->notice))
        return ERA_EXIT_USAGE;
    return 0;
}

/* The file when one is named, else stdout. */
static int put_text(const struct era_cli *cli, const char *text)
{
    const char *path = era_cli_text(cli, ERA_OPT_OUTPUT);
    struct era_error err;
    if (!path) {
        fputs(text, stdout);
        return 0;
    }
    int rc = era_file_create(path, text, strlen(text), 0644);
    if (rc == 0)
        return 0;
    era_error_errno(&err, rc, path, "write the charter");
    return era_fail_error(cli, &err);
}

static bool first_error(const struct era_charter *c, struct era_charter_finding *first)
{
    return era_charter_check(c, first, 1) > 0 && first->error;
}

int era_run_charter_new(struct era_cli *cli)
{
    struct template t;
    struct era_charter c = {0};
    struct era_charter_finding wrong;
    struct era_error err;
    char now[32], *text = NULL;
    size_t len = 0;
    int status = read_template(cli, &t, now);
    if (status != 0)
        return status;
    FILE *out = open_memstream(&text, &len);
    assert(out);
    status = write_charter(cli, out, &t);
    fclose(out);
    /* What does not read back, or would not pass the check, is not handed out. */
    if (status == 0 && !era_charter_from_text("the charter", text, len, &c, &err))
        status = era_fail_error(cli, &err);
    if (status == 0 && first_error(&c, &wrong))
        status = era_fail(cli, ERA_EXIT_DATA, NULL, wrong.where, wrong.cure, "%s", wrong.text);
    if (status == 0 && (!cli->json || era_cli_has(cli, ERA_OPT_OUTPUT)))
        status = put_text(cli, text);
    if (status == 0 && cli->json)
        status = era_print_json(cli, json_pack("{s:s}", "text", text));
    era_charter_clear(&c);
    free(text);
    return status;
}

/* ---- check, compile, hash ---- */

static int load(const struct era_cli *cli, struct era_charter *c)
{
    struct era_error err;
    return era_charter_load(cli->args[0], c, &err) ? 0 : era_fail_error(cli, &err);
}

static json_t *findings_json(const struct era_charter_finding *f, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s}", "level", f[i].error ? "error" : "advice",
                                              "text", f[i].text, "where", f[i].where, "cure", f[i].cure));
    return list;
}

static void print_findings(const char *path, const struct era_charter_finding *f, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        era_print_prose(stdout, 0, "%s: %s", f[i].error ? "error" : "advice", f[i].text);
        era_print_prose(stdout, 2, "where: %s: %s", path, f[i].where);
        if (*f[i].cure)
            era_print_prose(stdout, 2, "cure: %s", f[i].cure);
    }
}

int era_run_charter_check(struct era_cli *cli)
{
    struct era_charter c;
    struct era_charter_finding *findings = calloc(FINDINGS_MAX, sizeof *findings);
    char hash[ERA_HASH_TEXT_BYTES];
    assert(findings);
    int status = load(cli, &c);
    if (status == 0) {
        size_t n = era_charter_check(&c, findings, FINDINGS_MAX), errors = 0;
        for (size_t i = 0; i < n; i++)
            errors += findings[i].error;
        era_hash_text(&c.hash, hash);
        if (cli->json)
            era_print_json(cli, json_pack("{s:s,s:I,s:I,s:o}", "hash", hash, "errors", (json_int_t)errors,
                                          "advice", (json_int_t)(n - errors), "findings",
                                          findings_json(findings, n)));
        else
            print_findings(cli->args[0], findings, n);
        if (!cli->json && n == 0)
            printf("sound: %s\n", hash);
        status = errors > 0 ? ERA_EXIT_NEGATIVE : ERA_EXIT_OK;
        era_charter_clear(&c);
    }
    free(findings);
    return status;
}

static int print_hash(const struct era_cli *cli, const struct era_charter *c)
{
    char hash[ERA_HASH_TEXT_BYTES];
    era_hash_text(&c->hash, hash);
    if (cli->json)
        return era_print_json(cli, json_pack("{s:s,s:I,s:s,s:s?}", "name", c->name, "version",
                                             (json_int_t)c->version, "hash", hash, "network",
                                             c->version == 0 ? hash : NULL));
    puts(hash);
    return ERA_EXIT_OK;
}

int era_run_charter_hash(struct era_cli *cli)
{
    struct era_charter c;
    int status = load(cli, &c);
    if (status == 0) {
        status = print_hash(cli, &c);
        era_charter_clear(&c);
    }
    return status;
}

/* Writing the same bytes again is fine; another charter is never replaced. */
static int write_compiled(const struct era_cli *cli, const char *path, const uint8_t *bytes, size_t len)
{
    struct era_error err;
    uint8_t *old;
    size_t old_len;
    int rc = era_file_create(path, bytes, len, 0644);
    if (rc == -EEXIST && era_file_read(path, ERA_CHARTER_BYTES_MAX, &old, &old_len) == 0) {
        bool same = old_len == len && memcmp(old, bytes, len) == 0;
        free(old);
        if (same)
            return 0;
    }
    if (rc == 0)
        return 0;
    era_error_errno(&err, rc, path, "write the charter");
    return era_fail_error(cli, &err);
}

int era_run_charter_compile(struct era_cli *cli)
{
    const char *path = era_cli_text(cli, ERA_OPT_OUTPUT);
    struct era_charter c;
    struct era_charter_finding wrong;
    if (!path)
        return era_fail_usage(cli, "add -o charter.bin", "the compiled charter needs a file to go to");
    int status = load(cli, &c);
    if (status != 0)
        return status;
    if (first_error(&c, &wrong)) {
        status = era_fail(cli, ERA_EXIT_DATA, NULL, wrong.where, wrong.cure, "%s", wrong.text);
    } else {
        uint8_t *bytes;
        size_t len = era_charter_encode(&c, &bytes);
        status = write_compiled(cli, path, bytes, len);
        free(bytes);
        if (status == 0)
            status = print_hash(cli, &c);
    }
    era_charter_clear(&c);
    return status;
}

/* ---- show ---- */

static int load_from_daemon(const struct era_cli *cli, struct era_charter *c)
{
    struct era_answer answer;
    int status = era_ask(cli, &(struct era_request){.verb = "charter"}, &answer);
    if (status != 0)
        return status;
    enum era_verdict v = era_charter_decode(answer.response.data, c);
    era_answer_clear(&answer);
    return v == ERA_ACCEPTED ? 0 : era_fail_verdict(cli, v, "the daemon's charter", NULL);
}

int era_run_charter_show(struct era_cli *cli)
{
    struct era_charter c;
    char hash[ERA_HASH_TEXT_BYTES];
    int status = cli->arg_count ? load(cli, &c) : load_from_daemon(cli, &c);
    if (status != 0)
        return status;
    char *text = era_charter_to_text(&c);
    if (cli->json)
        era_print_json(cli, json_pack("{s:s,s:I,s:s,s:s}", "name", c.name, "version", (json_int_t)c.version,
                                      "hash", era_hash_text(&c.hash, hash), "text", text));
    else
        fputs(text, stdout);
    free(text);
    era_charter_clear(&c);
    return ERA_EXIT_OK;
}
