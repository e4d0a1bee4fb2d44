#include "src/erad/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/epoch.h"
#include "src/erad/report_parts.h"

/* Open proposals shown one by one; their number counts all. */
#define PROPOSALS_MAX 64

struct page {
    FILE *out;
    const struct era_node *n;
    const struct era_report_info *info;
    const struct era_charter *charter;
};

/* ---- the text form ---- */

static void family(struct page *p, const char *name, const char *type, const char *help)
{
    fprintf(p->out, "# HELP erad_%s %s\n# TYPE erad_%s %s\n", name, help, name, type);
}

/* One sample with up to two labels; label NULL: none. Values come escaped. */
static void sample(struct page *p, const char *name, const char *label, const char *value, const char *label2,
                   const char *value2, uint64_t number)
{
    fprintf(p->out, "erad_%s", name);
    const char *labels[2] = {label, label2}, *values[2] = {value, value2};
    for (int i = 0; i < 2 && labels[i]; i++) {
        fprintf(p->out, "%c%s=\"", i == 0 ? '{' : ',', labels[i]);
        for (const char *at = values[i]; *at; at++)
            if (*at == '\n')
                fputs("\\n", p->out);
            else
                fprintf(p->out, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
        fputc('"', p->out);
    }
    fprintf(p->out, "%s %" PRIu64 "\n", label ? "}" : "", number);
}

static void single(struct page *p, const char *name, const char *type, const char *help, uint64_t number)
{
    family(p, name, type, help);
    sample(p, name, NULL, NULL, NULL, NULL, number);
}

static void seconds(struct page *p, const char *name, const char *help, uint64_t ms)
{
    family(p, name, "gauge", help);
    fprintf(p->out, "erad_%s %" PRIu64 ".%03u\n", name, ms / 1000, (unsigned)(ms % 1000));
}

/* ---- node, clock, view ---- */

static void put_node(struct page *p)
{
    char id[ERA_HASH_TEXT_BYTES];
    struct era_hash digest = era_view_digest(era_node_ledger(p->n));
    const struct era_versions *v = era_node_versions(p->n);
    family(p, "build_info", "gauge", "The version of erad, as a label.");
    sample(p, "build_info", "version", PACKAGE_VERSION, NULL, NULL, 1);
    family(p, "network_info", "gauge", "The network's name and id, as labels.");
    sample(p, "network_info", "name", p->charter->name, "network", era_hash_text(era_node_network(p->n), id),
           1);
    family(p, "view_info", "gauge", "The view digest, as a label: equal on nodes that agree.");
    sample(p, "view_info", "digest", era_hash_text(&digest, id), NULL, NULL, 1);
    family(p, "version_info", "gauge", "The versions this node runs, as labels.");
    for (int i = 0; i < ERA_VERSION_KINDS; i++)
        if (v->v[i][0])
            sample(p, "version_info", "kind", era_version_kind_names[i], "version", v->v[i], 1);
    seconds(p, "uptime_seconds", "Time since erad started.", p->info->uptime_ms);
}

static void put_clock(struct page *p)
{
    const struct era_clock_params *clock = &p->charter->clock;
    uint64_t epoch = era_node_epoch(p->n), next = era_epoch_start(clock, era_add_sat(epoch, 1));
    uint64_t reading = era_node_reading(p->n);
    single(p, "epoch", "gauge", "The present epoch of this node.", epoch);
    if (clock->kind == ERA_CLOCK_WALL && next != UINT64_MAX)
        seconds(p, "next_epoch_seconds", "Time until the next epoch.", next > reading ? next - reading : 0);
}

/* ---- components ---- */

static const struct era_entry *in_force(const struct page *p, size_t component)
{
    struct era_view v;
    era_node_view(p->n, (int)component, &v);
    return era_view_entry(&v);
}

static void put_eras(struct page *p)
{
    family(p, "era", "gauge", "Number of the era in force, by component; absent while none is.");
    for (size_t i = 0; i < p->charter->component_count; i++) {
        const struct era_entry *e = in_force(p, i);
        if (e)
            sample(p, "era", "component", p->charter->components[i].id, NULL, NULL, e->record.era);
    }
    family(p, "era_since_epoch", "gauge", "First epoch of the entry in force, by component.");
    for (size_t i = 0; i < p->charter->component_count; i++) {
        const struct era_entry *e = in_force(p, i);
        if (e)
            sample(p, "era_since_epoch", "component", p->charter->components[i].id, NULL, NULL, e->effective);
    }
    family(p, "era_info", "gauge", "Version of the entry in force, as a label, by component.");
    for (size_t i = 0; i < p->charter->component_count; i++) {
        const struct era_entry *e = in_force(p, i);
        if (e)
            sample(p, "era_info", "component", p->charter->components[i].id, "version", e->record.version, 1);
    }
    family(p, "head_seq", "gauge", "Slot of the head, by component; 0: the charter's initial record.");
    for (size_t i = 0; i < p->charter->component_count; i++) {
        const struct era_adopted *head = era_ledger_head(era_node_ledger(p->n), (int)i);
        sample(p, "head_seq", "component", p->charter->components[i].id, NULL, NULL, head ? head->seq : 0);
    }
}

static void put_gates(struct page *p)
{
    family(p, "gate_state", "gauge", "1 for the state the gate is in, 0 for the others, by component.");
    for (size_t i = 0; i < p->charter->component_count; i++)
        for (int s = 0; s < ERA_GATE_STATES; s++)
            sample(p, "gate_state", "component", p->charter->components[i].id, "state",
                   era_gate_name((enum era_gate_state)s), era_node_gate(p->n, (int)i)->state == (unsigned)s);
    int network = era_node_network_component(p->n);
    single(p, "may_emit", "gauge", "1 while this node may emit events.",
           era_gate_may_emit(era_node_gate(p->n, network)->state));
    single(p, "key_locked", "gauge",
           "1 while the node's key signs nothing: at a start, or because others hold a word of it that is "
           "missing here.",
           era_node_lock(p->n) != ERA_LOCK_NONE);
    family(p, "unsupported_era_epochs", "gauge",
           "Epochs until an era begins that this node cannot run, by component; 0: it has begun. Absent "
           "while all fit.");
    for (size_t i = 0; i < p->charter->component_count; i++) {
        const struct era_gate *g = era_node_gate(p->n, (int)i);
        if (g->state == ERA_GATE_UPGRADE_SOON || g->state == ERA_GATE_BLOCKED)
            sample(p, "unsupported_era_epochs", "component", p->charter->components[i].id, NULL, NULL,
                   g->epochs_left);
    }
}

/* ---- proposals ---- */

struct tallied {
    const struct era_candidate *c;
    char id[17];
};

static size_t candidates(const struct page *p, struct tallied *out, size_t cap, uint64_t *all)
{
    size_t n = 0;
    *all = 0;
    for (size_t comp = 0; comp < p->charter->component_count; comp++) {
        const struct era_slot *const *slots;
        size_t count = era_ledger_slots(era_node_ledger(p->n), (int)comp, &slots);
        for (size_t i = 0; i < count; i++)
            for (const struct era_candidate *c = slots[i]->candidates; c; c = c->slot_next) {
                if (!c->known)
                    continue;
                ++*all;
                if (n < cap) {
                    out[n].c = c;
                    era_hex(c->proposal.b, 8, out[n++].id);
                }
            }
    }
    return n;
}

static void put_proposals(struct page *p)
{
    struct tallied all[PROPOSALS_MAX];
    uint64_t count;
    size_t n = candidates(p, all, PROPOSALS_MAX, &count);
    static const struct {
        const char *name, *help;
    } rows[] = {{"proposal_approvals", "Approvals of a proposal above the head, by the beginning of its id."},
                {"proposal_approvals_needed", "Approvals that it needs."},
                {"proposal_readiness_stake", "Stake that is ready for it."},
                {"proposal_readiness_stake_needed", "Stake that adopts it."}};
    single(p, "proposals", "gauge", "Proposals held above the heads.", count);
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        family(p, rows[row].name, "gauge", rows[row].help);
        for (size_t i = 0; i < n; i++) {
            const struct era_candidate *c = all[i].c;
            uint64_t values[] = {(uint64_t)__builtin_popcountll(c->approved_by), c->approvals_needed,
                                 c->ready_stake, c->readiness_needed};
            sample(p, rows[row].name, "component", p->charter->components[c->component].id, "id", all[i].id,
                   values[row]);
        }
    }
}

