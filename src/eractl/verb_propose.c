/* propose: reads what is said, lets draft make the plan, shows it, signs. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/base/fraction.h"
#include "src/base/nearest.h"
#include "src/base/semver.h"
#include "src/core/author.h"
#include "src/core/charter.h"
#include "src/core/plan.h"
#include "src/eractl/daemon.h"
#include "src/eractl/draft.h"
#include "src/eractl/network.h"
#include "src/eractl/print.h"
#include "src/eractl/sign.h"
#include "src/eractl/text.h"
#include "src/eractl/verbs.h"
#include "src/eractl/words.h"
#include "src/host/dirhash.h"

/* ---- reading what is said; every function returns a status ---- */

static int bad(const struct era_cli *cli, const char *given, const char *cure, const char *why)
{
    return era_fail(cli, ERA_EXIT_USAGE, NULL, given, cure, "%s", why);
}

static int check_length(const struct era_cli *cli, const char *what, const char *text, size_t max)
{
    if (!text || (strlen(text) <= max && era_utf8_valid(text, strlen(text), false)))
        return 0;
    return bad(cli, text, "make it shorter, plain text", strlen(text) > max ? "this text is too long" : what);
}

/* "@PATH" hashed here, else the text itself. */
static int read_digest(const struct era_cli *cli, const char *text, char out[ERA_DIGEST_BYTES_MAX + 1])
{
    struct era_error err;
    struct stat st;
    if (text[0] != '@') {
        if (!era_digest_valid(text))
            return bad(cli, text, "write h1:..., m1:... or sha256:..., or @PATH to hash it now",
                       "this is no digest");
        era_text_set(out, ERA_DIGEST_BYTES_MAX + 1, text);
        return 0;
    }
    bool directory = stat(text + 1, &st) == 0 && S_ISDIR(st.st_mode);
    bool ok = directory ? era_dirhash_tree(text + 1, ERA_DIGEST_H1, out, &err)
                        : era_dirhash_file(text + 1, out, &err);
    return ok ? 0 : era_fail_error(cli, &err);
}

static struct era_artefact *artefact_named(struct era_change *c, const char *name)
{
    for (size_t i = 0; i < c->artefact_count; i++)
        if (strcmp(c->artefacts[i].name, name) == 0)
            return &c->artefacts[i];
    if (c->artefact_count == ERA_ARTEFACTS_MAX)
        return NULL;
    struct era_artefact *a = &c->artefacts[c->artefact_count++];
    snprintf(a->name, sizeof a->name, "%s", name);
    return a;
}

static int read_artefacts(const struct era_cli *cli, struct era_change *c, int option)
{
    const char *given, *value;
    char name[ERA_NAME_BYTES_MAX + 1];
    size_t at = 0;
    int status = 0;
    while (status == 0 && (given = era_cli_next(cli, option, &at))) {
        if (!era_text_pair(given, name, sizeof name, &value) || !era_name_valid(name))
            return bad(cli, given, "write NAME=VALUE, the name of a-z, 0-9, dot, _ and -",
                       "there is no artefact's name");
        struct era_artefact *a = artefact_named(c, name);
        if (!a)
            return bad(cli, given, "name fewer", "a record has at most 16 artefacts");
        if (option == ERA_OPT_ARTEFACT)
            status = read_digest(cli, value, a->digest);
        else if ((status = check_length(cli, "a link is plain text", value, ERA_LINK_BYTES_MAX)) == 0)
            era_text_set(a->link, sizeof a->link, value);
    }
    return status;
}

