/* status, eras, peers, announcements, gate; height, emit. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/fraction.h"
#include "src/eractl/daemon.h"
#include "src/eractl/print.h"
#include "src/eractl/verbs.h"
#include "src/host/files.h"

static int ask_plainly(const struct era_cli *cli, const char *verb, struct era_answer *a)
{
    return era_ask(cli,
                   &(struct era_request){.verb = verb, .component = era_cli_text(cli, ERA_OPT_COMPONENT)}, a);
}

/* "software 1.0.0, api 2.1.0"; malloc'd. */
static char *versions_text(const json_t *versions)
{
    const char *kind;
    json_t *v, *names = json_array();
    json_object_foreach((json_t *)versions, kind, v)
    {
        if (json_is_string(v) && *json_string_value(v)) {
            char *one = era_text_format("%s %s", kind, json_string_value(v));
            json_array_append_new(names, json_string(one));
            free(one);
        }
    }
    char *out = era_json_names(names, "-");
    json_decref(names);
    return out;
}

static char *number_text(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_integer(v) ? era_text_format("%" JSON_INTEGER_FORMAT, json_integer_value(v)) : strdup("-");
}

static char *time_text(json_int_t ms)
{
    if (ms < 0)
        return strdup("-");
    if (ms < 10000)
        return era_text_format("%.1f s", (double)ms / 1000);
    if (ms < 600000)
        return era_text_format("%" JSON_INTEGER_FORMAT " s", ms / 1000);
    if (ms < 48 * 3600000LL)
        return era_text_format("%" JSON_INTEGER_FORMAT " h %02d min", ms / 3600000, (int)(ms / 60000 % 60));
    return era_text_format("%" JSON_INTEGER_FORMAT " days", ms / 86400000);
}

/* ---- gate ---- */

static void print_gate(const json_t *gate)
{
    era_print_pair("gate", "%s: %s", era_json_text(gate, "state"), era_json_text(gate, "text"));
    era_print_pair("  cure", "%s", era_json_text(gate, "cure"));
}

int era_run_gate(struct era_cli *cli)
{
    struct era_answer a;
    bool quiet = era_cli_has(cli, ERA_OPT_QUIET);
    int status = ask_plainly(cli, "gate", &a);
    if (status != 0)
        return status;
    if (cli->json) {
        era_pass_json(cli, &a);
    } else if (!quiet) {
        era_print_prose(stdout, 0, "%s: %s", era_json_text(a.json, "state"), era_json_text(a.json, "text"));
        if (*era_json_text(a.json, "cure"))
            era_print_prose(stdout, 2, "cure: %s", era_json_text(a.json, "cure"));
    }
    status = (int)era_json_int(a.json, "exit", ERA_EXIT_BUG);
    era_answer_clear(&a);
    return status;
}

/* ---- status ---- */

static void print_clock(const json_t *s)
{
    const json_t *clock = json_object_get(s, "clock");
    json_int_t next = era_json_int(clock, "next_epoch_in_ms", -1);
    char *in = time_text(next);
    era_print_pair("epoch", "%" JSON_INTEGER_FORMAT "%s%s (%s clock)", era_json_int(clock, "epoch", 0),
                   next >= 0 ? ", the next in " : "", next >= 0 ? in : "", era_json_text(clock, "kind"));
    free(in);
}

static void print_components(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *c = json_array_get(list, i);
        era_print_pair(i == 0 ? "components" : "",
                       "%s: %s, era %" JSON_INTEGER_FORMAT " \"%s\", %s, slot %" JSON_INTEGER_FORMAT "%s",
                       era_json_text(c, "id"), era_json_text(c, "version"), era_json_int(c, "era", 0),
                       era_json_text(c, "era_name"), era_json_text(c, "gate"), era_json_int(c, "seq", 0),
                       era_json_true(c, "forked") ? ", FORKED" : "");
    }
}

static void print_adoption(const json_t *a)
{
    const json_t *list = json_object_get(a, "software");
    if (!json_is_object(a))
        return;
    era_print_pair("announced",
                   "stake %s of %s is fresh, a quorum is %s; blocked %s, staged %s; %s see another view",
                   era_json_text(a, "fresh"), era_json_text(a, "total"), era_json_text(a, "quorum"),
                   era_json_text(a, "blocked"), era_json_text(a, "staged"), era_json_text(a, "other_view"));
    for (size_t i = 0; i < json_array_size(list); i++)
        era_print_pair(i == 0 ? "software" : "", "%s: stake %s",
                       era_json_text(json_array_get(list, i), "version"),
                       era_json_text(json_array_get(list, i), "stake"));
}

