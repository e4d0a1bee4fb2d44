/* The JSON that tools and pages build on: its shapes, and that it says what the node knows. */
#include <criterion/criterion.h>
#include <string.h>

#include "src/core/charter.h"
#include "tests/erad/lone.h"

static const char validators[] = "alice:10 bob:10 carol:10";
static const char network[] = "network k=2 signers=s1,s2,s3 artefacts=linux";

static struct era_proposal *given_upgrade(const struct era_charter *c, uint64_t seq)
{
    return given_requires(given_breaking(given_proposal(c, "network", seq), 20, "2.0.0"), ">=2.0.0");
}

static struct era_bytes announced(const struct era_charter *c, const char *who, uint64_t epoch,
                                  const char *software)
{
    struct era_announcement a = given_running(c, epoch, software);
    return given_announce(c, who, &a);
}

static void all_announce(struct lone *l, uint64_t epoch, const char *software)
{
    lone_submit(l, announced(l->charter, "bob", epoch, software));
    lone_submit(l, announced(l->charter, "carol", epoch, software));
}

static void adopt(struct lone *l, const struct era_proposal *p)
{
    lone_submit(l, given_certificate(l->charter, p, "s1", "s1 s2", "alice bob carol", ""));
}

Test(report, status_has_the_shape_that_tools_read)
{
    struct lone *l = lone_new(given_charter(validators, network), "alice", "1.0.0", 7);
    json_t *o = era_report_status(l->node, &l->info);
    cr_assert_str_eq(
        keys_at(o, ""),
        "schema,name,network,charter_version,charter_hash,agent,node_key,versions,staged,validator,stake,"
        "emitter,lock,pid,uptime_ms,clock,gate,components,view_digest,peers,adoption,next,proposals,store,"
        "events");
    cr_assert_str_eq(keys_at(o, "clock"), "kind,epoch,reading,epoch_ms,next_epoch_in_ms,in_doubt");
    cr_assert_str_eq(keys_at(o, "gate"),
                     "component,state,exit,may_emit,text,cure,cause,epochs_left,requires");
    cr_assert_str_eq(keys_at(o, "components.0"), "id,gate,era,era_name,version,head,seq,forked");
    cr_assert_str_eq(keys_at(o, "peers"), "up,configured");
    cr_assert_str_eq(keys_at(o, "adoption"),
                     "total,quorum,fresh,blocked,staged,same_view,other_view,software,other");
    cr_assert_str_eq(keys_at(o, "store"), "failed,statements");
    cr_assert_str_eq(keys_at(o, "events"), "emitted,delivered,held");
    cr_assert_str_eq(text_at(o, "schema"), "erad.status/1");
    cr_assert_str_eq(text_at(o, "name"), "storage-grid");
    cr_assert_str_eq(text_at(o, "validator"), "alice");
    cr_assert_str_eq(text_at(o, "stake"), "10");
    cr_assert_str_eq(text_at(o, "lock"), "none");
    cr_assert_str_eq(text_at(o, "versions.software"), "1.0.0");
    cr_assert_str_eq(text_at(o, "clock.kind"), "wall");
    cr_assert_eq(number_at(o, "clock.epoch"), 7);
    cr_assert_eq(number_at(o, "clock.next_epoch_in_ms"), 500);
    cr_assert_eq(number_at(o, "pid"), 42);
    cr_assert_eq(number_at(o, "peers.configured"), 3);
    cr_assert_str_eq(text_at(o, "adoption.quorum"), "21");
    json_decref(o);
    lone_free(l);
}

Test(report, M6_M8_status_says_who_runs_what_and_whether_the_quorum_survives_the_next_era)
{
    struct era_charter *c = given_charter(validators, network);
    struct lone *l = lone_new(c, "alice", "2.0.0", 7);
    lone_submit(l, announced(c, "bob", 7, "2.1.0"));
    lone_submit(l, announced(c, "carol", 7, "1.0.0"));
    adopt(l, given_upgrade(c, 1));
    json_t *o = era_report_status(l->node, &l->info);
    cr_assert_str_eq(text_at(o, "adoption.total"), "30");
    cr_assert_str_eq(text_at(o, "adoption.fresh"), "30");
    cr_assert_eq(json_array_size(at(o, "adoption.software")), 3);
    cr_assert_str_eq(text_at(o, "next.0.entry.version"), "2.0.0");
    cr_assert_str_eq(text_at(o, "next.0.supporting"), "20");
    cr_assert_str_eq(text_at(o, "next.0.needed"), "21");
    cr_assert_eq(number_at(o, "components.0.seq"), 1);
    json_decref(o);
    lone_free(l);
}

