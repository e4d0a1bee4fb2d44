/* What lies on honest disks: adopted slots and their plans over all nodes (I1, I3), proofs (I4), and what was
 * acknowledged (I12). */
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/succession.h"
#include "src/erasim/check_internal.h"
#include "src/erasim/proof.h"

/* ---- I1, I3: the union of all that was adopted ---- */

static int order_cmp(const struct check_adopted *a, const struct check_adopted *b)
{
    if (a->name != b->name)
        return a->name < b->name ? -1 : 1;
    return check_slot_cmp(a->slot, b->slot);
}

static const struct check_entry *entry_in(const struct check_adopted *a, const struct era_hash *hash)
{
    for (size_t i = 0; i < a->count; i++)
        if (era_hash_eq(&a->entries[i].hash, hash))
            return &a->entries[i];
    return NULL;
}

static bool drops(const struct check_adopted *a, const struct era_hash *what)
{
    for (size_t i = 0; i < a->drop_count; i++)
        if (era_hash_eq(&a->drops[i], what))
            return true;
    return false;
}

/* Of two neighbours in the order of slots: what the lower one promised is in the upper one, or dropped there
 * by name, or lies before its first entry (its time has come and gone). By quorum intersection this holds
 * also when the upper one does not build on the lower (the extending rule), so it is judged only within
 * bounds. */
static void promise_kept(struct check *c, const struct check_adopted *lower,
                         const struct check_adopted *upper)
{
    char a[CHECK_ID_TEXT], b[CHECK_ID_TEXT], e[CHECK_ID_TEXT];
    if (lower->name != upper->name || drops(upper, &lower->proposal))
        return;
    check_look(c, RULE_I3);
    for (size_t i = 1; i < lower->count; i++) {
        const struct check_entry *was = &lower->entries[i];
        if (!was->has_effective || was->effective <= upper->entries[0].effective ||
            entry_in(upper, &was->hash) || drops(upper, &was->hash))
            continue;
        CHECK_BREAK(c, RULE_I3,
                    "%s: entry %s (epoch %llu) of slot %llu/%llu (%s) is neither in slot %llu/%llu (%s) nor "
                    "dropped there",
                    c->names[lower->name], check_id(&was->hash, e), (unsigned long long)was->effective,
                    (unsigned long long)lower->slot.version, (unsigned long long)lower->slot.seq,
                    check_id(&lower->proposal, a), (unsigned long long)upper->slot.version,
                    (unsigned long long)upper->slot.seq, check_id(&upper->proposal, b));
    }
}

static void eras_ascend(struct check *c, const struct check_adopted *a)
{
    char id[CHECK_ID_TEXT];
    check_look(c, RULE_I3);
    for (size_t i = 1; i < a->count; i++)
        if (a->entries[i].era < a->entries[i - 1].era)
            CHECK_BREAK(c, RULE_I3, "%s: era %llu after era %llu in the adopted plan of slot %llu (%s)",
                        c->names[a->name], (unsigned long long)a->entries[i].era,
                        (unsigned long long)a->entries[i - 1].era, (unsigned long long)a->slot.seq,
                        check_id(&a->proposal, id));
}

/* Judged while faulty stake is within its bound: above it a slot may be void (R12), which is no break. */
static void one_id(struct check *c, const struct sim_node *n, const struct check_adopted *had,
                   const struct check_adopted *now)
{
    char a[CHECK_ID_TEXT], b[CHECK_ID_TEXT];
    const struct era_charter *charter = check_charter(c, n, now->slot.version);
    if (era_hash_eq(&had->proposal, &now->proposal) || !charter ||
        !check_bounded(c, charter, c->names[now->name]))
        return;
    CHECK_BREAK(c, RULE_I1, "%s slot %llu/%llu: %s is adopted on %s, %s on %s", c->names[now->name],
                (unsigned long long)now->slot.version, (unsigned long long)now->slot.seq,
                check_id(&had->proposal, a), c->s->nodes[had->node].name, check_id(&now->proposal, b),
                n->name);
}

