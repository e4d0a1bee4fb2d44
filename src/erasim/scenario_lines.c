/* The lines that say what happens and what must come of it: at …, expect … */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/fraction.h"
#include "src/base/nearest.h"
#include "src/base/semver.h"
#include "src/base/verdict.h"
#include "src/erasim/scenario_parts.h"

#define SHOWN_BYTES 96

#define NODE_WORDS 9
static const char *const node_words[NODE_WORDS] = {"gate", "era",    "version",  "head",  "up",
                                                   "down", "locked", "unlocked", "counts"};
const char *const scn_step_words[SCN_STEPS] = {"held", "approved", "adopted", "failed", "armed"};

static bool version(struct scn_words *w, char *out)
{
    char shown[SHOWN_BYTES];
    return scn_text(w, "a version", out, ERA_VERSION_BYTES_MAX + 1) &&
           (era_semver_valid(out) || scn_fail(w, "write it like 1.2.3", "this is no version: %s",
                                              era_text_escape(out, shown, sizeof shown)));
}

/* ---- proposes NAME CLASS [VERSION] … ---- */

static bool draft_class(struct scn_words *w, struct scn_draft *d)
{
    static const char *const known[] = {"soft", "breaking", "override", "announced", "nothing"};
    static const enum era_class classes[] = {ERA_CLASS_SOFT, ERA_CLASS_BREAKING, ERA_CLASS_OVERRIDE,
                                             ERA_CLASS_BREAKING, ERA_CLASS_SOFT};
    size_t which;
    const char *word = scn_next(w, "soft, breaking, override, announced or nothing");
    if (!word || !scn_one_of(w, word, "class of a release", known, 5, &which))
        return false;
    d->class = classes[which];
    d->change = which == 4 ? SCN_CHANGE_NONE : which == 3 ? SCN_CHANGE_ANNOUNCED : SCN_CHANGE_DATED;
    return d->change == SCN_CHANGE_NONE || version(w, d->version);
}

static bool component(struct scn_words *w, char *out, size_t size)
{
    const struct era_charter *c = w->sc->charter;
    const char *known[ERA_COMPONENTS_MAX];
    size_t which;
    for (size_t i = 0; i < c->component_count; i++)
        known[i] = c->components[i].id;
    if (!scn_text(w, "a component", out, size))
        return false;
    return scn_one_of(w, out, "component", known, c->component_count, &which);
}

static bool draft_option(struct scn_words *w, struct scn_draft *d, size_t which)
{
    char shown[SHOWN_BYTES];
    switch (which) {
    case 0:
        return scn_number(w, ERA_EPOCH_MAX, "an epoch", &d->effective);
    case 1:
        return component(w, d->component, sizeof d->component);
    case 2:
        return scn_number(w, ERA_SEQ_MAX, "a seq", &d->seq);
    case 3:
        d->on_initial = scn_skip(w, "initial");
        return d->on_initial || scn_proposal(w, &d->on);
    case 4:
        return scn_proposals(w, &d->drops);
    case 5:
        return scn_proposals(w, &d->keeps);
    case 6:
        d->urgent = true;
        return true;
    case 7:
        d->has_needs = true;
        if (scn_skip(w, "anything")) {
            d->needs[0] = '\0';
            return true;
        }
        return scn_text(w, "a range", d->needs, sizeof d->needs) &&
               (era_range_valid(d->needs) || scn_fail(w, "write it like >=2.0.0", "this is no range: %s",
                                                      era_text_escape(d->needs, shown, sizeof shown)));
    case 8:
        return scn_number(w, ERA_EPOCH_MAX, "an epoch", &d->expires);
    default:
        d->has_under = true;
        return scn_number(w, ERA_CHARTER_VERSION_MAX, "the version of a charter", &d->under);
    }
}

