/* facts: what an observer remembers, by a hash: one block of fixed size a
 * fact, zeroed when it is new. Bounded: above the limit nothing more is kept. */
#ifndef ERA_ERASIM_FACTS_H
#define ERA_ERASIM_FACTS_H

#include "src/base/bytes.h"

struct facts;

/* Aborts on no memory, as the whole simulator does. */
struct facts *facts_new(size_t block_bytes, size_t facts_max);
void facts_free(struct facts *f); /* NULL-safe */

/* NULL: not known. */
void *facts_find(const struct facts *f, const struct era_hash *key);
/* Known or made now (*is_new). NULL: full. Blocks stay where they are. */
void *facts_put(struct facts *f, const struct era_hash *key, bool *is_new);
size_t facts_count(const struct facts *f);
void facts_clear(struct facts *f);
/* In the order in which they were made. */
void facts_each(const struct facts *f, void (*visit)(void *ctx, const struct era_hash *key, void *block),
                void *ctx);

#endif
