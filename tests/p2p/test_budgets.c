/* Budgets, and who must not pay for them: an honest teacher, the sender of a statement that we cut in two. */
#include <criterion/criterion.h>

#include "tests/p2p/probe.h"

static void status(struct probe *p, uint64_t link, bool blocked)
{
    cr_assert(era_frame_add_status(probe_frame(p), blocked, NULL));
    probe_send(p, link);
}

static void fragment(struct probe *p, uint32_t offset)
{
    static const uint8_t zeros[60000];
    struct era_frame_fragment f = {.total_bytes = 240000, .offset = offset, .data = {zeros, sizeof zeros}};
    cr_assert(era_frame_add_fragment(probe_frame(p), &f));
    probe_send(p, 1);
}

/* The dialled peer answers our first round by its whole set. */
static struct probe *given_pages(void)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, true, 9);
    for (int i = 0; i < 100 && p->seen.digest_round == 0; i++)
        probe_wait(p, 100);
    cr_assert_neq(p->seen.digest_round, 0);
    probe_word(p, 1, ERA_SET_STATEMENTS, p->seen.digest_round, ERA_WORD_PAGES);
    return p;
}

/* So many frames of four statements of a charter that is not known yet, ten a millisecond or all at once;
 * returns how many statements were delivered. */
static size_t when_taught(struct probe *p, size_t frames, bool at_once)
{
    size_t delivered = 0, items[4];
    for (size_t i = 0; i < frames; i++) {
        probe_frame(p);
        for (size_t k = 0; k < 4; k++) {
            items[k] = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 40);
            cr_assert(era_frame_add_statement(&p->frame, p->w->items[items[k]].bytes));
        }
        probe_send(p, 1);
        size_t came = probe_look(p)->delivered;
        cr_assert_eq(p->seen.closes, 0);
        delivered += came;
        for (size_t k = 0; k < came; k++)
            era_gossip_verdict(p->g, p->w->now_ms, 1, &p->w->items[items[k]].id, ERA_UNKNOWN_CHARTER);
        p->w->now_ms += !at_once && i % 10 == 9;
    }
    return delivered;
}

Test(budget, a_teacher_of_what_cannot_be_used_yet_is_heard_whole)
{
    struct probe *p = given_pages();
    cr_assert_eq(when_taught(p, 15000, false), 60000);
    cr_assert_eq(probe_info(p, 1).score, 0);
    probe_free(p);
}

Test(budget, of_a_teacher_has_an_end_that_costs_it_nothing)
{
    struct probe *p = given_pages();
    cr_assert_eq(when_taught(p, 30000, true), ERA_BUDGET_STATEMENTS_BURST + ERA_BUDGET_TAUGHT_BURST);
    cr_assert_eq(probe_info(p, 1).charges[ERA_RATE_LIMITED], 0);
    probe_free(p);
}

Test(budget, frames_have_one_however_short)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    for (int i = 0; i < ERA_BUDGET_FRAMES_BURST + 9; i++)
        probe_raw(p, 1, "", 0);
    cr_assert_eq(probe_info(p, 1).limited_in, 10, "the hello was one");
    cr_assert_eq(probe_info(p, 1).charges[ERA_RATE_LIMITED], 10);
    probe_free(p);
}

Test(budget, status_shares_that_of_words)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    for (int i = 0; i < ERA_BUDGET_PEERS_BURST + 10; i++)
        status(p, 1, i % 2 == 0);
    cr_assert_eq(probe_info(p, 1).limited_in, 10);
    probe_free(p);
}

Test(budget, a_mute_that_cut_a_statement_in_two_costs_nothing_more)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    for (int i = 0; i < 5; i++)
        era_gossip_verdict(p->g, 1000, 1, NULL, ERA_BAD_SIGNATURE);
    fragment(p, 0); /* dropped: muted */
    probe_wait(p, 10000);
    for (uint32_t offset = 60000; offset < 240000; offset += 60000)
        fragment(p, offset);
    cr_assert_eq(probe_info(p, 1).charges[ERA_UNEXPECTED], 0);
    cr_assert_eq(probe_look(p)->delivered, 0);
    probe_free(p);
}

Test(budget, a_statement_begun_before_a_mute_is_given_up_whole)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    fragment(p, 0);
    for (int i = 0; i < 5; i++)
        era_gossip_verdict(p->g, 1000, 1, NULL, ERA_BAD_SIGNATURE);
    fragment(p, 60000); /* dropped */
    probe_wait(p, 10000);
    fragment(p, 120000);
    cr_assert_eq(probe_info(p, 1).charges[ERA_UNEXPECTED], 0);
    probe_free(p);
}

