/* A start finds what was held: whatever was said of charters, and went again, a ledger that is read from its
 * store offers what it offered before, and comes to the same set as all others (R6, R8). */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/prng.h"
#include "tests/core/chain.h"

#define RIVALS 12
#define HEARDS 3
#define WORDS  120
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

static struct era_charter *rivals[RIVALS]; /* x0 or x1 sign in each, who are signers nowhere else */
static struct kept kept[HEARDS];

static void begin(void)
{
    chain_begin();
    for (size_t i = 0; i < RIVALS; i++)
        rivals[i] =
            i < 2 ? given_next_charter(old, "erin:10 frank:10 grace:10 heidi:10",
                                       i == 0 ? "network k=2 signers=s2,x0" : "network k=2 signers=s2,x1", E,
                                       CARRIED)
                  : given_rival_charter(rivals[i - 2]);
}

TestSuite(proposed_restart, .init = begin, .fini = peers_free);

/* ---- the store ---- */

static void forget(struct kept *k, const struct era_hash *item)
{
    for (size_t i = 0; i < k->count; i++)
        if (era_hash_eq(&k->disk[i].item, item)) {
            free((void *)k->disk[i].body.data);
            k->disk[i--] = k->disk[--k->count];
        }
}

static void hear(struct kept *k, struct era_bytes envelope)
{
    struct era_change c;
    struct record *r = &k->disk[k->count];
    if (take(k->peer, envelope) != ERA_ACCEPTED)
        return;
    cr_assert_lt(k->count, DISK);
    cr_assert(reads_name(k->peer, envelope, &r->item));
    uint8_t *copy = malloc(envelope.len);
    memcpy(copy, envelope.data, envelope.len);
    r->body = (struct era_bytes){copy, envelope.len};
    k->count++;
    while (era_ledger_take_change(k->peer->ledger, &c))
        if (c.kind == ERA_CHANGE_DELETE)
            forget(k, &c.item);
}

static void make_evidence(struct kept *k)
{
    uint8_t *bytes;
    for (size_t len; (len = era_ledger_assemble_evidence(k->peer->ledger, &bytes)) > 0; free(bytes))
        hear(k, (struct era_bytes){bytes, len});
}

static bool is_evidence(struct era_bytes envelope)
{
    struct era_envelope e;
    cr_assert_eq(era_envelope_decode(envelope, &e), ERA_ACCEPTED);
    return e.kind == ERA_KIND_EVIDENCE;
}

/* As a node does: what is about a charter that is not known yet is tried again; evidence last. */
static struct peer *read_again(const struct kept *k, uint64_t epoch)
{
    struct peer *again = given_peer(old);
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < k->count; i++)
            if (!is_evidence(k->disk[i].body))
                restore(again, k->disk[i].body);
    era_ledger_start(again->ledger, epoch);
    for (size_t i = 0; i < k->count; i++)
        if (is_evidence(k->disk[i].body))
            cr_expect_eq(restore(again, k->disk[i].body), ERA_ACCEPTED,
                         "nothing is kept that cannot be read");
    era_ledger_complete(again->ledger);
    again->epoch = epoch;
    return again;
}

/* ---- what one offers, another lacks ---- */

struct set {
    size_t count;
    struct era_hash items[DISK];
};

static void gather(void *ctx, const struct era_item *item)
{
    struct set *set = ctx;
    set->items[set->count++] = item->item;
}

static size_t offered_but_not_by(const struct peer *one, const struct peer *other)
{
    struct set set = {0};
    size_t n = 0;
    era_ledger_each_offered(one->ledger, gather, &set);
    for (size_t i = 0; i < set.count; i++) {
        const struct era_item *held = era_ledger_find(other->ledger, &set.items[i]);
        n += !held || !held->offered;
    }
    return n;
}

