/* probe: one gossip, and peers played by hand: what they send is written by
 * the test, what they get is counted. */
#ifndef ERA_TESTS_P2P_PROBE_H
#define ERA_TESTS_P2P_PROBE_H

#include "p2p/setsum.h"
#include "p2p/sketch.h"
#include "proto/frame.h"
#include "tests/p2p/wire.h"

/* What the gossip did since the last probe_look. */
struct probe_seen {
    size_t frames, bytes, hellos, refusals, statements, fragments, digests, answers, asks, asked_ids,
        offered_ids, dones, statuses, spreads, announced, orders;
    size_t words, walks, shuffles;
    enum era_neighbour_word word;    /* of the last Neighbour */
    struct era_peer_shuffle shuffle; /* the last */
    size_t closes, ups, downs, connects, delivered;
    enum era_verdict refusal, close, down;
    uint64_t closed_link, sent_link;
    uint32_t set;               /* of the last digest, word or ask */
    uint64_t digest_round;      /* of the last digest of the statements */
    uint64_t event_round;       /* of the last digest of the events */
    uint32_t salt;              /* its number, of the last digest */
    bool upto;                  /* the last digest has one */
    enum era_frame_word answer; /* the last word in a round */
    size_t cells;               /* of all answers */
    uint32_t more_cells;        /* asked for last */
    uint64_t asked;             /* first short id of the last ask */
    bool blocked;               /* of the last hello or status */
    size_t delivered_bytes;
    char connect[ERA_ADDRESS_BYTES_MAX + 1];
};

struct probe {
    struct wire *w;
    struct wire_node *n;
    struct era_gossip *g;
    struct probe_seen seen;
    bool reads; /* report written bytes to the gossip at once */
    struct probe_secret {
        bool dialled; /* by the gossip */
        uint8_t ours[ERA_FRAME_SALT_BYTES];
    } salts[64];               /* by link; the peer's part is zeros */
    uint32_t salt;             /* its number, as the peer has it */
    struct era_cell got[1000]; /* cells, as they came */
    size_t got_count;
    struct era_frame_builder frame;
    uint8_t room[ERA_FRAME_BYTES_MAX];
};

struct probe *probe_new(uint64_t now_ms);
struct probe *probe_new_of(uint64_t now_ms,
                           size_t target); /* with an overlay of so many neighbours; 0: none */
void probe_free(struct probe *p);
const struct probe_seen *probe_look(struct probe *p);
/* Time passes, timers run. */
const struct probe_seen *probe_wait(struct probe *p, uint64_t ms);

void probe_link(struct probe *p, uint64_t link, bool outgoing, const char *address);
struct era_frame_hello probe_hello(const struct probe *p, uint8_t node);
void probe_greet(struct probe *p, uint64_t link, const struct era_frame_hello *hello);
/* A link that is up; the peer's node key begins with `node`. Looks. */
void probe_up(struct probe *p, uint64_t link, bool outgoing, uint8_t node);

/* That of the set on the link, by its number, p->salt. */
struct era_salt probe_salt(const struct probe *p, uint64_t link, enum era_set set);

/* Begin a frame in p->frame; then add; then send. */
struct era_frame_builder *probe_frame(struct probe *p);
void probe_send(struct probe *p, uint64_t link);
void probe_raw(struct probe *p, uint64_t link, const void *bytes, size_t len);
void probe_statement(struct probe *p, uint64_t link, size_t item);
/* The peer, whose set is these ids, begins a round. */
void probe_digest(struct probe *p, uint64_t link, enum era_set set, uint64_t round,
                  const struct era_hash *ids, size_t count);
/* The peer has nothing, and asks nobody else. */
void probe_empty(struct probe *p, uint64_t link, enum era_set set, uint64_t round);
/* Its answer to a round: so many cells of its set. */
void probe_cells(struct probe *p, uint64_t link, enum era_set set, uint64_t round, const struct era_hash *ids,
                 size_t count, size_t cells);
/* More of them: cells from … to - 1. */
void probe_more_cells(struct probe *p, uint64_t link, enum era_set set, uint64_t round,
                      const struct era_hash *ids, size_t count, size_t from, size_t to);
/* Any other word. */
void probe_word(struct probe *p, uint64_t link, enum era_set set, uint64_t round, enum era_frame_word word);
void probe_equal(struct probe *p, uint64_t link, enum era_set set, uint64_t round);
/* It asks for, or offers, these. */
void probe_ask(struct probe *p, uint64_t link, enum era_set set, uint64_t round, const struct era_hash *ids,
               size_t count);
void probe_offer(struct probe *p, uint64_t link, enum era_set set, uint64_t round, const struct era_hash *ids,
                 size_t count);
/* The cells got, taken apart against a set of these: how many items differ; SIZE_MAX: they do not come apart.
 */
size_t probe_apart(const struct probe *p, uint64_t link, enum era_set set, const struct era_hash *ids,
                   size_t count);
uint64_t probe_short(const struct probe *p, uint64_t link, enum era_set set, const struct era_hash *id);
struct era_peer_info probe_info(const struct probe *p, uint64_t link);

#endif
