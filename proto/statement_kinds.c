/* Every loose kind between plain structs and bytes. A kind's schema is frozen (R1). */
#include <assert.h>
#include <string.h>

#include "proto/charter.h"
#include "proto/statement_record.h"

/* Scratch for packing one statement; points into the statement it was filled from. */
struct proposal_pb {
    Erad__Wire__Proposal msg;
    Erad__Wire__Head prev;
    struct era_entry_pb entries[ERA_PLAN_ENTRIES_MAX];
    Erad__Wire__Entry *plan[ERA_PLAN_ENTRIES_MAX];
    ProtobufCBinaryData drops[ERA_DROPS_MAX];
};

struct announcement_pb {
    Erad__Wire__Announcement msg;
    Erad__Wire__Versions versions;
};

struct close_pb {
    Erad__Wire__Close msg;
    Erad__Wire__ClosedSlot slots[ERA_CLOSE_SLOTS_MAX];
    Erad__Wire__ClosedSlot *voted[ERA_CLOSE_SLOTS_MAX];
};

struct statement_pb {
    Erad__Wire__Slot slot;
    union {
        struct proposal_pb proposal;
        Erad__Wire__Approve approve;
        Erad__Wire__Reject reject;
        Erad__Wire__Attestation attestation;
        Erad__Wire__Readiness readiness;
        struct announcement_pb announcement;
        Erad__Wire__Event event;
        Erad__Wire__Checkpoint checkpoint;
        Erad__Wire__CharterVote charter_vote;
        struct close_pb close;
    } u;
};

static ProtobufCBinaryData hash_span(const struct era_hash *hash)
{
    return era_pb_span(hash->b, sizeof hash->b);
}

/* ---- plain -> protobuf-c ---- */

static Erad__Wire__Slot *slot_to_pb(const struct era_slot_id *slot, Erad__Wire__Slot *pb)
{
    erad__wire__slot__init(pb);
    pb->component = (char *)slot->component;
    pb->charter_version = slot->charter_version;
    pb->seq = slot->seq;
    return pb;
}

static const ProtobufCMessage *proposal_to_pb(const struct era_proposal *p, struct statement_pb *pb)
{
    assert(p->plan.count <= ERA_PLAN_ENTRIES_MAX);
    assert(p->drop_count <= ERA_DROPS_MAX);
    struct proposal_pb *to = &pb->u.proposal;
    erad__wire__proposal__init(&to->msg);
    to->msg.slot = slot_to_pb(&p->slot, &pb->slot);
    if (p->prev.some) {
        erad__wire__head__init(&to->prev);
        to->prev.charter_version = p->prev.charter_version;
        to->prev.seq = p->prev.seq;
        to->prev.proposal = hash_span(&p->prev.proposal);
        to->msg.prev = &to->prev;
    }
    for (size_t i = 0; i < p->plan.count; i++) {
        era_entry_to_pb(&p->plan.entries[i], &to->entries[i]);
        to->plan[i] = &to->entries[i].msg;
    }
    to->msg.n_plan = p->plan.count;
    to->msg.plan = to->plan;
    for (size_t i = 0; i < p->drop_count; i++)
        to->drops[i] = hash_span(&p->drops[i]);
    to->msg.n_drops = p->drop_count;
    to->msg.drops = to->drops;
    to->msg.expiry = p->expiry;
    to->msg.urgent = p->urgent;
    to->msg.text = era_pb_optional(p->text);
    return &to->msg.base;
}

static const ProtobufCMessage *approve_to_pb(const struct era_vote *v, struct statement_pb *pb)
{
    Erad__Wire__Approve *to = &pb->u.approve;
    erad__wire__approve__init(to);
    to->slot = slot_to_pb(&v->slot, &pb->slot);
    to->proposal = hash_span(&v->proposal);
    return &to->base;
}

static const ProtobufCMessage *readiness_to_pb(const struct era_vote *v, struct statement_pb *pb)
{
    Erad__Wire__Readiness *to = &pb->u.readiness;
    erad__wire__readiness__init(to);
    to->slot = slot_to_pb(&v->slot, &pb->slot);
    to->proposal = hash_span(&v->proposal);
    return &to->base;
}