static int read_ranges(const struct era_cli *cli, struct era_change *c)
{
    const char *given, *value;
    char kind[ERA_NAME_BYTES_MAX + 1] = "";
    size_t at = 0;
    while ((given = era_cli_next(cli, ERA_OPT_REQUIRE, &at))) {
        int k = 0;
        struct era_nearest near = {.word = kind};
        char cure[96] = "the kinds are distribution, software, api, database and protocol";
        if (!era_text_pair(given, kind, sizeof kind, &value))
            return bad(cli, given, "write --require software=\">=2.0.0\"", "this is no KIND=RANGE");
        for (; k < ERA_VERSION_KINDS && strcmp(kind, era_version_kind_names[k]) != 0; k++)
            era_nearest_try(&near, era_version_kind_names[k]);
        if (k == ERA_VERSION_KINDS && era_nearest_found(&near))
            snprintf(cure, sizeof cure, "did you mean %s?", era_nearest_found(&near));
        if (k == ERA_VERSION_KINDS)
            return bad(cli, given, cure, "there is no such kind of version");
        if (!era_range_valid(value) || strlen(value) > ERA_RANGE_BYTES_MAX)
            return era_fail(cli, ERA_EXIT_USAGE, NULL, given,
                            "write it like \">=1.2.0 <2.0.0\" or \"^1.2.0\"",
                            "this is no range of versions: %s",
                            era_range_valid(value) ? "it is too long" : era_range_why(value));
        c->requires[k] = value;
    }
    return 0;
}

static int read_flags(const struct era_cli *cli, struct era_change *c)
{
    const char *given, *value;
    size_t at = 0;
    while ((given = era_cli_next(cli, ERA_OPT_FLAG, &at))) {
        struct era_flag f = {0};
        if (!era_text_pair(given, f.name, sizeof f.name, &value) || !era_name_valid(f.name) ||
            (strcmp(value, "on") != 0 && strcmp(value, "off") != 0))
            return bad(cli, given, "write --flag NAME=on or NAME=off", "this switches no flag");
        if (c->flag_count == ERA_FLAGS_MAX)
            return bad(cli, given, "name fewer", "a record has at most 32 flags");
        f.on = strcmp(value, "on") == 0;
        c->flags[c->flag_count++] = f;
    }
    return 0;
}

/* NAME=RANGE[@SINCE] */
static int read_dependencies(const struct era_cli *cli, struct era_change *c)
{
    const char *given, *value;
    size_t at = 0;
    while ((given = era_cli_next(cli, ERA_OPT_DEPEND, &at))) {
        struct era_dependency d = {0};
        const char *form = "write --depend NAME=RANGE or NAME=RANGE@SINCE";
        if (!era_text_pair(given, d.name, sizeof d.name, &value) || !era_name_valid(d.name))
            return bad(cli, given, form, "this names no dependency");
        size_t range = strcspn(value, "@");
        char *text = strndup(value, range);
        assert(text);
        bool ok = era_range_valid(text) && era_text_set(d.range, sizeof d.range, text);
        free(text);
        if (!ok)
            return bad(cli, given, form, "this is no range of versions");
        if (value[range] && (!value[range + 1] || !era_text_set(d.since, sizeof d.since, value + range + 1) ||
                             !era_utf8_valid(d.since, strlen(d.since), false)))
            return bad(cli, given, form, "since when? At most 64 bytes of plain text after the @");
        if (c->dependency_count == ERA_DEPENDENCIES_MAX)
            return bad(cli, given, "name fewer", "a record has at most 8 dependencies");
        c->dependencies[c->dependency_count++] = d;
    }
    return 0;
}

static int read_class(const struct era_cli *cli, struct era_change *c)
{
    const char *given = era_cli_text(cli, ERA_OPT_CLASS);
    if (!given)
        return 0;
    struct era_nearest near = {.word = given};
    for (int k = ERA_CLASS_SOFT; k <= ERA_CLASS_OVERRIDE; k++) {
        era_nearest_try(&near, era_class_name((enum era_class)k));
        if (strcmp(given, era_class_name((enum era_class)k)) == 0)
            c->class = (enum era_class)k;
    }
    if (c->class)
        return 0;
    char cure[64] = "it is soft, breaking or override";
    if (era_nearest_found(&near))
        snprintf(cure, sizeof cure, "did you mean %s?", era_nearest_found(&near));
    return bad(cli, given, cure, "there is no such class of change");
}

