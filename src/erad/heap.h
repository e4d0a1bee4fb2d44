/* heap: what malloc keeps after a load, or after the start, goes back to the system once the daemon is at
 * rest: freed pages between others stay resident for ever otherwise. */
#ifndef ERA_ERAD_HEAP_H
#define ERA_ERAD_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#define ERA_HEAP_LOOK_MS 10000

struct era_heap {
    uint64_t heard_bytes; /* since the last look: the owner adds what came in */
    unsigned quiet;       /* looks on end without a load */
    bool loaded;          /* since the last one was over */
};

/* Before anything is allocated. The start counts as a load. */
void era_heap_begin(struct era_heap *heap);
/* To be asked every ERA_HEAP_LOOK_MS. True once after each load: now is the time to give memory back. */
bool era_heap_is_over(struct era_heap *heap);
void era_heap_trim(void);

#endif
