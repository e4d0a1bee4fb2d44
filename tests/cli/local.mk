# The programs as a user meets them. One line a file (it is a test and in the tarball):
#BATS_FILES += tests/cli/X.bats
BATS_FILES =
TESTS += $(BATS_FILES)
EXTRA_DIST += $(BATS_FILES)