static int read_effective(const struct era_cli *cli, uint64_t epoch, struct era_change *c)
{
    const char *given = era_cli_text(cli, ERA_OPT_EFFECTIVE);
    c->announce = era_cli_has(cli, ERA_OPT_ANNOUNCE);
    if (!given)
        return 0;
    if (c->announce)
        return era_fail_usage(cli, "give one of them",
                              "--announce is without an epoch, and --effective is one");
    bool relative = given[0] == '+';
    if (!era_u64_parse(given + relative, ERA_EPOCH_MAX - epoch, &c->effective))
        return bad(cli, given, "write an epoch, 150, or how many from now, +20", "this is no epoch");
    if (relative)
        c->effective += epoch;
    c->has_effective = true;
    return 0;
}

/* The texts that go into the record as they are. */
static int read_texts(const struct era_cli *cli, struct era_change *c)
{
    static char digest[ERA_DIGEST_BYTES_MAX + 1];
    const char *source = era_cli_text(cli, ERA_OPT_SOURCE_DIGEST);
    c->version = era_cli_text(cli, ERA_OPT_SET_VERSION);
    c->era_name = era_cli_text(cli, ERA_OPT_ERA_NAME);
    c->link = era_cli_text(cli, ERA_OPT_LINK);
    if (c->version && (!era_semver_valid(c->version) || strlen(c->version) > ERA_VERSION_BYTES_MAX))
        return era_fail(cli, ERA_EXIT_USAGE, NULL, c->version, "write it like 1.2.3 or 1.2.3-rc.1",
                        "this is no semantic version: %s",
                        era_semver_valid(c->version) ? "it is too long" : era_semver_why(c->version));
    if (c->era_name && !era_name_valid(c->era_name))
        return bad(cli, c->era_name, "use 1 to 64 of a-z, 0-9, dot, _ and -", "this is no name of an era");
    int status = check_length(cli, "a link is plain text", c->link, ERA_LINK_BYTES_MAX);
    if (status == 0 && source) {
        status = read_digest(cli, source, digest);
        c->source_digest = digest;
    }
    return status;
}

/* Each --drop is an entry of the head's plan or a proposal above the head. */
static int read_drops(const struct era_cli *cli, const struct era_network *n, struct era_change *c)
{
    const char *given;
    size_t at = 0;
    while ((given = era_cli_next(cli, ERA_OPT_DROP, &at))) {
        size_t found = 0;
        char text[ERA_HASH_TEXT_BYTES];
        struct era_hash hit;
        if (!era_id_prefix_valid(given))
            return bad(cli, given, "give 8 to 64 digits of its hash; `eractl eras` shows them",
                       "this is no hash");
        for (size_t i = 0; i < n->plan->count + n->other_count; i++) {
            const struct era_hash *h =
                i < n->plan->count ? &n->plan->entries[i].hash : &n->others[i - n->plan->count].id;
            if (strncmp(era_hash_text(h, text), given, strlen(given)) == 0 && found++ == 0)
                hit = *h;
        }
        if (found == 0)
            return era_fail(cli, ERA_EXIT_NO_INPUT, "not-found", given,
                            "see `eractl eras` and `eractl inbox`",
                            "no entry of the plan and no open proposal begins so");
        if (found > 1)
            return era_fail_verdict(cli, ERA_AMBIGUOUS, given, NULL);
        if (c->drop_count == ERA_DROPS_MAX)
            return bad(cli, given, "drop fewer", "a proposal drops at most 16 entries");
        c->drops[c->drop_count++] = hit;
    }
    return 0;
}

static bool says_entry(const struct era_cli *cli)
{
    static const int keys[] = {ERA_OPT_SET_VERSION,   ERA_OPT_CLASS,         ERA_OPT_EFFECTIVE,
                               ERA_OPT_ANNOUNCE,      ERA_OPT_ERA_NAME,      ERA_OPT_ARTEFACT,
                               ERA_OPT_ARTEFACT_LINK, ERA_OPT_SOURCE_DIGEST, ERA_OPT_LINK,
                               ERA_OPT_REQUIRE,       ERA_OPT_FLAG,          ERA_OPT_DEPEND};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (era_cli_has(cli, keys[i]))
            return true;
    return false;
}

