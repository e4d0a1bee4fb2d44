/* ledger_internal: what the ledger's files share. Not for others. */
#ifndef ERA_CORE_LEDGER_INTERNAL_H
#define ERA_CORE_LEDGER_INTERNAL_H

#define ERA_TABLE_KEY (&l->table_key)
#include "src/base/numbers.h"
#include "src/base/table.h"
#include "src/core/ledger.h"

/* (key, kind, place): where a key speaks once, and at most twice (R6). Hashed
 * as bytes, so it is zeroed before it is filled. */
struct place_key {
    uint32_t who, kind;
    int64_t component;
    uint64_t seq;
};

/* What is said in one place is a chain, first come first; only its first item is in a table. */

/* Two that came loose, two of an evidence. */
#define PLACE_ITEMS_MAX ERA_SAID_MAX

/* A place in which a key said two things. */
struct place {
    struct place_key key;
    struct era_item *evidence; /* durable; NULL: none */
    bool told, queued;
    struct place *queue_next; /* places whose evidence could be made */
    UT_hash_handle hh;
};

/* A key that is no validator of the charter. */
struct other_key {
    struct era_key key;
    uint32_t who;
    uint32_t items; /* that it said, or that prove what it said */
    UT_hash_handle hh;
};

/* Some pages each: what lives long keeps few pages that are not its own, and the last one is soon used. */
#define ITEMS_PER_CHUNK 1024

struct candidate_key {
    struct era_hash proposal;
    uint64_t seq;
    int64_t component;
};

struct candidate {
    struct era_candidate pub;
    struct candidate_key key;
    UT_hash_handle hh;
};

struct component {
    size_t slot_count, slot_cap;
    struct era_slot **slots; /* ascending by seq, all above floor */
    size_t adopted_count, adopted_cap;
    struct era_adopted *adopted; /* ascending by slot */
    uint64_t approved_high;      /* highest seq with a durable approved carrier */
    bool overtaken;              /* a newer charter adopted a slot of it: nothing here is the head */
    uint64_t carried;            /* slots above it are void of effect: the charter that follows says so */
};

/* Words of one key that were taken beyond what their places hold, in this epoch. */
struct displacing {
    uint32_t who, count;
    uint64_t epoch;
    UT_hash_handle hh;
};

struct era_ledger {
    const struct era_charter *charter;
    struct era_hash network;
    struct era_siphash_key table_key;
    struct era_bodies *bodies;
    struct era_item **chunks; /* of ITEMS_PER_CHUNK; of the first one, the first stands for none */
    uint32_t item_end;        /* numbers below it were used */
    uint32_t free_items;      /* list_next */
    uint32_t gone_items; /* likewise; their ids stand until all changes are taken: gossip asks for them */
    struct era_numbers by_id, by_place; /* places that are not in a line */
    struct place *places;               /* those with two words */
    struct other_key *others;
    uint32_t others_made;
    struct candidate *candidates;
    struct component *components;
    uint32_t *lines;                  /* ledger_line.c */
    uint32_t evidence;                /* newest first, pending included */
    struct place *provable;           /* queue_next */
    struct era_ledger *older;         /* of the charter before; NULL: charter 0, or not followed */
    struct era_successor *successors; /* charters spoken about as the next one (R10) */
    uint32_t charter_items;           /* all that is said about it */
    struct displacing *displacing;
    bool retired; /* a charter that followed is followed too: only certificates and closes are taken */
    bool epoch_known, complete; /* see era_ledger_start, era_ledger_complete */
    uint64_t epoch;             /* own, of the start or the last statement offered; 0 until it is known */
    uint64_t items_max;
    size_t item_count;
    struct era_candidate *touched;
    size_t change_count, change_cap, change_next;
    struct era_change *changes;
};

/* ledger_slot.c: slots and candidates */
struct era_slot *era_ledger_slot(struct era_ledger *l, int component, uint64_t seq, bool create);
struct era_candidate *era_ledger_candidate_at(struct era_ledger *l, int component, uint64_t seq,
                                              const struct era_hash *proposal, bool create);
