# Scenarios, each named after its rule: make check runs every one. One line a file: SCENARIOS += tests/sim/X.scn
SCENARIOS =
SCENARIOS += tests/sim/r3_late_approval.scn tests/sim/r4_lost_entry.scn tests/sim/r5_adoption.scn
SCENARIOS += tests/sim/r5_late_readiness.scn tests/sim/r7_hidden_slot.scn tests/sim/r7_dropped.scn
SCENARIOS += tests/sim/r13_split_slot.scn tests/sim/r15_recovery_lane.scn tests/sim/s9_old_backup.scn
SCENARIOS += tests/sim/p2_soft_before_breaking.scn tests/sim/n7_strict_off.scn tests/sim/n7_strict_on.scn
SCENARIOS += tests/sim/r4_armed.scn tests/sim/r8_evidence.scn tests/sim/s9_lock_at_start.scn
SCENARIOS += tests/sim/n7_rotation.scn tests/sim/r10_asleep.scn tests/sim/r10_disjoint.scn
SCENARIOS += tests/sim/r10_late_close.scn tests/sim/r10_frozen.scn tests/sim/r10_leaked_key.scn tests/sim/r10_open_proposal.scn
SCENARIOS += tests/sim/p6_checkpoint.scn
TESTS += tests/sim/run.sh tests/sim/mutants.sh
EXTRA_DIST += tests/sim/run.sh tests/sim/mutants.sh $(SCENARIOS)
include tests/sim/mutants/local.mk
CHECK_LONG += tests/sim/long.sh
EXTRA_DIST += tests/sim/long.sh