static int read_change(struct era_cli *cli, const struct era_network *n, struct era_change *c)
{
    c->has_entry = says_entry(cli);
    c->undo = era_cli_has(cli, ERA_OPT_YES_UNDO);
    if (!c->has_entry && !era_cli_has(cli, ERA_OPT_DROP))
        return era_fail_usage(cli, "give --set-version, --class and --effective, or --drop HASH",
                              "propose what?");
    int status = read_class(cli, c);
    if (status == 0)
        status = read_effective(cli, n->epoch, c);
    if (status == 0)
        status = read_texts(cli, c);
    if (status == 0)
        status = read_artefacts(cli, c, ERA_OPT_ARTEFACT);
    if (status == 0)
        status = read_artefacts(cli, c, ERA_OPT_ARTEFACT_LINK);
    if (status == 0)
        status = read_ranges(cli, c);
    if (status == 0)
        status = read_flags(cli, c);
    if (status == 0)
        status = read_dependencies(cli, c);
    return status == 0 ? read_drops(cli, n, c) : status;
}

/* ---- making it ---- */

static int read_base(struct era_cli *cli, const struct era_material *m, const struct era_network *n,
                     struct era_draft_base *base)
{
    *base = (struct era_draft_base){.component = n->component,
                                    .plan = n->plan,
                                    .head = n->head_ref,
                                    .charter_version = n->charter.version,
                                    .epoch = n->epoch,
                                    .seq = m->next_seq,
                                    .urgent = era_cli_has(cli, ERA_OPT_URGENT),
                                    .has_expiry = era_cli_has(cli, ERA_OPT_EXPIRES),
                                    .text = era_cli_text(cli, ERA_OPT_TEXT)};
    if (!era_cli_u64(cli, ERA_OPT_SEQ, ERA_SEQ_MAX, &base->seq) ||
        !era_cli_u64(cli, ERA_OPT_EXPIRES, ERA_EPOCH_MAX, &base->expiry))
        return ERA_EXIT_USAGE;
    if (base->text && !era_utf8_valid(base->text, strlen(base->text), true))
        return bad(cli, base->text, "write plain text", "--text holds bytes that are no text");
    if (n->head_ref.some && base->seq <= n->head_ref.seq)
        return era_fail_verdict(cli, ERA_DOMINATED, "--seq", NULL);
    return 0;
}

/* What the rules say to the finished proposal: a second opinion, on the same code that signers and validators
 * run. */
static int check_rules(const struct era_cli *cli, const struct era_network *n, const struct era_proposal *p)
{
    const char *why = NULL;
    struct era_extending x = {.prev_plan = n->plan,
                              .prev = n->head_ref,
                              .epoch = n->epoch,
                              .notice_epochs = p->urgent ? n->component->urgent_notice_epochs
                                                         : n->component->notice_epochs};
    enum era_verdict v = era_plan_well_formed(p, &why);
    if (v == ERA_ACCEPTED)
        v = era_plan_extends(&x, p, &why);
    return v == ERA_ACCEPTED ? 0 : era_fail_verdict(cli, v, "the proposal", why);
}

/* Proposals in flight that this one neither contains nor drops: who signed them for good cannot sign this. */
static void warn_of_others(const struct era_network *n, const struct era_proposal *p)
{
    for (size_t i = 0; i < n->other_count; i++) {
        const struct era_known_proposal *o = &n->others[i];
        char id[ERA_SHORT_ID_BYTES];
        bool lost = false;
        for (size_t e = 1; e < o->proposal->plan.count; e++) {
            const struct era_entry *entry = &o->proposal->plan.entries[e];
            lost = lost || (entry->has_effective && era_plan_find(&p->plan, &entry->hash) < 0 &&
                            !era_proposal_drops(p, &entry->hash));
        }
        if (!lost || era_proposal_drops(p, &o->id) || o->proposal->slot.seq >= p->slot.seq)
            continue;
        era_short_hash(&o->id, id);
        era_notice("proposal %s in slot %" PRIu64
                   " is in flight, and this one does not contain it: whoever is bound "
                   "to it cannot sign this one; wait for it, or name it with --drop %s",
                   id, o->proposal->slot.seq, id);
    }
}