/* One item less is about it; it goes with the last. */
void era_ledger_candidate_release(struct era_ledger *l, struct era_candidate *c);
/* Free every slot at or below seq with its candidates and durable items. */
void era_ledger_collect(struct era_ledger *l, int component, uint64_t seq);
/* Count a durable statement or carrier into its candidate. */
void era_ledger_count_loose(struct era_ledger *l, const struct era_item *item);
void era_ledger_count_carrier(struct era_ledger *l, const struct era_item *item);
/* Of a durable attestation, or one being committed: which match of its plan it is. */
void era_ledger_note_match(struct era_ledger *l, struct era_item *item);
/* A reject or attestation goes, and counts no more. */
void era_ledger_uncount_claim(struct era_ledger *l, struct era_item *item);
/* Nobody proposes it any more, and no signer approved it. */
void era_ledger_unlearn_proposal(struct era_ledger *l, struct era_candidate *c);
/* Tell APPROVED and FAILED once; queue for assembly. */
void era_ledger_touch(struct era_ledger *l, struct era_candidate *c);
/* Take it out of that queue, wherever it stands: a burst may have left many there. */
void era_ledger_untouch(struct era_candidate *c);

/* ledger_adopted.c */
/* What is said of a slot above the floor is part of reconciliation: of an older charter's not what a newer
 * head overtook (R9), which nodes know differently that hold its certificate or came later, nor what is void
 * of effect (R10). */
bool era_ledger_slot_offered(const struct era_ledger *l, int component, uint64_t seq);
void era_ledger_adopted_clear(struct era_adopted *a);
void era_ledger_adopt(struct era_ledger *l, struct era_item *certificate);
/* Whether a second certificate of a slot leaves room for one that stands above it: what the view rests on is
 * never forgotten, and a higher slot can always end a fork (R12). */
bool era_ledger_room_for_rival(const struct era_ledger *l, int component, uint64_t seq);

/* Of this ledger's own charter. */
const struct era_adopted *era_ledger_own_head(const struct era_ledger *l, int component);

/* ledger_charter.c: the charter that follows (R10) */
bool era_kind_is_succession(uint32_t kind);
enum era_verdict era_ledger_offer_succession(struct era_ledger *l, const struct era_verified *s,
                                             bool from_disk, struct era_item **out);
void era_ledger_commit_succession(struct era_ledger *l, struct era_item *item);
void era_ledger_leave_succession(struct era_ledger *l, struct era_item *item);
void era_ledger_successors_free(struct era_ledger *l);

/* Nobody proposes it any more: nothing is known of it but what is pending. No old signer approved it. */
void era_ledger_unlearn_charter(struct era_ledger *l, struct era_successor *s);

/* ledger_claims.c: of words that bind to nothing, which are kept when a key says more than a place holds
 * (R6): a function of what was said, not of its order. */
bool era_kind_is_claim(uint32_t kind); /* proposals, rejects, attestations */
size_t era_ledger_place_max(const struct era_ledger *l, const struct place_key *k);
/* Of its place's durable words it is one of those that come first: what may count, then the lowest ids. */
bool era_ledger_is_among_first(const struct era_ledger *l, const struct era_item *item);
/* Room in a place for a word with this id, perhaps another's: its key may take that so often an epoch. */
bool era_ledger_has_room(struct era_ledger *l, const struct place_key *k, const struct era_hash *id);
/* What this key says is taken beyond what a place holds: so often an epoch. */
bool era_ledger_may_displace(struct era_ledger *l, uint32_t who);
void era_ledger_displacing_free(struct era_ledger *l);
/* A claim about this proposal. */
enum era_verdict era_ledger_claim_verdict(struct era_ledger *l, const struct era_verified *s,
                                          const struct place_key *k, const struct era_hash *proposal,
                                          bool from_disk);
/* Count it, offer it, and let go what it displaces. May free it. */
void era_ledger_commit_claim(struct era_ledger *l, struct era_item *item);
/* A durable proposal of it is held, besides this one; NULL: any. */
bool era_ledger_is_said(const struct era_ledger *l, const struct era_slot *slot,
                        const struct era_candidate *c, const struct era_item *besides);
