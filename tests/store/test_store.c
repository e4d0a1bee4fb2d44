/* The contract of store.h, held against both that keep it. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"
#include "store/record.h"
#include "store/store_lmdb.h"
#include "store/store_mem.h"
#include "tests/store/given.h"

struct kind {
    const char *name;
    bool on_disk;
};

static struct kind kinds[] = {{"store_mem", false}, {"store_lmdb", true}};

struct given {
    struct dir dir;
    struct era_store *s;
};

static struct given given_store(const struct kind *kind)
{
    struct given g = {.dir = given_dir()};
    char why[ERA_STORE_WHY_BYTES];
    if (kind->on_disk)
        cr_assert_eq(era_store_lmdb_open(g.dir.store, ERA_STORE_MAP_BYTES, &g.s, why), 0, "%s", why);
    else
        g.s = era_store_mem_new();
    cr_assert_not_null(g.s);
    return g;
}

static void done(struct given *g)
{
    era_store_close(g->s);
    dir_remove(&g->dir);
}

/* One rule, for each kind of store. */
#define Rule(name)                                                                                           \
    static void rule_##name(const char *store, struct era_store *s);                                         \
    ParameterizedTestParameters(store, name)                                                                 \
    {                                                                                                        \
        return cr_make_param_array(struct kind, kinds, sizeof kinds / sizeof kinds[0]);                      \
    }                                                                                                        \
    ParameterizedTest(struct kind *kind, store, name)                                                        \
    {                                                                                                        \
        struct given g = given_store(kind);                                                                  \
        rule_##name(kind->on_disk ? "store_lmdb" : "store_mem", g.s);                                        \
        done(&g);                                                                                            \
    }                                                                                                        \
    static void rule_##name(const char *store, struct era_store *s)

static int stop_at_second(void *ctx, struct era_bytes key, struct era_bytes value)
{
    (void)key;
    (void)value;
    return ++*(int *)ctx == 2 ? 42 : 0;
}

Rule(a_fresh_store_holds_its_schema_alone)
{
    int seen = 0;
    cr_assert_eq(era_store_walk(s, text(""), stop_at_second, &seen), 0, "%s", store);
    cr_assert_eq(seen, 1, "%s", store);
    uint8_t *schema;
    size_t len;
    cr_assert_eq(era_store_get(s, text("Mschema"), &schema, &len), 0, "%s", store);
    cr_assert_eq(len, 4);
    cr_assert_eq(era_get_be32(schema), 1, "%s", store);
    free(schema);
}

Rule(a_walk_ascends_by_key)
{
    struct era_store_put puts[] = {put("Sb", "2"), put("C\xff", "0"), put("Sab", "1b"), put("Sa", "1"),
                                   put("S\x01", "first")};
    cr_assert_eq(era_store_commit(s, puts, 5), 0);
    char out[256];
    cr_assert_str_eq(walk_text(s, "", out, sizeof out), "C\xff=0 S\x01=first Sa=1 Sab=1b Sb=2", "%s: %s",
                     store, out);
}

Rule(a_walk_keeps_to_its_prefix)
{
    struct era_store_put puts[] = {put("Sa", "1"), put("Sab", "2"), put("Sb", "3"), put("Ta", "4"),
                                   put("Ra", "5")};
    cr_assert_eq(era_store_commit(s, puts, 5), 0);
    char out[256];
    cr_assert_str_eq(walk_text(s, "S", out, sizeof out), "Sa=1 Sab=2 Sb=3", "%s", store);
    cr_assert_str_eq(walk_text(s, "Sa", out, sizeof out), "Sa=1 Sab=2", "%s", store);
    cr_assert_str_eq(walk_text(s, "Z", out, sizeof out), "", "%s", store);
}

Rule(a_visit_that_returns_non_zero_ends_the_walk)
{
    struct era_store_put puts[] = {put("Sa", "1"), put("Sb", "2"), put("Sc", "3")};
    cr_assert_eq(era_store_commit(s, puts, 3), 0);
    int seen = 0;
    cr_assert_eq(era_store_walk(s, text("S"), stop_at_second, &seen), 42, "%s", store);
    cr_assert_eq(seen, 2, "%s", store);
}

Rule(a_get_returns_what_was_put_last)
{
    char out[256];
    cr_assert_eq(commit_text(s, "Sa", "old"), 0);
    cr_assert_eq(commit_text(s, "Sa", "newer value"), 0);
    cr_assert_str_eq(get_text(s, "Sa", out), "newer value", "%s", store);
    cr_assert_str_eq(get_text(s, "Sb", out), "-ENOENT", "%s", store);
}

Rule(a_batch_applies_in_its_order)
{
    struct era_store_put puts[] = {put("Sa", "1"),  put("Sa", "2"),  put("Sb", "1"),
                                   put("Sb", NULL), put("Sc", NULL), put("Sc", "3")};
    cr_assert_eq(era_store_commit(s, puts, 6), 0);
    char out[256];
    cr_assert_str_eq(walk_text(s, "", out, sizeof out), "Sa=2 Sc=3", "%s", store);
}

