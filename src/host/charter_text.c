#include "src/host/charter_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/base/fraction.h"
#include "src/base/semver.h"
#include "src/base/textkey.h"
#include "src/host/files.h"

#define GENESIS_FORMAT "%Y-%m-%dT%H:%M:%SZ"

/* ---- texts that are more than text ---- */

/* A second in UTC, or Unix milliseconds. Rendering it again must give the
 * same: strptime alone lets 2026-1-1 and 30 February pass. */
static bool genesis_parse(const char *text, uint64_t *ms)
{
    struct tm tm = {0};
    const char *end = strptime(text, GENESIS_FORMAT, &tm);
    char again[32];
    time_t seconds;

    if (era_u64_parse(text, ERA_EPOCH_MAX, ms))
        return true;
    if (!end || *end)
        return false;
    seconds = timegm(&tm);
    if (seconds < 0 || !gmtime_r(&seconds, &tm) || !strftime(again, sizeof again, GENESIS_FORMAT, &tm))
        return false;
    *ms = (uint64_t)seconds * 1000;
    return strcmp(text, again) == 0;
}

static const char *genesis_why(const char *text)
{
    uint64_t ms;

    return genesis_parse(text, &ms) ? NULL : "neither a time in UTC nor Unix milliseconds";
}

static const char *clock_kind_why(const char *text)
{
    return strcmp(text, "wall") == 0 || strcmp(text, "height") == 0 ? NULL : "there are two kinds";
}

static const char *key_why(const char *text)
{
    struct era_key key;
    const char *why = NULL;

    return era_key_from_text(text, &key, &why) == ERA_ACCEPTED ? NULL : why;
}

static const char *hash_why(const char *text)
{
    struct era_hash hash;

    return era_hash_from_text(text, &hash) ? NULL : "it is not 64 lowercase hex digits";
}

static const char *fraction_why(const char *text)
{
    uint64_t n, d;

    return era_fraction_parse(text, &n, &d) ? NULL : "it is no fraction from 0 to 1";
}

/* ---- schema ---- */

#define NAME .type = ERA_SETTING_TEXT, .why = era_setting_name_why, .cure = "use a-z, 0-9, dot, _ and -"
#define KEY                                                                                                  \
    .type = ERA_SETTING_TEXT, .why = key_why, .required = true, .unique = true,                              \
    .cure = "copy the erapub1... text that `eractl keygen` wrote"
#define RANGE                                                                                                \
    .type = ERA_SETTING_TEXT, .why = era_range_why, .max = ERA_RANGE_BYTES_MAX, .cure = "write \">=1.2.0\""
#define LINK .type = ERA_SETTING_TEXT, .max = ERA_LINK_BYTES_MAX
#define DIGEST                                                                                               \
    .type = ERA_SETTING_TEXT, .max = ERA_DIGEST_BYTES_MAX, .cure = "write what `eractl hash` printed"
#define FRACTION .type = ERA_SETTING_TEXT, .why = fraction_why, .cure = "write \"2/3\""
#define EPOCHS   .type = ERA_SETTING_DECIMAL, .max = ERA_EPOCH_MAX
#define END                                                                                                  \
    {                                                                                                        \
        .name = NULL                                                                                         \
    }

static const struct era_setting_rule clock_rules[] = {
    {.name = "kind",
     .type = ERA_SETTING_TEXT,
     .required = true,
     .why = clock_kind_why,
     .cure = "write \"wall\" or \"height\""},
    {.name = "genesis",
     .type = ERA_SETTING_TEXT,
     .why = genesis_why,
     .cure = "write \"2026-01-01T00:00:00Z\" or \"1767225600000\""},
    {.name = "epoch_ms", .type = ERA_SETTING_DECIMAL, .min = 1, .max = ERA_EPOCH_MAX},
    {.name = "epoch_heights", .type = ERA_SETTING_DECIMAL, .min = 1, .max = ERA_EPOCH_MAX},
    {.name = "tolerance_epochs", EPOCHS},
    END};

static const struct era_setting_rule carried_rules[] = {
    {.name = "component", NAME, .required = true, .unique = true},
    {.name = "seq", .type = ERA_SETTING_DECIMAL, .required = true, .max = ERA_SEQ_MAX},
    END};

