/* gossip_sync: what a link knows of the reconciliation of one set; included by gossip_internal.h alone.
 *   gossip_sync.c   rounds we begin: digests, cells, pace
 *   gossip_answer.c rounds the peer begins
 *   gossip_sketch.c salts and sketches, which follow the sets
 *   gossip_fetch.c  what a round found: asking, serving, offering; requests that run out
 *   gossip_pages.c  a whole set in order; from whom one learns */
#ifndef ERA_P2P_GOSSIP_SYNC_H
#define ERA_P2P_GOSSIP_SYNC_H

#include "p2p/reconcile.h"
#include "p2p/setsum.h"
#include "proto/frame.h"

#define ERA_REQUEST_MS        4000  /* a link that sends nothing for so long loses what was asked of it */
#define ERA_REQUEST_LIFE_MS   60000 /* and in any case after this */
#define ERA_REQUEST_REST_MS   10000 /* then others are asked first */
#define ERA_SYNC_STALL_MS     30000 /* a round without an answer is given up */
#define ERA_MOVED_MS          1000  /* items that came so lately are left to the pushes under way */
#define ERA_MOVED_ITEMS_MAX   128   /* so many are remembered */
#define ERA_FLOOD_WAIT_MS     10000 /* so long rounds wait for more to come to rest than that, at each end */
#define ERA_PENDING_SKIPS_MAX 50    /* rounds in a row that wait for what came to be durable */
#define ERA_CONFIRM_MS        200   /* the peer has judged what it was sent by then, most likely */
#define ERA_SYNC_CHANGES_MAX  256   /* items that come and go between two batches of cells of one round */
#define ERA_SYNC_BATCHES_MAX  4     /* of cells, in one round */
#define ERA_SYNC_FAILURES_MAX 3     /* rounds in a row whose cells tell nothing: from then on a broken rule */
#define ERA_SYNC_GROW_REST_MS 5000  /* between rounds that need more cells than are kept */
#define ERA_SYNC_SALT_REST_MS 5000  /* between new salts */
#define ERA_SYNC_UNEQUAL_MS   60000 /* of nothing but unequal rounds, under the network's salt… */
#define ERA_SYNC_UNEQUAL_MAX  16    /* …so many: short ids may collide under what else differs */
#define ERA_SYNC_CROWDED_MS   2000  /* a batch of cells may take so long when others want room for theirs */
#define ERA_PAGES_REST_MS     30000 /* between whole sets sent to one peer */
#define ERA_AGAIN_MAX         65536 /* items that one peer may have again, in… */
#define ERA_AGAIN_MS          60000
#define ERA_LINK_REQUESTS_MAX ((size_t)2 * ERA_SYNC_IDS_PER_FRAME_MAX) /* asked of one link */
#define ERA_REQUESTS_MAX      ((size_t)65536)                          /* asked of all links */

/* What a round found, worked off as there is room. */
struct era_findings {
    uint64_t *short_ids; /* ours first, then theirs; NULL: nothing */
    size_t count;
    size_t our_end, our_at; /* only we have them: to be sent, or offered */
    size_t their_at;        /* only the peer has them: to be asked for */
};

/* One set on one link: the rounds we begin, and the peer's that we answer.
 * They differ by the parity of their number. */
struct era_sync {
    uint64_t next_ms;     /* of our next round */
    uint64_t interval_ms; /* grows from ERA_SYNC_INTERVAL_MS to ERA_SYNC_QUIET_MS while all is equal */
    uint64_t since_ms;    /* what came later was pushed on this link, or heard of on it */
    bool confirm;         /* items were exchanged: see soon whether we are equal now */

    uint32_t salt_number; /* 0: the network's, under which g->shared has the sketch */
    struct era_salt salt;
    uint64_t salt_ms;
    unsigned barren;     /* rounds in a row that were unequal and led to nothing */
    unsigned unequal;    /* rounds of ours in a row that were, whatever they led to… */
    uint64_t unequal_ms; /* …since then */

    struct era_sketch own; /* under a salt of this link, from its first use on */
    bool ready;
    uint64_t grown_ms;
    bool grown;  /* in a round under way */
    size_t held; /* cells and findings beyond ERA_SYNC_CELLS_KEPT_MAX, of g->cells_held */

    uint64_t round; /* ours */
    bool active;    /* the answer is not yet complete */
    uint64_t heard_ms;
    uint64_t begun_changes; /* of the set, when the round began */
    struct era_cell *got;   /* the peer's cells */
    uint64_t batch_ms;      /* when the first of a batch came that is not whole */
    size_t got_count, batches;
    size_t failures;
    struct era_findings found;
    size_t requests; /* of what the peer has, not yet come */
    size_t sent;     /* of what it found */
    unsigned pending_skips;
    uint64_t flood_ms; /* since when our rounds wait for a flood to end; 0: none does */
    bool whole;        /* all that it named was held, refused, or asked for in this very round… */
    size_t owed;       /* …of which so many are neither judged nor lost yet; both of the statements alone */

