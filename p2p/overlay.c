#include "p2p/overlay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "p2p/overlay_internal.h"

#define SHUFFLE_MS    30000
#define JOIN_AGAIN_MS 60000
#define RETRY_MIN_MS  5000
#define RETRY_MAX_MS  600000

/* ---- actions ---- */

static void actions_clear(struct era_overlay *o)
{
    for (size_t i = 0; i < o->action_count; i++)
        free(o->actions[i].shuffle);
    o->action_count = 0;
    o->taken = false;
}

struct era_overlay_action *era_overlay_act(struct era_overlay *o, enum era_overlay_action_kind kind,
                                           uint64_t link)
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

void era_overlay_say(struct era_overlay *o, const struct era_overlay_peer *p, enum era_neighbour_word word)
{
    era_overlay_act(o, ERA_OVERLAY_WORD, p->link)->word = word;
}

/* ---- life ---- */

static uint64_t jitter(struct era_overlay *o, uint64_t base_ms)
{
    return base_ms / 2 + era_prng_below(&o->prng, base_ms - base_ms / 2 + 1);
}

uint64_t era_overlay_from_now(struct era_overlay *o, uint64_t base_ms)
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
    era_root_prng(&config->root, "overlay: jitter", &o->prng);
    era_book_init(&o->book, &config->root);
    o->may_dial[ERA_PLACE_PUBLIC] = true;
    if (era_place_parse(config->listen, &o->self))
        allow_class_of(o, &o->self);
    o->config.listen = NULL; /* parsed: the text is not kept */
    o->seek_ms = o->shuffle_ms = o->trim_ms = OVERLAY_NEVER;
    o->seek_wait_ms = OVERLAY_SEEK_MIN_MS;
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

void era_overlay_set_record(struct era_overlay *o, const struct era_peer_record *record)
{
    o->record = *record;
}

void era_overlay_set_wall(struct era_overlay *o, uint64_t wall_ms)
{
    o->wall_ms = wall_ms;
}

static void advance(struct era_overlay *o, uint64_t now_ms)
{
    if (now_ms > o->now_ms)
        o->now_ms = now_ms;
}

static struct era_overlay_peer *peer_find(const struct era_overlay *o, uint64_t link)
{
    for (size_t i = 0; i < o->peer_count; i++)
        if (o->peers[i].link == link)
            return &o->peers[i];
    return NULL;
}

bool era_pace_has_room(uint64_t paid_ms, uint64_t now_ms, uint64_t gap_ms, unsigned burst)
{
    return paid_ms <= now_ms || paid_ms - now_ms <= gap_ms * (burst - 1);
}

bool era_pace_take(uint64_t *paid_ms, uint64_t now_ms, uint64_t gap_ms, unsigned burst)
{
    if (!era_pace_has_room(*paid_ms, now_ms, gap_ms, burst))
        return false;
    *paid_ms = era_add_sat(*paid_ms > now_ms ? *paid_ms : now_ms, gap_ms);
    return true;
}

/* ---- records ---- */

/* Would we dial it? False of places that somebody else's network allows: no rule is broken. */
static bool is_for_us(const struct era_overlay *o, const struct era_peer_record *r)
{
    return o->may_dial[era_place_class(&r->place)] && !era_place_eq(&r->place, &o->self) &&
           !era_key_eq(&r->node, &o->config.node);
}

/* What its node said ends a day after it did, by our clock, and in any case: only its node prolongs it. */
static uint64_t end_of(const struct era_overlay *o, const struct era_peer_record *r)
{
    uint64_t end_ms = era_add_sat(r->made_ms, ERA_RECORD_AGE_MAX_MS);
    return era_add_sat(o->now_ms, o->wall_ms == 0 ? ERA_RECORD_AGE_MAX_MS : end_ms - o->wall_ms);
}

static void put_new(struct era_overlay *o, struct era_book_entry *e)
{
    e->until_ms = end_of(o, &e->record);
    for (size_t i = 0; i < o->peer_count && e->link == 0; i++)
        if (era_key_eq(&o->peers[i].node, &e->record.node))
            e->link = o->peers[i].link;
    era_overlay_seek_soon(o);
}

/* The node said the same anew. What we know of the place stays. */
static void renew(const struct era_overlay *o, struct era_book_entry *e, const struct era_peer_record *r)
{
    uint64_t until_ms = end_of(o, r);
    e->record = *r;
    e->until_ms = until_ms > e->until_ms ? until_ms : e->until_ms;
}

