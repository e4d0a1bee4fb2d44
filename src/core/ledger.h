/* ledger: the statements this node has accepted, their tallies, and what was
 * adopted. Keeps R1 (dedupe by id and key), R6 (caps, carriers), R8 (tallies
 * never shrink), R9 (what lies below the head is collected).
 *
 * Two steps: era_ledger_offer takes a verified statement in as *pending* - it
 * dedupes, caps and binds (R4: a vote in flight is a vote) but counts nowhere -
 * and era_ledger_commit makes it count once the store said it is durable.
 * era_ledger_abandon takes a pending one out again.
 *
 * Invariants: at most two ids per (key, kind, place), of attestations two per
 * artefact that a record may name, of rejects one per signer and two, of
 * proposals also what a signer approves: always the same ones, in whatever order
 * they came (ledger_claims.c); one evidence a place, the first, and then the two
 * ids that it names besides; of a slot's carriers of one kind those of the two
 * lowest proposal ids, and approved ones that words hold (ledger_carriers.c);
 * items, slots and candidates are bounded by
 * era_charter_capacity. Never reads a clock, and a disk only through bodies.h:
 * an item's envelope is in memory until it is durable, and read again when it
 * is asked for. */
#ifndef ERA_CORE_LEDGER_H
#define ERA_CORE_LEDGER_H

#include "src/base/prng.h"
#include "src/core/bodies.h"
#include "src/core/requirement.h"
#include "src/core/verify.h"

/* One held statement or carrier, in 64 bytes: there may be a million. Owned by the ledger, at one address as
 * long as it is held. */
struct era_item {
    struct era_hash item;
    uint64_t seq : 53; /* announcement, checkpoint: epoch; about the next charter: its version */
    uint64_t kind : 6;
    uint64_t durable : 1;
    uint64_t equivocal : 1; /* its key has a second id in this place */
    uint64_t offered : 1;   /* part of reconciliation */
    uint64_t derived : 1;   /* known by its evidence alone: it has no record on disk */
    uint64_t past : 1;      /* evidence of a place that is dominated: for people */
    union {
        struct era_candidate *candidate; /* slot kinds; NULL once an adoption dominated it while pending */
        struct era_successor *successor; /* statements about the next charter */
        struct place *proves;            /* evidence; NULL when it is past */
    };
    /* Numbers of items; 0: none. */
    uint32_t list_next;  /* of its slot, line or charter, or of the evidence */
    uint32_t place_next; /* in its place: what came next */
    uint32_t who;        /* number of the key that said it; see ledger_internal.h */
    int16_t next;        /* accept, approval of a charter: index among its validators, its signers; else -1 */
    int8_t component;    /* -1: of none */
    int8_t signer;
};

struct era_ready {
    uint32_t validator;
    struct era_signature signature;
};

/* What an attestation says, borrowed for a visit. */
struct era_attested {
    uint32_t validator;
    struct era_signature signature;
    struct era_bytes payload;
    bool matched; /* digest is the plan's */
    int match;    /* the first match of the candidate's tally; -1: none */
    const struct era_item *item;
    const struct era_attestation *text;
};

struct era_rejected {
    int signer;
    char reason[ERA_TEXT_BYTES_MAX + 1];
};

/* A proposal id that somebody spoke about in a slot: all that is known of it.
 * Counts only durable statements, loose and from carriers alike. */
struct era_candidate {
    struct era_hash proposal;
    int component;
    uint64_t charter_version, seq;
    bool known;               /* the proposal itself is held */
    struct era_bytes payload; /* owned; the proposal as signed */
    struct era_key author;
    struct era_signature author_signature;
    struct era_plan *plan; /* owned, decoded; NULL until known */
    bool urgent;
    uint64_t expiry;
    uint32_t approvals_needed;
    uint64_t readiness_needed;
    uint64_t approved_by, rejected_by; /* bit a signer */
    struct era_signature *approvals;   /* one a signer, valid where the bit is set */
    size_t reject_count;
    struct era_rejected *rejects;
    uint8_t *ready_by; /* bit a validator; NULL: none */
    uint64_t ready_stake;
    size_t ready_count;
    size_t attested_count;                         /* loose ones */
    struct era_match_tally matches;                /* once known */
    const struct era_item *approved, *certificate; /* durable carriers, or NULL */
    bool assembling;                               /* a carrier of ours is pending */
    bool stands; /* one who proposes it is heard (R6), or it is approved: what is said of it may count */
    bool stood;  /* before that was judged last */
    uint64_t backed_by; /* bit a signer: it approves this one, and no other in the slot */
    size_t items;       /* held that speak of it, pending ones included */
    bool told_approved, told_failed;
    struct era_candidate *slot_next;
    /* Tallies changed since the last era_ledger_assemblable; where the pointer to it is, or NULL. */
    struct era_candidate *touched_next, **touched_at;
};

