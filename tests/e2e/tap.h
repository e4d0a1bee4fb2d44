/* tap: a peer of one real daemon, over a real link: offers statements, takes
 * in all that the daemon says, and remembers it. Holds no rules: whatever
 * arrives is kept and offered back. */
#ifndef ERA_TESTS_E2E_TAP_H
#define ERA_TESTS_E2E_TAP_H

#include "p2p/gossip.h"
#include "p2p/link_nng.h"

#define TAP_ITEMS_MAX 256

struct tap {
    const struct era_charter *charter;
    struct era_link_driver *links;
    struct era_gossip *gossip;
    uint64_t link; /* 0: not up */
    size_t count;
    struct {
        struct era_hash item;
        struct era_bytes envelope; /* owned */
        bool heard;                /* from the daemon */
    } items[TAP_ITEMS_MAX];
};

void tap_open(struct tap *t, const struct era_charter *c, const char *address);
void tap_close(struct tap *t);
/* Offer an envelope from now on. */
void tap_offer(struct tap *t, struct era_bytes envelope);
/* Wait for something and handle it; at most ms, or until `also` (a descriptor, -1: none) is readable. */
void tap_turn(struct tap *t, int also, int ms);
/* Rounds in which both held the same. */
uint64_t tap_equal_rounds(const struct tap *t);
uint64_t tap_now_ms(void);

#endif
