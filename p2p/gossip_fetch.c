#include "p2p/gossip_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* So few are still to come that more may be asked for. */
#define REQUESTS_LOW ((size_t)ERA_SYNC_IDS_PER_FRAME_MAX / 2)
/* So many may come twice. */
#define FEW 64
/* Refused items whose ids begin alike, with the bits that short ids begin with. */
#define REFUSED_CROWD_MAX 64
/* Items put into the queue at a time. */
#define SERVE_STEP 256

/* ---- requests: what a link was asked for, by short id ---- */

/* Short ids of two links, or sets, have nothing to do with each other. */
static struct era_hash request_key(const struct era_link *link, enum era_set set, uint64_t short_id)
{
    struct era_hash key = {{0}};
    era_put_be64(key.b, short_id);
    era_put_be64(key.b + 8, link->info.link);
    key.b[16] = (uint8_t)set;
    return key;
}

/* The note is of the round that we began last. */
static bool is_owed(const struct era_link *link, const struct era_idnote *note)
{
    return note->round != 0 && note->round == link->sync[ERA_SET_STATEMENTS - 1].round;
}

bool era_was_asked(const struct era_gossip *g, struct era_link *link, enum era_set set,
                   const struct era_hash *id)
{
    const struct era_sync *sync = era_sync_of(link, set);
    struct era_hash key;
    if (sync->taking || g->teacher[set - 1].link == link->info.link)
        return true;
    if (link->requests == 0)
        return false;
    key = request_key(link, set, era_tag_of(&sync->salt, id).short_id);
    return era_idtable_find(g->requests, &key) != NULL;
}

static size_t pending(const struct era_gossip *g)
{
    return g->config.pending == NULL ? 0 : g->config.pending(g->config.ctx);
}

static void settle_owed(struct era_gossip *g, struct era_link *link, bool learned)
{
    struct era_sync *sync = era_sync_of(link, ERA_SET_STATEMENTS);
    sync->owed--;
    sync->whole = sync->whole && learned;
    era_sync_complete(g, link);
}

static bool may_ask(const struct era_gossip *g, const struct era_link *link)
{
    return link->requests < ERA_LINK_REQUESTS_MAX && era_idtable_count(g->requests) < ERA_REQUESTS_MAX;
}

static bool is_rested(const struct era_gossip *g, const struct era_link *link)
{
    return link->requests_rest_ms <= g->now_ms && era_link_has_room(g, link, ERA_LINK_OUT_BYTES_MAX);
}

/* round: ours of the statements that named it, else 0. */
static void request(struct era_gossip *g, struct era_link *link, enum era_set set, uint64_t short_id,
                    uint64_t round)
{
    struct era_idnote note = {
        .id = request_key(link, set, short_id),
        .link = link->info.link,
        .round = round,
        .born_ms = g->now_ms,
        .due_ms = era_add_sat(g->now_ms, ERA_REQUEST_MS),
    };
    if (link->requests == 0)
        link->requests_heard_ms = g->now_ms;
    era_idtable_put(g->requests, &note);
    link->requests++;
    era_sync_of(link, set)->requests++;
    era_sync_of(link, set)->confirm = true;
}

static const struct era_idnote *requested(const struct era_gossip *g, const struct era_link *link,
                                          enum era_set set, uint64_t short_id)
{
    struct era_hash key = request_key(link, set, short_id);
    return era_idtable_find(g->requests, &key);
}

/* All that was asked for came: see whether the ends are equal now. */
static void all_came(struct era_gossip *g, struct era_link *link)
{
    for (size_t i = 0; i < ERA_SETS; i++) {
        struct era_sync *sync = &link->sync[i];
        if (sync->found.short_ids != NULL || !sync->confirm)
            continue;
        sync->confirm = false;
        if (!sync->taking)
            era_teacher_leave(g, link, (enum era_set)(i + 1));
        era_sync_soon(g, link, (enum era_set)(i + 1));
    }
}

static void request_done(struct era_gossip *g, struct era_link *link, enum era_set set,
                         const struct era_hash *id, bool learned)
{
    struct era_sync *sync = era_sync_of(link, set);
    if (link->requests == 0)
        return;
    uint64_t short_id = era_tag_of(&sync->salt, id).short_id;
    const struct era_idnote *note = requested(g, link, set, short_id);
    if (note == NULL)
        return;
    era_gossip_stir(g); /* of whatever link it was asked */
    bool owed = is_owed(link, note);
    struct era_hash key = note->id;
    era_idtable_remove(g->requests, &key);
    link->requests--;
    sync->requests--;
    link->requests_heard_ms = g->now_ms;
    if (owed)
        settle_owed(g, link, learned);
    if (link->requests == 0)
        all_came(g, link);
    if (link->requests <= REQUESTS_LOW)
        era_sync_pump(g, link);
}

