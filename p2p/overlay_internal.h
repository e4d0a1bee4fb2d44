/* overlay_internal: what overlay.c (what happens, what peers say, records) and
 * overlay_view.c (the active view: who is let in, who is sought) share. */
#ifndef ERA_P2P_OVERLAY_INTERNAL_H
#define ERA_P2P_OVERLAY_INTERNAL_H

#include "p2p/overlay.h"
#include "p2p/overlay_book.h"

#define OVERLAY_NEVER        UINT64_MAX
#define OVERLAY_SEEK_MIN_MS  500
#define OVERLAY_ASK_AGAIN_MS 60000 /* after a no */
#define OVERLAY_LEVELS       3     /* net, site, host */

enum era_tie { TIE_LEAF, TIE_ASKED, TIE_ACTIVE };

struct era_overlay_peer {
    uint64_t link;
    struct era_key node;
    bool has_group; /* a public address */
    uint64_t group;
    uint64_t where[OVERLAY_LEVELS]; /* its net, site and host, hashed; 0: no internet address */
    bool outgoing, anchor, blocked;
    bool wanted; /* we dialled it to be a neighbour */
    enum era_tie tie;
    uint64_t since_ms;
    uint64_t useful_ms; /* 0: never */
    uint64_t ask_ms;    /* asked: the answer's deadline; leaf: ask not before */
    unsigned shuffles;  /* asked for and not answered yet */
    uint64_t join_ms;   /* when it may join here again */
    uint64_t walks_ms;  /* of those passed on to it: see era_pace_take */
};

struct era_overlay {
    struct era_overlay_config config;
    struct era_peer_record record; /* ours; place.len 0: none */
    struct era_place self;         /* len 0: none */
    bool is_blocked;
    uint64_t now_ms, wall_ms; /* see era_overlay_set_wall */
    struct era_prng prng;
    struct era_book book;
    bool may_dial[ERA_PLACE_UNUSABLE + 1];

    size_t anchor_count;
    struct era_place anchors[ERA_PEERS_MAX];
    size_t peer_count, peer_cap;
    struct era_overlay_peer *peers;

    uint64_t trim_ms, trim_wait_ms; /* of neighbours above the target */
    uint64_t seek_ms, seek_wait_ms, shuffle_ms, join_ms, evict_ms;
    uint64_t told_dials_ms; /* see era_pace_take */
    uint64_t dials, dials_failed, dials_misled, records_refused, records_of_us, records_untimely, parted;

    size_t action_count, action_cap;
    struct era_overlay_action *actions;
    bool taken; /* the actions were handed out: the next one begins anew */
};

/* ---- overlay.c ---- */
struct era_overlay_action *era_overlay_act(struct era_overlay *o, enum era_overlay_action_kind kind,
                                           uint64_t link);
void era_overlay_say(struct era_overlay *o, const struct era_overlay_peer *p, enum era_neighbour_word word);
/* Evenly base/2 to base from now. */
uint64_t era_overlay_from_now(struct era_overlay *o, uint64_t base_ms);

/* `burst` at once, then one in `gap_ms`. *paid_ms: up to when all places are paid for, 0 at the beginning. */
bool era_pace_has_room(uint64_t paid_ms, uint64_t now_ms, uint64_t gap_ms, unsigned burst);
bool era_pace_take(uint64_t *paid_ms, uint64_t now_ms, uint64_t gap_ms, unsigned burst);

/* ---- overlay_view.c ---- */
bool era_tie_counts(const struct era_overlay *o, const struct era_overlay_peer *p);
size_t era_tie_count(const struct era_overlay *o, bool dialled_only);
size_t era_tie_max(const struct era_overlay *o);
size_t era_tie_blocked_count(const struct era_overlay *o);
/* Answers and dials that are awaited. */
size_t era_tie_awaited_count(const struct era_overlay *o);
bool era_tie_group_has_room(const struct era_overlay *o, const struct era_overlay_peer *p);
void era_tie_put_where(const struct era_overlay *o, struct era_overlay_peer *p,
                       const struct era_place *place);
/* It is no neighbour: neither side owes the other a word. */
void era_tie_leave(struct era_overlay *o, struct era_overlay_peer *p);
void era_tie_send_away(struct era_overlay *o, struct era_overlay_peer *p);
void era_tie_part_if_useless(struct era_overlay *o, struct era_overlay_peer *p);
/* May send another one away. */
bool era_tie_admits(struct era_overlay *o, const struct era_overlay_peer *asker, bool alone);
void era_tie_ask(struct era_overlay *o, struct era_overlay_peer *p);
/* It has fewer neighbours than its target, or too few that it dialled. */
bool era_overlay_wants(const struct era_overlay *o);
bool era_overlay_may_dial(const struct era_overlay *o, const struct era_book_entry *e);
void era_overlay_dial(struct era_overlay *o, struct era_book_entry *e);
/* A neighbour was won: there may be more than wanted. */
void era_overlay_trim_soon(struct era_overlay *o);
void era_overlay_trim(struct era_overlay *o);
/* Its loss would leave enough of those that we dialled, and the target. */
bool era_tie_is_spare(const struct era_overlay *o, const struct era_overlay_peer *p);
void era_overlay_seek_soon(struct era_overlay *o);
void era_overlay_seek(struct era_overlay *o);

#endif
