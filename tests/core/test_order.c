/* The property that all else rests on (C2, N3, P7, M12): whatever the order,
 * the batches, the losses and the split between nodes, who has been offered the
 * same statements has the same view.
 *
 * Three components. `network`: a history of extended, overtaken, rejected and
 * dropped plans, its newest slot adopted by loose votes alone, others above it.
 * `oracle`: ends with a void slot above its head (two adopted ids: more was
 * faulty than the rules bear: three). `storage`: a void slot that a higher one ended,
 * then a release that asks for rebuilds. s4, v6 and v7 are faulty and say two
 * things wherever they can, three where a certificate covers the slot, and in
 * one slot more proposals, approvals, rejects and attestations than are kept. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/prng.h"
#include "src/core/view.h"
#include "tests/core/peer.h"

#define ORDERS   1000
#define PROGRAMS 4 /* run side by side */
#define POOL_MAX 600
#define EPOCH    5

/* One statement, verified once: orders differ in what the ledger does with it. */
struct piece {
    struct era_bytes bytes;
    struct era_verifier *verifier;
    const struct era_verified *verified; /* NULL: refused by the verifier */
    struct era_hash item;
};

static struct era_charter *c;
static struct piece pool[POOL_MAX];
static size_t pool_count;

static void free_pool(void)
{
    for (size_t i = 0; i < pool_count; i++)
        era_verifier_free(pool[i].verifier);
    peers_free();
}

TestSuite(order, .fini = free_pool, .timeout = 300);

/* ---- the pool ---- */

static struct piece *add(struct era_bytes bytes)
{
    cr_assert_lt(pool_count, POOL_MAX);
    struct piece *it = &pool[pool_count++];
    *it = (struct piece){.bytes = bytes, .verifier = era_verifier_new(c, &c->hash)};
    if (era_verify(it->verifier, bytes, &it->verified, &it->item, NULL) != ERA_ACCEPTED)
        it->verified = NULL;
    return it;
}

typedef struct era_bytes say_fn(const struct era_charter *charter, const char *who,
                                const struct era_proposal *p);

/* Each of "v1 v2" says it. */
static void each(const char *names, say_fn *say, const struct era_proposal *p)
{
    char copy[128], *rest = NULL;
    cr_assert(era_text_set(copy, sizeof copy, names));
    for (char *who = strtok_r(copy, " ", &rest); who; who = strtok_r(NULL, " ", &rest))
        add(say(c, who, p));
}

static const struct era_proposal *loose(const struct era_proposal *p, const char *author, const char *approve,
                                        const char *ready)
{
    add(given_proposed(c, author, p));
    each(approve, given_approve, p);
    each(ready, given_ready, p);
    return p;
}

/* Faulty keys side with this one, and with another one of the slot. */
static void faulty_votes(const struct era_proposal *p)
{
    each("s4", given_approve, p);
    each("v6 v7", given_ready, p);
}

static void certified(const struct era_proposal *p, const char *ready)
{
    const char *attesters = strcmp(p->slot.component, "storage") == 0 ? ready : "";
    add(given_certificate(c, p, "s1", "s1 s2", ready, attesters));
}

static struct era_proposal *begin(const char *component, uint64_t seq)
{
    return given_proposal(c, component, seq);
}

/* s4 proposes six, of which s2 approves one; s1 rejects them all and more; v6 attests whatever comes to mind:
 * each key more than is kept; and six are approved. */
static void crowded_slot(const struct era_proposal *head)
{
    for (uint64_t i = 0; i < 8; i++) {
        const struct era_proposal *one = given_soft(given_from(given_next(c, head, 9), 1), 60 + i, "2.4.0");
        if (i < 6)
            loose(one, "s4", i == 3 ? "s2" : "", i == 5 ? "v5" : "");
        if (i > 1)
            add(given_approved(c, one, "s4", i % 2 ? "s4 s1" : "s4 s2"));
        add(given_reject(c, "s1", one, "none of these"));
        if (i == 2)
            add(given_reject(c, "s1", one, "nor this"));
    }
    for (int i = 0; i < 36; i++) {
        char digest[8];
        snprintf(digest, sizeof digest, "d%d", i);
        add(given_attest(c, "v6", begin("network", 9), "linux", given_digest(digest)));
    }
}

