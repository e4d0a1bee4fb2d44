#include <criterion/criterion.h>
#include <string.h>

#include "src/core/plan.h"
#include "src/core/requirement.h"
#include "tests/lib/given.h"

/* Charter of one component with an initial record 1.0.0, and the plan of slot 1. */
static struct era_charter *c;

static void begin(void)
{
    c = given_charter("alice:10 bob:10 carol:10 dave:10", "network k=2 signers=s1,s2,s3 artefacts=linux");
}

TestSuite(plan, .init = begin);
TestSuite(extending, .init = begin);

static struct era_proposal *start(void)
{
    return given_proposal(c, "network", 1);
}

/* "" when the plan is well formed, else why not. */
static const char *flaw(const struct era_proposal *p)
{
    const char *why = "?";
    enum era_verdict v = era_plan_well_formed(p, &why);
    cr_assert_eq(v == ERA_ACCEPTED, why == NULL);
    cr_assert(v == ERA_ACCEPTED || v == ERA_ILL_FORMED_PLAN);
    return why ? why : "";
}

/* ---- well formed by itself (protocol: statements) ---- */

Test(plan, the_record_in_force_alone_is_a_plan)
{
    cr_expect_str_eq(flaw(start()), "");
}

Test(plan, epochs_strictly_ascend)
{
    cr_expect_str_eq(flaw(given_soft(given_soft(start(), 10, "1.1.0"), 11, "1.2.0")), "");
    cr_expect_str_eq(flaw(given_soft(given_soft(start(), 10, "1.1.0"), 10, "1.2.0")),
                     "effective epochs must ascend");
    cr_expect_str_eq(flaw(given_soft(given_soft(start(), 10, "1.1.0"), 9, "1.2.0")),
                     "effective epochs must ascend");
    cr_expect_str_eq(flaw(given_soft(start(), 1, "1.1.0")), "");
    cr_expect_str_eq(flaw(given_soft(start(), 0, "1.1.0")), "effective epochs must ascend");
}

Test(plan, it_has_one_to_five_entries)
{
    struct era_proposal *p = start();
    for (uint64_t e = 1; e < 5; e++)
        given_soft(p, e, "1.0.0");
    cr_expect_str_eq(flaw(p), "");
    p->plan.count = 0;
    cr_expect_str_eq(flaw(p), "a plan has 1 to 5 entries");
}

Test(plan, M4_only_the_last_entry_may_lack_an_epoch)
{
    const char *why = "only the last entry may be without an epoch, and it is not the first";
    struct era_proposal *middle = given_announced(start(), "2.0.0"), *first = start();

    cr_expect_str_eq(flaw(given_announced(given_soft(start(), 10, "1.1.0"), "2.0.0")), "");
    given_soft(middle, 10, "2.1.0");
    cr_expect_str_eq(flaw(middle), why);
    first->plan.entries[0].has_effective = false;
    cr_expect_str_eq(flaw(given_seal(first)), why);
}

Test(plan, the_first_entry_is_not_new)
{
    struct era_proposal *p = start();

    p->plan.entries[0].is_new = true;
    cr_expect_str_eq(flaw(p), "the first entry is the record in force and cannot be new");
}

Test(plan, M2_soft_keeps_the_era_before_it)
{
    const char *why = "a soft entry keeps the era before it";
    struct era_proposal *number = given_soft(start(), 10, "1.1.0"), *name = given_soft(start(), 10, "1.1.0");

    cr_expect_str_eq(flaw(given_soft(start(), 10, "1.1.0")), "");
    number->plan.entries[1].record.era = 2;
    cr_expect_str_eq(flaw(given_seal(number)), why);
    strcpy(name->plan.entries[1].record.era_name, "another");
    cr_expect_str_eq(flaw(given_seal(name)), why);
}

Test(plan, P1_soft_keeps_the_required_ranges)
{
    struct era_proposal *p = given_requires(given_soft(start(), 10, "1.1.0"), ">=1.1.0");

    cr_expect_str_eq(flaw(p), "a soft entry keeps the required ranges of its era");
    cr_expect_str_eq(flaw(given_requires(given_breaking(start(), 10, "2.0.0"), ">=2.0.0")), "");
}

