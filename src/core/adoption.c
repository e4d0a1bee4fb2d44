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

static enum era_view_word view_word(const struct era_hash *said, uint64_t epoch,
                                    const struct era_hash *view_digest, uint64_t view_since)
{
    if (era_hash_eq(said, view_digest))
        return ERA_VIEW_SAME;
    return epoch > view_since ? ERA_VIEW_OTHER : ERA_VIEW_UNSAID;
}

enum era_view_word era_view_word(const struct era_announcement *a, const struct era_hash *view_digest,
                                 uint64_t view_since)
{
    return view_word(&a->view_digest, a->epoch, view_digest, view_since);
}

/* ---- what is known already ---- */

void era_adoption_forget(struct era_adoption_memo *memo)
{
    free(memo->words);
    *memo = (struct era_adoption_memo){0};
}

static void begin(struct era_adoption_memo *memo, const struct era_ledger *l)
{
    size_t count = era_ledger_charter(l)->validator_count;
    if (memo->ledger == l && memo->word_count == count)
        return;
    era_adoption_forget(memo);
    memo->ledger = l;
    memo->word_count = count;
    memo->words = calloc(count + 1, sizeof *memo->words);
    assert(memo->words);
}

/* Its number among those seen; ERA_ADOPTION_VERSIONS_MAX: there is no room for another. */
static size_t number_of_version(struct era_adoption_memo *memo, const char *version)
{
    size_t i = 0;
    while (i < memo->version_count && strcmp(memo->versions[i], version) != 0)
        i++;
    if (i == memo->version_count && i < ERA_ADOPTION_VERSIONS_MAX)
        era_text_set(memo->versions[memo->version_count++], sizeof memo->versions[0], version);
    return i;
}

static size_t number_of_view(struct era_adoption_memo *memo, const struct era_hash *view)
{
    size_t i = 0;
    while (i < memo->view_count && !era_hash_eq(&memo->views[i], view))
        i++;
    if (i == memo->view_count && i < ERA_ADOPTION_VERSIONS_MAX)
        memo->views[memo->view_count++] = *view;
    return i;
}

static void remember(struct era_adoption_memo *memo, size_t validator, uint64_t item,
                     const struct era_announcement *a)
{
    size_t version = number_of_version(memo, a->versions.v[ERA_VERSION_SOFTWARE]);
    size_t view = number_of_view(memo, &a->view_digest);
    memo->words[validator] = (struct era_adoption_word){.item = item,
                                                        .version = (uint8_t)version,
                                                        .view = (uint8_t)view,
                                                        .known = version < ERA_ADOPTION_VERSIONS_MAX &&
                                                                 view < ERA_ADOPTION_VERSIONS_MAX,
                                                        .blocked = a->blocked,
                                                        .staged = a->staged};
}

/* ---- counting ---- */

struct count {
    struct era_adoption_memo *memo;
    const struct era_hash *view_digest;
    uint64_t view_since;
    struct era_announcement read; /* what the memo does not know */
    struct era_adoption *out;
};

static void add(struct count *k, const struct era_hash *view, uint64_t epoch, bool blocked, bool staged,
                const char *version, uint64_t stake)
{
    struct era_adoption *out = k->out;
    enum era_view_word word = view_word(view, epoch, k->view_digest, k->view_since);
    out->blocked_stake += blocked ? stake : 0;
    out->staged_stake += staged ? stake : 0;
    out->same_view_stake += word == ERA_VIEW_SAME ? stake : 0;
    out->other_view_stake += word == ERA_VIEW_OTHER ? stake : 0;
    add_version(out, version, stake);
}

static void add_validator(struct count *k, const struct era_ledger *l, size_t v, uint64_t epoch)
{
    uint64_t last = era_add_sat(epoch, 1), id, stake = era_ledger_charter(l)->validators[v].stake;
    const struct era_item *item = era_ledger_announcement(l, (int)v, last, NULL);
    const struct era_adoption_word *w = &k->memo->words[v];
    if (!item || item->seq < least_fresh(epoch))
        return;
    k->out->fresh_stake += stake; /* whether or not it can be read */
    memcpy(&id, item->item.b, sizeof id);
    if (w->known && w->item == id) {
        add(k, &k->memo->views[w->view], item->seq, w->blocked, w->staged, k->memo->versions[w->version],
            stake);
        return;
    }
    struct era_announcement *a = &k->read;
    if (!era_ledger_announcement(l, (int)v, last, a))
        return;
    remember(k->memo, v, id, a);
    add(k, &a->view_digest, a->epoch, a->blocked, a->staged, a->versions.v[ERA_VERSION_SOFTWARE], stake);
}

void era_adoption_measure(const struct era_ledger *l, uint64_t epoch, const struct era_hash *view_digest,
                          uint64_t view_since, struct era_adoption_memo *memo, struct era_adoption *out)
{
    const struct era_charter *c = era_ledger_charter(l);
    struct count *k = malloc(sizeof *k);
    assert(k);
    k->memo = memo;
    k->view_digest = view_digest;
    k->view_since = view_since;
    k->out = out;
    memset(out, 0, sizeof *out);
    out->stake_sum = era_charter_stake_sum(c);
    out->quorum = era_charter_quorum(c);
    begin(memo, l);
    for (size_t v = 0; v < c->validator_count; v++)
        add_validator(k, l, v, epoch);
    qsort(out->software, out->count, sizeof out->software[0], by_stake);
    free(k);
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
