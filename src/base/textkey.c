#include "src/base/textkey.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define CHECKSUM_CHARS 6
#define DATA_CHARS     52 /* 256 bits, five a character */

static const char charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t polymod_step(uint32_t check, uint8_t value)
{
    static const uint32_t generator[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    uint32_t top = check >> 25;
    check = (check & 0x1ffffff) << 5 ^ value;
    for (int i = 0; i < 5; i++)
        if (top >> i & 1)
            check ^= generator[i];
    return check;
}

/* The checksum's state after the prefix, which is lower-cased: both cases spell one key. */
static uint32_t polymod_prefix(const char *prefix, size_t n)
{
    uint32_t check = 1;
    for (int low = 0; low < 2; low++) {
        for (size_t i = 0; i < n; i++) {
            uint8_t c = (uint8_t)prefix[i];
            if (c >= 'A' && c <= 'Z')
                c += 'a' - 'A';
            check = polymod_step(check, low ? c & 31 : c >> 5);
        }
        if (!low)
            check = polymod_step(check, 0);
    }
    return check;
}

/* Value of a data character, -1 for none. */
static int charset_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        c = (char)(c + 'a' - 'A');
    const char *at = c == '\0' ? NULL : strchr(charset, c);
    return at == NULL ? -1 : (int)(at - charset);
}

static const char *characters_why(const char *text, size_t n)
{
    bool lower = false, upper = false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < 33 || text[i] > 126)
            return "it holds a space, a control character or one outside ASCII";
        lower = lower || (text[i] >= 'a' && text[i] <= 'z');
        upper = upper || (text[i] >= 'A' && text[i] <= 'Z');
    }
    return lower && upper ? "it mixes upper and lower case" : NULL;
}

/* NULL, and the place of the last '1', when text is sound bech32. */
static const char *bech32_parse(const char *text, size_t *separator)
{
    size_t n = strnlen(text, ERA_BECH32_BYTES_MAX + 1);
    if (n == 0)
        return "it is empty";
    if (n > ERA_BECH32_BYTES_MAX)
        return "it is longer than 90 characters";
    const char *why = characters_why(text, n);
    if (why != NULL)
        return why;
    const char *one = strrchr(text, '1');
    if (one == NULL || one == text)
        return "it has no prefix that ends in \"1\"";
    *separator = (size_t)(one - text);
    if (n - *separator - 1 < CHECKSUM_CHARS)
        return "it is too short for its checksum";
    uint32_t check = polymod_prefix(text, *separator);
    for (size_t i = *separator + 1; i < n; i++) {
        int value = charset_value(text[i]);
        if (value < 0)
            return "after the prefix it holds a character that no key has (b, i, o or a sign)";
        check = polymod_step(check, (uint8_t)value);
    }
    return check == 1 ? NULL : "its checksum does not fit: a character is wrong, missing or swapped";
}

const char *era_bech32_why(const char *text)
{
    size_t separator;
    return bech32_parse(text, &separator);
}

static const char *encode(const char *prefix, const uint8_t data[32], char out[ERA_KEY_TEXT_BYTES])
{
    size_t n = strlen(prefix);
    uint32_t check = polymod_prefix(prefix, n);
    memcpy(out, prefix, n);
    out[n++] = '1';
    for (size_t i = 0; i < DATA_CHARS; i++) {
        size_t bit = 5 * i;
        unsigned pair = (unsigned)data[bit / 8] << 8 | (bit / 8 + 1 < 32 ? data[bit / 8 + 1] : 0);
        uint8_t value = pair >> (11 - bit % 8) & 31;
        check = polymod_step(check, value);
        out[n++] = charset[value];
    }
    for (int i = 0; i < CHECKSUM_CHARS; i++)
        check = polymod_step(check, 0);
    check ^= 1;
    for (int i = 0; i < CHECKSUM_CHARS; i++)
        out[n++] = charset[check >> 5 * (CHECKSUM_CHARS - 1 - i) & 31];
    out[n] = '\0';
    assert(n + 1 == ERA_KEY_TEXT_BYTES);
    return out;
}

static bool prefix_is(const char *text, size_t n, const char *prefix)
{
    if (n != strlen(prefix))
        return false;
    for (size_t i = 0; i < n; i++)
        if ((text[i] | 0x20) != prefix[i])
            return false;
    return true;
}

static const char *prefix_why(const char *text, size_t n, const char *wanted)
{
    if (prefix_is(text, n, wanted))
        return NULL;
    if (prefix_is(text, n, ERA_SEED_PREFIX))
        return "this is a secret key where a public key (erapub1…) is wanted; never show it to anyone";
    if (prefix_is(text, n, ERA_KEY_PREFIX))
        return "this is a public key where a secret key (erasec1…) is wanted";
    return "this is no key of erad: it begins with neither erapub1 nor erasec1";
}

static enum era_verdict decode(const char *text, const char *prefix, uint8_t out[32], const char **why)
{
    size_t separator;
    *why = bech32_parse(text, &separator);
    if (*why != NULL)
        return ERA_MALFORMED;
    *why = prefix_why(text, separator, prefix);
    if (*why != NULL)
        return ERA_BAD_VALUE;
    const char *data = text + separator + 1;
    *why = "it does not hold exactly 32 bytes";
    if (strlen(data) != DATA_CHARS + CHECKSUM_CHARS || (charset_value(data[DATA_CHARS - 1]) & 15) != 0)
        return ERA_BAD_VALUE;
    memset(out, 0, 32);
    for (size_t i = 0; i < DATA_CHARS; i++) {
        size_t bit = 5 * i;
        unsigned pair = (unsigned)charset_value(data[i]) << (11 - bit % 8);
        out[bit / 8] |= (uint8_t)(pair >> 8);
        if (bit / 8 + 1 < 32)
            out[bit / 8 + 1] |= (uint8_t)pair;
    }
    *why = "";
    return ERA_ACCEPTED;
}

const char *era_key_text(const struct era_key *key, char out[ERA_KEY_TEXT_BYTES])
{
    return encode(ERA_KEY_PREFIX, key->b, out);
}

const char *era_seed_text(const struct era_seed *seed, char out[ERA_KEY_TEXT_BYTES])
{
    return encode(ERA_SEED_PREFIX, seed->b, out);
}

enum era_verdict era_key_from_text(const char *text, struct era_key *out, const char **why)
{
    const char *reason;
    struct era_key key;
    enum era_verdict v = decode(text, ERA_KEY_PREFIX, key.b, &reason);
    if (v == ERA_ACCEPTED && !era_key_is_sound(&key)) {
        v = ERA_SMALL_ORDER_KEY;
        reason = "the key is of small order or not on the curve";
    }
    if (why != NULL)
        *why = reason;
    if (v == ERA_ACCEPTED)
        *out = key;
    return v;
}

enum era_verdict era_seed_from_text(const char *text, struct era_seed *out, const char **why)
{
    const char *reason;
    struct era_seed seed;
    enum era_verdict v = decode(text, ERA_SEED_PREFIX, seed.b, &reason);
    if (why != NULL)
        *why = reason;
    if (v == ERA_ACCEPTED)
        *out = seed;
    sodium_memzero(&seed, sizeof seed);
    return v;
}

bool era_key_is_sound(const struct era_key *key)
{
    return crypto_core_ed25519_is_valid_point(key->b) == 1;
}
