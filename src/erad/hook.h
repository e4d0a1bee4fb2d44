/* hook: runs the operator's program at gate and era changes. One at a time;
 * what waits is bounded: the latest of each (kind, component) is kept, since a
 * hook wants the state and not the history. Its end is reaped by the loop. */
#ifndef ERA_ERAD_HOOK_H
#define ERA_ERAD_HOOK_H

#include <event2/event.h>
#include <stdint.h>

#define ERA_HOOK_RUN_MS 60000 /* a run that takes longer is killed, and what it started with it */

struct era_hook;

/* program, state_dir: borrowed for its life. */
struct era_hook *era_hook_new(struct event_base *base, const char *program, const char *state_dir);
/* Another limit than ERA_HOOK_RUN_MS, for tests. */
void era_hook_set_run_ms(struct era_hook *h, uint64_t run_ms);
/* Run `program KIND COMPONENT VALUE` with ERAD_SIGNAL=json, ERAD_EPOCH, ERAD_STATE=state_dir. */
void era_hook_run(struct era_hook *h, const char *kind, const char *component, const char *value,
                  uint64_t epoch, const char *json);
/* Kills what runs (it is ours) and forgets the rest. NULL-safe. */
void era_hook_free(struct era_hook *h);

#endif
