#include "tests/lib/given_internal.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory: one list that keeps everything reachable ---- */

struct kept {
    struct kept *next;
    max_align_t data[];
};

static struct kept *all_kept;

void *given_keep(size_t bytes)
{
    struct kept *k = calloc(1, sizeof *k + bytes);
    if (!k)
        abort();
    k->next = all_kept;
    all_kept = k;
    return k->data;
}

_Noreturn void given_wrong(const char *what, const char *name)
{
    fprintf(stderr, "given: %s `%s`\n", what, name);
    abort();
}

/* ---- texts ---- */

void given_set(char *out, size_t size, const char *text)
{
    if (!era_text_set(out, size, text))
        given_wrong("too long", text);
}

/* Cut a copy of text at any of the separators; returns the number of parts. */
size_t given_split(const char *text, const char *separators, char **parts, size_t max)
{
    char *copy = given_keep(strlen(text) + 1), *rest = NULL;
    size_t n = 0;
    strcpy(copy, text);
    for (char *t = strtok_r(copy, separators, &rest); t; t = strtok_r(NULL, separators, &rest)) {
        if (n == max)
            given_wrong("too many in", text);
        parts[n++] = t;
    }
    return n;
}

const char *given_digest(const char *of)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    char *out = given_keep(ERA_DIGEST_BYTES_MAX + 1);
    crypto_hash_sha256(hash, (const uint8_t *)of, strlen(of));
    strcpy(out, "sha256:");
    era_hex(hash, sizeof hash, out + strlen(out));
    return out;
}

/* ---- keys ---- */

struct given_key given_key(const char *name)
{
    struct era_bytes part = {(const uint8_t *)name, strlen(name)};
    struct era_hash seed = era_hash_parts(&part, 1);
    struct given_key k;
    crypto_sign_seed_keypair(k.key.b, k.secret, seed.b);
    return k;
}

static int by_key(const void *a, const void *b)
{
    return memcmp(((const struct era_named_key *)a)->key.b, ((const struct era_named_key *)b)->key.b,
                  ERA_KEY_BYTES);
}

static int validator_by_key(const void *a, const void *b)
{
    return memcmp(((const struct era_validator *)a)->key.b, ((const struct era_validator *)b)->key.b,
                  ERA_KEY_BYTES);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct era_component *)a)->id, ((const struct era_component *)b)->id);
}

static size_t named_keys(const char *names, const char *separators, struct era_named_key *out, size_t max)
{
    char *parts[ERA_SIGNERS_MAX];
    size_t n = given_split(names, separators, parts, max);
    for (size_t i = 0; i < n; i++) {
        given_set(out[i].name, sizeof out[i].name, parts[i]);
        out[i].key = given_key(parts[i]).key;
    }
    qsort(out, n, sizeof *out, by_key);
    return n;
}

/* ---- charters ---- */

static struct era_fraction fraction(const char *text)
{
    struct era_fraction f;
    char *end;
    f.numerator = strtoull(text, &end, 10);
    f.denominator = *end == '/' ? strtoull(end + 1, NULL, 10) : 1;
    return f;
}

static void set_digests(struct era_record *r)
{
    for (size_t i = 0; i < r->artefact_count; i++) {
        char of[2 * ERA_VERSION_BYTES_MAX];
        snprintf(of, sizeof of, "%s %s", r->artefacts[i].name, r->version);
        given_set(r->artefacts[i].digest, sizeof r->artefacts[i].digest, given_digest(of));
    }
}

static int artefact_by_name(const void *a, const void *b)
{
    return strcmp(((const struct era_artefact *)a)->name, ((const struct era_artefact *)b)->name);
}

static void set_artefacts(struct era_record *r, const char *names, const char *separators)
{
    char *parts[ERA_ARTEFACTS_MAX];
    r->artefact_count = given_split(names, separators, parts, ERA_ARTEFACTS_MAX);
    for (size_t i = 0; i < r->artefact_count; i++) {
        memset(&r->artefacts[i], 0, sizeof r->artefacts[i]);
        given_set(r->artefacts[i].name, sizeof r->artefacts[i].name, parts[i]);
    }
    qsort(r->artefacts, r->artefact_count, sizeof *r->artefacts, artefact_by_name);
    set_digests(r);
}

