/* An envelope. What decodes has one encoding (R1) and borrows from its input. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/statement.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct era_envelope e;
    if (era_envelope_decode((struct era_bytes){data, size}, &e) != ERA_ACCEPTED)
        return 0;
    assert(e.payload.data >= data && e.payload.data + e.payload.len <= data + size);
    uint8_t *again = malloc(size);
    assert(again);
    size_t len = era_envelope_encode(&e, again, size);
    assert(len == size && len == era_envelope_bytes(&e));
    assert(memcmp(again, data, len) == 0);
    free(again);
    return 0;
}
