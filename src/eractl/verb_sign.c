/* approve, reject, submit. An approval binds its key for ever, so everything
 * is verified here, whatever the daemon says, and written down before it is signed. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/vote.h"
#include "src/eractl/approvals.h"
#include "src/eractl/daemon.h"
#include "src/eractl/network.h"
#include "src/eractl/print.h"
#include "src/eractl/sign.h"
#include "src/eractl/text.h"
#include "src/eractl/verbs.h"
#include "src/eractl/words.h"
#include "src/host/files.h"

/* ---- what both begin with ---- */

static int open_proposal(struct era_cli *cli, struct era_material *m, struct era_network *n)
{
    const char *id = cli->arg_count ? cli->args[0] : NULL;
    char text[ERA_HASH_TEXT_BYTES];
    int status = era_signing_check_options(cli);
    if (status != 0)
        return status;
    if (!id && !era_cli_has(cli, ERA_OPT_OFFLINE))
        return era_fail_usage(cli, "give the ID that `eractl inbox` shows", "which proposal?");
    if (id && !era_id_prefix_valid(id))
        return era_fail(cli, ERA_EXIT_USAGE, NULL, id, "give 8 to 64 digits; `eractl inbox` shows them",
                        "this is no id of a proposal");
    status = era_signing_material(cli, id, m);
    if (status != 0)
        return status;
    status = era_signing_network(cli, m, n);
    if (status == 0 && !n->proposal.proposal) {
        status = era_fail(cli, ERA_EXIT_DATA, NULL, "", "export it with `eractl show ID --export FILE`",
                          "there is no proposal in it");
        era_network_close(n);
    } else if (status == 0 && id && strncmp(era_hash_text(&n->proposal.id, text), id, strlen(id)) != 0) {
        status = era_fail(cli, ERA_EXIT_DATA, NULL, id, "compare the ids; somebody exchanged the proposal",
                          "the proposal that came is another one: %s", text);
        era_network_close(n);
    }
    if (status != 0)
        era_material_clear(m);
    return status;
}

static void show_words(const struct era_network *n)
{
    struct era_words w = {
        .out = stderr, .charter = &n->charter, .component = n->component, .plan = n->plan, .epoch = n->epoch};
    char id[ERA_HASH_TEXT_BYTES];
    era_print_prose(stderr, 0, "Proposal %s", era_hash_text(&n->proposal.id, id));
    era_words_proposal(&w, n->proposal.proposal);
}

static json_t *slot_json(const struct era_network *n)
{
    const struct era_slot_id *slot = &n->proposal.proposal->slot;
    char id[ERA_HASH_TEXT_BYTES];
    return json_pack("{s:s,s:s,s:I,s:I}", "proposal", era_hash_text(&n->proposal.id, id), "component",
                     slot->component, "charter_version", (json_int_t)slot->charter_version, "seq",
                     (json_int_t)slot->seq);
}

/* ---- approve ---- */

/* Authority only: plans this key approved above the head must be contained or
 * dropped (the extending rule). One that nobody holds any more cannot be judged. */
static int gather_voted(const struct era_cli *cli, const struct era_network *n,
                        const struct era_approvals *record, struct era_voted *voted, size_t *count)
{
    const struct era_proposal *p = n->proposal.proposal;
    uint64_t head = n->head_ref.some ? n->head_ref.seq : 0;
    char id[ERA_HASH_TEXT_BYTES];
    *count = 0;
    for (size_t i = 0; i < record->count && n->charter.authority_only; i++) {
        const struct era_approval *a = &record->list[i];
        bool same = era_hash_eq(&a->network, &n->id) && strcmp(a->slot.component, p->slot.component) == 0 &&
                    a->slot.charter_version == p->slot.charter_version;
        if (!same || a->slot.seq <= head || a->slot.seq == p->slot.seq || era_proposal_drops(p, &a->proposal))
            continue;
        const struct era_plan *plan = NULL;
        for (size_t o = 0; o < n->other_count; o++)
            if (era_hash_eq(&n->others[o].id, &a->proposal))
                plan = &n->others[o].proposal->plan;
        if (!plan)
            return era_fail(cli, ERA_EXIT_TRY_LATER, era_verdict_code(ERA_NOT_EXTENDING),
                            era_hash_text(&a->proposal, id),
                            "wait until the daemon holds it, or let the proposal drop it by its id",
                            "this key approved another proposal, in slot %" PRIu64
                            ", that is not held here, so it cannot be told whether this one keeps it",
                            a->slot.seq);
        voted[(*count)++] = (struct era_voted){a->proposal, plan};
    }
    return 0;
}

