/* Statements from wire, disk and our own hand: verify, offer, store; and what
 * follows once they are durable. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/author.h"
#include "src/core/charter.h"
#include "src/core/plan.h"
#include "src/node/node_internal.h"

static void count_verdict(struct era_node *n, uint32_t kind, enum era_verdict v)
{
    n->stats.verdicts[kind < ERA_STATS_KINDS ? kind : 0][v]++;
}

static uint32_t kind_of(struct era_bytes envelope)
{
    struct era_envelope e;
    return era_envelope_decode(envelope, &e) == ERA_ACCEPTED ? e.kind : 0;
}

/* Pend an offered item: it counts, leaves and is answered for when it is durable. */
static void pend_item(struct era_node *n, struct era_ledger *ledger, struct era_item *item,
                      const struct era_hash *id, uint64_t link, const struct era_reply *reply, bool assembled)
{
    struct pending *p = node_pend(n, PENDING_ITEM);
    p->item = item;
    p->ledger = ledger;
    p->link = link;
    p->assembled = assembled;
    if (reply) {
        p->has_reply = true;
        p->reply = *reply;
        p->reply.id = *id;
    }
    struct era_bytes body;
    bool here = era_ledger_body(ledger, item, &body);
    assert(here); /* until it is committed or abandoned */
    (void)here;
    node_put(n, node_key(&item->item, item->kind), body, false);
}

static bool is_held(const struct era_node *n, const struct era_ledger *ledger, const struct era_hash *id)
{
    struct era_hash item = era_item_id_loose(id, &n->config.secret->key);
    return era_ledger_find(ledger, &item);
}

/* A certificate that lists a vote of one's own. Votes at or below the floor, and of a book that is retired,
 * are collected. */
static bool is_lost_vote(const struct era_node *n, const struct book *b, const struct era_verified *s)
{
    const struct era_slot_id *slot = &s->statement->u.proposal.slot;
    int own = era_charter_validator_index(b->charter, &n->config.secret->key);
    bool listed = false;
    for (size_t i = 0; i < s->carrier->readiness_count; i++)
        listed |= own >= 0 && s->carrier->readiness[i].key == (uint32_t)own;
    if (!listed || slot->seq <= era_ledger_floor(b->ledger, s->component))
        return false;
    for (size_t i = 0; i < node_retired_count(n); i++)
        if (n->books[i] == b)
            return false;
    struct era_vote vote = {.slot = *slot, .proposal = s->id};
    struct era_hash id = era_author_vote_id(&n->config.network, ERA_KIND_READINESS, &vote);
    return !is_held(n, b->ledger, &id);
}

/* What binds to nothing may have gone with the charter that it is about (R6), or where its key says more than
 * is kept; likewise the approval of one who is a signer of that charter alone. */
static bool may_be_displaced(const struct book *b, const struct era_verified *s)
{
    return s->kind == ERA_KIND_CHARTER || s->kind == ERA_KIND_ACCEPT ||
           (s->kind == ERA_KIND_CHARTER_APPROVE && s->signer < 0) || era_ledger_crowded(b->ledger, s);
}

/* A word of one's own key that this store lacks. Evidence names two. Other carriers are everybody's to make,
 * and the key they name is the proposal's author; but they stand for loose votes that are collected. The
 * closes in a charter's certificate are offered besides. */
static bool is_news_of_own_key(const struct era_node *n, const struct book *b, const struct era_verified *s)
{
    if (!n->config.secret)
        return false;
    if (s->carrier)
        return is_lost_vote(n, b, s);
    if (!era_key_eq(&s->key, &n->config.secret->key) || era_ledger_outran(b->ledger, s) ||
        may_be_displaced(b, s))
        return false;
    bool lacks = !s->evidence;
    for (size_t i = 0; s->evidence && i < 2; i++) {
        struct era_hash id =
            era_statement_id(&n->config.network, s->evidence->kind, s->evidence->payloads[i]);
        lacks |= !is_held(n, b->ledger, &id);
    }
    return lacks;
}

/* A peer that lacks what stands in its stead offers it in each round. */
static void keep_out(struct era_node *n, const struct era_hash *id)
{
    const struct era_item *held = node_find(n, id, NULL);
    if (held && held->durable && !held->offered)
        era_gossip_keep_out(n->gossip, id);
}

