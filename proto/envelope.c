#include <string.h>

#include "proto/statement.h"
#include "proto/wire.h"

/* From here on kinds are carriers: unsigned, what they carry is signed (R6).
 * Holds for kinds not known yet, too. */
#define KIND_CARRIERS 32

static bool is_signed(uint32_t kind)
{
    return kind < KIND_CARRIERS;
}

enum era_verdict era_envelope_decode(struct era_bytes in, struct era_envelope *out)
{
    static const struct era_wire_shape shape = {.types = "ubbb", .required = 3};
    memset(out, 0, sizeof *out);
    if (in.len > ERA_STATEMENT_BYTES_MAX)
        return ERA_OVERSIZED;
    struct era_wire_value v[4];
    enum era_verdict verdict = era_wire_read(in, &shape, v);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    uint32_t kind = (uint32_t)v[0].number;
    if (is_signed(kind)) {
        if (!v[2].there || !v[3].there)
            return ERA_MALFORMED;
        verdict = era_wire_fixed(v[2].span, out->key.b, sizeof out->key.b);
        if (verdict == ERA_ACCEPTED)
            verdict = era_wire_fixed(v[3].span, out->signature.b, sizeof out->signature.b);
        if (verdict != ERA_ACCEPTED)
            return verdict;
    } else if (v[2].there || v[3].there) {
        return ERA_NOT_CANONICAL;
    }
    out->kind = kind;
    out->payload = v[1].span;
    return ERA_ACCEPTED;
}

static void write_envelope(struct era_wire_out *out, const struct era_envelope *e)
{
    era_wire_put_number(out, 1, e->kind);
    era_wire_put_span(out, 2, e->payload);
    if (is_signed(e->kind)) {
        era_wire_put_span(out, 3, (struct era_bytes){e->key.b, sizeof e->key.b});
        era_wire_put_span(out, 4, (struct era_bytes){e->signature.b, sizeof e->signature.b});
    }
}

size_t era_envelope_bytes(const struct era_envelope *e)
{
    struct era_wire_out measure = {0};
    write_envelope(&measure, e);
    return measure.len;
}

size_t era_envelope_encode(const struct era_envelope *e, uint8_t *out, size_t cap)
{
    struct era_wire_out wire = {.data = out, .cap = cap};
    write_envelope(&wire, e);
    return era_wire_done(&wire);
}
