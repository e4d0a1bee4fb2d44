/* The certificate of a charter (R10): approvals of both charters' signers,
 * accepts of the new validators, closes of the old ones. */
#include <stdlib.h>
#include <string.h>

#include "proto/indexed.h"

enum certificate_field {
    FIELD_CHARTER = 1,
    FIELD_OLD_APPROVALS,
    FIELD_NEW_APPROVALS,
    FIELD_ACCEPTS,
    FIELD_CLOSES,
    FIELD_COUNT = FIELD_CLOSES
};

enum group_field { GROUP_PAYLOAD = 1, GROUP_SIGNATURES, GROUP_COUNT = GROUP_SIGNATURES };

/* What has closed so far: a key stands in one group only. */
struct closed {
    uint8_t keys[(ERA_VALIDATORS_MAX + 7) / 8];
    size_t count;
};

/* First pass, before anything is allocated, as for carriers. A group holds at least one key, and a key stands
 * in one group: so there are at most as many groups as validators. */
static enum era_verdict count_fields(struct era_bytes payload, struct era_wire_value counts[FIELD_COUNT])
{
    static const struct era_wire_shape shape = {.types = "bbbbb", .required = 0x01, .repeated = 0x1e};
    enum era_verdict verdict = era_wire_read(payload, &shape, counts);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    if (counts[FIELD_OLD_APPROVALS - 1].count > ERA_SIGNERS_MAX ||
        counts[FIELD_NEW_APPROVALS - 1].count > ERA_SIGNERS_MAX ||
        counts[FIELD_ACCEPTS - 1].count > ERA_VALIDATORS_MAX ||
        counts[FIELD_CLOSES - 1].count > ERA_VALIDATORS_MAX)
        return ERA_OVERSIZED;
    return ERA_ACCEPTED;
}

static enum era_verdict mark_closed(struct closed *closed, uint32_t key)
{
    uint8_t bit = (uint8_t)(1u << (key & 7));
    if (closed->keys[key >> 3] & bit)
        return ERA_DUPLICATE_KEY;
    closed->keys[key >> 3] |= bit;
    closed->count++;
    return ERA_ACCEPTED;
}

/* Appends, also a group that is refused half-way: clear frees it. */
static enum era_verdict read_group(struct era_bytes span, struct closed *closed,
                                   struct era_charter_certificate *out)
{
    static const struct era_wire_shape shape = {.types = "bb", .required = 0x01, .repeated = 0x02};
    struct era_wire_value counts[GROUP_COUNT], value;
    enum era_verdict verdict = era_wire_read(span, &shape, counts);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    size_t signatures = counts[GROUP_SIGNATURES - 1].count;
    if (signatures > ERA_VALIDATORS_MAX - closed->count ||
        counts[GROUP_PAYLOAD - 1].span.len > ERA_LOOSE_BYTES_MAX)
        return ERA_OVERSIZED;
    if (signatures == 0)
        return ERA_NOT_CANONICAL;
    struct era_close_group *to = &out->closes[out->close_count];
    to->payload = counts[GROUP_PAYLOAD - 1].span;
    if (out->close_count > 0 && era_span_cmp(to[-1].payload, to->payload) >= 0)
        return ERA_NOT_CANONICAL;
    to->signatures = era_indexed_list(signatures, sizeof *to->signatures);
    out->close_count++;
    struct era_wire_in wire = era_wire_open(span);
    uint32_t field;
    while (verdict == ERA_ACCEPTED && era_wire_next(&wire, &field, &value)) {
        if (field != GROUP_SIGNATURES)
            continue;
        verdict = era_indexed_read(value.span, ERA_VALIDATORS_MAX, to->signatures, &to->count);
        if (verdict == ERA_ACCEPTED)
            verdict = mark_closed(closed, to->signatures[to->count - 1].key);
    }
    return verdict;
}

