#include "p2p/broadcast_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN_MS     3    /* a way that is faster by less is not worth a change */
#define HURRY_MS      32   /* items that follow each other closer… */
#define HURRY_MIN     32   /* …so often on end, wait in queues: what comes late then says nothing of ways */
#define HURRY_OVER_MS 1000 /* a pause is over only then: whoever was stopped awhile hears much at once */
#define QUEUE_MS      3000 /* so long it may */
#define PROBE_MS      100  /* some of those that wait are asked for so often… */
#define PROBES_MAX    256  /* …and so many at once, at most */
#define MISSES_MAX    2    /* items on end that a parent may fail to bring: one may be lost */
#define LATES_MAX     4    /* …or bring only when they were had otherwise: it may have them from us */
/* Of copies of the reference tree: an item that the parent there did not bring weighs GAP_MISSED times one
 * that it brought; at GAP_MAX it is doubted. */
#define GAP_MISSED  4
#define GAP_MAX     32
#define WAIT_MIN_MS 300   /* for the payload of an announcement, beyond what the trees are known to lag */
#define LAG_MAX_MS  1000  /* of what is learned of it */
#define LAG_MS      50    /* before anything is known */
#define BROKEN_MS   60000 /* who kept what it had announced is not believed for so long */
#define PENDING_MS  10000 /* the owner has it, and judges */

struct era_broadcast *era_broadcast_new(const struct era_root *root)
{
    struct era_broadcast *b = calloc(1, sizeof *b);
    assert(b != NULL);
    era_root_prng(root, "push trees: jitter", &b->prng);
    era_root_siphash_key(root, "push trees: salt told to peers", &b->salt);
    era_root_siphash_key(root, "push trees: tables", &b->origin_key);
    b->lag_ms = b->lag_spread_ms = LAG_MS;
    b->probes_most = 1;
    era_reference_choose(b, 0);
    return b;
}

void era_broadcast_free(struct era_broadcast *b)
{
    if (b == NULL)
        return;
    while (b->branches != NULL)
        era_branch_free(b, 0, b->branches);
    while (b->awaited_first != NULL)
        era_awaited_remove(b, b->awaited_first);
    free(b->recents);
    free(b->recent_heads);
    free(b->refused.rows);
    free(b->origins);
    free(b->origin_heads);
    free(b);
}

struct era_siphash_key era_broadcast_salt(const struct era_broadcast *b)
{
    return b->salt;
}

bool era_broadcast_is_alone(const struct era_broadcast *b)
{
    return b->branch_count == 0;
}

void era_broadcast_set_blocked(struct era_broadcast *b, bool blocked)
{
    b->blocked = blocked;
}

/* ---- links ---- */

/* The only link carries everything: nobody else could bring it. */
static void lean_on_last(struct era_broadcast *b, uint64_t now_ms)
{
    if (b->branch_count != 1)
        return;
    era_eager_set_all(b, b->branches);
    era_branch_say(b->branches, now_ms, 0, ERA_ORDER_ALL);
}

struct era_branch *era_branch_new(struct era_broadcast *b, uint64_t now_ms, uint64_t link,
                                  const struct era_siphash_key *salt)
{
    struct era_branch *branch = calloc(1, sizeof *branch);
    assert(branch != NULL && link != 0);
    branch->link = link;
    branch->salt = *salt;
    branch->tell_ms = now_ms;
    branch->next = b->branches;
    b->branches = branch;
    b->branch_count++;
    if (b->branch_count == 1) /* the peer knows it from our hello */
        era_eager_set_all(b, branch);
    return branch;
}

static void graft(struct era_branch *branch, uint64_t now_ms, uint32_t origin, uint64_t short_id)
{
    era_eager_set(branch, origin, true);
    era_branch_say(branch, now_ms, short_id, ERA_ORDER_GRAFT);
}

/* Anybody with whom we spoke of the origin's last item, so that it understands which origin is meant. */
static struct era_branch *any_way(const struct era_broadcast *b, const struct era_origin *o)
{
    const struct era_recent *item = era_recent_find(b, o->item);
    struct era_branch *branch = item == NULL ? NULL : b->branches;
    while (branch != NULL && (branch->lazy || !era_branch_knows(branch, &item->id)))
        branch = branch->next;
    return branch;
}

