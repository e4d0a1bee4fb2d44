/* What is said with faulty keys: two things in one place, to different halves;
 * rivals; late words; certificates that nobody is shown. Now and then they help
 * as honest people would, or nothing would come about that could be split. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"
#include "src/core/plan.h"
#include "src/erasim/hostile.h"

#define ACT_LEAST_MS 8000
#define ACT_MOST_MS  20000

/* ---- words ---- */

struct era_statement *hostile_begin(struct sim *s, enum era_kind kind)
{
    struct era_statement *st = s->cast->draft;
    memset(st, 0, sizeof *st);
    st->kind = kind;
    return st;
}

struct era_bytes hostile_vote(struct sim *s, enum era_kind kind, const struct era_charter *charter,
                              int component, uint64_t seq, const struct era_hash *proposal,
                              const struct sim_key *key)
{
    struct era_statement *st = hostile_begin(s, kind);
    era_text_set(st->u.vote.slot.component, sizeof st->u.vote.slot.component,
                 charter->components[component].id);
    st->u.vote.slot.charter_version = charter->version;
    st->u.vote.slot.seq = seq;
    st->u.vote.proposal = *proposal;
    return cast_signed(s, st, key, NULL);
}

struct era_hash hostile_invented(struct era_prng *p)
{
    struct era_hash h;
    for (size_t i = 0; i < sizeof h.b; i += 8)
        era_put_be64(h.b + i, era_prng_next(p));
    return h;
}

/* What one looks at: some node's ledger. */
struct scene {
    struct sim_node *n;
    const struct era_charter *charter;
    const struct era_ledger *ledger;
    int component;
    const struct era_candidate *c; /* known, above the floor */
};

static bool is_approved(const struct era_candidate *c)
{
    return (unsigned)__builtin_popcountll(c->approved_by) >= c->approvals_needed;
}

static void each_candidate(struct sim *s, struct actor *a,
                           void (*play)(struct sim *s, struct actor *a, const struct scene *scene))
{
    struct scene scene = {.n = hostile_any_node(s, &a->prng)};
    if (!scene.n)
        return;
    scene.charter = era_node_charter(scene.n->node);
    scene.ledger = era_node_ledger(scene.n->node);
    for (size_t i = 0; i < scene.charter->component_count; i++) {
        const struct era_slot *const *slots;
        size_t count = era_ledger_slots(scene.ledger, (int)i, &slots);
        scene.component = (int)i;
        if ((int)i == era_node_network_component(scene.n->node) && hostile_switch_keeps(s))
            continue;
        for (size_t j = 0; j < count; j++)
            for (scene.c = slots[j]->candidates; scene.c; scene.c = scene.c->slot_next)
                if (scene.c->known)
                    play(s, a, &scene);
    }
}

uint64_t hostile_next_act(struct sim *s, struct actor *a)
{
    return s->now_ms + cast_between(&a->prng, ACT_LEAST_MS, ACT_MOST_MS);
}

bool hostile_over(const struct sim *s)
{
    return s->now_ms + ACT_MOST_MS >= s->cast->quiet_ms;
}

void hostile_later(struct sim *s, struct actor *a, struct era_bytes envelope)
{
    uint64_t due = s->now_ms + cast_between(&a->prng, s->plan.epoch_ms / 2, 4 * s->plan.epoch_ms);
    size_t node = era_prng_below(&a->prng, s->node_count);
    hostile_hold(s, due, node, envelope);
}

/* ---- bad signers ---- */

static bool signs_here(const struct sim *s, const struct signer *g, const struct scene *scene)
{
    (void)s;
    return g->key->trust == SIM_FAULTY &&
           era_charter_signer_index(&scene->charter->components[scene->component], &g->key->secret.key) >= 0;
}

/* All bad signers of the component approve a proposal, towards one half. */
static void gang_approves(struct sim *s, struct actor *a, const struct scene *scene, uint64_t seq,
                          const struct era_hash *proposal, unsigned half)
{
    for (size_t i = 0; i < s->cast->signer_count; i++) {
        struct signer *g = s->cast->signers[i];
        if (signs_here(s, g, scene))
            hostile_show(
                s, &a->prng, half,
                hostile_vote(s, ERA_KIND_APPROVE, scene->charter, scene->component, seq, proposal, g->key));
    }
}

