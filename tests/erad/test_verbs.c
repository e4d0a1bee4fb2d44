/* The control socket of a whole daemon: every verb, and every way to ask it wrongly. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/erad/lone.h"
#include "tests/erad/place.h"
#include "tests/erad/running.h"

static const char one[] = "network k=1 signers=s1";

/* As the daemon's check of a charter wants it, though one signer may decide. */
static struct era_charter *sound(struct era_charter *c)
{
    c->overrides = true;
    for (size_t i = 0; i < c->component_count; i++)
        strcpy(c->components[i].initial.era_name, "genesis");
    era_charter_seal(c);
    return c;
}

/* Heights, ten an epoch: nothing moves unless a test says so. */
static struct era_charter *by_height(struct era_charter *c)
{
    c->clock = (struct era_clock_params){ERA_CLOCK_HEIGHT, 0, 10, 1};
    return sound(c);
}

static struct running *given_daemon(const char *components)
{
    return running_start(by_height(given_charter("alice:10", components)), "alice", "1.0.0", "");
}

static const char *hex(const struct era_hash *h)
{
    static char text[ERA_HASH_TEXT_BYTES];
    return era_hash_text(h, text);
}

static void submit(struct running *r, struct era_bytes envelope)
{
    json_decref(answer(r, (struct era_request){.verb = "submit", .data = envelope}));
}

static void assert_refused(const struct era_response *response, enum era_verdict v, const char *text)
{
    cr_assert_eq(response->status, (uint32_t)era_verdict_exit(v), "%s %s", response->code, response->text);
    cr_assert_str_eq(response->code, era_verdict_code(v));
    cr_assert(strstr(response->text, text), "%s", response->text);
    cr_assert_str_eq(response->json, "");
}

/* Asks until the answer to a verb has this text somewhere; what was said becomes so once it is durable. */
static void await(struct running *r, const char *verb, const char *text)
{
    uint64_t end_ms = running_now_ms() + RUNNING_DEADLINE_MS;
    while (!strstr(ask(r, (struct era_request){.verb = verb})->json, text))
        cr_assert_lt(running_now_ms(), end_ms, "%s never said %s", verb, text);
}

/* ---- questions ---- */

Test(verbs, every_question_has_its_schema)
{
    struct running *r = given_daemon(one);
    static const char *const verbs[] = {"status",  "gate",  "eras", "proposals",    "head",
                                        "charter", "peers", "log",  "announcements"};
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        char schema[64];
        snprintf(schema, sizeof schema, "erad.%s/1", verbs[i]);
        json_t *o = answer(r, (struct era_request){.verb = verbs[i]});
        cr_assert_str_eq(text_at(o, "schema"), schema);
        json_decref(o);
    }
    running_end(r);
}

Test(verbs, gate_eras_and_head_take_a_component)
{
    struct running *r = given_daemon("network k=1 signers=s1; oracle k=1 signers=s1 software=>=9.0.0");
    json_t *o = answer(r, (struct era_request){.verb = "gate", .component = "oracle"});
    cr_assert_str_eq(text_at(o, "component"), "oracle");
    json_decref(o);
    o = answer(r, (struct era_request){.verb = "eras", .component = "oracle"});
    cr_assert_eq(json_array_size(at(o, "components")), 1);
    json_decref(o);
    static const char *const verbs[] = {"gate", "eras", "head", "log", "proposals"};
    for (size_t i = 0; i < 5; i++)
        assert_refused(ask(r, (struct era_request){.verb = verbs[i], .component = "orakle"}),
                       ERA_UNKNOWN_COMPONENT, "no such component");
    running_end(r);
}

Test(verbs, D4_charter_hands_out_the_bytes_behind_the_network_id)
{
    struct running *r = given_daemon(one);
    struct era_charter c = {0};
    const struct era_response *response = ask(r, (struct era_request){.verb = "charter"});
    cr_assert_eq(era_charter_decode(response->data, &c), ERA_ACCEPTED);
    cr_assert(era_hash_eq(&c.hash, &r->charter->hash));
    era_charter_clear(&c);
    running_end(r);
}

