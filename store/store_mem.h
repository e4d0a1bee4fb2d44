/* store_mem: the contract of store.h in memory, with the faults a disk has, for
 * the simulator and tests. Pure: no file, no thread; faults come when told.
 * Like every fresh store it holds one record, META "schema".
 * Faults are counted, so that a run in which none struck is seen. */
#ifndef ERA_STORE_STORE_MEM_H
#define ERA_STORE_STORE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/bytes.h"
#include "store/store.h"

struct era_store_mem_counts {
    uint64_t writes;  /* that returned 0 */
    uint64_t refused; /* by era_store_mem_fail_from */
    uint64_t lost;    /* records set back when this store was found after a power loss */
    uint64_t flipped; /* bits */
};

/* A fresh store, closed by era_store_close. NULL: no memory. */
struct era_store *era_store_mem_new(void);

/* From the nth write from now on (1: the next), every write stores nothing and
 * returns err, a negative errno. err 0: the fault is gone. */
void era_store_mem_fail_from(struct era_store *s, uint64_t nth, int err);

/* A disk that lies: the last write outlives the process but not the power, synced
 * or not. What it breaks (I12) must then be noticed as a rollback. */
void era_store_mem_lose_synced(struct era_store *s, bool lose);

/* A new store, as this one would be found after power was lost now, with it a write that was
 * not synced; this one is left as it is. Faults that were set do not pass over. (After the crash of a
 * process alone, the same store is found.) NULL: no memory. */
struct era_store *era_store_mem_crash(const struct era_store *s);

/* Flip one bit of a stored value or its tag, until it is written anew.
 * bit is taken modulo their length. False: no such key. */
bool era_store_mem_flip_bit(struct era_store *s, struct era_bytes key, uint64_t bit);

struct era_store_mem_counts era_store_mem_counts(const struct era_store *s);

#endif
