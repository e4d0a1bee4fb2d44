/* statement: bytes <-> plain structs, for every signed kind, the carriers and
 * the charter. The only user of protobuf-c is this floor.
 * Decoding is strict: whatever does not re-encode to the same bytes is
 * ERA_NOT_CANONICAL, unknown fields too; texts are clean UTF-8; every count
 * and length has its bound in limits.h. Ids are over bytes as received (R1).
 * A decoded struct owns no memory but where said so. */
#ifndef ERA_PROTO_STATEMENT_H
#define ERA_PROTO_STATEMENT_H

#include "proto/limits.h"
#include "src/base/bytes.h"
#include "src/base/verdict.h"

/* Numbers are for ever: a kind's schema is frozen, new fields mean a new number (R1). */
enum era_kind {
    ERA_KIND_PROPOSAL = 1,
    ERA_KIND_APPROVE = 2,
    ERA_KIND_REJECT = 3,
    ERA_KIND_ATTESTATION = 4,
    ERA_KIND_READINESS = 5,
    ERA_KIND_ANNOUNCEMENT = 6,
    ERA_KIND_EVENT = 7,
    ERA_KIND_CHECKPOINT = 8,
    ERA_KIND_CHARTER = 9,
    ERA_KIND_ACCEPT = 10,
    ERA_KIND_CLOSE = 11,
    ERA_KIND_CHARTER_APPROVE = 12,
    ERA_KIND_APPROVED = 32,
    ERA_KIND_CERTIFICATE = 33,
    ERA_KIND_EVIDENCE = 34,
    ERA_KIND_CHARTER_CERTIFICATE = 35
};

/* "proposal", …; "unknown" for any other number. */
const char *era_kind_name(uint32_t kind);
/* approved, certificate, evidence, charter-certificate: unsigned, what they carry is signed (R6). */
bool era_kind_is_carrier(uint32_t kind);

/* M1 */
enum era_version_kind {
    ERA_VERSION_DISTRIBUTION,
    ERA_VERSION_SOFTWARE,
    ERA_VERSION_API,
    ERA_VERSION_DATABASE,
    ERA_VERSION_PROTOCOL,
    ERA_VERSION_KINDS
};
extern const char *const era_version_kind_names[ERA_VERSION_KINDS];

/* "" = not known. */
struct era_versions {
    char v[ERA_VERSION_KINDS][ERA_VERSION_BYTES_MAX + 1];
};

/* "" = any version. */
struct era_ranges {
    char v[ERA_VERSION_KINDS][ERA_RANGE_BYTES_MAX + 1];
};

struct era_artefact {
    char name[ERA_NAME_BYTES_MAX + 1];
    char digest[ERA_DIGEST_BYTES_MAX + 1];
    char link[ERA_LINK_BYTES_MAX + 1]; /* "" = none */
};

struct era_flag {
    char name[ERA_NAME_BYTES_MAX + 1];
    bool on;
};

struct era_dependency {
    char name[ERA_NAME_BYTES_MAX + 1];
    char range[ERA_RANGE_BYTES_MAX + 1];
    char since[ERA_NAME_BYTES_MAX + 1]; /* free text: block, epoch, date; "" = not said */
};

struct era_record {
    char component[ERA_NAME_BYTES_MAX + 1];
    char version[ERA_VERSION_BYTES_MAX + 1];
    struct era_ranges requires;
    size_t artefact_count;
    struct era_artefact artefacts[ERA_ARTEFACTS_MAX]; /* ascending by name */
    char source_digest[ERA_DIGEST_BYTES_MAX + 1];     /* "" = none */
    char link[ERA_LINK_BYTES_MAX + 1];                /* "" = none */
    size_t flag_count;
    struct era_flag flags[ERA_FLAGS_MAX]; /* ascending by name */
    size_t dependency_count;
    struct era_dependency dependencies[ERA_DEPENDENCIES_MAX]; /* ascending by name */
    uint64_t era;
    char era_name[ERA_NAME_BYTES_MAX + 1];
};

enum era_class { ERA_CLASS_SOFT = 1, ERA_CLASS_BREAKING = 2, ERA_CLASS_OVERRIDE = 3 };
const char *era_class_name(enum era_class class);

struct era_entry {
    bool is_new;
    bool has_effective; /* false: announced, stands last (M4) */
    uint64_t effective;
    enum era_class class;
    struct era_record record;
    struct era_hash
        hash; /* identity: canonical bytes with is_new = false; set by decode and by era_entry_seal */
};

struct era_plan {
    size_t count;
    struct era_entry entries[ERA_PLAN_ENTRIES_MAX];
};

struct era_slot_id {
    char component[ERA_NAME_BYTES_MAX + 1];
    uint64_t charter_version;
    uint64_t seq;
};

struct era_head_ref {
    bool some; /* false: none, the charter's initial record */
    uint64_t charter_version;
    uint64_t seq;
    struct era_hash proposal;
};

