#include "p2p/gossip_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct era_gossip *era_gossip_new(const struct era_gossip_config *config)
{
    assert(config->fetch != NULL && config->has != NULL);
    assert(strlen(config->agent) <= ERA_NAME_BYTES_MAX && strlen(config->listen) <= ERA_ADDRESS_BYTES_MAX);
    struct era_gossip *g = calloc(1, sizeof *g);
    assert(g != NULL);
    g->config = *config;
    era_root_prng(&config->root, "gossip: jitter", &g->prng);
    era_root_siphash_key(&config->root, "gossip: tables", &g->key);
    for (size_t i = 0; i < ERA_SETS; i++) {
        g->sets[i] = era_idset_new();
        era_idset_name_with(g->sets[i], config->named, config->ctx);
    }
    era_shared_init(g);
    struct era_root trees = era_root_child(&config->root, "push trees");
    g->broadcast = era_broadcast_new(&trees);
    g->refused = era_idtable_new(ERA_REFUSED_IDS_MAX, &g->key);
    g->refused_ids = era_idset_new();
    g->requests = era_idtable_new(ERA_REQUESTS_MAX, &g->key);
    era_ties_init(g);
    g->stirred = true;
    return g;
}

void era_gossip_free(struct era_gossip *g)
{
    if (g == NULL)
        return;
    for (size_t i = 0; i < g->link_count; i++)
        g->links[i]->closing = true;
    era_links_reap(g);
    era_broadcast_free(g->broadcast);
    era_shared_release(g);
    for (size_t i = 0; i < ERA_SETS; i++)
        era_idset_free(g->sets[i]);
    era_idtable_free(g->refused);
    era_idset_free(g->refused_ids);
    era_idtable_free(g->requests);
    era_overlay_free(g->overlay);
    era_actions_release(&g->actions);
    free(g);
}

/* ---- time ---- */

void era_gossip_advance(struct era_gossip *g, uint64_t now_ms)
{
    if (now_ms > g->now_ms)
        g->now_ms = now_ms;
}

bool era_gossip_is_due(const struct era_gossip *g, uint64_t deadline_ms)
{
    return deadline_ms != ERA_NEVER && deadline_ms <= g->now_ms;
}

uint64_t era_gossip_jitter(struct era_gossip *g, uint64_t base_ms)
{
    return base_ms / 2 + era_prng_below(&g->prng, base_ms - base_ms / 2 + 1);
}

