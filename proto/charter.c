#include "proto/charter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/statement_record.h"

/* As the charter text writes them: exact in every JSON reader, and products of two fit 64 bits. */
#define FRACTION_MAX ((uint64_t)1000000)

/* Scratch for packing one charter; one allocation each list. */
struct component_pb {
    Erad__Wire__Component msg;
    Erad__Wire__Fraction enough, rebuild_quorum;
    Erad__Wire__Signer signers[ERA_SIGNERS_MAX];
    Erad__Wire__Signer *signer_list[ERA_SIGNERS_MAX];
    struct era_record_pb initial;
};

struct charter_pb {
    Erad__Wire__Charter msg;
    Erad__Wire__Clock clock;
    Erad__Wire__Validator *validators;
    Erad__Wire__Validator **validator_list;
    struct component_pb *components;
    Erad__Wire__Component **component_list;
    Erad__Wire__Signer emitters[ERA_EMITTERS_MAX];
    Erad__Wire__Signer *emitter_list[ERA_EMITTERS_MAX];
    Erad__Wire__Carried carried[ERA_COMPONENTS_MAX];
    Erad__Wire__Carried *carried_list[ERA_COMPONENTS_MAX];
};

/* At least one, so that an empty list is no special case. Out of memory is not a verdict. */
static void *new_list(size_t count, size_t size)
{
    void *list = calloc(count > 0 ? count : 1, size);
    if (!list)
        abort();
    return list;
}

/* ---- plain -> protobuf-c ---- */

static void signers_to_pb(const struct era_named_key *keys, size_t count, Erad__Wire__Signer *pb,
                          Erad__Wire__Signer **list)
{
    for (size_t i = 0; i < count; i++) {
        erad__wire__signer__init(&pb[i]);
        pb[i].name = (char *)keys[i].name;
        pb[i].key = era_pb_span(keys[i].key.b, sizeof keys[i].key.b);
        list[i] = &pb[i];
    }
}

static Erad__Wire__Fraction *fraction_to_pb(const struct era_fraction *fraction, Erad__Wire__Fraction *pb)
{
    erad__wire__fraction__init(pb);
    pb->numerator = fraction->numerator;
    pb->denominator = fraction->denominator;
    return pb;
}

static void component_to_pb(const struct era_component *c, struct component_pb *pb)
{
    assert(c->signer_count <= ERA_SIGNERS_MAX);
    erad__wire__component__init(&pb->msg);
    pb->msg.id = (char *)c->id;
    pb->msg.k = c->k;
    pb->msg.urgent_k = c->urgent_k;
    pb->msg.notice_epochs = c->notice_epochs;
    pb->msg.urgent_notice_epochs = c->urgent_notice_epochs;
    pb->msg.enough = fraction_to_pb(&c->enough, &pb->enough);
    pb->msg.rebuild_quorum = fraction_to_pb(&c->rebuild_quorum, &pb->rebuild_quorum);
    signers_to_pb(c->signers, c->signer_count, pb->signers, pb->signer_list);
    pb->msg.n_signers = c->signer_count;
    pb->msg.signers = pb->signer_list;
    era_record_to_pb(&c->initial, &pb->initial);
    pb->msg.initial = &pb->initial.msg;
}

static void clock_to_pb(const struct era_clock_params *clock, Erad__Wire__Clock *pb)
{
    erad__wire__clock__init(pb);
    pb->kind = clock->kind;
    pb->genesis_ms = clock->genesis_ms;
    pb->epoch_ms = clock->epoch_ms;
    pb->tolerance_epochs = clock->tolerance_epochs;
}

static void validators_to_pb(const struct era_charter *c, struct charter_pb *pb)
{
    pb->validators = new_list(c->validator_count, sizeof *pb->validators);
    pb->validator_list = new_list(c->validator_count, sizeof *pb->validator_list);
    for (size_t i = 0; i < c->validator_count; i++) {
        erad__wire__validator__init(&pb->validators[i]);
        pb->validators[i].name = (char *)c->validators[i].name;
        pb->validators[i].key = era_pb_span(c->validators[i].key.b, sizeof c->validators[i].key.b);
        pb->validators[i].stake = c->validators[i].stake;
        pb->validator_list[i] = &pb->validators[i];
    }
    pb->msg.n_validators = c->validator_count;
    pb->msg.validators = pb->validator_list;
}