static void print_coming(const json_t *s)
{
    const json_t *next = json_object_get(s, "next"), *proposals = json_object_get(s, "proposals");
    char id[ERA_SHORT_ID_BYTES];
    for (size_t i = 0; i < json_array_size(next); i++) {
        const json_t *n = json_array_get(next, i), *e = json_object_get(n, "entry");
        char *epoch = number_text(e, "effective");
        era_print_pair(i == 0 ? "coming" : "", "%s %s %s at epoch %s: stake %s of %s supports it",
                       era_json_text(n, "component"), era_json_text(e, "version"), era_json_text(e, "class"),
                       epoch, era_json_text(n, "supporting"), era_json_text(n, "needed"));
        free(epoch);
    }
    for (size_t i = 0; i < json_array_size(proposals); i++) {
        const json_t *p = json_array_get(proposals, i), *a = json_object_get(p, "approvals");
        const json_t *r = json_object_get(p, "readiness");
        era_print_pair(i == 0 ? "proposals" : "",
                       "%s %s %s, slot %" JSON_INTEGER_FORMAT ": %s, %" JSON_INTEGER_FORMAT
                       " of %" JSON_INTEGER_FORMAT " approvals, ready %s of %s",
                       era_short_id(era_json_text(p, "id"), id), era_json_text(p, "component"),
                       era_json_text(p, "version"), era_json_int(p, "seq", 0), era_json_text(p, "state"),
                       era_json_int(a, "count", 0), era_json_int(a, "needed", 0), era_json_text(r, "stake"),
                       era_json_text(r, "needed"));
        const json_t *failed_by = json_object_get(p, "failed_by"); /* T4: its author learns by whom and why */
        for (size_t f = 0; f < json_array_size(failed_by); f++)
            era_print_pair("", "  rejected by %s: %s", era_json_text(json_array_get(failed_by, f), "by"),
                           era_json_text(json_array_get(failed_by, f), "reason"));
    }
}

/* Why the daemon's key signs nothing, and what helps (protocol §9). */
static void print_lock(const char *lock)
{
    if (strcmp(lock, "starting") == 0) {
        era_print_pair("keys locked", "this node has not yet compared what it holds with its peers since it "
                                      "started, so its key signs nothing");
        era_print_pair("  cure",
                       "wait for a link to its configured peers (`eractl peers`); if none will come "
                       "and this store is the newest, run `eractl unlock`");
    } else if (strcmp(lock, "missing") == 0) {
        era_print_pair("keys locked", "others hold a statement of this node's key that its store lacks: the "
                                      "store is an old one, or the key is used elsewhere");
        era_print_pair("  cure", "see that the key is used nowhere else and that no newer store exists, then "
                                 "run `eractl unlock`; the next charter unlocks too");
    }
}

static void print_status(const json_t *s)
{
    const json_t *peers = json_object_get(s, "peers"), *store = json_object_get(s, "store");
    const json_t *events = json_object_get(s, "events");
    char *versions = versions_text(json_object_get(s, "versions")),
         *staged = versions_text(json_object_get(s, "staged"));
    char *up = time_text(era_json_int(s, "uptime_ms", -1));
    era_print_pair("network", "%s  %s", era_json_text(s, "name"), era_json_text(s, "network"));
    if (*era_json_text(s, "validator"))
        era_print_pair("validator", "%s, stake %s", era_json_text(s, "validator"), era_json_text(s, "stake"));
    era_print_pair("daemon", "%s, process %" JSON_INTEGER_FORMAT ", up %s", era_json_text(s, "agent"),
                   era_json_int(s, "pid", 0), up);
    era_print_pair("versions", "%s", versions);
    era_print_pair("staged", "%s", strcmp(staged, "-") == 0 ? "" : staged);
    print_clock(s);
    print_gate(json_object_get(s, "gate"));
    print_lock(era_json_text(s, "lock"));
    print_components(json_object_get(s, "components"));
    era_print_pair("view", "%s", era_json_text(s, "view_digest"));
    era_print_pair("peers", "%" JSON_INTEGER_FORMAT " links up, %" JSON_INTEGER_FORMAT " configured",
                   era_json_int(peers, "up", 0), era_json_int(peers, "configured", 0));
    print_adoption(json_object_get(s, "adoption"));
    print_coming(s);
    era_print_pair("events", "%" JSON_INTEGER_FORMAT " emitted, %" JSON_INTEGER_FORMAT " delivered",
                   era_json_int(events, "emitted", 0), era_json_int(events, "delivered", 0));
    if (era_json_true(store, "failed"))
        era_print_pair("STORE",
                       "failed: nothing is acknowledged any more; free disk space, check the disk, restart");
    free(versions);
    free(staged);
    free(up);
}

