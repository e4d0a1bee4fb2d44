#include <criterion/criterion.h>

#include "src/base/semver.h"

Test(semver, takes_what_the_grammar_of_semver_org_produces)
{
    static const char *const valid[] = {
        "0.0.0", "0.0.4", "1.2.3", "10.20.30", "1.1.2-prerelease+meta", "1.1.2+meta", "1.1.2+meta-valid",
        "1.0.0-alpha", "1.0.0-alpha.beta.1", "1.0.0-alpha0.valid", "1.0.0-0A.is.legal", "1.0.0-0", "1.0.0--",
        "1.0.0-alpha-a.b-c-somethinglong+build.1-aef.1-its-okay", "1.2.3----RC-SNAPSHOT.12.9.1--.12+788",
        "1.0.0+0.build.1-rc.10000aaa-kk-0.1", "1.0.0+001", "2.0.0+build.1848", "1.0.0-2.0.0",
        "99999999999999999999999.999999999999999999.99999999999999999"};
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++)
        cr_expect(era_semver_valid(valid[i]), "%s: %s", valid[i], era_semver_why(valid[i]));
}

static const struct {
    const char *text, *why;
} refused[] = {
    {"", "it is empty"},
    {"v1.2.3", "it begins with \"v\": write 1.2.3, not v1.2.3"},
    {"V1.2.3", "it begins with \"v\": write 1.2.3, not v1.2.3"},
    {"1", "it needs three numbers, MAJOR.MINOR.PATCH"},
    {"1.2", "it needs three numbers, MAJOR.MINOR.PATCH"},
    {"1.2.", "it needs three numbers, MAJOR.MINOR.PATCH"},
    {".2.3", "it needs three numbers, MAJOR.MINOR.PATCH"},
    {"1.2-rc.1", "it needs three numbers, MAJOR.MINOR.PATCH"},
    {"1.2.x", "it needs three numbers, MAJOR.MINOR.PATCH"},
    {"1.2.3 ", "it needs three numbers, MAJOR.MINOR.PATCH"},
    {" 1.2.3", "it needs three numbers, MAJOR.MINOR.PATCH"},
    {"-1.2.3", "it needs three numbers, MAJOR.MINOR.PATCH"},
    {"alpha", "it needs three numbers, MAJOR.MINOR.PATCH"},
    {"1.2.3.4", "it has more than three numbers"},
    {"01.2.3", "a number has a leading zero"},
    {"1.02.3", "a number has a leading zero"},
    {"1.2.03", "a number has a leading zero"},
    {"1.2.3-", "a part between dots, after \"-\" or after \"+\" is empty"},
    {"1.2.3+", "a part between dots, after \"-\" or after \"+\" is empty"},
    {"1.2.3-+b", "a part between dots, after \"-\" or after \"+\" is empty"},
    {"1.2.3-a..b", "a part between dots, after \"-\" or after \"+\" is empty"},
    {"1.2.3-a.", "a part between dots, after \"-\" or after \"+\" is empty"},
    {"1.2.3+a..b", "a part between dots, after \"-\" or after \"+\" is empty"},
    {"1.2.3-01", "a numeric part of the pre-release has a leading zero"},
    {"1.2.3-a.00", "a numeric part of the pre-release has a leading zero"},
    {"1.2.3-a_b", "a character is none of 0-9 A-Z a-z . - +"},
    {"1.2.3-\xc3\xa9", "a character is none of 0-9 A-Z a-z . - +"},
    {"1.2.3+a+b", "a character is none of 0-9 A-Z a-z . - +"},
    {"1.2.3-a\n", "a character is none of 0-9 A-Z a-z . - +"},
};

Test(semver, refuses_every_other_form_and_says_why)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        cr_assert(!era_semver_valid(refused[i].text), "\"%s\" was taken", refused[i].text);
        cr_expect_str_eq(era_semver_why(refused[i].text), refused[i].why, "\"%s\"", refused[i].text);
    }
}

