/* gossip_internal: the state that the files gossip*.c share. Nobody else includes it.
 *   gossip.c        the public calls, time
 *   gossip_links.c  links: handshake, refusal, closing
 *   gossip_anchors.c  configured peers, backoff
 *   gossip_stuck.c  links that nothing comes through are dialled anew
 *   gossip_defence.c  score, mute, bans, budgets
 *   gossip_overlay.c  which links carry the news: the overlay's words in and out
 *   gossip_push.c   statements out: queues, frames, fragments
 *   gossip_take.c   frames in
 *   gossip_sync.c, gossip_answer.c, gossip_sketch.c, gossip_fetch.c, gossip_pages.c  reconciliation:
 *                   see gossip_sync.h
 * A closed link stays in the table, marked, until the public call ends: no
 * function has to ask whether its link still exists after calling another. */
#ifndef ERA_P2P_GOSSIP_INTERNAL_H
#define ERA_P2P_GOSSIP_INTERNAL_H

#include "p2p/broadcast.h"
#include "p2p/gossip.h"
#include "p2p/gossip_actions.h"
#include "p2p/gossip_sync.h"
#include "p2p/gossip_table.h"
#include "p2p/reconcile.h"
#include "proto/frame.h"
#include "src/base/prng.h"

#define ERA_NEVER UINT64_MAX
#define ERA_SETS  2 /* index: era_set - 1 */

#define ERA_FLUSH_MAX_MS  16  /* how long, in bursts, a pushed item may wait for company in its frame */
#define ERA_CATCH_UP      256 /* so many items on order: what comes is not spread further */
#define ERA_KEEP_ALIVE_MS (ERA_LINK_IDLE_MS / 3 * 2) /* the dialler is heard at least so often */
#define ERA_SCORE_HALF_MS 60000
#define ERA_SILENCE_MS    10000 /* silences within so long are one */
#define ERA_HOST_ROWS     256
#define ERA_SITE_ROWS     64
#define ERA_MUTE_MS       10000
#define ERA_SELVES        4       /* dials that lead back to us, until we believe it */
#define ERA_SELF_REST_MS  3600000 /* between two dials of what leads back to us */
#define ERA_ANCHOR_ASK_MS 600000  /* who is there is asked so often, though its node may be linked */
#define ERA_SPARE_MS      5000    /* so long a dialler may keep two links until it closes one */
#define ERA_STUCK_MS      5000    /* so long nothing was heard though an answer is owed: dialled again */
/* What the peer asked for stops below this, so that pushes find room beside it. */
#define ERA_LINK_BULK_BYTES_MAX (ERA_LINK_OUT_BYTES_MAX / 4)
#define ERA_LINK_QUEUE_MAX      ((size_t)4096) /* items queued, each of two queues */

/* An item on its way out. */
struct era_outgoing {
    struct era_hash id;
    enum era_set set;
};

/* A ring that grows up to ERA_LINK_QUEUE_MAX. */
struct era_queue {
    struct era_outgoing *ring;
    size_t cap, head, count;
};

struct era_reassembly {
    uint8_t *data; /* NULL: none under way */
    size_t have, total, cap;
    uint64_t heard_ms;
    bool lost; /* dropped, or a part of it was: the rest of it is passed over */
};

enum era_budget {
    ERA_BUDGET_STATEMENTS,
    ERA_BUDGET_TAUGHT,
    ERA_BUDGET_FRAMES,
    ERA_BUDGET_BYTES,
    ERA_BUDGET_REQUESTS,
    ERA_BUDGET_IDS,
    ERA_BUDGET_CELLS,
    ERA_BUDGET_PEERS,
    ERA_BUDGET_SHUFFLES,
    ERA_BUDGET_CHECKS,
    ERA_BUDGET_READING,
    ERA_BUDGETS
};

/* How often links of a host broke of late. Hosts that share a row push each other out of it. */
struct era_breaks {
    uint64_t host, at_ms;
    unsigned count;
};

/* Thousandths of what was taken and has not come back. */
struct era_bucket {
    uint64_t spent, at_ms;
};

struct era_link {
    struct era_peer_info info; /* info.queued_bytes: sent and not yet written by the driver */
    bool closing;
    uint8_t proven[ERA_KEY_BYTES]; /* what the link showed of who is there */
    uint64_t opened_ms, drained_ms, score_ms;
    uint64_t spare_ms; /* when the older links of this key are closed, if they are still there; 0: none was */
    bool redialled;    /* stuck, and dialled again; no result yet */
    uint64_t redial_ms;
    uint64_t beside;   /* the stuck link whose place this one is to take; 0: none */
    unsigned replaced; /* so many were, on end, without an answer since */
    struct era_bucket spent[ERA_BUDGETS];
    uint64_t checks_charged_ms;
    unsigned silences;
    uint64_t silent_ms;     /* when the last was counted */
    struct era_place found; /* dialled: the address that it led to; len 0: not known */
    bool has_group;         /* it comes from a public address */
    uint64_t group;

