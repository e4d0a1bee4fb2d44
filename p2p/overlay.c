#include "p2p/overlay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "p2p/overlay_book.h"

#define NEVER UINT64_MAX

#define ASK_MS        5000  /* an answer that has not come by then does not come */
#define ASK_AGAIN_MS  60000 /* after a no */
#define SEEK_MIN_MS   500
#define SEEK_MAX_MS   30000 /* looking for neighbours in vain */
#define SHUFFLE_MS    30000
#define JOIN_AGAIN_MS 60000
#define EVICT_MS      250 /* at most so often somebody is parted from for one who is alone */
#define RETRY_MIN_MS  5000
#define RETRY_MAX_MS  600000

enum tie { TIE_LEAF, TIE_ASKED, TIE_ACTIVE };

struct peer {
    uint64_t link;
    struct era_key node;
    bool has_group; /* a public address */
    uint64_t group;
    bool outgoing, anchor, blocked;
    bool wanted; /* we dialled it to be a neighbour */
    enum tie tie;
    uint64_t since_ms;
    uint64_t ask_ms;     /* asked: the answer's deadline; leaf: ask not before */
    uint64_t shuffle_ms; /* a shuffle was asked for then; 0: none is awaited */
};

struct era_overlay {
    struct era_overlay_config config;
    struct era_peer_record record;
    struct era_place self; /* len 0: none */
    bool is_blocked;
    uint64_t now_ms;
    struct era_prng prng;
    struct era_book book;
    bool may_dial[ERA_PLACE_UNUSABLE + 1];

    size_t anchor_count;
    struct era_place anchors[ERA_PEERS_MAX];
    size_t peer_count, peer_cap;
    struct peer *peers;

    uint64_t seek_ms, seek_wait_ms, shuffle_ms, join_ms, evict_ms;
    uint64_t dials, records_refused, parted;

    size_t action_count, action_cap;
    struct era_overlay_action *actions;
    bool taken; /* the actions were handed out: the next one begins anew */
};

/* ---- actions ---- */

static void actions_clear(struct era_overlay *o)
{
    for (size_t i = 0; i < o->action_count; i++)
        free(o->actions[i].shuffle);
    o->action_count = 0;
    o->taken = false;
}

static struct era_overlay_action *act(struct era_overlay *o, enum era_overlay_action_kind kind, uint64_t link)
{
    if (o->taken)
        actions_clear(o);
    if (o->action_count == o->action_cap) {
        o->action_cap = o->action_cap == 0 ? 8 : 2 * o->action_cap;
        o->actions = realloc(o->actions, o->action_cap * sizeof *o->actions);
        assert(o->actions != NULL);
    }
    struct era_overlay_action *a = &o->actions[o->action_count++];
    *a = (struct era_overlay_action){.kind = kind, .link = link};
    return a;
}

size_t era_overlay_take_actions(struct era_overlay *o, const struct era_overlay_action **out)
{
    if (o->taken)
        actions_clear(o);
    *out = o->actions;
    o->taken = true;
    return o->action_count;
}

static void say(struct era_overlay *o, const struct peer *p, enum era_neighbour_word word)
{
    act(o, ERA_OVERLAY_WORD, p->link)->word = word;
}

/* ---- life ---- */

static uint64_t jitter(struct era_overlay *o, uint64_t base_ms)
{
    return base_ms / 2 + era_prng_below(&o->prng, base_ms - base_ms / 2 + 1);
}

static uint64_t from_now(struct era_overlay *o, uint64_t base_ms)
{
    return era_add_sat(o->now_ms, jitter(o, base_ms));
}

static void allow_class_of(struct era_overlay *o, const struct era_place *place)
{
    o->may_dial[era_place_class(place)] = true;
    o->may_dial[ERA_PLACE_UNUSABLE] = false;
}

