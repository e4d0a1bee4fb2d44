/* The node's status, in one answer. */
#include "src/erad/report.h"

#include <assert.h>
#include <stdlib.h>

#include "src/base/textkey.h"
#include "src/core/charter.h"
#include "src/core/epoch.h"
#include "src/erad/report_parts.h"

#define AGENT PACKAGE_NAME "/" PACKAGE_VERSION

const char *era_report_lock_name(enum era_lock lock)
{
    switch (lock) {
    case ERA_LOCK_NONE:
        return "none";
    case ERA_LOCK_STARTING:
        return "starting";
    case ERA_LOCK_MISSING:
        return "missing";
    }
    return "none";
}

static void put_identity(const struct era_node *n, const struct era_report_info *info, json_t *o)
{
    char key[ERA_KEY_TEXT_BYTES];
    const struct era_charter *c = era_node_charter(n), *counting = era_node_counting_charter(n);
    int validator = era_node_validator(n);
    bool staked = validator >= 0 && !counting->authority_only;
    report_put(o, "name", report_text(c->name));
    report_put(o, "network", report_hash(era_node_network(n)));
    report_put(o, "charter_version", report_number(c->version));
    report_put(o, "charter_hash", report_hash(&c->hash));
    report_put(o, "agent", report_text(AGENT));
    report_put(o, "node_key", report_text(era_key_text(&info->node_key, key)));
    report_put(o, "versions", report_versions(era_node_versions(n)));
    report_put(o, "staged", report_versions(era_node_staged(n)));
    report_put(o, "validator", staked ? report_text(counting->validators[validator].name) : json_null());
    report_put(o, "stake", staked ? report_stake(counting->validators[validator].stake) : json_null());
    report_put(o, "emitter",
               validator >= 0 && !staked ? report_text(counting->emitters[validator].name) : json_null());
    report_put(o, "lock", report_text(era_report_lock_name(era_node_lock(n))));
    report_put(o, "pid", report_number((uint64_t)info->pid));
    report_put(o, "uptime_ms", report_number(info->uptime_ms));
}

static json_t *clock_of(const struct era_node *n)
{
    const struct era_clock_params *clock = &era_node_charter(n)->clock;
    uint64_t reading = era_node_reading(n), next = era_epoch_start(clock, era_add_sat(era_node_epoch(n), 1));
    bool wall = clock->kind == ERA_CLOCK_WALL;
    json_t *o = report_object();
    report_put(o, "kind", report_text(wall ? "wall" : "height"));
    report_put(o, "epoch", report_number(era_node_epoch(n)));
    report_put(o, "reading", report_number(reading));
    report_put(o, "epoch_ms", report_number(clock->epoch_ms));
    report_put(o, "next_epoch_in_ms",
               wall && next != UINT64_MAX ? report_number(next > reading ? next - reading : 0) : json_null());
    report_put(o, "in_doubt", report_bool(era_node_clock(n)->doubtful));
    return o;
}

static json_t *gate_of_network(const struct era_node *n)
{
    int component = era_node_network_component(n);
    json_t *o = report_object();
    report_gate_put(n, o, component, era_node_gate(n, component));
    return o;
}

/* Forked: the last undisputed record is shown (R12). */
static json_t *component_of(const struct era_node *n, int component)
{
    struct era_view v;
    era_node_view(n, component, &v);
    const struct era_record *r = v.last < 0 ? NULL : &v.plan->entries[v.last].record;
    json_t *o = report_object();
    report_put(o, "id", report_text(era_node_charter(n)->components[component].id));
    report_put(o, "gate", report_text(era_gate_name(era_node_gate(n, component)->state)));
    report_put(o, "era", r ? report_number(r->era) : json_null());
    report_put(o, "era_name", r ? report_text(r->era_name) : json_null());
    report_put(o, "version", r ? report_text(r->version) : json_null());
    report_put(o, "head", v.head ? report_hash(&v.head->proposal) : json_null());
    report_put(o, "seq", v.head ? report_number(v.head->seq) : json_null());
    report_put(o, "forked", report_bool(v.forked));
    return o;
}

static json_t *peers_of(const struct era_node *n, const struct era_report_info *info)
{
    struct era_peer_info *peers = calloc(ERA_LINKS_MAX, sizeof *peers);
    uint64_t up = 0;
    assert(peers);
    size_t count = era_gossip_peers(era_node_gossip(n), peers, ERA_LINKS_MAX);
    for (size_t i = 0; i < count && i < ERA_LINKS_MAX; i++)
        up += peers[i].state == ERA_PEER_UP;
    free(peers);
    json_t *o = report_object();
    report_put(o, "up", report_number(up));
    report_put(o, "configured", report_number(info->peers_configured));
    return o;
}