void era_request_done(struct era_gossip *g, const struct era_hash *id, bool learned)
{
    for (size_t i = 0; i < g->link_count; i++)
        for (size_t s = 0; s < ERA_SETS && g->links[i]->requests > 0; s++)
            if (!g->links[i]->closing)
                request_done(g, g->links[i], (enum era_set)(s + 1), id, learned);
}

/* What was named and not yet asked for is not learned in this round. */
static void forget_unasked(struct era_gossip *g, struct era_link *link)
{
    for (size_t i = 0; i < ERA_SETS; i++) {
        struct era_sync *sync = &link->sync[i];
        size_t unasked = sync->found.count - sync->found.their_at;
        sync->found.their_at = sync->found.count;
        if (unasked > 0 && i == ERA_SET_STATEMENTS - 1) {
            sync->owed -= unasked;
            sync->whole = false;
        }
        era_teacher_leave(g, link, (enum era_set)(i + 1));
    }
}

void era_requests_tick(struct era_gossip *g)
{
    const struct era_idnote *oldest;
    while ((oldest = era_idtable_oldest(g->requests)) != NULL && era_gossip_is_due(g, oldest->due_ms)) {
        struct era_idnote note = *oldest;
        struct era_link *link = era_link_find(g, note.link);
        era_idtable_remove(g->requests, &note.id);
        if (link == NULL)
            continue; /* of a link that closes in this very call */
        bool sends = g->now_ms - link->requests_heard_ms < ERA_REQUEST_MS;
        if (sends && g->now_ms - note.born_ms < ERA_REQUEST_LIFE_MS) {
            note.due_ms = era_add_sat(g->now_ms, ERA_REQUEST_MS);
            era_idtable_put(g->requests, &note);
            continue;
        }
        link->requests--;
        link->sync[note.id.b[16] - 1].requests--;
        if (is_owed(link, &note))
            settle_owed(g, link, false);
        uint64_t rest_ms = era_add_sat(g->now_ms, ERA_REQUEST_REST_MS);
        if (link->requests_rest_ms != rest_ms) {
            forget_unasked(g, link);
            era_link_silent(g, link); /* once for all that run out together */
        }
        link->requests_rest_ms = rest_ms;
    }
}

/* ---- refused items ---- */

void era_refuse(struct era_gossip *g, const struct era_hash *id, enum era_verdict why)
{
    struct era_idnote note = {.id = *id, .why = why};
    if (era_idset_crowd(g->refused_ids, id) >= REFUSED_CROWD_MAX)
        return; /* made to be: looking for any of them would cost as many steps */
    if (era_idtable_count(g->refused) == ERA_REFUSED_IDS_MAX && era_idtable_find(g->refused, id) == NULL)
        era_idset_remove(g->refused_ids, &era_idtable_oldest(g->refused)->id);
    era_idtable_put(g->refused, &note);
    era_idset_add(g->refused_ids, id);
}

static bool is_refused(const struct era_gossip *g, const struct era_sync *sync, uint64_t short_id)
{
    struct era_hash id;
    return era_idset_find(g->refused_ids, &sync->salt, short_id, &id);
}

static bool is_ours(const struct era_gossip *g, const struct era_sync *sync, enum era_set set,
                    uint64_t short_id, struct era_hash *id)
{
    return era_idset_find(g->sets[set - 1], &sync->salt, short_id, id);
}

/* ---- what a round found ---- */

void era_findings_clear(struct era_gossip *g, struct era_sync *sync)
{
    free(sync->found.short_ids);
    memset(&sync->found, 0, sizeof sync->found);
    era_sync_hold(g, sync);
}

/* Ours to the front; of the others those that are to be asked for. Returns how many are kept.
 * *all: none was asked for in another round, which settles it. */
static size_t sort_out(struct era_gossip *g, struct era_link *link, enum era_set set, uint64_t *short_ids,
                       size_t count, size_t *ours, bool *all)
{
    struct era_sync *sync = era_sync_of(link, set);
    struct era_hash id;
    size_t kept = 0;
    *ours = 0;
    *all = true;
    for (size_t i = 0; i < count; i++) {
        uint64_t short_id = short_ids[i];
        if (is_ours(g, sync, set, short_id, &id)) {
            short_ids[kept++] = short_ids[*ours];
            short_ids[(*ours)++] = short_id;
            continue;
        }
        const struct era_idnote *note = requested(g, link, set, short_id);
        if (note != NULL && !is_owed(link, note))
            *all = sync->whole = false;
        if (note == NULL && !is_refused(g, sync, short_id))
            short_ids[kept++] = short_id;
    }
    return kept;
}

static void confirm_soon(const struct era_gossip *g, struct era_sync *sync)
{
    uint64_t soon_ms = era_add_sat(g->now_ms, ERA_CONFIRM_MS);
    if (soon_ms < sync->next_ms)
        sync->next_ms = soon_ms;
}

