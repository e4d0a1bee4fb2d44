#include "src/node/node.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "p2p/reconcile.h"
#include "src/base/numbers.h"
#include "src/base/prng.h"
#include "src/base/textkey.h"
#include "src/core/charter.h"
#include "src/core/epoch.h"
#include "src/core/plan.h"
#include "src/node/node_internal.h"

/* A wall clock may be set: look at it at least so often. */
#define WALL_CHECK_MS   1000
#define REFUSED_TELL_MS 5000

/* ---- life ---- */

static bool fetch_item(void *ctx, enum era_set set, const struct era_hash *item, struct era_bytes *out)
{
    const struct era_node *n = ctx;
    if (set == ERA_SET_EVENTS)
        return era_events_fetch(n->events, item, out);
    const struct era_ledger *ledger;
    const struct era_item *held = node_find(n, item, &ledger);
    if (!held || !held->offered) /* what left reconciliation is not served either (R15) */
        return false;
    return era_ledger_body(ledger, held, out);
}

static bool has_item(void *ctx, enum era_set set, const struct era_hash *item)
{
    const struct era_node *n = ctx;
    return set == ERA_SET_EVENTS ? era_events_seen(n->events, item) : node_find(n, item, NULL) != NULL;
}

/* A book's index and a ledger's number. The books of a long chain have none. */
#define NUMBER_BITS 24

static bool number_item(void *ctx, enum era_set set, const struct era_hash *item, uint32_t *out)
{
    const struct era_node *n = ctx;
    if (set == ERA_SET_EVENTS)
        return false;
    for (size_t i = n->book_count; i-- > 0;) {
        uint32_t number = era_ledger_number(n->books[i]->ledger, item);
        if (number == 0)
            continue;
        *out = (uint32_t)i << NUMBER_BITS | number;
        return i < ERA_ID_NUMBERS >> NUMBER_BITS;
    }
    return false;
}

static const struct era_hash *named_item(void *ctx, uint32_t number)
{
    const struct era_node *n = ctx;
    return era_ledger_named(n->books[number >> NUMBER_BITS]->ledger, number & ERA_NUMBER_MAX);
}

static size_t count_pending(void *ctx)
{
    return node_pending_count(ctx);
}

static bool record_fits(void *ctx, const struct era_key *key, const struct era_hash *digest,
                        const struct era_signature *signature)
{
    (void)ctx;
    return era_signature_fits(key, digest, signature);
}

static void make_parts(struct era_node *n)
{
    const struct era_node_config *c = &n->config;
    era_root_siphash_key(&c->root, "node: tables", &n->table_key);
    node_books_init(n);
    struct era_gossip_config g = {.network = c->network,
                                  .node = c->node_key,
                                  .versions = c->versions,
                                  .agent = c->agent,
                                  .listen = c->listen,
                                  .root = era_root_child(&c->root, "gossip"),
                                  .protocol_min = ERA_PROTOCOL_MIN,
                                  .protocol_max = ERA_PROTOCOL_MAX,
                                  .fetch = fetch_item,
                                  .has = has_item,
                                  .number = number_item,
                                  .named = named_item,
                                  .pending = count_pending,
                                  .links_target = c->links_target,
                                  .fits = record_fits,
                                  .ctx = n,
                                  .proves = c->proves};
    n->gossip = era_gossip_new(&g);
    for (size_t i = 0; i < c->anchor_count; i++) {
        era_gossip_add_anchor(n->gossip, c->anchors[i]);
        if (c->anchor_keys && c->anchor_keys[i])
            era_gossip_pin_anchor(n->gossip, c->anchors[i], c->anchor_keys[i]);
    }
}

struct era_node *era_node_new(const struct era_node_config *config)
{
    struct era_node *n = calloc(1, sizeof *n);
    assert(n);
    n->config = *config;
    n->next_token = 1;
    n->rebuilds = calloc(ERA_REBUILDS_MAX, sizeof *n->rebuilds);
    n->adoption = calloc(1, sizeof *n->adoption);
    assert(n->rebuilds && n->adoption);
    make_parts(n);
    return n;
}