Test(verbs, D5_show_and_head_hand_out_the_proposal_as_signed)
{
    struct running *r = given_daemon(one);
    struct era_proposal *p = given_soft(given_proposal(r->charter, "network", 1), 20, "1.1.0");
    struct era_hash id = given_id(r->charter, p);
    struct era_bytes proposed = given_proposed(r->charter, "s1", p);
    char prefix[9];
    snprintf(prefix, sizeof prefix, "%.8s", hex(&id));
    submit(r, proposed);
    cr_assert_eq(ask(r, (struct era_request){.verb = "head"})->data.len, 0);
    const struct era_response *response = ask(r, (struct era_request){.verb = "show", .id = prefix});
    cr_assert_eq(response->status, 0);
    cr_assert_eq(response->data.len, proposed.len);
    cr_assert_eq(memcmp(response->data.data, proposed.data, proposed.len), 0);
    submit(r, given_certificate(r->charter, p, "s1", "s1", "alice", ""));
    response = ask(r, (struct era_request){.verb = "head", .component = "network"});
    cr_assert_eq(response->data.len, proposed.len);
    cr_assert_eq(memcmp(response->data.data, proposed.data, proposed.len), 0);
    running_end(r);
}

Test(verbs, an_id_is_a_prefix_of_at_least_eight_lowercase_hex_digits)
{
    struct running *r = given_daemon(one);
    assert_refused(ask(r, (struct era_request){.verb = "show"}), ERA_USAGE, "8 to 64 lowercase hex digits");
    assert_refused(ask(r, (struct era_request){.verb = "show", .id = "0123456"}), ERA_USAGE, "8 to 64");
    assert_refused(ask(r, (struct era_request){.verb = "show", .id = "0123456Z"}), ERA_USAGE, "8 to 64");
    assert_refused(ask(r, (struct era_request){.verb = "show", .id = "01234567"}), ERA_NOT_FOUND,
                   "has that id");
    running_end(r);
}

/* Two proposals of one slot and two signers whose ids share 8 digits. */
static void given_twins(const struct era_charter *c, struct era_proposal **a, struct era_proposal **b)
{
    enum { MANY = 400000 };
    static struct {
        uint32_t key, number;
    } table[1 << 20];
    struct era_proposal *p = given_soft(given_proposal(c, "network", 1), 20, "1.1.0");
    for (uint32_t i = 1; i < MANY; i++) {
        p->expiry = 1000 + i;
        struct era_hash id = given_id(c, p);
        uint32_t key = era_get_be32(id.b), at_row = key % (1 << 20);
        while (table[at_row].number != 0 && table[at_row].key != key)
            at_row = (at_row + 1) % (1 << 20);
        if (table[at_row].number != 0) {
            *a = given_copy(p);
            *b = given_copy(p);
            (*b)->expiry = 1000 + table[at_row].number;
            return;
        }
        table[at_row].key = key;
        table[at_row].number = i;
    }
    cr_assert(false, "no two ids begin alike");
}

Test(verbs, a_prefix_of_two_ids_is_ambiguous)
{
    struct running *r = given_daemon("network k=2 signers=s1,s2");
    struct era_proposal *a, *b;
    given_twins(r->charter, &a, &b);
    submit(r, given_proposed(r->charter, "s1", a));
    submit(r, given_proposed(r->charter, "s2", b));
    struct era_hash id = given_id(r->charter, a);
    char prefix[9];
    snprintf(prefix, sizeof prefix, "%.8s", hex(&id));
    assert_refused(ask(r, (struct era_request){.verb = "show", .id = prefix}), ERA_AMBIGUOUS,
                   "more than one id");
    json_decref(answer(r, (struct era_request){.verb = "show", .id = hex(&id)}));
    running_end(r);
}

Test(verbs, a_proposal_only_spoken_of_is_not_found)
{
    struct running *r = given_daemon("network k=2 signers=s1,s2");
    struct era_proposal *p = given_soft(given_proposal(r->charter, "network", 1), 20, "1.1.0");
    struct era_hash id = given_id(r->charter, p);
    submit(r, given_approve(r->charter, "s2", p));
    assert_refused(ask(r, (struct era_request){.verb = "show", .id = hex(&id)}), ERA_NOT_FOUND,
                   "not come yet");
    running_end(r);
}

