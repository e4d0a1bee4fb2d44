/* Which proposals, rejects and attestations are kept when a key says more than a place holds: the same ones
 * everywhere, whatever came first (R6, R8). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/prng.h"
#include "tests/core/peer.h"

#define RIVALS 24

static struct era_charter *c;
static struct peer *p, *q;
static struct era_proposal *rivals[RIVALS]; /* of one slot; ascending by the ids of what s1 says of them */

static struct era_bytes said(size_t at)
{
    return given_proposed(c, "s1", rivals[at]);
}

static int by_id(const void *a, const void *b)
{
    struct era_hash x = name_of(p, given_proposed(c, "s1", *(struct era_proposal *const *)a)),
                    y = name_of(p, given_proposed(c, "s1", *(struct era_proposal *const *)b));
    return era_hash_cmp(&x, &y);
}

static void begin(void)
{
    c = given_charter("alice:10 bob:10 carol:10 dave:10",
                      "network k=2 signers=s1,s2,s3; rebuilt k=1 signers=s9 rebuild=1/2");
    p = given_peer(c);
    q = given_peer(c);
    for (size_t i = 0; i < RIVALS; i++) {
        char version[16];
        snprintf(version, sizeof version, "1.%zu.0", i + 1);
        rivals[i] = given_soft(given_proposal(c, "network", 1), 100, version);
    }
    qsort(rivals, RIVALS, sizeof rivals[0], by_id);
}

TestSuite(claims, .init = begin, .fini = peers_free);

/* ---- proposals ---- */

static struct peer *fresh(void)
{
    return given_peer(c);
}

Test(claims, R6_three_proposals_of_one_signer_end_equal_in_every_order)
{
    expect_two_lowest_in_every_order(fresh, said);
}

Test(claims, R6_of_a_signers_proposals_the_two_lowest_ids_are_kept)
{
    cr_expect_eq(take(p, said(5)), ERA_ACCEPTED);
    cr_expect_eq(take(p, said(3)), ERA_ACCEPTED);
    cr_expect_eq(take(p, said(7)), ERA_CAPPED);
    changes(p);
    cr_expect_eq(take(p, said(4)), ERA_ACCEPTED);
    cr_expect_str_eq(changes(p), "offer proposal, withdraw proposal, delete proposal, room 0");
    cr_expect(offers(p, said(3)) && offers(p, said(4)) && !holds(p, said(5)));
    cr_expect_null(candidate(p, rivals[5]));
    cr_expect_eq(take(p, given_proposed(c, "s2", rivals[5])), ERA_ACCEPTED, "in a place of its own");
}

Test(claims, R6_who_proposes_ever_lower_ids_is_heard_so_often_an_epoch)
{
    size_t taken = 0;
    for (size_t i = RIVALS; i-- > 0;)
        taken += take(p, said(i)) == ERA_ACCEPTED;
    cr_expect_eq(taken, 2 + 8);
    cr_expect_eq(era_ledger_count(p->ledger), 2);
    p->epoch++;
    cr_expect_eq(take(p, said(0)), ERA_ACCEPTED);
    cr_expect_eq(take(p, said(1)), ERA_ACCEPTED);
    cr_expect(offers(p, said(0)) && offers(p, said(1)));
    cr_expect_eq(era_ledger_count(p->ledger), 2);
}

Test(claims, R6_what_another_signer_proposes_too_stays_known)
{
    take(p, said(8));
    take(p, given_proposed(c, "s2", rivals[8]));
    take(p, said(2));
    take(p, said(1));
    cr_expect(!holds(p, said(8)) && offers(p, given_proposed(c, "s2", rivals[8])));
    cr_expect(candidate(p, rivals[8])->known);
}

