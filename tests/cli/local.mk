# The programs as a user meets them (erad and eractl are first in PATH). One line a file:
#   BATS_FILES += tests/cli/X.bats
BATS_FILES =
BATS_FILES += tests/cli/help.bats tests/cli/local.bats tests/cli/charter.bats tests/cli/propose.bats
BATS_FILES += tests/cli/sign.bats tests/cli/attest.bats tests/cli/live.bats
BATS_FILES += tests/cli/erasim.bats
EXTRA_DIST += tests/cli/given.bash tests/cli/badinput.tsv tests/cli/check-badinput

TESTS += $(BATS_FILES)
EXTRA_DIST += $(BATS_FILES)
