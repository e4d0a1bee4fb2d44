/* charter: the rule R10, one change of charter c -> c+1, against loss, delay, reordering, crashes and
 * one faulty validator on each side. contrib/check calls check.sh, which runs this file with spin,
 * once for each part:
 *   PART_SLOTS    votes and closes: no adopted entry is lost across the change;
 *   PART_LEASES   leases and closes: no epoch has a quorum of leases under both charters.
 * The parts share the closes only; one search over both would be the product of two.
 *
 * Modelled
 * - charter c: four validators of stake 1, Q_old = 3. Three are honest processes; the faulty one voted
 *   for everything, leased every epoch, and signed a close for each charter that names no slot and no
 *   epoch: what helps a wrong outcome most;
 * - charter c+1: validators disjoint from those of c, the worst case: a key in both obeys both rules.
 *   One honest validator stands for all of them. What it can be brought to sign, the same messages
 *   bring every other one to sign: so one wrong signature counts as a quorum of them;
 * - two rivals for version c+1, X and Y, both with approvals (bad signers split the honest ones) and,
 *   X at least, with accepts;
 * - one slot of c, A with its entry a, above the head; one slot of c+1, N: its plan is any that signers
 *   could write;
 * - votes and closes are decided, committed, sent in three steps; a crash may fall between any two of
 *   them and loses what was not committed;
 * - the wire only grows: whoever could use a message does so at any later step or not at all.
 *
 * Abstracted away
 * - R3 and R5's approvals (given), accepts (not binding), several components, notice, expiry;
 * - which era a lease names: the promise checked is the stronger one, no two quorums at all;
 * - so also the clause on the epochs at which a slot of c+1 may add or drop entries;
 * - a lease is committed and sent in one step: that a vote must be durable first is seen in adoption.pml;
 * - votes inside one charter: adoption.pml.
 *
 * Bounds: 3 + 1 old validators, two rivals, one slot a charter, epochs E and E + 1; any number of crashes.
 *
 * Each MUTANT_ breaks one rule; pan must then find an error. Each WITNESS_ denies something that must be
 * possible (a promise about what never happens would hold of a model in which nothing does). */

#define HONEST 3
#define FAULTY 1

/* "closes >= Q_old", Q = floor(2W/3) + 1. */
#ifdef MUTANT_QUORUM_OF_HALF
#define Q_OLD 2
#else
#define Q_OLD 3
#endif

/* What a validator of c says, as bits of a set. */
#define VOTE_A 1
#define CLOSE_X 2
#define CLOSE_Y 4
#define CLOSE (CLOSE_X | CLOSE_Y)

/* Epochs as bits, and as numbers beside a close's `last`: 0 = none at or above E. */
#define EPOCH_1 1 /* E */
#define EPOCH_2 2 /* E + 1 */

byte memory[HONEST], disk[HONEST], wire[HONEST];
byte leased[HONEST];  /* epochs leased under c */
bool head_a[HONEST];  /* holds A's certificate: A is its head */
bool names_a[HONEST]; /* its close names A */
byte last[HONEST];    /* its close's `last` */

bool carried_a;            /* X's `carried` is not below A's slot */
bool n_on_a, n_accounts_a; /* N's prev is A; N's plan contains a, or drops it by name */

/* The validator of c+1. */
byte held;    /* closes for X, as bits of the honest keys */
bool new_head_a, voted_n;
byte new_leased;

#define SAID(v, what) ((wire[v] & (what)) != 0)
#define STAKE(what) (FAULTY + SAID(0, what) + SAID(1, what) + SAID(2, what))
#define A_ADOPTED (STAKE(VOTE_A) >= 3)
/* "Adopted = approvals + accepts >= Q_new + closes >= Q_old". */
#define X_ADOPTED (STAKE(CLOSE_X) >= Q_OLD)
#define Y_ADOPTED (STAKE(CLOSE_Y) >= Q_OLD)

