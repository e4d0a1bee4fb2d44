/* What needs neither daemon nor charter: keygen, hash, semver. */
#include <string.h>
#include <sys/stat.h>

#include "src/base/semver.h"
#include "src/base/textkey.h"
#include "src/eractl/print.h"
#include "src/eractl/verbs.h"
#include "src/host/dirhash.h"
#include "src/host/keyfile.h"

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

int era_run_keygen(struct era_cli *cli)
{
    const char *path = cli->args[0];
    struct era_error err;
    struct era_keypair pair;
    struct era_key key;
    char text[ERA_KEY_TEXT_BYTES];
    bool ok;
    if (era_cli_has(cli, ERA_OPT_SHOW) && ends_with(path, ".pub")) {
        ok = era_keyfile_public(path, &key, &err);
    } else {
        ok = era_cli_has(cli, ERA_OPT_SHOW) ? era_keyfile_load(path, &pair, &err)
                                            : era_keyfile_generate(path, &pair, &err);
        if (ok) {
            key = pair.key;
            era_keypair_clear(&pair);
        }
    }
    if (!ok)
        return era_fail_error(cli, &err);
    era_key_text(&key, text);
    if (cli->json)
        return era_print_json(cli, json_pack("{s:s}", "key", text));
    puts(text);
    return ERA_EXIT_OK;
}

int era_run_hash(struct era_cli *cli)
{
    const char *path = cli->args[0];
    bool modes = era_cli_has(cli, ERA_OPT_MODES), ok;
    char digest[ERA_DIGEST_BYTES_MAX + 1];
    struct era_error err;
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        ok = era_dirhash_tree(path, modes ? ERA_DIGEST_M1 : ERA_DIGEST_H1, digest, &err);
    else if (modes)
        return era_fail_usage(cli, "leave --modes out, or name a directory", "--modes is for directories");
    else
        ok = era_dirhash_file(path, digest, &err);
    if (!ok)
        return era_fail_error(cli, &err);
    if (cli->json)
        return era_print_json(cli, json_pack("{s:s}", "digest", digest));
    puts(digest);
    return ERA_EXIT_OK;
}

static int bad_version(const struct era_cli *cli, const char *version)
{
    return era_fail(cli, ERA_EXIT_DATA, NULL, version, "write it like 1.2.3 or 1.2.3-rc.1",
                    "this is no semantic version: %s", era_semver_why(version));
}

int era_run_semver_compare(struct era_cli *cli)
{
    for (int i = 0; i < 2; i++)
        if (!era_semver_valid(cli->args[i]))
            return bad_version(cli, cli->args[i]);
    int order = era_semver_compare(cli->args[0], cli->args[1]);
    if (cli->json)
        return era_print_json(cli, json_pack("{s:i}", "order", order));
    printf("%d\n", order);
    return ERA_EXIT_OK;
}

int era_run_semver_match(struct era_cli *cli)
{
    if (!era_semver_valid(cli->args[0]))
        return bad_version(cli, cli->args[0]);
    if (!era_range_valid(cli->args[1]))
        return era_fail(cli, ERA_EXIT_DATA, NULL, cli->args[1],
                        "write it like \">=1.2.0 <2.0.0\" or \"^1.2.0\"", "this is no range of versions: %s",
                        era_range_why(cli->args[1]));
    bool match = era_range_match(cli->args[1], cli->args[0]);
    if (cli->json)
        era_print_json(cli, json_pack("{s:b}", "match", match));
    return match ? ERA_EXIT_OK : ERA_EXIT_NEGATIVE;
}
