/* epoch: from clock or height to epoch numbers. Pure (R14): time is an argument.
 * Integers only, saturating; an epoch never exceeds ERA_EPOCH_MAX. */
#ifndef ERA_CORE_EPOCH_H
#define ERA_CORE_EPOCH_H

#include "proto/charter.h"

/* wall: reading = Unix ms; height: reading = height. Before genesis: 0. */
uint64_t era_epoch_at(const struct era_clock_params *clock, uint64_t reading);

/* The first reading of an epoch; UINT64_MAX when there is none that fits. */
uint64_t era_epoch_start(const struct era_clock_params *clock, uint64_t epoch);

#endif
