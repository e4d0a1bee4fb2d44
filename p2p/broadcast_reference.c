/* The reference tree: a spanning tree of the links, which holds before anything went down it. A distance
 * vector: each node tells its neighbours its descent: from which root (the lowest tag of all that it knows),
 * at what depth, and by which of them, its parent. A link is in the tree when one end is the other's parent.
 *
 * What is said of a root that is gone goes round until it is deeper than ERA_REFERENCE_DEPTH_MAX: for so
 * long the tree may be in pieces, and announcements bring what it does not. */
#include "p2p/broadcast_internal.h"

#define TELL_PARENT 0x40 /* in the byte of a descent: you are my parent */
#define TELL_ASKS   0x20 /* …tell me yours */
#define TELL_DEPTH  0x1f
#define PACE_MIN_MS 16 /* what changes on end is told ever more seldom… */
#define PACE_MAX_MS 500
#define REFRESH_MS  10000 /* so old it is told again where something else is said: a word may be lost */
#define POOR_MS     60000 /* who did not bring what it should is no parent for so long, where there is another \
                           */

static uint64_t tag_of(const struct era_siphash_key *salt)
{
    return era_get_be64(salt->b);
}

bool era_reference_has(const struct era_broadcast *b, const struct era_branch *branch)
{
    return branch->is_child || branch->link == b->descent.parent;
}

bool era_reference_is_known(const struct era_broadcast *b)
{
    const struct era_branch *branch = b->branches;
    while (branch != NULL && !era_reference_has(b, branch))
        branch = branch->next;
    return branch != NULL;
}

/* ---- telling ---- */

static void tell_by(struct era_branch *branch, uint64_t at_ms)
{
    if (branch->tell_ms > at_ms)
        branch->tell_ms = at_ms;
}

static void tell_all(struct era_broadcast *b, uint64_t now_ms)
{
    if (b->told_ms <= now_ms) {
        bool calm = now_ms - b->told_ms > (uint64_t)2 * PACE_MAX_MS;
        b->pace_ms = calm ? 0 : 2 * b->pace_ms + PACE_MIN_MS;
        if (b->pace_ms > PACE_MAX_MS)
            b->pace_ms = PACE_MAX_MS;
        uint64_t paced_ms = b->told_ms + b->pace_ms;
        b->told_ms = paced_ms > now_ms ? paced_ms : now_ms;
    }
    for (struct era_branch *branch = b->branches; branch != NULL; branch = branch->next)
        tell_by(branch, b->told_ms);
}

bool era_branch_take_descent(const struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch,
                             bool rides, uint8_t room[ERA_SPREAD_ENTRY_BYTES])
{
    bool is_old = now_ms - branch->told_ms >= REFRESH_MS;
    if (branch->tell_ms > now_ms && !(rides && is_old))
        return false;
    branch->told_ms = now_ms;
    branch->tell_ms = UINT64_MAX;
    era_put_be64(room, b->descent.root);
    unsigned about = ERA_ORDER_DESCENT | b->descent.depth;
    about |= branch->link == b->descent.parent ? TELL_PARENT : 0;
    about |= branch->descent.root == 0 ? TELL_ASKS : 0;
    room[8] = (uint8_t)about;
    return true;
}

/* ---- choosing ---- */

static bool is_poor(const struct era_branch *branch, uint64_t now_ms)
{
    return branch->poor_ms != 0 && now_ms - branch->poor_ms < POOR_MS;
}

static bool may_be_parent(const struct era_branch *branch)
{
    return !branch->lazy && branch->descent.root != 0 && !branch->is_child &&
           branch->descent.depth < ERA_REFERENCE_DEPTH_MAX;
}

static bool leads_rather(const struct era_broadcast *b, uint64_t now_ms, const struct era_branch *branch,
                         const struct era_branch *than)
{
    bool poor = is_poor(branch, now_ms), than_poor = is_poor(than, now_ms);
    if (branch->descent.root != than->descent.root)
        return branch->descent.root < than->descent.root;
    if (poor != than_poor)
        return than_poor;
    if (branch->descent.depth != than->descent.depth)
        return branch->descent.depth < than->descent.depth;
    return branch->link == b->descent.parent;
}

void era_reference_choose(struct era_broadcast *b, uint64_t now_ms)
{
    struct era_descent descent = {.root = tag_of(&b->salt)};
    const struct era_branch *best = NULL;
    for (const struct era_branch *branch = b->branches; branch != NULL; branch = branch->next)
        if (may_be_parent(branch) && branch->descent.root < descent.root &&
            (best == NULL || leads_rather(b, now_ms, branch, best)))
            best = branch;
    if (best != NULL)
        descent = (struct era_descent){best->descent.root, best->link, best->descent.depth + 1};
    if (descent.root == b->descent.root && descent.depth == b->descent.depth &&
        descent.parent == b->descent.parent)
        return;
    b->descent = descent;
    tell_all(b, now_ms);
}

void era_reference_heard(struct era_broadcast *b, uint64_t now_ms, struct era_branch *branch, uint64_t root,
                         unsigned about)
{
    uint64_t its_tag = tag_of(&branch->salt);
    unsigned depth = about & TELL_DEPTH;
    /* It would rather be its own root; and nobody else is. */
    if (root == 0 || root > its_tag || (depth == 0) != (root == its_tag))
        return;
    branch->descent = (struct era_descent){.root = root, .depth = depth};
    branch->is_child = (about & TELL_PARENT) != 0;
    if ((about & TELL_ASKS) != 0)
        tell_by(branch, now_ms);
    era_reference_choose(b, now_ms);
}

void era_reference_doubt(struct era_broadcast *b, uint64_t now_ms)
{
    struct era_branch *parent = era_branch_find(b, b->descent.parent);
    if (parent == NULL)
        return;
    parent->poor_ms = now_ms;
    era_reference_choose(b, now_ms);
}
