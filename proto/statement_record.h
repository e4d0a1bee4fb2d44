/* statement_record: records and entries between plain structs and protobuf-c,
 * shared by statements and charters. Internal to this floor.
 * The *_pb structs are scratch that points into the plain struct it was filled
 * from; neither owns anything. */
#ifndef ERA_PROTO_STATEMENT_RECORD_H
#define ERA_PROTO_STATEMENT_RECORD_H

#include "proto/erad.pb-c.h"
#include "proto/pb_arena.h"
#include "proto/statement.h"

struct era_record_pb {
    Erad__Wire__Record msg;
    Erad__Wire__Ranges requires;
    Erad__Wire__Artefact artefacts[ERA_ARTEFACTS_MAX];
    Erad__Wire__Artefact *artefact_list[ERA_ARTEFACTS_MAX];
    Erad__Wire__Flag flags[ERA_FLAGS_MAX];
    Erad__Wire__Flag *flag_list[ERA_FLAGS_MAX];
    Erad__Wire__Dependency dependencies[ERA_DEPENDENCIES_MAX];
    Erad__Wire__Dependency *dependency_list[ERA_DEPENDENCIES_MAX];
};

struct era_entry_pb {
    Erad__Wire__Entry msg;
    struct era_record_pb record;
};

/* Asserts on counts above limits.h. pb must not move afterwards. */
void era_record_to_pb(const struct era_record *record, struct era_record_pb *pb);
void era_entry_to_pb(const struct era_entry *entry, struct era_entry_pb *pb);
void era_versions_to_pb(const struct era_versions *versions, Erad__Wire__Versions *pb);

void era_record_read(struct era_pb_reader *r, const Erad__Wire__Record *pb, struct era_record *out);
/* Leaves out->hash alone: seal once the whole statement is accepted. */
void era_entry_read(struct era_pb_reader *r, const Erad__Wire__Entry *pb, struct era_entry *out);
void era_versions_read(struct era_pb_reader *r, const Erad__Wire__Versions *pb, struct era_versions *out);

/* "" = absent. The pointer is only read through. */
char *era_pb_optional(const char *text);
/* A span over plain bytes, only read through. */
ProtobufCBinaryData era_pb_span(const uint8_t *data, size_t len);

#endif
