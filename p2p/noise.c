#include "p2p/noise.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define PROTOCOL_NAME "Noise_XX_25519_ChaChaPoly_BLAKE2b"
#define BLOCK_BYTES   128 /* of BLAKE2b, for HMAC */
#define NONCE_LAST    (UINT64_MAX - 1)

static struct era_bytes nothing(void)
{
    return (struct era_bytes){(const uint8_t *)"", 0};
}

/* ---- HMAC and HKDF over BLAKE2b-512; libsodium has neither ---- */

static void hash_parts(uint8_t out[ERA_NOISE_HASH_BYTES], const struct era_bytes *parts, size_t n)
{
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init(&state, NULL, 0, ERA_NOISE_HASH_BYTES);
    for (size_t i = 0; i < n; i++)
        crypto_generichash_blake2b_update(&state, parts[i].data, parts[i].len);
    crypto_generichash_blake2b_final(&state, out, ERA_NOISE_HASH_BYTES);
    sodium_memzero(&state, sizeof state);
}

/* RFC 2104 with a key of one hash's length. */
static void hmac(uint8_t out[ERA_NOISE_HASH_BYTES], const uint8_t key[ERA_NOISE_HASH_BYTES],
                 const struct era_bytes *parts, size_t n)
{
    uint8_t pad[BLOCK_BYTES], inner[ERA_NOISE_HASH_BYTES];
    struct era_bytes in[4] = {{pad, sizeof pad}};
    assert(n < sizeof in / sizeof in[0]);
    memset(pad, 0x36, sizeof pad);
    for (size_t i = 0; i < ERA_NOISE_HASH_BYTES; i++)
        pad[i] ^= key[i];
    memcpy(in + 1, parts, n * sizeof *parts);
    hash_parts(inner, in, n + 1);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    hash_parts(out, (struct era_bytes[]){{pad, sizeof pad}, {inner, sizeof inner}}, 2);
    sodium_memzero(pad, sizeof pad);
    sodium_memzero(inner, sizeof inner);
}

/* HKDF with two outputs; XX asks for no third. */
static void hkdf(const uint8_t chaining_key[ERA_NOISE_HASH_BYTES], struct era_bytes input,
                 uint8_t out1[ERA_NOISE_HASH_BYTES], uint8_t out2[ERA_NOISE_HASH_BYTES])
{
    uint8_t secret[ERA_NOISE_HASH_BYTES];
    hmac(secret, chaining_key, &input, 1);
    hmac(out1, secret, &(struct era_bytes){(const uint8_t *)"\1", 1}, 1);
    hmac(out2, secret, (struct era_bytes[]){{out1, ERA_NOISE_HASH_BYTES}, {(const uint8_t *)"\2", 1}}, 2);
    sodium_memzero(secret, sizeof secret);
}

/* ---- CipherState ---- */

static void cipher_set(struct era_noise_cipher *c, const uint8_t *key)
{
    memcpy(c->key, key, sizeof c->key);
    c->has_key = true;
    c->nonce = 0;
}

/* 32 zero bits, then the number, little-endian. */
static void nonce_bytes(uint64_t nonce, uint8_t out[crypto_aead_chacha20poly1305_IETF_NPUBBYTES])
{
    memset(out, 0, 4);
    for (int i = 0; i < 8; i++)
        out[4 + i] = (uint8_t)(nonce >> (8 * i));
}

bool era_noise_encrypt(struct era_noise_cipher *c, struct era_bytes ad, struct era_bytes plain, uint8_t *out,
                       size_t *len)
{
    uint8_t nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];
    *len = plain.len;
    if (!c->has_key) {
        if (plain.len > 0)
            memmove(out, plain.data, plain.len);
        return true;
    }
    if (c->nonce > NONCE_LAST)
        return false;
    nonce_bytes(c->nonce++, nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt_detached(out, out + plain.len, NULL, plain.data, plain.len,
                                                       ad.data, ad.len, NULL, nonce, c->key);
    *len += ERA_NOISE_TAG_BYTES;
    return true;
}

bool era_noise_decrypt(struct era_noise_cipher *c, struct era_bytes ad, struct era_bytes cipher, uint8_t *out,
                       size_t *len)
{
    uint8_t nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];
    *len = cipher.len;
    if (!c->has_key) {
        if (cipher.len > 0)
            memmove(out, cipher.data, cipher.len);
        return true;
    }
    if (c->nonce > NONCE_LAST || cipher.len < ERA_NOISE_TAG_BYTES)
        return false;
    nonce_bytes(c->nonce, nonce);
    *len -= ERA_NOISE_TAG_BYTES;
    if (crypto_aead_chacha20poly1305_ietf_decrypt_detached(out, NULL, cipher.data, *len, cipher.data + *len,
                                                           ad.data, ad.len, nonce, c->key) != 0)
        return false;
    c->nonce++;
    return true;
}

