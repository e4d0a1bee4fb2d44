/* town: overlays alone in memory, with virtual time: who is dialled, what they
 * say to each other, who vanishes. Signatures are toys: see town_sign. */
#ifndef ERA_TESTS_P2P_TOWN_H
#define ERA_TESTS_P2P_TOWN_H

#include "p2p/overlay.h"

#define TOWN_MAX 400

struct town_house {
    struct era_overlay *overlay; /* NULL: gone */
    struct era_peer_record record;
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    size_t refused; /* verdicts that are charged */
};

struct town_link {
    bool open;
    size_t end[2];      /* who dialled, who was dialled */
    uint64_t number[2]; /* of the link at either end */
};

struct town_letter {
    uint64_t at_ms, to_link;
    size_t to;
    struct era_overlay_action action; /* with a shuffle of its own */
};

struct town {
    uint64_t now_ms, seed;
    size_t count;
    struct town_house houses[TOWN_MAX];
    size_t link_count, link_cap;
    struct town_link *links;
    size_t letter_head, letter_count, letter_cap;
    struct town_letter *letters; /* first in, first out: every one takes as long */
    size_t letters_sent;
};

struct town *town_new(uint64_t seed);
void town_free(struct town *t);
/* A node at an address of its own (NULL: 10.x.y.1), which it advertises; its number. */
size_t town_add(struct town *t, const char *address);
struct era_peer_record town_record(uint16_t node, const char *address, uint64_t made_ms);
bool town_fits(void *ctx, const struct era_key *key, const struct era_hash *digest,
               const struct era_signature *signature);
extern const struct era_hash town_network;
/* a is told b's address by its operator, and dials it. */
void town_join(struct town *t, size_t a, size_t b);
void town_vanish(struct town *t, size_t house);
void town_run(struct town *t, uint64_t ms);
/* How many can be reached from the first that is there, over links that both ends hold active. */
size_t town_reach(const struct town *t);
size_t town_there(const struct town *t);
size_t town_degree(const struct town *t, size_t house);
bool town_linked(const struct town *t, size_t a, size_t b);

#endif