/* One slot above the floor that anything was said about. */
struct era_slot {
    uint64_t seq;
    struct era_candidate *candidates;
    uint32_t items;                       /* the last one that came; see era_item */
    size_t approved_ids, certificate_ids; /* items, pending ones included; see ledger_carriers.c */
    bool capped;                          /* a claim was refused that may fit once another stands */
};

/* An adopted proposal: its certificate is durable. */
struct era_adopted {
    uint64_t charter_version, seq;
    struct era_hash proposal;
    const struct era_item *certificate; /* owned by the adopted list */
    struct era_plan *plan;              /* owned */
    struct era_bytes payload;           /* owned; the proposal as signed */
    struct era_key author;
    struct era_signature author_signature;
    bool urgent;
};

/* What the node must do after a commit: the ledger's only way to speak. */
enum era_change_kind {
    ERA_CHANGE_OFFER,        /* the item joined reconciliation */
    ERA_CHANGE_WITHDRAW,     /* it left */
    ERA_CHANGE_DELETE,       /* it left the ledger: delete it from the store too */
    ERA_CHANGE_EQUIVOCATION, /* a key said two things in one place (N4), once a place: item is the second, or
                                the evidence */
    ERA_CHANGE_ADOPTED,      /* component: a certificate was committed */
    ERA_CHANGE_APPROVED,     /* component, candidate: reached k */
    ERA_CHANGE_FAILED,       /* component, candidate: k can no longer be reached (T4) */
    ERA_CHANGE_CHARTER,      /* item: hash of the charter; its certificate was committed (R10) */
    ERA_CHANGE_ROOM          /* what was refused as capped may fit now: ask for it again */
};

struct era_change {
    enum era_change_kind kind;
    uint32_t item_kind;
    struct era_hash item; /* item id; ADOPTED, APPROVED, FAILED: proposal id */
    int component;
    uint64_t seq;
    int signer, validator;
};

struct era_ledger;
struct era_successor; /* succession.h */

/* charter: borrowed for the ledger's life. network: hash of charter 0. */
struct era_ledger *era_ledger_new(const struct era_charter *charter, const struct era_hash *network,
                                  const struct era_siphash_key *key);
void era_ledger_free(struct era_ledger *l); /* NULL-safe */
/* Where the envelopes of durable items can be read; see bodies.h. Before anything is offered. */
void era_ledger_read_with(struct era_ledger *l, era_body_read *read, void *ctx);
/* A load is over: only what cannot be read from there is kept in memory. */
void era_ledger_rest(struct era_ledger *l);
/* The ledger of the charter before l's: what was adopted there stands until a slot of l's charter is adopted,
 * up to the bound that l's charter carries (R10). Borrowed; must outlive l. */
void era_ledger_follow(struct era_ledger *l, struct era_ledger *older);
/* All but evidence is read from the disk, and the own epoch is known: lines are judged by it from now on, and
 * pruned. Before it, nothing that a clock left there says what is past. A ledger that reads no disk needs
 * none.
 */
void era_ledger_start(struct era_ledger *l, uint64_t epoch);
/* Evidence is read too: what nobody is bound to may go from now on. Before it, words that count (R8), and
 * that evidence alone holds, are not known. A ledger that reads no disk needs none. */
void era_ledger_complete(struct era_ledger *l);
/* Its charter is two behind and counts no more: everything loose goes but announcements for `epoch` and later
 * ones, and is taken no more; what was adopted stays, and closes. Again with every epoch. */
void era_ledger_retire(struct era_ledger *l, uint64_t epoch);

