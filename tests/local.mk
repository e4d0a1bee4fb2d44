# tests: `make check` runs one Criterion program a floor, the bats files, the fences.
#
# Every test runs with ERA_SRC and ERA_BUILD (roots of the source and build
# trees) and ERA_BIN (the folder of the built erad and eractl, first in PATH).
# A sanitizer's report anywhere in a test fails it (tests/run-criterion).
# A socket's path has at most 107 bytes: below a long TMPDIR no daemon of a test would start.
LOG_COMPILER = $(SHELL) $(srcdir)/tests/run-criterion
SH_LOG_COMPILER = $(SHELL)
BATS_LOG_COMPILER = $(SHELL) $(srcdir)/tests/run-bats
AM_TESTS_ENVIRONMENT = \
	ERA_SRC='$(abs_top_srcdir)'; export ERA_SRC; \
	ERA_BUILD='$(abs_top_builddir)'; export ERA_BUILD; \
	ERA_BIN='$(abs_top_builddir)'; export ERA_BIN; \
	ERA_LIBRARIES='$(noinst_LIBRARIES)'; export ERA_LIBRARIES; \
	ERA_LINK='$(CC) $(BARE_CFLAGS) -D_GNU_SOURCE $(CPPFLAGS) $(CRITERION_CFLAGS) $(CFLAGS) $(LDFLAGS)'; export ERA_LINK; \
	ERA_CRITERION_LIBS='$(CRITERION_LIBS)'; export ERA_CRITERION_LIBS; \
	ERA_SANITIZERS='$(SANITIZERS)'; export ERA_SANITIZERS; \
	ERA_FUZZERS='$(FUZZ_TARGETS)'; export ERA_FUZZERS; \
	NM='$(NM)'; export NM; \
	test "$$(printf %s "$$TMPDIR" | wc -c)" -le 32 || { TMPDIR=/tmp; export TMPDIR; }; \
	PATH="$$ERA_BIN:$$PATH"; export PATH;
AM_TESTS_FD_REDIRECT = 9>&2
EXTRA_DIST += tests/run-criterion tests/run-bats

# ---- what takes longer, or is no test ---------------------------------------
# CHECK_LONG: scripts that take minutes (soaks, real daemons; .sh or .bats); `make check-long`, one after another,
# with what the bats files say shown as it comes.
# BENCHES: programs that print measured ratios; `make bench`.
CHECK_LONG =
BENCHES =
check-long: all $(check_PROGRAMS)
	@test -n "$(CHECK_LONG)" || { echo "check-long: no test is listed (CHECK_LONG)"; exit 1; }
	ERA_SHOW=yes $(MAKE) $(AM_MAKEFLAGS) -j1 check-TESTS TESTS="$(CHECK_LONG)"

bench: all $(BENCHES)
	@test -n "$(BENCHES)" || { echo "bench: no program is listed (BENCHES)"; exit 1; }
	@for b in $(BENCHES); do echo "== $$b"; $(AM_TESTS_ENVIRONMENT) "./$$b" || exit 1; done
EXTRA_PROGRAMS = $(BENCHES)
CLEANFILES += $(BENCHES)
.PHONY: check-long bench

# ---- coverage ---------------------------------------------------------------
# Branches of the rules are the figure that counts: src/core, by the test programs of all floors and the
# simulated networks, from a clean start. What daemons, mutants and tools would add is not in it: they take
# most of the time of `make check`, and reach no branch of the rules that these do not. Left out are lines with
# an assert, which speaks of our own bugs and which no input can make fail, and lines without code (closing
# braces); nothing else. The figure of the whole tree lacks what only daemons run.
if COVERAGE
coverage: all
	$(MAKE) $(AM_MAKEFLAGS) $(check_PROGRAMS)
	find . -name '*.gcda' -exec rm -f {} +
	run=tests/sim/run.sh; for t in $(TESTS); do \
		case ' $(check_PROGRAMS) ' in *" $$t "*) run="$$run $$t" ;; esac; \
	done; echo "$$run" >coverage.tests; $(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS="$$run"
	$(GCOVR) --root $(srcdir) --object-directory . --branches --print-summary \
		--exclude-unreachable-branches --exclude-lines-by-pattern '.*\bassert\(.*' \
		--exclude '.*pb-c.*' --filter '.*src/core/'
	@echo "coverage: src/core above, the whole tree below; by: `cat coverage.tests`"
	$(GCOVR) --root $(srcdir) --object-directory . --exclude '.*pb-c.*' --exclude '.*/tests/.*' \
		--html-details coverage.html --print-summary
CLEANFILES += coverage*.html coverage*.css coverage.tests
else
coverage:
	@echo "coverage: configure with --enable-coverage first" >&2; exit 1
endif
.PHONY: coverage

clean-local:
	rm -rf fuzz-findings
	find . -name '*.gcda' -o -name '*.gcno' | xargs -r rm -f

include tests/base/local.mk
include tests/proto/local.mk
include tests/core/local.mk
include tests/p2p/local.mk
include tests/store/local.mk
include tests/node/local.mk
include tests/host/local.mk
include tests/ipc/local.mk
include tests/erad/local.mk
include tests/erasim/local.mk
include tests/sim/local.mk
include tests/cli/local.mk
include tests/fences/local.mk
include tests/fuzz/local.mk
include tests/bench/local.mk
include tests/e2e/local.mk
include tests/net/local.mk
include tests/badinput/local.mk
include tests/docs/local.mk
