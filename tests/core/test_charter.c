#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/charter.h"

#define H1     "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define SHA256 "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* ---- given ---- */

static struct era_key key(unsigned n)
{
    uint8_t seed[32], secret[64];
    struct era_key k;

    memset(seed, 0, sizeof seed);
    era_put_be32(seed, n);
    crypto_sign_seed_keypair(k.b, secret, seed);
    return k;
}

static int by_key(const void *a, const void *b)
{
    return memcmp(((const struct era_named_key *)a)->key.b, ((const struct era_named_key *)b)->key.b, 32);
}

static int validator_by_key(const void *a, const void *b)
{
    return memcmp(((const struct era_validator *)a)->key.b, ((const struct era_validator *)b)->key.b, 32);
}

static void given_component(struct era_component *p, const char *id, uint32_t k, unsigned m)
{
    snprintf(p->id, sizeof p->id, "%s", id);
    p->k = p->urgent_k = k;
    p->notice_epochs = 2;
    p->urgent_notice_epochs = 1;
    p->enough = (struct era_fraction){2, 3};
    p->rebuild_quorum = (struct era_fraction){1, 2};
    p->signer_count = m;
    for (unsigned i = 0; i < m; i++) {
        snprintf(p->signers[i].name, sizeof p->signers[i].name, "s%u", i);
        p->signers[i].key = key(1000 + i);
    }
    qsort(p->signers, m, sizeof *p->signers, by_key);
    snprintf(p->initial.component, sizeof p->initial.component, "%s", id);
    strcpy(p->initial.version, "1.0.0");
    strcpy(p->initial.era_name, "genesis");
    p->initial.era = 1;
    p->initial.artefact_count = 1;
    strcpy(p->initial.artefacts[0].name, "linux-amd64");
    strcpy(p->initial.artefacts[0].digest, H1);
}

/* `validators` of stake 100, one component `network` with 4 of 5 signers. */
static struct era_charter given_charter(unsigned validators)
{
    struct era_charter c = {.component_count = 1, .events_per_epoch = 100};

    strcpy(c.name, "storage-grid");
    c.clock = (struct era_clock_params){ERA_CLOCK_WALL, 1767225600000, 86400000, 1};
    c.validator_count = validators;
    c.validators = calloc(validators + 1, sizeof *c.validators);
    for (unsigned i = 0; i < validators; i++) {
        snprintf(c.validators[i].name, sizeof c.validators[i].name, "v%u", i);
        c.validators[i].key = key(i);
        c.validators[i].stake = 100;
    }
    qsort(c.validators, validators, sizeof *c.validators, validator_by_key);
    c.components = calloc(ERA_COMPONENTS_MAX, sizeof *c.components);
    given_component(&c.components[0], "network", 4, 5);
    return c;
}

static struct era_charter given_authority(uint32_t k, unsigned m)
{
    struct era_charter c = given_charter(0);

    given_component(&c.components[0], "network", k, m);
    c.components[0].notice_epochs = c.components[0].urgent_notice_epochs = 0;
    c.authority_only = true;
    c.emitter_count = 1;
    strcpy(c.emitters[0].name, "e");
    c.emitters[0].key = key(5000);
    return c;
}

/* ---- then ---- */

/* The first thing that the check says of c, which is then released. "" for nothing. */
static const char *first_said(struct era_charter *c, bool error)
{
    static struct era_charter_finding all[32];
    size_t n = era_charter_check(c, all, 32);

    cr_assert_eq(era_charter_is_sound(c), n == 0 || !all[0].error);
    era_charter_clear(c);
    for (size_t i = 0; i < n; i++) {
        cr_expect_str_not_empty(all[i].text);
        cr_expect_str_not_empty(all[i].cure);
        cr_expect_str_not_empty(all[i].where);
        if (all[i].error == error)
            return all[i].text;
    }
    return "";
}

