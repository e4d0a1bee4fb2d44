#include "p2p/overlay_internal.h"

#define ASK_MS      5000  /* an answer that has not come by then does not come */
#define SEEK_MAX_MS 30000 /* looking for neighbours in vain */
#define TRIM_MIN_MS 1000
#define TRIM_MAX_MS 300000 /* asking in vain */
#define EVICT_MS    250    /* at most so often somebody is parted from for one who is alone */

/* ---- the active view ---- */

/* R15: a blocked peer takes no place, but among the blocked all is as usual. */
bool era_tie_counts(const struct era_overlay *o, const struct era_overlay_peer *p)
{
    return p->tie == TIE_ACTIVE && (!p->blocked || o->is_blocked);
}

size_t era_tie_count(const struct era_overlay *o, bool dialled_only)
{
    size_t n = 0;
    for (size_t i = 0; i < o->peer_count; i++)
        n += era_tie_counts(o, &o->peers[i]) && (!dialled_only || o->peers[i].outgoing);
    return n;
}

static size_t dialled_min(const struct era_overlay *o)
{
    size_t half = o->config.target / 2;
    return half < ERA_OVERLAY_DIALLED_MIN ? half : ERA_OVERLAY_DIALLED_MIN;
}

size_t era_tie_max(const struct era_overlay *o)
{
    return o->config.target + ERA_OVERLAY_ROOM;
}

size_t era_tie_awaited_count(const struct era_overlay *o)
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
        const struct era_overlay_peer *p = &o->peers[i];
        n += !p->anchor && p->tie != TIE_LEAF && p->has_group && p->group == group;
    }
    for (size_t i = 0; is_public && i < ERA_BOOK_PLACES; i++) {
        const struct era_book_entry *e = era_book_at(&o->book, i);
        n += e != NULL && e->dialling && e->group == group;
    }
    return n < ERA_OVERLAY_GROUP_ACTIVE_MAX || era_book_groups(&o->book) < ERA_OVERLAY_GROUPS_FEW;
}

bool era_tie_group_has_room(const struct era_overlay *o, const struct era_overlay_peer *p)
{
    return p->anchor || group_has_room(o, p->has_group, p->group);
}

void era_overlay_seek_soon(struct era_overlay *o)
{
    o->seek_wait_ms = OVERLAY_SEEK_MIN_MS;
    uint64_t soon = era_overlay_from_now(o, OVERLAY_SEEK_MIN_MS / 5);
    if (soon < o->seek_ms)
        o->seek_ms = soon;
}

void era_tie_part_if_useless(struct era_overlay *o, struct era_overlay_peer *p)
{
    if (!p->outgoing || p->anchor)
        return; /* the other end decides; what it dialled as an anchor it keeps as a leaf */
    o->parted++;
    era_overlay_act(o, ERA_OVERLAY_PART, p->link);
}

void era_tie_leave(struct era_overlay *o, struct era_overlay_peer *p)
{
    p->tie = TIE_LEAF;
    p->ask_ms = era_overlay_from_now(o, OVERLAY_ASK_AGAIN_MS);
    era_overlay_seek_soon(o);
    era_tie_part_if_useless(o, p);
}

void era_tie_send_away(struct era_overlay *o, struct era_overlay_peer *p)
{
    era_overlay_say(o, p, ERA_NEIGHBOUR_NO);
    era_tie_leave(o, p);
}

/* One who dialled us and is no anchor: what we dialled ourselves is no stranger's to displace. Of these one
 * that brought nothing for longest: who asks and never gives displaces his like. */
static struct era_overlay_peer *evictable(struct era_overlay *o, const struct era_overlay_peer *asker)
{
    struct era_overlay_peer *chosen = NULL;
    size_t n = 0;
    for (size_t i = 0; i < o->peer_count; i++) {
        struct era_overlay_peer *p = &o->peers[i];
        if (p == asker || !era_tie_counts(o, p) || p->anchor || p->outgoing ||
            (chosen != NULL && p->useful_ms > chosen->useful_ms))
            continue;
        if (chosen != NULL && p->useful_ms < chosen->useful_ms)
            n = 0;
        if (era_prng_below(&o->prng, ++n) == 0)
            chosen = p;
    }
    return chosen;
}

static bool incoming_has_room(const struct era_overlay *o)
{
    size_t active = era_tie_count(o, false), dialled = era_tie_count(o, true);
    return active < era_tie_max(o) && active - dialled < era_tie_max(o) - dialled_min(o);
}

size_t era_tie_blocked_count(const struct era_overlay *o)
{
    size_t n = 0;
    for (size_t i = 0; i < o->peer_count; i++)
        n += o->peers[i].tie == TIE_ACTIVE && !era_tie_counts(o, &o->peers[i]);
    return n;
}