/* By all books. */
static uint64_t signatures_checked(const struct era_node *n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n->book_count; i++)
        sum += era_verifier_signatures(n->books[i]->verifier);
    return sum;
}

/* What is known of an item without its signatures: ERA_ACCEPTED that they are worth to be checked. */
static enum era_verdict known_of(const struct era_node *n, const struct era_opened *opened, uint64_t link,
                                 struct era_hash *item)
{
    if (!era_verify_name(node_newest(n)->verifier, opened, item))
        return ERA_ACCEPTED;
    if (node_find(n, item, NULL))
        return ERA_DUPLICATE;
    return link != 0 && era_gossip_is_past(n->gossip, item) ? ERA_DOMINATED : ERA_ACCEPTED;
}

static enum era_verdict event_arrived(struct era_node *n, const struct era_opened *opened, uint64_t link);

enum era_verdict node_intake(struct era_node *n, const struct era_opened *opened, uint64_t link,
                             const struct era_reply *reply, bool assembled)
{
    const struct era_verified *s;
    struct era_hash item;
    const char *why = NULL;
    struct era_item *offered = NULL;
    uint32_t kind = opened->envelope.kind;
    if (kind == ERA_KIND_EVENT) {
        enum era_verdict arrived = event_arrived(n, opened, link);
        if (reply)
            node_reply(n, &(struct era_reply){.request = reply->request, .verdict = arrived});
        return arrived;
    }
    struct book *book = NULL;
    uint64_t checked = signatures_checked(n);
    enum era_verdict v = known_of(n, opened, link, &item);
    if (v == ERA_ACCEPTED)
        v = node_verify(n, opened, &s, &item, &why, &book);
    if (v == ERA_ACCEPTED && kind == ERA_KIND_ANNOUNCEMENT &&
        book == n->counting) { /* whatever its epoch (R14: CLOCK) */
        era_clock_hear(n->clock, s->validator, s->statement->u.announcement.epoch, n->epoch, n->now_ms);
        n->clock_dirty = true;
    }
    if (v == ERA_ACCEPTED)
        v = era_ledger_offer(book->ledger, s, n->epoch, false, &offered);
    if (v == ERA_ACCEPTED && link != 0 && is_news_of_own_key(n, book, s))
        node_own_word_missing(n, s->evidence  ? s->evidence->kind
                                 : s->carrier ? (uint32_t)ERA_KIND_READINESS
                                              : kind);
    count_verdict(n, kind, v);
    if (v == ERA_ACCEPTED)
        pend_item(n, book->ledger, offered, &s->id, link, reply, assembled);
    else if (reply)
        node_reply(n, &(struct era_reply){.request = reply->request, .verdict = v, .why = why});
    if (v == ERA_DUPLICATE)
        keep_out(n, &item);
    if (v != ERA_ACCEPTED && link != 0) {
        era_gossip_wasted(n->gossip, n->now_ms, link, signatures_checked(n) - checked);
        era_gossip_verdict(n->gossip, n->now_ms, link, era_hash_is_zero(&item) ? NULL : &item, v);
    }
    return v;
}

enum era_verdict node_intake_own(struct era_node *n, struct era_bytes envelope, const struct era_reply *reply,
                                 bool assembled)
{
    struct era_opened opened;
    enum era_verdict v = era_envelope_open(&n->config.network, envelope, &opened);
    if (v == ERA_ACCEPTED)
        return node_intake(n, &opened, 0, reply, assembled);
    count_verdict(n, 0, v);
    if (reply)
        node_refuse(n, reply->request, v, NULL);
    return v;
}

/* ---- events (C3): never stored, relayed at once ---- */

static const struct era_hash *in_force_at(const struct era_node *n, uint64_t epoch, struct era_hash *out)
{
    struct era_view v;
    node_view_at(n, n->network_component, epoch, &v);
    const struct era_entry *e = era_view_entry(&v);
    if (!e)
        return NULL;
    *out = e->hash;
    return out;
}

static void event_gone(void *ctx, const struct era_hash *item)
{
    struct era_node *n = ctx;
    era_gossip_withdraw(n->gossip, ERA_SET_EVENTS, item);
}

