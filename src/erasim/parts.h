/* parts: what the engine's files share and nobody else sees.
 *
 * Time: one heap of happenings, ordered by (time, order of scheduling), one heap
 * of nodes by their deadlines, and the hour of the people. At one millisecond
 * the people come first, then happenings, then deadlines by node number.
 *
 * Links: two ends, each with a number never used twice. An end is open until
 * its owner closed it, heard that it broke, or died; a link with no open end is
 * forgotten, and whatever still names one of its ends finds nothing.
 *
 * A node that is congested reads no link: what its links bring waits, in order,
 * and the other ends are not told that their bytes were written. */
#ifndef ERA_ERASIM_PARTS_H
#define ERA_ERASIM_PARTS_H

#include "src/erasim/sim.h"

#define SIM_NOBODY         SIZE_MAX
#define SIM_NEVER          UINT64_MAX
#define SIM_LINKS_BITS     20   /* links at a time */
#define SIM_DIAL_FAILS_MS  5000 /* ERA_LINK_DIAL_MS of the daemon's driver: nobody answers */
#define SIM_STAND_STILL    2000000
#define SIM_TEXT_BYTES     512
#define SIM_PROPOSALS_KEPT 4096 /* of which it is counted when all had adopted them */

enum happening_kind {
    HAPPEN_START,
    HAPPEN_DIAL,        /* bytes: address */
    HAPPEN_DIAL_FAILED, /* bytes: address */
    HAPPEN_UP,          /* link; bytes: address of the other end */
    HAPPEN_FRAME,       /* link, bytes */
    HAPPEN_SENT,        /* link, number: bytes */
    HAPPEN_DOWN,        /* link, verdict: what the driver ended it for */
    HAPPEN_UNPARK,      /* a node that was congested reads its links again */
    HAPPEN_COMMIT,
    HAPPEN_STORED, /* number: token, error */
    HAPPEN_COMMAND /* command */
};

struct happening {
    enum happening_kind kind;
    size_t node;   /* of those that name no link */
    unsigned life; /* of the node; else it does not happen */
    uint64_t link; /* number of an end */
    uint64_t number;
    int error;
    enum era_verdict verdict;
    struct era_command *command; /* owned, see sim_command_copy */
    struct happening *next;      /* of those that wait */
    size_t len;
    uint8_t bytes[];
};

struct due {
    uint64_t at_ms, order;
    struct happening *h;
};

/* ---- links ---- */

struct end {
    uint64_t number;
    size_t node; /* SIM_NOBODY: a hostile peer, or an injected word */
    bool open;
    bool outgoing;
    bool up;                   /* its owner was told that the link is up */
    bool mute;                 /* nobody's end that nobody listens at */
    uint64_t arrives_ms;       /* when the last frame to this end arrives */
    uint64_t wire_free_ms;     /* when what this end wrote before has left */
    struct happening *sending; /* SENT of this end that may still grow, at sending_ms */
    uint64_t sending_ms;
    uint64_t stalled;        /* bytes whose SENT waits for the other end */
    struct end *prev, *next; /* of the node */
    uint8_t *part;           /* fragments that left so far, of one statement */
    uint32_t part_len, part_total;
};

struct link {
    uint64_t delay_ms;
    bool broken;       /* what is under way is lost */
    struct end end[2]; /* 0: who dialled */
};

/* One direction between two nodes. */
struct way {
    size_t to;
    bool cut;
    struct sim_net_faults faults;
    uint32_t told; /* bit: enum sim_fault already told since it was set */
};

/* ---- disks ---- */

struct commit {
    struct commit *next;
    uint64_t token;
    size_t count;
    struct era_store_put *puts; /* one allocation with their bytes */
};

/* ---- a node's own ---- */

struct part {
    struct end *ends;
    size_t way_count, way_cap;
    struct way *ways; /* ascending by to */
    struct happening *parked, **parked_end;
    bool unparking;
    struct commit *commits, **commits_end;
    bool cancelling; /* a commit failed, and the node was not told yet */
    size_t timer;    /* place in the heap of deadlines + 1; 0: none */
    uint64_t deadline_ms;
    bool stepping;
};

struct adopted_count {
    struct era_hash proposal;
    uint64_t first_ms;
    bool adopted;
    size_t nodes;
};

