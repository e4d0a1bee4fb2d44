/* A record as a disk gives it back: a byte of the key's length, the key, the
 * value with its tag. What is read was written, under this very key. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"
#include "store/record.h"
#include "tests/fuzz/fuzz.h"

static void read_key(struct era_bytes key)
{
    enum era_record_kind kind;
    struct era_hash id;
    if (!era_record_item_read(key, &kind, &id))
        return;
    struct era_store_key again = era_record_item(kind, &id), prefix = era_record_prefix(kind);
    assert(again.len == key.len && memcmp(again.b, key.data, key.len) == 0);
    assert(era_record_key_begins(key, era_store_key_bytes(&prefix)));
    assert(era_record_key_fits(key));
}

static void read_value(struct era_bytes key, struct era_bytes stored)
{
    struct era_bytes payload;
    uint8_t *copy = NULL;
    size_t len = 0;
    bool sound = era_record_unwrap(key, stored, &payload);
    int rv = era_record_unwrap_copy(key, stored, &copy, &len);
    assert(rv == (sound ? 0 : -EBADMSG));
    if (!sound)
        return;
    assert(payload.len + ERA_RECORD_TAG_BYTES == stored.len && len == payload.len);
    assert(len == 0 || memcmp(copy, payload.data, len) == 0);
    uint8_t *again = malloc(stored.len);
    assert(again);
    era_record_wrap(key, payload, again);
    assert(memcmp(again, stored.data, stored.len) == 0);
    free(again);
    free(copy);

    uint8_t schema[4];
    era_record_schema_write(schema);
    rv = era_record_schema_check(payload);
    assert(rv == 0 || rv == -EPROTONOSUPPORT || rv == -EBADMSG);
    if (payload.len == sizeof schema && memcmp(payload.data, schema, sizeof schema) == 0)
        assert(rv == 0);
}

/* Any value comes back as it was put, and not with a bit flipped. */
static void put_and_flip(struct era_bytes key, struct era_bytes value)
{
    size_t size = value.len + ERA_RECORD_TAG_BYTES;
    uint8_t *stored = malloc(size);
    assert(stored);
    struct era_bytes payload;
    era_record_wrap(key, value, stored);
    bool sound = era_record_unwrap(key, (struct era_bytes){stored, size}, &payload);
    assert(sound && payload.data == stored && payload.len == value.len);
    stored[(value.len * 7 + key.len) % size] ^= 1;
    sound = era_record_unwrap(key, (struct era_bytes){stored, size}, &payload);
    assert(!sound);
    free(stored);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t key_len = data[0] < size ? data[0] : size - 1;
    struct era_bytes key = {data + 1, key_len}, value = {data + 1 + key_len, size - 1 - key_len};
    read_key(key);
    read_value(key, value);
    put_and_flip(key, value);
    struct era_store_put put = {.key = key, .value = value};
    int rv = era_record_batch_check(&put, 1);
    assert((rv == 0) == (era_record_key_fits(key) && value.len <= ERA_STORE_VALUE_BYTES_MAX));
    return 0;
}
