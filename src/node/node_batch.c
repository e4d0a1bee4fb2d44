/* The way to the disk and back: what is taken in waits in batches of at most
 * ERA_STORE_BATCH_MAX records, the last of which is filling; a few fly at once;
 * STORED lets what they hold count. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/node/node_internal.h"

/* What one statement and its consequences put at once. */
#define PUTS_SPARE 4

/* A batch with room for what is pended next: a transaction has its bound (store.h). */
static struct batch *roomy(struct era_node *n)
{
    if (n->filling && n->filling->put_count + PUTS_SPARE <= ERA_STORE_BATCH_MAX)
        return n->filling;
    struct batch *b = calloc(1, sizeof *b);
    assert(b);
    b->token = n->next_token++;
    if (n->filling)
        n->filling->next = b;
    else
        n->waiting = b;
    n->filling = b;
    return b;
}

struct pending *node_pend(struct era_node *n, enum pending_kind kind)
{
    struct batch *b = roomy(n);
    if (b->pending_count == b->pending_cap) {
        b->pending_cap = b->pending_cap ? 2 * b->pending_cap : 8;
        b->pending = realloc(b->pending, b->pending_cap * sizeof *b->pending);
        assert(b->pending);
    }
    struct pending *p = &b->pending[b->pending_count++];
    memset(p, 0, sizeof *p);
    p->kind = kind;
    return p;
}

void node_put(struct era_node *n, struct era_store_key key, struct era_bytes value, bool own_copy)
{
    struct batch *b = n->filling ? n->filling : roomy(n);
    assert(b->put_count < ERA_STORE_BATCH_MAX);
    if (b->put_count == b->put_cap) {
        b->put_cap = b->put_cap ? 2 * b->put_cap : 8;
        b->puts = realloc(b->puts, b->put_cap * sizeof *b->puts);
        assert(b->puts);
    }
    if (own_copy && value.data) {
        uint8_t *copy = malloc(value.len ? value.len : 1);
        assert(copy);
        memcpy(copy, value.data, value.len);
        value.data = copy;
    }
    b->puts[b->put_count++] = (struct batch_put){key, value, own_copy && value.data};
}

void node_put_alone(struct era_node *n, struct era_store_key key, struct era_bytes value)
{
    roomy(n);
    node_put(n, key, value, true);
}

struct era_store_key node_key(const struct era_hash *item, uint32_t kind)
{
    return era_record_item(era_kind_is_carrier(kind) ? ERA_RECORD_CARRIER : ERA_RECORD_STATEMENT, item);
}

void node_put_delete(struct era_node *n, const struct era_hash *item, uint32_t kind)
{
    node_put_alone(n, node_key(item, kind), (struct era_bytes){0});
}

static void batch_free(struct batch *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->put_count; i++)
        if (b->puts[i].owned)
            free((void *)b->puts[i].value.data);
    for (size_t i = 0; i < b->pending_count; i++)
        free((void *)b->pending[i].bytes.data);
    free(b->pending);
    free(b->puts);
    free(b->spans);
    free(b);
}

static void launch(struct era_node *n, struct batch *b)
{
    b->spans = calloc(b->put_count, sizeof *b->spans);
    assert(b->spans);
    for (size_t i = 0; i < b->put_count; i++)
        b->spans[i] = (struct era_store_put){era_store_key_bytes(&b->puts[i].key), b->puts[i].value};
    struct era_effect *e = node_effect(n, ERA_EFF_STORE);
    e->token = b->token;
    e->puts = b->spans;
    e->count = b->put_count;
    n->flying[n->flying_count++] = b;
}

void node_flush(struct era_node *n)
{
    while (n->waiting && n->waiting->put_count > 0 && n->flying_count < ERA_NODE_BATCHES_MAX) {
        struct batch *b = n->waiting;
        n->waiting = b->next;
        if (!n->waiting)
            n->filling = NULL;
        launch(n, b);
    }
}

static void forget_pending(struct era_node *n, struct pending *p)
{
    if (p->item && p->link != 0)
        era_gossip_verdict(n->gossip, n->now_ms, p->link, &p->item->item, ERA_STORE_FAILED);
    if (p->item)
        era_ledger_abandon(p->ledger, p->item);
    if (p->has_reply)
        node_refuse(n, p->reply.request, ERA_STORE_FAILED, NULL);
}

void node_store_failed(struct era_node *n, const char *what, int error)
{
    if (!n->store_failed) {
        node_log(n, ERA_LOG_ERROR,
                 "store: cannot %s statements (%s): no votes and no announcements until restart; still "
                 "serving",
                 what, strerror(-error));
        node_signal(n, ERA_SIG_STORE, -1)->error = error;
    }
    n->store_failed = true; /* stop voting, keep serving, say so */
}

void node_stored(struct era_node *n, uint64_t token, int error)
{
    assert(n->flying_count > 0 && n->flying[0]->token == token); /* batches come back in order */
    struct batch *b = n->flying[0];
    n->flying_count--;
    memmove(n->flying, n->flying + 1, n->flying_count * sizeof n->flying[0]);
    if (error != 0) {
        n->stats.store_failures++;
        node_store_failed(n, "keep", error);
        for (size_t i = 0; i < b->pending_count; i++)
            forget_pending(n, &b->pending[i]);
        n->gate_dirty = true; /* some of it may count by evidence */
        node_count(n);
    } else {
        n->stats.stored_batches++;
        n->stats.stored_records += b->put_count;
        for (size_t i = 0; i < b->pending_count; i++)
            node_committed(n, &b->pending[i]);
    }
    batch_free(b);
}

size_t node_pending_count(const struct era_node *n)
{
    size_t count = 0;
    for (const struct batch *b = n->waiting; b; b = b->next)
        count += b->pending_count;
    for (size_t i = 0; i < n->flying_count; i++)
        count += n->flying[i]->pending_count;
    return count;
}

void node_batches_free(struct era_node *n)
{
    for (struct batch *b = n->waiting, *next; b; b = next) {
        next = b->next;
        batch_free(b);
    }
    for (size_t i = 0; i < n->flying_count; i++)
        batch_free(n->flying[i]);
}
