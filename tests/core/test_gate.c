#include <criterion/criterion.h>
#include <string.h>

#include "src/base/verdict.h"
#include "src/core/gate.h"
#include "tests/core/peer.h"

#define ALL "alice bob carol dave"

static struct era_charter *c;
static struct peer *p;

/* The release in force asks for software 1.x. */
static void begin(void)
{
    c = given_charter("alice:10 bob:10 carol:10 dave:10", "network k=2 signers=s1,s2,s3 software=^1.0.0");
    p = given_peer(c);
}

TestSuite(gate, .init = begin, .fini = peers_free);

static void adopt(const struct era_proposal *of)
{
    cr_assert_eq(take(p, given_certificate(c, of, "s1", "s1 s2", ALL, "")), ERA_ACCEPTED);
}

static struct era_proposal *start(void)
{
    return given_proposal(c, "network", 1);
}

/* The gate of a node that runs this software, at an epoch; fresh, no mismatch. */
static struct era_gate_input input_at(uint64_t epoch, const char *software)
{
    static struct era_view view;
    static struct era_versions versions;
    era_view_at(p->ledger, &p->initial[0], 0, epoch, &view);
    memset(&versions, 0, sizeof versions);
    cr_assert(era_text_set(versions.v[ERA_VERSION_SOFTWARE], sizeof versions.v[0], software));
    return (struct era_gate_input){.view = &view, .versions = &versions, .fresh = true};
}

static struct era_gate gate_at(uint64_t epoch, const char *software)
{
    struct era_gate_input in = input_at(epoch, software);
    struct era_gate g;
    era_gate_judge(&in, &g);
    return g;
}

#define cr_expect_state(g, s) cr_expect_eq((g).state, (s), "%s", era_gate_name((g).state))

Test(gate, exit_statuses_and_names)
{
    static const struct {
        const char *name;
        int status;
        bool emits;
    } rows[ERA_GATE_STATES] = {
        [ERA_GATE_FORKED] = {"forked", 76, false},     [ERA_GATE_BLOCKED] = {"blocked", 76, false},
        [ERA_GATE_MISMATCH] = {"mismatch", 76, false}, [ERA_GATE_CLOCK] = {"clock", 75, false},
        [ERA_GATE_NO_ERA] = {"no-era", 75, false},     [ERA_GATE_STALE] = {"stale", 75, false},
        [ERA_GATE_NOTICE] = {"notice", 0, true},       [ERA_GATE_UPGRADE_SOON] = {"upgrade-soon", 0, true},
        [ERA_GATE_CURRENT] = {"current", 0, true},
    };

    for (int s = 0; s < ERA_GATE_STATES; s++) {
        cr_expect_str_eq(era_gate_name((enum era_gate_state)s), rows[s].name);
        cr_expect_eq(era_gate_exit((enum era_gate_state)s), rows[s].status);
        cr_expect_eq(era_gate_may_emit((enum era_gate_state)s), rows[s].emits);
    }
}

Test(gate, current_when_nothing_is_newer)
{
    struct era_gate g = gate_at(5, "1.0.0");

    cr_expect_state(g, ERA_GATE_CURRENT);
    cr_expect_str_eq(g.current->record.version, "1.0.0");
    cr_expect_null(g.cause);
    cr_expect_eq(g.version_kind, -1);
    cr_expect_state(gate_at(5, "1.7.0"), ERA_GATE_CURRENT);
}

Test(gate, P1_a_soft_release_is_a_notice_and_stops_nobody)
{
    adopt(given_soft(start(), 10, "1.1.0"));
    cr_expect_state(gate_at(5, "1.0.0"), ERA_GATE_NOTICE);
    cr_expect_str_eq(gate_at(5, "1.0.0").cause->record.version, "1.1.0");
    cr_expect_state(gate_at(10, "1.0.0"), ERA_GATE_NOTICE);
    cr_expect_state(gate_at(10000, "1.0.0"), ERA_GATE_NOTICE);
    cr_expect_state(gate_at(10, "1.1.0"), ERA_GATE_CURRENT);
}

Test(gate, P2_a_dependency_fork_is_a_notice_that_names_it)
{
    struct era_proposal *fork = given_soft(start(), 10, "1.1.0");
    struct era_record *r = &fork->plan.entries[1].record;

    r->dependency_count = 1;
    strcpy(r->dependencies[0].name, "hostchain");
    strcpy(r->dependencies[0].range, ">=0.39.0");
    strcpy(r->dependencies[0].since, "block 4200000");
    adopt(given_seal(fork));
    struct era_gate g = gate_at(12, "1.0.0");
    cr_expect_state(g, ERA_GATE_NOTICE);
    cr_expect_str_eq(g.cause->record.dependencies[0].name, "hostchain");
    cr_expect_str_eq(g.cause->record.dependencies[0].since, "block 4200000");
}

