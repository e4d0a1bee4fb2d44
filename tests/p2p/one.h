/* one: a single overlay, and peers played by hand: what it asks for is counted. */
#ifndef ERA_TESTS_P2P_ONE_H
#define ERA_TESTS_P2P_ONE_H

#include "tests/p2p/town.h"

/* The counts are of the last look. */
struct one {
    struct era_overlay *o;
    struct era_peer_record record;
    uint64_t now_ms;
    size_t yes, no, asks, walks, shuffles, dials, parts;
    struct era_place dialled;
    uint64_t asked, told_no, shuffle_to;
    struct era_peer_shuffle shuffle;
};

/* At this address, of node 9999. The caller frees t.o. */
struct one given_one(const char *address);
void one_look(struct one *t);
void one_wait(struct one *t, uint64_t ms);
void one_up(struct one *t, uint64_t link, uint16_t node, const char *address, bool outgoing, bool anchor);
/* One that dials us asks to be a neighbour. */
void one_asks(struct one *t, uint64_t link, enum era_neighbour_word word);
/* The link tells a record. */
enum era_verdict one_tell(struct one *t, uint64_t link, const struct era_peer_record *r);
size_t one_known(const struct one *t);

#endif
