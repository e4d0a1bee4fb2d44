#include "p2p/overlay_book.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void era_book_init(struct era_book *book, const struct era_root *root)
{
    memset(book, 0, sizeof *book);
    era_root_prng(root, "overlay: where it looks first", &book->prng);
    era_root_siphash_key(root, "overlay: book", &book->key);
}

void era_book_release(struct era_book *book)
{
    for (size_t i = 0; i < ERA_BOOK_PLACES; i++)
        free(era_book_at(book, i));
    memset(book->at, 0, sizeof book->at);
    book->count = 0;
}

struct era_book_entry *era_book_at(const struct era_book *book, size_t i)
{
    return book->at[i / ERA_OVERLAY_WAYS][i % ERA_OVERLAY_WAYS];
}

struct era_book_entry *era_book_of_node(const struct era_book *book, const struct era_key *node)
{
    for (size_t i = 0; i < ERA_BOOK_PLACES; i++) {
        struct era_book_entry *e = era_book_at(book, i);
        if (e != NULL && era_key_eq(&e->record.node, node))
            return e;
    }
    return NULL;
}

struct era_book_entry *era_book_of_place(const struct era_book *book, const struct era_place *place)
{
    for (size_t i = 0; i < ERA_BOOK_PLACES; i++) {
        struct era_book_entry *e = era_book_at(book, i);
        if (e != NULL && era_place_eq(&e->record.place, place))
            return e;
    }
    return NULL;
}

/* The place in a bucket that a newcomer may have: a free one, else that of the worst. */
static struct era_book_entry **place_for(struct era_book *book, struct era_book_entry **bucket)
{
    struct era_book_entry **worst = NULL;
    size_t first = (size_t)era_prng_below(&book->prng, ERA_OVERLAY_WAYS);
    for (size_t i = 0; i < ERA_OVERLAY_WAYS; i++) {
        struct era_book_entry **e = &bucket[(first + i) % ERA_OVERLAY_WAYS];
        if (*e == NULL)
            return e;
        /* What was met holds its place against what is only told, until it fails. */
        if ((*e)->link != 0 || (*e)->dialling || ((*e)->proven && (*e)->fails == 0))
            continue;
        if (worst == NULL || (*e)->fails > (*worst)->fails)
            worst = e;
    }
    return worst;
}

struct era_book_entry *era_book_put(struct era_book *book, const struct era_peer_record *record)
{
    uint64_t group = era_place_group(&book->key, &record->place);
    struct era_book_entry **place = place_for(book, book->at[group % ERA_OVERLAY_BUCKETS]);
    if (place == NULL)
        return NULL;
    if (*place == NULL) {
        *place = malloc(sizeof **place);
        assert(*place != NULL);
        book->count++;
    }
    **place = (struct era_book_entry){.record = *record, .group = group};
    return *place;
}

void era_book_drop(struct era_book *book, const struct era_book_entry *entry)
{
    struct era_book_entry **bucket = book->at[entry->group % ERA_OVERLAY_BUCKETS];
    for (size_t i = 0; i < ERA_OVERLAY_WAYS; i++)
        if (bucket[i] == entry) {
            free(bucket[i]);
            bucket[i] = NULL;
            book->count--;
            return;
        }
    assert(false);
}

size_t era_book_groups(const struct era_book *book)
{
    size_t groups = 0;
    for (size_t i = 0; i < ERA_BOOK_PLACES; i++) {
        const struct era_book_entry *e = era_book_at(book, i);
        bool first = e != NULL;
        /* Equal groups share a bucket. */
        for (size_t k = i - i % ERA_OVERLAY_WAYS; first && k < i; k++)
            first = era_book_at(book, k) == NULL || era_book_at(book, k)->group != e->group;
        groups += first;
    }
    return groups;
}