/* Who dialled us again beside a link that is stuck has its place already. */
static struct era_overlay_peer *older_of(const struct era_overlay *o, const struct era_overlay_peer *asker)
{
    for (size_t i = 0; i < o->peer_count; i++) {
        struct era_overlay_peer *p = &o->peers[i];
        if (p != asker && p->tie == TIE_ACTIVE && !p->outgoing && !asker->outgoing &&
            era_key_eq(&p->node, &asker->node))
            return p;
    }
    return NULL;
}

bool era_tie_admits(struct era_overlay *o, const struct era_overlay_peer *asker, bool alone)
{
    if (asker->tie == TIE_ACTIVE || asker->anchor)
        return true;
    struct era_overlay_peer *older = older_of(o, asker);
    if (older != NULL) {
        older->tie = TIE_LEAF;
        return true;
    }
    if (asker->blocked && !o->is_blocked)
        return era_tie_blocked_count(o) < ERA_OVERLAY_BLOCKED_MAX;
    if (!era_tie_group_has_room(o, asker))
        return false;
    if (asker->outgoing ? era_tie_count(o, false) < era_tie_max(o) : incoming_has_room(o))
        return true;
    struct era_overlay_peer *out = alone && o->evict_ms <= o->now_ms ? evictable(o, asker) : NULL;
    if (out == NULL)
        return false;
    o->evict_ms = era_add_sat(o->now_ms, EVICT_MS);
    era_tie_send_away(o, out);
    return true;
}

/* ---- seeking ---- */

bool era_overlay_wants(const struct era_overlay *o)
{
    size_t active = era_tie_count(o, false);
    return active < o->config.target || (active < era_tie_max(o) && era_tie_count(o, true) < dialled_min(o));
}

/* A leaf to ask: anchors first, then what we dialled; one that dialled us only for want of neighbours. */
static struct era_overlay_peer *leaf_to_ask(struct era_overlay *o)
{
    struct era_overlay_peer *best = NULL;
    unsigned best_rank = 0;
    bool dialled_only = era_tie_count(o, false) >= o->config.target;
    for (size_t i = 0; i < o->peer_count; i++) {
        struct era_overlay_peer *p = &o->peers[i];
        unsigned rank = p->anchor ? 3 : p->outgoing ? 2 : 1;
        if (p->tie != TIE_LEAF || p->ask_ms > o->now_ms || (p->blocked && !o->is_blocked) ||
            (dialled_only && !p->outgoing) || rank <= best_rank || !era_tie_group_has_room(o, p) ||
            (!p->outgoing && !p->anchor && !incoming_has_room(o)))
            continue;
        best = p;
        best_rank = rank;
    }
    return best;
}

void era_tie_ask(struct era_overlay *o, struct era_overlay_peer *p)
{
    bool alone = era_tie_count(o, false) == 0;
    p->tie = TIE_ASKED;
    p->ask_ms = era_add_sat(o->now_ms, ASK_MS);
    era_overlay_say(o, p, alone ? ERA_NEIGHBOUR_ASK_ALONE : ERA_NEIGHBOUR_ASK);
}

static bool is_anchor_place(const struct era_overlay *o, const struct era_place *place)
{
    for (size_t i = 0; i < o->anchor_count; i++)
        if (era_place_eq(&o->anchors[i], place))
            return true;
    return false;
}

bool era_overlay_may_dial(const struct era_overlay *o, const struct era_book_entry *e)
{
    bool is_public = era_place_class(&e->record.place) == ERA_PLACE_PUBLIC;
    if (!e->proven &&
        !era_pace_has_room(o->told_dials_ms, o->now_ms, ERA_OVERLAY_TOLD_MS, ERA_OVERLAY_TOLD_DIALS))
        return false;
    return e->link == 0 && !e->dialling && e->next_ms <= o->now_ms && !is_anchor_place(o, &e->record.place) &&
           group_has_room(o, is_public, e->group);
}

static struct era_book_entry *entry_to_dial(struct era_overlay *o)
{
    struct era_book_entry *chosen = NULL;
    size_t n = 0;
    for (size_t i = 0; i < ERA_BOOK_PLACES; i++) {
        struct era_book_entry *e = era_book_at(&o->book, i);
        if (e != NULL && era_overlay_may_dial(o, e) && era_prng_below(&o->prng, ++n) == 0)
            chosen = e;
    }
    return chosen;
}

void era_overlay_dial(struct era_overlay *o, struct era_book_entry *e)
{
    e->dialling = true;
    o->dials++;
    if (!e->proven)
        era_pace_take(&o->told_dials_ms, o->now_ms, ERA_OVERLAY_TOLD_MS, ERA_OVERLAY_TOLD_DIALS);
    era_overlay_act(o, ERA_OVERLAY_DIAL, 0)->place = e->record.place;
}

