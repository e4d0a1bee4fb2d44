/* semver: strict Semantic Versioning 2.0.0 and the ranges erad's gates use (M1).
 * Pure; allocates nothing; every function takes a NUL-terminated text, linear
 * in its length. Numbers may have any length: they are compared as decimal
 * texts, so nothing overflows.
 *
 * A range:
 *   range       = "" | alternative *( "||" alternative )     one must hold
 *   alternative = test *( 1*SP test )                        all must hold
 *   test        = "*" | [ "=" | ">" | ">=" | "<" | "<=" | "^" | "~" ] version
 * A bare version is "=". An operator stands directly before its version, and
 * every version has all three numbers. No hyphen ranges, no "1.x", no "!=".
 *
 * Pre-releases have no rule of their own: everything is plain precedence
 * order, so ">=1.0.0" holds for 1.1.0-rc.1 and "<2.0.0" for 2.0.0-rc.1. In a
 * gate, a surprising exclusion would be worse. But the upper bounds that "^"
 * and "~" imply shut out the pre-releases of the bound too: "^1.2.3" does not
 * hold for 2.0.0-rc.1. Build metadata never counts, "=" included. */
#ifndef ERA_BASE_SEMVER_H
#define ERA_BASE_SEMVER_H

#include <stdbool.h>

/* True for exactly what semver.org's grammar produces: not "1.2", "01.2.3", "v1.2.3", "". */
bool era_semver_valid(const char *text);
/* NULL when valid, else why not: a static text. */
const char *era_semver_why(const char *text);
/* Precedence: -1, 0 or 1 as a is below, beside or above b. Asserts that both are valid. */
int era_semver_compare(const char *a, const char *b);

/* True for the grammar above; "" is a range. */
bool era_range_valid(const char *range);
/* NULL when valid, else why not: a static text. */
const char *era_range_why(const char *range);
/* Does the range hold for the version? "" asks nothing: it holds for every
 * text, also for "" (a version that is not known). Any other range holds for
 * valid versions only, and an invalid range holds for none: a gate stays shut
 * on what it cannot read. */
bool era_range_match(const char *range, const char *version);

#endif