Test(report, M9_no_address_of_another_node_is_in_the_status)
{
    struct lone *l = lone_new(given_charter(validators, network), "alice", "1.0.0", 7);
    json_t *o = era_report_status(l->node, &l->info);
    char *text = json_dumps(o, JSON_COMPACT);
    cr_assert_not(strstr(text, "tcp://"));
    free(text);
    json_decref(o);
    lone_free(l);
}

Test(report, R7_eras_show_the_whole_plan_and_what_of_it_is_in_force)
{
    struct era_charter *c = given_charter(validators, network);
    struct lone *l = lone_new(c, "alice", "1.0.0", 7);
    adopt(l, given_announced(given_upgrade(c, 1), "3.0.0"));
    lone_to_epoch(l, 20);
    json_t *o = era_report_eras(l->node, -1);
    cr_assert_str_eq(keys_at(o, ""), "schema,epoch,view_digest,components");
    cr_assert_str_eq(keys_at(o, "components.0"), "id,head,forked,void_seq,current,plan");
    cr_assert_str_eq(keys_at(o, "components.0.head"), "id,seq,charter_version");
    cr_assert_str_eq(
        keys_at(o, "components.0.plan.0"),
        "hash,effective,class,new,state,supported,version,era,era_name,requires,artefacts,source_digest,"
        "link,flags,dependencies");
    cr_assert_eq(number_at(o, "components.0.current"), 1);
    cr_assert_str_eq(text_at(o, "components.0.plan.0.state"), "past");
    cr_assert_str_eq(text_at(o, "components.0.plan.1.state"), "current");
    cr_assert_str_eq(text_at(o, "components.0.plan.2.state"), "announced");
    cr_assert(json_is_null(at(o, "components.0.plan.2.effective")));
    cr_assert(json_is_false(at(o, "components.0.plan.1.supported")));
    cr_assert_str_eq(text_at(o, "components.0.plan.1.requires.software"), ">=2.0.0");
    json_decref(o);
    lone_free(l);
}

Test(report, R12_a_fork_shows_the_void_slot_and_the_last_undisputed_record)
{
    struct era_charter *c = given_charter(validators, network);
    struct lone *l = lone_new(c, "alice", "1.0.0", 7);
    struct era_proposal *rival = given_upgrade(c, 1);
    adopt(l, rival);
    rival = given_copy(rival);
    strcpy(rival->text, "another");
    adopt(l, rival);
    json_t *o = era_report_eras(l->node, -1), *status = era_report_status(l->node, &l->info);
    json_t *history = era_report_log(l->node);
    cr_assert(json_is_true(at(o, "components.0.forked")));
    cr_assert_eq(number_at(o, "components.0.void_seq"), 1);
    cr_assert(json_is_null(at(o, "components.0.current")));
    cr_assert_str_eq(text_at(status, "gate.state"), "forked");
    cr_assert_str_eq(text_at(status, "components.0.version"), "1.0.0");
    cr_assert(json_is_true(at(history, "entries.0.void")));
    cr_assert(json_is_true(at(history, "entries.1.void")));
    json_decref(history);
    json_decref(status);
    json_decref(o);
    lone_free(l);
}