static const struct era_setting_rule network_rules[] = {
    {.name = "name", NAME, .required = true},
    {.name = "version", .type = ERA_SETTING_DECIMAL, .max = ERA_CHARTER_VERSION_MAX},
    {.name = "parent",
     .type = ERA_SETTING_TEXT,
     .why = hash_why,
     .cure = "copy what `eractl charter hash` prints"},
    {.name = "effective", .type = ERA_SETTING_DECIMAL, .min = 1, .max = ERA_EPOCH_MAX},
    {.name = "carried", .type = ERA_SETTING_LIST, .max = ERA_COMPONENTS_MAX, .members = carried_rules},
    {.name = "clock", .type = ERA_SETTING_GROUP, .required = true, .members = clock_rules},
    {.name = "strict_emission", .type = ERA_SETTING_SWITCH},
    {.name = "authority_only", .type = ERA_SETTING_SWITCH},
    {.name = "overrides", .type = ERA_SETTING_SWITCH},
    {.name = "events_per_epoch", .type = ERA_SETTING_NUMBER, .max = ERA_EVENTS_PER_EPOCH_MAX},
    END};

static const struct era_setting_rule validator_rules[] = {
    {.name = "name", NAME, .required = true, .unique = true},
    {.name = "key", KEY},
    {.name = "stake", .type = ERA_SETTING_DECIMAL, .required = true, .min = 1, .max = ERA_STAKE_SUM_MAX},
    END};

static const struct era_setting_rule named_key_rules[] = {
    {.name = "name", NAME, .required = true, .unique = true}, {.name = "key", KEY}, END};

static const struct era_setting_rule requires_rules[] = {
    {.name = "distribution", RANGE}, {.name = "software", RANGE}, {.name = "api", RANGE},
    {.name = "database", RANGE},     {.name = "protocol", RANGE}, END};

static const struct era_setting_rule artefact_rules[] = {
    {.name = "name", NAME, .required = true, .unique = true},
    {.name = "digest", DIGEST, .required = true},
    {.name = "link", LINK},
    END};

static const struct era_setting_rule flag_rules[] = {
    {.name = "name", NAME, .required = true, .unique = true},
    {.name = "on", .type = ERA_SETTING_SWITCH, .required = true},
    END};

static const struct era_setting_rule dependency_rules[] = {
    {.name = "name", NAME, .required = true, .unique = true},
    {.name = "range", RANGE, .required = true},
    {.name = "since", .type = ERA_SETTING_TEXT, .max = ERA_NAME_BYTES_MAX},
    END};

static const struct era_setting_rule initial_rules[] = {
    {.name = "version",
     .type = ERA_SETTING_TEXT,
     .required = true,
     .max = ERA_VERSION_BYTES_MAX,
     .why = era_semver_why,
     .cure = "write \"1.0.0\""},
    {.name = "era_name", NAME},
    {.name = "requires", .type = ERA_SETTING_GROUP, .members = requires_rules},
    {.name = "artefacts", .type = ERA_SETTING_LIST, .max = ERA_ARTEFACTS_MAX, .members = artefact_rules},
    {.name = "source_digest", DIGEST},
    {.name = "link", LINK},
    {.name = "flags", .type = ERA_SETTING_SWITCHES, .max = ERA_FLAGS_MAX, .members = flag_rules},
    {.name = "dependencies",
     .type = ERA_SETTING_LIST,
     .max = ERA_DEPENDENCIES_MAX,
     .members = dependency_rules},
    END};

static const struct era_setting_rule component_rules[] = {
    {.name = "id", NAME, .required = true, .unique = true},
    {.name = "k", .type = ERA_SETTING_NUMBER, .required = true, .min = 1, .max = ERA_SIGNERS_MAX},
    {.name = "urgent_k", .type = ERA_SETTING_NUMBER, .min = 1, .max = ERA_SIGNERS_MAX},
    {.name = "notice_epochs", EPOCHS},
    {.name = "urgent_notice_epochs", EPOCHS},
    {.name = "enough", FRACTION},
    {.name = "rebuild_quorum", FRACTION},
    {.name = "signers",
     .type = ERA_SETTING_LIST,
     .required = true,
     .min = 1,
     .max = ERA_SIGNERS_MAX,
     .members = named_key_rules},
    {.name = "initial", .type = ERA_SETTING_GROUP, .required = true, .members = initial_rules},
    END};