/* Another plan for the same slot, shown to one half with every bad approval. */
static bool show_rival(struct sim *s, struct actor *a, const struct signer *g, const struct scene *scene,
                       unsigned half)
{
    struct era_view view;
    struct era_hash id;
    char text[64];
    snprintf(text, sizeof text, "rival at %llu", (unsigned long long)s->now_ms);
    era_node_view(scene->n->node, scene->component, &view);
    struct draft_base b = {.charter = scene->charter,
                           .component = scene->component,
                           .view = &view,
                           .seq = scene->c->seq,
                           .text = text};
    b.urgent = cast_chance(&a->prng, 20);
    b.later = era_prng_below(&a->prng, 6);
    struct era_statement *st = hostile_begin(s, ERA_KIND_PROPOSAL);
    enum wish wish = cast_chance(&a->prng, 50) ? WISH_BREAKING : WISH_SOFT;
    if (!cast_draft(&b, wish, &st->u.proposal) && !cast_draft(&b, WISH_DROP, &st->u.proposal))
        return false;
    hostile_show(s, &a->prng, half, cast_signed(s, st, g->key, &id));
    gang_approves(s, a, scene, scene->c->seq, &id, half);
    return true;
}

static void play_signer(struct sim *s, struct actor *a, const struct scene *scene, struct signer *g)
{
    const struct era_candidate *c = scene->c;
    if (cast_sighting(&g->seen, &c->proposal))
        return;
    cast_sight(&g->seen, &c->proposal, s->now_ms, NULL, 0);
    unsigned mood = (unsigned)era_prng_below(&a->prng, 100), half = mood % 2;
    struct era_bytes approve =
        hostile_vote(s, ERA_KIND_APPROVE, scene->charter, scene->component, c->seq, &c->proposal, g->key);
    if (mood < 50) {
        hostile_show(s, &a->prng, 2, approve);
    } else if (mood < 75) {
        hostile_show(s, &a->prng, half, approve);
        if (show_rival(s, a, g, scene, 1 - half))
            sim_strike(s, SIM_FAULT_BAD_SIGNER, scene->n, "%s approves two in slot %llu", g->key->name,
                       (unsigned long long)c->seq);
    } else if (mood < 95) {
        hostile_later(s, a, approve);
        sim_strike(s, SIM_FAULT_BAD_SIGNER, scene->n, "%s approves late in slot %llu", g->key->name,
                   (unsigned long long)c->seq);
    }
}

static void play_signers(struct sim *s, struct actor *a, const struct scene *scene)
{
    for (size_t i = 0; i < s->cast->signer_count; i++)
        if (signs_here(s, s->cast->signers[i], scene))
            play_signer(s, a, scene, s->cast->signers[i]);
}

/* A plan that extends nothing: the initial record, one entry that comes too soon, no head. */
static void propose_badly(struct sim *s, struct actor *a)
{
    struct sim_node *n = hostile_any_node(s, &a->prng);
    struct signer *g = s->cast->signers[era_prng_below(&a->prng, s->cast->signer_count)];
    if (!n || g->key->trust != SIM_FAULTY)
        return;
    const struct era_charter *charter = era_node_charter(n->node);
    const struct era_component *component = era_charter_component(charter, g->component);
    if (!component)
        return;
    struct era_statement *st = hostile_begin(s, ERA_KIND_PROPOSAL);
    struct era_proposal *p = &st->u.proposal;
    struct scene scene = {.n = n, .charter = charter, .component = (int)(component - charter->components)};
    era_text_set(p->slot.component, sizeof p->slot.component, g->component);
    p->slot.charter_version = charter->version;
    p->slot.seq =
        era_ledger_floor(era_node_ledger(n->node), scene.component) + 1 + era_prng_below(&a->prng, 3);
    era_plan_initial(component, &p->plan);
    struct era_entry *e = &p->plan.entries[p->plan.count++];
    *e = p->plan.entries[0];
    e->is_new = true;
    e->class = ERA_CLASS_OVERRIDE;
    e->effective = sim_true_epoch(s) + 1;
    era_entry_seal(e);
    p->expiry = e->effective + 20;
    uint64_t seq = p->slot.seq;
    struct era_hash id;
    hostile_show(s, &a->prng, 2, cast_signed(s, st, g->key, &id));
    gang_approves(s, a, &scene, seq, &id, 2);
    sim_strike(s, SIM_FAULT_BAD_SIGNER, n, "%s proposes what extends nothing", g->key->name);
}