struct reply {
    struct era_reply reply;
    enum era_command_kind kind;
    char why[256];
};

struct sim_parts {
    struct era_prng net, disk;
    uint64_t next_order, next_request, next_link, next_ghost;
    size_t due_count, due_cap;
    struct due *due;
    size_t timer_count;
    uint32_t *timers; /* node numbers, a heap by deadline */
    uint64_t wake_ms;
    bool in_wake, started;
    struct part *part; /* of each node */
    size_t link_cap, free_count;
    struct link **links; /* by the low bits of their ends' numbers */
    uint32_t *free_links;
    struct reply *replies;
    size_t adopted_count;
    struct adopted_count *adopted;
    uint64_t still;
};

/* ---- sim.c ---- */

void *sim_alloc(size_t bytes); /* zeroed; aborts on no memory */
void sim_grow(void **at, size_t *cap, size_t count, size_t size);
struct part *sim_part(const struct sim *s, const struct sim_node *n);
/* A happening of a node (life taken from it), or of a link's end; bytes are copied. */
struct happening *sim_happening(struct sim *s, enum happening_kind kind, size_t node, uint64_t link,
                                struct era_bytes bytes);
void sim_schedule(struct sim *s, uint64_t at_ms, struct happening *h);
void sim_happening_free(struct happening *h);
/* The node's deadline is looked at again. */
void sim_timer_set(struct sim *s, struct sim_node *n);

/* ---- sim_effects.c ---- */

void sim_apply(struct sim *s, struct sim_node *n, const struct era_effect *e);
struct era_command *sim_command_copy(const struct era_command *c);

/* ---- sim_net.c ---- */

void sim_net_free(struct sim *s);
void sim_net_send(struct sim *s, struct sim_node *n, uint64_t number, struct era_bytes frame);
void sim_net_close(struct sim *s, struct sim_node *n, uint64_t number);
void sim_net_dial(struct sim *s, struct sim_node *n, const char *address);
/* The process is gone. told: the machine lives, and says so to the others. */
void sim_net_leave_all(struct sim *s, struct sim_node *n, bool told);
/* Takes h over. */
void sim_net_happen(struct sim *s, struct happening *h);
void sim_net_unpark(struct sim *s, struct sim_node *n);
/* After each step of a node: does it read its links again? */
void sim_net_look(struct sim *s, struct sim_node *n);

/* ---- sim_links.c ---- */

struct link *sim_link_new(struct sim *s, size_t a, size_t b);
/* NULL: forgotten. */
struct end *sim_end(const struct sim *s, uint64_t number);
struct end *sim_end_other(const struct sim *s, const struct end *e);
/* What it would prove to the other end: a node's key, or one of a number for nobody's. */
struct era_key sim_end_key(const struct sim *s, const struct end *e);
struct link *sim_end_link(const struct sim *s, const struct end *e);
/* Its owner will hear no more of it. Forgets the link with the second end. */
void sim_end_leave(struct sim *s, struct end *e);
void sim_links_free(struct sim *s);

/* ---- sim_wire.c: what leaves nodes ---- */

void sim_wire_hear(struct sim *s, struct sim_node *n, struct end *e, struct era_bytes frame);

/* ---- sim_disk.c ---- */

void sim_disk_submit(struct sim *s, struct sim_node *n, const struct era_effect *e);
void sim_disk_commit(struct sim *s, struct sim_node *n);
/* Before STORED is taken. */
void sim_disk_told(struct sim *s, struct sim_node *n, int error);
/* Whatever was not committed is gone. */
void sim_disk_drop(struct sim *s, struct sim_node *n);
/* A damaged store is set aside and an empty one begun; then node takes what is there. */
void sim_disk_restore(struct sim *s, struct sim_node *n);

/* ---- watches ---- */

#define SIM_WATCHED(s, call, ...)                                                                            \
    do {                                                                                                     \
        for (size_t watch_i = 0; watch_i < (s)->watch_count; watch_i++)                                      \
            if ((s)->watches[watch_i].call)                                                                  \
                (s)->watches[watch_i].call((s)->watches[watch_i].ctx, __VA_ARGS__);                          \
    } while (0)

#endif