struct era_proposal {
    struct era_slot_id slot;
    struct era_head_ref prev;
    struct era_plan plan;
    size_t drop_count;
    struct era_hash drops[ERA_DROPS_MAX]; /* ascending */
    uint64_t expiry;
    bool urgent;
    char text[ERA_TEXT_BYTES_MAX + 1];
};

/* approve and readiness: nothing specific to the signer. */
struct era_vote {
    struct era_slot_id slot;
    struct era_hash proposal;
};

struct era_reject {
    struct era_slot_id slot;
    struct era_hash proposal;
    char reason[ERA_TEXT_BYTES_MAX + 1];
};

struct era_attestation {
    struct era_slot_id slot;
    struct era_hash proposal;
    char artefact[ERA_NAME_BYTES_MAX + 1];
    char digest[ERA_DIGEST_BYTES_MAX + 1];
    char source_digest[ERA_DIGEST_BYTES_MAX + 1];
    char builder[ERA_BUILDER_BYTES_MAX + 1];
};

struct era_announcement {
    uint64_t epoch;
    uint64_t charter_version;
    struct era_versions versions;
    bool has_entry;
    struct era_hash entry;
    struct era_hash view_digest;
    bool staged;
    bool blocked;
    bool lease;
};

struct era_event_statement {
    uint64_t epoch;
    uint64_t charter_version;
    struct era_hash entry;
    uint64_t seq;
    char topic[ERA_TOPIC_BYTES_MAX + 1];
    size_t payload_bytes;
    uint8_t payload[ERA_EVENT_PAYLOAD_BYTES_MAX];
};

/* One a (component, at): what the host program's own state was (P6). */
struct era_checkpoint {
    uint64_t charter_version;
    struct era_hash charter;
    char component[ERA_NAME_BYTES_MAX + 1];
    struct era_hash entry;                 /* in force at `at` */
    uint64_t at;                           /* epoch */
    char digest[ERA_DIGEST_BYTES_MAX + 1]; /* of the host program's snapshot */
};

/* accept and charter-approve: version and hash of the charter that is to
 * come; nothing specific to the signer (R10). */
struct era_charter_vote {
    uint64_t version; /* >= 1 */
    struct era_hash charter;
};

/* A slot of the charter that is closed. */
struct era_closed_slot {
    char component[ERA_NAME_BYTES_MAX + 1];
    uint64_t seq;
    struct era_hash proposal;
};

/* An old validator's last word under a charter (R10). */
struct era_close {
    uint64_t version; /* of the charter that is to come, >= 1 */
    struct era_hash charter;
    bool has_last;
    uint64_t last; /* highest epoch that its key leased */
    size_t voted_count;
    struct era_closed_slot voted[ERA_CLOSE_SLOTS_MAX]; /* ascending by (component, seq, proposal) */
};

/* The canonical bytes of a charter of version >= 1 (proto/charter.h). */
struct era_charter_statement {
    struct era_bytes bytes; /* borrowed from the payload, also after decode */
};

/* Any loose statement, decoded. Large (a plan): keep it on the heap. */
struct era_statement {
    enum era_kind kind;
    union {
        struct era_proposal proposal;
        struct era_vote vote; /* approve, readiness */
        struct era_reject reject;
        struct era_attestation attestation;
        struct era_announcement announcement;
        struct era_event_statement event;
        struct era_checkpoint checkpoint;
        struct era_charter_vote charter_vote; /* accept, charter-approve */
        struct era_close close;
        struct era_charter_statement charter;
    } u;
};

/* What travels. Everything borrowed from the bytes it was decoded from. */
struct era_envelope {
    uint32_t kind;
    struct era_bytes payload;
    struct era_key key;             /* zero for carriers */
    struct era_signature signature; /* zero for carriers */
};

/* An envelope opened where it comes in: whoever is handed one neither decodes nor names it again. */
struct era_opened {
    struct era_bytes bytes;       /* encoded, as received; borrowed */
    struct era_envelope envelope; /* decoded from them */
    /* Of a loose statement, both computed from these bytes (R1). Zero for carriers: they are named by what
     * they carry. */
    struct era_hash id, item;
};

struct era_indexed_signature {
    uint32_t key; /* index in the charter's ascending list */
    struct era_signature signature;
};

struct era_indexed_attestation {
    uint32_t key;
    struct era_signature signature;
    struct era_bytes payload;
};

/* A decoded carrier. After decode the lists are owned (era_carrier_clear);
 * the byte spans are borrowed from the decoded bytes. */
struct era_carrier {
    struct era_bytes proposal;
    struct era_key author;
    struct era_signature signature;
    size_t approval_count, readiness_count, attestation_count;
    struct era_indexed_signature *approvals;      /* ascending by key */
    struct era_indexed_signature *readiness;      /* ascending by key */
    struct era_indexed_attestation *attestations; /* ascending by (key, payload) */
};