Test(verbs, number_limits_a_list_to_its_newest)
{
    struct running *r = given_daemon("network k=2 signers=s1,s2");
    for (uint64_t seq = 1; seq <= 3; seq++)
        submit(r, given_proposed(r->charter, "s1",
                                 given_soft(given_proposal(r->charter, "network", seq), 20, "1.1.0")));
    json_t *o = answer(r, (struct era_request){.verb = "proposals", .has_number = true, .number = 1});
    cr_assert_eq(json_array_size(at(o, "proposals")), 1);
    cr_assert_eq(number_at(o, "proposals.0.seq"), 3);
    cr_assert_eq(number_at(o, "left_out"), 2);
    json_decref(o);
    running_end(r);
}

Test(verbs, a_list_that_outgrows_a_message_loses_its_oldest)
{
    struct running *r = given_daemon("network k=2 signers=s1,s2");
    for (uint64_t seq = 1; seq <= ERA_LEDGER_WINDOW_SEQS; seq++)
        for (int i = 0; i < 4; i++) {
            struct era_proposal *p =
                given_artefacts(given_soft(given_proposal(r->charter, "network", seq), 20, "1.1.0"),
                                "a b c d e f g h i j k l m n o p");
            struct era_record *record = &p->plan.entries[1].record;
            for (size_t j = 0; j < record->artefact_count; j++)
                memset(record->artefacts[j].link, '"', ERA_LINK_BYTES_MAX);
            snprintf(p->text, sizeof p->text, "%d", i);
            submit(r, given_proposed(r->charter, i % 2 ? "s1" : "s2", given_seal(p)));
        }
    json_t *o = answer(r, (struct era_request){.verb = "proposals"});
    size_t kept = json_array_size(at(o, "proposals"));
    cr_assert_lt(kept, 256);
    cr_assert_gt(kept, 64);
    cr_assert_eq(number_at(o, "left_out"), 256 - (long long)kept);
    cr_assert_eq(number_at(json_array_get(at(o, "proposals"), kept - 1), "seq"), 64);
    json_decref(o);
    running_end(r);
}

/* ---- wrong requests ---- */

Test(verbs, an_unknown_verb_is_told_the_nearest)
{
    struct running *r = given_daemon(one);
    static const char *const rows[][2] = {{"statsu", "status"},
                                          {"erras", "eras"},
                                          {"proposal", "proposals"},
                                          {"announce", "announcements"},
                                          {"redy", "ready"}};
    for (size_t i = 0; i < 5; i++) {
        char text[128];
        snprintf(text, sizeof text, "there is no verb '%s', the nearest is '%s'", rows[i][0], rows[i][1]);
        assert_refused(ask(r, (struct era_request){.verb = rows[i][0]}), ERA_USAGE, text);
    }
    running_end(r);
}

Test(verbs, M11_another_version_of_the_protocol_is_refused_in_words)
{
    struct running *r = given_daemon(one);
    const struct era_response *response = ask(r, (struct era_request){.version = 2, .verb = "status"});
    assert_refused(response, ERA_USAGE, "version 1 of the control protocol");
    cr_assert_str_eq(response->cure, "use the eractl that came with this erad");
    running_end(r);
}

Test(verbs, bytes_that_are_no_request_get_an_answer)
{
    struct running *r = given_daemon(one);
    static const uint8_t noise[] = {0xff, 0xff, 0xff};
    cr_assert_neq(ask_bytes(r, (struct era_bytes){noise, sizeof noise})->status, 0);
    cr_assert_neq(ask_bytes(r, (struct era_bytes){0})->status, 0);
    json_decref(answer(r, (struct era_request){.verb = "gate"}));
    running_end(r);
}

/* ---- submit, ready ---- */