struct era_overlay *era_overlay_new(const struct era_overlay_config *config)
{
    assert(config->fits != NULL && config->target >= 1 && config->target <= ERA_OVERLAY_TARGET_MAX);
    struct era_overlay *o = calloc(1, sizeof *o);
    assert(o != NULL);
    o->config = *config;
    if (config->record != NULL) {
        o->record = *config->record;
        o->config.record = &o->record;
    }
    era_prng_init(&o->prng, config->seed);
    era_book_init(&o->book, era_prng_next(&o->prng));
    o->may_dial[ERA_PLACE_PUBLIC] = true;
    if (era_place_parse(config->listen, &o->self))
        allow_class_of(o, &o->self);
    o->config.listen = NULL; /* parsed: the text is not kept */
    o->seek_ms = o->shuffle_ms = NEVER;
    o->seek_wait_ms = SEEK_MIN_MS;
    return o;
}

void era_overlay_free(struct era_overlay *o)
{
    if (o == NULL)
        return;
    actions_clear(o);
    era_book_release(&o->book);
    free(o->actions);
    free(o->peers);
    free(o);
}

void era_overlay_add_anchor(struct era_overlay *o, const char *address)
{
    struct era_place place;
    if (!era_place_parse(address, &place) || o->anchor_count == ERA_PEERS_MAX)
        return; /* a name: whatever it leads to is an anchor's link all the same */
    o->anchors[o->anchor_count++] = place;
    allow_class_of(o, &place);
}

static void advance(struct era_overlay *o, uint64_t now_ms)
{
    if (now_ms > o->now_ms)
        o->now_ms = now_ms;
}

static struct peer *peer_find(const struct era_overlay *o, uint64_t link)
{
    for (size_t i = 0; i < o->peer_count; i++)
        if (o->peers[i].link == link)
            return &o->peers[i];
    return NULL;
}

/* ---- the active view ---- */

/* R15: a blocked peer takes no place, but among the blocked all is as usual. */
static bool counts(const struct era_overlay *o, const struct peer *p)
{
    return p->tie == TIE_ACTIVE && (!p->blocked || o->is_blocked);
}

static size_t active_count(const struct era_overlay *o, bool dialled_only)
{
    size_t n = 0;
    for (size_t i = 0; i < o->peer_count; i++)
        n += counts(o, &o->peers[i]) && (!dialled_only || o->peers[i].outgoing);
    return n;
}

static size_t dialled_min(const struct era_overlay *o)
{
    size_t half = o->config.target / 2;
    return half < ERA_OVERLAY_DIALLED_MIN ? half : ERA_OVERLAY_DIALLED_MIN;
}

static size_t active_max(const struct era_overlay *o)
{
    return o->config.target + ERA_OVERLAY_ROOM;
}

static size_t awaited_count(const struct era_overlay *o)
{
    size_t n = 0;
    for (size_t i = 0; i < o->peer_count; i++)
        n += o->peers[i].tie == TIE_ASKED;
    for (size_t i = 0; i < ERA_BOOK_PLACES; i++) {
        const struct era_book_entry *e = era_book_at(&o->book, i);
        n += e != NULL && e->dialling;
    }
    return n;
}

/* A public prefix has its share of the active view. */
static bool group_has_room(const struct era_overlay *o, bool is_public, uint64_t group)
{
    size_t n = 0;
    for (size_t i = 0; is_public && i < o->peer_count; i++) {
        const struct peer *p = &o->peers[i];
        n += !p->anchor && p->tie != TIE_LEAF && p->has_group && p->group == group;
    }
    for (size_t i = 0; is_public && i < ERA_BOOK_PLACES; i++) {
        const struct era_book_entry *e = era_book_at(&o->book, i);
        n += e != NULL && e->dialling && e->group == group;
    }
    return n < ERA_OVERLAY_GROUP_ACTIVE_MAX || era_book_groups(&o->book) < ERA_OVERLAY_GROUPS_FEW;
}

static bool peer_group_has_room(const struct era_overlay *o, const struct peer *p)
{
    return p->anchor || group_has_room(o, p->has_group, p->group);
}

static void seek_soon(struct era_overlay *o)
{
    o->seek_wait_ms = SEEK_MIN_MS;
    uint64_t soon = from_now(o, SEEK_MIN_MS / 5);
    if (soon < o->seek_ms)
        o->seek_ms = soon;
}