static void component_option(struct era_component *p, const char *name, const char *value)
{
    struct era_record *r = &p->initial;
    if (!strcmp(name, "k"))
        p->k = p->urgent_k = (uint32_t)strtoul(value, NULL, 10);
    else if (!strcmp(name, "urgent_k"))
        p->urgent_k = (uint32_t)strtoul(value, NULL, 10);
    else if (!strcmp(name, "notice"))
        p->notice_epochs = strtoull(value, NULL, 10);
    else if (!strcmp(name, "urgent_notice"))
        p->urgent_notice_epochs = strtoull(value, NULL, 10);
    else if (!strcmp(name, "enough"))
        p->enough = fraction(value);
    else if (!strcmp(name, "rebuild"))
        p->rebuild_quorum = fraction(value);
    else if (!strcmp(name, "signers"))
        p->signer_count = named_keys(value, ",", p->signers, ERA_SIGNERS_MAX);
    else if (!strcmp(name, "version"))
        given_set(r->version, sizeof r->version, value);
    else if (!strcmp(name, "software"))
        given_set(r->requires.v[ERA_VERSION_SOFTWARE], sizeof r->requires.v[0], value);
    else if (!strcmp(name, "artefacts"))
        set_artefacts(r, value, ",");
    else
        given_wrong("no option of a component", name);
}

static void set_component(struct era_component *p, const char *text)
{
    char *parts[16];
    size_t n = given_split(text, " ", parts, 16);
    given_set(p->id, sizeof p->id, parts[0]);
    p->notice_epochs = 2;
    p->urgent_notice_epochs = 1;
    p->enough = (struct era_fraction){2, 3};
    p->rebuild_quorum = (struct era_fraction){0, 1};
    given_set(p->initial.component, sizeof p->initial.component, parts[0]);
    given_set(p->initial.version, sizeof p->initial.version, "1.0.0");
    given_set(p->initial.era_name, sizeof p->initial.era_name, "era 1");
    p->initial.era = 1;
    for (size_t i = 1; i < n; i++) {
        char *equals = strchr(parts[i], '=');
        if (!equals)
            given_wrong("no value for", parts[i]);
        *equals = '\0';
        component_option(p, parts[i], equals + 1);
    }
    set_digests(&p->initial);
}

static void set_validators(struct era_charter *c, const char *validators)
{
    char **parts = given_keep(NAMES_MAX * sizeof *parts);
    c->validator_count = given_split(validators, " ", parts, NAMES_MAX);
    c->validators = given_keep((c->validator_count + 1) * sizeof *c->validators);
    for (size_t i = 0; i < c->validator_count; i++) {
        struct era_validator *v = &c->validators[i];
        char *colon = strchr(parts[i], ':');
        if (!colon)
            given_wrong("no stake for", parts[i]);
        *colon = '\0';
        given_set(v->name, sizeof v->name, parts[i]);
        v->stake = strtoull(colon + 1, NULL, 10);
        v->key = given_key(parts[i]).key;
    }
    qsort(c->validators, c->validator_count, sizeof *c->validators, validator_by_key);
}

static struct era_charter *charter(const char *validators, const char *emitters, const char *components)
{
    struct era_charter *c = given_keep(sizeof *c);
    char *parts[ERA_COMPONENTS_MAX];
    given_set(c->name, sizeof c->name, "storage-grid");
    c->clock = (struct era_clock_params){ERA_CLOCK_WALL, 0, 1000, 1};
    c->events_per_epoch = 10;
    c->authority_only = emitters[0] != '\0';
    c->emitter_count = named_keys(emitters, " ", c->emitters, ERA_EMITTERS_MAX);
    set_validators(c, validators);
    c->component_count = given_split(components, ";", parts, ERA_COMPONENTS_MAX);
    c->components = given_keep(c->component_count * sizeof *c->components);
    for (size_t i = 0; i < c->component_count; i++)
        set_component(&c->components[i], parts[i]);
    qsort(c->components, c->component_count, sizeof *c->components, by_id);
    era_charter_seal(c);
    return c;
}

struct era_charter *given_charter(const char *validators, const char *components)
{
    return charter(validators, "", components);
}

struct era_charter *given_authority(const char *emitters, const char *components)
{
    return charter("", emitters, components);
}

