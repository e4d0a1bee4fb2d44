/* store: the contract of erad's persistence. Two keep it: store_lmdb (the
 * daemon) and store_mem (simulator, tests, with modelled crashes).
 *
 * A store is a map of keys to values (store/record.h says which). Batches are
 * atomic and in order: after a crash all batches up to one are there, whole, and
 * nothing else. When era_store_write returned 0, readers find the batch, and it
 * survives a crash of the process; when it returned an error, nothing of it is there.
 * What was written before a later era_store_write or era_store_sync that returned 0
 * survives a crash of the machine too. So who has more to write pays for one flush
 * of the disk a batch; era_store_commit is for those who have not.
 * Every value carries its own hash, checked on every read (LMDB has none);
 * callers see payloads only. A fresh store holds one record, META "schema".
 * No threads here: the caller decides which thread writes and syncs (one writer).
 * While another thread does, store_lmdb may be read, store_mem may not. */
#ifndef ERA_STORE_STORE_H
#define ERA_STORE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "src/base/bytes.h"

/* One change. value.data NULL: delete the key (absent is fine). */
struct era_store_put {
    struct era_bytes key;   /* 1 to ERA_STORE_KEY_BYTES_MAX bytes */
    struct era_bytes value; /* at most ERA_STORE_VALUE_BYTES_MAX; of length 0 only by non-NULL data */
};

struct era_store;

/* Called for each record in ascending key order. Spans are borrowed for the
 * call. Non-zero stops the walk and is returned. A visit leaves the store alone. */
typedef int era_store_visit(void *ctx, struct era_bytes key, struct era_bytes value);

struct era_store_ops {
    /* All of puts, in their order, or nothing. 0: and what was written before is durable. -ENOSPC (disk or
     * map full), -EIO, … negative errno; -EINVAL beyond a bound (key, value, ERA_STORE_BATCH_MAX records). No
     * records: as sync. */
    int (*write)(struct era_store *s, const struct era_store_put *puts, size_t n);
    /* 0: all that was written is durable. Else a negative errno, and nobody knows until the next start. */
    int (*sync)(struct era_store *s);
    /* Walk records whose key begins with prefix; all of them when it is empty.
     * A value whose hash does not fit ends the walk with -EBADMSG. 0 at the end. */
    int (*walk)(struct era_store *s, struct era_bytes prefix, era_store_visit *visit, void *ctx);
    /* Copy of one value, malloc'd into *value (caller frees). -ENOENT, -EBADMSG, -EINVAL. */
    int (*get)(struct era_store *s, struct era_bytes key, uint8_t **value, size_t *len);
    /* The same without a copy for the caller: borrowed until this or another call of the store. By one
     * thread. Costs no allocation, so that bodies can be read when they are needed. */
    int (*read)(struct era_store *s, struct era_bytes key, struct era_bytes *value);
    /* A load is over: give back the memory that its transactions took. Does nothing while another thread is
     * in the store. What fails is tried again by the next call, which says why. NULL: there is none to give.
     */
    void (*rest)(struct era_store *s);
    void (*close)(struct era_store *s); /* NULL-safe through era_store_close */
};

/* First member of every implementation. */
struct era_store {
    const struct era_store_ops *ops;
};

static inline int era_store_write(struct era_store *s, const struct era_store_put *puts, size_t n)
{
    return s->ops->write(s, puts, n);
}

static inline int era_store_sync(struct era_store *s)
{
    return s->ops->sync(s);
}

static inline int era_store_commit(struct era_store *s, const struct era_store_put *puts, size_t n)
{
    int rc = era_store_write(s, puts, n);
    return rc < 0 ? rc : era_store_sync(s);
}

static inline int era_store_walk(struct era_store *s, struct era_bytes prefix, era_store_visit *visit,
                                 void *ctx)
{
    return s->ops->walk(s, prefix, visit, ctx);
}

static inline int era_store_get(struct era_store *s, struct era_bytes key, uint8_t **value, size_t *len)
{
    return s->ops->get(s, key, value, len);
}

static inline int era_store_read(struct era_store *s, struct era_bytes key, struct era_bytes *value)
{
    return s->ops->read(s, key, value);
}

static inline void era_store_rest(struct era_store *s)
{
    if (s->ops->rest)
        s->ops->rest(s);
}

static inline void era_store_close(struct era_store *s)
{
    if (s)
        s->ops->close(s);
}

#endif
