/* The head of an observer's request. A state once reached stays, however the bytes were cut; what is read,
 * written anew in its plainest form, reads the same. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"
#include "src/erad/http_head.h"
#include "tests/fuzz/fuzz.h"

#define EVERY_CUT_BYTES 256 /* shorter inputs are tried cut at every place */

/* Reads a block of exactly len bytes, so that a sanitizer sees one byte too far. */
static enum era_http_head_state read_block(const void *bytes, size_t len, struct era_http_head *h)
{
    char *block = len > 0 ? malloc(len) : NULL;
    assert(block || len == 0);
    if (len > 0)
        memcpy(block, bytes, len);
    enum era_http_head_state state = era_http_head_read(block, len, h);
    free(block);
    return state;
}

static void same_when_cut(const uint8_t *data, size_t size, size_t at)
{
    struct era_http_head part, whole;
    enum era_http_head_state before = read_block(data, at, &part), after = read_block(data, size, &whole);
    assert(before == ERA_HTTP_HEAD_PART || before == after);
    assert(before == ERA_HTTP_HEAD_PART || memcmp(&part, &whole, sizeof part) == 0);
}

static void same_when_rewritten(const struct era_http_head *h)
{
    char text[2 * ERA_HTTP_NAME_BYTES + 128];
    struct era_http_head again;
    assert(strnlen(h->method, sizeof h->method) < sizeof h->method);
    assert(strnlen(h->path, sizeof h->path) < sizeof h->path);
    size_t host = strnlen(h->host, sizeof h->host);
    assert(host < sizeof h->host);
    assert(host == 0 || (h->host[host - 1] != ' ' && h->host[host - 1] != '\t'));
    int len = snprintf(text, sizeof text, "%s %s? HTTP/1.%d\r\n%s%s%s%s\r\n", h->method, h->path, !h->http10,
                       h->has_host ? "Host:" : "", h->host, h->has_host ? "\r\n" : "",
                       h->has_body ? "Content-Length: 1\r\n" : "");
    assert(len > 0 && (size_t)len < sizeof text);
    assert(read_block(text, (size_t)len, &again) == ERA_HTTP_HEAD_WHOLE);
    assert(memcmp(h, &again, sizeof again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct era_http_head h, none;
    memset(&none, 0, sizeof none);
    enum era_http_head_state state = read_block(data, size, &h);
    if (state == ERA_HTTP_HEAD_WHOLE)
        same_when_rewritten(&h);
    else
        assert(memcmp(&h, &none, sizeof h) == 0);
    assert(state != ERA_HTTP_HEAD_PART || size < ERA_HTTP_HEADER_BYTES_MAX);
    if (size > EVERY_CUT_BYTES)
        same_when_cut(data, size, size / 2);
    for (size_t at = 0; size <= EVERY_CUT_BYTES && at < size; at++)
        same_when_cut(data, size, at);
    return 0;
}
