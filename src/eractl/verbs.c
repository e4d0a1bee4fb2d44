#include "src/eractl/verbs.h"

/* clang-format off */
#define OPTION_KEY {"key", ERA_OPT_KEY, "FILE", false, "the signer's key file"}
#define OPTION_NETWORK {"network", ERA_OPT_NETWORK, "ID", false, \
    "the network this key signs for; otherwise FILE.network, remembered at first use"}
#define OPTION_COMPONENT {"component", ERA_OPT_COMPONENT, "ID", false, "the component (network)"}
#define OPTION_YES {"yes", ERA_OPT_YES, NULL, false, "do not ask"}
#define OPTION_OFFLINE {"offline", ERA_OPT_OFFLINE, "FILE", false, \
    "work from exported material, without a daemon; needs -o"}
#define OPTION_STATEMENT {"output", ERA_OPT_OUTPUT, "FILE", false, \
    "write the statement there; do not submit it"}
#define OPTION_TIMEOUT(what) {"timeout", ERA_OPT_TIMEOUT, "TIME", false, what ", like 500ms, 30s, 5m"}
/* clang-format on */

static const struct era_option keygen_options[] = {
    {"show", ERA_OPT_SHOW, NULL, false, "print the public key of an existing FILE"},
    {0},
};

static const struct era_option charter_new_options[] = {
    {"name", ERA_OPT_NAME, "NAME", false, "the network's name"},
    {"validator", ERA_OPT_VALIDATOR, "NAME=KEY:STAKE", true,
     "a validator; KEY is an erapub1... text or a .pub file. None at all: authority only"},
    {"signer", ERA_OPT_SIGNER, "NAME=KEY", true, "an upgrade signer of the component network"},
    {"emitter", ERA_OPT_EMITTER, "NAME=KEY", true, "authority only: who may emit events (the signers)"},
    {"set-version", ERA_OPT_SET_VERSION, "VERSION", false, "what runs now (1.0.0)"},
    {"epoch", ERA_OPT_EPOCH, "TIME", false, "length of an epoch (24h)"},
    {"genesis", ERA_OPT_GENESIS, "TIME", false, "start of epoch 0, 2026-01-01T00:00:00Z or Unix ms (now)"},
    {"heights", ERA_OPT_HEIGHTS, "N", false, "count epochs by the host program's height, N heights each"},
    {"notice", ERA_OPT_NOTICE, "EPOCHS", false, "notice of a change (14)"},
    {"output", ERA_OPT_OUTPUT, "FILE", false, "write the text there"},
    {0},
};

static const struct era_option charter_compile_options[] = {
    {"output", ERA_OPT_OUTPUT, "FILE", false, "where the compiled charter goes, as charter.bin"},
    {0},
};

static const struct era_option hash_options[] = {
    {"modes", ERA_OPT_MODES, NULL, false, "with the files' modes: m1: instead of h1:"},
    {0},
};

static const struct era_option propose_options[] = {
    OPTION_KEY,
    OPTION_NETWORK,
    OPTION_COMPONENT,
    {"set-version", ERA_OPT_SET_VERSION, "VERSION", false, "the new version"},
    {"class", ERA_OPT_CLASS, "CLASS", false,
     "soft (nodes may stay behind), breaking (a new era; nodes that are behind stop), override"},
    {"effective", ERA_OPT_EFFECTIVE, "EPOCH", false, "when it takes effect; +N counts from now"},
    {"announce", ERA_OPT_ANNOUNCE, NULL, false, "announce it without an epoch"},
    {"era-name", ERA_OPT_ERA_NAME, "NAME", false, "name of the new era"},
    {"artefact", ERA_OPT_ARTEFACT, "NAME=DIGEST", true,
     "what is released; NAME=@PATH hashes a directory or file"},
    {"artefact-link", ERA_OPT_ARTEFACT_LINK, "NAME=URL", true, "where to fetch an artefact"},
    {"source-digest", ERA_OPT_SOURCE_DIGEST, "DIGEST", false, "digest of the source; @PATH hashes it"},
    {"link", ERA_OPT_LINK, "URL", false, "where the source is, with branch or tag"},
    {"require", ERA_OPT_REQUIRE, "KIND=RANGE", true,
     "which versions are compatible; KIND is distribution, software, api, database or protocol"},
    {"flag", ERA_OPT_FLAG, "NAME=on|off", true, "switch a feature flag"},
    {"depend", ERA_OPT_DEPEND, "NAME=RANGE[@SINCE]", true, "what else must be new enough, and since when"},
    {"drop", ERA_OPT_DROP, "HASH", true, "leave out this entry, or all of this proposal (8 digits or more)"},
    {"urgent", ERA_OPT_URGENT, NULL, false, "the emergency lane: shorter notice, more signatures"},
    {"text", ERA_OPT_TEXT, "TEXT", false, "why, in a few words"},
    {"expires", ERA_OPT_EXPIRES, "EPOCH", false, "last epoch at which to sign it"},
    {"seq", ERA_OPT_SEQ, "N", false, "the slot (the next free one)"},
    {"dry-run", ERA_OPT_DRY_RUN, NULL, false, "show it only; sign nothing"},
    OPTION_YES,
    {"yes-undo", ERA_OPT_YES_UNDO, NULL, false, "even if it undoes a change that another entry makes"},
    OPTION_OFFLINE,
    {"export", ERA_OPT_EXPORT, "FILE", false, "write the material for propose --offline, and stop"},
    OPTION_STATEMENT,
    {0},
};