static const ProtobufCMessage *reject_to_pb(const struct era_reject *v, struct statement_pb *pb)
{
    Erad__Wire__Reject *to = &pb->u.reject;
    erad__wire__reject__init(to);
    to->slot = slot_to_pb(&v->slot, &pb->slot);
    to->proposal = hash_span(&v->proposal);
    to->reason = (char *)v->reason;
    return &to->base;
}

static const ProtobufCMessage *attestation_to_pb(const struct era_attestation *a, struct statement_pb *pb)
{
    Erad__Wire__Attestation *to = &pb->u.attestation;
    erad__wire__attestation__init(to);
    to->slot = slot_to_pb(&a->slot, &pb->slot);
    to->proposal = hash_span(&a->proposal);
    to->artefact = (char *)a->artefact;
    to->digest = (char *)a->digest;
    to->source_digest = era_pb_optional(a->source_digest);
    to->builder = era_pb_optional(a->builder);
    return &to->base;
}

static const ProtobufCMessage *announcement_to_pb(const struct era_announcement *a, struct statement_pb *pb)
{
    struct announcement_pb *to = &pb->u.announcement;
    erad__wire__announcement__init(&to->msg);
    era_versions_to_pb(&a->versions, &to->versions);
    to->msg.epoch = a->epoch;
    to->msg.charter_version = a->charter_version;
    to->msg.versions = &to->versions;
    to->msg.has_entry = a->has_entry;
    to->msg.entry = hash_span(&a->entry);
    to->msg.view_digest = hash_span(&a->view_digest);
    to->msg.staged = a->staged;
    to->msg.blocked = a->blocked;
    to->msg.lease = a->lease;
    return &to->msg.base;
}

static const ProtobufCMessage *event_to_pb(const struct era_event_statement *e, struct statement_pb *pb)
{
    assert(e->payload_bytes <= ERA_EVENT_PAYLOAD_BYTES_MAX);
    Erad__Wire__Event *to = &pb->u.event;
    erad__wire__event__init(to);
    to->epoch = e->epoch;
    to->charter_version = e->charter_version;
    to->entry = hash_span(&e->entry);
    to->seq = e->seq;
    to->topic = (char *)e->topic;
    to->payload = era_pb_span(e->payload, e->payload_bytes);
    return &to->base;
}

static const ProtobufCMessage *checkpoint_to_pb(const struct era_checkpoint *c, struct statement_pb *pb)
{
    Erad__Wire__Checkpoint *to = &pb->u.checkpoint;
    erad__wire__checkpoint__init(to);
    to->charter_version = c->charter_version;
    to->charter = hash_span(&c->charter);
    to->component = (char *)c->component;
    to->entry = hash_span(&c->entry);
    to->at = c->at;
    to->digest = (char *)c->digest;
    return &to->base;
}

static const ProtobufCMessage *charter_vote_to_pb(const struct era_charter_vote *v, struct statement_pb *pb)
{
    Erad__Wire__CharterVote *to = &pb->u.charter_vote;
    erad__wire__charter_vote__init(to);
    to->version = v->version;
    to->charter = hash_span(&v->charter);
    return &to->base;
}

static const ProtobufCMessage *close_to_pb(const struct era_close *c, struct statement_pb *pb)
{
    assert(c->voted_count <= ERA_CLOSE_SLOTS_MAX);
    struct close_pb *to = &pb->u.close;
    erad__wire__close__init(&to->msg);
    to->msg.version = c->version;
    to->msg.charter = hash_span(&c->charter);
    to->msg.has_last = c->has_last;
    to->msg.last = c->last;
    for (size_t i = 0; i < c->voted_count; i++) {
        erad__wire__closed_slot__init(&to->slots[i]);
        to->slots[i].component = (char *)c->voted[i].component;
        to->slots[i].seq = c->voted[i].seq;
        to->slots[i].proposal = hash_span(&c->voted[i].proposal);
        to->voted[i] = &to->slots[i];
    }
    to->msg.n_voted = c->voted_count;
    to->msg.voted = to->voted;
    return &to->msg.base;
}