void era_node_free(struct era_node *n)
{
    if (!n)
        return;
    era_gossip_free(n->gossip);
    node_batches_free(n);
    era_events_free(n->events);
    era_clock_free(n->clock);
    era_fresh_clear(&n->fresh);
    node_books_free(n);
    node_effects_free(n);
    era_adoption_forget(n->adoption);
    free(n->adoption);
    free(n->rebuilds);
    free(n);
}

/* ---- time ---- */

uint64_t era_node_reading(const struct era_node *n)
{
    return n->config.charter->clock.kind == ERA_CLOCK_HEIGHT ? n->height : n->wall_ms;
}

/* R14: never decreasing within a run, nor below the high-water mark. */
static void move_clock(struct era_node *n)
{
    uint64_t epoch = era_epoch_at(&n->config.charter->clock, era_node_reading(n));
    if (epoch < n->high_water)
        epoch = n->high_water;
    if (n->gates_known && epoch <= n->epoch)
        return;
    n->epoch = epoch > n->epoch ? epoch : n->epoch;
    node_count(n);
    n->gate_dirty = n->votes_dirty = n->clock_dirty = n->armed_dirty = true;
    era_gossip_forget_refused(n->gossip); /* what was too early may fit now */
    node_expire_events(n);
    if (n->gates_known)
        node_signal(n, ERA_SIG_EPOCH, -1);
}

uint64_t era_node_deadline_ms(const struct era_node *n)
{
    uint64_t deadline = era_gossip_deadline_ms(n->gossip);
    if (n->config.charter->clock.kind == ERA_CLOCK_WALL) {
        uint64_t next = era_epoch_start(&n->config.charter->clock, era_add_sat(n->epoch, 1));
        uint64_t due = node_announce_reading(n);
        next = due < next ? due : next;
        uint64_t left = next > n->wall_ms ? next - n->wall_ms : 0;
        if (left > WALL_CHECK_MS)
            left = WALL_CHECK_MS;
        uint64_t at = era_add_sat(n->now_ms, left);
        if (at < deadline)
            deadline = at;
    }
    return n->clock_word.recheck_ms < deadline ? n->clock_word.recheck_ms : deadline;
}

/* ---- view and gates ---- */

void node_view_at(const struct era_node *n, int component, uint64_t epoch, struct era_view *out)
{
    era_view_at(n->ledger, &n->initial[component], component, epoch, out);
    if (n->charter_forked) {
        out->forked = true;
        out->current = -1;
    }
}

void era_node_view(const struct era_node *n, int component, struct era_view *out)
{
    node_view_at(n, component, n->epoch, out);
}

/* Own rebuild of what is in force differs from what was signed (T5). */
static bool rebuild_differs(const struct era_node *n, const struct era_entry *e)
{
    if (!e)
        return false;
    for (size_t a = 0; a < e->record.artefact_count; a++) {
        const struct era_rebuild *r =
            era_rebuild_find(n->rebuilds, n->rebuild_count, &e->hash, e->record.artefacts[a].name);
        if (r && strcmp(r->digest, e->record.artefacts[a].digest) != 0)
            return true;
    }
    return false;
}

