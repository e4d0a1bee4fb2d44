/* reconcile: the ids of one set, in order, and by what way two sets are made equal.
 * Pure; knows ids only. They lie in sorted buckets by their first bits, as many buckets as keep each
 * small: adding, removing and finding cost O(log n), whatever the size of the set. An id that its owner
 * keeps anyway costs eight bytes, its beginning and its owner's number for it; another one 32 more. */
#ifndef ERA_P2P_RECONCILE_H
#define ERA_P2P_RECONCILE_H

#include "p2p/sketch.h"

/* How far one got in the order of ids: everything up to and with `at` is done. */
struct era_cursor {
    bool some; /* false: at the start */
    struct era_hash at;
};

struct era_idset;

struct era_idset *era_idset_new(void);                                /* asserts on no memory */
void era_idset_free(struct era_idset *set);                           /* NULL-safe */
bool era_idset_add(struct era_idset *set, const struct era_hash *id); /* false when already there */
/* The ids that an owner keeps, by its numbers for them: borrowed until it is asked again. */
typedef const struct era_hash *era_id_named(void *ctx, uint32_t number);
/* Before any is added. */
void era_idset_name_with(struct era_idset *set, era_id_named *named, void *ctx);
/* An id that the owner keeps as long as it is in the set; number: below ERA_ID_NUMBERS. */
bool era_idset_add_named(struct era_idset *set, const struct era_hash *id, uint32_t number);
#define ERA_ID_NUMBERS ((uint32_t)1 << 31)
bool era_idset_remove(struct era_idset *set, const struct era_hash *id);
bool era_idset_contains(const struct era_idset *set, const struct era_hash *id);
size_t era_idset_count(const struct era_idset *set);

/* The first id beyond the cursor, which moves to it; false at the end. */
bool era_idset_next(const struct era_idset *set, struct era_cursor *cursor);
/* How many ids begin like this one, with the bits that short ids begin with. Costs as many steps. */
size_t era_idset_crowd(const struct era_idset *set, const struct era_hash *id);
/* The id that the salt gives this short id; false when there is none. */
bool era_idset_find(const struct era_idset *set, const struct era_salt *salt, uint64_t short_id,
                    struct era_hash *out);
/* Put all ids into an empty sketch. O(n). */
void era_idset_sketch(const struct era_idset *set, struct era_sketch *sketch);
/* Give their sketch more cells: size in all. O(n). */
void era_idset_widen(const struct era_idset *set, struct era_sketch *sketch, size_t size);

/* ---- by what way ---- */

enum era_way {
    ERA_WAY_CELLS, /* cells name the difference, which alone travels */
    ERA_WAY_SEND,  /* the peer has so little of ours that all of it is sent, in order */
    ERA_WAY_TAKE   /* we have so little of the peer's that it sends all of it, in order */
};

struct era_sizes {
    uint64_t ours, theirs;
    uint64_t difference; /* about */
    /* What of the set the peer, or we, have in order already, as the first 32 bits of the last id; 0 =
     * nothing. */
    uint32_t theirs_upto, ours_upto;
};

/* The cheapest in bytes. What is only at the other end is left to a later round by SEND and TAKE. */
enum era_way era_sizes_way(const struct era_sizes *sizes);
/* Cells to send first, so that an estimate somewhat too small does not matter. */
uint64_t era_sizes_cells(const struct era_sizes *sizes);

#endif