#define assert_error(c, text)  cr_assert_str_eq(first_said(&(c), true), (text))
#define assert_advice(c, text) cr_assert_str_eq(first_said(&(c), false), (text))

/* ---- the check ---- */

Test(charter, R13_a_sound_one_has_nothing_said_of_it)
{
    struct era_charter c = given_charter(5);
    struct era_charter_finding f;

    cr_assert_eq(era_charter_check(&c, &f, 1), 0);
    cr_assert(era_charter_is_sound(&c));
    era_charter_clear(&c);
}

Test(charter, an_error_says_what_where_and_the_cure)
{
    struct era_charter c = given_charter(5);
    struct era_charter_finding f;

    c.components[0].k = 6;
    c.components[0].urgent_k = 6;
    cr_assert_eq(era_charter_check(&c, &f, 1), 1);
    cr_assert(f.error);
    cr_assert_str_eq(f.text, "k is 6 of 5 signers: nothing could ever be approved");
    cr_assert_str_eq(f.where, "component network");
    cr_assert_str_eq(f.cure, "lower k or name more signers");
    era_charter_clear(&c);
}

Test(charter, one_component_is_network)
{
    struct era_charter c = given_charter(5);

    given_component(&c.components[0], "pruner", 4, 5);
    assert_error(
        c, "there is no component `network`, whose eras gate the nodes and whose signers sign charters");
}

Test(charter, T1_k_is_at_least_one)
{
    struct era_charter c = given_charter(5);

    c.components[0].k = 0;
    assert_error(c, "k is 0: anybody could have anything approved");
}

Test(charter, D6_the_urgent_lane_never_asks_for_fewer_signers)
{
    struct era_charter below = given_charter(5), above = given_charter(5);

    below.components[0].urgent_k = 3;
    assert_error(below, "urgent_k is 3, below k = 4: less notice asks for no fewer signers");
    above.components[0].urgent_k = 6;
    assert_error(above, "urgent_k is 6 of 5 signers");
}

Test(charter, a_key_counts_once)
{
    struct era_charter c = given_charter(5), d = given_charter(5);
    struct era_component *p = &c.components[0];

    p->signers[1].key = p->signers[0].key;
    era_charter_seal(&c);
    cr_assert(strstr(first_said(&c, true), "is named twice: one key would count twice"));
    d.validators[3].key = d.validators[2].key;
    cr_assert(strstr(first_said(&d, true), "is named twice: one key would count twice"));
}

Test(charter, a_key_of_small_order_is_refused)
{
    struct era_charter c = given_charter(5), d = given_charter(5);

    memset(c.validators[0].key.b, 0, 32);
    cr_assert(strstr(first_said(&c, true), "is of small order or not on the curve"));
    memset(d.components[0].signers[0].key.b, 0, 32);
    cr_assert(strstr(first_said(&d, true), "is of small order or not on the curve"));
}

Test(charter, a_name_is_given_once)
{
    struct era_charter c = given_charter(5), d = given_charter(5);

    strcpy(c.validators[4].name, c.validators[1].name);
    strcpy(c.validators[1].name, "v0");
    strcpy(c.validators[4].name, "v0");
    cr_assert(strstr(first_said(&c, true), "two validators are named `v0`"));
    given_component(&d.components[1], "network", 4, 5);
    d.component_count = 2;
    assert_error(d, "two components are named `network`");
}

Test(charter, a_name_is_of_few_characters)
{
    struct era_charter c = given_charter(5);

    strcpy(c.name, "Storage grid");
    assert_error(c, "the network name `Storage grid` is not a name");
}

Test(charter, R4_notice_is_at_least_two_epochs_and_urgent_one)
{
    struct era_charter c = given_charter(5), d = given_charter(5);

    c.components[0].notice_epochs = 1;
    assert_error(c, "notice_epochs is 1; validators ask for at least 2 (R4)");
    d.components[0].urgent_notice_epochs = 0;
    assert_error(d, "urgent_notice_epochs is 0: nobody could switch in time (R4)");
}