/* Words that may follow every statement: to NODE, withheld as LABEL, refused [CODE]. */
static bool tail_word(struct scn_words *w, struct scn_act *a, bool *found)
{
    struct scenario *sc = w->sc;
    *found = true;
    if (scn_skip(w, "to"))
        return scn_nodes(w, &a->to);
    if (scn_skip(w, "withheld")) {
        if (!scn_skip(w, "as"))
            return scn_fail(w, "write: withheld as NAME", "what is withheld needs a name");
        if (sc->label_count == SCN_LABELS_MAX || a->who.count > 1)
            return scn_fail(w, "write a line for each", "one person withholds one thing");
        if (!scn_new_name(w, "a name", sc->labels[sc->label_count].name))
            return false;
        a->label = sc->label_count++;
        return true;
    }
    if (scn_skip(w, "refused")) {
        a->refused = true;
        return w->at == w->count || scn_text(w, "a verdict", a->text, sizeof a->text);
    }
    *found = false;
    return true;
}

static bool tail(struct scn_words *w, struct scn_act *a)
{
    bool found = true;
    while (w->at < w->count && found)
        if (!tail_word(w, a, &found))
            return false;
    return true;
}

/* charter C …: who proposes, approves, accepts or closes it. */
static bool next_charter(struct scn_words *w, struct scn_act *a, enum scn_act_kind kind)
{
    uint64_t version;
    a->kind = kind;
    if (!scn_charter_word(w, &a->charter, &version))
        return false;
    if (a->charter == SCN_NONE)
        return scn_fail(w, "name it as in its line `next charter NAME`", "which charter is that?");
    if (kind == SCN_NEXT_CLOSE && scn_skip(w, "last")) {
        a->has_last = true;
        if (!scn_number(w, ERA_EPOCH_MAX, "an epoch", &a->epoch))
            return false;
    }
    if (kind == SCN_NEXT_CLOSE && scn_skip(w, "naming") && !scn_proposals(w, &a->named))
        return false;
    return tail(w, a);
}

static bool accept_or_close(struct scn_words *w, struct scn_act *a)
{
    return scn_skip(w, "charter") ? next_charter(w, a, a->kind)
                                  : scn_fail(w, "write: accepts charter C, closes charter C", "what?");
}

static bool propose(struct scn_words *w, struct scn_act *a)
{
    if (scn_skip(w, "charter"))
        return next_charter(w, a, SCN_NEXT_PROPOSE);
    static const char *const known[] = {"at",    "of",      "seq",   "on", "drops",    "keeps",  "urgent",
                                        "needs", "expires", "under", "to", "withheld", "refused"};
    struct scenario *sc = w->sc;
    char name[ERA_NAME_BYTES_MAX + 1];
    struct scn_draft *d = a->draft = calloc(1, sizeof *d);
    if (!d || sc->proposal_count == SCN_PROPOSALS_MAX)
        return scn_fail(w, "a scenario is small", "more than %d proposals", SCN_PROPOSALS_MAX);
    *d = (struct scn_draft){.component = "network", .on = SCN_NONE, .expires = ERA_EPOCH_MAX};
    if (!scn_new_name(w, "the name of the proposal", name) || !draft_class(w, d))
        return false;
    while (w->at < w->count) {
        bool found;
        size_t which;
        if (!tail_word(w, a, &found))
            return false;
        if (!found && (!scn_one_of(w, scn_next(w, "a word"), "word here", known,
                                   sizeof known / sizeof known[0], &which) ||
                       !draft_option(w, d, which)))
            return false;
    }
    if (d->change == SCN_CHANGE_DATED && d->effective == 0)
        return scn_fail(w, "write: at EPOCH", "a release needs the epoch at which it begins");
    a->proposal = sc->proposal_count++;
    memcpy(sc->proposals[a->proposal].name, name, sizeof name);
    memset(sc->proposals[a->proposal].step_ms, 0xff, sizeof sc->proposals[0].step_ms);
    return true;
}

/* ---- what else people do ---- */

static bool about(struct scn_words *w, struct scn_act *a)
{
    return scn_proposal(w, &a->proposal) && tail(w, a);
}

static bool approve(struct scn_words *w, struct scn_act *a)
{
    return scn_skip(w, "charter") ? next_charter(w, a, SCN_NEXT_APPROVE) : about(w, a);
}

static bool attest(struct scn_words *w, struct scn_act *a)
{
    if (!scn_proposal(w, &a->proposal))
        return false;
    a->never = scn_skip(w, "differing");
    return tail(w, a);
}