static uint64_t act_signers(struct sim *s, struct actor *a)
{
    if (hostile_over(s))
        return CAST_NEVER;
    each_candidate(s, a, play_signers);
    if (cast_chance(&a->prng, 4))
        propose_badly(s, a);
    return hostile_next_act(s, a);
}

/* ---- bad validators ---- */

static void play_validators(struct sim *s, struct actor *a, const struct scene *scene)
{
    struct crew *crew = s->cast->crew;
    const struct era_candidate *c = scene->c;
    if (!is_approved(c) || cast_sighting(&crew->votes, &c->proposal))
        return;
    cast_sight(&crew->votes, &c->proposal, s->now_ms, NULL, 0);
    for (size_t i = 0; i < crew->validator_count; i++) {
        const struct sim_key *key = crew->validators[i];
        unsigned mood = (unsigned)era_prng_below(&a->prng, 100), half = mood % 2;
        struct era_hash other = hostile_invented(&a->prng);
        if (c->slot_next && c->slot_next->known)
            other = c->slot_next->proposal;
        struct era_bytes ready =
            hostile_vote(s, ERA_KIND_READINESS, scene->charter, scene->component, c->seq, &c->proposal, key);
        if (mood < 45) {
            hostile_show(s, &a->prng, 2, ready);
            continue;
        }
        if (mood < 80) {
            hostile_show(s, &a->prng, half, ready);
            hostile_show(
                s, &a->prng, 1 - half,
                hostile_vote(s, ERA_KIND_READINESS, scene->charter, scene->component, c->seq, &other, key));
            sim_strike(s, SIM_FAULT_BAD_VALIDATOR, scene->n, "%s votes for two in slot %llu", key->name,
                       (unsigned long long)c->seq);
        } else if (c->seq > 1) { /* and below what it voted for just now */
            hostile_show(s, &a->prng, 2, ready);
            hostile_show(s, &a->prng, 2,
                         hostile_vote(s, ERA_KIND_READINESS, scene->charter, scene->component, c->seq - 1,
                                      &other, key));
            sim_strike(s, SIM_FAULT_BAD_VALIDATOR, scene->n, "%s votes out of order below slot %llu",
                       key->name, (unsigned long long)c->seq);
        }
    }
}

static void announce(struct sim *s, struct actor *a, struct sim_node *n, const struct sim_key *key,
                     uint64_t epoch, bool true_one, unsigned half)
{
    const struct era_charter *charter = era_node_counting_charter(n->node);
    struct era_view view;
    struct era_statement *st = hostile_begin(s, ERA_KIND_ANNOUNCEMENT);
    struct era_announcement *said = &st->u.announcement;
    era_node_view(n->node, era_node_network_component(n->node), &view);
    const struct era_entry *e = era_view_entry(&view);
    said->epoch = epoch;
    said->charter_version = charter->version;
    said->versions = n->versions;
    said->lease = true;
    said->has_entry = e != NULL;
    if (e)
        said->entry = e->hash;
    said->view_digest = era_view_digest(era_node_ledger(n->node));
    if (!true_one) {
        said->has_entry = true;
        said->entry = view.plan->entries[era_prng_below(&a->prng, view.plan->count)].hash;
        said->view_digest = hostile_invented(&a->prng);
    }
    hostile_show(s, &a->prng, half, cast_signed(s, st, key, NULL));
}

