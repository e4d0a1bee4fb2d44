/* words: a proposal as a person reads it before signing: what is added, kept
 * and dropped, when, and whom it stops. */
#ifndef ERA_ERACTL_WORDS_H
#define ERA_ERACTL_WORDS_H

#include <jansson.h>
#include <stdio.h>

#include "proto/charter.h"

struct era_words {
    FILE *out;
    const struct era_charter *charter;
    const struct era_component *component;
    const struct era_plan *plan; /* of the head: names what is dropped; NULL: not known */
    uint64_t epoch;
};

void era_words_proposal(const struct era_words *w, const struct era_proposal *p);

/* Which validators' announced versions meet what the plan's new entries with
 * an epoch require, by stake (M8). announcements: the daemon's answer. */
void era_words_adoption(const struct era_words *w, const struct era_proposal *p, const json_t *announcements);

/* "software >=2.0.0, protocol ^1.0.0"; "any version" when nothing is asked. malloc'd. */
char *era_words_ranges(const struct era_ranges *r);

#endif