static void show_words(const struct era_cli *cli, const struct era_network *n, const struct era_proposal *p)
{
    struct era_words w = {
        .out = stderr, .charter = &n->charter, .component = n->component, .plan = n->plan, .epoch = n->epoch};
    struct era_answer a;
    era_words_proposal(&w, p);
    if (!era_cli_has(cli, ERA_OPT_OFFLINE) && !n->charter.authority_only) {
        if (era_ask_quietly(cli, &(struct era_request){.verb = "announcements"}, &a) == 0)
            era_words_adoption(&w, p, a.json);
        era_answer_clear(&a);
    }
    warn_of_others(n, p);
}

static int sign_and_send(struct era_cli *cli, const struct era_network *n, const struct era_proposal *p)
{
    struct era_signing s;
    int status = era_signing_open(cli, n, &s);
    if (status != 0)
        return status;
    show_words(cli, n, p);
    if (era_cli_has(cli, ERA_OPT_DRY_RUN)) {
        status = cli->json ? era_print_json(cli, json_pack("{s:b,s:s,s:I}", "dry_run", true, "component",
                                                           p->slot.component, "seq", (json_int_t)p->slot.seq))
                           : 0;
    } else if (!era_confirm(cli, "Propose this?")) {
        status = era_fail(cli, ERA_EXIT_NEGATIVE, NULL, "", "", "not proposed");
    } else {
        struct era_statement *statement = calloc(1, sizeof *statement);
        assert(statement);
        statement->kind = ERA_KIND_PROPOSAL;
        statement->u.proposal = *p;
        status =
            era_signing_send(cli, n, &s, statement,
                             json_pack("{s:s,s:I,s:I}", "component", p->slot.component, "charter_version",
                                       (json_int_t)p->slot.charter_version, "seq", (json_int_t)p->slot.seq));
        free(statement);
    }
    era_signing_close(&s);
    return status;
}

static int propose(struct era_cli *cli, const struct era_material *m, const struct era_network *n)
{
    struct era_change *change = calloc(1, sizeof *change);
    struct era_draft *draft = calloc(1, sizeof *draft);
    struct era_draft_base base;
    assert(change && draft);
    int status = read_change(cli, n, change);
    if (status == 0)
        status = read_base(cli, m, n, &base);
    if (status == 0 && !era_draft_make(&base, change, draft))
        status = era_fail(cli, era_verdict_exit(draft->verdict), era_verdict_code(draft->verdict), "",
                          draft->cure, "%s", draft->why);
    if (status == 0)
        status = check_rules(cli, n, &draft->proposal);
    if (status == 0)
        status = sign_and_send(cli, n, &draft->proposal);
    free(change);
    free(draft);
    return status;
}

static int export(const struct era_cli *cli, const struct era_material *m)
{
    const char *path = era_cli_text(cli, ERA_OPT_EXPORT);
    int status = era_material_write(cli, path, m);
    if (status == 0 && cli->json)
        status = era_print_json(
            cli, json_pack("{s:I,s:I}", "epoch", (json_int_t)m->epoch, "next_seq", (json_int_t)m->next_seq));
    return status;
}

int era_run_propose(struct era_cli *cli)
{
    struct era_material m;
    int status = era_signing_check_options(cli);
    if (status != 0)
        return status;
    status = era_signing_material(cli, NULL, &m);
    if (status != 0)
        return status;
    if (era_cli_has(cli, ERA_OPT_EXPORT)) {
        status = export(cli, &m);
    } else {
        struct era_network *n = malloc(sizeof *n);
        assert(n);
        status = era_signing_network(cli, &m, n);
        if (status == 0) {
            status = propose(cli, &m, n);
            era_network_close(n);
        }
        free(n);
    }
    era_material_clear(&m);
    return status;
}
