/* Anti-entropy of one set on one link. Whoever dialled begins the rounds; the
 * other end only when it has something to heal, or hears no round for long,
 * or, hearing only rounds that differ, has not yet learned all that the peer
 * names. A round that finds the ends equal doubles the interval to the next.
 *
 *   beginner                          other end
 *   Summary(round)          ->
 *                           <-        all equal: Have without buckets; the round is over
 *                                     (with reply set: not equal, but wait)
 *                           <-        Have, a page of its ids in the differing buckets
 *   Want what we lack       ->
 *   Have, a list of what    ->        Want what it lacks;
 *   the page lacks                    reply set: the next page
 *
 * A page or list of ERA_SYNC_IDS_PER_FRAME_MAX ids is full and ends at its
 * last id; a full list moves both ends back to its own last id. So the ends
 * walk through any number of ids in step, each holding one cursor. Neither asks
 * for more before most of what it asked for has come, nor the other end offers
 * more before what it was asked for is written: memory and traffic are bounded.
 * Whoever lacks an item asks one peer at a time for it, and never for what it
 * refused. */
#include "p2p/gossip_internal.h"

#include <assert.h>
#include <string.h>

/* So few are still to come that the next page may be asked for. */
#define REQUESTS_LOW ((size_t)ERA_SYNC_IDS_PER_FRAME_MAX / 2)

static const struct era_page no_page;

static struct era_sync *sync_of(struct era_link *link, enum era_set set)
{
    return &link->sync[set - 1];
}

/* The dialler's next round, or how long the other end waits for it: the
 * intervals of both follow the same rule, so three of them are long. */
static uint64_t next_round_ms(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    uint64_t interval = sync_of(link, set)->interval_ms;
    uint64_t wait = era_gossip_jitter(g, interval);
    if (!link->info.outgoing)
        wait += 3 * interval;
    else if (set == ERA_SET_STATEMENTS && wait > ERA_KEEP_ALIVE_MS)
        wait = ERA_KEEP_ALIVE_MS; /* events may not flow: these rounds alone keep the link alive */
    return era_add_sat(g->now_ms, wait);
}

void era_sync_start(struct era_gossip *g, struct era_link *link)
{
    for (size_t i = 0; i < ERA_SETS; i++) {
        struct era_sync *sync = &link->sync[i];
        sync->round = link->info.outgoing ? 0 : 1;
        sync->interval_ms = ERA_SYNC_INTERVAL_MS;
        sync->next_ms = link->info.outgoing ? g->now_ms : next_round_ms(g, link, (enum era_set)(i + 1));
    }
}

void era_sync_stir(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = sync_of(link, set);
    if (link->info.state != ERA_PEER_UP || sync->interval_ms == ERA_SYNC_INTERVAL_MS)
        return;
    sync->interval_ms = ERA_SYNC_INTERVAL_MS;
    uint64_t next_ms = next_round_ms(g, link, set);
    if (next_ms < sync->next_ms)
        sync->next_ms = next_ms;
}

void era_sync_stir_all(struct era_gossip *g, enum era_set set)
{
    for (size_t i = 0; i < g->link_count; i++)
        era_sync_stir(g, g->links[i], set);
}

void era_sync_soon(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    era_sync_stir(g, link, set);
    sync_of(link, set)->next_ms = g->now_ms;
}

static void slow_down(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = sync_of(link, set);
    sync->interval_ms *= 2;
    if (sync->interval_ms > ERA_SYNC_QUIET_MS)
        sync->interval_ms = ERA_SYNC_QUIET_MS;
    sync->next_ms = next_round_ms(g, link, set);
}

/* ---- what rounds found ---- */

static void complete_round(struct era_gossip *g, struct era_link *link)
{
    link->info.complete_rounds++;
    g->complete_rounds++;
    if (link->info.complete_rounds == 1)
        era_anchors_reconciled(g);
}

