#include "p2p/reconcile.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct bucket {
    struct era_hash *ids; /* ascending */
    size_t count, cap;
    uint64_t moved_ms;
    bool stale; /* fingerprint must be computed again */
    uint8_t fingerprint[ERA_FINGERPRINT_BYTES];
};

struct era_idset {
    size_t count;
    struct bucket buckets[ERA_BUCKETS];
};

bool era_bucket_mask_has(const struct era_bucket_mask *mask, unsigned bucket)
{
    return mask->bits[bucket / 8] >> (bucket % 8) & 1;
}

void era_bucket_mask_put(struct era_bucket_mask *mask, unsigned bucket)
{
    mask->bits[bucket / 8] = (uint8_t)(mask->bits[bucket / 8] | 1u << (bucket % 8));
}

bool era_bucket_mask_is_empty(const struct era_bucket_mask *mask)
{
    for (size_t i = 0; i < sizeof mask->bits; i++)
        if (mask->bits[i] != 0)
            return false;
    return true;
}

bool era_page_is_full(const struct era_page *page)
{
    return page->id_count == ERA_SYNC_IDS_PER_FRAME_MAX;
}

struct era_cursor era_page_end(const struct era_page *page)
{
    struct era_cursor end = {.some = true};
    memset(end.at.b, 0xFF, sizeof end.at.b);
    if (era_page_is_full(page)) {
        size_t last = page->bucket_count;
        while (page->buckets[last - 1].count == 0)
            last--;
        const struct era_page_bucket *b = &page->buckets[last - 1];
        memcpy(end.at.b, b->ids + (b->count - 1) * ERA_HASH_BYTES, ERA_HASH_BYTES);
    }
    return end;
}

enum era_verdict era_page_check(const struct era_page *page)
{
    size_t total = 0;
    for (size_t i = 0; i < page->bucket_count; i++) {
        const struct era_page_bucket *b = &page->buckets[i];
        if (b->bucket >= ERA_BUCKETS || (i > 0 && b->bucket <= b[-1].bucket))
            return ERA_BAD_VALUE;
        total += b->count;
        if (total > ERA_SYNC_IDS_PER_FRAME_MAX)
            return ERA_OVERSIZED;
        for (size_t k = 0; k < b->count; k++) {
            const uint8_t *id = b->ids + k * ERA_HASH_BYTES;
            if (id[0] != b->bucket || (k > 0 && memcmp(id - ERA_HASH_BYTES, id, ERA_HASH_BYTES) >= 0))
                return ERA_BAD_VALUE;
        }
    }
    return total == page->id_count ? ERA_ACCEPTED : ERA_BAD_VALUE;
}

struct era_idset *era_idset_new(void)
{
    struct era_idset *set = calloc(1, sizeof *set);
    assert(set != NULL);
    return set;
}

void era_idset_free(struct era_idset *set)
{
    if (set == NULL)
        return;
    for (unsigned b = 0; b < ERA_BUCKETS; b++)
        free(set->buckets[b].ids);
    free(set);
}

