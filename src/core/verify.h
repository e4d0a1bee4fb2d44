/* verify: the only maker of a verified statement. Nothing reaches the ledger
 * but through here, from wire, disk and our own hand alike. Keeps R1, R3, R5
 * (a carrier is judged whole, R6).
 *
 * Signatures: libsodium's crypto_sign_verify_detached is the one acceptance
 * rule; another library would accept other adversarial signatures, and two
 * nodes would differ for ever. */
#ifndef ERA_CORE_VERIFY_H
#define ERA_CORE_VERIFY_H

#include "proto/charter.h"

/* A verified statement. Borrowed from the verifier and from the input until
 * the next era_verify on the same verifier. Only verify.c makes one. */
struct era_verified {
    uint32_t kind;
    struct era_bytes envelope; /* as received */
    struct era_bytes payload;
    struct era_key key; /* carriers: the proposal's author; evidence: whom it names */
    struct era_signature signature;
    struct era_hash id;   /* statement id; carriers: what they are about: proposal, charter, place (R6) */
    struct era_hash item; /* what dedupes, see proto/statement.h */
    int component;        /* index in the charter; -1 for announcements and events */
    int signer;    /* index in the component's signers (proposal, approve, reject, carriers); else -1 */
    int validator; /* index in the validators (attestation, readiness, announcement, event); else -1.
                      Authority only: an event's index among the emitters. */
    int next;      /* charter-approve, accept: index among the next charter's signers of `network` or
                      validators; else -1 */
    const struct era_statement *statement; /* carriers: the proposal */
    const struct era_carrier *carrier;     /* approved and certificate only, else NULL */
    const struct era_charter *charter; /* charter and charter-certificate: the next one, decoded; else NULL */
    const struct era_charter_certificate *succession; /* charter-certificate only, else NULL */
    const struct era_evidence *evidence; /* evidence only, else NULL; statement is then its first one */
};

struct era_verifier;

/* charter: borrowed, must outlive the verifier. network: hash of charter 0. */
struct era_verifier *era_verifier_new(const struct era_charter *charter, const struct era_hash *network);
void era_verifier_free(struct era_verifier *v); /* NULL-safe */

/* Who knows the charters proposed as the next one: accepts and approvals by its keys are judged by it. NULL
 * when there is none of that hash. Without this call none is known. */
typedef const struct era_charter *era_known_charter(void *ctx, const struct era_hash *hash);
/* Whether any charter that is known so names this key as a signer of `network`: evidence of two approvals may
 * be about charters that are not. */
typedef bool era_named_signer(void *ctx, const struct era_key *key);
void era_verifier_ask(struct era_verifier *v, era_known_charter *known, era_named_signer *named, void *ctx);

/* Decode and verify one envelope. On ERA_ACCEPTED *out is set. On every other
 * verdict *item is set when every copy of that item would be refused alike (so
 * that it is not asked for again), else zero: a forged copy must not keep out
 * the true one. why: static detail or NULL; may be NULL itself. */
enum era_verdict era_verify(struct era_verifier *v, struct era_bytes envelope,
                            const struct era_verified **out, struct era_hash *item, const char **why);
/* The same of one that was opened before (era_envelope_open, with the verifier's network). Its names are
 * taken as given: whoever hands it over computed them from these very bytes. */
enum era_verdict era_verify_opened(struct era_verifier *v, const struct era_opened *opened,
                                   const struct era_verified **out, struct era_hash *item, const char **why);

/* The name that its item would have, nothing checked. Who holds that item need
 * not verify a copy of it: a certificate costs thousands of signatures. False
 * when a carrier does not decode so far. */
bool era_verify_name(const struct era_verifier *v, const struct era_opened *opened, struct era_hash *item);

/* The one acceptance rule, for what is no statement: a peer's record of its address. */
bool era_signature_fits(const struct era_key *key, const struct era_hash *digest,
                        const struct era_signature *signature);

/* Signatures checked since the start: what a scenario or bench reports. */
uint64_t era_verifier_signatures(const struct era_verifier *v);

#endif