void era_noise_rekey(struct era_noise_cipher *c)
{
    uint8_t nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES], tag[ERA_NOISE_TAG_BYTES];
    uint8_t key[ERA_NOISE_KEY_BYTES] = {0};
    nonce_bytes(UINT64_MAX, nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt_detached(key, tag, NULL, key, sizeof key, NULL, 0, NULL, nonce,
                                                       c->key);
    memcpy(c->key, key, sizeof c->key);
    sodium_memzero(key, sizeof key);
}

/* ---- SymmetricState ---- */

static void mix_hash(struct era_noise_symmetric *s, struct era_bytes data)
{
    hash_parts(s->hash, (struct era_bytes[]){{s->hash, sizeof s->hash}, data}, 2);
}

static void symmetric_init(struct era_noise_symmetric *s, struct era_bytes prologue)
{
    static_assert(sizeof PROTOCOL_NAME - 1 <= ERA_NOISE_HASH_BYTES, "a longer name would be hashed");
    memset(s, 0, sizeof *s);
    memcpy(s->hash, PROTOCOL_NAME, sizeof PROTOCOL_NAME - 1);
    memcpy(s->chaining_key, s->hash, sizeof s->hash);
    mix_hash(s, prologue);
}

static void mix_key(struct era_noise_symmetric *s, const uint8_t shared[ERA_NOISE_KEY_BYTES])
{
    uint8_t key[ERA_NOISE_HASH_BYTES], chaining_key[ERA_NOISE_HASH_BYTES];
    hkdf(s->chaining_key, (struct era_bytes){shared, ERA_NOISE_KEY_BYTES}, chaining_key, key);
    memcpy(s->chaining_key, chaining_key, sizeof chaining_key);
    cipher_set(&s->cipher, key);
    sodium_memzero(key, sizeof key);
    sodium_memzero(chaining_key, sizeof chaining_key);
}

static bool encrypt_and_hash(struct era_noise_symmetric *s, struct era_bytes plain, uint8_t *out, size_t *len)
{
    if (!era_noise_encrypt(&s->cipher, (struct era_bytes){s->hash, sizeof s->hash}, plain, out, len))
        return false;
    mix_hash(s, (struct era_bytes){out, *len});
    return true;
}

static bool decrypt_and_hash(struct era_noise_symmetric *s, struct era_bytes cipher, uint8_t *out,
                             size_t *len)
{
    uint8_t hash[ERA_NOISE_HASH_BYTES];
    /* out may be where cipher lies: hash it while it is there. */
    hash_parts(hash, (struct era_bytes[]){{s->hash, sizeof s->hash}, cipher}, 2);
    if (!era_noise_decrypt(&s->cipher, (struct era_bytes){s->hash, sizeof s->hash}, cipher, out, len))
        return false;
    memcpy(s->hash, hash, sizeof hash);
    return true;
}

/* ---- HandshakeState ---- */

void era_noise_keypair(struct era_noise_keypair *out, const uint8_t secret[ERA_NOISE_KEY_BYTES])
{
    memmove(out->secret, secret, sizeof out->secret);
    crypto_scalarmult_base(out->key, out->secret);
}

void era_noise_handshake_init(struct era_noise_handshake *h, bool initiator, struct era_bytes prologue,
                              const struct era_noise_keypair *mine, const struct era_noise_keypair *ephemeral)
{
    memset(h, 0, sizeof *h);
    symmetric_init(&h->symmetric, prologue);
    h->mine = *mine;
    h->initiator = initiator;
    h->ephemeral = *ephemeral;
}

bool era_noise_handshake_writes(const struct era_noise_handshake *h)
{
    return !h->failed && h->done < ERA_NOISE_MESSAGES && (h->done % 2 == 0) == h->initiator;
}

bool era_noise_handshake_done(const struct era_noise_handshake *h)
{
    return !h->failed && h->done == ERA_NOISE_MESSAGES;
}

size_t era_noise_message_overhead(unsigned number)
{
    static const size_t bytes[ERA_NOISE_MESSAGES] = {ERA_NOISE_KEY_BYTES,
                                                     2 * ERA_NOISE_KEY_BYTES + 2 * ERA_NOISE_TAG_BYTES,
                                                     ERA_NOISE_KEY_BYTES + 2 * ERA_NOISE_TAG_BYTES};
    assert(number < ERA_NOISE_MESSAGES);
    return bytes[number];
}

/* DH and MixKey. libsodium says -1 when the result is all zeros. */
static bool mix_dh(struct era_noise_handshake *h, const uint8_t *secret, const uint8_t *key)
{
    uint8_t shared[ERA_NOISE_KEY_BYTES];
    bool ok = crypto_scalarmult(shared, secret, key) == 0;
    if (ok)
        mix_key(&h->symmetric, shared);
    sodium_memzero(shared, sizeof shared);
    return ok;
}

/* The keys of ee, es and se are what the tokens' letters say: initiator's first. */
static bool mix_ee(struct era_noise_handshake *h)
{
    return mix_dh(h, h->ephemeral.secret, h->peer_ephemeral);
}

