/* Links that nothing comes through any more. After a cut TCP tries again only when about as long has passed
 * once more as the cut took, and does not say so. So whoever dialled a link on which an answer is owed and
 * nothing is heard dials again beside it, time and again. Who proves the same key there takes the link's
 * place; should the old one be heard meanwhile, it stays. */
#include "p2p/gossip_internal.h"

#include <string.h>

#define AGAIN_MS 1000 /* between two dials, each of which may take as long as the driver lets it */
/* A peer that greets and answers nothing is left alone twice as long each time, up to a minute. */
#define TIMES_MAX 4

static bool is_silent(const struct era_gossip *g, const struct era_link *link)
{
    return g->now_ms - link->info.last_heard_ms >= ERA_STUCK_MS;
}

uint64_t era_stuck_due_ms(const struct era_link *link)
{
    const struct era_sync *sync = &link->sync[ERA_SET_STATEMENTS - 1];
    if (!link->info.outgoing || !sync->active || link->redialled)
        return ERA_NEVER;
    uint64_t since_ms = sync->heard_ms > link->info.last_heard_ms ? sync->heard_ms : link->info.last_heard_ms;
    uint64_t due_ms = era_add_sat(since_ms, (uint64_t)ERA_STUCK_MS << link->replaced);
    return due_ms > link->redial_ms ? due_ms : link->redial_ms;
}

void era_stuck_tick(struct era_gossip *g, struct era_link *link)
{
    if (!era_gossip_is_due(g, era_stuck_due_ms(link)))
        return;
    link->redialled = true;
    struct era_gossip_action *action = era_actions_add(&g->actions, ERA_GOSSIP_CONNECT, 0);
    era_text_set(action->address, sizeof action->address, link->info.address);
}

static struct era_link *redialled(const struct era_gossip *g, const char *address)
{
    for (size_t i = 0; i < g->link_count; i++)
        if (!g->links[i]->closing && g->links[i]->redialled &&
            strcmp(g->links[i]->info.address, address) == 0)
            return g->links[i];
    return NULL;
}

static void again_later(struct era_gossip *g, struct era_link *link)
{
    link->redialled = false;
    link->redial_ms = era_add_sat(g->now_ms, era_gossip_jitter(g, AGAIN_MS));
}

void era_stuck_dialled(struct era_gossip *g, struct era_link *newer)
{
    const struct era_link *older = redialled(g, newer->info.address);
    newer->beside = older == NULL ? 0 : older->info.link;
}

void era_stuck_failed(struct era_gossip *g, const char *address)
{
    struct era_link *link = redialled(g, address);
    if (link != NULL)
        again_later(g, link);
}

void era_stuck_left(struct era_gossip *g, const struct era_link *newer)
{
    struct era_link *older = newer->beside == 0 ? NULL : era_link_find(g, newer->beside);
    if (older != NULL)
        again_later(g, older);
}

bool era_stuck_is_other(struct era_gossip *g, struct era_link *newer, const struct era_key *node)
{
    const struct era_link *older = newer->beside == 0 ? NULL : era_link_find(g, newer->beside);
    if (newer->beside != 0 && older == NULL) { /* it ended: this is a dial like any other */
        newer->beside = 0;
        era_anchor_linked(g, newer->info.address, newer->info.link);
    }
    return older != NULL && !era_key_eq(&older->info.node, node);
}

void era_stuck_replace(struct era_gossip *g, struct era_link *newer)
{
    struct era_link *older = newer->beside == 0 ? NULL : era_link_find(g, newer->beside);
    if (older == NULL || !is_silent(g, older))
        return;
    newer->beside = 0;
    newer->replaced = older->replaced < TIMES_MAX ? older->replaced + 1 : TIMES_MAX;
    era_link_close(g, older, ERA_DUPLICATE);
}
