#include "p2p/broadcast_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MAILBOX_MIN  16
#define ANNOUNCE_NOW 1024 /* so many announcements wait for no more */
#define HELD_MAX     255
/* So old, or so much earlier than due, an announcement rides with others; the peer's turn is not forestalled.
 */
#define RIDE_MS      100
#define RIDE_LATE_MS 50

/* ---- a ring that grows up to its limit ---- */

bool era_mailbox_put(struct era_mailbox *box, size_t most, struct era_mail mail)
{
    if (box->count == most)
        return false;
    if (box->count == box->cap) {
        size_t cap = box->cap == 0 ? MAILBOX_MIN : 2 * box->cap;
        struct era_mail *ring = malloc(cap * sizeof *ring);
        assert(ring != NULL);
        for (size_t i = 0; i < box->count; i++)
            ring[i] = box->ring[(box->head + i) % box->cap];
        free(box->ring);
        *box = (struct era_mailbox){.ring = ring, .cap = cap, .count = box->count};
    }
    box->ring[(box->head + box->count++) % box->cap] = mail;
    return true;
}

static struct era_mail mailbox_pop(struct era_mailbox *box)
{
    struct era_mail mail = box->ring[box->head];
    box->head = (box->head + 1) % box->cap;
    if (--box->count == 0)
        era_mailbox_clear(box);
    return mail;
}

void era_mailbox_clear(struct era_mailbox *box)
{
    free(box->ring);
    memset(box, 0, sizeof *box);
}

/* ---- said ---- */

static void count_order(struct era_branch *branch, unsigned order, bool in)
{
    struct era_branch_counts *c = &branch->counts;
    switch (order) {
    case ERA_ORDER_WANT:
        (*(in ? &c->wants_in : &c->wants_out))++;
        break;
    case ERA_ORDER_GRAFT:
        (*(in ? &c->grafts_in : &c->grafts_out))++;
        break;
    case ERA_ORDER_PRUNE:
        (*(in ? &c->prunes_in : &c->prunes_out))++;
        break;
    default:
        break;
    }
}

void era_branch_say(struct era_branch *branch, uint64_t now_ms, uint64_t short_id, unsigned order)
{
    if (branch->orders.count == 0)
        branch->order_ms = now_ms;
    struct era_mail mail = {.short_id = short_id, .order = (uint8_t)order};
    if (era_mailbox_put(&branch->orders, ERA_RECENT_ITEMS_MAX, mail))
        count_order(branch, order, false);
    else
        branch->counts.forgotten++;
}

/* Of the two ends one speaks first, another for each item, so that both learn of ways that are faster; the
 * other has then nothing to say. 0: we do; 1: the peer does. */
static unsigned turn_of(const struct era_broadcast *b, const struct era_branch *branch,
                        const struct era_recent *item)
{
    bool lower = memcmp(b->salt.b, branch->salt.b, sizeof b->salt.b) < 0;
    return lower == ((item->id.b[0] & 1) != 0) ? 0 : 1;
}

static uint64_t announce_wait_ms(const struct era_broadcast *b, const struct era_branch *branch,
                                 unsigned turn)
{
    if (b->blocked || branch->lazy)
        return ERA_ANNOUNCE_BLOCKED_MS;
    uint64_t sooner_ms =
        branch->announcements[turn].count < ERA_ANNOUNCE_COMPANY ? 0 : ERA_ANNOUNCE_SOONER_MS;
    return (turn == 0 ? ERA_ANNOUNCE_MS : ERA_ANNOUNCE_LATE_MS) - sooner_ms;
}

static void announce(const struct era_broadcast *b, struct era_branch *branch, uint64_t now_ms,
                     uint64_t short_id, const struct era_recent *item)
{
    unsigned turn = turn_of(b, branch, item);
    struct era_mailbox *box = &branch->announcements[turn];
    struct era_mail mail = {.short_id = short_id, .number = item->number};
    if (box->count == 0)
        branch->announce_ms[turn] = era_add_sat(now_ms, announce_wait_ms(b, branch, turn));
    if (!era_mailbox_put(box, ERA_RECENT_ITEMS_MAX, mail))
        branch->counts.forgotten++;
    uint64_t sooner_ms = branch->announce_ms[turn] - ERA_ANNOUNCE_SOONER_MS;
    if (box->count == ANNOUNCE_NOW)
        branch->announce_ms[turn] = now_ms;
    else if (box->count == ERA_ANNOUNCE_COMPANY)
        branch->announce_ms[turn] = sooner_ms > now_ms ? sooner_ms : now_ms;
}

uint64_t era_branch_due_ms(const struct era_branch *branch)
{
    uint64_t due_ms = branch->tell_ms;
    if (branch->orders.count > 0 && branch->order_ms < due_ms)
        due_ms = branch->order_ms;
    for (unsigned turn = 0; turn < 2; turn++)
        if (branch->announcements[turn].count > 0 && branch->announce_ms[turn] < due_ms)
            due_ms = branch->announce_ms[turn];
    return due_ms;
}

static void write_entry(uint8_t *out, uint64_t short_id, uint8_t about)
{
    era_put_be64(out, short_id);
    out[8] = about;
}