static void equal_round(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    slow_down(g, link, set);
    if (set != ERA_SET_STATEMENTS)
        return;
    link->info.equal_rounds++;
    g->equal_rounds++;
    g->equal_ms = g->now_ms;
    complete_round(g, link);
}

/* Our round of the statements has ended and all it named is learned: counted once. */
static void complete_if_learned(struct era_gossip *g, struct era_link *link)
{
    struct era_sync *sync = sync_of(link, ERA_SET_STATEMENTS);
    if (sync->active || !sync->whole || sync->owed > 0)
        return;
    sync->whole = false;
    complete_round(g, link);
}

/* The note is of the round that we began last. */
static bool is_owed(const struct era_link *link, const struct era_idnote *note)
{
    return note->round != 0 && note->round == link->sync[ERA_SET_STATEMENTS - 1].round;
}

static void settle_owed(struct era_gossip *g, struct era_link *link, bool learned)
{
    struct era_sync *sync = sync_of(link, ERA_SET_STATEMENTS);
    sync->owed--;
    sync->whole = sync->whole && learned;
    complete_if_learned(g, link);
}

/* ---- asking ---- */

static bool is_learned(const struct era_gossip *g, enum era_set set, const struct era_hash *id)
{
    return era_gossip_holds(g, set, id) || era_idtable_find(g->refused, id) != NULL;
}

/* round: ours of the statements that named it, else 0. */
static void ask(struct era_gossip *g, struct era_link *link, enum era_set set, const struct era_hash *id,
                uint64_t round)
{
    struct era_idnote note = {
        .id = *id,
        .link = link->info.link,
        .round = round,
        .born_ms = g->now_ms,
        .due_ms = era_add_sat(g->now_ms, ERA_REQUEST_MS),
    };
    era_idtable_put(g->requests, &note);
    link->requests++;
    sync_of(link, set)->confirm = true;
    if (round != 0)
        sync_of(link, set)->owed++;
}

/* Ask for what a page of the peer names and we lack. False when something of
 * that is not asked for now: it must not be, or it was before, in another
 * round or of another peer. */
static bool ask_page(struct era_gossip *g, struct era_link *link, enum era_set set,
                     const struct era_page *page, uint64_t round)
{
    size_t count = 0;
    bool all = true;
    bool may = link->requests_rest_ms <= g->now_ms && era_link_has_room(link, ERA_LINK_OUT_BYTES_MAX);
    for (size_t i = 0; i < page->bucket_count; i++) {
        for (size_t k = 0; k < page->buckets[i].count; k++) {
            struct era_hash id;
            memcpy(id.b, page->buckets[i].ids + k * ERA_HASH_BYTES, sizeof id.b);
            if (is_learned(g, set, &id))
                continue;
            const struct era_idnote *note = era_idtable_find(g->requests, &id);
            if (note != NULL || !may || link->requests == ERA_LINK_REQUESTS_MAX ||
                era_idtable_count(g->requests) == ERA_REQUESTS_MAX) {
                all = all && note != NULL && note->link == link->info.link && is_owed(link, note);
                continue;
            }
            ask(g, link, set, &id, round);
            g->id_room.ids[count++] = id;
        }
    }
    if (count == 0)
        return all;
    struct era_frame_builder frame;
    era_frame_begin(&frame, g->frame_room);
    bool fits =
        era_frame_add_want(&frame, set, (struct era_bytes){g->id_room.ids[0].b, count * ERA_HASH_BYTES});
    assert(fits);
    era_link_send(g, link, &frame);
    return all;
}

void era_request_done(struct era_gossip *g, const struct era_hash *id, bool learned)
{
    const struct era_idnote *note = era_idtable_find(g->requests, id);
    if (note == NULL)
        return;
    struct era_link *link = era_link_find(g, note->link);
    bool owed = link != NULL && is_owed(link, note);
    era_idtable_remove(g->requests, id);
    if (link == NULL)
        return;
    link->requests--;
    link->requests_heard_ms = g->now_ms;
    if (owed)
        settle_owed(g, link, learned);
    for (size_t i = 0; link->requests == 0 && i < ERA_SETS; i++) {
        if (link->sync[i].confirm)
            era_sync_soon(g, link, (enum era_set)(i + 1));
        link->sync[i].confirm = false;
    }
    era_sync_pump(g, link);
}

