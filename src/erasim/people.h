/* people: what the files of the cast share and nobody else sees.
 *
 * Everybody is an actor: a function, its next hour, and a stream of numbers of
 * its own, so that a draw more in one place moves nothing in another. No two
 * draws in one expression: compilers order arguments as they like. Actors
 * read honest nodes by their public reading functions and act by commands, as
 * people do through eractl and the control socket. */
#ifndef ERA_ERASIM_PEOPLE_H
#define ERA_ERASIM_PEOPLE_H

#include "src/erasim/cast.h"

#define CAST_NEVER          UINT64_MAX
#define CAST_SIGNERS_MAX    (ERA_COMPONENTS_MAX * ERA_SIGNERS_MAX)
#define CAST_RECORD_MAX     512 /* approvals of one signer in one run */
#define CAST_SIGHTINGS_MAX  128 /* proposals a person still thinks about; the oldest is forgotten */
#define CAST_HELD_MAX       256 /* statements held back at a time */
#define CAST_VALIDATORS_MIN 4
#define CAST_VALIDATORS_MAX 16
#define CAST_NODES_MIN      7
#define CAST_NODES_MAX      50
#define CAST_ROTATIONS_MAX  2 /* charters that follow in one run */

struct actor;

/* Returns the next hour, ms since the start; CAST_NEVER: no more. */
typedef uint64_t cast_act(struct sim *s, struct actor *a);

struct actor {
    uint64_t next_ms;
    cast_act *act;
    void *who; /* what act expects; owned by the cast's lists */
    struct era_prng prng;
};

/* ---- honest and bad signers ---- */

/* One approval that this person gave: for ever (R3). No crash of a node touches it. */
struct approval {
    uint64_t charter_version, seq;
    struct era_hash proposal;
};

/* The one charter of a version that this person approved (R10). */
struct charter_word {
    uint64_t version;
    struct era_hash charter;
};

/* A proposal that a person noticed, and what is to come of it. */
struct sighting {
    struct era_hash proposal;
    uint64_t first_ms, due_ms;
    unsigned mood;  /* drawn once */
    unsigned tries; /* acts so far */
    bool done;
};

struct sightings {
    size_t count, next; /* a ring */
    struct sighting list[CAST_SIGHTINGS_MAX];
};

struct signer {
    struct sim_key *key;
    char component[ERA_NAME_BYTES_MAX + 1];
    size_t home;  /* number of the node that is asked first */
    bool at_home; /* its key is that node's too: no other is asked (§9: what comes from outside is missed) */
    size_t approval_count;
    struct approval approvals[CAST_RECORD_MAX];
    size_t charter_count;
    struct charter_word charters[CAST_ROTATIONS_MAX];
    struct sightings seen;
};

/* What the signers of a component arranged among themselves. */
struct guild {
    char component[ERA_NAME_BYTES_MAX + 1];
    uint64_t propose_ms; /* not before */
    struct sightings seen;
};

/* A node's operator, builder and host program. */
struct caretaker {
    size_t node;
    struct sightings votes, builds, accepts, closes;
    uint64_t upgrade_ms; /* CAST_NEVER: nothing planned */
    struct era_versions wanted;
    uint64_t emit_ms;
    uint64_t impatient_until_ms; /* asks for every vote at once until then */
};

/* A charter that the signers of `network` agreed upon beforehand, and one of them proposes. */
struct rotation {
    uint64_t hour_ms;           /* proposed not before */
    struct era_charter *draft;  /* owned; parent, carried and effective epoch are set when it is proposed */
    struct era_bytes statement; /* owned; empty: not proposed yet */
};

struct crew;    /* hostile.h */
struct strikes; /* strike.h */
struct release; /* cast_release.c */

struct cast {
    size_t actor_count, actor_cap;
    struct actor **actors;
    size_t signer_count;
    struct signer **signers; /* honest ones and bad ones */
    size_t guild_count;
    struct guild *guilds;
    size_t caretaker_count;
    struct caretaker *caretakers; /* one a node */
    struct crew *crew;
    struct strikes *strikes;
    struct release *release;
    size_t rotation_count;
    struct rotation rotations[CAST_ROTATIONS_MAX];
    bool rival_charters;    /* bad signers may propose them */
    size_t spare_validator; /* node whose key may fall within the bound; SIZE_MAX: none */
    uint64_t quiet_ms;      /* from here on nothing strikes and nobody is hostile */
    struct era_statement *draft;
    uint8_t *envelope; /* ERA_AUTHORED_BYTES_MAX */
};

/* ---- cast.c ---- */

