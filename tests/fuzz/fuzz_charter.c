/* A charter. What decodes has one encoding, whose hash is the one it was given. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/charter.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct era_charter c;
    if (era_charter_decode((struct era_bytes){data, size}, &c) == ERA_ACCEPTED) {
        uint8_t *again;
        size_t len = era_charter_encode(&c, &again);
        assert(len == size);
        assert(memcmp(again, data, len) == 0);
        free(again);
        struct era_hash hash = c.hash;
        era_charter_seal(&c);
        assert(era_hash_eq(&hash, &c.hash));
    }
    era_charter_clear(&c);
    return 0;
}
