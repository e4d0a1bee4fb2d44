/* load: what the benchmarks feed a node: a large charter, its keys, readiness
 * statements. Deterministic. Aborts on no memory. */
#ifndef ERA_TESTS_BENCH_LOAD_H
#define ERA_TESTS_BENCH_LOAD_H

#include "proto/charter.h"

#define LOAD_COMPONENTS 4

struct load {
    struct era_charter charter;           /* hash: the network's */
    uint8_t (*secrets)[ERA_SECRET_BYTES]; /* by validator */
    struct era_key signer;
    uint8_t signer_secret[ERA_SECRET_BYTES];
};

/* Validators of stake 1, LOAD_COMPONENTS components with one signer. */
void load_init(struct load *l, size_t validators);
void load_release(struct load *l);

/* One readiness payload is signed by many: encode it once. */
struct load_vote {
    struct era_statement *statement;
    uint8_t payload[512];
    size_t payload_len;
    struct era_hash id;
};

void load_vote_init(const struct load *l, struct load_vote *v, int component, uint64_t seq,
                    const struct era_hash *proposal);
void load_vote_release(struct load_vote *v);

/* That vote by a validator, with a true signature or a made-up one (which only
 * what does not verify may be given). Into out[512]; returns the length. */
size_t load_vote_by(const struct load *l, const struct load_vote *v, size_t validator, bool sign,
                    uint8_t out[512]);

/* A proposal without news for a slot, and its approval, as signed envelopes into out[ERA_LOOSE_BYTES_MAX]. */
size_t load_proposal(const struct load *l, int component, uint64_t seq, uint8_t *out, struct era_hash *id);
size_t load_approval(const struct load *l, int component, uint64_t seq, const struct era_hash *proposal,
                     uint8_t *out);

/* Statements 0, 1, …: validator, component and slot of the nth. */
struct load_place {
    size_t validator;
    int component;
    uint64_t seq;
};
struct load_place load_place(const struct load *l, size_t nth);

#endif
