/* seven: a network of seven validators in the simulator, without people. */
#ifndef ERA_TESTS_ERASIM_SEVEN_H
#define ERA_TESTS_ERASIM_SEVEN_H

#include "src/erasim/cast.h"
#include "tests/lib/given.h"

#define EPOCH_MS 1000

/* A copy of given_charter that the run may own. */
struct era_charter *charter_with(const char *validators, const char *components);
struct sim_node *node(struct sim *s, size_t i);
/* Seven validators in a ring of anchors, all votes cast by themselves; down. */
struct sim *given_seven(uint64_t seed);
void pass_ms(struct sim *s, uint64_t ms);
void start_all(struct sim *s);
uint64_t propose(struct sim *s, struct sim_node *n, const char *version);
/* Seven that are up and know one another. */
struct sim *given_meshed(void);
bool adopted(const struct sim_node *n);
size_t adopted_count(const struct sim *s);
uint64_t queued(const struct sim_node *n);

#endif