static void part_if_useless(struct era_overlay *o, struct peer *p)
{
    if (!p->outgoing || p->anchor)
        return; /* the other end decides; what it dialled as an anchor it keeps as a leaf */
    o->parted++;
    act(o, ERA_OVERLAY_PART, p->link);
}

static void become_leaf(struct era_overlay *o, struct peer *p)
{
    p->tie = TIE_LEAF;
    p->ask_ms = from_now(o, ASK_AGAIN_MS);
    seek_soon(o);
    part_if_useless(o, p);
}

static void send_away(struct era_overlay *o, struct peer *p)
{
    say(o, p, ERA_NEIGHBOUR_NO);
    become_leaf(o, p);
}

/* One who dialled us and is no anchor: what we dialled ourselves is no stranger's to displace. */
static struct peer *evictable(struct era_overlay *o, const struct peer *asker)
{
    struct peer *chosen = NULL;
    size_t n = 0;
    for (size_t i = 0; i < o->peer_count; i++) {
        struct peer *p = &o->peers[i];
        if (p != asker && counts(o, p) && !p->anchor && !p->outgoing && era_prng_below(&o->prng, ++n) == 0)
            chosen = p;
    }
    return chosen;
}

static bool incoming_has_room(const struct era_overlay *o)
{
    size_t active = active_count(o, false), dialled = active_count(o, true);
    return active < active_max(o) && active - dialled < active_max(o) - dialled_min(o);
}

static size_t blocked_count(const struct era_overlay *o)
{
    size_t n = 0;
    for (size_t i = 0; i < o->peer_count; i++)
        n += o->peers[i].tie == TIE_ACTIVE && !counts(o, &o->peers[i]);
    return n;
}

static bool admits(struct era_overlay *o, const struct peer *asker, bool alone)
{
    if (asker->tie == TIE_ACTIVE || asker->anchor)
        return true;
    if (asker->blocked && !o->is_blocked)
        return blocked_count(o) < ERA_OVERLAY_BLOCKED_MAX;
    if (!peer_group_has_room(o, asker))
        return false;
    if (asker->outgoing ? active_count(o, false) < active_max(o) : incoming_has_room(o))
        return true;
    struct peer *out = alone && o->evict_ms <= o->now_ms ? evictable(o, asker) : NULL;
    if (out == NULL)
        return false;
    o->evict_ms = era_add_sat(o->now_ms, EVICT_MS);
    send_away(o, out);
    return true;
}

/* ---- seeking ---- */

static bool wants_more(const struct era_overlay *o)
{
    size_t active = active_count(o, false);
    return active < o->config.target || (active < active_max(o) && active_count(o, true) < dialled_min(o));
}

/* A leaf to ask: anchors first, then what we dialled; one that dialled us only for want of neighbours. */
static struct peer *leaf_to_ask(struct era_overlay *o)
{
    struct peer *best = NULL;
    unsigned best_rank = 0;
    bool dialled_only = active_count(o, false) >= o->config.target;
    for (size_t i = 0; i < o->peer_count; i++) {
        struct peer *p = &o->peers[i];
        unsigned rank = p->anchor ? 3 : p->outgoing ? 2 : 1;
        if (p->tie != TIE_LEAF || p->ask_ms > o->now_ms || (p->blocked && !o->is_blocked) ||
            (dialled_only && !p->outgoing) || rank <= best_rank || !peer_group_has_room(o, p) ||
            (!p->outgoing && !p->anchor && !incoming_has_room(o)))
            continue;
        best = p;
        best_rank = rank;
    }
    return best;
}

static void ask(struct era_overlay *o, struct peer *p)
{
    bool alone = active_count(o, false) == 0;
    p->tie = TIE_ASKED;
    p->ask_ms = era_add_sat(o->now_ms, ASK_MS);
    say(o, p, alone ? ERA_NEIGHBOUR_ASK_ALONE : ERA_NEIGHBOUR_ASK);
}

