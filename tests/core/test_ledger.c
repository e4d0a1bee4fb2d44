#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/view.h"
#include "tests/core/peer.h"

#define ALL "alice bob carol dave"

/* Stake 40, Q = 27: three of four. k = 2 of 3. */
static struct era_charter *c;
static struct peer *p;

static void begin(void)
{
    c = given_charter(
        "alice:10 bob:10 carol:10 dave:10",
        "network k=2 signers=s1,s2,s3; oracle k=1 signers=s9; rebuilt k=1 signers=s9 rebuild=1/2");
    p = given_peer(c);
}

TestSuite(ledger, .init = begin, .fini = peers_free);

static struct era_proposal *soft(uint64_t seq, const char *version)
{
    return given_soft(given_proposal(c, "network", seq), 100, version);
}

static struct era_bytes certificate(const struct era_proposal *of)
{
    return given_certificate(c, of, "s1", "s1 s2", ALL, "");
}

static int network(void)
{
    return given_component_index(c, "network");
}

static uint64_t floor_of(struct peer *at)
{
    return era_ledger_floor(at->ledger, network());
}

/* ---- R1 ---- */

Test(ledger, R1_a_statement_is_taken_once)
{
    struct era_bytes approve = given_approve(c, "s1", soft(1, "1.1.0"));

    cr_expect_eq(take(p, approve), ERA_ACCEPTED);
    cr_expect_eq(take(p, approve), ERA_DUPLICATE);
    cr_expect_eq(take(p, given_approve(c, "s2", soft(1, "1.1.0"))), ERA_ACCEPTED, "another key, the same id");
    cr_expect_eq(era_ledger_count(p->ledger), 2);
}

Test(ledger, R1_a_pending_statement_is_a_duplicate_too)
{
    struct era_item *item;
    struct era_bytes approve = given_approve(c, "s1", soft(1, "1.1.0"));

    cr_expect_eq(offer(p, approve, &item), ERA_ACCEPTED);
    cr_expect_eq(offer(p, approve, NULL), ERA_DUPLICATE);
}

/* ---- pending, commit, abandon ---- */

Test(ledger, nothing_counts_or_is_offered_before_it_is_durable)
{
    struct era_proposal *one = soft(1, "1.1.0");
    struct era_bytes ready = given_ready(c, "alice", one);
    struct era_item *item;

    take(p, given_proposed(c, "s1", one));
    cr_assert_eq(offer(p, ready, &item), ERA_ACCEPTED);
    changes(p);
    cr_expect_eq(candidate(p, one)->ready_stake, 0);
    cr_expect_not(offers(p, ready));
    era_ledger_commit(p->ledger, item);
    cr_expect_eq(candidate(p, one)->ready_stake, 10);
    cr_expect(offers(p, ready));
    cr_expect_str_eq(changes(p), "offer readiness");
}

Test(ledger, what_the_store_lost_can_be_offered_again)
{
    struct era_bytes approve = given_approve(c, "s1", soft(1, "1.1.0"));
    struct era_item *item;

    for (int i = 0; i < 5; i++) {
        cr_assert_eq(offer(p, approve, &item), ERA_ACCEPTED);
        era_ledger_abandon(p->ledger, item);
        cr_expect_eq(era_ledger_count(p->ledger), 0);
    }
    cr_expect_eq(take(p, approve), ERA_ACCEPTED);
}

Test(ledger, an_abandoned_second_statement_is_no_equivocation)
{
    struct era_bytes first = given_ready(c, "alice", soft(1, "1.1.0"));
    struct era_item *item;

    take(p, first);
    cr_assert_eq(offer(p, given_ready(c, "alice", soft(1, "1.2.0")), &item), ERA_ACCEPTED);
    era_ledger_abandon(p->ledger, item);
    cr_expect(offers(p, first));
    cr_expect_str_eq(changes(p), "offer readiness");
}

Test(ledger, R4_a_vote_in_flight_is_known)
{
    const struct era_item *said[2];
    struct era_key alice = given_key("alice").key;
    struct era_item *item;

    cr_assert_eq(offer(p, given_ready(c, "alice", soft(3, "1.1.0")), &item), ERA_ACCEPTED);
    cr_expect_eq(era_ledger_spoken(p->ledger, ERA_KIND_READINESS, network(), 3, &alice, said), 1);
    cr_expect_eq(said[0], item);
    cr_expect_eq(era_ledger_spoken(p->ledger, ERA_KIND_READINESS, network(), 4, &alice, said), 0);
    era_ledger_abandon(p->ledger, item);
    cr_expect_eq(era_ledger_spoken(p->ledger, ERA_KIND_READINESS, network(), 3, &alice, said), 0);
}

