/* proof: is this certificate a proof? A second implementation of what
 * src/core/verify asks, sharing nothing with it: given a charter it recomputes
 * everything from the bytes (decoder and libsodium only). Keeps R1, R3, R5, R10.
 *
 * Stateless; never looks at prev's plan, time or other slots: what a carrier
 * says alone decides (R9). Texts returned are static. */
#ifndef ERA_ERASIM_PROOF_H
#define ERA_ERASIM_PROOF_H

#include "proto/charter.h"

/* The envelope is a certificate that adopts `proposal` under charter c of this network.
 * NULL: proven. Else what it lacks. */
const char *proof_certificate(const struct era_charter *c, const struct era_hash *network,
                              const struct era_hash *proposal, struct era_bytes envelope);

/* The envelope is a certificate that makes `next` (its hash) follow `old`. NULL: proven. */
const char *proof_charter(const struct era_charter *old, const struct era_hash *network,
                          const struct era_hash *next, struct era_bytes envelope);

/* Ids as R1 says them, by the same hand. */
struct era_hash proof_statement_id(const struct era_hash *network, uint32_t kind, struct era_bytes payload);
struct era_hash proof_loose_item(const struct era_hash *id, const struct era_key *key);
struct era_hash proof_carrier_item(uint32_t kind, const struct era_hash *what);

/* W and Q of a charter, by hand. */
uint64_t proof_stake_sum(const struct era_charter *c);
uint64_t proof_quorum(const struct era_charter *c);
/* stake >= fraction of W, exactly. */
bool proof_reaches(const struct era_charter *c, struct era_fraction part, uint64_t stake);

#endif
