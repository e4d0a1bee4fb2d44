/* node_internal: what the node's files share. Not for others. */
#ifndef ERA_NODE_NODE_INTERNAL_H
#define ERA_NODE_NODE_INTERNAL_H

#include "src/core/epoch_runs.h"
#include "src/core/fresh.h"
#include "src/core/succession.h"
#include "src/node/node.h"
#include "store/record.h"

/* What belongs to one charter of the chain. */
struct book {
    const struct era_charter *charter; /* borrowed: of the configuration, or of the ledger before */
    struct era_verifier *verifier;
    struct era_ledger *ledger;
    uint64_t quorum; /* of the charter: asked for at every step */
};

/* Something that happens once its batch is durable. */
enum pending_kind {
    PENDING_ITEM,   /* ledger item: commit, publish, reply */
    PENDING_EVENT,  /* own event: into the ring, publish, reply */
    PENDING_PLACES, /* for own events: they may take them */
    PENDING_REBUILD /* own rebuild result: remember it; replies when it has a request */
};

struct pending {
    enum pending_kind kind;
    struct era_item *item;
    struct era_ledger *ledger; /* whose item it is */
    uint64_t link;             /* where it came from; 0: ours */
    bool has_reply;
    bool assembled; /* a carrier of our own hand: offered, not pushed; others assemble it too */
    struct era_reply reply;
    struct era_bytes bytes;     /* owned: event envelope */
    uint64_t epoch, last_place; /* for own events */
    struct era_rebuild rebuild;
};

struct batch_put {
    struct era_store_key key;
    struct era_bytes value; /* owned when `owned`; else borrowed from the ledger */
    bool owned;
};

struct batch {
    uint64_t token;
    size_t pending_count, pending_cap;
    struct pending *pending;
    size_t put_count, put_cap;
    struct batch_put *puts;
    struct era_store_put *spans; /* what the effect shows; set when it leaves */
    struct batch *next;          /* full ones wait for their turn */
};

/* Bump memory for one step's effects. */
struct arena_block {
    struct arena_block *next;
    size_t used, cap;
    uint8_t data[];
};

/* A gate's entries belong to a plan that the next adoption may free: what was told is kept by hash. */
struct told {
    struct era_hash in_force, cause; /* zero: none */
    enum era_gate_state state;
    uint64_t epochs_left;
    bool unleased;
};

/* N7: enough leases of an epoch and entry, once found, are enough for the rest of it (R8). */
struct lease_quorum {
    bool some;
    uint64_t epoch, stake;
    struct era_hash entry;
};

struct era_node {
    struct era_node_config config;
    size_t book_count;
    struct book **books;               /* by charter version; the last is the newest */
    const struct book *counting;       /* whose validators announce, lease and emit at the present epoch */
    const struct era_charter *charter; /* the newest's */
    struct era_ledger *ledger;         /* the newest's */
    bool charter_forked;               /* two charters of one version are adopted (R12) */
    int validator;                     /* index among the counting charter's validators or emitters; -1 */
    int network_component;             /* of the newest charter, like all indices of components here */
    struct era_siphash_key table_key;
    size_t later_count;
    struct era_bytes *later; /* owned: read from the disk before the charter they speak of */
    struct era_events *events;
    struct era_gossip *gossip;
    struct era_clock *clock;
    struct era_clock_word clock_word;
    struct era_epoch_runs announced; /* epochs that the own key announced, those in flight too (R16) */
    struct era_leases leases;        /* own, of the network component; those in flight too (R4) */
    struct lease_quorum lease_quorum;
    struct era_plan *initial; /* one a component */
    struct era_gate *gates;   /* one a component */
    struct told *told;        /* what was last told of each component's gate */
    bool gates_known;
    struct era_rebuild *rebuilds;
    size_t rebuild_count;
    size_t armed_count;
    struct era_hash armed[ERA_ARMED_TOLD_MAX]; /* told of, and still so */
    struct era_node_stats stats;

    bool started, store_failed;
    int read_error; /* of a record that should be there; 0: none yet */
    enum era_lock lock;
    bool met; /* there were peers once */
    uint64_t now_ms, wall_ms, height, epoch;
    bool place_told;        /* where it can be dialled, … */
    uint64_t place_made_ms; /* …said anew then */
    uint64_t high_water;    /* the epoch is never below it, restarts included (R14) */
    bool gate_dirty, votes_dirty, clock_dirty, armed_dirty;
    bool announced_dirty; /* the gates, but by announcements alone */
    struct era_fresh fresh;
    uint64_t fresh_stake, view_since;
    struct era_adoption_memo *adoption; /* owned */
    uint64_t refused_told_ms;                /* the next refused link is told then, not before */
    uint64_t own_event_epoch, own_event_seq;      /* highest taken */
    uint64_t event_places_kept, event_places_put; /* highest on disk; and on the way there */

    struct batch *waiting, *filling;            /* oldest first; the last one is filled */
    struct batch *flying[ERA_NODE_BATCHES_MAX]; /* oldest first */
    size_t flying_count;
    uint64_t next_token;

    struct arena_block *arena;
    size_t effect_count, effect_cap;
    struct era_effect *effects;
};

