#include "src/core/charter.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/semver.h"
#include "src/base/textkey.h"

/* ---- what the rules read ---- */

uint64_t era_charter_stake_sum(const struct era_charter *c)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < c->validator_count; i++)
        sum = era_add_sat(sum, c->validators[i].stake);
    return sum;
}

uint64_t era_charter_quorum(const struct era_charter *c)
{
    uint64_t w = era_charter_stake_sum(c);

    /* floor(2W/3) = W - ceil(W/3): no product, so nothing overflows (I15). */
    return w - (w / 3 + (w % 3 != 0)) + 1;
}

int era_charter_validator_index(const struct era_charter *c, const struct era_key *key)
{
    size_t lo = 0, hi = c->validator_count;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = memcmp(c->validators[mid].key.b, key->b, ERA_KEY_BYTES);

        if (order == 0)
            return (int)mid;
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return -1;
}

static int named_key_index(const struct era_named_key *keys, size_t n, const struct era_key *key)
{
    for (size_t i = 0; i < n; i++) {
        if (era_key_eq(&keys[i].key, key))
            return (int)i;
    }
    return -1;
}

int era_charter_signer_index(const struct era_component *component, const struct era_key *key)
{
    return named_key_index(component->signers, component->signer_count, key);
}

int era_charter_emitter_index(const struct era_charter *c, const struct era_key *key)
{
    return named_key_index(c->emitters, c->emitter_count, key);
}

const struct era_component *era_charter_component(const struct era_charter *c, const char *id)
{
    for (size_t i = 0; i < c->component_count; i++) {
        if (strcmp(c->components[i].id, id) == 0)
            return &c->components[i];
    }
    return NULL;
}

uint64_t era_charter_capacity(const struct era_charter *c, uint64_t artefacts)
{
    uint64_t a_slot = 0;

    for (size_t i = 0; i < c->component_count; i++) {
        uint64_t signers = c->components[i].signer_count;
        uint64_t a_validator = era_add_sat(1, artefacts);

        /* Approvals; proposals of its own and those that a signer approves; rejects. */
        a_slot = era_add_sat(a_slot, signers * (3 * ERA_IDS_PER_PLACE_MAX + 2 * signers));
        a_slot = era_add_sat(a_slot, era_mul_sat(c->validator_count, a_validator * ERA_IDS_PER_PLACE_MAX));
    }
    return era_mul_sat(a_slot, ERA_LEDGER_WINDOW_SEQS);
}

bool era_name_valid(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");

    return n >= 1 && n <= ERA_NAME_BYTES_MAX && name[n] == '\0';
}

/* 43 characters and one '='. 256 bits fill 42 characters and 4 bits of the
 * 43rd, whose other two bits are zero: any other last character would be a
 * second spelling of the same hash. */
static bool base64_hash_valid(const char *text)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    return strlen(text) == 44 && strspn(text, alphabet) == 43 && strchr("AEIMQUYcgkosw048", text[42]) &&
           text[43] == '=';
}

bool era_digest_valid(const char *digest)
{
    if (strncmp(digest, "h1:", 3) == 0 || strncmp(digest, "m1:", 3) == 0)
        return base64_hash_valid(digest + 3);
    if (strncmp(digest, "sha256:", 7) == 0)
        return strlen(digest + 7) == 64 && strspn(digest + 7, "0123456789abcdef") == 64;
    return false;
}

/* ---- the check ---- */

struct report {
    const struct era_charter *c;
    struct era_charter_finding *out;
    size_t cap, n;
    char where[96]; /* what is being looked at */
};

static void look_at(struct report *r, const char *what, const char *name)
{
    snprintf(r->where, sizeof r->where, "%s%s%.*s", what, *name ? " " : "", ERA_NAME_BYTES_MAX, name);
}

