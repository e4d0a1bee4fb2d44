/* succession: from one charter to the next (R10). The ledger of charter c also
 * holds what is said of c + 1: charters proposed, approvals of old and new
 * signers, accepts of its validators, closes of the old ones, and the
 * certificate that adopts it. Here are the questions to that; pure.
 *
 * c is "old", c + 1 "new". Indices of old signers and validators are those of
 * c, of new ones those of c + 1. */
#ifndef ERA_CORE_SUCCESSION_H
#define ERA_CORE_SUCCESSION_H

#include "src/core/ledger.h"
#include "src/core/plan.h"

/* One close, decoded. Owned by its successor. */
struct era_closed {
    uint32_t validator; /* old */
    struct era_signature signature;
    struct era_bytes payload;
    struct era_close *text;
};

/* A charter that somebody spoke about as the next one. Counts only durable
 * statements, loose and from the certificate alike; never shrinks (R8). */
struct era_successor {
    struct era_hash hash;
    struct era_charter *charter;               /* NULL until its statement or certificate is held */
    struct era_bytes bytes;                    /* canonical */
    uint64_t old_approved_by, new_approved_by; /* bit a signer of `network` */
    struct era_signature old_approvals[ERA_SIGNERS_MAX], new_approvals[ERA_SIGNERS_MAX];
    uint8_t *accepted_by, *closed_by; /* bit a validator: new, old */
    size_t accept_count, accept_cap;
    struct era_ready *accepts; /* new validators */
    uint64_t accept_stake, close_stake;
    size_t close_count, close_cap;
    struct era_closed *closes;          /* an equivocating validator's two stand both here */
    const struct era_item *certificate; /* durable, or NULL */
    uint64_t counts_from; /* first epoch that counts under it, once it has a certificate; only falls */
    bool assembling, touched;
    bool backed; /* an old signer approves it, and no other */
    bool held;   /* an old signer approves it, pending or another too; or evidence is to be made of a word */
    bool stands; /* it has a certificate, or is proposed by what is offered */
    struct era_successor *next;
};

/* What a charter must be to follow another: version, parent, clock and name, a bound for every component of
 * the old one, and sound by itself. why: static. ERA_UNKNOWN_CHARTER when it follows another one. */
enum era_verdict era_succession_fits(const struct era_charter *old, const struct era_charter *next,
                                     const char **why);
/* No slot above the bound can have been voted in by one who closes for this charter. */
enum era_verdict era_succession_close_fits(const struct era_close *close, const struct era_charter *next);

/* Its charter, which is known, names this key as a signer of `network`. */
bool era_succession_names_signer(const struct era_successor *s, const struct era_key *key);

/* k of the old and k of the new signers of `network`, and accepts of stake >= Q of the new charter. */
bool era_succession_approved(const struct era_charter *old, const struct era_successor *s);
/* The same and closes of stake >= Q of the old one: adopted. */
bool era_succession_complete(const struct era_charter *old, const struct era_successor *s);

/* May this signer approve s: only with accepts of stake >= Q_new in hand; one id a version. key: to see what
 * it said; its own record says the rest. */
enum era_verdict era_succession_may_approve(const struct era_ledger *l, const struct era_successor *s,
                                            const struct era_key *key, const char **why);
/* May this old validator close for s, and with what words: last (has_last), its heads, and every slot above
 * them that it voted in. ERA_ALREADY_SIGNED: it closed for another. ERA_DUPLICATE: it did, and be it known
 * through the certificate alone. */
enum era_verdict era_succession_may_close(const struct era_ledger *l, const struct era_successor *s,
                                          const struct era_key *key, bool has_last, uint64_t last,
                                          struct era_close *out, const char **why);
/* This key's own close in this ledger (pending counts), NULL: none. */
const struct era_item *era_succession_own_close(const struct era_ledger *l, const struct era_key *key);

/* After its close a key leases no epoch of this charter from the new one's effective epoch on, above `last`.
 */
bool era_succession_bars_lease(const struct era_ledger *l, const struct era_key *key, uint64_t epoch);

/* The first epoch e, not before its effective one, for which closes of stake >= Q_old have last < e;
 * UINT64_MAX: none. Of two closes of one validator either will do: the quorum bears faulty ones, and what
 * counts once must go on counting (R8). Time O(n log n) in closes: kept as counts_from. */
uint64_t era_succession_counts_from(const struct era_charter *old, const struct era_successor *s);
/* Whether epoch e counts under the charter that follows l's: one is adopted, and e >= its counts_from. */
bool era_succession_counts_next(const struct era_ledger *l, uint64_t epoch);

/* Slots of older charters above the head that bind a validator of l's charter: those it voted in itself, and
 * those that any close names. Into out[cap]; returns their number. A plan that is not known here is NULL.
 * p: left out are slots of charters whose hash is among its drops; NULL: none is. A close may name what is no
 * proposal at all, and more of it than fits the drops: one faulty validator would stop a component for ever.
 */
size_t era_succession_inherited(const struct era_ledger *l, int component, const struct era_key *key,
                                const struct era_proposal *p, struct era_voted *out, size_t cap);
#define ERA_INHERITED_MAX 4096 /* more can only be dropped by their charter's hash */

/* A slot of a charter that follows another adds or drops entries only at epochs that count under it: new
 * entries, those of prev_plan that it drops, and those to come of plans voted in above it that it leaves out.
 * What it drops unseen, it drops only once `epoch`, the voter's own, counts. */
enum era_verdict era_succession_may_change(const struct era_ledger *l, const struct era_extending *x,
                                           const struct era_proposal *p, const char **why);
/* Whether `epoch` counts under l's charter, as far as the one before it goes. */
bool era_succession_counts_here(const struct era_ledger *l, uint64_t epoch);

#endif
