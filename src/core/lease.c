#include "src/core/lease.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/plan.h"
#include "src/core/succession.h"

#define RUN_BYTES (ERA_HASH_BYTES + 16)

/* ---- one's own ---- */

bool era_leases_last(const struct era_leases *leases, uint64_t *epoch)
{
    if (leases->count == 0)
        return false;
    *epoch = leases->runs[leases->count - 1].last;
    return true;
}

void era_leases_add(struct era_leases *leases, const struct era_hash *entry, uint64_t epoch)
{
    struct era_lease_run *newest = leases->count > 0 ? &leases->runs[leases->count - 1] : NULL;
    assert(!newest || epoch > newest->last);
    if (newest && era_hash_eq(&newest->entry, entry)) {
        newest->last = epoch;
        return;
    }
    if (leases->count == ERA_LEASE_RUNS_MAX)
        memmove(leases->runs, leases->runs + 1, --leases->count * sizeof *leases->runs);
    leases->runs[leases->count++] = (struct era_lease_run){*entry, epoch, epoch};
}

size_t era_leases_encode(const struct era_leases *leases, uint8_t out[ERA_LEASES_BYTES_MAX])
{
    uint8_t *at = out;
    for (size_t i = 0; i < leases->count; i++, at += RUN_BYTES) {
        memcpy(at, leases->runs[i].entry.b, ERA_HASH_BYTES);
        era_put_be64(at + ERA_HASH_BYTES, leases->runs[i].first);
        era_put_be64(at + ERA_HASH_BYTES + 8, leases->runs[i].last);
    }
    return (size_t)(at - out);
}

bool era_leases_decode(struct era_bytes in, struct era_leases *out)
{
    memset(out, 0, sizeof *out);
    if (in.len % RUN_BYTES != 0 || in.len > ERA_LEASES_BYTES_MAX)
        return false;
    for (size_t i = 0; i < in.len / RUN_BYTES; i++) {
        const uint8_t *at = in.data + i * RUN_BYTES;
        struct era_lease_run *run = &out->runs[i];
        memcpy(run->entry.b, at, ERA_HASH_BYTES);
        run->first = era_get_be64(at + ERA_HASH_BYTES);
        run->last = era_get_be64(at + ERA_HASH_BYTES + 8);
        if (run->first > run->last || run->last > ERA_EPOCH_MAX || (i > 0 && run->first <= run[-1].last)) {
            memset(out, 0, sizeof *out);
            return false;
        }
    }
    out->count = in.len / RUN_BYTES;
    return true;
}

/* ---- votes and leases (R4, R16) ---- */

static const struct era_hash *entry_at(const struct era_plan *plan, uint64_t epoch)
{
    int i = era_plan_current(plan, epoch);
    return i < 0 ? NULL : &plan->entries[i].hash;
}

static bool same_entry(const struct era_hash *a, const struct era_hash *b)
{
    return a && b && era_hash_eq(a, b);
}

static bool agrees_at(const struct era_lease_run *run, const struct era_plan *plan,
                      const struct era_plan *head_plan, uint64_t epoch)
{
    const struct era_hash *gives = entry_at(plan, epoch);
    return same_entry(gives, &run->entry) || same_entry(gives, entry_at(head_plan, epoch));
}

/* Between two effective epochs of either plan nothing changes: it is enough to look where one begins. */
static bool run_agrees(const struct era_lease_run *run, const struct era_plan *plan,
                       const struct era_plan *head_plan)
{
    const struct era_plan *both[2] = {plan, head_plan};
    uint64_t begin = plan->entries[0].effective;
    uint64_t first = run->first > begin ? run->first : begin;
    if (first > run->last)
        return true;
    if (!agrees_at(run, plan, head_plan, first))
        return false;
    for (int p = 0; p < 2; p++)
        for (size_t i = 0; i < both[p]->count; i++) {
            const struct era_entry *e = &both[p]->entries[i];
            if (e->has_effective && e->effective > first && e->effective <= run->last &&
                !agrees_at(run, plan, head_plan, e->effective))
                return false;
        }
    return true;
}

bool era_leases_allow(const struct era_leases *leases, const struct era_plan *plan,
                      const struct era_plan *head_plan)
{
    for (size_t i = 0; i < leases->count; i++)
        if (!run_agrees(&leases->runs[i], plan, head_plan))
            return false;
    return true;
}

