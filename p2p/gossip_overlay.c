#include "p2p/gossip_internal.h"

#include <assert.h>
#include <string.h>

void era_ties_init(struct era_gossip *g)
{
    const struct era_gossip_config *c = &g->config;
    if (c->links_target == 0)
        return;
    struct era_overlay_config config = {
        .network = c->network,
        .node = c->node,
        .listen = c->listen,
        .target = c->links_target < ERA_OVERLAY_TARGET_MAX ? c->links_target : ERA_OVERLAY_TARGET_MAX,
        .root = era_root_child(&c->root, "overlay"),
        .fits = c->fits,
        .ctx = c->ctx,
    };
    g->overlay = era_overlay_new(&config);
}

void era_gossip_set_record(struct era_gossip *g, const struct era_peer_record *record)
{
    if (g->overlay != NULL)
        era_overlay_set_record(g->overlay, record);
}

void era_gossip_set_wall(struct era_gossip *g, uint64_t wall_ms)
{
    if (g->overlay != NULL)
        era_overlay_set_wall(g->overlay, wall_ms);
}

bool era_link_is_active(const struct era_gossip *g, const struct era_link *link)
{
    return g->overlay == NULL || era_overlay_is_active(g->overlay, link->info.link);
}

/* ---- links come and go ---- */

void era_ties_up(struct era_gossip *g, const struct era_link *link)
{
    if (g->overlay != NULL)
        era_overlay_up(g->overlay, g->now_ms, link->info.link, &link->info.node, link->info.address,
                       link->info.outgoing, era_link_is_anchor(g, link), link->info.blocked);
}

/* Whoever answered there is not who the record says, or nobody we can speak with. */
static bool misled(enum era_verdict why)
{
    return why == ERA_SELF_LINK || why == ERA_WRONG_NETWORK || why == ERA_UNPROVEN_KEY ||
           why == ERA_NO_COMMON_PROTOCOL || why == ERA_OTHER_KEY;
}

void era_ties_down(struct era_gossip *g, const struct era_link *link, enum era_verdict why)
{
    if (g->overlay == NULL)
        return;
    if (link->info.state == ERA_PEER_UP)
        era_overlay_down(g->overlay, g->now_ms, link->info.link,
                         why == ERA_ACCEPTED || why == ERA_TIMEOUT || why == ERA_NOT_AUTHENTIC);
    else if (link->info.outgoing && misled(why))
        era_overlay_misled(g->overlay, g->now_ms, link->info.address);
    else if (link->info.outgoing)
        era_overlay_dial_failed(g->overlay, g->now_ms, link->info.address);
}

void era_ties_blocked(struct era_gossip *g, const struct era_link *link)
{
    if (g->overlay != NULL)
        era_overlay_blocked(g->overlay, g->now_ms, link->info.link, link->info.blocked);
}

void era_ties_demote(struct era_gossip *g, const struct era_link *link)
{
    if (g->overlay != NULL)
        era_overlay_demote(g->overlay, g->now_ms, link->info.link);
}

void era_ties_useful(struct era_gossip *g, const struct era_link *link)
{
    if (g->overlay != NULL)
        era_overlay_useful(g->overlay, g->now_ms, link->info.link);
}

void era_ties_anchors(struct era_gossip *g)
{
    for (size_t i = 0; g->overlay != NULL && i < g->link_count; i++)
        if (g->links[i]->info.state == ERA_PEER_UP)
            era_overlay_set_anchor(g->overlay, g->links[i]->info.link, era_link_is_anchor(g, g->links[i]));
}

/* Who proved a key and then says nothing: the first that had its time to. */
static struct era_link *ungreeted(const struct era_gossip *g, const struct era_place *beside)
{
    uint64_t group = beside == NULL ? 0 : era_place_group(&g->key, beside);
    for (size_t i = 0; i < g->link_count; i++) {
        struct era_link *l = g->links[i];
        bool late = g->now_ms - l->opened_ms >= ERA_LINK_GRACE_MS;
        if (l->info.state == ERA_PEER_HANDSHAKE && !l->info.outgoing && !l->closing && late &&
            (beside == NULL || (l->has_group && l->group == group)))
            return l;
    }
    return NULL;
}

