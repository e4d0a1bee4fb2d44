/* requirement: what a proposal needs to be approved and adopted (R3, R5), in
 * numbers read off the charter alone (R11: stakes are frozen in a version).
 * The verifier of carriers and the ledger's tallies ask the same functions. */
#ifndef ERA_CORE_REQUIREMENT_H
#define ERA_CORE_REQUIREMENT_H

#include "proto/charter.h"

/* k, or urgent k (D6). */
uint32_t era_approvals_needed(const struct era_component *component, const struct era_proposal *p);

/* Stake whose readiness adopts the plan: Q, for a plan that asks it also the
 * policy's "enough"; 0 in an authority-only network. */
uint64_t era_readiness_needed(const struct era_charter *c, const struct era_component *component,
                              const struct era_plan *plan);

/* Stake of matching attestations asked for each artefact; 0: none asked. */
uint64_t era_rebuild_needed(const struct era_charter *c, const struct era_component *component,
                            const struct era_plan *plan);

/* True when k can no longer be reached: so many keys rejected and did not
 * approve (R3). Display only: approved wins. */
bool era_approval_failed(uint32_t needed, size_t signers, size_t rejected_only);

/* Matching rebuilds, per artefact that a new breaking entry names. One
 * validator counts once an artefact; a mismatch counts nowhere and brands
 * nobody. */
struct era_match {
    size_t entry, artefact; /* indices into the plan */
    uint64_t stake;
    uint8_t *counted; /* one bit a validator */
};

struct era_match_tally {
    const struct era_charter *charter; /* borrowed */
    size_t count;
    struct era_match *matches; /* owned; NULL when none is asked */
};

void era_match_init(struct era_match_tally *t, const struct era_charter *c, const struct era_plan *plan);
void era_match_release(struct era_match_tally *t); /* NULL-safe */
/* The first artefact asked whose digest in the plan an attestation names; -1: it matches none. */
int era_match_first(const struct era_match_tally *t, const struct era_plan *plan,
                    const struct era_attestation *a);
/* Count a verified attestation. True when it fits. */
bool era_match_add(struct era_match_tally *t, const struct era_plan *plan, const struct era_attestation *a,
                   size_t validator);
/* Nothing that this validator attested counts any more. */
void era_match_drop(struct era_match_tally *t, size_t validator);
/* Every artefact has the policy's quorum. */
bool era_match_enough(const struct era_match_tally *t, const struct era_component *component);
/* The least stake over all artefacts; UINT64_MAX when none is asked. */
uint64_t era_match_least(const struct era_match_tally *t);

#endif
