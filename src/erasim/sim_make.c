/* A whole network from a plan: the engine and its people. */
#include <stdlib.h>

#include "src/erasim/cast.h"

struct sim *sim_new(const struct sim_plan *plan, const char **why)
{
    struct sim *s = sim_new_empty(plan, NULL);
    s->people = (struct sim_people){.release = cast_free,
                                    .wake = cast_wake,
                                    .peer_up = cast_peer_up,
                                    .peer_heard = cast_peer_heard,
                                    .peer_down = cast_peer_down,
                                    .replied = cast_replied,
                                    .signalled = cast_signalled};
    if (cast_make(s, why))
        return s;
    sim_free(s);
    return NULL;
}