/* Index of the first id that is not below `id`. */
static size_t lower_bound(const struct bucket *b, const uint8_t *id)
{
    size_t low = 0, high = b->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (memcmp(b->ids[mid].b, id, ERA_HASH_BYTES) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool holds_at(const struct bucket *b, size_t i, const struct era_hash *id)
{
    return i < b->count && era_hash_eq(&b->ids[i], id);
}

bool era_idset_add(struct era_idset *set, const struct era_hash *id, uint64_t moved_ms)
{
    struct bucket *b = &set->buckets[id->b[0]];
    size_t i = lower_bound(b, id->b);
    if (holds_at(b, i, id))
        return false;
    if (b->count == b->cap) {
        b->cap = b->cap == 0 ? 4 : b->cap + b->cap / 2;
        b->ids = realloc(b->ids, b->cap * sizeof *b->ids);
        assert(b->ids != NULL);
    }
    memmove(&b->ids[i + 1], &b->ids[i], (b->count - i) * sizeof *b->ids);
    b->ids[i] = *id;
    b->count++;
    b->stale = true;
    if (moved_ms > b->moved_ms)
        b->moved_ms = moved_ms;
    set->count++;
    return true;
}

bool era_idset_remove(struct era_idset *set, const struct era_hash *id)
{
    struct bucket *b = &set->buckets[id->b[0]];
    size_t i = lower_bound(b, id->b);
    if (!holds_at(b, i, id))
        return false;
    memmove(&b->ids[i], &b->ids[i + 1], (b->count - i - 1) * sizeof *b->ids);
    b->count--;
    b->stale = true;
    set->count--;
    return true;
}

bool era_idset_contains(const struct era_idset *set, const struct era_hash *id)
{
    const struct bucket *b = &set->buckets[id->b[0]];
    return holds_at(b, lower_bound(b, id->b), id);
}

size_t era_idset_count(const struct era_idset *set)
{
    return set->count;
}

uint64_t era_idset_moved_ms(const struct era_idset *set, unsigned bucket)
{
    return set->buckets[bucket].moved_ms;
}

static const uint8_t *fingerprint(struct bucket *b)
{
    if (b->stale) {
        memset(b->fingerprint, 0, sizeof b->fingerprint);
        if (b->count > 0)
            crypto_generichash(b->fingerprint, sizeof b->fingerprint, (const uint8_t *)b->ids,
                               b->count * sizeof *b->ids, NULL, 0);
        b->stale = false;
    }
    return b->fingerprint;
}

void era_idset_summary(struct era_idset *set, uint8_t out[ERA_SUMMARY_BYTES])
{
    for (unsigned b = 0; b < ERA_BUCKETS; b++)
        memcpy(out + b * ERA_FINGERPRINT_BYTES, fingerprint(&set->buckets[b]), ERA_FINGERPRINT_BYTES);
}

void era_idset_differing(struct era_idset *set, const uint8_t theirs[ERA_SUMMARY_BYTES],
                         struct era_bucket_mask *out)
{
    memset(out, 0, sizeof *out);
    for (unsigned b = 0; b < ERA_BUCKETS; b++)
        if (memcmp(theirs + b * ERA_FINGERPRINT_BYTES, fingerprint(&set->buckets[b]),
                   ERA_FINGERPRINT_BYTES) != 0)
            era_bucket_mask_put(out, b);
}

/* Index of the first id of bucket b beyond the cursor. */
static size_t beyond(const struct bucket *b, unsigned number, const struct era_cursor *from)
{
    if (!from->some || from->at.b[0] < number)
        return 0;
    if (from->at.b[0] > number)
        return b->count;
    size_t i = lower_bound(b, from->at.b);
    return holds_at(b, i, &from->at) ? i + 1 : i;
}

static void page_add(struct era_page *page, unsigned bucket, const struct era_hash *ids, size_t count)
{
    struct era_page_bucket *to = &page->buckets[page->bucket_count++];
    to->bucket = bucket;
    to->ids = count == 0 ? NULL : ids->b;
    to->count = count;
    page->id_count += count;
}

void era_idset_page(const struct era_idset *set, const struct era_bucket_mask *mask,
                    const struct era_cursor *from, struct era_page *out)
{
    out->bucket_count = 0;
    out->id_count = 0;
    /* The cursor's own bucket stays listed even when we hold nothing beyond: the peer may. */
    for (unsigned n = from->some ? from->at.b[0] : 0; n < ERA_BUCKETS && !era_page_is_full(out); n++) {
        if (!era_bucket_mask_has(mask, n))
            continue;
        const struct bucket *b = &set->buckets[n];
        size_t i = beyond(b, n, from), count = b->count - i;
        if (count > ERA_SYNC_IDS_PER_FRAME_MAX - out->id_count)
            count = ERA_SYNC_IDS_PER_FRAME_MAX - out->id_count;
        page_add(out, n, count == 0 ? NULL : &b->ids[i], count);
    }
}

/* Merge one bucket: ours beyond `from` and up to `end` that `theirs` lacks, into ids[room]. */
static size_t bucket_lacks(const struct bucket *b, const struct era_page_bucket *theirs,
                           const struct era_cursor *from, const struct era_hash *end, struct era_hash *ids,
                           size_t room)
{
    size_t made = 0, k = 0;
    for (size_t i = beyond(b, theirs->bucket, from); i < b->count && made < room; i++) {
        if (era_hash_cmp(&b->ids[i], end) > 0)
            break;
        int order = -1;
        while (k < theirs->count &&
               (order = memcmp(theirs->ids + k * ERA_HASH_BYTES, b->ids[i].b, ERA_HASH_BYTES)) < 0)
            k++;
        if (k == theirs->count || order != 0)
            ids[made++] = b->ids[i];
    }
    return made;
}

void era_idset_lacks(const struct era_idset *set, const struct era_page *page, const struct era_cursor *from,
                     struct era_page_room *room, struct era_page *out)
{
    struct era_cursor end = era_page_end(page);
    out->bucket_count = 0;
    out->id_count = 0;
    for (size_t i = 0; i < page->bucket_count && !era_page_is_full(out); i++) {
        const struct era_page_bucket *theirs = &page->buckets[i];
        struct era_hash *at = &room->ids[out->id_count];
        size_t made = bucket_lacks(&set->buckets[theirs->bucket], theirs, from, &end.at, at,
                                   ERA_SYNC_IDS_PER_FRAME_MAX - out->id_count);
        if (made > 0)
            page_add(out, theirs->bucket, at, made);
    }
}
