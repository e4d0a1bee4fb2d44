/* After every step of an honest node (I2, I3, I5, I9, I10, I11, I15). */
#include <stdlib.h>
#include <string.h>

#include "src/erasim/check_internal.h"
#include "src/erasim/proof.h"

struct check_head check_head_of(const struct era_adopted *head)
{
    if (!head)
        return (struct check_head){.some = false};
    return (struct check_head){true, {head->charter_version, head->seq}, head->proposal};
}

/* ---- I15 ---- */

/* A deadline further away than any clock runs is never, or an overflow. */
#define SANE_MS ((uint64_t)1 << 53)

static void look_time(struct check *c, const struct sim_node *n, struct check_node *w,
                      const struct era_event *event)
{
    uint64_t epoch = era_node_epoch(n->node), deadline = era_node_deadline_ms(n->node);
    check_look(c, RULE_I15);
    if (epoch > ERA_EPOCH_MAX)
        CHECK_BREAK(c, RULE_I15, "%s: epoch %llu is above 2^53 - 1", n->name, (unsigned long long)epoch);
    if (epoch < w->epoch)
        CHECK_BREAK(c, RULE_I15, "%s: epoch %llu after %llu in one run (R14)", n->name,
                    (unsigned long long)epoch, (unsigned long long)w->epoch);
    if (deadline != UINT64_MAX && deadline > event->now_ms && deadline - event->now_ms > SANE_MS)
        CHECK_BREAK(c, RULE_I15, "%s: deadline %llu at %llu: neither near nor never", n->name,
                    (unsigned long long)deadline, (unsigned long long)event->now_ms);
    bool again = event->kind == ERA_EV_TICK && w->look_tick && w->tick_ms == event->now_ms;
    w->look_tick = event->kind == ERA_EV_TICK;
    w->tick_ms = event->now_ms;
    w->ticks = again ? w->ticks + 1 : 0;
    if (w->ticks > CHECK_TICKS_MAX)
        CHECK_BREAK(c, RULE_I15, "%s: deadline %llu does not move on at %llu", n->name,
                    (unsigned long long)deadline, (unsigned long long)event->now_ms);
}

/* ---- I11 ---- */

/* Whatever one charter lets stand at once, counted generously: slots of the window and those with carriers.
 */
static uint64_t items_bound(const struct era_charter *charter)
{
    uint64_t sum = 0, validators = charter->validator_count;
    for (size_t i = 0; i < charter->component_count; i++) {
        uint64_t signers = charter->components[i].signer_count;
        uint64_t slot = 2 * (3 * signers + validators * (1 + ERA_ARTEFACTS_MAX * 2)) + 4;
        sum += (2 * ERA_LEDGER_WINDOW_SEQS) * slot + ERA_CERTIFICATES_KEPT_MAX;
    }
    sum += 16 * validators + 64 * ERA_SIGNERS_MAX; /* announcements, checkpoints, the next charters */
    return sum < ERA_LEDGER_ITEMS_MAX ? sum : ERA_LEDGER_ITEMS_MAX;
}

static void look_queues(struct check *c, const struct sim_node *n)
{
    static struct era_peer_info peers[ERA_LINKS_MAX];
    const struct era_gossip *g = era_node_gossip(n->node);
    const struct era_ledger *l = era_node_ledger(n->node);
    size_t count = era_gossip_peers(g, peers, ERA_LINKS_MAX);
    check_look(c, RULE_I11);
    if (era_ledger_count(l) > items_bound(era_ledger_charter(l)))
        CHECK_BREAK(c, RULE_I11, "%s: the ledger holds %zu items", n->name, era_ledger_count(l));
    if (count > ERA_LINKS_MAX)
        CHECK_BREAK(c, RULE_I11, "%s: %zu links", n->name, count);
    for (size_t i = 0; i < count && i < ERA_LINKS_MAX; i++)
        if (peers[i].queued_bytes > 2 * (uint64_t)ERA_LINK_OUT_BYTES_MAX)
            CHECK_BREAK(c, RULE_I11, "%s: %llu bytes wait for link %llu", n->name,
                        (unsigned long long)peers[i].queued_bytes, (unsigned long long)peers[i].link);
    if (era_gossip_set_size(g, ERA_SET_EVENTS) > ERA_EVENT_RING_MAX)
        CHECK_BREAK(c, RULE_I11, "%s: %zu events in the ring", n->name,
                    era_gossip_set_size(g, ERA_SET_EVENTS));
}

