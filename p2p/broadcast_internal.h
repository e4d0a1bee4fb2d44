/* broadcast_internal: the tables that broadcast*.c share. Nobody else includes it.
 *   broadcast.c        the rules: trees, timers
 *   broadcast_table.c  what is remembered: items, origins, marks of a link
 *   broadcast_mail.c   what is said on a link, and heard
 *   broadcast_reference.c  the spanning tree of what has no tree of its own
 *   broadcast_rest.c   what is forgotten when a load is over */
#ifndef ERA_P2P_BROADCAST_INTERNAL_H
#define ERA_P2P_BROADCAST_INTERNAL_H

#include "p2p/broadcast.h"

#define ERA_AWAITED_HEADS 1024
#define ERA_RECENT_MS     20000 /* so long an item is spoken of at most: then its memory may be another's */
#define ERA_RECENTS_KEPT  64    /* items, and… */
#define ERA_ORIGINS_KEPT  255   /* …origins that are remembered when nobody has spoken for long */
#define ERA_ORIGIN_MS     30000 /* so long an origin must be silent to be forgotten */
#define ERA_ORIGINS_LEAST 16    /* room for so many, number 0 among them */
#define ERA_SETTLE_MS     500   /* after a change, what was under way still comes by the old tree */
#define ERA_ORIGIN_PROVEN 3     /* after so many items a copied tree is one of its own */
#define ERA_MARK_WAYS     4
#define ERA_MARK_ROWS_MIN 16
#define ERA_MARK_ROWS_MAX (ERA_RECENT_ITEMS_MAX / ERA_MARK_WAYS)
#define ERA_MARK_HAS      1u /* the peer holds it; else it was told of it */
#define ERA_MARK_GIVEN                                                                                       \
    2u /* it was sent because it wanted it, or it says to hold it: it may want it no more */

/* Of an item and a link: the short id that the peer knows it by. Rows are newest first and forget. */
struct era_mark {
    uint64_t short_id; /* 0 = free */
    uint32_t number;   /* of the recent item; 0 = of none */
    uint32_t flags;
};

struct era_marks {
    struct era_mark (*rows)[ERA_MARK_WAYS];
    size_t row_count, used;
};

/* What was said and not yet sent. */
struct era_mail {
    uint64_t short_id; /* as the wire carries it; of an announcement: ours */
    uint32_t number;   /* of the recent item */
    uint8_t order;
};

struct era_mailbox {
    struct era_mail *ring;
    size_t cap, head, count;
};

/* Where a node stands in the reference tree. */
struct era_descent {
    uint64_t root;   /* a tag: the first bytes of the root's salt */
    uint64_t parent; /* link; 0 = none: it is the root itself */
    unsigned depth;
};

struct era_branch {
    uint64_t link;
    struct era_siphash_key salt; /* of the peer */
    bool lazy;
    struct era_descent descent; /* of the peer, as it says; root 0: it said nothing yet */
    bool is_child;              /* …and we are its parent */
    uint64_t tell_ms, told_ms;  /* when ours is told to it (UINT64_MAX: it was); when it was, last */
    uint64_t poor_ms;           /* when it last was a parent that did not bring what it should; 0 = never */
    uint8_t *eager;             /* a bit for each origin; beyond eager_bytes: lazy */
    size_t eager_bytes;
    struct era_marks marks;
    struct era_mailbox announcements[2]; /* where we speak first; where the peer does */
    struct era_mailbox orders;
    uint64_t announce_ms[2]; /* when the announcements go */
    uint64_t order_ms;       /* when the orders go */
    size_t awaited;          /* items that it was first to announce, and that did not come yet */
    size_t silence;
    uint64_t broke_ms; /* when what it had announced was last given up; 0 = never */
    bool stir;         /* …and nobody else had announced it */
    struct era_branch_counts counts;
    struct era_branch *next;
};

