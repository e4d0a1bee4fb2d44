/* hostile: those who hold faulty keys, and links of their own. They see what
 * every honest node holds, sign what they like, show it to whom they like and
 * when; they forge no signature and hold no honest key.
 * Of one run there is one crew. Nothing of it acts from cast's quiet_ms on. */
#ifndef ERA_ERASIM_HOSTILE_H
#define ERA_ERASIM_HOSTILE_H

#include "src/erasim/people.h"

#define HOSTILE_LINKS_MAX      8
#define HOSTILE_HEARD_MAX      256  /* envelopes remembered, to be said again */
#define HOSTILE_HEARD_BYTES    8192 /* of one */
#define HOSTILE_VALIDATORS_MAX 64

enum hostile_style { STYLE_PEER, STYLE_GARBAGE };

struct hostile_link {
    uint64_t number; /* 0: none */
    size_t node;
    bool up;
    enum hostile_style style;
    unsigned draw; /* which garbage */
};

/* Words kept for later: one's own or heard. */
struct held {
    uint64_t due_ms;
    size_t node;
    size_t len;
    uint8_t *bytes; /* NULL: free */
};

struct heard {
    size_t len;
    uint8_t *bytes;
};

struct scheme; /* hostile_switch.h */
struct plot;   /* hostile_turn.c */
struct crowd;  /* hostile_crowd.c */

struct crew {
    size_t validator_count;
    struct sim_key *validators[HOSTILE_VALIDATORS_MAX];
    struct sightings votes, hidden; /* proposals already played with */
    struct sightings charters;      /* and charters */
    uint64_t announced;             /* epochs below were announced */
    struct hostile_link links[HOSTILE_LINKS_MAX];
    size_t heard_count, heard_next;
    struct heard heard[HOSTILE_HEARD_MAX];
    struct held held[CAST_HELD_MAX];
    uint8_t *frame;        /* ERA_FRAME_BYTES_MAX */
    struct scheme *scheme; /* NULL: everybody acts apart */
    struct plot *plot;     /* NULL: no charter follows */
    struct crowd *crowd;   /* NULL: nobody says more than is kept */
};

/* ---- hostile.c ---- */

void hostile_hire(struct sim *s);
void hostile_free(struct crew *c); /* NULL-safe */
void hostile_peer_up(struct sim *s, uint64_t link);
void hostile_peer_heard(struct sim *s, uint64_t link, struct era_bytes frame);
void hostile_peer_down(struct sim *s, uint64_t link);

/* A link to this node now (eclipse). */
void hostile_dial(struct sim *s, size_t node, struct era_prng *p);
/* Show an envelope to one node: by a link of one's own, if there is one. */
void hostile_say(struct sim *s, size_t node, struct era_bytes envelope);
/* To a few nodes of one half (0, 1), or of both (2). */
void hostile_show(struct sim *s, struct era_prng *p, unsigned half, struct era_bytes envelope);
/* Later, to one node; before it becomes quiet. False: too much is held. */
bool hostile_hold(struct sim *s, uint64_t due_ms, size_t node, struct era_bytes envelope);
/* A node that is up, whatever its clock. NULL: none. */
struct sim_node *hostile_any_node(struct sim *s, struct era_prng *p);

/* ---- hostile_acts.c: what is said with faulty keys ---- */

void hostile_hire_acts(struct sim *s);
/* The draft of the cast, empty, of this kind. */
struct era_statement *hostile_begin(struct sim *s, enum era_kind kind);
/* An approve or readiness; borrowed as from cast_signed. */
struct era_bytes hostile_vote(struct sim *s, enum era_kind kind, const struct era_charter *charter,
                              int component, uint64_t seq, const struct era_hash *proposal,
                              const struct sim_key *key);
struct era_hash hostile_invented(struct era_prng *p);
/* What is held of it and the crew's own votes, into *out, owned by the caller. 0: none. */
size_t hostile_certificate(struct sim *s, const struct era_ledger *ledger, int component,
                           const struct era_candidate *c, uint8_t **out);
/* For half an epoch to four, then to one node. */
void hostile_later(struct sim *s, struct actor *a, struct era_bytes envelope);
bool hostile_over(const struct sim *s);
uint64_t hostile_next_act(struct sim *s, struct actor *a);

/* ---- hostile_rotate.c: what is said with faulty keys about the charter that follows, or the one before ----
 */

void hostile_hire_rotate(struct sim *s);

/* ---- hostile_turn.c: what goes wrong around the adoption of a charter ---- */

void hostile_hire_turn(struct sim *s);
/* The charters of this seed are left to it: no scheme has them in hand. */
bool hostile_turn_is_alone(const struct sim *s);
void hostile_turn_free(struct plot *p); /* NULL-safe */

/* ---- hostile_pair.c: two plans of one slot, both approved ---- */

void hostile_hire_pair(struct sim *s);

/* ---- hostile_more.c: one key counted twice, two plans adopted ---- */

void hostile_hire_more(struct sim *s);

/* ---- hostile_crowd.c: more than is kept ---- */

void hostile_hire_crowd(struct sim *s);
void hostile_crowd_free(struct crowd *c); /* NULL-safe */

/* ---- hostile_switch.c: all keys by one scheme ---- */

void hostile_hire_switch(struct sim *s);
void hostile_switch_free(struct scheme *c); /* NULL-safe */
/* The component `network`, or what is said of the next charter, is left to the scheme now. */
bool hostile_switch_keeps(const struct sim *s);
bool hostile_switch_keeps_charter(const struct sim *s);
/* Whoever writes the next charter is talked out of leaving room above what was approved. */
bool hostile_switch_is_tight(const struct sim *s);

/* ---- hostile_noise.c: what needs no key ---- */

void hostile_hire_noise(struct sim *s);
/* The first words on a link of STYLE_GARBAGE. */
void hostile_garbage(struct sim *s, struct hostile_link *l);

#endif
