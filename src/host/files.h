/* files: whole small files, safely. A driver: an int is 0 (or what is said) or
 * a negative errno, which era_error_errno turns into words; a bool fills err.
 * Nothing half-written is ever seen under a final name, and what returned 0
 * is on the disk. */
#ifndef ERA_HOST_FILES_H
#define ERA_HOST_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "src/host/error.h"

/* Read all of path, which must be a regular file.
 * cap     most bytes accepted; -EFBIG above.
 * out     malloc'd, caller frees; a NUL follows the bytes. Untouched on failure.
 * Returns 0, -EISDIR or -EINVAL (not a regular file), or another negative errno. */
int era_file_read(const char *path, size_t cap, uint8_t **out, size_t *len);

/* Replace or make path at once: a temporary in the same directory, fsync, rename, fsync of the directory.
 * mode    exact permission bits, whatever the umask. */
int era_file_write(const char *path, const void *data, size_t len, mode_t mode);
/* The same, but -EEXIST when path exists already; never replaces, not even in a race. */
int era_file_create(const char *path, const void *data, size_t len, mode_t mode);

/* Append line and a newline in one write, then fsync; makes the file (0600) when it is not there.
 * line    holds no newline (-EINVAL). */
int era_file_append_line(const char *path, const char *line);

/* Make a directory 0700. True also when it is there already, ours, and closed
 * to group and others; else err says why not (77 another's or too open, 73). */
bool era_dir_make(const char *path, struct era_error *err);

/* era_file_read for secrets: only a regular file of this user that group and
 * others can neither read nor write, judged on the descriptor that is read.
 * Links are followed: the target's owner and mode count. The caller zeroes *out. */
bool era_file_read_private(const char *path, size_t cap, uint8_t **out, size_t *len, struct era_error *err);

/* Take an exclusive flock on path, made 0600 when it is not there. Returns the
 * descriptor (close-on-exec), to be held open for as long as the lock,
 * -EWOULDBLOCK when another holds it, or another negative errno. */
int era_lock_take(const char *path);

#endif