Test(verbs, submit_names_the_statement_and_a_second_time_says_duplicate)
{
    struct running *r = given_daemon(one);
    struct era_proposal *p = given_soft(given_proposal(r->charter, "network", 1), 20, "1.1.0");
    struct era_hash id = given_id(r->charter, p);
    struct era_bytes proposed = given_proposed(r->charter, "s1", p);
    for (int i = 0; i < 2; i++) {
        json_t *o = answer(r, (struct era_request){.verb = "submit", .data = proposed});
        cr_assert_str_eq(text_at(o, "schema"), "erad.submit/1");
        cr_assert_str_eq(text_at(o, "id"), hex(&id));
        json_decref(o);
    }
    cr_assert_str_eq(ask(r, (struct era_request){.verb = "submit", .data = proposed})->code, "duplicate");
    running_end(r);
}

Test(verbs, R1_submit_refuses_what_does_not_verify)
{
    struct running *r = given_daemon(one);
    struct era_proposal *p = given_soft(given_proposal(r->charter, "network", 1), 20, "1.1.0");
    assert_refused(ask(r, (struct era_request){.verb = "submit"}), ERA_USAGE, "needs a signed statement");
    assert_refused(
        ask(r, (struct era_request){.verb = "submit",
                                    .data = given_flipped(given_proposed(r->charter, "s1", p), 1)}),
        ERA_BAD_SIGNATURE, "does not fit");
    assert_refused(
        ask(r, (struct era_request){.verb = "submit", .data = given_proposed(r->charter, "mallory", p)}),
        ERA_UNKNOWN_KEY, "names this key");
    running_end(r);
}

Test(verbs, R4_ready_votes_once_the_approvals_are_there)
{
    struct running *r =
        running_start(by_height(given_charter("alice:10", one)), "alice", "1.0.0", "auto_ready = [];");
    struct era_proposal *p = given_soft(given_proposal(r->charter, "network", 1), 20, "1.1.0");
    struct era_hash id = given_id(r->charter, p);
    assert_refused(ask(r, (struct era_request){.verb = "ready", .id = "0123456789"}), ERA_NOT_FOUND, "");
    submit(r, given_proposed(r->charter, "s1", p));
    assert_refused(ask(r, (struct era_request){.verb = "ready", .id = hex(&id)}), ERA_NOT_APPROVED,
                   "approvals");
    submit(r, given_approve(r->charter, "s1", p));
    json_t *o = answer(r, (struct era_request){.verb = "ready", .id = hex(&id)});
    cr_assert_str_eq(text_at(o, "schema"), "erad.ready/1");
    cr_assert_eq(strlen(text_at(o, "id")), 64);
    json_decref(o);
    await(r, "head", "\"floor\":1");
    assert_refused(ask(r, (struct era_request){.verb = "ready", .id = hex(&id)}), ERA_DOMINATED,
                   "adopted already");
    running_end(r);
}

Test(verbs, R4_ready_a_second_time_names_the_same_vote)
{
    struct running *r = running_start(by_height(given_charter("alice:10 bob:10", one)), "alice", "1.0.0", "");
    struct era_proposal *p = given_soft(given_proposal(r->charter, "network", 1), 20, "1.1.0");
    struct era_hash id = given_id(r->charter, p);
    submit(r, given_approved(r->charter, p, "s1", "s1"));
    json_t *first = answer(r, (struct era_request){.verb = "ready", .id = hex(&id)});
    json_t *second = answer(r, (struct era_request){.verb = "ready", .id = hex(&id)});
    cr_assert_str_eq(text_at(first, "id"), text_at(second, "id"));
    json_decref(first);
    json_decref(second);
    running_end(r);
}

/* ---- attest (T5) ---- */

static struct era_hash given_release(struct running *r, const char *artefacts, const char *digest)
{
    struct era_proposal *p =
        given_artefacts(given_soft(given_proposal(r->charter, "network", 1), 20, "1.1.0"), artefacts);
    if (digest)
        era_text_set(p->plan.entries[1].record.artefacts[0].digest, ERA_DIGEST_BYTES_MAX + 1, digest);
    submit(r, given_proposed(r->charter, "s1", given_seal(p)));
    return given_id(r->charter, p);
}