/* Offer one verified statement.
 * epoch      the local epoch of this step: bounds announcements.
 * from_disk  history: a certificate below the head is taken as history; window, epoch and room
 *            bound nothing, for what was taken in once (an own vote!) must be known again.
 *            Commit it before the next is offered. Evidence comes after all else and
 *            after era_ledger_start: of a place that was overtaken it is history.
 * Returns ERA_ACCEPTED (*out is the pending item, until commit or abandon), or
 * why not: ERA_DUPLICATE, ERA_DOMINATED, ERA_BEYOND_WINDOW, ERA_CAPPED,
 * ERA_FULL, ERA_WRONG_EPOCH; what is held is then unchanged. Events are not
 * the ledger's: asserts. A second certificate of a slot is ERA_FULL when so
 * many slots are void that the head below them had to be forgotten. */
enum era_verdict era_ledger_offer(struct era_ledger *l, const struct era_verified *s, uint64_t epoch,
                                  bool from_disk, struct era_item **out);
/* The store said durable: the item counts from now on. May free it or others
 * (what an adoption dominates): do not touch item afterwards. */
void era_ledger_commit(struct era_ledger *l, struct era_item *item);
/* The store could not keep it: forget it, unless evidence that is durable says it too: then it counts (R8).
 */
void era_ledger_abandon(struct era_ledger *l, struct era_item *item);

/* Next change since the last call, oldest first; false when there is none. */
bool era_ledger_take_change(struct era_ledger *l, struct era_change *out);

/* A candidate whose carrier of this kind (approved, certificate) can be made
 * now and is neither held nor pending. NULL: none. */
struct era_candidate *era_ledger_assemblable(struct era_ledger *l, uint32_t *kind);
/* That carrier's envelope, malloc'd (caller frees); 0 when too large, or when too many of its parts cannot be
 * read: it is then made when the next one comes. */
size_t era_ledger_assemble(struct era_ledger *l, struct era_candidate *c, uint32_t kind, uint8_t **out);

/* The certificate of a charter that is complete and neither held nor pending, as an envelope, malloc'd
 * (caller frees); 0: none. ERA_OVERSIZED ones are told once by *too_large. */
size_t era_ledger_assemble_charter(struct era_ledger *l, uint8_t **out, bool *too_large);

/* Evidence of a place in which a key said two things, neither held nor pending, as an envelope, malloc'd
 * (caller frees); 0: none. */
size_t era_ledger_assemble_evidence(struct era_ledger *l, uint8_t **out);

/* ---- reading ---- */
/* Durable evidence: what proves words that are held, offered or not, and of dominated places the last
 * ERA_EVIDENCE_KEPT_MAX; newest first, up to cap. Returns the number there is. */
size_t era_ledger_evidence(const struct era_ledger *l, const struct era_item **out, size_t cap);
/* Stake that said this of a component's state at an epoch (P6). */
uint64_t era_ledger_checkpoint_stake(const struct era_ledger *l, int component, uint64_t at,
                                     const struct era_hash *entry, const char *digest);
/* The charters spoken about as the next one; a list. */
const struct era_successor *era_ledger_successors(const struct era_ledger *l);
const struct era_successor *era_ledger_successor(const struct era_ledger *l, const struct era_hash *charter);
/* One of them, as far as it is known, names this key as a signer of `network`. */
bool era_ledger_names_signer(const struct era_ledger *l, const struct era_key *key);
/* The adopted one; NULL: none, or two (R12: only a new genesis helps; *forked may be NULL). */
const struct era_successor *era_ledger_next(const struct era_ledger *l, bool *forked);
/* A charter that follows is adopted; also when there are two. */
bool era_ledger_followed(const struct era_ledger *l);
const struct era_ledger *era_ledger_older(const struct era_ledger *l); /* NULL: l's is charter 0 */
const struct era_charter *era_ledger_charter(const struct era_ledger *l);
const struct era_item *era_ledger_find(const struct era_ledger *l, const struct era_hash *item);
/* The number of an item that is held, 1 to ERA_NUMBER_MAX; 0: it is not. */
uint32_t era_ledger_number(const struct era_ledger *l, const struct era_hash *item);
/* The id of that number; of one that is gone, too, until era_ledger_take_change had no more. */
const struct era_hash *era_ledger_named(const struct era_ledger *l, uint32_t number);
/* An item's envelope, borrowed until the ledger is called again. False: it is durable, and cannot be read. */
bool era_ledger_body(const struct era_ledger *l, const struct era_item *item, struct era_bytes *out);
/* The statement in an item that is no carrier; see there. */
bool era_ledger_statement(const struct era_ledger *l, const struct era_item *item, struct era_statement *out);
/* The loose attestations of a candidate that count, first come first, but those that cannot be read. The
 * visit leaves the ledger alone; false ends it. */