static enum era_verdict event_arrived(struct era_node *n, const struct era_opened *opened, uint64_t link)
{
    const struct era_verified *s;
    struct era_hash item, entry;
    enum era_verdict v = ERA_DUPLICATE;
    const struct book *book = n->counting; /* whoever emits under another charter is in another era */
    uint64_t checked = era_verifier_signatures(book->verifier);
    item = opened->item;
    if (!era_events_seen(n->events, &item))
        v = era_verify_opened(book->verifier, opened, &s, &item, NULL);
    if (v == ERA_ACCEPTED) {
        enum era_gate_state gate = n->gates[n->network_component].state;
        uint64_t at = s->statement->u.event.epoch;
        /* Whoever is in another era neither processes nor relays (R15). */
        if (gate == ERA_GATE_BLOCKED || gate == ERA_GATE_MISMATCH)
            v = ERA_BLOCKED;
        else
            v = era_events_offer(n->events, s, n->epoch, in_force_at(n, at, &entry));
    }
    count_verdict(n, ERA_KIND_EVENT, v);
    if (v != ERA_ACCEPTED) {
        if (link != 0)
            era_gossip_wasted(n->gossip, n->now_ms, link, era_verifier_signatures(book->verifier) - checked);
        if (link != 0)
            era_gossip_verdict(n->gossip, n->now_ms, link, era_hash_is_zero(&item) ? NULL : &item, v);
        return v;
    }
    if (era_events_count(n->events) > ERA_EVENT_RING_MAX)
        era_events_expire(n->events, n->epoch, event_gone, n);
    era_gossip_publish(n->gossip, n->now_ms, ERA_SET_EVENTS, &item, link, true);
    struct era_event_statement *copy = node_alloc(n, sizeof *copy);
    *copy = s->statement->u.event;
    struct era_signal *signal = node_signal(n, ERA_SIG_EVENT, n->network_component);
    signal->event = copy;
    signal->validator = s->validator;
    n->stats.events_delivered++;
    return ERA_ACCEPTED;
}

void node_expire_events(struct era_node *n)
{
    era_events_expire(n->events, n->epoch, event_gone, n);
}

/* ---- durable ---- */

/* Signals count components as the newest charter does; -1: it has none of that name any more. */
static int component_here(const struct era_node *n, const struct era_charter *charter, int component)
{
    if (component < 0)
        return -1;
    const struct era_component *here = era_charter_component(n->charter, charter->components[component].id);
    return here ? (int)(here - n->charter->components) : -1;
}

static void tell_candidate(struct era_node *n, const struct era_charter *charter, const struct era_change *c,
                           enum era_signal_kind kind)
{
    struct era_signal *s = node_signal(n, kind, component_here(n, charter, c->component));
    s->proposal = c->item;
    s->seq = c->seq;
}

static void log_candidate(struct era_node *n, const struct era_charter *charter, const struct era_change *c,
                          const char *what)
{
    char id[ERA_HASH_TEXT_BYTES];
    node_log(n, ERA_LOG_NOTICE, "%s: proposal %.16s in slot %llu %s", charter->components[c->component].id,
             era_hash_text(&c->item, id), (unsigned long long)c->seq, what);
}

/* False: only a charter that was proposed as the next one names it. */
static bool speaker(const struct era_charter *charter, const struct era_change *c, struct era_signal *out)
{
    if (c->validator >= 0) {
        out->by = charter->validators[c->validator].name;
        out->by_key = charter->validators[c->validator].key;
        return true;
    }
    const struct era_component *component =
        c->component >= 0 ? &charter->components[c->component] : era_charter_component(charter, "network");
    if (c->signer < 0)
        return false;
    out->by = component->signers[c->signer].name;
    out->by_key = component->signers[c->signer].key;
    return true;
}

static void log_equivocation(struct era_node *n, const struct era_charter *charter,
                             const struct era_change *c)
{
    struct era_signal who = {0};
    bool named = speaker(charter, c, &who);
    node_log(n, ERA_LOG_WARNING, "equivocation: %s signed two different %s statements for one place (%llu)",
             named ? who.by : "a signer of the next charter", era_kind_name(c->item_kind),
             (unsigned long long)c->seq);
    if (n->config.secret && named && era_key_eq(&who.by_key, &n->config.secret->key))
        node_log(n, ERA_LOG_WARNING,
                 "equivocation: that is this node's own key: it is used elsewhere too, or was; whoever holds "
                 "the evidence can show it");
    struct era_signal *s = node_signal(n, ERA_SIG_EQUIVOCATION, component_here(n, charter, c->component));
    s->item_kind = c->item_kind;
    s->by = who.by;
    s->by_key = who.by_key;
    s->signer = c->signer;
    s->validator = c->validator;
    s->seq = c->seq;
}

