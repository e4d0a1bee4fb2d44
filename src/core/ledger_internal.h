/* ledger_internal: what the ledger's files share. Not for others. */
#ifndef ERA_CORE_LEDGER_INTERNAL_H
#define ERA_CORE_LEDGER_INTERNAL_H

#define ERA_TABLE_KEY (&l->table_key)
#include "src/base/table.h"
#include "src/core/ledger.h"

/* (key, kind, place): where a key speaks once, and at most twice (R6). Hashed
 * as bytes, so it is zeroed before it is filled. */
struct place_key {
    struct era_key key;
    uint32_t kind;
    int32_t component;
    uint64_t seq;
};

struct place {
    struct place_key key;
    size_t count;
    struct item *items[ERA_IDS_PER_PLACE_MAX]; /* attestations are only counted */
    UT_hash_handle hh;
};

/* pub first: a struct era_item * is a struct item *. */
struct item {
    struct era_item pub;
    struct place *place;         /* loose only */
    struct item *announced_next; /* announcements of one validator */
    struct item *charter_next;   /* statements about the next charter */
    UT_hash_handle hh;
};

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

struct era_ledger {
    const struct era_charter *charter;
    struct era_hash network;
    struct era_siphash_key table_key;
    struct item *items;
    struct place *places;
    struct candidate *candidates;
    struct component *components;
    struct item **announced;          /* a list a validator */
    struct era_ledger *older;         /* of the charter before; NULL: charter 0, or not followed */
    struct era_successor *successors; /* charters spoken about as the next one (R10) */
    struct item *charter_items;       /* all that is said about it */
    bool retired; /* a charter that followed is followed too: only certificates and closes are taken */
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
/* Free every slot at or below seq with its candidates and durable items. */
void era_ledger_collect(struct era_ledger *l, int component, uint64_t seq);
/* Count a durable statement or carrier into its candidate. */
void era_ledger_count_loose(struct era_ledger *l, const struct era_item *item);
void era_ledger_count_carrier(struct era_ledger *l, const struct era_item *item);
/* Tell APPROVED and FAILED once; queue for assembly. */
void era_ledger_touch(struct era_ledger *l, struct era_candidate *c);

/* ledger_adopted.c */
void era_ledger_adopt(struct era_ledger *l, struct era_item *certificate);

/* Of this ledger's own charter. */
const struct era_adopted *era_ledger_own_head(const struct era_ledger *l, int component);

/* ledger_charter.c: the charter that follows (R10) */
bool era_kind_is_succession(uint32_t kind);
enum era_verdict era_ledger_offer_succession(struct era_ledger *l, const struct era_verified *s,
                                             struct item **out);
void era_ledger_commit_succession(struct era_ledger *l, struct item *item);
void era_ledger_leave_succession(struct era_ledger *l, struct item *item);
void era_ledger_successors_free(struct era_ledger *l);

/* ledger.c */
struct place *era_ledger_place(const struct era_ledger *l, const struct place_key *k);
struct item *era_ledger_item_new(struct era_ledger *l, const struct era_verified *s, uint64_t seq);
/* p: the place, NULL when nobody spoke there yet. */
void era_ledger_enter_place(struct era_ledger *l, struct item *item, struct place *p,
                            const struct place_key *k);
/* True when its key said something else there, durably: both leave reconciliation (R6). */
bool era_ledger_mark_equivocal(struct era_ledger *l, struct item *item);
void era_ledger_change(struct era_ledger *l, struct era_change change);
void era_ledger_item_free(struct era_ledger *l, struct item *item);
void era_ledger_set_offered(struct era_ledger *l, struct era_item *item, bool offered);
void era_ledger_tell_deleted(struct era_ledger *l, const struct era_item *item);

#endif