Test(verbs, T5_attest_computes_the_digest_itself)
{
    struct running *r = given_daemon(one);
    char digest[ERA_DIGEST_BYTES_MAX + 1], tree[128];
    snprintf(tree, sizeof tree, "%s", place_path("tree"));
    mkdir(tree, 0755);
    place_write("tree/a", "alpha\n", 6, 0644);
    cr_assert(era_dirhash_tree(tree, ERA_DIGEST_H1, digest, NULL));
    struct era_hash id = given_release(r, "linux", digest);
    json_t *o =
        answer(r, (struct era_request){.verb = "attest", .id = hex(&id), .path = tree, .builder = "gcc 12"});
    cr_assert_str_eq(keys_at(o, ""), "schema,proposal,artefact,digest,expected,matched");
    cr_assert_str_eq(text_at(o, "proposal"), hex(&id));
    cr_assert_str_eq(text_at(o, "artefact"), "linux");
    cr_assert_str_eq(text_at(o, "digest"), digest);
    cr_assert(json_is_true(at(o, "matched")));
    json_decref(o);
    o = answer(r, (struct era_request){.verb = "show", .id = hex(&id)});
    cr_assert_str_eq(text_at(o, "proposal.attestations.0.builder"), "gcc 12");
    json_decref(o);
    running_end(r);
}

Test(verbs, N5_a_mismatch_is_published_and_says_status_1_with_both_digests)
{
    struct running *r = given_daemon(one);
    char file[128];
    place_write("built", "beta\n", 5, 0644);
    snprintf(file, sizeof file, "%s", place_path("built"));
    struct era_hash id = given_release(r, "linux", NULL);
    const struct era_response *response =
        ask(r, (struct era_request){.verb = "attest", .id = hex(&id), .path = file, .artefact = "linux"});
    cr_assert_eq(response->status, 1);
    cr_assert_str_eq(response->code, "mismatch");
    json_t *o = json_loads(response->json, 0, NULL);
    cr_assert(json_is_false(at(o, "matched")));
    cr_assert_str_eq(text_at(o, "expected"), given_digest("linux 1.1.0"));
    json_decref(o);
    o = answer(r, (struct era_request){.verb = "show", .id = hex(&id)});
    cr_assert(json_is_false(at(o, "proposal.attestations.0.matched")));
    json_decref(o);
    running_end(r);
}

Test(verbs, T5_attest_says_what_is_wrong_with_the_question)
{
    struct running *r = given_daemon(one);
    struct era_hash id = given_release(r, "linux mac", NULL);
    assert_refused(ask(r, (struct era_request){.verb = "attest", .id = hex(&id), .path = "built"}), ERA_USAGE,
                   "absolute path");
    assert_refused(ask(r, (struct era_request){.verb = "attest", .id = hex(&id), .path = "/tmp"}),
                   ERA_AMBIGUOUS, "name one");
    assert_refused(
        ask(r, (struct era_request){.verb = "attest", .id = hex(&id), .path = "/tmp", .artefact = "windows"}),
        ERA_NOT_FOUND, "no such artefact");
    assert_refused(ask(r, (struct era_request){.verb = "attest", .id = "0123456789", .path = "/tmp"}),
                   ERA_NOT_FOUND, "has that id");
    const struct era_response *response =
        ask(r, (struct era_request){
                   .verb = "attest", .id = hex(&id), .path = place_path("nothing"), .artefact = "mac"});
    cr_assert_eq(response->status, ERA_EXIT_NO_INPUT);
    cr_assert_str_eq(response->code, "not-found");
    cr_assert_str_eq(response->where, place_path("nothing"));
    running_end(r);
}

/* ---- emit, height ---- */

Test(verbs, C3_emit_tells_where_the_event_stands)
{
    struct running *r = given_daemon(one);
    static const uint8_t payload[] = "7";
    await(r, "gate", "\"current\"");
    for (int seq = 1; seq <= 2; seq++) {
        json_t *o = answer(r, (struct era_request){.verb = "emit", .topic = "price", .data = {payload, 1}});
        cr_assert_str_eq(keys_at(o, ""), "schema,id,epoch,seq");
        cr_assert_eq(number_at(o, "seq"), seq);
        json_decref(o);
    }
    assert_refused(ask(r, (struct era_request){.verb = "emit"}), ERA_USAGE, "needs a topic");
    assert_refused(ask(r, (struct era_request){.verb = "emit", .topic = "No Good"}), ERA_BAD_VALUE,
                   "a topic is");
    running_end(r);
}

