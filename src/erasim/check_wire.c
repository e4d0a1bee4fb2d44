/* At the wire: what leaves honest nodes (I6, I7, I8, I9, I12, the lock). */
#include <stdlib.h>
#include <string.h>

#include "src/base/semver.h"
#include "src/erasim/check_internal.h"
#include "src/erasim/proof.h"

static struct era_hash hash_of(const char *domain, const struct era_key *key, uint32_t kind,
                               const char *component, uint64_t a, uint64_t b)
{
    uint8_t numbers[20];
    era_put_be32(numbers, kind);
    era_put_be64(numbers + 4, a);
    era_put_be64(numbers + 12, b);
    const struct era_bytes parts[] = {{(const uint8_t *)domain, strlen(domain)},
                                      {key->b, sizeof key->b},
                                      {numbers, sizeof numbers},
                                      {(const uint8_t *)component, strlen(component)}};
    return era_hash_parts(parts, 4);
}

/* ---- I6 ---- */

/* The place a key may speak about once. False: it may say what it likes there. */
static bool binding_place(const struct era_statement *s, const struct era_key *key, struct era_hash *place)
{
    switch (s->kind) {
    case ERA_KIND_APPROVE:
    case ERA_KIND_READINESS:
        *place = hash_of("place", key, s->kind, s->u.vote.slot.component, s->u.vote.slot.charter_version,
                         s->u.vote.slot.seq);
        return true;
    case ERA_KIND_ANNOUNCEMENT:
        *place = hash_of("place", key, s->kind, "", 0, s->u.announcement.epoch);
        return true;
    case ERA_KIND_CHECKPOINT:
        *place = hash_of("place", key, s->kind, s->u.checkpoint.component, 0, s->u.checkpoint.at);
        return true;
    case ERA_KIND_CHARTER_APPROVE:
        *place = hash_of("place", key, s->kind, "", s->u.charter_vote.version, 0);
        return true;
    case ERA_KIND_CLOSE:
        *place = hash_of("place", key, s->kind, "", s->u.close.version, 0);
        return true;
    case ERA_KIND_PROPOSAL:
    case ERA_KIND_REJECT:
    case ERA_KIND_ATTESTATION:
    case ERA_KIND_EVENT:
    case ERA_KIND_CHARTER:
    case ERA_KIND_ACCEPT:
    case ERA_KIND_APPROVED:
    case ERA_KIND_CERTIFICATE:
    case ERA_KIND_EVIDENCE:
    case ERA_KIND_CHARTER_CERTIFICATE:
        break;
    }
    return false;
}

/* A key whose own disk was set aside may have lost what nobody else holds; it then counts as faulty (§9). */
static bool lost_its_past(const struct check *c, const struct era_key *key)
{
    for (size_t i = 0; i < c->s->node_count; i++) {
        const struct sim_node *n = &c->s->nodes[i];
        if (n->key && era_key_eq(&n->key->secret.key, key))
            return i < c->node_count && c->nodes[i] && c->nodes[i]->damaged;
    }
    return false;
}

/* A key that is faulty by now is exempt; so what it said while it was honest counts no longer. */
static void once_a_place(struct check *c, const struct sim_node *n, const struct era_statement *s,
                         const struct era_key *key, const struct era_hash *id)
{
    char a[CHECK_ID_TEXT], b[CHECK_ID_TEXT], who[CHECK_ID_TEXT];
    struct era_hash place;
    bool is_new;
    if (!binding_place(s, key, &place))
        return;
    check_look(c, RULE_I6);
    struct era_hash *said = facts_put(c->places, &place, &is_new);
    if (!said)
        return;
    if (is_new) {
        *said = *id;
        return;
    }
    if (era_hash_eq(said, id) || sim_key_trust(c->s, key) == SIM_FAULTY || lost_its_past(c, key))
        return;
    era_hex(key->b, 8, who);
    CHECK_BREAK(c, RULE_I6, "honest key %s said %s and %s in one place: %s (seq or epoch %llu), leaving %s",
                who, check_id(said, a), check_id(id, b), era_kind_name(s->kind),
                (unsigned long long)(s->kind == ERA_KIND_ANNOUNCEMENT ? s->u.announcement.epoch
                                     : s->kind == ERA_KIND_APPROVE || s->kind == ERA_KIND_READINESS
                                         ? s->u.vote.slot.seq
                                         : 0),
                n->name);
}

/* ---- I7 ---- */

