#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "proto/control.h"
#include "proto/erad.pb-c.h"
#include "tests/proto/samples.h"

static enum era_verdict request_on(const char *hex)
{
    struct era_request r;
    enum era_verdict v = era_request_decode(given_hex(hex), &r);
    era_request_clear(&r);
    return v;
}

static enum era_verdict response_on(const char *hex)
{
    struct era_response r;
    enum era_verdict v = era_response_decode(given_hex(hex), &r);
    era_response_clear(&r);
    return v;
}

static struct era_request given_request(void)
{
    return (struct era_request){.version = ERA_CONTROL_VERSION,
                                .verb = "attest",
                                .id = "0123abcd",
                                .component = "network",
                                .topic = "t",
                                .path = "/srv/build",
                                .artefact = "linux-amd64",
                                .builder = "debian 12",
                                .source_digest = "h1:s",
                                .has_number = true,
                                .number = UINT64_MAX,
                                .data = {(const uint8_t *)"\0\xff", 2},
                                .urgent = true};
}

Test(request, it_decodes_to_what_was_encoded_and_outlives_its_bytes)
{
    struct era_request in = given_request(), out;
    uint8_t *bytes;
    size_t len = era_request_encode(&in, &bytes);
    cr_assert_eq(era_request_decode((struct era_bytes){bytes, len}, &out), ERA_ACCEPTED);
    free(bytes);
    cr_assert_eq(out.version, 1);
    cr_assert_str_eq(out.verb, "attest");
    cr_assert_str_eq(out.id, "0123abcd");
    cr_assert_str_eq(out.component, "network");
    cr_assert_str_eq(out.topic, "t");
    cr_assert_str_eq(out.path, "/srv/build");
    cr_assert_str_eq(out.artefact, "linux-amd64");
    cr_assert_str_eq(out.builder, "debian 12");
    cr_assert_str_eq(out.source_digest, "h1:s");
    cr_assert(out.has_number);
    cr_assert_eq(out.number, UINT64_MAX);
    cr_assert_eq(out.data.len, 2);
    cr_assert_eq(out.data.data[1], 0xff);
    cr_assert(out.urgent);
    era_request_clear(&out);
    era_request_clear(NULL);
}

Test(request, protobuf_c_reads_it_the_same)
{
    struct era_request in = given_request();
    uint8_t *bytes;
    size_t len = era_request_encode(&in, &bytes);
    Erad__Wire__Request *pb = erad__wire__request__unpack(NULL, len, bytes);
    cr_assert_not_null(pb);
    cr_assert_str_eq(pb->source_digest, "h1:s");
    uint8_t *again = malloc(len);
    cr_assert_eq(erad__wire__request__get_packed_size(pb), len);
    erad__wire__request__pack(pb, again);
    cr_assert_eq(memcmp(again, bytes, len), 0);
    free(again);
    free(bytes);
    erad__wire__request__free_unpacked(pb, NULL);
}

Test(request, what_is_absent_is_empty)
{
    struct era_request in = {.version = 1, .verb = "status"}, out;
    uint8_t *bytes;
    size_t len = era_request_encode(&in, &bytes);
    cr_assert_eq(len, 10);
    cr_assert_eq(era_request_decode((struct era_bytes){bytes, len}, &out), ERA_ACCEPTED);
    cr_assert_str_eq(out.path, "");
    cr_assert_not(out.has_number);
    cr_assert_not(out.urgent);
    cr_assert_null(out.data.data);
    era_request_clear(&out);
    free(bytes);
}

Test(request, it_is_strict)
{
    cr_assert_eq(request_on("0801 120161"), ERA_ACCEPTED);
    cr_assert_eq(request_on("0801"), ERA_MALFORMED);
    cr_assert_eq(request_on("0801 1200"), ERA_BAD_VALUE);
    cr_assert_eq(request_on("0801 1201ff"), ERA_BAD_UTF8);
    cr_assert_eq(request_on("0801 12026100"), ERA_BAD_UTF8);
    cr_assert_eq(request_on("0801 120161 3203610a62"), ERA_BAD_UTF8);
    cr_assert_eq(request_on("0801 120261"), ERA_TRUNCATED);
    cr_assert_eq(request_on("088100 120161"), ERA_NOT_CANONICAL);
    cr_assert_eq(request_on("120161 0801"), ERA_NOT_CANONICAL);
    cr_assert_eq(request_on("0801 120161 120161"), ERA_NOT_CANONICAL);
    cr_assert_eq(request_on("0801 120161 6002"), ERA_NOT_CANONICAL);
}

