/* A carrier. What decodes has one encoding and counts every key once (R1, R6). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/statement.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct era_carrier c;
    if (era_carrier_decode((struct era_bytes){data, size}, &c) == ERA_ACCEPTED) {
        for (size_t i = 1; i < c.approval_count; i++)
            assert(c.approvals[i - 1].key < c.approvals[i].key);
        for (size_t i = 1; i < c.readiness_count; i++)
            assert(c.readiness[i - 1].key < c.readiness[i].key);
        uint8_t *again = malloc(size);
        assert(again);
        size_t len = era_carrier_encode(&c, again, size);
        assert(len == size && len == era_carrier_bytes(&c));
        assert(memcmp(again, data, len) == 0);
        free(again);
    }
    era_carrier_clear(&c);
    return 0;
}
