/* lone: one node and nobody else: what it stores is durable at once, and time
 * stands still until a test moves it. With what tests ask of JSON. */
#ifndef ERA_TESTS_ERAD_LONE_H
#define ERA_TESTS_ERAD_LONE_H

#include <jansson.h>

#include "src/erad/report.h"
#include "tests/lib/given.h"

struct lone {
    struct era_node *node;
    struct era_charter *charter;
    struct era_versions versions, staged;
    struct era_secret secret;
    struct era_report_info info;
    uint64_t now_ms, wall_ms;
    struct era_reply reply; /* to the last command */
    json_t *signals;        /* as told, oldest first */
};

/* who: a validator's name or NULL; software: its own version, "" for none. Started in the middle of an epoch.
 */
struct lone *lone_new(struct era_charter *c, const char *who, const char *software, uint64_t epoch);
void lone_free(struct lone *l);
void lone_to_epoch(struct lone *l, uint64_t epoch);
void lone_runs(struct lone *l, const char *software); /* the configuration was read again */
/* Takes it in, or fails the test. */
void lone_event(struct lone *l, struct era_event ev);
void lone_submit(struct lone *l, struct era_bytes envelope);
void lone_command(struct lone *l, struct era_command command);
/* The last signal with that name, borrowed; fails the test when there is none. */
json_t *lone_signal(const struct lone *l, const char *name);

/* ---- JSON: path like "components.0.era"; a missing one fails the test ---- */
json_t *at(json_t *json, const char *path);
const char *text_at(json_t *json, const char *path);
long long number_at(json_t *json, const char *path);
/* Keys of an object in order: "id,seq". Valid until the next call. */
const char *keys_at(json_t *json, const char *path);

#endif