static bool announce(struct scn_words *w, struct scn_act *a)
{
    if (!scn_number(w, ERA_EPOCH_MAX - 1, "an epoch", &a->epoch))
        return false;
    a->lease = scn_skip(w, "lease");
    a->blocked = scn_skip(w, "blocked");
    return (!scn_skip(w, "for") || scn_proposal(w, &a->proposal)) && tail(w, a);
}

static bool checkpoint(struct scn_words *w, struct scn_act *a)
{
    if (!component(w, a->component, sizeof a->component))
        return false;
    a->never = scn_skip(w, "differing");
    return tail(w, a);
}

static bool install(struct scn_words *w, struct scn_act *a)
{
    return version(w, a->text);
}

static bool emit(struct scn_words *w, struct scn_act *a)
{
    return tail(w, a);
}

static bool unlock(struct scn_words *w, struct scn_act *a)
{
    return scn_nodes(w, &a->who) && tail(w, a);
}

static bool deliver(struct scn_words *w, struct scn_act *a)
{
    const char *known[SCN_LABELS_MAX], *word = scn_next(w, "what was withheld");
    for (size_t i = 0; i < w->sc->label_count; i++)
        known[i] = w->sc->labels[i].name;
    if (!word || !scn_one_of(w, word, "withheld statement", known, w->sc->label_count, &a->label))
        return false;
    if (!scn_skip(w, "to"))
        return scn_fail(w, "write: deliver NAME to NODE", "deliver needs whom it goes to");
    return scn_nodes(w, &a->to);
}

/* ---- the world ---- */

static bool cut(struct scn_words *w, struct scn_act *a)
{
    if (!scn_nodes(w, &a->who))
        return false;
    a->one_way = scn_skip(w, "to");
    return (!a->one_way && !scn_skip(w, "from")) || scn_nodes(w, &a->to);
}

static bool heal(struct scn_words *w, struct scn_act *a)
{
    if (w->at == w->count)
        return true;
    if (!scn_nodes(w, &a->who))
        return false;
    return scn_skip(w, "from") ? scn_nodes(w, &a->to)
                               : scn_fail(w, "write: heal A from B", "heal whom from whom?");
}

static bool nodes_only(struct scn_words *w, struct scn_act *a)
{
    return scn_nodes(w, &a->who);
}

/* "+500ms", "-2s" of skew; a drift in parts of a million. */
static bool signed_number(struct scn_words *w, int64_t unit_s, int64_t *out)
{
    const char *word = scn_next(w, "a number with its sign");
    char digits[24];
    uint64_t v;
    if (!word)
        return false;
    bool less = *word == '-';
    const char *from = word + (*word == '-' || *word == '+');
    size_t n = strspn(from, "0123456789");
    snprintf(digits, sizeof digits, "%.*s", (int)(n < 20 ? n : 20), from);
    bool seconds = strcmp(from + n, "s") == 0, plain = from[n] == '\0' || strcmp(from + n, "ms") == 0;
    if ((!seconds && !plain) || !era_u64_parse(digits, 1000000000000, &v))
        return scn_fail(w, "write it like +500ms or -2s", "this is no such number: %s", from);
    *out = (int64_t)v * (seconds ? unit_s : 1) * (less ? -1 : 1);
    return true;
}

static bool clock_act(struct scn_words *w, struct scn_act *a)
{
    static const char *const known[] = {"skew", "drift", "jump", "mend"};
    size_t which;
    const char *word;
    if (!scn_nodes(w, &a->who) || !(word = scn_next(w, "skew, drift, jump or mend")) ||
        !scn_one_of(w, word, "fault of a clock", known, 4, &which))
        return false;
    a->number = which;
    if (which < 2)
        return signed_number(w, 1000, &a->amount);
    return which == 3 || scn_number(w, SCN_EPOCHS_MAX, "the epoch it jumps to", &a->epoch);
}

static bool disk_act(struct scn_words *w, struct scn_act *a)
{
    static const char *const known[] = {"hold", "release", "slow", "fail", "full", "mend"};
    size_t which;
    const char *word;
    if (!scn_nodes(w, &a->who) || !(word = scn_next(w, "hold, release, slow, fail, full or mend")) ||
        !scn_one_of(w, word, "fault of a disk", known, 6, &which))
        return false;
    a->number = which;
    return which != 2 || signed_number(w, 1000, &a->amount);
}

