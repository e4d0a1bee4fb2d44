#include "p2p/setsum.h"

#include <sodium.h>

#define BYTES (ERA_SETSUM_LANES * 8)

static void stretch(const struct era_hash *id, uint8_t out[BYTES])
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = {0};
    _Static_assert(crypto_stream_chacha20_KEYBYTES == ERA_HASH_BYTES, "an id is a key");
    crypto_stream_chacha20(out, BYTES, nonce, id->b);
}

void era_setsum_put(struct era_setsum *sum, const struct era_hash *id)
{
    uint8_t bytes[BYTES];
    stretch(id, bytes);
    for (size_t i = 0; i < ERA_SETSUM_LANES; i++)
        sum->lane[i] += era_get_be64(bytes + 8 * i);
}

void era_setsum_drop(struct era_setsum *sum, const struct era_hash *id)
{
    uint8_t bytes[BYTES];
    stretch(id, bytes);
    for (size_t i = 0; i < ERA_SETSUM_LANES; i++)
        sum->lane[i] -= era_get_be64(bytes + 8 * i);
}

void era_setsum_print(const struct era_setsum *sum, struct era_bytes salt, uint8_t out[ERA_SYNC_PRINT_BYTES])
{
    crypto_generichash_state state;
    uint8_t bytes[BYTES];
    for (size_t i = 0; i < ERA_SETSUM_LANES; i++)
        era_put_be64(bytes + 8 * i, sum->lane[i]);
    crypto_generichash_init(&state, NULL, 0, ERA_SYNC_PRINT_BYTES);
    crypto_generichash_update(&state, salt.data, salt.len);
    crypto_generichash_update(&state, bytes, sizeof bytes);
    crypto_generichash_final(&state, out, ERA_SYNC_PRINT_BYTES);
}