static void order_insert(struct check *c, const struct sim_node *n, struct check_adopted *a)
{
    if (c->order_count == c->order_cap) {
        c->order_cap = c->order_cap ? 2 * c->order_cap : 64;
        c->order = realloc(c->order, c->order_cap * sizeof(struct check_adopted *));
        if (!c->order)
            abort();
    }
    size_t at = c->order_count++;
    for (; at > 0 && order_cmp(c->order[at - 1], a) > 0; at--)
        c->order[at] = c->order[at - 1];
    c->order[at] = a;
    check_look(c, RULE_I1);
    eras_ascend(c, a);
    if (at > 0 && order_cmp(c->order[at - 1], a) == 0) {
        one_id(c, n, c->order[at - 1], a);
        return;
    }
    const struct era_charter *charter = check_charter(c, n, a->slot.version);
    if (!charter || !check_bounded(c, charter, c->names[a->name]))
        return;
    if (at > 0)
        promise_kept(c, c->order[at - 1], a);
    if (at + 1 < c->order_count)
        promise_kept(c, a, c->order[at + 1]);
}

static struct check_adopted *adopted_read(struct check *c, const struct sim_node *n,
                                          const struct era_bytes payload)
{
    struct era_carrier carrier;
    struct era_statement *s = calloc(1, sizeof *s);
    struct check_adopted *a = calloc(1, sizeof *a);
    if (!s || !a)
        abort();
    if (era_carrier_decode(payload, &carrier) != ERA_ACCEPTED) {
        free(s);
        free(a);
        return NULL;
    }
    bool fits = era_statement_decode(ERA_KIND_PROPOSAL, carrier.proposal, s) == ERA_ACCEPTED;
    const struct era_proposal *p = &s->u.proposal;
    if (fits) {
        const struct era_hash network = check_network(c);
        a->name = check_name(c, p->slot.component);
        a->slot = (struct check_slot){p->slot.charter_version, p->slot.seq};
        a->proposal = proof_statement_id(&network, ERA_KIND_PROPOSAL, carrier.proposal);
        a->prev.some = p->prev.some;
        a->prev.proposal = p->prev.proposal;
        a->node = n->number;
        a->count = p->plan.count;
        for (size_t i = 0; i < p->plan.count; i++)
            a->entries[i] = (struct check_entry){p->plan.entries[i].hash, p->plan.entries[i].has_effective,
                                                 p->plan.entries[i].effective, p->plan.entries[i].record.era,
                                                 p->plan.entries[i].record.requires};
        a->drop_count = p->drop_count;
        memcpy(a->drops, p->drops, p->drop_count * sizeof a->drops[0]);
    }
    era_carrier_clear(&carrier);
    free(s);
    if (!fits) {
        free(a);
        return NULL;
    }
    return a;
}

const struct check_adopted *check_adopted_find(const struct check *c, const struct era_hash *proposal)
{
    struct check_adopted **a = facts_find(c->proposals, proposal);
    return a ? *a : NULL;
}

static void certificate_stored(struct check *c, struct sim_node *n, const struct era_hash *item,
                               const struct era_envelope *e)
{
    bool is_new;
    if (facts_find(c->certificates, item))
        return;
    struct check_adopted *a = adopted_read(c, n, e->payload);
    if (!a) {
        CHECK_BREAK(c, RULE_I4, "%s stored a certificate that does not decode", n->name);
        return;
    }
    struct check_adopted **by_id = facts_put(c->proposals, &a->proposal, &is_new);
    struct check_adopted **by_item = facts_put(c->certificates, item, &is_new);
    if (!by_id || !by_item)
        abort();
    *by_id = *by_item = a;
    c->adopted_ms = c->s->now_ms;
    order_insert(c, n, a);
    check_adoption_agrees(c, a);
}

/* ---- everything that becomes durable ---- */

static void hold(struct check *c, const struct sim_node *n, const struct era_hash *item,
                 struct era_bytes value)
{
    bool is_new;
    if (n->number >= CHECK_HELD_NODES_MAX)
        return;
    struct check_held *h = facts_put(c->held, item, &is_new);
    if (!h)
        return;
    if (is_new) {
        h->bytes = malloc(value.len ? value.len : 1);
        if (!h->bytes)
            abort();
        memcpy(h->bytes, value.data, value.len);
        h->len = value.len;
    }
    h->by[n->number / 8] |= (uint8_t)(1u << n->number % 8);
}

static void announcement_stored(struct check *c, const struct sim_node *n, const struct era_envelope *e)
{
    struct check_node *w = check_node(c, n);
    struct check_acked own;
    if (n->key && era_key_eq(&e->key, &n->key->secret.key) && check_record_of(c, e, &own) &&
        own.slot.seq > w->durable_epoch)
        w->durable_epoch = own.slot.seq;
}