/* True of all that is no claim, and no approved carrier. */
bool era_ledger_is_kept(const struct era_ledger *l, const struct era_item *item);
/* Approvals of this place were counted, or proven to be equivocal: what they back may be another. */
void era_ledger_note_backing(struct era_ledger *l, const struct place_key *k);
/* An approved carrier was counted. */
void era_ledger_judge_claims(struct era_ledger *l, int component, uint64_t seq);
/* A start has read all. */
void era_ledger_judge_all_claims(struct era_ledger *l);

/* ledger_carriers.c: of the carriers of a slot the two lowest proposal ids are kept (R6); what a word binds
 * to is held besides (R8). */
enum era_verdict era_ledger_carrier_verdict(struct era_ledger *l, const struct era_verified *s, uint64_t seq,
                                            bool from_disk);
/* Fewer than two of a slot's durable carriers of this kind have a lower proposal id. */
bool era_ledger_is_among_carried(const struct era_ledger *l, uint32_t kind, int component, uint64_t seq,
                                 const struct era_hash *proposal);
/* Count it, and let go what it displaces. May free it. */
void era_ledger_commit_approved(struct era_ledger *l, struct era_item *item);
/* Offer what is among them of the approved ones; the others go, unless a word is bound to them. */
void era_ledger_settle_approved(struct era_ledger *l, struct era_slot *slot);
/* A slot is void with two: a third certificate takes the place of the highest. */
void era_ledger_settle_rivals(struct era_ledger *l, int component, uint64_t seq);

/* ledger_proposed.c: which of the charters that signers propose are kept, and what of them is offered (R6).
 * All is a function of what was said, not of its order: nodes that compare their sets end with the same. */
/* A charter's statement. */
enum era_verdict era_ledger_proposed_verdict(struct era_ledger *l, const struct era_verified *s,
                                             bool from_disk);
/* A charter came, was approved or adopted, or a word is proven to be equivocal. May free items. */
void era_ledger_judge_proposed(struct era_ledger *l);
/* What is said about a charter, as it was judged last: reconciliation takes part in it. */
bool era_ledger_is_proposed(const struct era_ledger *l, const struct era_item *item);

/* Two closes or approvals in evidence: count the one about this successor, whose charter is known. */
struct era_item *era_ledger_derive_succession(struct era_ledger *l, const struct era_verified *s,
                                              struct place *p);

/* ledger_line.c: announcements and checkpoints, epoch by epoch (R16) */
bool era_kind_is_line(uint32_t kind);
size_t era_ledger_line_count(const struct era_charter *c);
/* The first of a validator's line; component -1: its announcements. */
struct era_item *era_ledger_line(const struct era_ledger *l, int component, int validator);
/* The number of the first that a validator said of an epoch; 0: nothing. */
uint32_t era_ledger_first_in_line(const struct era_ledger *l, const struct place_key *k);
void era_ledger_enter_line(struct era_ledger *l, struct era_item *item);
void era_ledger_leave_line(struct era_ledger *l, struct era_item *item);
/* The two highest epochs <= own + 1 are kept. */
enum era_verdict era_ledger_line_verdict(const struct era_ledger *l, int component, int validator,
                                         uint64_t at, uint64_t epoch, bool from_disk);
/* Two higher epochs, at most `latest`, are held. */
bool era_ledger_line_passed(const struct era_ledger *l, int component, int validator, uint64_t at,
                            uint64_t latest);
void era_ledger_prune_line(struct era_ledger *l, int component, int validator);
/* Everything below an epoch goes. */
void era_ledger_prune_lines(struct era_ledger *l, uint64_t epoch);

/* ledger_evidence.c (R8) */
enum era_verdict era_ledger_offer_evidence(struct era_ledger *l, const struct era_verified *s, uint64_t epoch,
                                           bool from_disk, struct era_item **out);