/* ---- the chain ---- */

#define CHAIN_MAX 64

static struct {
    const struct era_charter *charter, *before;
} chain[CHAIN_MAX];

const struct era_charter *given_before(const struct era_charter *c)
{
    for (size_t i = 0; i < CHAIN_MAX; i++)
        if (chain[i].charter == c)
            return chain[i].before;
    given_wrong("a charter that follows none:", c->name);
}

void given_follow(const struct era_charter *c, const struct era_charter *old)
{
    size_t at = 0;
    while (at < CHAIN_MAX && chain[at].charter)
        at++;
    if (at == CHAIN_MAX)
        given_wrong("too many charters of", c->name);
    chain[at].charter = c;
    chain[at].before = old;
}

struct era_hash given_root(const struct era_charter *c)
{
    while (c->version > 0)
        c = given_before(c);
    return c->hash;
}

int given_component_index(const struct era_charter *c, const char *component)
{
    for (size_t i = 0; i < c->component_count; i++)
        if (!strcmp(c->components[i].id, component))
            return (int)i;
    given_wrong("no component", component);
}

int given_validator_index(const struct era_charter *c, const char *name)
{
    for (size_t i = 0; i < c->validator_count; i++)
        if (!strcmp(c->validators[i].name, name))
            return (int)i;
    given_wrong("no validator", name);
}

int given_signer_index(const struct era_charter *c, const char *component, const char *name)
{
    const struct era_component *p = &c->components[given_component_index(c, component)];
    for (size_t i = 0; i < p->signer_count; i++)
        if (!strcmp(p->signers[i].name, name))
            return (int)i;
    given_wrong("no signer", name);
}

/* ---- proposals ---- */

struct era_proposal *given_proposal(const struct era_charter *c, const char *component, uint64_t seq)
{
    struct era_proposal *p = given_keep(sizeof *p);
    given_set(p->slot.component, sizeof p->slot.component, component);
    p->slot.charter_version = c->version;
    p->slot.seq = seq;
    p->expiry = ERA_EPOCH_MAX;
    p->plan.count = 1;
    struct era_entry *e = &p->plan.entries[0];
    e->has_effective = true;
    e->class = ERA_CLASS_BREAKING;
    e->record = c->components[given_component_index(c, component)].initial;
    return given_seal(p);
}

struct era_proposal *given_copy(const struct era_proposal *p)
{
    struct era_proposal *copy = given_keep(sizeof *copy);
    *copy = *p;
    return copy;
}

struct era_head_ref given_head(const struct era_charter *c, const struct era_proposal *p)
{
    return (struct era_head_ref){
        .some = true, .charter_version = c->version, .seq = p->slot.seq, .proposal = given_id(c, p)};
}

struct era_proposal *given_next(const struct era_charter *c, const struct era_proposal *head, uint64_t seq)
{
    struct era_proposal *p = given_copy(head);
    p->slot.seq = seq;
    p->prev = given_head(c, head);
    p->drop_count = 0;
    for (size_t i = 0; i < p->plan.count; i++)
        p->plan.entries[i].is_new = false;
    return p;
}

struct era_proposal *given_after(const struct era_charter *c, const struct era_charter *old,
                                 const struct era_proposal *head, uint64_t seq)
{
    struct era_proposal *p = given_next(old, head, seq);
    p->slot.charter_version = c->version;
    return p;
}

static struct era_entry *append(struct era_proposal *p, enum era_class class, const char *version)
{
    if (p->plan.count == ERA_PLAN_ENTRIES_MAX)
        given_wrong("no room in the plan for", version);
    struct era_entry *e = &p->plan.entries[p->plan.count];
    *e = p->plan.entries[p->plan.count - 1];
    p->plan.count++;
    e->is_new = true;
    e->has_effective = false;
    e->effective = 0;
    e->class = class;
    given_set(e->record.version, sizeof e->record.version, version);
    return e;
}

struct era_proposal *given_soft(struct era_proposal *p, uint64_t effective, const char *version)
{
    struct era_entry *e = append(p, ERA_CLASS_SOFT, version);
    e->has_effective = true;
    e->effective = effective;
    return given_seal(p);
}

