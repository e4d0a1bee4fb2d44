/* given_directory: a fresh directory for one test, gone with it. */
#ifndef ERA_TESTS_GIVEN_DIRECTORY_H
#define ERA_TESTS_GIVEN_DIRECTORY_H

#include <stddef.h>

/* Make a directory below TMPDIR and make it the current one, so that tests speak of plain names. */
void given_directory(void);
/* Remove it and all it holds. */
void remove_directory(void);
/* A file of these bytes; exits the test when that fails. */
void given_bytes(const char *path, const void *data, size_t len);
void given_file(const char *path, const char *text);

#endif