Test(charter, stakes_add_up_to_at_most_2_to_the_62)
{
    struct era_charter most = given_charter(5), more = given_charter(5);

    most.validators[0].stake = ((uint64_t)1 << 62) - 400;
    cr_assert_str_empty(first_said(&most, true));
    more.validators[0].stake = ((uint64_t)1 << 62) - 399;
    assert_error(more, "the stakes add up to more than 2^62");
}

Test(charter, M6_enough_is_at_most_all_the_stake)
{
    struct era_charter above = given_charter(5), below = given_charter(5);

    above.components[0].enough = (struct era_fraction){4, 3};
    assert_error(above, "`enough` is above the whole stake, or no fraction");
    below.components[0].enough = (struct era_fraction){1, 2};
    assert_advice(below, "`enough` is below 2/3 and changes nothing: the quorum is asked for anyway");
}

Test(charter, R5_without_validators_it_is_authority_only)
{
    struct era_charter c = given_charter(0);

    assert_error(c, "there are no validators, so no plan could ever be adopted (R5)");
}

Test(charter, P4_one_trusted_key_is_a_sound_network)
{
    struct era_charter c = given_authority(1, 1);

    cr_assert_str_empty(first_said(&c, true));
}

Test(charter, authority_only_asks_for_every_signer_unless_overridden)
{
    struct era_charter c = given_authority(3, 5), d = given_authority(3, 5);

    assert_error(
        c, "with k = 3 of 5, one bad key can hold a second approval back for long and void an active era");
    d.overrides = true;
    cr_assert_str_empty(first_said(&d, true));
}

Test(charter, N7_strict_emission_needs_validators)
{
    struct era_charter c = given_authority(1, 1);

    c.strict_emission = true;
    assert_error(c,
                 "strict_emission needs leases by stake; authority_only has none: nothing could be emitted");
}

Test(charter, N7_strict_emission_is_for_networks_of_validators)
{
    struct era_charter c = given_charter(5);

    c.strict_emission = true;
    cr_assert_str_empty(first_said(&c, true));
}

Test(charter, C3_emitters_are_for_authority_only)
{
    struct era_charter none = given_authority(1, 1), some = given_charter(5);

    none.emitter_count = 0;
    assert_error(none, "authority_only without emitters: no event could be signed");
    some.emitter_count = 1;
    strcpy(some.emitters[0].name, "e");
    some.emitters[0].key = key(5000);
    assert_error(some, "emitters are for authority_only; here validators sign events");
}

Test(charter, R13_one_bad_signer_cannot_split_a_charter_version_unless_overridden)
{
    struct era_charter c = given_charter(5), d = given_charter(5);

    given_component(&c.components[0], "network", 3, 5);
    assert_error(c,
                 "k = 3 of 5: one bad signer could split a charter version, which cannot be skipped (R13)");
    given_component(&d.components[0], "network", 3, 5);
    d.overrides = true;
    cr_assert_str_empty(first_said(&d, true));
}

Test(charter, M2_the_initial_record_is_one_that_a_plan_could_hold)
{
    struct era_charter c[6];
    struct era_record *r;

    for (size_t i = 0; i < 6; i++)
        c[i] = given_charter(5);
    strcpy(c[0].components[0].initial.version, "1.0");
    assert_error(c[0], "the version `1.0` is no semantic version");
    strcpy(c[1].components[0].initial.requires.v[ERA_VERSION_API], ">=2");
    assert_error(c[1], "the required range `>=2` of api is no range");
    strcpy(c[2].components[0].initial.artefacts[0].digest, "md5:00");
    assert_error(c[2], "the digest `md5:00` of artefact `linux-amd64` has no known form");
    strcpy(c[3].components[0].initial.component, "other");
    assert_error(c[3], "the initial record is of component `other`");
    r = &c[4].components[0].initial;
    r->dependency_count = 1;
    strcpy(r->dependencies[0].name, "hostchain");
    strcpy(r->dependencies[0].range, "new");
    assert_error(c[4], "the range `new` of dependency `hostchain` is no range");
    c[5].components[0].initial.era = 2;
    assert_error(c[5], "the initial record's era is 2; a component begins with era 1");
}