const struct era_setting_rule era_charter_rules[] = {
    {.name = "network", .type = ERA_SETTING_GROUP, .required = true, .members = network_rules},
    {.name = "validators", .type = ERA_SETTING_LIST, .max = ERA_VALIDATORS_MAX, .members = validator_rules},
    {.name = "components",
     .type = ERA_SETTING_LIST,
     .required = true,
     .min = 1,
     .max = ERA_COMPONENTS_MAX,
     .members = component_rules},
    {.name = "emitters", .type = ERA_SETTING_LIST, .max = ERA_EMITTERS_MAX, .members = named_key_rules},
    END};

static const struct era_settings_form charter_form = {.rules = era_charter_rules,
                                                      .page = "erad-charter(5)",
                                                      .status = ERA_EXIT_DATA,
                                                      .bytes_max = ERA_CHARTER_TEXT_BYTES_MAX};

/* ---- text -> struct: the schema has passed, so nothing below fails ---- */

typedef const struct config_setting_t setting;

static void text_into(char *out, size_t size, setting *group, const char *name, const char *fallback)
{
    bool fits = era_text_set(out, size, era_setting_text(group, name, fallback));

    assert(fits);
    (void)fits;
}

#define TEXT_INTO(field, group, name, fallback) text_into((field), sizeof(field), (group), (name), (fallback))

static struct era_key key_of(setting *group)
{
    struct era_key key = {0};

    era_key_from_text(era_setting_text(group, "key", ""), &key, NULL);
    return key;
}

static struct era_fraction fraction_of(setting *group, const char *name, const char *fallback)
{
    struct era_fraction f = {0, 1};

    era_fraction_parse(era_setting_text(group, name, fallback), &f.numerator, &f.denominator);
    return f;
}

static int validator_cmp(const void *a, const void *b)
{
    return memcmp(((const struct era_validator *)a)->key.b, ((const struct era_validator *)b)->key.b,
                  ERA_KEY_BYTES);
}

static int named_key_cmp(const void *a, const void *b)
{
    return memcmp(((const struct era_named_key *)a)->key.b, ((const struct era_named_key *)b)->key.b,
                  ERA_KEY_BYTES);
}

static int component_cmp(const void *a, const void *b)
{
    return strcmp(((const struct era_component *)a)->id, ((const struct era_component *)b)->id);
}

/* Artefacts, flags and dependencies begin with their name. */
static int named_cmp(const void *a, const void *b)
{
    return strcmp(a, b);
}

static size_t named_keys_read(setting *list, struct era_named_key *out)
{
    size_t n = era_setting_count(list);

    for (size_t i = 0; i < n; i++) {
        setting *at = era_setting_at(list, i);

        TEXT_INTO(out[i].name, at, "name", "");
        out[i].key = key_of(at);
    }
    qsort(out, n, sizeof *out, named_key_cmp);
    return n;
}

static void flags_read(setting *flags, struct era_record *out)
{
    bool named = era_setting_is_group(flags);

    out->flag_count = era_setting_count(flags);
    for (size_t i = 0; i < out->flag_count; i++) {
        setting *at = era_setting_at(flags, i);

        if (named) {
            era_text_set(out->flags[i].name, sizeof out->flags[i].name, era_setting_own_name(at));
            out->flags[i].on = era_setting_own_bool(at);
        } else {
            TEXT_INTO(out->flags[i].name, at, "name", "");
            out->flags[i].on = era_setting_bool(at, "on", false);
        }
    }
    qsort(out->flags, out->flag_count, sizeof *out->flags, named_cmp);
}

