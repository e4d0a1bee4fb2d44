/* Disks: store_mem behind a queue, as the daemon's writer keeps it: results in order of submission; after a
 * commit that failed, what was or is submitted before the node hears of it is cancelled. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/erasim/parts.h"
#include "store/record.h"
#include "store/store_mem.h"

#define STORED_MS 1 /* from the disk to the node */

static struct commit *commit_copy(const struct era_effect *e)
{
    size_t bytes = 0;
    for (size_t i = 0; i < e->count; i++)
        bytes += e->puts[i].key.len + e->puts[i].value.len + 1;
    struct commit *c = sim_alloc(sizeof *c + e->count * sizeof *c->puts + bytes);
    c->token = e->token;
    c->count = e->count;
    c->puts = (struct era_store_put *)(c + 1);
    uint8_t *at = (uint8_t *)(c->puts + e->count);
    for (size_t i = 0; i < e->count; i++) {
        struct era_bytes key = e->puts[i].key, value = e->puts[i].value;
        memcpy(at, key.data, key.len);
        c->puts[i].key = (struct era_bytes){at, key.len};
        at += key.len;
        if (value.data) {
            if (value.len > 0)
                memcpy(at, value.data, value.len);
            c->puts[i].value = (struct era_bytes){at, value.len};
            at += value.len + 1;
        }
    }
    return c;
}

static void schedule(struct sim *s, struct sim_node *n, enum happening_kind kind, uint64_t after_ms,
                     uint64_t token, int error)
{
    struct happening *h = sim_happening(s, kind, n->number, 0, (struct era_bytes){0});
    h->number = token;
    h->error = error;
    sim_schedule(s, s->now_ms + after_ms, h);
}

void sim_disk_submit(struct sim *s, struct sim_node *n, const struct era_effect *e)
{
    struct part *p = sim_part(s, n);
    struct commit *c = commit_copy(e);
    *p->commits_end = c;
    p->commits_end = &c->next;
    if (n->disk.delay_ms > 0)
        sim_strike(s, SIM_FAULT_SLOW_DISK, n, "a commit takes %llu ms more",
                   (unsigned long long)n->disk.delay_ms);
    schedule(s, n, HAPPEN_COMMIT, SIM_DISK_DELAY_MS + n->disk.delay_ms, 0, 0);
}

static struct commit *take(struct part *p)
{
    struct commit *c = p->commits;
    p->commits = c->next;
    if (!p->commits)
        p->commits_end = &p->commits;
    return c;
}

void sim_disk_commit(struct sim *s, struct sim_node *n)
{
    struct part *p = sim_part(s, n);
    if (n->disk.held || !p->commits)
        return;
    struct commit *c = take(p);
    int rc = p->cancelling ? -ECANCELED : era_store_commit(n->disk.store, c->puts, c->count);
    schedule(s, n, HAPPEN_STORED, STORED_MS, c->token, rc);
    if (rc == 0) {
        if (n->trust == SIM_HONEST)
            SIM_WATCHED(s, stored, s, n, c->puts, c->count);
    } else if (!p->cancelling) {
        assert(rc != -EINVAL); /* a batch beyond the bounds of store.h: the node's bug */
        p->cancelling = true;
        sim_strike(s, rc == -ENOSPC ? SIM_FAULT_DISK_FULL : SIM_FAULT_DISK_ERROR, n,
                   "a commit of %zu records", c->count);
    }
    free(c);
    while (p->cancelling && p->commits) { /* what builds on a lost batch is never stored without it */
        c = take(p);
        schedule(s, n, HAPPEN_STORED, STORED_MS, c->token, -ECANCELED);
        free(c);
    }
}

void sim_disk_told(struct sim *s, struct sim_node *n, int error)
{
    if (error != 0)
        sim_part(s, n)->cancelling = false;
}

void sim_disk_drop(struct sim *s, struct sim_node *n)
{
    struct part *p = sim_part(s, n);
    while (p->commits)
        free(take(p));
    p->cancelling = false;
}