void era_requests_tick(struct era_gossip *g)
{
    const struct era_idnote *oldest;
    while ((oldest = era_idtable_oldest(g->requests)) != NULL && era_gossip_is_due(g, oldest->due_ms)) {
        struct era_idnote note = *oldest;
        struct era_link *link = era_link_find(g, note.link);
        assert(link != NULL); /* a closed link takes its requests with it */
        era_idtable_remove(g->requests, &note.id);
        bool sends = g->now_ms - link->requests_heard_ms < ERA_REQUEST_MS;
        if (sends && g->now_ms - note.born_ms < ERA_REQUEST_LIFE_MS) {
            note.due_ms = era_add_sat(g->now_ms, ERA_REQUEST_MS);
            era_idtable_put(g->requests, &note);
            continue;
        }
        link->requests--;
        if (is_owed(link, &note))
            settle_owed(g, link, false);
        uint64_t rest_ms = era_add_sat(g->now_ms, ERA_REQUEST_REST_MS);
        if (link->requests_rest_ms != rest_ms)
            era_link_silent(g, link); /* once for all that run out together */
        link->requests_rest_ms = rest_ms;
    }
}

void era_sync_want(struct era_gossip *g, struct era_link *link, const struct era_frame_want *want)
{
    if (!era_set_is_known(want->set) || !era_set_flows(g, link, (enum era_set)want->set))
        return;
    for (size_t i = 0; i + ERA_HASH_BYTES <= want->ids.len; i += ERA_HASH_BYTES) {
        struct era_outgoing item = {.set = (enum era_set)want->set};
        memcpy(item.id.b, want->ids.data + i, sizeof item.id.b);
        era_serve_item(link, &item);
    }
}

/* ---- pages ---- */

static void send_page(struct era_gossip *g, struct era_link *link, enum era_set set, uint64_t round,
                      bool reply, const struct era_page *page)
{
    struct era_frame_bucket buckets[ERA_BUCKETS];
    for (size_t i = 0; i < page->bucket_count; i++) {
        buckets[i].bucket = page->buckets[i].bucket;
        buckets[i].ids = (struct era_bytes){page->buckets[i].ids, page->buckets[i].count * ERA_HASH_BYTES};
    }
    struct era_frame_builder frame;
    era_frame_begin(&frame, g->frame_room);
    bool fits = era_frame_add_have(&frame, set, round, reply, buckets, page->bucket_count);
    assert(fits);
    era_link_send(g, link, &frame);
}

static enum era_verdict read_page(const struct era_frame_have *have, struct era_page *page)
{
    struct era_frame_have rest = *have;
    struct era_frame_bucket bucket;
    page->bucket_count = 0;
    page->id_count = 0;
    while (era_frame_next_bucket(&rest, &bucket)) {
        if (page->bucket_count == ERA_BUCKETS)
            return ERA_OVERSIZED;
        struct era_page_bucket *to = &page->buckets[page->bucket_count++];
        to->bucket = bucket.bucket;
        to->ids = bucket.ids.data;
        to->count = bucket.ids.len / ERA_HASH_BYTES;
        page->id_count += to->count;
    }
    return era_page_check(page);
}

/* ---- the rounds we begin ---- */

