/* The ledger in rare orders: what is late, said twice, lost by the store, or at its limit (R6, R8, R9, R12).
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/author.h"
#include "src/core/succession.h"
#include "tests/core/peer.h"

#define ALL "alice bob carol dave"

static struct era_charter *c, *next;
static struct peer *p;

/* Q is 27 of 40. */
static void begin(void)
{
    c = given_charter("alice:10 bob:10 carol:10 dave:10",
                      "network k=2 signers=s1,s2; rebuilt k=1 signers=s9 rebuild=1/2");
    next = given_next_charter(c, NULL, NULL, 20, 100);
    p = given_peer(c);
    p->epoch = 9;
}

TestSuite(ledger_paths, .init = begin, .fini = peers_free);

static struct era_proposal *soft(uint64_t seq, const char *version)
{
    return given_soft(given_proposal(c, "network", seq), 100, version);
}

static struct era_bytes certificate(const struct era_proposal *of)
{
    return given_certificate(c, of, "s1", "s1 s2", ALL, "");
}

static struct era_bytes ready(const char *who, uint64_t seq, const char *version)
{
    return given_ready(c, who, soft(seq, version));
}

/* ---- slots ---- */

Test(ledger_paths, R3_a_signer_that_rejects_with_two_reasons_counts_once)
{
    struct era_proposal *of = soft(1, "1.1.0");
    take(p, given_reject(c, "s1", of, "too early"));
    cr_expect_eq(take(p, given_reject(c, "s1", of, "and too large")), ERA_ACCEPTED);
    cr_expect_eq(candidate(p, of)->reject_count, 1);
    cr_expect_str_eq(candidate(p, of)->rejects[0].reason, "too early");
}

Test(ledger_paths, R12_the_head_stays_below_many_void_slots)
{
    take(p, certificate(soft(1, "1.1.0")));
    for (uint64_t seq = 2; seq <= 31; seq++) {
        cr_assert_eq(take(p, certificate(soft(seq, "1.2.0"))), ERA_ACCEPTED);
        cr_assert_eq(take(p, certificate(soft(seq, "1.3.0"))), ERA_ACCEPTED);
    }
    cr_expect_eq(head_seq(p, "network"), 1);
    cr_expect(offers(p, certificate(soft(1, "1.1.0"))));
    struct era_void voids[40];
    cr_expect_eq(era_ledger_voids(p->ledger, given_component_index(c, "network"), voids, 40), 30);
}

static size_t kept(uint64_t *lowest)
{
    const struct era_adopted *adopted;
    size_t n = era_ledger_adopted(p->ledger, given_component_index(c, "network"), &adopted);
    *lowest = n ? adopted[0].seq : 0;
    return n;
}

static void adopt_each(uint64_t from, uint64_t to, const char *version)
{
    for (uint64_t seq = from; seq <= to; seq++)
        cr_assert_eq(take(p, certificate(soft(seq, version))), ERA_ACCEPTED, "slot %d", (int)seq);
}

Test(ledger_paths, R12_there_are_so_many_void_slots_and_a_higher_slot_ends_the_fork_still)
{
    uint64_t lowest, forked = 0;
    adopt_each(1, 1, "1.1.0");
    for (uint64_t seq = 2; seq <= 32; seq++) {
        adopt_each(seq, seq, "1.2.0");
        adopt_each(seq, seq, "1.3.0");
    }
    cr_expect_eq(head_seq(p, "network"), 1);
    cr_expect(era_ledger_forked(p->ledger, given_component_index(c, "network"), &forked));
    cr_expect_eq(forked, 32);
    adopt_each(33, 33, "1.2.0");
    cr_expect_eq(take(p, certificate(soft(33, "1.3.0"))), ERA_FULL);
    cr_expect_eq(head_seq(p, "network"), 33);
    adopt_each(34, 35, "1.2.0");
    cr_expect_eq(head_seq(p, "network"), 35);
    cr_expect_leq(kept(&lowest), 64);
    cr_expect_eq(take(p, certificate(soft(35, "1.3.0"))), ERA_ACCEPTED, "there is room again");
    cr_expect_eq(head_seq(p, "network"), 34);
}

