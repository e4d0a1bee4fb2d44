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
    struct era_charter next; /* the charter that follows, of a statement about it */
    struct era_charter_certificate succession;
    bool has_next, has_succession;
    struct era_evidence evidence;
    struct era_statement second; /* of an evidence */
    era_known_charter *known;
    era_named_signer *named;
    void *known_ctx;
    uint64_t signatures;
};

/* The one signature check (counted). */
bool era_verifier_fits(struct era_verifier *v, const struct era_hash *id, const struct era_key *key,
                       const struct era_signature *signature);

/* verify_charter.c (R10) */
enum era_verdict era_verify_succession(struct era_verifier *v, const struct era_envelope *e,
                                       const char **why);
enum era_verdict era_verify_charter_certificate(struct era_verifier *v, const struct era_envelope *e,
                                                const char **why);
bool era_verify_charter_name(const struct era_envelope *e, struct era_hash *item);
void era_verifier_clear_next(struct era_verifier *v);

/* verify.c: whose word a loose statement of any other kind is. */
enum era_verdict era_verify_role(const struct era_charter *c, const struct era_statement *s,
                                 struct era_verified *out);

/* verify_evidence.c (R8) */
enum era_verdict era_verify_evidence(struct era_verifier *v, const struct era_envelope *e);
bool era_verify_evidence_name(const struct era_envelope *e, struct era_hash *item);

#endif
