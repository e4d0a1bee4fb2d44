/* peer: a ledger with its verifier: a node without a world. What it takes is
 * durable at once, unless a test offers and commits by hand. */
#ifndef ERA_TESTS_CORE_PEER_H
#define ERA_TESTS_CORE_PEER_H

#include "src/core/ledger.h"
#include "tests/lib/given.h"

struct peer {
    const struct era_charter *charter;
    struct era_verifier *verifier;
    struct era_ledger *ledger;
    struct era_plan *initial; /* one a component */
    uint64_t epoch;
};

/* At epoch 0. All peers are freed by peers_free, which ends every suite that has one. */
struct peer *given_peer(const struct era_charter *c);
/* The book of the charter that follows, at the same epoch; the plans go on. */
struct peer *given_heir(struct peer *older, const struct era_charter *c);
void peers_free(void);
void peer_free(struct peer *p);

/* Verify only. */
enum era_verdict verdict_on(struct peer *p, struct era_bytes envelope);
/* Verify and offer: *item is pending when ERA_ACCEPTED. item may be NULL. */
enum era_verdict offer(struct peer *p, struct era_bytes envelope, struct era_item **item);
/* Verify, offer, commit. */
enum era_verdict take(struct peer *p, struct era_bytes envelope);
/* The same, as from the disk at a start. */
enum era_verdict restore(struct peer *p, struct era_bytes envelope);
/* Its envelope, borrowed until the ledger is called again. */
struct era_bytes body_of(const struct peer *p, const struct era_item *item);
/* Take every carrier that can be made of what is held; returns how many were accepted. */
size_t assemble(struct peer *p);

/* What one offers and the other does not, each envelope handed to `learn` (NULL: to nobody); their number. */
size_t lacking(struct peer *from, struct peer *to, void (*learn)(void *ctx, struct era_bytes envelope),
               void *ctx);
/* Two compare what they offer, and each learns what it lacks of it; evidence is made. Rounds until both offer
 * the same; 100 when they never do. */
size_t rounds_to_agree(struct peer *a, struct peer *b);

/* One hears three words, another two of them, in every order: both end with the first two, and the third
 * nowhere. `said` gives them, ascending by id. */
void expect_two_lowest_in_every_order(struct peer *make(void), struct era_bytes said(size_t at));

/* What the ledger asked for since the last call: "offer approve, adopted 3, delete readiness". */
const char *changes(struct peer *p);
/* The version in force at an epoch, "none" when there is none. */
const char *in_force(struct peer *p, const char *component, uint64_t epoch);
/* Seq of the head, 0 for the initial record. */
uint64_t head_seq(struct peer *p, const char *component);
/* The candidate of a proposal; NULL when none. */
struct era_candidate *candidate(struct peer *p, const struct era_proposal *proposal);
/* The name that its item would have, unverified; false: it does not decode so far. */
bool reads_name(const struct peer *p, struct era_bytes envelope, struct era_hash *item);
/* What its ledger calls it. */
struct era_hash name_of(const struct peer *p, struct era_bytes envelope);
bool holds(struct peer *p, struct era_bytes envelope);
/* Held and part of reconciliation. */
bool offers(struct peer *p, struct era_bytes envelope);

#endif
