/* place: a directory of a test's own, and files in it. */
#ifndef ERA_TESTS_ERAD_PLACE_H
#define ERA_TESTS_ERAD_PLACE_H

#include <stddef.h>

/* Makes it; place_remove empties it again. Static texts, valid until the next call of the same function. */
const char *place_make(void);
/* Path of a name in it. */
const char *place_path(const char *name);
void place_write(const char *name, const void *data, size_t len, unsigned mode);
/* Its text, "" when there is no such file. */
const char *place_read(const char *name);
void place_remove(void);

#endif