static int judge(const struct era_cli *cli, const struct era_network *n, const struct era_approvals *record)
{
    const struct era_proposal *p = n->proposal.proposal;
    const char *why = NULL;
    struct era_voted *voted = calloc(record->count + 1, sizeof *voted);
    struct era_approver a = {.charter = &n->charter,
                             .component = (int)(n->component - n->charter.components),
                             .head_plan = n->plan,
                             .head = n->head_ref,
                             .epoch = n->epoch,
                             .signed_floor = era_approvals_floor(record, &n->id, &p->slot),
                             .voted = voted};
    assert(voted);
    int status = gather_voted(cli, n, record, voted, &a.voted_count);
    if (status == 0) {
        enum era_verdict v = era_vote_approve(&a, p, &why);
        if (v != ERA_ACCEPTED)
            status = era_fail_verdict(cli, v, "the proposal", why);
    }
    free(voted);
    return status;
}

/* One id a slot (R3). *again: this very id is in the record, so signing it again changes nothing. */
static int check_record(const struct era_cli *cli, const struct era_network *n,
                        const struct era_approvals *record, bool *again)
{
    const struct era_approval *held = era_approvals_find(record, &n->id, &n->proposal.proposal->slot);
    char old[ERA_HASH_TEXT_BYTES], new[ERA_HASH_TEXT_BYTES];
    *again = held && era_hash_eq(&held->proposal, &n->proposal.id);
    if (!held || *again)
        return 0;
    return era_fail(cli, era_verdict_exit(ERA_ALREADY_SIGNED), era_verdict_code(ERA_ALREADY_SIGNED),
                    record->path, era_verdict_cure(ERA_ALREADY_SIGNED),
                    "in slot %" PRIu64 " of %s this key approved %s, so it cannot approve %s", held->slot.seq,
                    held->slot.component, era_hash_text(&held->proposal, old),
                    era_hash_text(&n->proposal.id, new));
}

/* R14: what is judged by a clock in doubt is not approved. A signer far from any daemon judges by the file's epoch. */
static int check_clock(const struct era_cli *cli)
{
    struct era_answer a;
    if (era_cli_has(cli, ERA_OPT_OFFLINE))
        return 0;
    int status = era_ask(cli, &(struct era_request){.verb = "status"}, &a);
    if (status != 0)
        return status;
    if (json_is_true(json_object_get(json_object_get(a.json, "clock"), "in_doubt")))
        status = era_fail_verdict(cli, ERA_CLOCK, "the daemon's clock", NULL);
    era_answer_clear(&a);
    return status;
}

static int sign_approval(const struct era_cli *cli, const struct era_network *n, const struct era_signing *s,
                         struct era_approvals *record, bool again)
{
    const struct era_approval approval = {n->id, n->proposal.proposal->slot, n->proposal.id};
    struct era_error err;
    /* On the disk before the signature exists: a crash may lose a signature, never its memory. */
    if (!again && !era_approvals_add(record, &approval, &err))
        return era_fail_error(cli, &err);
    struct era_statement *statement = calloc(1, sizeof *statement);
    assert(statement);
    statement->kind = ERA_KIND_APPROVE;
    statement->u.vote = (struct era_vote){approval.slot, approval.proposal};
    int status = era_signing_send(cli, n, s, statement, slot_json(n));
    free(statement);
    return status;
}

static int approve(const struct era_cli *cli, const struct era_network *n)
{
    struct era_signing s;
    struct era_approvals record;
    struct era_error err;
    bool again = false;
    int status = era_signing_open(cli, n, &s);
    if (status != 0)
        return status;
    if (!era_approvals_open(era_cli_text(cli, ERA_OPT_KEY), &record, &err)) {
        era_signing_close(&s);
        return era_fail_error(cli, &err);
    }
    status = check_record(cli, n, &record, &again);
    if (status == 0 && !again)
        status = check_clock(cli);
    if (status == 0 && !again)
        status = judge(cli, n, &record);
    if (status == 0) {
        show_words(n);
        if (!again && !era_confirm(cli, "Approve this, for ever?"))
            status = era_fail(cli, ERA_EXIT_NEGATIVE, NULL, "", "", "not approved");
    }
    if (status == 0)
        status = sign_approval(cli, n, &s, &record, again);
    era_approvals_close(&record);
    era_signing_close(&s);
    return status;
}

/* ---- reject ---- */