static void tell_gate(struct era_node *n, int component, const struct era_gate *gate,
                      enum era_gate_state before)
{
    struct era_signal *s = node_signal(n, ERA_SIG_GATE, component);
    s->gate = *gate;
    s->before = before;
    const char *name = n->charter->components[component].id;
    if (gate->unleased) {
        node_log(n, ERA_LOG_WARNING, "%s: gate stale: leases of epoch %llu by stake %llu, needed %llu", name,
                 (unsigned long long)n->epoch, (unsigned long long)gate->lease_stake,
                 (unsigned long long)n->counting->quorum);
        return;
    }
    bool stops = !era_gate_may_emit(gate->state);
    char why[2 * ERA_RANGE_BYTES_MAX + 64] = "";
    int kind = gate->version_kind;
    if (gate->cause && kind >= 0)
        snprintf(why, sizeof why, "; requires %s %s, runs %s", era_version_kind_names[kind],
                 gate->cause->record.requires.v[kind],
                 n->config.versions.v[kind][0] ? n->config.versions.v[kind] : "an unknown one");
    if (gate->cause)
        node_log(n, stops ? ERA_LOG_WARNING : ERA_LOG_NOTICE,
                 "%s: gate %s: %s %s, era %llu \"%s\", epoch %llu%s", name, era_gate_name(gate->state), name,
                 gate->cause->record.version, (unsigned long long)gate->cause->record.era,
                 gate->cause->record.era_name, (unsigned long long)n->epoch, why);
    else
        node_log(n, stops ? ERA_LOG_WARNING : ERA_LOG_NOTICE, "%s: gate %s, epoch %llu", name,
                 era_gate_name(gate->state), (unsigned long long)n->epoch);
}

static void tell_era(struct era_node *n, int component, const struct era_entry *e)
{
    struct era_signal *s = node_signal(n, ERA_SIG_ERA, component);
    s->gate.current = e;
    if (e)
        node_log(n, ERA_LOG_NOTICE, "%s: era %llu \"%s\" (version %s) is in force since epoch %llu",
                 n->charter->components[component].id, (unsigned long long)e->record.era, e->record.era_name,
                 e->record.version, (unsigned long long)e->effective);
    else
        node_log(n, ERA_LOG_WARNING, "%s: no era is in force", n->charter->components[component].id);
}

static struct era_gate_input gate_input(const struct era_node *n, const struct era_view *view)
{
    return (struct era_gate_input){.view = view,
                                   .versions = &n->config.versions,
                                   .staged = &n->config.staged,
                                   .fresh = true,
                                   .mismatch = rebuild_differs(n, era_view_entry(view)),
                                   .clock = n->clock_word.doubtful};
}

void node_gate_at(const struct era_node *n, int component, uint64_t epoch, struct era_gate *out)
{
    struct era_view view;
    node_view_at(n, component, epoch, &view);
    struct era_gate_input in = gate_input(n, &view);
    era_gate_judge(&in, out);
}

/* N7: leases of this epoch for one's own entry. */
static uint64_t lease_stake(struct era_node *n, const struct era_hash *entry)
{
    struct lease_quorum *q = &n->lease_quorum;
    if (q->some && q->epoch == n->epoch && era_hash_eq(&q->entry, entry))
        return q->stake;
    uint64_t stake = era_lease_stake(n->counting->ledger, n->epoch, entry);
    *q = (struct lease_quorum){stake >= n->counting->quorum, n->epoch, stake, *entry};
    return stake;
}

static void judge_component(struct era_node *n, int component, bool fresh)
{
    const struct era_charter *c = n->counting->charter;
    struct era_view view;
    era_node_view(n, component, &view);
    const struct era_entry *e = era_view_entry(&view);
    struct era_gate_input in = gate_input(n, &view);
    in.fresh = fresh;
    if (c->strict_emission && component == n->network_component && e) {
        in.lease_stake = lease_stake(n, &e->hash);
        in.unleased = in.lease_stake < n->counting->quorum;
    }
    struct era_gate *gate = &n->gates[component];
    struct told *told = &n->told[component], now = {0};
    era_gate_judge(&in, gate);
    now.state = gate->state;
    now.epochs_left = gate->epochs_left;
    now.unleased = gate->unleased;
    bool first = !n->gates_known;
    /* CLOCK: nothing is activated by a clock in doubt; it is told when the doubt is over (R14). */
    if (n->clock_word.doubtful && !first)
        now.in_force = told->in_force;
    else if (e)
        now.in_force = e->hash;
    if (gate->cause)
        now.cause = gate->cause->hash;
    if (first || !era_hash_eq(&now.in_force, &told->in_force))
        tell_era(n, component, e);
    if (first || now.state != told->state || now.epochs_left != told->epochs_left ||
        now.unleased != told->unleased || !era_hash_eq(&now.cause, &told->cause))
        tell_gate(n, component, gate, first ? now.state : told->state);
    *told = now;
}

