/* scenario: a small network, what happens to it and what must come of it, as a
 * text that reads like a rule (erasim(1), SCENARIOS). */
#ifndef ERA_ERASIM_SCENARIO_H
#define ERA_ERASIM_SCENARIO_H

#include "src/erasim/trace.h"
#include "src/host/error.h"

#define SCENARIO_FILE_BYTES_MAX 262144
#define SCENARIO_WRONG_MAX      16 /* what did not come true; more is only counted */
#define SCENARIO_WRONG_BYTES    1024

struct scenario;

/* NULL: err says what is wrong, with file and line. */
struct scenario *scenario_read(const char *path, struct era_error *err);
void scenario_free(struct scenario *sc); /* NULL-safe */

/* The network, with nothing started; owned by sc. NULL: err says what does not fit. Whoever else wants to
 * watch does so now. */
struct sim *scenario_make(struct scenario *sc, struct era_error *err);
/* From its beginning to its end, or until a rule breaks. lines: gets the lines of the trace, those that the
 * file's own block asks for if it has one, in the form of that block; may be NULL. */
void scenario_run(struct scenario *sc, void (*lines)(void *ctx, const char *line), void *ctx);

/* What did not come true, each "FILE:LINE: …", whole lines without the last newline. Borrowed. 0: all did. */
size_t scenario_wrong(const struct scenario *sc, const char *const **texts);
/* Expectations looked at: a file that expects nothing is seen. */
size_t scenario_looked(const struct scenario *sc);

#endif
