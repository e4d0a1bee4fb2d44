/* verdict: every answer erad gives to outside input, in one table.
 * Three kinds of error are never mixed: our bug is an assertion, outside input
 * is a verdict, the environment is a negative errno in a driver.
 * Switch on a verdict without `default`, so that a new one is a compile error. */
#ifndef ERA_BASE_VERDICT_H
#define ERA_BASE_VERDICT_H

#include <stddef.h>

/* Exit statuses of all programs. */
enum era_exit {
    ERA_EXIT_OK = 0,
    ERA_EXIT_NEGATIVE = 1,
    ERA_EXIT_USAGE = 64,
    ERA_EXIT_DATA = 65,
    ERA_EXIT_NO_INPUT = 66,
    ERA_EXIT_UNAVAILABLE = 69,
    ERA_EXIT_BUG = 70,
    ERA_EXIT_CANNOT_WRITE = 73,
    ERA_EXIT_TRY_LATER = 75,
    ERA_EXIT_INCOMPATIBLE = 76,
    ERA_EXIT_PERMISSION = 77,
    ERA_EXIT_CONFIG = 78
};

/* X(NAME, code, what it means, cure, penalty charged to the peer that sent it, exit status) */
/* clang-format off */
#define ERA_VERDICTS(X)                                                                            \
    X(ACCEPTED, "accepted", "accepted", "", 0, 0)                                                  \
    X(DUPLICATE, "duplicate", "this statement is already held", "nothing to do", 0, 0)             \
    X(DOMINATED, "dominated", "its slot is not above the adopted one",                             \
      "look at the head with `eractl eras` and propose for the next slot", 0, 65)                  \
    X(BEYOND_WINDOW, "beyond-window", "its sequence number lies beyond the window",                \
      "use the next free sequence number; `eractl propose` does", 0, 65)                           \
    X(CAPPED, "capped", "two statements of this key are already held for this place",              \
      "none: a key speaks once a slot", 0, 65)                                                     \
    X(FULL, "full", "a table sized from the charter is full",                                         \
      "a higher slot or the next charter makes room; else report it", 0, 75)                                             \
    X(TRUNCATED, "truncated", "the bytes end too early", "send it whole", 10, 65)                  \
    X(OVERSIZED, "oversized", "it is larger than the limit", "make it smaller", 10, 65)            \
    X(MALFORMED, "malformed", "the bytes do not decode", "check what wrote them", 10, 65)          \
    X(NOT_CANONICAL, "not-canonical", "it is not in canonical form", "encode it with erad", 10, 65) \
    X(BAD_UTF8, "bad-utf8", "a text is not clean UTF-8", "remove control characters", 10, 65)      \
    X(BAD_VALUE, "bad-value", "a value is out of its range or form", "see erad-protocol(7)", 10, 65) \
    X(UNKNOWN_KIND, "unknown-kind", "this version does not know this kind of statement",           \
      "upgrade erad", 0, 65)                                                                       \
    X(UNKNOWN_KEY, "unknown-key", "no known charter names this key in that role",                  \
      "use a key that `eractl charter show` lists", 2, 77)                                         \
    X(UNKNOWN_COMPONENT, "unknown-component", "the charter has no such component",                 \
      "see `eractl charter show`", 2, 65)                                                          \
    X(UNKNOWN_CHARTER, "unknown-charter", "it belongs to a charter version not held here",         \
      "fetch the newer charter", 0, 65)                                                            \
    X(WRONG_NETWORK, "wrong-network", "it belongs to another network",                             \
      "compare `eractl charter hash` on both sides", 10, 65)                                       \
    X(BAD_SIGNATURE, "bad-signature", "the signature does not fit",                                \
      "sign it again; on another network the same text has another id", 10, 65)                    \
    X(SMALL_ORDER_KEY, "small-order-key", "the key is of small order or not on the curve",         \
      "make a key with `eractl keygen`", 10, 65)                                                   \
    X(DUPLICATE_KEY, "duplicate-key", "one key is named or counted twice", "count every key once", 10, 65) \
    X(INCOMPLETE, "incomplete", "a carrier lacks signatures or stake",                             \
      "collect the missing statements", 5, 65)                                                     \
    X(ILL_FORMED_PLAN, "ill-formed-plan", "the plan breaks the rules of a plan",                   \
      "see PLANS in erad-protocol(7)", 5, 65)                                                      \
    X(NOT_EXTENDING, "not-extending", "the plan does not extend the head's plan",                  \
      "make it with `eractl propose`, or name what it leaves out with --drop", 0, 65)              \
    X(SHORT_NOTICE, "short-notice", "an effective epoch is too near",                              \
      "choose a later epoch, or the urgent lane", 0, 65)                                           \
    X(EXPIRED, "expired", "the proposal has expired", "propose it again", 0, 65)                   \
    X(NO_PREV, "no-prev", "it does not build on the head held here",                               \
      "wait until the head is held, or propose again on it", 0, 75)                                \
    X(NOT_APPROVED, "not-approved", "the proposal has not enough approvals yet",                   \
      "wait for the signers; `eractl show ID` counts them", 0, 75)                                 \
    X(ALREADY_SIGNED, "already-signed", "this key already signed another proposal there",          \
      "none: a key binds itself once a slot; use a later slot", 0, 65)                             \
    X(NO_REBUILD, "no-rebuild", "this node has no matching rebuild of its own",                    \
      "build it and run `eractl attest ID --dir D`", 0, 65)                                        \
    X(MISMATCH, "mismatch", "this node's own rebuild differs from the plan's digest",              \
      "find out why before anything else; tell the signers", 0, 1)                                 \
    X(WRONG_ERA, "wrong-era", "the event names an entry that was not in force at its epoch",       \
      "upgrade, or wait for the epoch", 0, 76)                                                     \
    X(WRONG_EPOCH, "wrong-epoch", "the epoch is too far from this node's",                         \
      "compare the clocks", 0, 75)                                                                 \
    X(RATE_LIMITED, "rate-limited", "more than the charter allows a key and epoch, or one peer may send", \
      "wait: for the next epoch, a peer for some seconds", 1, 75)                                 \
    X(BLOCKED, "blocked", "this node's version is incompatible with the current era",              \
      "upgrade; `eractl status` names the artefact", 0, 76)                                        \
    X(STALE, "stale", "fewer fresh announcements than a quorum",                                   \
      "check links and peers with `eractl peers`", 0, 75)                                          \
    X(CLOCK, "clock", "a quorum announces epochs further from this node's own than the tolerance",  \
      "set this machine's clock, or feed the height of the host chain", 0, 75)                     \
    X(LOCKED, "locked", "this node's signing key is locked",                                         \
      "wait until it has compared itself with its peers; if its store is the newest, run `eractl unlock`", 0, 75) \
    X(LEASED, "leased", "this validator leased an epoch in which the plan gives another era",      \
      "propose it for a later epoch", 0, 65)                                                       \
    X(FORKED, "forked", "two proposals were adopted in one slot",                                  \
      "the signers must have a higher slot adopted", 0, 76)                                        \
    X(NO_ERA, "no-era", "no era is in force", "wait for the plan's first epoch", 0, 75)            \
    X(NO_KEY, "no-key", "this node holds no key for that",                                         \
      "set validator_key in erad.conf", 0, 77)                                                     \
    X(NOT_FOUND, "not-found", "nothing here has that id", "see `eractl inbox` and `eractl log`", 0, 66) \
    X(AMBIGUOUS, "ambiguous", "more than one id begins so", "give more digits", 0, 64)             \
    X(STORE_FAILED, "store-failed", "the store could not keep it, so it was not acknowledged",     \
      "free disk space, check the disk, restart erad", 0, 73)                                      \
    X(NO_COMMON_PROTOCOL, "no-common-protocol", "the peers share no protocol version",             \
      "upgrade the older one", 0, 76)                                                              \
    X(TOO_MANY_LINKS, "too-many-links", "no room for one more link", "try later or elsewhere", 0, 75) \
    X(SELF_LINK, "self-link", "this address leads back to this node", "remove it from peers", 0, 65) \
    X(UNEXPECTED, "unexpected", "the message does not belong here now", "check the peer's version", 10, 65) \
    X(TIMEOUT, "timeout", "nothing came in time", "try later", 1, 75)                              \
    X(USAGE, "usage", "the request is not understood", "see --help", 0, 64)                        \
    X(PERMISSION, "permission", "not allowed for this user", "run it as root or as erad's user", 0, 77) \
    X(UNPROVEN_KEY, "unproven-key", "the peer did not prove that it holds the node key it names",   \
      "find out who answers at that address", 10, 77)                                               \
    X(NOT_AUTHENTIC, "not-authentic", "an encrypted message is not what its sender wrote, or came twice", \
      "find out what stands between the two nodes", 10, 65)                                         \
    X(OTHER_KEY, "other-key", "another node key answers at that address than the configured one",     \
      "find out who answers there; if the peer has a new node key, write that into `peers`", 0, 77)
/* clang-format on */

enum era_verdict {
#define X(name, code, text, cure, penalty, status) ERA_##name,
    ERA_VERDICTS(X)
#undef X
        ERA_VERDICT_COUNT
};

/* The row of a verdict. All strings are static. */
const char *era_verdict_code(enum era_verdict v); /* "bad-signature" */
const char *era_verdict_text(enum era_verdict v); /* what it means */
const char *era_verdict_cure(enum era_verdict v); /* what to do; "" for none */
int era_verdict_penalty(enum era_verdict v);      /* score charged to who sent it */
int era_verdict_exit(enum era_verdict v);         /* enum era_exit */

#endif
