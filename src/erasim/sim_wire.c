/* What leaves nodes, as a listener at the wire reads it, before any fault. */
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "src/erasim/parts.h"

static void envelope_left(struct sim *s, struct sim_node *n, struct era_bytes bytes)
{
    struct era_envelope e;
    s->counts.envelopes++;
    n->statements_out++;
    if (n->trust != SIM_HONEST || s->watch_count == 0)
        return;
    if (era_envelope_decode(bytes, &e) != ERA_ACCEPTED) {
        sim_break(s, "wire", "%s sends an envelope that does not decode", n->name);
        return;
    }
    SIM_WATCHED(s, left, s, n, &e, bytes);
}

/* Fragments of one statement leave in order. */
static void fragment_left(struct sim *s, struct sim_node *n, struct end *e,
                          const struct era_frame_fragment *f)
{
    if (f->offset == 0) {
        free(e->part);
        e->part = sim_alloc(f->total_bytes);
        e->part_len = 0;
        e->part_total = f->total_bytes;
    }
    if (!e->part || f->offset != e->part_len || f->total_bytes != e->part_total) {
        sim_break(s, "wire", "%s sends a fragment out of order", n->name);
        return;
    }
    memcpy(e->part + e->part_len, f->data.data, f->data.len);
    e->part_len += (uint32_t)f->data.len;
    if (e->part_len < e->part_total)
        return;
    envelope_left(s, n, (struct era_bytes){e->part, e->part_len});
    free(e->part);
    e->part = NULL;
}

void sim_wire_hear(struct sim *s, struct sim_node *n, struct end *e, struct era_bytes frame)
{
    struct era_frame f;
    struct era_frame_part part;
    s->counts.frames++;
    s->counts.bytes += frame.len;
    n->frames_out++;
    n->bytes_out += frame.len;
    if (era_frame_decode(frame, &f) != ERA_ACCEPTED) {
        sim_break(s, "wire", "%s sends a frame that does not decode", n->name);
        return;
    }
    struct era_frame_cursor at = era_frame_first(&f);
    while (era_frame_next(&at, &part))
        if (part.kind == ERA_FRAME_STATEMENT)
            envelope_left(s, n, part.u.statement);
        else if (part.kind == ERA_FRAME_FRAGMENT)
            fragment_left(s, n, e, &part.u.fragment);
}
