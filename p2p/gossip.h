/* gossip: links, push and anti-entropy as one pure state machine.
 * Knows items (32-byte ids and the encoded envelope behind them), not rules:
 * its owner verifies, stores and decides; gossip moves. Never reads a clock, a
 * socket or randomness: time and root are arguments, what must be done comes
 * back as actions. All tables bounded by proto/limits.h.
 *
 * Life of a statement: a frame arrives -> action DELIVER -> the owner verifies
 * and stores it durably -> era_gossip_publish -> SEND to all other links. An
 * item that is not wanted is told by era_gossip_verdict, which scores the
 * sender and remembers the refusal, so that it is not asked for again until
 * era_gossip_forget_refused (floor, charter or epoch moved).
 *
 * Two sets: statements, and events (bounded ring of the owner; only between
 * nodes that are not blocked, R15). What is in a set is offered to every peer
 * by anti-entropy: nothing is lost for ever. */
#ifndef ERA_P2P_GOSSIP_H
#define ERA_P2P_GOSSIP_H

#include "p2p/broadcast.h"
#include "p2p/overlay.h"
#include "proto/limits.h"
#include "proto/statement.h"

#define ERA_SCORE_MUTE  50  /* a peer's score from which it is not listened to for a while… */
#define ERA_SCORE_CLOSE 100 /* …and at which its link is closed and the peer banned */

enum era_set { ERA_SET_STATEMENTS = 1, ERA_SET_EVENTS = 2 };

struct era_gossip_config {
    struct era_hash network;
    struct era_key node;                 /* identity of this node's links (self-link detection) */
    struct era_versions versions;        /* told in hello */
    const char *agent;                   /* "erad/0.1.0"; borrowed for the gossip's life */
    const char *listen;                  /* address others may dial, "" = none; borrowed likewise */
    struct era_root root;                /* of jitter, hash keys, salts; a secret */
    uint32_t protocol_min, protocol_max; /* usually the limits.h ones */
    /* Encoded envelope of an item of a set, borrowed until the next call;
     * false when it is gone. Pure. */
    bool (*fetch)(void *ctx, enum era_set set, const struct era_hash *item, struct era_bytes *out);
    /* True when the owner already holds the item (pending ones too). */
    bool (*has)(void *ctx, enum era_set set, const struct era_hash *item);
    /* The owner's number for an item that is or becomes part of a set: below ERA_ID_NUMBERS, the item's as
     * long as it is in the set, so that its id need not be kept twice. False: it has none. named: that id.
     * Both may be NULL. */
    bool (*number)(void *ctx, enum era_set set, const struct era_hash *item, uint32_t *out);
    const struct era_hash *(*named)(void *ctx, uint32_t number);
    /* How many items were delivered and wait to be durable. NULL: none ever does. */
    size_t (*pending)(void *ctx);
    void *ctx;
    /* The overlay (p2p/overlay.h): neighbours wanted among all that are known; 0: none is sought, every link
     * is for the news. */
    size_t links_target;
    /* The one acceptance rule of signatures; asked about records of peers. May be NULL without a target. */
    bool (*fits)(void *ctx, const struct era_key *key, const struct era_hash *digest,
                 const struct era_signature *signature);
    /* Is what a link proved of its other end the proof of that node key? NULL: they are the same bytes. */
    bool (*proves)(const uint8_t proven[ERA_KEY_BYTES], const struct era_key *node);
};

enum era_gossip_action_kind {
    ERA_GOSSIP_SEND,     /* link, bytes: one frame body to write (driver adds the length) */
    ERA_GOSSIP_CLOSE,    /* link, verdict: flush what was sent before, then close. The link is forgotten:
                            a later link_down, frame or sent of it is ignored. address: of the other end
                            when the link was never up, so that somebody hears why; else "". */
    ERA_GOSSIP_CONNECT,  /* address: dial; answer with link_up or dial_failed */
    ERA_GOSSIP_DELIVER,  /* link, opened: an envelope from a peer */
    ERA_GOSSIP_PEER_UP,  /* link: hello exchanged */
    ERA_GOSSIP_PEER_DOWN /* link, verdict; of a link that was up. ACCEPTED: the stream just ended */
};