static void begin_round(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = sync_of(link, set);
    bool waiting = sync->active && (sync->held || g->now_ms - sync->heard_ms < ERA_SYNC_STALL_MS);
    sync->next_ms = next_round_ms(g, link, set);
    if (waiting || !era_link_has_room(link, ERA_LINK_BULK_BYTES_MAX))
        return;
    if (sync->active)
        era_link_silent(g, link); /* the round before was never answered */
    if (link->closing)
        return;
    sync->round += 2;
    sync->active = true;
    sync->held = false;
    sync->heard_ms = g->now_ms;
    sync->pages = 0;
    sync->whole = set == ERA_SET_STATEMENTS;
    sync->owed = 0;
    sync->cursor.some = false;
    uint8_t buckets[ERA_SUMMARY_BYTES];
    era_idset_summary(g->sets[set - 1], buckets);
    struct era_frame_summary summary = {
        .set = set, .round = sync->round, .buckets = {buckets, sizeof buckets}};
    struct era_frame_builder frame;
    era_frame_begin(&frame, g->frame_room);
    bool fits = era_frame_add_summary(&frame, &summary);
    assert(fits);
    era_link_send(g, link, &frame);
}

static void take_answer(struct era_gossip *g, struct era_link *link, enum era_set set,
                        const struct era_page *page, bool reply)
{
    struct era_sync *sync = sync_of(link, set);
    sync->heard_ms = g->now_ms;
    era_link_answered(link);
    if (page->bucket_count == 0) {
        sync->active = false;
        if (reply) {
            era_sync_stir(g, link, set);
            sync->next_ms = era_add_sat(g->now_ms, ERA_MOVED_MS);
        } else if (sync->pages == 0) {
            equal_round(g, link, set);
        }
        sync->whole = false;
        return;
    }
    sync->pages++;
    era_sync_stir(g, link, set);
    if (!ask_page(g, link, set, page, set == ERA_SET_STATEMENTS ? sync->round : 0))
        sync->whole = false;
    if (!era_link_has_room(link, ERA_LINK_OUT_BYTES_MAX)) {
        sync->active = sync->whole = false; /* the peer does not read: begin again later */
        return;
    }
    struct era_page list;
    era_idset_lacks(g->sets[set - 1], page, &sync->cursor, &g->id_room, &list);
    bool more = era_page_is_full(page) || era_page_is_full(&list);
    sync->cursor = era_page_is_full(&list) ? era_page_end(&list) : era_page_end(page);
    sync->active = more;
    sync->held = more && list.id_count == 0 && link->requests > REQUESTS_LOW;
    if (!sync->held && (more || list.id_count > 0))
        send_page(g, link, set, sync->round, more, &list);
    if (set == ERA_SET_STATEMENTS)
        complete_if_learned(g, link);
}

/* ---- the rounds the peer begins ---- */

/* Items that were pushed a moment ago are most likely under way on this very
 * link: leave their buckets to a later round. */
static void leave_moving(const struct era_gossip *g, const struct era_link *link, struct era_sync *sync,
                         const struct era_idset *set)
{
    struct era_bucket_mask still = {{0}};
    for (unsigned b = 0; b < ERA_BUCKETS; b++) {
        uint64_t moved_ms = era_idset_moved_ms(set, b);
        bool moving = moved_ms > link->info.up_since_ms && g->now_ms - moved_ms < ERA_MOVED_MS;
        if (era_bucket_mask_has(&sync->differing, b) && !moving)
            era_bucket_mask_put(&still, b);
    }
    if (sync->moved_skips == ERA_MOVED_SKIPS_MAX) {
        sync->moved_skips = 0;
        return;
    }
    if (memcmp(&still, &sync->differing, sizeof still) != 0)
        sync->moved_skips++;
    sync->differing = still;
}

/* The peer keeps the rounds going; but its own tell us little of what it holds. */
static void heard_difference(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    era_sync_stir(g, link, set);
    if (!link->info.outgoing && (set != ERA_SET_STATEMENTS || link->info.complete_rounds > 0))
        sync_of(link, set)->next_ms = next_round_ms(g, link, set);
}