    struct era_siphash_key salt;  /* of the short ids of what we offer the peer */
    bool peer_alone;              /* the peer had no other link */
    struct era_branch *branch;    /* while the link is up and active */
    struct era_queue push, serve; /* news; what the peer asked for */
    size_t push_bytes;            /* about so many bytes wait in push */
    uint64_t flush_ms;            /* when they go */
    uint64_t flushed_ms, pace_ms; /* the last time; the time between two, by load */
    bool skipped;                 /* a push was skipped: heal when there is room */

    size_t requests;            /* asked of this link and not yet come */
    uint64_t requests_heard_ms; /* last statement from it that was wanted */
    uint64_t brought;           /* items of it that were accepted… */
    uint64_t brought_ms;        /* …the last then */
    uint64_t requests_rest_ms;  /* ask nothing before */
    size_t again;               /* served again since… */
    uint64_t again_ms;

    struct era_known *served;                   /* by reconciliation; NULL: nothing yet */
    uint8_t sync_salt[2][ERA_FRAME_SALT_BYTES]; /* the dialler's part, the other's */
    struct era_sync sync[ERA_SETS];
    struct era_reassembly partial;
};

static inline struct era_sync *era_sync_of(struct era_link *link, enum era_set set)
{
    return &link->sync[set - 1];
}

enum era_anchor_state { ERA_ANCHOR_IDLE, ERA_ANCHOR_DIALLING, ERA_ANCHOR_LINKED };

struct era_anchor {
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    enum era_anchor_state state;
    unsigned selves; /* so many answers on end led back to us: see era_anchor_is_self */
    struct era_place
        found; /* where that was, by number; len 0: nobody did yet, or it is no internet address */
    bool has_node;
    struct era_key node; /* who answered there last; when pinned, who alone may */
    bool pinned;
    struct era_key other; /* pinned: who answered instead, last… */
    uint32_t others;      /* …so often on end; 0: nobody since the right one did */
    bool had_node;        /* once somebody did: `node` is that one's, until another answers */
    uint32_t keys;        /* so often it was another */
    uint64_t link;
    uint64_t next_ms, backoff_ms;
    uint64_t dialled_ms;
    bool tried;      /* its first dial has a result */
    bool reconciled; /* a round with it was complete */
};

struct era_gossip {
    struct era_gossip_config config;
    uint64_t now_ms; /* the latest told; never goes back */
    /* Of all links and tables, at the last tick: what fell due since lowers it, or stirs. See
     * era_gossip_stir. */
    uint64_t due_ms;
    bool stirred;
    bool blocked;
    struct era_prng prng;
    struct era_siphash_key key;
    struct era_actions actions;

    size_t link_count;
    struct era_link *links[ERA_LINKS_MAX]; /* oldest first */
    size_t anchor_count;
    struct era_anchor anchors[ERA_PEERS_MAX];
    struct era_overlay *overlay; /* NULL: no target */
    size_t ban_count;
    struct era_ban bans[ERA_BANS_MAX];
    struct era_breaks breaks[ERA_HOST_ROWS];
    struct era_bucket hosts[ERA_HOST_ROWS]; /* links accepted; hosts that share a row are counted as one */
    struct era_bucket sites[ERA_SITE_ROWS]; /* likewise, of an IPv6 /48 */
    struct era_bucket checks;               /* wasted by all links */
    struct era_bucket reading;              /* read of all links for nothing */
    struct era_gossip_totals totals;

    struct era_broadcast *broadcast;
    struct era_idset *sets[ERA_SETS];
    struct era_shared shared[ERA_SETS];
    uint64_t changes[ERA_SETS]; /* items that came or went */
    struct era_moved moved[ERA_SETS];
    struct era_teacher teacher[ERA_SETS];
    struct era_cursor upto[ERA_SETS]; /* of pages that were cut off: taken so far */
    size_t cells_held;                /* see era_sync_hold */
    uint64_t queued_bytes;            /* of all links */
    struct era_idtable *refused;
    struct era_idset *refused_ids; /* the same, to be found by short id */
    struct era_idtable *requests;
    uint64_t equal_rounds, equal_ms, complete_rounds;

    uint8_t frame_room[ERA_FRAME_BYTES_MAX]; /* the frame being built */
    uint8_t spread_room[2][ERA_SPREAD_ENTRIES_MAX * ERA_SPREAD_ENTRY_BYTES];
};