static void record_read(setting *from, const char *component, struct era_record *out)
{
    setting *requires = era_setting_member(from, "requires");
    setting *artefacts = era_setting_member(from, "artefacts");
    setting *dependencies = era_setting_member(from, "dependencies");

    era_text_set(out->component, sizeof out->component, component);
    TEXT_INTO(out->version, from, "version", "");
    out->era = 1;
    TEXT_INTO(out->era_name, from, "era_name", "genesis");
    TEXT_INTO(out->source_digest, from, "source_digest", "");
    TEXT_INTO(out->link, from, "link", "");
    for (size_t i = 0; i < ERA_VERSION_KINDS; i++)
        TEXT_INTO(out->requires.v[i], requires, era_version_kind_names[i], "");
    out->artefact_count = era_setting_count(artefacts);
    for (size_t i = 0; i < out->artefact_count; i++) {
        setting *at = era_setting_at(artefacts, i);

        TEXT_INTO(out->artefacts[i].name, at, "name", "");
        TEXT_INTO(out->artefacts[i].digest, at, "digest", "");
        TEXT_INTO(out->artefacts[i].link, at, "link", "");
    }
    qsort(out->artefacts, out->artefact_count, sizeof *out->artefacts, named_cmp);
    flags_read(era_setting_member(from, "flags"), out);
    out->dependency_count = era_setting_count(dependencies);
    for (size_t i = 0; i < out->dependency_count; i++) {
        setting *at = era_setting_at(dependencies, i);

        TEXT_INTO(out->dependencies[i].name, at, "name", "");
        TEXT_INTO(out->dependencies[i].range, at, "range", "");
        TEXT_INTO(out->dependencies[i].since, at, "since", "");
    }
    qsort(out->dependencies, out->dependency_count, sizeof *out->dependencies, named_cmp);
}

static void component_read(setting *from, struct era_component *out)
{
    uint64_t m;

    TEXT_INTO(out->id, from, "id", "");
    out->signer_count = named_keys_read(era_setting_member(from, "signers"), out->signers);
    m = out->signer_count;
    out->k = (uint32_t)era_setting_u64(from, "k", 0);
    out->urgent_k = (uint32_t)era_setting_u64(from, "urgent_k", out->k < m ? out->k + 1 : out->k);
    out->notice_epochs = era_setting_u64(from, "notice_epochs", 2);
    out->urgent_notice_epochs = era_setting_u64(from, "urgent_notice_epochs", 1);
    out->enough = fraction_of(from, "enough", "2/3");
    out->rebuild_quorum = fraction_of(from, "rebuild_quorum", "0");
    record_read(era_setting_member(from, "initial"), out->id, &out->initial);
}

static int carried_cmp(const void *a, const void *b)
{
    return strcmp(((const struct era_carried *)a)->component, ((const struct era_carried *)b)->component);
}

static void carried_read(setting *list, struct era_charter *out)
{
    out->carried_count = era_setting_count(list);
    for (size_t i = 0; i < out->carried_count; i++) {
        setting *at = era_setting_at(list, i);

        TEXT_INTO(out->carried[i].component, at, "component", "");
        out->carried[i].seq = era_setting_u64(at, "seq", 0);
    }
    qsort(out->carried, out->carried_count, sizeof *out->carried, carried_cmp);
}

static void network_read(setting *from, struct era_charter *out)
{
    setting *clock = era_setting_member(from, "clock");
    const char *parent = era_setting_text(from, "parent", NULL);

    TEXT_INTO(out->name, from, "name", "");
    out->version = era_setting_u64(from, "version", 0);
    out->has_parent = parent && era_hash_from_text(parent, &out->parent);
    out->effective = era_setting_u64(from, "effective", 0);
    carried_read(era_setting_member(from, "carried"), out);
    out->strict_emission = era_setting_bool(from, "strict_emission", false);
    out->authority_only = era_setting_bool(from, "authority_only", false);
    out->overrides = era_setting_bool(from, "overrides", false);
    out->events_per_epoch = (uint32_t)era_setting_u64(from, "events_per_epoch", 100);
    out->clock.tolerance_epochs = era_setting_u64(clock, "tolerance_epochs", 1);
    if (strcmp(era_setting_text(clock, "kind", ""), "wall") == 0) {
        out->clock.kind = ERA_CLOCK_WALL;
        out->clock.epoch_ms = era_setting_u64(clock, "epoch_ms", 0);
        genesis_parse(era_setting_text(clock, "genesis", "0"), &out->clock.genesis_ms);
    } else {
        out->clock.kind = ERA_CLOCK_HEIGHT;
        out->clock.epoch_ms = era_setting_u64(clock, "epoch_heights", 0);
    }
}

