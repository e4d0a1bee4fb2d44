#include "proto/control.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/wire.h"

/* One text of a message: its field number, its bound, where the struct keeps it. */
struct text {
    uint32_t field;
    size_t bytes_max;
    const char **at;
};

#define REQUEST_TEXTS  8
#define RESPONSE_TEXTS 5

static void request_texts(struct era_request *r, struct text out[REQUEST_TEXTS])
{
    const struct text texts[REQUEST_TEXTS] = {
        {2, ERA_NAME_BYTES_MAX, &r->verb},       {3, ERA_NAME_BYTES_MAX, &r->id},
        {4, ERA_NAME_BYTES_MAX, &r->component},  {5, ERA_TOPIC_BYTES_MAX, &r->topic},
        {6, ERA_TREE_PATH_BYTES_MAX, &r->path},  {7, ERA_NAME_BYTES_MAX, &r->artefact},
        {8, ERA_BUILDER_BYTES_MAX, &r->builder}, {9, ERA_DIGEST_BYTES_MAX, &r->source_digest},
    };
    memcpy(out, texts, sizeof texts);
}

static void response_texts(struct era_response *r, struct text out[RESPONSE_TEXTS])
{
    const struct text texts[RESPONSE_TEXTS] = {
        {2, ERA_NAME_BYTES_MAX, &r->code},          {3, ERA_CONTROL_TEXT_BYTES_MAX, &r->text},
        {4, ERA_CONTROL_TEXT_BYTES_MAX, &r->where}, {5, ERA_CONTROL_TEXT_BYTES_MAX, &r->cure},
        {6, ERA_CONTROL_BYTES_MAX, &r->json},
    };
    memcpy(out, texts, sizeof texts);
}

/* ---- reading ---- */

static enum era_verdict check_texts(const struct text *texts, size_t count,
                                    const struct era_wire_value *values, bool multiline)
{
    for (size_t i = 0; i < count; i++) {
        struct era_bytes span = values[texts[i].field - 1].span;
        if (span.len > texts[i].bytes_max)
            return ERA_OVERSIZED;
        if (span.len > 0 && !era_utf8_valid((const char *)span.data, span.len, multiline))
            return ERA_BAD_UTF8;
    }
    return ERA_ACCEPTED;
}

/* Copy all texts and the data into one block, so that the struct outlives its input. */
static void *own(const struct text *texts, size_t count, const struct era_wire_value *values,
                 struct era_bytes data, struct era_bytes *data_out)
{
    size_t size = data.len;
    for (size_t i = 0; i < count; i++)
        size += values[texts[i].field - 1].span.len + 1;
    char *block = malloc(size), *at = block;
    if (!block)
        abort();
    for (size_t i = 0; i < count; i++) {
        struct era_bytes span = values[texts[i].field - 1].span;
        if (span.len > 0)
            memcpy(at, span.data, span.len);
        at[span.len] = '\0';
        *texts[i].at = at;
        at += span.len + 1;
    }
    if (data.len > 0) {
        memcpy(at, data.data, data.len);
        *data_out = (struct era_bytes){(const uint8_t *)at, data.len};
    }
    return block;
}

static void empty_texts(const struct text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        *texts[i].at = "";
}

enum era_verdict era_request_decode(struct era_bytes in, struct era_request *out)
{
    static const struct era_wire_shape shape = {
        .types = "ubbbbbbbbnbf", .required = 0x03, .skip_unknown = true};
    struct era_wire_value v[12];
    struct text texts[REQUEST_TEXTS];
    memset(out, 0, sizeof *out);
    request_texts(out, texts);
    empty_texts(texts, REQUEST_TEXTS);
    if (in.len > ERA_CONTROL_BYTES_MAX)
        return ERA_OVERSIZED;
    enum era_verdict verdict = era_wire_read(in, &shape, v);
    if (verdict == ERA_ACCEPTED)
        verdict = check_texts(texts, REQUEST_TEXTS, v, false);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    if (v[1].span.len == 0)
        return ERA_BAD_VALUE;
    out->version = (uint32_t)v[0].number;
    out->has_number = v[9].there;
    out->number = v[9].number;
    out->urgent = v[11].number;
    out->owned = own(texts, REQUEST_TEXTS, v, v[10].span, &out->data);
    return ERA_ACCEPTED;
}

enum era_verdict era_response_decode(struct era_bytes in, struct era_response *out)
{
    static const struct era_wire_shape shape = {.types = "ubbbbbb", .required = 0x01, .skip_unknown = true};
    struct era_wire_value v[7];
    struct text texts[RESPONSE_TEXTS];
    memset(out, 0, sizeof *out);
    response_texts(out, texts);
    empty_texts(texts, RESPONSE_TEXTS);
    if (in.len > ERA_CONTROL_BYTES_MAX)
        return ERA_OVERSIZED;
    enum era_verdict verdict = era_wire_read(in, &shape, v);
    if (verdict == ERA_ACCEPTED)
        verdict = check_texts(texts, RESPONSE_TEXTS, v, true);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    out->status = (uint32_t)v[0].number;
    out->owned = own(texts, RESPONSE_TEXTS, v, v[6].span, &out->data);
    return ERA_ACCEPTED;
}

void era_request_clear(struct era_request *request)
{
    if (!request)
        return;
    free(request->owned);
    memset(request, 0, sizeof *request);
}

void era_response_clear(struct era_response *response)
{
    if (!response)
        return;
    free(response->owned);
    memset(response, 0, sizeof *response);
}

/* ---- writing ---- */

/* False when a text is above its bound: the other end would refuse it. */
static bool write_texts(struct era_wire_out *out, const struct text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = *texts[i].at ? *texts[i].at : "";
        if (strlen(text) > texts[i].bytes_max)
            return false;
        era_wire_put_optional(out, texts[i].field, text);
    }
    return true;
}

static bool write_request(struct era_wire_out *out, const void *message)
{
    struct era_request request = *(const struct era_request *)message;
    struct text texts[REQUEST_TEXTS];
    request_texts(&request, texts);
    era_wire_put_number(out, 1, request.version);
    if (!write_texts(out, texts, REQUEST_TEXTS))
        return false;
    if (request.has_number)
        era_wire_put_number(out, 10, request.number);
    if (request.data.len > 0)
        era_wire_put_span(out, 11, request.data);
    if (request.urgent)
        era_wire_put_number(out, 12, 1);
    return true;
}

static bool write_response(struct era_wire_out *out, const void *message)
{
    struct era_response response = *(const struct era_response *)message;
    struct text texts[RESPONSE_TEXTS];
    response_texts(&response, texts);
    era_wire_put_number(out, 1, response.status);
    if (!write_texts(out, texts, RESPONSE_TEXTS))
        return false;
    if (response.data.len > 0)
        era_wire_put_span(out, 7, response.data);
    return true;
}

static size_t encode(bool (*write)(struct era_wire_out *, const void *), const void *message, uint8_t **out)
{
    *out = NULL;
    struct era_wire_out measure = {0};
    if (!write(&measure, message) || measure.len > ERA_CONTROL_BYTES_MAX)
        return 0;
    struct era_wire_out wire = {.data = malloc(measure.len), .cap = measure.len};
    if (!wire.data)
        abort();
    write(&wire, message);
    *out = wire.data;
    return wire.len;
}

size_t era_request_encode(const struct era_request *request, uint8_t **out)
{
    assert(request->verb && request->verb[0] != '\0');
    return encode(write_request, request, out);
}

size_t era_response_encode(const struct era_response *response, uint8_t **out)
{
    return encode(write_response, response, out);
}