/* ---- gossip.c ---- */
/* The latest time told; never goes back. */
void era_gossip_advance(struct era_gossip *g, uint64_t now_ms);
/* A deadline has come. ERA_NEVER never does, not even at the end of time (I15). */
bool era_gossip_is_due(const struct era_gossip *g, uint64_t deadline_ms);
/* Something may have fallen due on links other than the one that is heard: the next tick looks at all. */
void era_gossip_stir(struct era_gossip *g);
/* Evenly in base/2 … base: the jitter that keeps nodes from acting in step. */
uint64_t era_gossip_jitter(struct era_gossip *g, uint64_t base_ms);
bool era_set_is_known(uint32_t set);
/* R15: events only between nodes that are not blocked. */
bool era_set_flows(const struct era_gossip *g, const struct era_link *link, enum era_set set);
bool era_gossip_holds(const struct era_gossip *g, enum era_set set, const struct era_hash *id);

/* ---- gossip_links.c ---- */
struct era_link *era_link_find(const struct era_gossip *g, uint64_t link); /* NULL when unknown or closing */
/* One frame out. */
void era_link_send(struct era_gossip *g, struct era_link *link, const struct era_frame_builder *frame);
/* Less than limit waits to be written; and when ERA_LINKS_OUT_BYTES_MAX do on all links, little on this one.
 */
bool era_link_has_room(const struct era_gossip *g, const struct era_link *link, uint64_t limit);
/* Tell the peer why, in band, then close. */
void era_link_close(struct era_gossip *g, struct era_link *link, enum era_verdict why);
/* The peer told why it closes. */
void era_link_refused(struct era_gossip *g, struct era_link *link, uint32_t why);
void era_link_hello(struct era_gossip *g, struct era_link *link, const struct era_frame_hello *hello);
void era_link_tick(struct era_gossip *g, struct era_link *link);
uint64_t era_link_deadline_ms(const struct era_gossip *g, const struct era_link *link);
/* Take it out of the tables; the stream is or will be closed. */
void era_link_leave(struct era_gossip *g, struct era_link *link, enum era_verdict why);
void era_links_reap(struct era_gossip *g);

/* ---- gossip_anchors.c ---- */
/* Whose it is: "tcp://10.0.0.1:7711" -> "10.0.0.1"; of IPv6 the /64, which is one owner's; every ipc address
 * -> "ipc". */
void era_address_host(const char *address, char host[ERA_ADDRESS_BYTES_MAX + 1]);
bool era_host_is_anchor(const struct era_gossip *g, const char *host);
struct era_anchor *era_anchor_of_link(struct era_gossip *g, uint64_t link);
void era_anchors_tick(struct era_gossip *g);
uint64_t era_anchors_deadline_ms(const struct era_gossip *g);
void era_anchor_linked(struct era_gossip *g, const char *address, uint64_t link);
/* Its link is gone; long_wait: something was wrong with the peer. */
void era_anchor_lost(struct era_gossip *g, const struct era_link *link, bool long_wait);
/* Not on the peer's word: we dialled it as such, or its proven key answered there last. */
bool era_link_is_anchor(const struct era_gossip *g, const struct era_link *link);
/* It is our own address, as several dials on end have shown: one may have been led back to us by somebody on
 * the way. Dialled seldom; it counts for nothing. */
bool era_anchor_is_self(const struct era_anchor *anchor);
/* Somebody who proved that key answered there. False: it is not the pinned one. */
bool era_anchor_answered(struct era_anchor *anchor, const struct era_key *node);
bool era_link_is_pinned(const struct era_gossip *g, const struct era_link *link);
/* See era_peer_info.anchor_keys. */
uint32_t era_link_anchor_keys(const struct era_gossip *g, const struct era_link *link);
/* A link had a complete round, or it became known to which node an anchor leads. */
void era_anchors_reconciled(struct era_gossip *g);

/* ---- gossip_stuck.c ---- */
uint64_t era_stuck_due_ms(const struct era_link *link);
void era_stuck_tick(struct era_gossip *g, struct era_link *link);
/* A link that we dialled is there, or is not; or it ended before it was up. */
void era_stuck_dialled(struct era_gossip *g, struct era_link *newer);
void era_stuck_failed(struct era_gossip *g, const char *address);
void era_stuck_left(struct era_gossip *g, const struct era_link *newer);
/* Before its key is compared with an anchor's. True: another node than the stuck link's answered. */
bool era_stuck_is_other(struct era_gossip *g, struct era_link *newer, const struct era_key *node);
/* It said hello, and is about to be up. */
void era_stuck_replace(struct era_gossip *g, struct era_link *newer);

