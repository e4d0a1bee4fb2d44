/* table: uthash with SipHash under a secret key, so that a peer who chooses
 * ids cannot fill one bucket. Only .c files include it.
 *
 * Usage, in one .c file:
 *   1. #define ERA_TABLE_KEY (&ledger->table_key)   an expression of type
 *      const struct era_siphash_key *, valid wherever a HASH_ macro stands
 *      (a field of a variable of that name, or a file-level constant);
 *   2. #include "src/base/table.h", and no <uthash.h> before it;
 *   3. use HASH_ADD, HASH_FIND, HASH_DEL… as uthash documents them.
 * One table, one key: the key must not change while anything is in it. */
#ifndef ERA_BASE_TABLE_H
#define ERA_BASE_TABLE_H

#include <stdlib.h>

#include "src/base/prng.h"

#ifndef ERA_TABLE_KEY
#error "define ERA_TABLE_KEY before including src/base/table.h"
#endif
#ifdef UTHASH_H
#error "uthash.h was included before src/base/table.h: its hash would not be keyed"
#endif

#define HASH_FUNCTION(keyptr, keylen, hashv)                                                                 \
    do {                                                                                                     \
        (hashv) = (unsigned)era_siphash(ERA_TABLE_KEY, (keyptr), (keylen));                                  \
    } while (0)
#define uthash_fatal(msg) abort()

#include <uthash.h>

#endif