Test(plan, P2_soft_may_name_a_dependency)
{
    struct era_proposal *p = given_soft(start(), 10, "1.1.0");
    struct era_record *r = &p->plan.entries[1].record;

    r->dependency_count = 1;
    strcpy(r->dependencies[0].name, "hostchain");
    strcpy(r->dependencies[0].range, ">=0.39.0");
    cr_expect_str_eq(flaw(given_seal(p)), "");
    strcpy(r->dependencies[0].range, "new");
    cr_expect_str_eq(flaw(given_seal(p)), "a dependency's range is not a range of semantic versions");
}

Test(plan, M2_breaking_takes_the_next_era)
{
    const char *why = "a breaking entry takes the era's number before it plus one";
    struct era_proposal *same = given_breaking(start(), 10, "2.0.0"),
                        *skip = given_breaking(start(), 10, "2.0.0");

    cr_expect_str_eq(flaw(given_breaking(given_breaking(start(), 10, "2.0.0"), 20, "3.0.0")), "");
    same->plan.entries[1].record.era = 1;
    cr_expect_str_eq(flaw(given_seal(same)), why);
    skip->plan.entries[1].record.era = 3;
    cr_expect_str_eq(flaw(given_seal(skip)), why);
}

Test(plan, D3_only_an_override_may_lower_a_version)
{
    const char *why = "a version lower than the one before it needs an override";

    cr_expect_str_eq(flaw(given_soft(start(), 10, "1.0.0")), "", "an equal version is not lower");
    cr_expect_str_eq(flaw(given_soft(start(), 10, "0.9.0")), why);
    cr_expect_str_eq(flaw(given_breaking(start(), 10, "0.9.0")), why);
    cr_expect_str_eq(flaw(given_override(start(), 10, "0.9.0")), "");
}

Test(plan, D3_an_override_keeps_the_era_or_takes_the_next)
{
    struct era_proposal *next = given_override(start(), 10, "0.9.0"),
                        *far = given_override(start(), 10, "0.9.0");

    next->plan.entries[1].record.era = 2;
    cr_expect_str_eq(flaw(given_seal(next)), "");
    far->plan.entries[1].record.era = 3;
    cr_expect_str_eq(flaw(given_seal(far)), "an override keeps the era's number or takes the next");
}

Test(plan, D3_an_override_changes_its_own_component_only)
{
    struct era_proposal *p = given_override(start(), 10, "0.9.0");

    strcpy(p->plan.entries[1].record.component, "oracle");
    cr_expect_str_eq(flaw(given_seal(p)), "a record names another component than the slot");
}

Test(plan, M1_versions_ranges_and_digests_have_their_form)
{
    struct era_proposal *p[4];

    for (size_t i = 0; i < 4; i++)
        p[i] = given_breaking(start(), 10, "2.0.0");
    strcpy(p[0]->plan.entries[1].record.version, "2.0");
    cr_expect_str_eq(flaw(given_seal(p[0])),
                     "a record's version is not a semantic version (major.minor.patch)");
    strcpy(p[1]->plan.entries[1].record.requires.v[ERA_VERSION_DATABASE], ">=2");
    cr_expect_str_eq(flaw(given_seal(p[1])), "a required range is not a range of semantic versions");
    strcpy(p[2]->plan.entries[1].record.artefacts[0].digest, "sha256:00");
    cr_expect_str_eq(flaw(given_seal(p[2])), "an artefact's digest is not h1:, m1: or sha256:");
    strcpy(p[3]->plan.entries[1].record.source_digest, "md5:00");
    cr_expect_str_eq(flaw(given_seal(p[3])), "the source digest is not h1:, m1: or sha256:");
}

Test(plan, no_entry_is_both_contained_and_dropped)
{
    struct era_proposal *p = given_soft(start(), 10, "1.1.0");

    p->drop_count = 1;
    p->drops[0] = given_entry(start(), 0);
    cr_expect_str_eq(flaw(p), "an entry is both contained and dropped");
    p->drops[0] = given_entry(given_soft(start(), 11, "1.1.0"), 1);
    cr_expect_str_eq(flaw(p), "");
}

