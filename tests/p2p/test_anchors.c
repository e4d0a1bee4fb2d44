/* Configured peers: what one answer at their address may, and may not, change. */
#include <criterion/criterion.h>

#include <string.h>

#include "tests/p2p/probe.h"

static const char *const anchor = "tcp://10.0.0.9:7711";

static struct probe *given_anchor(void)
{
    struct probe *p = probe_new(1000);
    cr_assert_eq(era_gossip_add_anchor(p->g, anchor), ERA_ACCEPTED);
    cr_assert_eq(probe_wait(p, 0)->connects, 1);
    return p;
}

static void answer(struct probe *p, uint64_t link, uint8_t node)
{
    struct era_frame_hello hello = probe_hello(p, node);
    probe_link(p, link, true, anchor);
    probe_greet(p, link, &hello);
}

static size_t counted(const struct probe *p)
{
    size_t reachable, reconciled;
    return era_gossip_anchor_state(p->g, &reachable, &reconciled);
}

/* Our own key answers whenever it is dialled; returns how often it was. */
static size_t when_led_back(struct probe *p, uint64_t first, int seconds)
{
    size_t dials = 0;
    for (int i = 0; i < 10 * seconds; i++)
        if (probe_wait(p, 100)->connects > 0)
            answer(p, first + dials++, 1);
    return dials;
}

Test(anchor, that_led_back_to_us_once_is_dialled_again_and_counts)
{
    struct probe *p = given_anchor();
    answer(p, 1, 1);
    probe_look(p);
    cr_assert_eq(counted(p), 1);
    size_t dials = 0;
    for (int i = 0; i < 20 && dials == 0; i++)
        dials += probe_wait(p, 100)->connects;
    cr_assert_eq(dials, 1);
    answer(p, 2, 9);
    cr_assert(probe_info(p, 2).anchor);
    probe_free(p);
}

Test(anchor, that_leads_back_to_us_each_time_counts_no_more_and_is_dialled_every_hour)
{
    struct probe *p = given_anchor();
    answer(p, 1, 1);
    cr_assert_eq(when_led_back(p, 2, 60), 3);
    cr_assert_eq(counted(p), 0);
    cr_assert_leq(when_led_back(p, 10, 2 * 3600), 4);
    cr_assert_geq(probe_wait(p, 3600000)->connects, 1);
    answer(p, 50, 9);
    cr_assert_eq(counted(p), 1, "it was somebody else's all the time");
    probe_free(p);
}

Test(anchor, whose_place_somebody_took_once_is_dialled_again_though_that_one_stays_linked)
{
    struct probe *p = given_anchor();
    answer(p, 1, 66); /* who took the address… */
    era_gossip_link_down(p->g, p->w->now_ms, 1, ERA_ACCEPTED);
    struct era_frame_hello hello = probe_hello(p, 66);
    probe_link(p, 2, false, "tcp://10.0.0.66:5000"); /* …and now dials us */
    probe_greet(p, 2, &hello);
    cr_assert(probe_info(p, 2).anchor);
    size_t dials = 0;
    for (int i = 0; i < 599; i++) {
        dials += probe_wait(p, 1000)->connects;
        probe_frame(p);
        probe_send(p, 2); /* it stays */
    }
    cr_assert_eq(dials, 0);
    cr_assert_eq(probe_wait(p, 1000)->connects, 1);
    cr_assert_str_eq(p->seen.connect, anchor);
    answer(p, 3, 9);
    cr_assert(probe_info(p, 3).anchor);
    cr_assert_not(probe_info(p, 2).anchor);
    probe_free(p);
}

/* What unlocks the signing key: a round with who is there, by our own dial. */
Test(anchor, that_our_own_dial_reaches_is_reachable_and_once_compared_with_reconciled)
{
    struct probe *p = given_anchor();
    size_t reachable, reconciled;
    answer(p, 1, 9);
    for (int i = 0; i < 100 && p->seen.digest_round == 0; i++)
        probe_wait(p, 100);
    cr_assert_eq(era_gossip_anchor_state(p->g, &reachable, &reconciled), 1);
    cr_assert_eq(reachable, 1);
    cr_assert_eq(reconciled, 0);
    probe_equal(p, 1, ERA_SET_STATEMENTS, p->seen.digest_round);
    era_gossip_anchor_state(p->g, &reachable, &reconciled);
    cr_assert_eq(reconciled, 1);
    probe_free(p);
}
