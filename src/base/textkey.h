/* textkey: keys as texts that people copy: bech32 (BIP-173 checksum, not
 * bech32m) of 32 bytes, `erapub1…` for a public key, `erasec1…` for a secret
 * seed. One mistyped character is always found; the prefix tells a secret from
 * what may be shown. Pure; allocates nothing. No whole secret stays on the stack. */
#ifndef ERA_BASE_TEXTKEY_H
#define ERA_BASE_TEXTKEY_H

#include <stdbool.h>

#include "src/base/bytes.h"
#include "src/base/verdict.h"

#define ERA_KEY_PREFIX  "erapub"
#define ERA_SEED_PREFIX "erasec"
/* 6 of prefix, "1", 52 of data, 6 of checksum, NUL. */
#define ERA_KEY_TEXT_BYTES   66
#define ERA_SEED_BYTES       32
#define ERA_BECH32_BYTES_MAX 90 /* BIP-173: the checksum's promise ends here */

/* What an Ed25519 secret key grows from. Clear it with sodium_memzero. */
struct era_seed {
    uint8_t b[ERA_SEED_BYTES];
};

/* Lowercase text into out. Returns out. */
const char *era_key_text(const struct era_key *key, char out[ERA_KEY_TEXT_BYTES]);
const char *era_seed_text(const struct era_seed *seed, char out[ERA_KEY_TEXT_BYTES]);

/* Read a whole text, all lower or all upper case, no spaces around it.
 * why     may be NULL; set to a static text that says what is wrong ("this is
 *         a secret key…"), "" when nothing is. Never quotes the input.
 * Returns ERA_ACCEPTED; ERA_MALFORMED (not bech32, or its checksum fails);
 * ERA_BAD_VALUE (sound bech32 of another prefix or length);
 * ERA_SMALL_ORDER_KEY (public keys only, see era_key_is_sound). out is
 * untouched unless accepted. */
enum era_verdict era_key_from_text(const char *text, struct era_key *out, const char **why);
enum era_verdict era_seed_from_text(const char *text, struct era_seed *out, const char **why);

/* NULL when text is well-formed bech32 of any prefix, else why not: a static text. */
const char *era_bech32_why(const char *text);

/* False for a key that is not a canonical point of the prime-order group:
 * under a small-order key one signature fits many messages. */
bool era_key_is_sound(const struct era_key *key);

#endif
