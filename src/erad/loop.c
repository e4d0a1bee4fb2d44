/* The loop: what the world says becomes events; one step at a time. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/erad/daemon.h"
#include "src/erad/log.h"

/* Events of one source taken in a row, so that none starves the others. */
#define TURN_MAX 64
/* …and so long, about: a link's event may cost a thousand times another's. */
#define TURN_MS 2
/* One line for each kind of fault in so long: strangers do not fill the log; they are counted. */
#define REFUSAL_LINE_MS 10000

void era_daemon_info(void *daemon, struct era_report_info *info)
{
    struct era_daemon *d = daemon;
    info->pid = (int)getpid();
    info->now_ms = era_daemon_now_ms();
    info->uptime_ms = info->now_ms - d->started_ms;
    info->peers_configured = d->config.peers.count;
    info->node_key = d->node_key;
    info->links = era_link_driver_counts(d->links);
}

void era_daemon_stop(struct era_daemon *d, int status)
{
    if (d->stopping)
        return;
    d->stopping = true;
    d->exit_status = status;
    event_base_loopbreak(d->base);
}

static void arm_timer(struct era_daemon *d)
{
    uint64_t deadline = era_node_deadline_ms(d->node), now = era_daemon_now_ms();
    if (deadline == UINT64_MAX) {
        event_del(d->timer);
        return;
    }
    uint64_t wait = deadline > now ? deadline - now : 0;
    struct timeval t = {.tv_sec = (time_t)(wait / 1000), .tv_usec = (suseconds_t)(wait % 1000 * 1000)};
    event_add(d->timer, &t);
}

/* While much waits for the disk, links are not read: back-pressure reaches the peers. */
static void pause_links(struct era_daemon *d)
{
    bool pause = era_node_congested(d->node);
    if (pause == d->links_paused)
        return;
    d->links_paused = pause;
    if (pause)
        event_del(d->link_event);
    else
        event_add(d->link_event, NULL);
}

void era_daemon_step(struct era_daemon *d, struct era_event *ev)
{
    const struct era_effect *effects;
    ev->now_ms = era_daemon_now_ms();
    ev->wall_ms = era_daemon_wall_ms();
    size_t n = era_node_step(d->node, ev, &effects);
    for (size_t i = 0; i < n; i++)
        era_daemon_apply(d, &effects[i]);
    while (d->failed_dials > 0) { /* refused by the driver at once */
        struct era_event failed = {.kind = ERA_EV_DIAL_FAILED, .address = d->failed_dial[--d->failed_dials]};
        failed.now_ms = era_daemon_now_ms();
        failed.wall_ms = era_daemon_wall_ms();
        n = era_node_step(d->node, &failed, &effects);
        for (size_t i = 0; i < n; i++)
            era_daemon_apply(d, &effects[i]);
    }
    pause_links(d);
    arm_timer(d);
}

/* ---- sources ---- */

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd, (void)what;
    era_daemon_step(ctx, &(struct era_event){.kind = ERA_EV_TICK});
}

static void on_heap(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd, (void)what;
    struct era_daemon *d = ctx;
    if (!era_heap_is_over(&d->heap))
        return;
    era_node_rest(d->node);
    era_writer_rest(d->writer);
    era_store_rest(d->store);
    era_heap_trim();
}

static void tell_fault(struct era_daemon *d, const struct era_link_event *l)
{
    uint64_t now_ms = era_daemon_now_ms(), *told_ms = &d->refusals_told_ms[l->verdict];
    if (l->verdict == ERA_ACCEPTED || (*told_ms != 0 && now_ms - *told_ms < REFUSAL_LINE_MS))
        return;
    *told_ms = now_ms;
    era_log(ERA_LOG_WARNING, "link with %s ended: %s (%s); %s; %llu so far, see `eractl peers`", l->address,
            era_verdict_text(l->verdict), era_verdict_code(l->verdict), era_verdict_cure(l->verdict),
            (unsigned long long)era_link_driver_counts(d->links)->ended[l->verdict]);
}