#define ZEROS_49 "0000000000000000000000000000000000000000000000000"
#define ZEROS_98 ZEROS_49 ZEROS_49

/* Each is below the next; the first eight are semver.org's own example. */
static const char *const ascending[] = {
    "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
    "1.0.0-rc.1", "1.0.0", "1.0.1-0", "1.0.1-2", "1.0.1-10", "1.0.1-18446744073709551616", "1.0.1--",
    "1.0.1-1a", "1.0.1-A", "1.0.1-a", "1.0.1-a.0", "1.0.1-aa", "1.0.1", "1.2.0", "1.10.0", "2.0.0", "2.1.0",
    "2.1.1", "10.0.0",
    /* beyond 64 bits, and 100 digits */
    "18446744073709551615.0.0", "18446744073709551616.0.0",
    "1" ZEROS_98 "1.0.0",
    "1" ZEROS_98 "2.0.0",
    "2" ZEROS_98 "0.0.0",
};

Test(semver, orders_versions_as_semver_org_does_numbers_of_any_length_too)
{
    size_t n = sizeof ascending / sizeof ascending[0];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            cr_expect_eq(era_semver_compare(ascending[i], ascending[j]), (i > j) - (i < j), "%s against %s",
                         ascending[i], ascending[j]);
}

Test(semver, build_metadata_does_not_count)
{
    cr_assert_eq(era_semver_compare("1.0.0+a", "1.0.0+b"), 0);
    cr_assert_eq(era_semver_compare("1.0.0-rc.1+a", "1.0.0-rc.1"), 0);
    cr_assert_eq(era_semver_compare("1.0.0+a", "1.0.0-rc.1+b"), 1);
}

static const struct {
    const char *range, *version;
    bool holds;
} matches[] = {
    {"", "1.2.3", true},
    {"*", "1.2.3", true},
    {"*", "1.2.3-rc.1", true},
    {"1.2.3", "1.2.3", true},
    {"1.2.3", "1.2.3+build", true},
    {"=1.2.3+x", "1.2.3+y", true},
    {"1.2.3", "1.2.4", false},
    {"=1.2.3", "1.2.3-rc.1", false},
    {">1.2.3", "1.2.3", false},
    {">1.2.3", "1.2.4", true},
    {">=1.2.3", "1.2.3", true},
    {">=1.2.3", "1.2.3-rc.1", false},
    {"<2.0.0", "1.9.9", true},
    {"<2.0.0", "2.0.0", false},
    {"<=2.0.0", "2.0.0", true},
    {"<=2.0.0", "2.0.1", false},
    {">=1.0.0 <2.0.0", "1.5.0", true},
    {">=1.0.0 <2.0.0", "2.5.0", false},
    {">=1.0.0   <2.0.0 ", "1.5.0", true},
    {"1.0.0 || 2.0.0", "2.0.0", true},
    {"1.0.0||2.0.0", "1.0.0", true},
    {"1.0.0 || 2.0.0", "3.0.0", false},
    {"^1.0.0 <1.3.0 || >=5.0.0", "1.4.0", false},
    {"^1.0.0 <1.3.0 || >=5.0.0", "6.0.0", true},
    {"* <2.0.0", "3.0.0", false},
    /* ^: the first number that is not zero stays */
    {"^1.2.3", "1.2.3", true},
    {"^1.2.3", "1.9.0", true},
    {"^1.2.3", "1.2.2", false},
    {"^1.2.3", "2.0.0", false},
    {"^0.2.3", "0.2.9", true},
    {"^0.2.3", "0.3.0", false},
    {"^0.2.3", "1.2.3", false},
    {"^0.0.3", "0.0.3", true},
    {"^0.0.3", "0.0.4", false},
    {"^0.0.0", "0.0.1", false},
    {"^10.0.0", "10.1.0", true},
    {"^99999999999999999999.0.0", "99999999999999999999.1.0", true},
    {"^99999999999999999999.0.0", "100000000000000000000.0.0", false},
    /* ~: major and minor stay */
    {"~1.2.3", "1.2.9", true},
    {"~1.2.3", "1.2.2", false},
    {"~1.2.3", "1.3.0", false},
    {"~0.0.3", "0.0.9", true},
    /* pre-releases: plain order, but never above the bound of ^ and ~ */
    {">=1.0.0", "1.1.0-rc.1", true},
    {"<2.0.0", "2.0.0-rc.1", true},
    {"^1.2.3", "1.3.0-rc.1", true},
    {"^1.2.3", "2.0.0-rc.1", false},
    {"^1.2.3", "1.2.3-rc.1", false},
    {"^1.2.3-rc.2", "1.2.3-rc.1", false},
    {"^1.2.3-rc.2", "1.2.3-rc.3", true},
    {"^0.0.3-rc.1", "0.0.3", true},
    {"~1.2.3", "1.3.0-rc.1", false},
    {"~1.2.3", "1.2.4-rc.1", true},
};

