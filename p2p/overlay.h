/* overlay: which peers a node keeps close. Pure: links are numbers, time and
 * root are arguments, what must be said or dialled comes back as actions.
 *
 * Active view: the links that both ends want for the news; every other link is
 * a leaf (compared with, not pushed to). Passive view: signed records of peers
 * that could be dialled when an active link dies. A node asks for neighbours
 * until it has its target, answers yes while it has room, and yes at any time
 * to one that has no neighbour at all: who brought nothing new for longest is
 * parted from then.
 *
 *   ASK, ASK_ALONE  ->          the asker has, or has not, other neighbours
 *                   <-  YES, NO
 *   NO of an active link: parted politely; both remain known to each other.
 *   SPARE           ->          by one above its target; NO when the other end is too: degrees sink back
 *   Walk       a joiner's record on a random walk; where it ends, the joiner is dialled
 *   Shuffle    a sample of records against a sample of the other end's
 *
 * Invariants:
 * - all tables are bounded by the ERA_OVERLAY_* limits of proto/limits.h;
 * - a link to a configured peer (anchor) is never parted from;
 * - of the active view at least ERA_OVERLAY_DIALLED_MIN places are for links that we dialled:
 *   whoever only dials us cannot have them all;
 * - public addresses that share a group (era_place_group) hold at most ERA_OVERLAY_WAYS places of the
 *   passive view and ERA_OVERLAY_GROUP_ACTIVE_MAX of the active one. While fewer than
 *   ERA_OVERLAY_GROUPS_FEW groups are known at all, the second bound rests: a network may live under
 *   one prefix. Loopback and private places are a group each;
 * - blocked peers (R15) take no place of the active view: they are told the news, and others are sought;
 * - no record enters but with its node's signature, made later than the one held, within
 *   ERA_RECORD_AGE_MAX_MS of our own clock as far as that is known, and with a place that we may dial:
 *   private and loopback ones only when our own address or an anchor's is of that kind. So a node that is
 *   gone is forgotten within a day, whoever tells of it. */
#ifndef ERA_P2P_OVERLAY_H
#define ERA_P2P_OVERLAY_H

#include "proto/peer_record.h"
#include "src/base/prng.h"

enum era_overlay_action_kind {
    ERA_OVERLAY_WORD,    /* link, word */
    ERA_OVERLAY_WALK,    /* link, walk */
    ERA_OVERLAY_SHUFFLE, /* link, shuffle */
    ERA_OVERLAY_DIAL,    /* place; answer with up or dial_failed */
    ERA_OVERLAY_PART     /* link: it was dialled to be a neighbour and is none: close it politely */
};

struct era_overlay_action {
    enum era_overlay_action_kind kind;
    uint64_t link;
    enum era_neighbour_word word;
    struct era_place place;
    struct era_peer_walk walk;
    struct era_peer_shuffle *shuffle; /* owned by the overlay */
};

struct era_overlay_config {
    struct era_hash network;
    struct era_key node;
    const char *listen;   /* our own address, "" = none; never dialled. Copied. */
    size_t target;        /* neighbours wanted, 1 to ERA_OVERLAY_TARGET_MAX */
    struct era_root root; /* jitter, choices, places in the book; a secret */
    /* The one acceptance rule of signatures. */
    bool (*fits)(void *ctx, const struct era_key *key, const struct era_hash *digest,
                 const struct era_signature *signature);
    void *ctx;
};

struct era_overlay_counts {
    size_t active, active_dialled, blocked, leaves; /* links; active without the blocked ones */
    size_t known, passive;                          /* records; passive: of those without a link */
    uint64_t dials, dials_failed, dials_misled; /* nobody answered there; another than the record names did */
    uint64_t records_refused, records_of_us /* others that name our own place */, parted;
    uint64_t records_untimely; /* made too long ago, or too far ahead, by our own clock */
};

struct era_overlay;