void check_stored(struct check *c, struct sim_node *n, const struct era_store_put *puts, size_t count)
{
    enum era_record_kind record;
    struct era_hash item;
    struct era_envelope e;
    for (size_t i = 0; i < count; i++) {
        if (!puts[i].value.data || !era_record_item_read(puts[i].key, &record, &item) ||
            record == ERA_RECORD_REBUILD)
            continue;
        hold(c, n, &item, puts[i].value);
        if (era_envelope_decode(puts[i].value, &e) != ERA_ACCEPTED)
            continue;
        if (e.kind == ERA_KIND_ANNOUNCEMENT)
            announcement_stored(c, n, &e);
        if (record != ERA_RECORD_CARRIER)
            continue;
        check_look(c, RULE_I1);
        if (e.kind == ERA_KIND_CERTIFICATE)
            certificate_stored(c, n, &item, &e);
    }
}

bool check_on_disk(const struct sim_node *n, enum era_record_kind kind, const struct era_hash *item)
{
    struct era_store_key key = era_record_item(kind, item);
    uint8_t *value;
    size_t len;
    if (era_store_get(n->disk.store, era_store_key_bytes(&key), &value, &len) != 0)
        return false;
    free(value);
    return true;
}

/* ---- I4 ---- */

/* At every adoption, restart, and at every eighth change of epoch of a node. */
void check_proof(struct check *c, struct sim_node *n, const struct check_head *head)
{
    char id[CHECK_ID_TEXT];
    if (!head->some)
        return;
    check_look(c, RULE_I4);
    struct era_hash item = proof_carrier_item(ERA_KIND_CERTIFICATE, &head->proposal);
    struct era_hash network = check_network(c);
    struct era_store_key key = era_record_item(ERA_RECORD_CARRIER, &item);
    const struct era_charter *charter = check_charter(c, n, head->slot.version);
    const char *flaw = "no such charter is known";
    uint8_t *value;
    size_t len;
    if (era_store_get(n->disk.store, era_store_key_bytes(&key), &value, &len) != 0) {
        CHECK_BREAK(c, RULE_I4, "%s: head %s (slot %llu/%llu) is active, its proof is not on disk", n->name,
                    check_id(&head->proposal, id), (unsigned long long)head->slot.version,
                    (unsigned long long)head->slot.seq);
        return;
    }
    if (charter)
        flaw = proof_certificate(charter, &network, &head->proposal, (struct era_bytes){value, len});
    free(value);
    if (flaw)
        CHECK_BREAK(c, RULE_I4, "%s: head %s (slot %llu/%llu) is not proven: %s", n->name,
                    check_id(&head->proposal, id), (unsigned long long)head->slot.version,
                    (unsigned long long)head->slot.seq, flaw);
}

void check_charter_proof(struct check *c, struct sim_node *n, const struct era_charter *old,
                         const struct era_charter *next)
{
    char id[CHECK_ID_TEXT];
    struct era_hash item = proof_carrier_item(ERA_KIND_CHARTER_CERTIFICATE, &next->hash);
    struct era_hash network = check_network(c);
    struct era_store_key key = era_record_item(ERA_RECORD_CARRIER, &item);
    uint8_t *value;
    size_t len;
    check_look(c, RULE_I4);
    if (era_store_get(n->disk.store, era_store_key_bytes(&key), &value, &len) != 0) {
        CHECK_BREAK(c, RULE_I4, "%s: charter %llu (%s) is adopted, its proof is not on disk", n->name,
                    (unsigned long long)next->version, check_id(&next->hash, id));
        return;
    }
    const char *flaw = proof_charter(old, &network, &next->hash, (struct era_bytes){value, len});
    free(value);
    if (flaw)
        CHECK_BREAK(c, RULE_I4, "%s: charter %llu (%s) is not proven: %s", n->name,
                    (unsigned long long)next->version, check_id(&next->hash, id), flaw);
}

/* ---- I12 ---- */

static void slot_of(struct check *c, const struct era_slot_id *slot, struct check_acked *out)
{
    out->name = check_name(c, slot->component);
    out->slot = (struct check_slot){slot->charter_version, slot->seq};
}

