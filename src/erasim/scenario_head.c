/* The lines that say who is there: validators, component, charter, node, … */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/fraction.h"
#include "src/base/semver.h"
#include "src/base/verdict.h"
#include "src/core/charter.h"
#include "src/erasim/scenario_parts.h"

#define SHOWN_BYTES 96

static bool name_ok(struct scn_words *w, const char *name)
{
    char shown[SHOWN_BYTES];
    era_text_escape(name, shown, sizeof shown);
    if (!era_name_valid(name) || strcmp(name, "all") == 0)
        return scn_fail(w, "use a-z, 0-9, '-', '_' and '.'", "this is no name: %s", shown);
    return true;
}

bool scn_key_of(struct scn_words *w, const char *name, size_t *out)
{
    struct scenario *sc = w->sc;
    size_t i = scn_key_named(sc, name);
    if (i == SCN_NONE) {
        if (sc->key_count == SCN_KEYS_MAX)
            return scn_fail(w, "a scenario is small", "more than %d keys", SCN_KEYS_MAX);
        if (!name_ok(w, name))
            return false;
        i = sc->key_count++;
        era_text_set(sc->keys[i].name, sizeof sc->keys[i].name, name);
    }
    *out = i;
    return true;
}

/* ---- validators v1:10 v2:10 ---- */

static bool validators_line(struct scn_words *w)
{
    struct era_charter *c = w->sc->charter;
    while (w->at < w->count) {
        size_t key;
        char *name = w->word[w->at++], *colon = strchr(name, ':');
        uint64_t stake = 10;
        if (colon)
            *colon = '\0';
        if (colon && !era_u64_parse(colon + 1, ERA_STAKE_SUM_MAX, &stake))
            return scn_fail(w, "write NAME:STAKE", "the stake of %s is no number", name);
        if (c->validator_count == SCN_KEYS_MAX)
            return scn_fail(w, "a scenario is small", "more than %d validators", SCN_KEYS_MAX);
        if (!scn_key_of(w, name, &key))
            return false;
        struct era_validator *v = &c->validators[c->validator_count++];
        era_text_set(v->name, sizeof v->name, name);
        v->stake = stake;
    }
    return true;
}

/* ---- NAME=VALUE ---- */

bool scn_pair(struct scn_words *w, char **name, char **value)
{
    *name = w->word[w->at++];
    *value = strchr(*name, '=');
    if (!*value)
        return scn_fail(w, "write NAME=VALUE", "there is no value for %s", *name);
    *(*value)++ = '\0';
    return true;
}

static bool u64(struct scn_words *w, const char *name, const char *value, uint64_t max, uint64_t *out)
{
    return era_u64_parse(value, max, out) ||
           scn_fail(w, "write digits only", "%s is no number it may be", name);
}

static bool u32(struct scn_words *w, const char *name, const char *value, uint32_t *out)
{
    uint64_t v;
    if (!u64(w, name, value, ERA_SIGNERS_MAX, &v))
        return false;
    *out = (uint32_t)v;
    return true;
}

static bool fraction(struct scn_words *w, const char *name, const char *value, struct era_fraction *out)
{
    return era_fraction_parse(value, &out->numerator, &out->denominator) ||
           scn_fail(w, "write it like 2/3", "%s is no fraction", name);
}

