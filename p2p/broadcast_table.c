#include "p2p/broadcast_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define STALE_MS   3600000 /* an origin so long unheard of is forgotten rather */
#define FORMING_MS 2000    /* the first tree is not yet one: until then every origin goes everywhere */

uint64_t era_short_id(const struct era_siphash_key *salt, const struct era_hash *id)
{
    uint64_t short_id = era_siphash(salt, id->b, sizeof id->b);
    return short_id == 0 ? 1 : short_id;
}

/* ---- items that went by ---- */

/* Peers choose these numbers, and know the salt: where they stand in a table is our secret. */
static uint64_t place_of(const struct era_broadcast *b, uint64_t short_id)
{
    return era_siphash(&b->origin_key, &short_id, sizeof short_id);
}

static uint32_t *recent_head(const struct era_broadcast *b, uint64_t short_id)
{
    return &b->recent_heads[place_of(b, short_id) & (b->recent_cap - 1)];
}

static void recent_link(struct era_broadcast *b, struct era_recent *r)
{
    uint32_t *head = recent_head(b, r->short_id);
    r->next = *head;
    *head = r->number;
}

static void recent_unlink(struct era_broadcast *b, const struct era_recent *r)
{
    uint32_t *at = recent_head(b, r->short_id);
    while (*at != r->number)
        at = &b->recents[*at & (b->recent_cap - 1)].next;
    *at = r->next;
}

void era_recents_resize(struct era_broadcast *b, size_t cap)
{
    struct era_recent *old = b->recents, *ring = calloc(cap, sizeof *ring);
    size_t old_cap = b->recent_cap;
    free(b->recent_heads);
    b->recent_heads = calloc(cap, sizeof *b->recent_heads);
    assert(ring != NULL && b->recent_heads != NULL);
    b->recents = ring;
    b->recent_cap = cap;
    for (size_t i = 0; i < old_cap; i++)
        if (old[i].number != 0 && b->last_number - old[i].number < cap) { /* the newest */
            struct era_recent *r = &ring[old[i].number & (cap - 1)];
            *r = old[i];
            recent_link(b, r);
        }
    free(old);
}

bool era_recent_is_young(const struct era_recent *r, uint64_t now_ms)
{
    return r->number != 0 && now_ms - r->published_ms < ERA_RECENT_MS;
}

struct era_recent *era_recent_at(const struct era_broadcast *b, uint32_t number)
{
    if (number == 0 || b->recent_cap == 0)
        return NULL;
    struct era_recent *r = &b->recents[number & (b->recent_cap - 1)];
    return r->number == number ? r : NULL;
}

struct era_recent *era_recent_find(const struct era_broadcast *b, uint64_t short_id)
{
    if (b->recent_cap == 0)
        return NULL;
    uint32_t number = *recent_head(b, short_id);
    while (number != 0) {
        struct era_recent *r = &b->recents[number & (b->recent_cap - 1)];
        if (r->short_id == short_id)
            return r;
        number = r->next;
    }
    return NULL;
}

size_t era_broadcast_longest_chain(const struct era_broadcast *b)
{
    size_t longest = 0;
    for (size_t i = 0; i < b->recent_cap; i++) {
        size_t len = 0;
        for (uint32_t n = b->recent_heads[i]; n != 0; n = b->recents[n & (b->recent_cap - 1)].next)
            len++;
        longest = len > longest ? len : longest;
    }
    return longest;
}

struct era_recent *era_recent_add(struct era_broadcast *b, uint64_t now_ms, const struct era_hash *id,
                                  uint64_t short_id)
{
    if (++b->last_number == 0)
        b->last_number = 1;
    if (b->recent_cap == 0)
        era_recents_resize(b, ERA_RECENTS_KEPT);
    else if (era_recent_is_young(&b->recents[b->last_number & (b->recent_cap - 1)], now_ms) &&
             b->recent_cap < ERA_RECENT_ITEMS_MAX)
        era_recents_resize(b, 2 * b->recent_cap);
    struct era_recent *r = &b->recents[b->last_number & (b->recent_cap - 1)];
    if (r->number != 0)
        recent_unlink(b, r);
    *r = (struct era_recent){.id = *id, .short_id = short_id, .number = b->last_number};
    recent_link(b, r);
    return r;
}

