/* One key that says more in one slot than is kept (R6): plans, approvals,
 * rejects, attestations, leases of one epoch, each to other nodes, so that all
 * hear them in another order. Where as many signers are faulty as approve, all
 * those plans are approved too. On some seeds, a few times: whatever lies
 * beyond what is kept takes its epochs to be equal everywhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/author.h"
#include "src/core/charter.h"
#include "src/erasim/hostile.h"

#define CROWD_PERCENT      20 /* of the seeds */
#define CROWDS_MAX         3  /* in one run */
#define CROWD_PLANS        6
#define CROWD_REJECTS      10
#define CROWD_ATTESTATIONS 40
#define CROWD_LEASES       4
#define CROWD_REST_EPOCHS  4 /* before it becomes quiet */

struct crowd {
    unsigned count;
    const struct era_charter *charter;
    struct sim_node *n;
    int component;
    uint64_t seq;
    size_t bad_count;
    const struct sim_key *bad[ERA_SIGNERS_MAX]; /* signers */
    struct era_hash plans[CROWD_PLANS];
    size_t plan_count;
};

/* To one node, or two: the others hear of it from them. */
static void whisper(struct sim *s, struct actor *a, struct era_bytes envelope)
{
    uint64_t times = cast_between(&a->prng, 1, 2);
    for (uint64_t i = 0; i < times; i++)
        hostile_say(s, era_prng_below(&a->prng, s->node_count), envelope);
}

static bool find_people(struct sim *s, struct crowd *c)
{
    const struct era_component *p = &c->charter->components[c->component];
    c->bad_count = 0;
    for (size_t i = 0; i < s->cast->signer_count && c->bad_count < ERA_SIGNERS_MAX; i++) {
        const struct sim_key *key = s->cast->signers[i]->key;
        if (key->trust == SIM_FAULTY && era_charter_signer_index(p, &key->secret.key) >= 0)
            c->bad[c->bad_count++] = key;
    }
    return c->bad_count > 0;
}

/* ---- plans, approved as far as the crowd can ---- */

static struct era_indexed_signature approval(struct sim *s, const struct crowd *c,
                                             const struct era_hash *plan, const struct sim_key *key)
{
    const struct era_component *p = &c->charter->components[c->component];
    struct era_envelope e;
    struct era_bytes said = hostile_vote(s, ERA_KIND_APPROVE, c->charter, c->component, c->seq, plan, key);
    if (era_envelope_decode(said, &e) != ERA_ACCEPTED)
        abort();
    return (struct era_indexed_signature){(uint32_t)era_charter_signer_index(p, &key->secret.key),
                                          e.signature};
}

static int by_index(const void *x, const void *y)
{
    const struct era_indexed_signature *a = x, *b = y;
    return a->key < b->key ? -1 : a->key > b->key;
}

static void carry(struct sim *s, struct actor *a, const struct crowd *c, struct era_bytes proposal,
                  const struct era_hash *id)
{
    struct era_indexed_signature approvals[ERA_SIGNERS_MAX];
    struct era_envelope e;
    uint8_t *copy = cast_alloc(proposal.len), *bytes;
    memcpy(copy, proposal.data, proposal.len);
    if (era_envelope_decode((struct era_bytes){copy, proposal.len}, &e) != ERA_ACCEPTED)
        abort();
    struct era_carrier k = {.proposal = e.payload, .author = e.key, .signature = e.signature};
    for (size_t i = 0; i < c->bad_count; i++)
        approvals[k.approval_count++] = approval(s, c, id, c->bad[i]);
    qsort(approvals, k.approval_count, sizeof approvals[0], by_index);
    k.approvals = approvals;
    size_t len = era_author_carrier(ERA_KIND_APPROVED, &k, &bytes);
    if (len > 0)
        whisper(s, a, (struct era_bytes){bytes, len});
    free(bytes);
    free(copy);
}

static void propose(struct sim *s, struct actor *a, struct crowd *c)
{
    const struct era_component *p = &c->charter->components[c->component];
    struct era_view view;
    char text[64];
    era_node_view(c->n->node, c->component, &view);
    c->plan_count = 0;
    for (unsigned i = 0; i < CROWD_PLANS; i++) {
        snprintf(text, sizeof text, "%u of a crowd at %llu", i, (unsigned long long)s->now_ms);
        struct draft_base b = {.charter = c->charter,
                               .component = c->component,
                               .view = &view,
                               .seq = c->seq,
                               .later = i,
                               .text = text};
        struct era_statement *st = hostile_begin(s, ERA_KIND_PROPOSAL);
        struct era_hash *id = &c->plans[c->plan_count];
        if (!cast_draft(&b, WISH_SOFT, &st->u.proposal) && !cast_draft(&b, WISH_DROP, &st->u.proposal))
            return;
        struct era_bytes said = cast_signed(s, st, c->bad[0], id);
        whisper(s, a, said);
        c->plan_count++;
        if (c->bad_count >= p->k)
            carry(s, a, c, cast_signed(s, st, c->bad[0], id), id);
    }
}

/* ---- words about them ---- */