/* node_effects.c */
void *node_alloc(struct era_node *n, size_t bytes); /* lives until the next step */
struct era_bytes node_copy(struct era_node *n, struct era_bytes b);
struct era_effect *node_effect(struct era_node *n, enum era_effect_kind kind);
void node_log(struct era_node *n, enum era_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct era_signal *node_signal(struct era_node *n, enum era_signal_kind kind, int component);
void node_reply(struct era_node *n, const struct era_reply *reply);
void node_refuse(struct era_node *n, uint64_t request, enum era_verdict v, const char *why);
void node_effects_reset(struct era_node *n);
void node_effects_free(struct era_node *n);

/* node_batch.c: the way to the disk and back */
struct pending *node_pend(struct era_node *n, enum pending_kind kind);
void node_put(struct era_node *n, struct era_store_key key, struct era_bytes value, bool own_copy);
/* A record that goes with nothing pending; copied. */
void node_put_alone(struct era_node *n, struct era_store_key key, struct era_bytes value);
struct era_store_key node_key(const struct era_hash *item, uint32_t kind);
void node_put_delete(struct era_node *n, const struct era_hash *item, uint32_t kind);
void node_flush(struct era_node *n);
void node_stored(struct era_node *n, uint64_t token, int error);
/* The store let us down, with a negative errno: said once, and no vote from now on. */
void node_store_failed(struct era_node *n, const char *what, int error);
size_t node_pending_count(const struct era_node *n);
void node_batches_free(struct era_node *n);

/* node_intake.c: statements from wire, disk and our own hand */
/* reply: NULL when nobody waits. */
enum era_verdict node_intake(struct era_node *n, const struct era_opened *opened, uint64_t link,
                             const struct era_reply *reply, bool assembled);
/* Of no link. */
enum era_verdict node_intake_own(struct era_node *n, struct era_bytes envelope, const struct era_reply *reply,
                                 bool assembled);
void node_committed(struct era_node *n, struct pending *p);
void node_drain_changes(struct era_node *n, const struct era_hash *pushed, uint64_t from, bool push);
void node_assemble(struct era_node *n);
/* What was read before the charter it speaks of. */
void node_restore_later(struct era_node *n);
void node_expire_events(struct era_node *n);

/* node_books.c: the chain of charters (R10) */
void node_books_init(struct era_node *n);
void node_books_free(struct era_node *n);
struct book *node_newest(const struct era_node *n);
/* The one that counts at an epoch. */
const struct book *node_counting(const struct era_node *n, uint64_t epoch);
/* Find again which one counts at the present epoch; with another, its events and clock begin anew. */
void node_count(struct era_node *n);
/* The oldest books are retired: those that count no more, but for the one right before the newest, whose
 * open slots bind (R10). They forgot the votes that a close names. */
size_t node_retired_count(const struct era_node *n);
/* Index of the own key among a charter's validators (authority only: emitters); -1. */
int node_validator_of(const struct era_node *n, const struct era_charter *c);
void node_charter_adopted(struct era_node *n, const struct era_ledger *ledger);
/* ledger: NULL, or where its ledger goes. */
const struct era_item *node_find(const struct era_node *n, const struct era_hash *item,
                                 const struct era_ledger **ledger);
enum era_verdict node_verify(const struct era_node *n, const struct era_opened *opened,
                             const struct era_verified **out, struct era_hash *item, const char **why,
                             struct book **book);

/* node_charter.c: accept and close */
void node_cast_charter(struct era_node *n);
void node_request_charter(struct era_node *n, const struct era_command *r);

/* node_lock.c: signing keys stay locked until the node knows what it said before (protocol §9) */
bool node_locked(const struct era_node *n, const char **why);
void node_judge_lock(struct era_node *n);
void node_met_peer(struct era_node *n);
/* One's own word came from outside and is not known here: the store is not the newest. */
void node_own_word_missing(struct era_node *n, uint32_t kind);
/* From missing back to starting: what the peers hold must be known all the same. */
void node_relock(struct era_node *n);
void node_request_unlock(struct era_node *n, const struct era_command *r);

/* node_command.c: what is asked of a node; how it speaks in its own name */
void node_command(struct era_node *n, const struct era_command *r);
/* Sign with the node's key and take in like any other: nothing leaves before it is durable. */
enum era_verdict node_say(struct era_node *n, const struct era_statement *s, const struct era_reply *reply);
bool node_may_speak(const struct era_node *n);

/* node.c: the view at any epoch; R12: forked, too, while two charters of one version are adopted. */
void node_view_at(const struct era_node *n, int component, uint64_t epoch, struct era_view *out);
/* The gate at any epoch by what runs now, as if all announcements and leases were there. */
void node_gate_at(const struct era_node *n, int component, uint64_t epoch, struct era_gate *out);

/* node_clock.c: judge it again when something was heard or ran out. */
void node_judge_clock(struct era_node *n);
/* What the wall clock is to the addresses of peers, and of this node. */
void node_tell_wall(struct era_node *n);

/* node_announce.c, node_vote.c, node_rebuild.c, node_emit.c: what this node says itself */
void node_announce(struct era_node *n);
/* The reading of the clock at which one may fall due; UINT64_MAX: with the next epoch. */
uint64_t node_announce_reading(const struct era_node *n);
void node_cast_votes(struct era_node *n);
void node_tell_armed(struct era_node *n);
void node_request_ready(struct era_node *n, const struct era_command *r);
void node_request_attest(struct era_node *n, const struct era_command *r);
void node_request_emit(struct era_node *n, const struct era_command *r);
/* The own events of an epoch may take the places up to the last: it is on disk. */
void node_places_kept(struct era_node *n, uint64_t epoch, uint64_t last);
void node_request_checkpoint(struct era_node *n, const struct era_command *r);
/* Why a gate lets nothing out; ERA_ACCEPTED: it does. */
enum era_verdict node_gate_verdict(const struct era_gate *g, const char **why);
void node_remember_rebuild(struct era_node *n, const struct era_rebuild *r);
bool node_rebuild_read(struct era_bytes value, struct era_rebuild *out);

#endif
