/* numbers: small numbers, found by the hash of what each stands for, at four
 * bytes a cell: for tables so large that a pointer and a hash an entry would be
 * most of their memory. Open addressing; a cell holds a number and the upper
 * byte of its hash, so that others are mostly told apart without a look at
 * them. What a number stands for is the caller's. Hashes must be keyed
 * (era_siphash): whoever could choose them would make every search long.
 *
 * Between 7/16 and 7/8 of the cells are in use, and 5 to 9 bytes a number. */
#ifndef ERA_BASE_NUMBERS_H
#define ERA_BASE_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ERA_NUMBER_MAX ((uint32_t)0xffffff) /* 0 is none */

/* Zeroed: empty. */
struct era_numbers {
    uint32_t *cells;
    unsigned bits; /* 2^bits cells */
    uint32_t count;
};

/* The hash of what a number in the table stands for. */
typedef uint64_t era_number_hash(const void *ctx, uint32_t number);
/* Whether it stands for this key. */
typedef bool era_number_is(const void *ctx, uint32_t number, const void *key);

void era_numbers_release(struct era_numbers *t);
/* The number that stands for the key of this hash; 0: none. */
uint32_t era_numbers_find(const struct era_numbers *t, uint64_t hash, const void *key, era_number_is *is,
                          const void *ctx);
/* number: 1 to ERA_NUMBER_MAX, and not in the table. Asserts on no memory. */
void era_numbers_add(struct era_numbers *t, uint64_t hash, uint32_t number, era_number_hash *hash_of,
                     const void *ctx);
/* One that is in the table gives its place to another of the same hash; 0: to none. */
void era_numbers_replace(struct era_numbers *t, uint64_t hash, uint32_t number, uint32_t by,
                         era_number_hash *hash_of, const void *ctx);

#endif