static void on_adopted(struct era_node *n, const struct era_charter *charter, const struct era_change *c)
{
    log_candidate(n, charter, c, "adopted");
    tell_candidate(n, charter, c, ERA_SIG_ADOPTED);
    n->view_since = n->epoch;
    n->gate_dirty = n->votes_dirty = true;
    era_gossip_forget_refused(n->gossip); /* the floor moved: what was beyond the window may fit now */
}

static bool drain(struct era_node *n, struct era_ledger *ledger, const struct era_hash *pushed, uint64_t from,
                  bool push)
{
    const struct era_charter *charter = era_ledger_charter(ledger);
    struct era_change c;
    bool some = false;
    while (era_ledger_take_change(ledger, &c)) {
        some = true;
        switch (c.kind) {
        case ERA_CHANGE_OFFER: {
            bool fresh = pushed && era_hash_eq(pushed, &c.item);
            era_gossip_publish(n->gossip, n->now_ms, ERA_SET_STATEMENTS, &c.item, fresh ? from : 0,
                               fresh && push);
            break;
        }
        case ERA_CHANGE_WITHDRAW:
            era_gossip_withdraw(n->gossip, ERA_SET_STATEMENTS, &c.item);
            break;
        case ERA_CHANGE_DELETE:
            node_put_delete(n, &c.item, c.item_kind);
            break;
        case ERA_CHANGE_EQUIVOCATION:
            log_equivocation(n, charter, &c);
            break;
        case ERA_CHANGE_ADOPTED:
            on_adopted(n, charter, &c);
            break;
        case ERA_CHANGE_APPROVED:
            log_candidate(n, charter, &c, "approved");
            tell_candidate(n, charter, &c, ERA_SIG_APPROVED);
            n->votes_dirty = true;
            break;
        case ERA_CHANGE_FAILED:
            log_candidate(n, charter, &c, "failed: too many signers rejected it");
            tell_candidate(n, charter, &c, ERA_SIG_FAILED);
            break;
        case ERA_CHANGE_CHARTER:
            node_charter_adopted(n, ledger);
            break;
        case ERA_CHANGE_ROOM:
            era_gossip_forget_refused(n->gossip);
            break;
        }
    }
    return some;
}

/* Changes since the last call. The item `pushed` is sent to all but `from`; others are only offered. */
void node_drain_changes(struct era_node *n, const struct era_hash *pushed, uint64_t from, bool push)
{
    for (bool some = true; some;) { /* one adoption may change older books too, and open a newer */
        some = false;
        for (size_t i = 0; i < n->book_count; i++)
            some |= drain(n, n->books[i]->ledger, pushed, from, push);
    }
}

static void item_committed(struct era_node *n, struct pending *p)
{
    /* The commit may free the item: keep what is needed of it. */
    struct era_hash item = p->item->item, proposal = {{0}};
    uint32_t kind = p->item->kind;
    int component = p->item->component;
    uint64_t seq = p->item->seq;
    int who = (int)p->item->who; /* of an announcement: the validator */
    if (kind == ERA_KIND_PROPOSAL && p->item->candidate)
        proposal = p->item->candidate->proposal;
    era_ledger_commit(p->ledger, p->item);
    node_drain_changes(n, &item, p->link, !p->assembled);
    const struct era_item *held = era_ledger_find(p->ledger, &item);
    if (p->link != 0 && !(held && held->offered)) /* gossip waits for a word on everything it delivered */
        era_gossip_verdict(n->gossip, n->now_ms, p->link, &item, held ? ERA_DUPLICATE : ERA_DOMINATED);
    if (kind == ERA_KIND_ANNOUNCEMENT) {
        era_fresh_announced(&n->fresh, p->ledger, who);
        n->announced_dirty = true;
    } else {
        era_fresh_forget(&n->fresh);
    }
    if (kind == ERA_KIND_CERTIFICATE || kind == ERA_KIND_EVIDENCE)
        n->gate_dirty = true;
    if (component >= 0)
        n->armed_dirty = true;
    if (kind == ERA_KIND_APPROVED) /* the window moved: what lay beyond it may fit now */
        era_gossip_forget_refused(n->gossip);
    if ((kind >= ERA_KIND_CHARTER && kind <= ERA_KIND_CHARTER_APPROVE) || kind == ERA_KIND_EVIDENCE) {
        n->votes_dirty = true;
        node_count(n); /* a late close may move the epoch from which it counts */
        /* Words of its keys may fit now; or the charter itself, which somebody wants. */
        if (kind == ERA_KIND_CHARTER || kind == ERA_KIND_CHARTER_APPROVE)
            era_gossip_forget_refused(n->gossip);
    }
    if (!era_hash_is_zero(&proposal) && n->started) {
        struct era_signal *s =
            node_signal(n, ERA_SIG_PROPOSAL, component_here(n, era_ledger_charter(p->ledger), component));
        s->proposal = proposal;
        s->seq = seq;
    }
}