static void network_pool(void)
{
    struct era_proposal *p1 = given_soft(begin("network", 1), 10, "1.1.0");
    struct era_proposal *p2 = given_breaking(given_next(c, p1, 2), 20, "2.0.0");
    struct era_proposal *p2b = given_breaking(given_next(c, p1, 2), 21, "2.0.0");
    struct era_proposal *p3 = given_drop(given_next(c, p2, 3), given_entry(p2, 2));
    struct era_proposal *p4 = given_soft(given_next(c, p1, 4), 30, "1.2.0");
    struct era_proposal *p5, *p6, *p7, *p7b, *p8, *p9, *far = begin("network", 40),
                                                       *beyond = begin("network", 80);

    loose(p1, "s1", "s1 s2 s3", "v1 v2 v3 v4 v5 v6 v7");
    certified(p1, "v1 v2 v3 v4 v5");
    certified(p1, "v3 v4 v5 v6 v7");
    loose(p2, "s1", "s1 s2", "v1 v2 v3 v4 v5");
    add(given_reject(c, "s3", p2, "too early"));
    loose(p2b, "s4", "", "");
    faulty_votes(p2);
    faulty_votes(p2b);
    certified(p2, "v1 v2 v3 v4 v5 v6");
    loose(given_breaking(p3, 25, "2.1.0"), "s2", "s1 s2 s3", "v1 v2 v3 v4 v5");
    loose(p4, "s3", "s1", "v4");
    add(given_reject(c, "s2", p4, "built on an old head"));
    add(given_reject(c, "s3", p4, "overtaken"));
    p5 = given_soft(given_next(c, p3, 5), 40, "2.2.0");
    loose(p5, "s1", "s2 s3", "v2 v3");
    certified(p5, "v1 v2 v3 v4 v5");
    certified(p5, "v1 v2 v3 v4 v6");
    certified(p5, "v1 v2 v3 v4 v5 v6 v7");
    for (uint64_t e = 41; e < 44; e++) /* three ids: different nodes keep different pairs */
        faulty_votes(given_soft(given_next(c, p3, 5), e, "2.2.0"));
    p6 = given_announced(given_next(c, p5, 6), "3.0.0");
    add(given_proposed(c, "s1", p6));
    each("s2 s3", given_approve, given_copy(p6));
    for (int i = 1; i < 4; i++)
        add(given_reject(c, (const char *[]){"s1", "s2", "s3"}[i - 1], p6, "no"));
    p7 = given_soft(given_next(c, p5, 7), 50, "2.3.0");
    p7b = given_soft(given_next(c, p5, 7), 51, "2.3.0");
    loose(p7, "s1", "s1 s2", "v1 v2 v3 v4 v5");
    loose(p7b, "s4", "", "");
    faulty_votes(p7);
    faulty_votes(p7b);
    p8 = given_announced(given_from(given_next(c, p7, 8), 1), "3.0.0");
    loose(p8, "s2", "s3", "v1 v2");
    add(given_approved(c, p8, "s2", "s1 s2"));
    add(given_approved(c, p8, "s2", "s2 s3"));
    p9 = given_drop(given_next(c, p7, 9), given_entry(p7, 3));
    loose(p9, "s3", "s3", "v5");
    add(given_approved(c, far, "s1", "s1 s2"));
    loose(beyond, "s4", "s3", "v1 v2 v3");
    crowded_slot(p7);
}

static void oracle_pool(void)
{
    struct era_proposal *o1 = given_soft(begin("oracle", 1), 10, "1.1.0");
    struct era_proposal *o4 = given_breaking(given_next(c, o1, 4), 20, "2.0.0");
    struct era_proposal *o5 = given_soft(given_next(c, o4, 5), 30, "2.1.0");
    struct era_proposal *o6 = given_soft(given_next(c, o4, 6), 30, "2.2.0");
    struct era_proposal *o6b = given_soft(given_next(c, o4, 6), 30, "2.3.0");
    struct era_proposal *o6c = given_soft(given_next(c, o4, 6), 30, "2.5.0");
    struct era_proposal *o7 = given_soft(given_next(c, o4, 7), 30, "2.4.0");

    loose(o1, "s1", "s1 s2", "v1 v2 v3 v4 v5");
    certified(o1, "v1 v2 v3 v4 v5");
    certified(o4, "v1 v2 v3 v4 v5");
    certified(o4, "v2 v3 v4 v5 v6");
    add(given_approved(c, o5, "s1", "s1 s2"));
    loose(o5, "s1", "s3", "v1 v2 v3 v4");
    certified(o6, "v1 v2 v3 v4 v5");
    certified(o6, "v1 v2 v3 v5 v6");
    certified(o6b, "v1 v2 v3 v4 v7");
    certified(o6b, "v1 v2 v3 v6 v7");
    certified(o6c, "v1 v2 v4 v6 v7");
    add(given_approved(c, o6, "s1", "s1 s2"));
    faulty_votes(o6);
    faulty_votes(o6b);
    loose(o7, "s1", "s1", "v1 v2");
}