static bool signers(struct scn_words *w, char *value, struct era_component *p)
{
    char *rest = NULL;
    size_t key;
    for (char *name = strtok_r(value, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        if (p->signer_count == ERA_SIGNERS_MAX)
            return scn_fail(w, "name fewer", "more than %d signers", ERA_SIGNERS_MAX);
        if (!scn_key_of(w, name, &key))
            return false;
        era_text_set(p->signers[p->signer_count].name, sizeof p->signers[0].name, name);
        p->signer_count++;
    }
    return true;
}

static bool text_option(struct scn_words *w, const char *name, const char *value, char *out, size_t size)
{
    return era_text_set(out, size, value) || scn_fail(w, "make it shorter", "%s is too long", name);
}

static bool component_option(struct scn_words *w, struct era_component *p, size_t which, char *name,
                             char *value)
{
    struct era_record *r = &p->initial;
    switch (which) {
    case 0:
        return u32(w, name, value, &p->k) && (p->urgent_k = p->k, true);
    case 1:
        return u32(w, name, value, &p->urgent_k);
    case 2:
        return signers(w, value, p);
    case 3:
        return u64(w, name, value, ERA_EPOCH_MAX, &p->notice_epochs);
    case 4:
        return u64(w, name, value, ERA_EPOCH_MAX, &p->urgent_notice_epochs);
    case 5:
        return fraction(w, name, value, &p->enough);
    case 6:
        return fraction(w, name, value, &p->rebuild_quorum);
    case 7:
        return text_option(w, name, value, r->version, sizeof r->version);
    case 8:
        return text_option(w, name, value, r->requires.v[ERA_VERSION_SOFTWARE], sizeof r->requires.v[0]);
    default:
        r->artefact_count = 1;
        era_text_set(r->artefacts[0].digest, sizeof r->artefacts[0].digest, "sha256:");
        era_hex((const uint8_t[ERA_HASH_BYTES]){0}, ERA_HASH_BYTES,
                r->artefacts[0].digest + strlen("sha256:"));
        return text_option(w, name, value, r->artefacts[0].name, sizeof r->artefacts[0].name);
    }
}

static bool component_line(struct scn_words *w)
{
    static const char *const known[] = {"k",      "urgent_k", "signers", "notice", "urgent_notice",
                                        "enough", "rebuild",  "version", "needs",  "artefact"};
    struct era_charter *c = w->sc->charter;
    if (c->component_count == ERA_COMPONENTS_MAX)
        return scn_fail(w, "name fewer", "more than %d components", ERA_COMPONENTS_MAX);
    struct era_component *p = &c->components[c->component_count++];
    *p = (struct era_component){.k = 1,
                                .urgent_k = 1,
                                .notice_epochs = 2,
                                .urgent_notice_epochs = 1,
                                .enough = {2, 3},
                                .rebuild_quorum = {0, 1},
                                .initial = {.version = "1.0.0", .era = 1, .era_name = "era-1"}};
    if (!scn_text(w, "the name of a component", p->id, sizeof p->id) || !name_ok(w, p->id))
        return false;
    era_text_set(p->initial.component, sizeof p->initial.component, p->id);
    while (w->at < w->count) {
        char *name, *value;
        size_t which;
        if (!scn_pair(w, &name, &value) ||
            !scn_one_of(w, name, "option of a component", known, sizeof known / sizeof known[0], &which) ||
            !component_option(w, p, which, name, value))
            return false;
    }
    return true;
}

/* ---- charter strict=on epoch=10s events=10 ---- */

static bool duration(struct scn_words *w, const char *name, const char *value, uint64_t *ms)
{
    char number[24];
    size_t n = strspn(value, "0123456789");
    uint64_t v, unit = strcmp(value + n, "s") == 0 ? 1000 : strcmp(value + n, "ms") == 0 ? 1 : 0;
    if (n >= sizeof number || unit == 0)
        return scn_fail(w, "write it like 10s or 500ms", "%s is no duration", name);
    snprintf(number, sizeof number, "%.*s", (int)n, value);
    if (!era_u64_parse(number, 1000000, &v) || v == 0)
        return scn_fail(w, "write it like 10s or 500ms", "%s is no duration", name);
    *ms = v * unit;
    return true;
}

static bool charter_line(struct scn_words *w)
{
    static const char *const known[] = {"strict", "epoch", "events", "tolerance"};
    static const char *const on_off[] = {"off", "on"};
    struct scenario *sc = w->sc;
    if (sc->act_count > 0)
        return scn_fail(w, "move it up", "the charter stands before whatever happens");
    while (w->at < w->count) {
        char *name, *value;
        size_t which, on;
        uint64_t n;
        if (!scn_pair(w, &name, &value) || !scn_one_of(w, name, "option of a charter", known, 4, &which))
            return false;
        if (which == 0) {
            if (!scn_one_of(w, value, "choice", on_off, 2, &on))
                return false;
            sc->charter->strict_emission = sc->plan.strict = on == 1;
        } else if (which == 1) {
            if (!duration(w, name, value, &sc->plan.epoch_ms))
                return false;
        } else if (which == 2) {
            if (!u64(w, name, value, ERA_EVENTS_PER_EPOCH_MAX, &n))
                return false;
            sc->charter->events_per_epoch = (uint32_t)n;
        } else if (!u64(w, name, value, ERA_EPOCH_MAX, &sc->charter->clock.tolerance_epochs)) {
            return false;
        } else if (sc->charter->clock.tolerance_epochs == 0) {
            return scn_fail(w, "write 1 or more",
                            "a tolerance of 0 puts every clock in doubt where epochs meet");
        }
    }
    return true;
}

/* ---- node v1 v2 runs 1.0.0 votes all ---- */

static bool version(struct scn_words *w, char *out)
{
    char shown[SHOWN_BYTES];
    return scn_text(w, "a version", out, ERA_VERSION_BYTES_MAX + 1) &&
           (era_semver_valid(out) || scn_fail(w, "write it like 1.2.3", "this is no version: %s",
                                              era_text_escape(out, shown, sizeof shown)));
}

static bool votes(struct scn_words *w, bool out[4])
{
    static const char *const known[] = {"announced", "dropped", "soft", "breaking", "all", "none"};
    char *rest = NULL;
    size_t which;
    if (!scn_next(w, "what it votes for"))
        return false;
    for (char *word = strtok_r(w->word[w->at - 1], ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        if (!scn_one_of(w, word, "kind of vote", known, 6, &which))
            return false;
        for (size_t i = 0; i < 4; i++)
            out[i] = which == 4 || (which != 5 && (out[i] || i == which));
    }
    return true;
}

static bool node_options(struct scn_words *w, struct scn_node *n, bool *keyed)
{
    static const char *const known[] = {"key", "runs", "staged", "votes", "dials", "down", "charters"};
    static const char *const who[] = {"asked", "auto"};
    size_t which, chosen;
    while (w->at < w->count) {
        if (!scn_one_of(w, scn_next(w, "an option"), "option of a node", known, 7, &which))
            return false;
        if (which == 0) {
            *keyed = true;
            if (!scn_next(w, "a key") || !scn_key_of(w, w->word[w->at - 1], &n->key))
                return false;
        } else if (which == 1) {
            if (!version(w, n->runs))
                return false;
        } else if (which == 2) {
            if (!version(w, n->staged))
                return false;
        } else if (which == 3) {
            if (!votes(w, n->votes))
                return false;
        } else if (which == 4) {
            n->has_anchors = true;
            if (!scn_nodes(w, &n->anchors))
                return false;
        } else if (which == 6) {
            if (!scn_one_of(w, scn_next(w, "auto or asked"), "way with charters", who, 2, &chosen))
                return false;
            n->auto_charter = chosen == 1;
        } else
            n->down = true;
    }
    return true;
}

/* The names come first; then what holds for each of them. */
static bool node_line(struct scn_words *w)
{
    static const char *const stop[] = {"key", "runs", "staged", "votes", "dials", "down", "charters"};
    struct scenario *sc = w->sc;
    size_t first = sc->node_count;
    struct scn_node like = {.key = SCN_NONE, .runs = "1.0.0"};
    bool keyed = false, options = false;
    for (; w->at < w->count && !options; w->at += !options) {
        const char *name = w->word[w->at];
        for (size_t i = 0; i < sizeof stop / sizeof stop[0]; i++)
            options = options || strcmp(stop[i], name) == 0;
        if (options)
            break;
        if (sc->node_count == SCN_NODES_MAX)
            return scn_fail(w, "a scenario is small", "more than %d nodes", SCN_NODES_MAX);
        if (!name_ok(w, name))
            return false;
        if (scn_node_named(sc, name) != SCN_NONE)
            return scn_fail(w, "give it another name", "there is a node %s already", name);
        era_text_set(sc->nodes[sc->node_count++].name, sizeof sc->nodes[0].name, name);
    }
    if (sc->node_count == first)
        return scn_fail(w, "write node NAME", "a node has a name");
    if (!node_options(w, &like, &keyed))
        return false;
    if (keyed && sc->node_count - first > 1)
        return scn_fail(w, "write a line for each", "two nodes with one key");
    for (size_t i = first; i < sc->node_count; i++) {
        struct scn_node n = like;
        memcpy(n.name, sc->nodes[i].name, sizeof n.name);
        sc->nodes[i] = n;
    }
    return true;
}

/* ---- faulty, seed, until, unbounded, quiet ---- */

static bool faulty_line(struct scn_words *w)
{
    struct scn_list keys;
    while (w->at < w->count) {
        if (!scn_keys(w, &keys))
            return false;
        for (size_t i = 0; i < keys.count; i++)
            w->sc->keys[keys.at[i]].faulty = true;
    }
    return true;
}

static bool seed_line(struct scn_words *w)
{
    return scn_number(w, UINT64_MAX - 1, "a seed", &w->sc->plan.seed);
}

static bool until_line(struct scn_words *w)
{
    return scn_time(w, &w->sc->end_ms);
}

static bool unbounded_line(struct scn_words *w)
{
    w->sc->plan.bounded = false;
    return true;
}

static bool quiet_line(struct scn_words *w)
{
    w->sc->quiet = true;
    return scn_number(w, SCN_EPOCHS_MAX, "a number of epochs", &w->sc->plan.quiet_epochs);
}

const char *const scn_head_words[] = {"validators", "component", "charter",   "node",  "faulty",
                                      "seed",       "until",     "unbounded", "quiet", "next"};
static bool (*const head_lines[])(struct scn_words *w) = {
    validators_line, component_line, charter_line,   node_line,  faulty_line,
    seed_line,       until_line,     unbounded_line, quiet_line, scn_next_line};

size_t scn_head_word_count(void)
{
    return sizeof scn_head_words / sizeof scn_head_words[0];
}

bool scn_head_line(struct scn_words *w, bool *known)
{
    *known = false;
    for (size_t i = 0; i < scn_head_word_count(); i++)
        if (scn_skip(w, scn_head_words[i])) {
            *known = true;
            return head_lines[i](w) && scn_end(w);
        }
    return true;
}

/* ---- the charter, once every line was read ---- */

static int by_key(const void *a, const void *b)
{
    return memcmp(((const struct era_named_key *)a)->key.b, ((const struct era_named_key *)b)->key.b,
                  ERA_KEY_BYTES);
}

static int validator_by_key(const void *a, const void *b)
{
    return memcmp(((const struct era_validator *)a)->key.b, ((const struct era_validator *)b)->key.b,
                  ERA_KEY_BYTES);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct era_component *)a)->id, ((const struct era_component *)b)->id);
}