/* A wall clock has genesis and epoch_ms, a height clock epoch_heights, and neither anything of the other's.
 */
static bool clock_check(const struct era_settings *s, struct era_error *err)
{
    setting *clock = era_setting_member(era_setting_member(era_settings_root(s), "network"), "clock");
    bool wall = strcmp(era_setting_text(clock, "kind", ""), "wall") == 0;
    const char *kind = wall ? "wall" : "height";
    static const struct {
        const char *name;
        bool wall;
    } members[] = {{"genesis", true}, {"epoch_ms", true}, {"epoch_heights", false}};

    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        setting *at = era_setting_member(clock, members[i].name);

        if (at && members[i].wall != wall)
            return era_setting_refuse(s, at, err, "remove it", "setting `%s` is not for a %s clock",
                                      members[i].name, kind);
        if (!at && members[i].wall == wall)
            return era_setting_refuse(s, clock, err, "add it", "setting `%s` is missing in a %s clock",
                                      members[i].name, kind);
    }
    return true;
}

/* The chain: every charter but version 0 names the one that it follows, from when it counts, and how far the
 * slots before it are carried (R10). */
static bool chain_check(const struct era_settings *s, struct era_error *err)
{
    static const char *const members[] = {"parent", "effective", "carried"};
    setting *network = era_setting_member(era_settings_root(s), "network");
    uint64_t version = era_setting_u64(network, "version", 0);

    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        setting *at = era_setting_member(network, members[i]);

        if (version > 0 && !at)
            return era_setting_refuse(s, network, err, "add it",
                                      "setting `%s` is missing: version %" PRIu64 " follows another charter",
                                      members[i], version);
        if (version == 0 && at)
            return era_setting_refuse(s, at, err, "remove it, or set `version`",
                                      "setting `%s`: charter version 0 follows none", members[i]);
    }
    return true;
}

bool era_charter_from_text(const char *file, const char *text, size_t len, struct era_charter *out,
                           struct era_error *err)
{
    struct era_settings *s = era_settings_parse(&charter_form, file, text, len, err);
    struct era_charter c = {0};
    setting *validators, *components;

    if (!s || !clock_check(s, err) || !chain_check(s, err)) {
        era_settings_free(s);
        return false;
    }
    network_read(era_setting_member(era_settings_root(s), "network"), &c);
    validators = era_setting_member(era_settings_root(s), "validators");
    c.validator_count = era_setting_count(validators);
    c.validators = calloc(c.validator_count + 1, sizeof *c.validators);
    components = era_setting_member(era_settings_root(s), "components");
    c.component_count = era_setting_count(components);
    c.components = calloc(c.component_count + 1, sizeof *c.components);
    assert(c.validators && c.components);
    for (size_t i = 0; i < c.validator_count; i++) {
        setting *at = era_setting_at(validators, i);

        TEXT_INTO(c.validators[i].name, at, "name", "");
        c.validators[i].key = key_of(at);
        c.validators[i].stake = era_setting_u64(at, "stake", 0);
    }
    qsort(c.validators, c.validator_count, sizeof *c.validators, validator_cmp);
    for (size_t i = 0; i < c.component_count; i++)
        component_read(era_setting_at(components, i), &c.components[i]);
    qsort(c.components, c.component_count, sizeof *c.components, component_cmp);
    c.emitter_count = named_keys_read(era_setting_member(era_settings_root(s), "emitters"), c.emitters);
    era_settings_free(s);
    era_charter_seal(&c);
    *out = c;
    return true;
}

/* ---- struct -> text ---- */

static void print_inline_text(FILE *to, const char *name, const char *text)
{
    fprintf(to, " %s = \"", name);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', to);
        fputc(*text, to);
    }
    fputs("\";", to);
}