static void announce_all(struct sim *s, struct actor *a)
{
    struct crew *crew = s->cast->crew;
    struct sim_node *n = hostile_any_node(s, &a->prng);
    uint64_t epoch = sim_true_epoch(s);
    if (!n || epoch < crew->announced)
        return;
    crew->announced = epoch + 1;
    for (size_t i = 0; i < crew->validator_count; i++) {
        unsigned mood = (unsigned)era_prng_below(&a->prng, 100), half = mood % 2;
        if (mood < 25) {
            announce(s, a, n, crew->validators[i], epoch, true, half);
            announce(s, a, n, crew->validators[i], epoch, false, 1 - half);
            sim_strike(s, SIM_FAULT_BAD_VALIDATOR, n, "%s leases epoch %llu twice", crew->validators[i]->name,
                       (unsigned long long)epoch);
        } else if (mood < 85) {
            announce(s, a, n, crew->validators[i], epoch, true, 2);
        }
    }
}

static uint64_t act_validators(struct sim *s, struct actor *a)
{
    if (hostile_over(s))
        return CAST_NEVER;
    each_candidate(s, a, play_validators);
    announce_all(s, a);
    return hostile_next_act(s, a);
}

/* ---- hidden certificates ---- */

/* Signatures are taken from what a node holds; the crew adds its own. */
static void collect_ready(struct sim *s, const struct scene *scene, struct era_carrier *k)
{
    const struct era_candidate *c = scene->c;
    struct crew *crew = s->cast->crew;
    for (size_t v = 0; v < scene->charter->validator_count; v++) {
        const struct era_key *key = &scene->charter->validators[v].key;
        const struct era_signature *found = NULL;
        struct era_signature held;
        struct era_envelope e;
        if (era_ledger_ready_signature(scene->ledger, c, (uint32_t)v, &held))
            found = &held;
        for (size_t i = 0; i < crew->validator_count && !found; i++) {
            if (!era_key_eq(&crew->validators[i]->secret.key, key))
                continue;
            struct era_bytes ready = hostile_vote(s, ERA_KIND_READINESS, scene->charter, scene->component,
                                                  c->seq, &c->proposal, crew->validators[i]);
            if (era_envelope_decode(ready, &e) == ERA_ACCEPTED)
                found = &e.signature;
        }
        if (found)
            k->readiness[k->readiness_count++] = (struct era_indexed_signature){(uint32_t)v, *found};
    }
}

static int by_attester(const void *x, const void *y)
{
    const struct era_indexed_attestation *a = x, *b = y;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    size_t least = a->payload.len < b->payload.len ? a->payload.len : b->payload.len;
    int order = memcmp(a->payload.data, b->payload.data, least);
    return order ? order : a->payload.len < b->payload.len ? -1 : 1;
}

/* Payloads are copies. */
static bool collect_attested(void *ctx, const struct era_attested *a)
{
    struct era_carrier *k = ctx;
    uint8_t *copy = cast_alloc(a->payload.len);
    memcpy(copy, a->payload.data, a->payload.len);
    if (a->matched)
        k->attestations[k->attestation_count++] =
            (struct era_indexed_attestation){a->validator, a->signature, {copy, a->payload.len}};
    else
        free(copy);
    return true;
}

static size_t assemble(struct sim *s, const struct scene *scene, uint8_t **out)
{
    const struct era_candidate *c = scene->c;
    struct era_carrier k = {.proposal = c->payload, .author = c->author, .signature = c->author_signature};
    k.approvals = cast_alloc(ERA_SIGNERS_MAX * sizeof *k.approvals);
    k.readiness = cast_alloc(scene->charter->validator_count * sizeof *k.readiness);
    k.attestations = cast_alloc(c->attested_count * sizeof *k.attestations);
    for (unsigned i = 0; i < ERA_SIGNERS_MAX; i++)
        if (c->approved_by >> i & 1)
            k.approvals[k.approval_count++] = (struct era_indexed_signature){i, c->approvals[i]};
    collect_ready(s, scene, &k);
    era_ledger_each_attested(scene->ledger, c, collect_attested, &k);
    qsort(k.attestations, k.attestation_count, sizeof *k.attestations, by_attester);
    size_t len = era_author_carrier(ERA_KIND_CERTIFICATE, &k, out);
    for (size_t i = 0; i < k.attestation_count; i++)
        free((void *)k.attestations[i].payload.data);
    era_carrier_clear(&k);
    return len;
}

