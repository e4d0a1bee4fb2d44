/* overlay_book: the records an overlay knows, in buckets by prefix, so that one
 * prefix never has more than ERA_OVERLAY_WAYS of them. Only for overlay.c. */
#ifndef ERA_P2P_OVERLAY_BOOK_H
#define ERA_P2P_OVERLAY_BOOK_H

#include "p2p/overlay.h"

struct era_book_entry {
    struct era_peer_record record;
    uint64_t group;
    uint64_t until_ms; /* of gossip's time: dropped then, unless linked */
    uint64_t link;     /* to that node, 0 = none */
    bool dialling;
    bool proven;      /* that node was met there */
    unsigned fails;   /* dials in a row */
    uint64_t next_ms; /* not dialled before */
};

struct era_book {
    struct era_siphash_key key;
    struct era_prng prng;
    size_t count;
    struct era_book_entry *at[ERA_OVERLAY_BUCKETS][ERA_OVERLAY_WAYS]; /* NULL: free */
};

/* root: a secret, of where entries stand. */
void era_book_init(struct era_book *book, const struct era_root *root);
void era_book_release(struct era_book *book);
/* Entry i of 0 … ERA_OVERLAY_BUCKETS * ERA_OVERLAY_WAYS - 1; NULL: free. */
struct era_book_entry *era_book_at(const struct era_book *book, size_t i);
struct era_book_entry *era_book_of_node(const struct era_book *book, const struct era_key *node);
struct era_book_entry *era_book_of_place(const struct era_book *book, const struct era_place *place);
/* Room for a new record: NULL when its bucket holds only better ones (linked, dialled, proven). The entry
 * holds the record and nothing else. */
struct era_book_entry *era_book_put(struct era_book *book, const struct era_peer_record *record);
void era_book_drop(struct era_book *book, const struct era_book_entry *entry);
/* How many groups the records belong to. */
size_t era_book_groups(const struct era_book *book);

#define ERA_BOOK_PLACES ((size_t)ERA_OVERLAY_BUCKETS * ERA_OVERLAY_WAYS)

#endif