Test(claims, R8_an_approved_proposal_is_displaced_by_none_and_reaches_all)
{
    take(p, said(9));
    take(p, given_approve(c, "s2", rivals[9]));
    for (size_t i = 0; i < 3; i++) {
        take(p, said(i));
        take(q, said(i));
    }
    cr_expect(offers(p, said(9)));
    cr_expect_eq(take(q, said(9)), ERA_CAPPED);
    cr_expect_lt(rounds_to_agree(p, q), 10);
    cr_expect(offers(q, said(9)) && offers(q, said(0)) && offers(q, said(1)));
    take(q, given_approve(c, "s3", rivals[9]));
    cr_expect_eq(assemble(q), 1, "who has the parts makes the carrier");
}

Test(claims, R6_what_was_capped_is_asked_for_again_when_a_signer_approves_it)
{
    for (size_t i = 0; i < 2; i++)
        take(p, said(i));
    take(p, said(9));
    changes(p);
    take(p, given_approve(c, "s2", rivals[9]));
    cr_expect_str_eq(changes(p), "offer approve, room 0");
    take(p, given_approve(c, "s3", rivals[9]));
    cr_expect_str_eq(changes(p), "offer approve", "once");
    cr_expect_eq(take(p, said(9)), ERA_ACCEPTED);
}

Test(claims, R8_who_approves_several_saves_none_from_leaving_and_all_of_it_counts)
{
    take(p, said(9));
    take(p, given_approve(c, "s2", rivals[9]));
    take(q, said(8));
    take(q, given_approve(c, "s2", rivals[8]));
    for (size_t i = 0; i < 2; i++) {
        take(p, said(i));
        take(q, said(i));
    }
    cr_expect(offers(p, said(9)) && offers(q, said(8)));
    cr_expect_lt(rounds_to_agree(p, q), 10);
    cr_expect(!offers(p, said(9)) && !offers(p, said(8)) && !offers(q, said(9)) && !offers(q, said(8)));
    cr_expect(holds(p, said(9)) && candidate(p, rivals[9])->known);
    cr_expect_eq(candidate(p, rivals[9])->approved_by, 1u << given_signer_index(c, "network", "s2"));
}

Test(claims, R8_an_approval_on_its_way_to_the_disk_holds_its_proposal)
{
    struct era_item *approve;
    take(p, said(9));
    cr_assert_eq(offer(p, given_approve(c, "s2", rivals[9]), &approve), ERA_ACCEPTED);
    take(p, said(0));
    take(p, said(1));
    cr_expect(holds(p, said(9)) && !offers(p, said(9)));
    era_ledger_commit(p->ledger, approve);
    cr_expect(offers(p, said(9)));
}

Test(claims, R6_the_proposal_of_a_carrier_stays_known)
{
    take(p, said(9));
    take(p, given_approved(c, rivals[9], "s1", "s2 s3"));
    take(p, said(0));
    take(p, said(1));
    cr_expect(candidate(p, rivals[9])->known && candidate(p, rivals[9])->stands);
    cr_expect(!offers(p, said(9)), "the carrier has it");
}

Test(claims, R6_one_on_its_way_to_the_disk_displaces_nothing_yet)
{
    struct era_item *lower;
    take(p, said(5));
    take(p, said(6));
    cr_assert_eq(offer(p, said(1), &lower), ERA_ACCEPTED);
    cr_expect(offers(p, said(5)) && offers(p, said(6)));
    era_ledger_abandon(p->ledger, lower);
    cr_expect(offers(p, said(5)) && offers(p, said(6)));
    cr_expect_null(candidate(p, rivals[1]), "nothing is about it any more");
}

Test(claims, R6_one_overtaken_on_its_way_to_the_disk_goes)
{
    struct era_item *high;
    take(p, said(5));
    cr_assert_eq(offer(p, said(6), &high), ERA_ACCEPTED);
    take(p, said(1));
    changes(p);
    era_ledger_commit(p->ledger, high);
    cr_expect_str_eq(changes(p), "delete proposal");
    cr_expect_eq(era_ledger_count(p->ledger), 2);
}

/* ---- rejects: 3 signers, so 5 a slot ---- */