static void next_era(struct era_entry *e)
{
    e->record.era++;
    snprintf(e->record.era_name, sizeof e->record.era_name, "era %llu", (unsigned long long)e->record.era);
    set_digests(&e->record);
}

struct era_proposal *given_breaking(struct era_proposal *p, uint64_t effective, const char *version)
{
    struct era_entry *e = append(p, ERA_CLASS_BREAKING, version);
    e->has_effective = true;
    e->effective = effective;
    next_era(e);
    return given_seal(p);
}

struct era_proposal *given_override(struct era_proposal *p, uint64_t effective, const char *version)
{
    struct era_entry *e = append(p, ERA_CLASS_OVERRIDE, version);
    e->has_effective = true;
    e->effective = effective;
    set_digests(&e->record);
    return given_seal(p);
}

struct era_proposal *given_announced(struct era_proposal *p, const char *version)
{
    next_era(append(p, ERA_CLASS_BREAKING, version));
    return given_seal(p);
}

struct era_proposal *given_artefacts(struct era_proposal *p, const char *names)
{
    set_artefacts(&p->plan.entries[p->plan.count - 1].record, names, " ");
    return given_seal(p);
}

struct era_proposal *given_requires(struct era_proposal *p, const char *software)
{
    struct era_ranges *r = &p->plan.entries[p->plan.count - 1].record.requires;
    given_set(r->v[ERA_VERSION_SOFTWARE], sizeof r->v[0], software);
    return given_seal(p);
}

struct era_proposal *given_drop(struct era_proposal *p, struct era_hash what)
{
    size_t at = p->drop_count++;
    for (; at > 0 && era_hash_cmp(&p->drops[at - 1], &what) > 0; at--)
        p->drops[at] = p->drops[at - 1];
    p->drops[at] = what;
    for (size_t i = 0; i < p->plan.count; i++)
        if (era_hash_eq(&p->plan.entries[i].hash, &what)) {
            memmove(&p->plan.entries[i], &p->plan.entries[i + 1],
                    (p->plan.count - i - 1) * sizeof p->plan.entries[0]);
            p->plan.count--;
            break;
        }
    return p;
}

struct era_proposal *given_from(struct era_proposal *p, size_t first)
{
    memmove(&p->plan.entries[0], &p->plan.entries[first],
            (p->plan.count - first) * sizeof p->plan.entries[0]);
    p->plan.count -= first;
    return p;
}

struct era_proposal *given_seal(struct era_proposal *p)
{
    for (size_t i = 0; i < p->plan.count; i++)
        era_entry_seal(&p->plan.entries[i]);
    return p;
}

struct era_hash given_entry(const struct era_proposal *p, size_t index)
{
    return p->plan.entries[index].hash;
}

/* ---- statements ---- */

struct era_bytes given_encoded(const struct era_statement *s)
{
    static uint8_t scratch[ERA_LOOSE_BYTES_MAX];
    size_t len = era_statement_encode(s, scratch, sizeof scratch);
    if (len == 0)
        given_wrong("too large a", era_kind_name(s->kind));
    uint8_t *out = given_keep(len);
    memcpy(out, scratch, len);
    return (struct era_bytes){out, len};
}

/* The same one every time: it has room for a plan, and thousands of votes are signed. */
struct era_statement *given_statement(enum era_kind kind)
{
    static struct era_statement s;
    memset(&s, 0, sizeof s);
    s.kind = kind;
    return &s;
}

static struct era_bytes proposal_payload(const struct era_proposal *p)
{
    struct era_statement *s = given_statement(ERA_KIND_PROPOSAL);
    s->u.proposal = *p;
    return given_encoded(s);
}

struct era_hash given_id(const struct era_charter *c, const struct era_proposal *p)
{
    struct era_hash network = given_root(c);
    return era_statement_id(&network, ERA_KIND_PROPOSAL, proposal_payload(p));
}

static struct era_signature signature_by(const struct given_key *k, const struct era_hash *id)
{
    struct era_signature s;
    crypto_sign_detached(s.b, NULL, id->b, sizeof id->b, k->secret);
    return s;
}

struct era_signature given_sign(const struct era_charter *c, const char *who, uint32_t kind,
                                struct era_bytes payload)
{
    struct given_key k = given_key(who);
    struct era_hash network = given_root(c), id = era_statement_id(&network, kind, payload);
    return signature_by(&k, &id);
}