static void one_era_an_epoch(struct check *c, const struct sim_node *n, const struct era_event_statement *e,
                             const struct era_key *key)
{
    char a[CHECK_ID_TEXT], b[CHECK_ID_TEXT], who[CHECK_ID_TEXT];
    bool is_new;
    const struct era_charter *charter = check_charter(c, n, e->charter_version);
    if (!charter || !charter->strict_emission || !check_bounded(c, charter, "network") ||
        sim_key_trust(c->s, key) == SIM_FAULTY)
        return;
    check_look(c, RULE_I7);
    struct era_hash epoch = hash_of("epoch", &(struct era_key){{0}}, 0, "", e->epoch, 0);
    struct check_emission *first = facts_put(c->eras, &epoch, &is_new);
    if (!first)
        return;
    if (is_new) {
        *first = (struct check_emission){e->epoch, e->charter_version, e->entry};
        check_emission_agrees(c, first);
    }
    if (era_hash_eq(&first->entry, &e->entry))
        return;
    era_hex(key->b, 8, who);
    CHECK_BREAK(c, RULE_I7, "epoch %llu: events of honest keys name entries %s and %s (key %s, leaving %s)",
                (unsigned long long)e->epoch, check_id(&first->entry, a), check_id(&e->entry, b), who,
                n->name);
}

/* ---- I8 ---- */

struct check_head check_network_head(struct check *c, const struct sim_node *n)
{
    (void)c;
    int component = era_node_network_component(n->node);
    return check_head_of(component < 0 ? NULL : era_ledger_head(era_node_ledger(n->node), component));
}

static bool satisfied(const struct era_ranges *asked, const struct era_versions *v)
{
    for (int i = 0; i < ERA_VERSION_KINDS; i++)
        if (asked->v[i][0] && (!v->v[i][0] || !era_range_match(asked->v[i], v->v[i])))
            return false;
    return true;
}

bool check_closed(const struct check *c, const struct sim_node *n, const struct check_head *head,
                  uint64_t epoch, const struct era_versions *versions)
{
    if (!head->some) {
        const struct era_charter *charter = check_charter(c, n, 0);
        for (size_t i = 0; charter && i < charter->component_count; i++)
            if (strcmp(charter->components[i].id, "network") == 0)
                return !satisfied(&charter->components[i].initial.requires, versions);
        return false;
    }
    const struct check_adopted *a = check_adopted_find(c, &head->proposal);
    const struct check_entry *current = NULL;
    for (size_t i = 0; a && i < a->count; i++)
        if (a->entries[i].has_effective && a->entries[i].effective <= epoch)
            current = &a->entries[i];
    return current && !satisfied(&current->requires, versions);
}

/* Closed at the end of its last step and now, by the epoch of now: in the one step in which a node learns a
 * head or new versions it may still be sending. A forked node has no entry in force and is not closed by R15;
 * a mismatch is taken from the node's own word, the rebuild being its alone to know. */
static bool closed(struct check *c, const struct sim_node *n)
{
    const struct check_node *w = check_node(c, n);
    int component = era_node_network_component(n->node);
    uint64_t epoch = era_node_epoch(n->node);
    struct check_head head = check_network_head(c, n);
    uint64_t void_seq;
    if (component < 0 || era_ledger_forked(era_node_ledger(n->node), component, &void_seq))
        return false;
    if (era_node_gate(n->node, component)->state == ERA_GATE_MISMATCH && w->epoch == epoch && w->mismatch)
        return true;
    return check_closed(c, n, &w->heads[check_name(c, "network")], epoch, &w->versions) &&
           check_closed(c, n, &head, epoch, &n->versions);
}

/* Loose statements of slots, which a blocked node keeps to itself at or below its head. */
static bool of_slot(uint32_t kind)
{
    return kind == ERA_KIND_PROPOSAL || kind == ERA_KIND_APPROVE || kind == ERA_KIND_REJECT ||
           kind == ERA_KIND_ATTESTATION || kind == ERA_KIND_READINESS;
}

static void while_closed(struct check *c, const struct sim_node *n, const struct check_acked *sight)
{
    char id[CHECK_ID_TEXT];
    if (sight->kind != ERA_KIND_EVENT && !of_slot(sight->kind))
        return;
    if (!closed(c, n))
        return;
    check_look(c, RULE_I8);
    if (sight->kind == ERA_KIND_EVENT) {
        CHECK_BREAK(c, RULE_I8, "%s is blocked in epoch %llu and lets an event out", n->name,
                    (unsigned long long)era_node_epoch(n->node));
        return;
    }
    const struct check_head *head = &check_node(c, n)->heads[sight->name];
    if (head->some && check_slot_cmp(sight->slot, head->slot) <= 0)
        CHECK_BREAK(c, RULE_I8, "%s is blocked and lets %s %s out for slot %llu/%llu, at or below its head",
                    n->name, era_kind_name(sight->kind), check_id(&sight->item, id),
                    (unsigned long long)sight->slot.version, (unsigned long long)sight->slot.seq);
}

/* An old word of its own, which its store forgot and others gave back. */
static bool said_before(const struct check *c, const struct era_statement *s, const struct era_envelope *e)
{
    struct era_hash place;
    return binding_place(s, &e->key, &place) && facts_find(c->places, &place);
}