/* ---- gossip_defence.c ---- */
/* Charge the verdict's penalty to the link: muted, then closed and banned when it adds up. */
void era_link_charge(struct era_gossip *g, struct era_link *link, enum era_verdict why);
/* What is left by now of info.score, which is of score_ms. */
int era_score_now(const struct era_gossip *g, const struct era_link *link);
/* It speaks no language of ours: closed at once, its key banned; the third of one host within a day bans
 * the host. */
void era_link_break(struct era_gossip *g, struct era_link *link, enum era_verdict why);
/* The driver ended it for what came on it. */
void era_link_broke(struct era_gossip *g, struct era_link *link, enum era_verdict why);
/* An answer that it owed (to a round, a request, a graft) did not come. So seldom counted that silence alone,
 * which may be the network's fault, never mutes a peer. */
void era_link_silent(struct era_gossip *g, struct era_link *link);
void era_link_answered(struct era_link *link);
/* May it be taken? False: drop it; it was counted, and charged when it was too much. */
bool era_defence_frame(struct era_gossip *g, struct era_link *link, size_t bytes);
bool era_defence_part(struct era_gossip *g, struct era_link *link, const struct era_frame_part *part);
/* It is new. */
void era_defence_begin(const struct era_gossip *g, struct era_link *link);
/* So much was read of it, and is no news. See ERA_READING_BURST. */
void era_defence_read(struct era_gossip *g, struct era_link *link, uint64_t amount);
/* May it have so many cells? False: not now; counted, for a peer in need of them does no wrong. */
bool era_defence_cells(struct era_gossip *g, struct era_link *link, uint64_t cells);
/* A statement it brought was accepted: it costs nothing. */
void era_budget_refund(struct era_link *link);
/* A statement it brought because we asked for it is of no use yet, and no fault of its: likewise, within a
 * bound. */
void era_budget_refund_taught(struct era_gossip *g, struct era_link *link);
/* One more link of that address may be taken; it is counted. */
bool era_host_may_link(struct era_gossip *g, const char *address);
bool era_host_is_banned(const struct era_gossip *g, const char *address);
bool era_key_is_banned(const struct era_gossip *g, const struct era_key *key);

/* ---- gossip_overlay.c ---- */
void era_ties_init(struct era_gossip *g);
void era_ties_up(struct era_gossip *g, const struct era_link *link);
/* Also of a link that never came up; why: as era_link_leave. */
void era_ties_down(struct era_gossip *g, const struct era_link *link, enum era_verdict why);
void era_ties_blocked(struct era_gossip *g, const struct era_link *link);
/* It brought something that was accepted. */
void era_ties_useful(struct era_gossip *g, const struct era_link *link);
/* It became known to which nodes anchors lead. */
void era_ties_anchors(struct era_gossip *g);
/* It loses its place in the active view, if it is no anchor. */
void era_ties_demote(struct era_gossip *g, const struct era_link *link);
/* Do what the overlay asked for; before the links are reaped. */
void era_ties_pump(struct era_gossip *g);
/* A leaf, or who is late with its hello, gives its place to a newcomer. beside: as of era_overlay_spare.
 * False: there is none. */
bool era_ties_make_room(struct era_gossip *g, const struct era_place *beside);
void era_ties_word(struct era_gossip *g, struct era_link *link, enum era_neighbour_word word);
void era_ties_walk(struct era_gossip *g, struct era_link *link, const struct era_peer_walk *walk);
void era_ties_shuffle(struct era_gossip *g, struct era_link *link, const struct era_peer_shuffle *shuffle);
/* The news go over it: always without an overlay, else over links of the active view. */
bool era_link_is_active(const struct era_gossip *g, const struct era_link *link);

/* ---- gossip_push.c ---- */
/* Of so many bytes: goes out soon, or is skipped when the link is full. */
void era_push_item(struct era_gossip *g, struct era_link *link, const struct era_outgoing *item,
                   size_t bytes);
/* An item of ours from now on: to each link whole, or its short id; but not back to who brought it. False: to
 * none, and nothing is noted of it. */
bool era_push_spread(struct era_gossip *g, const struct era_outgoing *item, uint64_t from, bool asked);
/* Each link that is up and active has its part in the trees, and no other. */
void era_push_tend(struct era_gossip *g);
/* The peer asked for it. */
void era_serve_item(const struct era_gossip *g, struct era_link *link, const struct era_outgoing *item);
void era_push_flush(struct era_gossip *g, struct era_link *link);
/* When era_push_flush must be called. */
uint64_t era_push_due_ms(const struct era_link *link);
void era_serve_flush(struct era_gossip *g, struct era_link *link);
void era_queue_clear(struct era_queue *queue);

/* ---- gossip_take.c ---- */
void era_take_frame(struct era_gossip *g, struct era_link *link, struct era_bytes bytes);
void era_reassembly_clear(struct era_reassembly *partial);

#endif
