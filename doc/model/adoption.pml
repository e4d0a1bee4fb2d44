/* adoption: the rules R4, R5, R6 and R7 inside one charter, against loss, delay, reordering, crashes
 * and one faulty validator. contrib/check calls check.sh, which runs this file with spin.
 *
 * Modelled
 * - four validators of stake 1: W = 4, Q = 3. Three are honest processes; the fourth is faulty: its
 *   votes for every proposal lie on the wire from the start, two in one slot included (more can only
 *   help a wrong adoption, so what it withholds need not be tried);
 * - two slots, two rival proposals in each; slot 1: A brings entry a, B brings entry b; both build on
 *   no head. Slot 2: the plans of C and D are any that signers could write (chosen at the start);
 * - a vote is decided, committed, sent, in three steps; a crash may fall between any two of them and
 *   loses what was not committed;
 * - the wire only grows: a message is delivered late, in any order, twice or never, since whoever
 *   could use it may do so at any later step or not at all;
 * - certificates: whenever the parts lie on the wire, anyone may assemble and learn one.
 *
 * Abstracted away
 * - approvals (R3, R5): k signers have approved all four proposals: b bad signers that split the
 *   honest ones;
 * - time: notice, expiry, epochs, leases, rebuilds. They only forbid votes that are allowed here;
 * - a plan is the set of entries that it accounts for: contained unchanged or named in `drops`. For the
 *   promise (nothing adopted is lost unnoticed) the two are alike;
 * - a certificate on its way to the disk is one that has not arrived: nothing shows it yet.
 *
 * Bounds: 4 validators, 1 faulty, 2 slots, 4 proposals, 2 entries; any number of crashes.
 *
 * Promises: I1 one adopted id a slot; I3 an adopted entry is accounted for by every higher adopted
 * slot, and no head goes down, restarts included.
 *
 * Each MUTANT_ breaks one rule; pan must then find an error. Each WITNESS_ denies something that must be
 * possible (a promise about what never happens would hold of a model in which nothing does). */

#define HONEST 3
#define FAULTY 1

/* W = total stake, Q = floor(2W/3) + 1. */
#ifdef MUTANT_QUORUM_OF_HALF
#define Q 2
#else
#define Q 3
#endif

/* Proposals as bits of a set; the entry of A is bit A, that of B is bit B. */
#define NONE 0
#define A 1
#define B 2
#define C 4
#define D 8

#define SLOT_1 (A | B)
#define SLOT_2 (C | D)
#define SLOT(p) ((p) == NONE -> 0 : (((p) & SLOT_1) -> 1 : 2))

/* prev and what the plan accounts for, of C and D. */
byte prev_c, prev_d;
byte accounts_c, accounts_d;
#define PREV(p) ((p) == C -> prev_c : ((p) == D -> prev_d : NONE))
#define ACCOUNTS(p) ((p) == C -> accounts_c : ((p) == D -> accounts_d : (p)))

/* What each honest validator voted for: as it knows now, and as its disk knows. */
byte memory[HONEST], disk[HONEST];
/* The votes of honest validators that left their node. */
byte wire[HONEST];
/* The head that each shows, and the head on its disk. */
byte head[HONEST], head_disk[HONEST];

#define VOTES(p) (((wire[0] & (p)) != 0) + ((wire[1] & (p)) != 0) + ((wire[2] & (p)) != 0))

/* R5: "Adopted = approved + readiness of stake >= Q".
 * R6: "Anyone who holds the parts may assemble one": adopted is what lies on the wire. */
#define ADOPTED(p) (FAULTY + VOTES(p) >= Q)

/* I1: "one adopted id per slot over all nodes' union". */
#define ONE_ID_A_SLOT (!(ADOPTED(A) && ADOPTED(B)) && !(ADOPTED(C) && ADOPTED(D)))

/* I3: "no adopted entry disappears from the head's plan before its time but by drops". */
#define KEPT(low, high) (!(ADOPTED(low) && ADOPTED(high)) || (ACCOUNTS(high) & (low)))
#define NOTHING_LOST (KEPT(A, C) && KEPT(A, D) && KEPT(B, C) && KEPT(B, D))

/* R4: "only for a slot above every slot of that component it voted in". A vote on its way to the disk
 * binds already. */
