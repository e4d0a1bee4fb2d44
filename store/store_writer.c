#include "store/store_writer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "proto/limits.h"
#include "store/record.h"

struct job {
    uint64_t token;
    struct era_store_put *puts; /* one block with the bytes they point to */
    size_t n;
    size_t bytes;
    int result;
};

/* Jobs pass through a ring, each at its count modulo the capacity:
 * polled <= done <= written <= submitted <= polled + capacity. Below submitted they are
 * queued or in the transaction that runs, below written in the store and not yet known to
 * be durable, below done only their result is left. */
struct era_writer {
    struct era_store *store;
    int fd;
    pthread_t thread;
    bool runs; /* the thread; this and the next: the caller's alone */
    bool stopped;
    struct era_store_put *merged; /* the thread's alone */

    pthread_mutex_t lock; /* over all below */
    pthread_cond_t wake;
    size_t capacity;
    uint64_t polled;
    uint64_t done;
    uint64_t written;
    uint64_t submitted;
    size_t bytes_queued;
    bool failed; /* nothing is queued then */
    bool ending; /* the thread is to end */
    struct job jobs[];
};

static struct job *job_at(struct era_writer *w, uint64_t count)
{
    return &w->jobs[count % w->capacity];
}

/* The fd is readable exactly while results wait. Called with the lock held. */
static void fd_raise(const struct era_writer *w)
{
    const uint64_t one = 1;
    ssize_t written = write(w->fd, &one, sizeof one);
    assert(written == sizeof one); /* an eventfd refuses only beyond 2^64 - 2 results */
    (void)written;
}

static void fd_clear(const struct era_writer *w)
{
    uint64_t count;
    ssize_t got = read(w->fd, &count, sizeof count);
    assert(got == sizeof count);
    (void)got;
}

/* The next job has its result. */
static void job_end(struct era_writer *w, int result)
{
    struct job *job = job_at(w, w->done);
    job->result = result;
    free(job->puts);
    job->puts = NULL;
    w->bytes_queued -= job->bytes;
    w->done++;
    if (w->written < w->done)
        w->written = w->done;
}

/* Those below count have their result; if it is an error, those behind them are not written. */
static void settle(struct era_writer *w, uint64_t count, int result)
{
    if (w->done == count)
        return;
    while (w->done < count)
        job_end(w, result);
    if (result < 0) {
        w->failed = true;
        while (w->done < w->submitted)
            job_end(w, -ECANCELED);
    }
    fd_raise(w);
}

/* ---- the thread ---- */

/* Gather queued jobs for one transaction. Returns the jobs, *n the records. */
static uint64_t merge(struct era_writer *w, size_t *n)
{
    uint64_t jobs = 0;
    size_t bytes = 0;
    *n = 0;
    for (uint64_t at = w->written; at < w->submitted; at++) {
        const struct job *job = job_at(w, at);
        bool fits = *n + job->n <= ERA_STORE_BATCH_MAX && bytes + job->bytes <= ERA_WRITER_MERGE_BYTES_MAX;
        if (jobs > 0 && !fits)
            break;
        if (job->n > 0)
            memcpy(w->merged + *n, job->puts, job->n * sizeof *job->puts);
        *n += job->n;
        bytes += job->bytes;
        jobs++;
    }
    return jobs;
}

/* Nothing more is to be written. Called, and returns, with the lock held. */
static void sync_written(struct era_writer *w)
{
    uint64_t written = w->written;
    pthread_mutex_unlock(&w->lock);
    int result = era_store_sync(w->store);
    pthread_mutex_lock(&w->lock);
    settle(w, written, result);
}

/* One transaction of what is queued. It makes durable what was written before it; if it fails, nobody knows
 * whether that was. Called, and returns, with the lock held. */
static void write_queued(struct era_writer *w)
{
    size_t n;
    uint64_t jobs = merge(w, &n);
    pthread_mutex_unlock(&w->lock);
    int result = era_store_write(w->store, w->merged, n);
    pthread_mutex_lock(&w->lock);
    settle(w, result < 0 ? w->written + jobs : w->written, result);
    if (result == 0)
        w->written += jobs;
}

static void *run(void *ctx)
{
    struct era_writer *w = ctx;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (w->done == w->submitted && !w->ending)
            pthread_cond_wait(&w->wake, &w->lock);
        if (w->done == w->submitted)
            break;
        if (w->written < w->submitted)
            write_queued(w);
        else
            sync_written(w);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* Signals are the loop's: the thread takes none. */
static int thread_start(struct era_writer *w)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&w->thread, NULL, run, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    w->runs = rc == 0;
    return -rc;
}

/* It commits what is queued first. */
static void thread_end(struct era_writer *w)
{
    if (!w->runs)
        return;
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    w->ending = w->runs = false;
}