/* Two in flight at once: neither is adopted when the other is offered. */
Test(ledger_paths, R12_what_is_in_flight_counts_for_the_room_of_void_slots)
{
    struct era_item *flying;
    for (uint64_t seq = 1; seq <= 31; seq++) {
        adopt_each(seq, seq, "1.2.0");
        adopt_each(seq, seq, "1.3.0");
    }
    cr_assert_eq(offer(p, certificate(soft(32, "1.2.0")), &flying), ERA_ACCEPTED);
    cr_expect_eq(take(p, certificate(soft(32, "1.3.0"))), ERA_FULL);
    era_ledger_commit(p->ledger, flying);
    cr_expect_eq(head_seq(p, "network"), 32);
}

Test(ledger_paths, R12_a_head_that_falls_slot_by_slot_never_falls_into_what_was_forgotten)
{
    uint64_t seq = 200, lowest;
    adopt_each(1, 200, "1.1.0");
    while (take(p, certificate(soft(seq, "1.2.0"))) == ERA_ACCEPTED)
        cr_assert_eq(head_seq(p, "network"), --seq);
    cr_expect_eq(take(p, certificate(soft(seq, "1.2.0"))), ERA_FULL);
    cr_expect_gt(seq, 137, "the oldest that 64 certificates reach to");
    cr_expect_eq(head_seq(p, "network"), seq);
    cr_expect_leq(kept(&lowest), 64);
}

Test(ledger_paths, R12_a_void_slot_is_forgotten_whole)
{
    uint64_t lowest;
    adopt_each(1, 1, "1.1.0");
    adopt_each(1, 64, "1.2.0");
    cr_expect_eq(kept(&lowest), 63);
    cr_expect_eq(lowest, 2, "one alone would stand");
}

/* Its rivals first, then what they stand on: the disk gives them in no order. */
Test(ledger_paths, R12_a_start_keeps_the_head_in_whatever_order_it_reads)
{
    uint64_t lowest;
    for (uint64_t seq = 170; seq <= 199; seq++) {
        cr_assert_eq(restore(p, certificate(soft(seq, "1.2.0"))), ERA_ACCEPTED);
        cr_assert_eq(restore(p, certificate(soft(seq, "1.1.0"))), ERA_ACCEPTED);
    }
    for (uint64_t seq = 100; seq <= 169; seq++)
        cr_assert_eq(restore(p, certificate(soft(seq, "1.1.0"))), ERA_ACCEPTED);
    cr_expect_eq(head_seq(p, "network"), 169);
    cr_expect_eq(kept(&lowest), 64);
    cr_expect_eq(lowest, 166);
}

/* A slot of the next charter overtook it, so nothing of it is offered; when that one is void, it is the head
 * again. */
Test(ledger_paths, R10_the_head_of_a_charter_that_was_overtaken_is_not_forgotten)
{
    adopt_each(1, 1, "1.1.0");
    take(p, given_charter_certificate(next, "s1 s2", "s1 s2", ALL, ALL));
    struct peer *heir = given_heir(p, next);
    struct era_proposal *on = given_after(next, c, soft(1, "1.1.0"), 1);
    cr_assert_eq(take(heir, given_certificate(next, on, "s1", "s1 s2", ALL, "")), ERA_ACCEPTED);
    cr_expect_not(offers(p, certificate(soft(1, "1.1.0"))));
    for (uint64_t seq = 2; seq <= 40; seq++) {
        adopt_each(seq, seq, "1.2.0");
        take(p, certificate(soft(seq, "1.3.0")));
    }
    on = given_soft(given_copy(on), 200, "1.4.0");
    cr_assert_eq(take(heir, given_certificate(next, on, "s1", "s1 s2", ALL, "")), ERA_ACCEPTED);
    const struct era_adopted *head = era_ledger_head(heir->ledger, given_component_index(next, "network"));
    cr_assert_not_null(head);
    cr_expect_eq(head->charter_version, 0);
    cr_expect(head_seq(p, "network") > 0);
}