    uint64_t peer_round;
    uint64_t peer_heard_ms;
    uint64_t peer_flood_ms; /* as flood_ms, of our answers: the peer's rounds wait there before they come */
    bool answering;         /* it may ask for more */
    bool due;               /* a word or cells are ours to send, when the link has room */
    enum era_frame_word word;
    size_t told, to_tell; /* cells */
    size_t peer_batches;
    uint64_t changed[ERA_SYNC_CHANGES_MAX]; /* since the first of them */
    size_t change_count;

    bool paging; /* we send the whole set, in this round */
    bool paged;  /* we did so, at paged_ms */
    uint64_t page_round, paged_ms;
    struct era_cursor page;
    bool page_told; /* the word of how far we are is due when the queue is empty */
    bool page_new;  /* something of it was not sent on this link before */
    bool taking;    /* the peer does */
    uint64_t taken; /* link->brought at its last word */
    bool paid;      /* what it sent was of use, since it began to */
    bool idle;      /* the last whole set, ours or the peer's, was of no use: cells say what else there is */
};

/* What one set is to all links. */
struct era_shared {
    struct era_sketch sketch; /* under the network's salt */
    struct era_setsum sum;
    uint64_t wide_ms; /* when a round last needed more than ERA_SYNC_CELLS_SHARED_MAX cells */
};

/* The items that came last and travel; a ring. */
struct era_moved {
    struct era_hash ids[ERA_MOVED_ITEMS_MAX];
    uint64_t at_ms[ERA_MOVED_ITEMS_MAX];
    size_t next;
};

/* From whom we learn: one peer at a time, for short ids of two links cannot be compared. */
struct era_teacher {
    uint64_t link; /* 0: nobody */
    bool ours;     /* in a round of ours */
    uint64_t since_ms;
};

struct era_gossip;
struct era_link;
struct era_outgoing;

/* ---- gossip_sketch.c ---- */
void era_shared_init(struct era_gossip *g);
void era_shared_release(struct era_gossip *g);
void era_shared_tick(struct era_gossip *g);
/* This end's part of a link's salts. */
void era_sync_salt(const struct era_gossip *g, uint64_t link, uint8_t out[ERA_FRAME_SALT_BYTES]);
void era_sync_salt_begin(const struct era_gossip *g, struct era_link *link, enum era_set set);
void era_sync_salt_next(struct era_gossip *g, struct era_link *link, enum era_set set);
/* The peer is at this number. False when we are not. */
bool era_sync_salt_follow(struct era_gossip *g, struct era_link *link, enum era_set set, uint32_t number);
/* A sketch under the link's salt of at least size cells; NULL when that is beyond the bounds. Borrowed until
 * the set moves or the next call. O(n) when it must be made. */
const struct era_sketch *era_sketch_ready(struct era_gossip *g, struct era_link *link, enum era_set set,
                                          uint64_t size);
/* The round that needed so many cells is over. */
void era_sketch_trim(struct era_gossip *g, struct era_sync *sync);
void era_sync_forget_got(struct era_gossip *g, struct era_sync *sync);
/* So many cells of its own, and of the peer's. False: that is too much, and nothing changed. */
bool era_sync_may_hold(struct era_gossip *g, struct era_sync *sync, size_t own, size_t got);
/* Some of what this sync held was freed. */
void era_sync_hold(struct era_gossip *g, struct era_sync *sync);
void era_sync_release(struct era_gossip *g, struct era_link *link);
/* An item came into the set, or left it: every sketch follows, and rounds come at their full pace. */
void era_sync_add(struct era_gossip *g, enum era_set set, const struct era_hash *id, uint64_t moved_ms);
void era_sync_remove(struct era_gossip *g, enum era_set set, const struct era_hash *id);

/* ---- gossip_answer.c ---- */
void era_sync_digest(struct era_gossip *g, struct era_link *link, const struct era_frame_digest *digest);
void era_sync_ask(struct era_gossip *g, struct era_link *link, const struct era_frame_ask *ask);
/* The item came within so long, and since the set flows on this link. */
bool era_sync_moves(const struct era_gossip *g, const struct era_link *link, enum era_set set,
                    const struct era_hash *id, uint64_t ms);
/* More came within ERA_MOVED_MS, and is under way, than is remembered. */
bool era_sync_floods(const struct era_gossip *g, const struct era_link *link, enum era_set set);
/* A word or cells that are due, as there is room. */
void era_answer_pump(struct era_gossip *g, struct era_link *link, enum era_set set);