int era_run_status(struct era_cli *cli)
{
    struct era_answer a;
    int status = ask_plainly(cli, "status", &a);
    if (status != 0)
        return status;
    if (cli->json)
        era_pass_json(cli, &a);
    else
        print_status(a.json);
    era_answer_clear(&a);
    return ERA_EXIT_OK;
}

/* ---- eras ---- */

static void add_entry(struct era_table *t, const char *component, const json_t *e)
{
    char id[ERA_SHORT_ID_BYTES];
    char *epoch = number_text(e, "effective"), *era = number_text(e, "era");
    char *requires = versions_text(json_object_get(e, "requires"));
    const char *cells[] = {component,
                           era_json_text(e, "state"),
                           epoch,
                           era_json_text(e, "version"),
                           era_json_text(e, "class"),
                           era,
                           era_json_text(e, "era_name"),
                           requires,
                           era_json_true(e, "supported") ? "yes" : "no",
                           era_short_id(era_json_text(e, "hash"), id)};
    era_table_add(t, cells);
    free(epoch);
    free(era);
    free(requires);
}

static void print_eras(const json_t *json)
{
    static const struct era_column columns[] = {{"COMPONENT", false, false}, {"STATE", false, false},
                                                {"EPOCH", true, false},      {"VERSION", false, false},
                                                {"CLASS", false, false},     {"ERA", true, false},
                                                {"NAME", false, false},      {"REQUIRES", false, true},
                                                {"SUPPORTED", false, false}, {"ENTRY", false, false}};
    const json_t *list = json_object_get(json, "components");
    printf("epoch %" JSON_INTEGER_FORMAT ", view %s\n", era_json_int(json, "epoch", 0),
           era_json_text(json, "view_digest"));
    struct era_table *t = era_table_new(columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *c = json_array_get(list, i), *plan = json_object_get(c, "plan");
        for (size_t j = 0; j < json_array_size(plan); j++)
            add_entry(t, era_json_text(c, "id"), json_array_get(plan, j));
    }
    era_table_print(t);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (era_json_true(json_array_get(list, i), "forked"))
            era_print_prose(stdout, 0,
                            "%s is FORKED: two proposals were adopted in one slot; no era is in force",
                            era_json_text(json_array_get(list, i), "id"));
}

int era_run_eras(struct era_cli *cli)
{
    struct era_answer a;
    int status = ask_plainly(cli, "eras", &a);
    if (status != 0)
        return status;
    if (cli->json)
        era_pass_json(cli, &a);
    else
        print_eras(a.json);
    era_answer_clear(&a);
    return ERA_EXIT_OK;
}

/* ---- peers, announcements ---- */

/* "bad-signature 3, timeout 1"; owned by the caller. */
static char *charges_text(const json_t *charges)
{
    const char *why;
    json_t *times;
    char *text = era_text_format("%s", "");
    json_object_foreach((json_t *)(uintptr_t)charges, why, times)
    {
        char *longer = era_text_format("%s%s%s %" JSON_INTEGER_FORMAT, text, text[0] ? ", " : "", why,
                                       json_integer_value(times));
        free(text);
        text = longer;
    }
    return text;
}

/* malloc'd. */
static char *link_state(const json_t *p)
{
    json_int_t muted = era_json_int(p, "muted_ms", 0);
    if (muted > 0) {
        char *left = time_text(muted), *state = era_text_format("muted %s", left);
        free(left);
        return state;
    }
    if (era_json_true(p, "blocked"))
        return strdup("blocked");
    bool leaf = strcmp(era_json_text(p, "state"), "up") == 0 && !era_json_true(p, "active");
    return strdup(leaf ? "leaf" : era_json_text(p, "state"));
}