void era_overlay_seek(struct era_overlay *o)
{
    while (era_overlay_wants(o) && era_tie_awaited_count(o) < ERA_OVERLAY_DIALS_MAX) {
        struct era_overlay_peer *p = leaf_to_ask(o);
        struct era_book_entry *e = p == NULL ? entry_to_dial(o) : NULL;
        if (p != NULL)
            era_tie_ask(o, p);
        else if (e != NULL)
            era_overlay_dial(o, e);
        else
            break;
    }
    o->seek_ms = era_overlay_wants(o) ? era_overlay_from_now(o, o->seek_wait_ms) : OVERLAY_NEVER;
    o->seek_wait_ms = 2 * o->seek_wait_ms < SEEK_MAX_MS ? 2 * o->seek_wait_ms : SEEK_MAX_MS;
}

/* ---- more than wanted ---- */

bool era_tie_is_spare(const struct era_overlay *o, const struct era_overlay_peer *p)
{
    return era_tie_counts(o, p) && !p->anchor && era_tie_count(o, false) > o->config.target &&
           (!p->outgoing || era_tie_count(o, true) > dialled_min(o));
}

void era_overlay_trim_soon(struct era_overlay *o)
{
    if (era_tie_count(o, false) <= o->config.target)
        return;
    o->trim_wait_ms = TRIM_MIN_MS;
    uint64_t soon = era_overlay_from_now(o, TRIM_MIN_MS);
    if (soon < o->trim_ms)
        o->trim_ms = soon;
}

void era_overlay_trim(struct era_overlay *o)
{
    struct era_overlay_peer *chosen = NULL;
    size_t n = 0;
    for (size_t i = 0; i < o->peer_count; i++)
        if (era_tie_is_spare(o, &o->peers[i]) && era_prng_below(&o->prng, ++n) == 0)
            chosen = &o->peers[i];
    if (chosen != NULL)
        era_overlay_say(o, chosen, ERA_NEIGHBOUR_SPARE);
    o->trim_ms = chosen != NULL ? era_overlay_from_now(o, o->trim_wait_ms) : OVERLAY_NEVER;
    o->trim_wait_ms = 2 * o->trim_wait_ms < TRIM_MAX_MS ? 2 * o->trim_wait_ms : TRIM_MAX_MS;
}

/* ---- no room for another link ---- */

/* Bytes of an address that a net, a site and a host share. */
static const size_t share_v4[OVERLAY_LEVELS] = {2, 3, 4}, share_v6[OVERLAY_LEVELS] = {4, 6, 8};

void era_tie_put_where(const struct era_overlay *o, struct era_overlay_peer *p, const struct era_place *place)
{
    const size_t *share = place->len == ERA_IP_BYTES_MAX ? share_v6 : share_v4;
    for (size_t level = 0; level < OVERLAY_LEVELS; level++)
        p->where[level] = era_siphash(&o->book.key, place->ip, share[level]);
}

/* Keeps those who are many together, by that level. Returns how many they are. */
static size_t keep_crowd(const struct era_overlay_peer **of, size_t count, size_t level)
{
    size_t most = 0, kept = 0, held[ERA_LINKS_MAX] = {0};
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++)
            held[i] += of[i]->where[level] == of[k]->where[level];
        if (held[i] > most)
            most = held[i];
    }
    for (size_t i = 0; i < count; i++)
        if (held[i] == most)
            of[kept++] = of[i];
    return kept;
}

static bool is_new(const struct era_overlay *o, const struct era_overlay_peer *p)
{
    return o->now_ms - p->since_ms < ERA_LINK_GRACE_MS;
}

uint64_t era_overlay_spare(const struct era_overlay *o, const struct era_place *beside)
{
    const struct era_overlay_peer *of[ERA_LINKS_MAX], *spare = NULL;
    uint64_t group = beside == NULL ? 0 : era_place_group(&o->book.key, beside);
    size_t count = 0;
    for (size_t i = 0; i < o->peer_count; i++) {
        const struct era_overlay_peer *p = &o->peers[i];
        if (p->tie == TIE_LEAF && !p->outgoing && !p->anchor &&
            (beside == NULL || (p->has_group && p->group == group)) && count < ERA_LINKS_MAX)
            of[count++] = p;
    }
    for (size_t level = 0; level < OVERLAY_LEVELS; level++)
        count = keep_crowd(of, count, level);
    for (size_t i = 0; i < count; i++) {
        bool later = spare == NULL || of[i]->since_ms >= spare->since_ms;
        if (spare == NULL || (is_new(o, spare) && !is_new(o, of[i])) ||
            (is_new(o, spare) == is_new(o, of[i]) && later))
            spare = of[i];
    }
    return spare == NULL ? 0 : spare->link;
}