/* Who was next best, for each origin that came by this link, takes its place at once. */
static void replace_parent(struct era_broadcast *b, uint64_t now_ms, uint64_t link)
{
    for (uint32_t n = 1; n < b->origin_count; n++) {
        struct era_origin *o = &b->origins[n];
        if (o->spare == link)
            o->spare = 0;
        if (o->parent != link)
            continue;
        struct era_branch *spare = era_branch_find(b, o->spare);
        o->parent = 0;
        o->misses = o->lates = 0;
        if (spare == NULL || spare->lazy) {
            spare = any_way(b, o);
            o->spare_item = o->item;
        }
        if (spare == NULL)
            continue;
        graft(spare, now_ms, n, o->spare_item);
        o->parent = spare->link;
        o->spare = 0;
        o->moved_ms = now_ms;
        o->moved_item = o->spare_item;
    }
}

void era_branch_free(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch)
{
    if (branch == NULL)
        return;
    struct era_branch **at = &b->branches;
    while (*at != branch)
        at = &(*at)->next;
    *at = branch->next;
    b->branch_count--;
    for (struct era_awaited *a = b->awaited_first; a != NULL; a = a->next)
        if (a->charged == branch->link)
            a->charged = 0;
    replace_parent(b, now_ms, branch->link);
    era_reference_choose(b, now_ms);
    lean_on_last(b, now_ms);
    free(branch->eager);
    free(branch->marks.rows);
    era_mailbox_clear(&branch->announcements[0]);
    era_mailbox_clear(&branch->announcements[1]);
    era_mailbox_clear(&branch->orders);
    free(branch);
}

void era_branch_set_lazy(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch, bool lazy)
{
    branch->lazy = lazy;
    era_reference_choose(b, now_ms);
}

const struct era_branch_counts *era_branch_counts(const struct era_branch *branch)
{
    return &branch->counts;
}

size_t era_branch_take_silence(struct era_branch *branch)
{
    size_t silence = branch->silence;
    branch->silence = 0;
    return silence;
}

bool era_branch_take_stir(struct era_branch *branch)
{
    bool stir = branch->stir;
    branch->stir = false;
    return stir;
}

bool era_branch_is_eager(const struct era_broadcast *b, const struct era_branch *branch,
                         const struct era_key *origin)
{
    return !branch->lazy && era_eager_for(b, branch, origin == NULL ? 0 : era_origin_find(b, origin));
}

/* ---- time ---- */

/* A payload came so much later than the first word of it; 0: there was none. Mean and mean deviation, as TCP
 * keeps them of its round trips: one item that was late for itself makes nobody wait for the next. */
static void learn_lag(struct era_broadcast *b, uint64_t lag_ms)
{
    if (lag_ms > LAG_MAX_MS)
        lag_ms = LAG_MAX_MS;
    uint64_t off_ms = lag_ms > b->lag_ms ? lag_ms - b->lag_ms : b->lag_ms - lag_ms;
    b->lag_spread_ms = (3 * b->lag_spread_ms + off_ms) / 4;
    b->lag_ms = (7 * b->lag_ms + lag_ms) / 8;
}

static uint64_t patience_ms(const struct era_broadcast *b)
{
    return WAIT_MIN_MS + b->lag_ms + 4 * b->lag_spread_ms;
}

/* at_ms: when the payload could have come from the announcer. */
static uint64_t wait_until(struct era_broadcast *b, uint64_t now_ms, uint64_t at_ms,
                           const struct era_branch *announcer)
{
    /* Nobody pushes to a blocked node, and what one announces has come a longer way than a push. */
    if (b->blocked || announcer->lazy)
        return now_ms;
    uint64_t wait_ms = patience_ms(b);
    return era_add_sat(at_ms, wait_ms + era_prng_below(&b->prng, wait_ms / 4));
}