Test(range, holds_for_what_its_grammar_says)
{
    for (size_t i = 0; i < sizeof matches / sizeof matches[0]; i++) {
        const char *range = matches[i].range, *version = matches[i].version;
        cr_expect(era_range_valid(range), "\"%s\": %s", range, era_range_why(range));
        cr_expect_eq(era_range_match(range, version), matches[i].holds, "\"%s\" for %s", range, version);
    }
}

static const struct {
    const char *range, *why;
} refused_ranges[] = {
    {"1.0.0 - 2.0.0", "hyphen ranges are not supported: write >=A <=B"},
    {"1.x", "it needs three numbers, MAJOR.MINOR.PATCH"},
    {"^1.2", "it needs three numbers, MAJOR.MINOR.PATCH"},
    {"~1", "it needs three numbers, MAJOR.MINOR.PATCH"},
    {">=*", "it needs three numbers, MAJOR.MINOR.PATCH"},
    {">=v1.0.0", "it begins with \"v\": write 1.2.3, not v1.2.3"},
    {">= 1.0.0", "an operator must stand directly before its version, without a space"},
    {"^", "an operator must stand directly before its version, without a space"},
    {"==1.0.0", "an operator is none of = > >= < <= ^ ~"},
    {"=>1.0.0", "an operator is none of = > >= < <= ^ ~"},
    {"!=1.0.0", "an operator is none of = > >= < <= ^ ~"},
    {"~>1.0.0", "an operator is none of = > >= < <= ^ ~"},
    {" ", "an alternative is empty: write * for any version"},
    {"||", "an alternative is empty: write * for any version"},
    {"1.0.0 ||", "an alternative is empty: write * for any version"},
    {"|| 1.0.0", "an alternative is empty: write * for any version"},
    {"1.0.0 | 2.0.0", "alternatives are joined by \"||\""},
    {"1.0.0 |", "alternatives are joined by \"||\""},
    {"1.0.0 ||| 2.0.0", "an alternative is empty: write * for any version"},
    {">=1.0.0,<2.0.0", "it needs three numbers, MAJOR.MINOR.PATCH"},
    {">=1.0.0\t<2.0.0", "it needs three numbers, MAJOR.MINOR.PATCH"},
};

Test(range, refuses_every_other_form_and_says_why)
{
    for (size_t i = 0; i < sizeof refused_ranges / sizeof refused_ranges[0]; i++) {
        const char *range = refused_ranges[i].range;
        cr_assert(!era_range_valid(range), "\"%s\" was taken", range);
        cr_expect_str_eq(era_range_why(range), refused_ranges[i].why, "\"%s\"", range);
    }
}

Test(range, M1_a_gate_stays_shut_on_what_it_cannot_read)
{
    cr_assert(!era_range_match("1.0.0 || oops", "1.0.0"));
    cr_assert(!era_range_match("*", ""));
    cr_assert(!era_range_match(">=1.0.0", "v2.0.0"));
    cr_assert(era_range_match("", ""));
}