/* The record of a peer that is told. Honest ones pass on only what they checked: see *checked. */
static enum era_verdict learn(struct era_overlay *o, const struct era_peer_record *r,
                              struct era_book_entry **entry, bool *checked)
{
    *entry = NULL;
    *checked = false;
    if (era_place_class(&r->place) == ERA_PLACE_UNUSABLE)
        return ERA_BAD_VALUE;
    o->records_of_us += era_place_eq(&r->place, &o->self) && !era_key_eq(&r->node, &o->config.node);
    bool timely = era_peer_record_is_current(r, o->wall_ms);
    o->records_untimely += !timely;
    if (!timely || !is_for_us(o, r))
        return ERA_ACCEPTED;
    struct era_book_entry *held = era_book_of_node(&o->book, &r->node);
    /* What was taken in while our clock was in doubt, and is not of this day, outranks nothing that is. */
    bool outranked = held != NULL && r->made_ms <= held->record.made_ms &&
                     era_peer_record_is_current(&held->record, o->wall_ms);
    if (outranked) {
        bool same = r->made_ms == held->record.made_ms && era_place_eq(&r->place, &held->record.place) &&
                    memcmp(&r->signature, &held->record.signature, sizeof r->signature) == 0;
        *entry = same ? held : NULL;
        *checked = same;
        return ERA_ACCEPTED;
    }
    struct era_hash digest = era_peer_record_digest(&o->config.network, r);
    if (!o->config.fits(o->config.ctx, &r->node, &digest, &r->signature))
        return ERA_BAD_SIGNATURE;
    *checked = true;
    if (held != NULL && era_place_eq(&r->place, &held->record.place)) {
        renew(o, held, r);
        *entry = held;
        return ERA_ACCEPTED;
    }
    const struct era_book_entry *there = era_book_of_place(&o->book, &r->place);
    if (there != NULL && there != held)
        return ERA_ACCEPTED; /* two nodes name one place: whoever was first is tried first */
    if (held != NULL && !held->dialling)
        era_book_drop(&o->book, held);
    else if (held != NULL)
        return ERA_ACCEPTED;
    *entry = era_book_put(&o->book, r);
    if (*entry != NULL)
        put_new(o, *entry);
    return ERA_ACCEPTED;
}

static enum era_verdict refuse(struct era_overlay *o, enum era_verdict verdict)
{
    o->records_refused += verdict != ERA_ACCEPTED;
    return verdict;
}

/* A sample of what is known; our own record first. */
static void send_shuffle(struct era_overlay *o, struct era_overlay_peer *p, bool reply)
{
    struct era_peer_shuffle *s = calloc(1, sizeof *s);
    size_t places[ERA_BOOK_PLACES], n = 0;
    assert(s != NULL);
    s->reply = reply;
    if (o->record.place.len > 0)
        s->records[s->count++] = o->record;
    for (size_t i = 0; i < ERA_BOOK_PLACES; i++) {
        const struct era_book_entry *e = era_book_at(&o->book, i);
        if (e != NULL && e->fails == 0 && era_peer_record_is_current(&e->record, o->wall_ms) &&
            !era_key_eq(&e->record.node, &p->node))
            places[n++] = i;
    }
    for (; n > 0 && s->count < ERA_OVERLAY_SHUFFLE_MAX; n--) {
        size_t k = (size_t)era_prng_below(&o->prng, n);
        s->records[s->count++] = era_book_at(&o->book, places[k])->record;
        places[k] = places[n - 1];
    }
    p->shuffles += !reply;
    era_overlay_act(o, ERA_OVERLAY_SHUFFLE, p->link)->shuffle = s;
}

/* ---- what happens ---- */

static void join(struct era_overlay *o, struct era_overlay_peer *p)
{
    if (o->record.place.len == 0 || (o->join_ms > o->now_ms && era_tie_count(o, false) > 0))
        return;
    o->join_ms = era_add_sat(o->now_ms, JOIN_AGAIN_MS);
    struct era_peer_walk *walk = &era_overlay_act(o, ERA_OVERLAY_WALK, p->link)->walk;
    walk->hops = ERA_OVERLAY_WALK_HOPS;
    walk->joiner = o->record;
}

static struct era_overlay_peer *peer_add(struct era_overlay *o, uint64_t link)
{
    if (o->peer_count == o->peer_cap) {
        o->peer_cap = o->peer_cap == 0 ? 8 : 2 * o->peer_cap;
        o->peers = realloc(o->peers, o->peer_cap * sizeof *o->peers);
        assert(o->peers != NULL);
    }
    struct era_overlay_peer *p = &o->peers[o->peer_count++];
    *p = (struct era_overlay_peer){.link = link, .since_ms = o->now_ms};
    return p;
}