Test(gate, M4_an_announced_release_is_a_notice)
{
    adopt(given_requires(given_announced(start(), "2.0.0"), ">=2.0.0"));
    cr_expect_state(gate_at(1000, "1.0.0"), ERA_GATE_NOTICE);
    cr_expect_str_eq(gate_at(1000, "1.0.0").cause->record.version, "2.0.0");
}

Test(gate, M5_a_countdown_when_the_next_era_is_not_supported)
{
    adopt(given_requires(given_breaking(start(), 10, "2.0.0"), ">=2.0.0"));
    struct era_gate g = gate_at(4, "1.0.0");
    cr_expect_state(g, ERA_GATE_UPGRADE_SOON);
    cr_expect_eq(g.epochs_left, 6);
    cr_expect_str_eq(g.cause->record.version, "2.0.0");
    cr_expect_eq(g.version_kind, ERA_VERSION_SOFTWARE);
    cr_expect_eq(gate_at(9, "1.0.0").epochs_left, 1);
}

Test(gate, M5_what_is_staged_ends_the_countdown_but_not_the_block)
{
    adopt(given_requires(given_breaking(start(), 10, "2.0.0"), ">=2.0.0"));
    struct era_gate_input in = input_at(4, "1.0.0");
    struct era_versions staged = *in.versions;
    struct era_gate g;
    cr_assert(era_text_set(staged.v[ERA_VERSION_SOFTWARE], sizeof staged.v[0], "2.0.0"));
    in.staged = &staged;
    era_gate_judge(&in, &g);
    cr_expect_state(g, ERA_GATE_NOTICE);
    cr_expect_eq(g.version_kind, -1);

    in = input_at(10, "1.0.0");
    in.staged = &staged;
    era_gate_judge(&in, &g);
    cr_expect_state(g, ERA_GATE_BLOCKED);
}

Test(gate, P5_behind_and_incompatible_is_judged_at_the_effective_epoch)
{
    adopt(given_requires(given_breaking(start(), 10, "2.0.0"), "^2.0.0"));
    cr_expect(era_gate_may_emit(gate_at(9, "1.0.0").state));
    struct era_gate g = gate_at(10, "1.0.0");
    cr_expect_state(g, ERA_GATE_BLOCKED);
    cr_expect_str_eq(g.cause->record.version, "2.0.0");
    cr_expect_eq(g.version_kind, ERA_VERSION_SOFTWARE);
    cr_expect_state(gate_at(10, "2.0.0"), ERA_GATE_CURRENT);
}

Test(gate, P3_a_breaking_release_blocks_what_came_too_early_as_well)
{
    adopt(given_requires(given_breaking(start(), 10, "2.0.0"), "^2.0.0"));
    cr_expect_state(gate_at(9, "2.0.0"), ERA_GATE_BLOCKED);
}

Test(gate, M5_the_nearest_unsupported_era_counts_down)
{
    struct era_proposal *two = given_requires(given_breaking(start(), 10, "2.0.0"), ">=1.5.0");

    adopt(given_requires(given_breaking(two, 20, "3.0.0"), ">=3.0.0"));
    cr_expect_eq(gate_at(4, "1.0.0").epochs_left, 6);
    struct era_gate g = gate_at(4, "1.6.0");
    cr_expect_state(g, ERA_GATE_UPGRADE_SOON);
    cr_expect_eq(g.epochs_left, 16);
    cr_expect_str_eq(g.cause->record.version, "3.0.0");
}

Test(gate, an_unknown_own_version_satisfies_no_range)
{
    cr_expect_state(gate_at(0, ""), ERA_GATE_BLOCKED);
}

Test(gate, a_version_that_is_none_is_no_newer_or_older_one)
{
    struct era_charter *lax = given_charter("alice:10", "network k=1 signers=s1");
    struct peer *q = given_peer(lax);
    struct era_versions own;
    struct era_view view;
    struct era_gate g;

    take(q, given_certificate(lax, given_soft(given_proposal(lax, "network", 1), 10, "1.1.0"), "s1", "s1",
                              "alice", ""));
    memset(&own, 0, sizeof own);
    strcpy(own.v[ERA_VERSION_SOFTWARE], "nightly");
    era_view_at(q->ledger, &q->initial[0], 0, 20, &view);
    era_gate_judge(&(struct era_gate_input){.view = &view, .versions = &own, .fresh = true}, &g);
    cr_expect_state(g, ERA_GATE_CURRENT);
}

Test(gate, N6_too_little_fresh_stake_is_stale)
{
    struct era_gate_input in = input_at(5, "1.0.0");
    struct era_gate g;

    in.fresh = false;
    era_gate_judge(&in, &g);
    cr_expect_state(g, ERA_GATE_STALE);
}