Test(plan, prev_lies_below_the_slot)
{
    struct era_proposal *p = given_next(c, start(), 2);

    cr_expect_str_eq(flaw(p), "");
    p->prev.seq = 2;
    cr_expect_str_eq(flaw(p), "prev is not below the slot");
    p->prev.seq = 1;
    p->prev.charter_version = 1;
    cr_expect_str_eq(flaw(p), "prev is not below the slot");
    p->prev.charter_version = 0;
    p->slot.charter_version = 1;
    p->prev.seq = 99;
    cr_expect_str_eq(flaw(p), "", "an older charter's slots all lie below");
}

/* ---- reading a plan ---- */

Test(plan, R7_current_is_the_last_entry_that_has_begun)
{
    struct era_proposal *p =
        given_announced(given_breaking(given_soft(start(), 10, "1.1.0"), 20, "2.0.0"), "3.0.0");

    cr_expect_eq(era_plan_current(&p->plan, 0), 0);
    cr_expect_eq(era_plan_current(&p->plan, 9), 0);
    cr_expect_eq(era_plan_current(&p->plan, 10), 1);
    cr_expect_eq(era_plan_current(&p->plan, 20), 2);
    cr_expect_eq(era_plan_current(&p->plan, ERA_EPOCH_MAX), 2, "an announced entry never begins (M4)");
    given_from(p, 1);
    cr_expect_eq(era_plan_current(&p->plan, 9), -1, "below the first entry there is none");
}

Test(plan, an_entry_is_the_same_whether_new_or_kept)
{
    struct era_proposal *p = given_breaking(start(), 10, "2.0.0"), *kept = given_next(c, p, 2);

    cr_assert(p->plan.entries[1].is_new);
    cr_assert_not(kept->plan.entries[1].is_new);
    given_seal(kept);
    struct era_hash a = given_entry(p, 1);
    cr_expect_eq(era_plan_find(&kept->plan, &a), 1);
    kept->plan.entries[1].effective = 11;
    given_seal(kept);
    cr_expect_eq(era_plan_find(&kept->plan, &a), -1);
}

Test(plan, D7_news_is_the_most_demanding_new_thing)
{
    struct era_proposal *breaking = given_breaking(start(), 10, "2.0.0");

    cr_expect_eq(era_plan_news(&start()->plan), ERA_NEWS_DROPS);
    cr_expect_eq(era_plan_news(&given_announced(start(), "2.0.0")->plan), ERA_NEWS_ANNOUNCED);
    cr_expect_eq(era_plan_news(&given_soft(start(), 10, "1.1.0")->plan), ERA_NEWS_SOFT);
    cr_expect_eq(era_plan_news(&given_override(start(), 10, "0.1.0")->plan), ERA_NEWS_BREAKING);
    cr_expect_eq(era_plan_news(&given_soft(breaking, 20, "2.1.0")->plan), ERA_NEWS_BREAKING);
    cr_expect_eq(era_plan_news(&given_next(c, breaking, 2)->plan), ERA_NEWS_DROPS, "kept is not new");
}

/* ---- the extending rule (protocol: from proposal to adopted slot) ---- */

/* The rule as a validator at an epoch keeps it, with a notice of 2, on a head. */
static enum era_verdict extends(const struct era_proposal *head, uint64_t epoch, const struct era_proposal *p)
{
    struct era_extending x = {
        .prev_plan = &head->plan, .prev = given_head(c, head), .epoch = epoch, .notice_epochs = 2};
    return era_plan_extends(&x, p, NULL);
}

/* The same by a key that voted for one plan above the head. */
static enum era_verdict extends_voted(const struct era_proposal *head, uint64_t epoch,
                                      const struct era_proposal *voted, const struct era_proposal *p)
{
    struct era_voted v = {given_id(c, voted), &voted->plan};
    struct era_extending x = {.prev_plan = &head->plan,
                              .prev = given_head(c, head),
                              .epoch = epoch,
                              .notice_epochs = 2,
                              .voted = &v,
                              .voted_count = 1};
    return era_plan_extends(&x, p, NULL);
}

