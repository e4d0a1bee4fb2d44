/* What is asked over the control socket. Questions are answered at once; what
 * changes something becomes a command, answered when it is durable. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/erad/daemon.h"
#include "src/erad/log.h"

#define PREFIX_DIGITS_MIN 8
#define TEXT_BYTES        1024

struct asked {
    struct era_daemon *d;
    uint64_t request;
    const struct era_request *r;
};

/* ---- answering ---- */

static void answer(struct era_daemon *d, uint64_t request, const struct era_response *response)
{
    uint8_t *bytes;
    size_t len = era_response_encode(response, &bytes);
    if (len == 0) { /* above the bound of a message, which every refusal keeps */
        struct era_response no = {.status = (uint32_t)era_verdict_exit(ERA_OVERSIZED),
                                  .code = era_verdict_code(ERA_OVERSIZED),
                                  .text = "the answer is larger than a control message",
                                  .cure = "ask for one component, or for fewer entries"};
        len = era_response_encode(&no, &bytes);
    }
    assert(len > 0);
    int rc = era_control_server_reply(d->control, request, (struct era_bytes){bytes, len});
    if (rc != 0)
        era_log(ERA_LOG_WARNING, "control: a request stays without an answer: %s", strerror(-rc));
    free(bytes);
}

/* Takes json. */
static void send_json(struct era_daemon *d, uint64_t request, enum era_verdict v, json_t *json,
                      struct era_bytes data)
{
    char *text = json_dumps(json, JSON_COMPACT);
    assert(text);
    json_decref(json);
    struct era_response response = {.json = text, .data = data};
    if (v != ERA_ACCEPTED) {
        response.status = (uint32_t)era_verdict_exit(v);
        response.code = era_verdict_code(v);
        response.text = era_verdict_text(v);
        response.cure = era_verdict_cure(v);
    }
    answer(d, request, &response);
    free(text);
}

/* why, cure: NULL for the verdict's own. */
static void refuse(struct era_daemon *d, uint64_t request, enum era_verdict v, const char *where,
                   const char *why, const char *cure)
{
    char text[TEXT_BYTES];
    snprintf(text, sizeof text, "%s%s%s", era_verdict_text(v), why ? ": " : "", why ? why : "");
    struct era_response response = {.status = (uint32_t)era_verdict_exit(v),
                                    .code = era_verdict_code(v),
                                    .text = text,
                                    .where = where,
                                    .cure = cure ? cure : era_verdict_cure(v)};
    answer(d, request, &response);
}

static void refuse_asked(const struct asked *a, enum era_verdict v, const char *where, const char *why)
{
    refuse(a->d, a->request, v, where, why, NULL);
}

static json_t *object(const char *verb)
{
    char schema[ERA_NAME_BYTES_MAX + 16];
    snprintf(schema, sizeof schema, "erad.%s/1", verb);
    json_t *o = json_pack("{s:s}", "schema", schema);
    assert(o);
    return o;
}

static void put(json_t *o, const char *key, json_t *v)
{
    int rc = json_object_set_new(o, key, v);
    assert(rc == 0);
}

static json_t *hash_json(const struct era_hash *h)
{
    char text[ERA_HASH_TEXT_BYTES];
    return json_string(era_hash_text(h, text));
}

/* ---- what a request names ---- */

/* "" is `otherwise`. False: refused. */
static bool find_component(const struct asked *a, int otherwise, int *component)
{
    const struct era_charter *c = era_node_charter(a->d->node);
    *component = otherwise;
    if (!a->r->component[0])
        return true;
    for (size_t i = 0; i < c->component_count; i++)
        if (strcmp(c->components[i].id, a->r->component) == 0) {
            *component = (int)i;
            return true;
        }
    refuse_asked(a, ERA_UNKNOWN_COMPONENT, a->r->component, NULL);
    return false;
}

/* What any charter of the chain holds (R10). Returns the number of different ids, at most two counted. */
static size_t find_prefix(const struct era_node *n, const char *digits, struct era_hash found[2])
{
    size_t count = 0;
    for (const struct era_ledger *l = era_node_ledger(n); l && count < 2; l = era_ledger_older(l)) {
        struct era_hash more[2];
        size_t here = era_ledger_prefix(l, digits, more, 2);
        for (size_t i = 0; i < here && i < 2 && count < 2; i++)
            if (count == 0 || !era_hash_eq(&found[0], &more[i]))
                found[count++] = more[i];
    }
    return count;
}

