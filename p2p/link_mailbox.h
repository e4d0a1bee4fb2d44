/* link_mailbox: how NNG's threads reach the thread that owns a driver.
 * An aio callback does nothing but post its mail; all decisions are made on
 * the owner's thread, so no other state needs a lock.
 * Invariants: a mail is in the box at most once, so the box is bounded by the
 * number of operations its owner has (no allocation, never full); fd is
 * readable from a post until era_mailbox_lower. */
#ifndef ERA_P2P_LINK_MAILBOX_H
#define ERA_P2P_LINK_MAILBOX_H

#include <pthread.h>
#include <stdbool.h>

/* Embedded, as the first member, in the operation it announces. */
struct era_mail {
    struct era_mail *next;
    bool posted;
};

struct era_mailbox {
    pthread_mutex_t lock;
    struct era_mail *head, *tail;
    int fd; /* eventfd */
    bool raised;
};

/* 0, or a negative errno when there is no file descriptor left. */
int era_mailbox_init(struct era_mailbox *box);
/* Only when no thread can post any more. */
void era_mailbox_release(struct era_mailbox *box);

/* Any thread. */
void era_mailbox_post(struct era_mailbox *box, struct era_mail *mail);

/* Owner's thread: something is left to do without mail, so wake it. */
void era_mailbox_raise(struct era_mailbox *box);

/* Owner's thread: the oldest mail, NULL when there is none. Leaves fd readable. */
struct era_mail *era_mailbox_take(struct era_mailbox *box);
/* Owner's thread: nothing is left to do, so stop waking it. False, fd still
 * readable, when mail came meanwhile. */
bool era_mailbox_lower(struct era_mailbox *box);

#endif