static void find(struct report *r, bool error, const char *cure, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void find(struct report *r, bool error, const char *cure, const char *format, ...)
{
    struct era_charter_finding *f;
    va_list args;

    if (r->n == r->cap)
        return;
    f = &r->out[r->n++];
    f->error = error;
    snprintf(f->cure, sizeof f->cure, "%s", cure);
    snprintf(f->where, sizeof f->where, "%s", r->where);
    va_start(args, format);
    vsnprintf(f->text, sizeof f->text, format, args);
    va_end(args);
}

#define WRONG(r, cure, ...)  find((r), true, (cure), __VA_ARGS__)
#define ADVICE(r, cure, ...) find((r), false, (cure), __VA_ARGS__)

#define NAME_CURE "use 1 to 64 of a-z, 0-9, dot, underscore and hyphen"
#define KEY_CURE  "make a key with `eractl keygen` and name its erapub1... text"

static void check_name(struct report *r, const char *kind, const char *name)
{
    if (!era_name_valid(name))
        WRONG(r, NAME_CURE, "the %s name `%.64s` is not a name", kind, name);
}

static int name_cmp(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of one list, `stride` bytes apart; each may stand once. */
static void check_names(struct report *r, const char *kind, const void *first, size_t stride, size_t n)
{
    const char **names;

    if (n == 0)
        return;
    names = malloc(n * sizeof *names);
    assert(names);
    for (size_t i = 0; i < n; i++) {
        names[i] = (const char *)first + i * stride;
        check_name(r, kind, names[i]);
    }
    qsort(names, n, sizeof *names, name_cmp);
    for (size_t i = 1; i < n; i++) {
        if (strcmp(names[i - 1], names[i]) == 0)
            WRONG(r, "give each its own name", "two %ss are named `%.64s`", kind, names[i]);
    }
    free(names);
}

static void check_key(struct report *r, const char *kind, const char *name, const struct era_key *key,
                      const struct era_key *before)
{
    if (!era_key_is_sound(key))
        WRONG(r, KEY_CURE, "the key of %s `%.64s` is of small order or not on the curve", kind, name);
    if (before && memcmp(before->b, key->b, ERA_KEY_BYTES) >= 0)
        WRONG(r, "name every key once", "the key of %s `%.64s` is named twice: one key would count twice",
              kind, name);
}

static void check_named_keys(struct report *r, const char *kind, const struct era_named_key *keys, size_t n)
{
    check_names(r, kind, keys, sizeof *keys, n);
    for (size_t i = 0; i < n; i++)
        check_key(r, kind, keys[i].name, &keys[i].key, i ? &keys[i - 1].key : NULL);
}

/* The bounds of what it follows: every component there has one, which only its parent can tell. */
static void check_carried(struct report *r)
{
    const struct era_charter *c = r->c;

    if (c->version > 0 && c->carried_count == 0)
        WRONG(r, "name every component of the charter before, with its highest approved seq + 2^20",
              "`carried` is empty: every slot of the charter before would lose its effect (R10)");
    if (c->version == 0 && c->carried_count > 0)
        WRONG(r, "remove `carried`, or set `version`", "charter version 0 follows none and carries nothing");
    for (size_t i = 0; i < c->carried_count; i++) {
        check_name(r, "carried component", c->carried[i].component);
        if (i > 0 && strcmp(c->carried[i - 1].component, c->carried[i].component) >= 0)
            WRONG(r, "name every component once", "component `%.64s` is carried twice",
                  c->carried[i].component);
        if (c->carried[i].seq > ERA_SEQ_MAX)
            WRONG(r, "use a number of at most 2^53 - 1",
                  "the seq up to which `%.64s` is carried is out of range", c->carried[i].component);
    }
}

/* Its place in the chain (R10). */
static void check_chain(struct report *r)
{
    const struct era_charter *c = r->c;

    look_at(r, "network", "");
    if (c->version > ERA_CHARTER_VERSION_MAX)
        WRONG(r,
              "use the number after the charter that it follows; a chain that is full asks for a new genesis",
              "the version is above %d: a chain is kept and walked whole", ERA_CHARTER_VERSION_MAX);
    if (c->version > 0 && !c->has_parent)
        WRONG(r, "set `parent` to the hash of the charter that it follows",
              "version %" PRIu64 " names no parent, so nothing links it to its chain (R10)", c->version);
    if (c->version == 0 && c->has_parent)
        WRONG(r, "remove `parent`, or set `version`", "charter version 0 begins a chain and has no parent");
    if (c->version > 0 && c->effective == 0)
        WRONG(r, "set `effective` to an epoch that leaves time to sign and to close",
              "version %" PRIu64 " names no epoch from which it may count (R10)", c->version);
    if (c->version == 0 && c->effective > 0)
        WRONG(r, "remove `effective`, or set `version`", "charter version 0 counts from the beginning");
    if (c->effective > ERA_EPOCH_MAX)
        WRONG(r, "use a number of at most 2^53 - 1", "the effective epoch is out of range");
    check_carried(r);
}

static void check_network(struct report *r)
{
    const struct era_charter *c = r->c;

    look_at(r, "network", "");
    check_name(r, "network", c->name);
    if (c->clock.kind != ERA_CLOCK_WALL && c->clock.kind != ERA_CLOCK_HEIGHT)
        WRONG(r, "set kind to \"wall\" or \"height\"", "the clock has no known kind");
    if (c->clock.epoch_ms == 0 || c->clock.epoch_ms > ERA_EPOCH_MAX)
        WRONG(r, "set it to 1 or more, at most 2^53 - 1", "an epoch has no sensible length");
    if (c->clock.genesis_ms > ERA_EPOCH_MAX || c->clock.tolerance_epochs > ERA_EPOCH_MAX)
        WRONG(r, "use a number of at most 2^53 - 1", "the clock's genesis or tolerance is out of range");
    if (!c->authority_only && c->clock.tolerance_epochs == 0)
        WRONG(r, "set tolerance_epochs to 1 or more",
              "a tolerance of 0 puts every clock in doubt where epochs meet: no two nodes change at once");
    if (c->clock.kind == ERA_CLOCK_HEIGHT && c->clock.genesis_ms != 0)
        WRONG(r, "remove genesis", "a height clock has no genesis time: heights count from 0");
    if (c->events_per_epoch > ERA_EVENTS_PER_EPOCH_MAX)
        WRONG(r, "lower events_per_epoch", "events_per_epoch is above %d", ERA_EVENTS_PER_EPOCH_MAX);
    if (c->strict_emission && c->authority_only)
        WRONG(r, "choose one of them",
              "strict_emission needs leases by stake; authority_only has none: nothing could be emitted");
    if (c->authority_only && c->emitter_count == 0)
        WRONG(r, "name at least one emitter", "authority_only without emitters: no event could be signed");
    if (!c->authority_only && c->emitter_count > 0)
        WRONG(r, "remove emitters, or set authority_only",
              "emitters are for authority_only; here validators sign events");
    check_named_keys(r, "emitter", c->emitters, c->emitter_count);
}

static void check_validators(struct report *r)
{
    const struct era_charter *c = r->c;

    look_at(r, "validators", "");
    if (!c->authority_only && c->validator_count == 0)
        WRONG(r, "name validators, or set authority_only",
              "there are no validators, so no plan could ever be adopted (R5)");
    check_names(r, "validator", c->validators, sizeof *c->validators, c->validator_count);
    for (size_t i = 0; i < c->validator_count; i++) {
        const struct era_validator *v = &c->validators[i];

        look_at(r, "validator", v->name);
        check_key(r, "validator", v->name, &v->key, i ? &c->validators[i - 1].key : NULL);
        if (v->stake == 0)
            WRONG(r, "give it stake, or leave it out", "stake 0 counts for nothing");
    }
    look_at(r, "validators", "");
    if (era_charter_stake_sum(c) > ERA_STAKE_SUM_MAX)
        WRONG(r, "divide all stakes by one number", "the stakes add up to more than 2^62");
}

static bool fraction_sound(const struct era_fraction *f)
{
    return f->denominator >= 1 && f->denominator <= 1000000 && f->numerator <= f->denominator;
}

static void check_thresholds(struct report *r, const struct era_component *p)
{
    const struct era_charter *c = r->c;
    unsigned m = (unsigned)p->signer_count;

    if (p->k == 0)
        WRONG(r, "set k to 1 or more", "k is 0: anybody could have anything approved");
    if (p->k > m)
        WRONG(r, "lower k or name more signers", "k is %u of %u signers: nothing could ever be approved",
              p->k, m);
    if (p->urgent_k < p->k)
        WRONG(r, "set urgent_k to k or more",
              "urgent_k is %u, below k = %u: less notice asks for no fewer signers", p->urgent_k, p->k);
    if (p->urgent_k > m)
        WRONG(r, "lower urgent_k or name more signers", "urgent_k is %u of %u signers", p->urgent_k, m);
    if (!c->authority_only && !c->overrides && strcmp(p->id, "network") == 0 && p->k <= m &&
        2 * (uint64_t)p->k < (uint64_t)m + 2)
        WRONG(r, "raise k until 2k - m >= 2, or set overrides",
              "k = %u of %u: one bad signer could split a charter version, which cannot be skipped (R13)",
              p->k, m);
    if (c->authority_only && !c->overrides && p->k < m)
        WRONG(
            r, "set k to the number of signers, or set overrides",
            "with k = %u of %u, one bad key can hold a second approval back for long and void an active era",
            p->k, m);
}

static void check_policy(struct report *r, const struct era_component *p)
{
    const struct era_charter *c = r->c;

    if (!c->authority_only && p->notice_epochs < 2)
        WRONG(r, "set notice_epochs to 2 or more",
              "notice_epochs is %" PRIu64 "; validators ask for at least 2 (R4)", p->notice_epochs);
    if (!c->authority_only && p->urgent_notice_epochs < 1)
        WRONG(r, "set urgent_notice_epochs to 1 or more",
              "urgent_notice_epochs is 0: nobody could switch in time (R4)");
    if (p->notice_epochs > ERA_EPOCH_MAX || p->urgent_notice_epochs > ERA_EPOCH_MAX)
        WRONG(r, "use a number of at most 2^53 - 1", "a notice is out of range");
    if (!fraction_sound(&p->enough))
        WRONG(r, "write a fraction from 0 to 1, such as \"2/3\"",
              "`enough` is above the whole stake, or no fraction");
    if (!fraction_sound(&p->rebuild_quorum))
        WRONG(r, "write a fraction from 0 to 1, such as \"1/2\"",
              "`rebuild_quorum` is above the whole stake, or no fraction");
}

static void check_record(struct report *r, const struct era_component *p)
{
    const struct era_record *rec = &p->initial;

    if (strcmp(rec->component, p->id) != 0)
        WRONG(r, "set it to the component's id", "the initial record is of component `%.64s`",
              rec->component);
    if (rec->era != 1)
        WRONG(r, "set it to 1", "the initial record's era is %" PRIu64 "; a component begins with era 1",
              rec->era);
    check_name(r, "era", rec->era_name);
    if (!era_semver_valid(rec->version))
        WRONG(r, "write MAJOR.MINOR.PATCH, such as 1.0.0", "the version `%.100s` is no semantic version",
              rec->version);
    for (size_t i = 0; i < ERA_VERSION_KINDS; i++) {
        if (rec->requires.v[i][0] && !era_range_valid(rec->requires.v[i]))
            WRONG(r, "write a range such as \">=1.2.0\"", "the required range `%.100s` of %s is no range",
                  rec->requires.v[i], era_version_kind_names[i]);
    }
    check_names(r, "artefact", rec->artefacts, sizeof *rec->artefacts, rec->artefact_count);
    for (size_t i = 0; i < rec->artefact_count; i++) {
        if (!era_digest_valid(rec->artefacts[i].digest))
            WRONG(r, "write h1:, m1: or sha256: and the whole hash; `eractl hash` prints it",
                  "the digest `%.80s` of artefact `%.64s` has no known form", rec->artefacts[i].digest,
                  rec->artefacts[i].name);
    }
    if (rec->source_digest[0] && !era_digest_valid(rec->source_digest))
        WRONG(r, "write h1:, m1: or sha256: and the whole hash; `eractl hash` prints it",
              "the source digest `%.80s` has no known form", rec->source_digest);
    check_names(r, "flag", rec->flags, sizeof *rec->flags, rec->flag_count);
    check_names(r, "dependency", rec->dependencies, sizeof *rec->dependencies, rec->dependency_count);
    for (size_t i = 0; i < rec->dependency_count; i++) {
        if (!era_range_valid(rec->dependencies[i].range))
            WRONG(r, "write a range such as \">=1.2.0\"",
                  "the range `%.100s` of dependency `%.64s` is no range", rec->dependencies[i].range,
                  rec->dependencies[i].name);
    }
}

static void check_components(struct report *r)
{
    const struct era_charter *c = r->c;

    look_at(r, "components", "");
    if (!era_charter_component(c, "network"))
        WRONG(r, "add a component with id = \"network\"",
              "there is no component `network`, whose eras gate the nodes and whose signers sign charters");
    check_names(r, "component", c->components, sizeof *c->components, c->component_count);
    for (size_t i = 0; i < c->component_count; i++) {
        const struct era_component *p = &c->components[i];

        look_at(r, "component", p->id);
        check_named_keys(r, "signer", p->signers, p->signer_count);
        check_thresholds(r, p);
        check_policy(r, p);
        check_record(r, p);
    }
}

static uint64_t most_artefacts(const struct era_charter *c)
{
    uint64_t most = 1;

    for (size_t i = 0; i < c->component_count; i++) {
        if (c->components[i].initial.artefact_count > most)
            most = c->components[i].initial.artefact_count;
    }
    return most;
}

static void check_capacity(struct report *r)
{
    uint64_t need = era_charter_capacity(r->c, most_artefacts(r->c));

    uint8_t *bytes;
    size_t len = era_charter_encode(r->c, &bytes);

    free(bytes);
    look_at(r, "charter", "");
    uint32_t most = r->c->version > 0 ? ERA_CHARTER_STATEMENT_BYTES_MAX : ERA_CHARTER_BYTES_MAX;
    if (len > most)
        WRONG(r, "name fewer components, or shorten links", "it takes %zu bytes of at most %" PRIu32, len,
              most);
    if (need > ERA_LEDGER_ITEMS_MAX)
        WRONG(r, "name fewer components, validators or artefacts",
              "statements inside the window may number %" PRIu64 ", and a ledger holds %" PRIu64, need,
              (uint64_t)ERA_LEDGER_ITEMS_MAX);
}

/* ---- advice: it works, and somebody will regret it ---- */

static void advise_validators(struct report *r)
{
    const struct era_charter *c = r->c;
    uint64_t w = era_charter_stake_sum(c);

    for (size_t i = 0; i < c->validator_count; i++) {
        const struct era_validator *v = &c->validators[i];

        look_at(r, "validator", v->name);
        if (v->stake >= era_charter_quorum(c))
            ADVICE(r, "spread the stake", "it alone holds a quorum of the stake and decides everything");
        else if (v->stake > w - era_charter_quorum(c))
            ADVICE(r, "spread the stake", "without it no quorum is left: alone it can stop every upgrade");
        for (size_t k = 0; k < c->component_count; k++) {
            if (era_charter_signer_index(&c->components[k], &v->key) >= 0) {
                ADVICE(
                    r, "keep a signer key offline, and another one in the daemon",
                    "its key also signs for component `%.64s`: the daemon's key would then approve upgrades",
                    c->components[k].id);
                break;
            }
        }
    }
}

static void advise_component(struct report *r, const struct era_component *p)
{
    const struct era_charter *c = r->c;

    look_at(r, "component", p->id);
    if (!c->authority_only && p->signer_count > 1 && p->k == p->signer_count)
        ADVICE(r, "name more signers than k",
               "k is all of the signers: one lost key stops its upgrades for ever");
    if (!c->authority_only && strcmp(p->id, "network") != 0 &&
        2 * (uint64_t)p->k < (uint64_t)p->signer_count + 2)
        ADVICE(r, "raise k until 2k - m >= 2",
               "one bad signer can split a slot; it then has to be skipped (R13)");
    if (p->urgent_notice_epochs > p->notice_epochs)
        ADVICE(r, "lower urgent_notice_epochs", "the urgent lane asks for longer notice than the normal one");
    if (c->authority_only)
        return;
    if (p->rebuild_quorum.numerator == 0)
        ADVICE(r, "set rebuild_quorum, such as \"1/2\"",
               "nobody has to rebuild an artefact before it is adopted");
    if (3 * p->enough.numerator < 2 * p->enough.denominator)
        ADVICE(r, "set it to 2/3 or more",
               "`enough` is below 2/3 and changes nothing: the quorum is asked for anyway");
}

static void advise(struct report *r)
{
    const struct era_charter *c = r->c;

    look_at(r, "network", "");
    if (c->overrides)
        ADVICE(r, "remove overrides, unless the reason is written down",
               "it lets thresholds pass that can leave the network stuck");
    if (c->clock.kind == ERA_CLOCK_WALL && c->clock.epoch_ms < 1000)
        ADVICE(r, "use longer epochs, except in tests",
               "epochs are shorter than a second: clocks differ by more");
    if (!c->authority_only)
        advise_validators(r);
    for (size_t i = 0; i < c->component_count; i++)
        advise_component(r, &c->components[i]);
    look_at(r, "charter", "");
    if (era_charter_capacity(c, ERA_ARTEFACTS_MAX) > ERA_LEDGER_ITEMS_MAX)
        ADVICE(r, "name fewer components or validators, or keep plans to few artefacts",
               "plans with %d artefacts would exceed what a ledger holds; the initial ones fit",
               ERA_ARTEFACTS_MAX);
}

size_t era_charter_check(const struct era_charter *c, struct era_charter_finding *out, size_t cap)
{
    struct report r = {.c = c, .out = out, .cap = cap};

    check_chain(&r);
    check_network(&r);
    check_validators(&r);
    check_components(&r);
    check_capacity(&r);
    if (r.n == 0)
        advise(&r);
    return r.n;
}

bool era_charter_is_sound(const struct era_charter *c)
{
    struct era_charter_finding first;

    return era_charter_check(c, &first, 1) == 0 || !first.error;
}
