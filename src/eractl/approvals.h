/* approvals: a signer's own record of what its key approved, in KEY.approvals
 * beside the key. An approval binds: one proposal a slot. So a line is on the
 * disk before the signature exists, and the record is locked for as long as it
 * is looked at. One line an approval, appended only:
 *   NETWORK COMPONENT CHARTER_VERSION SEQ PROPOSAL
 * Keeps R2 and R3 at the signer's side. */
#ifndef ERA_ERACTL_APPROVALS_H
#define ERA_ERACTL_APPROVALS_H

#include "proto/statement.h"
#include "src/host/error.h"

struct era_approval {
    struct era_hash network;
    struct era_slot_id slot;
    struct era_hash proposal;
};

struct era_approvals {
    char *path;
    int lock; /* descriptor that holds the flock */
    size_t count;
    struct era_approval *list;
};

/* Open, lock and read KEY.approvals; makes it when it is not there. 75 when
 * another eractl holds it; 65 for a line that is not understood: a record with
 * a hole is no record. */
bool era_approvals_open(const char *key_path, struct era_approvals *out, struct era_error *err);
void era_approvals_close(struct era_approvals *a); /* NULL-safe */

/* What this key approved in the slot; NULL: nothing. */
const struct era_approval *era_approvals_find(const struct era_approvals *a, const struct era_hash *network,
                                              const struct era_slot_id *slot);
/* The highest seq approved in this component under this charter version; 0: none. */
uint64_t era_approvals_floor(const struct era_approvals *a, const struct era_hash *network,
                             const struct era_slot_id *slot);
/* Write one down, durably. The slot must be free. */
bool era_approvals_add(struct era_approvals *a, const struct era_approval *approval, struct era_error *err);

#endif