/* A whole id or a prefix of at least 8 digits that only one proposal has. False: refused. */
static bool find_proposal(const struct asked *a, struct era_hash *id)
{
    const char *text = a->r->id;
    size_t len = strlen(text);
    struct era_hash found[2];
    if (len < PREFIX_DIGITS_MIN || len > 2 * ERA_HASH_BYTES || strspn(text, "0123456789abcdef") != len) {
        refuse_asked(a, ERA_USAGE, text, "an id is 8 to 64 lowercase hex digits");
        return false;
    }
    size_t count = find_prefix(a->d->node, text, found);
    if (count == 1) {
        *id = found[0];
        return true;
    }
    refuse_asked(a, count == 0 ? ERA_NOT_FOUND : ERA_AMBIGUOUS, text, NULL);
    return false;
}

/* ---- questions ---- */

/* `number` newest of a list; and a list that outgrows a message loses its oldest. */
static void send_list(const struct asked *a, json_t *json, const char *key)
{
    json_t *list = json_object_get(json, key);
    size_t all = json_array_size(list), most = a->r->has_number ? (size_t)a->r->number : all;
    /* Room for what the message says around it. */
    while (json_array_size(list) > most ||
           (json_array_size(list) > 0 &&
            json_dumpb(json, NULL, 0, JSON_COMPACT) + ERA_CONTROL_TEXT_BYTES_MAX > ERA_CONTROL_BYTES_MAX)) {
        size_t has = json_array_size(list), cut = has > most ? has - most : (has + 7) / 8;
        while (cut-- > 0)
            json_array_remove(list, 0);
    }
    if (json_array_size(list) < all)
        put(json, "left_out", json_integer((json_int_t)(all - json_array_size(list))));
    send_json(a->d, a->request, ERA_ACCEPTED, json, (struct era_bytes){0});
}

/* Only those of the component that was asked for. */
static void keep_component(const struct asked *a, json_t *list)
{
    for (size_t i = json_array_size(list); a->r->component[0] && i-- > 0;) {
        const char *of = json_string_value(json_object_get(json_array_get(list, i), "component"));
        if (!of || strcmp(of, a->r->component) != 0)
            json_array_remove(list, i);
    }
}

static void ask_status(const struct asked *a)
{
    struct era_report_info info = {0};
    era_daemon_info(a->d, &info);
    send_list(a, era_report_status(a->d->node, &info), "proposals");
}

static void ask_gate(const struct asked *a)
{
    int component;
    if (find_component(a, -1, &component))
        send_json(a->d, a->request, ERA_ACCEPTED, era_report_gate(a->d->node, component),
                  (struct era_bytes){0});
}

static void ask_eras(const struct asked *a)
{
    int component;
    if (find_component(a, -1, &component))
        send_json(a->d, a->request, ERA_ACCEPTED, era_report_eras(a->d->node, component),
                  (struct era_bytes){0});
}

static void ask_proposals(const struct asked *a)
{
    int component;
    if (!find_component(a, -1, &component))
        return;
    json_t *json = era_report_proposals(a->d->node);
    keep_component(a, json_object_get(json, "proposals"));
    send_list(a, json, "proposals");
}

static void ask_log(const struct asked *a)
{
    int component;
    if (!find_component(a, -1, &component))
        return;
    json_t *json = era_report_log(a->d->node);
    keep_component(a, json_object_get(json, "entries"));
    send_list(a, json, "entries");
}

static void ask_peers(const struct asked *a)
{
    struct era_report_info info = {0};
    era_daemon_info(a->d, &info);
    send_list(a, era_report_peers(a->d->node, &info), "peers");
}

static void ask_announcements(const struct asked *a)
{
    send_list(a, era_report_announcements(a->d->node), "validators");
}

/* With the proposal as signed, so that who asks can check it alone. */
static void send_with_proposal(const struct asked *a, json_t *json, const struct era_hash *id)
{
    struct era_envelope e;
    uint8_t *bytes = NULL;
    size_t len = 0;
    const struct era_ledger *l = id ? era_report_ledger_of(a->d->node, id) : NULL;
    if (l && era_ledger_proposal_bytes(l, id, &e)) {
        len = era_envelope_bytes(&e);
        bytes = malloc(len);
        assert(bytes);
        len = era_envelope_encode(&e, bytes, len);
    }
    send_json(a->d, a->request, ERA_ACCEPTED, json, (struct era_bytes){bytes, len});
    free(bytes);
}