struct era_gossip_action {
    enum era_gossip_action_kind kind;
    uint64_t link;
    struct era_bytes bytes;   /* borrowed until the next era_gossip_take_actions… */
    struct era_opened opened; /* …likewise */
    enum era_verdict verdict;
    char address[ERA_ADDRESS_BYTES_MAX + 1];
};

enum era_peer_state { ERA_PEER_HANDSHAKE, ERA_PEER_UP };

/* What is known of one link, for `eractl peers`, metrics, tests. */
struct era_peer_info {
    uint64_t link;
    enum era_peer_state state;
    bool outgoing, blocked;
    char address[ERA_ADDRESS_BYTES_MAX + 1]; /* remote, as the driver gave it */
    char listen[ERA_ADDRESS_BYTES_MAX + 1];
    char agent[ERA_NAME_BYTES_MAX + 1];
    struct era_key node;
    struct era_versions versions;
    uint32_t protocol;
    uint64_t up_since_ms, last_heard_ms;
    uint64_t frames_in, frames_out, bytes_in, bytes_out;
    uint64_t statements_in, statements_out; /* envelopes of set STATEMENTS */
    uint64_t events_in, events_out;         /* envelopes of set EVENTS */
    uint64_t duplicates_in;
    uint64_t unknown_kinds_in;       /* statements of kinds that this version does not know */
    uint64_t unknown_parts_in;       /* parts of messages, words, sets and orders, likewise: skipped */
    uint64_t refused_in;             /* by verdicts with a penalty */
    uint64_t wasted_in;              /* signatures checked of what was of no use */
    uint64_t skipped_out;            /* pushes skipped because the link was full; anti-entropy heals them */
    struct era_branch_counts spread; /* what was said of the push trees */
    uint64_t queued_bytes;           /* sent and not yet told by era_gossip_sent */
    uint64_t equal_rounds;           /* rounds in which its statements equalled ours */
    /* Rounds of the statements after which nothing was left to learn from it: equal, or all that it
     * named is held, or came and was judged, or is refused. */
    uint64_t complete_rounds;
    uint64_t undecoded_rounds; /* of ours, whose cells told nothing */
    uint64_t whole_sets_out;   /* sent because it had almost nothing of them */
    uint64_t again_out;        /* items sent once more because it asked again */
    bool active;               /* of the active view: the news go over it; else it is only compared with */
    bool anchor;               /* it is a configured peer, whoever dialled: see era_gossip_anchor_state */
    bool pinned;               /* …whose node key is configured too */
    uint32_t anchor_keys;      /* how often another node key than before answered at its address */
    int score;                 /* sum of penalties, decaying; anchors stay below ERA_SCORE_CLOSE */
    uint64_t muted_until_ms;   /* later than now: what it sends is dropped */
    uint64_t rested_ms;        /* so long it was to be left unread, see era_gossip_rest_ms */
    uint64_t muted_in, limited_in;       /* parts dropped while muted; parts and frames above a budget */
    uint32_t charges[ERA_VERDICT_COUNT]; /* what it was charged for, and how often */
};

/* A peer that may not come back yet: a host, or a node key. */
struct era_ban {
    char host[ERA_ADDRESS_BYTES_MAX + 1]; /* "": the key */
    struct era_key key;
    char from[ERA_ADDRESS_BYTES_MAX + 1]; /* the other end of the link it last earned it on */
    enum era_verdict why;
    uint64_t at_ms, until_ms;
    unsigned times; /* within ERA_BAN_MEMORY_MS: each is twice as long */
};

/* Since the gossip began, links that ended too. */
struct era_gossip_totals {
    uint64_t
        closed[ERA_VERDICT_COUNT]; /* links, and streams that had no place, that this node ended, by why */
    uint64_t charged[ERA_VERDICT_COUNT]; /* what peers were charged for */
    uint64_t muted_in, limited_in, unknown_kinds_in, unknown_parts_in, undecoded_rounds, wasted_in,
        rested_ms;  /* as of a peer */
    uint64_t ticks; /* looks at all links, see era_gossip_tick */
};