uint64_t era_broadcast_deadline_ms(const struct era_broadcast *b)
{
    uint64_t rest_ms = b->rest_ms == 0 ? UINT64_MAX : b->rest_ms;
    return b->awaited_first == NULL || b->awaited_first->due_ms > rest_ms ? rest_ms
                                                                          : b->awaited_first->due_ms;
}

/* The next link that announced it and was not asked; NULL when all were. */
static struct era_branch *next_to_ask(const struct era_broadcast *b, struct era_awaited *a)
{
    for (size_t i = 0; i < a->heard_count; i++) {
        struct era_heard *h = &a->heard[i];
        struct era_branch *branch = h->asked || h->payload ? NULL : era_branch_find(b, h->link);
        if (branch == NULL)
            continue;
        h->asked = true;
        return branch;
    }
    return NULL;
}

static void count_silence(const struct era_broadcast *b, const struct era_awaited *a)
{
    for (size_t i = 0; i < a->heard_count; i++) {
        struct era_branch *branch = a->heard[i].asked ? era_branch_find(b, a->heard[i].link) : NULL;
        if (branch != NULL)
            branch->silence++;
    }
}

static bool is_hurry(const struct era_broadcast *b, uint64_t now_ms)
{
    return b->hurry_ms != 0 && now_ms - b->hurry_ms < HURRY_OVER_MS;
}

static void note_pace(struct era_broadcast *b, uint64_t now_ms)
{
    b->hurry = now_ms - b->published_ms < HURRY_MS ? b->hurry + 1 : 0;
    if (!is_hurry(b, now_ms))
        b->probes_most = 1;
    b->published_ms = now_ms;
    if (b->hurry >= HURRY_MIN)
        b->hurry_ms = now_ms;
}

/* Items come on end: this one most likely waits among them. A few are asked for all the same, for a tree that
 * broke to show itself: more and more while it does, fewer when they were but late. */
static bool is_in_queue(struct era_broadcast *b, uint64_t now_ms, const struct era_awaited *a)
{
    if (a->first == 0 || !is_hurry(b, now_ms) || now_ms - a->first_ms >= QUEUE_MS)
        return false;
    if (now_ms - b->probed_ms >= PROBE_MS) {
        b->probed_ms = now_ms;
        b->probes = 0;
    }
    return b->probes++ >= b->probes_most;
}

/* Two who are believed had announced it: somebody holds it. Who was alone with it is asked by itself, and who
 * broke its word is not believed for a while: made-up announcements keep nobody busy. */
static bool is_missed(const struct era_broadcast *b, uint64_t now_ms, const struct era_awaited *a)
{
    size_t believed = 0;
    struct era_branch *alone = NULL;
    for (size_t i = 0; i < a->heard_count; i++) {
        struct era_branch *branch = a->heard[i].payload ? NULL : era_branch_find(b, a->heard[i].link);
        if (branch == NULL || (branch->broke_ms != 0 && now_ms - branch->broke_ms < BROKEN_MS))
            continue;
        branch->broke_ms = now_ms;
        alone = branch;
        believed++;
    }
    if (believed == 1)
        alone->stir = true;
    return believed > 1;
}

size_t era_broadcast_tick(struct era_broadcast *b, uint64_t now_ms)
{
    size_t given_up = 0;
    struct era_awaited *a;
    while ((a = b->awaited_first) != NULL && a->due_ms <= now_ms && a->due_ms != UINT64_MAX) {
        if (is_in_queue(b, now_ms, a)) {
            era_awaited_again(b, a, era_add_sat(now_ms, PROBE_MS));
            continue;
        }
        a->arrived = false; /* or the owner would have said so */
        struct era_branch *branch = next_to_ask(b, a);
        if (branch != NULL) {
            era_branch_say(branch, now_ms, a->short_id, ERA_ORDER_WANT);
            era_awaited_again(b, a, era_add_sat(now_ms, patience_ms(b)));
            continue;
        }
        given_up += is_missed(b, now_ms, a);
        count_silence(b, a);
        era_awaited_remove(b, a);
    }
    if (b->rest_ms != 0 && b->rest_ms <= now_ms)
        era_broadcast_rest(b, now_ms);
    return given_up;
}

