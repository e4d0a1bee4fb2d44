#include "src/core/adoption.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/view.h"

static uint64_t least_fresh(uint64_t epoch)
{
    return epoch > 0 ? epoch - 1 : 0;
}

/* The validator's newest announcement if it is fresh. */
static bool fresh(const struct era_ledger *l, size_t validator, uint64_t epoch, struct era_announcement *out)
{
    const struct era_item *item = era_ledger_announcement(l, (int)validator, era_add_sat(epoch, 1), NULL);
    if (!item || item->seq < least_fresh(epoch))
        return false;
    era_ledger_announcement(l, (int)validator, era_add_sat(epoch, 1), out);
    return true;
}

static void add_version(struct era_adoption *a, const char *version, uint64_t stake)
{
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->software[i].version, version) == 0) {
            a->software[i].stake += stake;
            return;
        }
    if (a->count == ERA_ADOPTION_VERSIONS_MAX) {
        a->other_stake += stake;
        return;
    }
    struct era_adoption_version *v = &a->software[a->count++];
    era_text_set(v->version, sizeof v->version, version);
    v->stake = stake;
}

static int by_stake(const void *a, const void *b)
{
    const struct era_adoption_version *x = a, *y = b;
    if (x->stake != y->stake)
        return x->stake > y->stake ? -1 : 1;
    return strcmp(x->version, y->version);
}

enum era_view_word era_view_word(const struct era_announcement *a, const struct era_hash *view_digest,
                                 uint64_t view_since)
{
    if (era_hash_eq(&a->view_digest, view_digest))
        return ERA_VIEW_SAME;
    return a->epoch > view_since ? ERA_VIEW_OTHER : ERA_VIEW_UNSAID;
}

void era_adoption_measure(const struct era_ledger *l, uint64_t epoch, const struct era_hash *view_digest,
                          uint64_t view_since, struct era_adoption *out)
{
    const struct era_charter *c = era_ledger_charter(l);
    struct era_announcement *a = malloc(sizeof *a);
    assert(a);
    memset(out, 0, sizeof *out);
    out->stake_sum = era_charter_stake_sum(c);
    out->quorum = era_charter_quorum(c);
    for (size_t v = 0; v < c->validator_count; v++) {
        uint64_t stake = c->validators[v].stake;
        if (!fresh(l, v, epoch, a))
            continue;
        out->fresh_stake += stake;
        out->blocked_stake += a->blocked ? stake : 0;
        out->staged_stake += a->staged ? stake : 0;
        enum era_view_word word = era_view_word(a, view_digest, view_since);
        out->same_view_stake += word == ERA_VIEW_SAME ? stake : 0;
        out->other_view_stake += word == ERA_VIEW_OTHER ? stake : 0;
        add_version(out, a->versions.v[ERA_VERSION_SOFTWARE], stake);
    }
    qsort(out->software, out->count, sizeof out->software[0], by_stake);
    free(a);
}

uint64_t era_adoption_supporting(const struct era_ledger *l, uint64_t epoch, const struct era_record *r)
{
    const struct era_charter *c = era_ledger_charter(l);
    struct era_announcement *a = malloc(sizeof *a);
    assert(a);
    uint64_t stake = 0;
    for (size_t v = 0; v < c->validator_count; v++)
        if (fresh(l, v, epoch, a) && era_record_supported(r, &a->versions, NULL))
            stake += c->validators[v].stake;
    free(a);
    return stake;
}