/* A configured peer at whose address another node answered than the configured one: not linked. */
struct era_other_key {
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    struct era_key wanted, answered;
    uint32_t times; /* on end, by that key */
};

struct era_gossip;

struct era_gossip *era_gossip_new(const struct era_gossip_config *config); /* asserts on no memory */
void era_gossip_free(struct era_gossip *g);                                /* NULL-safe */

/* Add a configured peer (anchor): dialled, and dialled again with jittered backoff. */
enum era_verdict era_gossip_add_anchor(struct era_gossip *g, const char *address);

/* Whoever answers at this configured peer's address is linked only if it proves this node key; and whoever
 * proves it is that peer, wherever the link comes from. ERA_NOT_FOUND: no such address was added. */
enum era_verdict era_gossip_pin_anchor(struct era_gossip *g, const char *address, const struct era_key *node);
/* See p2p/overlay.h; without an overlay nothing. */
void era_gossip_set_record(struct era_gossip *g, const struct era_peer_record *record);
void era_gossip_set_wall(struct era_gossip *g, uint64_t wall_ms);

/* ---- what happens ---- */
/* A stream is open; its number was never used before. outgoing: the address
 * dialled; else the remote address at accept. proven: the key that the other end
 * proved to hold; no word of it is believed but after a hello with the node key
 * that this is the proof of (config.proves). May answer with CLOSE at once (TOO_MANY_LINKS, in band). */
void era_gossip_link_up(struct era_gossip *g, uint64_t now_ms, uint64_t link, bool outgoing,
                        const char *address, const uint8_t proven[ERA_KEY_BYTES]);
/* Of a link that was dialled, at once after link_up: the address that it led to. A configured peer may be
 * named by a host name; whoever comes from where it answered last is spared the limits and bans by address.
 */
void era_gossip_found_at(struct era_gossip *g, uint64_t link, const char *address);
/* May a stream from there become a link? Asked at accept, before it costs a handshake; link_up asks again.
 * TOO_MANY_LINKS: its host is banned. RATE_LIMITED: it makes more of them than it may. Else ACCEPTED. */
enum era_verdict era_gossip_screen(const struct era_gossip *g, uint64_t now_ms, const char *address);
/* A stream from there ended, or was ended, without having proven a key: its host pays as for a link. */
void era_gossip_stranger_gone(struct era_gossip *g, uint64_t now_ms, const char *address);
/* why: what the driver found wrong with what came on it, and ended it for; ACCEPTED: nothing, it just ended.
 */
void era_gossip_link_down(struct era_gossip *g, uint64_t now_ms, uint64_t link, enum era_verdict why);
void era_gossip_dial_failed(struct era_gossip *g, uint64_t now_ms, const char *address);
/* One frame body. DELIVER actions follow for its statements. */
void era_gossip_frame(struct era_gossip *g, uint64_t now_ms, uint64_t link, struct era_bytes frame);
/* The driver wrote so many bytes of frame bodies of this link to the socket (their lengths not counted). */
void era_gossip_sent(struct era_gossip *g, uint64_t now_ms, uint64_t link, size_t bytes);
/* Timers: handshake, idle, sync rounds, redials, flush of batches. Call it after whatever happens: it looks
 * at all links when something is due on any, or was stirred. */
void era_gossip_tick(struct era_gossip *g, uint64_t now_ms);
/* When era_gossip_tick must be called next; UINT64_MAX = never. */
uint64_t era_gossip_deadline_ms(const struct era_gossip *g);

/* ---- what the owner says ---- */
/* The item is durable and part of the set: offer it from now on, and push it
 * to every link but `from` (0 = ours: to all). push false: only offer it. */
