/* verbs: the one table of what eractl can do, and the keys of its options. */
#ifndef ERA_ERACTL_VERBS_H
#define ERA_ERACTL_VERBS_H

#include "src/eractl/cli.h"

enum {
    ERA_OPT_KEY = ERA_OPT_OWN,
    ERA_OPT_NETWORK,
    ERA_OPT_COMPONENT,
    ERA_OPT_SET_VERSION,
    ERA_OPT_CLASS,
    ERA_OPT_EFFECTIVE,
    ERA_OPT_ANNOUNCE,
    ERA_OPT_ERA_NAME,
    ERA_OPT_ARTEFACT,
    ERA_OPT_ARTEFACT_LINK,
    ERA_OPT_SOURCE_DIGEST,
    ERA_OPT_LINK,
    ERA_OPT_REQUIRE,
    ERA_OPT_FLAG,
    ERA_OPT_DEPEND,
    ERA_OPT_DROP,
    ERA_OPT_URGENT,
    ERA_OPT_TEXT,
    ERA_OPT_EXPIRES,
    ERA_OPT_SEQ,
    ERA_OPT_YES,
    ERA_OPT_YES_UNDO,
    ERA_OPT_DRY_RUN,
    ERA_OPT_OFFLINE,
    ERA_OPT_EXPORT,
    ERA_OPT_REASON,
    ERA_OPT_DIR,
    ERA_OPT_FILE,
    ERA_OPT_BUILD,
    ERA_OPT_SOURCE,
    ERA_OPT_BUILDER,
    ERA_OPT_SHOW,
    ERA_OPT_NAME,
    ERA_OPT_VALIDATOR,
    ERA_OPT_SIGNER,
    ERA_OPT_EMITTER,
    ERA_OPT_EPOCH,
    ERA_OPT_GENESIS,
    ERA_OPT_HEIGHTS,
    ERA_OPT_NOTICE,
    ERA_OPT_MODES,
    ERA_OPT_TOPIC,
    ERA_OPT_COUNT,
    ERA_OPT_TIMEOUT,
    ERA_OPT_SIGNALS,
    ERA_OPT_ERA,
    ERA_OPT_GATE,
    ERA_OPT_APPROVED,
    ERA_OPT_ADOPTED,
    ERA_OPT_OUTPUT = 'o',
    ERA_OPT_QUIET = 'q'
};

extern const struct era_verb era_verbs[]; /* ends with a row without name */

/* offline: verb_local.c, verb_charter.c */
int era_run_keygen(struct era_cli *cli);
int era_run_hash(struct era_cli *cli);
int era_run_semver_compare(struct era_cli *cli);
int era_run_semver_match(struct era_cli *cli);
int era_run_charter_new(struct era_cli *cli);
int era_run_charter_check(struct era_cli *cli);
int era_run_charter_compile(struct era_cli *cli);
int era_run_charter_show(struct era_cli *cli);
int era_run_charter_hash(struct era_cli *cli);
/* signers: verb_propose.c, verb_sign.c, verb_review.c */
int era_run_propose(struct era_cli *cli);
int era_run_approve(struct era_cli *cli);
int era_run_reject(struct era_cli *cli);
int era_run_submit(struct era_cli *cli);
int era_run_inbox(struct era_cli *cli);
int era_run_show(struct era_cli *cli);
int era_run_log(struct era_cli *cli);
/* validators: verb_attest.c */
int era_run_attest(struct era_cli *cli);
int era_run_ready(struct era_cli *cli);
/* everybody: verb_read.c, verb_follow.c */
int era_run_status(struct era_cli *cli);
int era_run_eras(struct era_cli *cli);
int era_run_peers(struct era_cli *cli);
int era_run_announcements(struct era_cli *cli);
int era_run_gate(struct era_cli *cli);
int era_run_height(struct era_cli *cli);
int era_run_emit(struct era_cli *cli);
int era_run_unlock(struct era_cli *cli);
int era_run_events(struct era_cli *cli);
int era_run_wait(struct era_cli *cli);

#endif