static void print_bans(const json_t *list)
{
    static const struct era_column columns[] = {{"BANNED", false, false},
                                                {"FROM", false, false},
                                                {"WHY", false, false},
                                                {"LEFT", true, false},
                                                {"TIMES", true, false}};
    struct era_table *t = era_table_new(columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *b = json_array_get(list, i);
        char *left = time_text(era_json_int(b, "left_ms", -1)), *times = number_text(b, "times");
        const char *host = era_json_text(b, "host");
        const char *cells[] = {host[0] ? host : era_json_text(b, "node"), era_json_text(b, "from"),
                               era_json_text(b, "why"), left, times};
        era_table_add(t, cells);
        free(left);
        free(times);
    }
    era_table_print(t);
}

/* By verdict. */
static void print_counts(const char *of, json_t *counts)
{
    const char *verdict, *separator = "";
    json_t *count;
    if (json_object_size(counts) == 0)
        return;
    printf("%s: ", of);
    json_object_foreach(counts, verdict, count)
    {
        printf("%s%s %" JSON_INTEGER_FORMAT, separator, verdict, json_integer_value(count));
        separator = ", ";
    }
    putchar('\n');
}

static void print_overlay(const json_t *o)
{
    static const char *const rows[][2] = {{"active", "neighbours"},
                                          {"active_dialled", "dialled by us"},
                                          {"leaves", "other links"},
                                          {"known", "nodes known"},
                                          {"dials", "of them dialled"},
                                          {"dials_failed", "in vain"},
                                          {"dials_misled", "another node answered"},
                                          {"records_refused", "their records refused"},
                                          {"records_of_us", "with our own address"},
                                          {"records_untimely", "not of this day"}};
    const char *separator = "";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_int_t count = era_json_int(o, rows[i][0], 0);
        if (count == 0)
            continue;
        printf("%s%s %" JSON_INTEGER_FORMAT, separator, rows[i][1], count);
        separator = ", ";
    }
    if (separator[0])
        putchar('\n');
}

static void print_other_keys(const json_t *peers)
{
    for (size_t i = 0; i < json_array_size(peers); i++) {
        const json_t *p = json_array_get(peers, i);
        if (era_json_int(p, "anchor_keys", 0) > 0)
            printf("%s answers with another node key than before: %s\n", era_json_text(p, "address"),
                   era_json_text(p, "node"));
    }
}

/* Not linked: see `peers` in erad.conf(5). */
static void print_unwanted_keys(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        printf("%s is not linked: %s answers there, `peers` in erad.conf says %s\n",
               era_json_text(o, "address"), era_json_text(o, "answers"), era_json_text(o, "configured"));
    }
}

/* What the verdicts mean that peers met with, and what helps. */
static void print_meanings(const json_t *json)
{
    static const char *const lists[] = {"links_ended", "refused", "charged"};
    for (int v = ERA_ACCEPTED + 1; v < ERA_VERDICT_COUNT; v++) {
        const char *code = era_verdict_code((enum era_verdict)v);
        bool is_met = false;
        for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
            is_met = is_met || json_object_get(json_object_get(json, lists[i]), code);
        if (is_met)
            printf("  %s: %s; %s\n", code, era_verdict_text((enum era_verdict)v),
                   era_verdict_cure((enum era_verdict)v));
    }
}

static void print_useless(const json_t *json)
{
    int64_t wasted = era_json_int(json, "wasted_in", 0), kinds = era_json_int(json, "unknown_kinds_in", 0);
    int64_t rounds = era_json_int(json, "undecoded_rounds", 0),
            parts = era_json_int(json, "unknown_parts_in", 0);
    if (wasted + kinds + parts + rounds > 0)
        printf("of no use: %lld signatures checked, %lld statements of kinds not known here, %lld parts of "
               "messages not known here, %lld rounds not decoded\n",
               (long long)wasted, (long long)kinds, (long long)parts, (long long)rounds);
}

/* What a peer brought or asked for that stands in no column, when there is reason to look at it. */
static void print_oddities(const json_t *p)
{
    static const struct {
        const char *key, *words;
        bool tells; /* honest peers have none of it, mostly */
    } rows[] = {{"unknown_kinds_in", "statements of kinds not known here", true},
                {"unknown_parts_in", "parts of messages not known here", true},
                {"undecoded_rounds", "rounds not decoded", true},
                {"muted_in", "dropped while muted", true},
                {"limited_in", "dropped above a budget", true},
                {"wasted_in", "signatures checked for nothing", false},
                {"whole_sets_out", "times everything sent", false},
                {"again_out", "statements sent again", false}};
    const char *separator = ": ";
    bool tells = era_json_int(p, "score", 0) > 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        tells = tells || (rows[i].tells && era_json_int(p, rows[i].key, 0) > 0);
    for (size_t i = 0; tells && i < sizeof rows / sizeof rows[0]; i++) {
        json_int_t count = era_json_int(p, rows[i].key, 0);
        if (count == 0)
            continue;
        if (separator[0] == ':') {
            char *agent = era_text_safe(era_json_text(p, "agent"));
            printf("%s (%s)", era_json_text(p, "address"), agent);
            free(agent);
        }
        printf("%s%" JSON_INTEGER_FORMAT " %s", separator, count, rows[i].words);
        separator = ", ";
    }
    if (separator[0] != ':')
        putchar('\n');
}

