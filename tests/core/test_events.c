#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "src/core/events.h"
#include "tests/core/peer.h"

static struct era_charter *c; /* ten events a key and epoch */
static struct peer *p;
static struct era_events *events;
static struct era_hash entry, another;

static void begin(void)
{
    static const struct era_siphash_key key = {{7}};
    c = given_charter("alice:10 bob:10", "network k=1 signers=s1");
    p = given_peer(c);
    events = era_events_new(c, &key);
    entry = given_entry(given_proposal(c, "network", 1), 0);
    another = given_entry(given_soft(given_proposal(c, "network", 1), 10, "1.1.0"), 1);
}

static void end(void)
{
    era_events_free(events);
    peers_free();
}

TestSuite(events, .init = begin, .fini = end);

static enum era_verdict arrives_in(struct era_bytes envelope, uint64_t epoch, const struct era_hash *in_force)
{
    const struct era_verified *s;
    struct era_hash item;
    cr_assert_eq(era_verify(p->verifier, envelope, &s, &item, NULL), ERA_ACCEPTED);
    return era_events_offer(events, s, epoch, in_force);
}

static enum era_verdict arrives(struct era_bytes envelope, uint64_t epoch)
{
    return arrives_in(envelope, epoch, &entry);
}

static struct era_bytes emitted(const char *who, uint64_t epoch, uint64_t seq)
{
    return given_event(c, who, epoch, entry, seq, "x");
}

static void count_gone(void *ctx, const struct era_hash *item)
{
    (void)item;
    ++*(size_t *)ctx;
}

static size_t expire(uint64_t epoch)
{
    size_t gone = 0;
    era_events_expire(events, epoch, count_gone, &gone);
    return gone;
}

static bool fetch(struct era_bytes envelope)
{
    struct era_hash item = given_item(c, envelope);
    struct era_bytes held;
    return era_events_fetch(events, &item, &held) && held.len == envelope.len &&
           memcmp(held.data, envelope.data, held.len) == 0;
}

static bool seen(struct era_bytes envelope)
{
    struct era_hash item = given_item(c, envelope);
    return era_events_seen(events, &item);
}

Test(events, C3_an_event_is_delivered_once)
{
    cr_expect_eq(arrives(emitted("alice", 5, 1), 5), ERA_ACCEPTED);
    cr_expect_eq(arrives(emitted("alice", 5, 1), 5), ERA_DUPLICATE);
    cr_expect_eq(arrives(emitted("alice", 5, 2), 5), ERA_ACCEPTED);
    cr_expect_eq(arrives(emitted("bob", 5, 1), 5), ERA_ACCEPTED);
    cr_expect_eq(era_events_count(events), 3);
    cr_expect(fetch(emitted("bob", 5, 1)));
    cr_expect_not(fetch(emitted("bob", 5, 2)));
}

Test(events, C3_a_key_has_one_event_a_place)
{
    cr_expect_eq(arrives(emitted("alice", 5, 1), 5), ERA_ACCEPTED);
    cr_expect_eq(arrives(given_event(c, "alice", 5, entry, 1, "y"), 5), ERA_CAPPED);
    cr_expect_eq(arrives(given_event(c, "alice", 6, entry, 1, "y"), 5), ERA_ACCEPTED, "another epoch");
}

Test(events, C3_at_most_so_many_a_key_and_epoch)
{
    cr_expect_eq(arrives(emitted("alice", 5, 10), 5), ERA_ACCEPTED);
    cr_expect_eq(arrives(emitted("alice", 5, 11), 5), ERA_RATE_LIMITED);
    cr_expect_eq(arrives(emitted("alice", 5, 0), 5), ERA_RATE_LIMITED);
    cr_expect_eq(arrives(emitted("alice", 5, ERA_SEQ_MAX), 5), ERA_RATE_LIMITED);
}

Test(events, C3_within_one_epoch_of_ones_own)
{
    cr_expect_eq(arrives(emitted("alice", 4, 1), 5), ERA_ACCEPTED);
    cr_expect_eq(arrives(emitted("alice", 6, 1), 5), ERA_ACCEPTED);
    cr_expect_eq(arrives(emitted("alice", 3, 1), 5), ERA_WRONG_EPOCH);
    cr_expect_eq(arrives(emitted("alice", 7, 1), 5), ERA_WRONG_EPOCH);
    cr_expect_eq(arrives(emitted("alice", 0, 1), 0), ERA_ACCEPTED);
    cr_expect_eq(arrives(emitted("alice", ERA_EPOCH_MAX, 1), ERA_EPOCH_MAX), ERA_ACCEPTED);
}

Test(events, C3_only_of_the_entry_in_force_at_its_epoch)
{
    cr_expect_eq(arrives_in(emitted("alice", 5, 1), 5, &another), ERA_WRONG_ERA);
    cr_expect_eq(arrives_in(emitted("alice", 5, 1), 5, NULL), ERA_WRONG_ERA, "no era is in force");
    cr_expect_eq(arrives_in(emitted("alice", 5, 1), 5, &entry), ERA_ACCEPTED);
}