/* ---- R6: caps ---- */

Test(ledger, R6_a_key_has_at_most_two_ids_a_place)
{
    cr_expect_eq(take(p, given_ready(c, "alice", soft(1, "1.1.0"))), ERA_ACCEPTED);
    cr_expect_eq(take(p, given_ready(c, "alice", soft(1, "1.2.0"))), ERA_ACCEPTED);
    cr_expect_eq(take(p, given_ready(c, "alice", soft(1, "1.3.0"))), ERA_CAPPED);
    cr_expect_eq(take(p, given_ready(c, "alice", soft(2, "1.3.0"))), ERA_ACCEPTED, "another slot");
    cr_expect_eq(take(p, given_ready(c, "bob", soft(1, "1.3.0"))), ERA_ACCEPTED, "another key");
    cr_expect_eq(take(p, given_approve(c, "s1", soft(1, "1.3.0"))), ERA_ACCEPTED, "another kind");
    cr_expect_eq(take(p, given_reject(c, "s1", soft(1, "1.3.0"), "")), ERA_ACCEPTED);
}

Test(ledger, R6_the_cap_holds_for_statements_in_flight)
{
    cr_expect_eq(offer(p, given_approve(c, "s1", soft(1, "1.1.0")), NULL), ERA_ACCEPTED);
    cr_expect_eq(offer(p, given_approve(c, "s1", soft(1, "1.2.0")), NULL), ERA_ACCEPTED);
    cr_expect_eq(offer(p, given_approve(c, "s1", soft(1, "1.3.0")), NULL), ERA_CAPPED);
}

/* One hostile key chooses the artefacts' names: they must not make room for ever more. */
Test(ledger, R6_attestations_of_a_key_are_bounded_whatever_they_name)
{
    struct era_proposal *one = soft(1, "1.1.0");
    size_t taken = 0;

    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "a%d", i);
        taken += take(p, given_attest(c, "alice", one, name, given_digest("x"))) == ERA_ACCEPTED;
    }
    cr_expect_geq(taken, 32);
    cr_expect_leq(taken, 32 + 8, "so many lower ones an epoch take another's place");
    cr_expect_eq(era_ledger_count(p->ledger), 32, "two for each of 16 artefacts");
    cr_expect_eq(take(p, given_attest(c, "bob", one, "linux", given_digest("x"))), ERA_ACCEPTED);
}

Test(ledger, N5_a_failed_build_and_its_repair_are_both_kept)
{
    struct era_proposal *b =
        given_artefacts(given_breaking(given_proposal(c, "rebuilt", 1), 100, "2.0.0"), "linux");
    const char *right = b->plan.entries[1].record.artefacts[0].digest;
    struct era_bytes failed = given_attest(c, "alice", b, "linux", given_digest("wrong"));

    take(p, given_proposed(c, "s9", b));
    cr_expect_eq(take(p, failed), ERA_ACCEPTED);
    cr_expect_eq(era_match_least(&candidate(p, b)->matches), 0);
    cr_expect_eq(take(p, given_attest(c, "alice", b, "linux", right)), ERA_ACCEPTED);
    cr_expect_eq(era_match_least(&candidate(p, b)->matches), 10, "any match counts");
    cr_expect(offers(p, failed), "and brands nobody");
}

Test(ledger, R6_a_plan_may_bring_one_artefact_in_several_entries)
{
    struct era_proposal *b = given_proposal(c, "rebuilt", 1);
    given_artefacts(given_breaking(b, 100, "2.0.0"), "linux");
    given_breaking(given_breaking(given_breaking(b, 200, "3.0.0"), 300, "4.0.0"), 400, "5.0.0");

    take(p, given_proposed(c, "s9", b));
    for (size_t e = 1; e < 5; e++)
        cr_expect_eq(
            take(p, given_attest(c, "alice", b, "linux", b->plan.entries[e].record.artefacts[0].digest)),
            ERA_ACCEPTED);
    cr_expect_eq(era_match_least(&candidate(p, b)->matches), 10);
}

/* ---- R6: carriers ---- */