static void print_rests(const json_t *json)
{
    int64_t ms = era_json_int(json, "rested_ms", 0);
    if (ms >= 1000)
        printf("left unread: %lld s in all, peers that brought no news for what reading it cost; they lose "
               "nothing, it waits on their side\n",
               (long long)(ms / 1000));
}

/* Of links that ended, and of streams that never were one, too. */
static void print_totals(const json_t *json)
{
    int64_t muted = era_json_int(json, "muted_in", 0), limited = era_json_int(json, "limited_in", 0);
    print_overlay(json_object_get(json, "overlay"));
    print_other_keys(json_object_get(json, "peers"));
    print_unwanted_keys(json_object_get(json, "other_keys"));
    print_counts("ended by the other end's fault", json_object_get(json, "links_ended"));
    print_counts("refused or closed by this node", json_object_get(json, "refused"));
    print_counts("charged to peers", json_object_get(json, "charged"));
    print_meanings(json);
    print_useless(json);
    if (muted + limited > 0)
        printf("dropped: %lld while muted, %lld above a budget\n", (long long)muted, (long long)limited);
    print_rests(json);
    if (json_array_size(json_object_get(json, "bans")) > 0)
        print_bans(json_object_get(json, "bans"));
}

static void print_peers(const json_t *json)
{
    static const struct era_column columns[] = {
        {"ADDRESS", false, false}, {"WAY", false, false},  {"STATE", false, false}, {"AGENT", false, false},
        {"VERSIONS", false, true}, {"UP", true, false},    {"HEARD", true, false},  {"IN", true, false},
        {"OUT", true, false},      {"SCORE", true, false}, {"CHARGED", false, true}};
    const json_t *list = json_object_get(json, "peers");
    struct era_table *t = era_table_new(columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *p = json_array_get(list, i);
        char *versions = versions_text(json_object_get(p, "versions"));
        char *up = time_text(era_json_int(p, "up_ms", -1));
        char *in = number_text(p, "statements_in"), *out = number_text(p, "statements_out");
        char *charged = charges_text(json_object_get(p, "charges"));
        char *score = number_text(p, "score"), *heard = time_text(era_json_int(p, "last_heard_ms", -1));
        char *state = link_state(p);
        const char *cells[] = {era_json_text(p, "address"),
                               era_json_true(p, "outgoing") ? "out" : "in",
                               state,
                               era_json_text(p, "agent"),
                               versions,
                               up,
                               heard,
                               in,
                               out,
                               score,
                               charged};
        era_table_add(t, cells);
        free(versions);
        free(up);
        free(in);
        free(out);
        free(score);
        free(charged);
        free(heard);
        free(state);
    }
    era_table_print(t);
    for (size_t i = 0; i < json_array_size(list); i++)
        print_oddities(json_array_get(list, i));
}

static void print_announcements(const json_t *json)
{
    static const struct era_column columns[] = {
        {"VALIDATOR", false, false}, {"STAKE", true, false},  {"EPOCH", true, false}, {"FRESH", false, false},
        {"VERSIONS", false, true},   {"STATE", false, false}, {"VIEW", false, false}};
    const json_t *list = json_object_get(json, "validators");
    printf("epoch %" JSON_INTEGER_FORMAT "\n", era_json_int(json, "epoch", 0));
    struct era_table *t = era_table_new(columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i), *view = json_object_get(v, "same_view");
        char *epoch = number_text(v, "epoch"), *versions = versions_text(json_object_get(v, "versions"));
        const char *cells[] = {era_json_text(v, "name"),
                               era_json_text(v, "stake"),
                               epoch,
                               era_json_true(v, "fresh") ? "yes" : "no",
                               versions,
                               era_json_true(v, "blocked")  ? "blocked"
                               : era_json_true(v, "staged") ? "staged"
                                                            : "",
                               json_is_true(view)    ? "same"
                               : json_is_false(view) ? "other"
                                                     : "-"};
        era_table_add(t, cells);
        free(epoch);
        free(versions);
    }
    era_table_print(t);
}

