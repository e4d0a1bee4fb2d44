/* wire: strict protobuf encoding by hand, for what must be borrowed from the
 * input (envelope, carrier, frame, control) instead of copied by protobuf-c.
 * The reader accepts canonical varints only, so that what it accepts has one
 * encoding. Errors stick: read many fields, look at the verdict once.
 * Allocates nothing. */
#ifndef ERA_PROTO_WIRE_H
#define ERA_PROTO_WIRE_H

#include "src/base/bytes.h"
#include "src/base/verdict.h"

#define ERA_WIRE_FIELDS_MAX 12

/* ---- reading ---- */
struct era_wire_in {
    const uint8_t *at, *end;
    enum era_verdict verdict; /* ERA_ACCEPTED until something is wrong; then at = end */
};

enum era_wire_type { ERA_WIRE_NUMBER, ERA_WIRE_SPAN, ERA_WIRE_FIXED };

/* One field as it stands on the wire: a number or a span. */
struct era_wire_value {
    bool there;
    enum era_wire_type type;
    uint64_t number;
    struct era_bytes span; /* borrowed from the input */
    size_t count; /* by era_wire_read: how often a repeated field is there; number and span are the last */
};

struct era_wire_in era_wire_open(struct era_bytes in);
/* The next field of any number and type. False at the end or after an error.
 * ERA_TRUNCATED: ends inside a field; ERA_NOT_CANONICAL: overlong varint;
 * ERA_MALFORMED: groups, field number 0, a varint above 64 bits. Fixed-width
 * fields come without their value: no message of erad has any. */
bool era_wire_next(struct era_wire_in *in, uint32_t *field, struct era_wire_value *out);

/* How a flat message looks: field i + 1 has type types[i]. */
struct era_wire_shape {
    const char *types; /* 'u' uint32, 'n' uint64, 'f' bool, 'b' bytes or text or message */
    uint32_t required; /* bit i: field i + 1 must be there */
    uint32_t repeated; /* bit i: field i + 1 may be there more than once */
    bool skip_unknown; /* link and control messages (M11); false: ERA_NOT_CANONICAL */
};

/* Read a message of that shape into values[strlen(types)]. Known fields must
 * ascend; only repeated ones may come again (walk them with era_wire_next).
 * ERA_MALFORMED: a required one is missing, or a type is wrong. */
enum era_verdict era_wire_read(struct era_bytes in, const struct era_wire_shape *shape,
                               struct era_wire_value *values);

/* Exactly want bytes into out, or ERA_BAD_VALUE. */
enum era_verdict era_wire_fixed(struct era_bytes span, uint8_t *out, size_t want);
/* A text of less than size bytes (ERA_OVERSIZED), clean UTF-8 (ERA_BAD_UTF8),
 * into out with a final NUL. */
enum era_verdict era_wire_text(struct era_bytes span, char *out, size_t size, bool multiline);

/* ---- writing ---- */
/* len counts on beyond cap, so that a writer with cap 0 measures. */
struct era_wire_out {
    uint8_t *data;
    size_t cap, len;
};

void era_wire_put_number(struct era_wire_out *out, uint32_t field, uint64_t number);
void era_wire_put_span(struct era_wire_out *out, uint32_t field, struct era_bytes span);
/* A message whose fields `write` puts; called twice, first to measure. */
typedef void era_wire_write(struct era_wire_out *out, const void *message);
void era_wire_put_message(struct era_wire_out *out, uint32_t field, era_wire_write *write,
                          const void *message);
/* A text, also an empty one; an optional one only when it is not empty. */
void era_wire_put_text(struct era_wire_out *out, uint32_t field, const char *text);
void era_wire_put_optional(struct era_wire_out *out, uint32_t field, const char *text);
/* Length written, 0 when it did not fit. */
size_t era_wire_done(const struct era_wire_out *out);

#endif
