/* Evidence: who is named by it, what counts by it, and what is then still exchanged (N4, R6, R8, I9). */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/author.h"
#include "src/core/charter.h"
#include "src/core/view.h"
#include "tests/core/peer.h"

static struct era_charter *c;
static struct peer *p;

static void begin(void)
{
    c = given_charter("alice:10 bob:10 carol:10 dave:10",
                      "network k=2 signers=s1,s2,s3; oracle k=1 signers=s1");
    p = given_peer(c);
    p->epoch = 9;
}

TestSuite(evidence, .init = begin, .fini = peers_free);

/* ---- builders ---- */

static struct era_proposal *plan(uint64_t seq, const char *version)
{
    return given_soft(given_proposal(c, "network", seq), 20, version);
}

static struct era_bytes ready(const char *who, uint64_t seq, const char *version)
{
    return given_ready(c, who, plan(seq, version));
}

static struct era_bytes announced(const char *who, uint64_t epoch, const char *software)
{
    struct era_announcement a = given_running(c, epoch, software);
    return given_announce(c, who, &a);
}

static struct era_bytes checkpoint(const char *who, const char *component, uint64_t at, const char *state)
{
    struct era_statement *s = calloc(1, sizeof *s);
    s->kind = ERA_KIND_CHECKPOINT;
    s->u.checkpoint.charter_version = c->version;
    s->u.checkpoint.charter = c->hash;
    era_text_set(s->u.checkpoint.component, sizeof s->u.checkpoint.component, component);
    s->u.checkpoint.at = at;
    era_text_set(s->u.checkpoint.digest, sizeof s->u.checkpoint.digest, given_digest(state));
    struct era_bytes out = given_signed(c, who, s);
    free(s);
    return out;
}

/* A close or an approval of a next charter that nobody knows. */
static struct era_bytes about_charter(enum era_kind kind, const char *who, uint64_t version, uint8_t which)
{
    struct era_statement *s = calloc(1, sizeof *s);
    s->kind = kind;
    if (kind == ERA_KIND_CLOSE)
        s->u.close = (struct era_close){.version = version, .charter = {{which}}};
    else
        s->u.charter_vote = (struct era_charter_vote){.version = version, .charter = {{which}}};
    struct era_bytes out = given_signed(c, who, s);
    free(s);
    return out;
}

static struct era_bytes sealed(const struct era_evidence *e)
{
    uint8_t *bytes;
    size_t len = era_author_evidence(e, &bytes);
    struct era_bytes kept = given_flipped((struct era_bytes){bytes, len}, 1); /* a copy that lives on */
    kept = given_flipped(kept, 1);
    cr_assert(len == kept.len && memcmp(bytes, kept.data, len) == 0);
    free(bytes);
    return kept;
}

static bool ascends(struct era_bytes a, struct era_bytes b)
{
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
    return order ? order < 0 : a.len < b.len;
}

static struct era_evidence pair(struct era_bytes a, struct era_bytes b)
{
    struct era_envelope x, y, swap;
    cr_assert_eq(era_envelope_decode(a, &x), ERA_ACCEPTED);
    cr_assert_eq(era_envelope_decode(b, &y), ERA_ACCEPTED);
    if (!ascends(x.payload, y.payload)) {
        swap = x;
        x = y;
        y = swap;
    }
    return (struct era_evidence){.kind = x.kind,
                                 .key = x.key,
                                 .payloads = {x.payload, y.payload},
                                 .signatures = {x.signature, y.signature}};
}

static struct era_bytes evidence(struct era_bytes a, struct era_bytes b)
{
    struct era_evidence e = pair(a, b);
    return sealed(&e);
}

/* Of alice's two readinesses in slot 1. */
static struct era_bytes of_alice(void)
{
    return evidence(ready("alice", 1, "1.1.0"), ready("alice", 1, "1.2.0"));
}

static uint64_t ready_stake(struct peer *peer, const char *version)
{
    struct era_candidate *k = candidate(peer, plan(1, version));
    return k ? k->ready_stake : 0;
}