struct era_bytes given_envelope(const struct era_envelope *e)
{
    size_t len = era_envelope_bytes(e);
    uint8_t *out = given_keep(len);
    if (era_envelope_encode(e, out, len) != len)
        abort();
    return (struct era_bytes){out, len};
}

struct era_bytes given_signed(const struct era_charter *c, const char *who, const struct era_statement *s)
{
    struct era_bytes payload = given_encoded(s);
    return given_envelope(&(struct era_envelope){.kind = s->kind,
                                                 .payload = payload,
                                                 .key = given_key(who).key,
                                                 .signature = given_sign(c, who, s->kind, payload)});
}

struct era_bytes given_proposed(const struct era_charter *c, const char *who, const struct era_proposal *p)
{
    struct era_statement *s = given_statement(ERA_KIND_PROPOSAL);
    s->u.proposal = *p;
    return given_signed(c, who, s);
}

static struct era_statement *vote(const struct era_charter *c, enum era_kind kind,
                                  const struct era_proposal *p)
{
    struct era_hash id = given_id(c, p);
    struct era_statement *s = given_statement(kind);
    s->u.vote = (struct era_vote){.slot = p->slot, .proposal = id};
    return s;
}

struct era_bytes given_approve(const struct era_charter *c, const char *who, const struct era_proposal *p)
{
    return given_signed(c, who, vote(c, ERA_KIND_APPROVE, p));
}

struct era_bytes given_ready(const struct era_charter *c, const char *who, const struct era_proposal *p)
{
    return given_signed(c, who, vote(c, ERA_KIND_READINESS, p));
}

struct era_bytes given_reject(const struct era_charter *c, const char *who, const struct era_proposal *p,
                              const char *reason)
{
    struct era_hash id = given_id(c, p);
    struct era_statement *s = given_statement(ERA_KIND_REJECT);
    s->u.reject.slot = p->slot;
    s->u.reject.proposal = id;
    given_set(s->u.reject.reason, sizeof s->u.reject.reason, reason);
    return given_signed(c, who, s);
}

static struct era_statement *attestation(const struct era_charter *c, const struct era_proposal *p,
                                         const char *artefact, const char *digest)
{
    struct era_hash id = given_id(c, p);
    struct era_statement *s = given_statement(ERA_KIND_ATTESTATION);
    struct era_attestation *a = &s->u.attestation;
    a->slot = p->slot;
    a->proposal = id;
    given_set(a->artefact, sizeof a->artefact, artefact);
    given_set(a->digest, sizeof a->digest, digest);
    return s;
}

struct era_bytes given_attest(const struct era_charter *c, const char *who, const struct era_proposal *p,
                              const char *artefact, const char *digest)
{
    return given_signed(c, who, attestation(c, p, artefact, digest));
}

struct era_announcement given_running(const struct era_charter *c, uint64_t epoch, const char *software)
{
    struct era_announcement a;
    memset(&a, 0, sizeof a);
    a.epoch = epoch;
    a.charter_version = c->version;
    given_set(a.versions.v[ERA_VERSION_SOFTWARE], sizeof a.versions.v[0], software);
    return a;
}

struct era_bytes given_announce(const struct era_charter *c, const char *who,
                                const struct era_announcement *a)
{
    struct era_statement *s = given_statement(ERA_KIND_ANNOUNCEMENT);
    s->u.announcement = *a;
    return given_signed(c, who, s);
}

struct era_bytes given_event(const struct era_charter *c, const char *who, uint64_t epoch,
                             struct era_hash entry, uint64_t seq, const char *payload)
{
    struct era_statement *s = given_statement(ERA_KIND_EVENT);
    struct era_event_statement *e = &s->u.event;
    e->epoch = epoch;
    e->charter_version = c->version;
    e->entry = entry;
    e->seq = seq;
    given_set(e->topic, sizeof e->topic, "prices");
    e->payload_bytes = strlen(payload);
    memcpy(e->payload, payload, e->payload_bytes);
    return given_signed(c, who, s);
}

/* ---- carriers ---- */

