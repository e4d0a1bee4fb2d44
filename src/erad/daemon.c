#include "src/erad/daemon.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/core/charter.h"
#include "src/erad/log.h"
#include "src/host/charter_text.h"
#include "src/host/files.h"
#include "store/record.h"
#include "store/store_lmdb.h"

#define AGENT      PACKAGE_NAME "/" PACKAGE_VERSION
#define PATH_BYTES 4096

uint64_t era_daemon_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t era_daemon_wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec < 0 ? 0 : (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool state_path(const struct era_daemon *d, const char *name, char out[PATH_BYTES],
                       struct era_error *err)
{
    int len = snprintf(out, PATH_BYTES, "%s/%s", d->config.state_dir, name);
    if (len > 0 && len < PATH_BYTES)
        return true;
    return era_error_set(err, ERA_EXIT_CONFIG, d->config.state_dir, "choose a shorter state_dir",
                         "path too long");
}

/* ---- charter ---- */

static bool open_charter(struct era_daemon *d, struct era_error *err)
{
    struct era_charter_finding finding;
    if (!era_charter_load(d->config.charter, &d->charter, err))
        return false;
    if (era_charter_check(&d->charter, &finding, 1) > 0 && finding.error)
        return era_error_set(err, ERA_EXIT_CONFIG, d->config.charter, finding.cure, "charter: %s: %s",
                             finding.where, finding.text);
    if (d->charter.version != 0)
        return era_error_set(err, ERA_EXIT_CONFIG, d->config.charter, "start from charter 0 of the network",
                             "this version of erad begins at charter 0, the file holds version %llu",
                             (unsigned long long)d->charter.version);
    d->network = d->charter.hash;
    return true;
}

/* The compiled form beside the store: what this state directory belongs to. */
static bool keep_charter(struct era_daemon *d, struct era_error *err)
{
    char path[PATH_BYTES];
    uint8_t *bytes, *held;
    size_t held_len;
    if (!state_path(d, "charter.bin", path, err))
        return false;
    size_t len = era_charter_encode(&d->charter, &bytes);
    int rc = era_file_read(path, ERA_CHARTER_BYTES_MAX, &held, &held_len);
    bool ok = true;
    if (rc == 0) {
        if (held_len != len || memcmp(held, bytes, len) != 0)
            ok = era_error_set(err, ERA_EXIT_CONFIG, path,
                               "use another state_dir for another network, or set `charter` back",
                               "this state directory belongs to another charter than %s", d->config.charter);
        free(held);
    } else if (rc == -ENOENT) {
        rc = era_file_write(path, bytes, len, 0600);
        if (rc != 0)
            ok = era_error_errno(err, rc, path, "write the charter");
    } else {
        ok = era_error_errno(err, rc, path, "read the charter");
    }
    free(bytes);
    return ok;
}

/* ---- state directory, keys ---- */

static bool open_state(struct era_daemon *d, struct era_error *err)
{
    char path[PATH_BYTES];
    if (!era_dir_make(d->config.state_dir, err) || !state_path(d, "lock", path, err))
        return false;
    d->lock_fd = era_lock_take(path);
    if (d->lock_fd == -EWOULDBLOCK)
        return era_error_set(err, ERA_EXIT_TRY_LATER, d->config.state_dir,
                             "stop the other erad, or give this one its own state_dir",
                             "another erad already runs on this state directory");
    if (d->lock_fd < 0)
        return era_error_errno(err, d->lock_fd, path, "lock the state directory");
    return true;
}

static bool open_keys(struct era_daemon *d, struct era_error *err)
{
    struct era_keypair pair;
    if (!era_keyfile_load(d->config.node_key, &pair, err)) {
        if (err->status != ERA_EXIT_NO_INPUT || !era_keyfile_generate(d->config.node_key, &pair, err))
            return false;
        era_log(ERA_LOG_NOTICE, "made a new node key: %s", d->config.node_key);
    }
    d->node_key = d->node_secret.key = pair.key;
    memcpy(d->node_secret.secret, pair.secret, sizeof d->node_secret.secret);
    d->channel = (struct era_channel_config){
        .network = d->network, .protocol_min = ERA_PROTOCOL_MIN, .protocol_max = ERA_PROTOCOL_MAX};
    era_noise_keypair_of_node(&d->channel.mine, pair.secret);
    era_keypair_clear(&pair);
    if (!d->config.validator_key)
        return true;
    if (!era_keyfile_load(d->config.validator_key, &pair, err))
        return false;
    d->secret.key = pair.key;
    memcpy(d->secret.secret, pair.secret, sizeof d->secret.secret);
    d->has_secret = true;
    era_keypair_clear(&pair);
    int index = d->charter.authority_only ? era_charter_emitter_index(&d->charter, &d->secret.key)
                                          : era_charter_validator_index(&d->charter, &d->secret.key);
    if (index < 0)
        return era_error_set(err, ERA_EXIT_CONFIG, d->config.validator_key,
                             "use the key that the charter names, or remove validator_key",
                             "the charter names this key neither as validator nor as emitter");
    return true;
}

/* ---- store ---- */

static bool open_store(struct era_daemon *d, struct era_error *err)
{
    char path[PATH_BYTES], moved[ERA_STORE_PATH_BYTES], why[ERA_STORE_WHY_BYTES] = "";
    if (!state_path(d, "store", path, err))
        return false;
    int rc = era_store_lmdb_check(path);
    if (rc == -EBADMSG) {
        rc = era_store_lmdb_move_aside(path, moved);
        if (rc != 0)
            return era_error_errno(err, rc, path, "move the damaged store aside");
        era_log(ERA_LOG_ERROR, "store: damaged, moved to %s; what is lost comes back from peers", moved);
    } else if (rc == -EPROTONOSUPPORT) {
        return era_error_set(err, ERA_EXIT_CONFIG, path, "run the newer erad, or use another state_dir",
                             "the store was made by a newer version of erad; it is left untouched");
    } else if (rc != 0) {
        return era_error_errno(err, rc, path, "check the store");
    }
    rc = era_store_lmdb_open(path, d->config.store_bytes, &d->store, why);
    if (rc != 0)
        return era_error_set(err, rc == -EACCES ? ERA_EXIT_PERMISSION : ERA_EXIT_CANNOT_WRITE, path,
                             "check the disk and the directory's owner", "cannot open the store: %s", why);
    return true;
}

/* R14: only its operator may take back how far a node's clock has been. */
static bool reset_epoch(struct era_daemon *d, struct era_error *err)
{
    struct era_store_key key = era_record_meta(ERA_META_EPOCH_HIGH);
    struct era_store_put forget = {.key = era_store_key_bytes(&key)};
    int rc = era_store_commit(d->store, &forget, 1);
    if (rc != 0)
        return era_error_errno(err, rc, d->config.state_dir, "reset the epoch");
    era_log(ERA_LOG_WARNING, "the highest epoch this node had reached is forgotten, as asked");
    return true;
}

static int restore_one(void *ctx, struct era_bytes key, struct era_bytes value)
{
    struct era_daemon *d = ctx;
    era_node_restore(d->node, key, value);
    return 0;
}

/* Carriers first: what they dominate need not be taken in. */
static bool restore(struct era_daemon *d, struct era_error *err)
{
    static const enum era_record_kind order[] = {ERA_RECORD_CARRIER, ERA_RECORD_STATEMENT, ERA_RECORD_REBUILD,
                                                 ERA_RECORD_META};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        struct era_store_key prefix = era_record_prefix(order[i]);
        int rc = era_store_walk(d->store, era_store_key_bytes(&prefix), restore_one, d);
        if (rc != 0)
            return era_error_errno(err, rc, d->config.state_dir, "read the store");
    }
    const struct era_node_stats *s = era_node_stats(d->node);
    era_log(ERA_LOG_INFO, "store: %llu statements restored, %llu left aside", (unsigned long long)s->restored,
            (unsigned long long)s->restore_refused);
    return true;
}