Test(budget, of_shuffles_is_a_few_since_each_may_cost_eight_signatures)
{
    struct probe *p = probe_new(1000);
    struct era_peer_shuffle nothing = {.count = 0};
    probe_up(p, 1, false, 9);
    for (int i = 0; i < ERA_BUDGET_SHUFFLES_BURST + 3; i++) {
        cr_assert(era_frame_add_shuffle(probe_frame(p), &nothing));
        probe_send(p, 1);
    }
    cr_assert_eq(probe_info(p, 1).limited_in, 3);
    cr_assert_eq(probe_info(p, 1).charges[ERA_RATE_LIMITED], 3);
    probe_free(p);
}

Test(useful, is_who_brought_news_within_a_minute)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    probe_up(p, 2, false, 8);
    cr_assert_not(era_gossip_is_useful(p->g, 1));
    size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100);
    probe_statement(p, 1, item);
    era_gossip_publish(p->g, 1000, ERA_SET_STATEMENTS, &p->w->items[item].id, 1, true);
    era_gossip_verdict(p->g, 1000, 2, &p->w->items[item].id, ERA_DUPLICATE);
    cr_assert(era_gossip_is_useful(p->g, 1));
    cr_assert_not(era_gossip_is_useful(p->g, 2), "it brought a copy");
    p->w->now_ms += ERA_USEFUL_MS - 1;
    probe_statement(p, 2, item);
    cr_assert(era_gossip_is_useful(p->g, 1));
    p->w->now_ms += 1;
    probe_statement(p, 2, item);
    cr_assert_not(era_gossip_is_useful(p->g, 1));
    cr_assert_not(era_gossip_is_useful(p->g, 77), "there is no such link");
    probe_free(p);
}

/* ---- signatures checked for nothing ---- */

Test(budget, of_signatures_checked_for_nothing_is_one_of_all_links_and_then_a_small_one_of_each)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    probe_up(p, 2, false, 8);
    probe_up(p, 3, false, 7);
    size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100);
    era_gossip_wasted(p->g, 1000, 1, 100);
    era_gossip_wasted(p->g, 1000, 2, 8);
    probe_statement(p, 1, item);
    cr_assert_eq(probe_look(p)->delivered, 1, "all links together have not spent theirs");
    era_gossip_wasted(p->g, 1000, 3, ERA_CHECKS_BURST);
    for (uint64_t link = 1; link <= 3; link++)
        probe_statement(p, link, item);
    cr_assert_eq(probe_look(p)->delivered, 1, "only of who wasted little");
    cr_assert_eq(probe_info(p, 1).limited_in, 1);
    cr_assert_eq(probe_info(p, 2).limited_in, 0);
    cr_assert_eq(probe_info(p, 3).wasted_in, ERA_CHECKS_BURST);
    p->w->now_ms += 1000;
    probe_statement(p, 3, item);
    cr_assert_eq(probe_look(p)->delivered, 1, "a second gives so many back to all");
    probe_free(p);
}

Test(budget, of_signatures_checked_for_nothing_costs_a_point_a_second_and_no_more)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    size_t item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100);
    for (int i = 0; i < 300; i++) {
        era_gossip_wasted(p->g, p->w->now_ms, 1, ERA_CHECKS_PER_S);
        if (i == 0)
            era_gossip_wasted(p->g, p->w->now_ms, 1, ERA_CHECKS_BURST);
        probe_statement(p, 1, item);
        probe_statement(p, 1, item);
        cr_assert_eq(probe_look(p)->delivered, 0);
        if (i < 50)
            cr_assert_eq(probe_info(p, 1).charges[ERA_RATE_LIMITED], (uint32_t)(i + 1));
        if (p->seen.closes > 0)
            break;
        p->w->now_ms += 1000;
    }
    cr_assert_eq(p->seen.close, ERA_RATE_LIMITED, "who goes on is muted, and then closed");
    probe_free(p);
}

/* ---- what is read for nothing ---- */

/* A frame with one statement, which came too late: two units. */
static void when_late(struct probe *p, uint64_t link, size_t item, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        probe_statement(p, link, item);
        probe_look(p);
        era_gossip_verdict(p->g, p->w->now_ms, link, &p->w->items[item].id, ERA_DUPLICATE);
    }
}

/* Links 1 and 2, of an age; all have spent what all may. */
static struct probe *given_spent(size_t *item)
{
    struct probe *p = probe_new(1000);
    probe_up(p, 1, false, 9);
    probe_up(p, 2, false, 8);
    probe_up(p, 3, false, 7);
    *item = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100);
    p->w->now_ms += 60000;
    when_late(p, 3, *item, ERA_READING_BURST / 2);
    cr_assert_eq(era_gossip_rest_ms(p->g, 3), 0, "until here all of it was all links'");
    cr_assert_eq(probe_info(p, 3).rested_ms, 0);
    return p;
}