static void look_effect(struct check *c, struct sim_node *n, struct check_node *w, const struct era_effect *e)
{
    if (e->kind == ERA_EFF_STORE) {
        check_look(c, RULE_I11);
        w->flying++;
        if (e->count > ERA_STORE_BATCH_MAX)
            CHECK_BREAK(c, RULE_I11, "%s: %zu records in a batch", n->name, e->count);
        if (w->flying > ERA_NODE_BATCHES_MAX)
            CHECK_BREAK(c, RULE_I11, "%s: %zu batches fly", n->name, w->flying);
        check_storing(c, n, e);
    } else if (e->kind == ERA_EFF_SEND && e->bytes.len > ERA_FRAME_BYTES_MAX) {
        CHECK_BREAK(c, RULE_I11, "%s: a frame of %zu bytes", n->name, e->bytes.len);
    } else if (e->kind == ERA_EFF_REPLY) {
        check_replied(c, n, &e->reply);
    }
}

/* ---- I9 ---- */

/* A key that only a charter that was proposed names, is not named. One whose own disk was set aside may be
 * (§9). */
static void look_accusation(struct check *c, const struct sim_node *n, const struct era_signal *g)
{
    const struct era_key *key = &g->by_key;
    check_look(c, RULE_I9);
    if (!g->by || sim_key_trust(c->s, key) == SIM_FAULTY)
        return;
    for (size_t i = 0; i < c->s->node_count && i < c->node_count; i++)
        if (c->nodes[i] && c->nodes[i]->damaged && c->s->nodes[i].key &&
            era_key_eq(&c->s->nodes[i].key->secret.key, key))
            return;
    CHECK_BREAK(c, RULE_I9, "%s accuses an honest key, %s: two %s, seq %llu", n->name, g->by,
                era_kind_name(g->item_kind), (unsigned long long)g->seq);
}

/* ---- I5 ---- */

static void look_charters(struct check *c, struct sim_node *n, struct check_node *w)
{
    char a[CHECK_ID_TEXT], b[CHECK_ID_TEXT];
    const struct era_charter *above = NULL;
    const struct era_ledger *l = era_node_ledger(n->node);
    if (era_hash_eq(&w->charter, &era_ledger_charter(l)->hash))
        return;
    w->charter = era_ledger_charter(l)->hash;
    w->tally_count = 0; /* another ledger, other candidates */
    for (; l; l = era_ledger_older(l)) {
        const struct era_charter *charter = era_ledger_charter(l);
        struct era_hash version = {{0}};
        bool is_new;
        check_look(c, RULE_I5);
        era_put_be64(version.b, charter->version);
        struct era_hash *known = facts_put(c->charters, &version, &is_new);
        if (known && is_new) {
            *known = charter->hash;
            if (charter->version < SIM_CHARTERS_MAX)
                c->charter_ms[charter->version] = c->s->now_ms;
        }
        if (known && !era_hash_eq(known, &charter->hash) && check_bounded(c, charter, "network"))
            CHECK_BREAK(c, RULE_I5, "%s: charter %llu is %s, elsewhere %s", n->name,
                        (unsigned long long)charter->version, check_id(&charter->hash, a),
                        check_id(known, b));
        if (above)
            check_charter_proof(c, n, charter, above);
        if (above && (!above->has_parent || !era_hash_eq(&above->parent, &charter->hash)))
            CHECK_BREAK(c, RULE_I5, "%s: charter %llu does not follow the one before it", n->name,
                        (unsigned long long)above->version);
        above = charter;
    }
}

/* ---- I3: heads; I4: their proofs ---- */

