#include "src/host/settings.h"

#include <assert.h>
#include <libconfig.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto/limits.h"
#include "src/base/bytes.h"
#include "src/base/fraction.h"

#define SETTING_FORM "a setting is NAME = VALUE, a group is NAME : { … }, each ended by a semicolon"

#define BARE_NUMBER_MAX 2147483647u
#define NAME_CHARS      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_*"

#define NESTED_MAX 16 /* brackets in brackets; a charter needs 6 */

struct era_settings {
    config_t config;
    const struct era_settings_form *form;
    char *file;
};

/* ---- errors ---- */

static bool refuse_line(const struct era_settings *s, size_t line, struct era_error *err, const char *cure,
                        const char *text)
{
    char where[ERA_ERROR_WHERE_BYTES], see[ERA_ERROR_CURE_BYTES];

    if (line)
        snprintf(where, sizeof where, "%s:%zu", s->file, line);
    else
        snprintf(where, sizeof where, "%s", s->file);
    snprintf(see, sizeof see, "%s%ssee %s", cure ? cure : "", cure ? "; " : "", s->form->page);
    return era_error_set(err, s->form->status, where, see, "%s", text);
}

bool era_setting_refuse(const struct era_settings *s, const struct config_setting_t *at,
                        struct era_error *err, const char *cure, const char *format, ...)
{
    char text[ERA_ERROR_TEXT_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return refuse_line(s, config_setting_source_line(at), err, cure, text);
}

/* ---- before libconfig: what it would pass in silence ---- */

struct scan {
    const struct era_settings *s;
    const char *at; /* NUL-terminated */
    size_t line;
    char before; /* how the last token began; 0 at the start */
    size_t depth;
    char open[NESTED_MAX]; /* the brackets that are not closed yet */
    struct era_error *err;
};

static void scan_over(struct scan *scan, size_t n)
{
    for (; n; n--)
        scan->line += *scan->at++ == '\n';
}

/* A text where no value may stand is a syntax error on which libconfig loses the text's memory. */
static bool scan_string(struct scan *scan)
{
    if (!scan->before || !strchr("=:[(,\"", scan->before))
        return refuse_line(scan->s, scan->line, scan->err, SETTING_FORM,
                           "syntax error: a text stands where no value may");
    scan_over(scan, 1);
    while (*scan->at && *scan->at != '"') {
        if (strncasecmp(scan->at, "\\x00", 4) == 0)
            return refuse_line(scan->s, scan->line, scan->err, "remove it", "a text holds a NUL (\\x00)");
        scan_over(scan, scan->at[0] == '\\' && scan->at[1] ? 2 : 1);
    }
    if (!*scan->at)
        return refuse_line(scan->s, scan->line, scan->err, "close it with \"", "a text is not closed");
    scan_over(scan, 1);
    return true;
}

static bool scan_comment(struct scan *scan)
{
    const char *end = strstr(scan->at + 2, "*/");

    if (!end)
        return refuse_line(scan->s, scan->line, scan->err, "close it with */", "a comment is not closed");
    scan_over(scan, (size_t)(end + 2 - scan->at));
    return true;
}

/* libconfig lets `stake = 4294967297` become 1. */
static bool scan_number(struct scan *scan)
{
    size_t n = strspn(scan->at, NAME_CHARS "+.");
    char digits[16];
    uint64_t value;

    snprintf(digits, sizeof digits, "%.*s", (int)(n < sizeof digits ? n : sizeof digits), scan->at);
    if (!era_u64_parse(digits, BARE_NUMBER_MAX, &value))
        return refuse_line(scan->s, scan->line, scan->err, "quote a larger number: \"5000000000\"",
                           "a number without quotes must be whole, 0 to 2147483647, in plain digits");
    scan_over(scan, n);
    return true;
}

static bool scan_bracket(struct scan *scan)
{
    if (!strchr("([{", *scan->at))
        scan->depth -= scan->depth > 0;
    else if (scan->depth < NESTED_MAX)
        scan->open[scan->depth++] = *scan->at;
    else
        return refuse_line(scan->s, scan->line, scan->err, NULL, "brackets are nested too deeply");
    scan_over(scan, 1);
    return true;
}

static bool scan_token(struct scan *scan)
{
    char first = *scan->at;
    bool fine = true, in_group = scan->depth == 0 || scan->open[scan->depth - 1] == '{';

    if (first == '"')
        fine = scan_string(scan);
    else if (strchr("0123456789+-.", first))
        fine = scan_number(scan);
    else if (strchr(NAME_CHARS, first))
        scan_over(scan, strspn(scan->at, NAME_CHARS));
    else if (strchr("([{}])", first))
        fine = scan_bracket(scan);
    else
        scan_over(scan, 1);
    scan->before = first == ',' && in_group ? ';' : first; /* in a group a comma ends a setting */
    return fine;
}

static bool scan_tokens(struct scan *scan)
{
    bool fine = true;

    while (fine && *scan->at) {
        if (strncmp(scan->at, "/*", 2) == 0)
            fine = scan_comment(scan);
        else if (*scan->at == '#' || strncmp(scan->at, "//", 2) == 0)
            scan_over(scan, strcspn(scan->at, "\n"));
        else if (strchr(" \t\n", *scan->at))
            scan_over(scan, 1);
        else
            fine = scan_token(scan);
    }
    return fine;
}

static bool text_scan(const struct era_settings *s, const char *text, size_t len, struct era_error *err)
{
    struct scan scan = {.s = s, .at = text, .line = 1, .err = err};
    size_t number = 0;

    for (const char *line = text, *end = text + len; line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t n = (size_t)((stop ? stop : end) - line);

        number++;
        if (!era_utf8_valid(line, n, true))
            return refuse_line(s, number, err, "save it as UTF-8 with plain line endings",
                               "the line holds a control character or is not UTF-8");
        if (memmem(line, n, "@include", 8))
            return refuse_line(s, number, err, "write it all into one file", "@include is not allowed");
        line += n + 1;
    }
    return scan_tokens(&scan);
}

/* ---- against the schema ---- */

static size_t edit_distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b), row[ERA_NAME_BYTES_MAX + 1];

    if (la > ERA_NAME_BYTES_MAX || lb > ERA_NAME_BYTES_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[lb];
}

