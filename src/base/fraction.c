#include "src/base/fraction.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static bool parse_digits(const char *s, size_t n, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    if (n == 0 || (n > 1 && s[0] == '0'))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s[i] - '0'), &v))
            return false;
    }
    if (v > max)
        return false;
    *out = v;
    return true;
}

bool era_u64_parse(const char *decimal, uint64_t max, uint64_t *out)
{
    return parse_digits(decimal, strlen(decimal), max, out);
}

bool era_fraction_parse(const char *text, uint64_t *numerator, uint64_t *denominator)
{
    uint64_t n, d = 1;
    size_t head = strcspn(text, "/");
    if (!parse_digits(text, head, ERA_FRACTION_PART_MAX, &n))
        return false;
    if (text[head] == '/' && !era_u64_parse(text + head + 1, ERA_FRACTION_PART_MAX, &d))
        return false;
    if (d == 0 || n > d)
        return false;
    *numerator = n;
    *denominator = d;
    return true;
}

uint64_t era_fraction_ceil(uint64_t numerator, uint64_t denominator, uint64_t whole)
{
    assert(denominator >= 1 && numerator <= denominator);
    unsigned __int128 product = (unsigned __int128)whole * numerator;
    return (uint64_t)((product + denominator - 1) / denominator);
}
