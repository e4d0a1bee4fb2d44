/* faults: every kind of fault there is, by name. One table: the command line,
 * the report and the schedule read it. */
#ifndef ERA_ERASIM_FAULTS_H
#define ERA_ERASIM_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off: a table */
#define SIM_FAULTS(X)                                                                                        \
    X(LATENCY, "latency", "frames wait up to seconds")                                                       \
    X(LOSS, "loss", "a frame is lost")                                                                       \
    X(DUPLICATION, "duplication", "a frame arrives twice")                                                   \
    X(REORDER, "reorder", "a frame overtakes others")                                                        \
    X(BANDWIDTH, "bandwidth", "a link carries few bytes a second")                                           \
    X(CUT, "cut", "a link breaks")                                                                           \
    X(ONE_WAY, "one-way", "a link carries one way only")                                                     \
    X(FLAP, "flap", "a link breaks again and again, or its bytes are altered")                               \
    X(PARTITION, "partition", "the net falls apart and heals")                                               \
    X(ECLIPSE, "eclipse", "a node sees hostile peers only")                                                  \
    X(CRASH, "crash", "a process ends, its disk stays")                                                      \
    X(POWER, "power", "power is lost; the disk is as a power loss leaves it")                                \
    X(TORN, "torn", "the last write before a power loss is torn")                                            \
    X(DISK_ERROR, "disk-error", "a commit returns EIO")                                                      \
    X(DISK_FULL, "disk-full", "a commit returns ENOSPC")                                                     \
    X(BIT_FLIP, "bit-flip", "a stored bit flips")                                                            \
    X(SLOW_DISK, "slow-disk", "commits take seconds")                                                        \
    X(BACKUP, "backup", "an old backup is restored")                                                         \
    X(SKEW, "skew", "a clock is off by up to an epoch")                                                      \
    X(DRIFT, "drift", "a clock runs fast or slow")                                                           \
    X(JUMP, "jump", "a clock jumps to 2099, or back")                                                        \
    X(BAD_SIGNER, "bad-signer", "k - 1 signers approve two things, or late")                                 \
    X(BAD_VALIDATOR, "bad-validator", "validators vote, lease and announce twice")                           \
    X(WITHHELD, "withheld", "a statement is shown late, or to few")                                          \
    X(REPLAY, "replay", "old statements come again")                                                         \
    X(SPAM, "spam", "statements up to and over every limit")                                                 \
    X(GARBAGE, "garbage", "bytes that are no frame, frames that break the rules")                            \
    X(FAST_FORWARD, "fast-forward", "announcements and slots from far ahead")                                \
    X(IMPATIENT, "impatient", "a validator votes for all it may")                                            \
    X(ABSENT, "absent", "a validator says nothing for long")
/* clang-format on */

enum sim_fault {
#define X(id, name, text) SIM_FAULT_##id,
    SIM_FAULTS(X)
#undef X
        SIM_FAULT_KINDS
};

typedef uint64_t sim_faults_t; /* bit: 1 << enum sim_fault */
#define SIM_FAULTS_ALL (((sim_faults_t)1 << SIM_FAULT_KINDS) - 1)

const char *sim_fault_name(enum sim_fault f);
const char *sim_fault_text(enum sim_fault f);

/* "loss,cut", "all", "none", "all,-jump". False: *word is the unknown one (points into list). */
bool sim_faults_parse(const char *list, sim_faults_t *out, const char **word, size_t *word_len);

#endif