Test(extending, prev_is_the_head_held)
{
    struct era_proposal *head = given_soft(start(), 10, "1.1.0"), *other = given_soft(start(), 11, "1.1.0");
    struct era_extending none = {.prev_plan = &start()->plan, .epoch = 0, .notice_epochs = 2};
    struct era_proposal *seq = given_next(c, head, 3);

    cr_expect_eq(extends(head, 0, given_next(c, head, 3)), ERA_ACCEPTED);
    cr_expect_eq(extends(head, 0, given_next(c, other, 3)), ERA_NO_PREV);
    seq->prev.seq = 2;
    cr_expect_eq(extends(head, 0, seq), ERA_NO_PREV);
    cr_expect_eq(extends(head, 0, given_soft(start(), 10, "1.1.0")), ERA_NO_PREV,
                 "prev none, but a head is held");
    cr_expect_eq(era_plan_extends(&none, given_soft(start(), 10, "1.1.0"), NULL), ERA_ACCEPTED);
    cr_expect_eq(era_plan_extends(&none, given_next(c, head, 3), NULL), ERA_NO_PREV);
}

Test(extending, the_first_entry_is_one_of_prevs_that_has_begun)
{
    struct era_proposal *head = given_breaking(given_soft(start(), 10, "1.1.0"), 20, "2.0.0");
    struct era_proposal *foreign = given_next(c, head, 2);

    cr_expect_eq(extends(head, 9, given_from(given_next(c, head, 2), 0)), ERA_ACCEPTED);
    cr_expect_eq(extends(head, 9, given_from(given_next(c, head, 2), 1)), ERA_NOT_EXTENDING, "not begun");
    cr_expect_eq(extends(head, 10, given_from(given_next(c, head, 2), 1)), ERA_ACCEPTED);
    cr_expect_eq(extends(head, 10, given_from(given_next(c, head, 2), 0)), ERA_ACCEPTED,
                 "not necessarily the latest");
    cr_expect_eq(extends(head, 19, given_from(given_next(c, head, 2), 2)), ERA_NOT_EXTENDING);
    cr_expect_eq(extends(head, 20, given_from(given_next(c, head, 2), 2)), ERA_ACCEPTED);
    strcpy(foreign->plan.entries[0].record.version, "1.0.1");
    cr_expect_eq(extends(head, 9, given_seal(foreign)), ERA_NOT_EXTENDING, "not prev's");
}

Test(extending, every_later_entry_of_prev_is_kept_unchanged_or_dropped)
{
    struct era_proposal *head = given_breaking(given_soft(start(), 10, "1.1.0"), 20, "2.0.0");
    struct era_proposal *lost = given_next(c, head, 2), *moved = given_next(c, head, 2);

    cr_expect_eq(extends(head, 0, given_next(c, head, 2)), ERA_ACCEPTED);
    lost->plan.count = 2;
    cr_expect_eq(extends(head, 0, lost), ERA_NOT_EXTENDING);
    moved->plan.entries[2].effective = 21;
    moved->plan.entries[2].is_new = true;
    cr_expect_eq(extends(head, 0, given_seal(moved)), ERA_NOT_EXTENDING, "another epoch is another entry");
    cr_expect_eq(extends(head, 0, given_drop(given_next(c, head, 2), given_entry(head, 2))), ERA_ACCEPTED);
    cr_expect_eq(extends(head, 0, given_drop(moved, given_entry(head, 2))), ERA_ACCEPTED);
}

Test(extending, what_has_begun_cannot_be_dropped)
{
    struct era_proposal *head = given_soft(start(), 10, "1.1.0");

    cr_expect_eq(extends(head, 9, given_drop(given_next(c, head, 2), given_entry(head, 1))), ERA_ACCEPTED);
    cr_expect_eq(extends(head, 10, given_drop(given_next(c, head, 2), given_entry(head, 1))),
                 ERA_NOT_EXTENDING);
    cr_expect_eq(extends(head, 11, given_drop(given_next(c, head, 2), given_entry(head, 1))),
                 ERA_NOT_EXTENDING);
}

