/* hasher: computes digests of built outputs beside the loop (T5): a tree may
 * be large. One worker thread; at most ERA_HASHER_JOBS_MAX jobs wait. */
#ifndef ERA_ERAD_HASHER_H
#define ERA_ERAD_HASHER_H

#include <stdbool.h>
#include <stdint.h>

#include "src/host/dirhash.h"

#define ERA_HASHER_JOBS_MAX 64

struct era_hasher;

struct era_hasher *era_hasher_new(void); /* NULL: no thread or memory */
/* Stops after the job in hand; waiting ones are dropped. NULL-safe. */
void era_hasher_free(struct era_hasher *h);
int era_hasher_fd(const struct era_hasher *h); /* readable while results wait */
/* Hash path (copied) the way `like` was made: "h1:…", "m1:…" or "sha256:…". False: too many wait. */
bool era_hasher_submit(struct era_hasher *h, uint64_t job, const char *path, const char *like);
/* The next result. ok false: err says why. */
bool era_hasher_poll(struct era_hasher *h, uint64_t *job, bool *ok, char digest[ERA_DIGEST_BYTES_MAX + 1],
                     struct era_error *err);

#endif