static void components_to_pb(const struct era_charter *c, struct charter_pb *pb)
{
    pb->components = new_list(c->component_count, sizeof *pb->components);
    pb->component_list = new_list(c->component_count, sizeof *pb->component_list);
    for (size_t i = 0; i < c->component_count; i++) {
        component_to_pb(&c->components[i], &pb->components[i]);
        pb->component_list[i] = &pb->components[i].msg;
    }
    pb->msg.n_components = c->component_count;
    pb->msg.components = pb->component_list;
}

/* Absent from a charter 0, whose bytes they leave as they were. */
static void succession_to_pb(const struct era_charter *c, struct charter_pb *pb)
{
    assert(c->carried_count <= ERA_COMPONENTS_MAX);
    pb->msg.has_parent = c->has_parent;
    pb->msg.parent = era_pb_span(c->parent.b, sizeof c->parent.b);
    pb->msg.has_effective = c->effective > 0;
    pb->msg.effective = c->effective;
    for (size_t i = 0; i < c->carried_count; i++) {
        erad__wire__carried__init(&pb->carried[i]);
        pb->carried[i].component = (char *)c->carried[i].component;
        pb->carried[i].seq = c->carried[i].seq;
        pb->carried_list[i] = &pb->carried[i];
    }
    pb->msg.n_carried = c->carried_count;
    pb->msg.carried = pb->carried_list;
}

/* Pair with charter_pb_release. pb must not move. */
static void charter_to_pb(const struct era_charter *c, struct charter_pb *pb)
{
    assert(c->validator_count <= ERA_VALIDATORS_MAX);
    assert(c->component_count <= ERA_COMPONENTS_MAX);
    assert(c->emitter_count <= ERA_EMITTERS_MAX);
    erad__wire__charter__init(&pb->msg);
    pb->msg.version = c->version;
    succession_to_pb(c, pb);
    pb->msg.name = (char *)c->name;
    clock_to_pb(&c->clock, &pb->clock);
    pb->msg.clock = &pb->clock;
    validators_to_pb(c, pb);
    components_to_pb(c, pb);
    pb->msg.strict_emission = c->strict_emission;
    pb->msg.authority_only = c->authority_only;
    signers_to_pb(c->emitters, c->emitter_count, pb->emitters, pb->emitter_list);
    pb->msg.n_emitters = c->emitter_count;
    pb->msg.emitters = pb->emitter_list;
    pb->msg.events_per_epoch = c->events_per_epoch;
    pb->msg.overrides = c->overrides;
}

static void charter_pb_release(struct charter_pb *pb)
{
    free(pb->validators);
    free(pb->validator_list);
    free(pb->components);
    free(pb->component_list);
}

size_t era_charter_encode(const struct era_charter *c, uint8_t **out)
{
    struct charter_pb pb;
    charter_to_pb(c, &pb);
    size_t len = protobuf_c_message_get_packed_size(&pb.msg.base);
    *out = new_list(len, 1);
    protobuf_c_message_pack(&pb.msg.base, *out);
    charter_pb_release(&pb);
    return len;
}

static struct era_hash hash_of(struct era_bytes canonical)
{
    static const char domain[] = "erad-charter-v1";
    const struct era_bytes parts[] = {{(const uint8_t *)domain, sizeof domain - 1}, canonical};
    return era_hash_parts(parts, 2);
}

void era_charter_seal(struct era_charter *c)
{
    uint8_t *bytes;
    size_t len = era_charter_encode(c, &bytes);
    c->hash = hash_of((struct era_bytes){bytes, len});
    free(bytes);
}

/* ---- protobuf-c -> plain ---- */

