#include "src/base/bytes.h"

#include <sodium.h>
#include <string.h>

bool era_hash_is_zero(const struct era_hash *h)
{
    static const struct era_hash zero;
    return era_hash_eq(h, &zero);
}

int era_hash_cmp(const struct era_hash *a, const struct era_hash *b)
{
    return memcmp(a->b, b->b, ERA_HASH_BYTES);
}

struct era_hash era_hash_parts(const struct era_bytes *parts, size_t n)
{
    struct era_hash out;
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, ERA_HASH_BYTES);
    for (size_t i = 0; i < n; i++)
        if (parts[i].len > 0)
            crypto_generichash_update(&state, parts[i].data, parts[i].len);
    crypto_generichash_final(&state, out.b, ERA_HASH_BYTES);
    return out;
}

void era_hex(const uint8_t *data, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * len] = '\0';
}

const char *era_hash_text(const struct era_hash *h, char out[ERA_HASH_TEXT_BYTES])
{
    era_hex(h->b, ERA_HASH_BYTES, out);
    return out;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool era_hash_from_text(const char *text, struct era_hash *out)
{
    struct era_hash h;
    if (strlen(text) != 2 * ERA_HASH_BYTES)
        return false;
    for (size_t i = 0; i < ERA_HASH_BYTES; i++) {
        int hi = hex_digit(text[2 * i]);
        int lo = hex_digit(text[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        h.b[i] = (uint8_t)(hi << 4 | lo);
    }
    *out = h;
    return true;
}

/* Length of the sequence at s (rest bytes left), 0 when it is not well formed. */
static size_t utf8_sequence(const uint8_t *s, size_t rest)
{
    uint32_t cp;
    size_t n;
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xC2 && s[0] <= 0xDF) {
        n = 2;
        cp = s[0] & 0x1F;
    } else if (s[0] >= 0xE0 && s[0] <= 0xEF) {
        n = 3;
        cp = s[0] & 0x0F;
    } else if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        n = 4;
        cp = s[0] & 0x07;
    } else {
        return 0;
    }
    if (rest < n)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        cp = cp << 6 | (s[i] & 0x3F);
    }
    if ((n == 3 && cp < 0x800) || (n == 4 && cp < 0x10000))
        return 0;
    if (cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
        return 0;
    /* C1 controls and the bidirectional overrides would let a text lie to a reader's terminal. */
    if (cp < 0xA0 || (cp >= 0x202A && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069))
        return 0;
    return n;
}

bool era_utf8_valid(const char *text, size_t len, bool multiline)
{
    const uint8_t *s = (const uint8_t *)text;
    for (size_t i = 0; i < len;) {
        if (s[i] == 0x7F || (s[i] < 0x20 && !(multiline && (s[i] == '\n' || s[i] == '\t'))))
            return false;
        size_t n = utf8_sequence(s + i, len - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

uint64_t era_add_sat(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

uint64_t era_mul_sat(uint64_t a, uint64_t b)
{
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

bool era_text_set(char *out, size_t size, const char *text)
{
    size_t len = strlen(text);
    if (len >= size) {
        out[0] = '\0';
        return false;
    }
    memcpy(out, text, len + 1);
    return true;
}
