/* view: what is in force. A pure function of (charter, certificates, epoch):
 * the newest adopted plan is the whole truth (R7). Nothing is stored here. */
#ifndef ERA_CORE_VIEW_H
#define ERA_CORE_VIEW_H

#include "src/core/ledger.h"

/* One component at one epoch. Borrowed from the ledger (and from `initial`)
 * until its next commit. */
struct era_view {
    int component;
    uint64_t epoch;
    const struct era_adopted *head; /* NULL: the charter's initial record */
    const struct era_plan *plan;    /* the head's, or the initial one */
    struct era_head_ref head_ref;
    bool forked; /* a void slot lies above the head (R12) */
    uint64_t void_seq;
    int current; /* index of the entry in force; -1: none (also while forked) */
    int last;    /* the same, forked or not: what is shown */
};

/* initial: the component's plan before any adoption (era_plan_initial), borrowed. */
void era_view_at(const struct era_ledger *l, const struct era_plan *initial, int component, uint64_t epoch,
                 struct era_view *out);

/* The entry in force, NULL when none. */
const struct era_entry *era_view_entry(const struct era_view *v);

/* N3: hash of (charter hash, per component: the head's id, void marks above
 * it). Not certificate bytes, not history, not epoch, not one's own version. */
struct era_hash era_view_digest(const struct era_ledger *l);

/* True when the versions satisfy every range the record requires. An unknown
 * version satisfies none. *kind: the first that does not (may be NULL). */
bool era_record_supported(const struct era_record *r, const struct era_versions *v, int *kind);

#endif