/* Lists of keys ascend strictly: no key is named, or later counted, twice. */
static void check_order(struct era_pb_reader *r, const struct era_key *before, const struct era_key *key)
{
    int order = memcmp(before->b, key->b, sizeof key->b);
    if (order == 0)
        era_pb_refuse(r, ERA_DUPLICATE_KEY);
    else if (order > 0)
        era_pb_refuse(r, ERA_NOT_CANONICAL);
}

static void signers_read(struct era_pb_reader *r, Erad__Wire__Signer *const *pb, size_t count,
                         struct era_named_key *out)
{
    for (size_t i = 0; i < count; i++) {
        era_pb_text(r, pb[i]->name, out[i].name, sizeof out[i].name, ERA_PB_LINE);
        era_pb_fixed(r, pb[i]->key, out[i].key.b, sizeof out[i].key.b);
        if (i > 0)
            check_order(r, &out[i - 1].key, &out[i].key);
    }
}

static void validators_read(struct era_pb_reader *r, const Erad__Wire__Charter *pb, struct era_charter *out)
{
    out->validator_count = era_pb_count(r, pb->n_validators, ERA_VALIDATORS_MAX);
    out->validators = new_list(out->validator_count, sizeof *out->validators);
    uint64_t sum = 0;
    for (size_t i = 0; i < out->validator_count; i++) {
        struct era_validator *to = &out->validators[i];
        era_pb_text(r, pb->validators[i]->name, to->name, sizeof to->name, ERA_PB_LINE);
        era_pb_fixed(r, pb->validators[i]->key, to->key.b, sizeof to->key.b);
        to->stake = era_pb_number(r, pb->validators[i]->stake, 1, ERA_STAKE_SUM_MAX);
        sum = era_add_sat(sum, to->stake);
        if (i > 0)
            check_order(r, &out->validators[i - 1].key, &to->key);
    }
    era_pb_number(r, sum, 0, ERA_STAKE_SUM_MAX);
}

static void fraction_read(struct era_pb_reader *r, const Erad__Wire__Fraction *pb, struct era_fraction *out)
{
    out->denominator = era_pb_number(r, pb->denominator, 1, FRACTION_MAX);
    out->numerator = era_pb_number(r, pb->numerator, 0, out->denominator);
}

static void component_read(struct era_pb_reader *r, const Erad__Wire__Component *pb,
                           struct era_component *out)
{
    era_pb_text(r, pb->id, out->id, sizeof out->id, ERA_PB_NAME);
    out->k = pb->k;
    out->urgent_k = pb->urgent_k;
    out->notice_epochs = era_pb_number(r, pb->notice_epochs, 0, ERA_EPOCH_MAX);
    out->urgent_notice_epochs = era_pb_number(r, pb->urgent_notice_epochs, 0, ERA_EPOCH_MAX);
    fraction_read(r, pb->enough, &out->enough);
    fraction_read(r, pb->rebuild_quorum, &out->rebuild_quorum);
    out->signer_count = era_pb_count(r, pb->n_signers, ERA_SIGNERS_MAX);
    signers_read(r, pb->signers, out->signer_count, out->signers);
    era_record_read(r, pb->initial, &out->initial);
    if (out->initial.era != 1 || strcmp(out->initial.component, out->id) != 0)
        era_pb_refuse(r, ERA_BAD_VALUE);
}

static void components_read(struct era_pb_reader *r, const Erad__Wire__Charter *pb, struct era_charter *out)
{
    out->component_count = era_pb_count(r, pb->n_components, ERA_COMPONENTS_MAX);
    out->components = new_list(out->component_count, sizeof *out->components);
    for (size_t i = 0; i < out->component_count; i++) {
        component_read(r, pb->components[i], &out->components[i]);
        if (i > 0 && strcmp(out->components[i - 1].id, out->components[i].id) >= 0)
            era_pb_refuse(r, ERA_NOT_CANONICAL);
    }
}

static void clock_read(struct era_pb_reader *r, const Erad__Wire__Clock *pb, struct era_clock_params *out)
{
    out->kind = (enum era_clock_kind)era_pb_number(r, pb->kind, ERA_CLOCK_WALL, ERA_CLOCK_HEIGHT);
    out->genesis_ms = era_pb_number(r, pb->genesis_ms, 0, ERA_EPOCH_MAX);
    out->epoch_ms = era_pb_number(r, pb->epoch_ms, 1, ERA_EPOCH_MAX);
    out->tolerance_epochs = era_pb_number(r, pb->tolerance_epochs, 0, ERA_EPOCH_MAX);
}