static void teach(struct kept *from, struct kept *to)
{
    struct set set = {0};
    era_ledger_each_offered(from->peer->ledger, gather, &set);
    for (size_t i = 0; i < set.count; i++) {
        const struct era_item *item = era_ledger_find(from->peer->ledger, &set.items[i]);
        const struct era_item *held = era_ledger_find(to->peer->ledger, &set.items[i]);
        if (held && held->offered)
            continue;
        struct era_bytes body = body_of(from->peer, item);
        uint8_t *copy = malloc(body.len);
        memcpy(copy, body.data, body.len);
        hear(to, (struct era_bytes){copy, body.len});
        free(copy);
    }
    make_evidence(to);
}

static size_t difference(void)
{
    size_t n = 0;
    for (size_t i = 0; i < HEARDS; i++)
        n += offered_but_not_by(kept[i].peer, kept[(i + 1) % HEARDS].peer) +
             offered_but_not_by(kept[(i + 1) % HEARDS].peer, kept[i].peer);
    return n;
}

static bool all_agree(void)
{
    for (size_t round = 0; round < 40 && difference() > 0; round++)
        for (size_t i = 0; i < HEARDS; i++) {
            kept[i].peer->epoch++;
            teach(&kept[i], &kept[(i + 1) % HEARDS]);
            teach(&kept[(i + 1) % HEARDS], &kept[i]);
        }
    return difference() == 0;
}

/* ---- whatever is said ---- */

static struct era_bytes word(struct era_prng *draw)
{
    static const char *const proposers[] = {"s1", "s2"}, *const approvers[] = {"s1", "s2", "x0",
                                                                               "x1", "x0", "x1"},
                             *const accepters[] = {"erin", "frank", "grace"};
    const struct era_charter *c = rivals[era_prng_below(draw, RIVALS)];
    switch (era_prng_below(draw, 6)) {
    case 0:
    case 1:
        return given_charter_statement(c, proposers[era_prng_below(draw, 2)]);
    case 2:
    case 3:
        return given_charter_approve(c, approvers[era_prng_below(draw, 6)]);
    case 4:
        return given_accept(c, accepters[era_prng_below(draw, 3)]);
    default:
        return given_close(c, era_prng_below(draw, 2) ? "alice" : "bob", NULL);
    }
}

static void start_again(struct kept *k, uint64_t seed)
{
    struct era_change c;
    struct peer *again = read_again(k, k->peer->epoch);
    cr_expect_eq(offered_but_not_by(again, k->peer) + offered_but_not_by(k->peer, again), 0, "seed %llu",
                 (unsigned long long)seed);
    cr_expect_eq(era_ledger_count(again->ledger), era_ledger_count(k->peer->ledger), "seed %llu",
                 (unsigned long long)seed);
    peer_free(k->peer);
    k->peer = again;
    while (era_ledger_take_change(again->ledger, &c))
        if (c.kind == ERA_CHANGE_DELETE)
            forget(k, &c.item);
}

static void given_words(uint64_t seed)
{
    struct era_prng draw;
    era_prng_init(&draw, seed);
    for (size_t n = 0; n < WORDS; n++) {
        struct kept *k = &kept[era_prng_below(&draw, HEARDS)];
        hear(k, word(&draw));
        if (era_prng_below(&draw, 4) == 0)
            make_evidence(k);
        if (era_prng_below(&draw, 16) == 0)
            start_again(k, seed);
    }
    for (size_t i = 0; i < HEARDS; i++)
        make_evidence(&kept[i]);
}

Test(proposed_restart, R6_R8_starts_change_nothing_and_sets_end_equal)
{
    for (uint64_t seed = 1; seed <= 16; seed++) {
        for (size_t i = 0; i < HEARDS; i++)
            kept[i] = (struct kept){.peer = given_peer(old)};
        given_words(seed);
        cr_expect(all_agree(), "seed %llu", (unsigned long long)seed);
        for (size_t i = 0; i < HEARDS; i++) {
            start_again(&kept[i], seed);
            while (kept[i].count > 0)
                forget(&kept[i], &kept[i].disk[0].item);
            peer_free(kept[i].peer);
        }
    }
}