static bool look_heads(struct check *c, struct sim_node *n, struct check_node *w, bool prove_all)
{
    char a[CHECK_ID_TEXT], b[CHECK_ID_TEXT];
    const struct era_ledger *l = era_node_ledger(n->node);
    const struct era_charter *charter = era_ledger_charter(l);
    bool changed = false, forked = false;
    for (size_t i = 0; i < charter->component_count; i++) {
        int name = check_name(c, charter->components[i].id);
        struct check_head now = check_head_of(era_ledger_head(l, (int)i)), *was = &w->heads[name];
        uint64_t void_seq;
        bool torn = era_ledger_forked(l, (int)i, &void_seq);
        forked |= torn;
        check_look(c, RULE_I3);
        /* A slot that became void leaves the head below it (R12); I1 says whether that may be. */
        bool down = was->some && (!now.some || check_slot_cmp(now.slot, was->slot) < 0);
        bool other = was->some && now.some && check_slot_cmp(now.slot, was->slot) == 0 &&
                     !era_hash_eq(&now.proposal, &was->proposal);
        if ((down && !torn) || other)
            CHECK_BREAK(c, RULE_I3, "%s: head of %s went from slot %llu/%llu (%s) to %llu/%llu (%s)", n->name,
                        c->names[name], (unsigned long long)was->slot.version,
                        (unsigned long long)was->slot.seq, check_id(&was->proposal, a),
                        (unsigned long long)now.slot.version, (unsigned long long)now.slot.seq,
                        check_id(&now.proposal, b));
        bool moved = now.some != was->some || !era_hash_eq(&now.proposal, &was->proposal);
        changed |= moved;
        *was = now;
        if (moved || prove_all)
            check_proof(c, n, &now);
        check_head_void(c, n, name, &now);
    }
    changed |= forked || w->forked;
    w->forked = forked;
    return changed;
}

/* ---- I2 ---- */

/* What is adopted, in words of our own: charter, heads, and void slots above them, all charters' alike. */
static struct era_hash adopted_sum(const struct era_ledger *l)
{
    struct era_hash sum = {{0}};
    bool newest = true;
    for (; l; l = era_ledger_older(l), newest = false) {
        const struct era_charter *charter = era_ledger_charter(l);
        for (size_t i = 0; i < charter->component_count; i++) {
            const struct era_adopted *all;
            struct check_head head = check_head_of(era_ledger_head(l, (int)i));
            size_t count = era_ledger_adopted(l, (int)i, &all);
            const char *id = charter->components[i].id;
            uint8_t some = head.some, slot[16];
            era_put_be64(slot, head.slot.version);
            era_put_be64(slot + 8, head.slot.seq);
            const struct era_bytes parts[] = {{sum.b, sizeof sum.b},
                                              {charter->hash.b, sizeof charter->hash.b},
                                              {(const uint8_t *)id, strlen(id) + 1},
                                              {&some, 1},
                                              {slot, sizeof slot},
                                              {head.proposal.b, sizeof head.proposal.b}};
            if (newest)
                sum = era_hash_parts(parts, 6);
            for (size_t k = 0; k + 1 < count; k++) {
                struct check_slot at = {all[k].charter_version, all[k].seq};
                struct check_slot next = {all[k + 1].charter_version, all[k + 1].seq};
                if (check_slot_cmp(at, next) != 0 || (head.some && check_slot_cmp(at, head.slot) < 0))
                    continue;
                era_put_be64(slot, at.version);
                era_put_be64(slot + 8, at.seq);
                sum = era_hash_parts(parts, 6);
            }
        }
    }
    return sum;
}

static void look_digest(struct check *c, const struct sim_node *n, struct check_node *w)
{
    char a[CHECK_ID_TEXT], b[CHECK_ID_TEXT];
    bool is_new;
    const struct era_ledger *l = era_node_ledger(n->node);
    w->digest = era_view_digest(l);
    check_look(c, RULE_I2);
    struct era_hash sum = adopted_sum(l);
    struct era_hash *digest = facts_put(c->digests, &sum, &is_new);
    if (digest && is_new)
        *digest = w->digest;
    if (digest && !era_hash_eq(digest, &w->digest))
        CHECK_BREAK(c, RULE_I2, "%s: digest %s where others with the same adopted ids have %s", n->name,
                    check_id(&w->digest, a), check_id(digest, b));
}

/* ---- I10 ---- */

/* Two lower ids of its slot are carried as approved: a carrier of it goes, with what it alone said (R6). */
bool check_is_outdone(const struct era_slot *slot, const struct era_candidate *k)
{
    size_t lower = 0;
    for (const struct era_candidate *other = slot->candidates; other; other = other->slot_next)
        lower += other->approved && era_hash_cmp(&other->proposal, &k->proposal) < 0;
    return !k->approved && lower >= ERA_IDS_PER_PLACE_MAX;
}

