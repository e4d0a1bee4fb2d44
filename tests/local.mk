# tests: `make check` runs one Criterion program a floor, the bats files, the fences.
#
# Every test runs with ERA_SRC and ERA_BUILD (roots of the source and build
# trees) and ERA_BIN (the folder of the built erad and eractl, first in PATH).
# A sanitizer's report anywhere in a test fails it (tests/run-criterion).
LOG_COMPILER = $(SHELL) $(srcdir)/tests/run-criterion
SH_LOG_COMPILER = $(SHELL)
BATS_LOG_COMPILER = $(SHELL) $(srcdir)/tests/run-bats
AM_TESTS_ENVIRONMENT = \
	ERA_SRC='$(abs_top_srcdir)'; export ERA_SRC; \
	ERA_BUILD='$(abs_top_builddir)'; export ERA_BUILD; \
	ERA_BIN='$(abs_top_builddir)'; export ERA_BIN; \
	PATH="$$ERA_BIN:$$PATH"; export PATH;
EXTRA_DIST += tests/run-criterion tests/run-bats

include tests/base/local.mk
include tests/proto/local.mk
include tests/core/local.mk
include tests/p2p/local.mk
include tests/store/local.mk
include tests/node/local.mk
include tests/host/local.mk
include tests/ipc/local.mk
include tests/erad/local.mk
include tests/cli/local.mk
include tests/fuzz/local.mk
include tests/bench/local.mk
include tests/e2e/local.mk