void era_ledger_commit_evidence(struct era_ledger *l, struct era_item *item);
/* One of the two statements in the evidence of its place. */
bool era_ledger_evidence_proves(const struct era_ledger *l, const struct era_item *item);
void era_ledger_abandon_evidence(struct era_ledger *l, struct era_item *item);
/* The head moved, or a newer charter's: is it part of reconciliation? */
void era_ledger_evidence_refresh(struct era_ledger *l, int component);
/* Its place is dominated: it is offered no more, and kept for people. */
void era_ledger_evidence_past(struct era_ledger *l, struct era_item *item);
/* All of a kind. */
void era_ledger_evidence_past_kind(struct era_ledger *l, uint32_t kind);
void era_ledger_evidence_queue(struct era_ledger *l, struct place *p);
void era_ledger_evidence_unqueue(struct era_ledger *l, struct place *p);
/* A charter is known now: what evidence proves about it counts. */
void era_ledger_evidence_recount(struct era_ledger *l);
/* Charters went: evidence against those whom they alone named goes too. */
void era_ledger_evidence_forget_nobodys(struct era_ledger *l);
void era_ledger_evidence_free(struct era_ledger *l);

/* ledger_read.c */
/* An envelope in memory: of an item that is pending, or being committed. */
void era_ledger_open(const struct era_ledger *l, const struct era_item *item, struct era_envelope *e);

/* ledger_items.c: where items lie, and places; an item by its number, 0: NULL */
struct era_item *era_ledger_item(const struct era_ledger *l, uint32_t number);
struct era_item *era_ledger_item_new(struct era_ledger *l, const struct era_verified *s, uint64_t seq);
void era_ledger_item_free(struct era_ledger *l, struct era_item *item);
/* The ids of those that are gone are needed no more. */
void era_ledger_items_recycle(struct era_ledger *l);
void era_ledger_items_free(struct era_ledger *l);
/* Put before the first of a list; take out of one. */
void era_ledger_list_put(struct era_ledger *l, uint32_t *first, struct era_item *item);
void era_ledger_list_drop(struct era_ledger *l, uint32_t *first, struct era_item *item);
/* The validator that said it; -1: none. */
int era_ledger_validator(const struct era_ledger *l, const struct era_item *item);
/* Of a statement that has a place. */
uint64_t era_ledger_seq_of(const struct era_statement *s);
void era_ledger_place_key(struct era_ledger *l, const struct era_verified *s, struct place_key *k);
/* Of what is said about the next charter. */
void era_ledger_charter_place_key(struct era_ledger *l, const struct era_verified *s, struct place_key *k);
void era_ledger_place_key_of(const struct era_item *item, struct place_key *k);
/* Its key; a pointer into the charter or the ledger. */
const struct era_key *era_ledger_key(const struct era_ledger *l, uint32_t who);
/* Of this key; false: it said nothing. */
bool era_ledger_place_key_at(const struct era_ledger *l, uint32_t kind, int component, uint64_t seq,
                             const struct era_key *key, struct place_key *k);
/* The first one said in a place; NULL: nothing. The next is its place_next. */
struct era_item *era_ledger_said(const struct era_ledger *l, const struct place_key *k);
size_t era_ledger_said_count(const struct era_ledger *l, const struct place_key *k);
void era_ledger_enter_place(struct era_ledger *l, struct era_item *item);
/* NULL: nobody said two things there. */
struct place *era_ledger_place(const struct era_ledger *l, const struct place_key *k);
/* The same, made when there is none. */
struct place *era_ledger_place_at(struct era_ledger *l, const struct place_key *k);
/* Free it when nothing is said there any more. */
void era_ledger_place_release(struct era_ledger *l, struct place *p);

/* ledger.c */
bool era_ledger_place_full(const struct era_ledger *l, const struct place_key *k, bool from_disk);
enum era_verdict era_ledger_slot_verdict(const struct era_ledger *l, uint32_t kind, int component,
                                         uint64_t seq, bool from_disk);
void era_ledger_enter_slot(struct era_ledger *l, struct era_item *item, const struct era_hash *proposal);
/* Once a place. */
void era_ledger_tell_equivocation(struct era_ledger *l, struct place *p, const struct era_item *item);
/* True when its key said something else there, durably: both leave reconciliation (R6). */
bool era_ledger_mark_equivocal(struct era_ledger *l, struct era_item *item);
void era_ledger_change(struct era_ledger *l, struct era_change change);
void era_ledger_set_offered(struct era_ledger *l, struct era_item *item, bool offered);
/* Before it is freed. */
void era_ledger_tell_deleted(struct era_ledger *l, struct era_item *item);

#endif
