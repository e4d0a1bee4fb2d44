/* charter: what makes a charter sensible, and what the rules read from it.
 * Pure: no clock, no file. Every function but era_charter_check expects a
 * charter in canonical order (proto/charter.h: lists strictly ascending);
 * the check expects lists that ascend, equal neighbours being what it finds. */
#ifndef ERA_CORE_CHARTER_H
#define ERA_CORE_CHARTER_H

#include "proto/charter.h"

/* One thing that the check has to say. */
struct era_charter_finding {
    bool error;     /* false: advice, the charter works as it is */
    char text[256]; /* what, and why it matters */
    char cure[160]; /* what to write instead */
    char where[96]; /* "component network", "validator alice", "network" */
};

/* Say what is wrong, then what is unwise, with charter c.
 * out   room for cap findings, errors first; more are dropped, so cap = 1 is enough to judge.
 * Returns the number of findings written. Keeps R13, R16 and the capacity rule of R6. */
size_t era_charter_check(const struct era_charter *c, struct era_charter_finding *out, size_t cap);

/* The check finds no error (advice is no error). */
bool era_charter_is_sound(const struct era_charter *c);

/* W: the stake of all validators, at most UINT64_MAX (the check refuses above ERA_STAKE_SUM_MAX). */
uint64_t era_charter_stake_sum(const struct era_charter *c);
/* Q = floor(2W/3) + 1 (protocol §1). */
uint64_t era_charter_quorum(const struct era_charter *c);

/* Index in the ascending list, or -1. */
int era_charter_validator_index(const struct era_charter *c, const struct era_key *key);
int era_charter_signer_index(const struct era_component *component, const struct era_key *key);
int era_charter_emitter_index(const struct era_charter *c, const struct era_key *key);
/* Borrowed from c; NULL when it has no such component. */
const struct era_component *era_charter_component(const struct era_charter *c, const char *id);

/* Loose statements that charter c lets stand at once in the ledger when a plan
 * has `artefacts` artefacts: window x (proposal, approve, reject of each signer
 * + readiness and one attestation per artefact of each validator) x two ids (R6). */
uint64_t era_charter_capacity(const struct era_charter *c, uint64_t artefacts);

/* "h1:" or "m1:" and the canonical base64 of 32 bytes, or "sha256:" and 64 lowercase hex digits. */
bool era_digest_valid(const char *digest);
/* 1 to ERA_NAME_BYTES_MAX characters of [a-z0-9._-]. */
bool era_name_valid(const char *name);

#endif