/* NULL for a charter, whose bytes stand as they are, and for carriers: they are not statements. */
static const ProtobufCMessage *statement_to_pb(const struct era_statement *s, struct statement_pb *pb)
{
    switch (s->kind) {
    case ERA_KIND_PROPOSAL:
        return proposal_to_pb(&s->u.proposal, pb);
    case ERA_KIND_APPROVE:
        return approve_to_pb(&s->u.vote, pb);
    case ERA_KIND_REJECT:
        return reject_to_pb(&s->u.reject, pb);
    case ERA_KIND_ATTESTATION:
        return attestation_to_pb(&s->u.attestation, pb);
    case ERA_KIND_READINESS:
        return readiness_to_pb(&s->u.vote, pb);
    case ERA_KIND_ANNOUNCEMENT:
        return announcement_to_pb(&s->u.announcement, pb);
    case ERA_KIND_EVENT:
        return event_to_pb(&s->u.event, pb);
    case ERA_KIND_CHECKPOINT:
        return checkpoint_to_pb(&s->u.checkpoint, pb);
    case ERA_KIND_ACCEPT:
    case ERA_KIND_CHARTER_APPROVE:
        return charter_vote_to_pb(&s->u.charter_vote, pb);
    case ERA_KIND_CLOSE:
        return close_to_pb(&s->u.close, pb);
    case ERA_KIND_CHARTER:
    case ERA_KIND_APPROVED:
    case ERA_KIND_CERTIFICATE:
    case ERA_KIND_EVIDENCE:
    case ERA_KIND_CHARTER_CERTIFICATE:
        break;
    }
    return NULL;
}

static size_t charter_copy(const struct era_charter_statement *c, uint8_t *out, size_t cap)
{
    assert(c->bytes.len > 0 && c->bytes.len <= ERA_CHARTER_STATEMENT_BYTES_MAX);
    if (c->bytes.len > cap)
        return 0;
    memcpy(out, c->bytes.data, c->bytes.len);
    return c->bytes.len;
}

size_t era_statement_encode(const struct era_statement *s, uint8_t *out, size_t cap)
{
    if (s->kind == ERA_KIND_CHARTER)
        return charter_copy(&s->u.charter, out, cap);
    struct statement_pb pb;
    const ProtobufCMessage *msg = statement_to_pb(s, &pb);
    assert(msg);
    return era_pb_pack(msg, out, cap);
}

/* ---- protobuf-c -> plain ---- */

static void slot_read(struct era_pb_reader *r, const Erad__Wire__Slot *pb, struct era_slot_id *out)
{
    era_pb_text(r, pb->component, out->component, sizeof out->component, ERA_PB_NAME);
    out->charter_version = era_pb_number(r, pb->charter_version, 0, ERA_EPOCH_MAX);
    out->seq = era_pb_number(r, pb->seq, 1, ERA_SEQ_MAX);
}

static void hash_read(struct era_pb_reader *r, ProtobufCBinaryData data, struct era_hash *out)
{
    era_pb_fixed(r, data, out->b, sizeof out->b);
}

static void proposal_read(struct era_pb_reader *r, const Erad__Wire__Proposal *pb, struct era_proposal *out)
{
    slot_read(r, pb->slot, &out->slot);
    if (pb->prev) {
        out->prev.some = true;
        out->prev.charter_version = era_pb_number(r, pb->prev->charter_version, 0, ERA_EPOCH_MAX);
        out->prev.seq = era_pb_number(r, pb->prev->seq, 1, ERA_SEQ_MAX);
        hash_read(r, pb->prev->proposal, &out->prev.proposal);
    }
    out->plan.count = era_pb_count(r, pb->n_plan, ERA_PLAN_ENTRIES_MAX);
    if (out->plan.count == 0)
        era_pb_refuse(r, ERA_BAD_VALUE);
    for (size_t i = 0; i < out->plan.count; i++)
        era_entry_read(r, pb->plan[i], &out->plan.entries[i]);
    out->drop_count = era_pb_count(r, pb->n_drops, ERA_DROPS_MAX);
    for (size_t i = 0; i < out->drop_count; i++) {
        hash_read(r, pb->drops[i], &out->drops[i]);
        if (i > 0 && era_hash_cmp(&out->drops[i - 1], &out->drops[i]) >= 0)
            era_pb_refuse(r, ERA_NOT_CANONICAL);
    }
    out->expiry = era_pb_number(r, pb->expiry, 0, ERA_EPOCH_MAX);
    out->urgent = pb->urgent;
    era_pb_text(r, pb->text, out->text, sizeof out->text, ERA_PB_OPTIONAL_TEXT);
}