#ifdef MUTANT_PENDING_DOES_NOT_BIND
#define BINDING disk[me]
#else
#define BINDING memory[me]
#endif
#ifdef MUTANT_VOTE_TWICE
#define ABOVE_ALL_VOTED(p) (!(BINDING & (p)) && !(SLOT(p) == 1 && (BINDING & SLOT_2)))
#elif defined(MUTANT_VOTE_BELOW)
#define ABOVE_ALL_VOTED(p) (!(BINDING & (SLOT(p) == 1 -> SLOT_1 : SLOT_2)))
#else
#define ABOVE_ALL_VOTED(p) (!(BINDING & SLOT_2) && !(SLOT(p) == 1 && (BINDING & SLOT_1)))
#endif

/* The extending rule: "prev is the head they hold". */
#define BUILDS_ON_HEAD(p) (PREV(p) == head[me])

/* "It contains, unchanged, every later entry with an epoch of prev's plan ... except what drops names". */
#ifdef MUTANT_PREV_NOT_EXTENDED
#define EXTENDS_PREV(p) true
#else
#define EXTENDS_PREV(p) (PREV(p) == NONE || (ACCOUNTS(p) & PREV(p)))
#endif

/* "... and, for a validator, also every entry with an epoch above the first of any slot above prev that
 * it voted for, except what drops names". */
#ifdef MUTANT_VOTED_NOT_EXTENDED
#define EXTENDS_VOTED(p) true
#else
#define EXTENDS_VOTED(p) (SLOT(PREV(p)) >= 1 || !(BINDING & SLOT_1 & ~ACCOUNTS(p)))
#endif

#define MAY_VOTE(p) (ABOVE_ALL_VOTED(p) && BUILDS_ON_HEAD(p) && EXTENDS_PREV(p) && EXTENDS_VOTED(p))

/* R4: "it leaves the node only after the vote is durably committed". */
#ifdef MUTANT_VOTE_NOT_DURABLE
#define MAY_LEAVE memory[me]
#else
#define MAY_LEAVE disk[me]
#endif

/* R7: "head = the adopted, non-void proposal of the highest slot"; "a lower slot that is learned late
 * changes nothing". */
#ifdef MUTANT_HEAD_BY_ARRIVAL
#define IS_NEW_HEAD(p) (head[me] != (p))
#else
#define IS_NEW_HEAD(p) (SLOT(p) > SLOT(head[me]))
#endif

inline vote(p)
{
    atomic { MAY_VOTE(p) -> memory[me] = memory[me] | p }
}

inline send(p)
{
    atomic {
        (MAY_LEAVE & p) && !(wire[me] & p) ->
        wire[me] = wire[me] | p;
        assert(ONE_ID_A_SLOT);
        assert(NOTHING_LOST);
#ifdef WITNESS_BOTH_SLOTS
        assert(!(ADOPTED(A) && ADOPTED(C) && prev_c == NONE && head[0] == A));
#endif
    }
}

inline display(p)
{
    assert(SLOT(p) >= SLOT(head[me])); /* I3: head never goes down */
    head[me] = p
}

inline learn(p)
{
    atomic {
        ADOPTED(p) && IS_NEW_HEAD(p) ->
        display(p);
        /* Section 9: one transaction, "only then view". */
#ifndef MUTANT_HEAD_NOT_DURABLE
        head_disk[me] = p
#endif
    }
}

proctype validator(byte me)
{
    do
    :: vote(A)
    :: vote(B)
    :: vote(C)
    :: vote(D)
    :: atomic { disk[me] != memory[me] -> disk[me] = memory[me] }
    :: send(A)
    :: send(B)
    :: send(C)
    :: send(D)
    :: learn(A)
    :: learn(B)
    :: learn(C)
    :: learn(D)
    :: atomic { /* a crash, and the start after it */
           memory[me] != disk[me] || head[me] != head_disk[me] ->
           memory[me] = disk[me];
           display(head_disk[me])
       }
    od
}

/* Any plan that builds on no head, A or B and accounts for any of a and b. */
inline write_plan(prev, accounts)
{
    if
    :: prev = NONE
    :: prev = A
    :: prev = B
    fi;
    if
    :: accounts = NONE
    :: accounts = A
    :: accounts = B
    :: accounts = A | B
    fi
}

init
{
    atomic {
        write_plan(prev_c, accounts_c);
        write_plan(prev_d, accounts_d);
        run validator(0);
        run validator(1);
        run validator(2)
    }
}