/* ---- expectations ---- */

static bool see_gate(struct scn_words *w, struct scn_act *a)
{
    const char *known[ERA_GATE_STATES], *word = scn_next(w, "a state of the gate");
    size_t which;
    for (size_t i = 0; i < ERA_GATE_STATES; i++)
        known[i] = era_gate_name((enum era_gate_state)i);
    a->see = SCN_SEE_GATE;
    if (!word || !scn_one_of(w, word, "state of the gate", known, ERA_GATE_STATES, &which))
        return false;
    a->number = which;
    return true;
}

/* v1 counts charter 1 in 6 */
static bool see_counts(struct scn_words *w, struct scn_act *a)
{
    a->see = SCN_SEE_COUNTS;
    if (!scn_skip(w, "charter"))
        return scn_fail(w, "write: expect v1 counts charter 1 in 6", "which charter?");
    if (!scn_charter_word(w, &a->charter, &a->number))
        return false;
    if (!scn_skip(w, "in"))
        return scn_fail(w, "write: expect v1 counts charter 1 in 6", "in which epoch?");
    return scn_number(w, SCN_EPOCHS_MAX, "an epoch", &a->epoch);
}

static bool see_nodes(struct scn_words *w, struct scn_act *a)
{
    size_t which;
    const char *word;
    if (!scn_nodes(w, &a->who) || !(word = scn_next(w, "gate, era, version, head, counts, locked or up")) ||
        !scn_one_of(w, strcmp(word, "count") == 0 ? "counts" : word, "property of a node", node_words,
                    NODE_WORDS, &which))
        return false;
    switch (which) {
    case 0:
        return see_gate(w, a);
    case 1:
        a->see = SCN_SEE_ERA;
        return scn_number(w, ERA_EPOCH_MAX, "the number of an era", &a->number);
    case 2:
        a->see = SCN_SEE_VERSION;
        return version(w, a->text);
    case 3:
        a->see = SCN_SEE_HEAD;
        return scn_skip(w, "none") || scn_proposal(w, &a->proposal);
    case 4:
    case 5:
        a->see = SCN_SEE_UP;
        a->never = which == 5;
        return true;
    case 6:
    case 7:
        a->see = SCN_SEE_LOCKED;
        a->never = which == 7;
        return true;
    default:
        return see_counts(w, a);
    }
}

static bool on_nodes(struct scn_words *w, struct scn_act *a)
{
    for (a->who.count = 0; a->who.count < w->sc->node_count; a->who.count++)
        a->who.at[a->who.count] = a->who.count;
    return !scn_skip(w, "on") || scn_nodes(w, &a->who);
}

static bool see_proposal(struct scn_words *w, struct scn_act *a)
{
    size_t which;
    const char *word;
    a->see = SCN_SEE_PROPOSAL;
    a->by_ms = UINT64_MAX;
    if (!scn_proposal(w, &a->proposal))
        return false;
    a->never = scn_skip(w, "not");
    if (!(word = scn_next(w, "how far it came")) ||
        !scn_one_of(w, word, "step of a proposal", scn_step_words, SCN_STEPS, &which))
        return false;
    a->number = which;
    if (scn_skip(w, "by") && !scn_time(w, &a->by_ms))
        return false;
    return on_nodes(w, a);
}

static bool see_emitted(struct scn_words *w, struct scn_act *a)
{
    static const char *const known[] = {"eras", "events"};
    size_t which;
    const char *word = scn_next(w, "eras or events");
    if (!word || !scn_one_of(w, word, "thing emitted", known, 2, &which) ||
        !scn_number(w, SCN_EMITTED_MAX, "how many", &a->number))
        return false;
    a->see = which ? SCN_SEE_EVENTS : SCN_SEE_ERAS;
    if (!scn_skip(w, "in"))
        return scn_fail(w, "write: expect emitted eras 1 in 7", "in which epoch?");
    return scn_number(w, SCN_EPOCHS_MAX, "an epoch", &a->epoch);
}

