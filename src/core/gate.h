/* gate: may this node emit and relay events now, and if not, why and what
 * unblocks it (R15, M5, P5). Pure: judged at the present epoch, not on receipt. */
#ifndef ERA_CORE_GATE_H
#define ERA_CORE_GATE_H

#include "src/core/view.h"

/* In order of precedence. */
enum era_gate_state {
    ERA_GATE_FORKED,       /* a void slot above the head (R12) */
    ERA_GATE_BLOCKED,      /* the current record is not supported */
    ERA_GATE_MISMATCH,     /* own rebuild of the current record differs (T5) */
    ERA_GATE_CLOCK,        /* a quorum announces epochs too far from one's own (R14) */
    ERA_GATE_NO_ERA,       /* no entry has begun */
    ERA_GATE_STALE,        /* fresh announcements (N6) or, in strict emission, leases (N7) below Q */
    ERA_GATE_UPGRADE_SOON, /* the next era is supported neither by what runs nor by what is staged (M5) */
    ERA_GATE_NOTICE,       /* a newer release is in force, pending or announced (P1, P2, M4) */
    ERA_GATE_CURRENT
};
#define ERA_GATE_STATES (ERA_GATE_CURRENT + 1)

const char *era_gate_name(enum era_gate_state s); /* "upgrade-soon" */
int era_gate_exit(enum era_gate_state s);         /* 0, 75, 76 */
bool era_gate_may_emit(enum era_gate_state s);

/* What the gate is judged on. */
struct era_gate_input {
    const struct era_view *view;
    const struct era_versions *versions;
    const struct era_versions *staged; /* installed for the next era; NULL: nothing */
    bool fresh;    /* announcements of stake >= Q are fresh, or the network is authority only */
    bool mismatch; /* own rebuild of an artefact of the entry in force differs */
    bool clock;    /* one's own clock is in doubt */
    bool unleased; /* strict emission, and leases of this epoch and entry below Q */
    uint64_t lease_stake;
};

struct era_gate {
    enum era_gate_state state;
    const struct era_entry *current; /* NULL: none */
    const struct era_entry *cause;   /* the entry behind blocked, mismatch, upgrade-soon, notice; else NULL */
    int version_kind;                /* blocked, upgrade-soon: the first version that does not fit; else -1 */
    uint64_t epochs_left;            /* upgrade-soon: until the cause begins */
    bool unleased;                   /* stale: for want of leases, though announcements are fresh */
    uint64_t lease_stake;            /* of this epoch and entry; strict emission only, else 0 */
};

/* Spans of *out are borrowed from the view's plan. */
void era_gate_judge(const struct era_gate_input *in, struct era_gate *out);

#endif
