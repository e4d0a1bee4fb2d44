/* At the end of a run whose last epochs had no fault: liveness (protocol §10), and I13.
 *
 * Liveness is judged among the largest set of honest nodes that are up and linked with one another, none with
 * a failed store, when its able validators hold stake >= max(Q, enough). Able: honest key, unlocked, clock
 * not ahead of the true epoch by more than the tolerance. Who is blocked counts: the recovery lane is open
 * (R15), and what takes a broken release back is adopted there.
 *   - All of the set hold equal digests.
 *   - Each of its unlocked validators announced its present epoch or the one before, blocked ones too (I8),
 * and every one of the set holds that, or what was announced before it.
 *   - A proposal that has been approved for two epochs, builds on the head that all hold, is still timely by
 * an epoch to spare, extends the head, asks no rebuild, finds no other honest vote above the head and no
 * charter closing, and for whose kind every able validator votes by itself, is adopted. What fails one of
 * these may rightly wait, and is not judged. */
#include <stdlib.h>
#include <string.h>

#include "src/core/succession.h"
#include "src/erasim/check_internal.h"
#include "src/erasim/proof.h"

#define QUIET_EPOCHS_MIN 3
#define REPLAY_MS        2000 /* what was injected arrives, and is stored */

struct gathering {
    size_t count;
    struct sim_node **nodes; /* of the set, by number */
};

/* ---- who is connected ---- */

static bool counts(const struct sim_node *n)
{
    return n->node && n->trust == SIM_HONEST && !era_node_store_failed(n->node);
}

static size_t root_of(size_t *root, size_t i)
{
    while (root[i] != i)
        i = root[i] = root[root[i]];
    return i;
}

static struct gathering gather(const struct sim *s)
{
    size_t *root = calloc(s->node_count + 1, sizeof *root), *size = calloc(s->node_count + 1, sizeof *size);
    struct gathering g = {.nodes = calloc(s->node_count + 1, sizeof(struct sim_node *))};
    size_t best = 0;
    if (!root || !size || !g.nodes)
        abort();
    for (size_t i = 0; i < s->node_count; i++)
        root[i] = i;
    for (size_t i = 0; i < s->node_count; i++)
        for (size_t a = 0; a < s->nodes[i].anchor_count; a++) {
            size_t to = s->nodes[i].anchors[a];
            if (counts(&s->nodes[i]) && counts(&s->nodes[to]) && sim_linked(s, i, to))
                root[root_of(root, i)] = root_of(root, to);
        }
    for (size_t i = 0; i < s->node_count; i++)
        if (counts(&s->nodes[i]) && ++size[root_of(root, i)] > size[best])
            best = root_of(root, i);
    for (size_t i = 0; i < s->node_count; i++)
        if (counts(&s->nodes[i]) && root_of(root, i) == best)
            g.nodes[g.count++] = &s->nodes[i];
    free(root);
    free(size);
    return g;
}

/* ---- who is able ---- */

static const struct era_validator *seat(const struct era_charter *charter, const struct sim_node *n)
{
    for (size_t i = 0; n->key && i < charter->validator_count; i++)
        if (era_key_eq(&charter->validators[i].key, &n->key->secret.key))
            return &charter->validators[i];
    return NULL;
}

static bool able(struct check *c, const struct sim_node *n)
{
    const struct era_charter *charter = era_node_charter(n->node);
    enum era_gate_state state = era_node_gate(n->node, era_node_network_component(n->node))->state;
    return seat(charter, n) && era_node_lock(n->node) == ERA_LOCK_NONE &&
           era_node_epoch(n->node) <= sim_true_epoch(c->s) + charter->clock.tolerance_epochs &&
           (state == ERA_GATE_BLOCKED || state > ERA_GATE_CLOCK);
}

/* Stake of able validators; with votes >= 0 only if all of them vote by themselves for that kind. */
static uint64_t able_stake(struct check *c, const struct gathering *g, int votes)
{
    uint64_t stake = 0;
    for (size_t i = 0; i < g->count; i++) {
        if (!able(c, g->nodes[i]))
            continue;
        if (votes >= 0 && !g->nodes[i]->auto_votes[votes])
            return 0;
        stake += seat(era_node_charter(g->nodes[i]->node), g->nodes[i])->stake;
    }
    return stake;
}

