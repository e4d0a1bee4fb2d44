#include "src/eractl/text.h"

#include <string.h>

#include "src/base/bytes.h"
#include "src/base/fraction.h"

#define WORD_MAX 63
#define YEAR_MS  ((uint64_t)366 * 24 * 3600 * 1000)

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t era_text_distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1]; /* before the last, last, present */
    size_t n = least(strlen(a), WORD_MAX), m = least(strlen(b), WORD_MAX);
    for (size_t j = 0; j <= m; j++)
        rows[1][j] = j;
    for (size_t i = 1; i <= n; i++) {
        rows[2][0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t d = rows[1][j - 1] + (a[i - 1] != b[j - 1]);
            d = least(d, least(rows[1][j], rows[2][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d = least(d, rows[0][j - 2] + 1);
            rows[2][j] = d;
        }
        memcpy(rows[0], rows[1], sizeof rows[0]);
        memcpy(rows[1], rows[2], sizeof rows[1]);
    }
    return rows[1][m];
}

void era_nearest_try(struct era_nearest *n, const char *name)
{
    size_t d = era_text_distance(n->word, name);
    if (n->best && d >= n->distance)
        return;
    n->best = name;
    n->distance = d;
}

const char *era_nearest_found(const struct era_nearest *n)
{
    return n->best && n->distance <= (strlen(n->word) + 2) / 3 ? n->best : NULL;
}

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