/* ---- stake ---- */

static void put_stake(struct page *p)
{
    struct era_adoption *a = malloc(sizeof *a);
    assert(a);
    era_node_adoption(p->n, a);
    const struct {
        const char *of;
        uint64_t stake;
    } rows[] = {{"all", a->stake_sum},
                {"quorum", a->quorum},
                {"fresh", a->fresh_stake},
                {"blocked", a->blocked_stake},
                {"staged", a->staged_stake},
                {"same_view", a->same_view_stake},
                {"other_view", a->other_view_stake}};
    family(p, "stake", "gauge",
           "Stake: all, the quorum, and what announced itself for this epoch or the one before (fresh).");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        sample(p, "stake", "of", rows[i].of, NULL, NULL, rows[i].stake);
    family(p, "adoption_stake", "gauge",
           "Fresh stake by the software version it announced; none: it named none.");
    for (size_t i = 0; i < a->count; i++)
        sample(p, "adoption_stake", "version", a->software[i].version[0] ? a->software[i].version : "none",
               NULL, NULL, a->software[i].stake);
    if (a->other_stake > 0)
        sample(p, "adoption_stake", "version", "other", NULL, NULL, a->other_stake);
    free(a);
}

/* ---- links ---- */

static void by_verdict(struct page *p, const char *name, const uint64_t counts[ERA_VERDICT_COUNT])
{
    for (int v = ERA_ACCEPTED + 1; v < ERA_VERDICT_COUNT; v++)
        if (counts[v] > 0)
            sample(p, name, "verdict", era_verdict_code((enum era_verdict)v), NULL, NULL, counts[v]);
}

