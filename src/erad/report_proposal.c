/* Proposals: what was said about each, by whom, and what it still needs (D5, T3, T4). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/plan.h"
#include "src/erad/report_parts.h"

static size_t rejected_only(const struct era_candidate *c)
{
    return (size_t)__builtin_popcountll(c->rejected_by & ~c->approved_by);
}

static bool is_failed(const struct era_node *n, const struct era_candidate *c)
{
    const struct era_component *component = &era_node_charter(n)->components[c->component];
    return era_approval_failed(c->approvals_needed, component->signer_count, rejected_only(c));
}

/* Approved wins over failed (R3); expiry stops whoever would still sign (R9). */
static const char *state_of(const struct era_node *n, const struct era_candidate *c)
{
    bool approved = (unsigned)__builtin_popcountll(c->approved_by) >= c->approvals_needed;
    if (c->certificate)
        return "adopted";
    if (!approved && is_failed(n, c))
        return "failed";
    if (era_node_epoch(n) > c->expiry)
        return "expired";
    return approved ? "approved" : "open";
}

static const char *author_name(const struct era_component *component, const struct era_key *author)
{
    int i = era_charter_signer_index(component, author);
    return i < 0 ? "" : component->signers[i].name;
}

/* ---- tallies ---- */

static json_t *approvals(const struct era_component *component, uint64_t by, uint32_t needed, bool names)
{
    json_t *o = report_object(), *list = report_array();
    for (size_t i = 0; i < component->signer_count; i++)
        if (by >> i & 1)
            report_add(list, report_text(component->signers[i].name));
    report_put(o, "count", report_number((uint64_t)__builtin_popcountll(by)));
    report_put(o, "needed", report_number(needed));
    if (names) {
        report_put(o, "of", report_number(component->signer_count));
        report_put(o, "by", list);
    } else {
        json_decref(list);
    }
    return o;
}

static json_t *rejections(const struct era_component *component, const struct era_candidate *c)
{
    json_t *all = report_array();
    for (size_t i = 0; i < c->reject_count; i++) {
        json_t *o = report_object();
        report_put(o, "by", report_text(component->signers[c->rejects[i].signer].name));
        report_put(o, "reason", report_text(c->rejects[i].reason));
        report_add(all, o);
    }
    return all;
}

static json_t *stake_of(uint64_t stake, uint64_t needed)
{
    json_t *o = report_object();
    report_put(o, "stake", report_stake(stake));
    report_put(o, "needed", report_stake(needed));
    return o;
}

/* ready_by: bit a validator; NULL: none. */
static json_t *readiness(const struct era_charter *charter, uint64_t stake, uint64_t needed,
                         const uint8_t *ready_by, size_t names_max)
{
    json_t *o = stake_of(stake, needed), *by = report_array();
    size_t count = 0;
    for (size_t v = 0; v < charter->validator_count && ready_by; v++)
        if (ready_by[v / 8] >> (v % 8) & 1 && count++ < names_max)
            report_add(by, report_text(charter->validators[v].name));
    report_put(o, "total", report_stake(era_charter_stake_sum(charter)));
    report_put(o, "by", by);
    if (count > names_max)
        report_put(o, "by_left_out", report_number(count - names_max));
    return o;
}

static json_t *attestation(const struct era_charter *charter, size_t validator,
                           const struct era_attestation *a, bool matched)
{
    json_t *o = report_object();
    report_put(o, "by", report_text(charter->validators[validator].name));
    report_put(o, "artefact", report_text(a->artefact));
    report_put(o, "digest", report_text(a->digest));
    report_put(o, "matched", report_bool(matched));
    report_put(o, "builder", report_text_or_null(a->builder));
    report_put(o, "source_digest", report_text_or_null(a->source_digest));
    return o;
}

static json_t *rebuild(const struct era_charter *charter, const struct era_component *component,
                       const struct era_plan *plan, const struct era_match_tally *matches)
{
    uint64_t needed = era_rebuild_needed(charter, component, plan), least = era_match_least(matches);
    if (needed == 0 || least == UINT64_MAX)
        return json_null();
    json_t *o = report_object();
    report_put(o, "least_stake", report_stake(least));
    report_put(o, "needed", report_stake(needed));
    return o;
}

