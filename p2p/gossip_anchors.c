#include "p2p/gossip_internal.h"

#include <stdio.h>
#include <string.h>

void era_address_host(const char *address, char host[ERA_ADDRESS_BYTES_MAX + 1])
{
    const char *scheme = strstr(address, "://");
    const char *from = scheme == NULL ? address : scheme + 3;
    const char *end = strrchr(from, ':');
    struct era_place place;
    if (era_place_parse(address, &place) && place.len == ERA_IP_BYTES_MAX) {
        const uint8_t *ip = place.ip;
        snprintf(host, ERA_ADDRESS_BYTES_MAX + 1, "%x:%x:%x:%x::/64", ip[0] << 8 | ip[1], ip[2] << 8 | ip[3],
                 ip[4] << 8 | ip[5], ip[6] << 8 | ip[7]);
        return;
    }
    if (strncmp(address, "ipc:", 4) == 0) {
        from = "ipc";
        end = NULL;
    } else if (from[0] == '[') {
        from++;
        end = strchr(from, ']');
    }
    size_t len = end == NULL ? strlen(from) : (size_t)(end - from);
    if (len > ERA_ADDRESS_BYTES_MAX)
        len = ERA_ADDRESS_BYTES_MAX;
    memcpy(host, from, len);
    host[len] = '\0';
}

bool era_host_is_anchor(const struct era_gossip *g, const char *host)
{
    char other[ERA_ADDRESS_BYTES_MAX + 1], address[ERA_ADDRESS_BYTES_MAX + 1];
    for (size_t i = 0; i < g->anchor_count; i++) {
        const struct era_anchor *a = &g->anchors[i];
        era_address_host(a->address, other);
        if (strcmp(other, host) == 0)
            return true;
        if (a->found.len == 0)
            continue;
        era_address_host(era_place_text(&a->found, address), other);
        if (strcmp(other, host) == 0)
            return true;
    }
    return false;
}

enum era_verdict era_gossip_add_anchor(struct era_gossip *g, const char *address)
{
    if (address[0] == '\0' || strlen(address) > ERA_ADDRESS_BYTES_MAX)
        return ERA_BAD_VALUE;
    for (size_t i = 0; i < g->anchor_count; i++)
        if (strcmp(g->anchors[i].address, address) == 0)
            return ERA_DUPLICATE;
    if (g->anchor_count == ERA_PEERS_MAX)
        return ERA_FULL;
    struct era_anchor *a = &g->anchors[g->anchor_count++];
    memset(a, 0, sizeof *a);
    era_text_set(a->address, sizeof a->address, address);
    a->backoff_ms = ERA_RECONNECT_MIN_MS;
    a->next_ms = g->now_ms;
    era_gossip_stir(g);
    if (g->overlay != NULL)
        era_overlay_add_anchor(g->overlay, address);
    return ERA_ACCEPTED;
}

enum era_verdict era_gossip_pin_anchor(struct era_gossip *g, const char *address, const struct era_key *node)
{
    for (size_t i = 0; i < g->anchor_count; i++)
        if (strcmp(g->anchors[i].address, address) == 0) {
            g->anchors[i].pinned = g->anchors[i].has_node = true;
            g->anchors[i].node = *node;
            return ERA_ACCEPTED;
        }
    return ERA_NOT_FOUND;
}

struct era_anchor *era_anchor_of_link(struct era_gossip *g, uint64_t link)
{
    for (size_t i = 0; i < g->anchor_count; i++)
        if (g->anchors[i].state == ERA_ANCHOR_LINKED && g->anchors[i].link == link)
            return &g->anchors[i];
    return NULL;
}

bool era_anchor_is_self(const struct era_anchor *anchor)
{
    return anchor->selves >= ERA_SELVES;
}

/* A link to the same node, whoever dialled it, is as good as our own: until then. But whoever once answered
 * in an anchor's place must not keep us from it, so it is dialled now and then all the same. */
