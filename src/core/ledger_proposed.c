/* Which of the charters that signers propose are kept (R6). Of each signer the
 * two statements with the lowest ids, and what an old signer approves who
 * approves no other: a bad signer who proposes ever more can neither split the
 * sets of nodes nor displace what an honest one is bound to. A charter that
 * nobody proposes any more goes with all that was said of it, unless an old
 * signer approved it: such words count for ever (R8). Whom it alone named as a
 * signer is nobody then: evidence against him, and his key, go too (R1). */
#include "src/core/charter.h"
#include "src/core/ledger_internal.h"
#include "src/core/succession.h"

enum era_verdict era_ledger_proposed_verdict(struct era_ledger *l, const struct era_verified *s,
                                             bool from_disk)
{
    struct place_key k;
    const struct era_successor *known = era_ledger_successor(l, &s->charter->hash);
    era_ledger_charter_place_key(l, s, &k);
    bool room = from_disk || (known && known->backed) || era_ledger_has_room(l, &k, &s->item);
    return room ? ERA_ACCEPTED : ERA_CAPPED;
}

/* ---- what goes ---- */

static bool is_proposed_besides(const struct era_ledger *l, const struct era_item *item)
{
    for (const struct era_item *i = era_ledger_item(l, l->charter_items); i;
         i = era_ledger_item(l, i->list_next))
        if (i != item && i->kind == ERA_KIND_CHARTER && i->successor == item->successor)
            return true;
    return false;
}

static void drop(struct era_ledger *l, struct era_item *item)
{
    era_ledger_tell_deleted(l, item);
    era_ledger_item_free(l, item);
}

/* The charter's own record last: a start that finds words without it could not read them. */
static void displace(struct era_ledger *l, struct era_item *item)
{
    if (!is_proposed_besides(l, item)) {
        era_ledger_unlearn_charter(l, item->successor);
        for (struct era_item *i = era_ledger_item(l, l->charter_items), *next; i; i = next) {
            next = era_ledger_item(l, i->list_next);
            if (i != item && i->successor == item->successor && i->durable)
                drop(l, i);
        }
    }
    drop(l, item);
}

static bool displace_one(struct era_ledger *l)
{
    for (struct era_item *i = era_ledger_item(l, l->charter_items); i; i = era_ledger_item(l, i->list_next))
        if (i->kind == ERA_KIND_CHARTER && i->durable && !i->successor->held &&
            !era_ledger_is_among_first(l, i)) {
            displace(l, i);
            return true;
        }
    return false;
}

/* ---- what is offered ---- */

bool era_ledger_is_proposed(const struct era_ledger *l, const struct era_item *item)
{
    const struct era_successor *s = item->successor;
    if (item->equivocal)
        return false;
    /* About a rival of what follows nothing: whoever comes later does not know that charter. */
    if (s->certificate || era_ledger_followed(l))
        return s->certificate != NULL;
    if (item->kind == ERA_KIND_CHARTER)
        return s->backed || era_ledger_is_among_first(l, item);
    return s->stands || (item->kind == ERA_KIND_CHARTER_APPROVE && item->signer >= 0);
}

/* Its evidence is not made yet: the two are its parts. */
static bool is_unproven(const struct era_ledger *l, const struct era_item *item)
{
    struct place_key k;
    if (!item->equivocal)
        return false;
    era_ledger_place_key_of(item, &k);
    const struct place *p = era_ledger_place(l, &k);
    return !p || !p->evidence;
}

static void note_words(struct era_ledger *l)
{
    for (struct era_successor *s = l->successors; s; s = s->next)
        s->backed = s->held = false;
    for (struct era_item *i = era_ledger_item(l, l->charter_items); i; i = era_ledger_item(l, i->list_next)) {
        bool approves = i->kind == ERA_KIND_CHARTER_APPROVE && i->signer >= 0;
        i->successor->backed |= approves && i->durable && !i->equivocal;
        i->successor->held |= approves || is_unproven(l, i);
    }
}

/* Evidence of approvals, by one who is a signer in none but a charter that follows: others must know one. */
static void offer_evidence(struct era_ledger *l)
{
    bool followed = era_ledger_followed(l);
    for (struct era_item *i = era_ledger_item(l, l->evidence); i; i = era_ledger_item(l, i->list_next)) {
        if (!i->proves || i->proves->key.kind != ERA_KIND_CHARTER_APPROVE)
            continue;
        bool named = i->signer >= 0;
        for (const struct era_successor *s = l->successors; s && !named; s = s->next)
            named = s->stands && era_succession_names_signer(s, era_ledger_key(l, i->who));
        era_ledger_set_offered(l, i, named && !followed);
    }
}

void era_ledger_judge_proposed(struct era_ledger *l)
{
    note_words(l);
    /* A start knows all approvals only when all is read; what was a rival tells what closes were about. */
    bool complete = l->complete && !era_ledger_followed(l);
    while (complete && displace_one(l))
        ;
    if (complete)
        era_ledger_evidence_forget_nobodys(l);
    for (struct era_successor *s = l->successors; s; s = s->next)
        s->stands = false;
    for (struct era_item *i = era_ledger_item(l, l->charter_items); i; i = era_ledger_item(l, i->list_next))
        if (i->kind == ERA_KIND_CHARTER && i->durable)
            i->successor->stands |= era_ledger_is_proposed(l, i);
    for (struct era_item *i = era_ledger_item(l, l->charter_items); i; i = era_ledger_item(l, i->list_next))
        if (i->durable)
            era_ledger_set_offered(l, i, era_ledger_is_proposed(l, i));
    offer_evidence(l);
}