/* Make and take what can be proven; returns how many. */
static size_t prove(struct peer *peer)
{
    uint8_t *bytes;
    size_t len, n = 0;
    while ((len = era_ledger_assemble_evidence(peer->ledger, &bytes)) > 0) {
        cr_assert_eq(take(peer, (struct era_bytes){bytes, len}), ERA_ACCEPTED);
        free(bytes);
        n++;
    }
    return n;
}

/* ---- what is evidence ---- */

Test(evidence, R8_two_ids_by_one_key_in_one_place_are_evidence)
{
    cr_expect_eq(verdict_on(p, evidence(given_approve(c, "s1", plan(1, "1.1.0")),
                                        given_approve(c, "s1", plan(1, "1.2.0")))),
                 ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, of_alice()), ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, evidence(announced("bob", 5, "1.0.0"), announced("bob", 5, "2.0.0"))),
                 ERA_ACCEPTED);
    cr_expect_eq(
        verdict_on(p, evidence(checkpoint("bob", "oracle", 5, "x"), checkpoint("bob", "oracle", 5, "y"))),
        ERA_ACCEPTED);
    cr_expect_eq(verdict_on(p, evidence(about_charter(ERA_KIND_CLOSE, "bob", 1, 1),
                                        about_charter(ERA_KIND_CLOSE, "bob", 1, 2))),
                 ERA_ACCEPTED, "the charters need not be known: the signatures stand");
    cr_expect_eq(verdict_on(p, evidence(about_charter(ERA_KIND_CHARTER_APPROVE, "s1", 1, 1),
                                        about_charter(ERA_KIND_CHARTER_APPROVE, "s1", 1, 2))),
                 ERA_ACCEPTED);
}

/* Its place has the version of a charter: which charter of that version, and whose key, a copy only claims.
 */
Test(evidence, R8_a_copy_that_nobody_signed_keeps_out_no_true_one)
{
    const struct era_verified *s;
    struct era_hash item;
    struct era_bytes of[] = {
        evidence(checkpoint("bob", "oracle", 5, "x"), checkpoint("bob", "oracle", 5, "y")),
        evidence(about_charter(ERA_KIND_CHARTER_APPROVE, "x", 1, 1),
                 about_charter(ERA_KIND_CHARTER_APPROVE, "x", 1, 2)),
        evidence(about_charter(ERA_KIND_CHARTER_APPROVE, "x", 2, 1),
                 about_charter(ERA_KIND_CHARTER_APPROVE, "x", 2, 2))};
    struct era_charter *other = given_charter("bob:10", "network k=1 signers=s1; oracle k=1 signers=s2");
    struct peer *q = given_peer(other);
    cr_expect_eq(era_verify(q->verifier, of[0], &s, &item, NULL), ERA_UNKNOWN_CHARTER);
    cr_expect(era_hash_eq(&item, &(struct era_hash){{0}}), "checkpoints under another charter");
    cr_expect_eq(era_verify(p->verifier, of[1], &s, &item, NULL), ERA_UNKNOWN_CHARTER);
    cr_expect(era_hash_eq(&item, &(struct era_hash){{0}}), "who signs in a charter that is not known");
    cr_expect_eq(era_verify(p->verifier, of[2], &s, &item, NULL), ERA_UNKNOWN_CHARTER);
    cr_expect(!era_hash_eq(&item, &(struct era_hash){{0}}), "of that version no copy can be taken");
}

/* I9: honest keys say these all the time. */
Test(evidence, I9_two_ids_in_two_places_are_none)
{
    struct era_proposal *oracle = given_soft(given_proposal(c, "oracle", 1), 20, "1.1.0");

    cr_expect_eq(verdict_on(p, evidence(ready("alice", 1, "1.1.0"), ready("alice", 2, "1.1.0"))),
                 ERA_BAD_VALUE);
    cr_expect_eq(verdict_on(p, evidence(ready("alice", 1, "1.1.0"), given_ready(c, "alice", oracle))),
                 ERA_BAD_VALUE);
    cr_expect_eq(verdict_on(p, evidence(announced("bob", 5, "1.0.0"), announced("bob", 6, "1.0.0"))),
                 ERA_BAD_VALUE);
    cr_expect_eq(
        verdict_on(p, evidence(checkpoint("bob", "oracle", 5, "x"), checkpoint("bob", "oracle", 6, "y"))),
        ERA_BAD_VALUE);
    cr_expect_eq(
        verdict_on(p, evidence(checkpoint("bob", "oracle", 5, "x"), checkpoint("bob", "network", 5, "x"))),
        ERA_BAD_VALUE);
    cr_expect_eq(verdict_on(p, evidence(about_charter(ERA_KIND_CLOSE, "bob", 1, 1),
                                        about_charter(ERA_KIND_CLOSE, "bob", 2, 1))),
                 ERA_BAD_VALUE);
}

