/* given: the charter that follows, and what signers and validators say about it (R10). */
#include <stdlib.h>
#include <string.h>

#include "tests/lib/given_internal.h"

struct era_charter *given_next_charter(const struct era_charter *c, const char *validators,
                                       const char *components, uint64_t effective, uint64_t carried)
{
    struct era_charter *next = given_keep(sizeof *next), *made;
    made = given_charter(validators ? validators : "x:1", components ? components : "network k=1 signers=x");
    *next = *c;
    next->version = c->version + 1;
    next->has_parent = true;
    next->parent = c->hash;
    next->effective = effective;
    if (validators) {
        next->validator_count = made->validator_count;
        next->validators = made->validators;
    }
    const struct era_charter *like = components ? made : c;
    next->component_count = like->component_count;
    next->components = given_keep(like->component_count * sizeof *next->components);
    for (size_t i = 0; i < like->component_count; i++) {
        next->components[i] = like->components[i];
        /* Unlike charter 0, which is given by hand, this one is checked: a name has no space. */
        given_set(next->components[i].initial.era_name, sizeof next->components[i].initial.era_name, "era-1");
    }
    next->carried_count = c->component_count;
    for (size_t i = 0; i < c->component_count; i++) {
        given_set(next->carried[i].component, sizeof next->carried[i].component, c->components[i].id);
        next->carried[i].seq = carried;
    }
    era_charter_seal(next);
    given_follow(next, c);
    return next;
}

struct era_charter *given_rival_charter(const struct era_charter *next)
{
    struct era_charter *rival = given_keep(sizeof *rival);
    *rival = *next;
    rival->events_per_epoch++;
    era_charter_seal(rival);
    given_follow(rival, given_before(next));
    return rival;
}

static struct era_bytes charter_bytes(const struct era_charter *c)
{
    uint8_t *bytes;
    size_t len = era_charter_encode(c, &bytes);
    uint8_t *out = given_keep(len);
    memcpy(out, bytes, len);
    free(bytes);
    return (struct era_bytes){out, len};
}

struct era_bytes given_charter_statement(const struct era_charter *next, const char *who)
{
    struct era_bytes payload = charter_bytes(next);
    return given_envelope(
        &(struct era_envelope){.kind = ERA_KIND_CHARTER,
                               .payload = payload,
                               .key = given_key(who).key,
                               .signature = given_sign(next, who, ERA_KIND_CHARTER, payload)});
}

static struct era_statement *charter_vote(const struct era_charter *next, enum era_kind kind)
{
    struct era_statement *s = given_statement(kind);
    s->u.charter_vote = (struct era_charter_vote){.version = next->version, .charter = next->hash};
    return s;
}

struct era_bytes given_charter_approve(const struct era_charter *next, const char *who)
{
    return given_signed(next, who, charter_vote(next, ERA_KIND_CHARTER_APPROVE));
}

struct era_bytes given_accept(const struct era_charter *next, const char *who)
{
    return given_signed(next, who, charter_vote(next, ERA_KIND_ACCEPT));
}

struct era_close *given_closing(const struct era_charter *next)
{
    struct era_close *close = given_keep(sizeof *close);
    close->version = next->version;
    close->charter = next->hash;
    return close;
}

struct era_close *given_last(struct era_close *close, uint64_t last)
{
    close->has_last = true;
    close->last = last;
    return close;
}

struct era_close *given_named(struct era_close *close, const char *component, uint64_t seq,
                              struct era_hash proposal)
{
    if (close->voted_count == ERA_CLOSE_SLOTS_MAX)
        given_wrong("too many slots named of", component);
    struct era_closed_slot *v = &close->voted[close->voted_count++];
    given_set(v->component, sizeof v->component, component);
    v->seq = seq;
    v->proposal = proposal;
    return close;
}

static struct era_statement *closing(const struct era_charter *next, const struct era_close *words)
{
    struct era_statement *s = given_statement(ERA_KIND_CLOSE);
    s->u.close = words ? *words : *given_closing(next);
    return s;
}

struct era_bytes given_close(const struct era_charter *next, const char *who, const struct era_close *words)
{
    return given_signed(next, who, closing(next, words));
}

static int network_signer(const struct era_charter *c, const char *name)
{
    return given_signer_index(c, "network", name);
}

/* Signatures over one payload, ascending by index in c. */
static size_t signed_alike(const struct era_charter *c, const char *names, struct era_bytes payload,
                           enum era_kind kind, int (*index)(const struct era_charter *c, const char *name),
                           struct era_indexed_signature **out)
{
    char **parts = given_keep(NAMES_MAX * sizeof *parts);
    size_t n = given_split(names, " ", parts, NAMES_MAX);
    *out = given_keep((n + 1) * sizeof **out);
    for (size_t i = 0; i < n; i++)
        (*out)[i] = (struct era_indexed_signature){(uint32_t)index(c, parts[i]),
                                                   given_sign(c, parts[i], kind, payload)};
    qsort(*out, n, sizeof **out, given_by_index);
    return n;
}

struct era_charter_certificate *given_succession(const struct era_charter *next, const char *old_signers,
                                                 const char *new_signers, const char *accepts,
                                                 const char *closes, const struct era_close *words)
{
    struct era_charter_certificate *k = given_keep(sizeof *k);
    struct era_bytes approve = given_encoded(charter_vote(next, ERA_KIND_CHARTER_APPROVE));
    struct era_bytes accept = given_encoded(charter_vote(next, ERA_KIND_ACCEPT));
    struct era_bytes close = given_encoded(closing(next, words));
    const struct era_charter *old = given_before(next);
    k->charter = charter_bytes(next);
    k->old_approval_count =
        signed_alike(old, old_signers, approve, ERA_KIND_CHARTER_APPROVE, network_signer, &k->old_approvals);
    k->new_approval_count =
        signed_alike(next, new_signers, approve, ERA_KIND_CHARTER_APPROVE, network_signer, &k->new_approvals);
    k->accept_count =
        signed_alike(next, accepts, accept, ERA_KIND_ACCEPT, given_validator_index, &k->accepts);
    k->closes = given_keep(sizeof *k->closes);
    k->closes->payload = close;
    k->closes->count =
        signed_alike(old, closes, close, ERA_KIND_CLOSE, given_validator_index, &k->closes->signatures);
    k->close_count = k->closes->count > 0;
    return k;
}

struct era_bytes given_succession_sealed(const struct era_charter_certificate *k)
{
    size_t len = era_charter_certificate_bytes(k);
    uint8_t *out = given_keep(len);
    if (era_charter_certificate_encode(k, out, len) != len)
        abort();
    return given_envelope(
        &(struct era_envelope){.kind = ERA_KIND_CHARTER_CERTIFICATE, .payload = {out, len}});
}

struct era_bytes given_charter_certificate(const struct era_charter *next, const char *old_signers,
                                           const char *new_signers, const char *accepts, const char *closes)
{
    return given_succession_sealed(given_succession(next, old_signers, new_signers, accepts, closes, NULL));
}
