/* charter: the signed configuration of a network as plain structs, and its
 * canonical bytes. The hash of charter 0 is the network id.
 * Invariant of a decoded charter: lists strictly ascending (validators,
 * signers, emitters by key; components by id), so that an index names a key. */
#ifndef ERA_PROTO_CHARTER_H
#define ERA_PROTO_CHARTER_H

#include "proto/statement.h"

enum era_clock_kind { ERA_CLOCK_WALL = 1, ERA_CLOCK_HEIGHT = 2 };

struct era_clock_params {
    enum era_clock_kind kind;
    uint64_t genesis_ms; /* wall: Unix ms of the start of epoch 0; height: 0 */
    uint64_t epoch_ms;   /* wall: ms an epoch; height: heights an epoch; >= 1 */
    uint64_t tolerance_epochs;
};

struct era_fraction {
    uint64_t numerator, denominator; /* 0 <= numerator <= denominator, denominator >= 1, both <= 10^6 */
};

struct era_named_key {
    char name[ERA_NAME_BYTES_MAX + 1];
    struct era_key key;
};

struct era_validator {
    char name[ERA_NAME_BYTES_MAX + 1];
    struct era_key key;
    uint64_t stake; /* >= 1 */
};

struct era_component {
    char id[ERA_NAME_BYTES_MAX + 1];
    uint32_t k, urgent_k;
    uint64_t notice_epochs, urgent_notice_epochs;
    struct era_fraction enough;         /* of the stake, for a new breaking entry (R5) */
    struct era_fraction rebuild_quorum; /* of the stake, per artefact; 0: none asked */
    size_t signer_count;
    struct era_named_key signers[ERA_SIGNERS_MAX]; /* ascending by key */
    struct era_record initial;                     /* era 1, component = id */
};

/* A component of the parent charter, and the highest seq of it that still counts (R10). */
struct era_carried {
    char component[ERA_NAME_BYTES_MAX + 1];
    uint64_t seq;
};

/* Owned: validators and components are one allocation each. */
struct era_charter {
    uint64_t version;       /* at most ERA_CHARTER_VERSION_MAX */
    bool has_parent;        /* exactly when version >= 1 */
    struct era_hash parent; /* hash of version - 1 */
    char name[ERA_NAME_BYTES_MAX + 1];
    struct era_clock_params clock;
    size_t validator_count;
    struct era_validator *validators; /* ascending by key */
    size_t component_count;
    struct era_component *components; /* ascending by id; one of them is "network" */
    bool strict_emission, authority_only;
    size_t emitter_count;
    struct era_named_key emitters[ERA_EMITTERS_MAX]; /* authority only */
    uint32_t events_per_epoch;
    bool overrides;
    uint64_t effective;   /* epoch from which it may count (R10); 0 exactly when version is 0 */
    size_t carried_count; /* 0 when version is 0 */
    struct era_carried carried[ERA_COMPONENTS_MAX]; /* ascending by component */
    struct era_hash hash;                           /* of the canonical bytes; set by decode and seal */
};

/* Strict decode, as for statements. Checks form and order; the rules that
 * make a charter sensible are core/charter's (era_charter_check). */
enum era_verdict era_charter_decode(struct era_bytes in, struct era_charter *out);
void era_charter_clear(struct era_charter *c); /* NULL-safe */
/* Canonical bytes, malloc'd into *out (caller frees); returns the length. */
size_t era_charter_encode(const struct era_charter *c, uint8_t **out);
/* Set hash (BLAKE2b-256 of "erad-charter-v1" | canonical bytes). */
void era_charter_seal(struct era_charter *c);

#endif