int era_run_peers(struct era_cli *cli)
{
    struct era_answer a;
    int status = ask_plainly(cli, "peers", &a);
    if (status != 0)
        return status;
    if (cli->json)
        era_pass_json(cli, &a);
    else if (json_array_size(json_object_get(a.json, "peers")) == 0)
        puts("No links.");
    else
        print_peers(a.json);
    if (!cli->json)
        print_totals(a.json);
    era_answer_clear(&a);
    return ERA_EXIT_OK;
}

int era_run_announcements(struct era_cli *cli)
{
    struct era_answer a;
    int status = ask_plainly(cli, "announcements", &a);
    if (status != 0)
        return status;
    if (cli->json)
        era_pass_json(cli, &a);
    else if (json_array_size(json_object_get(a.json, "validators")) == 0)
        puts("The charter has no validators.");
    else
        print_announcements(a.json);
    era_answer_clear(&a);
    return ERA_EXIT_OK;
}

/* ---- height, emit ---- */

int era_run_height(struct era_cli *cli)
{
    struct era_request request = {.verb = "height", .has_number = true};
    struct era_answer a;
    if (!era_u64_parse(cli->args[0], ERA_EPOCH_MAX, &request.number))
        return era_fail(cli, ERA_EXIT_USAGE, NULL, cli->args[0], "write digits only", "this is no height");
    int status = era_ask(cli, &request, &a);
    if (status != 0)
        return status;
    if (cli->json)
        era_pass_json(cli, &a);
    else
        printf("epoch %" JSON_INTEGER_FORMAT "\n", era_json_int(a.json, "epoch", 0));
    era_answer_clear(&a);
    return ERA_EXIT_OK;
}

/* A whole file, or standard input up to one byte more than an event may hold. */
static int read_payload(const struct era_cli *cli, const char *path,
                        uint8_t out[ERA_EVENT_PAYLOAD_BYTES_MAX + 1], size_t *len)
{
    struct era_error err;
    uint8_t *bytes;
    ssize_t n = 1;
    *len = 0;
    if (strcmp(path, "-") == 0) {
        while (n > 0 && *len <= ERA_EVENT_PAYLOAD_BYTES_MAX)
            if ((n = read(STDIN_FILENO, out + *len, ERA_EVENT_PAYLOAD_BYTES_MAX + 1 - *len)) > 0)
                *len += (size_t)n;
        if (n >= 0)
            return 0;
        era_error_errno(&err, -errno, "standard input", "read the event");
        return era_fail_error(cli, &err);
    }
    int rc = era_file_read(path, ERA_EVENT_PAYLOAD_BYTES_MAX, &bytes, len);
    if (rc == 0) {
        memcpy(out, bytes, *len);
        free(bytes);
        return 0;
    }
    if (rc == -EFBIG) {
        *len = ERA_EVENT_PAYLOAD_BYTES_MAX + 1;
        return 0;
    }
    era_error_errno(&err, rc, path, "read the event");
    return era_fail_error(cli, &err);
}

int era_run_emit(struct era_cli *cli)
{
    uint8_t payload[ERA_EVENT_PAYLOAD_BYTES_MAX + 1];
    struct era_answer a;
    size_t len, topic = strlen(cli->args[0]);
    if (topic == 0 || topic > ERA_TOPIC_BYTES_MAX || !era_utf8_valid(cli->args[0], topic, false))
        return era_fail(cli, ERA_EXIT_USAGE, NULL, cli->args[0], "use 1 to 64 bytes of plain text",
                        "this is no topic");
    int status = read_payload(cli, cli->args[1], payload, &len);
    if (status != 0)
        return status;
    if (len > ERA_EVENT_PAYLOAD_BYTES_MAX)
        return era_fail_verdict(cli, ERA_OVERSIZED, cli->args[1], "an event holds at most 4096 bytes");
    status = era_ask(
        cli, &(struct era_request){.verb = "emit", .topic = cli->args[0], .data = {payload, len}}, &a);
    if (status != 0)
        return status;
    if (cli->json)
        era_pass_json(cli, &a);
    else
        puts(era_json_text(a.json, "id"));
    era_answer_clear(&a);
    return ERA_EXIT_OK;
}