int given_by_index(const void *a, const void *b)
{
    uint32_t x = ((const struct era_indexed_signature *)a)->key,
             y = ((const struct era_indexed_signature *)b)->key;
    return x < y ? -1 : x > y;
}

static int attestation_by_index(const void *a, const void *b)
{
    const struct era_indexed_attestation *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    size_t n = x->payload.len < y->payload.len ? x->payload.len : y->payload.len;
    int order = memcmp(x->payload.data, y->payload.data, n);
    return order ? order : x->payload.len < y->payload.len ? -1 : x->payload.len > y->payload.len;
}

static void add_votes(const struct era_charter *c, const struct era_proposal *p, enum era_kind kind,
                      const char *names, struct era_indexed_signature **list, size_t *count)
{
    char **parts = given_keep(NAMES_MAX * sizeof *parts);
    struct era_bytes payload = given_encoded(vote(c, kind, p));
    *count = given_split(names, " ", parts, NAMES_MAX);
    *list = given_keep((*count + 1) * sizeof **list);
    for (size_t i = 0; i < *count; i++)
        (*list)[i] = (struct era_indexed_signature){
            (uint32_t)(kind == ERA_KIND_APPROVE ? given_signer_index(c, p->slot.component, parts[i])
                                                : given_validator_index(c, parts[i])),
            given_sign(c, parts[i], kind, payload)};
    qsort(*list, *count, sizeof **list, given_by_index);
}

static void add_attestations(const struct era_charter *c, const struct era_proposal *p, const char *who,
                             struct era_carrier *k)
{
    for (size_t e = 0; e < p->plan.count; e++)
        for (size_t a = 0; p->plan.entries[e].is_new && a < p->plan.entries[e].record.artefact_count; a++) {
            const struct era_artefact *artefact = &p->plan.entries[e].record.artefacts[a];
            struct era_bytes payload = given_encoded(attestation(c, p, artefact->name, artefact->digest));
            k->attestations[k->attestation_count++] =
                (struct era_indexed_attestation){(uint32_t)given_validator_index(c, who),
                                                 given_sign(c, who, ERA_KIND_ATTESTATION, payload), payload};
        }
}

struct era_carrier *given_carrier(const struct era_charter *c, const struct era_proposal *p,
                                  const char *author, const char *approvers, const char *ready,
                                  const char *attesters)
{
    struct era_carrier *k = given_keep(sizeof *k);
    char **parts = given_keep(NAMES_MAX * sizeof *parts);
    k->proposal = proposal_payload(p);
    k->author = given_key(author).key;
    k->signature = given_sign(c, author, ERA_KIND_PROPOSAL, k->proposal);
    add_votes(c, p, ERA_KIND_APPROVE, approvers, &k->approvals, &k->approval_count);
    add_votes(c, p, ERA_KIND_READINESS, ready, &k->readiness, &k->readiness_count);
    size_t n = given_split(attesters, " ", parts, NAMES_MAX);
    k->attestations =
        given_keep((n * ERA_PLAN_ENTRIES_MAX * ERA_ARTEFACTS_MAX + 1) * sizeof *k->attestations);
    for (size_t i = 0; i < n; i++)
        add_attestations(c, p, parts[i], k);
    qsort(k->attestations, k->attestation_count, sizeof *k->attestations, attestation_by_index);
    return k;
}

struct era_bytes given_sealed(uint32_t kind, const struct era_carrier *k)
{
    size_t len = era_carrier_bytes(k);
    uint8_t *out = given_keep(len);
    if (era_carrier_encode(k, out, len) != len)
        abort();
    return given_envelope(&(struct era_envelope){.kind = kind, .payload = {out, len}});
}

struct era_bytes given_approved(const struct era_charter *c, const struct era_proposal *p, const char *author,
                                const char *approvers)
{
    return given_sealed(ERA_KIND_APPROVED, given_carrier(c, p, author, approvers, "", ""));
}

struct era_bytes given_certificate(const struct era_charter *c, const struct era_proposal *p,
                                   const char *author, const char *approvers, const char *ready,
                                   const char *attesters)
{
    return given_sealed(ERA_KIND_CERTIFICATE, given_carrier(c, p, author, approvers, ready, attesters));
}

