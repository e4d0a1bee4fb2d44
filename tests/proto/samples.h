/* samples: valid statements of every kind that tests then spoil, one thing at a time. */
#ifndef ERA_TESTS_PROTO_SAMPLES_H
#define ERA_TESTS_PROTO_SAMPLES_H

#include "proto/charter.h"

/* Hex digits, blanks ignored, into a static buffer that the next call reuses. */
struct era_bytes given_hex(const char *hex);

struct era_hash given_hash(uint8_t fill);
struct era_key given_key(uint8_t first, uint8_t rest);
struct era_record given_record(const char *component, const char *version, uint64_t era);

/* A valid statement of a loose kind, with every optional field there. Heap: free().
 * That of a charter borrows its bytes from a static buffer that is always the same. */
struct era_statement *given_statement(enum era_kind kind);
/* Encode, then decode into out (heap-exact copy, so that the sanitizer sees a read behind it). */
enum era_verdict decoded(const struct era_statement *s, struct era_statement *out);
/* Encode and decode, only the verdict. */
enum era_verdict verdict_on(const struct era_statement *s);
/* Decode bytes as a kind, only the verdict; through an exact heap copy. */
enum era_verdict verdict_on_bytes(enum era_kind kind, struct era_bytes bytes);

/* 3 validators (stake 10, 20, 30), components "network" and "oracle" with 2 signers each.
 * era_charter_clear(). */
struct era_charter given_charter(void);

/* Version 1, its parent that of 32 bytes 70, from epoch 500 on, carrying both components. */
struct era_charter given_next_charter(void);

#define LOOSE_KINDS 12
extern const enum era_kind loose_kinds[LOOSE_KINDS];

#endif