static bool is_anchor_place(const struct era_overlay *o, const struct era_place *place)
{
    for (size_t i = 0; i < o->anchor_count; i++)
        if (era_place_eq(&o->anchors[i], place))
            return true;
    return false;
}

static bool may_dial_now(const struct era_overlay *o, const struct era_book_entry *e)
{
    bool is_public = era_place_class(&e->record.place) == ERA_PLACE_PUBLIC;
    return e->link == 0 && !e->dialling && e->next_ms <= o->now_ms && !is_anchor_place(o, &e->record.place) &&
           group_has_room(o, is_public, e->group);
}

static struct era_book_entry *entry_to_dial(struct era_overlay *o)
{
    struct era_book_entry *chosen = NULL;
    size_t n = 0;
    for (size_t i = 0; i < ERA_BOOK_PLACES; i++) {
        struct era_book_entry *e = era_book_at(&o->book, i);
        if (e != NULL && may_dial_now(o, e) && era_prng_below(&o->prng, ++n) == 0)
            chosen = e;
    }
    return chosen;
}

static void dial(struct era_overlay *o, struct era_book_entry *e)
{
    e->dialling = true;
    o->dials++;
    act(o, ERA_OVERLAY_DIAL, 0)->place = e->record.place;
}

static void seek(struct era_overlay *o)
{
    while (wants_more(o) && awaited_count(o) < ERA_OVERLAY_DIALS_MAX) {
        struct peer *p = leaf_to_ask(o);
        struct era_book_entry *e = p == NULL ? entry_to_dial(o) : NULL;
        if (p != NULL)
            ask(o, p);
        else if (e != NULL)
            dial(o, e);
        else
            break;
    }
    o->seek_ms = wants_more(o) ? from_now(o, o->seek_wait_ms) : NEVER;
    o->seek_wait_ms = 2 * o->seek_wait_ms < SEEK_MAX_MS ? 2 * o->seek_wait_ms : SEEK_MAX_MS;
}

/* ---- records ---- */

/* Would we dial it? False of places that somebody else's network allows: no rule is broken. */
static bool is_for_us(const struct era_overlay *o, const struct era_aged_record *r)
{
    return o->may_dial[era_place_class(&r->record.place)] && !era_place_eq(&r->record.place, &o->self) &&
           !era_key_eq(&r->record.node, &o->config.node) && r->age_s < ERA_RECORD_AGE_MAX_MS / 1000;
}

static void hear(struct era_overlay *o, struct era_book_entry *e, uint32_t age_s)
{
    e->heard_ms = o->now_ms;
    e->age_s = age_s;
    for (size_t i = 0; i < o->peer_count && e->link == 0; i++)
        if (era_key_eq(&o->peers[i].node, &e->record.node))
            e->link = o->peers[i].link;
}

/* The record of a peer that is told. Honest ones pass on only what they checked. */
static enum era_verdict learn(struct era_overlay *o, const struct era_aged_record *told,
                              struct era_book_entry **entry)
{
    const struct era_peer_record *r = &told->record;
    *entry = NULL;
    if (era_place_class(&r->place) == ERA_PLACE_UNUSABLE)
        return ERA_BAD_VALUE;
    if (!is_for_us(o, told))
        return ERA_ACCEPTED;
    struct era_book_entry *held = era_book_of_node(&o->book, &r->node);
    if (held != NULL && r->seq <= held->record.seq) {
        bool same = r->seq == held->record.seq && era_place_eq(&r->place, &held->record.place) &&
                    memcmp(&r->signature, &held->record.signature, sizeof r->signature) == 0;
        if (same && told->age_s < era_book_age_s(held, o->now_ms))
            hear(o, held, told->age_s);
        *entry = same ? held : NULL;
        return ERA_ACCEPTED;
    }
    struct era_hash digest = era_peer_record_digest(&o->config.network, r);
    if (!o->config.fits(o->config.ctx, &r->node, &digest, &r->signature))
        return ERA_BAD_SIGNATURE;
    const struct era_book_entry *there = era_book_of_place(&o->book, &r->place);
    if (there != NULL && there != held)
        return ERA_ACCEPTED; /* two nodes name one place: whoever was first is tried first */
    if (held != NULL && !held->dialling)
        era_book_drop(&o->book, held);
    else if (held != NULL)
        return ERA_ACCEPTED;
    *entry = era_book_put(&o->book, r);
    if (*entry != NULL) {
        hear(o, *entry, told->age_s);
        seek_soon(o);
    }
    return ERA_ACCEPTED;
}

