/* verify and ledger: any envelopes, one after another, into a node's memory.
 * Nobody forges a signature by chance, so a step may also be a payload that the
 * target signs by a named key. What verify refuses never reaches the ledger,
 * what the ledger took it does not take again (R1), and every carrier it makes
 * of what it holds is one that verify accepts (R6).
 *
 * Input: a byte, the number of steps that come from the disk; then steps
 * [who][kind][2 bytes length][bytes]: who 0: the bytes are an envelope; else
 * they are the payload of a statement by the who-th name. Of a charter and what is said about it the payload
 * is often this one: a byte below 8 draws it from a charter that follows (R10). */
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#include "src/core/charter.h"
#include "src/core/succession.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/given.h"

#define STEPS_MAX    64
#define CARRIERS_MAX 16 /* one step can complete, each approved or certificate */

static const char *const names[] = {"s1", "s2", "s3", "alice", "bob", "carol", "dave", "mallory"};
#define NAMES (sizeof names / sizeof names[0])

static struct given_key keys[NAMES];
static struct era_charter *charter, *nexts[2];

struct node {
    struct era_verifier *verifier;
    struct era_ledger *ledger;
    bool restoring;
};

static void given_once(void)
{
    if (charter)
        return;
    for (size_t i = 0; i < NAMES; i++)
        keys[i] = given_key(names[i]);
    charter =
        given_charter("alice:13 bob:13 carol:1 dave:13", "network k=2 signers=s1,s2,s3; "
                                                         "oracle k=1 signers=s1 artefacts=linux rebuild=1/3");
    nexts[0] = given_next_charter(charter, "alice:13 bob:13 dave:13", NULL, 20, 100);
    nexts[0]->overrides = true; /* k = 2 of 3 may stick */
    era_charter_seal(nexts[0]);
    nexts[1] = given_rival_charter(nexts[0]);
}

static const struct era_charter *known(void *ledger, const struct era_hash *hash)
{
    const struct era_successor *s = era_ledger_successor(ledger, hash);
    return s ? s->charter : NULL;
}

static bool named(void *ledger, const struct era_key *key)
{
    return era_ledger_names_signer(ledger, key);
}

static struct era_bytes make_about_next(const char *name, uint32_t kind, uint8_t which)
{
    const struct era_charter *next = nexts[which & 1];
    struct era_close *words = given_closing(next);
    if (which & 2)
        given_last(words, which);
    if (which & 4)
        given_named(words, "network", 7, next->hash);
    switch (kind) {
    case ERA_KIND_CHARTER:
        return given_charter_statement(next, name);
    case ERA_KIND_ACCEPT:
        return given_accept(next, name);
    case ERA_KIND_CLOSE:
        return given_close(next, name, words);
    case ERA_KIND_CHARTER_APPROVE:
        return given_charter_approve(next, name);
    default:
        return (struct era_bytes){0};
    }
}

/* The envelope of a statement about a charter that follows, by a name; len 0: none is drawn. What is given
 * stays: each is made once. */
static struct era_bytes about_next(uint8_t who, uint32_t kind, struct era_bytes in)
{
    static struct era_bytes made[NAMES][ERA_KIND_CHARTER_APPROVE + 1][8];
    size_t name = (who - 1u) % NAMES;
    if (in.len == 0 || in.data[0] >= 8)
        return (struct era_bytes){0};
    struct era_bytes *it = &made[name][kind][in.data[0]];
    if (it->len == 0)
        *it = make_about_next(names[name], kind, in.data[0]);
    return *it;
}

/* A statement's envelope, malloc'd into *own. */
static struct era_bytes signed_by(const struct given_key *who, uint32_t kind, struct era_bytes payload,
                                  uint8_t **own)
{
    struct era_envelope e = {.kind = kind, .payload = payload, .key = who->key};
    struct era_hash id = era_statement_id(&charter->hash, kind, payload);
    crypto_sign_detached(e.signature.b, NULL, id.b, sizeof id.b, who->secret);
    size_t size = era_envelope_bytes(&e);
    *own = malloc(size);
    assert(*own);
    return (struct era_bytes){*own, era_envelope_encode(&e, *own, size)};
}

static void look(struct node *n)
{
    struct era_change change;
    while (era_ledger_take_change(n->ledger, &change))
        assert(change.component < (int)charter->component_count);
    for (int c = 0; c < (int)charter->component_count; c++) {
        const struct era_slot *const *slots;
        size_t count = era_ledger_slots(n->ledger, c, &slots);
        for (size_t i = 0; i < count; i++) {
            assert(slots[i]->seq > era_ledger_floor(n->ledger, c));
            assert(i == 0 || slots[i - 1]->seq < slots[i]->seq);
            size_t carried = 0;
            for (const struct era_candidate *k = slots[i]->candidates; k; k = k->slot_next)
                carried += k->approved && k->approved->offered;
            assert(carried <= 2);
        }
        const struct era_adopted *adopted;
        size_t certificates = era_ledger_adopted(n->ledger, c, &adopted);
        for (size_t i = 2; i < certificates; i++)
            assert(adopted[i - 2].seq < adopted[i].seq);
    }
}