void sim_disk_hold(struct sim *s, struct sim_node *n, bool held)
{
    bool before = n->disk.held;
    n->disk.held = held;
    if (before && !held)
        for (const struct commit *c = sim_part(s, n)->commits; c; c = c->next)
            schedule(s, n, HAPPEN_COMMIT, SIM_DISK_DELAY_MS, 0, 0);
}

void sim_disk_slow(struct sim *s, struct sim_node *n, uint64_t delay_ms)
{
    (void)s;
    n->disk.delay_ms = delay_ms;
}

void sim_disk_fail(struct sim *s, struct sim_node *n, uint64_t nth, int error)
{
    era_store_mem_fail_from(n->disk.store, nth, error);
    if (error == 0)
        sim_tell(s, n, "disk mended");
}

/* ---- damage ---- */

struct choice {
    uint64_t left;
    struct era_bytes key; /* of the record; its bytes are the store's */
};

static int choose(void *ctx, struct era_bytes key, struct era_bytes value)
{
    struct choice *c = ctx;
    (void)value;
    c->key = key;
    return c->left-- == 0;
}

static int count_one(void *ctx, struct era_bytes key, struct era_bytes value)
{
    (void)key, (void)value;
    ++*(uint64_t *)ctx;
    return 0;
}

bool sim_disk_flip(struct sim *s, struct sim_node *n)
{
    uint64_t records = 0;
    assert(!n->node);
    if (era_store_walk(n->disk.store, (struct era_bytes){0}, count_one, &records) != 0 || records == 0)
        return false; /* damaged already, or empty */
    struct choice c = {.left = era_prng_below(&s->parts->disk, records)};
    era_store_walk(n->disk.store, (struct era_bytes){0}, choose, &c);
    bool flipped = era_store_mem_flip_bit(n->disk.store, c.key, era_prng_next(&s->parts->disk));
    if (flipped)
        sim_strike(s, SIM_FAULT_BIT_FLIP, n, "in one of %llu records", (unsigned long long)records);
    return flipped;
}

/* ---- backups ---- */

void sim_disk_backup(struct sim *s, struct sim_node *n)
{
    era_store_close(n->disk.backup);
    n->disk.backup = era_store_mem_crash(n->disk.store);
    if (!n->disk.backup)
        abort();
    sim_tell(s, n, "backup taken");
}

void sim_disk_restore_backup(struct sim *s, struct sim_node *n)
{
    assert(!n->node && n->disk.backup);
    struct era_store *copy = era_store_mem_crash(n->disk.backup);
    if (!copy)
        abort();
    era_store_close(n->disk.store);
    n->disk.store = copy;
    n->trust = SIM_FAULTY;
    if (n->key)
        n->key->trust = SIM_FAULTY;
    sim_strike(s, SIM_FAULT_BACKUP, n, "an old disk is back");
}

/* ---- start ---- */

static int restore_one(void *ctx, struct era_bytes key, struct era_bytes value)
{
    era_node_restore(ctx, key, value);
    return 0;
}

void sim_disk_restore(struct sim *s, struct sim_node *n)
{
    static const enum era_record_kind order[] = {ERA_RECORD_CARRIER, ERA_RECORD_STATEMENT, ERA_RECORD_REBUILD,
                                                 ERA_RECORD_META};
    uint64_t records = 0;
    int rc = era_store_walk(n->disk.store, (struct era_bytes){0}, count_one, &records);
    if (rc != 0) {
        assert(rc == -EBADMSG);
        era_store_close(n->disk.store);
        n->disk.store = era_store_mem_new();
        if (!n->disk.store)
            abort();
        sim_tell(s, n, "store damaged, set aside; what is lost comes back from peers");
    }
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        struct era_store_key prefix = era_record_prefix(order[i]);
        rc = era_store_walk(n->disk.store, era_store_key_bytes(&prefix), restore_one, n->node);
        assert(rc == 0);
    }
}
