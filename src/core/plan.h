/* plan: what a plan must be by itself, and the extending rule (protocol §3).
 * Pure functions over decoded proposals. Signers, validators and `propose`
 * keep the extending rule when they make or sign; carriers are judged by what
 * they say alone, so a certificate needs nothing beside the charter. */
#ifndef ERA_CORE_PLAN_H
#define ERA_CORE_PLAN_H

#include "proto/charter.h"

/* The plan before any adoption: the charter's initial record, effective 0. */
void era_plan_initial(const struct era_component *component, struct era_plan *out);

/* Index of the entry in force at an epoch, -1 when there is none (R7). */
int era_plan_current(const struct era_plan *plan, uint64_t epoch);

/* Index of the entry with this hash, -1 when there is none. */
int era_plan_find(const struct era_plan *plan, const struct era_hash *entry);

/* Well formed by itself. On ERA_ILL_FORMED_PLAN *why says which rule is
 * broken (static text). why may be NULL. */
enum era_verdict era_plan_well_formed(const struct era_proposal *p, const char **why);

/* What a plan asks of its certificate (R5): a new entry with an epoch that can
 * block nodes: breaking, or an override. */
bool era_plan_asks_enough(const struct era_plan *plan);
bool era_entry_asks_enough(const struct era_entry *entry);

/* What is new in a proposal, for `auto_ready`: the most demanding thing. */
enum era_plan_news {
    ERA_NEWS_DROPS, /* no new entry at all */
    ERA_NEWS_ANNOUNCED,
    ERA_NEWS_SOFT,
    ERA_NEWS_BREAKING /* breaking or override, with an epoch */
};
enum era_plan_news era_plan_news(const struct era_plan *plan);

/* One slot above prev that the signing key already voted in. */
struct era_voted {
    struct era_hash proposal;
    const struct era_plan *plan;
};

struct era_extending {
    const struct era_plan *prev_plan; /* of the head held, or the initial plan */
    struct era_head_ref prev;         /* that head */
    uint64_t epoch;                   /* the signer's own */
    uint64_t notice_epochs;           /* new entries lie later than epoch + notice */
    const struct era_voted *voted;    /* validators (authority only: signers); NULL for none */
    size_t voted_count;
};

/* The extending rule. ERA_NO_PREV: builds on another head. ERA_NOT_EXTENDING,
 * ERA_SHORT_NOTICE: *why says which clause (static text; may be NULL). */
enum era_verdict era_plan_extends(const struct era_extending *x, const struct era_proposal *p,
                                  const char **why);

/* True when the proposal names this entry or proposal among its drops. */
bool era_proposal_drops(const struct era_proposal *p, const struct era_hash *h);

#endif