/* Every unadopted slot above the head in which the key voted gives the same entry. */
static bool votes_agree(const struct era_ledger *l, const struct era_leaser *who, const struct era_key *key,
                        uint64_t epoch, const struct era_hash *entry)
{
    const struct era_slot *const *slots;
    size_t n = era_ledger_slots(l, who->component, &slots);
    for (size_t i = 0; i < n; i++) {
        const struct era_item *said[2];
        size_t ids = era_ledger_spoken(l, ERA_KIND_READINESS, who->component, slots[i]->seq, key, said);
        for (size_t j = 0; j < ids; j++) {
            const struct era_candidate *c = said[j]->candidate;
            /* A plan that is not held may give anything. */
            if (!c || !c->known || !same_entry(entry_at(c->plan, epoch), entry))
                return false;
        }
    }
    return true;
}

/* The same of slots of older charters, its own and those that a close names. */
static bool inherited_agree(const struct era_ledger *l, const struct era_leaser *who,
                            const struct era_key *key, uint64_t epoch, const struct era_hash *entry)
{
    if (!era_ledger_older(l))
        return true;
    struct era_voted *voted = malloc(ERA_INHERITED_MAX * sizeof *voted);
    assert(voted);
    size_t n = era_succession_inherited(l, who->component, key, NULL, voted, ERA_INHERITED_MAX);
    bool agree = n < ERA_INHERITED_MAX;
    for (size_t i = 0; i < n && agree; i++)
        agree = voted[i].plan && same_entry(entry_at(voted[i].plan, epoch), entry);
    free(voted);
    return agree;
}

/* Announcements for epochs >= e - 1, the one being made included: a clock that jumped binds nobody for ever.
 */
static bool quorum_announced(const struct era_ledger *l, int validator, uint64_t epoch)
{
    const struct era_charter *c = era_ledger_charter(l);
    uint64_t least = epoch > 0 ? epoch - 1 : 0;
    uint64_t stake = era_ledger_fresh_stake(l, least);
    if (!era_ledger_fresh(l, validator, least))
        stake += c->validators[validator].stake;
    return stake >= era_charter_quorum(c);
}

enum era_lease_answer era_lease_judge(const struct era_ledger *l, const struct era_leaser *who,
                                      uint64_t epoch, struct era_hash *entry)
{
    struct era_view view;
    uint64_t last;
    if (who->stopped)
        return ERA_LEASE_STOPPED;
    era_view_at(l, who->initial, who->component, epoch, &view);
    const struct era_entry *e = era_view_entry(&view);
    if (!e)
        return ERA_LEASE_NO_ENTRY;
    if (era_leases_last(who->leases, &last) && epoch <= last)
        return ERA_LEASE_OVER;
    const struct era_ledger *announced = who->announced ? who->announced : l;
    const struct era_key *key = &era_ledger_charter(announced)->validators[who->validator].key;
    if (era_succession_bars_lease(announced, key, epoch))
        return ERA_LEASE_OVER;
    if (!quorum_announced(announced, who->validator, epoch))
        return ERA_LEASE_NO_QUORUM;
    if (!votes_agree(l, who, key, epoch, &e->hash) || !inherited_agree(l, who, key, epoch, &e->hash))
        return ERA_LEASE_VOTED;
    *entry = e->hash;
    return ERA_LEASE_MAY;
}

/* ---- everybody's (N7) ---- */

static bool leases(const struct era_ledger *l, const struct era_item *item, const struct era_hash *entry,
                   struct era_statement *scratch)
{
    if (!era_ledger_statement(l, item, scratch))
        return false;
    const struct era_announcement *a = &scratch->u.announcement;
    return a->lease && a->has_entry && a->charter_version == era_ledger_charter(l)->version &&
           era_hash_eq(&a->entry, entry);
}

uint64_t era_lease_stake(const struct era_ledger *l, uint64_t epoch, const struct era_hash *entry)
{
    const struct era_charter *c = era_ledger_charter(l);
    struct era_statement *scratch = malloc(sizeof *scratch);
    uint64_t stake = 0;
    assert(scratch);
    for (size_t v = 0; v < c->validator_count; v++) {
        const struct era_item *said[ERA_SAID_MAX];
        size_t n = era_ledger_announced(l, (int)v, epoch, said);
        bool some = false;
        for (size_t i = 0; i < n && !some; i++) /* a second of one epoch counts too, its key only once (R8) */
            some = leases(l, said[i], entry, scratch);
        stake += some ? c->validators[v].stake : 0;
    }
    free(scratch);
    return stake;
}