static enum era_verdict own_event_arrived(struct era_node *n, struct era_bytes envelope)
{
    struct era_opened opened;
    enum era_verdict v = era_envelope_open(&n->config.network, envelope, &opened);
    assert(v == ERA_ACCEPTED); /* we made it */
    return event_arrived(n, &opened, 0);
}

void node_committed(struct era_node *n, struct pending *p)
{
    switch (p->kind) {
    case PENDING_ITEM:
        item_committed(n, p);
        break;
    case PENDING_EVENT:
        p->reply.verdict = own_event_arrived(n, p->bytes);
        if (p->reply.verdict == ERA_ACCEPTED)
            n->stats.events_emitted++;
        break;
    case PENDING_PLACES:
        node_places_kept(n, p->epoch, p->last_place);
        break;
    case PENDING_REBUILD:
        node_remember_rebuild(n, &p->rebuild);
        break;
    }
    if (p->has_reply)
        node_reply(n, &p->reply);
}

/* ---- our own carriers ---- */

static void assemble_charter(struct era_node *n, struct era_ledger *ledger)
{
    bool too_large;
    uint8_t *bytes;
    size_t len = era_ledger_assemble_charter(ledger, &bytes, &too_large);
    if (len > 0)
        node_intake_own(n, (struct era_bytes){bytes, len}, NULL, true);
    if (too_large)
        node_log(n, ERA_LOG_WARNING, "the next charter's certificate is too large to carry");
    free(bytes);
}

/* News, unlike the other carriers: it is pushed. */
static void assemble_evidence(struct era_node *n, struct era_ledger *ledger)
{
    uint8_t *bytes;
    size_t len;
    if (n->store_failed) /* its parts are held still: it is made again at the next start */
        return;
    while ((len = era_ledger_assemble_evidence(ledger, &bytes)) > 0) {
        node_intake_own(n, (struct era_bytes){bytes, len}, NULL, false);
        free(bytes);
    }
}

static void assemble(struct era_node *n, struct era_ledger *ledger)
{
    struct era_candidate *c;
    uint32_t kind;
    assemble_charter(n, ledger);
    assemble_evidence(n, ledger);
    while ((c = era_ledger_assemblable(ledger, &kind))) {
        uint8_t *bytes;
        size_t len = era_ledger_assemble(ledger, c, kind, &bytes);
        if (len > 0)
            node_intake_own(n, (struct era_bytes){bytes, len}, NULL, true);
        else
            node_log(n, ERA_LOG_WARNING,
                     "slot %llu: its %s is too large to carry, or its parts cannot be read",
                     (unsigned long long)c->seq, era_kind_name(kind));
        free(bytes);
    }
}

void node_assemble(struct era_node *n)
{
    for (size_t i = 0; i < n->book_count; i++)
        assemble(n, n->books[i]->ledger);
}

/* ---- disk ---- */

static enum era_verdict restore_statement(struct era_node *n, struct era_bytes envelope)
{
    const struct era_verified *s;
    struct era_hash item;
    struct era_item *offered;
    struct book *book;
    struct era_opened opened;
    enum era_verdict v = era_envelope_open(&n->config.network, envelope, &opened);
    if (v == ERA_ACCEPTED)
        v = node_verify(n, &opened, &s, &item, NULL, &book);
    if (v == ERA_UNKNOWN_CHARTER) /* records lie in no order: the charter it speaks of may come yet */
        return v;
    if (v == ERA_ACCEPTED && s->kind == ERA_KIND_ANNOUNCEMENT && book == n->counting)
        era_clock_know(n->clock, s->validator, s->statement->u.announcement.epoch);
    if (v == ERA_ACCEPTED)
        v = era_ledger_offer(book->ledger, s, ERA_EPOCH_MAX, true, &offered);
    if (v == ERA_ACCEPTED) {
        era_ledger_commit(book->ledger, offered);
        n->stats.restored++;
    } else {
        n->stats.restore_refused++;
        if (v == ERA_DOMINATED) /* collected in memory, the crash came before the disk was told (R9) */
            node_put_delete(n, &item, opened.envelope.kind);
    }
    node_drain_changes(n, NULL, 0, false);
    return v;
}