Test(report, D5_T3_a_proposal_is_shown_with_everybody_who_spoke)
{
    struct era_charter *c =
        given_charter(validators, "network k=2 signers=s1,s2,s3 artefacts=linux rebuild=2/3");
    struct lone *l = lone_new(c, "alice", "2.0.0", 7);
    struct era_proposal *p = given_upgrade(c, 1);
    strcpy(p->text, "granite");
    struct era_hash id = given_id(c, p);
    lone_submit(l, given_proposed(c, "s1", p));
    lone_submit(l, given_approve(c, "s2", p));
    lone_submit(l, given_reject(c, "s3", p, "too soon"));
    lone_submit(l, given_ready(c, "bob", p));
    lone_submit(l, given_attest(c, "bob", p, "linux", given_digest("linux 2.0.0")));
    lone_submit(l, given_attest(c, "carol", p, "linux", given_digest("something else")));
    json_t *o = era_report_show(l->node, &id);
    cr_assert_str_eq(
        keys_at(o, "proposal"),
        "id,component,charter_version,seq,state,author,urgent,text,expiry,prev,plan,drops,approvals,"
        "rejections,readiness,attestations,rebuild,my_vote");
    cr_assert_str_eq(text_at(o, "proposal.state"), "open");
    cr_assert_str_eq(text_at(o, "proposal.author"), "s1");
    cr_assert_str_eq(text_at(o, "proposal.text"), "granite");
    cr_assert_eq(number_at(o, "proposal.approvals.count"), 1);
    cr_assert_eq(number_at(o, "proposal.approvals.needed"), 2);
    cr_assert_eq(number_at(o, "proposal.approvals.of"), 3);
    cr_assert_str_eq(text_at(o, "proposal.approvals.by.0"), "s2");
    cr_assert_str_eq(text_at(o, "proposal.rejections.0.by"), "s3");
    cr_assert_str_eq(text_at(o, "proposal.rejections.0.reason"), "too soon");
    cr_assert_str_eq(text_at(o, "proposal.readiness.stake"), "10");
    cr_assert_str_eq(text_at(o, "proposal.readiness.needed"), "21");
    cr_assert_str_eq(text_at(o, "proposal.readiness.by.0"), "bob");
    cr_assert_eq(json_array_size(at(o, "proposal.attestations")), 2);
    cr_assert_str_eq(text_at(o, "proposal.rebuild.least_stake"), "10");
    cr_assert_str_eq(text_at(o, "proposal.rebuild.needed"), "20");
    cr_assert(json_is_false(at(o, "proposal.my_vote.cast")));
    cr_assert_str_eq(text_at(o, "proposal.my_vote.verdict"), "not-approved");
    json_decref(o);
    lone_free(l);
}

Test(report, T4_a_failed_proposal_says_by_whom_and_why)
{
    struct era_charter *c = given_charter(validators, network);
    struct lone *l = lone_new(c, "alice", "1.0.0", 7);
    struct era_proposal *p = given_upgrade(c, 1);
    lone_submit(l, given_proposed(c, "s1", p));
    lone_submit(l, given_reject(c, "s2", p, "the digest is wrong"));
    lone_submit(l, given_reject(c, "s3", p, "the epoch is wrong"));
    json_t *o = era_report_proposals(l->node), *status = era_report_status(l->node, &l->info);
    cr_assert_str_eq(keys_at(o, ""), "schema,epoch,proposals");
    cr_assert_str_eq(text_at(o, "proposals.0.state"), "failed");
    cr_assert_eq(json_array_size(at(o, "proposals.0.failed_by")), 2);
    cr_assert_str_eq(text_at(status, "proposals.0.state"), "failed");
    cr_assert_eq(json_array_size(at(status, "proposals.0.failed_by")), 2);
    cr_assert_str_eq(text_at(lone_signal(l, "failed"), "version"), "2.0.0");
    json_decref(status);
    json_decref(o);
    lone_free(l);
}

Test(report, R9_a_proposal_past_its_expiry_is_expired_also_when_approved)
{
    struct era_charter *c = given_charter(validators, network);
    struct lone *l = lone_new(c, NULL, "1.0.0", 7);
    struct era_proposal *p = given_upgrade(c, 1);
    p->expiry = 8;
    struct era_hash id = given_id(c, p);
    lone_submit(l, given_approved(c, p, "s1", "s1 s2"));
    json_t *before = era_report_show(l->node, &id);
    cr_assert_str_eq(text_at(before, "proposal.state"), "approved");
    lone_to_epoch(l, 9);
    json_t *after = era_report_show(l->node, &id);
    cr_assert_str_eq(text_at(after, "proposal.state"), "expired");
    cr_assert(json_is_null(at(after, "proposal.my_vote")));
    json_decref(before);
    json_decref(after);
    lone_free(l);
}