static void vote_read(struct era_pb_reader *r, const Erad__Wire__Slot *slot, ProtobufCBinaryData proposal,
                      struct era_vote *out)
{
    slot_read(r, slot, &out->slot);
    hash_read(r, proposal, &out->proposal);
}

static void reject_read(struct era_pb_reader *r, const Erad__Wire__Reject *pb, struct era_reject *out)
{
    slot_read(r, pb->slot, &out->slot);
    hash_read(r, pb->proposal, &out->proposal);
    era_pb_text(r, pb->reason, out->reason, sizeof out->reason, ERA_PB_OPTIONAL_TEXT);
}

static void attestation_read(struct era_pb_reader *r, const Erad__Wire__Attestation *pb,
                             struct era_attestation *out)
{
    slot_read(r, pb->slot, &out->slot);
    hash_read(r, pb->proposal, &out->proposal);
    era_pb_text(r, pb->artefact, out->artefact, sizeof out->artefact, ERA_PB_NAME);
    era_pb_text(r, pb->digest, out->digest, sizeof out->digest, ERA_PB_LINE);
    era_pb_text(r, pb->source_digest, out->source_digest, sizeof out->source_digest, ERA_PB_OPTIONAL_LINE);
    era_pb_text(r, pb->builder, out->builder, sizeof out->builder, ERA_PB_OPTIONAL_LINE);
}

static void announcement_read(struct era_pb_reader *r, const Erad__Wire__Announcement *pb,
                              struct era_announcement *out)
{
    out->epoch = era_pb_number(r, pb->epoch, 0, ERA_EPOCH_MAX);
    out->charter_version = era_pb_number(r, pb->charter_version, 0, ERA_EPOCH_MAX);
    era_versions_read(r, pb->versions, &out->versions);
    out->has_entry = pb->has_entry;
    if (pb->has_entry)
        hash_read(r, pb->entry, &out->entry);
    hash_read(r, pb->view_digest, &out->view_digest);
    out->staged = pb->staged;
    out->blocked = pb->blocked;
    out->lease = pb->lease;
}

static void event_read(struct era_pb_reader *r, const Erad__Wire__Event *pb, struct era_event_statement *out)
{
    out->epoch = era_pb_number(r, pb->epoch, 0, ERA_EPOCH_MAX);
    out->charter_version = era_pb_number(r, pb->charter_version, 0, ERA_EPOCH_MAX);
    hash_read(r, pb->entry, &out->entry);
    out->seq = era_pb_number(r, pb->seq, 0, ERA_SEQ_MAX);
    era_pb_text(r, pb->topic, out->topic, sizeof out->topic, ERA_PB_NAME);
    out->payload_bytes = era_pb_count(r, pb->payload.len, ERA_EVENT_PAYLOAD_BYTES_MAX);
    if (out->payload_bytes > 0)
        memcpy(out->payload, pb->payload.data, out->payload_bytes);
}

static void checkpoint_read(struct era_pb_reader *r, const Erad__Wire__Checkpoint *pb,
                            struct era_checkpoint *out)
{
    out->charter_version = era_pb_number(r, pb->charter_version, 0, ERA_CHARTER_VERSION_MAX);
    hash_read(r, pb->charter, &out->charter);
    era_pb_text(r, pb->component, out->component, sizeof out->component, ERA_PB_NAME);
    hash_read(r, pb->entry, &out->entry);
    out->at = era_pb_number(r, pb->at, 0, ERA_EPOCH_MAX);
    era_pb_text(r, pb->digest, out->digest, sizeof out->digest, ERA_PB_LINE);
}

static void charter_vote_read(struct era_pb_reader *r, const Erad__Wire__CharterVote *pb,
                              struct era_charter_vote *out)
{
    out->version = era_pb_number(r, pb->version, 1, ERA_CHARTER_VERSION_MAX);
    hash_read(r, pb->charter, &out->charter);
}

