/* scenario_parts: what the files of the scenario share and nobody else sees.
 * Reading makes a list of acts in order of time; running performs them. */
#ifndef ERA_ERASIM_SCENARIO_PARTS_H
#define ERA_ERASIM_SCENARIO_PARTS_H

#include "src/erasim/check.h"
#include "src/erasim/scenario.h"

#define SCN_NODES_MAX     32
#define SCN_KEYS_MAX      64
#define SCN_ACTS_MAX      512
#define SCN_PROPOSALS_MAX 32
#define SCN_LABELS_MAX    32
#define SCN_CHARTERS_MAX  8    /* that are to follow */
#define SCN_SAID_MAX      8192 /* announcements at the wire */
#define SCN_LINES_MAX     1024 /* of a trace block */
#define SCN_WORDS_MAX     48
#define SCN_EMITTED_MAX   1024
#define SCN_PENDING_MAX   256
#define SCN_EPOCHS_MAX    10000
#define SCN_NONE          SIZE_MAX
/* What a host program's state is, and what somebody else's is. */
#define SCN_STATE_DIGEST "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define SCN_OTHER_DIGEST "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define SCN_GENESIS_MS   UINT64_C(1767225600000)

/* Numbers of nodes, keys or proposals, in the order of the file. */
struct scn_list {
    size_t count, at[SCN_KEYS_MAX];
};

enum scn_act_kind {
    SCN_PROPOSE,
    SCN_APPROVE,
    SCN_REJECT,
    SCN_VOTE,
    SCN_NEXT_PROPOSE,
    SCN_NEXT_APPROVE,
    SCN_NEXT_ACCEPT,
    SCN_NEXT_CLOSE,
    SCN_UNLOCK,
    SCN_CHECKPOINT,
    SCN_ATTEST,
    SCN_ANNOUNCE,
    SCN_INSTALL,
    SCN_STAGE,
    SCN_EMIT,
    SCN_DELIVER,
    SCN_CUT,
    SCN_HEAL,
    SCN_PARTITION,
    SCN_START,
    SCN_CRASH,
    SCN_POWER,
    SCN_TORN,
    SCN_BACKUP,
    SCN_RESTORE,
    SCN_CLOCK,
    SCN_DISK,
    SCN_EXPECT
};

enum scn_expect_kind {
    SCN_SEE_GATE,       /* who; number: the state */
    SCN_SEE_ERA,        /* who; number */
    SCN_SEE_VERSION,    /* who; text */
    SCN_SEE_HEAD,       /* who; proposal, or SCN_NONE */
    SCN_SEE_UP,         /* who; never: down */
    SCN_SEE_LOCKED,     /* who; never: not */
    SCN_SEE_COUNTS,     /* who; charter or number; epoch */
    SCN_SEE_CHARTER,    /* charter or number; who; never */
    SCN_SEE_PROPOSAL,   /* proposal, number: enum scn_step; who; by_ms; never */
    SCN_SEE_ERAS,       /* number in epoch */
    SCN_SEE_EVENTS,     /* number in epoch */
    SCN_SEE_DIGESTS,    /* never: different */
    SCN_SEE_EVIDENCE,   /* other: a key; who; never: against nobody anywhere */
    SCN_SEE_CHECKPOINT, /* text: a component; number: stake; epoch; never: differing; who */
    SCN_SEE_BREAK       /* text: the rule */
};

/* How far a proposal came on a node. */
enum scn_step { SCN_HELD, SCN_APPROVED, SCN_ADOPTED, SCN_FAILED, SCN_ARMED, SCN_STEPS };
extern const char *const scn_step_words[SCN_STEPS];

enum scn_change { SCN_CHANGE_NONE, SCN_CHANGE_ANNOUNCED, SCN_CHANGE_DATED };

/* What somebody wants to propose. */
struct scn_draft {
    enum scn_change change;
    enum era_class class;
    char version[ERA_VERSION_BYTES_MAX + 1];
    uint64_t effective;
    char component[ERA_NAME_BYTES_MAX + 1];
    uint64_t seq; /* 0: the next */
    bool has_under;
    uint64_t under; /* version of the charter; else the newest of the node it is given to */
    bool on_initial;
    size_t on; /* a proposal; SCN_NONE: the head of the node it is given to */
    struct scn_list drops, keeps;
    bool urgent, has_needs;
    char needs[ERA_RANGE_BYTES_MAX + 1];
    uint64_t expires; /* ERA_EPOCH_MAX: never */
};