Test(report, R4_my_vote_is_shown_as_cast)
{
    struct era_charter *c = given_charter(validators, network);
    struct lone *l = lone_new(c, "alice", "2.0.0", 7);
    struct era_proposal *p = given_upgrade(c, 1);
    struct era_hash id = given_id(c, p);
    lone_submit(l, given_approved(c, p, "s1", "s1 s2"));
    lone_command(l, (struct era_command){.id = 2, .kind = ERA_CMD_READY, .proposal = id});
    json_t *o = era_report_show(l->node, &id);
    cr_assert(json_is_true(at(o, "proposal.my_vote.cast")));
    cr_assert_str_eq(text_at(o, "proposal.my_vote.verdict"), "duplicate");
    json_decref(o);
    lone_free(l);
}

Test(report, D5_an_adopted_proposal_keeps_its_signatures_on_show)
{
    struct era_charter *c =
        given_charter(validators, "network k=2 signers=s1,s2,s3 artefacts=linux rebuild=2/3");
    struct lone *l = lone_new(c, "alice", "1.0.0", 7);
    struct era_proposal *p = given_upgrade(c, 1);
    struct era_hash id = given_id(c, p);
    lone_submit(l, given_certificate(c, p, "s1", "s2 s3", "alice bob carol", "alice bob carol"));
    json_t *o = era_report_show(l->node, &id);
    cr_assert_str_eq(
        keys_at(o, "proposal"),
        "id,component,charter_version,seq,state,author,urgent,text,expiry,prev,plan,drops,approvals,"
        "rejections,readiness,attestations,rebuild,my_vote");
    cr_assert_str_eq(text_at(o, "proposal.state"), "adopted");
    cr_assert_eq(number_at(o, "proposal.approvals.count"), 2);
    cr_assert_str_eq(text_at(o, "proposal.readiness.stake"), "30");
    cr_assert_eq(json_array_size(at(o, "proposal.attestations")), 3);
    cr_assert(json_is_true(at(o, "proposal.attestations.0.matched")));
    cr_assert_str_eq(text_at(o, "proposal.rebuild.least_stake"), "30");
    json_decref(o);
    lone_free(l);
}

Test(report, show_knows_nothing_of_an_unknown_id)
{
    struct era_charter *c = given_charter(validators, network);
    struct lone *l = lone_new(c, "alice", "1.0.0", 7);
    struct era_proposal *p = given_upgrade(c, 1);
    struct era_hash id = given_id(c, p);
    lone_submit(l, given_approve(c, "s2", p)); /* spoken of, but not held */
    cr_assert_null(era_report_show(l->node, &id));
    lone_free(l);
}

Test(report, D3_the_log_lists_what_was_adopted_newest_last)
{
    struct era_charter *c = given_charter(validators, network);
    struct lone *l = lone_new(c, "alice", "1.0.0", 7);
    struct era_proposal *first = given_upgrade(c, 1);
    adopt(l, first);
    adopt(l, given_soft(given_next(c, first, 2), 30, "2.1.0"));
    json_t *o = era_report_log(l->node);
    cr_assert_eq(json_array_size(at(o, "entries")), 2);
    cr_assert_str_eq(keys_at(o, "entries.0"),
                     "component,charter_version,seq,id,author,urgent,void,text,plan");
    cr_assert_eq(number_at(o, "entries.0.seq"), 1);
    cr_assert_eq(number_at(o, "entries.1.seq"), 2);
    cr_assert(json_is_false(at(o, "entries.1.void")));
    json_decref(o);
    lone_free(l);
}

Test(report, R2_head_names_the_next_free_slot)
{
    struct era_charter *c = given_charter(validators, network);
    struct lone *l = lone_new(c, "alice", "1.0.0", 7);
    json_t *o = era_report_head(l->node, 0);
    cr_assert_str_eq(keys_at(o, ""), "schema,epoch,next_seq,head,floor");
    cr_assert_eq(number_at(o, "next_seq"), 1);
    cr_assert(json_is_null(at(o, "head")));
    json_decref(o);
    adopt(l, given_upgrade(c, 1));
    lone_submit(l, given_proposed(c, "s1", given_upgrade(c, 4)));
    o = era_report_head(l->node, 0);
    cr_assert_eq(number_at(o, "floor"), 1);
    cr_assert_eq(number_at(o, "head.seq"), 1);
    cr_assert_eq(number_at(o, "next_seq"), 5);
    json_decref(o);
    lone_submit(l, given_proposed(c, "s2", given_upgrade(c, 17))); /* the end of the signers' window */
    o = era_report_head(l->node, 0);
    cr_assert_eq(number_at(o, "next_seq"), 16);
    json_decref(o);
    lone_submit(l, given_proposed(c, "s3", given_upgrade(c, 60))); /* no signer may follow there */
    o = era_report_head(l->node, 0);
    cr_assert_eq(number_at(o, "next_seq"), 16);
    json_decref(o);
    lone_free(l);
}