static bool see_digests(struct scn_words *w, struct scn_act *a)
{
    static const char *const known[] = {"equal", "different"};
    size_t which;
    const char *word = scn_next(w, "equal or different");
    a->see = SCN_SEE_DIGESTS;
    if (!word || !scn_one_of(w, word, "word here", known, 2, &which))
        return false;
    a->never = which == 1;
    return true;
}

static bool see_evidence(struct scn_words *w, struct scn_act *a)
{
    struct scn_list keys;
    a->see = SCN_SEE_EVIDENCE;
    if (scn_skip(w, "none")) {
        a->never = true;
        return on_nodes(w, a);
    }
    if (!scn_skip(w, "against"))
        return scn_fail(w, "write: expect evidence against KEY", "evidence against whom?");
    if (!scn_keys(w, &keys))
        return false;
    a->other = keys.at[0];
    return on_nodes(w, a);
}

static bool see_break(struct scn_words *w, struct scn_act *a)
{
    a->see = SCN_SEE_BREAK;
    w->sc->break_expected = true;
    return scn_text(w, "the name of a rule", a->text, sizeof a->text);
}

static bool see_charter(struct scn_words *w, struct scn_act *a)
{
    a->see = SCN_SEE_CHARTER;
    if (!scn_charter_word(w, &a->charter, &a->number))
        return false;
    a->never = scn_skip(w, "not");
    return on_nodes(w, a);
}

/* checkpoint network 30 in 5 */
static bool see_checkpoint(struct scn_words *w, struct scn_act *a)
{
    a->see = SCN_SEE_CHECKPOINT;
    if (!component(w, a->component, sizeof a->component))
        return false;
    a->never = scn_skip(w, "differing");
    if (!scn_number(w, ERA_STAKE_SUM_MAX, "a stake", &a->number))
        return false;
    if (!scn_skip(w, "in"))
        return scn_fail(w, "write: expect checkpoint network 30 in 5", "in which epoch?");
    return scn_number(w, SCN_EPOCHS_MAX, "an epoch", &a->epoch) && on_nodes(w, a);
}

static bool expectation(struct scn_words *w, struct scn_act *a)
{
    a->kind = SCN_EXPECT;
    if (w->at < w->count && scn_proposal_named(w->sc, w->word[w->at]) != SCN_NONE)
        return see_proposal(w, a);
    if (scn_skip(w, "emitted"))
        return see_emitted(w, a);
    if (scn_skip(w, "digests"))
        return see_digests(w, a);
    if (scn_skip(w, "evidence"))
        return see_evidence(w, a);
    if (scn_skip(w, "charter"))
        return see_charter(w, a);
    if (scn_skip(w, "checkpoint"))
        return see_checkpoint(w, a);
    if (scn_skip(w, "break"))
        return see_break(w, a);
    return see_nodes(w, a);
}

/* ---- the table ---- */

struct verb {
    const char *name;
    enum scn_act_kind kind;
    bool (*read)(struct scn_words *w, struct scn_act *a);
};

/* After whoever does it. */
static const struct verb deeds[] = {
    {"proposes", SCN_PROPOSE, propose},
    {"approves", SCN_APPROVE, approve},
    {"rejects", SCN_REJECT, about},
    {"votes", SCN_VOTE, about},
    {"attests", SCN_ATTEST, attest},
    {"announces", SCN_ANNOUNCE, announce},
    {"installs", SCN_INSTALL, install},
    {"stages", SCN_STAGE, install},
    {"emits", SCN_EMIT, emit},
    {"accepts", SCN_NEXT_ACCEPT, accept_or_close},
    {"closes", SCN_NEXT_CLOSE, accept_or_close},
    {"checkpoints", SCN_CHECKPOINT, checkpoint},
};
/* First of the line. */
static const struct verb happenings[] = {
    {"deliver", SCN_DELIVER, deliver},  {"cut", SCN_CUT, cut},
    {"heal", SCN_HEAL, heal},           {"partition", SCN_PARTITION, nodes_only},
    {"start", SCN_START, nodes_only},   {"crash", SCN_CRASH, nodes_only},
    {"power", SCN_POWER, nodes_only},   {"torn", SCN_TORN, nodes_only},
    {"backup", SCN_BACKUP, nodes_only}, {"restore", SCN_RESTORE, nodes_only},
    {"clock", SCN_CLOCK, clock_act},    {"disk", SCN_DISK, disk_act},
    {"unlock", SCN_UNLOCK, unlock},     {"expect", SCN_EXPECT, expectation},
};
#define DEEDS      (sizeof deeds / sizeof deeds[0])
#define HAPPENINGS (sizeof happenings / sizeof happenings[0])