/* ---- trees ---- */

static bool may_move(const struct era_origin *o, uint64_t now_ms, const struct era_recent *item)
{
    return o->moved_item == 0 || o->moved_item == item->short_id || now_ms - o->moved_ms >= ERA_SETTLE_MS;
}

static void move_to(struct era_broadcast *b, struct era_origin *o, uint64_t now_ms,
                    const struct era_recent *item, struct era_branch *branch)
{
    struct era_branch *old = era_branch_find(b, o->parent);
    if (old != NULL && old != branch) {
        if (!o->streams) { /* else what is under way would come by neither: its first copy prunes the old one
                            */
            era_eager_set(old, item->origin, false);
            era_branch_say(old, now_ms, item->short_id, ERA_ORDER_PRUNE);
        }
        o->spare = old->link;
        o->spare_item = item->short_id;
    }
    graft(branch, now_ms, item->origin, item->short_id);
    o->parent = branch->link;
    o->moved_ms = now_ms;
    o->moved_item = item->short_id;
    o->misses = 0;
}

void era_broadcast_compare(struct era_broadcast *b, uint64_t now_ms, struct era_recent *item,
                           struct era_branch *branch, uint64_t at_ms)
{
    struct era_origin *o = era_origin_of_item(b, item);
    if (o == NULL || branch->lazy || item->from == 0 || item->fetched || branch->link == o->parent)
        return;
    if (!item->hurried && !is_hurry(b, now_ms) && era_add_sat(at_ms, MARGIN_MS) < item->heard_ms &&
        may_move(o, now_ms, item)) {
        move_to(b, o, now_ms, item, branch);
        item->heard_ms = at_ms;
    } else if (o->spare_item != item->short_id) {
        o->spare = branch->link;
        o->spare_item = item->short_id;
    }
}

void era_broadcast_grafted(const struct era_broadcast *b, const struct era_recent *item,
                           const struct era_branch *branch)
{
    struct era_origin *o = era_origin_of_item(b, item);
    if (o != NULL && o->parent == branch->link)
        o->parent = 0;
}

/* The parent is told that it is; a copy of ours crossed its own. */
void era_broadcast_pruned(struct era_broadcast *b, uint64_t now_ms, const struct era_recent *item,
                          struct era_branch *branch)
{
    const struct era_origin *o = era_origin_of_item(b, item);
    if (o != NULL && o->parent == branch->link && !branch->lazy)
        graft(branch, now_ms, item->origin, item->short_id);
}

static bool has_announced(const struct era_awaited *a, uint64_t link)
{
    for (size_t i = 0; i < a->heard_count; i++)
        if (a->heard[i].link == link && !a->heard[i].payload)
            return true;
    return false;
}

/* Word of it was out before the new parent can have known that it is one: it shows nothing of it. */
static bool was_under_way(const struct era_origin *o, const struct era_recent *item)
{
    return o->moved_item != 0 && item->first_ms < era_add_sat(o->moved_ms, ERA_SETTLE_MS);
}

/* The way by which it could have come first; NULL: nobody that pushes announced it. */
static struct era_branch *best_way(const struct era_broadcast *b, const struct era_awaited *a,
                                   uint64_t *at_ms)
{
    struct era_branch *best = NULL;
    for (size_t i = 0; a != NULL && i < a->heard_count; i++) {
        struct era_branch *branch = a->heard[i].payload ? NULL : era_branch_find(b, a->heard[i].link);
        if (branch == NULL || branch->lazy || (best != NULL && a->heard[i].at_ms >= *at_ms))
            continue;
        best = branch;
        *at_ms = a->heard[i].at_ms;
    }
    return best;
}

static bool is_copy(const struct era_origin *o)
{
    return o->pushes < ERA_ORIGIN_PROVEN;
}

/* Of a copy: keys that speak but once never mend it. While items wait in queues they may be but late. */
static void note_gap(struct era_broadcast *b, uint64_t now_ms, const struct era_origin *o)
{
    if (!is_copy(o) || is_hurry(b, now_ms) || (b->gap += GAP_MISSED) < GAP_MAX)
        return;
    b->gap = 0;
    era_reference_doubt(b, now_ms);
}