Test(claims, T4_a_signer_rejects_whatever_stands)
{
    for (size_t i = 0; i < 4; i++)
        take(p, given_proposed(c, i % 2 ? "s1" : "s2", rivals[i]));
    for (size_t i = 0; i < 4; i++)
        cr_expect_eq(take(p, given_reject(c, "s3", rivals[i], "no")), ERA_ACCEPTED);
    for (size_t i = 0; i < 4; i++)
        cr_expect_eq(candidate(p, rivals[i])->reject_count, 1);
}

Test(claims, T4_rejects_of_what_stands_come_before_all_others)
{
    take(p, said(0));
    for (size_t i = 10; i < RIVALS; i++)
        take(p, given_reject(c, "s3", rivals[i], ""));
    cr_expect_eq(era_ledger_count(p->ledger), 1 + 5);
    p->epoch++;
    cr_expect_eq(take(p, given_reject(c, "s3", rivals[0], "no")), ERA_ACCEPTED);
    cr_expect(offers(p, given_reject(c, "s3", rivals[0], "no")));
    cr_expect_eq(era_ledger_count(p->ledger), 1 + 5);
}

Test(claims, T4_one_reason_of_many_comes_first)
{
    take(p, said(0));
    take(p, given_reject(c, "s3", rivals[0], "the first"));
    for (int i = 0; i < 9; i++) {
        char reason[16];
        snprintf(reason, sizeof reason, "reason %d", i);
        take(p, given_reject(c, "s3", rivals[0], reason));
    }
    take(p, given_proposed(c, "s2", rivals[1]));
    p->epoch++;
    cr_expect_eq(take(p, given_reject(c, "s3", rivals[1], "no")), ERA_ACCEPTED);
    cr_expect_eq(candidate(p, rivals[0])->reject_count, 1);
    cr_expect_eq(candidate(p, rivals[1])->reject_count, 1);
    cr_expect_eq(era_ledger_count(p->ledger), 2 + 5);
}

Test(claims, R6_rejects_of_one_signer_end_equal)
{
    for (size_t i = 0; i < 12; i++)
        take(i % 3 ? p : q, given_reject(c, "s3", rivals[i], ""));
    cr_expect_lt(rounds_to_agree(p, q), 10);
    cr_expect_eq(era_ledger_count(p->ledger), 5);
}

Test(claims, R6_a_reject_that_was_capped_is_asked_for_again_when_its_proposal_comes)
{
    for (size_t i = 10; i < RIVALS; i++)
        take(p, given_reject(c, "s3", rivals[i], ""));
    p->epoch++;
    for (size_t i = 10; i < RIVALS; i++)
        take(p, given_reject(c, "s3", rivals[i], ""));
    size_t capped = 10;
    while (holds(p, given_reject(c, "s3", rivals[capped], "")))
        capped++;
    changes(p);
    take(p, said(capped));
    cr_expect_str_eq(changes(p), "offer proposal, room 0");
    cr_expect_eq(take(p, given_reject(c, "s3", rivals[capped], "")), ERA_ACCEPTED);
    cr_expect_eq(candidate(p, rivals[capped])->reject_count, 1);
}

Test(claims, T4_a_reject_that_goes_is_shown_no_more)
{
    size_t shown = 0;
    for (size_t i = 0; i < 12; i++) {
        take(p, given_attest(c, "alice", rivals[i], "linux", given_digest("x")));
        take(p, given_reject(c, "s3", rivals[i], ""));
    }
    for (size_t i = 0; i < 12; i++) {
        const struct era_candidate *of = candidate(p, rivals[i]);
        cr_assert_not_null(of, "one attests it");
        cr_expect_eq(of->reject_count, holds(p, given_reject(c, "s3", rivals[i], "")) ? 1 : 0);
        cr_expect_eq(of->rejected_by != 0, of->reject_count > 0);
        shown += of->reject_count;
    }
    cr_expect_eq(shown, 5);
}

