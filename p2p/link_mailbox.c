#include "p2p/link_mailbox.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int era_mailbox_init(struct era_mailbox *box)
{
    *box = (struct era_mailbox){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (box->fd < 0)
        return -errno;
    pthread_mutex_init(&box->lock, NULL);
    return 0;
}

void era_mailbox_release(struct era_mailbox *box)
{
    pthread_mutex_destroy(&box->lock);
    close(box->fd);
}

/* With the lock held. */
static void raise_fd(struct era_mailbox *box)
{
    if (box->raised)
        return;
    /* Cannot fail: the counter is 0. */
    ssize_t n = write(box->fd, &(uint64_t){1}, sizeof(uint64_t));
    assert(n == sizeof(uint64_t));
    box->raised = true;
}

void era_mailbox_raise(struct era_mailbox *box)
{
    pthread_mutex_lock(&box->lock);
    raise_fd(box);
    pthread_mutex_unlock(&box->lock);
}

void era_mailbox_post(struct era_mailbox *box, struct era_mail *mail)
{
    pthread_mutex_lock(&box->lock);
    assert(!mail->posted);
    mail->posted = true;
    mail->next = NULL;
    if (box->tail != NULL)
        box->tail->next = mail;
    else
        box->head = mail;
    box->tail = mail;
    raise_fd(box);
    pthread_mutex_unlock(&box->lock);
}

struct era_mail *era_mailbox_take(struct era_mailbox *box)
{
    pthread_mutex_lock(&box->lock);
    struct era_mail *mail = box->head;
    if (mail != NULL) {
        box->head = mail->next;
        if (box->head == NULL)
            box->tail = NULL;
        mail->posted = false;
    }
    pthread_mutex_unlock(&box->lock);
    return mail;
}

bool era_mailbox_lower(struct era_mailbox *box)
{
    pthread_mutex_lock(&box->lock);
    bool empty = box->head == NULL;
    if (empty && box->raised) {
        uint64_t count;
        ssize_t n = read(box->fd, &count, sizeof(count));
        assert(n == sizeof(count));
        box->raised = false;
    }
    pthread_mutex_unlock(&box->lock);
    return empty;
}
