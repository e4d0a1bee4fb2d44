/* hostile_switch: the crew acts by a scheme. On some seeds all of its keys act together on the component
 * `network`, to bring about what the rules of leases and closes are for (R4, R10, R16): votes shown when
 * their entry began already, an entry dropped that is leased, a charter that follows while a vote is open.
 * Bad signers hold back the last approvals, so the crew chooses the hour at which a plan or a charter is
 * approved; what honest people do, they do by their own rules. */
#ifndef ERA_ERASIM_HOSTILE_SWITCH_H
#define ERA_ERASIM_HOSTILE_SWITCH_H

#include "src/erasim/hostile.h"

enum scheme_kind {
    SCHEME_LATE,  /* votes that adopt a plan are shown when its entry's epoch has begun (R16) */
    SCHEME_DROP,  /* an entry is dropped when its epoch was leased already (R4) */
    SCHEME_BOUND, /* a charter leaves no room above what was approved (R10) */
    SCHEME_OPEN,  /* votes that adopt a plan are shown when the next charter counts (R10) */
    SCHEME_LAST,  /* a charter is closed when its epoch was leased, and the entry of that dropped (R10) */
    SCHEMES
};

struct scheme {
    enum scheme_kind kind;
    unsigned phase; /* 0: nothing is under way */
    uint64_t due_ms;
    struct era_hash proposal; /* what is under way */
    uint64_t seq, effective;  /* its slot; when its last entry begins */
    uint64_t expiry;          /* of a plan that is left open */
    size_t apart[2];          /* nodes that were cut off from the others */
    bool is_apart, is_over;
    uint64_t asked_ms;       /* for the charter */
    struct era_hash charter; /* that follows */
    uint8_t *certificate;    /* kept back; owned */
    size_t certificate_bytes;
};

#define SWITCH_LEASED_MS(s) (2 * (s)->plan.epoch_ms / 3 + 3000) /* in an epoch: the next one was leased */

/* What the crew sees through an honest node that it did not cut off. */
struct stage {
    struct sim_node *n;
    const struct era_charter *charter;
    const struct era_ledger *ledger;
    int component;
    struct era_view view;
    uint64_t epoch, offset_ms; /* true time: offset within the epoch */
};

bool switch_look(struct sim *s, struct stage *v);
/* To every node that is not cut off. */
void switch_tell(struct sim *s, struct era_bytes envelope);
/* A bad signer proposes, in a new slot; honest signers will not take long. What others voted for is dropped.
 * expiry: not after this epoch. False: it cannot be had now. */
bool switch_propose(struct sim *s, struct actor *a, const struct stage *v, enum wish wish, uint64_t later,
                    uint64_t expiry);
/* All bad signers; all bad validators. */
void switch_approve(struct sim *s, const struct stage *v);
void switch_ready(struct sim *s, const struct era_charter *charter, int component);
/* NULL: not held there. */
const struct era_candidate *switch_candidate(const struct stage *v, const struct era_hash *proposal);
/* With the crew's own votes it would be adopted. */
bool switch_is_ripe(const struct sim *s, const struct stage *v, const struct era_candidate *c);
/* What is under way was adopted, and nothing above it. */
bool switch_is_head(const struct sim *s, const struct stage *v);
/* The people who have this in hand do not wait. */
void switch_call(struct sim *s, struct actor *a, const void *who);
/* Two linked nodes, one of them a validator, of so little stake that the others are a quorum. */
bool switch_part(struct sim *s, struct actor *a, const struct stage *v);
void switch_join(struct sim *s);
/* A plan that expires with this epoch, while some who would vote for it are cut off: their votes are missing,
 * and the crew has as many. Join them when it has expired. */
bool switch_open(struct sim *s, struct actor *a, const struct stage *v, uint64_t later);
/* Its host emits soon. */
void switch_emit(struct sim *s, struct actor *a, size_t node);
/* Those that were cut off emit in the epoch that the scheme is about, and then are joined again: the end. */
void switch_emit_apart(struct sim *s, struct actor *a, const struct stage *v);
/* The last entry of the head's plan, still to come; what the scheme is about from now on. */
bool switch_pick(struct scheme *c, const struct stage *v);
void switch_rest(struct sim *s, struct actor *a);

/* ---- hostile_switch_charter.c ---- */

void switch_charter(struct sim *s, struct actor *a, const struct stage *v);
/* The epoch that whoever writes the next charter is talked into, by what this node holds; 0: theirs. */
uint64_t hostile_switch_effective(const struct sim *s, const struct sim_node *n);

#endif
