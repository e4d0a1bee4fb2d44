/* near: the known word that a mistyped one was meant to be. Pure. */
#ifndef ERA_ERASIM_NEAR_H
#define ERA_ERASIM_NEAR_H

#include <stddef.h>

#define NEAR_CURE_BYTES 192

/* The nearest so far; start with {.word = …}. */
struct near {
    const char *word, *best;
    size_t distance;
};
void near_try(struct near *n, const char *known);
/* "did you mean X?" when a typing error lies between, else `otherwise`; in out. Returns out. */
const char *near_cure(const struct near *n, const char *otherwise, char out[NEAR_CURE_BYTES]);

#endif