static bool refuse_unknown(const struct era_settings *s, const config_setting_t *at,
                           const struct era_setting_rule *rules, struct era_error *err)
{
    const char *name = config_setting_name(at), *nearest = NULL;
    size_t least = strlen(name) / 3 + 2; /* further away it is no typing error */

    for (; rules->name; rules++) {
        size_t d = edit_distance(name, rules->name);

        if (d < least) {
            least = d;
            nearest = rules->name;
        }
    }
    if (nearest)
        return era_setting_refuse(s, at, err, "correct or remove it",
                                  "unknown setting `%.64s`; did you mean `%s`?", name, nearest);
    return era_setting_refuse(s, at, err, "remove it", "unknown setting `%.64s`", name);
}

static bool check_group(const struct era_settings *s, const config_setting_t *group,
                        const struct era_setting_rule *rules, struct era_error *err);

static bool check_text(const struct era_settings *s, const config_setting_t *at,
                       const struct era_setting_rule *rule, struct era_error *err)
{
    const char *text, *why;
    size_t n;

    if (at->type != CONFIG_TYPE_STRING)
        return era_setting_refuse(s, at, err, rule->cure, "setting `%s` must be text in quotes", rule->name);
    text = config_setting_get_string(at);
    n = strlen(text);
    if (!era_utf8_valid(text, n, false))
        return era_setting_refuse(s, at, err, rule->cure,
                                  "setting `%s` holds a control character or is not UTF-8", rule->name);
    if (rule->max && (n < rule->min || n > rule->max))
        return era_setting_refuse(s, at, err, rule->cure, "setting `%s` has %zu bytes, not %zu to %zu",
                                  rule->name, n, (size_t)rule->min, (size_t)rule->max);
    why = rule->why ? rule->why(text) : NULL;
    if (why)
        return era_setting_refuse(s, at, err, rule->cure, "setting `%s`: %s", rule->name, why);
    return true;
}