void era_gossip_publish(struct era_gossip *g, uint64_t now_ms, enum era_set set, const struct era_hash *item,
                        uint64_t from, bool push);
/* The item left the set (dominated, expired). */
void era_gossip_withdraw(struct era_gossip *g, enum era_set set, const struct era_hash *item);
/* The owner's verdict on a delivered envelope that is not ACCEPTED. item NULL when it could not be named.
 * DUPLICATE and STORE_FAILED are no refusals: the item may be asked for again. */
void era_gossip_verdict(struct era_gossip *g, uint64_t now_ms, uint64_t link, const struct era_hash *item,
                        enum era_verdict verdict);
/* The item is held and no part of the set (others stand for it): not asked for, as if it were refused. */
void era_gossip_keep_out(struct era_gossip *g, const struct era_hash *item);
void era_gossip_forget_refused(struct era_gossip *g);
/* It was refused as dominated, and is remembered: no copy of it is worth its signatures. */
bool era_gossip_is_past(const struct era_gossip *g, const struct era_hash *item);
/* A configured peer's, or it brought something new within ERA_USEFUL_MS: what it sends is worth hearing
 * before what others do, who cost time however little each may send. */
bool era_gossip_is_useful(const struct era_gossip *g, uint64_t link);
/* How long nothing more should be read of that link (0 to ERA_LINK_REST_MS): all links together brought much
 * that was no news, and so did this one. Ask after each frame. Never of a useful one. */
uint64_t era_gossip_rest_ms(const struct era_gossip *g, uint64_t link);
/* So many signatures were checked of what that link brought, and it was of no use. */
void era_gossip_wasted(struct era_gossip *g, uint64_t now_ms, uint64_t link, uint64_t signatures);
/* This node's gate changed: tell every peer; events stop or flow again (R15). */
void era_gossip_set_blocked(struct era_gossip *g, uint64_t now_ms, bool blocked);
/* What this node runs changed: told to every peer, and in hellos to come. */
void era_gossip_set_versions(struct era_gossip *g, const struct era_versions *versions);

/* Actions since the last call, oldest first; their bytes live until the next
 * call of this function. Returns the count. */
size_t era_gossip_take_actions(struct era_gossip *g, const struct era_gossip_action **out);

/* Links, oldest first, into out[cap]; returns how many there are. */
size_t era_gossip_peers(const struct era_gossip *g, struct era_peer_info *out, size_t cap);
/* Borrowed. */
const struct era_gossip_totals *era_gossip_totals(const struct era_gossip *g);
/* Those in force, into out[cap]; returns how many there are, at most ERA_BANS_MAX. */
size_t era_gossip_bans(const struct era_gossip *g, struct era_ban *out, size_t cap);
/* Completed rounds in which a peer's fingerprints of the statements equalled
 * ours, by any link, and the last such time (0 = never). */
uint64_t era_gossip_equal_rounds(const struct era_gossip *g, uint64_t *last_ms);
/* Complete rounds (see era_peer_info), by any link, closed ones too. */
uint64_t era_gossip_complete_rounds(const struct era_gossip *g);
/* What a node knows of its configured peers before it may sign (protocol §9). Returns how many there are,
 * but for one that led back to ourselves.
 * reachable   those with a link that is up or in handshake, and those whose first dial has no result yet.
 * reconciled  those with a complete round since this gossip began; they stay so when the link ends.
 * A link belongs to an anchor when we dialled it as such, or when its proven node key answered there last, or
 * is pinned there: not because the peer says to listen at that address. */
size_t era_gossip_anchor_state(const struct era_gossip *g, size_t *reachable, size_t *reconciled);
/* Where another node answered last than the pinned one, into out[cap]; returns how many there are, at most
 * ERA_PEERS_MAX. */
size_t era_gossip_other_keys(const struct era_gossip *g, struct era_other_key *out, size_t cap);
/* NULL without links_target. Borrowed. */
const struct era_overlay *era_gossip_overlay(const struct era_gossip *g);
size_t era_gossip_set_size(const struct era_gossip *g, enum era_set set);

#endif