static void reject(struct sim *s, struct actor *a, const struct crowd *c, const struct sim_key *key)
{
    for (unsigned i = 0; i < CROWD_REJECTS; i++) {
        struct era_statement *st = hostile_begin(s, ERA_KIND_REJECT);
        struct era_reject *r = &st->u.reject;
        era_text_set(r->slot.component, sizeof r->slot.component, c->charter->components[c->component].id);
        r->slot.charter_version = c->charter->version;
        r->slot.seq = c->seq;
        r->proposal = i < c->plan_count ? c->plans[i] : hostile_invented(&a->prng);
        era_text_set(r->reason, sizeof r->reason, "one of a crowd");
        whisper(s, a, cast_signed(s, st, key, NULL));
    }
}

static void attest(struct sim *s, struct actor *a, const struct crowd *c, const struct sim_key *key)
{
    char version[16];
    for (unsigned i = 0; i < CROWD_ATTESTATIONS; i++) {
        struct era_statement *st = hostile_begin(s, ERA_KIND_ATTESTATION);
        struct era_attestation *t = &st->u.attestation;
        era_text_set(t->slot.component, sizeof t->slot.component, c->charter->components[c->component].id);
        t->slot.charter_version = c->charter->version;
        t->slot.seq = c->seq;
        t->proposal = c->plan_count > 0 ? c->plans[i % c->plan_count] : hostile_invented(&a->prng);
        era_text_set(t->artefact, sizeof t->artefact, "engine");
        snprintf(version, sizeof version, "crowd %u", i);
        cast_digest("engine", version, t->digest);
        whisper(s, a, cast_signed(s, st, key, NULL));
    }
}

static void lease(struct sim *s, struct actor *a, const struct crowd *c, const struct sim_key *key)
{
    for (unsigned i = 0; i < CROWD_LEASES; i++) {
        struct era_statement *st = hostile_begin(s, ERA_KIND_ANNOUNCEMENT);
        struct era_announcement *said = &st->u.announcement;
        said->epoch = sim_true_epoch(s);
        said->charter_version = era_node_counting_charter(c->n->node)->version;
        said->versions = c->n->versions;
        said->view_digest = hostile_invented(&a->prng);
        whisper(s, a, cast_signed(s, st, key, NULL));
    }
}

static void vote(struct sim *s, struct actor *a, const struct crowd *c, enum era_kind kind,
                 const struct sim_key *key)
{
    for (size_t i = 0; i < c->plan_count; i++)
        whisper(s, a, hostile_vote(s, kind, c->charter, c->component, c->seq, &c->plans[i], key));
}

static void say_all(struct sim *s, struct actor *a, struct crowd *c)
{
    struct crew *crew = s->cast->crew;
    propose(s, a, c);
    for (size_t i = 0; i < c->bad_count; i++) {
        reject(s, a, c, c->bad[i]);
        vote(s, a, c, ERA_KIND_APPROVE, c->bad[i]);
    }
    if (crew->validator_count > 0 && cast_may(s, SIM_FAULT_BAD_VALIDATOR)) {
        const struct sim_key *key = crew->validators[era_prng_below(&a->prng, crew->validator_count)];
        attest(s, a, c, key);
        vote(s, a, c, ERA_KIND_READINESS, key);
        if (era_charter_validator_index(era_node_counting_charter(c->n->node), &key->secret.key) >= 0)
            lease(s, a, c, key);
    }
    sim_strike(s, SIM_FAULT_BAD_SIGNER, c->n, "%s says more than is kept in slot %llu", c->bad[0]->name,
               (unsigned long long)c->seq);
}

static uint64_t act_crowd(struct sim *s, struct actor *a)
{
    struct crowd *c = a->who;
    if (s->now_ms + CROWD_REST_EPOCHS * s->plan.epoch_ms >= s->cast->quiet_ms || c->count == CROWDS_MAX)
        return CAST_NEVER;
    c->n = hostile_any_node(s, &a->prng);
    if (c->n) {
        c->charter = era_node_charter(c->n->node);
        c->component = (int)era_prng_below(&a->prng, c->charter->component_count);
        c->seq = era_ledger_floor(era_node_ledger(c->n->node), c->component) + cast_between(&a->prng, 1, 4);
        bool kept = c->component == era_node_network_component(c->n->node) && hostile_switch_keeps(s);
        if (!kept && find_people(s, c)) {
            say_all(s, a, c);
            c->count++;
        }
    }
    return s->now_ms + cast_between(&a->prng, s->plan.epoch_ms, 4 * s->plan.epoch_ms);
}

void hostile_hire_crowd(struct sim *s)
{
    struct era_prng p = sim_stream(s, "more than is kept");
    if (!cast_may(s, SIM_FAULT_BAD_SIGNER) || !cast_chance(&p, CROWD_PERCENT))
        return;
    struct crew *crew = s->cast->crew;
    crew->crowd = cast_alloc(sizeof *crew->crowd);
    uint64_t first = cast_between(&p, s->plan.epoch_ms, 4 * s->plan.epoch_ms);
    cast_hire(s, act_crowd, crew->crowd, first, "crowd");
}

void hostile_crowd_free(struct crowd *c)
{
    free(c);
}
