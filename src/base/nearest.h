/* nearest: the known word that a mistyped one was meant to be. Pure. */
#ifndef ERA_BASE_NEAREST_H
#define ERA_BASE_NEAREST_H

#include <stddef.h>

#define ERA_NEAREST_CURE_BYTES 192

/* Letters to insert, drop, replace or swap until a is b. Only the first 63 letters count. */
size_t era_word_distance(const char *a, const char *b);

/* The nearest name so far; start with best NULL. */
struct era_nearest {
    const char *word;
    const char *best;
    size_t distance;
};
void era_nearest_try(struct era_nearest *n, const char *name);
/* The best one if it is near enough for a typing error (a third of the word), else NULL. */
const char *era_nearest_found(const struct era_nearest *n);
/* "did you mean X?" when there is one, else `otherwise`; in out. Returns out. */
const char *era_nearest_cure(const struct era_nearest *n, const char *otherwise,
                             char out[ERA_NEAREST_CURE_BYTES]);

#endif
