/* What a burst made large becomes small again: items that nobody speaks of any more, what links know of them,
 * and the trees of origins that have long been silent, but for those that every node keeps alike. */
#include "p2p/broadcast_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define REST_CHECK_MS 5000

/* More marks than the items that are remembered can have: of items that are forgotten. */
static bool marks_are_many(const struct era_broadcast *b, const struct era_marks *marks)
{
    return marks->row_count > b->recent_cap;
}

static bool is_large(const struct era_broadcast *b)
{
    bool large = b->recent_cap > ERA_RECENTS_KEPT || b->origin_count > ERA_ORIGINS_KEPT + 1;
    for (const struct era_branch *branch = b->branches; branch != NULL; branch = branch->next)
        large = large || marks_are_many(b, &branch->marks);
    return large;
}

void era_broadcast_rest_later(struct era_broadcast *b, uint64_t now_ms)
{
    if (b->rest_ms == 0 && is_large(b))
        b->rest_ms = era_add_sat(now_ms, ERA_RECENT_MS);
}

static size_t branch_bytes(const struct era_branch *branch)
{
    size_t mails = branch->announcements[0].cap + branch->announcements[1].cap + branch->orders.cap;
    return sizeof *branch + branch->eager_bytes + branch->marks.row_count * sizeof *branch->marks.rows +
           mails * sizeof *branch->orders.ring;
}

size_t era_broadcast_bytes(const struct era_broadcast *b)
{
    size_t sum = sizeof *b + b->awaited_count * sizeof *b->awaited_first +
                 b->recent_cap * (sizeof *b->recents + sizeof *b->recent_heads) +
                 b->origin_cap * (sizeof *b->origins + sizeof *b->origin_heads) +
                 b->refused.row_count * sizeof *b->refused.rows;
    for (const struct era_branch *branch = b->branches; branch != NULL; branch = branch->next)
        sum += branch_bytes(branch);
    return sum;
}

/* ---- items, and what links know of them ---- */

static bool recents_shrink(struct era_broadcast *b, uint64_t now_ms)
{
    size_t young = 0, cap = ERA_RECENTS_KEPT;
    while (young < b->recent_cap &&
           era_recent_is_young(&b->recents[(b->last_number - young) & (b->recent_cap - 1)], now_ms))
        young++;
    while (cap < young)
        cap *= 2;
    if (cap >= b->recent_cap)
        return false;
    era_recents_resize(b, cap);
    return true;
}

static void marks_shrink(const struct era_broadcast *b, struct era_marks *marks, uint64_t now_ms)
{
    struct era_marks old = *marks;
    *marks = (struct era_marks){0};
    for (size_t r = 0; r < old.row_count; r++)
        for (size_t i = ERA_MARK_WAYS; i-- > 0;) { /* the oldest first */
            const struct era_mark *mark = &old.rows[r][i];
            const struct era_recent *item = era_recent_at(b, mark->number);
            if (mark->short_id != 0 && item != NULL && era_recent_is_young(item, now_ms))
                era_marks_put(marks, mark->short_id, mark->number, mark->flags);
        }
    free(old.rows);
}

/* ---- origins ---- */

struct ranked {
    const struct era_broadcast *b;
    uint64_t now_ms;
    uint32_t number;
};

static int best_first(const void *a, const void *than)
{
    const struct ranked *x = a, *y = than;
    const struct era_origin *one = &x->b->origins[x->number], *other = &y->b->origins[y->number];
    if (era_origin_is_better(one, other, x->now_ms))
        return -1;
    return era_origin_is_better(other, one, x->now_ms) ? 1 : 0;
}

/* to: the new number of each origin, 0 when it is forgotten. Returns how many there are then, number 0 among
 * them. Which are kept though they are silent does not depend on the order in which a node heard them. */
static size_t renumber(const struct era_broadcast *b, uint64_t now_ms, uint32_t *to)
{
    size_t count = 1;
    struct ranked *order = malloc(b->origin_count * sizeof *order);
    assert(order != NULL);
    for (uint32_t n = 1; n < b->origin_count; n++)
        order[n - 1] = (struct ranked){b, now_ms, n};
    qsort(order, b->origin_count - 1, sizeof *order, best_first);
    for (uint32_t i = 0; i + 1 < b->origin_count; i++) {
        const struct era_origin *o = &b->origins[order[i].number];
        bool silent = o->pushed_ms == 0 || now_ms - o->pushed_ms >= ERA_ORIGIN_MS;
        to[order[i].number] = i + 1 < ERA_ORIGINS_KEPT || !silent;
    }
    for (uint32_t n = 1; n < b->origin_count; n++)
        if (to[n] != 0)
            to[n] = (uint32_t)count++;
    free(order);
    return count;
}

static void eager_renumber(struct era_branch *branch, const uint32_t *to, size_t origin_count)
{
    struct era_branch was = *branch;
    branch->eager = NULL;
    branch->eager_bytes = 0;
    for (uint32_t n = 1; n < origin_count; n++)
        if (to[n] != 0 && era_eager_get(&was, n))
            era_eager_set(branch, to[n], true);
    free(was.eager);
}

static void items_renumber(struct era_broadcast *b, const uint32_t *to)
{
    for (size_t i = 0; i < b->recent_cap; i++) {
        struct era_recent *r = &b->recents[i];
        r->origin = era_origin_of_item(b, r) == NULL ? 0 : to[r->origin];
        r->origin_tag = r->origin == 0 ? 0 : r->origin_tag;
    }
}

static void origins_shrink(struct era_broadcast *b, uint64_t now_ms)
{
    size_t cap = ERA_ORIGINS_LEAST;
    uint32_t *to = calloc(b->origin_count, sizeof *to);
    assert(to != NULL);
    size_t count = renumber(b, now_ms, to);
    while (cap < count)
        cap *= 2;
    if (cap < b->origin_cap) {
        items_renumber(b, to);
        for (struct era_branch *branch = b->branches; branch != NULL; branch = branch->next)
            eager_renumber(branch, to, b->origin_count);
        for (uint32_t n = 1; n < b->origin_count; n++)
            if (to[n] != 0)
                b->origins[to[n]] = b->origins[n]; /* never to a higher number */
        b->origin_count = count;
        era_origins_resize(b, cap);
    }
    free(to);
}

void era_broadcast_rest(struct era_broadcast *b, uint64_t now_ms)
{
    bool shrunk = recents_shrink(b, now_ms);
    for (struct era_branch *branch = b->branches; branch != NULL; branch = branch->next)
        if (shrunk || marks_are_many(b, &branch->marks))
            marks_shrink(b, &branch->marks, now_ms);
    if (b->origin_count > ERA_ORIGINS_KEPT + 1)
        origins_shrink(b, now_ms);
    b->rest_ms = is_large(b) ? era_add_sat(now_ms, REST_CHECK_MS) : 0;
}
