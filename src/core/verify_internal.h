/* verify_internal: what the verifier's files share. Not for others. */
#ifndef ERA_CORE_VERIFY_INTERNAL_H
#define ERA_CORE_VERIFY_INTERNAL_H

#include "src/core/verify.h"

struct era_verifier {
    const struct era_charter *charter;
    struct era_hash network;
    struct era_verified verified;
    struct era_statement statement;
    struct era_carrier carrier;
    bool has_carrier;
    uint64_t signatures;
};

/* The one signature check (counted). */
bool era_verifier_fits(struct era_verifier *v, const struct era_hash *id, const struct era_key *key,
                       const struct era_signature *signature);

#endif