Test(events, C3_what_expired_from_the_ring_is_not_delivered_again)
{
    arrives(emitted("alice", 5, 1), 5);
    cr_expect_eq(expire(7), 0);
    cr_expect(fetch(emitted("alice", 5, 1)));
    cr_expect_eq(expire(8), 1);
    cr_expect_not(fetch(emitted("alice", 5, 1)));
    cr_expect_eq(arrives(emitted("alice", 5, 1), 8), ERA_WRONG_EPOCH);
}

Test(events, C3_the_ring_keeps_the_newest_and_remembers_all)
{
    static char names[ERA_EVENT_RING_MAX / 10 * 16];
    size_t people = ERA_EVENT_RING_MAX / 10 + 1, n = 0;

    /* Ten events of each of so many keys: a few more than the ring holds. */
    for (size_t i = 0; i < people; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "v%zu:1 ", i);
    era_events_free(events);
    c = given_charter(names, "network k=1 signers=s1");
    p = given_peer(c);
    entry = given_entry(given_proposal(c, "network", 1), 0);
    events = era_events_new(c, &(struct era_siphash_key){{7}});
    for (size_t i = 0; i < people; i++)
        for (uint64_t seq = 1; seq <= 10; seq++) {
            char who[16];
            snprintf(who, sizeof who, "v%zu", i);
            cr_assert_eq(arrives(emitted(who, 5, seq), 5), ERA_ACCEPTED);
        }
    size_t over = people * 10 - ERA_EVENT_RING_MAX;
    cr_expect_eq(expire(5), over);
    cr_expect_eq(era_events_count(events), ERA_EVENT_RING_MAX);
    cr_expect_not(fetch(emitted("v0", 5, 1)), "the oldest");
    cr_expect(seen(emitted("v0", 5, 1)));
    cr_expect_eq(arrives(emitted("v0", 5, 1), 5), ERA_DUPLICATE);
    cr_expect(fetch(emitted("v400", 5, 10)));
}

Test(events, C3_expiry_follows_the_epoch_and_not_the_arrival)
{
    arrives(emitted("alice", 6, 1), 5);
    arrives(emitted("alice", 4, 1), 5);
    arrives(emitted("bob", 5, 1), 5);
    cr_expect_eq(expire(7), 1);
    cr_expect_not(seen(emitted("alice", 4, 1)));
    cr_expect(seen(emitted("alice", 6, 1)));
    cr_expect_eq(expire(8), 1);
    arrives(emitted("bob", 8, 1), 8);
    cr_expect_eq(expire(100), 2);
    cr_expect_eq(era_events_count(events), 0);
    cr_expect_eq(arrives(emitted("bob", 100, 1), 100), ERA_ACCEPTED);
}

Test(events, C3_an_own_seq_is_never_taken_twice)
{
    int alice = given_validator_index(c, "alice");

    cr_expect_eq(era_events_next_seq(events, alice, 5), 1);
    arrives(emitted("alice", 5, 1), 5);
    arrives(emitted("alice", 5, 4), 5);
    arrives(emitted("bob", 5, 9), 5);
    cr_expect_eq(era_events_next_seq(events, alice, 5), 5);
    cr_expect_eq(era_events_next_seq(events, alice, 6), 1);
    arrives(emitted("alice", 6, 2), 5);
    arrives(emitted("alice", 6, 1), 5);
    arrives(emitted("alice", 5, 7), 5);
    cr_expect_eq(era_events_next_seq(events, alice, 6), 3, "asked before they came");
    cr_expect_eq(era_events_next_seq(events, alice, 5), 8);
    expire(9);
    cr_expect_eq(era_events_next_seq(events, alice, 5), 1, "all of it is forgotten");
}

/* An event that was verified, of whoever: the table asks for no more of it. */
static enum era_verdict arrives_numbered(uint32_t n, uint64_t epoch)
{
    static struct era_statement statement;
    static const uint8_t byte;
    statement.kind = ERA_KIND_EVENT;
    statement.u.event = (struct era_event_statement){.epoch = epoch, .entry = entry, .seq = 1};
    struct era_verified s = {
        .kind = ERA_KIND_EVENT, .envelope = {&byte, 1}, .validator = (int)n, .statement = &statement};
    era_put_be32(s.item.b, n);
    return era_events_offer(events, &s, epoch, &entry);
}

Test(events, C3_what_is_remembered_is_bounded_and_above_it_nothing_is_delivered)
{
    for (uint32_t n = 0; n < ERA_EVENTS_SEEN_MAX; n++) {
        cr_assert_eq(arrives_numbered(n, 5), ERA_ACCEPTED);
        if (n % 65536 == 0)
            expire(5);
    }
    cr_expect_eq(arrives_numbered(ERA_EVENTS_SEEN_MAX, 5), ERA_FULL);
    cr_expect_eq(arrives_numbered(1, 5), ERA_DUPLICATE);
    cr_expect_gt(expire(5), 0);
    cr_expect_eq(expire(5), 0, "what is gone goes once");
    cr_expect_eq(era_events_count(events), ERA_EVENT_RING_MAX);
    expire(8);
    cr_expect_eq(arrives_numbered(ERA_EVENTS_SEEN_MAX, 8), ERA_ACCEPTED, "time makes room");
}

Test(events, nothing_is_freed_of_nobody)
{
    era_events_free(NULL);
    cr_expect_eq(era_events_count(events), 0);
}