static enum era_verdict offer(struct node *n, struct era_bytes envelope, struct era_item **item)
{
    const struct era_verified *s = NULL;
    struct era_hash id, name;
    struct era_opened opened;
    enum era_verdict verdict = era_verify(n->verifier, envelope, &s, &id, NULL);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    assert(s && era_hash_eq(&id, &s->item) && !era_hash_is_zero(&id));
    assert(era_envelope_open(&charter->hash, envelope, &opened) == ERA_ACCEPTED);
    assert(era_verify_name(n->verifier, &opened, &name) && era_hash_eq(&id, &name));
    if (s->kind == ERA_KIND_EVENT)
        return ERA_DUPLICATE; /* not the ledger's */
    return era_ledger_offer(n->ledger, s, n->restoring ? ERA_EPOCH_MAX : 10, n->restoring, item);
}

static void take(struct node *n, struct era_bytes envelope)
{
    struct era_item *item;
    if (offer(n, envelope, &item) != ERA_ACCEPTED)
        return;
    assert(era_ledger_find(n->ledger, &item->item) == item);
    era_ledger_commit(n->ledger, item);
    look(n);
    assert(offer(n, envelope, &item) != ERA_ACCEPTED);
}

static void assemble(struct node *n)
{
    struct era_candidate *c;
    uint32_t kind;
    for (size_t made = 0; (c = era_ledger_assemblable(n->ledger, &kind)); made++) {
        assert(made < CARRIERS_MAX);
        const struct era_verified *s;
        struct era_hash item;
        uint8_t *bytes;
        struct era_bytes carrier = {.len = era_ledger_assemble(n->ledger, c, kind, &bytes)};
        carrier.data = bytes;
        enum era_verdict verdict = era_verify(n->verifier, carrier, &s, &item, NULL);
        assert(verdict == ERA_ACCEPTED);
        take(n, carrier);
        free(bytes);
    }
    uint8_t *bytes;
    bool too_large;
    for (size_t len; (len = era_ledger_assemble_charter(n->ledger, &bytes, &too_large)) > 0; free(bytes)) {
        const struct era_verified *s;
        struct era_hash item;
        struct era_bytes carrier = {bytes, len};
        assert(era_verify(n->verifier, carrier, &s, &item, NULL) == ERA_ACCEPTED);
        take(n, carrier);
    }
}

/* Tallies of charters are of distinct keys, and one adopted has them all. An approval may come before its
 * charter, of which nothing is counted until then. */
static void look_at_charters(const struct node *n)
{
    size_t adopted = 0;
    for (const struct era_successor *s = era_ledger_successors(n->ledger); s; s = s->next) {
        assert(s->accept_stake <= (s->charter ? era_charter_stake_sum(s->charter) : 0));
        assert(s->close_stake <= era_charter_stake_sum(charter));
        assert(!s->certificate || (s->charter && era_succession_complete(charter, s)));
        adopted += s->certificate != NULL;
    }
    assert(adopted <= ERA_IDS_PER_PLACE_MAX);
}

static void step(struct node *n, uint8_t who, uint8_t kind, struct era_bytes in)
{
    uint8_t *own = NULL;
    struct era_bytes envelope = in;
    uint32_t drawn = 1u + kind % ERA_KIND_CHARTER_APPROVE;
    if (who > 0 && (envelope = about_next(who, drawn, in)).len == 0)
        envelope = signed_by(&keys[(who - 1u) % NAMES], drawn, in, &own);
    take(n, envelope);
    assemble(n);
    look_at_charters(n);
    free(own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct era_siphash_key table_key = {{1, 2, 3}};
    if (size == 0)
        return 0;
    given_once();
    struct node n = {.verifier = era_verifier_new(charter, &charter->hash),
                     .ledger = era_ledger_new(charter, &charter->hash, &table_key)};
    era_verifier_ask(n.verifier, known, named, n.ledger);
    size_t at = 1;
    for (size_t i = 0; i < STEPS_MAX && at + 4 <= size; i++) {
        const uint8_t *head = data + at;
        size_t len = (size_t)head[2] << 8 | head[3];
        at += 4;
        if (len > size - at)
            len = size - at;
        n.restoring = i < data[0];
        step(&n, head[0], head[1], (struct era_bytes){data + at, len});
        at += len;
    }
    era_ledger_free(n.ledger);
    era_verifier_free(n.verifier);
    return 0;
}