/* ---- the caller's side ---- */

static void release(struct era_writer *w)
{
    if (w->fd >= 0)
        close(w->fd);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w->merged);
    free(w);
}

int era_writer_start(struct era_store *store, size_t capacity, struct era_writer **out)
{
    if (capacity < 1 || capacity > ERA_WRITER_BATCHES_MAX)
        return -EINVAL;
    struct era_writer *w = calloc(1, sizeof *w + capacity * sizeof w->jobs[0]);
    if (!w)
        return -ENOMEM;
    w->store = store;
    w->capacity = capacity;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    w->merged = calloc(ERA_STORE_BATCH_MAX, sizeof *w->merged);
    w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int rc = !w->merged ? -ENOMEM : w->fd < 0 ? -errno : thread_start(w);
    if (rc < 0) {
        release(w);
        return rc;
    }
    *out = w;
    return 0;
}

int era_writer_fd(const struct era_writer *w)
{
    return w->fd;
}

static size_t bytes_of(const struct era_store_put *puts, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += sizeof *puts + puts[i].key.len + (puts[i].value.data ? puts[i].value.len : 0);
    return sum;
}

/* Copy b to *at, and move it on. NULL data (a delete) stays NULL. */
static struct era_bytes copy_to(uint8_t **at, struct era_bytes b)
{
    if (!b.data)
        return b;
    struct era_bytes copy = {*at, b.len};
    if (b.len > 0)
        memcpy(*at, b.data, b.len);
    *at += b.len;
    return copy;
}

/* A batch as one block of bytes_of(puts, n) bytes. */
static struct era_store_put *puts_copy(const struct era_store_put *puts, size_t n, size_t bytes)
{
    struct era_store_put *copies = malloc(bytes > 0 ? bytes : 1);
    if (!copies)
        return NULL;
    uint8_t *at = (uint8_t *)(copies + n);
    for (size_t i = 0; i < n; i++) {
        copies[i].key = copy_to(&at, puts[i].key);
        copies[i].value = copy_to(&at, puts[i].value);
    }
    return copies;
}

/* A batch too large for the queue still passes when it is alone. */
static bool is_full(const struct era_writer *w, size_t bytes)
{
    if (w->submitted - w->polled == w->capacity)
        return true;
    return w->bytes_queued > 0 && w->bytes_queued + bytes > ERA_WRITER_QUEUE_BYTES_MAX;
}

static int submit_locked(struct era_writer *w, struct job job)
{
    if (is_full(w, job.bytes))
        return -EAGAIN;
    *job_at(w, w->submitted) = job;
    w->submitted++;
    w->bytes_queued += job.bytes;
    int rc = w->failed ? -ECANCELED : w->runs ? 0 : thread_start(w);
    if (rc < 0) {
        w->failed = true;
        job_end(w, rc);
        fd_raise(w);
    } else {
        pthread_cond_signal(&w->wake);
    }
    return 0;
}

int era_writer_submit(struct era_writer *w, uint64_t token, const struct era_store_put *puts, size_t n)
{
    int rc = era_record_batch_check(puts, n);
    if (rc == 0 && w->stopped)
        rc = -ESHUTDOWN;
    if (rc < 0)
        return rc;
    struct job job = {.token = token, .n = n, .bytes = bytes_of(puts, n)};
    job.puts = puts_copy(puts, n, job.bytes);
    if (!job.puts)
        return -ENOMEM;
    pthread_mutex_lock(&w->lock);
    rc = submit_locked(w, job);
    pthread_mutex_unlock(&w->lock);
    if (rc < 0)
        free(job.puts);
    return rc;
}

bool era_writer_poll(struct era_writer *w, uint64_t *token, int *result)
{
    pthread_mutex_lock(&w->lock);
    bool waits = w->polled < w->done;
    if (waits) {
        *token = job_at(w, w->polled)->token;
        *result = job_at(w, w->polled)->result;
        w->polled++;
        if (w->polled == w->done)
            fd_clear(w);
    }
    pthread_mutex_unlock(&w->lock);
    return waits;
}

void era_writer_resume(struct era_writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->failed = false;
    pthread_mutex_unlock(&w->lock);
}

void era_writer_rest(struct era_writer *w)
{
    pthread_mutex_lock(&w->lock);
    bool idle = w->done == w->submitted;
    pthread_mutex_unlock(&w->lock);
    if (idle)
        thread_end(w);
}

void era_writer_stop(struct era_writer *w)
{
    thread_end(w);
    w->stopped = true;
}

void era_writer_free(struct era_writer *w)
{
    if (!w)
        return;
    era_writer_stop(w);
    release(w);
}