static bool check_decimal(const struct era_settings *s, const config_setting_t *at,
                          const struct era_setting_rule *rule, struct era_error *err)
{
    uint64_t max = rule->max ? rule->max : UINT64_MAX, value;

    if (at->type != CONFIG_TYPE_STRING)
        return era_setting_refuse(s, at, err, "write it like \"100\"",
                                  "setting `%s` must be a decimal number in quotes", rule->name);
    if (!era_u64_parse(config_setting_get_string(at), max, &value) || value < rule->min)
        return era_setting_refuse(s, at, err, rule->cure, "setting `%s` must be plain digits, %llu to %llu",
                                  rule->name, (unsigned long long)rule->min, (unsigned long long)max);
    return true;
}

static bool check_number(const struct era_settings *s, const config_setting_t *at,
                         const struct era_setting_rule *rule, struct era_error *err)
{
    uint64_t max = rule->max ? rule->max : BARE_NUMBER_MAX;
    int value;

    if (at->type != CONFIG_TYPE_INT)
        return era_setting_refuse(s, at, err, "write it like 3",
                                  "setting `%s` must be a number without quotes", rule->name);
    value = config_setting_get_int(at);
    if (value < 0 || (uint64_t)value < rule->min || (uint64_t)value > max)
        return era_setting_refuse(s, at, err, rule->cure, "setting `%s` is %d, not %llu to %llu", rule->name,
                                  value, (unsigned long long)rule->min, (unsigned long long)max);
    return true;
}

static bool check_count(const struct era_settings *s, const config_setting_t *at,
                        const struct era_setting_rule *rule, struct era_error *err)
{
    size_t n = era_setting_count(at);

    if (n < rule->min || (rule->max && n > rule->max))
        return era_setting_refuse(s, at, err, rule->cure, "setting `%s` has %zu elements, not %zu to %zu",
                                  rule->name, n, (size_t)rule->min, (size_t)rule->max);
    return true;
}

static bool check_array(const struct era_settings *s, const config_setting_t *at,
                        const struct era_setting_rule *rule, struct era_error *err)
{
    const char *why;

    if (at->type != CONFIG_TYPE_ARRAY)
        return era_setting_refuse(s, at, err, "write it like [ \"one\", \"two\" ]",
                                  "setting `%s` must be texts in square brackets", rule->name);
    if (!check_count(s, at, rule, err))
        return false;
    for (size_t i = 0; i < era_setting_count(at); i++) {
        const config_setting_t *element = era_setting_at(at, i);

        if (element->type != CONFIG_TYPE_STRING)
            return era_setting_refuse(s, element, err, rule->cure, "setting `%s` must hold texts in quotes",
                                      rule->name);
        why = era_utf8_valid(config_setting_get_string(element), strlen(config_setting_get_string(element)),
                             false)
                  ? NULL
                  : "a control character, or not UTF-8";
        if (!why && rule->why)
            why = rule->why(config_setting_get_string(element));
        if (why)
            return era_setting_refuse(s, element, err, rule->cure, "setting `%s`, element %zu: %s",
                                      rule->name, i + 1, why);
    }
    return true;
}

struct seen {
    const char *text;
    const config_setting_t *at;
};

/* By text, then by place, so that the second of two is the one refused. */
static int seen_cmp(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;
    int order = strcasecmp(x->text, y->text);

    if (order)
        return order;
    return config_setting_index(x->at) < config_setting_index(y->at) ? -1 : 1;
}

static bool check_unique(const struct era_settings *s, const config_setting_t *list, const char *name,
                         struct era_error *err)
{
    size_t n = era_setting_count(list);
    struct seen *seen = calloc(n + 1, sizeof *seen);
    bool fine = true;

    assert(seen);
    for (size_t i = 0; i < n; i++) {
        seen[i].at = era_setting_at(list, i);
        seen[i].text = era_setting_text(seen[i].at, name, "");
    }
    qsort(seen, n, sizeof *seen, seen_cmp);
    for (size_t i = 1; fine && i < n; i++) {
        if (strcasecmp(seen[i - 1].text, seen[i].text) == 0)
            fine = era_setting_refuse(s, era_setting_member(seen[i].at, name), err, "name each once",
                                      "setting `%s`: `%.80s` is named twice, first on line %u", name,
                                      seen[i].text, config_setting_source_line(seen[i - 1].at));
    }
    free(seen);
    return fine;
}