Test(request, M11_unknown_fields_are_skipped)
{
    cr_assert_eq(request_on("0801 120161 6801"), ERA_ACCEPTED);
    cr_assert_eq(response_on("0800 4801"), ERA_ACCEPTED);
}

Test(request, texts_keep_their_bounds)
{
    static char path[ERA_TREE_PATH_BYTES_MAX + 2];
    memset(path, 'p', ERA_TREE_PATH_BYTES_MAX);
    struct era_request in = {.version = 1, .verb = "attest", .path = path}, out;
    uint8_t *bytes;
    size_t len = era_request_encode(&in, &bytes);
    cr_assert_eq(era_request_decode((struct era_bytes){bytes, len}, &out), ERA_ACCEPTED);
    cr_assert_eq(strlen(out.path), ERA_TREE_PATH_BYTES_MAX);
    era_request_clear(&out);
    free(bytes);
    path[ERA_TREE_PATH_BYTES_MAX] = 'p';
    cr_assert_eq(era_request_encode(&in, &bytes), 0);
    cr_assert_null(bytes);
    /* a verb of 65 bytes */
    cr_assert_eq(request_on("0801 1241 6161616161616161616161616161616161616161616161616161616161616161"
                            "6161616161616161616161616161616161616161616161616161616161616161 61"),
                 ERA_OVERSIZED);
}

Test(request, above_2_MiB_is_oversized)
{
    uint8_t *raw = calloc(1, ERA_CONTROL_BYTES_MAX + 1), *bytes;
    struct era_request out, in = {.version = 1, .verb = "submit", .data = {raw, ERA_CONTROL_BYTES_MAX}};
    cr_assert_eq(era_request_decode((struct era_bytes){raw, ERA_CONTROL_BYTES_MAX + 1}, &out), ERA_OVERSIZED);
    cr_assert_str_eq(out.verb, "");
    cr_assert_eq(era_request_encode(&in, &bytes), 0);
    free(raw);
}

Test(response, it_decodes_to_what_was_encoded)
{
    struct era_response in = {.status = 65,
                              .code = "bad-value",
                              .text = "a value\nis out of range",
                              .where = "erad.conf:3",
                              .cure = "see erad-protocol(7)",
                              .json = "{\n}",
                              .data = {(const uint8_t *)"raw", 3}};
    struct era_response out;
    uint8_t *bytes;
    size_t len = era_response_encode(&in, &bytes);
    cr_assert_eq(era_response_decode((struct era_bytes){bytes, len}, &out), ERA_ACCEPTED);
    free(bytes);
    cr_assert_eq(out.status, 65);
    cr_assert_str_eq(out.code, "bad-value");
    cr_assert_str_eq(out.text, "a value\nis out of range");
    cr_assert_str_eq(out.where, "erad.conf:3");
    cr_assert_str_eq(out.cure, "see erad-protocol(7)");
    cr_assert_str_eq(out.json, "{\n}");
    cr_assert_eq(memcmp(out.data.data, "raw", 3), 0);
    era_response_clear(&out);
    era_response_clear(NULL);
}

Test(response, it_is_strict)
{
    cr_assert_eq(response_on("0800"), ERA_ACCEPTED);
    cr_assert_eq(response_on(""), ERA_MALFORMED);
    cr_assert_eq(response_on("0a00"), ERA_MALFORMED);
    cr_assert_eq(response_on("0800 3201ff"), ERA_BAD_UTF8);
    cr_assert_eq(response_on("08ffffffff1f"), ERA_BAD_VALUE);
}

Test(request, every_prefix_gets_a_verdict)
{
    struct era_request in = given_request();
    uint8_t *bytes;
    size_t len = era_request_encode(&in, &bytes);
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *copy = malloc(cut + 1);
        memcpy(copy, bytes, cut);
        struct era_request out;
        era_request_decode((struct era_bytes){copy, cut}, &out);
        era_request_clear(&out);
        free(copy);
    }
    free(bytes);
}