/* ---- refused: apart, for who sends what is refused shall push nothing out of what is ours ---- */

void era_refused_add(struct era_broadcast *b, uint64_t short_id)
{
    era_marks_put(&b->refused, place_of(b, short_id), 0, 0);
}

bool era_refused_has(const struct era_broadcast *b, uint64_t short_id)
{
    return era_marks_find(&b->refused, place_of(b, short_id)) != NULL;
}

/* ---- bits of a link ---- */

bool era_eager_get(const struct era_branch *branch, uint32_t origin)
{
    return origin / 8 < branch->eager_bytes && (branch->eager[origin / 8] >> origin % 8 & 1) != 0;
}

void era_eager_set(struct era_branch *branch, uint32_t origin, bool eager)
{
    size_t at = origin / 8, size = branch->eager_bytes;
    if (at >= size) {
        if (!eager)
            return;
        size = 2 * at + 8;
        branch->eager = realloc(branch->eager, size);
        assert(branch->eager != NULL);
        memset(branch->eager + branch->eager_bytes, 0, size - branch->eager_bytes);
        branch->eager_bytes = size;
    }
    uint8_t bit = (uint8_t)(1u << origin % 8);
    branch->eager[at] = (uint8_t)(eager ? branch->eager[at] | bit : branch->eager[at] & ~bit);
}

void era_eager_set_all(const struct era_broadcast *b, struct era_branch *branch)
{
    if (b->origin_count < 2)
        return;
    era_eager_set(branch, (uint32_t)b->origin_count - 1, true); /* there is room for all */
    memset(branch->eager, 0xff, b->origin_count / 8);
    for (size_t n = b->origin_count / 8 * 8; n < b->origin_count; n++)
        era_eager_set(branch, (uint32_t)n, true);
}

struct era_branch *era_branch_find(const struct era_broadcast *b, uint64_t link)
{
    struct era_branch *branch = link == 0 ? NULL : b->branches;
    while (branch != NULL && branch->link != link)
        branch = branch->next;
    return branch;
}

bool era_eager_for(const struct era_broadcast *b, const struct era_branch *branch, uint32_t origin)
{
    if (origin != 0)
        return era_eager_get(branch, origin);
    return era_reference_has(b, branch) || !era_reference_is_known(b); /* nothing is known yet: everywhere */
}

/* ---- origins ---- */

static uint64_t tag_of(const struct era_broadcast *b, const struct era_key *key)
{
    uint64_t tag = era_siphash(&b->origin_key, key->b, sizeof key->b);
    return tag == 0 ? 1 : tag;
}

static uint32_t tag_find(const struct era_broadcast *b, uint64_t tag)
{
    if (b->origin_cap == 0)
        return 0;
    uint32_t n = b->origin_heads[tag & (b->origin_cap - 1)];
    while (n != 0 && b->origins[n].tag != tag)
        n = b->origins[n].next;
    return n;
}

uint32_t era_origin_find(const struct era_broadcast *b, const struct era_key *key)
{
    return tag_find(b, tag_of(b, key));
}

static void origin_link(struct era_broadcast *b, uint32_t n)
{
    uint32_t *head = &b->origin_heads[b->origins[n].tag & (b->origin_cap - 1)];
    b->origins[n].next = *head;
    *head = n;
}

