#include "proto/statement.h"

const char *const era_version_kind_names[ERA_VERSION_KINDS] = {
    [ERA_VERSION_DISTRIBUTION] = "distribution",
    [ERA_VERSION_SOFTWARE] = "software",
    [ERA_VERSION_API] = "api",
    [ERA_VERSION_DATABASE] = "database",
    [ERA_VERSION_PROTOCOL] = "protocol",
};

const char *era_kind_name(uint32_t kind)
{
    switch ((enum era_kind)kind) {
    case ERA_KIND_PROPOSAL:
        return "proposal";
    case ERA_KIND_APPROVE:
        return "approve";
    case ERA_KIND_REJECT:
        return "reject";
    case ERA_KIND_ATTESTATION:
        return "attestation";
    case ERA_KIND_READINESS:
        return "readiness";
    case ERA_KIND_ANNOUNCEMENT:
        return "announcement";
    case ERA_KIND_EVENT:
        return "event";
    case ERA_KIND_CHECKPOINT:
        return "checkpoint";
    case ERA_KIND_CHARTER:
        return "charter";
    case ERA_KIND_ACCEPT:
        return "accept";
    case ERA_KIND_CLOSE:
        return "close";
    case ERA_KIND_CHARTER_APPROVE:
        return "charter-approve";
    case ERA_KIND_APPROVED:
        return "approved";
    case ERA_KIND_CERTIFICATE:
        return "certificate";
    case ERA_KIND_EVIDENCE:
        return "evidence";
    case ERA_KIND_CHARTER_CERTIFICATE:
        return "charter-certificate";
    }
    return "unknown";
}

bool era_kind_is_carrier(uint32_t kind)
{
    return kind >= ERA_KIND_APPROVED && kind <= ERA_KIND_CHARTER_CERTIFICATE;
}

const char *era_class_name(enum era_class class)
{
    switch (class) {
    case ERA_CLASS_SOFT:
        return "soft";
    case ERA_CLASS_BREAKING:
        return "breaking";
    case ERA_CLASS_OVERRIDE:
        return "override";
    }
    return "unknown";
}

#define DOMAIN(text)                                                                                         \
    {                                                                                                        \
        (const uint8_t *)(text), sizeof(text) - 1                                                            \
    }

struct era_hash era_statement_id(const struct era_hash *network, uint32_t kind, struct era_bytes payload)
{
    uint8_t number[4];
    era_put_be32(number, kind);
    const struct era_bytes parts[] = {
        DOMAIN("erad-statement-v1"), {network->b, ERA_HASH_BYTES}, {number, sizeof number}, payload};
    return era_hash_parts(parts, 4);
}

struct era_hash era_item_id_loose(const struct era_hash *id, const struct era_key *key)
{
    const struct era_bytes parts[] = {
        DOMAIN("erad-item-v1"), {id->b, ERA_HASH_BYTES}, {key->b, ERA_KEY_BYTES}};
    return era_hash_parts(parts, 3);
}

struct era_hash era_item_id_carrier(uint32_t kind, const struct era_hash *what)
{
    uint8_t number[4];
    era_put_be32(number, kind);
    const struct era_bytes parts[] = {
        DOMAIN("erad-item-v1"), {number, sizeof number}, {what->b, ERA_HASH_BYTES}};
    return era_hash_parts(parts, 3);
}

enum era_verdict era_envelope_open(const struct era_hash *network, struct era_bytes in,
                                   struct era_opened *out)
{
    *out = (struct era_opened){.bytes = in};
    const struct era_envelope *e = &out->envelope;
    enum era_verdict verdict = era_envelope_decode(in, &out->envelope);
    if (verdict != ERA_ACCEPTED || era_kind_is_carrier(e->kind))
        return verdict;
    out->id = era_statement_id(network, e->kind, e->payload);
    out->item = era_item_id_loose(&out->id, &e->key);
    return verdict;
}