Test(charter, R10_every_version_but_the_first_names_its_parent)
{
    struct era_charter orphan = given_charter(5), first = given_charter(5);

    orphan.version = 3;
    assert_error(orphan, "version 3 names no parent, so nothing links it to its chain (R10)");
    first.has_parent = true;
    assert_error(first, "charter version 0 begins a chain and has no parent");
}

/* One that follows another, as it should be. */
static struct era_charter given_next_charter(void)
{
    struct era_charter c = given_charter(5);

    c.version = 3;
    c.has_parent = true;
    c.effective = 40;
    c.carried_count = 1;
    strcpy(c.carried[0].component, "network");
    c.carried[0].seq = 1048576;
    return c;
}

Test(charter, R10_a_version_that_follows_says_when_and_how_far)
{
    struct era_charter c[6], sound = given_next_charter();

    cr_expect(era_charter_is_sound(&sound));
    era_charter_clear(&sound);
    for (size_t i = 0; i < 6; i++)
        c[i] = given_next_charter();
    c[0].effective = 0;
    assert_error(c[0], "version 3 names no epoch from which it may count (R10)");
    c[1].carried_count = 0;
    assert_error(c[1], "`carried` is empty: every slot of the charter before would lose its effect (R10)");
    c[2].version = 2048;
    assert_error(c[2], "the version is above 2047: a chain is kept and walked whole");
    c[3].version = 0;
    c[3].has_parent = false;
    assert_error(c[3], "charter version 0 counts from the beginning");
    c[4].version = 0;
    c[4].has_parent = false;
    c[4].effective = 0;
    assert_error(c[4], "charter version 0 follows none and carries nothing");
    c[5].carried_count = 2;
    c[5].carried[1] = c[5].carried[0];
    assert_error(c[5], "component `network` is carried twice");
}

Test(charter, R6_what_may_stand_in_the_window_fits_a_ledger)
{
    struct era_charter fits = given_charter(5), not = given_charter(5);

    /* 64 slots x (5 signers x (2 approvals + 7 proposals + 7 rejects) + 5 validators x 2 x 2 ids) */
    cr_assert_eq(era_charter_capacity(&fits, 1), 6400);
    cr_assert_eq(era_charter_capacity(&fits, 16), 16000);
    cr_assert_str_empty(first_said(&fits, true));

    free(not .validators);
    not .validator_count = 1000;
    not .validators = calloc(not .validator_count, sizeof *not .validators);
    for (unsigned i = 0; i < not .validator_count; i++) {
        snprintf(not .validators[i].name, sizeof not .validators[i].name, "v%u", i);
        not .validators[i].key = key(i);
        not .validators[i].stake = 1;
    }
    qsort(not .validators, not .validator_count, sizeof *not .validators, validator_by_key);
    not .component_count = 8;
    for (unsigned i = 0; i < 8; i++) {
        char id[16];

        snprintf(id, sizeof id, i == 4 ? "network" : "c%u", i);
        given_component(&not .components[i], id, 4, 5);
    }
    assert_error(not, "statements inside the window may number 2088960, and a ledger holds 2000000");
}

Test(charter, advice_is_no_error)
{
    struct era_charter c = given_charter(5), d = given_charter(5);

    c.components[0].rebuild_quorum = (struct era_fraction){0, 1};
    assert_advice(c, "nobody has to rebuild an artefact before it is adopted");
    d.validators[0].stake = 1000;
    assert_advice(d, "it alone holds a quorum of the stake and decides everything");
}

