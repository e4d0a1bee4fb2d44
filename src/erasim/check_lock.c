/* The lock of the signing key (protocol §9): after a start, a node with configured peers lets no new word of
 * its own key out before it has learned what each of them that it reaches holds, at least one; or the
 * operator said that its store is the newest. What its disk held at the start is an old word: it may go. So
 * may an attestation, which binds to nothing, and what a person signs elsewhere, with a record of its own, as
 * a signer whose key is this one too. And no store of an honest node that keeps its disk lacks a word of
 * its key: where the people of a cast use it nowhere else, none is locked for that. */
#include "src/erasim/check_internal.h"
#include "src/erasim/proof.h"

struct walk {
    struct check *c;
    const struct sim_node *n;
};

static int old_word(void *ctx, struct era_bytes key, struct era_bytes value)
{
    const struct walk *w = ctx;
    struct era_envelope e;
    bool is_new;
    (void)key;
    if (era_envelope_decode(value, &e) != ERA_ACCEPTED || !era_key_eq(&e.key, &w->n->key->secret.key))
        return 0;
    const struct era_hash network = check_network(w->c);
    struct era_hash id = proof_statement_id(&network, e.kind, e.payload);
    struct era_hash item = proof_loose_item(&id, &e.key);
    facts_put(w->c->spoken, &item, &is_new);
    return 0;
}

void check_lock_began(struct check *c, const struct sim_node *n)
{
    struct walk w = {c, n};
    struct era_store_key prefix = era_record_prefix(ERA_RECORD_STATEMENT);
    if (n->key)
        era_store_walk(n->disk.store, era_store_key_bytes(&prefix), old_word, &w);
}

void check_lock_stepped(struct check *c, const struct sim_node *n, const struct era_event *event)
{
    struct check_node *w = check_node(c, n);
    size_t reachable, reconciled;
    if (c->s->cast && era_node_lock(n->node) == ERA_LOCK_MISSING && !w->damaged)
        CHECK_BREAK(c, RULE_LOCK, "%s locks its key as if its store lacked a word of it", n->name);
    if (w->unlocked)
        return;
    size_t anchors = era_gossip_anchor_state(era_node_gossip(n->node), &reachable, &reconciled);
    w->unlocked = anchors == 0 || (reconciled >= 1 && reconciled >= reachable) ||
                  (event->kind == ERA_EV_COMMAND && event->command->kind == ERA_CMD_UNLOCK);
}

/* By itself, as a validator or for its host. */
static bool node_signs(uint32_t kind)
{
    return kind == ERA_KIND_READINESS || kind == ERA_KIND_ANNOUNCEMENT || kind == ERA_KIND_EVENT ||
           kind == ERA_KIND_CHECKPOINT || kind == ERA_KIND_ACCEPT || kind == ERA_KIND_CLOSE;
}

void check_lock_word(struct check *c, const struct sim_node *n, const struct era_envelope *e)
{
    char text[CHECK_ID_TEXT];
    if (check_node(c, n)->unlocked || !node_signs(e->kind))
        return;
    const struct era_hash network = check_network(c);
    struct era_hash id = proof_statement_id(&network, e->kind, e->payload);
    struct era_hash item = proof_loose_item(&id, &e->key);
    check_look(c, RULE_LOCK);
    if (!facts_find(c->spoken, &item))
        CHECK_BREAK(c, RULE_LOCK,
                    "%s lets a new word of its key out (%s %s) before it knows what its peers hold", n->name,
                    era_kind_name(e->kind), check_id(&id, text));
}