static int closed_slot_cmp(const struct era_closed_slot *a, const struct era_closed_slot *b)
{
    int order = strcmp(a->component, b->component);
    if (order != 0)
        return order;
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    return era_hash_cmp(&a->proposal, &b->proposal);
}

static void close_read(struct era_pb_reader *r, const Erad__Wire__Close *pb, struct era_close *out)
{
    out->version = era_pb_number(r, pb->version, 1, ERA_CHARTER_VERSION_MAX);
    hash_read(r, pb->charter, &out->charter);
    out->has_last = pb->has_last;
    if (pb->has_last)
        out->last = era_pb_number(r, pb->last, 0, ERA_EPOCH_MAX);
    out->voted_count = era_pb_count(r, pb->n_voted, ERA_CLOSE_SLOTS_MAX);
    for (size_t i = 0; i < out->voted_count; i++) {
        struct era_closed_slot *to = &out->voted[i];
        era_pb_text(r, pb->voted[i]->component, to->component, sizeof to->component, ERA_PB_NAME);
        to->seq = era_pb_number(r, pb->voted[i]->seq, 1, ERA_SEQ_MAX);
        hash_read(r, pb->voted[i]->proposal, &to->proposal);
        if (i > 0 && closed_slot_cmp(&to[-1], to) >= 0)
            era_pb_refuse(r, ERA_NOT_CANONICAL);
    }
}

/* NULL: no message of its own, see statement_to_pb. */
static const ProtobufCMessageDescriptor *descriptor_of(uint32_t kind)
{
    switch ((enum era_kind)kind) {
    case ERA_KIND_PROPOSAL:
        return &erad__wire__proposal__descriptor;
    case ERA_KIND_APPROVE:
        return &erad__wire__approve__descriptor;
    case ERA_KIND_REJECT:
        return &erad__wire__reject__descriptor;
    case ERA_KIND_ATTESTATION:
        return &erad__wire__attestation__descriptor;
    case ERA_KIND_READINESS:
        return &erad__wire__readiness__descriptor;
    case ERA_KIND_ANNOUNCEMENT:
        return &erad__wire__announcement__descriptor;
    case ERA_KIND_EVENT:
        return &erad__wire__event__descriptor;
    case ERA_KIND_CHECKPOINT:
        return &erad__wire__checkpoint__descriptor;
    case ERA_KIND_ACCEPT:
    case ERA_KIND_CHARTER_APPROVE:
        return &erad__wire__charter_vote__descriptor;
    case ERA_KIND_CLOSE:
        return &erad__wire__close__descriptor;
    case ERA_KIND_CHARTER:
    case ERA_KIND_APPROVED:
    case ERA_KIND_CERTIFICATE:
    case ERA_KIND_EVIDENCE:
    case ERA_KIND_CHARTER_CERTIFICATE:
        break;
    }
    return NULL;
}

static void statement_read(struct era_pb_reader *r, const ProtobufCMessage *msg, struct era_statement *out)
{
    const Erad__Wire__Approve *approve = (const void *)msg;
    const Erad__Wire__Readiness *readiness = (const void *)msg;
    switch (out->kind) {
    case ERA_KIND_PROPOSAL:
        proposal_read(r, (const void *)msg, &out->u.proposal);
        break;
    case ERA_KIND_APPROVE:
        vote_read(r, approve->slot, approve->proposal, &out->u.vote);
        break;
    case ERA_KIND_REJECT:
        reject_read(r, (const void *)msg, &out->u.reject);
        break;
    case ERA_KIND_ATTESTATION:
        attestation_read(r, (const void *)msg, &out->u.attestation);
        break;
    case ERA_KIND_READINESS:
        vote_read(r, readiness->slot, readiness->proposal, &out->u.vote);
        break;
    case ERA_KIND_ANNOUNCEMENT:
        announcement_read(r, (const void *)msg, &out->u.announcement);
        break;
    case ERA_KIND_EVENT:
        event_read(r, (const void *)msg, &out->u.event);
        break;
    case ERA_KIND_CHECKPOINT:
        checkpoint_read(r, (const void *)msg, &out->u.checkpoint);
        break;
    case ERA_KIND_ACCEPT:
    case ERA_KIND_CHARTER_APPROVE:
        charter_vote_read(r, (const void *)msg, &out->u.charter_vote);
        break;
    case ERA_KIND_CLOSE:
        close_read(r, (const void *)msg, &out->u.close);
        break;
    case ERA_KIND_CHARTER:
    case ERA_KIND_APPROVED:
    case ERA_KIND_CERTIFICATE:
    case ERA_KIND_EVIDENCE:
    case ERA_KIND_CHARTER_CERTIFICATE:
        assert(!"neither a charter nor a carrier has a descriptor here");
    }
}