Test(reading, for_nothing_is_bounded_for_all_links_and_then_each_rests_as_it_costs)
{
    size_t item;
    struct probe *p = given_spent(&item);
    when_late(p, 1, item, ERA_BUDGET_READING_BURST / 2);
    cr_assert_eq(era_gossip_rest_ms(p->g, 1), 0);
    when_late(p, 1, item, 32);
    cr_assert_eq(era_gossip_rest_ms(p->g, 1), 2000, "64 units at 32 a second");
    cr_assert_eq(era_gossip_rest_ms(p->g, 2), 0, "another link's");
    cr_assert_eq(probe_info(p, 1).rested_ms, 2000);
    cr_assert_eq(era_gossip_totals(p->g)->rested_ms, 2000);
    cr_assert_eq(probe_info(p, 1).score, 0, "it did no wrong");
    p->w->now_ms += 1999;
    era_gossip_tick(p->g, p->w->now_ms);
    cr_assert_eq(era_gossip_rest_ms(p->g, 1), 1);
    p->w->now_ms += 1;
    era_gossip_tick(p->g, p->w->now_ms);
    cr_assert_eq(era_gossip_rest_ms(p->g, 1), 0);
    cr_assert_eq(era_gossip_rest_ms(p->g, 77), 0, "there is no such link");
    probe_free(p);
}

Test(reading, rests_no_longer_on_end_than_its_bound)
{
    size_t item;
    struct probe *p = given_spent(&item);
    when_late(p, 1, item, 2000);
    cr_assert_eq(era_gossip_rest_ms(p->g, 1), ERA_LINK_REST_MS);
    cr_assert_eq(probe_info(p, 1).rested_ms, ERA_LINK_REST_MS);
    probe_free(p);
}

Test(reading, of_a_new_link_has_less_so_that_coming_again_wins_nothing)
{
    size_t item;
    struct probe *p = given_spent(&item);
    probe_up(p, 4, false, 6); /* a hello: two units */
    when_late(p, 4, item, (ERA_BUDGET_READING_FIRST - 2) / 2);
    cr_assert_eq(era_gossip_rest_ms(p->g, 4), 0);
    when_late(p, 4, item, 16);
    cr_assert_eq(era_gossip_rest_ms(p->g, 4), 1000);
    probe_free(p);
}

Test(reading, of_who_brings_news_is_free)
{
    size_t item;
    struct probe *p = given_spent(&item);
    size_t news = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 101);
    when_late(p, 1, item, 300);
    uint64_t rested_ms = probe_info(p, 1).rested_ms;
    cr_assert_gt(rested_ms, 0);
    probe_statement(p, 1, news);
    rested_ms = probe_info(p, 1).rested_ms;
    era_gossip_publish(p->g, p->w->now_ms, ERA_SET_STATEMENTS, &p->w->items[news].id, 1, true);
    cr_assert_eq(era_gossip_rest_ms(p->g, 1), 0, "at once");
    when_late(p, 1, item, 20);
    cr_assert_eq(probe_info(p, 1).rested_ms, rested_ms);
    probe_free(p);
}

Test(reading, of_news_costs_a_new_link_its_frames_alone)
{
    size_t item;
    struct probe *p = given_spent(&item);
    probe_up(p, 4, false, 6);
    probe_frame(p);
    for (size_t i = 0; i < 200; i++) { /* not judged yet */
        size_t news = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 102 + i);
        cr_assert(era_frame_add_statement(&p->frame, p->w->items[news].bytes));
    }
    probe_send(p, 4);
    cr_assert_eq(probe_look(p)->delivered, 200);
    cr_assert_eq(era_gossip_rest_ms(p->g, 4), 0);
    probe_free(p);
}

Test(reading, of_large_frames_costs_as_several)
{
    size_t item, large;
    struct probe *p = given_spent(&item);
    large = wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 10 * ERA_READING_BYTES);
    when_late(p, 1, large, 50); /* 12 units each */
    cr_assert_eq(era_gossip_rest_ms(p->g, 1), 1000 * (50 * 12 - ERA_BUDGET_READING_BURST) / 32);
    probe_free(p);
}

Test(reading, of_what_is_dropped_costs_as_what_is_refused)
{
    size_t item;
    struct probe *p = given_spent(&item);
    for (int i = 0; i < 5; i++)
        era_gossip_verdict(p->g, p->w->now_ms, 2, NULL, ERA_BAD_SIGNATURE);
    for (size_t i = 0; i < 300; i++)
        probe_statement(p, 2, item);
    cr_assert_eq(probe_look(p)->delivered, 0, "muted");
    cr_assert_eq(era_gossip_rest_ms(p->g, 2), 1000 * (5 + 2 * 300 - ERA_BUDGET_READING_BURST) / 32 + 1);
    probe_free(p);
}

Test(reading, of_a_teacher_is_free)
{
    struct probe *p = given_pages();
    probe_up(p, 3, false, 7);
    when_late(p, 3, wire_item(p->w, ERA_KIND_ANNOUNCEMENT, 100), ERA_READING_BURST / 2);
    cr_assert_eq(when_taught(p, 2000, true), 8000);
    cr_assert_eq(probe_info(p, 1).rested_ms, 0);
    cr_assert_eq(era_gossip_rest_ms(p->g, 1), 0);
    probe_free(p);
}