void era_overlay_up(struct era_overlay *o, uint64_t now_ms, uint64_t link, const struct era_key *node,
                    const char *address, bool outgoing, bool anchor, bool blocked)
{
    struct era_place place;
    advance(o, now_ms);
    assert(peer_find(o, link) == NULL);
    struct era_overlay_peer *p = peer_add(o, link);
    p->node = *node;
    p->outgoing = outgoing;
    p->anchor = anchor;
    p->blocked = blocked;
    bool parsed = era_place_parse(address, &place);
    if (parsed)
        era_tie_put_where(o, p, &place);
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
    if (dialled != NULL && dialled != e) { /* another node than it says is there */
        o->dials_misled++;
        era_book_drop(&o->book, dialled);
    }
    p->wanted = outgoing && !anchor;
    if (outgoing) {
        join(o, p);
        send_shuffle(o, p, false);
    }
    if (o->shuffle_ms == OVERLAY_NEVER)
        o->shuffle_ms = era_overlay_from_now(o, SHUFFLE_MS);
    if (p->wanted && era_tie_group_has_room(o, p) && era_overlay_wants(o))
        era_tie_ask(o, p);
    else if (p->wanted)
        era_tie_part_if_useless(o, p);
    era_overlay_seek_soon(o);
}

void era_overlay_down(struct era_overlay *o, uint64_t now_ms, uint64_t link, bool gone)
{
    advance(o, now_ms);
    struct era_overlay_peer *p = peer_find(o, link);
    if (p == NULL)
        return;
    struct era_book_entry *e = era_book_of_node(&o->book, &p->node);
    if (e != NULL && e->link == link) {
        e->link = 0;
        uint64_t met_ms = era_add_sat(o->now_ms, ERA_RECORD_AGE_MAX_MS);
        if (e->proven && met_ms > e->until_ms) /* we met it there: to us that is worth a word of its own */
            e->until_ms = met_ms;
        e->next_ms = era_overlay_from_now(o, gone ? OVERLAY_SEEK_MIN_MS : OVERLAY_ASK_AGAIN_MS);
        for (size_t i = 0; i < o->peer_count; i++)
            if (o->peers[i].link != link && era_key_eq(&o->peers[i].node, &e->record.node))
                e->link = o->peers[i].link;
    }
    *p = o->peers[--o->peer_count];
    era_overlay_seek_soon(o);
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
    o->dials_failed++;
    uint64_t wait = (uint64_t)RETRY_MIN_MS << e->fails;
    e->next_ms = era_overlay_from_now(o, wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS);
    if (++e->fails == ERA_OVERLAY_TRIES_MAX)
        drop_entry(o, e);
    era_overlay_seek_soon(o);
}

void era_overlay_misled(struct era_overlay *o, uint64_t now_ms, const char *address)
{
    struct era_place place;
    advance(o, now_ms);
    struct era_book_entry *e = era_place_parse(address, &place) ? era_book_of_place(&o->book, &place) : NULL;
    if (e == NULL)
        return;
    e->dialling = false;
    o->dials_misled++;
    drop_entry(o, e);
    era_overlay_seek_soon(o);
}

void era_overlay_blocked(struct era_overlay *o, uint64_t now_ms, uint64_t link, bool blocked)
{
    advance(o, now_ms);
    struct era_overlay_peer *p = peer_find(o, link);
    if (p == NULL || p->blocked == blocked)
        return;
    p->blocked = blocked;
    if (p->tie == TIE_ACTIVE && era_tie_counts(o, p)) {
        /* It was let in beside the active view: it needs a place like any newcomer. */
        p->tie = TIE_LEAF;
        bool admitted = era_tie_admits(o, p, false);
        p->tie = TIE_ACTIVE;
        if (!admitted)
            era_tie_send_away(o, p);
    }
    era_overlay_seek_soon(o);
}

void era_overlay_useful(struct era_overlay *o, uint64_t now_ms, uint64_t link)
{
    struct era_overlay_peer *p = peer_find(o, link);
    advance(o, now_ms);
    if (p != NULL)
        p->useful_ms = o->now_ms;
}

void era_overlay_set_anchor(struct era_overlay *o, uint64_t link, bool anchor)
{
    struct era_overlay_peer *p = peer_find(o, link);
    if (p != NULL)
        p->anchor = anchor;
}