Test(ledger_paths, a_prefix_names_an_id_once_though_votes_put_it_in_two_slots)
{
    struct era_hash found[2], id = given_id(c, soft(1, "1.1.0"));
    struct era_statement *s = calloc(1, sizeof *s);
    s->kind = ERA_KIND_READINESS;
    s->u.vote = (struct era_vote){.slot = soft(2, "1.1.0")->slot, .proposal = id};
    take(p, ready("alice", 1, "1.1.0"));
    cr_assert_eq(take(p, given_signed(c, "bob", s)), ERA_ACCEPTED);
    cr_expect_eq(era_ledger_prefix(p->ledger, "", found, 2), 1);
    cr_expect(era_hash_eq(&found[0], &id));
    take(p, ready("alice", 3, "1.2.0"));
    take(p, certificate(soft(1, "1.1.0")));
    cr_expect_eq(era_ledger_prefix(p->ledger, "", found, 1), 3, "counted, though there is room for one");
    free(s);
}

/* ---- announcements and checkpoints ---- */

static struct era_bytes announced(const char *who, uint64_t epoch)
{
    struct era_announcement a = given_running(c, epoch, "1.0.0");
    return given_announce(c, who, &a);
}

Test(ledger_paths, M6_the_newest_announcement_is_found_whatever_came_last)
{
    int alice = given_validator_index(c, "alice");
    struct era_announcement a;
    take(p, announced("alice", 8));
    take(p, announced("alice", 7));
    cr_assert_not_null(era_ledger_announcement(p->ledger, alice, 9, &a));
    cr_expect_eq(a.epoch, 8);
    cr_assert_not_null(era_ledger_announcement(p->ledger, alice, 7, &a));
    cr_expect_eq(a.epoch, 7);
    cr_expect_null(era_ledger_announcement(p->ledger, alice, 6, &a));
    take(p, announced("bob", 7));
    take(p, announced("bob", 8));
    cr_assert_not_null(era_ledger_announcement(p->ledger, given_validator_index(c, "bob"), 9, &a));
    cr_expect_eq(a.epoch, 8);
}

static struct era_bytes checkpoint(const char *who, uint64_t at, uint8_t entry, const char *state)
{
    struct era_statement *s = calloc(1, sizeof *s);
    s->kind = ERA_KIND_CHECKPOINT;
    s->u.checkpoint = (struct era_checkpoint){.charter = c->hash, .entry = {{entry}}, .at = at};
    strcpy(s->u.checkpoint.component, "network");
    strcpy(s->u.checkpoint.digest, given_digest(state));
    struct era_bytes out = given_signed(c, who, s);
    free(s);
    return out;
}

static uint64_t checkpoint_stake(uint64_t at, uint8_t entry, const char *state)
{
    struct era_hash hash = {{entry}};
    return era_ledger_checkpoint_stake(p->ledger, given_component_index(c, "network"), at, &hash,
                                       given_digest(state));
}

Test(ledger_paths, P6_a_checkpoint_counts_for_its_epoch_entry_and_digest_once_it_is_durable)
{
    struct era_item *flying;
    take(p, checkpoint("alice", 5, 1, "x"));
    take(p, checkpoint("bob", 5, 1, "y"));
    take(p, checkpoint("carol", 5, 2, "x"));
    cr_expect_eq(checkpoint_stake(5, 1, "x"), 10);
    cr_expect_eq(checkpoint_stake(6, 1, "x"), 0);
    cr_assert_eq(offer(p, checkpoint("dave", 5, 1, "x"), &flying), ERA_ACCEPTED);
    cr_expect_eq(checkpoint_stake(5, 1, "x"), 10);
    era_ledger_commit(p->ledger, flying);
    cr_expect_eq(checkpoint_stake(5, 1, "x"), 20);
    take(p, checkpoint("bob", 5, 1, "x"));
    cr_expect_eq(checkpoint_stake(5, 1, "x"), 30, "a second word counts too (R8)");
    cr_expect_eq(checkpoint_stake(5, 1, "y"), 10);
}

/* ---- evidence ---- */

static struct era_envelope opened(struct era_bytes envelope)
{
    struct era_envelope e;
    cr_assert_eq(era_envelope_decode(envelope, &e), ERA_ACCEPTED);
    return e;
}

static bool ascends(struct era_bytes a, struct era_bytes b)
{
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
    return order ? order < 0 : a.len < b.len;
}

