#include "src/eractl/sign.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/textkey.h"
#include "src/core/charter.h"
#include "src/eractl/daemon.h"
#include "src/eractl/print.h"
#include "src/eractl/verbs.h"
#include "src/host/files.h"
#include "src/host/keyfile.h"

int era_signing_check_options(const struct era_cli *cli)
{
    bool offline = era_cli_has(cli, ERA_OPT_OFFLINE), export = era_cli_has(cli, ERA_OPT_EXPORT);
    if (export && offline)
        return era_fail_usage(cli, "give one of them", "--export reads the daemon, and --offline does not");
    if (!era_cli_has(cli, ERA_OPT_KEY) && !export)
        return era_fail_usage(cli, "give --key FILE", "which key shall sign?");
    if (offline && !era_cli_has(cli, ERA_OPT_OUTPUT) && !era_cli_has(cli, ERA_OPT_DRY_RUN))
        return era_fail_usage(cli, "add -o FILE, and carry it to `eractl submit FILE`",
                              "--offline has no daemon to give the statement to");
    return 0;
}

int era_signing_material(const struct era_cli *cli, const char *id, struct era_material *out)
{
    const char *path = era_cli_text(cli, ERA_OPT_OFFLINE);
    return path ? era_material_read(cli, path, out)
                : era_material_fetch(cli, era_cli_text(cli, ERA_OPT_COMPONENT), id, out);
}

int era_signing_network(const struct era_cli *cli, const struct era_material *m, struct era_network *out)
{
    struct era_hash found, pin;
    int status = ERA_EXIT_OK;
    const char *given = era_cli_text(cli, ERA_OPT_NETWORK);
    if (!era_network_of_charter(m, &found)) {
        /* A later charter's bytes do not tell the network's id; the verification by it will. */
        if (!given || !era_hash_from_text(given, &found))
            return era_fail_verdict(cli, ERA_UNKNOWN_CHARTER, "the charter",
                                    "it is not the network's first; name the network with --network ID");
    }
    if (!era_network_pin(cli, era_cli_text(cli, ERA_OPT_KEY), &found, &pin, &status))
        return status;
    return era_network_open(cli, m, &pin, out);
}

int era_signing_open(const struct era_cli *cli, const struct era_network *n, struct era_signing *out)
{
    const char *path = era_cli_text(cli, ERA_OPT_KEY);
    struct era_keypair pair;
    struct era_error err;
    char text[ERA_KEY_TEXT_BYTES];
    if (!era_keyfile_load(path, &pair, &err))
        return era_fail_error(cli, &err);
    out->secret.key = pair.key;
    memcpy(out->secret.secret, pair.secret, sizeof out->secret.secret);
    era_keypair_clear(&pair);
    if (era_charter_signer_index(n->component, &out->secret.key) >= 0)
        return 0;
    era_key_text(&out->secret.key, text);
    era_signing_close(out);
    return era_fail(cli, era_verdict_exit(ERA_UNKNOWN_KEY), era_verdict_code(ERA_UNKNOWN_KEY), path,
                    era_verdict_cure(ERA_UNKNOWN_KEY), "%s is no signer of %s", text, n->component->id);
}

void era_signing_close(struct era_signing *s)
{
    sodium_memzero(s, sizeof *s);
}

static int put_statement(const struct era_cli *cli, const char *path, const uint8_t *bytes, size_t len)
{
    struct era_error err;
    int rc = era_file_write(path, bytes, len, 0644);
    if (rc == 0)
        return 0;
    era_error_errno(&err, rc, path, "write the statement");
    return era_fail_error(cli, &err);
}

int era_signing_send(const struct era_cli *cli, const struct era_network *n, const struct era_signing *s,
                     const struct era_statement *statement, json_t *more)
{
    const char *path = era_cli_text(cli, ERA_OPT_OUTPUT);
    uint8_t *bytes = malloc(ERA_AUTHORED_BYTES_MAX);
    struct era_hash id;
    struct era_answer a;
    char text[ERA_HASH_TEXT_BYTES];
    assert(bytes);
    size_t len = era_author_sign(&n->id, statement, &s->secret, bytes, ERA_AUTHORED_BYTES_MAX, &id);
    int status = 0;
    if (len == 0)
        status = era_fail_verdict(cli, ERA_OVERSIZED, "the statement", NULL);
    else if (path)
        status = put_statement(cli, path, bytes, len);
    else if ((status = era_ask(cli, &(struct era_request){.verb = "submit", .data = {bytes, len}}, &a)) == 0)
        era_answer_clear(&a);
    free(bytes);
    if (status == 0 && cli->json) {
        json_t *o = json_pack("{s:s,s:b}", "id", era_hash_text(&id, text), "submitted", path == NULL);
        json_object_update(o, more);
        status = era_print_json(cli, o);
    } else if (status == 0) {
        puts(era_hash_text(&id, text));
    }
    json_decref(more);
    return status;
}