Test(report, M6_announcements_name_every_validator_also_the_silent)
{
    struct era_charter *c = given_charter("alice:10 bob:10 carol:10 dave:10", network);
    struct lone *l = lone_new(c, "alice", "1.0.0", 7);
    lone_submit(l, announced(c, "bob", 5, "1.0.0"));
    lone_submit(l, announced(c, "dave", 6, "1.0.0"));
    json_t *o = era_report_announcements(l->node);
    int bob = given_validator_index(c, "bob"), carol = given_validator_index(c, "carol");
    cr_assert_str_eq(keys_at(o, ""), "schema,epoch,validators");
    cr_assert_str_eq(keys_at(o, "validators.0"), "name,stake,epoch,fresh,versions,blocked,staged,same_view");
    for (int v = 0; v < 4; v++) {
        json_t *row = json_array_get(at(o, "validators"), (size_t)v);
        cr_assert_eq(json_is_true(at(row, "fresh")), v != bob && v != carol);
        cr_assert_eq(json_is_null(at(row, "epoch")), v == carol);
        /* bob and dave spoke of epochs before this node's view began: no word on it (N3) */
        cr_assert_eq(json_is_null(at(row, "same_view")), v != given_validator_index(c, "alice"));
    }
    json_decref(o);
    lone_free(l);
}

Test(report, peers_and_charter_have_their_shape)
{
    struct era_charter *c = given_charter(validators, network);
    struct lone *l = lone_new(c, NULL, "1.0.0", 7);
    json_t *peers = era_report_peers(l->node, &l->info), *charter = era_report_charter(l->node);
    cr_assert_str_eq(keys_at(peers, ""), "schema,peers,equal_rounds,last_equal_ms_ago,links_ended,refused,"
                                         "charged,muted_in,limited_in,rested_ms,wasted_in,unknown_kinds_in,"
                                         "unknown_parts_in,undecoded_rounds,"
                                         "overlay,other_keys,bans");
    cr_assert(json_is_null(at(peers, "last_equal_ms_ago")));
    cr_assert_str_eq(keys_at(charter, ""), "schema,name,hash,version");
    json_decref(peers);
    json_decref(charter);
    lone_free(l);
}

Test(report, what_peers_did_wrong_is_shown_by_verdict_when_they_are_gone)
{
    static const uint8_t proven[ERA_KEY_BYTES];
    struct lone *l = lone_new(given_charter(validators, network), NULL, "1.0.0", 7);
    for (uint64_t link = 1; link <= ERA_LINKS_ACCEPTED_BURST + 1; link++) {
        lone_event(
            l, (struct era_event){
                   .kind = ERA_EV_LINK_UP, .link = link, .address = "tcp://10.0.0.9:1", .proven = proven});
        lone_event(l,
                   (struct era_event){.kind = ERA_EV_LINK_DOWN, .link = link, .verdict = ERA_NOT_AUTHENTIC});
    }
    json_t *o = era_report_peers(l->node, &l->info);
    cr_assert_eq(json_array_size(at(o, "peers")), 0);
    cr_assert_str_eq(keys_at(o, "refused"), "rate-limited");
    cr_assert_eq(number_at(o, "refused.rate-limited"), 1);
    cr_assert_str_eq(keys_at(o, "charged"), "not-authentic");
    cr_assert_eq(number_at(o, "charged.not-authentic"), ERA_LINKS_ACCEPTED_BURST);
    json_decref(o);
    lone_free(l);
}