const struct era_key *scn_public_of(const struct scenario *sc, size_t key)
{
    return &sc->keys[key].key->secret.key;
}

static const struct era_key *public_of(const struct scenario *sc, const char *name)
{
    return scn_public_of(sc, scn_key_named(sc, name));
}

bool scn_charter_check(struct era_charter *c, const char *where, struct era_error *err)
{
    struct era_charter_finding first;
    char text[ERA_ERROR_TEXT_BYTES];
    qsort(c->validators, c->validator_count, sizeof *c->validators, validator_by_key);
    for (size_t i = 0; i < c->component_count; i++)
        qsort(c->components[i].signers, c->components[i].signer_count, sizeof c->components[i].signers[0],
              by_key);
    qsort(c->components, c->component_count, sizeof *c->components, by_id);
    era_charter_seal(c);
    if (era_charter_check(c, &first, 1) > 0 && first.error) {
        snprintf(text, sizeof text, "%s: %s", first.where, first.text);
        return era_error_set(err, ERA_EXIT_DATA, where, first.cure, "the charter is not sound: %s", text);
    }
    return true;
}

bool scn_head_end(struct scenario *sc, struct era_error *err)
{
    struct era_charter *c = sc->charter;
    era_text_set(c->name, sizeof c->name, "scenario");
    c->clock.kind = ERA_CLOCK_WALL;
    c->clock.genesis_ms = SCN_GENESIS_MS;
    c->clock.epoch_ms = sc->plan.epoch_ms;
    c->overrides = true;
    for (size_t i = 0; i < c->validator_count; i++)
        c->validators[i].key = *public_of(sc, c->validators[i].name);
    for (size_t i = 0; i < c->component_count; i++) {
        struct era_component *p = &c->components[i];
        for (size_t j = 0; j < p->signer_count; j++)
            p->signers[j].key = *public_of(sc, p->signers[j].name);
    }
    return scn_charter_check(c, sc->path, err);
}