static const struct era_option inbox_options[] = {
    {"key", ERA_OPT_KEY, "FILE", false, "mark what waits for this key (its .pub will do)"},
    {0},
};

static const struct era_option show_options[] = {
    {"export", ERA_OPT_EXPORT, "FILE", false, "write the material for approve --offline"},
    {0},
};

static const struct era_option approve_options[] = {
    OPTION_KEY, OPTION_NETWORK, OPTION_YES, OPTION_OFFLINE, OPTION_STATEMENT, {0},
};

static const struct era_option reject_options[] = {
    OPTION_KEY, OPTION_NETWORK, {"reason", ERA_OPT_REASON, "TEXT", false, "why; everybody reads it"},
    OPTION_YES, OPTION_OFFLINE, OPTION_STATEMENT,
    {0},
};

static const struct era_option attest_options[] = {
    {"artefact", ERA_OPT_ARTEFACT, "NAME", false, "which artefact, when the plan has several"},
    {"dir", ERA_OPT_DIR, "DIR", false, "the directory that was built"},
    {"file", ERA_OPT_FILE, "FILE", false, "the file that was built"},
    {"build", ERA_OPT_BUILD, "COMMAND", false, "build it now: COMMAND writes to $ERAD_OUT"},
    {"source", ERA_OPT_SOURCE, "DIR", false, "with --build: where COMMAND runs, in a fresh copy"},
    {"builder", ERA_OPT_BUILDER, "TEXT", false, "how it was built, for people"},
    {0},
};

static const struct era_option component_options[] = {OPTION_COMPONENT, {0}};

static const struct era_option gate_options[] = {
    OPTION_COMPONENT,
    {"quiet", ERA_OPT_QUIET, NULL, false, "say nothing: the status alone"},
    {0},
};

static const struct era_option unlock_options[] = {OPTION_YES, {0}};

static const struct era_option events_options[] = {
    {"topic", ERA_OPT_TOPIC, "PREFIX", false, "only topics that begin so"},
    {"signals", ERA_OPT_SIGNALS, NULL, false,
     "every signal (gate, era, epoch, proposal...), not events alone"},
    {"count", ERA_OPT_COUNT, "N", false, "stop after N"},
    OPTION_TIMEOUT("stop after this time; 75 when --count was not reached"),
    {0},
};

static const struct era_option wait_options[] = {
    {"era", ERA_OPT_ERA, "N", false, "until era N or a later one is in force"},
    {"gate", ERA_OPT_GATE, "STATE", false, "until the gate is in this state"},
    {"approved", ERA_OPT_APPROVED, "ID", false, "until this proposal is approved"},
    {"adopted", ERA_OPT_ADOPTED, "ID", false, "until this proposal is adopted"},
    OPTION_COMPONENT,
    OPTION_TIMEOUT("give up after this time"),
    {0},
};

#define PROPOSE_DOC                                                                                          \
    "What is not said stays as in the entry before it: flags, ranges, dependencies, and for the same "       \
    "version artefacts and links too. A proposal with --drop alone only drops. Announce a version "          \
    "first, and propose it again with --effective when the epoch is known."
#define WAIT_DOC                                                                                             \
    "Statuses: 0 reached, 75 timeout, 1 the proposal that would bring it failed. An expired one is waited "  \
    "for: votes may still be on their way. With --timeout it waits for the daemon too."
#define GATE_DOC                                                                                             \
    "Statuses: 0 go on (current, notice, upgrade-soon), 75 not now (clock, stale, no-era), 76 stop ("        \
    "blocked, forked, mismatch)."
