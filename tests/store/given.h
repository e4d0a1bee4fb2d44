/* given: what the tests of the store stand on. */
#ifndef ERA_TESTS_STORE_GIVEN_H
#define ERA_TESTS_STORE_GIVEN_H

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

/* A new empty directory, removed by dir_remove with all that lies in and beside it. */
struct dir {
    char top[64];
    char store[128]; /* top/store, not made yet */
    char data[160];  /* top/store/data.mdb */
};

struct dir given_dir(void);
void dir_remove(const struct dir *d);

/* Texts as keys and values; value NULL deletes. */
struct era_bytes text(const char *t);
struct era_store_put put(const char *key, const char *value);
int commit_text(struct era_store *s, const char *key, const char *value);
/* Record i: its key, and a value of len bytes that are all i. */
int commit_filled(struct era_store *s, uint32_t i, size_t len);

/* All records but META, as "key=value key=value"; then -EBADMSG when the walk ended so. */
const char *walk_text(struct era_store *s, const char *prefix, char *out, size_t size);
/* A value as text, or "-ENOENT", "-EBADMSG", "-EINVAL", "error". */
const char *get_text(struct era_store *s, const char *key, char out[256]);

/* A whole file, malloc'd. */
uint8_t *file_read(const char *path, size_t *len);
void file_write(const char *path, const uint8_t *data, size_t len);

#endif
