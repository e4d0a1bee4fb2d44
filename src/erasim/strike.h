/* strike: when which fault strikes whom, and when it ends: nets, processes,
 * disks, clocks, people. All drawn from the seed when the run is made.
 * Invariants: nothing strikes from cast's quiet_ms on, by then all is mended;
 * who counts as faulty for it (a disk that forgot) is a relay, or the one
 * validator for whom the bound of stake left room. */
#ifndef ERA_ERASIM_STRIKE_H
#define ERA_ERASIM_STRIKE_H

#include "src/erasim/sim.h"

struct strikes;

void strike_hire(struct sim *s);
void strike_free(struct strikes *k); /* NULL-safe */
/* Somebody else takes a node's process in hand until it is released; false: it is in hands already. */
bool strike_take(struct sim *s, size_t node);
void strike_release(struct sim *s, size_t node);

#endif