struct scn_act {
    unsigned line;
    uint64_t at_ms;
    enum scn_act_kind kind;
    enum scn_expect_kind see;
    struct scn_list who, to; /* nodes or keys, as the kind says */
    struct scn_list named;   /* a close: slots that it names */
    size_t proposal, other, label, charter;
    bool refused, one_way, never, lease, blocked, has_last;
    uint64_t number, epoch, by_ms;
    int64_t amount;
    char text[ERA_RANGE_BYTES_MAX + 1]; /* verdict's code, version, payload, reason, word */
    char component[ERA_NAME_BYTES_MAX + 1];
    struct scn_draft *draft; /* SCN_PROPOSE; owned */
};

struct scn_node {
    char name[ERA_NAME_BYTES_MAX + 1];
    size_t key; /* SCN_NONE: a relay */
    char runs[ERA_VERSION_BYTES_MAX + 1], staged[ERA_VERSION_BYTES_MAX + 1];
    bool votes[4], down, has_anchors, auto_charter;
    struct scn_list anchors;
};

struct scn_key {
    char name[ERA_NAME_BYTES_MAX + 1];
    bool faulty;
    struct sim_key *key; /* once the network is made */
};

struct scn_proposal {
    char name[ERA_NAME_BYTES_MAX + 1];
    struct era_proposal *p; /* NULL: not made yet; owned */
    struct era_hash id;
    uint64_t step_ms[SCN_STEPS][SCN_NODES_MAX]; /* UINT64_MAX: not yet */
};

/* A charter that is to follow another: what is said of it; all else is as in the one before. */
struct scn_charter {
    char name[ERA_NAME_BYTES_MAX + 1];
    unsigned line;
    size_t after; /* another of the list; SCN_NONE: charter 0 */
    uint64_t effective;
    bool has_validators, has_signers, has_k, has_strict, strict, has_carried;
    struct scn_list validators, signers; /* keys */
    uint64_t stakes[SCN_KEYS_MAX], carried;
    uint32_t k;
    bool proposed;            /* its parent and bounds are what they are: it has its hash */
    struct era_charter *made; /* once the network is made; owned */
};

/* An announcement as it left its node. */
struct scn_said {
    size_t node;
    uint64_t epoch, version;
};

/* A statement kept back, to be delivered later. */
struct scn_label {
    char name[ERA_NAME_BYTES_MAX + 1];
    uint8_t *bytes; /* NULL: not made yet; owned */
    size_t len;
};

/* What an honest node emitted, once each. */
struct scn_emitted {
    struct era_key key;
    uint64_t epoch, seq;
    struct era_hash entry;
};

struct scn_pending {
    uint64_t request;
    const struct scn_act *act;
};

struct scenario {
    char path[256];
    char *text; /* owned; words point into it */
    size_t node_count, key_count, proposal_count, label_count, charter_count, act_count;
    struct scn_node nodes[SCN_NODES_MAX];
    struct scn_key keys[SCN_KEYS_MAX];
    struct scn_proposal proposals[SCN_PROPOSALS_MAX];
    struct scn_label labels[SCN_LABELS_MAX];
    struct scn_charter charters[SCN_CHARTERS_MAX];
    struct scn_act acts[SCN_ACTS_MAX];
    struct era_charter *charter; /* owned until the network is made */
    struct sim_plan plan;
    uint64_t end_ms; /* 0: the last act's epoch and one more */
    bool quiet;      /* check_end is asked too */
    bool break_expected;

    bool has_trace, exact;
    unsigned trace_line;
    bool kinds[TRACE_KINDS_COUNT];
    size_t line_count;
    const char *lines[SCN_LINES_MAX];

    /* ---- of the run ---- */
    struct sim *s;
    struct check *check;
    struct trace *trace;
    size_t emitted_count, said_count, pending_count, looked, wrong_count, seen_count;
    struct scn_emitted emitted[SCN_EMITTED_MAX];
    struct scn_said said[SCN_SAID_MAX];
    struct scn_pending pending[SCN_PENDING_MAX];
    char *wrong[SCENARIO_WRONG_MAX]; /* owned */
    char *seen[SCN_LINES_MAX];       /* lines of the trace, owned */
    bool seen_all;                   /* no more than fit */
    void (*lines_to)(void *ctx, const char *line);
    void *lines_ctx;
    struct era_statement *scratch; /* owned */
};

/* ---- scenario.c ---- */

