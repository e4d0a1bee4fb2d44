#include "src/erasim/near.h"

#include <stdio.h>
#include <string.h>

#define LETTERS_MAX 31

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to insert, drop or replace until a is b; the first LETTERS_MAX of each count. */
static size_t distance(const char *a, const char *b)
{
    size_t n = least(strlen(a), LETTERS_MAX), m = least(strlen(b), LETTERS_MAX);
    size_t row[LETTERS_MAX + 1];
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t replace = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = least(replace, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[m];
}

void near_try(struct near *n, const char *known)
{
    size_t d = distance(n->word, known);
    if (n->best && d >= n->distance)
        return;
    n->best = known;
    n->distance = d;
}

const char *near_cure(const struct near *n, const char *otherwise, char out[NEAR_CURE_BYTES])
{
    if (n->best && n->distance <= (strlen(n->word) + 2) / 3)
        snprintf(out, NEAR_CURE_BYTES, "did you mean %s?", n->best);
    else
        snprintf(out, NEAR_CURE_BYTES, "%s", otherwise);
    return out;
}
