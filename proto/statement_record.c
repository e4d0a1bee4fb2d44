#include "proto/statement_record.h"

#include <assert.h>
#include <string.h>

/* The largest entry: 16 artefacts, 32 flags, 8 dependencies, all texts full: about 13 KiB. */
#define ENTRY_BYTES_MAX 16384

char *era_pb_optional(const char *text)
{
    return text[0] != '\0' ? (char *)text : NULL;
}

ProtobufCBinaryData era_pb_span(const uint8_t *data, size_t len)
{
    return (ProtobufCBinaryData){.len = len, .data = (uint8_t *)data};
}

/* ---- plain -> protobuf-c ---- */

static void ranges_to_pb(const struct era_ranges *ranges, Erad__Wire__Ranges *pb)
{
    erad__wire__ranges__init(pb);
    pb->distribution = era_pb_optional(ranges->v[ERA_VERSION_DISTRIBUTION]);
    pb->software = era_pb_optional(ranges->v[ERA_VERSION_SOFTWARE]);
    pb->api = era_pb_optional(ranges->v[ERA_VERSION_API]);
    pb->database = era_pb_optional(ranges->v[ERA_VERSION_DATABASE]);
    pb->protocol = era_pb_optional(ranges->v[ERA_VERSION_PROTOCOL]);
}

void era_versions_to_pb(const struct era_versions *versions, Erad__Wire__Versions *pb)
{
    erad__wire__versions__init(pb);
    pb->distribution = era_pb_optional(versions->v[ERA_VERSION_DISTRIBUTION]);
    pb->software = era_pb_optional(versions->v[ERA_VERSION_SOFTWARE]);
    pb->api = era_pb_optional(versions->v[ERA_VERSION_API]);
    pb->database = era_pb_optional(versions->v[ERA_VERSION_DATABASE]);
    pb->protocol = era_pb_optional(versions->v[ERA_VERSION_PROTOCOL]);
}

static void lists_to_pb(const struct era_record *record, struct era_record_pb *pb)
{
    for (size_t i = 0; i < record->artefact_count; i++) {
        erad__wire__artefact__init(&pb->artefacts[i]);
        pb->artefacts[i].name = (char *)record->artefacts[i].name;
        pb->artefacts[i].digest = (char *)record->artefacts[i].digest;
        pb->artefacts[i].link = era_pb_optional(record->artefacts[i].link);
        pb->artefact_list[i] = &pb->artefacts[i];
    }
    for (size_t i = 0; i < record->flag_count; i++) {
        erad__wire__flag__init(&pb->flags[i]);
        pb->flags[i].name = (char *)record->flags[i].name;
        pb->flags[i].on = record->flags[i].on;
        pb->flag_list[i] = &pb->flags[i];
    }
    for (size_t i = 0; i < record->dependency_count; i++) {
        erad__wire__dependency__init(&pb->dependencies[i]);
        pb->dependencies[i].name = (char *)record->dependencies[i].name;
        pb->dependencies[i].range = (char *)record->dependencies[i].range;
        pb->dependencies[i].since = era_pb_optional(record->dependencies[i].since);
        pb->dependency_list[i] = &pb->dependencies[i];
    }
}

void era_record_to_pb(const struct era_record *record, struct era_record_pb *pb)
{
    assert(record->artefact_count <= ERA_ARTEFACTS_MAX);
    assert(record->flag_count <= ERA_FLAGS_MAX);
    assert(record->dependency_count <= ERA_DEPENDENCIES_MAX);
    erad__wire__record__init(&pb->msg);
    ranges_to_pb(&record->requires, &pb->requires);
    lists_to_pb(record, pb);
    pb->msg.component = (char *)record->component;
    pb->msg.version = (char *)record->version;
    pb->msg.requires = &pb->requires;
    pb->msg.n_artefacts = record->artefact_count;
    pb->msg.artefacts = pb->artefact_list;
    pb->msg.source_digest = era_pb_optional(record->source_digest);
    pb->msg.link = era_pb_optional(record->link);
    pb->msg.n_flags = record->flag_count;
    pb->msg.flags = pb->flag_list;
    pb->msg.n_dependencies = record->dependency_count;
    pb->msg.dependencies = pb->dependency_list;
    pb->msg.era = record->era;
    pb->msg.era_name = (char *)record->era_name;
}

void era_entry_to_pb(const struct era_entry *entry, struct era_entry_pb *pb)
{
    erad__wire__entry__init(&pb->msg);
    era_record_to_pb(&entry->record, &pb->record);
    pb->msg.is_new = entry->is_new;
    pb->msg.has_effective = entry->has_effective;
    pb->msg.effective = entry->effective;
    pb->msg.class_ = entry->class;
    pb->msg.record = &pb->record.msg;
}

/* The identity of an entry does not depend on whether a plan brings it or keeps it. */
void era_entry_seal(struct era_entry *entry)
{
    static const char domain[] = "erad-entry-v1";
    uint8_t packed[ENTRY_BYTES_MAX];
    struct era_entry_pb pb;
    era_entry_to_pb(entry, &pb);
    pb.msg.is_new = false;
    size_t len = era_pb_pack(&pb.msg.base, packed, sizeof packed);
    assert(len > 0);
    const struct era_bytes parts[] = {{(const uint8_t *)domain, sizeof domain - 1}, {packed, len}};
    entry->hash = era_hash_parts(parts, 2);
}

