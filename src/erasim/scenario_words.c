#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/base/fraction.h"
#include "src/base/nearest.h"
#include "src/base/verdict.h"
#include "src/erasim/scenario_parts.h"

#define SHOWN_BYTES 96

bool scn_fail(struct scn_words *w, const char *cure, const char *format, ...)
{
    char text[ERA_ERROR_TEXT_BYTES], where[ERA_ERROR_WHERE_BYTES + 16];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(where, sizeof where, "%s:%u", w->sc->path, w->line);
    return era_error_set(w->err, ERA_EXIT_DATA, where, cure, "%s", text);
}

bool scn_skip(struct scn_words *w, const char *word)
{
    if (w->at == w->count || strcmp(w->word[w->at], word) != 0)
        return false;
    w->at++;
    return true;
}

const char *scn_next(struct scn_words *w, const char *what)
{
    if (w->at < w->count)
        return w->word[w->at++];
    scn_fail(w, "see SCENARIOS in erasim(1)", "the line ends where %s should stand", what);
    return NULL;
}

bool scn_number(struct scn_words *w, uint64_t max, const char *what, uint64_t *out)
{
    char shown[SHOWN_BYTES];
    const char *word = scn_next(w, what);
    if (!word)
        return false;
    return era_u64_parse(word, max, out) ||
           scn_fail(w, "write digits only", "%s is no number up to %" PRIu64 ": %s", what, max,
                    era_text_escape(word, shown, sizeof shown));
}

/* Digits, and what follows them in *rest. */
static bool digits(const char *text, uint64_t max, uint64_t *out, const char **rest)
{
    char number[24];
    size_t n = strspn(text, "0123456789");
    if (n == 0 || n >= sizeof number)
        return false;
    snprintf(number, sizeof number, "%.*s", (int)n, text);
    *rest = text + n;
    return era_u64_parse(number, max, out);
}

bool scn_time(struct scn_words *w, uint64_t *ms)
{
    char shown[SHOWN_BYTES];
    uint64_t epoch, more = 0, unit = 1, epoch_ms = w->sc->plan.epoch_ms;
    const char *word = scn_next(w, "a time"), *rest;
    if (!word)
        return false;
    bool ok = digits(word, SCN_EPOCHS_MAX, &epoch, &rest);
    if (ok && *rest == '+') {
        ok = digits(rest + 1, epoch_ms - 1, &more, &rest);
        if (ok && strcmp(rest, "s") == 0)
            unit = 1000;
        ok = ok && (*rest == '\0' || unit == 1000 || strcmp(rest, "ms") == 0);
    } else
        ok = ok && *rest == '\0';
    if (!ok || more * unit >= epoch_ms)
        return scn_fail(w, "write EPOCH or EPOCH+MS: 3, 3+250, 3+2s", "this is no time: %s",
                        era_text_escape(word, shown, sizeof shown));
    *ms = epoch * epoch_ms + more * unit;
    return true;
}

bool scn_text(struct scn_words *w, const char *what, char *out, size_t size)
{
    const char *word = scn_next(w, what);
    if (!word)
        return false;
    return era_text_set(out, size, word) || scn_fail(w, "make it shorter", "%s is too long", what);
}

bool scn_end(struct scn_words *w)
{
    char shown[SHOWN_BYTES];
    return w->at == w->count ||
           scn_fail(w, "leave it out, or see SCENARIOS in erasim(1)", "one word too many: %s",
                    era_text_escape(w->word[w->at], shown, sizeof shown));
}

bool scn_one_of(struct scn_words *w, const char *word, const char *what, const char *const *known,
                size_t count, size_t *out)
{
    char shown[SHOWN_BYTES], cure[ERA_NEAREST_CURE_BYTES];
    struct era_nearest near = {.word = word};
    for (size_t i = 0; i < count; i++) {
        era_nearest_try(&near, known[i]);
        if (strcmp(known[i], word) == 0) {
            *out = i;
            return true;
        }
    }
    return scn_fail(w, era_nearest_cure(&near, "see SCENARIOS in erasim(1)", cure),
                    "there is no %s called %s", what, era_text_escape(word, shown, sizeof shown));
}

/* ---- names ---- */

size_t scn_node_named(const struct scenario *sc, const char *name)
{
    for (size_t i = 0; i < sc->node_count; i++)
        if (strcmp(sc->nodes[i].name, name) == 0)
            return i;
    return SCN_NONE;
}

size_t scn_key_named(const struct scenario *sc, const char *name)
{
    for (size_t i = 0; i < sc->key_count; i++)
        if (strcmp(sc->keys[i].name, name) == 0)
            return i;
    return SCN_NONE;
}