/* The tree of one origin. Number 0 is not used. */
struct era_origin {
    uint64_t tag;        /* of the key; 0 = free */
    uint64_t rank;       /* its first bytes: the lowest are kept rather */
    uint64_t used;       /* grows with use: the least is forgotten first */
    uint64_t pushed_ms;  /* an item last came by its tree; 0 = never */
    uint64_t item;       /* its last one (short id) */
    uint64_t parent;     /* link that brings its items; 0 = none, or ours */
    uint64_t spare;      /* next best link… */
    uint64_t spare_item; /* …as told by its announcement of this item (short id) */
    uint64_t moved_ms;   /* when the parent changed… */
    uint64_t moved_item; /* …by what was heard of this item */
    uint32_t next;       /* chain of the index */
    uint8_t misses;      /* items on end that had to be asked for and that the parent did not bring… */
    uint8_t lates;       /* …or brought only then: in a ring of parents each has them from the next */
    bool streams;        /* its last two came closer than ERA_SETTLE_MS */
    uint8_t pushes;      /* items that came by its tree, up to ERA_ORIGIN_PROVEN */
};

struct era_heard {
    uint64_t link;
    uint64_t at_ms; /* when the payload could have come by it */
    bool asked, payload;
};

/* Announced, or come and not yet judged. */
struct era_awaited {
    uint64_t short_id;
    struct era_awaited *prev, *next; /* in order of due_ms, nearly */
    struct era_awaited *chain;
    uint64_t first, first_ms; /* the first link to announce it, as it was heard */
    uint64_t charged;         /* the link whose `awaited` counts it; 0 = none */
    uint64_t due_ms, ask_ms;  /* ask_ms: when it is to be asked for, should what came not be it */
    bool arrived;
    uint64_t arrived_from, arrived_ms;
    size_t heard_count;
    struct era_heard heard[ERA_ANNOUNCERS_MAX];
};

struct era_broadcast {
    struct era_siphash_key salt, origin_key;
    struct era_prng prng;
    bool blocked;
    struct era_branch *branches;
    size_t branch_count;

    struct era_recent *recents; /* a ring: item `number` stands at number % recent_cap */
    size_t recent_cap;
    uint32_t *recent_heads;
    struct era_marks refused; /* by their place */
    uint32_t last_number;     /* of the newest; the oldest kept is last_number - recent_cap + 1 */

    struct era_origin *origins;
    size_t origin_count, origin_cap;
    uint32_t *origin_heads;
    uint64_t uses;
    struct era_descent descent;
    uint64_t told_ms, pace_ms; /* when it was, or will be, told to all; the least time between two */
    unsigned gap;              /* grows when copies of the reference tree do not bring what they should */
    uint64_t forming_ms;       /* the first of all trees began */

    struct era_awaited *awaited_first, *awaited_last;
    size_t awaited_count;
    struct era_awaited *awaited_heads[ERA_AWAITED_HEADS];

    uint64_t rest_ms; /* when memory that a load took may be given back; 0 = there is none */

    uint64_t lag_ms, lag_spread_ms; /* how much later than by its first announcer a payload comes */
    uint64_t published_ms;          /* the last item… */
    size_t hurry;                   /* …so many on end that followed closely… */
    uint64_t hurry_ms;              /* …and when these were many, last; 0 = never */
    uint64_t probed_ms;             /* when some of them were last asked for, … */
    size_t probes, probes_most;     /* …of so many that fell due; and at most… */
    uint64_t more_ms;               /* …since this probe */
};

/* ---- broadcast_table.c ---- */
uint64_t era_short_id(const struct era_siphash_key *salt, const struct era_hash *id);
struct era_recent *era_recent_add(struct era_broadcast *b, uint64_t now_ms, const struct era_hash *id,
                                  uint64_t short_id);
void era_recents_resize(struct era_broadcast *b, size_t cap); /* cap: a power of 2; the newest are kept */
bool era_recent_is_young(const struct era_recent *r, uint64_t now_ms);
struct era_recent *era_recent_find(const struct era_broadcast *b,
                                   uint64_t short_id);                            /* NULL when forgotten */
