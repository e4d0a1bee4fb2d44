#include "src/core/view.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/semver.h"
#include "src/core/plan.h"

void era_view_at(const struct era_ledger *l, const struct era_plan *initial, int component, uint64_t epoch,
                 struct era_view *out)
{
    *out = (struct era_view){.component = component, .epoch = epoch, .plan = initial};
    out->head = era_ledger_head(l, component);
    if (out->head) {
        out->plan = out->head->plan;
        out->head_ref = (struct era_head_ref){.some = true,
                                              .charter_version = out->head->charter_version,
                                              .seq = out->head->seq,
                                              .proposal = out->head->proposal};
    }
    out->forked = era_ledger_forked(l, component, &out->void_seq);
    out->last = era_plan_current(out->plan, epoch);
    out->current = out->forked ? -1 : out->last;
}

const struct era_entry *era_view_entry(const struct era_view *v)
{
    return v->current < 0 ? NULL : &v->plan->entries[v->current];
}

/* What the digest says of one component: head and void marks above it, in slot order. A mark names the
 * slot alone: of three rivals different nodes may hold different pairs. */
struct digest_input {
    uint8_t *data;
    size_t len, cap;
};

static void put(struct digest_input *in, const void *data, size_t len)
{
    if (in->len + len > in->cap) {
        in->cap = 2 * (in->len + len);
        in->data = realloc(in->data, in->cap);
        assert(in->data);
    }
    memcpy(in->data + in->len, data, len);
    in->len += len;
}

static void put_u64(struct digest_input *in, uint64_t v)
{
    uint8_t be[8];
    era_put_be64(be, v);
    put(in, be, sizeof be);
}

static void put_component(struct digest_input *in, const struct era_ledger *l, int component)
{
    const struct era_adopted *head = era_ledger_head(l, component);
    size_t n = era_ledger_voids(l, component, NULL, 0);
    struct era_void *voids = calloc(n + 1, sizeof *voids);
    assert(voids);
    era_ledger_voids(l, component, voids, n);
    put_u64(in, head ? 1 : 0);
    if (head) {
        put_u64(in, head->charter_version);
        put_u64(in, head->seq);
        put(in, head->proposal.b, sizeof head->proposal.b);
    }
    while (n-- > 0) {
        put_u64(in, voids[n].charter_version);
        put_u64(in, voids[n].seq);
    }
    free(voids);
    put_u64(in, UINT64_MAX); /* end of the component */
}

struct era_hash era_view_digest(const struct era_ledger *l)
{
    static const char domain[] = "erad-view-v1";
    const struct era_charter *c = era_ledger_charter(l);
    struct digest_input in = {0};
    put(&in, domain, sizeof domain - 1);
    put(&in, c->hash.b, sizeof c->hash.b);
    for (size_t i = 0; i < c->component_count; i++)
        put_component(&in, l, (int)i);
    struct era_bytes all = {in.data, in.len};
    struct era_hash h = era_hash_parts(&all, 1);
    free(in.data);
    return h;
}

bool era_record_supported(const struct era_record *r, const struct era_versions *v, int *kind)
{
    for (int i = 0; i < ERA_VERSION_KINDS; i++) {
        if (!r->requires.v[i][0])
            continue;
        if (v->v[i][0] && era_range_match(r->requires.v[i], v->v[i]))
            continue;
        if (kind)
            *kind = i;
        return false;
    }
    return true;
}