static void storage_pool(void)
{
    struct era_proposal *t2 = given_soft(begin("storage", 2), 10, "1.1.0");
    struct era_proposal *t3 = given_soft(given_next(c, t2, 3), 20, "1.2.0");
    struct era_proposal *t3b = given_soft(given_next(c, t2, 3), 20, "1.3.0");
    struct era_proposal *t5 = given_soft(given_next(c, t2, 5), 30, "1.4.0");
    struct era_proposal *t6 = given_artefacts(given_breaking(given_next(c, t5, 6), 40, "2.0.0"), "linux mac");
    const struct era_artefact *a = t6->plan.entries[3].record.artefacts;

    certified(t2, "v1 v2 v3 v4 v5");
    certified(t3, "v1 v2 v3 v4 v6");
    certified(t3b, "v1 v2 v3 v5 v7");
    loose(t5, "s1", "s1 s2", "v1 v2 v3 v4 v5");
    certified(t5, "v1 v2 v3 v4 v5");
    loose(t6, "s2", "s1 s2", "v1 v2 v3 v4 v5");
    for (int i = 1; i <= 4; i++)
        for (size_t n = 0; n < 2; n++) {
            char who[] = {'v', (char)('0' + i), '\0'};
            if (i == 3)
                add(given_attest(c, who, t6, a[n].name, given_digest("a broken machine")));
            add(given_attest(c, who, t6, a[n].name, a[n].digest));
        }
    add(given_attest(c, "v6", t6, "linux", given_digest("never matches")));
    loose(given_soft(given_next(c, t6, 7), 50, "2.1.0"), "s3", "s3 s4", "v1");
}

static void announcements_pool(void)
{
    for (uint64_t epoch = 1; epoch <= EPOCH + 1; epoch++)
        for (int i = 1; i <= 7; i++) {
            char who[] = {'v', (char)('0' + i), '\0'};
            struct era_announcement a = given_running(c, epoch, "1.0.0");
            add(given_announce(c, who, &a));
            a.staged = true;
            if (i == 7)
                add(given_announce(c, who, &a));
        }
}

/* Cut, altered, and signed by nobody that counts. */
static void garbage_pool(void)
{
    size_t good = pool_count;
    struct era_proposal *p = given_soft(begin("network", 7), 60, "9.0.0");

    for (size_t i = 0; i < good; i += 7)
        add(given_flipped(pool[i].bytes, 1 + i % pool[i].bytes.len));
    for (size_t i = 3; i < good; i += 23)
        add((struct era_bytes){pool[i].bytes.data, pool[i].bytes.len / 2});
    each("mallory v1", given_approve, p);
    each("mallory s1", given_ready, p);
    add(given_certificate(c, p, "s1", "s1", "v1 v2 v3 v4 v5 v6 v7", ""));
    add(given_certificate(c, p, "s1", "s1 s2", "v1 v2 v3 v4", ""));
}

static void given_pool(void)
{
    c = given_charter("v1:10 v2:10 v3:10 v4:10 v5:10 v6:10 v7:10",
                      "network k=2 signers=s1,s2,s3,s4; oracle k=2 signers=s1,s2,s3,s4;"
                      "storage k=2 signers=s1,s2,s3,s4 rebuild=1/2");
    network_pool();
    oracle_pool();
    storage_pool();
    announcements_pool();
    garbage_pool();
    cr_assert_geq(pool_count, 200);
}

/* ---- a node's disk: what commit kept and no change deleted ---- */

struct record {
    struct era_hash item;
    uint8_t *bytes;
    size_t len;
};

struct disk {
    struct record records[POOL_MAX];
    size_t count;
};

static void disk_put(struct disk *d, const struct era_ledger *l, const struct era_item *item)
{
    struct era_bytes body;
    cr_assert(era_ledger_body(l, item, &body));
    cr_assert_lt(d->count, POOL_MAX);
    struct record *r = &d->records[d->count++];
    *r = (struct record){item->item, malloc(body.len), body.len};
    memcpy(r->bytes, body.data, r->len);
}