#define APPROVE_DOC                                                                                          \
    "An approval binds: one proposal a slot. What a key approved is kept in FILE.approvals, written "        \
    "before the signature leaves; keep that file with the key. On a machine without a daemon: carry "        \
    "the file of `eractl show ID --export FILE` there, run approve --offline FILE -o OUT, and "              \
    "carry OUT back to `eractl submit`."
#define UNLOCK_DOC                                                                                           \
    "After a start the daemon's key signs nothing until the node has compared what it holds with its "       \
    "peers; and when others hold a word of this key that is missing here, it signs nothing any more. "       \
    "Unlock "                                                                                                \
    "when no peer can be reached, or when it is known that this store is the newest and the key is used "    \
    "nowhere else: a key that votes twice is seen by all, for ever."
#define ATTEST_DOC                                                                                           \
    "The daemon computes the digest itself; no option takes one. Status 1 when it is not the plan's."

const struct era_verb era_verbs[] = {
    {"status", era_run_status, "what this node is, sees and waits for", "", 0, 0, NULL, NULL},
    {"gate", era_run_gate, "may the host program go on?", "", 0, 0, gate_options, GATE_DOC},
    {"eras", era_run_eras, "past, current and coming eras", "", 0, 0, component_options, NULL},
    {"inbox", era_run_inbox, "proposals that wait for signatures", "", 0, 0, inbox_options, NULL},
    {"show", era_run_show, "everything about a proposal", "ID", 1, 1, show_options, NULL},
    {"log", era_run_log, "what was adopted, newest last", "", 0, 0, NULL, NULL},
    {"peers", era_run_peers, "links and what they carry", "", 0, 0, NULL, NULL},
    {"announcements", era_run_announcements, "what validators run", "", 0, 0, NULL, NULL},
    {"propose", era_run_propose, "propose an upgrade", "--key FILE ...", 0, 0, propose_options, PROPOSE_DOC},
    {"approve", era_run_approve, "approve a proposal, for ever", "[ID] --key FILE", 0, 1, approve_options,
     APPROVE_DOC},
    {"reject", era_run_reject, "reject a proposal", "[ID] --reason TEXT --key FILE", 0, 1, reject_options,
     NULL},
    {"submit", era_run_submit, "hand signed statements to the daemon", "FILE...", 1, ERA_CLI_VALUES_MAX, NULL,
     NULL},
    {"attest", era_run_attest, "attest a rebuild of a proposal's artefact", "ID --dir DIR", 1, 1,
     attest_options, ATTEST_DOC},
    {"ready", era_run_ready, "declare this validator ready for a proposal", "ID", 1, 1, NULL, NULL},
    {"unlock", era_run_unlock, "let the daemon's key sign again", "", 0, 0, unlock_options, UNLOCK_DOC},
    {"emit", era_run_emit, "emit an event; FILE - is standard input", "TOPIC FILE", 2, 2, NULL, NULL},
    {"events", era_run_events, "follow events, one a line", "", 0, 0, events_options, NULL},
    {"wait", era_run_wait, "wait for an era, a gate, a proposal", "--era N", 0, 0, wait_options, WAIT_DOC},
    {"height", era_run_height, "tell the daemon the host program's height", "N", 1, 1, NULL, NULL},
    {"keygen", era_run_keygen, "make a key pair", "FILE", 1, 1, keygen_options, NULL},
    {"charter new", era_run_charter_new, "write the text of a new charter",
     "--name NAME --signer NAME=KEY ...", 0, 0, charter_new_options, NULL},
    {"charter check", era_run_charter_check, "say what is wrong or unwise in a charter", "FILE", 1, 1, NULL,
     "Status 1 when something is wrong; advice alone is 0."},
    {"charter compile", era_run_charter_compile, "compile a charter's text", "FILE -o OUT", 1, 1,
     charter_compile_options, NULL},
    {"charter show", era_run_charter_show, "the text of a charter file, or of the daemon's", "[FILE]", 0, 1,
     NULL, NULL},
    {"charter hash", era_run_charter_hash, "hash of a charter; of version 0: the network's id", "FILE", 1, 1,
     NULL, NULL},
    {"hash", era_run_hash, "digest of a directory (h1:) or file (sha256:)", "PATH", 1, 1, hash_options, NULL},
    {"semver compare", era_run_semver_compare, "print -1, 0 or 1: A below, beside or above B", "A B", 2, 2,
     NULL, NULL},
    {"semver match", era_run_semver_match, "status 0 when a range holds for a version, else 1",
     "VERSION RANGE", 2, 2, NULL, NULL},
    {0},
};
