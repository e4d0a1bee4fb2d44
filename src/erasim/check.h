/* check: what must hold after every step (protocol §10, I1 to I15), and after
 * the faults stop (liveness). Written apart from the rules it checks: it reads
 * the wire, the disks and the public reading functions of nodes, and verifies
 * proofs by a verifier of its own (proof.h: decoder and libsodium only).
 * A break is told by sim_break with the rule's name. */
#ifndef ERA_ERASIM_CHECK_H
#define ERA_ERASIM_CHECK_H

#include "src/erasim/sim.h"

struct check;

/* Watches s from now on; before anything starts. Freed after s. */
struct check *check_new(struct sim *s);
void check_free(struct check *c); /* NULL-safe */

/* At the end of a run whose last quiet_epochs had no fault: liveness, and the checks that are too dear for
 * every step (I13: replaying everything changes nothing). */
void check_end(struct check *c, struct sim *s);

/* How often each invariant was looked at: a check that never ran is seen. Ascending by rule; returns the
 * count. */
struct check_count {
    char rule[16];
    uint64_t looked;
};
size_t check_counts(const struct check *c, const struct check_count **out);

#endif