struct era_recent *era_recent_at(const struct era_broadcast *b, uint32_t number); /* likewise */
void era_origins_resize(struct era_broadcast *b, size_t cap); /* cap: a power of 2, room for those that are */
/* Its tree is kept rather. All nodes order them alike. */
bool era_origin_is_better(const struct era_origin *a, const struct era_origin *than, uint64_t now_ms);
/* The first of all trees is one; until then every origin goes everywhere. */
bool era_trees_are_formed(const struct era_broadcast *b, uint64_t now_ms);
/* The origin's number, made when it is new. Never 0. pushed: an item of it came down a tree, or is ours. */
uint32_t era_origin_of(struct era_broadcast *b, uint64_t now_ms, const struct era_key *key, bool pushed);
uint32_t era_origin_find(const struct era_broadcast *b, const struct era_key *key); /* 0: not known */
/* The tree that the item went down, NULL when it has none, or it was forgotten since. */
struct era_origin *era_origin_of_item(const struct era_broadcast *b, const struct era_recent *item);
struct era_branch *era_branch_find(const struct era_broadcast *b, uint64_t link); /* NULL when gone */
void era_refused_add(struct era_broadcast *b, uint64_t short_id);
bool era_refused_has(const struct era_broadcast *b, uint64_t short_id);
bool era_eager_get(const struct era_branch *branch, uint32_t origin);
/* In the tree that the item goes down. */
bool era_eager_for(const struct era_broadcast *b, const struct era_branch *branch, uint32_t origin);
void era_eager_set(struct era_branch *branch, uint32_t origin, bool eager);
void era_eager_set_all(const struct era_broadcast *b, struct era_branch *branch);
struct era_mark *era_marks_find(const struct era_marks *marks, uint64_t short_id);
void era_marks_put(struct era_marks *marks, uint64_t short_id, uint32_t number, uint32_t flags);
struct era_awaited *era_awaited_find(const struct era_broadcast *b, uint64_t short_id);
struct era_awaited *era_awaited_add(struct era_broadcast *b, uint64_t short_id); /* NULL: full */
void era_awaited_remove(struct era_broadcast *b, struct era_awaited *a);
/* To the end of the order of time. */
void era_awaited_again(struct era_broadcast *b, struct era_awaited *a, uint64_t due_ms);

/* ---- broadcast_reference.c ---- */
/* The link is in the reference tree. */
bool era_reference_has(const struct era_broadcast *b, const struct era_branch *branch);
/* Any link is; else nothing is known yet. */
bool era_reference_is_known(const struct era_broadcast *b);
/* What neighbours say, or who they are, changed. */
void era_reference_choose(struct era_broadcast *b, uint64_t now_ms);
/* about: the byte of the order. What makes no sense says nothing. */
void era_reference_heard(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch, uint64_t root,
                         unsigned about);
/* The parent does not bring what it should. */
void era_reference_doubt(struct era_broadcast *b, uint64_t now_ms);

/* ---- broadcast_mail.c ---- */
bool era_mailbox_put(struct era_mailbox *box, size_t most, struct era_mail mail);
void era_mailbox_clear(struct era_mailbox *box);
void era_branch_say(struct era_branch *branch, uint64_t now_ms, uint64_t short_id, unsigned order);
/* As era_branch_learn, of one that is at hand. */
void era_branch_learn_item(struct era_branch *branch, const struct era_recent *item);

/* ---- broadcast_rest.c ---- */
/* Something went by: if the tables are large by it, b->rest_ms says when to look at them. */
void era_broadcast_rest_later(struct era_broadcast *b, uint64_t now_ms);
/* At b->rest_ms: forget what is old where that frees memory. */
void era_broadcast_rest(struct era_broadcast *b, uint64_t now_ms);

/* ---- broadcast.c ---- */
/* The announcement shows a way that was faster, or the next best one. */
void era_broadcast_compare(struct era_broadcast *b, uint64_t now_ms, struct era_recent *item,
                           struct era_branch *branch, uint64_t at_ms);
/* The peer pushes no more what is of the item's origin. */
void era_broadcast_pruned(struct era_broadcast *b, uint64_t now_ms, const struct era_recent *item,
                          struct era_branch *branch);
/* The peer relies on us for what is of the item's origin: it is not our parent, or both would wait. */
void era_broadcast_grafted(const struct era_broadcast *b, const struct era_recent *item,
                           const struct era_branch *branch);

#endif
