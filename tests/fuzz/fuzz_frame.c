/* A frame: one hostile peer's bytes. What decodes can be walked; built anew
 * from its parts it decodes to the same parts (without the unknown fields that
 * M11 skips), and building that again changes nothing. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "tests/fuzz/fuzz.h"

static void add_part(struct era_frame_builder *b, const struct era_frame_part *part)
{
    bool fits = true;
    switch (part->kind) {
    case ERA_FRAME_HELLO:
        fits = era_frame_add_hello(b, &part->u.hello);
        break;
    case ERA_FRAME_REFUSAL:
        fits = era_frame_add_refusal(b, (enum era_verdict)part->u.refusal.verdict, part->u.refusal.text);
        break;
    case ERA_FRAME_STATEMENT:
        fits = era_frame_add_statement(b, part->u.statement);
        break;
    case ERA_FRAME_FRAGMENT:
        fits = era_frame_add_fragment(b, &part->u.fragment);
        break;
    case ERA_FRAME_DIGEST:
        fits = era_frame_add_digest(b, &part->u.digest);
        break;
    case ERA_FRAME_CELLS:
        fits = era_frame_add_cells(b, &part->u.cells);
        break;
    case ERA_FRAME_ASK:
        fits = era_frame_add_ask(b, &part->u.ask);
        break;
    case ERA_FRAME_STATUS:
        fits = era_frame_add_status(b, part->u.status.blocked,
                                    part->u.status.has_versions ? &part->u.status.versions : NULL);
        break;
    case ERA_FRAME_NEIGHBOUR:
        fits = era_frame_add_neighbour(b, part->u.neighbour);
        break;
    case ERA_FRAME_WALK:
        fits = era_frame_add_walk(b, &part->u.walk);
        break;
    case ERA_FRAME_SHUFFLE:
        fits = era_frame_add_shuffle(b, &part->u.shuffle);
        break;
    case ERA_FRAME_SPREAD:
        fits = era_frame_add_spread(b, &part->u.spread);
        break;
    }
    assert(fits);
}

/* Decode, walk, build into out[ERA_FRAME_BYTES_MAX]. False: refused. */
static bool rebuild(struct era_bytes in, uint8_t *out, size_t *len)
{
    struct era_frame frame;
    if (era_frame_decode(in, &frame) != ERA_ACCEPTED)
        return false;
    struct era_frame_builder b;
    era_frame_begin(&b, out);
    struct era_frame_cursor cursor = era_frame_first(&frame);
    struct era_frame_part part;
    size_t count = 0;
    for (; era_frame_next(&cursor, &part); count++)
        add_part(&b, &part);
    assert(count == frame.part_count);
    *len = b.len;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t once[ERA_FRAME_BYTES_MAX], twice[ERA_FRAME_BYTES_MAX];
    size_t once_len, twice_len;
    if (!rebuild((struct era_bytes){data, size}, once, &once_len))
        return 0;
    assert(once_len <= size);
    bool again = rebuild((struct era_bytes){once, once_len}, twice, &twice_len);
    assert(again && once_len == twice_len);
    assert(memcmp(once, twice, once_len) == 0);
    return 0;
}
