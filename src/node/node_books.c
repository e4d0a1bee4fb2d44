/* Books: a verifier and a ledger for every charter of the chain (R10). The
 * newest takes votes; the one that counts at an epoch takes its announcements,
 * leases and events; older ones keep what was adopted under them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/plan.h"
#include "src/node/node_internal.h"

struct book *node_newest(const struct era_node *n)
{
    return n->books[n->book_count - 1];
}

const struct book *node_counting(const struct era_node *n, uint64_t epoch)
{
    size_t at = 0;
    while (at + 1 < n->book_count && era_succession_counts_next(n->books[at]->ledger, epoch))
        at++;
    return n->books[at];
}

int node_validator_of(const struct era_node *n, const struct era_charter *c)
{
    if (!n->config.secret)
        return -1;
    return c->authority_only ? era_charter_emitter_index(c, &n->config.secret->key)
                             : era_charter_validator_index(c, &n->config.secret->key);
}

/* Accepts and approvals of the next charter are judged by it: whoever proposed it may be believed that far.
 */
static const struct era_charter *known_charter(void *ctx, const struct era_hash *hash)
{
    const struct era_successor *s = era_ledger_successor(ctx, hash);
    return s ? s->charter : NULL;
}

static bool named_signer(void *ctx, const struct era_key *key)
{
    return era_ledger_names_signer(ctx, key);
}

/* A body that cannot be read is told by the step. */
static bool read_body(void *ctx, const struct era_hash *item, uint32_t kind, struct era_bytes *out)
{
    struct era_node *n = ctx;
    struct era_store_key key = node_key(item, kind);
    int rc = n->config.read(n->config.read_ctx, era_store_key_bytes(&key), out);
    if (rc != 0)
        n->read_error = rc;
    return rc == 0;
}

/* charter: borrowed, of the configuration or of the successor in the older ledger, which outlives the book.
 */
static void open_book(struct era_node *n, const struct era_charter *charter)
{
    struct book *b = calloc(1, sizeof *b);
    assert(b && n->book_count <= ERA_CHARTER_VERSION_MAX);
    n->books = realloc(n->books, (n->book_count + 1) * sizeof(*n->books));
    assert(n->books);
    b->charter = charter;
    b->quorum = era_charter_quorum(charter);
    b->verifier = era_verifier_new(charter, &n->config.network);
    b->ledger = era_ledger_new(charter, &n->config.network, &n->table_key);
    era_verifier_ask(b->verifier, known_charter, named_signer, b->ledger);
    if (n->config.read)
        era_ledger_read_with(b->ledger, read_body, n);
    if (n->book_count > 0)
        era_ledger_follow(b->ledger, node_newest(n)->ledger);
    n->books[n->book_count++] = b;
    n->ledger = b->ledger;
    n->charter = charter;
}

/* A component's plan begins with the record of the first charter since which all have it (R10: the plan goes
 * on; one that was left out once and comes again begins anew). */
static void plan_initial(const struct era_node *n, const char *id, struct era_plan *out)
{
    const struct era_component *first = NULL, *c;
    for (size_t i = n->book_count; i-- > 0 && (c = era_charter_component(n->books[i]->charter, id));)
        first = c;
    assert(first);
    era_plan_initial(first, out);
}

/* What is kept for each component of the newest charter; what was told of one is still told. */
static void index_components(struct era_node *n, const struct era_charter *before)
{
    const struct era_charter *c = node_newest(n)->charter;
    struct told *told = calloc(c->component_count, sizeof *told);
    free(n->initial);
    free(n->gates);
    n->initial = calloc(c->component_count, sizeof *n->initial);
    n->gates = calloc(c->component_count, sizeof *n->gates);
    assert(told && n->initial && n->gates);
    for (size_t i = 0; i < c->component_count; i++) {
        plan_initial(n, c->components[i].id, &n->initial[i]);
        const struct era_component *was = before ? era_charter_component(before, c->components[i].id) : NULL;
        if (was)
            told[i] = n->told[was - before->components];
        else
            told[i].state = ERA_GATE_NO_ERA;
    }
    free(n->told);
    n->told = told;
    const struct era_component *network = era_charter_component(c, "network");
    assert(network); /* charter check */
    n->network_component = (int)(network - c->components);
}

static void event_gone(void *ctx, const struct era_hash *item)
{
    struct era_node *n = ctx;
    era_gossip_withdraw(n->gossip, ERA_SET_EVENTS, item);
}

size_t node_retired_count(const struct era_node *n)
{
    size_t i = 0;
    while (i + 2 < n->book_count && n->books[i] != n->counting)
        i++;
    return i;
}

