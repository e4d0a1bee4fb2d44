# Real daemons on loopback. Quick ones are tests, long ones run with `make check-long` (.sh or .bats):
#   TESTS += tests/e2e/X.sh
#   CHECK_LONG += tests/e2e/Y.sh
#   EXTRA_DIST += tests/e2e/X.sh tests/e2e/Y.sh

# A real daemon, killed at every effect, must not vote twice.
check_PROGRAMS += tests/e2e/test_vote_once
TESTS += tests/e2e/test_vote_once
tests_e2e_test_vote_once_SOURCES = tests/e2e/test_vote_once.c tests/e2e/tap.c tests/e2e/tap.h
tests_e2e_test_vote_once_SOURCES += tests/erad/place.c tests/erad/place.h tests/lib/given.c tests/lib/given.h
tests_e2e_test_vote_once_LDADD = src/ipc/libipc.a $(FLOOR_LINK) $(CRITERION_LIBS)
