/* control: one question to the daemon and its answer, for both ends of the
 * control socket. Texts are never NULL after decode: "" = absent.
 * Encoding borrows what the struct points to. A decoded struct owns one block
 * (`owned`) that its texts and data point into; it outlives the input.
 * Unknown fields are skipped (M11: tools and daemon may differ in age); known
 * ones are strict. Bounded by ERA_CONTROL_BYTES_MAX. */
#ifndef ERA_PROTO_CONTROL_H
#define ERA_PROTO_CONTROL_H

#include "proto/limits.h"
#include "src/base/bytes.h"
#include "src/base/verdict.h"

#define ERA_CONTROL_VERSION        1
#define ERA_CONTROL_TEXT_BYTES_MAX 4096 /* text, where (a path), cure of a response */

struct era_request {
    uint32_t version;          /* of this conversation; the server judges it */
    const char *verb;          /* 1 to ERA_NAME_BYTES_MAX bytes */
    const char *id;            /* ERA_NAME_BYTES_MAX: 64 hex digits or a prefix */
    const char *component;     /* ERA_NAME_BYTES_MAX */
    const char *topic;         /* ERA_TOPIC_BYTES_MAX */
    const char *path;          /* ERA_TREE_PATH_BYTES_MAX */
    const char *artefact;      /* ERA_NAME_BYTES_MAX */
    const char *builder;       /* ERA_BUILDER_BYTES_MAX */
    const char *source_digest; /* ERA_DIGEST_BYTES_MAX */
    bool has_number;
    uint64_t number;
    struct era_bytes data; /* len 0 = absent */
    bool urgent;
    void *owned; /* NULL when nothing is */
};

struct era_response {
    uint32_t status;  /* the exit status it means */
    const char *code; /* ERA_NAME_BYTES_MAX; the verdict's when status is not 0 */
    const char *text; /* ERA_CONTROL_TEXT_BYTES_MAX, as the next two; may have lines */
    const char *where;
    const char *cure;
    const char *json; /* bounded by the whole */
    struct era_bytes data;
    void *owned;
};

/* NULL texts count as "". Malloc'd into *out (caller frees); returns the
 * length, 0 (and *out NULL) when a text or the whole is above its bound. */
size_t era_request_encode(const struct era_request *request, uint8_t **out);
size_t era_response_encode(const struct era_response *response, uint8_t **out);

/* On any other verdict than ERA_ACCEPTED out holds empty texts and owns nothing. */
enum era_verdict era_request_decode(struct era_bytes in, struct era_request *out);
enum era_verdict era_response_decode(struct era_bytes in, struct era_response *out);
void era_request_clear(struct era_request *request);    /* NULL-safe */
void era_response_clear(struct era_response *response); /* NULL-safe */

#endif
