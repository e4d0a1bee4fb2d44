/* inbox, show, log: what signers look at. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/eractl/daemon.h"
#include "src/eractl/network.h"
#include "src/eractl/print.h"
#include "src/eractl/text.h"
#include "src/eractl/verbs.h"
#include "src/eractl/words.h"
#include "src/host/keyfile.h"

/* ---- inbox ---- */

static bool is_state(const json_t *p, const char *state)
{
    return strcmp(era_json_text(p, "state"), state) == 0;
}

/* A failed proposal stops mattering when a later slot of its component is under way. */
static bool overtaken(const json_t *list, const json_t *p)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        if (strcmp(era_json_text(o, "component"), era_json_text(p, "component")) == 0 &&
            !is_state(o, "failed") && !is_state(o, "expired") &&
            era_json_int(o, "seq", 0) > era_json_int(p, "seq", 0))
            return true;
    }
    return false;
}

static bool waits(const json_t *list, const json_t *p)
{
    return is_state(p, "open") || is_state(p, "approved") || (is_state(p, "failed") && !overtaken(list, p));
}

static bool names_contain(const json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const json_t *one = json_array_get(names, i);
        const char *s = json_is_object(one) ? era_json_text(one, "by") : json_string_value(one);
        if (s && strcmp(s, name) == 0)
            return true;
    }
    return false;
}

/* What this key has to do with a proposal: "sign", "signed", "rejected", "-". */
static const char *my_part(const struct era_charter *c, const struct era_key *key, const json_t *p)
{
    const struct era_component *component = era_charter_component(c, era_json_text(p, "component"));
    int at = component ? era_charter_signer_index(component, key) : -1;
    if (at < 0)
        return "-";
    const char *name = component->signers[at].name;
    if (names_contain(json_object_get(json_object_get(p, "approvals"), "by"), name))
        return "signed";
    if (names_contain(json_object_get(p, "rejections"), name))
        return "rejected";
    return is_state(p, "open") ? "sign" : "-";
}

static int load_key(const struct era_cli *cli, struct era_key *key)
{
    const char *path = era_cli_text(cli, ERA_OPT_KEY);
    struct era_keypair pair;
    struct era_error err;
    size_t n = strlen(path);
    bool public = (n > 4 && strcmp(path + n - 4, ".pub") == 0) || strncmp(path, "erapub1", 7) == 0;
    if (public ? !era_keyfile_public(path, key, &err) : !era_keyfile_load(path, &pair, &err))
        return era_fail_error(cli, &err);
    if (!public) {
        *key = pair.key;
        era_keypair_clear(&pair);
    }
    return 0;
}

/* Mark each proposal with "mine" when --key was given. */
static int mark_mine(const struct era_cli *cli, json_t *list)
{
    struct era_key key;
    struct era_charter c;
    struct era_answer a;
    if (!era_cli_has(cli, ERA_OPT_KEY))
        return 0;
    int status = load_key(cli, &key);
    if (status == 0)
        status = era_ask(cli, &(struct era_request){.verb = "charter"}, &a);
    if (status != 0)
        return status;
    enum era_verdict v = era_charter_decode(a.response.data, &c);
    era_answer_clear(&a);
    if (v != ERA_ACCEPTED)
        return era_fail_verdict(cli, v, "the daemon's charter", NULL);
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *p = json_array_get(list, i);
        json_object_set_new(p, "mine", json_string(my_part(&c, &key, p)));
    }
    era_charter_clear(&c);
    return 0;
}

/* The entry that a proposal brings: its last new one; its last one when it only drops. */
static const json_t *brought(const json_t *p)
{
    const json_t *plan = json_object_get(p, "plan");
    size_t n = json_array_size(plan);
    for (size_t i = n; i-- > 0;)
        if (era_json_true(json_array_get(plan, i), "new"))
            return json_array_get(plan, i);
    return NULL;
}