static enum era_verdict refuse(struct era_overlay *o, enum era_verdict verdict)
{
    o->records_refused += verdict != ERA_ACCEPTED;
    return verdict;
}

/* A sample of what is known; our own record first. */
static void send_shuffle(struct era_overlay *o, struct peer *p, bool reply)
{
    struct era_peer_shuffle *s = calloc(1, sizeof *s);
    size_t places[ERA_BOOK_PLACES], n = 0;
    assert(s != NULL);
    s->reply = reply;
    if (o->config.record != NULL)
        s->records[s->count++].record = o->record;
    for (size_t i = 0; i < ERA_BOOK_PLACES; i++) {
        const struct era_book_entry *e = era_book_at(&o->book, i);
        if (e != NULL && e->fails == 0 && !era_key_eq(&e->record.node, &p->node))
            places[n++] = i;
    }
    for (; n > 0 && s->count < ERA_OVERLAY_SHUFFLE_MAX; n--) {
        size_t k = (size_t)era_prng_below(&o->prng, n);
        const struct era_book_entry *e = era_book_at(&o->book, places[k]);
        s->records[s->count++] = (struct era_aged_record){e->record, era_book_age_s(e, o->now_ms)};
        places[k] = places[n - 1];
    }
    if (!reply)
        p->shuffle_ms = o->now_ms + 1;
    act(o, ERA_OVERLAY_SHUFFLE, p->link)->shuffle = s;
}

/* ---- what happens ---- */

static void join(struct era_overlay *o, struct peer *p)
{
    if (o->config.record == NULL || (o->join_ms > o->now_ms && active_count(o, false) > 0))
        return;
    o->join_ms = era_add_sat(o->now_ms, JOIN_AGAIN_MS);
    struct era_peer_walk *walk = &act(o, ERA_OVERLAY_WALK, p->link)->walk;
    walk->hops = ERA_OVERLAY_WALK_HOPS;
    walk->joiner.record = o->record;
}

static struct peer *peer_add(struct era_overlay *o, uint64_t link)
{
    if (o->peer_count == o->peer_cap) {
        o->peer_cap = o->peer_cap == 0 ? 8 : 2 * o->peer_cap;
        o->peers = realloc(o->peers, o->peer_cap * sizeof *o->peers);
        assert(o->peers != NULL);
    }
    struct peer *p = &o->peers[o->peer_count++];
    *p = (struct peer){.link = link, .since_ms = o->now_ms};
    return p;
}

void era_overlay_up(struct era_overlay *o, uint64_t now_ms, uint64_t link, const struct era_key *node,
                    const char *address, bool outgoing, bool anchor, bool blocked)
{
    struct era_place place;
    advance(o, now_ms);
    assert(peer_find(o, link) == NULL);
    struct peer *p = peer_add(o, link);
    p->node = *node;
    p->outgoing = outgoing;
    p->anchor = anchor;
    p->blocked = blocked;
    bool parsed = era_place_parse(address, &place);
    if (parsed && era_place_class(&place) == ERA_PLACE_PUBLIC) {
        p->has_group = true;
        p->group = era_place_group(&o->book.key, &place);
    }
    struct era_book_entry *dialled = parsed && outgoing ? era_book_of_place(&o->book, &place) : NULL;
    if (dialled != NULL)
        dialled->dialling = false;
    struct era_book_entry *e = era_book_of_node(&o->book, node);
    if (e != NULL) {
        e->link = link;
        e->fails = 0;
        e->proven = e->proven || e == dialled;
    }
    if (dialled != NULL && dialled != e)
        era_book_drop(&o->book, dialled); /* another node than it says is there */
    p->wanted = outgoing && !anchor;
    if (outgoing) {
        join(o, p);
        send_shuffle(o, p, false);
    }
    if (o->shuffle_ms == NEVER)
        o->shuffle_ms = from_now(o, SHUFFLE_MS);
    if (p->wanted && peer_group_has_room(o, p) && active_count(o, false) < active_max(o))
        ask(o, p);
    else if (p->wanted)
        part_if_useless(o, p);
    seek_soon(o);
}