static void keep_for_later(struct era_node *n, struct era_bytes envelope)
{
    n->later = realloc(n->later, (n->later_count + 1) * sizeof *n->later);
    uint8_t *copy = malloc(envelope.len);
    assert(n->later && copy);
    memcpy(copy, envelope.data, envelope.len);
    n->later[n->later_count++] = (struct era_bytes){copy, envelope.len};
}

/* Once through them; true when one found its place. */
static bool restore_once(struct era_node *n, bool evidence)
{
    size_t kept = 0, before = n->later_count;
    for (size_t i = 0; i < before; i++) {
        bool due = (kind_of(n->later[i]) == ERA_KIND_EVIDENCE) == evidence;
        if (!due || restore_statement(n, n->later[i]) == ERA_UNKNOWN_CHARTER)
            n->later[kept++] = n->later[i];
        else
            free((void *)n->later[i].data);
    }
    n->later_count = kept;
    return kept < before;
}

/* Again and again, as long as one of them opens the way for another. Evidence last: what it names of a
 * charter counts when that charter is known, and what came loose has its own record. */
void node_restore_later(struct era_node *n)
{
    while (restore_once(n, false))
        ;
    for (size_t i = 0; i < n->book_count; i++)
        era_ledger_start(n->books[i]->ledger, n->epoch);
    restore_once(n, true);
    for (size_t i = 0; i < n->book_count; i++)
        era_ledger_complete(n->books[i]->ledger);
    node_drain_changes(n, NULL, 0, false);
    node_count(n); /* they may have said when the newest charter counts, or that a charter forks */
    n->stats.restore_refused += n->later_count;
    for (size_t i = 0; i < n->later_count; i++)
        free((void *)n->later[i].data);
    n->later_count = 0;
}

static bool is_meta(struct era_bytes key, const char *name)
{
    struct era_store_key meta = era_record_meta(name);
    return key.len == meta.len && memcmp(key.data, meta.b, meta.len) == 0;
}

enum era_verdict era_node_restore(struct era_node *n, struct era_bytes key, struct era_bytes value)
{
    enum era_record_kind kind;
    struct era_hash id;
    assert(!n->started);
    if (era_record_item_read(key, &kind, &id)) {
        if (kind != ERA_RECORD_REBUILD) {
            bool last = kind_of(value) == ERA_KIND_EVIDENCE;
            enum era_verdict v = last ? ERA_ACCEPTED : restore_statement(n, value);
            if (last || v == ERA_UNKNOWN_CHARTER)
                keep_for_later(n, value);
            return v;
        }
        struct era_rebuild r;
        if (!node_rebuild_read(value, &r))
            return ERA_MALFORMED;
        node_remember_rebuild(n, &r);
        return ERA_ACCEPTED;
    }
    if (is_meta(key, ERA_META_EVENT_SEQ)) {
        if (value.len != 16)
            return ERA_MALFORMED;
        n->own_event_epoch = era_get_be64(value.data);
        n->own_event_seq = n->event_places_kept = n->event_places_put = era_get_be64(value.data + 8);
    } else if (is_meta(key, ERA_META_EPOCH_HIGH)) {
        if (value.len != 8)
            return ERA_MALFORMED;
        n->high_water = era_get_be64(value.data);
    } else if (is_meta(key, ERA_META_MET)) {
        n->met = true;
    } else if (is_meta(key, ERA_META_KEY_LOCKED)) {
        n->lock = ERA_LOCK_MISSING;
    } else if (is_meta(key, ERA_META_ANNOUNCED)) {
        if (!era_epoch_runs_decode(value, &n->announced))
            return ERA_MALFORMED;
    } else if (is_meta(key, ERA_META_LEASES)) {
        if (!era_leases_decode(value, &n->leases))
            return ERA_MALFORMED;
    }
    return ERA_ACCEPTED;
}