static enum era_verdict read_field(uint32_t field, struct era_bytes span, struct closed *closed,
                                   struct era_charter_certificate *out)
{
    switch ((enum certificate_field)field) {
    case FIELD_CHARTER:
        out->charter = span;
        return span.len <= ERA_CHARTER_STATEMENT_BYTES_MAX ? ERA_ACCEPTED : ERA_OVERSIZED;
    case FIELD_OLD_APPROVALS:
        return era_indexed_read(span, ERA_SIGNERS_MAX, out->old_approvals, &out->old_approval_count);
    case FIELD_NEW_APPROVALS:
        return era_indexed_read(span, ERA_SIGNERS_MAX, out->new_approvals, &out->new_approval_count);
    case FIELD_ACCEPTS:
        return era_indexed_read(span, ERA_VALIDATORS_MAX, out->accepts, &out->accept_count);
    case FIELD_CLOSES:
        return read_group(span, closed, out);
    }
    return ERA_NOT_CANONICAL;
}

enum era_verdict era_charter_certificate_decode(struct era_bytes payload, struct era_charter_certificate *out)
{
    memset(out, 0, sizeof *out);
    if (payload.len > ERA_STATEMENT_BYTES_MAX)
        return ERA_OVERSIZED;
    struct era_wire_value counts[FIELD_COUNT], value;
    enum era_verdict verdict = count_fields(payload, counts);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    out->old_approvals = era_indexed_list(counts[FIELD_OLD_APPROVALS - 1].count, sizeof *out->old_approvals);
    out->new_approvals = era_indexed_list(counts[FIELD_NEW_APPROVALS - 1].count, sizeof *out->new_approvals);
    out->accepts = era_indexed_list(counts[FIELD_ACCEPTS - 1].count, sizeof *out->accepts);
    out->closes = era_indexed_list(counts[FIELD_CLOSES - 1].count, sizeof *out->closes);
    struct closed closed = {.count = 0};
    struct era_wire_in wire = era_wire_open(payload);
    uint32_t field;
    while (verdict == ERA_ACCEPTED && era_wire_next(&wire, &field, &value))
        verdict = read_field(field, value.span, &closed, out);
    if (verdict != ERA_ACCEPTED)
        era_charter_certificate_clear(out);
    return verdict;
}

void era_charter_certificate_clear(struct era_charter_certificate *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->close_count; i++)
        free(c->closes[i].signatures);
    free(c->old_approvals);
    free(c->new_approvals);
    free(c->accepts);
    free(c->closes);
    memset(c, 0, sizeof *c);
}

static void write_group(struct era_wire_out *out, const void *message)
{
    const struct era_close_group *g = message;
    era_wire_put_span(out, GROUP_PAYLOAD, g->payload);
    era_indexed_put(out, GROUP_SIGNATURES, g->signatures, g->count);
}

static void write_certificate(struct era_wire_out *out, const struct era_charter_certificate *c)
{
    era_wire_put_span(out, FIELD_CHARTER, c->charter);
    era_indexed_put(out, FIELD_OLD_APPROVALS, c->old_approvals, c->old_approval_count);
    era_indexed_put(out, FIELD_NEW_APPROVALS, c->new_approvals, c->new_approval_count);
    era_indexed_put(out, FIELD_ACCEPTS, c->accepts, c->accept_count);
    for (size_t i = 0; i < c->close_count; i++)
        era_wire_put_message(out, FIELD_CLOSES, write_group, &c->closes[i]);
}

size_t era_charter_certificate_bytes(const struct era_charter_certificate *c)
{
    struct era_wire_out measure = {0};
    write_certificate(&measure, c);
    return measure.len;
}

size_t era_charter_certificate_encode(const struct era_charter_certificate *c, uint8_t *out, size_t cap)
{
    struct era_wire_out wire = {.data = out, .cap = cap};
    write_certificate(&wire, c);
    return era_wire_done(&wire);
}
