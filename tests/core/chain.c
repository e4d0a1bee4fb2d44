#include "tests/core/chain.h"

#include <criterion/criterion.h>

#include "src/core/vote.h"

struct era_charter *old, *next;
struct peer *p;

void chain_begin(void)
{
    old = given_charter("alice:10 bob:10 carol:10 dave:10", "network k=2 signers=s1,s2");
    next = given_next_charter(old, "erin:10 frank:10 grace:10 heidi:10", "network k=2 signers=s2,s3", E,
                              CARRIED);
    p = given_peer(old);
    p->epoch = 10;
}

struct era_bytes chain_certificate(const struct era_close *words)
{
    return given_succession_sealed(
        given_succession(next, "s1 s2", "s2 s3", "erin frank grace", CLOSERS, words));
}

struct peer *chain_adopted(const struct era_close *words)
{
    cr_assert_eq(take(p, chain_certificate(words)), ERA_ACCEPTED);
    return given_heir(p, next);
}

struct era_proposal *chain_start(uint64_t seq)
{
    return given_proposal(old, "network", seq);
}

void chain_adopt(const struct era_proposal *of)
{
    cr_assert_eq(take(p, given_certificate(old, of, "s1", "s1 s2", OLD, "")), ERA_ACCEPTED);
}

enum era_verdict chain_may_vote(struct peer *of, const char *who, const struct era_proposal *on,
                                uint64_t epoch)
{
    const char *why;
    struct era_voter voter = {.key = given_key(who).key, .initial = &of->initial[0], .epoch = epoch};
    struct era_candidate *it = candidate(of, on);
    cr_assert_not_null(it);
    return era_vote_readiness(of->ledger, it, &voter, &why);
}
