/* Lines: what a validator says epoch by epoch (R16): announcements, and
 * checkpoints of each component. Of a line the two highest epochs are kept. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/ledger_internal.h"

bool era_kind_is_line(uint32_t kind)
{
    return kind == ERA_KIND_ANNOUNCEMENT || kind == ERA_KIND_CHECKPOINT;
}

size_t era_ledger_line_count(const struct era_charter *c)
{
    return c->validator_count * (c->component_count + 1);
}

/* component: -1 for announcements. */
static uint32_t *line_at(const struct era_ledger *l, int component, int validator)
{
    return &l->lines[l->charter->validator_count * (size_t)(component + 1) + (size_t)validator];
}

struct era_item *era_ledger_line(const struct era_ledger *l, int component, int validator)
{
    return era_ledger_item(l, *line_at(l, component, validator));
}

uint32_t era_ledger_first_in_line(const struct era_ledger *l, const struct place_key *k)
{
    uint32_t first = 0;
    for (uint32_t at = *line_at(l, (int)k->component, (int)k->who); at != 0;
         at = era_ledger_item(l, at)->list_next)
        if (era_ledger_item(l, at)->seq == k->seq)
            first = at; /* who comes later stands before it */
    return first;
}

void era_ledger_enter_line(struct era_ledger *l, struct era_item *item)
{
    era_ledger_list_put(l, line_at(l, item->component, (int)item->who), item);
}

void era_ledger_leave_line(struct era_ledger *l, struct era_item *item)
{
    era_ledger_list_drop(l, line_at(l, item->component, (int)item->who), item);
}

bool era_ledger_line_passed(const struct era_ledger *l, int component, int validator, uint64_t at,
                            uint64_t latest)
{
    uint64_t higher[2] = {0, 0};
    size_t n = 0;
    for (const struct era_item *i = era_ledger_line(l, component, validator); i && n < 2;
         i = era_ledger_item(l, i->list_next))
        if (i->seq > at && i->seq <= latest && (n == 0 || higher[0] != i->seq))
            higher[n++] = i->seq;
    return n == 2;
}

bool era_ledger_outran(const struct era_ledger *l, const struct era_verified *s)
{
    return era_kind_is_line(s->kind) &&
           era_ledger_line_passed(l, s->component, s->validator, era_ledger_seq_of(s->statement), UINT64_MAX);
}

enum era_verdict era_ledger_line_verdict(const struct era_ledger *l, int component, int validator,
                                         uint64_t at, uint64_t epoch, bool from_disk)
{
    /* One's own of a later epoch must be known after a clock went back, or that epoch would hear a second. */
    if (from_disk)
        return ERA_ACCEPTED;
    uint64_t latest = era_add_sat(epoch, 1);
    if (at > latest)
        return ERA_WRONG_EPOCH;
    return era_ledger_line_passed(l, component, validator, at, latest) ? ERA_DOMINATED : ERA_ACCEPTED;
}

static void prune_below(struct era_ledger *l, struct era_item *line, uint64_t epoch)
{
    for (struct era_item *i = line, *next; i; i = next) {
        next = era_ledger_item(l, i->list_next);
        if (!i->durable || i->seq >= epoch)
            continue;
        era_ledger_tell_deleted(l, i);
        era_ledger_item_free(l, i);
    }
}

void era_ledger_prune_line(struct era_ledger *l, int component, int validator)
{
    uint64_t first = 0, second = 0;
    bool some = false, more = false;
    if (!l->epoch_known) /* while the disk is read */
        return;
    struct era_item *line = era_ledger_line(l, component, validator);
    for (const struct era_item *i = line; i; i = era_ledger_item(l, i->list_next)) {
        /* What a clock that jumped left in the future outranks nothing of the present. */
        if (!i->durable || i->seq > era_add_sat(l->epoch, 1))
            continue;
        if (!some || i->seq > first) {
            second = first;
            more = some;
            first = i->seq;
            some = true;
        } else if (i->seq != first && (!more || i->seq > second)) {
            second = i->seq;
            more = true;
        }
    }
    if (more)
        prune_below(l, line, second);
}

void era_ledger_prune_lines(struct era_ledger *l, uint64_t epoch)
{
    for (size_t i = 0; i < era_ledger_line_count(l->charter); i++)
        prune_below(l, era_ledger_item(l, l->lines[i]), epoch);
}

size_t era_ledger_announced(const struct era_ledger *l, int validator, uint64_t epoch,
                            const struct era_item *out[ERA_SAID_MAX])
{
    size_t n = 0;
    for (const struct era_item *i = era_ledger_line(l, -1, validator); i && n < ERA_SAID_MAX;
         i = era_ledger_item(l, i->list_next))
        if (i->durable && i->seq == epoch)
            out[n++] = i;
    return n;
}

/* ---- checkpoints (P6) ---- */

static bool says(const struct era_ledger *l, const struct era_item *item, const struct era_hash *entry,
                 const char *digest, struct era_statement *scratch)
{
    return era_ledger_statement(l, item, scratch) && era_hash_eq(&scratch->u.checkpoint.entry, entry) &&
           strcmp(scratch->u.checkpoint.digest, digest) == 0;
}

uint64_t era_ledger_checkpoint_stake(const struct era_ledger *l, int component, uint64_t at,
                                     const struct era_hash *entry, const char *digest)
{
    struct era_statement *scratch = malloc(sizeof *scratch);
    uint64_t stake = 0;
    assert(scratch);
    for (size_t v = 0; v < l->charter->validator_count; v++) {
        bool some = false; /* a second digest counts too, its key only once for each (R8) */
        for (const struct era_item *i = era_ledger_line(l, component, (int)v); i && !some;
             i = era_ledger_item(l, i->list_next))
            some = i->durable && i->seq == at && says(l, i, entry, digest, scratch);
        stake += some ? l->charter->validators[v].stake : 0;
    }
    free(scratch);
    return stake;
}