Test(evidence, I9_what_may_be_said_twice_in_good_faith_is_none)
{
    struct era_proposal *one = plan(1, "1.1.0"), *two = plan(1, "1.2.0");

    cr_expect_eq(verdict_on(p, evidence(given_proposed(c, "s1", one), given_proposed(c, "s1", two))),
                 ERA_BAD_VALUE);
    cr_expect_eq(verdict_on(p, evidence(given_reject(c, "s1", one, "no"), given_reject(c, "s1", two, "no"))),
                 ERA_BAD_VALUE);
    cr_expect_eq(verdict_on(p, evidence(given_attest(c, "bob", one, "linux", given_digest("1")),
                                        given_attest(c, "bob", one, "linux", given_digest("2")))),
                 ERA_BAD_VALUE);
    cr_expect_eq(verdict_on(p, evidence(about_charter(ERA_KIND_ACCEPT, "bob", 1, 1),
                                        about_charter(ERA_KIND_ACCEPT, "bob", 1, 2))),
                 ERA_BAD_VALUE, "an accept binds nobody");
}

Test(evidence, I9_nobody_is_named_whose_signatures_are_not_there)
{
    struct era_evidence e = pair(ready("alice", 1, "1.1.0"), ready("alice", 1, "1.2.0"));
    struct era_evidence bob = pair(ready("bob", 1, "1.1.0"), ready("bob", 1, "1.2.0"));

    for (size_t i = 0; i < 2; i++) {
        struct era_evidence forged = e;
        forged.signatures[i] = bob.signatures[i];
        cr_expect_eq(verdict_on(p, sealed(&forged)), ERA_BAD_SIGNATURE, "signature %zu", i);
    }
    e.key = bob.key;
    cr_expect_eq(verdict_on(p, sealed(&e)), ERA_BAD_SIGNATURE);
}

Test(evidence, R8_the_key_must_count_in_that_place)
{
    cr_expect_eq(verdict_on(p, evidence(ready("s1", 1, "1.1.0"), ready("s1", 1, "1.2.0"))), ERA_UNKNOWN_KEY);
    cr_expect_eq(verdict_on(p, evidence(about_charter(ERA_KIND_CLOSE, "s1", 1, 1),
                                        about_charter(ERA_KIND_CLOSE, "s1", 1, 2))),
                 ERA_UNKNOWN_KEY);
    cr_expect_eq(verdict_on(p, evidence(about_charter(ERA_KIND_CLOSE, "bob", 2, 1),
                                        about_charter(ERA_KIND_CLOSE, "bob", 2, 2))),
                 ERA_UNKNOWN_CHARTER, "not the next version");
    cr_expect_eq(verdict_on(p, evidence(about_charter(ERA_KIND_CHARTER_APPROVE, "mallory", 1, 1),
                                        about_charter(ERA_KIND_CHARTER_APPROVE, "mallory", 1, 2))),
                 ERA_UNKNOWN_CHARTER, "a charter that names it may come");
}

Test(evidence, R8_its_name_is_its_place)
{
    const struct era_verified *s;
    struct era_hash item, named, place;
    struct era_evidence e = pair(ready("alice", 1, "1.1.0"), ready("alice", 1, "1.2.0"));

    cr_assert_eq(era_verify(p->verifier, sealed(&e), &s, &item, NULL), ERA_ACCEPTED);
    place = era_evidence_place(&e.key, ERA_KIND_READINESS, "network", 0, 1);
    cr_expect(era_hash_eq(&s->id, &place));
    cr_assert(reads_name(p, sealed(&e), &named));
    cr_expect(era_hash_eq(&named, &item));
    struct era_bytes other = evidence(ready("alice", 1, "1.1.0"), ready("alice", 1, "1.3.0"));
    cr_assert(reads_name(p, other, &named));
    cr_expect(era_hash_eq(&named, &item), "another pair, the same place");
}