Test(ledger, R6_carriers_are_outside_the_cap_of_loose_statements)
{
    struct era_proposal *third = soft(1, "1.3.0");

    for (int i = 0; i < 2; i++) {
        take(p, given_ready(c, "alice", soft(1, i ? "1.2.0" : "1.1.0")));
        take(p, given_approve(c, "s1", soft(1, i ? "1.2.0" : "1.1.0")));
    }
    cr_expect_eq(take(p, given_approved(c, third, "s1", "s1 s2")), ERA_ACCEPTED);
    cr_expect_eq(take(p, certificate(third)), ERA_ACCEPTED);
    cr_expect_eq(head_seq(p, "network"), 1);
}

Test(ledger, R6_the_first_carrier_of_a_proposal_stays)
{
    struct era_proposal *one = soft(1, "1.1.0");
    struct era_bytes first = given_certificate(c, one, "s1", "s1 s2", "alice bob carol", "");

    cr_expect_eq(take(p, given_approved(c, one, "s1", "s1 s2")), ERA_ACCEPTED);
    cr_expect_eq(take(p, given_approved(c, one, "s1", "s2 s3")), ERA_DUPLICATE);
    cr_expect_eq(take(p, first), ERA_ACCEPTED);
    cr_expect_eq(take(p, given_certificate(c, one, "s2", "s2 s3", "bob carol dave", "")), ERA_DUPLICATE);
    struct era_hash item = given_item(c, first);
    const struct era_item *held = era_ledger_find(p->ledger, &item);
    struct era_bytes kept = body_of(p, held);
    cr_assert_eq(kept.len, first.len);
    cr_expect_eq(memcmp(kept.data, first.data, first.len), 0);
}

Test(ledger, R6_whoever_holds_the_parts_makes_the_carriers)
{
    struct era_proposal *one = soft(1, "1.1.0");

    take(p, given_proposed(c, "s1", one));
    take(p, given_approve(c, "s1", one));
    cr_expect_eq(assemble(p), 0);
    take(p, given_approve(c, "s2", one));
    cr_expect_eq(assemble(p), 1, "approved");
    cr_expect_eq(floor_of(p), 0);
    take(p, given_ready(c, "alice", one));
    take(p, given_ready(c, "bob", one));
    cr_expect_eq(assemble(p), 0);
    take(p, given_ready(c, "carol", one));
    cr_expect_eq(assemble(p), 1, "certificate");
    cr_expect_eq(head_seq(p, "network"), 1);
    cr_expect_str_eq(in_force(p, "network", 100), "1.1.0");
    cr_expect_eq(assemble(p), 0);
}

Test(ledger, R6_the_parts_may_come_in_any_order)
{
    struct era_proposal *one = soft(1, "1.1.0");

    take(p, given_ready(c, "carol", one));
    take(p, given_approve(c, "s2", one));
    take(p, given_ready(c, "alice", one));
    take(p, given_approve(c, "s3", one));
    take(p, given_ready(c, "bob", one));
    cr_expect_eq(assemble(p), 0);
    take(p, given_proposed(c, "s1", one));
    cr_expect_eq(assemble(p), 1);
    cr_expect_eq(head_seq(p, "network"), 1);
}

Test(ledger, R6_parts_of_a_carrier_and_loose_ones_add_up)
{
    struct era_proposal *one = soft(1, "1.1.0");

    take(p, given_ready(c, "alice", one));
    take(p, given_ready(c, "bob", one));
    take(p, given_ready(c, "carol", one));
    take(p, given_approved(c, one, "s1", "s1 s2"));
    cr_expect_eq(assemble(p), 1);
    cr_expect_eq(head_seq(p, "network"), 1);
}

Test(ledger, R5_a_certificate_waits_for_the_rebuilds)
{
    struct era_proposal *b =
        given_artefacts(given_breaking(given_proposal(c, "rebuilt", 1), 100, "2.0.0"), "linux mac");
    const struct era_artefact *a = b->plan.entries[1].record.artefacts;

    take(p, given_approved(c, b, "s9", "s9"));
    for (const char *const *v = (const char *const[]){"alice", "bob", "carol", NULL}; *v; v++)
        take(p, given_ready(c, *v, b));
    take(p, given_attest(c, "alice", b, "linux", a[0].digest));
    take(p, given_attest(c, "alice", b, "mac", a[1].digest));
    take(p, given_attest(c, "bob", b, "linux", a[0].digest));
    take(p, given_attest(c, "bob", b, "mac", given_digest("differs")));
    cr_expect_eq(assemble(p), 0);
    take(p, given_attest(c, "dave", b, "mac", a[1].digest));
    cr_expect_eq(assemble(p), 1);
    cr_expect_eq(head_seq(p, "rebuilt"), 1);
}

