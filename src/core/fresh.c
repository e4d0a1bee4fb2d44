#include "src/core/fresh.h"

#include <assert.h>
#include <stdlib.h>

#include "src/core/charter.h"

void era_fresh_clear(struct era_fresh *f)
{
    free(f->is);
    *f = (struct era_fresh){0};
}

void era_fresh_forget(struct era_fresh *f)
{
    f->ledger = NULL;
}

static void judge(struct era_fresh *f, size_t validator)
{
    if (f->is[validator] || !era_ledger_fresh(f->ledger, (int)validator, f->least_epoch))
        return;
    f->is[validator] = true;
    f->stake += era_ledger_charter(f->ledger)->validators[validator].stake;
}

uint64_t era_fresh_stake(struct era_fresh *f, const struct era_ledger *l, uint64_t least_epoch)
{
    size_t count = era_ledger_charter(l)->validator_count;
    if (f->ledger == l && f->least_epoch == least_epoch)
        return f->stake;
    free(f->is);
    *f = (struct era_fresh){l, least_epoch, 0, calloc(count + 1, sizeof *f->is)};
    assert(f->is);
    for (size_t v = 0; v < count; v++)
        judge(f, v);
    return f->stake;
}

void era_fresh_announced(struct era_fresh *f, const struct era_ledger *l, int validator)
{
    if (f->ledger == l)
        judge(f, (size_t)validator);
    else
        era_fresh_forget(f); /* an older charter's, whose word may count here */
}