static void disk_delete(struct disk *d, const struct era_hash *item)
{
    for (size_t i = 0; i < d->count; i++)
        if (era_hash_eq(&d->records[i].item, item)) {
            free(d->records[i].bytes);
            d->records[i] = d->records[--d->count];
            return;
        }
    cr_assert_fail("deleted what was never put");
}

static void disk_free(struct disk *d)
{
    for (size_t i = 0; i < d->count; i++)
        free(d->records[i].bytes);
    free(d);
}

/* ---- a node that takes its part of the pool in its own order ---- */

struct node {
    struct peer *peer;
    struct disk *disk;
    struct era_prng prng;
    size_t part[2 * POOL_MAX], part_count;
    bool again[POOL_MAX]; /* refused for now, or lost by the store: may be offered again */
};

static struct node *node_new(uint64_t seed)
{
    struct node *n = calloc(1, sizeof *n);
    n->peer = given_peer(c);
    n->disk = calloc(1, sizeof *n->disk);
    era_prng_init(&n->prng, seed);
    return n;
}

static void node_free(struct node *n)
{
    peer_free(n->peer);
    disk_free(n->disk);
    free(n);
}

static void shuffle(struct era_prng *prng, size_t *list, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)era_prng_below(prng, i), t = list[i - 1];
        list[i - 1] = list[j];
        list[j] = t;
    }
}

static void commit(struct node *n, struct era_item *item)
{
    struct era_change ch;
    disk_put(n->disk, n->peer->ledger, item);
    era_ledger_commit(n->peer->ledger, item);
    while (era_ledger_take_change(n->peer->ledger, &ch))
        if (ch.kind == ERA_CHANGE_DELETE)
            disk_delete(n->disk, &ch.item);
}

static enum era_verdict take_verified(struct node *n, const struct era_verified *s)
{
    struct era_item *item;
    enum era_verdict v = era_ledger_offer(n->peer->ledger, s, n->peer->epoch, false, &item);
    if (v == ERA_ACCEPTED)
        commit(n, item);
    return v;
}

static enum era_verdict take_bytes(struct node *n, struct era_bytes bytes)
{
    const struct era_verified *s;
    struct era_hash item;
    enum era_verdict v = era_verify(n->peer->verifier, bytes, &s, &item, NULL);
    return v == ERA_ACCEPTED ? take_verified(n, s) : v;
}

static void make_carriers(struct node *n)
{
    struct era_candidate *candidate;
    uint32_t kind;
    uint8_t *proof;
    for (size_t len; (len = era_ledger_assemble_evidence(n->peer->ledger, &proof)) > 0; free(proof))
        cr_assert_eq(take_bytes(n, (struct era_bytes){proof, len}), ERA_ACCEPTED);
    while ((candidate = era_ledger_assemblable(n->peer->ledger, &kind))) {
        uint8_t *bytes;
        size_t len = era_ledger_assemble(n->peer->ledger, candidate, kind, &bytes);
        enum era_verdict v = take_bytes(n, (struct era_bytes){bytes, len});
        cr_assert(v == ERA_ACCEPTED || v == ERA_CAPPED || v == ERA_DUPLICATE, "%s", era_verdict_code(v));
        free(bytes);
    }
}

/* A batch is in flight at once; its items land in any order, and some the store loses. */
static void take_batch(struct node *n, const size_t *batch, size_t count)
{
    struct era_item *items[16];
    size_t landed[16], flying = 0, from[16];
    for (size_t i = 0; i < count; i++) {
        const struct piece *it = &pool[batch[i]];
        if (!it->verified)
            continue;
        enum era_verdict v =
            era_ledger_offer(n->peer->ledger, it->verified, n->peer->epoch, false, &items[flying]);
        n->again[batch[i]] |= v != ERA_ACCEPTED && v != ERA_DUPLICATE;
        if (v == ERA_ACCEPTED) {
            landed[flying] = flying;
            from[flying++] = batch[i];
        }
    }
    shuffle(&n->prng, landed, flying);
    for (size_t i = 0; i < flying; i++) {
        if (era_prng_below(&n->prng, 20) > 0) {
            commit(n, items[landed[i]]);
        } else {
            era_ledger_abandon(n->peer->ledger, items[landed[i]]);
            n->again[from[landed[i]]] = true;
        }
    }
}