void era_ledger_each_attested(const struct era_ledger *l, const struct era_candidate *c,
                              bool (*visit)(void *ctx, const struct era_attested *a), void *ctx);
/* The signature by which a validator is ready, when it came loose. */
bool era_ledger_ready_signature(const struct era_ledger *l, const struct era_candidate *c, uint32_t validator,
                                struct era_signature *out);
/* The candidate with this proposal id, NULL when none. */
struct era_candidate *era_ledger_candidate(const struct era_ledger *l, const struct era_hash *proposal);
/* The decoded proposal of a known candidate or adopted one; false otherwise. */
bool era_ledger_proposal(const struct era_ledger *l, const struct era_hash *proposal,
                         struct era_proposal *out);
/* Its bytes, as signed, with author. */
bool era_ledger_proposal_bytes(const struct era_ledger *l, const struct era_hash *proposal,
                               struct era_envelope *out);
/* Slots above the floor, ascending. */
size_t era_ledger_slots(const struct era_ledger *l, int component, const struct era_slot *const **out);
/* Adopted ones, ascending by slot; history first. */
size_t era_ledger_adopted(const struct era_ledger *l, int component, const struct era_adopted **out);
/* The highest slot of this charter with any certificate: nothing at or below it may be voted. 0: none. */
uint64_t era_ledger_floor(const struct era_ledger *l, int component);
/* The head: adopted, non-void, highest slot (R7), older charters' included. NULL: the initial record. */
const struct era_adopted *era_ledger_head(const struct era_ledger *l, int component);
/* True while a void slot lies above the head (R12); *seq names it. */
bool era_ledger_forked(const struct era_ledger *l, int component, uint64_t *seq);
/* The void slots above the head, highest first, older charters' included, into out[cap]; returns their
 * number.
 */
struct era_void {
    uint64_t charter_version, seq;
};
size_t era_ledger_voids(const struct era_ledger *l, int component, struct era_void *out, size_t cap);
/* What a key said in a slot, pending included: ids of up to two items. Returns their number. */
size_t era_ledger_spoken(const struct era_ledger *l, uint32_t kind, int component, uint64_t seq,
                         const struct era_key *key, const struct era_item *out[2]);
/* A proposal, reject or attestation whose key says as much besides in that slot as is kept: it may have been
 * held, and displaced (R6). False of all other kinds. */
bool era_ledger_crowded(const struct era_ledger *l, const struct era_verified *s);
/* Two higher epochs of a line (announcement; checkpoint, of a component) are held, whatever one's own is:
 * what is not held of this one may have been pruned, be it by a clock that had jumped. */
bool era_ledger_outran(const struct era_ledger *l, const struct era_verified *s);
/* Newest durable announcement of a validator at most `epoch`; NULL when none. decoded: NULL, or where what it
 * says goes; then NULL too when that cannot be read. */
const struct era_item *era_ledger_announcement(const struct era_ledger *l, int validator, uint64_t epoch,
                                               struct era_announcement *decoded);
/* All durable announcements of a validator for this very epoch: two that came loose and two of an evidence,
 * at most. Returns their number. */
#define ERA_SAID_MAX (2 * ERA_IDS_PER_PLACE_MAX)
size_t era_ledger_announced(const struct era_ledger *l, int validator, uint64_t epoch,
                            const struct era_item *out[ERA_SAID_MAX]);
/* A durable announcement by this validator for an epoch >= least is held, under l's charter or, where its key
 * is a validator too, one of the last before: a charter that begins to count does not silence those who stay.
 */
bool era_ledger_fresh(const struct era_ledger *l, int validator, uint64_t least_epoch);
/* Stake of those (N6). */
uint64_t era_ledger_fresh_stake(const struct era_ledger *l, uint64_t least_epoch);
/* Items held, pending included. */
size_t era_ledger_count(const struct era_ledger *l);
/* Visit every durable item that is offered (part of reconciliation), in no order. */
void era_ledger_each_offered(const struct era_ledger *l,
                             void (*visit)(void *ctx, const struct era_item *item), void *ctx);
/* Every candidate whose id begins with a hex prefix, up to cap; returns the number found. */
size_t era_ledger_prefix(const struct era_ledger *l, const char *hex, struct era_hash *out, size_t cap);

#endif
