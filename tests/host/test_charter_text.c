#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/textkey.h"
#include "src/host/charter_text.h"

#define SETTING_FORM "a setting is NAME = VALUE, a group is NAME : { … }, each ended by a semicolon"

#define ALICE "erapub132yw8ht5p8cetl2jmvknewjawt9xwzdlrk2pyxlnwjyqrdq0dawqrn0q67"
#define BOB   "erapub1syuhwr4g05t4744r23nvxnr7en9cmz53knhr0gja7c84hr7fkw2qlmzdug"
#define S1    "erapub1deapehffkzmcl5f67nz4nrl07nhj49ckdc72duhyl07vmqzst0cs3sn3a5"
#define S2    "erapub132r4llc7kwz9z4m6e4d0aeq9g4jk3htu38sfpp36q4tmc7h5nuts086a8d"
#define H1    "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

#define CLOCK   "clock : { kind = \"wall\"; genesis = \"2026-01-01T00:00:00Z\"; epoch_ms = \"1000\"; };"
#define NETWORK "network : { name = \"grid\"; " CLOCK " };\n"
#define VALIDATORS                                                                                           \
    "validators = ( { name = \"alice\"; key = \"" ALICE "\"; stake = \"100\"; },\n"                          \
    "  { name = \"bob\"; key = \"" BOB "\"; stake = \"7\"; } );\n"
#define SIGNERS "signers = ( { name = \"s1\"; key = \"" S1 "\"; }, { name = \"s2\"; key = \"" S2 "\"; } );"
#define COMPONENT(more, initial)                                                                             \
    "components = ( { id = \"network\"; k = 2; " more SIGNERS "\n initial : { version = \"1.0.0\"; " initial \
    " }; } );\n"
#define PLAIN NETWORK VALIDATORS COMPONENT("", "")

/* ---- given ---- */

static struct era_charter given_charter(const char *text)
{
    struct era_charter c;
    struct era_error err = {0};

    cr_assert(era_charter_from_text("c.txt", text, strlen(text), &c, &err), "%s: %s", err.where, err.text);
    return c;
}

/* Everything that a charter can hold, in an order that is not the canonical one. */
static const char full[] =
    "network : { name = \"grid\"; version = \"7\"; effective = \"9007199254740991\";\n"
    "  carried = ( { component = \"pruner\"; seq = \"9007199254740991\"; },\n"
    "    { component = \"network\"; seq = \"0\"; } );\n"
    "  parent = \"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\";\n"
    "  clock : { kind = \"wall\"; genesis = \"1767225600001\"; epoch_ms = \"86400000\"; tolerance_epochs = "
    "\"3\"; };\n"
    "  strict_emission = true; overrides = true; events_per_epoch = 7; };\n" VALIDATORS "components = (\n"
    "  { id = \"pruner\"; k = 1; urgent_k = 2; notice_epochs = \"5\"; urgent_notice_epochs = \"3\";\n"
    "    enough = \"4/6\"; rebuild_quorum = \"1/2\"; " SIGNERS "\n"
    "    initial : { version = \"2.0.0-rc.1+b\"; era_name = \"first\";\n"
    "      requires : { distribution = \"^1.0.0\"; software = \">=1.0.0 <3.0.0\"; api = \"*\"; database = "
    "\"~1.2.3\";\n"
    "        protocol = \"1.0.0\"; };\n"
    "      artefacts = ( { name = \"b\"; digest = \"" H1 "\"; link = \"https://x/\\\"q\\\"\\\\z\"; },\n"
    "        { name = \"a.2\"; digest = \"" H1 "\"; } );\n"
    "      source_digest = \"" H1 "\"; link = \"https://example.org/#v2\";\n"
    "      flags : { zz = true; new_fee = false; };\n"
    "      dependencies = ( { name = \"d2\"; range = \">=1.0.0\"; since = \"block 12\"; },\n"
    "        { name = \"d1\"; range = \"^4.0.0\"; } ); }; },\n"
    "  { id = \"network\"; k = 1; " SIGNERS " initial : { version = \"1.0.0\"; }; } );\n"
    "emitters = ( { name = \"e1\"; key = \"" ALICE "\"; }, { name = \"e2\"; key = \"" BOB "\"; } );\n";