Rule(a_delete_removes_and_an_absent_key_is_fine)
{
    cr_assert_eq(commit_text(s, "Sa", "1"), 0);
    cr_assert_eq(commit_text(s, "Sa", NULL), 0, "%s", store);
    cr_assert_eq(commit_text(s, "Sa", NULL), 0, "%s", store);
    char out[256];
    cr_assert_str_eq(get_text(s, "Sa", out), "-ENOENT", "%s", store);
}

Rule(an_empty_value_is_a_value)
{
    cr_assert_eq(commit_text(s, "Sa", ""), 0);
    char out[256];
    cr_assert_str_eq(get_text(s, "Sa", out), "", "%s", store);
}

Rule(a_batch_beyond_a_bound_stores_nothing)
{
    uint8_t *large = calloc(1, ERA_STORE_VALUE_BYTES_MAX + 1);
    char key[ERA_STORE_KEY_BYTES_MAX + 2];
    memset(key, 'S', sizeof key);
    struct era_bytes long_key = {(const uint8_t *)key, ERA_STORE_KEY_BYTES_MAX + 1};

    struct era_store_put over_long_key[] = {put("Sa", "1"), {long_key, text("2")}};
    struct era_store_put over_long_value[] = {put("Sa", "1"),
                                              {text("Sb"), {large, ERA_STORE_VALUE_BYTES_MAX + 1}}};
    struct era_store_put empty_key[] = {put("Sa", "1"), put("", "2")};
    struct era_store_put delete_over_long_key[] = {put("Sa", "1"), {long_key, {NULL, 0}}};
    cr_assert_eq(era_store_commit(s, over_long_key, 2), -EINVAL, "%s", store);
    cr_assert_eq(era_store_commit(s, over_long_value, 2), -EINVAL, "%s", store);
    cr_assert_eq(era_store_commit(s, empty_key, 2), -EINVAL, "%s", store);
    cr_assert_eq(era_store_commit(s, delete_over_long_key, 2), -EINVAL, "%s", store);

    char out[256];
    cr_assert_str_eq(walk_text(s, "", out, sizeof out), "", "%s", store);
    cr_assert_str_eq(get_text(s, "", out), "-EINVAL", "%s", store);
    free(large);
}

Rule(the_largest_key_value_and_batch_pass)
{
    uint8_t *large = calloc(1, ERA_STORE_VALUE_BYTES_MAX);
    char key[ERA_STORE_KEY_BYTES_MAX];
    memset(key, 'S', sizeof key);
    struct era_store_put one = {{(const uint8_t *)key, sizeof key}, {large, ERA_STORE_VALUE_BYTES_MAX}};
    cr_assert_eq(era_store_commit(s, &one, 1), 0, "%s", store);
    uint8_t *value;
    size_t len;
    cr_assert_eq(era_store_get(s, one.key, &value, &len), 0, "%s", store);
    cr_assert_eq(len, ERA_STORE_VALUE_BYTES_MAX, "%s", store);
    free(value);
    free(large);

    struct era_store_put many[ERA_STORE_BATCH_MAX + 1];
    for (size_t i = 0; i < ERA_STORE_BATCH_MAX + 1; i++)
        many[i] = put("Sa", "1");
    cr_assert_eq(era_store_commit(s, many, ERA_STORE_BATCH_MAX), 0, "%s", store);
    cr_assert_eq(era_store_commit(s, many, ERA_STORE_BATCH_MAX + 1), -EINVAL, "%s", store);
}

Rule(an_empty_batch_is_fine)
{
    cr_assert_eq(era_store_commit(s, NULL, 0), 0, "%s", store);
}

Rule(what_is_read_is_borrowed_and_is_what_was_committed)
{
    struct era_bytes value;
    cr_assert_eq(commit_text(s, "Sa", "one"), 0);
    cr_assert_eq(commit_filled(s, 7, 70000), 0);
    cr_assert_eq(era_store_read(s, text("Sa"), &value), 0, "%s", store);
    cr_expect_eq(value.len, 3);
    cr_expect_arr_eq(value.data, "one", 3);
    cr_expect_eq(era_store_read(s, text("Sb"), &value), -ENOENT);
    cr_expect_eq(era_store_read(s, (struct era_bytes){(const uint8_t *)"", 0}, &value), -EINVAL);
    cr_assert_eq(commit_text(s, "Sa", "another"), 0);
    cr_assert_eq(era_store_read(s, text("Sa"), &value), 0);
    cr_expect_eq(value.len, 7, "of the last commit, not of the first read");
    cr_expect_arr_eq(value.data, "another", 7);
    cr_assert_eq(commit_text(s, "Sa", NULL), 0);
    cr_expect_eq(era_store_read(s, text("Sa"), &value), -ENOENT);
}