/* ---- attestations: 32 of a validator in a slot ---- */

static struct era_bytes attested(size_t number)
{
    char digest[16];
    snprintf(digest, sizeof digest, "d%zu", number);
    return given_attest(c, "alice", rivals[0], "linux", given_digest(digest));
}

Test(claims, R6_attestations_of_one_validator_end_equal)
{
    for (size_t i = 0; i < 60; i++)
        take(i < 30 ? p : q, attested(i));
    size_t rounds = 0;
    for (; rounds < 10 && rounds_to_agree(p, q) == 100; rounds++)
        p->epoch = ++q->epoch;
    cr_expect_lt(rounds, 10, "lower ones an epoch later");
    cr_expect_eq(era_ledger_count(p->ledger), 32);
    cr_expect_eq(era_ledger_count(q->ledger), 32);
}

static struct era_proposal *rebuilt(void)
{
    return given_artefacts(given_breaking(given_proposal(c, "rebuilt", 1), 100, "2.0.0"), "linux mac");
}

static struct era_bytes matching(const struct era_proposal *b, size_t artefact)
{
    const struct era_artefact *a = &b->plan.entries[1].record.artefacts[artefact];
    return given_attest(c, "alice", b, a->name, a->digest);
}

static void given_failures(const struct era_proposal *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char digest[16];
        snprintf(digest, sizeof digest, "d%zu", i);
        take(p, given_attest(c, "alice", b, "linux", given_digest(digest)));
    }
}

Test(claims, N5_the_attestation_that_matches_comes_before_all_failures)
{
    struct era_proposal *b = rebuilt();
    take(p, given_proposed(c, "s9", b));
    given_failures(b, 40);
    p->epoch++;
    for (size_t i = 0; i < 2; i++) {
        cr_expect_eq(take(p, matching(b, i)), ERA_ACCEPTED);
        cr_expect(offers(p, matching(b, i)));
    }
    cr_expect_eq(era_match_least(&candidate(p, b)->matches), 10);
    cr_expect_eq(candidate(p, b)->attested_count, 32);
    given_failures(b, 40);
    cr_expect(offers(p, matching(b, 0)), "and they stay");
}

Test(claims, N5_what_matches_is_found_when_its_proposal_comes_later)
{
    struct era_proposal *b = rebuilt();
    take(p, matching(b, 0));
    take(p, matching(b, 1));
    given_failures(b, 30);
    take(p, given_proposed(c, "s9", b));
    p->epoch++;
    given_failures(b, 100);
    cr_expect(offers(p, matching(b, 0)) && offers(p, matching(b, 1)));
    cr_expect_eq(era_match_least(&candidate(p, b)->matches), 10);
}

static int descending_by_s9(const void *a, const void *b)
{
    struct era_hash x = name_of(p, given_proposed(c, "s9", *(struct era_proposal *const *)a)),
                    y = name_of(p, given_proposed(c, "s9", *(struct era_proposal *const *)b));
    return -era_hash_cmp(&x, &y);
}

Test(claims, N5_attestations_of_what_nobody_proposes_any_more_match_nothing)
{
    struct era_proposal *b[3];
    for (size_t i = 0; i < 3; i++) {
        char version[8];
        snprintf(version, sizeof version, "%zu.0.0", i + 2);
        b[i] = given_artefacts(given_breaking(given_proposal(c, "rebuilt", 1), 100, version), "linux");
    }
    qsort(b, 3, sizeof b[0], descending_by_s9);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(take(p, given_proposed(c, "s9", b[i])), ERA_ACCEPTED);
        take(p, matching(b[i], 0));
    }
    size_t known = 0;
    for (size_t i = 0; i < 3; i++) {
        struct era_candidate *of = candidate(p, b[i]);
        known += of->known;
        cr_expect_eq(of->attested_count, 1, "it is kept: there is room");
        cr_expect_eq(of->matches.count, of->known ? 1 : 0);
    }
    cr_expect_eq(known, 2);
}