static bool quorate(const struct era_charter *charter, const struct era_component *p, uint64_t stake)
{
    return charter->authority_only ||
           (stake >= proof_quorum(charter) && proof_reaches(charter, p->enough, stake));
}

/* ---- equal views, open lanes ---- */

static void views_equal(struct check *c, const struct gathering *g)
{
    char a[CHECK_ID_TEXT], b[CHECK_ID_TEXT];
    struct era_hash first = era_view_digest(era_node_ledger(g->nodes[0]->node));
    for (size_t i = 1; i < g->count; i++) {
        struct era_hash digest = era_view_digest(era_node_ledger(g->nodes[i]->node));
        check_look(c, RULE_LIVENESS);
        if (!era_hash_eq(&digest, &first))
            CHECK_BREAK(c, RULE_LIVENESS, "after %llu quiet epochs %s holds digest %s, %s holds %s",
                        (unsigned long long)c->s->plan.quiet_epochs, g->nodes[0]->name, check_id(&first, a),
                        g->nodes[i]->name, check_id(&digest, b));
    }
}

static void lanes_open(struct check *c, const struct gathering *g)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct sim_node *n = g->nodes[i];
        const struct check_node *w = check_node(c, n);
        uint64_t epoch = era_node_epoch(n->node);
        if (!seat(era_node_counting_charter(n->node), n) || era_node_lock(n->node) != ERA_LOCK_NONE)
            continue;
        struct check_head head = check_network_head(c, n);
        bool blocked = check_closed(c, n, &head, epoch, &n->versions);
        enum check_rule rule = blocked ? RULE_I8 : RULE_LIVENESS;
        check_look(c, rule);
        if (!w->announced || w->announced_epoch + 1 < epoch)
            CHECK_BREAK(c, rule, "%s (%s) announces nothing: last for epoch %llu, now %llu", n->name,
                        blocked ? "blocked" : "open", (unsigned long long)w->announced_epoch,
                        (unsigned long long)epoch);
    }
}

static bool timed(const struct check *c, const struct sim_node *n)
{
    uint64_t its = era_node_epoch(n->node), now = sim_true_epoch(c->s);
    return its + 1 >= now && its <= now + 1;
}

/* What a validator announced reached this node: blocked ones take announcements in (R15). */
static void hears(struct check *c, const struct sim_node *n, const struct sim_node *from)
{
    const struct era_ledger *l = era_node_ledger(n->node);
    const struct era_validator *v = seat(era_ledger_charter(l), from);
    const struct check_node *w = check_node(c, from);
    uint64_t now = sim_true_epoch(c->s);
    if (!v || !w->announced || w->announced_epoch < 2 || w->announced_epoch + 1 < now ||
        w->announced_epoch > now + 1 || !timed(c, n) || !timed(c, from) ||
        era_node_charter(n->node) != era_node_counting_charter(n->node) ||
        era_node_charter(from->node) != era_node_counting_charter(from->node) ||
        era_node_charter(n->node)->version != era_node_charter(from->node)->version)
        return;
    struct check_head head = check_network_head(c, n);
    enum check_rule rule =
        check_closed(c, n, &head, era_node_epoch(n->node), &n->versions) ? RULE_I8 : RULE_LIVENESS;
    check_look(c, rule);
    if (!era_ledger_fresh(l, (int)(v - era_ledger_charter(l)->validators), w->announced_epoch - 1))
        CHECK_BREAK(c, rule, "%s (%s) does not hold what %s announced for epoch %llu", n->name,
                    rule == RULE_I8 ? "blocked" : "open", from->name,
                    (unsigned long long)w->announced_epoch - 1);
}

static void all_hear(struct check *c, const struct gathering *g)
{
    for (size_t i = 0; i < g->count; i++)
        for (size_t k = 0; k < g->count; k++)
            if (i != k)
                hears(c, g->nodes[i], g->nodes[k]);
}

/* ---- what must be adopted ---- */

static bool has(const struct era_plan *plan, const struct era_hash *entry)
{
    for (size_t i = 0; i < plan->count; i++)
        if (era_hash_eq(&plan->entries[i].hash, entry))
            return true;
    return false;
}

static bool names(const struct era_proposal *p, const struct era_hash *entry)
{
    for (size_t i = 0; i < p->drop_count; i++)
        if (era_hash_eq(&p->drops[i], entry))
            return true;
    return false;
}