static void print_text(FILE *to, int indent, const char *name, const char *text)
{
    fprintf(to, "%*s", indent - 1, "");
    print_inline_text(to, name, text);
    fputc('\n', to);
}

static void print_some_text(FILE *to, int indent, const char *name, const char *text)
{
    if (*text)
        print_text(to, indent, name, text);
}

static void print_decimal(FILE *to, int indent, const char *name, uint64_t value)
{
    fprintf(to, "%*s%s = \"%" PRIu64 "\";\n", indent, "", name, value);
}

static const char *bool_text(bool on)
{
    return on ? "true" : "false";
}

static void print_clock(FILE *to, const struct era_clock_params *clock)
{
    time_t seconds = (time_t)(clock->genesis_ms / 1000);
    char text[32];
    struct tm tm;
    uint64_t again;

    fputs("  clock : {\n", to);
    if (clock->kind == ERA_CLOCK_HEIGHT) {
        fputs("    kind = \"height\";\n", to);
        print_decimal(to, 4, "epoch_heights", clock->epoch_ms);
    } else {
        fputs("    kind = \"wall\";\n", to);
        if (gmtime_r(&seconds, &tm) && strftime(text, sizeof text, GENESIS_FORMAT, &tm) &&
            genesis_parse(text, &again) && again == clock->genesis_ms)
            fprintf(to, "    genesis = \"%s\";\n", text);
        else
            print_decimal(to, 4, "genesis", clock->genesis_ms);
        print_decimal(to, 4, "epoch_ms", clock->epoch_ms);
    }
    print_decimal(to, 4, "tolerance_epochs", clock->tolerance_epochs);
    fputs("  };\n", to);
}

static void print_named_keys(FILE *to, int indent, const char *name, const struct era_named_key *keys,
                             size_t n)
{
    char key[ERA_KEY_TEXT_BYTES];

    fprintf(to, "%*s%s = (\n", indent, "", name);
    for (size_t i = 0; i < n; i++) {
        fprintf(to, "%*s  {", indent, "");
        print_inline_text(to, "name", keys[i].name);
        print_inline_text(to, "key", era_key_text(&keys[i].key, key));
        fprintf(to, " }%s\n", i + 1 < n ? "," : "");
    }
    fprintf(to, "%*s);\n", indent, "");
}

static void print_record(FILE *to, const struct era_record *r)
{
    fputs("    initial : {\n", to);
    print_text(to, 6, "version", r->version);
    print_text(to, 6, "era_name", r->era_name);
    fputs("      requires : {\n", to);
    for (size_t i = 0; i < ERA_VERSION_KINDS; i++)
        print_some_text(to, 8, era_version_kind_names[i], r->requires.v[i]);
    fputs("      };\n      artefacts = (\n", to);
    for (size_t i = 0; i < r->artefact_count; i++) {
        fputs("        {", to);
        print_inline_text(to, "name", r->artefacts[i].name);
        print_inline_text(to, "digest", r->artefacts[i].digest);
        print_inline_text(to, "link", r->artefacts[i].link);
        fprintf(to, " }%s\n", i + 1 < r->artefact_count ? "," : "");
    }
    fputs("      );\n", to);
    print_some_text(to, 6, "source_digest", r->source_digest);
    print_some_text(to, 6, "link", r->link);
    fputs("      flags = (\n", to);
    for (size_t i = 0; i < r->flag_count; i++) {
        fputs("        {", to);
        print_inline_text(to, "name", r->flags[i].name);
        fprintf(to, " on = %s; }%s\n", bool_text(r->flags[i].on), i + 1 < r->flag_count ? "," : "");
    }
    fputs("      );\n      dependencies = (\n", to);
    for (size_t i = 0; i < r->dependency_count; i++) {
        fputs("        {", to);
        print_inline_text(to, "name", r->dependencies[i].name);
        print_inline_text(to, "range", r->dependencies[i].range);
        print_inline_text(to, "since", r->dependencies[i].since);
        fprintf(to, " }%s\n", i + 1 < r->dependency_count ? "," : "");
    }
    fputs("      );\n    };\n", to);
}

