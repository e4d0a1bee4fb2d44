/* Carriers (R6): one proposal and the signatures that approve and adopt it. */
#include <stdlib.h>
#include <string.h>

#include "proto/indexed.h"

enum carrier_field {
    FIELD_PROPOSAL = 1,
    FIELD_AUTHOR,
    FIELD_SIGNATURE,
    FIELD_APPROVALS,
    FIELD_READINESS,
    FIELD_ATTESTATIONS,
    FIELD_COUNT = FIELD_ATTESTATIONS
};

#define ATTESTATIONS_MAX ((size_t)ERA_VALIDATORS_MAX * ERA_ARTEFACTS_MAX)

/* First pass, before anything is allocated: order and number of the fields.
 * counts[field - 1].count is how often it is there. */
static enum era_verdict count_fields(struct era_bytes payload, struct era_wire_value counts[FIELD_COUNT])
{
    static const struct era_wire_shape shape = {.types = "bbbbbb", .required = 0x07, .repeated = 0x38};
    enum era_verdict verdict = era_wire_read(payload, &shape, counts);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    if (counts[FIELD_APPROVALS - 1].count > ERA_SIGNERS_MAX ||
        counts[FIELD_READINESS - 1].count > ERA_VALIDATORS_MAX ||
        counts[FIELD_ATTESTATIONS - 1].count > ATTESTATIONS_MAX)
        return ERA_OVERSIZED;
    return ERA_ACCEPTED;
}

static int attestation_cmp(const struct era_indexed_attestation *a, const struct era_indexed_attestation *b)
{
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return era_span_cmp(a->payload, b->payload);
}

static enum era_verdict read_attestation(struct era_bytes span, struct era_carrier *out)
{
    static const struct era_wire_shape shape = {.types = "ubb", .required = 7};
    struct era_wire_value v[3];
    enum era_verdict verdict = era_wire_read(span, &shape, v);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    struct era_indexed_attestation *to = &out->attestations[out->attestation_count];
    to->key = (uint32_t)v[0].number;
    to->payload = v[2].span;
    if (to->payload.len > ERA_LOOSE_BYTES_MAX)
        return ERA_OVERSIZED;
    if (to->key >= ERA_VALIDATORS_MAX)
        return ERA_BAD_VALUE;
    int order = out->attestation_count > 0 ? attestation_cmp(&to[-1], to) : -1;
    if (order >= 0)
        return order == 0 ? ERA_DUPLICATE_KEY : ERA_NOT_CANONICAL;
    out->attestation_count++;
    return era_wire_fixed(v[1].span, to->signature.b, sizeof to->signature.b);
}

static enum era_verdict read_field(uint32_t field, struct era_bytes span, struct era_carrier *out)
{
    switch ((enum carrier_field)field) {
    case FIELD_PROPOSAL:
        out->proposal = span;
        return span.len <= ERA_LOOSE_BYTES_MAX ? ERA_ACCEPTED : ERA_OVERSIZED;
    case FIELD_AUTHOR:
        return era_wire_fixed(span, out->author.b, sizeof out->author.b);
    case FIELD_SIGNATURE:
        return era_wire_fixed(span, out->signature.b, sizeof out->signature.b);
    case FIELD_APPROVALS:
        return era_indexed_read(span, ERA_SIGNERS_MAX, out->approvals, &out->approval_count);
    case FIELD_READINESS:
        return era_indexed_read(span, ERA_VALIDATORS_MAX, out->readiness, &out->readiness_count);
    case FIELD_ATTESTATIONS:
        return read_attestation(span, out);
    }
    return ERA_NOT_CANONICAL;
}

enum era_verdict era_carrier_decode(struct era_bytes payload, struct era_carrier *out)
{
    memset(out, 0, sizeof *out);
    if (payload.len > ERA_STATEMENT_BYTES_MAX)
        return ERA_OVERSIZED;
    struct era_wire_value counts[FIELD_COUNT];
    enum era_verdict verdict = count_fields(payload, counts);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    out->approvals = era_indexed_list(counts[FIELD_APPROVALS - 1].count, sizeof *out->approvals);
    out->readiness = era_indexed_list(counts[FIELD_READINESS - 1].count, sizeof *out->readiness);
    out->attestations = era_indexed_list(counts[FIELD_ATTESTATIONS - 1].count, sizeof *out->attestations);
    struct era_wire_in wire = era_wire_open(payload);
    struct era_wire_value value;
    uint32_t field;
    while (verdict == ERA_ACCEPTED && era_wire_next(&wire, &field, &value))
        verdict = read_field(field, value.span, out);
    if (verdict != ERA_ACCEPTED)
        era_carrier_clear(out);
    return verdict;
}

void era_carrier_clear(struct era_carrier *c)
{
    if (!c)
        return;
    free(c->approvals);
    free(c->readiness);
    free(c->attestations);
    memset(c, 0, sizeof *c);
}

static void write_attestation(struct era_wire_out *out, const void *message)
{
    const struct era_indexed_attestation *a = message;
    era_wire_put_number(out, 1, a->key);
    era_wire_put_span(out, 2, (struct era_bytes){a->signature.b, sizeof a->signature.b});
    era_wire_put_span(out, 3, a->payload);
}

static void write_carrier(struct era_wire_out *out, const struct era_carrier *c)
{
    era_wire_put_span(out, FIELD_PROPOSAL, c->proposal);
    era_wire_put_span(out, FIELD_AUTHOR, (struct era_bytes){c->author.b, sizeof c->author.b});
    era_wire_put_span(out, FIELD_SIGNATURE, (struct era_bytes){c->signature.b, sizeof c->signature.b});
    era_indexed_put(out, FIELD_APPROVALS, c->approvals, c->approval_count);
    era_indexed_put(out, FIELD_READINESS, c->readiness, c->readiness_count);
    for (size_t i = 0; i < c->attestation_count; i++)
        era_wire_put_message(out, FIELD_ATTESTATIONS, write_attestation, &c->attestations[i]);
}

size_t era_carrier_bytes(const struct era_carrier *c)
{
    struct era_wire_out measure = {0};
    write_carrier(&measure, c);
    return measure.len;
}

size_t era_carrier_encode(const struct era_carrier *c, uint8_t *out, size_t cap)
{
    struct era_wire_out wire = {.data = out, .cap = cap};
    write_carrier(&wire, c);
    return era_wire_done(&wire);
}
