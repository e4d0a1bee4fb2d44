#include "tests/store/given.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/record.h"

struct dir given_dir(void)
{
    struct dir d;
    snprintf(d.top, sizeof d.top, "%s", "/tmp/erad-store-XXXXXX");
    cr_assert_not_null(mkdtemp(d.top));
    snprintf(d.store, sizeof d.store, "%s/store", d.top);
    snprintf(d.data, sizeof d.data, "%s/data.mdb", d.store);
    return d;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void dir_remove(const struct dir *d)
{
    cr_assert_eq(nftw(d->top, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

struct era_bytes text(const char *t)
{
    return (struct era_bytes){(const uint8_t *)t, t ? strlen(t) : 0};
}

struct era_store_put put(const char *key, const char *value)
{
    return (struct era_store_put){text(key), text(value)};
}

int commit_text(struct era_store *s, const char *key, const char *value)
{
    struct era_store_put one = put(key, value);
    return era_store_commit(s, &one, 1);
}

int commit_filled(struct era_store *s, uint32_t i, size_t len)
{
    struct era_hash id = {{0}};
    era_put_be32(id.b, i);
    struct era_store_key key = era_record_item(ERA_RECORD_STATEMENT, &id);
    uint8_t *value = malloc(len);
    cr_assert_not_null(value);
    memset(value, (int)i, len);
    struct era_store_put one = {era_store_key_bytes(&key), {value, len}};
    int rc = era_store_commit(s, &one, 1);
    free(value);
    return rc;
}

struct text_out {
    char *out;
    size_t size;
    size_t at;
};

static int append(void *ctx, struct era_bytes key, struct era_bytes value)
{
    struct text_out *t = ctx;
    if (key.data[0] == ERA_RECORD_META)
        return 0;
    int wrote = snprintf(t->out + t->at, t->size - t->at, "%s%.*s=%.*s", t->at > 0 ? " " : "", (int)key.len,
                         (const char *)key.data, (int)value.len, (const char *)value.data);
    t->at += (size_t)wrote;
    cr_assert_lt(t->at, t->size);
    return 0;
}

const char *walk_text(struct era_store *s, const char *prefix, char *out, size_t size)
{
    struct text_out t = {out, size, 0};
    out[0] = '\0';
    int rc = era_store_walk(s, text(prefix), append, &t);
    cr_assert(rc == 0 || rc == -EBADMSG);
    if (rc == -EBADMSG)
        snprintf(out + t.at, size - t.at, "%s-EBADMSG", t.at > 0 ? " " : "");
    return out;
}

const char *get_text(struct era_store *s, const char *key, char out[256])
{
    uint8_t *value;
    size_t len;
    int rc = era_store_get(s, text(key), &value, &len);
    if (rc != 0)
        return rc == -ENOENT ? "-ENOENT" : rc == -EBADMSG ? "-EBADMSG" : rc == -EINVAL ? "-EINVAL" : "error";
    snprintf(out, 256, "%.*s", (int)len, (const char *)value);
    free(value);
    return out;
}

uint8_t *file_read(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    cr_assert_not_null(f);
    fseek(f, 0, SEEK_END);
    *len = (size_t)ftell(f);
    rewind(f);
    uint8_t *data = malloc(*len > 0 ? *len : 1);
    cr_assert_not_null(data);
    cr_assert_eq(fread(data, 1, *len, f), *len);
    fclose(f);
    return data;
}

void file_write(const char *path, const uint8_t *data, size_t len)
{
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(data, 1, len, f), len);
    cr_assert_eq(fclose(f), 0);
}