/* R2 holds for rejections too; nothing else does: one may reject what is badly made. */
static int check_window(const struct era_cli *cli, const struct era_network *n)
{
    const struct era_proposal *p = n->proposal.proposal;
    struct era_approvals record;
    struct era_error err;
    uint64_t floor = n->head_ref.some ? n->head_ref.seq : 0;
    if (p->slot.seq <= floor)
        return era_fail_verdict(cli, ERA_DOMINATED, "the proposal", NULL);
    if (n->epoch > p->expiry)
        return era_fail_verdict(cli, ERA_EXPIRED, "the proposal", NULL);
    if (!era_approvals_open(era_cli_text(cli, ERA_OPT_KEY), &record, &err))
        return era_fail_error(cli, &err);
    uint64_t signed_floor = era_approvals_floor(&record, &n->id, &p->slot);
    era_approvals_close(&record);
    if (signed_floor > floor)
        floor = signed_floor;
    return p->slot.seq > floor + ERA_SIGN_WINDOW_SEQS
               ? era_fail_verdict(cli, ERA_BEYOND_WINDOW, "the proposal", NULL)
               : 0;
}

static int reject(const struct era_cli *cli, const struct era_network *n)
{
    const char *reason = era_cli_text(cli, ERA_OPT_REASON);
    struct era_signing s;
    int status = era_signing_open(cli, n, &s);
    if (status != 0)
        return status;
    status = check_window(cli, n);
    if (status == 0) {
        show_words(n);
        if (!era_confirm(cli, "Reject this?"))
            status = era_fail(cli, ERA_EXIT_NEGATIVE, NULL, "", "", "not rejected");
    }
    if (status == 0) {
        struct era_statement *statement = calloc(1, sizeof *statement);
        assert(statement);
        statement->kind = ERA_KIND_REJECT;
        statement->u.reject.slot = n->proposal.proposal->slot;
        statement->u.reject.proposal = n->proposal.id;
        era_text_set(statement->u.reject.reason, sizeof statement->u.reject.reason, reason);
        status = era_signing_send(cli, n, &s, statement, slot_json(n));
        free(statement);
    }
    era_signing_close(&s);
    return status;
}

/* ---- the verbs ---- */

static int with_proposal(struct era_cli *cli, int (*act)(const struct era_cli *, const struct era_network *))
{
    struct era_material m;
    struct era_network *n = malloc(sizeof *n);
    assert(n);
    int status = open_proposal(cli, &m, n);
    if (status == 0) {
        status = act(cli, n);
        era_network_close(n);
        era_material_clear(&m);
    }
    free(n);
    return status;
}

int era_run_approve(struct era_cli *cli)
{
    return with_proposal(cli, approve);
}

int era_run_reject(struct era_cli *cli)
{
    const char *reason = era_cli_text(cli, ERA_OPT_REASON);
    if (!reason || !*reason)
        return era_fail_usage(cli, "add --reason TEXT; everybody reads it", "a rejection says why");
    if (strlen(reason) > ERA_TEXT_BYTES_MAX || !era_utf8_valid(reason, strlen(reason), true))
        return era_fail_usage(cli, "make it shorter, plain text",
                              "the reason is longer than %d bytes, or no text", ERA_TEXT_BYTES_MAX);
    return with_proposal(cli, reject);
}

static int submit(const struct era_cli *cli, const char *path, json_t *ids)
{
    struct era_envelope e;
    struct era_error err;
    struct era_answer a;
    uint8_t *bytes;
    size_t len;
    int rc = era_file_read(path, ERA_STATEMENT_BYTES_MAX, &bytes, &len);
    if (rc != 0) {
        era_error_errno(&err, rc, path, "read the statement");
        return era_fail_error(cli, &err);
    }
    enum era_verdict v = era_envelope_decode((struct era_bytes){bytes, len}, &e);
    int status = v == ERA_ACCEPTED
                     ? era_ask(cli, &(struct era_request){.verb = "submit", .data = {bytes, len}}, &a)
                     : era_fail(cli, era_verdict_exit(v), era_verdict_code(v), path,
                                "name a file that eractl wrote with -o", "this is no signed statement: %s",
                                era_verdict_text(v));
    free(bytes);
    if (status != 0)
        return status;
    json_array_append_new(ids, json_string(era_json_text(a.json, "id")));
    if (!cli->json)
        puts(era_json_text(a.json, "id"));
    era_answer_clear(&a);
    return 0;
}

int era_run_submit(struct era_cli *cli)
{
    json_t *ids = json_array();
    int status = 0;
    for (size_t i = 0; i < cli->arg_count && status == 0; i++)
        status = submit(cli, cli->args[i], ids);
    if (status == 0 && cli->json)
        return era_print_json(cli, json_pack("{s:o}", "ids", ids));
    json_decref(ids);
    return status;
}