/* Of another peer that was only asked what it has, a few are not worth waiting for. */
static bool may_learn(struct era_gossip *g, const struct era_link *link, enum era_set set, size_t count)
{
    return era_teacher_take(g, link, set, true) || (count <= FEW && !era_teacher_is_busy(g, set));
}

bool era_fetch_begin(struct era_gossip *g, struct era_link *link, enum era_set set, uint64_t *short_ids,
                     size_t count)
{
    struct era_sync *sync = era_sync_of(link, set);
    bool all;
    size_t ours, kept = sort_out(g, link, set, short_ids, count, &ours, &all);
    if (kept > ours && !(is_rested(g, link) && may_learn(g, link, set, kept - ours))) {
        kept = ours; /* learned from another, or later */
        all = sync->whole = false;
    }
    if (kept > ours && kept - ours <= pending(g) && sync->pending_skips < ERA_PENDING_SKIPS_MAX) {
        sync->pending_skips++; /* most likely these came already */
        confirm_soon(g, sync);
        kept = ours;
        all = sync->whole = false;
    } else {
        sync->pending_skips = 0;
    }
    if (kept == ours)
        era_teacher_leave(g, link, set);
    sync->found = (struct era_findings){
        .short_ids = short_ids, .count = kept, .our_end = ours, .our_at = 0, .their_at = ours};
    era_sync_hold(g, sync);
    if (set == ERA_SET_STATEMENTS)
        sync->owed += kept - ours;
    sync->sent = 0;
    era_fetch_pump(g, link, set);
    bool exchange = !all || kept > ours || sync->sent > 0 || sync->found.short_ids != NULL;
    if (set == ERA_SET_STATEMENTS)
        era_sync_complete(g, link);
    return exchange;
}

struct batch {
    uint8_t ids[ERA_SYNC_IDS_PER_FRAME_MAX * ERA_FRAME_SHORT_BYTES];
    size_t count;
};

static void batch_put(struct batch *batch, uint64_t short_id)
{
    era_put_be64(batch->ids + batch->count++ * ERA_FRAME_SHORT_BYTES, short_id);
}

static struct era_bytes batch_bytes(const struct batch *batch)
{
    return (struct era_bytes){batch->ids, batch->count * ERA_FRAME_SHORT_BYTES};
}

/* What this link has seen the peer may have refused: it is offered, not sent. */
static void send_ours(struct era_gossip *g, struct era_link *link, enum era_set set, struct batch *offers)
{
    struct era_sync *sync = era_sync_of(link, set);
    struct era_findings *found = &sync->found;
    for (size_t step = 0; step < SERVE_STEP && found->our_at < found->our_end; step++) {
        struct era_outgoing item = {.set = set};
        uint64_t short_id = found->short_ids[found->our_at++];
        if (!is_ours(g, sync, set, short_id, &item.id) ||
            era_sync_moves(g, link, set, &item.id, 2 * ERA_MOVED_MS))
            continue; /* it left the set, or is under way: the peer's answer left such items out */
        if (era_sent_before(g, link, &item.id))
            batch_put(offers, short_id);
        else
            era_serve_and_note(g, link, &item);
    }
    sync->sent += link->serve.count;
    era_serve_flush(g, link);
}

static void ask_theirs(struct era_gossip *g, struct era_link *link, enum era_set set, struct batch *wanted)
{
    struct era_sync *sync = era_sync_of(link, set);
    struct era_findings *found = &sync->found;
    if (link->requests > REQUESTS_LOW)
        return;
    for (; found->their_at < found->count && may_ask(g, link) && wanted->count < ERA_SYNC_IDS_PER_FRAME_MAX;
         found->their_at++) {
        uint64_t short_id = found->short_ids[found->their_at];
        struct era_hash id;
        if (is_ours(g, sync, set, short_id, &id)) {
            if (set == ERA_SET_STATEMENTS)
                settle_owed(g, link, true); /* it came another way meanwhile */
            continue;
        }
        if (requested(g, link, set, short_id) != NULL) { /* cells named it twice */
            if (set == ERA_SET_STATEMENTS)
                settle_owed(g, link, false);
            continue;
        }
        request(g, link, set, short_id, set == ERA_SET_STATEMENTS ? sync->round : 0);
        batch_put(wanted, short_id);
    }
}

