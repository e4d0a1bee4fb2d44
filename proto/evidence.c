/* Evidence (R8): one key, one place, two statements. */
#include <string.h>

#include "proto/indexed.h"

enum evidence_field {
    FIELD_KIND = 1,
    FIELD_KEY,
    FIELD_FIRST,
    FIELD_FIRST_SIGNATURE,
    FIELD_SECOND,
    FIELD_SECOND_SIGNATURE,
    FIELD_COUNT = FIELD_SECOND_SIGNATURE
};

static bool is_signed(uint64_t kind)
{
    return kind >= ERA_KIND_PROPOSAL && kind <= ERA_KIND_CHARTER_APPROVE;
}

enum era_verdict era_evidence_decode(struct era_bytes payload, struct era_evidence *out)
{
    static const struct era_wire_shape shape = {.types = "ubbbbb", .required = 0x3f};
    struct era_wire_value v[FIELD_COUNT];
    memset(out, 0, sizeof *out);
    if (payload.len > ERA_STATEMENT_BYTES_MAX)
        return ERA_OVERSIZED;
    enum era_verdict verdict = era_wire_read(payload, &shape, v);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    out->payloads[0] = v[FIELD_FIRST - 1].span;
    out->payloads[1] = v[FIELD_SECOND - 1].span;
    for (int i = 0; i < 2; i++)
        if (out->payloads[i].len > ERA_LOOSE_BYTES_MAX)
            return ERA_OVERSIZED;
    if (!is_signed(v[FIELD_KIND - 1].number))
        return ERA_BAD_VALUE;
    out->kind = (uint32_t)v[FIELD_KIND - 1].number;
    verdict = era_wire_fixed(v[FIELD_KEY - 1].span, out->key.b, sizeof out->key.b);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    verdict = era_wire_fixed(v[FIELD_FIRST_SIGNATURE - 1].span, out->signatures[0].b, ERA_SIGNATURE_BYTES);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    verdict = era_wire_fixed(v[FIELD_SECOND_SIGNATURE - 1].span, out->signatures[1].b, ERA_SIGNATURE_BYTES);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    /* Said twice is not two statements. */
    return era_span_cmp(out->payloads[0], out->payloads[1]) < 0 ? ERA_ACCEPTED : ERA_NOT_CANONICAL;
}

static void write_evidence(struct era_wire_out *out, const struct era_evidence *e)
{
    era_wire_put_number(out, FIELD_KIND, e->kind);
    era_wire_put_span(out, FIELD_KEY, (struct era_bytes){e->key.b, sizeof e->key.b});
    era_wire_put_span(out, FIELD_FIRST, e->payloads[0]);
    era_wire_put_span(out, FIELD_FIRST_SIGNATURE,
                      (struct era_bytes){e->signatures[0].b, ERA_SIGNATURE_BYTES});
    era_wire_put_span(out, FIELD_SECOND, e->payloads[1]);
    era_wire_put_span(out, FIELD_SECOND_SIGNATURE,
                      (struct era_bytes){e->signatures[1].b, ERA_SIGNATURE_BYTES});
}

size_t era_evidence_bytes(const struct era_evidence *e)
{
    struct era_wire_out measure = {0};
    write_evidence(&measure, e);
    return measure.len;
}

size_t era_evidence_encode(const struct era_evidence *e, uint8_t *out, size_t cap)
{
    struct era_wire_out wire = {.data = out, .cap = cap};
    write_evidence(&wire, e);
    return era_wire_done(&wire);
}

struct era_hash era_evidence_place(const struct era_key *key, uint32_t kind, const char *component,
                                   uint64_t charter_version, uint64_t seq)
{
    static const char domain[] = "erad-evidence-v1";
    uint8_t number[4], len[4], version[8], at[8];
    const struct era_bytes name = {(const uint8_t *)component, strlen(component)};
    era_put_be32(number, kind);
    era_put_be32(len, (uint32_t)name.len);
    era_put_be64(version, charter_version);
    era_put_be64(at, seq);
    const struct era_bytes parts[] = {{(const uint8_t *)domain, sizeof domain - 1},
                                      {key->b, ERA_KEY_BYTES},
                                      {number, sizeof number},
                                      {len, sizeof len},
                                      name,
                                      {version, sizeof version},
                                      {at, sizeof at}};
    return era_hash_parts(parts, sizeof parts / sizeof parts[0]);
}