/* False when the peer meanwhile has it, or it is forgotten. */
static bool is_news(const struct era_branch *branch, const struct era_mail *mail,
                    const struct era_recent *item)
{
    const struct era_mark *mark = era_marks_find(&branch->marks, mail->short_id);
    return mark != NULL && (mark->flags & ERA_MARK_HAS) == 0 && item != NULL;
}

static size_t take_turn(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch, unsigned turn,
                        uint8_t *room, size_t most)
{
    struct era_mailbox *box = &branch->announcements[turn];
    uint64_t wait_ms = announce_wait_ms(b, branch, turn);
    uint64_t ride_ms = wait_ms == ERA_ANNOUNCE_BLOCKED_MS ? 0 : turn == 0 ? RIDE_MS : wait_ms - RIDE_LATE_MS;
    bool full = box->count >= ANNOUNCE_NOW;
    size_t count = 0;
    while (box->count > 0 && count < most) {
        const struct era_recent *item = era_recent_at(b, box->ring[box->head].number);
        if (!full && item != NULL && item->published_ms + ride_ms > now_ms) {
            branch->announce_ms[turn] = item->published_ms + wait_ms;
            break;
        }
        struct era_mail mail = mailbox_pop(box);
        if (!is_news(branch, &mail, item))
            continue;
        uint64_t held = (now_ms - item->published_ms) / ERA_ANNOUNCE_UNIT_MS;
        write_entry(room + count++ * ERA_SPREAD_ENTRY_BYTES, mail.short_id,
                    (uint8_t)(held < HELD_MAX ? held : HELD_MAX));
    }
    return count;
}

size_t era_branch_take_announcements(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch,
                                     uint8_t *room, size_t most)
{
    size_t count = take_turn(b, now_ms, branch, 0, room, most);
    count += take_turn(b, now_ms, branch, 1, room + count * ERA_SPREAD_ENTRY_BYTES, most - count);
    branch->counts.announced_out += count;
    return count;
}

size_t era_branch_take_orders(struct era_branch *branch, uint8_t *room, size_t most)
{
    size_t count = 0;
    while (branch->orders.count > 0 && count < most) {
        struct era_mail mail = mailbox_pop(&branch->orders);
        write_entry(room + count++ * ERA_SPREAD_ENTRY_BYTES, mail.short_id, mail.order);
    }
    return count;
}

bool era_branch_route(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch,
                      const struct era_recent *item)
{
    uint64_t short_id = era_short_id(&branch->salt, &item->id);
    const struct era_mark *mark = era_marks_find(&branch->marks, short_id);
    if (mark != NULL && (mark->flags & ERA_MARK_HAS) != 0)
        return false;
    const struct era_origin *origin = era_origin_of_item(b, item);
    bool own = item->from == 0;
    bool whole = era_eager_for(b, branch, item->origin) && !branch->lazy && (own || !b->blocked);
    /* It has it before us, but for a tree that is broken or changes: then it asks. */
    if (!own && origin != NULL && origin->parent == branch->link)
        whole = false;
    era_marks_put(&branch->marks, short_id, item->number, whole ? ERA_MARK_HAS : 0);
    if (!whole)
        announce(b, branch, now_ms, short_id, item);
    return whole;
}

/* ---- heard ---- */

void era_branch_learn(struct era_broadcast *b, struct era_branch *branch, const struct era_hash *id)
{
    const struct era_recent *item = era_recent_find(b, era_short_id(&b->salt, id));
    era_marks_put(&branch->marks, era_short_id(&branch->salt, id), item == NULL ? 0 : item->number,
                  ERA_MARK_HAS);
}

void era_branch_learn_item(struct era_branch *branch, const struct era_recent *item)
{
    era_marks_put(&branch->marks, era_short_id(&branch->salt, &item->id), item->number, ERA_MARK_HAS);
}

bool era_branch_knows(const struct era_branch *branch, const struct era_hash *id)
{
    const struct era_mark *mark = era_marks_find(&branch->marks, era_short_id(&branch->salt, id));
    return mark != NULL && (mark->flags & ERA_MARK_HAS) != 0;
}

const struct era_recent *era_branch_order(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch,
                                          uint64_t short_id, unsigned order)
{
    count_order(branch, order, true);
    if (order == ERA_ORDER_ALL)
        era_eager_set_all(b, branch);
    if ((order & ERA_ORDER_DESCENT) != 0) {
        era_reference_heard(b, now_ms, branch, short_id, order);
        return NULL;
    }
    struct era_mark *mark = era_marks_find(&branch->marks, short_id);
    const struct era_recent *item = mark == NULL ? NULL : era_recent_at(b, mark->number);
    if (item == NULL)
        return NULL;
    if ((order == ERA_ORDER_GRAFT || order == ERA_ORDER_PRUNE) && era_origin_of_item(b, item) != NULL)
        era_eager_set(branch, item->origin, order == ERA_ORDER_GRAFT);
    if (order == ERA_ORDER_PRUNE)
        era_broadcast_pruned(b, now_ms, item, branch);
    if (order == ERA_ORDER_GRAFT)
        era_broadcast_grafted(b, item, branch);
    if (order != ERA_ORDER_WANT || (mark->flags & ERA_MARK_GIVEN) != 0)
        return NULL; /* what is lost twice, anti-entropy heals */
    mark->flags |= ERA_MARK_HAS | ERA_MARK_GIVEN;
    return item;
}
