/* fraction: thresholds as texts and exact numbers (charter's `enough`,
 * `rebuild_quorum`), and strict decimal texts of 64-bit values. Pure. No
 * floating point: two nodes must never round differently. */
#ifndef ERA_BASE_FRACTION_H
#define ERA_BASE_FRACTION_H

#include <stdbool.h>
#include <stdint.h>

#define ERA_FRACTION_PART_MAX ((uint64_t)1000000)

/* Digits only, no sign, no spaces, no leading zero but in "0" itself, at most max.
 * False otherwise, out untouched. */
bool era_u64_parse(const char *decimal, uint64_t max, uint64_t *out);

/* "2/3", "0", "1": numerator <= denominator, 1 <= denominator, both at most
 * ERA_FRACTION_PART_MAX; kept as written, not reduced. False otherwise, both untouched. */
bool era_fraction_parse(const char *text, uint64_t *numerator, uint64_t *denominator);

/* The least whole number that is at least numerator/denominator of whole.
 * Exact for every whole. Asserts 1 <= denominator, numerator <= denominator. */
uint64_t era_fraction_ceil(uint64_t numerator, uint64_t denominator, uint64_t whole);

#endif
