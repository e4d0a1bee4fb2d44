#include "proto/wire.h"

#include <assert.h>
#include <string.h>

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_SPAN = 2, WIRE_FIXED32 = 5 };

#define WIRE_FIELD_MAX 536870911u /* protobuf's own limit: 29 bits */

struct era_wire_in era_wire_open(struct era_bytes in)
{
    if (in.len == 0)
        return (struct era_wire_in){.verdict = ERA_ACCEPTED};
    return (struct era_wire_in){.at = in.data, .end = in.data + in.len, .verdict = ERA_ACCEPTED};
}

static void fail(struct era_wire_in *in, enum era_verdict verdict)
{
    in->verdict = verdict;
    in->at = in->end;
}

/* The shortest form only: a last byte of zero would be an overlong one. */
static uint64_t varint(struct era_wire_in *in)
{
    uint64_t value = 0;
    for (unsigned shift = 0; in->at < in->end; shift += 7) {
        uint8_t byte = *in->at++;
        if (shift == 63 && byte > 1) {
            fail(in, ERA_MALFORMED);
            return 0;
        }
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte & 0x80)
            continue;
        if (byte == 0 && shift > 0) {
            fail(in, ERA_NOT_CANONICAL);
            return 0;
        }
        return value;
    }
    fail(in, ERA_TRUNCATED);
    return 0;
}

static struct era_bytes take(struct era_wire_in *in, uint64_t len)
{
    if (in->verdict != ERA_ACCEPTED)
        return (struct era_bytes){0};
    if (len > (uint64_t)(in->end - in->at)) {
        fail(in, ERA_TRUNCATED);
        return (struct era_bytes){0};
    }
    struct era_bytes span = {in->at, (size_t)len};
    in->at += len;
    return span;
}

bool era_wire_next(struct era_wire_in *in, uint32_t *field, struct era_wire_value *out)
{
    *out = (struct era_wire_value){0};
    if (in->verdict != ERA_ACCEPTED || in->at == in->end)
        return false;
    uint64_t tag = varint(in);
    if (in->verdict != ERA_ACCEPTED)
        return false;
    if (tag >> 3 == 0 || tag >> 3 > WIRE_FIELD_MAX) {
        fail(in, ERA_MALFORMED);
        return false;
    }
    *field = (uint32_t)(tag >> 3);
    switch (tag & 7) {
    case WIRE_VARINT:
        out->number = varint(in);
        break;
    case WIRE_FIXED64:
        out->type = ERA_WIRE_FIXED;
        take(in, 8);
        break;
    case WIRE_SPAN:
        out->type = ERA_WIRE_SPAN;
        out->span = take(in, varint(in));
        break;
    case WIRE_FIXED32:
        out->type = ERA_WIRE_FIXED;
        take(in, 4);
        break;
    default: /* groups: recursive, and no message of erad has them */
        fail(in, ERA_MALFORMED);
    }
    out->there = in->verdict == ERA_ACCEPTED;
    return out->there;
}

static enum era_verdict check_type(char type, const struct era_wire_value *value)
{
    if (value->type != (type == 'b' ? ERA_WIRE_SPAN : ERA_WIRE_NUMBER))
        return ERA_MALFORMED;
    if (type == 'u' && value->number > UINT32_MAX)
        return ERA_BAD_VALUE;
    if (type == 'f' && value->number > 1)
        return ERA_NOT_CANONICAL;
    return ERA_ACCEPTED;
}

enum era_verdict era_wire_read(struct era_bytes in, const struct era_wire_shape *shape,
                               struct era_wire_value *values)
{
    size_t count = strlen(shape->types);
    assert(count <= ERA_WIRE_FIELDS_MAX);
    memset(values, 0, count * sizeof *values);
    struct era_wire_in wire = era_wire_open(in);
    struct era_wire_value value;
    uint32_t field, last = 0, seen = 0;
    while (era_wire_next(&wire, &field, &value)) {
        if (field > count) {
            if (!shape->skip_unknown)
                return ERA_NOT_CANONICAL;
            continue;
        }
        enum era_verdict verdict = check_type(shape->types[field - 1], &value);
        if (verdict != ERA_ACCEPTED)
            return verdict;
        uint32_t bit = 1u << (field - 1);
        if (field < last || (field == last && !(shape->repeated & bit)))
            return ERA_NOT_CANONICAL;
        last = field;
        seen |= bit;
        value.count = values[field - 1].count + 1;
        values[field - 1] = value;
    }
    if (wire.verdict != ERA_ACCEPTED)
        return wire.verdict;
    return (seen & shape->required) == shape->required ? ERA_ACCEPTED : ERA_MALFORMED;
}

enum era_verdict era_wire_fixed(struct era_bytes span, uint8_t *out, size_t want)
{
    if (span.len != want)
        return ERA_BAD_VALUE;
    memcpy(out, span.data, want);
    return ERA_ACCEPTED;
}

enum era_verdict era_wire_text(struct era_bytes span, char *out, size_t size, bool multiline)
{
    out[0] = '\0';
    if (span.len >= size)
        return ERA_OVERSIZED;
    if (span.len == 0)
        return ERA_ACCEPTED;
    if (!era_utf8_valid((const char *)span.data, span.len, multiline))
        return ERA_BAD_UTF8;
    memcpy(out, span.data, span.len);
    out[span.len] = '\0';
    return ERA_ACCEPTED;
}

static void put(struct era_wire_out *out, const uint8_t *data, size_t len)
{
    if (len > 0 && out->len <= out->cap && len <= out->cap - out->len)
        memcpy(out->data + out->len, data, len);
    out->len += len;
}

static void put_varint(struct era_wire_out *out, uint64_t value)
{
    uint8_t bytes[10];
    size_t len = 0;
    for (; value > 0x7F; value >>= 7)
        bytes[len++] = (uint8_t)(value | 0x80);
    bytes[len++] = (uint8_t)value;
    put(out, bytes, len);
}

void era_wire_put_number(struct era_wire_out *out, uint32_t field, uint64_t number)
{
    put_varint(out, (uint64_t)field << 3 | WIRE_VARINT);
    put_varint(out, number);
}

static void put_head(struct era_wire_out *out, uint32_t field, size_t len)
{
    put_varint(out, (uint64_t)field << 3 | WIRE_SPAN);
    put_varint(out, len);
}

void era_wire_put_span(struct era_wire_out *out, uint32_t field, struct era_bytes span)
{
    put_head(out, field, span.len);
    put(out, span.data, span.len);
}

void era_wire_put_message(struct era_wire_out *out, uint32_t field, era_wire_write *write,
                          const void *message)
{
    struct era_wire_out measure = {0};
    write(&measure, message);
    put_head(out, field, measure.len);
    write(out, message);
}

void era_wire_put_text(struct era_wire_out *out, uint32_t field, const char *text)
{
    era_wire_put_span(out, field, (struct era_bytes){(const uint8_t *)text, strlen(text)});
}

void era_wire_put_optional(struct era_wire_out *out, uint32_t field, const char *text)
{
    if (text[0] != '\0')
        era_wire_put_text(out, field, text);
}

size_t era_wire_done(const struct era_wire_out *out)
{
    return out->len <= out->cap ? out->len : 0;
}