/* R14: a clock that is set back, or a height not yet fed, must not bring an old era back after a restart.
 * Only an epoch that a quorum announced is kept: a clock that jumped ahead binds nobody for ever. */
static void keep_high_water(struct era_node *n)
{
    const struct era_charter *c = n->counting->charter;
    if (n->epoch <= n->high_water)
        return;
    if (!c->authority_only && era_ledger_fresh_stake(n->counting->ledger, n->epoch) < n->counting->quorum)
        return;
    uint8_t value[8];
    n->high_water = n->epoch;
    era_put_be64(value, n->high_water);
    node_put_alone(n, era_record_meta(ERA_META_EPOCH_HIGH), (struct era_bytes){value, sizeof value});
}

static void judge_gates(struct era_node *n)
{
    const struct era_charter *c = n->counting->charter;
    node_judge_clock(n);
    if (!n->gate_dirty && !n->announced_dirty)
        return;
    if (n->gate_dirty)
        era_fresh_forget(&n->fresh);
    n->gate_dirty = n->announced_dirty = false;
    /* Fresh: announced for the present epoch or the one before it (N6). */
    n->fresh_stake = era_fresh_stake(&n->fresh, n->counting->ledger, n->epoch > 0 ? n->epoch - 1 : 0);
    bool fresh = c->authority_only || n->fresh_stake >= n->counting->quorum;
    keep_high_water(n);
    for (size_t i = 0; i < n->charter->component_count; i++)
        judge_component(n, (int)i, fresh);
    n->gates_known = true;
    enum era_gate_state state = n->gates[n->network_component].state;
    era_gossip_set_blocked(n->gossip, n->now_ms, state == ERA_GATE_BLOCKED || state == ERA_GATE_MISMATCH);
}

/* ---- the step ---- */

/* At each power of two: it is dialled again and again. */
static void tell_other_key(struct era_node *n, const char *address)
{
    struct era_other_key others[ERA_PEERS_MAX];
    char wanted[ERA_KEY_TEXT_BYTES], answered[ERA_KEY_TEXT_BYTES];
    size_t count = era_gossip_other_keys(n->gossip, others, ERA_PEERS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct era_other_key *o = &others[i];
        if (strcmp(o->address, address) != 0 || (o->times & (o->times - 1)) != 0)
            continue;
        node_log(n, ERA_LOG_WARNING,
                 "no link with peer %s (%s): node key %s answers there, `peers` says %s; %s", address,
                 era_verdict_code(ERA_OTHER_KEY), era_key_text(&o->answered, answered),
                 era_key_text(&o->wanted, wanted), era_verdict_cure(ERA_OTHER_KEY));
    }
}

/* A link that never came up: another network, no common protocol, no room. Said now and then only, because
 * strangers may knock for ever. */
static void tell_refused(struct era_node *n, const struct era_gossip_action *a)
{
    if (a->verdict == ERA_OTHER_KEY) {
        tell_other_key(n, a->address);
        return;
    }
    if (a->address[0] == '\0' || a->verdict == ERA_DUPLICATE || n->now_ms < n->refused_told_ms)
        return;
    n->refused_told_ms = n->now_ms + REFUSED_TELL_MS;
    node_log(n, ERA_LOG_NOTICE, "no link with %s (%s): %s; %s", a->address, era_verdict_code(a->verdict),
             era_verdict_text(a->verdict), era_verdict_cure(a->verdict));
}

