/* indexed: what the carriers share: lists of signatures by key index, and the
 * order of byte spans. Internal to this floor. */
#ifndef ERA_PROTO_INDEXED_H
#define ERA_PROTO_INDEXED_H

#include "proto/statement.h"
#include "proto/wire.h"

/* Room for count items of size bytes, zeroed, NULL for none; the caller frees.
 * count was bounded before: out of memory is not a verdict. */
void *era_indexed_list(size_t count, size_t size);
/* Append one IndexedSignature to list[*count]. Keys lie below key_count
 * (ERA_BAD_VALUE) and ascend strictly, so that every key is counted once
 * (ERA_DUPLICATE_KEY, ERA_NOT_CANONICAL). */
enum era_verdict era_indexed_read(struct era_bytes span, uint32_t key_count,
                                  struct era_indexed_signature *list, size_t *count);
/* A whole list, as a repeated field. */
void era_indexed_put(struct era_wire_out *out, uint32_t field, const struct era_indexed_signature *list,
                     size_t count);

/* Bytewise, a prefix before what it begins. */
int era_span_cmp(struct era_bytes a, struct era_bytes b);

#endif