Test(signal, gate_and_era_changes_say_what_and_why)
{
    struct era_charter *c = given_charter(validators, network);
    struct lone *l = lone_new(c, "alice", "1.0.0", 7);
    all_announce(l, 7, "1.0.0");
    adopt(l, given_upgrade(c, 1));
    json_t *gate = lone_signal(l, "gate");
    cr_assert_str_eq(keys_at(gate, ""), "schema,signal,epoch,component,before,gate,at_topic");
    cr_assert_str_eq(text_at(gate, "gate.state"), "upgrade-soon");
    cr_assert_str_eq(text_at(gate, "before"), "current");
    cr_assert_str_eq(text_at(gate, "gate.cause.version"), "2.0.0");
    lone_to_epoch(l, 20);
    json_t *era = lone_signal(l, "era");
    cr_assert_str_eq(keys_at(era, ""), "schema,signal,epoch,component,entry,at_topic");
    cr_assert_str_eq(text_at(era, "entry.era_name"), "era 2");
    cr_assert_str_eq(text_at(lone_signal(l, "gate"), "gate.state"), "blocked");
    cr_assert_eq(number_at(lone_signal(l, "epoch"), "epoch"), 20);
    cr_assert_str_eq(text_at(lone_signal(l, "adopted"), "version"), "2.0.0");
    lone_free(l);
}

Test(signal, T3_a_new_proposal_and_its_approval_are_told)
{
    struct era_charter *c = given_charter(validators, network);
    struct lone *l = lone_new(c, "alice", "1.0.0", 7);
    struct era_proposal *p = given_upgrade(c, 1);
    strcpy(p->text, "granite");
    lone_submit(l, given_proposed(c, "s1", p));
    json_t *o = lone_signal(l, "proposal");
    cr_assert_str_eq(keys_at(o, ""), "schema,signal,epoch,component,id,seq,version,text,at_topic");
    cr_assert_str_eq(text_at(o, "text"), "granite");
    cr_assert_str_eq(text_at(o, "at_topic"), "proposal");
    lone_submit(l, given_approve(c, "s1", p));
    lone_submit(l, given_approve(c, "s2", p));
    cr_assert_eq(number_at(lone_signal(l, "approved"), "seq"), 1);
    lone_free(l);
}

Test(signal, C3_an_event_goes_out_with_its_payload_and_its_own_topic)
{
    struct era_charter *c = given_charter("alice:10", network);
    struct lone *l = lone_new(c, "alice", "1.0.0", 7);
    static const uint8_t clean[] = "price 7", dirty[] = {0xff, 0x00};
    lone_command(
        l, (struct era_command){
               .id = 2, .kind = ERA_CMD_EMIT, .topic = "oracle.price", .bytes = {clean, sizeof clean - 1}});
    json_t *o = lone_signal(l, "event");
    cr_assert_str_eq(text_at(o, "at_topic"), "event.oracle.price");
    cr_assert_str_eq(text_at(o, "topic"), "oracle.price");
    cr_assert_str_eq(text_at(o, "from"), "alice");
    cr_assert_str_eq(text_at(o, "payload"), "price 7");
    cr_assert_str_eq(text_at(o, "payload_base64"), "cHJpY2UgNw==");
    lone_command(l, (struct era_command){
                        .id = 3, .kind = ERA_CMD_EMIT, .topic = "raw", .bytes = {dirty, sizeof dirty}});
    cr_assert(json_is_null(at(lone_signal(l, "event"), "payload")));
    cr_assert_str_eq(text_at(lone_signal(l, "event"), "payload_base64"), "/wA=");
    lone_free(l);
}

Test(signal, C3_the_largest_event_fits_a_signal)
{
    struct era_charter *c = given_charter("alice:10", network);
    struct lone *l = lone_new(c, "alice", "1.0.0", 7);
    static uint8_t quotes[ERA_EVENT_PAYLOAD_BYTES_MAX];
    char topic[ERA_TOPIC_BYTES_MAX + 1];
    memset(quotes, '"', sizeof quotes);
    memset(topic, 'a', sizeof topic - 1);
    topic[sizeof topic - 1] = '\0';
    lone_command(l, (struct era_command){
                        .id = 2, .kind = ERA_CMD_EMIT, .topic = topic, .bytes = {quotes, sizeof quotes}});
    json_t *o = lone_signal(l, "event");
    cr_assert_eq(strlen(text_at(o, "at_topic")), ERA_TOPIC_BYTES_MAX);
    cr_assert_leq(json_dumpb(o, NULL, 0, JSON_COMPACT) + ERA_TOPIC_BYTES_MAX + 1, ERA_SIGNAL_BYTES_MAX);
    lone_free(l);
}

/* A record as large as the limits let it be: texts that double when quoted. */
static void fill(char *text, size_t size)
{
    memset(text, '"', size - 1);
    text[size - 1] = '\0';
}