/* ---- in the ledger ---- */

Test(evidence, N4_who_holds_both_parts_makes_it_once)
{
    struct era_bytes a = ready("alice", 1, "1.1.0"), b = ready("alice", 1, "1.2.0");

    take(p, a);
    cr_expect_eq(prove(p), 0);
    take(p, b);
    changes(p);
    cr_expect_eq(prove(p), 1);
    cr_expect_str_eq(changes(p), "offer evidence", "told of before");
    cr_expect(offers(p, of_alice()));
    cr_expect_not(offers(p, a) || offers(p, b));
    cr_expect_eq(prove(p), 0);
}

Test(evidence, N4_whoever_makes_it_it_is_the_same)
{
    struct peer *q = given_peer(c);

    take(p, ready("alice", 1, "1.1.0"));
    take(p, ready("alice", 1, "1.2.0"));
    take(q, ready("alice", 1, "1.2.0"));
    take(q, ready("alice", 1, "1.1.0"));
    prove(p);
    prove(q);
    const struct era_item *x, *y;
    cr_assert_eq(era_ledger_evidence(p->ledger, &x, 1), 1);
    cr_assert_eq(era_ledger_evidence(q->ledger, &y, 1), 1);
    struct era_bytes a = body_of(p, x), b = body_of(q, y);
    cr_assert_eq(a.len, b.len);
    cr_expect_arr_eq(a.data, b.data, a.len);
}

Test(evidence, R8_both_statements_count_though_neither_came_loose)
{
    cr_assert_eq(take(p, of_alice()), ERA_ACCEPTED);
    cr_expect_str_eq(changes(p), "equivocation readiness, offer evidence");
    cr_expect_eq(ready_stake(p, "1.1.0"), 10);
    cr_expect_eq(ready_stake(p, "1.2.0"), 10);
    take(p, evidence(given_approve(c, "s1", plan(1, "1.1.0")), given_approve(c, "s1", plan(1, "1.2.0"))));
    cr_expect_eq(__builtin_popcountll(candidate(p, plan(1, "1.1.0"))->approved_by), 1);
    cr_expect_eq(__builtin_popcountll(candidate(p, plan(1, "1.2.0"))->approved_by), 1);
    take(p, evidence(announced("bob", 9, "1.0.0"), announced("bob", 9, "2.0.0")));
    cr_expect_eq(era_ledger_fresh_stake(p->ledger, 8), 10);
}

Test(evidence, R8_evidence_never_subtracts)
{
    take(p, ready("bob", 1, "1.1.0"));
    take(p, ready("alice", 1, "1.1.0"));
    take(p, ready("alice", 1, "1.3.0"));
    cr_assert_eq(take(p, of_alice()), ERA_ACCEPTED, "another pair than the one held");
    cr_expect_eq(ready_stake(p, "1.1.0"), 20);
    cr_expect_eq(ready_stake(p, "1.2.0"), 10);
    cr_expect_eq(ready_stake(p, "1.3.0"), 10);
}

Test(evidence, R8_a_key_counts_once_for_each_of_the_two)
{
    take(p, of_alice());
    cr_expect_eq(take(p, ready("alice", 1, "1.1.0")), ERA_DUPLICATE);
    cr_expect_eq(ready_stake(p, "1.1.0"), 10);
}

Test(evidence, R6_the_loose_ones_leave_reconciliation_and_no_more_are_taken)
{
    struct era_bytes third = ready("alice", 1, "1.3.0");

    take(p, third);
    cr_assert(offers(p, third));
    changes(p);
    take(p, of_alice());
    cr_expect_str_eq(changes(p), "withdraw readiness, equivocation readiness, offer evidence");
    cr_expect(holds(p, third) && !offers(p, third));
    cr_expect_eq(take(p, ready("alice", 1, "1.4.0")), ERA_CAPPED);
    cr_expect_eq(take(p, ready("alice", 2, "1.4.0")), ERA_ACCEPTED, "another place");
    cr_expect_eq(take(p, ready("bob", 1, "1.4.0")), ERA_ACCEPTED, "another key");
}