/* All that everybody says of a release would not fit a statement; what is enough does. */
Test(ledger, R6_a_certificate_holds_no_more_than_is_enough)
{
    struct era_proposal *b =
        given_artefacts(given_breaking(given_proposal(c, "rebuilt", 1), 100, "2.0.0"), "linux");
    const char *digest = b->plan.entries[1].record.artefacts[0].digest;
    const char *const all[] = {"alice", "bob", "carol", "dave"};
    uint32_t kind;
    uint8_t *bytes;
    struct era_envelope e;
    struct era_carrier k;

    take(p, given_proposed(c, "s9", b));
    take(p, given_approve(c, "s9", b));
    for (size_t i = 0; i < 4; i++) {
        take(p, given_ready(c, all[i], b));
        take(p, given_attest(c, all[i], b, "linux", digest));
    }
    struct era_candidate *it = era_ledger_assemblable(p->ledger, &kind);
    cr_assert_eq(kind, ERA_KIND_CERTIFICATE);
    struct era_bytes made = {.len = era_ledger_assemble(p->ledger, it, kind, &bytes)};
    made.data = bytes;
    cr_assert_eq(era_envelope_decode(made, &e), ERA_ACCEPTED);
    cr_assert_eq(era_carrier_decode(e.payload, &k), ERA_ACCEPTED);
    cr_expect_eq(k.approval_count, 1);
    cr_expect_eq(k.readiness_count, 3);
    cr_expect_eq(k.attestation_count, 2);
    cr_expect_eq(take(p, made), ERA_ACCEPTED);
    era_carrier_clear(&k);
    free(bytes);
}

Test(ledger, R6_the_certificate_of_5000_validators_fits_a_statement)
{
    char *names = calloc(5000, 16), who[16];
    size_t n = 0;

    for (int i = 0; i < 5000; i++)
        n += (size_t)sprintf(names + n, "v%d:1 ", i);
    c = given_charter(names, "network k=1 signers=s1 rebuild=1/2");
    p = given_peer(c);
    free(names);
    struct era_proposal *b =
        given_artefacts(given_breaking(given_proposal(c, "network", 1), 100, "2.0.0"), "linux");
    const char *digest = b->plan.entries[1].record.artefacts[0].digest;
    take(p, given_proposed(c, "s1", b));
    for (int i = 0; i < 5000; i++) {
        sprintf(who, "v%d", i);
        cr_assert_eq(take(p, given_ready(c, who, b)), ERA_ACCEPTED);
        cr_assert_eq(take(p, given_attest(c, who, b, "linux", digest)), ERA_ACCEPTED);
    }
    take(p, given_approve(c, "s1", b));
    cr_expect_eq(assemble(p), 1);
    cr_expect_eq(head_seq(p, "network"), 1);
    struct era_hash id = given_id(c, b), item = era_item_id_carrier(ERA_KIND_CERTIFICATE, &id);
    cr_expect_lt(body_of(p, era_ledger_find(p->ledger, &item)).len, 900000);
}

Test(ledger, R6_a_carrier_of_ours_that_the_store_lost_is_made_again)
{
    struct era_proposal *one = soft(1, "1.1.0");
    struct era_item *item;
    uint32_t kind;
    uint8_t *bytes;

    take(p, given_proposed(c, "s1", one));
    take(p, given_approve(c, "s1", one));
    take(p, given_approve(c, "s2", one));
    struct era_candidate *it = era_ledger_assemblable(p->ledger, &kind);
    cr_assert_eq(kind, ERA_KIND_APPROVED);
    struct era_bytes made = {.len = era_ledger_assemble(p->ledger, it, kind, &bytes)};
    made.data = bytes;
    cr_assert_eq(offer(p, made, &item), ERA_ACCEPTED);
    free(bytes);
    take(p, given_ready(c, "alice", one));
    cr_expect_null(era_ledger_assemblable(p->ledger, &kind), "one is on its way");
    era_ledger_abandon(p->ledger, item);
    take(p, given_ready(c, "bob", one));
    cr_expect_eq(assemble(p), 1);
}

/* ---- R2: the window ---- */

Test(ledger, R2_loose_statements_are_kept_64_slots_ahead)
{
    cr_expect_eq(take(p, given_approve(c, "s1", soft(64, "1.1.0"))), ERA_ACCEPTED);
    cr_expect_eq(take(p, given_approve(c, "s1", soft(65, "1.1.0"))), ERA_BEYOND_WINDOW);
    cr_expect_eq(take(p, certificate(soft(10, "1.1.0"))), ERA_ACCEPTED);
    cr_expect_eq(take(p, given_approve(c, "s1", soft(74, "1.1.0"))), ERA_ACCEPTED);
    cr_expect_eq(take(p, given_approve(c, "s1", soft(75, "1.1.0"))), ERA_BEYOND_WINDOW);
}

