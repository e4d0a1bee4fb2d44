/* bytes: borrowed spans, fixed hashes, hex, big-endian numbers, UTF-8.
 * Pure; allocates nothing. What takes less than a call is inline. */
#ifndef ERA_BASE_BYTES_H
#define ERA_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed span; owns nothing. */
struct era_bytes {
    const uint8_t *data;
    size_t len;
};

#define ERA_HASH_BYTES      32
#define ERA_KEY_BYTES       32
#define ERA_SECRET_BYTES    64 /* libsodium's Ed25519 secret key */
#define ERA_SIGNATURE_BYTES 64
#define ERA_HASH_TEXT_BYTES (2 * ERA_HASH_BYTES + 1)

/* 32 bytes: a statement's id, a network id, an item id. */
struct era_hash {
    uint8_t b[ERA_HASH_BYTES];
};

/* An Ed25519 public key. */
struct era_key {
    uint8_t b[ERA_KEY_BYTES];
};

struct era_signature {
    uint8_t b[ERA_SIGNATURE_BYTES];
};

/* True when a and b hold the same 32 bytes. Not constant in time: ids and public keys only. */
static inline bool era_hash_eq(const struct era_hash *a, const struct era_hash *b)
{
    return memcmp(a->b, b->b, ERA_HASH_BYTES) == 0;
}
bool era_hash_is_zero(const struct era_hash *h);
int era_hash_cmp(const struct era_hash *a, const struct era_hash *b);
static inline bool era_key_eq(const struct era_key *a, const struct era_key *b)
{
    return memcmp(a->b, b->b, ERA_KEY_BYTES) == 0;
}

/* BLAKE2b-256 over the concatenation of n parts. */
struct era_hash era_hash_parts(const struct era_bytes *parts, size_t n);

/* Lowercase hex of len bytes into out, which holds 2 * len + 1. */
void era_hex(const uint8_t *data, size_t len, char *out);
/* Hex of a hash into out. Returns out. */
const char *era_hash_text(const struct era_hash *h, char out[ERA_HASH_TEXT_BYTES]);
/* Exactly 64 lowercase hex digits. False otherwise, out untouched. */
bool era_hash_from_text(const char *text, struct era_hash *out);

static inline void era_put_be32(uint8_t out[4], uint32_t v)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(v >> (24 - 8 * i));
}
static inline void era_put_be64(uint8_t out[8], uint64_t v)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(v >> (56 - 8 * i));
}
static inline uint32_t era_get_be32(const uint8_t in[4])
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}
static inline uint64_t era_get_be64(const uint8_t in[8])
{
    return (uint64_t)era_get_be32(in) << 32 | era_get_be32(in + 4);
}

/* Well-formed UTF-8 (no overlongs, no surrogates) and free of NUL and other C0 controls and DEL,
 * except that newline and tab are allowed when `multiline`. protobuf-c checks none of it. */
bool era_utf8_valid(const char *text, size_t len, bool multiline);

/* a + b, a * b that stop at UINT64_MAX (I15). */
uint64_t era_add_sat(uint64_t a, uint64_t b);
uint64_t era_mul_sat(uint64_t a, uint64_t b);

/* Copy text into a field of size bytes (NUL included). False, out = "", when it does not fit. */
bool era_text_set(char *out, size_t size, const char *text);

#endif
