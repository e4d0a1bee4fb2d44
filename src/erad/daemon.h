/* daemon: one node with its drivers: store, links, control, signals, HTTP,
 * hook. Opened in an order that respects their traps: the store is checked in
 * a child before any thread exists; NNG starts after that and nothing forks
 * without exec afterwards. One daemon a state directory (flock). */
#ifndef ERA_ERAD_DAEMON_H
#define ERA_ERAD_DAEMON_H

#include <event2/event.h>

#include "p2p/link_nng.h"
#include "proto/control.h"
#include "src/erad/hasher.h"
#include "src/erad/heap.h"
#include "src/erad/hook.h"
#include "src/erad/http.h"
#include "src/erad/report.h"
#include "src/host/config.h"
#include "src/host/keyfile.h"
#include "src/ipc/control.h"
#include "src/ipc/signal.h"
#include "store/store_writer.h"

struct era_daemon_options {
    const char *config_path;
    bool check_only;          /* read configuration and charter, say what is wrong, end */
    bool reset_epoch;         /* forget the clock's high-water mark (R14) */
    uint64_t crash_at_effect; /* 0: never. Ends by SIGKILL before that effect: shows durability in tests */
};

/* A control request that waits for the disk or the hasher. */
struct era_waiting {
    bool used;
    uint64_t request;
    char verb[16];
    enum era_lock lock;       /* unlock: what it lifted */
    struct era_hash proposal; /* attest */
    char artefact[ERA_NAME_BYTES_MAX + 1], expected[ERA_DIGEST_BYTES_MAX + 1],
        digest[ERA_DIGEST_BYTES_MAX + 1];
    char builder[ERA_BUILDER_BYTES_MAX + 1], source_digest[ERA_DIGEST_BYTES_MAX + 1];
};

struct era_daemon {
    struct era_daemon_options options;
    struct era_config config;
    struct era_charter charter;
    struct era_hash network;
    int lock_fd;
    struct era_key node_key;
    struct era_secret node_secret;     /* says where we can be dialled */
    struct era_place place;            /* which is here; len 0: nowhere */
    struct era_channel_config channel; /* holds the node key's secret half */
    struct era_secret secret;
    bool has_secret;

    struct era_store *store;
    struct era_writer *writer;
    struct era_node *node;
    struct era_link_driver *links;
    struct era_control_server *control;
    struct era_signal_server *signals;
    struct era_http *http;
    struct era_hook *hook;
    struct era_hasher *hasher;

    struct event_base *base;
    struct event *link_event, *control_event, *signal_event, *writer_event, *hasher_event, *timer;
    struct event *stop_events[2], *reload_event, *heap_event;
    struct era_heap heap;
    bool links_paused;
    uint64_t effects_applied;
    struct era_waiting waiting[ERA_CONTROL_PENDING_MAX];
    size_t failed_dials;
    char failed_dial[ERA_PEERS_MAX][ERA_ADDRESS_BYTES_MAX + 1];
    char advertised[ERA_ADDRESS_BYTES_MAX + 1];
    uint64_t refusals_told_ms[ERA_VERDICT_COUNT]; /* 0: never */
    uint64_t started_ms;
    int exit_status;
    bool stopping;
};

/* Everything up to the loop. False: err says why. d is zeroed by the caller. */
bool era_daemon_open(struct era_daemon *d, const struct era_daemon_options *options, struct era_error *err);
/* Until a signal ends it. Returns the exit status. */
int era_daemon_run(struct era_daemon *d);
void era_daemon_close(struct era_daemon *d); /* of a partly opened one too */

/* ---- shared by the daemon's files ---- */
uint64_t era_daemon_now_ms(void);
uint64_t era_daemon_wall_ms(void);
/* One step of the node and all that it asks for. Sets the times of ev. */
void era_daemon_step(struct era_daemon *d, struct era_event *ev);
void era_daemon_stop(struct era_daemon *d, int status);
void era_daemon_info(void *daemon, struct era_report_info *info);
/* effects.c */
void era_daemon_apply(struct era_daemon *d, const struct era_effect *e);
/* verbs.c: answer, or set going, one control request */
void era_daemon_control(struct era_daemon *d, uint64_t request, struct era_bytes bytes);
void era_daemon_reply(struct era_daemon *d, const struct era_reply *reply);
void era_daemon_hashed(struct era_daemon *d, uint64_t job, bool ok, const char *digest,
                       const struct era_error *err);

#endif