Test(verbs, P3_a_blocked_node_emits_nothing_and_says_what_unblocks_it)
{
    struct running *r = given_daemon("network k=1 signers=s1 software=>=2.0.0");
    const struct era_response *response = ask(r, (struct era_request){.verb = "emit", .topic = "price"});
    assert_refused(response, ERA_BLOCKED, "requires software >=2.0.0, this node runs 1.0.0");
    cr_assert_eq(response->status, 76);
    cr_assert_str_eq(response->cure, "install network 1.0.0, set versions in erad.conf, reload");
    cr_assert_str_eq(response->where, "blocked");
    running_end(r);
}

Test(verbs, R14_height_moves_the_epoch_and_never_back)
{
    struct running *r = given_daemon(one);
    json_t *o = answer(r, (struct era_request){.verb = "height", .has_number = true, .number = 57});
    cr_assert_str_eq(text_at(o, "schema"), "erad.height/1");
    cr_assert_eq(number_at(o, "epoch"), 5);
    json_decref(o);
    assert_refused(ask(r, (struct era_request){.verb = "height", .has_number = true, .number = 56}),
                   ERA_BAD_VALUE, "never goes back");
    assert_refused(ask(r, (struct era_request){.verb = "height"}), ERA_USAGE, "needs a number");
    running_end(r);
}

Test(verbs, height_is_no_matter_of_a_wall_clock)
{
    struct running *r = running_start(sound(given_charter("alice:10", one)), "alice", "1.0.0", "");
    assert_refused(ask(r, (struct era_request){.verb = "height", .has_number = true, .number = 5}), ERA_USAGE,
                   "wall time");
    running_end(r);
}

Test(verbs, R4_unlock_is_the_operators_word_for_a_key_whose_peers_are_away)
{
    struct running *r = running_start(by_height(given_charter("alice:10", one)), "alice", "1.0.0",
                                      "auto_ready = []; peers = [\"tcp://127.0.0.1:1\"];");
    struct era_proposal *p = given_soft(given_proposal(r->charter, "network", 1), 30, "1.1.0");
    struct era_hash id = given_id(r->charter, p);
    submit(r, given_proposed(r->charter, "s1", p));
    submit(r, given_approve(r->charter, "s1", p));
    await(r, "proposals", "\"state\":\"approved\"");
    await(r, "status", "\"lock\":\"starting\"");
    assert_refused(ask(r, (struct era_request){.verb = "ready", .id = hex(&id)}), ERA_LOCKED,
                   "this node has not yet compared what it holds with its peers since it started");
    json_t *o = answer(r, (struct era_request){.verb = "unlock"});
    cr_assert_str_eq(keys_at(o, ""), "schema,was");
    cr_assert_str_eq(text_at(o, "schema"), "erad.unlock/1");
    cr_assert_str_eq(text_at(o, "was"), "starting");
    json_decref(o);
    await(r, "status", "\"lock\":\"none\"");
    o = answer(r, (struct era_request){.verb = "unlock"});
    cr_assert_str_eq(text_at(o, "was"), "none");
    json_decref(o);
    json_decref(answer(r, (struct era_request){.verb = "ready", .id = hex(&id)}));
    running_end(r);
}

Test(verbs, a_relay_without_a_key_can_neither_emit_nor_vote_nor_attest)
{
    struct running *r = running_start(by_height(given_charter("alice:10", one)), NULL, "1.0.0", "");
    struct era_hash id = given_release(r, "linux", NULL);
    assert_refused(ask(r, (struct era_request){.verb = "emit", .topic = "a"}), ERA_NO_KEY, "holds no key");
    assert_refused(ask(r, (struct era_request){.verb = "ready", .id = hex(&id)}), ERA_NO_KEY, "no validator");
    assert_refused(ask(r, (struct era_request){.verb = "attest", .id = hex(&id), .path = "/tmp"}), ERA_NO_KEY,
                   "holds no key");
    assert_refused(ask(r, (struct era_request){.verb = "unlock"}), ERA_NO_KEY, "holds no key");
    running_end(r);
}