void era_overlay_down(struct era_overlay *o, uint64_t now_ms, uint64_t link, bool gone)
{
    advance(o, now_ms);
    struct peer *p = peer_find(o, link);
    if (p == NULL)
        return;
    struct era_book_entry *e = era_book_of_node(&o->book, &p->node);
    if (e != NULL && e->link == link) {
        e->link = 0;
        e->heard_ms = o->now_ms;
        e->age_s = 0;
        e->next_ms = from_now(o, gone ? SEEK_MIN_MS : ASK_AGAIN_MS);
        for (size_t i = 0; i < o->peer_count; i++)
            if (o->peers[i].link != link && era_key_eq(&o->peers[i].node, &e->record.node))
                e->link = o->peers[i].link;
    }
    *p = o->peers[--o->peer_count];
    seek_soon(o);
}

static void drop_entry(struct era_overlay *o, struct era_book_entry *e)
{
    if (e->link == 0)
        era_book_drop(&o->book, e);
}

void era_overlay_dial_failed(struct era_overlay *o, uint64_t now_ms, const char *address)
{
    struct era_place place;
    advance(o, now_ms);
    struct era_book_entry *e = era_place_parse(address, &place) ? era_book_of_place(&o->book, &place) : NULL;
    if (e == NULL || !e->dialling)
        return;
    e->dialling = false;
    uint64_t wait = (uint64_t)RETRY_MIN_MS << e->fails;
    e->next_ms = from_now(o, wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS);
    if (++e->fails == ERA_OVERLAY_TRIES_MAX)
        drop_entry(o, e);
    seek_soon(o);
}

void era_overlay_misled(struct era_overlay *o, uint64_t now_ms, const char *address)
{
    struct era_place place;
    advance(o, now_ms);
    struct era_book_entry *e = era_place_parse(address, &place) ? era_book_of_place(&o->book, &place) : NULL;
    if (e == NULL)
        return;
    e->dialling = false;
    drop_entry(o, e);
    seek_soon(o);
}

void era_overlay_blocked(struct era_overlay *o, uint64_t now_ms, uint64_t link, bool blocked)
{
    advance(o, now_ms);
    struct peer *p = peer_find(o, link);
    if (p == NULL || p->blocked == blocked)
        return;
    p->blocked = blocked;
    if (counts(o, p) && !p->anchor && active_count(o, false) > active_max(o))
        send_away(o, p);
    else
        seek_soon(o);
}

void era_overlay_set_anchor(struct era_overlay *o, uint64_t link, bool anchor)
{
    struct peer *p = peer_find(o, link);
    if (p != NULL)
        p->anchor = anchor;
}

void era_overlay_self_blocked(struct era_overlay *o, bool blocked)
{
    o->is_blocked = blocked;
    seek_soon(o);
}

void era_overlay_demote(struct era_overlay *o, uint64_t now_ms, uint64_t link)
{
    advance(o, now_ms);
    struct peer *p = peer_find(o, link);
    if (p != NULL && p->tie != TIE_LEAF && !p->anchor)
        send_away(o, p);
}

void era_overlay_forget(struct era_overlay *o, const struct era_key *node)
{
    struct era_book_entry *e = era_book_of_node(&o->book, node);
    if (e != NULL && !e->dialling)
        era_book_drop(&o->book, e);
}

/* ---- time ---- */

static void drop_old(struct era_overlay *o)
{
    for (size_t i = 0; i < ERA_BOOK_PLACES; i++) {
        struct era_book_entry *e = era_book_at(&o->book, i);
        if (e != NULL && !e->dialling && era_book_age_s(e, o->now_ms) >= ERA_RECORD_AGE_MAX_MS / 1000)
            drop_entry(o, e);
    }
}