Test(claims, N5_one_of_many_that_match_counts_whichever_go)
{
    struct era_proposal *b = rebuilt();
    struct era_envelope e;
    struct era_statement *s = calloc(1, sizeof *s);
    take(p, given_proposed(c, "s9", b));
    take(p, matching(b, 1));
    for (int i = 0; i < 40; i++) {
        cr_assert_eq(era_envelope_decode(matching(b, 0), &e), ERA_ACCEPTED);
        cr_assert_eq(era_statement_decode(e.kind, e.payload, s), ERA_ACCEPTED);
        snprintf(s->u.attestation.builder, sizeof s->u.attestation.builder, "machine %d", i);
        take(p, given_signed(c, "alice", s));
        cr_expect_eq(era_match_least(&candidate(p, b)->matches), 10);
    }
    cr_expect_eq(candidate(p, b)->attested_count, 32);
    free(s);
}

/* ---- whatever is said, whoever hears what, with starts in between ---- */

#define WORDS  160
#define HEARDS 4
#define DISK   512

/* A ledger and its store. */
struct kept {
    struct peer *peer;
    size_t count;
    struct record {
        struct era_hash item;
        struct era_bytes body;
    } disk[DISK];
};

static struct kept kept[HEARDS];

static void forget(struct kept *k, const struct era_hash *item)
{
    for (size_t i = 0; i < k->count; i++)
        if (era_hash_eq(&k->disk[i].item, item)) {
            free((void *)k->disk[i].body.data);
            k->disk[i--] = k->disk[--k->count];
        }
}

static void follow_changes(struct kept *k)
{
    struct era_change change;
    while (era_ledger_take_change(k->peer->ledger, &change))
        if (change.kind == ERA_CHANGE_DELETE)
            forget(k, &change.item);
}

static void hear(struct kept *k, struct era_bytes envelope)
{
    if (take(k->peer, envelope) == ERA_ACCEPTED) {
        uint8_t *copy = malloc(envelope.len);
        memcpy(copy, envelope.data, envelope.len);
        cr_assert_lt(k->count, DISK);
        k->disk[k->count++] = (struct record){name_of(k->peer, envelope), {copy, envelope.len}};
    }
    follow_changes(k);
}

static void make_evidence(struct kept *k)
{
    uint8_t *bytes;
    for (size_t len; (len = era_ledger_assemble_evidence(k->peer->ledger, &bytes)) > 0; free(bytes))
        hear(k, (struct era_bytes){bytes, len});
}

static void learn(void *kept_by, struct era_bytes envelope)
{
    hear(kept_by, envelope);
}

/* All with all, until nobody lacks anything that another offers. */
static bool all_agree(void)
{
    for (size_t round = 0; round < 30; round++) {
        size_t differ = 0;
        for (size_t i = 0; i < HEARDS; i++) {
            struct kept *a = &kept[i], *b = &kept[(i + 1) % HEARDS];
            a->peer->epoch++;
            differ += lacking(a->peer, b->peer, learn, b) + lacking(b->peer, a->peer, learn, a);
            make_evidence(a);
            make_evidence(b);
        }
        if (differ == 0)
            return true;
    }
    return false;
}

static bool is_evidence(struct era_bytes envelope)
{
    struct era_envelope e;
    cr_assert_eq(era_envelope_decode(envelope, &e), ERA_ACCEPTED);
    return e.kind == ERA_KIND_EVIDENCE;
}