Test(gate, N7_too_few_leases_are_stale_and_said_to_be_it)
{
    struct era_gate_input in = input_at(5, "1.0.0");
    struct era_gate g;

    in.unleased = true;
    in.lease_stake = 20;
    era_gate_judge(&in, &g);
    cr_expect_state(g, ERA_GATE_STALE);
    cr_expect(g.unleased);
    cr_expect_eq(g.lease_stake, 20);
    in.fresh = false;
    era_gate_judge(&in, &g);
    cr_expect_state(g, ERA_GATE_STALE);
    cr_expect_not(g.unleased, "too few announcements are the nearer reason");
}

Test(gate, R14_clock_a_doubtful_clock_stops)
{
    struct era_gate_input in = input_at(5, "1.0.0");
    struct era_gate g;

    in.clock = true;
    era_gate_judge(&in, &g);
    cr_expect_state(g, ERA_GATE_CLOCK);
    cr_expect_str_eq(g.current->record.version, "1.0.0");
}

Test(gate, R14_clock_goes_before_no_era)
{
    struct era_proposal *head = given_soft(start(), 10, "1.1.0");
    struct era_gate g;

    adopt(head);
    adopt(given_from(given_next(c, head, 2), 1));
    struct era_gate_input in = input_at(9, "1.0.0");
    in.clock = true;
    era_gate_judge(&in, &g);
    cr_expect_state(g, ERA_GATE_CLOCK);
}

Test(gate, T5_an_own_rebuild_that_differs_is_a_mismatch)
{
    struct era_gate_input in = input_at(5, "1.0.0");
    struct era_gate g;

    in.mismatch = true;
    era_gate_judge(&in, &g);
    cr_expect_state(g, ERA_GATE_MISMATCH);
    cr_expect_eq(g.cause, g.current);
}

Test(gate, R7_below_the_first_entry_no_era_is_in_force)
{
    struct era_proposal *head = given_soft(start(), 10, "1.1.0");

    adopt(head);
    adopt(given_from(given_next(c, head, 2), 1));
    struct era_gate g = gate_at(9, "1.0.0");
    cr_expect_state(g, ERA_GATE_NO_ERA);
    cr_expect_null(g.current);
}

Test(gate, R12_forked_stops_and_names_no_current_entry)
{
    adopt(given_breaking(start(), 10, "2.0.0"));
    adopt(given_breaking(start(), 10, "3.0.0"));
    struct era_gate g = gate_at(20, "1.0.0");
    cr_expect_state(g, ERA_GATE_FORKED);
    cr_expect_null(g.current);
}

/* What is worse wins: each state holds with everything milder present as well. */
Test(gate, R15_states_have_one_order_of_precedence)
{
    struct era_gate g;
    struct era_proposal *two = given_requires(given_breaking(start(), 10, "2.0.0"), "^2.0.0");

    adopt(given_requires(given_breaking(two, 20, "3.0.0"), "^3.0.0"));
    struct era_gate_input in = input_at(10, "1.0.0");
    in.fresh = false;
    in.mismatch = true;
    era_gate_judge(&in, &g);
    cr_expect_state(g, ERA_GATE_BLOCKED);
    in = input_at(10, "2.0.0");
    in.fresh = false;
    in.mismatch = in.clock = in.unleased = true;
    era_gate_judge(&in, &g);
    cr_expect_state(g, ERA_GATE_MISMATCH);
    in.mismatch = false;
    era_gate_judge(&in, &g);
    cr_expect_state(g, ERA_GATE_CLOCK);
    in.clock = false;
    era_gate_judge(&in, &g);
    cr_expect_state(g, ERA_GATE_STALE);
    in.fresh = true;
    era_gate_judge(&in, &g);
    cr_expect_state(g, ERA_GATE_STALE);
    in.unleased = false;
    era_gate_judge(&in, &g);
    cr_expect_state(g, ERA_GATE_UPGRADE_SOON);
    adopt(given_breaking(given_proposal(c, "network", 2), 50, "4.0.0"));
    adopt(given_breaking(given_proposal(c, "network", 2), 50, "5.0.0"));
    in = input_at(10, "1.0.0");
    in.fresh = false;
    in.mismatch = true;
    era_gate_judge(&in, &g);
    cr_expect_state(g, ERA_GATE_FORKED);
}

Test(gate, a_release_that_was_overtaken_is_no_news)
{
    struct era_proposal *plan = given_soft(given_soft(start(), 10, "1.5.0"), 20, "1.5.0");

    adopt(given_override(plan, 30, "1.0.0"));
    cr_expect_state(gate_at(15, "1.0.0"), ERA_GATE_NOTICE);
    cr_expect_state(gate_at(30, "1.0.0"), ERA_GATE_CURRENT);
}
