#include "src/base/nearest.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 63

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t era_word_distance(const char *a, const char *b)
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
    size_t d = era_word_distance(n->word, name);
    if (n->best && d >= n->distance)
        return;
    n->best = name;
    n->distance = d;
}

const char *era_nearest_found(const struct era_nearest *n)
{
    return n->best && n->distance <= (strlen(n->word) + 2) / 3 ? n->best : NULL;
}

const char *era_nearest_cure(const struct era_nearest *n, const char *otherwise,
                             char out[ERA_NEAREST_CURE_BYTES])
{
    const char *found = era_nearest_found(n);
    if (found)
        snprintf(out, ERA_NEAREST_CURE_BYTES, "did you mean %s?", found);
    else
        snprintf(out, ERA_NEAREST_CURE_BYTES, "%s", otherwise);
    return out;
}