/* Whether this validator voted, and what it would be told if it asked now (R4). */
static json_t *my_vote(const struct era_node *n, const struct era_candidate *c)
{
    const struct era_charter *counting = era_node_counting_charter(n);
    const struct era_item *said[2];
    const char *why = NULL;
    int validator = era_node_validator(n);
    enum era_verdict v = era_node_may_vote(n, c, &why);
    if (v == ERA_NO_KEY)
        return json_null();
    bool cast = v == ERA_DUPLICATE;
    size_t count = validator < 0 ? 0
                                 : era_ledger_spoken(era_node_ledger(n), ERA_KIND_READINESS, c->component,
                                                     c->seq, &counting->validators[validator].key, said);
    for (size_t i = 0; i < count; i++)
        cast |= said[i]->candidate == c;
    json_t *o = report_object();
    report_put(o, "cast", report_bool(cast));
    report_put(o, "verdict", report_text(era_verdict_code(v)));
    report_put(o, "why", report_text_or_null(why));
    return o;
}

/* ---- the object ---- */

static void put_slot(json_t *o, const char *component, uint64_t charter_version, uint64_t seq,
                     const struct era_hash *id)
{
    report_put(o, "id", report_hash(id));
    report_put(o, "component", report_text(component));
    report_put(o, "charter_version", report_number(charter_version));
    report_put(o, "seq", report_number(seq));
}

/* What stands in the proposal itself. */
static void put_content(const struct era_node *n, json_t *o, const struct era_ledger *l,
                        const struct era_hash *id, int current)
{
    struct era_proposal *p = malloc(sizeof *p);
    assert(p);
    bool known = era_ledger_proposal(l, id, p);
    assert(known); /* callers hold a known candidate or an adopted one */
    json_t *drops = report_array();
    for (size_t i = 0; i < p->drop_count; i++)
        report_add(drops, report_hash(&p->drops[i]));
    report_put(o, "urgent", report_bool(p->urgent));
    report_put(o, "text", report_text(p->text));
    report_put(o, "expiry", report_number(p->expiry));
    report_put(o, "prev", p->prev.some ? report_hash(&p->prev.proposal) : json_null());
    report_put(o, "plan", report_plan(n, &p->plan, current));
    report_put(o, "drops", drops);
    free(p);
}

json_t *report_proposal_short(const struct era_node *n, const struct era_candidate *c)
{
    const struct era_component *component = &era_node_charter(n)->components[c->component];
    const char *state = state_of(n, c);
    json_t *o = report_object();
    put_slot(o, component->id, c->charter_version, c->seq, &c->proposal);
    report_put(o, "state", report_text(state));
    report_put(o, "version", c->plan ? report_text(report_main_entry(c->plan)->record.version) : json_null());
    report_put(o, "approvals", approvals(component, c->approved_by, c->approvals_needed, false));
    report_put(o, "readiness", stake_of(c->ready_stake, c->readiness_needed));
    if (strcmp(state, "failed") == 0)
        report_put(o, "failed_by", rejections(component, c));
    return o;
}

struct attested_by {
    const struct era_charter *charter;
    json_t *all;
    size_t left;
};

static bool add_attestation(void *ctx, const struct era_attested *a)
{
    struct attested_by *by = ctx;
    if (by->left == 0)
        return false;
    report_add(by->all, attestation(by->charter, a->validator, a->text, a->matched));
    return --by->left > 0;
}

json_t *report_proposal(const struct era_node *n, const struct era_candidate *c, size_t names_max)
{
    const struct era_charter *charter = era_node_charter(n);
    const struct era_component *component = &charter->components[c->component];
    const char *state = state_of(n, c);
    json_t *o = report_object();
    struct attested_by by = {charter, report_array(), names_max};
    put_slot(o, component->id, c->charter_version, c->seq, &c->proposal);
    report_put(o, "state", report_text(state));
    report_put(o, "author", report_text(author_name(component, &c->author)));
    put_content(n, o, era_node_ledger(n), &c->proposal,
                c->plan ? era_plan_current(c->plan, era_node_epoch(n)) : -1);
    report_put(o, "approvals", approvals(component, c->approved_by, c->approvals_needed, true));
    report_put(o, "rejections", rejections(component, c));
    report_put(o, "readiness",
               readiness(charter, c->ready_stake, c->readiness_needed, c->ready_by, names_max));
    era_ledger_each_attested(era_node_ledger(n), c, add_attestation, &by);
    report_put(o, "attestations", by.all);
    if (c->attested_count > names_max)
        report_put(o, "attestations_left_out", report_number(c->attested_count - names_max));
    report_put(o, "rebuild", c->plan ? rebuild(charter, component, c->plan, &c->matches) : json_null());
    if (strcmp(state, "failed") == 0)
        report_put(o, "failed_by", rejections(component, c));
    report_put(o, "my_vote", my_vote(n, c));
    return o;
}