Test(charter, numbers_stay_within_2_to_the_53)
{
    struct era_charter c[6];

    for (size_t i = 0; i < 6; i++)
        c[i] = i < 2 ? given_next_charter() : given_charter(5);
    c[0].effective = ERA_EPOCH_MAX + 1;
    assert_error(c[0], "the effective epoch is out of range");
    c[1].carried[0].seq = ERA_SEQ_MAX + 1;
    assert_error(c[1], "the seq up to which `network` is carried is out of range");
    c[2].clock.genesis_ms = ERA_EPOCH_MAX + 1;
    assert_error(c[2], "the clock's genesis or tolerance is out of range");
    c[3].clock.tolerance_epochs = ERA_EPOCH_MAX + 1;
    assert_error(c[3], "the clock's genesis or tolerance is out of range");
    c[4].components[0].notice_epochs = ERA_EPOCH_MAX + 1;
    assert_error(c[4], "a notice is out of range");
    c[5].components[0].urgent_notice_epochs = ERA_EPOCH_MAX + 1;
    assert_error(c[5], "a notice is out of range");
}

Test(charter, R14_a_clock_tolerates_an_epoch_where_epochs_meet)
{
    const char *doubt =
        "a tolerance of 0 puts every clock in doubt where epochs meet: no two nodes change at once";
    struct era_charter wall = given_charter(5), heights = given_charter(5), authority = given_authority(5, 5);

    wall.clock.tolerance_epochs = 0;
    assert_error(wall, doubt);
    heights.clock = (struct era_clock_params){ERA_CLOCK_HEIGHT, 0, 10, 0};
    assert_error(heights, doubt);
    authority.clock.tolerance_epochs = 0;
    cr_assert_str_empty(first_said(&authority, true), "its clock is never in doubt");
}

Test(charter, R14_a_clock_has_a_kind_and_epochs_that_last)
{
    struct era_charter c[5];

    for (size_t i = 0; i < 5; i++)
        c[i] = given_charter(5);
    c[0].clock.kind = 3;
    assert_error(c[0], "the clock has no known kind");
    c[1].clock.epoch_ms = 0;
    assert_error(c[1], "an epoch has no sensible length");
    c[2].clock.epoch_ms = ERA_EPOCH_MAX + 1;
    assert_error(c[2], "an epoch has no sensible length");
    c[3].clock.kind = ERA_CLOCK_HEIGHT;
    assert_error(c[3], "a height clock has no genesis time: heights count from 0");
    c[4].clock.kind = ERA_CLOCK_HEIGHT;
    c[4].clock.genesis_ms = 0;
    c[4].clock.epoch_ms = 10; /* heights, and no milliseconds that could be too few */
    cr_assert_str_empty(first_said(&c[4], true));
}

Test(charter, C3_events_of_a_key_and_epoch_are_bounded)
{
    struct era_charter most = given_charter(5), more = given_charter(5);

    most.events_per_epoch = 1000;
    cr_assert_str_empty(first_said(&most, true));
    more.events_per_epoch = 1001;
    assert_error(more, "events_per_epoch is above 1000");
}

Test(charter, a_validator_has_stake)
{
    struct era_charter c = given_charter(5);

    c.validators[2].stake = 0;
    assert_error(c, "stake 0 counts for nothing");
}

Test(charter, M6_a_fraction_has_a_denominator_of_1_to_a_million)
{
    static const struct era_fraction wrong[] = {{0, 0}, {1, 1000001}, {2, 1}};

    for (size_t i = 0; i < 3; i++) {
        struct era_charter enough = given_charter(5), quorum = given_charter(5);

        enough.components[0].enough = wrong[i];
        assert_error(enough, "`enough` is above the whole stake, or no fraction");
        quorum.components[0].rebuild_quorum = wrong[i];
        assert_error(quorum, "`rebuild_quorum` is above the whole stake, or no fraction");
    }
}