Test(extending, M4_an_announced_entry_is_not_protected)
{
    struct era_proposal *head = given_announced(start(), "2.0.0");
    struct era_proposal *without = given_next(c, head, 2), *dated = given_next(c, head, 2);

    without->plan.count = 1;
    cr_expect_eq(extends(head, 0, without), ERA_ACCEPTED);
    dated->plan.entries[1].has_effective = true;
    dated->plan.entries[1].effective = 10;
    cr_expect_eq(extends(head, 0, given_seal(dated)), ERA_NOT_EXTENDING, "an epoch makes it a new entry");
    dated->plan.entries[1].is_new = true;
    cr_expect_eq(extends(head, 0, dated), ERA_ACCEPTED);
    cr_expect_eq(extends(head, 8, dated), ERA_SHORT_NOTICE);
}

Test(extending, new_is_what_prev_does_not_have)
{
    struct era_proposal *head = given_soft(start(), 10, "1.1.0");
    struct era_proposal *kept = given_next(c, head, 2),
                        *added = given_soft(given_next(c, head, 2), 20, "1.2.0");

    kept->plan.entries[1].is_new = true;
    cr_expect_eq(extends(head, 0, kept), ERA_NOT_EXTENDING, "kept, but marked as new");
    cr_expect_eq(extends(head, 0, added), ERA_ACCEPTED);
    added->plan.entries[2].is_new = false;
    cr_expect_eq(extends(head, 0, added), ERA_NOT_EXTENDING, "new, but not marked");
}

Test(extending, R4_new_entries_lie_later_than_epoch_plus_notice)
{
    struct era_proposal *head = start();

    cr_expect_eq(extends(head, 7, given_soft(given_next(c, head, 2), 10, "1.1.0")), ERA_ACCEPTED);
    cr_expect_eq(extends(head, 8, given_soft(given_next(c, head, 2), 10, "1.1.0")), ERA_SHORT_NOTICE);
    cr_expect_eq(extends(head, 8, given_announced(given_next(c, head, 2), "2.0.0")), ERA_ACCEPTED);
    cr_expect_eq(extends(head, ERA_EPOCH_MAX, given_soft(given_next(c, head, 2), ERA_EPOCH_MAX, "1.1.0")),
                 ERA_SHORT_NOTICE);
}

Test(extending, inserting_a_breaking_entry_drops_and_adds_the_later_ones_anew)
{
    struct era_proposal *head = given_breaking(start(), 20, "2.0.0");
    struct era_proposal *p = given_drop(given_next(c, head, 2), given_entry(head, 1));

    given_breaking(given_breaking(p, 15, "1.5.0"), 20, "2.0.0");
    cr_expect_str_eq(flaw(p), "");
    cr_expect_eq(p->plan.entries[2].record.era, 3);
    cr_expect_eq(extends(head, 0, p), ERA_ACCEPTED);
    cr_expect_eq(extends(head, 13, p), ERA_SHORT_NOTICE);
}

Test(extending, R4_what_this_key_voted_for_above_prev_is_kept_or_dropped)
{
    struct era_proposal *head = start();
    struct era_proposal *voted = given_breaking(given_next(c, head, 2), 20, "2.0.0");
    struct era_proposal *without = given_soft(given_next(c, head, 3), 10, "1.1.0");
    struct era_proposal *with = given_breaking(given_next(c, head, 3), 20, "2.0.0");

    cr_expect_eq(extends(head, 0, without), ERA_ACCEPTED, "who did not vote is free");
    cr_expect_eq(extends_voted(head, 0, voted, without), ERA_NOT_EXTENDING);
    cr_expect_eq(extends_voted(head, 0, voted, with), ERA_ACCEPTED);
    cr_expect_eq(extends_voted(head, 0, voted, given_drop(given_copy(without), given_entry(voted, 1))),
                 ERA_ACCEPTED);
    cr_expect_eq(extends_voted(head, 0, voted, given_drop(given_copy(without), given_id(c, voted))),
                 ERA_ACCEPTED, "the whole proposal");
}