#define HOLDS(v) ((held >> (v)) & 1)
#define HOLDS_X (FAULTY + HOLDS(0) + HOLDS(1) + HOLDS(2) >= Q_OLD)

#define LEASES(e) (FAULTY + ((leased[0] & (e)) != 0) + ((leased[1] & (e)) != 0) + ((leased[2] & (e)) != 0))
#define TWO_QUORUMS(e) (LEASES(e) >= 3 && (new_leased & (e)))

/* I5, I3, I7. */
inline promises()
{
    assert(!(X_ADOPTED && Y_ADOPTED));              /* charter chains are prefixes of one another */
    assert(!(X_ADOPTED && A_ADOPTED) || carried_a); /* nothing adopted is void of effect */
    assert(!(A_ADOPTED && voted_n) || n_accounts_a); /* nothing adopted is lost across charters */
    assert(!TWO_QUORUMS(EPOCH_1) && !TWO_QUORUMS(EPOCH_2));
#ifdef WITNESS_SLOTS
    assert(!(A_ADOPTED && X_ADOPTED && voted_n && !n_on_a));
#endif
#ifdef WITNESS_LEASES
    assert(!(LEASES(EPOCH_1) >= 3 && (new_leased & EPOCH_2)));
#endif
}

/* ---- a validator of c ---------------------------------------------------------------- */

/* "afterwards that key signs no readiness under c": also when the close is on its way to the disk. */
#ifdef MUTANT_VOTE_AFTER_CLOSE
#define MAY_VOTE(v) true
#else
#define MAY_VOTE(v) (!(memory[v] & CLOSE))
#endif

/* "one id a version, binding". */
#ifdef MUTANT_CLOSE_TWICE
#define MAY_CLOSE(v, id) (!(memory[v] & (id)))
#else
#define MAY_CLOSE(v, id) (!(memory[v] & CLOSE))
#endif

/* "only with ... carried >= every slot it voted in". Y's is high enough: it is there as X's rival. */
#ifdef MUTANT_CARRIED_NOT_ASKED
#define CARRIES(v, id) true
#else
#define CARRIES(v, id) ((id) == CLOSE_Y || carried_a || !(memory[v] & VOTE_A))
#endif

/* "It carries ... (slot, proposal id) of every slot ... that it voted in" at or above its head. With those
 * above alone an entry is lost: the closers hold A as head and do not name it, and a validator of c+1
 * may hold their closes and not yet A's certificate. A vote on its way to the disk counts. */
#ifdef MUTANT_CLOSE_WITHOUT_SLOTS
#define NAMES_A(v) false
#elif defined(MUTANT_CLOSE_ONLY_ABOVE_HEAD)
#define NAMES_A(v) ((memory[v] & VOTE_A) && !head_a[v])
#elif defined(MUTANT_CLOSE_WITHOUT_PENDING)
#define NAMES_A(v) ((disk[v] & VOTE_A) != 0)
#else
#define NAMES_A(v) ((memory[v] & VOTE_A) != 0)
#endif

/* "It carries last, the highest epoch its key leased". */
#ifdef MUTANT_CLOSE_WITHOUT_LAST
#define LAST(v) 0
#else
#define LAST(v) ((leased[v] & EPOCH_2) -> 2 : ((leased[v] & EPOCH_1) -> 1 : 0))
#endif

/* "and no lease under c at epochs >= E above last". */
#ifdef MUTANT_LEASE_AFTER_CLOSE
#define MAY_LEASE(v, e) true
#else
#define MAY_LEASE(v, e) (!(memory[v] & CLOSE) || (e) <= last[v])
#endif

/* What binds leaves the node only after it is durably committed. */
#ifdef MUTANT_CLOSE_NOT_DURABLE
#define MAY_LEAVE(v) (disk[v] | (memory[v] & CLOSE))
#else
#define MAY_LEAVE(v) disk[v]
#endif