static bool read_loose(struct check *c, const struct era_statement *s, struct check_acked *out)
{
    switch (s->kind) {
    case ERA_KIND_PROPOSAL:
        slot_of(c, &s->u.proposal.slot, out);
        return true;
    case ERA_KIND_APPROVE:
    case ERA_KIND_READINESS:
        slot_of(c, &s->u.vote.slot, out);
        return true;
    case ERA_KIND_REJECT:
        slot_of(c, &s->u.reject.slot, out);
        return true;
    case ERA_KIND_ATTESTATION:
        slot_of(c, &s->u.attestation.slot, out);
        return true;
    case ERA_KIND_ANNOUNCEMENT:
        out->slot = (struct check_slot){s->u.announcement.charter_version, s->u.announcement.epoch};
        return true;
    case ERA_KIND_CHECKPOINT:
        out->slot = (struct check_slot){s->u.checkpoint.charter_version, s->u.checkpoint.at};
        return true;
    case ERA_KIND_ACCEPT:
    case ERA_KIND_CHARTER_APPROVE:
        out->slot.version = s->u.charter_vote.version;
        out->charter = s->u.charter_vote.charter;
        return true;
    case ERA_KIND_CLOSE:
        out->slot.version = s->u.close.version;
        return true;
    case ERA_KIND_CHARTER:
        out->slot.version = UINT64_MAX; /* never judged: it goes when another one is adopted */
        return true;
    case ERA_KIND_EVENT:
    case ERA_KIND_APPROVED:
    case ERA_KIND_CERTIFICATE:
    case ERA_KIND_EVIDENCE:
    case ERA_KIND_CHARTER_CERTIFICATE:
        break;
    }
    return false;
}

static bool record_of_carrier(struct check *c, const struct era_envelope *e, const struct era_hash *network,
                              struct check_acked *out)
{
    struct era_carrier carrier;
    if ((e->kind != ERA_KIND_APPROVED && e->kind != ERA_KIND_CERTIFICATE) ||
        era_carrier_decode(e->payload, &carrier) != ERA_ACCEPTED)
        return false;
    struct era_hash id = proof_statement_id(network, ERA_KIND_PROPOSAL, carrier.proposal);
    struct era_statement *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    bool fits =
        era_statement_decode(ERA_KIND_PROPOSAL, carrier.proposal, s) == ERA_ACCEPTED && read_loose(c, s, out);
    out->record = ERA_RECORD_CARRIER;
    out->item = proof_carrier_item(e->kind, &id);
    era_carrier_clear(&carrier);
    free(s);
    return fits;
}

/* The approvals of old signers hold a charter; nothing else that is said before them does. */
static bool may_go(const struct check *c, const struct era_envelope *e, uint64_t version)
{
    if (e->kind != ERA_KIND_CHARTER_APPROVE || version == 0 || version > c->s->charter_count)
        return e->kind == ERA_KIND_ACCEPT;
    const struct era_component *network = era_charter_component(c->s->charters[version - 1], "network");
    return network && era_charter_signer_index(network, &e->key) < 0;
}

bool check_record_of(struct check *c, const struct era_envelope *e, struct check_acked *out)
{
    const struct era_hash network = check_network(c);
    *out = (struct check_acked){.kind = e->kind, .name = -1, .record = ERA_RECORD_STATEMENT};
    if (era_kind_is_carrier(e->kind))
        return record_of_carrier(c, e, &network, out);
    struct era_hash id = proof_statement_id(&network, e->kind, e->payload);
    struct era_statement *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    out->item = proof_loose_item(&id, &e->key);
    bool fits = era_statement_decode(e->kind, e->payload, s) == ERA_ACCEPTED && read_loose(c, s, out);
    out->may_go = fits && may_go(c, e, out->slot.version);
    free(s);
    return fits;
}

/* What may be gone: a slot at or below the head (R9), an announcement that later ones overtook, words about a
 * charter that was adopted, or that went. */
static bool dominated(struct check *c, const struct sim_node *n, const struct check_acked *a)
{
    const struct era_ledger *l = era_node_ledger(n->node);
    if (a->name < 0) {
        const struct check_node *w = check_node(c, n);
        if (a->kind == ERA_KIND_ANNOUNCEMENT) /* a clock that jumped keeps others; two charters later none */
            return a->slot.seq < w->durable_epoch || c->s->counts.struck[SIM_FAULT_JUMP] > 0 ||
                   a->slot.version + 2 <= era_node_charter(n->node)->version;
        const struct era_successor *of = a->may_go ? era_ledger_successor(l, &a->charter) : NULL;
        return a->kind == ERA_KIND_CHARTER || a->kind == ERA_KIND_CHECKPOINT ||
               (a->may_go && (!of || !of->charter)) || a->slot.version <= era_node_charter(n->node)->version;
    }
    if (a->slot.version < era_node_charter(n->node)->version)
        return true; /* collected two charters later, and not judged in between */
    const struct era_charter *charter = era_ledger_charter(l);
    for (size_t i = 0; i < charter->component_count; i++) {
        if (strcmp(charter->components[i].id, c->names[a->name]) != 0)
            continue;
        const struct era_adopted *head = era_ledger_head(l, (int)i);
        return era_ledger_floor(l, (int)i) >= a->slot.seq ||
               (head && check_slot_cmp(check_head_of(head).slot, a->slot) >= 0);
    }
    return true;
}