static bool check_list(const struct era_settings *s, const config_setting_t *at,
                       const struct era_setting_rule *rule, struct era_error *err)
{
    if (at->type != CONFIG_TYPE_LIST)
        return era_setting_refuse(s, at, err, "write it like ( { ... }, { ... } )",
                                  "setting `%s` must be groups in parentheses", rule->name);
    if (!check_count(s, at, rule, err))
        return false;
    for (size_t i = 0; i < era_setting_count(at); i++) {
        const config_setting_t *element = era_setting_at(at, i);

        if (element->type != CONFIG_TYPE_GROUP)
            return era_setting_refuse(s, element, err, "write it like ( { ... }, { ... } )",
                                      "setting `%s` must hold groups in braces", rule->name);
        if (!check_group(s, element, rule->members, err))
            return false;
    }
    for (const struct era_setting_rule *m = rule->members; m->name; m++) {
        if (m->unique && !check_unique(s, at, m->name, err))
            return false;
    }
    return true;
}

static bool check_switches(const struct era_settings *s, const config_setting_t *at,
                           const struct era_setting_rule *rule, struct era_error *err)
{
    if (at->type != CONFIG_TYPE_GROUP)
        return check_list(s, at, rule, err);
    if (!check_count(s, at, rule, err))
        return false;
    for (size_t i = 0; i < era_setting_count(at); i++) {
        const config_setting_t *element = era_setting_at(at, i);
        const char *why = era_setting_name_why(config_setting_name(element));

        if (why)
            return era_setting_refuse(s, element, err, rule->cure, "setting `%s`, name `%.64s`: %s",
                                      rule->name, config_setting_name(element), why);
        if (element->type != CONFIG_TYPE_BOOL)
            return era_setting_refuse(s, element, err, NULL, "setting `%.64s` must be true or false",
                                      config_setting_name(element));
    }
    return true;
}

static bool check_setting(const struct era_settings *s, const config_setting_t *at,
                          const struct era_setting_rule *rule, struct era_error *err)
{
    switch (rule->type) {
    case ERA_SETTING_GROUP:
        if (at->type != CONFIG_TYPE_GROUP)
            return era_setting_refuse(s, at, err, "write it like NAME : { ... };",
                                      "setting `%s` must be a group in braces", rule->name);
        return check_group(s, at, rule->members, err);
    case ERA_SETTING_LIST:
        return check_list(s, at, rule, err);
    case ERA_SETTING_ARRAY:
        return check_array(s, at, rule, err);
    case ERA_SETTING_TEXT:
        return check_text(s, at, rule, err);
    case ERA_SETTING_DECIMAL:
        return check_decimal(s, at, rule, err);
    case ERA_SETTING_NUMBER:
        return check_number(s, at, rule, err);
    case ERA_SETTING_SWITCH:
        if (at->type != CONFIG_TYPE_BOOL)
            return era_setting_refuse(s, at, err, NULL, "setting `%s` must be true or false", rule->name);
        return true;
    case ERA_SETTING_SWITCHES:
        return check_switches(s, at, rule, err);
    }
    assert(!"a rule has a type");
    return false;
}

static bool check_group(const struct era_settings *s, const config_setting_t *group,
                        const struct era_setting_rule *rules, struct era_error *err)
{
    for (size_t i = 0; i < era_setting_count(group); i++) {
        const config_setting_t *at = era_setting_at(group, i);
        const struct era_setting_rule *rule = rules;

        while (rule->name && strcmp(rule->name, config_setting_name(at)) != 0)
            rule++;
        if (!rule->name)
            return refuse_unknown(s, at, rules, err);
        if (!check_setting(s, at, rule, err))
            return false;
    }
    for (; rules->name; rules++) {
        if (rules->required && !era_setting_member(group, rules->name))
            return era_setting_refuse(s, group, err, rules->cure ? rules->cure : "add it",
                                      "setting `%s` is missing here", rules->name);
    }
    return true;
}