/* Two signed statements by one key in one place (R8). Spans are borrowed. */
struct era_evidence {
    uint32_t kind; /* a signed one */
    struct era_key key;
    struct era_bytes payloads[2]; /* ascending */
    struct era_signature signatures[2];
};

/* Those who signed one and the same close. */
struct era_close_group {
    struct era_bytes payload; /* a close, as signed */
    size_t count;             /* >= 1 */
    struct era_indexed_signature *signatures;
};

/* The proof that a charter follows (R10). Lists ascend by key: signers of
 * `network` and validators, of the old charter and of the new one. After decode
 * the lists are owned (era_charter_certificate_clear), the spans borrowed. */
struct era_charter_certificate {
    struct era_bytes charter; /* its canonical bytes */
    size_t old_approval_count, new_approval_count, accept_count, close_count;
    struct era_indexed_signature *old_approvals; /* old signers */
    struct era_indexed_signature *new_approvals; /* new signers */
    struct era_indexed_signature *accepts;       /* new validators */
    struct era_close_group *closes;              /* old validators; ascending by payload, a key in one only */
};

/* Decode an envelope of at most ERA_STATEMENT_BYTES_MAX. Unknown kinds are
 * decoded (the caller says ERA_UNKNOWN_KIND); key and signature must be there
 * for signed kinds and absent for carriers. */
enum era_verdict era_envelope_decode(struct era_bytes in, struct era_envelope *out);
/* Encode into out[cap]; returns the length, or 0 when cap is too small.
 * era_envelope_bytes says how much is needed. */
size_t era_envelope_bytes(const struct era_envelope *e);
size_t era_envelope_encode(const struct era_envelope *e, uint8_t *out, size_t cap);

/* Decode the payload of a loose statement of a known kind. ERA_UNKNOWN_KIND otherwise.
 * At most ERA_LOOSE_BYTES_MAX, a charter ERA_CHARTER_STATEMENT_BYTES_MAX. Checks bytes, bounds, texts and
 * canonical form; not whether a plan is well formed (core/plan) nor who may say it (core/verify). */
enum era_verdict era_statement_decode(uint32_t kind, struct era_bytes payload, struct era_statement *out);
/* Canonical bytes of a statement; returns the length, 0 when cap is too small. Asserts on out-of-bound
 * counts. */
size_t era_statement_encode(const struct era_statement *s, uint8_t *out, size_t cap);

enum era_verdict era_carrier_decode(struct era_bytes payload, struct era_carrier *out);
void era_carrier_clear(struct era_carrier *c); /* NULL-safe */
size_t era_carrier_bytes(const struct era_carrier *c);
size_t era_carrier_encode(const struct era_carrier *c, uint8_t *out, size_t cap);

enum era_verdict era_evidence_decode(struct era_bytes payload, struct era_evidence *out);
size_t era_evidence_bytes(const struct era_evidence *e);
size_t era_evidence_encode(const struct era_evidence *e, uint8_t *out, size_t cap);

/* As for carriers; clear is NULL-safe. */
enum era_verdict era_charter_certificate_decode(struct era_bytes payload,
                                                struct era_charter_certificate *out);
void era_charter_certificate_clear(struct era_charter_certificate *c);
size_t era_charter_certificate_bytes(const struct era_charter_certificate *c);
size_t era_charter_certificate_encode(const struct era_charter_certificate *c, uint8_t *out, size_t cap);

/* Set entry->hash from its other fields. */
void era_entry_seal(struct era_entry *entry);

/* id = BLAKE2b-256("erad-statement-v1" | network | be32 kind | payload) (R1). */
struct era_hash era_statement_id(const struct era_hash *network, uint32_t kind, struct era_bytes payload);
/* What tells items apart in ledger, store and reconciliation: for loose
 * statements H("erad-item-v1" | id | key), for carriers H("erad-item-v1" | be32 kind | what) with what =
 * proposal id (approved, certificate), place (evidence), charter hash (charter-certificate). */
struct era_hash era_item_id_loose(const struct era_hash *id, const struct era_key *key);
struct era_hash era_item_id_carrier(uint32_t kind, const struct era_hash *what);
/* Decode an envelope and name what is in it. Verdicts of era_envelope_decode; out holds nothing unless
 * ERA_ACCEPTED. */
enum era_verdict era_envelope_open(const struct era_hash *network, struct era_bytes in,
                                   struct era_opened *out);
/* The one place that a key spoke twice about (R8). H("erad-evidence-v1" | key | be32 kind | be32 length of
 * component | component | be64 charter_version | be64 seq); component "" and seq an epoch where the kind has
 * it so. */
struct era_hash era_evidence_place(const struct era_key *key, uint32_t kind, const char *component,
                                   uint64_t charter_version, uint64_t seq);

#endif