Test(evidence, R8_the_first_of_a_place_is_kept)
{
    take(p, of_alice());
    cr_expect_eq(take(p, evidence(ready("alice", 1, "1.1.0"), ready("alice", 1, "1.3.0"))), ERA_DUPLICATE);
    cr_expect_eq(ready_stake(p, "1.3.0"), 0);
}

Test(evidence, N4_a_loose_one_on_its_way_to_the_disk_is_not_told_of_again)
{
    struct era_item *flying;

    cr_assert_eq(offer(p, ready("alice", 1, "1.1.0"), &flying), ERA_ACCEPTED);
    take(p, of_alice());
    changes(p);
    era_ledger_commit(p->ledger, flying);
    cr_expect_str_eq(changes(p), "");
    cr_expect_not(offers(p, ready("alice", 1, "1.1.0")));
    cr_expect_eq(ready_stake(p, "1.1.0"), 10);
}

Test(evidence, N4_what_the_store_lost_is_made_again)
{
    uint8_t *bytes;
    struct era_item *flying;
    take(p, ready("alice", 1, "1.1.0"));
    take(p, ready("alice", 1, "1.2.0"));
    size_t len = era_ledger_assemble_evidence(p->ledger, &bytes);
    cr_assert_eq(offer(p, (struct era_bytes){bytes, len}, &flying), ERA_ACCEPTED);
    era_ledger_abandon(p->ledger, flying);
    free(bytes);
    cr_expect_not(holds(p, of_alice()));
    cr_expect_eq(prove(p), 1);
}

static size_t announced_by_bob(struct peer *peer, uint64_t epoch)
{
    const struct era_item *said[ERA_SAID_MAX];
    struct era_key bob = given_key("bob").key;
    return era_ledger_announced(peer->ledger, era_charter_validator_index(c, &bob), epoch, said);
}

/* One that was on its way to the disk when its evidence came counts then, though its batch is lost. */
Test(evidence, R8_what_it_proves_counts_though_the_loose_copy_is_lost)
{
    struct era_item *flying[4];
    struct era_bytes of_bob = evidence(announced("bob", 9, "1.0.0"), announced("bob", 9, "2.0.0"));

    cr_assert_eq(offer(p, ready("alice", 1, "1.1.0"), &flying[0]), ERA_ACCEPTED);
    cr_assert_eq(offer(p, ready("alice", 1, "1.2.0"), &flying[1]), ERA_ACCEPTED);
    cr_assert_eq(offer(p, announced("bob", 9, "1.0.0"), &flying[2]), ERA_ACCEPTED);
    cr_assert_eq(offer(p, announced("bob", 9, "2.0.0"), &flying[3]), ERA_ACCEPTED);
    take(p, of_alice());
    take(p, of_bob);
    cr_assert_eq(ready_stake(p, "1.1.0"), 0);
    changes(p);
    for (size_t i = 0; i < 4; i++)
        era_ledger_abandon(p->ledger, flying[i]);
    cr_expect_str_eq(changes(p), "", "there is no record to delete");
    cr_expect(offers(p, of_alice()) && offers(p, of_bob));
    cr_expect_eq(ready_stake(p, "1.1.0"), 10);
    cr_expect_eq(ready_stake(p, "1.2.0"), 10);
    cr_expect_eq(announced_by_bob(p, 9), 2);
}

Test(evidence, R8_a_third_that_it_does_not_prove_is_forgotten_with_its_batch)
{
    struct era_item *third;

    cr_assert_eq(offer(p, ready("alice", 1, "1.3.0"), &third), ERA_ACCEPTED);
    take(p, of_alice());
    era_ledger_abandon(p->ledger, third);
    cr_expect_not(holds(p, ready("alice", 1, "1.3.0")));
    cr_expect_eq(ready_stake(p, "1.3.0"), 0);
    cr_expect(offers(p, of_alice()));
}

/* ---- where it is taken, and how long ---- */