Test(ledger, R2_an_approved_slot_moves_the_window)
{
    cr_expect_eq(take(p, given_approved(c, soft(60, "1.1.0"), "s1", "s1 s2")), ERA_ACCEPTED);
    cr_expect_eq(take(p, given_approve(c, "s1", soft(124, "1.1.0"))), ERA_ACCEPTED);
    cr_expect_eq(take(p, given_approve(c, "s1", soft(125, "1.1.0"))), ERA_BEYOND_WINDOW);
}

Test(ledger, R2_the_window_is_no_condition_on_a_carrier)
{
    cr_expect_eq(take(p, given_approved(c, soft(1000, "1.1.0"), "s1", "s1 s2")), ERA_ACCEPTED);
    cr_expect_eq(take(p, certificate(soft(ERA_SEQ_MAX, "1.1.0"))), ERA_ACCEPTED);
    cr_expect_eq(take(p, given_approve(c, "s1", soft(ERA_SEQ_MAX, "1.1.0"))), ERA_DOMINATED);
}

Test(ledger, R2_a_window_is_of_one_component)
{
    struct era_proposal *oracle = given_soft(given_proposal(c, "oracle", 70), 100, "1.1.0");

    take(p, certificate(soft(10, "1.1.0")));
    cr_expect_eq(take(p, given_approve(c, "s9", oracle)), ERA_BEYOND_WINDOW);
}

/* ---- R9: what lies below the head ---- */

Test(ledger, R9_an_adoption_collects_what_lies_at_or_below_it)
{
    struct era_bytes below = given_approve(c, "s1", soft(1, "1.1.0"));
    struct era_bytes at = given_ready(c, "alice", soft(2, "1.1.0"));
    struct era_bytes above = given_ready(c, "alice", soft(3, "1.1.0"));
    struct era_bytes approved = given_approved(c, soft(1, "1.1.0"), "s1", "s1 s2");

    take(p, below);
    take(p, at);
    take(p, above);
    take(p, approved);
    changes(p);
    cr_expect_eq(take(p, certificate(soft(2, "1.1.0"))), ERA_ACCEPTED);
    cr_expect_not(holds(p, below));
    cr_expect_not(holds(p, at));
    cr_expect_not(holds(p, approved));
    cr_expect(holds(p, above));
    cr_expect_eq(era_ledger_count(p->ledger), 2);
    cr_expect_str_eq(changes(p),
                     "approved 2, adopted 2, offer certificate, withdraw approved, delete approved, "
                     "withdraw approve, delete approve, withdraw readiness, delete readiness");
}

Test(ledger, R9_nothing_loose_is_taken_at_or_below_the_floor)
{
    take(p, certificate(soft(2, "1.1.0")));
    cr_expect_eq(take(p, given_approve(c, "s1", soft(2, "1.2.0"))), ERA_DOMINATED);
    cr_expect_eq(take(p, given_ready(c, "alice", soft(1, "1.2.0"))), ERA_DOMINATED);
    cr_expect_eq(take(p, given_approved(c, soft(2, "1.2.0"), "s1", "s1 s2")), ERA_DOMINATED);
    cr_expect_eq(take(p, given_approve(c, "s1", soft(3, "1.2.0"))), ERA_ACCEPTED);
}

Test(ledger, R7_a_certificate_below_the_head_changes_nothing)
{
    take(p, certificate(soft(2, "1.1.0")));
    cr_expect_eq(take(p, certificate(soft(1, "1.2.0"))), ERA_DOMINATED);
    cr_expect_eq(head_seq(p, "network"), 2);
}

Test(ledger, R9_history_is_kept_and_not_offered)
{
    struct era_bytes old = certificate(soft(1, "1.1.0")), older = certificate(soft(2, "1.2.0"));
    const struct era_adopted *all;

    take(p, old);
    cr_expect(offers(p, old));
    take(p, certificate(soft(3, "1.3.0")));
    cr_expect(holds(p, old));
    cr_expect_not(offers(p, old));
    cr_expect_eq(restore(p, older), ERA_ACCEPTED, "from disk, as history");
    cr_expect_not(offers(p, older));
    cr_expect_eq(era_ledger_adopted(p->ledger, network(), &all), 3);
    cr_expect_eq(all[0].seq, 1);
    cr_expect_eq(all[1].seq, 2);
    cr_expect_eq(all[2].seq, 3);
    cr_expect_eq(head_seq(p, "network"), 3);
}