/* ---- gossip_sync.c ---- */
/* What the two ends alone know. */
struct era_bytes era_sync_secret(const struct era_link *link);
void era_sync_start(struct era_gossip *g, struct era_link *link);
/* What differs now is most likely under way: a round would have it twice. Not for ever true: since_ms is kept
 * by it. */
bool era_sync_waits_for_flood(const struct era_gossip *g, const struct era_link *link, enum era_set set,
                              uint64_t *since_ms);
/* Begin a round at the next tick. */
void era_sync_soon(struct era_gossip *g, struct era_link *link, enum era_set set);
/* Or as soon as what comes now is no longer left out as under way. */
void era_sync_hurry(struct era_gossip *g, struct era_link *link, enum era_set set);
/* Nothing of the set was pushed on this link up to now. */
void era_sync_flows_again(struct era_gossip *g, struct era_link *link, enum era_set set);
/* The ends may differ: rounds come at their full pace again. */
void era_sync_stir(struct era_gossip *g, struct era_link *link, enum era_set set);
void era_sync_stir_all(struct era_gossip *g, enum era_set set);
void era_sync_cells(struct era_gossip *g, struct era_link *link, const struct era_frame_cells *cells);
/* Our round of the statements has ended and all it named is learned: counted once. */
void era_sync_complete(struct era_gossip *g, struct era_link *link);
void era_sync_send_cells(struct era_gossip *g, struct era_link *link, const struct era_frame_cells *cells);
void era_sync_send_ask(struct era_gossip *g, struct era_link *link, const struct era_frame_ask *ask);
/* Whatever waited for room on the link. */
void era_sync_pump(struct era_gossip *g, struct era_link *link);
void era_sync_tick(struct era_gossip *g, struct era_link *link);
/* A round found both ends equal. */
void era_sync_equal_round(struct era_gossip *g, struct era_link *link, enum era_set set);
/* When the next round of ours is due, from now on. */
uint64_t era_sync_next_round_ms(struct era_gossip *g, struct era_link *link, enum era_set set);

/* ---- gossip_fetch.c ---- */
void era_findings_clear(struct era_gossip *g, struct era_sync *sync);
/* The short ids of a round of ours that was taken apart, from malloc: taken over. False when there is
 * nothing to exchange. */
bool era_fetch_begin(struct era_gossip *g, struct era_link *link, enum era_set set, uint64_t *short_ids,
                     size_t count);
void era_fetch_pump(struct era_gossip *g, struct era_link *link, enum era_set set);
/* The peer asked for these. */
void era_fetch_serve(struct era_gossip *g, struct era_link *link, enum era_set set, struct era_bytes ids);
/* It has these, and sent them before. */
void era_fetch_offered(struct era_gossip *g, struct era_link *link, enum era_set set, uint64_t round,
                       struct era_bytes ids);
/* The peer was sent it on this link, or has it. May forget. */
bool era_sent_before(const struct era_gossip *g, const struct era_link *link, const struct era_hash *id);
void era_serve_and_note(struct era_gossip *g, struct era_link *link, const struct era_outgoing *item);
void era_requests_tick(struct era_gossip *g);
/* The item came or is not wanted: whoever was asked for it owes it no more. learned: the owner judged it. */
void era_request_done(struct era_gossip *g, const struct era_hash *id, bool learned);
/* The item comes by reconciliation: asked of the link, or sent by it in a round. */
bool era_was_asked(const struct era_gossip *g, struct era_link *link, enum era_set set,
                   const struct era_hash *id);
/* Remember that the item is not wanted. */
void era_refuse(struct era_gossip *g, const struct era_hash *id, enum era_verdict why);

/* ---- gossip_pages.c ---- */
/* False when we learn from another, or it had its turn and brought nothing; ours: in a round of ours. */
bool era_teacher_take(struct era_gossip *g, const struct era_link *link, enum era_set set, bool ours);
bool era_teacher_is_free(const struct era_gossip *g, const struct era_link *link, enum era_set set,
                         bool ours);
/* Whom we learn from owes us something; else it was only asked what it has. */
bool era_teacher_is_busy(const struct era_gossip *g, enum era_set set);
void era_teacher_leave(struct era_gossip *g, const struct era_link *link, enum era_set set);
/* False when it is too soon after the last time. */
bool era_pages_begin(struct era_gossip *g, struct era_link *link, enum era_set set, uint64_t round,
                     struct era_bytes upto);
void era_pages_pump(struct era_gossip *g, struct era_link *link, enum era_set set);
/* A word of the end that sends pages. */
void era_pages_heard(struct era_gossip *g, struct era_link *link, enum era_set set,
                     const struct era_frame_cells *word);

#endif
