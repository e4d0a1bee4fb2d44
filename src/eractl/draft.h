/* draft: from "2.0.0, breaking, at epoch 150" to a whole proposal that keeps
 * the extending rule (protocol §3). Pure.
 *
 * The plan begins with the entry in force; what is to come is kept in order;
 * the new entry goes in by its epoch, an announced one last. What is not said
 * is inherited from the entry before it. Entries that the change makes ill
 * formed (their era's number shifts) are dropped and added again, with full
 * notice. What would silently undo another entry's change is refused. */
#ifndef ERA_ERACTL_DRAFT_H
#define ERA_ERACTL_DRAFT_H

#include "proto/charter.h"

#define ERA_DRAFT_EXPIRY_EPOCHS 30 /* for signing a proposal whose own epochs set no end */

/* What the proposer said; NULL and false: not said. */
struct era_change {
    bool has_entry; /* false: the plan only drops */
    bool announce;
    bool has_effective;
    uint64_t effective;
    enum era_class class; /* 0: not said */
    const char *version, *era_name, *link, *source_digest;
    size_t artefact_count;
    struct era_artefact artefacts[ERA_ARTEFACTS_MAX]; /* digest "": the link alone was given */
    const char *requires[ERA_VERSION_KINDS];
    size_t flag_count;
    struct era_flag flags[ERA_FLAGS_MAX];
    size_t dependency_count;
    struct era_dependency dependencies[ERA_DEPENDENCIES_MAX];
    size_t drop_count;
    struct era_hash drops[ERA_DROPS_MAX]; /* entries of the head's plan, or whole proposals */
    bool undo;                            /* confirmed */
};

struct era_draft_base {
    const struct era_component *component;
    const struct era_plan *plan; /* the head's, or the initial one */
    struct era_head_ref head;
    uint64_t charter_version, epoch, seq;
    bool urgent;
    bool has_expiry;
    uint64_t expiry;
    const char *text; /* NULL: none */
};

struct era_draft {
    struct era_proposal proposal;
    enum era_verdict verdict; /* when it was refused */
    char why[512], cure[256];
};

/* False: refused, see verdict, why and cure. */
bool era_draft_make(const struct era_draft_base *base, const struct era_change *change,
                    struct era_draft *out);

#endif
