#include "tests/core/peer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/plan.h"
#include "src/core/succession.h"
#include "src/core/view.h"

#define PEERS_MAX 16

static struct peer *peers[PEERS_MAX];

static const struct era_charter *known_charter(void *ledger, const struct era_hash *hash)
{
    const struct era_successor *s = era_ledger_successor(ledger, hash);
    return s ? s->charter : NULL;
}

static bool named_signer(void *ledger, const struct era_key *key)
{
    return era_ledger_names_signer(ledger, key);
}

struct peer *given_peer(const struct era_charter *c)
{
    static const struct era_siphash_key key = {{1, 2, 3}};
    struct era_hash network = given_root(c);
    struct peer *p = calloc(1, sizeof *p);
    p->charter = c;
    p->verifier = era_verifier_new(c, &network);
    p->ledger = era_ledger_new(c, &network, &key);
    era_verifier_ask(p->verifier, known_charter, named_signer, p->ledger);
    p->initial = calloc(c->component_count, sizeof *p->initial);
    for (size_t i = 0; i < c->component_count; i++)
        era_plan_initial(&c->components[i], &p->initial[i]);
    size_t at = 0;
    while (at < PEERS_MAX && peers[at])
        at++;
    cr_assert_lt(at, PEERS_MAX);
    peers[at] = p;
    return p;
}

struct peer *given_heir(struct peer *older, const struct era_charter *c)
{
    struct peer *p = given_peer(c);
    era_ledger_follow(p->ledger, older->ledger);
    p->epoch = older->epoch;
    for (size_t i = 0; i < c->component_count; i++) {
        const struct era_component *was = era_charter_component(older->charter, c->components[i].id);
        if (was)
            p->initial[i] = older->initial[was - older->charter->components];
    }
    return p;
}

void peer_free(struct peer *p)
{
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (peers[i] == p)
            peers[i] = NULL;
    era_ledger_free(p->ledger);
    era_verifier_free(p->verifier);
    free(p->initial);
    free(p);
}

void peers_free(void)
{
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (peers[i])
            peer_free(peers[i]);
}

enum era_verdict verdict_on(struct peer *p, struct era_bytes envelope)
{
    const struct era_verified *s;
    struct era_hash item;
    return era_verify(p->verifier, envelope, &s, &item, NULL);
}

static enum era_verdict offer_from(struct peer *p, struct era_bytes envelope, bool disk,
                                   struct era_item **item)
{
    const struct era_verified *s;
    struct era_hash id;
    enum era_verdict v = era_verify(p->verifier, envelope, &s, &id, NULL);
    return v == ERA_ACCEPTED ? era_ledger_offer(p->ledger, s, p->epoch, disk, item) : v;
}

enum era_verdict offer(struct peer *p, struct era_bytes envelope, struct era_item **item)
{
    struct era_item *ignored;
    return offer_from(p, envelope, false, item ? item : &ignored);
}

static enum era_verdict take_from(struct peer *p, struct era_bytes envelope, bool disk)
{
    struct era_item *item;
    enum era_verdict v = offer_from(p, envelope, disk, &item);
    if (v == ERA_ACCEPTED)
        era_ledger_commit(p->ledger, item);
    return v;
}

enum era_verdict take(struct peer *p, struct era_bytes envelope)
{
    return take_from(p, envelope, false);
}

enum era_verdict restore(struct peer *p, struct era_bytes envelope)
{
    return take_from(p, envelope, true);
}

struct era_bytes body_of(const struct peer *p, const struct era_item *item)
{
    struct era_bytes body;
    cr_assert(era_ledger_body(p->ledger, item, &body));
    return body;
}

size_t assemble(struct peer *p)
{
    struct era_candidate *c;
    uint32_t kind;
    size_t n = 0;
    while ((c = era_ledger_assemblable(p->ledger, &kind))) {
        uint8_t *bytes;
        size_t len = era_ledger_assemble(p->ledger, c, kind, &bytes);
        cr_assert_gt(len, 0);
        n += take(p, (struct era_bytes){bytes, len}) == ERA_ACCEPTED;
        free(bytes);
    }
    uint8_t *bytes;
    bool too_large;
    for (size_t len; (len = era_ledger_assemble_charter(p->ledger, &bytes, &too_large)) > 0; free(bytes))
        n += take(p, (struct era_bytes){bytes, len}) == ERA_ACCEPTED;
    return n;
}