static const struct verb *verb_of(const struct verb *table, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(table[i].name);
        if (strcmp(table[i].name, word) == 0 || /* "s1,s2 approve P" */
            (table == deeds && strncmp(table[i].name, word, n - 1) == 0 && word[n - 1] == '\0'))
            return &table[i];
    }
    return NULL;
}

/* Nodes emit and install; signers and validators do the rest. */
static bool doer(struct scn_words *w, const struct verb *v, struct scn_act *a)
{
    bool node = v->kind == SCN_INSTALL || v->kind == SCN_STAGE || v->kind == SCN_EMIT ||
                v->kind == SCN_ATTEST || v->kind == SCN_CHECKPOINT;
    bool ok = node ? scn_nodes(w, &a->who) : scn_keys(w, &a->who);
    w->at++; /* the verb */
    return ok;
}

static bool unknown(struct scn_words *w)
{
    char shown[SHOWN_BYTES], cure[ERA_NEAREST_CURE_BYTES];
    const char *first = w->word[w->at], *second = w->at + 1 < w->count ? w->word[w->at + 1] : NULL;
    bool who = second && (scn_key_named(w->sc, first) != SCN_NONE ||
                          scn_node_named(w->sc, first) != SCN_NONE || strchr(first, ','));
    struct era_nearest near = {.word = who ? second : first};
    for (size_t i = 0; i < (who ? DEEDS : HAPPENINGS); i++)
        era_nearest_try(&near, who ? deeds[i].name : happenings[i].name);
    return scn_fail(w, era_nearest_cure(&near, "see SCENARIOS in erasim(1)", cure),
                    "nothing is known that is called %s", era_text_escape(near.word, shown, sizeof shown));
}

static struct scn_act *new_act(struct scn_words *w)
{
    struct scenario *sc = w->sc;
    if (sc->act_count == SCN_ACTS_MAX) {
        scn_fail(w, "a scenario is small", "more than %d acts and expectations", SCN_ACTS_MAX);
        return NULL;
    }
    struct scn_act *a = &sc->acts[sc->act_count++];
    *a = (struct scn_act){
        .line = w->line, .proposal = SCN_NONE, .other = SCN_NONE, .label = SCN_NONE, .charter = SCN_NONE};
    return a;
}

bool scn_act_line(struct scn_words *w)
{
    struct scenario *sc = w->sc;
    struct scn_act *a = new_act(w);
    const struct verb *v;
    if (!a || !scn_time(w, &a->at_ms))
        return false;
    for (size_t i = 0; i + 1 < sc->act_count; i++)
        if (sc->acts[i].at_ms > a->at_ms && sc->acts[i].at_ms != UINT64_MAX)
            return scn_fail(w, "put the lines in order of time", "line %u happens later", sc->acts[i].line);
    if (w->at == w->count)
        return scn_fail(w, "write: at TIME WHO DOES WHAT", "what happens then?");
    if ((v = verb_of(happenings, HAPPENINGS, w->word[w->at]))) {
        w->at++;
    } else if (w->at + 1 == w->count || !(v = verb_of(deeds, DEEDS, w->word[w->at + 1]))) {
        return unknown(w);
    } else if (!doer(w, v, a))
        return false;
    a->kind = v->kind; /* may become that of a charter's word */
    return v->read(w, a) && scn_end(w);
}

bool scn_expect_line(struct scn_words *w)
{
    struct scn_act *a = new_act(w);
    if (!a)
        return false;
    a->at_ms = UINT64_MAX; /* at the end */
    return expectation(w, a) && scn_end(w);
}