static void tell_down(struct era_node *n, const struct era_gossip_action *a)
{
    const char *code = era_verdict_code(a->verdict), *cure = era_verdict_cure(a->verdict);
    if (a->verdict == ERA_ACCEPTED)
        node_log(n, ERA_LOG_INFO, "link %llu: down (%s), %s", (unsigned long long)a->link, code, a->address);
    else
        node_log(n, ERA_LOG_INFO, "link %llu: down (%s), %s: %s; %s", (unsigned long long)a->link, code,
                 a->address, era_verdict_text(a->verdict), cure);
}

static void run_gossip(struct era_node *n)
{
    const struct era_gossip_action *actions;
    size_t count;
    while ((count = era_gossip_take_actions(n->gossip, &actions)) > 0)
        for (size_t i = 0; i < count; i++) {
            const struct era_gossip_action *a = &actions[i];
            struct era_effect *e;
            switch (a->kind) {
            case ERA_GOSSIP_SEND:
                e = node_effect(n, ERA_EFF_SEND);
                e->link = a->link;
                e->bytes = node_copy(n, a->bytes);
                break;
            case ERA_GOSSIP_CLOSE:
                e = node_effect(n, ERA_EFF_CLOSE);
                e->link = a->link;
                e->verdict = a->verdict;
                tell_refused(n, a);
                break;
            case ERA_GOSSIP_CONNECT:
                e = node_effect(n, ERA_EFF_CONNECT);
                e->text = (const char *)node_copy(
                              n, (struct era_bytes){(const uint8_t *)a->address, strlen(a->address) + 1})
                              .data;
                break;
            case ERA_GOSSIP_DELIVER:
                node_intake(n, &a->opened, a->link, NULL, false);
                break;
            case ERA_GOSSIP_PEER_UP:
                node_met_peer(n);
                node_log(n, ERA_LOG_INFO, "link %llu: up, %s", (unsigned long long)a->link, a->address);
                break;
            case ERA_GOSSIP_PEER_DOWN:
                tell_down(n, a);
                break;
            }
        }
}

static void take_versions(struct era_node *n, const struct era_event *ev)
{
    n->config.versions = *ev->versions;
    n->config.staged = *ev->staged;
    n->gate_dirty = true;
    era_gossip_set_versions(n->gossip, ev->versions);
}

static void take_event(struct era_node *n, const struct era_event *ev)
{
    struct era_gossip *g = n->gossip;
    switch (ev->kind) {
    case ERA_EV_START:
        node_restore_later(n);
        n->started = n->gate_dirty = n->votes_dirty = n->armed_dirty = true;
        n->view_since = n->epoch;
        break;
    case ERA_EV_TICK:
        break;
    case ERA_EV_LINK_UP:
        era_gossip_link_up(g, n->now_ms, ev->link, ev->outgoing, ev->address, ev->proven);
        if (ev->found != NULL)
            era_gossip_found_at(g, ev->link, ev->found);
        break;
    case ERA_EV_LINK_DOWN:
        era_gossip_link_down(g, n->now_ms, ev->link, ev->verdict);
        break;
    case ERA_EV_DIAL_FAILED:
        era_gossip_dial_failed(g, n->now_ms, ev->address);
        break;
    case ERA_EV_REFUSED:
        era_gossip_stranger_gone(g, n->now_ms, ev->address);
        break;
    case ERA_EV_FRAME:
        era_gossip_frame(g, n->now_ms, ev->link, ev->bytes);
        break;
    case ERA_EV_SENT:
        era_gossip_sent(g, n->now_ms, ev->link, ev->count);
        break;
    case ERA_EV_STORED:
        node_stored(n, ev->token, ev->error);
        break;
    case ERA_EV_COMMAND:
        node_command(n, ev->command);
        break;
    case ERA_EV_VERSIONS:
        take_versions(n, ev);
        break;
    }
}

