/* files: whole small files, safely. A driver: returns 0 (or what is said) or a
 * negative errno; era_error_errno turns that into words.
 * Nothing half-written is ever seen under a final name, and what returned 0
 * is on the disk. */
#ifndef ERA_HOST_FILES_H
#define ERA_HOST_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

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

/* Make a directory 0700. 0 also when it is there already, ours, and closed to
 * group and others; else -ENOTDIR, -EPERM (another's) or -EACCES (too open). */
int era_dir_make(const char *path);

/* 0 when path is a regular file (not through a link) of this user, closed to
 * group and others; -EINVAL not regular, -EPERM another owner, -EACCES too open. */
int era_file_check_private(const char *path);

/* Take an exclusive flock on path, made 0600 when it is not there. Returns the
 * descriptor (close-on-exec), to be held open for as long as the lock,
 * -EWOULDBLOCK when another holds it, or another negative errno. */
int era_lock_take(const char *path);

#endif