static void close_gap(struct era_broadcast *b, const struct era_origin *o, unsigned by)
{
    if (is_copy(o))
        b->gap = b->gap > by ? b->gap - by : 0;
}

/* A probe found what had not come. One step a turn: whether it was but late shows later. */
static void ask_for_more(struct era_broadcast *b, uint64_t now_ms)
{
    if (!is_hurry(b, now_ms) || b->probes_most == PROBES_MAX || b->more_ms == b->probed_ms)
        return;
    b->more_ms = b->probed_ms;
    b->probes_most *= 2;
}

/* It was announced, and had to be asked for, or anti-entropy brought it: the parent lost it, lacks it, or,
 * when it announced it too, holds us for lazy. */
static void follow_fetched(struct era_broadcast *b, uint64_t now_ms, const struct era_recent *item,
                           const struct era_awaited *a)
{
    uint64_t at_ms = 0;
    struct era_origin *o = era_origin_of_item(b, item);
    struct era_branch *best = best_way(b, a, &at_ms);
    ask_for_more(b, now_ms);
    if (o == NULL || best == NULL)
        return;
    note_gap(b, now_ms, o);
    const struct era_branch *parent = era_branch_find(b, o->parent);
    bool is_there = parent != NULL && !parent->lazy;
    if (is_there && was_under_way(o, item))
        return;
    if (is_there && !has_announced(a, parent->link) && (item->hurried || ++o->misses < MISSES_MAX))
        return;
    graft(best, now_ms, item->origin, item->short_id);
    o->parent = best->link;
    o->moved_ms = now_ms;
    o->moved_item = item->short_id;
    o->misses = o->lates = 0;
}

static void follow(struct era_broadcast *b, uint64_t now_ms, struct era_recent *item, struct era_branch *from,
                   const struct era_awaited *a)
{
    if (item->fetched) {
        follow_fetched(b, now_ms, item, a);
        return;
    }
    struct era_origin *o = era_origin_of_item(b, item);
    if (o == NULL || from->lazy)
        return;
    o->misses = o->lates = 0;
    close_gap(b, o, 1);
    const struct era_branch *parent = era_branch_find(b, o->parent);
    bool is_tree = !is_copy(o) && era_trees_are_formed(b, now_ms);
    if (parent == NULL || parent->lazy || (!(item->hurried && is_tree) && may_move(o, now_ms, item))) {
        o->parent = from->link;
        era_eager_set(from, item->origin, true);
    }
    uint64_t at_ms = 0;
    struct era_branch *faster = best_way(b, a, &at_ms);
    if (faster != NULL)
        era_broadcast_compare(b, now_ms, item, faster, at_ms);
}

/* ---- items ---- */

static struct era_heard *hear(struct era_awaited *a, uint64_t link, uint64_t at_ms, bool payload)
{
    if (a->heard_count == ERA_ANNOUNCERS_MAX)
        return NULL;
    struct era_heard *h = &a->heard[a->heard_count++];
    *h = (struct era_heard){.link = link, .at_ms = at_ms, .payload = payload};
    return h;
}

void era_broadcast_arrived(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch,
                           const struct era_hash *id)
{
    uint64_t short_id = era_short_id(&b->salt, id);
    if (era_recent_find(b, short_id) != NULL)
        return;
    struct era_awaited *a = era_awaited_find(b, short_id);
    if (a == NULL && branch->awaited < ERA_LINK_AWAITED_MAX) {
        a = era_awaited_add(b, short_id);
        if (a != NULL) {
            a->charged = branch->link;
            branch->awaited++;
        }
    }
    if (a == NULL || a->arrived)
        return;
    if (!a->arrived && a->heard_count > 0)
        a->ask_ms = a->due_ms;
    a->arrived = true;
    a->arrived_from = branch->link;
    a->arrived_ms = now_ms;
    era_awaited_again(b, a, era_add_sat(now_ms, PENDING_MS));
}

static bool was_asked(const struct era_awaited *a, uint64_t link)
{
    for (size_t i = 0; i < a->heard_count; i++)
        if (a->heard[i].link == link && a->heard[i].asked)
            return true;
    return false;
}

