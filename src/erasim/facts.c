#include "src/erasim/facts.h"

#include <stddef.h>
#include <stdlib.h>

#include "src/base/prng.h"

/* Nobody aims at these tables: a constant key keeps runs alike. */
static const struct era_siphash_key table_key = {{"erasim facts"}};
#define ERA_TABLE_KEY (&table_key)
#include "src/base/table.h"

struct fact {
    struct era_hash key;
    UT_hash_handle hh;
    max_align_t block[];
};

struct facts {
    size_t block_bytes, facts_max;
    struct fact *table;
};

struct facts *facts_new(size_t block_bytes, size_t facts_max)
{
    struct facts *f = calloc(1, sizeof *f);
    if (!f)
        abort();
    f->block_bytes = block_bytes;
    f->facts_max = facts_max;
    return f;
}

void facts_free(struct facts *f)
{
    if (!f)
        return;
    facts_clear(f);
    free(f);
}

void *facts_find(const struct facts *f, const struct era_hash *key)
{
    struct fact *found;
    HASH_FIND(hh, f->table, key->b, sizeof key->b, found);
    return found ? found->block : NULL;
}

void *facts_put(struct facts *f, const struct era_hash *key, bool *is_new)
{
    void *known = facts_find(f, key);
    *is_new = !known;
    if (known || facts_count(f) >= f->facts_max)
        return known;
    struct fact *made = calloc(1, sizeof *made + f->block_bytes);
    if (!made)
        abort();
    made->key = *key;
    HASH_ADD(hh, f->table, key, sizeof made->key, made);
    return made->block;
}

size_t facts_count(const struct facts *f)
{
    return HASH_COUNT(f->table);
}

void facts_clear(struct facts *f)
{
    struct fact *at, *next;
    HASH_ITER(hh, f->table, at, next)
    {
        HASH_DEL(f->table, at);
        free(at);
    }
}

void facts_each(const struct facts *f, void (*visit)(void *ctx, const struct era_hash *key, void *block),
                void *ctx)
{
    struct fact *at, *next;
    HASH_ITER(hh, f->table, at, next)
    {
        visit(ctx, &at->key, at->block);
    }
}
