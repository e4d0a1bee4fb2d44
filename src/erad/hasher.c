#include "src/erad/hasher.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "src/base/bytes.h"
#include "src/base/verdict.h"

enum job_state { JOB_FREE, JOB_WAITING, JOB_RUNNING, JOB_DONE };

struct job {
    enum job_state state;
    uint64_t id, order;
    char *path;
    char like[ERA_DIGEST_BYTES_MAX + 1];
    bool ok;
    char digest[ERA_DIGEST_BYTES_MAX + 1];
    struct era_error err;
};

struct era_hasher {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop;
    int fd;
    uint64_t next_order;
    struct job jobs[ERA_HASHER_JOBS_MAX];
};

/* The oldest job in a state; the lock is held. */
static struct job *oldest(struct era_hasher *h, enum job_state state)
{
    struct job *found = NULL;
    for (size_t i = 0; i < ERA_HASHER_JOBS_MAX; i++)
        if (h->jobs[i].state == state && (!found || h->jobs[i].order < found->order))
            found = &h->jobs[i];
    return found;
}

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The kind of digest is what the plan names (T2). */
static bool hash(const char *path, const char *like, char digest[ERA_DIGEST_BYTES_MAX + 1],
                 struct era_error *err)
{
    if (has_prefix(like, "h1:"))
        return era_dirhash_tree(path, ERA_DIGEST_H1, digest, err);
    if (has_prefix(like, "m1:"))
        return era_dirhash_tree(path, ERA_DIGEST_M1, digest, err);
    if (has_prefix(like, "sha256:"))
        return era_dirhash_file(path, digest, err);
    return era_error_set(err, ERA_EXIT_DATA, like,
                         "use h1:, m1: or sha256:", "this kind of digest is not known");
}

static void *work(void *ctx)
{
    struct era_hasher *h = ctx;
    pthread_mutex_lock(&h->lock);
    while (!h->stop) {
        struct job *j = oldest(h, JOB_WAITING);
        if (!j) {
            pthread_cond_wait(&h->wake, &h->lock);
            continue;
        }
        j->state = JOB_RUNNING;
        pthread_mutex_unlock(&h->lock);
        j->ok = hash(j->path, j->like, j->digest, &j->err);
        pthread_mutex_lock(&h->lock);
        j->state = JOB_DONE;
        eventfd_write(h->fd, 1);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

/* Signals are the loop's: the thread is born with all of them blocked. */
static int start_thread(struct era_hasher *h)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&h->thread, NULL, work, h);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

struct era_hasher *era_hasher_new(void)
{
    struct era_hasher *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (h->fd < 0) {
        free(h);
        return NULL;
    }
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->wake, NULL);
    if (start_thread(h) != 0) {
        close(h->fd);
        free(h);
        return NULL;
    }
    return h;
}

void era_hasher_free(struct era_hasher *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_cond_signal(&h->wake);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    pthread_cond_destroy(&h->wake);
    pthread_mutex_destroy(&h->lock);
    for (size_t i = 0; i < ERA_HASHER_JOBS_MAX; i++)
        free(h->jobs[i].path);
    close(h->fd);
    free(h);
}

int era_hasher_fd(const struct era_hasher *h)
{
    return h->fd;
}

bool era_hasher_submit(struct era_hasher *h, uint64_t job, const char *path, const char *like)
{
    pthread_mutex_lock(&h->lock);
    struct job *j = oldest(h, JOB_FREE);
    char *copy = j ? strdup(path) : NULL;
    if (copy) {
        *j = (struct job){.state = JOB_WAITING, .id = job, .order = h->next_order++, .path = copy};
        era_text_set(j->like, sizeof j->like, like);
        pthread_cond_signal(&h->wake);
    }
    pthread_mutex_unlock(&h->lock);
    return copy != NULL;
}

bool era_hasher_poll(struct era_hasher *h, uint64_t *job, bool *ok, char digest[ERA_DIGEST_BYTES_MAX + 1],
                     struct era_error *err)
{
    eventfd_t ignored;
    pthread_mutex_lock(&h->lock);
    struct job *j = oldest(h, JOB_DONE);
    if (j) {
        *job = j->id;
        *ok = j->ok;
        memcpy(digest, j->digest, sizeof j->digest);
        *err = j->err;
        free(j->path);
        *j = (struct job){0};
    }
    if (!oldest(h, JOB_DONE))
        eventfd_read(h->fd, &ignored); /* silent until the next result */
    pthread_mutex_unlock(&h->lock);
    return j != NULL;
}
