/* pb_arena: the memory of one protobuf-c decode, and its strict reader.
 * protobuf-c has no limit of its own: here all it may take is sized from the
 * input and never above ERA_UNPACK_BYTES_MAX; when that is used up the decode
 * fails as ERA_OVERSIZED. What is small stays in the arena itself, for the rest
 * there is one block. Everything is freed at once.
 * The reader sticks: it keeps the first refusal in the order oversized,
 * malformed, bad-utf8, bad-value, not-canonical, whatever order the fields are
 * read in, so that an input has one verdict. */
#ifndef ERA_PROTO_PB_ARENA_H
#define ERA_PROTO_PB_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "proto/limits.h"
#include "src/base/bytes.h"
#include "src/base/verdict.h"

#define ERA_PB_ARENA_FIRST_BYTES 4096 /* most statements need no more: no malloc for them */

struct era_pb_arena {
    ProtobufCAllocator allocator;
    _Alignas(max_align_t) uint8_t first[ERA_PB_ARENA_FIRST_BYTES];
    uint8_t *block; /* NULL while `first` is enough */
    size_t first_used, block_used;
    size_t size; /* of the block; both together give no more */
    bool exhausted;
};

/* Room for decoding in_bytes of input. Pair with release. It must not be moved in between. */
void era_pb_arena_init(struct era_pb_arena *arena, size_t in_bytes);
void era_pb_arena_release(struct era_pb_arena *arena);

/* Unpack into the arena. NULL: *verdict says why. */
ProtobufCMessage *era_pb_unpack(struct era_pb_arena *arena, const ProtobufCMessageDescriptor *descriptor,
                                struct era_bytes in, enum era_verdict *verdict);
/* True when msg packs to exactly the bytes of in: the one test of canonical
 * form. msg was made anew from plain structs, so unknown, reordered, repeated,
 * overlong and present-but-empty fields all show. */
bool era_pb_packs_to(struct era_pb_arena *arena, const ProtobufCMessage *msg, struct era_bytes in);
/* Length packed into out, 0 when cap is too small. */
size_t era_pb_pack(const ProtobufCMessage *msg, uint8_t *out, size_t cap);

/* ---- reader ---- */
struct era_pb_reader {
    enum era_verdict verdict; /* start with ERA_ACCEPTED */
};

enum era_pb_form {
    ERA_PB_OPTIONAL_LINE, /* one line, or "" */
    ERA_PB_LINE,          /* one line, not empty */
    ERA_PB_NAME,          /* [a-z0-9._-]+ */
    ERA_PB_OPTIONAL_TEXT  /* lines, or "" */
};

void era_pb_refuse(struct era_pb_reader *r, enum era_verdict why);
/* text may be NULL: "". Oversized, unclean or misformed: refused, out = "". */
void era_pb_text(struct era_pb_reader *r, const char *text, char *out, size_t size, enum era_pb_form form);
uint64_t era_pb_number(struct era_pb_reader *r, uint64_t value, uint64_t min, uint64_t max);
/* Exactly want bytes. */
void era_pb_fixed(struct era_pb_reader *r, ProtobufCBinaryData data, uint8_t *out, size_t want);
/* count, or 0 and ERA_OVERSIZED when it is above max. */
size_t era_pb_count(struct era_pb_reader *r, size_t count, size_t max);

#endif
