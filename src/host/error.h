/* error: what went wrong, for a person: what, where, and the cure. Every host
 * function that can fail for its user fills one and returns false.
 * Texts from outside (file names) are escaped before they get here, so that
 * they cannot lie to a terminal. */
#ifndef ERA_HOST_ERROR_H
#define ERA_HOST_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#define ERA_ERROR_TEXT_BYTES  512
#define ERA_ERROR_WHERE_BYTES 256
#define ERA_ERROR_CURE_BYTES  256

/* Too long a text is cut; all are NUL-terminated. */
struct era_error {
    int status;                        /* enum era_exit (base/verdict.h), never 0 */
    char text[ERA_ERROR_TEXT_BYTES];   /* what: "it is a symbolic link" */
    char where[ERA_ERROR_WHERE_BYTES]; /* path, file:line or key; "" = nowhere special */
    char cure[ERA_ERROR_CURE_BYTES];   /* "" = none known */
};

/* Fill err (may be NULL) and return false, so that a caller can `return era_error_set(…)`.
 * where   may hold any bytes: it is escaped here. */
bool era_error_set(struct era_error *err, int status, const char *where, const char *cure, const char *format,
                   ...) __attribute__((format(printf, 5, 6)));

/* The same for a negative errno: the text is "cannot <doing>: <strerror>"; the
 * status follows from the errno (66 not there or no regular file, 77 not
 * permitted, 75 in use, 65 too large, else 73) and so does the cure. */
bool era_error_errno(struct era_error *err, int negative_errno, const char *where, const char *doing);

/* Copy text with C0, DEL, backslash and whatever is not clean UTF-8 as \xNN. Cut at size. Returns out. */
const char *era_text_escape(const char *text, char *out, size_t size);

#endif