/* By what its last frame was worth. */
static void pace_reading(struct era_daemon *d, uint64_t link)
{
    const struct era_gossip *g = era_node_gossip(d->node);
    uint64_t rest_ms = era_gossip_rest_ms(g, link);
    era_link_driver_favour(d->links, link, era_gossip_is_useful(g, link));
    if (rest_ms > 0)
        era_link_driver_rest(d->links, link, rest_ms);
}

static void link_event(struct era_daemon *d, const struct era_link_event *l)
{
    struct era_event ev = {.link = l->link, .outgoing = l->outgoing, .address = l->address};
    switch (l->kind) {
    case ERA_LINK_UP:
        ev.kind = ERA_EV_LINK_UP;
        ev.proven = l->peer;
        ev.found = l->found;
        break;
    case ERA_LINK_DIAL_FAILED:
        tell_fault(d, l);
        ev.kind = ERA_EV_DIAL_FAILED;
        break;
    case ERA_LINK_REFUSED:
        tell_fault(d, l);
        ev.kind = ERA_EV_REFUSED;
        break;
    case ERA_LINK_FRAME:
        ev.kind = ERA_EV_FRAME;
        ev.bytes = l->bytes;
        d->heap.heard_bytes += l->bytes.len;
        break;
    case ERA_LINK_SENT:
        ev.kind = ERA_EV_SENT;
        ev.count = l->sent;
        break;
    case ERA_LINK_DOWN:
        tell_fault(d, l);
        ev.kind = ERA_EV_LINK_DOWN;
        ev.verdict = l->verdict;
        break;
    }
    era_daemon_step(d, &ev);
    if (l->kind == ERA_LINK_FRAME)
        pace_reading(d, l->link);
}

static enum era_verdict screen(void *ctx, const char *address)
{
    const struct era_daemon *d = ctx;
    return era_gossip_screen(era_node_gossip(d->node), era_daemon_now_ms(), address);
}

static void on_links(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd, (void)what;
    struct era_daemon *d = ctx;
    struct era_link_event l;
    uint64_t began_ms = era_daemon_now_ms();
    for (int i = 0; i < TURN_MAX && !d->links_paused && era_daemon_now_ms() - began_ms < TURN_MS &&
                    era_link_driver_poll(d->links, &l);
         i++)
        link_event(d, &l);
}

static void on_writer(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd, (void)what;
    struct era_daemon *d = ctx;
    uint64_t token;
    int result;
    while (era_writer_poll(d->writer, &token, &result)) {
        if (result != 0)
            era_writer_resume(d->writer); /* what was lost is refused; later statements may fit again */
        era_daemon_step(d, &(struct era_event){.kind = ERA_EV_STORED, .token = token, .error = result});
    }
}

static void on_control(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd, (void)what;
    struct era_daemon *d = ctx;
    uint64_t request;
    struct era_bytes bytes;
    for (int i = 0; i < TURN_MAX && era_control_server_poll(d->control, &request, &bytes); i++) {
        d->heap.heard_bytes += bytes.len;
        era_daemon_control(d, request, bytes);
    }
}

/* Subscribers come and go, and slow ones are written to. */
static void on_signals(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd, (void)what;
    struct era_daemon *d = ctx;
    era_signal_server_serve(d->signals);
}

static void on_hasher(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd, (void)what;
    struct era_daemon *d = ctx;
    uint64_t job;
    bool ok;
    char digest[ERA_DIGEST_BYTES_MAX + 1];
    struct era_error err;
    while (era_hasher_poll(d->hasher, &job, &ok, digest, &err))
        era_daemon_hashed(d, job, ok, digest, &err);
}

static void on_stop(evutil_socket_t signal, short what, void *ctx)
{
    (void)what;
    era_log(ERA_LOG_NOTICE, "stopping: %s", strsignal(signal));
    era_daemon_stop(ctx, ERA_EXIT_OK);
}