/* What was refused for now comes again, as reconciliation brings it. True when any of it was taken. */
static bool take_again(struct node *n)
{
    bool any = false;
    for (size_t i = 0; i < pool_count; i++)
        if (n->again[i]) {
            enum era_verdict v = take_verified(n, pool[i].verified);
            n->again[i] = v != ERA_ACCEPTED && v != ERA_DUPLICATE;
            any |= v == ERA_ACCEPTED;
        }
    make_carriers(n);
    return any;
}

static void play(struct node *n)
{
    shuffle(&n->prng, n->part, n->part_count);
    for (size_t at = 0; at < n->part_count;) {
        size_t count = 1 + (size_t)era_prng_below(&n->prng, 16);
        if (count > n->part_count - at)
            count = n->part_count - at;
        take_batch(n, n->part + at, count);
        at += count;
        if (era_prng_below(&n->prng, 2) > 0)
            make_carriers(n);
        n->peer->epoch = EPOCH * at / n->part_count;
    }
    while (take_again(n))
        ;
}

/* ---- reconciliation ---- */

struct offers {
    const struct era_ledger *from;
    struct era_bytes envelopes[POOL_MAX];
    struct era_hash items[POOL_MAX];
    size_t count;
};

static void collect(void *ctx, const struct era_item *item)
{
    struct offers *o = ctx;
    cr_assert_lt(o->count, POOL_MAX);
    o->items[o->count] = item->item;
    struct era_bytes body;
    cr_assert(era_ledger_body(o->from, item, &body));
    o->envelopes[o->count++] = body;
}

/* `to` takes what `from` offers and it does not hold. True when any of it was taken. */
static bool pull(struct node *to, const struct node *from)
{
    struct offers *o = calloc(1, sizeof *o);
    bool any = false;
    o->from = from->peer->ledger;
    era_ledger_each_offered(o->from, collect, o);
    for (size_t i = 0; i < o->count; i++)
        if (!era_ledger_find(to->peer->ledger, &o->items[i]))
            any |= take_bytes(to, o->envelopes[i]) == ERA_ACCEPTED;
    free(o);
    make_carriers(to);
    return any;
}

static void reconcile(struct node *a, struct node *b, uint64_t seed)
{
    for (int round = 0;; round++) {
        bool any = pull(a, b);
        any |= pull(b, a);
        any |= take_again(a);
        any |= take_again(b);
        if (!any)
            return;
        cr_assert_lt(round, 10, "seed %llu: no end of reconciling", (unsigned long long)seed);
    }
}

static void expect_same_evidence(const struct node *a, const struct node *b, uint64_t seed)
{
    struct offers *o = calloc(1, sizeof *o);
    size_t n = 0;
    o->from = a->peer->ledger;
    era_ledger_each_offered(o->from, collect, o);
    for (size_t i = 0; i < o->count; i++) {
        const struct era_item *x = era_ledger_find(a->peer->ledger, &o->items[i]);
        const struct era_item *y = era_ledger_find(b->peer->ledger, &o->items[i]);
        if (x->kind == ERA_KIND_EVIDENCE)
            cr_assert(y && y->offered, "seed %llu: evidence by one of two", (unsigned long long)seed);
        n += x->kind == ERA_KIND_EVIDENCE;
    }
    cr_assert_gt(n, 0);
    free(o);
}

/* Whatever was said is offered by both or by neither: nothing is left to exchange. Where faulty keys said
 * more than a place holds, its evidence is offered in place of what was said (R6). */
static void expect_settled(const struct node *a, const struct node *b, uint64_t seed)
{
    for (size_t i = 0; i < pool_count; i++) {
        const struct era_item *x = era_ledger_find(a->peer->ledger, &pool[i].item);
        const struct era_item *y = era_ledger_find(b->peer->ledger, &pool[i].item);
        if (pool[i].verified)
            cr_assert_eq(x && x->offered, y && y->offered, "seed %llu: %s %zu is offered by one of two",
                         (unsigned long long)seed, era_kind_name(pool[i].verified->kind), i);
    }
    expect_same_evidence(a, b, seed);
    expect_same_evidence(b, a, seed);
}

/* ---- the property ---- */

static struct era_hash digest_of(const struct node *n)
{
    return era_view_digest(n->peer->ledger);
}

