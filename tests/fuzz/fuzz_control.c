/* A control message: the first byte chooses request or response. What decodes
 * encodes to bytes that decode and encode to themselves (unknown fields are
 * skipped, M11, so the first encoding may be shorter). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/control.h"
#include "tests/fuzz/fuzz.h"

static size_t rewrite_request(struct era_bytes in, uint8_t **out)
{
    struct era_request request;
    size_t len = 0;
    *out = NULL;
    if (era_request_decode(in, &request) == ERA_ACCEPTED) {
        len = era_request_encode(&request, out);
        assert(len > 0);
    }
    era_request_clear(&request);
    return len;
}

static size_t rewrite_response(struct era_bytes in, uint8_t **out)
{
    struct era_response response;
    size_t len = 0;
    *out = NULL;
    if (era_response_decode(in, &response) == ERA_ACCEPTED) {
        len = era_response_encode(&response, out);
        assert(len > 0);
    }
    era_response_clear(&response);
    return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t (*rewrite)(struct era_bytes, uint8_t **) = data[0] & 1 ? rewrite_response : rewrite_request;
    uint8_t *once, *twice;
    size_t len = rewrite((struct era_bytes){data + 1, size - 1}, &once);
    if (len == 0)
        return 0;
    assert(len <= size - 1);
    size_t again = rewrite((struct era_bytes){once, len}, &twice);
    assert(again == len);
    assert(memcmp(once, twice, len) == 0);
    free(once);
    free(twice);
    return 0;
}