size_t hostile_certificate(struct sim *s, const struct era_ledger *ledger, int component,
                           const struct era_candidate *c, uint8_t **out)
{
    return assemble(
        s,
        &(struct scene){
            .charter = era_ledger_charter(ledger), .ledger = ledger, .component = component, .c = c},
        out);
}

static void play_hidden(struct sim *s, struct actor *a, const struct scene *scene)
{
    struct crew *crew = s->cast->crew;
    const struct era_candidate *c = scene->c;
    uint64_t stake = c->ready_stake;
    if (!is_approved(c) || cast_sighting(&crew->hidden, &c->proposal))
        return;
    for (size_t i = 0; i < crew->validator_count; i++) {
        int v = era_charter_validator_index(scene->charter, &crew->validators[i]->secret.key);
        if (v >= 0 && !(c->ready_by && c->ready_by[v / 8] >> (v % 8) & 1))
            stake += scene->charter->validators[v].stake;
    }
    if (stake < c->readiness_needed)
        return;
    cast_sight(&crew->hidden, &c->proposal, s->now_ms, NULL, 0);
    uint8_t *bytes;
    size_t len = assemble(s, scene, &bytes);
    if (len == 0)
        return;
    hostile_later(s, a, (struct era_bytes){bytes, len});
    free(bytes);
    sim_tell(s, scene->n, "a certificate of slot %llu is held back", (unsigned long long)c->seq);
}

/* Something that is under way is kept for later, when its slot may be over. */
static uint64_t act_withheld(struct sim *s, struct actor *a)
{
    struct crew *crew = s->cast->crew;
    if (hostile_over(s))
        return CAST_NEVER;
    each_candidate(s, a, play_hidden);
    if (crew->heard_count > 0 && cast_chance(&a->prng, 20)) {
        struct heard *h = &crew->heard[era_prng_below(&a->prng, crew->heard_count)];
        hostile_later(s, a, (struct era_bytes){h->bytes, h->len});
    }
    return hostile_next_act(s, a);
}

/* ---- spam ---- */

#define SPAM_WORDS 48 /* in one burst */

static void spam_word(struct sim *s, struct actor *a, struct sim_node *n, unsigned i)
{
    const struct era_charter *charter = era_node_charter(n->node);
    struct crew *crew = s->cast->crew;
    int component = (int)era_prng_below(&a->prng, charter->component_count);
    uint64_t floor = era_ledger_floor(era_node_ledger(n->node), component);
    /* Slots within the window, at its end, and beyond. */
    static const uint64_t ahead[] = {1, 2, 3, 16, 17, 63, 64, 65, 66, 1000};
    uint64_t seq = floor + ahead[i % (sizeof ahead / sizeof ahead[0])];
    struct era_hash id = hostile_invented(&a->prng);
    if (cast_chance(&a->prng, 40)) {
        struct signer *g = s->cast->signers[era_prng_below(&a->prng, s->cast->signer_count)];
        const struct era_component *own = era_charter_component(charter, g->component);
        if (g->key->trust == SIM_FAULTY && own)
            hostile_say(s, n->number,
                        hostile_vote(s, ERA_KIND_APPROVE, charter, (int)(own - charter->components), seq, &id,
                                     g->key));
        return;
    }
    if (crew->validator_count == 0)
        return;
    const struct sim_key *key = crew->validators[era_prng_below(&a->prng, crew->validator_count)];
    if (i % 3 == 0) {
        struct era_statement *st = hostile_begin(s, ERA_KIND_ATTESTATION);
        struct era_attestation *t = &st->u.attestation;
        era_text_set(t->slot.component, sizeof t->slot.component, charter->components[component].id);
        t->slot.charter_version = charter->version;
        t->slot.seq = seq;
        t->proposal = id;
        era_text_set(t->artefact, sizeof t->artefact, "engine");
        cast_digest("spam", i % 2 ? "a" : "b", t->digest);
        hostile_say(s, n->number, cast_signed(s, st, key, NULL));
        return;
    }
    hostile_say(s, n->number, hostile_vote(s, ERA_KIND_READINESS, charter, component, seq, &id, key));
}