inline close(id)
{
    atomic {
        MAY_CLOSE(me, id) && CARRIES(me, id) ->
        names_a[me] = NAMES_A(me);
        last[me] = LAST(me);
        memory[me] = memory[me] | id
    }
}

inline send(what)
{
    atomic {
        (MAY_LEAVE(me) & what) && !(wire[me] & what) ->
        wire[me] = wire[me] | what;
        promises()
    }
}

inline lease(e)
{
    atomic {
        !(leased[me] & e) && MAY_LEASE(me, e) ->
        leased[me] = leased[me] | e;
        promises()
    }
}

proctype old_validator(byte me)
{
    do
#ifdef PART_SLOTS
    :: atomic { !head_a[me] && !(memory[me] & VOTE_A) && MAY_VOTE(me) -> memory[me] = memory[me] | VOTE_A }
    :: send(VOTE_A)
    :: atomic { !head_a[me] && A_ADOPTED -> head_a[me] = true } /* R6, R7 */
#endif
#ifdef PART_LEASES
    :: lease(EPOCH_1)
    :: lease(EPOCH_2)
#endif
    :: close(CLOSE_X)
    :: close(CLOSE_Y)
    :: send(CLOSE_X)
    :: send(CLOSE_Y)
    :: atomic { disk[me] != memory[me] -> disk[me] = memory[me] }
    :: atomic { /* a crash, and the start after it */
           memory[me] != disk[me] ->
           if
           :: memory[me] & ~disk[me] & ~wire[me] & CLOSE -> names_a[me] = false; last[me] = 0
           :: else
           fi;
           memory[me] = disk[me]
       }
    od
}

/* ---- the validator of c+1 ------------------------------------------------------------ */

/* "Loose closes are kept even when the certificate is complete." */
inline receive_close(v)
{
    atomic { (wire[v] & CLOSE_X) && !HOLDS(v) -> held = held | (1 << v) }
}

/* "For validators of c+1, a slot named by any close they hold counts as one they voted in (extending
 * rule, leases)." */
#ifdef MUTANT_NAMED_NOT_VOTED_IN
#define NAMED_A false
#else
#define NAMED_A ((HOLDS(0) && names_a[0]) || (HOLDS(1) && names_a[1]) || (HOLDS(2) && names_a[2]))
#endif

/* "epoch e >= E counts under c+1 once closes of stake >= Q_old have last < e, until then under c". */
#ifdef MUTANT_LAST_NOT_ASKED
#define BELOW(v, e) HOLDS(v)
#else
#define BELOW(v, e) (HOLDS(v) && last[v] < (e))
#endif
#define COUNTS(e) (FAULTY + BELOW(0, e) + BELOW(1, e) + BELOW(2, e) >= Q_OLD)

inline new_lease(e)
{
    atomic {
        HOLDS_X && COUNTS(e) && !(new_leased & e) ->
        new_leased = new_leased | e;
        promises()
    }
}

proctype new_validator()
{
    do
    :: receive_close(0)
    :: receive_close(1)
    :: receive_close(2)
#ifdef PART_SLOTS
       /* "slots of c above carried are void of effect, the plan of each component goes on". */
    :: atomic { A_ADOPTED && carried_a && !new_head_a -> new_head_a = true }
    :: atomic { /* the extending rule: prev is the head held; what counts as voted in is accounted for */
           HOLDS_X && !voted_n && n_on_a == new_head_a && (n_accounts_a || !(new_head_a || NAMED_A)) ->
           voted_n = true;
           promises()
       }
#endif
#ifdef PART_LEASES
    :: new_lease(EPOCH_1)
    :: new_lease(EPOCH_2)
#endif
    od
}

init
{
    atomic {
#ifdef PART_SLOTS
        select(carried_a : 0 .. 1);
        select(n_on_a : 0 .. 1);
        select(n_accounts_a : 0 .. 1);
#endif
        run old_validator(0);
        run old_validator(1);
        run old_validator(2);
        run new_validator()
    }
}