/* With a neighbour by chance, else with anybody. */
static void shuffle_now(struct era_overlay *o)
{
    struct peer *chosen = NULL;
    size_t n = 0;
    for (unsigned pass = 0; pass < 2 && chosen == NULL; pass++)
        for (size_t i = 0; i < o->peer_count; i++) {
            struct peer *p = &o->peers[i];
            if ((pass == 1 || p->tie == TIE_ACTIVE) && era_prng_below(&o->prng, ++n) == 0)
                chosen = p;
        }
    drop_old(o);
    o->shuffle_ms = chosen != NULL ? from_now(o, SHUFFLE_MS) : NEVER;
    if (chosen != NULL)
        send_shuffle(o, chosen, false);
}

void era_overlay_tick(struct era_overlay *o, uint64_t now_ms)
{
    advance(o, now_ms);
    for (size_t i = 0; i < o->peer_count; i++)
        if (o->peers[i].tie == TIE_ASKED && o->peers[i].ask_ms <= o->now_ms)
            become_leaf(o, &o->peers[i]);
    if (o->shuffle_ms <= o->now_ms)
        shuffle_now(o);
    if (o->seek_ms <= o->now_ms)
        seek(o);
}

uint64_t era_overlay_deadline_ms(const struct era_overlay *o)
{
    uint64_t deadline = o->seek_ms < o->shuffle_ms ? o->seek_ms : o->shuffle_ms;
    for (size_t i = 0; i < o->peer_count; i++)
        if (o->peers[i].tie == TIE_ASKED && o->peers[i].ask_ms < deadline)
            deadline = o->peers[i].ask_ms;
    return deadline;
}

/* ---- what peers say ---- */

enum era_verdict era_overlay_word(struct era_overlay *o, uint64_t now_ms, uint64_t link,
                                  enum era_neighbour_word word)
{
    advance(o, now_ms);
    struct peer *p = peer_find(o, link);
    if (p == NULL)
        return ERA_ACCEPTED;
    switch (word) {
    case ERA_NEIGHBOUR_ASK:
    case ERA_NEIGHBOUR_ASK_ALONE:
        if (admits(o, p, word == ERA_NEIGHBOUR_ASK_ALONE)) {
            p->tie = TIE_ACTIVE;
            say(o, p, ERA_NEIGHBOUR_YES);
        } else {
            say(o, p, ERA_NEIGHBOUR_NO);
        }
        return ERA_ACCEPTED;
    case ERA_NEIGHBOUR_YES:
        if (p->tie == TIE_LEAF) /* our question had run out, or we said no meanwhile */
            say(o, p, ERA_NEIGHBOUR_NO);
        else if (p->tie == TIE_ASKED && !p->anchor && active_count(o, false) >= active_max(o))
            send_away(o, p); /* others came first */
        else
            p->tie = TIE_ACTIVE;
        return ERA_ACCEPTED;
    case ERA_NEIGHBOUR_NO:
        if (p->tie != TIE_LEAF)
            become_leaf(o, p);
        return ERA_ACCEPTED;
    }
    return ERA_BAD_VALUE;
}

/* A neighbour by chance, but for two. */
static struct peer *next_hop(struct era_overlay *o, uint64_t from, const struct era_key *joiner)
{
    struct peer *chosen = NULL;
    size_t n = 0;
    for (size_t i = 0; i < o->peer_count; i++) {
        struct peer *p = &o->peers[i];
        if (p->tie == TIE_ACTIVE && p->link != from && !era_key_eq(&p->node, joiner) &&
            era_prng_below(&o->prng, ++n) == 0)
            chosen = p;
    }
    return chosen;
}

static void walk_on(struct era_overlay *o, const struct peer *to, const struct era_peer_walk *walk)
{
    struct era_overlay_action *a = act(o, ERA_OVERLAY_WALK, to->link);
    a->walk = *walk;
    a->walk.hops = walk->hops - 1;
}

