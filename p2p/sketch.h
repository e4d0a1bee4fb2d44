/* sketch: a set of ids as a stream of cells from which two ends learn how their sets differ, at a cost
 * that follows the difference alone (a rateless invertible Bloom lookup table). Pure; knows ids only.
 *
 * A salt makes a tag of an id: a *short id* of 64 bits (24 of the id itself, so that its owner finds it, 40
 * of a keyed hash, so that nobody who does not know the salt makes two collide) and a place. Cell i is
 * the XOR of the short ids, and of their checks, of those items whose walk visits i; every walk begins
 * at 0 and visits i with probability 1 / (1 + i / 2). The XOR of two ends' cells holds what only one of
 * them has: a cell of one item names it, taking that out of all its cells leaves others with one. About
 * 1.4 cells an item are enough; more can be had at any time without making the first ones anew.
 *
 * Beside the cells: counters by which two ends see about how much they differ. Items come and go at
 * O(log cells) each. Whether sets are equal p2p/setsum.h tells. */
#ifndef ERA_P2P_SKETCH_H
#define ERA_P2P_SKETCH_H

#include "proto/limits.h"
#include "src/base/bytes.h"
#include "src/base/prng.h"

#define ERA_SHORT_PREFIX_BITS 24 /* of the id: the upper bits of the short id */

/* Known to all, or to the two ends of a link alone: see p2p/gossip_sync.h. */
struct era_salt {
    struct era_siphash_key key;
};

struct era_tag {
    uint64_t short_id;
    uint64_t counter; /* which counter, and up or down */
};

struct era_cell {
    uint32_t word[3]; /* short id, check */
};

struct era_sketch {
    struct era_salt salt;
    size_t count; /* items */
    uint8_t estimate[ERA_SYNC_ESTIMATE_BYTES];
    size_t size;
    struct era_cell *cells; /* NULL when size is 0 */
};

struct era_tag era_tag_of(const struct era_salt *salt, const struct era_hash *id);

/* An empty sketch of size cells; asserts on no memory. Pair with release. */
void era_sketch_init(struct era_sketch *sketch, const struct era_salt *salt, size_t size);
void era_sketch_release(struct era_sketch *sketch); /* of a zeroed one too */
void era_sketch_put(struct era_sketch *sketch, const struct era_tag *tag);
/* Only what is in it. */
void era_sketch_drop(struct era_sketch *sketch, const struct era_tag *tag);

/* About how many items only one of the two sets has; right to a seventh, mostly. Above some 65,536 it
 * tells no more than that they are many. */
uint64_t era_estimate_difference(const uint8_t a[ERA_SYNC_ESTIMATE_BYTES],
                                 const uint8_t b[ERA_SYNC_ESTIMATE_BYTES]);
/* So many cells are mostly enough for a difference of that size. */
uint64_t era_cells_needed(uint64_t difference);

/* Put into, or take out of, cells[from … from + count - 1], which lie at `cells`. */
void era_cells_toggle(struct era_cell *cells, size_t from, size_t count, uint64_t short_id);
/* a[i] ^= b[i] */
void era_cells_subtract(struct era_cell *a, const struct era_cell *b, size_t count);
void era_cells_write(const struct era_cell *cells, size_t count, uint8_t *out);
void era_cells_read(const uint8_t *in, size_t count, struct era_cell *cells);
/* Take the difference apart: the short ids in it, into short_ids[count]; *found says how many, never more
 * than count. True when the cells were made of just these. The cells are used up. */
bool era_cells_peel(struct era_cell *cells, size_t count, uint64_t *short_ids, size_t *found);
/* When that failed: about how many differ, told by how many of the cells, not yet peeled, hold nothing. */
uint64_t era_cells_guess(const struct era_cell *cells, size_t count);

#endif