void *cast_alloc(size_t bytes); /* zeroed; aborts on no memory */
/* at_ms: the first hour. purpose: of its stream. */
struct actor *cast_hire(struct sim *s, cast_act *act, void *who, uint64_t at_ms, const char *purpose);
bool cast_may(const struct sim *s, enum sim_fault f); /* the plan lets this kind strike */
/* The run ends: nobody begins what could not reach everybody. */
bool cast_is_late(const struct sim *s);
uint64_t cast_between(struct era_prng *p, uint64_t least, uint64_t most);
bool cast_chance(struct era_prng *p, unsigned percent);
/* The charter that people go by: the newest known. */
const struct era_charter *cast_charter(const struct sim *s);
const struct era_hash *cast_network(const struct sim *s);
/* An honest node that is up and whose epoch is the people's own, give or take one: home first. NULL: none. */
struct sim_node *cast_ask_whom(struct sim *s, size_t home);
struct sim_node *cast_ask_for(struct sim *s, const struct signer *g); /* likewise, for a signer */
/* Signed with a key; borrowed until the next call. */
struct era_bytes cast_signed(struct sim *s, const struct era_statement *st, const struct sim_key *key,
                             struct era_hash *id);
struct sighting *cast_sighting(struct sightings *all, const struct era_hash *proposal);
/* A new one, with a mood, due after up to slow_ms; prng NULL: due at once, mood 0. */
struct sighting *cast_sight(struct sightings *all, const struct era_hash *proposal, uint64_t now_ms,
                            struct era_prng *prng, uint64_t slow_ms);

/* ---- cast_keys.c ---- */

bool cast_make_network(struct sim *s, const char **why);
/* The least k with 2k - m >= margin, or one more: any two sets of k share so many signers. */
uint32_t cast_choose_k(struct era_prng *p, uint32_t m, uint32_t margin);
void cast_add_signer(struct sim *s, struct sim_key *key, const char *component);
/* A charter's name of a key: it has no "@". */
void cast_charter_name(char out[ERA_NAME_BYTES_MAX + 1], const char *key_name);
void cast_sort_keys(struct era_named_key *keys, size_t count);
void cast_sort_validators(struct era_validator *validators, size_t count);
bool cast_has_bad_validators(const struct sim *s); /* the plan asks for some */
bool cast_has_bad_signers(const struct sim *s);

/* ---- cast_next.c: who comes and goes with the next charters ---- */

#define CAST_STAKE_LEAST 10
#define CAST_STAKE_MOST  40

/* Drafts of the charters that follow, and keys for the nodes whose validators join; before any node starts.
 */
void cast_plan_rotations(struct sim *s);
void cast_free_rotations(struct cast *c);
struct era_charter *cast_copy_charter(const struct era_charter *c); /* owned by the caller */
/* Faulty stake and bad signers stay within what the protocol bears. */
bool cast_is_bearable(const struct sim *s, const struct era_charter *c);
/* The key's: it is a validator of the first charter or of one that may follow. */
bool cast_may_validate(const struct sim *s, const struct era_key *key);

/* ---- cast_rotate.c ---- */

void cast_hire_rotation(struct sim *s);
/* With what this ledger's charter needs to be followed: parent, carried, effective epoch. */
void cast_seal_charter(struct era_charter *c, const struct era_ledger *l, uint64_t effective);
/* As an envelope, into *bytes, owned by the caller. sealed: with parent, carried and effective epoch. */
size_t cast_charter_statement(struct sim *s, const struct era_charter *sealed, const struct sim_key *author,
                              uint8_t **bytes);

/* ---- cast_draft.c: plans that keep the extending rule ---- */

enum wish { WISH_SOFT, WISH_BREAKING, WISH_ANNOUNCE, WISH_ACTIVATE, WISH_DROP, WISH_OVERRIDE, WISHES };

struct draft_base {
    const struct era_charter *charter;
    int component;
    const struct era_view *view;
    uint64_t seq;
    bool urgent;
    uint64_t later;   /* epochs beyond the least notice */
    const char *text; /* tells rivals apart */
};

/* Into *out, its texts and hashes complete. False: this wish cannot be had now. */
bool cast_draft(const struct draft_base *b, enum wish wish, struct era_proposal *out);
/* Ascending; false when there is no room. */
bool cast_draft_drop(struct era_proposal *p, const struct era_hash *h);
/* "sha256:…" of an artefact of a version: what honest builders get. */
void cast_digest(const char *artefact, const char *version, char out[ERA_DIGEST_BYTES_MAX + 1]);

/* ---- the actors' makers ---- */

void cast_hire_signers(struct sim *s);    /* cast_signer.c */
void cast_hire_caretakers(struct sim *s); /* cast_host.c */
void cast_hire_releases(struct sim *s);   /* cast_release.c; after the caretakers and signers */
const struct approval *signer_find(const struct signer *g, uint64_t charter_version, uint64_t seq);
uint64_t signer_floor(const struct signer *g, uint64_t charter_version);

#endif