static uint64_t is_up_until(const struct era_gossip *g, const struct era_anchor *a)
{
    uint64_t until_ms = 0;
    for (size_t i = 0; a->has_node && i < g->link_count; i++) {
        const struct era_link *link = g->links[i];
        if (link->closing || link->info.state != ERA_PEER_UP || !era_key_eq(&link->info.node, &a->node))
            continue;
        if (link->info.outgoing && strcmp(link->info.address, a->address) == 0)
            return ERA_NEVER; /* until that link is lost: era_anchor_lost */
        until_ms = era_add_sat(a->dialled_ms, ERA_ANCHOR_ASK_MS);
    }
    return until_ms;
}

void era_anchors_tick(struct era_gossip *g)
{
    for (size_t i = 0; i < g->anchor_count; i++) {
        struct era_anchor *a = &g->anchors[i];
        if (a->state != ERA_ANCHOR_IDLE || !era_gossip_is_due(g, a->next_ms))
            continue;
        uint64_t up_until_ms = is_up_until(g, a);
        if (up_until_ms > g->now_ms) {
            a->next_ms = up_until_ms;
            continue;
        }
        a->state = ERA_ANCHOR_DIALLING;
        a->dialled_ms = g->now_ms;
        struct era_gossip_action *action = era_actions_add(&g->actions, ERA_GOSSIP_CONNECT, 0);
        era_text_set(action->address, sizeof action->address, a->address);
    }
}

uint64_t era_anchors_deadline_ms(const struct era_gossip *g)
{
    uint64_t deadline = ERA_NEVER;
    for (size_t i = 0; i < g->anchor_count; i++) {
        const struct era_anchor *a = &g->anchors[i];
        if (a->state == ERA_ANCHOR_IDLE && a->next_ms < deadline)
            deadline = a->next_ms;
    }
    return deadline;
}

static struct era_anchor *at(struct era_gossip *g, const char *address)
{
    for (size_t i = 0; i < g->anchor_count; i++)
        if (strcmp(g->anchors[i].address, address) == 0)
            return &g->anchors[i];
    return NULL;
}

void era_anchor_linked(struct era_gossip *g, const char *address, uint64_t link)
{
    struct era_anchor *a = at(g, address);
    if (a != NULL && a->state != ERA_ANCHOR_LINKED) {
        a->state = ERA_ANCHOR_LINKED;
        a->link = link;
    }
}

static void back_off(struct era_gossip *g, struct era_anchor *a)
{
    a->state = ERA_ANCHOR_IDLE;
    a->tried = true;
    uint64_t rest_ms = era_anchor_is_self(a) ? ERA_SELF_REST_MS : a->backoff_ms;
    a->next_ms = era_add_sat(g->now_ms, era_gossip_jitter(g, rest_ms));
    a->backoff_ms *= 2;
    if (a->backoff_ms > ERA_RECONNECT_MAX_MS)
        a->backoff_ms = ERA_RECONNECT_MAX_MS;
}

void era_gossip_dial_failed(struct era_gossip *g, uint64_t now_ms, const char *address)
{
    era_gossip_advance(g, now_ms);
    era_gossip_stir(g);
    era_stuck_failed(g, address);
    struct era_anchor *a = at(g, address);
    if (a != NULL && a->state == ERA_ANCHOR_DIALLING)
        back_off(g, a);
    if (g->overlay != NULL)
        era_overlay_dial_failed(g->overlay, g->now_ms, address);
}

void era_anchor_lost(struct era_gossip *g, const struct era_link *link, bool long_wait)
{
    for (size_t i = 0; i < g->anchor_count; i++) {
        struct era_anchor *a = &g->anchors[i];
        if (a->state == ERA_ANCHOR_LINKED && a->link == link->info.link) {
            bool held =
                link->info.state == ERA_PEER_UP && g->now_ms - link->info.up_since_ms >= ERA_RECONNECT_MAX_MS;
            if (long_wait)
                a->backoff_ms = ERA_RECONNECT_MAX_MS;
            else if (held)
                a->backoff_ms = ERA_RECONNECT_MIN_MS;
            back_off(g, a);
        } else if (a->state == ERA_ANCHOR_IDLE && a->has_node && link->info.state == ERA_PEER_UP &&
                   era_key_eq(&a->node, &link->info.node)) {
            uint64_t soon = era_add_sat(g->now_ms, era_gossip_jitter(g, a->backoff_ms));
            if (soon < a->next_ms)
                a->next_ms = soon;
        }
    }
}

