/* lease: which epochs this key leased, when an announcement may be a lease
 * (R16), and whose leases an epoch has (N7). Pure, over the ledger.
 *
 * A lease of epoch e says: in e I stand by this `network` entry and no other.
 * What keeps it true: a vote never contradicts a lease (R4), and nothing is
 * leased that a vote contradicts.
 *
 * Invariants: runs ascend and do not overlap; a key never leases an epoch at or
 * below one it leased before, so the last run ends with the highest. */
#ifndef ERA_CORE_LEASE_H
#define ERA_CORE_LEASE_H

#include "src/core/view.h"

/* Epochs leased for one entry. An epoch missed in between counts as leased: a promise too much. */
struct era_lease_run {
    struct era_hash entry;
    uint64_t first, last;
};

/* This key's own leases. Of more runs than fit the oldest is forgotten: it lies in the past, where every
 * plan that a vote may be for agrees with the head. */
struct era_leases {
    size_t count;
    struct era_lease_run runs[ERA_LEASE_RUNS_MAX];
};

#define ERA_LEASES_BYTES_MAX (ERA_LEASE_RUNS_MAX * (ERA_HASH_BYTES + 16))

/* epoch: above era_leases_last, asserted. */
void era_leases_add(struct era_leases *leases, const struct era_hash *entry, uint64_t epoch);
/* The highest leased epoch; false when there is none. */
bool era_leases_last(const struct era_leases *leases, uint64_t *epoch);
/* The record of the store; returns its length. */
size_t era_leases_encode(const struct era_leases *leases, uint8_t out[ERA_LEASES_BYTES_MAX]);
/* False when that is no such record; *out is then empty. */
bool era_leases_decode(struct era_bytes in, struct era_leases *out);

/* R4: at every epoch leased, from the plan's first entry on, the plan gives the entry leased or the one that
 * the head's plan gives. */
bool era_leases_allow(const struct era_leases *leases, const struct era_plan *plan,
                      const struct era_plan *head_plan);

enum era_lease_answer {
    ERA_LEASE_MAY,
    ERA_LEASE_STOPPED,  /* blocked, mismatch, doubt of the clock */
    ERA_LEASE_NO_ENTRY, /* none in force at the epoch, or forked */
    ERA_LEASE_OVER,     /* this key leased that epoch or a later one, or closed its charter before it (R10) */
    ERA_LEASE_NO_QUORUM, /* too few announce; may come */
    ERA_LEASE_VOTED      /* a vote above the head gives another entry then; its adoption may come */
};

struct era_leaser {
    int validator; /* whose announcement it would be: index in the charter of `announced` */
    const struct era_ledger *announced; /* of the charter that counts at the epoch; NULL: the newest, too */
    int component;                      /* the one called `network` */
    const struct era_plan *initial;     /* its plan before any adoption */
    const struct era_leases *leases;
    bool stopped; /* this node may lease nothing now */
};

/* R16: may an announcement for this epoch be a lease? On ERA_LEASE_MAY *entry is what it leases. */
enum era_lease_answer era_lease_judge(const struct era_ledger *l, const struct era_leaser *who,
                                      uint64_t epoch, struct era_hash *entry);

/* N7: stake of the validators with a durable lease of this epoch, charter version and entry. */
uint64_t era_lease_stake(const struct era_ledger *l, uint64_t epoch, const struct era_hash *entry);

#endif