static json_t *adoption_of(const struct era_node *n)
{
    struct era_adoption *a = malloc(sizeof *a);
    assert(a);
    era_node_adoption(n, a);
    json_t *o = report_object(), *software = report_array();
    for (size_t i = 0; i < a->count; i++) {
        json_t *v = report_object();
        report_put(v, "version", report_text(a->software[i].version));
        report_put(v, "stake", report_stake(a->software[i].stake));
        report_add(software, v);
    }
    report_put(o, "total", report_stake(a->stake_sum));
    report_put(o, "quorum", report_stake(a->quorum));
    report_put(o, "fresh", report_stake(a->fresh_stake));
    report_put(o, "blocked", report_stake(a->blocked_stake));
    report_put(o, "staged", report_stake(a->staged_stake));
    report_put(o, "same_view", report_stake(a->same_view_stake));
    report_put(o, "other_view", report_stake(a->other_view_stake));
    report_put(o, "software", software);
    report_put(o, "other", report_stake(a->other_stake));
    free(a);
    return o;
}

/* M8: would the quorum survive each switch to come? */
static json_t *next_of(const struct era_node *n)
{
    const struct era_charter *c = era_node_charter(n), *counting = era_node_counting_charter(n);
    json_t *all = report_array();
    for (size_t comp = 0; comp < c->component_count; comp++) {
        struct era_view v;
        era_node_view(n, (int)comp, &v);
        for (size_t i = 0; i < v.plan->count; i++) {
            const struct era_entry *e = &v.plan->entries[i];
            if (e->has_effective && e->effective <= era_node_epoch(n))
                continue;
            json_t *o = report_object();
            report_put(o, "component", report_text(c->components[comp].id));
            report_put(o, "entry", report_entry(n, v.plan, i, v.current));
            report_put(o, "supporting",
                       report_stake(era_adoption_supporting(era_node_counting_ledger(n), era_node_epoch(n),
                                                            &e->record)));
            report_put(o, "needed",
                       report_stake(counting->authority_only ? 0 : era_charter_quorum(counting)));
            report_add(all, o);
        }
    }
    return all;
}

static json_t *proposals_of(const struct era_node *n)
{
    json_t *all = report_array();
    for (size_t comp = 0; comp < era_node_charter(n)->component_count; comp++) {
        const struct era_slot *const *slots;
        size_t count = era_ledger_slots(era_node_ledger(n), (int)comp, &slots);
        for (size_t i = 0; i < count; i++)
            for (const struct era_candidate *c = slots[i]->candidates; c; c = c->slot_next)
                if (c->known)
                    report_add(all, report_proposal_short(n, c));
    }
    return all;
}

static void put_counts(const struct era_node *n, json_t *o)
{
    const struct era_node_stats *s = era_node_stats(n);
    json_t *store = report_object(), *events = report_object();
    report_put(store, "failed", report_bool(era_node_store_failed(n)));
    report_put(store, "statements", report_number(era_ledger_count(era_node_ledger(n))));
    report_put(events, "emitted", report_number(s->events_emitted));
    report_put(events, "delivered", report_number(s->events_delivered));
    report_put(events, "held", report_number(era_gossip_set_size(era_node_gossip(n), ERA_SET_EVENTS)));
    report_put(o, "store", store);
    report_put(o, "events", events);
}

json_t *era_report_status(const struct era_node *n, const struct era_report_info *info)
{
    struct era_hash digest = era_view_digest(era_node_ledger(n));
    json_t *o = report_answer("status"), *components = report_array();
    for (size_t i = 0; i < era_node_charter(n)->component_count; i++)
        report_add(components, component_of(n, (int)i));
    put_identity(n, info, o);
    report_put(o, "clock", clock_of(n));
    report_put(o, "gate", gate_of_network(n));
    report_put(o, "components", components);
    report_put(o, "view_digest", report_hash(&digest));
    report_put(o, "peers", peers_of(n, info));
    report_put(o, "adoption", adoption_of(n));
    report_put(o, "next", next_of(n));
    report_put(o, "proposals", proposals_of(n));
    put_counts(n, o);
    return o;
}