static void add_row(struct era_table *t, const json_t *p)
{
    char id[ERA_SHORT_ID_BYTES];
    const json_t *e = brought(p), *approvals = json_object_get(p, "approvals");
    const json_t *readiness = json_object_get(p, "readiness");
    char *what = e ? era_text_format("%s %s", era_json_text(e, "version"), era_json_text(e, "class"))
                   : strdup("drops only");
    char *when = !e ? strdup("-")
                 : json_is_integer(json_object_get(e, "effective"))
                     ? era_text_format("%" JSON_INTEGER_FORMAT, era_json_int(e, "effective", 0))
                     : strdup("announced");
    char *seq = era_text_format("%" JSON_INTEGER_FORMAT, era_json_int(p, "seq", 0));
    char *signed_ =
        era_text_format("%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT, era_json_int(approvals, "count", 0),
                        era_json_int(approvals, "needed", 0));
    char *ready =
        era_text_format("%s/%s", era_json_text(readiness, "stake"), era_json_text(readiness, "needed"));
    const char *cells[] = {era_short_id(era_json_text(p, "id"), id),
                           era_json_text(p, "component"),
                           seq,
                           era_json_text(p, "state"),
                           what,
                           when,
                           signed_,
                           ready,
                           json_object_get(p, "mine") ? era_json_text(p, "mine") : "",
                           era_json_text(p, "text")};
    era_table_add(t, cells);
    free(what);
    free(when);
    free(seq);
    free(signed_);
    free(ready);
}

static void print_failures(const json_t *list)
{
    char id[ERA_SHORT_ID_BYTES];
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *p = json_array_get(list, i), *by = json_object_get(p, "failed_by");
        for (size_t j = 0; is_state(p, "failed") && j < json_array_size(by); j++)
            era_print_prose(stdout, 0, "%s was rejected by %s: %s", era_short_id(era_json_text(p, "id"), id),
                            era_json_text(json_array_get(by, j), "by"),
                            era_json_text(json_array_get(by, j), "reason"));
    }
}

static void print_inbox(const json_t *list)
{
    static const struct era_column columns[] = {{"PROPOSAL", false, false}, {"COMPONENT", false, false},
                                                {"SLOT", true, false},      {"STATE", false, false},
                                                {"BRINGS", false, false},   {"EPOCH", true, false},
                                                {"APPROVED", true, false},  {"READY", true, false},
                                                {"MINE", false, false},     {"TEXT", false, true}};
    if (json_array_size(list) == 0) {
        puts("Nothing waits.");
        return;
    }
    struct era_table *t = era_table_new(columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < json_array_size(list); i++)
        add_row(t, json_array_get(list, i));
    era_table_print(t);
    print_failures(list);
}

int era_run_inbox(struct era_cli *cli)
{
    struct era_answer a;
    int status = era_ask(cli, &(struct era_request){.verb = "proposals"}, &a);
    if (status != 0)
        return status;
    json_t *list = json_object_get(a.json, "proposals"), *out = json_array();
    for (size_t i = 0; i < json_array_size(list); i++)
        if (waits(list, json_array_get(list, i)))
            json_array_append(out, json_array_get(list, i));
    status = mark_mine(cli, out);
    if (status == 0 && cli->json)
        era_print_json(cli,
                       json_pack("{s:I,s:O}", "epoch", era_json_int(a.json, "epoch", 0), "proposals", out));
    else if (status == 0)
        print_inbox(out);
    json_decref(out);
    era_answer_clear(&a);
    return status;
}

/* ---- show ---- */

static void print_attestations(const json_t *p)
{
    const json_t *list = json_object_get(p, "attestations");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        era_print_pair(i == 0 ? "rebuilds" : "", "%s: %s %s%s%s%s", era_json_text(o, "by"),
                       era_json_text(o, "artefact"), era_json_true(o, "matched") ? "matches" : "DIFFERS: ",
                       era_json_true(o, "matched") ? "" : era_json_text(o, "digest"),
                       *era_json_text(o, "builder") ? ", " : "", era_json_text(o, "builder"));
    }
}

static void print_people(const json_t *p)
{
    const json_t *a = json_object_get(p, "approvals"), *r = json_object_get(p, "readiness");
    const json_t *rejections = json_object_get(p, "rejections"), *rebuild = json_object_get(p, "rebuild");
    char *by = era_json_names(json_object_get(a, "by"), "nobody"),
         *ready = era_json_names(json_object_get(r, "by"), "nobody");
    era_print_pair("approved by",
                   "%s (%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " needed, %" JSON_INTEGER_FORMAT
                   " signers)",
                   by, era_json_int(a, "count", 0), era_json_int(a, "needed", 0), era_json_int(a, "of", 0));
    for (size_t i = 0; i < json_array_size(rejections); i++)
        era_print_pair("rejected by", "%s: %s", era_json_text(json_array_get(rejections, i), "by"),
                       era_json_text(json_array_get(rejections, i), "reason"));
    era_print_pair("ready", "%s (stake %s of %s needed, %s in all)", ready, era_json_text(r, "stake"),
                   era_json_text(r, "needed"), era_json_text(r, "total"));
    if (json_is_object(rebuild))
        era_print_pair("rebuilt", "stake %s of %s needed", era_json_text(rebuild, "least_stake"),
                       era_json_text(rebuild, "needed"));
    print_attestations(p);
    free(by);
    free(ready);
}

