#include "src/eractl/print.h"

#include <assert.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "src/host/error.h"

#define WIDTH_DEFAULT 80
#define WIDTH_MAX     110
#define LABEL_WIDTH   14

static bool terminal(FILE *out)
{
    return isatty(fileno(out)) != 0;
}

static bool coloured(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return terminal(stdout) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static size_t width_of(FILE *out)
{
    struct winsize size;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
        return size.ws_col < WIDTH_MAX ? size.ws_col : WIDTH_MAX;
    return WIDTH_DEFAULT;
}

/* ---- texts ---- */

char *era_text_vformat(const char *format, va_list args)
{
    char *out = NULL;
    if (vasprintf(&out, format, args) < 0)
        abort();
    return out;
}

char *era_text_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *out = era_text_vformat(format, args);
    va_end(args);
    return out;
}

/* U+0080 to U+009F, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069. */
static bool deceptive(const unsigned char *s)
{
    if (s[0] == 0xc2)
        return s[1] >= 0x80 && s[1] <= 0x9f;
    if (s[0] != 0xe2)
        return false;
    if (s[1] == 0x80)
        return s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xaa && s[2] <= 0xae);
    return s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9;
}

static size_t safe_character(const char *s, size_t rest)
{
    if (deceptive((const unsigned char *)s))
        return 0;
    for (size_t n = 1; n <= 4 && n <= rest; n++)
        if (era_utf8_valid(s, n, true))
            return n;
    return 0;
}

char *era_text_safe(const char *text)
{
    size_t len = strlen(text), used = 0;
    char *out = malloc(4 * len + 1);
    assert(out);
    for (size_t i = 0; i < len;) {
        size_t n = safe_character(text + i, len - i);
        if (n > 0) {
            memcpy(out + used, text + i, n);
            used += n;
            i += n;
        } else {
            memcpy(out + used, "\\x", 2);
            era_hex((const uint8_t *)text + i++, 1, out + used + 2);
            used += 4;
        }
    }
    out[used] = '\0';
    return out;
}

const char *era_short_id(const char *id, char out[ERA_SHORT_ID_BYTES])
{
    snprintf(out, ERA_SHORT_ID_BYTES, "%s", id);
    return out;
}

const char *era_short_hash(const struct era_hash *h, char out[ERA_SHORT_ID_BYTES])
{
    char text[ERA_HASH_TEXT_BYTES];
    return era_short_id(era_hash_text(h, text), out);
}

/* ---- prose ---- */

/* One line of text in pieces of at most `room` bytes, broken at spaces; a word that is longer stays whole. */
static void wrap_line(FILE *out, const char *line, size_t len, int first_indent, int indent, size_t room)
{
    int before = first_indent;
    while (len > room) {
        size_t cut = room;
        while (cut > 0 && line[cut] != ' ')
            cut--;
        if (cut == 0)
            for (cut = room; cut < len && line[cut] != ' ';)
                cut++;
        if (cut >= len)
            break;
        fprintf(out, "%*s%.*s\n", before, "", (int)cut, line);
        before = indent;
        line += cut + 1;
        len -= cut + 1;
    }
    fprintf(out, "%*s%.*s\n", before, "", (int)len, line);
}

static void wrap_text(FILE *out, const char *text, int first_indent, int indent)
{
    char *safe = era_text_safe(text);
    size_t width = width_of(out);
    size_t room = !terminal(out) ? SIZE_MAX : width > (size_t)indent + 20 ? width - (size_t)indent : 20;
    for (const char *line = safe; line;) {
        const char *end = strchr(line, '\n');
        wrap_line(out, line, end ? (size_t)(end - line) : strlen(line), first_indent, indent, room);
        first_indent = indent;
        line = end ? end + 1 : NULL;
    }
    free(safe);
}

void era_print_prose(FILE *out, int indent, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = era_text_vformat(format, args);
    va_end(args);
    wrap_text(out, text, indent, indent);
    free(text);
}

void era_print_pair(const char *label, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = era_text_vformat(format, args);
    va_end(args);
    if (*text) {
        printf("%-*s ", LABEL_WIDTH, label);
        wrap_text(stdout, text, 0, LABEL_WIDTH + 1);
    }
    free(text);
}

/* ---- tables ---- */

struct era_table {
    struct libscols_table *scols;
    size_t columns;
};

/* Cells that are exactly one of these words, or say how long somebody is muted. */
static const char *colour_of(const char *cell)
{
    static const struct {
        const char *word, *colour;
    } words[] = {{"adopted", "green"}, {"approved", "green"},      {"current", "green"},
                 {"up", "green"},      {"failed", "red"},          {"blocked", "red"},
                 {"forked", "red"},    {"mismatch", "red"},        {"expired", "red"},
                 {"open", "yellow"},   {"upgrade-soon", "yellow"}, {"stale", "yellow"},
                 {"clock", "yellow"},  {"announced", "yellow"},    {"sign", "yellow"},
                 {"error", "red"},     {"advice", "yellow"},       {"no", "yellow"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].word, cell) == 0)
            return words[i].colour;
    return strncmp(cell, "muted ", 6) == 0 ? "red" : NULL;
}

struct era_table *era_table_new(const struct era_column *columns, size_t n)
{
    struct era_table *t = malloc(sizeof *t);
    assert(t);
    t->scols = scols_new_table();
    t->columns = n;
    assert(t->scols);
    if (!terminal(stdout))
        scols_table_set_termforce(t->scols, SCOLS_TERMFORCE_NEVER); /* pipes get whole lines */
    scols_table_enable_colors(t->scols, coloured());
    for (size_t i = 0; i < n; i++) {
        int flags = (columns[i].right ? SCOLS_FL_RIGHT : 0) |
                    (columns[i].wrap && terminal(stdout) ? SCOLS_FL_WRAP : 0);
        struct libscols_column *c = scols_table_new_column(t->scols, columns[i].name, 0, flags);
        assert(c);
    }
    return t;
}

void era_table_add(struct era_table *t, const char *const *cells)
{
    struct libscols_line *line = scols_table_new_line(t->scols, NULL);
    assert(line);
    for (size_t i = 0; i < t->columns; i++) {
        if (!cells[i])
            continue;
        char *safe = era_text_safe(cells[i]);
        for (char *c = safe; *c; c++)
            if (*c == '\n' || *c == '\t')
                *c = ' ';
        scols_line_set_data(line, i, safe);
        if (coloured() && colour_of(safe))
            scols_cell_set_color(scols_line_get_cell(line, i), colour_of(safe));
        free(safe);
    }
}

void era_table_print(struct era_table *t)
{
    scols_print_table(t->scols);
    scols_unref_table(t->scols);
    free(t);
}

/* ---- what the daemon said ---- */

const char *era_json_text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

json_int_t era_json_int(const json_t *o, const char *key, json_int_t fallback)
{
    const json_t *v = json_object_get(o, key);
    return json_is_integer(v) ? json_integer_value(v) : fallback;
}

bool era_json_true(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

char *era_json_names(const json_t *array, const char *none)
{
    char *out = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&out, &len);
    assert(f);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *s = json_string_value(json_array_get(array, i));
        fprintf(f, "%s%s", i ? ", " : "", s ? s : "?");
    }
    if (json_array_size(array) == 0)
        fputs(none, f);
    fclose(f);
    return out;
}
