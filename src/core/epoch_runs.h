/* epoch_runs: a set of epochs, kept as runs, and its record. For what a key
 * said once an epoch and must never say again (R16), long after the statement
 * itself was collected.
 * Invariant: runs ascend, neither overlap nor touch. Of more runs than fit the
 * two lowest become one: epochs between them then count as said, too. */
#ifndef ERA_CORE_EPOCH_RUNS_H
#define ERA_CORE_EPOCH_RUNS_H

#include "src/base/bytes.h"

#define ERA_EPOCH_RUNS_MAX       64
#define ERA_EPOCH_RUNS_BYTES_MAX (ERA_EPOCH_RUNS_MAX * 16)

struct era_epoch_runs {
    size_t count;
    struct {
        uint64_t first, last;
    } runs[ERA_EPOCH_RUNS_MAX + 1];
};

void era_epoch_runs_add(struct era_epoch_runs *r, uint64_t epoch);
bool era_epoch_runs_has(const struct era_epoch_runs *r, uint64_t epoch);
/* Returns the length. */
size_t era_epoch_runs_encode(const struct era_epoch_runs *r, uint8_t out[ERA_EPOCH_RUNS_BYTES_MAX]);
/* False when that is no such record; *out is then empty. */
bool era_epoch_runs_decode(struct era_bytes in, struct era_epoch_runs *out);

#endif
