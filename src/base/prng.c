#include "src/base/prng.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "src/base/bytes.h"

/* splitmix64 spreads a seed, 0 too, over the whole state. */
static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

void era_prng_init(struct era_prng *prng, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        prng->s[i] = splitmix(&seed);
}

/* xoshiro256** 1.0, Blackman and Vigna. */
uint64_t era_prng_next(struct era_prng *prng)
{
    uint64_t *s = prng->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t era_prng_below(struct era_prng *prng, uint64_t n)
{
    assert(n >= 1);
    /* The 2^64 mod n lowest values would favour small results: draw again. */
    uint64_t unfair = (0 - n) % n, x;
    do
        x = era_prng_next(prng);
    while (x < unfair);
    return x % n;
}

struct era_root era_root_of_seed(uint64_t seed)
{
    struct era_root root;
    uint8_t number[8];
    era_put_be64(number, seed);
    crypto_generichash(root.b, sizeof root.b, number, sizeof number, NULL, 0);
    return root;
}

void era_root_part(const struct era_root *root, const char *purpose, uint8_t *out, size_t len)
{
    assert(len >= crypto_generichash_BYTES_MIN && len <= crypto_generichash_BYTES_MAX);
    crypto_generichash(out, len, (const uint8_t *)purpose, strlen(purpose), root->b, sizeof root->b);
}

struct era_root era_root_child(const struct era_root *root, const char *purpose)
{
    struct era_root child;
    era_root_part(root, purpose, child.b, sizeof child.b);
    return child;
}

void era_root_siphash_key(const struct era_root *root, const char *purpose, struct era_siphash_key *out)
{
    era_root_part(root, purpose, out->b, sizeof out->b);
}

void era_root_prng(const struct era_root *root, const char *purpose, struct era_prng *out)
{
    uint8_t seed[crypto_generichash_BYTES_MIN];
    era_root_part(root, purpose, seed, sizeof seed);
    era_prng_init(out, era_get_be64(seed));
}

uint64_t era_siphash(const struct era_siphash_key *key, const void *data, size_t len)
{
    _Static_assert(crypto_shorthash_KEYBYTES == ERA_SIPHASH_KEY_BYTES, "SipHash key");
    _Static_assert(crypto_shorthash_BYTES == 8, "SipHash-2-4 of 64 bits");
    uint8_t out[crypto_shorthash_BYTES];
    crypto_shorthash(out, data, len, key->b);
    return era_get_be64(out);
}