static uint64_t act_spam(struct sim *s, struct actor *a)
{
    struct sim_node *n = hostile_any_node(s, &a->prng);
    if (hostile_over(s))
        return CAST_NEVER;
    if (n) {
        for (unsigned i = 0; i < SPAM_WORDS; i++)
            spam_word(s, a, n, i);
        sim_strike(s, SIM_FAULT_SPAM, n, "%d words at once", SPAM_WORDS);
    }
    return s->now_ms + cast_between(&a->prng, 2 * s->plan.epoch_ms, 8 * s->plan.epoch_ms);
}

/* ---- from far ahead ---- */

static void far_event(struct sim *s, struct actor *a, struct sim_node *n, const struct sim_key *key)
{
    struct era_statement *st = hostile_begin(s, ERA_KIND_EVENT);
    struct era_event_statement *e = &st->u.event;
    struct era_view view;
    era_node_view(n->node, era_node_network_component(n->node), &view);
    e->epoch = sim_true_epoch(s) + (cast_chance(&a->prng, 50) ? 0 : 900);
    e->charter_version = era_node_charter(n->node)->version;
    e->entry = view.plan->entries[0].hash;
    e->seq = cast_chance(&a->prng, 50) ? ERA_SEQ_MAX : 1 + era_prng_below(&a->prng, 10);
    era_text_set(e->topic, sizeof e->topic, "tick");
    hostile_say(s, n->number, cast_signed(s, st, key, NULL));
}

static uint64_t act_far(struct sim *s, struct actor *a)
{
    static const uint64_t ahead[] = {1, 2, 3, 1000, 39000000}; /* the last: 2099, and ERA_EPOCH_MAX below */
    struct crew *crew = s->cast->crew;
    struct sim_node *n = hostile_any_node(s, &a->prng);
    if (hostile_over(s))
        return CAST_NEVER;
    if (n && crew->validator_count > 0) {
        const struct era_charter *charter = era_node_charter(n->node);
        const struct sim_key *key = crew->validators[era_prng_below(&a->prng, crew->validator_count)];
        uint64_t draw = era_prng_below(&a->prng, 6), now = sim_true_epoch(s);
        struct era_hash id = hostile_invented(&a->prng);
        announce(s, a, n, key, draw < 5 ? now + ahead[draw] : ERA_EPOCH_MAX, cast_chance(&a->prng, 50), 2);
        far_event(s, a, n, key);
        hostile_say(s, n->number,
                    hostile_vote(s, ERA_KIND_READINESS, charter, 0,
                                 cast_chance(&a->prng, 50) ? ERA_SEQ_MAX : 500, &id, key));
        sim_strike(s, SIM_FAULT_FAST_FORWARD, n, "%s speaks from the future", key->name);
    }
    return s->now_ms + cast_between(&a->prng, s->plan.epoch_ms / 2, 3 * s->plan.epoch_ms);
}

/* ---- who acts ---- */

void hostile_hire_acts(struct sim *s)
{
    struct era_prng p = sim_stream(s, "hostile acts");
    if (cast_may(s, SIM_FAULT_BAD_SIGNER))
        cast_hire(s, act_signers, NULL, cast_between(&p, 4000, ACT_MOST_MS), "bad signers");
    if (cast_may(s, SIM_FAULT_BAD_VALIDATOR))
        cast_hire(s, act_validators, NULL, cast_between(&p, 4000, ACT_MOST_MS), "bad validators");
    if (cast_may(s, SIM_FAULT_WITHHELD))
        cast_hire(s, act_withheld, NULL, cast_between(&p, 4000, ACT_MOST_MS), "withheld");
    if (cast_may(s, SIM_FAULT_SPAM))
        cast_hire(s, act_spam, NULL, cast_between(&p, s->plan.epoch_ms, 5 * s->plan.epoch_ms), "spam");
    if (cast_may(s, SIM_FAULT_FAST_FORWARD))
        cast_hire(s, act_far, NULL, cast_between(&p, s->plan.epoch_ms / 2, 3 * s->plan.epoch_ms), "far");
}