/* What the disk holds leads to what was offered, in any order. */
static void start_again(struct kept *k, struct era_prng *draw)
{
    struct peer *again = given_peer(c);
    for (size_t i = k->count; i > 1; i--) {
        size_t j = (size_t)era_prng_below(draw, i);
        struct record r = k->disk[i - 1];
        k->disk[i - 1] = k->disk[j];
        k->disk[j] = r;
    }
    for (int last = 0; last < 2; last++)
        for (size_t i = 0; i < k->count; i++)
            if (is_evidence(k->disk[i].body) == (last == 1))
                cr_expect_eq(restore(again, k->disk[i].body), ERA_ACCEPTED);
    era_ledger_start(again->ledger, k->peer->epoch);
    era_ledger_complete(again->ledger);
    cr_expect_eq(lacking(again, k->peer, NULL, NULL) + lacking(k->peer, again, NULL, NULL), 0);
    cr_expect_eq(era_ledger_count(again->ledger), era_ledger_count(k->peer->ledger));
    again->epoch = k->peer->epoch;
    peer_free(k->peer);
    k->peer = again;
    follow_changes(k);
}

static struct era_bytes word(struct era_prng *draw)
{
    static const char *const signers[] = {"s1", "s2", "s3"}, *const validators[] = {"alice", "bob"};
    const struct era_proposal *of = rivals[era_prng_below(draw, 12)];
    const char *signer = signers[era_prng_below(draw, 3)];
    char text[16];
    switch (era_prng_below(draw, 20)) {
    case 0:
        return given_approve(c, signer, of);
    case 16:
    case 17:
    case 18:
        return given_approved(c, of, signer, era_prng_below(draw, 2) ? "s1 s2" : "s2 s3");
    case 19:
        return given_ready(c, validators[era_prng_below(draw, 2)], of);
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
        return given_proposed(c, signer, of);
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
        snprintf(text, sizeof text, "no %d", (int)era_prng_below(draw, 2));
        return given_reject(c, signer, of, text);
    default:
        snprintf(text, sizeof text, "d%d", (int)era_prng_below(draw, 80));
        return given_attest(c, validators[era_prng_below(draw, 2)], of, "linux", given_digest(text));
    }
}

Test(claims, R6_R8_sets_end_equal_whatever_was_said_to_whom_and_starts_change_nothing)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct era_prng draw;
        era_prng_init(&draw, seed);
        for (size_t i = 0; i < HEARDS; i++)
            kept[i] = (struct kept){.peer = given_peer(c)};
        for (size_t n = 0; n < WORDS; n++) {
            struct kept *k = &kept[era_prng_below(&draw, HEARDS)];
            hear(k, word(&draw));
            if (era_prng_below(&draw, 6) == 0)
                make_evidence(k);
            if (era_prng_below(&draw, 24) == 0)
                start_again(k, &draw);
        }
        for (size_t i = 0; i < HEARDS; i++)
            make_evidence(&kept[i]);
        cr_expect(all_agree(), "seed %llu", (unsigned long long)seed);
        for (size_t i = 0; i < HEARDS; i++) {
            start_again(&kept[i], &draw);
            while (kept[i].count > 0)
                forget(&kept[i], &kept[i].disk[0].item);
            peer_free(kept[i].peer);
        }
    }
}

/* A crash came before the disk was told what went. */
Test(claims, R8_a_start_judges_when_all_is_read)
{
    for (size_t i = 4; i < 8; i++)
        cr_expect_eq(restore(p, said(i)), ERA_ACCEPTED);
    for (size_t i = 4; i < 12; i++)
        cr_expect_eq(restore(p, given_reject(c, "s3", rivals[i], "")), ERA_ACCEPTED);
    cr_expect_eq(restore(p, given_approve(c, "s2", rivals[7])), ERA_ACCEPTED);
    cr_expect_eq(era_ledger_count(p->ledger), 4 + 8 + 1);
    era_ledger_start(p->ledger, 10);
    era_ledger_complete(p->ledger);
    cr_expect(offers(p, said(4)) && offers(p, said(5)) && !holds(p, said(6)) && offers(p, said(7)));
    for (size_t i = 4; i < 8; i++)
        cr_expect(i == 6 || offers(p, given_reject(c, "s3", rivals[i], "")), "%zu", i);
    cr_expect_eq(era_ledger_count(p->ledger), 3 + 5 + 1);
}
