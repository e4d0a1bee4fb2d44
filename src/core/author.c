#include "src/core/author.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

size_t era_author_sign(const struct era_hash *network, const struct era_statement *s,
                       const struct era_secret *secret, uint8_t *out, size_t cap, struct era_hash *id)
{
    uint8_t *payload = malloc(ERA_LOOSE_BYTES_MAX);
    assert(payload);
    size_t len = era_statement_encode(s, payload, ERA_LOOSE_BYTES_MAX);
    size_t written = 0;
    if (len > 0) {
        struct era_envelope e = {.kind = s->kind, .payload = {payload, len}, .key = secret->key};
        struct era_hash h = era_statement_id(network, s->kind, e.payload);
        crypto_sign_detached(e.signature.b, NULL, h.b, sizeof h.b, secret->secret);
        written = era_envelope_encode(&e, out, cap);
        if (id)
            *id = h;
    }
    free(payload);
    return written;
}

struct era_peer_record era_author_peer_record(const struct era_hash *network, const struct era_place *place,
                                              uint64_t made_ms, const struct era_secret *node)
{
    struct era_peer_record record = {.node = node->key, .place = *place, .made_ms = made_ms};
    struct era_hash digest = era_peer_record_digest(network, &record);
    crypto_sign_detached(record.signature.b, NULL, digest.b, sizeof digest.b, node->secret);
    return record;
}

struct era_hash era_author_vote_id(const struct era_hash *network, enum era_kind kind,
                                   const struct era_vote *vote)
{
    uint8_t payload[512];
    struct era_statement *s = malloc(sizeof *s); /* too large for the stack: it has room for a plan */
    assert(s);
    s->kind = kind;
    s->u.vote = *vote;
    size_t len = era_statement_encode(s, payload, sizeof payload);
    assert(len > 0);
    free(s);
    return era_statement_id(network, kind, (struct era_bytes){payload, len});
}

struct era_hash era_author_charter_vote_id(const struct era_hash *network, enum era_kind kind,
                                           const struct era_charter_vote *vote)
{
    uint8_t payload[128];
    struct era_statement *s = malloc(sizeof *s);
    assert(s);
    s->kind = kind;
    s->u.charter_vote = *vote;
    size_t len = era_statement_encode(s, payload, sizeof payload);
    assert(len > 0);
    free(s);
    return era_statement_id(network, kind, (struct era_bytes){payload, len});
}

/* Takes the payload over. */
static size_t seal_envelope(struct era_envelope e, uint8_t *payload, uint8_t **out)
{
    size_t total = era_envelope_bytes(&e), written = 0;
    *out = NULL;
    if (total <= ERA_STATEMENT_BYTES_MAX) {
        *out = malloc(total);
        assert(*out);
        written = era_envelope_encode(&e, *out, total);
    }
    free(payload);
    return written;
}

size_t era_author_charter(const struct era_hash *network, struct era_bytes charter,
                          const struct era_secret *secret, uint8_t **out)
{
    struct era_hash id = era_statement_id(network, ERA_KIND_CHARTER, charter);
    struct era_envelope e = {.kind = ERA_KIND_CHARTER, .payload = charter, .key = secret->key};
    crypto_sign_detached(e.signature.b, NULL, id.b, sizeof id.b, secret->secret);
    return seal_envelope(e, NULL, out);
}

size_t era_author_carrier(uint32_t kind, const struct era_carrier *c, uint8_t **out)
{
    *out = NULL;
    size_t payload_bytes = era_carrier_bytes(c);
    if (payload_bytes > ERA_STATEMENT_BYTES_MAX)
        return 0;
    uint8_t *payload = malloc(payload_bytes);
    assert(payload);
    size_t len = era_carrier_encode(c, payload, payload_bytes);
    assert(len == payload_bytes);
    return seal_envelope((struct era_envelope){.kind = kind, .payload = {payload, len}}, payload, out);
}

size_t era_author_charter_certificate(const struct era_charter_certificate *c, uint8_t **out)
{
    *out = NULL;
    size_t payload_bytes = era_charter_certificate_bytes(c);
    if (payload_bytes > ERA_STATEMENT_BYTES_MAX)
        return 0;
    uint8_t *payload = malloc(payload_bytes);
    assert(payload);
    size_t len = era_charter_certificate_encode(c, payload, payload_bytes);
    assert(len == payload_bytes);
    return seal_envelope(
        (struct era_envelope){.kind = ERA_KIND_CHARTER_CERTIFICATE, .payload = {payload, len}}, payload, out);
}

size_t era_author_evidence(const struct era_evidence *e, uint8_t **out)
{
    size_t payload_bytes = era_evidence_bytes(e);
    uint8_t *payload = malloc(payload_bytes);
    assert(payload);
    size_t len = era_evidence_encode(e, payload, payload_bytes);
    assert(len == payload_bytes); /* two loose ones fit an envelope */
    return seal_envelope((struct era_envelope){.kind = ERA_KIND_EVIDENCE, .payload = {payload, len}}, payload,
                         out);
}
