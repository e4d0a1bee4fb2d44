/* print: how eractl shows things to people: tables, pairs, wrapped prose.
 * Texts from the network are escaped here, so that none can lie to a terminal.
 * Colours only on a terminal that wants them (NO_COLOR, TERM=dumb). */
#ifndef ERA_ERACTL_PRINT_H
#define ERA_ERACTL_PRINT_H

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

#include "src/base/bytes.h"

#define ERA_SHORT_ID_BYTES 13 /* 12 digits of an id and NUL: enough to type, and unique in practice */

struct era_column {
    const char *name;
    bool right; /* numbers */
    bool wrap;  /* prose: broken over lines on a terminal */
};

struct era_table;
struct era_table *era_table_new(const struct era_column *columns, size_t n);
/* One row of as many cells as there are columns; NULL cells stay empty. Copied. */
void era_table_add(struct era_table *t, const char *const *cells);
/* Print to stdout and let go of it. */
void era_table_print(struct era_table *t);

/* "label          text", text wrapped; nothing when text is "". */
void era_print_pair(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prose, every line behind `indent` spaces, wrapped to the terminal's width; unwrapped where no terminal is.
 */
void era_print_prose(FILE *out, int indent, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Copy text; controls (C0, C1, DEL), bidirectional overrides and bad UTF-8 as \xNN; newlines stay. malloc'd.
 */
char *era_text_safe(const char *text);

/* The first 12 digits of an id. */
const char *era_short_id(const char *id, char out[ERA_SHORT_ID_BYTES]);
const char *era_short_hash(const struct era_hash *h, char out[ERA_SHORT_ID_BYTES]);

/* printf into malloc'd memory; never NULL. */
char *era_text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *era_text_vformat(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* Reading what the daemon said, tolerant of what an older one leaves out. */
const char *era_json_text(const json_t *o, const char *key); /* "" when absent or null */
json_int_t era_json_int(const json_t *o, const char *key, json_int_t fallback);
bool era_json_true(const json_t *o, const char *key);
/* ["a","b"] as "a, b", or `none`; malloc'd. */
char *era_json_names(const json_t *array, const char *none);

#endif