enum era_verdict era_overlay_walk(struct era_overlay *o, uint64_t now_ms, uint64_t link,
                                  const struct era_peer_walk *walk)
{
    struct era_book_entry *e;
    advance(o, now_ms);
    const struct peer *from = peer_find(o, link);
    const struct era_key *joiner = &walk->joiner.record.node;
    if (from == NULL || walk->hops > ERA_OVERLAY_WALK_HOPS)
        return from == NULL ? ERA_ACCEPTED : ERA_BAD_VALUE;
    enum era_verdict verdict = refuse(o, learn(o, &walk->joiner, &e));
    if (verdict != ERA_ACCEPTED)
        return verdict;
    if (era_key_eq(joiner, &from->node) && walk->hops > 0) { /* it joins here: a walk from every neighbour */
        for (size_t i = 0; i < o->peer_count; i++)
            if (o->peers[i].tie == TIE_ACTIVE && o->peers[i].link != link)
                walk_on(o, &o->peers[i], walk);
        return ERA_ACCEPTED;
    }
    const struct peer *next = walk->hops > 0 ? next_hop(o, link, joiner) : NULL;
    if (next != NULL)
        walk_on(o, next, walk);
    else if (e != NULL && may_dial_now(o, e) && active_count(o, false) < active_max(o) &&
             awaited_count(o) < ERA_OVERLAY_DIALS_MAX)
        dial(o, e);
    return ERA_ACCEPTED;
}

enum era_verdict era_overlay_shuffle(struct era_overlay *o, uint64_t now_ms, uint64_t link,
                                     const struct era_peer_shuffle *shuffle)
{
    enum era_verdict verdict = ERA_ACCEPTED;
    struct era_book_entry *e;
    advance(o, now_ms);
    struct peer *p = peer_find(o, link);
    if (p == NULL)
        return ERA_ACCEPTED;
    if (shuffle->reply && p->shuffle_ms == 0)
        return ERA_UNEXPECTED;
    if (shuffle->reply)
        p->shuffle_ms = 0;
    else
        send_shuffle(o, p, true);
    for (size_t i = 0; i < shuffle->count && verdict == ERA_ACCEPTED; i++)
        verdict = refuse(o, learn(o, &shuffle->records[i], &e));
    return verdict;
}

/* ---- reading ---- */

bool era_overlay_is_active(const struct era_overlay *o, uint64_t link)
{
    const struct peer *p = peer_find(o, link);
    return p != NULL && p->tie == TIE_ACTIVE;
}

uint64_t era_overlay_spare(const struct era_overlay *o)
{
    const struct peer *spare = NULL;
    for (size_t i = 0; i < o->peer_count; i++) {
        const struct peer *p = &o->peers[i];
        if (p->tie == TIE_LEAF && !p->outgoing && !p->anchor &&
            (spare == NULL || p->since_ms < spare->since_ms))
            spare = p;
    }
    return spare == NULL ? 0 : spare->link;
}

struct era_overlay_counts era_overlay_counts(const struct era_overlay *o)
{
    struct era_overlay_counts c = {.active = active_count(o, false),
                                   .active_dialled = active_count(o, true),
                                   .blocked = blocked_count(o),
                                   .known = o->book.count,
                                   .passive = o->book.count,
                                   .dials = o->dials,
                                   .records_refused = o->records_refused,
                                   .parted = o->parted};
    c.leaves = o->peer_count - c.active - c.blocked;
    for (size_t i = 0; i < ERA_BOOK_PLACES; i++) {
        const struct era_book_entry *e = era_book_at(&o->book, i);
        c.passive -= e != NULL && e->link != 0;
    }
    return c;
}

size_t era_overlay_records(const struct era_overlay *o, struct era_aged_record *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < ERA_BOOK_PLACES; i++) {
        const struct era_book_entry *e = era_book_at(&o->book, i);
        if (e != NULL && n++ < cap)
            out[n - 1] = (struct era_aged_record){e->record, era_book_age_s(e, o->now_ms)};
    }
    return n;
}
