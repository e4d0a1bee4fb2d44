#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>

#include "src/base/verdict.h"

Test(verdict, has_a_row_of_its_own)
{
    cr_assert_str_eq(era_verdict_code(ERA_ACCEPTED), "accepted");
    cr_assert_str_eq(era_verdict_code(ERA_BAD_SIGNATURE), "bad-signature");
    cr_assert_str_eq(era_verdict_text(ERA_BAD_SIGNATURE), "the signature does not fit");
    cr_assert_eq(era_verdict_penalty(ERA_BAD_SIGNATURE), 10);
    cr_assert_eq(era_verdict_exit(ERA_PERMISSION), ERA_EXIT_PERMISSION);
    cr_assert_eq(era_verdict_exit(ERA_BLOCKED), ERA_EXIT_INCOMPATIBLE);
}

Test(verdict, code_is_one_word_that_no_other_has)
{
    for (int v = 0; v < ERA_VERDICT_COUNT; v++) {
        const char *code = era_verdict_code((enum era_verdict)v);
        cr_expect_gt(strlen(code), 0);
        for (const char *c = code; *c != '\0'; c++)
            cr_expect(islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '-', "%s", code);
        for (int other = 0; other < v; other++)
            cr_expect_str_neq(code, era_verdict_code((enum era_verdict)other));
    }
}

Test(verdict, other_than_accepted_says_what_it_means_and_ends_with_its_own_status)
{
    for (int i = 1; i < ERA_VERDICT_COUNT; i++) {
        enum era_verdict v = (enum era_verdict)i;
        int status = era_verdict_exit(v);
        cr_expect_gt(strlen(era_verdict_text(v)), 0);
        cr_expect_gt(strlen(era_verdict_cure(v)), 0, "%s names no cure", era_verdict_code(v));
        cr_expect(status == 0 || status == 1 || (status >= 64 && status <= 78), "%s", era_verdict_code(v));
        cr_expect(era_verdict_penalty(v) >= 0 && era_verdict_penalty(v) <= 10, "%s", era_verdict_code(v));
    }
}

/* What an honest peer may send must cost it nothing, or nodes that see
 * different parts of the network would cut each other off. */
Test(verdict, charges_no_peer_for_honest_disagreement)
{
    static const enum era_verdict free_of_charge[] = {
        ERA_ACCEPTED, ERA_DUPLICATE, ERA_DOMINATED, ERA_BEYOND_WINDOW, ERA_UNKNOWN_KIND, ERA_UNKNOWN_CHARTER,
        ERA_NO_PREV, ERA_NOT_APPROVED, ERA_EXPIRED, ERA_STORE_FAILED, ERA_FULL};
    for (size_t i = 0; i < sizeof free_of_charge / sizeof free_of_charge[0]; i++)
        cr_expect_eq(era_verdict_penalty(free_of_charge[i]), 0, "%s", era_verdict_code(free_of_charge[i]));
}