static void ask_show(const struct asked *a)
{
    struct era_hash id;
    if (!find_proposal(a, &id))
        return;
    json_t *json = era_report_show(a->d->node, &id);
    if (json)
        send_with_proposal(a, json, &id);
    else
        refuse_asked(a, ERA_NOT_FOUND, a->r->id,
                     "others speak of it, but the proposal itself has not come yet");
}

static void ask_head(const struct asked *a)
{
    int component;
    if (!find_component(a, era_node_network_component(a->d->node), &component))
        return;
    const struct era_adopted *head = era_ledger_head(era_node_ledger(a->d->node), component);
    send_with_proposal(a, era_report_head(a->d->node, component), head ? &head->proposal : NULL);
}

static void ask_charter(const struct asked *a)
{
    uint8_t *bytes;
    size_t len = era_charter_encode(era_node_charter(a->d->node), &bytes);
    send_json(a->d, a->request, ERA_ACCEPTED, era_report_charter(a->d->node), (struct era_bytes){bytes, len});
    free(bytes);
}

/* ---- what changes something ---- */

static struct era_waiting *waiting_of(struct era_daemon *d, uint64_t request)
{
    for (size_t i = 0; i < ERA_CONTROL_PENDING_MAX; i++)
        if (d->waiting[i].used && d->waiting[i].request == request)
            return &d->waiting[i];
    return NULL;
}

/* The control server lets no more than this many stand unanswered. */
static struct era_waiting *wait_for(const struct asked *a)
{
    for (size_t i = 0; i < ERA_CONTROL_PENDING_MAX; i++) {
        struct era_waiting *w = &a->d->waiting[i];
        if (w->used)
            continue;
        *w = (struct era_waiting){.used = true, .request = a->request};
        era_text_set(w->verb, sizeof w->verb, a->r->verb);
        return w;
    }
    assert(!"room for every request that the control server hands out");
    return NULL;
}

static void command(struct era_daemon *d, struct era_command *c)
{
    era_daemon_step(d, &(struct era_event){.kind = ERA_EV_COMMAND, .command = c});
}

static void do_submit(const struct asked *a)
{
    struct era_envelope e;
    if (a->r->data.len == 0) {
        refuse_asked(a, ERA_USAGE, "data", "submit needs a signed statement");
        return;
    }
    struct era_waiting *w = wait_for(a);
    if (era_envelope_decode(a->r->data, &e) == ERA_ACCEPTED) /* a duplicate is named too */
        w->proposal = era_statement_id(era_node_network(a->d->node), e.kind, e.payload);
    command(a->d, &(struct era_command){.id = a->request, .kind = ERA_CMD_SUBMIT, .bytes = a->r->data});
}

static void do_ready(const struct asked *a)
{
    struct era_hash id;
    if (!find_proposal(a, &id))
        return;
    struct era_waiting *w = wait_for(a);
    const struct era_candidate *c = era_ledger_candidate(era_node_ledger(a->d->node), &id);
    if (c) { /* a vote cast before is named too */
        struct era_vote vote = {.slot = {.charter_version = c->charter_version, .seq = c->seq},
                                .proposal = id};
        era_text_set(vote.slot.component, sizeof vote.slot.component,
                     era_node_charter(a->d->node)->components[c->component].id);
        w->proposal = era_author_vote_id(era_node_network(a->d->node), ERA_KIND_READINESS, &vote);
    }
    command(a->d, &(struct era_command){.id = a->request, .kind = ERA_CMD_READY, .proposal = id});
}

