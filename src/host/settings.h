/* settings: a thin, strict layer over libconfig. A text is held against a
 * declared schema as a whole; what passed is then read by getters that cannot
 * fail. Every error names file:line, the setting, why, and the cure.
 *
 * Stricter than libconfig, because it would pass these in silence: a bare
 * number beyond 31 bits wraps (so 64-bit values are quoted decimal texts, and
 * a bare number is 0 to 2147483647), "\x00" cuts a text short, `@include` reads
 * any file, an unclosed comment swallows the rest. */
#ifndef ERA_HOST_SETTINGS_H
#define ERA_HOST_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/host/error.h"

struct config_setting_t; /* libconfig's; borrowed from a struct era_settings */

enum era_setting_type {
    ERA_SETTING_GROUP,    /* NAME : { members }; */
    ERA_SETTING_LIST,     /* NAME = ( { members }, … ); */
    ERA_SETTING_ARRAY,    /* NAME = [ "text", … ]; */
    ERA_SETTING_TEXT,     /* NAME = "text"; */
    ERA_SETTING_DECIMAL,  /* NAME = "123"; 64 bits */
    ERA_SETTING_NUMBER,   /* NAME = 123; at most 31 bits */
    ERA_SETTING_SWITCH,   /* NAME = true; */
    ERA_SETTING_SWITCHES, /* NAME : { any_name = true; … }; or the list ( { members }, … ) */
};

/* NULL when text will do, else why not: a static text. */
typedef const char *era_setting_why(const char *text);

/* One setting of a schema; a schema ends with a rule without name. */
struct era_setting_rule {
    const char *name;
    enum era_setting_type type;
    bool required;
    bool unique;          /* texts, in a list's elements: no two have the same, in any case */
    uint64_t min, max;    /* numbers: value; texts: bytes; the rest: elements. max 0: no bound */
    era_setting_why *why; /* texts, and each text of an array */
    const char *cure;     /* what to write instead; NULL = see the page */
    const struct era_setting_rule *members; /* groups, lists, switches */
};

/* What a text must be. */
struct era_settings_form {
    const struct era_setting_rule *rules;
    const char *page; /* "erad.conf(5)" */
    int status;       /* enum era_exit of its errors */
    size_t bytes_max;
};

struct era_settings;

/* Parse len bytes (a NUL needs not follow) and hold them against form.
 * file    for the errors' where; copied.
 * Returns NULL and fills err otherwise. Owner: era_settings_free. */
struct era_settings *era_settings_parse(const struct era_settings_form *form, const char *file,
                                        const char *text, size_t len, struct era_error *err);
void era_settings_free(struct era_settings *s); /* NULL-safe */

/* Getters. A name must be one of the schema's. Nothing returned outlives s. */
const struct config_setting_t *era_settings_root(const struct era_settings *s);
/* NULL when it is not there. */
const struct config_setting_t *era_setting_member(const struct config_setting_t *group, const char *name);
/* Elements of a group, list or array; 0 for NULL. */
size_t era_setting_count(const struct config_setting_t *s);
const struct config_setting_t *era_setting_at(const struct config_setting_t *s, size_t i);
const char *era_setting_own_name(const struct config_setting_t *s); /* NULL for a list's element */
const char *era_setting_own_text(const struct config_setting_t *s);
bool era_setting_own_bool(const struct config_setting_t *s);
bool era_setting_is_group(const struct config_setting_t *s);
/* Value of a member, or fallback when it (or the group: NULL) is not there. */
const char *era_setting_text(const struct config_setting_t *group, const char *name, const char *fallback);
uint64_t era_setting_u64(const struct config_setting_t *group, const char *name, uint64_t fallback);
bool era_setting_bool(const struct config_setting_t *group, const char *name, bool fallback);

/* For what a schema cannot say: an error at a setting. Returns false. */
bool era_setting_refuse(const struct era_settings *s, const struct config_setting_t *at,
                        struct era_error *err, const char *cure, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* era_setting_why of a name: 1 to 64 of a-z, 0-9, dot, underscore, hyphen. */
const char *era_setting_name_why(const char *text);

#endif