Test(charter, T2_the_source_digest_of_the_initial_record_has_a_known_form)
{
    struct era_charter known = given_charter(5), unknown = given_charter(5);

    strcpy(known.components[0].initial.source_digest, H1);
    cr_assert_str_empty(first_said(&known, true));
    strcpy(unknown.components[0].initial.source_digest, "md5:00");
    assert_error(unknown, "the source digest `md5:00` has no known form");
}

Test(charter, M2_the_initial_record_may_depend_on_others)
{
    struct era_charter c = given_charter(5);

    c.components[0].initial.dependency_count = 1;
    strcpy(c.components[0].initial.dependencies[0].name, "hostchain");
    strcpy(c.components[0].initial.dependencies[0].range, ">=1.2.0");
    cr_assert_str_empty(first_said(&c, true));
}

/* As many as there may be of everything, with the longest names. */
static void fill_component(struct era_component *p)
{
    struct era_record *r = &p->initial;

    for (size_t i = 0; i < p->signer_count; i++)
        snprintf(p->signers[i].name, sizeof p->signers[i].name, "%064zu", i);
    r->artefact_count = ERA_ARTEFACTS_MAX;
    for (size_t i = 0; i < r->artefact_count; i++) {
        snprintf(r->artefacts[i].name, sizeof r->artefacts[i].name, "%064zu", i);
        strcpy(r->artefacts[i].digest, SHA256);
        memset(r->artefacts[i].link, 'x', ERA_LINK_BYTES_MAX);
    }
    r->flag_count = ERA_FLAGS_MAX;
    for (size_t i = 0; i < r->flag_count; i++)
        snprintf(r->flags[i].name, sizeof r->flags[i].name, "%064zu", i);
    r->dependency_count = ERA_DEPENDENCIES_MAX;
    for (size_t i = 0; i < r->dependency_count; i++) {
        snprintf(r->dependencies[i].name, sizeof r->dependencies[i].name, "%064zu", i);
        snprintf(r->dependencies[i].since, sizeof r->dependencies[i].since, "%064zu", i);
        strcpy(r->dependencies[i].range, ">=1.2.0");
    }
    memset(r->link, 'x', ERA_LINK_BYTES_MAX);
}

static struct era_charter given_largest_charter(void)
{
    struct era_charter c = given_charter(ERA_VALIDATORS_MAX);

    for (size_t i = 0; i < c.validator_count; i++) {
        snprintf(c.validators[i].name, sizeof c.validators[i].name, "%064zu", i);
        c.validators[i].stake = (uint64_t)1 << 40;
    }
    c.component_count = ERA_COMPONENTS_MAX;
    for (size_t i = 0; i < c.component_count; i++) {
        char id[16];

        snprintf(id, sizeof id, i == 31 ? "network" : "c%02zu", i);
        given_component(&c.components[i], id, 40, ERA_SIGNERS_MAX);
        fill_component(&c.components[i]);
    }
    return c;
}

Test(charter, R6_its_bytes_are_bounded)
{
    struct era_charter c = given_largest_charter();
    const char *said = first_said(&c, true);

    cr_assert(strncmp(said, "it takes ", 9) == 0 && strstr(said, " bytes of at most 1048576"), "%s", said);
}

Test(charter, advice_tells_what_somebody_will_regret)
{
    struct era_charter all = given_charter(5), urgent = given_charter(5), heights = given_charter(5),
                       short_epochs = given_charter(5);

    given_component(&all.components[0], "network", 5, 5);
    assert_advice(all, "k is all of the signers: one lost key stops its upgrades for ever");
    urgent.components[0].urgent_notice_epochs = 3;
    assert_advice(urgent, "the urgent lane asks for longer notice than the normal one");
    short_epochs.clock.epoch_ms = 999;
    assert_advice(short_epochs, "epochs are shorter than a second: clocks differ by more");
    heights.clock = (struct era_clock_params){ERA_CLOCK_HEIGHT, 0, 10, 1};
    cr_assert_str_empty(first_said(&heights, false));
}