void era_sync_summary(struct era_gossip *g, struct era_link *link, const struct era_frame_summary *summary)
{
    if (!era_set_is_known(summary->set) || !era_set_flows(g, link, (enum era_set)summary->set))
        return;
    enum era_set set = (enum era_set)summary->set;
    struct era_sync *sync = sync_of(link, set);
    if (summary->round % 2 == sync->round % 2) {
        era_link_charge(g, link, ERA_BAD_VALUE);
        return;
    }
    sync->peer_round = summary->round;
    sync->peer_cursor.some = false;
    sync->answering = sync->due = true; /* see era_sync_pump */
    era_idset_differing(g->sets[set - 1], summary->buckets.data, &sync->differing);
    sync->later = !era_bucket_mask_is_empty(&sync->differing);
    if (sync->later) {
        leave_moving(g, link, sync, g->sets[set - 1]);
        heard_difference(g, link, set);
    } else {
        sync->moved_skips = 0;
        equal_round(g, link, set);
    }
}

static void page_out(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = sync_of(link, set);
    struct era_page page;
    sync->due = false;
    if (era_bucket_mask_is_empty(&sync->differing)) {
        sync->answering = false;
        send_page(g, link, set, sync->peer_round, sync->later, &no_page);
        return;
    }
    era_idset_page(g->sets[set - 1], &sync->differing, &sync->peer_cursor, &page);
    sync->page_end = era_page_end(&page);
    send_page(g, link, set, sync->peer_round, true, &page);
}

static void take_list(struct era_gossip *g, struct era_link *link, enum era_set set,
                      const struct era_page *list, bool reply)
{
    struct era_sync *sync = sync_of(link, set);
    struct era_cursor end = era_page_is_full(list) ? era_page_end(list) : sync->page_end;
    bool onward = (!sync->peer_cursor.some || era_hash_cmp(&end.at, &sync->peer_cursor.at) > 0) &&
                  era_hash_cmp(&end.at, &sync->page_end.at) <= 0;
    (void)ask_page(g, link, set, list, 0); /* its end may go untold: no round of the peer's is complete */
    sync->answering = sync->due = reply && onward;
    sync->peer_cursor = end;
    if (!onward)
        era_link_charge(g, link, ERA_BAD_VALUE);
}

void era_sync_have(struct era_gossip *g, struct era_link *link, const struct era_frame_have *have)
{
    if (!era_set_is_known(have->set) || !era_set_flows(g, link, (enum era_set)have->set))
        return;
    enum era_set set = (enum era_set)have->set;
    struct era_sync *sync = sync_of(link, set);
    struct era_page page;
    enum era_verdict verdict = read_page(have, &page);
    if (verdict != ERA_ACCEPTED) {
        era_link_charge(g, link, verdict);
        return;
    }
    /* A page or list of a round given up is late, not wrong. */
    if (sync->active && have->round == sync->round)
        take_answer(g, link, set, &page, have->reply);
    else if (sync->answering && !sync->due && have->round == sync->peer_round)
        take_list(g, link, set, &page, have->reply);
}

/* ---- pace ---- */

void era_sync_pump(struct era_gossip *g, struct era_link *link)
{
    if (link->closing || link->info.state != ERA_PEER_UP)
        return;
    if (link->serve.count > 0)
        era_serve_flush(g, link);
    if (link->serve.count > 0 || link->requests > REQUESTS_LOW ||
        !era_link_has_room(link, ERA_LINK_BULK_BYTES_MAX))
        return;
    for (size_t i = 0; i < ERA_SETS; i++) {
        enum era_set set = (enum era_set)(i + 1);
        struct era_sync *sync = &link->sync[i];
        if (!era_set_flows(g, link, set))
            continue;
        if (sync->due)
            page_out(g, link, set);
        if (sync->held) {
            sync->held = false;
            sync->heard_ms = g->now_ms;
            send_page(g, link, set, sync->round, true, &no_page);
        }
    }
}

void era_sync_tick(struct era_gossip *g, struct era_link *link)
{
    for (size_t i = 0; i < ERA_SETS; i++) {
        enum era_set set = (enum era_set)(i + 1);
        if (era_set_flows(g, link, set) && era_gossip_is_due(g, link->sync[i].next_ms))
            begin_round(g, link, set);
    }
    era_sync_pump(g, link);
}