size_t era_node_step(struct era_node *n, const struct era_event *ev, const struct era_effect **effects)
{
    node_effects_reset(n);
    if (ev->now_ms > n->now_ms)
        n->now_ms = ev->now_ms;
    n->wall_ms = ev->wall_ms;
    if (ev->kind == ERA_EV_START || n->started)
        move_clock(n);
    node_tell_wall(n);
    if (n->started)
        judge_gates(n); /* an epoch that has just begun may stop what is asked for now */
    take_event(n, ev);
    if (n->started) {
        move_clock(n); /* a height may have come */
        era_gossip_tick(n->gossip, n->now_ms);
        run_gossip(n);
        node_judge_lock(n);
        node_assemble(n);
        judge_gates(n);
        node_announce(n);
        if (n->votes_dirty) {
            n->votes_dirty = false;
            node_cast_votes(n);
            node_cast_charter(n);
        }
        node_tell_armed(n);
        node_drain_changes(n, NULL, 0, false); /* of a charter that was left behind */
        run_gossip(n);                         /* what a commit or a closed gate let out */
        if (n->read_error != 0)
            node_store_failed(n, "read", n->read_error);
        node_flush(n);
    }
    *effects = n->effects;
    return n->effect_count;
}

bool era_node_congested(const struct era_node *n)
{
    return node_pending_count(n) > ERA_NODE_PENDING_MAX;
}

void era_node_rest(struct era_node *n)
{
    for (size_t i = 0; i < n->book_count; i++)
        era_ledger_rest(n->books[i]->ledger);
    era_adoption_forget(n->adoption);
    node_effects_free(n);
}

/* ---- reading ---- */

const struct era_charter *era_node_charter(const struct era_node *n)
{
    return n->charter;
}

const struct era_charter *era_node_counting_charter(const struct era_node *n)
{
    return n->counting->charter;
}

const struct era_ledger *era_node_counting_ledger(const struct era_node *n)
{
    return n->counting->ledger;
}

enum era_lock era_node_lock(const struct era_node *n)
{
    return n->lock;
}

const struct era_hash *era_node_network(const struct era_node *n)
{
    return &n->config.network;
}

const struct era_ledger *era_node_ledger(const struct era_node *n)
{
    return n->ledger;
}

const struct era_gossip *era_node_gossip(const struct era_node *n)
{
    return n->gossip;
}

const struct era_node_stats *era_node_stats(const struct era_node *n)
{
    return &n->stats;
}

const struct era_versions *era_node_versions(const struct era_node *n)
{
    return &n->config.versions;
}

const struct era_versions *era_node_staged(const struct era_node *n)
{
    return &n->config.staged;
}

uint64_t era_node_epoch(const struct era_node *n)
{
    return n->epoch;
}

int era_node_validator(const struct era_node *n)
{
    return n->validator;
}

bool era_node_store_failed(const struct era_node *n)
{
    return n->store_failed;
}

int era_node_network_component(const struct era_node *n)
{
    return n->network_component;
}

const struct era_gate *era_node_gate(const struct era_node *n, int component)
{
    return &n->gates[component];
}

uint64_t era_node_fresh_stake(const struct era_node *n)
{
    return n->fresh_stake;
}

void era_node_adoption(const struct era_node *n, struct era_adoption *out)
{
    struct era_hash digest = era_view_digest(n->ledger);
    era_adoption_measure(n->counting->ledger, n->epoch, &digest, n->view_since, n->adoption, out);
}

const struct era_clock_word *era_node_clock(const struct era_node *n)
{
    return &n->clock_word;
}

const struct era_leases *era_node_leases(const struct era_node *n)
{
    return &n->leases;
}

uint64_t era_node_view_since(const struct era_node *n)
{
    return n->view_since;
}

const struct era_rebuild *era_node_rebuilds(const struct era_node *n, size_t *count)
{
    *count = n->rebuild_count;
    return n->rebuilds;
}
