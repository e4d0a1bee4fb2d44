/* checked: a small network of real nodes under the checker, and what they would have to do wrong, told to the
 * watch as if they had done it. */
#ifndef ERA_TESTS_ERASIM_CHECKED_H
#define ERA_TESTS_ERASIM_CHECKED_H

#include "src/erasim/check_internal.h"
#include "tests/lib/given.h"

#define EPOCH_MS 1000

struct run {
    struct sim *s;
    struct check *check;
    const struct era_charter *c;
};

/* Four validators of one stake each (Q = 3), all linked, signers s1 to s3, k = 2; up for two epochs. */
struct run given_run(bool strict, bool votes);
void run_ms(struct run *r, uint64_t ms);
/* They vote, and nothing was broken. */
struct run given_settled(void);
void done(struct run *r);
/* The envelope leaves node i. */
void leaves(struct run *r, size_t i, struct era_bytes bytes);
/* It is durable on node i. */
void lies_on(struct run *r, size_t i, struct era_bytes bytes);
/* Node i took this step, with these effects. */
void stepped(struct run *r, size_t i, enum era_event_kind kind, const struct era_effect *effects,
             size_t count);
/* What lay on node i's disk lies there no more. */
void forget(struct run *r, size_t i, enum era_record_kind kind, struct era_bytes bytes);
/* The end of a test: this rule is broken, or none is. */
void broken(struct run *r, const char *rule);
void clean(struct run *r);
/* How often a rule was looked at. */
uint64_t looked(const struct run *r, const char *rule);
struct era_proposal *soft(const struct run *r, uint64_t seq, uint64_t effective, const char *version);
struct era_bytes certificate(const struct run *r, const struct era_proposal *p);
struct era_bytes evidence(const struct run *r, const char *who, uint64_t seq);
void faulty(struct run *r, const char *name);

#endif
