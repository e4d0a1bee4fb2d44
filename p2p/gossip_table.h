/* gossip_table: two small memories of gossip, both bounded and keyed against
 * peers who choose ids.
 * era_idtable: ids with a note each, in order of arrival; when full, the oldest is dropped.
 * era_known: which ids a link has lately seen, as 64-bit keyed hashes. It may
 * forget; a false "known" only skips a push, which anti-entropy heals. */
#ifndef ERA_P2P_GOSSIP_TABLE_H
#define ERA_P2P_GOSSIP_TABLE_H

#include "src/base/bytes.h"
#include "src/base/prng.h"
#include "src/base/verdict.h"

struct era_idtable;

struct era_idnote {
    struct era_hash id;
    uint64_t link;
    uint64_t round; /* ours that made us ask; 0 = none, or not of the statements */
    uint64_t born_ms, due_ms;
    enum era_verdict why; /* of what was refused; else 0 */
};

struct era_idtable *era_idtable_new(size_t cap, const struct era_siphash_key *key); /* asserts on no memory */
void era_idtable_free(struct era_idtable *table);                                   /* NULL-safe */
void era_idtable_clear(struct era_idtable *table);
size_t era_idtable_count(const struct era_idtable *table);
/* Copies the note. An id that is there already is moved to the newest place. */
void era_idtable_put(struct era_idtable *table, const struct era_idnote *note);
/* NULL when absent; borrowed until the table changes. */
const struct era_idnote *era_idtable_find(const struct era_idtable *table, const struct era_hash *id);
const struct era_idnote *era_idtable_oldest(const struct era_idtable *table);
void era_idtable_remove(struct era_idtable *table, const struct era_hash *id);
/* Remove every note of a link. */
void era_idtable_remove_link(struct era_idtable *table, uint64_t link);

#define ERA_KNOWN_WAYS     4
#define ERA_KNOWN_ROWS_MIN 16
#define ERA_KNOWN_ROWS_MAX 2048

/* All zero is empty. */
struct era_known {
    uint64_t (*rows)[ERA_KNOWN_WAYS]; /* newest first; 0 = free */
    size_t row_count, used;
};

/* Remember; false when it was known. */
bool era_known_put(struct era_known *known, const struct era_siphash_key *key, const struct era_hash *id);
void era_known_free(struct era_known *known); /* made by malloc; NULL-safe */
bool era_known_has(const struct era_known *known, const struct era_siphash_key *key,
                   const struct era_hash *id);

#endif