static struct era_bytes evidence(struct era_bytes a, struct era_bytes b)
{
    static uint8_t room[16][4096];
    static size_t at;
    struct era_envelope said[2] = {opened(a), opened(b)};
    size_t first = ascends(said[0].payload, said[1].payload) ? 0 : 1;
    struct era_evidence e = {.kind = said[0].kind,
                             .key = said[0].key,
                             .payloads = {said[first].payload, said[1 - first].payload},
                             .signatures = {said[first].signature, said[1 - first].signature}};
    uint8_t *bytes, *kept = room[at++ % 16];
    size_t len = era_author_evidence(&e, &bytes);
    cr_assert(len > 0 && len <= sizeof room[0]);
    memcpy(kept, bytes, len);
    free(bytes);
    return (struct era_bytes){kept, len};
}

static size_t listed(void)
{
    return era_ledger_evidence(p->ledger, NULL, 0);
}

/* Make and take what can be proven; returns how many. */
static size_t prove(void)
{
    uint8_t *bytes;
    size_t len, n = 0;
    while ((len = era_ledger_assemble_evidence(p->ledger, &bytes)) > 0) {
        cr_assert_eq(take(p, (struct era_bytes){bytes, len}), ERA_ACCEPTED);
        free(bytes);
        n++;
    }
    return n;
}

static struct era_bytes of_alice(void)
{
    return evidence(ready("alice", 1, "1.1.0"), ready("alice", 1, "1.2.0"));
}

Test(ledger_paths, N4_evidence_on_its_way_to_the_disk_is_not_listed)
{
    struct era_item *flying;
    cr_assert_eq(offer(p, of_alice(), &flying), ERA_ACCEPTED);
    cr_expect_eq(listed(), 0);
    era_ledger_commit(p->ledger, flying);
    cr_expect_eq(listed(), 1);
}

Test(ledger_paths, N4_evidence_that_came_and_was_lost_is_made_once_of_the_parts_held)
{
    struct era_item *flying;
    take(p, ready("alice", 1, "1.1.0"));
    take(p, ready("alice", 1, "1.2.0"));
    cr_assert_eq(offer(p, of_alice(), &flying), ERA_ACCEPTED);
    uint8_t *bytes;
    cr_expect_eq(era_ledger_assemble_evidence(p->ledger, &bytes), 0, "it is on its way");
    era_ledger_abandon(p->ledger, flying);
    cr_expect_eq(prove(), 1);

    take(p, ready("bob", 1, "1.1.0"));
    take(p, ready("bob", 1, "1.2.0"));
    cr_assert_eq(offer(p, evidence(ready("bob", 1, "1.1.0"), ready("bob", 1, "1.2.0")), &flying),
                 ERA_ACCEPTED);
    era_ledger_abandon(p->ledger, flying); /* before anybody asked what can be made */
    cr_expect_eq(prove(), 1);
    cr_expect_eq(listed(), 2);
}

Test(ledger_paths, N4_evidence_without_parts_that_was_lost_is_not_made)
{
    struct era_item *flying;
    cr_assert_eq(offer(p, of_alice(), &flying), ERA_ACCEPTED);
    era_ledger_abandon(p->ledger, flying);
    cr_expect_eq(prove(), 0);
    take(p, ready("bob", 1, "1.1.0"));
    cr_assert_eq(offer(p, evidence(ready("bob", 1, "1.1.0"), ready("bob", 1, "1.2.0")), &flying),
                 ERA_ACCEPTED);
    era_ledger_abandon(p->ledger, flying);
    cr_expect_eq(prove(), 0, "one part proves nothing");
}

Test(ledger_paths, R8_a_start_counts_two_loose_ones_beside_the_evidence_and_no_more)
{
    restore(p, of_alice());
    cr_expect_eq(restore(p, ready("alice", 1, "1.3.0")), ERA_ACCEPTED);
    cr_expect_eq(restore(p, ready("alice", 1, "1.4.0")), ERA_ACCEPTED);
    cr_expect_eq(restore(p, ready("alice", 1, "1.5.0")), ERA_CAPPED);
    cr_expect_eq(candidate(p, soft(1, "1.4.0"))->ready_stake, 10);
}

/* ---- evidence about the charter that follows (R10) ---- */

static struct era_charter *rival(void)
{
    static struct era_charter *one;
    return one = one ? one : given_rival_charter(next);
}

