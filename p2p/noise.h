/* noise: Noise_XX_25519_ChaChaPoly_BLAKE2b, as the Noise Protocol Framework
 * (revision 34) has it, from libsodium's primitives. Pure: whoever begins a
 * handshake brings its ephemeral secret.
 *
 *   XX:  -> e      <- e, ee, s, es      -> s, se
 *
 * Invariants:
 * - a nonce is used once: a cipher whose nonces are used up (2^64 - 1 is kept
 *   for rekeying) encrypts and decrypts nothing more;
 * - a DH whose result is zero is refused: no point of small order gets through;
 * - what does not decrypt changes no cipher; a handshake that met it is over;
 * - secrets are wiped when they are used up, by era_noise_handshake_wipe at the latest.
 * A false means that the other end, or who stands between, broke the protocol. */
#ifndef ERA_P2P_NOISE_H
#define ERA_P2P_NOISE_H

#include "src/base/bytes.h"

#define ERA_NOISE_KEY_BYTES   32 /* DHLEN, and the keys of ciphers */
#define ERA_NOISE_HASH_BYTES  64 /* HASHLEN */
#define ERA_NOISE_TAG_BYTES   16
#define ERA_NOISE_MESSAGE_MAX 65535
#define ERA_NOISE_MESSAGES    3 /* of the handshake */

/* ---- CipherState ---- */
struct era_noise_cipher {
    uint8_t key[ERA_NOISE_KEY_BYTES];
    bool has_key;
    uint64_t nonce; /* of the next message */
};

/* plain -> out, which holds plain.len + ERA_NOISE_TAG_BYTES (without a key: plain.len) and may be where
 * plain lies. *len: what was written. False: no nonce is left. */
bool era_noise_encrypt(struct era_noise_cipher *c, struct era_bytes ad, struct era_bytes plain, uint8_t *out,
                       size_t *len);
/* The reverse. False: too short, not what its sender wrote, out of turn, or no nonce is left; c as before. */
bool era_noise_decrypt(struct era_noise_cipher *c, struct era_bytes ad, struct era_bytes cipher, uint8_t *out,
                       size_t *len);
/* The key becomes another, by a one-way function; the nonce goes on. */
void era_noise_rekey(struct era_noise_cipher *c);

/* ---- SymmetricState ---- */
struct era_noise_symmetric {
    struct era_noise_cipher cipher;
    uint8_t chaining_key[ERA_NOISE_HASH_BYTES], hash[ERA_NOISE_HASH_BYTES];
};

/* ---- HandshakeState ---- */
struct era_noise_keypair {
    uint8_t secret[ERA_NOISE_KEY_BYTES], key[ERA_NOISE_KEY_BYTES];
};

struct era_noise_handshake {
    struct era_noise_symmetric symmetric;
    struct era_noise_keypair mine, ephemeral;
    uint8_t peer[ERA_NOISE_KEY_BYTES], peer_ephemeral[ERA_NOISE_KEY_BYTES];
    bool initiator, failed;
    unsigned done; /* messages written and read */
};

/* The public half: X25519 of the secret and the base point. */
void era_noise_keypair(struct era_noise_keypair *out, const uint8_t secret[ERA_NOISE_KEY_BYTES]);

/* ephemeral: of fresh random bytes, used for nothing else (fixed in tests alone). */
void era_noise_handshake_init(struct era_noise_handshake *h, bool initiator, struct era_bytes prologue,
                              const struct era_noise_keypair *mine,
                              const struct era_noise_keypair *ephemeral);
/* Is the next message ours to write? False for both ends once the handshake is done. */
bool era_noise_handshake_writes(const struct era_noise_handshake *h);
/* Bytes of message number 0 to 2 around its payload. */
size_t era_noise_message_overhead(unsigned number);
/* The next message into out, which holds overhead + payload.len <= ERA_NOISE_MESSAGE_MAX. False: the peer's
 * key gave a zero DH. */
bool era_noise_handshake_write(struct era_noise_handshake *h, struct era_bytes payload, uint8_t *out,
                               size_t *len);
/* payload holds message.len. False: the handshake is over, whatever follows. */
bool era_noise_handshake_read(struct era_noise_handshake *h, struct era_bytes message, uint8_t *payload,
                              size_t *len);
/* All three messages went through: h->peer is proven. */
bool era_noise_handshake_done(const struct era_noise_handshake *h);
/* The ciphers of a handshake that is done; wipes h but for peer. */
void era_noise_handshake_split(struct era_noise_handshake *h, struct era_noise_cipher *send,
                               struct era_noise_cipher *receive);
void era_noise_handshake_wipe(struct era_noise_handshake *h);

/* ---- node keys: an Ed25519 key speaks Noise as its X25519 form ---- */
/* secret: libsodium's Ed25519 secret key. */
void era_noise_keypair_of_node(struct era_noise_keypair *out, const uint8_t secret[ERA_SECRET_BYTES]);
/* Is `proven` the X25519 form of that node key? (It is that of two: k and -k, both of which the holder of
 * either can sign for.) False for a key of small order or off the curve. */
bool era_noise_proves_node(const uint8_t proven[ERA_KEY_BYTES], const struct era_key *node);

#endif
