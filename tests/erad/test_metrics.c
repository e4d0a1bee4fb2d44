/* Metrics: clean for Prometheus, bounded, and true. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "src/erad/metrics.h"
#include "tests/erad/lone.h"

static char *metrics(const struct lone *l)
{
    size_t len;
    char *text = era_metrics_text(l->node, &l->info, &len);
    cr_assert_eq(strlen(text), len);
    return text;
}

static void assert_line(const char *text, const char *line)
{
    char whole[512];
    snprintf(whole, sizeof whole, "\n%s\n", line);
    cr_assert(strstr(text, whole), "no line: %s\n%s", line, text);
}

static struct lone *given_busy(void)
{
    struct era_charter *c =
        given_charter("alice:10 bob:10", "network k=2 signers=s1,s2,s3; oracle k=1 signers=s1");
    struct lone *l = lone_new(c, "alice", "1.0.0", 7);
    struct era_announcement a = given_running(c, 7, "1.1.0");
    lone_submit(l, given_announce(c, "bob", &a));
    lone_submit(
        l, given_certificate(
               c, given_requires(given_breaking(given_proposal(c, "network", 1), 20, "2.0.0"), ">=2.0.0"),
               "s1", "s1 s2", "alice bob", ""));
    struct era_proposal *p = given_soft(given_proposal(c, "network", 2), 30, "2.1.0");
    lone_submit(l, given_proposed(c, "s1", p));
    lone_submit(l, given_approve(c, "s2", p));
    return l;
}

Test(metrics, say_what_the_node_knows)
{
    struct lone *l = given_busy();
    char *text = metrics(l);
    assert_line(text, "erad_epoch 7");
    assert_line(text, "erad_next_epoch_seconds 0.500");
    assert_line(text, "erad_uptime_seconds 1.500");
    assert_line(text, "erad_era{component=\"network\"} 1");
    assert_line(text, "erad_gate_state{component=\"network\",state=\"upgrade-soon\"} 1");
    assert_line(text, "erad_gate_state{component=\"network\",state=\"current\"} 0");
    assert_line(text, "erad_gate_state{component=\"oracle\",state=\"current\"} 1");
    assert_line(text, "erad_may_emit 1");
    assert_line(text, "erad_key_locked 0");
    assert_line(text, "erad_unsupported_era_epochs{component=\"network\"} 13");
    assert_line(text, "erad_stake{of=\"quorum\"} 14");
    assert_line(text, "erad_stake{of=\"fresh\"} 20");
    assert_line(text, "erad_adoption_stake{version=\"1.1.0\"} 10");
    assert_line(text, "erad_proposals 1");
    assert_line(text, "erad_peers{state=\"up\"} 0");
    assert_line(text, "erad_peers_configured 3");
    assert_line(text, "erad_statements_total{kind=\"certificate\",verdict=\"accepted\"} 1");
    assert_line(text, "erad_store_failed 0");
    cr_assert(strstr(text, "erad_proposal_approvals{component=\"network\",id=\""));
    free(text);
    lone_free(l);
}

Test(metrics, M5_a_blocked_node_has_no_epochs_left)
{
    struct lone *l = given_busy();
    lone_to_epoch(l, 20);
    char *text = metrics(l);
    assert_line(text, "erad_gate_state{component=\"network\",state=\"blocked\"} 1");
    assert_line(text, "erad_unsupported_era_epochs{component=\"network\"} 0");
    assert_line(text, "erad_may_emit 0");
    assert_line(text, "erad_era{component=\"network\"} 2");
    free(text);
    lone_free(l);
}

Test(metrics, statements_that_never_came_are_not_listed)
{
    struct lone *l = lone_new(given_charter("alice:10", "network k=1 signers=s1"), NULL, "1.0.0", 7);
    char *text = metrics(l);
    cr_assert_not(strstr(text, "erad_statements_total{"));
    free(text);
    lone_free(l);
}

Test(metrics, label_values_are_escaped)
{
    struct era_charter *c = given_charter("alice:10", "network k=1 signers=s1");
    strcpy(c->name, "a\"b\\c");
    struct lone *l = lone_new(c, NULL, "1.0.0", 7);
    char *text = metrics(l);
    cr_assert(strstr(text, "erad_network_info{name=\"a\\\"b\\\\c\",network=\""));
    free(text);
    lone_free(l);
}

Test(metrics, the_number_of_proposals_listed_is_bounded)
{
    struct era_charter *c = given_charter("alice:10", "network k=2 signers=s1,s2");
    struct lone *l = lone_new(c, NULL, "1.0.0", 7);
    for (uint64_t seq = 1; seq <= ERA_LEDGER_WINDOW_SEQS; seq++)
        for (int i = 0; i < 2; i++) {
            struct era_proposal *p = given_soft(given_proposal(c, "network", seq), 30, "1.1.0");
            snprintf(p->text, sizeof p->text, "%d", i);
            lone_submit(l, given_proposed(c, i ? "s1" : "s2", p));
        }
    char *text = metrics(l);
    size_t lines = 0;
    for (const char *at_line = text; (at_line = strstr(at_line, "\nerad_proposal_approvals{")); at_line++)
        lines++;
    assert_line(text, "erad_proposals 128");
    cr_assert_eq(lines, 64);
    free(text);
    lone_free(l);
}

Test(metrics, an_authority_network_without_validators_has_metrics_too)
{
    struct lone *l = lone_new(given_authority("host", "network k=1 signers=s1"), "host", "1.0.0", 7);
    char *text = metrics(l);
    assert_line(text, "erad_gate_state{component=\"network\",state=\"current\"} 1");
    assert_line(text, "erad_stake{of=\"all\"} 0");
    free(text);
    lone_free(l);
}

Test(metrics, promtool_finds_nothing_to_say)
{
    if (system("command -v promtool >/dev/null 2>&1") != 0)
        cr_skip_test("promtool is not installed");
    struct lone *l = given_busy();
    lone_command(l, (struct era_command){.id = 2, .kind = ERA_CMD_EMIT, .topic = "a"});
    char *text = metrics(l);
    FILE *tool = popen("promtool check metrics 2>&1", "w");
    cr_assert(tool);
    fputs(text, tool);
    int status = pclose(tool);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "promtool check metrics: status %d", status);
    free(text);
    lone_free(l);
}