static struct era_bytes approved_twice(const char *who)
{
    return evidence(given_charter_approve(next, who), given_charter_approve(rival(), who));
}

static struct era_bytes closed_twice(const char *who)
{
    return evidence(given_close(next, who, NULL), given_close(rival(), who, NULL));
}

static const struct era_successor *successor(const struct era_charter *of)
{
    return era_ledger_successor(p->ledger, &of->hash);
}

static void adopt_next(void)
{
    cr_assert_eq(
        take(p, given_charter_certificate(next, "s1 s2", "s1 s2", "alice bob carol", "alice bob carol")),
        ERA_ACCEPTED);
}

Test(ledger_paths, R8_approvals_and_closes_in_evidence_count_for_each_charter_that_is_known)
{
    take(p, given_charter_statement(next, "s1"));
    cr_assert_eq(take(p, approved_twice("s1")), ERA_ACCEPTED);
    cr_assert_eq(take(p, closed_twice("alice")), ERA_ACCEPTED);
    cr_expect_eq(successor(next)->old_approved_by, 1u << given_signer_index(c, "network", "s1"));
    cr_expect_eq(successor(next)->new_approved_by, 1u << given_signer_index(next, "network", "s1"));
    cr_expect_eq(successor(next)->close_stake, 10);
    cr_expect_null(successor(rival()), "nobody knows what it is");
}

Test(ledger_paths, R10_a_close_in_evidence_that_names_what_is_not_carried_counts_nowhere)
{
    struct era_close *words = given_named(given_closing(next), "network", 101, given_id(c, soft(1, "1.1.0")));
    take(p, given_charter_statement(next, "s1"));
    cr_assert_eq(take(p, evidence(given_close(next, "alice", words), given_close(rival(), "alice", NULL))),
                 ERA_ACCEPTED, "the signatures stand");
    cr_expect_eq(successor(next)->close_stake, 0);
}

Test(ledger_paths, R10_evidence_by_a_signer_of_one_charter_counts_not_for_another)
{
    struct era_charter *with =
        given_next_charter(c, NULL, "network k=2 signers=s2,s3; rebuilt k=1 signers=s9", 20, 100);
    take(p, given_charter_statement(next, "s1"));
    take(p, given_charter_statement(with, "s1"));
    cr_assert_eq(take(p, evidence(given_charter_approve(next, "s3"), given_charter_approve(with, "s3"))),
                 ERA_ACCEPTED);
    cr_expect_eq(successor(with)->new_approved_by, 1u << given_signer_index(with, "network", "s3"));
    cr_expect_eq(successor(next)->new_approved_by, 0);
}

Test(ledger_paths, R10_once_a_charter_follows_evidence_of_approvals_is_history_and_of_closes_stays)
{
    take(p, approved_twice("s1"));
    take(p, closed_twice("alice"));
    adopt_next();
    cr_expect(holds(p, approved_twice("s1")) && !offers(p, approved_twice("s1")));
    cr_expect(offers(p, closed_twice("alice")));
    cr_expect_eq(take(p, approved_twice("s2")), ERA_DOMINATED);
    cr_expect_eq(take(p, closed_twice("bob")), ERA_ACCEPTED);
}

Test(ledger_paths, R10_a_retired_charter_takes_evidence_of_closes_only)
{
    adopt_next();
    era_ledger_retire(p->ledger, 30);
    cr_expect_eq(take(p, of_alice()), ERA_DOMINATED);
    cr_expect_eq(take(p, approved_twice("s1")), ERA_DOMINATED);
    cr_expect_eq(take(p, closed_twice("alice")), ERA_ACCEPTED);
}

/* Words of which one begins like the whole other: the shorter is the lesser. */
Test(ledger_paths, R8_evidence_orders_a_word_before_one_that_goes_on)
{
    struct era_close *named = given_named(given_closing(next), "network", 1, given_id(c, soft(1, "1.1.0")));
    struct era_bytes plain = given_close(next, "bob", NULL), more = given_close(next, "bob", named);
    struct era_bytes x = opened(plain).payload, y = opened(more).payload;
    cr_expect(x.len < y.len && memcmp(x.data, y.data, x.len) == 0);
    take(p, given_charter_statement(next, "s1"));
    take(p, more);
    take(p, plain);
    cr_expect_eq(prove(), 1);
    cr_expect(offers(p, evidence(plain, more)));
}

