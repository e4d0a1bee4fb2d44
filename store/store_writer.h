/* store_writer: a thread that commits, so that no fsync stops the loop (driver).
 * One thread submits, polls and resumes (the loop); the writer's own thread is the
 * only one that commits. Results come in the order of submission.
 *
 * Queued batches are merged into one transaction, up to ERA_STORE_BATCH_MAX records
 * and ERA_WRITER_MERGE_BYTES_MAX; all of them get its result, once the next transaction
 * made it durable, or, when nothing is queued, a flush of its own: one flush a
 * transaction under load, and no waiting without.
 *
 * After a write or flush that failed, nothing is stored until era_writer_resume: whatever was
 * or is submitted in between gets -ECANCELED. What was written and waited for that flush gets
 * its error too: nobody knows whether it is on the disk (a second flush would not say). What builds on a lost batch is therefore
 * never stored without it (EIO or a full map: stop voting, keep serving, say so). */
#ifndef ERA_STORE_STORE_WRITER_H
#define ERA_STORE_STORE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

#define ERA_WRITER_BATCHES_MAX     4096               /* most a caller may ask room for */
#define ERA_WRITER_MERGE_BYTES_MAX ((size_t)8 << 20)  /* LMDB holds a transaction in memory */
#define ERA_WRITER_QUEUE_BYTES_MAX ((size_t)64 << 20) /* copied and not yet committed */

struct era_writer;

/* Start a writer of store (borrowed until era_writer_free; see store.h for who may read it).
 * capacity  batches submitted whose result was not polled yet, 1 to ERA_WRITER_BATCHES_MAX.
 * 0; -EINVAL, -ENOMEM, -EMFILE, -EAGAIN (no thread) … */
int era_writer_start(struct era_store *store, size_t capacity, struct era_writer **out);

/* Readable while results wait; for the loop to watch, never to read. */
int era_writer_fd(const struct era_writer *w);

/* Queue a copy of a batch. token comes back with the result.
 * 0; -EAGAIN when full (poll first); -EINVAL beyond a bound of store.h; -ENOMEM;
 * -ESHUTDOWN after era_writer_stop. */
int era_writer_submit(struct era_writer *w, uint64_t token, const struct era_store_put *puts, size_t n);

/* Take the next result: 0 (durable now), the errno of its transaction or flush, or -ECANCELED. False: none. */
bool era_writer_poll(struct era_writer *w, uint64_t *token, int *result);

/* Store again what is submitted from now on. */
void era_writer_resume(struct era_writer *w);

/* If nothing is queued, end the thread until something is: what malloc keeps for it, small pieces that each
 * keep a page, goes with it. A thread that is not to be had again is a transaction that failed. */
void era_writer_rest(struct era_writer *w);

/* Commit what is queued, end the thread. Results can still be polled. */
void era_writer_stop(struct era_writer *w);

/* Stop, and free. The store stays open. NULL-safe. */
void era_writer_free(struct era_writer *w);

#endif
