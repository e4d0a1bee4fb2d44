/* given: what tests stand on: keys named after people, charters and statements
 * in one line. Keys come from names alone, so that every run signs the same bytes.
 *
 * Whatever is returned by pointer or span lives until the process ends (one
 * Criterion test is one process): nothing here is freed by a test, and nothing
 * is a leak. Lists of names are separated by spaces: "alice bob".
 * A misspelt name or option aborts and says which. No input or output. */
#ifndef ERA_TESTS_LIB_GIVEN_H
#define ERA_TESTS_LIB_GIVEN_H

#include "proto/charter.h"

/* ---- keys ---- */

struct given_key {
    struct era_key key;
    uint8_t secret[ERA_SECRET_BYTES];
};

/* The key pair of a name. */
struct given_key given_key(const char *name);

/* ---- charters ---- */

/* validators   "alice:10 bob:10": name and stake.
 * components   "network k=2 signers=s1,s2,s3; oracle k=1 signers=s1": each an id and options:
 *              k, urgent_k (k), notice (2), urgent_notice (1), enough (2/3), rebuild (0/1),
 *              signers, version (1.0.0) and software (no range) of the initial record,
 *              artefacts (none; digests are given_digest of "NAME VERSION").
 * Charter 0 with epochs of 1000 ms from 0, 10 events an epoch; sorted and sealed.
 * Its hash is the network id. */
struct era_charter *given_charter(const char *validators, const char *components);
/* The same with authority_only; emitters may sign events. */
struct era_charter *given_authority(const char *emitters, const char *components);

/* The charter that follows c: validators and components as above, NULL: those of c. Epochs from `effective`
 * on may count under it; of every component of c it carries the slots up to `carried`. Sorted and sealed.
 * What is signed under it is signed for the network of charter 0. */
struct era_charter *given_next_charter(const struct era_charter *c, const char *validators,
                                       const char *components, uint64_t effective, uint64_t carried);
/* One more, which differs from next in nothing that matters. */
struct era_charter *given_rival_charter(const struct era_charter *next);
/* Hash of its charter 0. */
struct era_hash given_root(const struct era_charter *c);

/* Indices in the charter's ascending lists. */
int given_component_index(const struct era_charter *c, const char *component);
int given_validator_index(const struct era_charter *c, const char *name);
int given_signer_index(const struct era_charter *c, const char *component, const char *name);

/* "sha256:…" of a text. */
const char *given_digest(const char *of);

/* ---- proposals ---- */

/* The plan that holds the initial record alone; no head. Expires never. */
struct era_proposal *given_proposal(const struct era_charter *c, const char *component, uint64_t seq);
/* The head's plan with nothing new, for a higher slot, on that head. */
struct era_proposal *given_next(const struct era_charter *c, const struct era_proposal *head, uint64_t seq);
/* The same under charter c, on a head of charter `old`. */
struct era_proposal *given_after(const struct era_charter *c, const struct era_charter *old,
                                 const struct era_proposal *head, uint64_t seq);
/* A copy, to change one thing. */
struct era_proposal *given_copy(const struct era_proposal *p);

/* Append a new entry; the record is the last one's with the version and what the class asks for. All return
 * p. Breaking ones take the next era, are named "era N" and, like overrides, have the digests of their
 * version. */
struct era_proposal *given_soft(struct era_proposal *p, uint64_t effective, const char *version);
struct era_proposal *given_breaking(struct era_proposal *p, uint64_t effective, const char *version);
struct era_proposal *given_override(struct era_proposal *p, uint64_t effective, const char *version);
/* A breaking one without an epoch (M4). */
struct era_proposal *given_announced(struct era_proposal *p, const char *version);
/* Artefacts "linux mac" of the last entry, digests of its version. */
struct era_proposal *given_artefacts(struct era_proposal *p, const char *names);
/* The last entry requires this range of software. */
struct era_proposal *given_requires(struct era_proposal *p, const char *software);
/* Name a hash (an entry's, a proposal's id) among the drops, and leave out the entry that has it. */
struct era_proposal *given_drop(struct era_proposal *p, struct era_hash what);
/* Leave out the entries before this one: the plan begins with it. */
struct era_proposal *given_from(struct era_proposal *p, size_t first);
/* Recompute the entries' hashes after a change by hand. Returns p. */
struct era_proposal *given_seal(struct era_proposal *p);
/* The entry at an index. */
struct era_hash given_entry(const struct era_proposal *p, size_t index);

