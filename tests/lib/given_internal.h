/* given_internal: what the files of given share. Not for tests. */
#ifndef ERA_TESTS_LIB_GIVEN_INTERNAL_H
#define ERA_TESTS_LIB_GIVEN_INTERNAL_H

#include "tests/lib/given.h"

#define NAMES_MAX 5000

/* Zeroed memory that stays until the process ends. */
void *given_keep(size_t bytes);
_Noreturn void given_wrong(const char *what, const char *name);
void given_set(char *out, size_t size, const char *text);
/* Cut a copy of text at any of the separators; returns the number of parts. */
size_t given_split(const char *text, const char *separators, char **parts, size_t max);

/* The same one every time: it has room for a plan, and thousands of votes are signed. */
struct era_statement *given_statement(enum era_kind kind);
struct era_bytes given_encoded(const struct era_statement *s);
struct era_signature given_sign(const struct era_charter *c, const char *who, uint32_t kind,
                                struct era_bytes payload);
struct era_bytes given_envelope(const struct era_envelope *e);
/* For qsort of indexed signatures. */
int given_by_index(const void *a, const void *b);
/* The charter that c follows. */
const struct era_charter *given_before(const struct era_charter *c);
/* c follows old. */
void given_follow(const struct era_charter *c, const struct era_charter *old);

#endif
