/* check_internal: what the checker's files share. Nothing of it is a node's:
 * it is gathered from the wire, from disks, and by the reading functions.
 *
 * Which file judges what: check_wire.c I6 I7 I8 I9 I12 (as it leaves), check_disk.c I1 I3 (the union of
 * plans) I4 I12 (what was acknowledged), check_node.c I2 I3 (heads) I5 I9 I10 I11 I15, check_tally.c I14,
 * check_turn.c I14 of charters, check_end.c I13 and liveness, check_chain.c liveness of charters,
 * check_sets.c equal sets (R6), check_era.c R12 and I7 (emitted and adopted agree), check_lock.c the lock. */
#ifndef ERA_ERASIM_CHECK_INTERNAL_H
#define ERA_ERASIM_CHECK_INTERNAL_H

#include "src/erasim/check.h"
#include "src/erasim/facts.h"
#include "src/erasim/proof.h"
#include "store/record.h"

#define CHECK_NAMES_MAX      64      /* component names in all charters of a run */
#define CHECK_FACTS_MAX      2000000 /* of one kind; a run that says more is judged on these */
#define CHECK_ACKED_MAX      4096    /* own words and acknowledgements remembered, a node */
#define CHECK_ASKED_MAX      64      /* commands not answered yet, a node */
#define CHECK_TALLIES_MAX    256     /* candidates followed, a node */
#define CHECK_HELD_NODES_MAX 512     /* nodes whose own items are replayed at the end */
#define CHECK_TICKS_MAX      1000    /* ticks in one millisecond: a deadline that never moves */
#define CHECK_ID_TEXT        17      /* 16 hex digits in a break's text */

enum check_rule {
    RULE_I1,
    RULE_I2,
    RULE_I3,
    RULE_I4,
    RULE_I5,
    RULE_I6,
    RULE_I7,
    RULE_I8,
    RULE_I9,
    RULE_I10,
    RULE_I11,
    RULE_I12,
    RULE_I13,
    RULE_I14,
    RULE_I15,
    RULE_R12,
    RULE_LOCK,
    RULE_LIVENESS,
    CHECK_RULES
};
extern const char *const check_rule_names[CHECK_RULES];

struct check_slot {
    uint64_t version, seq; /* of the charter, in the component */
};

struct check_entry {
    struct era_hash hash;
    bool has_effective;
    uint64_t effective, era;
    struct era_ranges requires;
};

/* A certificate that lies, or lay, on an honest disk: adopted somewhere. */
struct check_adopted {
    int name;
    struct check_slot slot;
    struct era_hash proposal;
    struct {
        bool some;
        struct era_hash proposal;
    } prev;
    size_t node; /* where it was seen first */
    size_t count, drop_count;
    struct check_entry entries[ERA_PLAN_ENTRIES_MAX];
    struct era_hash drops[ERA_DROPS_MAX];
};

struct check_head {
    bool some;
    struct check_slot slot;
    struct era_hash proposal;
};

/* Something that must stay on a disk until it is dominated. */
struct check_acked {
    struct era_hash item;
    enum era_record_kind record;
    uint32_t kind;
    int name; /* -1: no slot */
    struct check_slot slot;
    struct era_hash charter; /* accept, approval of a charter: which */
    bool may_go;             /* with that charter, when nobody proposes it any more (R6) */
};

struct check_asked {
    uint64_t request; /* 0: free */
    bool carried;     /* SUBMIT: acked is what must be held; else made from the reply */
    struct check_acked acked;
    enum era_command_kind command;
};

/* A candidate is an id in a slot: the hostile speak of one id in many. */
struct check_tally {
    struct era_hash proposal;
    int component;
    struct check_slot slot;
    bool known;
    bool outdone; /* see check_is_outdone */
    uint64_t approved_by, ready_stake, match_least;
};