/* T5: erad computes the digest itself, beside the loop. */
static void do_attest(const struct asked *a)
{
    struct era_hash id;
    size_t index;
    if (a->r->path[0] != '/') {
        refuse_asked(a, ERA_USAGE, a->r->path, "attest needs the absolute path of what was built");
        return;
    }
    if (era_node_validator(a->d->node) < 0) {
        refuse_asked(a, ERA_NO_KEY, a->d->options.config_path, NULL);
        return;
    }
    if (!find_proposal(a, &id))
        return;
    struct era_entry *entry = malloc(sizeof *entry);
    assert(entry);
    enum era_verdict v = era_node_attest_target(a->d->node, &id, a->r->artefact, entry, &index);
    if (v != ERA_ACCEPTED) {
        refuse_asked(a, v, a->r->artefact[0] ? a->r->artefact : a->r->id,
                     v == ERA_AMBIGUOUS ? "the plan has more than one artefact, name one"
                                        : "the plan has no such artefact");
        free(entry);
        return;
    }
    const struct era_artefact *x = &entry->record.artefacts[index];
    struct era_waiting *w = wait_for(a);
    w->proposal = id;
    era_text_set(w->artefact, sizeof w->artefact, x->name);
    era_text_set(w->expected, sizeof w->expected, x->digest);
    era_text_set(w->builder, sizeof w->builder, a->r->builder);
    era_text_set(w->source_digest, sizeof w->source_digest, a->r->source_digest);
    free(entry);
    if (!era_hasher_submit(a->d->hasher, a->request, a->r->path, w->expected)) {
        w->used = false;
        refuse_asked(a, ERA_RATE_LIMITED, a->r->path, "too many trees wait to be hashed");
    }
}

static void do_emit(const struct asked *a)
{
    if (!a->r->topic[0]) {
        refuse_asked(a, ERA_USAGE, "topic", "emit needs a topic");
        return;
    }
    wait_for(a);
    command(a->d, &(struct era_command){
                      .id = a->request, .kind = ERA_CMD_EMIT, .topic = a->r->topic, .bytes = a->r->data});
}

static void do_height(const struct asked *a)
{
    if (!a->r->has_number) {
        refuse_asked(a, ERA_USAGE, "number", "height needs a number");
        return;
    }
    wait_for(a);
    command(a->d, &(struct era_command){.id = a->request, .kind = ERA_CMD_HEIGHT, .number = a->r->number});
}

/* The operator's word that this store is the newest (protocol §9). */
static void do_unlock(const struct asked *a)
{
    struct era_waiting *w = wait_for(a);
    w->lock = era_node_lock(a->d->node);
    command(a->d, &(struct era_command){.id = a->request, .kind = ERA_CMD_UNLOCK});
}

/* ---- dispatch ---- */

static const struct {
    const char *verb;
    void (*serve)(const struct asked *a);
} verbs[] = {
    {"status", ask_status},   {"gate", ask_gate},
    {"eras", ask_eras},       {"proposals", ask_proposals},
    {"show", ask_show},       {"head", ask_head},
    {"charter", ask_charter}, {"peers", ask_peers},
    {"log", ask_log},         {"announcements", ask_announcements},
    {"submit", do_submit},    {"ready", do_ready},
    {"attest", do_attest},    {"emit", do_emit},
    {"height", do_height},    {"unlock", do_unlock},
};
#define VERBS (sizeof verbs / sizeof verbs[0])

/* Letters to change, add or leave out (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
    size_t row[ERA_NAME_BYTES_MAX + 1], width = strlen(b);
    assert(width <= ERA_NAME_BYTES_MAX);
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t change = corner + (a[i - 1] != b[j - 1]), least = row[j - 1] + 1;
            corner = row[j];
            if (row[j] + 1 < least)
                least = row[j] + 1;
            row[j] = change < least ? change : least;
        }
    }
    return row[width];
}

static const char *nearest(const char *verb)
{
    const char *best = verbs[0].verb;
    for (size_t i = 1; i < VERBS; i++)
        if (distance(verb, verbs[i].verb) < distance(verb, best))
            best = verbs[i].verb;
    return best;
}

static void dispatch(const struct asked *a)
{
    char text[TEXT_BYTES];
    if (a->r->version != ERA_CONTROL_VERSION) {
        snprintf(text, sizeof text,
                 "this erad speaks version %d of the control protocol, the request is of version %u",
                 ERA_CONTROL_VERSION, a->r->version);
        refuse(a->d, a->request, ERA_USAGE, a->r->verb, text, "use the eractl that came with this erad");
        return;
    }
    for (size_t i = 0; i < VERBS; i++)
        if (strcmp(a->r->verb, verbs[i].verb) == 0) {
            verbs[i].serve(a);
            return;
        }
    snprintf(text, sizeof text, "there is no verb '%s', the nearest is '%s'", a->r->verb,
             nearest(a->r->verb));
    refuse_asked(a, ERA_USAGE, a->r->verb, text);
}

void era_daemon_control(struct era_daemon *d, uint64_t request, struct era_bytes bytes)
{
    struct era_request r;
    enum era_verdict v = era_request_decode(bytes, &r);
    if (v != ERA_ACCEPTED)
        refuse(d, request, v, "request", NULL, NULL);
    else
        dispatch(&(struct asked){d, request, &r});
    era_request_clear(&r);
}

/* ---- what comes back ---- */

