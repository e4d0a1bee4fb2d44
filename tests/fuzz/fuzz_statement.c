/* A loose statement: the first byte chooses the kind, the rest is its payload.
 * What decodes has one encoding (R1). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/statement.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct era_bytes payload = {data + 1, size - 1};
    struct era_statement *s = malloc(sizeof *s);
    assert(s);
    if (era_statement_decode(1 + data[0] % ERA_KIND_CHARTER_APPROVE, payload, s) == ERA_ACCEPTED) {
        uint8_t *again = malloc(payload.len);
        assert(again);
        size_t len = era_statement_encode(s, again, payload.len);
        assert(len == payload.len);
        assert(memcmp(again, payload.data, len) == 0);
        free(again);
    }
    free(s);
    return 0;
}
