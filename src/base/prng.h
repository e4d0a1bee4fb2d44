/* prng: repeatable numbers from a seed (jitter, choice of peers, the
 * simulator), and SipHash-2-4 for tables whose keys come from outside. Pure:
 * the seed is an argument. xoshiro256** is not for secrets. */
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

/* The next 16 bytes of the generator as a table key. */
void era_prng_siphash_key(struct era_prng *prng, struct era_siphash_key *out);
uint64_t era_siphash(const struct era_siphash_key *key, const void *data, size_t len);

#endif