/* One honest node as the checker knows it. */
struct check_node {
    unsigned life;
    uint64_t epoch;
    bool unlocked;  /* in this life (§9) */
    bool mismatch;  /* its own word at the end of its last step */
    bool damaged;   /* its disk was set aside once: what it said before is gone (see I6) */
    bool look_tick; /* the last step was a tick at tick_ms */
    uint64_t tick_ms;
    size_t ticks, flying;
    struct era_hash charter;
    bool forked;
    struct check_head heads[CHECK_NAMES_MAX];
    struct era_versions versions; /* at the end of its last step */
    struct era_hash digest;
    uint64_t durable_epoch; /* of the latest own announcement that its disk took, left or not */
    bool announced;
    uint64_t announced_epoch; /* the highest of its own that left */
    struct check_asked asked[CHECK_ASKED_MAX];
    size_t acked_count, acked_cap;
    struct check_acked *acked;
    size_t tally_count;
    struct check_tally *tallies; /* CHECK_TALLIES_MAX */
};

struct check {
    struct sim *s;
    uint64_t looked[CHECK_RULES];
    struct check_count rows[CHECK_RULES];
    size_t name_count;
    char names[CHECK_NAMES_MAX][ERA_NAME_BYTES_MAX + 1];
    size_t node_count;
    struct check_node **nodes;    /* by number; NULL: never seen */
    struct facts *certificates;   /* item -> struct check_adopted * */
    struct facts *proposals;      /* proposal id -> struct check_adopted * */
    struct check_adopted **order; /* all of them, ascending by (name, slot) */
    size_t order_count, order_cap;
    struct facts *digests;  /* I2: what is adopted -> digest */
    struct facts *charters; /* I5: version -> hash */
    struct facts *places;   /* I6: place -> id */
    struct facts *sights;   /* envelopes that left: fingerprint -> struct check_sight */
    struct facts *eras;     /* I7: epoch -> struct check_emission */
    struct facts *leased; /* I7: epoch and entry -> struct check_slot, the highest head of those who leased */
    struct facts *spoken; /* items that lay on their signer's own disk at a start */
    struct facts *held;   /* I13: item -> struct check_held */
    struct facts *ready;  /* readiness by honest keys: place -> struct check_ready */
    struct facts *approved; /* proposal id -> ms at which a node first held all its approvals */
    uint64_t adopted_ms;    /* when the last certificate was first seen */
    uint64_t charter_ms[SIM_CHARTERS_MAX]; /* when a charter of this version was first seen adopted */
};

/* An envelope that an honest disk held at some time. */
struct check_held {
    uint8_t *bytes;
    size_t len;
    uint8_t by[CHECK_HELD_NODES_MAX / 8];
};

/* What an honest host emitted in an epoch. */
struct check_emission {
    uint64_t epoch, version; /* of the charter */
    struct era_hash entry;
};

/* An honest validator's vote at the wire. */
struct check_ready {
    int name;
    struct check_slot slot;
    struct era_hash proposal;
};

static inline void check_look(struct check *c, enum check_rule rule)
{
    c->looked[rule]++;
}

static inline int check_slot_cmp(struct check_slot a, struct check_slot b)
{
    if (a.version != b.version)
        return a.version < b.version ? -1 : 1;
    return a.seq == b.seq ? 0 : a.seq < b.seq ? -1 : 1;
}

/* ---- check.c ---- */

/* Breaks the rule: `sim_break` with its name. */
#define CHECK_BREAK(c, rule, ...) sim_break((c)->s, check_rule_names[rule], __VA_ARGS__)

/* Its number among component names; made when new. */
int check_name(struct check *c, const char *component);
/* The node's own, begun anew in a new life. */
struct check_node *check_node(struct check *c, const struct sim_node *n);
/* First 16 digits. */
const char *check_id(const struct era_hash *id, char out[CHECK_ID_TEXT]);
/* Faulty stake of this charter's validators is at most floor((W - 1) / 3), in an authority-only network
 * faulty signers of the component below 2k - m: only then can a slot not be adopted twice. */