/* What peers cost, and what they lost for it. */
static void put_defence(struct page *p)
{
    const struct era_gossip *g = era_node_gossip(p->n);
    const struct era_gossip_totals *t = era_gossip_totals(g);
    family(p, "links_ended_total", "counter",
           "Links, and streams that never proved a key, that ended by the other end's fault.");
    if (p->info->links)
        by_verdict(p, "links_ended_total", p->info->links->ended);
    family(p, "links_refused_total", "counter", "Links that this node refused or closed, and why.");
    by_verdict(p, "links_refused_total", t->closed);
    family(p, "peers_charged_total", "counter", "Times that peers were charged for what they sent, and why.");
    by_verdict(p, "peers_charged_total", t->charged);
    family(p, "peers_dropped_total", "counter", "What peers sent and was dropped unread, and why.");
    sample(p, "peers_dropped_total", "why", "muted", NULL, NULL, t->muted_in);
    sample(p, "peers_dropped_total", "why", "limited", NULL, NULL, t->limited_in);
    single(p, "peers_unknown_kinds_total", "counter", "Statements of kinds that this version does not know.",
           t->unknown_kinds_in);
    single(p, "peers_unknown_parts_total", "counter",
           "Parts of messages, words, sets and orders that this version does not know.", t->unknown_parts_in);
    single(p, "peers_undecoded_rounds_total", "counter",
           "Rounds of reconciliation whose cells did not come apart.", t->undecoded_rounds);
    single(p, "peers_wasted_signatures_total", "counter",
           "Signatures checked of what peers brought and was of no use.", t->wasted_in);
    single(p, "peers_rested_seconds_total", "counter",
           "Time for which peers were left unread, because what they brought was no news.",
           t->rested_ms / 1000);
    single(p, "peers_banned", "gauge", "Node keys and hosts that are banned now.",
           era_gossip_bans(g, NULL, 0));
}

/* What was told of where nodes can be dialled, and what came of it. */
static void put_overlay(struct page *p)
{
    const struct era_overlay *of = era_gossip_overlay(era_node_gossip(p->n));
    if (!of)
        return;
    struct era_overlay_counts c = era_overlay_counts(of);
    family(p, "overlay_records_dropped_total", "counter",
           "Records of nodes that peers told and this node did not take, and why: malformed, with its own "
           "address, not of this day.");
    sample(p, "overlay_records_dropped_total", "why", "refused", NULL, NULL, c.records_refused);
    sample(p, "overlay_records_dropped_total", "why", "of_us", NULL, NULL, c.records_of_us);
    sample(p, "overlay_records_dropped_total", "why", "untimely", NULL, NULL, c.records_untimely);
    single(p, "overlay_dials_total", "counter", "Dials of nodes that peers told of.", c.dials);
    family(p, "overlay_dials_failed_total", "counter",
           "Of these, those where nobody answered, and those where another did than was told.");
    sample(p, "overlay_dials_failed_total", "why", "nobody", NULL, NULL, c.dials_failed);
    sample(p, "overlay_dials_failed_total", "why", "another", NULL, NULL, c.dials_misled);
}