static void must_hold(struct check *c, struct sim_node *n, const struct check_acked *a, const char *when)
{
    char id[CHECK_ID_TEXT];
    check_look(c, RULE_I12);
    if (check_on_disk(n, a->record, &a->item) || dominated(c, n, a))
        return;
    CHECK_BREAK(c, RULE_I12, "%s: %s %s (%s slot %llu/%llu) %s, and is not on disk", n->name,
                era_kind_name(a->kind), check_id(&a->item, id), a->name < 0 ? "no" : c->names[a->name],
                (unsigned long long)a->slot.version, (unsigned long long)a->slot.seq, when);
}

static void remember(struct check_node *w, const struct check_acked *a)
{
    for (size_t i = 0; a->kind == ERA_KIND_ANNOUNCEMENT && i < w->acked_count; i++)
        if (w->acked[i].kind == ERA_KIND_ANNOUNCEMENT) {
            w->acked[i] = *a;
            return;
        }
    if (w->acked_count == w->acked_cap) {
        w->acked_cap = w->acked_cap ? 2 * w->acked_cap : 16;
        w->acked = realloc(w->acked, w->acked_cap * sizeof *w->acked);
        if (!w->acked)
            abort();
    }
    if (w->acked_count < CHECK_ACKED_MAX)
        w->acked[w->acked_count++] = *a;
}

void check_acknowledge(struct check *c, struct sim_node *n, const struct check_acked *a)
{
    must_hold(c, n, a, "was let out or acknowledged");
    remember(check_node(c, n), a);
}

/* After a restart. A store that was set aside has forgotten (on_told), and so have we. */
void check_acked_again(struct check *c, struct sim_node *n)
{
    struct check_node *w = check_node(c, n);
    size_t kept = 0;
    for (size_t i = 0; i < w->acked_count; i++) {
        must_hold(c, n, &w->acked[i], "was acknowledged before the restart");
        if (!dominated(c, n, &w->acked[i]))
            w->acked[kept++] = w->acked[i];
    }
    w->acked_count = kept;
}

void check_asked(struct check *c, struct sim_node *n, const struct era_command *command)
{
    struct check_node *w = check_node(c, n);
    struct era_envelope e;
    struct check_asked asked = {.request = command->id, .command = command->kind};
    if (command->kind == ERA_CMD_SUBMIT)
        asked.carried =
            era_envelope_decode(command->bytes, &e) == ERA_ACCEPTED && check_record_of(c, &e, &asked.acked);
    else if (command->kind != ERA_CMD_READY && command->kind != ERA_CMD_ATTEST)
        return;
    for (size_t i = 0; i < CHECK_ASKED_MAX; i++)
        if (w->asked[i].request == 0) {
            w->asked[i] = asked;
            return;
        }
}

/* An own vote or attestation: the reply names the statement, the ledger its slot. */
static bool made(struct check *c, struct sim_node *n, const struct era_hash *id, struct check_acked *out)
{
    struct era_envelope e;
    uint8_t *value;
    size_t len;
    if (!n->key || era_hash_is_zero(id))
        return false;
    struct era_hash item = proof_loose_item(id, &n->key->secret.key);
    struct era_store_key key = era_record_item(ERA_RECORD_STATEMENT, &item);
    if (era_store_get(n->disk.store, era_store_key_bytes(&key), &value, &len) != 0) {
        char text[CHECK_ID_TEXT];
        CHECK_BREAK(c, RULE_I12, "%s acknowledged its statement %s, which is not on disk", n->name,
                    check_id(id, text));
        return false;
    }
    bool read = era_envelope_decode((struct era_bytes){value, len}, &e) == ERA_ACCEPTED &&
                check_record_of(c, &e, out);
    free(value);
    return read;
}

void check_replied(struct check *c, struct sim_node *n, const struct era_reply *reply)
{
    struct check_node *w = check_node(c, n);
    for (size_t i = 0; i < CHECK_ASKED_MAX; i++) {
        struct check_asked *asked = &w->asked[i];
        if (asked->request == 0 || asked->request != reply->request)
            continue;
        asked->request = 0;
        if (reply->verdict != ERA_ACCEPTED)
            return;
        bool some = asked->carried;
        if (asked->command != ERA_CMD_SUBMIT) {
            check_look(c, RULE_I12);
            some = made(c, n, &reply->id, &asked->acked);
        }
        if (some)
            check_acknowledge(c, n, &asked->acked);
        return;
    }
}