/* The id of the proposal's statement. */
struct era_hash given_id(const struct era_charter *c, const struct era_proposal *p);
/* As a head: what a plan built on it names as prev. */
struct era_head_ref given_head(const struct era_charter *c, const struct era_proposal *p);

/* ---- signed envelopes; who: a name ---- */

struct era_bytes given_signed(const struct era_charter *c, const char *who, const struct era_statement *s);
struct era_bytes given_proposed(const struct era_charter *c, const char *who, const struct era_proposal *p);
struct era_bytes given_approve(const struct era_charter *c, const char *who, const struct era_proposal *p);
struct era_bytes given_reject(const struct era_charter *c, const char *who, const struct era_proposal *p,
                              const char *reason);
struct era_bytes given_ready(const struct era_charter *c, const char *who, const struct era_proposal *p);
struct era_bytes given_attest(const struct era_charter *c, const char *who, const struct era_proposal *p,
                              const char *artefact, const char *digest);
/* An announcement of an epoch by a node that runs this software. */
struct era_announcement given_running(const struct era_charter *c, uint64_t epoch, const char *software);
struct era_bytes given_announce(const struct era_charter *c, const char *who,
                                const struct era_announcement *a);
struct era_bytes given_event(const struct era_charter *c, const char *who, uint64_t epoch,
                             struct era_hash entry, uint64_t seq, const char *payload);

/* ---- about the charter that follows; next: that one ---- */

struct era_bytes given_charter_statement(const struct era_charter *next, const char *who);
struct era_bytes given_charter_approve(const struct era_charter *next, const char *who);
struct era_bytes given_accept(const struct era_charter *next, const char *who);
/* A close that names nothing; and more of its words. Both return it. */
struct era_close *given_closing(const struct era_charter *next);
struct era_close *given_last(struct era_close *close, uint64_t last);
struct era_close *given_named(struct era_close *close, const char *component, uint64_t seq,
                              struct era_hash proposal);
/* words NULL: a close that names nothing. */
struct era_bytes given_close(const struct era_charter *next, const char *who, const struct era_close *words);

/* The parts, to be changed before they are sealed: signers of `network` of the old charter and of next,
 * validators of next, and validators of the old one, who all close with the same words. */
struct era_charter_certificate *given_succession(const struct era_charter *next, const char *old_signers,
                                                 const char *new_signers, const char *accepts,
                                                 const char *closes, const struct era_close *words);
struct era_bytes given_succession_sealed(const struct era_charter_certificate *k);
struct era_bytes given_charter_certificate(const struct era_charter *next, const char *old_signers,
                                           const char *new_signers, const char *accepts, const char *closes);

/* ---- carriers ---- */

/* The parts, to be changed before they are sealed. author signs the proposal;
 * every attester attests every artefact of new entries with the plan's digest. */
struct era_carrier *given_carrier(const struct era_charter *c, const struct era_proposal *p,
                                  const char *author, const char *approvers, const char *ready,
                                  const char *attesters);
struct era_bytes given_sealed(uint32_t kind, const struct era_carrier *k);

struct era_bytes given_approved(const struct era_charter *c, const struct era_proposal *p, const char *author,
                                const char *approvers);
struct era_bytes given_certificate(const struct era_charter *c, const struct era_proposal *p,
                                   const char *author, const char *approvers, const char *ready,
                                   const char *attesters);

/* Evidence of two envelopes by one key, in whichever order they are given. */
struct era_bytes given_evidence(struct era_bytes a, struct era_bytes b);

/* A copy whose byte at an offset from the end (1: the last) is another one. */
struct era_bytes given_flipped(struct era_bytes b, size_t from_end);

/* What tells the item of an envelope apart. */
struct era_hash given_item(const struct era_charter *c, struct era_bytes envelope);

#endif