static bool mix_es(struct era_noise_handshake *h)
{
    return h->initiator ? mix_dh(h, h->ephemeral.secret, h->peer)
                        : mix_dh(h, h->mine.secret, h->peer_ephemeral);
}

static bool mix_se(struct era_noise_handshake *h)
{
    return h->initiator ? mix_dh(h, h->mine.secret, h->peer_ephemeral)
                        : mix_dh(h, h->ephemeral.secret, h->peer);
}

static bool write_tokens(struct era_noise_handshake *h, uint8_t **at)
{
    struct era_bytes mine = {h->mine.key, sizeof h->mine.key};
    size_t len;
    if (h->done < 2) { /* e */
        memcpy(*at, h->ephemeral.key, ERA_NOISE_KEY_BYTES);
        mix_hash(&h->symmetric, (struct era_bytes){*at, ERA_NOISE_KEY_BYTES});
        *at += ERA_NOISE_KEY_BYTES;
    }
    if (h->done == 0)
        return true;
    if (h->done == 1 && !mix_ee(h))
        return false;
    if (!encrypt_and_hash(&h->symmetric, mine, *at, &len))
        return false;
    *at += len;
    return h->done == 1 ? mix_es(h) : mix_se(h);
}

bool era_noise_handshake_write(struct era_noise_handshake *h, struct era_bytes payload, uint8_t *out,
                               size_t *len)
{
    uint8_t *at = out;
    assert(era_noise_handshake_writes(h));
    assert(payload.len <= ERA_NOISE_MESSAGE_MAX - era_noise_message_overhead(h->done));
    if (!write_tokens(h, &at) || !encrypt_and_hash(&h->symmetric, payload, at, len)) {
        h->failed = true;
        return false;
    }
    *len += (size_t)(at - out);
    h->done++;
    return true;
}

static bool read_tokens(struct era_noise_handshake *h, struct era_bytes *rest)
{
    struct era_bytes peer = {NULL, ERA_NOISE_KEY_BYTES + ERA_NOISE_TAG_BYTES};
    size_t len;
    if (h->done < 2) { /* e */
        memcpy(h->peer_ephemeral, rest->data, ERA_NOISE_KEY_BYTES);
        mix_hash(&h->symmetric, (struct era_bytes){rest->data, ERA_NOISE_KEY_BYTES});
        *rest = (struct era_bytes){rest->data + ERA_NOISE_KEY_BYTES, rest->len - ERA_NOISE_KEY_BYTES};
    }
    if (h->done == 0)
        return true;
    if (h->done == 1 && !mix_ee(h))
        return false;
    peer.data = rest->data;
    if (!decrypt_and_hash(&h->symmetric, peer, h->peer, &len))
        return false;
    *rest = (struct era_bytes){rest->data + peer.len, rest->len - peer.len};
    return h->done == 1 ? mix_es(h) : mix_se(h);
}

bool era_noise_handshake_read(struct era_noise_handshake *h, struct era_bytes message, uint8_t *payload,
                              size_t *len)
{
    bool ours = !h->failed && h->done < ERA_NOISE_MESSAGES && !era_noise_handshake_writes(h);
    h->failed = !ours || message.len < era_noise_message_overhead(h->done) ||
                message.len > ERA_NOISE_MESSAGE_MAX || !read_tokens(h, &message) ||
                !decrypt_and_hash(&h->symmetric, message, payload, len);
    if (!h->failed)
        h->done++;
    return !h->failed;
}

void era_noise_handshake_split(struct era_noise_handshake *h, struct era_noise_cipher *send,
                               struct era_noise_cipher *receive)
{
    uint8_t key1[ERA_NOISE_HASH_BYTES], key2[ERA_NOISE_HASH_BYTES], peer[ERA_NOISE_KEY_BYTES];
    assert(era_noise_handshake_done(h));
    hkdf(h->symmetric.chaining_key, nothing(), key1, key2);
    cipher_set(h->initiator ? send : receive, key1);
    cipher_set(h->initiator ? receive : send, key2);
    memcpy(peer, h->peer, sizeof peer);
    era_noise_handshake_wipe(h);
    memcpy(h->peer, peer, sizeof peer);
    sodium_memzero(key1, sizeof key1);
    sodium_memzero(key2, sizeof key2);
}

void era_noise_handshake_wipe(struct era_noise_handshake *h)
{
    sodium_memzero(h, sizeof *h);
}

/* ---- node keys ---- */

void era_noise_keypair_of_node(struct era_noise_keypair *out, const uint8_t secret[ERA_SECRET_BYTES])
{
    uint8_t x[ERA_NOISE_KEY_BYTES];
    crypto_sign_ed25519_sk_to_curve25519(x, secret);
    era_noise_keypair(out, x);
    sodium_memzero(x, sizeof x);
}

bool era_noise_proves_node(const uint8_t proven[ERA_KEY_BYTES], const struct era_key *node)
{
    uint8_t x[ERA_NOISE_KEY_BYTES];
    return crypto_sign_ed25519_pk_to_curve25519(x, node->b) == 0 && memcmp(x, proven, sizeof x) == 0;
}