/* One step. False when nothing more can be done now. */
static bool work_off(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    struct era_sync *sync = era_sync_of(link, set);
    struct era_findings *found = &sync->found;
    struct batch offers, wanted; /* too large to be cleared whenever there is nothing to do */
    if (found->short_ids == NULL || link->serve.count > 0 ||
        !era_link_has_room(g, link, ERA_LINK_BULK_BYTES_MAX))
        return false;
    offers.count = wanted.count = 0;
    size_t before = found->our_at + found->their_at;
    send_ours(g, link, set, &offers);
    ask_theirs(g, link, set, &wanted);
    bool done = found->our_at == found->our_end && found->their_at == found->count;
    if (!done && found->our_at + found->their_at == before)
        return false;
    sync->heard_ms = g->now_ms;
    if (!done && offers.count + wanted.count == 0)
        return true;
    struct era_frame_ask ask = {.set = set,
                                .round = sync->round,
                                .ids = batch_bytes(&wanted),
                                .offers = batch_bytes(&offers),
                                .done = done};
    era_sync_send_ask(g, link, &ask);
    if (done && sync->sent > 0)
        confirm_soon(g, sync);
    if (done)
        era_findings_clear(g, sync);
    return !done;
}

void era_fetch_pump(struct era_gossip *g, struct era_link *link, enum era_set set)
{
    while (work_off(g, link, set))
        ;
}

/* ---- what was sent ---- */

bool era_sent_before(const struct era_gossip *g, const struct era_link *link, const struct era_hash *id)
{
    return (link->branch != NULL && era_branch_knows(link->branch, id)) ||
           (link->served != NULL && era_known_has(link->served, &g->key, id));
}

/* When there are too many, the leaf that is linked longest is forgotten: it may get a few things twice. */
static struct era_known *served_new(struct era_gossip *g)
{
    struct era_link *out = NULL;
    size_t count = 0;
    for (size_t i = 0; i < g->link_count; i++) {
        struct era_link *l = g->links[i];
        count += l->served != NULL;
        if (l->served != NULL && (out == NULL || (out->branch != NULL && l->branch == NULL)))
            out = l;
    }
    if (count >= ERA_SERVED_TABLES_MAX) {
        era_known_free(out->served);
        out->served = NULL;
    }
    struct era_known *served = calloc(1, sizeof *served);
    assert(served != NULL);
    return served;
}

void era_serve_and_note(struct era_gossip *g, struct era_link *link, const struct era_outgoing *item)
{
    if (link->served == NULL)
        link->served = served_new(g);
    era_known_put(link->served, &g->key, &item->id);
    era_serve_item(g, link, item);
}

/* ---- what the peer asks for ---- */

/* Whoever asks for the same again and again gets it so often and no more. */
static bool may_have_again(struct era_gossip *g, struct era_link *link)
{
    if (g->now_ms - link->again_ms >= ERA_AGAIN_MS) {
        link->again_ms = g->now_ms;
        link->again = 0;
    }
    if (link->again == ERA_AGAIN_MAX)
        era_link_charge(g, link, ERA_UNEXPECTED);
    link->again++;
    return link->again <= ERA_AGAIN_MAX;
}

void era_fetch_serve(struct era_gossip *g, struct era_link *link, enum era_set set, struct era_bytes ids)
{
    struct era_sync *sync = era_sync_of(link, set);
    for (size_t at = 0; at + ERA_FRAME_SHORT_BYTES <= ids.len && !link->closing;
         at += ERA_FRAME_SHORT_BYTES) {
        struct era_outgoing item = {.set = set};
        if (!is_ours(g, sync, set, era_get_be64(ids.data + at), &item.id))
            continue;
        bool again = era_sent_before(g, link, &item.id);
        if (again && !may_have_again(g, link))
            continue;
        link->info.again_out += again;
        era_serve_and_note(g, link, &item);
    }
}

void era_fetch_offered(struct era_gossip *g, struct era_link *link, enum era_set set, uint64_t round,
                       struct era_bytes ids)
{
    struct era_sync *sync = era_sync_of(link, set);
    struct batch wanted;
    struct era_hash id;
    if (!is_rested(g, link) || pending(g) > 0)
        return; /* what it sent before may be among what is not durable yet */
    /* Of one that we do not learn from only a few: what it offers may be made up. */
    size_t most = era_teacher_take(g, link, set, false) ? ERA_LINK_REQUESTS_MAX : FEW;
    wanted.count = 0;
    for (size_t at = 0; at + ERA_FRAME_SHORT_BYTES <= ids.len && may_ask(g, link) && link->requests < most;
         at += ERA_FRAME_SHORT_BYTES) {
        uint64_t short_id = era_get_be64(ids.data + at);
        if (is_ours(g, sync, set, short_id, &id) || is_refused(g, sync, short_id) ||
            requested(g, link, set, short_id) != NULL)
            continue;
        request(g, link, set, short_id, 0);
        batch_put(&wanted, short_id);
    }
    if (wanted.count == 0)
        return;
    struct era_frame_ask ask = {.set = set, .round = round, .ids = batch_bytes(&wanted)};
    era_sync_send_ask(g, link, &ask);
}
