/* What the node asks of the world. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/erad/daemon.h"
#include "src/erad/log.h"

static void connect_to(struct era_daemon *d, const char *address)
{
    if (era_link_driver_dial(d->links, address) == 0)
        return;
    if (d->failed_dials < ERA_PEERS_MAX)
        era_text_set(d->failed_dial[d->failed_dials++], ERA_ADDRESS_BYTES_MAX + 1, address);
}

static void run_hook(struct era_daemon *d, const struct era_signal *s, const char *json)
{
    if (!d->hook || s->component < 0)
        return;
    const char *component = d->charter.components[s->component].id;
    if (s->kind == ERA_SIG_GATE)
        era_hook_run(d->hook, "gate", component, era_gate_name(s->gate.state), s->epoch, json);
    else if (s->kind == ERA_SIG_ERA)
        era_hook_run(d->hook, "era", component, s->gate.current ? s->gate.current->record.era_name : "none",
                     s->epoch, json);
}

static void tell(struct era_daemon *d, const struct era_signal *s)
{
    char topic[ERA_TOPIC_BYTES_MAX + 1];
    if (s->kind == ERA_SIG_EVENT && era_signal_server_subscribers(d->signals) == 0)
        return; /* nobody hears it, and a burst of them costs */
    json_t *json = era_report_signal(d->node, s, topic);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (!text) {
        era_log(ERA_LOG_ERROR, "signal: out of memory");
        return;
    }
    if (era_signal_server_publish(d->signals, topic, text) != 0)
        era_log(ERA_LOG_WARNING, "signal %s: not told to subscribers", topic);
    run_hook(d, s, text);
    free(text);
    if (s->kind == ERA_SIG_GATE && s->component == era_node_network_component(d->node) &&
        s->gate.state == ERA_GATE_BLOCKED && d->config.on_blocked == ERA_ON_BLOCKED_EXIT) {
        era_log(ERA_LOG_ERROR, "blocked, and on_blocked = \"exit\"");
        era_daemon_stop(d, ERA_EXIT_INCOMPATIBLE);
    }
}

static void store(struct era_daemon *d, const struct era_effect *e)
{
    int rc = era_writer_submit(d->writer, e->token, e->puts, e->count);
    if (rc == 0)
        return;
    /* Room for every batch a node may have in flight was asked for, and a batch keeps the store's bounds. */
    era_log(ERA_LOG_ERROR, "store: a batch was refused: %s", strerror(-rc));
    era_daemon_stop(d, ERA_EXIT_BUG);
}

void era_daemon_apply(struct era_daemon *d, const struct era_effect *e)
{
    if (++d->effects_applied == d->options.crash_at_effect)
        raise(SIGKILL);
    switch (e->kind) {
    case ERA_EFF_STORE:
        store(d, e);
        break;
    case ERA_EFF_SEND:
        era_link_driver_send(d->links, e->link, e->bytes);
        break;
    case ERA_EFF_CLOSE:
        era_link_driver_close(d->links, e->link, true);
        break;
    case ERA_EFF_CONNECT:
        connect_to(d, e->text);
        break;
    case ERA_EFF_REPLY:
        era_daemon_reply(d, &e->reply);
        break;
    case ERA_EFF_SIGNAL:
        tell(d, &e->signal);
        break;
    case ERA_EFF_LOG:
        era_log((int)e->level, "%s", e->text);
        break;
    }
}
