/* probe: one gossip, and peers played by hand: what they send is written by
 * the test, what they get is counted. */
#ifndef ERA_TESTS_P2P_PROBE_H
#define ERA_TESTS_P2P_PROBE_H

#include "proto/frame.h"
#include "tests/p2p/wire.h"

/* What the gossip did since the last probe_look. */
struct probe_seen {
    size_t frames, bytes, hellos, refusals, statements, fragments, summaries, haves, wants, wanted_ids,
        statuses, spreads, announced, orders;
    size_t words, walks, shuffles;
    enum era_neighbour_word word;    /* of the last Neighbour */
    struct era_peer_shuffle shuffle; /* the last */
    size_t closes, ups, downs, connects, delivered;
    enum era_verdict refusal, close, down;
    uint64_t closed_link, sent_link;
    uint32_t set;           /* of the last summary, have or want */
    uint64_t summary_round; /* of the last summary of the statements */
    uint64_t event_round;   /* of the last summary of the events */
    bool reply;             /* of the last have */
    size_t have_buckets, have_ids;
    struct era_hash wanted; /* first id of the last want */
    bool blocked;           /* of the last hello or status */
    size_t delivered_bytes;
    char connect[ERA_ADDRESS_BYTES_MAX + 1];
};

struct probe {
    struct wire *w;
    struct wire_node *n;
    struct era_gossip *g;
    struct probe_seen seen;
    bool reads; /* report written bytes to the gossip at once */
    struct era_frame_builder frame;
    uint8_t room[ERA_FRAME_BYTES_MAX];
};

struct probe *probe_new(uint64_t now_ms);
void probe_free(struct probe *p);
const struct probe_seen *probe_look(struct probe *p);
/* Time passes, timers run. */
const struct probe_seen *probe_wait(struct probe *p, uint64_t ms);

void probe_link(struct probe *p, uint64_t link, bool outgoing, const char *address);
struct era_frame_hello probe_hello(const struct probe *p, uint8_t node);
void probe_greet(struct probe *p, uint64_t link, const struct era_frame_hello *hello);
/* A link that is up; the peer's node key begins with `node`. Looks. */
void probe_up(struct probe *p, uint64_t link, bool outgoing, uint8_t node);

/* Begin a frame in p->frame; then add; then send. */
struct era_frame_builder *probe_frame(struct probe *p);
void probe_send(struct probe *p, uint64_t link);
void probe_raw(struct probe *p, uint64_t link, const void *bytes, size_t len);
void probe_statement(struct probe *p, uint64_t link, size_t item);
void probe_summary(struct probe *p, uint64_t link, enum era_set set, uint64_t round, const uint8_t *buckets);
/* A Have of one bucket that names the ids of these items, or made-up ones: see probe_ids. */
void probe_have(struct probe *p, uint64_t link, enum era_set set, uint64_t round, bool reply,
                const struct era_hash *ids, size_t count);
/* Answer a round: all is equal. */
void probe_equal(struct probe *p, uint64_t link, enum era_set set, uint64_t round);
void probe_want(struct probe *p, uint64_t link, enum era_set set, const struct era_hash *ids, size_t count);
struct era_peer_info probe_info(const struct probe *p, uint64_t link);

#endif