static void compare(struct check *c, const struct sim_node *n, const struct check_tally *was,
                    const struct check_tally *now)
{
    char id[CHECK_ID_TEXT];
    check_look(c, RULE_I10);
    bool gone = now->outdone && now->approved_by == 0;
    if ((gone || (was->approved_by & ~now->approved_by) == 0) && was->ready_stake <= now->ready_stake &&
        (!was->known || !now->known || was->match_least <= now->match_least))
        return;
    CHECK_BREAK(c, RULE_I10, "%s: tallies of %s shrank: approved by %llx then %llx, readiness %llu then %llu",
                n->name, check_id(&now->proposal, id), (unsigned long long)was->approved_by,
                (unsigned long long)now->approved_by, (unsigned long long)was->ready_stake,
                (unsigned long long)now->ready_stake);
}

/* Since when a proposal has had its approvals, for liveness. */
static void look_approved(struct check *c, const struct era_candidate *k)
{
    bool is_new;
    if (!k->known || __builtin_popcountll(k->approved_by) < (int)k->approvals_needed)
        return;
    uint64_t *since = facts_put(c->approved, &k->proposal, &is_new);
    if (since && is_new)
        *since = c->s->now_ms;
}

/* A candidate that left (its slot is decided) is forgotten; it may not come back smaller while it is there.
 */
static void look_tallies(struct check *c, const struct sim_node *n, struct check_node *w)
{
    static struct check_tally now[CHECK_TALLIES_MAX];
    const struct era_ledger *l = era_node_ledger(n->node);
    const struct era_charter *charter = era_ledger_charter(l);
    size_t count = 0;
    for (size_t i = 0; i < charter->component_count; i++) {
        const struct era_slot *const *slots;
        size_t slot_count = era_ledger_slots(l, (int)i, &slots);
        for (size_t s = 0; s < slot_count; s++)
            for (const struct era_candidate *k = slots[s]->candidates; k && count < CHECK_TALLIES_MAX;
                 k = k->slot_next) {
                look_approved(c, k);
                now[count++] =
                    (struct check_tally){.proposal = k->proposal,
                                         .component = (int)i,
                                         .slot = {k->charter_version, k->seq},
                                         .known = k->known,
                                         .outdone = check_is_outdone(slots[s], k),
                                         .approved_by = k->approved_by,
                                         .ready_stake = k->ready_stake,
                                         .match_least = k->known ? era_match_least(&k->matches) : 0};
            }
    }
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < w->tally_count; k++)
            if (era_hash_eq(&w->tallies[k].proposal, &now[i].proposal) &&
                w->tallies[k].component == now[i].component &&
                check_slot_cmp(w->tallies[k].slot, now[i].slot) == 0)
                compare(c, n, &w->tallies[k], &now[i]);
    memcpy(w->tallies, now, count * sizeof now[0]);
    w->tally_count = count;
}

/* ---- a step ---- */

void check_stepped(struct check *c, struct sim_node *n, const struct era_event *event,
                   const struct era_effect *effects, size_t count)
{
    struct check_node *w = check_node(c, n);
    uint64_t epoch = era_node_epoch(n->node);
    bool began = event->kind == ERA_EV_START, next = epoch != w->epoch;
    if (event->kind == ERA_EV_COMMAND)
        check_asked(c, n, event->command);
    if (event->kind == ERA_EV_STORED && w->flying > 0)
        w->flying--;
    look_time(c, n, w, event);
    check_lock_stepped(c, n, event);
    w->epoch = epoch;
    for (size_t i = 0; i < count; i++) {
        look_effect(c, n, w, &effects[i]);
        if (effects[i].kind == ERA_EFF_SIGNAL && effects[i].signal.kind == ERA_SIG_EQUIVOCATION)
            look_accusation(c, n, &effects[i].signal);
        if (event->kind == ERA_EV_COMMAND && event->command->kind == ERA_CMD_EMIT &&
            effects[i].kind == ERA_EFF_REPLY && effects[i].reply.request == event->command->id &&
            effects[i].reply.verdict == ERA_ACCEPTED)
            check_emitted(c, n);
    }
    bool eighth = next && (n->number + epoch) % 8 == 0;
    if (began || event->kind == ERA_EV_STORED || eighth) {
        look_charters(c, n, w);
        if (look_heads(c, n, w, began || eighth) || began)
            look_digest(c, n, w);
        look_tallies(c, n, w);
    }
    if (began || next)
        look_queues(c, n);
    if (began || eighth) {
        check_recount(c, n);
        check_recount_charters(c, n);
    }
    if (memcmp(&w->versions, &n->versions, sizeof w->versions) != 0)
        w->versions = n->versions;
    int component = era_node_network_component(n->node);
    w->mismatch = component >= 0 && era_node_gate(n->node, component)->state == ERA_GATE_MISMATCH;
}