void era_overlay_self_blocked(struct era_overlay *o, bool blocked)
{
    o->is_blocked = blocked;
    era_overlay_seek_soon(o);
}

void era_overlay_demote(struct era_overlay *o, uint64_t now_ms, uint64_t link)
{
    advance(o, now_ms);
    struct era_overlay_peer *p = peer_find(o, link);
    if (p != NULL && p->tie != TIE_LEAF && !p->anchor)
        era_tie_send_away(o, p);
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
        if (e != NULL && !e->dialling && e->until_ms <= o->now_ms)
            drop_entry(o, e);
    }
}

/* With a neighbour by chance, else with anybody. */
static void shuffle_now(struct era_overlay *o)
{
    struct era_overlay_peer *chosen = NULL;
    size_t n = 0;
    for (unsigned pass = 0; pass < 2 && chosen == NULL; pass++)
        for (size_t i = 0; i < o->peer_count; i++) {
            struct era_overlay_peer *p = &o->peers[i];
            if ((pass == 1 || p->tie == TIE_ACTIVE) && era_prng_below(&o->prng, ++n) == 0)
                chosen = p;
        }
    drop_old(o);
    o->shuffle_ms = chosen != NULL ? era_overlay_from_now(o, SHUFFLE_MS) : OVERLAY_NEVER;
    if (chosen != NULL)
        send_shuffle(o, chosen, false);
}

void era_overlay_tick(struct era_overlay *o, uint64_t now_ms)
{
    advance(o, now_ms);
    for (size_t i = 0; i < o->peer_count; i++)
        if (o->peers[i].tie == TIE_ASKED && o->peers[i].ask_ms <= o->now_ms)
            era_tie_leave(o, &o->peers[i]);
    if (o->shuffle_ms <= o->now_ms)
        shuffle_now(o);
    if (o->seek_ms <= o->now_ms)
        era_overlay_seek(o);
    if (o->trim_ms <= o->now_ms)
        era_overlay_trim(o);
}

uint64_t era_overlay_deadline_ms(const struct era_overlay *o)
{
    uint64_t deadline = o->seek_ms < o->shuffle_ms ? o->seek_ms : o->shuffle_ms;
    deadline = o->trim_ms < deadline ? o->trim_ms : deadline;
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
    struct era_overlay_peer *p = peer_find(o, link);
    if (p == NULL)
        return ERA_ACCEPTED;
    switch (word) {
    case ERA_NEIGHBOUR_ASK:
    case ERA_NEIGHBOUR_ASK_ALONE:
        if (era_tie_admits(o, p, word == ERA_NEIGHBOUR_ASK_ALONE)) {
            p->tie = TIE_ACTIVE;
            era_overlay_say(o, p, ERA_NEIGHBOUR_YES);
            era_overlay_trim_soon(o);
        } else {
            era_overlay_say(o, p, ERA_NEIGHBOUR_NO);
        }
        return ERA_ACCEPTED;
    case ERA_NEIGHBOUR_YES:
        if (p->tie == TIE_LEAF) /* our question had run out, or we said no meanwhile */
            era_overlay_say(o, p, ERA_NEIGHBOUR_NO);
        else if (p->tie == TIE_ASKED && !p->anchor && era_tie_count(o, false) >= era_tie_max(o))
            era_tie_send_away(o, p); /* others came first */
        else
            p->tie = TIE_ACTIVE;
        era_overlay_trim_soon(o);
        return ERA_ACCEPTED;
    case ERA_NEIGHBOUR_SPARE:
        if (era_tie_is_spare(o, p))
            era_tie_send_away(o, p);
        return ERA_ACCEPTED;
    case ERA_NEIGHBOUR_NO:
        if (p->tie != TIE_LEAF)
            era_tie_leave(o, p);
        return ERA_ACCEPTED;
    }
    return ERA_BAD_VALUE;
}

/* A neighbour by chance, but for two. */
static struct era_overlay_peer *next_hop(struct era_overlay *o, uint64_t from, const struct era_key *joiner)
{
    struct era_overlay_peer *chosen = NULL;
    size_t n = 0;
    for (size_t i = 0; i < o->peer_count; i++) {
        struct era_overlay_peer *p = &o->peers[i];
        if (p->tie == TIE_ACTIVE && p->link != from && !era_key_eq(&p->node, joiner) &&
            era_prng_below(&o->prng, ++n) == 0)
            chosen = p;
    }
    return chosen;
}