static struct era_bytes adopted(uint64_t seq)
{
    return given_certificate(c, plan(seq, "1.1.0"), "s1", "s1 s2", "alice bob carol", "");
}

Test(evidence, R9_a_slot_takes_it_above_the_floor_and_inside_the_window)
{
    take(p, adopted(3));
    cr_expect_eq(take(p, evidence(ready("dave", 3, "1.1.0"), ready("dave", 3, "1.2.0"))), ERA_DOMINATED);
    cr_expect_eq(take(p, evidence(ready("dave", 4, "1.1.0"), ready("dave", 4, "1.2.0"))), ERA_ACCEPTED);
    cr_expect_eq(take(p, evidence(ready("dave", 68, "1.1.0"), ready("dave", 68, "1.2.0"))),
                 ERA_BEYOND_WINDOW);
}

Test(evidence, R16_announcements_take_it_for_the_two_highest_epochs)
{
    cr_expect_eq(take(p, evidence(announced("bob", 11, "1.0.0"), announced("bob", 11, "2.0.0"))),
                 ERA_WRONG_EPOCH);
    take(p, evidence(announced("bob", 7, "1.0.0"), announced("bob", 7, "2.0.0")));
    take(p, announced("bob", 8, "1.0.0"));
    cr_expect(offers(p, evidence(announced("bob", 7, "1.0.0"), announced("bob", 7, "2.0.0"))));
    changes(p);
    take(p, announced("bob", 9, "1.0.0"));
    cr_expect_str_eq(changes(p), "offer announcement, withdraw evidence",
                     "what it named has no record to delete");
    cr_expect_eq(take(p, evidence(announced("bob", 6, "1.0.0"), announced("bob", 6, "2.0.0"))),
                 ERA_DOMINATED);
}

Test(evidence, R9_what_is_dominated_is_kept_for_people)
{
    const struct era_item *list[2];

    take(p, of_alice());
    take(p, adopted(1));
    cr_expect(holds(p, of_alice()) && !offers(p, of_alice()));
    cr_assert_eq(era_ledger_evidence(p->ledger, list, 2), 1);
    cr_expect_eq(list[0]->kind, ERA_KIND_EVIDENCE);
    cr_expect_eq(list[0]->seq, 1);

    struct peer *q = given_peer(c); /* a start: the records in any order */
    cr_assert_eq(restore(q, adopted(1)), ERA_ACCEPTED);
    changes(q);
    cr_assert_eq(restore(q, of_alice()), ERA_ACCEPTED);
    cr_expect_str_eq(changes(q), "", "neither told of again nor offered");
    cr_expect_eq(era_ledger_evidence(q->ledger, list, 2), 1);
}

Test(evidence, R9_of_what_is_dominated_so_many_are_kept)
{
    size_t deleted = 0;
    for (uint64_t epoch = 1; epoch <= ERA_EVIDENCE_KEPT_MAX + 10; epoch++) {
        p->epoch = epoch;
        cr_assert_eq(take(p, evidence(announced("bob", epoch, "1.0.0"), announced("bob", epoch, "2.0.0"))),
                     ERA_ACCEPTED);
        deleted += strstr(changes(p), "delete evidence") != NULL;
    }
    cr_expect_eq(era_ledger_evidence(p->ledger, NULL, 0), 256 + 2, "two epochs are offered");
    cr_expect_eq(deleted, 8);
    cr_expect(holds(p, evidence(announced("bob", 9, "1.0.0"), announced("bob", 9, "2.0.0"))));
    cr_expect_not(holds(p, evidence(announced("bob", 8, "1.0.0"), announced("bob", 8, "2.0.0"))));
}

Test(evidence, R9_what_a_slot_loses_while_it_flies_is_kept_for_people_too)
{
    struct era_item *flying;

    cr_assert_eq(offer(p, of_alice(), &flying), ERA_ACCEPTED);
    take(p, adopted(1));
    changes(p);
    era_ledger_commit(p->ledger, flying);
    cr_expect_str_eq(changes(p), "");
    cr_expect(holds(p, of_alice()) && !offers(p, of_alice()));
}