static json_t *attest_json(const struct era_waiting *w, bool matched)
{
    json_t *o = object("attest");
    put(o, "proposal", hash_json(&w->proposal));
    put(o, "artefact", json_string(w->artefact));
    put(o, "digest", json_string(w->digest));
    put(o, "expected", json_string(w->expected));
    put(o, "matched", json_boolean(matched));
    return o;
}

static json_t *done_json(const struct era_daemon *d, const struct era_waiting *w,
                         const struct era_reply *reply)
{
    json_t *o = object(w->verb);
    if (strcmp(w->verb, "height") == 0) {
        put(o, "epoch", json_integer((json_int_t)era_node_epoch(d->node)));
        return o;
    }
    if (strcmp(w->verb, "unlock") == 0) {
        put(o, "was", json_string(era_report_lock_name(w->lock)));
        return o;
    }
    put(o, "id", hash_json(era_hash_is_zero(&reply->id) ? &w->proposal : &reply->id));
    if (strcmp(w->verb, "emit") == 0) {
        put(o, "epoch", json_integer((json_int_t)reply->epoch));
        put(o, "seq", json_integer((json_int_t)reply->seq));
    }
    return o;
}

/* The gate says why better than a verdict can. */
static bool is_gate_verdict(enum era_verdict v)
{
    return v == ERA_BLOCKED || v == ERA_FORKED || v == ERA_NO_ERA || v == ERA_STALE;
}

static void refuse_by_gate(struct era_daemon *d, const struct era_reply *reply)
{
    char text[TEXT_BYTES], cure[2 * TEXT_BYTES];
    int network = era_node_network_component(d->node);
    const struct era_gate *gate = era_node_gate(d->node, network);
    era_report_gate_words(d->node, gate, network, text, sizeof text, cure, sizeof cure);
    refuse(d, reply->request, reply->verdict, era_gate_name(gate->state), text, cure);
}

/* A verdict that means status 0 (a duplicate) is a success that says so. */
void era_daemon_reply(struct era_daemon *d, const struct era_reply *reply)
{
    struct era_waiting *w = waiting_of(d, reply->request);
    assert(w); /* every command was noted before it was given */
    w->used = false;
    bool attested = strcmp(w->verb, "attest") == 0;
    if (attested && (reply->verdict == ERA_ACCEPTED || reply->verdict == ERA_MISMATCH))
        send_json(d, reply->request, reply->verdict, attest_json(w, reply->matched), (struct era_bytes){0});
    else if (era_verdict_exit(reply->verdict) == ERA_EXIT_OK)
        send_json(d, reply->request, reply->verdict, done_json(d, w, reply), (struct era_bytes){0});
    else if (strcmp(w->verb, "emit") == 0 && is_gate_verdict(reply->verdict))
        refuse_by_gate(d, reply);
    else
        refuse(d, reply->request, reply->verdict, w->verb, reply->why, NULL);
}

static const char *code_of(int status)
{
    switch (status) {
    case ERA_EXIT_NO_INPUT:
        return era_verdict_code(ERA_NOT_FOUND);
    case ERA_EXIT_PERMISSION:
        return era_verdict_code(ERA_PERMISSION);
    case ERA_EXIT_DATA:
        return era_verdict_code(ERA_BAD_VALUE);
    default:
        return "not-readable";
    }
}

void era_daemon_hashed(struct era_daemon *d, uint64_t job, bool ok, const char *digest,
                       const struct era_error *err)
{
    struct era_waiting *w = waiting_of(d, job);
    assert(w); /* noted when the job was given */
    if (!ok) {
        struct era_response response = {.status = (uint32_t)err->status,
                                        .code = code_of(err->status),
                                        .text = err->text,
                                        .where = err->where,
                                        .cure = err->cure};
        w->used = false;
        answer(d, job, &response);
        return;
    }
    era_text_set(w->digest, sizeof w->digest, digest);
    command(d, &(struct era_command){.id = job,
                                     .kind = ERA_CMD_ATTEST,
                                     .proposal = w->proposal,
                                     .artefact = w->artefact,
                                     .digest = w->digest,
                                     .source_digest = w->source_digest,
                                     .builder = w->builder});
}