/* What the pool must lead to, spelled out once. */
static void expect_view(struct peer *p, uint64_t seed)
{
    uint64_t void_seq = 0;
    unsigned long long s = (unsigned long long)seed;
    cr_assert_eq(head_seq(p, "network"), 7, "seed %llu: %llu", s, (unsigned long long)head_seq(p, "network"));
    cr_assert_str_eq(in_force(p, "network", 50), "2.3.0", "seed %llu", s);
    cr_assert_str_eq(in_force(p, "network", 24), "1.1.0", "seed %llu: dropped", s);
    cr_assert_eq(head_seq(p, "oracle"), 4, "seed %llu: %llu", s, (unsigned long long)head_seq(p, "oracle"));
    cr_assert(era_ledger_forked(p->ledger, given_component_index(c, "oracle"), &void_seq), "seed %llu", s);
    cr_assert_eq(void_seq, 6, "seed %llu", s);
    cr_assert_eq(head_seq(p, "storage"), 6, "seed %llu: %llu", s, (unsigned long long)head_seq(p, "storage"));
    cr_assert_str_eq(in_force(p, "storage", 40), "2.0.0", "seed %llu", s);
}

static void expect_same(const struct era_hash *want, const struct node *n, uint64_t seed, const char *where)
{
    struct era_hash got = digest_of(n);
    cr_assert(era_hash_eq(want, &got), "seed %llu: another view %s", (unsigned long long)seed, where);
}

/* Everything in one order, with duplicates. */
static struct node *alone(uint64_t seed)
{
    struct node *n = node_new(seed);
    for (size_t i = 0; i < pool_count; i++)
        for (uint64_t copies = 1 + (era_prng_below(&n->prng, 10) == 0); copies > 0; copies--)
            n->part[n->part_count++] = i;
    play(n);
    return n;
}

static void check_alone(const struct era_hash *want, uint64_t seed)
{
    struct node *n = alone(seed);
    expect_same(want, n, seed, "in one order");
    node_free(n);
}

static void check_split(const struct era_hash *want, uint64_t seed)
{
    struct node *a = node_new(seed), *b = node_new(~seed);
    for (size_t i = 0; i < pool_count; i++) {
        uint64_t share = era_prng_below(&a->prng, 5); /* a fifth goes to both */
        if (share < 3)
            a->part[a->part_count++] = i;
        if (share > 1)
            b->part[b->part_count++] = i;
    }
    play(a);
    play(b);
    reconcile(a, b, seed);
    expect_same(want, a, seed, "after reconciling");
    expect_same(want, b, seed, "on the other side");
    expect_settled(a, b, seed);
    node_free(a);
    node_free(b);
}

/* A start from what the disk holds, read in any order but for evidence. */
static void check_restart(const struct era_hash *want, uint64_t seed)
{
    struct node *n = alone(seed), *again = node_new(seed);
    size_t order[POOL_MAX];
    for (size_t i = 0; i < n->disk->count; i++)
        order[i] = i;
    shuffle(&n->prng, order, n->disk->count);
    for (int last = 0; last < 2; last++) /* evidence after all else */
        for (size_t i = 0; i < n->disk->count; i++) {
            const struct record *r = &n->disk->records[order[i]];
            struct era_envelope e;
            era_envelope_decode((struct era_bytes){r->bytes, r->len}, &e);
            if ((e.kind == ERA_KIND_EVIDENCE) == (last == 1))
                restore(again->peer, (struct era_bytes){r->bytes, r->len});
        }
    expect_same(want, again, seed, "after a restart");
    cr_assert_eq(era_ledger_count(again->peer->ledger), n->disk->count, "seed %llu: %zu of %zu",
                 (unsigned long long)seed, era_ledger_count(again->peer->ledger), n->disk->count);
    node_free(n);
    node_free(again);
}

static void check_orders(uint64_t first)
{
    given_pool();
    struct node *n = alone(first);
    struct era_hash want = digest_of(n);
    expect_view(n->peer, first);
    node_free(n);
    for (uint64_t seed = first; seed < first + ORDERS / PROGRAMS; seed++) {
        check_alone(&want, seed);
        check_split(&want, seed);
        if (seed % 10 == 0)
            check_restart(&want, seed);
    }
}

Test(order, C2_any_order_gives_one_view_1)
{
    check_orders(1);
}

Test(order, C2_any_order_gives_one_view_2)
{
    check_orders(1 + ORDERS / PROGRAMS);
}

Test(order, C2_any_order_gives_one_view_3)
{
    check_orders(1 + 2 * (ORDERS / PROGRAMS));
}

Test(order, C2_any_order_gives_one_view_4)
{
    check_orders(1 + 3 * (ORDERS / PROGRAMS));
}