static bool timely(const struct era_component *p, const struct era_proposal *x, uint64_t epoch)
{
    uint64_t notice = (x->urgent ? p->urgent_notice_epochs : p->notice_epochs) + 1;
    if (x->expiry <= epoch + 1)
        return false;
    for (size_t i = 0; i < x->plan.count; i++)
        if (x->plan.entries[i].is_new && x->plan.entries[i].has_effective &&
            x->plan.entries[i].effective <= era_add_sat(epoch, notice))
            return false;
    return true;
}

static bool extends(const struct era_plan *head, const struct era_proposal *x, uint64_t epoch)
{
    const struct era_entry *first = &x->plan.entries[0];
    bool after = false;
    for (size_t i = 0; i < head->count; i++) {
        const struct era_entry *e = &head->entries[i];
        if (after && e->has_effective && !has(&x->plan, &e->hash) &&
            (!names(x, &e->hash) || e->effective <= epoch + 1))
            return false;
        if (era_hash_eq(&e->hash, &first->hash))
            after = e->effective < epoch || e->effective == 0;
    }
    for (size_t i = 0; i < x->plan.count; i++)
        if (x->plan.entries[i].is_new == has(head, &x->plan.entries[i].hash))
            return false;
    return after;
}

/* As in auto_votes: announced, dropped, soft, breaking. */
static int news(const struct era_plan *plan)
{
    int most = 1;
    for (size_t i = 0; i < plan->count; i++) {
        const struct era_entry *e = &plan->entries[i];
        if (!e->is_new)
            continue;
        if (!e->has_effective && most == 1)
            most = 0;
        if (e->has_effective && e->class == ERA_CLASS_SOFT && most < 2)
            most = 2;
        if (e->has_effective && e->class != ERA_CLASS_SOFT)
            most = 3;
    }
    return most;
}

struct rival {
    int name;
    struct check_slot above;
    const struct era_hash *proposal;
    bool some;
};

static void look_for_rival(void *ctx, const struct era_hash *key, void *block)
{
    struct rival *r = ctx;
    const struct check_ready *vote = block;
    (void)key;
    r->some |= vote->name == r->name && check_slot_cmp(vote->slot, r->above) > 0 &&
               !era_hash_eq(&vote->proposal, r->proposal);
}

static bool must_be_adopted(struct check *c, const struct gathering *g, int component,
                            const struct era_candidate *k, const struct era_proposal *x)
{
    const struct sim_node *n = g->nodes[0];
    const struct era_ledger *l = era_node_ledger(n->node);
    const struct era_charter *charter = era_ledger_charter(l);
    const struct era_component *p = &charter->components[component];
    uint64_t epoch = sim_true_epoch(c->s);
    struct check_head head = check_head_of(era_ledger_head(l, component));
    const uint64_t *since = facts_find(c->approved, &k->proposal);
    int kind = news(&x->plan);
    struct era_view view;
    if (!since || c->s->now_ms - *since < 2 * c->s->plan.epoch_ms || !timely(p, x, epoch) ||
        (kind >= 2 && p->rebuild_quorum.numerator > 0))
        return false;
    if (x->prev.some != head.some || (head.some && !era_hash_eq(&x->prev.proposal, &head.proposal)) ||
        k->charter_version != charter->version)
        return false;
    era_node_view(n->node, component, &view);
    if (view.forked || !extends(view.plan, x, epoch))
        return false;
    struct rival rival = {check_name(c, p->id), head.slot, &k->proposal, false};
    facts_each(c->ready, look_for_rival, &rival);
    return !rival.some && quorate(charter, p, able_stake(c, g, kind));
}

