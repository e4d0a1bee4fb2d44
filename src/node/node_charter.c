/* What a validator says about a charter that follows: accept as one of its
 * validators, close as one of the old (R10). Accepts are for the newest charter's
 * successor; a close is said of older charters too, by whoever was away when they
 * were followed: until enough of them came, the next one does not count. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/author.h"
#include "src/core/charter.h"
#include "src/node/node_internal.h"

static enum era_verdict may_sign(const struct era_node *n, const char **why)
{
    *why = NULL;
    if (!n->config.secret)
        return ERA_NO_KEY;
    if (n->store_failed)
        return ERA_STORE_FAILED;
    if (n->charter_forked)
        return ERA_FORKED;
    return node_locked(n, why) ? ERA_LOCKED : ERA_ACCEPTED;
}

static bool accepted(const struct era_node *n, const struct era_successor *s)
{
    struct era_charter_vote vote = {.version = s->charter->version, .charter = s->hash};
    struct era_hash id = era_author_charter_vote_id(&n->config.network, ERA_KIND_ACCEPT, &vote);
    struct era_hash item = era_item_id_loose(&id, &n->config.secret->key);
    return era_ledger_find(n->ledger, &item);
}

/* Proof that the key is there (not binding). */
static enum era_verdict accept(struct era_node *n, const struct era_successor *s,
                               const struct era_reply *reply, const char **why)
{
    enum era_verdict v = may_sign(n, why);
    if (v != ERA_ACCEPTED)
        return v;
    if (!s->charter || era_charter_validator_index(s->charter, &n->config.secret->key) < 0)
        return ERA_UNKNOWN_KEY;
    if (accepted(n, s) || era_ledger_next(n->ledger, NULL))
        return ERA_DUPLICATE;
    struct era_statement *say = calloc(1, sizeof *say);
    assert(say);
    say->kind = ERA_KIND_ACCEPT;
    say->u.charter_vote = (struct era_charter_vote){.version = s->charter->version, .charter = s->hash};
    v = node_say(n, say, reply);
    free(say);
    return v;
}

/* s: follows the charter of this book. */
static enum era_verdict close_charter(struct era_node *n, const struct book *b, const struct era_successor *s,
                                      const struct era_reply *reply, const char **why)
{
    uint64_t last = 0;
    enum era_verdict v = may_sign(n, why);
    if (v != ERA_ACCEPTED)
        return v;
    if (n->clock_word.doubtful)
        return ERA_CLOCK;
    if (b->charter->authority_only || era_charter_validator_index(b->charter, &n->config.secret->key) < 0)
        return ERA_UNKNOWN_KEY;
    bool has_last = era_leases_last(&n->leases, &last);
    struct era_statement *say = calloc(1, sizeof *say);
    assert(say);
    say->kind = ERA_KIND_CLOSE;
    v = era_succession_may_close(b->ledger, s, &n->config.secret->key, has_last, last, &say->u.close, why);
    if (v == ERA_ACCEPTED)
        v = node_say(n, say, reply);
    free(say);
    return v;
}

void node_cast_charter(struct era_node *n)
{
    const char *why;
    if (!n->config.auto_charter || !n->started || !n->config.secret)
        return;
    for (size_t i = node_retired_count(n); i < n->book_count; i++) {
        const struct book *b = n->books[i];
        for (const struct era_successor *s = era_ledger_successors(b->ledger); s; s = s->next) {
            if (!s->charter)
                continue;
            if (b == node_newest(n))
                accept(n, s, NULL, &why);
            if (era_succession_approved(b->charter, s))
                close_charter(n, b, s, NULL, &why);
        }
    }
}

/* The book whose charter this one follows, or would; NULL: it is not known. */
static const struct book *book_before(const struct era_node *n, const struct era_hash *charter,
                                      const struct era_successor **out)
{
    for (size_t i = n->book_count; i-- > node_retired_count(n);)
        if ((*out = era_ledger_successor(n->books[i]->ledger, charter)))
            return n->books[i];
    return NULL;
}

void node_request_charter(struct era_node *n, const struct era_command *r)
{
    const char *why = NULL;
    const struct era_successor *s;
    const struct book *b = book_before(n, &r->proposal, &s);
    struct era_reply reply = {.request = r->id, .verdict = ERA_ACCEPTED};
    enum era_verdict v = ERA_NOT_FOUND;
    if (b && r->kind == ERA_CMD_CLOSE)
        v = close_charter(n, b, s, &reply, &why);
    else if (b == node_newest(n))
        v = accept(n, s, &reply, &why);
    if (v != ERA_ACCEPTED)
        node_refuse(n, r->id, v, why);
}
