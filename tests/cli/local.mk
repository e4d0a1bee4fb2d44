# The programs as a user meets them (erad and eractl are first in PATH). One line a file:
#   BATS_FILES += tests/cli/X.bats
BATS_FILES =

TESTS += $(BATS_FILES)
EXTRA_DIST += $(BATS_FILES)