/* ---- node and drivers ---- */

/* What others may pass on of us: an address in numbers at which somebody can be. */
static void find_place(struct era_daemon *d)
{
    struct era_place place;
    if (era_place_parse(d->advertised, &place) && era_place_class(&place) != ERA_PLACE_UNUSABLE)
        d->place = place;
    else if (d->advertised[0] != '\0' && d->config.neighbours > 0)
        era_log(ERA_LOG_NOTICE, "peers cannot pass on the address %s: set `advertise` to tcp://IP:PORT",
                d->advertised);
}

static int read_store(void *ctx, struct era_bytes key, struct era_bytes *value)
{
    const struct era_daemon *d = ctx;
    return era_store_read(d->store, key, value);
}

static void make_node(struct era_daemon *d)
{
    struct era_root root;
    randombytes_buf(root.b, sizeof root.b);
    const struct era_config *c = &d->config;
    struct era_node_config config = {.charter = &d->charter,
                                     .network = d->network,
                                     .node_key = d->node_key,
                                     .proves = era_noise_proves_node,
                                     .secret = d->has_secret ? &d->secret : NULL,
                                     .versions = c->versions,
                                     .staged = c->staged,
                                     .agent = AGENT,
                                     .listen = d->advertised,
                                     .links_target = c->neighbours,
                                     .place = d->place,
                                     .node_secret = &d->node_secret,
                                     .anchors = (const char *const *)c->peers.items,
                                     .anchor_count = c->peers.count,
                                     .anchor_keys = (const struct era_key *const *)c->peer_keys,
                                     .artefacts = (const char *const *)c->artefacts.items,
                                     .artefact_count = c->all_artefacts ? 0 : c->artefacts.count,
                                     .auto_announced = c->auto_ready.announced,
                                     .auto_dropped = c->auto_ready.dropped,
                                     .auto_soft = c->auto_ready.soft,
                                     .auto_breaking = c->auto_ready.breaking,
                                     .read = read_store,
                                     .read_ctx = d,
                                     .root = root};
    d->node = era_node_new(&config);
}

