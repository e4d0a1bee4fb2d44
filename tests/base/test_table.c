#include <criterion/criterion.h>

static const struct era_siphash_key *table_key(void);
#define ERA_TABLE_KEY table_key()
#include "src/base/table.h"

static struct era_siphash_key secret = {{1}};
static unsigned asked;

static const struct era_siphash_key *table_key(void)
{
    asked++;
    return &secret;
}

struct item {
    uint64_t id;
    UT_hash_handle hh;
};

Test(table, finds_what_was_added_by_its_keyed_hash)
{
    struct item items[100], *table = NULL, *found;
    uint64_t wanted = 42, absent = 100;
    for (uint64_t i = 0; i < 100; i++) {
        items[i].id = i;
        HASH_ADD(hh, table, id, sizeof items[i].id, &items[i]);
    }
    cr_assert_eq(asked, 100);

    HASH_FIND(hh, table, &wanted, sizeof wanted, found);
    cr_assert_eq(found, &items[42]);
    cr_assert_eq(found->hh.hashv, (unsigned)era_siphash(&secret, &wanted, sizeof wanted));
    HASH_FIND(hh, table, &absent, sizeof absent, found);
    cr_assert_null(found);
    HASH_CLEAR(hh, table);
}