Test(signal, a_gate_change_fits_a_signal_whatever_the_plan_holds)
{
    struct era_charter *c = given_charter("alice:10", network);
    struct lone *l = lone_new(c, "alice", "1.0.0", 7);
    struct era_proposal *p = given_artefacts(given_upgrade(c, 1), "a b c d e f g h i j k l m n o p");
    struct era_record *r = &p->plan.entries[1].record;
    for (size_t i = 0; i < r->artefact_count; i++)
        fill(r->artefacts[i].link, sizeof r->artefacts[i].link);
    fill(r->link, sizeof r->link);
    for (r->flag_count = 0; r->flag_count < ERA_FLAGS_MAX; r->flag_count++) {
        char *name = r->flags[r->flag_count].name;
        memset(name, 'a', ERA_NAME_BYTES_MAX);
        name[0] = (char)('a' + r->flag_count / 26);
        name[1] = (char)('a' + r->flag_count % 26);
    }
    for (r->dependency_count = 0; r->dependency_count < ERA_DEPENDENCIES_MAX; r->dependency_count++) {
        struct era_dependency *d = &r->dependencies[r->dependency_count];
        *d = (struct era_dependency){.name = "a", .range = ">=1.0.0"};
        d->name[0] = (char)('a' + r->dependency_count);
        fill(d->since, sizeof d->since);
    }
    lone_submit(l, given_certificate(c, given_seal(p), "s1", "s1 s2", "alice", ""));
    json_t *o = lone_signal(l, "gate");
    cr_assert_str_eq(text_at(o, "gate.state"), "upgrade-soon");
    cr_assert(json_is_true(at(o, "cut")));
    cr_assert_leq(json_dumpb(o, NULL, 0, JSON_COMPACT) + ERA_TOPIC_BYTES_MAX + 1, ERA_SIGNAL_BYTES_MAX);
    lone_free(l);
}

Test(signal, N4_an_equivocation_names_the_key)
{
    struct era_charter *c = given_charter(validators, network);
    struct lone *l = lone_new(c, "alice", "1.0.0", 7);
    struct era_proposal *p = given_upgrade(c, 1), *other = given_copy(p);
    strcpy(other->text, "another");
    lone_submit(l, given_ready(c, "bob", p));
    lone_submit(l, given_ready(c, "bob", other));
    json_t *o = lone_signal(l, "equivocation");
    cr_assert_str_eq(text_at(o, "kind"), "readiness");
    cr_assert_str_eq(text_at(o, "by"), "bob");
    cr_assert_eq(number_at(o, "seq"), 1);
    lone_free(l);
}

/* Indices are of the charter it was said under, which need not be the newest. */
Test(signal, N4_R10_an_equivocation_under_an_older_charter_names_its_key)
{
    struct era_charter *c = given_charter(validators, "network k=2 signers=s1,s2");
    struct era_charter *next = given_next_charter(c, "bob:10 carol:10 dave:10", NULL, 20, 1000);
    struct lone *l = lone_new(c, NULL, "1.0.0", 7);
    lone_submit(l, given_charter_certificate(next, "s1 s2", "s1 s2", "bob carol dave", "alice bob carol"));
    lone_submit(l, given_close(next, "alice", given_last(given_closing(next), 77)));
    lone_submit(l, given_close(next, "alice", given_last(given_closing(next), 78)));
    json_t *o = lone_signal(l, "equivocation");
    cr_assert_str_eq(text_at(o, "kind"), "close");
    cr_assert_str_eq(text_at(o, "by"), "alice");
    lone_free(l);
}

Test(signal, a_failed_store_is_told)
{
    struct era_charter *c = given_charter(validators, network);
    struct lone *l = lone_new(c, NULL, "1.0.0", 7);
    struct era_signal s = {.kind = ERA_SIG_STORE, .component = -1, .epoch = 7, .error = -5};
    char topic[ERA_TOPIC_BYTES_MAX + 1];
    json_t *o = era_report_signal(l->node, &s, topic);
    cr_assert_str_eq(topic, "store");
    cr_assert_str_eq(text_at(o, "error"), "Input/output error");
    cr_assert(json_is_null(at(o, "component")));
    json_decref(o);
    lone_free(l);
}