static enum era_verdict decode_in(struct era_pb_arena *arena, const ProtobufCMessageDescriptor *descriptor,
                                  struct era_bytes payload, struct era_statement *out)
{
    struct era_pb_reader reader = {ERA_ACCEPTED};
    const ProtobufCMessage *msg = era_pb_unpack(arena, descriptor, payload, &reader.verdict);
    if (!msg)
        return reader.verdict;
    statement_read(&reader, msg, out);
    if (reader.verdict != ERA_ACCEPTED)
        return reader.verdict;
    struct statement_pb again;
    if (!era_pb_packs_to(arena, statement_to_pb(out, &again), payload))
        return ERA_NOT_CANONICAL;
    if (out->kind == ERA_KIND_PROPOSAL)
        for (size_t i = 0; i < out->u.proposal.plan.count; i++)
            era_entry_seal(&out->u.proposal.plan.entries[i]);
    return ERA_ACCEPTED;
}

/* Room for a plan is 60 kB: clearing it for every vote would cost more than decoding one. */
static size_t member_bytes(uint32_t kind)
{
    const struct era_statement *s = NULL;
    switch ((enum era_kind)kind) {
    case ERA_KIND_PROPOSAL:
        return sizeof s->u.proposal;
    case ERA_KIND_APPROVE:
    case ERA_KIND_READINESS:
        return sizeof s->u.vote;
    case ERA_KIND_REJECT:
        return sizeof s->u.reject;
    case ERA_KIND_ATTESTATION:
        return sizeof s->u.attestation;
    case ERA_KIND_ANNOUNCEMENT:
        return sizeof s->u.announcement;
    case ERA_KIND_EVENT:
        return sizeof s->u.event;
    case ERA_KIND_CHECKPOINT:
        return sizeof s->u.checkpoint;
    case ERA_KIND_CHARTER:
        return sizeof s->u.charter;
    case ERA_KIND_ACCEPT:
    case ERA_KIND_CHARTER_APPROVE:
        return sizeof s->u.charter_vote;
    case ERA_KIND_CLOSE:
        return sizeof s->u.close;
    case ERA_KIND_APPROVED:
    case ERA_KIND_CERTIFICATE:
    case ERA_KIND_EVIDENCE:
    case ERA_KIND_CHARTER_CERTIFICATE:
        break;
    }
    return 0;
}

/* Charter 0 is never gossiped: it comes from the operator's own hand. */
static enum era_verdict charter_decode(struct era_bytes payload, struct era_charter_statement *out)
{
    if (payload.len > ERA_CHARTER_STATEMENT_BYTES_MAX)
        return ERA_OVERSIZED;
    struct era_charter charter;
    enum era_verdict verdict = era_charter_decode(payload, &charter);
    if (verdict == ERA_ACCEPTED && charter.version == 0)
        verdict = ERA_BAD_VALUE;
    era_charter_clear(&charter);
    if (verdict == ERA_ACCEPTED)
        out->bytes = payload;
    return verdict;
}

enum era_verdict era_statement_decode(uint32_t kind, struct era_bytes payload, struct era_statement *out)
{
    memset(&out->u, 0, member_bytes(kind));
    out->kind = (enum era_kind)kind;
    if (kind == ERA_KIND_CHARTER)
        return charter_decode(payload, &out->u.charter);
    const ProtobufCMessageDescriptor *descriptor = descriptor_of(kind);
    if (!descriptor)
        return ERA_UNKNOWN_KIND;
    if (payload.len > ERA_LOOSE_BYTES_MAX)
        return ERA_OVERSIZED;
    struct era_pb_arena arena;
    era_pb_arena_init(&arena, payload.len);
    enum era_verdict verdict = decode_in(&arena, descriptor, payload, out);
    era_pb_arena_release(&arena);
    return verdict;
}