/* ---- what was learned from them ---- */

static bool leads_to(const struct era_anchor *a, const struct era_link *link)
{
    if (a->state == ERA_ANCHOR_LINKED && a->link == link->info.link)
        return true;
    return link->info.state == ERA_PEER_UP && a->has_node && era_key_eq(&a->node, &link->info.node);
}

bool era_link_is_anchor(const struct era_gossip *g, const struct era_link *link)
{
    for (size_t i = 0; i < g->anchor_count; i++)
        if (leads_to(&g->anchors[i], link))
            return true;
    return false;
}

void era_gossip_found_at(struct era_gossip *g, uint64_t link, const char *address)
{
    struct era_link *l = era_link_find(g, link);
    if (l != NULL && l->info.outgoing && !era_place_parse(address, &l->found))
        l->found.len = 0;
}

static bool pinned_answered(struct era_anchor *anchor, const struct era_key *node)
{
    if (era_key_eq(&anchor->node, node)) {
        anchor->others = 0;
        return true;
    }
    anchor->others = anchor->others > 0 && era_key_eq(&anchor->other, node) ? anchor->others + 1 : 1;
    anchor->other = *node;
    return false;
}

bool era_anchor_answered(struct era_anchor *anchor, const struct era_key *node)
{
    if (anchor->pinned)
        return pinned_answered(anchor, node);
    anchor->keys += anchor->had_node && !era_key_eq(&anchor->node, node);
    anchor->node = *node;
    anchor->has_node = anchor->had_node = true;
    return true;
}

bool era_link_is_pinned(const struct era_gossip *g, const struct era_link *link)
{
    for (size_t i = 0; i < g->anchor_count; i++)
        if (g->anchors[i].pinned && leads_to(&g->anchors[i], link))
            return true;
    return false;
}

size_t era_gossip_other_keys(const struct era_gossip *g, struct era_other_key *out, size_t cap)
{
    size_t count = 0;
    for (size_t i = 0; i < g->anchor_count; i++) {
        const struct era_anchor *a = &g->anchors[i];
        if (a->others == 0 || count++ >= cap)
            continue;
        struct era_other_key *o = &out[count - 1];
        *o = (struct era_other_key){.wanted = a->node, .answered = a->other, .times = a->others};
        era_text_set(o->address, sizeof o->address, a->address);
    }
    return count;
}

uint32_t era_link_anchor_keys(const struct era_gossip *g, const struct era_link *link)
{
    for (size_t i = 0; i < g->anchor_count; i++)
        if (leads_to(&g->anchors[i], link))
            return g->anchors[i].keys;
    return 0;
}

void era_anchors_reconciled(struct era_gossip *g)
{
    for (size_t i = 0; i < g->anchor_count; i++)
        for (size_t k = 0; k < g->link_count; k++)
            if (g->links[k]->info.complete_rounds > 0 && leads_to(&g->anchors[i], g->links[k]))
                g->anchors[i].reconciled = true;
}

static bool is_reachable(const struct era_gossip *g, const struct era_anchor *a)
{
    bool reachable = a->state == ERA_ANCHOR_LINKED || !a->tried;
    for (size_t i = 0; !reachable && i < g->link_count; i++)
        reachable = !g->links[i]->closing && leads_to(a, g->links[i]);
    return reachable;
}

size_t era_gossip_anchor_state(const struct era_gossip *g, size_t *reachable, size_t *reconciled)
{
    size_t count = 0;
    *reachable = *reconciled = 0;
    for (size_t i = 0; i < g->anchor_count; i++) {
        const struct era_anchor *a = &g->anchors[i];
        if (era_anchor_is_self(a))
            continue;
        count++;
        *reachable += is_reachable(g, a);
        *reconciled += a->reconciled;
    }
    return count;
}