static void put_links(struct page *p)
{
    struct era_peer_info *peers = calloc(ERA_LINKS_MAX, sizeof *peers);
    uint64_t handshake = 0, up = 0, blocked = 0, bytes_in = 0, bytes_out = 0, frames_in = 0, frames_out = 0;
    uint64_t queued = 0, last_ms;
    assert(peers);
    size_t count = era_gossip_peers(era_node_gossip(p->n), peers, ERA_LINKS_MAX);
    for (size_t i = 0; i < count && i < ERA_LINKS_MAX; i++) {
        bool is_up = peers[i].state == ERA_PEER_UP;
        handshake += !is_up;
        up += is_up;
        blocked += is_up && peers[i].blocked;
        bytes_in += peers[i].bytes_in;
        bytes_out += peers[i].bytes_out;
        frames_in += peers[i].frames_in;
        frames_out += peers[i].frames_out;
        queued += peers[i].queued_bytes;
    }
    free(peers);
    family(p, "peers", "gauge", "Links by state.");
    sample(p, "peers", "state", "handshake", NULL, NULL, handshake);
    sample(p, "peers", "state", "up", NULL, NULL, up);
    single(p, "peers_blocked", "gauge", "Peers that say they are blocked.", blocked);
    single(p, "peers_configured", "gauge", "Peers named in the configuration.", p->info->peers_configured);
    family(p, "links_bytes", "gauge", "Bytes of frames moved over the links that are open now.");
    sample(p, "links_bytes", "direction", "in", NULL, NULL, bytes_in);
    sample(p, "links_bytes", "direction", "out", NULL, NULL, bytes_out);
    family(p, "links_frames", "gauge", "Frames moved over the links that are open now.");
    sample(p, "links_frames", "direction", "in", NULL, NULL, frames_in);
    sample(p, "links_frames", "direction", "out", NULL, NULL, frames_out);
    single(p, "links_queued_bytes", "gauge", "Bytes that wait to be written to peers.", queued);
    put_defence(p);
    put_overlay(p);
    uint64_t rounds = era_gossip_equal_rounds(era_node_gossip(p->n), &last_ms);
    single(p, "equal_rounds_total", "counter", "Rounds in which a peer held exactly what this node holds.",
           rounds);
    if (rounds > 0)
        seconds(p, "last_equal_seconds", "Time since a peer last held exactly what this node holds.",
                p->info->now_ms > last_ms ? p->info->now_ms - last_ms : 0);
}

/* ---- counters ---- */

static void put_counters(struct page *p)
{
    const struct era_node_stats *s = era_node_stats(p->n);
    family(p, "statements_total", "counter", "Statements that came in, by kind and verdict.");
    for (uint32_t kind = 0; kind < ERA_STATS_KINDS; kind++)
        for (int v = 0; v < ERA_VERDICT_COUNT; v++)
            if (s->verdicts[kind][v] > 0) {
                char number[16];
                const char *name = era_kind_name(kind);
                if (kind != 0 && strcmp(name, "unknown") == 0) {
                    snprintf(number, sizeof number, "kind-%u", kind);
                    name = number;
                }
                sample(p, "statements_total", "kind", name, "verdict", era_verdict_code((enum era_verdict)v),
                       s->verdicts[kind][v]);
            }
    single(p, "events_emitted_total", "counter", "Events this node emitted.", s->events_emitted);
    single(p, "events_delivered_total", "counter", "Events handed to subscribers.", s->events_delivered);
    single(p, "events_held", "gauge", "Events kept for peers.",
           era_gossip_set_size(era_node_gossip(p->n), ERA_SET_EVENTS));
    single(p, "store_statements", "gauge", "Statements held.", era_ledger_count(era_node_ledger(p->n)));
    single(p, "store_batches_total", "counter", "Batches made durable.", s->stored_batches);
    single(p, "store_records_total", "counter", "Records made durable.", s->stored_records);
    single(p, "store_failures_total", "counter", "Batches that the store could not keep.", s->store_failures);
    single(p, "store_failed", "gauge", "1 after the store failed: no votes until restart.",
           era_node_store_failed(p->n));
}

char *era_metrics_text(const struct era_node *n, const struct era_report_info *info, size_t *len)
{
    char *text = NULL;
    struct page p = {.n = n, .info = info, .charter = era_node_charter(n)};
    p.out = open_memstream(&text, len);
    assert(p.out);
    put_node(&p);
    put_clock(&p);
    put_eras(&p);
    put_gates(&p);
    put_proposals(&p);
    put_stake(&p);
    put_links(&p);
    put_counters(&p);
    int rc = fclose(p.out);
    assert(rc == 0 && text);
    return text;
}