/* Announcements for the epoch before this one still say who is fresh (N6, R16). */
static void retire(struct era_node *n)
{
    for (size_t i = 0; i < node_retired_count(n); i++)
        era_ledger_retire(n->books[i]->ledger, n->epoch > 0 ? n->epoch - 1 : 0);
}

/* What was said before this charter counted is not heard now (R14). */
static struct era_clock *clock_of(const struct book *b)
{
    struct era_clock *clock = era_clock_new(b->charter);
    for (size_t v = 0; v < b->charter->validator_count; v++) {
        const struct era_item *said = era_ledger_announcement(b->ledger, (int)v, ERA_EPOCH_MAX, NULL);
        if (said)
            era_clock_know(clock, (int)v, said->seq);
    }
    return clock;
}

void node_count(struct era_node *n)
{
    const struct book *b = node_counting(n, n->epoch);
    if (b == n->counting) {
        retire(n);
        return;
    }
    if (n->events) { /* its events name places by the indices of its charter */
        era_events_expire(n->events, ERA_EPOCH_MAX, event_gone, n);
        era_events_free(n->events);
        era_clock_free(n->clock);
    }
    n->counting = b;
    n->events = era_events_new(b->charter, &n->table_key);
    n->clock = clock_of(b);
    n->validator = node_validator_of(n, b->charter);
    n->lease_quorum.some = false;
    n->gate_dirty = n->votes_dirty = n->clock_dirty = true;
    retire(n);
}

void node_books_init(struct era_node *n)
{
    open_book(n, n->config.charter);
    index_components(n, NULL);
    node_count(n);
}

void node_books_free(struct era_node *n)
{
    for (size_t i = n->book_count; i-- > 0;) { /* a book borrows its charter from the one before */
        era_ledger_free(n->books[i]->ledger);
        era_verifier_free(n->books[i]->verifier);
        free(n->books[i]);
    }
    for (size_t i = 0; i < n->later_count; i++)
        free((void *)n->later[i].data);
    free(n->later);
    free(n->books);
    free(n->initial);
    free(n->gates);
    free(n->told);
}

/* A charter's certificate is durable in the newest book: its own book opens, unless it is a second one. */
void node_charter_adopted(struct era_node *n, const struct era_ledger *ledger)
{
    bool forked;
    const struct era_successor *s = era_ledger_next(ledger, &forked);
    if (forked && !n->charter_forked) {
        n->charter_forked = true;
        node_log(n, ERA_LOG_ERROR,
                 "two charters of version %llu are adopted: no event is emitted any more; only a new genesis "
                 "helps",
                 (unsigned long long)(era_ledger_charter(ledger)->version + 1));
    }
    n->gate_dirty = n->votes_dirty = true;
    if (!s || ledger != node_newest(n)->ledger)
        return;
    const struct era_charter *before = node_newest(n)->charter;
    open_book(n, s->charter);
    index_components(n, before);
    node_count(n);
    n->view_since = n->epoch;
    /* What the key said under the charter before binds it no more. But a start only finds the adoption again,
     * and the lock may have come after it (§9). */
    if (n->started && n->lock == ERA_LOCK_MISSING)
        node_relock(n);
    era_gossip_forget_refused(n->gossip); /* what was of an unknown charter may fit now */
    char hash[ERA_HASH_TEXT_BYTES];
    node_log(n, ERA_LOG_NOTICE, "charter version %llu (%.16s) is adopted; it may count from epoch %llu on",
             (unsigned long long)s->charter->version, era_hash_text(&s->hash, hash),
             (unsigned long long)s->charter->effective);
}

const struct era_item *node_find(const struct era_node *n, const struct era_hash *item,
                                 const struct era_ledger **ledger)
{
    for (size_t i = n->book_count; i-- > 0;) {
        const struct era_item *found = era_ledger_find(n->books[i]->ledger, item);
        if (found && ledger)
            *ledger = n->books[i]->ledger;
        if (found)
            return found;
    }
    return NULL;
}

enum era_verdict node_verify(const struct era_node *n, const struct era_opened *opened,
                             const struct era_verified **out, struct era_hash *item, const char **why,
                             struct book **book)
{
    enum era_verdict v = ERA_UNKNOWN_CHARTER;
    for (size_t i = n->book_count; i-- > 0 && v == ERA_UNKNOWN_CHARTER;) {
        *book = n->books[i];
        v = era_verify_opened((*book)->verifier, opened, out, item, why);
    }
    return v;
}