void era_origins_resize(struct era_broadcast *b, size_t cap)
{
    b->origin_cap = cap;
    b->origins = realloc(b->origins, b->origin_cap * sizeof *b->origins);
    free(b->origin_heads);
    b->origin_heads = calloc(b->origin_cap, sizeof *b->origin_heads);
    assert(b->origins != NULL && b->origin_heads != NULL);
    if (b->origin_count == 0)
        b->origins[b->origin_count++] = (struct era_origin){0};
    for (uint32_t n = 1; n < b->origin_count; n++)
        origin_link(b, n);
}

/* The origin least heard of makes place. */
static uint32_t origin_forget(struct era_broadcast *b)
{
    uint32_t least = 1;
    for (uint32_t n = 2; n < b->origin_count; n++)
        if (b->origins[n].used < b->origins[least].used)
            least = n;
    uint32_t *at = &b->origin_heads[b->origins[least].tag & (b->origin_cap - 1)];
    while (*at != least)
        at = &b->origins[*at].next;
    *at = b->origins[least].next;
    return least;
}

static bool is_fresh(const struct era_origin *o, uint64_t now_ms)
{
    return o->pushed_ms != 0 && now_ms - o->pushed_ms < STALE_MS;
}

bool era_origin_is_better(const struct era_origin *a, const struct era_origin *than, uint64_t now_ms)
{
    bool fresh = is_fresh(a, now_ms), other_fresh = is_fresh(than, now_ms);
    return fresh != other_fresh ? fresh : a->rank < than->rank;
}

/* Of an origin of which an item came by its tree. */
static void note_push(struct era_broadcast *b, uint64_t now_ms, uint32_t n)
{
    struct era_origin *o = &b->origins[n];
    o->streams = o->pushed_ms != 0 && now_ms - o->pushed_ms < ERA_SETTLE_MS;
    o->pushed_ms = now_ms;
    if (o->pushes < ERA_ORIGIN_PROVEN)
        o->pushes++;
}

bool era_trees_are_formed(const struct era_broadcast *b, uint64_t now_ms)
{
    return era_reference_is_known(b) && b->forming_ms != 0 && now_ms - b->forming_ms >= FORMING_MS;
}

uint32_t era_origin_of(struct era_broadcast *b, uint64_t now_ms, const struct era_key *key, bool pushed)
{
    uint64_t tag = tag_of(b, key);
    uint32_t n = tag_find(b, tag);
    if (n == 0) {
        if (b->origin_count == b->origin_cap && b->origin_cap < ERA_ORIGINS_MAX)
            era_origins_resize(b, b->origin_cap == 0 ? ERA_ORIGINS_LEAST : 2 * b->origin_cap);
        n = b->origin_count < b->origin_cap ? (uint32_t)b->origin_count++ : origin_forget(b);
        b->origins[n] = (struct era_origin){.tag = tag, .rank = era_get_be64(key->b)};
        origin_link(b, n);
        if (b->forming_ms == 0)
            b->forming_ms = now_ms;
        bool formed = era_trees_are_formed(b, now_ms);
        b->origins[n].pushes = formed ? 0 : ERA_ORIGIN_PROVEN - 1; /* what floods makes a tree of its own */
        for (struct era_branch *branch = b->branches; branch != NULL; branch = branch->next)
            era_eager_set(branch, n, !formed || era_eager_for(b, branch, 0));
    }
    struct era_origin *o = &b->origins[n];
    o->used = ++b->uses;
    if (pushed)
        note_push(b, now_ms, n);
    return n;
}

struct era_origin *era_origin_of_item(const struct era_broadcast *b, const struct era_recent *item)
{
    if (item->origin == 0 || b->origins[item->origin].tag != item->origin_tag)
        return NULL;
    return &b->origins[item->origin];
}

/* ---- marks ---- */

static struct era_mark *mark_row(const struct era_marks *marks, uint64_t short_id)
{
    return marks->rows[short_id & (marks->row_count - 1)];
}

struct era_mark *era_marks_find(const struct era_marks *marks, uint64_t short_id)
{
    if (marks->row_count == 0)
        return NULL;
    struct era_mark *row = mark_row(marks, short_id);
    for (size_t i = 0; i < ERA_MARK_WAYS; i++)
        if (row[i].short_id == short_id)
            return &row[i];
    return NULL;
}

