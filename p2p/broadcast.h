/* broadcast: which links carry an item whole (eager), and which only its short
 * id (lazy). Pure: told what comes and goes, it keeps for every origin (the
 * key that signs) one bit a link, and says what to tell the peers. Moves no
 * bytes of items itself.
 *
 * The eager links of an origin form a tree that repairs itself (Plumtree, a
 * tree for every origin). The tree of an origin never heard of begins as a copy
 * of the reference tree, a spanning tree of the links (broadcast_reference.c).
 * What has no origin goes down the reference tree. Nobody pushes to its own
 * parent. (One tree that many origins prune would soon be in pieces: three
 * nodes that push at once cut every edge between them.)
 *   a payload comes twice           -> PRUNE to who sent it second
 *   an announcement came earlier,
 *   by more than a margin           -> GRAFT to who announced, PRUNE to the slower parent
 *   announced, and no payload       -> WANT from who announced first, then from the next; a parent that
 *                                      fails twice is replaced by GRAFT to who had it
 *   the parent's link ends          -> GRAFT to the one that was next best
 *   the parent prunes, or announces -> GRAFT to it: our own copy crossed its
 *
 * Short ids are SipHash of the id under the salt of the node that the item is
 * offered to, so that it can tell that several peers announce one item; its
 * orders repeat the short id that it heard.
 * Two items with one short id (made on purpose, by a neighbour) cost a push or
 * an announcement; anti-entropy heals it. Everything here may forget, and
 * nothing is lost by it: what is forgotten is counted, and healed likewise.
 *
 * Invariants: every table is bounded by limits.h; a link that is lazy (R15: a
 * blocked peer, or a blocked node) is in no tree. */
#ifndef ERA_P2P_BROADCAST_H
#define ERA_P2P_BROADCAST_H

#include "proto/limits.h"
#include "src/base/bytes.h"
#include "src/base/prng.h"

/* How long an announcement waits for company: by then one of the two ends has made it needless for the other,
 * and it rides with what else is said. The reader counts it as waited: nothing is asked for later because of
 * it. Where there is company it goes sooner. A blocked peer learns of items by announcements alone, and soon. */
#define ERA_ANNOUNCE_MS         800
#define ERA_ANNOUNCE_LATE_MS    950
#define ERA_ANNOUNCE_COMPANY    16
#define ERA_ANNOUNCE_SOONER_MS  400
#define ERA_ANNOUNCE_BLOCKED_MS 40
#define ERA_ANNOUNCE_UNIT_MS    4 /* of what the wire says of the wait; one byte */

/* What a node asks of a peer about an item that the peer sent or announced. */
enum era_order {
    ERA_ORDER_WANT = 1,  /* send it */
    ERA_ORDER_GRAFT = 2, /* from now on send me whole what is of its origin */
    ERA_ORDER_PRUNE = 3, /* from now on announce what is of its origin */
    /* Of no item: */
    ERA_ORDER_ALL = 4, /* send me whole whatever comes: I have no other link */
    ERA_ORDER_DESCENT =
        0x80 /* bit: the sender's place in the reference tree. Instead of a short id its root's
                tag; 0x40: you are my parent; 0x20: tell me yours; the rest: its depth */
};
#define ERA_REFERENCE_DEPTH_MAX 31

/* Of one link; in: what the peer told us. */
struct era_branch_counts {
    uint64_t announced_in, announced_out;
    uint64_t wants_in, wants_out;
    uint64_t grafts_in, grafts_out;
    uint64_t prunes_in, prunes_out;
    uint64_t forgotten; /* announcements, asked or to be made, dropped for a full table */
};

/* An item that went by, as long as it is remembered. */
struct era_recent {
    struct era_hash id;
    unsigned set;        /* the owner's number of its set */
    uint64_t short_id;   /* under our salt */
    uint32_t number;     /* of arrival; 0 = none */
    uint32_t next;       /* chain of the index */
    uint32_t origin;     /* its tree; 0 = none of its own */
    uint64_t origin_tag; /* whose tree that was then */
    uint64_t from;       /* link, 0 = ours */
    uint64_t wanted;     /* link it was last asked of, 0 = none */
    uint64_t heard_ms;   /* the payload's arrival, or the earliest that another link could have brought it */
    uint64_t first_ms;   /* the first word of it */
    uint64_t published_ms;
    bool fetched; /* came because we asked */
    bool hurried; /* one of many on end */
};

struct era_broadcast;
struct era_branch; /* broadcast's part of one link that is up */

