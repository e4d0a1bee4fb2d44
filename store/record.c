#include "store/record.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"

static const char tag_domain[] = "erad-record-v1";

struct era_store_key era_record_meta(const char *name)
{
    size_t len = strlen(name);
    assert(len > 0 && len <= ERA_RECORD_NAME_BYTES_MAX);
    struct era_store_key key = {.b = {ERA_RECORD_META}, .len = 1 + len};
    memcpy(key.b + 1, name, len);
    return key;
}

struct era_store_key era_record_item(enum era_record_kind kind, const struct era_hash *id)
{
    assert(kind != ERA_RECORD_META);
    struct era_store_key key = {.b = {(uint8_t)kind}, .len = 1 + ERA_HASH_BYTES};
    memcpy(key.b + 1, id->b, ERA_HASH_BYTES);
    return key;
}

struct era_store_key era_record_prefix(enum era_record_kind kind)
{
    return (struct era_store_key){.b = {(uint8_t)kind}, .len = 1};
}

struct era_bytes era_store_key_bytes(const struct era_store_key *key)
{
    return (struct era_bytes){key->b, key->len};
}

bool era_record_item_read(struct era_bytes key, enum era_record_kind *kind, struct era_hash *id)
{
    if (key.len != 1 + ERA_HASH_BYTES)
        return false;
    if (key.data[0] != ERA_RECORD_STATEMENT && key.data[0] != ERA_RECORD_CARRIER &&
        key.data[0] != ERA_RECORD_REBUILD)
        return false;
    *kind = (enum era_record_kind)key.data[0];
    memcpy(id->b, key.data + 1, ERA_HASH_BYTES);
    return true;
}

static struct era_hash tag_of(struct era_bytes key, struct era_bytes payload)
{
    const struct era_bytes parts[] = {
        {(const uint8_t *)tag_domain, sizeof tag_domain - 1},
        key,
        payload,
    };
    return era_hash_parts(parts, sizeof parts / sizeof parts[0]);
}

void era_record_wrap(struct era_bytes key, struct era_bytes payload, uint8_t *out)
{
    struct era_hash tag = tag_of(key, payload);
    if (payload.len > 0)
        memcpy(out, payload.data, payload.len);
    memcpy(out + payload.len, tag.b, ERA_RECORD_TAG_BYTES);
}

bool era_record_unwrap(struct era_bytes key, struct era_bytes stored, struct era_bytes *payload)
{
    if (stored.len < ERA_RECORD_TAG_BYTES)
        return false;
    struct era_bytes inner = {stored.data, stored.len - ERA_RECORD_TAG_BYTES};
    struct era_hash tag = tag_of(key, inner);
    if (memcmp(stored.data + inner.len, tag.b, ERA_RECORD_TAG_BYTES) != 0)
        return false;
    *payload = inner;
    return true;
}

int era_record_unwrap_copy(struct era_bytes key, struct era_bytes stored, uint8_t **value, size_t *len)
{
    struct era_bytes payload;
    if (!era_record_unwrap(key, stored, &payload))
        return -EBADMSG;
    uint8_t *copy = malloc(payload.len > 0 ? payload.len : 1);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, payload.data, payload.len);
    *value = copy;
    *len = payload.len;
    return 0;
}

void era_record_schema_write(uint8_t out[4])
{
    era_put_be32(out, ERA_STORE_SCHEMA);
}

int era_record_schema_check(struct era_bytes payload)
{
    if (payload.len != 4)
        return -EBADMSG;
    uint32_t schema = era_get_be32(payload.data);
    if (schema > ERA_STORE_SCHEMA)
        return -EPROTONOSUPPORT;
    return schema == ERA_STORE_SCHEMA ? 0 : -EBADMSG;
}

bool era_record_key_fits(struct era_bytes key)
{
    return key.len >= 1 && key.len <= ERA_STORE_KEY_BYTES_MAX;
}

bool era_record_key_begins(struct era_bytes key, struct era_bytes prefix)
{
    return prefix.len == 0 || (key.len >= prefix.len && memcmp(key.data, prefix.data, prefix.len) == 0);
}

int era_record_batch_check(const struct era_store_put *puts, size_t n)
{
    if (n > ERA_STORE_BATCH_MAX)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        if (!era_record_key_fits(puts[i].key))
            return -EINVAL;
        if (puts[i].value.data && puts[i].value.len > ERA_STORE_VALUE_BYTES_MAX)
            return -EINVAL;
    }
    return 0;
}
