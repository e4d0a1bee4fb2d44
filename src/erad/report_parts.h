/* report_parts: the pieces that several answers share. Inside src/erad only.
 * Every function that returns json_t * returns a new reference, never NULL:
 * without memory it aborts, as the node does. */
#ifndef ERA_ERAD_REPORT_PARTS_H
#define ERA_ERAD_REPORT_PARTS_H

#include "src/erad/report.h"

/* {"schema":"erad.NAME/1"} */
json_t *report_answer(const char *name);
json_t *report_object(void);
json_t *report_array(void);
/* Steals v. */
void report_put(json_t *object, const char *key, json_t *v);
void report_add(json_t *array, json_t *v);

/* A text that is not clean UTF-8 comes escaped. */
json_t *report_text(const char *text);
json_t *report_text_or_null(const char *text); /* "" and NULL: null */
json_t *report_bool(bool b);
json_t *report_number(uint64_t n);    /* up to 2^53, see limits.h */
json_t *report_stake(uint64_t stake); /* a decimal string: stakes reach 2^62 */
json_t *report_hash(const struct era_hash *h);
json_t *report_versions(const struct era_versions *v); /* only those given */

json_t *report_entry(const struct era_node *n, const struct era_plan *plan, size_t index, int current);
/* Entries of a plan at the node's epoch; current as in era_view. */
json_t *report_plan(const struct era_node *n, const struct era_plan *plan, int current);
/* The entry whose arrival the proposal is about: the first new one, else the last. */
const struct era_entry *report_main_entry(const struct era_plan *plan);
/* Entry of the component's plan in force, wherever it stands in memory; NULL: null. */
json_t *report_entry_of(const struct era_node *n, int component, const struct era_entry *entry);
/* The gate object, put into o. */
void report_gate_put(const struct era_node *n, json_t *o, int component, const struct era_gate *gate);
json_t *report_head(const struct era_adopted *head); /* {"id","seq","charter_version"} or null */

/* report_proposal.c */
json_t *report_proposal_short(const struct era_node *n, const struct era_candidate *c);
/* names_max: names listed of those who are ready; the rest is a number. */
json_t *report_proposal(const struct era_node *n, const struct era_candidate *c, size_t names_max);
/* l, component: the ledger that holds it, and its charter's index (R10). */
json_t *report_adopted(const struct era_node *n, const struct era_ledger *l, int component,
                       const struct era_adopted *a);
/* True where this adopted one is the head of its component now. *current: index of the entry in force then,
 * else -1. */
bool report_is_head(const struct era_node *n, const char *component, const struct era_adopted *a,
                    int *current);
bool report_is_void(const struct era_adopted *all, size_t count, size_t i);

/* "3 days 4 h", "2 h 5 min", "40 s". */
const char *report_duration(uint64_t ms, char out[40]);
/* Until an epoch begins, " (2 h 5 min)", or "" when the clock is no wall clock. */
const char *report_time_left(const struct era_node *n, uint64_t epoch, char out[48]);
/* Names of validators without a fresh announcement, up to `most`, "alice, bob and 3 more". False: none
 * silent. */
bool report_silent(const struct era_node *n, size_t most, char *out, size_t size);
bool report_is_fresh(const struct era_node *n, uint64_t announced);

#endif