Test(ledger, R9_memory_keeps_64_certificates)
{
    const struct era_adopted *all;

    for (uint64_t seq = 1; seq <= 70; seq++)
        cr_assert_eq(take(p, certificate(soft(seq, "1.1.0"))), ERA_ACCEPTED);
    cr_expect_eq(era_ledger_adopted(p->ledger, network(), &all), 64);
    cr_expect_eq(all[0].seq, 7);
    cr_expect_eq(era_ledger_count(p->ledger), 64);
    cr_expect_eq(head_seq(p, "network"), 70);
}

Test(ledger, R9_what_was_overtaken_on_its_way_to_the_disk_is_deleted_there)
{
    struct era_item *item, *carrier;
    struct era_bytes ready = given_ready(c, "alice", soft(1, "1.1.0"));

    cr_assert_eq(offer(p, ready, &item), ERA_ACCEPTED);
    cr_assert_eq(offer(p, given_approved(c, soft(2, "1.2.0"), "s1", "s1 s2"), &carrier), ERA_ACCEPTED);
    take(p, certificate(soft(2, "1.1.0")));
    changes(p);
    era_ledger_commit(p->ledger, item);
    era_ledger_commit(p->ledger, carrier);
    cr_expect_str_eq(changes(p), "delete readiness, delete approved");
    cr_expect_eq(era_ledger_count(p->ledger), 1);
}

Test(ledger, R9_what_was_overtaken_and_then_lost_is_just_gone)
{
    struct era_item *item;

    cr_assert_eq(offer(p, given_ready(c, "alice", soft(1, "1.1.0")), &item), ERA_ACCEPTED);
    take(p, certificate(soft(2, "1.1.0")));
    era_ledger_abandon(p->ledger, item);
    cr_expect_eq(era_ledger_count(p->ledger), 1);
}

/* ---- R8 ---- */

Test(ledger, R8_tallies_only_grow)
{
    struct era_proposal *one = soft(1, "1.1.0"), *two = soft(1, "1.2.0");

    take(p, given_proposed(c, "s1", one));
    take(p, given_ready(c, "alice", one));
    take(p, given_approve(c, "s1", one));
    take(p, given_ready(c, "alice", two));
    take(p, given_approve(c, "s1", two));
    take(p, given_reject(c, "s1", one, "second thoughts"));
    cr_expect_eq(candidate(p, one)->ready_stake, 10, "evidence never subtracts");
    cr_expect_eq(candidate(p, two)->ready_stake, 10);
    cr_expect_eq(__builtin_popcountll(candidate(p, one)->approved_by), 1);
    cr_expect_eq(candidate(p, one)->reject_count, 1);
}

Test(ledger, R3_one_key_counts_once_loose_and_carried)
{
    struct era_proposal *one = soft(1, "1.1.0");

    take(p, given_approve(c, "s1", one));
    take(p, given_approved(c, one, "s1", "s1 s2"));
    take(p, given_approve(c, "s2", one));
    cr_expect_eq(__builtin_popcountll(candidate(p, one)->approved_by), 2);
}

Test(ledger, R3_a_vote_for_another_slot_counts_nowhere)
{
    struct era_proposal *one = soft(1, "1.1.0"), *elsewhere = soft(1, "1.1.0");
    struct era_statement *s = calloc(1, sizeof *s);

    elsewhere->slot.seq = 2;
    s->kind = ERA_KIND_READINESS;
    s->u.vote.slot = elsewhere->slot;
    s->u.vote.proposal = given_id(c, one);
    take(p, given_proposed(c, "s1", one));
    cr_expect_eq(take(p, given_signed(c, "alice", s)), ERA_ACCEPTED);
    cr_expect_eq(candidate(p, one)->ready_stake, 0);
    free(s);
}

/* ---- telling ---- */

Test(ledger, T4_approved_and_failed_are_told_once)
{
    struct era_proposal *one = soft(1, "1.1.0"), *two = soft(2, "1.1.0");

    take(p, given_proposed(c, "s1", one));
    take(p, given_approve(c, "s1", one));
    take(p, given_approve(c, "s2", one));
    cr_expect_str_eq(changes(p), "offer proposal, offer approve, offer approve, approved 1");
    take(p, given_approve(c, "s3", one));
    cr_expect_str_eq(changes(p), "offer approve");
    take(p, given_proposed(c, "s1", two));
    take(p, given_reject(c, "s1", two, "no"));
    cr_expect_str_eq(changes(p), "offer proposal, offer reject");
    take(p, given_reject(c, "s2", two, "no"));
    cr_expect_str_eq(changes(p), "offer reject, failed 2");
    take(p, given_reject(c, "s3", two, "no"));
    cr_expect_str_eq(changes(p), "offer reject");
}

