/* A whole set in the order of its ids, for a peer that has almost nothing of it: no short id is asked
 * for. Pace is the link's: so much as it has room for. Now and then the sender tells up to which id all
 * was sent; the other end keeps that, so that after a cut another peer goes on from there. What the
 * receiver alone has, or lost on the way, the next round finds. */
#include "p2p/gossip_internal.h"

#include <string.h>

#define PAGE_ITEMS 256 /* between two words of how far we are */

/* ---- from whom we learn ---- */

static bool source_lives(const struct era_gossip *g, const struct era_teacher *source)
{
    const struct era_link *link = source->link == 0 ? NULL : era_link_find(g, source->link);
    if (link == NULL)
        return false;
    uint64_t last_ms =
        link->requests_heard_ms > source->since_ms ? link->requests_heard_ms : source->since_ms;
    return g->now_ms - last_ms < ERA_REQUEST_MS;
}

/* Rounds that peers begin keep no round of ours from learning: else those who dial us could. */
bool era_teacher_is_free(const struct era_gossip *g, const struct era_link *link, enum era_set set, bool ours)
{
    const struct era_teacher *source = &g->teacher[set - 1];
    return source->link == link->info.link || (ours && !source->ours) || !source_lives(g, source);
}

bool era_teacher_take(struct era_gossip *g, const struct era_link *link, enum era_set set, bool ours)
{
    if (!era_teacher_is_free(g, link, set, ours) || link->requests_rest_ms > g->now_ms)
        return false;
    g->teacher[set - 1] = (struct era_teacher){.link = link->info.link, .ours = ours, .since_ms = g->now_ms};
    return true;
}

bool era_teacher_is_busy(const struct era_gossip *g, enum era_set set)
{
    struct era_link *link = era_link_find(g, g->teacher[set - 1].link);
    return link != NULL && (era_sync_of(link, set)->requests > 0 || era_sync_of(link, set)->taking);
}

void era_teacher_leave(struct era_gossip *g, const struct era_link *link, enum era_set set)
{
    if (g->teacher[set - 1].link == link->info.link)
        g->teacher[set - 1].link = 0;
}

/* ---- sending ---- */

bool era_pages_begin(struct era_gossip *g, struct era_link *link, enum era_set set, uint64_t round,
                     struct era_bytes upto)
{
    struct era_sync *sync = era_sync_of(link, set);
    if (sync->paged && g->now_ms - sync->paged_ms < ERA_PAGES_REST_MS)
        return false;
    sync->paging = sync->paged = true;
    sync->page_round = round;
    sync->page_told = sync->page_new = false;
    sync->paged_ms = sync->heard_ms = g->now_ms;
    sync->page.some = upto.len == ERA_HASH_BYTES;
    if (sync->page.some)
        memcpy(sync->page.at.b, upto.data, ERA_HASH_BYTES);
    link->info.whole_sets_out++;
    return true;
}

static void send_word(struct era_gossip *g, struct era_link *link, enum era_set set, enum era_frame_word word,
                      const struct era_cursor *upto)
{
    struct era_frame_cells out = {.set = set, .round = era_sync_of(link, set)->page_round, .word = word};
    if (upto != NULL)
        out.upto = (struct era_bytes){upto->at.b, ERA_HASH_BYTES};
    era_sync_send_cells(g, link, &out);
}

static void pages_end(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = era_sync_of(link, set);
    sync->paging = false;
    sync->idle = !sync->page_new;
    send_word(g, link, set, ERA_WORD_END, NULL);
    if (sync->page_round % 2 == sync->round % 2)
        era_sync_soon(g, link, set);
}

void era_pages_pump(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = era_sync_of(link, set);
    while (sync->paging && link->serve.count == 0 && era_link_has_room(g, link, ERA_LINK_BULK_BYTES_MAX)) {
        struct era_outgoing item = {.set = set};
        bool more = true;
        if (sync->page_told)
            send_word(g, link, set, ERA_WORD_PAGES, &sync->page);
        for (size_t i = 0; i < PAGE_ITEMS && (more = era_idset_next(g->sets[set - 1], &sync->page)); i++) {
            item.id = sync->page.at;
            if (era_sent_before(g, link, &item.id))
                continue;
            sync->page_new = true;
            era_serve_and_note(g, link, &item);
        }
        sync->heard_ms = g->now_ms;
        sync->page_told = more; /* when the queue is empty again */
        if (link->serve.count > 0)
            era_serve_flush(g, link);
        if (!more && link->serve.count == 0)
            pages_end(g, link, set);
    }
}

/* ---- taking ---- */

void era_pages_heard(struct era_gossip *g, struct era_link *link, enum era_set set,
                     const struct era_frame_cells *word)
{
    struct era_sync *sync = era_sync_of(link, set);
    bool ours = word->round % 2 == sync->round % 2, brought = link->brought != sync->taken;
    bool begins = !sync->taking;
    sync->taken = link->brought;
    sync->paid = !begins && (sync->paid || brought);
    sync->heard_ms = g->now_ms;
    /* Words alone keep nobody else from teaching. */
    if (begins || brought)
        (void)era_teacher_take(g, link, set, ours);
    sync->taking = word->word == ERA_WORD_PAGES;
    sync->whole = sync->whole && !ours; /* the next round says what else there is */
    if (sync->taking) {
        struct era_hash upto;
        if (word->upto.len == 0)
            return;
        memcpy(upto.b, word->upto.data, ERA_HASH_BYTES);
        if (brought && era_gossip_holds(g, set, &upto)) /* it really came so far */
            g->upto[set - 1] = (struct era_cursor){.some = true, .at = upto};
        return;
    }
    g->upto[set - 1].some = false;
    sync->idle = !sync->paid;
    if (!sync->paid)
        link->requests_rest_ms = era_add_sat(g->now_ms, ERA_REQUEST_REST_MS);
    era_teacher_leave(g, link, set);
    if (ours) {
        sync->active = false;
        era_sync_soon(g, link, set);
    }
}