void scn_wrong(struct scenario *sc, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- scenario_words.c: a line, word by word ---- */

struct scn_words {
    struct scenario *sc;
    struct era_error *err; /* the first thing that is wrong */
    unsigned line;
    size_t count, at;
    char *word[SCN_WORDS_MAX];
};

bool scn_fail(struct scn_words *w, const char *cure, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The next word is this one: it is taken. */
bool scn_skip(struct scn_words *w, const char *word);
/* NULL: there is none, `what` is missing. */
const char *scn_next(struct scn_words *w, const char *what);
bool scn_number(struct scn_words *w, uint64_t max, const char *what, uint64_t *out);
/* "3", "3+250", "3+2s": virtual ms since the start. */
bool scn_time(struct scn_words *w, uint64_t *ms);
/* Copy of the next word. */
bool scn_text(struct scn_words *w, const char *what, char *out, size_t size);
/* Nothing is left of the line. */
bool scn_end(struct scn_words *w);
/* The word's place in a list of known ones. */
bool scn_one_of(struct scn_words *w, const char *word, const char *what, const char *const *known,
                size_t count, size_t *out);
/* "v1,v2" or "all" (nodes); names must be known. */
bool scn_nodes(struct scn_words *w, struct scn_list *out);
bool scn_keys(struct scn_words *w, struct scn_list *out);
bool scn_proposal(struct scn_words *w, size_t *out);
bool scn_proposals(struct scn_words *w, struct scn_list *out);
size_t scn_node_named(const struct scenario *sc, const char *name); /* SCN_NONE */
size_t scn_key_named(const struct scenario *sc, const char *name);
size_t scn_proposal_named(const struct scenario *sc, const char *name);
size_t scn_label_named(const struct scenario *sc, const char *name);
size_t scn_charter_named(const struct scenario *sc, const char *name);
/* A name that nobody and nothing has yet. */
bool scn_new_name(struct scn_words *w, const char *what, char out[ERA_NAME_BYTES_MAX + 1]);
/* "C", or "charter 1" by its version: *which SCN_NONE then. */
bool scn_charter_word(struct scn_words *w, size_t *which, uint64_t *version);

/* ---- scenario_head.c: validators, component, charter, node, … ---- */

/* *known false: the line does not begin with such a word. */
bool scn_head_line(struct scn_words *w, bool *known);
/* The key of a name, made when it is new. */
bool scn_key_of(struct scn_words *w, const char *name, size_t *out);
/* NAME=VALUE, cut in two. */
bool scn_pair(struct scn_words *w, char **name, char **value);
const struct era_key *scn_public_of(const struct scenario *sc, size_t key);
/* Lists in canonical order; false: the charter is not sound, err says why. */
bool scn_charter_check(struct era_charter *c, const char *where, struct era_error *err);
/* After the last line: the charter is whole. */
bool scn_head_end(struct scenario *sc, struct era_error *err);
extern const char *const scn_head_words[];
size_t scn_head_word_count(void);

/* ---- scenario_next.c: charters that follow ---- */

bool scn_next_line(struct scn_words *w);
/* Once the network is made: drafts of them all, sound but for what only their time says. */
bool scn_next_make(struct scenario *sc, struct era_error *err);
/* proposes charter C, approves charter C, accepts charter C, closes charter C …, the verb taken. */
void scn_next_perform(struct scenario *sc, const struct scn_act *act);
/* After a step: the charters that were adopted, for the checker. */
void scn_next_follow(struct scenario *sc, const struct sim_node *n);
void scn_next_free(struct scenario *sc);

/* ---- scenario_lines.c: at …, expect … ---- */

bool scn_act_line(struct scn_words *w);
bool scn_expect_line(struct scn_words *w); /* at the end of the run */

/* ---- scenario_act.c, scenario_plan.c, scenario_see.c: the run ---- */

void scn_perform(struct scenario *sc, const struct scn_act *act);
/* A statement to say, empty. */
struct era_statement *scn_fresh(struct scenario *sc, enum era_kind kind);
/* Sign it, then keep it back, submit it, or let it come as if from a peer. */
void scn_speak(struct scenario *sc, const struct scn_act *act, const struct scn_key *who, bool submitted,
               struct era_hash *id);
/* The same with what is signed already. */
void scn_hand_over(struct scenario *sc, const struct scn_act *act, struct era_bytes bytes, bool submitted);
void scn_ask(struct scenario *sc, const struct scn_act *act, struct sim_node *n, struct era_command command);
/* The node that holds a key, when it is up and nothing else is said of who hears it; else NULL. */
struct sim_node *scn_own_node(const struct scenario *sc, const struct scn_act *act, size_t key);
/* The first node that is up; NULL: none. */
struct sim_node *scn_first_up(const struct scenario *sc);
/* Fills the proposal of act, as seen from n. NULL, or why it cannot be made (static). */
const char *scn_plan_make(struct scenario *sc, const struct scn_act *act, struct sim_node *n);
void scn_see(struct scenario *sc, const struct scn_act *act);
void scn_watch(struct scenario *sc);
/* Commands that were never answered. */
void scn_pending_end(struct scenario *sc);

#endif