/* What was heard of the item before it was ours. */
static void take_heard(struct era_broadcast *b, struct era_recent *item, const struct era_branch *from,
                       const struct era_awaited *a)
{
    if (a->arrived && from != NULL && a->arrived_from == from->link)
        item->heard_ms = a->arrived_ms;
    item->fetched = item->fetched || (from != NULL && was_asked(a, from->link));
    for (size_t i = 0; i < a->heard_count; i++) {
        struct era_branch *branch = era_branch_find(b, a->heard[i].link);
        if (a->heard[i].asked)
            item->wanted = a->heard[i].link;
        if (branch != NULL)
            era_branch_learn_item(branch, item);
    }
    if (a->first != 0)
        item->first_ms = a->first_ms;
}

/* Copies that came while the owner judged the first. */
static void prune_copies(struct era_broadcast *b, uint64_t now_ms, const struct era_recent *item,
                         const struct era_branch *from, const struct era_awaited *a)
{
    for (size_t i = 0; i < a->heard_count; i++) {
        struct era_branch *branch = a->heard[i].payload ? era_branch_find(b, a->heard[i].link) : NULL;
        if (branch != NULL && branch != from)
            era_broadcast_duplicate(b, now_ms, branch, &item->id);
    }
}

static void note_origin(struct era_broadcast *b, uint64_t now_ms, struct era_recent *item,
                        const struct era_key *origin, enum era_source source)
{
    item->origin = 0;
    item->origin_tag = 0;
    if (origin == NULL)
        return;
    item->origin = era_origin_of(b, now_ms, origin, source != ERA_SOURCE_ASKED);
    item->origin_tag = b->origins[item->origin].tag;
    b->origins[item->origin].item = item->short_id;
}

const struct era_recent *era_broadcast_publish(struct era_broadcast *b, uint64_t now_ms,
                                               const struct era_hash *id, unsigned set,
                                               const struct era_key *origin, struct era_branch *from,
                                               enum era_source source)
{
    uint64_t short_id = era_short_id(&b->salt, id);
    struct era_awaited *a = era_awaited_find(b, short_id);
    struct era_recent *item = era_recent_find(b, short_id);
    if (item == NULL || !era_hash_eq(&item->id, id))
        item = era_recent_add(b, now_ms, id, short_id);
    item->set = set;
    item->from = from == NULL ? 0 : from->link;
    item->heard_ms = item->first_ms = item->published_ms = now_ms;
    item->fetched = source == ERA_SOURCE_ASKED;
    note_pace(b, now_ms);
    item->hurried = is_hurry(b, now_ms);
    note_origin(b, now_ms, item, origin, source);
    if (a != NULL)
        take_heard(b, item, from, a);
    if (from != NULL)
        era_branch_learn_item(from, item);
    if (from != NULL && !item->fetched)
        learn_lag(b, item->heard_ms > item->first_ms ? item->heard_ms - item->first_ms : 0);
    if (from != NULL)
        follow(b, now_ms, item, from, a);
    if (a != NULL) {
        prune_copies(b, now_ms, item, from, a);
        era_awaited_remove(b, a);
    }
    era_broadcast_rest_later(b, now_ms);
    return item;
}

