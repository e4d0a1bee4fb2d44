#include "store/store_mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/record.h"

/* One record, one block: the key, then the value as a disk would hold it. */
struct record {
    size_t key_len;
    size_t value_len; /* tag included */
    bool absent;      /* in a change or an undo only: the key is to go */
    uint8_t b[];
};

struct mem {
    struct era_store base;
    struct record **records; /* ascending by key */
    size_t n;
    size_t capacity;
    struct record **undo; /* what the last write replaced */
    size_t n_undo;
    bool unsynced; /* the last write */
    uint64_t fail_in; /* commits until the fault, itself included; 0: none is set */
    int fail_err;
    bool lose_synced;
    struct era_store_mem_counts counts;
};

static struct era_bytes key_of(const struct record *r)
{
    return (struct era_bytes){r->b, r->key_len};
}

static struct era_bytes stored_of(const struct record *r)
{
    return (struct era_bytes){r->b + r->key_len, r->value_len};
}

static int key_cmp(struct era_bytes a, struct era_bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.data, b.data, shorter);
    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

/* Index of the first record at or above key. */
static size_t lower_bound(const struct mem *m, struct era_bytes key)
{
    size_t low = 0;
    size_t high = m->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (key_cmp(key_of(m->records[middle]), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct mem *m, size_t at, struct era_bytes key)
{
    return at < m->n && key_cmp(key_of(m->records[at]), key) == 0;
}

static struct record *record_alloc(struct era_bytes key, size_t value_len)
{
    struct record *r = malloc(sizeof *r + key.len + value_len);
    if (!r)
        return NULL;
    *r = (struct record){.key_len = key.len, .value_len = value_len};
    memcpy(r->b, key.data, key.len);
    return r;
}

static struct record *record_copy(const struct record *from)
{
    struct record *r = record_alloc(key_of(from), from->value_len);
    if (!r)
        return NULL;
    r->absent = from->absent;
    memcpy(r->b + r->key_len, from->b + from->key_len, from->value_len);
    return r;
}

static void records_free(struct record **records, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(records[i]);
    free(records);
}

/* Put change in place. Takes it; fails never: room was reserved before. */
static void apply(struct mem *m, struct record *change)
{
    size_t at = lower_bound(m, key_of(change));
    struct record *old = is_at(m, at, key_of(change)) ? m->records[at] : NULL;
    if (change->absent) {
        if (old) {
            memmove(m->records + at, m->records + at + 1, (m->n - at - 1) * sizeof *m->records);
            m->n--;
        }
        free(change);
    } else {
        if (!old) {
            memmove(m->records + at + 1, m->records + at, (m->n - at) * sizeof *m->records);
            m->n++;
        }
        m->records[at] = change;
    }
    free(old);
}

static int reserve(struct mem *m, size_t more)
{
    if (m->n + more <= m->capacity)
        return 0;
    size_t capacity = 2 * (m->n + more);
    struct record **records = realloc(m->records, capacity * sizeof *records);
    if (!records)
        return -ENOMEM;
    m->records = records;
    m->capacity = capacity;
    return 0;
}

/* A put as the record it becomes; a delete as an absent one. */
static struct record *change_of(const struct mem *m, const struct era_store_put *put)
{
    (void)m;
    bool absent = !put->value.data;
    struct record *r = record_alloc(put->key, absent ? 0 : put->value.len + ERA_RECORD_TAG_BYTES);
    if (!r)
        return NULL;
    r->absent = absent;
    if (!absent)
        era_record_wrap(put->key, put->value, r->b + r->key_len);
    return r;
}

/* What brings back the key of a put as it is now. */
static struct record *undo_of(const struct mem *m, const struct era_store_put *put)
{
    size_t at = lower_bound(m, put->key);
    if (is_at(m, at, put->key))
        return record_copy(m->records[at]);
    struct record *r = record_alloc(put->key, 0);
    if (r)
        r->absent = true;
    return r;
}

typedef struct record *make_record(const struct mem *m, const struct era_store_put *put);

static struct record **records_make(const struct mem *m, make_record *make, const struct era_store_put *puts,
                                    size_t n)
{
    struct record **records = calloc(n, sizeof *records);
    for (size_t i = 0; records && i < n; i++) {
        records[i] = make(m, &puts[i]);
        if (!records[i]) {
            records_free(records, n);
            return NULL;
        }
    }
    return records;
}

static bool strikes(struct mem *m)
{
    if (m->fail_in > 1) {
        m->fail_in--;
        return false;
    }
    return m->fail_in == 1;
}

static int mem_sync(struct era_store *s)
{
    ((struct mem *)s)->unsynced = false;
    return 0;
}

/* Atomic: all that can fail is done before the first change is applied. */
static int mem_write(struct era_store *s, const struct era_store_put *puts, size_t n)
{
    struct mem *m = (struct mem *)s;
    int rc = era_record_batch_check(puts, n);
    if (rc < 0 || n == 0)
        return rc < 0 ? rc : mem_sync(s);
    if (strikes(m)) {
        m->counts.refused++;
        return m->fail_err;
    }
    struct record **undo = records_make(m, undo_of, puts, n);
    struct record **changes = records_make(m, change_of, puts, n);
    if (!undo || !changes || reserve(m, n) < 0) {
        records_free(undo, undo ? n : 0);
        records_free(changes, changes ? n : 0);
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++)
        apply(m, changes[i]);
    free(changes);
    records_free(m->undo, m->n_undo);
    m->undo = undo;
    m->n_undo = n;
    m->unsynced = true;
    m->counts.writes++;
    return 0;
}

static int mem_walk(struct era_store *s, struct era_bytes prefix, era_store_visit *visit, void *ctx)
{
    const struct mem *m = (const struct mem *)s;
    for (size_t i = prefix.len > 0 ? lower_bound(m, prefix) : 0; i < m->n; i++) {
        struct era_bytes key = key_of(m->records[i]);
        if (!era_record_key_begins(key, prefix))
            break;
        struct era_bytes payload;
        if (!era_record_unwrap(key, stored_of(m->records[i]), &payload))
            return -EBADMSG;
        int rc = visit(ctx, key, payload);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int mem_get(struct era_store *s, struct era_bytes key, uint8_t **value, size_t *len)
{
    const struct mem *m = (const struct mem *)s;
    if (!era_record_key_fits(key))
        return -EINVAL;
    size_t at = lower_bound(m, key);
    if (!is_at(m, at, key))
        return -ENOENT;
    return era_record_unwrap_copy(key, stored_of(m->records[at]), value, len);
}

static int mem_read(struct era_store *s, struct era_bytes key, struct era_bytes *value)
{
    const struct mem *m = (const struct mem *)s;
    if (!era_record_key_fits(key))
        return -EINVAL;
    size_t at = lower_bound(m, key);
    if (!is_at(m, at, key))
        return -ENOENT;
    return era_record_unwrap(key, stored_of(m->records[at]), value) ? 0 : -EBADMSG;
}

static void mem_close(struct era_store *s)
{
    struct mem *m = (struct mem *)s;
    records_free(m->records, m->n);
    records_free(m->undo, m->n_undo);
    free(m);
}

static const struct era_store_ops mem_ops = {
    .write = mem_write,
    .sync = mem_sync,
    .walk = mem_walk,
    .get = mem_get,
    .read = mem_read,
    .close = mem_close,
};

static struct mem *mem_alloc(void)
{
    struct mem *m = calloc(1, sizeof *m);
    if (m)
        m->base.ops = &mem_ops;
    return m;
}

struct era_store *era_store_mem_new(void)
{
    struct mem *m = mem_alloc();
    if (!m)
        return NULL;
    uint8_t schema[4];
    era_record_schema_write(schema);
    struct era_store_key key = era_record_meta(ERA_META_SCHEMA);
    struct era_store_put put = {era_store_key_bytes(&key), {schema, sizeof schema}};
    struct record *record = change_of(m, &put);
    if (!record || reserve(m, 1) < 0) {
        free(record);
        mem_close(&m->base);
        return NULL;
    }
    apply(m, record);
    return &m->base;
}

void era_store_mem_fail_from(struct era_store *s, uint64_t nth, int err)
{
    struct mem *m = (struct mem *)s;
    m->fail_in = err == 0 ? 0 : nth;
    m->fail_err = err;
}

void era_store_mem_lose_synced(struct era_store *s, bool lose)
{
    ((struct mem *)s)->lose_synced = lose;
}

/* Apply copies of records to found. False: no memory. */
static bool apply_copies(struct mem *found, struct record *const *records, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct record *copy = record_copy(records[i]);
        if (!copy)
            return false;
        apply(found, copy);
    }
    return true;
}

struct era_store *era_store_mem_crash(const struct era_store *s)
{
    const struct mem *m = (const struct mem *)s;
    struct mem *found = mem_alloc();
    if (!found)
        return NULL;
    size_t n_lost = m->unsynced || m->lose_synced ? m->n_undo : 0;
    if (reserve(found, m->n + n_lost) < 0 || !apply_copies(found, m->records, m->n) ||
        !apply_copies(found, m->undo, n_lost)) {
        mem_close(&found->base);
        return NULL;
    }
    found->counts.lost = n_lost;
    return &found->base;
}

bool era_store_mem_flip_bit(struct era_store *s, struct era_bytes key, uint64_t bit)
{
    struct mem *m = (struct mem *)s;
    size_t at = lower_bound(m, key);
    if (!is_at(m, at, key))
        return false;
    struct record *r = m->records[at];
    bit %= 8 * (uint64_t)r->value_len;
    r->b[r->key_len + bit / 8] ^= (uint8_t)(1U << (bit % 8));
    m->counts.flipped++;
    return true;
}

struct era_store_mem_counts era_store_mem_counts(const struct era_store *s)
{
    return ((const struct mem *)s)->counts;
}