static void print_component(FILE *to, const struct era_component *p)
{
    print_text(to, 4, "id", p->id);
    fprintf(to, "    k = %" PRIu32 ";\n    urgent_k = %" PRIu32 ";\n", p->k, p->urgent_k);
    print_decimal(to, 4, "notice_epochs", p->notice_epochs);
    print_decimal(to, 4, "urgent_notice_epochs", p->urgent_notice_epochs);
    fprintf(to, "    enough = \"%" PRIu64 "/%" PRIu64 "\";\n", p->enough.numerator, p->enough.denominator);
    fprintf(to, "    rebuild_quorum = \"%" PRIu64 "/%" PRIu64 "\";\n", p->rebuild_quorum.numerator,
            p->rebuild_quorum.denominator);
    print_named_keys(to, 4, "signers", p->signers, p->signer_count);
    print_record(to, &p->initial);
}

/* Its place in the chain: nothing for version 0. */
static void print_chain(FILE *to, const struct era_charter *c)
{
    char hex[ERA_HASH_TEXT_BYTES];

    if (!c->version)
        return;
    print_decimal(to, 2, "version", c->version);
    if (c->has_parent)
        print_text(to, 2, "parent", era_hash_text(&c->parent, hex));
    print_decimal(to, 2, "effective", c->effective);
    fputs("  carried = (\n", to);
    for (size_t i = 0; i < c->carried_count; i++) {
        fputs("    {", to);
        print_inline_text(to, "component", c->carried[i].component);
        fprintf(to, " seq = \"%" PRIu64 "\"; }%s\n", c->carried[i].seq, i + 1 < c->carried_count ? "," : "");
    }
    fputs("  );\n", to);
}

char *era_charter_to_text(const struct era_charter *c)
{
    char *text = NULL, key[ERA_KEY_TEXT_BYTES];
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    bool written;

    assert(to);
    fputs("network : {\n", to);
    print_text(to, 2, "name", c->name);
    print_chain(to, c);
    print_clock(to, &c->clock);
    fprintf(to, "  strict_emission = %s;\n  authority_only = %s;\n", bool_text(c->strict_emission),
            bool_text(c->authority_only));
    fprintf(to, "  overrides = %s;\n  events_per_epoch = %" PRIu32 ";\n};\n\nvalidators = (\n",
            bool_text(c->overrides), c->events_per_epoch);
    for (size_t i = 0; i < c->validator_count; i++) {
        fputs("  {", to);
        print_inline_text(to, "name", c->validators[i].name);
        print_inline_text(to, "key", era_key_text(&c->validators[i].key, key));
        fprintf(to, " stake = \"%" PRIu64 "\"; }%s\n", c->validators[i].stake,
                i + 1 < c->validator_count ? "," : "");
    }
    fputs(");\n\ncomponents = (\n", to);
    for (size_t i = 0; i < c->component_count; i++) {
        fputs("  {\n", to);
        print_component(to, &c->components[i]);
        fprintf(to, "  }%s\n", i + 1 < c->component_count ? "," : "");
    }
    fputs(");\n", to);
    if (c->emitter_count) {
        fputc('\n', to);
        print_named_keys(to, 0, "emitters", c->emitters, c->emitter_count);
    }
    written = fclose(to) == 0;
    assert(written && text);
    (void)written;
    return text;
}

bool era_charter_load(const char *path, struct era_charter *out, struct era_error *err)
{
    uint8_t *data;
    size_t len;
    int rc = era_file_read(path, ERA_CHARTER_TEXT_BYTES_MAX, &data, &len);
    enum era_verdict v;
    bool fine;

    if (rc < 0)
        return era_error_errno(err, rc, path, "read the charter");
    /* Canonical bytes begin with a field's tag, a control character, which no text has. */
    if (len && data[0] < ' ' && data[0] != '\n' && data[0] != '\t') {
        v = era_charter_decode((struct era_bytes){data, len}, out);
        fine = v == ERA_ACCEPTED ||
               era_error_set(err, ERA_EXIT_DATA, path, "make it again from the charter's text",
                             "this is no charter: %s", era_verdict_text(v));
    } else {
        fine = era_charter_from_text(path, (const char *)data, len, out, err);
    }
    free(data);
    return fine;
}