void era_broadcast_duplicate(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch,
                             const struct era_hash *id)
{
    uint64_t short_id = era_short_id(&b->salt, id);
    struct era_recent *item = era_recent_find(b, short_id);
    era_branch_learn(b, branch, id);
    if (item == NULL) { /* the owner still judges the first */
        struct era_awaited *a = era_awaited_find(b, short_id);
        if (a != NULL && a->arrived && a->arrived_from != branch->link && !was_asked(a, branch->link))
            (void)hear(a, branch->link, now_ms, true);
        return;
    }
    if (item->from == branch->link || item->wanted == branch->link)
        return;
    struct era_origin *o = era_origin_of_item(b, item);
    if (item->fetched && b->probes_most > 1)
        b->probes_most /= 2;
    if (item->fetched && o != NULL)
        close_gap(b, o, GAP_MISSED);
    if (o != NULL && item->fetched && !branch->lazy && era_branch_find(b, o->parent) == NULL)
        o->parent = branch->link; /* nobody else is known to push it */
    if (o != NULL && o->parent == branch->link) {
        if (item->fetched) { /* not lost: late. Wait longer the next time. */
            learn_lag(b, now_ms - item->first_ms);
            if (!item->hurried && o->lates < LATES_MAX)
                o->lates++;
        }
        o->misses = o->lates < LATES_MAX ? 0 : MISSES_MAX;
        return;
    }
    if (o == NULL || (!era_eager_get(branch, item->origin) && !may_move(o, now_ms, item)))
        return; /* no tree of its own, or it was told already */
    era_eager_set(branch, item->origin, false);
    era_branch_say(branch, now_ms, item->short_id, ERA_ORDER_PRUNE);
    if (o->spare == 0) {
        o->spare = branch->link;
        o->spare_item = item->short_id;
    }
}

void era_broadcast_refused(struct era_broadcast *b, const struct era_hash *id, bool remember)
{
    uint64_t short_id = era_short_id(&b->salt, id);
    struct era_awaited *a = era_awaited_find(b, short_id);
    if (a != NULL)
        era_awaited_remove(b, a);
    if (remember && era_recent_find(b, short_id) == NULL)
        era_refused_add(b, short_id);
}

void era_broadcast_refused_unnamed(struct era_broadcast *b, uint64_t now_ms, uint64_t link)
{
    for (struct era_awaited *a = b->awaited_first, *next; a != NULL; a = next) {
        next = a->next;
        if (!a->arrived || a->arrived_from != link)
            continue;
        a->arrived = false;
        if (a->heard_count == 0)
            era_awaited_remove(b, a);
        else
            era_awaited_again(b, a, a->ask_ms > now_ms ? a->ask_ms : now_ms);
    }
}

void era_broadcast_forget_refused(struct era_broadcast *b)
{
    free(b->refused.rows);
    b->refused = (struct era_marks){0};
}

/* The parent announces what it should have pushed: it holds us for lazy. */
static void remind(struct era_broadcast *b, uint64_t now_ms, const struct era_recent *item,
                   struct era_branch *branch)
{
    struct era_origin *o = era_origin_of_item(b, item);
    if (o == NULL || o->parent != branch->link || branch->lazy || item->from == 0 ||
        item->from == branch->link || !may_move(o, now_ms, item))
        return;
    graft(branch, now_ms, item->origin, item->short_id);
    o->moved_ms = now_ms;
    o->moved_item = item->short_id;
}

void era_branch_announced(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch,
                          uint64_t short_id, unsigned held)
{
    uint64_t held_ms = (uint64_t)held * ERA_ANNOUNCE_UNIT_MS;
    uint64_t at_ms = now_ms > held_ms ? now_ms - held_ms : 0;
    struct era_recent *item = era_recent_find(b, short_id);
    branch->counts.announced_in++;
    if (item != NULL) {
        era_marks_put(&branch->marks, era_short_id(&branch->salt, &item->id), item->number,
                      ERA_MARK_HAS | ERA_MARK_GIVEN);
        era_broadcast_compare(b, now_ms, item, branch, at_ms);
        remind(b, now_ms, item, branch);
        return;
    }
    if (era_refused_has(b, short_id))
        return;
    struct era_awaited *a = era_awaited_find(b, short_id);
    if (a == NULL && branch->awaited < ERA_LINK_AWAITED_MAX)
        a = era_awaited_add(b, short_id);
    if (a == NULL) {
        branch->counts.forgotten++;
        return;
    }
    if (a->first == 0) {
        a->first = branch->link;
        a->first_ms = at_ms;
        if (a->charged == 0) {
            a->charged = branch->link;
            branch->awaited++;
        }
        a->ask_ms = wait_until(b, now_ms, at_ms, branch);
        if (!a->arrived)
            era_awaited_again(b, a, a->ask_ms);
    }
    if (!has_announced(a, branch->link))
        (void)hear(a, branch->link, at_ms, false);
}
