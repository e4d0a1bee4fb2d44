/* running: a whole daemon in this process, on a state directory of its own,
 * and a client of its control socket. Its loop has a thread; tests ask. */
#ifndef ERA_TESTS_ERAD_RUNNING_H
#define ERA_TESTS_ERAD_RUNNING_H

#include <jansson.h>
#include <pthread.h>

#include "src/erad/daemon.h"
#include "tests/lib/given.h"

/* Bounds a failure; the machine may be busy. */
#define RUNNING_DEADLINE_MS 60000

struct running {
    struct era_daemon *d;
    struct era_charter *charter;
    pthread_t loop;
    int status; /* the daemon's, after running_end */
};

/* who: a validator's name or NULL; more: further lines of erad.conf. */
struct running *running_start(struct era_charter *c, const char *who, const char *software, const char *more);
/* Stops it and starts another on the same state directory. */
void running_restart(struct running *r);
void running_end(struct running *r);

/* For deadlines: milliseconds of a clock that never jumps. */
uint64_t running_now_ms(void);

/* The answer to the last question; its texts live until the next one. */
const struct era_response *ask(struct running *r, struct era_request request);
const struct era_response *ask_bytes(struct running *r, struct era_bytes bytes);
/* Its JSON, with era_response.status 0; released by the caller. */
json_t *answer(struct running *r, struct era_request request);

#endif