/* ---- then ---- */

static void assert_refused(const char *text, const char *where, const char *says, const char *cure)
{
    struct era_charter c;
    struct era_error err = {0};

    cr_assert_not(era_charter_from_text("c.txt", text, strlen(text), &c, &err), "it was read: %s", text);
    cr_expect_str_eq(err.text, says);
    cr_expect_str_eq(err.where, where);
    cr_expect_str_eq(err.cure, cure);
    cr_expect_eq(err.status, 65);
}

Test(charter_text, every_setting_reaches_its_field)
{
    struct era_charter c = given_charter(full);
    struct era_component *p;
    struct era_record *r;
    char hex[ERA_HASH_TEXT_BYTES];

    cr_expect_str_eq(c.name, "grid");
    cr_expect_eq(c.version, 7);
    cr_expect_eq(c.effective, 9007199254740991);
    cr_assert_eq(c.carried_count, 2);
    cr_expect_str_eq(c.carried[0].component, "network", "ascending");
    cr_expect_eq(c.carried[0].seq, 0);
    cr_expect_str_eq(c.carried[1].component, "pruner");
    cr_expect_eq(c.carried[1].seq, 9007199254740991);
    cr_assert(c.has_parent);
    cr_expect_str_eq(era_hash_text(&c.parent, hex),
                     "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
    cr_expect_eq(c.clock.kind, ERA_CLOCK_WALL);
    cr_expect_eq(c.clock.genesis_ms, 1767225600001);
    cr_expect_eq(c.clock.epoch_ms, 86400000);
    cr_expect_eq(c.clock.tolerance_epochs, 3);
    cr_expect(c.strict_emission && c.overrides && !c.authority_only);
    cr_expect_eq(c.events_per_epoch, 7);
    cr_assert_eq(c.component_count, 2);
    p = &c.components[1];
    cr_expect_str_eq(c.components[0].id, "network");
    cr_expect_eq(c.components[0].urgent_k, 2, "not set: k + 1");
    cr_expect_str_eq(p->id, "pruner");
    cr_expect_eq(p->k, 1);
    cr_expect_eq(p->urgent_k, 2);
    cr_expect_eq(p->notice_epochs, 5);
    cr_expect_eq(p->urgent_notice_epochs, 3);
    cr_expect_eq(p->enough.numerator, 4);
    cr_expect_eq(p->enough.denominator, 6);
    cr_expect_eq(p->rebuild_quorum.numerator, 1);
    cr_expect_eq(p->rebuild_quorum.denominator, 2);
    r = &p->initial;
    cr_expect_str_eq(r->component, "pruner");
    cr_expect_str_eq(r->version, "2.0.0-rc.1+b");
    cr_expect_eq(r->era, 1);
    cr_expect_str_eq(r->era_name, "first");
    cr_expect_str_eq(r->requires.v[ERA_VERSION_DISTRIBUTION], "^1.0.0");
    cr_expect_str_eq(r->requires.v[ERA_VERSION_SOFTWARE], ">=1.0.0 <3.0.0");
    cr_expect_str_eq(r->requires.v[ERA_VERSION_API], "*");
    cr_expect_str_eq(r->requires.v[ERA_VERSION_DATABASE], "~1.2.3");
    cr_expect_str_eq(r->requires.v[ERA_VERSION_PROTOCOL], "1.0.0");
    cr_expect_str_eq(r->source_digest, H1);
    cr_expect_str_eq(r->link, "https://example.org/#v2");
    era_charter_clear(&c);
}

Test(charter_text, lists_come_out_in_canonical_order)
{
    struct era_charter c = given_charter(full);
    struct era_record *r = &c.components[1].initial;
    char key[ERA_KEY_TEXT_BYTES];

    /* By bytes of the key: bob's begins with 81, alice's with 8a. */
    cr_expect_str_eq(c.validators[0].name, "bob");
    cr_expect_eq(c.validators[0].stake, 7);
    cr_expect_str_eq(era_key_text(&c.validators[0].key, key), BOB);
    cr_expect_str_eq(c.validators[1].name, "alice");
    cr_expect_eq(c.validators[1].stake, 100);
    cr_assert_eq(c.emitter_count, 2);
    cr_expect_str_eq(c.emitters[0].name, "e2");
    cr_expect_str_eq(c.components[0].signers[0].name, "s1");
    cr_expect_str_eq(r->artefacts[0].name, "a.2");
    cr_expect_str_eq(r->artefacts[1].link, "https://x/\"q\"\\z");
    cr_expect_str_eq(r->flags[0].name, "new_fee");
    cr_expect_not(r->flags[0].on);
    cr_expect(r->flags[1].on);
    cr_expect_str_eq(r->dependencies[0].name, "d1");
    cr_expect_str_eq(r->dependencies[1].since, "block 12");
    era_charter_clear(&c);
}

Test(charter_text, what_is_left_out_has_a_stated_value)
{
    struct era_charter c = given_charter(PLAIN);
    struct era_component *p = &c.components[0];

    cr_expect_eq(c.version, 0);
    cr_expect_not(c.has_parent);
    cr_expect_eq(c.clock.genesis_ms, 1767225600000);
    cr_expect_eq(c.clock.tolerance_epochs, 1);
    cr_expect_eq(c.events_per_epoch, 100);
    cr_expect_not(c.strict_emission || c.authority_only || c.overrides);
    cr_expect_eq(p->urgent_k, 2, "k + 1, at most all signers");
    cr_expect_eq(p->notice_epochs, 2);
    cr_expect_eq(p->urgent_notice_epochs, 1);
    cr_expect_eq(p->enough.numerator, 2);
    cr_expect_eq(p->enough.denominator, 3);
    cr_expect_eq(p->rebuild_quorum.numerator, 0);
    cr_expect_str_eq(p->initial.era_name, "genesis");
    era_charter_clear(&c);
}

static void assert_round_trip(const char *text)
{
    struct era_charter first = given_charter(text), second, decoded;
    char *shown = era_charter_to_text(&first), *again;
    uint8_t *bytes;
    size_t len = era_charter_encode(&first, &bytes);
    char a[ERA_HASH_TEXT_BYTES], b[ERA_HASH_TEXT_BYTES];

    second = given_charter(shown);
    again = era_charter_to_text(&second);
    cr_expect_str_eq(again, shown);
    cr_expect_str_eq(era_hash_text(&second.hash, a), era_hash_text(&first.hash, b));
    cr_assert_eq(era_charter_decode((struct era_bytes){bytes, len}, &decoded), ERA_ACCEPTED);
    cr_expect_str_eq(era_hash_text(&decoded.hash, a), b);
    free(bytes);
    free(shown);
    free(again);
    era_charter_clear(&first);
    era_charter_clear(&second);
    era_charter_clear(&decoded);
}

Test(charter_text, M11_a_round_trip_through_text_keeps_the_hash)
{
    assert_round_trip(full);
    assert_round_trip(PLAIN);
}

Test(charter_text, R14_a_height_clock_counts_heights)
{
    static const char text[] = "network : { name = \"grid\"; clock : { kind = \"height\"; epoch_heights = "
                               "\"7200\"; }; };\n" VALIDATORS COMPONENT("", "");
    struct era_charter c = given_charter(text);

    cr_expect_eq(c.clock.kind, ERA_CLOCK_HEIGHT);
    cr_expect_eq(c.clock.epoch_ms, 7200);
    cr_expect_eq(c.clock.genesis_ms, 0);
    era_charter_clear(&c);
    assert_round_trip(text);
}

Test(charter_text, the_order_of_a_text_does_not_change_the_hash)
{
    struct era_charter a = given_charter(PLAIN);
    struct era_charter b = given_charter(
        COMPONENT("", "") NETWORK "validators = ( { stake = \"7\"; key = \"" BOB "\"; name = \"bob\"; },\n"
                                  " { name = \"alice\"; key = \"" ALICE "\"; stake = \"100\"; } );\n");

    cr_expect(era_hash_eq(&a.hash, &b.hash));
    cr_expect_not(era_hash_is_zero(&a.hash));
    era_charter_clear(&a);
    era_charter_clear(&b);
}

Test(charter_text, a_flag_is_written_either_way)
{
    struct era_charter a = given_charter(NETWORK COMPONENT("", "flags : { b = true; a = false; };"));
    struct era_charter b = given_charter(
        NETWORK COMPONENT("", "flags = ( { name = \"a\"; on = false; }, { name = \"b\"; on = true; } );"));

    cr_expect_eq(a.components[0].initial.flag_count, 2);
    cr_expect(era_hash_eq(&a.hash, &b.hash));
    era_charter_clear(&a);
    era_charter_clear(&b);
}

#define SEE "; see erad-charter(5)"

Test(charter_text, an_unknown_setting_is_refused_with_the_nearest_name)
{
    assert_refused("network : { name = \"grid\";\n clok : { }; };\n", "c.txt:2",
                   "unknown setting `clok`; did you mean `clock`?", "correct or remove it" SEE);
    assert_refused(PLAIN "\ncolour = \"red\";\n", "c.txt:7", "unknown setting `colour`", "remove it" SEE);
}

Test(charter_text, a_missing_setting_is_named_with_its_group)
{
    assert_refused(NETWORK VALIDATORS, "c.txt", "setting `components` is missing here", "add it" SEE);
    assert_refused(NETWORK "validators = (\n { name = \"alice\";\n stake = \"1\"; } );\n" COMPONENT("", ""),
                   "c.txt:3", "setting `key` is missing here",
                   "copy the erapub1... text that `eractl keygen` wrote" SEE);
}

Test(charter_text, a_stake_is_a_quoted_decimal)
{
#define STAKE(s) NETWORK "validators = ( { name = \"alice\"; key = \"" ALICE "\";\n stake = " s "; } );\n"
    assert_refused(STAKE("100"), "c.txt:3", "setting `stake` must be a decimal number in quotes",
                   "write it like \"100\"" SEE);
    /* libconfig makes this one 1. */
    assert_refused(STAKE("4294967297"), "c.txt:3",
                   "a number without quotes must be whole, 0 to 2147483647, in plain digits",
                   "quote a larger number: \"5000000000\"" SEE);
    assert_refused(STAKE("100L"), "c.txt:3",
                   "a number without quotes must be whole, 0 to 2147483647, in plain digits",
                   "quote a larger number: \"5000000000\"" SEE);
    assert_refused(STAKE("\"0\""), "c.txt:3",
                   "setting `stake` must be plain digits, 1 to 4611686018427387904", "see erad-charter(5)");
    assert_refused(STAKE("\"4611686018427387905\""), "c.txt:3",
                   "setting `stake` must be plain digits, 1 to 4611686018427387904", "see erad-charter(5)");
    assert_refused(STAKE("\"-1\""), "c.txt:3",
                   "setting `stake` must be plain digits, 1 to 4611686018427387904", "see erad-charter(5)");
}

Test(charter_text, k_is_a_bare_number_that_cannot_wrap)
{
    assert_refused(NETWORK "components = ( { id = \"network\";\n k = 4294967298; } );", "c.txt:3",
                   "a number without quotes must be whole, 0 to 2147483647, in plain digits",
                   "quote a larger number: \"5000000000\"" SEE);
    assert_refused(NETWORK "components = ( { id = \"network\";\n k = \"2\"; } );", "c.txt:3",
                   "setting `k` must be a number without quotes", "write it like 3" SEE);
    assert_refused(NETWORK "components = ( { id = \"network\";\n k = 65; } );", "c.txt:3",
                   "setting `k` is 65, not 1 to 64", "see erad-charter(5)");
    assert_refused(NETWORK "components = ( { id = \"network\";\n k = 010; } );", "c.txt:3",
                   "a number without quotes must be whole, 0 to 2147483647, in plain digits",
                   "quote a larger number: \"5000000000\"" SEE);
}

Test(charter_text, nothing_is_given_twice)
{
    assert_refused("network : { name = \"grid\";\n name = \"grid\"; };\n", "c.txt:2",
                   "duplicate setting: name = \"grid\"; };", "give it once" SEE);
    assert_refused(
        NETWORK "validators = ( { name = \"alice\"; key = \"" ALICE "\"; stake = \"1\"; },\n"
                " { name = \"bob\"; key = \"" ALICE "\"; stake = \"1\"; } );\n",
        "c.txt:3",
        "setting `key`: `erapub132yw8ht5p8cetl2jmvknewjawt9xwzdlrk2pyxlnwjyqrdq0dawqrn0q67` is named twice, "
        "first on line 2",
        "name each once" SEE);
    assert_refused(NETWORK "validators = ( { name = \"alice\"; key = \"" ALICE "\"; stake = \"1\"; },\n"
                           " { name = \"alice\"; key = \"" BOB "\"; stake = \"1\"; } );\n",
                   "c.txt:3", "setting `name`: `alice` is named twice, first on line 2",
                   "name each once" SEE);
    /* bech32 may be all upper case: still the same key. */
    assert_refused(NETWORK "validators = ( { name = \"alice\"; key = \"" ALICE "\"; stake = \"1\"; },\n"
                           " { name = \"bob\"; key = "
                           "\"ERAPUB132YW8HT5P8CETL2JMVKNEWJAWT9XWZDLRK2PYXLNWJYQRDQ0DAWQRN0Q67\"; stake = "
                           "\"1\"; } );\n",
                   "c.txt:3",
                   "setting `key`: `ERAPUB132YW8HT5P8CETL2JMVKNEWJAWT9XWZDLRK2PYXLNWJYQRDQ0DAWQRN0Q67` is "
                   "named twice, first on "
                   "line 2",
                   "name each once" SEE);
}

Test(charter_text, a_wrong_value_says_why)
{
    struct era_charter c;
    struct era_error err = {0};
    static const char secret[] =
        NETWORK "validators = ( { name = \"a\";\n key = \"erapub1qqq\"; stake = \"1\"; } );\n";

    cr_assert_not(era_charter_from_text("c.txt", secret, strlen(secret), &c, &err));
    cr_expect_str_eq(err.where, "c.txt:3");
    cr_expect_eq(strncmp(err.text, "setting `key`: ", 15), 0);
    assert_refused("network : { name = \"Grid\"; };", "c.txt:1",
                   "setting `name`: a name is 1 to 64 of a-z, 0-9, dot, underscore and hyphen",
                   "use a-z, 0-9, dot, _ and -" SEE);
    assert_refused("network : { name = \"grid\";\n clock : {\n kind = \"moon\"; }; };", "c.txt:3",
                   "setting `kind`: there are two kinds", "write \"wall\" or \"height\"" SEE);
    assert_refused("network : { name = \"grid\";\n clock : {\n genesis = \"2026-02-30T00:00:00Z\"; }; };",
                   "c.txt:3", "setting `genesis`: neither a time in UTC nor Unix milliseconds",
                   "write \"2026-01-01T00:00:00Z\" or \"1767225600000\"" SEE);
    assert_refused(NETWORK COMPONENT("enough = \"4/3\"; ", ""), "c.txt:2",
                   "setting `enough`: it is no fraction from 0 to 1", "write \"2/3\"" SEE);
    assert_refused("network = \"grid\";", "c.txt:1", "setting `network` must be a group in braces",
                   "write it like NAME : { ... };" SEE);
    assert_refused("network : { strict_emission = 1; };", "c.txt:1",
                   "setting `strict_emission` must be true or false", "see erad-charter(5)");
    assert_refused("validators = [ \"alice\" ];", "c.txt:1",
                   "setting `validators` must be groups in parentheses",
                   "write it like ( { ... }, { ... } )" SEE);
}

Test(charter_text, R14_a_clock_has_what_its_kind_needs)
{
#define WITH(clock) "network : { name = \"grid\";\n clock : { " clock " }; };\n" COMPONENT("", "")
    assert_refused(WITH("kind = \"wall\"; epoch_ms = \"1\";"), "c.txt:2",
                   "setting `genesis` is missing in a wall clock", "add it" SEE);
    assert_refused(WITH("kind = \"wall\"; genesis = \"0\";"), "c.txt:2",
                   "setting `epoch_ms` is missing in a wall clock", "add it" SEE);
    assert_refused(WITH("kind = \"height\"; epoch_heights = \"1\"; genesis = \"0\";"), "c.txt:2",
                   "setting `genesis` is not for a height clock", "remove it" SEE);
    assert_refused(WITH("kind = \"height\";"), "c.txt:2",
                   "setting `epoch_heights` is missing in a height clock", "add it" SEE);
}

#define CHAIN                                                                                                \
    "version = \"1\"; parent = \"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"; "

Test(charter_text, R10_what_follows_says_when_and_how_far)
{
    static const char rest[] = CLOCK " };\n" VALIDATORS COMPONENT("", "");
    static const char *const said[] = {"", "effective = \"40\"; ", "carried = ( ); "};
    static const char *const missing[] = {"effective", "carried", "effective"};
    for (size_t i = 0; i < 3; i++) {
        char text[4096], says[128];
        snprintf(text, sizeof text, "network : { name = \"grid\"; " CHAIN "%s%s", said[i], rest);
        snprintf(says, sizeof says, "setting `%s` is missing: version 1 follows another charter", missing[i]);
        assert_refused(text, "c.txt:1", says, "add it" SEE);
    }
    assert_refused(
        "network : { name = \"grid\"; effective = \"40\"; " CLOCK " };\n" VALIDATORS COMPONENT("", ""),
        "c.txt:1", "setting `effective`: charter version 0 follows none", "remove it, or set `version`" SEE);
}

Test(charter_text, R10_a_parent_goes_with_a_version)
{
    assert_refused("network : { name = \"grid\"; version = \"1\"; " CLOCK " };\n" COMPONENT("", ""),
                   "c.txt:1", "setting `parent` is missing: version 1 follows another charter", "add it" SEE);
}

Test(charter_text, what_libconfig_passes_in_silence_is_refused)
{
    struct era_charter c;
    struct era_error err = {0};

    assert_refused("\n@include \"/etc/passwd\"\n", "c.txt:2", "@include is not allowed",
                   "write it all into one file" SEE);
    assert_refused("network : { name = \"gr\\x00id\"; };", "c.txt:1", "a text holds a NUL (\\x00)",
                   "remove it" SEE);
    assert_refused("network : { name = \"gr\\x01id\"; };", "c.txt:1",
                   "setting `name` holds a control character or is not UTF-8",
                   "use a-z, 0-9, dot, _ and -" SEE);
    assert_refused(PLAIN "/* to the end", "c.txt:6", "a comment is not closed", "close it with */" SEE);
    assert_refused("network : { name = \"grid", "c.txt:1", "a text is not closed", "close it with \"" SEE);
    assert_refused("\n\nnetwork : {\xff};", "c.txt:3", "the line holds a control character or is not UTF-8",
                   "save it as UTF-8 with plain line endings" SEE);
    cr_assert_not(era_charter_from_text("c.txt", "network\0", 8, &c, &err));
    cr_expect_str_eq(err.text, "the line holds a control character or is not UTF-8");
    /* Neither of these is one: a NUL behind an escaped backslash, a number in a comment. */
    c = given_charter("// 4294967297\n/* 1e9 */ # \"\n" NETWORK COMPONENT("", "link = \"\\\\x00\";"));
    cr_expect_str_eq(c.components[0].initial.link, "\\x00");
    era_charter_clear(&c);
}

Test(charter_text, a_syntax_error_names_the_line)
{
    assert_refused("\"network\" : { };", "c.txt:1", "syntax error: a text stands where no value may",
                   SETTING_FORM SEE);
    assert_refused("network : {\n name \"grid\"; };", "c.txt:2",
                   "syntax error: a text stands where no value may", SETTING_FORM SEE);
    assert_refused("network : {\n name = \"grid\", \"lattice\"; };", "c.txt:2",
                   "syntax error: a text stands where no value may", SETTING_FORM SEE);
    assert_refused("a = ( [ \"x\" ],\n { b = \"y\", \"z\" } );", "c.txt:2",
                   "syntax error: a text stands where no value may", SETTING_FORM SEE);
    assert_refused("a = ((((((((((((((((\n(", "c.txt:2", "brackets are nested too deeply",
                   "see erad-charter(5)");
    assert_refused("network : {\n name = = \"grid\"; };", "c.txt:2", "syntax error: name = = \"grid\"; };",
                   SETTING_FORM SEE);
    assert_refused("network : {\n name = [ 1, \"grid\" ]; };", "c.txt:2",
                   "mismatched element type in array: name = [ 1, \"grid\" ]; };", SETTING_FORM SEE);
    assert_refused("network : { name = \"a\" /* c */ \"b\" c", "c.txt:1",
                   "syntax error: network : { name = \"a\" /* c */ \"b\" c", SETTING_FORM SEE);
}

Test(charter_text, lists_and_texts_have_bounds)
{
    char *text = malloc(ERA_CHARTER_TEXT_BYTES_MAX + 1);
    struct era_charter c;
    struct era_error err = {0};

    memset(text, ' ', ERA_CHARTER_TEXT_BYTES_MAX + 1);
    cr_assert_not(era_charter_from_text("c.txt", text, ERA_CHARTER_TEXT_BYTES_MAX + 1, &c, &err));
    cr_expect_str_eq(err.text, "the file is too large");
    free(text);
    assert_refused(NETWORK "components = ( );", "c.txt:2", "setting `components` has 0 elements, not 1 to 32",
                   "see erad-charter(5)");
}

Test(charter_text, C4_the_example_is_a_charter)
{
    char path[4096];
    struct era_charter c;
    struct era_error err = {0};
    const char *src = getenv("ERA_SRC");

    snprintf(path, sizeof path, "%s/contrib/examples/charter.txt", src ? src : ".");
    cr_assert(era_charter_load(path, &c, &err), "%s: %s", err.where, err.text);
    cr_expect_str_eq(c.name, "storage-grid");
    cr_expect_eq(c.validator_count, 4);
    era_charter_clear(&c);
}

Test(charter_text, a_file_holds_a_text_or_the_canonical_bytes)
{
    char path[] = "/tmp/erad-test-charter-XXXXXX";
    int fd = mkstemp(path);
    struct era_charter c = given_charter(PLAIN), loaded;
    struct era_error err = {0};
    uint8_t *bytes;
    size_t len = era_charter_encode(&c, &bytes);
    FILE *file = fdopen(fd, "w");

    cr_assert_eq(fwrite(bytes, 1, len, file), len);
    fflush(file);
    cr_expect(era_charter_load(path, &loaded, &err), "%s", err.text);
    cr_expect(era_hash_eq(&loaded.hash, &c.hash));
    era_charter_clear(&loaded);
    cr_assert_eq(ftruncate(fd, (off_t)len - 1), 0);
    cr_expect_not(era_charter_load(path, &loaded, &err));
    cr_expect_eq(strncmp(err.text, "this is no charter: ", 20), 0);
    fclose(file);
    remove(path);
    free(bytes);
    era_charter_clear(&c);
    cr_expect_not(era_charter_load("/nowhere/charter.txt", &loaded, &err));
    cr_expect_eq(err.status, 66);
}