struct era_bytes given_evidence(struct era_bytes a, struct era_bytes b)
{
    struct era_envelope x, y;
    if (era_envelope_decode(a, &x) != ERA_ACCEPTED || era_envelope_decode(b, &y) != ERA_ACCEPTED)
        abort();
    int order =
        memcmp(x.payload.data, y.payload.data, x.payload.len < y.payload.len ? x.payload.len : y.payload.len);
    if (order > 0 || (order == 0 && x.payload.len > y.payload.len))
        return given_evidence(b, a);
    struct era_evidence e = {.kind = x.kind,
                             .key = x.key,
                             .payloads = {x.payload, y.payload},
                             .signatures = {x.signature, y.signature}};
    size_t len = era_evidence_bytes(&e);
    uint8_t *out = given_keep(len);
    if (era_evidence_encode(&e, out, len) != len)
        abort();
    return given_envelope(&(struct era_envelope){.kind = ERA_KIND_EVIDENCE, .payload = {out, len}});
}

struct era_bytes given_flipped(struct era_bytes b, size_t from_end)
{
    uint8_t *out = given_keep(b.len);
    memcpy(out, b.data, b.len);
    out[b.len - from_end] ^= 1;
    return (struct era_bytes){out, b.len};
}

static struct era_hash charter_certificate_item(struct era_bytes payload)
{
    struct era_charter_certificate k;
    struct era_charter next;
    if (era_charter_certificate_decode(payload, &k) != ERA_ACCEPTED ||
        era_charter_decode(k.charter, &next) != ERA_ACCEPTED)
        given_wrong("does not decode:", "charter certificate");
    struct era_hash item = era_item_id_carrier(ERA_KIND_CHARTER_CERTIFICATE, &next.hash);
    era_charter_clear(&next);
    era_charter_certificate_clear(&k);
    return item;
}

/* The place that an evidence is about, spelled out a second time. */
static struct era_hash evidence_item(struct era_bytes payload)
{
    struct era_evidence e;
    struct era_statement *s = calloc(1, sizeof *s);
    if (!s || era_evidence_decode(payload, &e) != ERA_ACCEPTED ||
        era_statement_decode(e.kind, e.payloads[0], s) != ERA_ACCEPTED)
        given_wrong("does not decode:", "evidence");
    const char *component = "";
    uint64_t version = 0, seq = 0;
    if (e.kind == ERA_KIND_APPROVE || e.kind == ERA_KIND_READINESS) {
        component = s->u.vote.slot.component;
        version = s->u.vote.slot.charter_version;
        seq = s->u.vote.slot.seq;
    } else if (e.kind == ERA_KIND_ANNOUNCEMENT) {
        version = s->u.announcement.charter_version;
        seq = s->u.announcement.epoch;
    } else if (e.kind == ERA_KIND_CHECKPOINT) {
        component = s->u.checkpoint.component;
        version = s->u.checkpoint.charter_version;
        seq = s->u.checkpoint.at;
    } else {
        seq = e.kind == ERA_KIND_CLOSE ? s->u.close.version : s->u.charter_vote.version;
        version = seq - 1;
    }
    struct era_hash place = era_evidence_place(&e.key, e.kind, component, version, seq);
    free(s);
    return era_item_id_carrier(ERA_KIND_EVIDENCE, &place);
}

struct era_hash given_item(const struct era_charter *c, struct era_bytes bytes)
{
    struct era_envelope e;
    struct era_carrier k;
    struct era_hash network = given_root(c);
    if (era_envelope_decode(bytes, &e) != ERA_ACCEPTED)
        given_wrong("does not decode:", "envelope");
    if (!era_kind_is_carrier(e.kind)) {
        struct era_hash id = era_statement_id(&network, e.kind, e.payload);
        return era_item_id_loose(&id, &e.key);
    }
    if (e.kind == ERA_KIND_CHARTER_CERTIFICATE)
        return charter_certificate_item(e.payload);
    if (e.kind == ERA_KIND_EVIDENCE)
        return evidence_item(e.payload);
    if (era_carrier_decode(e.payload, &k) != ERA_ACCEPTED)
        given_wrong("does not decode:", "carrier");
    struct era_hash id = era_statement_id(&network, ERA_KIND_PROPOSAL, k.proposal);
    era_carrier_clear(&k);
    return era_item_id_carrier(e.kind, &id);
}
