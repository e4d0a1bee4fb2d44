#include "src/core/requirement.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/fraction.h"
#include "src/core/charter.h"
#include "src/core/plan.h"

uint32_t era_approvals_needed(const struct era_component *component, const struct era_proposal *p)
{
    return p->urgent ? component->urgent_k : component->k;
}

uint64_t era_readiness_needed(const struct era_charter *c, const struct era_component *component,
                              const struct era_plan *plan)
{
    if (c->authority_only)
        return 0;
    uint64_t needed = era_charter_quorum(c);
    if (era_plan_asks_enough(plan)) {
        uint64_t enough = era_fraction_ceil(component->enough.numerator, component->enough.denominator,
                                            era_charter_stake_sum(c));
        if (enough > needed)
            needed = enough;
    }
    return needed;
}

uint64_t era_rebuild_needed(const struct era_charter *c, const struct era_component *component,
                            const struct era_plan *plan)
{
    if (c->authority_only || !era_plan_asks_enough(plan))
        return 0;
    return era_fraction_ceil(component->rebuild_quorum.numerator, component->rebuild_quorum.denominator,
                             era_charter_stake_sum(c));
}

bool era_approval_failed(uint32_t needed, size_t signers, size_t rejected_only)
{
    return signers - rejected_only < needed;
}

void era_match_init(struct era_match_tally *t, const struct era_charter *c, const struct era_plan *plan)
{
    memset(t, 0, sizeof *t);
    t->charter = c;
    size_t count = 0;
    for (size_t e = 0; e < plan->count; e++)
        if (era_entry_asks_enough(&plan->entries[e]))
            count += plan->entries[e].record.artefact_count;
    if (count == 0)
        return;
    t->matches = calloc(count, sizeof *t->matches);
    assert(t->matches);
    for (size_t e = 0; e < plan->count; e++) {
        if (!era_entry_asks_enough(&plan->entries[e]))
            continue;
        for (size_t a = 0; a < plan->entries[e].record.artefact_count; a++) {
            struct era_match *m = &t->matches[t->count++];
            m->entry = e;
            m->artefact = a;
            m->counted = calloc(c->validator_count / 8 + 1, 1);
            assert(m->counted);
        }
    }
}

void era_match_release(struct era_match_tally *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->count; i++)
        free(t->matches[i].counted);
    free(t->matches);
    t->matches = NULL;
    t->count = 0;
}

static bool fits(const struct era_match *m, const struct era_plan *plan, const struct era_attestation *a)
{
    const struct era_artefact *want = &plan->entries[m->entry].record.artefacts[m->artefact];
    return strcmp(want->name, a->artefact) == 0 && strcmp(want->digest, a->digest) == 0;
}

int era_match_first(const struct era_match_tally *t, const struct era_plan *plan,
                    const struct era_attestation *a)
{
    for (size_t i = 0; i < t->count; i++)
        if (fits(&t->matches[i], plan, a))
            return (int)i;
    return -1;
}

void era_match_drop(struct era_match_tally *t, size_t validator)
{
    uint8_t bit = (uint8_t)(1u << (validator % 8));
    for (size_t i = 0; i < t->count; i++) {
        struct era_match *m = &t->matches[i];
        if (!(m->counted[validator / 8] & bit))
            continue;
        m->counted[validator / 8] &= (uint8_t)~bit;
        m->stake -= t->charter->validators[validator].stake;
    }
}

bool era_match_add(struct era_match_tally *t, const struct era_plan *plan, const struct era_attestation *a,
                   size_t validator)
{
    bool matched = false;
    for (size_t i = 0; i < t->count; i++) {
        struct era_match *m = &t->matches[i];
        if (!fits(m, plan, a))
            continue;
        matched = true;
        uint8_t bit = (uint8_t)(1u << (validator % 8));
        if (!(m->counted[validator / 8] & bit)) {
            m->counted[validator / 8] |= bit;
            m->stake += t->charter->validators[validator].stake;
        }
    }
    return matched;
}

uint64_t era_match_least(const struct era_match_tally *t)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < t->count; i++)
        if (t->matches[i].stake < least)
            least = t->matches[i].stake;
    return least;
}

bool era_match_enough(const struct era_match_tally *t, const struct era_component *component)
{
    if (t->count == 0 || t->charter->authority_only)
        return true;
    uint64_t needed =
        era_fraction_ceil(component->rebuild_quorum.numerator, component->rebuild_quorum.denominator,
                          era_charter_stake_sum(t->charter));
    return needed == 0 || era_match_least(t) >= needed;
}
