#include "proto/frame_peers.h"

#include <string.h>

enum era_verdict era_neighbour_read(struct era_bytes in, enum era_neighbour_word *out)
{
    static const struct era_wire_shape shape = {.types = "u", .required = 1, .skip_unknown = true};
    struct era_wire_value v[1];
    enum era_verdict verdict = era_wire_read(in, &shape, v);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    *out = (enum era_neighbour_word)v[0].number;
    return ERA_ACCEPTED;
}

static enum era_verdict read_record(struct era_bytes in, struct era_peer_record *out)
{
    static const struct era_wire_shape shape = {.types = "bbunb", .required = 0x1F, .skip_unknown = true};
    struct era_wire_value v[5];
    enum era_verdict verdict = era_wire_read(in, &shape, v);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    struct era_bytes ip = v[1].span;
    *out = (struct era_peer_record){.made_ms = v[3].number};
    if ((ip.len != 4 && ip.len != ERA_IP_BYTES_MAX) || v[2].number > UINT16_MAX)
        return ERA_BAD_VALUE;
    out->place.len = (uint8_t)ip.len;
    memcpy(out->place.ip, ip.data, ip.len);
    out->place.port = (uint16_t)v[2].number;
    verdict = era_wire_fixed(v[0].span, out->node.b, sizeof out->node.b);
    if (verdict == ERA_ACCEPTED)
        verdict = era_wire_fixed(v[4].span, out->signature.b, sizeof out->signature.b);
    return verdict;
}

enum era_verdict era_walk_read(struct era_bytes in, struct era_peer_walk *out)
{
    static const struct era_wire_shape shape = {.types = "ub", .required = 3, .skip_unknown = true};
    struct era_wire_value v[2];
    enum era_verdict verdict = era_wire_read(in, &shape, v);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    out->hops = (uint32_t)v[0].number;
    return out->hops > ERA_OVERLAY_WALK_HOPS ? ERA_BAD_VALUE : read_record(v[1].span, &out->joiner);
}

#define SHUFFLE_RECORDS 2 /* field number */

enum era_verdict era_shuffle_read(struct era_bytes in, struct era_peer_shuffle *out)
{
    static const struct era_wire_shape shape = {
        .types = "fb", .required = 1, .repeated = 2, .skip_unknown = true};
    struct era_wire_value v[2];
    enum era_verdict verdict = era_wire_read(in, &shape, v);
    if (verdict != ERA_ACCEPTED)
        return verdict;
    if (v[SHUFFLE_RECORDS - 1].count > ERA_OVERLAY_SHUFFLE_MAX)
        return ERA_OVERSIZED;
    out->reply = v[0].number;
    out->count = 0;
    struct era_wire_in wire = era_wire_open(in);
    struct era_wire_value value;
    uint32_t field;
    while (verdict == ERA_ACCEPTED && era_wire_next(&wire, &field, &value))
        if (field == SHUFFLE_RECORDS)
            verdict = read_record(value.span, &out->records[out->count++]);
    return verdict;
}

/* ---- writing ---- */

void era_neighbour_write(struct era_wire_out *out, const void *word)
{
    era_wire_put_number(out, 1, *(const enum era_neighbour_word *)word);
}

static void write_record(struct era_wire_out *out, const void *message)
{
    const struct era_peer_record *r = message;
    era_wire_put_span(out, 1, (struct era_bytes){r->node.b, sizeof r->node.b});
    era_wire_put_span(out, 2, (struct era_bytes){r->place.ip, r->place.len});
    era_wire_put_number(out, 3, r->place.port);
    era_wire_put_number(out, 4, r->made_ms);
    era_wire_put_span(out, 5, (struct era_bytes){r->signature.b, sizeof r->signature.b});
}

void era_walk_write(struct era_wire_out *out, const void *message)
{
    const struct era_peer_walk *walk = message;
    era_wire_put_number(out, 1, walk->hops);
    era_wire_put_message(out, 2, write_record, &walk->joiner);
}

void era_shuffle_write(struct era_wire_out *out, const void *message)
{
    const struct era_peer_shuffle *shuffle = message;
    era_wire_put_number(out, 1, shuffle->reply);
    for (size_t i = 0; i < shuffle->count; i++)
        era_wire_put_message(out, SHUFFLE_RECORDS, write_record, &shuffle->records[i]);
}