void check_storing(struct check *c, struct sim_node *n, const struct era_effect *store)
{
    struct era_envelope e;
    struct era_statement *s = NULL;
    for (size_t i = 0; n->key && i < store->count; i++) {
        const struct era_store_put *put = &store->puts[i];
        if (put->key.len == 0 || put->key.data[0] != ERA_RECORD_STATEMENT || !put->value.data ||
            era_envelope_decode(put->value, &e) != ERA_ACCEPTED || e.kind != ERA_KIND_ANNOUNCEMENT ||
            !era_key_eq(&e.key, &n->key->secret.key))
            continue;
        if (!s && !(s = calloc(1, sizeof *s)))
            abort();
        if (era_statement_decode(e.kind, e.payload, s) != ERA_ACCEPTED || said_before(c, s, &e))
            continue;
        check_look(c, RULE_I8);
        if (s->u.announcement.lease && s->u.announcement.has_entry) {
            struct check_head head = check_network_head(c, n);
            check_leased(c, &head, s->u.announcement.epoch, &s->u.announcement.entry);
        }
        if (s->u.announcement.lease && closed(c, n))
            CHECK_BREAK(c, RULE_I8, "%s is blocked in epoch %llu and leases epoch %llu", n->name,
                        (unsigned long long)era_node_epoch(n->node),
                        (unsigned long long)s->u.announcement.epoch);
    }
    free(s);
}

/* ---- I9 ---- */

static void accuses(struct check *c, const struct sim_node *n, const struct era_envelope *e)
{
    char who[CHECK_ID_TEXT];
    struct era_evidence evidence;
    if (era_evidence_decode(e->payload, &evidence) != ERA_ACCEPTED)
        return;
    check_look(c, RULE_I9);
    if (sim_key_trust(c->s, &evidence.key) == SIM_FAULTY || lost_its_past(c, &evidence.key))
        return;
    era_hex(evidence.key.b, 8, who);
    CHECK_BREAK(c, RULE_I9, "evidence of two %s names honest key %s, leaving %s",
                era_kind_name(evidence.kind), who, n->name);
}

/* ---- all that leaves ---- */

static void own_word(struct check *c, struct sim_node *n, const struct check_acked *sight)
{
    if (sight->kind == ERA_KIND_ANNOUNCEMENT) {
        struct check_node *w = check_node(c, n);
        w->announced = true;
        if (sight->slot.seq > w->announced_epoch)
            w->announced_epoch = sight->slot.seq;
    }
    check_acknowledge(c, n, sight);
}

static void honest_vote(struct check *c, const struct era_envelope *e, const struct era_statement *s,
                        const struct check_acked *sight)
{
    bool is_new;
    if (sim_key_trust(c->s, &e->key) == SIM_FAULTY)
        return;
    struct check_ready *r = facts_put(c->ready, &sight->item, &is_new);
    if (r && is_new)
        *r = (struct check_ready){sight->name, sight->slot, s->u.vote.proposal};
}

/* The first time that an envelope leaves any node. */
static void first_sight(struct check *c, struct sim_node *n, const struct era_envelope *e,
                        struct check_acked *sight)
{
    *sight = (struct check_acked){.kind = e->kind, .name = -1};
    if (e->kind == ERA_KIND_EVIDENCE)
        accuses(c, n, e);
    if (era_kind_is_carrier(e->kind))
        return;
    if (n->key && era_key_eq(&n->key->secret.key, &e->key))
        check_lock_word(c, n, e);
    struct era_statement *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    if (e->kind == ERA_KIND_EVENT) {
        if (era_statement_decode(e->kind, e->payload, s) == ERA_ACCEPTED)
            one_era_an_epoch(c, n, &s->u.event, &e->key);
    } else if (check_record_of(c, e, sight) && era_statement_decode(e->kind, e->payload, s) == ERA_ACCEPTED) {
        const struct era_hash network = check_network(c);
        struct era_hash id = proof_statement_id(&network, e->kind, e->payload);
        once_a_place(c, n, s, &e->key, &id);
        if (e->kind == ERA_KIND_READINESS)
            honest_vote(c, e, s, sight);
        if (n->key && era_key_eq(&n->key->secret.key, &e->key))
            own_word(c, n, sight);
    }
    free(s);
}

/* Copies cost a hash and a look; carriers, which nodes sign nothing in, are told apart by their edges. */
static struct era_hash fingerprint(const struct era_envelope *e, struct era_bytes bytes)
{
    static const struct era_siphash_key key = {{"erasim at wire"}};
    struct era_hash out = {{0}};
    bool whole = !era_kind_is_carrier(e->kind) || bytes.len <= 256;
    era_put_be64(out.b, era_siphash(&key, bytes.data, whole ? bytes.len : 128));
    era_put_be64(out.b + 8, era_siphash(&key, bytes.data + (whole ? 0 : bytes.len - 128), whole ? 0 : 128));
    era_put_be64(out.b + 16, bytes.len);
    return out;
}

void check_left(struct check *c, struct sim_node *n, const struct era_envelope *e, struct era_bytes bytes)
{
    bool is_new;
    struct era_hash print = fingerprint(e, bytes);
    struct check_acked *sight = facts_put(c->sights, &print, &is_new);
    struct check_acked room;
    if (!sight) { /* full: judged again each time */
        sight = &room;
        is_new = true;
    }
    if (is_new)
        first_sight(c, n, e, sight);
    while_closed(c, n, sight);
}
