/* config: erad.conf (erad.conf(5)) as a plain struct. Strict: an unknown, a
 * repeated or a wrong setting is an error with file and line, never ignored.
 * Relative paths are relative to the file's folder, so that a configuration
 * means the same wherever erad is started. */
#ifndef ERA_HOST_CONFIG_H
#define ERA_HOST_CONFIG_H

#include "proto/statement.h"
#include "src/host/error.h"
#include "src/host/settings.h"

#define ERA_CONFIG_BYTES_MAX      ((size_t)65536)
#define ERA_LISTEN_MAX            8
#define ERA_SOCKET_PATH_BYTES_MAX 107 /* sun_path without its NUL */
#define ERA_STORE_BYTES_DEFAULT   ((uint64_t)1 << 30)

/* The schema; its names are those of erad.conf(5). */
extern const struct era_setting_rule era_config_rules[];

/* What a node does while it is blocked (M5). */
enum era_on_blocked { ERA_ON_BLOCKED_STAY, ERA_ON_BLOCKED_EXIT };

/* The kinds of new plan for which the daemon casts readiness by itself (R4). */
struct era_auto_ready {
    bool announced, dropped, soft, breaking;
};

struct era_texts {
    size_t count;
    char **items;
};

/* Every pointer is owned (era_config_clear) and never NULL but where said so. Paths are not checked to exist.
 */
struct era_config {
    char *state_dir;
    char *charter;                  /* a charter's text or charter.bin; STATE/charter.bin unless set */
    char *control;                  /* path of the control socket; STATE/control.sock unless set */
    char *node_key;                 /* STATE/node.key unless set */
    char *validator_key;            /* NULL: this node is no validator */
    char *hook;                     /* NULL: none */
    char *advertise;                /* NULL: none */
    char *http;                     /* HOST:PORT; "" = off */
    struct era_texts listen, peers; /* peers: addresses alone */
    struct era_key **peer_keys;     /* by peer: the node key that must answer there; NULL: any */
    size_t neighbours;              /* sought among all known peers; 0: only `peers` are dialled */
    struct era_versions versions;   /* what runs */
    struct era_versions staged;     /* what is ready for the next era; "" = nothing */
    bool all_artefacts;             /* artefacts not set: this node runs every one */
    struct era_texts artefacts;
    enum era_on_blocked on_blocked;
    struct era_auto_ready auto_ready;
    bool log_debug;
    uint64_t store_bytes; /* LMDB's map */
};

/* Read path. out is owned by the caller, and untouched on failure. */
bool era_config_load(const char *path, struct era_config *out, struct era_error *err);
/* The same from a text; path only says where relative paths start, and names the file in err. */
bool era_config_from_text(const char *path, const char *text, size_t len, struct era_config *out,
                          struct era_error *err);
void era_config_clear(struct era_config *c); /* NULL-safe */

#endif