static void mark_insert(struct era_marks *marks, struct era_mark mark)
{
    struct era_mark *row = mark_row(marks, mark.short_id);
    memmove(&row[1], &row[0], (ERA_MARK_WAYS - 1) * sizeof row[0]);
    row[0] = mark;
    marks->used++;
}

static void marks_grow(struct era_marks *marks)
{
    struct era_marks old = *marks;
    marks->row_count = old.row_count == 0 ? ERA_MARK_ROWS_MIN : 2 * old.row_count;
    marks->used = 0;
    marks->rows = calloc(marks->row_count, sizeof *marks->rows);
    assert(marks->rows != NULL);
    for (size_t r = 0; r < old.row_count; r++)
        for (size_t i = ERA_MARK_WAYS; i-- > 0;) /* the oldest first */
            if (old.rows[r][i].short_id != 0)
                mark_insert(marks, old.rows[r][i]);
    free(old.rows);
}

void era_marks_put(struct era_marks *marks, uint64_t short_id, uint32_t number, uint32_t flags)
{
    struct era_mark *there = era_marks_find(marks, short_id);
    if (there != NULL) {
        there->number = number != 0 ? number : there->number;
        there->flags |= flags;
        return;
    }
    if (marks->used >= marks->row_count * ERA_MARK_WAYS / 2 && marks->row_count < ERA_MARK_ROWS_MAX)
        marks_grow(marks);
    mark_insert(marks, (struct era_mark){short_id, number, flags});
}

/* ---- announced, not yet here ---- */

static size_t awaited_head(const struct era_broadcast *b, uint64_t short_id)
{
    return place_of(b, short_id) % ERA_AWAITED_HEADS;
}

struct era_awaited *era_awaited_find(const struct era_broadcast *b, uint64_t short_id)
{
    if (b->awaited_count == 0)
        return NULL;
    struct era_awaited *a = b->awaited_heads[awaited_head(b, short_id)];
    while (a != NULL && a->short_id != short_id)
        a = a->chain;
    return a;
}

static void queue_join(struct era_broadcast *b, struct era_awaited *a)
{
    a->prev = b->awaited_last;
    a->next = NULL;
    *(a->prev == NULL ? &b->awaited_first : &a->prev->next) = a;
    b->awaited_last = a;
}

static void queue_leave(struct era_broadcast *b, struct era_awaited *a)
{
    *(a->prev == NULL ? &b->awaited_first : &a->prev->next) = a->next;
    *(a->next == NULL ? &b->awaited_last : &a->next->prev) = a->prev;
}

struct era_awaited *era_awaited_add(struct era_broadcast *b, uint64_t short_id)
{
    if (b->awaited_count == ERA_AWAITED_ITEMS_MAX)
        return NULL;
    struct era_awaited *a = calloc(1, sizeof *a);
    assert(a != NULL);
    a->short_id = short_id;
    struct era_awaited **head = &b->awaited_heads[awaited_head(b, short_id)];
    a->chain = *head;
    *head = a;
    queue_join(b, a);
    b->awaited_count++;
    return a;
}

void era_awaited_remove(struct era_broadcast *b, struct era_awaited *a)
{
    struct era_awaited **at = &b->awaited_heads[awaited_head(b, a->short_id)];
    while (*at != a)
        at = &(*at)->chain;
    *at = a->chain;
    queue_leave(b, a);
    b->awaited_count--;
    struct era_branch *charged = era_branch_find(b, a->charged);
    if (charged != NULL)
        charged->awaited--;
    free(a);
}

void era_awaited_again(struct era_broadcast *b, struct era_awaited *a, uint64_t due_ms)
{
    queue_leave(b, a);
    a->due_ms = due_ms;
    queue_join(b, a);
}