const char *changes(struct peer *p)
{
    static const char *const names[] = {
        [ERA_CHANGE_OFFER] = "offer",     [ERA_CHANGE_WITHDRAW] = "withdraw",
        [ERA_CHANGE_DELETE] = "delete",   [ERA_CHANGE_EQUIVOCATION] = "equivocation",
        [ERA_CHANGE_ADOPTED] = "adopted", [ERA_CHANGE_APPROVED] = "approved",
        [ERA_CHANGE_FAILED] = "failed",   [ERA_CHANGE_CHARTER] = "charter",
        [ERA_CHANGE_ROOM] = "room"};
    static char text[4096];
    struct era_change c;
    text[0] = '\0';
    while (era_ledger_take_change(p->ledger, &c)) {
        size_t n = strlen(text);
        if (c.item_kind)
            snprintf(text + n, sizeof text - n, "%s%s %s", n ? ", " : "", names[c.kind],
                     era_kind_name(c.item_kind));
        else
            snprintf(text + n, sizeof text - n, "%s%s %llu", n ? ", " : "", names[c.kind],
                     (unsigned long long)c.seq);
    }
    return text;
}

const char *in_force(struct peer *p, const char *component, uint64_t epoch)
{
    struct era_view v;
    int i = given_component_index(p->charter, component);
    era_view_at(p->ledger, &p->initial[i], i, epoch, &v);
    const struct era_entry *e = era_view_entry(&v);
    return e ? e->record.version : "none";
}

uint64_t head_seq(struct peer *p, const char *component)
{
    const struct era_adopted *head = era_ledger_head(p->ledger, given_component_index(p->charter, component));
    return head ? head->seq : 0;
}

struct era_candidate *candidate(struct peer *p, const struct era_proposal *proposal)
{
    struct era_hash id = given_id(p->charter, proposal);
    return era_ledger_candidate(p->ledger, &id);
}

bool reads_name(const struct peer *p, struct era_bytes envelope, struct era_hash *item)
{
    struct era_opened opened;
    struct era_hash network = given_root(p->charter);
    return era_envelope_open(&network, envelope, &opened) == ERA_ACCEPTED &&
           era_verify_name(p->verifier, &opened, item);
}

struct era_hash name_of(const struct peer *p, struct era_bytes envelope)
{
    struct era_hash item;
    cr_assert(reads_name(p, envelope, &item));
    return item;
}

static const struct era_item *find(struct peer *p, struct era_bytes envelope)
{
    struct era_hash item = name_of(p, envelope);
    return era_ledger_find(p->ledger, &item);
}

bool holds(struct peer *p, struct era_bytes envelope)
{
    return find(p, envelope) != NULL;
}

bool offers(struct peer *p, struct era_bytes envelope)
{
    const struct era_item *held = find(p, envelope);
    return held && held->offered;
}

/* ---- two that compare their sets ---- */

#define OFFERED_MAX 512

struct set {
    struct peer *of;
    size_t count;
    struct era_bytes bodies[OFFERED_MAX];
};

static void gather(void *ctx, const struct era_item *item)
{
    struct set *set = ctx;
    struct era_bytes body = body_of(set->of, item);
    uint8_t *copy = malloc(body.len);
    memcpy(copy, body.data, body.len);
    cr_assert_lt(set->count, OFFERED_MAX);
    set->bodies[set->count++] = (struct era_bytes){copy, body.len};
}

size_t lacking(struct peer *from, struct peer *to, void (*learn)(void *ctx, struct era_bytes envelope),
               void *ctx)
{
    struct set *set = calloc(1, sizeof *set);
    size_t n = 0;
    set->of = from;
    era_ledger_each_offered(from->ledger, gather, set);
    for (size_t i = 0; i < set->count; i++) {
        if (!offers(to, set->bodies[i])) {
            n++;
            if (learn)
                learn(ctx, set->bodies[i]);
        }
        free((void *)set->bodies[i].data);
    }
    free(set);
    return n;
}

static void learn(void *peer, struct era_bytes envelope)
{
    take(peer, envelope);
}

static void make_evidence(struct peer *of)
{
    uint8_t *bytes;
    for (size_t len; (len = era_ledger_assemble_evidence(of->ledger, &bytes)) > 0; free(bytes))
        take(of, (struct era_bytes){bytes, len});
}

size_t rounds_to_agree(struct peer *a, struct peer *b)
{
    size_t rounds = 0;
    for (; rounds < 100 && lacking(a, b, NULL, NULL) + lacking(b, a, NULL, NULL) > 0; rounds++) {
        lacking(a, b, learn, b);
        lacking(b, a, learn, a);
        make_evidence(a);
        make_evidence(b);
    }
    return rounds;
}

void expect_two_lowest_in_every_order(struct peer *make(void), struct era_bytes said(size_t at))
{
    static const size_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < 6; k++) {
            struct peer *heard[] = {make(), make()};
            for (size_t n = 0; n < 3; n++) {
                take(heard[0], said(orders[i][n]));
                if (n < 2)
                    take(heard[1], said(orders[k][n]));
            }
            cr_expect_lt(rounds_to_agree(heard[0], heard[1]), 10, "orders %zu and %zu", i, k);
            for (size_t n = 0; n < 2; n++) {
                cr_expect(offers(heard[n], said(0)) && offers(heard[n], said(1)), "%zu, %zu", i, k);
                cr_expect(!holds(heard[n], said(2)), "%zu, %zu", i, k);
                peer_free(heard[n]);
            }
        }
}