/* ---- the charter that follows ---- */

Test(ledger_paths, R8_a_close_counts_once_loose_and_carried)
{
    take(p, given_charter_statement(next, "s1"));
    take(p, given_close(next, "alice", NULL));
    adopt_next();
    cr_expect_eq(successor(next)->close_count, 3);
    cr_expect_eq(successor(next)->close_stake, 30);
}

Test(ledger_paths, R1_a_charter_in_flight_twice_is_forgotten_with_the_last)
{
    struct era_item *one, *two, *other;
    cr_assert_eq(offer(p, given_charter_statement(next, "s1"), &one), ERA_ACCEPTED);
    cr_assert_eq(offer(p, given_charter_statement(rival(), "s1"), &other), ERA_ACCEPTED);
    cr_assert_eq(offer(p, given_charter_statement(next, "s2"), &two), ERA_ACCEPTED);
    era_ledger_abandon(p->ledger, one);
    cr_expect_not_null(successor(next));
    era_ledger_abandon(p->ledger, two);
    cr_expect_null(successor(next));
    cr_expect_not_null(successor(rival()));
    era_ledger_commit(p->ledger, other);
    cr_expect_not_null(successor(rival())->charter);
}

Test(ledger_paths, R10_a_charter_has_as_many_accepts_as_validators)
{
    struct era_charter *many =
        given_next_charter(c, "a:1 b:1 c:1 d:1 e:1 f:1 g:1 h:1 i:1 j:1", NULL, 20, 100);
    take(p, given_charter_statement(many, "s1"));
    for (const char *who = "a\0b\0c\0d\0e\0f\0g\0h\0i\0j\0"; *who; who += 2)
        cr_assert_eq(take(p, given_accept(many, who)), ERA_ACCEPTED);
    cr_expect_eq(successor(many)->accept_count, 10);
    cr_expect_eq(successor(many)->accept_stake, 10);
}

/* ---- one artefact, one stake ---- */

Test(ledger_paths, N5_two_builders_of_one_validator_count_once)
{
    struct era_proposal *b =
        given_artefacts(given_breaking(given_proposal(c, "rebuilt", 1), 100, "2.0.0"), "linux");
    const char *digest = b->plan.entries[1].record.artefacts[0].digest;
    struct era_statement *s = calloc(1, sizeof *s);
    struct era_envelope e = opened(given_attest(c, "alice", b, "linux", digest));
    cr_assert_eq(era_statement_decode(ERA_KIND_ATTESTATION, e.payload, s), ERA_ACCEPTED);
    strcpy(s->u.attestation.builder, "another machine");
    take(p, given_proposed(c, "s9", b));
    take(p, given_attest(c, "alice", b, "linux", digest));
    cr_assert_eq(take(p, given_signed(c, "alice", s)), ERA_ACCEPTED);
    cr_expect_eq(candidate(p, b)->attested_count, 2);
    cr_expect_eq(era_match_least(&candidate(p, b)->matches), 10);
    free(s);
}

/* Two artefacts attested by each: the certificate lists what one validator says in one order for all. */
Test(ledger_paths, R6_a_certificate_orders_what_one_validator_attests)
{
    struct era_proposal *b =
        given_artefacts(given_breaking(given_proposal(c, "rebuilt", 1), 100, "2.0.0"), "linux mac");
    take(p, given_proposed(c, "s9", b));
    take(p, given_approve(c, "s9", b));
    for (int twice = 0; twice < 2; twice++)
        for (const char *const *who = (const char *const[]){"alice", "bob", NULL}; *who; who++) {
            const struct era_artefact *a = &b->plan.entries[1].record.artefacts[twice ? 0 : 1];
            cr_assert_eq(take(p, given_attest(c, *who, b, a->name, a->digest)), ERA_ACCEPTED);
        }
    for (const char *const *who = (const char *const[]){"alice", "bob", "carol", NULL}; *who; who++)
        take(p, given_ready(c, *who, b));
    cr_expect_gt(assemble(p), 0);
    cr_expect_eq(head_seq(p, "rebuilt"), 1);
}