/* What is passed on is charged to us: strangers who join and join again must not use up our credit. */
static void walk_on(struct era_overlay *o, struct era_overlay_peer *to, const struct era_peer_walk *walk)
{
    if (!era_pace_take(&to->walks_ms, o->now_ms, ERA_OVERLAY_WALK_MS, ERA_OVERLAY_WALKS))
        return;
    struct era_overlay_action *a = era_overlay_act(o, ERA_OVERLAY_WALK, to->link);
    a->walk = *walk;
    a->walk.hops = walk->hops - 1;
}

enum era_verdict era_overlay_walk(struct era_overlay *o, uint64_t now_ms, uint64_t link,
                                  const struct era_peer_walk *walk)
{
    struct era_book_entry *e;
    advance(o, now_ms);
    struct era_overlay_peer *from = peer_find(o, link);
    const struct era_key *joiner = &walk->joiner.node;
    if (from == NULL || walk->hops > ERA_OVERLAY_WALK_HOPS)
        return from == NULL ? ERA_ACCEPTED : ERA_BAD_VALUE;
    bool checked;
    enum era_verdict verdict = refuse(o, learn(o, &walk->joiner, &e, &checked));
    if (verdict != ERA_ACCEPTED || !checked) /* who takes it from us would charge us */
        return verdict;
    if (era_key_eq(joiner, &from->node) && walk->hops > 0) { /* it joins here: a walk from every neighbour */
        bool again = from->join_ms > o->now_ms;
        from->join_ms = again ? from->join_ms : era_add_sat(o->now_ms, JOIN_AGAIN_MS / 2);
        for (size_t i = 0; i < o->peer_count && !again; i++)
            if (o->peers[i].tie == TIE_ACTIVE && o->peers[i].link != link)
                walk_on(o, &o->peers[i], walk);
        return ERA_ACCEPTED;
    }
    struct era_overlay_peer *next = walk->hops > 0 ? next_hop(o, link, joiner) : NULL;
    if (next != NULL)
        walk_on(o, next, walk);
    else if (e != NULL && era_overlay_may_dial(o, e) && era_overlay_wants(o) &&
             era_tie_awaited_count(o) < ERA_OVERLAY_DIALS_MAX)
        era_overlay_dial(o, e);
    return ERA_ACCEPTED;
}

enum era_verdict era_overlay_shuffle(struct era_overlay *o, uint64_t now_ms, uint64_t link,
                                     const struct era_peer_shuffle *shuffle)
{
    enum era_verdict verdict = ERA_ACCEPTED;
    struct era_book_entry *e;
    bool checked;
    advance(o, now_ms);
    struct era_overlay_peer *p = peer_find(o, link);
    if (p == NULL)
        return ERA_ACCEPTED;
    if (shuffle->reply && p->shuffles == 0)
        return ERA_UNEXPECTED;
    if (shuffle->reply)
        p->shuffles--;
    else
        send_shuffle(o, p, true);
    for (size_t i = 0; i < shuffle->count && verdict == ERA_ACCEPTED; i++)
        verdict = refuse(o, learn(o, &shuffle->records[i], &e, &checked));
    return verdict;
}

/* ---- reading ---- */

bool era_overlay_is_active(const struct era_overlay *o, uint64_t link)
{
    const struct era_overlay_peer *p = peer_find(o, link);
    return p != NULL && p->tie == TIE_ACTIVE;
}

struct era_overlay_counts era_overlay_counts(const struct era_overlay *o)
{
    struct era_overlay_counts c = {.active = era_tie_count(o, false),
                                   .active_dialled = era_tie_count(o, true),
                                   .blocked = era_tie_blocked_count(o),
                                   .known = o->book.count,
                                   .passive = o->book.count,
                                   .dials = o->dials,
                                   .dials_failed = o->dials_failed,
                                   .dials_misled = o->dials_misled,
                                   .records_refused = o->records_refused,
                                   .records_of_us = o->records_of_us,
                                   .records_untimely = o->records_untimely,
                                   .parted = o->parted};
    c.leaves = o->peer_count - c.active - c.blocked;
    for (size_t i = 0; i < ERA_BOOK_PLACES; i++) {
        const struct era_book_entry *e = era_book_at(&o->book, i);
        c.passive -= e != NULL && e->link != 0;
    }
    return c;
}

size_t era_overlay_records(const struct era_overlay *o, struct era_peer_record *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < ERA_BOOK_PLACES; i++) {
        const struct era_book_entry *e = era_book_at(&o->book, i);
        if (e != NULL && n++ < cap)
            out[n - 1] = e->record;
    }
    return n;
}
