#include "src/eractl/text.h"

#include <string.h>

#include "src/base/bytes.h"
#include "src/base/fraction.h"

#define YEAR_MS ((uint64_t)366 * 24 * 3600 * 1000)

bool era_duration_parse(const char *text, uint64_t *ms)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    char digits[24];
    size_t n = strspn(text, "0123456789");
    uint64_t count;
    if (n == 0 || n >= sizeof digits)
        return false;
    memcpy(digits, text, n);
    digits[n] = '\0';
    if (!era_u64_parse(digits, YEAR_MS, &count))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(text + n, units[i].unit) == 0 && era_mul_sat(count, units[i].ms) <= YEAR_MS) {
            *ms = count * units[i].ms;
            return true;
        }
    return false;
}

bool era_text_pair(const char *text, char *name, size_t size, const char **value)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || (size_t)(equals - text) >= size)
        return false;
    memcpy(name, text, (size_t)(equals - text));
    name[equals - text] = '\0';
    *value = equals + 1;
    return true;
}

bool era_id_prefix_valid(const char *text)
{
    size_t n = strspn(text, "0123456789abcdef");
    return n >= 8 && n <= 64 && text[n] == '\0';
}