/* ---- protobuf-c -> plain ---- */

static void read_five(struct era_pb_reader *r, const char *const texts[ERA_VERSION_KINDS],
                      char (*out)[ERA_VERSION_BYTES_MAX + 1])
{
    for (size_t i = 0; i < ERA_VERSION_KINDS; i++)
        era_pb_text(r, texts[i], out[i], sizeof out[i], ERA_PB_OPTIONAL_LINE);
}

_Static_assert(ERA_RANGE_BYTES_MAX == ERA_VERSION_BYTES_MAX, "read_five reads both");

static void ranges_read(struct era_pb_reader *r, const Erad__Wire__Ranges *pb, struct era_ranges *out)
{
    const char *const texts[ERA_VERSION_KINDS] = {pb->distribution, pb->software, pb->api, pb->database,
                                                  pb->protocol};
    read_five(r, texts, out->v);
}

void era_versions_read(struct era_pb_reader *r, const Erad__Wire__Versions *pb, struct era_versions *out)
{
    const char *const texts[ERA_VERSION_KINDS] = {pb->distribution, pb->software, pb->api, pb->database,
                                                  pb->protocol};
    read_five(r, texts, out->v);
}

static void artefacts_read(struct era_pb_reader *r, const Erad__Wire__Record *pb, struct era_record *out)
{
    out->artefact_count = era_pb_count(r, pb->n_artefacts, ERA_ARTEFACTS_MAX);
    for (size_t i = 0; i < out->artefact_count; i++) {
        struct era_artefact *to = &out->artefacts[i];
        era_pb_text(r, pb->artefacts[i]->name, to->name, sizeof to->name, ERA_PB_NAME);
        era_pb_text(r, pb->artefacts[i]->digest, to->digest, sizeof to->digest, ERA_PB_LINE);
        era_pb_text(r, pb->artefacts[i]->link, to->link, sizeof to->link, ERA_PB_OPTIONAL_LINE);
        if (i > 0 && strcmp(out->artefacts[i - 1].name, to->name) >= 0)
            era_pb_refuse(r, ERA_NOT_CANONICAL);
    }
}

static void flags_read(struct era_pb_reader *r, const Erad__Wire__Record *pb, struct era_record *out)
{
    out->flag_count = era_pb_count(r, pb->n_flags, ERA_FLAGS_MAX);
    for (size_t i = 0; i < out->flag_count; i++) {
        struct era_flag *to = &out->flags[i];
        era_pb_text(r, pb->flags[i]->name, to->name, sizeof to->name, ERA_PB_NAME);
        to->on = pb->flags[i]->on;
        if (i > 0 && strcmp(out->flags[i - 1].name, to->name) >= 0)
            era_pb_refuse(r, ERA_NOT_CANONICAL);
    }
}

static void dependencies_read(struct era_pb_reader *r, const Erad__Wire__Record *pb, struct era_record *out)
{
    out->dependency_count = era_pb_count(r, pb->n_dependencies, ERA_DEPENDENCIES_MAX);
    for (size_t i = 0; i < out->dependency_count; i++) {
        struct era_dependency *to = &out->dependencies[i];
        era_pb_text(r, pb->dependencies[i]->name, to->name, sizeof to->name, ERA_PB_NAME);
        era_pb_text(r, pb->dependencies[i]->range, to->range, sizeof to->range, ERA_PB_LINE);
        era_pb_text(r, pb->dependencies[i]->since, to->since, sizeof to->since, ERA_PB_OPTIONAL_LINE);
        if (i > 0 && strcmp(out->dependencies[i - 1].name, to->name) >= 0)
            era_pb_refuse(r, ERA_NOT_CANONICAL);
    }
}

void era_record_read(struct era_pb_reader *r, const Erad__Wire__Record *pb, struct era_record *out)
{
    era_pb_text(r, pb->component, out->component, sizeof out->component, ERA_PB_NAME);
    era_pb_text(r, pb->version, out->version, sizeof out->version, ERA_PB_LINE);
    ranges_read(r, pb->requires, &out->requires);
    artefacts_read(r, pb, out);
    era_pb_text(r, pb->source_digest, out->source_digest, sizeof out->source_digest, ERA_PB_OPTIONAL_LINE);
    era_pb_text(r, pb->link, out->link, sizeof out->link, ERA_PB_OPTIONAL_LINE);
    flags_read(r, pb, out);
    dependencies_read(r, pb, out);
    out->era = era_pb_number(r, pb->era, 1, ERA_EPOCH_MAX);
    era_pb_text(r, pb->era_name, out->era_name, sizeof out->era_name, ERA_PB_LINE);
}

void era_entry_read(struct era_pb_reader *r, const Erad__Wire__Entry *pb, struct era_entry *out)
{
    out->is_new = pb->is_new;
    out->has_effective = pb->has_effective;
    if (pb->has_effective)
        out->effective = era_pb_number(r, pb->effective, 0, ERA_EPOCH_MAX);
    out->class = (enum era_class)era_pb_number(r, pb->class_, ERA_CLASS_SOFT, ERA_CLASS_OVERRIDE);
    era_record_read(r, pb->record, &out->record);
}
