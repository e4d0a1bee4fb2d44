/* prng: repeatable numbers from a seed (jitter, choice of peers, the
 * simulator), SipHash-2-4 for tables whose keys come from outside, and the keys
 * for it. Pure: seed and root are arguments. Whoever sees a few numbers of
 * xoshiro256** can compute its seed and all others: none leaves the process,
 * and no key or salt is made of them. */
#ifndef ERA_BASE_PRNG_H
#define ERA_BASE_PRNG_H

#include <stddef.h>
#include <stdint.h>

struct era_prng {
    uint64_t s[4]; /* never all zero */
};

#define ERA_SIPHASH_KEY_BYTES 16

/* Secret of one process's tables, so that no peer can aim at one bucket. */
struct era_siphash_key {
    uint8_t b[ERA_SIPHASH_KEY_BYTES];
};

/* Equal seeds give equal sequences, on every machine. */
void era_prng_init(struct era_prng *prng, uint64_t seed);
uint64_t era_prng_next(struct era_prng *prng);
/* Even over 0 … n - 1. Asserts n >= 1. */
uint64_t era_prng_below(struct era_prng *prng, uint64_t n);

#define ERA_ROOT_BYTES 32

/* What all keys, salts and seeds of one process are derived from, each for a purpose of its own: none tells
 * anything of the root or of another. */
struct era_root {
    uint8_t b[ERA_ROOT_BYTES];
};

/* For simulator and tests: as easily guessed as the seed. */
struct era_root era_root_of_seed(uint64_t seed);
/* len: 16 to 64. */
void era_root_part(const struct era_root *root, const char *purpose, uint8_t *out, size_t len);
struct era_root era_root_child(const struct era_root *root, const char *purpose);
void era_root_siphash_key(const struct era_root *root, const char *purpose, struct era_siphash_key *out);
void era_root_prng(const struct era_root *root, const char *purpose, struct era_prng *out);
uint64_t era_siphash(const struct era_siphash_key *key, const void *data, size_t len);

#endif