/* ---- parse ---- */

/* libconfig says where a name came twice, but not which: show the line. */
static bool refuse_syntax(const struct era_settings *s, const char *text, struct era_error *err)
{
    size_t number = (size_t)config_error_line(&s->config);
    char line[64], message[ERA_ERROR_TEXT_BYTES];
    bool twice = strstr(config_error_text(&s->config), "duplicate") != NULL;

    for (size_t i = 1; i < number && strchr(text, '\n'); i++)
        text = strchr(text, '\n') + 1;
    text += strspn(text, " \t");
    snprintf(line, sizeof line, "%.*s", (int)strcspn(text, "\n"), text);
    snprintf(message, sizeof message, "%s: %s", twice ? "duplicate setting" : config_error_text(&s->config),
             line);
    return refuse_line(s, number, err, twice ? "give it once" : SETTING_FORM, message);
}

struct era_settings *era_settings_parse(const struct era_settings_form *form, const char *file,
                                        const char *text, size_t len, struct era_error *err)
{
    struct era_settings *s = calloc(1, sizeof *s);
    char *copy = malloc(len + 1);
    bool fine;

    assert(s && copy);
    memcpy(copy, text, len);
    copy[len] = '\0';
    config_init(&s->config);
    s->form = form;
    s->file = strdup(file);
    assert(s->file);
    fine = len <= form->bytes_max || refuse_line(s, 0, err, "make it smaller", "the file is too large");
    fine = fine && text_scan(s, copy, len, err);
    if (fine && !config_read_string(&s->config, copy))
        fine = refuse_syntax(s, copy, err);
    fine = fine && check_group(s, config_root_setting(&s->config), form->rules, err);
    free(copy);
    if (fine)
        return s;
    era_settings_free(s);
    return NULL;
}

void era_settings_free(struct era_settings *s)
{
    if (!s)
        return;
    config_destroy(&s->config);
    free(s->file);
    free(s);
}

/* ---- getters ---- */

const struct config_setting_t *era_settings_root(const struct era_settings *s)
{
    return config_root_setting(&s->config);
}

const struct config_setting_t *era_setting_member(const struct config_setting_t *group, const char *name)
{
    return group ? config_setting_get_member(group, name) : NULL;
}

size_t era_setting_count(const struct config_setting_t *s)
{
    return s ? (size_t)config_setting_length(s) : 0;
}

const struct config_setting_t *era_setting_at(const struct config_setting_t *s, size_t i)
{
    return config_setting_get_elem(s, (unsigned)i);
}

const char *era_setting_own_name(const struct config_setting_t *s)
{
    return config_setting_name(s);
}

const char *era_setting_own_text(const struct config_setting_t *s)
{
    return config_setting_get_string(s);
}

bool era_setting_own_bool(const struct config_setting_t *s)
{
    return config_setting_get_bool(s);
}

bool era_setting_is_group(const struct config_setting_t *s)
{
    return s && config_setting_is_group(s);
}

const char *era_setting_text(const struct config_setting_t *group, const char *name, const char *fallback)
{
    const config_setting_t *at = era_setting_member(group, name);

    return at ? config_setting_get_string(at) : fallback;
}

uint64_t era_setting_u64(const struct config_setting_t *group, const char *name, uint64_t fallback)
{
    const config_setting_t *at = era_setting_member(group, name);
    uint64_t value = fallback;

    if (at && at->type == CONFIG_TYPE_INT)
        return (uint64_t)config_setting_get_int(at);
    if (at && !era_u64_parse(config_setting_get_string(at), UINT64_MAX, &value))
        assert(!"the schema let no such text pass");
    return value;
}

bool era_setting_bool(const struct config_setting_t *group, const char *name, bool fallback)
{
    const config_setting_t *at = era_setting_member(group, name);

    return at ? config_setting_get_bool(at) : fallback;
}

const char *era_setting_name_why(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-");

    if (n >= 1 && n <= ERA_NAME_BYTES_MAX && text[n] == '\0')
        return NULL;
    return "a name is 1 to 64 of a-z, 0-9, dot, underscore and hyphen";
}
