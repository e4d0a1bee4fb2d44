#define ERA_TABLE_KEY (&table->key)
#include "src/base/table.h"

#include "p2p/gossip_table.h"

#include <assert.h>
#include <string.h>

struct row {
    struct era_idnote note; /* note.id is the key */
    UT_hash_handle hh;
};

struct era_idtable {
    struct era_siphash_key key;
    size_t cap;
    struct row *rows; /* uthash keeps the order of arrival */
};

struct era_idtable *era_idtable_new(size_t cap, const struct era_siphash_key *key)
{
    struct era_idtable *table = calloc(1, sizeof *table);
    assert(table != NULL && cap > 0);
    table->cap = cap;
    table->key = *key;
    return table;
}

static void row_drop(struct era_idtable *table, struct row *row)
{
    HASH_DEL(table->rows, row);
    free(row);
}

void era_idtable_clear(struct era_idtable *table)
{
    while (table->rows != NULL)
        row_drop(table, table->rows);
}

void era_idtable_free(struct era_idtable *table)
{
    if (table == NULL)
        return;
    era_idtable_clear(table);
    free(table);
}

size_t era_idtable_count(const struct era_idtable *table)
{
    return HASH_COUNT(table->rows);
}

static struct row *row_find(const struct era_idtable *table, const struct era_hash *id)
{
    struct row *row;
    HASH_FIND(hh, table->rows, id->b, sizeof id->b, row);
    return row;
}

void era_idtable_put(struct era_idtable *table, const struct era_idnote *note)
{
    era_idtable_remove(table, &note->id);
    if (era_idtable_count(table) == table->cap)
        row_drop(table, table->rows);
    struct row *row = calloc(1, sizeof *row);
    assert(row != NULL);
    row->note = *note;
    HASH_ADD(hh, table->rows, note.id, sizeof row->note.id, row);
}

const struct era_idnote *era_idtable_find(const struct era_idtable *table, const struct era_hash *id)
{
    const struct row *row = row_find(table, id);
    return row == NULL ? NULL : &row->note;
}

const struct era_idnote *era_idtable_oldest(const struct era_idtable *table)
{
    return table->rows == NULL ? NULL : &table->rows->note;
}

void era_idtable_remove(struct era_idtable *table, const struct era_hash *id)
{
    struct row *row = row_find(table, id);
    if (row != NULL)
        row_drop(table, row);
}

void era_idtable_remove_link(struct era_idtable *table, uint64_t link)
{
    struct row *row, *next;
    HASH_ITER(hh, table->rows, row, next)
    {
        if (row->note.link == link)
            row_drop(table, row);
    }
}

static uint64_t known_mark(const struct era_siphash_key *key, const struct era_hash *id)
{
    uint64_t mark = era_siphash(key, id->b, sizeof id->b);
    return mark == 0 ? 1 : mark;
}

static uint64_t *known_row(const struct era_known *known, uint64_t mark)
{
    return known->rows[mark % known->row_count];
}

bool era_known_has(const struct era_known *known, const struct era_siphash_key *key,
                   const struct era_hash *id)
{
    if (known->row_count == 0)
        return false;
    uint64_t mark = known_mark(key, id);
    const uint64_t *row = known_row(known, mark);
    for (size_t i = 0; i < ERA_KNOWN_WAYS; i++)
        if (row[i] == mark)
            return true;
    return false;
}

static void known_insert(struct era_known *known, uint64_t mark)
{
    uint64_t *row = known_row(known, mark);
    memmove(&row[1], &row[0], (ERA_KNOWN_WAYS - 1) * sizeof row[0]);
    row[0] = mark;
    known->used++;
}

static void known_grow(struct era_known *known)
{
    struct era_known old = *known;
    known->row_count = old.row_count == 0 ? ERA_KNOWN_ROWS_MIN : 2 * old.row_count;
    known->used = 0;
    known->rows = calloc(known->row_count, sizeof *known->rows);
    assert(known->rows != NULL);
    for (size_t r = 0; r < old.row_count; r++)
        for (size_t i = ERA_KNOWN_WAYS; i-- > 0;) /* the oldest first */
            if (old.rows[r][i] != 0)
                known_insert(known, old.rows[r][i]);
    free(old.rows);
}

bool era_known_put(struct era_known *known, const struct era_siphash_key *key, const struct era_hash *id)
{
    if (era_known_has(known, key, id))
        return false;
    if (known->used >= known->row_count * ERA_KNOWN_WAYS / 2 && known->row_count < ERA_KNOWN_ROWS_MAX)
        known_grow(known);
    known_insert(known, known_mark(key, id));
    return true;
}

void era_known_free(struct era_known *known)
{
    if (known == NULL)
        return;
    free(known->rows);
    free(known);
}
