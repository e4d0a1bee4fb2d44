#include "proto/indexed.h"

#include <stdlib.h>
#include <string.h>

void *era_indexed_list(size_t count, size_t size)
{
    if (count == 0)
        return NULL;
    void *list = calloc(count, size);
    if (!list)
        abort();
    return list;
}

enum era_verdict era_indexed_read(struct era_bytes span, uint32_t key_count,
                                  struct era_indexed_signature *list, size_t *count)
{
    static const struct era_wire_shape shape = {.types = "ub", .required = 3};
    struct era_wire_value v[2];
    enum era_verdict verdict = era_wire_read(span, &shape, v);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    struct era_indexed_signature *to = &list[*count];
    to->key = (uint32_t)v[0].number;
    if (to->key >= key_count)
        return ERA_BAD_VALUE;
    if (*count > 0 && to[-1].key >= to->key)
        return to[-1].key == to->key ? ERA_DUPLICATE_KEY : ERA_NOT_CANONICAL;
    ++*count;
    return era_wire_fixed(v[1].span, to->signature.b, sizeof to->signature.b);
}

static void write_signature(struct era_wire_out *out, const void *message)
{
    const struct era_indexed_signature *s = message;
    era_wire_put_number(out, 1, s->key);
    era_wire_put_span(out, 2, (struct era_bytes){s->signature.b, sizeof s->signature.b});
}

void era_indexed_put(struct era_wire_out *out, uint32_t field, const struct era_indexed_signature *list,
                     size_t count)
{
    for (size_t i = 0; i < count; i++)
        era_wire_put_message(out, field, write_signature, &list[i]);
}

int era_span_cmp(struct era_bytes a, struct era_bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}