void era_gossip_stir(struct era_gossip *g)
{
    g->stirred = true;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When what belongs to no link is due. Of the overlay nothing changes but by what stirs. */
static uint64_t tables_due_ms(const struct era_gossip *g)
{
    const struct era_idnote *request = era_idtable_oldest(g->requests);
    return earlier(request == NULL ? ERA_NEVER : request->due_ms, era_broadcast_deadline_ms(g->broadcast));
}

static uint64_t all_due_ms(const struct era_gossip *g)
{
    uint64_t deadline = earlier(era_anchors_deadline_ms(g), tables_due_ms(g));
    for (size_t i = 0; i < g->link_count; i++)
        deadline = earlier(deadline, era_link_deadline_ms(g, g->links[i]));
    return g->overlay == NULL ? deadline : earlier(deadline, era_overlay_deadline_ms(g->overlay));
}

/* Only this link was heard: a frame that says nothing costs the same however many others there are. */
static void heard_one(struct era_gossip *g, const struct era_link *link)
{
    g->due_ms = earlier(g->due_ms, earlier(era_link_deadline_ms(g, link), tables_due_ms(g)));
}

static void look_at_all(struct era_gossip *g)
{
    era_requests_tick(g);
    if (era_broadcast_tick(g->broadcast, g->now_ms) > 0) { /* nobody gave what was announced */
        era_sync_stir_all(g, ERA_SET_STATEMENTS);
        era_sync_stir_all(g, ERA_SET_EVENTS);
    }
    for (size_t i = 0; i < g->link_count; i++)
        era_link_tick(g, g->links[i]);
    era_shared_tick(g);
    if (g->overlay != NULL)
        era_overlay_tick(g->overlay, g->now_ms);
    era_ties_pump(g);
    era_links_reap(g);
    era_push_tend(g);
    for (size_t i = 0; i < g->link_count; i++) /* last: a link that ended gives the others something to say */
        if (g->links[i]->info.state == ERA_PEER_UP && era_gossip_is_due(g, era_push_due_ms(g->links[i])))
            era_push_flush(g, g->links[i]);
    era_anchors_tick(g);
}

void era_gossip_tick(struct era_gossip *g, uint64_t now_ms)
{
    era_gossip_advance(g, now_ms);
    if (!g->stirred && !era_gossip_is_due(g, g->due_ms))
        return;
    look_at_all(g);
    g->totals.ticks++;
    g->stirred = false;
    g->due_ms = all_due_ms(g);
}

uint64_t era_gossip_deadline_ms(const struct era_gossip *g)
{
    return g->stirred ? all_due_ms(g) : g->due_ms;
}

/* ---- what happens ---- */

void era_gossip_frame(struct era_gossip *g, uint64_t now_ms, uint64_t link, struct era_bytes frame)
{
    era_gossip_advance(g, now_ms);
    struct era_link *l = era_link_find(g, link);
    if (l == NULL)
        return;
    era_take_frame(g, l, frame);
    if (!g->stirred)
        heard_one(g, l);
    era_ties_pump(g);
    era_links_reap(g);
}

void era_gossip_sent(struct era_gossip *g, uint64_t now_ms, uint64_t link, size_t bytes)
{
    era_gossip_advance(g, now_ms);
    struct era_link *l = era_link_find(g, link);
    if (l == NULL)
        return;
    uint64_t written = bytes < l->info.queued_bytes ? bytes : l->info.queued_bytes;
    bool crowded = g->queued_bytes >= ERA_LINKS_OUT_BYTES_MAX;
    l->info.queued_bytes -= written;
    g->queued_bytes -= written;
    if (crowded && g->queued_bytes < ERA_LINKS_OUT_BYTES_MAX)
        era_gossip_stir(g); /* others waited for room */
    l->drained_ms = g->now_ms;
    if (l->info.state != ERA_PEER_UP)
        return;
    if (l->skipped && era_link_has_room(g, l, ERA_LINK_BULK_BYTES_MAX)) {
        l->skipped = false;
        era_sync_soon(g, l, ERA_SET_STATEMENTS);
        era_sync_soon(g, l, ERA_SET_EVENTS);
    }
    era_sync_pump(g, l);
    heard_one(g, l);
}

/* ---- sets ---- */

bool era_set_is_known(uint32_t set)
{
    return set == ERA_SET_STATEMENTS || set == ERA_SET_EVENTS;
}

bool era_set_flows(const struct era_gossip *g, const struct era_link *link, enum era_set set)
{
    return set != ERA_SET_EVENTS || (!g->blocked && !link->info.blocked);
}

bool era_gossip_holds(const struct era_gossip *g, enum era_set set, const struct era_hash *id)
{
    return era_idset_contains(g->sets[set - 1], id) || g->config.has(g->config.ctx, set, id);
}

size_t era_gossip_set_size(const struct era_gossip *g, enum era_set set)
{
    return era_idset_count(g->sets[set - 1]);
}

/* ---- what the owner says ---- */

static void mark_known(struct era_gossip *g, uint64_t link, const struct era_hash *item)
{
    struct era_link *l = era_link_find(g, link);
    if (l != NULL && l->branch != NULL)
        era_branch_learn(g->broadcast, l->branch, item);
}

void era_gossip_publish(struct era_gossip *g, uint64_t now_ms, enum era_set set, const struct era_hash *item,
                        uint64_t from, bool push)
{
    struct era_outgoing outgoing = {.id = *item, .set = set};
    era_gossip_advance(g, now_ms);
    era_gossip_stir(g);
    era_sync_add(g, set, item, push ? g->now_ms : 0);
    struct era_link *sender = era_link_find(g, from);
    if (sender != NULL) {
        era_budget_refund(sender);
        era_link_answered(sender);
        sender->brought++;
        sender->brought_ms = g->now_ms;
        sender->requests_heard_ms = g->now_ms;
        era_ties_useful(g, sender);
    }
    bool asked = sender != NULL && era_was_asked(g, sender, set, item);
    era_request_done(g, item, true);
    if (!push || !era_push_spread(g, &outgoing, from, asked))
        mark_known(g, from, item); /* so that it does not go back there */
}

void era_gossip_withdraw(struct era_gossip *g, enum era_set set, const struct era_hash *item)
{
    era_sync_remove(g, set, item);
    era_gossip_stir(g);
}

/* What comes cannot be kept: to ask for it again at once would never end. */
static void rest_all(struct era_gossip *g)
{
    for (size_t i = 0; i < g->link_count; i++)
        g->links[i]->requests_rest_ms = era_add_sat(g->now_ms, ERA_REQUEST_REST_MS);
}

void era_gossip_verdict(struct era_gossip *g, uint64_t now_ms, uint64_t link, const struct era_hash *item,
                        enum era_verdict verdict)
{
    assert(verdict != ERA_ACCEPTED);
    era_gossip_advance(g, now_ms);
    struct era_link *l = era_link_find(g, link);
    bool asked = l != NULL && item != NULL &&
                 (era_was_asked(g, l, ERA_SET_STATEMENTS, item) || era_was_asked(g, l, ERA_SET_EVENTS, item));
    if (l != NULL && !asked)
        era_defence_read(g, l, 1);
    if (item != NULL) {
        if (asked && era_verdict_penalty(verdict) == 0)
            era_budget_refund_taught(g, l);
        mark_known(g, link, item);
        if (verdict != ERA_DUPLICATE)
            era_broadcast_refused(g->broadcast, item, verdict != ERA_STORE_FAILED);
        era_request_done(g, item, verdict != ERA_STORE_FAILED);
        if (verdict != ERA_DUPLICATE && verdict != ERA_STORE_FAILED)
            era_refuse(g, item, verdict);
    }
    if (item == NULL)
        era_broadcast_refused_unnamed(g->broadcast, g->now_ms, link);
    if (verdict == ERA_STORE_FAILED)
        rest_all(g);
    if (l == NULL) {
        era_gossip_stir(g);
        return;
    }
    if (verdict == ERA_DUPLICATE)
        l->info.duplicates_in++;
    if (verdict == ERA_UNKNOWN_KIND)
        l->info.unknown_kinds_in++, g->totals.unknown_kinds_in++;
    if (verdict == ERA_DUPLICATE && item != NULL && l->branch != NULL)
        era_broadcast_duplicate(g->broadcast, g->now_ms, l->branch, item);
    if (era_verdict_penalty(verdict) > 0)
        l->info.refused_in++;
    era_link_charge(g, l, verdict);
    heard_one(g, l);
    era_links_reap(g);
}

void era_gossip_keep_out(struct era_gossip *g, const struct era_hash *item)
{
    era_refuse(g, item, ERA_DUPLICATE);
}

bool era_gossip_is_past(const struct era_gossip *g, const struct era_hash *item)
{
    const struct era_idnote *note = era_idtable_find(g->refused, item);
    return note != NULL && note->why == ERA_DOMINATED;
}

void era_gossip_forget_refused(struct era_gossip *g)
{
    era_gossip_stir(g);
    era_broadcast_forget_refused(g->broadcast);
    if (era_idtable_count(g->refused) == 0)
        return; /* nothing to ask for again */
    era_idtable_clear(g->refused);
    era_idset_free(g->refused_ids);
    g->refused_ids = era_idset_new();
    era_sync_stir_all(g, ERA_SET_STATEMENTS);
    era_sync_stir_all(g, ERA_SET_EVENTS);
    for (size_t i = 0; i < g->link_count; i++) { /* nobody pushes it again: whoever dialled asks */
        struct era_link *link = g->links[i];
        for (size_t k = 0; k < ERA_SETS && link->info.outgoing && link->info.state == ERA_PEER_UP; k++)
            era_sync_hurry(g, link, (enum era_set)(k + 1));
    }
}

/* To links in handshake too: our hello went out with the old word. */
static void send_status(struct era_gossip *g, struct era_link *link, const struct era_versions *versions)
{
    struct era_frame_builder frame;
    era_frame_begin(&frame, g->frame_room);
    bool fits = era_frame_add_status(&frame, g->blocked, versions);
    assert(fits);
    era_link_send(g, link, &frame);
}

void era_gossip_set_blocked(struct era_gossip *g, uint64_t now_ms, bool blocked)
{
    era_gossip_advance(g, now_ms);
    if (g->blocked == blocked)
        return;
    g->blocked = blocked;
    era_gossip_stir(g);
    if (g->overlay != NULL)
        era_overlay_self_blocked(g->overlay, blocked);
    era_broadcast_set_blocked(g->broadcast, blocked);
    for (size_t i = 0; i < g->link_count; i++) {
        send_status(g, g->links[i], NULL);
        if (!blocked && g->links[i]->info.state == ERA_PEER_UP)
            era_sync_flows_again(g, g->links[i], ERA_SET_EVENTS);
    }
}

void era_gossip_set_versions(struct era_gossip *g, const struct era_versions *versions)
{
    g->config.versions = *versions;
    for (size_t i = 0; i < g->link_count; i++)
        send_status(g, g->links[i], versions);
}

/* ---- what is to be done, and how things are ---- */

size_t era_gossip_take_actions(struct era_gossip *g, const struct era_gossip_action **out)
{
    return era_actions_take(&g->actions, out);
}

size_t era_gossip_peers(const struct era_gossip *g, struct era_peer_info *out, size_t cap)
{
    for (size_t i = 0; i < g->link_count && i < cap; i++) {
        out[i] = g->links[i]->info;
        out[i].score = era_score_now(g, g->links[i]);
        out[i].anchor = era_link_is_anchor(g, g->links[i]);
        out[i].pinned = era_link_is_pinned(g, g->links[i]);
        out[i].anchor_keys = era_link_anchor_keys(g, g->links[i]);
        out[i].active = out[i].state == ERA_PEER_UP && era_link_is_active(g, g->links[i]);
        if (g->links[i]->branch != NULL)
            out[i].spread = *era_branch_counts(g->links[i]->branch);
    }
    return g->link_count;
}

uint64_t era_gossip_equal_rounds(const struct era_gossip *g, uint64_t *last_ms)
{
    *last_ms = g->equal_ms;
    return g->equal_rounds;
}

const struct era_gossip_totals *era_gossip_totals(const struct era_gossip *g)
{
    return &g->totals;
}

uint64_t era_gossip_complete_rounds(const struct era_gossip *g)
{
    return g->complete_rounds;
}

const struct era_overlay *era_gossip_overlay(const struct era_gossip *g)
{
    return g->overlay;
}
