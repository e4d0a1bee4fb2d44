/* vote: may this key sign readiness (R4) or approve (R2, R3)? Is a slot ARMED?
 * Pure questions to the ledger; the answer is a verdict with its reason. A vote in flight
 * (pending) is a vote. */
#ifndef ERA_CORE_VOTE_H
#define ERA_CORE_VOTE_H

#include "src/core/lease.h"
#include "src/core/plan.h"

/* What erad itself computed from a built output (T5): per entry and artefact. */
struct era_rebuild {
    struct era_hash entry;
    char artefact[ERA_NAME_BYTES_MAX + 1];
    char digest[ERA_DIGEST_BYTES_MAX + 1];
};

struct era_voter {
    struct era_key key;
    const struct era_plan *initial; /* the component's plan before any adoption */
    uint64_t epoch;
    const struct era_rebuild *rebuilds; /* latest per (entry, artefact) */
    size_t rebuild_count;
    const char *const *artefacts; /* names this node runs; NULL: all of a plan */
    size_t artefact_count;
    const struct era_leases *leases; /* own, of this component; NULL: none */
};

/* R4: readiness by this validator for this candidate. ERA_ACCEPTED: sign it. why: static or NULL. */
enum era_verdict era_vote_readiness(const struct era_ledger *l, const struct era_candidate *c,
                                    const struct era_voter *voter, const char **why);

/* ARMED: past its deadline, above the floor, with readiness > W - Q: the slot can neither be forgotten, for a
 * quorum may be withheld, nor finished. */
bool era_vote_armed(const struct era_ledger *l, const struct era_candidate *c, uint64_t epoch);

/* R2, R3: approval by a signer. floor: the highest seq adopted or signed by
 * this key that its own record knows, 0 for none. In an authority-only network
 * `voted` are the plans it approved above the head (the extending rule). */
struct era_approver {
    const struct era_charter *charter;
    int component;
    const struct era_plan *head_plan; /* the head's, or the initial plan */
    struct era_head_ref head;
    uint64_t epoch;
    uint64_t signed_floor;
    const struct era_voted *voted;
    size_t voted_count;
};
enum era_verdict era_vote_approve(const struct era_approver *a, const struct era_proposal *p,
                                  const char **why);

/* The rebuild of one artefact of one entry, NULL when there is none. */
const struct era_rebuild *era_rebuild_find(const struct era_rebuild *rebuilds, size_t n,
                                           const struct era_hash *entry, const char *artefact);

#endif