/* ---- adopted ones: what the certificate says ---- */

static json_t *certified_attestations(const struct era_charter *charter, const struct era_plan *plan,
                                      const struct era_carrier *k, struct era_match_tally *matches)
{
    json_t *all = report_array();
    struct era_statement *s = malloc(sizeof *s);
    assert(s);
    for (size_t i = 0; i < k->attestation_count; i++) {
        const struct era_indexed_attestation *a = &k->attestations[i];
        enum era_verdict v = era_statement_decode(ERA_KIND_ATTESTATION, a->payload, s);
        assert(v == ERA_ACCEPTED); /* verified when it was taken in */
        bool matched = era_match_add(matches, plan, &s->u.attestation, a->key);
        report_add(all, attestation(charter, a->key, &s->u.attestation, matched));
    }
    free(s);
    return all;
}

static void put_certified(json_t *o, const struct era_charter *charter, const struct era_component *component,
                          const struct era_adopted *a, const struct era_carrier *k)
{
    uint64_t by = 0, stake = 0;
    struct era_match_tally matches;
    uint8_t *ready = calloc(charter->validator_count / 8 + 1, 1);
    assert(ready);
    for (size_t i = 0; i < k->approval_count; i++)
        by |= (uint64_t)1 << k->approvals[i].key;
    for (size_t i = 0; i < k->readiness_count; i++) {
        ready[k->readiness[i].key / 8] |= (uint8_t)(1u << (k->readiness[i].key % 8));
        stake = era_add_sat(stake, charter->validators[k->readiness[i].key].stake);
    }
    report_put(o, "approvals",
               approvals(component, by, a->urgent ? component->urgent_k : component->k, true));
    report_put(o, "rejections", report_array());
    report_put(o, "readiness",
               readiness(charter, stake, era_readiness_needed(charter, component, a->plan), ready, SIZE_MAX));
    era_match_init(&matches, charter, a->plan);
    report_put(o, "attestations", certified_attestations(charter, a->plan, k, &matches));
    report_put(o, "rebuild", rebuild(charter, component, a->plan, &matches));
    era_match_release(&matches);
    free(ready);
}

const struct era_ledger *era_report_ledger_of(const struct era_node *n, const struct era_hash *proposal)
{
    struct era_envelope e;
    for (const struct era_ledger *l = era_node_ledger(n); l; l = era_ledger_older(l))
        if (era_ledger_proposal_bytes(l, proposal, &e))
            return l;
    return NULL;
}

bool report_is_head(const struct era_node *n, const char *component, const struct era_adopted *a,
                    int *current)
{
    const struct era_charter *c = era_node_charter(n);
    const struct era_component *of = era_charter_component(c, component);
    struct era_view view;
    *current = -1;
    if (!of)
        return false;
    era_node_view(n, (int)(of - c->components), &view);
    if (view.head != a)
        return false;
    *current = view.current;
    return true;
}

json_t *report_adopted(const struct era_node *n, const struct era_ledger *l, int component,
                       const struct era_adopted *a)
{
    const struct era_charter *charter = era_ledger_charter(l);
    const struct era_component *of = &charter->components[component];
    struct era_bytes body;
    struct era_envelope e;
    struct era_carrier k;
    int current;
    json_t *o = report_object();
    report_is_head(n, of->id, a, &current);
    put_slot(o, of->id, a->charter_version, a->seq, &a->proposal);
    report_put(o, "state", report_text("adopted"));
    report_put(o, "author", report_text(author_name(of, &a->author)));
    put_content(n, o, l, &a->proposal, current);
    /* One that the disk does not give is left out: the daemon said so. */
    if (era_ledger_body(l, a->certificate, &body) && era_envelope_decode(body, &e) == ERA_ACCEPTED &&
        era_carrier_decode(e.payload, &k) == ERA_ACCEPTED) {
        put_certified(o, charter, of, a, &k);
        era_carrier_clear(&k);
    }
    report_put(o, "my_vote", json_null());
    return o;
}

bool report_is_void(const struct era_adopted *all, size_t count, size_t i)
{
    return (i > 0 && all[i - 1].seq == all[i].seq) || (i + 1 < count && all[i + 1].seq == all[i].seq);
}