/* R10: charter 0 follows nothing; every other names its parent and the epoch from which it may count. */
static void succession_read(struct era_pb_reader *r, const Erad__Wire__Charter *pb, struct era_charter *out)
{
    out->version = era_pb_number(r, pb->version, 0, ERA_CHARTER_VERSION_MAX);
    out->has_parent = pb->has_parent;
    if (pb->has_parent)
        era_pb_fixed(r, pb->parent, out->parent.b, sizeof out->parent.b);
    if (pb->has_effective)
        out->effective = era_pb_number(r, pb->effective, 1, ERA_EPOCH_MAX);
    out->carried_count = era_pb_count(r, pb->n_carried, ERA_COMPONENTS_MAX);
    for (size_t i = 0; i < out->carried_count; i++) {
        struct era_carried *to = &out->carried[i];
        era_pb_text(r, pb->carried[i]->component, to->component, sizeof to->component, ERA_PB_NAME);
        to->seq = era_pb_number(r, pb->carried[i]->seq, 0, ERA_SEQ_MAX);
        if (i > 0 && strcmp(to[-1].component, to->component) >= 0)
            era_pb_refuse(r, ERA_NOT_CANONICAL);
    }
    bool follows = out->version > 0;
    if (out->has_parent != follows || pb->has_effective != follows || (!follows && pb->n_carried > 0))
        era_pb_refuse(r, ERA_BAD_VALUE);
}

static void charter_read(struct era_pb_reader *r, const Erad__Wire__Charter *pb, struct era_charter *out)
{
    succession_read(r, pb, out);
    era_pb_text(r, pb->name, out->name, sizeof out->name, ERA_PB_LINE);
    clock_read(r, pb->clock, &out->clock);
    validators_read(r, pb, out);
    components_read(r, pb, out);
    out->strict_emission = pb->strict_emission;
    out->authority_only = pb->authority_only;
    out->emitter_count = era_pb_count(r, pb->n_emitters, ERA_EMITTERS_MAX);
    signers_read(r, pb->emitters, out->emitter_count, out->emitters);
    out->events_per_epoch = (uint32_t)era_pb_number(r, pb->events_per_epoch, 0, ERA_EVENTS_PER_EPOCH_MAX);
    out->overrides = pb->overrides;
}

static enum era_verdict decode_in(struct era_pb_arena *arena, struct era_bytes in, struct era_charter *out)
{
    struct era_pb_reader reader = {ERA_ACCEPTED};
    const ProtobufCMessage *msg = era_pb_unpack(arena, &erad__wire__charter__descriptor, in, &reader.verdict);
    if (!msg)
        return reader.verdict;
    charter_read(&reader, (const void *)msg, out);
    if (reader.verdict != ERA_ACCEPTED)
        return reader.verdict;
    struct charter_pb again;
    charter_to_pb(out, &again);
    bool same = era_pb_packs_to(arena, &again.msg.base, in);
    charter_pb_release(&again);
    if (!same)
        return ERA_NOT_CANONICAL;
    out->hash = hash_of(in);
    return ERA_ACCEPTED;
}

enum era_verdict era_charter_decode(struct era_bytes in, struct era_charter *out)
{
    memset(out, 0, sizeof *out);
    if (in.len > ERA_CHARTER_BYTES_MAX)
        return ERA_OVERSIZED;
    struct era_pb_arena arena;
    era_pb_arena_init(&arena, in.len);
    enum era_verdict verdict = decode_in(&arena, in, out);
    era_pb_arena_release(&arena);
    if (verdict != ERA_ACCEPTED)
        era_charter_clear(out);
    return verdict;
}

void era_charter_clear(struct era_charter *c)
{
    if (!c)
        return;
    free(c->validators);
    free(c->components);
    memset(c, 0, sizeof *c);
}