Test(ledger, R3_approved_wins_over_failed)
{
    struct era_proposal *one = soft(1, "1.1.0");

    take(p, given_proposed(c, "s1", one));
    take(p, given_reject(c, "s1", one, "no"));
    take(p, given_reject(c, "s2", one, "no"));
    changes(p);
    take(p, given_approve(c, "s1", one));
    take(p, given_approve(c, "s2", one));
    cr_expect_str_eq(changes(p), "offer approve, offer approve, approved 1");
}

Test(ledger, N5_a_rejection_keeps_its_reason)
{
    struct era_proposal *one = soft(1, "1.1.0");

    take(p, given_reject(c, "s2", one, "the tests fail"));
    cr_assert_eq(candidate(p, one)->reject_count, 1);
    cr_expect_str_eq(candidate(p, one)->rejects[0].reason, "the tests fail");
    cr_expect_eq(candidate(p, one)->rejects[0].signer, given_signer_index(c, "network", "s2"));
}

/* ---- N4: equivocation ---- */

Test(ledger, N4_two_ids_in_a_place_are_evidence_and_leave_reconciliation)
{
    struct era_bytes a = given_ready(c, "alice", soft(1, "1.1.0")),
                     b = given_ready(c, "alice", soft(1, "1.2.0"));

    take(p, a);
    cr_expect_str_eq(changes(p), "offer readiness");
    take(p, b);
    cr_expect_str_eq(changes(p), "withdraw readiness, equivocation readiness");
    cr_expect(holds(p, a) && holds(p, b));
    cr_expect_not(offers(p, a) || offers(p, b));
}

Test(ledger, N4_both_in_flight_at_once_are_found_as_well)
{
    struct era_bytes a = given_approve(c, "s1", soft(1, "1.1.0")),
                     b = given_approve(c, "s1", soft(1, "1.2.0"));
    struct era_item *first, *second;

    cr_assert_eq(offer(p, a, &first), ERA_ACCEPTED);
    cr_assert_eq(offer(p, b, &second), ERA_ACCEPTED);
    era_ledger_commit(p->ledger, second);
    era_ledger_commit(p->ledger, first);
    cr_expect_str_eq(changes(p), "offer approve, withdraw approve, equivocation approve");
    cr_expect_not(offers(p, a) || offers(p, b));
}

Test(ledger, N4_what_may_be_said_twice_in_good_faith_is_no_evidence)
{
    take(p, given_proposed(c, "s1", soft(1, "1.1.0")));
    take(p, given_proposed(c, "s1", soft(1, "1.2.0")));
    take(p, given_reject(c, "s1", soft(1, "1.1.0"), "no"));
    take(p, given_reject(c, "s1", soft(1, "1.2.0"), "nor this"));
    take(p, given_attest(c, "alice", soft(1, "1.1.0"), "linux", given_digest("1")));
    take(p, given_attest(c, "alice", soft(1, "1.1.0"), "linux", given_digest("2")));
    cr_expect_str_eq(changes(p),
                     "offer proposal, offer proposal, offer reject, offer reject, offer attestation, "
                     "offer attestation");
}

/* ---- from the disk ---- */

/* A vote that the next run does not know of would be cast a second time. */
Test(ledger, R4_an_own_vote_is_known_again_before_the_carrier_that_opened_its_window)
{
    struct era_bytes vote = given_ready(c, "alice", soft(90, "1.1.0"));

    cr_expect_eq(take(p, vote), ERA_BEYOND_WINDOW);
    cr_expect_eq(restore(p, vote), ERA_ACCEPTED);
    cr_expect_eq(restore(p, given_approved(c, soft(60, "1.1.0"), "s1", "s1 s2")), ERA_ACCEPTED);
    cr_expect(offers(p, vote));
}

Test(ledger, R9_what_an_adoption_left_on_the_disk_stays_refused)
{
    cr_expect_eq(restore(p, certificate(soft(5, "1.1.0"))), ERA_ACCEPTED);
    cr_expect_eq(restore(p, given_ready(c, "alice", soft(5, "1.1.0"))), ERA_DOMINATED);
    cr_expect_eq(restore(p, given_approved(c, soft(4, "1.1.0"), "s1", "s1 s2")), ERA_DOMINATED);
}