bool era_ties_make_room(struct era_gossip *g, const struct era_place *beside)
{
    struct era_link *spare = ungreeted(g, beside);
    if (spare == NULL && g->overlay != NULL)
        spare = era_link_find(g, era_overlay_spare(g->overlay, beside));
    if (spare == NULL)
        return false;
    era_link_close(g, spare, ERA_TOO_MANY_LINKS);
    era_links_reap(g);
    return true;
}

/* ---- what the overlay asks for ---- */

static void act(struct era_gossip *g, const struct era_overlay_action *a)
{
    struct era_gossip_action *connect;
    struct era_frame_builder frame;
    struct era_link *link = era_link_find(g, a->link);
    bool fits = true;
    if (a->kind == ERA_OVERLAY_DIAL) {
        connect = era_actions_add(&g->actions, ERA_GOSSIP_CONNECT, 0);
        era_place_text(&a->place, connect->address);
        return;
    }
    if (link == NULL)
        return;
    era_frame_begin(&frame, g->frame_room);
    switch (a->kind) {
    case ERA_OVERLAY_WORD:
        fits = era_frame_add_neighbour(&frame, a->word);
        break;
    case ERA_OVERLAY_WALK:
        fits = era_frame_add_walk(&frame, &a->walk);
        break;
    case ERA_OVERLAY_SHUFFLE:
        fits = era_frame_add_shuffle(&frame, a->shuffle);
        break;
    case ERA_OVERLAY_PART:
        era_link_close(g, link, ERA_TOO_MANY_LINKS); /* polite: try later or elsewhere */
        return;
    case ERA_OVERLAY_DIAL:
        return;
    }
    assert(fits);
    if (era_link_has_room(g, link, ERA_LINK_OUT_BYTES_MAX))
        era_link_send(g, link, &frame);
}

void era_ties_pump(struct era_gossip *g)
{
    const struct era_overlay_action *actions;
    /* A closed link makes no new action: one pass does. */
    size_t count = g->overlay == NULL ? 0 : era_overlay_take_actions(g->overlay, &actions);
    for (size_t i = 0; i < count; i++)
        act(g, &actions[i]);
}

/* ---- what peers say ---- */

static void charge(struct era_gossip *g, struct era_link *link, enum era_verdict verdict)
{
    if (verdict != ERA_ACCEPTED)
        era_link_charge(g, link, verdict);
}

static void send_yes(struct era_gossip *g, struct era_link *link)
{
    struct era_frame_builder frame;
    era_frame_begin(&frame, g->frame_room);
    bool fits = era_frame_add_neighbour(&frame, ERA_NEIGHBOUR_YES);
    assert(fits);
    era_link_send(g, link, &frame);
}

void era_ties_word(struct era_gossip *g, struct era_link *link, enum era_neighbour_word word)
{
    if (g->overlay != NULL)
        charge(g, link, era_overlay_word(g->overlay, g->now_ms, link->info.link, word));
    else if (word <= ERA_NEIGHBOUR_ASK_ALONE)
        send_yes(g, link); /* without an overlay every link is a neighbour's */
}

void era_ties_walk(struct era_gossip *g, struct era_link *link, const struct era_peer_walk *walk)
{
    if (g->overlay != NULL)
        charge(g, link, era_overlay_walk(g->overlay, g->now_ms, link->info.link, walk));
}

void era_ties_shuffle(struct era_gossip *g, struct era_link *link, const struct era_peer_shuffle *shuffle)
{
    if (g->overlay != NULL)
        charge(g, link, era_overlay_shuffle(g->overlay, g->now_ms, link->info.link, shuffle));
}