/* SIGHUP: versions and staged versions are read again; the rest needs a restart. */
static void on_reload(evutil_socket_t signal, short what, void *ctx)
{
    (void)signal, (void)what;
    struct era_daemon *d = ctx;
    struct era_config fresh;
    struct era_error err;
    if (!era_config_load(d->options.config_path, &fresh, &err)) {
        era_log(ERA_LOG_ERROR, "reload: %s (%s); the old configuration stays", err.text, err.where);
        return;
    }
    d->config.versions = fresh.versions;
    d->config.staged = fresh.staged;
    era_config_clear(&fresh);
    era_log(ERA_LOG_NOTICE, "reload: versions and staged versions read again");
    era_daemon_step(d, &(struct era_event){.kind = ERA_EV_VERSIONS,
                                           .versions = &d->config.versions,
                                           .staged = &d->config.staged});
}

static struct event *watch(struct era_daemon *d, int fd, short what, event_callback_fn call)
{
    struct event *e = event_new(d->base, fd, what, call, d);
    if (e)
        event_add(e, NULL);
    return e;
}

static bool watch_all(struct era_daemon *d)
{
    era_link_driver_screen(d->links, screen, d);
    d->timer = evtimer_new(d->base, on_timer, d);
    d->link_event = watch(d, era_link_driver_fd(d->links), EV_READ | EV_PERSIST, on_links);
    d->control_event = watch(d, era_control_server_fd(d->control), EV_READ | EV_PERSIST, on_control);
    d->signal_event = watch(d, era_signal_server_fd(d->signals), EV_READ | EV_PERSIST, on_signals);
    d->writer_event = watch(d, era_writer_fd(d->writer), EV_READ | EV_PERSIST, on_writer);
    d->hasher_event = watch(d, era_hasher_fd(d->hasher), EV_READ | EV_PERSIST, on_hasher);
    const struct timeval look = {.tv_sec = ERA_HEAP_LOOK_MS / 1000,
                                 .tv_usec = ERA_HEAP_LOOK_MS % 1000 * 1000};
    d->heap_event = event_new(d->base, -1, EV_PERSIST, on_heap, d);
    if (d->heap_event)
        event_add(d->heap_event, &look);
    d->stop_events[0] = watch(d, SIGTERM, EV_SIGNAL | EV_PERSIST, on_stop);
    d->stop_events[1] = watch(d, SIGINT, EV_SIGNAL | EV_PERSIST, on_stop);
    d->reload_event = watch(d, SIGHUP, EV_SIGNAL | EV_PERSIST, on_reload);
    return d->timer && d->link_event && d->control_event && d->signal_event && d->writer_event &&
           d->heap_event && d->hasher_event && d->stop_events[0] && d->stop_events[1] && d->reload_event;
}

int era_daemon_run(struct era_daemon *d)
{
    char id[ERA_HASH_TEXT_BYTES];
    signal(SIGPIPE, SIG_IGN);
    if (!watch_all(d)) {
        era_log(ERA_LOG_ERROR, "cannot watch descriptors: out of memory");
        return ERA_EXIT_TRY_LATER;
    }
    d->started_ms = era_daemon_now_ms();
    const struct era_charter *counting = era_node_counting_charter(d->node);
    int own = counting->authority_only ? -1 : era_node_validator(d->node);
    era_log(ERA_LOG_NOTICE, "network %s \"%s\"%s%s", era_hash_text(&d->network, id), d->charter.name,
            own >= 0 ? ", validator " : "", own >= 0 ? counting->validators[own].name : "");
    era_daemon_step(d, &(struct era_event){.kind = ERA_EV_START});
    if (!d->stopping)
        event_base_dispatch(d->base);
    era_log(ERA_LOG_NOTICE, "stopped");
    return d->exit_status;
}