/* ---- the whole daemon ---- */

Test(daemon, I12_what_was_acknowledged_is_there_after_a_restart)
{
    struct running *r = given_daemon(one);
    struct era_proposal *p = given_soft(given_proposal(r->charter, "network", 1), 20, "1.1.0");
    struct era_hash id = given_id(r->charter, p);
    submit(r, given_certificate(r->charter, p, "s1", "s1", "alice", ""));
    running_restart(r);
    json_t *o = answer(r, (struct era_request){.verb = "head"});
    cr_assert_str_eq(text_at(o, "head.id"), hex(&id));
    json_decref(o);
    running_end(r);
}

/* One that is there already: what the daemon tells before, nobody hears. Epochs, which it tells, go on until
 * then. */
static struct era_signal_follow *given_subscriber(struct running *r)
{
    struct era_signal_follow *f;
    char *text;
    int rc;
    uint64_t height = 0, end_ms = running_now_ms() + RUNNING_DEADLINE_MS;
    cr_assert_eq(era_signal_follow_new(place_path("state/signal.sock"), "", RUNNING_DEADLINE_MS, &f), 0);
    do {
        cr_assert_lt(running_now_ms(), end_ms, "it never heard of an epoch");
        height += 10;
        json_decref(answer(r, (struct era_request){.verb = "height", .has_number = true, .number = height}));
    } while ((rc = era_signal_follow_next(f, 10, &text)) == -ETIMEDOUT);
    cr_assert_eq(rc, 0, "%s", strerror(-rc));
    free(text);
    return f;
}

/* The next signal of a topic that begins like this; released by the caller. */
static char *next_of(struct era_signal_follow *f, const char *prefix)
{
    char *text;
    for (;;) {
        int rc = era_signal_follow_next(f, RUNNING_DEADLINE_MS, &text);
        cr_assert_eq(rc, 0, "%s: %s", prefix, strerror(-rc));
        if (strncmp(text, prefix, strlen(prefix)) == 0)
            return text;
        free(text);
    }
}

Test(daemon, C3_a_subscriber_hears_an_event)
{
    struct running *r = given_daemon(one);
    struct era_signal_follow *f = given_subscriber(r);
    await(r, "gate", "\"current\"");
    json_decref(answer(r, (struct era_request){.verb = "emit", .topic = "price"}));
    char *text = next_of(f, "event.");
    static const char head[] = "event.price\n{\"schema\":\"erad.signal/1\",\"signal\":\"event\"";
    cr_assert_eq(strncmp(text, head, sizeof head - 1), 0, "%s", text);
    free(text);
    era_signal_follow_free(f);
    running_end(r);
}

Test(daemon, R15_a_hook_hears_that_the_gate_closed)
{
    struct era_charter *c = by_height(given_charter("alice:10", one));
    struct running *r = running_start(c, "alice", "1.0.0", "hook = \"hook\";");
    static const char script[] = "#!/bin/sh\necho \"$1 $2 $3 $ERAD_EPOCH\" >>\"$ERAD_STATE/../heard\"\n";
    place_write("hook", script, sizeof script - 1, 0755);
    submit(r, given_certificate(
                  c, given_requires(given_breaking(given_proposal(c, "network", 1), 9, "2.0.0"), ">=2.0.0"),
                  "s1", "s1", "alice", ""));
    json_decref(answer(r, (struct era_request){.verb = "height", .has_number = true, .number = 90}));
    uint64_t end_ms = running_now_ms() + RUNNING_DEADLINE_MS;
    while (!strstr(place_read("heard"), "gate network blocked 9")) { /* another process writes it */
        cr_assert_lt(running_now_ms(), end_ms, "%s", place_read("heard"));
        usleep(10000);
    }
    running_end(r);
}