size_t scn_proposal_named(const struct scenario *sc, const char *name)
{
    for (size_t i = 0; i < sc->proposal_count; i++)
        if (strcmp(sc->proposals[i].name, name) == 0)
            return i;
    return SCN_NONE;
}

size_t scn_label_named(const struct scenario *sc, const char *name)
{
    for (size_t i = 0; i < sc->label_count; i++)
        if (strcmp(sc->labels[i].name, name) == 0)
            return i;
    return SCN_NONE;
}

size_t scn_charter_named(const struct scenario *sc, const char *name)
{
    for (size_t i = 0; i < sc->charter_count; i++)
        if (strcmp(sc->charters[i].name, name) == 0)
            return i;
    return SCN_NONE;
}

bool scn_new_name(struct scn_words *w, const char *what, char out[ERA_NAME_BYTES_MAX + 1])
{
    static const char *const taken[] = {"all", "charter", "nothing", "none"};
    char shown[SHOWN_BYTES];
    if (!scn_text(w, what, out, ERA_NAME_BYTES_MAX + 1))
        return false;
    for (const char *c = out; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
            return scn_fail(w, "use letters, digits, '-', '_' and '.'", "this is no name: %s",
                            era_text_escape(out, shown, sizeof shown));
    bool is_taken = scn_node_named(w->sc, out) != SCN_NONE || scn_key_named(w->sc, out) != SCN_NONE ||
                    scn_proposal_named(w->sc, out) != SCN_NONE || scn_label_named(w->sc, out) != SCN_NONE ||
                    scn_charter_named(w->sc, out) != SCN_NONE;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        is_taken = is_taken || strcmp(out, taken[i]) == 0;
    return !is_taken || scn_fail(w, "choose another name", "the name %s is taken", out);
}

struct names {
    const char *what;
    size_t count;
    const char *known[SCN_KEYS_MAX];
};

static void node_names(const struct scenario *sc, struct names *names)
{
    names->what = "node";
    for (names->count = 0; names->count < sc->node_count; names->count++)
        names->known[names->count] = sc->nodes[names->count].name;
}

static void key_names(const struct scenario *sc, struct names *names)
{
    names->what = "key (of a validator or signer)";
    for (names->count = 0; names->count < sc->key_count; names->count++)
        names->known[names->count] = sc->keys[names->count].name;
}

static void proposal_names(const struct scenario *sc, struct names *names)
{
    names->what = "proposal";
    for (names->count = 0; names->count < sc->proposal_count; names->count++)
        names->known[names->count] = sc->proposals[names->count].name;
}

/* "a,b,c"; cuts the word. */
static bool list(struct scn_words *w, const struct names *names, struct scn_list *out)
{
    char wanted[64];
    snprintf(wanted, sizeof wanted, "the name of a %.40s", names->what);
    const char *word = scn_next(w, wanted);
    char *rest = NULL;
    out->count = 0;
    if (!word)
        return false;
    for (char *name = strtok_r(w->word[w->at - 1], ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        if (out->count == SCN_KEYS_MAX)
            return scn_fail(w, "name each once", "too many names");
        if (!scn_one_of(w, name, names->what, names->known, names->count, &out->at[out->count++]))
            return false;
    }
    return out->count > 0 || scn_fail(w, "name one", "there is no name");
}

bool scn_nodes(struct scn_words *w, struct scn_list *out)
{
    struct names names;
    if (scn_skip(w, "all")) {
        for (out->count = 0; out->count < w->sc->node_count; out->count++)
            out->at[out->count] = out->count;
        return true;
    }
    node_names(w->sc, &names);
    return list(w, &names, out);
}

bool scn_keys(struct scn_words *w, struct scn_list *out)
{
    struct names names;
    key_names(w->sc, &names);
    return list(w, &names, out);
}

bool scn_proposals(struct scn_words *w, struct scn_list *out)
{
    struct names names;
    proposal_names(w->sc, &names);
    return list(w, &names, out);
}

bool scn_proposal(struct scn_words *w, size_t *out)
{
    struct scn_list one;
    if (!scn_proposals(w, &one))
        return false;
    *out = one.at[0];
    return one.count == 1 || scn_fail(w, "write a line for each", "only one proposal can stand here");
}

bool scn_charter_word(struct scn_words *w, size_t *which, uint64_t *version)
{
    const char *known[SCN_CHARTERS_MAX], *word = scn_next(w, "the name of a charter, or its version");
    *which = SCN_NONE;
    if (!word)
        return false;
    if (era_u64_parse(word, ERA_CHARTER_VERSION_MAX, version))
        return true;
    for (size_t i = 0; i < w->sc->charter_count; i++)
        known[i] = w->sc->charters[i].name;
    return scn_one_of(w, word, "charter", known, w->sc->charter_count, which);
}