static void approved_are_adopted(struct check *c, const struct gathering *g)
{
    char id[CHECK_ID_TEXT];
    const struct era_node *node = g->nodes[0]->node;
    const struct era_ledger *l = era_node_ledger(node);
    const struct era_charter *charter = era_ledger_charter(l);
    struct era_proposal *x = calloc(1, sizeof *x);
    if (!x)
        abort();
    for (const struct era_successor *s = era_ledger_successors(l); s; s = s->next)
        if (s->close_count > 0)
            goto out; /* component changes wait while a charter closes (§11) */
    if (era_node_counting_charter(node) != charter)
        goto out; /* so do they until the new one counts */
    for (size_t i = 0; i < charter->component_count; i++) {
        const struct era_slot *const *slots;
        size_t count = era_ledger_slots(l, (int)i, &slots);
        for (size_t s = 0; s < count; s++)
            for (const struct era_candidate *k = slots[s]->candidates; k; k = k->slot_next) {
                if (!k->known || k->certificate || !era_ledger_proposal(l, &k->proposal, x) ||
                    (k->approved_by == 0 && check_is_outdone(slots[s], k)))
                    continue;
                check_look(c, RULE_LIVENESS);
                if (must_be_adopted(c, g, (int)i, k, x))
                    CHECK_BREAK(
                        c, RULE_LIVENESS,
                        "%s slot %llu: %s is approved, timely and extends the head; readiness %llu of "
                        "stake, and it is not adopted",
                        charter->components[i].id, (unsigned long long)k->seq, check_id(&k->proposal, id),
                        (unsigned long long)k->ready_stake);
            }
    }
out:
    free(x);
}

static void look_alive(struct check *c)
{
    struct gathering g = gather(c->s);
    const struct sim *s = c->s;
    if (g.count > 0) {
        const struct era_charter *charter = era_node_charter(g.nodes[0]->node);
        int network = era_node_network_component(g.nodes[0]->node);
        lanes_open(c, &g);
        all_hear(c, &g);
        if (network >= 0 && quorate(charter, &charter->components[network], able_stake(c, &g, -1)))
            views_equal(c, &g);
        if (!s->broken && network >= 0 &&
            quorate(charter, &charter->components[network], able_stake(c, &g, -1)))
            check_chain(c, g.nodes, g.count);
        if (!s->broken)
            check_sets(c, g.nodes, g.count);
        if (s->plan.bounded && !s->broken)
            approved_are_adopted(c, &g);
    }
    free(g.nodes);
}

/* ---- I13 ---- */

struct replay {
    struct check *c;
    struct sim_node *n;
};

static void again(void *ctx, const struct era_hash *item, void *block)
{
    const struct replay *r = ctx;
    const struct check_held *h = block;
    (void)item;
    if (r->n->number < CHECK_HELD_NODES_MAX && (h->by[r->n->number / 8] & (1u << r->n->number % 8)))
        sim_inject(r->c->s, r->n, (struct era_bytes){h->bytes, h->len});
}

/* Each node hears once more all that it ever held itself. What only others held may rightly be news to it;
 * and when somebody adopts meanwhile, or its disk was set aside, a change is no break. */
static void replay_all(struct check *c)
{
    struct sim *s = c->s;
    char a[CHECK_ID_TEXT], b[CHECK_ID_TEXT];
    struct era_hash *before = calloc(s->node_count + 1, sizeof *before);
    uint64_t adopted_ms = c->adopted_ms, end = s->now_ms + REPLAY_MS;
    unsigned *life = calloc(s->node_count + 1, sizeof *life);
    if (!before || !life)
        abort();
    for (size_t i = 0; i < s->node_count; i++) {
        struct sim_node *n = &s->nodes[i];
        if (!n->node || n->trust != SIM_HONEST)
            continue;
        before[i] = era_view_digest(era_node_ledger(n->node));
        life[i] = n->life;
        facts_each(c->held, again, &(struct replay){c, n});
    }
    while (!s->broken && sim_advance(s, end))
        ;
    for (size_t i = 0; i < s->node_count; i++) {
        struct sim_node *n = &s->nodes[i];
        if (!n->node || n->trust != SIM_HONEST || life[i] != n->life || check_node(c, n)->damaged)
            continue;
        struct era_hash after = era_view_digest(era_node_ledger(n->node));
        check_look(c, RULE_I13);
        if (!era_hash_eq(&before[i], &after) && c->adopted_ms == adopted_ms)
            CHECK_BREAK(c, RULE_I13, "%s: digest %s, after hearing again all it held %s", n->name,
                        check_id(&before[i], a), check_id(&after, b));
    }
    free(before);
    free(life);
}

void check_end(struct check *c, struct sim *s)
{
    if (s->broken)
        return;
    for (size_t i = 0; i < s->node_count; i++)
        if (s->nodes[i].node && s->nodes[i].trust == SIM_HONEST) {
            check_recount(c, &s->nodes[i]);
            check_recount_charters(c, &s->nodes[i]);
        }
    if (s->plan.quiet_epochs >= QUIET_EPOCHS_MIN && !s->broken)
        look_alive(c);
    if (!s->broken)
        replay_all(c);
}