bool check_bounded(const struct check *c, const struct era_charter *charter, const char *component);
/* The charter of a version as this node has it; NULL: not known. */
const struct era_charter *check_charter(const struct check *c, const struct sim_node *n, uint64_t version);
struct era_hash check_network(const struct check *c);

/* ---- check_disk.c ---- */

void check_stored(struct check *c, struct sim_node *n, const struct era_store_put *puts, size_t count);
/* I4 for one component's head, and for the charter that follows another. */
void check_proof(struct check *c, struct sim_node *n, const struct check_head *head);
void check_charter_proof(struct check *c, struct sim_node *n, const struct era_charter *old,
                         const struct era_charter *next);
const struct check_adopted *check_adopted_find(const struct check *c, const struct era_hash *proposal);
/* True when the record is on the node's disk. */
bool check_on_disk(const struct sim_node *n, enum era_record_kind kind, const struct era_hash *item);
/* I12 */
void check_acknowledge(struct check *c, struct sim_node *n, const struct check_acked *a);
void check_acked_again(struct check *c, struct sim_node *n);
void check_asked(struct check *c, struct sim_node *n, const struct era_command *command);
void check_replied(struct check *c, struct sim_node *n, const struct era_reply *reply);
/* What record and slot an envelope has; false: it has none (an event, garbage). */
bool check_record_of(struct check *c, const struct era_envelope *e, struct check_acked *out);

/* ---- check_wire.c ---- */

void check_left(struct check *c, struct sim_node *n, const struct era_envelope *e, struct era_bytes bytes);
/* I8: what is in force by the plan of this head is not supported by these versions. */
bool check_closed(const struct check *c, const struct sim_node *n, const struct check_head *head,
                  uint64_t epoch, const struct era_versions *versions);
/* I8: no lease is signed while closed. */
void check_storing(struct check *c, struct sim_node *n, const struct era_effect *store);
/* The head of `network`, as the node's ledger says it now. */
struct check_head check_network_head(struct check *c, const struct sim_node *n);

/* ---- check_node.c ---- */

void check_stepped(struct check *c, struct sim_node *n, const struct era_event *event,
                   const struct era_effect *effects, size_t count);
struct check_head check_head_of(const struct era_adopted *head);
bool check_is_outdone(const struct era_slot *slot, const struct era_candidate *k);

/* ---- check_era.c ---- */

/* R12: two ids of the head's slot do not lie on the node's disk. */
void check_head_void(struct check *c, const struct sim_node *n, int name, const struct check_head *head);
/* R12: the node took an event of its host, and holds no two ids of a slot above its head. */
void check_emitted(struct check *c, struct sim_node *n);
/* I7: an honest key leases an entry for an epoch, with this head. */
void check_leased(struct check *c, const struct check_head *head, uint64_t epoch,
                  const struct era_hash *entry);
/* I7: what was emitted and what is adopted give one entry. Asked from both sides, whichever comes last. */
void check_emission_agrees(struct check *c, const struct check_emission *e);
void check_adoption_agrees(struct check *c, const struct check_adopted *a);

/* ---- check_lock.c ---- */

void check_lock_began(struct check *c, const struct sim_node *n);
void check_lock_stepped(struct check *c, const struct sim_node *n, const struct era_event *event);
/* The first time that this word of the node's own key leaves. */
void check_lock_word(struct check *c, const struct sim_node *n, const struct era_envelope *e);

/* ---- check_chain.c ---- */

/* At the end: these nodes are up, honest and linked with one another, and hold equal views. */
void check_chain(struct check *c, struct sim_node *const *nodes, size_t count);

/* ---- check_sets.c ---- */

/* Likewise: what they offer of slots. */
void check_sets(struct check *c, struct sim_node *const *nodes, size_t count);

/* ---- check_tally.c ---- */

/* I14: every candidate of the node, counted again from its disk. */
void check_recount(struct check *c, struct sim_node *n);

/* ---- check_turn.c ---- */

/* I14: what is said of the charters that may follow, likewise. */
void check_recount_charters(struct check *c, const struct sim_node *n);

#endif
