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
static struct item **line_at(const struct era_ledger *l, int component, int validator)
{
    return &l->lines[l->charter->validator_count * (size_t)(component + 1) + (size_t)validator];
}

struct item *era_ledger_line(const struct era_ledger *l, int component, int validator)
{
    return *line_at(l, component, validator);
}

void era_ledger_enter_line(struct era_ledger *l, struct item *item)
{
    struct item **first = line_at(l, item->pub.component, item->pub.validator);
    item->line_next = *first;
    *first = item;
}

void era_ledger_leave_line(struct era_ledger *l, struct item *item)
{
    struct item **at = line_at(l, item->pub.component, item->pub.validator);
    while (*at != item)
        at = &(*at)->line_next;
    *at = item->line_next;
}

bool era_ledger_line_passed(const struct era_ledger *l, int component, int validator, uint64_t at,
                            uint64_t latest)
{
    uint64_t higher[2] = {0, 0};
    size_t n = 0;
    for (const struct item *i = era_ledger_line(l, component, validator); i && n < 2; i = i->line_next)
        if (i->pub.seq > at && i->pub.seq <= latest && (n == 0 || higher[0] != i->pub.seq))
            higher[n++] = i->pub.seq;
    return n == 2;
}

bool era_ledger_outran(const struct era_ledger *l, const struct era_verified *s)
{
    struct place_key k;
    if (!era_kind_is_line(s->kind))
        return false;
    era_ledger_place_key(s, &k);
    return era_ledger_line_passed(l, s->component, s->validator, k.seq, UINT64_MAX);
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

static void prune_below(struct era_ledger *l, struct item *line, uint64_t epoch)
{
    for (struct item *i = line, *next; i; i = next) {
        next = i->line_next;
        if (!i->pub.durable || i->pub.seq >= epoch)
            continue;
        era_ledger_tell_deleted(l, &i->pub);
        era_ledger_item_free(l, i);
    }
}

void era_ledger_prune_line(struct era_ledger *l, int component, int validator)
{
    uint64_t first = 0, second = 0;
    bool some = false, more = false;
    if (!l->epoch_known) /* while the disk is read */
        return;
    struct item *line = era_ledger_line(l, component, validator);
    for (const struct item *i = line; i; i = i->line_next) {
        /* What a clock that jumped left in the future outranks nothing of the present. */
        if (!i->pub.durable || i->pub.seq > era_add_sat(l->epoch, 1))
            continue;
        if (!some || i->pub.seq > first) {
            second = first;
            more = some;
            first = i->pub.seq;
            some = true;
        } else if (i->pub.seq != first && (!more || i->pub.seq > second)) {
            second = i->pub.seq;
            more = true;
        }
    }
    if (more)
        prune_below(l, line, second);
}

void era_ledger_prune_lines(struct era_ledger *l, uint64_t epoch)
{
    for (size_t i = 0; i < era_ledger_line_count(l->charter); i++)
        prune_below(l, l->lines[i], epoch);
}

size_t era_ledger_announced(const struct era_ledger *l, int validator, uint64_t epoch,
                            const struct era_item *out[ERA_SAID_MAX])
{
    size_t n = 0;
    for (const struct item *i = era_ledger_line(l, -1, validator); i && n < ERA_SAID_MAX; i = i->line_next)
        if (i->pub.durable && i->pub.seq == epoch)
            out[n++] = &i->pub;
    return n;
}

/* ---- checkpoints (P6) ---- */

static bool says(const struct era_item *item, const struct era_hash *entry, const char *digest,
                 struct era_statement *scratch)
{
    struct era_envelope e;
    enum era_verdict v = era_envelope_decode(item->envelope, &e);
    assert(v == ERA_ACCEPTED);
    v = era_statement_decode(e.kind, e.payload, scratch);
    assert(v == ERA_ACCEPTED); /* verified before */
    return era_hash_eq(&scratch->u.checkpoint.entry, entry) &&
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
        for (const struct item *i = era_ledger_line(l, component, (int)v); i && !some; i = i->line_next)
            some = i->pub.durable && i->pub.seq == at && says(&i->pub, entry, digest, scratch);
        stake += some ? l->charter->validators[v].stake : 0;
    }
    free(scratch);
    return stake;
}
