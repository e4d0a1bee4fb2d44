/* adoption: who runs what, by stake (M6), from the newest announcements of at
 * most the present epoch + 1. Stakes are the charter's (R11). Monitoring only:
 * no threshold reads it. */
#ifndef ERA_CORE_ADOPTION_H
#define ERA_CORE_ADOPTION_H

#include "src/core/ledger.h"

#define ERA_ADOPTION_VERSIONS_MAX 32 /* distinct versions shown a kind; the rest is summed as "other" */

struct era_adoption_version {
    char version[ERA_VERSION_BYTES_MAX + 1];
    uint64_t stake;
};

struct era_adoption {
    uint64_t stake_sum, quorum;
    uint64_t fresh_stake;                       /* announced for an epoch >= own - 1 */
    uint64_t blocked_stake;                     /* fresh and marked blocked */
    uint64_t staged_stake;                      /* fresh and marked staged */
    uint64_t same_view_stake, other_view_stake; /* fresh, see era_view_word (N3); the rest says neither */
    size_t count;                               /* software versions, by stake descending */
    struct era_adoption_version software[ERA_ADOPTION_VERSIONS_MAX];
    uint64_t other_stake;
};

/* What an announcement says of one's own view. One that names another view is a warning only if it speaks of
 * an epoch after the one in which ours last changed: the others were signed before the change. */
enum era_view_word { ERA_VIEW_SAME, ERA_VIEW_OTHER, ERA_VIEW_UNSAID };
enum era_view_word era_view_word(const struct era_announcement *a, const struct era_hash *view_digest,
                                 uint64_t view_since);

/* What is counted of one announcement. */
struct era_adoption_word {
    uint64_t item; /* of its id: whoever makes two of its own alike deceives about itself alone */
    uint8_t version, view;
    bool known, blocked, staged;
};

/* What was counted the last time, so that each announcement is read and decoded once. Changes no result. */
struct era_adoption_memo {
    const struct era_ledger *ledger; /* borrowed; only compared */
    size_t word_count, version_count, view_count;
    struct era_adoption_word *words; /* one a validator; owned */
    char versions[ERA_ADOPTION_VERSIONS_MAX][ERA_VERSION_BYTES_MAX + 1];
    struct era_hash views[ERA_ADOPTION_VERSIONS_MAX];
};

/* Zeroed before and after: nothing is known. */
void era_adoption_forget(struct era_adoption_memo *memo);

/* view_since: the epoch in which one's own view last changed. */
void era_adoption_measure(const struct era_ledger *l, uint64_t epoch, const struct era_hash *view_digest,
                          uint64_t view_since, struct era_adoption_memo *memo, struct era_adoption *out);

/* Fresh stake whose announced versions support a record (M8). */
uint64_t era_adoption_supporting(const struct era_ledger *l, uint64_t epoch, const struct era_record *r);

#endif
