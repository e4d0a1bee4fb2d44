#include "proto/pb_arena.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The worst valid ratio is about 21 (a charter full of flags); an unknown
 * field of two bytes costs more and may run out. */
#define ARENA_PER_BYTE   32
#define ARENA_BASE_BYTES 65536

#define ALIGN _Alignof(max_align_t)
static_assert(ARENA_PER_BYTE % ALIGN == 0 && ARENA_BASE_BYTES % ALIGN == 0 &&
                  ERA_UNPACK_BYTES_MAX % ALIGN == 0 && ERA_PB_ARENA_FIRST_BYTES % ALIGN == 0,
              "what is left is whole pieces: a size that fits does so rounded up, too");

static void *cut(uint8_t *from, size_t *used, size_t size)
{
    void *out = from + *used;
    *used += size;
    return out;
}

static void *arena_alloc(void *data, size_t size)
{
    struct era_pb_arena *arena = data;
    if (size > arena->size - arena->first_used - arena->block_used) {
        arena->exhausted = true;
        return NULL;
    }
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (size <= sizeof arena->first - arena->first_used)
        return cut(arena->first, &arena->first_used, size);
    if (!arena->block) {
        arena->block = malloc(arena->size);
        assert(arena->block);
    }
    return cut(arena->block, &arena->block_used, size);
}

static void arena_free(void *data, void *pointer)
{
    (void)data;
    (void)pointer;
}

void era_pb_arena_init(struct era_pb_arena *arena, size_t in_bytes)
{
    size_t size = ERA_UNPACK_BYTES_MAX;
    if (in_bytes < (ERA_UNPACK_BYTES_MAX - ARENA_BASE_BYTES) / ARENA_PER_BYTE)
        size = ARENA_BASE_BYTES + ARENA_PER_BYTE * in_bytes;
    arena->allocator = (ProtobufCAllocator){arena_alloc, arena_free, arena};
    arena->block = NULL;
    arena->first_used = arena->block_used = 0;
    arena->size = size;
    arena->exhausted = false;
}

void era_pb_arena_release(struct era_pb_arena *arena)
{
    free(arena->block);
    arena->block = NULL;
}

ProtobufCMessage *era_pb_unpack(struct era_pb_arena *arena, const ProtobufCMessageDescriptor *descriptor,
                                struct era_bytes in, enum era_verdict *verdict)
{
    static const uint8_t nothing;
    const uint8_t *data = in.len > 0 ? in.data : &nothing;
    ProtobufCMessage *msg = protobuf_c_message_unpack(descriptor, &arena->allocator, in.len, data);
    if (!msg)
        *verdict = arena->exhausted ? ERA_OVERSIZED : ERA_MALFORMED;
    return msg;
}

bool era_pb_packs_to(struct era_pb_arena *arena, const ProtobufCMessage *msg, struct era_bytes in)
{
    if (protobuf_c_message_get_packed_size(msg) != in.len)
        return false;
    uint8_t *packed = arena_alloc(arena, in.len);
    if (!packed)
        return false;
    return protobuf_c_message_pack(msg, packed) == in.len && memcmp(packed, in.data, in.len) == 0;
}

size_t era_pb_pack(const ProtobufCMessage *msg, uint8_t *out, size_t cap)
{
    if (protobuf_c_message_get_packed_size(msg) > cap)
        return 0;
    return protobuf_c_message_pack(msg, out);
}

static int rank(enum era_verdict v)
{
    static const enum era_verdict order[] = {ERA_OVERSIZED, ERA_MALFORMED,     ERA_BAD_UTF8,
                                             ERA_BAD_VALUE, ERA_DUPLICATE_KEY, ERA_NOT_CANONICAL};
    int n = sizeof order / sizeof order[0];
    for (int i = 0; i < n; i++)
        if (order[i] == v)
            return i;
    assert(v == ERA_ACCEPTED);
    return n;
}

void era_pb_refuse(struct era_pb_reader *r, enum era_verdict why)
{
    if (rank(why) < rank(r->verdict))
        r->verdict = why;
}

static bool is_name(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-")] == '\0';
}

void era_pb_text(struct era_pb_reader *r, const char *text, char *out, size_t size, enum era_pb_form form)
{
    if (!era_text_set(out, size, text ? text : "")) {
        era_pb_refuse(r, ERA_OVERSIZED);
        return;
    }
    if (!era_utf8_valid(out, strlen(out), form == ERA_PB_OPTIONAL_TEXT)) {
        era_pb_refuse(r, ERA_BAD_UTF8);
        out[0] = '\0';
        return;
    }
    if ((form == ERA_PB_NAME && !is_name(out)) || (form == ERA_PB_LINE && out[0] == '\0'))
        era_pb_refuse(r, ERA_BAD_VALUE);
}

uint64_t era_pb_number(struct era_pb_reader *r, uint64_t value, uint64_t min, uint64_t max)
{
    if (value < min || value > max)
        era_pb_refuse(r, ERA_BAD_VALUE);
    return value;
}

void era_pb_fixed(struct era_pb_reader *r, ProtobufCBinaryData data, uint8_t *out, size_t want)
{
    if (data.len != want) {
        era_pb_refuse(r, ERA_BAD_VALUE);
        return;
    }
    memcpy(out, data.data, want);
}

size_t era_pb_count(struct era_pb_reader *r, size_t count, size_t max)
{
    if (count <= max)
        return count;
    era_pb_refuse(r, ERA_OVERSIZED);
    return 0;
}
