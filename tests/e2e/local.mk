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

# Networks of real daemons; tests/e2e/lib.bash makes them.
E2E_BATS = tests/e2e/converge.bats tests/e2e/upgrade.bats tests/e2e/gate.bats tests/e2e/store.bats \
	tests/e2e/hostile.bats tests/e2e/badpeer.bats tests/e2e/noise.bats
TESTS += $(E2E_BATS)
EXTRA_DIST += $(E2E_BATS) tests/e2e/lib.bash
# The peer of noise.bats, built by Go if it is there.
EXTRA_DIST += tests/interop/noise_peer.go
CLEANFILES += tests/interop/noise_peer
# What hostile.bats attacks with.
check_PROGRAMS += tests/e2e/hostile
tests_e2e_hostile_SOURCES = tests/e2e/hostile.c tests/p2p/rawlink.c tests/p2p/rawlink.h
tests_e2e_hostile_LDADD = $(FLOOR_P2P)
# What badpeer.bats attacks with, once it is a peer.
check_PROGRAMS += tests/e2e/badpeer
tests_e2e_badpeer_SOURCES = tests/e2e/badpeer.c tests/p2p/rawlink.c tests/p2p/rawlink.h
tests_e2e_badpeer_SOURCES += tests/lib/given.c tests/lib/given_charter.c tests/lib/given.h tests/lib/given_internal.h
tests_e2e_badpeer_LDADD = src/host/libhost.a $(FLOOR_NODE) $(LIBCONFIG_LIBS) $(JANSSON_LIBS)