Test(extending, dropping_from_an_unadopted_slot_needs_no_notice)
{
    struct era_proposal *head = start();
    struct era_proposal *voted = given_breaking(given_next(c, head, 2), 20, "2.0.0");
    struct era_proposal *late = given_breaking(given_next(c, head, 3), 20, "2.0.0");
    struct era_proposal *dropping = given_drop(given_next(c, head, 3), given_entry(voted, 1));

    cr_expect_eq(extends_voted(head, 19, voted, late), ERA_SHORT_NOTICE, "its notice has passed");
    cr_expect_eq(extends_voted(head, 19, voted, dropping), ERA_ACCEPTED);
    cr_expect_eq(extends_voted(head, 25, voted, dropping), ERA_ACCEPTED);
}

Test(extending, M4_an_announced_entry_voted_for_is_not_protected)
{
    struct era_proposal *head = start();
    struct era_proposal *voted = given_announced(given_next(c, head, 2), "2.0.0");

    cr_expect_eq(extends_voted(head, 0, voted, given_soft(given_next(c, head, 3), 10, "1.1.0")),
                 ERA_ACCEPTED);
}

/* The plan in flight of the vote held entries that the head has, too; time went on over them. */
Test(extending, an_entry_of_prev_that_was_overtaken_need_not_be_repeated_for_a_vote)
{
    struct era_proposal *head = given_soft(given_soft(start(), 5, "1.1.0"), 7, "1.2.0");
    struct era_proposal *voted = given_breaking(given_next(c, head, 2), 30, "2.0.0");
    struct era_proposal *p = given_breaking(given_from(given_next(c, head, 3), 2), 30, "2.0.0");

    cr_expect_eq(extends_voted(head, 8, voted, p), ERA_ACCEPTED);
    p->plan.count--;
    cr_expect_eq(extends_voted(head, 8, voted, p), ERA_NOT_EXTENDING,
                 "what the vote brought stays protected");
}

Test(extending, it_says_which_clause_is_broken)
{
    struct era_proposal *head = given_soft(start(), 10, "1.1.0"), *lost = given_next(c, head, 2);
    struct era_extending x = {
        .prev_plan = &head->plan, .prev = given_head(c, head), .epoch = 0, .notice_epochs = 2};
    const char *why = NULL;

    lost->plan.count = 1;
    cr_expect_eq(era_plan_extends(&x, lost, &why), ERA_NOT_EXTENDING);
    cr_expect_str_eq(why, "an entry of the head's plan is neither kept nor named in drops");
    cr_expect_eq(era_plan_extends(&x, given_next(c, head, 2), &why), ERA_ACCEPTED);
    cr_expect_null(why);
}

/* ---- what a proposal needs (R3, R5) ---- */

Test(plan, R3_failed_is_when_k_can_no_longer_be_reached)
{
    cr_expect_not(era_approval_failed(2, 3, 1));
    cr_expect(era_approval_failed(2, 3, 2));
    cr_expect_not(era_approval_failed(1, 1, 0));
    cr_expect(era_approval_failed(1, 1, 1));
}

Test(plan, R5_what_readiness_and_rebuilds_a_plan_asks)
{
    struct era_charter *d =
        given_charter("alice:10 bob:10 carol:10 dave:10", "network k=2 signers=s1 enough=9/10 rebuild=1/3");
    const struct era_component *p = &d->components[0];
    struct era_plan soft = given_soft(given_proposal(d, "network", 1), 10, "1.1.0")->plan;
    struct era_plan breaking = given_breaking(given_proposal(d, "network", 1), 10, "2.0.0")->plan;

    cr_expect_eq(era_readiness_needed(d, p, &soft), 27);
    cr_expect_eq(era_readiness_needed(d, p, &breaking), 36);
    cr_expect_eq(era_rebuild_needed(d, p, &soft), 0);
    cr_expect_eq(era_rebuild_needed(d, p, &breaking), 14, "a third of 40, rounded up");
    d->authority_only = true;
    cr_expect_eq(era_readiness_needed(d, p, &breaking), 0);
    cr_expect_eq(era_rebuild_needed(d, p, &breaking), 0);
}