struct era_overlay *era_overlay_new(const struct era_overlay_config *config); /* asserts on no memory */
void era_overlay_free(struct era_overlay *o);                                 /* NULL-safe */
/* Where we can be dialled, signed; without one nobody can dial us. Copied. */
void era_overlay_set_record(struct era_overlay *o, const struct era_peer_record *record);
/* Unix time by our own clock, from now on; 0, as in the beginning: it is not known, or in doubt. */
void era_overlay_set_wall(struct era_overlay *o, uint64_t wall_ms);
/* A configured peer's address: not dialled from here. */
void era_overlay_add_anchor(struct era_overlay *o, const char *address);

/* ---- what happens; each may leave actions ---- */
/* A link is up. address: as dialled, or where it came from. */
void era_overlay_up(struct era_overlay *o, uint64_t now_ms, uint64_t link, const struct era_key *node,
                    const char *address, bool outgoing, bool anchor, bool blocked);
/* It ended. gone: it broke or was silent, so the peer may be gone; else it was closed on purpose. */
void era_overlay_down(struct era_overlay *o, uint64_t now_ms, uint64_t link, bool gone);
void era_overlay_dial_failed(struct era_overlay *o, uint64_t now_ms, const char *address);
/* Another node than its record says answered there, or we ourselves. */
void era_overlay_misled(struct era_overlay *o, uint64_t now_ms, const char *address);
void era_overlay_blocked(struct era_overlay *o, uint64_t now_ms, uint64_t link, bool blocked);
/* It brought something new that was accepted. */
void era_overlay_useful(struct era_overlay *o, uint64_t now_ms, uint64_t link);
/* It became known whether it is a link to a configured peer. */
void era_overlay_set_anchor(struct era_overlay *o, uint64_t link, bool anchor);
/* We ourselves are blocked, or no more: among the blocked all places count. */
void era_overlay_self_blocked(struct era_overlay *o, bool blocked);
/* Take its place in the active view away (silent or badly scored); anchors keep theirs. */
void era_overlay_demote(struct era_overlay *o, uint64_t now_ms, uint64_t link);
/* Its records are worth nothing any more (banned). */
void era_overlay_forget(struct era_overlay *o, const struct era_key *node);
void era_overlay_tick(struct era_overlay *o, uint64_t now_ms);
uint64_t era_overlay_deadline_ms(const struct era_overlay *o); /* UINT64_MAX = never */

/* What peers say. The verdict is charged to who sent it: ACCEPTED also for what is merely of no use. */
enum era_verdict era_overlay_word(struct era_overlay *o, uint64_t now_ms, uint64_t link,
                                  enum era_neighbour_word word);
enum era_verdict era_overlay_walk(struct era_overlay *o, uint64_t now_ms, uint64_t link,
                                  const struct era_peer_walk *walk);
enum era_verdict era_overlay_shuffle(struct era_overlay *o, uint64_t now_ms, uint64_t link,
                                     const struct era_peer_shuffle *shuffle);

/* Actions since the last call, oldest first, valid until the next call of any function. */
size_t era_overlay_take_actions(struct era_overlay *o, const struct era_overlay_action **out);

/* ---- reading ---- */
/* The link is of the active view, or its peer is blocked: the news go over it. */
bool era_overlay_is_active(const struct era_overlay *o, uint64_t link);
/* Who gives way when there is no room for another link: of the incoming leaves of the net that has most of
 * them, there of the site, there of the host, the newest; so whoever floods displaces its own. One that came
 * within ERA_LINK_GRACE_MS goes last: it has not had the time to become a neighbour. beside: of the public
 * addresses that share its group alone; NULL: of all. 0: none. */
uint64_t era_overlay_spare(const struct era_overlay *o, const struct era_place *beside);
struct era_overlay_counts era_overlay_counts(const struct era_overlay *o);
/* Records known; up to cap copied. */
size_t era_overlay_records(const struct era_overlay *o, struct era_peer_record *out, size_t cap);

#endif
