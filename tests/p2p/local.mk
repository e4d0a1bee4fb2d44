# Tests of floor p2p: one line a file.
check_PROGRAMS += tests/p2p/test_p2p
TESTS += tests/p2p/test_p2p
tests_p2p_test_p2p_LDADD = $(FLOOR_LINK) $(CRITERION_LIBS)
tests_p2p_test_p2p_SOURCES = tests/p2p/wire.c tests/p2p/wire.h tests/p2p/probe.c tests/p2p/probe.h
tests_p2p_test_p2p_SOURCES += tests/p2p/test_channel.c
tests_p2p_test_p2p_SOURCES += tests/p2p/test_noise.c
tests_p2p_test_p2p_SOURCES += tests/p2p/test_reconcile.c
tests_p2p_test_p2p_SOURCES += tests/p2p/test_sketch.c
tests_p2p_test_p2p_SOURCES += tests/p2p/test_gossip_links.c
tests_p2p_test_p2p_SOURCES += tests/p2p/test_gossip_spread.c
tests_p2p_test_p2p_SOURCES += tests/p2p/test_gossip_abuse.c
tests_p2p_test_p2p_SOURCES += tests/p2p/test_gossip_rounds.c
tests_p2p_test_p2p_SOURCES += tests/p2p/test_gossip_complete.c
tests_p2p_test_p2p_SOURCES += tests/p2p/test_link.c tests/p2p/rawlink.c tests/p2p/rawlink.h
tests_p2p_test_p2p_SOURCES += tests/p2p/test_overlay.c tests/p2p/town.c tests/p2p/town.h
tests_p2p_test_p2p_SOURCES += tests/p2p/test_gossip_overlay.c
tests_p2p_test_p2p_SOURCES += tests/p2p/test_defence.c