/* What is known from evidence alone has no record of its own: a start finds it there again. */
Test(evidence, I12_a_start_counts_what_was_counted)
{
    take(p, ready("alice", 1, "1.3.0"));
    take(p, of_alice());
    for (int order = 0; order < 2; order++) {
        struct peer *q = given_peer(c);
        restore(q, order ? of_alice() : ready("alice", 1, "1.3.0"));
        restore(q, order ? ready("alice", 1, "1.3.0") : of_alice());
        cr_expect_eq(ready_stake(q, "1.1.0"), 10);
        cr_expect_eq(ready_stake(q, "1.2.0"), 10);
        cr_expect_eq(ready_stake(q, "1.3.0"), 10);
        cr_expect_eq(era_ledger_count(q->ledger), era_ledger_count(p->ledger));
    }
}

Test(evidence, R10_of_closes_it_stays_of_approvals_it_goes_with_the_vote)
{
    struct era_bytes close =
        evidence(about_charter(ERA_KIND_CLOSE, "bob", 1, 1), about_charter(ERA_KIND_CLOSE, "bob", 1, 2));
    struct era_bytes approve = evidence(about_charter(ERA_KIND_CHARTER_APPROVE, "s1", 1, 1),
                                        about_charter(ERA_KIND_CHARTER_APPROVE, "s1", 1, 2));

    cr_assert_eq(take(p, close), ERA_ACCEPTED);
    cr_assert_eq(take(p, approve), ERA_ACCEPTED);
    cr_expect_str_eq(changes(p),
                     "equivocation close, offer evidence, equivocation charter-approve, offer evidence");
    cr_expect_eq(take(p, about_charter(ERA_KIND_CLOSE, "bob", 1, 3)), ERA_UNKNOWN_CHARTER);
    cr_expect(offers(p, close) && offers(p, approve));
}

/* ---- the property ---- */

struct offered {
    const struct era_ledger *from;
    struct era_hash items[64];
    struct era_bytes envelopes[64];
    size_t count;
};

static void collect(void *ctx, const struct era_item *item)
{
    struct offered *o = ctx;
    cr_assert_lt(o->count, 64);
    o->items[o->count] = item->item;
    struct era_bytes body;
    cr_assert(era_ledger_body(o->from, item, &body));
    o->envelopes[o->count++] = body;
}

static bool pull(struct peer *to, const struct peer *from)
{
    struct offered *o = calloc(1, sizeof *o);
    bool any = false;
    o->from = from->ledger;
    era_ledger_each_offered(o->from, collect, o);
    for (size_t i = 0; i < o->count; i++)
        if (!era_ledger_find(to->ledger, &o->items[i]))
            any |= take(to, o->envelopes[i]) == ERA_ACCEPTED;
    free(o);
    return prove(to) + assemble(to) > 0 || any;
}

static void gossip(struct peer *const *peers, size_t n)
{
    for (bool any = true; any;) {
        any = false;
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < n; k++)
                if (i != k)
                    any |= pull(peers[i], peers[k]);
    }
}

static void expect_same_offers(const struct peer *a, const struct peer *b)
{
    struct offered x = {.count = 0}, y = {.count = 0};
    x.from = a->ledger;
    y.from = b->ledger;
    era_ledger_each_offered(a->ledger, collect, &x);
    era_ledger_each_offered(b->ledger, collect, &y);
    cr_expect_eq(x.count, y.count);
    for (size_t i = 0; i < x.count; i++) {
        const struct era_item *held = era_ledger_find(b->ledger, &x.items[i]);
        cr_expect(held && held->offered);
    }
}

static const char *const versions[] = {"1.1.0", "1.2.0", "1.3.0"};

/* Peer k got what the bits of part k say, in the order that seed says. */
static void spread(struct peer *const *peers, const unsigned *parts, size_t n, size_t ids, unsigned seed)
{
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < ids; i++) {
            size_t at = (i + seed + k) % ids;
            if (!(parts[k] >> at & 1))
                continue;
            take(peers[k], ready("alice", 1, versions[at]));
            take(peers[k], given_approve(c, "s1", plan(1, versions[at])));
            prove(peers[k]);
        }
}