static bool open_links(struct era_daemon *d, struct era_error *err)
{
    char bound[ERA_ADDRESS_BYTES_MAX + 1];
    /* Room for strangers, and for those on their way out, when all places for peers are taken. */
    d->links = era_link_driver_new(ERA_LINKS_MAX + 2 * ERA_HANDSHAKES_MAX, &d->channel);
    sodium_memzero(&d->channel.mine, sizeof d->channel.mine);
    if (!d->links)
        return era_error_errno(err, -errno, "links", "start the links");
    for (size_t i = 0; i < d->config.listen.count; i++) {
        int rc = era_link_driver_listen(d->links, d->config.listen.items[i], bound);
        if (rc != 0)
            return era_error_errno(err, rc, d->config.listen.items[i], "listen for peers");
        era_log(ERA_LOG_NOTICE, "listening for peers on %s", bound);
        if (i == 0)
            era_text_set(d->advertised, sizeof d->advertised, bound);
    }
    if (d->config.advertise)
        era_text_set(d->advertised, sizeof d->advertised, d->config.advertise);
    return true;
}

static bool open_sockets(struct era_daemon *d, struct era_error *err)
{
    char path[PATH_BYTES];
    uint8_t *refusal;
    struct era_response no = {.status = ERA_EXIT_PERMISSION,
                              .code = era_verdict_code(ERA_PERMISSION),
                              .text = era_verdict_text(ERA_PERMISSION),
                              .where = d->config.control,
                              .cure = era_verdict_cure(ERA_PERMISSION)};
    size_t len = era_response_encode(&no, &refusal);
    struct era_control_config config = {.path = d->config.control,
                                        .owns_state = true,
                                        .allowed_uids = {0, geteuid()},
                                        .refusal = {refusal, len}};
    int rc = era_control_server_new(&config, &d->control);
    free(refusal);
    if (rc != 0)
        return era_error_errno(err, rc, d->config.control, "open the control socket");
    if (!state_path(d, "signal.sock", path, err))
        return false;
    rc = era_signal_server_new(path, true, &d->signals);
    return rc == 0 || era_error_errno(err, rc, path, "open the signal socket");
}

bool era_daemon_open(struct era_daemon *d, const struct era_daemon_options *options, struct era_error *err)
{
    d->options = *options;
    d->lock_fd = -1;
    era_heap_begin(&d->heap);
    if (sodium_init() < 0)
        return era_error_set(err, ERA_EXIT_BUG, "libsodium", "", "cannot start libsodium");
    if (!era_config_load(options->config_path, &d->config, err) || !open_charter(d, err))
        return false;
    if (options->check_only)
        return true;
    if (!open_state(d, err) || !keep_charter(d, err) || !open_keys(d, err) || !open_store(d, err))
        return false;
    if (options->reset_epoch && !reset_epoch(d, err))
        return false;
    d->base = event_base_new();
    if (!d->base)
        return era_error_set(err, ERA_EXIT_BUG, "libevent", "", "cannot start the event loop");
    if (!open_links(d, err))
        return false;
    find_place(d);
    make_node(d);
    if (!restore(d, err))
        return false;
    int rc = era_writer_start(d->store, 4 * ERA_NODE_BATCHES_MAX, &d->writer);
    if (rc != 0)
        return era_error_errno(err, rc, d->config.state_dir, "start the store's writer");
    d->hasher = era_hasher_new();
    if (!d->hasher)
        return era_error_set(err, ERA_EXIT_TRY_LATER, "hasher", "free memory", "cannot start a thread");
    if (!open_sockets(d, err))
        return false;
    if (d->config.hook)
        d->hook = era_hook_new(d->base, d->config.hook, d->config.state_dir);
    if (d->config.http[0]) {
        d->http = era_http_new(d->base, d->config.http, d->node, era_daemon_info, d, err);
        if (!d->http)
            return false;
        era_log(ERA_LOG_NOTICE, "observers: http://%s", era_http_bound(d->http));
    }
    return true;
}

void era_daemon_close(struct era_daemon *d)
{
    era_http_free(d->http);
    era_hook_free(d->hook);
    era_signal_server_free(d->signals);
    era_control_server_free(d->control);
    era_link_driver_free(d->links);
    era_hasher_free(d->hasher);
    era_writer_free(d->writer); /* commits what is queued */
    era_node_free(d->node);
    era_store_close(d->store);
    struct event *events[] = {d->link_event,   d->control_event, d->signal_event,   d->writer_event,
                              d->hasher_event, d->timer,         d->stop_events[0], d->stop_events[1],
                              d->reload_event, d->heap_event};
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        if (events[i])
            event_free(events[i]);
    if (d->base)
        event_base_free(d->base);
    sodium_memzero(&d->secret, sizeof d->secret);
    sodium_memzero(&d->node_secret, sizeof d->node_secret);
    sodium_memzero(&d->channel, sizeof d->channel);
    era_charter_clear(&d->charter);
    era_config_clear(&d->config);
    if (d->lock_fd >= 0)
        close(d->lock_fd);
}