/* ---- reading ---- */

Test(ledger, a_proposal_can_be_read_from_wherever_it_came)
{
    struct era_proposal *loose = soft(3, "1.1.0"), *carried = soft(4, "1.2.0"), *adopted = soft(1, "1.3.0");
    struct era_proposal *unknown = soft(5, "1.4.0"), *out = calloc(1, sizeof *out);
    struct era_hash id;

    take(p, given_proposed(c, "s1", loose));
    take(p, given_approved(c, carried, "s1", "s1 s2"));
    take(p, certificate(adopted));
    take(p, given_approve(c, "s1", unknown));
    id = given_id(c, loose);
    cr_expect(era_ledger_proposal(p->ledger, &id, out));
    cr_expect_str_eq(out->plan.entries[1].record.version, "1.1.0");
    id = given_id(c, carried);
    cr_expect(era_ledger_proposal(p->ledger, &id, out));
    cr_expect_str_eq(out->plan.entries[1].record.version, "1.2.0");
    id = given_id(c, adopted);
    cr_expect(era_ledger_proposal(p->ledger, &id, out));
    cr_expect_str_eq(out->plan.entries[1].record.version, "1.3.0");
    id = given_id(c, unknown);
    cr_expect_not(era_ledger_proposal(p->ledger, &id, out), "only a vote for it is held");
    free(out);
}

Test(ledger, a_prefix_finds_ids_once)
{
    struct era_proposal *one = soft(1, "1.1.0"), *two = soft(3, "1.1.0");
    struct era_hash found[4], id = given_id(c, one);
    char text[ERA_HASH_TEXT_BYTES];

    take(p, certificate(one));
    take(p, given_proposed(c, "s1", two));
    cr_expect_eq(era_ledger_prefix(p->ledger, "", found, 4), 2);
    era_hash_text(&id, text);
    text[8] = '\0';
    cr_expect_eq(era_ledger_prefix(p->ledger, text, found, 4), 1);
    cr_expect(era_hash_eq(&found[0], &id));
    cr_expect_eq(era_ledger_prefix(p->ledger, "zz", found, 4), 0);
}

static void count_item(void *ctx, const struct era_item *item)
{
    (void)item;
    ++*(size_t *)ctx;
}

Test(ledger, what_is_offered_is_what_the_changes_said)
{
    struct era_announcement running = given_running(c, 9, "1.0.0");
    size_t offered = 0, visited = 0;
    struct era_change ch;

    p->epoch = 9;
    take(p, given_ready(c, "alice", soft(1, "1.1.0")));
    take(p, given_ready(c, "alice", soft(1, "1.2.0")));
    take(p, given_ready(c, "bob", soft(3, "1.2.0")));
    take(p, given_announce(c, "carol", &running));
    take(p, certificate(soft(2, "1.1.0")));
    take(p, certificate(soft(2, "1.2.0")));
    while (era_ledger_take_change(p->ledger, &ch)) {
        offered += ch.kind == ERA_CHANGE_OFFER;
        offered -= ch.kind == ERA_CHANGE_WITHDRAW;
    }
    era_ledger_each_offered(p->ledger, count_item, &visited);
    cr_expect_eq(visited, offered);
    cr_expect_eq(visited, 4);
}

/* ---- room ---- */

Test(ledger, R6_an_adoption_makes_room_where_there_is_none)
{
    struct era_charter *small = given_charter("alice:10", "network k=1 signers=s1");
    struct peer *full = given_peer(small);
    uint64_t room = era_charter_capacity(small, ERA_ARTEFACTS_MAX), held = 0;
    struct era_proposal *at = given_proposal(small, "network", 1);
    enum era_verdict v = ERA_ACCEPTED;

    /* Only a majority of signers can move the window so far that the charter's capacity is exceeded: a
     * carrier a window, and what is loose between them. */
    for (uint64_t seq = 1; v == ERA_ACCEPTED && seq < 100000; seq++) {
        at->slot.seq = seq;
        v = take(full, seq % ERA_LEDGER_WINDOW_SEQS == 0 ? given_approved(small, at, "s1", "s1")
                                                         : given_ready(small, "alice", at));
        held += v == ERA_ACCEPTED;
    }
    cr_assert_eq(v, ERA_FULL);
    cr_expect_geq(held, room);
    cr_expect_eq(take(full, given_certificate(small, at, "s1", "s1", "alice", "")), ERA_ACCEPTED);
    cr_expect_eq(era_ledger_count(full->ledger), 1);
}