Test(charter, P4_a_lone_signer_is_not_told_to_be_one_of_more)
{
    struct era_charter c = given_charter(5);
    struct era_charter_finding all[8];

    given_component(&c.components[0], "network", 1, 1);
    c.overrides = true;
    cr_assert_eq(era_charter_check(&c, all, 8), 1);
    cr_assert_str_eq(all[0].text, "it lets thresholds pass that can leave the network stuck");
    era_charter_clear(&c);
}

Test(charter, R6_advice_tells_when_only_small_plans_fit_a_ledger)
{
    struct era_charter c = given_charter(1000);

    assert_advice(c, "plans with 16 artefacts would exceed what a ledger holds; the initial ones fit");
}

/* ---- what the rules read ---- */

Test(charter, R5_quorum_is_more_than_two_thirds)
{
    static const struct {
        uint64_t w, q;
    } cases[] = {{1, 1}, {2, 2},    {3, 3},
                 {4, 3}, {5, 4},    {6, 5},
                 {7, 5}, {100, 67}, {(uint64_t)1 << 62, 3074457345618258603}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct era_charter c = given_charter(1);

        c.validators[0].stake = cases[i].w;
        cr_expect_eq(era_charter_stake_sum(&c), cases[i].w);
        cr_expect_eq(era_charter_quorum(&c), cases[i].q);
        era_charter_clear(&c);
    }
}

Test(charter, an_index_names_a_key)
{
    struct era_charter c = given_charter(9);
    struct era_key stranger = key(77);

    for (int i = 0; i < 9; i++)
        cr_expect_eq(era_charter_validator_index(&c, &c.validators[i].key), i);
    for (int i = 0; i < 5; i++)
        cr_expect_eq(era_charter_signer_index(&c.components[0], &c.components[0].signers[i].key), i);
    cr_expect_eq(era_charter_validator_index(&c, &stranger), -1);
    cr_expect_eq(era_charter_signer_index(&c.components[0], &stranger), -1);
    cr_expect_eq(era_charter_emitter_index(&c, &stranger), -1);
    cr_expect_eq(era_charter_component(&c, "network"), &c.components[0]);
    cr_expect_null(era_charter_component(&c, "net"));
    era_charter_clear(&c);
}

Test(charter, T2_a_digest_has_one_spelling)
{
    cr_expect(era_digest_valid(H1));
    cr_expect(era_digest_valid("m1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="));
    cr_expect(era_digest_valid(SHA256));
    cr_expect_not(era_digest_valid(""));
    cr_expect_not(era_digest_valid("h1:"));
    cr_expect_not(era_digest_valid("h2:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="));
    cr_expect_not(era_digest_valid("h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV="), "spare bits set");
    cr_expect_not(era_digest_valid("h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"));
    cr_expect_not(era_digest_valid(H1 "="));
    cr_expect_not(era_digest_valid("h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU+"), "no padding");
    cr_expect_not(era_digest_valid("h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU."), "not of base64");
    cr_expect_not(
        era_digest_valid("sha256:E3B0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    cr_expect_not(era_digest_valid("sha256:e3b0"));
    cr_expect_not(era_digest_valid(SHA256 "x"));
}

Test(charter, a_name_has_1_to_64_characters_of_few)
{
    cr_expect(era_name_valid("a"));
    cr_expect(era_name_valid("linux-amd64_v2.1"));
    cr_expect(era_name_valid("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    cr_expect_not(era_name_valid("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    cr_expect_not(era_name_valid(""));
    cr_expect_not(era_name_valid("A"));
    cr_expect_not(era_name_valid("a b"));
    cr_expect_not(era_name_valid("\xc3\xa9"));
}