static void print_my_vote(const json_t *vote)
{
    if (!json_is_object(vote))
        return;
    if (era_json_true(vote, "cast"))
        era_print_pair("this node", "voted: it is ready");
    else
        era_print_pair("this node", "has not voted: %s%s%s", era_json_text(vote, "verdict"),
                       *era_json_text(vote, "why") ? ", " : "", era_json_text(vote, "why"));
}

static void print_show(const struct era_network *n, const json_t *p)
{
    struct era_words w = {
        .out = stdout, .charter = &n->charter, .component = n->component, .epoch = n->epoch, .plan = n->plan};
    era_print_pair("proposal", "%s", era_json_text(p, "id"));
    era_print_pair("state", "%s", era_json_text(p, "state"));
    era_print_pair("author", "%s", era_json_text(p, "author"));
    print_people(p);
    print_my_vote(json_object_get(p, "my_vote"));
    puts("");
    era_words_proposal(&w, n->proposal.proposal);
}

int era_run_show(struct era_cli *cli)
{
    const char *path = era_cli_text(cli, ERA_OPT_EXPORT);
    struct era_material m;
    if (!era_id_prefix_valid(cli->args[0]))
        return era_fail(cli, ERA_EXIT_USAGE, NULL, cli->args[0],
                        "give 8 to 64 digits; `eractl inbox` shows them", "this is no id of a proposal");
    int status = era_material_fetch(cli, NULL, cli->args[0], &m);
    if (status != 0)
        return status;
    struct era_network *n = malloc(sizeof *n);
    assert(n);
    status = era_network_open(cli, &m, NULL, n);
    if (status == 0 && !n->proposal.proposal) {
        status = era_fail(cli, ERA_EXIT_INCOMPATIBLE, NULL, "", "use erad and eractl of one version",
                          "the daemon sent no proposal");
        era_network_close(n);
    } else if (status == 0) {
        if (path)
            status = era_material_write(cli, path, &m);
        if (status == 0 && cli->json)
            era_print_json(cli, json_pack("{s:O}", "proposal", m.proposal_json));
        else if (status == 0)
            print_show(n, m.proposal_json);
        era_network_close(n);
    }
    free(n);
    era_material_clear(&m);
    return status;
}

/* ---- log ---- */

static void print_log(const json_t *list)
{
    static const struct era_column columns[] = {{"COMPONENT", false, false}, {"SLOT", true, false},
                                                {"PROPOSAL", false, false},  {"AUTHOR", false, false},
                                                {"BROUGHT", false, false},   {"EPOCH", true, false},
                                                {"", false, false},          {"TEXT", false, true}};
    struct era_table *t = era_table_new(columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *p = json_array_get(list, i), *e = brought(p);
        char id[ERA_SHORT_ID_BYTES];
        char *seq = era_text_format("%" JSON_INTEGER_FORMAT ".%" JSON_INTEGER_FORMAT,
                                    era_json_int(p, "charter_version", 0), era_json_int(p, "seq", 0));
        char *what = e ? era_text_format("%s %s", era_json_text(e, "version"), era_json_text(e, "class"))
                       : strdup("drops only");
        char *when = e && json_is_integer(json_object_get(e, "effective"))
                         ? era_text_format("%" JSON_INTEGER_FORMAT, era_json_int(e, "effective", 0))
                         : strdup("-");
        const char *cells[] = {era_json_text(p, "component"),
                               seq,
                               era_short_id(era_json_text(p, "id"), id),
                               era_json_text(p, "author"),
                               what,
                               when,
                               era_json_true(p, "void")     ? "void"
                               : era_json_true(p, "urgent") ? "urgent"
                                                            : "",
                               era_json_text(p, "text")};
        era_table_add(t, cells);
        free(seq);
        free(what);
        free(when);
    }
    era_table_print(t);
}

int era_run_log(struct era_cli *cli)
{
    struct era_answer a;
    int status = era_ask(cli, &(struct era_request){.verb = "log"}, &a);
    if (status != 0)
        return status;
    const json_t *list = json_object_get(a.json, "entries");
    if (cli->json)
        status = era_pass_json(cli, &a);
    else if (json_array_size(list) == 0)
        puts("Nothing was adopted yet.");
    else
        print_log(list);
    era_answer_clear(&a);
    return status;
}