/* root: of its salt, keys and jitter; a secret, of which the salt tells nothing. Asserts on no memory. */
struct era_broadcast *era_broadcast_new(const struct era_root *root);
void era_broadcast_free(struct era_broadcast *b); /* NULL-safe; after its branches */
/* Of the index of items that went by: what finding one costs at most. */
size_t era_broadcast_longest_chain(const struct era_broadcast *b);
/* What its tables take just now. */
size_t era_broadcast_bytes(const struct era_broadcast *b);
/* For the hello. */
struct era_siphash_key era_broadcast_salt(const struct era_broadcast *b);
/* For the hello: no link is up, so that the next carries everything. */
bool era_broadcast_is_alone(const struct era_broadcast *b);
/* R15: a blocked node passes on nothing whole but what is its own, and asks for what is announced at once. */
void era_broadcast_set_blocked(struct era_broadcast *b, bool blocked);
/* When era_broadcast_tick must be called next; UINT64_MAX = never. */
uint64_t era_broadcast_deadline_ms(const struct era_broadcast *b);
/* Ask for what was announced and did not come. Returns how many items were given up: heal by anti-entropy. */
size_t era_broadcast_tick(struct era_broadcast *b, uint64_t now_ms);

/* ---- links ---- */
/* link: its number, never 0. salt: from the peer's hello. Owned by the broadcast until era_branch_free. */
struct era_branch *era_branch_new(struct era_broadcast *b, uint64_t now_ms, uint64_t link,
                                  const struct era_siphash_key *salt);
void era_branch_free(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch); /* NULL-safe */
/* R15: the peer is blocked, or is so no more. */
void era_branch_set_lazy(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch, bool lazy);
const struct era_branch_counts *era_branch_counts(const struct era_branch *branch);
/* Items asked of the peer that did not come in time, since the last call. */
size_t era_branch_take_silence(struct era_branch *branch);
/* It alone announced what nobody gave: compare with it. At most once in a minute, since the last call. */
bool era_branch_take_stir(struct era_branch *branch);
/* The peer holds the item; has it been told so? */
void era_branch_learn(struct era_broadcast *b, struct era_branch *branch, const struct era_hash *id);
bool era_branch_knows(const struct era_branch *branch, const struct era_hash *id);
/* In the tree of this origin (NULL, or not known: the reference tree) the link is eager. */
bool era_branch_is_eager(const struct era_broadcast *b, const struct era_branch *branch,
                         const struct era_key *origin);

/* ---- items ---- */
enum era_source {
    ERA_SOURCE_OWN,   /* this node's */
    ERA_SOURCE_PUSH,  /* it came, or was announced and fetched */
    ERA_SOURCE_ASKED, /* by anti-entropy; says nothing of the trees */
};

/* Its payload came, and is with the owner now. */
void era_broadcast_arrived(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch,
                           const struct era_hash *id);
/* It is accepted. origin: NULL when nobody signed it. from: who brought it, NULL = it is ours, or the link is
 * gone. Returns what is remembered of it, borrowed until the next call; era_branch_route then says how each
 * link hears of it. */
const struct era_recent *era_broadcast_publish(struct era_broadcast *b, uint64_t now_ms,
                                               const struct era_hash *id, unsigned set,
                                               const struct era_key *origin, struct era_branch *from,
                                               enum era_source source);
/* True: send it whole. False: the peer holds it, or it is now queued to be announced. */
bool era_branch_route(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch,
                      const struct era_recent *item);
/* It came again, from this link. */
void era_broadcast_duplicate(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch,
                             const struct era_hash *id);
/* It came and is not kept. remember: ask for it no more. */
void era_broadcast_refused(struct era_broadcast *b, const struct era_hash *id, bool remember);
/* Something that the link brought is no item: what came of it and is not judged yet may be a forged copy, and
 * is asked for as if it had not come. */
void era_broadcast_refused_unnamed(struct era_broadcast *b, uint64_t now_ms, uint64_t link);
/* What was refused may be asked for again. */
void era_broadcast_forget_refused(struct era_broadcast *b);

/* ---- what peers say ---- */
/* held: how long the peer waited with saying so, in units of ERA_ANNOUNCE_UNIT_MS. */
void era_branch_announced(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch,
                          uint64_t short_id, unsigned held);
/* order: enum era_order, or any other number, which says nothing. Returns the item that the peer wants, NULL
 * for none; borrowed until the next call. */
const struct era_recent *era_branch_order(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch,
                                          uint64_t short_id, unsigned order);

/* ---- what to say to the peer ---- */
/* When something is to be said; UINT64_MAX = nothing. */
uint64_t era_branch_due_ms(const struct era_branch *branch);
/* Take up to `most` entries of ERA_SPREAD_ENTRY_BYTES each into the rooms; return how many. Announcements of
 * items that the peer meanwhile has are left out; those that are due soon are taken with the others. */
size_t era_branch_take_announcements(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch,
                                     uint8_t *room, size_t most);
size_t era_branch_take_orders(struct era_branch *branch, uint8_t *room, size_t most);
/* Our place in the reference tree, one entry, an order too: if it is time to tell it, or (rides: something
 * else is said now) it was told long ago. */
bool era_branch_take_descent(const struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch,
                             bool rides, uint8_t room[ERA_SPREAD_ENTRY_BYTES]);

#endif