/* Of two ids, however they are spread: equal sets, equal tallies, equal digests. */
Test(evidence, R8_two_ids_spread_over_nodes_end_in_one_state)
{
    for (unsigned spread_at = 0; spread_at < 64; spread_at++) {
        unsigned parts[3] = {spread_at & 3, spread_at >> 2 & 3, spread_at >> 4 & 3};
        struct peer *peers[3] = {given_peer(c), given_peer(c), given_peer(c)};
        spread(peers, parts, 3, 2, spread_at);
        gossip(peers, 3);
        for (size_t k = 1; k < 3; k++) {
            expect_same_offers(peers[0], peers[k]);
            expect_same_offers(peers[k], peers[0]);
            struct era_hash x = era_view_digest(peers[0]->ledger), y = era_view_digest(peers[k]->ledger);
            cr_expect(era_hash_eq(&x, &y));
            for (size_t i = 0; i < 2; i++)
                cr_expect_eq(ready_stake(peers[k], versions[i]), ready_stake(peers[0], versions[i]), "%u",
                             spread_at);
        }
        for (size_t k = 0; k < 3; k++)
            peer_free(peers[k]);
    }
}

/* Of three, nodes keep different pairs; what is exchanged is one and the same, and nothing is left to say. */
Test(evidence, R8_three_ids_spread_over_nodes_end_in_equal_sets_and_digests)
{
    for (unsigned spread_at = 0; spread_at < 512; spread_at++) {
        unsigned parts[3] = {spread_at & 7, spread_at >> 3 & 7, spread_at >> 6 & 7};
        struct peer *peers[3] = {given_peer(c), given_peer(c), given_peer(c)};
        uint64_t before[3][3];
        spread(peers, parts, 3, 3, spread_at);
        for (size_t k = 0; k < 3; k++)
            for (size_t i = 0; i < 3; i++)
                before[k][i] = ready_stake(peers[k], versions[i]);
        gossip(peers, 3);
        for (size_t k = 0; k < 3; k++) {
            expect_same_offers(peers[0], peers[k]);
            expect_same_offers(peers[k], peers[0]);
            struct era_hash x = era_view_digest(peers[0]->ledger), y = era_view_digest(peers[k]->ledger);
            cr_expect(era_hash_eq(&x, &y));
            for (size_t i = 0; i < 3; i++)
                cr_expect_geq(ready_stake(peers[k], versions[i]), before[k][i], "%u", spread_at);
        }
        for (size_t k = 0; k < 3; k++)
            peer_free(peers[k]);
    }
}

/* Its record stays, those of the two announcements went: a start must not find them again. */
Test(evidence, R9_of_a_past_epoch_it_is_history_after_a_start_too)
{
    struct peer *q = given_peer(c);

    restore(q, announced("bob", 8, "1.0.0"));
    restore(q, announced("bob", 9, "1.0.0"));
    changes(q);
    cr_assert_eq(restore(q, evidence(announced("bob", 7, "1.0.0"), announced("bob", 7, "2.0.0"))),
                 ERA_ACCEPTED);
    cr_expect_str_eq(changes(q), "");
    cr_expect_eq(era_ledger_count(q->ledger), 3);
}

/* A clock that jumped left words of a far epoch on the disk: they make nothing of the present history. */
Test(evidence, R16_of_a_present_epoch_it_counts_after_a_start_whatever_a_clock_that_jumped_left)
{
    struct era_bytes e = evidence(announced("bob", 9, "1.0.0"), announced("bob", 9, "2.0.0"));
    struct era_bytes past = evidence(announced("bob", 8, "1.0.0"), announced("bob", 8, "2.0.0"));
    struct peer *q = given_peer(c);

    restore(q, announced("bob", 1000, "1.0.0"));
    restore(q, announced("bob", 10, "1.0.0"));
    restore(q, announced("bob", 9, "3.0.0"));
    restore(q, announced("bob", 7, "1.0.0"));
    changes(q);
    era_ledger_start(q->ledger, 9);
    cr_expect_str_eq(changes(q), "withdraw announcement, delete announcement", "of epoch 7");
    restore(q, e);
    restore(q, past);
    cr_expect(offers(q, e));
    cr_expect(holds(q, past) && !offers(q, past));
    cr_expect_eq(announced_by_bob(q, 9), 3);
}
